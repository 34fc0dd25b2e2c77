//! Data of one's own: formats, duplicates, caps, small classes, slow cells, odd rows.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use counterweight_frame::{read_table, write_table};

use crate::common::{Noise, OUTCOMES, Place, Row, mixed_csv, numeric_csv};

/// The same rows give the same results from csv, tsv and parquet, and whatever the labels' file order.
#[test]
fn files_of_ones_own_come_in_several_formats() {
    let sweep = |file: &str| {
        format!(
            "format = 1\n[protocol]\nfolds = 3\n[[dataset]]\nid = \"own\"\npath = \"{file}\"\ntarget = \"y\"\n\
             [[model]]\nkind = \"softmax-regression\"\n[[correction]]\nid = \"none\"\n\
             [[correction]]\nresample = {{ kind = \"smote\" }}\n"
        )
    };
    let place = Place::with_sweep(&sweep("own.csv"));
    let csv = mixed_csv(&[40, 25, 12], 9);
    place.write("demo/own.csv", &csv);
    let records = place.run_demo(0);
    assert_eq!(records.distinct("outcome"), ["ok"]);
    assert_eq!(records.distinct("dataset"), ["own"]);
    place.write(
        "demo/own.tsv",
        &csv.replace("\"dark, green\"", "dark; green")
            .replace(',', "\t")
            .replace("dark; green", "dark, green"),
    );
    place.write("demo/sweep.toml", &sweep("own.tsv"));
    assert_eq!(place.run_demo(0), records);
    let table = read_table(&place.path("demo/own.csv")).unwrap();
    write_table(&table, &place.path("demo/own.parquet")).unwrap();
    place.write("demo/sweep.toml", &sweep("own.parquet"));
    assert_eq!(place.run_demo(0), records);
    // The library's sets are found by name from anywhere.
    place.write(
        "far/away/sweep.toml",
        "format = 1\n[protocol]\ntest = 0.3\n[[dataset]]\nname = \"new_thyroid\"\n[[model]]\nkind = \"gaussian-naive-bayes\"\n[[correction]]\nid = \"none\"\n",
    );
    place
        .call(&["run", "far/away", "--quiet", "--no-report"])
        .ends_with(0);
    let row = &place.records("far/away").rows[0];
    assert_eq!(
        (row.text("dataset"), row.text("outcome")),
        ("new_thyroid", "ok")
    );
    let inspected = place
        .call(&[
            "data",
            "inspect",
            "demo/own.csv",
            "--target",
            "y",
            "--format",
            "json",
        ])
        .ends_with(0)
        .json();
    assert_eq!(inspected["rows"], 77);
    assert_eq!(
        (&inspected["numeric"], &inspected["nominal"]),
        (&2.into(), &1.into())
    );
}

/// Every row stands twice under labels that are noise: a nearest neighbour that meets its twin knows the
/// label, and one that cannot meet it has to guess.
#[test]
fn grouped_duplicates_never_straddle_a_split() {
    let mut noise = Noise(7);
    let rows: String = (0..150)
        .map(|_| {
            let label = if noise.unit() < 0.5 { "a" } else { "b" };
            let row = format!("{:.5},{:.5},{label}\n", noise.bell(), noise.bell());
            format!("{row}{row}")
        })
        .collect();
    let error = |policy: &str| {
        let place = Place::with_sweep(&format!(
            "format = 1\n[protocol]\nfolds = 5\n{policy}\n[[dataset]]\npath = \"twins.csv\"\ntarget = \"y\"\n\
             [[model]]\nkind = \"k-nearest-neighbours\"\nk = 1\n[[correction]]\nid = \"none\"\n"
        ));
        place.write("demo/twins.csv", &format!("u,v,y\n{rows}"));
        let records = place.run_demo(0);
        let sum: f64 = records
            .rows
            .iter()
            .map(|row| row.real("balanced_error"))
            .sum();
        sum / records.rows.len() as f64
    };
    // Four of five twins are in the training rows: errors come from the fifth only.
    let keep = error("duplicates = \"keep\"");
    assert!(keep < 0.2, "{keep}");
    assert!((keep - error("")).abs() < 1e-12, "keep is the default");
    // 300 coin tosses in pairs: .5 +- 4 * .5 / sqrt(150).
    let group = error("duplicates = \"group\"");
    assert!((group - 0.5).abs() < 0.17, "{group}");
}

#[test]
fn a_cap_on_rows_draws_a_stratified_subset() {
    let sweep = |protocol: &str, dataset: &str| {
        format!(
            "format = 1\n[protocol]\ntest = 0.25\n{protocol}\n[[dataset]]\npath = \"own.csv\"\ntarget = \"y\"\n{dataset}\n\
             [[model]]\nkind = \"gaussian-naive-bayes\"\n[[correction]]\nid = \"none\"\n"
        )
    };
    let place = Place::with_sweep(&sweep("", "max_rows = 80"));
    place.write("demo/own.csv", &numeric_csv(&[300, 100], 3));
    let capped = place.run_demo(0);
    let row = &capped.rows[0];
    assert_eq!((row.text("n_train"), row.text("n_test")), ("60", "20"));
    assert_eq!(
        (row.text("train_counts"), row.text("test_counts")),
        ("45;15", "15;5")
    );
    place.write("demo/sweep.toml", &sweep("max_rows = 80", ""));
    assert_eq!(place.run_demo(0), capped, "the protocol's cap");
    place.write("demo/sweep.toml", &sweep("max_rows = 20", "max_rows = 80"));
    assert_eq!(
        place.run_demo(0),
        capped,
        "a dataset's own cap goes before the protocol's"
    );
    place.write("demo/sweep.toml", &sweep("", ""));
    assert_eq!(place.run_demo(0).rows[0].text("n_train"), "300");
}

/// Fewer minority rows than a sampler wants neighbours: a policy, visible in the outcome.
#[test]
fn the_policy_for_small_classes_shows_in_the_outcome() {
    let run = |policy: &str, code: i32| {
        let place = Place::with_sweep(&format!(
            "format = 1\n[protocol]\ntest = 0.3\n{policy}\n[[dataset]]\npath = \"own.csv\"\ntarget = \"y\"\n\
             [[model]]\nkind = \"softmax-regression\"\n[[correction]]\nid = \"none\"\n\
             [[correction]]\nresample = {{ kind = \"smote\", k = 8 }}\n"
        ));
        place.write("demo/own.csv", &numeric_csv(&[60, 10], 8));
        let records = place.run_demo(code);
        assert_eq!(records.one(&[("correction", "none")]).text("outcome"), "ok");
        records.one(&[("correction", "smote")]).clone()
    };
    let clamped = run("", 0);
    assert_eq!(clamped.text("outcome"), "clamped");
    assert!(
        clamped.text("reason").contains("k = 8 reduced to 6"),
        "{}",
        clamped.text("reason")
    );
    assert_eq!(
        run("small_class = \"clamp\"", 0).text("recalls"),
        clamped.text("recalls")
    );
    let skipped = run("small_class = \"skip\"", 0);
    assert_eq!(skipped.text("outcome"), "skipped");
    assert_eq!(skipped.number("balanced_error"), None);
    let failed = run("small_class = \"error\"", 1);
    assert_eq!(failed.text("outcome"), "failed");
    assert!(
        failed.text("reason").starts_with("resample: "),
        "{}",
        failed.text("reason")
    );
}

#[test]
fn a_cell_over_its_time_is_a_timeout_and_a_finding() {
    let sweep = |timeout: &str| {
        format!(
            "format = 1\n[protocol]\ntimeout = \"{timeout}\"\n[[population]]\nkind = \"gaussian-pair\"\nn_train = 1500\nn_test = 500\n\
             [[model]]\nkind = \"smartcore-random-forest\"\ntrees = 20\n[[correction]]\nid = \"none\"\n[[correction]]\ndecide = {{ kind = \"threshold\" }}\n"
        )
    };
    let place = Place::with_sweep(&sweep("1ms"));
    let records = place.run_demo(1);
    let row = records.one(&[("correction", "none")]);
    assert_eq!(row.text("outcome"), "timeout");
    assert!(!row.text("reason").is_empty());
    // What cannot be done at all is not late.
    assert_eq!(
        records.one(&[("correction", "threshold")]).text("outcome"),
        "not-applicable"
    );
    let status = place
        .call(&["status", "demo", "--format", "json"])
        .ends_with(1)
        .json();
    assert_eq!(
        (&status["failed"], &status["missing"]),
        (&1.into(), &0.into())
    );
    // Failures stay until they are asked for again, and then give way.
    place.write("demo/sweep.toml", &sweep("10m"));
    assert_eq!(place.run_demo(1), records);
    place
        .call(&["run", "demo", "--quiet", "--no-report", "--retry-failed"])
        .ends_with(0);
    assert_eq!(
        place
            .records("demo")
            .one(&[("correction", "none")])
            .text("outcome"),
        "ok"
    );
    place.call(&["status", "demo"]).ends_with(0);
}

/// Too few rows, one class left, constant columns: values, notes or reasons, never a crash.
#[test]
fn odd_data_end_in_records() {
    let odd = [
        (
            "constant",
            "u,v,y\n".to_owned() + &"1,2,a\n".repeat(12) + &"1,2,b\n".repeat(6),
        ),
        (
            "duplicates",
            "u,v,y\n".to_owned() + &"1,2,a\n".repeat(12) + &"3,2,b\n".repeat(6),
        ),
        (
            "huge",
            "u,v,y\n".to_owned() + &"1e300,2,a\n-1e300,1e-300,b\n3,1,a\n".repeat(6),
        ),
        (
            "lonely",
            "u,v,y\n".to_owned() + &"1,2,a\n2,1,a\n4,4,a\n".repeat(5) + "3,3,b\n5,5,b\n",
        ),
        ("gone", "u,v,y\n".to_owned() + &",,a\n1,,b\n".repeat(10)),
        ("wide", wide()),
    ];
    let datasets: String = odd
        .iter()
        .map(|(name, _)| format!("[[dataset]]\npath = \"{name}.csv\"\ntarget = \"y\"\n"))
        .collect();
    let kinds: Vec<String> = {
        let place = Place::new();
        let list = place
            .call(&["list", "models", "--format", "json"])
            .ends_with(0)
            .json();
        list.as_array()
            .unwrap()
            .iter()
            // Not what has to be told which program to run.
            .filter(|item| item["library"] != "command")
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let models: String = kinds
        .iter()
        .map(|kind| format!("[[model]]\nkind = \"{kind}\"\n"))
        .collect();
    let place = Place::with_sweep(&format!(
        "format = 1\n[protocol]\nfolds = 2\ninner_folds = 2\n{datasets}{models}[[correction]]\npreset = \"families\"\n"
    ));
    for (name, text) in &odd {
        place.write(&format!("demo/{name}.csv"), text);
    }
    let ran = place.call(&["run", "demo", "--quiet"]);
    assert!(ran.code == 0 || ran.code == 1, "{ran:?}");
    let records = place.records("demo");
    let mut expected: Vec<&str> = odd.iter().map(|(name, _)| *name).collect();
    expected.sort_unstable();
    assert_eq!(records.distinct("dataset"), expected);
    let mut failed = BTreeSet::new();
    for row in &records.rows {
        assert!(OUTCOMES.contains(&row.text("outcome")));
        assert!(!row.text("reason").contains("panicked"), "{row:?}");
        if row.text("outcome") == "failed" {
            failed.insert((row.text("dataset"), row.text("model"), row.text("reason")));
        }
        for column in &records.header {
            assert!(
                !["NaN", "inf", "-inf"].contains(&row.text(column)),
                "{column}: {row:?}"
            );
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// More columns than rows.
fn wide() -> String {
    let mut noise = Noise(11);
    let header: Vec<String> = (0..40).map(|j| format!("x{j}")).collect();
    let rows: String = (0..16)
        .map(|i| {
            let cells: Vec<String> = (0..40).map(|_| format!("{:.3}", noise.bell())).collect();
            format!(
                "{},{}\n",
                cells.join(","),
                if i % 3 == 0 { "b" } else { "a" }
            )
        })
        .collect();
    format!("{},y\n{rows}", header.join(","))
}

/// A ring around a centre: no line tells them apart, an ellipse does. The features are a property of the
/// model, so every correction takes them along.
#[test]
fn polynomial_features_tell_a_ring_from_its_centre() {
    let mut noise = Noise(23);
    let mut csv = String::from("a,b,y\n");
    for i in 0..240 {
        let angle = std::f64::consts::TAU * noise.unit();
        let (radius, label) = if i % 4 == 0 {
            (0.6, "centre")
        } else {
            (3.0, "ring")
        };
        let radius: f64 = radius + 0.3 * noise.bell();
        let (x, y) = (5.0 + radius * angle.cos(), radius * angle.sin());
        writeln!(csv, "{x:.4},{y:.4},{label}").unwrap();
    }
    let sweep = "format = 1\n[protocol]\nfolds = 3\ninner_folds = 3\n\
         [[dataset]]\nid = \"rings\"\npath = \"rings.csv\"\ntarget = \"y\"\n\
         [[model]]\nkind = \"softmax-regression\"\n\
         [[model]]\nid = \"curved\"\nkind = \"softmax-regression\"\nl2 = [0.1, 1.0]\nfeatures = { polynomial = [1, 2] }\n\
         [[correction]]\nid = \"none\"\n\
         [[correction]]\nid = \"all\"\nresample = { kind = \"smote\" }\ndecide = { kind = \"tuned-threshold\" }\n";
    let place = Place::with_sweep(sweep);
    place.write("demo/rings.csv", &csv);
    let records = place.run_demo(0);
    assert_eq!(
        records.distinct("model"),
        [
            "curved[features.polynomial=1,l2=0.1]",
            "curved[features.polynomial=1,l2=1]",
            "curved[features.polynomial=2,l2=0.1]",
            "curved[features.polynomial=2,l2=1]",
            "softmax-regression",
        ]
    );
    let error = |model: &str, correction: &str| {
        let rows = records.of(&[("model", model), ("correction", correction)]);
        rows.iter()
            .map(|row| row.real("balanced_error"))
            .sum::<f64>()
            / rows.len() as f64
    };
    for correction in ["none", "all"] {
        assert!(error("softmax-regression", correction) > 0.3);
        assert!(error("curved[features.polynomial=2,l2=0.1]", correction) < 0.05);
    }
    let row = records.of(&[("model", "curved[features.polynomial=2,l2=0.1]")])[0];
    assert!(row.text("model_params").contains("features.polynomial=2;"));
    assert_eq!(row.text("n_features"), "2");
    let explained = place
        .call(&["explain", "demo", row.text("cell")])
        .ends_with(0);
    assert!(
        explained
            .out
            .contains("softmax-regression[features.polynomial=2,")
    );
    // Without `features`, a cell is what it was.
    let plain = sweep
        .replace("[[model]]\nid = \"curved\"\nkind = \"softmax-regression\"\nl2 = [0.1, 1.0]\nfeatures = { polynomial = [1, 2] }\n", "");
    place.write("demo/sweep.toml", &plain);
    let alone = place.run_demo(0);
    let unmade = records.of(&[("model", "softmax-regression")]).into_iter();
    assert_eq!(
        alone
            .rows
            .iter()
            .map(Row::without_parameters)
            .collect::<Vec<_>>(),
        unmade.map(Row::without_parameters).collect::<Vec<_>>()
    );
    // What is too much is not applicable, and says why.
    let wide = plain.replace(
        "kind = \"softmax-regression\"\n",
        "kind = \"softmax-regression\"\nfeatures = { polynomial = 5 }\n",
    );
    place.write("demo/sweep.toml", &wide);
    let header: Vec<String> = (0..40).map(|j| format!("x{j}")).collect();
    let mut csv = header.join(",") + ",y\n";
    for i in 0..60 {
        let row: Vec<String> = (0..40).map(|_| format!("{:.3}", noise.bell())).collect();
        writeln!(csv, "{},{}", row.join(","), i % 2).unwrap();
    }
    place.write("demo/rings.csv", &csv);
    let records = place.run_demo(0);
    assert_eq!(records.distinct("outcome"), ["not-applicable"]);
    assert!(
        records.rows[0]
            .text("reason")
            .contains("degree 5 makes 1221758 columns of 40")
    );
}

/// A stump on rows as they are parts twelve levels into two sets, and sends missing values where they
/// belong; on encoded and imputed rows it can do neither.
#[test]
fn trees_take_levels_and_missing_values_as_they_are() {
    let sweep = |target: &str| {
        format!(
            "format = 1\n[protocol]\nfolds = 3\ninner_folds = 3\n[[dataset]]\nid = \"own\"\n\
             path = \"own.csv\"\ntarget = \"{target}\"\nignore = [\"{}\"]\n\
             [[model]]\nid = \"raw\"\nkind = \"decision-tree\"\nmax_depth = 1\nnative = true\n\
             [[model]]\nid = \"forest\"\nkind = \"random-forest\"\ntrees = 20\nnative = true\n\
             [[model]]\nid = \"boosted\"\nkind = \"gradient-boosting\"\nnative = true\n\
             [[model]]\nid = \"encoded\"\nkind = \"decision-tree\"\nmax_depth = 1\n\
             [[correction]]\nid = \"none\"\n\
             [[correction]]\nid = \"over\"\nresample = {{ kind = \"random-over\" }}\n\
             [[correction]]\nid = \"tuned\"\ndecide = {{ kind = \"tuned-threshold\" }}\n",
            if target == "by_level" {
                "by_gap"
            } else {
                "by_level"
            }
        )
    };
    let mut noise = Noise(11);
    let rows: String = (0..480)
        .map(|i| {
            let level = i % 12;
            let value = noise.bell();
            let gap = i % 5 == 0;
            let shown = if gap {
                String::new()
            } else {
                format!("{value:.4}")
            };
            let by_gap = gap || value > 0.8;
            format!(
                "{shown},level{level},{},{}\n",
                level * 5 % 7 % 2,
                u8::from(by_gap)
            )
        })
        .collect();
    for target in ["by_level", "by_gap"] {
        let place = Place::with_sweep(&sweep(target));
        place.write("demo/own.csv", &format!("x,c,by_level,by_gap\n{rows}"));
        let records = place.run_demo(0);
        assert_eq!(records.distinct("outcome"), ["ok"], "{target}");
        for model in ["raw", "forest", "boosted"] {
            for correction in ["none", "over", "tuned"] {
                // A resampler needs complete rows: what is missing is imputed before it.
                let complete = correction == "over" && target == "by_gap";
                for row in records.of(&[("model", model), ("correction", correction)]) {
                    let most = if complete { 0.5 } else { 0.02 };
                    let error = row.real("balanced_error");
                    assert!(error <= most, "{target} {model} {correction}: {error}");
                }
            }
        }
        for row in records.of(&[("model", "encoded"), ("correction", "none")]) {
            assert!(row.real("balanced_error") > 0.1, "{target}");
        }
    }
}
