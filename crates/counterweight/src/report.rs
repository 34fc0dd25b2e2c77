//! Tables, plots, the page and ranking.json from the records of a folder; the whole report, or a selected
//! part beside it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use counterweight_config::{Diagnostics, Value, parse};
use counterweight_core::{Record, Timing};
use counterweight_frame::{owner_of, read_text, write_atomically, write_table, write_table_of};
use counterweight_harness::config::question_of;
use counterweight_report::select::{SelectError, Selected, Selection};
use counterweight_report::{Analysis, DatasetAbout, ReportInput, ReportOutput, Target};

use crate::exit::{Error, Exit, Result};
use crate::folder::{Folder, SWEEP, make_folder, trouble};
use crate::lock::Lock;
use crate::provenance::Provenance;
use crate::records::{
    COSTS, LEAK, RELIABILITY, read_costs, read_leaks, read_records, read_reliability, read_timings,
};
use crate::session::Session;
use crate::source::Files;

/// Folder of selected reports inside a report folder.
const SELECTED: &str = "selected";

/// Names the tables and pictures that the last report wrote, a line each.
const WRITTEN: &str = "tables/.written";

/// Names of the tables of a report; `*` stands for what is called after a model or dataset.
const TABLES: &str = "ablation* bands calibration corrections datasets effects leak* models omnibus outcomes pairwise per_dataset* \
    per_model policies price ranks ratio_curves ratios reasons resamplers robustness selection* summary times";

/// Names of its pictures likewise.
const PLOTS: &str = "ablation_* calibration_* cost_* effects_* gain heat_* leak pairs_* ranks_* ratio_* recall_* reliability_*";

/// The page.
pub(crate) const PAGE: &str = "index.html";

/// Rebuilds tables, plots, index.html and ranking.json of a folder from its records; with `select` a part
/// of them, or another metric, into `output` (default a folder below `selected/`). Gives the page's path.
///
/// # Errors
/// When there are no records, or the selection matches none of them.
pub fn report(
    session: &Session<'_>,
    path: &Path,
    select: Option<&Selection>,
    output: Option<&Path>,
) -> Result<PathBuf> {
    if !path.is_dir() {
        return Err(Error::usage(format!("{}: no such folder", path.display()))
            .hint("give a report folder, such as reports/quick"));
    }
    let mut into = output.map(Path::to_path_buf);
    if let Some(selection) = select {
        if into.is_none() {
            into = Some(path.join(SELECTED).join(selection.folder_name()));
        }
        let same = |a: &Path| a.canonicalize().ok();
        if into
            .as_deref()
            .and_then(same)
            .is_some_and(|folder| Some(folder) == same(path))
        {
            return Err(
                Error::usage("a selected report would overwrite the whole one")
                    .hint("give another folder to --output"),
            );
        }
    }
    let Some(into) = into else {
        let _lock = Lock::of(session, path)?;
        let output = rebuild(session, path, None, read_timings(path)?)?;
        write(&output, path, false)?;
        return Ok(path.join(PAGE));
    };
    refuse_other_work(path, &into)?;
    let output = rebuild(session, path, select, read_timings(path)?)?;
    make_folder(&into)?;
    let _lock = Lock::of(session, &into)?;
    write(&output, &into, false)?;
    Ok(into.join(PAGE))
}

/// Refuses to write a report over a folder that is none, or is that of other records.
fn refuse_other_work(path: &Path, into: &Path) -> Result<()> {
    let same = path.canonicalize().ok() == into.canonicalize().ok();
    let own = ["run.json", SWEEP, "records.parquet", "records.csv"];
    let page = [PAGE, "ranking.json"].map(|name| into.join(name));
    let written = into.join(WRITTEN).exists();
    let page = page.into_iter().filter(|_| !written);
    let mut in_the_way = own.map(|name| into.join(name)).into_iter().chain(page);
    match in_the_way.find(|file| !same && file.exists()) {
        Some(file) => Err(Error::usage(format!(
            "{} is in the way: no report of {} has written it",
            file.display(),
            path.display()
        ))
        .hint("give another folder to --output")),
        None => Ok(()),
    }
}

/// The report of a folder from its records, with these timings.
pub(crate) fn rebuild(
    session: &Session<'_>,
    path: &Path,
    select: Option<&Selection>,
    timings: Vec<Timing>,
) -> Result<ReportOutput> {
    let records = read_records(path)?;
    let chosen = match select {
        Some(selection) => choose(session, selection, &records)?,
        None => Selected {
            records,
            target: Target::default(),
        },
    };
    let sweep = path.join(SWEEP);
    let text = match read_text(&sweep) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Error::usage(format!("{}: {error}", sweep.display())));
        }
        text => text.unwrap_or_default(),
    };
    let name = path
        .canonicalize()
        .ok()
        .and_then(|path| {
            path.file_name()
                .map(|name| name.to_string_lossy().into_owned())
        })
        .unwrap_or_else(|| "sweep".into());
    let mut name = Provenance::sweep_name(path).unwrap_or(name);
    if let Some(selection) = select {
        name = format!("{name}: {selection}");
    }
    let folder = Folder {
        session,
        sweep,
        output: path.to_path_buf(),
    };
    folder.compose(
        Material {
            name: &name,
            text: &text,
            about: about(&chosen.records, &Files::new(path)),
            records: Cow::Owned(chosen.records),
            timings: Cow::Owned(timings),
        },
        &chosen.target,
        select,
    )
}

fn choose(session: &Session<'_>, selection: &Selection, records: &[Record]) -> Result<Selected> {
    let chosen = selection
        .choose(records, &session.catalogue)
        .map_err(|error| {
            let nothing = matches!(error, SelectError::Nothing(_));
            let exit = if nothing {
                Exit::NothingSelected
            } else {
                Exit::Usage
            };
            let told = Error::new(exit, error.to_string());
            if nothing {
                told.hint("different keys must all hold; values of one key are alternatives")
            } else {
                told
            }
        })?;
    if !selection.keeps_baseline() {
        (session.say)(
            "note: `none` is not selected, so the report has no differences to no correction; add \
             `correction=none` for them",
        );
    }
    Ok(chosen)
}

impl Folder<'_> {
    /// What a table beside the records holds, unless it is of another sweep: one that an earlier build left
    /// does not say whose it is, but is of this sweep where the sweep file asks for it.
    fn own<T>(&self, name: &str, read: impl Fn(&Path) -> Result<Vec<T>>) -> Result<Vec<T>> {
        let file = self.output.join(name);
        let run = Provenance::load(&self.output).map(|run| run.owner());
        let (foreign, whose) = if let (Some(owner), Some(run)) = (owner_of(&file), run) {
            (owner != run, owner)
        } else {
            let text = read_text(&self.output.join(SWEEP)).unwrap_or_default();
            let asks = |line: &str| line.trim_start_matches(['[', ' ']).starts_with("leak");
            let asked = name != LEAK || text.is_empty() || text.lines().any(asks);
            (!asked, "another sweep".to_owned())
        };
        if foreign && file.is_file() {
            (self.session.say)(&format!(
                "note: {} is of {whose} and is not shown; `run` replaces or removes it",
                file.display()
            ));
            return Ok(Vec::new());
        }
        read(&self.output)
    }

    /// Makes tables, plots, index.html and ranking.json, and writes none of them.
    pub(crate) fn compose(
        &self,
        material: Material<'_>,
        target: &Target,
        selection: Option<&Selection>,
    ) -> Result<ReportOutput> {
        let mut provenance = Provenance::read(&self.output);
        let mut command = format!("cargo run --release -- run {}", self.shown_sweep());
        if let Some(selection) = selection {
            provenance.push(("selection".to_owned(), selection.to_string()));
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
        // It is about all records, and a part of them would answer another.
        let question = question_of(text).filter(|_| selection.is_none());
        let heading = ReportInput {
            sweep_name: name,
            sweep_text: text,
            question: question.as_ref(),
            weighted_to: weighted_to(text),
            records: &[],
            timings: &[],
            reliability: &[],
            costs: &[],
            leaks: &[],
            axes: &[],
            catalogue: &self.session.catalogue,
            about: Vec::new(),
            provenance,
            command: &command,
        };
        let analysis = Analysis::of(
            &ReportInput {
                records: &records,
                timings: &timings,
                reliability: &self.own(RELIABILITY, read_reliability)?,
                costs: &self.own(COSTS, read_costs)?,
                leaks: &self.own(LEAK, read_leaks)?,
                axes: &Provenance::axes(&self.output),
                about,
                ..heading.clone()
            },
            target,
        )?;
        // A million records take the room that tables and figures are made in.
        drop((records, timings));
        Ok(counterweight_report::write_up(&heading, &analysis)?)
    }
}

/// The class shares that a sweep weights metrics of all test rows to, in words.
fn weighted_to(sweep: &str) -> &'static str {
    let tree = parse(sweep, None, &mut Diagnostics::new(""));
    let drawn = ["dataset", "population"].iter().any(|kind| {
        let entries = tree.get(*kind).map(|(_, node)| &node.value);
        let Some(Value::List(entries)) = entries else {
            return false;
        };
        let mut tables = entries.iter().map(|entry| &entry.value);
        tables.any(|table| matches!(table, Value::Table(keys) if keys.contains_key("test_prior")))
    });
    let protocol = tree.get("protocol").map(|(_, node)| &node.value);
    let asked = match protocol {
        Some(Value::Table(keys)) => keys.get("metric_prior").map(|(_, node)| &node.value),
        _ => None,
    };
    match asked {
        Some(Value::Text(word)) if word == "test" => "the class shares of the test rows",
        Some(Value::Text(word)) if word == "uniform" => "equal class shares",
        Some(Value::List(_)) => "the class shares of `metric_prior`",
        None if drawn => {
            "the training prior (where test rows are drawn to shares of their own, to those)"
        }
        _ => "the training prior",
    }
}

/// Writes a report into a folder; where the folder holds these `same` values already, the page, the
/// ranking and the pictures that are there stay as they are. Tables and pictures of an earlier report that
/// this one does not have are removed; those that no report has written stay.
pub(crate) fn write(output: &ReportOutput, folder: &Path, same: bool) -> Result<()> {
    let (tables, plots) = (folder.join("tables"), folder.join("plots"));
    make_folder(&tables)?;
    make_folder(&plots)?;
    let before = listed(folder);
    let mut now = BTreeSet::new();
    let tabled = |kind| {
        let names = output.tables.iter().map(|(name, _)| name);
        names.map(move |name| format!("tables/{name}.{kind}"))
    };
    now.extend(tabled("parquet").chain(tabled("csv")));
    let texts = output.markdown.iter().map(|(name, _)| (name, "md"));
    let texts = texts.chain(output.latex.iter().map(|(name, _)| (name, "tex")));
    now.extend(texts.map(|(name, kind)| format!("tables/{name}.{kind}")));
    let drawn = |kind| {
        let names = output.figures.iter().map(|(name, _)| name);
        names.map(move |name| format!("plots/{name}.{kind}"))
    };
    now.extend(drawn("svg").chain(drawn("png")));
    let models = folder.join("models");
    if !output.model_pages.is_empty() {
        make_folder(&models)?;
    }
    let pages = output.model_pages.iter();
    now.extend(pages.map(|(name, _)| format!("models/{name}.html")));
    // Both, until all is written: what an interruption leaves is found by the next report.
    let list = |names: &BTreeSet<String>| -> String {
        let lines: Vec<&str> = names.iter().flat_map(|name| [name, "\n"]).collect();
        lines.concat()
    };
    let both = list(&before.union(&now).cloned().collect());
    write_atomically(&folder.join(WRITTEN), both.as_bytes())?;
    let owner = Provenance::load(folder).map(|run| run.owner());
    for (name, table) in &output.tables {
        let file = tables.join(format!("{name}.parquet"));
        write_table_of(table, &file, owner.as_deref())?;
        write_table(table, &tables.join(format!("{name}.csv")))?;
    }
    for (name, text) in &output.markdown {
        write_atomically(&tables.join(format!("{name}.md")), text.as_bytes())?;
    }
    for (name, text) in &output.latex {
        write_atomically(&tables.join(format!("{name}.tex")), text.as_bytes())?;
    }
    for (name, page) in &output.model_pages {
        write_atomically(&models.join(format!("{name}.html")), page.as_bytes())?;
    }
    let put = |file: PathBuf, bytes: &[u8]| {
        if same && file.is_file() {
            return Ok(());
        }
        write_atomically(&file, bytes)
    };
    for (name, figure) in &output.figures {
        put(plots.join(format!("{name}.svg")), figure.svg.as_bytes())?;
        put(plots.join(format!("{name}.png")), &figure.png)?;
    }
    put(folder.join("ranking.json"), output.ranking_json.as_bytes())?;
    put(folder.join(PAGE), output.index_html.as_bytes())?;
    for gone in before.difference(&now) {
        // Somebody may have taken it away before.
        let _ = std::fs::remove_file(folder.join(gone));
    }
    write_atomically(&folder.join(WRITTEN), list(&now).as_bytes())?;
    Ok(())
}

/// Takes away the report of a folder whose records are about to be those of another sweep.
pub(crate) fn remove_report(folder: &Path) -> Result<()> {
    let names = listed(folder).into_iter();
    for name in names.chain([PAGE, "ranking.json"].map(str::to_owned)) {
        let file = folder.join(name);
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(trouble(&file, &error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The tables and pictures that the last report wrote into a folder.
fn listed(folder: &Path) -> BTreeSet<String> {
    match read_text(&folder.join(WRITTEN)) {
        Ok(list) => list
            .lines()
            .filter(|name| is_ours(name))
            .map(str::to_owned)
            .collect(),
        Err(_) => unlisted(folder),
    }
}

/// What a report of a build that kept no list has written into a folder: files of its names that stand there
/// in both of the forms in which it wrote each.
fn unlisted(folder: &Path) -> BTreeSet<String> {
    let names = |kind: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(folder.join(kind)).into_iter().flatten();
        let names = entries.flatten().map(|entry| entry.file_name());
        names.filter_map(|name| name.into_string().ok()).collect()
    };
    let ours = |start: &str, stem: &str| match start.strip_suffix('*') {
        Some(start) => stem.starts_with(start),
        None => stem == start,
    };
    let mut found = BTreeSet::new();
    for (kind, starts, forms) in [
        ("tables", TABLES, [["parquet", "csv"], ["md", "tex"]]),
        ("plots", PLOTS, [["svg", "png"]; 2]),
    ] {
        let names = names(kind);
        for name in &names {
            let Some((stem, end)) = name.rsplit_once('.') else {
                continue;
            };
            let twin = |forms: &[&str; 2]| {
                forms.contains(&end)
                    && forms
                        .iter()
                        .all(|form| names.contains(&format!("{stem}.{form}")))
            };
            if forms.iter().any(twin) && starts.split_whitespace().any(|start| ours(start, stem)) {
                found.insert(format!("{kind}/{name}"));
            }
        }
    }
    found
}

/// Whether a line of [`WRITTEN`] names a file right inside one of the folders of products.
fn is_ours(name: &str) -> bool {
    let mut folders = ["tables/", "plots/", "models/"].into_iter();
    let name = folders.find_map(|folder| name.strip_prefix(folder));
    name.is_some_and(|name| !name.contains(['/', '\\']))
}

/// What a report is made of.
pub(crate) struct Material<'a> {
    pub(crate) name: &'a str,
    pub(crate) text: &'a str,
    pub(crate) records: Cow<'a, [Record]>,
    pub(crate) timings: Cow<'a, [Timing]>,
    pub(crate) about: Vec<DatasetAbout>,
}

/// What the library knows of the datasets of some records.
pub(crate) fn about(records: &[Record], files: &Files) -> Vec<DatasetAbout> {
    let mut seen: BTreeMap<&str, &Record> = BTreeMap::new();
    for record in records {
        seen.entry(&record.dataset).or_insert(record);
    }
    seen.into_iter()
        .map(|(id, record)| {
            let table = &record.stages.dataset_entry;
            let entry = (record.source == "real")
                .then(|| {
                    let library = files.library()?;
                    library.entry(table).or_else(|| library.entry(id))
                })
                .flatten();
            match entry {
                Some(entry) => DatasetAbout {
                    id: id.to_owned(),
                    cluster: entry.cluster.clone(),
                    source: entry.source.clone(),
                    licence: entry.licence.clone(),
                    citation: entry.citation.clone(),
                },
                // The tasks of one file are one cluster too.
                None => DatasetAbout {
                    id: id.to_owned(),
                    cluster: if record.source == "real" {
                        table.to_string()
                    } else {
                        String::new()
                    },
                    ..DatasetAbout::default()
                },
            }
        })
        .collect()
}
