//! Runs what is missing of a sweep, then writes records, tables, plots and the page.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use counterweight_core::{CellId, Outcome, limit};
use counterweight_harness::plan::filter::Only;
use counterweight_harness::plan::{Claim, DataSource as _, Plan, Shard};
use counterweight_harness::run::{self as harness, Outlets, RunError};
use counterweight_report::Target;
use counterweight_store::{Header, Joined, SEGMENTS, SegmentWriter, Sides};

use crate::aside;
use crate::exit::{Error, Exit, Result};
use crate::folder::{Folder, rejected, trouble};
use crate::lock::Lock;
use crate::outline::Outline;
use crate::provenance::{build_hash, cpu_features, machine, outcomes};
use crate::report::{Material, PAGE, about, write};
use crate::session::Session;
use crate::side_tables;
use crate::source::{Files, data_notes, is_one_file};

/// What [`run`] is asked for beside the sweep.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a wish of its own")]
pub struct RunOptions {
    /// The folder that receives the results; default the sweep's own.
    pub output: Option<PathBuf>,
    /// One part of several.
    pub shard: Option<Shard>,
    /// Only some of the cells.
    pub only: Option<Only>,
    /// Make the selected cells anew; what the folder holds of them is forgotten once they are there.
    pub fresh: bool,
    /// Run failed and timed-out cells again.
    pub retry_failed: bool,
    /// Write records only: no tables, plots, page and ranking.
    pub no_report: bool,
    /// Write what is committed again even where its values are the same as before.
    pub rewrite: bool,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct RunSummary {
    /// Name of the sweep.
    pub sweep: String,
    /// Cells of the sweep.
    pub cells: usize,
    /// Those that are done, by this run or before.
    pub done: usize,
    /// Cells that were asked for and are not there.
    pub missing: usize,
    /// Records by outcome, gravest first.
    pub outcomes: Vec<(Outcome, usize)>,
    /// Claims of leaks, when the sweep has any: done, failed, all.
    pub leaks: Option<(usize, usize, usize)>,
    /// records.parquet.
    pub records: PathBuf,
    /// index.html, unless no report was wanted, or none was written for what is missing.
    pub page: Option<PathBuf>,
    /// Whether the folder held these values already, so that its files stayed as they were.
    pub same: bool,
    /// Whether the folder's records are of a run that got further, so that nothing was written.
    pub kept: bool,
    /// The exit code of the contract.
    pub exit: Exit,
}

/// Plans a sweep and says which cells the options select.
///
/// # Errors
/// Errors of the sweep, and when nothing is selected.
pub fn selected(
    session: &Session<'_>,
    path: &Path,
    options: &RunOptions,
) -> Result<(Plan, Vec<bool>)> {
    let (plan, files) = Folder::of_run(session, path, options.output.as_deref())?.plan()?;
    let selected = select_some(&plan, options)?;
    fits(session, &plan, &files)?;
    Ok((plan, selected))
}

/// Tells what the data may not have been meant to be, and refuses those that this process cannot hold.
fn fits(session: &Session<'_>, plan: &Plan, files: &Files) -> Result<()> {
    let folder = plan.sweep.file.parent().unwrap_or_else(|| Path::new("."));
    for spec in &plan.sweep.datasets {
        if is_one_file(spec, folder) {
            (session.say)(&format!(
                "note: dataset `{}`: training and test rows are one file, so models are judged on rows that \
                 they have seen",
                spec.id
            ));
        }
    }
    for note in data_notes(plan) {
        (session.say)(&format!("note: {note}"));
    }
    let beyond = files
        .memory()
        .map_or_else(Vec::new, |memory| plan.beyond(memory));
    if beyond.is_empty() {
        Ok(())
    } else {
        Err(rejected(beyond))
    }
}

/// Refuses values of `--only` that nothing in the plan has, each by its name; `some` says whether the
/// others select anything.
pub(crate) fn check_only(only: Option<&Only>, plan: &Plan, some: bool) -> Result<()> {
    let unknown = only.map_or_else(Vec::new, |only| only.unknown(plan));
    if unknown.is_empty() {
        return Ok(());
    }
    let exit = if some {
        Exit::Usage
    } else {
        Exit::NothingSelected
    };
    let message = format!("--only: {}", unknown.join("\n  "));
    Err(Error::new(exit, message)
        .hint("`run --dry-run` shows the datasets and models of the sweep"))
}

fn select_some(plan: &Plan, options: &RunOptions) -> Result<Vec<bool>> {
    let selected = select(plan, options);
    // A shard without work of its own (more shards than splits) has finished its part: an array task
    // that ended otherwise would fail the whole job.
    let only_matches = || {
        let only = options.only.as_ref();
        (0..plan.cells.len()).any(|at| only.is_none_or(|only| only.wants(plan, at)))
    };
    check_only(options.only.as_ref(), plan, selected.contains(&true))?;
    if selected.contains(&true) || (options.shard.is_some() && only_matches()) {
        return Ok(selected);
    }
    let cells = plan.cells.len();
    let message = format!("none of the sweep's {cells} cells was selected");
    Err(Error::new(Exit::NothingSelected, message)
        .hint("`run --dry-run` shows the cells of each part of the sweep"))
}

/// Runs what is missing of a sweep (a file, or a folder with sweep.toml), then writes records and, unless
/// told otherwise, the report. Where the records agree with those that the folder holds (the same cells
/// and results epoch, every number to 1e-9, no flipped decision), what is committed of it stays as it is.
/// [`RunSummary::exit`] says how it ended: interrupted before cells missing before failures.
///
/// # Errors
/// Errors of the sweep, nothing selected, or a folder that cannot be written or is somebody else's.
pub fn run(session: &Session<'_>, path: &Path, options: &RunOptions) -> Result<RunSummary> {
    let folder = Folder::of_run(session, path, options.output.as_deref())?;
    folder.refuse_foreign()?;
    let (plan, files) = folder.plan()?;
    let selected = select_some(&plan, options)?;
    fits(session, &plan, &files)?;
    let asked: BTreeSet<&CellId> = {
        let cells = plan.cells.iter().zip(&selected);
        let cells = cells.filter(|(_, wanted)| **wanted);
        cells.map(|(cell, _)| &cell.id).collect()
    };
    if options.fresh && folder.output.is_dir() {
        let claims = claims_wanted(options, &plan).into_iter();
        let claims = claims.zip(&plan.claims).filter(|(wanted, _)| *wanted);
        let mut forgotten = asked.clone();
        forgotten.extend(claims.map(|(_, claim)| &claim.id));
        let _lock = Lock::of(session, &folder.output)?;
        aside::set_aside(&folder, &plan, &forgotten)?;
    }
    let joined = folder.joined(&plan)?;
    let beside = folder.sides()?;
    folder.tell_damage(&joined, &beside);
    let todo: Vec<bool> = plan
        .cells
        .iter()
        .zip(&selected)
        .enumerate()
        .map(|(at, (cell, wanted))| {
            let old = joined.entries.get(&cell.id);
            let again =
                old.is_some_and(|entry| options.retry_failed && entry.record.outcome.is_failure());
            // Scores or a curve that the sweep asks for since, and bins that were damaged: the cell is run
            // once more for them.
            *wanted && (again || !side_tables::complete(&plan, at, &joined, &beside))
        })
        .collect();
    let claims = claims_to_do(options, &plan, &beside);
    let ended = execute(&folder, &plan, options.shard, &todo, &claims)?;
    // Nothing is made anew where somebody took the folder away.
    let _lock = if folder.output.is_dir() {
        Some(Lock::of(session, &folder.output)?)
    } else {
        None
    };
    let joined = folder.joined(&plan)?;
    let asked = asked.into_iter();
    let (there, missing): (Vec<_>, Vec<_>) = asked
        .map(|cell| joined.entries.get(cell))
        .partition(Option::is_some);
    let there = there.into_iter().flatten();
    let failures = there
        .filter(|entry| entry.record.outcome.is_failure())
        .count();
    let exit = match ended {
        Ended::Interrupted => Exit::Interrupted,
        _ => Exit::of_store(failures, missing.len()),
    };
    let mut summary = RunSummary {
        sweep: plan.sweep.name.clone(),
        cells: plan.cells.len(),
        done: plan
            .cells
            .iter()
            .filter(|cell| joined.entries.contains_key(&cell.id))
            .count(),
        missing: missing.len(),
        outcomes: Vec::new(),
        leaks: None,
        records: folder.output.join("records.parquet"),
        page: None,
        same: false,
        kept: true,
        exit,
    };
    match ended {
        Ended::Broken(error) => (session.say)(&format!(
            "error: {error}; what was kept before lies in {}, and the same command goes on from there",
            folder.output.join(SEGMENTS).display()
        )),
        _ if !folder.output.is_dir() => (session.say)(&format!(
            "error: {}: the folder is gone",
            folder.output.display()
        )),
        ended => {
            let report = !options.no_report && !matches!(ended, Ended::Interrupted);
            finish(
                options.rewrite,
                &folder,
                &plan,
                &joined,
                report.then_some(&files),
                &mut summary,
            )?;
        }
    }
    Ok(summary)
}

/// Which cells `--shard` and `--only` want.
pub(crate) fn select(plan: &Plan, options: &RunOptions) -> Vec<bool> {
    let shards = options
        .shard
        .map(|s| (s.index - 1, plan.work().shards(s.count)));
    (0..plan.cells.len())
        .map(|at| {
            shards
                .as_ref()
                .is_none_or(|(own, shards)| shards.cells[at] == *own)
                && options
                    .only
                    .as_ref()
                    .is_none_or(|only| only.wants(plan, at))
        })
        .collect()
}

/// Which claims of leaks `--shard` and `--only` want.
fn claims_wanted(options: &RunOptions, plan: &Plan) -> Vec<bool> {
    if plan.claims.is_empty() {
        return Vec::new();
    }
    let shards = options
        .shard
        .map(|s| (s.index - 1, plan.work().shards(s.count)));
    let only = options.only.as_ref();
    (0..plan.claims.len())
        .map(|at| {
            shards
                .as_ref()
                .is_none_or(|(own, shards)| shards.claims[at] == *own)
                && only.is_none_or(|only| only.wants_claim(plan, at))
        })
        .collect()
}

/// Which claims of leaks are wanted and not measured yet.
fn claims_to_do(options: &RunOptions, plan: &Plan, beside: &Sides) -> Vec<bool> {
    let missing = |claim: &Claim| {
        let old = beside.leaks.get(&claim.id);
        old.is_none_or(|old| options.retry_failed && old.outcome.is_failure())
    };
    let wanted = claims_wanted(options, plan).into_iter();
    let claims = wanted.zip(&plan.claims);
    claims
        .map(|(wanted, claim)| wanted && missing(claim))
        .collect()
}

/// How the work on a store ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// With its last cell.
    Whole,
    /// It was told to stop before the end.
    Interrupted,
    /// The store took no more.
    Broken(Error),
}

/// Runs what is to do of the cells and of the claims.
pub(crate) fn execute(
    folder: &Folder<'_>,
    plan: &Plan,
    shard: Option<Shard>,
    todo: &[bool],
    claims: &[bool],
) -> Result<Ended> {
    let session = folder.session;
    if !todo.contains(&true) && !claims.contains(&true) {
        session.progress("nothing to run: every selected cell is done");
        return Ok(Ended::Whole);
    }
    let shard = shard.map_or_else(String::new, |s| format!("{}/{}", s.index, s.count));
    let header = Header::new(
        env!("CARGO_PKG_VERSION"),
        &plan.sweep_hash.hex(),
        &shard,
        &cpu_features(),
    )
    .with_origin(&build_hash(), &machine());
    let writer = SegmentWriter::create(&folder.output, &header)?;
    // For who looks at the folder, who plans the sweep where it could not be kept.
    let _ = Outline::keep(folder, plan);
    // A learner's panic is a record with its words; the usual hook would print it as a crash.
    let usual = Arc::new(std::panic::take_hook());
    let outside = Arc::clone(&usual);
    std::panic::set_hook(Box::new(move |panic| {
        if !limit::in_stage() {
            outside(panic);
        }
    }));
    let outlets = Outlets {
        sink: &writer,
        listener: session.listener,
        control: &session.control,
    };
    let result = harness::run(plan, todo, session.jobs, outlets).and_then(|summary| {
        let left = claims.iter().filter(|claim| **claim).count();
        if summary.interrupted || left == 0 {
            return Ok(summary.interrupted || left > 0);
        }
        session.progress(&format!("measuring {left} claims of leaks"));
        harness::leak::measure(plan, claims, session.jobs, outlets)
    });
    std::panic::set_hook(Box::new(move |panic| usual(panic)));
    let flushed = writer.flush();
    match (result, flushed) {
        (Ok(true), Ok(())) => Ok(Ended::Interrupted),
        (Ok(false), Ok(())) => Ok(Ended::Whole),
        (Ok(_), Err(error)) => Ok(Ended::Broken(error.into())),
        (Err(RunError::Sink(error)), _) => Ok(Ended::Broken(trouble(writer.path(), &error))),
        (Err(error), _) => {
            let cause = std::error::Error::source(&error)
                .map(|s| format!(": {s}"))
                .unwrap_or_default();
            Err(Error::internal(format!("{error}{cause}")))
        }
    }
}

/// Writes the records, and with `files` the report, and says in `summary` what became of them.
fn finish(
    rewrite: bool,
    folder: &Folder<'_>,
    plan: &Plan,
    joined: &Joined,
    files: Option<&Files>,
    summary: &mut RunSummary,
) -> Result<()> {
    let written = folder.write_records(plan, joined, rewrite)?;
    let sides = folder.sides()?;
    aside::forget(folder, plan, joined, &sides)?;
    summary.outcomes = outcomes(&written.records);
    summary.same = written.same;
    summary.kept = written.kept;
    if let Some(files) = files.filter(|_| !written.kept) {
        let material = Material {
            name: &plan.sweep.name,
            text: &plan.sweep.text,
            about: about(&written.records, files),
            records: Cow::Owned(written.records),
            timings: Cow::Owned(written.timings),
        };
        let output = folder.compose(material, &Target::default(), None)?;
        write(&output, &folder.output, written.same)?;
        summary.page = Some(folder.output.join(PAGE));
    }
    if !plan.claims.is_empty() {
        let done = plan
            .claims
            .iter()
            .filter_map(|claim| sides.leaks.get(&claim.id));
        let failed: Vec<bool> = done.map(|claim| claim.outcome.is_failure()).collect();
        let failures = failed.iter().filter(|failed| **failed).count();
        summary.leaks = Some((failed.len(), failures, plan.claims.len()));
    }
    Ok(())
}
