//! What is wrong with a file, where, and what to try. All of it is collected before anything is
//! reported.

use std::fmt;

use serde_json::Value;

use crate::schema::Asked;

/// One error: what, where, and a hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file's name as it was given.
    pub file: String,
    /// The line, from 1.
    pub line: Option<usize>,
    /// The key, with its path (`model 2 > l2`); empty for the whole file.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to try.
    pub hint: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

/// Most errors that are told of one file; of the others only how many there are.
pub const SHOWN: usize = 100;

/// Every error of a file, in the order of their lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    file: String,
    list: Vec<Diagnostic>,
    asked: Option<Asked>,
}

impl Diagnostics {
    /// An empty collection for one file.
    #[must_use]
    pub fn new(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            ..Self::default()
        }
    }

    /// As [`Diagnostics::new`], for a probe: keeps what the readers ask for. A text that the probe gives stands for
    /// itself alone, an empty one for any.
    #[must_use]
    pub fn recording() -> Self {
        Self {
            asked: Some(Asked::default()),
            ..Self::default()
        }
    }

    /// What was asked for, where that is kept.
    pub fn into_asked(self) -> Asked {
        self.asked.unwrap_or_default()
    }

    /// Keeps a key of the table at `path` and what its value may be.
    pub(crate) fn ask(&mut self, path: &str, key: &str, shape: impl FnOnce() -> Value) {
        if let Some(asked) = &mut self.asked {
            asked.key(path, key, shape());
        }
    }

    /// Keeps that the table at `path` needs this key.
    pub fn require(&mut self, path: &str, key: &str) {
        if let Some(asked) = &mut self.asked {
            asked.require(path, key);
        }
    }

    /// Keeps that the table at `path` has no such keys, though its reader looks for them.
    pub fn forget(&mut self, path: &str, keys: &[&str]) {
        for key in keys {
            if let Some(asked) = &mut self.asked {
                asked.forget(path, key);
            }
        }
    }

    /// Adds one.
    pub fn add(
        &mut self,
        line: Option<usize>,
        key: impl Into<String>,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        self.list.push(Diagnostic {
            file: self.file.clone(),
            line,
            key: key.into(),
            message: message.into(),
            hint,
        });
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// The errors, sorted by line; after the first hundred one that counts the others.
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.list.sort_by_key(|d| d.line.unwrap_or(0));
        if let Some(next) = self.list.get(SHOWN) {
            let rest = self.list.len() - SHOWN;
            let plural = if rest == 1 { "" } else { "s" };
            let more = Diagnostic {
                file: self.file,
                line: next.line,
                key: String::new(),
                message: format!("{rest} more error{plural} from here on"),
                hint: Some("mend those above first".to_owned()),
            };
            self.list.truncate(SHOWN);
            self.list.push(more);
        }
        self.list
    }
}
