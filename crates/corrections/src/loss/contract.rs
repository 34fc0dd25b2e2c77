//! The contract of every loss, checked over the whole registry.

use counterweight_core::{
    ClassCounts, Loss, LossContext, LossEntry, LossTerms, ParamValue, StageError, StageResult,
    log_softmax,
};
use proptest::prelude::*;

use super::ALL;
use crate::testing::{built, check_registry, flag, real, text};

#[test]
fn the_registry_is_complete_and_documented() {
    check_registry("loss", &["mod", "contract"], ALL);
}

/// Every loss at its defaults and at some other settings.
fn arms() -> Vec<(&'static LossEntry, Box<dyn Loss>)> {
    let other: [(&str, Vec<(&str, ParamValue)>); 7] = [
        ("weighted", vec![("scheme", text("inverse-sqrt"))]),
        ("weighted", vec![("scheme", text("effective-number"))]),
        ("logit-adjusted", vec![("tau", real(-0.5))]),
        ("logit-adjusted", vec![("tau", real(2.5))]),
        (
            "logit-adjusted",
            vec![("tau", real(0.5)), ("consistent", flag(true))],
        ),
        ("logit-adjusted", vec![("prior", text("train"))]),
        ("logit-adjusted", vec![("prior", text("uniform"))]),
    ];
    let defaults = ALL.iter().map(|entry| (entry, built(entry, &[])));
    let others = other.iter().map(|(id, given)| {
        let entry = counterweight_core::find(ALL, id).unwrap();
        (entry, built(entry, given))
    });
    defaults.chain(others).collect()
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
        let uneven = found.weights.iter().any(|w| (w - 1.0).abs() > 1e-12);
        let margins = found.margins.as_slice().iter().any(|a| a.abs() > 1e-12);
        let factors = found.factors.iter().any(|d| (d - 1.0).abs() > 1e-12);
        let id = entry.card.id;
        assert!(!uneven || needs.weights, "{id}: weights");
        assert!(!margins || needs.margins, "{id}: margins");
        assert!(!factors || needs.factors, "{id}: factors");
        assert!(found.focal.abs() < 1e-12 || needs.focal, "{id}: focal");
    }
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
            let found = terms(&*loss, &counts, &counts).unwrap();
            let mut sum = 0.0;
            for (y, &rows) in counts.iter().enumerate() {
                sum += rows as f64 * found.weights[y];
                prop_assert!(found.weights[y].is_finite() && found.weights[y] >= 0.0, "{}", id);
                prop_assert!(rows > 0 || found.weights[y] == 0.0, "{}", id);
                for (j, &others) in counts.iter().enumerate() {
                    let margin = found.margins.at(y, j);
                    prop_assert_eq!(others == 0, margin == f64::NEG_INFINITY, "{}", id);
                    prop_assert!(others == 0 || margin.is_finite(), "{}", id);
                    prop_assert!(y != j || rows == 0 || margin == 0.0, "{}", id);
                }
            }
            prop_assert!((sum / total as f64 - 1.0).abs() < 1e-12, "{}: mean weight", id);
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
            for (y, &from) in order.iter().enumerate() {
                prop_assert!((b.weights[y] - a.weights[from]).abs() <= 1e-9 * a.weights[from]);
                for (j, &other) in order.iter().enumerate().filter(|_| moved[y] > 0) {
                    let (found, expected) = (b.margins.at(y, j), a.margins.at(from, other));
                    prop_assert!(
                        found.to_bits() == expected.to_bits() || (found - expected).abs() < 1e-9,
                        "{}: {} {}", entry.card.id, found, expected
                    );
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
            let t = terms(&*loss, &counts, &counts).unwrap();
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
