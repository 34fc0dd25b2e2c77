//! MCC: Matthews' correlation between truth and decision, in Gorodkin's form for any number of
//! classes, at the metric prior.
//!
//! # When it helps, when it hurts
//! It uses all cells of the confusion matrix and is 0 for every decision that does not depend on
//! the row. It depends on the class shares: at a small prior it is far below its value on balanced
//! rows for the same recalls, so it has to be computed at the prior that matters.
//!
//! # Formula
//! `(c - sum_k t_k d_k) / sqrt((1 - sum_k d_k^2) (1 - sum_k t_k^2))`, with c the share of the
//! weight decided right, t and d the shares of the classes among truths and decisions. When all
//! decisions are one class, truth and decision have no covariance and the value is 0.
//!
//! # Parameters
//! None.
//!
//! # Cost
//! O(n + K^2) for n test rows and K classes.
//!
//! # Differences
//! scikit-learn's `matthews_corrcoef` with `sample_weight`, except that with a single class among
//! the truths (by weight) scikit-learn gives 0, even when every decision is right, and here there
//! is no value.
//!
//! # Errors
//! No value without test rows, with a weight that is negative or not finite, when all weights are
//! 0, or with fewer than two classes among the rows that weigh something.
//!
//! # Examples
//! ```
//! use counterweight_core::Confusion;
//! use counterweight_metrics::{mcc};
//! let perfect = Confusion::from_counts(2, &[90, 0, 0, 10])?;
//! assert_eq!(mcc::of(&perfect), Some(1.0));
//! let majority = Confusion::from_counts(2, &[90, 0, 10, 0])?;
//! assert_eq!(mcc::of(&majority), Some(0.0));
//! # Ok::<(), counterweight_core::CoreError>(())
//! ```
//!
//! # References
//! Matthews, "Comparison of the predicted and observed secondary structure of T4 phage lysozyme",
//! Biochimica et Biophysica Acta 405, 1975. Gorodkin, "Comparing two K-category assignments by a
//! K-category correlation coefficient", Computational Biology and Chemistry 28, 2004.

use counterweight_core::{Confusion, MetricCaps, MetricEntry};

use crate::inputs::OfConfusion;

/// The correlation, in [-1, 1]; `None` with fewer than two classes among the rows that weigh
/// something.
pub fn of(confusion: &Confusion) -> Option<f64> {
    let k = confusion.n_classes();
    if let Some(rows) = confusion.unweighted() {
        return of_counts(confusion, i128::from(rows));
    }
    let truths: Vec<f64> = (0..k).map(|y| confusion.truth_weight(y)).collect();
    let decided: Vec<f64> = (0..k).map(|j| confusion.decided_weight(j)).collect();
    let classes = |shares: &[f64]| shares.iter().filter(|&&w| w > 0.0).count();
    if classes(&truths) < 2 {
        return None;
    }
    // Asked of the classes rather than of `1 - sum d^2`, whose rounding need not give 0.
    if classes(&decided) < 2 {
        return Some(0.0);
    }
    // A power of two near the total: it divides without rounding, and products of weights of any
    // unit neither overflow nor vanish.
    let unit = confusion.total_weight().log2().floor().exp2();
    let truths: Vec<f64> = truths.iter().map(|w| w / unit).collect();
    let decided: Vec<f64> = decided.iter().map(|w| w / unit).collect();
    let others = |w: &[f64], k: usize| -> f64 {
        w.iter()
            .enumerate()
            .filter(|&(j, _)| j != k)
            .map(|(_, w)| w)
            .sum()
    };
    // Class by class as TP * TN - FP * FN, where `c W - t d` would lose the digits of a small
    // covariance beside a large total.
    let covariance: f64 = (0..k)
        .map(|class| {
            let hit = confusion.weight(class, class) / unit;
            let row = (0..k).filter(|&j| j != class);
            let missed: f64 = row.clone().map(|j| confusion.weight(class, j) / unit).sum();
            let alarms: f64 = row.map(|y| confusion.weight(y, class) / unit).sum();
            let rest = others(&truths, class) - alarms;
            hit * rest - alarms * missed
        })
        .sum();
    let spread = |w: &[f64]| -> f64 { (0..k).map(|class| w[class] * others(w, class)).sum() };
    let (a, b) = (spread(&truths), spread(&decided));
    let value = covariance / ((a / b).sqrt() * b);
    Some(value.clamp(-1.0, 1.0))
}

/// Whole numbers are exact, so that Gorodkin's sums of products can be taken as they stand: O(K), which
/// a search over thousands of thresholds is glad of.
fn of_counts(confusion: &Confusion, rows: i128) -> Option<f64> {
    let classes = 0..confusion.n_classes();
    let truth = |y| i128::from(confusion.truth_count(y));
    let decided = |j| i128::from(confusion.decided_count(j));
    let hits: i128 = classes
        .clone()
        .map(|y| i128::from(confusion.count(y, y)))
        .sum();
    let (mut covariance, mut a, mut b) = (hits * rows, rows * rows, rows * rows);
    for class in classes {
        covariance -= truth(class) * decided(class);
        a -= truth(class) * truth(class);
        b -= decided(class) * decided(class);
    }
    if a == 0 {
        return None;
    }
    if b == 0 {
        return Some(0.0);
    }
    let (a, b) = (a as f64, b as f64);
    let value = covariance as f64 / ((a / b).sqrt() * b);
    Some(value.clamp(-1.0, 1.0))
}

pub(crate) const ENTRY: MetricEntry = MetricEntry::plain(
    "mcc",
    "correlation of truth and decision, at the metric prior",
    "Matthews 1975; Gorodkin 2004",
    MetricCaps::WEIGHTED,
    |_| {
        Ok(Box::new(OfConfusion::weighted(
            of,
            "fewer than two classes among the test rows that weigh something",
        )))
    },
);
