//! Rows in a form that distances are computed on, and the direct distances themselves: what every
//! search route ends in.

use counterweight_core::{ColumnKind, Matrix, Samples, StageError, StageResult};

use super::{Metric, Pool};
use crate::linalg::{squared_distance, squared_distance_by_column};
use crate::order::median;

/// Rows in a form that distances are computed on.
#[derive(Clone, Debug)]
pub struct Points {
    numeric: Matrix,
    codes: Vec<u32>,
    n_nominal: usize,
    nominal: Nominal,
    sum: Sum,
}

/// The order in which the squares of the numeric columns are summed: equal distances are told apart by
/// their last bits, so whoever promises a list keeps to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum {
    /// Column by column.
    Columns,
    /// In four running sums, which is quicker.
    Lanes,
}

impl Sum {
    /// The squared distance of two rows.
    #[inline]
    pub(super) fn squared_distance(self, a: &[f64], b: &[f64]) -> f64 {
        match self {
            Self::Columns => squared_distance_by_column(a, b),
            Self::Lanes => squared_distance(a, b),
        }
    }
}

/// What nominal columns add to a squared distance.
#[derive(Clone, Debug)]
enum Nominal {
    /// The same for every column in which two rows differ.
    Gap(f64),
    /// By the classes that the levels of each column go with.
    ByClass(Vec<Column>),
}

/// The class shares of a column's levels, for the value difference metric.
#[derive(Clone, Debug)]
struct Column {
    n_classes: usize,
    /// Levels x classes: the share of each class among the rows with that level.
    shares: Vec<f64>,
    /// Levels x levels of differences, where that is no more than the data.
    table: Option<Vec<f64>>,
}

impl Column {
    fn new(codes: impl Iterator<Item = (u32, usize)>, levels: usize, n_classes: usize) -> Self {
        let mut shares = vec![0.0; levels * n_classes];
        let mut rows = 0;
        for (code, class) in codes {
            shares[code as usize * n_classes + class] += 1.0;
            rows += 1;
        }
        for level in shares.chunks_exact_mut(n_classes.max(1)) {
            let total: f64 = level.iter().sum();
            // A level without rows differs from every other by its all-zero shares.
            if total > 0.0 {
                for share in level {
                    *share /= total;
                }
            }
        }
        let mut column = Self {
            n_classes,
            shares,
            table: None,
        };
        if levels.saturating_mul(levels) <= rows.max(1 << 14) {
            let pairs = (0..levels).flat_map(|a| (0..levels).map(move |b| (a, b)));
            column.table = Some(pairs.map(|(a, b)| column.difference(a, b)).collect());
        }
        column
    }

    /// The square of the summed differences of the two levels' class shares.
    fn difference(&self, a: usize, b: usize) -> f64 {
        let k = self.n_classes;
        if let Some(table) = &self.table {
            return table[a * (self.shares.len() / k.max(1)) + b];
        }
        let (a, b) = (
            &self.shares[a * k..(a + 1) * k],
            &self.shares[b * k..(b + 1) * k],
        );
        let sum: f64 = a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum();
        sum * sum
    }
}

impl Points {
    /// Purely numeric rows.
    pub fn numeric(x: Matrix) -> Self {
        Self::summed(x, Sum::Columns)
    }

    /// Purely numeric rows, with their squares summed in this order.
    pub fn summed(x: Matrix, sum: Sum) -> Self {
        Self {
            numeric: x,
            codes: Vec::new(),
            n_nominal: 0,
            nominal: Nominal::Gap(0.0),
            sum,
        }
    }

    /// All rows of `samples` under `metric`.
    ///
    /// # Errors
    /// [`StageError::NotApplicable`] for columns of a kind that the metric has no meaning on;
    /// [`StageError::Failed`] for a value that is not finite, or is no code of its column.
    pub fn new(samples: &Samples, metric: Metric) -> StageResult<Self> {
        if let Some((row, column)) = samples.x().first_non_finite() {
            return Err(StageError::Failed(format!(
                "the value in row {row}, column {column} is not finite; impute or drop it first"
            )));
        }
        match metric {
            Metric::Euclidean if samples.has_nominal() => Err(StageError::NotApplicable(
                "Euclidean distances have no meaning on nominal codes".into(),
            )),
            Metric::Euclidean => Ok(Self::numeric(samples.x().clone())),
            Metric::Mixed { class } => Self::mixed(samples, class),
            Metric::ValueDifference => Self::value_difference(samples),
        }
    }

    fn mixed(samples: &Samples, class: usize) -> StageResult<Self> {
        let (numeric, nominal) = split_columns(samples);
        let n = samples.n_rows();
        let x = Matrix::from_fn(n, numeric.len(), |i, j| samples.x().at(i, numeric[j]));
        let codes = codes(samples, &nominal)?;
        let scale = median_deviation(&x, &Pool::Class(class).rows(samples)).ok_or_else(|| {
            StageError::NotApplicable(
                "the mixed metric needs a numeric column for its scale".into(),
            )
        })?;
        Ok(Self {
            numeric: x,
            codes,
            n_nominal: nominal.len(),
            nominal: Nominal::Gap(scale * scale),
            sum: Sum::Columns,
        })
    }

    fn value_difference(samples: &Samples) -> StageResult<Self> {
        let (numeric, nominal) = split_columns(samples);
        if !numeric.is_empty() {
            return Err(StageError::NotApplicable(
                "the value difference metric has no meaning on numeric columns".into(),
            ));
        }
        let (n, m) = (samples.n_rows(), nominal.len());
        let codes = codes(samples, &nominal)?;
        let columns = nominal
            .iter()
            .enumerate()
            .map(|(at, &(_, levels))| {
                let cells = (0..n).map(|row| (codes[row * m + at], samples.y().class(row)));
                Column::new(cells, levels, samples.y().n_classes())
            })
            .collect();
        Ok(Self {
            numeric: Matrix::zeros(n, 0),
            codes,
            n_nominal: m,
            nominal: Nominal::ByClass(columns),
            sum: Sum::Columns,
        })
    }

    #[cfg(test)]
    pub(super) fn with_gap(numeric: Matrix, codes: Vec<u32>, n_nominal: usize, gap: f64) -> Self {
        Self {
            numeric,
            codes,
            n_nominal,
            nominal: Nominal::Gap(gap),
            sum: Sum::Columns,
        }
    }

    /// What one nominal difference adds to a squared distance under the mixed metric; 0 under the
    /// others.
    pub fn nominal_gap(&self) -> f64 {
        match self.nominal {
            Nominal::Gap(gap) => gap,
            Nominal::ByClass(_) => 0.0,
        }
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.numeric.rows()
    }

    /// The numeric columns.
    pub(super) fn x(&self) -> &Matrix {
        &self.numeric
    }

    pub(super) fn has_nominal(&self) -> bool {
        self.n_nominal > 0
    }

    fn row_codes(&self, row: usize) -> &[u32] {
        &self.codes[row * self.n_nominal..(row + 1) * self.n_nominal]
    }

    /// What the nominal columns add to the squared distance of two rows; never negative.
    pub(super) fn nominal_part(&self, a: usize, b: usize) -> f64 {
        let pairs = self.row_codes(a).iter().zip(self.row_codes(b));
        match &self.nominal {
            Nominal::Gap(gap) => {
                let differing = pairs.filter(|(a, b)| a != b).count();
                // Not 0 times a gap that overflowed.
                if differing == 0 {
                    0.0
                } else {
                    differing as f64 * gap
                }
            }
            Nominal::ByClass(columns) => columns
                .iter()
                .zip(pairs)
                .map(|(column, (&a, &b))| column.difference(a as usize, b as usize))
                .sum(),
        }
    }

    pub(super) fn sum(&self) -> Sum {
        self.sum
    }

    /// The squared distance of two rows.
    pub fn squared_distance(&self, a: usize, b: usize) -> f64 {
        let numeric = self
            .sum
            .squared_distance(self.numeric.row(a), self.numeric.row(b));
        if self.n_nominal == 0 {
            return numeric;
        }
        numeric + self.nominal_part(a, b)
    }
}

/// The numeric columns, and the nominal columns with their numbers of levels.
pub fn split_columns(samples: &Samples) -> (Vec<usize>, Vec<(usize, usize)>) {
    let mut numeric = Vec::new();
    let mut nominal = Vec::new();
    for (column, kind) in samples.kinds().iter().enumerate() {
        match kind {
            ColumnKind::Numeric => numeric.push(column),
            ColumnKind::Nominal { levels } => nominal.push((column, *levels)),
            ColumnKind::Indicator => nominal.push((column, 2)),
        }
    }
    (numeric, nominal)
}

/// The codes of the nominal columns, row by row.
fn codes(samples: &Samples, nominal: &[(usize, usize)]) -> StageResult<Vec<u32>> {
    let mut codes = Vec::with_capacity(samples.n_rows() * nominal.len());
    for row in 0..samples.n_rows() {
        for &(column, levels) in nominal {
            codes.push(code(samples.x().at(row, column), levels).ok_or_else(|| {
                StageError::Failed(format!(
                    "row {row}, nominal column {column}: {} is no code of {levels} levels",
                    samples.x().at(row, column)
                ))
            })?);
        }
    }
    Ok(codes)
}

/// The code that a cell of a nominal column holds; `None` when it holds none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "the comparison back finds every value that is not a whole number in range"
)]
pub fn code(value: f64, levels: usize) -> Option<u32> {
    let code = value as u32;
    (f64::from(code) == value && (code as usize) < levels).then_some(code)
}

/// The median over the columns of the standard deviation (divisor n) among `rows`; `None` without
/// columns or rows.
fn median_deviation(x: &Matrix, rows: &[usize]) -> Option<f64> {
    let n = rows.len() as f64;
    let deviations: Vec<f64> = (0..x.cols())
        .map(|j| {
            let mean = rows.iter().map(|&i| x.at(i, j)).sum::<f64>() / n;
            let squares: f64 = rows.iter().map(|&i| (x.at(i, j) - mean).powi(2)).sum();
            (squares / n).sqrt()
        })
        .collect();
    median(&deviations).filter(|_| !rows.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::train;

    #[test]
    fn codes_are_whole_numbers_in_range() {
        assert_eq!(code(2.0, 3), Some(2));
        for value in [3.0, -1.0, 0.5, f64::NAN, f64::INFINITY] {
            assert_eq!(code(value, 3), None);
        }
    }

    #[test]
    fn levels_differ_by_the_classes_they_go_with() {
        // Level 0: two of class 0; level 1: one of each; level 2: one of class 1; level 3: nobody.
        let x = Matrix::from_vec(5, 1, vec![0., 0., 1., 1., 2.]).unwrap();
        let set = train(x, &[Some(4)], &[0, 0, 0, 1, 1], 2);
        let points = Points::new(set.samples(), Metric::ValueDifference).unwrap();
        let found: Vec<f64> = (0..5).map(|b| points.squared_distance(0, b)).collect();
        assert_eq!(found, [0.0, 0.0, 1.0, 1.0, 4.0]);
        let mut plain = points.clone();
        if let Nominal::ByClass(columns) = &mut plain.nominal {
            assert!((columns[0].difference(0, 3) - 1.0).abs() < 1e-15);
            columns[0].table = None;
        }
        for (a, b) in (0..5).flat_map(|a| (0..5).map(move |b| (a, b))) {
            let (x, y) = (points.squared_distance(a, b), plain.squared_distance(a, b));
            assert_eq!(x.to_bits(), y.to_bits());
        }
    }

    #[test]
    fn a_metric_refuses_columns_it_has_no_meaning_on() {
        let set = train(Matrix::zeros(2, 2), &[None, Some(1)], &[0, 1], 2);
        for metric in [Metric::Euclidean, Metric::ValueDifference] {
            let found = Points::new(set.samples(), metric);
            assert!(matches!(found, Err(StageError::NotApplicable(_))));
        }
        assert!(Points::new(set.samples(), Metric::Mixed { class: 0 }).is_ok());
    }
}
