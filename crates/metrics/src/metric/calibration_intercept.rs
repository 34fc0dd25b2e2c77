//! Calibration intercept (calibration in the large): by how much all logits would have to be
//! shifted for the predicted share of positives to be the true one. Two classes, at the metric
//! prior.
//!
//! # When it helps, when it hurts
//! 0 is right; above 0 the model predicts the positive class too rarely. It shows what resampling,
//! class weights and logit-adjusted losses do to probabilities: after balancing it is about the log
//! of the imbalance ratio (in `calibration_intercept_raw`), and about 0 once the scores are mapped
//! back to the prior. It says nothing about single rows: a constant prediction of the prior has
//! intercept 0.
//!
//! # Formula
//! The a that maximises `sum_i w_i (y_i log p_i + (1 - y_i) log(1 - p_i))`, `p_i = 1 / (1 +
//! exp(-(z_i + a)))`, with `z_i` the logit of the positive class: the rarer class of the training
//! rows (a tie: that of the whole table). The slope is fixed at 1. In nats; neither end is better.
//!
//! # Parameters
//! None.
//!
//! # Cost
//! O(n) a step of a Newton iteration kept inside a bracket; about ten steps.
//!
//! # Differences
//! As `glm(y ~ 1, offset = logit, family = binomial)` in R. scikit-learn has none.
//!
//! # Errors
//! No value for votes, more than two classes, unsound weights, one class only among the rows that
//! weigh something, a row with probability 0 or 1 (the likelihood is 0 or blind to it), or
//! probabilities so close to 0 and 1 that the likelihood is flat (mean p (1 - p) below 1e-10).
//!
//! # Examples
//! ```
//! use counterweight_core::{ClassCounts, Decisions, Judged, Labels, Matrix, Scores};
//! // Predicts 1/2 for everybody where 1 of 4 is positive: log(1/3) too high.
//! let labels = Labels::from_texts(&["0", "0", "0", "1"]);
//! let scores = Scores::probabilities(Matrix::from_vec(4, 2, vec![0.5; 8])?)?;
//! let decisions = Decisions::new(vec![0; 4]);
//! let train = ClassCounts::new(vec![30, 10]);
//! let judged = Judged::new(&labels, &decisions, Some(&scores), &[1.0; 4], &train)?;
//! let value = counterweight_metrics::calibration_intercept::of(&judged).unwrap();
//! assert!((value - (1.0_f64 / 3.0).ln()).abs() < 1e-12);
//! # Ok::<(), counterweight_core::CoreError>(())
//! ```
//!
//! # References
//! Cox, "Two further applications of a model for binary regression", Biometrika 45, 1958. Van
//! Calster et al., "Calibration: the Achilles heel of predictive analytics", BMC Medicine 17, 2019.

use counterweight_core::{Judged, Metric, MetricCaps, MetricEntry};

use crate::logistic;

/// The calibration intercept of these test rows.
///
/// # Errors
/// Why there is none.
pub fn of(judged: &Judged<'_>) -> Result<f64, String> {
    logistic::intercept(&logistic::rows(judged)?)
}

#[derive(Debug)]
struct CalibrationIntercept;

impl Metric for CalibrationIntercept {
    fn value(&self, judged: &Judged<'_>) -> Result<f64, String> {
        of(judged)
    }
}

pub(crate) const ENTRY: MetricEntry = MetricEntry::plain(
    "calibration_intercept",
    "shift of all logits that makes the predicted share of positives right",
    "Cox 1958; Van Calster et al. 2019",
    MetricCaps {
        lower_is_better: None,
        ..MetricCaps::SCORES
    },
    |_| Ok(Box::new(CalibrationIntercept)),
);
