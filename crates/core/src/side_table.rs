//! What stands beside a record: reliability bins and errors at operating points, scores of cells (`keep_scores`), curves, and what leaks
//! would claim. One line of a side file each; the line is kept before the record that it belongs to, so
//! that a record that was kept has its scores.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::costs::Cuts;
use crate::outcome::Outcome;
use crate::record::CellId;
use crate::reliability::{BINS, Bin, Reliability};

/// The metrics that are kept of each side of a leak: what notebooks report, and balanced error.
pub const LEAK_METRICS: [&str; 5] = [
    "balanced_error",
    "error_rate",
    "macro_f1",
    "auroc",
    "average_precision",
];

/// The scores of one cell's test rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellScores {
    /// The cell.
    pub cell: CellId,
    /// Number of each row in the data that it comes from.
    pub rows: Vec<u64>,
    /// True class of each row.
    pub labels: Vec<u32>,
    /// Probabilities as the decision rule leaves them, under their own prior; row by row, a number a
    /// class. Votes are 0 and 1.
    pub scores: Vec<f64>,
    /// Decided class of each row.
    pub decisions: Vec<u32>,
}

/// A curve over many decisions on one fit. A stretch of parameter values that decide alike is one point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellCurve {
    /// The cell whose fit it is.
    pub cell: CellId,
    /// Id of the curve.
    pub curve: String,
    /// First value of the parameter in each stretch.
    pub from: Vec<f64>,
    /// Last value of the parameter in each stretch.
    pub to: Vec<f64>,
    /// Values of the grid in each stretch.
    pub points: Vec<u64>,
    /// Metrics by name, a number a stretch; `None` where a metric has no value.
    pub metrics: BTreeMap<String, Vec<Option<f64>>>,
}

/// What a leaky notebook would report for one model, resampler and split, and what is true of it. It is
/// no record, and nothing makes one of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeakClaim {
    /// The claim's id.
    pub claim: CellId,
    /// The gravest that happened on either side.
    pub outcome: Outcome,
    /// What a reader has to know; begins with the side, `leaky` or `honest`.
    pub reason: String,
    /// Metrics of the leaky fit on the resampled test part: what is reported.
    pub reported: BTreeMap<String, f64>,
    /// Metrics of the same fit on rows of the original data that it was not fitted on.
    pub original_rows: BTreeMap<String, f64>,
    /// Metrics of the honest protocol: split, resample the training part, original test rows.
    pub honest: BTreeMap<String, f64>,
    /// Rows that the reported metrics are over.
    pub reported_test_rows: u64,
    /// Rows of the original data among them, and those that the resampler had dropped.
    pub original_test_rows: u64,
    /// Share of the reported test rows that are a copy of, or were made from, a row that also stands in, or
    /// made a row of, the training part.
    pub linked_share: Option<f64>,
}

/// A bin with rows: its number from 0, then rows, weight, and the weighted sums of probability and
/// outcome.
type SparseBin = (usize, u64, f64, f64, f64);

/// Bins without the empty ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SparseBins(Vec<SparseBin>);

impl SparseBins {
    /// Leaves the empty bins out.
    pub fn of(bins: &Reliability) -> Self {
        let taken = bins.iter().enumerate().filter(|(_, bin)| bin.rows > 0);
        let sparse =
            |(at, bin): (usize, &Bin)| (at, bin.rows, bin.weight, bin.predicted, bin.observed);
        Self(taken.map(sparse).collect())
    }

    /// Adds them to all bins; a number that is no bin is passed over.
    pub fn add_to(&self, bins: &mut Reliability) {
        for &(at, rows, weight, predicted, observed) in &self.0 {
            if let Some(bin) = bins.get_mut(at).filter(|_| at < BINS) {
                bin.add(&Bin {
                    rows,
                    weight,
                    predicted,
                    observed,
                });
            }
        }
    }
}

/// What the prior shift to the metric prior makes of a cell's probabilities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Corrected {
    /// The scores have no prior that could be named, so there is nothing to shift from.
    Unnamed,
    /// The scores' own prior is the metric prior already: the bins are those as fitted.
    Same,
    /// The bins after the shift.
    Shifted(SparseBins),
}

/// Reliability bins of a cell's probabilities, as fitted and after the prior shift.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellBins {
    /// Bins of the probabilities as the decision rule leaves them, under their own prior.
    pub fitted: SparseBins,
    /// Bins after the shift from their own prior to the metric prior.
    pub corrected: Corrected,
    /// Errors at each operating point, the probabilities brought to equal priors where they have one that can
    /// be named; of two classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cuts: Option<Cuts>,
}

/// The reliability bins of a cell, or the cell of the same fit that has the same ones: a dozen
/// decisions on one fit share their probabilities, and the bins are most of a side file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bins {
    /// Its own.
    Own(CellBins),
    /// Those of a cell whose line stands before in the same file.
    As(CellId),
}

/// The reliability line of one cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellReliability {
    /// The cell.
    pub cell: CellId,
    /// Its bins.
    pub bins: Bins,
}

/// A line of a side file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Reliability bins of a cell.
    Reliability(CellReliability),
    /// Scores of a cell.
    Scores(CellScores),
    /// A curve.
    Curve(CellCurve),
    /// What a leak would claim.
    Leak(LeakClaim),
}

impl Side {
    /// The cell, or the claim, that the line belongs to.
    pub fn cell(&self) -> &CellId {
        match self {
            Self::Reliability(reliability) => &reliability.cell,
            Self::Scores(scores) => &scores.cell,
            Self::Curve(curve) => &curve.cell,
            Self::Leak(leak) => &leak.claim,
        }
    }
}
