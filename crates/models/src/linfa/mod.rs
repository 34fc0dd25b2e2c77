//! Learners of linfa 0.8.1, as they are: their faults are checked for and named, not repaired.

use counterweight_core::{LearnerEntry, Matrix, Scores, StageError, StageResult};
use ndarray::{Array2, ArrayView2};

pub mod linfa_adaboost;
pub mod linfa_decision_tree;
pub mod linfa_gaussian_naive_bayes;
pub mod linfa_logistic;
pub mod linfa_random_forest;
pub mod linfa_svm;

/// The learners of this folder, sorted by id.
pub const ALL: &[LearnerEntry] = &[
    linfa_adaboost::ENTRY,
    linfa_decision_tree::ENTRY,
    linfa_gaussian_naive_bayes::ENTRY,
    linfa_logistic::ENTRY,
    linfa_random_forest::ENTRY,
    linfa_svm::ENTRY,
];

/// The name in the capability table.
const LIBRARY: &str = "linfa 0.8.1";

/// A view that linfa takes.
fn records(x: &Matrix) -> ArrayView2<'_, f64> {
    crate::shared::views::view(x.rows(), x.cols(), x.as_slice())
}

/// An owned copy that linfa takes.
fn owned_records(x: &Matrix) -> Array2<f64> {
    records(x).to_owned()
}

/// A foreign error as ours.
fn failed(error: &dyn std::error::Error) -> StageError {
    StageError::Failed(format!("linfa: {error}"))
}

/// A panic of the library, caught before it leaves the stage.
fn panicked() -> StageError {
    StageError::Failed(
        "linfa: the library panicked inside the fit; standardise the features".into(),
    )
}

/// Votes for renumbered classes, as scores over all classes.
fn votes(
    votes: impl Iterator<Item = usize>,
    present: &[usize],
    n_classes: usize,
) -> StageResult<Scores> {
    let class = |vote: usize| present.get(vote).and_then(|&k| u32::try_from(k).ok());
    let classes: Option<Vec<u32>> = votes.map(class).collect();
    let classes = classes.ok_or_else(|| StageError::Failed("linfa: a vote for no class".into()))?;
    Ok(Scores::votes(&classes, n_classes)?)
}
