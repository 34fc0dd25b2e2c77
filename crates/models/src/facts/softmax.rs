//! What theory says of softmax regression: where the logit-adjusted loss and post-hoc adjustment are one and
//! the same and where not, what weights mean, and where large samples lead.

use counterweight_core::{LossTerms, Matrix, ParamValue};

use crate::testing::{Fit, blobs, fit, gap, normal, offset, rng, train};

const ID: &str = "softmax-regression";

fn l2(value: f64) -> (&'static str, ParamValue) {
    ("l2", ParamValue::Real(value))
}

/// Log-scores relative to the first class: what the margins act on.
fn log_odds(fit: &Fit, x: &Matrix) -> Vec<f64> {
    let scores = fit.scores(x);
    let rows = scores.log().iter_rows();
    rows.flat_map(|row| row.iter().map(|s| s - row[0]).collect::<Vec<_>>())
        .collect()
}

fn worst(a: &[f64], b: &[f64]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max)
}

#[test]
fn logit_adjustment_moves_unpenalised_intercepts_alone() {
    for counts in [&[90, 10][..], &[60, 25, 5], &[40, 20, 10, 6]] {
        let k = counts.len();
        let n: usize = counts.iter().sum();
        let (x, y) = blobs(21, counts, 3);
        let data = train(&x, &y, k);
        let log_prior: Vec<f64> = counts.iter().map(|&c| (c as f64 / n as f64).ln()).collect();
        let plain = log_odds(&fit(ID, &[], &data, &LossTerms::cross_entropy(k)), &x);
        for tau in [0.5, 1.0, 2.0] {
            let offsets: Vec<f64> = log_prior.iter().map(|p| tau * p).collect();
            let adjusted = log_odds(&fit(ID, &[], &data, &offset(&offsets)), &x);
            let expected: Vec<f64> = plain
                .iter()
                .enumerate()
                .map(|(at, s)| s - (offsets[at % k] - offsets[0]))
                .collect();
            assert!(worst(&adjusted, &expected) < 1e-6, "tau {tau}, {counts:?}");
            // With a penalised intercept the two differ.
            let penalised = [("penalise_intercept", ParamValue::Flag(true)), l2(5.0)];
            let plain = log_odds(
                &fit(ID, &penalised, &data, &LossTerms::cross_entropy(k)),
                &x,
            );
            let adjusted = log_odds(&fit(ID, &penalised, &data, &offset(&offsets)), &x);
            let expected: Vec<f64> = plain
                .iter()
                .enumerate()
                .map(|(at, s)| s - (offsets[at % k] - offsets[0]))
                .collect();
            assert!(worst(&adjusted, &expected) > 0.05, "tau {tau}, {counts:?}");
        }
    }
}

#[test]
fn mean_probabilities_equal_class_shares_at_the_optimum() {
    for counts in [&[90, 10][..], &[60, 25, 5]] {
        let k = counts.len();
        let n: usize = counts.iter().sum();
        let (x, y) = blobs(22, counts, 3);
        let data = train(&x, &y, k);
        let offsets: Vec<f64> = counts.iter().map(|&c| (c as f64 / n as f64).ln()).collect();
        for offsets in [vec![0.0; k], offsets] {
            let scores = fit(ID, &[], &data, &offset(&offsets)).scores(&x);
            let mut mean = vec![0.0; k];
            for row in scores.log().iter_rows() {
                // softmax(f + o) under the adjusted loss.
                let mut row: Vec<f64> = row.iter().zip(&offsets).map(|(s, o)| s + o).collect();
                counterweight_core::log_softmax(&mut row);
                for (m, s) in mean.iter_mut().zip(&row) {
                    *m += s.exp() / n as f64;
                }
            }
            for (m, &count) in mean.iter().zip(counts) {
                assert!((m - count as f64 / n as f64).abs() < 1e-9, "{mean:?}");
            }
        }
    }
}

#[test]
fn collinear_columns_without_penalty_change_no_prediction() {
    for counts in [&[40, 30][..], &[40, 30, 20]] {
        let k = counts.len();
        let (x, y) = blobs(26, counts, 2);
        let more = Matrix::from_fn(x.rows(), 5, |i, j| match j {
            0 | 1 => x.at(i, j),
            2 => 4.0,
            3 => x.at(i, 0) - 2.0 * x.at(i, 1),
            _ => x.at(i, 1),
        });
        let terms = LossTerms::cross_entropy(k);
        let lean = fit(ID, &[l2(0.0)], &train(&x, &y, k), &terms);
        let fat = fit(ID, &[l2(0.0)], &train(&more, &y, k), &terms);
        assert!(!lean.degenerate() && !fat.degenerate());
        assert!(gap(&lean.scores(&x), &fat.scores(&more)) < 1e-7);
    }
}

#[test]
fn the_population_optimum_of_the_gaussian_pair_is_reached() {
    // Means +-(1, 1), identity covariance, prior .05: plain regression has balanced error
    // .180770286478417, adjusted by the prior .0786496035251426.
    let (n, rare) = (200_000, 10_000);
    let mut generator = rng(11);
    let y: Vec<u32> = (0..n).map(|i| u32::from(i < rare)).collect();
    let x = Matrix::from_fn(n, 2, |i, _| {
        normal(&mut generator) + if y[i] == 1 { 1.0 } else { -1.0 }
    });
    let data = train(&x, &y, 2);
    let model = fit(ID, &[], &data, &LossTerms::cross_entropy(2));
    // The fitted boundary's exact balanced error, from the line that it draws.
    let probe = Matrix::from_vec(3, 2, vec![0.0, 0.0, 1.0, 0.0, 0.0, 1.0]).unwrap();
    let odds: Vec<f64> = log_odds(&model, &probe)
        .chunks(2)
        .map(|pair| pair[1])
        .collect();
    let (b, u, v) = (odds[0], odds[1] - odds[0], odds[2] - odds[0]);
    let balanced_error = |b: f64| {
        let length = u.hypot(v);
        let rare = phi(-(b + u + v) / length);
        let common = phi((b - u - v) / length);
        0.5 * (rare + common)
    };
    assert!((balanced_error(b) - 0.180_770_286_478_417).abs() < 0.004);
    let adjusted = b + (0.95_f64 / 0.05).ln();
    assert!((balanced_error(adjusted) - 0.078_649_603_525_142_6).abs() < 1e-4);
}

/// The normal distribution function, by Simpson's rule on its density.
fn phi(z: f64) -> f64 {
    let steps = 2000;
    let h = z / f64::from(steps);
    let density = |t: f64| (-0.5 * t * t).exp() / std::f64::consts::TAU.sqrt();
    let sum: f64 = (0..=steps)
        .map(|i| {
            let weight = match i {
                0 => 1.0,
                i if i == steps => 1.0,
                i if i % 2 == 1 => 4.0,
                _ => 2.0,
            };
            weight * density(f64::from(i) * h)
        })
        .sum();
    0.5 + sum * h / 3.0
}
