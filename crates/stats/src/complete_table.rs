//! Tables without missing cells.
//!
//! Three types carry the three promises that the statistics ask for:
//!
//! | type | promise | taken by |
//! |---|---|---|
//! | [`ScoreTable`](crate::ScoreTable) | at least one dataset and method, finite values, missing cells explicit | policies, duplicates |
//! | [`CompleteTable`] | no missing cell | ranks, differences |
//! | [`BlockDesign`] | at least two datasets and two methods | every test over several methods |

use std::collections::BTreeMap;

use crate::error::{Result, StatsError, Unit, at_least};
use crate::paired::PairedDifferences;
use crate::params::Direction;
use crate::score_table::{Dataset, ScoreTable, item, position};

/// A score table without a missing cell.
#[derive(Debug, Clone, PartialEq)]
pub struct CompleteTable {
    direction: Direction,
    datasets: Vec<Dataset>,
    methods: Vec<String>,
    values: Vec<f64>,
}

impl CompleteTable {
    /// Checks a complete table given row by row.
    ///
    /// # Errors
    ///
    /// As [`ScoreTable::new`].
    pub fn new(
        direction: Direction,
        datasets: Vec<Dataset>,
        methods: Vec<String>,
        values: Vec<f64>,
    ) -> Result<Self> {
        let cells = values.into_iter().map(Some).collect();
        Self::try_from(ScoreTable::new(direction, datasets, methods, cells)?)
    }

    /// Which end of the scale is good.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The rows' names and clusters.
    pub fn datasets(&self) -> &[Dataset] {
        &self.datasets
    }

    /// The columns' names.
    pub fn methods(&self) -> &[String] {
        &self.methods
    }

    /// All rows in order, one value a method.
    pub fn lines(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks(self.methods.len())
    }

    /// The values of one method over the datasets.
    ///
    /// # Errors
    ///
    /// [`StatsError::IndexOutOfRange`].
    pub fn column(&self, method: usize) -> Result<Vec<f64>> {
        self.lines()
            .map(|line| item(line, method, Unit::Methods))
            .collect()
    }

    /// Mean of every column, each dataset weighing the same.
    pub fn means(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.methods.len()];
        for line in self.lines() {
            for (sum, value) in sums.iter_mut().zip(line) {
                *sum += value;
            }
        }
        sums.iter()
            .map(|sum| sum / self.datasets.len() as f64)
            .collect()
    }

    /// The index of a method.
    ///
    /// # Errors
    ///
    /// [`StatsError::UnknownName`].
    pub fn method_index(&self, name: &str) -> Result<usize> {
        position(&self.methods, name)
    }

    /// A number a dataset that is equal within clusters and counts them by first appearance.
    pub fn cluster_ids(&self) -> Vec<usize> {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        self.datasets
            .iter()
            .map(|dataset| {
                let next = seen.len();
                *seen.entry(dataset.cluster.as_str()).or_insert(next)
            })
            .collect()
    }

    /// One row a cluster: the mean over its datasets.
    ///
    /// Tests that assume independent rows should see this table, for five variants of one source
    /// are not five witnesses.
    ///
    /// # Errors
    ///
    /// None in practice; a sum past the largest double gives [`StatsError::NotFinite`].
    pub fn by_cluster(&self) -> Result<Self> {
        let ids = self.cluster_ids();
        let clusters = ids.iter().max().map_or(0, |last| last + 1);
        let width = self.methods.len();
        let mut sums = vec![0.0; clusters * width];
        let mut sizes = vec![0_usize; clusters];
        let mut rows: Vec<Dataset> = Vec::with_capacity(clusters);
        for ((line, &id), dataset) in self.lines().zip(&ids).zip(&self.datasets) {
            if id == rows.len() {
                rows.push(Dataset::independent(&dataset.cluster));
            }
            if let Some(size) = sizes.get_mut(id) {
                *size += 1;
            }
            for (sum, value) in sums.iter_mut().skip(id * width).zip(line) {
                *sum += value;
            }
        }
        for (line, &size) in sums.chunks_mut(width).zip(&sizes) {
            for sum in line {
                *sum /= size as f64;
            }
        }
        Self::new(self.direction, rows, self.methods.clone(), sums)
    }

    /// The differences `a - b` over datasets, with their clusters.
    ///
    /// # Errors
    ///
    /// [`StatsError::IndexOutOfRange`].
    pub fn differences(&self, a: usize, b: usize) -> Result<PairedDifferences> {
        let (left, right) = (self.column(a)?, self.column(b)?);
        let values = left.iter().zip(&right).map(|(x, y)| x - y).collect();
        PairedDifferences::new(values, &self.cluster_ids())
    }

    /// The same table as one that may have missing cells.
    pub fn to_scores(&self) -> ScoreTable {
        ScoreTable {
            direction: self.direction,
            datasets: self.datasets.clone(),
            methods: self.methods.clone(),
            cells: self.values.iter().copied().map(Some).collect(),
        }
    }

    /// The table with the columns at `methods`, in that order.
    ///
    /// # Errors
    ///
    /// As [`ScoreTable::select_methods`].
    pub fn select_methods(&self, methods: &[usize]) -> Result<Self> {
        Self::try_from(self.to_scores().select_methods(methods)?)
    }

    /// The table with the rows at `datasets`, in that order.
    ///
    /// # Errors
    ///
    /// As [`ScoreTable::select_datasets`].
    pub fn select_datasets(&self, datasets: &[usize]) -> Result<Self> {
        Self::try_from(self.to_scores().select_datasets(datasets)?)
    }

    /// The table with every value snapped to the nearest multiple of `resolution`.
    ///
    /// Two means over the same folds, added in another order, differ in the last bit and would
    /// count as a win. A resolution of 1e-12 makes them the tie that they are.
    ///
    /// # Errors
    ///
    /// [`StatsError::OutOfRange`] unless `resolution` is finite and positive.
    pub fn rounded(&self, resolution: f64) -> Result<Self> {
        if !(resolution.is_finite() && resolution > 0.0) {
            return Err(StatsError::OutOfRange {
                name: "resolution",
                value: resolution,
                range: "a finite number above 0",
            });
        }
        let values = self
            .values
            .iter()
            .map(|x| (x / resolution).round() * resolution)
            .collect();
        Self::new(
            self.direction,
            self.datasets.clone(),
            self.methods.clone(),
            values,
        )
    }
}

impl TryFrom<ScoreTable> for CompleteTable {
    type Error = StatsError;

    /// Refuses a table with a missing cell.
    fn try_from(table: ScoreTable) -> Result<Self> {
        let expected = table.cells.len();
        let values: Vec<f64> = table.cells.iter().copied().flatten().collect();
        if values.len() != expected {
            return Err(StatsError::LengthMismatch {
                what: "present cells of a complete table",
                found: values.len(),
                expected,
            });
        }
        Ok(Self {
            direction: table.direction,
            datasets: table.datasets,
            methods: table.methods,
            values,
        })
    }
}

/// A complete table of at least two datasets (blocks) and two methods (treatments).
#[derive(Debug, Clone, PartialEq)]
pub struct BlockDesign(CompleteTable);

impl BlockDesign {
    /// The table itself.
    pub fn table(&self) -> &CompleteTable {
        &self.0
    }

    /// Number of datasets, at least two.
    pub fn n_datasets(&self) -> usize {
        self.0.datasets.len()
    }

    /// Number of methods, at least two.
    pub fn n_methods(&self) -> usize {
        self.0.methods.len()
    }
}

impl TryFrom<CompleteTable> for BlockDesign {
    type Error = StatsError;

    fn try_from(table: CompleteTable) -> Result<Self> {
        at_least(
            "a test over several datasets",
            Unit::Datasets,
            table.datasets.len(),
            2,
        )?;
        at_least(
            "a test over several methods",
            Unit::Methods,
            table.methods.len(),
            2,
        )?;
        Ok(Self(table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(values: &[f64], width: usize) -> CompleteTable {
        let datasets = (0..values.len() / width).map(|i| Dataset::independent(format!("d{i}")));
        let methods = (0..width).map(|i| format!("m{i}")).collect();
        CompleteTable::new(
            Direction::LowerIsBetter,
            datasets.collect(),
            methods,
            values.to_vec(),
        )
        .unwrap()
    }

    #[test]
    fn clusters_collapse_to_their_means() {
        let datasets = ["a1", "b1", "a2"].map(|name| Dataset {
            name: name.to_owned(),
            cluster: name.chars().take(1).collect(),
        });
        let methods = vec!["x".to_owned(), "y".to_owned()];
        let table = CompleteTable::new(
            Direction::LowerIsBetter,
            datasets.to_vec(),
            methods,
            vec![1.0, 2.0, 10.0, 20.0, 3.0, 6.0],
        )
        .unwrap();
        let collapsed = table.by_cluster().unwrap();
        assert_eq!(
            collapsed.lines().collect::<Vec<_>>(),
            [[2.0, 4.0], [10.0, 20.0]]
        );
        assert_eq!(collapsed.datasets()[0].name, "a");
        assert_eq!(table.cluster_ids(), [0, 1, 0]);
    }

    #[test]
    fn selections_keep_order_and_refuse_repeats() {
        let table = table(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3);
        assert_eq!(
            table.select_methods(&[2, 0]).unwrap().column(0).unwrap(),
            [3.0, 6.0]
        );
        assert!(table.select_methods(&[1, 1]).is_err());
        assert!(table.select_methods(&[3]).is_err());
        assert!(table.select_datasets(&[]).is_err());
        assert!(BlockDesign::try_from(table.select_datasets(&[1]).unwrap()).is_err());
    }

    #[test]
    fn rounding_turns_noise_into_ties() {
        let noisy = table(&[0.1 + 0.2, 0.3], 2);
        let rounded = noisy.rounded(1e-12).unwrap();
        let line = rounded.lines().next().unwrap();
        assert_eq!(line[0].to_bits(), line[1].to_bits());
        assert!(noisy.rounded(0.0).is_err());
    }
}
