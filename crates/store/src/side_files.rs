//! Side files: what stands beside records. One file beside each segment, made when there is something for
//! it, JSON lines likewise: a line is written before the record that it belongs to, so a record in a segment
//! has its scores, whenever the process ended.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use counterweight_core::CellId;
use counterweight_core::side_table::{
    Bins, CellBins, CellCurve, CellReliability, CellScores, LeakClaim, Side,
};

use crate::error::StoreError;
use crate::segment::{SEGMENTS, SIDE};

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
        if path.extension().is_some_and(|e| e == SIDE) {
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
    use counterweight_core::reliability::{BINS, Bin};
    use counterweight_core::side_table::{Corrected, SparseBins};

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
