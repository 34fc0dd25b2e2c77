//! `counterweight explain`: every stage of one cell, with its seeds, counts, parameters and timings.

use std::path::Path;

use counterweight::{Error, Exit, Folder, Result, Session, read_records, read_timings};
use counterweight_core::catalogue::describe_counts;
use counterweight_core::{ClassCounts, Outcome, Record};
use counterweight_harness::plan::{InputKind, Plan, Rows};

pub(crate) fn explain(session: &Session<'_>, path: &Path, prefix: &str) -> Result<Exit> {
    let folder = Folder::of_report(session, path)?;
    let (plan, _) = folder.plan()?;
    let at = plan
        .find_cell(prefix)
        .map_err(|problem| Error::usage(problem).hint("cell ids stand in records.csv"))?;
    let joined = folder.joined(&plan)?;
    let cell = &plan.cells[at];
    // Segments come first; committed records serve where there are none.
    let (record, timing) = match joined.entries.get(&cell.id) {
        Some(entry) => (Some(entry.record.clone()), Some(entry.timing.clone())),
        None => (
            read_records(path)
                .ok()
                .and_then(|list| list.into_iter().find(|r| r.cell == cell.id)),
            read_timings(path)
                .ok()
                .and_then(|list| list.into_iter().find(|timing| timing.cell == cell.id)),
        ),
    };
    rows(&plan, at);
    stages(&plan, at);
    match &record {
        Some(record) => result(record),
        None => println!("result\n  not run yet"),
    }
    if let Some(timing) = timing {
        println!("timing");
        for (stage, seconds) in [
            ("resample", timing.resample_seconds),
            ("fit", timing.fit_seconds),
            ("score", timing.score_seconds),
            ("cross-fit", timing.crossfit_seconds),
            ("decide", timing.decide_seconds),
        ] {
            println!("  {stage:<10} {seconds:.6} s");
        }
    }
    Ok(Exit::Ok)
}

fn rows(plan: &Plan, at: usize) {
    let cell = &plan.cells[at];
    let unit = &plan.units[cell.unit];
    let input = &plan.inputs[unit.input];
    println!("cell {}", cell.id);
    println!("data");
    println!(
        "  dataset    {} ({}), values {}",
        input.id,
        input.source(),
        input.hash.short()
    );
    println!(
        "  split      repeat {}, fold {}, profile {}",
        unit.repeat, unit.fold, unit.profile
    );
    let names: Vec<String> = match &input.kind {
        InputKind::Real(data) => data.labels().names().to_vec(),
        InputKind::Population(_) => (0..input.n_classes)
            .map(|class| class.to_string())
            .collect(),
    };
    let show = |counts: &ClassCounts| describe_counts(&names, counts);
    println!(
        "  training   {} rows: {}",
        unit.train.total(),
        show(&unit.train)
    );
    println!(
        "  test       {} rows: {}",
        unit.test.total(),
        show(&unit.test)
    );
    if let Rows::None(outcome, reason) = &unit.rows {
        println!("  no rows    {outcome}: {reason}");
    }
    for note in &unit.notes {
        println!("  note       {}", note.text());
    }
    println!(
        "  prepare    {}, {} columns",
        input.preprocess.id(),
        input.n_features
    );
}

fn stages(plan: &Plan, at: usize) {
    let cell = &plan.cells[at];
    let unit = &plan.units[cell.unit];
    let model = &plan.sweep.models[cell.model];
    let correction = &plan.sweep.corrections[cell.correction];
    let seed = plan.sweep.seed;
    let stream =
        |stage: &str, method: &str| seed.stage(stage).text(method).text(&unit.key).short_seed();
    println!("stages");
    println!(
        "  correction {} (family {})",
        correction.id,
        correction.family()
    );
    if let Some(ensemble) = &correction.ensemble {
        let ensemble = ensemble.canonical();
        println!(
            "  ensemble   {ensemble}, stream {:016x}",
            stream("ensemble", &ensemble)
        );
    } else if &*cell.resample == "none" {
        println!("  resample   none");
    } else {
        println!(
            "  resample   {}, stream {:016x}",
            cell.resample,
            stream("resample", &cell.resample)
        );
    }
    println!("  loss       {}", correction.loss.canonical());
    // Made features do not move the learner's stream.
    println!(
        "  model      {}, stream {:016x}",
        model.canonical(),
        stream("learner", &model.learner.canonical())
    );
    println!("  decide     {}", correction.decide.canonical());
    if correction.decide.method.needs().calibration {
        let inner = seed.stage("inner").text(&unit.key).short_seed();
        println!(
            "  cross-fit  {} inner folds, stream {inner:016x}",
            plan.sweep.protocol.inner_folds
        );
    }
    if let Some((outcome, reason)) = &cell.settled {
        println!("  planned    {outcome}: {reason}");
    }
}

fn result(record: &Record) {
    println!("result");
    println!("  outcome    {}", record.outcome);
    if !record.reason.is_empty() {
        println!("  reason     {}", record.reason);
    }
    if record.outcome == Outcome::NotApplicable {
        return;
    }
    if let Some(ratio) = record.imbalance_ratio {
        println!(
            "  imbalance ratio {ratio}, smallest class {}",
            record.minority_count
        );
    }
    let recalls: Vec<String> = record
        .recalls
        .iter()
        .map(|recall| recall.map_or_else(|| "-".to_owned(), |r| format!("{r:.4}")))
        .collect();
    println!("  recalls    {}", recalls.join(" "));
    if let Some(bayes) = record.bayes_balanced_error {
        println!("  bayes_balanced_error {bayes:.6}");
    }
    for (id, value) in &record.metrics {
        println!("  {id} {value:.6}");
    }
    for (key, value) in &record.details {
        println!("  detail     {key} {value}");
    }
}
