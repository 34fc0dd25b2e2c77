//! What stands beside records: reliability bins, scores of cells (`keep_scores`) and curves. One file
//! beside each segment, made when there is something for it, JSON lines likewise: a line is written
//! before the record that it belongs to, so a record in a segment has its scores, whenever the process
//! ended.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use counterweight_core::reliability::{BINS, Bin, Reliability};
use counterweight_core::{CellId, Outcome};
use serde::{Deserialize, Serialize};

use super::{SEGMENTS, StoreError};

/// Extension of these files.
pub(super) const EXTENSION: &str = "side";

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

/// Everything that some side files hold; of repeated lines the first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sides {
    /// Scores by cell.
    pub scores: BTreeMap<CellId, CellScores>,
    /// Curves by cell and curve.
    pub curves: BTreeMap<(CellId, String), CellCurve>,
    /// What leaks would claim, by claim.
    pub leaks: BTreeMap<CellId, LeakClaim>,
    /// Reliability bins by cell.
    pub reliability: BTreeMap<CellId, Arc<CellBins>>,
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

impl Sides {
    /// Adds a line unless there is one for the same thing already.
    pub fn add(&mut self, side: Side) -> bool {
        let before = self.len();
        match side {
            Side::Reliability(CellReliability { cell, bins }) => {
                // A line that refers to a cell which is not there says nothing.
                let bins = match bins {
                    Bins::Own(bins) => Some(Arc::new(bins)),
                    Bins::As(other) => self.reliability.get(&other).cloned(),
                };
                if let Some(bins) = bins {
                    self.reliability.entry(cell).or_insert(bins);
                }
            }
            Side::Scores(scores) => {
                self.scores.entry(scores.cell.clone()).or_insert(scores);
            }
            Side::Curve(curve) => {
                let key = (curve.cell.clone(), curve.curve.clone());
                self.curves.entry(key).or_insert(curve);
            }
            Side::Leak(leak) => {
                // As with records, a failure gives way to whatever a later attempt met.
                let old = self.leaks.get(&leak.claim);
                let news = old.is_none_or(|old| old.outcome.is_failure() && *old != leak);
                if news {
                    self.leaks.insert(leak.claim.clone(), leak);
                }
                return news;
            }
        }
        self.len() > before
    }

    fn len(&self) -> usize {
        self.scores.len() + self.curves.len() + self.reliability.len()
    }

    /// Every line, in the order of cells; each stands for itself.
    pub fn into_lines(self) -> impl Iterator<Item = Side> {
        let scores = self.scores.into_values().map(Side::Scores);
        let reliability = self.reliability.into_iter().map(|(cell, bins)| {
            Side::Reliability(CellReliability {
                cell,
                bins: Bins::Own(Arc::unwrap_or_clone(bins)),
            })
        });
        let curves = self.curves.into_values().map(Side::Curve);
        let leaks = self.leaks.into_values().map(Side::Leak);
        scores.chain(curves).chain(leaks).chain(reliability)
    }
}

/// The side files of a report folder, sorted by name.
///
/// # Errors
/// When the folder cannot be read.
pub fn side_files(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let folder = folder.join(SEGMENTS);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(|e| StoreError::io(&folder, e))? {
        let path = entry.map_err(|e| StoreError::io(&folder, e))?.path();
        if path.extension().is_some_and(|e| e == EXTENSION) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Reads side files. A torn last line is passed over: the record that it belongs to was not written.
///
/// # Errors
/// A line in the middle that is none, or a file that cannot be read.
pub fn read_sides(files: &[PathBuf]) -> Result<Sides, StoreError> {
    let mut sides = Sides::default();
    for path in files {
        let bytes = std::fs::read(path).map_err(|e| StoreError::io(path, e))?;
        let complete = bytes
            .iter()
            .rposition(|&b| b == b'\n')
            .map_or(0, |at| at + 1);
        let lines = (1..).zip(bytes[..complete].split(|&b| b == b'\n'));
        for (line, text) in lines.filter(|(_, text)| !text.is_empty()) {
            let side = serde_json::from_slice(text).map_err(|error| StoreError::BadLine {
                path: path.clone(),
                line,
                reason: error.to_string(),
            })?;
            sides.add(side);
        }
    }
    Ok(sides)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(cell: &str, bins: Bins) -> Side {
        Side::Reliability(CellReliability {
            cell: CellId(cell.into()),
            bins,
        })
    }

    #[test]
    fn bins_survive_their_file_and_references_are_followed() {
        let mut all = [Bin::default(); BINS];
        all[0] = Bin {
            rows: 3,
            weight: 0.1 + 0.2,
            predicted: 1.0 / 3.0,
            observed: 1e-17,
        };
        all[14] = all[0];
        let bins = CellBins {
            fitted: SparseBins::of(&all),
            corrected: Corrected::Shifted(SparseBins::of(&all)),
        };
        let mut sides = Sides::default();
        for side in [
            line("b", Bins::Own(bins.clone())),
            line("a", Bins::As(CellId("b".into()))),
            line("c", Bins::As(CellId("z".into()))),
        ] {
            let text = serde_json::to_string(&side).unwrap();
            sides.add(serde_json::from_str(&text).unwrap());
        }
        let cells: Vec<&str> = sides.reliability.keys().map(|c| c.0.as_str()).collect();
        assert_eq!(cells, ["a", "b"], "a reference to nothing is nothing");
        assert_eq!(*sides.reliability[&CellId("a".into())], bins);
        let mut back = [Bin::default(); BINS];
        sides.reliability[&CellId("a".into())]
            .fitted
            .add_to(&mut back);
        assert_eq!(back, all);
        // What is handed on stands for itself: no line refers to another.
        let mut again = Sides::default();
        for side in sides.clone().into_lines() {
            assert!(again.add(side.clone()) && !again.add(side));
        }
        assert_eq!(again, sides);
    }
}
