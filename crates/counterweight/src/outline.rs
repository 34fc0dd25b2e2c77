//! What `status` has to know of a plan, kept beside the segments by every run: whoever looks at a sweep needs
//! neither its data nor the time to plan it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use counterweight_core::{CellId, Hasher, Record};
use counterweight_frame::{read_text, write_atomically};
use counterweight_harness::config::sweep::RatioSpec;
use counterweight_harness::plan::{Plan, RESULTS_EPOCH, Work};
use counterweight_store::{Joined, SEGMENTS, Sides};
use serde::{Deserialize, Serialize};

use crate::exit::{Error, Result};
use crate::folder::Folder;
use crate::provenance::build_hash;
use crate::side_tables::is_whole;

/// The file beside the segments: a line about what it was made of, and the outline.
const FILE: &str = "outline.json";

/// Cells by what they are called, and the work that makes them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outline {
    pub(crate) sweep: String,
    pub(crate) sweep_hash: String,
    keep_scores: bool,
    datasets: Vec<String>,
    models: Vec<String>,
    corrections: Vec<String>,
    /// Of each split its dataset, ratio, repeat and fold.
    units: Vec<(usize, Option<f64>, u64, u64)>,
    /// Of each cell its id, model and correction.
    pub(crate) cells: Vec<(CellId, usize, usize)>,
    /// Curves of the cells that have any.
    curves: BTreeMap<usize, Vec<String>>,
    /// Claims of leaks.
    pub(crate) claims: Vec<CellId>,
    pub(crate) work: Work,
}

/// What an outline was made of: another program, text or file makes another one.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Made {
    build: String,
    results_epoch: u64,
    /// Of the sweep file.
    text: String,
    /// Data files of the sweep with what tells one version from another: bytes and time.
    files: Vec<(PathBuf, Option<(u64, u128)>)>,
}

impl Made {
    fn of(folder: &Folder<'_>, text: &str, files: Vec<PathBuf>) -> Self {
        let beside = folder.sweep.parent().unwrap_or_else(|| Path::new(""));
        let stamp = |file: &PathBuf| {
            let about = std::fs::metadata(beside.join(file)).ok()?;
            let since = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
            Some((about.len(), since.as_nanos()))
        };
        Self {
            build: build_hash(),
            results_epoch: RESULTS_EPOCH,
            text: Hasher::new("outline").text(text).finish().hex(),
            files: files
                .into_iter()
                .map(|file| {
                    let stamp = stamp(&file);
                    (file, stamp)
                })
                .collect(),
        }
    }
}

impl Outline {
    /// Of a plan.
    pub(crate) fn of_plan(plan: &Plan) -> Self {
        let sweep = &plan.sweep;
        let units = plan.units.iter().map(|unit| {
            let ratio = match unit.ratio {
                RatioSpec::Natural => None,
                RatioSpec::Induced(ratio) => Some(ratio),
            };
            (unit.input, ratio, unit.repeat as u64, unit.fold as u64)
        });
        let curves = (0..plan.cells.len()).map(|at| {
            let curves: Vec<String> = plan.curves_of(at).map(str::to_owned).collect();
            (at, curves)
        });
        Self {
            sweep: sweep.name.clone(),
            sweep_hash: plan.sweep_hash.hex(),
            keep_scores: sweep.protocol.keep_scores,
            datasets: plan.inputs.iter().map(|input| input.id.clone()).collect(),
            models: sweep.models.iter().map(|model| model.id.clone()).collect(),
            corrections: sweep.corrections.iter().map(|c| c.id.clone()).collect(),
            units: units.collect(),
            cells: plan
                .cells
                .iter()
                .map(|cell| (cell.id.clone(), cell.model, cell.correction))
                .collect(),
            curves: curves.filter(|(_, curves)| !curves.is_empty()).collect(),
            claims: plan.claims.iter().map(|claim| claim.id.clone()).collect(),
            work: plan.work(),
        }
    }

    /// Of the sweep of a folder: as a run kept it, or planned anew where it was changed since.
    pub(crate) fn of_folder(folder: &Folder<'_>) -> Result<Self> {
        match Self::kept(folder) {
            Some(kept) => Ok(kept),
            None => Ok(Self::of_plan(&folder.plan()?.0)),
        }
    }

    fn kept(folder: &Folder<'_>) -> Option<Self> {
        let mut lines = BufReader::new(File::open(place(folder)).ok()?).lines();
        let made: Made = serde_json::from_str(&lines.next()?.ok()?).ok()?;
        let text = read_text(&folder.sweep).ok()?;
        let files = made.files.iter().map(|(file, _)| file.clone()).collect();
        if made != Made::of(folder, &text, files) {
            return None;
        }
        serde_json::from_str(&lines.next()?.ok()?).ok()
    }

    /// Keeps that of a plan for those who look at the folder, unless it is there.
    pub(crate) fn keep(folder: &Folder<'_>, plan: &Plan) -> Result<()> {
        let specs = plan.sweep.datasets.iter();
        let files = specs.flat_map(|spec| {
            let mut files = spec.source.files();
            files.extend(spec.splits.clone());
            files
        });
        let made = Made::of(folder, &plan.sweep.text, files.collect());
        let line = |value: serde_json::Result<String>| {
            value.map_err(|error| Error::internal(error.to_string()))
        };
        let made = line(serde_json::to_string(&made))?;
        let file = place(folder);
        let there = File::open(&file)
            .ok()
            .and_then(|file| BufReader::new(file).lines().next());
        if there.is_some_and(|there| there.is_ok_and(|there| there == made)) {
            return Ok(());
        }
        let own = line(serde_json::to_string(&Self::of_plan(plan)))?;
        Ok(write_atomically(
            &file,
            format!("{made}\n{own}\n").as_bytes(),
        )?)
    }

    /// Index of each cell by id.
    pub(crate) fn index(&self) -> BTreeMap<&CellId, usize> {
        self.cells
            .iter()
            .enumerate()
            .map(|(at, (id, ..))| (id, at))
            .collect()
    }

    /// Whether a record calls cell `at` what it is.
    pub(crate) fn names(&self, at: usize, record: &Record) -> bool {
        let (_, model, correction) = self.cells[at];
        let (dataset, ratio, repeat, fold) = self.units[self.work.cells[at]];
        record.dataset == *self.datasets[dataset]
            && record.model == *self.models[model]
            && record.correction == *self.corrections[correction]
            && (record.repeat, record.fold, record.requested_ratio) == (repeat, fold, ratio)
    }

    /// Whether everything that the sweep wants beside the record of cell `at` is there.
    pub(crate) fn complete(&self, at: usize, joined: &Joined, sides: &Sides) -> bool {
        let curves = self
            .curves
            .get(&at)
            .into_iter()
            .flatten()
            .map(String::as_str);
        is_whole(&self.cells[at].0, (self.keep_scores, curves), joined, sides)
    }
}

fn place(folder: &Folder<'_>) -> PathBuf {
    folder.output.join(SEGMENTS).join(FILE)
}
