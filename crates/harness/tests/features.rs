//! `features = { polynomial = p }` on a model: how it is read, named and refused, and that nothing about it
//! is learnt from rows that are held out.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a panic is their way to fail"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use counterweight_core::params::Default as Preset;
use counterweight_core::*;
use counterweight_harness::config::sweep::{DatasetSpec, Model};
use counterweight_harness::config::{self, Rejected, Sweep};
use counterweight_harness::plan::{DataSource, LoadError, Loaded, Plan};

mod common;
use common::{CROSS_ENTROPY, LEARNER, METRIC, RESAMPLER, RULE, card, run};

#[derive(Debug)]
struct Argmax;
impl Decision for Argmax {
    fn needs(&self) -> DecisionNeeds {
        DecisionNeeds::default()
    }
    fn fit(&self, about: &DecideContext<'_>, _: Option<&Calib>) -> StageResult<FittedRule> {
        Ok(FittedRule {
            rule: Box::new(OffsetRule::new(vec![0.0, 0.0], about.train)),
            details: Details::new(),
            notes: Vec::new(),
        })
    }
}

/// Doubles the training rows.
#[derive(Debug)]
struct Twice;
impl Resampler for Twice {
    fn resample(&self, train: &Train, _: &mut StageContext<'_>) -> StageResult<Train> {
        train.derive(|samples| {
            // The first half only, four times: with another mean and deviation than the rows have.
            let half = samples.n_rows() / 2;
            let rows: Vec<usize> = (0..4 * half).map(|i| i % half).collect();
            Ok(samples.select(&rows))
        })
    }
}

/// What the mock learner was shown: number of columns, and mean and mean square of each.
type Shown = (usize, Vec<(f64, f64)>);
static TRAINED: Mutex<Vec<Shown>> = Mutex::new(Vec::new());
static SCORED: Mutex<Vec<Shown>> = Mutex::new(Vec::new());

fn shown(x: &Matrix) -> Shown {
    let n = x.rows() as f64;
    let moments = |j: usize| {
        let column = x.column(j);
        let square: f64 = column.iter().map(|v| v * v).sum();
        (column.iter().sum::<f64>() / n, square / n)
    };
    (x.cols(), (0..x.cols()).map(moments).collect())
}

#[derive(Debug)]
struct Watcher;
impl Learner for Watcher {
    fn fit(
        &self,
        train: &Train,
        _: &LossTerms,
        _: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        TRAINED.lock().unwrap().push(shown(train.samples().x()));
        Ok(Box::new(Watcher))
    }
}
impl Fitted for Watcher {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        SCORED.lock().unwrap().push(shown(x));
        Ok(Scores::logits(Matrix::zeros(x.rows(), 2))?)
    }
}

#[derive(Debug)]
struct Zero;
impl Metric for Zero {
    fn value(&self, _: &Judged<'_>) -> Result<f64, String> {
        Ok(0.0)
    }
}

const CATALOGUE: Catalogue = Catalogue {
    resamplers: &[Entry {
        card: card("twice", &[]),
        caps: RESAMPLER,
        build: |_| Ok(Box::new(Twice)),
    }],
    ensembles: &[],
    losses: &[CROSS_ENTROPY],
    decisions: &[Entry {
        card: card("argmax", &[]),
        caps: RULE,
        build: |_| Ok(Box::new(Argmax)),
    }],
    learners: &[
        Entry {
            card: card(
                "own-features",
                &[ParamSpec::optional(
                    "features",
                    ParamKind::Whole(Range::AT_LEAST_ONE),
                    "a parameter of the learner itself",
                )],
            ),
            caps: LEARNER,
            build: |_| Ok(Box::new(Watcher)),
        },
        Entry {
            card: card(
                "watcher",
                &[ParamSpec::new(
                    "l2",
                    ParamKind::Real(Range::NON_NEGATIVE),
                    Preset::Real(1.0),
                    "penalty",
                )],
            ),
            caps: LEARNER,
            build: |_| Ok(Box::new(Watcher)),
        },
    ],
    metrics: &[Entry {
        card: card("balanced_error", &[]),
        caps: METRIC,
        build: |_| Ok(Box::new(Zero)),
    }],
    populations: counterweight_data::populations::ALL,
};

/// Thirty rows of two numbers, the last ones far away, and a nominal column.
struct Rows;
impl DataSource for Rows {
    fn load(&self, _: &DatasetSpec, _: &Path) -> Result<Loaded, LoadError> {
        let n = 30;
        let number = |scale: f64| -> Vec<f64> {
            (0..n)
                .map(|i| f64::from(i * 7 % 30) * scale + if i >= 20 { 500.0 } else { 0.0 })
                .collect()
        };
        let colours = ["red", "green", "blue"].into_iter().cycle().take(30);
        let words: Vec<Option<&str>> = colours.map(Some).collect();
        let columns = vec![
            Column {
                name: "a".into(),
                values: ColumnValues::Numeric(number(1.0)),
            },
            Column {
                name: "b".into(),
                values: ColumnValues::Numeric(number(-0.3)),
            },
            Column {
                name: "c".into(),
                values: ColumnValues::nominal(&words),
            },
        ];
        let labels: Vec<String> = (0..n).map(|i| (i % 2).to_string()).collect();
        Ok(Loaded {
            data: Dataset::new(columns, Labels::from_texts(&labels)).unwrap(),
            // A pair: the rows far away are the test rows.
            n_train: Some(20),
            given: None,
            published: None,
        })
    }
}

fn read(models: &str) -> Result<Sweep, Rejected> {
    let text = format!(
        "format = 1\nname = \"t\"\nseed = 3\n[[dataset]]\nid = \"pair\"\ntrain = \"a.csv\"\ntest = \"b.csv\"\n\
         target = \"y\"\n[[correction]]\nid = \"none\"\n[[correction]]\nid = \"twice\"\nresample = \"twice\"\n\
         {models}"
    );
    config::parse(Path::new("t.toml"), &text, &CATALOGUE)
}

fn plan(models: &str) -> Plan {
    Plan::new(Arc::new(read(models).unwrap()), CATALOGUE, &Rows).unwrap()
}

#[test]
fn features_are_in_ids_parameters_and_cell_ids_and_nowhere_without_them() {
    let plain = plan("[[model]]\nkind = \"watcher\"\n");
    let both = plan(
        "[[model]]\nkind = \"watcher\"\n[[model]]\nid = \"made\"\nkind = \"watcher\"\nl2 = [1, 2]\n\
         features = { polynomial = [2, 3] }\n[[model]]\nid = \"one\"\nkind = \"watcher\"\nfeatures = { polynomial = 2 }\n",
    );
    let ids: Vec<&str> = both.sweep.models.iter().map(|m| m.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "watcher",
            "made[features.polynomial=2,l2=1]",
            "made[features.polynomial=3,l2=1]",
            "made[features.polynomial=2,l2=2]",
            "made[features.polynomial=3,l2=2]",
            "one",
        ]
    );
    let texts: Vec<String> = both.sweep.models.iter().map(Model::canonical).collect();
    assert_eq!(texts[0], "watcher[l2=1]");
    assert_eq!(texts[1], "watcher[features.polynomial=2,l2=1]");
    assert_eq!(
        both.sweep.models[2].params(";"),
        "features.polynomial=3;l2=1"
    );
    let of = |plan: &Plan, model: usize| -> BTreeSet<String> {
        let cells = plan.cells.iter().filter(|cell| cell.model == model);
        cells.map(|cell| cell.id.0.clone()).collect()
    };
    assert_eq!(of(&plain, 0), of(&both, 0));
    let all: BTreeSet<String> = (0..6).flat_map(|model| of(&both, model)).collect();
    assert_eq!(all.len(), both.cells.len());
    assert_ne!(plain.sweep_hash, both.sweep_hash);
    // A table is for everybody; a number is the learner's own parameter.
    let own = plan("[[model]]\nkind = \"own-features\"\nfeatures = 3\n");
    assert_eq!(own.sweep.models[0].canonical(), "own-features[features=3]");
    let own = plan("[[model]]\nkind = \"own-features\"\nfeatures = { polynomial = 3 }\n");
    assert_eq!(
        own.sweep.models[0].canonical(),
        "own-features[features.polynomial=3]"
    );
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_key() {
    let wrong = |features: &str| -> Vec<String> {
        let text = format!("[[model]]\nkind = \"watcher\"\nfeatures = {features}\n");
        let rejected = read(&text).unwrap_err();
        rejected.errors.iter().map(ToString::to_string).collect()
    };
    for (features, key, words) in [
        ("{ polynomial = 0 }", "polynomial", "in [1, 5], found 0"),
        (
            "{ polynomial = [2, 6] }",
            "polynomial",
            "in [1, 5], found 6",
        ),
        ("{ polynomial = -1 }", "polynomial", "found -1"),
        ("{ polynomial = \"two\" }", "polynomial", "found text"),
        ("{ polynomial = 2.0 }", "polynomial", "found a number"),
        ("{ polynomial = [] }", "polynomial", "an empty list"),
        (
            "{ polinomial = 2 }",
            "polinomial",
            "did you mean `polynomial`?",
        ),
        ("{ polynomial = 2, degree = 3 }", "degree", "unknown key"),
        ("{}", "features", "an empty table"),
        (
            "2",
            "features",
            "expected a table { polynomial = ... }, found a whole number",
        ),
    ] {
        let errors = wrong(features);
        assert_eq!(errors.len(), 1, "{features}: {errors:?}");
        assert!(errors[0].contains("t.toml:16"), "{}", errors[0]);
        assert!(errors[0].contains("features"), "{}", errors[0]);
        assert!(
            errors[0].contains(key) && errors[0].contains(words),
            "{}",
            errors[0]
        );
    }
}

/// One test for everything that reads what the learner was shown.
#[test]
fn scaling_is_learnt_from_training_rows_before_resampling_and_from_nothing_else() {
    let plan = plan("[[model]]\nkind = \"watcher\"\nfeatures = { polynomial = 2 }\n");
    let records = run(&plan, 1);
    assert!(
        records.iter().all(|r| r.outcome == Outcome::Ok),
        "{records:?}"
    );
    assert!(
        records
            .iter()
            .all(|r| r.model_params == "features.polynomial=2;l2=1")
    );
    let (trained, scored) = (TRAINED.lock().unwrap(), SCORED.lock().unwrap());
    assert_eq!((trained.len(), scored.len()), (2, 2));
    // Two numbers and three levels: 5 columns, 15 products of two.
    assert!(
        trained
            .iter()
            .chain(scored.iter())
            .all(|(columns, _)| *columns == 20)
    );
    let standard = |(_, moments): &Shown| {
        moments.iter().all(|(mean, square)| {
            // The products of two levels are always 0.
            mean.abs() < 1e-9 && ((square - 1.0).abs() < 1e-9 || *square < 1e-18)
        })
    };
    let [plain, twice] = &trained[..] else {
        panic!("two fits")
    };
    assert!(standard(plain), "{plain:?}");
    assert!(!standard(twice), "resampled rows were scaled anew");
    // The test rows are far away and stay there.
    for (_, moments) in scored.iter() {
        assert!(moments[0].0.abs() > 5.0 && moments[5].0.abs() > 5.0);
    }
    assert_eq!(scored[0], scored[1]);
}
