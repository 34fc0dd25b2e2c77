//! The files of a report folder: what they hold, that one agrees with another, and when they are written.

use std::collections::{BTreeMap, BTreeSet};

use counterweight_core::Cells;
use counterweight_frame::read_table;

use super::{json, place};
use crate::common::{Place, Records};

/// The columns of the contract, in its order.
const COLUMNS: &str = "cell dataset source n_train n_test n_features n_classes profile \
    requested_ratio imbalance_ratio minority_count repeat fold model model_params correction family \
    resample loss decide outcome reason balanced_error error_rate worst_recall g_mean macro_f1 mcc \
    kappa auroc average_precision brier log_loss ece calibration_intercept calibration_slope \
    many_recall medium_recall few_recall bayes_balanced_error regret recalls";

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
                Cells::Flag(values) => {
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
