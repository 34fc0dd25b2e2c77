//! What can go wrong between records and a report.

use counterweight_core::CoreError;
use thiserror::Error;

/// Why there is no table or no report.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A result table refused a column.
    #[error("cannot build table `{table}`: {source}")]
    Table {
        /// The table.
        table: String,
        /// What the table says.
        source: CoreError,
    },
    /// Two records of one cell of the design.
    #[error("cells {cells} are both {place}")]
    Twice {
        /// Ids of both.
        cells: String,
        /// Dataset, model, correction, repeat and fold of both.
        place: String,
    },
    /// A statistic could not be computed on input that should have allowed it.
    #[error("statistics of {what}: {source}")]
    Stats {
        /// Of what.
        what: String,
        /// What the statistics say.
        source: counterweight_stats::StatsError,
    },
    /// A figure could not be drawn.
    #[error("figure `{figure}`: {reason}")]
    Figure {
        /// The figure.
        figure: String,
        /// What the drawing says.
        reason: String,
    },
    /// JSON could not be written.
    #[error("ranking.json: {0}")]
    Json(#[from] serde_json::Error),
}

/// Result of this crate.
pub type Result<T, E = ReportError> = std::result::Result<T, E>;
