//! Average precision (AUPRC) of the rarer class, at the metric prior; for more than two classes the
//! mean over all classes against the rest.
//!
//! # When it helps, when it hurts
//! It tells how clean the top of the ranking is, which is what a search or an alarm needs when
//! positives are rare. A ranking without skill earns the prior of the class, so values at different
//! priors cannot be compared; weighting the test rows to the metric prior makes balanced test rows
//! speak for the true one. Few positives make it noisy.
//!
//! # Formula
//! `AP = sum_g (R_g - R_{g-1}) P_g` over the groups g of tied rows from the top, with P and R the
//! weighted precision and recall of all rows down to g. Rows are ranked by the logit margin
//! `log p_k - log(1 - p_k)`; margins within 1e-12 (relative to the larger of 1 and the margin) are
//! ties. K = 2: k is the rarer class of the training rows (a tie: that of the whole table). K > 2: the unweighted
//! mean over the classes with test rows that weigh something.
//!
//! # Parameters
//! None.
//!
//! # Cost
//! O(K n log n): one sort a class.
//!
//! # Differences
//! scikit-learn's `average_precision_score` with `sample_weight` (step-wise, no interpolation, ties
//! joined), for more than two classes with `average="macro"`. It ranks probabilities, where
//! confident rows round to 1 and tie. Classes without test rows are left out (an error there).
//!
//! # Errors
//! No value for votes, without test rows, with a weight that is negative or not finite, when all
//! weights are 0, when the positive class (K = 2) has no test rows that weigh something, or with
//! fewer than two classes among the rows that weigh something.
//!
//! # Examples
//! ```
//! use counterweight_core::{Labels, Matrix, Scores};
//! use counterweight_metrics::average_precision;
//! let labels = Labels::from_texts(&["0", "0", "1", "1"]);
//! let p = vec![0.9, 0.1, 0.6, 0.4, 0.65, 0.35, 0.2, 0.8];
//! let scores = Scores::probabilities(Matrix::from_vec(4, 2, p)?)?;
//! let value = average_precision::of(&scores, &labels, &[1.0; 4], 1).unwrap();
//! assert!((value - (0.5 + 0.5 * 2.0 / 3.0)).abs() < 1e-15);
//! # Ok::<(), counterweight_core::CoreError>(())
//! ```
//!
//! # References
//! Davis and Goadrich, "The relationship between precision-recall and ROC curves", ICML 2006. Saito
//! and Rehmsmeier, "The precision-recall plot is more informative than the ROC plot when evaluating
//! binary classifiers on imbalanced datasets", PLOS ONE 10, 2015.

use counterweight_core::{Judged, Labels, Metric, MetricCaps, MetricEntry, Scores};

use crate::inputs::{probabilities, total_weight};
use crate::ranking::{Ranked, groups, margins, ranked};

/// The average precision, in [0, 1], from log-probabilities; `positive` serves for two classes
/// only.
///
/// # Errors
/// Why there is none.
///
/// # Panics
/// When scores, labels and weights differ in rows, or scores and labels in classes.
pub fn of(
    scores: &Scores,
    labels: &Labels,
    weights: &[f64],
    positive: usize,
) -> Result<f64, String> {
    assert_eq!(scores.n_rows(), labels.len(), "one score row a label");
    assert_eq!(scores.n_classes(), labels.n_classes(), "one score a class");
    assert_eq!(weights.len(), labels.len(), "one weight a label");
    let mut mass = vec![0.0; labels.n_classes()];
    for (&y, &weight) in labels.ids().iter().zip(weights) {
        mass[y as usize] += weight;
    }
    let present: Vec<usize> = (0..mass.len()).filter(|&y| mass[y] > 0.0).collect();
    if present.len() < 2 {
        return Err("fewer than two classes among the test rows that weigh something".into());
    }
    let margins = margins(scores);
    let of_class = |class: usize| {
        let order = ranked(labels.len(), |i| margins.at(i, class));
        step_area(&order, labels, weights, class)
    };
    if labels.n_classes() == 2 {
        // Both classes are present, so the positive one is.
        return Ok(of_class(positive));
    }
    let sum: f64 = present.iter().map(|&class| of_class(class)).sum();
    Ok(sum / present.len() as f64)
}

fn step_area(order: &[Ranked], labels: &Labels, weights: &[f64], positive: usize) -> f64 {
    let (mut hits, mut all, mut area) = (0.0, 0.0, 0.0);
    for group in groups(order).rev() {
        let mut gained = 0.0;
        for &(_, row) in group {
            all += weights[row];
            if labels.class(row) == positive {
                gained += weights[row];
            }
        }
        hits += gained;
        if gained > 0.0 {
            area += gained * (hits / all);
        }
    }
    // At the bottom `hits` is the weight of all positives: recalls are relative to it.
    (area / hits).min(1.0)
}

#[derive(Debug)]
struct AveragePrecision;

impl Metric for AveragePrecision {
    fn value(&self, judged: &Judged<'_>) -> Result<f64, String> {
        let scores = probabilities(judged)?;
        total_weight(judged)?;
        of(scores, judged.labels(), judged.weights(), judged.positive())
    }
}

pub(crate) const ENTRY: MetricEntry = MetricEntry::plain(
    "average_precision",
    "area under the precision-recall steps of the rarer class, or mean over classes",
    "Davis and Goadrich 2006; Saito and Rehmsmeier 2015",
    MetricCaps {
        probabilities: true,
        ..MetricCaps::WEIGHTED
    },
    |_| Ok(Box::new(AveragePrecision)),
);
