//! Which rows someone else has trained and tested on: a column of folds, or a file of splits as OpenML keeps them.

use std::collections::BTreeMap;
use std::path::Path;

use counterweight_core::{GivenSplit, MISSING, Partition, ReadOptions};

use crate::error::{FrameError, Place};
use crate::raw::{Number, RawTable, RawValues, Texts, number};
use crate::read::read_raw;

/// Most folds, and most repeats.
const MOST: usize = 1000;

/// Most rows of all folds together.
const MOST_ROWS: usize = 200_000_000;

/// What is wrong with the division of rows, and what to try.
pub(crate) fn split_error(path: &Path, reason: impl Into<String>, hint: &str) -> FrameError {
    FrameError::Split {
        path: path.to_owned(),
        place: None,
        reason: reason.into(),
        hint: hint.to_owned(),
    }
}

/// The same error at a place.
fn at(place: Option<Place>, error: FrameError) -> FrameError {
    match error {
        FrameError::Split {
            path, reason, hint, ..
        } => FrameError::Split {
            path,
            place,
            reason,
            hint,
        },
        other => other,
    }
}

/// The texts of a column, whatever it holds.
struct Cells(Texts, fn(u64) -> Place);

impl Cells {
    fn of(raw: &RawTable, name: &str) -> Option<Self> {
        let at = raw.position(name)?;
        let texts = match &raw.columns[at].values {
            RawValues::Untyped(texts) | RawValues::Names(texts) => texts.clone(),
            RawValues::Numbers(_) | RawValues::Wholes(_) => raw.number_names(at),
        };
        Some(Self(texts, raw.place))
    }

    /// The cell of a row, without blanks around it.
    fn get(&self, row: usize) -> &str {
        let text = self.0.codes.get(row).filter(|&&code| code != MISSING);
        text.map_or("", |&code| self.0.text(code as usize).trim())
    }

    /// Where the text of a row was first seen.
    fn place(&self, row: usize) -> Option<Place> {
        let place = match self.0.codes.get(row) {
            Some(&MISSING) | None => self.0.first_missing,
            Some(&code) => self.0.first.get(code as usize).copied(),
        };
        place.map(self.1)
    }
}

/// The folds of a column: in the order of their numbers, or else of their names.
pub(crate) fn of_column(raw: &RawTable, name: &str) -> Result<Vec<GivenSplit>, FrameError> {
    let error = |reason: String, hint: &str| split_error(&raw.path, reason, hint);
    let cells = Cells::of(raw, name);
    let column = "name a column of the file that says the fold of each row";
    let cells = cells.ok_or_else(|| error(format!("no fold column `{name}`"), column))?;
    // 1, 01 and 1.0 are one fold.
    let number_of = |text: &str| match number(text) {
        Number::Finite(value) => Some(value + 0.0),
        Number::NotFinite | Number::None => None,
    };
    let mut folds: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for row in 0..raw.n_rows {
        let text = cells.get(row);
        if text.is_empty() {
            let reason = format!("missing value in the fold column `{name}`");
            let hint = "give each row a fold, or drop those without one";
            return Err(at(cells.place(row), error(reason, hint)));
        }
        let fold = number_of(text).map_or_else(|| text.to_owned(), |value| value.to_string());
        folds.entry(fold).or_default().push(row);
    }
    if folds.len() > MOST || folds.len() * raw.n_rows > MOST_ROWS {
        let reason = format!(
            "column `{name}` has {} folds of {} rows: at most {MOST} are taken, and {MOST_ROWS} rows together",
            folds.len(),
            raw.n_rows
        );
        return Err(error(reason, column));
    }
    if folds.len() < 2 {
        let reason = format!("column `{name}` has one fold only, and the others train");
        return Err(error(reason, column));
    }
    let mut folds: Vec<_> = folds.into_iter().collect();
    let place = |text: &str| number_of(text).unwrap_or(f64::INFINITY);
    folds.sort_by(|(a, _), (b, _)| place(a).total_cmp(&place(b)).then_with(|| a.cmp(b)));
    let mut given = Vec::new();
    for (fold, (_, test)) in folds.into_iter().enumerate() {
        let mut train = vec![true; raw.n_rows];
        for &row in &test {
            train[row] = false;
        }
        let train = (0..raw.n_rows).filter(|&row| train[row]).collect();
        given.push(split(&raw.path, raw.n_rows, (0, fold), train, test)?);
    }
    Ok(given)
}

fn split(
    path: &Path,
    n: usize,
    (repeat, fold): (usize, usize),
    train: Vec<usize>,
    test: Vec<usize>,
) -> Result<GivenSplit, FrameError> {
    let of = format!("repeat {repeat}, fold {fold}");
    for (what, rows) in [("training", &train), ("test", &test)] {
        if rows.is_empty() {
            let hint = "a split needs rows of both kinds: give it some, or take all its rows out";
            return Err(split_error(path, format!("{of} has no {what} rows"), hint));
        }
    }
    let rows = Partition::new(n, train, test);
    let rows = rows.map_err(|error| {
        let hint = "give a row to one side of a split only, and once";
        split_error(path, format!("{of}: {error}"), hint)
    })?;
    Ok(GivenSplit { repeat, fold, rows })
}

/// Reads a file of splits of `n` rows: the columns `type` (TRAIN or TEST), `rowid`, `repeat` and `fold`, all
/// numbers from 0, in any format of a data file. `repeat` and `fold` may be absent.
///
/// # Errors
/// [`FrameError::Split`] for what no split can be: a row that is not there, one that stands in both parts or twice,
/// an empty part, a number that is left out.
pub fn read_splits(path: &Path, n: usize) -> Result<Vec<GivenSplit>, FrameError> {
    const COLUMNS: &str = "a file of splits has the columns type, rowid, repeat and fold";
    let error = |reason: String, hint: &str| split_error(path, reason, hint);
    let raw = read_raw(path, &ReadOptions::target("type")).map_err(|found| match found {
        FrameError::NoColumn { .. } => error("there is no column `type`".into(), COLUMNS),
        found => found,
    })?;
    let column = |name: &str| Cells::of(&raw, name);
    let missing = |name: &str| error(format!("there is no column `{name}`"), COLUMNS);
    let kinds = column("type").ok_or_else(|| missing("type"))?;
    let rows = column("rowid").ok_or_else(|| missing("rowid"))?;
    let (repeats, folds) = (column("repeat"), column("fold"));
    let mut given: BTreeMap<(usize, usize), [Vec<usize>; 2]> = BTreeMap::new();
    for entry in 0..raw.n_rows {
        let whole = |name: &str, cells: &Cells, below: usize, advice: &str| {
            let text = cells.get(entry);
            let value = text
                .strip_suffix(".0")
                .unwrap_or(text)
                .parse::<usize>()
                .ok();
            value.filter(|value| *value < below).ok_or_else(|| {
                let reason = format!("{name} `{text}` is no whole number from 0 to {}", below - 1);
                at(cells.place(entry), error(reason, advice))
            })
        };
        let number = |name: &str, cells: &Option<Cells>| match cells {
            Some(cells) => whole(name, cells, MOST, "count repeats and folds from 0"),
            None => Ok(0),
        };
        let key = (number("repeat", &repeats)?, number("fold", &folds)?);
        let beyond =
            "count rows from 0; the header is none, and the splits have to be of this very file";
        let row = whole("rowid", &rows, n, beyond)?;
        let kind = kinds.get(entry);
        let part = match kind.to_ascii_uppercase().as_str() {
            "TRAIN" => 0,
            "TEST" => 1,
            _ => {
                let reason = format!("type `{kind}` is neither TRAIN nor TEST");
                return Err(at(kinds.place(entry), error(reason, "write TRAIN or TEST")));
            }
        };
        given.entry(key).or_default()[part].push(row);
    }
    let mut expected = (0, 0);
    let mut splits = Vec::new();
    for (key, [train, test]) in given {
        if key != expected && key != (expected.0 + 1, 0) {
            let reason = format!("repeat {}, fold {} is left out", expected.0, expected.1);
            return Err(error(
                reason,
                "count repeats and folds from 0, and leave none out",
            ));
        }
        expected = (key.0, key.1 + 1);
        splits.push(split(path, n, key, train, test)?);
    }
    Ok(splits)
}
