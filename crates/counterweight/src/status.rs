//! What is done, failed and missing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use counterweight_harness::plan::Work;
use counterweight_store::{Header, Joined, in_use, join, process_of, segment_files};
use serde::Serialize;

use crate::aside::waiting_cells;
use crate::exit::{Exit, Result};
use crate::folder::{Folder, named};
use crate::memory::resident;
use crate::outline::Outline;
use crate::provenance::machine;
use crate::session::Session;

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
    /// The shards that were asked for, or those of the last run in shards.
    pub shards: Vec<ShardStatus>,
    /// The machines that ran some of it.
    pub machines: Vec<Machine>,
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

/// How far a shard is, whoever made its cells.
#[derive(Clone, Debug, Serialize)]
pub struct ShardStatus {
    /// `I/N`.
    pub shard: String,
    /// Its cells.
    pub cells: usize,
    /// Those that are done.
    pub done: usize,
    /// Those of the done that failed.
    pub failed: usize,
    /// Those that are not done.
    pub missing: usize,
    /// Estimated seconds of one core for all of it.
    pub seconds: f64,
    /// The same for what is missing.
    pub seconds_left: f64,
}

/// What a machine has made.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// Its name; empty for segments of earlier versions and of merges.
    pub machine: String,
    /// The shards that it ran.
    pub shards: BTreeSet<String>,
    /// Its segments.
    pub segments: usize,
    /// Their records.
    pub records: usize,
    /// Segments that are being written, as far as this machine can tell.
    pub running: usize,
    /// Bytes that those runs hold in memory, on this machine alone.
    pub memory: u64,
}

/// A segment file.
#[derive(Clone, Debug, Serialize)]
pub struct Segment {
    /// Its name.
    pub file: String,
    /// The shard that wrote it; empty for a whole run.
    pub shard: String,
    /// The machine that wrote it, empty where that is not known.
    pub machine: String,
    /// Its records.
    pub records: usize,
    /// Whether it is being written, as far as this machine can tell.
    pub running: bool,
}

impl Status {
    /// The exit code of the contract.
    pub fn exit(&self) -> Exit {
        Exit::of_store(self.failed, self.missing)
    }
}

/// How far the sweep of a report folder is, and how far each of `shards` shards. A folder that a run has begun needs
/// none of the sweep's data for it.
///
/// # Errors
/// Errors of the sweep, and damaged segments.
pub fn status(session: &Session<'_>, path: &Path, shards: Option<usize>) -> Result<Status> {
    let folder = Folder::of_report(session, path)?;
    let outline = Outline::of_folder(&folder)?;
    let index = outline.index();
    let joined = join(&segment_files(&folder.output)?, &|record| {
        let at = index.get(&record.cell);
        at.is_none_or(|&at| outline.names(at, record))
    })?;
    let sides = folder.sides()?;
    // What `run` would make again is not done.
    let done: Vec<bool> = (0..outline.cells.len())
        .map(|at| outline.complete(at, &joined, &sides))
        .collect();
    let mut outcomes = BTreeMap::new();
    let mut failed = vec![false; done.len()];
    for (at, (id, ..)) in outline.cells.iter().enumerate() {
        if let Some(entry) = joined.entries.get(id).filter(|_| done[at]) {
            let outcome = entry.record.outcome;
            *outcomes.entry(outcome.id().to_owned()).or_default() += 1;
            failed[at] = outcome.is_failure();
        }
    }
    let planned = outline
        .cells
        .iter()
        .map(|(id, ..)| id)
        .chain(&outline.claims);
    let set_aside = waiting_cells(&folder, planned, &joined, &sides)?;
    let segments = segments(&joined);
    let count = |of: &[bool]| of.iter().filter(|is| **is).count();
    Ok(Status {
        sweep: outline.sweep.clone(),
        sweep_hash: outline.sweep_hash.clone(),
        cells: done.len(),
        done: count(&done),
        failed: count(&failed),
        missing: done.len() - count(&done),
        outcomes,
        seconds_left: outline.work.seconds_left(|at| done[at]),
        shards: shards
            .or_else(|| shard_count(&joined))
            .map_or_else(Vec::new, |count| {
                of_shards(&outline.work, count, &done, &failed)
            }),
        machines: machines(&joined, &segments),
        segments,
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

/// How many shards the last run in shards was one of.
fn shard_count(joined: &Joined) -> Option<usize> {
    let mut last = joined.segments.iter().rev();
    last.find_map(|(_, header, _)| header.shard.split_once('/')?.1.parse().ok())
}

fn of_shards(work: &Work, count: usize, done: &[bool], failed: &[bool]) -> Vec<ShardStatus> {
    let shards = work.shards(count);
    let mut found: Vec<ShardStatus> = (1..)
        .zip(&shards.seconds)
        .map(|(shard, &seconds)| ShardStatus {
            shard: format!("{shard}/{count}"),
            cells: 0,
            done: 0,
            failed: 0,
            missing: 0,
            seconds,
            seconds_left: 0.0,
        })
        .collect();
    for (at, &shard) in shards.cells.iter().enumerate() {
        let shard = &mut found[shard];
        shard.cells += 1;
        shard.done += usize::from(done[at]);
        shard.failed += usize::from(failed[at]);
        shard.missing += usize::from(!done[at]);
    }
    for fit in &work.fits {
        // A fit is never cut.
        if let Some(&cell) = fit.cells.iter().find(|&&cell| !done[cell]) {
            found[shards.cells[cell]].seconds_left += fit.seconds;
        }
    }
    found
}

fn segments(joined: &Joined) -> Vec<Segment> {
    let of = |(file, header, records): &(_, Header, usize)| {
        let file: &std::path::PathBuf = file;
        Segment {
            file: file
                .file_name()
                .map_or_else(String::new, |n| n.to_string_lossy().into_owned()),
            shard: header.shard.clone(),
            machine: header.machine.clone(),
            records: *records,
            running: in_use(file),
        }
    };
    joined.segments.iter().map(of).collect()
}

fn machines(joined: &Joined, segments: &[Segment]) -> Vec<Machine> {
    let here = machine();
    let mut found: BTreeMap<&str, Machine> = BTreeMap::new();
    for ((file, ..), segment) in joined.segments.iter().zip(segments) {
        let name = segment.machine.as_str();
        let machine = found.entry(name).or_insert_with(|| Machine {
            machine: name.to_owned(),
            shards: BTreeSet::new(),
            segments: 0,
            records: 0,
            running: 0,
            memory: 0,
        });
        machine.segments += 1;
        machine.records += segment.records;
        machine.running += usize::from(segment.running);
        if !segment.shard.is_empty() {
            machine.shards.insert(segment.shard.clone());
        }
        if segment.running && name == here {
            let process = process_of(file).and_then(|process| resident(Some(process)));
            machine.memory += process.unwrap_or(0);
        }
    }
    found.into_values().collect()
}
