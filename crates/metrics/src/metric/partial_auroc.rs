//! Partial AUROC: the area under the ROC curve at small false positive rates, scaled to [1/2, 1] for rankings
//! better than chance.
//!
//! # When it helps, when it hurts
//! With 99 common rows a rare one, a false positive rate of .1 is ten false alarms a hit: most of the whole ROC
//! curve is of no use there, and this is the part that is. It is noisier than the whole area, since fewer pairs
//! of rows count.
//!
//! # Formula
//! With A the area below the curve up to the rate m (`max_fpr`, the curve linear between its points),
//! `(1 + (A - m^2 / 2) / (m - m^2 / 2)) / 2`, of the class with the fewest training rows against all others, rows
//! weighing what brings them to the metric prior.
//!
//! # Parameters
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `max_fpr` | 0.1 | above 0, at most 1 | false positive rate |
//!
//! # Cost
//! O(n (K + log n)) for n test rows and K classes.
//!
//! # Differences
//! scikit-learn's `roc_auc_score` with `max_fpr`; for more than two classes, which it does not take, the rarest
//! against the rest.
//!
//! # Errors
//! No value without probabilities, or when the class or all others have no row that weighs something.
//!
//! # Examples
//! ```
//! use counterweight_core::{Labels, Matrix, Scores};
//! use counterweight_metrics::partial_auroc;
//! let labels = Labels::from_texts(&["0", "0", "1", "1"]);
//! let p = vec![0.9, 0.1, 0.6, 0.4, 0.65, 0.35, 0.2, 0.8];
//! let scores = Scores::probabilities(Matrix::from_vec(4, 2, p)?)?;
//! // One of two positives stands above all others: A = 0.5 * 0.5.
//! let area = partial_auroc::of(&scores, &labels, &[1.0; 4], 1, 0.5)?;
//! assert!((area - 0.5 * (1.0 + (0.25 - 0.125) / 0.375)).abs() < 1e-15);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//! McClish, "Analyzing a portion of the ROC curve", Medical Decision Making 9, 1989.

use counterweight_core::params::Default;
use counterweight_core::{
    Card, Judged, Labels, Metric, MetricCaps, MetricEntry, ParamKind, ParamSpec, Range, Scores,
};

use crate::inputs::{probabilities, total_weight};
use crate::ranking::{groups, margins, ranked};

/// McClish's standardised partial area of `positive` against all others, up to the rate `most`.
///
/// # Errors
/// Why there is none.
///
/// # Panics
/// When scores, labels and weights differ in rows or there is no class `positive`.
pub fn of(
    scores: &Scores,
    labels: &Labels,
    weights: &[f64],
    positive: usize,
    most: f64,
) -> Result<f64, String> {
    let mut mass = [0.0; 2];
    for (row, weight) in weights.iter().enumerate() {
        mass[usize::from(labels.class(row) == positive)] += weight;
    }
    let [negatives, positives] = mass;
    if negatives <= 0.0 || positives <= 0.0 {
        return Err("the rarest class or all others have no test row that weighs something".into());
    }
    let margins = margins(scores);
    let order = ranked(labels.len(), |row| margins.at(row, positive));
    let (mut area, mut fpr, mut tpr) = (0.0, 0.0, 0.0);
    for group in groups(&order).rev() {
        let mut more = [0.0; 2];
        for &(_, row) in group {
            more[usize::from(labels.class(row) == positive)] += weights[row];
        }
        let (wide, high) = (more[0] / negatives, more[1] / positives);
        let part = if wide > 0.0 {
            ((most - fpr) / wide).min(1.0)
        } else {
            1.0
        };
        area += part * wide * (tpr + 0.5 * part * high);
        fpr += wide;
        tpr += high;
        if fpr >= most {
            break;
        }
    }
    let chance = 0.5 * most * most;
    Ok(0.5 * (1.0 + (area - chance) / (most - chance)))
}

#[derive(Debug)]
struct PartialAuroc(f64);

impl Metric for PartialAuroc {
    fn value(&self, judged: &Judged<'_>) -> Result<f64, String> {
        let scores = probabilities(judged)?;
        total_weight(judged)?;
        of(
            scores,
            judged.labels(),
            judged.weights(),
            judged.positive(),
            self.0,
        )
    }
}

pub(crate) const ENTRY: MetricEntry = MetricEntry {
    card: Card {
        id: "partial_auroc",
        summary: "area under the ROC curve of the rarest class at small false positive rates, standardised",
        reference: "McClish 1989",
        params: &[ParamSpec::new(
            "max_fpr",
            ParamKind::Real(Range::new(0.0, false, 1.0, true)),
            Default::Real(0.1),
            "largest false positive rate that counts",
        )],
    },
    caps: MetricCaps {
        probabilities: true,
        ..MetricCaps::WEIGHTED
    },
    build: |params| Ok(Box::new(PartialAuroc(params.real("max_fpr")))),
};
