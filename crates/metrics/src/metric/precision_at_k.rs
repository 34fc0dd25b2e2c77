//! Precision at k: the share of the rarest class among the k rows that score highest for it.
//!
//! # When it helps, when it hurts
//! Where a fixed number of rows can be looked at, whatever their scores: audits, screening, retrieval. It judges
//! the top of the ranking alone; no threshold and no offset between two classes changes it.
//!
//! # Formula
//! With the rows by falling margin of the class with the fewest training rows, the weight of that class among the
//! first rows that together weigh k rows, over k. Rows weigh what brings them to the metric prior, n in all for n
//! test rows. Of rows that tie at the end each counts by its share: the mean over all orders of the tied.
//! Without `k` as many as the class has rows (R-precision).
//!
//! # Parameters
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `k` | rows of the class | at least 1 | rows |
//!
//! # Cost
//! O(n (K + log n)) for n test rows and K classes.
//!
//! # Differences
//! Learning-to-rank tools break ties by row number; the mean over orders depends on none. Where `k` exceeds the
//! test rows all rows are the first k.
//!
//! # Errors
//! No value without probabilities, without test rows, or without `k` when no test row is of the class.
//!
//! # Examples
//! ```
//! use counterweight_core::{Labels, Matrix, Scores};
//! use counterweight_metrics::precision_at_k;
//! let labels = Labels::from_texts(&["0", "1", "0", "1"]);
//! let p = vec![0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.9, 0.1];
//! let scores = Scores::probabilities(Matrix::from_vec(4, 2, p)?)?;
//! assert!((precision_at_k::of(&scores, &labels, &[1.0; 4], 1, Some(3))? - 1.0 / 3.0).abs() < 1e-15);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//! Manning, Raghavan and Schuetze, "Introduction to Information Retrieval", 2008, section 8.4.

use counterweight_core::{
    Card, Judged, Labels, Metric, MetricCaps, MetricEntry, ParamKind, ParamSpec, ParamValue, Range,
    Scores,
};

use crate::inputs::{probabilities, total_weight};
use crate::ranking::{groups, margins, ranked};

/// The precision of `positive` among its `k` highest rows, in [0, 1]; without `k` among as many as it has rows.
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
    k: Option<usize>,
) -> Result<f64, String> {
    let n = labels.len();
    let total: f64 = weights.iter().sum();
    let of_class = |row: usize| {
        if labels.class(row) == positive {
            weights[row]
        } else {
            0.0
        }
    };
    // A row's unit of weight.
    let unit = total / n as f64;
    let wanted = match k {
        Some(k) => (k as f64 * unit).min(total),
        None => (0..n).map(of_class).sum(),
    };
    if wanted <= 0.0 {
        return Err("no test row of the rarest class weighs something".into());
    }
    let margins = margins(scores);
    let order = ranked(n, |row| margins.at(row, positive));
    let (mut taken, mut hits) = (0.0, 0.0);
    for group in groups(&order).rev() {
        let mass: f64 = group.iter().map(|&(_, row)| weights[row]).sum();
        let own: f64 = group.iter().map(|&(_, row)| of_class(row)).sum();
        if mass >= wanted - taken {
            hits += if mass > 0.0 {
                own * ((wanted - taken) / mass)
            } else {
                0.0
            };
            break;
        }
        taken += mass;
        hits += own;
    }
    Ok((hits / wanted).min(1.0))
}

#[derive(Debug)]
struct PrecisionAtK(Option<usize>);

impl Metric for PrecisionAtK {
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
        id: "precision_at_k",
        summary: "share of the rarest class among the k rows that score highest for it, at the metric prior",
        reference: "Manning et al. 2008",
        params: &[ParamSpec::optional(
            "k",
            ParamKind::Whole(Range::AT_LEAST_ONE),
            "rows to look at; left out: as many as are of the class",
        )],
    },
    caps: MetricCaps {
        probabilities: true,
        ..MetricCaps::WEIGHTED
    },
    build: |params| {
        let k = match params.get("k") {
            Some(ParamValue::Whole(k)) => usize::try_from(*k).ok(),
            _ => None,
        };
        Ok(Box::new(PrecisionAtK(k)))
    },
};
