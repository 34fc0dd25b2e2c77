//! Softmax (multinomial logistic) regression, converged to a stated gradient.
//!
//! Linear scores `f = W x + b`, fitted by minimising the sum of the loss kernel over the training rows
//! plus half the squared slopes. It honours class weights, additive margins and multiplicative
//! factors, so every convex loss of the catalogue acts on it.
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
//! everywhere would have. Up to 300 coefficients it takes damped Newton steps, above that L-BFGS.
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
//! Features that are not finite, terms that are no numbers, a focal power (not applicable), scores
//! that overflow, and a gradient that does not reach the tolerance, with how far it came.
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
//! group-sensitive classification under overparameterization, NeurIPS. Albert and Anderson (1984),
//! On the existence of maximum likelihood estimates in logistic regression models, Biometrika 71.

use counterweight_core::params::Default as Preset;
use counterweight_core::{
    Card, Entry, Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, Matrix, Note,
    ParamError, ParamKind, ParamSpec, Params, Range, ScoreKind, Scores, StageContext, StageError,
    StageResult, Train, Workload,
};
use ndarray::Axis;
use ndarray::linalg::general_mat_mul;

use crate::shared::kernel::Kernel;
use crate::shared::linalg::{dot, view, view_mut};
use crate::shared::optimise::{self, Objective, Solution, Stop};
use crate::shared::task::{Task, check_scored, widen};

const HONOURS: LossNeeds = LossNeeds {
    weights: true,
    margins: true,
    factors: true,
    focal: false,
};

/// Most coefficients for which Newton's O(P^2) a row is worth its few steps.
const NEWTON_LIMIT: usize = 300;

/// Rows handled together: their scores and scaled features stay in the cache.
const BLOCK: usize = 256;

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
    let fit = if p <= NEWTON_LIMIT as f64 {
        8.0 * (n * p * (p + 40.0) * 1.5e-10 + p * p * p * 3e-10)
    } else {
        200.0 * n * p * 1.5e-9
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
        let kernel = Kernel::new(&task);
        let start = kernel.null_scores(&task.mass());
        let mut problem = Problem::new(self, &task, kernel);
        let theta = problem.with_intercepts(&start);
        let method = if theta.len() <= NEWTON_LIMIT {
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Newton,
    Lbfgs,
}

impl SoftmaxRegression {
    fn solve(
        &self,
        problem: &mut Problem<'_>,
        start: Vec<f64>,
        method: Method,
        context: &mut StageContext<'_>,
    ) -> StageResult<Solution> {
        let minimise = match method {
            Method::Newton => optimise::newton,
            Method::Lbfgs => optimise::lbfgs,
        };
        let mut solution = minimise(problem, start, self.tolerance, context.deadline)?;
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

/// The objective over coefficients stored class by class, each slopes then intercept.
struct Problem<'a> {
    /// Features with a last column of ones, row-major.
    x: Vec<f64>,
    y: &'a [u32],
    kernel: Kernel,
    /// Columns of `x`.
    width: usize,
    /// Scores of a row.
    n_scores: usize,
    /// Penalty of each column of `x`.
    penalty: Vec<f64>,
    /// Scale of the gradient of each column of `x`.
    scale: Vec<f64>,
}

impl<'a> Problem<'a> {
    fn new(params: &SoftmaxRegression, task: &'a Task<'_>, kernel: Kernel) -> Self {
        let width = task.n_features() + 1;
        let mut x = Vec::with_capacity(task.n_rows() * width);
        let mut scale = vec![0.0; width];
        let factor = task.factors.iter().copied().fold(0.0, f64::max);
        for (i, &class) in task.y.iter().enumerate() {
            let weight = factor * task.weights[class as usize];
            for (s, v) in scale.iter_mut().zip(task.x.row(i)) {
                *s += weight * v.abs();
            }
            scale[width - 1] += weight;
            x.extend_from_slice(task.x.row(i));
            x.push(1.0);
        }
        let mut penalty = vec![params.l2; width];
        if !params.penalise_intercept {
            penalty[width - 1] = 0.0;
        }
        Self {
            x,
            y: &task.y,
            n_scores: kernel.n_scores(),
            kernel,
            width,
            penalty,
            scale,
        }
    }

    /// Coefficients with slopes 0.
    fn with_intercepts(&self, intercepts: &[f64]) -> Vec<f64> {
        let mut theta = vec![0.0; self.n_scores * self.width];
        for (row, b) in theta.chunks_exact_mut(self.width).zip(intercepts) {
            row[self.width - 1] = *b;
        }
        theta
    }

    /// Scores of all rows, row by row.
    fn scores(&self, theta: &[f64]) -> Vec<f64> {
        let n = self.y.len();
        let mut f = vec![0.0; n * self.n_scores];
        general_mat_mul(
            1.0,
            &view(n, self.width, &self.x),
            &view(self.n_scores, self.width, theta).t(),
            0.0,
            &mut view_mut(n, self.n_scores, &mut f),
        );
        f
    }

    /// The rows in blocks: features and classes.
    fn blocks(&self) -> impl Iterator<Item = (&[f64], &'a [u32])> {
        self.x.chunks(BLOCK * self.width).zip(self.y.chunks(BLOCK))
    }
}

impl Objective for Problem<'_> {
    fn value_gradient(&mut self, theta: &[f64], gradient: &mut [f64]) -> f64 {
        let (c, q) = (self.n_scores, self.width);
        let mut f = vec![0.0; BLOCK * c];
        let mut residual = vec![0.0; BLOCK * c];
        gradient.fill(0.0);
        let mut value = 0.0;
        for (x, y) in self.blocks() {
            let rows = y.len();
            let x = view(rows, q, x);
            general_mat_mul(
                1.0,
                &x,
                &view(c, q, theta).t(),
                0.0,
                &mut view_mut(rows, c, &mut f[..rows * c]),
            );
            let mut sum = 0.0;
            for (i, &class) in y.iter().enumerate() {
                let at = i * c..(i + 1) * c;
                sum += self
                    .kernel
                    .loss(class as usize, &f[at.clone()], &mut residual[at]);
            }
            value += sum;
            general_mat_mul(
                1.0,
                &view(rows, c, &residual[..rows * c]).t(),
                &x,
                1.0,
                &mut view_mut(c, q, gradient),
            );
        }
        for (g, t) in gradient.chunks_exact_mut(q).zip(theta.chunks_exact(q)) {
            for ((g, t), l2) in g.iter_mut().zip(t).zip(&self.penalty) {
                *g += l2 * t;
                value += 0.5 * l2 * t * t;
            }
        }
        value
    }

    fn relative(&self, gradient: &[f64]) -> f64 {
        gradient
            .chunks_exact(self.width)
            .flat_map(|g| g.iter().zip(&self.scale))
            .map(
                |(g, scale)| {
                    if g.abs() > 0.0 { g.abs() / scale } else { 0.0 }
                },
            )
            .fold(
                0.0,
                |worst, r| if r > worst || r.is_nan() { r } else { worst },
            )
    }

    fn hessian(&mut self, theta: &[f64]) -> Vec<f64> {
        let (c, q) = (self.n_scores, self.width);
        let p = c * q;
        let mut hessian = vec![0.0; p * p];
        let mut f = vec![0.0; BLOCK * c];
        let mut bends = vec![0.0; BLOCK * c * c];
        let mut probabilities = vec![0.0; self.kernel_classes()];
        let mut scaled = vec![0.0; BLOCK * q * c];
        for (x, y) in self.blocks() {
            let rows = y.len();
            general_mat_mul(
                1.0,
                &view(rows, q, x),
                &view(c, q, theta).t(),
                0.0,
                &mut view_mut(rows, c, &mut f[..rows * c]),
            );
            for (i, &class) in y.iter().enumerate() {
                self.kernel.curvature(
                    class as usize,
                    &f[i * c..(i + 1) * c],
                    &mut probabilities,
                    &mut bends[i * c * c..(i + 1) * c * c],
                );
            }
            // Block row j of the Hessian right of the diagonal, in one product: X' [h_jj X, ...].
            for j in 0..c {
                let wide = (c - j) * q;
                for i in 0..rows {
                    let row = &x[i * q..(i + 1) * q];
                    for l in j..c {
                        let bend = bends[i * c * c + j * c + l];
                        let at = i * wide + (l - j) * q;
                        for (s, v) in scaled[at..at + q].iter_mut().zip(row) {
                            *s = bend * v;
                        }
                    }
                }
                let block_row = view_mut(q, p, &mut hessian[j * q * p..(j + 1) * q * p]);
                let (_, mut part) = block_row.split_at(Axis(1), j * q);
                general_mat_mul(
                    1.0,
                    &view(rows, q, x).t(),
                    &view(rows, wide, &scaled[..rows * wide]),
                    1.0,
                    &mut part,
                );
            }
        }
        for j in 0..c {
            for (e, l2) in self.penalty.iter().enumerate() {
                let at = j * q + e;
                hessian[at * p + at] += l2;
            }
        }
        for i in 0..p {
            for j in 0..i {
                hessian[i * p + j] = hessian[j * p + i];
            }
        }
        hessian
    }

    fn curvature(&mut self, theta: &[f64]) -> Vec<f64> {
        let (c, q) = (self.n_scores, self.width);
        let mut diagonal = vec![0.0; c * q];
        let f = self.scores(theta);
        let mut bends = vec![0.0; c * c];
        let mut probabilities = vec![0.0; self.kernel_classes()];
        for (i, &class) in self.y.iter().enumerate() {
            self.kernel.curvature(
                class as usize,
                &f[i * c..(i + 1) * c],
                &mut probabilities,
                &mut bends,
            );
            let x = &self.x[i * q..(i + 1) * q];
            for (j, row) in diagonal.chunks_exact_mut(q).enumerate() {
                let bend = bends[j * c + j];
                for (d, v) in row.iter_mut().zip(x) {
                    *d += bend * v * v;
                }
            }
        }
        for row in diagonal.chunks_exact_mut(q) {
            for (d, l2) in row.iter_mut().zip(&self.penalty) {
                *d += l2;
            }
        }
        diagonal
    }
}

impl Problem<'_> {
    fn kernel_classes(&self) -> usize {
        self.n_scores.max(2)
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
}
