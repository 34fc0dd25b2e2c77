//! Resolution: how far the class shares of different probabilities lie apart, at the metric prior.
//!
//! # When it helps, when it hurts
//! What the Brier score gains over always saying the prior: the ranking's part, on a scale that knows of
//! the class shares. Calibration that keeps the bins apart does not change it.
//!
//! # Formula
//! `s sum_k sum_b W_kb (y_kb - pi_k)^2 / sum_i w_i` over 15 bins of equal width of the probability of class
//! k, with `W_kb` the weight in bin b, `y_kb` the share of class k there and `pi_k` its share of all rows; s as
//! in the Brier score (1/2 for K = 2, else 1).
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
//! use counterweight_metrics::brier_resolution;
//! let labels = Labels::from_texts(&["0", "1"]);
//! // Sure and right: all of the uncertainty of 1/4 is resolved.
//! let scores = Scores::probabilities(Matrix::from_vec(2, 2, vec![1.0, 0.0, 0.0, 1.0])?)?;
//! assert!((brier_resolution::of(&scores, &labels, &[1.0; 2]).unwrap() - 0.25).abs() < 1e-15);
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

/// The resolution, at least 0; `None` when the rows weigh nothing.
///
/// # Panics
/// When scores, labels and weights differ in rows, or scores and labels in classes.
pub fn of(scores: &Scores, labels: &Labels, weights: &[f64]) -> Option<f64> {
    Parts::of(scores, labels, weights).map(|parts| parts.resolution)
}

#[derive(Debug)]
struct BrierResolution;

impl Metric for BrierResolution {
    fn value(&self, judged: &Judged<'_>) -> Result<f64, String> {
        let scores = probabilities(judged)?;
        total_weight(judged)?;
        of(scores, judged.labels(), judged.weights())
            .ok_or_else(|| "the test rows weigh nothing".into())
    }
}

pub(crate) const ENTRY: MetricEntry = MetricEntry::plain(
    "brier_resolution",
    "how far the class shares of different probabilities lie apart, at the metric prior",
    "Murphy 1973; Stephenson et al. 2008",
    MetricCaps {
        probabilities: true,
        ..MetricCaps::WEIGHTED
    },
    |_| Ok(Box::new(BrierResolution)),
);
