//! Expected calibration error: how far, on average over bins of equal confidence, the share of
//! right top labels is from their confidence, at the metric prior.
//!
//! # When it helps, when it hurts
//! One number for over- or underconfidence that needs no second class. It sees the largest
//! probability only: under heavy imbalance nearly all top labels are the majority, and a model that
//! is badly calibrated on the rare class can have an ECE near 0 (look at `calibration_slope`). It
//! is biased upwards on few rows and depends on the bins.
//!
//! # Formula
//! `sum_b |sum_{i in b} w_i ([a_i = y_i] - p_i)| / sum_i w_i` with `a_i` the most probable class (a
//! tie goes to the rarest class), `p_i` its probability, and bins `((b-1)/B, b/B]`, b = 1..B. A
//! confidence within 1e-9 bin widths above an edge belongs to the bin below it, so that shares such
//! as 3/5 do not fall apart by the rounding of a logarithm.
//!
//! # Parameters
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `bins` | 15 | 1 to 10000 | equal-width bins of [0, 1] |
//!
//! # Cost
//! O(n K).
//!
//! # Differences
//! The original computes accuracy and confidence of each bin and weights them by its rows: the same
//! sum. scikit-learn has no ECE. The top label is the argmax of the probabilities, not the decision
//! under test: a threshold does not uncalibrate a model.
//!
//! # Errors
//! No value for votes, without test rows, with a weight that is negative or not finite, or when all
//! weights are 0.
//!
//! # Examples
//! ```
//! use counterweight_core::{Labels, Matrix, Scores};
//! use counterweight_metrics::ece;
//! let labels = Labels::from_texts(&["0", "1"]);
//! let scores = Scores::probabilities(Matrix::from_vec(2, 2, vec![0.9, 0.1, 0.9, 0.1])?)?;
//! let value = ece::of(&scores, &labels, &[1.0; 2], 15).unwrap();
//! assert!((value - 0.4).abs() < 1e-15);
//! # Ok::<(), counterweight_core::CoreError>(())
//! ```
//!
//! # References
//! Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning",
//! AAAI 2015. Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML
//! 2017.

use counterweight_core::params::Default;
use counterweight_core::reliability::bin;
use counterweight_core::scores::argmax_row;
use counterweight_core::{
    Card, Judged, Labels, Metric, MetricCaps, MetricEntry, ParamKind, ParamSpec, Range, Scores,
};

use crate::inputs::{probabilities, total_weight};

/// The expected calibration error over `bins` bins, in [0, 1]; `None` when the rows weigh nothing
/// or there is no bin.
///
/// # Panics
/// When scores, labels and weights differ in rows, or scores and labels in classes.
pub fn of(scores: &Scores, labels: &Labels, weights: &[f64], bins: usize) -> Option<f64> {
    assert_eq!(scores.n_rows(), labels.len(), "one score row a label");
    assert_eq!(scores.n_classes(), labels.n_classes(), "one score a class");
    assert_eq!(weights.len(), labels.len(), "one weight a label");
    let last = bins.checked_sub(1)?;
    let offsets = vec![0.0; scores.n_classes()];
    let mut gaps = vec![0.0; bins];
    let mut total = 0.0;
    for (i, &weight) in weights.iter().enumerate() {
        let row = scores.log().row(i);
        let top = argmax_row(row, &offsets, labels.ties()) as usize;
        let confidence = row[top].exp();
        let right = if top == labels.class(i) { 1.0 } else { 0.0 };
        gaps[bin(confidence, bins).min(last)] += weight * (right - confidence);
        total += weight;
    }
    let sum: f64 = gaps.iter().map(|gap: &f64| gap.abs()).sum();
    (total > 0.0).then(|| sum / total)
}

#[derive(Debug)]
struct Ece {
    bins: usize,
}

impl Metric for Ece {
    fn value(&self, judged: &Judged<'_>) -> Result<f64, String> {
        let scores = probabilities(judged)?;
        total_weight(judged)?;
        of(scores, judged.labels(), judged.weights(), self.bins)
            .ok_or_else(|| "the test rows weigh nothing".into())
    }
}

pub(crate) const ENTRY: MetricEntry = MetricEntry {
    card: Card {
        id: "ece",
        summary: "mean gap of confidence and accuracy of the top label, at the metric prior",
        reference: "Naeini et al. 2015; Guo et al. 2017",
        params: &[ParamSpec::new(
            "bins",
            ParamKind::Whole(Range::new(1.0, true, 10_000.0, true)),
            Default::Whole(15),
            "equal-width bins of [0, 1]",
        )],
    },
    caps: MetricCaps::SCORES,
    build: |params| {
        Ok(Box::new(Ece {
            bins: params.whole("bins"),
        }))
    },
};

#[cfg(test)]
mod tests {
    use counterweight_core::{Labels, Matrix, Scores, reliability};
    use proptest::prelude::*;

    proptest! {
        /// For more than two classes the reliability bins hold all that the error is made of.
        #[test]
        fn reliability_bins_give_the_error_back(
            rows in proptest::collection::vec(
                (0_u32..4, proptest::collection::vec(0.001_f64..1.0, 4), 0.0_f64..3.0), 1..120,
            ),
        ) {
            let p = Matrix::from_fn(rows.len(), 4, |i, k| {
                rows[i].1[k] / rows[i].1.iter().sum::<f64>()
            });
            let scores = Scores::probabilities(p).unwrap();
            let names = ["a", "b", "c", "d"].map(str::to_owned).into();
            let labels = Labels::new(rows.iter().map(|r| r.0).collect(), names).unwrap();
            let weights: Vec<f64> = rows.iter().map(|r| r.2).collect();
            let bins = reliability::of(&scores, &labels, &weights, 0);
            let rows_in = bins.iter().map(|bin| bin.rows).sum::<u64>();
            prop_assert_eq!(rows_in, rows.len() as u64);
            let gaps: f64 = bins.iter().map(|bin| (bin.observed - bin.predicted).abs()).sum();
            let total: f64 = bins.iter().map(|bin| bin.weight).sum();
            match super::of(&scores, &labels, &weights, reliability::BINS) {
                Some(ece) => prop_assert!((gaps / total - ece).abs() < 1e-12),
                None => prop_assert!(total <= 0.0, "no error of rows that weigh {total}"),
            }
        }
    }
}
