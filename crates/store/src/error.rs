//! What can be wrong with a store and with its tables.

use std::path::{Path, PathBuf};

use counterweight_core::CoreError;
use thiserror::Error;

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

/// Why records are no table, or a table holds no records.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TableError {
    /// A table refused a column.
    #[error("cannot build table `{table}`: {source}")]
    Build {
        /// The table.
        table: &'static str,
        /// What the table says.
        source: CoreError,
    },
    /// A table read back lacks a column, or the column is of another type.
    #[error("table `{table}`: {reason} in column `{column}`")]
    Column {
        /// The table.
        table: &'static str,
        /// The column.
        column: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A cell of a table read back does not say what its column holds.
    #[error("table `{table}`, row {row}, column `{column}`: `{value}` is not {expected}")]
    Cell {
        /// The table.
        table: &'static str,
        /// Row, from 0.
        row: usize,
        /// The column.
        column: String,
        /// What stands there.
        value: String,
        /// What should.
        expected: &'static str,
    },
}
