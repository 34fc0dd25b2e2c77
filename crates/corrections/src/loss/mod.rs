//! Losses: they only build the terms of the one loss kernel, for the counts at hand.
//!
//! Every loss without explicit weights is scaled so that the weights of the rows that the learner
//! sees sum to their number, `sum_y n_y w_y = n`: a penalty beside the sum of losses then means the
//! same under all of them.
//!
//! Scores have a prior of their own only under the losses that are a weighted cross-entropy of
//! `f + o` (`cross-entropy`, `weighted`, `logit-adjusted`, `pairwise-margin`, and `bias-init`). The
//! others have another link: their optimum is no shift of the log posterior, so that a decision that
//! starts from the scores' own prior is not applicable to them.
//!
//! Two classes have one score in all learners of this project, the log-odds of the second class. The
//! terms say the same there, but multiplicative factors act in the binary form of Kini et al.: on the
//! margin of a row's own class, `log(1 + exp(A[y][1 - y] - D_y (+-1) s))`.
//!
//! A class without rows is masked: weight 0, and negative infinity in its whole column of margins.
//! No row of its own exists, so its row of margins repeats that of a class with rows, which keeps
//! [`LossTerms::logit_offsets`](counterweight_core::LossTerms::logit_offsets) consistent.

use counterweight_core::{
    ClassCounts, LossEntry, LossTerms, Matrix, Prior, StageError, StageResult,
};

pub mod adaptive;
pub mod batch_prior;
pub mod bias_init;
pub mod cdt;
mod class_weights;
pub mod cross_entropy;
pub mod deferred;
pub mod equalised;
pub mod focal;
pub mod ldam;
pub mod logit_adjusted;
pub mod pairwise_margin;
pub mod vs;
pub mod weighted;

#[cfg(test)]
mod contract;

/// Every loss, sorted by id.
pub const ALL: &[LossEntry] = &[
    adaptive::ENTRY,
    batch_prior::ENTRY,
    bias_init::ENTRY,
    cdt::ENTRY,
    cross_entropy::ENTRY,
    deferred::ENTRY,
    equalised::ENTRY,
    focal::ENTRY,
    ldam::ENTRY,
    logit_adjusted::ENTRY,
    pairwise_margin::ENTRY,
    vs::ENTRY,
    weighted::ENTRY,
];

/// The terms of a weighted cross-entropy of `f + offsets`, with the classes absent from `seen`
/// masked. Weights and offsets of absent classes are not looked at.
///
/// # Errors
/// [`StageError::Failed`] without rows, or when a weight or a margin of a present class overflows.
pub(crate) fn offset_terms(
    seen: &ClassCounts,
    weights: &[f64],
    offsets: &[f64],
) -> StageResult<LossTerms> {
    margin_terms(seen, weights, |y, j| offsets[j] - offsets[y])
}

/// The terms with these weights and the margin `margin(y, j)` between each two classes that have rows,
/// with the classes absent from `seen` masked. Weights and margins of absent classes are not looked at.
///
/// # Errors
/// As [`offset_terms`].
fn margin_terms(
    seen: &ClassCounts,
    weights: &[f64],
    margin: impl Fn(usize, usize) -> f64,
) -> StageResult<LossTerms> {
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
                margin(own, j)
            };
            if present(j) && !margin.is_finite() {
                return Err(StageError::Failed(format!(
                    "the margin between classes {own} and {j} overflows; use milder parameters"
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
    let masses = seen.masses();
    let sum: f64 = weights.iter().zip(&masses).map(|(w, n)| w * n).sum();
    let factor = seen.total() as f64 / sum;
    weights.iter().map(|w| w * factor).collect()
}

/// Logarithms of `prior + epsilon`; 0 for classes absent from `seen`, which are masked anyway.
///
/// # Errors
/// [`StageError::Failed`] for a class that has rows but no prior.
fn log_prior(prior: &Prior, seen: &ClassCounts, epsilon: f64) -> StageResult<Vec<f64>> {
    let mut logs = Vec::with_capacity(seen.n_classes());
    for (class, (&p, &rows)) in prior.as_slice().iter().zip(seen.as_slice()).enumerate() {
        let log = if rows > 0 { (p + epsilon).ln() } else { 0.0 };
        if !log.is_finite() {
            return Err(StageError::Failed(format!(
                "class {class} has {rows} rows but a prior of {p}; use another `prior`"
            )));
        }
        logs.push(log);
    }
    Ok(logs)
}

/// `(n_y / n_max)^power` for every class, by what its rows weigh; 1 for absent ones, which no row or denominator reads.
fn count_factors(seen: &ClassCounts, power: f64) -> StageResult<Vec<f64>> {
    let masses = seen.masses();
    let largest = masses.iter().copied().fold(0.0, f64::max);
    let factors: Vec<f64> = masses
        .iter()
        .map(|mass| {
            if *mass > 0.0 {
                (mass / largest).powf(power)
            } else {
                1.0
            }
        })
        .collect();
    match factors.iter().find(|d| !(d.is_finite() && **d > 0.0)) {
        Some(odd) => Err(StageError::Failed(format!(
            "a factor of the scores is {odd}; use a smaller `gamma`"
        ))),
        None => Ok(factors),
    }
}
