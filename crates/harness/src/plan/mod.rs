//! From a checked sweep to a plan: data loaded and split, every cell named by what decides it, and
//! every combination that cannot be honoured settled before any work starts.

mod cells;
mod claims;
mod contrast;
mod cost;
mod family;
pub mod filter;
mod identity;
mod inputs;
mod limits;
pub mod schedulers;
mod shards;
mod shift;
mod stages;
mod units;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use counterweight_core::{
    Axis, Catalogue, CellId, ClassCounts, ContentHash, Dataset, GivenSplit, Metric, MetricCaps,
    Name, Note, Outcome, Partition, Record, Stages,
};

use counterweight_data::profile::Thinning;

use crate::config::Sweep;
use crate::config::method::Built;
use crate::config::sweep::{DatasetSpec, MetricPrior, PopulationSpec, RatioSpec};
use crate::config::tasks::Task;
use counterweight_config::{Diagnostic, Diagnostics};

pub use cells::{Cell, FitGroup, ResampleGroup, resample, resampler_for};
pub use claims::Claim;
pub use cost::estimated_seconds;
pub use identity::RESULTS_EPOCH;
pub use shards::{Fit, Shard, Shards, Work};

/// Brings in the rows of real datasets: the harness knows no file format.
pub trait DataSource: Sync {
    /// Loads what `spec` names; relative paths are relative to `folder`.
    ///
    /// # Errors
    /// What is wrong with the file, in one [`LoadError`].
    fn load(&self, spec: &DatasetSpec, folder: &Path) -> Result<Loaded, LoadError>;

    /// Bytes that this process may take, where that is known.
    fn memory(&self) -> Option<u64> {
        None
    }
}

/// A loaded dataset.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The rows; of a pair, the training rows and then the test rows.
    pub data: Dataset,
    /// Training rows of a pair; `None` for undivided data.
    pub n_train: Option<usize>,
    /// The divisions that the user gives, in the order of repeat and fold; `None` where the protocol divides.
    pub given: Option<Vec<GivenSplit>>,
    /// The published task that its name stands for; `None` where the name is the table's own.
    pub published: Option<&'static Task>,
}

/// Why a dataset could not be loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadError {
    /// The key of the `[[dataset]]` that is wrong, where it is one.
    pub key: Option<&'static str>,
    /// What is wrong, and where.
    pub message: String,
    /// What to try.
    pub hint: Option<String>,
}

/// One source of rows.
#[derive(Clone, Debug)]
pub struct Input {
    /// Id in tables.
    pub id: String,
    /// Hash of the values (real) or of the population with its parameters (synthetic).
    pub hash: ContentHash,
    /// Number of classes.
    pub n_classes: usize,
    /// Feature columns before encoding.
    pub n_features: usize,
    /// Feature columns after encoding, estimated: for costs only.
    pub n_encoded: usize,
    /// Whether any column is nominal.
    pub nominal: bool,
    /// Whether every prepared column will be nominal.
    pub all_nominal: bool,
    /// Where the rows come from.
    pub kind: InputKind,
    /// Training rows of a given pair, which come first; `None` for undivided data and populations.
    pub pair_train: Option<usize>,
    /// The divisions that the user gives; `None` where the protocol divides.
    pub given: Option<Arc<[GivenSplit]>>,
    /// Index into the sweep's datasets (real) or populations (synthetic).
    pub spec: usize,
    /// Hash of the weights of its rows; `None` where they have none.
    pub weights: Option<ContentHash>,
    /// What happens to the columns.
    pub preprocess: counterweight_data::preprocess::Preprocess,
    /// Rows of the file (of a pair, each of its own file) that a task of some classes or a subset (`max_rows`)
    /// kept, in its order; `None` for all.
    pub kept: Option<Arc<[usize]>>,
}

/// Where rows come from.
#[derive(Clone, Debug)]
pub enum InputKind {
    /// Drawn from a population.
    Population(Arc<PopulationSpec>),
    /// Cut from loaded data.
    Real(Arc<Dataset>),
}

impl Input {
    /// `synthetic` or `real`.
    pub fn source(&self) -> &'static str {
        match self.kind {
            InputKind::Population(_) => "synthetic",
            InputKind::Real(_) => "real",
        }
    }
}

/// Which rows a unit trains and tests on.
#[derive(Clone, Debug)]
pub enum Rows {
    /// Rows of loaded data.
    Cut(Partition),
    /// Draws of a population, as many of each class as the unit counts.
    Draw,
    /// None: every cell of the unit has this outcome.
    None(Outcome, String),
}

/// One split: the unit of shared work. All cells on it see the same rows.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Index into [`Plan::inputs`].
    pub input: usize,
    /// The ratio that was asked for.
    pub ratio: RatioSpec,
    /// `natural`, `step`, `exponential`, `pareto`, or that of a ladder; with `/` and which class is rare, where that is not
    /// the smallest one.
    pub profile: Name,
    /// From 0.
    pub repeat: usize,
    /// From 0.
    pub fold: usize,
    /// Key of everything that decides the rows, for cell ids and random streams.
    pub key: String,
    /// The rows.
    pub rows: Rows,
    /// Training rows of each class.
    pub train: ClassCounts,
    /// Test rows of each class.
    pub test: ClassCounts,
    /// Along a ladder, rows of each class in the table: the one prior that metrics are weighted to on all rungs.
    pub table: Option<ClassCounts>,
    /// How training rows were thinned to the ratio; `None` for rows as they are, and along a ladder.
    pub thinning: Option<Thinning>,
    /// Whether the test rows were drawn to a prior of their own.
    pub shifted: bool,
    /// What decides the unit beside all that every unit has, for ids; empty for nothing.
    pub more: String,
    /// What the splitter did that a reader has to know.
    pub notes: Vec<Note>,
    /// The work on it, grouped so that nothing is done twice.
    pub groups: Vec<ResampleGroup>,
}

impl Unit {
    /// Rows of each class whose shares are the training prior of metrics.
    pub(crate) fn prior_counts(&self) -> &ClassCounts {
        self.table.as_ref().unwrap_or(&self.train)
    }
}

/// A plan: what to run, in which order, and what is known beforehand.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The sweep.
    pub sweep: Arc<Sweep>,
    /// The methods.
    pub catalogue: Catalogue,
    /// The metrics, in the order of the records' columns.
    pub metrics: Vec<Built<MetricCaps, dyn Metric>>,
    /// The data.
    pub inputs: Vec<Input>,
    /// The splits.
    pub units: Vec<Unit>,
    /// The cells, in plan order.
    pub cells: Vec<Cell>,
    /// What leaks would claim, in plan order; no cells, and never records.
    pub claims: Vec<Claim>,
    /// Every parameter that an entry varies.
    pub axes: Vec<Axis>,
    /// By cell, the curves that go by it.
    curves: BTreeMap<usize, Vec<usize>>,
    parts: stages::Parts,
    /// Hash of what the sweep asks for, without its seed.
    pub sweep_hash: ContentHash,
    /// Bytes that this process may take, where that is known.
    pub memory: Option<u64>,
}

impl Unit {
    /// The prior to which prior-dependent metrics weight its test rows.
    pub(crate) fn metric_prior(&self, sweep: &Sweep) -> MetricPrior {
        let unsaid = if self.shifted {
            MetricPrior::Test
        } else {
            MetricPrior::Train
        };
        sweep.protocol.metric_prior.clone().unwrap_or(unsaid)
    }
}

impl Plan {
    /// The metric of that id, if it is registered.
    pub fn metric(&self, id: &str) -> Option<&Built<MetricCaps, dyn Metric>> {
        let of = |metric: &&Built<MetricCaps, dyn Metric>| metric.entry.card.id == id;
        self.metrics.iter().find(of)
    }

    /// Makes the plan: loads data, splits, names cells.
    ///
    /// # Errors
    /// Every error that the data bring to light, each with file, line and key.
    pub fn new(
        sweep: Arc<Sweep>,
        catalogue: Catalogue,
        source: &dyn DataSource,
    ) -> Result<Self, Vec<Diagnostic>> {
        let (inputs, mut units, errors) = prepare(&sweep, &catalogue, source);
        if !errors.is_empty() {
            return Err(errors.into_sorted());
        }
        let planned = cells::planned(&sweep, &catalogue, &inputs);
        let (cells, curves) = cells::expand(&sweep, &inputs, &planned, &mut units);
        let parts = stages::Parts::new(&sweep, &catalogue, &inputs, planned);
        let claims = claims::expand(&sweep, &catalogue, &inputs, &units);
        let sweep_hash = identity::of_sweep(&sweep, &inputs);
        let axes = stages::axes(&sweep, &catalogue, &parts);
        let metrics = metrics(&sweep, &catalogue)?;
        Ok(Self {
            sweep,
            catalogue,
            metrics,
            inputs,
            units,
            cells,
            claims,
            axes,
            curves,
            parts,
            sweep_hash,
            memory: source.memory(),
        })
    }

    /// Every error that the data of a sweep bring to light, in the order of their lines: what
    /// [`Plan::new`] would say, for a sweep that cannot become a plan for other reasons.
    pub fn check(sweep: &Sweep, catalogue: &Catalogue, source: &dyn DataSource) -> Vec<Diagnostic> {
        prepare(sweep, catalogue, source).2.into_sorted()
    }

    /// The cell of that id, or the only one whose id begins so.
    ///
    /// # Errors
    /// In words, when there is none or more than one.
    pub fn find_cell(&self, prefix: &str) -> Result<usize, String> {
        let found: Vec<usize> = (0..self.cells.len())
            .filter(|&at| self.cells[at].id.0.starts_with(prefix))
            .collect();
        match found.as_slice() {
            [one] => Ok(*one),
            [] => Err(format!(
                "no cell of this sweep has an id that begins with `{prefix}`"
            )),
            many => Err(format!(
                "{} cells have ids that begin with `{prefix}`",
                many.len()
            )),
        }
    }

    /// What the record of an imported model is made of; nothing when its dataset or correction is none of
    /// the sweep's.
    pub fn stages_of_import(&self, record: &Record) -> Stages {
        let input = self.inputs.iter().position(|i| record.dataset == *i.id);
        let mut corrections = self.sweep.corrections.iter();
        let correction = corrections.position(|c| record.correction == *c.id);
        match (input, correction) {
            (Some(input), Some(correction)) => {
                let model = Err(record.model.as_str());
                self.parts
                    .stages((&self.sweep, &self.catalogue), input, model, correction)
            }
            _ => Stages::default(),
        }
    }

    /// What cell `at` is made of, as values; cells of one dataset, model and correction share one copy.
    pub fn stages(&self, at: usize) -> Arc<Stages> {
        let cell = &self.cells[at];
        let input = self.units[cell.unit].input;
        self.parts.shared(
            (&self.sweep, &self.catalogue),
            (input, cell.model, cell.correction),
        )
    }

    /// Everything that decides the rows of a unit and how they are judged.
    pub(crate) fn unit_hash(&self, unit: &Unit) -> ContentHash {
        identity::of_unit("unit", &self.sweep, &self.inputs[unit.input], unit)
    }

    /// Everything that decides a correction.
    pub(crate) fn correction_hash(&self, at: usize) -> ContentHash {
        identity::of_correction(&self.sweep.corrections[at])
    }

    /// What stands beside the record of cell `at`: the ids of its curves.
    pub fn curves_of(&self, at: usize) -> impl Iterator<Item = &str> {
        let curves = self.curves.get(&at).into_iter().flatten();
        curves.map(|&curve| self.sweep.curves[curve].id.as_str())
    }

    /// The number of each test row in the data that it comes from, in the order of the unit's test rows:
    /// the row of the file from 0 (of the test file for a given pair), or the number of the draw.
    pub fn test_rows(&self, unit: &Unit) -> Vec<usize> {
        let input = &self.inputs[unit.input];
        match &unit.rows {
            Rows::Cut(partition) => {
                let skipped = input.pair_train.unwrap_or(0);
                let of = |row: &usize| match &input.kept {
                    Some(kept) => kept[*row],
                    None => row.saturating_sub(skipped),
                };
                partition.test().iter().map(of).collect()
            }
            Rows::Draw => (0..unit.test.total()).collect(),
            Rows::None(..) => Vec::new(),
        }
    }

    /// Index of each cell by id.
    pub fn index(&self) -> BTreeMap<CellId, usize> {
        self.cells
            .iter()
            .enumerate()
            .map(|(at, cell)| (cell.id.clone(), at))
            .collect()
    }

    /// Whether a record calls cell `at` what it is.
    pub fn names(&self, at: usize, record: &Record) -> bool {
        let cell = &self.cells[at];
        let unit = &self.units[cell.unit];
        let asked = match unit.ratio {
            RatioSpec::Natural => None,
            RatioSpec::Induced(ratio) => Some(ratio),
        };
        record.dataset == *self.inputs[unit.input].id
            && record.model == *self.sweep.models[cell.model].id
            && record.correction == *self.sweep.corrections[cell.correction].id
            && (record.repeat, record.fold) == (unit.repeat as u64, unit.fold as u64)
            && record.requested_ratio == asked
    }
}

/// Loads and splits; goes on after an error, so that all come out at once.
fn prepare(
    sweep: &Sweep,
    catalogue: &Catalogue,
    source: &dyn DataSource,
) -> (Vec<Input>, Vec<Unit>, Diagnostics) {
    let mut errors = Diagnostics::new(&sweep.file.display().to_string());
    let inputs = inputs::load(sweep, source, &mut errors);
    let before = errors.len();
    limits::check(sweep, &inputs, source.memory(), &mut errors);
    let units = if errors.len() == before {
        units::split(sweep, &inputs, &mut errors)
    } else {
        Vec::new()
    };
    // A class may be one of a dataset that could not be loaded.
    if before == 0 {
        limits::check_classes(sweep, &inputs, &mut errors);
        limits::check_lengths(sweep, catalogue, &inputs, &mut errors);
    }
    (inputs, units, errors)
}

fn metrics(
    sweep: &Sweep,
    catalogue: &Catalogue,
) -> Result<Vec<Built<MetricCaps, dyn Metric>>, Vec<Diagnostic>> {
    let mut errors = Diagnostics::new(&sweep.file.display().to_string());
    let mut metrics = Vec::new();
    for entry in catalogue.metrics {
        match Built::with_defaults(entry) {
            Ok(built) => metrics.push(built),
            Err(problem) => errors.add(None, format!("metric `{}`", entry.card.id), problem, None),
        }
    }
    if errors.is_empty() {
        Ok(metrics)
    } else {
        Err(errors.into_sorted())
    }
}
