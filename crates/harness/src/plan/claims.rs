//! What the `[[leak]]` entries ask for: one claim a split, model and resampler. A claim is no cell: it
//! has an id of its own kind, and nothing that reads cells or records sees it.

use counterweight_core::{Catalogue, CellId, Hasher, Outcome, Resampler, ResamplerCaps, Workload};

use super::cells::{plan_resampler, settle};
use super::identity::{of_correction, of_model, of_planned, of_unit};
use super::{Input, Plan, Unit};
use crate::config::Sweep;
use crate::config::method::Built;

/// One number that a leaky notebook would report, with the honest one beside it.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Its id; never that of a cell.
    pub id: CellId,
    /// Index into the plan's units.
    pub unit: usize,
    /// Index into the sweep's leaks.
    pub leak: usize,
    /// Index into the sweep's models.
    pub model: usize,
    /// The resampler as it will run on the input; `None` when it will not.
    pub resampler: Option<Built<ResamplerCaps, dyn Resampler>>,
    /// What planning settled already.
    pub settled: Option<(Outcome, String)>,
}

impl Claim {
    /// The resampler with its parameters as it will run, or as it was asked for.
    pub fn resample(&self, plan: &Plan) -> String {
        match &self.resampler {
            Some(built) => built.canonical(),
            None => plan.sweep.leaks[self.leak].arm.rows_canonical(),
        }
    }
}

pub(super) fn expand(
    sweep: &Sweep,
    catalogue: &Catalogue,
    inputs: &[Input],
    units: &[Unit],
) -> Vec<Claim> {
    let mut claims = Vec::new();
    for (unit_at, unit) in units.iter().enumerate() {
        let input = &inputs[unit.input];
        let start = of_unit("counterweight leak", sweep, input, unit);
        for (leak_at, leak) in sweep.leaks.iter().enumerate() {
            if !leak.datasets.contains(&input.id) {
                continue;
            }
            let planned = plan_resampler(&leak.arm, catalogue, input);
            let resampler = planned.as_ref().ok().cloned().flatten();
            for &model_at in &leak.models {
                let model = &sweep.models[model_at];
                let id = Hasher::new("claim")
                    .hash(&start)
                    .hash(&of_model(model))
                    .hash(&of_correction(&leak.arm))
                    .hash(&of_planned(resampler.as_ref()))
                    .finish();
                claims.push(Claim {
                    id: CellId(id.short()),
                    unit: unit_at,
                    leak: leak_at,
                    model: model_at,
                    resampler: resampler.clone(),
                    settled: settle(unit, input, model, &leak.arm, &planned).or_else(|| {
                        let reason = "a leak has no rule for weights of rows";
                        let no = (Outcome::NotApplicable, reason.to_owned());
                        input.weights.is_some().then_some(no)
                    }),
                });
            }
        }
    }
    claims
}

impl Plan {
    /// Estimated seconds of one core for a claim: the honest fit, and the leaky one on as many rows as
    /// evening out the classes gives.
    pub fn claim_seconds(&self, claim: &Claim) -> f64 {
        if claim.settled.is_some() {
            return 0.0;
        }
        let unit = &self.units[claim.unit];
        let input = &self.inputs[unit.input];
        let model = &self.sweep.models[claim.model];
        let caps = &model.learner.entry.caps;
        let largest = unit.train.as_slice().iter().copied().max().unwrap_or(0);
        let (n, evened) = (unit.train.total(), largest * input.n_classes);
        let work = |n_train: usize| {
            let workload = Workload {
                n_train,
                n_score: unit.test.total(),
                n_features: model.n_columns(input.n_encoded),
                n_classes: input.n_classes,
            };
            (caps.cost)(&model.learner.params, &workload)
        };
        2.0 * work(n.max(evened)) + 1e-4
    }
}
