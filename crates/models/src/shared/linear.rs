//! The objective of a linear model under the loss kernel, with its gradient and Hessian.
//!
//! `sum_i l(y_i, W x_i + b) + l2 / 2 * (sum of squared slopes [+ squared intercepts])`, over coefficients
//! stored class by class, each slopes then intercept. Rows are handled in blocks whose scores and scaled
//! features stay in the cache; products go through `ndarray`'s matrix product.

use ndarray::Axis;
use ndarray::linalg::general_mat_mul;

use crate::shared::kernel::Kernel;
use crate::shared::linalg::{view, view_mut};
use crate::shared::optimise::Objective;
use crate::shared::task::Task;

/// Rows handled together: their scores and scaled features stay in the cache.
const BLOCK: usize = 256;

/// What is penalised, and how much.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Penalties {
    /// Penalty on half the squared slopes.
    pub(crate) l2: f64,
    /// Whether intercepts are penalised like slopes.
    pub(crate) intercept: bool,
}

/// The objective over coefficients stored class by class, each slopes then intercept.
pub(crate) struct Problem<'a> {
    /// Features with a last column of ones, row-major.
    x: Vec<f64>,
    y: &'a [u32],
    kernel: Kernel,
    /// Columns of `x`.
    width: usize,
    /// Scores of a row.
    pub(crate) n_scores: usize,
    /// Penalty of each column of `x`.
    penalty: Vec<f64>,
    /// Scale of the gradient of each column of `x`.
    scale: Vec<f64>,
}

impl<'a> Problem<'a> {
    pub(crate) fn new(penalties: Penalties, task: &'a Task<'_>, kernel: Kernel) -> Self {
        let width = task.n_features() + 1;
        let mut x = Vec::with_capacity(task.n_rows() * width);
        let mut scale = vec![0.0; width];
        let factor = task.factors.iter().copied().fold(0.0, f64::max);
        for (i, &class) in task.y.iter().enumerate() {
            let weight = factor * task.weights[class as usize];
            for (s, v) in scale.iter_mut().zip(task.x.row(i)) {
                *s += weight * v.abs();
            }
            scale[width - 1] += weight;
            x.extend_from_slice(task.x.row(i));
            x.push(1.0);
        }
        let mut penalty = vec![penalties.l2; width];
        if !penalties.intercept {
            penalty[width - 1] = 0.0;
        }
        Self {
            x,
            y: &task.y,
            n_scores: kernel.n_scores(),
            kernel,
            width,
            penalty,
            scale,
        }
    }

    /// Coefficients with slopes 0.
    pub(crate) fn with_intercepts(&self, intercepts: &[f64]) -> Vec<f64> {
        let mut theta = vec![0.0; self.n_scores * self.width];
        for (row, b) in theta.chunks_exact_mut(self.width).zip(intercepts) {
            row[self.width - 1] = *b;
        }
        theta
    }

    /// Scores of all rows, row by row.
    pub(crate) fn scores(&self, theta: &[f64]) -> Vec<f64> {
        let n = self.y.len();
        let mut f = vec![0.0; n * self.n_scores];
        general_mat_mul(
            1.0,
            &view(n, self.width, &self.x),
            &view(self.n_scores, self.width, theta).t(),
            0.0,
            &mut view_mut(n, self.n_scores, &mut f),
        );
        f
    }

    /// The rows in blocks: features and classes.
    fn blocks(&self) -> impl Iterator<Item = (&[f64], &'a [u32])> {
        self.x.chunks(BLOCK * self.width).zip(self.y.chunks(BLOCK))
    }
}

impl Objective for Problem<'_> {
    fn value_gradient(&mut self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let (c, q) = (self.n_scores, self.width);
        let mut f = vec![0.0; BLOCK * c];
        let mut residual = vec![0.0; BLOCK * c];
        gradient.fill(0.0);
        let mut value = 0.0;
        for (x, y) in self.blocks() {
            let rows = y.len();
            let x = view(rows, q, x);
            general_mat_mul(
                1.0,
                &x,
                &view(c, q, theta).t(),
                0.0,
                &mut view_mut(rows, c, &mut f[..rows * c]),
            );
            let mut sum = 0.0;
            for (i, &class) in y.iter().enumerate() {
                let at = i * c..(i + 1) * c;
                sum += self
                    .kernel
                    .loss(class as usize, &f[at.clone()], &mut residual[at]);
            }
            value += sum;
            general_mat_mul(
                1.0,
                &view(rows, c, &residual[..rows * c]).t(),
                &x,
                1.0,
                &mut view_mut(c, q, gradient),
            );
        }
        for (g, t) in gradient.chunks_exact_mut(q).zip(theta.chunks_exact(q)) {
            for ((g, t), l2) in g.iter_mut().zip(t).zip(&self.penalty) {
                *g += l2 * t;
                value += 0.5 * l2 * t * t;
            }
        }
        value
    }

    fn relative(&self, gradient: &[f64]) -> f64 {
        gradient
            .chunks_exact(self.width)
            .flat_map(|g| g.iter().zip(&self.scale))
            .map(
                |(g, scale)| {
                    if g.abs() > 0.0 { g.abs() / scale } else { 0.0 }
                },
            )
            .fold(
                0.0,
                |worst, r| if r > worst || r.is_nan() { r } else { worst },
            )
    }

    fn hessian(&mut self, theta: &[f64]) -> Vec<f64> {
        let (c, q) = (self.n_scores, self.width);
        let p = c * q;
        let mut hessian = vec![0.0; p * p];
        let mut f = vec![0.0; BLOCK * c];
        let mut bends = vec![0.0; BLOCK * c * c];
        let mut probabilities = vec![0.0; self.kernel_classes()];
        let mut scaled = vec![0.0; BLOCK * q * c];
        for (x, y) in self.blocks() {
            let rows = y.len();
            general_mat_mul(
                1.0,
                &view(rows, q, x),
                &view(c, q, theta).t(),
                0.0,
                &mut view_mut(rows, c, &mut f[..rows * c]),
            );
            for (i, &class) in y.iter().enumerate() {
                self.kernel.curvature(
                    class as usize,
                    &f[i * c..(i + 1) * c],
                    &mut probabilities,
                    &mut bends[i * c * c..(i + 1) * c * c],
                );
            }
            // Block row j of the Hessian right of the diagonal, in one product: X' [h_jj X, ...].
            for j in 0..c {
                let wide = (c - j) * q;
                for i in 0..rows {
                    let row = &x[i * q..(i + 1) * q];
                    for l in j..c {
                        let bend = bends[i * c * c + j * c + l];
                        let at = i * wide + (l - j) * q;
                        for (s, v) in scaled[at..at + q].iter_mut().zip(row) {
                            *s = bend * v;
                        }
                    }
                }
                let block_row = view_mut(q, p, &mut hessian[j * q * p..(j + 1) * q * p]);
                let (_, mut part) = block_row.split_at(Axis(1), j * q);
                general_mat_mul(
                    1.0,
                    &view(rows, q, x).t(),
                    &view(rows, wide, &scaled[..rows * wide]),
                    1.0,
                    &mut part,
                );
            }
        }
        for j in 0..c {
            for (e, l2) in self.penalty.iter().enumerate() {
                let at = j * q + e;
                hessian[at * p + at] += l2;
            }
        }
        for i in 0..p {
            for j in 0..i {
                hessian[i * p + j] = hessian[j * p + i];
            }
        }
        hessian
    }

    fn curvature(&mut self, theta: &[f64]) -> Vec<f64> {
        let (c, q) = (self.n_scores, self.width);
        let mut diagonal = vec![0.0; c * q];
        let f = self.scores(theta);
        let mut bends = vec![0.0; c * c];
        let mut probabilities = vec![0.0; self.kernel_classes()];
        for (i, &class) in self.y.iter().enumerate() {
            self.kernel.curvature(
                class as usize,
                &f[i * c..(i + 1) * c],
                &mut probabilities,
                &mut bends,
            );
            let x = &self.x[i * q..(i + 1) * q];
            for (j, row) in diagonal.chunks_exact_mut(q).enumerate() {
                let bend = bends[j * c + j];
                for (d, v) in row.iter_mut().zip(x) {
                    *d += bend * v * v;
                }
            }
        }
        for row in diagonal.chunks_exact_mut(q) {
            for (d, l2) in row.iter_mut().zip(&self.penalty) {
                *d += l2;
            }
        }
        diagonal
    }
}

impl Problem<'_> {
    fn kernel_classes(&self) -> usize {
        self.n_scores.max(2)
    }
}
