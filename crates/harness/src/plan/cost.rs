//! Estimated costs: for progress and balanced shards, never for results.

use counterweight_core::Workload;

use super::{FitGroup, Plan, Unit};

/// Estimated seconds of one core for a fit and everything that hangs on it.
pub fn estimated_seconds(plan: &Plan, unit: &Unit, fit: &FitGroup) -> f64 {
    let input = &plan.inputs[unit.input];
    let model = &plan.sweep.models[fit.model];
    let caps = &model.learner.entry.caps;
    let candidates = model.candidates();
    let work = |n_train: usize, n_score: usize| {
        (caps.cost)(
            &model.learner.params,
            &Workload {
                n_train,
                n_score,
                n_features: model.n_columns(input.n_encoded),
                n_classes: input.n_classes,
            },
        )
    };
    // An ensemble fits its base several times, on rows of its own choice.
    let ensemble = plan.sweep.corrections[fit.loss_of].ensemble.as_ref();
    let work = |n_train: usize, n_score: usize| match ensemble {
        None => work(n_train, n_score),
        Some(built) => {
            let (fits, rows) = (built.entry.caps.fits)(&built.params, &unit.train);
            fits as f64 * work(rows, n_score)
        }
    };
    let n = unit.train.total();
    let test = unit.test.total();
    let crossfit = fit.cells.iter().any(|&cell| {
        let correction = plan.cells[cell].correction;
        plan.sweep.corrections[correction]
            .decide
            .method
            .needs()
            .calibration
    });
    let inner = plan.sweep.protocol.inner_folds.max(2);
    // A choice from a grid cross-fits each of its points, whatever the decisions are.
    let crossfits = match candidates.len() {
        1 => usize::from(crossfit),
        many => many,
    };
    let inner_cost = if crossfits > 0 {
        (crossfits * inner) as f64 * work(n - n / inner, n / inner)
    } else {
        0.0
    };
    // Deciding and judging: a sort for each class and cell.
    let judging = fit.cells.len() as f64 * test as f64 * input.n_classes as f64 * 2e-7;
    work(n, test) + inner_cost + judging + 1e-4
}

impl Plan {
    /// Estimated seconds of one core for a whole unit, settled cells excluded.
    pub fn unit_seconds(&self, unit: &Unit) -> f64 {
        unit.groups
            .iter()
            .flat_map(|group| &group.fits)
            .map(|fit| estimated_seconds(self, unit, fit))
            .sum()
    }
}
