//! Worst recall: the recall of the class that is recognised worst.
//!
//! # When it helps, when it hurts
//! It shows a class that a mean hides: with 26 classes, losing one entirely costs the balanced
//! error 4 points and the worst recall everything. It is a minimum over noisy shares, so it is
//! biased downwards, the more so the more classes there are and the fewer rows they have.
//!
//! # Formula
//! `min_{y in P} C_yy / sum_j C_yj`, with C the counts (truth by decision) and P the classes with
//! at least one test row.
//!
//! # Parameters
//! None.
//!
//! # Cost
//! O(n + K^2) for n test rows and K classes.
//!
//! # Differences
//! The minimum of scikit-learn's `recall_score(average=None)` over the classes among the test
//! rows; a class that was decided but has no test row is left out, where scikit-learn gives it 0.
//!
//! # Errors
//! No value with fewer than two classes among the test rows.
//!
//! # Examples
//! ```
//! use counterweight_core::Confusion;
//! use counterweight_metrics::{worst_recall};
//! let confusion = Confusion::from_counts(2, &[90, 10, 3, 7])?;
//! assert_eq!(worst_recall::of(&confusion), Some(0.7));
//! # Ok::<(), counterweight_core::CoreError>(())
//! ```
//!
//! # References
//! Sagawa, Koh, Hashimoto and Liang, "Distributionally robust neural networks for group shifts",
//! ICLR 2020 (the worst group; here the groups are the classes).

use counterweight_core::{Confusion, MetricCaps, MetricEntry};

use crate::inputs::OfConfusion;

/// The least recall, in [0, 1]; `None` with fewer than two classes among the test rows.
pub fn of(confusion: &Confusion) -> Option<f64> {
    (confusion.n_present() >= 2).then(|| confusion.recalls().flatten().fold(1.0, f64::min))
}

pub(crate) const ENTRY: MetricEntry = MetricEntry::plain(
    "worst_recall",
    "recall of the class that is recognised worst",
    "Sagawa et al. 2020",
    MetricCaps::DECISIONS,
    |_| {
        Ok(Box::new(
            OfConfusion::of_recalls(of).zero_when_a_class_is_missed(),
        ))
    },
);
