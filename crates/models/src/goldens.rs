//! Our learners against scikit-learn, on the goldens of `tests/goldens/models`.

use counterweight_core::{LossTerms, Matrix, ParamValue};
use serde_json::Value;

use crate::testing::{fit, train, weighted};

fn cases(text: &str) -> Vec<Value> {
    let cases: Vec<Value> = serde_json::from_str(text).unwrap();
    assert!(!cases.is_empty());
    cases
}

fn matrix(value: &Value) -> Matrix {
    let rows: Vec<Vec<f64>> = value
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let row = row.as_array().unwrap().iter();
            row.map(|v| v.as_f64().unwrap_or(f64::NEG_INFINITY))
                .collect()
        })
        .collect();
    let cols = rows[0].len();
    Matrix::from_vec(rows.len(), cols, rows.concat()).unwrap()
}

/// Fits a case; returns the largest gap between probabilities and between finite log-probabilities,
/// and whether the fit left a note.
fn gaps(id: &str, params: &[(&str, ParamValue)], case: &Value) -> (f64, f64, bool) {
    let y: Vec<u32> = case["y"]
        .as_array()
        .unwrap()
        .iter()
        .map(|class| u32::try_from(class.as_u64().unwrap()).unwrap())
        .collect();
    let weights: Vec<f64> = case["weights"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| w.as_f64().unwrap())
        .collect();
    let k = weights.len();
    let train = train(&matrix(&case["x"]), &y, k);
    let terms = if weights.iter().all(|w| (w - 1.0).abs() < 1e-15) {
        LossTerms::cross_entropy(k)
    } else {
        weighted(&weights)
    };
    let fit = fit(id, params, &train, &terms);
    let found = fit.scores(&matrix(&case["x_test"]));
    let expected = matrix(&case["log_p"]);
    let (mut p_gap, mut log_gap) = (0.0_f64, 0.0_f64);
    for (a, b) in found.log().as_slice().iter().zip(expected.as_slice()) {
        assert_eq!(a.is_finite(), b.is_finite(), "{}", case["name"]);
        p_gap = p_gap.max((a.exp() - b.exp()).abs());
        if a.is_finite() {
            log_gap = log_gap.max((a - b).abs() / (1.0 + b.abs()));
        }
    }
    (p_gap, log_gap, !fit.notes.is_empty())
}

macro_rules! golden {
    ($name:literal) => {
        cases(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/goldens/models/",
            $name,
            ".json"
        )))
    };
}

#[test]
fn softmax_regression_is_scikit_learns_converged_optimum() {
    for case in golden!("softmax_regression") {
        let l2 = ParamValue::Real(case["l2"].as_f64().unwrap());
        let (p_gap, _, _) = gaps("softmax-regression", &[("l2", l2)], &case);
        // The last case has more coefficients than Newton is used for: L-BFGS ends just below the
        // tolerance, where Newton's last step goes far below it.
        let tolerance = if case["x"][0].as_array().unwrap().len() > 20 {
            1e-8
        } else {
            1e-9
        };
        assert!(
            p_gap < tolerance,
            "{}: probabilities differ by {p_gap:.1e}",
            case["name"]
        );
    }
}

#[test]
fn linfa_logistic_is_near_the_same_optimum() {
    let mut compared = 0;
    for case in golden!("softmax_regression") {
        if case["name"].as_str().unwrap().contains("weighted") {
            continue;
        }
        // Its own 100 iterations end some per cent short with ten classes.
        let params = [
            ("alpha", ParamValue::Real(case["l2"].as_f64().unwrap())),
            ("max_iterations", ParamValue::Whole(5000)),
        ];
        let (p_gap, _, _) = gaps("linfa-logistic", &params, &case);
        assert!(
            p_gap < 1e-4,
            "{}: probabilities differ by {p_gap:.1e}",
            case["name"]
        );
        // Stopping that short must be said.
        let (p_gap, _, noted) = gaps("linfa-logistic", &params[..1], &case);
        assert!(p_gap < 1e-3 || noted, "{}: {p_gap:.1e}", case["name"]);
        compared += 1;
    }
    assert!(compared >= 7);
}

#[test]
fn gaussian_naive_bayes_is_scikit_learns() {
    for case in golden!("gaussian_naive_bayes") {
        let smoothing = ParamValue::Real(case["params"]["var_smoothing"].as_f64().unwrap());
        let params = [("var_smoothing", smoothing)];
        let (p_gap, log_gap, _) = gaps("gaussian-naive-bayes", &params, &case);
        // Under weights scikit-learn rounds otherwise: there they enter the means and variances, and cancel.
        let tolerance = 1e-11;
        assert!(p_gap < tolerance, "{}: {p_gap:.1e}", case["name"]);
        assert!(log_gap < tolerance, "{}: {log_gap:.1e}", case["name"]);
        let plain = case["weights"]
            .as_array()
            .unwrap()
            .iter()
            .all(|w| w.as_f64() == Some(1.0));
        if plain {
            let (_, log_gap, _) = gaps("linfa-gaussian-naive-bayes", &params, &case);
            assert!(log_gap < 1e-9, "linfa, {}: {log_gap:.1e}", case["name"]);
        }
    }
}

#[test]
fn k_nearest_neighbours_are_scikit_learns() {
    for case in golden!("k_nearest_neighbours") {
        let params = [
            (
                "k",
                ParamValue::Whole(case["params"]["k"].as_i64().unwrap()),
            ),
            (
                "weights",
                ParamValue::Text(case["params"]["weights"].as_str().unwrap().to_owned()),
            ),
        ];
        let (p_gap, _, _) = gaps("k-nearest-neighbours", &params, &case);
        assert!(p_gap < 1e-9, "{}: {p_gap:.1e}", case["name"]);
    }
}

/// The parameters of a case as a sweep file would give them.
fn given(case: &Value) -> Vec<(&str, ParamValue)> {
    let params = case["params"].as_object().unwrap();
    let value = |value: &Value| match value {
        Value::String(text) => ParamValue::Text(text.clone()),
        Value::Array(items) => ParamValue::List(
            items
                .iter()
                .map(|v| ParamValue::Real(v.as_f64().unwrap()))
                .collect(),
        ),
        number => ParamValue::Real(number.as_f64().unwrap()),
    };
    params.iter().map(|(k, v)| (k.as_str(), value(v))).collect()
}

#[test]
fn discriminant_analyses_and_centroids_are_scikit_learns() {
    let sets = [
        ("lda", golden!("lda")),
        ("nearest-centroid", golden!("nearest_centroid")),
        ("qda", golden!("qda")),
    ];
    for (id, cases) in sets {
        assert!(cases.len() >= 5);
        for case in cases {
            let (p_gap, log_gap, _) = gaps(id, &given(&case), &case);
            let name = &case["name"];
            assert!(p_gap < 1e-10, "{id}, {name}: {p_gap:.1e}");
            assert!(log_gap < 1e-10, "{id}, {name}: {log_gap:.1e}");
        }
    }
}

/// The machine of every pair against scikit-learn's `SVC`: dual objective, margins, support and labels.
#[test]
fn support_vector_machines_are_scikit_learns() {
    let cases = golden!("svm");
    assert!(cases.len() >= 7);
    for case in cases {
        let name = &case["name"];
        let numbers = |value: &Value| -> Vec<f64> {
            let items = value.as_array().unwrap().iter();
            items.map(|v| v.as_f64().unwrap()).collect()
        };
        let classes = |value: &Value| -> Vec<u32> {
            let items = value.as_array().unwrap().iter();
            items
                .map(|v| u32::try_from(v.as_u64().unwrap()).unwrap())
                .collect()
        };
        let text = |value: &str| ParamValue::Text(value.into());
        let mut params = vec![
            ("kernel", text(case["kernel"].as_str().unwrap())),
            ("c", ParamValue::Real(case["c"].as_f64().unwrap())),
            ("tolerance", ParamValue::Real(1e-10)),
            ("probability", text("margins")),
        ];
        if let Some(gamma) = case["gamma"].as_f64() {
            params.push(("gamma", ParamValue::Real(gamma)));
        }
        let (y, weights) = (classes(&case["y"]), numbers(&case["weights"]));
        let (k, data) = (weights.len(), train(&matrix(&case["x"]), &y, weights.len()));
        let fit = fit("svm", &params, &data, &weighted(&weights));
        let objective = case["objective"].as_f64().unwrap();
        let found = fit.details["svm_dual_objective"];
        let off = (found - objective).abs() / (1.0 + objective.abs());
        assert!(off < 1e-8, "{name}: objective off by {off:.1e}");
        let mut support: Vec<u32> = case["pairs"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|pair| classes(&pair["support"]))
            .collect();
        support.sort_unstable();
        support.dedup();
        let count = fit.details["support_vectors"];
        assert!(
            (count - support.len() as f64).abs() < 0.5,
            "{name}: {count} support vectors of {}",
            support.len()
        );
        let x_test = matrix(&case["x_test"]);
        let scores = fit.scores(&x_test);
        assert_eq!(
            scores
                .argmax(&vec![0.0; k], &counterweight_core::Ties::default())
                .unwrap()
                .as_slice(),
            classes(&case["predict"]),
            "{name}"
        );
        if k == 2 {
            for (i, margin) in matrix(&case["margins"]).as_slice().iter().enumerate() {
                let ours = scores.log().at(i, 1) - scores.log().at(i, 0);
                assert!((ours - margin).abs() < 1e-6, "{name}: {ours} {margin}");
            }
        }
    }
}

/// On few distinct values the candidate splits are the same; the goldens leave ties out.
#[test]
fn single_trees_and_boosted_votes_are_scikit_learns() {
    let sets = [
        ("decision-tree", golden!("decision_tree")),
        ("adaboost", golden!("adaboost")),
    ];
    for (id, cases) in sets {
        assert!(cases.len() > 10);
        for case in cases {
            let reals = |value: &Value| -> Vec<f64> {
                let items = value.as_array().unwrap().iter();
                items.map(|v| v.as_f64().unwrap()).collect()
            };
            let params = case["params"].as_object().unwrap();
            let mut given = Vec::new();
            for (key, value) in params {
                let value = if let Some(text) = value.as_str() {
                    ParamValue::Text(text.to_owned())
                } else if let Some(whole) = value.as_i64() {
                    ParamValue::Whole(whole)
                } else {
                    // There entropy is in bits, here in nats.
                    let in_bits = ["min_decrease", "prune"].contains(&key.as_str());
                    let bits = in_bits && params["criterion"] == "entropy";
                    let unit = if bits { std::f64::consts::LN_2 } else { 1.0 };
                    ParamValue::Real(unit * value.as_f64().unwrap())
                };
                given.push((key.as_str(), value));
            }
            let y = case["y"].as_array().unwrap().iter();
            let y: Vec<u32> = y
                .map(|v| u32::try_from(v.as_u64().unwrap()).unwrap())
                .collect();
            let weights = reals(&case["weights"]);
            let data = train(&matrix(&case["x"]), &y, weights.len());
            let found = fit(id, &given, &data, &weighted(&weights));
            let found = found.scores(&matrix(&case["x_test"]));
            for (log, p) in found
                .log()
                .as_slice()
                .iter()
                .zip(matrix(&case["p"]).as_slice())
            {
                assert!(
                    (log.exp() - p).abs() < 1e-12,
                    "{id}: {} {given:?}",
                    case["seed"]
                );
            }
        }
    }
}
