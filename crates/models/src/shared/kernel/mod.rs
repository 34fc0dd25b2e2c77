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

use super::task::Task;
use counterweight_numeric::elementary::{exp_all, ln_1p_all, sigmoids, softplus};

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
            let (q, p) = sigmoids(against);
            gradient[0] = -w * factor * sign * q;
            let ce = softplus(against);
            if self.is_focal() {
                let (value, slope) = self.focus(p, q, ce);
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
            let (q, p) = sigmoids(against);
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
            let (q, p) = sigmoids(against);
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
    /// Rows may have weights of their own, `own`.
    pub(crate) fn losses(
        &self,
        (y, own): (&[u32], Option<&[f64]>),
        f: &mut [f64],
        room: &mut Room,
    ) -> f64 {
        match (own, self.n_classes) {
            (None, 2) => self.binary_losses((y, |_| 1.0), f, room),
            (None, _) => self.softmax_losses((y, |_| 1.0), f, room),
            (Some(own), 2) => self.binary_losses((y, |i| own[i]), f, room),
            (Some(own), _) => self.softmax_losses((y, |i| own[i]), f, room),
        }
    }

    fn binary_losses(
        &self,
        (y, own): (&[u32], impl Fn(usize) -> f64),
        f: &mut [f64],
        room: &mut Room,
    ) -> f64 {
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
            let w = self.weights[class as usize] * own(i);
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

    fn softmax_losses(
        &self,
        (y, weight): (&[u32], impl Fn(usize) -> f64),
        f: &mut [f64],
        room: &mut Room,
    ) -> f64 {
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
            let w = self.weights[class as usize] * weight(i);
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

#[cfg(test)]
mod tests;
