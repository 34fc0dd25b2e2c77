//! The contract of every loss, checked over the whole registry.

use counterweight_core::{
    ClassCounts, Loss, LossContext, LossTerms, ParamValue, RuleCaps, StageError, StageResult,
    log_softmax,
};
use proptest::prelude::*;

use super::ALL;
use crate::testing::{Arm, built, check_registry, text};

#[test]
fn the_registry_is_complete_and_documented() {
    check_registry("loss", &["mod", "class_weights", "contract"], ALL);
}

/// Every loss at its defaults and at each probe of its parameters; none with explicit weights.
fn arms() -> Vec<Arm<RuleCaps, dyn Loss>> {
    crate::testing::arms(ALL)
}

/// The terms and, of a schedule, those that follow.
fn phases(terms: &LossTerms) -> impl Iterator<Item = &LossTerms> {
    std::iter::once(terms).chain(terms.later.as_ref().map(|later| &later.terms))
}

fn terms(loss: &dyn Loss, seen: &[usize], train: &[usize]) -> StageResult<LossTerms> {
    let (seen, train) = (
        ClassCounts::new(seen.to_vec()),
        ClassCounts::new(train.to_vec()),
    );
    loss.terms(&LossContext {
        seen: &seen,
        train: &train,
    })
}

#[test]
fn no_rows_are_an_error_value() {
    for (entry, loss) in arms() {
        for counts in [&[0, 0][..], &[]] {
            let found = terms(&*loss, counts, counts);
            assert!(
                matches!(found, Err(StageError::Failed(_))),
                "{}",
                entry.card.id
            );
        }
    }
}

#[test]
fn one_class_alone_has_a_loss() {
    for (entry, loss) in arms() {
        let found = terms(&*loss, &[0, 5, 0], &[0, 5, 0]).unwrap();
        assert_eq!(found.weights, [0.0, 1.0, 0.0], "{}", entry.card.id);
    }
}

#[test]
fn needs_name_what_the_terms_ask_for() {
    for (entry, loss) in arms() {
        let needs = loss.needs();
        let found = terms(&*loss, &[90, 10, 40], &[90, 10, 40]).unwrap();
        let id = entry.card.id;
        for phase in phases(&found) {
            let uneven = phase.weights.iter().any(|w| (w - 1.0).abs() > 1e-12);
            let margins = phase.margins.as_slice().iter().any(|a| a.abs() > 1e-12);
            let factors = phase.factors.iter().any(|d| (d - 1.0).abs() > 1e-12);
            assert!(!uneven || needs.weights, "{id}: weights");
            assert!(!margins || needs.margins, "{id}: margins");
            assert!(!factors || needs.factors, "{id}: factors");
            assert!(phase.focal.abs() < 1e-12 || needs.focal, "{id}: focal");
            assert!(phase.batch_tau.is_none() || needs.minibatches, "{id}");
        }
        assert_eq!(found.later.is_some(), needs.schedule, "{id}");
        assert_eq!(found.initial_bias.is_some(), needs.initial_bias, "{id}");
        if let Some(later) = &found.later {
            assert!((0.0..=1.0).contains(&later.at), "{id}");
            assert!(later.terms.later.is_none(), "{id}: one change at most");
            assert!(
                later.terms.initial_bias.is_none(),
                "{id}: a start is no end"
            );
        }
    }
}

/// Scores have a prior of their own under a weighted cross-entropy of `f + o` alone: no factors, no power,
/// no shares of a minibatch, and margins that add up from class to class.
#[test]
fn only_a_cross_entropy_of_shifted_scores_has_a_prior_of_its_own() {
    let mut own = 0;
    for counts in [[90, 10].as_slice(), &[90, 10, 40], &[50, 50, 50]] {
        let k = counts.len();
        for (entry, loss) in arms() {
            let found = terms(&*loss, counts, counts).unwrap();
            let last = phases(&found).last().unwrap();
            let m = |a: usize, b: usize| last.margins.at(a, b);
            let add_up = (0..k.pow(3)).all(|at| {
                let (a, b, c) = (at % k, at / k % k, at / k / k);
                (m(a, b) + m(b, c) - m(a, c)).abs() < 1e-9
            });
            let plain = last.factors.iter().all(|d| (d - 1.0).abs() < 1e-12);
            let expected = add_up && plain && last.focal <= 0.0 && last.batch_tau.is_none();
            let seen = ClassCounts::new(counts.to_vec());
            let id = entry.card.id;
            assert_eq!(found.scores_prior(&seen).is_some(), expected, "{id}");
            own += usize::from(expected);
        }
    }
    assert!(own > 20);
}

proptest! {
    #[test]
    fn terms_are_finite_scaled_and_masked(
        counts in proptest::collection::vec(
            prop_oneof![Just(0_usize), 1_usize..50, 1_000_000_usize..1_000_000_000], 1..6),
    ) {
        prop_assume!(counts.iter().any(|&n| n > 0));
        let total: usize = counts.iter().sum();
        for (entry, loss) in arms() {
            let id = entry.card.id;
            let all = terms(&*loss, &counts, &counts).unwrap();
            for found in phases(&all) {
                let mut sum = 0.0;
                for (y, &rows) in counts.iter().enumerate() {
                    sum += rows as f64 * found.weights[y];
                    prop_assert!(found.weights[y].is_finite() && found.weights[y] >= 0.0, "{}", id);
                    prop_assert!(rows > 0 || found.weights[y] == 0.0, "{}", id);
                    prop_assert!(found.factors[y].is_finite() && found.factors[y] > 0.0, "{}", id);
                    for (j, &others) in counts.iter().enumerate() {
                        let margin = found.margins.at(y, j);
                        prop_assert_eq!(others == 0, margin == f64::NEG_INFINITY, "{}", id);
                        prop_assert!(others == 0 || margin.is_finite(), "{}", id);
                        prop_assert!(y != j || rows == 0 || margin == 0.0, "{}", id);
                    }
                }
                prop_assert!((sum / total as f64 - 1.0).abs() < 1e-12, "{}: mean weight", id);
            }
            for (b, &rows) in all.initial_bias.iter().flatten().zip(&counts) {
                prop_assert!(b.is_finite() && (rows > 0 || *b == 0.0), "{}", id);
            }
        }
    }

    #[test]
    fn classes_have_no_order(
        counts in proptest::collection::vec(0_usize..1000, 4),
        order in Just(vec![0_usize, 1, 2, 3]).prop_shuffle(),
    ) {
        prop_assume!(counts.iter().any(|&n| n > 0));
        let moved: Vec<usize> = order.iter().map(|&y| counts[y]).collect();
        for (entry, loss) in arms() {
            let a = terms(&*loss, &counts, &counts).unwrap();
            let b = terms(&*loss, &moved, &moved).unwrap();
            let id = entry.card.id;
            for (a, b) in phases(&a).zip(phases(&b)) {
                for (y, &from) in order.iter().enumerate() {
                    prop_assert!((b.weights[y] - a.weights[from]).abs() <= 1e-9 * a.weights[from]);
                    prop_assert!((b.factors[y] - a.factors[from]).abs() <= 1e-12, "{}", id);
                    for (j, &other) in order.iter().enumerate().filter(|_| moved[y] > 0) {
                        let (found, expected) = (b.margins.at(y, j), a.margins.at(from, other));
                        prop_assert!(
                            found.to_bits() == expected.to_bits() || (found - expected).abs() < 1e-9,
                            "{}: {} {}", id, found, expected
                        );
                    }
                }
            }
            if let (Some(a), Some(b)) = (&a.initial_bias, &b.initial_bias) {
                for (y, &from) in order.iter().enumerate() {
                    prop_assert!((b[y] - a[from]).abs() < 1e-12, "{}", id);
                }
            }
        }
    }

    /// The identity: at one point x with posterior eta, the expected loss is stationary at
    /// f = log eta + log w - o.
    #[test]
    fn the_population_optimum_is_the_identity(
        counts in proptest::collection::vec(1_usize..1000, 2..5),
        raw in proptest::collection::vec(0.01_f64..1.0, 4),
    ) {
        let k = counts.len();
        let total: f64 = raw[..k].iter().sum();
        let eta: Vec<f64> = raw[..k].iter().map(|p| p / total).collect();
        for (entry, loss) in arms() {
            let all = terms(&*loss, &counts, &counts).unwrap();
            let t = phases(&all).last().unwrap();
            let Some(o) = t.logit_offsets() else { continue };
            let f: Vec<f64> = (0..k).map(|y| eta[y].ln() + t.weights[y].ln() - o[y]).collect();
            let mut gradient = vec![0.0; k];
            for (y, eta) in eta.iter().enumerate() {
                let mut p: Vec<f64> = (0..k).map(|j| f[j] + t.margins.at(y, j)).collect();
                log_softmax(&mut p);
                for (j, g) in gradient.iter_mut().enumerate() {
                    *g += eta * t.weights[y] * (p[j].exp() - f64::from(u8::from(j == y)));
                }
            }
            let size: f64 = t.weights.iter().sum();
            for g in gradient {
                prop_assert!(g.abs() < 1e-12 * size, "{}: {}", entry.card.id, g);
            }
        }
    }
}

/// Two Gaussians at -+sqrt 2 with unit variance: `gaussian-pair` along its axis, prior .05. The affine
/// score `a x + b` that minimises the expected loss, found by Newton's method on a fine grid, and the
/// balanced error of its sign.
fn balanced_error_at_the_optimum(terms: &LossTerms) -> f64 {
    let rare = 0.05;
    let density = |x: f64| (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
    let step = 1.0 / 64.0;
    let nodes: Vec<(f64, [f64; 2])> = (-640..=640)
        .map(|i| {
            let x = f64::from(i) * step;
            let mass = [
                (1.0 - rare) * density(x + 2.0_f64.sqrt()),
                rare * density(x - 2.0_f64.sqrt()),
            ];
            (x, mass.map(|m| m * step))
        })
        .collect();
    let value = |a: f64, b: f64| -> f64 {
        let mut sum = 0.0;
        for (x, mass) in &nodes {
            for (y, sign) in [(0, -1.0), (1, 1.0)] {
                let against = terms.margins.at(y, 1 - y) - terms.factors[y] * sign * (a * x + b);
                let ce = against.max(0.0) + (-against.abs()).exp().ln_1p();
                // p_y = exp(-ce).
                sum += mass[y] * terms.weights[y] * ce * (-(-ce).exp_m1()).powf(terms.focal);
            }
        }
        sum
    };
    // Nested golden-section searches: the profile over b of a convex (or for the focal loss, here still
    // unimodal) function.
    let golden = |low: f64, high: f64, f: &dyn Fn(f64) -> f64| -> (f64, f64) {
        let ratio = 0.5 * (5.0_f64.sqrt() - 1.0);
        let (mut low, mut high) = (low, high);
        let (mut u, mut v) = (high - ratio * (high - low), low + ratio * (high - low));
        let (mut fu, mut fv) = (f(u), f(v));
        for _ in 0..32 {
            if fu < fv {
                (high, v, fv) = (v, u, fu);
                u = high - ratio * (high - low);
                fu = f(u);
            } else {
                (low, u, fu) = (u, v, fv);
                v = low + ratio * (high - low);
                fv = f(v);
            }
        }
        (0.5 * (low + high), fu.min(fv))
    };
    let best_b = |a: f64| golden(-8.0, 8.0, &|b| value(a, b));
    let (a, _) = golden(0.5, 9.0, &|a| best_b(a).1);
    let cut = -best_b(a).0 / a;
    // Errors above the cut for the common class, below it for the rare one.
    let tail = |z: f64| -> f64 {
        let steps = 4000;
        let h = (12.0 - z) / f64::from(steps);
        (0..steps)
            .map(|i| density(z + (f64::from(i) + 0.5) * h) * h)
            .sum()
    };
    0.5 * (tail(cut + 2.0_f64.sqrt()) + 1.0 - tail(cut - 2.0_f64.sqrt()))
}

#[test]
fn population_optima_of_the_gaussian_pair() {
    let of = |id: &str, given: &[(&str, ParamValue)]| {
        let loss = built(counterweight_core::find(ALL, id).unwrap(), given);
        balanced_error_at_the_optimum(&terms(&*loss, &[95, 5], &[95, 5]).unwrap())
    };
    let (plain, best) = (0.180_770_286_478_417, 0.078_649_603_525_142_6);
    let near = |found: f64, expected: f64| (found - expected).abs() < 1e-5;
    for id in ["cross-entropy", "bias-init"] {
        assert!(near(of(id, &[]), plain), "{id} {}", of(id, &[]));
    }
    for id in ["weighted", "logit-adjusted", "pairwise-margin"] {
        assert!(near(of(id, &[]), best), "{id} {}", of(id, &[]));
    }
    for id in ["adaptive", "equalised", "ldam"] {
        let found = of(id, &[]);
        assert!(best + 1e-3 < found && found < plain - 1e-3, "{id} {found}");
    }
    // Factors push against the rare class where rows overlap, and take back a part of the offsets.
    assert!(of("cdt", &[]) > plain + 1e-3);
    assert!(of("vs", &[]) > best + 1e-3);
    // The focal loss is no correction; with weights it is one again on a symmetric problem.
    assert!(of("focal", &[]) > 0.9 * plain);
    let weighted = [("scheme", text("inverse-frequency"))];
    assert!(near(of("focal", &weighted), best));
}
