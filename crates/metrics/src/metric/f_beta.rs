//! F-beta: the weighted harmonic mean of precision and recall of the rarest class.
//!
//! # When it helps, when it hurts
//! beta says how much more a missed row weighs than a false alarm; it is a cost ratio in other words, but one
//! whose meaning moves with the class share. Where costs are known, expected cost says the same in plain words.
//!
//! # Formula
//! `(1 + b^2) TP / ((1 + b^2) TP + b^2 FN + FP)`, of the class with the fewest training rows against all others,
//! each row weighing what brings it to the metric prior.
//!
//! # Parameters
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `beta` | 2 | above 0 | recall over precision |
//!
//! # Cost
//! O(n + K^2) for n test rows and K classes.
//!
//! # Differences
//! scikit-learn's `fbeta_score` with `pos_label` the rarest class; for more than two classes its entry of
//! `average=None`.
//!
//! # Errors
//! No value when no row is of the class and none is decided so: 0 of 0.
//!
//! # Examples
//! ```
//! use counterweight_core::Confusion;
//! use counterweight_metrics::f_beta;
//! let confusion = Confusion::from_counts(2, &[90, 10, 5, 5])?;
//! assert!((f_beta::of(&confusion, 1, 2.0).unwrap() - 25.0 / 55.0).abs() < 1e-15);
//! # Ok::<(), counterweight_core::CoreError>(())
//! ```
//!
//! # References
//! van Rijsbergen, "Information Retrieval", 2nd edition 1979, chapter 7.

use counterweight_core::params::Default;
use counterweight_core::{
    Card, ClassCounts, Confusion, Judged, Metric, MetricCaps, MetricEntry, ParamKind, ParamSpec,
    Range,
};

use crate::inputs::total_weight;

/// The F value of `positive` against all other classes, in [0, 1]; `None` for 0 of 0.
///
/// # Panics
/// When there is no class `positive`.
pub fn of(confusion: &Confusion, positive: usize, beta: f64) -> Option<f64> {
    let hits = confusion.weight(positive, positive);
    let (truth, decided) = (
        confusion.truth_weight(positive),
        confusion.decided_weight(positive),
    );
    let recall = beta * beta;
    let denominator = recall * truth + decided;
    (denominator > 0.0).then(|| (1.0 + recall) * hits / denominator)
}

#[derive(Debug)]
pub(super) struct FBeta {
    pub(super) beta: f64,
}

impl FBeta {
    fn on(&self, confusion: &Confusion, positive: usize) -> Result<f64, String> {
        of(confusion, positive, self.beta)
            .ok_or_else(|| "no row is of the rarest class and none is decided so".into())
    }
}

impl Metric for FBeta {
    fn value(&self, judged: &Judged<'_>) -> Result<f64, String> {
        total_weight(judged)?;
        self.on(judged.confusion(), judged.positive())
    }

    fn of_decisions(
        &self,
        confusion: &Confusion,
        train: &ClassCounts,
    ) -> Option<Result<f64, String>> {
        Some(self.on(confusion, train.rarest().unwrap_or(0)))
    }
}

pub(crate) const ENTRY: MetricEntry = MetricEntry {
    card: Card {
        id: "f_beta",
        summary: "F-beta value of the rarest class, at the metric prior",
        reference: "van Rijsbergen 1979",
        params: &[ParamSpec::new(
            "beta",
            ParamKind::Real(Range::POSITIVE),
            Default::Real(2.0),
            "how many times more recall weighs than precision",
        )],
    },
    caps: MetricCaps::WEIGHTED,
    build: |params| {
        Ok(Box::new(FBeta {
            beta: params.real("beta"),
        }))
    },
};
