//! Every method that is registered, on rows that make it slow: the long form of the tests around it.

use std::fmt::Write as _;

use super::{HEAD, each_ends_in_time, ids, without};
use crate::common::{Noise, Place};

/// Writes rows of whole numbers whose classes are hard to tell apart.
fn table(place: &Place, file: &str, rows: usize, columns: usize, classes: usize) {
    let mut noise = Noise(rows as u64);
    let mut text: String = (0..columns).map(|j| format!("x{j},")).collect();
    text.push_str("y\n");
    for i in 0..rows {
        // Two are uneven.
        let class = if classes == 2 { i % 3 / 2 } else { i % classes };
        for j in 0..columns {
            let near = if j % classes == class { 40.0 } else { 0.0 };
            write!(text, "{:.0},", noise.unit() * 1000.0 + near).expect("text");
        }
        writeln!(text, "{class}").expect("text");
    }
    place.write(&format!("demo/{file}"), &text);
}

/// A sweep on such rows as they are, so that no time goes into their making.
pub(super) fn place_of(
    (train, test): (usize, usize),
    columns: usize,
    classes: usize,
    rest: &str,
) -> Place {
    let head = HEAD.replace("test = 0.5\n", "");
    let place = Place::with_sweep(&format!(
        "{head}[[dataset]]\ntrain = \"train.csv\"\ntest = \"test.csv\"\ntarget = \"y\"\npreprocess = \"none\"\n{rest}"
    ));
    table(&place, "train.csv", train, columns, classes);
    table(&place, "test.csv", test, columns, classes);
    place
}

/// These models end in time on so many training and test rows.
#[track_caller]
pub(super) fn slow_on(
    rows: (usize, usize),
    columns: usize,
    classes: usize,
    models: &[(&str, &str)],
) {
    let entries: String = models
        .iter()
        .map(|(id, more)| format!("[[model]]\nkind = \"{id}\"\n{more}\n"))
        .collect();
    let rest = format!("{entries}[[correction]]\nid = \"none\"\n");
    let place = place_of(rows, columns, classes, &rest);
    let names: Vec<&str> = models.iter().map(|(id, _)| *id).collect();
    each_ends_in_time(&place, "model", &names);
}

#[test]
#[ignore = "measures: minutes"]
fn every_learner_ends_in_time() {
    // Linear in rows and classes whatever its input (tests/footprint.rs measures it).
    let all = ids("models", None);
    let mut left = without(&all, &["dummy"]);
    let forest = "trees = 2000";
    let steps = "epochs = 100000";
    for (rows, columns, classes, models) in [
        (
            (2_000, 3_000),
            800,
            2,
            &[
                ("linfa-decision-tree", ""),
                ("linfa-random-forest", forest),
                ("linfa-svm", ""),
                ("smartcore-svc", ""),
            ][..],
        ),
        (
            (8_000, 100),
            500,
            2,
            &[
                ("adaboost", forest),
                ("extra-trees", forest),
                ("gradient-boosting", "rounds = 2000"),
                ("linfa-adaboost", ""),
                ("mlp", steps),
                ("random-forest", forest),
                ("smartcore-decision-tree", ""),
                ("smartcore-gaussian-naive-bayes", ""),
                ("smartcore-logistic", ""),
                ("smartcore-random-forest", forest),
                ("softmax-sgd", steps),
                ("svm", ""),
            ],
        ),
        (
            (6_000, 12_000),
            300,
            400,
            &[
                ("gaussian-naive-bayes", ""),
                ("lda", ""),
                ("linfa-gaussian-naive-bayes", ""),
                ("linfa-logistic", ""),
                ("nearest-centroid", ""),
                ("qda", ""),
                ("softmax-regression", ""),
            ],
        ),
        (
            (30_000, 100),
            500,
            2,
            &[("decision-tree", ""), ("exponential-tilt", "")],
        ),
        (
            (20_000, 20_000),
            100,
            2,
            &[
                ("k-nearest-neighbours", ""),
                ("smartcore-k-nearest-neighbours", ""),
            ],
        ),
    ] {
        slow_on(rows, columns, classes, models);
        left.retain(|id| !models.iter().any(|(slow, _)| slow == id));
    }
    assert!(left.is_empty(), "never tried: {left:?}");
}

#[test]
#[ignore = "measures: minutes"]
fn every_slow_decision_and_calibrator_ends_in_time() {
    const CLASSES: usize = 800;
    let all = ids("corrections", Some("decide"));
    // Linear in the scores (tests/footprint.rs measures them).
    let linear = [
        "argmax",
        "drop-bias",
        "logit-adjust",
        "prior-shift",
        "prior-threshold",
        "threshold",
        "weight-norm",
    ];
    let mut left = without(&all, &linear);
    let row = format!("[{}]", vec!["1"; CLASSES].join(","));
    let costs = vec![row; CLASSES].join(",");
    let taus: Vec<String> = (0..20_000)
        .map(|at| format!("{:.4}", f64::from(at) * 1e-4))
        .collect();
    let by = |id| (id, format!("kind = \"calibrated\", by = \"{id}\""));
    let decide = [
        ("bbse", "kind = \"bbse\", confusion = \"soft\"".to_owned()),
        by("beta"),
        by("isotonic"),
        by("platt"),
        by("temperature"),
        by("vector-scaling"),
        (
            "cost-matrix",
            format!("kind = \"cost-matrix\", costs = [{costs}]"),
        ),
        (
            "saerens-em",
            "kind = \"saerens-em\", tolerance = 1e-300, rounds = 2000000000".to_owned(),
        ),
        (
            "tuned-tau",
            format!("kind = \"tuned-tau\", grid = [{}]", taus.join(", ")),
        ),
        ("tuned-threshold", "kind = \"tuned-threshold\"".to_owned()),
    ];
    let mut rest = "[[model]]\nkind = \"nearest-centroid\"\n".to_owned();
    for (id, decide) in &decide {
        writeln!(
            rest,
            "[[correction]]\nid = \"{id}\"\ndecide = {{ {decide} }}"
        )
        .expect("text");
    }
    let place = place_of((CLASSES * 40, CLASSES * 8), 2, CLASSES, &rest);
    let names: Vec<&str> = decide.iter().map(|(id, _)| *id).collect();
    each_ends_in_time(&place, "correction", &names);
    left.retain(|id| *id != "calibrated" && !names.contains(id));
    assert!(left.is_empty(), "never tried: {left:?}");
}
