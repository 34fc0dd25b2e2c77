//! Has a ranking of methods regressed against the committed baseline?
//!
//! Results are content-addressed by what was asked for, not by the program that answered. So the gate
//! takes for done only what this very build has written, keeps its own results apart (in
//! `segments/gate`), and drops those of other builds: a second gate after a change of the program must not
//! pass because nothing was left to run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use counterweight_config::{Date, Diagnostic};
use counterweight_core::{CellId, Record};
use counterweight_frame::{read_text, write_atomically};
use counterweight_gate::baseline::Head;
use counterweight_gate::output::{Update, rank_figures, ranking_markdown};
use counterweight_gate::{
    Baseline, BaselineError, Gate, GateConfig, GateInput, Planned, Verdict, judge,
};
use counterweight_harness::plan::filter::Only;
use counterweight_harness::plan::{InputKind, Plan};
use counterweight_harness::run::blank;
use counterweight_store::{SEGMENTS, join, segment_files};

use crate::exit::{Error, Exit, Result};
use crate::folder::{Folder, make_folder, sound};
use crate::lock::Lock;
use crate::provenance::build_hash;
use crate::records::read_records;
use crate::run::{Ended, check_only, execute};
use crate::session::Session;
use crate::source::Files;

const BASELINE: &str = "baseline.csv";
const CONFIG: &str = "gate.toml";
const RANKING: &str = "RANKING.md";

/// What [`gate`] is asked for beside the folder.
#[derive(Clone, Debug, Default)]
pub struct GateOptions {
    /// Compare with this baseline (a file, or a folder with one) instead of the folder's own.
    pub baseline: Option<PathBuf>,
    /// Compare these records instead of running.
    pub records: Option<PathBuf>,
    /// Write baseline.csv and RANKING.md, for this reason, instead of comparing.
    pub update: Option<String>,
    /// Run on the splits of another seed.
    pub reseed: Option<u64>,
    /// Compare only some of the cells.
    pub only: Option<Only>,
}

/// How a gate ended.
#[derive(Debug)]
pub enum Gated {
    /// Compared with the baseline.
    Judged(Box<Gate>),
    /// A new baseline is written, with what was found against the old one.
    Updated {
        /// Against the old baseline, when there was one.
        against: Option<Box<Gate>>,
        /// baseline.csv.
        baseline: PathBuf,
        /// What changed, in words.
        change: String,
        /// RANKING.md.
        ranking: PathBuf,
        /// Cells of the new baseline that have failed.
        failing: usize,
    },
    /// The baseline says the same already.
    Unchanged(PathBuf),
    /// It was told to stop before the end.
    Interrupted,
}

impl Gated {
    /// Whether nothing regressed: also where a baseline was written instead, or stayed as it was.
    pub fn passes(&self) -> bool {
        match self {
            Self::Judged(gate) => gate.verdict == Verdict::Pass,
            Self::Updated { .. } | Self::Unchanged(_) => true,
            Self::Interrupted => false,
        }
    }
}

/// Runs the sweep of a folder where this build has not, and compares its records with the baseline.
///
/// # Errors
/// Errors of the sweep or of gate.toml, a baseline that is missing or of another sweep, nothing selected.
pub fn gate(session: &Session<'_>, path: &Path, args: &GateOptions) -> Result<Gated> {
    let folder = Folder::of_report(session, path)?;
    let file = baseline_file(path, args);
    // What is cheap to find out comes before minutes of work.
    let config = read_config(session, &path.join(CONFIG))?;
    let stored = match read_text(&file) {
        Ok(text) => Some(Baseline::read(&text).map_err(|error| trouble(&file, &error))?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && args.update.is_some() => None,
        Err(error) => {
            let message = format!("{}: {error}", file.display());
            return Err(Error::new(Exit::Baseline, message).hint(format!(
                    "write a first baseline with `counterweight gate {} --update --reason \"first baseline\"`",
                    path.display()
                )));
        }
    };
    let (plan, files) = folder.plan_seeded(args.reseed)?;
    refuse_chance(&plan)?;
    let planned = planned(&plan);
    config
        .check(&path.join(CONFIG).display().to_string(), &planned)
        .map_err(|problems| config_error(&path.join(CONFIG), problems))?;
    let head = head(&plan);
    let same_splits = match &stored {
        Some(baseline) => baseline
            .check(&head, &planned)
            .map_err(|error| trouble(&file, &error))?,
        None => true,
    };
    let selected: Vec<bool> = (0..plan.cells.len())
        .map(|at| args.only.as_ref().is_none_or(|only| only.wants(&plan, at)))
        .collect();
    let wanted: Vec<Planned> = planned
        .into_iter()
        .zip(&selected)
        .filter(|(_, selected)| **selected)
        .map(|(planned, _)| planned)
        .collect();
    check_only(args.only.as_ref(), &plan, !wanted.is_empty())?;
    if wanted.is_empty() {
        let cells = plan.cells.len();
        let message = format!("none of the sweep's {cells} cells was selected");
        return Err(Error::new(Exit::NothingSelected, message));
    }
    let records = match &args.records {
        Some(path) => given(session, path, &plan, &wanted)?,
        None => match results(&folder, &plan, &selected)? {
            Some(records) => records,
            None => return Ok(Gated::Interrupted),
        },
    };
    let clusters = clusters(&plan, &files);
    let fresh;
    let baseline = if let Some(baseline) = &stored {
        baseline
    } else {
        fresh = whole(head.clone(), &wanted, &records)?;
        &fresh
    };
    let shown = path.display().to_string();
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
    if let Some(reason) = &args.update {
        let new = whole(head, &wanted, &records)?;
        return update(&folder, &file, reason, verdict, stored.as_ref(), &new);
    }
    draw(&folder, &verdict)?;
    Ok(Gated::Judged(Box::new(verdict)))
}

fn baseline_file(folder: &Path, args: &GateOptions) -> PathBuf {
    match &args.baseline {
        Some(path) if path.is_dir() => path.join(BASELINE),
        Some(path) => path.clone(),
        None => folder.join(BASELINE),
    }
}

fn trouble(file: &Path, error: &BaselineError) -> Error {
    let message = format!("{}: {error}", file.display());
    Error::new(Exit::Baseline, message).hint(&error.hint)
}

fn read_config(session: &Session<'_>, file: &Path) -> Result<GateConfig> {
    let text = match read_text(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let file = file.display();
            (session.say)(&format!("note: there is no {file}: defaults, no claims"));
            return Ok(GateConfig::default());
        }
        Err(error) => return Err(Error::usage(format!("{}: {error}", file.display()))),
    };
    GateConfig::parse(&file.display().to_string(), &text)
        .map_err(|problems| config_error(file, problems))
}

fn config_error(file: &Path, list: Vec<Diagnostic>) -> Error {
    let n = list.len();
    Error {
        list,
        ..Error::usage(format!(
            "{} has {n} error{}; nothing was compared",
            file.display(),
            if n == 1 { "" } else { "s" }
        ))
    }
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

/// Refuses models whose results move by themselves: a gate would take that for a change of the program.
fn refuse_chance(plan: &Plan) -> Result<()> {
    let mut candidates = plan.sweep.models.iter().flat_map(|model| {
        let own = model.candidates().iter();
        own.map(move |built| (model, built.entry))
    });
    let Some((model, entry)) = candidates.find(|(_, entry)| !entry.caps.deterministic) else {
        return Ok(());
    };
    let hint = if entry.caps.library == "command" {
        "leave it out of the sweep, or say `deterministic = true` where that is so"
    } else {
        "leave it out of the sweep"
    };
    let message = format!(
        "{}:{}: model `{}` gives other results each time, and a gate compares them",
        plan.sweep.file.display(),
        model.line,
        model.id
    );
    Err(Error::usage(message).hint(hint))
}

/// Runs what this build has not run yet; `None` when it was told to stop before the end.
fn results(folder: &Folder<'_>, plan: &Plan, selected: &[bool]) -> Result<Option<Vec<Record>>> {
    let build = build_hash();
    let own = Folder {
        session: folder.session,
        sweep: folder.sweep.clone(),
        output: folder.output.join(SEGMENTS).join("gate"),
    };
    for file in segment_files(&own.output)? {
        if !written_by(&file, &build) {
            std::fs::remove_file(&file)
                .map_err(|error| Error::usage(format!("{}: {error}", file.display())))?;
        }
    }
    let records = || -> Result<BTreeMap<CellId, Record>> {
        let mut files = segment_files(&folder.output)?;
        files.extend(segment_files(&own.output)?);
        files.retain(|file| written_by(file, &build));
        Ok(join(&files, &sound(plan))?
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
    match execute(&own, plan, None, &todo, &[])? {
        Ended::Whole => {}
        Ended::Interrupted => return Ok(None),
        Ended::Broken(error) => return Err(error),
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
        && join(std::slice::from_ref(file), &|_| true).is_ok_and(|joined| {
            joined
                .segments
                .iter()
                .all(|(_, header, _)| header.build == build)
        })
}

/// The records of a file, which have to be of this sweep and seed.
fn given(
    session: &Session<'_>,
    path: &Path,
    plan: &Plan,
    wanted: &[Planned],
) -> Result<Vec<Record>> {
    let records = read_records(path)?;
    let known = plan.index();
    let mut seen: BTreeSet<&CellId> = BTreeSet::new();
    for record in &records {
        if !seen.insert(&record.cell) {
            let message = format!("{}: cell {} twice", path.display(), record.cell);
            return Err(Error::usage(message));
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
        return Err(
            Error::usage(message).hint("records of other seeds are compared with `--reseed SEED`")
        );
    }
    if strangers > 0 {
        (session.say)(&format!(
            "note: {strangers} records belong to no cell of this sweep and were left out"
        ));
    }
    Ok(records)
}

/// The cluster of each real dataset: the one of its table, whatever task it is made into.
fn clusters(plan: &Plan, files: &Files) -> BTreeMap<String, String> {
    let real = plan.inputs.iter();
    let real = real.filter(|input| matches!(input.kind, InputKind::Real(_)));
    real.map(|input| {
        let table = plan.sweep.table_of(input.spec);
        let entry = files.library().and_then(|library| library.entry(table));
        let cluster = entry.map_or(table, |entry| &entry.cluster);
        (input.id.clone(), cluster.to_owned())
    })
    .collect()
}

fn today() -> Result<Date> {
    Date::of(SystemTime::now()).ok_or_else(|| Error::internal("the clock is before 1970"))
}

fn whole(head: Head, planned: &[Planned], records: &[Record]) -> Result<Baseline> {
    Baseline::new(head, planned, records).map_err(|missing| {
        let (missing, all) = (missing.len(), planned.len());
        let message = format!("{missing} of {all} cells are missing, so no baseline is written");
        Error::new(Exit::Incomplete, message).hint("run the sweep to its end first")
    })
}

/// Writes the baseline and the ranking beside it, and says what changed.
fn update(
    folder: &Folder<'_>,
    file: &Path,
    reason: &str,
    verdict: Gate,
    stored: Option<&Baseline>,
    baseline: &Baseline,
) -> Result<Gated> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(Error::usage("`--reason` is empty")
            .hint("say why the ranking may change; it is kept in RANKING.md"));
    }
    let beside = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let _lock = Lock::of(folder.session, beside.unwrap_or_else(|| Path::new(".")))?;
    let there = read_text(file).ok();
    let there = there.and_then(|text| Baseline::read(&text).ok());
    if there.as_ref() != stored {
        let message = format!("{} was changed while cells were run", file.display());
        return Err(Error::new(Exit::Baseline, message)
            .hint("call the same command again: it compares with what is there now"));
    }
    let text = baseline.to_text();
    let ranking = file.with_file_name(RANKING);
    let same = stored.is_some_and(|stored| stored.to_text() == text);
    if same && ranking.is_file() {
        return Ok(Gated::Unchanged(file.to_owned()));
    }
    let change = if same {
        format!("{RANKING} written anew, every value as before")
    } else if stored.is_some() {
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
    let old = match read_text(&ranking) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(Error::usage(format!("{}: {error}", ranking.display()))),
    };
    let folder = folder.output.display().to_string();
    let update = Update {
        date: today()?,
        version: env!("CARGO_PKG_VERSION"),
        reason,
        change: &change,
    };
    let history = old.as_deref().unwrap_or_default();
    let page = ranking_markdown(&verdict, &folder, history, &update);
    // The baseline comes last: while it is the old one, the update is not done, and the next one does it.
    write_atomically(&ranking, page.as_bytes())?;
    if !same && let Err(error) = write_atomically(file, text.as_bytes()) {
        let undone = match old {
            Some(old) => write_atomically(&ranking, old.as_bytes()).is_ok(),
            None => std::fs::remove_file(&ranking).is_ok(),
        };
        let error = Error::from(error);
        return Err(if undone {
            error
        } else {
            error.hint(format!(
                "{} was written; the next `--update` goes on",
                ranking.display()
            ))
        });
    }
    let failing = baseline
        .entries
        .iter()
        .filter(|entry| entry.outcome.is_failure())
        .count();
    Ok(Gated::Updated {
        against: stored.map(|_| Box::new(verdict)),
        baseline: file.to_owned(),
        change,
        ranking,
        failing,
    })
}

/// Ranks before and after as pictures, where they moved; old ones are taken away.
fn draw(folder: &Folder<'_>, verdict: &Gate) -> Result<()> {
    let plots = folder.output.join("plots");
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
        let file = plots.join(format!("{name}.svg"));
        (folder.session.say)(&format!("ranks before and after: {}", file.display()));
    }
    Ok(())
}
