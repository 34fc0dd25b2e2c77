//! Softmax (multinomial logistic) regression, converged to a stated gradient.
//!
//! Linear scores `f = W x + b`, fitted by minimising the sum of the loss kernel over the training rows
//! plus half the squared slopes. It honours class weights, additive margins, multiplicative factors and
//! a focal power, so every loss of the catalogue that does not speak of the way of training acts on it.
//!
//! # When it helps, when it hurts
//! Where the log-odds are close to linear, at any imbalance: the scores are calibrated at the
//! optimum (the mean predicted probability of a class equals its share), so that post-hoc rules act
//! on them as theory says. It hurts where the boundary is far from linear, and its penalty shrinks a
//! rare class's slopes most, since that class has the fewest rows to speak against it.
//!
//! # Formula
//! ```text
//! minimise  sum_i l(y_i, W x_i + b) + l2 / 2 * (sum of squared slopes [+ squared intercepts])
//!                                   + l1 * (sum of absolute slopes [+ absolute intercepts])
//! l(y, f) = w_y log(1 + sum_{j != y} exp(A[y][j] + D_j f_j - D_y f_y))
//! ```
//! Two classes have ONE slope vector (binary logistic regression, `f = (0, s)`); three or more have
//! one each. The number of classes with training rows decides. With two classes and factors other
//! than 1 the loss is the binary form `log(1 + exp(A[y][1 - y] - D_y (+-1) s))`.
//!
//! With a free intercept the logit offsets `o` of an adjusted loss (`A[y][j] = o_j - o_y`) only move it: plain
//! cross-entropy is fitted and `o` taken off the intercepts, which is the optimum of the adjusted loss.
//!
//! With `intercept_tau` the intercepts are no parameters: they stay at tau log pi, pi the class shares of the rows
//! that are learnt from. With `two_vectors` two classes have a vector and an intercept each, `f = (-s / 2, s / 2)`:
//! what a softmax of two outputs converges to from zero. The penalty stands beside both vectors, which halves it, and
//! rules that work on one vector a class (`weight-norm`) apply.
//!
//! The fit ends when, for every coefficient, |gradient| <= `tolerance` * s, where s is the sum over
//! rows of `w_i D_max |x_ij|` (`x = 1` for the intercept): the gradient that predictions which are wrong
//! everywhere would have. It starts from the class shares with the second derivatives of that point, which
//! factor into classes and features, improves on them by L-BFGS, and turns to the exact second derivatives
//! as soon as the steps so far have cost as much as those do (above some hundreds of coefficients: never).
//!
//! With `l1` the gradient is replaced by the distance from the optimality condition: `g + l1 sign(w) = 0`
//! for a slope w that is not zero, `|g| <= l1` for one that is. Proximal Newton on a working set gets there,
//! with zeros that are exact.
//!
//! A focal power makes the objective non-convex. L-BFGS then goes from the class shares to a point where
//! the gradient vanishes to the same tolerance, lower than where it started; that there is no lower point
//! elsewhere is not guaranteed.
//!
//! # Parameters
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `l2` | 1.0 | [0, inf) | penalty on half the squared slopes, beside the SUM of losses; C = 1 / l2 |
//! | `l1` | none | [0, inf) | penalty on the absolute slopes, beside the SUM of losses; none is 0; with `l2` the elastic net |
//! | `penalise_intercept` | false | true, false | whether intercepts are penalised like slopes |
//! | `intercept_tau` | none | (-inf, inf) | factor on the log class shares at which intercepts stay; none: they are fitted |
//! | `two_vectors` | none | true, false | whether two classes have a vector each; none is false |
//! | `tolerance` | 1e-10 | [1e-14, 0.1] | largest gradient at the end, relative to its scale |
//!
//! # Cost
//! With d features, C scores a row and P = C (d + 1) coefficients: O(n P) a step and some 5 to 20 steps, after
//! O(n d^2 + C d^3) for the first metric; a Hessian O(n P^2 + P^3), one or two of them where they pay. Memory
//! O(n d + P^2), rows in blocks. With `l1`: O(n A^2) a step for the A coefficients of the working set, some 10
//! steps.
//!
//! # Differences
//! From scikit-learn: the same objective (`C = 1 / l2`; its elastic net has `l2 = (1 - l1_ratio) / C` and `l1 =
//! l1_ratio / C`) and optimum, to a tolerance that is relative and a million times smaller than the default
//! there. The intercept can be penalised. Where the optimum is not unique (collinear columns at `l2 = 0`), the
//! coefficients of dependent columns stay at 0 as in R's `glm`. Separable rows without a penalty have no finite
//! optimum: the outcome is degenerate.
//!
//! Fits along a grid of penalties do not start from each other, although that would save steps: a cell would
//! then depend, in its last bits, on which cells ran before it and where.
//!
//! # Errors
//! Features that are not finite, terms that are no numbers, scores that overflow, and a gradient that does
//! not reach the tolerance, with how far it came.
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
//! assert_eq!(scores.argmax(&[0.0, 0.0], &counterweight_core::Ties::default()).unwrap().as_slice(), [0, 1]);
//! ```
//!
//! # References
//! Hastie, Tibshirani, Friedman (2009), The Elements of Statistical Learning, 4.4. Menon et al.
//! (2021), Long-tail learning via logit adjustment, ICLR. Zou and Hastie (2005), Regularization and variable
//! selection via the elastic net, JRSS B 67(2). Kini et al. (2021), Label-imbalanced and
//! group-sensitive classification under overparameterization, `NeurIPS`. Albert and Anderson (1984),
//! On the existence of maximum likelihood estimates in logistic regression models, Biometrika 71.

use counterweight_core::limit;
use counterweight_core::params::Default as Preset;
use counterweight_core::{
    Card, Entry, Fitted, Learner, LearnerCaps, LearnerEntry, LinearHead, LossNeeds, LossTerms,
    Matrix, ParamError, ParamKind, ParamSpec, Params, Range, ScoreKind, Scores, StageContext,
    StageError, StageResult, Train, Workload,
};

use crate::shared::footprint::Size;
use crate::shared::kernel::Kernel;
use crate::shared::linear::Penalties;
use crate::shared::linear_head::linear_head;
use crate::shared::settable::settable;
use crate::shared::softmax::{self, Settings, newton_is_cheaper};
use crate::shared::task::{Shape, Task};
use counterweight_numeric::linalg::dot;

pub(crate) const HONOURS: LossNeeds = LossNeeds {
    weights: true,
    row_weights: true,
    margins: true,
    factors: true,
    focal: true,
    ..LossNeeds::NONE
};

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
            ParamSpec::optional(
                "l1",
                ParamKind::Real(Range::NON_NEGATIVE),
                "penalty on the absolute slopes, beside the sum of losses; none: 0",
            ),
            ParamSpec::new(
                "penalise_intercept",
                ParamKind::Flag,
                Preset::Flag(false),
                "whether intercepts are penalised like slopes",
            ),
            ParamSpec::optional(
                "intercept_tau",
                ParamKind::Real(Range::FINITE),
                "factor on the log class shares at which intercepts stay; none: they are fitted",
            )
            .probed(&[Preset::Real(0.0)]),
            ParamSpec::optional(
                "two_vectors",
                ParamKind::Flag,
                "whether two classes have a vector each; none: they share one",
            )
            .probed(&[Preset::Flag(true)]),
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
        footprint: |_, work| {
            let size = Size::of(work);
            let p = size.vectors * (size.d + 1.0);
            let hessian = if newton_is_cheaper(size.n, p, size.vectors) {
                p
            } else {
                0.0
            };
            let fit = 4.0 * size.n + 8e3 * (size.d + size.k) + p * (200.0 + 16.0 * hessian);
            size.footprint(0.0, fit)
        },
        remark: "",
    },
    build: |params| Ok(Box::new(SoftmaxRegression::try_from(params)?)),
};

fn cost(_: &Params, work: &Workload) -> f64 {
    let columns = if work.n_classes == 2 {
        1
    } else {
        work.n_classes
    } as f64;
    let d = work.n_features as f64;
    let (n, scored) = (work.n_train as f64, work.n_score as f64);
    // Between the price of gradients and that of second derivatives: it takes the cheaper ones.
    let fit = n * columns.powf(1.3) * (d + 10.0).powf(1.15) * 1e-8;
    1e-5 + fit + scored * columns * (d + 1.0) * 2e-9
}

/// Checked parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct SoftmaxRegression {
    settings: Settings,
    /// Factor on the log class shares at which intercepts stay.
    intercept_tau: Option<f64>,
    two_vectors: bool,
    given: Params,
}

settable!(SoftmaxRegression {
    l2: f64,
    l1: f64,
    penalise_intercept: bool,
    intercept_tau: f64,
    two_vectors: bool,
    tolerance: f64,
});

impl TryFrom<&Params> for SoftmaxRegression {
    type Error = ParamError;

    fn try_from(params: &Params) -> Result<Self, ParamError> {
        let given = |key: &str| params.get(key).map(|_| params.real(key));
        let intercept_tau = given("intercept_tau");
        Ok(Self {
            settings: Settings {
                penalties: Penalties {
                    l2: params.real("l2"),
                    l1: given("l1").unwrap_or(0.0),
                    intercept: params.flag("penalise_intercept"),
                    frozen: intercept_tau.is_some(),
                },
                tolerance: params.real("tolerance"),
            },
            intercept_tau,
            two_vectors: params.get("two_vectors").is_some() && params.flag("two_vectors"),
            given: params.clone(),
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
        // Offsets of the logits move out of a free intercept: the loss is that of `f + o`, so `f + o` is
        // fitted. What the offsets are then changes no slope, to the last bit.
        let k = terms.n_classes();
        let penalties = self.settings.penalties;
        let free = !penalties.intercept && !penalties.frozen;
        let moved = match (self.intercept_tau, terms.logit_offsets()) {
            // The other way round: what stays is the margin of a model without intercepts.
            (Some(tau), _) => standing(tau, train),
            (None, Some(offsets)) if free && terms.later.is_none() => {
                offsets.iter().map(|o| -o).collect()
            }
            _ => vec![0.0; k],
        };
        let own;
        let terms = if moved.iter().any(|o| *o != 0.0) {
            let margins = if penalties.frozen {
                let margin = |y: usize, j: usize| terms.margins.at(y, j) + moved[j] - moved[y];
                Matrix::from_fn(k, k, |y, j| if y == j { 0.0 } else { margin(y, j) })
            } else {
                Matrix::zeros(k, k)
            };
            own = LossTerms {
                margins,
                ..terms.clone()
            };
            &own
        } else {
            terms
        };
        let task = Task::new(train, terms, HONOURS)?;
        if let Some(constant) = task.single_class(ScoreKind::Probability, context) {
            return Ok(Box::new(constant));
        }
        let kernel = Kernel::of(&task, terms)?;
        let mut settings = self.settings;
        let halved = self.two_vectors && task.n_present() == 2;
        if halved {
            settings.penalties.l2 *= 0.5;
        }
        let mut theta = softmax::solve(&settings, &task, kernel, context)?;
        let d = task.n_features();
        match *task.present.as_slice() {
            [first, second] => theta[d] += moved[second] - moved[first],
            ref present => {
                for (w, &class) in theta.chunks_exact_mut(d + 1).zip(present) {
                    w[d] += moved[class];
                }
            }
        }
        Ok(Box::new(Model {
            coefficients: theta,
            two_vectors: halved,
            shape: task.shape(),
        }))
    }
}

/// `tau` times the log share of each class among the rows; 0 for a class without rows, which is masked.
fn standing(tau: f64, train: &Train) -> Vec<f64> {
    let mass = train.class_mass();
    let total: f64 = mass.iter().sum();
    let log = |m: &f64| {
        if *m > 0.0 {
            tau * (m / total).ln()
        } else {
            0.0
        }
    };
    mass.iter().map(log).collect()
}

/// A fitted softmax regression.
#[derive(Debug)]
struct Model {
    /// Class by class (one vector for two classes), slopes then intercept.
    coefficients: Vec<f64>,
    /// Whether the one vector of two classes is the difference of two opposite ones.
    two_vectors: bool,
    shape: Shape,
}

impl Fitted for Model {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        self.shape.check(x)?;
        let m = self.shape.present.len();
        let mut log = Matrix::zeros(x.rows(), m);
        for i in 0..x.rows() {
            limit::ask_at(i);
            let row = x.row(i);
            // Two classes: f = (0, s), so the one vector belongs to the second.
            let to = log.row_mut(i);
            let first = usize::from(m == 2);
            for (f, w) in to[first..]
                .iter_mut()
                .zip(self.coefficients.chunks_exact(self.shape.n_features + 1))
            {
                *f = dot(&w[..self.shape.n_features], row) + w[self.shape.n_features];
            }
            if let Some(odd) = to.iter().find(|f| !f.is_finite()) {
                return Err(StageError::Failed(format!(
                    "scored row {i} has the linear score {odd}; standardise the features"
                )));
            }
        }
        self.shape.logits(&log)
    }

    fn linear_head(&self, x: &Matrix) -> StageResult<Option<LinearHead>> {
        let vectors = self.coefficients.chunks_exact(self.shape.n_features + 1);
        let slopes: Vec<&[f64]> = vectors.map(|w| &w[..self.shape.n_features]).collect();
        if self.two_vectors {
            let half = |sign: f64| slopes[0].iter().map(|w| sign * 0.5 * w).collect();
            let both: [Vec<f64>; 2] = [half(-1.0), half(1.0)];
            return linear_head(x, &both.each_ref().map(Vec::as_slice), &self.shape);
        }
        linear_head(x, &slopes, &self.shape)
    }
}
