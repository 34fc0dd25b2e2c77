//! Learners of smartcore 0.7.0, as they are: no weights, hard votes.

use std::fmt::Debug;

use ::smartcore::api::Predictor;
use ::smartcore::linalg::basic::matrix::DenseMatrix;
use counterweight_core::{Fitted, LearnerEntry, Matrix, Scores, StageError, StageResult};

use crate::shared::task::{Shape, Task};

pub mod smartcore_decision_tree;
pub mod smartcore_gaussian_naive_bayes;
pub mod smartcore_k_nearest_neighbours;
pub mod smartcore_logistic;
pub mod smartcore_random_forest;
pub mod smartcore_svc;

/// The learners of this folder, sorted by id.
pub const ALL: &[LearnerEntry] = &[
    smartcore_decision_tree::ENTRY,
    smartcore_gaussian_naive_bayes::ENTRY,
    smartcore_k_nearest_neighbours::ENTRY,
    smartcore_logistic::ENTRY,
    smartcore_random_forest::ENTRY,
    smartcore_svc::ENTRY,
];

/// The name in the capability table.
const LIBRARY: &str = "smartcore 0.7.0";

/// The matrix that smartcore takes, stored by columns because its trees walk along columns.
fn dense(x: &Matrix) -> StageResult<DenseMatrix<f64>> {
    let mut values = Vec::with_capacity(x.rows() * x.cols());
    for j in 0..x.cols() {
        values.extend((0..x.rows()).map(|i| x.at(i, j)));
    }
    DenseMatrix::new(x.rows(), x.cols(), values, true).map_err(|e| failed(&e))
}

/// A foreign error as ours.
fn failed(error: &::smartcore::error::Failed) -> StageError {
    StageError::Failed(format!("smartcore: {error}"))
}

/// A fit of the library that votes.
#[derive(Debug)]
struct Voter<P> {
    predictor: P,
    shape: Shape,
}

impl<P> Voter<P> {
    /// What the library made of `task`.
    fn new(predictor: P, task: &Task<'_>) -> Self {
        Self {
            predictor,
            shape: task.shape(),
        }
    }
}

impl<P> Fitted for Voter<P>
where
    P: Predictor<DenseMatrix<f64>, Vec<u32>> + Debug + Send + Sync,
{
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        self.shape.check(x)?;
        // The library takes no empty matrix.
        let found = if x.rows() == 0 {
            Vec::new()
        } else {
            self.predictor.predict(&dense(x)?).map_err(|e| failed(&e))?
        };
        let found = found.into_iter().map(|vote| vote as usize);
        self.shape.votes("smartcore", found)
    }
}
