//! Cards, entries and the catalogue: the only way in which the harness learns of methods.

use std::collections::BTreeMap;

use crate::ensemble::{Base, Ensemble};
use crate::error::{StageError, StageResult};
use crate::labels::ClassCounts;
use crate::params::{self, Declared, ParamError, ParamSpec, Params};
use crate::scores::ScoreKind;
use crate::stage::{
    Decision, Learner, Loss, LossNeeds, Metric, Population, Resampler, StageContext,
};
use crate::views::{Samples, Train};

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

impl Card {
    /// Of a method that has no parameters.
    pub const fn plain(id: &'static str, summary: &'static str) -> Self {
        Self {
            id,
            summary,
            reference: "",
            params: &[],
        }
    }
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

/// What a resampler does to the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Adds rows, until there are as many of a class as are asked for.
    Grows,
    /// Drops rows, until there are as many of a class as are asked for.
    Shrinks,
    /// Drops rows for what they are, however many that is.
    Cleans,
    /// Leaves them and asks the learner to draw its minibatches otherwise.
    Redraws,
}

/// Where the rows lie that a resampler makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewRows {
    /// It makes none: it copies or drops.
    None,
    /// On the line through two rows of their class.
    WithinClass,
    /// On the line through a row of their class and any other.
    Between,
    /// Elsewhere.
    Elsewhere,
}

/// What planning has to know of a resampler, and what the contract suites hold it to.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, each a yes or no"
)]
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
    /// What it does to the rows.
    pub effect: Effect,
    /// Where the rows lie that it makes.
    pub makes: NewRows,
    /// Whether it drops rows once it has added some, so that the counts end where that leaves them.
    pub cleans_up: bool,
    /// Whether the counts come out near what is asked.
    pub rounded: bool,
    /// Whether the stream makes no difference.
    pub deterministic: bool,
    /// Whether it has a rule for rows that have weights: copied rows keep theirs, a new one has that of the row that
    /// it starts from, and what is counted are rows.
    pub weighs: bool,
    /// Parameters with which it has something to do on a few overlapping rows, where its defaults have not.
    pub suited: &'static [(&'static str, params::Default)],
}

impl ResamplerCaps {
    /// Of a method that adds rows, copies unless it says otherwise, to data of any columns.
    pub const GROWS: Self = Self {
        nominal: OnNominal::Handles,
        all_nominal: OnNominal::Handles,
        numeric_only: OnNominal::Handles,
        minibatches: false,
        family: "resampling",
        footprint: |_, _| 0.0,
        effect: Effect::Grows,
        makes: NewRows::None,
        cleans_up: false,
        rounded: false,
        deterministic: false,
        weighs: true,
        suited: &[],
    };
    /// Of a method that drops rows until there are as many as are asked for.
    pub const SHRINKS: Self = Self {
        effect: Effect::Shrinks,
        ..Self::GROWS
    };
    /// Of a method that drops rows for what they are; always the same ones unless it says otherwise.
    pub const CLEANS: Self = Self {
        effect: Effect::Cleans,
        deterministic: true,
        ..Self::GROWS
    };
    /// Of a method that leaves the rows and changes how minibatches are drawn.
    pub const REDRAWS: Self = Self {
        effect: Effect::Redraws,
        minibatches: true,
        weighs: false,
        ..Self::GROWS
    };

    /// The same, taking so many bytes.
    #[must_use]
    pub const fn taking(self, footprint: fn(&Params, &TrainSize<'_>) -> f64) -> Self {
        Self { footprint, ..self }
    }

    /// The same, without a rule for rows that have weights.
    #[must_use]
    pub const fn weightless(self) -> Self {
        Self {
            weighs: false,
            ..self
        }
    }

    /// The same, making rows there.
    #[must_use]
    pub const fn making(self, makes: NewRows) -> Self {
        Self { makes, ..self }
    }

    /// The same, on data with nominal and numeric columns, with nominal ones alone, and without any.
    #[must_use]
    pub const fn on(
        self,
        nominal: OnNominal,
        all_nominal: OnNominal,
        numeric_only: OnNominal,
    ) -> Self {
        Self {
            nominal,
            all_nominal,
            numeric_only,
            ..self
        }
    }

    /// The same, on numeric columns, with nominal ones beside them or without.
    #[must_use]
    pub const fn mixed(self) -> Self {
        self.on(OnNominal::Handles, OnNominal::Refuses, OnNominal::Handles)
    }

    /// The same, on numeric columns alone.
    #[must_use]
    pub const fn numeric(self) -> Self {
        self.on(OnNominal::Refuses, OnNominal::Refuses, OnNominal::Handles)
    }
}

/// What planning has to know of a loss or a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleCaps {
    /// The `family` of a correction that is this stage alone.
    pub family: &'static str,
}

impl RuleCaps {
    /// No correction.
    pub const NONE: Self = Self { family: "none" };
    /// Weights of rows.
    pub const REWEIGHTING: Self = Self {
        family: "reweighting",
    };
    /// Margins and factors of scores.
    pub const MARGIN: Self = Self { family: "margin" };
    /// Shifts of log-probabilities by a prior.
    pub const LOGIT_ADJUSTMENT: Self = Self {
        family: "logit-adjustment",
    };
    /// Thresholds, costs and offsets.
    pub const THRESHOLDING: Self = Self {
        family: "thresholding",
    };
    /// Calibration alone.
    pub const CALIBRATION: Self = Self {
        family: "calibration",
    };
}

/// What planning has to know of an ensemble.
#[derive(Clone, Copy, Debug)]
pub struct EnsembleCaps {
    /// The `family` of a correction that is this stage alone.
    pub family: &'static str,
    /// Estimated number of fits of the base, and the rows of each, from the training rows of each
    /// class: for progress, never for results.
    pub fits: fn(&Params, &ClassCounts) -> (usize, usize),
    /// Whether it boosts one chain of fits, whose scores have no prior of their own.
    pub chained: bool,
    /// Whether it honours weights of rows, given a base that does.
    pub weighs: bool,
}

impl EnsembleCaps {
    /// Of members that are fitted each to rows of its own.
    pub const fn new(fits: fn(&Params, &ClassCounts) -> (usize, usize)) -> Self {
        Self {
            family: "ensemble",
            fits,
            chained: false,
            weighs: false,
        }
    }

    /// The same, honouring weights of rows.
    #[must_use]
    pub const fn weighing(self) -> Self {
        Self {
            weighs: true,
            ..self
        }
    }
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

impl LearnerCaps {
    /// Of a learner that gives probabilities for any number of classes and rows, always the same ones, and takes
    /// no memory to speak of.
    pub const fn new(
        library: &'static str,
        honours: LossNeeds,
        cost: fn(&Params, &Workload) -> f64,
    ) -> Self {
        Self {
            library,
            honours,
            scores: ScoreKind::Probability,
            multiclass: true,
            deterministic: true,
            max_rows: None,
            cost,
            footprint: |_, _| Footprint::NONE,
            remark: "",
        }
    }

    /// The same, taking so many bytes.
    #[must_use]
    pub const fn taking(self, footprint: fn(&Params, &Workload) -> Footprint) -> Self {
        Self { footprint, ..self }
    }
}

/// What planning and tables have to know of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricCaps {
    /// Needs more than votes, and looks at scores alone: all decisions on the same scores share its value. Without
    /// it a metric looks at decisions alone.
    pub probabilities: bool,
    /// Also given on the scores as they are, without the mapping to the metric prior (suffix `_raw`).
    pub also_raw: bool,
    /// Depends on the class shares of the test rows.
    pub prior_dependent: bool,
    /// Whether less is better; `None` when the best value is neither end (a calibration slope).
    pub lower_is_better: Option<bool>,
}

impl MetricCaps {
    /// Of a metric of decisions, of which more is better.
    pub const DECISIONS: Self = Self {
        probabilities: false,
        also_raw: false,
        prior_dependent: false,
        lower_is_better: Some(false),
    };
    /// Of a metric of decisions on rows weighted to the metric prior, of which more is better.
    pub const WEIGHTED: Self = Self {
        prior_dependent: true,
        ..Self::DECISIONS
    };
    /// Of a metric of probabilities, of which less is better.
    pub const SCORES: Self = Self {
        probabilities: true,
        also_raw: true,
        prior_dependent: true,
        lower_is_better: Some(true),
    };
}

/// What planning has to know of a population.
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

/// The entry of a method whose parameters are declared.
macro_rules! of {
    ($($entry:ty, $caps:ty, $stage:ident;)+) => {$(
        impl $entry {
            /// The method `M`, under this name.
            pub const fn of<M: Declared + $stage>(
                id: &'static str,
                summary: &'static str,
                reference: &'static str,
                caps: $caps,
            ) -> Self {
                Self {
                    card: Card { id, summary, reference, params: M::PARAMS },
                    caps,
                    build: |params| Ok(Box::new(M::try_from(params)?)),
                }
            }
        }
    )+};
}

impl MetricEntry {
    /// A metric without parameters.
    pub const fn plain(
        id: &'static str,
        summary: &'static str,
        reference: &'static str,
        caps: MetricCaps,
        build: fn(&Params) -> Result<Box<dyn Metric>, ParamError>,
    ) -> Self {
        let card = Card {
            id,
            summary,
            reference,
            params: &[],
        };
        Self { card, caps, build }
    }
}

of! {
    ResamplerEntry, ResamplerCaps, Resampler;
    EnsembleEntry, EnsembleCaps, Ensemble;
    LossEntry, RuleCaps, Loss;
    DecisionEntry, RuleCaps, Decision;
    LearnerEntry, LearnerCaps, Learner;
    MetricEntry, MetricCaps, Metric;
    PopulationEntry, PopulationCaps, Population;
}

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
    /// Resamples, handing the method the learner that it asks for, at its defaults. `encode` is the
    /// split's: from nominal columns as codes to the numbers that learners take.
    ///
    /// # Errors
    /// [`StageError::Failed`] when there is no such learner, and whatever resampling gives.
    pub fn resample(
        &self,
        method: &dyn Resampler,
        train: &Train,
        encode: &dyn Fn(&Samples) -> StageResult<Samples>,
        context: &mut StageContext<'_>,
    ) -> StageResult<Train> {
        let Some(kind) = method.asks_for() else {
            return train.resampled_by(context, |train, context| method.resample(train, context));
        };
        let none = || StageError::Failed(format!("there is no learner `{kind}` to resample by"));
        let entry = find(self.learners, kind).ok_or_else(none)?;
        let wrong = |error: ParamError| StageError::Failed(format!("learner `{kind}`: {error}"));
        let defaults = params::check(entry.card.params, &BTreeMap::new())
            .map_err(|mut errors| errors.pop().map_or_else(none, wrong))?;
        let learner = (entry.build)(&defaults).map_err(wrong)?;
        let base = Base {
            id: kind,
            learner: &*learner,
            max_rows: entry.caps.max_rows,
            encode,
        };
        method.resample_by(&base, train, context)
    }

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
