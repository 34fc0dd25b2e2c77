//! `counterweight run`: runs what is missing of a sweep, and says what came of it.

use std::path::PathBuf;

use counterweight::{Error, Exit, Result, RunOptions, Session};
use counterweight_harness::plan::{FitGroup, Plan, estimated_seconds};

use crate::args::RunArgs;
use crate::commands::counts;

/// The sweep that is run where none is named.
const DEFAULT: &str = "reports/quick";

/// A sweep that runs wherever the program is.
const FIRST: &str = r#"format = 1
name = "first"
[[dataset]]
name = "yeast"
positive = ["ME2"]
[[model]]
kind = "softmax-regression"
[[correction]]
preset = "families"
"#;

/// The sweep's file or folder.
fn sweep(named: Option<&PathBuf>) -> Result<PathBuf> {
    if let Some(path) = named {
        return Ok(path.clone());
    }
    let path = PathBuf::from(DEFAULT);
    if path.exists() {
        return Ok(path);
    }
    let message = format!("no sweep is named, and there is no {DEFAULT} here");
    let hint = "put these lines into first/sweep.toml and call `counterweight run first`; \
        `counterweight list datasets` shows what data there are";
    Err(Error::usage(message).hint(format!("{hint}\n\n{FIRST}")))
}

pub(crate) fn run(session: &Session<'_>, args: &RunArgs) -> Result<Exit> {
    let options = RunOptions {
        output: args.output.clone(),
        shard: args.shard,
        only: args.only.clone(),
        fresh: args.fresh,
        retry_failed: args.retry_failed,
        no_report: args.no_report,
        rewrite: args.rewrite,
    };
    let path = sweep(args.path.as_ref())?;
    if args.dry_run {
        let (plan, selected) = counterweight::selected(session, &path, &options)?;
        dry_run(&plan, &selected, session.jobs);
        return Ok(Exit::Ok);
    }
    let ran = counterweight::run(session, &path, &options)?;
    let outcomes = match counts(&ran.outcomes) {
        none if none.is_empty() => none,
        some => format!(": {some}"),
    };
    println!(
        "{}: {} of {} cells{outcomes}",
        ran.sweep, ran.done, ran.cells
    );
    if ran.exit == Exit::Interrupted {
        eprintln!("interrupted: no report is written; the same command goes on from here");
    } else if ran.missing > 0 {
        eprintln!(
            "missing: {} of the cells asked for are not in the store; the same command runs them",
            ran.missing
        );
    }
    if let Some((done, failed, all)) = ran.leaks {
        println!("leaks: {done} of {all} claims, {failed} failed; they make no records");
    }
    if !ran.kept {
        println!("records: {}", ran.records.display());
    }
    if let Some(page) = &ran.page {
        println!("report: {}", page.display());
    }
    if ran.same {
        println!("same values as before: what is committed stays as it is");
    }
    Ok(ran.exit)
}

/// What would run: for each dataset its cells, and how many are settled already.
fn dry_run(plan: &Plan, selected: &[bool], jobs: usize) {
    println!(
        "{:<32} {:>6} {:>7} {:>9} {:>14}",
        "dataset", "splits", "cells", "to run", "not applicable"
    );
    // For each dataset: splits, cells, and those to run. Cells stand in the order of their splits.
    let mut counts = vec![(0, 0, 0); plan.inputs.len()];
    let mut last = None;
    for (cell, _) in plan
        .cells
        .iter()
        .zip(selected)
        .filter(|(_, wanted)| **wanted)
    {
        let (splits, cells, run) = &mut counts[plan.units[cell.unit].input];
        *splits += usize::from(last != Some(cell.unit));
        *cells += 1;
        *run += usize::from(cell.settled.is_none());
        last = Some(cell.unit);
    }
    let line = |name: &str, (splits, cells, run): (usize, usize, usize)| {
        let settled = cells - run;
        println!("{name:<32} {splits:>6} {cells:>7} {run:>9} {settled:>14}");
    };
    let mut total = (0, 0, 0);
    for (input, &(splits, cells, run)) in plan.inputs.iter().zip(&counts) {
        if cells > 0 {
            line(&input.id, (splits, cells, run));
            total = (total.0 + splits, total.1 + cells, total.2 + run);
        }
    }
    line("all", total);
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
