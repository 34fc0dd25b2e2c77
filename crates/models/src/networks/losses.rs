//! What losses and draws come to.

use counterweight_core::{BatchScheme, LossTerms, ParamValue, SmallClass, StageError, Train};

use super::{BOTH, Given, batch_tau, between, deferred, log_shares, text, whole};
use crate::testing::{blobs, fit, gap, learner, offset, repeat, train, try_fit, weighted};

#[test]
fn batch_prior_with_batches_of_all_rows_is_logit_adjusted_with_their_prior() {
    for counts in [&[60, 15][..], &[50, 20, 8]] {
        let k = counts.len();
        let (x, y) = blobs(91, counts, 3);
        let data = train(&x, &y, k);
        for id in BOTH {
            let all = vec![("batch_size", whole(1000)), ("epochs", whole(30))];
            let few = vec![("batch_size", whole(5)), ("epochs", whole(30))];
            for tau in [0.5, 1.0, -1.0] {
                let offsets: Vec<f64> = log_shares(counts).iter().map(|p| tau * p).collect();
                let (batch, global) = (batch_tau(k, tau), offset(&offsets));
                let found = between(id, &all, &data, &batch, &global);
                assert!(found < 1e-12, "{id}, tau {tau}: {found:.1e}");
                // Small batches are another loss.
                assert!(between(id, &few, &data, &batch, &global) > 0.01, "{id}");
            }
            // Weighted rows count by their weight: the prior is that of the weighted counts.
            let weights: Vec<f64> = (0..k).map(|j| 1.0 + 2.0 * j as f64).collect();
            let mass: Vec<f64> = counts
                .iter()
                .zip(&weights)
                .map(|(&n, w)| n as f64 * w)
                .collect();
            let total: f64 = mass.iter().sum();
            let logs: Vec<f64> = mass.iter().map(|m| (m / total).ln()).collect();
            let mut batch = weighted(&weights);
            batch.batch_tau = Some(1.0);
            let global = LossTerms {
                weights,
                ..offset(&logs)
            };
            assert!(between(id, &all, &data, &batch, &global) < 1e-12, "{id}");
        }
    }
}

#[test]
fn batch_prior_at_tau_0_is_cross_entropy() {
    for counts in [&[40, 6][..], &[30, 12, 3]] {
        let k = counts.len();
        let (x, y) = blobs(92, counts, 3);
        let data = train(&x, &y, k);
        for id in BOTH {
            let few = vec![("batch_size", whole(5)), ("epochs", whole(10))];
            let plain = fit(id, &few, &data, &LossTerms::cross_entropy(k)).scores(&x);
            let none = fit(id, &few, &data, &batch_tau(k, 0.0)).scores(&x);
            assert_eq!(plain, none, "{id}");
        }
    }
}

#[test]
fn a_deferred_loss_is_the_first_at_the_end_and_the_second_at_the_start() {
    for counts in [&[40, 10][..], &[30, 15, 6]] {
        let k = counts.len();
        let (x, y) = blobs(93, counts, 3);
        let data = train(&x, &y, k);
        let plain = LossTerms::cross_entropy(k);
        let weights: Vec<f64> = (0..k).map(|j| 1.0 + 3.0 * j as f64).collect();
        for (then, name) in [
            (weighted(&weights), "weights"),
            (batch_tau(k, 1.0), "batch"),
        ] {
            for id in BOTH {
                let given = vec![("epochs", whole(10)), ("batch_size", whole(8))];
                let of = |terms: &LossTerms| fit(id, &given, &data, terms).scores(&x);
                let (first, second) = (of(&plain), of(&then));
                assert_eq!(
                    of(&deferred(plain.clone(), &then, 1.0)),
                    first,
                    "{id} {name}"
                );
                assert_eq!(
                    of(&deferred(plain.clone(), &then, 0.0)),
                    second,
                    "{id} {name}"
                );
                let half = of(&deferred(plain.clone(), &then, 0.5));
                assert!(
                    gap(&half, &first) > 1e-3 && gap(&half, &second) > 1e-3,
                    "{id} {name}"
                );
            }
        }
    }
}

#[test]
fn schedules_that_cannot_be_are_errors() {
    let (x, y) = blobs(93, &[10, 6], 2);
    let data = train(&x, &y, 2);
    let plain = LossTerms::cross_entropy(2);
    let nested = deferred(plain.clone(), &deferred(plain.clone(), &plain, 0.5), 0.5);
    for terms in [
        nested,
        deferred(plain.clone(), &plain, 1.5),
        deferred(plain.clone(), &plain, f64::NAN),
        deferred(plain.clone(), &weighted(&[1.0, f64::NAN]), 0.5),
        LossTerms {
            initial_bias: Some(vec![0.0; 3]),
            ..plain.clone()
        },
        LossTerms {
            initial_bias: Some(vec![0.0, f64::INFINITY]),
            ..plain
        },
    ] {
        let ended = try_fit(&*learner("mlp", &[]), &data, &terms, SmallClass::Clamp);
        assert!(matches!(ended, Err(StageError::Failed(_))), "{ended:?}");
    }
}

#[test]
fn a_class_that_counts_in_one_part_of_a_schedule_takes_part() {
    let (x, y) = blobs(94, &[20, 15, 10], 2);
    let data = train(&x, &y, 3);
    let without = weighted(&[1.0, 1.0, 0.0]);
    let plain = LossTerms::cross_entropy(3);
    for id in BOTH {
        for (a, b) in [(&without, &plain), (&plain, &without)] {
            let scores = fit(id, &[], &data, &deferred(a.clone(), b, 0.5)).scores(&x);
            assert!(
                scores.log().as_slice().iter().all(|s| s.is_finite()),
                "{id}"
            );
        }
        let never = deferred(without.clone(), &without, 0.5);
        let scores = fit(id, &[], &data, &never).scores(&x);
        assert!(
            scores
                .log()
                .column(2)
                .iter()
                .all(|s| *s == f64::NEG_INFINITY)
        );
    }
}

#[test]
fn a_starting_bias_is_a_correction_only_until_training_forgets_it() {
    for counts in [&[90, 10][..], &[60, 25, 5]] {
        let k = counts.len();
        let (x, y) = blobs(95, counts, 3);
        let data = train(&x, &y, k);
        let plain = LossTerms::cross_entropy(k);
        let bias = LossTerms {
            initial_bias: Some(log_shares(counts)),
            ..plain.clone()
        };
        // A network keeps some of it, most of all after a few epochs.
        let few = vec![("epochs", whole(2))];
        assert!(between("mlp", &few, &data, &plain, &bias) > 0.1);
        assert!(between("softmax-sgd", &few, &data, &plain, &bias) > 0.1);
        // The convex model forgets it.
        let many = vec![("epochs", whole(2000)), ("batch_size", whole(1000))];
        let found = between("softmax-sgd", &many, &data, &plain, &bias);
        assert!(found < 1e-5, "{found:.1e}");
    }
}

#[test]
fn a_weight_is_a_number_of_copies_when_batches_are_all_rows() {
    let heads: [Given<'_>; 3] = [
        vec![],
        vec![("head", text("cosine")), ("scale", ParamValue::Real(8.0))],
        vec![("solver", text("sgd")), ("activation", text("tanh"))],
    ];
    for (counts, times) in [(&[40, 12][..], &[1, 3][..]), (&[30, 20, 8], &[1, 2, 5])] {
        let k = counts.len();
        let (x, y) = blobs(96, counts, 3);
        let (again, again_y) = repeat(&x, &y, times);
        let weights: Vec<f64> = times.iter().map(|&t| t as f64).collect();
        for (id, given) in heads
            .iter()
            .map(|g| ("mlp", g))
            .chain([("softmax-sgd", &vec![])])
        {
            let mut given = given.clone();
            given.extend([("batch_size", whole(100_000)), ("epochs", whole(50))]);
            for tau in [None, Some(1.0)] {
                let with = |terms: LossTerms| LossTerms {
                    batch_tau: tau,
                    ..terms
                };
                let by_weight = fit(id, &given, &train(&x, &y, k), &with(weighted(&weights)));
                let plain = with(LossTerms::cross_entropy(k));
                let by_row = fit(id, &given, &train(&again, &again_y, k), &plain);
                let found = gap(&by_weight.scores(&x), &by_row.scores(&x));
                assert!(found < 1e-9, "{id}, {given:?}, {tau:?}: {found:.1e}");
            }
        }
    }
}

#[test]
fn minibatch_softmax_approaches_the_optimum_of_softmax_regression() {
    for counts in [&[150, 30][..], &[100, 60, 20]] {
        let k = counts.len();
        let (x, y) = blobs(97, counts, 4);
        let data = train(&x, &y, k);
        let weights: Vec<f64> = (0..k).map(|j| 1.0 + j as f64).collect();
        let mut adjusted = offset(&log_shares(counts));
        adjusted.weights = weights;
        for terms in [LossTerms::cross_entropy(k), adjusted] {
            for l2 in [1.0, 20.0] {
                let l2 = ("l2", ParamValue::Real(l2));
                let exact = fit(
                    "softmax-regression",
                    std::slice::from_ref(&l2),
                    &data,
                    &terms,
                );
                let far = |extra: &[(&str, ParamValue)]| {
                    let given: Given<'_> = extra.iter().cloned().chain([l2.clone()]).collect();
                    let fit = fit("softmax-sgd", &given, &data, &terms);
                    gap(&fit.scores(&x), &exact.scores(&x))
                };
                assert!(far(&[]) < 0.04, "{:.1e}", far(&[]));
                let sgd = ("solver", text("sgd"));
                let rate = ("learning_rate", ParamValue::Real(0.1));
                let found = far(&[sgd.clone(), rate.clone()]);
                assert!(found < 0.04, "{found:.1e}");
                // Batches of all rows have no noise: the distance is that of the steps alone.
                let all = [("batch_size", whole(1000)), ("epochs", whole(3000))];
                let all = far(&[&all[..], &[sgd, rate]].concat());
                assert!(all < 1e-5, "{all:.1e}");
            }
        }
    }
}

#[test]
fn even_batches_are_inverse_frequency_weights_on_average() {
    let counts = [160, 40];
    let (x, y) = blobs(98, &counts, 3);
    let data = train(&x, &y, 2);
    let exact = fit(
        "softmax-regression",
        &[],
        &data,
        &weighted(&[200.0 / 320.0, 200.0 / 80.0]),
    );
    let given = [("epochs", whole(400))];
    let plain = LossTerms::cross_entropy(2);
    let far = |data: &Train| {
        let fit = fit("softmax-sgd", &given, data, &plain);
        gap(&fit.scores(&x), &exact.scores(&x))
    };
    let even = far(&data.clone().with_batches(BatchScheme::ClassBalanced));
    assert!(even < 0.03, "{even}");
    assert!(far(&data) > 0.2);
    // Half the way, and on the network too.
    let half = far(&data.clone().with_batches(BatchScheme::SquareRoot));
    assert!(half > 3.0 * even && half < far(&data));
    let of = |data: &Train| fit("mlp", &[], data, &plain).scores(&x);
    assert!(
        gap(
            &of(&data.clone().with_batches(BatchScheme::Progressive)),
            &of(&data)
        ) > 0.05
    );
}
