//! Uncertainty: the Brier score of always saying the class shares, at the metric prior.
//!
//! # When it helps, when it hurts
//! What there is to know. The same for every method on the same rows: it puts Brier scores of different
//! imbalance ratios on a common footing (a ratio of 100 leaves hardly anything to lose).
//!
//! # Formula
//! `s sum_k pi_k (1 - pi_k)` with `pi_k` the share of class k among the weighted test rows, which is the metric
//! prior; s as in the Brier score (1/2 for K = 2, else 1).
//!
//! # Parameters
//! None.
//!
//! # Cost
//! O(n K).
//!
//! # Differences
//! None.
//!
//! # Errors
//! No value for votes, without test rows, with a weight that is negative or not finite, or when all
//! weights are 0.
//!
//! # Examples
//! ```
//! use counterweight_core::{Labels, Matrix, Scores};
//! use counterweight_metrics::brier_uncertainty;
//! let labels = Labels::from_texts(&["0", "1"]);
//! let scores = Scores::probabilities(Matrix::from_vec(2, 2, vec![0.9, 0.1, 0.2, 0.8])?)?;
//! assert!((brier_uncertainty::of(&scores, &labels, &[1.0; 2]).unwrap() - 0.25).abs() < 1e-15);
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

/// The uncertainty, in [0, 1); `None` when the rows weigh nothing.
///
/// # Panics
/// When scores, labels and weights differ in rows, or scores and labels in classes.
pub fn of(scores: &Scores, labels: &Labels, weights: &[f64]) -> Option<f64> {
    Parts::of(scores, labels, weights).map(|parts| parts.uncertainty)
}

#[derive(Debug)]
struct BrierUncertainty;

impl Metric for BrierUncertainty {
    fn value(&self, judged: &Judged<'_>) -> Result<f64, String> {
        let scores = probabilities(judged)?;
        total_weight(judged)?;
        of(scores, judged.labels(), judged.weights())
            .ok_or_else(|| "the test rows weigh nothing".into())
    }
}

pub(crate) const ENTRY: MetricEntry = MetricEntry::plain(
    "brier_uncertainty",
    "Brier score of always saying the class shares, at the metric prior",
    "Murphy 1973; Stephenson et al. 2008",
    MetricCaps {
        also_raw: false,
        lower_is_better: None,
        ..MetricCaps::SCORES
    },
    |_| Ok(Box::new(BrierUncertainty)),
);
