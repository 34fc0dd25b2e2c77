//! A deterministic generator of records, and a catalogue of mocks.
#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test program uses a part of it, and a helper that cannot go on has failed"
)]

mod mocks;
pub(crate) mod reading;

use counterweight_core::{CellId, Name, Numbers, Outcome, Record, Role, Stages, Timing};
pub(crate) use mocks::CATALOGUE;

use counterweight_report::{DatasetAbout, ReportInput};

pub(crate) const SWEEP: &str = r#"format = 1
name = "mock"
[[model]]
kind = "softmax-regression"
[[model]]
kind = "gaussian-naive-bayes"
[[model]]
id = "forest"
kind = "smartcore-random-forest"
[[model]]
kind = "mlp"
hidden = [32]
"#;

/// Uniform numbers in [0, 1) from a linear congruential generator (Knuth's MMIX constants).
pub(crate) struct Draws(u64);

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        let mut draws = Self(seed);
        draws.next();
        draws
    }

    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

pub(crate) struct Data {
    pub(crate) id: &'static str,
    pub(crate) cluster: &'static str,
    pub(crate) synthetic: bool,
    pub(crate) classes: usize,
    pub(crate) natural: f64,
    /// Requested ratios; 0 stands for natural.
    pub(crate) ratios: &'static [f64],
    pub(crate) difficulty: f64,
}

const fn real(id: &'static str, cluster: &'static str, classes: usize, natural: f64) -> Data {
    Data {
        id,
        cluster,
        synthetic: false,
        classes,
        natural,
        ratios: &[0.0],
        difficulty: 0.2,
    }
}

pub(crate) static DATA: &[Data] = &[
    Data {
        id: "gaussian-pair",
        cluster: "",
        synthetic: true,
        classes: 2,
        natural: 1.0,
        ratios: &[1.0, 5.0, 20.0, 50.0, 200.0],
        difficulty: 0.08,
    },
    Data {
        id: "moons",
        cluster: "",
        synthetic: true,
        classes: 2,
        natural: 1.0,
        ratios: &[1.0, 5.0, 20.0, 50.0, 200.0],
        difficulty: 0.05,
    },
    real("abalone-19", "abalone", 2, 129.4),
    real("abalone-9-18", "abalone", 2, 16.4),
    real("ecoli", "", 5, 71.5),
    real("glass", "", 6, 8.4),
    Data {
        ratios: &[0.0, 10.0, 50.0],
        ..real("letter-img", "", 2, 26.2)
    },
    Data {
        ratios: &[0.0, 10.0, 50.0],
        ..real("pendigits", "", 2, 9.4)
    },
    real("thyroid-sick", "", 2, 15.3),
    real("us-crime", "", 2, 12.3),
    real("wine-quality", "", 2, 25.8),
    real("yeast-me2", "yeast", 2, 28.0),
    real("yeast-ml8", "yeast", 2, 12.6),
];

pub(crate) struct Arm {
    pub(crate) id: &'static str,
    pub(crate) family: &'static str,
    pub(crate) resample: &'static str,
    pub(crate) loss: &'static str,
    pub(crate) decide: &'static str,
    /// How much of the avoidable error it removes, and its price in error rate.
    pub(crate) strength: f64,
    pub(crate) binary: bool,
    pub(crate) needs_scores: bool,
}

const fn arm(id: &'static str, family: &'static str, strength: f64) -> Arm {
    Arm {
        id,
        family,
        resample: "none",
        loss: "cross-entropy",
        decide: "argmax",
        strength,
        binary: false,
        needs_scores: false,
    }
}

const fn adjust(id: &'static str, decide: &'static str, strength: f64) -> Arm {
    Arm {
        decide,
        needs_scores: true,
        ..arm(id, "logit-adjustment", strength)
    }
}

pub(crate) static ARMS: &[Arm] = &[
    arm("none", "none", 0.0),
    Arm {
        loss: "weighted[scheme=inverse-frequency]",
        ..arm("inverse-frequency", "reweighting", 0.82)
    },
    Arm {
        loss: "weighted[scheme=inverse-sqrt]",
        ..arm("inverse-sqrt", "reweighting", 0.5)
    },
    Arm {
        resample: "random-under",
        ..arm("random-under", "resampling", 0.7)
    },
    Arm {
        resample: "smote[k=5]",
        ..arm("smote", "resampling", 0.78)
    },
    Arm {
        decide: "threshold[t=0.2]",
        binary: true,
        needs_scores: true,
        ..arm("threshold[t=0.2]", "thresholding", 0.45)
    },
    Arm {
        decide: "tuned-threshold[metric=balanced-error]",
        needs_scores: true,
        ..arm("tuned-threshold", "thresholding", 0.8)
    },
    adjust(
        "logit-adjust[tau=0.5]",
        "logit-adjust[prior=effective,tau=0.5]",
        0.6,
    ),
    adjust(
        "logit-adjust[tau=1]",
        "logit-adjust[prior=effective,tau=1]",
        0.86,
    ),
    adjust(
        "logit-adjust[tau=1.5]",
        "logit-adjust[prior=effective,tau=1.5]",
        0.7,
    ),
    adjust("prior-threshold", "prior-threshold", 0.86),
    Arm {
        loss: "weighted[scheme=inverse-frequency]",
        ..adjust("double-correction", "logit-adjust[prior=train,tau=1]", -0.6)
    },
];

pub(crate) static MODELS: &[(&str, f64)] = &[
    ("softmax-regression", 1.0),
    ("gaussian-naive-bayes", 0.7),
    ("forest", 1.3),
    ("mlp[hidden=32]", 0.9),
];

/// Which part of the design to make.
pub(crate) struct Design {
    pub(crate) data: Vec<usize>,
    pub(crate) models: Vec<usize>,
    pub(crate) arms: Vec<usize>,
    pub(crate) repeats: u64,
    pub(crate) folds: u64,
}

impl Design {
    pub(crate) fn full() -> Self {
        Self {
            data: (0..DATA.len()).collect(),
            models: (0..MODELS.len()).collect(),
            arms: (0..ARMS.len()).collect(),
            repeats: 3,
            folds: 5,
        }
    }
}

/// The records of a design, in plan order: plausible, deterministic, nothing more.
pub(crate) fn records(design: &Design) -> Vec<Record> {
    let mut records = Vec::new();
    for &d in &design.data {
        let data = &DATA[d];
        for (place, &requested) in data.ratios.iter().enumerate() {
            let folds = if data.synthetic { 1 } else { design.folds };
            for repeat in 0..design.repeats {
                for fold in 0..folds {
                    for &m in &design.models {
                        for &a in &design.arms {
                            let seed = [d as u64, place as u64, repeat, fold, m as u64]
                                .iter()
                                .fold(7, |seed: u64, part| {
                                    seed.wrapping_mul(131).wrapping_add(*part)
                                });
                            records.push(record(data, requested, (repeat, fold), (m, a), seed));
                        }
                    }
                }
            }
        }
    }
    records
}

/// Rows of the smaller of two classes.
fn minority(rows: u64, ratio: f64) -> u64 {
    (2..rows)
        .find(|&n| (n + 1) as f64 * (ratio + 1.0) > rows as f64)
        .unwrap_or(rows)
}

fn record(
    data: &Data,
    requested: f64,
    (repeat, fold): (u64, u64),
    (model, arm_index): (usize, usize),
    seed: u64,
) -> Record {
    let arm = &ARMS[arm_index];
    let (model_id, spread) = MODELS[model];
    let ratio = if requested > 0.0 {
        requested
    } else {
        data.natural
    };
    let votes = model_id == "forest";
    let mut shared = Draws::new(seed);
    let mut own = Draws::new(seed.wrapping_mul(31).wrapping_add(arm_index as u64));
    let difficulty = data.difficulty * (0.8 + 0.4 * shared.next());
    let avoidable = 0.06 * spread * ratio.ln();
    let noise = if arm.id == "none" {
        0.0
    } else {
        0.02 * (own.next() - 0.5)
    };
    // What is the same rule in exact arithmetic is the same in these records.
    let noise = if arm.id == "prior-threshold" {
        let twin = ARMS
            .iter()
            .position(|other| other.id == "logit-adjust[tau=1]")
            .unwrap_or(0);
        0.02 * (Draws::new(seed.wrapping_mul(31).wrapping_add(twin as u64)).next() - 0.5)
    } else {
        noise
    };
    let harm = if model_id.starts_with("gaussian") {
        0.5
    } else {
        1.0
    };
    let error = (difficulty + avoidable * (1.0 - harm * arm.strength) + noise).clamp(0.005, 0.7);
    let n_train: u64 = if data.synthetic { 2000 } else { 1600 };
    let minority = minority(n_train, ratio);
    let mut record = Record {
        cell: CellId(format!(
            "{:016x}",
            seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (arm_index as u64) << 7 ^ ratio.to_bits()
        )),
        dataset: data.id.into(),
        source: if data.synthetic { "synthetic" } else { "real" }.into(),
        n_train,
        n_test: 400,
        n_features: 8,
        n_classes: data.classes as u64,
        profile: if requested > 0.0 { "step" } else { "natural" }.into(),
        requested_ratio: (requested > 0.0).then_some(requested),
        imbalance_ratio: Some(ratio),
        minority_count: minority,
        repeat,
        fold,
        model: model_id.into(),
        model_params: if model_id.starts_with("mlp") {
            "epochs=20;hidden=32".into()
        } else {
            Name::default()
        },
        correction: arm.id.into(),
        family: arm.family.into(),
        resample: arm.resample.into(),
        loss: arm.loss.into(),
        decide: arm.decide.into(),
        outcome: Outcome::Ok,
        reason: Name::default(),
        metrics: Numbers::new(),
        bayes_balanced_error: data.synthetic.then_some(data.difficulty * 0.8),
        recalls: Vec::new(),
        test_counts: vec![400 / data.classes as u64; data.classes],
        train_counts: std::iter::repeat_n(n_train / data.classes as u64, data.classes - 1)
            .chain([minority])
            .collect(),
        details: Numbers::new(),
        stages: std::sync::Arc::new(stages(data.id, model_id, arm)),
    };
    if arm.binary && data.classes > 2 {
        record.outcome = Outcome::NotApplicable;
        record.reason = "threshold is a rule for two classes".into();
        return record;
    }
    if votes && arm.needs_scores {
        record.outcome = Outcome::NotApplicable;
        record.reason = "smartcore-random-forest gives votes, the rule needs probabilities".into();
        return record;
    }
    if arm.id == "smote" && minority < 12 {
        record.outcome = Outcome::Clamped;
        record.reason = format!(
            "k = 5 reduced to {} for the smallest class",
            minority.min(4)
        )
        .into();
    }
    let rate = (difficulty * 0.5 + 0.05 * arm.strength.max(0.0) * ratio.ln() / 5.0).min(0.9);
    record.metrics.insert("balanced_error", error);
    record.metrics.insert("error_rate", rate);
    record
        .metrics
        .insert("worst_recall", (1.0 - 1.6 * error).max(0.0));
    record.metrics.insert("g_mean", 1.0 - 1.1 * error);
    record
        .metrics
        .insert("macro_f1", 1.0 - 1.2 * error - 0.1 * arm.strength.max(0.0));
    record
        .metrics
        .insert("mcc", 1.0 - 2.0 * error - 0.1 * arm.strength.max(0.0));
    record.metrics.insert("few_recall", 1.0 - 1.5 * error);
    if !votes {
        record.metrics.insert("log_loss", 2.0 * rate);
        record.metrics.insert("brier", rate * 0.7);
        record.metrics.insert("ece", rate * 0.2);
        record.metrics.insert("log_loss_raw", 2.5 * rate);
    }
    record.recalls = vec![Some(1.0 - error); data.classes];
    record.details.insert("iterations", 12.0);
    record
}

/// Entries and kinds, as a plan writes them.
fn stages(dataset: &str, model: &str, arm: &Arm) -> Stages {
    let entry = |id: &str| Name::from(id.split('[').next().unwrap_or(id));
    let mut stages = Stages {
        dataset_entry: entry(dataset),
        model_entry: entry(model),
        correction_entry: entry(arm.id),
        ..Stages::default()
    };
    for (role, kind) in [
        (
            Role::Model,
            if model == "forest" {
                "smartcore-random-forest"
            } else {
                model
            },
        ),
        (Role::Resample, arm.resample),
        (Role::Loss, arm.loss),
        (Role::Decide, arm.decide),
    ] {
        stages.get_mut(role).kind = entry(kind);
    }
    stages
}

/// A time for every record.
pub(crate) fn timings(records: &[Record]) -> Vec<Timing> {
    records
        .iter()
        .map(|record| Timing {
            cell: record.cell.clone(),
            resample_seconds: if record.resample == "none" { 0.0 } else { 0.02 },
            fit_seconds: if record.model == "forest" { 0.4 } else { 0.05 },
            score_seconds: 0.01,
            crossfit_seconds: if record.decide.starts_with("tuned") {
                0.2
            } else {
                0.0
            },
            decide_seconds: 0.001,
        })
        .collect()
}

/// What a report is made of, around these records.
pub(crate) fn input<'a>(records: &'a [Record], timings: &'a [Timing]) -> ReportInput<'a> {
    ReportInput {
        sweep_name: "mock",
        sweep_text: SWEEP,
        question: None,
        weighted_to: "the training prior",
        records,
        timings,
        reliability: &[],
        costs: &[],
        leaks: &[],
        axes: &[],
        catalogue: &CATALOGUE,
        about: DATA
            .iter()
            .filter(|data| !data.synthetic)
            .map(|data| DatasetAbout {
                id: data.id.into(),
                cluster: data.cluster.into(),
                source: "https://example.org/".to_owned() + data.id,
                licence: "CC BY 4.0".into(),
                citation: "A. Mock (2020), A dataset".into(),
            })
            .collect(),
        provenance: vec![
            ("sweep hash".into(), "0123456789abcdef".into()),
            ("version".into(), "0.1.0".into()),
        ],
        command: "counterweight run reports/mock",
    }
}

/// The records again under other names, so many times as datasets and as corrections, with a little
/// difference each.
pub(crate) fn copies(records: &[Record], datasets: u32, corrections: u32) -> Vec<Record> {
    let mut all = Vec::new();
    for dataset in 0..datasets {
        for record in records {
            for correction in 0..corrections {
                let mut copy = record.clone();
                copy.dataset = format!("{}-{dataset}", record.dataset).into();
                copy.correction = format!("{}-{correction}", record.correction).into();
                copy.cell.0 = format!("{}-{dataset}-{correction}", record.cell);
                if let Some(error) = copy.metrics.get_mut("balanced_error") {
                    *error += 0.001 * f64::from(correction) + 0.0001 * f64::from(dataset);
                }
                all.push(copy);
            }
        }
    }
    all
}
