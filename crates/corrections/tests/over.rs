//! What imbalanced-learn's over-samplers start from and make, from
//! `tests/goldens/corrections/make_over.py`.

#![expect(
    clippy::unwrap_used,
    reason = "a golden that cannot be read fails the test"
)]

mod drawn;

use std::collections::{BTreeMap, BTreeSet};

use counterweight_core::{
    Deadline, Matrix, Origin, ParamValue, Seed, Shared, SmallClass, StageContext, Train, find,
    params,
};
use counterweight_corrections::resample;
use counterweight_numeric::neighbours::{Metric, Points};
use serde_json::Value;

use drawn::{draw, golden, train, wholes};

fn numbers(value: &Value) -> Vec<f64> {
    let items = value.as_array().unwrap();
    items.iter().map(|v| v.as_f64().unwrap()).collect()
}

fn matrix(value: &Value) -> Matrix {
    let rows: Vec<Vec<f64>> = value.as_array().unwrap().iter().map(numbers).collect();
    Matrix::from_vec(rows.len(), rows[0].len(), rows.concat()).unwrap()
}

fn rows_of(set: &Train, class: usize) -> Vec<usize> {
    let y = set.samples().y();
    (0..y.len()).filter(|&row| y.class(row) == class).collect()
}

/// A row that was made: where it starts, what it moves towards, its class and values.
struct Made {
    base: usize,
    other: usize,
    class: usize,
    values: Vec<f64>,
}

fn run(id: &str, given: &[(&str, ParamValue)], set: &Train) -> Vec<Made> {
    let entry = find(resample::ALL, id).unwrap();
    let given: BTreeMap<String, ParamValue> = given
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect();
    let params = params::check(entry.card.params, &given).unwrap();
    let method = (entry.build)(&params).unwrap();
    let shared = Shared::default();
    let stream = Seed(11).stage("golden").open();
    let mut context = StageContext::new(stream, SmallClass::Error, Deadline::NEVER, &shared);
    let after = method.resample(set, &mut context).unwrap();
    let after = after.samples();
    (set.samples().n_rows()..after.n_rows())
        .map(|row| {
            let (base, other) = match after.origins()[row] {
                Origin::Row(base) => (base, base),
                Origin::Synthetic { base, neighbour } => (base, neighbour),
            };
            Made {
                base,
                other,
                class: after.y().class(row),
                values: after.x().row(row).to_vec(),
            }
        })
        .collect()
}

/// Every class to `rows` more than it has, so that every row that may start one does.
fn many(set: &Train, classes: &[usize], rows: usize) -> (&'static str, ParamValue) {
    let counts = set.counts();
    let table = classes
        .iter()
        .map(|&class| {
            let want = i64::try_from(counts.as_slice()[class] + rows).unwrap();
            (class.to_string(), ParamValue::Whole(want))
        })
        .collect();
    ("strategy", ParamValue::Table(table))
}

fn parameter(value: &Value) -> ParamValue {
    ParamValue::Whole(value.as_i64().unwrap())
}

#[test]
fn adasyn_starts_the_rows_that_imbalanced_learn_starts() {
    for case in golden("over.json")["sets"].as_array().unwrap() {
        let set = draw(&case["data"]);
        for golden in case["adasyn"].as_array().unwrap() {
            let mut started = vec![0; set.samples().n_rows()];
            for made in run("adasyn", &[("k", parameter(&golden["k"]))], &set) {
                started[made.base] += 1;
            }
            for (class, rows) in golden["rows"].as_object().unwrap() {
                let found: Vec<usize> = rows_of(&set, class.parse().unwrap())
                    .iter()
                    .map(|&row| started[row])
                    .collect();
                assert_eq!(found, wholes(rows), "{}: class {class}", case["data"]);
            }
        }
    }
}

#[test]
fn the_rows_in_danger_are_imbalanced_learns() {
    for case in golden("over.json")["sets"].as_array().unwrap() {
        let set = draw(&case["data"]);
        for golden in case["borderline"].as_array().unwrap() {
            let danger = golden["danger"].as_object().unwrap();
            let classes: Vec<usize> = danger.keys().map(|class| class.parse().unwrap()).collect();
            let given = [("m", parameter(&golden["m"])), many(&set, &classes, 20_000)];
            let mut bases = vec![BTreeSet::new(); set.counts().as_slice().len()];
            for made in run("borderline-smote", &given, &set) {
                bases[made.class].insert(made.base);
            }
            for (class, rows) in danger {
                let found: Vec<usize> = bases[class.parse::<usize>().unwrap()]
                    .iter()
                    .copied()
                    .collect();
                assert_eq!(found, wholes(rows), "{}: class {class}", case["data"]);
            }
        }
    }
}

/// Which way a row went from its base.
fn is_outwards(set: &Train, made: &Made) -> bool {
    let x = set.samples().x();
    let (from, to) = (x.row(made.base), x.row(made.other));
    let along: f64 = (0..from.len())
        .map(|j| (made.values[j] - from[j]) * (to[j] - from[j]))
        .sum();
    along < 0.0
}

#[test]
fn support_vectors_and_their_standing_are_imbalanced_learns() {
    for case in golden("over.json")["sets"].as_array().unwrap() {
        let set = draw(&case["data"]);
        for golden in case["svm"].as_array().unwrap() {
            let support = golden["support"].as_object().unwrap();
            let classes: Vec<usize> = support.keys().map(|class| class.parse().unwrap()).collect();
            let given = [("m", parameter(&golden["m"])), many(&set, &classes, 20_000)];
            let mut danger = vec![BTreeSet::new(); set.counts().as_slice().len()];
            let mut safe = danger.clone();
            for made in run("svm-smote", &given, &set) {
                let part = if is_outwards(&set, &made) {
                    &mut safe
                } else {
                    &mut danger
                };
                part[made.class].insert(made.base);
            }
            for (class, parts) in support {
                let at: usize = class.parse().unwrap();
                for (what, found) in [("danger", &danger[at]), ("safe", &safe[at])] {
                    let found: Vec<usize> = found.iter().copied().collect();
                    let mut expected = wholes(&parts[what]);
                    expected.sort_unstable();
                    assert_eq!(found, expected, "{}: class {class}: {what}", case["data"]);
                }
            }
        }
    }
}

/// Mean and covariance (divisor n) of rows.
fn moments(rows: &[&[f64]]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let (n, d) = (rows.len() as f64, rows[0].len());
    let mean: Vec<f64> = (0..d)
        .map(|j| rows.iter().map(|r| r[j]).sum::<f64>() / n)
        .collect();
    let product = |a: usize, b: usize| {
        let sum: f64 = rows
            .iter()
            .map(|r| (r[a] - mean[a]) * (r[b] - mean[b]))
            .sum();
        sum / n
    };
    let covariance = (0..d)
        .map(|a| (0..d).map(|b| product(a, b)).collect())
        .collect();
    (mean, covariance)
}

/// Two large samples agree: the means within five standard errors of their difference, the
/// covariances within five of theirs, with twice the product of the standard deviations for the
/// deviation of a product (for a bell shape it is at most sqrt 2 times that product).
fn agree(what: &str, golden: &Value, rows: &[&[f64]]) {
    let (mean, covariance) = moments(rows);
    let their_mean = numbers(&golden["mean"]);
    let their_covariance = golden["covariance"].as_array().unwrap();
    let error = 1.0 / rows.len() as f64 + 1.0 / golden["n"].as_f64().unwrap();
    for a in 0..mean.len() {
        let slack = 5.0 * (covariance[a][a] * error).sqrt();
        let (x, y) = (mean[a], their_mean[a]);
        assert!((x - y).abs() < slack, "{what}: mean {a}: {x} {y}");
        for b in 0..mean.len() {
            let slack = 10.0 * (covariance[a][a] * covariance[b][b] * error).sqrt();
            let (x, y) = (covariance[a][b], numbers(&their_covariance[a])[b]);
            assert!((x - y).abs() < slack, "{what}: covariance {a} {b}: {x} {y}");
        }
    }
}

#[test]
fn made_rows_have_imbalanced_learns_distribution() {
    let goldens = golden("over.json");
    let golden = &goldens["distributions"];
    let set = draw(&golden["data"]);
    let given = [many(&set, &[0], 200_000)];
    for id in ["adasyn", "borderline-smote"] {
        let rows = run(id, &given, &set);
        let values: Vec<&[f64]> = rows.iter().map(|made| made.values.as_slice()).collect();
        agree(id, &golden["made"][id], &values);
    }
    // The shares of rows inwards and outwards are drawn, so each part is compared on its own.
    let rows = run("svm-smote", &given, &set);
    for (part, outwards) in [("in", false), ("out", true)] {
        let values: Vec<&[f64]> = rows
            .iter()
            .filter(|made| is_outwards(&set, made) == outwards)
            .map(|made| made.values.as_slice())
            .collect();
        assert!(values.len() > 20_000);
        agree(part, &golden["made"]["svm-smote"][part], &values);
    }
}

#[test]
fn clusters_get_imbalanced_learns_shares() {
    let goldens = golden("over.json");
    let golden = &goldens["kmeans"];
    let set = train(matrix(&golden["x"]), &[None; 2], &wholes(&golden["y"]));
    for case in golden["cases"].as_array().unwrap() {
        let want = ParamValue::Table(BTreeMap::from([("1".into(), ParamValue::Whole(100_000))]));
        let mut given = vec![("clusters", ParamValue::Whole(4)), ("strategy", want)];
        if let Some(exponent) = case["density_exponent"].as_f64() {
            given.push(("density_exponent", ParamValue::Real(exponent)));
        }
        let rows = run("kmeans-smote", &given, &set);
        let blob = |v: &[f64]| usize::from(v[0] > 100.0) + 2 * usize::from(v[1] > 100.0);
        let theirs = wholes(&case["rows_a_blob"]);
        for (at, &expected) in theirs.iter().enumerate() {
            let here: Vec<&[f64]> = rows
                .iter()
                .map(|made| made.values.as_slice())
                .filter(|v| blob(v) == at)
                .collect();
            // They round every cluster up; counts are as asked here.
            assert!(here.len().abs_diff(expected) <= 1, "{at}: {}", here.len());
            if here.len() > 5000 {
                agree("blob", &case["made"][at], &here);
            }
        }
    }
}

#[test]
fn value_differences_and_votes_are_imbalanced_learns() {
    let goldens = golden("over.json");
    let golden = &goldens["nominal"];
    let levels: Vec<Option<usize>> = wholes(&golden["levels"]).into_iter().map(Some).collect();
    let set = train(matrix(&golden["x"]), &levels, &wholes(&golden["y"]));
    let points = Points::new(set.samples(), Metric::ValueDifference).unwrap();
    let class = rows_of(&set, 1);
    for (at, distances) in golden["distances"].as_array().unwrap().iter().enumerate() {
        for (other, expected) in numbers(distances).into_iter().enumerate() {
            let found = points.squared_distance(class[at], class[other]);
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
    }
    let given = [("k", parameter(&golden["k"])), many(&set, &[1, 2], 2000)];
    let rows = run("smote-n", &given, &set);
    let mut compared = 0;
    for (class, votes) in golden["votes"].as_object().unwrap() {
        let class = rows_of(&set, class.parse().unwrap());
        for (at, vote) in votes.as_array().unwrap().iter().enumerate() {
            if vote.is_null() {
                continue;
            }
            let expected = numbers(vote);
            let mut found = rows.iter().filter(|made| made.base == class[at]).peekable();
            assert!(found.peek().is_some(), "row {at} starts some");
            for made in found {
                assert_eq!(made.values, expected, "row {at}");
                compared += 1;
            }
        }
    }
    assert!(compared > 1000);
}
