//! 592 mutations of a sweep file, written down: each of 37 keys with each of 16 values that it was not made
//! for, and what else can go wrong with a line. Each is refused with file and line, or runs within bounds.
//!
//! The short form takes every fifth; `COUNTERWEIGHT_FUZZ` takes all.

use std::time::Duration;

use super::ended;
use crate::common::{Place, numeric_csv};

/// Every mutation changes one line of it: key, `=`, value. The 37 lines that end with `#` are mutated.
const SWEEP: &str = r#"
format = 1 #
name = "m" #
seed = 3 #
[protocol]
folds = 3 #
repeats = 1 #
inner_folds = 3 #
small_class = "clamp" #
keep_scores = true #
timeout = "10s" #
metric_prior = "train" #
duplicates = "keep" #
[[population]]
id = "p" #
kind = "gaussian-pair" #
n_train = 60 #
n_test = 40 #
imbalance_ratio = [1, 3] #
profile = "step" #
[[dataset]]
id = "d" #
path = "d.csv" #
target = "y" #
max_rows = 60 #
preprocess = "standard" #
separator = "," #
missing = ["NA"] #
ignore = ["v"] #
[[model]]
kind = "softmax-regression" #
l2 = [0.1, 1.0] #
penalise_intercept = false #
[[correction]]
id = "none"
[[correction]]
id = "c" #
resample = { kind = "random-over", strategy = 0.9 } #
decide = { kind = "tuned-threshold" } #
loss = { kind = "weighted" } #
[[curve]]
id = "k" #
decide = { kind = "logit-adjust" }
parameter = "tau" #
from = 0.0 #
to = 1.0 #
points = 11 #
"#;

/// Another type, another sign, no number at all, more than there is, nothing, and what is no name.
const VALUES: [&str; 15] = [
    "\"zzz\"",
    "\"\"",
    "\"../../etc/passwd\"",
    "\"a\\nb|<b>=1+1\"",
    "7",
    "-7",
    "0",
    "1.5",
    "nan",
    "-inf",
    "9223372036854775807",
    "1e308",
    "1979-05-27",
    "[]",
    "{}",
];

/// Arrays within arrays.
fn deep() -> String {
    format!("{}1{}", "[".repeat(120), "]".repeat(120))
}

/// Longer than any sweep of this size takes.
const LONGEST: Duration = Duration::from_secs(40);

fn mutated() -> Vec<(String, String)> {
    let lines: Vec<&str> = SWEEP.trim_start().lines().collect();
    let deep = deep();
    let values: Vec<&str> = VALUES.into_iter().chain([deep.as_str()]).collect();
    let mut all = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(whole) = line.strip_suffix(" #") else {
            continue;
        };
        let key = whole.split(" = ").next().expect("a key");
        let mut with = |what: &str, new: String| {
            let mut lines: Vec<&str> = lines.clone();
            lines[at] = &new;
            all.push((format!("line {}, {key}: {what}", at + 1), lines.join("\n")));
        };
        for value in &values {
            let short: String = value.chars().take(30).collect();
            with(&short, format!("{key} = {value}"));
        }
        with("twice", format!("{whole}\n{whole}"));
        with("unknown", format!("{key}x = 1\n{whole}"));
        with("gone", String::new());
        with("torn", whole[..whole.len() - 1].to_owned());
    }
    all
}

#[test]
fn written_mutations_are_refused_with_their_line_or_run_within_bounds() {
    let all = mutated();
    assert_eq!(all.len(), 592 + 4 * 37);
    let step = if std::env::var_os("COUNTERWEIGHT_FUZZ").is_some() {
        1
    } else {
        5
    };
    let place = Place::new();
    place.write("f/d.csv", &numeric_csv(&[40, 30], 2));
    let (mut ran, mut refused) = (0, 0);
    for (what, text) in all.iter().step_by(step) {
        place.write("f/sweep.toml", text);
        let run = ["run", "f", "--no-report", "--output", "f", "--jobs", "2"];
        let (code, said) = ended(&place, &run, LONGEST);
        assert!(
            !said.contains("panicked") && !said.contains("internal"),
            "{what}: {said}"
        );
        match code {
            Some(0 | 1) => ran += 1,
            Some(2) => {
                refused += 1;
                let first = said.lines().find(|line| line.starts_with("error: "));
                let place = first.and_then(|line| line.strip_prefix("error: f/sweep.toml:"));
                let number = place.and_then(|place| place.split(':').next()?.parse::<usize>().ok());
                // What is not there has no line.
                assert!(
                    number.is_some() || said.contains("the sweep has no "),
                    "{what}: {said}"
                );
            }
            other => panic!("{what}: exit {other:?}: {said}"),
        }
        for gone in ["segments", "records.csv", "records.parquet", "run.json"] {
            let path = place.path(&format!("f/{gone}"));
            let _ = std::fs::remove_dir_all(&path);
            let _ = std::fs::remove_file(&path);
        }
        for rest in [
            "details",
            "reliability",
            "costs",
            "timings",
            "scores",
            "curves",
        ] {
            let _ = std::fs::remove_file(place.path(&format!("f/{rest}.parquet")));
        }
    }
    assert!(
        ran > 10 && refused > 60,
        "{ran} ran, {refused} were refused"
    );
}

/// What is nested beyond reason, or repeats a key through all of a long file, is told at once.
#[test]
fn files_of_endless_depth_are_refused() {
    let place = Place::new();
    let nested = format!("x = {}1{}\n", "[".repeat(100_000), "]".repeat(100_000));
    let tables = format!("x = {}1{}\n", "{ a = ".repeat(50_000), " }".repeat(50_000));
    let dotted = format!("{}a = 1\n", "a.".repeat(500_000));
    for text in [nested, tables, dotted, "seed = 1\n".repeat(100_000)] {
        place.write("f/sweep.toml", &text);
        let (code, said) = ended(&place, &["run", "f"], LONGEST);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.starts_with("error: f/sweep.toml"), "{said}");
        assert!(said.len() < 100_000);
    }
}
