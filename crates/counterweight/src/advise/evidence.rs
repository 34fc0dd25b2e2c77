//! What the reference sweep says of arms on tables like this one.
//!
//! The balanced error of every arm on every real table of reports/reference, a mean over its folds, travels with the
//! program as `evidence.csv`. `cargo run --release -p counterweight --features sweep --example advice` writes it from the records.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use counterweight_core::Record;

/// The table that travels with the program.
const TABLE: &str = include_str!("evidence.csv");

/// Columns before those of the arms.
const KEYS: [&str; 4] = ["table", "classes", "rows", "minority"];

/// Deviation of an arm's error from table to table where the evidence knows none, and the least one that is believed.
const LEAST_SPREAD: f64 = 0.005;

/// What makes tables alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Classes.
    pub classes: usize,
    /// Rows.
    pub rows: usize,
    /// Rows of the smallest class.
    pub minority: usize,
}

impl Shape {
    /// How much a table of this shape says of one of the other: 1 for the same shape, exp(-1/2) for a factor e in rows,
    /// in minority rows or in the minority's share, and the same for two classes against more.
    fn likeness(self, other: Self) -> f64 {
        let log = |a: usize, b: usize| (a.max(1) as f64 / b.max(1) as f64).ln();
        let rows = log(self.rows, other.rows);
        let minority = log(self.minority, other.minority);
        let binary = f64::from((self.classes == 2) != (other.classes == 2));
        let apart = rows.powi(2) + minority.powi(2) + (minority - rows).powi(2) + 2.0 * binary;
        (-apart / 6.0).exp()
    }
}

/// An arm by kind of model and id of correction.
pub type ArmName = (String, String);

/// Errors of each arm, added up, and how many.
type Sums = BTreeMap<ArmName, (f64, f64)>;

/// Errors of arms on tables.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// The arms, in the order of the columns.
    pub arms: Vec<ArmName>,
    /// Each table with its shape and an error an arm; none where an arm does not apply.
    pub tables: Vec<(String, Shape, Vec<Option<f64>>)>,
}

/// What is expected of an arm: its error less the mean of all arms of the same table, and the deviation of that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected {
    /// The mean over tables, like ones counting more.
    pub mean: f64,
    /// The deviation from table to table.
    pub spread: f64,
    /// Standard error of the mean.
    pub error: f64,
}

impl Evidence {
    /// The evidence that travels with the program.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn carried() -> Self {
        let mut lines = TABLE.lines().map(|line| line.split(','));
        let arms = lines.next().into_iter().flatten().skip(KEYS.len());
        let arms: Vec<ArmName> = arms
            .filter_map(|arm| arm.split_once('/'))
            .map(|(model, correction)| (model.to_owned(), correction.to_owned()))
            .collect();
        let table = |mut cells: std::str::Split<'_, char>| {
            let name = cells.next()?.to_owned();
            let mut whole = || cells.next()?.parse::<usize>().ok();
            let shape = Shape {
                classes: whole()?,
                rows: whole()?,
                minority: whole()?,
            };
            Some((name, shape, cells.map(|cell| cell.parse().ok()).collect()))
        };
        Self {
            arms,
            tables: lines.filter_map(table).collect(),
        }
    }

    /// The evidence of a sweep's real tables, of the folds that are wanted. Models are told apart by their kind.
    pub fn of(records: &[Record], wanted: impl Fn(&Record) -> bool) -> Self {
        let mut arms: Vec<ArmName> = Vec::new();
        let mut found: BTreeMap<&str, (Shape, Sums)> = BTreeMap::new();
        for record in records.iter().filter(|r| r.source == "real") {
            let kind = record.model.split('[').next().unwrap_or_default();
            let arm = (kind.to_owned(), record.correction.as_str().to_owned());
            if !arms.contains(&arm) {
                arms.push(arm.clone());
            }
            let rows = record.n_train + record.n_test;
            let share = rows as f64 / record.n_train as f64;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a number of rows"
            )]
            let shape = Shape {
                classes: record.n_classes as usize,
                rows: rows as usize,
                minority: (record.minority_count as f64 * share).round() as usize,
            };
            let table = found
                .entry(record.dataset.as_str())
                .or_insert_with(|| (shape, BTreeMap::new()));
            if let Some(error) = record.balanced_error().filter(|_| wanted(record)) {
                let sum = table.1.entry(arm).or_default();
                *sum = (sum.0 + error, sum.1 + 1.0);
            }
        }
        let errors = |sums: &Sums| {
            let mean = |arm| sums.get(arm).map(|(sum, n)| sum / n);
            arms.iter().map(mean).collect()
        };
        let tables = found.iter();
        let tables = tables.map(|(name, (shape, sums))| ((*name).to_owned(), *shape, errors(sums)));
        Self {
            tables: tables.collect(),
            arms,
        }
    }

    /// The table as it travels: errors to a hundredth of a point.
    pub fn csv(&self) -> String {
        let mut text = KEYS.join(",");
        for (model, correction) in &self.arms {
            let _ = write!(text, ",{model}/{correction}");
        }
        text.push('\n');
        for (name, shape, errors) in &self.tables {
            let _ = write!(
                text,
                "{name},{},{},{}",
                shape.classes, shape.rows, shape.minority
            );
            for error in errors {
                text.push(',');
                if let Some(error) = error {
                    let _ = write!(text, "{error:.4}");
                }
            }
            text.push('\n');
        }
        text
    }

    /// The same without some tables.
    #[must_use]
    pub fn without(&self, left_out: impl Fn(&str) -> bool) -> Self {
        let kept = self.tables.iter().filter(|(name, ..)| !left_out(name));
        Self {
            arms: self.arms.clone(),
            tables: kept.cloned().collect(),
        }
    }

    /// What is expected of each arm on a table of this shape; none of an arm that no table has.
    pub fn expected(&self, shape: Shape) -> Vec<Option<Expected>> {
        let of = |arm: usize| {
            let values = self.tables.iter().filter_map(|(_, other, errors)| {
                let known: Vec<f64> = errors.iter().copied().flatten().collect();
                let mean = known.iter().sum::<f64>() / known.len() as f64;
                Some((shape.likeness(*other), (*errors.get(arm)?)? - mean))
            });
            let values: Vec<(f64, f64)> = values.collect();
            let weight: f64 = values.iter().map(|(w, _)| w).sum();
            if weight <= 0.0 {
                return None;
            }
            let mean = values.iter().map(|(w, v)| w * v).sum::<f64>() / weight;
            let square = values
                .iter()
                .map(|(w, v)| w * (v - mean).powi(2))
                .sum::<f64>()
                / weight;
            let spread = square.sqrt().max(LEAST_SPREAD);
            let squares = values.iter().map(|(w, _)| w * w).sum::<f64>();
            Some(Expected {
                mean,
                spread,
                error: spread * (squares / weight.powi(2)).sqrt(),
            })
        };
        (0..self.arms.len()).map(of).collect()
    }
}

/// What is believed of an arm's error (as that of [`Expected`]) after one was measured with a standard error: the
/// normal posterior's mean.
pub fn believed(expected: Option<Expected>, measured: f64, error: f64) -> f64 {
    let Some(prior) = expected else {
        return measured;
    };
    let (a, b) = (prior.spread.powi(-2), error.max(1e-6).powi(-2));
    (a * prior.mean + b * measured) / (a + b)
}
