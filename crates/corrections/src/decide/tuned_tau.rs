//! Logit adjustment with tau chosen on out-of-fold scores from a grid.
//!
//! # When it helps, when it hurts
//!
//! Tuning tau is tuning a temperature: it repairs scores that are too sure or too timid as a whole,
//! with one number, where `tuned-threshold` fits one a class. With few minority rows one number
//! chases less noise. On calibrated scores it finds tau = 1 for balanced error up to noise, and costs
//! the inner fits for nothing.
//!
//! # Formula
//!
//! `argmax_y s_y - tau log prior_y` with the tau of `grid` that is best by `metric` on the out-of-fold
//! scores of the training rows; of equally good ones the nearest to 1, of equally near ones the
//! smaller.
//!
//! # Cost
//!
//! O(n log n + T log n) for two classes and T taus, O(n K s log T) for K, with s the decisions that a
//! row takes along the grid; and the inner fits.
//!
//! # Differences
//!
//! The paper tunes tau on a validation set; here on cross-fitted scores. scikit-learn has no such
//! rule.
//!
//! # Errors
//!
//! Those of [`PriorSource::for_decision`];
//! [`StageError::NotApplicable`](counterweight_core::StageError::NotApplicable) for votes and where
//! `costs` does not have a row a class;
//! [`StageError::Failed`](counterweight_core::StageError::Failed) without out-of-fold scores, or where
//! tau times a log prior overflows.
//!
//! Details: `tau`, `tau_fold_min`, `tau_fold_max`, `tau_fold_sd` (of taus tuned on one inner fold each,
//! over the folds that hold two classes), `tuned_metric`, and `tau_1_metric` when 1 is in the grid.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     DecideContext, Labels, Matrix, OutOfFold, Partition, Samples, Scores, find, params,
//! };
//! let y = Labels::from_texts(&["a", "a", "a", "b"]);
//! let samples = Samples::numeric(Matrix::zeros(4, 1), y)?;
//! let (train, _) = Partition::new(4, (0..4).collect(), vec![])?.cut_samples(&samples)?;
//! // The prior rule decides class b from 1/4 on, where a row of class a still is.
//! let p = vec![0.9, 0.1, 0.9, 0.1, 0.7, 0.3, 0.6, 0.4];
//! let mut inner = OutOfFold::new(&train);
//! inner.add(&[0, 1, 2, 3], Scores::probabilities(Matrix::from_vec(4, 2, p)?)?)?;
//! let (counts, calib) = (train.counts(), inner.finish()?);
//! let own = counts.prior();
//! let context = DecideContext { scores_prior: own.as_ref(), train: &counts };
//! let entry = find(counterweight_corrections::decide::ALL, "tuned-tau").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let fitted = (entry.build)(&params)?.fit(&context, Some(&calib))?;
//! assert_eq!(fitted.details["tau"], 0.7);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! A. K. Menon et al., "Long-tail learning via logit adjustment", ICLR 2021, section 6.

use counterweight_core::params::Reals;
use counterweight_core::{
    Calib, ClassCounts, DecideContext, Decision, DecisionEntry, DecisionNeeds, Details, FittedRule,
    Labels, Note, OffsetRule, RuleCaps, ScoreSize, Scores, StageResult, parameters,
};
use counterweight_metrics::Criterion;
use counterweight_numeric::offsets::OffsetRules;

use super::{calibration_rows, prior_offsets, spread};
use crate::prior::PriorSource;

/// Objectives closer than this are equal: sums of the same recalls in another order.
const EQUAL: f64 = 1e-12;

/// The default grid.
const GRID: &[f64] = &[
    0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8,
    1.9, 2.0, 2.1, 2.2, 2.3, 2.4, 2.5, 2.6, 2.7, 2.8, 2.9, 3.0,
];

parameters! {
    /// Tuned logit adjustment, checked.
    pub struct TunedTau {
        criterion: ..Criterion;
        /// taus to try
        grid: Reals = GRID;
        /// the prior whose logarithm is subtracted
        prior: PriorSource = "effective", probe ["train", "uniform"];
    }
}

impl Decision for TunedTau {
    fn takes(&self, size: &ScoreSize) -> f64 {
        (size.calib * (8 * size.classes + 30)) as f64 + size.decided()
    }

    fn needs(&self) -> DecisionNeeds {
        DecisionNeeds {
            probabilities: true,
            calibration: true,
            scores_prior: self.prior == PriorSource::Effective,
            ..DecisionNeeds::default()
        }
    }

    fn weighs(&self) -> bool {
        true
    }

    fn fit(&self, context: &DecideContext<'_>, calib: Option<&Calib>) -> StageResult<FittedRule> {
        let prior = self.prior.for_decision(context)?;
        let calib = calibration_rows("tuned-tau", calib, prior.n_classes())?;
        self.criterion.check(prior.n_classes())?;
        let mut grid = self.grid.clone();
        grid.sort_unstable_by(f64::total_cmp);
        grid.dedup();
        let points: Vec<Vec<f64>> = grid
            .iter()
            .map(|&tau| prior_offsets(&prior, tau))
            .collect::<StageResult<_>>()?;
        let mut notes = Vec::new();
        let mut details = Details::new();
        let mut tau = 1.0;
        if calib.labels().counts().n_present() < 2 {
            notes.push(Note::Degenerate(
                "fewer than two classes to tune on: tau = 1".into(),
            ));
        } else {
            let all = self.values(calib.scores(), calib.labels(), &points, context.train)?;
            let (best, value) = best(&grid, &all);
            tau = grid[best];
            details.extend(value.map(|value| ("tuned_metric".to_owned(), value)));
            let one = grid.iter().position(|tau| (tau - 1.0).abs() <= 0.0);
            let at_one = one.and_then(|at| all[at].1);
            details.extend(at_one.map(|value| ("tau_1_metric".to_owned(), value)));
            let folds = self.by_fold(calib, (&grid, &points), context.train)?;
            details.extend(spread("tau", &folds));
        }
        details.insert("tau".into(), tau);
        Ok(FittedRule {
            rule: Box::new(OffsetRule::new(prior_offsets(&prior, tau)?, context.train)),
            details,
            notes,
        })
    }
}

/// Objective and metric at each point of the grid.
type Values = Vec<(f64, Option<f64>)>;

impl TunedTau {
    fn values(
        &self,
        scores: &Scores,
        labels: &Labels,
        points: &[Vec<f64>],
        train: &ClassCounts,
    ) -> StageResult<Values> {
        let mut values = Vec::with_capacity(points.len());
        OffsetRules::new(scores, labels)?.along(points, |_, counts| {
            let objective = self.criterion.objective(counts, train);
            values.push((objective, self.criterion.value(counts, train).ok()));
        });
        Ok(values)
    }

    fn by_fold(
        &self,
        calib: &Calib,
        (grid, points): (&[f64], &[Vec<f64>]),
        train: &ClassCounts,
    ) -> StageResult<Vec<f64>> {
        let n_folds = calib.folds().iter().max().map_or(0, |last| last + 1);
        let mut found = Vec::new();
        for fold in 0..n_folds {
            let rows: Vec<usize> = (0..calib.labels().len())
                .filter(|&row| calib.folds()[row] == fold)
                .collect();
            let labels = calib.labels().select(&rows);
            if labels.counts().n_present() >= 2 {
                let log = calib.scores().log().select_rows(&rows);
                let scores = Scores::log_probabilities(log)?;
                let (best, _) = best(grid, &self.values(&scores, &labels, points, train)?);
                found.push(grid[best]);
            }
        }
        Ok(found)
    }
}

/// The best point, the nearest to tau = 1 of equally good ones.
fn best(grid: &[f64], values: &Values) -> (usize, Option<f64>) {
    let top = values.iter().map(|v| v.0).fold(f64::NEG_INFINITY, f64::max);
    let mut best = (0, f64::INFINITY);
    for (at, (objective, _)) in values.iter().enumerate() {
        let away = (grid[at] - 1.0).abs();
        // 0.9 and 1.1 are equally far from 1 but for the last bit: the smaller stands.
        if *objective >= top - EQUAL && away < best.1 - EQUAL {
            best = (at, away);
        }
    }
    (best.0, values.get(best.0).and_then(|v| v.1))
}

/// The registry entry.
pub(crate) const ENTRY: DecisionEntry = DecisionEntry::of::<TunedTau>(
    "tuned-tau",
    "logit adjustment with tau chosen on out-of-fold scores from a grid",
    "Menon et al. 2021",
    RuleCaps::LOGIT_ADJUSTMENT,
);
