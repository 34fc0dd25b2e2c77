//! ARFF and KEEL: a header that declares each column, then rows.
//!
//! # ARFF
//! `@relation`, `@attribute NAME numeric | real | integer | string | date [FORMAT] | {LEVEL, ..}`, `@data`, in any
//! letter case; lines that begin with `%` are comments. Names and values may stand in single or double quotes,
//! with backslash escapes; `?` is a missing value. A sparse row is `{INDEX VALUE, ..}`, indices from 0: what it leaves out
//! is 0, or the first level that the attribute declares. A row may end in a weight, `{3}`. Levels that no row has are
//! no levels of the dataset, as in any other format.
//!
//! # KEEL
//! The same, with ranges behind the types (`real [0.0, 1.0]`; they are not enforced), `<null>` for a missing value
//! beside `?`, and `@inputs` and `@outputs`, of which other columns than these are left out, with a remark.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::Path;

use counterweight_core::ReadOptions;

use crate::error::{FrameError, Place};
use crate::load::{decode, read_unpacked};
use crate::raw::{Kind, RawColumn, RawTable, RawValues, Texts, check_cells};
use crate::read::{asked, declared, kept_columns};
use crate::splits::split_error;

/// The column of the weights of rows.
const WEIGHT: &str = "{weight}";

/// What an attribute may hold.
enum Holds {
    Numbers,
    Texts,
    /// The first level, and all.
    Levels(String, HashSet<String>),
}

struct Attribute {
    name: String,
    holds: Holds,
}

/// One line, read from left to right.
struct Line<'a> {
    path: &'a Path,
    text: &'a str,
    number: u64,
    at: usize,
}

impl<'a> Line<'a> {
    fn error(&self, reason: impl Into<String>) -> FrameError {
        FrameError::Syntax {
            path: self.path.to_owned(),
            line: self.number,
            character: self.text[..self.at].chars().count() as u64 + 1,
            reason: reason.into(),
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r']).len();
    }

    /// Whether `mark` stands here; goes behind it.
    fn take(&mut self, mark: char) -> bool {
        self.skip_blanks();
        let there = self.peek() == Some(mark);
        if there {
            self.at += mark.len_utf8();
        }
        there
    }

    /// A text in quotes, or one up to a character of `stops`, without the blanks behind it; and whether it stood
    /// in quotes.
    fn value(&mut self, stops: &[char]) -> Result<(Cow<'a, str>, bool), FrameError> {
        self.skip_blanks();
        if let Some(quote @ ('\'' | '"')) = self.peek() {
            return self.quoted(quote).map(|text| (text, true));
        }
        let rest = self.rest();
        let end = rest.find(stops).unwrap_or(rest.len());
        let text = rest[..end].trim_end_matches([' ', '\t', '\r']);
        if text.is_empty() {
            return Err(self.error("a value is missing here; `?` stands for one that is not known"));
        }
        self.at += end;
        Ok((Cow::Borrowed(text), false))
    }

    fn quoted(&mut self, quote: char) -> Result<Cow<'a, str>, FrameError> {
        let body = &self.rest()[1..];
        // Most texts have no escape.
        if let Some(end) = body.find(quote)
            && !body[..end].contains('\\')
        {
            self.at += end + 2;
            return Ok(Cow::Borrowed(&body[..end]));
        }
        let (mut text, mut at) = (String::new(), 0);
        while let Some(letter) = body[at..].chars().next() {
            at += letter.len_utf8();
            if letter == quote {
                self.at += at + 1;
                return Ok(Cow::Owned(text));
            }
            if letter != '\\' {
                text.push(letter);
                continue;
            }
            let Some(escaped) = body[at..].chars().next() else {
                break;
            };
            at += escaped.len_utf8();
            text.push(match escaped {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'u' => {
                    let code = body.get(at..at + 4);
                    let code = code.and_then(|code| u32::from_str_radix(code, 16).ok());
                    let Some(letter) = code.and_then(char::from_u32) else {
                        return Err(
                            self.error("`\\u` needs the four hexadecimal digits of a letter")
                        );
                    };
                    at += 4;
                    letter
                }
                other => other,
            });
        }
        Err(self.error("a quote opens here and is never closed"))
    }
}

/// Whether a line begins with this keyword; gives the place behind it.
fn keyword(text: &str, word: &str) -> Option<usize> {
    let head = text.get(..word.len())?;
    let ends = text[word.len()..]
        .chars()
        .next()
        .is_none_or(|c| c.is_whitespace() || "{['\"".contains(c));
    (head.eq_ignore_ascii_case(word) && ends).then_some(word.len())
}

/// What the header says.
#[derive(Default)]
struct Header {
    attributes: Vec<Attribute>,
    /// The columns of KEEL's `@inputs` and `@outputs`.
    named: [Option<Vec<String>>; 2],
}

impl Header {
    fn line(&mut self, mut line: Line<'_>, keel: bool) -> Result<bool, FrameError> {
        line.skip_blanks();
        let rest = line.rest();
        let is = |word| keyword(rest, word);
        if let Some(length) = is("@attribute") {
            line.at += length;
            self.attributes.push(attribute(&mut line, keel)?);
        } else if is("@data").is_some() {
            if self.attributes.is_empty() {
                return Err(line.error("no `@attribute` stands before `@data`"));
            }
            return Ok(true);
        } else if keel
            && let Some((which, length)) = ["@inputs", "@input", "@outputs", "@output"]
                .into_iter()
                .enumerate()
                .find_map(|(at, word)| is(word).map(|length| (at / 2, length)))
        {
            line.at += length;
            let mut names = Vec::new();
            loop {
                names.push(line.value(&[','])?.0.into_owned());
                if !line.take(',') {
                    break;
                }
            }
            self.named[which] = Some(names);
        } else if is("@relation").is_none() {
            return Err(line.error("expected `@relation`, `@attribute` or `@data`"));
        }
        Ok(false)
    }
}

fn attribute(line: &mut Line<'_>, keel: bool) -> Result<Attribute, FrameError> {
    let name = line.value(&[' ', '\t', '{'])?.0.into_owned();
    line.skip_blanks();
    let holds = if line.take('{') {
        let (mut first, mut levels) = (None, HashSet::new());
        while !line.take('}') {
            let (level, _) = line.value(&[',', '}'])?;
            first.get_or_insert_with(|| level.clone().into_owned());
            levels.insert(level.into_owned());
            if !line.take(',') && line.peek() != Some('}') {
                return Err(line.error("expected `,` or `}` behind a level"));
            }
        }
        let Some(first) = first else {
            return Err(line.error("a set without levels"));
        };
        Holds::Levels(first, levels)
    } else {
        let rest = line.rest();
        let end = rest.find([' ', '\t', '\r', '[']).unwrap_or(rest.len());
        let holds = match rest[..end].to_ascii_lowercase().as_str() {
            "numeric" | "real" | "integer" => Holds::Numbers,
            "string" | "date" => Holds::Texts,
            other => {
                return Err(line.error(format!(
                    "`{other}` is no type that can be read: numeric, real, integer, string, date, or a set in braces"
                )));
            }
        };
        line.at += end;
        holds
    };
    if keel && line.take('[') {
        let Some(end) = line.rest().find(']') else {
            return Err(line.error("a range opens here and is never closed"));
        };
        line.at += end + 1;
    }
    Ok(Attribute { name, holds })
}

/// Values on their way into columns.
struct Columns<'a> {
    options: &'a ReadOptions,
    header: &'a Header,
    kept: Vec<bool>,
    texts: Vec<Texts>,
    /// Numbers of each weight that is not 1.
    weights: Texts,
    weighed: usize,
    n_rows: usize,
    keel: bool,
}

impl Columns<'_> {
    fn row(&mut self, mut line: Line<'_>) -> Result<(), FrameError> {
        let sparse = line.take('{');
        if sparse {
            self.sparse(&mut line)?;
        } else {
            self.dense(&mut line)?;
        }
        line.skip_blanks();
        let mut weight = Cow::Borrowed("1");
        if line.take(',') || line.peek() == Some('{') {
            if !line.take('{') {
                return Err(line.error(format!("the row has more than {} values", self.kept.len())));
            }
            weight = line.value(&['}'])?.0;
            let number = weight
                .parse::<f64>()
                .ok()
                .filter(|w| w.is_finite() && *w >= 0.0);
            if number.is_none() || !line.take('}') {
                return Err(line.error("the weight of a row is a number of at least 0 in braces"));
            }
            self.weighed += usize::from(number != Some(1.0));
        }
        line.skip_blanks();
        if line.at < line.text.len() {
            return Err(line.error("expected the end of the row"));
        }
        self.weights.push(Some(&weight), line.number);
        self.n_rows += 1;
        Ok(())
    }

    fn dense(&mut self, line: &mut Line<'_>) -> Result<(), FrameError> {
        for at in 0..self.kept.len() {
            if at > 0 && !line.take(',') {
                return Err(line.error(format!(
                    "the row has {at} values, {} attributes are declared",
                    self.kept.len()
                )));
            }
            self.one(at, line, &[','])?;
        }
        Ok(())
    }

    fn sparse(&mut self, line: &mut Line<'_>) -> Result<(), FrameError> {
        let mut next = 0;
        while !line.take('}') {
            line.skip_blanks();
            let rest = line.rest();
            let end = rest.find([' ', '\t']).unwrap_or(rest.len());
            let index = rest[..end].parse::<usize>().ok();
            let Some(index) = index.filter(|index| (next..self.kept.len()).contains(index)) else {
                return Err(line.error(format!(
                    "expected the number of an attribute from {next} to {}",
                    self.kept.len() - 1
                )));
            };
            for at in next..index {
                self.left_out(at, line)?;
            }
            line.at += end;
            self.one(index, line, &[',', '}'])?;
            next = index + 1;
            if !line.take(',') && line.peek() != Some('}') {
                return Err(line.error("expected `,` or `}` behind a value"));
            }
        }
        (next..self.kept.len()).try_for_each(|at| self.left_out(at, line))
    }

    /// What a sparse row does not say.
    fn left_out(&mut self, at: usize, line: &Line<'_>) -> Result<(), FrameError> {
        let text = match &self.header.attributes[at].holds {
            Holds::Numbers => "0",
            Holds::Levels(first, _) => first,
            Holds::Texts => {
                let name = &self.header.attributes[at].name;
                return Err(line.error(format!("a sparse row leaves out the text of `{name}`")));
            }
        };
        if self.kept[at] {
            self.texts[at].push(
                Some(text).filter(|text| !self.options.lists(text)),
                line.number,
            );
        }
        Ok(())
    }

    fn one(&mut self, at: usize, line: &mut Line<'_>, stops: &[char]) -> Result<(), FrameError> {
        line.skip_blanks();
        let start = line.at;
        let (text, quoted) = line.value(stops)?;
        let unknown = !quoted && (text == "?" || (self.keel && text == "<null>"));
        if let Holds::Levels(_, levels) = &self.header.attributes[at].holds
            && !unknown
            && !levels.contains(&*text)
            && !self.options.lists(&text)
        {
            line.at = start;
            let name = &self.header.attributes[at].name;
            return Err(line.error(format!("`{text}` is no level that `{name}` declares")));
        }
        if self.kept[at] {
            let there = !unknown && !self.options.lists(&text);
            self.texts[at].push(there.then_some(&*text), line.number);
        }
        Ok(())
    }
}

/// Reads a file, of KEEL or not.
pub(crate) fn read(path: &Path, options: &ReadOptions, keel: bool) -> Result<RawTable, FrameError> {
    let bytes = read_unpacked(path)?;
    let text = decode(path, &bytes, options.encoding)?;
    let lines = text.lines().zip(1..).filter(|(text, _)| {
        let bare = text.trim_start();
        !bare.is_empty() && !bare.starts_with('%')
    });
    let mut lines = lines.map(|(text, number)| Line {
        path,
        text,
        number,
        at: 0,
    });
    let mut header = Header::default();
    loop {
        let Some(line) = lines.next() else {
            return Err(FrameError::Empty {
                path: path.to_owned(),
            });
        };
        if header.line(line, keel)? {
            break;
        }
    }
    let mut names: Vec<String> = header.attributes.iter().map(|a| a.name.clone()).collect();
    let weighted = asked(options, WEIGHT);
    if weighted {
        names.push(WEIGHT.to_owned());
    }
    let mut kept = kept_columns(path, &names, options)?;
    let remarks = unnamed(path, &header, options, &mut kept)?;
    let mut columns = Columns {
        options,
        header: &header,
        texts: vec![Texts::default(); header.attributes.len()],
        kept: kept[..header.attributes.len()].to_vec(),
        weights: Texts::default(),
        weighed: 0,
        n_rows: 0,
        keel,
    };
    let mut sparse_bytes = 0;
    for line in lines {
        let sparse = line.text.trim_start().starts_with('{');
        sparse_bytes += if sparse { line.text.len() } else { 0 };
        if sparse {
            check_cells(path, columns.n_rows + 1, names.len(), sparse_bytes)?;
        }
        columns.row(line)?;
    }
    let Columns {
        texts,
        weights,
        weighed,
        n_rows,
        ..
    } = columns;
    let mut table = RawTable {
        n_rows,
        remarks,
        ..RawTable::of(path, options, Place::Line)
    };
    for ((attribute, texts), kept) in header.attributes.iter().zip(texts).zip(kept) {
        if !kept {
            continue;
        }
        let numbers = matches!(attribute.holds, Holds::Numbers);
        let said = declared(options, &attribute.name);
        table.columns.push(RawColumn {
            name: attribute.name.clone(),
            spelt: Vec::new(),
            declared: said.or(numbers.then_some(Kind::Numeric)),
            values: if numbers {
                RawValues::Untyped(texts)
            } else {
                RawValues::Names(texts)
            },
        });
    }
    if weighted {
        table.columns.push(RawColumn {
            name: WEIGHT.to_owned(),
            spelt: Vec::new(),
            declared: Some(Kind::Numeric),
            values: RawValues::Untyped(weights),
        });
    } else if weighed > 0 {
        table.remarks.push(format!(
            "the weights of {weighed} of {n_rows} rows in the file are not used; as `weight` they are `{WEIGHT}`"
        ));
    }
    Ok(table)
}

/// Leaves out what KEEL names neither as input nor as output.
fn unnamed(
    path: &Path,
    header: &Header,
    options: &ReadOptions,
    kept: &mut [bool],
) -> Result<Vec<String>, FrameError> {
    let [Some(inputs), outputs] = &header.named else {
        return Ok(Vec::new());
    };
    let named: Vec<&String> = inputs.iter().chain(outputs.iter().flatten()).collect();
    let known = |name: &&&String| header.attributes.iter().any(|a| a.name == ***name);
    if let Some(name) = named.iter().find(|name| !known(name)) {
        let reason =
            format!("`@inputs` or `@outputs` name `{name}`, which no `@attribute` declares");
        return Err(split_error(
            path,
            reason,
            "declare it, or take its name out",
        ));
    }
    let mut left = Vec::new();
    for (attribute, kept) in header.attributes.iter().zip(kept) {
        let output = outputs.iter().flatten().any(|name| *name == attribute.name);
        let input = inputs.contains(&attribute.name);
        if *kept && (!input || output) && !asked(options, &attribute.name) {
            *kept = false;
            left.push(format!(
                "column `{}` is left out: it is no input of the file",
                attribute.name
            ));
        }
    }
    Ok(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_escapes() {
        let value = |text: &str| {
            let mut line = Line {
                path: Path::new("t.arff"),
                text,
                number: 3,
                at: 0,
            };
            let (value, quoted) = line.value(&[',']).map_err(|error| error.to_string())?;
            Ok::<_, String>((value.into_owned(), quoted, line.rest().to_owned()))
        };
        let of = |a: &str, quoted, rest: &str| Ok((a.to_owned(), quoted, rest.to_owned()));
        assert_eq!(value("  a b ,c"), of("a b", false, ",c"));
        assert_eq!(value(r"'a,\'b\\',c"), of(r"a,'b\", true, ",c"));
        assert_eq!(value(r#""it's","#), of("it's", true, ","));
        assert_eq!(value(r"'\u00e9\u0041b\n',"), of("éAb\n", true, ","));
        assert_eq!(value(r"'\u00e9',"), of("é", true, ","));
        for bad in [r"'a\'", "'", r"'\u00", r"'\ud800'", "''\\u", "  ,"] {
            let found = value(bad);
            if bad == "''\\u" {
                assert_eq!(found, of("", true, "\\u"));
            } else {
                assert!(
                    found.is_err_and(|told| told.starts_with("t.arff: line 3, character ")),
                    "{bad}"
                );
            }
        }
        assert_eq!(keyword("@DATA", "@data"), Some(5));
        assert_eq!(keyword("@database", "@data"), None);
    }
}
