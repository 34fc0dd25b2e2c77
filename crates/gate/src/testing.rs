//! Made-up sweeps for the tests of this folder.

use std::collections::BTreeMap;

use counterweight_core::{CellId, Hasher, Name, Numbers, Outcome, Record};

use super::baseline::{Baseline, Head};
use super::config::GateConfig;
use super::result::{Gate, GateInput, Planned};
use super::verdict::judge;

/// The corrections of the model `m`, with family and level of error.
pub(super) const CORRECTIONS: [(&str, &str, f64); 4] = [
    ("none", "none", 0.30),
    ("a", "reweighting", 0.24),
    ("b", "thresholding", 0.20),
    ("logit-adjust", "logit-adjustment", 0.20),
];

/// Repeats of every dataset.
const REPEATS: u64 = 3;

/// A sweep of a model, four corrections and some datasets, the last of which is a population.
#[derive(Clone)]
pub(super) struct Lab {
    pub(super) planned: Vec<Planned>,
    pub(super) records: Vec<Record>,
    pub(super) baseline: Baseline,
    pub(super) clusters: BTreeMap<String, String>,
}

pub(super) fn head() -> Head {
    Head {
        sweep: "lab".into(),
        sweep_hash: "a".repeat(64),
        version: "0.1.0".into(),
        seed: 11,
        datasets: BTreeMap::from([("d0".into(), "x".into()), ("d1".into(), "y".into())]),
    }
}

/// Noise in [-1, 1] that depends on its key alone.
pub(super) fn noise(key: &[u64]) -> f64 {
    let hash = key
        .iter()
        .fold(Hasher::new("noise"), |hasher, part| hasher.number(*part))
        .finish();
    let bytes: [u8; 4] = [
        hash.bytes()[0],
        hash.bytes()[1],
        hash.bytes()[2],
        hash.bytes()[3],
    ];
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX) * 2.0 - 1.0
}

impl Lab {
    pub(super) fn new(datasets: u64) -> Self {
        let mut lab = Self {
            planned: Vec::new(),
            records: Vec::new(),
            baseline: Baseline {
                head: head(),
                entries: Vec::new(),
            },
            clusters: BTreeMap::new(),
        };
        for dataset in 0..datasets {
            for repeat in 0..REPEATS {
                for (at, (correction, family, level)) in (0..).zip(CORRECTIONS) {
                    let luck = 0.02 * noise(&[dataset, repeat]);
                    // b and logit-adjust are one method under two names.
                    let own = 0.01 * noise(&[dataset, repeat, at.min(2)]);
                    let error = level + 0.05 * noise(&[dataset]) + luck + own;
                    let name = format!("d{dataset}");
                    lab.add(record(
                        (&name, dataset + 1 == datasets),
                        repeat,
                        (correction, family),
                        error,
                    ));
                }
            }
        }
        lab.baseline = Baseline::new(head(), &lab.planned, &lab.records).expect("complete");
        lab
    }

    fn add(&mut self, record: Record) {
        self.planned.push(Planned::of(&record));
        self.records.push(record);
    }

    /// Changes the balanced error of every record of a correction.
    pub(super) fn change(&mut self, correction: &str, error: impl Fn(&Record, f64) -> f64) {
        for record in &mut self.records {
            if record.correction == correction {
                let old = record.balanced_error().expect("a value");
                let new = error(record, old);
                record.metrics.insert("balanced_error", new);
                record.recalls = vec![Some(1.0 - new), Some(1.0 - new)];
            }
        }
    }

    pub(super) fn judge(&self, config: &GateConfig) -> Gate {
        self.judge_seeded(config, true)
    }

    pub(super) fn judge_seeded(&self, config: &GateConfig, same_splits: bool) -> Gate {
        judge(&GateInput {
            sweep: "lab",
            folder: "reports/lab",
            config,
            baseline: &self.baseline,
            planned: &self.planned,
            records: &self.records,
            clusters: &self.clusters,
            same_splits,
            reseed: (!same_splits).then_some(12),
            today: "2026-11-23".parse().expect("a day"),
        })
        .expect("statistics of finite numbers")
    }
}

fn record(
    (dataset, synthetic): (&str, bool),
    repeat: u64,
    (correction, family): (&str, &str),
    error: f64,
) -> Record {
    let key = format!("{dataset} {repeat} {correction}");
    Record {
        cell: CellId(Hasher::new("cell").text(&key).finish().short()),
        dataset: dataset.into(),
        source: if synthetic { "synthetic" } else { "real" }.into(),
        n_train: 700,
        n_test: 300,
        n_features: 2,
        n_classes: 2,
        profile: "step".into(),
        requested_ratio: synthetic.then_some(20.0),
        imbalance_ratio: Some(20.0),
        minority_count: 33,
        repeat,
        fold: 0,
        model: "m".into(),
        model_params: Name::default(),
        correction: correction.into(),
        family: family.into(),
        resample: "none".into(),
        loss: "cross-entropy".into(),
        decide: "argmax".into(),
        outcome: Outcome::Ok,
        reason: Name::default(),
        metrics: [("balanced_error", error)].into_iter().collect(),
        bayes_balanced_error: synthetic.then_some(0.1),
        recalls: vec![Some(1.0 - error), Some(1.0 - error)],
        test_counts: vec![150, 150],
        train_counts: vec![667, 33],
        details: Numbers::new(),
        stages: std::sync::Arc::default(),
    }
}
