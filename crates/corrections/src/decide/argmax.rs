//! Argmax: the class with the largest score.
//!
//! # When it helps, when it hurts
//!
//! Best for accuracy when the scores are calibrated, and the right rule after a correction that has
//! already made the scores' own prior uniform. On uncorrected scores of imbalanced data it hardly
//! ever decides for a rare class.
//!
//! # Formula
//!
//! `argmax_y s_y`, a tie going to the rarest.
//!
//! # Cost
//!
//! O(K) a row.
//!
//! # Differences
//!
//! As scikit-learn's `predict` of probabilistic classifiers, but scores within 1e-12 of each other
//! are a tie.
//!
//! # Errors
//!
//! None.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{ClassCounts, DecideContext, Matrix, Scores, find, params};
//! let entry = find(counterweight_corrections::decide::ALL, "argmax").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let train = ClassCounts::new(vec![90, 10]);
//! let context = DecideContext { scores_prior: None, train: &train };
//! let fitted = (entry.build)(&params)?.fit(&context, None)?;
//! let scores = Scores::probabilities(Matrix::from_vec(2, 2, vec![0.7, 0.3, 0.4, 0.6])?)?;
//! assert_eq!(fitted.rule.decide(&scores)?.as_slice(), [0, 1]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! C. K. Chow, "On optimum recognition error and reject tradeoff", IEEE Transactions on Information
//! Theory 16, 1970 (the Bayes rule for equal costs).

use counterweight_core::{
    Calib, DecideContext, Decision, DecisionEntry, DecisionNeeds, FittedRule, OffsetRule, RuleCaps,
    StageResult, parameters,
};

parameters! {
    /// The largest score.
    pub struct Argmax;
}

impl Decision for Argmax {
    fn needs(&self) -> DecisionNeeds {
        DecisionNeeds::default()
    }

    fn fit(&self, context: &DecideContext<'_>, _calib: Option<&Calib>) -> StageResult<FittedRule> {
        Ok(FittedRule::of(OffsetRule::new(
            vec![0.0; context.train.n_classes()],
            context.train,
        )))
    }
}

/// The registry entry.
pub(crate) const ENTRY: DecisionEntry = DecisionEntry::of::<Argmax>(
    "argmax",
    "no correction: the class with the largest score",
    "Chow 1970",
    RuleCaps::NONE,
);
