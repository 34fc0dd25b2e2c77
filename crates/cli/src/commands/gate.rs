//! `counterweight gate`: has a ranking of methods regressed against the committed baseline?
//!
//! Results are content-addressed by what was asked for, not by the program that answered. So the gate
//! takes for done only what this very build has written, keeps its own results apart (in
//! `segments/gate`), and drops those of other builds: a second gate after a change of the program must not
//! pass because nothing was left to run.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use counterweight_config::{Date, Diagnostic};
use counterweight_core::{CellId, Record};
use counterweight_frame::write_atomically;
use counterweight_gate::baseline::Head;
use counterweight_gate::output::{
    SUMMARY_BYTES, Update, annotations, json, junit, rank_figures, ranking_markdown, summary, text,
};
use counterweight_gate::{
    Baseline, BaselineError, Gate, GateConfig, GateInput, Planned, Verdict, judge,
};
use counterweight_harness::plan::Plan;
use counterweight_harness::run::blank;
use counterweight_store::{SEGMENTS, join, segment_files};

use crate::args::{GateArgs, GateFormat, RunArgs};
use crate::build::build_hash;
use crate::commands::run;
use crate::exit::{CliError, Exit, Result};
use crate::folder::{Folder, about, make_folder, read_records};
use crate::source::Files;

const BASELINE: &str = "baseline.csv";
const CONFIG: &str = "gate.toml";
const RANKING: &str = "RANKING.md";

pub(crate) fn gate(args: &GateArgs) -> Result<Exit> {
    let folder = Folder::of_report(&args.folder)?;
    let file = baseline_file(args);
    if args.update {
        refuse_in_ci()?;
    }
    // What is cheap to find out comes before minutes of work.
    let config = read_config(&args.folder.join(CONFIG))?;
    let stored = match std::fs::read_to_string(&file) {
        Ok(text) => Some(Baseline::read(&text).map_err(|error| trouble(&file, &error))?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && args.update => None,
        Err(error) => {
            return Err(CliError {
                exit: Exit::Baseline,
                message: format!("{}: {error}", file.display()),
                hint: Some(format!(
                    "write a first baseline with `counterweight gate {} --update --reason \"first baseline\"`",
                    args.folder.display()
                )),
            });
        }
    };
    let (plan, files) = folder.plan_seeded(args.reseed)?;
    let planned = planned(&plan);
    config
        .check(&args.folder.join(CONFIG).display().to_string(), &planned)
        .map_err(|problems| config_error(&args.folder.join(CONFIG), &problems))?;
    let head = head(&plan);
    let same_splits = match &stored {
        Some(baseline) => baseline
            .check(&head, &planned)
            .map_err(|error| trouble(&file, &error))?,
        None => true,
    };
    let run_args = run_args(args);
    let selected: Vec<bool> = (0..plan.cells.len())
        .map(|at| args.only.as_ref().is_none_or(|only| only.wants(&plan, at)))
        .collect();
    let wanted: Vec<Planned> = planned
        .into_iter()
        .zip(&selected)
        .filter(|(_, selected)| **selected)
        .map(|(planned, _)| planned)
        .collect();
    if wanted.is_empty() {
        return Err(CliError {
            exit: Exit::NothingSelected,
            message: format!(
                "none of the sweep's {} cells was selected",
                plan.cells.len()
            ),
            hint: None,
        });
    }
    let records = match &args.records {
        Some(path) => given(path, &plan, &wanted)?,
        None => match results(&run_args, &folder, &plan, &selected)? {
            Some(records) => records,
            None => return Ok(Exit::Interrupted),
        },
    };
    let clusters = clusters(&records, &files);
    let fresh;
    let baseline = if let Some(baseline) = &stored {
        baseline
    } else {
        fresh = whole(head.clone(), &wanted, &records)?;
        &fresh
    };
    let shown = args.folder.display().to_string();
    let verdict = judge(&GateInput {
        sweep: &plan.sweep.name,
        folder: &shown,
        config: &config,
        baseline,
        planned: &wanted,
        records: &records,
        clusters: &clusters,
        same_splits,
        reseed: args.reseed,
        today: today()?,
    })?;
    if args.update {
        return update(
            args,
            &file,
            &verdict,
            stored.as_ref(),
            &whole(head, &wanted, &records)?,
        );
    }
    draw(args, &verdict)?;
    print(args, &verdict)?;
    Ok(match verdict.verdict {
        Verdict::Pass => Exit::Ok,
        Verdict::Finding => Exit::Finding,
        Verdict::Incomplete => Exit::Incomplete,
        Verdict::NothingSelected => Exit::NothingSelected,
    })
}

fn baseline_file(args: &GateArgs) -> PathBuf {
    match &args.baseline {
        Some(path) if path.is_dir() => path.join(BASELINE),
        Some(path) => path.clone(),
        None => args.folder.join(BASELINE),
    }
}

/// A pull request must not rewrite what it is measured against.
fn refuse_in_ci() -> Result<()> {
    let ci = std::env::var("CI").unwrap_or_default();
    if matches!(ci.to_lowercase().as_str(), "" | "0" | "false") {
        return Ok(());
    }
    Err(CliError::usage("`--update` is refused where CI is set")
        .hint("update the baseline on a machine of your own and commit the difference"))
}

fn trouble(file: &Path, error: &BaselineError) -> CliError {
    CliError {
        exit: Exit::Baseline,
        message: format!("{}: {error}", file.display()),
        hint: Some(error.hint.clone()),
    }
}

fn read_config(file: &Path) -> Result<GateConfig> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("note: there is no {}: defaults, no claims", file.display());
            return Ok(GateConfig::default());
        }
        Err(error) => return Err(CliError::usage(format!("{}: {error}", file.display()))),
    };
    GateConfig::parse(&file.display().to_string(), &text)
        .map_err(|problems| config_error(file, &problems))
}

fn config_error(file: &Path, problems: &[Diagnostic]) -> CliError {
    let name = file.display().to_string();
    for problem in problems {
        eprintln!("error: {problem}");
    }
    let n = problems.len();
    CliError::usage(format!(
        "{name} has {n} error{}; nothing was compared",
        if n == 1 { "" } else { "s" }
    ))
}

/// Every cell of the sweep, by what it is.
fn planned(plan: &Plan) -> Vec<Planned> {
    (0..plan.cells.len())
        .map(|at| Planned::of(&blank(plan, at)))
        .collect()
}

fn head(plan: &Plan) -> Head {
    Head {
        sweep: plan.sweep.name.clone(),
        sweep_hash: plan.sweep_hash.hex(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: plan.sweep.seed.0,
        datasets: plan
            .inputs
            .iter()
            .map(|input| (input.id.clone(), input.hash.hex()))
            .collect(),
    }
}

fn run_args(args: &GateArgs) -> RunArgs {
    RunArgs {
        path: args.folder.clone(),
        jobs: args.jobs,
        shard: None,
        only: args.only.clone(),
        dry_run: false,
        fresh: false,
        retry_failed: false,
        output: None,
        no_report: true,
        quiet: args.quiet,
    }
}

/// Runs what this build has not run yet; `None` when it was told to stop before the end.
fn results(
    args: &RunArgs,
    folder: &Folder,
    plan: &Plan,
    selected: &[bool],
) -> Result<Option<Vec<Record>>> {
    let build = build_hash();
    let own = Folder {
        sweep: folder.sweep.clone(),
        output: folder.output.join(SEGMENTS).join("gate"),
    };
    for file in segment_files(&own.output)? {
        if !written_by(&file, &build) {
            std::fs::remove_file(&file)
                .map_err(|error| CliError::usage(format!("{}: {error}", file.display())))?;
        }
    }
    let records = || -> Result<BTreeMap<CellId, Record>> {
        let mut files = segment_files(&folder.output)?;
        files.extend(segment_files(&own.output)?);
        files.retain(|file| written_by(file, &build));
        Ok(join(&files)?
            .entries
            .into_iter()
            .map(|(cell, entry)| (cell, entry.record))
            .collect())
    };
    let done = records()?;
    let todo: Vec<bool> = plan
        .cells
        .iter()
        .zip(selected)
        .map(|(cell, wanted)| *wanted && !done.contains_key(&cell.id))
        .collect();
    if run::execute(args, &own, plan, (&todo, &[]))? {
        return Ok(None);
    }
    let mut done = if todo.contains(&true) {
        records()?
    } else {
        done
    };
    Ok(Some(
        plan.cells
            .iter()
            .filter_map(|cell| done.remove(&cell.id))
            .collect(),
    ))
}

/// Whether a segment was written by this build, and can be read.
fn written_by(file: &PathBuf, build: &str) -> bool {
    !build.is_empty()
        && join(std::slice::from_ref(file)).is_ok_and(|joined| {
            joined
                .segments
                .iter()
                .all(|(_, header, _)| header.build == build)
        })
}

/// The records of a file, which have to be of this sweep and seed.
fn given(path: &Path, plan: &Plan, wanted: &[Planned]) -> Result<Vec<Record>> {
    let records = read_records(path)?;
    let known = plan.index();
    let mut seen: BTreeSet<&CellId> = BTreeSet::new();
    for record in &records {
        if !seen.insert(&record.cell) {
            let message = format!("{}: cell {} twice", path.display(), record.cell);
            return Err(CliError::usage(message));
        }
    }
    let strangers = records
        .iter()
        .filter(|record| !known.contains_key(&record.cell))
        .count();
    let found = wanted
        .iter()
        .filter(|planned| seen.contains(&planned.cell))
        .count();
    if found == 0 {
        let message = format!("{}: no record is of this sweep and seed", path.display());
        return Err(CliError::usage(message)
            .hint("records of other seeds are compared with `--reseed SEED`"));
    }
    if strangers > 0 {
        eprintln!("note: {strangers} records belong to no cell of this sweep and were left out");
    }
    Ok(records)
}

fn clusters(records: &[Record], files: &Files) -> BTreeMap<String, String> {
    about(records, files)
        .into_iter()
        .map(|about| (about.id, about.cluster))
        .collect()
}

fn today() -> Result<Date> {
    Date::of(SystemTime::now()).ok_or_else(|| CliError::internal("the clock is before 1970"))
}

fn whole(head: Head, planned: &[Planned], records: &[Record]) -> Result<Baseline> {
    Baseline::new(head, planned, records).map_err(|missing| CliError {
        exit: Exit::Incomplete,
        message: format!(
            "{} of {} cells are missing, so no baseline is written",
            missing.len(),
            planned.len()
        ),
        hint: Some("run the sweep to its end first".into()),
    })
}

/// Writes the baseline and the ranking beside it, and says what changed.
fn update(
    args: &GateArgs,
    file: &Path,
    verdict: &Gate,
    stored: Option<&Baseline>,
    baseline: &Baseline,
) -> Result<Exit> {
    let reason = args.reason.as_deref().unwrap_or_default().trim();
    if reason.is_empty() {
        return Err(CliError::usage("`--reason` is empty")
            .hint("say why the ranking may change; it is kept in RANKING.md"));
    }
    let text = baseline.to_text();
    if stored.is_some_and(|stored| stored.to_text() == text) {
        println!("{} says this already: nothing written", file.display());
        return Ok(Exit::Ok);
    }
    let change = if stored.is_some() {
        use counterweight_gate::ArmStatus as Status;
        let count = |status| verdict.with_status(status).count();
        format!(
            "{} of {} cells; methods: {} regressed, {} improved, {} moved",
            verdict.compared - verdict.identical + verdict.lost.len() + verdict.gained,
            baseline.entries.len(),
            count(Status::Regressed),
            count(Status::Improved),
            count(Status::Moved) + count(Status::Unclear),
        )
    } else {
        format!("first baseline, {} cells", baseline.entries.len())
    };
    let ranking = file.with_file_name(RANKING);
    let old = match std::fs::read_to_string(&ranking) {
        Ok(old) => old,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(CliError::usage(format!("{}: {error}", ranking.display()))),
    };
    let folder = args.folder.display().to_string();
    let update = Update {
        date: today()?,
        version: env!("CARGO_PKG_VERSION"),
        reason,
        change: &change,
    };
    let page = ranking_markdown(verdict, &folder, &old, &update);
    write_atomically(file, text.as_bytes())?;
    write_atomically(&ranking, page.as_bytes())?;
    if stored.is_some() {
        print!("{}", counterweight_gate::output::text(verdict));
    }
    println!("{}: {change}", file.display());
    println!("{}: {reason}", ranking.display());
    let failing = baseline
        .entries
        .iter()
        .filter(|entry| entry.outcome.is_failure())
        .count();
    if failing > 0 {
        eprintln!(
            "note: {failing} cells of this baseline have failed; only their recovery would be seen"
        );
    }
    Ok(Exit::Ok)
}

/// Ranks before and after as pictures, where they moved; old ones are taken away.
fn draw(args: &GateArgs, verdict: &Gate) -> Result<()> {
    let plots = args.folder.join("plots");
    if let Ok(entries) = std::fs::read_dir(&plots) {
        for entry in entries.flatten() {
            if entry
                .file_name()
                .to_string_lossy()
                .starts_with("gate-ranks-")
            {
                let _already_gone = std::fs::remove_file(entry.path());
            }
        }
    }
    let figures = rank_figures(verdict)?;
    if figures.is_empty() {
        return Ok(());
    }
    make_folder(&plots)?;
    for (name, figure) in figures {
        write_atomically(&plots.join(format!("{name}.svg")), figure.svg.as_bytes())?;
        write_atomically(&plots.join(format!("{name}.png")), &figure.png)?;
        eprintln!(
            "ranks before and after: {}",
            plots.join(format!("{name}.svg")).display()
        );
    }
    Ok(())
}

fn print(args: &GateArgs, verdict: &Gate) -> Result<()> {
    match args.format {
        GateFormat::Text => print!("{}", text(verdict)),
        GateFormat::Json => println!("{}", json(verdict)?),
        GateFormat::Junit => print!("{}", junit(verdict)),
        GateFormat::Github => {
            let config = args.folder.join(CONFIG).display().to_string();
            print!("{}{}", text(verdict), annotations(verdict, &config));
        }
    }
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    let path = PathBuf::from(path);
    let before = std::fs::metadata(&path).map_or(0, |file| file.len());
    let left = SUMMARY_BYTES.saturating_sub(usize::try_from(before).unwrap_or(usize::MAX));
    let words = summary(verdict, left);
    // The verdict stands whether or not its summary could be written.
    let written = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .and_then(|mut file| file.write_all(words.as_bytes()));
    if let Err(error) = written {
        eprintln!("note: {}: {error}", path.display());
    }
    Ok(())
}
