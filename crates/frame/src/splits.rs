//! Which rows someone else has trained and tested on: a column of folds, or a file of splits as OpenML keeps them.

use std::collections::BTreeMap;
use std::path::Path;

use counterweight_core::{GivenSplit, Partition, ReadOptions};

use crate::error::FrameError;
use crate::raw::{Number, RawTable, RawValues, number};
use crate::read::read_raw;

/// Most folds, and most repeats.
const MOST: usize = 1000;

/// Most rows of all folds together.
const MOST_ROWS: usize = 200_000_000;

fn split_error(path: &Path, reason: String) -> FrameError {
    FrameError::Split {
        path: path.to_owned(),
        reason,
    }
}

/// The texts of a column, whatever it holds.
fn texts(raw: &RawTable, name: &str) -> Option<Vec<Option<String>>> {
    let at = raw.position(name)?;
    let texts = match &raw.columns[at].values {
        RawValues::Untyped(texts) | RawValues::Names(texts) => texts.clone(),
        RawValues::Numbers(_) | RawValues::Wholes(_) => raw.number_names(at),
    };
    Some(
        texts
            .rows()
            .map(|text| text.map(|text| text.trim().to_owned()))
            .collect(),
    )
}

/// The folds of a column: in the order of their numbers, or else of their names.
pub(crate) fn of_column(raw: &RawTable, name: &str) -> Result<Vec<GivenSplit>, FrameError> {
    let error = |reason| split_error(&raw.path, reason);
    let cells = texts(raw, name).ok_or_else(|| error(format!("no fold column `{name}`")))?;
    let mut folds: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (row, fold) in cells.iter().enumerate() {
        let Some(fold) = fold else {
            return Err(error(format!(
                "row {row} (from 0) has no fold in column `{name}`"
            )));
        };
        folds.entry(fold).or_default().push(row);
    }
    if folds.len() > MOST || folds.len() * raw.n_rows > MOST_ROWS {
        let reason = format!(
            "column `{name}` has {} folds of {} rows",
            folds.len(),
            raw.n_rows
        );
        return Err(error(format!(
            "{reason}: at most {MOST} are taken, and {MOST_ROWS} rows together"
        )));
    }
    if folds.len() < 2 {
        return Err(error(format!(
            "column `{name}` has one fold only, and the others train"
        )));
    }
    let mut folds: Vec<_> = folds.into_iter().collect();
    let place = |text: &str| match number(text) {
        Number::Finite(value) => value,
        Number::NotFinite | Number::None => f64::INFINITY,
    };
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
            return Err(split_error(path, format!("{of} has no {what} rows")));
        }
    }
    let rows = Partition::new(n, train, test);
    let rows = rows.map_err(|error| split_error(path, format!("{of}: {error}")))?;
    Ok(GivenSplit { repeat, fold, rows })
}

/// Reads a file of splits of `n` rows: the columns `type` (TRAIN or TEST), `rowid`, `repeat` and `fold`, all
/// numbers from 0, in any format of a data file. `repeat` and `fold` may be absent.
///
/// # Errors
/// [`FrameError::Split`] for what no split can be: a row that is not there, one that stands in both parts or twice,
/// an empty part, a number that is left out.
pub fn read_splits(path: &Path, n: usize) -> Result<Vec<GivenSplit>, FrameError> {
    let raw = read_raw(path, &ReadOptions::target("type"))?;
    let error = |reason: String| split_error(path, reason);
    let column = |name: &str| texts(&raw, name);
    let missing = |name: &str| {
        error(format!(
            "there is no column `{name}`: a file of splits has type, rowid, repeat and fold"
        ))
    };
    let kinds = column("type").ok_or_else(|| missing("type"))?;
    let rows = column("rowid").ok_or_else(|| missing("rowid"))?;
    let zeros = || vec![Some("0".to_owned()); raw.n_rows];
    let repeats = column("repeat").unwrap_or_else(zeros);
    let folds = column("fold").unwrap_or_else(zeros);
    let mut given: BTreeMap<(usize, usize), [Vec<usize>; 2]> = BTreeMap::new();
    for at in 0..raw.n_rows {
        let whole = |name: &str, cells: &[Option<String>], below: usize| {
            let text = cells[at].as_deref().unwrap_or_default();
            let value = text
                .strip_suffix(".0")
                .unwrap_or(text)
                .parse::<usize>()
                .ok();
            value.filter(|value| *value < below).ok_or_else(|| {
                error(format!(
                    "entry {at} (from 0): {name} `{text}` is no whole number from 0 to {}",
                    below - 1
                ))
            })
        };
        let key = (
            whole("repeat", &repeats, MOST)?,
            whole("fold", &folds, MOST)?,
        );
        let row = whole("rowid", &rows, n)?;
        let kind = kinds[at].as_deref().unwrap_or_default();
        let part = match kind.to_ascii_uppercase().as_str() {
            "TRAIN" => 0,
            "TEST" => 1,
            _ => {
                return Err(error(format!(
                    "entry {at} (from 0): type `{kind}` is neither TRAIN nor TEST"
                )));
            }
        };
        given.entry(key).or_default()[part].push(row);
    }
    let mut expected = (0, 0);
    let mut splits = Vec::new();
    for (key, [train, test]) in given {
        if key != expected && key != (expected.0 + 1, 0) {
            return Err(error(format!(
                "repeat {}, fold {} is left out",
                expected.0, expected.1
            )));
        }
        expected = (key.0, key.1 + 1);
        splits.push(split(path, n, key, train, test)?);
    }
    Ok(splits)
}
