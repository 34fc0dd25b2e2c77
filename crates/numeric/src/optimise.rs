//! Minimisers of smooth functions: damped Newton and L-BFGS on a metric, with one line search.
//!
//! Both stop when the caller's measure of the gradient falls to a tolerance, and name every other end
//! ([`Stop`]). Value and gradient come from one call, since they share their work.
//!
//! References: Nocedal and Wright (2006), Numerical Optimization, algorithms 3.2, 7.4 and 7.5; Hager
//! and Zhang (2005), SIAM J. Optim. 16(1), for the slack that keeps the sufficient-decrease test
//! meaningful where values agree to the last bits.

use counterweight_core::{Deadline, StageResult};

use super::curvature::Metric;
use super::linalg::{SemiCholesky, add_scaled, dot};

/// A smooth function, convex for Newton's method.
pub trait Objective {
    /// Value at `theta`; the gradient goes to `gradient`.
    fn value_gradient(&mut self, theta: &[f64], gradient: &mut [f64]) -> f64;

    /// Size of a gradient relative to the scale of the problem: what the tolerance is compared with.
    fn relative(&self, gradient: &[f64]) -> f64;

    /// Second derivatives at `theta`, row-major; the lower triangle is read.
    fn hessian(&mut self, theta: &[f64]) -> Vec<f64>;

    /// A cheap approximation of the second derivatives at `theta`.
    fn metric(&mut self, theta: &[f64]) -> Metric;

    /// The second derivatives at `theta`, factored.
    fn exact_metric(&mut self, theta: &[f64]) -> Metric {
        Metric::Full(SemiCholesky::factor(theta.len(), self.hessian(theta)))
    }
}

/// Why a minimiser stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The gradient is within the tolerance.
    Converged,
    /// The iterations ran out.
    Iterations,
    /// No step along the direction lowers the value: rounding decides, or the function overflows.
    Stuck,
}

/// Where a minimiser stopped.
#[derive(Clone, Debug)]
pub struct Solution {
    /// The point.
    pub theta: Vec<f64>,
    /// Iterations taken.
    pub iterations: usize,
    /// The size of the gradient there, as the objective measures it.
    pub relative_gradient: f64,
    /// Why it ended there.
    pub stop: Stop,
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
pub fn newton(
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

/// How a quasi-Newton method spends its work.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Most iterations.
    pub most: usize,
    /// Gradients that a Hessian costs; `None` never to ask for one.
    pub hessian: Option<f64>,
}

/// L-BFGS with ten pairs on top of a metric: at first the objective's own at the start, later (if the
/// plan has Hessians) the Hessian, as soon as the steps so far have cost as much as it does. That costs
/// at most twice the better of both ways: few cheap steps where the metric is good, Newton's where not.
///
/// After the tolerance is met one more step is taken, since the gradient of a weak direction is small
/// long before its coefficients are right.
///
/// # Errors
/// [`StageError::Timeout`](counterweight_core::StageError::Timeout) past the deadline.
pub fn quasi_newton(
    objective: &mut impl Objective,
    start: Vec<f64>,
    tolerance: f64,
    plan: Plan,
    deadline: Deadline,
) -> StageResult<Solution> {
    const PAIRS: usize = 10;
    // A metric that is not the Hessian follows the curvature, which changes on the way.
    const REFRESH: usize = 50;
    let mut metric = objective.metric(&start);
    let mut since = 0;
    let mut here = evaluate(objective, start);
    let mut pairs: std::collections::VecDeque<Pair> = std::collections::VecDeque::new();
    let mut restarted = false;
    for iteration in 0..=plan.most {
        deadline.check()?;
        let relative_gradient = objective.relative(&here.gradient);
        let converged = relative_gradient <= tolerance;
        let mut end = if converged {
            Some(Stop::Converged)
        } else if iteration == plan.most {
            Some(Stop::Iterations)
        } else {
            None
        };
        if end.is_none() {
            let worth = plan.hessian.is_some_and(|price| since as f64 >= price);
            if worth {
                metric = objective.exact_metric(&here.theta);
            } else if since >= REFRESH && matches!(metric, Metric::Diagonal(_)) {
                metric = objective.metric(&here.theta);
                since = 0;
            }
            if worth {
                pairs.clear();
                since = 0;
            }
        }
        if end != Some(Stop::Iterations) {
            let mut direction: Vec<f64> = here.gradient.iter().map(|g| -g).collect();
            two_loop(&pairs, &metric, &mut direction);
            match line_search(objective, &here, &direction, 1.0) {
                Some(next) if end.is_none() => {
                    let pair = Pair::between(&here, &next);
                    // Below this the pair is rounding error and would spoil the curvature estimate.
                    if pair.is_sound() {
                        if pairs.len() == PAIRS {
                            pairs.pop_front();
                        }
                        pairs.push_back(pair);
                    }
                    here = next;
                    restarted = false;
                    since += 1;
                }
                Some(next) => {
                    if objective.relative(&next.gradient) <= relative_gradient {
                        here = next;
                    }
                }
                None if end.is_some() => {}
                // Old pairs may point uphill after a change of curvature: once more without them.
                None if !restarted && !pairs.is_empty() => {
                    pairs.clear();
                    metric = objective.metric(&here.theta);
                    restarted = true;
                }
                None => end = Some(Stop::Stuck),
            }
        }
        if let Some(stop) = end {
            return Ok(Solution {
                relative_gradient: objective.relative(&here.gradient),
                theta: here.theta,
                iterations: iteration,
                stop,
            });
        }
    }
    unreachable!("the last iteration stops")
}

/// A step and the change of the gradient along it.
struct Pair {
    s: Vec<f64>,
    y: Vec<f64>,
    sy: f64,
}

impl Pair {
    fn between(from: &Point, to: &Point) -> Self {
        let gap = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>();
        let s = gap(&to.theta, &from.theta);
        let y = gap(&to.gradient, &from.gradient);
        let sy = dot(&s, &y);
        Self { s, y, sy }
    }

    fn is_sound(&self) -> bool {
        self.sy > f64::EPSILON * (dot(&self.s, &self.s) * dot(&self.y, &self.y)).sqrt()
    }
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

/// Applies the inverse Hessian estimate to `q` in place.
fn two_loop(pairs: &std::collections::VecDeque<Pair>, metric: &Metric, q: &mut [f64]) {
    let mut alphas = Vec::with_capacity(pairs.len());
    for pair in pairs.iter().rev() {
        let alpha = dot(&pair.s, q) / pair.sy;
        add_scaled(q, -alpha, &pair.y);
        alphas.push(alpha);
    }
    metric.solve(q);
    if let Some(last) = pairs.back().filter(|_| !metric.is_exact()) {
        let mut solved = last.y.clone();
        metric.solve(&mut solved);
        let yy = dot(&last.y, &solved);
        if yy > 0.0 {
            for q in q.iter_mut() {
                *q *= last.sy / yy;
            }
        }
    }
    for (pair, alpha) in pairs.iter().zip(alphas.iter().rev()) {
        let beta = dot(&pair.y, q) / pair.sy;
        add_scaled(q, alpha - beta, &pair.s);
    }
}
