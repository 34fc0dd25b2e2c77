//! A report folder: where the sweep file is, what has been done, and what is written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use counterweight_config::Diagnostic;
use counterweight_core::{Finished, Outcome, Record, Seed, Table, Timing};
use counterweight_frame::{read_table, read_table_in_parts, write_atomically, write_table};
use counterweight_harness::config::{self, Sweep};
use counterweight_harness::plan::Plan;
use counterweight_report::{Analysis, DatasetAbout, ReportInput, Target};
use counterweight_store::{
    Joined, LeakRow, Places, ReliabilityGroup, Sides, TableError, curves_table, details_table,
    join, leaks_from_table, leaks_table, read_sides, records_from_table, records_table,
    reliability_table, scores_table, segment_files, side_files, take_reliability,
    timings_from_table, timings_table,
};

use crate::catalogue::CATALOGUE;
use crate::exit::{CliError, Exit, Result};
use crate::provenance::Provenance;
use crate::sides::{claim_names, class_names, imported, wanted};
use crate::source::Files;

/// Name of a sweep file inside its report folder.
const SWEEP: &str = "sweep.toml";
/// Reliability bins of a report folder.
const RELIABILITY: &str = "reliability.parquet";

/// Name of the table of leaks inside a report folder.
const LEAK: &str = "leak.parquet";

/// A sweep file and the folder that holds its results.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) sweep: PathBuf,
    pub(crate) output: PathBuf,
}

impl Folder {
    /// From what `run` is given: a sweep file, or a folder with one.
    pub(crate) fn of_run(path: &Path, output: Option<&Path>) -> Result<Self> {
        let sweep = if path.is_dir() {
            path.join(SWEEP)
        } else {
            path.to_path_buf()
        };
        if !sweep.is_file() {
            let hint = if path.is_dir() {
                "the folder has no sweep.toml; see the README for the sweep file format"
            } else {
                "give a sweep file, or a folder that holds a sweep.toml"
            };
            return Err(CliError::usage(format!("{}: no such file", sweep.display())).hint(hint));
        }
        let beside = match sweep.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        };
        Ok(Self {
            sweep,
            output: output.map_or(beside, Path::to_path_buf),
        })
    }

    /// From a report folder. Results that were written elsewhere with `--output` remember where
    /// their sweep file is, since its relative paths count from there.
    pub(crate) fn of_report(folder: &Path) -> Result<Self> {
        if !folder.is_dir() {
            return Err(
                CliError::usage(format!("{}: no such folder", folder.display()))
                    .hint("give a report folder, such as reports/quick"),
            );
        }
        let source = Provenance::sweep_source(folder).map(|source| folder.join(source));
        let sweep = match source {
            Some(source) if source.is_file() => source,
            _ => folder.join(SWEEP),
        };
        if !sweep.is_file() {
            return Err(
                CliError::usage(format!("{}: no such file", sweep.display()))
                    .hint("the folder has no sweep.toml, so there is nothing to compare it with"),
            );
        }
        Ok(Self {
            sweep,
            output: folder.to_path_buf(),
        })
    }

    /// Reads, checks and plans the sweep; every error is printed, one below the other.
    pub(crate) fn plan(&self) -> Result<(Plan, Files)> {
        self.plan_seeded(None)
    }

    /// The same, under another seed than the sweep's own.
    pub(crate) fn plan_seeded(&self, seed: Option<u64>) -> Result<(Plan, Files)> {
        let text = std::fs::read_to_string(&self.sweep)
            .map_err(|error| CliError::usage(format!("{}: {error}", self.sweep.display())))?;
        let files = Files::new(self.sweep.parent().unwrap_or_else(|| Path::new(".")));
        let sweep = config::parse(&self.sweep, &text, &CATALOGUE).map_err(|rejected| {
            let mut errors = rejected.errors;
            if let Some(sweep) = rejected.sound {
                errors.extend(Plan::check(&sweep, &files));
                errors.sort_by_key(|error| error.line);
            }
            report(&errors)
        })?;
        let sweep = Sweep {
            seed: seed.map_or(sweep.seed, Seed),
            ..sweep
        };
        let plan = Plan::new(Arc::new(sweep), CATALOGUE, &files).map_err(|list| report(&list))?;
        Ok((plan, files))
    }

    /// What the segments hold.
    pub(crate) fn joined(&self) -> Result<Joined> {
        let joined = join(&segment_files(&self.output)?)?;
        if joined.torn > 0 {
            eprintln!(
                "note: {} torn line{} at the end of segments ignored: a process died while writing",
                joined.torn,
                if joined.torn == 1 { "" } else { "s" }
            );
        }
        Ok(joined)
    }

    /// What the segments hold beside the records.
    pub(crate) fn sides(&self) -> Result<Sides> {
        Ok(read_sides(&side_files(&self.output)?)?)
    }

    /// Writes records.parquet, records.csv, timings.parquet, details.parquet, reliability.parquet and
    /// run.json (and scores.parquet, curves.parquet and leak.parquet where the sweep wants them) from what is done of the plan; gives the records in plan order.
    pub(crate) fn write_records(
        &self,
        plan: &Plan,
        joined: &Joined,
    ) -> Result<(Vec<Record>, Vec<Timing>)> {
        let imported = imported(plan, &self.output)?;
        let done: Vec<&Finished> = plan
            .cells
            .iter()
            .filter_map(|cell| joined.entries.get(&cell.id))
            .chain(&imported)
            .collect();
        let records: Vec<Record> = done.iter().map(|entry| entry.record.clone()).collect();
        let timings: Vec<Timing> = done.iter().map(|entry| entry.timing.clone()).collect();
        make_folder(&self.output)?;
        let table = records_table(&records, &CATALOGUE)?;
        write_table(&table, &self.output.join("records.parquet"))?;
        write_table(&table, &self.output.join("records.csv"))?;
        write_table(
            &timings_table(&timings)?,
            &self.output.join("timings.parquet"),
        )?;
        write_table(
            &details_table(&records)?,
            &self.output.join("details.parquet"),
        )?;
        let sides = self.sides()?;
        write_table(
            &reliability_table(&records, &sides)?,
            &self.output.join(RELIABILITY),
        )?;
        if wanted(plan) {
            if plan.sweep.protocol.keep_scores {
                let table = scores_table(&records, &sides, &class_names(plan))?;
                write_table(&table, &self.output.join("scores.parquet"))?;
            }
            if !plan.sweep.curves.is_empty() {
                let curves = plan.sweep.curves.iter();
                let curves: Vec<_> = curves.map(|c| (c.id.as_str(), c.parameter)).collect();
                let table = curves_table(&records, &sides, &curves)?;
                write_table(&table, &self.output.join("curves.parquet"))?;
            }
            if !plan.sweep.leaks.is_empty() {
                let table = leaks_table(&claim_names(plan), &sides)?;
                write_table(&table, &self.output.join(LEAK))?;
            }
        }
        let own = self.output.join(SWEEP);
        let same = match (own.canonicalize(), self.sweep.canonicalize()) {
            (Ok(own), Ok(sweep)) => own == sweep,
            _ => false,
        };
        if !same && own != self.sweep {
            write_atomically(&own, plan.sweep.text.as_bytes())?;
        }
        Provenance::new(self, plan, &records).write(&self.output)?;
        Ok((records, timings))
    }

    /// Writes tables, plots, index.html and ranking.json.
    pub(crate) fn write_report(&self, material: Material<'_>) -> Result<()> {
        self.write_report_for(material, &Target::default(), &Part::default())
    }

    /// As [`Folder::write_report`], about another metric or a part of the records.
    pub(crate) fn write_report_for(
        &self,
        material: Material<'_>,
        target: &Target,
        part: &Part,
    ) -> Result<()> {
        let mut provenance = Provenance::read(&self.output);
        let mut command = format!("cargo run --release -- run {}", self.shown_sweep());
        if let Some(selection) = &part.selection {
            provenance.push(("selection".to_owned(), selection.clone()));
            command = format!(
                "{command}\ncargo run --release -- report {} --select '{selection}'",
                self.shown_sweep()
            );
        }
        let Material {
            name,
            text,
            records,
            timings,
            about,
        } = material;
        let analysis = Analysis::of(
            &ReportInput {
                sweep_name: name,
                sweep_text: text,
                records: &records,
                timings: &timings,
                reliability: &read_reliability(&self.output)?,
                leaks: &read_leaks(&self.output)?,
                catalogue: &CATALOGUE,
                about,
                provenance: Vec::new(),
                command: &command,
            },
            target,
        )?;
        // A million records take the room that tables and figures are made in.
        drop((records, timings));
        let input = ReportInput {
            sweep_name: name,
            sweep_text: text,
            records: &[],
            timings: &[],
            reliability: &[],
            leaks: &[],
            catalogue: &CATALOGUE,
            about: Vec::new(),
            provenance,
            command: &command,
        };
        let output = counterweight_report::write_up(&input, &analysis)?;
        let folder = part.folder.as_deref().unwrap_or(&self.output);
        let (tables, plots) = (folder.join("tables"), folder.join("plots"));
        make_folder(&tables)?;
        make_folder(&plots)?;
        for (name, table) in &output.tables {
            write_table(table, &tables.join(format!("{name}.parquet")))?;
            write_table(table, &tables.join(format!("{name}.csv")))?;
        }
        for (name, text) in &output.markdown {
            write_atomically(&tables.join(format!("{name}.md")), text.as_bytes())?;
        }
        for (name, text) in &output.latex {
            write_atomically(&tables.join(format!("{name}.tex")), text.as_bytes())?;
        }
        for (name, figure) in &output.figures {
            write_atomically(&plots.join(format!("{name}.svg")), figure.svg.as_bytes())?;
            write_atomically(&plots.join(format!("{name}.png")), &figure.png)?;
        }
        write_atomically(&folder.join("ranking.json"), output.ranking_json.as_bytes())?;
        write_atomically(&folder.join("index.html"), output.index_html.as_bytes())?;
        Ok(())
    }

    /// The sweep as a user would name it: its folder when it is called sweep.toml.
    fn shown_sweep(&self) -> String {
        let named = self.sweep.file_name().is_some_and(|name| name == SWEEP);
        let path = if named {
            self.sweep.parent().unwrap_or(&self.sweep)
        } else {
            &self.sweep
        };
        // An absolute path is this machine's: its last part is what a reader can use.
        if path.is_absolute() {
            path.file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
        } else {
            path.display().to_string()
        }
    }
}

/// What a report is made of.
pub(crate) struct Material<'a> {
    pub(crate) name: &'a str,
    pub(crate) text: &'a str,
    pub(crate) records: Cow<'a, [Record]>,
    pub(crate) timings: Cow<'a, [Timing]>,
    pub(crate) about: Vec<DatasetAbout>,
}

/// Where a report goes when it is not the whole one in its own folder.
#[derive(Debug, Default)]
pub(crate) struct Part {
    /// The folder that receives it.
    pub(crate) folder: Option<PathBuf>,
    /// What was selected.
    pub(crate) selection: Option<String>,
}

/// What the library knows of the datasets of some records.
pub(crate) fn about(records: &[Record], files: &Files) -> Vec<DatasetAbout> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for record in records {
        seen.entry(&record.dataset).or_insert(&record.source);
    }
    seen.into_iter()
        .map(|(id, source)| {
            let entry = (source == "real")
                .then(|| files.library().and_then(|library| library.entry(id)))
                .flatten();
            match entry {
                Some(entry) => DatasetAbout {
                    id: id.to_owned(),
                    cluster: entry.cluster.clone(),
                    source: entry.source.clone(),
                    licence: entry.licence.clone(),
                    citation: entry.citation.clone(),
                },
                None => DatasetAbout {
                    id: id.to_owned(),
                    ..DatasetAbout::default()
                },
            }
        })
        .collect()
}

/// Reads the records of a report folder or of a records file.
pub(crate) fn read_records(path: &Path) -> Result<Vec<Record>> {
    let file = if path.is_dir() {
        let parquet = path.join("records.parquet");
        if parquet.is_file() {
            parquet
        } else {
            path.join("records.csv")
        }
    } else {
        path.to_path_buf()
    };
    if !file.is_file() {
        return Err(CliError::usage(format!("{}: no such file", file.display()))
            .hint("`counterweight run` writes records.parquet into its report folder"));
    }
    let bad = |error: TableError| {
        CliError::usage(format!("{}: {error}", file.display()))
            .hint("the file was not written by `counterweight run`, or by another version")
    };
    let mut records = Vec::new();
    in_parts(&file, |part| {
        records.extend(records_from_table(part)?);
        Ok(())
    })?
    .map_err(bad)?;
    let details = file.with_file_name("details.parquet");
    if details.is_file() {
        let places = Places::of(&records);
        in_parts(&details, |part| {
            places.attach(&mut records, part).map(|_orphans| ())
        })?
        .map_err(bad)?;
    }
    Ok(records)
}

/// Reads the timings beside some records; none when there is no such file.
pub(crate) fn read_timings(folder: &Path) -> Result<Vec<Timing>> {
    let file = folder.join("timings.parquet");
    if !file.is_file() {
        return Ok(Vec::new());
    }
    let mut timings = Vec::new();
    in_parts(&file, |part| {
        timings.extend(timings_from_table(part)?);
        Ok(())
    })?
    .map_err(|error| CliError::usage(format!("{}: {error}", file.display())))?;
    Ok(timings)
}

/// Reads the reliability bins beside some records; none when there is no such file.
fn read_reliability(folder: &Path) -> Result<Vec<ReliabilityGroup>> {
    let file = folder.join(RELIABILITY);
    let mut groups = Vec::new();
    if file.is_file() {
        in_parts(&file, |part| take_reliability(&mut groups, part))?
            .map_err(|error| CliError::usage(format!("{}: {error}", file.display())))?;
    }
    Ok(groups)
}

/// Reads what leaks claim; nothing when there is no such file.
fn read_leaks(folder: &Path) -> Result<Vec<LeakRow>> {
    let file = folder.join(LEAK);
    if !file.is_file() {
        return Ok(Vec::new());
    }
    Ok(leaks_from_table(&read_table(&file)?)?)
}

/// Rows of a table that stand in memory at a time.
const PART: usize = 1 << 17;

/// Hands over a table in parts, until `take` has an error, which comes inside the result.
fn in_parts(
    file: &Path,
    mut take: impl FnMut(&Table) -> Result<(), TableError>,
) -> Result<Result<(), TableError>> {
    let mut taken = Ok(());
    read_table_in_parts(file, PART, |part| {
        if taken.is_ok() {
            taken = take(&part);
        }
    })?;
    Ok(taken)
}

pub(crate) fn make_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)
        .map_err(|error| CliError::usage(format!("{}: {error}", folder.display())))
}

/// Prints all diagnostics but leaves the last words to the caller's error.
fn report(list: &[Diagnostic]) -> CliError {
    for diagnostic in list {
        eprintln!("error: {diagnostic}");
    }
    let count = list.len();
    let plural = if count == 1 { "" } else { "s" };
    CliError::usage(format!(
        "the sweep has {count} error{plural}; nothing was run"
    ))
}

/// Counts by outcome, gravest first, without those that did not occur.
pub(crate) fn outcomes(records: &[Record]) -> Vec<(Outcome, usize)> {
    let mut counts: BTreeMap<Outcome, usize> = BTreeMap::new();
    for record in records {
        *counts.entry(record.outcome).or_default() += 1;
    }
    counts.into_iter().collect()
}

/// The exit code of a store: failures before missing cells before success.
pub(crate) fn verdict(failures: usize, missing: usize) -> Exit {
    if missing > 0 {
        Exit::Incomplete
    } else if failures > 0 {
        Exit::Finding
    } else {
        Exit::Ok
    }
}
