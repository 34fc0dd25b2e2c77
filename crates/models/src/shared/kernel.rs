//! The one loss kernel of METHODS.md section 2, for learners that are trained by gradients.
//!
//! For a row of class y with scores f, weights w, margins A and factors D
//!
//! ```text
//! l(y, f) = w_y log(1 + sum_{j != y} exp(A[y][j] + D_j f_j - D_y f_y))
//! dl/df_j = w_y D_j (p_j - [j = y]),   p = softmax(D f + A[y, :])
//! d2l/df_j df_k = w_y D_j D_k (p_j [j = k] - p_j p_k)
//! ```
//!
//! Two classes have ONE score s, the log-odds of the second class, with f = (0, s); the loss is then
//! `w_y log(1 + exp(A[y][1 - y] - D_y (+-1) s))`, + for class 1. For D = 1 that is the kernel itself;
//! otherwise it is the binary form of Kini et al. (2021), in which the factor of the row's own class
//! scales its margin.
//!
//! A focal power g > 0 multiplies the loss by `q^g`, `q = 1 - p_y` (Lin et al. 2017). The gradient is then
//! that of cross-entropy times
//!
//! ```text
//! M = q^g - g p_y q^(g - 1) log p_y >= 0
//! ```
//!
//! The true second derivatives can be negative. [`Kernel::curvature`] gives M times those of
//! cross-entropy in their place: positive semi-definite, equal for g = 0, and what a step of reweighted
//! cross-entropy would use. A minimiser that takes it for the Hessian descends, but does not converge
//! quadratically.

use counterweight_core::{LossTerms, StageError, StageResult};

use super::elementary::{exp_all, ln_1p_all};
use super::task::Task;

/// The terms of the loss between the present classes.
#[derive(Clone, Debug)]
pub(crate) struct Kernel {
    n_classes: usize,
    weights: Vec<f64>,
    margins: Vec<f64>,
    factors: Vec<f64>,
    focal: f64,
}

impl Kernel {
    /// This kernel with the focal power `g`.
    ///
    /// # Errors
    /// [`StageError::Failed`] unless g is a number >= 0.
    pub(crate) fn with_focal(mut self, g: f64) -> StageResult<Self> {
        if !(g.is_finite() && g >= 0.0) {
            return Err(StageError::Failed(format!(
                "focal power {g} is not a number >= 0"
            )));
        }
        self.focal = g;
        Ok(self)
    }

    /// The kernel of `terms` between the present classes of `task`, focal power included: of the terms
    /// that the task was checked with, or of those that follow them in a schedule.
    ///
    /// # Errors
    /// [`StageError::Failed`] for terms of another number of classes or that are no numbers.
    pub(crate) fn of(task: &Task<'_>, terms: &LossTerms) -> StageResult<Self> {
        let k = task.n_classes;
        let shapes = [
            terms.weights.len(),
            terms.factors.len(),
            terms.margins.rows(),
            terms.margins.cols(),
        ];
        let present = || task.present.iter().copied();
        let pairs = || present().flat_map(|y| present().map(move |j| (y, j)));
        let sound = shapes.iter().all(|&len| len == k)
            && present().all(|y| terms.weights[y].is_finite() && terms.weights[y] >= 0.0)
            && present().all(|y| terms.factors[y].is_finite() && terms.factors[y] > 0.0)
            && pairs().all(|(y, j)| y == j || terms.margins.at(y, j).is_finite());
        if !sound {
            return Err(StageError::Failed(format!(
                "the loss has terms that are no numbers, or not for {k} classes"
            )));
        }
        let margin = |(y, j): (usize, usize)| if y == j { 0.0 } else { terms.margins.at(y, j) };
        Self {
            n_classes: task.n_present(),
            weights: present().map(|y| terms.weights[y]).collect(),
            margins: pairs().map(margin).collect(),
            factors: present().map(|y| terms.factors[y]).collect(),
            focal: 0.0,
        }
        .with_focal(terms.focal)
    }

    /// Whether there is a focal power: the loss is then not convex in the scores.
    pub(crate) fn is_focal(&self) -> bool {
        self.focal > 0.0
    }

    /// `(q^g, M)` for a row whose own class has the probability p = 1 - q and cross-entropy `ce`.
    fn focus(&self, p: f64, q: f64, ce: f64) -> (f64, f64) {
        let value = q.powf(self.focal);
        // -log p / q tends to 1 for q to 0: no pole for powers below 1.
        let ratio = if q > 0.0 { ce / q } else { 1.0 };
        // p log p tends to 0 for p to 0, where the cross-entropy may have overflowed.
        let bend = if p > 0.0 { p * ratio } else { 0.0 };
        (value, value * (1.0 + self.focal * bend))
    }

    /// Number of scores of a row: one for two classes, else one a class.
    pub(crate) fn n_scores(&self) -> usize {
        if self.n_classes == 2 {
            1
        } else {
            self.n_classes
        }
    }

    /// Loss of a row of class `y` with scores `f`; its gradient goes to `gradient`.
    pub(crate) fn loss(&self, y: usize, f: &[f64], gradient: &mut [f64]) -> f64 {
        let w = self.weights[y];
        if self.n_classes == 2 {
            let (against, sign, factor) = self.binary_margin(y, f[0]);
            gradient[0] = -w * factor * sign * sigmoid(against);
            let ce = softplus(against);
            if self.is_focal() {
                let (value, slope) = self.focus(sigmoid(-against), sigmoid(against), ce);
                gradient[0] *= slope;
                return w * value * ce;
            }
            return w * ce;
        }
        let log_sum = self.softmax(y, f, gradient);
        let own = self.factors[y] * f[y];
        let p = gradient[y];
        // 1 - p_y summed from the others, so that it keeps its digits when p_y is nearly 1.
        let others: f64 = (0..self.n_classes)
            .filter(|&j| j != y)
            .map(|j| gradient[j])
            .sum();
        gradient[y] = -others;
        if self.is_focal() {
            let ce = log_loss(log_sum - own, others);
            let (value, slope) = self.focus(p, others, ce);
            for (g, d) in gradient.iter_mut().zip(&self.factors) {
                *g *= w * d * slope;
            }
            return w * value * ce;
        }
        for (g, d) in gradient.iter_mut().zip(&self.factors) {
            *g *= w * d;
        }
        w * (log_sum - own)
    }

    /// Gradient and diagonal of [`Kernel::curvature`] of a row, a pair for each score: what a learner
    /// needs that steps along one score at a time.
    pub(crate) fn newton(&self, y: usize, f: &[f64], steps: &mut [[f64; 2]]) {
        let w = self.weights[y];
        if self.n_classes == 2 {
            let (against, sign, factor) = self.binary_margin(y, f[0]);
            let (q, p) = (sigmoid(against), sigmoid(-against));
            let focus = if self.is_focal() {
                w * self.focus(p, q, softplus(against)).1
            } else {
                w
            };
            steps[0] = [-focus * factor * sign * q, focus * factor * factor * q * p];
            return;
        }
        let margins = &self.margins[y * self.n_classes..(y + 1) * self.n_classes];
        let mut largest = f64::NEG_INFINITY;
        for (((step, f), d), a) in steps.iter_mut().zip(f).zip(&self.factors).zip(margins) {
            step[0] = d * f + a;
            largest = largest.max(step[0]);
        }
        let (own, mut total, mut others) = (steps[y][0], 0.0, 0.0);
        for (j, step) in steps.iter_mut().enumerate() {
            step[0] = (step[0] - largest).exp();
            total += step[0];
            // Summed from the others, so that 1 - p_y keeps its digits when p_y is nearly 1.
            others += if j == y { 0.0 } else { step[0] };
        }
        let scale = 1.0 / total;
        let (p, q) = (steps[y][0] * scale, others * scale);
        let focus = if self.is_focal() {
            let ce = log_loss(largest + total.ln() - own, q);
            w * self.focus(p, q, ce).1
        } else {
            w
        };
        for (j, (step, d)) in steps.iter_mut().zip(&self.factors).enumerate() {
            let p = step[0] * scale;
            let rest = if j == y { q } else { 1.0 - p };
            let push = if j == y { -q } else { p };
            *step = [focus * d * push, focus * d * d * p * rest];
        }
    }

    /// Second derivatives of a row's loss: `n_scores x n_scores`, row-major, the upper triangle. Under a
    /// focal power their positive surrogate (see the module).
    pub(crate) fn curvature(&self, y: usize, f: &[f64], p: &mut [f64], hessian: &mut [f64]) {
        let w = self.weights[y];
        if self.n_classes == 2 {
            let (against, _, factor) = self.binary_margin(y, f[0]);
            let (q, p) = (sigmoid(against), sigmoid(-against));
            hessian[0] = w * factor * factor * q * p;
            if self.is_focal() {
                hessian[0] *= self.focus(p, q, softplus(against)).1;
            }
            return;
        }
        let log_sum = self.softmax(y, f, p);
        let k = self.n_classes;
        let w = if self.is_focal() {
            let q: f64 = (0..k).filter(|&l| l != y).map(|l| p[l]).sum();
            let ce = log_loss(log_sum - self.factors[y] * f[y], q);
            w * self.focus(p[y], q, ce).1
        } else {
            w
        };
        for j in 0..k {
            let others: f64 = (0..k).filter(|&l| l != j).map(|l| p[l]).sum();
            let scale = w * self.factors[j] * p[j];
            hessian[j * k + j] = scale * self.factors[j] * others;
            for l in j + 1..k {
                hessian[j * k + l] = -scale * self.factors[l] * p[l];
            }
        }
    }

    /// The losses of `y.len()` rows, summed; their scores `f`, class by class (`n_scores x rows`), are
    /// replaced by their gradients. The same as [`Kernel::loss`] row by row, to rounding, and several
    /// times as fast. NaN where a score is no finite number.
    pub(crate) fn losses(&self, y: &[u32], f: &mut [f64], room: &mut Room) -> f64 {
        if self.n_classes == 2 {
            self.binary_losses(y, f, room)
        } else {
            self.softmax_losses(y, f, room)
        }
    }

    fn binary_losses(&self, y: &[u32], f: &mut [f64], room: &mut Room) -> f64 {
        let rows = y.len();
        let [signed, against, e, logs, _] = room.parts(rows);
        let signs = [-self.factors[0], self.factors[1]];
        let margins = [self.margins[1], self.margins[2]];
        for (i, &class) in y.iter().enumerate() {
            signed[i] = signs[class as usize];
            against[i] = margins[class as usize] - signed[i] * f[i];
            e[i] = -against[i].abs();
        }
        exp_all(e);
        ln_1p_all(e, logs);
        let mut value = 0.0;
        for (i, &class) in y.iter().enumerate() {
            let w = self.weights[class as usize];
            let share = 1.0 / (1.0 + e[i]);
            let (q, p) = if against[i] >= 0.0 {
                (share, e[i] * share)
            } else {
                (e[i] * share, share)
            };
            let ce = against[i].max(0.0) + logs[i];
            f[i] = -w * signed[i] * q;
            if self.is_focal() {
                let (scale, slope) = self.focus(p, q, ce);
                f[i] *= slope;
                value += w * scale * ce;
            } else {
                value += w * ce;
            }
        }
        value
    }

    fn softmax_losses(&self, y: &[u32], f: &mut [f64], room: &mut Room) -> f64 {
        let (rows, k) = (y.len(), self.n_classes);
        let [largest, own, others, scale, logs] = room.parts(rows);
        largest.fill(f64::NEG_INFINITY);
        let shifted = self.margins.iter().any(|a| a.abs() > 0.0);
        for (j, f) in f.chunks_exact_mut(rows).enumerate() {
            let factor = self.factors[j];
            if shifted {
                for (f, &class) in f.iter_mut().zip(y) {
                    *f = factor * *f + self.margins[class as usize * k + j];
                }
            } else {
                for f in f.iter_mut() {
                    *f *= factor;
                }
            }
            for (most, &f) in largest.iter_mut().zip(&*f) {
                *most = if f > *most { f } else { *most };
            }
        }
        for (i, &class) in y.iter().enumerate() {
            own[i] = f[class as usize * rows + i] - largest[i];
        }
        for f in f.chunks_exact_mut(rows) {
            for (f, most) in f.iter_mut().zip(&*largest) {
                *f -= most;
            }
        }
        exp_all(f);
        // The row's own class apart, so that 1 - p_y keeps its digits when p_y is nearly 1.
        for (i, &class) in y.iter().enumerate() {
            let at = class as usize * rows + i;
            scale[i] = f[at];
            f[at] = 0.0;
        }
        others.fill(0.0);
        for f in f.chunks_exact(rows) {
            for (sum, f) in others.iter_mut().zip(f) {
                *sum += f;
            }
        }
        // log(total), total = 1 + others where the row's own class has the largest score.
        for i in 0..rows {
            let rest = if own[i] < 0.0 { scale[i] - 1.0 } else { 0.0 };
            largest[i] = 0.0 * largest[i] + (others[i] + rest);
        }
        ln_1p_all(largest, logs);
        let mut value = 0.0;
        for (i, &class) in y.iter().enumerate() {
            let w = self.weights[class as usize];
            let total = others[i] + scale[i];
            // Infinite scores have left NaN behind, which no comparison above can hide.
            let ce = logs[i] - own[i];
            let slope = if self.is_focal() {
                let (p, q) = (scale[i] / total, others[i] / total);
                let (scale, slope) = self.focus(p, q, log_loss(ce, q));
                value += w * scale * log_loss(ce, q);
                slope
            } else {
                value += w * ce;
                1.0
            };
            scale[i] = w * slope / total;
        }
        for (j, f) in f.chunks_exact_mut(rows).enumerate() {
            let factor = self.factors[j];
            for (f, scale) in f.iter_mut().zip(&*scale) {
                *f *= factor * scale;
            }
        }
        for (i, &class) in y.iter().enumerate() {
            let class = class as usize;
            f[class * rows + i] = -self.factors[class] * scale[i] * others[i];
        }
        value
    }

    /// How far the scores speak against class y of two, the sign of y, and y's factor.
    fn binary_margin(&self, y: usize, s: f64) -> (f64, f64, f64) {
        let sign = if y == 1 { 1.0 } else { -1.0 };
        let factor = self.factors[y];
        (
            self.margins[y * 2 + 1 - y] - factor * sign * s,
            sign,
            factor,
        )
    }

    /// p = softmax(D f + A[y, :]); returns the log of the denominator.
    fn softmax(&self, y: usize, f: &[f64], p: &mut [f64]) -> f64 {
        let k = self.n_classes;
        let margins = &self.margins[y * k..(y + 1) * k];
        let mut largest = f64::NEG_INFINITY;
        for j in 0..k {
            p[j] = self.factors[j] * f[j] + margins[j];
            largest = largest.max(p[j]);
        }
        let mut total = 0.0;
        for value in p.iter_mut() {
            *value = (*value - largest).exp();
            total += *value;
        }
        for value in p.iter_mut() {
            *value /= total;
        }
        largest + total.ln()
    }

    /// Makes `to` this kernel with `offsets[j] - offsets[y]` added to its margins. An offset of negative
    /// infinity masks its class; the margins of a masked class's own rows stay as they were.
    pub(crate) fn offset_into(&self, offsets: &[f64], to: &mut Self) {
        let k = self.n_classes;
        for y in (0..k).filter(|&y| offsets[y].is_finite()) {
            for j in (0..k).filter(|&j| j != y) {
                to.margins[y * k + j] = self.margins[y * k + j] + (offsets[j] - offsets[y]);
            }
        }
    }

    /// The scores that minimise the loss when features say nothing, if the loss is a weighted
    /// cross-entropy of `f + o`: log of the weighted class mass minus the offsets. It is where the
    /// optimisers start, since from zero a large offset makes the first Newton step overshoot. With
    /// factors there is no such form, and dividing by them would start where the loss of a whole class
    /// is flat, from which no second derivative leads back: there the minimum is searched.
    pub(crate) fn null_scores(&self, mass: &[f64]) -> Vec<f64> {
        let k = self.n_classes;
        if self.factors.iter().any(|d| (d - 1.0).abs() > 0.0) {
            return self.searched_null_scores(mass);
        }
        let f: Vec<f64> = (0..k)
            .map(|j| (mass[j].ln() - self.margins[j]) / self.factors[j])
            .collect();
        if k == 2 {
            return vec![f[1] - f[0]];
        }
        let mean = f.iter().sum::<f64>() / k as f64;
        f.iter().map(|v| v - mean).collect()
    }
}

impl Kernel {
    /// The scores that minimise the loss when features say nothing, one score after the other by
    /// halving; exact to rounding for two classes, near for more.
    fn searched_null_scores(&self, mass: &[f64]) -> Vec<f64> {
        const SWEEPS: usize = 30;
        const REACH: f64 = 64.0;
        let c = self.n_scores();
        let mut f = vec![0.0; c];
        let mut gradient = vec![0.0; c];
        for _ in 0..if c == 1 { 1 } else { SWEEPS } {
            for j in 0..c {
                // The derivative in one score never falls, so its zero is where halving ends.
                let (mut low, mut high) = (f[j] - REACH, f[j] + REACH);
                for _ in 0..60 {
                    f[j] = f64::midpoint(low, high);
                    let mut slope = 0.0;
                    for (y, mass) in mass.iter().enumerate() {
                        if self.weights[y] > 0.0 {
                            self.loss(y, &f, &mut gradient);
                            slope += mass / self.weights[y] * gradient[j];
                        }
                    }
                    if slope > 0.0 {
                        high = f[j];
                    } else {
                        low = f[j];
                    }
                }
            }
            if c > 1 {
                let mean = f.iter().sum::<f64>() / c as f64;
                for f in &mut f {
                    *f -= mean;
                }
            }
        }
        f
    }
}

/// Room for [`Kernel::losses`], kept from block to block.
#[derive(Debug, Default)]
pub(crate) struct Room(Vec<f64>);

impl Room {
    fn parts(&mut self, rows: usize) -> [&mut [f64]; 5] {
        self.0.resize(5 * rows, 0.0);
        let (a, rest) = self.0.split_at_mut(rows);
        let (b, rest) = rest.split_at_mut(rows);
        let (c, rest) = rest.split_at_mut(rows);
        let (d, e) = rest.split_at_mut(rows);
        [a, b, c, d, e]
    }
}

/// Cross-entropy `-log(1 - q)`: given as `direct`, a difference that loses its digits for small q.
fn log_loss(direct: f64, q: f64) -> f64 {
    if q < 0.5 { -(-q).ln_1p() } else { direct }
}

/// `1 / (1 + exp(-x))`, without overflow on either side.
fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

/// `log(1 + exp(x))`, without overflow and with all digits for very negative x.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kernel(k: usize, numbers: &[f64], margin: f64, focal: f64) -> Kernel {
        let mut at = 0;
        let mut next = || {
            at += 1;
            numbers[at % numbers.len()]
        };
        let mut margins: Vec<f64> = (0..k * k).map(|_| margin * next()).collect();
        for j in 0..k {
            margins[j * k + j] = 0.0;
        }
        Kernel {
            n_classes: k,
            weights: (0..k).map(|_| 0.1 + next().abs()).collect(),
            factors: (0..k).map(|_| 0.2 + next().abs()).collect(),
            margins,
            focal,
        }
    }

    /// The definition, in the plainest form: `w ce (1 - exp(-ce))^g`, `ce = log(1 + sum exp(...))`.
    fn definition(kernel: &Kernel, y: usize, f: &[f64]) -> f64 {
        let k = kernel.n_classes;
        let sum: f64 = (0..k)
            .filter(|&j| j != y)
            .map(|j| {
                let gap = if k == 2 {
                    kernel.factors[y] * (1.0 - 2.0 * y as f64) * f[0]
                } else {
                    kernel.factors[j] * f[j] - kernel.factors[y] * f[y]
                };
                (kernel.margins[y * k + j] + gap).exp()
            })
            .sum();
        let ce = sum.ln_1p();
        kernel.weights[y] * ce * (-(-ce).exp_m1()).powf(kernel.focal)
    }

    proptest! {
        #[test]
        fn gradient_and_curvature_agree_with_differences(
            k in 2_usize..6,
            numbers in proptest::collection::vec(-3.0_f64..3.0, 47),
            focal in prop_oneof![Just(0.0), 0.1_f64..5.0],
        ) {
            let kernel = kernel(k, &numbers, 2.0, focal);
            let c = kernel.n_scores();
            let f: Vec<f64> = numbers[..c].to_vec();
            let (mut g, mut up, mut down) = (vec![0.0; c], vec![0.0; c], vec![0.0; c]);
            let (mut p, mut h) = (vec![0.0; k], vec![0.0; c * c]);
            let step = 1e-5;
            for y in 0..k {
                let value = kernel.loss(y, &f, &mut g);
                let expected = definition(&kernel, y, &f);
                prop_assert!((value - expected).abs() < 1e-12 * (1.0 + expected));
                kernel.curvature(y, &f, &mut p, &mut h);
                let mut steps = vec![[0.0; 2]; c];
                kernel.newton(y, &f, &mut steps);
                for (j, step) in steps.iter().enumerate() {
                    prop_assert!((step[0] - g[j]).abs() < 1e-12 * (1.0 + g[j].abs()));
                    let diagonal = h[j * c + j];
                    prop_assert!((step[1] - diagonal).abs() < 1e-12 * (1.0 + diagonal.abs()));
                }
                for j in 0..c {
                    let (mut above, mut below) = (f.clone(), f.clone());
                    above[j] += step;
                    below[j] -= step;
                    let slope = (kernel.loss(y, &above, &mut up)
                        - kernel.loss(y, &below, &mut down)) / (2.0 * step);
                    prop_assert!((slope - g[j]).abs() < 1e-6 * (1.0 + g[j].abs()));
                    for l in j..c {
                        let bend = (up[l] - down[l]) / (2.0 * step);
                        let found = h[j * c + l];
                        // Exact without a focal power; with one, a surrogate with its own test.
                        let agrees = (bend - found).abs() < 1e-5 * (1.0 + found.abs());
                        prop_assert!(agrees || focal > 0.0);
                    }
                }
            }
        }

        /// The surrogate is cross-entropy's curvature times the ratio of the two gradients, which makes it
        /// positive semi-definite.
        #[test]
        fn the_focal_surrogate_is_a_reweighted_cross_entropy(
            k in 2_usize..6,
            numbers in proptest::collection::vec(-3.0_f64..3.0, 47),
            focal in 0.1_f64..5.0,
        ) {
            let focused = kernel(k, &numbers, 2.0, focal);
            let plain = kernel(k, &numbers, 2.0, 0.0);
            let c = focused.n_scores();
            let f: Vec<f64> = numbers[..c].to_vec();
            let (mut a, mut b, mut p) = (vec![0.0; c], vec![0.0; c], vec![0.0; k]);
            let (mut h, mut exact) = (vec![0.0; c * c], vec![0.0; c * c]);
            for y in 0..k {
                focused.loss(y, &f, &mut a);
                plain.loss(y, &f, &mut b);
                focused.curvature(y, &f, &mut p, &mut h);
                plain.curvature(y, &f, &mut p, &mut exact);
                let own = if k == 2 { 0 } else { y };
                let m = a[own] / b[own];
                prop_assert!(m >= 0.0);
                for (a, b) in a.iter().zip(&b) {
                    prop_assert!((a - m * b).abs() < 1e-12 * (1.0 + a.abs()));
                }
                for (h, exact) in h.iter().zip(&exact) {
                    prop_assert!((h - m * exact).abs() < 1e-10 * (1.0 + h.abs()));
                }
            }
        }

        #[test]
        fn rows_together_are_as_rows_alone(
            k in 2_usize..6,
            rows in 1_usize..9,
            numbers in proptest::collection::vec(-3.0_f64..3.0, 61),
            margin in prop_oneof![Just(0.0), 0.1_f64..40.0],
            scale in 0.1_f64..300.0,
            focal in prop_oneof![Just(0.0), 0.1_f64..5.0],
        ) {
            let kernel = kernel(k, &numbers, margin, focal);
            let c = kernel.n_scores();
            let y: Vec<u32> = (0_u32..).take(rows).map(|i| i * 7 % u32::try_from(k).unwrap()).collect();
            let mut f: Vec<f64> = (0..c * rows).map(|i| scale * numbers[i]).collect();
            let (mut value, mut expected) = (0.0, Vec::new());
            for (i, &class) in y.iter().enumerate() {
                let row: Vec<f64> = (0..c).map(|j| f[j * rows + i]).collect();
                let mut g = vec![0.0; c];
                value += kernel.loss(class as usize, &row, &mut g);
                expected.push(g);
            }
            let found = kernel.losses(&y, &mut f, &mut Room::default());
            prop_assert!((found - value).abs() <= 1e-13 * (1.0 + value), "{} {}", found, value);
            for (i, g) in expected.iter().enumerate() {
                for (j, g) in g.iter().enumerate() {
                    let found = f[j * rows + i];
                    prop_assert!((found - g).abs() <= 1e-11 * g.abs() + 1e-300, "{} {}", found, g);
                }
            }
        }

        /// A prior of 1e-9 at tau = 1 is a margin of 21, at larger tau of a hundred; scores may be as large.
        #[test]
        fn extreme_margins_and_scores_stay_numbers(
            k in 2_usize..6,
            numbers in proptest::collection::vec(-3.0_f64..3.0, 47),
            scale in 1.0_f64..300.0,
            focal in prop_oneof![Just(0.0), 0.1_f64..5.0],
        ) {
            let kernel = kernel(k, &numbers, 40.0, focal);
            let c = kernel.n_scores();
            let f: Vec<f64> = numbers[..c].iter().map(|v| v * scale).collect();
            let (mut g, mut p, mut h) = (vec![0.0; c], vec![0.0; k], vec![0.0; c * c]);
            for y in 0..k {
                let value = kernel.loss(y, &f, &mut g);
                kernel.curvature(y, &f, &mut p, &mut h);
                prop_assert!(value.is_finite() && value >= 0.0, "{}", value);
                prop_assert!(g.iter().chain(&h).all(|v| v.is_finite()));
                let expected = definition(&kernel, y, &f);
                if expected.is_finite() {
                    prop_assert!((value - expected).abs() < 1e-9 * (1.0 + expected));
                }
                // A row pushes its own class up, never further than its weight, factor and power allow.
                let own = if k == 2 { 0 } else { y };
                let bound = kernel.weights[y] * kernel.factors[y] * (1.0 + focal);
                let push = if k == 2 && y == 0 { g[own] } else { -g[own] };
                prop_assert!((0.0..=bound * (1.0 + 1e-12)).contains(&push), "{} {}", push, bound);
                prop_assert!((0..c).all(|j| h[j * c + j] >= 0.0));
            }
        }
    }

    #[test]
    fn the_search_for_null_scores_ends_where_the_slope_vanishes() {
        for (k, factor) in [(2, 0.3), (4, 0.5)] {
            let mut kernel = kernel(k, &[0.3, -1.2, 0.8, 2.0, -0.4], 1.0, 0.0);
            for (j, d) in kernel.factors.iter_mut().enumerate() {
                *d = if j == 0 { 1.0 } else { factor };
            }
            let mass: Vec<f64> = [2000.0, 50.0, 1.25, 1.25][..k].to_vec();
            let f = kernel.null_scores(&mass);
            let (mut gradient, mut sum) = (vec![0.0; f.len()], vec![0.0; f.len()]);
            for (y, mass) in mass.iter().enumerate() {
                kernel.loss(y, &f, &mut gradient);
                for (s, g) in sum.iter_mut().zip(&gradient) {
                    *s += mass / kernel.weights[y] * g;
                }
            }
            assert!(sum.iter().all(|s| s.abs() < 1e-3 * mass[0]), "{k}: {sum:?}");
        }
    }

    #[test]
    fn nothing_overflows_at_the_ends() {
        for focal in [0.0, 0.5, 2.0] {
            let kernel = Kernel {
                n_classes: 3,
                weights: vec![1.0; 3],
                margins: vec![0.0; 9],
                factors: vec![1.0; 3],
                focal,
            };
            let mut g = [0.0; 3];
            let loss = kernel.loss(0, &[1e5, -1e5, 3.0], &mut g);
            assert!(loss.abs() < 1e-12 && g.iter().all(|g| g.is_finite()));
            let loss = kernel.loss(1, &[1e5, -1e5, 3.0], &mut g);
            assert!((loss - 2e5).abs() < 1e-6 && (g[1] + 1.0).abs() < 1e-12);
        }
        assert!((softplus(800.0) - 800.0).abs() < 1e-9);
        assert!(softplus(-50.0) > 0.0 && sigmoid(-800.0) >= 0.0);
    }

    #[test]
    fn scores_that_are_no_numbers_give_no_value() {
        for k in [2, 3] {
            for bad in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
                let kernel = kernel(k, &[0.5], 1.0, 0.0);
                let mut f = vec![0.5; kernel.n_scores() * 2];
                f[1] = bad;
                let value = kernel.losses(&[0, 1], &mut f, &mut Room::default());
                // A row may be infinitely right, and a class infinitely wrong.
                let sound = if k == 2 { bad > 0.0 } else { bad < 0.0 };
                assert!(!value.is_finite() || sound, "{k} {bad} {value}");
            }
        }
    }

    #[test]
    fn easy_rows_keep_their_digits() {
        // q = exp(-60): the loss is q^g q, which a difference of logarithms near 1 would lose.
        let row = |k: usize, focal: f64| {
            let kernel = kernel(k, &[0.0], 0.0, focal);
            let kernel = Kernel {
                weights: vec![1.0; k],
                factors: vec![1.0; k],
                ..kernel
            };
            let mut f = vec![-60.0; kernel.n_scores()];
            f[0] = if k == 2 { -60.0 } else { 0.0 };
            let mut g = vec![0.0; f.len()];
            let value = kernel.loss(0, &f, &mut g);
            (value, g)
        };
        for focal in [0.5, 1.0, 2.0] {
            let q = (-60.0_f64).exp();
            let (two, g) = row(2, focal);
            assert!((two / q.powf(focal + 1.0) - 1.0).abs() < 1e-12, "{two:e}");
            // dl/ds = M q with M = (1 + g) q^g for small q.
            assert!((g[0] / ((1.0 + focal) * q.powf(focal + 1.0)) - 1.0).abs() < 1e-12);
            let (three, g) = row(3, focal);
            let q = 2.0 * q;
            assert!((three / q.powf(focal + 1.0) - 1.0).abs() < 1e-12);
            assert!((g[0] / (-(1.0 + focal) * q.powf(focal + 1.0)) - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn a_power_that_is_no_number_is_refused() {
        let kernel = kernel(3, &[0.5], 1.0, 0.0);
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(kernel.clone().with_focal(bad).is_err());
        }
        assert!(kernel.with_focal(2.0).is_ok());
    }
}
