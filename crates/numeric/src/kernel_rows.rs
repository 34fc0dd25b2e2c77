//! Kernels, and the rows of a kernel matrix that is too large to keep.

use std::rc::Rc;

use counterweight_core::{Matrix, limit};

use crate::linalg::{dot, squared_distance};

/// Memory for kernel rows: the whole matrix of 4,000 rows.
pub const CACHE_BYTES: usize = 128 << 20;

/// A kernel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kernel {
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
    pub fn value(self, a: &[f64], b: &[f64]) -> f64 {
        match self {
            Self::Linear => dot(a, b),
            Self::Rbf { gamma } => (-gamma * squared_distance(a, b)).exp(),
        }
    }
}

/// The rows of a kernel matrix, computed when asked for; the least recently used make room.
#[derive(Debug)]
pub struct KernelRows<'a> {
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
    pub fn new(kernel: Kernel, x: &'a Matrix) -> Self {
        Self::with_memory(kernel, x, CACHE_BYTES)
    }

    fn with_memory(kernel: Kernel, x: &'a Matrix, bytes: usize) -> Self {
        let n = x.rows();
        Self {
            kernel,
            x,
            diagonal: (0..n)
                .map(|i| {
                    limit::ask_at(i);
                    kernel.value(x.row(i), x.row(i))
                })
                .collect(),
            rows: vec![None; n],
            used: vec![0; n],
            clock: 0,
            kept: 0,
            // A step needs two rows at once.
            most: (bytes / (8 * n.max(1))).max(2),
        }
    }

    /// The diagonal.
    pub fn diagonal(&self) -> &[f64] {
        &self.diagonal
    }

    /// Row `i`.
    pub fn row(&mut self, i: usize) -> Rc<[f64]> {
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
        limit::ask();
        // By number: a matrix without columns has rows all the same.
        let row: Rc<[f64]> = (0..self.rows.len())
            .map(|other| self.kernel.value(own, self.x.row(other)))
            .collect();
        self.rows[i] = Some(Rc::clone(&row));
        self.kept += 1;
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{normal, rng};

    #[test]
    fn a_small_cache_gives_the_rows_of_a_large_one() {
        let mut rng = rng(3);
        let x = Matrix::from_fn(9, 3, |_, _| normal(&mut rng));
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
