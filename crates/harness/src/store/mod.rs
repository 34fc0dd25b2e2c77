//! The store: append-only segments while a sweep runs, joined to one list of records afterwards.

mod join;
mod segment;
mod side;

use std::path::{Path, PathBuf};

use thiserror::Error;

pub use join::{Joined, join};
pub use segment::{Entry, Header, SegmentWriter, read_segment};
pub use side::{
    Bins, CellBins, CellCurve, CellReliability, CellScores, Corrected, LeakClaim, Side, Sides,
    SparseBins, read_sides, side_files,
};

/// Folder of the segments inside a report folder.
pub const SEGMENTS: &str = "segments";

/// What can be wrong with a store.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A line that is neither a record nor a torn end.
    #[error("{path}:{line}: not a record: {reason}")]
    BadLine {
        /// Which file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// Why.
        reason: String,
    },
    /// A segment of a later format.
    #[error("{path}: segment format {found} is not known to this version")]
    Format {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: u64,
    },
    /// One cell with two results.
    #[error("cell {cell} has two results: {first} and {second} disagree in {field}")]
    Conflict {
        /// Which cell.
        cell: String,
        /// Where the first came from.
        first: String,
        /// Where the second came from.
        second: String,
        /// What differs.
        field: String,
    },
}

impl StoreError {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            path: path.to_path_buf(),
            source,
        }
    }
}

/// The segment files of a report folder, sorted by name; none when there is no segment folder.
///
/// # Errors
/// When the folder cannot be read.
pub fn segment_files(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let folder = folder.join(SEGMENTS);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(|e| StoreError::io(&folder, e))? {
        let path = entry.map_err(|e| StoreError::io(&folder, e))?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
