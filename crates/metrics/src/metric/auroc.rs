//! AUROC: the probability that a row of one class is ranked above a row of another, ties counted
//! half; for more than two classes the mean over all pairs of classes.
//!
//! # When it helps, when it hurts
//! It judges the ranking apart from any decision: offsets, thresholds and priors leave it exactly
//! unchanged for two classes, so a correction that moves it has changed the model, not only the
//! decision. Under heavy imbalance it looks better than the precision among the top rows (see
//! `average_precision`). For more than two classes an additive shift of the logits does change it.
//!
//! # Formula
//! For classes a, b: `A(a|b) = (sum_{i in a, j in b} [m_ia > m_ja] + [m_ia = m_ja] / 2) / (n_a
//! n_b)` with the logit margin `m_ik = log p_ik - log(1 - p_ik)`. K = 2: A(1|0), which equals
//! A(0|1). K > 2: the mean over pairs a < b of test classes of `(A(a|b) + A(b|a)) / 2`. Margins
//! within 1e-12 (relative to the larger of 1 and the margin) are ties.
//!
//! # Parameters
//! None.
//!
//! # Cost
//! O(K n log n + n K): one sort for each class ranks its rows against those of all other classes
//! at once, instead of one sort for each of the K (K - 1) / 2 pairs.
//!
//! # Differences
//! scikit-learn's `roc_auc_score`, for more than two classes with `multi_class="ovo"` and
//! `average="macro"`. It ranks probabilities, where confident rows round to 1 and tie; the margin
//! is the same order without that. Classes without test rows are left out (an error there). Counts
//! are whole numbers, so no rounding before the last division. Unweighted: weights that are
//! constant within a class cancel in every pair.
//!
//! # Errors
//! No value for votes, and with fewer than two classes among the test rows.
//!
//! # Examples
//! ```
//! use counterweight_core::{ClassCounts, Decisions, Judged, Labels, Matrix, Params, Scores, Ties};
//! let labels = Labels::from_texts(&["0", "0", "1", "1"]);
//! let p = vec![0.9, 0.1, 0.6, 0.4, 0.65, 0.35, 0.2, 0.8];
//! let scores = Scores::probabilities(Matrix::from_vec(4, 2, p)?)?;
//! let decisions = scores.argmax(&[0.0, 0.0], &Ties::default())?;
//! let train = ClassCounts::new(vec![9, 1]);
//! let judged = Judged::new(&labels, &decisions, Some(&scores), &[1.0; 4], &train)?;
//! let entry = counterweight_core::find(counterweight_metrics::ALL, "auroc").unwrap();
//! let auroc = (entry.build)(&Params::default()).unwrap();
//! assert_eq!(auroc.value(&judged), Ok(0.75));
//! # Ok::<(), counterweight_core::CoreError>(())
//! ```
//!
//! # References
//! Hanley and McNeil, "The meaning and use of the area under a receiver operating characteristic
//! (ROC) curve", Radiology 143, 1982. Hand and Till, "A simple generalisation of the area under the
//! ROC curve for multiple class classification problems", Machine Learning 45, 2001.

#![expect(clippy::doc_markdown, reason = "a reference's author is not code")]

use counterweight_core::{Judged, Labels, Metric, MetricCaps, MetricEntry, Scores};

use crate::inputs::{NO_ROWS, probabilities};
use crate::ranking::{groups, margins, ranked};

/// The area under the ROC curve, in [0, 1], from log-probabilities of the rows that `labels` tells.
///
/// # Errors
/// Why there is none: fewer than two classes among the rows.
///
/// # Panics
/// When scores and labels differ in rows or classes.
pub fn of(scores: &Scores, labels: &Labels) -> Result<f64, String> {
    assert_eq!(scores.n_rows(), labels.len(), "one score row a label");
    assert_eq!(scores.n_classes(), labels.n_classes(), "one score a class");
    if labels.is_empty() {
        return Err(NO_ROWS.into());
    }
    let counts = labels.counts().masses();
    let present: Vec<usize> = (0..counts.len()).filter(|&y| counts[y] > 0.0).collect();
    if present.len() < 2 {
        return Err("fewer than two classes among the test rows".into());
    }
    let margins = margins(scores);
    let weights = labels.weights();
    let pairs_won = |positive: usize| {
        let order = ranked(labels.len(), |i| margins.at(i, positive));
        half_wins(&order, (labels, weights.as_deref()), positive)
    };
    let area = |wins: f64, a: usize, b: usize| wins / 2.0 / (counts[a] * counts[b]);
    if labels.n_classes() == 2 {
        return Ok(area(pairs_won(1)[0], 1, 0));
    }
    let wins: Vec<Vec<f64>> = present.iter().map(|&a| pairs_won(a)).collect();
    let mut sum = 0.0;
    for (at, &a) in present.iter().enumerate() {
        for (later, &b) in present.iter().enumerate().skip(at + 1) {
            sum += f64::midpoint(area(wins[at][b], a, b), area(wins[later][a], b, a));
        }
    }
    let pairs = present.len() * (present.len() - 1) / 2;
    Ok(sum / pairs as f64)
}

/// For each other class: twice the pairs of a row of `positive` ranked above a row of that class,
/// plus the pairs that tie. A pair counts as the product of what its rows weigh; where they have no weights all numbers
/// are whole, and exact.
fn half_wins(
    order: &[(f64, usize)],
    (labels, weights): (&Labels, Option<&[f64]>),
    positive: usize,
) -> Vec<f64> {
    let own = |row: usize| weights.map_or(1.0, |weights| weights[row]);
    let k = labels.n_classes();
    let mut below = vec![0.0; k];
    let mut wins = vec![0.0; k];
    let mut tied = vec![0.0; k];
    for group in groups(order) {
        for &(_, row) in group {
            tied[labels.class(row)] += own(row);
        }
        if tied[positive] > 0.0 {
            for y in 0..k {
                wins[y] += tied[positive] * (2.0 * below[y] + tied[y]);
            }
        }
        for &(_, row) in group {
            let y = labels.class(row);
            below[y] += own(row);
            tied[y] = 0.0;
        }
    }
    wins
}

#[derive(Debug)]
struct Auroc;

impl Metric for Auroc {
    fn value(&self, judged: &Judged<'_>) -> Result<f64, String> {
        of(probabilities(judged)?, judged.labels())
    }
}

pub(crate) const ENTRY: MetricEntry = MetricEntry::plain(
    "auroc",
    "area under the ROC curve; over two classes: mean over pairs of classes",
    "Hanley and McNeil 1982; Hand and Till 2001",
    MetricCaps {
        probabilities: true,
        ..MetricCaps::DECISIONS
    },
    |_| Ok(Box::new(Auroc)),
);
