//! Segments of shards or machines become one set of records.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use counterweight_core::{CellId, Finished, Outcome, Sink as _, Timing};
use counterweight_harness::plan::Plan;
use counterweight_report::Target;
use counterweight_store::{
    Header, Joined, SIDE, SegmentWriter, Sides, join, read_sides, segment_files, side_files,
};

use crate::exit::{Error, Exit, Result};
use crate::folder::{Folder, sound, trouble};
use crate::lock::Lock;
use crate::provenance::{cpu_features, outcomes};
use crate::records::{read_records, read_timings};
use crate::report::{Material, about, write};
use crate::session::Session;
use crate::side_tables::complete;

/// How a merge ended.
#[derive(Clone, Debug)]
pub struct Merged {
    /// Name of the sweep.
    pub sweep: String,
    /// Cells of the sweep.
    pub cells: usize,
    /// Those that are done.
    pub done: usize,
    /// Records by outcome, gravest first.
    pub outcomes: Vec<(Outcome, usize)>,
    /// Records that stood in more than one place with the same values.
    pub repeated: usize,
    /// Records that agreed to 1e-9 only.
    pub rounded: usize,
    /// Records that belong to no cell of the sweep.
    pub strangers: usize,
    /// Cells without what stands beside their records: reliability bins that were lost, scores or curves that
    /// the sweep asks for. `run` makes them.
    pub lacking: usize,
    /// The exit code of the contract.
    pub exit: Exit,
}

/// Joins report folders, segment files or records files into a report folder, and writes its records and
/// report.
///
/// # Errors
/// Errors of the sweep, and two values of one cell.
pub fn merge(session: &Session<'_>, path: &Path, stores: &[PathBuf]) -> Result<Merged> {
    let folder = Folder::of_report(session, path)?;
    let (plan, files) = folder.plan()?;
    let _lock = Lock::of(session, path)?;
    let mut joined = folder.joined(&plan)?;
    let before = joined.entries.clone();
    let planned = plan.index();
    let claims: BTreeSet<&CellId> = plan.claims.iter().map(|claim| &claim.id).collect();
    let mut strangers = 0;
    let mut beside = folder.sides()?;
    folder.tell_damage(&joined, &beside);
    let mut new_sides = Vec::new();
    for store in stores {
        let Parts {
            entries,
            binned,
            sides,
        } = parts(&folder, &plan, store)?;
        for (entry, origin) in entries {
            let at = planned.get(&entry.record.cell);
            if at.is_some_and(|&at| plan.names(at, &entry.record)) {
                joined.add(entry, &origin)?;
            } else {
                strangers += 1;
            }
        }
        joined.binned.extend(binned);
        // Scores, curves and bins come along with their cells.
        for side in sides.into_lines() {
            let cell = side.cell();
            let known = planned.contains_key(cell) || claims.contains(cell);
            if known && beside.add(side.clone()) {
                new_sides.push(side);
            }
        }
    }
    // A value that replaced a failure is news as well as a cell that was not there.
    let news: Vec<(&CellId, &Finished)> = joined
        .entries
        .iter()
        .filter(|(cell, entry)| {
            before
                .get(*cell)
                .is_none_or(|old| old.record != entry.record)
        })
        .collect();
    if !news.is_empty() || !new_sides.is_empty() {
        // What came from elsewhere is kept here too, so that a later run takes it for done.
        let header = Header::new(
            env!("CARGO_PKG_VERSION"),
            &plan.sweep_hash.hex(),
            "merge",
            &cpu_features(),
        );
        let writer = SegmentWriter::create(&folder.output, &header)?;
        for side in &new_sides {
            let kept = writer.keep_beside(side);
            kept.map_err(|error| trouble(writer.path(), &error))?;
        }
        for (cell, entry) in news {
            writer.keep_entry(entry, joined.binned.contains(cell))?;
        }
        writer.flush()?;
    }
    let written = folder.write_records(&plan, &joined, true)?;
    let failures = written.records.iter();
    let failures = failures
        .filter(|record| record.outcome.is_failure())
        .count();
    let outcomes = outcomes(&written.records);
    if !written.kept {
        let material = Material {
            name: &plan.sweep.name,
            text: &plan.sweep.text,
            about: about(&written.records, &files),
            records: Cow::Owned(written.records),
            timings: Cow::Owned(written.timings),
        };
        let output = folder.compose(material, &Target::default(), None)?;
        write(&output, &folder.output, false)?;
    }
    let done = plan.cells.iter();
    let done = done
        .filter(|cell| joined.entries.contains_key(&cell.id))
        .count();
    let lacking = (0..plan.cells.len())
        .filter(|&at| {
            joined.entries.contains_key(&plan.cells[at].id)
                && !complete(&plan, at, &joined, &beside)
        })
        .count();
    Ok(Merged {
        sweep: plan.sweep.name.clone(),
        cells: plan.cells.len(),
        done,
        outcomes,
        repeated: joined.repeated,
        rounded: joined.rounded,
        strangers,
        lacking,
        exit: Exit::of_store(failures, plan.cells.len() - done),
    })
}

/// What a store holds.
#[derive(Default)]
struct Parts {
    /// Entries with the name of where each came from.
    entries: Vec<(Finished, String)>,
    /// Cells that had bins.
    binned: BTreeSet<CellId>,
    /// What stands beside the entries.
    sides: Sides,
}

fn parts(folder: &Folder<'_>, plan: &Plan, store: &Path) -> Result<Parts> {
    let is_segment = |path: &Path| path.extension().is_some_and(|e| e == "jsonl");
    let segments = if is_segment(store) && store.is_file() {
        vec![store.to_path_buf()]
    } else if store.is_dir() {
        segment_files(store)?
    } else {
        Vec::new()
    };
    if !segments.is_empty() {
        let beside = if store.is_dir() {
            side_files(store)?
        } else {
            let beside = store.with_extension(SIDE);
            Some(beside)
                .filter(|side| side.exists())
                .into_iter()
                .collect()
        };
        let mut found = Parts {
            sides: read_sides(&beside)?,
            ..Parts::default()
        };
        let mut all = Joined::default();
        for file in segments {
            let name = file.display().to_string();
            let part = join(std::slice::from_ref(&file), &sound(plan))?;
            let entries = part.entries.into_values();
            found
                .entries
                .extend(entries.map(|entry| (entry, name.clone())));
            all.torn += part.torn;
            all.damaged.extend(part.damaged);
            found.binned.extend(part.binned);
        }
        folder.tell_damage(&all, &found.sides);
        return Ok(found);
    }
    if !store.exists() {
        return Err(
            Error::usage(format!("{}: no such file or folder", store.display()))
                .hint("give report folders, .jsonl segments, records.parquet or records.csv"),
        );
    }
    (folder.session.say)(&format!(
        "note: {} holds records alone: what stands beside them in segments (reliability bins, scores, curves) \
         does not come along",
        store.display()
    ));
    let timings_folder = if store.is_dir() {
        Some(store)
    } else {
        store.parent()
    };
    let timings: BTreeMap<_, Timing> = match timings_folder {
        Some(folder) => read_timings(folder)?,
        None => Vec::new(),
    }
    .into_iter()
    .map(|timing| (timing.cell.clone(), timing))
    .collect();
    let name = store.display().to_string();
    let entries = read_records(store)?
        .into_iter()
        .map(|record| {
            let timing = timings
                .get(&record.cell)
                .cloned()
                .unwrap_or_else(|| Timing {
                    cell: record.cell.clone(),
                    resample_seconds: 0.0,
                    fit_seconds: 0.0,
                    score_seconds: 0.0,
                    crossfit_seconds: 0.0,
                    decide_seconds: 0.0,
                });
            (Finished { record, timing }, name.clone())
        })
        .collect();
    Ok(Parts {
        entries,
        ..Parts::default()
    })
}
