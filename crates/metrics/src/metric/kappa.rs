//! Cohen's kappa: how far decisions agree with the truth beyond the agreement of independent
//! draws with the same shares, at the metric prior.
//!
//! # When it helps, when it hurts
//! It corrects accuracy for what a constant or random decision with these shares would earn, and is
//! 0 for a majority vote. It depends on the class shares, and for given recalls it is largest near
//! even shares: values at different priors cannot be compared.
//!
//! # Formula
//! `1 - (sum_{y != j} C_yj) / (sum_{y != j} t_y d_j / W)`, with C the weights (truth by decision),
//! t and d its row and column sums and W its total.
//!
//! # Parameters
//! None.
//!
//! # Cost
//! O(n + K^2) for n test rows and K classes.
//!
//! # Differences
//! scikit-learn's `cohen_kappa_score` with `sample_weight`, unweighted over the pairs of classes.
//! Where all truths and all decisions are one and the same class scikit-learn gives NaN; here there
//! is no value.
//!
//! # Errors
//! No value without test rows, with a weight that is negative or not finite, when all weights are
//! 0, or when truths and decisions are all of the same class.
//!
//! # Examples
//! ```
//! use counterweight_core::Confusion;
//! use counterweight_metrics::{kappa};
//! let confusion = Confusion::from_counts(2, &[20, 5, 10, 15])?;
//! assert!((kappa::of(&confusion).unwrap() - 0.4).abs() < 1e-15);
//! let majority = Confusion::from_counts(2, &[90, 0, 10, 0])?;
//! assert_eq!(kappa::of(&majority), Some(0.0));
//! # Ok::<(), counterweight_core::CoreError>(())
//! ```
//!
//! # References
//! Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological
//! Measurement 20, 1960.

use counterweight_core::{Confusion, MetricCaps, MetricEntry};

use crate::inputs::OfConfusion;

/// Kappa, in [-1, 1]; `None` when truths and decisions are all of the same class, or weigh nothing.
pub fn of(confusion: &Confusion) -> Option<f64> {
    let k = confusion.n_classes();
    let truths: Vec<f64> = (0..k).map(|y| confusion.truth_weight(y)).collect();
    let decided: Vec<f64> = (0..k).map(|j| confusion.decided_weight(j)).collect();
    let total: f64 = truths.iter().sum();
    let mut disagreement = 0.0;
    let mut expected = 0.0;
    for (y, truth) in truths.iter().enumerate() {
        for (j, share) in decided.iter().enumerate().filter(|&(j, _)| j != y) {
            disagreement += confusion.weight(y, j);
            expected += truth * (share / total);
        }
    }
    // A sum of terms of at least 0, so it is 0 only when every term is; NaN when nothing weighs.
    if expected.is_nan() || expected <= 0.0 {
        return None;
    }
    let constant = |w: &[f64]| w.iter().filter(|&&w| w > 0.0).count() < 2;
    if constant(&truths) || constant(&decided) {
        // Agreement is then exactly the expected one; the quotient could round away from 1.
        return Some(0.0);
    }
    Some(1.0 - disagreement / expected)
}

pub(crate) const ENTRY: MetricEntry = MetricEntry::plain(
    "kappa",
    "agreement of truth and decision beyond chance, at the metric prior",
    "Cohen 1960",
    MetricCaps::WEIGHTED,
    |_| {
        Ok(Box::new(OfConfusion::weighted(
            of,
            "truths and decisions are all of one class",
        )))
    },
);
