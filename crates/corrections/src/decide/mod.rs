//! Decisions: from scores to classes. A rule never sees a test label; what has to be tuned is tuned
//! on out-of-fold scores of the training rows.
//!
//! A tie (see [`TIE`](counterweight_core::TIE)) goes to the class that is rarest in the whole table, of
//! equal ones the last, whatever the classes are called: for two classes `p >= t` of the rarer. A class whose prior is 0 has no training rows and is never decided.

use counterweight_core::{Calib, DecisionEntry, Prior, ScoreKind, StageError, StageResult};

pub mod argmax;
pub mod bbse;
pub mod calibrated;
pub mod cost_matrix;
pub mod drop_bias;
pub mod logit_adjust;
pub mod prior_shift;
pub mod prior_threshold;
pub mod saerens_em;
pub mod threshold;
pub mod tuned_tau;
pub mod tuned_threshold;
pub mod weight_norm;

#[cfg(test)]
mod contract;

/// Every decision, sorted by id.
pub const ALL: &[DecisionEntry] = &[
    argmax::ENTRY,
    bbse::ENTRY,
    calibrated::ENTRY,
    cost_matrix::ENTRY,
    drop_bias::ENTRY,
    logit_adjust::ENTRY,
    prior_shift::ENTRY,
    prior_threshold::ENTRY,
    saerens_em::ENTRY,
    threshold::ENTRY,
    tuned_tau::ENTRY,
    tuned_threshold::ENTRY,
    weight_norm::ENTRY,
];

/// The out-of-fold scores that the decision `id` was given, if they can be tuned on.
///
/// # Errors
/// [`StageError::Failed`] when there are none or they are of other classes;
/// [`StageError::NotApplicable`] for votes.
fn calibration_rows<'a>(
    id: &str,
    calib: Option<&'a Calib>,
    n_classes: usize,
) -> StageResult<&'a Calib> {
    let calib = calib.ok_or_else(|| {
        StageError::Failed(format!("{id} needs out-of-fold scores and was given none"))
    })?;
    let found = calib.scores().n_classes();
    if calib.scores().n_rows() > 0 && found != n_classes {
        return Err(StageError::Failed(format!(
            "the out-of-fold scores have {found} classes, the training rows have {n_classes}"
        )));
    }
    if calib.scores().kind() == ScoreKind::Vote {
        return Err(StageError::NotApplicable(
            "there is nothing to tune on votes: use a learner that gives probabilities".into(),
        ));
    }
    Ok(calib)
}

/// How far what each inner fold would choose scatters: `NAME_fold_min`, `NAME_fold_max` and
/// `NAME_fold_sd`; nothing for fewer than two folds.
fn spread(name: &str, found: &[f64]) -> Vec<(String, f64)> {
    let Some(sd) = sd(found) else {
        return Vec::new();
    };
    let least = found.iter().copied().fold(f64::INFINITY, f64::min);
    let most = found.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    vec![
        (format!("{name}_fold_min"), least),
        (format!("{name}_fold_max"), most),
        (format!("{name}_fold_sd"), sd),
    ]
}

/// The sample standard deviation; `None` for fewer than two values.
fn sd(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|t| (t - mean) * (t - mean)).sum();
    Some((squares / (n - 1.0)).sqrt())
}

/// `tau log prior` for each class, to be subtracted from the scores; positive infinity for a class
/// without prior, which is then never decided. For tau = 0 nothing is subtracted from any class.
///
/// # Errors
/// [`StageError::Failed`] when a product overflows.
fn prior_offsets(prior: &Prior, tau: f64) -> StageResult<Vec<f64>> {
    prior
        .as_slice()
        .iter()
        .map(|&p| {
            let offset = match p {
                _ if tau.abs() <= 0.0 => 0.0,
                p if p > 0.0 => tau * p.ln(),
                _ => return Ok(f64::INFINITY),
            };
            if offset.is_finite() {
                Ok(offset)
            } else {
                Err(StageError::Failed(format!(
                    "tau = {tau} times the logarithm of the prior {p} overflows; use a smaller `tau`"
                )))
            }
        })
        .collect()
}
