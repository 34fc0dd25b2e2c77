//! What the gate says: to a reader at a terminal, to programs, to a CI server, and to whoever looks up
//! the ranking in the repository.

mod figure;
mod github;
mod junit;
mod ranking;
mod text;

pub use figure::rank_figures;
pub use github::{ANNOTATIONS, SUMMARY_BYTES, annotations, summary};
pub use junit::junit;
pub use ranking::{HISTORY, Update, ranking_markdown};
pub use text::text;

use super::Gate;
use crate::error::Result;

/// The result as JSON, `null` where a number has no value.
///
/// # Errors
/// [`GateError::Json`](crate::GateError::Json), which numbers that are finite do not cause.
pub fn json(gate: &Gate) -> Result<String> {
    Ok(serde_json::to_string_pretty(gate)?)
}
