//! Weights of rows: what every learner that honours them has to hold to, and that the others refuse them.

use counterweight_core::{LossTerms, Matrix, ParamValue, SmallClass, StageError, Train};

use crate::ALL;
use crate::testing::{blobs, fit, gap, learner, train, try_fit, weighed as weights_of, weighted};

/// Rows of three classes with whole weights, and the same rows repeated as often as they weigh.
fn weighed_and_repeated(k: usize) -> (Matrix, Train, Train) {
    let (x, y) = blobs(11, &[40, 25, 15][..k], 3);
    let times: Vec<usize> = (0..y.len()).map(|i| 1 + (i * 7) % 4).collect();
    let weights = times.iter().map(|&n| 0.7 * n as f64).collect();
    let weighed = weights_of(&x, &y, k, weights);
    let rows: Vec<usize> = (0..y.len())
        .flat_map(|i| std::iter::repeat_n(i, times[i]))
        .collect();
    let again: Vec<u32> = rows.iter().map(|&i| y[i]).collect();
    (x.clone(), weighed, train(&x.select_rows(&rows), &again, k))
}

#[test]
fn a_row_that_weighs_w_is_a_row_given_w_times() {
    let real = |v: f64| ParamValue::Real(v);
    let mut compared = 0;
    for k in [2, 3] {
        let (x, weighed, repeated) = weighed_and_repeated(k);
        // Weights are in units of their mean: what stands beside their sum is in proportion.
        let mean = repeated.samples().n_rows() as f64 / x.rows() as f64;
        let whole = ("batch_size", ParamValue::Whole(100_000));
        let scaled = |key: &'static str, by: f64| (vec![(key, real(1.0))], vec![(key, real(by))]);
        for (id, (own, given)) in [
            ("gaussian-naive-bayes", (vec![], vec![])),
            ("lda", (vec![], vec![])),
            ("qda", (vec![], vec![])),
            ("dummy", (vec![], vec![])),
            ("decision-tree", (vec![], vec![])),
            ("adaboost", (vec![], vec![])),
            ("gradient-boosting", (vec![], vec![])),
            ("softmax-regression", scaled("l2", mean)),
            ("softmax-sgd", (vec![whole.clone()], vec![whole.clone()])),
            ("mlp", (vec![whole.clone()], vec![whole])),
            (
                "svm",
                (
                    vec![
                        ("probability", ParamValue::Text("margins".into())),
                        ("c", real(1.0)),
                        ("tolerance", real(1e-8)),
                    ],
                    vec![
                        ("probability", ParamValue::Text("margins".into())),
                        ("c", real(1.0 / mean)),
                        ("tolerance", real(1e-8)),
                    ],
                ),
            ),
        ] {
            let mut own = own;
            let mut given = given;
            let decay = match id {
                "mlp" => Some("weight_decay"),
                "softmax-sgd" => Some("l2"),
                _ => None,
            };
            for params in [&mut own, &mut given] {
                params.extend(decay.map(|key| (key, real(0.0))));
                if id == "mlp" {
                    // Other rows would be held out.
                    params.push(("early_stopping", ParamValue::Flag(false)));
                    // Rounding grows with the updates.
                    params.push(("updates", ParamValue::Whole(40)));
                }
            }
            if id == "svm" {
                // The default width follows the spread of the rows.
                own.push(("gamma", real(0.5)));
                given.push(("gamma", real(0.5)));
            }
            for terms in [LossTerms::cross_entropy(k), weighted(&[1.0, 2.0, 0.5][..k])] {
                let a = fit(id, &own, &weighed, &terms).scores(&x);
                let b = fit(id, &given, &repeated, &terms).scores(&x);
                assert!(gap(&a, &b) < 1e-5, "{id}, {k} classes: {}", gap(&a, &b));
                compared += 1;
            }
        }
        // Without weights it is another model.
        let plain = fit(
            "lda",
            &[],
            &train(&x, weighed.samples().y().ids(), k),
            &LossTerms::cross_entropy(k),
        );
        let other = fit("lda", &[], &weighed, &LossTerms::cross_entropy(k));
        assert!(gap(&plain.scores(&x), &other.scores(&x)) > 0.01);
    }
    assert_eq!(compared, 44);
}

#[test]
fn weights_of_rows_are_honoured_or_refused_and_have_no_unit() {
    let (fresh, _) = blobs(12, &[60, 60], 3);
    // Grown to the end, cuts at random on one column part the rows whatever they weigh.
    let given = |id: &str| match id {
        "extra-trees" => vec![("max_depth", ParamValue::Whole(2))],
        _ => vec![],
    };
    for entry in ALL {
        let (id, k) = (entry.card.id, 2);
        let (x, weighed, _) = weighed_and_repeated(k);
        let terms = LossTerms::cross_entropy(k);
        let found = try_fit(
            &*learner(id, &given(id)),
            &weighed,
            &terms,
            SmallClass::Clamp,
        );
        if !entry.caps.honours.row_weights {
            assert!(matches!(found, Err(StageError::NotApplicable(_))), "{id}");
            continue;
        }
        let scores = found.unwrap().scores(&fresh);
        let y = weighed.samples().y();
        let times: Vec<f64> = y.weights().unwrap().iter().map(|w| w * 8.0).collect();
        let again = weights_of(&x, y.ids(), k, times);
        assert!(
            gap(&scores, &fit(id, &given(id), &again, &terms).scores(&fresh)) < 1e-12,
            "{id}"
        );
        // Rows that weigh next to nothing are not there: class 1 keeps its rows on one side.
        let skewed: Vec<f64> = (0..x.rows())
            .map(|i| {
                if y.ids()[i] == 1 && x.at(i, 1) > 0.0 {
                    1e-6
                } else {
                    1.0
                }
            })
            .collect();
        let skewed = weights_of(&x, y.ids(), k, skewed);
        let moved = gap(
            &scores,
            &fit(id, &given(id), &skewed, &terms).scores(&fresh),
        );
        assert!(moved > 0.01, "{id}: {moved}");
    }
}
