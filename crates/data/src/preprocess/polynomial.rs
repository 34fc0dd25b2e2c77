//! Polynomial features: every product of up to p encoded columns, standardised.
//!
//! What a model entry asks for with `features = { polynomial = p }`. It comes after preprocessing and
//! encoding; the mean and the deviation of each product are those of the training rows before any
//! resampling, as everything that preprocessing learns.
//!
//! # Formula
//! ```text
//! for every 1 <= q <= p and j_1 <= ... <= j_q:   z = (x_j1 ... x_jq - mean) / deviation
//! ```
//! `C(d + p, p) - 1` columns from d, in the order of q and then of the indices; no constant column. A product that is
//! constant on the training rows is only centred.
//!
//! # Differences
//! The columns of scikit-learn's `PolynomialFeatures(p, include_bias=False)`, in its order, followed by its
//! `StandardScaler`. Products of columns of one nominal column are kept although they repeat a column
//! or are always 0: what a learner does with such columns is the learner's affair.

use counterweight_core::limit;
use counterweight_core::{Matrix, Samples, StageError, StageResult};

use super::numeric::Scaler;

/// The largest degree.
pub const MOST_DEGREE: usize = 5;
/// Most columns that are made.
pub const MOST_COLUMNS: usize = 5_000;
/// Most numbers in the training rows' matrix: 200 MB.
pub const MOST_NUMBERS: usize = 25_000_000;

/// Fitted polynomial features.
#[derive(Clone, Debug, PartialEq)]
pub struct Polynomial {
    n_features: usize,
    /// A product of each column: the place of a shorter product among the columns, if it has one, and
    /// the feature that multiplies it.
    products: Vec<(Option<usize>, usize)>,
    scalers: Vec<Scaler>,
}

impl Polynomial {
    /// Columns made of `n_features`; `None` when a machine word does not hold the number.
    pub fn columns(n_features: usize, degree: usize) -> Option<usize> {
        let mut count: usize = 1;
        for i in 1..=degree {
            // Divides at every step: it is a binomial coefficient throughout.
            count = count.checked_mul(n_features.checked_add(i)?)? / i;
        }
        count.checked_sub(1)
    }

    /// Why `n_rows` training rows of `n_features` are too much, if they are.
    pub fn over_the_limit(n_rows: usize, n_features: usize, degree: usize) -> Option<String> {
        let columns = Self::columns(n_features, degree);
        let fits = columns.is_some_and(|columns| {
            columns <= MOST_COLUMNS
                && columns
                    .checked_mul(n_rows)
                    .is_some_and(|numbers| numbers <= MOST_NUMBERS)
        });
        (!fits).then(|| {
            let columns = columns.map_or_else(|| "too many".to_owned(), |c| c.to_string());
            format!(
                "over the size limit of polynomial features: degree {degree} makes {columns} columns of \
                 {n_features}, for {n_rows} rows; at most {MOST_COLUMNS} columns and {MOST_NUMBERS} numbers are made"
            )
        })
    }

    /// Fits on encoded training rows, and what they weigh where they have weights (1 on average). O(n columns).
    ///
    /// # Errors
    /// [`StageError::NotApplicable`] above the size limit, [`StageError::Failed`] for a degree outside
    /// `1..=5` and for products that overflow.
    pub fn fit(degree: usize, x: &Matrix, weights: Option<&[f64]>) -> StageResult<Self> {
        if !(1..=MOST_DEGREE).contains(&degree) {
            return Err(StageError::Failed(format!(
                "polynomial features of degree {degree}: it is 1 to {MOST_DEGREE}"
            )));
        }
        if let Some(reason) = Self::over_the_limit(x.rows(), x.cols(), degree) {
            return Err(StageError::NotApplicable(reason));
        }
        let products = products(x.cols(), degree);
        let mut fitted = Self {
            n_features: x.cols(),
            products,
            scalers: Vec::new(),
        };
        let raw = fitted.multiply(x);
        if let Some((row, column)) = raw.first_non_finite() {
            return Err(StageError::Failed(format!(
                "a product of features is no finite number (row {row}, column {column}); standardise \
                 the features or lower the degree"
            )));
        }
        fitted.scalers = (0..raw.cols())
            .map(|j| {
                limit::ask();
                Scaler::fit(&raw.column(j), weights)
            })
            .collect();
        Ok(fitted)
    }

    /// Expands rows with the same columns. Each output row depends on its input row alone.
    ///
    /// # Errors
    /// [`StageError::Failed`] for other columns and for products that overflow.
    pub fn apply(&self, x: &Matrix) -> StageResult<Matrix> {
        if x.cols() != self.n_features {
            return Err(StageError::Failed(format!(
                "polynomial features were fitted on {} columns, these rows have {}",
                self.n_features,
                x.cols()
            )));
        }
        let mut z = self.multiply(x);
        for i in 0..z.rows() {
            for (value, scaler) in z.row_mut(i).iter_mut().zip(&self.scalers) {
                *value = scaler.apply(*value);
            }
        }
        match z.first_non_finite() {
            Some((row, _)) => Err(StageError::Failed(format!(
                "a product of features of row {row} is no finite number; standardise the features or \
                 lower the degree"
            ))),
            None => Ok(z),
        }
    }

    /// As [`Polynomial::apply`], for encoded samples; labels and origins stay.
    ///
    /// # Errors
    /// As [`Polynomial::apply`].
    pub fn apply_samples(&self, samples: &Samples) -> StageResult<Samples> {
        let x = self.apply(samples.x())?;
        let kinds = vec![counterweight_core::ColumnKind::Numeric; x.cols()].into();
        let (y, origins) = (samples.y().clone(), samples.origins().to_vec());
        Ok(Samples::new(x, kinds, y, origins)?)
    }

    /// Number of columns.
    pub fn n_columns(&self) -> usize {
        self.products.len()
    }

    fn multiply(&self, x: &Matrix) -> Matrix {
        let mut z = Matrix::zeros(x.rows(), self.products.len());
        for i in 0..x.rows() {
            limit::ask_at(i);
            let from = x.row(i);
            let to = z.row_mut(i);
            for (at, &(shorter, feature)) in self.products.iter().enumerate() {
                let factor = shorter.map_or(1.0, |shorter| to[shorter]);
                to[at] = factor * from[feature];
            }
        }
        z
    }
}

/// Products of 1 to `degree` features with ascending indices, each after the one that it extends.
fn products(n_features: usize, degree: usize) -> Vec<(Option<usize>, usize)> {
    let mut products: Vec<(Option<usize>, usize)> = (0..n_features).map(|j| (None, j)).collect();
    let mut last = 0..n_features;
    for _ in 1..degree {
        let start = products.len();
        for shorter in last {
            let (_, highest) = products[shorter];
            products.extend((highest..n_features).map(|j| (Some(shorter), j)));
        }
        last = start..products.len();
    }
    products
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Matrix {
        Matrix::from_fn(7, 3, |i, j| {
            ((i * 5 + j * 3) % 7) as f64 - 2.5 + 0.1 * j as f64
        })
    }

    #[test]
    fn the_columns_are_all_products_in_order() {
        let fitted = Polynomial::fit(3, &rows(), None).unwrap();
        let raw = fitted.multiply(&Matrix::from_vec(1, 3, vec![2.0, 3.0, 5.0]).unwrap());
        let mut expected = vec![2.0, 3.0, 5.0, 4.0, 6.0, 10.0, 9.0, 15.0, 25.0];
        // x0^3, x0^2 x1, x0^2 x2, x0 x1^2, x0 x1 x2, x0 x2^2, x1^3, x1^2 x2, x1 x2^2, x2^3
        expected.extend([8.0, 12.0, 20.0, 18.0, 30.0, 50.0, 27.0, 45.0, 75.0, 125.0]);
        assert_eq!(raw.row(0), expected);
        for degree in 1..=MOST_DEGREE {
            let fitted = Polynomial::fit(degree, &rows(), None).unwrap();
            assert_eq!(Some(fitted.n_columns()), Polynomial::columns(3, degree));
        }
    }

    #[test]
    fn training_rows_are_standardised_and_others_by_the_same_numbers() {
        let fitted = Polynomial::fit(2, &rows(), None).unwrap();
        let z = fitted.apply(&rows()).unwrap();
        for j in 0..z.cols() {
            let column = z.column(j);
            let mean = column.iter().sum::<f64>() / 7.0;
            let variance = column.iter().map(|v| v * v).sum::<f64>() / 7.0;
            assert!(mean.abs() < 1e-12 && (variance - 1.0).abs() < 1e-12);
        }
        // Rows that are added change nothing for the others: nothing is learnt from them.
        let mut more = rows();
        more.push_row(&[1e3, -1e3, 7.0]).unwrap();
        let again = fitted.apply(&more).unwrap();
        assert_eq!(&again.as_slice()[..z.as_slice().len()], z.as_slice());
        assert!(again.row(7)[3] > 1e4);
    }

    #[test]
    fn what_is_constant_is_centred_and_what_is_too_much_is_not_applicable() {
        let flags = Matrix::from_fn(6, 2, |i, j| f64::from(u8::from(i % 2 == j)));
        let fitted = Polynomial::fit(2, &flags, None).unwrap();
        // Never both: their product is always 0.
        assert_eq!(fitted.apply(&flags).unwrap().column(3), [0.0; 6]);
        let wide = Matrix::zeros(2, 200);
        let refused = Polynomial::fit(3, &wide, None).unwrap_err();
        assert!(matches!(&refused, StageError::NotApplicable(text) if text.contains("1373700")));
        assert!(Polynomial::over_the_limit(10, usize::MAX, 5).is_some());
        assert!(Polynomial::over_the_limit(MOST_NUMBERS, 2, 1).is_some());
        assert!(Polynomial::over_the_limit(1000, 10, 3).is_none());
        assert!(
            Polynomial::fit(0, &wide, None).is_err() && Polynomial::fit(6, &flags, None).is_err()
        );
    }

    #[test]
    fn products_that_overflow_are_named() {
        let huge = Matrix::from_fn(4, 1, |i, _| 1e200 * (i as f64 + 1.0));
        assert!(
            Polynomial::fit(2, &huge, None)
                .unwrap_err()
                .to_string()
                .contains("lower the degree")
        );
        let fitted = Polynomial::fit(2, &rows(), None).unwrap();
        let far = Matrix::from_fn(1, 3, |_, _| 1e200);
        assert!(fitted.apply(&far).is_err() && fitted.apply(&Matrix::zeros(1, 2)).is_err());
        // No columns stay no columns.
        assert_eq!(
            Polynomial::fit(2, &Matrix::zeros(3, 0), None)
                .unwrap()
                .n_columns(),
            0
        );
    }
}
