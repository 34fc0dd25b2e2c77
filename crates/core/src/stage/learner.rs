//! Learners, and what they fit.

use std::any::TypeId;
use std::fmt::Debug;

use super::{LossTerms, StageContext};
use crate::error::StageResult;
use crate::matrix::Matrix;
use crate::scores::Scores;
use crate::views::Train;

/// A learner: fits a model to training rows under the terms of a loss.
pub trait Learner: Debug + Send + Sync {
    /// Fits. The rows are encoded (numeric, finite) unless the learner's card takes them as they
    /// are. Terms that the card does not honour never get here: planning refuses them.
    ///
    /// # Errors
    /// Every reason for which there is no model.
    fn fit(
        &self,
        train: &Train,
        terms: &LossTerms,
        context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>>;

    /// Makes ready what fits need and no fit pays for: a program of its own that has to start. The harness asks
    /// before the time of a cell begins.
    ///
    /// # Errors
    /// Whatever keeps it from fitting.
    fn ready(&self) -> StageResult<()> {
        Ok(())
    }

    /// Which type of learner it is, for whoever looks for its card.
    fn kind(&self) -> TypeId
    where
        Self: 'static,
    {
        TypeId::of::<Self>()
    }

    /// Whether it takes rows as they are: nominal columns as codes, missing values as NaN. The harness
    /// then hands it rows that are neither encoded nor, where no resampler needed complete ones, imputed.
    fn takes_raw_rows(&self) -> bool {
        false
    }

    /// The learner of one member, for ensembles that draw the rows of each member themselves (a
    /// balanced random forest): what this one averages over, without a bootstrap of its own. A single
    /// tree is its own member; `None` for learners that are no trees.
    fn member(&self) -> Option<Box<dyn Learner>> {
        None
    }

    /// This learner with a weight for each row of the training set that it will be given, in their
    /// order, at least 0: for ensembles that boost. Weights multiply those of the loss. `None` for
    /// learners that take no row weights.
    fn weigh(&self, weights: &[f64]) -> Option<Box<dyn Learner>> {
        let _ = weights;
        None
    }
}

/// A fitted model.
pub trait Fitted: Debug + Send + Sync {
    /// Scores of rows with the training rows' columns.
    ///
    /// # Errors
    /// When the model cannot score them.
    fn scores(&self, x: &Matrix) -> StageResult<Scores>;

    /// What a linear head gives to rows, without its bias: one vector a class, of which the first is 0 where two
    /// classes share one. `None` for every other model.
    ///
    /// # Errors
    /// When the model cannot score them.
    fn linear_head(&self, x: &Matrix) -> StageResult<Option<LinearHead>> {
        let _ = x;
        Ok(None)
    }
}

/// The linear scores `w_k . x` of some rows, without bias, and how long the vectors are.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearHead {
    /// One row a row, one column a class, up to nothing: not normalised. Negative infinity for a
    /// class that the model does not know.
    pub scores: Scores,
    /// Euclidean norm of each class's vector; 0 for a class that the model does not know.
    pub norms: Vec<f64>,
}
