//! What the parameters of a training do.

use counterweight_core::{LossTerms, Matrix, Note, ParamValue, SmallClass, StageError, find};

use super::{BOTH, Given, deferred, text, whole};
use crate::testing::{Fit, blobs, fit, learner, train, try_fit, weighted};

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
            ("patience", whole(10)),
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
    assert!(fit.notes.iter().any(says) && (fit.details["updates"] - 5000.0).abs() < 1e-9);
}

#[test]
fn a_budget_of_updates_does_not_grow_with_the_rows() {
    let plain = LossTerms::cross_entropy(2);
    for id in BOTH {
        for counts in [&[30, 10][..], &[300, 100]] {
            let (x, y) = blobs(98, counts, 2);
            let mut given = vec![("updates", whole(70)), ("batch_size", whole(8))];
            if id == "mlp" {
                given.push(("early_stopping", ParamValue::Flag(false)));
            }
            let fit = fit(id, &given, &train(&x, &y, 2), &plain);
            let epochs = 70.0 / (x.rows() as f64 / 8.0);
            assert!((fit.details["updates"] - 70.0).abs() < 1e-9, "{id}");
            assert!((fit.details["epochs"] - epochs).abs() < 1e-9, "{id}");
        }
    }
    // Its end says when it came too soon.
    let (x, y) = blobs(98, &[300, 100], 2);
    let given = [
        ("updates", whole(100)),
        ("schedule", text("constant")),
        ("learning_rate", ParamValue::Real(0.001)),
    ];
    let short = fit("mlp", &given, &train(&x, &y, 2), &plain);
    let says = |note: &Note| note.text().contains("did not converge");
    assert!(short.notes.iter().any(says), "{:?}", short.notes);
    let whole = fit("mlp", &[], &train(&x, &y, 2), &plain);
    assert!(!whole.notes.iter().any(says), "{:?}", whole.notes);
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
        (vec![], "updates", whole(50)),
    ];
    let entry = find(crate::ALL, "mlp").unwrap();
    for spec in entry.card.params {
        let tried = cases.iter().filter(|(_, name, _)| *name == spec.name);
        assert_eq!(tried.count(), 1, "add a case for `{}`", spec.name);
    }
    for (mut given, name, value) in cases {
        if !["epochs", "updates"].contains(&name) {
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
    assert_eq!(entry.card.params.len(), 9);
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
