//! Losses: they only build the terms of the one loss kernel, for the counts at hand.
//!
//! Every loss but `weighted` with explicit weights is scaled so that the weights of the rows that
//! the learner sees sum to their number, `sum_y n_y w_y = n`: a penalty beside the sum of losses
//! then means the same under all of them.
//!
//! A class without rows is masked: weight 0, and negative infinity in its whole column of margins.
//! No row of its own exists, so its row of margins repeats that of a class with rows, which keeps
//! [`LossTerms::logit_offsets`](counterweight_core::LossTerms::logit_offsets) consistent.

use counterweight_core::{ClassCounts, LossEntry, LossTerms, Matrix, StageError, StageResult};

pub mod cross_entropy;
pub mod logit_adjusted;
pub mod weighted;

#[cfg(test)]
mod contract;

/// Every loss, sorted by id.
pub const ALL: &[LossEntry] = &[cross_entropy::ENTRY, logit_adjusted::ENTRY, weighted::ENTRY];

/// The terms of a weighted cross-entropy of `f + offsets`, with the classes absent from `seen`
/// masked. Weights and offsets of absent classes are not looked at.
///
/// # Errors
/// [`StageError::Failed`] without rows, or when a weight or a margin of a present class overflows.
fn offset_terms(seen: &ClassCounts, weights: &[f64], offsets: &[f64]) -> StageResult<LossTerms> {
    let n_classes = seen.n_classes();
    let present = |y: usize| seen.as_slice()[y] > 0;
    let Some(first) = (0..n_classes).find(|&y| present(y)) else {
        return Err(StageError::Failed(
            "no training rows to build a loss for".into(),
        ));
    };
    let mut margins = Matrix::zeros(n_classes, n_classes);
    for y in 0..n_classes {
        let own = if present(y) { y } else { first };
        for j in 0..n_classes {
            let margin = if !present(j) {
                f64::NEG_INFINITY
            } else if j == own {
                0.0
            } else {
                offsets[j] - offsets[own]
            };
            if present(j) && !margin.is_finite() {
                return Err(StageError::Failed(format!(
                    "the margin between classes {own} and {j} overflows; use a smaller `tau`"
                )));
            }
            margins.set(y, j, margin);
        }
    }
    let mut terms = LossTerms::cross_entropy(n_classes);
    for (y, weight) in terms.weights.iter_mut().enumerate() {
        *weight = if present(y) { weights[y] } else { 0.0 };
        if !weight.is_finite() || *weight < 0.0 {
            return Err(StageError::Failed(format!(
                "the weight of class {y} is {weight}; use milder parameters"
            )));
        }
    }
    terms.margins = margins;
    Ok(terms)
}

/// `weights` times the factor that makes the weights of all rows sum to their number, given as
/// logarithms so that neither the largest nor the smallest gets lost on the way. Absent classes get
/// 0.
fn scaled(seen: &ClassCounts, log_weights: &[f64]) -> Vec<f64> {
    let counts = seen.as_slice();
    let top = (0..counts.len())
        .filter(|&y| counts[y] > 0)
        .map(|y| log_weights[y])
        .fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = (0..counts.len())
        .map(|y| {
            if counts[y] > 0 {
                (log_weights[y] - top).exp()
            } else {
                0.0
            }
        })
        .collect();
    let sum: f64 = weights.iter().zip(counts).map(|(w, &n)| w * n as f64).sum();
    let factor = seen.total() as f64 / sum;
    weights.iter().map(|w| w * factor).collect()
}
