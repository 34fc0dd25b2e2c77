//! The objective of a linear model under the loss kernel, with its gradient and Hessian.
//!
//! `sum_i l(y_i, W x_i + b) + l2 / 2 * (sum of squared slopes [+ squared intercepts])`, over coefficients
//! stored class by class, each slopes then intercept. A penalty on absolute values is known here but not part of
//! the smooth objective: [`lasso`](super::lasso) adds it. The rows are read where they lie, in blocks whose
//! scores stay in the cache. Up to three scores a row are products of our own, since a general matrix
//! product would spend its time on packing; more go through `ndarray`'s.

use counterweight_core::limit;
use ndarray::Axis;
use ndarray::linalg::general_mat_mul;

use crate::shared::kernel::{Kernel, Room};
use crate::shared::task::Task;
use crate::shared::views::{view, view_mut};
use counterweight_numeric::curvature::{Kronecker, Metric};
use counterweight_numeric::linalg::dot;
use counterweight_numeric::optimise::Objective;

/// Rows handled together: their scores and scaled features stay in the cache.
const BLOCK: usize = 256;
/// Most scores of a row whose products are our own.
const FEW: usize = 3;

/// What is penalised, and how much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Penalties {
    /// Penalty on half the squared slopes.
    pub(crate) l2: f64,
    /// Penalty on the absolute slopes.
    pub(crate) l1: f64,
    /// Whether intercepts are penalised like slopes.
    pub(crate) intercept: bool,
    /// Whether intercepts stay at 0.
    pub(crate) frozen: bool,
}

/// The objective over coefficients stored class by class, each slopes then intercept.
pub(crate) struct Problem<'a> {
    task: &'a Task<'a>,
    /// Features, row-major, without a column of ones.
    x: &'a [f64],
    y: &'a [u32],
    kernel: Kernel,
    /// Coefficients of a score: features and intercept.
    width: usize,
    /// What intercepts are multiplied by: 1, or 0 where they stay at 0.
    one: f64,
    /// Scores of a row.
    pub(crate) n_scores: usize,
    /// Penalty on half the square of each coefficient of a score.
    penalty: Vec<f64>,
    /// Penalty on the absolute value of each coefficient of a score.
    absolute: Vec<f64>,
    /// Scale of the gradient of each coefficient of a score.
    scale: Vec<f64>,
    /// Scores of a block, then their gradients.
    f: Vec<f64>,
    room: Room,
}

impl<'a> Problem<'a> {
    pub(crate) fn new(penalties: Penalties, task: &'a Task<'a>, kernel: Kernel) -> Self {
        let d = task.n_features();
        let mut scale = vec![0.0; d + 1];
        let factor = task.factors.iter().copied().fold(0.0, f64::max);
        for (i, &class) in task.y.iter().enumerate() {
            let weight = factor * (task.weights[class as usize] * task.own(i));
            for (s, v) in scale.iter_mut().zip(task.x.row(i)) {
                *s += weight * v.abs();
            }
            scale[d] += weight;
        }
        let mut penalty = vec![penalties.l2; d + 1];
        let mut absolute = vec![penalties.l1; d + 1];
        if penalties.frozen {
            // The second derivative of a coefficient that nothing moves.
            penalty[d] = 1.0;
            absolute[d] = 0.0;
        } else if !penalties.intercept {
            penalty[d] = 0.0;
            absolute[d] = 0.0;
        }
        let n_scores = kernel.n_scores();
        Self {
            task,
            x: task.x.as_slice(),
            y: &task.y,
            n_scores,
            kernel,
            width: d + 1,
            one: f64::from(u8::from(!penalties.frozen)),
            penalty,
            absolute,
            scale,
            f: vec![0.0; n_scores * BLOCK],
            room: Room::default(),
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
        let (c, d) = (self.n_scores, self.width - 1);
        let mut f = Vec::with_capacity(self.y.len() * c);
        let mut block = vec![0.0; c * BLOCK];
        for (at, y) in self.y.chunks(BLOCK).enumerate() {
            limit::ask();
            let rows = y.len();
            let from = at * BLOCK * d;
            let block = &mut block[..c * rows];
            forward(theta, &self.x[from..from + rows * d], self.width, block);
            for i in 0..rows {
                f.extend((0..c).map(|j| block[j * rows + i]));
            }
        }
        f
    }

    /// How many times the cost of a gradient the Hessian has: the symmetric half of n p^2 in a matrix
    /// product from the cache, against n p twice in thin ones.
    pub(crate) fn hessian_cost(&self) -> f64 {
        let (c, p) = (self.n_scores as f64, (self.n_scores * self.width) as f64);
        let n = self.y.len() as f64;
        1.0 + (p * (1.0 + 1.0 / c) / 10.0) * (1.0 + p / (3.0 * n))
    }

    /// Scale of the gradient of a coefficient, and the penalty on its absolute value.
    pub(crate) fn scale_and_penalty(&self, coefficient: usize) -> (f64, f64) {
        let e = coefficient % self.width;
        (self.scale[e], self.absolute[e])
    }

    /// Coefficients of a score: slopes, then the intercept.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Second derivatives at `theta` between the coefficients `e` of `columns`, of every score: score by
    /// score, row-major, both triangles.
    pub(crate) fn hessian_between(&mut self, theta: &[f64], columns: &[usize]) -> Vec<f64> {
        let (c, d, m) = (self.n_scores, self.d(), columns.len());
        let p = c * m;
        let mut hessian = vec![0.0; p * p];
        let mut f = vec![0.0; c];
        let mut bends = vec![0.0; BLOCK * c * c];
        let mut probabilities = vec![0.0; self.kernel_classes()];
        let mut part = vec![0.0; BLOCK * m];
        let mut scaled = vec![0.0; BLOCK * m * c];
        for (at, y) in self.y.chunks(BLOCK).enumerate() {
            limit::ask();
            let rows = y.len();
            let from = at * BLOCK * d;
            let x = &self.x[from..from + rows * d];
            let block = &mut self.f[..c * rows];
            forward(theta, x, self.width, block);
            for (i, &class) in y.iter().enumerate() {
                for (j, f) in f.iter_mut().enumerate() {
                    *f = block[j * rows + i];
                }
                let bends = &mut bends[i * c * c..(i + 1) * c * c];
                self.kernel
                    .curvature(class as usize, &f, &mut probabilities, bends);
                if let Some(own) = &self.task.own {
                    for bend in bends {
                        *bend *= own[at * BLOCK + i];
                    }
                }
            }
            if m == self.width {
                with_ones(x, (rows, self.one), m, &mut part);
            } else {
                for (i, part) in part[..rows * m].chunks_exact_mut(m).enumerate() {
                    for (to, &e) in part.iter_mut().zip(columns) {
                        *to = if e == d { self.one } else { x[i * d + e] };
                    }
                }
            }
            // Block row j of the Hessian right of the diagonal, in one product: X' [h_jj X, ...].
            for j in 0..c {
                limit::ask();
                let wide = (c - j) * m;
                for i in 0..rows {
                    let row = &part[i * m..(i + 1) * m];
                    for l in j..c {
                        let bend = bends[i * c * c + j * c + l];
                        let at = i * wide + (l - j) * m;
                        for (s, v) in scaled[at..at + m].iter_mut().zip(row) {
                            *s = bend * v;
                        }
                    }
                }
                let block_row = view_mut(m, p, &mut hessian[j * m * p..(j + 1) * m * p]);
                let (_, mut right) = block_row.split_at(Axis(1), j * m);
                general_mat_mul(
                    1.0,
                    &view(rows, m, &part[..rows * m]).t(),
                    &view(rows, wide, &scaled[..rows * wide]),
                    1.0,
                    &mut right,
                );
            }
        }
        for j in 0..c {
            for (at, &e) in columns.iter().enumerate() {
                let at = j * m + at;
                hessian[at * p + at] += self.penalty[e];
            }
        }
        for i in 0..p {
            for j in 0..i {
                hessian[i * p + j] = hessian[j * p + i];
            }
        }
        hessian
    }

    fn d(&self) -> usize {
        self.width - 1
    }
}

/// Scores of a block of rows, class by class (`scores x rows`).
fn forward(theta: &[f64], x: &[f64], width: usize, f: &mut [f64]) {
    let (c, d) = (theta.len() / width, width - 1);
    let rows = f.len() / c;
    if c <= FEW || d == 0 {
        for (w, f) in theta.chunks_exact(width).zip(f.chunks_exact_mut(rows)) {
            if d == 0 {
                f.fill(w[d]);
                continue;
            }
            for (f, x) in f.iter_mut().zip(x.chunks_exact(d)) {
                *f = dot(&w[..d], x) + w[d];
            }
        }
        return;
    }
    for (w, f) in theta.chunks_exact(width).zip(f.chunks_exact_mut(rows)) {
        f.fill(w[d]);
    }
    // Rows first: the product's tiles are longest there.
    general_mat_mul(
        1.0,
        &view(rows, d, x),
        &view(c, width, theta).split_at(Axis(1), d).0.t(),
        1.0,
        &mut view_mut(c, rows, f).reversed_axes(),
    );
}

/// Adds the products of the scores' gradients `f` (`scores x rows`) with the rows to `gradient`.
fn backward(f: &[f64], x: &[f64], width: usize, gradient: &mut [f64]) {
    let (c, d) = (gradient.len() / width, width - 1);
    let rows = f.len() / c;
    for (g, f) in gradient.chunks_exact_mut(width).zip(f.chunks_exact(rows)) {
        g[d] += f.iter().sum::<f64>();
    }
    if d == 0 {
        return;
    }
    if c > FEW {
        general_mat_mul(
            1.0,
            &view(rows, d, x).t(),
            &view(c, rows, f).t(),
            1.0,
            &mut view_mut(c, width, gradient)
                .split_at(Axis(1), d)
                .0
                .reversed_axes(),
        );
        return;
    }
    for (g, f) in gradient.chunks_exact_mut(width).zip(f.chunks_exact(rows)) {
        let g = &mut g[..d];
        // Four rows at a time: the sums are loaded and stored once for them.
        let (fours, rest) = f.as_chunks::<4>();
        let (x_fours, x_rest) = x.split_at(fours.len() * 4 * d);
        for (r, x) in fours.iter().zip(x_fours.chunks_exact(4 * d)) {
            let (x0, x) = x.split_at(d);
            let (x1, x) = x.split_at(d);
            let (x2, x3) = x.split_at(d);
            for ((((g, a), b), e), h) in g.iter_mut().zip(x0).zip(x1).zip(x2).zip(x3) {
                *g += (r[0] * a + r[1] * b) + (r[2] * e + r[3] * h);
            }
        }
        for (r, x) in rest.iter().zip(x_rest.chunks_exact(d)) {
            for (g, x) in g.iter_mut().zip(x) {
                *g += r * x;
            }
        }
    }
}

/// Copies rows, with `one` behind each.
fn with_ones(x: &[f64], (rows, one): (usize, f64), width: usize, to: &mut [f64]) {
    let d = width - 1;
    for (i, to) in to[..rows * width].chunks_exact_mut(width).enumerate() {
        to[..d].copy_from_slice(&x[i * d..(i + 1) * d]);
        to[d] = one;
    }
}

impl Objective for Problem<'_> {
    fn value_gradient(&mut self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let (c, q, d) = (self.n_scores, self.width, self.d());
        gradient.fill(0.0);
        let mut value = 0.0;
        for (at, y) in self.y.chunks(BLOCK).enumerate() {
            limit::ask();
            let rows = y.len();
            let from = at * BLOCK * d;
            let x = &self.x[from..from + rows * d];
            let f = &mut self.f[..c * rows];
            forward(theta, x, q, f);
            let own = self.task.own.as_ref();
            let own = own.map(|own| &own[at * BLOCK..][..rows]);
            value += self.kernel.losses((y, own), f, &mut self.room);
            backward(f, x, q, gradient);
        }
        for (g, t) in gradient.chunks_exact_mut(q).zip(theta.chunks_exact(q)) {
            g[d] *= self.one;
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
        let all: Vec<usize> = (0..self.width).collect();
        self.hessian_between(theta, &all)
    }

    /// At slopes of 0 all rows of a class have the same curvature, which factors into classes and
    /// features: its exact inverse where the loss is a cross-entropy of `f + o`, and a good metric for
    /// every other. Beyond some hundred features it costs more than it saves; then the diagonal.
    fn metric(&mut self, theta: &[f64]) -> Metric {
        let (c, q, d) = (self.n_scores, self.width, self.d());
        let n = self.y.len() as f64;
        let (wide, scores) = (q as f64, c as f64);
        let price = n * wide * wide / 8e9 + scores * wide.powi(3) / 9e9;
        if price > 100.0 * n * wide * scores * 2.0 / 2e9 {
            return Metric::Diagonal(self.curvature(theta));
        }
        let intercepts: Vec<f64> = theta.chunks_exact(q).map(|w| w[d]).collect();
        let mut classes = vec![0.0; c * c];
        let mut bend = vec![0.0; c * c];
        let mut probabilities = vec![0.0; self.kernel_classes()];
        let mass = self.task.mass();
        let total: f64 = mass.iter().sum();
        for (y, rows) in self.task.masses().iter().enumerate() {
            self.kernel
                .curvature(y, &intercepts, &mut probabilities, &mut bend);
            let share = rows / total;
            for j in 0..c {
                for l in j..c {
                    classes[j * c + l] += share * bend[j * c + l];
                }
            }
        }
        for j in 0..c {
            for l in 0..j {
                classes[j * c + l] = classes[l * c + j];
            }
        }
        let mut features = vec![0.0; q * q];
        let mut ones = vec![0.0; BLOCK * q];
        let mut scaled = vec![0.0; BLOCK * q];
        for (at, y) in self.y.chunks(BLOCK).enumerate() {
            limit::ask();
            let rows = y.len();
            let from = at * BLOCK * d;
            with_ones(
                &self.x[from..from + rows * d],
                (rows, self.one),
                q,
                &mut ones,
            );
            for (i, &class) in y.iter().enumerate() {
                let w = self.task.weights[class as usize] * self.task.own(at * BLOCK + i);
                let at = i * q..(i + 1) * q;
                for (s, v) in scaled[at.clone()].iter_mut().zip(&ones[at]) {
                    *s = w * v;
                }
            }
            general_mat_mul(
                1.0,
                &view(rows, q, &ones[..rows * q]).t(),
                &view(rows, q, &scaled[..rows * q]),
                1.0,
                &mut view_mut(q, q, &mut features),
            );
        }
        Metric::Kronecker(Kronecker::new(&classes, &features, &self.penalty))
    }
}

impl Problem<'_> {
    fn kernel_classes(&self) -> usize {
        self.n_scores.max(2)
    }

    /// Diagonal of the second derivatives at `theta`.
    fn curvature(&self, theta: &[f64]) -> Vec<f64> {
        let (c, q, d) = (self.n_scores, self.width, self.d());
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
            let x = &self.x[i * d..(i + 1) * d];
            for (j, row) in diagonal.chunks_exact_mut(q).enumerate() {
                let bend = bends[j * c + j] * self.task.own(i);
                for (sum, v) in row.iter_mut().zip(x) {
                    *sum += bend * v * v;
                }
                row[d] += self.one * bend;
            }
        }
        for row in diagonal.chunks_exact_mut(q) {
            for (sum, l2) in row.iter_mut().zip(&self.penalty) {
                *sum += l2;
            }
        }
        diagonal
    }
}
