//! `counterweight status`: what is done, failed and missing.

use std::collections::BTreeMap;
use std::path::Path;

use counterweight_core::Record;
use serde::Serialize;

use crate::args::Format;
use crate::exit::{CliError, Exit, Result};
use crate::folder::{Folder, outcomes, verdict};

#[derive(Serialize)]
struct Status {
    sweep: String,
    sweep_hash: String,
    cells: usize,
    done: usize,
    failed: usize,
    missing: usize,
    outcomes: BTreeMap<String, usize>,
    /// Estimated seconds of one core for what is missing.
    seconds_left: f64,
    segments: Vec<Segment>,
    torn_lines: usize,
}

#[derive(Serialize)]
struct Segment {
    file: String,
    shard: String,
    records: usize,
}

pub(crate) fn status(path: &Path, format: Format) -> Result<Exit> {
    let folder = Folder::of_report(path)?;
    let (plan, _) = folder.plan()?;
    let joined = folder.joined()?;
    let records: Vec<Record> = plan
        .cells
        .iter()
        .filter_map(|cell| joined.entries.get(&cell.id))
        .map(|entry| entry.record.clone())
        .collect();
    let failed = records
        .iter()
        .filter(|record| record.outcome.is_failure())
        .count();
    let missing = plan.cells.len() - records.len();
    let mut open = vec![false; plan.units.len()];
    for cell in plan
        .cells
        .iter()
        .filter(|cell| !joined.entries.contains_key(&cell.id))
    {
        open[cell.unit] = true;
    }
    let status = Status {
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
        torn_lines: joined.torn,
    };
    match format {
        Format::Json => {
            let text = serde_json::to_string_pretty(&status)
                .map_err(|error| CliError::internal(error.to_string()))?;
            println!("{text}");
        }
        Format::Text => print(&status),
    }
    Ok(verdict(failed, missing))
}

fn print(status: &Status) {
    println!(
        "{}: {} of {} cells done, {} failed, {} missing",
        status.sweep, status.done, status.cells, status.failed, status.missing
    );
    for (outcome, count) in &status.outcomes {
        println!("  {count:>7} {outcome}");
    }
    if status.missing > 0 {
        println!(
            "estimated work left: {:.0} s of one core",
            status.seconds_left
        );
    }
    for segment in &status.segments {
        let shard = if segment.shard.is_empty() {
            "whole"
        } else {
            &segment.shard
        };
        println!(
            "  segment {} (shard {shard}): {} records",
            segment.file, segment.records
        );
    }
    if status.done == 0 && status.segments.is_empty() {
        println!("no segments: committed records are compared against, never taken for work done");
    }
}
