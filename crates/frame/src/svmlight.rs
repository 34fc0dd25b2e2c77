//! SVMlight and LIBSVM: `LABEL [qid:N] INDEX:VALUE .. [# comment]`.
//!
//! The label is the column `label`, as the text that it is; features are `c1`, `c2`, ... by index, and what a row leaves
//! out is 0. Indices count from 0 where one of them is 0, else from 1, or as `first_index` says. A `qid` is no
//! feature: it is left out with a remark, unless a key names the column `qid`.

use std::path::Path;

use counterweight_core::ReadOptions;

use crate::error::{FrameError, Place};
use crate::load::{decode, read_unpacked};
use crate::raw::{Number, RawColumn, RawTable, RawValues, Texts, check_cells, number};
use crate::read::{asked, declared, kept_columns};

const LABEL: &str = "label";
const QUERY: &str = "qid";

/// Columns of a file: its lowest index, and one more than its highest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    low: usize,
    end: usize,
}

impl Span {
    /// Of both.
    pub(crate) fn join(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            end: self.end.max(other.end),
        }
    }
}

/// A file as rows of what is not 0.
pub(crate) struct Sparse {
    labels: Texts,
    queries: Texts,
    /// Row, index and value.
    entries: Vec<(usize, usize, f64)>,
    n_rows: usize,
    bytes: usize,
    pub(crate) span: Span,
}

pub(crate) fn parse(path: &Path, options: &ReadOptions) -> Result<Sparse, FrameError> {
    let bytes = read_unpacked(path)?;
    let text = decode(path, &bytes, options.encoding)?;
    let mut found = Sparse {
        labels: Texts::default(),
        queries: Texts::default(),
        entries: Vec::new(),
        n_rows: 0,
        bytes: text.len(),
        span: Span {
            low: options.first_index.unwrap_or(1),
            end: 0,
        },
    };
    for (line, number) in text.lines().zip(1..) {
        let content = line.split('#').next().unwrap_or_default();
        let mut words = content.split_ascii_whitespace();
        let Some(label) = words.next() else { continue };
        let error = |word: &str, reason: String| FrameError::Syntax {
            path: path.to_owned(),
            line: number,
            character: before(line, word).chars().count() as u64 + 1,
            reason,
        };
        if label.contains([':', ',']) {
            let reason = format!("a row begins with one label, found `{label}`");
            return Err(error(label, reason));
        }
        let listed = options.lists(label);
        found.labels.push((!listed).then_some(label), number);
        let (mut query, mut last) = (None, None);
        for word in words {
            let Some((index, value)) = word.split_once(':') else {
                return Err(error(
                    word,
                    format!("expected `index:value`, found `{word}`"),
                ));
            };
            if index == QUERY && last.is_none() && query.is_none() {
                query = Some(value);
                continue;
            }
            let Ok(index) = index.parse::<u32>().map(|index| index as usize) else {
                return Err(error(word, format!("`{index}` is no index")));
            };
            if options.first_index.is_some_and(|first| index < first) {
                return Err(error(word, "index 0 where indices count from 1".into()));
            }
            if last.is_some_and(|last| index <= last) {
                return Err(error(word, format!("index {index} does not rise")));
            }
            let value = match number_of(value) {
                Some(value) => value,
                None if options.lists(value) => f64::NAN,
                None => return Err(error(word, format!("`{value}` is not a finite number"))),
            };
            last = Some(index);
            found.span = found.span.join(Span {
                low: index,
                end: index + 1,
            });
            found.entries.push((found.n_rows, index, value));
        }
        found.queries.push(query, number);
        found.n_rows += 1;
    }
    if found.n_rows == 0 {
        return Err(FrameError::Empty {
            path: path.to_owned(),
        });
    }
    Ok(found)
}

/// What stands in a line before a word of it.
fn before<'a>(line: &'a str, word: &str) -> &'a str {
    let at = (word.as_ptr() as usize).saturating_sub(line.as_ptr() as usize);
    line.get(..at).unwrap_or_default()
}

fn number_of(text: &str) -> Option<f64> {
    match number(text) {
        Number::Finite(value) => Some(value),
        Number::NotFinite | Number::None => None,
    }
}

/// The columns of a file, over the span of all files that it goes with.
pub(crate) fn table(
    path: &Path,
    options: &ReadOptions,
    found: Sparse,
    span: Span,
) -> Result<RawTable, FrameError> {
    let width = span.end.saturating_sub(span.low);
    check_cells(path, found.n_rows, width, found.bytes)?;
    let mut names: Vec<String> = (1..=width).map(|at| format!("c{at}")).collect();
    names.push(LABEL.to_owned());
    let query = asked(options, QUERY);
    if query {
        names.push(QUERY.to_owned());
    }
    let kept = kept_columns(path, &names, options)?;
    let mut columns: Vec<Vec<f64>> = kept[..width]
        .iter()
        .map(|kept| {
            if *kept {
                vec![0.0; found.n_rows]
            } else {
                Vec::new()
            }
        })
        .collect();
    for (row, index, value) in found.entries {
        if let Some(cell) = columns[index - span.low].get_mut(row) {
            *cell = value;
        }
    }
    let mut table = RawTable {
        n_rows: found.n_rows,
        ..RawTable::of(path, options, Place::Line)
    };
    table
        .remarks
        .push(format!("`c1` is the feature of index {}", span.low));
    if !query && found.queries.rows().any(|query| query.is_some()) {
        table
            .remarks
            .push(format!("`{QUERY}` is left out: it is no feature"));
    }
    let numbers = columns.into_iter().map(RawValues::Numbers);
    let texts = [found.labels, found.queries].map(RawValues::Untyped);
    for ((name, kept), values) in names.into_iter().zip(kept).zip(numbers.chain(texts)) {
        if kept {
            table.columns.push(RawColumn {
                declared: declared(options, &name),
                name,
                values,
                spelt: Vec::new(),
            });
        }
    }
    Ok(table)
}
