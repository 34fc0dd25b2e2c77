//! `run --fresh` forgets what it is asked to make anew and nothing else; and it forgets nothing before the new
//! cells are there: until then the segments that held the old ones lie in `segments/aside`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use counterweight_core::{CellId, Sink as _};
use counterweight_harness::plan::Plan;
use counterweight_store::{
    Header, Joined, SEGMENTS, SIDE, SegmentWriter, Sides, in_use, read_segment, read_sides,
    segment_files, segments_in,
};

use crate::exit::{Error, Result};
use crate::folder::{Folder, make_folder, trouble};
use crate::provenance::cpu_features;

fn folder_of(output: &Path) -> PathBuf {
    output.join(SEGMENTS).join("aside")
}

/// Sets aside every segment that holds one of these cells or claims, or a damaged line; what else such a
/// segment holds is copied into one of its own first.
///
/// # Errors
/// When another process is writing one of those segments.
pub(crate) fn set_aside(
    folder: &Folder<'_>,
    plan: &Plan,
    forgotten: &BTreeSet<&CellId>,
) -> Result<()> {
    let mut moved = Vec::new();
    let (mut entries, mut sides) = (Vec::new(), Vec::new());
    for file in segment_files(&folder.output)? {
        let segment = read_segment(&file)?;
        let beside: Vec<PathBuf> = Some(file.with_extension(SIDE))
            .filter(|side| side.exists())
            .into_iter()
            .collect();
        let mut read = read_sides(&beside)?;
        let damaged = !segment.damaged.is_empty() || !std::mem::take(&mut read.damaged).is_empty();
        let lines: Vec<_> = read.into_lines().collect();
        let cells = segment.entries.iter().map(|entry| &entry.record.cell);
        let mut cells = cells.chain(lines.iter().map(counterweight_core::side_table::Side::cell));
        let named = cells.any(|cell| forgotten.contains(cell));
        // One that is being written may end in half a line for now.
        let used = in_use(&file);
        if !named && (used || !damaged) {
            continue;
        }
        if used {
            let message = format!("{}: another process is writing it", file.display());
            return Err(Error::usage(message).hint(
                "wait until the other run of this folder has ended, or write to another folder with --output",
            ));
        }
        let others = segment.entries.into_iter();
        let others = others.filter(|entry| !forgotten.contains(&entry.record.cell));
        entries.extend(others.map(|entry| {
            let bins = segment.binned.contains(&entry.record.cell);
            (entry, bins)
        }));
        let others = lines.into_iter();
        sides.extend(others.filter(|line| !forgotten.contains(line.cell())));
        moved.push(file);
        moved.extend(beside);
    }
    if moved.is_empty() {
        return Ok(());
    }
    if !entries.is_empty() || !sides.is_empty() {
        let header = Header::new(
            env!("CARGO_PKG_VERSION"),
            &plan.sweep_hash.hex(),
            "kept",
            &cpu_features(),
        );
        let writer = SegmentWriter::create(&folder.output, &header)?;
        let kept = |error| trouble(writer.path(), &error);
        for side in &sides {
            writer.keep_beside(side).map_err(kept)?;
        }
        for (entry, bins) in &entries {
            writer.keep_entry(entry, *bins)?;
        }
        writer.flush()?;
    }
    let aside = folder_of(&folder.output);
    make_folder(&aside)?;
    for file in moved {
        if let Some(name) = file.file_name() {
            std::fs::rename(&file, aside.join(name)).map_err(|error| trouble(&file, &error))?;
        }
    }
    Ok(())
}

/// The planned cells that lie aside and are not there anew, and the files without any such cell.
fn waiting<'p>(
    output: &Path,
    planned: impl Iterator<Item = &'p CellId>,
    joined: &Joined,
    sides: &Sides,
) -> Result<(BTreeSet<CellId>, Vec<PathBuf>)> {
    let planned: BTreeSet<&CellId> = planned.collect();
    let (mut cells, mut done) = (BTreeSet::new(), Vec::new());
    for file in segments_in(&folder_of(output))? {
        let entries = read_segment(&file)?.entries.into_iter();
        let mut held: BTreeSet<CellId> = entries.map(|entry| entry.record.cell).collect();
        let beside = file.with_extension(SIDE);
        if beside.exists() {
            held.extend(read_sides(&[beside])?.leaks.into_keys());
        }
        held.retain(|cell| {
            planned.contains(cell)
                && !joined.entries.contains_key(cell)
                && !sides.leaks.contains_key(cell)
        });
        if held.is_empty() {
            done.push(file);
        }
        cells.extend(held);
    }
    Ok((cells, done))
}

/// How many cells of those planned were set aside and are not there anew.
pub(crate) fn waiting_cells<'p>(
    folder: &Folder<'_>,
    planned: impl Iterator<Item = &'p CellId>,
    joined: &Joined,
    sides: &Sides,
) -> Result<usize> {
    Ok(waiting(&folder.output, planned, joined, sides)?.0.len())
}

/// Forgets what was set aside and is there anew.
pub(crate) fn forget(
    folder: &Folder<'_>,
    plan: &Plan,
    joined: &Joined,
    sides: &Sides,
) -> Result<()> {
    let cells = plan.cells.iter().map(|cell| &cell.id);
    let planned = cells.chain(plan.claims.iter().map(|claim| &claim.id));
    for file in waiting(&folder.output, planned, joined, sides)?.1 {
        for file in [file.with_extension(SIDE), file] {
            if file.exists() {
                std::fs::remove_file(&file).map_err(|error| trouble(&file, &error))?;
            }
        }
    }
    // It stays where something is left in it.
    let _ = std::fs::remove_dir(folder_of(&folder.output));
    Ok(())
}
