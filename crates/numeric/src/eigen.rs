//! Eigenvalues and eigenvectors of a symmetric matrix, by cyclic Jacobi rotations.
//!
//! Slower by a constant than a tridiagonal reduction, but short, free of failures to converge, and
//! accurate to the last bits of small eigenvalues of a scaled matrix, on which the rank of a
//! covariance hangs. O(d^3) a sweep, 6 to 10 sweeps.
//!
//! Reference: Golub and Van Loan (2013), Matrix Computations, 8.5.

use counterweight_core::limit;

/// Eigenvalues in descending order, each with its unit eigenvector.
#[derive(Debug)]
pub struct Eigen {
    /// Eigenvalues, descending.
    pub values: Vec<f64>,
    /// One eigenvector a row, row-major.
    pub vectors: Vec<f64>,
}

/// Sweeps after which the rest is taken as rounding: convergence is quadratic and needs about ten.
const SWEEPS: usize = 60;

impl Eigen {
    /// Of the symmetric `matrix`, `n x n`, row-major, with finite entries.
    pub fn symmetric(n: usize, mut matrix: Vec<f64>) -> Self {
        let mut vectors = vec![0.0; n * n];
        for i in 0..n {
            vectors[i * n + i] = 1.0;
        }
        for _ in 0..SWEEPS {
            let mut rotated = false;
            for p in 0..n {
                limit::ask();
                for q in p + 1..n {
                    rotated |= rotate(n, &mut matrix, &mut vectors, p, q);
                }
            }
            if !rotated {
                break;
            }
        }
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&a, &b| matrix[b * n + b].total_cmp(&matrix[a * n + a]));
        let mut sorted = Vec::with_capacity(n * n);
        for &at in &order {
            sorted.extend_from_slice(&vectors[at * n..(at + 1) * n]);
        }
        Self {
            values: order.iter().map(|&at| matrix[at * n + at]).collect(),
            vectors: sorted,
        }
    }
}

/// Makes the entry (p, q) zero; false when it is zero to rounding already.
fn rotate(n: usize, matrix: &mut [f64], vectors: &mut [f64], p: usize, q: usize) -> bool {
    let (app, aqq, apq) = (matrix[p * n + p], matrix[q * n + q], matrix[p * n + q]);
    let scale = (app.abs() * aqq.abs()).sqrt();
    if apq.abs() <= 0.1 * f64::EPSILON * scale || apq.abs() < f64::MIN_POSITIVE {
        return false;
    }
    // tan of the smaller angle, from cot(2 theta).
    let cot = (aqq - app) / (2.0 * apq);
    let t = if cot.is_finite() {
        cot.signum() / (cot.abs() + cot.hypot(1.0))
    } else {
        0.0
    };
    let c = 1.0 / t.hypot(1.0);
    let s = t * c;
    matrix[p * n + p] = app - t * apq;
    matrix[q * n + q] = aqq + t * apq;
    matrix[p * n + q] = 0.0;
    matrix[q * n + p] = 0.0;
    for k in (0..n).filter(|&k| k != p && k != q) {
        let (akp, akq) = (matrix[p * n + k], matrix[q * n + k]);
        let (new_p, new_q) = (c * akp - s * akq, s * akp + c * akq);
        matrix[p * n + k] = new_p;
        matrix[k * n + p] = new_p;
        matrix[q * n + k] = new_q;
        matrix[k * n + q] = new_q;
    }
    let (before, after) = vectors.split_at_mut(q * n);
    let rows = before[p * n..(p + 1) * n].iter_mut().zip(&mut after[..n]);
    for (vp, vq) in rows {
        (*vp, *vq) = (c * *vp - s * *vq, s * *vp + c * *vq);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::dot;
    use crate::testing::{normal, rng};

    #[test]
    fn a_symmetric_matrix_is_put_together_again() {
        for n in [1, 2, 5, 30] {
            let mut rng = rng(n as u64);
            let half: Vec<f64> = (0..n * n).map(|_| normal(&mut rng)).collect();
            let mut a = vec![0.0; n * n];
            for i in 0..n {
                for j in 0..n {
                    a[i * n + j] = half[i * n + j] + half[j * n + i];
                }
            }
            let eigen = Eigen::symmetric(n, a.clone());
            assert!(eigen.values.is_sorted_by(|a, b| a >= b));
            let v = |i: usize| &eigen.vectors[i * n..(i + 1) * n];
            for i in 0..n {
                for j in 0..n {
                    let unit = f64::from(u8::from(i == j));
                    assert!((dot(v(i), v(j)) - unit).abs() < 1e-13);
                    let back: f64 = (0..n).map(|k| eigen.values[k] * v(k)[i] * v(k)[j]).sum();
                    assert!((back - a[i * n + j]).abs() < 1e-12 * n as f64);
                }
            }
        }
    }

    #[test]
    fn small_eigenvalues_keep_their_digits() {
        // [[1, r], [r, 1]] has eigenvalues 1 + r and 1 - r.
        let r = 1.0 - 1e-9;
        let eigen = Eigen::symmetric(2, vec![1.0, r, r, 1.0]);
        assert!((eigen.values[1] - (1.0 - r)).abs() < 1e-15);
        assert!((eigen.values[0] - (1.0 + r)).abs() < 1e-15);
        assert!(Eigen::symmetric(0, vec![]).values.is_empty());
        let zero = Eigen::symmetric(3, vec![0.0; 9]);
        assert!(zero.values.iter().all(|v| v.abs() < f64::MIN_POSITIVE));
    }
}
