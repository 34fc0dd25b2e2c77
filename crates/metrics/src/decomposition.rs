//! Murphy's decomposition of the Brier score over bins of each class's probability.

use counterweight_core::reliability::{BINS, bin};
use counterweight_core::{Labels, Scores};

/// Reliability, resolution and uncertainty, on the scale of the Brier score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Parts {
    pub(crate) reliability: f64,
    pub(crate) resolution: f64,
    pub(crate) uncertainty: f64,
}

impl Parts {
    /// `None` when the rows weigh nothing.
    pub(crate) fn of(scores: &Scores, labels: &Labels, weights: &[f64]) -> Option<Self> {
        assert_eq!(scores.n_rows(), labels.len(), "one score row a label");
        assert_eq!(scores.n_classes(), labels.n_classes(), "one score a class");
        assert_eq!(weights.len(), labels.len(), "one weight a label");
        let total: f64 = weights.iter().sum();
        if total.is_nan() || total <= 0.0 {
            return None;
        }
        let mut parts = Self {
            reliability: 0.0,
            resolution: 0.0,
            uncertainty: 0.0,
        };
        for k in 0..scores.n_classes() {
            // Weight, sum of probabilities and weight of the class, by bin.
            let mut bins = [(0.0, 0.0, 0.0); BINS];
            let mut mass = 0.0;
            for (i, &weight) in weights.iter().enumerate() {
                let p = scores.log().at(i, k).exp();
                let bin = &mut bins[bin(p, BINS).min(BINS - 1)];
                bin.0 += weight;
                bin.1 += weight * p;
                if labels.class(i) == k {
                    bin.2 += weight;
                    mass += weight;
                }
            }
            let share = mass / total;
            for (weight, probability, class) in bins {
                if weight > 0.0 {
                    let observed = class / weight;
                    parts.reliability += weight * (probability / weight - observed).powi(2);
                    parts.resolution += weight * (observed - share).powi(2);
                }
            }
            parts.uncertainty += share * (1.0 - share);
        }
        let scale = if scores.n_classes() == 2 { 0.5 } else { 1.0 };
        Some(Self {
            reliability: scale * parts.reliability / total,
            resolution: scale * parts.resolution / total,
            uncertainty: scale * parts.uncertainty,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterweight_core::Matrix;
    use proptest::prelude::*;

    proptest! {
        /// With one probability a bin nothing differs inside bins, and the parts are the Brier score.
        #[test]
        fn the_parts_add_up_where_bins_are_pure(
            rows in proptest::collection::vec((0_usize..15, any::<bool>(), 0.1_f64..3.0), 1..80),
        ) {
            let p = Matrix::from_fn(rows.len(), 2, |i, k| {
                let p = (rows[i].0 as f64 + 0.5) / 15.0;
                if k == 1 { p } else { 1.0 - p }
            });
            let scores = Scores::probabilities(p).unwrap();
            let ids = rows.iter().map(|r| u32::from(r.1)).collect();
            let names = ["0".to_owned(), "1".to_owned()].into();
            let labels = Labels::new(ids, names).unwrap();
            let weights: Vec<f64> = rows.iter().map(|r| r.2).collect();
            let parts = Parts::of(&scores, &labels, &weights).unwrap();
            let brier = crate::brier::of(&scores, &labels, &weights).unwrap();
            let sum = parts.reliability - parts.resolution + parts.uncertainty;
            prop_assert!((sum - brier).abs() < 1e-12, "{} {}", sum, brier);
            prop_assert!(parts.resolution <= parts.uncertainty + 1e-12);
        }
    }
}
