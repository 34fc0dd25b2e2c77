//! `EasyEnsemble`: an `AdaBoost` of the base on each of several balanced subsets, all their rounds in
//! one vote.
//!
//! # When it helps, when it hurts
//!
//! Boosting lowers the bias of a weak base (a stump, a linear one) and the subsets lower the
//! variance that under-sampling brings, so it serves where under-bagging of a weak base is too
//! stiff. A base that never errs on a subset (a fully grown tree) leaves nothing to boost, and the
//! method becomes under-bagging by votes: bound `max_depth`. Label noise is boosted too.
//!
//! # Formula
//!
//! For subset t of T, drawn as by `under-bagging`, SAMME ([its rules](super)) gives the logits
//! `F_t(x)_k = sum_j alpha_tj [h_tj(x) = k]`. The scores are `log softmax (1/T sum_t F_t(x))`, whose
//! argmax is the paper's vote of all rounds of all subsets. Half the log-odds of a boosted fit is
//! what the exponential loss estimates, so that the scores' prior is that of the subsets; boosted
//! probabilities tend to the extremes and want a calibration.
//!
//! # Cost
//!
//! O(`members` x `rounds`) fits of the base to K times the smallest class's rows.
//!
//! # Differences
//!
//! The paper gives each `AdaBoost` a threshold of its own; here it is 0, since the subsets are
//! balanced. imbalanced-learn 0.14 averages the probabilities of `AdaBoosts` of 50 stumps, each scaled
//! by the sum of its says; here the logits are summed as in the paper, the base is the sweep's
//! model, and `rounds` is 10.
//!
//! # Errors
//!
//! Fewer than two classes with rows are not applicable. Those of
//! [`strategy`](crate::resample::strategy), of the base, and a passed deadline (asked before each
//! fit).
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     Base, Deadline, Labels, Matrix, Partition, Samples, Seed, Shared, SmallClass, StageContext,
//!     Ties, find, params,
//! };
//! let x = Matrix::from_vec(7, 1, vec![0.0, 1.0, 2.0, 3.0, 4.0, 8.0, 9.0])?;
//! let y = Labels::from_texts(&["a", "a", "a", "a", "a", "b", "b"]);
//! let (train, _) = Partition::new(7, (0..7).collect(), vec![])?.cut_samples(&Samples::numeric(x, y)?)?;
//!
//! let model = find(counterweight_models::ALL, "decision-tree").expect("it is listed");
//! let given = params::check(model.card.params, &Default::default()).expect("defaults are valid");
//! let learner = (model.build)(&given)?;
//! let base = Base {
//!     id: model.card.id,
//!     learner: &*learner,
//!     max_rows: None,
//!     encode: &|rows| Ok(rows.clone()),
//! };
//! let entry = find(counterweight_corrections::ensemble::ALL, "easy-ensemble").expect("it is listed");
//! let given = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("ensemble").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let fit = (entry.build)(&given)?.fit(&train, &base, &mut context)?;
//! let scores = fit.fitted.scores(&Matrix::from_vec(2, 1, vec![0.5, 8.5])?)?;
//! assert_eq!(scores.argmax(&[0.0; 2], &Ties::default())?.as_slice(), [0, 1]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! X.-Y. Liu, J. Wu and Z.-H. Zhou, "Exploratory undersampling for class-imbalance learning", IEEE
//! Transactions on Systems, Man and Cybernetics B 39, 2009. J. Zhu, H. Zou, S. Rosset and T. Hastie,
//! "Multi-class `AdaBoost`", Statistics and Its Interface 2, 2009.

use counterweight_core::{
    Base, Ensemble, EnsembleCaps, EnsembleEntry, EnsembleFit, Range, StageContext, StageResult,
    Train, parameters,
};
use std::borrow::Cow;

use super::boost::{Boosting, Committee, fits_on_subsets};
use super::draw::{by_class, draw, take};
use super::members::{Members, prior_of};
use crate::resample::strategy::Shrink;

parameters! {
    /// `EasyEnsemble` with checked parameters.
    pub struct EasyEnsemble {
        /// members whose answers are joined
        members: usize = 10, in Range::AT_LEAST_ONE, probe [4];
        /// boosting rounds
        rounds: usize = 10, in Range::AT_LEAST_ONE, probe [4];
        /// factor on the say of each round
        learning_rate: f64 = 1.0, in Range::POSITIVE, probe [0.3];
        /// how many rows of each class to end with
        strategy: Shrink = "auto";
        /// draw the rows of every class with replacement, also of those that keep their count
        replacement: bool = false;
    }
}

impl Ensemble for EasyEnsemble {
    fn fit(
        &self,
        train: &Train,
        base: &Base<'_>,
        context: &mut StageContext<'_>,
    ) -> StageResult<EnsembleFit> {
        let boosting = Boosting::new(self.rounds, self.learning_rate);
        let samples = train.samples();
        let targets = self
            .strategy
            .targets(samples.y().names(), &train.counts())?;
        let pools = by_class(samples);
        let mut members = Members::new(base, context);
        let mut boosted = Vec::new();
        for _ in 0..self.members {
            let rows = draw(
                &pools,
                &targets,
                self.replacement,
                &mut members.next()?.rows,
            );
            let subset = take(train, &rows)?;
            boosted.push(boosting.run(&subset, &mut members, |weights, _, _| {
                Ok((Cow::Borrowed(&subset), weights.to_vec()))
            })?);
        }
        Ok(EnsembleFit {
            fitted: Box::new(Committee::of(boosted, members, context)),
            prior: prior_of(&targets, &train.counts()),
        })
    }
}

/// The registry entry.
pub(crate) const ENTRY: EnsembleEntry = EnsembleEntry::of::<EasyEnsemble>(
    "easy-ensemble",
    "an AdaBoost of the base on each of several balanced subsets",
    "Liu, Wu and Zhou 2009",
    EnsembleCaps::new(fits_on_subsets).weighing(),
);
