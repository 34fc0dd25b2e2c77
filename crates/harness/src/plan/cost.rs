//! Estimated costs: for progress, balanced shards and what a scheduler is asked for, never for results.

use counterweight_core::Workload;

use super::{FitGroup, InputKind, Plan, ResampleGroup, Unit};

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
    let crossfit = crossfits(plan, fit);
    let inner = plan.sweep.protocol.inner_folds.max(2);
    // A choice from a grid cross-fits each of its points, whatever the decisions are.
    let times = match candidates.len() {
        1 => usize::from(crossfit),
        many => many,
    };
    let inner_cost = if times > 0 {
        (times * inner) as f64 * work(n - n / inner, n / inner)
    } else {
        0.0
    };
    // Deciding and judging: a sort for each class and cell.
    let judging = fit.cells.len() as f64 * test as f64 * input.n_classes as f64 * 2e-7;
    work(n, test) + inner_cost + judging + 1e-4
}

impl Plan {
    /// Estimated bytes that a run on `jobs` threads takes at most: the data, and on every thread the costliest
    /// fit of the plan with its rows. What libraries take in workers of their own is not known.
    pub fn peak_bytes(&self, jobs: usize) -> f64 {
        let data = self.inputs.iter().map(|input| match &input.kind {
            InputKind::Real(data) => 2.0 * bytes_of(data.labels().len(), input.n_features),
            InputKind::Population(_) => 0.0,
        });
        let fits = self.units.iter().flat_map(|unit| {
            let groups = unit.groups.iter();
            groups.flat_map(move |group| {
                let fits = group.fits.iter();
                fits.map(move |fit| self.fit_bytes(unit, group, fit))
            })
        });
        data.sum::<f64>() + jobs as f64 * fits.fold(0.0, f64::max)
    }

    fn fit_bytes(&self, unit: &Unit, group: &ResampleGroup, fit: &FitGroup) -> f64 {
        let input = &self.inputs[unit.input];
        let model = &self.sweep.models[fit.model];
        let n = unit.train.total();
        let largest = unit.train.as_slice().iter().copied().max().unwrap_or(0);
        // The most that a resampler is asked for as a rule: every class as large as the largest.
        let rows = match group.resampler {
            Some(_) => n.max(largest * input.n_classes),
            None => n,
        };
        let ensemble = self.sweep.corrections[fit.loss_of].ensemble.as_ref();
        let (fits, rows) = ensemble.map_or((1, rows), |built| {
            (built.entry.caps.fits)(&built.params, &unit.train)
        });
        let work = Workload {
            n_train: rows,
            n_score: unit.test.total().max(n),
            n_features: model.n_columns(input.n_encoded),
            n_classes: input.n_classes,
        };
        let folds = if crossfits(self, fit) || model.candidates().len() > 1 {
            self.sweep.protocol.inner_folds.min(n)
        } else {
            0
        };
        let candidates = model.candidates().iter();
        let fitting = candidates.map(|learner| {
            let one = (learner.entry.caps.footprint)(&learner.params, &work);
            one.model * fits.saturating_sub(1) as f64 + one.peak()
        });
        let held = self.least_bytes(unit) as f64 * (1 + folds) as f64;
        held + 2.0 * bytes_of(rows, work.n_features) + fitting.fold(0.0, f64::max)
    }
}

/// Bytes of a matrix.
fn bytes_of(rows: usize, columns: usize) -> f64 {
    rows as f64 * columns as f64 * size_of::<f64>() as f64
}

/// Whether a decision of a fit needs scores of training rows that their model did not see.
fn crossfits(plan: &Plan, fit: &FitGroup) -> bool {
    fit.cells.iter().any(|&cell| {
        let correction = plan.cells[cell].correction;
        let decide = &plan.sweep.corrections[correction].decide;
        decide.method.needs().calibration
    })
}
