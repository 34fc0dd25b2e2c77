//! Fitting softmax regression: which minimiser, how it may end, and what its end means.

use counterweight_core::{Deadline, Note, StageContext, StageError, StageResult};

use super::kernel::Kernel;
use super::lasso;
use super::linear::{Penalties, Problem};
use super::task::Task;
use counterweight_numeric::optimise::{self, Plan, Solution, Stop};

/// What is minimised, and how far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Settings {
    /// The penalties.
    pub(crate) penalties: Penalties,
    /// Largest gradient at the end, relative to its scale.
    pub(crate) tolerance: f64,
}

/// Whether Newton's few steps of O(n P^2 + P^3) beat the many of L-BFGS, O(n P) each, in the worst case.
///
/// The rates are those of a matrix product (from the cache) and of a pass over the rows (from memory); only
/// their ratio matters, and the choice depends on shapes alone.
pub(crate) fn newton_is_cheaper(n: f64, p: f64, scores: f64) -> bool {
    // The Hessian is symmetric in its blocks: half of it is computed when there are many.
    let newton = 4.0 * (n * p * p * (1.0 + 1.0 / scores) / 8e9 + p * p * p / 3e9);
    let lbfgs = 800.0 * n * p * 4.0 / 1.5e9;
    newton < lbfgs
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    /// Second derivatives where they are worth their cost.
    Newton,
    /// Gradients only.
    Lbfgs,
    /// For a penalty on absolute values.
    Proximal,
}

/// The coefficients at the optimum, class by class, each slopes then intercept. Adds `iterations` and
/// `relative_gradient` to the details.
///
/// # Errors
/// [`StageError::Failed`] where the tolerance cannot be met, [`StageError::Timeout`].
pub(crate) fn solve(
    settings: &Settings,
    task: &Task<'_>,
    kernel: Kernel,
    context: &mut StageContext<'_>,
) -> StageResult<Vec<f64>> {
    let convex = !kernel.is_focal();
    let mut start = kernel.null_scores(&task.mass());
    if settings.penalties.frozen {
        start.fill(0.0);
    }
    let mut problem = Problem::new(settings.penalties, task, kernel);
    let theta = problem.with_intercepts(&start);
    let (n, p) = (task.n_rows() as f64, theta.len() as f64);
    let method = if settings.penalties.l1 > 0.0 {
        Method::Proximal
    } else if convex && newton_is_cheaper(n, p, problem.n_scores as f64) {
        Method::Newton
    } else {
        Method::Lbfgs
    };
    let solution = settle(settings, &mut problem, theta, method, context)?;
    context.detail("iterations", solution.iterations as f64);
    context.detail("relative_gradient", solution.relative_gradient);
    if method == Method::Proximal {
        let zeros = solution.theta.iter().filter(|t| t.abs() <= 0.0).count();
        context.detail("zero_coefficients", zeros as f64);
    }
    Ok(solution.theta)
}

fn minimise(
    method: Method,
    problem: &mut Problem<'_>,
    start: Vec<f64>,
    tolerance: f64,
    deadline: Deadline,
) -> StageResult<Solution> {
    if method == Method::Proximal {
        return lasso::proximal_newton(problem, start, tolerance, deadline);
    }
    let plan = Plan {
        most: 10_000,
        hessian: (method == Method::Newton).then(|| problem.hessian_cost()),
    };
    let end = optimise::quasi_newton(problem, start, tolerance, plan, deadline)?;
    if end.stop != Stop::Stuck || method == Method::Lbfgs {
        return Ok(end);
    }
    // Newton's method with a fresh Hessian every step gets on where pairs and old ones do not.
    let last = optimise::newton(problem, end.theta, tolerance, deadline)?;
    Ok(Solution {
        iterations: end.iterations + last.iterations,
        ..last
    })
}

fn settle(
    settings: &Settings,
    problem: &mut Problem<'_>,
    start: Vec<f64>,
    method: Method,
    context: &mut StageContext<'_>,
) -> StageResult<Solution> {
    let tolerance = settings.tolerance;
    let mut solution = minimise(method, problem, start, tolerance, context.deadline)?;
    if solution.stop != Stop::Converged {
        let end = match solution.stop {
            Stop::Iterations => "the iterations ran out",
            _ => "no step lowers the loss",
        };
        return Err(StageError::Failed(format!(
            "{end} at a gradient of {:.1e} of its scale (tolerance {tolerance:.1e}) after {} iterations; \
             standardise the features, or raise `l2` or `tolerance`",
            solution.relative_gradient, solution.iterations
        )));
    }
    // Without a penalty the gradient also falls to any tolerance on the way to infinity. At an optimum a
    // further tenfold fall of the gradient moves no score; on the way to infinity it moves scores by about
    // log 10.
    if settings.penalties.l2 <= 0.0 && settings.penalties.l1 <= 0.0 {
        let before = problem.scores(&solution.theta);
        let further = minimise(
            method,
            problem,
            solution.theta.clone(),
            (0.1 * solution.relative_gradient.min(tolerance)).max(1e-15),
            context.deadline,
        )?;
        let moved = problem
            .scores(&further.theta)
            .iter()
            .zip(&before)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f64::max);
        if moved > 0.5 {
            context.note(Note::Degenerate(format!(
                "the training rows are separable and l2 = 0: no finite optimum; stopped where the gradient \
                 is {:.1e} of its scale",
                solution.relative_gradient
            )));
        } else if further.stop == Stop::Converged {
            solution = further;
        }
    }
    Ok(solution)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::own::softmax_regression::HONOURS;
    use crate::testing::{blobs, fit, learner, normal, offset, rng, train, try_fit, weighted};
    use counterweight_core::{LossTerms, Matrix, ParamValue, Seed, Shared, SmallClass, Train};
    use counterweight_numeric::optimise::Objective;

    const ID: &str = "softmax-regression";

    fn l2(value: f64) -> (&'static str, ParamValue) {
        ("l2", ParamValue::Real(value))
    }

    fn problem_parts(
        seed: u64,
        counts: &[usize],
        d: usize,
        terms: &LossTerms,
    ) -> (Train, LossTerms) {
        let (x, y) = blobs(seed, counts, d);
        (train(&x, &y, counts.len()), terms.clone())
    }

    fn solve(
        method: Method,
        settings: &Settings,
        (data, terms): &(Train, LossTerms),
        start: Option<f64>,
    ) -> (Solution, Vec<f64>) {
        let task = Task::new(data, terms, HONOURS).unwrap();
        let kernel = Kernel::of(&task, terms).unwrap();
        let null = kernel.null_scores(&task.mass());
        let mut problem = Problem::new(settings.penalties, &task, kernel);
        let mut theta = problem.with_intercepts(&null);
        if let Some(value) = start {
            theta.fill(value);
        }
        let shared = Shared::default();
        let stream = Seed(1).stage("fit").open();
        let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
        let solution = settle(settings, &mut problem, theta, method, &mut context).unwrap();
        let scores = problem.scores(&solution.theta);
        (solution, scores)
    }

    fn settings(l1: f64, l2: f64) -> Settings {
        Settings {
            penalties: Penalties {
                l2,
                l1,
                intercept: false,
                frozen: false,
            },
            tolerance: 1e-10,
        }
    }

    #[test]
    fn newton_copes_with_large_offsets_from_zero() {
        for counts in [&[95, 5][..], &[60, 30, 10]] {
            let k = counts.len();
            let offsets: Vec<f64> = (0..k).map(|j| -25.0 * j as f64).collect();
            let parts = problem_parts(23, counts, 3, &offset(&offsets));
            let (near, expected) = solve(Method::Newton, &settings(0.0, 1.0), &parts, None);
            for start in [0.0, 3.0] {
                let (far, found) = solve(Method::Newton, &settings(0.0, 1.0), &parts, Some(start));
                assert!(far.relative_gradient <= 1e-10 && near.relative_gradient <= 1e-10);
                // Up to the constant that a softmax does not see.
                let c = expected.len() / parts.0.samples().n_rows();
                for (a, b) in found.chunks(c).zip(expected.chunks(c)) {
                    for j in 1..c {
                        assert!(((a[j] - a[0]) - (b[j] - b[0])).abs() < 1e-6);
                    }
                    if c == 1 {
                        assert!((a[0] - b[0]).abs() < 1e-6);
                    }
                }
            }
        }
    }

    #[test]
    fn both_methods_find_the_same_optimum() {
        for (counts, terms) in [
            (&[70, 30][..], weighted(&[1.0, 4.0])),
            (&[50, 30, 20], offset(&[0.0, -1.0, -2.0])),
            (&[40, 20, 10, 10, 10], LossTerms::cross_entropy(5)),
        ] {
            for l2 in [1.0, 1e-3] {
                let parts = problem_parts(24, counts, 4, &terms);
                let (_, a) = solve(Method::Newton, &settings(0.0, l2), &parts, None);
                let (b, f) = solve(Method::Lbfgs, &settings(0.0, l2), &parts, None);
                assert!(b.relative_gradient <= 1e-10);
                let c = if counts.len() == 2 { 1 } else { counts.len() };
                for (a, b) in a.chunks(c).zip(f.chunks(c)) {
                    let gap = if c == 1 {
                        a[0] - b[0]
                    } else {
                        (a[1] - a[0]) - (b[1] - b[0])
                    };
                    assert!(gap.abs() < 1e-5, "{counts:?} l2 {l2}: {gap:.1e}");
                }
            }
        }
    }

    #[test]
    fn factors_keep_the_fit_convex_and_converged() {
        for counts in [&[80, 20][..], &[50, 30, 10]] {
            let mut terms = LossTerms::cross_entropy(counts.len());
            for (j, &count) in counts.iter().enumerate() {
                terms.factors[j] = (count as f64 / counts[0] as f64).powf(0.3);
            }
            let parts = problem_parts(25, counts, 3, &terms);
            for method in [Method::Newton, Method::Lbfgs] {
                let (solution, _) = solve(method, &settings(0.0, 0.5), &parts, Some(0.0));
                assert!(solution.relative_gradient <= 1e-10);
            }
        }
    }

    #[test]
    fn a_focal_power_ends_where_the_gradient_vanishes() {
        for (counts, d) in [(&[180, 20][..], 3), (&[100, 40, 10], 4)] {
            let k = counts.len();
            let (x, y) = blobs(28, counts, d);
            let data = train(&x, &y, k);
            for focal in [0.5, 1.0, 2.0, 5.0] {
                let mut terms = weighted(&vec![1.5; k]);
                terms.weights[0] = 0.7;
                terms.focal = focal;
                let found = fit(ID, &[l2(0.1)], &data, &terms);
                assert!(found.details["relative_gradient"] <= 1e-10);
                // A minimum, not a saddle: no step away from it lowers the objective.
                let task = Task::new(&data, &terms, HONOURS).unwrap();
                let kernel = Kernel::of(&task, &terms).unwrap();
                let mut problem = Problem::new(settings(0.0, 0.1).penalties, &task, kernel);
                let parts = (data.clone(), terms.clone());
                let (end, _) = solve(Method::Lbfgs, &settings(0.0, 0.1), &parts, None);
                let mut ignored = vec![0.0; end.theta.len()];
                let least = problem.value_gradient(&end.theta, &mut ignored);
                let mut generator = rng(29);
                for _ in 0..50 {
                    let near: Vec<f64> = end
                        .theta
                        .iter()
                        .map(|t| t + 1e-2 * normal(&mut generator))
                        .collect();
                    assert!(problem.value_gradient(&near, &mut ignored) >= least - 1e-9 * least);
                }
            }
        }
    }

    #[test]
    fn separable_rows_without_penalty_are_named() {
        // Completely separable; and quasi-completely: a feature that is positive for class 1 only.
        let complete = Matrix::from_fn(20, 1, |i, _| i as f64);
        let y: Vec<u32> = (0..20).map(|i| u32::from(i >= 10)).collect();
        let mut generator = rng(3);
        let mut quasi = Matrix::from_fn(40, 2, |_, _| normal(&mut generator));
        let quasi_y: Vec<u32> = (0..40)
            .map(|i| u32::from(i % 2 == 1 || i % 8 == 0))
            .collect();
        for (i, &class) in quasi_y.iter().enumerate() {
            let tells = class == 1 && i % 3 == 0;
            quasi.set(i, 0, f64::from(u8::from(tells)));
        }
        let (three, three_y) = blobs(5, &[6, 6, 6], 20);
        let cases = [
            (&complete, &y, 2),
            (&quasi, &quasi_y, 2),
            (&three, &three_y, 3),
        ];
        for (x, y, k) in cases {
            let data = train(x, y, k);
            let terms = LossTerms::cross_entropy(k);
            let free = fit(ID, &[l2(0.0)], &data, &terms);
            assert!(free.degenerate(), "{:?}", free.details);
            assert!(!fit(ID, &[l2(0.1)], &data, &terms).degenerate());
        }
        // And by the other method.
        let parts = (train(&complete, &y, 2), LossTerms::cross_entropy(2));
        let task = Task::new(&parts.0, &parts.1, HONOURS).unwrap();
        let mut problem = Problem::new(
            settings(0.0, 0.0).penalties,
            &task,
            Kernel::of(&task, &parts.1).unwrap(),
        );
        let shared = Shared::default();
        let stream = Seed(1).stage("fit").open();
        let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
        let start = problem.with_intercepts(&[0.0]);
        let end = settle(
            &settings(0.0, 0.0),
            &mut problem,
            start,
            Method::Lbfgs,
            &mut context,
        );
        end.unwrap();
        assert!(
            context
                .notes
                .iter()
                .any(|n| matches!(n, Note::Degenerate(_)))
        );
    }

    #[test]
    fn an_impossible_tolerance_is_an_error_with_the_reason() {
        let (x, y) = blobs(27, &[500, 300], 3);
        let huge = Matrix::from_fn(800, 3, |i, j| x.at(i, j) * 1e200);
        let learner = learner(ID, &[]);
        let data = train(&huge, &y, 2);
        let ended = try_fit(
            &*learner,
            &data,
            &LossTerms::cross_entropy(2),
            SmallClass::Clamp,
        );
        let Err(StageError::Failed(text)) = ended else {
            panic!("a fit to numbers whose squares overflow fails")
        };
        assert!(text.contains("standardise"), "{text}");
    }

    /// The optimality condition, from the definition: gradients by differences of the objective.
    #[test]
    fn absolute_penalties_end_where_the_optimality_condition_holds() {
        for (counts, terms) in [
            (&[70, 30][..], weighted(&[1.0, 4.0])),
            (&[60, 30, 20], offset(&[0.0, -1.0, -2.0])),
            (&[40, 30, 20, 10], LossTerms::cross_entropy(4)),
        ] {
            for (l1, l2) in [(5.0, 0.0), (1.0, 0.5), (20.0, 1.0), (1e4, 0.0)] {
                let parts = problem_parts(30, counts, 8, &terms);
                let found = solve(Method::Proximal, &settings(l1, l2), &parts, None).0;
                assert!(found.relative_gradient <= 1e-10);
                let task = Task::new(&parts.0, &parts.1, HONOURS).unwrap();
                let kernel = Kernel::of(&task, &parts.1).unwrap();
                let mut problem = Problem::new(settings(l1, l2).penalties, &task, kernel);
                let width = 9;
                let mut ignored = vec![0.0; found.theta.len()];
                for (j, &t) in found.theta.iter().enumerate() {
                    let mut shifted = |by: f64| {
                        let mut theta = found.theta.clone();
                        theta[j] += by;
                        problem.value_gradient(&theta, &mut ignored)
                    };
                    let slope = (shifted(1e-4) - shifted(-1e-4)) / 2e-4;
                    let lambda = if j % width == width - 1 { 0.0 } else { l1 };
                    let condition = if t.abs() > 0.0 {
                        (slope + lambda * t.signum()).abs()
                    } else {
                        slope.abs() - lambda
                    };
                    assert!(
                        condition < 1e-4,
                        "{counts:?} l1 {l1} l2 {l2}: {condition:e}"
                    );
                }
                let slopes = found
                    .theta
                    .iter()
                    .enumerate()
                    .filter(|(j, _)| j % width < width - 1);
                let zeros = slopes.filter(|(_, t)| t.abs() <= 0.0).count();
                // The blobs differ in two columns only.
                if l1 >= 5.0 {
                    assert!(zeros > 0, "{counts:?} l1 {l1}");
                }
                if l1 > 1e3 {
                    assert_eq!(zeros, found.theta.len() / width * 8);
                }
            }
        }
    }

    /// So many columns that the metric is a diagonal and no Hessian is asked for.
    #[test]
    fn many_columns_converge_by_gradients_alone() {
        for counts in [&[25, 15][..], &[20, 12, 8]] {
            let parts = problem_parts(33, counts, 400, &LossTerms::cross_entropy(counts.len()));
            let c = if counts.len() == 2 { 1 } else { counts.len() };
            assert!(!newton_is_cheaper(40.0, (c * 401) as f64, c as f64));
            let (end, found) = solve(Method::Lbfgs, &settings(0.0, 1.0), &parts, None);
            assert!(end.relative_gradient <= 1e-10);
            let (_, expected) = solve(Method::Newton, &settings(0.0, 1.0), &parts, None);
            for (a, b) in found.chunks(c).zip(expected.chunks(c)) {
                let gap = (a[c - 1] - a[0]) - (b[c - 1] - b[0]);
                assert!(gap.abs() < 1e-6 && (c > 1 || (a[0] - b[0]).abs() < 1e-6));
            }
        }
    }

    #[test]
    fn a_vanishing_absolute_penalty_is_none() {
        for counts in [&[70, 30][..], &[50, 30, 20]] {
            let parts = problem_parts(31, counts, 4, &LossTerms::cross_entropy(counts.len()));
            let (_, plain) = solve(Method::Newton, &settings(0.0, 1.0), &parts, None);
            let (_, tiny) = solve(Method::Proximal, &settings(1e-9, 1.0), &parts, None);
            let c = if counts.len() == 2 { 1 } else { counts.len() };
            for (a, b) in plain.chunks(c).zip(tiny.chunks(c)) {
                for j in 1..c {
                    assert!(((a[j] - a[0]) - (b[j] - b[0])).abs() < 1e-6);
                }
                if c == 1 {
                    assert!((a[0] - b[0]).abs() < 1e-6);
                }
            }
        }
    }

    #[test]
    fn more_columns_than_rows_are_selected_from() {
        let (x, y) = blobs(32, &[30, 20], 120);
        let data = train(&x, &y, 2);
        let given = [("l1", ParamValue::Real(3.0)), l2(0.0)];
        let found = fit(ID, &given, &data, &LossTerms::cross_entropy(2));
        assert!(found.details["relative_gradient"] <= 1e-10);
        let kept = 121.0 - found.details["zero_coefficients"];
        assert!((2.0..40.0).contains(&kept), "{kept} of 121");
        assert!(!found.degenerate());
    }
}
