//! The values of records: names and parameters, families, ratios and splits, outcomes and their reasons.

use std::collections::BTreeMap;

use super::place;
use crate::common::{OUTCOMES, Place, Records, mixed_csv};

/// Each row is consistent in itself: the closed list of outcomes, and values exactly where they belong.
#[test]
fn records_mean_what_the_contract_says() {
    let place = place();
    let records = place.run_demo(0);
    for row in &records.rows {
        let outcome = row.text("outcome");
        assert!(OUTCOMES.contains(&outcome), "{outcome}");
        let valued = ["ok", "clamped", "degenerate"].contains(&outcome);
        assert_eq!(row.number("balanced_error").is_some(), valued, "{row:?}");
        if !valued {
            assert!(!row.text("reason").is_empty());
            assert_eq!(row.text("recalls"), "");
            continue;
        }
        let recalls: Vec<f64> = row.recalls().into_iter().flatten().collect();
        assert_eq!(
            recalls.len(),
            row.text("n_classes").parse::<usize>().unwrap()
        );
        let mean = recalls.iter().sum::<f64>() / recalls.len() as f64;
        assert!((row.real("balanced_error") - (1.0 - mean)).abs() < 1e-12);
        let worst = recalls.iter().copied().fold(1.0, f64::min);
        assert!((row.real("worst_recall") - worst).abs() < 1e-12);
        let g_mean = recalls
            .iter()
            .product::<f64>()
            .powf(1.0 / recalls.len() as f64);
        assert!((row.real("g_mean") - g_mean).abs() < 1e-12);
        // A metric without a value is named.
        for metric in [
            "auroc",
            "calibration_slope",
            "many_recall",
            "few_recall",
            "log_loss",
        ] {
            assert_eq!(
                row.number(metric).is_none(),
                row.text("reason").contains(metric),
                "{row:?}"
            );
        }
    }
    // Plan order: datasets, ratios, repeats, folds, models and corrections as the file has them.
    let first: Vec<&str> = records
        .rows
        .iter()
        .take(8)
        .map(|row| row.text("correction"))
        .collect();
    assert_eq!(
        first,
        [
            "none",
            "weighted",
            "logit-adjusted[tau=0.5]",
            "logit-adjusted[tau=1]",
            "smote",
            "smote+adjust",
            "tuned-threshold",
            "threshold",
        ]
    );
    let mut order: Vec<&str> = records.rows.iter().map(|row| row.text("dataset")).collect();
    order.dedup();
    assert_eq!(order, ["gaussian-pair", "mixed", "half_train"]);
    assert_eq!(
        records.distinct("model"),
        [
            "k-nearest-neighbours[k=1]",
            "k-nearest-neighbours[k=5]",
            "softmax-regression",
            "tree"
        ]
    );
    families(&records);
    ratios_and_splits(&records);
    combinations_that_a_model_cannot_honour(&records);
}

fn families(records: &Records) {
    for (correction, family) in [
        ("none", "none"),
        ("weighted", "reweighting"),
        ("logit-adjusted[tau=0.5]", "logit-adjustment"),
        ("smote", "resampling"),
        ("smote+adjust", "combination"),
        ("tuned-threshold", "thresholding"),
        ("threshold", "thresholding"),
    ] {
        let rows = records.of(&[("correction", correction)]);
        assert!(
            rows.iter().all(|row| row.text("family") == family),
            "{correction}"
        );
    }
    // Identity stages are named too, so that a reader need not know the defaults.
    let none = records.of(&[("correction", "none")]);
    for (stage, identity) in [
        ("resample", "none"),
        ("loss", "cross-entropy"),
        ("decide", "argmax"),
    ] {
        assert!(
            none.iter().all(|row| row.text(stage) == identity),
            "{stage}"
        );
    }
    let row = records.of(&[("model", "softmax-regression")])[0];
    let params = row.text("model_params");
    let keys: Vec<&str> = params
        .split(';')
        .map(|pair| pair.split_once('=').unwrap().0)
        .collect();
    assert!(keys.is_sorted() && keys.contains(&"l2"), "{params}");
}

fn ratios_and_splits(records: &Records) {
    for row in records.of(&[("dataset", "gaussian-pair")]) {
        assert_eq!(
            (row.text("source"), row.text("profile")),
            ("synthetic", "step")
        );
        assert_eq!(row.text("fold"), "0");
        assert!(row.number("bayes_balanced_error").is_some() || row.text("outcome") != "ok");
    }
    let pair = records.of(&[("dataset", "gaussian-pair"), ("requested_ratio", "5.0")]);
    assert!(
        pair.iter()
            .all(|row| row.text("n_train") == "120" && row.text("minority_count") == "20")
    );
    assert!(pair.iter().all(|row| row.text("train_counts") == "100;20"));
    assert!(pair.iter().all(|row| row.text("test_counts") == "50;50"));

    let natural = records.of(&[("dataset", "mixed"), ("requested_ratio", "")]);
    let mut tested = BTreeMap::new();
    for row in &natural {
        assert_eq!(
            (row.text("source"), row.text("profile")),
            ("real", "natural")
        );
        // Columns before encoding.
        assert_eq!((row.text("n_features"), row.text("n_classes")), ("3", "3"));
        assert_eq!(row.number("bayes_balanced_error"), None);
        assert_eq!(row.number("regret"), None);
        assert!((row.real("n_train") + row.real("n_test") - 140.0).abs() < 1e-9);
        tested.insert(row.text("fold"), row.real("n_test"));
    }
    assert_eq!(tested.keys().copied().collect::<Vec<_>>(), ["0", "1", "2"]);
    assert!(
        (tested.values().sum::<f64>() - 140.0).abs() < 1e-9,
        "folds part the rows"
    );
    for row in records.of(&[("dataset", "mixed"), ("requested_ratio", "4.0")]) {
        assert_eq!(row.text("profile"), "step");
        let counts: Vec<f64> = row
            .text("train_counts")
            .split(';')
            .map(|n| n.parse().unwrap())
            .collect();
        let ratio = counts[0] / counts[2];
        assert!((row.real("imbalance_ratio") - ratio).abs() < 1e-12);
        assert!((3.0..=5.0).contains(&ratio), "{ratio}");
        // The training rows are thinned, never the test rows.
        let same = [
            ("dataset", "mixed"),
            ("requested_ratio", ""),
            ("fold", row.text("fold")),
        ];
        assert_eq!(row.text("n_test"), records.of(&same)[0].text("n_test"));
    }
    // Real data that cannot give the ratio.
    for row in records.of(&[("dataset", "mixed"), ("requested_ratio", "900.0")]) {
        assert_eq!(row.text("outcome"), "not-applicable");
        assert!(row.text("reason").contains("900"), "{}", row.text("reason"));
        assert_eq!(row.number("imbalance_ratio"), None);
    }
    // A given pair keeps its rows: one split, whatever `folds` says.
    for row in records.of(&[("dataset", "half_train")]) {
        assert_eq!((row.text("n_train"), row.text("n_test")), ("70", "60"));
        assert_eq!((row.text("fold"), row.text("requested_ratio")), ("0", ""));
        assert_eq!(row.text("train_counts"), "50;20");
    }
}

fn combinations_that_a_model_cannot_honour(records: &Records) {
    let knn = [
        ("model", "k-nearest-neighbours[k=5]"),
        ("dataset", "half_train"),
    ];
    let settled = |correction: &str, words: &str| {
        let row = records.one(&[knn[0], knn[1], ("correction", correction)]);
        assert_eq!(row.text("outcome"), "not-applicable");
        assert!(row.text("reason").contains(words), "{}", row.text("reason"));
    };
    settled("weighted", "does not honour class weights");
    settled("logit-adjusted[tau=1]", "does not honour margins");
    // `threshold` is for two classes, and the file has three.
    let three = records.of(&[
        ("dataset", "mixed"),
        ("requested_ratio", ""),
        ("correction", "threshold"),
    ]);
    assert!(
        three
            .iter()
            .all(|row| row.text("outcome") == "not-applicable")
    );
    let two = [
        ("dataset", "half_train"),
        ("correction", "threshold"),
        ("model", "softmax-regression"),
    ];
    assert_eq!(records.one(&two).text("outcome"), "ok");

    // Votes take no decision stage and have no metrics of probabilities.
    let mut votes = 0;
    for row in records.of(&[("model", "tree")]) {
        let scored =
            ["smote+adjust", "tuned-threshold", "threshold"].contains(&row.text("correction"));
        if scored {
            assert_eq!(row.text("outcome"), "not-applicable");
        }
        if row.number("balanced_error").is_some() {
            votes += 1;
            for metric in [
                "auroc",
                "average_precision",
                "brier",
                "log_loss",
                "ece",
                "brier_raw",
            ] {
                assert_eq!(row.number(metric), None, "{metric} of votes");
            }
            assert!(row.number("mcc").is_some());
        }
    }
    assert!(votes > 0);

    // SMOTE runs as what it is on the data at hand, and says so.
    for (dataset, runs_as) in [
        ("mixed", "smote-nc[k=4,strategy=auto]"),
        ("half_train", "smote[k=4,strategy=auto]"),
    ] {
        for row in records.of(&[("dataset", dataset), ("correction", "smote")]) {
            assert_eq!(row.text("resample"), runs_as);
        }
    }
}

/// Ensembles run on mixed data with any model, and every decision stage applies to them.
#[test]
fn an_ensemble_owns_the_fit_and_a_decision_may_follow() {
    let place = Place::with_sweep(
        r#"
format = 1
name = "ensembles"
seed = 3
[protocol]
folds = 2
inner_folds = 2
[[dataset]]
path = "mixed.csv"
target = "y"
[[model]]
kind = "softmax-regression"
[[model]]
kind = "random-forest"
trees = 5
[[model]]
id = "votes"
kind = "smartcore-decision-tree"
[[correction]]
ensemble = { kind = "smote-bagging", members = [2, 3] }
[[correction]]
id = "under+tuned"
ensemble = { kind = "under-bagging", members = 3 }
decide = { kind = "tuned-threshold" }
[[correction]]
id = "rus+adjust"
ensemble = { kind = "rusboost", rounds = 3 }
decide = { kind = "logit-adjust" }
[[correction]]
ensemble = { kind = "balanced-random-forest", trees = 4 }
"#,
    );
    place.write("demo/mixed.csv", &mixed_csv(&[80, 40, 20], 4));
    let records = place.run_demo(0);
    for (correction, family, outcomes) in [
        ("smote-bagging[members=2]", "ensemble", ["ok"; 3]),
        ("smote-bagging[members=3]", "ensemble", ["ok"; 3]),
        ("under+tuned", "combination", ["ok"; 3]),
        // Scores without a prior of their own.
        ("rus+adjust", "combination", ["not-applicable"; 3]),
        (
            "balanced-random-forest",
            "ensemble",
            ["not-applicable", "ok", "not-applicable"],
        ),
    ] {
        let models = ["softmax-regression", "random-forest", "votes"];
        for (model, outcome) in models.into_iter().zip(outcomes) {
            let rows = records.of(&[("correction", correction), ("model", model)]);
            assert_eq!(rows.len(), 2);
            for row in rows {
                let found = row.text("outcome");
                assert_eq!(
                    found,
                    outcome,
                    "{correction} {model}: {}",
                    row.text("reason")
                );
                assert_eq!(row.text("family"), family);
                assert_eq!(row.text("loss"), "cross-entropy");
                // Votes of the members are shares here.
                assert_eq!(row.number("log_loss").is_some(), outcome == "ok");
            }
        }
    }
    let rows = records.of(&[("correction", "smote-bagging[members=2]")]);
    let expected = "smote-bagging[k=5,members=2,strategy=auto]";
    assert!(rows.iter().all(|row| row.text("resample") == expected));
}
