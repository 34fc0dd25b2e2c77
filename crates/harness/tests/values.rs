//! Parameters stay values from the sweep file to the record, ids come from ids and numbers, and the keys of
//! streams keep their bytes.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a panic is their way to fail"
)]

use std::path::Path;
use std::sync::Arc;

use counterweight_core::params::Default as Preset;
use counterweight_core::*;
use counterweight_harness::config::{self, Sweep, sweep::DatasetSpec};
use counterweight_harness::plan::{DataSource, LoadError, Loaded, Plan};

mod common;
use common::{CROSS_ENTROPY, LEARNER, METRIC, RESAMPLER, RULE, card, run};

#[derive(Debug)]
struct Copies;
impl Resampler for Copies {
    fn resample(&self, train: &Train, _: &mut StageContext<'_>) -> StageResult<Train> {
        Ok(train.clone())
    }
}

#[derive(Debug)]
struct Largest;
impl Decision for Largest {
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

#[derive(Debug)]
struct Even;
impl Learner for Even {
    fn fit(
        &self,
        _: &Train,
        _: &LossTerms,
        _: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        Ok(Box::new(Self))
    }
}
impl Fitted for Even {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        Ok(Scores::logits(Matrix::from_fn(x.rows(), 2, |i, k| {
            x.at(i, 0) * k as f64
        }))?)
    }
}

#[derive(Debug)]
struct Wrong;
impl Metric for Wrong {
    fn value(&self, judged: &Judged<'_>) -> Result<f64, String> {
        Ok(judged.labels().ids()[0].into())
    }
}

const K: &[ParamSpec] = &[ParamSpec::new(
    "k",
    ParamKind::Whole(Range::AT_LEAST_ONE),
    Preset::Whole(5),
    "neighbours",
)];
const TAU: &[ParamSpec] = &[
    ParamSpec::new(
        "prior",
        ParamKind::Choice(&["train", "effective"]),
        Preset::Text("effective"),
        "which",
    ),
    ParamSpec::new(
        "tau",
        ParamKind::Real(Range::FINITE),
        Preset::Real(1.0),
        "strength",
    ),
];
const THEN: &[ParamSpec] = &[ParamSpec::new(
    "then",
    ParamKind::Stage,
    Preset::Text("argmax"),
    "what follows",
)];
const L2: &[ParamSpec] = &[
    ParamSpec::new(
        "l2",
        ParamKind::Real(Range::NON_NEGATIVE),
        Preset::Real(1.0),
        "penalty",
    ),
    ParamSpec::new("warm", ParamKind::Flag, Preset::Flag(false), "start"),
];

const fn decision(id: &'static str, params: &'static [ParamSpec]) -> DecisionEntry {
    Entry {
        card: card(id, params),
        caps: RULE,
        build: |_| Ok(Box::new(Largest)),
    }
}

static CATALOGUE: Catalogue = Catalogue {
    resamplers: &[Entry {
        card: card("copies", K),
        caps: RESAMPLER,
        build: |_| Ok(Box::new(Copies)),
    }],
    ensembles: &[],
    losses: &[CROSS_ENTROPY],
    decisions: &[
        decision("argmax", &[]),
        decision("calibrated", THEN),
        decision("shift", TAU),
    ],
    learners: &[Entry {
        card: card("even", L2),
        caps: LEARNER,
        build: |_| Ok(Box::new(Even)),
    }],
    metrics: &[Entry {
        card: card("balanced_error", &[]),
        caps: METRIC,
        build: |_| Ok(Box::new(Wrong)),
    }],
    populations: &[],
};

struct Rows;
impl DataSource for Rows {
    fn load(&self, _: &DatasetSpec, _: &Path) -> Result<Loaded, LoadError> {
        let labels: Vec<&str> = (0..60)
            .map(|i| if i % 3 == 0 { "b" } else { "a" })
            .collect();
        let column = Column {
            name: "x".into(),
            values: ColumnValues::Numeric((0..60).map(f64::from).collect()),
        };
        let data = Dataset::new(vec![column], Labels::from_texts(&labels)).unwrap();
        Ok(Loaded {
            data,
            n_train: None,
            given: None,
            published: None,
        })
    }
}

fn sweep(text: &str) -> Sweep {
    let head = "format = 1\nseed = 7\n";
    config::parse(
        Path::new("values.toml"),
        &format!("{head}{text}"),
        &CATALOGUE,
    )
    .unwrap()
}

fn plan(text: &str) -> Plan {
    Plan::new(Arc::new(sweep(text)), CATALOGUE, &Rows).unwrap()
}

const DATA: &str = "[[dataset]]\npath = \"x.csv\"\ntarget = \"y\"\n";
const SWEPT: &str = r#"
[protocol]
test = 0.3
[[model]]
kind = "even"
l2 = [0.1, 1]
warm = [false, true]
[[model]]
id = "chosen"
kind = "even"
l2 = [1, 10.0]
select = "balanced-error"
[[correction]]
id = "none"
[[correction]]
id = "both"
expand = true
resample = { kind = "copies", k = [1, 3] }
decide = { kind = "calibrated", then = ["argmax", { kind = "shift", tau = 0.5 }, { kind = "shift" }] }
"#;

#[test]
fn a_record_carries_values() {
    let plan = plan(&format!("{DATA}{SWEPT}"));
    let records = run(&plan, 1);
    let find = |model: &str, correction: &str| {
        let mut found = records.iter();
        let found = found.find(|r| r.model == model && r.correction == correction);
        found.map(|r| Arc::clone(&r.stages)).unwrap()
    };
    let plain = find("even[l2=0.1,warm=true]", "none");
    assert_eq!(plain.model_entry, "even");
    assert_eq!(plain.get(Role::Model).kind, "even");
    assert_eq!(plain.value(Role::Model, "l2"), Some(&Scalar::Real(0.1)));
    assert_eq!(plain.value(Role::Model, "warm"), Some(&Scalar::Flag(true)));
    assert_eq!(plain.get(Role::Resample).kind, "none");
    assert_eq!(plain.get(Role::Decide).kind, "argmax");
    assert_eq!(plain.value(Role::Decide, "then"), None);
    // What is chosen inside the fold is no value of the cell; what chooses is.
    let chosen = find("chosen", "none");
    assert_eq!(chosen.value(Role::Model, "l2"), None);
    assert_eq!(
        chosen.value(Role::Model, "warm"),
        Some(&Scalar::Flag(false))
    );
    let metric = Scalar::Text("balanced-error".into());
    assert_eq!(chosen.value(Role::Model, "select"), Some(&metric));
    let nested = find("chosen", "both[k=3,then=kind=shift+tau=0.5]");
    assert_eq!(nested.correction_entry, "both");
    assert_eq!(nested.value(Role::Resample, "k"), Some(&Scalar::Whole(3)));
    let word = Scalar::Text("shift".into());
    assert_eq!(nested.value(Role::Decide, "then"), Some(&word));
    assert_eq!(
        nested.value(Role::Decide, "then.tau"),
        Some(&Scalar::Real(0.5))
    );
    // No entry varies it.
    assert_eq!(nested.value(Role::Decide, "then.prior"), None);
    // Records of one split, model and correction share one copy.
    let cells: Vec<_> = plan
        .cells
        .iter()
        .enumerate()
        .filter(|(_, c)| c.model == 0 && c.correction == 0)
        .map(|(at, _)| plan.stages(at))
        .collect();
    assert!(cells.windows(2).all(|pair| Arc::ptr_eq(&pair[0], &pair[1])));
}

#[test]
fn axes_are_what_an_entry_varies() {
    let plan = plan(&format!("{DATA}{SWEPT}"));
    let shown: Vec<String> = plan
        .axes
        .iter()
        .map(|axis| {
            let values: Vec<String> = axis.values.iter().map(ToString::to_string).collect();
            let default = axis
                .default
                .as_ref()
                .map_or("-".to_owned(), ToString::to_string);
            format!(
                "{} of {}: {} by {default}{}{}",
                axis.stage.column(&axis.parameter),
                axis.entry,
                values.join(" "),
                if axis.expand { ", expanded" } else { "" },
                axis.selected_by
                    .as_ref()
                    .map_or(String::new(), |m| format!(", by {m}")),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "model.l2 of even: 0.1 1 by 1",
            "model.warm of even: false true by false",
            "model.l2 of chosen: 1 10 by 1, by balanced-error",
            "resample.k of both: 1 3 by 5, expanded",
            "decide.then of both: argmax shift by argmax, expanded",
            "decide.then.tau of both: 0.5 1 by 1, expanded",
        ]
    );
    assert!(plan_of_one().axes.is_empty());
}

fn plan_of_one() -> Plan {
    plan(&format!(
        "{DATA}[[model]]\nkind = \"even\"\nl2 = [1]\n[[correction]]\nid = \"none\"\n"
    ))
}

#[test]
fn streams_keep_their_keys_and_ids_follow_values() {
    let text = format!("{DATA}imbalance_ratio = [\"natural\", 4]\n{SWEPT}");
    let both = plan(&text);
    let hash = both.inputs[0].hash.hex();
    let keys: Vec<&str> = both.units.iter().map(|unit| unit.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            format!("{hash}|split=HoldOut(0.3)|group=false|repeat=0|fold=0|natural|ratio=natural"),
            format!("{hash}|split=HoldOut(0.3)|group=false|repeat=0|fold=0|step|ratio=4"),
        ]
    );
    let ids = |text: &str| -> Vec<CellId> {
        plan(text)
            .cells
            .iter()
            .map(|cell| cell.id.clone())
            .collect()
    };
    let own = ids(&text);
    // Another spelling of the same values is the same cell.
    assert_eq!(own, ids(&text.replace("l2 = [0.1, 1]", "l2 = [0.1, 1.0]")));
    for (was, is) in [
        ("test = 0.3", "test = 0.4"),
        ("test = 0.3", "test = 0.3\ninner_folds = 4"),
        ("test = 0.3", "test = 0.3\nsmall_class = \"skip\""),
        ("l2 = [0.1, 1]", "l2 = [0.2, 1]"),
        ("k = [1, 3]", "k = [2, 3]"),
    ] {
        let others = ids(&text.replacen(was, is, 1));
        assert_ne!(own, others, "{is}");
        let moved = own.iter().zip(&others).filter(|(a, b)| a != b).count();
        assert_eq!(moved == own.len(), was.starts_with("test"), "{is}");
    }
    let unique: std::collections::BTreeSet<&CellId> = own.iter().collect();
    assert_eq!(unique.len(), own.len());
}
