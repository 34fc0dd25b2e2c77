//! A linear model with a penalty on absolute slopes: proximal Newton on a working set.
//!
//! The objective is `F(theta) = f(theta) + sum_j lambda_j |theta_j|` with f the smooth part of
//! [`Problem`], its squared penalty included. A point is optimal where for every coefficient
//!
//! ```text
//! g_j + lambda_j sign(theta_j) = 0     if theta_j != 0
//! |g_j| <= lambda_j                    if theta_j = 0
//! ```
//!
//! and [`residual`] is how far it is from that, relative to the scale of the gradient: the tolerance is
//! compared with it.
//!
//! Each step minimises the second-order model plus the penalty over the working set (coefficients that are
//! not zero, not penalised, or violate their condition), then searches along the line. The model is
//! minimised by coordinate descent, which finds the zeros, and ends with the linear system of the others as
//! soon as that keeps their signs: exact, so that the outer steps converge quadratically. Only the columns
//! of the working set enter the Hessian, so that a sparse solution costs little among many columns.
//!
//! References: Lee, Sun and Saunders (2014), Proximal Newton-type methods for minimizing composite
//! functions, SIAM J. Optim. 24(3). Friedman, Hastie and Tibshirani (2010), Regularization paths for
//! generalized linear models via coordinate descent, J. Stat. Softw. 33(1).

use counterweight_core::{Deadline, StageResult};

use super::linear::Problem;
use counterweight_numeric::linalg::{SemiCholesky, add_scaled, dot};
use counterweight_numeric::optimise::{Objective, Solution, Stop};

/// Outer steps; quadratic convergence needs about ten.
const STEPS: usize = 500;
/// Sweeps of coordinate descent within a step.
const SWEEPS: usize = 10_000;

/// Distance of a coefficient from its optimality condition.
fn violation(theta: f64, gradient: f64, lambda: f64) -> f64 {
    if theta.abs() > 0.0 {
        (gradient + lambda * theta.signum()).abs()
    } else {
        (gradient.abs() - lambda).max(0.0)
    }
}

/// Largest distance from the optimality conditions, relative to the scale of the gradient; NaN if any is.
pub(crate) fn residual(problem: &Problem<'_>, theta: &[f64], gradient: &[f64]) -> f64 {
    let mut worst = 0.0;
    for (j, (t, g)) in theta.iter().zip(gradient).enumerate() {
        let (scale, lambda) = problem.scale_and_penalty(j);
        let v = violation(*t, *g, lambda);
        let relative = if v > 0.0 || v.is_nan() {
            v / scale
        } else {
            0.0
        };
        if relative > worst || relative.is_nan() {
            worst = relative;
        }
    }
    worst
}

/// Minimises the penalised objective.
///
/// # Errors
/// [`StageError::Timeout`](counterweight_core::StageError::Timeout) past the deadline.
pub(crate) fn proximal_newton(
    problem: &mut Problem<'_>,
    start: Vec<f64>,
    tolerance: f64,
    deadline: Deadline,
) -> StageResult<Solution> {
    let mut theta = start;
    let mut gradient = vec![0.0; theta.len()];
    let mut value = problem.value_gradient(&theta, &mut gradient) + penalty(problem, &theta);
    for iteration in 0..=STEPS {
        deadline.check()?;
        let here = residual(problem, &theta, &gradient);
        let end = |stop, theta| Solution {
            theta,
            iterations: iteration,
            relative_gradient: here,
            stop,
        };
        if here <= tolerance {
            return Ok(end(Stop::Converged, theta));
        }
        if iteration == STEPS {
            return Ok(end(Stop::Iterations, theta));
        }
        let Some(step) = step(problem, &theta, &gradient, deadline)? else {
            return Ok(end(Stop::Stuck, theta));
        };
        // The decrease that the first-order model and the penalty promise for the whole step.
        let promise = |t: f64, moved: &[f64], lambda_now: f64, problem: &Problem<'_>| {
            t * dot(&gradient, &step) + (penalty(problem, moved) - lambda_now)
        };
        let lambda_now = penalty(problem, &theta);
        let slack = 2e-13 * value.abs();
        let mut t = 1.0;
        let mut next = None;
        while t > 1e-12 {
            let mut moved = theta.clone();
            for ((m, s), old) in moved.iter_mut().zip(&step).zip(&theta) {
                // A whole step to zero has to arrive there.
                *m = if (old + s).abs() > 0.0 || t < 1.0 {
                    old + t * s
                } else {
                    0.0
                };
            }
            let mut there = vec![0.0; theta.len()];
            let reached = problem.value_gradient(&moved, &mut there) + penalty(problem, &moved);
            if reached <= value + 1e-4 * promise(t, &moved, lambda_now, problem) + slack {
                next = Some((moved, reached, there));
                break;
            }
            t *= 0.5;
        }
        let Some((moved, reached, there)) = next else {
            return Ok(end(Stop::Stuck, theta));
        };
        (theta, value, gradient) = (moved, reached, there);
    }
    unreachable!("the last iteration stops")
}

fn penalty(problem: &Problem<'_>, theta: &[f64]) -> f64 {
    let part = |(j, t): (usize, &f64)| problem.scale_and_penalty(j).1 * t.abs();
    theta.iter().enumerate().map(part).sum()
}

/// The step to the minimum of the second-order model over the working set; `None` if it is no number.
fn step(
    problem: &mut Problem<'_>,
    theta: &[f64],
    gradient: &[f64],
    deadline: Deadline,
) -> StageResult<Option<Vec<f64>>> {
    let width = problem.width();
    let scores = theta.len() / width;
    let counts = |j: usize| {
        let (_, lambda) = problem.scale_and_penalty(j);
        theta[j].abs() > 0.0 || lambda <= 0.0 || gradient[j].abs() > lambda
    };
    let columns: Vec<usize> = (0..width)
        .filter(|&e| (0..scores).any(|k| counts(k * width + e)))
        .collect();
    let hessian = problem.hessian_between(theta, &columns);
    let at: Vec<usize> = (0..scores)
        .flat_map(|k| columns.iter().map(move |e| k * width + e))
        .collect();
    let mut model = Model {
        hessian,
        lambda: at.iter().map(|&j| problem.scale_and_penalty(j).1).collect(),
        scale: at.iter().map(|&j| problem.scale_and_penalty(j).0).collect(),
        z: at.iter().map(|&j| theta[j]).collect(),
        slope: at.iter().map(|&j| gradient[j]).collect(),
    };
    model.minimise(deadline)?;
    let mut step = vec![0.0; theta.len()];
    for (&j, z) in at.iter().zip(&model.z) {
        step[j] = z - theta[j];
    }
    Ok(step.iter().all(|s| s.is_finite()).then_some(step))
}

/// `slope'(z - theta) + (z - theta)' H (z - theta) / 2 + sum lambda |z|`; `slope` is kept as the gradient of
/// the smooth part at z.
struct Model {
    hessian: Vec<f64>,
    lambda: Vec<f64>,
    scale: Vec<f64>,
    z: Vec<f64>,
    slope: Vec<f64>,
}

impl Model {
    fn row(&self, j: usize) -> &[f64] {
        let m = self.z.len();
        &self.hessian[j * m..(j + 1) * m]
    }

    fn worst(&self) -> f64 {
        (0..self.z.len())
            .map(|j| violation(self.z[j], self.slope[j], self.lambda[j]) / self.scale[j])
            .fold(0.0, |worst, v| if v > worst { v } else { worst })
    }

    fn minimise(&mut self, deadline: Deadline) -> StageResult<()> {
        let first = self.worst();
        for sweep in 0..SWEEPS {
            self.sweep();
            // Sweeps find the zeros; a linear system finds the rest. Ever rarer, since it costs more.
            if sweep.is_power_of_two() || sweep % 64 == 63 {
                deadline.check()?;
                if self.solve_signed() || self.worst() <= 1e-14 * first {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Each coordinate to its minimum, in order.
    fn sweep(&mut self) {
        for j in 0..self.z.len() {
            let bend = self.row(j)[j];
            if bend <= 0.0 {
                continue;
            }
            let free = self.z[j] - self.slope[j] / bend;
            let shrink = self.lambda[j] / bend;
            let new = if free > shrink {
                free - shrink
            } else if free < -shrink {
                free + shrink
            } else {
                0.0
            };
            let change = new - self.z[j];
            if change.abs() > 0.0 {
                self.z[j] = new;
                let m = self.z.len();
                add_scaled(&mut self.slope, change, &self.hessian[j * m..(j + 1) * m]);
            }
        }
    }

    /// Solves for the coordinates that are not zero (or free) with their signs held. True when the signs
    /// come out as they went in and every zero keeps its condition: then this is the minimum. Otherwise
    /// nothing changes.
    fn solve_signed(&mut self) -> bool {
        let m = self.z.len();
        let active: Vec<usize> = (0..m)
            .filter(|&j| self.z[j].abs() > 0.0 || self.lambda[j] <= 0.0)
            .collect();
        let mut matrix = Vec::with_capacity(active.len() * active.len());
        for &i in &active {
            let row = self.row(i);
            matrix.extend(active.iter().map(|&j| row[j]));
        }
        let mut change: Vec<f64> = active
            .iter()
            .map(|&j| {
                let sign = if self.lambda[j] > 0.0 {
                    self.z[j].signum()
                } else {
                    0.0
                };
                -(self.slope[j] + self.lambda[j] * sign)
            })
            .collect();
        SemiCholesky::factor(active.len(), matrix).solve(&mut change);
        let kept = active.iter().zip(&change).all(|(&j, c)| {
            let new = self.z[j] + c;
            c.is_finite() && (self.lambda[j] <= 0.0 || new * self.z[j] > 0.0)
        });
        if !kept {
            return false;
        }
        let mut slope = self.slope.clone();
        for (&j, c) in active.iter().zip(&change) {
            add_scaled(&mut slope, *c, self.row(j));
        }
        let zeros_hold = (0..m).all(|j| {
            let zero = self.z[j].abs() <= 0.0 && self.lambda[j] > 0.0;
            !zero || slope[j].abs() <= self.lambda[j] * (1.0 + 1e-12)
        });
        if zeros_hold {
            for (&j, c) in active.iter().zip(&change) {
                self.z[j] += c;
            }
            self.slope = slope;
        }
        zeros_hold
    }
}
