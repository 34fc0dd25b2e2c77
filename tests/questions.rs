//! Sweeps that ask a question: `[question]` in the sweep file, exact errors of linear rules, and the committed answers
//! of `reports/` with their index.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::Place;

const QUESTION: &str = r#"
[question]
title = "Does the adjustment reach the least error?"
design = """
Two Gaussians,
twelve draws."""
theory = "Phi(-sqrt 2)."
answer = "Yes: {best}, in place of {plain}."
[[question.check]]
id = "best"
says = "it ends at the least error"
value = "exact_balanced_error"
arm = { correction = "adjust", ratio = 19 }
expect = "equal"
theory = 0.0786496
within = 0.01
[[question.check]]
id = "plain"
says = "plain training is worse"
value = "exact_balanced_error"
arm = { model = "softmax-regression", correction = "none", ratio = 19.0 }
against = { model = "softmax-regression", correction = "adjust", ratio = 19.0 }
expect = "above"
within = 0.03
"#;

const SWEEP: &str = r#"
[protocol]
repeats = 12
exact_errors = true
[[population]]
kind = "gaussian-pair"
n_train = 1000
n_test = 200
imbalance_ratio = 19
[[model]]
kind = "softmax-regression"
[[model]]
kind = "decision-tree"
max_depth = 2
[[correction]]
id = "none"
[[correction]]
id = "adjust"
decide = { kind = "logit-adjust" }
[[correction]]
id = "drop"
decide = { kind = "drop-bias" }
"#;

fn sweep(question: &str) -> String {
    format!("format = 1\nname = \"asked\"\nseed = 5\n{question}{SWEEP}")
}

fn ranking(place: &Place, folder: &str) -> Value {
    serde_json::from_str(&place.read(&format!("{folder}/ranking.json"))).unwrap()
}

/// What a sweep asks decides nothing: its hash and ids are those of the sweep without a question. The page opens with
/// question and answer, whose numbers are those of the details.
#[test]
fn a_question_is_answered_from_the_records_and_decides_nothing() {
    let place = Place::with_sweep(&sweep(QUESTION));
    place.write("bare/sweep.toml", &sweep(""));
    for folder in ["demo", "bare"] {
        place.call(&["run", folder, "--quiet"]).ends_with(0);
    }
    let hash = |folder: &str| {
        let run: Value = serde_json::from_str(&place.read(&format!("{folder}/run.json"))).unwrap();
        run["sweep_hash"].as_str().unwrap().to_owned()
    };
    assert_eq!(hash("demo"), hash("bare"));
    assert_eq!(
        place.read("demo/records.csv"),
        place.read("bare/records.csv")
    );

    let own = &ranking(&place, "demo")["question"];
    assert_eq!(own["verdict"], "holds", "{own}");
    let mean = |at: usize| own["checks"][at]["mean"].as_f64().unwrap();
    let answer = format!(
        "Yes: {:.3} %, in place of {:.3} points.",
        100.0 * mean(0),
        100.0 * mean(1)
    );
    assert_eq!(own["answer"], answer.as_str());
    assert_eq!(own["checks"][0]["draws"], 12);
    let page = place.read("demo/index.html");
    assert!(page.contains("<h1>Does the adjustment reach the least error?</h1>"));
    assert!(page.contains(&answer) && page.contains("All 2 statements below hold."));
    assert!(page.contains("Two Gaussians, twelve draws."));
    let bare = place.read("bare/index.html");
    assert!(!bare.contains("What the answer rests on"));
    assert!(ranking(&place, "bare").get("question").is_none());

    // A part of the records would answer another question.
    place
        .call(&[
            "report",
            "demo",
            "--select",
            "model=softmax-regression",
            "--output",
            "part",
        ])
        .ends_with(0);
    assert!(
        !place
            .read("part/index.html")
            .contains("What the answer rests on")
    );
}

/// Of a linear rule the exact error is what many test rows come to; a tree has none.
#[test]
fn exact_errors_are_those_of_many_test_rows_and_of_linear_rules_alone() {
    let many = sweep("")
        .replace("n_test = 200", "n_test = 40000")
        .replace("repeats = 12", "repeats = 2");
    let place = Place::with_sweep(&many);
    let records = place.run_demo(0);
    let explained = |cell: &str| place.call(&["explain", "demo", cell]).ends_with(0).out;
    for row in &records.rows {
        let told = explained(row.text("cell"));
        let exact = |name: &str| -> Option<f64> {
            let line = told
                .lines()
                .find(|line| line.contains(&format!("exact_{name} ")))?;
            line.split_whitespace().last()?.parse().ok()
        };
        let found = exact("balanced_error");
        let linear = row.text("model") == "softmax-regression";
        assert_eq!(found.is_some(), linear, "{told}");
        let Some(found) = found else { continue };
        // A balanced error on 20,000 rows a class has a standard deviation of at most .0025.
        assert!(
            (found - row.real("balanced_error")).abs() < 0.0125,
            "{told}"
        );
        assert!(exact("regret").unwrap() > -1e-12);
        let wrong = exact("error_rate").unwrap();
        assert!((wrong - row.real("error_rate")).abs() < 0.0125, "{told}");
        let recall = row.recalls()[1].unwrap();
        assert!((exact("recall").unwrap() - recall).abs() < 0.018, "{told}");
    }
}

#[test]
fn mistakes_in_a_question_are_named_with_line_and_remedy() {
    for (from, to, line, message, hint) in [
        (
            "expect = \"above\"",
            "expect = \"over\"",
            26,
            "`over` is not one of",
            "equal, above, below",
        ),
        (
            "correction = \"adjust\", ratio = 19 }",
            "correction = \"adjsut\" }",
            16,
            "no correction `adjsut`",
            "did you mean `adjust`?",
        ),
        (
            "{plain}",
            "{plian}",
            11,
            "`{plian}` is the id of no check",
            "did you mean `{plain}`?",
        ),
        ("title = ", "titel = ", 6, "titel", "did you mean `title`?"),
        (
            "id = \"plain\"",
            "id = \"best\"",
            20,
            "two checks are called `best`",
            "",
        ),
    ] {
        let text = sweep(QUESTION);
        assert!(text.contains(from), "{from}");
        let place = Place::with_sweep(&text.replacen(from, to, 1));
        let told = place.call(&["run", "demo", "--dry-run"]).ends_with(2).err;
        assert!(told.contains(message) && told.contains(hint), "{told}");
        assert!(
            told.contains(&format!("sweep.toml:{line}")) || line == 0,
            "{told}"
        );
    }
    let place = Place::with_sweep(&sweep("[question]\ntitle = \"Why?\"\n"));
    let told = place.call(&["run", "demo", "--dry-run"]).ends_with(2).err;
    for missing in [
        "`design = ",
        "`theory = ",
        "`answer = ",
        "[[question.check]]",
    ] {
        assert!(told.contains(missing), "{told}");
    }
}

fn reports() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reports")
}

/// The committed reports that ask a question: folder and what ranking.json says of it.
fn asked() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(reports()).unwrap() {
        let folder = entry.unwrap().path();
        let Ok(text) = std::fs::read_to_string(folder.join("ranking.json")) else {
            continue;
        };
        let ranking: Value = serde_json::from_str(&text).unwrap();
        if let Some(question) = ranking.get("question") {
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            found.push((name, question.clone()));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// Where theory gives a number, the sweep file has the one that quadrature and closed forms give, and what was
/// measured agrees with it; every committed answer rests on statements that hold.
#[test]
fn committed_answers_hold_and_their_theory_is_that_of_the_script() {
    let golden = include_str!("goldens/questions/theory.json");
    let golden: Value = serde_json::from_str(golden).unwrap();
    let mut seen = 0;
    for (name, question) in asked() {
        assert_eq!(question["verdict"], "holds", "{name}");
        for check in question["checks"].as_array().unwrap() {
            let id = check["id"].as_str().unwrap();
            assert_eq!(check["verdict"], "holds", "{name}: {id}");
            if let Some(theory) = golden[&name].get(id) {
                assert_eq!(check["theory"], *theory, "{name}: {id}");
                seen += 1;
            }
        }
    }
    let all: usize = golden
        .as_object()
        .unwrap()
        .values()
        .map(|checks| checks.as_object().unwrap().len())
        .sum();
    assert_eq!(seen, all, "numbers of theory.json that a report shows");
    // The closed forms once more.
    let tail = |x: f64| 0.5 * libm_erfc(x / std::f64::consts::SQRT_2);
    let least = tail(2.0_f64.sqrt());
    let close = |value: &Value, expected: f64| {
        let value = value.as_f64().unwrap();
        assert!(
            (value - expected).abs() < 1e-5 * expected,
            "{value} for {expected}"
        );
    };
    close(&golden["bias"]["raw"], least);
    let cut = 2.0_f64.sqrt() * (2.0 * 0.05 - 1.0);
    let centred = 0.5 * (tail(cut + 2.0_f64.sqrt()) + tail(2.0_f64.sqrt() - cut));
    close(&golden["bias"]["centred"], centred);
    let c = 19.0_f64.ln() / (2.0 * 2.0_f64.sqrt());
    let plain = 0.5 * (tail(2.0_f64.sqrt() - c) + tail(2.0_f64.sqrt() + c));
    close(&golden["menon-synthetic"]["plain"], plain);
}

/// The complementary error function by its continued fraction and series: enough digits for six.
fn libm_erfc(x: f64) -> f64 {
    if x < 0.0 {
        return 2.0 - libm_erfc(-x);
    }
    let steps = 20_000;
    let (end, width) = (x + 12.0, 12.0 / f64::from(steps));
    let f = |t: f64| (-t * t).exp();
    // Simpson.
    let inside: f64 = (1..steps)
        .map(|i| f(x + width * f64::from(i)) * if i % 2 == 1 { 4.0 } else { 2.0 })
        .sum();
    (f(x) + inside + f(end)) * width / 3.0 * 2.0 / std::f64::consts::PI.sqrt()
}

/// `reports/README.md`: a line a question, from the verdicts. `COUNTERWEIGHT_WRITE_DOCS=1` writes it.
#[test]
fn the_index_of_answers_is_that_of_the_reports() {
    let path = reports().join("README.md");
    let old = std::fs::read_to_string(&path).unwrap();
    let marks = ["<!-- answers -->\n", "<!-- end of answers -->\n"];
    let (head, rest) = old.split_once(marks[0]).expect("the first mark");
    let (_, tail) = rest.split_once(marks[1]).expect("the last mark");
    let mut table = String::from("| question | answer |\n|---|---|\n");
    for (name, question) in asked() {
        let text = |key: &str| question[key].as_str().unwrap();
        assert!(!text("answer").contains('|') && !text("title").contains('|'));
        writeln!(
            table,
            "| [{}]({name}/index.html) | {} |",
            text("title"),
            text("answer")
        )
        .unwrap();
    }
    let new = format!("{head}{}{table}{}{tail}", marks[0], marks[1]);
    if std::env::var_os("COUNTERWEIGHT_WRITE_DOCS").is_some() {
        std::fs::write(&path, &new).unwrap();
        return;
    }
    assert!(
        new == old,
        "write it again with COUNTERWEIGHT_WRITE_DOCS=1:\n{new}"
    );
}
