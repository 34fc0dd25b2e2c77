//! Details of records as a table and back. The table is long (cell, key, value), because every method has
//! keys of its own.

use counterweight_core::{Record, Table};

use crate::table::{Builder, Reader, Result};

/// The details of the records, one row a cell and key, in the order of the records and then by key.
///
/// # Errors
/// [`TableError::Build`](crate::TableError::Build) for a number that is not finite.
pub fn details_table(records: &[Record]) -> Result<Table> {
    let mut table = Builder::new("details");
    let rows = || {
        records
            .iter()
            .flat_map(|r| r.details.iter().map(move |(key, value)| (r, key, *value)))
    };
    table.text("cell", rows().map(|(r, _, _)| Some(r.cell.0.as_str())))?;
    table.text("key", rows().map(|(_, key, _)| Some(key.as_str())))?;
    table.real("value", rows().map(|(_, _, value)| Some(value)))?;
    Ok(table.finish())
}

/// Where each cell's record stands, for tables that come in parts.
#[derive(Clone, Debug)]
pub struct Places {
    /// Indices of the records, sorted by cell.
    by_cell: Vec<usize>,
}

impl Places {
    /// Of these records.
    #[must_use]
    pub fn of(records: &[Record]) -> Self {
        let mut by_cell: Vec<usize> = (0..records.len()).collect();
        by_cell.sort_by(|&a, &b| records[a].cell.cmp(&records[b].cell));
        Self { by_cell }
    }

    fn find(&self, records: &[Record], cell: &str) -> Option<usize> {
        let at = self
            .by_cell
            .binary_search_by(|&at| records[at].cell.0.as_str().cmp(cell));
        self.by_cell.get(at.ok()?).copied()
    }

    /// Puts the details of a table written by [`details_table`], or a part of it, back into the
    /// records that these are the places of; rows of cells that are not among the records are left
    /// out, and their number is returned.
    ///
    /// # Errors
    /// As [`records_from_table`](crate::records_from_table).
    pub fn attach(&self, records: &mut [Record], table: &Table) -> Result<usize> {
        let reader = Reader {
            name: "details",
            table,
        };
        let cells = reader.required_text("cell")?;
        let keys = reader.names("key", false)?;
        let values = reader.required_real("value")?;
        let mut orphans = 0;
        let mut at = 0;
        while let Some(cell) = cells.get(at) {
            // The details of a cell stand together, though a part may end among them.
            let end = at
                + cells[at..]
                    .iter()
                    .take_while(|other| *other == cell)
                    .count();
            match self.find(records, cell).and_then(|at| records.get_mut(at)) {
                Some(record) => {
                    let known = record.details.iter().map(|(key, value)| (key, *value));
                    let new = keys[at..end].iter().zip(values[at..end].iter().copied());
                    record.details = known.chain(new).collect();
                }
                None => orphans += end - at,
            }
            at = end;
        }
        Ok(orphans)
    }
}

/// As [`Places::attach`], for a table in one piece.
///
/// # Errors
/// As [`records_from_table`](crate::records_from_table).
pub fn attach_details(records: &mut [Record], table: &Table) -> Result<usize> {
    Places::of(records).attach(records, table)
}
