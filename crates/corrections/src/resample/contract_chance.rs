//! The random draws of single methods, beside what is derived for them: uniform positions on a segment,
//! moments of many synthetic rows, equally likely subsets.

use counterweight_core::{Matrix, Origin};

use super::ALL;
use super::contract_sets::{mixed, numeric, run};
use crate::testing::{built, real, train, whole};

#[test]
fn a_smote_point_lies_on_its_segment_with_one_uniform_u() {
    let set = numeric(&[4000, 20], 6, 11);
    let entry = ALL.iter().find(|e| e.card.id == "smote").unwrap();
    let after = run(&*built(entry, &[]), &set, 1).unwrap();
    let (from, to) = (set.samples().x(), after.samples());
    let (mut sum, mut squares, mut n) = (0.0, 0.0, 0.0);
    for at in 4020..to.n_rows() {
        let Origin::Synthetic { base, neighbour } = to.origins()[at] else {
            panic!("row {at} is synthetic")
        };
        let (a, b) = (from.row((base - 3) / 10), from.row((neighbour - 3) / 10));
        let us: Vec<f64> = (0..6)
            .map(|j| (to.x().at(at, j) - a[j]) / (b[j] - a[j]))
            .collect();
        for u in &us {
            assert!((u - us[0]).abs() < 1e-9, "one u for all columns: {us:?}");
            assert!((0.0..1.0 + 1e-9).contains(u));
        }
        sum += us[0];
        squares += us[0] * us[0];
        n += 1.0;
    }
    // Mean 1/2 and mean square 1/3, each within four standard errors.
    assert!((sum / n - 0.5).abs() < 4.0 / (12.0_f64 * n).sqrt());
    assert!((squares / n - 1.0 / 3.0).abs() < 4.0 * (4.0_f64 / 45.0 / n).sqrt());
}

#[test]
fn with_every_neighbour_smote_keeps_the_mean_and_shrinks_the_covariance_as_derived() {
    let n_c = 6;
    let set = numeric(&[60_000, n_c], 2, 5);
    let entry = ALL.iter().find(|e| e.card.id == "smote").unwrap();
    let after = run(&*built(entry, &[("k", whole(5))]), &set, 1).unwrap();
    let moments = |x: &Matrix, rows: &[usize]| {
        let n = rows.len() as f64;
        let mean: Vec<f64> = (0..2)
            .map(|j| rows.iter().map(|&i| x.at(i, j)).sum::<f64>() / n)
            .collect();
        let mut cov = [0.0; 3];
        for &i in rows {
            let (a, b) = (x.at(i, 0) - mean[0], x.at(i, 1) - mean[1]);
            cov[0] += a * a / n;
            cov[1] += a * b / n;
            cov[2] += b * b / n;
        }
        (mean, cov)
    };
    let class = counterweight_numeric::neighbours::Pool::Class(1).rows(set.samples());
    let made: Vec<usize> = (60_000 + n_c..after.samples().n_rows()).collect();
    let (mean, cov) = moments(set.samples().x(), &class);
    let (made_mean, made_cov) = moments(after.samples().x(), &made);
    let factor = 2.0 / 3.0 - 1.0 / (3.0 * (n_c as f64 - 1.0));
    let scale = cov[0].max(cov[2]);
    for (a, b) in mean.iter().zip(&made_mean) {
        assert!(
            (a - b).abs() < 4.0 * (scale / made.len() as f64).sqrt(),
            "{a} {b}"
        );
    }
    for (a, b) in cov.iter().zip(&made_cov) {
        assert!((a * factor - b).abs() < 0.015 * scale, "{} {b}", a * factor);
    }
}

#[test]
fn a_smoothed_bootstrap_adds_the_kernel_variance_and_copies_nominal_values() {
    let entry = ALL.iter().find(|e| e.card.id == "random-over").unwrap();
    let set = mixed(&[40_000, 30], 2);
    let h = 2.0;
    let after = run(&*built(entry, &[("shrinkage", real(h))]), &set, 1).unwrap();
    let (from, to) = (set.samples(), after.samples());
    let class = counterweight_numeric::neighbours::Pool::Class(1).rows(from);
    let n = from.n_rows() as f64;
    let reference = (4.0 / (4.0 * n)).powf(1.0 / 6.0);
    for column in [0, 3] {
        let mean = class.iter().map(|&i| from.x().at(i, column)).sum::<f64>() / 30.0;
        let variance = class
            .iter()
            .map(|&i| (from.x().at(i, column) - mean).powi(2))
            .sum::<f64>()
            / 30.0;
        let jumps: Vec<f64> = (from.n_rows()..to.n_rows())
            .map(|at| {
                let Origin::Synthetic { base, neighbour } = to.origins()[at] else {
                    panic!("row {at} is synthetic")
                };
                assert_eq!(base, neighbour);
                for nominal in [1, 2] {
                    let same = to.x().at(at, nominal) - from.x().at((base - 3) / 10, nominal);
                    assert!(same.abs() < f64::EPSILON);
                }
                to.x().at(at, column) - from.x().at((base - 3) / 10, column)
            })
            .collect();
        let m = jumps.len() as f64;
        let found = jumps.iter().map(|j| j * j).sum::<f64>() / m;
        let expected = (h * reference).powi(2) * variance;
        assert!(
            (found / expected - 1.0).abs() < 4.0 * (2.0 / m).sqrt(),
            "{found} {expected}"
        );
    }
}

#[test]
fn every_subset_is_as_likely() {
    let entry = ALL.iter().find(|e| e.card.id == "random-under").unwrap();
    let set = train(
        Matrix::from_fn(6, 1, |i, _| i as f64),
        &[None],
        &[0, 0, 0, 0, 1, 1],
        2,
    );
    let resampler = built(entry, &[]);
    let mut seen = std::collections::BTreeMap::new();
    for seed in 0..6000 {
        let after = run(&*resampler, &set, seed).unwrap();
        let kept: Vec<String> = after
            .samples()
            .x()
            .column(0)
            .iter()
            .map(f64::to_string)
            .collect();
        *seen.entry(kept.join(" ")).or_insert(0.0) += 1.0;
    }
    assert_eq!(seen.len(), 6, "four choose two");
    let chi2: f64 = seen
        .values()
        .map(|n: &f64| (n - 1000.0).powi(2) / 1000.0)
        .sum();
    assert!(
        chi2 < 20.5,
        "the 99.9 % point of chi-squared with 5 degrees of freedom; {chi2}"
    );
}
