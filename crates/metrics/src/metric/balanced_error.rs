//! Balanced error: the mean over classes of the share of rows that were decided wrongly. The
//! headline of every table.
//!
//! # When it helps, when it hurts
//! Every class counts the same, whatever its share: it is what logit adjustment, the prior rule and
//! class weights aim at, and deciding for the majority always earns 1 - 1/K. It hurts where errors
//! on rows of the majority are what costs: a test set's accuracy, F1 and MCC fall when balanced
//! error is minimised. With few rows in a class it is noisy, since they carry 1/K of it.
//!
//! # Formula
//! `1 - (1/|P|) sum_{y in P} C_yy / sum_j C_yj`, with C the counts (truth by decision) and P the
//! classes with at least one test row.
//!
//! # Parameters
//! None.
//!
//! # Cost
//! O(n + K^2) for n test rows and K classes.
//!
//! # Differences
//! 1 minus scikit-learn's `balanced_accuracy_score` (not adjusted for chance, no sample weights:
//! weights that are constant within a class cancel). scikit-learn gives a value for test rows of
//! one class; here there is none, since a mean over one class balances nothing.
//!
//! # Errors
//! No value with fewer than two classes among the test rows.
//!
//! # Examples
//! ```
//! use counterweight_core::Confusion;
//! use counterweight_metrics::{balanced_error};
//! // 100 rows decided for class 0, 10 of them wrongly: the error rate is 0.1.
//! let confusion = Confusion::from_counts(2, &[90, 0, 10, 0])?;
//! assert_eq!(balanced_error::of(&confusion), Some(0.5));
//! # Ok::<(), counterweight_core::CoreError>(())
//! ```
//!
//! # References
//! Brodersen, Ong, Stephan and Buhmann, "The balanced accuracy and its posterior distribution",
//! ICPR 2010. Menon et al., "Long-tail learning via logit adjustment", ICLR 2021, section 2.

use counterweight_core::{Confusion, MetricCaps, MetricEntry};

use crate::inputs::OfConfusion;

/// The balanced error, in [0, 1]; `None` with fewer than two classes among the test rows.
pub fn of(confusion: &Confusion) -> Option<f64> {
    let present = confusion.n_present();
    let errors = (0..confusion.n_classes()).filter_map(|y| confusion.miss_rate(y));
    let errors: f64 = errors.sum();
    (present >= 2).then(|| errors / present as f64)
}

pub(crate) const ENTRY: MetricEntry = MetricEntry::plain(
    "balanced_error",
    "mean over classes of the share of rows decided wrongly",
    "Brodersen et al. 2010; Menon et al. 2021",
    MetricCaps {
        lower_is_better: Some(true),
        ..MetricCaps::DECISIONS
    },
    |_| Ok(Box::new(OfConfusion::of_recalls(of))),
);
