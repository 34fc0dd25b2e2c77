//! Reads the tables of a report folder.

use std::path::Path;

use counterweight_core::{Record, Table, Timing};
use counterweight_frame::{read_table, read_table_in_parts};
use counterweight_store::{
    ArmCosts, LeakRow, Places, ReliabilityGroup, TableError, leaks_from_table, records_from_table,
    take_costs, take_reliability, timings_from_table,
};

use crate::exit::{Error, Result};

/// Reliability bins of a report folder.
pub(crate) const RELIABILITY: &str = "reliability.parquet";

/// Errors at operating points of a report folder.
pub(crate) const COSTS: &str = "costs.parquet";

/// Name of the table of leaks inside a report folder.
pub(crate) const LEAK: &str = "leak.parquet";

/// Reads the records of a report folder or of a records file.
///
/// # Errors
/// When there are none, or not of this version.
pub fn read_records(path: &Path) -> Result<Vec<Record>> {
    let file = if path.is_dir() {
        let parquet = path.join("records.parquet");
        if parquet.is_file() {
            parquet
        } else {
            path.join("records.csv")
        }
    } else {
        path.to_path_buf()
    };
    if !file.is_file() {
        return Err(Error::usage(format!("{}: no such file", file.display()))
            .hint("`counterweight run` writes records.parquet into its report folder"));
    }
    let bad = |error: TableError| {
        Error::usage(format!("{}: {error}", file.display()))
            .hint("the file was not written by `counterweight run`, or by another version")
    };
    let mut records = Vec::new();
    in_parts(&file, |part| {
        records.extend(records_from_table(part)?);
        Ok(())
    })?
    .map_err(bad)?;
    let details = file.with_file_name("details.parquet");
    if details.is_file() {
        let places = Places::of(&records);
        in_parts(&details, |part| {
            places.attach(&mut records, part).map(|_orphans| ())
        })?
        .map_err(bad)?;
    }
    Ok(records)
}

/// Reads the timings beside some records; none when there is no such file.
///
/// # Errors
/// When the file is damaged.
pub fn read_timings(folder: &Path) -> Result<Vec<Timing>> {
    let file = folder.join("timings.parquet");
    if !file.is_file() {
        return Ok(Vec::new());
    }
    let mut timings = Vec::new();
    in_parts(&file, |part| {
        timings.extend(timings_from_table(part)?);
        Ok(())
    })?
    .map_err(|error| Error::usage(format!("{}: {error}", file.display())))?;
    Ok(timings)
}

/// Reads the reliability bins beside some records; none when there is no such file.
pub(crate) fn read_reliability(folder: &Path) -> Result<Vec<ReliabilityGroup>> {
    let file = folder.join(RELIABILITY);
    let mut groups = Vec::new();
    if file.is_file() {
        in_parts(&file, |part| take_reliability(&mut groups, part))?
            .map_err(|error| Error::usage(format!("{}: {error}", file.display())))?;
    }
    Ok(groups)
}

/// Reads the costs beside some records; none when there is no such file.
pub(crate) fn read_costs(folder: &Path) -> Result<Vec<ArmCosts>> {
    let file = folder.join(COSTS);
    let mut arms = Vec::new();
    if file.is_file() {
        in_parts(&file, |part| take_costs(&mut arms, part))?
            .map_err(|error| Error::usage(format!("{}: {error}", file.display())))?;
    }
    Ok(arms)
}

/// Reads what leaks claim; nothing when there is no such file.
pub(crate) fn read_leaks(folder: &Path) -> Result<Vec<LeakRow>> {
    let file = folder.join(LEAK);
    if !file.is_file() {
        return Ok(Vec::new());
    }
    Ok(leaks_from_table(&read_table(&file)?)?)
}

/// Rows of a table that stand in memory at a time.
const PART: usize = 1 << 17;

/// Hands over a table in parts, until `take` has an error, which comes inside the result.
fn in_parts(
    file: &Path,
    mut take: impl FnMut(&Table) -> Result<(), TableError>,
) -> Result<Result<(), TableError>> {
    let mut taken = Ok(());
    read_table_in_parts(file, PART, |part| {
        if taken.is_ok() {
            taken = take(&part);
        }
    })?;
    Ok(taken)
}
