//! Are a folder's committed values still those of the code? A sample of its cells is computed again and
//! compared by value, and its page is made again from the committed files and compared byte for byte.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use counterweight_core::{CellId, Hasher, Record, Sink, Timing};
use counterweight_frame::read_text;
use counterweight_harness::plan::{FitGroup, Plan, Unit, estimated_seconds};
use counterweight_harness::run::{Outlets, run};
use serde::Serialize;

use crate::compare::{difference, name};
use crate::exit::{Error, Exit, Result};
use crate::folder::Folder;
use crate::records::read_records;
use crate::report::{PAGE, rebuild};
use crate::session::Session;

/// What [`verify`] draws.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// The text that the draw hangs on.
    pub sample_seed: String,
    /// Most seconds of one core that the sample may take, by estimate.
    pub seconds: f64,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Verification {
    /// The report folder.
    pub folder: String,
    /// The text that the draw hung on.
    pub sample_seed: String,
    /// Cells that were computed again.
    pub cells: usize,
    /// Cells of the sweep.
    pub of_cells: usize,
    /// Models among them.
    pub models: usize,
    /// Models of the sweep.
    pub of_models: usize,
    /// Estimated seconds of one core.
    pub seconds: f64,
    /// A line a cell whose values differ, or that the folder lacks.
    pub differences: Vec<String>,
    /// Whether the page is that of the committed files, byte for byte; `None` when there is none.
    pub page: Option<bool>,
    /// The command that repeats the draw.
    pub again: String,
}

impl Verification {
    /// The exit code of the contract.
    pub fn exit(&self) -> Exit {
        if self.differences.is_empty() && self.page != Some(false) {
            Exit::Ok
        } else {
            Exit::Finding
        }
    }
}

/// Computes a sample of the cells of a report folder again, in memory, and compares it with the records
/// there; makes the page again without what is not committed, and compares it. Nothing is written.
///
/// # Errors
/// Errors of the sweep, and records that cannot be read.
pub fn verify(session: &Session<'_>, path: &Path, options: &VerifyOptions) -> Result<Verification> {
    let folder = Folder::of_report(session, path)?;
    let (plan, _) = folder.plan()?;
    let old: BTreeMap<CellId, Record> = read_records(path)?
        .into_iter()
        .map(|record| (record.cell.clone(), record))
        .collect();
    let draw = draw(&plan, options);
    let memory = Memory::default();
    let outlets = Outlets {
        sink: &memory,
        listener: session.listener,
        control: &session.control,
    };
    let summary = run(&plan, &draw.cells, session.jobs, outlets)
        .map_err(|error| Error::internal(error.to_string()))?;
    if summary.interrupted {
        let message = "told to stop before the sample was computed";
        return Err(Error::new(Exit::Interrupted, message));
    }
    let records = memory
        .0
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let mut differences = Vec::new();
    for record in &records {
        let found = match old.get(&record.cell) {
            None => Some("not among the committed records".to_owned()),
            Some(old) => difference(old, record),
        };
        differences.extend(found.map(|field| format!("{}: {field}", name(record))));
    }
    differences.sort();
    let page = path.join(PAGE);
    let page = match read_text(&page) {
        Ok(page) => {
            let made = rebuild(session, path, None, Vec::new())?;
            Some(made.index_html == page)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(Error::usage(format!("{}: {error}", page.display()))),
    };
    let folder = path.display().to_string();
    Ok(Verification {
        cells: records.len(),
        of_cells: plan.cells.len(),
        models: draw.models,
        of_models: plan.sweep.models.len(),
        seconds: draw.seconds,
        differences,
        page,
        again: format!(
            "counterweight verify {folder} --sample-seed {} --seconds {}",
            options.sample_seed, options.seconds
        ),
        folder,
        sample_seed: options.sample_seed.clone(),
    })
}

/// What is computed again.
struct Draw {
    cells: Vec<bool>,
    models: usize,
    seconds: f64,
}

/// Draws fits, each with all its cells: in an order that hangs on the seed text alone, first one of each
/// model, then whatever still fits into the time. So a model is left out only where its fits cost more
/// than what the models before it left, and the order changes with each text.
fn draw(plan: &Plan, options: &VerifyOptions) -> Draw {
    let hash = |words: &str, of: &str| {
        let hasher = Hasher::new("counterweight sample").text(&options.sample_seed);
        hasher.text(words).text(of).finish().hex()
    };
    let mut fits: Vec<(String, String, &Unit, &FitGroup)> = Vec::new();
    for unit in &plan.units {
        for fit in unit.groups.iter().flat_map(|group| &group.fits) {
            // What moves by itself says nothing of the code.
            let learners = plan.sweep.models[fit.model].candidates();
            if !learners.iter().all(|built| built.entry.caps.deterministic) {
                continue;
            }
            let Some(&first) = fit.cells.first() else {
                continue;
            };
            let model = hash("model", &plan.sweep.models[fit.model].id);
            fits.push((model, hash("cell", &plan.cells[first].id.0), unit, fit));
        }
    }
    fits.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    let mut draw = Draw {
        cells: vec![false; plan.cells.len()],
        models: 0,
        seconds: 0.0,
    };
    let mut seen = vec![false; plan.sweep.models.len()];
    let mut take = |draw: &mut Draw, unit: &Unit, fit: &FitGroup| {
        let seconds = estimated_seconds(plan, unit, fit);
        if draw.seconds + seconds > options.seconds {
            return;
        }
        draw.seconds += seconds;
        draw.models += usize::from(!std::mem::replace(&mut seen[fit.model], true));
        for &cell in &fit.cells {
            draw.cells[cell] = true;
        }
    };
    let mut last = None;
    let mut rest = Vec::new();
    for (_, order, unit, fit) in &fits {
        if last != Some(fit.model) {
            let before = draw.models;
            take(&mut draw, unit, fit);
            if draw.models > before {
                last = Some(fit.model);
                continue;
            }
        }
        rest.push((order, unit, fit));
    }
    rest.sort_by_key(|(order, ..)| *order);
    for (_, unit, fit) in rest {
        take(&mut draw, unit, fit);
    }
    draw
}

/// Keeps records in memory.
#[derive(Default)]
struct Memory(Mutex<Vec<Record>>);

impl Sink for Memory {
    fn keep(&self, record: &Record, _: &Timing) -> io::Result<()> {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        records.push(record.clone());
        Ok(())
    }
}
