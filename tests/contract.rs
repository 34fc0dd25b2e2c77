//! What other programs rely on: columns, files, names, outcomes and exit codes.

use std::collections::{BTreeMap, BTreeSet};

use counterweight_core::Cells;
use counterweight_frame::read_table;

use crate::common::{OUTCOMES, Place, Records, mixed_csv, numeric_csv};

/// The columns of the contract, in its order.
const COLUMNS: &str = "cell dataset source n_train n_test n_features n_classes profile \
    requested_ratio imbalance_ratio minority_count repeat fold model model_params correction family \
    resample loss decide outcome reason balanced_error error_rate worst_recall g_mean macro_f1 mcc \
    kappa auroc average_precision brier log_loss ece calibration_intercept calibration_slope \
    many_recall medium_recall few_recall bayes_balanced_error regret recalls";

/// Populations, a file and a pair; numeric, nominal and missing values; probabilities and votes.
const SWEEP: &str = r#"
format = 1
name = "contract"
seed = 3
[protocol]
folds = 3
inner_folds = 2
[[population]]
kind = "gaussian-pair"
n_train = 120
n_test = 100
imbalance_ratio = [1, 5]
[[dataset]]
path = "mixed.csv"
target = "y"
imbalance_ratio = ["natural", 4, 900]
[[dataset]]
train = "half_train.csv"
test = "half_test.csv"
target = "y"
[[model]]
kind = "softmax-regression"
[[model]]
kind = "k-nearest-neighbours"
k = [1, 5]
[[model]]
id = "tree"
kind = "smartcore-decision-tree"
[[correction]]
id = "none"
[[correction]]
loss = { kind = "weighted" }
[[correction]]
id = "logit-adjusted"
loss = { kind = "logit-adjusted", tau = [0.5, 1.0] }
[[correction]]
resample = { kind = "smote", k = 4 }
[[correction]]
id = "smote+adjust"
resample = { kind = "smote", k = 4, strategy = 0.5 }
decide = { kind = "logit-adjust", tau = 1.0, prior = "effective" }
[[correction]]
decide = { kind = "tuned-threshold" }
[[correction]]
decide = { kind = "threshold", t = 0.2 }
"#;

fn place() -> Place {
    let place = Place::with_sweep(SWEEP);
    place.write("demo/mixed.csv", &mixed_csv(&[80, 40, 20], 4));
    place.write("demo/half_train.csv", &numeric_csv(&[50, 20], 5));
    place.write("demo/half_test.csv", &numeric_csv(&[30, 30], 6));
    place
}

#[track_caller]
fn json(place: &Place, file: &str) -> serde_json::Value {
    serde_json::from_str(&place.read(file)).expect("JSON")
}

#[test]
fn a_report_folder_holds_what_the_contract_says() {
    let place = place();
    let ran = place.call(&["run", "demo", "--quiet"]).ends_with(0);
    assert_eq!(ran.err, "", "--quiet");
    let records = place.records("demo");
    let columns: Vec<&str> = COLUMNS.split_whitespace().collect();
    assert_eq!(records.header[..columns.len()], columns);
    let unique: BTreeSet<&str> = records.rows.iter().map(|row| row.text("cell")).collect();
    assert_eq!(unique.len(), records.rows.len(), "cells of one id");

    // Files and folders.
    for file in [
        "sweep.toml",
        "records.parquet",
        "records.csv",
        "timings.parquet",
        "details.parquet",
        "run.json",
        "index.html",
        "ranking.json",
        "segments",
    ] {
        assert!(place.has(&format!("demo/{file}")), "{file} is not there");
    }
    let below = |folder: &str| -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(place.path(&format!("demo/{folder}")))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    let tables = below("tables");
    for kind in ["parquet", "csv", "md", "tex"] {
        assert!(
            tables.iter().any(|name| name.ends_with(kind)),
            "no {kind} among {tables:?}"
        );
    }
    let plots = below("plots");
    let stems = |kind: &str| -> Vec<&str> {
        plots
            .iter()
            .filter_map(|name| name.strip_suffix(kind))
            .collect()
    };
    assert!(!stems(".svg").is_empty());
    assert_eq!(stems(".svg"), stems(".png"));

    run_json(&place, &records);
    ranking_json(&place, &records);
    parquet_equals_csv(&place, &records);
    timings_are_of_cells(&place, &records);
    let page = place.read("demo/index.html");
    assert!(page.contains("<svg") && page.contains("</html>"));
    for remote in ["src=\"http", "href=\"http://fonts", "@import"] {
        assert!(
            !page.contains(remote),
            "the page is not self-contained: {remote}"
        );
    }
    // Every inline figure says what it is, or that it is decoration.
    for figure in page.split("<svg").skip(1) {
        let (head, rest) = figure.split_once('>').unwrap();
        let named = rest.trim_start().starts_with("<title");
        assert!(
            named || head.contains("aria-hidden=\"true\""),
            "<svg{head}>"
        );
    }
}

fn run_json(place: &Place, records: &Records) {
    let run = json(place, "demo/run.json");
    for key in ["sweep_hash", "version", "revision", "values"] {
        assert!(run[key].is_string(), "{key} of {run}");
    }
    assert_eq!(run["sweep"], "contract");
    assert_eq!(run["version"], env!("CARGO_PKG_VERSION"));
    assert!(!run["host"]["cpu_features"].as_str().unwrap().is_empty());
    assert_eq!(run["cells"], records.rows.len());
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &records.rows {
        *counts.entry(row.text("outcome")).or_default() += 1;
    }
    assert_eq!(run["outcomes"], serde_json::to_value(&counts).unwrap());
    // Nothing of this machine's folders goes into a file that is committed.
    let root = place.path("").display().to_string();
    let root = root.trim_end_matches('/');
    for file in ["run.json", "records.csv", "index.html", "ranking.json"] {
        assert!(
            !place.read(&format!("demo/{file}")).contains(root),
            "{file}"
        );
    }
}

fn ranking_json(place: &Place, records: &Records) {
    let ranking = json(place, "demo/ranking.json");
    assert_eq!(ranking["format"], 1);
    assert_eq!(ranking["sweep"], "contract");
    let rankings = ranking["rankings"].as_array().unwrap();
    assert!(!rankings.is_empty());
    let models = records.distinct("model");
    let corrections = records.distinct("correction");
    for model in rankings {
        assert!(models.contains(&model["model"].as_str().unwrap()));
        assert!(model["n_datasets"].as_u64().unwrap() > 0);
        let methods = model["methods"].as_array().unwrap();
        assert!(methods.len() > 1, "{model}");
        let mut last = 0.0;
        for method in methods {
            assert!(corrections.contains(&method["correction"].as_str().unwrap()));
            assert!((0.0..=1.0).contains(&method["mean_balanced_error"].as_f64().unwrap()));
            let rank = method["mean_rank"].as_f64().unwrap();
            assert!(rank >= last && rank >= 1.0, "not best first: {model}");
            last = rank;
        }
    }
}

/// records.parquet and records.csv are one table: the same columns, the same values to the last bit.
fn parquet_equals_csv(place: &Place, records: &Records) {
    let table = read_table(&place.path("demo/records.parquet")).unwrap();
    let names: Vec<&str> = table
        .columns()
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, records.header);
    assert_eq!(table.n_rows(), records.rows.len());
    for (at, row) in records.rows.iter().enumerate() {
        for (name, cells) in table.columns() {
            match cells {
                Cells::Text(texts) => {
                    assert_eq!(texts[at].as_deref().unwrap_or(""), row.text(name), "{name}");
                }
                Cells::Whole(values) => {
                    assert_eq!(
                        values[at].map(|v| v.to_string()).unwrap_or_default(),
                        row.text(name)
                    );
                }
                Cells::Real(values) => {
                    let bits = |value: Option<f64>| value.map(f64::to_bits);
                    assert_eq!(bits(values[at]), bits(row.number(name)), "{name}");
                }
            }
        }
    }
}

fn timings_are_of_cells(place: &Place, records: &Records) {
    let timings = read_table(&place.path("demo/timings.parquet")).unwrap();
    let Some(Cells::Text(cells)) = timings.column("cell") else {
        unreachable!("timings without a cell column");
    };
    let cells: Vec<&str> = cells.iter().map(|cell| cell.as_deref().unwrap()).collect();
    let expected: Vec<&str> = records.rows.iter().map(|row| row.text("cell")).collect();
    assert_eq!(cells, expected);
    assert!(
        !records.header.iter().any(|name| name.contains("seconds")),
        "times in the records"
    );
}

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

#[test]
fn no_report_leaves_out_the_report_only_and_a_dry_run_everything() {
    let place = place();
    let before = place.snapshot("demo");
    let ran = place.call(&["run", "demo", "--dry-run"]).ends_with(0);
    assert!(
        ran.out.contains("gaussian-pair") && ran.out.contains("estimated work"),
        "{}",
        ran.out
    );
    assert!(place.snapshot("demo") == before, "a dry run writes");
    place
        .call(&["run", "demo", "--quiet", "--no-report"])
        .ends_with(0);
    for (file, there) in [
        ("records.parquet", true),
        ("records.csv", true),
        ("timings.parquet", true),
        ("run.json", true),
        ("segments", true),
        ("tables", false),
        ("plots", false),
        ("index.html", false),
        ("ranking.json", false),
    ] {
        assert_eq!(place.has(&format!("demo/{file}")), there, "{file}");
    }
    // `report` makes the rest from the records alone: no segments, no data.
    for gone in ["segments", "mixed.csv", "half_train.csv"] {
        let path = place.path(&format!("demo/{gone}"));
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap();
        } else {
            std::fs::remove_file(path).unwrap();
        }
    }
    let records = place.bytes("demo/records.parquet");
    place.call(&["report", "demo"]).ends_with(0);
    for file in ["tables", "plots", "index.html", "ranking.json"] {
        assert!(place.has(&format!("demo/{file}")), "{file}");
    }
    assert!(place.bytes("demo/records.parquet") == records);
}

/// What `report` writes is what `run` wrote.
#[test]
fn a_rebuilt_report_is_the_same() {
    let place = place();
    place.call(&["run", "demo", "--quiet"]).ends_with(0);
    let before = place.snapshot("demo");
    place.call(&["report", "demo"]).ends_with(0);
    let after = place.snapshot("demo");
    assert_eq!(
        before.keys().collect::<Vec<_>>(),
        after.keys().collect::<Vec<_>>()
    );
    for (path, bytes) in &before {
        assert!(after[path] == *bytes, "{} differs", path.display());
    }
}

#[test]
fn status_explain_and_compare_speak_of_cells() {
    let place = place();
    place.call(&["status", "demo"]).ends_with(3);
    place
        .call(&[
            "run",
            "demo",
            "--quiet",
            "--no-report",
            "--only",
            "dataset=mixed",
        ])
        .ends_with(0);
    let some = place.records("demo").rows.len();
    let status = place
        .call(&["status", "demo", "--format", "json"])
        .ends_with(3)
        .json();
    assert_eq!(status["done"], some);
    assert!(status["missing"].as_u64().unwrap() > 0);
    assert!(status["seconds_left"].as_f64().unwrap() > 0.0);
    place
        .call(&["run", "demo", "--quiet", "--no-report"])
        .ends_with(0);
    let records = place.records("demo");
    let status = place
        .call(&["status", "demo", "--format", "json"])
        .ends_with(0)
        .json();
    assert_eq!(status["done"], records.rows.len());
    assert_eq!(status["missing"], 0);
    let text = place.call(&["status", "demo"]).ends_with(0).out;
    assert!(
        text.contains(&format!("{0} of {0} cells done", records.rows.len())),
        "{text}"
    );

    // A cell by the beginning of its id.
    let row = records.one(&[
        ("dataset", "mixed"),
        ("requested_ratio", ""),
        ("fold", "1"),
        ("model", "softmax-regression"),
        ("correction", "smote+adjust"),
    ]);
    let cell = row.text("cell");
    let text = place
        .call(&["explain", "demo", &cell[..10]])
        .ends_with(0)
        .out;
    for part in [
        cell,
        "smote-nc",
        "logit-adjust",
        "softmax-regression",
        "stream",
        "repeat 0, fold 1",
        "outcome    ok",
        "timing",
        "c0:",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let many = place.call(&["explain", "demo", ""]).ends_with(2);
    assert!(
        many.err.contains("cells have ids that begin with"),
        "{}",
        many.err
    );

    // Equal folders, a changed value, a flipped decision, a missing cell.
    let copy = |to: &str, change: &dyn Fn(&str) -> String| {
        place.write(
            &format!("{to}/records.csv"),
            &change(&place.read("demo/records.csv")),
        );
    };
    copy("same", &|text| text.to_owned());
    let equal = place.call(&["compare", "demo", "same"]).ends_with(0);
    assert!(equal.out.contains("0 differences"), "{}", equal.out);
    let value = row.text("balanced_error");
    copy("off", &|text| {
        let line = text.lines().find(|line| line.starts_with(cell)).unwrap();
        text.replace(line, &line.replacen(value, "0.987", 1))
    });
    let off = place.call(&["compare", "demo", "off"]).ends_with(1);
    assert!(
        off.out.contains(cell) && off.out.contains("balanced_error"),
        "{}",
        off.out
    );
    assert!(off.out.contains("1 difference"), "{}", off.out);
    copy("less", &|text| {
        text.lines()
            .filter(|line| !line.starts_with(cell))
            .map(|line| format!("{line}\n"))
            .collect()
    });
    let less = place.call(&["compare", "demo", "less"]).ends_with(1);
    assert!(less.out.contains("only in demo"), "{}", less.out);
    // Rounding is no difference.
    let rounded = format!("{:.12}", row.real("balanced_error"));
    assert_ne!(rounded, value);
    copy("rounded", &|text| {
        let line = text.lines().find(|line| line.starts_with(cell)).unwrap();
        text.replace(line, &line.replacen(value, &rounded, 1))
    });
    assert_ne!(
        place.read("rounded/records.csv"),
        place.read("demo/records.csv")
    );
    place.call(&["compare", "demo", "rounded"]).ends_with(0);
}

#[test]
fn lists_are_arrays_of_objects_with_ids() {
    let place = Place::new();
    for (what, known) in [
        ("corrections", "logit-adjust"),
        ("models", "softmax-regression"),
        ("metrics", "balanced_error"),
        ("populations", "gaussian-pair"),
        ("datasets", "yeast"),
        ("presets", "families"),
    ] {
        let list = place
            .call(&["list", what, "--format", "json"])
            .ends_with(0)
            .json();
        let ids: Vec<&str> = list
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].as_str().unwrap())
            .collect();
        assert!(
            ids.iter()
                .any(|id| id.replace('-', "_") == known.replace('-', "_")),
            "{ids:?}"
        );
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(unique.len(), ids.len());
        let text = place.call(&["list", what]).ends_with(0).out;
        assert!(
            ids.iter().all(|id| text.contains(id)),
            "{what}: the text lacks an id"
        );
        if what == "corrections" {
            let stages: BTreeSet<&str> = list
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["stage"].as_str().unwrap())
                .collect();
            assert!(
                ["resample", "ensemble", "loss", "decide"]
                    .iter()
                    .all(|stage| stages.contains(stage))
            );
        }
        if what == "datasets" {
            assert_eq!(ids.len(), 55);
        }
    }
    // Every preset is a piece of a sweep that runs as it is printed.
    let presets = place
        .call(&["list", "presets", "--format", "json"])
        .ends_with(0)
        .json();
    let data = "format = 1\n[[population]]\nkind = \"gaussian-pair\"\nn_train = 60\nn_test = 40\nimbalance_ratio = 4\n";
    for preset in presets.as_array().unwrap() {
        let id = preset["id"].as_str().unwrap();
        let section = preset["section"].as_str().unwrap();
        let rest = match section {
            "model" => "[[correction]]\nid = \"none\"\n",
            _ => "[[model]]\nkind = \"softmax-regression\"\n",
        };
        place.write(
            "demo/sweep.toml",
            &format!("{data}{rest}{}", preset["toml"].as_str().unwrap()),
        );
        let named = format!("{data}{rest}[[{section}]]\npreset = \"{id}\"\n");
        if id == "models-all" {
            // Not every library is reproducible under a seed: the same plan, nothing run.
            let plan = ["run", "demo", "--dry-run"];
            let printed = place.call(&plan).ends_with(0).out;
            assert!(!printed.is_empty());
            place.write("demo/sweep.toml", &named);
            assert_eq!(place.call(&plan).ends_with(0).out, printed);
            continue;
        }
        let printed = place.run_demo(0);
        place.write("demo/sweep.toml", &named);
        assert_eq!(place.run_demo(0), printed, "{id}");
    }
}

/// What the help offers exists, and says what it takes.
#[test]
fn help_lists_only_what_there_is() {
    let place = Place::new();
    let help = place.call(&["--help"]).ends_with(0).out;
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    for needed in [
        "run", "report", "status", "merge", "list", "explain", "data",
    ] {
        assert!(
            commands.contains(&needed),
            "{needed} is not in {commands:?}"
        );
    }
    for command in commands.iter().filter(|command| **command != "help") {
        let text = place.call(&[command, "--help"]).ends_with(0).out;
        assert!(text.contains("Usage: counterweight"), "{text}");
    }
    let run = place.call(&["run", "--help"]).ends_with(0).out;
    for option in [
        "--jobs",
        "--shard",
        "--only",
        "--dry-run",
        "--fresh",
        "--retry-failed",
        "--output",
        "--no-report",
        "--quiet",
    ] {
        assert!(run.contains(option), "{option}");
    }
    place.call(&[]).ends_with(2);
}

/// The committed sweeps are compared with what a run gives, so every learner in them has to give the
/// same bytes under the same seed.
#[test]
fn committed_sweeps_hold_deterministic_learners_alone() {
    let place = Place::new();
    let list = place
        .call(&["list", "models", "--format", "json"])
        .ends_with(0)
        .json();
    let learners: BTreeMap<&str, bool> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let deterministic = item["deterministic"].as_bool().unwrap();
            (item["id"].as_str().unwrap(), deterministic)
        })
        .collect();
    // Else this test could not fail.
    assert!(learners.values().any(|deterministic| !deterministic));
    for report in ["quick", "reference", "gate"] {
        let path = format!(
            "{}/../../reports/{report}/sweep.toml",
            env!("CARGO_MANIFEST_DIR")
        );
        let text = std::fs::read_to_string(&path).unwrap();
        // A model's `kind` follows its heading at the beginning of a line.
        let mut kinds = Vec::new();
        for section in text.split("\n[[").skip(1) {
            if let Some(body) = section.strip_prefix("model]]") {
                let kind = body
                    .lines()
                    .find_map(|line| line.strip_prefix("kind = \""))
                    .and_then(|rest| rest.split('"').next());
                kinds.push(kind.expect("a model has a kind"));
            }
        }
        assert!(kinds.len() >= 4, "{report}: {kinds:?}");
        for kind in kinds {
            assert!(learners[kind], "{report}: `{kind}` is not deterministic");
        }
    }
}

/// What a learner's card rules out is settled at planning, with the reason.
#[test]
fn cards_decide_at_planning() {
    let place = Place::with_sweep(
        "format = 1\n[protocol]\nfolds = 2\n[[dataset]]\npath = \"three.csv\"\ntarget = \"y\"\n\
         [[model]]\nkind = \"linfa-svm\"\n[[model]]\nkind = \"smartcore-svc\"\n\
         [[model]]\nkind = \"smartcore-random-forest\"\ntrees = 3\n\
         [[correction]]\nid = \"none\"\n[[correction]]\nid = \"weights\"\nloss = { kind = \"weighted\" }\n\
         [[correction]]\nid = \"threshold\"\ndecide = { kind = \"prior-threshold\" }\n",
    );
    place.write("demo/three.csv", &numeric_csv(&[30, 20, 15], 8));
    let records = place.run_demo(0);
    let reason = |model: &str, correction: &str| {
        let rows = records.of(&[("model", model), ("correction", correction)]);
        (
            rows[0].text("outcome").to_owned(),
            rows[0].text("reason").to_owned(),
        )
    };
    for model in ["linfa-svm", "smartcore-svc"] {
        let (outcome, reason) = reason(model, "none");
        assert_eq!(outcome, "not-applicable");
        assert_eq!(reason, format!("`{model}` takes two classes only"));
    }
    let forest = "smartcore-random-forest";
    assert_eq!(reason(forest, "none").0, "ok");
    assert!(
        reason(forest, "weights")
            .1
            .contains("does not honour class weights")
    );
    assert!(reason(forest, "threshold").1.contains("gives votes only"));
    // The table that says so.
    let table = place.call(&["list", "models"]).ends_with(0).out;
    let head = table.lines().next().unwrap();
    for column in [
        "weights",
        "margins",
        "factors",
        "focal",
        "schedule",
        "minibatches",
        "initial_bias",
        "scores",
        "multiclass",
        "deterministic",
        "limit",
    ] {
        assert!(head.contains(column), "{head}");
    }
    let row = table
        .lines()
        .find(|line| line.starts_with("smartcore-svc "))
        .unwrap();
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(
        cells[3..],
        [
            "no", "no", "no", "no", "no", "no", "no", "votes", "only", "no", "yes", "2000"
        ]
    );
}
