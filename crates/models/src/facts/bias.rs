//! What a bias may hold: kept at the log class shares, taken away, or split over two vectors.

use counterweight_core::{LossTerms, Matrix, ParamValue};

use crate::testing::{Fit, blobs, fit, offset, train};

const ID: &str = "softmax-regression";

fn l2(value: f64) -> (&'static str, ParamValue) {
    ("l2", ParamValue::Real(value))
}

/// Log odds of each class against the first.
fn odds(fitted: &Fit, x: &Matrix) -> Vec<Vec<f64>> {
    let scores = fitted.scores(x);
    let rows = scores.log().iter_rows();
    rows.map(|row| row.iter().map(|s| s - row[0]).collect())
        .collect()
}

/// The biases stay, and the slopes are where no step lowers the penalised loss.
#[test]
fn biases_that_stay_are_tau_log_pi_and_the_slopes_are_at_their_optimum() {
    for counts in [&[90, 10][..], &[60, 30, 10]] {
        for tau in [0.0, 1.0, 1.7] {
            let (d, k, penalty) = (3, counts.len(), 0.4);
            let (x, y) = blobs(41, counts, d);
            let given = [l2(penalty), ("intercept_tau", ParamValue::Real(tau))];
            let terms = LossTerms::cross_entropy(k);
            let fitted = fit(ID, &given, &train(&x, &y, k), &terms);
            let share = |class: usize| counts[class] as f64 / 100.0;
            let bias = |class: usize| tau * (share(class) / share(0)).ln();
            let found = &odds(&fitted, &Matrix::zeros(1, d))[0];
            for (class, found) in found.iter().enumerate() {
                assert!((found - bias(class)).abs() < 1e-12, "{counts:?} {tau}");
            }
            // The gradient: sum over rows of (p_k - [y = k]) x_j, plus l2 w_kj. The vectors of three classes are
            // known up to a common one, which the penalty makes have mean 0.
            let unit = Matrix::from_fn(d, d, |i, j| f64::from(u8::from(i == j)));
            let slopes = odds(&fitted, &unit);
            let scores = fitted.scores(&x);
            for j in 0..d {
                let w = |class: usize| slopes[j][class] - bias(class);
                let centre = if k == 2 {
                    0.0
                } else {
                    (0..k).map(w).sum::<f64>() / k as f64
                };
                for class in usize::from(k == 2)..k {
                    let rows = x.iter_rows().zip(scores.log().iter_rows()).zip(&y);
                    let residuals = rows.map(|((x, log), y)| {
                        x[j] * (log[class].exp() - f64::from(u8::from(*y as usize == class)))
                    });
                    let gradient = residuals.sum::<f64>() + penalty * (w(class) - centre);
                    assert!(gradient.abs() < 1e-6, "{counts:?} {tau}: {gradient}");
                }
            }
        }
    }
}

/// A logit-adjusted loss on a model whose biases stay at 0 is plain cross-entropy with biases at tau log pi that are
/// dropped at test: slopes to rounding.
#[test]
fn an_adjusted_loss_without_bias_is_a_bias_that_stays_and_is_dropped() {
    let counts = [80, 15, 5];
    let (x, y) = blobs(42, &counts, 4);
    let data = train(&x, &y, 3);
    let logs: Vec<f64> = counts.iter().map(|&n| (n as f64 / 100.0).ln()).collect();
    let tau = |value| ("intercept_tau", ParamValue::Real(value));
    let adjusted = fit(ID, &[l2(1.0), tau(0.0)], &data, &offset(&logs));
    let plain = fit(
        ID,
        &[l2(1.0), tau(1.0)],
        &data,
        &LossTerms::cross_entropy(3),
    );
    for (a, b) in odds(&adjusted, &x).iter().zip(odds(&plain, &x)) {
        for class in 0..3 {
            let dropped = b[class] - (logs[class] - logs[0]);
            assert!((a[class] - dropped).abs() < 1e-7);
        }
    }
}

/// Two opposite vectors are one twice as long, under half the penalty; their lengths are the same.
#[test]
fn two_vectors_are_opposite_and_one_is_their_difference() {
    let (x, y) = blobs(43, &[70, 30], 3);
    let data = train(&x, &y, 2);
    let terms = LossTerms::cross_entropy(2);
    let one = fit(ID, &[l2(0.5)], &data, &terms);
    let two = fit(
        ID,
        &[l2(1.0), ("two_vectors", ParamValue::Flag(true))],
        &data,
        &terms,
    );
    assert_eq!(odds(&one, &x), odds(&two, &x));
    let head = two.model.linear_head(&x).unwrap().unwrap();
    assert_eq!(head.norms[0].to_bits(), head.norms[1].to_bits());
    let shared = one.model.linear_head(&x).unwrap().unwrap();
    for (a, b) in head
        .scores
        .log()
        .iter_rows()
        .zip(shared.scores.log().iter_rows())
    {
        assert!((a[1] - a[0] - (b[1] - b[0])).abs() < 1e-12);
    }
    // Three classes have their vectors anyway.
    let (x, y) = blobs(44, &[50, 30, 20], 3);
    let data = train(&x, &y, 3);
    let terms = LossTerms::cross_entropy(3);
    let given = [l2(1.0), ("two_vectors", ParamValue::Flag(true))];
    let (one, two) = (
        fit(ID, &[l2(1.0)], &data, &terms),
        fit(ID, &given, &data, &terms),
    );
    assert_eq!(odds(&one, &x), odds(&two, &x));
}
