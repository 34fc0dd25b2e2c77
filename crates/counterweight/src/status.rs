//! What is done, failed and missing.

use std::collections::BTreeMap;
use std::path::Path;

use counterweight_core::Record;
use serde::Serialize;

use crate::aside::waiting_cells;
use crate::exit::{Exit, Result};
use crate::folder::{Folder, named};
use crate::provenance::outcomes;
use crate::session::Session;
use crate::side_tables::complete;

/// How far a sweep is, by its segments.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Name of the sweep.
    pub sweep: String,
    /// Hash of what it asks for.
    pub sweep_hash: String,
    /// Its cells.
    pub cells: usize,
    /// Those that are done.
    pub done: usize,
    /// Those of the done that failed.
    pub failed: usize,
    /// Those that are not done.
    pub missing: usize,
    /// Cells by outcome.
    pub outcomes: BTreeMap<String, usize>,
    /// Estimated seconds of one core for what is missing.
    pub seconds_left: f64,
    /// The segment files.
    pub segments: Vec<Segment>,
    /// Torn last lines of segments.
    pub torn_lines: usize,
    /// Lines of segments and of the files beside them that cannot be read, each with its place and, as far as
    /// it still says so, its cell.
    pub damaged_lines: Vec<String>,
    /// Missing cells whose earlier results lie aside until `run --fresh` has made them anew.
    pub set_aside: usize,
}

/// A segment file.
#[derive(Clone, Debug, Serialize)]
pub struct Segment {
    /// Its name.
    pub file: String,
    /// The shard that wrote it; empty for a whole run.
    pub shard: String,
    /// Its records.
    pub records: usize,
}

impl Status {
    /// The exit code of the contract.
    pub fn exit(&self) -> Exit {
        Exit::of_store(self.failed, self.missing)
    }
}

/// How far the sweep of a report folder is.
///
/// # Errors
/// Errors of the sweep, and damaged segments.
pub fn status(session: &Session<'_>, path: &Path) -> Result<Status> {
    let folder = Folder::of_report(session, path)?;
    let (plan, _) = folder.plan()?;
    let joined = folder.joined(&plan)?;
    let sides = folder.sides()?;
    // What `run` would make again is not done.
    let done: Vec<bool> = (0..plan.cells.len())
        .map(|at| complete(&plan, at, &joined, &sides))
        .collect();
    let cells = plan.cells.iter().zip(&done);
    let records: Vec<Record> = cells
        .clone()
        .filter(|(_, done)| **done)
        .filter_map(|(cell, _)| joined.entries.get(&cell.id))
        .map(|entry| entry.record.clone())
        .collect();
    let failed = records
        .iter()
        .filter(|record| record.outcome.is_failure())
        .count();
    let set_aside = waiting_cells(&folder, &plan, &joined, &sides)?;
    let missing = plan.cells.len() - records.len();
    let mut open = vec![false; plan.units.len()];
    for (cell, _) in cells.filter(|(_, done)| !**done) {
        open[cell.unit] = true;
    }
    Ok(Status {
        sweep: plan.sweep.name.clone(),
        sweep_hash: plan.sweep_hash.hex(),
        cells: plan.cells.len(),
        done: records.len(),
        failed,
        missing,
        outcomes: outcomes(&records)
            .into_iter()
            .map(|(outcome, count)| (outcome.id().to_owned(), count))
            .collect(),
        seconds_left: plan
            .units
            .iter()
            .zip(&open)
            .filter(|(_, open)| **open)
            .map(|(unit, _)| plan.unit_seconds(unit))
            .sum(),
        segments: joined
            .segments
            .iter()
            .map(|(file, header, records)| Segment {
                file: file
                    .file_name()
                    .map_or_else(String::new, |n| n.to_string_lossy().into_owned()),
                shard: header.shard.clone(),
                records: *records,
            })
            .collect(),
        torn_lines: joined.torn + sides.torn,
        damaged_lines: joined
            .damaged
            .iter()
            .chain(&sides.damaged)
            .map(named)
            .collect(),
        set_aside,
    })
}
