//! `counterweight advise`: tables whose truth is known, canaries, repetition and errors.

use std::fmt::Write as _;

use crate::common::{Noise, Place, Ran};

/// Rows of two normal classes whose means are `apart`, the first `rare` of them `yes`, shuffled.
fn pair(n: usize, rare: usize, apart: f64, seed: u64) -> String {
    let mut noise = Noise(seed);
    let mut rows: Vec<(f64, String)> = (0..n)
        .map(|row| {
            let (label, shift) = if row < rare {
                ("yes", apart)
            } else {
                ("no", 0.0)
            };
            let text = format!("{:.4},{:.4},{label}", noise.bell() + shift, noise.bell());
            (noise.unit(), text)
        })
        .collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    rows.iter()
        .fold("a,b,label\n".to_owned(), |mut text, (_, row)| {
            let _ = writeln!(text, "{row}");
            text
        })
}

fn advise(place: &Place, more: &[&str]) -> Ran {
    let mut words = vec!["advise", "t.csv", "--target", "label"];
    words.extend(more);
    place.call(&words)
}

/// On how many of so many tables without signal a correction is said to help.
fn false_alarms(draws: u64, budget: &[&str]) -> u64 {
    (0..draws)
        .filter(|seed| {
            let place = Place::new();
            place.write("t.csv", &pair(240, 40, 0.0, 100 + seed));
            let mut words = vec!["--format", "json"];
            words.extend(budget);
            let report = advise(&place, &words).ends_with(0).json();
            let shown = report["shown"].as_bool().expect("a verdict");
            let first = report["sentences"][0].as_str().expect("a sentence");
            assert_eq!(shown, !first.starts_with("No correction is shown to help"));
            assert_eq!(
                shown,
                report["advised"] == report["best"] && report["best"] != report["nothing"]
            );
            shown
        })
        .count() as u64
}

#[test]
fn tables_without_signal_are_told_apart() {
    let found = false_alarms(20, &["--cells", "40"]);
    assert!(
        found <= 1,
        "{found} of 20 tables without signal have a correction that helps"
    );
}

/// Takes seven minutes.
#[test]
#[ignore = "long: bash .ci/long advise"]
fn tables_without_signal_are_told_apart_with_plans_of_20_seconds() {
    let found = false_alarms(20, &["--minutes", "0.334"]);
    assert!(
        found <= 1,
        "{found} of 20 tables without signal have a correction that helps"
    );
}

#[test]
fn the_advised_arm_is_within_half_a_point_of_the_best_on_two_normal_classes() {
    let place = Place::new();
    place.write("t.csv", &pair(5100, 100, 2.0, 1));
    place.write("test.csv", &pair(40_000, 20_000, 2.0, 2));
    let ran = advise(
        &place,
        &["--cells", "60", "--output", "out", "--format", "json"],
    )
    .ends_with(0);
    let report = ran.json();
    assert_eq!(report["shown"], true, "{}", ran.out);
    let gain = report["gain"]["interval"].as_array().expect("ends");
    assert!(gain[0].as_f64() > Some(0.0), "{}", ran.out);
    // The same arms, learnt from the whole table and judged on 40,000 new rows.
    let sweep = place.read("out/sweep.toml");
    let path = place.path("t.csv").canonicalize().expect("a path");
    let (before, after) = sweep
        .split_once(&format!("path = \"{}\"\n", path.display()))
        .expect("the table's path");
    let protocol = before.find("[protocol]").expect("a protocol");
    let judged = format!(
        "{}[protocol]\ninner_folds = 3\n\n[[dataset]]\ntrain = \"../t.csv\"\ntest = \"../test.csv\"\n{after}",
        &before[..protocol]
    );
    place.write("demo/sweep.toml", &judged);
    let records = place.run_demo(0);
    let error = |row: &crate::common::Row| row.real("balanced_error");
    let best = records.rows.iter().map(error).fold(1.0, f64::min);
    let [model, correction] = [0, 1].map(|at| report["advised"][at].as_str().expect("a name"));
    let own = error(records.one(&[("model", model), ("correction", correction)]));
    // The least error is 1 - Phi(1); the test rows' standard error is .002.
    assert!((best - 0.1587).abs() < 0.01, "{best}");
    assert!(
        own - best <= 0.005,
        "{model} with {correction}: {own}, the best {best}"
    );
}

#[test]
fn the_same_plan_gives_the_same_advice_for_any_threads_and_runs_again_as_a_sweep() {
    let place = Place::new();
    place.write("t.csv", &pair(400, 40, 1.5, 3));
    let words = |jobs: &'static str, out: &'static str| {
        [
            "--cells", "30", "--jobs", jobs, "--output", out, "--format", "json",
        ]
    };
    let one = advise(&place, &words("1", "first")).ends_with(0);
    let two = advise(&place, &words("2", "other")).ends_with(0);
    assert_eq!(one.out.replace("first", "other"), two.out);
    let again = advise(&place, &words("2", "first")).ends_with(0);
    assert_eq!(one.out, again.out);
    assert_eq!(one.out, place.read("first/advice.json"));
    assert!(
        place
            .read("first/advice.html")
            .contains("What to use on this table")
    );
    let bytes = |out| place.bytes(&format!("{out}/records.parquet"));
    assert_eq!(
        place.bytes("first/sweep.toml"),
        place.bytes("other/sweep.toml")
    );
    let ran = place.call(&["run", "first"]).ends_with(0);
    assert!(
        ran.err.contains("every selected cell is done"),
        "{}",
        ran.err
    );
    assert_eq!(bytes("first"), bytes("other"));
    let plain = advise(&place, &["--cells", "30"]).ends_with(0);
    assert!(
        plain
            .out
            .contains("Settled beforehand: 3 arms in 5 folds and 2 repeats"),
        "{}",
        plain.out
    );
}

#[test]
fn costs_are_what_arms_are_compared_by() {
    let place = Place::new();
    place.write("t.csv", &pair(600, 60, 1.5, 4));
    let flags = [
        "--cells", "30", "--cost", "yes=20", "--output", "out", "--format", "json",
    ];
    let report = advise(&place, &flags).ends_with(0).json();
    assert_eq!(report["compared_by"], "expected cost of a row");
    let sweep = place.read("out/sweep.toml");
    assert!(sweep.contains("id = \"least-cost\"\n") && !sweep.contains("prior-threshold\"\n"));
    assert!(
        sweep.contains("costs = [[0.0, 1.0], [20.0, 0.0]]"),
        "{sweep}"
    );
    // Plain training misses most `yes`, a tenth of the rows, at 20 each.
    let arms = report["arms"].as_array().expect("arms");
    let plain = arms
        .iter()
        .find(|arm| arm["correction"] == "none")
        .expect("plain training");
    assert!(plain["loss"].as_f64() > Some(0.5), "{plain}");
    assert_ne!(report["best"][1], "none");
}

/// What is learnt hangs on no test label: of labels that are drawn anew after the table, no arm knows anything, and a
/// row that stands apart moves no other row's decision but through training.
#[test]
fn nothing_leaks() {
    let place = Place::new();
    // A column that numbers the rows, copies of rows, and labels without meaning.
    let mut noise = Noise(9);
    let mut text = "id,a,label\n".to_owned();
    for row in 0..600 {
        let label = if row % 6 == 0 { "yes" } else { "no" };
        let _ = writeln!(text, "{row},{:.4},{label}", noise.unit());
    }
    place.write("t.csv", &text);
    let report = advise(
        &place,
        &["--cells", "60", "--ignore", "id", "--format", "json"],
    )
    .ends_with(0)
    .json();
    assert_eq!(report["shown"], false);
    for arm in report["arms"].as_array().expect("arms") {
        let error = arm["loss"].as_f64().expect("a number");
        // 100 rows of the rare class: a standard error of .055 at most.
        assert!((error - 0.5).abs() < 4.0 * 0.055, "{arm}");
    }
    // With groups that share their label by chance, only rows that know their group could do better.
    let mut text = "g,a,label\n".to_owned();
    for group in 0..60 {
        let (label, place) = (if noise.unit() < 0.3 { "yes" } else { "no" }, noise.unit());
        for _ in 0..10 {
            let _ = writeln!(text, "{group},{:.4},{label}", place + 1e-3 * noise.unit());
        }
    }
    place.write("t.csv", &text);
    let report = advise(
        &place,
        &["--cells", "60", "--group", "g", "--format", "json"],
    )
    .ends_with(0)
    .json();
    assert_eq!(report["shown"], false, "{report}");
    assert!(report["arms"][0]["loss"].as_f64() > Some(0.3), "{report}");
}

#[test]
fn what_cannot_be_advised_on_is_said() {
    let place = Place::new();
    place.write("t.csv", &pair(100, 3, 1.0, 5));
    place.write("one.csv", "a,label\n1,x\n2,x\n3,x\n");
    let numbers = (0..80).fold("a,label\n".to_owned(), |mut text, row| {
        let _ = writeln!(text, "{row},{}.5", row * 7 % 61);
        text
    });
    place.write("numbers.csv", &numbers);
    place.write("good.csv", &pair(100, 20, 1.0, 6));
    for (words, says) in [
        (vec!["t.csv"], "class `yes` has 3 rows, too few"),
        (vec!["one.csv"], "has one class only"),
        (vec!["numbers.csv"], "has 61 classes in 80 rows"),
        (vec!["gone.csv"], "gone.csv"),
        (
            vec!["good.csv", "--cost", "maybe=3"],
            "--cost: there is no class `maybe`",
        ),
        (vec!["good.csv", "--cost", "yes=-1"], "--cost: a cost is -1"),
        (vec!["good.csv", "--cells", "7"], "--cells 7 are too few"),
        (vec!["good.csv", "--minutes", "0"], "--minutes is 0"),
        (
            vec!["good.csv", "--minutes", "1e-9"],
            "too little for this table",
        ),
        (
            vec!["good.csv", "--minutes", "1", "--cells", "30"],
            "cannot be used with",
        ),
    ] {
        let mut line = vec!["advise"];
        line.extend(words);
        line.extend(["--target", "label"]);
        let ran = place.call(&line).ends_with(2);
        assert!(ran.err.contains(says), "{line:?}\n{}", ran.err);
    }
    place.write("taken/sweep.toml", "format = 1\n");
    let ran = place.call(&[
        "advise", "good.csv", "--target", "label", "--output", "taken",
    ]);
    assert!(ran.ends_with(2).err.contains("is another sweep"));
}

/// What the program carries is what the committed records say.
#[test]
fn the_evidence_is_that_of_the_reference() {
    let reference = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reports/reference");
    let records = counterweight::read_records(std::path::Path::new(reference)).expect("records");
    let evidence = counterweight::Evidence::of(&records, |_| true);
    let carried = include_str!("../crates/counterweight/src/advise/evidence.csv");
    assert_eq!(evidence.csv(), carried, "run the example `advice` again");
    assert_eq!(counterweight::Evidence::carried().csv(), carried);
}
