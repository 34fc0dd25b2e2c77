//! Approximations of a Hessian that are cheap to invert: what a quasi-Newton method starts from.

use super::eigen::Eigen;
use super::linalg::{SemiCholesky, add_scaled};

/// A positive semi-definite approximation of the Hessian, factored. Directions in which it vanishes are
/// left alone: their part of a step is 0.
#[derive(Debug)]
pub enum Metric {
    /// The diagonal alone.
    Diagonal(Vec<f64>),
    /// A product of classes and features, plus a penalty.
    Kronecker(Kronecker),
    /// The Hessian itself.
    Full(SemiCholesky),
}

impl Metric {
    /// Whether it is the Hessian at some point, so that its scale needs no correction.
    pub fn is_exact(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Replaces `q` by the solution of `metric * x = q`.
    pub fn solve(&self, q: &mut [f64]) {
        match self {
            Self::Diagonal(diagonal) => {
                let largest = diagonal.iter().copied().fold(0.0, f64::max);
                for (q, h) in q.iter_mut().zip(diagonal) {
                    *q = if *h > 1e-12 * largest { *q / h } else { 0.0 };
                }
            }
            Self::Kronecker(kronecker) => kronecker.solve(q),
            Self::Full(factor) => factor.solve(q),
        }
    }
}

/// `C (x) F + I (x) diag(penalty)` with C between classes and F between features.
///
/// With `C = U diag(m) U'` it is one system of the size of F for each eigenvalue m, instead of one of the
/// size of both.
#[derive(Debug)]
pub struct Kronecker {
    /// Eigenvectors of C, one a row.
    vectors: Vec<f64>,
    /// `m F + diag(penalty)` for each of them.
    factors: Vec<SemiCholesky>,
    width: usize,
}

impl Kronecker {
    /// From symmetric positive semi-definite matrices, row-major.
    pub fn new(classes: &[f64], features: &[f64], penalty: &[f64]) -> Self {
        let width = penalty.len();
        let c = classes.len().isqrt();
        let eigen = Eigen::symmetric(c, classes.to_vec());
        let largest = eigen.values.first().copied().unwrap_or(0.0);
        let factors = eigen
            .values
            .iter()
            .map(|&m| {
                // The constant that a softmax does not see comes out as rounding error.
                let m = if m > 1e-12 * largest { m } else { 0.0 };
                let mut block: Vec<f64> = features.iter().map(|f| m * f).collect();
                for (j, l2) in penalty.iter().enumerate() {
                    block[j * width + j] += l2;
                }
                SemiCholesky::factor(width, block)
            })
            .collect();
        Self {
            vectors: eigen.vectors,
            factors,
            width,
        }
    }

    fn solve(&self, q: &mut [f64]) {
        let c = self.factors.len();
        let mut turned = vec![0.0; q.len()];
        for (v, to) in self
            .vectors
            .chunks_exact(c)
            .zip(turned.chunks_exact_mut(self.width))
        {
            for (v, from) in v.iter().zip(q.chunks_exact(self.width)) {
                add_scaled(to, *v, from);
            }
        }
        for (factor, to) in self.factors.iter().zip(turned.chunks_exact_mut(self.width)) {
            factor.solve(to);
        }
        q.fill(0.0);
        for (v, from) in self
            .vectors
            .chunks_exact(c)
            .zip(turned.chunks_exact(self.width))
        {
            for (v, to) in v.iter().zip(q.chunks_exact_mut(self.width)) {
                add_scaled(to, *v, from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kronecker_system_is_solved() {
        let (c, d) = (3, 2);
        let classes = [2.0, -0.5, -0.5, -0.5, 1.0, -0.3, -0.5, -0.3, 0.9];
        let features = [3.0, 0.7, 0.7, 2.0];
        let penalty = [0.4, 0.0];
        let metric = Metric::Kronecker(Kronecker::new(&classes, &features, &penalty));
        let x = [1.0, -2.0, 0.5, 3.0, -1.0, 0.25];
        let mut b = vec![0.0; 6];
        for i in 0..c {
            for j in 0..d {
                for k in 0..c {
                    for l in 0..d {
                        b[i * d + j] += classes[i * c + k] * features[j * d + l] * x[k * d + l];
                    }
                }
                b[i * d + j] += penalty[j] * x[i * d + j];
            }
        }
        metric.solve(&mut b);
        for (found, expected) in b.iter().zip(&x) {
            assert!((found - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn a_direction_without_curvature_is_left_alone() {
        // A softmax does not see a constant; its last coefficient is not penalised here.
        let p = [0.5, 0.3, 0.2];
        let classes: Vec<f64> = (0..9)
            .map(|at| {
                let (i, j) = (at / 3, at % 3);
                if i == j {
                    p[i] * (1.0 - p[i])
                } else {
                    -p[i] * p[j]
                }
            })
            .collect();
        let metric = Metric::Kronecker(Kronecker::new(&classes, &[1.0], &[0.0]));
        let mut q = vec![1.0, 2.0, -3.0];
        metric.solve(&mut q);
        assert!(q.iter().sum::<f64>().abs() < 1e-9 && q.iter().all(|v| v.abs() < 1e3));
        let diagonal = Metric::Diagonal(vec![2.0, 0.0]);
        let mut q = vec![4.0, 5.0];
        diagonal.solve(&mut q);
        assert!((q[0] - 2.0).abs() < 1e-15 && q[1].abs() < 1e-15);
    }
}
