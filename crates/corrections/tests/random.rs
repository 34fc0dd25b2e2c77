//! What samplers that draw do in imbalanced-learn over many seeds, from
//! `tests/goldens/corrections/make_random.py`.

#![expect(
    clippy::unwrap_used,
    reason = "a golden that cannot be read fails the test"
)]

mod drawn;

use std::collections::BTreeMap;

use counterweight_core::{
    Deadline, Matrix, Origin, ParamValue, Seed, Shared, SmallClass, StageContext, Train, find,
    params,
};
use counterweight_corrections::resample;
use serde_json::Value;

use drawn::{Mix, draw, golden, train, whole, wholes};

fn run(id: &str, given: &[(&str, ParamValue)], set: &Train, seed: u64, shared: &Shared) -> Train {
    let entry = find(resample::ALL, id).unwrap();
    let given: BTreeMap<String, ParamValue> = given
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect();
    let params = params::check(entry.card.params, &given).unwrap();
    let stream = Seed(seed).stage("golden").open();
    let mut context = StageContext::new(stream, SmallClass::Error, Deadline::NEVER, shared);
    let method = (entry.build)(&params).unwrap();
    method.resample(set, &mut context).unwrap()
}

fn sets() -> (u64, Vec<Value>) {
    let golden = golden("random.json");
    let sets = golden["sets"].as_array().unwrap().clone();
    (golden["seeds"].as_u64().unwrap(), sets)
}

/// Standard errors beyond which two estimates disagree: 1 in 300,000 by chance.
const FAR: f64 = 4.7;

#[test]
fn rows_stay_as_often_as_by_imbalanced_learns_instance_hardness() {
    let (seeds, sets) = sets();
    for set in sets {
        let data = draw(&set["data"]);
        let shared = Shared::default();
        let mut often = vec![0.0; data.samples().n_rows()];
        for seed in 0..seeds {
            let after = run("instance-hardness", &[], &data, seed, &shared);
            for origin in after.samples().origins() {
                let Origin::Row(row) = *origin else {
                    unreachable!("it makes no rows")
                };
                often[row] += 1.0;
            }
        }
        let n = seeds as f64;
        for (row, (&ours, theirs)) in often
            .iter()
            .zip(wholes(&set["instance-hardness"]))
            .enumerate()
        {
            let theirs = theirs as f64;
            let share = (ours + theirs) / (2.0 * n);
            // A row that always stays there may still leave once here.
            let error = (2.0 * share * (1.0 - share) / n).sqrt().max(1.0 / n);
            assert!(
                (ours - theirs).abs() / n < FAR * error,
                "{}: row {row} stays {ours} times of {n}, {theirs} times there",
                set["data"]
            );
        }
    }
}

#[test]
fn as_many_rows_are_left_as_by_imbalanced_learns_smote_and_cleaning() {
    let (seeds, sets) = sets();
    for set in sets {
        let data = draw(&set["data"]);
        for id in ["smote-tomek", "smote-enn"] {
            let shared = Shared::default();
            let left: Vec<Vec<usize>> = (0..seeds)
                .map(|seed| {
                    run(id, &[], &data, seed, &shared)
                        .counts()
                        .as_slice()
                        .to_vec()
                })
                .collect();
            let n = seeds as f64;
            for class in 0..data.counts().as_slice().len() {
                let values = || left.iter().map(|counts| counts[class] as f64);
                let mean = values().sum::<f64>() / n;
                let variance = values().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
                let theirs = set[id]["mean"][class].as_f64().unwrap();
                let spread = set[id]["std"][class].as_f64().unwrap();
                let error = ((variance + spread.powi(2)) / n).sqrt();
                assert!(
                    (mean - theirs).abs() < FAR * error,
                    "{}: {id} leaves {mean} rows of class {class}, {theirs} there (+- {error})",
                    set["data"]
                );
                // The standard deviation of a standard deviation is about itself by root 2 n.
                let ratio = variance.sqrt() / spread;
                assert!((ratio.ln()).abs() < FAR / n.sqrt(), "{id}: {ratio}");
            }
        }
    }
}

#[test]
fn tight_groups_have_imbalanced_learns_centres() {
    let golden = golden("random.json");
    let golden = &golden["groups"];
    let about = &golden["data"];
    let mut mix = Mix(about["seed"].as_u64().unwrap());
    let (groups, rows, cols) = (
        whole(&about["groups"]),
        whole(&about["rows"]),
        whole(&about["cols"]),
    );
    let apart = about["apart"].as_f64().unwrap();
    let x = Matrix::from_fn(groups * (rows + 1), cols, |i, j| {
        mix.bell()
            + if i < groups * rows {
                apart * (i / rows * (j + 1)) as f64
            } else {
                -apart
            }
    });
    let classes: Vec<usize> = (0..groups * (rows + 1))
        .map(|row| usize::from(row >= groups * rows))
        .collect();
    let data = train(x, &vec![None; cols], &classes);
    let shared = Shared::default();
    let mut found = 0;
    for seed in 0..10 {
        let soft = run("cluster-centroids", &[], &data, seed, &shared);
        let samples = soft.samples();
        let mut centres: Vec<Vec<f64>> = (0..samples.n_rows())
            .filter(|&row| samples.y().class(row) == 0)
            .map(|row| samples.x().row(row).to_vec())
            .collect();
        centres.sort_by(|a, b| a[0].total_cmp(&b[0]));
        let theirs = golden["soft"].as_array().unwrap();
        assert_eq!(centres.len(), theirs.len());
        let near = centres.iter().zip(theirs).all(|(ours, theirs)| {
            let pairs = ours.iter().zip(theirs.as_array().unwrap());
            pairs.fold(true, |near, (a, b)| {
                near && (a - b.as_f64().unwrap()).abs() < 1e-9
            })
        });
        let hard = [("voting", ParamValue::Text("hard".into()))];
        let hard = run("cluster-centroids", &hard, &data, seed, &shared);
        let mut kept: Vec<usize> = hard
            .samples()
            .origins()
            .iter()
            .filter_map(|origin| match *origin {
                Origin::Row(row) if row < groups * rows => Some(row),
                _ => None,
            })
            .collect();
        kept.sort_unstable();
        // Rarely two first centres fall into one group.
        found += usize::from(near && kept == wholes(&golden["hard"]));
    }
    assert!(found >= 8, "{found} of 10");
}

#[test]
fn clusters_are_as_tight_as_imbalanced_learns() {
    let (_, sets) = sets();
    for set in sets {
        let data = draw(&set["data"]);
        let samples = data.samples();
        let theirs = set["cluster-centroids"].as_object().unwrap();
        assert!(!theirs.is_empty());
        for (class, theirs) in theirs {
            let class: usize = class.parse().unwrap();
            let shared = Shared::default();
            let each: Vec<f64> = (0..20)
                .map(|seed| {
                    let after = run("cluster-centroids", &[], &data, seed, &shared);
                    let after = after.samples();
                    let of = |y: &counterweight_core::Labels| -> Vec<usize> {
                        (0..y.len()).filter(|&row| y.class(row) == class).collect()
                    };
                    let (rows, centres) = (of(samples.y()), of(after.y()));
                    let gap = |row: usize, centre: usize| -> f64 {
                        let (a, b) = (samples.x().row(row), after.x().row(centre));
                        a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
                    };
                    let least = rows.iter().map(|&row| {
                        let gaps = centres.iter().map(|&centre| gap(row, centre));
                        gaps.fold(f64::INFINITY, f64::min)
                    });
                    least.sum::<f64>() / rows.len() as f64
                })
                .collect();
            let mean = each.iter().sum::<f64>() / each.len() as f64;
            let ratio = mean / theirs["mean"].as_f64().unwrap();
            // One candidate for a first centre instead of several costs a few per cent.
            assert!((0.95..1.1).contains(&ratio), "{}: {ratio}", set["data"]);
        }
    }
}
