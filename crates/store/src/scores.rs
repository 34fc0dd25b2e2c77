//! scores.parquet: what `keep_scores` keeps of every cell.

use std::collections::BTreeMap;

use counterweight_core::side_table::CellScores;
use counterweight_core::{Record, Table};

use crate::side_files::Sides;
use crate::table::{Builder, Result};

/// One row a test row and cell: where it comes from, its class, a column a class in class order
/// (`p_0`, `p_1`, ...; empty beyond a dataset's classes), and the decision. `classes` are the names of
/// each dataset's classes.
///
/// # Errors
/// [`TableError::Build`](crate::TableError::Build) for a number that is not finite.
pub fn scores_table(
    records: &[Record],
    sides: &Sides,
    classes: &BTreeMap<String, Vec<String>>,
) -> Result<Table> {
    struct Row<'a> {
        record: &'a Record,
        scores: &'a CellScores,
        names: &'a [String],
        at: usize,
    }
    let mut rows = Vec::new();
    for record in records {
        let names = classes.get(record.dataset.as_str());
        if let (Some(scores), Some(names)) = (sides.scores.get(&record.cell), names) {
            rows.extend((0..scores.rows.len()).map(|at| Row {
                record,
                scores,
                names,
                at,
            }));
        }
    }
    let name = |row: &Row<'_>, of: &[u32]| {
        let class = *of.get(row.at)?;
        row.names.get(class as usize).cloned()
    };
    let mut table = Builder::new("scores");
    table.cells(rows.iter().map(|row| row.record))?;
    table.whole("row", rows.iter().map(|row| row.scores.rows[row.at]))?;
    table.owned(
        "label",
        rows.iter().map(|row| name(row, &row.scores.labels)),
    )?;
    for k in 0..classes.values().map(Vec::len).max().unwrap_or(0) {
        let p = |row: &Row<'_>| {
            let of = row.names.len();
            let value = row.scores.scores.get(row.at * of + k).copied();
            value.filter(|_| k < of)
        };
        table.real(&format!("p_{k}"), rows.iter().map(p))?;
    }
    let decision = |row: &Row<'_>| name(row, &row.scores.decisions);
    table.owned("decision", rows.iter().map(decision))?;
    Ok(table.finish())
}
