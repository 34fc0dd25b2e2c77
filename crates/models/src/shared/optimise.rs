//! Minimisers of smooth convex functions: damped Newton and L-BFGS, with one line search.
//!
//! Both stop when the caller's measure of the gradient falls to a tolerance, and name every other end
//! ([`Stop`]). Value and gradient come from one call, since they share their work.
//!
//! References: Nocedal and Wright (2006), Numerical Optimization, algorithms 3.2, 7.4 and 7.5; Hager
//! and Zhang (2005), SIAM J. Optim. 16(1), for the slack that keeps the sufficient-decrease test
//! meaningful where values agree to the last bits.

use counterweight_core::{Deadline, StageResult};

use super::linalg::{SemiCholesky, add_scaled, dot};

/// A smooth convex function.
pub(crate) trait Objective {
    /// Value at `theta`; the gradient goes to `gradient`.
    fn value_gradient(&mut self, theta: &[f64], gradient: &mut [f64]) -> f64;

    /// Size of a gradient relative to the scale of the problem: what the tolerance is compared with.
    fn relative(&self, gradient: &[f64]) -> f64;

    /// Second derivatives at `theta`, row-major; the lower triangle is read.
    fn hessian(&mut self, theta: &[f64]) -> Vec<f64>;

    /// Diagonal of the second derivatives at `theta`: the preconditioner of L-BFGS.
    fn curvature(&mut self, theta: &[f64]) -> Vec<f64>;
}

/// Why a minimiser stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The gradient is within the tolerance.
    Converged,
    /// The iterations ran out.
    Iterations,
    /// No step along the direction lowers the value: rounding decides, or the function overflows.
    Stuck,
}

/// Where a minimiser stopped.
#[derive(Clone, Debug)]
pub(crate) struct Solution {
    pub(crate) theta: Vec<f64>,
    pub(crate) iterations: usize,
    pub(crate) relative_gradient: f64,
    pub(crate) stop: Stop,
}

/// Sufficient decrease.
const C1: f64 = 1e-4;
/// Curvature condition: the slope along the step has to rise to this share of its start.
const C2: f64 = 0.9;
/// Relative slack for values, which are sums over many rows.
const SLACK: f64 = 2e-13;

/// A point with its value and gradient.
struct Point {
    theta: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

/// Finds a step along `direction` from `from` that lowers the value enough and is not needlessly
/// short. Bisection and extrapolation on the slope, which stays reliable when values no longer tell
/// points apart. `None` when there is none or `from` does not descend.
fn line_search(
    objective: &mut impl Objective,
    from: &Point,
    direction: &[f64],
    first: f64,
) -> Option<Point> {
    let slope = dot(&from.gradient, direction);
    if slope >= 0.0 || !slope.is_finite() {
        return None;
    }
    let slack = SLACK * from.value.abs();
    let (mut low, mut slope_low) = (0.0, slope);
    let mut high: Option<(f64, f64)> = None;
    let mut step = first;
    let mut point = Point {
        theta: vec![0.0; direction.len()],
        value: 0.0,
        gradient: vec![0.0; direction.len()],
    };
    for _ in 0..200 {
        point.theta.copy_from_slice(&from.theta);
        add_scaled(&mut point.theta, step, direction);
        point.value = objective.value_gradient(&point.theta, &mut point.gradient);
        let slope_here = dot(&point.gradient, direction);
        let too_high = point.value > from.value + C1 * step * slope + slack;
        if !point.value.is_finite() || !slope_here.is_finite() || too_high {
            high = Some((step, slope_here));
        } else if slope_here < C2 * slope {
            (low, slope_low) = (step, slope_here);
        } else {
            return Some(point);
        }
        step = match high {
            None => 4.0 * step,
            Some((high, slope_high)) => {
                let width = high - low;
                // Where the slope, taken as linear between the ends, vanishes.
                let share = slope_low / (slope_low - slope_high);
                if share.is_finite() {
                    low + width * share.clamp(0.1, 0.9)
                } else {
                    low + 0.5 * width
                }
            }
        };
        // A direction may be longer than any sensible step by as much as curvature can vanish, so
        // short steps are no reason to give up; steps that no longer move anything are.
        if !(1e-150..=1e16).contains(&step) {
            break;
        }
    }
    None
}

/// Damped Newton: the whole step wherever the line search lets it.
///
/// # Errors
/// [`StageError::Timeout`](counterweight_core::StageError::Timeout) past the deadline.
pub(crate) fn newton(
    objective: &mut impl Objective,
    start: Vec<f64>,
    tolerance: f64,
    deadline: Deadline,
) -> StageResult<Solution> {
    const ITERATIONS: usize = 200;
    let n = start.len();
    let mut here = evaluate(objective, start);
    for iteration in 0..=ITERATIONS {
        deadline.check()?;
        let relative_gradient = objective.relative(&here.gradient);
        let stop = if relative_gradient <= tolerance {
            Some(Stop::Converged)
        } else if iteration == ITERATIONS {
            Some(Stop::Iterations)
        } else {
            let factor = SemiCholesky::factor(n, objective.hessian(&here.theta));
            let mut direction: Vec<f64> = here.gradient.iter().map(|g| -g).collect();
            factor.solve(&mut direction);
            match line_search(objective, &here, &direction, 1.0) {
                Some(next) => {
                    here = next;
                    None
                }
                None => Some(Stop::Stuck),
            }
        };
        if let Some(stop) = stop {
            return Ok(Solution {
                theta: here.theta,
                iterations: iteration,
                relative_gradient,
                stop,
            });
        }
    }
    unreachable!("the last iteration stops")
}

/// L-BFGS with ten pairs and a diagonal preconditioner, for at most `most` iterations.
///
/// # Errors
/// [`StageError::Timeout`](counterweight_core::StageError::Timeout) past the deadline.
pub(crate) fn lbfgs(
    objective: &mut impl Objective,
    start: Vec<f64>,
    tolerance: f64,
    most: usize,
    deadline: Deadline,
) -> StageResult<Solution> {
    const PAIRS: usize = 10;
    // The preconditioner follows the curvature, which changes on the way to the optimum.
    const REFRESH: usize = 50;
    let mut here = evaluate(objective, start);
    let mut scale: Vec<f64> = Vec::new();
    let mut pairs: std::collections::VecDeque<(Vec<f64>, Vec<f64>, f64)> =
        std::collections::VecDeque::new();
    let mut restarted = false;
    for iteration in 0..=most {
        deadline.check()?;
        let relative_gradient = objective.relative(&here.gradient);
        let done = |stop| Solution {
            theta: here.theta.clone(),
            iterations: iteration,
            relative_gradient,
            stop,
        };
        if relative_gradient <= tolerance {
            return Ok(done(Stop::Converged));
        }
        if iteration == most {
            return Ok(done(Stop::Iterations));
        }
        if iteration % REFRESH == 0 {
            scale = preconditioner(objective.curvature(&here.theta));
        }
        let mut direction: Vec<f64> = here.gradient.iter().map(|g| -g).collect();
        two_loop(&pairs, &scale, &mut direction);
        match line_search(objective, &here, &direction, 1.0) {
            Some(next) => {
                let s: Vec<f64> = next
                    .theta
                    .iter()
                    .zip(&here.theta)
                    .map(|(a, b)| a - b)
                    .collect();
                let y: Vec<f64> = next
                    .gradient
                    .iter()
                    .zip(&here.gradient)
                    .map(|(a, b)| a - b)
                    .collect();
                let sy = dot(&s, &y);
                // Below this the pair is rounding error and would spoil the curvature estimate.
                if sy > f64::EPSILON * (dot(&s, &s) * dot(&y, &y)).sqrt() {
                    if pairs.len() == PAIRS {
                        pairs.pop_front();
                    }
                    pairs.push_back((s, y, 1.0 / sy));
                }
                here = next;
                restarted = false;
            }
            // Old pairs may point uphill after a change of curvature: once more without them.
            None if !restarted && !pairs.is_empty() => {
                pairs.clear();
                scale = preconditioner(objective.curvature(&here.theta));
                restarted = true;
            }
            None => return Ok(done(Stop::Stuck)),
        }
    }
    unreachable!("the last iteration stops")
}

fn evaluate(objective: &mut impl Objective, theta: Vec<f64>) -> Point {
    let mut gradient = vec![0.0; theta.len()];
    let value = objective.value_gradient(&theta, &mut gradient);
    Point {
        theta,
        value,
        gradient,
    }
}

/// Inverse of the curvature, where coordinates without any keep their place.
fn preconditioner(curvature: Vec<f64>) -> Vec<f64> {
    let largest = curvature.iter().copied().fold(0.0, f64::max);
    curvature
        .into_iter()
        .map(|h| if h > 1e-12 * largest { 1.0 / h } else { 0.0 })
        .collect()
}

/// Applies the inverse Hessian estimate to `q` in place.
fn two_loop(
    pairs: &std::collections::VecDeque<(Vec<f64>, Vec<f64>, f64)>,
    scale: &[f64],
    q: &mut [f64],
) {
    let mut alphas = Vec::with_capacity(pairs.len());
    for (s, y, rho) in pairs.iter().rev() {
        let alpha = rho * dot(s, q);
        add_scaled(q, -alpha, y);
        alphas.push(alpha);
    }
    let gamma = pairs.back().map_or(1.0, |(s, y, _)| {
        let yy: f64 = y.iter().zip(scale).map(|(y, d)| y * y * d).sum();
        if yy > 0.0 { dot(s, y) / yy } else { 1.0 }
    });
    for (q, d) in q.iter_mut().zip(scale) {
        *q *= gamma * d;
    }
    for ((s, y, rho), alpha) in pairs.iter().zip(alphas.iter().rev()) {
        let beta = rho * dot(y, q);
        add_scaled(q, alpha - beta, s);
    }
}
