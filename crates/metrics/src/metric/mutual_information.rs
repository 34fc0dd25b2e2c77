//! Mutual information: how many nats the model's probabilities tell about the class beyond its
//! prior, at the metric prior.
//!
//! # When it helps, when it hurts
//! A floor of the information that features carry on the class, on a scale that does not reward
//! knowing the prior: log loss at a prior of 1 % is small for everybody, this is 0 for whoever
//! knows nothing. The mean of pointwise values `log p(y|x) - log pi_y`; below 0 the model is worse
//! than its prior. One row at probability 0 leaves it without a value.
//!
//! # Formula
//! `sum_i w_i (log p_i,y_i - log pi_y_i) / sum_i w_i` in nats, with pi the class shares of the
//! weighted test rows, which is the metric prior. For scores of a logit-adjusted loss at tau 1 the
//! probabilities at the prior pi are `pi_k exp(f_k) / sum_j pi_j exp(f_j)`, so the pointwise value
//! is `f_y - log sum_k pi_k exp(f_k)`.
//!
//! # Parameters
//! None.
//!
//! # Cost
//! O(n).
//!
//! # Differences
//! Not scikit-learn's `mutual_info_score` (of two labellings) nor `mutual_info_classif` (a nearest
//! neighbour estimate). It is the entropy of pi minus the log loss, without the log loss's clip.
//!
//! # Errors
//! No value for votes, without test rows, with a weight that is negative or not finite, when all
//! weights are 0, or when a row that weighs something has probability 0 for its
//! class, or when log-probabilities near -1e308 overflow.
//!
//! # Examples
//! ```
//! use counterweight_core::{Labels, Matrix, Scores};
//! use counterweight_metrics::mutual_information;
//! let labels = Labels::from_texts(&["0", "1"]);
//! let scores = Scores::probabilities(Matrix::from_vec(2, 2, vec![1.0, 0.0, 0.0, 1.0])?)?;
//! // A sure and right model tells all of the entropy.
//! let value = mutual_information::of(&scores, &labels, &[1.0; 2]).unwrap();
//! assert!((value - 2.0_f64.ln()).abs() < 1e-15);
//! # Ok::<(), counterweight_core::CoreError>(())
//! ```
//!
//! # References
//! Cover and Thomas, "Elements of Information Theory", 2nd edition 2006, chapter 2. Barber and
//! Agakov, "The IM algorithm: a variational approach to information maximization", NIPS 2003 (the
//! floor).

use counterweight_core::{Judged, Labels, Metric, MetricCaps, MetricEntry, Scores};

use crate::inputs::{probabilities, total_weight};

/// The estimate in nats, at most the entropy of the weighted labels.
///
/// # Errors
/// Why there is none.
///
/// # Panics
/// When scores, labels and weights differ in rows, or scores and labels in classes.
pub fn of(scores: &Scores, labels: &Labels, weights: &[f64]) -> Result<f64, String> {
    assert_eq!(scores.n_rows(), labels.len(), "one score row a label");
    assert_eq!(scores.n_classes(), labels.n_classes(), "one score a class");
    assert_eq!(weights.len(), labels.len(), "one weight a label");
    let mut mass = vec![0.0; labels.n_classes()];
    for (&y, &weight) in labels.ids().iter().zip(weights) {
        mass[y as usize] += weight;
    }
    let total: f64 = mass.iter().sum();
    if total.is_nan() || total <= 0.0 {
        return Err("the test rows weigh nothing".into());
    }
    let mut sum = 0.0;
    for (i, &weight) in weights.iter().enumerate() {
        if weight <= 0.0 {
            continue;
        }
        let y = labels.class(i);
        let score = scores.log().at(i, y);
        if score == f64::NEG_INFINITY {
            return Err("a test row has probability 0 for its class".into());
        }
        sum += weight * (score - (mass[y] / total).ln());
    }
    // Logits near the largest double sum past it.
    if sum.is_finite() {
        Ok(sum / total)
    } else {
        Err("the log-probabilities of the test rows overflow".into())
    }
}

#[derive(Debug)]
struct MutualInformation;

impl Metric for MutualInformation {
    fn value(&self, judged: &Judged<'_>) -> Result<f64, String> {
        let scores = probabilities(judged)?;
        total_weight(judged)?;
        of(scores, judged.labels(), judged.weights())
    }
}

pub(crate) const ENTRY: MetricEntry = MetricEntry::plain(
    "mutual_information",
    "nats that the probabilities tell about the class beyond its prior",
    "Cover and Thomas 2006; Barber and Agakov 2003",
    MetricCaps {
        probabilities: true,
        ..MetricCaps::WEIGHTED
    },
    |_| Ok(Box::new(MutualInformation)),
);
