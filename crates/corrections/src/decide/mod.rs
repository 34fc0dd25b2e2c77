//! Decisions: from scores to classes. A rule never sees a test label; what has to be tuned is tuned
//! on out-of-fold scores of the training rows.
//!
//! A tie goes to the lowest class (see [`TIE`](counterweight_core::TIE)), also where a rule says
//! "at least". A class whose prior is 0 has no training rows and is never decided.

use counterweight_core::{DecisionEntry, Prior, StageError, StageResult};

pub mod argmax;
pub mod criterion;
pub mod logit_adjust;
pub mod prior_threshold;
pub mod sweep;
pub mod threshold;
pub mod tuned_threshold;

#[cfg(test)]
mod contract;

/// Every decision, sorted by id.
pub const ALL: &[DecisionEntry] = &[
    argmax::ENTRY,
    logit_adjust::ENTRY,
    prior_threshold::ENTRY,
    threshold::ENTRY,
    tuned_threshold::ENTRY,
];

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
