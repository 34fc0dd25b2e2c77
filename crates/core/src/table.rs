//! A table of results as plain data: what crates hand to the one crate that knows file formats.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::error::{CoreError, Result};

/// A column of a result table; `None` is an empty cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    /// Text.
    Text(Vec<Option<String>>),
    /// Real numbers, all finite.
    Real(Vec<Option<f64>>),
    /// Whole numbers.
    Whole(Vec<Option<i64>>),
    /// True or false.
    Flag(Vec<Option<bool>>),
}

impl Cells {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(cells) => cells.len(),
            Self::Real(cells) => cells.len(),
            Self::Whole(cells) => cells.len(),
            Self::Flag(cells) => cells.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Whether a spreadsheet takes a text for a formula; numbers are none.
fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err()
}

/// A text as it stands in a CSV table: what would be a formula begins with an apostrophe, and
/// [`unshielded`] takes it away.
pub fn shielded(text: &str) -> Cow<'_, str> {
    if is_formula(text.trim_start_matches('\'')) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// A text as it was before [`shielded`].
pub fn unshielded(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if is_formula(rest.trim_start_matches('\'')) => rest,
        _ => text,
    }
}

/// Named columns of equal length.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Table {
    columns: Vec<(String, Cells)>,
    /// Place of each name; only ever asked for a key.
    index: HashMap<String, usize>,
}

impl Table {
    /// A table without columns.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a column at the right.
    ///
    /// # Errors
    /// [`CoreError::Shape`] when it has another length than the first, [`CoreError::Domain`] when
    /// the name is taken or a number is not finite.
    pub fn with(mut self, name: impl Into<String>, cells: Cells) -> Result<Self> {
        let name = name.into();
        if let Some((_, first)) = self.columns.first()
            && first.len() != cells.len()
        {
            return Err(CoreError::Shape {
                what: "table column",
                expected: first.len(),
                found: cells.len(),
            });
        }
        if self.column(&name).is_some() {
            return Err(CoreError::Domain {
                what: "table",
                reason: format!("column `{name}` twice"),
            });
        }
        if let Cells::Real(values) = &cells
            && let Some(row) = values
                .iter()
                .position(|v| v.is_some_and(|v| !v.is_finite()))
        {
            return Err(CoreError::Domain {
                what: "table",
                reason: format!("column `{name}`, row {row}: not a finite number"),
            });
        }
        self.index.insert(name.clone(), self.columns.len());
        self.columns.push((name, cells));
        Ok(self)
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[(String, Cells)] {
        &self.columns
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Cells> {
        self.index.get(name).map(|&at| &self.columns[at].1)
    }

    /// The columns, in order, as their own.
    pub fn into_columns(self) -> Vec<(String, Cells)> {
        self.columns
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, cells)| cells.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_agree_and_numbers_are_finite() {
        let table = Table::new()
            .with("a", Cells::Whole(vec![Some(1), None]))
            .unwrap();
        assert_eq!(table.n_rows(), 2);
        assert!(
            table
                .clone()
                .with("a", Cells::Whole(vec![None, None]))
                .is_err()
        );
        assert!(table.clone().with("b", Cells::Whole(vec![None])).is_err());
        assert!(
            table
                .with("b", Cells::Real(vec![None, Some(f64::NAN)]))
                .is_err()
        );
    }
}
