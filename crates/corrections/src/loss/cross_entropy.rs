//! Cross-entropy: the baseline, empirical risk minimisation without any correction.
//!
//! # When it helps, when it hurts
//!
//! Its scores estimate P(y | x) under the rows that the learner sees, which is what decisions and
//! calibration start from. Decided by argmax it is best for accuracy, and leaves rare classes
//! unpredicted wherever they overlap with common ones.
//!
//! # Formula
//!
//! `l(y, f) = log(1 + sum_{j != y} exp(f_j - f_y))`, the sum over the classes that have rows.
//!
//! # Cost
//!
//! O(K^2) for the terms of K classes.
//!
//! # Differences
//!
//! None from scikit-learn's `log_loss` for classes that have rows; classes without rows are masked
//! here (scikit-learn does not know of them).
//!
//! # Errors
//!
//! [`StageError::Failed`](counterweight_core::StageError::Failed) without training rows.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{ClassCounts, LossContext, find, params};
//! let entry = find(counterweight_corrections::loss::ALL, "cross-entropy").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let counts = ClassCounts::new(vec![90, 0, 10]);
//! let context = LossContext { seen: &counts, train: &counts };
//! let terms = (entry.build)(&params)?.terms(&context)?;
//! assert_eq!(terms.weights, [1.0, 0.0, 1.0]);
//! assert_eq!(terms.margins.at(0, 1), f64::NEG_INFINITY);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! D. R. Cox, "The regression analysis of binary sequences", Journal of the Royal Statistical
//! Society B 20, 1958.

use counterweight_core::{
    Loss, LossContext, LossEntry, LossNeeds, LossTerms, RuleCaps, StageResult, parameters,
};

use super::offset_terms;

parameters! {
    /// Plain cross-entropy.
    pub struct CrossEntropy;
}

impl Loss for CrossEntropy {
    fn needs(&self) -> LossNeeds {
        LossNeeds::default()
    }

    fn terms(&self, context: &LossContext<'_>) -> StageResult<LossTerms> {
        let n_classes = context.seen.n_classes();
        offset_terms(context.seen, &vec![1.0; n_classes], &vec![0.0; n_classes])
    }
}

/// The registry entry.
pub(crate) const ENTRY: LossEntry = LossEntry::of::<CrossEntropy>(
    "cross-entropy",
    "no correction: every row counts the same",
    "Cox 1958",
    RuleCaps::NONE,
);
