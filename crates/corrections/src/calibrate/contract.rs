//! What every calibrator has to satisfy.

use std::path::Path;

use counterweight_core::{Calib, Matrix, Note, Scores};
use proptest::prelude::*;

use super::{ALL, WORDS};
use crate::testing::{HEADINGS, calib, stream};

#[test]
fn the_registry_is_complete_and_documented() {
    let ids: Vec<&str> = ALL.iter().map(|entry| entry.id).collect();
    assert!(ids.is_sorted_by(|a, b| a < b));
    assert_eq!(ids, WORDS);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/calibrate");
    let mut files: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|stem| !["mod", "contract"].contains(&stem.as_str()))
        .map(|stem| stem.replace('_', "-"))
        .collect();
    files.sort_unstable();
    assert_eq!(files, ids);
    for id in ids {
        let file = folder.join(id.replace('-', "_")).with_extension("rs");
        let source = std::fs::read_to_string(file).unwrap();
        let mut at = 0;
        for heading in HEADINGS {
            let found = source[at..].find(&format!("//! {heading}\n"));
            at += found.unwrap_or_else(|| panic!("{id}: {heading}"));
        }
    }
}

/// Overconfident random scores; coarse when `step` is above 0.
fn random(counts: &[usize], sharpness: f64, step: f64, seed: u64) -> (Matrix, Vec<usize>) {
    let mut stream = stream(seed);
    let classes: Vec<usize> = counts
        .iter()
        .enumerate()
        .flat_map(|(class, &n)| std::iter::repeat_n(class, n))
        .collect();
    let logits = Matrix::from_fn(classes.len(), counts.len(), |i, k| {
        let z: f64 = stream.sample(rand_distr::StandardNormal);
        let value = sharpness * (z + if classes[i] == k { 1.0 } else { 0.0 });
        if counts[k] == 0 {
            f64::NEG_INFINITY
        } else if step > 0.0 {
            (value / step).round() * step
        } else {
            value
        }
    });
    (Scores::logits(logits).unwrap().log().clone(), classes)
}

fn made(counts: &[usize], sharpness: f64, step: f64, seed: u64) -> Calib {
    let (log, classes) = random(counts, sharpness, step, seed);
    calib(&log, &classes, counts.len(), 3)
}

fn loss(scores: &Scores, calib: &Calib) -> f64 {
    (0..scores.n_rows())
        .map(|i| -scores.log().at(i, calib.labels().class(i)))
        .sum::<f64>()
}

#[test]
fn rows_are_probabilities_and_absent_classes_have_none() {
    for entry in ALL {
        for counts in [&[80, 9][..], &[5, 60], &[50, 20, 7], &[30, 0, 12, 4]] {
            for step in [0.0, 1.0] {
                let calib = made(counts, 3.0, step, 5);
                let fitted = (entry.fit)(&calib);
                assert!(
                    fitted.details.values().all(|v| v.is_finite()),
                    "{}",
                    entry.id
                );
                let found = fitted.map.calibrate(calib.scores()).unwrap();
                for row in found.log().iter_rows() {
                    let sum: f64 = row.iter().map(|s| s.exp()).sum();
                    assert!((sum - 1.0).abs() < 1e-9, "{}: {row:?}", entry.id);
                    for (s, &n) in row.iter().zip(counts) {
                        assert_eq!(s.is_finite(), n > 0, "{}: {row:?}", entry.id);
                    }
                }
            }
        }
    }
}

#[test]
fn overconfident_scores_get_a_lower_loss() {
    for entry in ALL {
        for counts in [&[300, 60][..], &[200, 100, 50]] {
            let calib = made(counts, 4.0, 0.0, 11);
            let found = (entry.fit)(&calib).map.calibrate(calib.scores()).unwrap();
            let (before, after) = (loss(calib.scores(), &calib), loss(&found, &calib));
            assert!(after < 0.9 * before, "{}: {after} of {before}", entry.id);
        }
    }
}

#[test]
fn certain_scores_and_separated_rows_stay_finite() {
    // Probabilities of exactly 0 and 1, right or partly wrong.
    for wrong in [0, 3] {
        let classes: Vec<usize> = (0..40).map(|i| usize::from(i % 4 == 0)).collect();
        let log = Matrix::from_fn(40, 2, |i, k| {
            let told = if i < wrong {
                1 - classes[i]
            } else {
                classes[i]
            };
            if told == k { 0.0 } else { f64::NEG_INFINITY }
        });
        let calib = calib(&log, &classes, 2, 4);
        for entry in ALL {
            let fitted = (entry.fit)(&calib);
            let found = fitted.map.calibrate(calib.scores()).unwrap();
            assert!(
                found.log().as_slice().iter().all(|s| s.is_finite()),
                "{} {wrong}",
                entry.id
            );
            let right = (0..40).filter(|&i| found.log().at(i, classes[i]) > 0.5_f64.ln());
            assert_eq!(right.count(), 40 - wrong, "{} {wrong}", entry.id);
            assert!(
                !fitted
                    .notes
                    .iter()
                    .any(|n| matches!(n, Note::Degenerate(_))),
                "{}",
                entry.id
            );
        }
    }
}

#[test]
fn without_bounds_beta_is_vector_scaling_for_two_classes() {
    let calib = made(&[200, 70], 2.5, 0.0, 21);
    let of = |id: &str| {
        let entry = ALL.iter().find(|entry| entry.id == id).unwrap();
        (entry.fit)(&calib)
    };
    let (beta, vector) = (of("beta"), of("vector-scaling"));
    assert!(beta.details["beta_a"] > 0.0 && beta.details["beta_b"] > 0.0);
    assert!((beta.details["beta_a"] - vector.details["vector_weight[1]"]).abs() < 1e-6);
    assert!((beta.details["beta_b"] - vector.details["vector_weight[0]"]).abs() < 1e-6);
    assert!((beta.details["beta_c"] - vector.details["vector_bias[1]"]).abs() < 1e-6);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Every two-class map but vector scaling never turns the order of two rows.
    #[test]
    fn maps_of_two_classes_never_turn_an_order(
        seed in 0_u64..100_000,
        minority in 2_usize..30,
        step in prop_oneof![Just(0.0), Just(0.7)],
    ) {
        let calib = made(&[60, minority], 3.0, step, seed);
        for entry in ALL.iter().filter(|entry| entry.id != "vector-scaling") {
            let fitted = (entry.fit)(&calib);
            // Scores that rank worse than nothing get a falling Platt function, which is right.
            if fitted.details.get("platt_a").is_some_and(|a| *a < 0.0) {
                continue;
            }
            let found = fitted.map.calibrate(calib.scores()).unwrap();
            let odds = |log: &Matrix, i: usize| log.at(i, 1) - log.at(i, 0);
            let mut order: Vec<usize> = (0..found.n_rows()).collect();
            order.sort_by(|&a, &b| odds(calib.scores().log(), a).total_cmp(&odds(calib.scores().log(), b)));
            for pair in order.windows(2) {
                let (a, b) = (odds(found.log(), pair[0]), odds(found.log(), pair[1]));
                prop_assert!(a <= b + 1e-9 * a.abs().max(1.0), "{}: {} {}", entry.id, a, b);
            }
        }
    }
}
