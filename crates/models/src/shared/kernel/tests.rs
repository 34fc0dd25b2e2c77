//! The kernel beside its definition, and where numbers end.

use super::*;
use proptest::prelude::*;

fn kernel(k: usize, numbers: &[f64], margin: f64, focal: f64) -> Kernel {
    let mut at = 0;
    let mut next = || {
        at += 1;
        numbers[at % numbers.len()]
    };
    let mut margins: Vec<f64> = (0..k * k).map(|_| margin * next()).collect();
    for j in 0..k {
        margins[j * k + j] = 0.0;
    }
    Kernel {
        n_classes: k,
        weights: (0..k).map(|_| 0.1 + next().abs()).collect(),
        factors: (0..k).map(|_| 0.2 + next().abs()).collect(),
        margins,
        focal,
    }
}

/// The definition, in the plainest form: `w ce (1 - exp(-ce))^g`, `ce = log(1 + sum exp(...))`.
fn definition(kernel: &Kernel, y: usize, f: &[f64]) -> f64 {
    let k = kernel.n_classes;
    let sum: f64 = (0..k)
        .filter(|&j| j != y)
        .map(|j| {
            let gap = if k == 2 {
                kernel.factors[y] * (1.0 - 2.0 * y as f64) * f[0]
            } else {
                kernel.factors[j] * f[j] - kernel.factors[y] * f[y]
            };
            (kernel.margins[y * k + j] + gap).exp()
        })
        .sum();
    let ce = sum.ln_1p();
    kernel.weights[y] * ce * (-(-ce).exp_m1()).powf(kernel.focal)
}

proptest! {
    #[test]
    fn gradient_and_curvature_agree_with_differences(
        k in 2_usize..6,
        numbers in proptest::collection::vec(-3.0_f64..3.0, 47),
        focal in prop_oneof![Just(0.0), 0.1_f64..5.0],
    ) {
        let kernel = kernel(k, &numbers, 2.0, focal);
        let c = kernel.n_scores();
        let f: Vec<f64> = numbers[..c].to_vec();
        let (mut g, mut up, mut down) = (vec![0.0; c], vec![0.0; c], vec![0.0; c]);
        let (mut p, mut h) = (vec![0.0; k], vec![0.0; c * c]);
        let step = 1e-5;
        for y in 0..k {
            let value = kernel.loss(y, &f, &mut g);
            let expected = definition(&kernel, y, &f);
            prop_assert!((value - expected).abs() < 1e-12 * (1.0 + expected));
            kernel.curvature(y, &f, &mut p, &mut h);
            let mut steps = vec![[0.0; 2]; c];
            kernel.newton(y, &f, &mut steps);
            for (j, step) in steps.iter().enumerate() {
                prop_assert!((step[0] - g[j]).abs() < 1e-12 * (1.0 + g[j].abs()));
                let diagonal = h[j * c + j];
                prop_assert!((step[1] - diagonal).abs() < 1e-12 * (1.0 + diagonal.abs()));
            }
            for j in 0..c {
                let (mut above, mut below) = (f.clone(), f.clone());
                above[j] += step;
                below[j] -= step;
                let slope = (kernel.loss(y, &above, &mut up)
                    - kernel.loss(y, &below, &mut down)) / (2.0 * step);
                prop_assert!((slope - g[j]).abs() < 1e-6 * (1.0 + g[j].abs()));
                for l in j..c {
                    let bend = (up[l] - down[l]) / (2.0 * step);
                    let found = h[j * c + l];
                    // Exact without a focal power; with one, a surrogate with its own test.
                    let agrees = (bend - found).abs() < 1e-5 * (1.0 + found.abs());
                    prop_assert!(agrees || focal > 0.0);
                }
            }
        }
    }

    /// The surrogate is cross-entropy's curvature times the ratio of the two gradients, which makes it
    /// positive semi-definite.
    #[test]
    fn the_focal_surrogate_is_a_reweighted_cross_entropy(
        k in 2_usize..6,
        numbers in proptest::collection::vec(-3.0_f64..3.0, 47),
        focal in 0.1_f64..5.0,
    ) {
        let focused = kernel(k, &numbers, 2.0, focal);
        let plain = kernel(k, &numbers, 2.0, 0.0);
        let c = focused.n_scores();
        let f: Vec<f64> = numbers[..c].to_vec();
        let (mut a, mut b, mut p) = (vec![0.0; c], vec![0.0; c], vec![0.0; k]);
        let (mut h, mut exact) = (vec![0.0; c * c], vec![0.0; c * c]);
        for y in 0..k {
            focused.loss(y, &f, &mut a);
            plain.loss(y, &f, &mut b);
            focused.curvature(y, &f, &mut p, &mut h);
            plain.curvature(y, &f, &mut p, &mut exact);
            let own = if k == 2 { 0 } else { y };
            let m = a[own] / b[own];
            prop_assert!(m >= 0.0);
            for (a, b) in a.iter().zip(&b) {
                prop_assert!((a - m * b).abs() < 1e-12 * (1.0 + a.abs()));
            }
            for (h, exact) in h.iter().zip(&exact) {
                prop_assert!((h - m * exact).abs() < 1e-10 * (1.0 + h.abs()));
            }
        }
    }

    #[test]
    fn rows_together_are_as_rows_alone(
        k in 2_usize..6,
        rows in 1_usize..9,
        numbers in proptest::collection::vec(-3.0_f64..3.0, 61),
        margin in prop_oneof![Just(0.0), 0.1_f64..40.0],
        scale in 0.1_f64..300.0,
        focal in prop_oneof![Just(0.0), 0.1_f64..5.0],
    ) {
        let kernel = kernel(k, &numbers, margin, focal);
        let c = kernel.n_scores();
        let y: Vec<u32> = (0_u32..).take(rows).map(|i| i * 7 % u32::try_from(k).unwrap()).collect();
        let mut f: Vec<f64> = (0..c * rows).map(|i| scale * numbers[i]).collect();
        let (mut value, mut expected) = (0.0, Vec::new());
        for (i, &class) in y.iter().enumerate() {
            let row: Vec<f64> = (0..c).map(|j| f[j * rows + i]).collect();
            let mut g = vec![0.0; c];
            value += kernel.loss(class as usize, &row, &mut g);
            expected.push(g);
        }
        let found = kernel.losses((&y, None), &mut f, &mut Room::default());
        prop_assert!((found - value).abs() <= 1e-13 * (1.0 + value), "{} {}", found, value);
        for (i, g) in expected.iter().enumerate() {
            for (j, g) in g.iter().enumerate() {
                let found = f[j * rows + i];
                prop_assert!((found - g).abs() <= 1e-11 * g.abs() + 1e-300, "{} {}", found, g);
            }
        }
    }

    /// A prior of 1e-9 at tau = 1 is a margin of 21, at larger tau of a hundred; scores may be as large.
    #[test]
    fn extreme_margins_and_scores_stay_numbers(
        k in 2_usize..6,
        numbers in proptest::collection::vec(-3.0_f64..3.0, 47),
        scale in 1.0_f64..300.0,
        focal in prop_oneof![Just(0.0), 0.1_f64..5.0],
    ) {
        let kernel = kernel(k, &numbers, 40.0, focal);
        let c = kernel.n_scores();
        let f: Vec<f64> = numbers[..c].iter().map(|v| v * scale).collect();
        let (mut g, mut p, mut h) = (vec![0.0; c], vec![0.0; k], vec![0.0; c * c]);
        for y in 0..k {
            let value = kernel.loss(y, &f, &mut g);
            kernel.curvature(y, &f, &mut p, &mut h);
            prop_assert!(value.is_finite() && value >= 0.0, "{}", value);
            prop_assert!(g.iter().chain(&h).all(|v| v.is_finite()));
            let expected = definition(&kernel, y, &f);
            if expected.is_finite() {
                prop_assert!((value - expected).abs() < 1e-9 * (1.0 + expected));
            }
            // A row pushes its own class up, never further than its weight, factor and power allow.
            let own = if k == 2 { 0 } else { y };
            let bound = kernel.weights[y] * kernel.factors[y] * (1.0 + focal);
            let push = if k == 2 && y == 0 { g[own] } else { -g[own] };
            prop_assert!((0.0..=bound * (1.0 + 1e-12)).contains(&push), "{} {}", push, bound);
            prop_assert!((0..c).all(|j| h[j * c + j] >= 0.0));
        }
    }
}

#[test]
fn the_search_for_null_scores_ends_where_the_slope_vanishes() {
    for (k, factor) in [(2, 0.3), (4, 0.5)] {
        let mut kernel = kernel(k, &[0.3, -1.2, 0.8, 2.0, -0.4], 1.0, 0.0);
        for (j, d) in kernel.factors.iter_mut().enumerate() {
            *d = if j == 0 { 1.0 } else { factor };
        }
        let mass: Vec<f64> = [2000.0, 50.0, 1.25, 1.25][..k].to_vec();
        let f = kernel.null_scores(&mass);
        let (mut gradient, mut sum) = (vec![0.0; f.len()], vec![0.0; f.len()]);
        for (y, mass) in mass.iter().enumerate() {
            kernel.loss(y, &f, &mut gradient);
            for (s, g) in sum.iter_mut().zip(&gradient) {
                *s += mass / kernel.weights[y] * g;
            }
        }
        assert!(sum.iter().all(|s| s.abs() < 1e-3 * mass[0]), "{k}: {sum:?}");
    }
}

#[test]
fn nothing_overflows_at_the_ends() {
    for focal in [0.0, 0.5, 2.0] {
        let kernel = Kernel {
            n_classes: 3,
            weights: vec![1.0; 3],
            margins: vec![0.0; 9],
            factors: vec![1.0; 3],
            focal,
        };
        let mut g = [0.0; 3];
        let loss = kernel.loss(0, &[1e5, -1e5, 3.0], &mut g);
        assert!(loss.abs() < 1e-12 && g.iter().all(|g| g.is_finite()));
        let loss = kernel.loss(1, &[1e5, -1e5, 3.0], &mut g);
        assert!((loss - 2e5).abs() < 1e-6 && (g[1] + 1.0).abs() < 1e-12);
    }
    assert!((softplus(800.0) - 800.0).abs() < 1e-9);
    assert!(softplus(-50.0) > 0.0 && sigmoids(-800.0).0 >= 0.0);
}

#[test]
fn scores_that_are_no_numbers_give_no_value() {
    for k in [2, 3] {
        for bad in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            let kernel = kernel(k, &[0.5], 1.0, 0.0);
            let mut f = vec![0.5; kernel.n_scores() * 2];
            f[1] = bad;
            let value = kernel.losses((&[0, 1], None), &mut f, &mut Room::default());
            // A row may be infinitely right, and a class infinitely wrong.
            let sound = if k == 2 { bad > 0.0 } else { bad < 0.0 };
            assert!(!value.is_finite() || sound, "{k} {bad} {value}");
        }
    }
}

#[test]
fn easy_rows_keep_their_digits() {
    // q = exp(-60): the loss is q^g q, which a difference of logarithms near 1 would lose.
    let row = |k: usize, focal: f64| {
        let kernel = kernel(k, &[0.0], 0.0, focal);
        let kernel = Kernel {
            weights: vec![1.0; k],
            factors: vec![1.0; k],
            ..kernel
        };
        let mut f = vec![-60.0; kernel.n_scores()];
        f[0] = if k == 2 { -60.0 } else { 0.0 };
        let mut g = vec![0.0; f.len()];
        let value = kernel.loss(0, &f, &mut g);
        (value, g)
    };
    for focal in [0.5, 1.0, 2.0] {
        let q = (-60.0_f64).exp();
        let (two, g) = row(2, focal);
        assert!((two / q.powf(focal + 1.0) - 1.0).abs() < 1e-12, "{two:e}");
        // dl/ds = M q with M = (1 + g) q^g for small q.
        assert!((g[0] / ((1.0 + focal) * q.powf(focal + 1.0)) - 1.0).abs() < 1e-12);
        let (three, g) = row(3, focal);
        let q = 2.0 * q;
        assert!((three / q.powf(focal + 1.0) - 1.0).abs() < 1e-12);
        assert!((g[0] / (-(1.0 + focal) * q.powf(focal + 1.0)) - 1.0).abs() < 1e-12);
    }
}

#[test]
fn a_power_that_is_no_number_is_refused() {
    let kernel = kernel(3, &[0.5], 1.0, 0.0);
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(kernel.clone().with_focal(bad).is_err());
    }
    assert!(kernel.with_focal(2.0).is_ok());
}
