//! Softmax (multinomial logistic) regression by minibatches.
//!
//! The objective of `softmax-regression`, approached by stochastic steps and an average over them
//! instead of converged Newton or L-BFGS. It exists for the losses and samplers that live in
//! minibatches: `batch-prior` and `batch-balanced` have no meaning on a learner that sees all rows at
//! once. It is a learner of its own, and no parameter of `softmax-regression`, because what a learner
//! honours stands on its card and planning decides by it.
//!
//! # When it helps, when it hurts
//! To see what minibatches do to a correction without a network in between; for rows so many that a few
//! passes have to do. Where both apply, `softmax-regression` gives the optimum and this one an
//! approximation: its distance shrinks with `epochs`, and a loss that only moves the start (`bias-init`)
//! or the way (`deferred`) leaves no more than that distance behind. Over twenty real sets of 200 to 2000
//! rows, with the defaults of both, probabilities of new rows differ by .003 on average and decisions on
//! .3 % of the rows.
//!
//! # Formula
//! ```text
//! minimise  sum_i l(y_i, W x_i + b) + l2 / 2 * (sum of squared slopes)
//! batch of B of the n rows: step along  1 / (B w) sum_batch dl_i + l2 / (n w) W
//! result:  the mean of W and b over the steps of the second half of training
//! ```
//! w is the mean weight of a draw, so that class weights enter as they are and their common scale only
//! against the penalty. Two classes have one slope vector, three or more one each. Weights start at 0,
//! biases at 0 or where the loss says. Averaging (Polyak and Ruppert) makes a constant learning rate
//! converge: single iterates keep jittering around the optimum, their mean does not. Under a schedule
//! the mean starts no earlier than the last loss.
//!
//! Margins of a minibatch (`batch-prior`) come from the weighted class shares of its rows; classes that
//! it lacks are masked for it. An epoch is ceil(n / `batch_size`) batches of equal size to one row;
//! `batch-balanced` draws n rows with replacement instead, classes by its scheme.
//!
//! # Parameters
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `l2` | 1.0 | [0, inf) | penalty on half the squared slopes, beside the SUM of losses |
//! | `solver` | `adam` | `adam`, `sgd` | (a rate of 0.1 suits `sgd`) |
//! | `learning_rate` | 0.03 | (0, 10] | step |
//! | `momentum` | 0.9 | [0, 1) | share of the last step that an `sgd` step keeps |
//! | `nesterov` | true | true, false | whether `sgd` looks ahead |
//! | `updates` | 5000 | [1, 1e8] | most steps in all, the same for every correction |
//! | `epochs` | none | [1, 100000] | passes over the rows, in place of `updates` |
//! | `batch_size` | 32 | [1, inf) | most rows of a minibatch; more than there are: all |
//! | `averaging` | true | true, false | whether the result is the mean over the second half of the steps |
//!
//! # Cost
//! O(n d K) an epoch. Memory O(d K) beside the rows.
//!
//! # Differences
//! From scikit-learn's `SGDClassifier`: the multinomial loss instead of one binary fit a class, the
//! penalty beside the sum of losses (`alpha` there stands beside the mean: `l2 = alpha n`), minibatches
//! instead of single rows, a fixed number of epochs, and averaging over the second half instead of all
//! steps or none.
//!
//! # Errors
//! Features that are not finite, terms that are no numbers, weights that run off to infinity (with
//! the epoch), scores that overflow, and the deadline.
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "softmax-sgd").unwrap();
//! let params = params::check(entry.card.params, &BTreeMap::new()).unwrap();
//! let learner = (entry.build)(&params).unwrap();
//! # let y = Labels::from_texts(&["0", "0", "1", "1"]);
//! # let x = Matrix::from_vec(4, 1, vec![-2.0, -1.0, 0.5, 2.0]).unwrap();
//! # let samples = Samples::numeric(x, y).unwrap();
//! # let (train, _) = Partition::new(4, (0..4).collect(), vec![]).unwrap().cut_samples(&samples).unwrap();
//! # let shared = Shared::default();
//! # let stream = Seed(1).stage("fit").open();
//! # let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! // The margins of every minibatch come from its own class shares.
//! let terms = LossTerms { batch_tau: Some(1.0), ..LossTerms::cross_entropy(2) };
//! let model = learner.fit(&train, &terms, &mut context).unwrap();
//! let scores = model.scores(&Matrix::from_vec(2, 1, vec![-1.0, 3.0]).unwrap()).unwrap();
//! assert_eq!(scores.argmax(&[0.0, 0.0], &counterweight_core::Ties::default()).unwrap().as_slice(), [0, 1]);
//! ```
//!
//! # References
//! Polyak and Juditsky (1992), Acceleration of stochastic approximation by averaging, SIAM J. Control
//! Optim. 30. Bottou, Curtis, Nocedal (2018), Optimization methods for large-scale machine learning,
//! SIAM Review 60. Kingma and Ba (2015), Adam, ICLR.

use counterweight_core::params::Default as Preset;
use counterweight_core::{
    Card, Entry, Fitted, Learner, LearnerCaps, LearnerEntry, LossTerms, ParamError, ParamKind,
    ParamSpec, Params, Range, ScoreKind, StageContext, StageResult, Train, Workload,
};

use crate::shared::footprint::Size;
use crate::shared::network::fit::{HONOURS, Setup};
use crate::shared::network::params as shared;
use crate::shared::network::shape::{Activation, Head};
use crate::shared::network::train::Plan;
use crate::shared::settable::settable;

pub(crate) const ENTRY: LearnerEntry = Entry {
    card: Card {
        id: "softmax-sgd",
        summary: "softmax regression by minibatches, for losses that live in them",
        reference: "Bottou, Curtis, Nocedal 2018; Polyak and Juditsky 1992",
        params: &[
            ParamSpec::new(
                "l2",
                ParamKind::Real(Range::NON_NEGATIVE),
                Preset::Real(1.0),
                "penalty on half the squared slopes, beside the sum of losses",
            ),
            shared::SOLVER,
            shared::learning_rate(0.03),
            shared::MOMENTUM,
            shared::NESTEROV,
            shared::UPDATES,
            shared::EPOCHS,
            shared::batch_size(32),
            ParamSpec::new(
                "averaging",
                ParamKind::Flag,
                Preset::Flag(true),
                "whether the result is the mean over the second half of the steps",
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
            size.footprint(0.0, 20.0 * size.n + 40.0 * size.vectors * size.d + 2e4)
        },
        remark: "",
    },
    build: |params| Ok(Box::new(SoftmaxSgd::try_from(params)?)),
};

fn cost(params: &Params, work: &Workload) -> f64 {
    let scores = if work.n_classes == 2 {
        1
    } else {
        work.n_classes
    };
    let weights = (scores * (work.n_features + 1)) as f64;
    let (steps, rows) = shared::steps(params, work.n_train);
    1e-4 + rows * (weights * 5e-10 + 4e-8)
        + steps * (weights * 2.2e-9 + 7e-7)
        + work.n_score as f64 * weights * 5e-10
}

/// Checked parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct SoftmaxSgd {
    setup: Setup,
    given: Params,
}

settable!(SoftmaxSgd {
    l2: f64,
    learning_rate: f64,
    batch_size: usize,
    updates: usize,
    epochs: usize,
    averaging: bool,
    solver: &'static str,
    momentum: f64,
    nesterov: bool,
});

impl TryFrom<&Params> for SoftmaxSgd {
    type Error = ParamError;

    fn try_from(params: &Params) -> Result<Self, ParamError> {
        let setup = Setup {
            hidden: Vec::new(),
            // Of no layer.
            activation: Activation::Relu,
            head: Head::Linear,
            plan: Plan {
                solver: shared::solver(params),
                learning_rate: params.real("learning_rate"),
                decays: false,
                budget: shared::budget(params),
                batch_size: params.whole("batch_size"),
                l2: params.real("l2"),
                averages: params.flag("averaging"),
            },
            early: None,
        };
        Ok(Self {
            setup,
            given: params.clone(),
        })
    }
}

impl Learner for SoftmaxSgd {
    fn fit(
        &self,
        train: &Train,
        terms: &LossTerms,
        context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        self.setup.fit(train, terms, context)
    }
}
