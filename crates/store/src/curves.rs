//! curves.parquet: curves over many decisions on one fit.

use std::collections::BTreeSet;

use counterweight_core::side_table::CellCurve;
use counterweight_core::{Record, Table};

use crate::side_files::Sides;
use crate::table::{Builder, Result};

/// One row for each stretch of parameter values that decide alike. `curves` are the ids of the sweep's
/// curves, each with its parameter.
///
/// # Errors
/// [`TableError::Build`](crate::TableError::Build) for a number that is not finite.
pub fn curves_table(records: &[Record], sides: &Sides, curves: &[(&str, &str)]) -> Result<Table> {
    struct Row<'a> {
        record: &'a Record,
        parameter: &'a str,
        curve: &'a CellCurve,
        at: usize,
    }
    let mut rows = Vec::new();
    for record in records {
        for &(id, parameter) in curves {
            if let Some(curve) = sides.curves.get(&(record.cell.clone(), id.to_owned())) {
                rows.extend((0..curve.from.len()).map(|at| Row {
                    record,
                    parameter,
                    curve,
                    at,
                }));
            }
        }
    }
    let mut table = Builder::new("curves");
    table.cells(rows.iter().map(|row| row.record))?;
    table.text(
        "curve",
        rows.iter().map(|row| Some(row.curve.curve.as_str())),
    )?;
    table.text("parameter", rows.iter().map(|row| Some(row.parameter)))?;
    table.real(
        "from",
        rows.iter().map(|row| row.curve.from.get(row.at).copied()),
    )?;
    table.real(
        "to",
        rows.iter().map(|row| row.curve.to.get(row.at).copied()),
    )?;
    table.whole("points", rows.iter().map(|row| row.curve.points[row.at]))?;
    let metrics: BTreeSet<&str> = sides
        .curves
        .values()
        .flat_map(|curve| curve.metrics.keys().map(String::as_str))
        .collect();
    for metric in metrics {
        let value = |row: &Row<'_>| row.curve.metrics.get(metric)?.get(row.at).copied()?;
        table.real(metric, rows.iter().map(value))?;
    }
    Ok(table.finish())
}
