//! Reads format 1 of the sweep file.

mod collection;
mod contrast;
mod counts;
mod curve;
mod data;
mod leak;
mod methods;
mod protocol;
mod question;
mod reading;
mod rows;
mod schema;
mod shape;

use std::collections::HashMap;
use std::path::Path;

use counterweight_config::{Diagnostic, Diagnostics, Fields, Section, tables};
use counterweight_core::{Catalogue, Seed};

use super::limits::{LONGEST_ID, MOST_CELLS, MOST_POINTS, is_id_char, too_many_points};
use super::sweep::{Correction, Model, Sweep};
use collection::{read_collection, same_task};
use curve::read_curve;
use data::{read_dataset, read_population};
use leak::read_leak;
pub(super) use methods::stage;
use methods::{read_correction, read_model};
use protocol::read_protocol;
pub use question::question_of;
use question::read_question;
pub use schema::sweep_schema;

/// The only format there is so far.
const FORMAT: usize = 1;

/// Where to look after a syntax error.
pub(super) const SYNTAX: Option<&str> = Some("see the sweep file format in the README");

/// A sweep file with errors.
#[derive(Debug)]
pub struct Rejected {
    /// Every error of the file, in the order of their lines.
    pub errors: Vec<Diagnostic>,
    /// The entries without errors, so that their data can be checked in the same go: a user mends a
    /// typo and a missing file at once. `None` after a syntax error.
    pub sound: Option<Box<Sweep>>,
}

/// Parses and checks a sweep.
///
/// # Errors
/// Every error of the file, and what is sound in it.
pub fn parse(file: &Path, text: &str, catalogue: &Catalogue) -> Result<Sweep, Rejected> {
    let mut errors = Diagnostics::new(&file.display().to_string());
    let root = counterweight_config::parse(text, SYNTAX, &mut errors);
    if !errors.is_empty() {
        // After a syntax error the rest of the tree is guesswork; more messages would mislead.
        return Err(Rejected {
            errors: errors.into_sorted(),
            sound: None,
        });
    }
    let sweep = read_root(&root, file, text, catalogue, &mut errors);
    if errors.is_empty() {
        Ok(sweep)
    } else {
        Err(Rejected {
            errors: errors.into_sorted(),
            sound: Some(Box::new(sweep)),
        })
    }
}

fn read_root(
    root: &Fields,
    file: &Path,
    text: &str,
    catalogue: &Catalogue,
    errors: &mut Diagnostics,
) -> Sweep {
    let mut section = Section::new(root, "", 1, errors);
    match section.whole("format", 1) {
        Some(FORMAT) => {}
        Some(other) => section.error(
            "format",
            format!("format {other} is not known to this version"),
            Some(format!("this version reads format {FORMAT}")),
        ),
        None if root.contains_key("format") => {}
        None => section.error("format", "missing", Some("add `format = 1`".into())),
    }
    let stem = file
        .file_stem()
        .map_or_else(|| "sweep".into(), |s| s.to_string_lossy().into_owned());
    let fallback = match file.parent().and_then(Path::file_name) {
        Some(folder) if stem == "sweep" => folder.to_string_lossy().into_owned(),
        _ => stem,
    };
    let name = section.text("name");
    if name.is_none() && !section.has("name") && !is_id(&fallback) {
        let message = format!("missing, and `{fallback}` is not an id");
        section.error("name", message, Some("add `name = \"...\"`".into()));
    } else if let Some(name) = &name {
        check_id(name, "name", &mut section);
    }
    let name = name.unwrap_or(fallback);
    let seed = Seed(section.whole("seed", 0).unwrap_or(0) as u64);
    let question = section.node("question");
    let protocol_node = section.node("protocol");
    let populations = section.node("population");
    let datasets = section.node("dataset");
    let models = section.node("model");
    let corrections = section.node("correction");
    let curves = section.node("curve");
    let leaks = section.node("leak");
    section.finish();

    let (protocol, protocol_max_rows) = read_protocol(protocol_node, errors);
    let mut sweep = Sweep {
        file: file.to_path_buf(),
        text: text.to_owned(),
        name,
        seed,
        question: None,
        protocol,
        populations: Vec::new(),
        datasets: Vec::new(),
        models: Vec::new(),
        corrections: Vec::new(),
        curves: Vec::new(),
        leaks: Vec::new(),
    };
    let mut lines = Lines::default();
    for (path, line, fields) in tables(populations, "population", errors) {
        let before = errors.len();
        let read = read_population(fields, &path, line, catalogue, errors);
        let sound = errors.len() == before;
        for population in read {
            lines.claim(&population.id, "dataset", population.line, errors);
            // What stands in for a value in error would only raise errors of its own.
            if sound {
                sweep.populations.push(population);
            }
        }
    }
    for (path, line, fields) in tables(datasets, "dataset", errors) {
        let before = errors.len();
        let read = if fields.contains_key("preset") {
            let mut read = read_collection(fields, &path, line, protocol_max_rows, errors);
            // Collections overlap: the same id for the same task in the same way is one dataset.
            read.retain(|dataset| !sweep.datasets.iter().any(|known| same_task(known, dataset)));
            read
        } else {
            read_dataset(fields, &path, line, protocol_max_rows, errors)
                .into_iter()
                .collect()
        };
        let sound = errors.len() == before;
        for dataset in read {
            lines.claim(&dataset.id, "dataset", dataset.line, errors);
            if sound {
                sweep.datasets.push(dataset);
            }
        }
    }
    let mut lines = Lines::default();
    for (path, line, fields) in tables(models, "model", errors) {
        let mut read = read_model(fields, &path, line, catalogue, errors);
        if fields.contains_key("preset") {
            // Presets overlap with each other and with single entries.
            read.retain(|model| {
                let same = |other: &Model| {
                    other.id == model.id
                        && other.features == model.features
                        && other.learner.canonical() == model.learner.canonical()
                };
                !sweep.models.iter().any(same)
            });
        }
        for model in &mut read {
            model.line = line;
            lines.claim(&model.id, "model", line, errors);
        }
        add(&mut sweep.models, read);
        if sweep.models.len() > MOST_POINTS {
            too_many_points(line, "model", errors);
            break;
        }
    }
    let mut lines = Lines::default();
    for (path, line, fields) in tables(corrections, "correction", errors) {
        let mut read = read_correction(fields, &path, line, catalogue, errors);
        if fields.contains_key("preset") {
            // Presets overlap (most hold `none`): the same id for the same stages is one arm.
            read.retain(|correction| {
                let same = |other: &Correction| {
                    other.id == correction.id && other.canonical() == correction.canonical()
                };
                !sweep.corrections.iter().any(same)
            });
        }
        for correction in &mut read {
            correction.line = line;
            lines.claim(&correction.id, "correction", line, errors);
        }
        add(&mut sweep.corrections, read);
        if sweep.corrections.len() > MOST_POINTS {
            too_many_points(line, "correction", errors);
            break;
        }
    }
    let mut lines = Lines::default();
    for (path, line, fields) in tables(curves, "curve", errors) {
        let known = (catalogue, sweep.corrections.as_slice());
        if let Some(curve) = read_curve(fields, &path, line, known, errors) {
            lines.claim(&curve.id, "curve", line, errors);
            sweep.curves.push(curve);
        }
        if sweep
            .curves
            .iter()
            .map(|curve| curve.corrections.len())
            .sum::<usize>()
            > MOST_CELLS
        {
            let message = format!("more than {MOST_CELLS} curves on corrections");
            let hint = "name fewer `corrections`".to_owned();
            errors.add(Some(line), "curve", message, Some(hint));
            break;
        }
    }
    let mut lines = Lines::default();
    for (path, line, fields) in tables(leaks, "leak", errors) {
        for leak in read_leak(fields, &path, line, (catalogue, &sweep), errors) {
            lines.claim(&leak.id, "leak", line, errors);
            sweep.leaks.push(leak);
        }
    }
    sweep.question = question.and_then(|node| read_question(node, Some(&sweep), errors));
    for (key, given) in [
        ("model", models.is_some()),
        ("correction", corrections.is_some()),
    ] {
        errors.require("", key);
        if !given {
            let hint = Some(format!("add a [[{key}]] entry"));
            errors.add(None, "", format!("the sweep has no {key}"), hint);
        }
    }
    if populations.is_none() && datasets.is_none() {
        let hint = Some("add a [[population]] or a [[dataset]] entry".to_owned());
        errors.add(None, "", "the sweep has no data", hint);
    }
    sweep
}

/// Moves `more` behind `list`, without a second copy of a list that is large.
fn add<T>(list: &mut Vec<T>, more: Vec<T>) {
    if list.is_empty() {
        *list = more;
    } else {
        list.extend(more);
    }
}

/// Ids that are taken, with the line that took them.
#[derive(Default)]
struct Lines(HashMap<String, usize>);

impl Lines {
    fn claim(&mut self, id: &str, noun: &str, line: usize, errors: &mut Diagnostics) {
        if let Some(first) = self.0.get(id) {
            errors.add(
                Some(line),
                "id",
                format!("two {noun}s are called `{id}`: the first is in line {first}"),
                Some("give one of them an `id` of its own".into()),
            );
        } else {
            self.0.insert(id.to_owned(), line);
        }
    }
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= LONGEST_ID && text.chars().all(is_id_char)
}

fn check_id(id: &str, key: &str, section: &mut Section<'_, '_>) {
    let length = id.chars().count();
    if length > LONGEST_ID {
        let start: String = id.chars().take(20).collect();
        let message = format!("`{start}..` has {length} letters, an id at most {LONGEST_ID}");
        section.error(key, message, Some("shorten it".into()));
    } else if !is_id(id) {
        section.error(
            key,
            format!("`{id}` is not an id"),
            Some("ids are made of letters, digits and -_.+[]=,".into()),
        );
    }
}
