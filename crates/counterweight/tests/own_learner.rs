//! The example of a learner of one's own: its arm is in the records, on the page and in the gate.

#[path = "../examples/own_learner.rs"]
#[expect(dead_code, reason = "an example has a main")]
mod own_learner;

use std::fs;

use counterweight::read_records;

const SWEEP: &str = r#"
format = 1
name = "mine"
[protocol]
test = 0.3
repeats = 2
[[population]]
kind = "gaussian-pair"
n_train = 200
n_test = 200
imbalance_ratio = [1, 20]
[[model]]
kind = "nearest-mean"
[[model]]
kind = "gaussian-naive-bayes"
[[correction]]
id = "none"
[[correction]]
id = "logit-adjust"
decide = { kind = "logit-adjust", prior = "train" }
"#;

#[test]
fn its_arm_is_in_records_page_and_gate() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    fs::write(folder.join("sweep.toml"), SWEEP).unwrap();
    // With equal priors there is nothing to adjust.
    let claim = "format = 1\n[[claim]]\nkind = \"identical\"\ncorrection = \"logit-adjust\"\nthan = \"none\"\n\
                 model = \"nearest-mean\"\n";
    fs::write(folder.join("gate.toml"), format!("{claim}ratio = [1, 1]\n")).unwrap();
    assert!(own_learner::judge(folder).unwrap(), "the first baseline");
    let records = read_records(&folder.join("records.parquet")).unwrap();
    let own: Vec<_> = records
        .iter()
        .filter(|r| r.model == *"nearest-mean")
        .collect();
    assert_eq!(own.len(), records.len() / 2);
    assert!(
        own.iter().all(|r| r.balanced_error().unwrap() < 0.4),
        "{own:?}"
    );
    for file in ["index.html", "baseline.csv", "RANKING.md"] {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        assert!(text.contains("nearest-mean"), "{file}");
    }
    assert!(
        own_learner::judge(folder).unwrap(),
        "judged by that baseline"
    );
    fs::write(folder.join("gate.toml"), claim).unwrap();
    assert!(!own_learner::judge(folder).unwrap(), "at ratio 20 there is");
}

#[test]
fn the_example_has_at_most_sixty_lines() {
    let text = include_str!("../examples/own_learner.rs");
    let code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
    let lines = text.lines().filter(code).count();
    assert!(lines <= 60, "{lines} lines");
}
