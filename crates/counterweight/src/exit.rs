//! Exit codes, one public meaning each, fixed by the contract; and errors that carry theirs.

use counterweight_config::Diagnostic;
use counterweight_frame::FrameError;

/// How a program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything asked for is done.
    Ok = 0,
    /// Done, with something to look at: failed cells, a difference.
    Finding = 1,
    /// Usage, configuration or data error.
    Usage = 2,
    /// Cells are missing.
    Incomplete = 3,
    /// Nothing was selected.
    NothingSelected = 4,
    /// The baseline is missing, damaged or of another sweep.
    Baseline = 5,
    /// A bug, or a machine that refuses.
    Internal = 70,
    /// Told to stop with work left.
    Interrupted = 75,
}

impl Exit {
    /// The exit code of a store: missing cells before failures before success.
    pub fn of_store(failures: usize, missing: usize) -> Self {
        match (failures, missing) {
            (0, 0) => Self::Ok,
            (_, 0) => Self::Finding,
            _ => Self::Incomplete,
        }
    }
}

/// An error with its exit code.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// How a program ends for it.
    pub exit: Exit,
    /// Every error of a sweep or gate file, each with file, line, key and hint; `message` counts them.
    pub list: Vec<Diagnostic>,
    /// What is wrong, and where.
    pub message: String,
    /// What to try.
    pub hint: Option<String>,
}

impl Error {
    /// An error that ends with `exit`.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            list: Vec::new(),
            message: message.into(),
            hint: None,
        }
    }

    /// Something the user can mend.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Something the user cannot mend.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Exit::Internal, message)
    }

    /// The same, with what to try.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<FrameError> for Error {
    fn from(error: FrameError) -> Self {
        Self {
            hint: error.flag_hint(),
            ..Self::usage(error.to_string())
        }
    }
}

impl From<counterweight_report::ReportError> for Error {
    fn from(error: counterweight_report::ReportError) -> Self {
        Self::internal(error.to_string())
    }
}

impl From<counterweight_gate::GateError> for Error {
    fn from(error: counterweight_gate::GateError) -> Self {
        Self::internal(error.to_string())
    }
}

impl From<counterweight_store::TableError> for Error {
    fn from(error: counterweight_store::TableError) -> Self {
        Self::internal(error.to_string())
    }
}

impl From<counterweight_store::StoreError> for Error {
    fn from(error: counterweight_store::StoreError) -> Self {
        let hint = "move the damaged segment away, or start again with `run --fresh`";
        Self::usage(error.to_string()).hint(hint)
    }
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
