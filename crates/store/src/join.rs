//! Joins segments: same cell and same values are one record, other values an error that names both.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use counterweight_core::{CellId, Finished, Record};

use crate::error::StoreError;
use crate::line::Damage;
use crate::segment::{Header, read_sound};

/// Values of one cell from two kinds of CPU may differ by this much, relative to 1.
const AGREE: f64 = 1e-9;

/// Everything that some segments hold.
#[derive(Clone, Debug, Default)]
pub struct Joined {
    /// One entry a cell.
    pub entries: BTreeMap<CellId, Finished>,
    /// Cells whose reliability bins stand beside their segment.
    pub binned: BTreeSet<CellId>,
    /// Lines that cannot be read.
    pub damaged: Vec<Damage>,
    /// Lines torn off by the end of a process.
    pub torn: usize,
    /// Records that stood in more than one place with the same values.
    pub repeated: usize,
    /// Records that stood in more than one place with values within 1e-9, from other CPU features.
    pub rounded: usize,
    /// Header of each segment that has one, with its number of records.
    pub segments: Vec<(PathBuf, Header, usize)>,
    origins: BTreeMap<CellId, String>,
}

/// Joins the segments `files`, in that order. A record that is not `sound` counts as damaged.
///
/// # Errors
/// Unreadable segments, and cells with two results.
pub fn join(files: &[PathBuf], sound: &dyn Fn(&Record) -> bool) -> Result<Joined, StoreError> {
    let mut joined = Joined::default();
    for file in files {
        let segment = read_sound(file, sound)?;
        joined.torn += usize::from(segment.torn);
        joined.damaged.extend(segment.damaged);
        joined.binned.extend(segment.binned);
        let count = segment.entries.len();
        for entry in segment.entries {
            joined.add(entry, &file.display().to_string())?;
        }
        if let Some(header) = segment.header {
            joined.segments.push((file.clone(), header, count));
        }
    }
    Ok(joined)
}

impl Joined {
    /// Adds an entry that came from `origin`.
    ///
    /// A failure gives way to a value: `--retry-failed` runs such cells again.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the cell has another result already.
    pub fn add(&mut self, mut entry: Finished, origin: &str) -> Result<(), StoreError> {
        // Those of a table are of the sweep that wrote it.
        entry.record.stages = Arc::default();
        let cell = entry.record.cell.clone();
        let Some(old) = self.entries.get(&cell) else {
            self.origins.insert(cell.clone(), origin.to_owned());
            self.entries.insert(cell, entry);
            return Ok(());
        };
        let (was, is) = (
            old.record.outcome.is_failure(),
            entry.record.outcome.is_failure(),
        );
        if was {
            // The later of two failures stands: it is what the newest attempt met.
            self.origins.insert(cell.clone(), origin.to_owned());
            self.entries.insert(cell, entry);
        } else if is || old.record == entry.record {
            self.repeated += 1;
        } else {
            match difference(&old.record, &entry.record) {
                None => self.rounded += 1,
                Some(field) => {
                    let first = self.origins.get(&cell).cloned().unwrap_or_default();
                    return Err(StoreError::Conflict {
                        cell: cell.0,
                        first,
                        second: origin.to_owned(),
                        field,
                    });
                }
            }
        }
        Ok(())
    }
}

/// The first field in which two records differ by more than rounding.
fn difference(a: &Record, b: &Record) -> Option<String> {
    let close = |x: f64, y: f64| (x - y).abs() <= AGREE * x.abs().max(y.abs()).max(1.0);
    let maps = [
        ("", &a.metrics, &b.metrics),
        ("details.", &a.details, &b.details),
    ];
    for (prefix, left, right) in maps {
        if left.len() != right.len() {
            return Some(format!("{prefix}metrics present"));
        }
        for ((key, x), (other, y)) in left.iter().zip(right) {
            if key != other || !close(*x, *y) {
                return Some(format!("{prefix}{key}"));
            }
        }
    }
    let mut rounded = b.clone();
    rounded.metrics.clone_from(&a.metrics);
    rounded.details.clone_from(&a.details);
    let bayes = match (a.bayes_balanced_error, b.bayes_balanced_error) {
        (Some(x), Some(y)) => close(x, y),
        (x, y) => x == y,
    };
    rounded.bayes_balanced_error = a.bayes_balanced_error;
    if !bayes {
        Some("bayes_balanced_error".into())
    } else if rounded == *a {
        None
    } else if a.outcome == b.outcome {
        Some("its other columns".into())
    } else {
        Some("outcome".into())
    }
}
