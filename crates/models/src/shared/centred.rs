//! Rows around the means of their classes: what the Gaussian learners with full covariances start from.

use counterweight_core::limit;
use counterweight_core::{Matrix, StageError, StageResult};

use super::task::Task;

/// Rows minus the mean of their class, all relative to the first row, so that a constant column is
/// exactly zero and large means cost no digits.
#[derive(Debug)]
pub(crate) struct Centred {
    /// The first row.
    pub(crate) origin: Vec<f64>,
    /// Mean of each present class, minus `origin`.
    pub(crate) means: Matrix,
    /// Rows minus `origin` and the mean of their class.
    pub(crate) rows: Matrix,
    /// A variance up to this is rounding error of `rows`, by feature.
    pub(crate) noise: Vec<f64>,
    /// What each row weighs beside its class, where rows have weights, and all of them.
    own: Option<Vec<f64>>,
    pub(crate) mass: f64,
}

impl Centred {
    /// Of the rows of `task`.
    ///
    /// # Errors
    /// [`StageError::Failed`] when squares of the differences overflow.
    pub(crate) fn new(task: &Task<'_>) -> StageResult<Self> {
        let (n, d) = (task.n_rows(), task.n_features());
        let origin = task.x.row(0).to_vec();
        let mut rows = Matrix::from_fn(n, d, |i, j| task.x.at(i, j) - origin[j]);
        let mut largest = vec![0.0_f64; d];
        let mut means = Matrix::zeros(task.n_present(), d);
        for (i, &class) in task.y.iter().enumerate() {
            limit::ask_at(i);
            let sums = means.row_mut(class as usize).iter_mut().zip(&mut largest);
            let own = task.own(i);
            for ((m, most), x) in sums.zip(rows.row(i)) {
                *m += own * x;
                *most = most.max(x.abs());
            }
        }
        if let Some(j) = largest.iter().position(|m| !(m * m * n as f64).is_finite()) {
            return Err(StageError::Failed(format!(
                "squares of feature {j} overflow; standardise the features"
            )));
        }
        for (k, mass) in task.masses().iter().enumerate() {
            for m in means.row_mut(k) {
                *m /= mass;
            }
        }
        for (i, &class) in task.y.iter().enumerate() {
            limit::ask_at(i);
            for (x, m) in rows.row_mut(i).iter_mut().zip(means.row(class as usize)) {
                *x -= m;
            }
        }
        let noise = largest
            .into_iter()
            .map(|m| (16.0 * f64::EPSILON * m).powi(2))
            .collect();
        Ok(Self {
            origin,
            means,
            rows,
            noise,
            own: task.own.clone(),
            mass: task.masses().iter().sum(),
        })
    }

    /// The square root of what row `i` weighs beside its class.
    pub(crate) fn root(&self, i: usize) -> f64 {
        self.own.as_ref().map_or(1.0, |own| own[i].sqrt())
    }

    /// Mean squares of `rows` over all of them, by feature; rounding error counts as 0.
    pub(crate) fn variances(&self) -> Vec<f64> {
        let n = self.mass;
        let mut variances = vec![0.0; self.rows.cols()];
        for (i, row) in self.rows.iter_rows().enumerate() {
            let own = self.own.as_ref().map_or(1.0, |own| own[i]);
            for (v, x) in variances.iter_mut().zip(row) {
                *v += own * (x * x);
            }
        }
        let clean = |(v, noise): (f64, &f64)| if v / n > *noise { v / n } else { 0.0 };
        variances.into_iter().zip(&self.noise).map(clean).collect()
    }
}
