//! Precision: of the rows that are decided to be of the rarest class, the share that is.
//!
//! # When it helps, when it hurts
//! What the reader of an alarm sees. It falls with the share of the class whatever the ranking is worth, and it
//! can be raised at will by deciding less: beside it belongs the recall.
//!
//! # Formula
//! `TP / (TP + FP)`, of the class with the fewest training rows against all others, each row weighing what brings
//! it to the metric prior.
//!
//! # Parameters
//! None.
//!
//! # Cost
//! O(n + K^2) for n test rows and K classes.
//!
//! # Differences
//! scikit-learn's `precision_score` with `pos_label` the rarest class; it is 0 there when nothing is decided to
//! be of the class, and has no value here.
//!
//! # Errors
//! No value when no row is decided to be of the class.
//!
//! # Examples
//! ```
//! use counterweight_core::Confusion;
//! use counterweight_metrics::precision;
//! let confusion = Confusion::from_counts(2, &[90, 15, 5, 5])?;
//! assert_eq!(precision::of(&confusion, 1), Some(0.25));
//! # Ok::<(), counterweight_core::CoreError>(())
//! ```
//!
//! # References
//! Davis and Goadrich, "The relationship between precision-recall and ROC curves", ICML 2006.

use counterweight_core::{ClassCounts, Confusion, Judged, Metric, MetricCaps, MetricEntry};

use crate::inputs::total_weight;

/// The precision of `positive` against all other classes, in [0, 1]; `None` when nothing is decided so.
///
/// # Panics
/// When there is no class `positive`.
pub fn of(confusion: &Confusion, positive: usize) -> Option<f64> {
    let decided = confusion.decided_weight(positive);
    (decided > 0.0).then(|| confusion.weight(positive, positive) / decided)
}

#[derive(Debug)]
struct Precision;

impl Precision {
    fn on(confusion: &Confusion, positive: usize) -> Result<f64, String> {
        of(confusion, positive).ok_or_else(|| "no row is decided to be of the rarest class".into())
    }
}

impl Metric for Precision {
    fn value(&self, judged: &Judged<'_>) -> Result<f64, String> {
        total_weight(judged)?;
        Self::on(judged.confusion(), judged.positive())
    }

    fn of_decisions(
        &self,
        confusion: &Confusion,
        train: &ClassCounts,
    ) -> Option<Result<f64, String>> {
        Some(Self::on(confusion, train.rarest().unwrap_or(0)))
    }
}

pub(crate) const ENTRY: MetricEntry = MetricEntry::plain(
    "precision",
    "precision of the rarest class, at the metric prior",
    "Davis and Goadrich 2006",
    MetricCaps::WEIGHTED,
    |_| Ok(Box::new(Precision)),
);
