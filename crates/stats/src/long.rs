//! The long table: one row a dataset, method, repeat and fold.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Result, StatsError, Unit, finite};
use crate::params::Direction;
use crate::score_table::{Dataset, ScoreTable};

/// One row of results.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Name of the dataset.
    pub dataset: String,
    /// Name of its cluster; datasets drawn from one source share it, a dataset on its own uses
    /// its own name.
    pub cluster: String,
    /// Name of the method.
    pub method: String,
    /// Repeat of the protocol, from 0.
    pub repeat: u32,
    /// Fold within the repeat, from 0.
    pub fold: u32,
    /// The result; `None` for a cell that was planned and has no value, so that a method that
    /// failed everywhere stays in the table.
    pub value: Option<f64>,
}

/// What becomes of a (dataset, method) cell of which some folds are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PartialCells {
    /// The cell is missing. A mean over the easier folds would flatter a method that failed on the
    /// hard ones, so this is the default.
    #[default]
    Missing,
    /// The mean over the folds that there are.
    MeanOfPresent,
}

/// A validated long table, sorted by dataset, method, repeat and fold: no result depends on the
/// order in which rows were handed over.
///
/// # Examples
///
/// ```
/// use counterweight_stats::{Direction, LongTable, Observation, PartialCells};
///
/// let row = |method: &str, fold, value| Observation {
///     dataset: "yeast".into(),
///     cluster: "yeast".into(),
///     method: method.into(),
///     repeat: 0,
///     fold,
///     value: Some(value),
/// };
/// let long = LongTable::new(vec![row("a", 0, 0.2), row("a", 1, 0.4), row("b", 0, 0.1)])?;
/// let scores = long.scores(Direction::LowerIsBetter, PartialCells::Missing)?;
/// assert!((scores.get(0, 0).unwrap_or(f64::MAX) - 0.3).abs() < 1e-12);
/// assert_eq!(scores.get(0, 1), None, "fold 1 of method b is missing");
/// # Ok::<(), counterweight_stats::StatsError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LongTable {
    rows: Vec<Observation>,
}

impl LongTable {
    /// Sorts and checks the rows. O(n log n). An empty table is legal; asking it for scores is not.
    ///
    /// # Errors
    ///
    /// [`StatsError::NotFinite`] for NaN or infinity, [`StatsError::DuplicateRow`] for two rows of
    /// one key, [`StatsError::ClusterConflict`] for a dataset in two clusters.
    pub fn new(mut rows: Vec<Observation>) -> Result<Self> {
        for row in &mut rows {
            if let Some(value) = row.value {
                let value = finite(value, || {
                    format!(
                        "dataset `{}`, method `{}`, repeat {}, fold {}",
                        row.dataset, row.method, row.repeat, row.fold
                    )
                })?;
                row.value = Some(value);
            }
        }
        rows.sort_by(|a, b| key(a).cmp(&key(b)));
        for pair in rows.windows(2) {
            let [a, b] = pair else { continue };
            if key(a) == key(b) {
                return Err(StatsError::DuplicateRow {
                    dataset: a.dataset.clone(),
                    method: a.method.clone(),
                    repeat: a.repeat,
                    fold: a.fold,
                });
            }
            if a.dataset == b.dataset && a.cluster != b.cluster {
                return Err(StatsError::ClusterConflict {
                    dataset: a.dataset.clone(),
                    first: a.cluster.clone(),
                    second: b.cluster.clone(),
                });
            }
        }
        Ok(Self { rows })
    }

    /// The rows in sorted order.
    pub fn rows(&self) -> &[Observation] {
        &self.rows
    }

    /// Averages over repeats and folds into one cell a dataset and method.
    ///
    /// A fold that any method of a dataset has counts as planned for all of them. Methods and
    /// datasets come out in the byte order of their names. O(n log n).
    ///
    /// # Errors
    ///
    /// [`StatsError::TooFew`] for a table without rows.
    pub fn scores(&self, direction: Direction, partial: PartialCells) -> Result<ScoreTable> {
        let methods: BTreeSet<&str> = self.rows.iter().map(|row| row.method.as_str()).collect();
        let column: BTreeMap<&str, usize> = methods
            .iter()
            .enumerate()
            .map(|(index, name)| (*name, index))
            .collect();
        let mut datasets = Vec::new();
        let mut cells = Vec::new();
        for block in self.rows.chunk_by(|a, b| a.dataset == b.dataset) {
            let Some(first) = block.first() else { continue };
            let planned: BTreeSet<(u32, u32)> =
                block.iter().map(|row| (row.repeat, row.fold)).collect();
            let mut line = vec![None; methods.len()];
            for group in block.chunk_by(|a, b| a.method == b.method) {
                let values: Vec<f64> = group.iter().filter_map(|row| row.value).collect();
                let enough = match partial {
                    PartialCells::Missing => values.len() == planned.len(),
                    PartialCells::MeanOfPresent => !values.is_empty(),
                };
                let slot = group
                    .first()
                    .and_then(|row| column.get(row.method.as_str()))
                    .and_then(|&index| line.get_mut(index));
                if let (true, Some(slot)) = (enough, slot) {
                    *slot = Some(values.iter().sum::<f64>() / values.len() as f64);
                }
            }
            datasets.push(Dataset {
                name: first.dataset.clone(),
                cluster: first.cluster.clone(),
            });
            cells.extend(line);
        }
        let methods = methods.into_iter().map(str::to_owned).collect();
        ScoreTable::new(direction, datasets, methods, cells)
    }

    /// The differences `a - b` over the folds of one dataset that both methods have, in order of
    /// repeat and fold; the input of [`corrected_t`](crate::corrected_t).
    ///
    /// # Errors
    ///
    /// [`StatsError::UnknownName`] for a dataset or method without rows.
    pub fn fold_differences(&self, dataset: &str, a: &str, b: &str) -> Result<Vec<f64>> {
        let start = self
            .rows
            .partition_point(|row| row.dataset.as_str() < dataset);
        let end = self
            .rows
            .partition_point(|row| row.dataset.as_str() <= dataset);
        let block = self.rows.get(start..end).unwrap_or_default();
        if block.is_empty() {
            return Err(StatsError::UnknownName {
                unit: Unit::Datasets,
                name: dataset.to_owned(),
            });
        }
        let of = |method: &str| -> Result<BTreeMap<(u32, u32), f64>> {
            if !block.iter().any(|row| row.method == method) {
                return Err(StatsError::UnknownName {
                    unit: Unit::Methods,
                    name: method.to_owned(),
                });
            }
            Ok(block
                .iter()
                .filter(|row| row.method == method)
                .filter_map(|row| row.value.map(|value| ((row.repeat, row.fold), value)))
                .collect())
        };
        let (left, right) = (of(a)?, of(b)?);
        Ok(left
            .iter()
            .filter_map(|(fold, value)| right.get(fold).map(|other| value - other))
            .collect())
    }
}

fn key(row: &Observation) -> (&str, &str, u32, u32) {
    (&row.dataset, &row.method, row.repeat, row.fold)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(dataset: &str, method: &str, fold: u32, value: Option<f64>) -> Observation {
        Observation {
            dataset: dataset.into(),
            cluster: dataset.into(),
            method: method.into(),
            repeat: 0,
            fold,
            value,
        }
    }

    #[test]
    fn bad_rows_are_named() {
        let error = LongTable::new(vec![row("d", "m", 3, Some(f64::NAN))]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "NaN is not a finite number at dataset `d`, method `m`, repeat 0, fold 3; hint: a missing result is \
             `None`, not NaN"
        );
        let twice = LongTable::new(vec![row("d", "m", 0, None), row("d", "m", 0, None)]);
        assert!(matches!(twice, Err(StatsError::DuplicateRow { .. })));
        let mut other = row("d", "n", 0, None);
        other.cluster = "elsewhere".into();
        let conflict = LongTable::new(vec![row("d", "m", 0, None), other]);
        assert!(matches!(conflict, Err(StatsError::ClusterConflict { .. })));
    }

    #[test]
    fn a_method_that_failed_everywhere_stays_as_a_column() {
        let long = LongTable::new(vec![
            row("d", "good", 0, Some(0.5)),
            row("d", "broken", 0, None),
        ])
        .unwrap();
        let scores = long
            .scores(Direction::LowerIsBetter, PartialCells::Missing)
            .unwrap();
        assert_eq!(scores.methods(), ["broken", "good"]);
        assert_eq!(scores.get(0, 0), None);
    }

    #[test]
    fn partial_cells_follow_the_policy() {
        let rows = vec![
            row("d", "a", 0, Some(0.2)),
            row("d", "a", 1, Some(0.4)),
            row("d", "b", 0, Some(0.1)),
            row("d", "b", 1, None),
        ];
        let long = LongTable::new(rows).unwrap();
        let strict = long
            .scores(Direction::LowerIsBetter, PartialCells::Missing)
            .unwrap();
        assert_eq!(strict.get(0, 1), None);
        let lax = long
            .scores(Direction::LowerIsBetter, PartialCells::MeanOfPresent)
            .unwrap();
        assert_eq!(lax.get(0, 1), Some(0.1));
        assert_eq!(
            long.fold_differences("d", "a", "b").unwrap(),
            vec![0.2 - 0.1]
        );
        assert!(long.fold_differences("x", "a", "b").is_err());
        assert!(long.fold_differences("d", "a", "x").is_err());
    }

    #[test]
    fn an_empty_table_is_an_error_value_when_scored() {
        let empty = LongTable::new(Vec::new()).unwrap();
        assert!(matches!(
            empty.scores(Direction::LowerIsBetter, PartialCells::Missing),
            Err(StatsError::TooFew { .. })
        ));
    }
}
