//! What a dataset looks like, and what to beware of: the facts behind `data inspect`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use counterweight_core::{
    Cells, Column, ColumnValues, Dataset, Labels, MISSING, ReadOptions, Table,
};

use crate::error::FrameError;
use crate::raw::{Number, number};
use crate::read::{features, read_raw};

/// Classes below this many rows get a warning: the default protocol has 5 folds, and each fold
/// should test on at least two rows of every class.
const FEW_ROWS: usize = 10;

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

/// By column, the number of different whole numbers, where a real does not tell all apart.
#[derive(Clone, Debug, Default)]
pub struct Wholes(HashMap<String, usize>);

/// Reads a file, with the number of different whole numbers of those columns in which a real does not tell all apart.
///
/// # Errors
/// As [`crate::read_dataset`].
pub fn read_counted(path: &Path, options: &ReadOptions) -> Result<(Dataset, Wholes), FrameError> {
    let raw = read_raw(path, options)?;
    let dataset = features(&raw, options)?;
    let columns = raw.columns.iter().enumerate();
    let wholes = columns.filter_map(|(at, c)| Some((c.name.clone(), raw.distinct_wholes(at)?)));
    Ok((dataset, Wholes(wholes.collect())))
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
        if let Some(&distinct) = exact.0.get(&column.name) {
            let shared = distinct.saturating_sub(summary.distinct);
            summary.rounded = (shared > 0).then_some(summary.distinct);
            summary.distinct = summary.distinct.max(distinct);
        }
        summary
    };
    let summaries: Vec<Summary> = dataset.columns().iter().map(summary).collect();
    let keys = row_keys(dataset);
    let (duplicate_rows, conflicting_rows) = repeated_rows(dataset, &keys);
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
    repeated_rows(dataset, &row_keys(dataset)).0
}

fn is_missing(column: &Column, row: usize) -> bool {
    match &column.values {
        ColumnValues::Numeric(values) => values[row].is_nan(),
        ColumnValues::Nominal { codes, .. } => codes[row] == MISSING,
    }
}

/// For each row its feature values as comparable bytes.
pub(crate) fn row_keys(dataset: &Dataset) -> Vec<Vec<u8>> {
    /// Rows whose keys are written together, so that they are near while all columns pass.
    const BLOCK: usize = 1024;
    let width = |column: &Column| match &column.values {
        ColumnValues::Numeric(_) => 8,
        ColumnValues::Nominal { .. } => 4,
    };
    let width = dataset.columns().iter().map(width).sum();
    let mut keys: Vec<Vec<u8>> = Vec::with_capacity(dataset.n_rows());
    keys.resize_with(dataset.n_rows(), || Vec::with_capacity(width));
    for (block, keys) in keys.chunks_mut(BLOCK).enumerate() {
        for column in dataset.columns() {
            match &column.values {
                ColumnValues::Numeric(values) => {
                    for (key, value) in keys.iter_mut().zip(&values[block * BLOCK..]) {
                        // One pattern for every NaN, one for both zeros.
                        let value = if value.is_nan() {
                            f64::NAN
                        } else {
                            value + 0.0
                        };
                        key.extend_from_slice(&value.to_bits().to_le_bytes());
                    }
                }
                ColumnValues::Nominal { codes, .. } => {
                    for (key, code) in keys.iter_mut().zip(&codes[block * BLOCK..]) {
                        key.extend_from_slice(&code.to_le_bytes());
                    }
                }
            }
        }
    }
    keys
}

/// Rows that equal an earlier one, label included, and rows whose features are those of a row of another class.
fn repeated_rows(dataset: &Dataset, keys: &[Vec<u8>]) -> (usize, usize) {
    let ids = dataset.labels().ids();
    // The label of a key's rows, or None when they disagree. Looked up only, never walked.
    let mut labels: HashMap<&[u8], Option<u32>> = HashMap::with_capacity(keys.len());
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
        return (keys.len() - labels.len(), 0);
    }
    let pairs = keys.iter().map(Vec::as_slice).zip(ids.iter().copied());
    let distinct: HashSet<(&[u8], u32)> = pairs.collect();
    let conflicting = keys.iter().filter(|key| labels[key.as_slice()].is_none());
    (keys.len() - distinct.len(), conflicting.count())
}

/// Facts of one column.
#[derive(Clone, Debug, Default)]
struct Summary {
    kind: &'static str,
    distinct: usize,
    missing: usize,
    range: Option<(f64, f64, f64)>,
    most_frequent: Option<(String, usize)>,
    /// How many different reals its whole numbers are, where those are fewer.
    rounded: Option<usize>,
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
    table(columns.into_iter().chain(groups).collect())
}

/// How many groups hold rows of each class, where rows have groups.
fn groups_of_classes(dataset: &Dataset) -> Option<Vec<usize>> {
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

fn warnings(dataset: &Dataset, summaries: &[Summary], description: &Description) -> Vec<String> {
    let mut found = Vec::new();
    let labels = dataset.labels();
    let counts = labels.counts();
    let rows = dataset.n_rows();

    let small: Vec<String> = labels
        .names()
        .iter()
        .zip(counts.as_slice())
        .filter(|(_, n)| **n < FEW_ROWS)
        .map(|(name, n)| format!("`{name}` ({n})"))
        .collect();
    if !small.is_empty() {
        found.push(format!(
            "classes with fewer than {FEW_ROWS} rows: {}; `small_class` decides what folds do with \
             them",
            small.join(", ")
        ));
    }
    let lone: Vec<String> = labels
        .names()
        .iter()
        .zip(groups_of_classes(dataset).unwrap_or_default())
        .filter(|(_, groups)| *groups == 1)
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    if !lone.is_empty() {
        found.push(format!(
            "classes with all rows in one group: {}; no split can both train and test on them",
            lone.join(", ")
        ));
    }
    if labels.n_classes() > 2 && labels.n_classes() * 5 > rows {
        found.push(format!(
            "{} classes for {rows} rows: is the target a number to regress on, or an identifier?",
            labels.n_classes()
        ));
    }
    found.extend(class_warnings(labels));
    if !description.constant_columns.is_empty() {
        found.push(format!(
            "constant columns: {}",
            quoted(&description.constant_columns)
        ));
    }
    if description.duplicate_rows > 0 {
        found.push(format!(
            "{} of {rows} rows repeat an earlier row; duplicates = \"group\" keeps them on one side \
             of a split",
            description.duplicate_rows
        ));
    }
    if description.conflicting_rows > 0 {
        found.push(format!(
            "{} rows share their features with a row of another class: no model can be right on all",
            description.conflicting_rows
        ));
    }
    for (column, summary) in dataset.columns().iter().zip(summaries) {
        column_warnings(dataset, column, summary, &mut found);
    }
    found
}

/// Classes whose names are most likely meant as one, a sentence each: those that differ by letter case or
/// blanks only, and those that are one number (`0` and `0.0`).
pub fn class_warnings(labels: &Labels) -> Vec<String> {
    let mut spellings: BTreeMap<(bool, String), Vec<&str>> = BTreeMap::new();
    for name in labels.names().iter() {
        let bare = name.trim();
        let key = match (bare.parse::<i128>(), number(bare)) {
            // Beyond 2^53 whole numbers have one real in common.
            (Ok(whole), _) => (true, whole.to_string()),
            (_, Number::Finite(real)) => (true, (real + 0.0).to_string()),
            _ => (false, bare.to_lowercase()),
        };
        spellings.entry(key).or_default().push(name);
    }
    let alike = spellings.iter().filter(|(_, alike)| alike.len() > 1);
    alike
        .map(|((is_number, _), alike)| {
            let alike: Vec<String> = alike.iter().map(|name| format!("`{name}`")).collect();
            let what = if *is_number {
                "are the same number in other spellings"
            } else {
                "differ only by letter case or blanks"
            };
            format!("classes that {what}: {}", alike.join(", "))
        })
        .collect()
}

fn quoted(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn column_warnings(dataset: &Dataset, column: &Column, summary: &Summary, found: &mut Vec<String>) {
    let rows = dataset.n_rows();
    let present = rows - summary.missing;
    let name = &column.name;
    if present == 0 {
        found.push(format!("column `{name}` has no value"));
        return;
    }
    if let Some(reals) = summary.rounded {
        found.push(format!(
            "column `{name}` has {} different whole numbers, beyond 2^53 so near that models see {reals}; if they are names, list it in `nominal`",
            summary.distinct
        ));
    }
    match &column.values {
        ColumnValues::Numeric(values) => {
            let whole = values
                .iter()
                .all(|value| value.is_nan() || value.fract() == 0.0);
            let counting = values
                .windows(2)
                .all(|pair| (pair[1] - pair[0] - 1.0).abs() < 0.5)
                && whole;
            if rows > 2 && counting {
                found.push(format!("column `{name}` counts the rows; ignore it"));
            } else if whole && present > 50 && summary.distinct == present {
                found.push(format!(
                    "column `{name}` has a whole number of its own in each of {present} rows: an identifier?"
                ));
            }
            if summary.distinct * 5 > rows {
                return;
            }
            let mut codes = HashMap::new();
            let of = |value: &f64| {
                let next = u32::try_from(codes.len()).expect("fewer rows than 2^32");
                *codes.entry((value + 0.0).to_bits()).or_insert(next)
            };
            let codes: Vec<u32> = values.iter().map(of).collect();
            if gives_away(dataset, &codes) {
                found.push(gives_away_text(name));
            }
        }
        ColumnValues::Nominal { codes, levels } => {
            let odd: Vec<&str> = levels
                .iter()
                .map(String::as_str)
                .filter(|level| number(level) == Number::None)
                .collect();
            let numbers = levels.len() - odd.len();
            if !odd.is_empty() && odd.len() <= 3 && numbers >= 10 {
                found.push(format!(
                    "column `{name}` is nominal only because of {}; if that means missing, list it \
                     in `missing`",
                    odd.iter()
                        .map(|text| format!("`{text}`"))
                        .collect::<Vec<_>>()
                        .join(", ")
                ));
            } else if let Some(what) = numbers_in_other_words(levels) {
                found.push(format!(
                    "column `{name}` is nominal, but its texts are numbers with {what}: `{}`",
                    levels
                        .iter()
                        .find(|level| level.contains(|c: char| c.is_ascii_digit()))
                        .unwrap_or(&levels[0])
                ));
            } else if summary.distinct > 20 && summary.distinct * 2 > present {
                found.push(format!(
                    "column `{name}` has {} levels in {present} rows: an identifier?",
                    summary.distinct
                ));
            }
            if gives_away(dataset, codes) {
                found.push(gives_away_text(name));
            }
        }
    }
}

fn gives_away_text(name: &str) -> String {
    format!("column `{name}` determines the class of every row: was it known before the label?")
}

/// A text without what stands around its number.
type Bare = fn(&str) -> String;

/// What stands around the numbers of a column of which at least half of the levels are numbers but for that.
fn numbers_in_other_words(levels: &[String]) -> Option<&'static str> {
    let digits = |text: &str| text.bytes().any(|byte| byte.is_ascii_digit());
    let reads = |text: &str| number(text) != Number::None;
    let signs: [(&str, Bare); 3] = [
        ("a percent sign", |text| {
            text.trim().trim_end_matches('%').to_owned()
        }),
        ("a currency sign", |text| {
            let money = |c: char| "$€£¥".contains(c);
            text.trim().trim_matches(money).replace(',', "")
        }),
        ("a decimal comma", |text| text.trim().replacen(',', ".", 1)),
    ];
    let half = |bare: &Bare| {
        let odd = levels.iter().filter(|level| digits(level) && !reads(level));
        2 * odd.filter(|level| reads(&bare(level))).count() >= levels.len().max(1)
    };
    let found = signs
        .iter()
        .find(|(_, bare)| half(bare))
        .map(|(what, _)| *what);
    let unit = |level: &&String| {
        let end = level
            .trim_end_matches(|c: char| c.is_alphabetic())
            .trim_end();
        digits(end) && !reads(level) && reads(end)
    };
    found.or_else(|| {
        (2 * levels.iter().filter(unit).count() >= levels.len().max(1) && levels.len() > 5)
            .then_some("a unit")
    })
}

/// Rows of `dataset` from `n_train` on that equal one before it, label included.
pub fn repeated_across(dataset: &Dataset, n_train: usize) -> usize {
    let keys = row_keys(dataset);
    let row = |at: usize| (keys[at].as_slice(), dataset.labels().ids()[at]);
    let known: HashSet<_> = (0..n_train).map(row).collect();
    (n_train..dataset.n_rows())
        .filter(|&at| known.contains(&row(at)))
        .count()
}

/// Whether every level of a column with few levels belongs to a single class.
fn gives_away(dataset: &Dataset, codes: &[u32]) -> bool {
    let pairs: BTreeSet<(u32, u32)> = codes
        .iter()
        .copied()
        .zip(dataset.labels().ids().iter().copied())
        .collect();
    let levels: BTreeSet<u32> = codes.iter().copied().collect();
    levels.len() > 1 && pairs.len() == levels.len() && levels.len() * 5 <= codes.len()
}
