//! Exit codes, one public meaning each, fixed by the contract; and errors that carry theirs.

use counterweight_config::Diagnostic;
use counterweight_frame::FrameError;
use counterweight_store::StoreError;

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

    /// What the operating system refused, with what to try.
    pub fn of_system(message: impl Into<String>, error: &std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        let hint = match error.kind() {
            Kind::PermissionDenied => {
                "give this user the permission to, or work in a copy of the folder"
            }
            Kind::ReadOnlyFilesystem => "work in a copy of the folder on another file system",
            Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => {
                "make room and call the same command again: what is done is kept"
            }
            _ => return Self::usage(message),
        };
        Self::usage(message).hint(hint)
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
        let message = error.to_string();
        match &error {
            FrameError::Io { source, .. } => Self::of_system(message, source),
            _ => Self {
                hint: error.flag_hint(),
                ..Self::usage(message)
            },
        }
    }
}

impl From<counterweight_report::ReportError> for Error {
    fn from(error: counterweight_report::ReportError) -> Self {
        let message = error.to_string();
        match error {
            counterweight_report::ReportError::Twice { .. } => Self::usage(message).hint(
                "records of two sweeps were mixed: keep those of one, or make the file anew with `run`",
            ),
            _ => Self::internal(message),
        }
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

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match &error {
            StoreError::Io { source, .. } => Self::of_system(message, source),
            StoreError::Format { .. } => Self::usage(message)
                .hint("use the version that wrote it, or move the file away: `run` makes its cells again"),
            StoreError::Conflict { .. } => Self::usage(message).hint(
                "one of the two is of another build or machine: move that file, or leave that store out; `run` \
                 makes what is then missing",
            ),
            _ => Self::usage(message),
        }
    }
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
