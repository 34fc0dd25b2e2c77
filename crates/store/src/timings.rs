//! Timings as a table and back.

use counterweight_core::{CellId, Table, Timing};

use crate::table::{Builder, Reader, Result};

/// The timings as a table: cell and seconds of each stage.
///
/// # Errors
/// [`TableError::Build`](crate::TableError::Build) for a number that is not finite.
pub fn timings_table(timings: &[Timing]) -> Result<Table> {
    let mut table = Builder::new("timings");
    let rows = || timings.iter();
    table.text("cell", rows().map(|t| Some(t.cell.0.as_str())))?;
    table.real("resample_seconds", rows().map(|t| Some(t.resample_seconds)))?;
    table.real("fit_seconds", rows().map(|t| Some(t.fit_seconds)))?;
    table.real("score_seconds", rows().map(|t| Some(t.score_seconds)))?;
    table.real("crossfit_seconds", rows().map(|t| Some(t.crossfit_seconds)))?;
    table.real("decide_seconds", rows().map(|t| Some(t.decide_seconds)))?;
    Ok(table.finish())
}

/// The timings of a table written by [`timings_table`].
///
/// # Errors
/// As [`records_from_table`](crate::records_from_table).
pub fn timings_from_table(table: &Table) -> Result<Vec<Timing>> {
    let reader = Reader {
        name: "timings",
        table,
    };
    let cells = reader.required_text("cell")?;
    let resample = reader.required_real("resample_seconds")?;
    let fit = reader.required_real("fit_seconds")?;
    let score = reader.required_real("score_seconds")?;
    let crossfit = reader.required_real("crossfit_seconds")?;
    let decide = reader.required_real("decide_seconds")?;
    let seconds = resample
        .into_iter()
        .zip(fit)
        .zip(score)
        .zip(crossfit)
        .zip(decide);
    Ok(cells
        .into_iter()
        .zip(seconds)
        .map(
            |(cell, ((((resample, fit), score), crossfit), decide))| Timing {
                cell: CellId(cell),
                resample_seconds: resample,
                fit_seconds: fit,
                score_seconds: score,
                crossfit_seconds: crossfit,
                decide_seconds: decide,
            },
        )
        .collect())
}
