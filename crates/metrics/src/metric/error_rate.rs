//! Error rate: the share of rows that were decided wrongly, at the metric prior.
//!
//! # When it helps, when it hurts
//! It is what a user at the stated prior would count, and what a correction for balanced error
//! pays with. Under imbalance it rewards ignoring the minority: deciding always for a majority of
//! 99 % has an error rate of 1 %.
//!
//! # Formula
//! `sum_i w_i [d_i != y_i] / sum_i w_i`, with the weights w of the metric prior.
//!
//! # Parameters
//! None.
//!
//! # Cost
//! O(n + K^2) for n test rows and K classes.
//!
//! # Differences
//! scikit-learn's `zero_one_loss` (1 minus `accuracy_score`) with `sample_weight`; none.
//!
//! # Errors
//! No value without test rows, with a weight that is negative or not finite, or when all weights
//! are 0.
//!
//! # Examples
//! ```
//! use counterweight_core::Confusion;
//! use counterweight_metrics::{error_rate};
//! let confusion = Confusion::from_counts(2, &[90, 0, 10, 0])?;
//! assert_eq!(error_rate::of(&confusion), Some(0.1));
//! # Ok::<(), counterweight_core::CoreError>(())
//! ```
//!
//! # References
//! Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning", 2nd edition 2009,
//! section 7.2.

use counterweight_core::{Confusion, MetricCaps, MetricEntry};

use crate::inputs::OfConfusion;

/// The weighted error rate, in [0, 1]; `None` when the rows weigh nothing.
pub fn of(confusion: &Confusion) -> Option<f64> {
    let total = confusion.total_weight();
    (total > 0.0).then(|| (confusion.wrong_weight() / total).min(1.0))
}

pub(crate) const ENTRY: MetricEntry = MetricEntry::plain(
    "error_rate",
    "share of rows decided wrongly, at the metric prior",
    "Hastie et al. 2009",
    MetricCaps {
        lower_is_better: Some(true),
        ..MetricCaps::WEIGHTED
    },
    |_| {
        Ok(Box::new(OfConfusion::weighted(
            of,
            "the test rows weigh nothing",
        )))
    },
);
