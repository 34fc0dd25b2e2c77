//! Net benefit: true positives less what the false ones cost, at a threshold probability.
//!
//! # When it helps, when it hurts
//! Says in rows of the rare class what acting on the scores is worth to somebody who would act on a probability of
//! t: a miss costs (1 - t) / t false alarms. Beside it belong acting on nobody (0) and on everybody. It asks for
//! probabilities that are calibrated at the metric prior; a good ranking with a wrong scale has little of it.
//!
//! # Formula
//! `NB(t) = pi - (pi FN + (1 - pi) FP t / (1 - t))`, FN and FP the rates of the class with the fewest training
//! rows when rows with `p >= t` are decided to be of it, pi its share at the metric prior. Without `t` it is pi:
//! then `NB = pi (1 - 2 BER)`, with BER the balanced error of that cut.
//!
//! # Parameters
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `t` | the class's share | between 0 and 1 | probability |
//!
//! # Cost
//! O(n) for n test rows.
//!
//! # Differences
//! `dcurves` gives the same numbers for two classes; more classes are the rarest against the rest here. A p that
//! ties with t (see [`TIE`](counterweight_core::TIE)) is acted on.
//!
//! # Errors
//! No value without probabilities, or when the class or all others have no row that weighs something.
//!
//! # Examples
//! ```
//! use counterweight_core::{Labels, Matrix, Scores};
//! use counterweight_metrics::net_benefit;
//! let labels = Labels::from_texts(&["0", "0", "0", "1"]);
//! let p = vec![0.9, 0.1, 0.6, 0.4, 0.65, 0.35, 0.2, 0.8];
//! let scores = Scores::probabilities(Matrix::from_vec(4, 2, p)?)?;
//! // One hit, two false alarms at odds of 1 to 3.
//! let found = net_benefit::of(&scores, &labels, &[1.0; 4], 1, Some(0.25))?;
//! assert!((found - (1.0 / 4.0 - 2.0 / 4.0 / 3.0)).abs() < 1e-15);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//! Vickers and Elkin, "Decision curve analysis: a novel method for evaluating prediction models", Medical
//! Decision Making 26, 2006.

use counterweight_core::{
    Card, Judged, Labels, Metric, MetricCaps, MetricEntry, ParamKind, ParamSpec, ParamValue, Range,
    Scores, TIE,
};

use crate::inputs::{probabilities, total_weight};

/// The net benefit of acting on the rows whose probability of `positive` is at least `t`; without `t` at the
/// share of the class.
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
    t: Option<f64>,
) -> Result<f64, String> {
    let total: f64 = weights.iter().sum();
    let own = (0..labels.len()).filter(|&row| labels.class(row) == positive);
    let own: f64 = own.map(|row| weights[row]).sum();
    if own <= 0.0 || own >= total {
        return Err("the rarest class or all others have no test row that weighs something".into());
    }
    let t = t.unwrap_or(own / total);
    let (mut hits, mut alarms) = (0.0, 0.0);
    for (row, &weight) in weights.iter().enumerate() {
        if scores.log().at(row, positive) >= t.ln() - TIE * t.ln().abs().max(1.0) {
            *(if labels.class(row) == positive {
                &mut hits
            } else {
                &mut alarms
            }) += weight;
        }
    }
    Ok((hits - alarms * t / (1.0 - t)) / total)
}

#[derive(Debug)]
struct NetBenefit(Option<f64>);

impl Metric for NetBenefit {
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
        id: "net_benefit",
        summary: "true less weighed false positives of the rarest class at a threshold probability",
        reference: "Vickers and Elkin 2006",
        params: &[ParamSpec::optional(
            "t",
            ParamKind::Real(Range::OPEN_UNIT),
            "probability from which on a row is acted on; left out: the class's share",
        )],
    },
    caps: MetricCaps {
        probabilities: true,
        ..MetricCaps::WEIGHTED
    },
    build: |params| {
        Ok(Box::new(NetBenefit(
            params.get("t").and_then(ParamValue::as_real),
        )))
    },
};
