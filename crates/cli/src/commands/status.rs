//! `counterweight status`: what is done, failed and missing.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use counterweight::{Error, Exit, Result, Session, Status};

use crate::args::Format;
use crate::commands::{print_json, print_some};
use crate::progress::Line;
use crate::terminal::is_heard;

/// So many shards are all shown; of more, those with cells missing.
const FEW: usize = 16;

pub(crate) fn status(
    session: &Session<'_>,
    path: &Path,
    (shards, watch): (Option<usize>, Option<u16>),
    format: Format,
) -> Result<Exit> {
    let look = || counterweight::status(session, path, shards);
    let mut status = look()?;
    if let Some(seconds) = watch {
        let first = (Instant::now(), status.done, status.seconds_left);
        while status.missing > 0 {
            match format {
                Format::Json => {
                    let text = serde_json::to_string(&status);
                    println!(
                        "{}",
                        text.map_err(|error| Error::internal(error.to_string()))?
                    );
                }
                Format::Text => tell(&line(&status, first)),
            }
            if !is_heard() {
                break;
            }
            let looked = Instant::now();
            std::thread::sleep(Duration::from_secs(seconds.into()));
            status = look()?;
            // A large store is not to be read all the time.
            let took = looked
                .elapsed()
                .saturating_sub(Duration::from_secs(seconds.into()));
            std::thread::sleep(took * 4);
        }
        if std::io::stdout().is_terminal() {
            tell("");
        }
    }
    match format {
        Format::Json => print_json(&status)?,
        Format::Text => print(&status),
    }
    Ok(status.exit())
}

/// How far the sweep is now, where it was so far (and so many seconds of one core before the end) when the watch began.
fn line(status: &Status, (began, done, seconds_left): (Instant, usize, f64)) -> String {
    let elapsed = began.elapsed().as_secs_f64();
    let worked = seconds_left - status.seconds_left;
    let left = (worked > 0.0).then(|| elapsed / worked * status.seconds_left);
    let line = Line {
        cells: status.cells,
        done: status.done,
        failed: status.failed,
        per_second: Some(status.done.saturating_sub(done) as f64 / elapsed),
        left: left.and_then(|left| Duration::try_from_secs_f64(left).ok()),
        memory: Some(status.machines.iter().map(|machine| machine.memory).sum()),
    };
    let running: usize = status.machines.iter().map(|machine| machine.running).sum();
    format!("{line}; {running} running")
}

/// A line, in place of the last one where somebody looks on.
fn tell(words: &str) {
    if std::io::stdout().is_terminal() {
        print!("\r\x1b[2K{words}");
        // Without the end of a line it would wait for one.
        let _ = std::io::stdout().flush();
    } else {
        println!("{words}");
    }
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
    if !status.shards.is_empty() {
        println!(
            "{:<12} {:>9} {:>9} {:>9} {:>9} {:>12}",
            "shard", "cells", "done", "failed", "missing", "seconds left"
        );
        let open: Vec<String> = status
            .shards
            .iter()
            .filter(|shard| shard.missing > 0 || status.shards.len() <= FEW)
            .map(|s| {
                format!(
                    "{:<12} {:>9} {:>9} {:>9} {:>9} {:>12.1}",
                    s.shard, s.cells, s.done, s.failed, s.missing, s.seconds_left
                )
            })
            .collect();
        print_some(&open);
    }
    for machine in &status.machines {
        let name = match machine.machine.as_str() {
            "" => "unknown machine",
            name => name,
        };
        let running = match (machine.running, machine.memory / 1_000_000) {
            (0, _) => String::new(),
            (running, 0) => format!(", {running} running"),
            (running, memory) => format!(", {running} running in {memory} MB"),
        };
        println!(
            "{name}: {} records in {} segments{running}",
            machine.records, machine.segments
        );
    }
    let segments = status.segments.iter().map(|segment| {
        let shard = if segment.shard.is_empty() {
            "whole"
        } else {
            &segment.shard
        };
        let running = if segment.running { ", running" } else { "" };
        format!(
            "  segment {} (shard {shard}): {} records{running}",
            segment.file, segment.records
        )
    });
    print_some(&segments.collect::<Vec<_>>());
    if status.done == 0 && status.segments.is_empty() {
        println!("no segments: committed records are compared against, never taken for work done");
    }
}
