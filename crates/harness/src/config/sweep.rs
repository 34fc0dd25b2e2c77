//! What a sweep file asks for, checked: the typed form of format 1.

use std::collections::BTreeMap;
use std::path::{Component, PathBuf};
use std::time::Duration;

use counterweight_core::{
    ClassCounts, Contrast, Decision, Ensemble, EnsembleCaps, Learner, Loss, Name, Population,
    Question, ReadOptions, Resampler, Seed, SmallClass,
};
use counterweight_core::{LearnerCaps, PopulationCaps, ResamplerCaps, RuleCaps};
use counterweight_data::preprocess::{Polynomial, Preprocess};
use counterweight_data::profile::{Ladder, Profile};

use super::method::Built;
use super::tasks::task;

/// A model of the sweep.
#[derive(Clone, Debug)]
pub struct Model {
    /// Id in tables.
    pub id: String,
    /// Id of its entry: the same for all points of a grid.
    pub entry: Name,
    /// Line of the entry.
    pub line: usize,
    /// Whether every point of its grid stands for itself in rankings.
    pub expand: bool,
    /// The learner; with `select` the first of its grid.
    pub learner: Built<LearnerCaps, dyn Learner>,
    /// Features that are made for this model; `None` for the encoded columns as they are.
    pub features: Option<Features>,
    /// A grid that is chosen from inside each training fold.
    pub select: Option<Select>,
}

/// A grid of parameters to choose from by inner cross-validation, for each correction on its own.
#[derive(Clone, Debug)]
pub struct Select {
    /// Id of the metric that decides.
    pub metric: &'static str,
    /// The points of the grid, in order; of equally good ones the first is taken.
    pub candidates: Vec<Built<LearnerCaps, dyn Learner>>,
}

/// Features that are made of the encoded columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// Products of up to so many columns.
    pub polynomial: usize,
}

impl Features {
    /// The key in ids, parameters and cell keys.
    pub const POLYNOMIAL: &'static str = "features.polynomial";
}

impl Sweep {
    /// Every learner of its models, those of grids to choose from included.
    pub fn learners_mut(&mut self) -> impl Iterator<Item = &mut Built<LearnerCaps, dyn Learner>> {
        self.models.iter_mut().flat_map(|model| {
            let candidates = model.select.iter_mut().flat_map(|s| &mut s.candidates);
            std::iter::once(&mut model.learner).chain(candidates)
        })
    }
}

impl Model {
    /// The learners that a fit may turn out to be of.
    pub fn candidates(&self) -> &[Built<LearnerCaps, dyn Learner>] {
        match &self.select {
            Some(select) => &select.candidates,
            None => std::slice::from_ref(&self.learner),
        }
    }

    /// `kind[key=value,...]` with every parameter, the made features among them (of a grid that is chosen
    /// from every point, and the metric that chooses): the text in cell keys.
    pub fn canonical(&self) -> String {
        let params = self.params(",");
        if params.is_empty() {
            self.learner.entry.card.id.to_owned()
        } else {
            format!("{}[{params}]", self.learner.entry.card.id)
        }
    }

    /// `key=value` in key order, the made features among them: `model_params` of records. Of a grid that is
    /// chosen from, the values of each parameter and what chooses; what was chosen is in the details.
    pub fn params(&self, separator: &str) -> String {
        if let Some(select) = &self.select {
            let mut values: BTreeMap<&str, Vec<String>> = BTreeMap::new();
            for candidate in &select.candidates {
                for (key, value) in candidate.params.iter() {
                    let seen = values.entry(key).or_default();
                    let text = value.to_string();
                    if !seen.contains(&text) {
                        seen.push(text);
                    }
                }
            }
            if let Some(features) = self.features {
                values.insert(Features::POLYNOMIAL, vec![features.polynomial.to_string()]);
            }
            values.insert("select", vec![select.metric.replace('_', "-")]);
            let pairs: Vec<String> = values
                .iter()
                .map(|(key, values)| format!("{key}={}", values.join("|")))
                .collect();
            return pairs.join(separator);
        }
        let params = self.learner.params.canonical(separator);
        let Some(features) = self.features else {
            return params;
        };
        let own = format!("{}={}", Features::POLYNOMIAL, features.polynomial);
        let mut pairs: Vec<String> = self
            .learner
            .params
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        pairs.push(own);
        pairs.sort_unstable();
        pairs.join(separator)
    }

    /// Feature columns that the learner sees, of so many encoded ones.
    pub fn n_columns(&self, n_encoded: usize) -> usize {
        self.features.map_or(n_encoded, |features| {
            Polynomial::columns(n_encoded, features.polynomial).unwrap_or(usize::MAX)
        })
    }
}

/// Many decisions on the fits of some corrections: a line of rules over a grid of one parameter. Curves
/// make no records.
#[derive(Clone, Debug)]
pub struct Curve {
    /// Id in tables.
    pub id: String,
    /// The decision, whose parameter runs.
    pub decide: Built<RuleCaps, dyn Decision>,
    /// The parameter.
    pub parameter: &'static str,
    /// First value.
    pub from: f64,
    /// Last value.
    pub to: f64,
    /// Number of values, evenly spaced.
    pub points: usize,
    /// Corrections whose fits it is drawn on, as indices into the sweep; each fit once.
    pub corrections: Vec<usize>,
}

impl Curve {
    /// The values of the parameter.
    pub fn values(&self) -> Vec<f64> {
        let last = (self.points.max(2) - 1) as f64;
        (0..self.points)
            .map(|at| {
                let share = at as f64 / last;
                self.from * (1.0 - share) + self.to * share
            })
            .collect()
    }

    /// Everything that decides it, beside the fit.
    pub fn canonical(&self) -> String {
        format!(
            "{} over {} from {} to {} in {}",
            self.decide.canonical(),
            self.parameter,
            self.from,
            self.to,
            self.points
        )
    }
}

/// Resampling before the split, as a leaky notebook does it: what it would claim is measured beside what
/// the honest protocol gives. Leaks make no records.
#[derive(Clone, Debug)]
pub struct Leak {
    /// Id in tables.
    pub id: String,
    /// The resampler with no other stage: what the honest protocol runs.
    pub arm: Correction,
    /// Models that are fitted, as indices into the sweep.
    pub models: Vec<usize>,
    /// Ids of the datasets and populations.
    pub datasets: Vec<String>,
}

/// A correction: a triple of stages, each `None` where it is the identity; or an ensemble, which owns
/// the fit, and a decision.
#[derive(Clone, Debug)]
pub struct Correction {
    /// Id in tables.
    pub id: String,
    /// Id of its entry: the same for all points of a grid.
    pub entry: Name,
    /// Line of the entry.
    pub line: usize,
    /// Whether every point of its grid stands for itself in rankings.
    pub expand: bool,
    /// Changes the training rows.
    pub resample: Option<Built<ResamplerCaps, dyn Resampler>>,
    /// Takes the place of resampling, loss and the single fit; then those are identities.
    pub ensemble: Option<Built<EnsembleCaps, dyn Ensemble>>,
    /// Changes the loss.
    pub loss: Built<RuleCaps, dyn Loss>,
    /// Changes the decision.
    pub decide: Built<RuleCaps, dyn Decision>,
}

/// An imbalance ratio to make.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RatioSpec {
    /// The data as they are.
    Natural,
    /// Largest over smallest class count.
    Induced(f64),
}

/// How the size of a population's training set is fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SizeSpec {
    /// All classes together.
    Total(usize),
    /// The largest class.
    Largest(usize),
    /// The smallest class.
    Smallest(usize),
    /// Each class.
    Each(ClassCounts),
}

/// Which class the smallest count goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RareSpec {
    /// The naturally smallest class, or the last one of a population.
    Smallest,
    /// The naturally largest class, or the first one of a population; the order of the others is turned round too.
    Largest,
    /// Each class in turn, the others in their order: a unit each.
    Each,
}

impl RareSpec {
    /// The word for real data.
    pub fn id(self) -> &'static str {
        match self {
            Self::Smallest => "smallest",
            Self::Largest => "largest",
            Self::Each => "each",
        }
    }
}

/// Size of a test set with the same number of rows of every class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TestSize {
    /// Rows of each class.
    Rows(usize),
    /// Share of the smallest class, rounded up: rows of each class.
    Share(f64),
}

impl TestSize {
    /// Rows of each class, of a table whose smallest class has so many.
    pub fn rows(self, smallest: usize) -> usize {
        match self {
            Self::Rows(rows) => rows,
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a share of a number of rows"
            )]
            Self::Share(share) => (smallest as f64 * share - 1e-9).ceil() as usize,
        }
    }
}

/// Shares of the classes among the test rows.
#[derive(Clone, Debug, PartialEq)]
pub enum TestPrior {
    /// Those of the training rows.
    Train,
    /// Equal ones.
    Balanced,
    /// These, in class order; each above 0, and their sum 1.
    Shares(Vec<f64>),
}

/// A synthetic population of the sweep.
#[derive(Clone, Debug)]
pub struct PopulationSpec {
    /// Id in tables.
    pub id: String,
    /// Id of its entry: the same for all points of a grid.
    pub entry: String,
    /// Line of the entry.
    pub line: usize,
    /// The population.
    pub population: Built<PopulationCaps, dyn Population>,
    /// Size of the training set.
    pub size: SizeSpec,
    /// Test rows, balanced over the classes.
    pub n_test: usize,
    /// Ratios to make.
    pub ratios: Vec<f64>,
    /// Shape of the imbalance.
    pub profile: Profile,
    /// Which class is rare.
    pub rare: RareSpec,
    /// Shares of the classes among the test rows; balanced where nothing is said.
    pub test_prior: Option<TestPrior>,
    /// What happens to the columns.
    pub preprocess: Preprocess,
}

/// Where a dataset's rows come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A set of the library `datasets/`, or a published task of one.
    Library {
        /// Its name there.
        name: String,
    },
    /// A file of the user's own.
    File {
        /// The file, relative to the sweep file's folder.
        path: PathBuf,
        /// The label column.
        target: String,
    },
    /// A split that someone else made.
    Pair {
        /// Training rows.
        train: PathBuf,
        /// Test rows.
        test: PathBuf,
        /// The label column.
        target: String,
    },
}

impl Source {
    /// The files that it is read from, as the sweep names them; none of the library's.
    pub fn files(&self) -> Vec<PathBuf> {
        let given: &[&PathBuf] = match self {
            Self::Library { .. } => &[],
            Self::File { path, .. } => &[path],
            Self::Pair { train, test, .. } => &[train, test],
        };
        let plain = |path: &&PathBuf| {
            let parts = path.components();
            parts
                .filter(|part| !matches!(part, Component::CurDir))
                .collect()
        };
        given.iter().map(plain).collect()
    }
}

/// A real dataset of the sweep.
#[derive(Clone, Debug)]
pub struct DatasetSpec {
    /// Id in tables.
    pub id: String,
    /// Line of the entry.
    pub line: usize,
    /// Line of each of its keys.
    pub lines: BTreeMap<String, usize>,
    /// Where its rows come from.
    pub source: Source,
    /// How its file is read.
    pub reading: ReadOptions,
    /// Column whose equal values are groups of rows, which no split divides.
    pub group: Option<String>,
    /// The file that says which rows are trained and tested on in each repeat and fold.
    pub splits: Option<PathBuf>,
    /// Ratios to make.
    pub ratios: Vec<RatioSpec>,
    /// Shape of the induced imbalance.
    pub profile: Profile,
    /// Which class the induced imbalance makes rare.
    pub rare: RareSpec,
    /// How many rows there are at an induced ratio; `None` for as many as the data can give.
    pub size: Option<SizeSpec>,
    /// Test rows of every class, held out before anything is thinned; `None` splits by the protocol.
    pub test_per_class: Option<TestSize>,
    /// Shares of the classes that test rows are drawn to; `None` for the rows as they come.
    pub test_prior: Option<TestPrior>,
    /// What is held along the ratios, once for each; empty thins to each ratio what the data have.
    pub ladders: Vec<Ladder>,
    /// The two-class task that is made of its classes.
    pub contrast: Option<Contrast>,
    /// What happens to the columns.
    pub preprocess: Preprocess,
    /// Most rows; more are subset, stratified.
    pub max_rows: Option<usize>,
}

/// How undivided real data are split.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SplitSpec {
    /// Stratified k-fold.
    Folds(usize),
    /// Stratified hold-out with this share of test rows.
    HoldOut(f64),
}

/// The prior to which prior-dependent metrics weight the test rows.
#[derive(Clone, Debug, PartialEq)]
pub enum MetricPrior {
    /// The training prior before resampling.
    Train,
    /// The test rows as they are.
    Test,
    /// The same weight for every class.
    Uniform,
    /// These shares, in class order; each above 0, and their sum 1.
    Shares(Vec<f64>),
}

impl MetricPrior {
    /// Name in sweep files; shares joined by `;`.
    pub fn id(&self) -> String {
        match self {
            Self::Train => "train".to_owned(),
            Self::Test => "test".to_owned(),
            Self::Uniform => "uniform".to_owned(),
            Self::Shares(shares) => joined(shares),
        }
    }
}

/// Class shares as a text that reads back.
pub(crate) fn joined(shares: &[f64]) -> String {
    let texts: Vec<String> = shares.iter().map(|share| format!("{share:?}")).collect();
    texts.join(";")
}

/// The protocol of the sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Protocol {
    /// Line of `repeats`, or of the table.
    pub line: usize,
    /// How undivided real data are split.
    pub split: SplitSpec,
    /// Repeats of the split, or draws of a population.
    pub repeats: usize,
    /// Folds of cross-fitting.
    pub inner_folds: usize,
    /// What to do with classes that are too small.
    pub small_class: SmallClass,
    /// Most time for a cell.
    pub timeout: Duration,
    /// Most bytes of the whole run, shared out among its threads; `None` leaves it to the machine, which then
    /// decides no outcome.
    pub max_memory: Option<u64>,
    /// Prior of prior-dependent metrics; `None` for the training prior, or that of the test rows where these are drawn
    /// to a prior of their own.
    pub metric_prior: Option<MetricPrior>,
    /// Whether exact duplicate rows stay on one side of every split.
    pub group_duplicates: bool,
    /// Whether the scores of every cell are kept beside its record.
    pub keep_scores: bool,
    /// Whether linear rules are judged by their exact errors too, where the population has them.
    pub exact_errors: bool,
}

impl Protocol {
    /// The time of a cell where the sweep gives none.
    pub const TIMEOUT: Duration = Duration::from_hours(1);
}

/// A checked sweep.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The file it was read from.
    pub file: PathBuf,
    /// The file's text.
    pub text: String,
    /// Its name.
    pub name: String,
    /// Its seed.
    pub seed: Seed,
    /// What it is asked for.
    pub question: Option<Question>,
    /// Its protocol.
    pub protocol: Protocol,
    /// Its populations, in file order.
    pub populations: Vec<PopulationSpec>,
    /// Its datasets, in file order.
    pub datasets: Vec<DatasetSpec>,
    /// Its models, grids expanded.
    pub models: Vec<Model>,
    /// Its corrections, grids and presets expanded.
    pub corrections: Vec<Correction>,
    /// Its curves, in file order.
    pub curves: Vec<Curve>,
    /// Its leaks, grids expanded.
    pub leaks: Vec<Leak>,
}

impl Sweep {
    /// The table that a dataset is a task of: its name in the library, or the id of the first dataset of the same
    /// file.
    pub fn table_of(&self, dataset: usize) -> &str {
        match &self.datasets[dataset].source {
            Source::Library { name } => task(name).map_or(name, |task| task.table),
            source => {
                let same = |own: &&DatasetSpec| own.source.files() == source.files();
                let first = self.datasets.iter().find(same);
                first.map_or("", |first| &first.id)
            }
        }
    }
}
