//! The closed list of what can become of a cell.

use serde::{Deserialize, Serialize};

use crate::error::StageError;

/// What became of a cell, from the gravest to the best: the derived order is the contract's, so the
/// outcome of a cell is the minimum over its stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A stage broke (a panic included).
    Failed,
    /// A stage would have needed too much memory.
    OutOfMemory,
    /// The cell ran out of its time.
    Timeout,
    /// The combination has no meaning for this learner or these data.
    NotApplicable,
    /// Left out by a declared policy.
    Skipped,
    /// The balanced error itself has no value (fewer than two classes among the test rows).
    Undefined,
    /// There is a value, from a model that could not learn (a single class, a constant score).
    Degenerate,
    /// There is a value, with a parameter reduced by a declared policy.
    Clamped,
    /// There is a value.
    Ok,
}

impl Outcome {
    /// Every outcome, gravest first.
    pub const ALL: [Self; 9] = [
        Self::Failed,
        Self::OutOfMemory,
        Self::Timeout,
        Self::NotApplicable,
        Self::Skipped,
        Self::Undefined,
        Self::Degenerate,
        Self::Clamped,
        Self::Ok,
    ];

    /// The name in tables and files.
    pub fn id(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::OutOfMemory => "out-of-memory",
            Self::Timeout => "timeout",
            Self::NotApplicable => "not-applicable",
            Self::Skipped => "skipped",
            Self::Undefined => "undefined",
            Self::Degenerate => "degenerate",
            Self::Clamped => "clamped",
            Self::Ok => "ok",
        }
    }

    /// The outcome of that name.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.id() == id)
    }

    /// Whether the cell has a balanced error.
    pub fn has_value(self) -> bool {
        matches!(self, Self::Ok | Self::Clamped | Self::Degenerate)
    }

    /// Whether `run` ends with exit code 1 because of it.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::OutOfMemory | Self::Timeout)
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

impl From<&StageError> for Outcome {
    fn from(error: &StageError) -> Self {
        match error {
            StageError::NotApplicable(_) => Self::NotApplicable,
            StageError::Skipped(_) => Self::Skipped,
            StageError::Failed(_) => Self::Failed,
            StageError::Timeout(_) => Self::Timeout,
            StageError::OutOfMemory(_) => Self::OutOfMemory,
        }
    }
}

/// Something a stage did that a reader of its result has to know, although there is a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A parameter was reduced by a declared policy: says which, to what, and why.
    Clamped(String),
    /// The model could not learn: says why.
    Degenerate(String),
    /// Worth a word in `reason`, without bearing on the outcome.
    Remark(String),
}

impl Note {
    /// The outcome that the note calls for.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Clamped(_) => Outcome::Clamped,
            Self::Degenerate(_) => Outcome::Degenerate,
            Self::Remark(_) => Outcome::Ok,
        }
    }

    /// The words.
    pub fn text(&self) -> &str {
        match self {
            Self::Clamped(text) | Self::Degenerate(text) | Self::Remark(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_round_trip_and_the_gravest_is_least() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::from_id(outcome.id()), Some(outcome));
            let wire = serde_json_like(outcome);
            assert_eq!(wire, outcome.id());
        }
        assert!(Outcome::ALL.is_sorted());
        assert_eq!(
            Outcome::Clamped.min(Outcome::Degenerate),
            Outcome::Degenerate
        );
    }

    /// The serde name, without a JSON crate in this crate's dependencies.
    fn serde_json_like(outcome: Outcome) -> String {
        use serde::de::IntoDeserializer;
        let text = outcome.id();
        let de: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
            text.into_deserializer();
        Outcome::deserialize(de).unwrap().id().to_owned()
    }
}
