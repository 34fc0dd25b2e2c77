//! A parameter's value, what can be wrong with it, and an interval of numbers.

use std::collections::BTreeMap;

use thiserror::Error;

/// A value as written in a sweep file.
#[derive(Clone, Debug, PartialEq)]
pub enum ParamValue {
    /// A real number.
    Real(f64),
    /// A whole number.
    Whole(i64),
    /// Text.
    Text(String),
    /// True or false.
    Flag(bool),
    /// A list.
    List(Vec<ParamValue>),
    /// A table.
    Table(BTreeMap<String, ParamValue>),
}

impl ParamValue {
    /// A list of numbers.
    pub fn reals(values: &[f64]) -> Self {
        Self::List(values.iter().map(|&value| Self::Real(value)).collect())
    }

    /// The value's type, for messages.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Real(_) => "a number",
            Self::Whole(_) => "a whole number",
            Self::Text(_) => "text",
            Self::Flag(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }

    /// The value as a number, if it is one.
    pub fn as_real(&self) -> Option<f64> {
        match self {
            Self::Real(value) => Some(*value),
            Self::Whole(value) => Some(*value as f64),
            _ => None,
        }
    }
}

/// The canonical text: the same for every spelling of a value, as used in ids and cell keys.
impl std::fmt::Display for ParamValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Real(value) => write!(f, "{value}"),
            Self::Whole(value) => write!(f, "{value}"),
            Self::Text(text) => f.write_str(text),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::List(items) => {
                let texts: Vec<String> = items.iter().map(ToString::to_string).collect();
                write!(f, "{}", texts.join("+"))
            }
            Self::Table(entries) => {
                let texts: Vec<String> = entries.iter().map(|(k, v)| format!("{k}={v}")).collect();
                write!(f, "{}", texts.join("+"))
            }
        }
    }
}

/// An interval of numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Smallest value.
    pub low: f64,
    /// Whether `low` itself is allowed.
    pub low_included: bool,
    /// Largest value.
    pub high: f64,
    /// Whether `high` itself is allowed.
    pub high_included: bool,
}

impl Range {
    /// Any finite number.
    pub const FINITE: Self = Self::new(f64::NEG_INFINITY, false, f64::INFINITY, false);
    /// Finite and at least 0.
    pub const NON_NEGATIVE: Self = Self::new(0.0, true, f64::INFINITY, false);
    /// Finite and above 0.
    pub const POSITIVE: Self = Self::new(0.0, false, f64::INFINITY, false);
    /// Strictly between 0 and 1.
    pub const OPEN_UNIT: Self = Self::new(0.0, false, 1.0, false);
    /// At least 0 and below 1.
    pub const UNIT_BELOW_ONE: Self = Self::new(0.0, true, 1.0, false);
    /// At least 1, for whole numbers.
    pub const AT_LEAST_ONE: Self = Self::new(1.0, true, f64::INFINITY, false);

    /// The interval with these ends.
    pub const fn new(low: f64, low_included: bool, high: f64, high_included: bool) -> Self {
        Self {
            low,
            low_included,
            high,
            high_included,
        }
    }

    /// Whether `value` lies inside; NaN never does.
    pub fn contains(&self, value: f64) -> bool {
        let above = if self.low_included {
            value >= self.low
        } else {
            value > self.low
        };
        let below = if self.high_included {
            value <= self.high
        } else {
            value < self.high
        };
        above && below
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let open = if self.low_included { '[' } else { '(' };
        let close = if self.high_included { ']' } else { ')' };
        write!(f, "{open}{}, {}{close}", self.low, self.high)
    }
}

/// What is wrong with one parameter.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{key}`: {problem}")]
pub struct ParamError {
    /// The key.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to try.
    pub hint: Option<String>,
}

impl ParamError {
    /// An error about `key`.
    pub fn new(key: &str, problem: impl Into<String>) -> Self {
        Self {
            key: key.to_owned(),
            problem: problem.into(),
            hint: None,
        }
    }
}
