//! From decisions to a record.

use std::sync::Arc;

use counterweight_core::side_table::{CellBins, Corrected, SparseBins};
use counterweight_core::{
    CellId, ClassCounts, Confusion, Decisions, Details, Judged, Labels, Metric, MetricCaps, Name,
    Note, Numbers, Outcome, Prior, Record, Rescored, ScoreKind, Scores, Stages, Test,
};
use counterweight_core::{costs, reliability};

use crate::config::method::Built;
use crate::config::sweep::{Correction, MetricPrior, RatioSpec};
use crate::plan::{Plan, Unit};

/// What is known of a cell when it is judged.
pub(super) struct Verdict<'a> {
    pub(super) test: &'a Test,
    pub(super) bayes: Option<f64>,
    pub(super) scores: &'a Scores,
    pub(super) prior: Option<&'a Prior>,
    /// What the rule put in place of the scores, which metrics of probabilities then judge.
    pub(super) rescored: Option<Rescored>,
    /// What is known of `scores`, where another decision on them was judged before.
    pub(super) known: Option<Arc<Known>>,
    pub(super) decided: Result<Decisions, (Outcome, String)>,
    pub(super) notes: Vec<Note>,
    pub(super) details: Details,
}

/// A metric's value, and that of the scores as they are where it has one.
type Value = (Result<f64, String>, Option<f64>);

/// What of a judgement no decision changes, so that all decisions on the same scores share it.
#[derive(Debug)]
pub(super) struct Known {
    /// By place among the plan's metrics: those of probabilities.
    values: Vec<Option<Value>>,
    /// The reliability bins of probabilities.
    pub(super) bins: Option<CellBins>,
}

/// The record of a cell that has no decisions.
pub(super) fn settled(plan: &Plan, at: usize, outcome: Outcome, reason: &str) -> Record {
    let mut record = blank(plan, at);
    record.outcome = outcome;
    record.reason = reason.into();
    record
}

/// The record of a judged cell, and what is known of its scores.
pub(super) fn record(
    plan: &Plan,
    at: usize,
    verdict: &Verdict<'_>,
) -> (Record, Option<Arc<Known>>) {
    let unit = &plan.units[plan.cells[at].unit];
    judged(plan, unit, blank(plan, at), verdict)
}

/// Fills the record of a judged cell on `unit`.
pub(super) fn judged(
    plan: &Plan,
    unit: &Unit,
    mut record: Record,
    verdict: &Verdict<'_>,
) -> (Record, Option<Arc<Known>>) {
    let mut known = None;
    record.bayes_balanced_error = verdict.bayes;
    record.details = (&verdict.details).into();
    match &verdict.decided {
        Err((outcome, reason)) => {
            record.outcome = *outcome;
            record.reason = reason.into();
        }
        Ok(decisions) => match measure(plan, unit, verdict, decisions, &mut record) {
            Ok(found) => known = Some(found),
            Err(reason) => {
                record.outcome = Outcome::Failed;
                record.reason = reason.into();
                record.metrics.clear();
                record.recalls.clear();
            }
        },
    }
    (record, known)
}

/// The record of the cell `at` of the plan as it stands before the cell runs: all that planning knows of
/// it, and no result.
pub fn blank(plan: &Plan, at: usize) -> Record {
    let cell = &plan.cells[at];
    let model = &plan.sweep.models[cell.model];
    let params = model.params(";");
    let heading = Heading {
        cell: cell.id.clone(),
        model: (&model.id, &params),
        correction: &plan.sweep.corrections[cell.correction],
        resample: &cell.resample,
        stages: plan.stages(at),
    };
    heading.record(plan, &plan.units[cell.unit])
}

/// What names a cell.
pub(super) struct Heading<'a> {
    pub(super) cell: CellId,
    /// Id and parameters.
    pub(super) model: (&'a str, &'a str),
    pub(super) correction: &'a Correction,
    pub(super) resample: &'a str,
    /// What the texts are rendered from.
    pub(super) stages: Arc<Stages>,
}

impl Heading<'_> {
    /// A record on `unit` that holds no result yet.
    pub(super) fn record(self, plan: &Plan, unit: &Unit) -> Record {
        let input = &plan.inputs[unit.input];
        let correction = self.correction;
        let wide = |counts: &ClassCounts| counts.as_slice().iter().map(|&n| n as u64).collect();
        Record {
            cell: self.cell,
            dataset: input.id.as_str().into(),
            source: input.source().into(),
            n_train: unit.train.total() as u64,
            n_test: unit.test.total() as u64,
            n_features: input.n_features as u64,
            n_classes: input.n_classes as u64,
            profile: unit.profile.clone(),
            requested_ratio: match unit.ratio {
                RatioSpec::Natural => None,
                RatioSpec::Induced(ratio) => Some(ratio),
            },
            imbalance_ratio: unit.train.imbalance_ratio(),
            minority_count: unit.train.smallest_present() as u64,
            repeat: unit.repeat as u64,
            fold: unit.fold as u64,
            model: self.model.0.into(),
            model_params: self.model.1.into(),
            correction: correction.id.as_str().into(),
            family: correction.family().into(),
            resample: self.resample.into(),
            loss: correction.loss.canonical().into(),
            decide: correction.decide.canonical().into(),
            outcome: Outcome::Ok,
            reason: Name::default(),
            metrics: Numbers::new(),
            bayes_balanced_error: None,
            recalls: Vec::new(),
            test_counts: wide(&unit.test),
            train_counts: wide(&unit.train),
            details: Numbers::new(),
            stages: self.stages,
        }
    }
}

fn measure(
    plan: &Plan,
    unit: &Unit,
    verdict: &Verdict<'_>,
    decisions: &Decisions,
    record: &mut Record,
) -> Result<Arc<Known>, String> {
    let labels = verdict.test.labels();
    let target = metric_prior(plan, unit, &unit.test)?;
    let (scores, prior) = match &verdict.rescored {
        Some(rescored) => (&rescored.scores, rescored.prior.as_ref()),
        None => (verdict.scores, verdict.prior),
    };
    let shown = Shown {
        labels,
        decisions,
        scores,
        prior,
        train: &unit.train,
        test: &unit.test,
        target: &target,
    };
    let known = match &verdict.known {
        Some(known) if verdict.rescored.is_none() => known.clone(),
        _ => Arc::new(known(plan, &shown)?),
    };
    let Measured { metrics, without } = measured(plan, &shown, &known)?;

    let mut outcome = verdict
        .notes
        .iter()
        .map(Note::outcome)
        .min()
        .unwrap_or(Outcome::Ok);
    record.metrics = metrics.into_iter().collect();
    record.recalls = recalls(labels, decisions.as_slice(), &unit.test);
    if record.balanced_error().is_none() {
        outcome = outcome.min(Outcome::Undefined);
    }
    record.outcome = outcome;
    let mut reasons: Vec<String> = Vec::new();
    for note in &verdict.notes {
        if !reasons.iter().any(|reason| reason == note.text()) {
            reasons.push(note.text().to_owned());
        }
    }
    reasons.extend(
        without
            .into_iter()
            .map(|(reason, ids)| format!("no {}: {reason}", ids.join(", "))),
    );
    record.reason = reasons.join("; ").into();
    Ok(known)
}

/// What the metrics are told.
pub(super) struct Shown<'a> {
    pub(super) labels: &'a Labels,
    pub(super) decisions: &'a Decisions,
    pub(super) scores: &'a Scores,
    /// The prior that the scores were learnt under; `None` to judge them as they are.
    pub(super) prior: Option<&'a Prior>,
    /// Training rows of each class.
    pub(super) train: &'a ClassCounts,
    /// Test rows of each class.
    pub(super) test: &'a ClassCounts,
    /// The prior that prior-dependent metrics refer to.
    pub(super) target: &'a Prior,
}

impl Shown<'_> {
    /// Whether bringing the scores to the target prior changes them.
    fn shifted(&self) -> bool {
        self.prior.is_some_and(|prior| prior != self.target)
            && self.scores.kind() == ScoreKind::Probability
    }
}

/// What the scores are worth, whatever is decided by them.
fn known(plan: &Plan, shown: &Shown<'_>) -> Result<Known, String> {
    let Shown {
        labels,
        decisions,
        scores: own,
        prior,
        target,
        ..
    } = *shown;
    let weights = row_weights(labels, shown.test, target);
    let usable = own.kind() == ScoreKind::Probability;
    let mapped = match prior {
        Some(prior) if usable => Some(own.shift_prior(prior, target).map_err(|e| e.to_string())?),
        _ => None,
    };
    // Scores without a prior of their own cannot be mapped: they are judged as they are.
    let scores = if usable {
        mapped.as_ref().or(Some(own))
    } else {
        None
    };
    let judged = Judged::new(labels, decisions, scores, &weights, shown.train)
        .map_err(|error| error.to_string())?;
    let raw = Judged::new(
        labels,
        decisions,
        usable.then_some(own),
        &weights,
        shown.train,
    )
    .map_err(|error| error.to_string())?;
    let shifted = shown.shifted();
    let value = |built: &Built<MetricCaps, dyn Metric>| {
        let (caps, metric) = (&built.entry.caps, &built.method);
        let value = metric.value(&judged);
        // Where the shift changes nothing the second set of metrics is the first.
        let raw_value = match (caps.also_raw, shifted) {
            (false, _) => None,
            (true, false) => value.as_ref().ok().copied(),
            (true, true) => metric.value(&raw).ok(),
        };
        (value, raw_value)
    };
    let of_scores = |built: &Built<MetricCaps, dyn Metric>| {
        built.entry.caps.probabilities.then(|| value(built))
    };
    Ok(Known {
        values: plan.metrics.iter().map(of_scores).collect(),
        bins: usable.then(|| bins_of(shown, mapped.as_ref())),
    })
}

/// Values of the metrics.
struct Measured {
    /// By column.
    metrics: Vec<(String, f64)>,
    /// Those without a value, by reason.
    without: Vec<(String, Vec<&'static str>)>,
}

/// Every metric that has a value.
fn measured(plan: &Plan, shown: &Shown<'_>, known: &Known) -> Result<Measured, String> {
    let weights = row_weights(shown.labels, shown.test, shown.target);
    let judged = Judged::new(shown.labels, shown.decisions, None, &weights, shown.train)
        .map_err(|error| error.to_string())?;
    let mut without: Vec<(String, Vec<&'static str>)> = Vec::new();
    let mut metrics: Vec<(String, f64)> = Vec::new();
    for (built, known) in plan.metrics.iter().zip(&known.values) {
        let (entry, metric) = (built.entry, &built.method);
        let (value, raw_value) = match known {
            Some(known) => known.clone(),
            None => (metric.value(&judged), None),
        };
        match value {
            Ok(value) if value.is_finite() => {
                metrics.push((entry.card.id.to_owned(), value));
            }
            Ok(value) => push(&mut without, format!("the value is {value}"), entry.card.id),
            Err(reason) => push(&mut without, reason, entry.card.id),
        }
        if let Some(value) = raw_value.filter(|value| value.is_finite()) {
            metrics.push((format!("{}_raw", entry.card.id), value));
        }
    }
    Ok(Measured { metrics, without })
}

/// The values of every metric that has one, by column.
pub(super) fn metrics(plan: &Plan, shown: &Shown<'_>) -> Result<Vec<(String, f64)>, String> {
    Ok(measured(plan, shown, &known(plan, shown)?)?.metrics)
}

/// The reliability bins of probabilities, as they are and as `mapped` to the target prior.
fn bins_of(shown: &Shown<'_>, mapped: Option<&Scores>) -> CellBins {
    let weights = row_weights(shown.labels, shown.test, shown.target);
    // The positive class of binary metrics.
    let positive = shown.train.rarest().unwrap_or(0);
    let of = |scores: &Scores| {
        let bins = reliability::of(scores, shown.labels, &weights, positive);
        SparseBins::of(&bins)
    };
    let cuts = (shown.scores.n_classes() == 2 && !shown.labels.is_weighted()).then(|| {
        let even = Prior::uniform(2).and_then(|even| match shown.prior {
            Some(own) => shown.scores.shift_prior(own, &even),
            None => Ok(shown.scores.clone()),
        });
        // A prior that leaves no probability: the scores as they are.
        let even = even.as_ref().unwrap_or(shown.scores);
        costs::cuts(even, shown.labels, positive, costs::POINTS)
    });
    CellBins {
        cuts,
        fitted: of(shown.scores),
        corrected: match mapped {
            Some(mapped) if shown.shifted() => Corrected::Shifted(of(mapped)),
            Some(_) => Corrected::Same,
            None => Corrected::Unnamed,
        },
    }
}

fn push<'a>(without: &mut Vec<(String, Vec<&'a str>)>, reason: String, id: &'a str) {
    match without.iter_mut().find(|(other, _)| *other == reason) {
        Some((_, ids)) => ids.push(id),
        None => without.push((reason, vec![id])),
    }
}

/// The prior that prior-dependent metrics refer to.
pub(super) fn metric_prior(plan: &Plan, unit: &Unit, test: &ClassCounts) -> Result<Prior, String> {
    let train = unit.prior_counts();
    match unit.metric_prior(&plan.sweep) {
        MetricPrior::Train => train.prior().ok_or_else(|| "no training rows".into()),
        MetricPrior::Test => test.prior().ok_or_else(|| "no test rows".into()),
        MetricPrior::Uniform => Prior::uniform(train.n_classes()).map_err(|e| e.to_string()),
        MetricPrior::Shares(shares) => Prior::from_weights(shares).map_err(|e| e.to_string()),
    }
}

/// Weights that bring the test rows to `target`, summing to the number of rows, in proportion to the rows' own
/// weights within a class. A class without
/// training rows has weight 0 under the training prior.
fn row_weights(labels: &Labels, test: &ClassCounts, target: &Prior) -> Vec<f64> {
    let class = weights_of(test, target);
    let of = |label: &u32| class[*label as usize];
    match labels.weights() {
        None => labels.ids().iter().map(of).collect(),
        Some(own) => (labels.ids().iter().zip(own))
            .map(|(label, own)| own * of(label))
            .collect(),
    }
}

/// The weight of each class's test rows under the sweep's metric prior.
pub(super) fn class_weights(plan: &Plan, unit: &Unit) -> Result<Vec<f64>, String> {
    let target = metric_prior(plan, unit, &unit.test)?;
    Ok(weights_of(&unit.test, &target))
}

fn weights_of(test: &ClassCounts, target: &Prior) -> Vec<f64> {
    let covered: f64 = target
        .as_slice()
        .iter()
        .zip(test.as_slice())
        .filter(|(_, n)| **n > 0)
        .map(|(p, _)| p)
        .sum();
    let total = test.total() as f64;
    target
        .as_slice()
        .iter()
        .zip(test.masses())
        .map(|(p, mass)| {
            if mass > 0.0 && covered > 0.0 {
                p / covered * total / mass
            } else {
                0.0
            }
        })
        .collect()
}

fn recalls(labels: &Labels, decisions: &[u32], test: &ClassCounts) -> Vec<Option<f64>> {
    let mut confusion = Confusion::new(test.n_classes());
    confusion.add_rows(labels, decisions);
    confusion.recalls().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_weights_reach_the_target_prior() {
        let test = ClassCounts::new(vec![2, 2]);
        let target = Prior::from_weights(vec![0.95, 0.05]).unwrap();
        let labels = Labels::from_texts(&["a", "a", "b", "b"]);
        let weights = row_weights(&labels, &test, &target);
        assert!((weights.iter().sum::<f64>() - 4.0).abs() < 1e-12);
        assert!((weights[2] + weights[3] - 0.2).abs() < 1e-12);
        let labels = labels.weighted(vec![3.0, 1.0, 1.0, 1.0]).unwrap();
        let weights = row_weights(&labels, &labels.counts(), &target);
        assert!((weights.iter().sum::<f64>() - 4.0).abs() < 1e-12);
        assert!((weights[0] - 2.85).abs() < 1e-12 && (weights[2] - 0.1).abs() < 1e-12);
    }

    #[test]
    fn a_class_without_test_rows_has_no_recall() {
        let test = ClassCounts::new(vec![2, 0, 1]);
        let labels = Labels::from_texts(&["a", "b", "c"]);
        assert_eq!(
            recalls(&labels.with_ids(vec![0, 0, 2]).unwrap(), &[0, 1, 0], &test),
            [Some(0.5), None, Some(0.0)]
        );
    }
}
