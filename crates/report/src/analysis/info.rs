//! What the records say of each model, correction, dataset, point and metric.

use std::collections::BTreeSet;
use std::sync::Arc;

use counterweight_core::{Record, Role, Stages};

/// A model entry of the sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInfo {
    /// Id of the entry.
    pub id: String,
    /// Its parameters, as the records give them.
    pub params: String,
    /// The catalogue's id, where the sweep file or the entry's id tells.
    pub kind: Option<String>,
    /// Whose code it is: "own", or crate and version.
    pub library: Option<String>,
    /// Whether it gives one vote a row and no probabilities.
    pub votes_only: bool,
    /// A known fault or peculiarity.
    pub remark: String,
    /// What it is made of; of the first record that has it.
    pub stages: Arc<Stages>,
    /// Another model that holds every value of this one: two names of one model, which count once.
    pub same_as: Option<usize>,
    /// The entry of the same kind that chooses inside the fold what this one fixes: headlines judge that one.
    pub chosen_by: Option<usize>,
    /// Cells with a value, and those among them whose fit is known to be wrong or constant.
    pub n_values: usize,
    /// See [`n_values`](Self::n_values).
    pub n_degenerate: usize,
    /// Datasets with such cells.
    pub degenerate_on: BTreeSet<usize>,
    /// Whether the headline leaves these cells out, there being more than one in a hundred.
    pub left_out: bool,
}

impl ModelInfo {
    pub(super) fn of(record: &Record) -> Self {
        Self {
            id: record.model.to_string(),
            params: record.model_params.to_string(),
            kind: None,
            library: None,
            votes_only: false,
            remark: String::new(),
            stages: record.stages.clone(),
            same_as: None,
            chosen_by: None,
            n_values: 0,
            n_degenerate: 0,
            degenerate_on: BTreeSet::new(),
            left_out: false,
        }
    }

    /// Whether it chooses its parameters inside the fold.
    pub(super) fn selects(&self) -> bool {
        self.stages.value(Role::Model, "select").is_some()
    }

    /// Whether both are of one kind, on the same features.
    pub(super) fn is_kind_of(&self, other: &Self) -> bool {
        let features = |model: &Self| {
            model
                .stages
                .value(Role::Model, "features.polynomial")
                .cloned()
        };
        self.kind.is_some() && self.kind == other.kind && features(self) == features(other)
    }
}

/// A correction of the sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct CorrectionInfo {
    /// Id of the entry.
    pub id: String,
    /// What kind of correction.
    pub family: String,
    /// The resampling stage with its parameters.
    pub resample: String,
    /// The loss stage with its parameters.
    pub loss: String,
    /// The decision stage with its parameters.
    pub decide: String,
    /// What it is made of; of the first record that has it.
    pub stages: Arc<Stages>,
}

impl CorrectionInfo {
    pub(super) fn of(record: &Record) -> Self {
        Self {
            id: record.correction.to_string(),
            family: record.family.to_string(),
            resample: record.resample.to_string(),
            loss: record.loss.to_string(),
            decide: record.decide.to_string(),
            stages: record.stages.clone(),
        }
    }
}

/// A dataset or population of the sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetInfo {
    /// Its id.
    pub id: String,
    /// The cluster of related sets that it belongs to; its own id when it has none.
    pub cluster: String,
    /// Whether it is drawn from a population.
    pub synthetic: bool,
    /// Feature columns before encoding.
    pub n_features: u64,
    /// Classes.
    pub n_classes: u64,
    /// Licence, as the index of datasets gives it.
    pub licence: String,
    /// Where it comes from.
    pub origin: String,
    /// How to cite it.
    pub citation: String,
    /// What it is made of; of the first record that has it.
    pub stages: Arc<Stages>,
}

impl DatasetInfo {
    pub(super) fn of(record: &Record) -> Self {
        // The variants of one grid (`gaussian-pair[dim=2]`) are related as a matter of course.
        let entry = &record.stages.dataset_entry;
        let cluster = if entry.is_empty() {
            &record.dataset
        } else {
            entry
        };
        let cluster = cluster.to_string();
        Self {
            id: record.dataset.to_string(),
            cluster,
            synthetic: record.source == "synthetic",
            n_features: record.n_features,
            n_classes: record.n_classes,
            licence: String::new(),
            origin: String::new(),
            citation: String::new(),
            stages: record.stages.clone(),
        }
    }
}

/// A dataset at one profile and requested ratio.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Index of the dataset.
    pub dataset: usize,
    /// `natural`, `step`, `exponential`, or that of a ladder.
    pub profile: String,
    /// Whether headlines leave it out: on a ladder that holds all rows, beside one that holds the minority.
    pub aside: bool,
    /// The ratio that was asked for; `None` for natural data.
    pub requested_ratio: Option<f64>,
    /// Mean realised ratio of the training rows over its cells.
    pub imbalance_ratio: Option<f64>,
    /// Smallest class count over its cells.
    pub minority_count: u64,
    /// Largest number of training rows over its cells.
    pub n_train: u64,
    /// Largest number of test rows over its cells.
    pub n_test: u64,
    ratio_sum: f64,
    ratio_count: usize,
}

impl Point {
    pub(super) fn of(dataset: usize, record: &Record) -> Self {
        Self {
            dataset,
            profile: record.profile.to_string(),
            aside: false,
            requested_ratio: record.requested_ratio,
            imbalance_ratio: None,
            minority_count: record.minority_count,
            n_train: record.n_train,
            n_test: record.n_test,
            ratio_sum: 0.0,
            ratio_count: 0,
        }
    }

    pub(super) fn see(&mut self, record: &Record) {
        self.minority_count = self.minority_count.min(record.minority_count);
        self.n_train = self.n_train.max(record.n_train);
        self.n_test = self.n_test.max(record.n_test);
        if let Some(ratio) = record.imbalance_ratio {
            self.ratio_sum += ratio;
            self.ratio_count += 1;
        }
    }

    pub(super) fn finish(&mut self) {
        self.imbalance_ratio =
            (self.ratio_count > 0).then(|| self.ratio_sum / self.ratio_count as f64);
    }

    /// The requested ratio in words.
    pub fn ratio_label(&self) -> String {
        self.requested_ratio
            .map_or_else(|| "natural".to_owned(), |ratio| ratio.to_string())
    }
}

/// What is known of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricInfo {
    /// Column of the records.
    pub id: String,
    /// One line: what it is.
    pub summary: String,
    /// Whether less is better; `None` when the best value is neither end.
    pub lower_is_better: Option<bool>,
}
