//! The rows that a kernel sees: centred, and in units in which its numbers neither overflow nor vanish.

use counterweight_core::{Matrix, ParamError, StageError, StageResult, words};
use counterweight_numeric::kernel_rows::Kernel;
use counterweight_numeric::linalg::add_scaled;

/// Which kernel the parameters `kernel` and `gamma` ask for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Choice {
    Linear,
    /// With this width; `None`: one that follows the data.
    Rbf(Option<f64>),
}

words! {
    /// A kernel by its name.
    pub enum KernelName {
        /// The product of two rows.
        Linear = "linear",
        /// A bump of their distance.
        Rbf = "rbf",
    }
}

impl KernelName {
    /// With this width.
    pub(crate) fn of_width(self, gamma: Option<f64>) -> Choice {
        match self {
            Self::Linear => Choice::Linear,
            Self::Rbf => Choice::Rbf(gamma),
        }
    }

    /// Refuses a width, called `key`, of a kernel that has none.
    pub(crate) fn check(self, key: &str, width: Option<f64>) -> Result<(), ParamError> {
        match (self, width) {
            (Self::Linear, Some(_)) => Err(ParamError::new(key, "the linear kernel has none")),
            _ => Ok(()),
        }
    }
}

/// What is done to rows before a kernel sees them.
#[derive(Clone, Debug)]
pub(crate) struct Space {
    /// The kernel.
    pub(crate) kernel: Kernel,
    /// Feature means: subtracting them changes the bias alone, and keeps digits.
    centre: Vec<f64>,
    /// Divides centred features, where the width of the kernel follows the data anyway: squares then neither
    /// overflow nor vanish.
    scale: f64,
}

impl Space {
    /// The space of `x` for this kernel. `None` when no feature varies.
    ///
    /// # Errors
    /// [`StageError::Failed`] when kernel values overflow.
    pub(crate) fn new(x: &Matrix, choice: Choice) -> StageResult<Option<Space>> {
        let (n, d) = (x.rows() as f64, x.cols());
        let mut centre = vec![0.0; d];
        for row in x.iter_rows() {
            add_scaled(&mut centre, 1.0 / n, row);
        }
        let mut space = Space {
            kernel: Kernel::Linear,
            centre,
            scale: 1.0,
        };
        let gaps = space.apply(x);
        let widest = gaps.as_slice().iter().fold(0.0_f64, |w, v| w.max(v.abs()));
        let first = x.row(0);
        if d == 0 || x.iter_rows().all(|row| row == first) {
            return Ok(None);
        }
        if !widest.is_finite() || widest <= 0.0 {
            return Err(StageError::Failed(
                "distances between the training rows overflow; standardise the features".into(),
            ));
        }
        match choice {
            Choice::Linear => {}
            Choice::Rbf(Some(gamma)) => space.kernel = Kernel::Rbf { gamma },
            Choice::Rbf(None) => {
                space.scale = widest;
                // Variance of all entries, as scikit-learn takes it: columns are not centred for it.
                let entries = n * d as f64;
                let mean: f64 = x.as_slice().iter().map(|v| v / widest / entries).sum();
                let square = |v: &f64| (v / widest - mean).powi(2) / entries;
                let variance: f64 = x.as_slice().iter().map(square).sum();
                space.kernel = Kernel::Rbf {
                    gamma: 1.0 / (d as f64 * variance),
                };
            }
        }
        let length = |row: &[f64]| space.kernel.value(row, row);
        if space
            .apply(x)
            .iter_rows()
            .any(|row| !length(row).is_finite())
        {
            return Err(StageError::Failed(
                "kernel values between the training rows overflow; standardise the features".into(),
            ));
        }
        Ok(Some(space))
    }

    /// Rows of the space.
    pub(crate) fn apply(&self, x: &Matrix) -> Matrix {
        Matrix::from_fn(x.rows(), x.cols(), |i, j| {
            (x.at(i, j) - self.centre[j]) / self.scale
        })
    }
}
