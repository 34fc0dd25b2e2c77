//! Log loss: the mean negative logarithm of the probability of the true class, at the metric prior.
//!
//! # When it helps, when it hurts
//! The proper score that gradient-trained models minimise; it tells overconfidence on a rare class
//! that thresholds hide. A single confident error can outweigh everything else: at probability 0
//! the clip alone sets its cost (36.04 nats), which is why learners that give probabilities of 0
//! and 1 (full-grown trees, nearest neighbours) have log losses that only count their confident
//! errors.
//!
//! # Formula
//! `-sum_i w_i log(clip(p_i,y_i, e, 1 - e)) / sum_i w_i` in nats, with e = 2^-52, the machine
//! epsilon.
//!
//! # Parameters
//! None: the clip is part of the definition.
//!
//! # Cost
//! O(n).
//!
//! # Differences
//! scikit-learn's `log_loss` with `sample_weight` and all classes as `labels`; clipped in log
//! space, since the scores are logarithms.
//!
//! # Errors
//! No value for votes, without test rows, with a weight that is negative or not finite, or when all
//! weights are 0.
//!
//! # Examples
//! ```
//! use counterweight_core::{Labels, Matrix, Scores};
//! use counterweight_metrics::log_loss;
//! let labels = Labels::from_texts(&["0", "1"]);
//! let scores = Scores::probabilities(Matrix::from_vec(2, 2, vec![0.5, 0.5, 1.0, 0.0])?)?;
//! let value = log_loss::of(&scores, &labels, &[1.0; 2]).unwrap();
//! assert!((value - (0.5_f64.ln() + f64::EPSILON.ln()) / -2.0).abs() < 1e-12);
//! # Ok::<(), counterweight_core::CoreError>(())
//! ```
//!
//! # References
//! Good, "Rational decisions", Journal of the Royal Statistical Society B 14, 1952.

use counterweight_core::{Judged, Labels, Metric, MetricCaps, MetricEntry, Scores};

use crate::inputs::{probabilities, total_weight};

/// The log loss in nats, in [2.2e-16, 36.05]; `None` when the rows weigh nothing.
///
/// # Panics
/// When scores, labels and weights differ in rows, or scores and labels in classes.
pub fn of(scores: &Scores, labels: &Labels, weights: &[f64]) -> Option<f64> {
    assert_eq!(scores.n_rows(), labels.len(), "one score row a label");
    assert_eq!(scores.n_classes(), labels.n_classes(), "one score a class");
    assert_eq!(weights.len(), labels.len(), "one weight a label");
    let (low, high) = (f64::EPSILON.ln(), (-f64::EPSILON).ln_1p());
    let (mut sum, mut total) = (0.0, 0.0);
    for (i, &weight) in weights.iter().enumerate() {
        let score = scores.log().at(i, labels.class(i));
        sum -= weight * score.clamp(low, high);
        total += weight;
    }
    (total > 0.0).then(|| sum / total)
}

#[derive(Debug)]
struct LogLoss;

impl Metric for LogLoss {
    fn value(&self, judged: &Judged<'_>) -> Result<f64, String> {
        let scores = probabilities(judged)?;
        total_weight(judged)?;
        of(scores, judged.labels(), judged.weights())
            .ok_or_else(|| "the test rows weigh nothing".into())
    }
}

pub(crate) const ENTRY: MetricEntry = MetricEntry::plain(
    "log_loss",
    "mean negative log-probability of the true class, at the metric prior",
    "Good 1952",
    MetricCaps::SCORES,
    |_| Ok(Box::new(LogLoss)),
);
