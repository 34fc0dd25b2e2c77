//! Errors of the core types, and what a stage may end in.

use thiserror::Error;

/// A broken invariant of a core type.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum CoreError {
    /// Two lengths that must agree do not.
    #[error("{what}: expected length {expected}, found {found}")]
    Shape {
        /// What was being built.
        what: &'static str,
        /// Length that was needed.
        expected: usize,
        /// Length that was given.
        found: usize,
    },
    /// A value outside its domain.
    #[error("{what}: {reason}")]
    Domain {
        /// What was being built.
        what: &'static str,
        /// Why the value was refused.
        reason: String,
    },
    /// A split that puts a row on both sides, or nowhere, or outside the data.
    #[error("split: {reason}")]
    Split {
        /// Which row and why.
        reason: String,
    },
}

/// Result of building a core type.
pub type Result<T, E = CoreError> = std::result::Result<T, E>;

/// How a stage ends when it does not end in a value. Each variant becomes one
/// [`Outcome`](crate::Outcome) of the cells that needed the value.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum StageError {
    /// The combination has no meaning for this learner or these data.
    #[error("{0}")]
    NotApplicable(String),
    /// A declared policy (`small_class = "skip"`) left it out.
    #[error("{0}")]
    Skipped(String),
    /// The stage tried and broke.
    #[error("{0}")]
    Failed(String),
    /// The stage ran out of its time.
    #[error("{0}")]
    Timeout(String),
    /// The stage would need more memory than it may use.
    #[error("{0}")]
    OutOfMemory(String),
}

impl From<CoreError> for StageError {
    fn from(error: CoreError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Result of a stage.
pub type StageResult<T> = std::result::Result<T, StageError>;
