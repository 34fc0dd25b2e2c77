//! The support vectors of a soft-margin SVM with a Gaussian kernel, by sequential minimal optimisation
//! with second-order working sets (Fan, Chen and Lin 2005).
//!
//! Only what SVM-SMOTE asks: which rows have a multiplier above 0. The choice of pairs, its ties and
//! the stopping rule are those of libsvm, so that the same rows come out where its shrinking and its
//! single-precision kernel make no difference.

use counterweight_core::{Deadline, Matrix, StageResult};

/// Gap between the most violating pair at which the optimum counts as found.
const TOLERANCE: f64 = 1e-3;
/// Bytes of kernel rows that are kept.
const CACHE: usize = 200 << 20;
/// Curvature in the place of one that is not positive.
const FLAT: f64 = 1e-12;

/// The problem: rows of `x`, the first `positives` of `rows` against the others.
#[derive(Debug)]
pub(crate) struct Problem<'a> {
    /// All rows.
    pub(crate) x: &'a Matrix,
    /// The rows that take part, those of the positive class first.
    pub(crate) rows: &'a [usize],
    /// How many of them are positive.
    pub(crate) positives: usize,
    /// Factor on the squared distance in the kernel `exp(-gamma d^2)`.
    pub(crate) gamma: f64,
    /// Largest multiplier.
    pub(crate) c: f64,
}

/// `1 / (columns * variance of all values)`, or 1 where they do not vary.
pub(crate) fn scale_gamma(x: &Matrix) -> f64 {
    let values = x.as_slice();
    let n = values.len() as f64;
    let mean = values.iter().map(|v| v / n).sum::<f64>();
    let variance = values.iter().map(|v| (v - mean).powi(2) / n).sum::<f64>();
    if variance > 0.0 {
        1.0 / (x.cols() as f64 * variance)
    } else {
        1.0
    }
}

struct Solver<'a> {
    problem: &'a Problem<'a>,
    alpha: Vec<f64>,
    gradient: Vec<f64>,
    kernel: Vec<Option<Vec<f64>>>,
    /// Positions whose kernel row is kept, oldest first.
    kept: std::collections::VecDeque<usize>,
}

/// The multipliers, in the order of `rows`.
///
/// # Errors
/// [`StageError::Timeout`](counterweight_core::StageError::Timeout).
pub(crate) fn solve(problem: &Problem<'_>, deadline: &Deadline) -> StageResult<Vec<f64>> {
    let n = problem.rows.len();
    let mut solver = Solver {
        problem,
        alpha: vec![0.0; n],
        gradient: vec![-1.0; n],
        kernel: vec![None; n],
        kept: std::collections::VecDeque::new(),
    };
    // libsvm's bound; the gap closes long before on data that are not degenerate.
    let most = n.saturating_mul(100).max(10_000_000);
    for _ in 0..most {
        deadline.check()?;
        let Some((i, j)) = solver.working_set() else {
            break;
        };
        solver.step(i, j);
    }
    Ok(solver.alpha)
}

impl Solver<'_> {
    fn sign(&self, at: usize) -> f64 {
        if at < self.problem.positives {
            1.0
        } else {
            -1.0
        }
    }

    /// Whether the multiplier may still move so that `sign * alpha` grows.
    fn can_rise(&self, at: usize) -> bool {
        if at < self.problem.positives {
            self.alpha[at] < self.problem.c
        } else {
            self.alpha[at] > 0.0
        }
    }

    fn can_fall(&self, at: usize) -> bool {
        if at < self.problem.positives {
            self.alpha[at] > 0.0
        } else {
            self.alpha[at] < self.problem.c
        }
    }

    /// Makes sure that the kernel row is there.
    fn load(&mut self, at: usize) {
        if self.kernel[at].is_some() {
            return;
        }
        let n = self.problem.rows.len();
        let room = (CACHE / (8 * n.max(1))).max(2);
        while self.kept.len() >= room {
            if let Some(oldest) = self.kept.pop_front() {
                self.kernel[oldest] = None;
            }
        }
        let mine = self.problem.x.row(self.problem.rows[at]);
        let row = self.problem.rows.iter().map(|&other| {
            let squared = super::kmeans::squared_distance(mine, self.problem.x.row(other));
            (-self.problem.gamma * squared).exp()
        });
        self.kernel[at] = Some(row.collect());
        self.kept.push_back(at);
    }

    fn row(&self, at: usize) -> &[f64] {
        self.kernel[at].as_deref().expect("the row was loaded")
    }

    /// The pair to optimise next; `None` at the optimum. Of equals the last one, as in libsvm.
    fn working_set(&mut self) -> Option<(usize, usize)> {
        let n = self.alpha.len();
        let mut top = (f64::NEG_INFINITY, None);
        for t in 0..n {
            let rise = -self.sign(t) * self.gradient[t];
            if self.can_rise(t) && rise >= top.0 {
                top = (rise, Some(t));
            }
        }
        let (most, i) = (top.0, top.1?);
        self.load(i);
        let row = self.row(i);
        let mut least = f64::INFINITY;
        let mut best = (f64::INFINITY, None);
        for (t, kernel) in row.iter().enumerate() {
            if !self.can_fall(t) {
                continue;
            }
            let rise = -self.sign(t) * self.gradient[t];
            least = least.min(rise);
            let gap = most - rise;
            if gap > 0.0 {
                // Both diagonal entries of a Gaussian kernel are 1.
                let curvature = 2.0 - 2.0 * kernel;
                let gain = -(gap * gap) / if curvature > 0.0 { curvature } else { FLAT };
                if gain <= best.0 {
                    best = (gain, Some(t));
                }
            }
        }
        if most - least < TOLERANCE {
            return None;
        }
        Some((i, best.1?))
    }

    /// Moves the pair to its optimum inside the box.
    fn step(&mut self, i: usize, j: usize) {
        self.load(j);
        // Loading j may have dropped i from a cache of two.
        self.load(i);
        let c = self.problem.c;
        let (si, sj) = (self.sign(i), self.sign(j));
        let curvature = 2.0 - 2.0 * self.row(i)[j];
        let curvature = if curvature > 0.0 { curvature } else { FLAT };
        let (old_i, old_j) = (self.alpha[i], self.alpha[j]);
        // Along `si alpha_i + sj alpha_j = const`.
        let by = (-si * self.gradient[i] + sj * self.gradient[j]) / curvature;
        let (mut a, mut b) = (old_i + si * by, old_j - sj * by);
        if si * sj < 0.0 {
            let difference = old_i - old_j;
            if difference > 0.0 && b < 0.0 {
                (a, b) = (difference, 0.0);
            } else if difference <= 0.0 && a < 0.0 {
                (a, b) = (0.0, -difference);
            }
            if difference > 0.0 && a > c {
                (a, b) = (c, c - difference);
            } else if difference <= 0.0 && b > c {
                (a, b) = (c + difference, c);
            }
        } else {
            let sum = old_i + old_j;
            if sum > c && a > c {
                (a, b) = (c, sum - c);
            } else if sum <= c && b < 0.0 {
                (a, b) = (sum, 0.0);
            }
            if sum > c && b > c {
                (a, b) = (sum - c, c);
            } else if sum <= c && a < 0.0 {
                (a, b) = (0.0, sum);
            }
        }
        self.alpha[i] = a;
        self.alpha[j] = b;
        let (move_i, move_j) = (si * (a - old_i), sj * (b - old_j));
        let Self {
            problem,
            gradient,
            kernel,
            ..
        } = self;
        let row = |at: usize| kernel[at].as_deref().expect("both rows were loaded");
        for (t, (gradient, (ki, kj))) in gradient
            .iter_mut()
            .zip(row(i).iter().zip(row(j)))
            .enumerate()
        {
            let sign = if t < problem.positives { 1.0 } else { -1.0 };
            *gradient += sign * (move_i * ki + move_j * kj);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::stream;
    use rand::RngExt as _;

    #[test]
    fn the_optimum_meets_its_conditions() {
        let mut stream = stream(4);
        let n = 80;
        let x = Matrix::from_fn(n, 2, |i, _| {
            let z: f64 = stream.sample(rand_distr::StandardNormal);
            z + if i < 30 { 1.0 } else { 0.0 }
        });
        let rows: Vec<usize> = (0..n).collect();
        let problem = Problem {
            x: &x,
            rows: &rows,
            positives: 30,
            gamma: scale_gamma(&x),
            c: 1.0,
        };
        let alpha = solve(&problem, &Deadline::NEVER).unwrap();
        let sign = |i: usize| if i < 30 { 1.0 } else { -1.0 };
        let balance: f64 = (0..n).map(|i| sign(i) * alpha[i]).sum();
        assert!(balance.abs() < 1e-9);
        assert!(alpha.iter().all(|a| (0.0..=1.0).contains(a)));
        // The margin of each row: at least 1 - b for multipliers at 0, at most for those at C.
        let score = |i: usize| -> f64 {
            (0..n)
                .map(|j| {
                    let d = super::super::kmeans::squared_distance(x.row(i), x.row(j));
                    sign(j) * alpha[j] * (-problem.gamma * d).exp()
                })
                .sum()
        };
        let free: Vec<usize> = (0..n)
            .filter(|&i| alpha[i] > 0.0 && alpha[i] < 1.0)
            .collect();
        let bias = sign(free[0]) - score(free[0]);
        for (i, &alpha) in alpha.iter().enumerate() {
            let margin = sign(i) * (score(i) + bias);
            if alpha <= 0.0 {
                assert!(margin > 1.0 - 2.0 * TOLERANCE, "{i}: {margin}");
            } else if alpha >= 1.0 {
                assert!(margin < 1.0 + 2.0 * TOLERANCE, "{i}: {margin}");
            } else {
                assert!((margin - 1.0).abs() < 2.0 * TOLERANCE, "{i}: {margin}");
            }
        }
    }

    #[test]
    fn equal_rows_of_both_classes_end() {
        let x = Matrix::zeros(6, 2);
        let rows: Vec<usize> = (0..6).collect();
        let problem = Problem {
            x: &x,
            rows: &rows,
            positives: 2,
            gamma: scale_gamma(&x),
            c: 1.0,
        };
        let alpha = solve(&problem, &Deadline::NEVER).unwrap();
        assert!(alpha[..2].iter().all(|a| (a - 1.0).abs() < 1e-12));
    }
}
