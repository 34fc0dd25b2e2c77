//! `counterweight run`: plan, run what is missing, write records, tables, plots and the page.

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::sync::Arc;

use counterweight_harness::plan::{Claim, FitGroup, Plan, estimated_seconds};
use counterweight_harness::run::{self, Control, Outlets};
use counterweight_store::{Header, Joined, SEGMENTS, SegmentWriter, Sides};

use crate::args::RunArgs;
use crate::build::build_hash;
use crate::exit::{CliError, Exit, Result};
use crate::folder::{Folder, Material, about, outcomes};
use crate::progress::Progress;
use crate::provenance::cpu_features;
use crate::sides;
use crate::source::Files;

pub(crate) fn run(args: &RunArgs) -> Result<Exit> {
    let folder = Folder::of_run(&args.path, args.output.as_deref())?;
    let (plan, files) = folder.plan()?;
    let selected = select(&plan, args);
    let count = selected.iter().filter(|wanted| **wanted).count();
    // A shard without work of its own (more shards than splits) has finished its part: an array task
    // that ended otherwise would fail the whole job.
    let only_matches = || {
        let only = args.only.as_ref();
        (0..plan.cells.len()).any(|at| only.is_none_or(|only| only.wants(&plan, at)))
    };
    if count == 0 && !(args.shard.is_some() && only_matches()) {
        return Err(CliError {
            exit: Exit::NothingSelected,
            message: format!(
                "none of the sweep's {} cells was selected",
                plan.cells.len()
            ),
            hint: Some("`run --dry-run` shows the cells of each part of the sweep".into()),
        });
    }
    if args.dry_run {
        dry_run(&plan, &selected, jobs(args));
        return Ok(Exit::Ok);
    }
    if args.fresh {
        forget(&folder)?;
    }
    let joined = folder.joined()?;
    let beside = if sides::wanted(&plan) {
        Some(folder.sides()?)
    } else {
        None
    };
    let todo: Vec<bool> = plan
        .cells
        .iter()
        .zip(&selected)
        .enumerate()
        .map(|(at, (cell, wanted))| {
            let old = joined.entries.get(&cell.id);
            let again =
                old.is_some_and(|entry| args.retry_failed && entry.record.outcome.is_failure());
            // Scores or a curve that the sweep asks for since: the cell is run once more for them.
            let bare = old.is_some_and(|entry| {
                beside
                    .as_ref()
                    .is_some_and(|beside| !sides::complete(&plan, at, entry, beside))
            });
            *wanted && (old.is_none() || again || bare)
        })
        .collect();
    let claims = claims_to_do(args, &plan, beside.as_ref());
    let interrupted = execute(args, &folder, &plan, (&todo, &claims))?;
    let joined = folder.joined()?;
    finish(args, &folder, &plan, &files, &joined)?;
    let failures = plan
        .cells
        .iter()
        .zip(&selected)
        .filter(|(_, wanted)| **wanted)
        .filter_map(|(cell, _)| joined.entries.get(&cell.id))
        .filter(|entry| entry.record.outcome.is_failure())
        .count();
    Ok(match (interrupted, failures) {
        (true, _) => Exit::Interrupted,
        (false, 0) => Exit::Ok,
        (false, _) => Exit::Finding,
    })
}

fn jobs(args: &RunArgs) -> usize {
    args.jobs.map_or_else(
        || std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        usize::from,
    )
}

/// Which cells `--shard` and `--only` want.
pub(crate) fn select(plan: &Plan, args: &RunArgs) -> Vec<bool> {
    let units = args.shard.map(|shard| shard.units(plan));
    plan.cells
        .iter()
        .enumerate()
        .map(|(at, cell)| {
            units.as_ref().is_none_or(|units| units[cell.unit])
                && args.only.as_ref().is_none_or(|only| only.wants(plan, at))
        })
        .collect()
}

/// Which claims of leaks are wanted and not measured yet.
fn claims_to_do(args: &RunArgs, plan: &Plan, beside: Option<&Sides>) -> Vec<bool> {
    let units = args.shard.map(|shard| shard.units(plan));
    let missing = |claim: &Claim| {
        let old = beside.and_then(|beside| beside.leaks.get(&claim.id));
        old.is_none_or(|old| args.retry_failed && old.outcome.is_failure())
    };
    plan.claims
        .iter()
        .enumerate()
        .map(|(at, claim)| {
            units.as_ref().is_none_or(|units| units[claim.unit])
                && args
                    .only
                    .as_ref()
                    .is_none_or(|only| only.wants_claim(plan, at))
                && missing(claim)
        })
        .collect()
}

/// Runs what is to do of the cells and of the claims; gives whether it was told to stop before the end.
pub(crate) fn execute(
    args: &RunArgs,
    folder: &Folder,
    plan: &Plan,
    (todo, claims): (&[bool], &[bool]),
) -> Result<bool> {
    if !todo.contains(&true) && !claims.contains(&true) {
        if !args.quiet {
            eprintln!("nothing to run: every selected cell is done");
        }
        return Ok(false);
    }
    let shard = args
        .shard
        .map_or_else(String::new, |s| format!("{}/{}", s.index, s.count));
    let header = Header::new(
        env!("CARGO_PKG_VERSION"),
        &plan.sweep_hash.hex(),
        &shard,
        &cpu_features(),
    )
    .with_build(&build_hash());
    let writer = SegmentWriter::create(&folder.output, &header)?;
    let control = Arc::new(Control::default());
    let asked = Arc::clone(&control);
    // Without a handler the program still works; it then loses at most the cells in hand.
    if let Err(error) = ctrlc::set_handler(move || asked.stop()) {
        eprintln!("note: interrupts will not wait for the cells in hand: {error}");
    }
    // A learner's panic is a record with its words; the default hook would print it as a crash.
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let progress = Progress::new(args.quiet);
    let outlets = Outlets {
        sink: &writer,
        listener: &progress,
        control: &control,
    };
    let result = run::run(plan, todo, jobs(args), outlets).and_then(|summary| {
        let left = claims.iter().filter(|claim| **claim).count();
        if summary.interrupted || left == 0 {
            return Ok(summary.interrupted || left > 0);
        }
        if !args.quiet {
            eprintln!("measuring {left} claims of leaks");
        }
        run::leak::measure(plan, claims, jobs(args), outlets)
    });
    std::panic::set_hook(usual);
    writer.flush()?;
    result.map_err(|error| {
        let cause = std::error::Error::source(&error)
            .map(|s| format!(": {s}"))
            .unwrap_or_default();
        CliError::internal(format!("{error}{cause}"))
    })
}

fn finish(
    args: &RunArgs,
    folder: &Folder,
    plan: &Plan,
    files: &Files,
    joined: &Joined,
) -> Result<()> {
    let (records, timings) = folder.write_records(plan, joined)?;
    if !args.no_report {
        folder.write_report(Material {
            name: &plan.sweep.name,
            text: &plan.sweep.text,
            records: Cow::Borrowed(&records),
            timings: Cow::Borrowed(&timings),
            about: about(&records, files),
        })?;
    }
    let counts: Vec<String> = outcomes(&records)
        .iter()
        .map(|(outcome, count)| format!("{count} {outcome}"))
        .collect();
    println!(
        "{}: {} of {} cells: {}",
        plan.sweep.name,
        plan.cells
            .iter()
            .filter(|cell| joined.entries.contains_key(&cell.id))
            .count(),
        plan.cells.len(),
        counts.join(", ")
    );
    if !plan.claims.is_empty() {
        let sides = folder.sides()?;
        let done: Vec<_> = plan
            .claims
            .iter()
            .filter_map(|claim| sides.leaks.get(&claim.id))
            .collect();
        let failed = done
            .iter()
            .filter(|claim| claim.outcome.is_failure())
            .count();
        println!(
            "leaks: {} of {} claims, {failed} failed; they make no records",
            done.len(),
            plan.claims.len()
        );
    }
    println!(
        "records: {}",
        folder.output.join("records.parquet").display()
    );
    if !args.no_report {
        println!("report: {}", folder.output.join("index.html").display());
    }
    Ok(())
}

fn forget(folder: &Folder) -> Result<()> {
    let segments = folder.output.join(SEGMENTS);
    match std::fs::remove_dir_all(&segments) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(CliError::usage(format!("{}: {error}", segments.display()))),
    }
}

/// What would run: for each dataset its cells, and how many are settled already.
fn dry_run(plan: &Plan, selected: &[bool], jobs: usize) {
    println!(
        "{:<32} {:>6} {:>7} {:>9} {:>14}",
        "dataset", "splits", "cells", "to run", "not applicable"
    );
    let mut total = (0, 0, 0, 0);
    for (at, input) in plan.inputs.iter().enumerate() {
        let mine: Vec<usize> = (0..plan.cells.len())
            .filter(|&cell| selected[cell] && plan.units[plan.cells[cell].unit].input == at)
            .collect();
        if mine.is_empty() {
            continue;
        }
        let mut splits: Vec<usize> = mine.iter().map(|&cell| plan.cells[cell].unit).collect();
        splits.dedup();
        let run = mine
            .iter()
            .filter(|&&cell| plan.cells[cell].settled.is_none())
            .count();
        let settled = mine.len() - run;
        println!(
            "{:<32} {:>6} {:>7} {run:>9} {settled:>14}",
            input.id,
            splits.len(),
            mine.len()
        );
        total = (
            total.0 + splits.len(),
            total.1 + mine.len(),
            total.2 + run,
            total.3 + settled,
        );
    }
    println!(
        "{:<32} {:>6} {:>7} {:>9} {:>14}",
        "all", total.0, total.1, total.2, total.3
    );
    let wanted = |fit: &&FitGroup| fit.cells.iter().any(|&cell| selected[cell]);
    let mut seconds = vec![0.0; plan.sweep.models.len()];
    for unit in &plan.units {
        for fit in unit
            .groups
            .iter()
            .flat_map(|group| &group.fits)
            .filter(wanted)
        {
            seconds[fit.model] += estimated_seconds(plan, unit, fit);
        }
    }
    println!();
    println!("{:<32} {:>12}", "model", "estimated s");
    for (model, seconds) in plan.sweep.models.iter().zip(&seconds) {
        println!("{:<32} {seconds:>12.1}", model.id);
    }
    let mut seconds: f64 = seconds.iter().sum();
    if !plan.claims.is_empty() {
        let claims: f64 = plan
            .claims
            .iter()
            .map(|claim| plan.claim_seconds(claim))
            .sum();
        let settled = plan
            .claims
            .iter()
            .filter(|claim| claim.settled.is_some())
            .count();
        println!("{:<32} {claims:>12.1}", "claims of leaks");
        println!(
            "leaks: {} claims of {} resamplers, {settled} not applicable; they make no records",
            plan.claims.len(),
            plan.sweep.leaks.len()
        );
        seconds += claims;
    }
    println!(
        "estimated work: {:.0} s of one core, about {:.0} s on {jobs} threads",
        seconds,
        seconds / jobs as f64
    );
}
