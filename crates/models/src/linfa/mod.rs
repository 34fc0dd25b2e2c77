//! Learners of linfa 0.8.1, as they are: their faults are checked for and named, not repaired.

use counterweight_core::{LearnerEntry, Matrix, StageError};
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
