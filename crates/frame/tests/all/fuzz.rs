//! Files with bytes changed at random: each is read soundly, or refused by its name.
//!
//! The short form runs with the other tests; `COUNTERWEIGHT_FUZZ=10000` says how many files of each kind
//! the long one reads. What would end the process (a reservation that fails, an exhausted stack) ends the
//! test.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use counterweight_core::{Cells, Table};
use counterweight_frame::{read_cells, read_dataset, read_table, write_table};

use crate::{Folder, golden, target};

/// Longer than any file of a few kilobytes can take.
const LONGEST: Duration = Duration::from_secs(20);

fn rounds() -> usize {
    let asked = std::env::var("COUNTERWEIGHT_FUZZ").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(400)
}

/// Splitmix64, from a fixed seed: the same files every time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n.max(1) as u64).unwrap()
    }
}

/// One to four changes: bits, bytes, pieces cut, doubled, moved in from elsewhere, or words put in.
fn mutate(bytes: &[u8], words: &[&[u8]], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(4) {
        let n = bytes.len();
        let (at, length) = (random.below(n), random.below(16).min(n));
        let end = (at + length).min(n);
        match random.below(7) {
            0 | 1 if n > 0 => bytes[at] ^= 1 << random.below(8),
            2 if n > 0 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
            3 => drop(bytes.drain(at..end)),
            4 => {
                let piece = bytes[at..end].to_vec();
                let to = random.below(n + 1);
                bytes.splice(to..to, piece);
            }
            5 if random.below(8) == 0 => bytes.truncate(at),
            _ => {
                let word = words[random.below(words.len())];
                bytes.splice(at..at, word.iter().copied());
            }
        }
    }
    bytes
}

/// Every reader on one file; whatever is refused is refused by its name.
fn read_all(path: &Path) -> bool {
    let start = Instant::now();
    let options = target("y");
    let name = path.display().to_string();
    let found = [
        read_dataset(path, &options).map(drop),
        read_cells(path, &options).map(drop),
        read_table(path).map(drop),
    ];
    for error in found.iter().filter_map(|result| result.as_ref().err()) {
        let told = error.to_string();
        assert!(
            told.starts_with(&name) && !told.contains("unwrap"),
            "{told}"
        );
    }
    assert!(
        start.elapsed() < LONGEST,
        "{:?} for {name}",
        start.elapsed()
    );
    found.iter().all(Result::is_ok)
}

fn fuzz(kind: &str, seeds: &[Vec<u8>], words: &[&[u8]]) {
    let folder = Folder::new();
    let mut random = Random(13);
    let mut sound = 0;
    for round in 0..rounds() {
        let seed = &seeds[round % seeds.len()];
        let path = folder.file(&format!("d.{kind}"), mutate(seed, words, &mut random));
        sound += usize::from(read_all(&path));
    }
    // Changes that hurt nothing and changes that do: else the seeds or the changes are no good.
    assert!(sound > 0 && sound < rounds(), "{sound} of {}", rounds());
}

#[test]
fn csv() {
    let mut plain = String::new();
    for row in 0..30 {
        writeln!(
            plain,
            "{row},{}.5,\"a \"\"{}\"\"\",{}",
            row * 7,
            row % 3,
            row % 2
        )
        .unwrap();
    }
    let breaks = "x,y\r\n1,\"a\nb\"\r\n,\"\"\r\n3,c\r\n4,c\r\n";
    let seeds = [
        format!("x,z,name,y\n{plain}").into_bytes(),
        format!("\u{feff}{breaks}").into_bytes(),
        "\"y\",é\n1,ü\n0,NaN\n1,-\n".as_bytes().to_vec(),
    ];
    let words: [&[u8]; 12] = [
        b"\"",
        b",",
        b"\n",
        b"\r",
        b"\"\"",
        b"\0",
        b"1e309",
        b"NaN",
        b"\xff",
        b"\xef\xbb\xbf",
        b"y",
        b"-9223372036854775809",
    ];
    fuzz("csv", &seeds, &words);
}

fn table(rows: usize) -> Table {
    let text = |row: usize| (!row.is_multiple_of(11)).then(|| format!("level {}", row % 5));
    let columns = [
        (
            "x",
            Cells::Real(
                (0..rows)
                    .map(|row| (!row.is_multiple_of(7)).then_some(row as f64 / 3.0))
                    .collect(),
            ),
        ),
        (
            "n",
            Cells::Whole((0..rows).map(|row| i64::try_from(row * row).ok()).collect()),
        ),
        ("t", Cells::Text((0..rows).map(text).collect())),
        (
            "f",
            Cells::Flag((0..rows).map(|row| Some(row.is_multiple_of(3))).collect()),
        ),
        (
            "y",
            Cells::Whole((0..rows).map(|row| i64::try_from(row % 3).ok()).collect()),
        ),
    ];
    columns
        .into_iter()
        .fold(Table::new(), |table, (name, cells)| {
            table.with(name, cells).unwrap()
        })
}

#[test]
fn parquet() {
    let folder = Folder::new();
    let mut seeds = Vec::new();
    for rows in [1, 40, 3000] {
        let path = folder.path("seed.parquet");
        write_table(&table(rows), &path).unwrap();
        seeds.push(std::fs::read(&path).unwrap());
    }
    // Of other writers: other codecs, encodings and versions of pages.
    let goldens = std::fs::read_dir(golden("")).unwrap();
    let mut goldens: Vec<_> = goldens.map(|entry| entry.unwrap().path()).collect();
    goldens.retain(|path| path.extension().is_some_and(|e| e == "parquet"));
    goldens.sort();
    seeds.extend(goldens.iter().map(|path| std::fs::read(path).unwrap()));
    let words: [&[u8]; 7] = [
        b"PAR1",
        b"\x15\xfe\xff\xff\xff\x0f",
        b"\x19\xfc",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\x80",
        b"\0",
        b"\x1c",
    ];
    fuzz("parquet", &seeds, &words);
}
