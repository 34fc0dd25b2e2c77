//! Calibration slope: the factor by which logits would have to be multiplied to be right. Two
//! classes, at the metric prior.
//!
//! # When it helps, when it hurts
//! 1 is right; below 1 the model is overconfident (naive Bayes, overfitted models, oversampled
//! ones), above 1 underconfident (strong penalties, averaged trees). Shifts of the logits do not
//! move it at a given weighting of the rows, so it separates overconfidence from a wrong prior,
//! which is the business of the intercept. It has no value for models that give probabilities of 0
//! and 1.
//!
//! # Formula
//! The b that together with some a maximises `sum_i w_i (y_i log p_i + (1 - y_i) log(1 - p_i))`,
//! `p_i = 1 / (1 + exp(-(a + b z_i)))`, with `z_i` the logit of the positive class. Unpenalised; it
//! does not matter which class is the positive one.
//!
//! # Parameters
//! None.
//!
//! # Cost
//! O(n) a Newton step with a backtracking line search; about ten steps.
//!
//! # Differences
//! As the coefficient of `glm(y ~ logit, family = binomial)` in R. scikit-learn has none (its
//! `calibration_curve` is the picture to it).
//!
//! # Errors
//! No value for votes, more than two classes, unsound weights, one class only among the rows that
//! weigh something, a row with probability 0 or 1, equal logits, classes that a threshold on the
//! logit separates (the slope is then infinite; ties at the threshold included), or a likelihood
//! too flat to tell.
//!
//! # Examples
//! ```
//! use counterweight_core::{ClassCounts, Decisions, Judged, Labels, Matrix, Params, Scores, Ties};
//! // Says 1/10 and 9/10 where 1/4 and 3/4 are true: overconfident by log 3 / log 9.
//! let labels = Labels::from_texts(&["0", "0", "0", "1", "0", "1", "1", "1"]);
//! let p = [[0.9, 0.1]; 4].into_iter().chain([[0.1, 0.9]; 4]).flatten().collect();
//! let scores = Scores::probabilities(Matrix::from_vec(8, 2, p)?)?;
//! let decisions = scores.argmax(&[0.0, 0.0], &Ties::default())?;
//! let train = ClassCounts::new(vec![10, 10]);
//! let judged = Judged::new(&labels, &decisions, Some(&scores), &[1.0; 8], &train)?;
//! let entry = counterweight_core::find(counterweight_metrics::ALL, "calibration_slope").unwrap();
//! let value = (entry.build)(&Params::default()).unwrap().value(&judged).unwrap();
//! assert!((value - 0.5).abs() < 1e-12);
//! # Ok::<(), counterweight_core::CoreError>(())
//! ```
//!
//! # References
//! Cox, "Two further applications of a model for binary regression", Biometrika 45, 1958. Van
//! Calster et al., "Calibration: the Achilles heel of predictive analytics", BMC Medicine 17, 2019.

use counterweight_core::{Judged, Metric, MetricCaps, MetricEntry};

use crate::logistic;

/// The calibration slope of these test rows.
///
/// # Errors
/// Why there is none.
pub fn of(judged: &Judged<'_>) -> Result<f64, String> {
    logistic::slope(&logistic::rows(judged)?)
}

#[derive(Debug)]
struct CalibrationSlope;

impl Metric for CalibrationSlope {
    fn value(&self, judged: &Judged<'_>) -> Result<f64, String> {
        of(judged)
    }
}

pub(crate) const ENTRY: MetricEntry = MetricEntry::plain(
    "calibration_slope",
    "factor on the logits that makes them right; below 1 is overconfident",
    "Cox 1958; Van Calster et al. 2019",
    MetricCaps {
        lower_is_better: None,
        ..MetricCaps::SCORES
    },
    |_| Ok(Box::new(CalibrationSlope)),
);
