//! Separated text as records of cells: a strict reader of RFC 4180.
//!
//! Written here because the two ready-made readers cannot give what the error messages promise:
//! polars reports no line numbers and guesses types while it reads, and `csv` takes an unclosed
//! quote for the end of the cell, so that half a file can vanish into one cell without a word. The
//! grammar is small: cells separated by one byte, records by LF or CRLF; a cell that begins with a
//! double quote ends at the next single one and may hold separators, line breaks and doubled quotes.
//! A quote inside an unquoted cell is text. Nothing is trimmed.

use std::borrow::Cow;
use std::path::Path;

use crate::error::FrameError;

/// One cell of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell<'a> {
    /// Its text, unquoted.
    pub(crate) text: Cow<'a, str>,
    /// Whether it stood in quotes.
    pub(crate) quoted: bool,
}

/// Reads record after record.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    separator: u8,
    quote: Option<u8>,
    at: usize,
    line: u64,
}

impl<'a> Reader<'a> {
    /// Reads `text`, whose cells are separated by `separator` and may stand in `quote`.
    pub(crate) fn new(
        path: &'a Path,
        text: &'a str,
        separator: u8,
        quote: Option<u8>,
    ) -> Result<Self, FrameError> {
        let line_break = |byte| matches!(byte, b'\n' | b'\r');
        let odd = |byte: u8| !byte.is_ascii() || line_break(byte);
        if odd(separator) || quote.is_some_and(|quote| odd(quote) || quote == separator) {
            return Err(FrameError::Separator {
                path: path.to_owned(),
                separator,
            });
        }
        Ok(Self {
            path,
            text,
            separator,
            quote,
            at: 0,
            line: 1,
        })
    }

    /// Whether nothing but line breaks is left, and blanks that separate no cells.
    pub(crate) fn only_blank_lines_left(&self) -> bool {
        let blank = |byte: &u8| match byte {
            b'\n' | b'\r' => true,
            b' ' | b'\t' => *byte != self.separator,
            _ => false,
        };
        self.text.as_bytes()[self.at..].iter().all(blank)
    }

    /// The next record into `cells`; gives the line on which it begins, `None` at the end.
    pub(crate) fn record(&mut self, cells: &mut Vec<Cell<'a>>) -> Result<Option<u64>, FrameError> {
        cells.clear();
        if self.at == self.text.len() {
            return Ok(None);
        }
        let first_line = self.line;
        loop {
            let cell = if self.quote.is_some() && self.byte() == self.quote {
                self.quoted_cell(cells.len() + 1)?
            } else {
                self.plain_cell()
            };
            cells.push(cell);
            match self.byte() {
                Some(byte) if byte == self.separator => self.at += 1,
                Some(_) => {
                    self.line_break();
                    return Ok(Some(first_line));
                }
                None => return Ok(Some(first_line)),
            }
        }
    }

    /// Bytes read so far.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Length of the line break at the current position, if there is one.
    fn break_length(&self) -> Option<usize> {
        match &self.text.as_bytes()[self.at..] {
            [b'\r', b'\n', ..] => Some(2),
            // The second is a file cut off inside its last CRLF.
            [b'\n', ..] | [b'\r'] => Some(1),
            _ => None,
        }
    }

    fn line_break(&mut self) {
        if let Some(length) = self.break_length() {
            self.at += length;
            self.line += 1;
        }
    }

    fn plain_cell(&mut self) -> Cell<'a> {
        let start = self.at;
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let Some(ahead) = memchr::memchr3(self.separator, b'\n', b'\r', rest) else {
                self.at = self.text.len();
                break;
            };
            self.at += ahead;
            // A carriage return alone is text.
            if rest[ahead] != b'\r' || self.break_length().is_some() {
                break;
            }
            self.at += 1;
        }
        Cell {
            text: Cow::Borrowed(&self.text[start..self.at]),
            quoted: false,
        }
    }

    /// The `cell`th of its row.
    fn quoted_cell(&mut self, cell: usize) -> Result<Cell<'a>, FrameError> {
        let opened = self.line;
        let quote = self.quote;
        self.at += 1;
        let mut text = Cow::Borrowed("");
        let mut start = self.at;
        loop {
            match self.byte() {
                None => {
                    return Err(FrameError::UnclosedQuote {
                        path: self.path.to_owned(),
                        line: opened,
                        cell,
                    });
                }
                byte if byte == quote => {
                    let piece = &self.text[start..self.at];
                    if text.is_empty() {
                        text = Cow::Borrowed(piece);
                    } else {
                        text.to_mut().push_str(piece);
                    }
                    self.at += 1;
                    if self.byte() != quote {
                        break;
                    }
                    text.to_mut().extend(quote.map(char::from));
                    self.at += 1;
                    start = self.at;
                }
                Some(byte) => {
                    self.line += u64::from(byte == b'\n');
                    self.at += 1;
                }
            }
        }
        let ends =
            self.byte().is_none_or(|byte| byte == self.separator) || self.break_length().is_some();
        match self.text[self.at..].chars().next() {
            Some(found) if !ends => Err(FrameError::AfterQuote {
                path: self.path.to_owned(),
                line: self.line,
                cell,
                found,
            }),
            _ => Ok(Cell { text, quoted: true }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> Result<Vec<(u64, Vec<String>)>, String> {
        let path = Path::new("t.csv");
        let mut reader = Reader::new(path, text, b',', Some(b'"')).map_err(|e| e.to_string())?;
        let (mut cells, mut all) = (Vec::new(), Vec::new());
        while let Some(line) = reader.record(&mut cells).map_err(|e| e.to_string())? {
            all.push((line, cells.iter().map(|c| c.text.to_string()).collect()));
        }
        Ok(all)
    }

    #[test]
    fn cells_keep_every_character() {
        let text = "a, b ,\"c,\r\n\"\"d\"\"\"\r\n\"\"\"\",5\" pipe,é\n,,";
        assert_eq!(
            records(text).unwrap(),
            [
                (1, vec!["a".into(), " b ".into(), "c,\r\n\"d\"".into()]),
                (3, vec!["\"".into(), "5\" pipe".into(), "é".into()]),
                (4, vec![String::new(), String::new(), String::new()]),
            ]
        );
    }

    #[test]
    fn a_final_line_break_starts_no_record_and_a_blank_line_is_one_cell() {
        assert_eq!(records("a\n").unwrap().len(), 1);
        assert_eq!(records("a\n\n").unwrap()[1], (2, vec![String::new()]));
        assert_eq!(records("a\rb\r").unwrap(), [(1, vec!["a\rb".into()])]);
    }

    #[test]
    fn broken_quotes_are_errors_at_their_line() {
        assert_eq!(
            records("a,b\n1,\"x\n2,y\n").unwrap_err(),
            "t.csv: line 2, cell 2: a quote opens here and is never closed"
        );
        assert_eq!(
            records("a,b\n1,\"x\ny\"z\n").unwrap_err(),
            "t.csv: line 3, cell 2: 'z' after a closing quote"
        );
    }

    #[test]
    fn other_quotes_and_none() {
        let path = Path::new("t.csv");
        let cells = |quote| {
            let mut reader = Reader::new(path, "'a,''b',\"c", b',', quote).unwrap();
            let mut cells = Vec::new();
            reader.record(&mut cells).unwrap();
            cells
                .iter()
                .map(|cell| cell.text.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(cells(Some(b'\'')), ["a,'b", "\"c"]);
        assert_eq!(cells(None), ["'a", "''b'", "\"c"]);
        assert!(Reader::new(path, "", b'"', Some(b'"')).is_err());
    }
}
