//! The one error type of the crate.

use thiserror::Error;

/// What a count in [`StatsError::TooFew`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// Rows of the score table.
    Datasets,
    /// Groups of related datasets.
    Clusters,
    /// Columns of the score table.
    Methods,
    /// Matched folds of one dataset.
    Folds,
    /// Draws of a resampling or Monte Carlo procedure.
    Draws,
    /// Values of the imbalance ratio.
    Ratios,
    /// Observations handed over as a slice.
    Values,
}

impl std::fmt::Display for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Datasets => "datasets",
            Self::Clusters => "clusters",
            Self::Methods => "methods",
            Self::Folds => "folds",
            Self::Draws => "draws",
            Self::Ratios => "imbalance ratios",
            Self::Values => "values",
        })
    }
}

/// Why a statistic could not be computed.
///
/// Bad input and an undefined statistic are both values of this type: nothing in the crate panics
/// on data, and nothing returns NaN in the place of a number that does not exist.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum StatsError {
    /// A NaN or an infinity where a number belongs.
    #[error("{value} is not a finite number at {place}; hint: a missing result is `None`, not NaN")]
    NotFinite {
        /// Which cell or argument.
        place: String,
        /// The value as found.
        value: f64,
    },
    /// Fewer rows, columns or draws than the statistic needs.
    #[error("{found} {unit} found, at least {needed} needed by {what}")]
    TooFew {
        /// The statistic or type that asks.
        what: &'static str,
        /// What is counted.
        unit: Unit,
        /// How many there are.
        found: usize,
        /// How many there must be.
        needed: usize,
    },
    /// Two lengths that must agree do not.
    #[error("{what}: {found} values found, {expected} expected")]
    LengthMismatch {
        /// What is measured.
        what: &'static str,
        /// Length found.
        found: usize,
        /// Length expected.
        expected: usize,
    },
    /// A parameter outside its range.
    #[error("{name} = {value} is out of range, hint: use {range}")]
    OutOfRange {
        /// The parameter.
        name: &'static str,
        /// The value as given.
        value: f64,
        /// The range in words or interval notation.
        range: &'static str,
    },
    /// The same (dataset, method, repeat, fold) twice in a long table.
    #[error("two rows for dataset `{dataset}`, method `{method}`, repeat {repeat}, fold {fold}")]
    DuplicateRow {
        /// Dataset of both rows.
        dataset: String,
        /// Method of both rows.
        method: String,
        /// Repeat of both rows.
        repeat: u32,
        /// Fold of both rows.
        fold: u32,
    },
    /// The same name twice among datasets or methods.
    #[error("the name `{name}` stands twice among the {unit}")]
    DuplicateName {
        /// Datasets or methods.
        unit: Unit,
        /// The repeated name.
        name: String,
    },
    /// One dataset that claims two clusters.
    #[error("dataset `{dataset}` is in cluster `{first}` and in cluster `{second}`")]
    ClusterConflict {
        /// The dataset.
        dataset: String,
        /// Cluster of an earlier row.
        first: String,
        /// Cluster of a later row.
        second: String,
    },
    /// A name that the table does not hold.
    #[error("no `{name}` among the {unit} of the table")]
    UnknownName {
        /// Datasets or methods.
        unit: Unit,
        /// The name looked for.
        name: String,
    },
    /// An index past the end.
    #[error("index {index} is past the end of {len} {unit}")]
    IndexOutOfRange {
        /// What is indexed.
        unit: Unit,
        /// The index.
        index: usize,
        /// The number of items.
        len: usize,
    },
    /// The statistic is 0/0 on this input.
    #[error("{what} is undefined: {reason}")]
    Undefined {
        /// The statistic.
        what: &'static str,
        /// Why it has no value.
        reason: &'static str,
    },
    /// A graph with more maximal cliques than a reader or the memory can take.
    #[error("more than {limit} maximal cliques; hint: compare fewer methods")]
    TooManyCliques {
        /// The bound that was passed.
        limit: usize,
    },
}

/// Shorthand of the crate.
pub type Result<T> = std::result::Result<T, StatsError>;

/// The value if it is finite, with negative zero turned into zero so that ties are ties of bits.
pub(crate) fn finite(value: f64, place: impl FnOnce() -> String) -> Result<f64> {
    if value.is_finite() {
        Ok(value + 0.0)
    } else {
        Err(StatsError::NotFinite {
            place: place(),
            value,
        })
    }
}

/// The value unless it overflowed: squares of finite values need not be finite.
pub(crate) fn no_overflow(value: f64, what: &'static str) -> Result<f64> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(StatsError::Undefined {
            what,
            reason: "the values are too large to square",
        })
    }
}

/// `Ok` if `found >= needed`.
pub(crate) fn at_least(
    what: &'static str,
    unit: Unit,
    found: usize,
    needed: usize,
) -> Result<usize> {
    if found >= needed {
        Ok(found)
    } else {
        Err(StatsError::TooFew {
            what,
            unit,
            found,
            needed,
        })
    }
}
