//! Side files: what stands beside records. One file beside each segment, made when there is something for
//! it, JSON lines with checksums likewise: a line is written before the record that it belongs to, so a record
//! in a segment has its scores, whenever the process ended. The record's line says whether it has bins, so
//! that it is noticed when those are lost.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use counterweight_core::CellId;
use counterweight_core::side_table::{
    Bins, CellBins, CellCurve, CellReliability, CellScores, LeakClaim, Side,
};

use crate::error::StoreError;
use crate::line::{Damage, Lines};
use crate::segment::{SEGMENTS, SIDE, files_in};

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
    /// Lines that cannot be read.
    pub damaged: Vec<Damage>,
    /// Last lines that were torn off by the end of a process.
    pub torn: usize,
}

impl Sides {
    /// Whether a damaged line held the bins of this cell, and no other line does.
    pub fn lost_bins(&self, cell: &CellId) -> bool {
        let mut damaged = self.damaged.iter().filter(|damage| damage.bins);
        damaged.any(|damage| damage.cells.contains(cell)) && !self.reliability.contains_key(cell)
    }

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
    files_in(&folder.join(SEGMENTS), SIDE)
}

/// Reads side files. Damaged lines and torn last ones are told, not an error.
///
/// # Errors
/// A file that cannot be read.
pub fn read_sides(files: &[PathBuf]) -> Result<Sides, StoreError> {
    let mut sides = Sides::default();
    // A line may refer to a cell whose own was damaged and is written again in a later file.
    let mut open: BTreeMap<CellId, CellId> = BTreeMap::new();
    for path in files {
        let bytes = std::fs::read(path).map_err(|e| StoreError::io(path, e))?;
        let lines = Lines::of(&bytes);
        sides.torn += usize::from(lines.torn);
        let damaged = lines.read(path, |line| {
            let side: Side = line.json()?;
            if let Side::Reliability(CellReliability {
                cell,
                bins: Bins::As(other),
            }) = &side
                && !sides.reliability.contains_key(other)
            {
                open.insert(cell.clone(), other.clone());
            }
            sides.add(side);
            Ok(())
        });
        sides.damaged.extend(damaged);
    }
    for (cell, other) in open {
        if let Some(bins) = sides.reliability.get(&other).map(Arc::clone) {
            sides.reliability.entry(cell).or_insert(bins);
        }
    }
    Ok(sides)
}

/// What JSON can hold of a line: numbers that are not finite have no place in it and are left out, as in the
/// metrics of a record.
pub(crate) fn finite(side: &Side) -> Cow<'_, Side> {
    let mut made = Cow::Borrowed(side);
    match side {
        Side::Curve(curve) => {
            let ends = curve.from.iter().zip(&curve.to);
            let kept: Vec<bool> = ends.map(|(a, b)| a.is_finite() && b.is_finite()).collect();
            if kept.contains(&false)
                && let Side::Curve(curve) = made.to_mut()
            {
                keep(&mut curve.from, &kept);
                keep(&mut curve.to, &kept);
                keep(&mut curve.points, &kept);
                for values in curve.metrics.values_mut() {
                    keep(values, &kept);
                }
            }
        }
        Side::Leak(leak) => {
            let maps = [&leak.reported, &leak.original_rows, &leak.honest];
            let mut values = maps.into_iter().flat_map(BTreeMap::values);
            if values.any(|value| !value.is_finite())
                && let Side::Leak(leak) = made.to_mut()
            {
                for map in [
                    &mut leak.reported,
                    &mut leak.original_rows,
                    &mut leak.honest,
                ] {
                    map.retain(|_, value| value.is_finite());
                }
            }
        }
        Side::Reliability(_) | Side::Scores(_) => {}
    }
    made
}

fn keep<T>(list: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    list.retain(|_| kept.next().copied().unwrap_or_default());
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
            cuts: None,
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
