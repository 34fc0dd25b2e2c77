//! Sequential minimal optimisation of the dual of a support vector classifier.
//!
//! ```text
//! minimise 1/2 beta' K beta - y' beta    over   sum beta = 0,   beta_i between 0 and y_i C_i
//! ```
//! with `beta_i = y_i alpha_i` of the usual form. Each step moves the pair that promises the largest
//! decrease to second order (Fan, Chen, Lin 2005, WSS 2): i maximises `F = y - K beta` among the rows that
//! may rise, j maximises `(F_i - F_j)^2 / (K_ii + K_jj - 2 K_ij)` among those that may fall with
//! `F_j < F_i`. It stops when the largest `F_i - F_j` is below the tolerance, which is libsvm's rule.
//!
//! A row with `C_i = 0` takes no part, but its margin comes out too: that is how folds are left out.

use counterweight_core::{Deadline, StageResult};

use crate::kernel_rows::KernelRows;

/// Curvature of a pair of equal rows.
const TAU: f64 = 1e-12;
/// Most steps.
const STEPS: usize = 10_000_000;

/// The solution of one problem.
#[derive(Debug)]
pub struct Solution {
    /// `y_i alpha_i`.
    pub beta: Vec<f64>,
    /// Signed distance of every row, those that took no part included.
    pub margins: Vec<f64>,
    /// The intercept.
    pub bias: f64,
    /// Steps taken.
    pub steps: usize,
    /// Largest violation of the optimality conditions.
    pub violation: f64,
    /// The dual objective, in libsvm's sign: to be minimised.
    pub objective: f64,
}

/// Solves for signs `y` (1 or -1) and costs `c`.
///
/// # Errors
/// [`counterweight_core::StageError::Timeout`].
pub fn solve(
    kernel: &mut KernelRows<'_>,
    y: &[f64],
    c: &[f64],
    tolerance: f64,
    deadline: &Deadline,
) -> StageResult<Solution> {
    let n = y.len();
    let low: Vec<f64> = (0..n).map(|i| (y[i] * c[i]).min(0.0)).collect();
    let high: Vec<f64> = (0..n).map(|i| (y[i] * c[i]).max(0.0)).collect();
    let mut beta = vec![0.0; n];
    let mut f = y.to_vec();
    let mut steps = 0;
    let (top, bottom) = loop {
        if steps % 64 == 0 {
            deadline.check()?;
        }
        let mut top = f64::NEG_INFINITY;
        let mut i = n;
        for k in 0..n {
            if beta[k] < high[k] && f[k] > top {
                (top, i) = (f[k], k);
            }
        }
        let mut bottom = f64::INFINITY;
        let mut pair = None;
        if i < n {
            let row = kernel.row(i);
            let diagonal = kernel.diagonal();
            let mut best = 0.0;
            for k in 0..n {
                if beta[k] > low[k] {
                    bottom = bottom.min(f[k]);
                    let gap = top - f[k];
                    if gap > 0.0 {
                        let curvature = (diagonal[i] + diagonal[k] - 2.0 * row[k]).max(TAU);
                        let gain = gap * gap / curvature;
                        if gain > best {
                            best = gain;
                            pair = Some((k, gap / curvature));
                        }
                    }
                }
            }
        }
        let done = top - bottom < tolerance || steps == STEPS;
        let Some((j, step)) = pair.filter(|_| !done) else {
            break (top, bottom);
        };
        let (room_i, room_j) = (high[i] - beta[i], beta[j] - low[j]);
        let step = step.min(room_i).min(room_j);
        // Exactly onto the bound, so that it counts as reached.
        beta[i] = if step < room_i {
            beta[i] + step
        } else {
            high[i]
        };
        beta[j] = if step < room_j {
            beta[j] - step
        } else {
            low[j]
        };
        let (row_i, row_j) = (kernel.row(i), kernel.row(j));
        for ((f, a), b) in f.iter_mut().zip(&*row_i).zip(&*row_j) {
            *f -= step * (a - b);
        }
        steps += 1;
    };
    let free: Vec<f64> = (0..n)
        .filter(|&k| beta[k] > low[k] && beta[k] < high[k])
        .map(|k| f[k])
        .collect();
    let bias = if free.is_empty() {
        f64::midpoint(top, bottom)
    } else {
        free.iter().sum::<f64>() / free.len() as f64
    };
    let objective = -0.5 * (0..n).map(|k| beta[k] * (y[k] + f[k])).sum::<f64>();
    let margins = (0..n).map(|k| y[k] - f[k] + bias).collect();
    Ok(Solution {
        beta,
        margins,
        bias,
        steps,
        violation: (top - bottom).max(0.0),
        objective,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel_rows::Kernel;
    use crate::testing::{normal, rng};
    use counterweight_core::Matrix;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn the_solution_meets_the_optimality_conditions(
            seed in 0_u64..1000,
            n in 2_usize..60,
            d in 1_usize..4,
            log_cost in -2.0_f64..1.0,
            linear in any::<bool>(),
            // Duplicated rows with either sign, and rows that take no part.
            coarse in any::<bool>(),
            left_out in 0_usize..3,
        ) {
            let mut rng = rng(seed);
            let x = Matrix::from_fn(n, d, |_, _| {
                let z = normal(&mut rng);
                if coarse { z.round() } else { z }
            });
            let y: Vec<f64> = (0..n).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
            let cost = 10.0_f64.powf(log_cost);
            let c: Vec<f64> = (0..n)
                .map(|i| if i >= 2 && i % 7 < left_out { 0.0 } else { cost * (1.0 + y[i] / 2.0) })
                .collect();
            let kernel = if linear { Kernel::Linear } else { Kernel::Rbf { gamma: 0.5 } };
            let mut rows = KernelRows::new(kernel, &x);
            // Nearly equal rows at a high cost make the last digits dear: libsvm's steps are as small.
            let tolerance = 1e-5;
            let found = solve(&mut rows, &y, &c, tolerance, &Deadline::NEVER).unwrap();
            prop_assert!(found.violation < tolerance);
            let total: f64 = found.beta.iter().sum();
            prop_assert!(total.abs() < 1e-9 * cost * n as f64);
            for i in 0..n {
                let alpha = y[i] * found.beta[i];
                prop_assert!((0.0..=c[i]).contains(&alpha));
                // The margin, from scratch.
                let f = found.bias + (0..n)
                    .map(|k| found.beta[k] * kernel.value(x.row(i), x.row(k)))
                    .sum::<f64>();
                prop_assert!((f - found.margins[i]).abs() < 1e-7 * (1.0 + f.abs()));
                if c[i] > 0.0 {
                    let excess = y[i] * f - 1.0;
                    let slack = 1e-4 * (1.0 + f.abs());
                    // Not at the upper bound: on the right side; not at 0: not beyond the margin.
                    prop_assert!(alpha >= c[i] || excess > -slack, "{i}: {alpha} {excess}");
                    prop_assert!(alpha <= 0.0 || excess < slack, "{i}: {alpha} {excess}");
                }
            }
        }
    }

    #[test]
    fn two_points_have_a_closed_form() {
        // Linear, x = +-2: w = 1/2, alpha = 1/8 each, objective -1/8.
        let x = Matrix::from_vec(2, 1, vec![2.0, -2.0]).unwrap();
        let mut rows = KernelRows::new(Kernel::Linear, &x);
        let found = solve(
            &mut rows,
            &[1.0, -1.0],
            &[9.0, 9.0],
            1e-12,
            &Deadline::NEVER,
        )
        .unwrap();
        assert!((found.beta[0] - 0.125).abs() < 1e-15 && found.bias.abs() < 1e-15);
        assert!((found.objective + 0.125).abs() < 1e-15);
        assert_eq!(found.steps, 1);
    }

    #[test]
    fn a_passed_deadline_ends_it() {
        let x = Matrix::zeros(2, 1);
        let mut rows = KernelRows::new(Kernel::Linear, &x);
        let past = Deadline::at(std::time::Instant::now());
        std::thread::sleep(std::time::Duration::from_millis(2));
        assert!(solve(&mut rows, &[1.0, -1.0], &[1.0, 1.0], 1e-3, &past).is_err());
    }
}
