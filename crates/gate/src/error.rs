//! What can go wrong between records and a verdict.

use thiserror::Error;

/// Why there is no verdict, or no output of one.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GateError {
    /// A statistic could not be computed on input that should have allowed it.
    #[error("statistics of the gate: {0}")]
    Stats(#[from] counterweight_stats::StatsError),
    /// A figure could not be drawn.
    #[error("figure `{figure}`: {source}")]
    Figure {
        /// The figure.
        figure: String,
        /// What the drawing says.
        source: counterweight_plots::PlotError,
    },
    /// JSON could not be written.
    #[error("cannot write the gate's result as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Result of this crate.
pub type Result<T, E = GateError> = std::result::Result<T, E>;
