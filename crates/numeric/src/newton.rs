//! Newton's method for convex losses of a few variables, from their value, gradient and Hessian, and the
//! logistic loss.

use counterweight_core::limit;

use crate::elementary::softplus;

/// Rounds after which a loss without a minimum (separable rows) is left where it is.
const ROUNDS: usize = 200;

/// Where the minimisation ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimum {
    /// The point.
    pub at: Vec<f64>,
    /// The value there.
    pub value: f64,
}

/// What calibrators ask of [`minimise`].
pub const TOLERANCE: f64 = 1e-18;

/// Minimises a convex function of a few variables. `f` gets a point, and a gradient and a Hessian (row by
/// row, zeroed) to fill; it gives the value. Stops where half of `tolerance`, as a share of the value, is
/// all that there is to lose.
pub fn minimise(
    start: Vec<f64>,
    tolerance: f64,
    mut f: impl FnMut(&[f64], &mut [f64], &mut [f64]) -> f64,
) -> Optimum {
    let n = start.len();
    let (mut gradient, mut hessian) = (vec![0.0; n], vec![0.0; n * n]);
    let mut at = start;
    let mut value = f(&at, &mut gradient, &mut hessian);
    let (mut next_gradient, mut next_hessian) = (vec![0.0; n], vec![0.0; n * n]);
    for _ in 0..ROUNDS {
        let step = downhill(&gradient, &hessian);
        let fall: f64 = gradient.iter().zip(&step).map(|(g, s)| g * s).sum();
        // Half of this is what the loss still has to lose.
        if fall <= tolerance * value.abs().max(1e-6) {
            break;
        }
        let mut length = 1.0;
        let mut moved = false;
        while length > 1e-10 {
            limit::ask();
            let to: Vec<f64> = at.iter().zip(&step).map(|(a, s)| a - length * s).collect();
            next_gradient.fill(0.0);
            next_hessian.fill(0.0);
            let found = f(&to, &mut next_gradient, &mut next_hessian);
            // A step within the rounding of the value still brings the gradient nearer to 0.
            if found.is_finite() && found <= value - 1e-4 * length * fall + 1e-15 * value.abs() {
                at = to;
                value = found;
                std::mem::swap(&mut gradient, &mut next_gradient);
                std::mem::swap(&mut hessian, &mut next_hessian);
                moved = true;
                break;
            }
            length *= 0.5;
        }
        if !moved {
            break;
        }
    }
    Optimum { at, value }
}

/// Solves `(H + damping) step = gradient` by Cholesky, with the least damping under which every pivot
/// is safely positive: directions that the loss does not see get no step.
fn downhill(gradient: &[f64], hessian: &[f64]) -> Vec<f64> {
    let n = gradient.len();
    let largest = (0..n).map(|i| hessian[i * n + i]).fold(0.0, f64::max);
    let mut damping = 1e-14 * largest + f64::MIN_POSITIVE;
    loop {
        if let Some(step) = solve(gradient, hessian, damping, largest * 1e-15) {
            return step;
        }
        damping = (damping * 100.0).max(1e-300);
        if !damping.is_finite() {
            return vec![0.0; n];
        }
    }
}

fn solve(gradient: &[f64], hessian: &[f64], damping: f64, least: f64) -> Option<Vec<f64>> {
    let n = gradient.len();
    let mut low = vec![0.0; n * n];
    for i in 0..n {
        limit::ask_at(i);
        for j in 0..=i {
            let mut sum = hessian[i * n + j];
            if i == j {
                sum += damping;
            }
            for k in 0..j {
                sum -= low[i * n + k] * low[j * n + k];
            }
            if i == j {
                if sum.is_nan() || sum <= least {
                    return None;
                }
                low[i * n + i] = sum.sqrt();
            } else {
                low[i * n + j] = sum / low[j * n + j];
            }
        }
    }
    let mut x = gradient.to_vec();
    for i in 0..n {
        for k in 0..i {
            x[i] -= low[i * n + k] * x[k];
        }
        x[i] /= low[i * n + i];
    }
    for i in (0..n).rev() {
        for k in i + 1..n {
            x[i] -= low[k * n + i] * x[k];
        }
        x[i] /= low[i * n + i];
    }
    x.iter().all(|v| v.is_finite()).then_some(x)
}

/// A row of a logistic loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row<const N: usize> {
    /// What the coefficients multiply.
    pub features: [f64; N],
    /// The share of 1 that is wanted, in [0, 1].
    pub target: f64,
    /// Factor on its loss.
    pub weight: f64,
}

impl<const N: usize> Row<N> {
    /// A row of weight 1.
    pub fn new(features: [f64; N], target: f64) -> Self {
        Self {
            features,
            target,
            weight: 1.0,
        }
    }
}

/// The logistic loss of `z = features . at` against the targets; gradient and Hessian are added to.
pub fn logistic<const N: usize>(
    rows: &[Row<N>],
    at: &[f64],
    gradient: &mut [f64],
    hessian: &mut [f64],
) -> f64 {
    let mut value = 0.0;
    for row in rows {
        let (x, target, weight) = (&row.features, row.target, row.weight);
        let z: f64 = x.iter().zip(at).map(|(x, a)| x * a).sum();
        value += weight * (softplus(z) - target * z);
        let p = 1.0 / (1.0 + (-z).exp());
        for i in 0..N {
            gradient[i] += weight * (p - target) * x[i];
            for j in 0..N {
                hessian[i * N + j] += weight * p * (1.0 - p) * x[i] * x[j];
            }
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quadratic_takes_one_step_and_a_flat_direction_none() {
        // (x - 3)^2 + 0 y.
        let found = minimise(vec![0.0, 7.0], TOLERANCE, |at, g, h| {
            g[0] = 2.0 * (at[0] - 3.0);
            h[0] = 2.0;
            (at[0] - 3.0).powi(2)
        });
        assert!((found.at[0] - 3.0).abs() < 1e-9 && (found.at[1] - 7.0).abs() < 1e-9);
    }

    #[test]
    fn a_logistic_loss_with_an_intercept_meets_the_mean() {
        let rows = [1.0, 0.0, 0.0, 0.0].map(|target| Row::new([1.0], target));
        let found = minimise(vec![0.0], TOLERANCE, |at, g, h| logistic(&rows, at, g, h));
        assert!((found.at[0] - (1.0_f64 / 3.0).ln()).abs() < 1e-12);
    }
}
