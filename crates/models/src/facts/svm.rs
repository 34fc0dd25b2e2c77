use counterweight_core::{LossTerms, Matrix, Note, ParamValue, SmallClass, StageError};

use crate::testing::{Fit, blobs, entry, fit, gap, learner, repeat, train, try_fit, weighted};
use std::collections::BTreeMap;

fn text(value: &str) -> ParamValue {
    ParamValue::Text(value.into())
}

fn margins(x: &Matrix, y: &[u32], terms: &LossTerms, kernel: &str) -> Fit {
    let given = [
        ("kernel", text(kernel)),
        ("probability", text("margins")),
        ("tolerance", ParamValue::Real(1e-9)),
    ];
    fit("svm", &given, &train(x, y, terms.n_classes()), terms)
}

#[test]
fn class_weights_are_costs_and_equal_repeated_rows() {
    for (counts, times) in [(&[40, 12][..], &[1, 3][..]), (&[30, 20, 8], &[1, 2, 5])] {
        let k = counts.len();
        let (x, y) = blobs(15, counts, 3);
        let (again, again_y) = repeat(&x, &y, times);
        let weights: Vec<f64> = times.iter().map(|&t| t as f64).collect();
        for kernel in ["linear", "rbf"] {
            // The width of the kernel follows the rows as they stand, so it is fixed here.
            let mut given = vec![
                ("kernel", text(kernel)),
                ("probability", text("margins")),
                ("tolerance", ParamValue::Real(1e-9)),
            ];
            if kernel == "rbf" {
                given.push(("gamma", ParamValue::Real(0.3)));
            }
            let by_weight = fit("svm", &given, &train(&x, &y, k), &weighted(&weights));
            let plain = LossTerms::cross_entropy(k);
            let by_row = fit("svm", &given, &train(&again, &again_y, k), &plain);
            let gap = gap(&by_weight.scores(&x), &by_row.scores(&x));
            assert!(gap < 1e-6, "{kernel}: {gap:.1e}");
        }
    }
}

#[test]
fn weights_move_the_prior_of_the_probabilities() {
    let (x, y) = blobs(21, &[300, 60], 2);
    let mean = |terms: &LossTerms| {
        let fit = fit("svm", &[], &train(&x, &y, 2), terms);
        let scores = fit.scores(&x);
        let mass = |i: usize| terms.weights[y[i] as usize];
        let rare: f64 = (0..y.len())
            .map(|i| mass(i) * scores.log().at(i, 1).exp())
            .sum();
        rare / (0..y.len()).map(mass).sum::<f64>()
    };
    // Calibrated in the large: the mean probability is the share of the (weighted) rows.
    assert!((mean(&LossTerms::cross_entropy(2)) - 1.0 / 6.0).abs() < 0.02);
    assert!((mean(&weighted(&[0.6, 3.0])) - 0.5).abs() < 0.03);
}

#[test]
fn a_linear_machine_is_linear_and_the_units_of_an_rbf_machine_do_not_matter() {
    let (x, y) = blobs(22, &[40, 30], 2);
    let plain = LossTerms::cross_entropy(2);
    let linear = margins(&x, &y, &plain, "linear");
    let points = Matrix::from_vec(3, 2, vec![0.0, 0.0, 1.0, 0.0, 2.0, 0.0]).unwrap();
    let scores = linear.scores(&points);
    let f = |i: usize| scores.log().at(i, 1) - scores.log().at(i, 0);
    assert!((f(2) - 2.0 * f(1) + f(0)).abs() < 1e-9);
    assert!(matches!(linear.notes.as_slice(), [Note::Remark(text)] if text.contains("margins")));
    let rbf = margins(&x, &y, &plain, "rbf").scores(&x);
    let mixed = |unit: f64| Matrix::from_fn(70, 2, |i, j| unit * x.at(i, j));
    for unit in [1e-160, 1e140] {
        let again = margins(&mixed(unit), &y, &plain, "rbf").scores(&mixed(unit));
        assert!(gap(&rbf, &again) < 1e-7);
    }
}

#[test]
fn platt_probabilities_agree_with_votes_where_it_is_clear() {
    let (x, y) = blobs(23, &[50, 40, 30, 20], 3);
    let plain = LossTerms::cross_entropy(4);
    let votes = margins(&x, &y, &plain, "rbf")
        .scores(&x)
        .argmax(&[0.0; 4], &counterweight_core::Ties::default())
        .unwrap();
    let fit = fit("svm", &[], &train(&x, &y, 4), &plain);
    let scores = fit.scores(&x);
    let decided = scores
        .argmax(&[0.0; 4], &counterweight_core::Ties::default())
        .unwrap();
    let mut clear = 0;
    for (i, row) in scores.log().iter_rows().enumerate() {
        if row[decided.as_slice()[i] as usize].exp() > 0.8 {
            assert_eq!(decided.as_slice()[i], votes.as_slice()[i]);
            clear += 1;
        }
    }
    assert!(clear > 30);
    assert!(fit.details["support_vectors"] > 10.0 && fit.details["svm_steps"] > 10.0);
}

#[test]
fn a_class_of_one_row_follows_the_policy() {
    let (x, _) = blobs(24, &[13], 2);
    let mut y = vec![0; 13];
    y[4] = 1;
    let data = train(&x, &y, 2);
    let plain = LossTerms::cross_entropy(2);
    let svm = learner("svm", &[]);
    let kept = try_fit(&*svm, &data, &plain, SmallClass::Clamp).unwrap();
    assert!(matches!(kept.notes.as_slice(), [Note::Clamped(text)] if text.contains("single")));
    let ended = try_fit(&*svm, &data, &plain, SmallClass::Skip);
    assert!(matches!(ended, Err(StageError::Skipped(_))));
}

#[test]
fn a_width_for_the_linear_kernel_is_an_error() {
    let given: BTreeMap<String, ParamValue> = [
        ("kernel".to_owned(), text("linear")),
        ("gamma".to_owned(), ParamValue::Real(2.0)),
    ]
    .into();
    let entry = entry("svm");
    let params = counterweight_core::params::check(entry.card.params, &given).unwrap();
    assert_eq!((entry.build)(&params).unwrap_err().key, "gamma");
}
