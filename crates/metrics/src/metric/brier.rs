//! Brier score: the mean squared distance between the predicted probabilities and the truth, at the
//! metric prior.
//!
//! # When it helps, when it hurts
//! A proper score that stays finite: it rewards calibration and discrimination together and one
//! confident error costs at most 1 (K = 2) or 2 (K > 2). Under heavy imbalance its scale is that of
//! the rare class's prior, and differences between methods look small.
//!
//! # Formula
//! `s sum_i w_i sum_k (p_ik - [y_i = k])^2 / sum_i w_i` with s = 1/2 for K = 2 (then it is the mean
//! of `(p_i1 - y_i)^2`) and s = 1 for K > 2.
//!
//! # Parameters
//! None.
//!
//! # Cost
//! O(n K).
//!
//! # Differences
//! scikit-learn's `brier_score_loss` with `scale_by_half="auto"` and `sample_weight`; none.
//!
//! # Errors
//! No value for votes, without test rows, with a weight that is negative or not finite, or when all
//! weights are 0.
//!
//! # Examples
//! ```
//! use counterweight_core::{Labels, Matrix, Scores};
//! use counterweight_metrics::brier;
//! let labels = Labels::from_texts(&["0", "1"]);
//! let scores = Scores::probabilities(Matrix::from_vec(2, 2, vec![0.9, 0.1, 0.2, 0.8])?)?;
//! let value = brier::of(&scores, &labels, &[1.0; 2]).unwrap();
//! assert!((value - (0.01 + 0.04) / 2.0).abs() < 1e-15);
//! # Ok::<(), counterweight_core::CoreError>(())
//! ```
//!
//! # References
//! Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78,
//! 1950.

use counterweight_core::{Judged, Labels, Metric, MetricCaps, MetricEntry, Scores};

use crate::inputs::{probabilities, total_weight};

/// The Brier score, in [0, 1] for two classes and [0, 2] for more; `None` when the rows weigh
/// nothing.
///
/// # Panics
/// When scores, labels and weights differ in rows, or scores and labels in classes.
pub fn of(scores: &Scores, labels: &Labels, weights: &[f64]) -> Option<f64> {
    assert_eq!(scores.n_rows(), labels.len(), "one score row a label");
    assert_eq!(scores.n_classes(), labels.n_classes(), "one score a class");
    assert_eq!(weights.len(), labels.len(), "one weight a label");
    let (mut sum, mut total) = (0.0, 0.0);
    for (i, &weight) in weights.iter().enumerate() {
        let distance: f64 = scores
            .log()
            .row(i)
            .iter()
            .enumerate()
            .map(|(k, s)| {
                let truth = if labels.class(i) == k { 1.0 } else { 0.0 };
                (s.exp() - truth).powi(2)
            })
            .sum();
        sum += weight * distance;
        total += weight;
    }
    let scale = if scores.n_classes() == 2 { 0.5 } else { 1.0 };
    (total > 0.0).then(|| scale * sum / total)
}

#[derive(Debug)]
struct Brier;

impl Metric for Brier {
    fn value(&self, judged: &Judged<'_>) -> Result<f64, String> {
        let scores = probabilities(judged)?;
        total_weight(judged)?;
        of(scores, judged.labels(), judged.weights())
            .ok_or_else(|| "the test rows weigh nothing".into())
    }
}

pub(crate) const ENTRY: MetricEntry = MetricEntry::plain(
    "brier",
    "mean squared distance of probabilities and truth, at the metric prior",
    "Brier 1950",
    MetricCaps::SCORES,
    |_| Ok(Box::new(Brier)),
);
