//! What mock catalogues of the harness tests are made of, and a sink that keeps the records of a run.

use std::sync::Mutex;

use counterweight_core::*;
use counterweight_harness::plan::Plan;
use counterweight_harness::run::{self, Control, Event, Listener, Outlets};

pub(crate) const fn card(id: &'static str, params: &'static [ParamSpec]) -> Card {
    Card {
        id,
        summary: "mock",
        reference: "none",
        params,
    }
}

/// Plain cross-entropy.
#[derive(Debug)]
pub(crate) struct Plain;
impl Loss for Plain {
    fn needs(&self) -> LossNeeds {
        LossNeeds::default()
    }
    fn terms(&self, context: &LossContext<'_>) -> StageResult<LossTerms> {
        Ok(LossTerms::cross_entropy(context.seen.n_classes()))
    }
}
pub(crate) const CROSS_ENTROPY: LossEntry = Entry {
    card: card("cross-entropy", &[]),
    caps: RULE,
    build: |_| Ok(Box::new(Plain)),
};

pub(crate) const RULE: RuleCaps = RuleCaps::THRESHOLDING;

/// A learner that honours nothing of a loss.
pub(crate) const LEARNER: LearnerCaps = LearnerCaps::new("mock", LossNeeds::NONE, |_, work| {
    1e-6 * work.n_features as f64
});

/// A resampler that takes columns of every kind.
pub(crate) const RESAMPLER: ResamplerCaps = ResamplerCaps::GROWS;

/// A metric of decisions.
pub(crate) const METRIC: MetricCaps = MetricCaps {
    probabilities: false,
    also_raw: false,
    prior_dependent: false,
    lower_is_better: Some(true),
};

#[derive(Default)]
struct Memory(Mutex<Vec<Record>>);
impl Sink for Memory {
    fn keep(&self, record: &Record, _: &Timing) -> std::io::Result<()> {
        self.0.lock().unwrap().push(record.clone());
        Ok(())
    }
}
impl Listener for Memory {
    fn on(&self, _: &Event<'_>) {}
}

/// Runs every cell of the plan; the records in the order of the plan.
pub(crate) fn run(plan: &Plan, jobs: usize) -> Vec<Record> {
    let memory = Memory::default();
    let outlets = Outlets {
        sink: &memory,
        listener: &memory,
        control: &Control::default(),
    };
    let summary = run::run(plan, &vec![true; plan.cells.len()], jobs, outlets).unwrap();
    assert_eq!(summary.finished, plan.cells.len());
    let mut records = memory.0.into_inner().unwrap();
    let index = plan.index();
    records.sort_by_key(|record| index[&record.cell]);
    records
}
