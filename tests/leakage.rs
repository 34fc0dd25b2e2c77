//! Canaries: labels that mean nothing give one half, a poisoned test row moves nothing that was learnt,
//! and nothing that is tuned sees a test label.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use crate::common::{Noise, Place};

/// Arms that tune, calibrate, resample, weight, or look at the unlabelled test batch.
const ARMS: &str = "[[correction]]\nid = \"none\"\n\
    [[correction]]\nid = \"weighted\"\nloss = { kind = \"weighted\", scheme = \"inverse-frequency\" }\n\
    [[correction]]\nid = \"over\"\nresample = { kind = \"random-over\" }\n\
    [[correction]]\nid = \"smote\"\nresample = { kind = \"smote\" }\n\
    [[correction]]\nid = \"under\"\nresample = { kind = \"random-under\" }\n\
    [[correction]]\nid = \"prior\"\ndecide = { kind = \"prior-threshold\" }\n\
    [[correction]]\nid = \"tuned\"\ndecide = { kind = \"tuned-threshold\" }\n\
    [[correction]]\nid = \"tuned-tau\"\ndecide = { kind = \"tuned-tau\" }\n\
    [[correction]]\nid = \"smote-tuned\"\nresample = { kind = \"smote\" }\n\
    decide = { kind = \"tuned-threshold\", metric = \"g-mean\" }\n\
    [[correction]]\nid = \"isotonic\"\n\
    decide = { kind = \"calibrated\", by = \"isotonic\", then = \"prior-threshold\" }\n\
    [[correction]]\nid = \"em\"\ndecide = { kind = \"saerens-em\" }\n\
    [[correction]]\nid = \"bbse\"\ndecide = { kind = \"bbse\", confusion = \"soft\" }\n";

const TRANSDUCTIVE: [&str; 2] = ["em", "bbse"];

/// Arms without random stages.
const UNDRAWN: [&str; 4] = ["none", "weighted", "prior", "em"];

fn rows(n: usize, seed: u64, informative: bool) -> Vec<(f64, f64, &'static str)> {
    let mut noise = Noise(seed);
    (0..n)
        .map(|i| {
            let label = if i % 5 == 0 { "yes" } else { "no" };
            let shift = if informative && label == "yes" {
                0.6
            } else {
                0.0
            };
            (noise.unit() + shift, noise.unit() - shift, label)
        })
        .collect()
}

fn csv(rows: &[(f64, f64, &str)]) -> String {
    rows.iter()
        .fold("a,b,label\n".to_owned(), |mut text, (a, b, label)| {
            let _ = writeln!(text, "{a},{b},{label}");
            text
        })
}

#[test]
fn labels_that_mean_nothing_give_one_half_under_every_arm() {
    let place = Place::with_sweep(&format!(
        "format = 1\nname = \"demo\"\nseed = 5\n[protocol]\nfolds = 4\nrepeats = 2\ninner_folds = 3\n\
         [[dataset]]\npath = \"noise.csv\"\ntarget = \"label\"\n\
         [[model]]\nkind = \"softmax-regression\"\nselect = \"balanced-error\"\nl2 = [0.1, 10.0]\n\
         [[model]]\nkind = \"decision-tree\"\n{ARMS}"
    ));
    place.write("demo/noise.csv", &csv(&rows(1500, 1, false)));
    let records = place.run_demo(0);
    for model in records.distinct("model") {
        for arm in records.distinct("correction") {
            let of = records.of(&[("model", model), ("correction", arm)]);
            let errors: Vec<f64> = of
                .iter()
                .filter_map(|row| row.number("balanced_error"))
                .collect();
            if errors.is_empty() {
                // A tree gives no margin to some rules: not applicable, and no number to be wrong.
                assert!(of.iter().all(|row| row.text("outcome") == "not-applicable"));
                continue;
            }
            let mean = errors.iter().sum::<f64>() / errors.len() as f64;
            // 300 and 1,200 rows: the standard error of one repeat is at most
            // sqrt((1/4/300 + 1/4/1200) / 4) = 0.0161; the repeats share their rows.
            assert!((mean - 0.5).abs() < 4.0 * 0.0161, "{model} {arm}: {mean}");
        }
    }
}

/// Scores and decisions of each cell by model and arm, and the details of its record.
type Kept = BTreeMap<(String, String), (Vec<f64>, Vec<u64>, BTreeMap<String, f64>)>;

fn kept(place: &Place) -> Kept {
    let mut names = BTreeMap::new();
    let mut found = Kept::new();
    let lines = |files: Vec<PathBuf>| -> Vec<serde_json::Value> {
        files
            .into_iter()
            .flat_map(|path| {
                let text = std::fs::read_to_string(path).unwrap();
                let lines: Vec<String> = text.lines().map(str::to_owned).collect();
                lines
            })
            .map(|line| serde_json::from_str(&line).unwrap())
            .collect()
    };
    for line in lines(place.segments("demo")) {
        let record = &line["record"];
        let Some(cell) = record["cell"].as_str() else {
            continue;
        };
        let text = |key: &str| record[key].as_str().unwrap().to_owned();
        let details = record["details"].as_object().unwrap().iter();
        let details = details.map(|(key, value)| (key.clone(), value.as_f64().unwrap()));
        names.insert(
            cell.to_owned(),
            ((text("model"), text("correction")), details.collect()),
        );
    }
    for line in lines(place.beside("demo")) {
        let scores = &line["scores"];
        if scores.is_null() {
            continue;
        }
        let (name, details) = names[scores["cell"].as_str().unwrap()].clone();
        let reals = scores["scores"].as_array().unwrap().iter();
        let decided = scores["decisions"].as_array().unwrap().iter();
        found.insert(
            name,
            (
                reals.map(|v| v.as_f64().unwrap()).collect(),
                decided.map(|v| v.as_u64().unwrap()).collect(),
                details,
            ),
        );
    }
    assert!(found.len() > 10, "{}", found.len());
    found
}

fn pair(test: &str) -> Kept {
    let place = Place::with_sweep(&format!(
        "format = 1\nname = \"demo\"\nseed = 5\n[protocol]\ninner_folds = 3\nkeep_scores = true\n\
         [[dataset]]\ntrain = \"train.csv\"\ntest = \"test.csv\"\ntarget = \"label\"\n\
         [[model]]\nkind = \"softmax-regression\"\n\
         [[model]]\nkind = \"k-nearest-neighbours\"\n{ARMS}"
    ));
    place.write("demo/train.csv", &csv(&rows(300, 2, true)));
    place.write("demo/test.csv", test);
    place.run_demo(0);
    kept(&place)
}

/// What a fit or a rule learnt, without the numbers that judge it by test labels.
fn learnt(details: &BTreeMap<String, f64>) -> BTreeMap<&str, f64> {
    let judging = |key: &str| key.ends_with("_balanced_error");
    let learnt = details.iter().filter(|(key, _)| !judging(key));
    learnt.map(|(key, value)| (key.as_str(), *value)).collect()
}

#[test]
fn a_poisoned_test_row_and_turned_test_labels_move_nothing_that_was_learnt() {
    let clean = rows(100, 3, true);
    let mut poisoned = clean.clone();
    poisoned[7] = (1e6, -1e6, "yes");
    let turned: Vec<(f64, f64, &str)> = clean
        .iter()
        .map(|&(a, b, label)| (a, b, if label == "yes" { "no" } else { "yes" }))
        .collect();
    let (base, poisoned, turned) = (
        pair(&csv(&clean)),
        pair(&csv(&poisoned)),
        pair(&csv(&turned)),
    );
    assert_eq!(base.len(), poisoned.len());
    let mut compared = 0;
    for (name, (scores, decided, details)) in &base {
        // Random stages (resampling, inner folds) draw from streams that are keyed by the dataset's
        // values, test rows included: other values, other draws, which is no leak. What is drawn is
        // kept from the test rows by the types `Train` and `Calib`; here stand the stages without draws.
        if !UNDRAWN.contains(&name.1.as_str()) {
            continue;
        }
        compared += 1;
        // Other test labels: the very same scores, decisions and tuned numbers, transductive or not.
        let (other_scores, other_decided, other_details) = &turned[name];
        assert_eq!(scores, other_scores, "{name:?}");
        assert_eq!(decided, other_decided, "{name:?}");
        assert_eq!(learnt(details), learnt(other_details), "{name:?}");

        // Another row: only that row, unless the rule looks at the batch.
        let (other_scores, other_decided, other_details) = &poisoned[name];
        for row in (0..100).filter(|row| *row != 7) {
            assert_eq!(
                scores[2 * row..2 * row + 2],
                other_scores[2 * row..2 * row + 2]
            );
            if !TRANSDUCTIVE.contains(&name.1.as_str()) {
                assert_eq!(decided[row], other_decided[row], "{name:?} row {row}");
            }
        }
        if !TRANSDUCTIVE.contains(&name.1.as_str()) {
            assert_eq!(learnt(details), learnt(other_details), "{name:?}");
        }
    }
    assert_eq!(
        compared, 7,
        "the arms of two models, one of which takes no weights"
    );
}
