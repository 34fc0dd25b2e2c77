//! Exit codes: one public meaning each, fixed by the contract.

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
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

/// An error with its exit code.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct CliError {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl CliError {
    /// Something the user can mend.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            message: message.into(),
            hint: None,
        }
    }

    /// Something the user cannot mend.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Internal,
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<counterweight_frame::FrameError> for CliError {
    fn from(error: counterweight_frame::FrameError) -> Self {
        Self {
            exit: Exit::Usage,
            hint: error.hint(),
            message: error.to_string(),
        }
    }
}

impl From<counterweight_report::ReportError> for CliError {
    fn from(error: counterweight_report::ReportError) -> Self {
        Self::internal(error.to_string())
    }
}

impl From<counterweight_gate::GateError> for CliError {
    fn from(error: counterweight_gate::GateError) -> Self {
        Self::internal(error.to_string())
    }
}

impl From<counterweight_store::TableError> for CliError {
    fn from(error: counterweight_store::TableError) -> Self {
        Self::internal(error.to_string())
    }
}

impl From<counterweight_store::StoreError> for CliError {
    fn from(error: counterweight_store::StoreError) -> Self {
        let hint = "move the damaged segment away, or start again with `run --fresh`";
        Self::usage(error.to_string()).hint(hint)
    }
}

pub(crate) type Result<T, E = CliError> = std::result::Result<T, E>;
