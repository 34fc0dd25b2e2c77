//! Macro F1: the mean over classes of the harmonic mean of precision and recall, at the metric
//! prior.
//!
//! # When it helps, when it hurts
//! It asks that what is decided for a rare class is mostly right, which balanced error does not: at
//! a prior of 5 % a rule with recalls .92 and .92 has a precision of 38 %. It depends on the class
//! shares of the rows, so rows that do not follow the prior have to be weighted; on balanced test
//! rows it would look like balanced accuracy.
//!
//! # Formula
//! `(1/|Q|) sum_{y in Q} 2 C_yy / (sum_j C_yj + sum_j C_jy)`, with C the weights (truth by
//! decision) and Q the classes that occur among the test labels or the decisions. A class of Q
//! whose denominator is 0 (its rows weigh nothing) counts as 0.
//!
//! # Parameters
//! None.
//!
//! # Cost
//! O(n + K^2) for n test rows and K classes.
//!
//! # Differences
//! scikit-learn's `f1_score(average="macro", zero_division=0)` with `sample_weight`; none. As
//! there, a class that was decided without having test rows counts as 0, and a class in neither
//! place does not count.
//!
//! # Errors
//! No value without test rows, with a weight that is negative or not finite, or when all weights
//! are 0.
//!
//! # Examples
//! ```
//! use counterweight_core::Confusion;
//! use counterweight_metrics::{macro_f1};
//! // A majority vote: the minority's F1 is 0, and that is a value.
//! let confusion = Confusion::from_counts(2, &[90, 0, 10, 0])?;
//! let f1 = macro_f1::of(&confusion).unwrap();
//! assert!((f1 - (2.0 * 90.0 / 190.0 + 0.0) / 2.0).abs() < 1e-15);
//! # Ok::<(), counterweight_core::CoreError>(())
//! ```
//!
//! # References
//! van Rijsbergen, "Information Retrieval", 2nd edition 1979, chapter 7. Opitz and Burst, "Macro F1
//! and macro F1", 2019 (of the two definitions this is the mean of the F1 values).

use counterweight_core::{Confusion, MetricCaps, MetricEntry};

use crate::inputs::OfConfusion;

/// The weighted macro F1, in [0, 1]; `None` when the rows weigh nothing.
pub fn of(confusion: &Confusion) -> Option<f64> {
    if confusion.total_weight() <= 0.0 {
        return None;
    }
    let occurring = (0..confusion.n_classes())
        .filter(|&y| confusion.truth_count(y) > 0 || confusion.decided_count(y) > 0);
    let (sum, n) = occurring.fold((0.0, 0.0), |(sum, n), y| {
        let denominator = confusion.truth_weight(y) + confusion.decided_weight(y);
        let f1 = if denominator > 0.0 {
            2.0 * confusion.weight(y, y) / denominator
        } else {
            0.0
        };
        (sum + f1, n + 1.0)
    });
    Some(sum / n)
}

pub(crate) const ENTRY: MetricEntry = MetricEntry::plain(
    "macro_f1",
    "mean over classes of the F1 value, at the metric prior",
    "van Rijsbergen 1979; Opitz and Burst 2019",
    MetricCaps::WEIGHTED,
    |_| {
        Ok(Box::new(OfConfusion::weighted(
            of,
            "the test rows weigh nothing",
        )))
    },
);
