//! `counterweight status`: what is done, failed and missing.

use std::path::Path;

use counterweight::{Exit, Result, Session, Status};

use crate::args::Format;
use crate::commands::{print_json, print_some};

pub(crate) fn status(session: &Session<'_>, path: &Path, format: Format) -> Result<Exit> {
    let status = counterweight::status(session, path)?;
    match format {
        Format::Json => print_json(&status)?,
        Format::Text => print(&status),
    }
    Ok(status.exit())
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
    if status.torn_lines > 0 {
        println!("{} torn lines at the end of segments", status.torn_lines);
    }
    if !status.damaged_lines.is_empty() {
        println!("damaged lines: {}", status.damaged_lines.len());
        print_some(&status.damaged_lines);
    }
    if status.set_aside > 0 {
        println!(
            "earlier results of {} cells lie in segments/aside until `run` has made them anew",
            status.set_aside
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
