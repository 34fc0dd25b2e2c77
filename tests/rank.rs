//! `counterweight rank` over a table of results from anywhere, against scipy, statsmodels, autorank and
//! scikit-posthocs; and tables for papers through a TeX.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::common::Place;

const TABLE: &str = include_str!("goldens/rank/table.csv");
const EXPECTED: &str = include_str!("goldens/rank/expected.json");
const LONG: [&str; 6] = [
    "--unit", "dataset", "--method", "method", "--value", "error",
];

fn ranked(place: &Place, file: &str, columns: &[&str]) -> Value {
    let mut arguments = vec!["rank", file];
    arguments.extend(columns);
    arguments.extend(["--lower-is-better", "--format", "json"]);
    place.call(&arguments).ends_with(0).json()
}

#[track_caller]
fn near(found: &Value, expected: &Value, within: f64) {
    let (a, b) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
    assert!((a - b).abs() <= within, "{a} is not {b}");
}

#[test]
fn a_long_table_has_the_numbers_of_other_tools() {
    let place = Place::new();
    place.write("table.csv", TABLE);
    let found = ranked(&place, "table.csv", &LONG);
    let expected: Value = serde_json::from_str(EXPECTED).unwrap();
    for method in found["methods"].as_array().unwrap() {
        let name = method["method"].as_str().unwrap();
        near(&method["mean_rank"], &expected["mean_rank"][name], 1e-12);
    }
    near(
        &found["test"]["chi_squared"],
        &expected["friedman"]["chi_squared"],
        1e-9,
    );
    near(&found["test"]["p"], &expected["friedman"]["p"], 1e-12);
    near(&found["test"]["p"], &expected["autorank_friedman_p"], 1e-12);
    near(
        &found["test"]["iman_davenport"][0],
        &expected["iman_davenport"]["f"],
        1e-9,
    );
    near(
        &found["test"]["iman_davenport"][1],
        &expected["iman_davenport"]["p"],
        1e-12,
    );
    let pairs = found["pairs"].as_array().unwrap();
    assert_eq!(pairs.len(), 10);
    for golden in expected["pairs"].as_array().unwrap() {
        let names = |pair: &Value| [pair["first"].clone(), pair["second"].clone()];
        let (a, b) = (golden["pair"][0].clone(), golden["pair"][1].clone());
        let own = pairs.iter().find(|pair| {
            names(pair) == [a.clone(), b.clone()] || names(pair) == [b.clone(), a.clone()]
        });
        let own = own.unwrap();
        near(&own["p_raw"], &golden["raw"], 1e-12);
        near(&own["p_holm"], &golden["holm"], 1e-12);
        near(&own["p_holm"], &golden["posthoc"], 1e-12);
    }
    let interval = |a: &str, b: &str| {
        let own = pairs
            .iter()
            .find(|pair| pair["first"] == a && pair["second"] == b);
        own.unwrap()["interval"].clone()
    };
    let own = interval("boost", "none");
    near(&own[0], &expected["none_less_boost"][0], 1e-9);
    near(&own[1], &expected["none_less_boost"][1], 1e-9);
    let elo = |name: &str| {
        let mut methods = found["methods"].as_array().unwrap().iter();
        methods.find(|m| m["method"] == name).unwrap()["elo"]
            .as_f64()
            .unwrap()
    };
    assert!((elo("none") - 1000.0).abs() < 1e-9 && elo("boost") > 1000.0);
    // No bar joins what a pair calls different.
    for group in found["groups"].as_array().unwrap() {
        let group = group.as_array().unwrap();
        for pair in pairs {
            let different =
                pair["verdict"] != "not shown" && pair["verdict"] != "practically equal";
            assert!(
                !(different && group.contains(&pair["first"]) && group.contains(&pair["second"]))
            );
        }
    }
}

#[test]
fn wide_long_and_shuffled_tables_say_the_same() {
    let place = Place::new();
    place.write("long.csv", TABLE);
    let mut lines: Vec<&str> = TABLE.lines().skip(1).collect();
    lines.reverse();
    place.write(
        "turned.csv",
        &format!("dataset,method,error\n{}\n", lines.join("\n")),
    );
    let mut wide = String::from("set,boost,forest,knn,none,svm\n");
    for unit in 0..16 {
        let name = format!("set-{unit:02}");
        let of = |method: &str| {
            let start = format!("{name},{method},");
            TABLE
                .lines()
                .find_map(|line| line.strip_prefix(&start))
                .unwrap()
        };
        let cells = ["boost", "forest", "knn", "none", "svm"].map(of).join(",");
        wide.extend([name.as_str(), ",", &cells, "\n"]);
    }
    place.write("wide.csv", &wide);
    let long = ranked(&place, "long.csv", &LONG);
    assert_eq!(long, ranked(&place, "turned.csv", &LONG));
    assert_eq!(long, ranked(&place, "wide.csv", &["--unit", "set"]));
    // The same without half of a method: incomplete blocks have the other test.
    let gappy: Vec<&str> = TABLE
        .lines()
        .filter(|line| !line.starts_with("set-0") || !line.contains("svm"))
        .collect();
    place.write("gappy.csv", &format!("{}\n", gappy.join("\n")));
    let gappy = ranked(&place, "gappy.csv", &LONG);
    assert_eq!(gappy["test"]["test"], "skillings-mack");
    assert_eq!(
        (&gappy["n_complete"], &gappy["n_clusters"]),
        (&6.into(), &16.into())
    );
}

#[test]
fn related_units_count_once_and_files_are_written() {
    let place = Place::new();
    let mut clustered = String::from("dataset,method,error,group\n");
    for line in TABLE.lines().skip(1) {
        let unit: usize = line[4..6].parse().unwrap();
        clustered.extend([line, ",g", &(unit / 2).to_string(), "\n"]);
    }
    place.write("table.csv", &clustered);
    let mut columns = LONG.to_vec();
    columns.extend(["--cluster", "group", "--output", "out"]);
    let found = ranked(&place, "table.csv", &columns);
    assert_eq!(
        (&found["n_units"], &found["n_clusters"]),
        (&16.into(), &8.into())
    );
    for file in [
        "ranks.md",
        "ranks.tex",
        "pairs.tex",
        "critical_difference.svg",
        "comparison_matrix.png",
        "ranking.json",
    ] {
        assert!(place.has(&format!("out/{file}")), "{file}");
    }
    let json: Value = serde_json::from_str(&place.read("out/ranking.json")).unwrap();
    assert_eq!(json, found);
    compiles(&place, "out", &["ranks.tex", "pairs.tex"]);
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let place = Place::new();
    let cases = [
        (
            "dataset,method,error\na,x,0.1\na,x,0.2\n",
            "table.csv:3: `x` on `a` stands on line 2 too",
        ),
        (
            "dataset,method,error\na,x,0.1\na,y,bad\n",
            "table.csv:3: `bad` in column `error` is no number",
        ),
        (
            "dataset,method,error\na,x,0.1\n,y,0.2\n",
            "table.csv:3: nothing in column `dataset`",
        ),
        (
            "dataset,methods,error\na,x,0.1\na,y,0.2\n",
            "did you mean `methods`?",
        ),
        (
            "dataset,method,error\na,x,0.1\nb,x,0.2\n",
            "give two methods at least",
        ),
    ];
    for (text, said) in cases {
        place.write("table.csv", text);
        let mut arguments = vec!["rank", "table.csv"];
        arguments.extend(LONG);
        let ran = place.call(&arguments).ends_with(2);
        assert!(ran.err.contains(said), "{said}\n{}", ran.err);
        assert!(ran.out.is_empty(), "{}", ran.out);
    }
    let ran = place
        .call(&["rank", "none.csv", "--unit", "dataset"])
        .ends_with(2);
    assert!(ran.err.contains("none.csv"), "{}", ran.err);
}

/// pdflatex, where one is installed; CI has none.
#[expect(
    clippy::print_stdout,
    reason = "a test that is skipped says so where the test runner shows it"
)]
fn tex() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join("pdflatex"))
        .find(|file| file.is_file());
    if found.is_none() {
        println!("skipped: pdflatex is not installed");
    }
    found
}

/// Puts tables into a page of `article`, where a TeX is installed; nothing may stick out of the text.
fn compiles(place: &Place, folder: &str, files: &[&str]) {
    let Some(tex) = tex() else {
        return;
    };
    let inputs: String = files
        .iter()
        .map(|file| format!("\\input{{{file}}}\n\\clearpage\n"))
        .collect();
    let page = format!(
        "\\documentclass{{article}}\n\\usepackage{{booktabs,longtable}}\n\\begin{{document}}\n{inputs}\\end{{document}}\n"
    );
    place.write(&format!("{folder}/paper.tex"), &page);
    // Widths of a longtable settle in the third pass.
    let mut log = String::new();
    for _ in 0..3 {
        let output = Command::new(&tex)
            .args(["-interaction=nonstopmode", "-halt-on-error", "paper.tex"])
            .current_dir(place.path(folder))
            .output()
            .unwrap();
        log = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{log}");
    }
    assert!(!log.contains("Overfull"), "{log}");
}

const SWEEP: &str = r#"format = 1
name = "demo"
seed = 7
[[population]]
kind = "gaussian-pair"
n_train = 200
n_test = 200
imbalance_ratio = [5, 20]
[[model]]
kind = "gaussian-naive-bayes"
[[correction]]
preset = "families"
"#;

#[test]
fn tables_of_a_report_fit_a_page() {
    if tex().is_none() {
        return;
    }
    let place = Place::with_sweep(SWEEP);
    place.call(&["run", "demo", "--quiet"]).ends_with(0);
    let mut files: Vec<String> = std::fs::read_dir(place.path("demo/tables"))
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter(|name| name.rsplit_once('.').is_some_and(|(_, end)| end == "tex"))
        .collect();
    files.sort();
    assert!(files.len() > 4, "{files:?}");
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    compiles(&place, "demo/tables", &files);
}
