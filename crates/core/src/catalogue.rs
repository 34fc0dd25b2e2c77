//! Cards, entries and the catalogue: the only way in which the harness learns of methods.

use crate::ensemble::Ensemble;
use crate::labels::ClassCounts;
use crate::params::{ParamError, ParamSpec, Params};
use crate::scores::ScoreKind;
use crate::stage::{Decision, Learner, Loss, LossNeeds, Metric, Population, Resampler};

/// What every method says about itself.
#[derive(Clone, Copy, Debug)]
pub struct Card {
    /// The name in sweep files, tables and on the command line; also the file's name.
    pub id: &'static str,
    /// One line: what it does.
    pub summary: &'static str,
    /// Where it comes from.
    pub reference: &'static str,
    /// Its parameters.
    pub params: &'static [ParamSpec],
}

/// A method: its card, what planning has to know, and how to build it from checked parameters.
#[derive(Debug)]
pub struct Entry<C: 'static, T: ?Sized + 'static> {
    /// What it says about itself.
    pub card: Card,
    /// What planning has to know.
    pub caps: C,
    /// Builds it. Only what no [`ParamSpec`] can express is checked here.
    pub build: fn(&Params) -> Result<Box<T>, ParamError>,
}

/// Estimated bytes that a fit and its predictions take beside the rows that they are given: for ceilings of
/// memory, never for results. Within half as much again of the truth where it is large.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Footprint {
    /// What the fit leaves.
    pub model: f64,
    /// What fitting or scoring takes besides, whichever is more.
    pub work: f64,
}

impl Footprint {
    /// Nothing to speak of, or nothing that is known.
    pub const NONE: Self = Self {
        model: 0.0,
        work: 0.0,
    };

    /// Most at any time.
    pub fn peak(self) -> f64 {
        self.model + self.work
    }
}

/// How large a training set is that is to be resampled.
#[derive(Clone, Copy, Debug)]
pub struct TrainSize<'a> {
    /// Names of the classes.
    pub names: &'a [String],
    /// Rows of each class.
    pub counts: &'a ClassCounts,
    /// Columns, nominal ones as codes.
    pub columns: usize,
}

/// What a resampler does with nominal columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnNominal {
    /// It copies or drops rows, or has a metric for codes.
    Handles,
    /// Another method of the catalogue is planned in its place, and named so.
    Becomes(&'static str),
    /// The combination is not applicable.
    Refuses,
}

/// What a resampler needs of the kinds of columns.
#[derive(Clone, Copy, Debug)]
pub struct ResamplerCaps {
    /// Data with nominal and numeric columns.
    pub nominal: OnNominal,
    /// Data with nominal columns alone.
    pub all_nominal: OnNominal,
    /// Data without nominal columns.
    pub numeric_only: OnNominal,
    /// It leaves the rows as they are and asks the learner to draw its minibatches otherwise.
    pub minibatches: bool,
    /// The `family` of a correction that is this stage alone.
    pub family: &'static str,
    /// Estimated bytes that it takes beside the rows that it is given, its result included: for ceilings of
    /// memory, never for results.
    pub footprint: fn(&Params, &TrainSize<'_>) -> f64,
}

/// What planning has to know of a loss or a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleCaps {
    /// The `family` of a correction that is this stage alone.
    pub family: &'static str,
}

/// What planning has to know of an ensemble.
#[derive(Clone, Copy, Debug)]
pub struct EnsembleCaps {
    /// The `family` of a correction that is this stage alone.
    pub family: &'static str,
    /// Estimated number of fits of the base, and the rows of each, from the training rows of each
    /// class: for progress, never for results.
    pub fits: fn(&Params, &ClassCounts) -> (usize, usize),
}

/// How much work a fit and its predictions are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Training rows.
    pub n_train: usize,
    /// Rows to be scored.
    pub n_score: usize,
    /// Features after encoding.
    pub n_features: usize,
    /// Classes.
    pub n_classes: usize,
}

/// A learner's capability card: what it honours. Planning decides by it; nothing falls back.
#[derive(Clone, Copy, Debug)]
pub struct LearnerCaps {
    /// Whose code it is: "own", or crate and version.
    pub library: &'static str,
    /// Which terms of a loss it honours.
    pub honours: LossNeeds,
    /// What its scores are.
    pub scores: ScoreKind,
    /// Takes more than two classes.
    pub multiclass: bool,
    /// The same seed gives the same bytes.
    pub deterministic: bool,
    /// Most training rows it is given; more are `not-applicable: over the size limit`.
    pub max_rows: Option<usize>,
    /// Estimated seconds of one core for a fit and its predictions: for progress, never for results.
    pub cost: fn(&Params, &Workload) -> f64,
    /// Estimated bytes; [`Footprint::NONE`] for a library's, whose worker is limited instead.
    pub footprint: fn(&Params, &Workload) -> Footprint,
    /// A known fault or peculiarity, for the capability table; empty when there is none.
    pub remark: &'static str,
}

/// What planning and tables have to know of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricCaps {
    /// Needs more than votes.
    pub probabilities: bool,
    /// Also given on the scores as they are, without the mapping to the metric prior (suffix `_raw`).
    pub also_raw: bool,
    /// Depends on the class shares of the test rows.
    pub prior_dependent: bool,
    /// Whether less is better; `None` when the best value is neither end (a calibration slope).
    pub lower_is_better: Option<bool>,
}

/// A population's sampler has no caps beyond its card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PopulationCaps {
    /// Whether the number of classes can be two only.
    pub binary: bool,
}

/// A resampler of the catalogue.
pub type ResamplerEntry = Entry<ResamplerCaps, dyn Resampler>;
/// An ensemble of the catalogue.
pub type EnsembleEntry = Entry<EnsembleCaps, dyn Ensemble>;
/// A loss of the catalogue.
pub type LossEntry = Entry<RuleCaps, dyn Loss>;
/// A decision of the catalogue.
pub type DecisionEntry = Entry<RuleCaps, dyn Decision>;
/// A learner of the catalogue.
pub type LearnerEntry = Entry<LearnerCaps, dyn Learner>;
/// A metric of the catalogue.
pub type MetricEntry = Entry<MetricCaps, dyn Metric>;
/// A population of the catalogue.
pub type PopulationEntry = Entry<PopulationCaps, dyn Population>;

/// Every method that a sweep may name. Each list is sorted by id, except metrics, which stand in the
/// order of the records' columns.
#[derive(Clone, Copy, Debug)]
pub struct Catalogue {
    /// Resamplers.
    pub resamplers: &'static [ResamplerEntry],
    /// Ensembles.
    pub ensembles: &'static [EnsembleEntry],
    /// Losses.
    pub losses: &'static [LossEntry],
    /// Decisions.
    pub decisions: &'static [DecisionEntry],
    /// Learners.
    pub learners: &'static [LearnerEntry],
    /// Metrics, in the order of the records' columns.
    pub metrics: &'static [MetricEntry],
    /// Populations.
    pub populations: &'static [PopulationEntry],
}

impl Catalogue {
    /// The same with a learner of one's own. The list lives as long as the program: catalogues are made
    /// once.
    #[must_use]
    pub fn with_learner(self, entry: LearnerEntry) -> Self {
        Self {
            learners: with(self.learners, entry),
            ..self
        }
    }

    /// The same with a resampler of one's own.
    #[must_use]
    pub fn with_resampler(self, entry: ResamplerEntry) -> Self {
        Self {
            resamplers: with(self.resamplers, entry),
            ..self
        }
    }
}

/// A list with one entry more, sorted by id; it takes the place of one of the same id.
fn with<C: Copy, T: ?Sized>(entries: &[Entry<C, T>], entry: Entry<C, T>) -> &'static [Entry<C, T>] {
    let others = entries.iter().filter(|old| old.card.id != entry.card.id);
    let mut list: Vec<Entry<C, T>> = others.map(|old| Entry { ..*old }).collect();
    list.push(entry);
    list.sort_by_key(|entry| entry.card.id);
    list.leak()
}

/// The entry called `id`.
pub fn find<'a, C, T: ?Sized>(entries: &'a [Entry<C, T>], id: &str) -> Option<&'a Entry<C, T>> {
    entries.iter().find(|entry| entry.card.id == id)
}

/// Rows of each class as `class:count` pairs in class order, for messages.
pub fn describe_counts(names: &[String], counts: &ClassCounts) -> String {
    let pairs: Vec<String> = names
        .iter()
        .zip(counts.as_slice())
        .map(|(name, n)| format!("{name}:{n}"))
        .collect();
    pairs.join(" ")
}
