//! Calibration: what weighting does to probabilities, what the prior shift takes back, and the reliability
//! bins that are kept beside the records.

use std::collections::BTreeMap;

use counterweight_core::Cells;
use counterweight_frame::read_table;

use crate::common::{Place, Row, mixed_csv, of_an_earlier_build};

/// A population on which the linear model is right, a fully weighted and an oversampled fit of it.
const KNOWN: &str = r#"
format = 1
name = "known"
seed = 11
[protocol]
repeats = 3
[[population]]
kind = "gaussian-pair"
n_train = 20000
n_test = 20000
imbalance_ratio = 19
[[model]]
kind = "softmax-regression"
l2 = 1e-6
[[correction]]
id = "none"
[[correction]]
id = "weighted"
loss = { kind = "weighted", scheme = "inverse-frequency" }
[[correction]]
resample = { kind = "random-over" }
[[correction]]
id = "focal"
loss = { kind = "focal" }
"#;

const SOME: &str = r#"
format = 1
name = "some"
seed = 5
[protocol]
folds = 2
repeats = 2
inner_folds = 2
[[population]]
kind = "gaussian-pair"
n_train = 120
n_test = 90
imbalance_ratio = [1, 12]
[[dataset]]
path = "mixed.csv"
target = "y"
[[model]]
kind = "softmax-regression"
[[model]]
kind = "smartcore-random-forest"
trees = 4
[[correction]]
preset = "families"
"#;

fn some() -> Place {
    let place = Place::with_sweep(SOME);
    place.write("demo/mixed.csv", &mixed_csv(&[60, 30, 12], 1));
    place
}

/// The log of what one class has more than the other.
fn log_odds(row: &Row) -> f64 {
    let counts = row.text("train_counts").split(';');
    let counts: Vec<f64> = counts.map(|n| n.parse().unwrap()).collect();
    (counts[0] / counts[1]).ln()
}

#[test]
fn a_fit_on_the_true_population_is_calibrated_and_a_weighted_one_is_off_by_the_log_odds() {
    let place = Place::with_sweep(KNOWN);
    let records = place.run_demo(0);
    for none in records.of(&[("correction", "none")]) {
        // 1000 rare training rows and as many rare test rows' worth of weight: the standard error of the
        // intercept is about .1, mostly from training; the log-odds that it is told from are 2.9.
        assert!(none.real("calibration_intercept").abs() < 0.35);
        assert!((none.real("calibration_slope") - 1.0).abs() < 0.1);
        // Nothing is weighted, so there is nothing to take back.
        for metric in ["log_loss", "brier", "ece", "brier_reliability"] {
            assert_eq!(none.text(metric), none.text(&format!("{metric}_raw")));
        }
        let fold = none.text("repeat");
        let of = |correction: &str| {
            *records
                .of(&[("correction", correction), ("repeat", fold)])
                .first()
                .unwrap()
        };
        let weighted = of("weighted");
        // As fitted the logits are too high by the log-odds of the training classes, exactly so against
        // the same scores after the shift, which has the same slope.
        let (raw, back) = (
            weighted.real("calibration_intercept_raw"),
            weighted.real("calibration_intercept"),
        );
        assert!(
            (raw - back + log_odds(weighted)).abs() < 1e-6,
            "{raw} {back}"
        );
        assert!((raw + log_odds(weighted)).abs() < 0.35);
        assert!(back.abs() < 0.35);
        let slopes = ["calibration_slope", "calibration_slope_raw"].map(|id| weighted.real(id));
        assert!((slopes[0] - slopes[1]).abs() < 1e-6);
        assert!((slopes[0] - 1.0).abs() < 0.1);
        for correction in ["weighted", "random-over"] {
            let row = of(correction);
            for metric in ["log_loss", "brier", "ece", "brier_reliability"] {
                let as_fitted = row.real(&format!("{metric}_raw"));
                assert!(row.real(metric) < as_fitted, "{correction}: {metric}");
            }
            // What is taken back is nearly what no correction has.
            assert!((row.real("log_loss") - none.real("log_loss")).abs() < 0.003);
        }
    }
    let bins = bins(&place, "demo");
    let stages = |correction: &str| -> Vec<&str> {
        let own = bins.iter().filter(|bin| bin.correction == correction);
        let mut stages: Vec<&str> = own.map(|bin| bin.stage.as_str()).collect();
        stages.dedup();
        stages
    };
    assert_eq!(stages("weighted"), ["as-fitted", "prior-corrected"]);
    // The prior of a focal loss has no name, and that of no correction is right already.
    assert_eq!(stages("focal"), ["as-fitted"]);
    assert_eq!(stages("none"), ["as-fitted"]);
    // Corrected, the bins lie near the diagonal; as fitted, far below.
    let gap = |stage: &str| {
        let own = |bin: &&Bin| bin.correction == "weighted" && bin.stage == stage;
        let own: Vec<&Bin> = bins.iter().filter(own).collect();
        let total: f64 = own.iter().map(|bin| bin.weight).sum();
        let gaps = own
            .iter()
            .map(|bin| bin.weight * (bin.predicted - bin.observed));
        gaps.sum::<f64>() / total
    };
    assert!(gap("prior-corrected").abs() < 0.01);
    assert!(gap("as-fitted") > 0.05);
}

/// A row of reliability.parquet.
#[derive(Debug)]
struct Bin {
    key: String,
    correction: String,
    stage: String,
    n_classes: i64,
    cells: i64,
    rows: i64,
    weight: f64,
    predicted: f64,
    observed: f64,
}

#[expect(clippy::panic, reason = "helpers of tests fail as tests do")]
fn bins(place: &Place, folder: &str) -> Vec<Bin> {
    let table = read_table(&place.path(&format!("{folder}/reliability.parquet"))).unwrap();
    if table.n_rows() == 0 {
        return Vec::new();
    }
    let text = |name: &str| match table.column(name).unwrap() {
        Cells::Text(cells) => cells.iter().map(|c| c.clone().unwrap()).collect::<Vec<_>>(),
        other => panic!("{name}: {other:?}"),
    };
    let whole = |name: &str| match table.column(name).unwrap() {
        Cells::Whole(cells) => cells.iter().map(|c| c.unwrap()).collect::<Vec<_>>(),
        other => panic!("{name}: {other:?}"),
    };
    let real = |name: &str| match table.column(name).unwrap() {
        Cells::Real(cells) => cells.clone(),
        other => panic!("{name}: {other:?}"),
    };
    let (dataset, model, correction) = (text("dataset"), text("model"), text("correction"));
    let (stage, ratio) = (text("stage"), real("requested_ratio"));
    let (n_classes, cells, rows) = (whole("n_classes"), whole("cells"), whole("rows"));
    let (weight, predicted, observed) = (real("weight"), real("predicted"), real("observed"));
    (0..table.n_rows())
        .map(|i| Bin {
            key: format!(
                "{}/{:?}/{}/{}",
                dataset[i], ratio[i], model[i], correction[i]
            ),
            correction: correction[i].clone(),
            stage: stage[i].clone(),
            n_classes: n_classes[i],
            cells: cells[i],
            rows: rows[i],
            weight: weight[i].unwrap(),
            predicted: predicted[i].unwrap(),
            observed: observed[i].unwrap(),
        })
        .collect()
}

#[test]
fn bins_hold_every_test_row_and_survive_threads_shards_and_merges() {
    let place = some();
    let run = |output: &str, more: &[&str]| {
        let mut arguments = vec!["run", "demo", "--quiet", "--no-report", "--output", output];
        arguments.extend(more);
        place.call(&arguments).ends_with(0);
        place.bytes(&format!("{output}/reliability.parquet"))
    };
    let whole = run("whole", &["--jobs", "1"]);
    assert!(run("threads", &["--jobs", "4"]) == whole);
    for shard in ["1/2", "2/2"] {
        run(&shard.replace('/', "-"), &["--shard", shard]);
    }
    place.call(&["merge", "demo", "1-2", "2-2"]).ends_with(0);
    assert!(place.bytes("demo/reliability.parquet") == whole);
    // What a merge has written can be merged on.
    place.write("copy/sweep.toml", &place.read("demo/sweep.toml"));
    place.write("copy/mixed.csv", &place.read("demo/mixed.csv"));
    place.call(&["merge", "copy", "demo"]).ends_with(0);
    assert!(place.bytes("copy/reliability.parquet") == whole);
    // A part first and the rest later.
    run("parts", &["--only", "correction=smote,correction=none"]);
    assert!(run("parts", &[]) == whole);

    let records = place.records("whole");
    let mut groups: BTreeMap<(String, String), Vec<Bin>> = BTreeMap::new();
    for bin in bins(&place, "whole") {
        let key = (bin.key.clone(), bin.stage.clone());
        groups.entry(key).or_default().push(bin);
    }
    assert!(groups.keys().any(|(_, stage)| stage == "prior-corrected"));
    let mut seen = 0;
    for ((key, stage), bins) in &groups {
        let part: Vec<&str> = key.split('/').collect();
        assert_ne!(
            part[2], "smartcore-random-forest",
            "votes are no probabilities"
        );
        let own: Vec<&Row> = records
            .of(&[
                ("dataset", part[0]),
                ("model", part[2]),
                ("correction", part[3]),
            ])
            .into_iter()
            .filter(|row| format!("{:?}", row.number("requested_ratio")) == part[1])
            .collect();
        let cells = usize::try_from(bins[0].cells).unwrap();
        assert_eq!(own.len(), cells, "{key}");
        let rows: f64 = own.iter().map(|row| row.real("n_test")).sum();
        let weight: f64 = bins.iter().map(|bin| bin.weight).sum();
        assert!((bins.iter().map(|bin| bin.rows as f64).sum::<f64>() - rows).abs() < 1e-9);
        assert!(
            (weight - rows).abs() < 1e-6 * rows,
            "{key}: {weight} {rows}"
        );
        // One split of three classes: the bins are all that its error is made of.
        if bins[0].n_classes > 2 {
            let suffix = if stage == "as-fitted" { "_raw" } else { "" };
            let gap = |bin: &Bin| bin.weight * (bin.predicted - bin.observed);
            let pooled: f64 = bins.iter().map(|bin| gap(bin).abs()).sum::<f64>() / weight;
            let column = format!("ece{suffix}");
            let mean = own.iter().map(|row| row.real(&column)).sum::<f64>() / own.len() as f64;
            // Pooling splits can only let gaps of opposite sign cancel.
            assert!(pooled <= mean + 1e-9, "{key} {stage}: {pooled} {mean}");
            seen += 1;
        }
    }
    assert!(seen > 5);
}

#[test]
fn one_split_of_several_classes_has_the_error_of_its_bins() {
    let sweep = SOME
        .replace("repeats = 2", "repeats = 1")
        .replace("\nfolds = 2\n", "\ntest = 0.4\n");
    let place = Place::with_sweep(&sweep);
    place.write("demo/mixed.csv", &mixed_csv(&[60, 30, 12], 1));
    let records = place.run_demo(0);
    let mut seen = 0;
    for stage in ["as-fitted", "prior-corrected"] {
        let suffix = if stage == "as-fitted" { "_raw" } else { "" };
        for row in records.of(&[("dataset", "mixed"), ("model", "softmax-regression")]) {
            let key = format!("mixed/None/softmax-regression/{}", row.text("correction"));
            let all = bins(&place, "demo");
            let own: Vec<&Bin> = all
                .iter()
                .filter(|bin| bin.key == key && bin.stage == stage)
                .collect();
            let weight: f64 = own.iter().map(|bin| bin.weight).sum();
            if own.is_empty() {
                continue;
            }
            let gaps = own
                .iter()
                .map(|b| b.weight * (b.predicted - b.observed).abs());
            let ece = gaps.sum::<f64>() / weight;
            // The file keeps 24 bits of each number.
            assert!(
                (ece - row.real(&format!("ece{suffix}"))).abs() < 1e-6,
                "{key}"
            );
            seen += 1;
        }
    }
    assert!(seen > 10);
}

#[test]
fn a_folder_without_bins_is_not_run_again_and_its_report_says_so() {
    let place = some();
    let before = place.run_demo(0);
    place.call(&["report", "demo"]).ends_with(0);
    let page = place.read("demo/index.html");
    assert!(!page.contains("reliability bins"));
    for file in place.beside("demo") {
        std::fs::remove_file(file).unwrap();
    }
    for file in place.segments("demo") {
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, of_an_earlier_build(&text)).unwrap();
    }
    // With its records a folder would keep what it holds of the same values.
    std::fs::remove_file(place.path("demo/records.parquet")).unwrap();
    let segments = place.segments("demo").len();
    assert_eq!(place.run_demo(0), before);
    assert_eq!(place.segments("demo").len(), segments, "nothing ran");
    place.call(&["report", "demo"]).ends_with(0);
    let page = place.read("demo/index.html");
    assert!(page.contains("No cell has reliability bins") && page.contains("run --fresh"));
    assert!(bins(&place, "demo").is_empty());
    // Nor does the report need the file, and what can be said without bins is said.
    std::fs::remove_file(place.path("demo/reliability.parquet")).unwrap();
    place.call(&["report", "demo"]).ends_with(0);
    assert!(place.has("demo/plots/calibration_softmax-regression.svg"));
    assert!(place.read("demo/tables/calibration.csv").lines().count() > 5);
    place
        .call(&["run", "demo", "--fresh", "--quiet"])
        .ends_with(0);
    assert!(!bins(&place, "demo").is_empty());
}
