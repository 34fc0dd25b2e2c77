//! Reliability: the part of the Brier score that calibration could take away, at the metric prior.
//!
//! # When it helps, when it hurts
//! 0 for probabilities that mean what they say, bin by bin; it tells whether a high Brier score is the
//! fault of the scale or of the ranking. Few rows in a bin read as miscalibration: with a rare class it
//! is biased upwards.
//!
//! # Formula
//! `s sum_k sum_b W_kb (p_kb - y_kb)^2 / sum_i w_i` over 15 bins of equal width of the probability of class
//! k, with `W_kb` the weight in bin b, `p_kb` the mean probability there and `y_kb` the share of class k; s as
//! in the Brier score (1/2 for K = 2, else 1). Brier = reliability - resolution + uncertainty + what
//! differs inside bins.
//!
//! # Parameters
//! None.
//!
//! # Cost
//! O(n K).
//!
//! # Differences
//! scikit-learn has none. Bins are those of the expected calibration error.
//!
//! # Errors
//! No value for votes, without test rows, with a weight that is negative or not finite, or when all
//! weights are 0.
//!
//! # Examples
//! ```
//! use counterweight_core::{Labels, Matrix, Scores};
//! use counterweight_metrics::brier_reliability;
//! let labels = Labels::from_texts(&["0", "1"]);
//! // Both rows say 0.5, and half of them are of each class.
//! let scores = Scores::probabilities(Matrix::from_vec(2, 2, vec![0.5; 4])?)?;
//! assert!(brier_reliability::of(&scores, &labels, &[1.0; 2]).unwrap().abs() < 1e-15);
//! # Ok::<(), counterweight_core::CoreError>(())
//! ```
//!
//! # References
//! Murphy, "A new vector partition of the probability score", Journal of Applied Meteorology 12, 1973.
//! Stephenson, Coelho and Jolliffe, "Two extra components in the Brier score decomposition", Weather and
//! Forecasting 23, 2008 (what binning leaves over).

use counterweight_core::{Judged, Labels, Metric, MetricCaps, MetricEntry, Scores};

use crate::decomposition::Parts;
use crate::inputs::{probabilities, total_weight};

/// The reliability, at least 0; `None` when the rows weigh nothing.
///
/// # Panics
/// When scores, labels and weights differ in rows, or scores and labels in classes.
pub fn of(scores: &Scores, labels: &Labels, weights: &[f64]) -> Option<f64> {
    Parts::of(scores, labels, weights).map(|parts| parts.reliability)
}

#[derive(Debug)]
struct BrierReliability;

impl Metric for BrierReliability {
    fn value(&self, judged: &Judged<'_>) -> Result<f64, String> {
        let scores = probabilities(judged)?;
        total_weight(judged)?;
        of(scores, judged.labels(), judged.weights())
            .ok_or_else(|| "the test rows weigh nothing".into())
    }
}

pub(crate) const ENTRY: MetricEntry = MetricEntry::plain(
    "brier_reliability",
    "part of the Brier score that calibration could take away, at the metric prior",
    "Murphy 1973; Stephenson et al. 2008",
    MetricCaps::SCORES,
    |_| Ok(Box::new(BrierReliability)),
);
