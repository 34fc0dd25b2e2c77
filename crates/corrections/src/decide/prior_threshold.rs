//! The prior rule: divides each probability by the prior and takes the largest. For two classes it
//! is a threshold at the prior of the positive class.
//!
//! # When it helps, when it hurts
//!
//! The Bayes rule for balanced error when the scores are calibrated: nothing to tune, no fit. It
//! costs accuracy, precision and F1 at the natural prior, and inherits every miscalibration: on
//! over-confident scores it moves the boundary too little, and on probabilities of exactly 0 and 1
//! (1-NN, grown trees) not at all.
//!
//! # Formula
//!
//! `argmax_y p_y / prior_y`, computed as `argmax_y s_y - log prior_y`: exactly
//! [`logit_adjust`](super::logit_adjust) at tau = 1.
//!
//! # Cost
//!
//! O(K) a row.
//!
//! # Differences
//!
//! The papers divide by the training prior. Here the default is the scores' own prior, which is the
//! same without another correction; after one, dividing by the training prior would correct twice.
//!
//! # Errors
//!
//! Those of [`PriorSource::for_decision`].
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{ClassCounts, DecideContext, Matrix, Scores, find, params};
//! let entry = find(counterweight_corrections::decide::ALL, "prior-threshold").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let train = ClassCounts::new(vec![90, 10]);
//! let own = train.prior();
//! let context = DecideContext { scores_prior: own.as_ref(), train: &train };
//! let fitted = (entry.build)(&params)?.fit(&context, None)?;
//! let scores = Scores::probabilities(Matrix::from_vec(2, 2, vec![0.88, 0.12, 0.91, 0.09])?)?;
//! assert_eq!(fitted.rule.decide(&scores)?.as_slice(), [1, 0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! F. Provost, "Machine learning from imbalanced data sets 101", AAAI workshop 2000. G. Collell, D.
//! Prelec and K. R. Patil, "A simple plug-in bagging ensemble based on threshold-moving for
//! classifying binary and multiclass imbalanced data", Neurocomputing 275, 2018.

use counterweight_core::{
    Calib, DecideContext, Decision, DecisionEntry, DecisionNeeds, FittedRule, OffsetRule, RuleCaps,
    StageResult, parameters,
};

use super::prior_offsets;
use crate::prior::PriorSource;

parameters! {
    /// The prior rule, checked.
    pub struct PriorThreshold {
        /// the prior that probabilities are divided by
        prior: PriorSource = "effective", probe ["train", "uniform"];
    }
}

impl Decision for PriorThreshold {
    fn needs(&self) -> DecisionNeeds {
        DecisionNeeds {
            probabilities: true,
            scores_prior: self.prior == PriorSource::Effective,
            ..DecisionNeeds::default()
        }
    }

    fn fit(&self, context: &DecideContext<'_>, _calib: Option<&Calib>) -> StageResult<FittedRule> {
        let prior = self.prior.for_decision(context)?;
        Ok(FittedRule::of(OffsetRule::new(
            prior_offsets(&prior, 1.0)?,
            context.train,
        )))
    }
}

/// The registry entry.
pub(crate) const ENTRY: DecisionEntry = DecisionEntry::of::<PriorThreshold>(
    "prior-threshold",
    "the largest ratio of probability to prior",
    "Provost 2000; Collell et al. 2018",
    RuleCaps::THRESHOLDING,
);
