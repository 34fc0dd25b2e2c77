//! Lines with a checksum: JSON objects whose last key is `sum`, the CRC-32 of all that stands before it. A
//! line that does not agree with its own is damaged, and costs itself alone. A file in which no line carries
//! one is of an earlier build and is taken as it stands.

use std::io;
use std::path::{Path, PathBuf};

use counterweight_core::CellId;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What stands before the eight digits of a checksum.
const KEY: &[u8] = b",\"sum\":\"";

/// Bytes from there to the end of the line.
const TAIL: usize = KEY.len() + 8 + 2;

/// The line of a value, which has to be an object.
pub(crate) fn line_of(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value).map_err(io::Error::other)?;
    if line.len() < 3 || line.pop() != Some(b'}') {
        return Err(io::Error::other("not an object with a key"));
    }
    let sum = crc32fast::hash(&line);
    line.extend_from_slice(KEY);
    line.extend_from_slice(format!("{sum:08x}\"}}\n").as_bytes());
    Ok(line)
}

/// A line that cannot be taken for what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub path: PathBuf,
    /// From 1, as an editor counts.
    pub line: usize,
    /// The cells that it still names.
    pub cells: Vec<CellId>,
    /// Whether those of the line are reliability bins.
    pub(crate) bins: bool,
}

/// The lines of a file.
#[derive(Debug, Default)]
pub(crate) struct Lines<'a> {
    /// Number, text up to the checksum where there is one, and whether there is.
    sound: Vec<(usize, &'a [u8], bool)>,
    /// Damaged ones.
    damaged: Vec<(usize, &'a [u8])>,
    /// Whether the last one was torn off by the end of the process.
    pub(crate) torn: bool,
}

impl<'a> Lines<'a> {
    /// Takes a file apart.
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        let mut lines = Self::default();
        let mut without = Vec::new();
        // Empty lines are passed over but counted.
        let all = (1..).zip(bytes.split_inclusive(|&byte| byte == b'\n'));
        for (number, line) in all {
            let (text, ended) = match line.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (line, false),
            };
            if text.is_empty() {
                continue;
            }
            if let Some(body) = checked(text) {
                lines.sound.push((number, body, true));
                continue;
            }
            // Where the end of a line was hit, two stand in one.
            let before = lines.sound.len();
            let whole = several(text, |body| lines.sound.push((number, body, true)));
            if whole && lines.sound.len() > before {
                lines.damaged.push((number, b""));
            } else {
                without.push((number, text, ended));
            }
        }
        let old = lines.sound.is_empty();
        for (number, text, ended) in without {
            match (ended, old) {
                (false, _) => lines.torn = true,
                (true, true) => lines.sound.push((number, text, false)),
                (true, false) => lines.damaged.push((number, text)),
            }
        }
        lines
    }

    /// Reads each line by `take`; what it cannot read is damaged as well.
    pub(crate) fn read(
        mut self,
        path: &Path,
        mut take: impl FnMut(Line<'_>) -> serde_json::Result<()>,
    ) -> Vec<Damage> {
        for (number, text, summed) in self.sound {
            if take(Line { text, summed }).is_err() {
                self.damaged.push((number, text));
            }
        }
        self.damaged.sort_by_key(|(number, _)| *number);
        let damage = |(line, text): (usize, &[u8])| Damage {
            path: path.to_path_buf(),
            line,
            cells: named(text),
            bins: text.starts_with(b"{\"reliability\""),
        };
        self.damaged.into_iter().map(damage).collect()
    }
}

/// One sound line.
pub(crate) struct Line<'a> {
    text: &'a [u8],
    /// Whether the closing brace went with the checksum.
    summed: bool,
}

impl Line<'_> {
    pub(crate) fn json<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        if self.summed {
            serde_json::from_slice(&[self.text, b"}"].concat())
        } else {
            serde_json::from_slice(self.text)
        }
    }
}

/// What the checksum at the end of a line is of, when it agrees.
fn checked(line: &[u8]) -> Option<&[u8]> {
    let (body, tail) = line.split_at_checked(line.len().checked_sub(TAIL)?)?;
    let digits = tail.strip_prefix(KEY)?.strip_suffix(b"\"}")?;
    let digits = std::str::from_utf8(digits).ok()?;
    (digits == format!("{:08x}", crc32fast::hash(body))).then_some(body)
}

/// Finds lines that lost the break between them; gives whether nothing else is left over.
fn several<'a>(text: &'a [u8], mut found: impl FnMut(&'a [u8])) -> bool {
    let (mut start, mut whole) = (0, true);
    for at in 0..text.len().saturating_sub(TAIL - 1) {
        if !text[at..].starts_with(KEY) {
            continue;
        }
        let end = at + TAIL;
        // The break itself became some byte.
        let starts = [start, start + 1].into_iter().filter(|&from| from < end);
        match starts
            .map(|from| checked(&text[from..end]))
            .find(Option::is_some)
        {
            Some(Some(body)) => found(body),
            _ => whole = false,
        }
        start = end;
    }
    whole && text.len() <= start + 1
}

/// The cells that a damaged line still names.
fn named(text: &[u8]) -> Vec<CellId> {
    const CELL: &str = "\"cell\":\"";
    let text = String::from_utf8_lossy(text);
    let mut cells: Vec<CellId> = Vec::new();
    for part in text.split(CELL).skip(1) {
        let id = part.split('"').next().unwrap_or_default();
        let known = cells.iter().any(|cell| cell.0 == id);
        if id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit()) && !known {
            cells.push(CellId(id.to_owned()));
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Vec<u8> {
        let lines = (0..4).map(|at| line_of(&serde_json::json!({ "cell": at, "x": 0.5 })).unwrap());
        lines.collect::<Vec<_>>().concat()
    }

    fn read(bytes: &[u8]) -> (Vec<i64>, usize, bool) {
        let mut found = Vec::new();
        let lines = Lines::of(bytes);
        let torn = lines.torn;
        let damaged = lines.read(Path::new("x"), |line| {
            let value: serde_json::Value = line.json()?;
            assert_eq!(value["x"], 0.5, "another number was taken");
            found.push(value["cell"].as_i64().unwrap());
            Ok(())
        });
        (found, damaged.len(), torn)
    }

    #[test]
    fn a_flipped_bit_costs_its_own_line_and_no_number_changes() {
        let whole = file();
        assert_eq!(read(&whole), (vec![0, 1, 2, 3], 0, false));
        let length = whole.len() / 4;
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let hit = bit / 8 / length;
            let (found, damaged, torn) = read(&bytes);
            let others: Vec<i64> = (0..4)
                .filter(|&at| usize::try_from(at) != Ok(hit))
                .collect();
            // A hit on the break itself leaves both lines readable.
            let on_break = bit / 8 % length == length - 1;
            if on_break {
                assert_eq!(found, [0, 1, 2, 3], "bit {bit}");
            } else {
                assert_eq!(found, others, "bit {bit}");
            }
            assert!(damaged > 0 || torn || on_break, "bit {bit}");
        }
    }

    #[test]
    fn whatever_is_cut_off_the_whole_lines_stay() {
        let whole = file();
        let length = whole.len() / 4;
        for end in 0..whole.len() {
            let (found, damaged, torn) = read(&whole[..end]);
            // Without its break a line is whole all the same.
            let complete = (end + 1) / length;
            assert_eq!(found.len(), complete, "{end}");
            assert_eq!(
                (damaged, torn),
                (0, end % length != 0 && (end + 1) % length != 0)
            );
        }
    }

    #[test]
    fn lines_without_checksums_are_read_where_none_has_one() {
        let old = b"{\"cell\":7,\"x\":0.5}\n\n{\"cell\":8,\"x\n{\"cell\":9,\"x\":0.5}\n{\"ce";
        assert_eq!(read(old), (vec![7, 9], 1, true));
        let mut mixed = file();
        mixed.extend_from_slice(b"{\"cell\":7,\"x\":0.5}\n");
        assert_eq!(read(&mixed), (vec![0, 1, 2, 3], 1, false));
        let text = b"{\"reliability\":{\"cell\":\"0123456789abcdef\",\"bi{\"reliability\":{\"cell\":\"fedcba9876543210\"";
        let cells = named(text).into_iter().map(|cell| cell.0);
        assert_eq!(
            cells.collect::<Vec<_>>(),
            ["0123456789abcdef", "fedcba9876543210"]
        );
    }
}
