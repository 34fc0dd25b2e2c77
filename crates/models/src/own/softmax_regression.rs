//! Softmax (multinomial logistic) regression, converged to a stated gradient.
//!
//! Linear scores `f = W x + b`, fitted by minimising the sum of the loss kernel over the training rows
//! plus half the squared slopes. It honours class weights, additive margins, multiplicative factors and
//! a focal power, so every loss of the catalogue that does not speak of the way of training acts on it.
//!
//! # When it helps
//! Where the log-odds are close to linear, at any imbalance: the scores are calibrated at the
//! optimum (the mean predicted probability of a class equals its share), so that post-hoc rules act
//! on them as theory says. It hurts where the boundary is far from linear, and its penalty shrinks a
//! rare class's slopes most, since that class has the fewest rows to speak against it.
//!
//! # Formula
//! ```text
//! minimise  sum_i l(y_i, W x_i + b) + l2 / 2 * (sum of squared slopes [+ squared intercepts])
//! l(y, f) = w_y log(1 + sum_{j != y} exp(A[y][j] + D_j f_j - D_y f_y))
//! ```
//! Two classes have ONE slope vector (binary logistic regression, `f = (0, s)`); three or more have
//! one each. The number of classes with training rows decides. With two classes and factors other
//! than 1 the loss is the binary form `log(1 + exp(A[y][1 - y] - D_y (+-1) s))`.
//!
//! The fit ends when, for every coefficient, |gradient| <= `tolerance` * s, where s is the sum over
//! rows of `w_i D_max |x_ij|` (`x = 1` for the intercept): the gradient that predictions which are wrong
//! everywhere would have. Up to 300 coefficients it ends with damped Newton steps (above 60 after at
//! most 40 steps of L-BFGS), beyond that L-BFGS goes all the way.
//!
//! A focal power makes the objective non-convex. L-BFGS then goes from the class shares to a point where
//! the gradient vanishes to the same tolerance, lower than where it started; that there is no lower point
//! elsewhere is not guaranteed.
//!
//! # Parameters
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `l2` | 1.0 | [0, inf) | penalty on half the squared slopes, beside the SUM of losses; C = 1 / l2 |
//! | `penalise_intercept` | false | true, false | whether intercepts are penalised like slopes |
//! | `tolerance` | 1e-10 | [1e-14, 0.1] | largest gradient at the end, relative to its scale |
//!
//! # Cost
//! With P coefficients: Newton O(n P^2 + P^3) a step and some 5 to 10 steps; L-BFGS O(n P) a step and
//! some 50 to 500 steps. Memory O(n d + P^2), rows in blocks.
//!
//! # Differences
//! From scikit-learn: the same objective (`C = 1 / l2`) and optimum, to a tolerance that is relative
//! and a million times smaller than the default there. The intercept can be penalised. Where the
//! optimum is not unique (collinear columns at `l2 = 0`), the coefficients of dependent columns stay
//! at 0 as in R's `glm`. Separable rows at `l2 = 0` have no finite optimum: the outcome is degenerate.
//!
//! # Errors
//! Features that are not finite, terms that are no numbers, scores that overflow, and a gradient that does not reach the tolerance, with how far it came.
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "softmax-regression").unwrap();
//! let params = params::check(entry.card.params, &BTreeMap::new()).unwrap();
//! let learner = (entry.build)(&params).unwrap();
//! # let y = Labels::from_texts(&["0", "0", "1", "1"]);
//! # let x = Matrix::from_vec(4, 1, vec![0.0, 1.0, 1.5, 3.0]).unwrap();
//! # let samples = Samples::numeric(x, y).unwrap();
//! # let (train, _) = Partition::new(4, (0..4).collect(), vec![]).unwrap().cut_samples(&samples).unwrap();
//! # let shared = Shared::default();
//! # let stream = Seed(1).stage("fit").open();
//! # let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let model = learner.fit(&train, &LossTerms::cross_entropy(2), &mut context).unwrap();
//! let scores = model.scores(&Matrix::from_vec(2, 1, vec![0.0, 4.0]).unwrap()).unwrap();
//! assert_eq!(scores.argmax(&[0.0, 0.0]).unwrap().as_slice(), [0, 1]);
//! ```
//!
//! # References
//! Hastie, Tibshirani, Friedman (2009), The Elements of Statistical Learning, 4.4. Menon et al.
//! (2021), Long-tail learning via logit adjustment, ICLR. Kini et al. (2021), Label-imbalanced and
//! group-sensitive classification under overparameterization, `NeurIPS`. Albert and Anderson (1984),
//! On the existence of maximum likelihood estimates in logistic regression models, Biometrika 71.

use counterweight_core::params::Default as Preset;
use counterweight_core::{
    Card, Deadline, Entry, Fitted, Learner, LearnerCaps, LearnerEntry, LinearHead, LossNeeds,
    LossTerms, Matrix, Note, ParamError, ParamKind, ParamSpec, Params, Range, ScoreKind, Scores,
    StageContext, StageError, StageResult, Train, Workload,
};

use crate::shared::kernel::Kernel;
use crate::shared::linalg::dot;
use crate::shared::linear::{Penalties, Problem};
use crate::shared::linear_head::linear_head;
use crate::shared::optimise::{self, Solution, Stop};
use crate::shared::task::{Task, check_scored, widen};

const HONOURS: LossNeeds = LossNeeds {
    weights: true,
    margins: true,
    factors: true,
    focal: true,
    ..LossNeeds::NONE
};

/// Whether Newton's few steps of O(n P^2 + P^3) beat the many of L-BFGS, O(n P) each.
///
/// Some four Newton steps finish what L-BFGS began, while L-BFGS alone takes several hundred on
/// one-hot columns. The rates are those of a matrix product (from the cache) and of a pass over
/// the rows (from memory); only their ratio matters, and the choice depends on shapes alone.
fn newton_is_cheaper(n: f64, p: f64, scores: f64) -> bool {
    // The Hessian is symmetric in its blocks: half of it is computed when there are many.
    let newton = 4.0 * (n * p * p * (1.0 + 1.0 / scores) / 8e9 + p * p * p / 3e9);
    let lbfgs = 800.0 * n * p * 4.0 / 1.5e9;
    newton < lbfgs
}

pub(crate) const ENTRY: LearnerEntry = Entry {
    card: Card {
        id: "softmax-regression",
        summary: "linear softmax (logistic) regression, converged, with weights and margins",
        reference: "Hastie, Tibshirani, Friedman 2009, 4.4; Menon et al. 2021",
        params: &[
            ParamSpec::new(
                "l2",
                ParamKind::Real(Range::NON_NEGATIVE),
                Preset::Real(1.0),
                "penalty on half the squared slopes, beside the sum of losses (C = 1 / l2)",
            ),
            ParamSpec::new(
                "penalise_intercept",
                ParamKind::Flag,
                Preset::Flag(false),
                "whether intercepts are penalised like slopes",
            ),
            ParamSpec::new(
                "tolerance",
                ParamKind::Real(Range::new(1e-14, true, 0.1, true)),
                Preset::Real(1e-10),
                "largest gradient at the end, relative to its scale",
            ),
        ],
    },
    caps: LearnerCaps {
        library: "own",
        honours: HONOURS,
        scores: ScoreKind::Probability,
        multiclass: true,
        deterministic: true,
        max_rows: None,
        cost,
        remark: "",
    },
    build: |params| Ok(Box::new(SoftmaxRegression::try_from(params)?)),
};

fn cost(_: &Params, work: &Workload) -> f64 {
    let columns = if work.n_classes == 2 {
        1
    } else {
        work.n_classes
    };
    let p = (columns * (work.n_features + 1)) as f64;
    let (n, scored) = (work.n_train as f64, work.n_score as f64);
    let fit = if newton_is_cheaper(n, p, columns as f64) {
        4.0 * (n * p * (p + 40.0) * 1.5e-10 + p * p * p * 3e-10)
    } else {
        700.0 * n * p * 2e-9
    };
    1e-4 + fit + scored * p * 2e-9
}

/// Checked parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct SoftmaxRegression {
    l2: f64,
    penalise_intercept: bool,
    tolerance: f64,
}

impl TryFrom<&Params> for SoftmaxRegression {
    type Error = ParamError;

    fn try_from(params: &Params) -> Result<Self, ParamError> {
        Ok(Self {
            l2: params.real("l2"),
            penalise_intercept: params.flag("penalise_intercept"),
            tolerance: params.real("tolerance"),
        })
    }
}

impl Learner for SoftmaxRegression {
    fn fit(
        &self,
        train: &Train,
        terms: &LossTerms,
        context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        let task = Task::new(train, terms, HONOURS)?;
        if let Some(constant) = task.single_class(ScoreKind::Probability, context) {
            return Ok(Box::new(constant));
        }
        let kernel = Kernel::of(&task, terms)?;
        let convex = !kernel.is_focal();
        let start = kernel.null_scores(&task.mass());
        let mut problem = Problem::new(self.penalties(), &task, kernel);
        let theta = problem.with_intercepts(&start);
        let (n, p) = (task.n_rows() as f64, theta.len() as f64);
        let method = if convex && newton_is_cheaper(n, p, problem.n_scores as f64) {
            Method::Newton
        } else {
            Method::Lbfgs
        };
        let solution = self.solve(&mut problem, theta, method, context)?;
        context
            .details
            .insert("iterations".into(), solution.iterations as f64);
        context
            .details
            .insert("relative_gradient".into(), solution.relative_gradient);
        Ok(Box::new(Model {
            coefficients: solution.theta,
            n_features: task.n_features(),
            present: task.present,
            n_classes: task.n_classes,
        }))
    }
}

/// Coefficients above which the first way to the optimum is left to L-BFGS, whose steps are cheaper
/// by a factor of their number; Newton then needs two or three steps instead of six.
const APPROACH: usize = 60;

fn minimise(
    method: Method,
    problem: &mut Problem<'_>,
    start: Vec<f64>,
    tolerance: f64,
    deadline: Deadline,
) -> StageResult<Solution> {
    match method {
        Method::Lbfgs => optimise::lbfgs(problem, start, tolerance, 10_000, deadline),
        Method::Newton if start.len() <= APPROACH => {
            optimise::newton(problem, start, tolerance, deadline)
        }
        Method::Newton => {
            // However far this comes: Newton converges from anywhere.
            let near = optimise::lbfgs(problem, start, tolerance.max(1e-4), 40, deadline)?;
            let end = optimise::newton(problem, near.theta, tolerance, deadline)?;
            Ok(Solution {
                iterations: near.iterations + end.iterations,
                ..end
            })
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Newton,
    Lbfgs,
}

impl SoftmaxRegression {
    fn penalties(&self) -> Penalties {
        Penalties {
            l2: self.l2,
            intercept: self.penalise_intercept,
        }
    }

    fn solve(
        &self,
        problem: &mut Problem<'_>,
        start: Vec<f64>,
        method: Method,
        context: &mut StageContext<'_>,
    ) -> StageResult<Solution> {
        let mut solution = minimise(method, problem, start, self.tolerance, context.deadline)?;
        if solution.stop != Stop::Converged {
            let end = match solution.stop {
                Stop::Iterations => "the iterations ran out",
                _ => "no step lowers the loss",
            };
            return Err(StageError::Failed(format!(
                "{end} at a gradient of {:.1e} of its scale (tolerance {:.1e}) after {} iterations; \
                 standardise the features, or raise `l2` or `tolerance`",
                solution.relative_gradient, self.tolerance, solution.iterations
            )));
        }
        // Without a penalty the gradient also falls to any tolerance on the way to infinity. At an
        // optimum a further tenfold fall of the gradient moves no score; on the way to infinity it
        // moves scores by about log 10.
        if self.l2 <= 0.0 {
            let before = problem.scores(&solution.theta);
            let further = minimise(
                method,
                problem,
                solution.theta.clone(),
                (0.1 * solution.relative_gradient.min(self.tolerance)).max(1e-15),
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
                    "the training rows are separable and l2 = 0: no finite optimum; stopped where \
                     the gradient is {:.1e} of its scale",
                    solution.relative_gradient
                )));
            } else if further.stop == Stop::Converged {
                solution = further;
            }
        }
        Ok(solution)
    }
}

/// A fitted softmax regression.
#[derive(Debug)]
struct Model {
    /// Class by class (one vector for two classes), slopes then intercept.
    coefficients: Vec<f64>,
    n_features: usize,
    present: Vec<usize>,
    n_classes: usize,
}

impl Fitted for Model {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        check_scored(x, self.n_features)?;
        let m = self.present.len();
        let mut log = Matrix::zeros(x.rows(), m);
        for i in 0..x.rows() {
            let row = x.row(i);
            // Two classes: f = (0, s), so the one vector belongs to the second.
            let to = log.row_mut(i);
            let first = usize::from(m == 2);
            for (f, w) in to[first..]
                .iter_mut()
                .zip(self.coefficients.chunks_exact(self.n_features + 1))
            {
                *f = dot(&w[..self.n_features], row) + w[self.n_features];
            }
            if let Some(odd) = to.iter().find(|f| !f.is_finite()) {
                return Err(StageError::Failed(format!(
                    "scored row {i} has the linear score {odd}; standardise the features"
                )));
            }
        }
        Ok(Scores::logits(widen(&log, &self.present, self.n_classes))?)
    }

    fn linear_head(&self, x: &Matrix) -> StageResult<Option<LinearHead>> {
        let vectors = self.coefficients.chunks_exact(self.n_features + 1);
        let slopes: Vec<&[f64]> = vectors.map(|w| &w[..self.n_features]).collect();
        linear_head(x, &slopes, &self.present, self.n_classes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared::optimise::Objective;
    use crate::testing::{
        Fit, blobs, fit, gap, learner, normal, offset, rng, train, try_fit, weighted,
    };
    use counterweight_core::{ParamValue, Seed, Shared, SmallClass};

    const ID: &str = "softmax-regression";

    fn l2(value: f64) -> (&'static str, ParamValue) {
        ("l2", ParamValue::Real(value))
    }

    /// Log-scores relative to the first class: what the margins act on.
    fn log_odds(fit: &Fit, x: &Matrix) -> Vec<f64> {
        let scores = fit.scores(x);
        let rows = scores.log().iter_rows();
        rows.flat_map(|row| row.iter().map(|s| s - row[0]).collect::<Vec<_>>())
            .collect()
    }

    fn worst(a: &[f64], b: &[f64]) -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f64::max)
    }

    #[test]
    fn logit_adjustment_moves_unpenalised_intercepts_alone() {
        for counts in [&[90, 10][..], &[60, 25, 5], &[40, 20, 10, 6]] {
            let k = counts.len();
            let n: usize = counts.iter().sum();
            let (x, y) = blobs(21, counts, 3);
            let data = train(&x, &y, k);
            let log_prior: Vec<f64> = counts.iter().map(|&c| (c as f64 / n as f64).ln()).collect();
            let plain = log_odds(&fit(ID, &[], &data, &LossTerms::cross_entropy(k)), &x);
            for tau in [0.5, 1.0, 2.0] {
                let offsets: Vec<f64> = log_prior.iter().map(|p| tau * p).collect();
                let adjusted = log_odds(&fit(ID, &[], &data, &offset(&offsets)), &x);
                let expected: Vec<f64> = plain
                    .iter()
                    .enumerate()
                    .map(|(at, s)| s - (offsets[at % k] - offsets[0]))
                    .collect();
                assert!(worst(&adjusted, &expected) < 1e-6, "tau {tau}, {counts:?}");
                // With a penalised intercept the two differ.
                let penalised = [("penalise_intercept", ParamValue::Flag(true)), l2(5.0)];
                let plain = log_odds(
                    &fit(ID, &penalised, &data, &LossTerms::cross_entropy(k)),
                    &x,
                );
                let adjusted = log_odds(&fit(ID, &penalised, &data, &offset(&offsets)), &x);
                let expected: Vec<f64> = plain
                    .iter()
                    .enumerate()
                    .map(|(at, s)| s - (offsets[at % k] - offsets[0]))
                    .collect();
                assert!(worst(&adjusted, &expected) > 0.05, "tau {tau}, {counts:?}");
            }
        }
    }

    #[test]
    fn mean_probabilities_equal_class_shares_at_the_optimum() {
        for counts in [&[90, 10][..], &[60, 25, 5]] {
            let k = counts.len();
            let n: usize = counts.iter().sum();
            let (x, y) = blobs(22, counts, 3);
            let data = train(&x, &y, k);
            let offsets: Vec<f64> = counts.iter().map(|&c| (c as f64 / n as f64).ln()).collect();
            for offsets in [vec![0.0; k], offsets] {
                let scores = fit(ID, &[], &data, &offset(&offsets)).scores(&x);
                let mut mean = vec![0.0; k];
                for row in scores.log().iter_rows() {
                    // softmax(f + o) under the adjusted loss.
                    let mut row: Vec<f64> = row.iter().zip(&offsets).map(|(s, o)| s + o).collect();
                    counterweight_core::log_softmax(&mut row);
                    for (m, s) in mean.iter_mut().zip(&row) {
                        *m += s.exp() / n as f64;
                    }
                }
                for (m, &count) in mean.iter().zip(counts) {
                    assert!((m - count as f64 / n as f64).abs() < 1e-9, "{mean:?}");
                }
            }
        }
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
        params: &SoftmaxRegression,
        (data, terms): &(Train, LossTerms),
        start: Option<f64>,
    ) -> (Solution, Vec<f64>) {
        let task = Task::new(data, terms, HONOURS).unwrap();
        let kernel = Kernel::of(&task, terms).unwrap();
        let null = kernel.null_scores(&task.mass());
        let mut problem = Problem::new(params.penalties(), &task, kernel);
        let mut theta = problem.with_intercepts(&null);
        if let Some(value) = start {
            theta.fill(value);
        }
        let shared = Shared::default();
        let stream = Seed(1).stage("fit").open();
        let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
        let solution = params
            .solve(&mut problem, theta, method, &mut context)
            .unwrap();
        let scores = problem.scores(&solution.theta);
        (solution, scores)
    }

    fn params(l2: f64) -> SoftmaxRegression {
        SoftmaxRegression {
            l2,
            penalise_intercept: false,
            tolerance: 1e-10,
        }
    }

    #[test]
    fn newton_copes_with_large_offsets_from_zero() {
        for counts in [&[95, 5][..], &[60, 30, 10]] {
            let k = counts.len();
            let offsets: Vec<f64> = (0..k).map(|j| -25.0 * j as f64).collect();
            let parts = problem_parts(23, counts, 3, &offset(&offsets));
            let (near, expected) = solve(Method::Newton, &params(1.0), &parts, None);
            for start in [0.0, 3.0] {
                let (far, found) = solve(Method::Newton, &params(1.0), &parts, Some(start));
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
                let (_, a) = solve(Method::Newton, &params(l2), &parts, None);
                let (b, f) = solve(Method::Lbfgs, &params(l2), &parts, None);
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
                let (solution, _) = solve(method, &params(0.5), &parts, Some(0.0));
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
                let mut problem = Problem::new(params(0.1).penalties(), &task, kernel);
                let parts = (data.clone(), terms.clone());
                let (end, _) = solve(Method::Lbfgs, &params(0.1), &parts, None);
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
            params(0.0).penalties(),
            &task,
            Kernel::of(&task, &LossTerms::cross_entropy(task.n_classes)).unwrap(),
        );
        let shared = Shared::default();
        let stream = Seed(1).stage("fit").open();
        let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
        let start = problem.with_intercepts(&[0.0]);
        let end = params(0.0).solve(&mut problem, start, Method::Lbfgs, &mut context);
        assert!(
            end.is_err()
                || context
                    .notes
                    .iter()
                    .any(|n| matches!(n, Note::Degenerate(_)))
        );
    }

    #[test]
    fn collinear_columns_without_penalty_change_no_prediction() {
        for counts in [&[40, 30][..], &[40, 30, 20]] {
            let k = counts.len();
            let (x, y) = blobs(26, counts, 2);
            let more = Matrix::from_fn(x.rows(), 5, |i, j| match j {
                0 | 1 => x.at(i, j),
                2 => 4.0,
                3 => x.at(i, 0) - 2.0 * x.at(i, 1),
                _ => x.at(i, 1),
            });
            let terms = LossTerms::cross_entropy(k);
            let lean = fit(ID, &[l2(0.0)], &train(&x, &y, k), &terms);
            let fat = fit(ID, &[l2(0.0)], &train(&more, &y, k), &terms);
            assert!(!lean.degenerate() && !fat.degenerate());
            assert!(gap(&lean.scores(&x), &fat.scores(&more)) < 1e-7);
        }
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
        match ended {
            Err(StageError::Failed(text)) => assert!(text.contains("standardise"), "{text}"),
            Ok(fit) => assert!(fit.details["relative_gradient"] <= 1e-10),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn the_population_optimum_of_the_gaussian_pair_is_reached() {
        // Means +-(1, 1), identity covariance, prior .05: plain regression has balanced error
        // .180770286478417, adjusted by the prior .0786496035251426.
        let (n, rare) = (200_000, 10_000);
        let mut generator = rng(11);
        let y: Vec<u32> = (0..n).map(|i| u32::from(i < rare)).collect();
        let x = Matrix::from_fn(n, 2, |i, _| {
            normal(&mut generator) + if y[i] == 1 { 1.0 } else { -1.0 }
        });
        let data = train(&x, &y, 2);
        let model = fit(ID, &[], &data, &LossTerms::cross_entropy(2));
        // The fitted boundary's exact balanced error, from the line that it draws.
        let probe = Matrix::from_vec(3, 2, vec![0.0, 0.0, 1.0, 0.0, 0.0, 1.0]).unwrap();
        let odds: Vec<f64> = log_odds(&model, &probe)
            .chunks(2)
            .map(|pair| pair[1])
            .collect();
        let (b, u, v) = (odds[0], odds[1] - odds[0], odds[2] - odds[0]);
        let balanced_error = |b: f64| {
            let length = u.hypot(v);
            let rare = phi(-(b + u + v) / length);
            let common = phi((b - u - v) / length);
            0.5 * (rare + common)
        };
        assert!((balanced_error(b) - 0.180_770_286_478_417).abs() < 0.004);
        let adjusted = b + (0.95_f64 / 0.05).ln();
        assert!((balanced_error(adjusted) - 0.078_649_603_525_142_6).abs() < 1e-4);
    }

    /// The normal distribution function, by Simpson's rule on its density.
    fn phi(z: f64) -> f64 {
        let steps = 2000;
        let h = z / f64::from(steps);
        let density = |t: f64| (-0.5 * t * t).exp() / std::f64::consts::TAU.sqrt();
        let sum: f64 = (0..=steps)
            .map(|i| {
                let weight = match i {
                    0 => 1.0,
                    i if i == steps => 1.0,
                    i if i % 2 == 1 => 4.0,
                    _ => 2.0,
                };
                weight * density(f64::from(i) * h)
            })
            .sum();
        0.5 + sum * h / 3.0
    }
}
