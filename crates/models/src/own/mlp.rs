//! A multilayer perceptron, trained by minibatches under any loss of the kernel.
//!
//! Written for tables: a few small layers, exact gradients in double precision, no regularisation by
//! chance but the order of the minibatches.
//!
//! # When it helps, when it hurts
//! Where classes meet along curved boundaries of standardised numbers, with some hundred rows or more.
//! It is the learner on which losses differ most: what margins, weights, minibatches or a starting
//! bias change is where training ends, not only where the boundary lies. It hurts on few rows,
//! unscaled features, and where columns are better cut than bent (trees). Its probabilities are
//! overconfident when it trains to the end without early stopping.
//!
//! # Formula
//! ```text
//! a_0 = x,  a_l = act(a_{l-1} W_l + b_l),  f = a_L W + b   or   f_k = scale * cos(a_L, w_k)
//! minimise  sum_i l(y_i, f(x_i)) + weight_decay / 2 * (squares of all W; biases and a cosine head free)
//! ```
//! Two classes have one score (`f = (0, s)`), three or more one each. A batch of B of the n rows steps
//! along `1 / (B w) sum_batch dl_i + weight_decay / (n w) W`, with w the mean weight of a draw: class
//! weights enter as they are, their common scale only against the penalty, and with batches of all
//! rows a row of weight 3 is a row given three times. An epoch is ceil(n / `batch_size`) batches of
//! equal size to one row; `batch-balanced` draws n rows with replacement instead, classes by its
//! scheme.
//!
//! Weights start uniform in +-sqrt(6 / inputs) before `relu` (He), +-sqrt(6 / (inputs + outputs))
//! elsewhere (Glorot), biases at 0 unless the loss brings output biases. Margins of a minibatch
//! (`batch-prior`) come from the weighted class shares of its rows; classes that it lacks are masked
//! for it. A `deferred` loss takes over at the epoch nearest to its share of the epochs.
//!
//! With three or more classes and a linear head, the last layer on the last hidden outputs is what
//! `weight-norm` acts on.
//!
//! The budget is a number of steps, not of passes over the rows, which a resampler multiplies or takes away: an
//! arm with more rows would otherwise be an arm that trains longer. With `early_stopping` a stratified share
//! of the original rows is held out, the same ones under every correction, and with them what a resampler
//! made of them; their loss under the arm's own terms is weighted to the class rates that training sees.
//! Training ends after `patience` looks (one a hundredth of `updates`, or an epoch) without a smaller loss
//! there, and the weights of the smallest loss are kept. Under a schedule it watches from the last loss on.
//! A held-out loss that fell by more than a hundredth over the last tenth of the budget is named in the
//! record: the fit did not converge.
//!
//! # Parameters
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `hidden` | `[32]` | 1 to 3 of [1, 4096] | units of each hidden layer |
//! | `activation` | `relu` | `relu`, `tanh` | of the hidden layers |
//! | `solver` | `adam` | `adam`, `sgd` | |
//! | `learning_rate` | 0.01 | (0, 10] | step |
//! | `schedule` | `cosine` | `constant`, `cosine` | of the learning rate: as it is, or to 0 along half a cosine |
//! | `momentum` | 0.9 | [0, 1) | share of the last step that an `sgd` step keeps |
//! | `nesterov` | true | true, false | whether `sgd` looks ahead |
//! | `updates` | 5000 | [1, 1e8] | most steps in all, the same for every correction |
//! | `epochs` | none | [1, 100000] | passes over the rows, in place of `updates` |
//! | `batch_size` | 32 | [1, inf) | most rows of a minibatch; more than there are: all |
//! | `weight_decay` | 0.1 | [0, inf) | penalty on half the squared weights, beside the SUM of losses |
//! | `early_stopping` | none | true, false | whether held-out rows say when to stop; none: unless `epochs` are given |
//! | `validation` | 0.1 | (0, 1) | share of each class held out for it |
//! | `patience` | 20 | [1, inf) | epochs, or hundredths of `updates` |
//! | `head` | `linear` | `linear`, `cosine` | how the scores come from the last layer |
//! | `scale` | 1.0 | (0, 1e6] | largest score of a cosine head |
//!
//! `ldam` brings its own scale (s = 30, as a factor of the loss): it goes with `head = "cosine"` and
//! `scale = 1`. Under the other losses a cosine head of scale 1 cannot become confident; 10 to 30 fit.
//!
//! # Cost
//! O(n P) an epoch for P weights, some 6 n P operations as matrix products. Memory O(B (units)) beside
//! a few copies of the weights.
//!
//! # Differences
//! From scikit-learn's `MLPClassifier`: the same steps of Adam and SGD, checked to 1e-9. `hidden` is
//! `[32]` instead of `[100]`; the learning rate is 0.01 and falls to 0 instead of a constant 0.001, the
//! batches have 32 rows instead of up to 200, and there are at most 5000 steps instead of 200 epochs or until
//! the training loss stalls: small tables get enough steps, and so does a small resampled one. `alpha` there stands beside the
//! sum of one BATCH's losses, `weight_decay` here beside that of all rows: `weight_decay` = alpha n /
//! batch size gives the same penalty. Early stopping watches the loss, not the accuracy, which a
//! majority vote would satisfy; the split there knows nothing of copies. Three or more classes have
//! independent scores in both; weights start by He's rule before `relu`, biases at 0. Over the twenty real
//! sets of `tests/peers/mlp.py`, defaults on both sides, balanced error is lower here by .012 on average,
//! with a standard error of .006.
//!
//! # Errors
//! Features that are not finite, terms that are no numbers, weights that run off to infinity (with
//! the epoch), scores that overflow, and the deadline. An initial output bias is not applicable to a
//! cosine head, which has none.
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "mlp").unwrap();
//! let given = BTreeMap::from([("epochs".to_owned(), ParamValue::Whole(300))]);
//! let params = params::check(entry.card.params, &given).unwrap();
//! let learner = (entry.build)(&params).unwrap();
//! // Exclusive or: no linear model separates it.
//! # let y = Labels::from_texts(&["0", "1", "1", "0"]);
//! # let x = Matrix::from_vec(4, 2, vec![-1.0, -1.0, -1.0, 1.0, 1.0, -1.0, 1.0, 1.0]).unwrap();
//! # let samples = Samples::numeric(x.clone(), y).unwrap();
//! # let (train, _) = Partition::new(4, (0..4).collect(), vec![]).unwrap().cut_samples(&samples).unwrap();
//! # let shared = Shared::default();
//! # let stream = Seed(1).stage("fit").open();
//! # let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let model = learner.fit(&train, &LossTerms::cross_entropy(2), &mut context).unwrap();
//! assert_eq!(model.scores(&x).unwrap().argmax(&[0.0, 0.0], &counterweight_core::Ties::default()).unwrap().as_slice(), [0, 1, 1, 0]);
//! ```
//!
//! # References
//! Goodfellow, Bengio, Courville (2016), Deep Learning, 6 and 8. Kingma and Ba (2015), Adam, ICLR.
//! Sutskever et al. (2013), On the importance of initialization and momentum, ICML. He et al. (2015),
//! Delving deep into rectifiers, ICCV. Glorot and Bengio (2010), AISTATS. Cao et al. (2019), Learning
//! imbalanced datasets with label-distribution-aware margin loss, `NeurIPS` (cosine head, deferral).

use counterweight_core::params::Default as Preset;
use counterweight_core::{
    Card, Entry, Fitted, Learner, LearnerCaps, LearnerEntry, LossTerms, ParamError, ParamKind,
    ParamSpec, ParamValue, Params, Range, ScoreKind, StageContext, StageResult, Train, Workload,
};

use crate::shared::footprint::Size;
use crate::shared::network::fit::{Early, HONOURS, Setup};
use crate::shared::network::params as shared;
use crate::shared::network::shape::{Activation, Head};
use crate::shared::network::train::{Budget, Plan};
use crate::shared::settable::settable;

const MOST_UNITS: f64 = 4096.0;

pub(crate) const ENTRY: LearnerEntry = Entry {
    card: Card {
        id: "mlp",
        summary: "multilayer perceptron by minibatches, under every loss of the kernel",
        reference: "Goodfellow, Bengio, Courville 2016; Kingma and Ba 2015",
        params: &[
            ParamSpec::new(
                "hidden",
                ParamKind::Wholes(Range::new(1.0, true, MOST_UNITS, true)),
                Preset::Wholes(&[32]),
                "units of each hidden layer, one to three layers",
            ),
            ParamSpec::new(
                "activation",
                ParamKind::Choice(&["relu", "tanh"]),
                Preset::Text("relu"),
                "of the hidden layers",
            ),
            shared::SOLVER,
            shared::learning_rate(0.01),
            ParamSpec::new(
                "schedule",
                ParamKind::Choice(&["constant", "cosine"]),
                Preset::Text("cosine"),
                "of the learning rate: as it is, or to 0 along half a cosine",
            ),
            shared::MOMENTUM,
            shared::NESTEROV,
            shared::UPDATES,
            shared::EPOCHS,
            shared::batch_size(32),
            ParamSpec::new(
                "weight_decay",
                ParamKind::Real(Range::NON_NEGATIVE),
                Preset::Real(0.1),
                "penalty on half the squared weights, beside the sum of losses",
            ),
            ParamSpec::optional(
                "early_stopping",
                ParamKind::Flag,
                "whether held-out rows say when to stop; none: unless `epochs` are given",
            ),
            ParamSpec::new(
                "validation",
                ParamKind::Real(Range::OPEN_UNIT),
                Preset::Real(0.1),
                "share of each class held out for early stopping",
            ),
            ParamSpec::new(
                "patience",
                ParamKind::Whole(Range::AT_LEAST_ONE),
                Preset::Whole(20),
                "epochs, or hundredths of `updates`, without a smaller held-out loss before it stops",
            ),
            ParamSpec::new(
                "head",
                ParamKind::Choice(&["linear", "cosine"]),
                Preset::Text("linear"),
                "how the scores come from the last hidden layer",
            ),
            ParamSpec::new(
                "scale",
                ParamKind::Real(Range::new(0.0, false, 1e6, true)),
                Preset::Real(1.0),
                "largest score of a cosine head; 1 under `ldam`, whose s is a scale already",
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
        footprint: |params, work| {
            let size = Size::of(work);
            // The rows to train on and those held out are copies.
            let parted = if stops_early(params) {
                size.rows()
            } else {
                0.0
            };
            let fit = 20.0 * size.n + 40.0 * weights(params, work) + 6e4;
            size.footprint(0.0, parted + fit)
        },
        remark: "an initial bias is not applicable to a cosine head",
    },
    build: |params| Ok(Box::new(Mlp::try_from(params)?)),
};

/// Number of weights between the layers.
fn weights(params: &Params, work: &Workload) -> f64 {
    let mut weights = 0.0;
    let mut inputs = work.n_features as f64;
    for outputs in params
        .reals("hidden")
        .into_iter()
        .chain([work.n_classes as f64])
    {
        weights += inputs * outputs;
        inputs = outputs;
    }
    weights
}

fn cost(params: &Params, work: &Workload) -> f64 {
    let weights = weights(params, work);
    let (steps, rows) = shared::steps(params, work.n_train);
    // Rows as matrix products, steps over all weights, and some overhead of each.
    1e-4 + rows * (weights * 2e-10 + 5e-8)
        + steps * (weights * 2.2e-9 + 1e-6)
        + work.n_score as f64 * (weights + 100.0) * 2.2e-10
}

/// Whether rows are held out to say when to stop.
fn stops_early(params: &Params) -> bool {
    match params.get("early_stopping") {
        Some(ParamValue::Flag(wanted)) => *wanted,
        _ => matches!(shared::budget(params), Budget::Updates(_)),
    }
}

/// Checked parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Mlp {
    setup: Setup,
    given: Params,
}

settable!(Mlp {
    hidden: Vec<usize>,
    activation: &'static str,
    head: &'static str,
    scale: f64,
    learning_rate: f64,
    schedule: &'static str,
    batch_size: usize,
    updates: usize,
    epochs: usize,
    weight_decay: f64,
    early_stopping: bool,
    validation: f64,
    patience: usize,
    solver: &'static str,
    momentum: f64,
    nesterov: bool,
});

impl TryFrom<&Params> for Mlp {
    type Error = ParamError;

    fn try_from(params: &Params) -> Result<Self, ParamError> {
        let hidden = shared::wholes(params, "hidden");
        if hidden.len() > 3 {
            return Err(ParamError::new(
                "hidden",
                format!("expected one to three layers, found {}", hidden.len()),
            ));
        }
        let setup = Setup {
            hidden,
            activation: match params.text("activation") {
                "tanh" => Activation::Tanh,
                _ => Activation::Relu,
            },
            head: match params.text("head") {
                "cosine" => Head::Cosine {
                    scale: params.real("scale"),
                },
                _ => Head::Linear,
            },
            plan: Plan {
                solver: shared::solver(params),
                learning_rate: params.real("learning_rate"),
                decays: params.text("schedule") == "cosine",
                budget: shared::budget(params),
                batch_size: params.whole("batch_size"),
                l2: params.real("weight_decay"),
                averages: false,
            },
            early: stops_early(params).then(|| Early {
                share: params.real("validation"),
                patience: params.whole("patience"),
            }),
        };
        Ok(Self {
            setup,
            given: params.clone(),
        })
    }
}

impl Learner for Mlp {
    fn fit(
        &self,
        train: &Train,
        terms: &LossTerms,
        context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        self.setup.fit(train, terms, context)
    }
}
