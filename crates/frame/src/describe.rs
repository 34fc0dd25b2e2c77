//! What a dataset looks like, and what to beware of: the facts behind `data inspect`.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use counterweight_core::{Cells, Column, ColumnValues, Dataset, MISSING, ReadOptions, Table};

use crate::error::FrameError;
use crate::read::{features, read_raw};
use crate::warnings::warnings;

/// A summary of a dataset.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// Rows.
    pub rows: usize,
    /// Numeric feature columns.
    pub numeric: usize,
    /// Nominal feature columns.
    pub nominal: usize,
    /// Missing cells among the features.
    pub missing_cells: usize,
    /// Rows with at least one missing cell.
    pub rows_with_missing: usize,
    /// Largest over smallest class count.
    pub imbalance_ratio: Option<f64>,
    /// Rows that equal an earlier row, label included.
    pub duplicate_rows: usize,
    /// Rows whose features equal those of a row of another class.
    pub conflicting_rows: usize,
    /// Columns with fewer than two distinct values.
    pub constant_columns: Vec<String>,
    /// One row a feature: `column`, `kind`, `distinct`, `missing`, `min`, `max`, `mean` (numeric),
    /// `most_frequent`, `most_frequent_rows` (nominal).
    pub columns: Table,
    /// One row a class, in class order: `class`, `rows`, `share`, `ratio` (largest class over this), and `groups`
    /// where rows have groups: how many hold rows of it.
    pub classes: Table,
    /// What to beware of, one sentence each.
    pub warnings: Vec<String>,
}

/// By column, its whole numbers, where a real does not tell all apart.
#[derive(Clone, Debug, Default)]
pub struct Wholes(HashMap<String, Vec<Option<i128>>>);

/// Reads a file, with the whole numbers of those columns in which a real does not tell all apart.
///
/// # Errors
/// As [`crate::read_dataset`].
pub fn read_counted(path: &Path, options: &ReadOptions) -> Result<(Dataset, Wholes), FrameError> {
    let raw = read_raw(path, options)?;
    let columns = raw.columns.iter().enumerate();
    let wholes = columns.filter_map(|(at, c)| Some((c.name.clone(), raw.large_wholes(at)?)));
    let wholes = Wholes(wholes.collect());
    Ok((features(raw, options)?, wholes))
}

/// Summarises a dataset as [`describe()`] does, with the whole numbers of [`read_counted`], and with what was read
/// otherwise than it stands in the file among the warnings.
pub fn describe_counted(dataset: &Dataset, wholes: &Wholes) -> Description {
    let mut about = describe_with(dataset, wholes);
    about
        .warnings
        .splice(0..0, dataset.remarks().iter().cloned());
    about
}

/// Summarises a dataset. O(cells log rows).
pub fn describe(dataset: &Dataset) -> Description {
    describe_with(dataset, &Wholes::default())
}

/// As [`describe()`], with the number of different values of some columns.
fn describe_with(dataset: &Dataset, exact: &Wholes) -> Description {
    let summary = |column: &Column| {
        let mut summary = Summary::of(column);
        if let Some(wholes) = exact.0.get(&column.name) {
            let distinct = wholes.iter().flatten().collect::<HashSet<_>>().len();
            let shared = distinct.saturating_sub(summary.distinct);
            summary.rounded = (shared > 0).then_some(summary.distinct);
            summary.distinct = summary.distinct.max(distinct);
        }
        summary
    };
    let summaries: Vec<Summary> = dataset.columns().iter().map(summary).collect();
    let keys = Keys::told_apart(dataset, exact);
    let (duplicate_rows, conflicting_rows) = repeated_rows(dataset, &keys);
    drop(keys);
    let constant_columns: Vec<String> = dataset
        .columns()
        .iter()
        .zip(&summaries)
        .filter(|(_, summary)| summary.distinct < 2)
        .map(|(column, _)| column.name.clone())
        .collect();
    let mut description = Description {
        rows: dataset.n_rows(),
        numeric: summaries
            .iter()
            .filter(|summary| summary.kind == "numeric")
            .count(),
        nominal: summaries
            .iter()
            .filter(|summary| summary.kind == "nominal")
            .count(),
        missing_cells: summaries.iter().map(|summary| summary.missing).sum(),
        rows_with_missing: (0..dataset.n_rows())
            .filter(|&row| {
                dataset
                    .columns()
                    .iter()
                    .any(|column| is_missing(column, row))
            })
            .count(),
        imbalance_ratio: dataset.labels().counts().imbalance_ratio(),
        duplicate_rows,
        conflicting_rows,
        constant_columns,
        columns: column_table(dataset, &summaries),
        classes: class_table(dataset),
        warnings: Vec::new(),
    };
    description.warnings = warnings(dataset, &summaries, &description);
    description
}

/// Number of rows that equal an earlier row, label included; a missing value equals a missing one.
pub(crate) fn duplicate_rows(dataset: &Dataset) -> usize {
    repeated_rows(dataset, &Keys::of(dataset)).0
}

fn is_missing(column: &Column, row: usize) -> bool {
    match &column.values {
        ColumnValues::Numeric(values) => values[row].is_nan(),
        ColumnValues::Nominal { codes, .. } => codes[row] == MISSING,
    }
}

/// For each row its feature values as comparable bytes, all in one piece: of millions of rows, a piece each would stay with the
/// process.
pub(crate) struct Keys {
    bytes: Vec<u8>,
    width: usize,
    n_rows: usize,
}

impl Keys {
    /// Of the rows as models see them.
    pub(crate) fn of(dataset: &Dataset) -> Self {
        Self::told_apart(dataset, &Wholes::default())
    }

    /// Rows that are one to a model are none in the file where their whole numbers differ.
    fn told_apart(dataset: &Dataset, exact: &Wholes) -> Self {
        /// Rows whose keys are written together, so that they are near while all columns pass.
        const BLOCK: usize = 1024;
        let width = |column: &Column| {
            let own = match &column.values {
                ColumnValues::Numeric(_) => 8,
                ColumnValues::Nominal { .. } => 4,
            };
            let more = exact.0.get(&column.name).map_or(0, |_| size_of::<i128>());
            own + more
        };
        let widths: Vec<usize> = dataset.columns().iter().map(width).collect();
        let (n_rows, width) = (dataset.n_rows(), widths.iter().sum::<usize>());
        let mut bytes = vec![0; n_rows * width];
        for (block, keys) in bytes.chunks_mut(BLOCK * width.max(1)).enumerate() {
            let mut at = 0;
            for (column, own) in dataset.columns().iter().zip(&widths) {
                let wholes = exact.0.get(&column.name);
                for (row, key) in (block * BLOCK..).zip(keys.chunks_exact_mut(width)) {
                    let key = &mut key[at..at + own];
                    match &column.values {
                        // One pattern for every NaN, one for both zeros.
                        ColumnValues::Numeric(values) => {
                            let value = values[row];
                            let value = if value.is_nan() {
                                f64::NAN
                            } else {
                                value + 0.0
                            };
                            key[..8].copy_from_slice(&value.to_bits().to_le_bytes());
                        }
                        ColumnValues::Nominal { codes, .. } => {
                            key[..4].copy_from_slice(&codes[row].to_le_bytes());
                        }
                    }
                    if let Some(wholes) = wholes {
                        let whole = wholes[row].unwrap_or_default().to_le_bytes();
                        key[own - whole.len()..].copy_from_slice(&whole);
                    }
                }
                at += own;
            }
        }
        Self {
            bytes,
            width,
            n_rows,
        }
    }

    pub(crate) fn get(&self, row: usize) -> &[u8] {
        &self.bytes[row * self.width..(row + 1) * self.width]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.n_rows).map(|row| self.get(row))
    }
}

/// Rows that equal an earlier one, label included, and rows whose features are those of a row of another class.
fn repeated_rows(dataset: &Dataset, keys: &Keys) -> (usize, usize) {
    let ids = dataset.labels().ids();
    // The label of a key's rows, or None when they disagree. Looked up only, never walked.
    let mut labels: HashMap<&[u8], Option<u32>> = HashMap::with_capacity(keys.n_rows);
    let mut agree = true;
    for (key, &label) in keys.iter().zip(ids) {
        let known = labels.entry(key).or_insert(Some(label));
        if *known != Some(label) {
            *known = None;
            agree = false;
        }
    }
    // In most tables each key has one label, and nothing has to be looked up again.
    if agree {
        return (keys.n_rows - labels.len(), 0);
    }
    let pairs = keys.iter().zip(ids.iter().copied());
    let distinct: HashSet<(&[u8], u32)> = pairs.collect();
    let conflicting = keys.iter().filter(|key| labels[key].is_none());
    (keys.n_rows - distinct.len(), conflicting.count())
}

/// Facts of one column.
#[derive(Clone, Debug, Default)]
pub(crate) struct Summary {
    kind: &'static str,
    pub(crate) distinct: usize,
    pub(crate) missing: usize,
    pub(crate) range: Option<(f64, f64, f64)>,
    most_frequent: Option<(String, usize)>,
    /// How many different reals its whole numbers are, where those are fewer.
    pub(crate) rounded: Option<usize>,
}

impl Summary {
    fn of(column: &Column) -> Self {
        let missing = column.values.missing();
        match &column.values {
            ColumnValues::Numeric(values) => {
                let mut present: Vec<f64> = values
                    .iter()
                    .filter(|v| !v.is_nan())
                    .map(|v| v + 0.0)
                    .collect();
                // Means of halves cannot overflow where the sum of all could.
                let n = present.len() as f64;
                let mean: f64 = present.iter().map(|v| v / n).sum();
                present.sort_unstable_by(f64::total_cmp);
                let range = present
                    .first()
                    .zip(present.last())
                    // Rounding may carry a mean of equal values past them.
                    .map(|(&min, &max)| (min, max, mean.clamp(min, max)));
                present.dedup_by(|a, b| a.total_cmp(b).is_eq());
                Self {
                    kind: "numeric",
                    distinct: present.len(),
                    missing,
                    range,
                    most_frequent: None,
                    rounded: None,
                }
            }
            ColumnValues::Nominal { codes, levels } => {
                let mut counts = vec![0_usize; levels.len()];
                for &code in codes {
                    if code != MISSING {
                        counts[code as usize] += 1;
                    }
                }
                // The first of the most frequent: a tie goes to the lowest level.
                let top = counts
                    .iter()
                    .copied()
                    .max()
                    .filter(|&n| n > 0)
                    .and_then(|n| {
                        let at = counts.iter().position(|&count| count == n)?;
                        Some((levels[at].clone(), n))
                    });
                Self {
                    kind: "nominal",
                    distinct: counts.iter().filter(|&&n| n > 0).count(),
                    missing,
                    range: None,
                    most_frequent: top,
                    rounded: None,
                }
            }
        }
    }
}

fn whole(n: usize) -> Option<i64> {
    i64::try_from(n).ok()
}

fn table(columns: Vec<(&str, Cells)>) -> Table {
    columns
        .into_iter()
        .fold(Table::new(), |table, (name, cells)| {
            table
                .with(name, cells)
                .expect("distinct names, equal lengths, finite numbers")
        })
}

fn column_table(dataset: &Dataset, summaries: &[Summary]) -> Table {
    let real = |pick: fn((f64, f64, f64)) -> f64| {
        Cells::Real(summaries.iter().map(|s| s.range.map(pick)).collect())
    };
    let names = dataset
        .columns()
        .iter()
        .map(|column| Some(column.name.clone()))
        .collect();
    table(vec![
        ("column", Cells::Text(names)),
        (
            "kind",
            Cells::Text(summaries.iter().map(|s| Some(s.kind.to_owned())).collect()),
        ),
        (
            "distinct",
            Cells::Whole(summaries.iter().map(|s| whole(s.distinct)).collect()),
        ),
        (
            "missing",
            Cells::Whole(summaries.iter().map(|s| whole(s.missing)).collect()),
        ),
        ("min", real(|range| range.0)),
        ("max", real(|range| range.1)),
        ("mean", real(|range| range.2)),
        (
            "most_frequent",
            Cells::Text(
                summaries
                    .iter()
                    .map(|s| s.most_frequent.as_ref().map(|(level, _)| level.clone()))
                    .collect(),
            ),
        ),
        (
            "most_frequent_rows",
            Cells::Whole(
                summaries
                    .iter()
                    .map(|s| s.most_frequent.as_ref().and_then(|(_, n)| whole(*n)))
                    .collect(),
            ),
        ),
    ])
}

fn class_table(dataset: &Dataset) -> Table {
    let labels = dataset.labels();
    let counts = labels.counts();
    let (total, largest) = (counts.total() as f64, counts.largest() as f64);
    let counts = counts.as_slice();
    let groups = groups_of_classes(dataset).map(|groups| {
        let cells = groups.into_iter().map(whole).collect();
        ("groups", Cells::Whole(cells))
    });
    let columns = vec![
        (
            "class",
            Cells::Text(labels.names().iter().cloned().map(Some).collect()),
        ),
        (
            "rows",
            Cells::Whole(counts.iter().map(|&n| whole(n)).collect()),
        ),
        (
            "share",
            Cells::Real(
                counts
                    .iter()
                    .map(|&n| (total > 0.0).then(|| n as f64 / total))
                    .collect(),
            ),
        ),
        (
            "ratio",
            Cells::Real(
                counts
                    .iter()
                    .map(|&n| (n > 0).then(|| largest / n as f64))
                    .collect(),
            ),
        ),
    ];
    let weights = labels.is_weighted().then(|| {
        let shares = labels.counts().prior();
        let shares = shares.map_or_else(Vec::new, |prior| prior.as_slice().to_vec());
        let shares = shares.into_iter().map(Some).collect();
        ("weighted_share", Cells::Real(shares))
    });
    table(columns.into_iter().chain(groups).chain(weights).collect())
}

/// How many groups hold rows of each class, where rows have groups.
pub(crate) fn groups_of_classes(dataset: &Dataset) -> Option<Vec<usize>> {
    let labels = dataset.labels();
    let pairs: BTreeSet<(u32, u32)> = labels
        .ids()
        .iter()
        .copied()
        .zip(dataset.groups()?.iter().copied())
        .collect();
    let mut groups = vec![0; labels.n_classes()];
    for (class, _) in pairs {
        groups[class as usize] += 1;
    }
    Some(groups)
}

/// Rows of `dataset` from `n_train` on that equal one before it, label included.
pub fn repeated_across(dataset: &Dataset, n_train: usize) -> usize {
    let keys = Keys::of(dataset);
    let row = |at: usize| (keys.get(at), dataset.labels().ids()[at]);
    let known: HashSet<_> = (0..n_train).map(row).collect();
    (n_train..dataset.n_rows())
        .filter(|&at| known.contains(&row(at)))
        .count()
}
