//! Tables column by column, out and in: errors name table, row and column.

use counterweight_core::{Cells, Name, Record, Table};

use crate::error::TableError;

/// Result of making or reading a table.
pub(crate) type Result<T, E = TableError> = std::result::Result<T, E>;

/// Builds a table column by column, keeping the table's name for errors.
pub(crate) struct Builder {
    name: &'static str,
    table: Table,
}

impl Builder {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            table: Table::new(),
        }
    }

    /// The table.
    pub(crate) fn finish(self) -> Table {
        self.table
    }

    pub(crate) fn add(&mut self, column: &str, cells: Cells) -> Result<()> {
        let table = std::mem::take(&mut self.table);
        self.table = table
            .with(column, cells)
            .map_err(|source| TableError::Build {
                table: self.name,
                source,
            })?;
        Ok(())
    }

    pub(crate) fn text<'a>(
        &mut self,
        column: &str,
        cells: impl Iterator<Item = Option<&'a str>>,
    ) -> Result<()> {
        self.add(
            column,
            Cells::Text(cells.map(|cell| cell.map(str::to_owned)).collect()),
        )
    }

    pub(crate) fn owned(
        &mut self,
        column: &str,
        cells: impl Iterator<Item = Option<String>>,
    ) -> Result<()> {
        self.add(column, Cells::Text(cells.collect()))
    }

    pub(crate) fn real(
        &mut self,
        column: &str,
        cells: impl Iterator<Item = Option<f64>>,
    ) -> Result<()> {
        self.add(column, Cells::Real(cells.collect()))
    }

    /// Adds the columns that name the cell of each row.
    pub(crate) fn cells<'a>(
        &mut self,
        rows: impl Iterator<Item = &'a Record> + Clone,
    ) -> Result<()> {
        self.text("cell", rows.clone().map(|r| Some(r.cell.0.as_str())))?;
        self.text("dataset", rows.clone().map(|r| Some(r.dataset.as_str())))?;
        self.text("profile", rows.clone().map(|r| Some(r.profile.as_str())))?;
        self.real("requested_ratio", rows.clone().map(|r| r.requested_ratio))?;
        self.whole("repeat", rows.clone().map(|r| r.repeat))?;
        self.whole("fold", rows.clone().map(|r| r.fold))?;
        self.text("model", rows.clone().map(|r| Some(r.model.as_str())))?;
        self.text("correction", rows.map(|r| Some(r.correction.as_str())))
    }

    pub(crate) fn whole(&mut self, column: &str, cells: impl Iterator<Item = u64>) -> Result<()> {
        let cells = cells
            .enumerate()
            .map(|(row, n)| {
                i64::try_from(n)
                    .map(Some)
                    .map_err(|_too_large| TableError::Cell {
                        table: self.name,
                        row,
                        column: column.to_owned(),
                        value: n.to_string(),
                        expected: "below 2^63",
                    })
            })
            .collect::<Result<Vec<_>>>()?;
        self.add(column, Cells::Whole(cells))
    }
}

pub(crate) fn non_empty(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

pub(crate) fn join<T>(items: &[T], text: impl Fn(&T) -> String) -> Option<String> {
    if items.is_empty() {
        return None;
    }
    Some(items.iter().map(text).collect::<Vec<_>>().join(";"))
}

/// A table being read: typed access to columns and cells with errors that name both.
pub(crate) struct Reader<'a> {
    pub(crate) name: &'static str,
    pub(crate) table: &'a Table,
}

impl<'a> Reader<'a> {
    pub(crate) fn column(&self, column: &str) -> Result<&'a Cells> {
        self.table
            .column(column)
            .ok_or_else(|| self.wrong(column, "nothing found"))
    }

    pub(crate) fn wrong(&self, column: &str, reason: &'static str) -> TableError {
        TableError::Column {
            table: self.name,
            column: column.to_owned(),
            reason,
        }
    }

    pub(crate) fn bad(
        &self,
        row: usize,
        column: &str,
        value: &str,
        expected: &'static str,
    ) -> TableError {
        TableError::Cell {
            table: self.name,
            row,
            column: column.to_owned(),
            value: value.to_owned(),
            expected,
        }
    }

    /// Text cells; a column without any value may have come back from csv as another type.
    pub(crate) fn text(&self, column: &str) -> Result<Vec<Option<String>>> {
        match self.column(column)? {
            Cells::Text(cells) => Ok(cells.clone()),
            // `recalls` of a single class or an id of digits only: csv readers guess types.
            Cells::Whole(cells) => Ok(cells
                .iter()
                .map(|cell| cell.map(|n| n.to_string()))
                .collect()),
            Cells::Real(cells) if cells.iter().all(Option::is_none) => Ok(vec![None; cells.len()]),
            Cells::Flag(cells) => Ok(cells.iter().map(|c| c.map(|c| c.to_string())).collect()),
            Cells::Real(_) => Err(self.wrong(column, "numbers instead of text")),
        }
    }

    /// Text cells whose texts recur; an empty cell is the empty text where `optional`.
    pub(crate) fn names(&self, column: &str, optional: bool) -> Result<Vec<Name>> {
        let mut last = Name::default();
        let cells = self.text(column)?.into_iter().enumerate();
        cells
            .map(|(row, cell)| {
                let text = match &cell {
                    Some(text) => text.as_str(),
                    None if optional => "",
                    None => return Err(self.bad(row, column, "", "text")),
                };
                // Neighbouring rows mostly say the same, which saves the search for the name.
                if last != *text {
                    last = Name::from(text);
                }
                Ok(last.clone())
            })
            .collect()
    }

    pub(crate) fn required_text(&self, column: &str) -> Result<Vec<String>> {
        let cells = self.text(column)?.into_iter().enumerate();
        cells
            .map(|(row, cell)| cell.ok_or_else(|| self.bad(row, column, "", "text")))
            .collect()
    }

    pub(crate) fn real(&self, column: &str) -> Result<Vec<Option<f64>>> {
        match self.column(column)? {
            Cells::Real(cells) => Ok(cells.clone()),
            // A column of whole-valued reals may have been guessed to be whole by a csv reader.
            Cells::Whole(cells) => Ok(cells.iter().map(|cell| cell.map(|n| n as f64)).collect()),
            Cells::Text(cells) if cells.iter().all(Option::is_none) => Ok(vec![None; cells.len()]),
            Cells::Text(_) | Cells::Flag(_) => Err(self.wrong(column, "text instead of numbers")),
        }
    }

    pub(crate) fn required_real(&self, column: &str) -> Result<Vec<f64>> {
        let cells = self.real(column)?.into_iter().enumerate();
        cells
            .map(|(row, cell)| cell.ok_or_else(|| self.bad(row, column, "", "a number")))
            .collect()
    }

    pub(crate) fn whole(&self, column: &str) -> Result<Vec<u64>> {
        let Cells::Whole(cells) = self.column(column)? else {
            return Err(self.wrong(column, "something other than whole numbers"));
        };
        let cells = cells.iter().enumerate();
        cells
            .map(|(row, cell)| {
                let value = cell.map_or_else(String::new, |n| n.to_string());
                cell.and_then(|n| u64::try_from(n).ok())
                    .ok_or_else(|| self.bad(row, column, &value, "a count"))
            })
            .collect()
    }
}
