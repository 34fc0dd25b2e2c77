//! The record of one cell: what was run, and what came out. No times in it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::name::{Name, Numbers};
use crate::outcome::Outcome;
use crate::stages::Stages;

/// A cell's id: 16 hexadecimal digits of the hash of everything that decides its result.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CellId(pub String);

impl std::fmt::Display for CellId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// One row of records.parquet. Field meanings are the contract's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Hash of everything that decides the result.
    pub cell: CellId,
    /// Id of the dataset or population.
    pub dataset: Name,
    /// `synthetic` or `real`.
    pub source: Name,
    /// Training rows, before resampling.
    pub n_train: u64,
    /// Test rows.
    pub n_test: u64,
    /// Feature columns before encoding.
    pub n_features: u64,
    /// Classes.
    pub n_classes: u64,
    /// `natural`, `step` or `exponential`.
    pub profile: Name,
    /// The ratio that was asked for; `None` for natural data.
    pub requested_ratio: Option<f64>,
    /// Largest over smallest class count of the training rows.
    pub imbalance_ratio: Option<f64>,
    /// Smallest class count of the training rows.
    pub minority_count: u64,
    /// From 0.
    pub repeat: u64,
    /// From 0.
    pub fold: u64,
    /// Id of the model entry.
    pub model: Name,
    /// `key=value` sorted, joined by `;`.
    pub model_params: Name,
    /// Id of the correction.
    pub correction: Name,
    /// What kind of correction.
    pub family: Name,
    /// The resampling stage with its parameters, or `none`.
    pub resample: Name,
    /// The loss stage with its parameters, or `cross-entropy`.
    pub loss: Name,
    /// The decision stage with its parameters, or `argmax`.
    pub decide: Name,
    /// What became of the cell.
    pub outcome: Outcome,
    /// Why, and which metrics have no value; empty when there is nothing to say.
    pub reason: Name,
    /// Metrics by id; one without a value is absent.
    pub metrics: Numbers,
    /// Bayes-optimal balanced error of the very test rows (populations only).
    pub bayes_balanced_error: Option<f64>,
    /// Recall of each class, in class order; `None` where the test rows lack the class.
    pub recalls: Vec<Option<f64>>,
    /// Test rows of each class, in class order.
    pub test_counts: Vec<u64>,
    /// Training rows of each class before resampling, in class order.
    pub train_counts: Vec<u64>,
    /// Numbers for details.parquet.
    pub details: Numbers,
    /// What the cell is made of, as values: what the texts are rendered from. Which parameters count as
    /// varied is a matter of the sweep and not of the cell, so a segment has none, and whoever makes a table
    /// of a plan's cells takes them from the plan.
    #[serde(skip)]
    pub stages: Arc<Stages>,
}

impl Record {
    /// The balanced error, when the cell has one.
    pub fn balanced_error(&self) -> Option<f64> {
        self.metrics.get("balanced_error").copied()
    }

    /// Balanced error minus the Bayes-optimal one of the same test rows; may be negative.
    pub fn regret(&self) -> Option<f64> {
        Some(self.balanced_error()? - self.bayes_balanced_error?)
    }
}

/// How long the stages of a cell took, kept apart from records so that these stay reproducible.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// The cell.
    pub cell: CellId,
    /// Seconds of resampling; shared by all cells of the same resampled set.
    pub resample_seconds: f64,
    /// Seconds of fitting; shared by all decisions on the same fit.
    pub fit_seconds: f64,
    /// Seconds of scoring test rows; shared likewise.
    pub score_seconds: f64,
    /// Seconds of cross-fitting; shared likewise, 0 when the decision needs none.
    pub crossfit_seconds: f64,
    /// Seconds of fitting and applying the decision rule and computing metrics.
    pub decide_seconds: f64,
}

/// A cell's record and how long it took: a line of a segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// The record.
    pub record: Record,
    /// How long it took.
    pub timing: Timing,
}
