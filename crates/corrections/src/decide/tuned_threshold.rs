//! Offsets per class that maximise a metric on out-of-fold scores; for two classes, a tuned
//! threshold.
//!
//! # When it helps, when it hurts
//!
//! It repairs miscalibration that the prior rule cannot see, and it is the way to metrics that have
//! no closed-form rule (macro-F1, G-mean). It needs cross-fitting, K times the fit, and chases
//! noise when the minority has few rows: with a dozen positives the chosen threshold scatters
//! widely, as its spread over the inner folds shows, and the untuned prior rule is often better on
//! new rows.
//!
//! # Formula
//!
//! `argmax_y s_y - o_y` with o chosen to maximise `metric` over the out-of-fold scores of the
//! training rows. The start is the prior rule, `o = log prior` of the scores (of the training rows
//! when the scores have no prior of their own). Two classes: the exact optimum over all cut points,
//! found by one sort; between two scores the midpoint of their log odds, and of equally good cuts
//! the one nearest to the start. More classes: coordinate ascent, the classes in order, each by the
//! same exact search, until a round brings no gain. The metric on the inner scores is never worse
//! than that of the prior rule.
//!
//! # Cost
//!
//! O(n log n) for two classes, O(K (n K + n log n)) a round of K classes (a few rounds); and the
//! inner fits.
//!
//! # Differences
//!
//! * scikit-learn's `TunedThresholdClassifierCV` tries 100 thresholds, interpolates each fold's
//!   curve and averages them, for two classes; here every cut point of the pooled out-of-fold
//!   scores is tried, for any number of classes.
//! * Coordinate ascent finds a local optimum for more than two classes; there is no exact method
//!   that is not exponential in K.
//! * Where the G-mean or the worst recall is 0 the search prefers fewer missed classes, then a higher mean recall, so
//!   that it does not stop on the plateau.
//!
//! # Errors
//!
//! [`StageError::NotApplicable`] for votes, where `costs` does not have a row a class and where the metric
//! has no value (no class with few training rows, say);
//! [`StageError::Failed`] without out-of-fold scores, or when they do not fit the classes. A training set of one class keeps the prior rule, with a note.
//!
//! Details: `threshold` (two classes, of the rarer class), `threshold_fold_min`,
//! `threshold_fold_max` and `threshold_fold_sd` (of thresholds tuned on one inner fold each, over
//! the folds that hold both classes), `offset[class]`, `offset_fold_sd[class]` (more classes; of offsets
//! tuned on one inner fold each and less their mean, over the folds that hold every class), `tuned_metric` and `prior_rule_metric`
//! (inner values), `rounds`.
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
//! let p = vec![0.99, 0.01, 0.98, 0.02, 0.9, 0.1, 0.85, 0.15];
//! let mut inner = OutOfFold::new(&train);
//! inner.add(&[0, 1, 2, 3], Scores::probabilities(Matrix::from_vec(4, 2, p)?)?)?;
//!
//! let entry = find(counterweight_corrections::decide::ALL, "tuned-threshold").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let (counts, calib) = (train.counts(), inner.finish()?);
//! let own = counts.prior();
//! let context = DecideContext { scores_prior: own.as_ref(), train: &counts };
//! let fitted = (entry.build)(&params)?.fit(&context, Some(&calib))?;
//! assert!(fitted.details["threshold"] > 0.1 && fitted.details["threshold"] < 0.15);
//! assert_eq!(fitted.details["tuned_metric"], 0.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! O. O. Koyejo, N. Natarajan, P. Ravikumar and I. S. Dhillon, "Consistent binary classification
//! with generalized performance metrics", Advances in Neural Information Processing Systems 27,
//! 2014. H. Narasimhan, H. Ramaswamy, A. Saha and S. Agarwal, "Consistent multiclass algorithms for
//! complex performance measures", ICML 2015.

use counterweight_core::{
    Calib, ClassCounts, DecideContext, Decision, DecisionEntry, DecisionNeeds, Details, FittedRule,
    Note, OffsetRule, RuleCaps, ScoreSize, StageError, StageResult, parameters,
};
use counterweight_metrics::Criterion;
use counterweight_numeric::cut_search::{Best, EQUAL, Rows, best_offset};

use super::{calibration_rows, prior_offsets, sd, spread};

/// Rounds of coordinate ascent. Every round gains, so this is a guard that no known data reach.
const ROUNDS: usize = 100;

parameters! {
    /// Tuned offsets, checked.
    pub struct TunedThreshold {
        criterion: ..Criterion;
    }
}

impl TunedThreshold {
    /// Tuned for this metric.
    pub fn new(criterion: impl Into<Criterion>) -> Self {
        Self::default().criterion(criterion.into())
    }
}

impl Decision for TunedThreshold {
    fn takes(&self, size: &ScoreSize) -> f64 {
        (60 * size.calib + 20 * size.classes * size.classes) as f64 + size.decided()
    }

    fn needs(&self) -> DecisionNeeds {
        DecisionNeeds {
            probabilities: true,
            calibration: true,
            ..DecisionNeeds::default()
        }
    }

    fn weighs(&self) -> bool {
        true
    }

    fn fit(&self, context: &DecideContext<'_>, calib: Option<&Calib>) -> StageResult<FittedRule> {
        let n_classes = context.train.n_classes();
        let calib = calibration_rows("tuned-threshold", calib, n_classes)?;
        self.criterion.check(n_classes)?;
        let prior = match context.scores_prior {
            Some(prior) => prior.clone(),
            None => context.train_prior()?,
        };
        let start = prior_offsets(&prior, 1.0)?;
        if start.len() != n_classes {
            return Err(StageError::Failed(format!(
                "the scores' prior has {} classes, the training rows have {n_classes}",
                start.len()
            )));
        }
        let all: Vec<usize> = (0..calib.labels().len()).collect();
        let weights = calib.labels().weights();
        let rows = Rows {
            log: calib.scores().log(),
            truth: calib.labels().ids(),
            weights: weights.as_deref(),
            rows: &all,
            ties: context.train.ties(),
        };
        let mut notes = Vec::new();
        let mut details = Details::new();
        let before = rows.confusion(&start);
        let mut offsets = start.clone();
        if before.n_present() < 2 {
            notes.push(Note::Degenerate(
                "fewer than two classes to tune on: the prior rule is kept".into(),
            ));
        } else {
            if let Err(reason) = self.criterion.value(&before, context.train) {
                return Err(StageError::NotApplicable(format!(
                    "nothing to tune for: {reason}"
                )));
            }
            let ascent = self.ascend(&rows, &start, context.train);
            if ascent.cuts == 0 {
                notes.push(Note::Remark(
                    "no finite offset changes a decision on the out-of-fold scores: the prior rule is \
                     kept"
                        .into(),
                ));
            }
            // Cuts closer than a tie cannot be told apart by the rule; what it then really decides is
            // what counts.
            let objective = |confusion| self.criterion.objective(confusion, context.train);
            let gain = objective(&rows.confusion(&ascent.offsets)) - objective(&before);
            if gain > 0.0 {
                offsets = ascent.offsets;
            }
            details.insert("rounds".into(), ascent.rounds as f64);
        }
        let metric = |offsets: &[f64]| {
            self.criterion
                .value(&rows.confusion(offsets), context.train)
        };
        for (name, value) in [
            ("tuned_metric", metric(&offsets)),
            ("prior_rule_metric", metric(&start)),
        ] {
            if let Ok(value) = value {
                details.insert(name.into(), value);
            }
        }
        for (name, &offset) in calib.labels().names().iter().zip(&offsets) {
            if offset.is_finite() {
                details.insert(format!("offset[{name}]"), offset);
            }
        }
        if n_classes == 2
            && let Some(positive) = context.train.rarest()
        {
            let other = 1 - positive;
            let threshold =
                |offsets: &[f64]| 1.0 / (1.0 + (offsets[other] - offsets[positive]).exp());
            details.insert("threshold".into(), threshold(&offsets));
            let folds = self.by_fold(&rows, calib.folds(), &start, context.train);
            details.extend(spread("threshold", &folds));
        } else {
            let sds = self.offset_sds(&rows, calib.folds(), &start, context.train);
            for (name, sd) in calib.labels().names().iter().zip(sds) {
                details.extend(sd.map(|sd| (format!("offset_fold_sd[{name}]"), sd)));
            }
        }
        Ok(FittedRule {
            rule: Box::new(OffsetRule::new(offsets, context.train)),
            details,
            notes,
        })
    }
}

struct Ascent {
    offsets: Vec<f64>,
    cuts: usize,
    rounds: usize,
}

impl TunedThreshold {
    /// Coordinate ascent from `start`. For two classes one class is moved, which is the whole
    /// search.
    fn ascend(&self, rows: &Rows<'_>, start: &[f64], train: &ClassCounts) -> Ascent {
        let movable: Vec<usize> = match train.rarest() {
            Some(positive) if start.len() == 2 => vec![positive],
            _ => (0..start.len()).collect(),
        };
        let mut ascent = Ascent {
            offsets: start.to_vec(),
            cuts: 0,
            rounds: 0,
        };
        let mut reached = self.criterion.objective(&rows.confusion(start), train);
        for _ in 0..ROUNDS {
            ascent.rounds += 1;
            let before = reached;
            for &class in movable.iter().filter(|&&class| start[class].is_finite()) {
                let best = self.best(rows, &ascent.offsets, class, start[class], train);
                ascent.cuts += best.cuts;
                if best.objective > reached + EQUAL {
                    reached = best.objective;
                    ascent.offsets[class] = best.offset;
                }
            }
            if reached <= before + EQUAL || movable.len() == 1 {
                break;
            }
        }
        ascent
    }

    fn best(
        &self,
        rows: &Rows<'_>,
        offsets: &[f64],
        class: usize,
        anchor: f64,
        train: &ClassCounts,
    ) -> Best {
        best_offset(rows, offsets, class, anchor, |confusion| {
            self.criterion.objective(confusion, train)
        })
    }

    /// The threshold that each inner fold with both classes would choose for itself.
    fn by_fold(
        &self,
        rows: &Rows<'_>,
        folds: &[usize],
        start: &[f64],
        train: &ClassCounts,
    ) -> Vec<f64> {
        let Some(positive) = train.rarest() else {
            return Vec::new();
        };
        if start.iter().any(|offset| !offset.is_finite()) {
            return Vec::new();
        }
        let mut found = Vec::new();
        for inside in of_each_fold(rows.rows, folds) {
            let part = Rows {
                rows: &inside,
                ..*rows
            };
            if part.confusion(start).n_present() == 2 {
                let best = self.best(&part, start, positive, start[positive], train);
                found.push(1.0 / (1.0 + (start[1 - positive] - best.offset).exp()));
            }
        }
        found
    }

    /// How far the offset of each class scatters when each inner fold tunes its own. A constant common
    /// to all offsets decides nothing, so their mean is taken off.
    fn offset_sds(
        &self,
        rows: &Rows<'_>,
        folds: &[usize],
        start: &[f64],
        train: &ClassCounts,
    ) -> Vec<Option<f64>> {
        let movable: Vec<usize> = (0..start.len())
            .filter(|&class| start[class].is_finite())
            .collect();
        let mut found: Vec<Vec<f64>> = vec![Vec::new(); start.len()];
        for inside in of_each_fold(rows.rows, folds) {
            let part = Rows {
                rows: &inside,
                ..*rows
            };
            if movable.len() < 2 || part.confusion(start).n_present() < movable.len() {
                continue;
            }
            let offsets = self.ascend(&part, start, train).offsets;
            let mean = movable.iter().map(|&k| offsets[k]).sum::<f64>() / movable.len() as f64;
            for &class in &movable {
                found[class].push(offsets[class] - mean);
            }
        }
        found.iter().map(|values| sd(values)).collect()
    }
}

/// The rows of each inner fold.
fn of_each_fold<'a>(
    rows: &'a [usize],
    folds: &'a [usize],
) -> impl Iterator<Item = Vec<usize>> + 'a {
    let n_folds = folds.iter().max().map_or(0, |last| last + 1);
    (0..n_folds).map(move |fold| {
        let inside = rows.iter().copied().filter(|&row| folds[row] == fold);
        inside.collect()
    })
}

/// The registry entry.
pub(crate) const ENTRY: DecisionEntry = DecisionEntry::of::<TunedThreshold>(
    "tuned-threshold",
    "offsets per class that maximise a metric on out-of-fold scores",
    "Koyejo et al. 2014; Narasimhan et al. 2015",
    RuleCaps::THRESHOLDING,
);
