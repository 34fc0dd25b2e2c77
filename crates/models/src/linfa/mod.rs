//! Learners of linfa 0.8.1, as they are: their faults are checked for and named, not repaired.

use counterweight_core::{LearnerEntry, Matrix};
use ndarray::{Array2, ArrayView2};

pub mod linfa_gaussian_naive_bayes;
pub mod linfa_logistic;

/// The learners of this folder, sorted by id.
pub const ALL: &[LearnerEntry] = &[linfa_gaussian_naive_bayes::ENTRY, linfa_logistic::ENTRY];

/// The name in the capability table.
const LIBRARY: &str = "linfa 0.8.1";

/// A view that linfa takes.
fn records(x: &Matrix) -> ArrayView2<'_, f64> {
    crate::shared::linalg::view(x.rows(), x.cols(), x.as_slice())
}

/// An owned copy that linfa takes.
fn owned_records(x: &Matrix) -> Array2<f64> {
    records(x).to_owned()
}
