//! The stages of a cell as traits, and what they are handed.
//!
//! A stage is built from checked [`Params`](crate::Params) by its catalogue entry, holds no state
//! between calls, and is deterministic given its [`StageContext`].

use std::fmt::Debug;

use crate::ensemble::Base;
use crate::error::StageResult;
use crate::matrix::Matrix;
use crate::seed::Stream;
use crate::views::{ColumnKind, Train};

mod context;
mod decision;
mod learner;
pub mod limit;
mod loss;
mod metric;

pub use context::{Details, Shared, SmallClass, StageContext};
pub use decision::{
    DecideContext, Decided, Decision, DecisionNeeds, Extras, FittedRule, OffsetLine, OffsetRule,
    Rescored, Rule, ScoreSize, ScoredRows,
};
pub use learner::{Fitted, Learner, LinearHead};
pub use limit::Deadline;
pub use loss::{Later, Loss, LossContext, LossNeeds, LossTerms};
pub use metric::{Judged, Metric};

/// Changes the training rows: adds, drops or makes some.
pub trait Resampler: Debug + Send + Sync {
    /// The resampled training rows, with their origins. Nominal columns are still codes.
    ///
    /// # Errors
    /// Every reason for which there is no resampled set.
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train>;

    /// The kind of learner that it wants to be handed, see [`Catalogue::resample`](crate::Catalogue::resample).
    fn asks_for(&self) -> Option<&'static str> {
        None
    }

    /// As [`resample`](Self::resample), by the learner that it asks for.
    ///
    /// # Errors
    /// As there.
    fn resample_by(
        &self,
        _base: &Base<'_>,
        train: &Train,
        context: &mut StageContext<'_>,
    ) -> StageResult<Train> {
        self.resample(train, context)
    }
}

/// A component of a mixture of normals on the line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormalPart {
    /// Its share.
    pub weight: f64,
    /// Its mean.
    pub mean: f64,
    /// Its standard deviation, at least 0.
    pub sd: f64,
}

/// A synthetic population with a known density.
pub trait Population: Debug + Send + Sync {
    /// Number of classes.
    fn n_classes(&self) -> usize;

    /// Number of features.
    fn n_features(&self) -> usize;

    /// Draws `n` rows of `class`, one after another, so that fewer rows from the same stream are a
    /// prefix of more.
    fn sample(&self, class: usize, n: usize, stream: &mut Stream) -> Matrix;

    /// log p(x | class).
    fn log_density(&self, class: usize, x: &[f64]) -> f64;

    /// What each feature holds; a nominal one holds codes.
    fn kinds(&self) -> Vec<ColumnKind> {
        vec![ColumnKind::Numeric; self.n_features()]
    }

    /// Mean and covariance (row by row) of the features of `class`, codes being numbers; `None` where they do not
    /// exist.
    fn moments(&self, class: usize) -> Option<(Vec<f64>, Vec<f64>)>;

    /// The law of `direction . x` for x of `class`, where it is a mixture of normals: what a linear rule gets right
    /// then has a closed form. `None` for every other law.
    fn projection(&self, class: usize, direction: &[f64]) -> Option<Vec<NormalPart>> {
        let _ = (class, direction);
        None
    }

    /// The least balanced error that any rule can have, to 1e-10; `None` where it is no integral over one variable.
    fn bayes_error(&self) -> Option<f64> {
        None
    }

    /// The probability that a training row of `class` carries the label of another class, drawn evenly. Test rows
    /// keep their labels.
    fn label_noise(&self, class: usize) -> f64 {
        let _ = class;
        0.0
    }
}
