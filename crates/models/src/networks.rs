//! What theory says of learners that train by minibatches.

use counterweight_core::{
    BatchScheme, Later, LossTerms, Matrix, Note, ParamValue, SmallClass, StageError, Train, find,
};

use crate::testing::{Fit, blobs, fit, gap, learner, offset, repeat, train, try_fit, weighted};

const BOTH: [&str; 2] = ["mlp", "softmax-sgd"];

type Given<'a> = Vec<(&'a str, ParamValue)>;

fn whole(value: i64) -> ParamValue {
    ParamValue::Whole(value)
}

fn text(word: &str) -> ParamValue {
    ParamValue::Text(word.into())
}

fn log_shares(counts: &[usize]) -> Vec<f64> {
    let n: usize = counts.iter().sum();
    counts.iter().map(|&c| (c as f64 / n as f64).ln()).collect()
}

fn batch_tau(k: usize, tau: f64) -> LossTerms {
    LossTerms {
        batch_tau: Some(tau),
        ..LossTerms::cross_entropy(k)
    }
}

fn deferred(first: LossTerms, then: &LossTerms, at: f64) -> LossTerms {
    LossTerms {
        later: Some(Box::new(Later {
            at,
            terms: then.clone(),
        })),
        ..first
    }
}

/// Largest gap of probabilities on the training rows under two losses, with these parameters.
fn between(id: &str, given: &Given<'_>, data: &Train, a: &LossTerms, b: &LossTerms) -> f64 {
    let x = data.samples().x();
    let of = |terms: &LossTerms| fit(id, given, data, terms).scores(x);
    gap(&of(a), &of(b))
}

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

#[test]
fn early_stopping_keeps_the_best_weights() {
    let counts = [120, 40];
    let (x, y) = blobs(99, &counts, 2);
    let data = train(&x, &y, 2);
    let plain = LossTerms::cross_entropy(2);
    let run = |extra: &[(&'static str, ParamValue)]| -> Fit {
        let mut given = vec![
            ("hidden", ParamValue::List(vec![whole(64)])),
            ("learning_rate", ParamValue::Real(0.05)),
            ("schedule", text("constant")),
            ("weight_decay", ParamValue::Real(0.0)),
            ("epochs", whole(300)),
        ];
        given.extend(extra.iter().cloned());
        fit("mlp", &given, &data, &plain)
    };
    let early = [("early_stopping", ParamValue::Flag(true))];
    let stopped = run(&early);
    let n = stopped.details["epochs"];
    assert!(n > 10.0 && n < 150.0, "{n} epochs");
    // The weights are those of ten epochs ago, when the loss was smallest: a training of just so
    // many epochs ends there.
    let at = (1..300).find(|&at| (f64::from(at) - (n - 10.0)).abs() < 0.5);
    let at = whole(i64::from(at.unwrap()));
    let best = run(&[early[0].clone(), ("epochs", at)]);
    assert_eq!(stopped.scores(&x), best.scores(&x));
    let smallest = |fit: &Fit| fit.details["validation_loss"].to_bits();
    assert_eq!(smallest(&stopped), smallest(&best));
    assert!(!run(&[]).details.contains_key("validation_loss"));
    // Nothing to hold out: it says so and trains on.
    let (two, two_y) = blobs(1, &[1, 1], 2);
    let given = [("early_stopping", ParamValue::Flag(true))];
    let fit = fit("mlp", &given, &train(&two, &two_y, 2), &plain);
    let says = |note: &Note| note.text().contains("early stopping");
    assert!(fit.notes.iter().any(says) && (fit.details["epochs"] - 100.0).abs() < 1e-9);
}

#[test]
fn under_a_schedule_early_stopping_waits_for_the_last_loss() {
    let (x, y) = blobs(99, &[60, 20], 2);
    let data = train(&x, &y, 2);
    let terms = deferred(LossTerms::cross_entropy(2), &weighted(&[1.0, 3.0]), 0.5);
    let given = [
        ("early_stopping", ParamValue::Flag(true)),
        ("learning_rate", ParamValue::Real(0.1)),
        ("patience", whole(2)),
        ("epochs", whole(100)),
    ];
    let fit = fit("mlp", &given, &data, &terms);
    assert!(fit.details["epochs"] >= 52.0, "{:?}", fit.details);
}

#[test]
fn a_cosine_head_is_bounded_by_its_scale_and_has_no_bias() {
    for counts in [&[40, 20][..], &[30, 20, 10]] {
        let k = counts.len();
        let (x, y) = blobs(100, counts, 3);
        let data = train(&x, &y, k);
        let widest = |scale: f64, terms: &LossTerms| -> f64 {
            let given = [("head", text("cosine")), ("scale", ParamValue::Real(scale))];
            let scores = fit("mlp", &given, &data, terms).scores(&x);
            let rows = scores.log().iter_rows().map(|row| {
                let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                top - row.iter().copied().fold(f64::INFINITY, f64::min)
            });
            rows.fold(0.0, f64::max)
        };
        // Two classes have one score in +-scale, more one each: 2 scale between them.
        let bound = if k == 2 { 1.0 } else { 2.0 };
        let plain = LossTerms::cross_entropy(k);
        let narrow = widest(1.0, &plain);
        assert!(narrow <= bound + 1e-12 && narrow > 0.5 * bound, "{narrow}");
        let wide = widest(20.0, &plain);
        assert!(wide <= 20.0 * bound && wide > 3.0 * bound, "{wide}");
        // LDAM: margins that shrink with a class's rows, both sides times 30.
        let mut ldam = plain.clone();
        ldam.factors = vec![30.0; k];
        let own: Vec<f64> = counts
            .iter()
            .map(|&n| 15.0 * (10.0 / n as f64).powf(0.25))
            .collect();
        ldam.margins = Matrix::from_fn(k, k, |y, j| if y == j { 0.0 } else { own[y] });
        let found = widest(1.0, &ldam);
        assert!(found <= bound + 1e-12 && found > 0.5 * bound, "{found}");
        let bias = LossTerms {
            initial_bias: Some(vec![0.0; k]),
            ..plain
        };
        let cosine = learner("mlp", &[("head", text("cosine"))]);
        let ended = try_fit(&*cosine, &data, &bias, SmallClass::Clamp);
        assert!(
            matches!(ended, Err(StageError::NotApplicable(_))),
            "{ended:?}"
        );
    }
}

#[test]
fn batches_may_have_any_size() {
    let (x, y) = blobs(101, &[23, 9], 2);
    let data = train(&x, &y, 2);
    let plain = LossTerms::cross_entropy(2);
    for id in BOTH {
        let of = |size: i64| {
            fit(
                id,
                &[("batch_size", whole(size)), ("epochs", whole(5))],
                &data,
                &plain,
            )
        };
        let all = of(32);
        assert!(all.notes.is_empty(), "{id}: {:?}", all.notes);
        let more = of(33);
        assert!(matches!(more.notes.as_slice(), [Note::Remark(text)] if text.contains("33")));
        assert_eq!(more.scores(&x), all.scores(&x), "{id}");
        assert_eq!(of(i64::MAX).scores(&x), all.scores(&x), "{id}");
        for size in [1, 2, 5, 31] {
            assert_ne!(of(size).scores(&x), all.scores(&x), "{id}: {size}");
        }
    }
}

#[test]
fn every_parameter_of_the_network_does_something() {
    let (x, y) = blobs(102, &[40, 25, 15], 3);
    let data = train(&x, &y, 3);
    let plain = LossTerms::cross_entropy(3);
    let few = ("epochs", whole(5));
    let sgd = ("solver", text("sgd"));
    let early = ("early_stopping", ParamValue::Flag(true));
    let cosine = ("head", text("cosine"));
    let list = |items: &[i64]| ParamValue::List(items.iter().map(|&n| whole(n)).collect());
    let real = ParamValue::Real;
    let no = ParamValue::Flag(false);
    let cases: Vec<(Given<'_>, &str, ParamValue)> = vec![
        (vec![], "hidden", list(&[32, 8])),
        (vec![], "activation", text("tanh")),
        (vec![], "solver", text("sgd")),
        (vec![], "learning_rate", real(0.02)),
        (vec![], "schedule", text("constant")),
        (vec![sgd.clone()], "momentum", real(0.5)),
        (vec![sgd], "nesterov", no.clone()),
        (vec![], "batch_size", whole(8)),
        (vec![], "weight_decay", real(5.0)),
        (vec![], "early_stopping", early.1.clone()),
        (vec![early.clone()], "validation", real(0.3)),
        (
            vec![
                early,
                ("batch_size", whole(2)),
                ("schedule", text("constant")),
            ],
            "patience",
            whole(1),
        ),
        (vec![], "head", text("cosine")),
        (vec![cosine], "scale", real(5.0)),
        (vec![], "epochs", whole(6)),
    ];
    let entry = find(crate::ALL, "mlp").unwrap();
    for spec in entry.card.params {
        let tried = cases.iter().filter(|(_, name, _)| *name == spec.name);
        assert_eq!(tried.count(), 1, "add a case for `{}`", spec.name);
    }
    for (mut given, name, value) in cases {
        if name != "epochs" {
            let long = name == "patience";
            given.push(if long {
                ("epochs", whole(200))
            } else {
                few.clone()
            });
        }
        let before = fit("mlp", &given, &data, &plain).scores(&x);
        given.push((name, value));
        assert_ne!(
            fit("mlp", &given, &data, &plain).scores(&x),
            before,
            "{name}"
        );
    }
    let (entry, none) = (find(crate::ALL, "softmax-sgd").unwrap(), vec![few]);
    let before = fit("softmax-sgd", &none, &data, &plain).scores(&x);
    assert_eq!(entry.card.params.len(), 8);
    for extra in [
        ("averaging", no),
        ("l2", real(30.0)),
        ("solver", text("sgd")),
    ] {
        let given: Given<'_> = none.iter().cloned().chain([extra]).collect();
        assert_ne!(fit("softmax-sgd", &given, &data, &plain).scores(&x), before);
    }
}

#[test]
fn more_than_three_hidden_layers_are_refused() {
    let entry = find(crate::ALL, "mlp").unwrap();
    let build = |layers: &[i64]| {
        let items = layers.iter().map(|&n| whole(n)).collect();
        let given = [("hidden".to_owned(), ParamValue::List(items))].into();
        let params = counterweight_core::params::check(entry.card.params, &given);
        params.map(|params| (entry.build)(&params).map(|_| ()))
    };
    assert!(matches!(build(&[4, 3, 2]), Ok(Ok(()))));
    let refused = build(&[4, 3, 2, 2]).unwrap().unwrap_err();
    assert!(refused.to_string().contains("three layers"), "{refused}");
    assert!(build(&[0]).is_err() && build(&[]).is_err());
}

#[test]
fn weights_that_run_off_are_an_error_that_says_what_to_try() {
    let (x, y) = blobs(103, &[30, 20], 2);
    let x = Matrix::from_fn(x.rows(), 2, |i, j| 1e8 * x.at(i, j));
    let given = [
        ("solver", text("sgd")),
        ("learning_rate", ParamValue::Real(10.0)),
    ];
    let plain = LossTerms::cross_entropy(2);
    let ended = try_fit(
        &*learner("mlp", &given),
        &train(&x, &y, 2),
        &plain,
        SmallClass::Clamp,
    );
    assert!(
        matches!(&ended, Err(StageError::Failed(text)) if text.contains("learning_rate")),
        "{ended:?}"
    );
}
