//! The harness with three-line mocks: work is shared, panics are records, streams are keyed.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a panic is their way to fail"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use counterweight_core::params::Default as Preset;
use counterweight_core::*;
use counterweight_harness::config::{self, Sweep, sweep::DatasetSpec};
use counterweight_harness::plan::{DataSource, LoadError, Loaded, Plan};

mod common;
use common::{CROSS_ENTROPY, LEARNER, METRIC, Plain, RESAMPLER, RULE, card, run};

#[derive(Debug)]
struct Copies;
static RESAMPLED: AtomicUsize = AtomicUsize::new(0);
impl Resampler for Copies {
    fn resample(&self, train: &Train, _: &mut StageContext<'_>) -> StageResult<Train> {
        RESAMPLED.fetch_add(1, Ordering::SeqCst);
        Ok(train.clone())
    }
}

#[derive(Debug)]
struct Weighty;
impl Loss for Weighty {
    fn needs(&self) -> LossNeeds {
        LossNeeds {
            weights: true,
            ..LossNeeds::default()
        }
    }
    fn terms(&self, context: &LossContext<'_>) -> StageResult<LossTerms> {
        Plain.terms(context)
    }
}

#[derive(Debug)]
struct Shift(f64, bool);
impl Decision for Shift {
    fn needs(&self) -> DecisionNeeds {
        DecisionNeeds {
            calibration: self.1,
            ..DecisionNeeds::default()
        }
    }
    fn fit(&self, about: &DecideContext<'_>, calib: Option<&Calib>) -> StageResult<FittedRule> {
        assert_eq!(calib.is_some(), self.1);
        let rule = Box::new(OffsetRule::new(vec![self.0, 0.0], about.train));
        Ok(FittedRule {
            rule,
            details: Details::new(),
            notes: Vec::new(),
        })
    }
}

/// Scores rows by their first feature; panics on request.
#[derive(Debug)]
struct Slope {
    panics: bool,
}
static FITS: AtomicUsize = AtomicUsize::new(0);
static INNER_FITS: AtomicUsize = AtomicUsize::new(0);
static STREAMS: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());
impl Learner for Slope {
    fn fit(
        &self,
        train: &Train,
        _: &LossTerms,
        context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        assert!(!self.panics, "the mock was told to panic");
        let whole = train.samples().n_rows() == 40;
        if whole { &FITS } else { &INNER_FITS }.fetch_add(1, Ordering::SeqCst);
        let draw = rand::RngExt::random(&mut context.stream);
        STREAMS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(draw);
        Ok(Box::new(FittedSlope))
    }
}

#[derive(Debug)]
struct FittedSlope;
impl Fitted for FittedSlope {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        Ok(Scores::logits(Matrix::from_fn(x.rows(), 2, |i, k| {
            x.at(i, 0) * k as f64
        }))?)
    }
}

/// Fits its base twice, each with a stream of its own, and scores by the second.
#[derive(Debug)]
struct Pair {
    member: bool,
}
impl Ensemble for Pair {
    fn needs(&self) -> EnsembleNeeds {
        EnsembleNeeds {
            member: self.member,
            ..EnsembleNeeds::default()
        }
    }
    fn fit(
        &self,
        train: &Train,
        base: &Base<'_>,
        context: &mut StageContext<'_>,
    ) -> StageResult<EnsembleFit> {
        let terms = LossTerms::cross_entropy(2);
        base.fit(base.learner, train, &terms, context)?;
        Ok(EnsembleFit {
            fitted: base.fit(base.learner, train, &terms, context)?,
            prior: Some(Prior::uniform(2)?),
        })
    }
}
const PAIR: EnsembleCaps = EnsembleCaps::new(|_, counts| (2, counts.total()));

#[derive(Debug)]
struct Share;
impl Metric for Share {
    fn value(&self, judged: &Judged<'_>) -> Result<f64, String> {
        let ones = judged
            .decisions()
            .iter()
            .filter(|&&class| class == 1)
            .count();
        Ok(ones as f64 / judged.decisions().len() as f64)
    }
}

const CATALOGUE: Catalogue = Catalogue {
    resamplers: &[Entry {
        card: card("copies", &[]),
        caps: RESAMPLER,
        build: |_| Ok(Box::new(Copies)),
    }],
    ensembles: &[
        Entry {
            card: card("pair", &[]),
            caps: PAIR,
            build: |_| Ok(Box::new(Pair { member: false })),
        },
        Entry {
            card: card("pair-of-trees", &[]),
            caps: PAIR,
            build: |_| Ok(Box::new(Pair { member: true })),
        },
    ],
    losses: &[
        CROSS_ENTROPY,
        Entry {
            card: card("weighty", &[]),
            caps: RULE,
            build: |_| Ok(Box::new(Weighty)),
        },
    ],
    decisions: &[
        Entry {
            card: card("argmax", &[]),
            caps: RULE,
            build: |_| Ok(Box::new(Shift(0.0, false))),
        },
        Entry {
            card: card(
                "shift",
                &[ParamSpec::new(
                    "by",
                    ParamKind::Real(Range::FINITE),
                    Preset::Real(0.0),
                    "how far",
                )],
            ),
            caps: RULE,
            build: |params| Ok(Box::new(Shift(params.real("by"), false))),
        },
        Entry {
            card: card("tuned", &[]),
            caps: RULE,
            build: |_| Ok(Box::new(Shift(0.5, true))),
        },
    ],
    learners: &[
        Entry {
            card: card("panicking", &[]),
            caps: LEARNER,
            build: |_| Ok(Box::new(Slope { panics: true })),
        },
        Entry {
            card: card("slope", &[]),
            caps: LEARNER,
            build: |_| Ok(Box::new(Slope { panics: false })),
        },
    ],
    metrics: &[Entry {
        card: card("balanced_error", &[]),
        caps: METRIC,
        build: |_| Ok(Box::new(Share)),
    }],
    populations: counterweight_data::populations::ALL,
};

struct NoFiles;
impl DataSource for NoFiles {
    fn load(&self, _: &DatasetSpec, _: &Path) -> Result<Loaded, LoadError> {
        Err(LoadError {
            message: "the mock has no files".into(),
            ..LoadError::default()
        })
    }
}

fn sweep(corrections: &str, model: &str) -> Sweep {
    let text = format!(
        "format = 1\nname = \"t\"\nseed = 3\n[protocol]\nrepeats = 2\ninner_folds = 4\n\
         [[population]]\nkind = \"gaussian-pair\"\nn_train = 40\nn_test = 20\n\
         imbalance_ratio = [1, 4]\n[[model]]\nkind = \"{model}\"\n{corrections}"
    );
    config::parse(Path::new("t.toml"), &text, &CATALOGUE).unwrap()
}

fn records(corrections: &str, model: &str, jobs: usize) -> Vec<Record> {
    let plan = Plan::new(Arc::new(sweep(corrections, model)), CATALOGUE, &NoFiles).unwrap();
    run(&plan, jobs)
}

const MANY: &str = "[[correction]]\nid = \"none\"\n\
    [[correction]]\ndecide = { kind = \"shift\", by = [0.1, 0.2, 0.3] }\n\
    [[correction]]\ndecide = { kind = \"tuned\" }\n\
    [[correction]]\nid = \"copied\"\nresample = { kind = \"copies\" }\n\
    [[correction]]\nid = \"copied-tuned\"\nresample = { kind = \"copies\" }\n\
    decide = { kind = \"tuned\" }\n\
    [[correction]]\nid = \"weighty\"\nloss = { kind = \"weighty\" }\n\
    [[correction]]\nensemble = \"pair\"\n\
    [[correction]]\nid = \"pair-tuned\"\nensemble = \"pair\"\ndecide = { kind = \"tuned\" }\n\
    [[correction]]\nensemble = \"pair-of-trees\"\n";

/// One test for everything that reads the global counters: tests of one binary run side by side.
#[test]
fn work_is_shared_and_results_do_not_depend_on_threads() {
    let first = records(MANY, "slope", 1);
    // 2 ratios x 2 repeats, each: a fit on the rows as they are, one on the copies and two of the
    // ensemble, however many decisions hang on them; as many in each of 4 inner folds for the tuned
    // rules.
    assert_eq!(FITS.load(Ordering::SeqCst), 4 * 4);
    assert_eq!(INNER_FITS.load(Ordering::SeqCst), 4 * 4 * 4);
    assert_eq!(RESAMPLED.load(Ordering::SeqCst), 4 * (1 + 4));
    // A learner's stream depends on the rows and the learner, not on the correction; an ensemble draws
    // from its own.
    assert_eq!(STREAMS.lock().unwrap().len(), 4 * (1 + 4) * 3);
    assert_eq!(first.len(), 4 * 11);
    let outcome = |correction: &str| {
        first
            .iter()
            .find(|record| record.correction == correction)
            .map(|r| r.outcome)
    };
    assert_eq!(outcome("shift[by=0.2]"), Some(Outcome::Ok));
    assert_eq!(outcome("weighty"), Some(Outcome::NotApplicable));
    assert_eq!(outcome("pair"), Some(Outcome::Ok));
    assert_eq!(outcome("pair-tuned"), Some(Outcome::Ok));
    assert_eq!(outcome("pair-of-trees"), Some(Outcome::NotApplicable));
    for (correction, family) in [("pair", "ensemble"), ("pair-tuned", "combination")] {
        let found = first.iter().find(|r| r.correction == correction).unwrap();
        assert_eq!(found.family, family);
        assert_eq!(found.resample, "pair");
        assert_eq!(found.loss, "cross-entropy");
    }
    assert_eq!(first, records(MANY, "slope", 3));

    // Leaving corrections out moves no value of those that stay.
    let alone = records("[[correction]]\nid = \"none\"\n", "slope", 2);
    let kept: Vec<&Record> = first
        .iter()
        .filter(|record| record.correction == "none")
        .collect();
    assert_eq!(alone.iter().collect::<Vec<_>>(), kept);
}

#[test]
fn a_panic_is_a_record() {
    let records = records("[[correction]]\nid = \"none\"\n", "panicking", 2);
    assert_eq!(records.len(), 4);
    for record in records {
        assert_eq!(record.outcome, Outcome::Failed);
        assert!(
            record
                .reason
                .contains("panicked: the mock was told to panic"),
            "{}",
            record.reason
        );
    }
}

#[test]
fn an_ensemble_owns_the_fit() {
    let text = "format = 1\nname = \"t\"\nseed = 3\n\
        [[population]]\nkind = \"gaussian-pair\"\nn_train = 40\nn_test = 20\n\
        [[model]]\nkind = \"slope\"\n\
        [[correction]]\nensemble = { kind = \"pair\" }\nresample = { kind = \"copies\" }\n\
        [[correction]]\nensemble = \"pear\"\n\
        [[correction]]\nid = \"both\"\nensemble = \"pair\"\nloss = \"weighty\"\n";
    let errors = config::parse(Path::new("t.toml"), text, &CATALOGUE).unwrap_err();
    let said: Vec<String> = errors.errors.iter().map(ToString::to_string).collect();
    let expected = [
        "t.toml:12: correction 1 > resample: an ensemble owns the fit",
        "t.toml:14: correction 2 > ensemble > kind: there is no ensemble called `pear`",
        "t.toml:18: correction 3 > loss: an ensemble owns the fit",
    ];
    assert_eq!(said.len(), expected.len(), "{said:?}");
    for (said, expected) in said.iter().zip(expected) {
        assert!(said.contains(expected), "{said}");
    }
}
