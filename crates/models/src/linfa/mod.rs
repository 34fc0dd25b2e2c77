//! Learners of linfa 0.8.1, as they are: their faults are checked for and named, not repaired.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ::linfa::Dataset;
use counterweight_core::{LearnerEntry, Matrix, StageError, StageResult};
use ndarray::{Array2, ArrayView2, Ix1};

use crate::shared::task::Task;

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

/// The rows of a task as linfa takes them, with their renumbered classes.
fn dataset(task: &Task<'_>) -> Dataset<f64, usize, Ix1> {
    let y = task.y.iter().map(|&class| class as usize).collect();
    Dataset::new(records(&task.x).to_owned(), y)
}

/// Runs a fit of the library, whose panics end here.
fn caught<T, E: std::error::Error>(
    fit: impl FnOnce() -> Result<T, E>,
) -> StageResult<Result<T, E>> {
    catch_unwind(AssertUnwindSafe(fit)).map_err(|_panic| {
        StageError::Failed(
            "linfa: the library panicked inside the fit; standardise the features".into(),
        )
    })
}
