//! Kernels, and the rows of a kernel matrix that is too large to keep.

use std::rc::Rc;

use counterweight_core::{Matrix, ParamError, Params};

use crate::shared::linalg::{dot, squared_distance};

/// Memory for kernel rows: the whole matrix of 4,000 rows.
const CACHE_BYTES: usize = 128 << 20;

/// A kernel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kernel {
    /// `x.z`
    Linear,
    /// `exp(-gamma |x - z|^2)`
    Rbf {
        /// Inverse squared width.
        gamma: f64,
    },
}

impl Kernel {
    /// The kernel of two rows.
    pub(crate) fn value(self, a: &[f64], b: &[f64]) -> f64 {
        match self {
            Self::Linear => dot(a, b),
            Self::Rbf { gamma } => (-gamma * squared_distance(a, b)).exp(),
        }
    }
}

/// Which kernel the parameters `kernel` and `gamma` ask for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Choice {
    Linear,
    /// With this width; `None`: one that follows the data.
    Rbf(Option<f64>),
}

impl TryFrom<&Params> for Choice {
    type Error = ParamError;

    fn try_from(params: &Params) -> Result<Self, ParamError> {
        let gamma = params.get("gamma").map(|_| params.real("gamma"));
        match (params.text("kernel"), gamma) {
            ("linear", Some(_)) => Err(ParamError::new("gamma", "the linear kernel has none")),
            ("linear", None) => Ok(Self::Linear),
            (_, gamma) => Ok(Self::Rbf(gamma)),
        }
    }
}

/// The rows of a kernel matrix, computed when asked for; the least recently used make room.
#[derive(Debug)]
pub(crate) struct KernelRows<'a> {
    kernel: Kernel,
    x: &'a Matrix,
    diagonal: Vec<f64>,
    rows: Vec<Option<Rc<[f64]>>>,
    /// When each row was last asked for.
    used: Vec<u64>,
    clock: u64,
    kept: usize,
    most: usize,
}

impl<'a> KernelRows<'a> {
    /// Rows of the kernel matrix of `x`.
    pub(crate) fn new(kernel: Kernel, x: &'a Matrix) -> Self {
        Self::with_memory(kernel, x, CACHE_BYTES)
    }

    fn with_memory(kernel: Kernel, x: &'a Matrix, bytes: usize) -> Self {
        let n = x.rows();
        Self {
            kernel,
            x,
            diagonal: x.iter_rows().map(|row| kernel.value(row, row)).collect(),
            rows: vec![None; n],
            used: vec![0; n],
            clock: 0,
            kept: 0,
            // A step needs two rows at once.
            most: (bytes / (8 * n.max(1))).max(2),
        }
    }

    /// The diagonal.
    pub(crate) fn diagonal(&self) -> &[f64] {
        &self.diagonal
    }

    /// Row `i`.
    pub(crate) fn row(&mut self, i: usize) -> Rc<[f64]> {
        self.clock += 1;
        self.used[i] = self.clock;
        if let Some(row) = &self.rows[i] {
            return Rc::clone(row);
        }
        if self.kept == self.most {
            let oldest = (0..self.rows.len())
                .filter(|&k| self.rows[k].is_some())
                .min_by_key(|&k| self.used[k]);
            if let Some(oldest) = oldest {
                self.rows[oldest] = None;
                self.kept -= 1;
            }
        }
        let own = self.x.row(i);
        let row: Rc<[f64]> = self
            .x
            .iter_rows()
            .map(|other| self.kernel.value(own, other))
            .collect();
        self.rows[i] = Some(Rc::clone(&row));
        self.kept += 1;
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::blobs;

    #[test]
    fn a_small_cache_gives_the_rows_of_a_large_one() {
        let (x, _) = blobs(3, &[9], 3);
        let kernel = Kernel::Rbf { gamma: 0.4 };
        let mut large = KernelRows::new(kernel, &x);
        let mut small = KernelRows::with_memory(kernel, &x, 0);
        for i in [0, 3, 0, 5, 8, 3, 3, 0, 1] {
            assert_eq!(large.row(i), small.row(i));
            assert!((large.row(i)[i] - 1.0).abs() < 1e-15);
        }
        assert_eq!((small.kept, large.kept), (2, 5));
    }
}
