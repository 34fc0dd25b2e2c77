//! What the records say, before anything is compared: the models, corrections, datasets and metrics
//! that they name, and one value an arm and point. Every study starts from here and from nothing
//! that another study computed, unless its arguments say so.

use std::collections::{BTreeMap, BTreeSet};

use counterweight_core::{Catalogue, Role, ScoreKind, find};
use counterweight_store::metric_column;

use super::Target;
use super::compare::{ALIKE_ON, RESOLUTION};
use super::cover::{Cell, Cells};
use super::cube::{self, Cube, Seconds, Summary, mean};
use super::grid::Stands;
pub use super::info::{CorrectionInfo, DatasetInfo, MetricInfo, ModelInfo, Point};
use crate::ReportInput;
use crate::error::Result;

/// The profile of a ladder that holds the rows of the rarer class.
pub const HELD_MINORITY: &str = "ladder-minority";
/// The profile of a ladder that holds all rows.
pub const HELD_ROWS: &str = "ladder-n";

/// Which points a comparison looks at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scope {
    /// All.
    All,
    /// Points of real datasets.
    Real,
    /// Points of populations.
    Synthetic,
    /// Points whose realised ratio is at least the first and below the second number.
    Band(f64, f64),
}

impl Scope {
    /// The bands of the realised imbalance ratio: about half a decade each, since rankings of
    /// corrections move with the logarithm of the ratio.
    pub const BANDS: [Self; 5] = [
        Self::Band(1.0, 3.0),
        Self::Band(3.0, 10.0),
        Self::Band(10.0, 30.0),
        Self::Band(30.0, 100.0),
        Self::Band(100.0, f64::INFINITY),
    ];

    pub(super) fn contains(self, point: &Point, datasets: &[DatasetInfo]) -> bool {
        let synthetic = datasets
            .get(point.dataset)
            .is_some_and(|dataset| dataset.synthetic);
        match self {
            Self::All => true,
            Self::Real => !synthetic && !point.aside,
            Self::Synthetic => synthetic,
            Self::Band(low, high) => point
                .imbalance_ratio
                .is_some_and(|ratio| low <= ratio && ratio < high),
        }
    }

    /// The scope in words.
    pub fn label(self) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::Real => "real datasets".to_owned(),
            Self::Synthetic => "populations".to_owned(),
            Self::Band(low, high) if high.is_finite() => format!("ratio {low} to {high}"),
            Self::Band(low, _) => format!("ratio {low} and more"),
        }
    }
}

/// What the records say.
#[derive(Debug, Clone, PartialEq)]
pub struct Data {
    /// The metric that ranks the corrections.
    pub target: Target,
    /// The class shares that metrics of all test rows are weighted to.
    pub weighted_to: String,
    /// The metrics of the records, the target first.
    pub metrics: Vec<MetricInfo>,
    /// Models, in order of first appearance.
    pub models: Vec<ModelInfo>,
    /// Corrections, in order of first appearance.
    pub corrections: Vec<CorrectionInfo>,
    /// Datasets, in order of first appearance.
    pub datasets: Vec<DatasetInfo>,
    /// Points, in order of first appearance.
    pub points: Vec<Point>,
    /// The correction that the others are compared with: `none`, or the first of its family.
    pub baseline: Option<usize>,
    /// One value an arm and point.
    pub cube: Cube,
    /// What the headline leaves out: see [`ModelInfo::left_out`].
    pub dropped: Cube,
    /// The resampling stage of each correction at each point where it is not the correction's usual
    /// one (`smote` is planned as `smote-nc` on nominal columns).
    stages: BTreeMap<(usize, usize), String>,
}

impl Data {
    /// Sums up the records.
    ///
    /// # Errors
    /// [`ReportError::Twice`](crate::ReportError::Twice) when two records claim one place of the design.
    pub(super) fn of(input: &ReportInput<'_>, target: &Target) -> Result<Self> {
        let seconds: BTreeMap<&str, Seconds> = input
            .timings
            .iter()
            .map(|t| {
                let total =
                    t.resample_seconds + t.fit_seconds + t.crossfit_seconds + t.decide_seconds;
                let seconds = Seconds {
                    total,
                    resample: t.resample_seconds,
                };
                (t.cell.0.as_str(), seconds)
            })
            .collect();
        let mut indexed = cube::index(input.records, &seconds, target)?;
        describe_models(&mut indexed, input);
        for dataset in &mut indexed.datasets {
            if let Some(about) = input.about.iter().find(|about| about.id == dataset.id) {
                if !about.cluster.is_empty() {
                    dataset.cluster.clone_from(&about.cluster);
                }
                dataset.licence.clone_from(&about.licence);
                dataset.origin.clone_from(&about.source);
                dataset.citation.clone_from(&about.citation);
            }
        }
        // Two ladders of one table are never in one mean.
        let profiles: BTreeSet<&str> = indexed.points.iter().map(|p| p.profile.as_str()).collect();
        let both = [HELD_MINORITY, HELD_ROWS]
            .iter()
            .all(|own| profiles.contains(own));
        for point in indexed.points.iter_mut().filter(|_| both) {
            point.aside = point.profile == HELD_ROWS;
        }
        let corrections = &indexed.corrections;
        let exact = corrections.iter().position(|c| c.id == "none");
        Ok(Self {
            target: target.clone(),
            weighted_to: input.weighted_to.to_owned(),
            metrics: describe_metrics(&indexed.metrics, input.catalogue),
            baseline: exact.or_else(|| corrections.iter().position(|c| c.family == "none")),
            models: indexed.models,
            corrections: indexed.corrections,
            datasets: indexed.datasets,
            points: indexed.points,
            cube: indexed.cube,
            dropped: Cube::default(),
            stages: indexed.stages,
        })
    }

    /// The same with those models and corrections alone that stand in rankings.
    pub(super) fn standing(&self, standing: &Stands) -> Self {
        let kept = |flags: &[bool]| -> Vec<Option<usize>> {
            let mut next = 0;
            let number = |own: &bool| {
                next += usize::from(*own);
                own.then(|| next - 1)
            };
            flags.iter().map(number).collect()
        };
        let (models, corrections) = (kept(&standing.models), kept(&standing.corrections));
        let new = |places: &[Option<usize>], old: usize| places.get(old).copied().flatten();
        let infos = self.models.iter().zip(&models);
        let stages = self.stages.iter().filter_map(|((point, c), stage)| {
            Some(((*point, new(&corrections, *c)?), stage.clone()))
        });
        Self {
            target: self.target.clone(),
            weighted_to: self.weighted_to.clone(),
            metrics: self.metrics.clone(),
            models: infos
                .filter(|(_, new)| new.is_some())
                .map(|(m, _)| m.clone())
                .collect(),
            corrections: self
                .corrections
                .iter()
                .zip(&corrections)
                .filter(|(_, new)| new.is_some())
                .map(|(c, _)| c.clone())
                .collect(),
            datasets: self.datasets.clone(),
            points: self.points.clone(),
            baseline: self
                .baseline
                .and_then(|baseline| new(&corrections, baseline)),
            cube: self
                .cube
                .renumbered(|(m, p, c)| Some((new(&models, m)?, p, new(&corrections, c)?))),
            dropped: Cube::default(),
            stages: stages.collect(),
        }
    }

    /// What headlines and tests are about: real datasets alone where there are any. Populations are a check of
    /// theory at ratios that we chose, and never enter one mean with them.
    pub fn question(&self) -> Scope {
        if self.datasets.iter().any(|dataset| !dataset.synthetic) {
            Scope::Real
        } else {
            Scope::All
        }
    }

    /// Indices of the points of a scope; bands of the ratio are parts of the [`question`](Self::question).
    pub fn points_of(&self, scope: Scope) -> Vec<usize> {
        let of = |scope: Scope, point: &Point| scope.contains(point, &self.datasets);
        let within = match scope {
            Scope::Band(..) => self.question(),
            _ => Scope::All,
        };
        let points = self.points.iter().enumerate();
        points
            .filter(|(_, point)| of(scope, point) && of(within, point))
            .map(|(index, _)| index)
            .collect()
    }

    /// The same for headlines: without the degenerate cells of models that have more than one in a hundred,
    /// and with the twins among the models marked.
    #[must_use]
    pub(super) fn for_headlines(mut self) -> Self {
        for ((model, point, _), summary) in self.cube.iter() {
            let (Some(model), Some(point)) = (self.models.get_mut(model), self.points.get(point))
            else {
                continue;
            };
            model.n_values += summary.n_values;
            model.n_degenerate += summary.n_degenerate;
            if summary.n_degenerate > 0 {
                model.degenerate_on.insert(point.dataset);
            }
        }
        for model in &mut self.models {
            model.left_out = model.n_degenerate * 100 > model.n_values;
        }
        let models = &self.models;
        let keep = |(model, ..): (usize, usize, usize), summary: &Summary| {
            summary.n_degenerate == 0 || models.get(model).is_none_or(|model| !model.left_out)
        };
        (self.cube, self.dropped) = std::mem::take(&mut self.cube).split(keep);
        for model in 0..self.models.len() {
            let (twin, chosen_by) = (self.twin_of(model), self.chooser_of(model));
            if let Some(own) = self.models.get_mut(model) {
                (own.same_as, own.chosen_by) = (twin, chosen_by);
            }
        }
        self
    }

    /// A model that holds every value of this one, on five datasets at least; of equal ones the first.
    fn twin_of(&self, model: usize) -> Option<usize> {
        let holds = |other: usize, own: usize| {
            let mut datasets = BTreeSet::new();
            let mut values = self.cube.iter().filter(|((of, ..), _)| *of == own);
            let equal = values.all(|((_, point, correction), summary)| {
                let Some(value) = summary.value() else {
                    return true;
                };
                datasets.extend(self.points.get(point).map(|point| point.dataset));
                let theirs = self.cube.value(other, point, correction);
                theirs.is_some_and(|theirs| (theirs - value).abs() <= RESOLUTION)
            });
            equal && datasets.len() >= ALIKE_ON
        };
        let mut others = (0..self.models.len()).filter(|other| *other != model);
        others.find(|&other| holds(other, model) && (other < model || !holds(model, other)))
    }

    /// The entry that chooses what this one fixes.
    fn chooser_of(&self, model: usize) -> Option<usize> {
        let own = self.models.get(model).filter(|own| !own.selects())?;
        self.models
            .iter()
            .position(|other| other.selects() && own.is_kind_of(other))
    }

    /// The model that counts in the place of this one.
    pub fn same_model(&self, model: usize) -> Option<usize> {
        let own = self.models.get(model)?;
        own.same_as.or(own.chosen_by)
    }

    /// The cluster of a dataset.
    pub fn cluster(&self, dataset: usize) -> &str {
        self.datasets.get(dataset).map_or("", |info| &info.cluster)
    }

    /// Whether a point is of a real dataset.
    pub(super) fn is_real(&self, point: usize) -> bool {
        let dataset = self.points.get(point).map(|point| point.dataset);
        dataset
            .and_then(|d| self.datasets.get(d))
            .is_some_and(|d| !d.synthetic)
    }

    /// Means by cluster, by its name: the mean over the cluster's datasets of the mean over their cells.
    pub(super) fn by_cluster(
        &self,
        cells: &Cells,
        value: &dyn Fn(Cell) -> Option<f64>,
    ) -> BTreeMap<&str, f64> {
        let mut clusters: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for (dataset, cells) in cells {
            if let Some(mean) = mean(cells.iter().filter_map(|cell| value(*cell))) {
                clusters
                    .entry(self.cluster(*dataset))
                    .or_default()
                    .push(mean);
            }
        }
        let means = clusters.into_iter();
        means
            .filter_map(|(name, values)| Some((name, mean(values.into_iter())?)))
            .collect()
    }

    /// The resampling stage of a correction at a point; `None` where it does not resample.
    pub(super) fn resample_at(&self, point: usize, correction: usize) -> Option<&str> {
        let usual = || Some(self.corrections.get(correction)?.resample.as_str());
        let stage = self.stages.get(&(point, correction)).map(String::as_str);
        stage.or_else(usual).filter(|stage| *stage != "none")
    }

    /// The id of a model.
    pub fn model(&self, index: usize) -> &str {
        self.models.get(index).map_or("", |model| &model.id)
    }

    /// The id of a model as figures show it: without what stands in brackets where no other one has the rest.
    pub fn short_model(&self, index: usize) -> &str {
        let id = self.model(index);
        let stem = |id: &'_ str| id.find('[').unwrap_or(id.len());
        let own = &id[..stem(id)];
        let bearers = self.models.iter().filter(|m| m.id[..stem(&m.id)] == *own);
        if bearers.count() == 1 { own } else { id }
    }

    /// The id of a correction.
    pub fn correction(&self, index: usize) -> &str {
        self.corrections
            .get(index)
            .map_or("", |correction| &correction.id)
    }

    /// The id of a dataset.
    pub fn dataset(&self, index: usize) -> &str {
        self.datasets.get(index).map_or("", |dataset| &dataset.id)
    }

    /// The datasets for which an arm has a value, each with the points where it has one.
    pub fn own_datasets(&self, model: usize, correction: usize) -> BTreeMap<usize, Vec<usize>> {
        let mut own: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, point) in self.points.iter().enumerate() {
            if self.cube.value(model, index, correction).is_some() {
                own.entry(point.dataset).or_default().push(index);
            }
        }
        own
    }

    /// Records with a value of the target.
    pub fn n_values(&self) -> usize {
        self.cube.iter().map(|(_, summary)| summary.n_values).sum()
    }

    /// The index of a metric.
    pub fn metric(&self, id: &str) -> Option<usize> {
        self.metrics.iter().position(|metric| metric.id == id)
    }
}

fn describe_models(indexed: &mut cube::Indexed, input: &ReportInput<'_>) {
    let log_loss = indexed
        .metrics
        .iter()
        .position(|metric| metric == "log_loss");
    let cube = &indexed.cube;
    for (index, model) in indexed.models.iter_mut().enumerate() {
        let kind = &model.stages.get(Role::Model).kind;
        if let Some(entry) = find(input.catalogue.learners, kind) {
            model.kind = Some(entry.card.id.to_owned());
            model.library = Some(entry.caps.library.to_owned());
            model.votes_only = entry.caps.scores == ScoreKind::Vote;
            entry.caps.remark.clone_into(&mut model.remark);
        } else {
            // An imported model, or one of another version: votes show in
            // that no cell has a log loss although some have a balanced error.
            let own = || {
                cube.iter()
                    .filter(|((m, _, _), _)| *m == index)
                    .map(|(_, s)| s)
            };
            let valued = own().any(|s| s.value().is_some());
            let scored = own().any(|s| {
                log_loss.is_some_and(|metric| s.means.get(metric).copied().flatten().is_some())
            });
            model.votes_only = valued && !scored;
        }
    }
}

fn describe_metrics(ids: &[String], catalogue: &Catalogue) -> Vec<MetricInfo> {
    let describe = |id: &String| {
        let (base, raw) = id
            .strip_suffix("_raw")
            .map_or((id.as_str(), false), |base| (base, true));
        let entry = catalogue
            .metrics
            .iter()
            .find(|e| metric_column(e.card.id) == base);
        let summary = entry.map_or("", |entry| entry.card.summary);
        MetricInfo {
            id: id.clone(),
            summary: if raw {
                format!("{summary} (scores as they are)")
            } else {
                summary.into()
            },
            lower_is_better: direction_of(base, catalogue),
        }
    };
    ids.iter().map(describe).collect()
}

/// Which end of a metric is good, by its column without `_raw`.
pub(super) fn direction_of(base: &str, catalogue: &Catalogue) -> Option<bool> {
    let entry = catalogue
        .metrics
        .iter()
        .find(|e| metric_column(e.card.id) == base);
    entry.map_or_else(|| direction(base), |entry| entry.caps.lower_is_better)
}

/// Which end of a contract metric is good, for records of metrics that the catalogue lacks.
fn direction(metric: &str) -> Option<bool> {
    match metric {
        "balanced_error" | "error_rate" | "brier" | "log_loss" | "ece" => Some(true),
        "worst_recall" | "g_mean" | "macro_f1" | "mcc" | "kappa" | "auroc"
        | "average_precision" | "many_recall" | "medium_recall" | "few_recall" => Some(false),
        _ => None,
    }
}
