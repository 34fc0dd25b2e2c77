//! `report --select` through the binary: folders, exit codes, and that the whole report stays as it is.

use crate::common::Place;

const SWEEP: &str = r#"format = 1
name = "demo"
seed = 7
[protocol]
repeats = 2
[[population]]
kind = "gaussian-pair"
n_train = 200
n_test = 200
imbalance_ratio = [5, 20]
[[model]]
kind = "gaussian-naive-bayes"
[[correction]]
id = "none"
[[correction]]
id = "adjust"
decide = { kind = "logit-adjust", tau = [0.5, 1.0] }
"#;

fn place() -> Place {
    let place = Place::with_sweep(SWEEP);
    place.call(&["run", "demo", "--quiet"]).ends_with(0);
    place
}

#[test]
fn a_selected_report_stands_beside_the_whole_one() {
    let place = place();
    let whole = place.bytes("demo/index.html");
    let ran = place
        .call(&["report", "demo", "--select", "metric=mcc,ratio=10..100"])
        .ends_with(0);
    let folder = "demo/selected/metric=mcc_ratio=10..100";
    assert!(ran.out.contains(folder), "{}", ran.out);
    assert_eq!(place.bytes("demo/index.html"), whole);
    let page = place.read(&format!("{folder}/index.html"));
    assert!(page.contains("MCC") && page.contains("--select"));
    for file in ["tables/summary.csv", "tables/outcomes.md", "ranking.json"] {
        assert!(place.has(&format!("{folder}/{file}")), "{file}");
    }
    let table = place.read(&format!("{folder}/tables/summary.csv"));
    assert!(table.lines().next().unwrap().contains("mean_mcc"));

    let grid = "correction=none,correction=adjust[tau=1]";
    place
        .call(&["report", "demo", "--select", grid, "--output", "part"])
        .ends_with(0);
    let table = place.read("part/tables/summary.csv");
    assert!(table.contains("adjust[tau=1]") && !table.contains("adjust[tau=0.5]"));
    let ran = place
        .call(&["report", "demo", "--select", grid, "--output", "demo"])
        .ends_with(2);
    assert!(ran.err.contains("would overwrite"), "{}", ran.err);
}

#[test]
fn wrong_words_and_empty_selections_have_their_exit_codes() {
    let place = place();
    for (select, word) in [
        ("metrik=mcc", "did you mean `metric`?"),
        ("metric=mmc", "did you mean `mcc`?"),
        (
            "model=gaussian-naive-baies",
            "did you mean `gaussian-naive-bayes`?",
        ),
        ("ratio=20..5", "LOW below HIGH"),
    ] {
        let ran = place
            .call(&["report", "demo", "--select", select])
            .ends_with(2);
        assert!(ran.err.contains(word), "{select}: {}", ran.err);
    }
    let ran = place
        .call(&["report", "demo", "--select", "ratio=50.."])
        .ends_with(4);
    assert!(ran.err.contains("none of the"), "{}", ran.err);
    assert!(!place.has("demo/selected"));
}
