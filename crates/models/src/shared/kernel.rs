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

use super::task::Task;

/// The terms of the loss between the present classes.
#[derive(Clone, Debug)]
pub(crate) struct Kernel {
    n_classes: usize,
    weights: Vec<f64>,
    margins: Vec<f64>,
    factors: Vec<f64>,
}

impl Kernel {
    /// The kernel of a task with at least two present classes.
    pub(crate) fn new(task: &Task<'_>) -> Self {
        Self {
            n_classes: task.n_present(),
            weights: task.weights.clone(),
            margins: task.margins.clone(),
            factors: task.factors.clone(),
        }
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
            return w * softplus(against);
        }
        let log_sum = self.softmax(y, f, gradient);
        let own = self.factors[y] * f[y];
        // 1 - p_y summed from the others, so that it keeps its digits when p_y is nearly 1.
        let others: f64 = (0..self.n_classes)
            .filter(|&j| j != y)
            .map(|j| gradient[j])
            .sum();
        gradient[y] = -others;
        for (g, d) in gradient.iter_mut().zip(&self.factors) {
            *g *= w * d;
        }
        w * (log_sum - own)
    }

    /// The gradient of [`Kernel::loss`] alone: with two classes it takes a third of the time.
    pub(crate) fn gradient(&self, y: usize, f: &[f64], gradient: &mut [f64]) {
        if self.n_classes == 2 {
            let (against, sign, factor) = self.binary_margin(y, f[0]);
            gradient[0] = -self.weights[y] * factor * sign * sigmoid(against);
        } else {
            self.loss(y, f, gradient);
        }
    }

    /// Second derivatives of a row's loss: `n_scores x n_scores`, row-major, the upper triangle.
    pub(crate) fn curvature(&self, y: usize, f: &[f64], p: &mut [f64], hessian: &mut [f64]) {
        let w = self.weights[y];
        if self.n_classes == 2 {
            let (against, _, factor) = self.binary_margin(y, f[0]);
            hessian[0] = w * factor * factor * sigmoid(against) * sigmoid(-against);
            return;
        }
        self.softmax(y, f, p);
        let k = self.n_classes;
        for j in 0..k {
            let others: f64 = (0..k).filter(|&l| l != j).map(|l| p[l]).sum();
            let scale = w * self.factors[j] * p[j];
            hessian[j * k + j] = scale * self.factors[j] * others;
            for l in j + 1..k {
                hessian[j * k + l] = -scale * self.factors[l] * p[l];
            }
        }
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

    /// The scores that minimise the loss when features say nothing, if the loss is a weighted
    /// cross-entropy of `f + o`: log of the weighted class mass minus the offsets. It is where the
    /// optimisers start, since from zero a large offset makes the first Newton step overshoot.
    pub(crate) fn null_scores(&self, mass: &[f64]) -> Vec<f64> {
        let k = self.n_classes;
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

    fn kernel(k: usize, numbers: &[f64]) -> Kernel {
        let mut at = 0;
        let mut next = || {
            at += 1;
            numbers[at % numbers.len()]
        };
        let mut margins: Vec<f64> = (0..k * k).map(|_| 2.0 * next()).collect();
        for j in 0..k {
            margins[j * k + j] = 0.0;
        }
        Kernel {
            n_classes: k,
            weights: (0..k).map(|_| 0.1 + next().abs()).collect(),
            factors: (0..k).map(|_| 0.2 + next().abs()).collect(),
            margins,
        }
    }

    proptest! {
        #[test]
        fn gradient_and_curvature_agree_with_differences(
            k in 2_usize..6,
            numbers in proptest::collection::vec(-3.0_f64..3.0, 47),
        ) {
            let kernel = kernel(k, &numbers);
            let c = kernel.n_scores();
            let f: Vec<f64> = numbers[..c].to_vec();
            let (mut g, mut up, mut down) = (vec![0.0; c], vec![0.0; c], vec![0.0; c]);
            let (mut p, mut h) = (vec![0.0; k], vec![0.0; c * c]);
            let step = 1e-5;
            for y in 0..k {
                kernel.loss(y, &f, &mut g);
                kernel.curvature(y, &f, &mut p, &mut h);
                kernel.gradient(y, &f, &mut up);
                prop_assert_eq!(&up, &g);
                for j in 0..c {
                    let (mut above, mut below) = (f.clone(), f.clone());
                    above[j] += step;
                    below[j] -= step;
                    let slope = (kernel.loss(y, &above, &mut up)
                        - kernel.loss(y, &below, &mut down)) / (2.0 * step);
                    prop_assert!((slope - g[j]).abs() < 1e-6 * (1.0 + g[j].abs()));
                    for l in j..c {
                        let bend = (up[l] - down[l]) / (2.0 * step);
                        let exact = h[j * c + l];
                        prop_assert!((bend - exact).abs() < 1e-5 * (1.0 + exact.abs()));
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_overflows_at_the_ends() {
        let kernel = Kernel {
            n_classes: 3,
            weights: vec![1.0; 3],
            margins: vec![0.0; 9],
            factors: vec![1.0; 3],
        };
        let mut g = [0.0; 3];
        let loss = kernel.loss(0, &[1e5, -1e5, 3.0], &mut g);
        assert!(loss.abs() < 1e-12 && g.iter().all(|g| g.is_finite()));
        let loss = kernel.loss(1, &[1e5, -1e5, 3.0], &mut g);
        assert!((loss - 2e5).abs() < 1e-6 && (g[1] + 1.0).abs() < 1e-12);
        assert!((softplus(800.0) - 800.0).abs() < 1e-9);
        assert!(softplus(-50.0) > 0.0 && sigmoid(-800.0) >= 0.0);
    }
}
