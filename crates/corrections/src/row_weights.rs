//! What weights of rows are to the methods of this crate: a row that weighs w is a row given w times to every loss and
//! decision, and resampled rows keep the weight that they come with.

use std::collections::BTreeMap;

use counterweight_core::{
    Calib, DecideContext, Extras, Labels, LossContext, LossTerms, Matrix, Origin, OutOfFold,
    ParamValue, Samples, Scores, Shared, TestScores, Train,
};
use rand::RngExt as _;

use crate::testing::{built, context, labels, required, stream, text, train};
use crate::{decide, loss, resample};

/// Rows of these classes with 1 to 4 as weights, in another unit, and the rows that stand for them.
fn weighed(counts: &[usize]) -> (Labels, Vec<usize>, Labels) {
    let classes: Vec<usize> = (0..counts.len())
        .flat_map(|class| std::iter::repeat_n(class, counts[class]))
        .collect();
    let times: Vec<usize> = (0..classes.len())
        .map(|i| 1 + (i * 5 + i / 3) % 4)
        .collect();
    let weights = times.iter().map(|&n| 0.3 * n as f64).collect();
    let rows: Vec<usize> = (0..classes.len())
        .flat_map(|i| std::iter::repeat_n(i, times[i]))
        .collect();
    let one = labels(&classes, counts.len());
    let again = one.select(&rows);
    let ties = Labels::weighted(again, vec![1.0; rows.len()]).unwrap();
    (one.weighted(weights).unwrap(), rows, ties)
}

fn assert_near(a: &[f64], b: &[f64], what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    for (a, b) in a.iter().zip(b) {
        let near = (a - b).abs() <= 1e-7 * b.abs().max(1.0) || a.to_bits() == b.to_bits();
        assert!(near, "{what}: {a} and {b}");
    }
}

#[test]
fn losses_go_by_what_classes_weigh() {
    let (one, _, again) = weighed(&[40, 11, 6]);
    assert!(one.counts().prior() != labels(&[0, 1, 2], 3).counts().prior());
    for entry in loss::ALL {
        let loss = built(entry, &required(entry.card.params));
        let of = |labels: &Labels| -> LossTerms {
            let counts = labels.counts();
            let (seen, train) = (&counts, &counts);
            loss.terms(&LossContext { seen, train }).unwrap()
        };
        let (a, b) = (of(&one), of(&again));
        let id = entry.card.id;
        assert_near(&a.weights, &b.weights, id);
        assert_near(a.margins.as_slice(), b.margins.as_slice(), id);
        assert_near(&a.factors, &b.factors, id);
        let priors = [(&a, &one), (&b, &again)].map(|(t, y)| t.scores_prior(&y.counts()));
        if let [Some(a), Some(b)] = priors {
            assert_near(a.as_slice(), b.as_slice(), id);
        }
    }
}

/// Out-of-fold scores of rows with these labels, in three folds.
fn calib(log: &Matrix, y: &Labels) -> Calib {
    let n = log.rows();
    let samples = Samples::numeric(Matrix::zeros(n, 1), y.clone()).unwrap();
    let all = counterweight_core::Partition::new(n, (0..n).collect(), vec![]).unwrap();
    let mut collected = OutOfFold::new(&all.cut_samples(&samples).unwrap().0);
    for fold in 0..3 {
        let held: Vec<usize> = (0..n).filter(|i| i % 3 == fold).collect();
        let scores = Scores::log_probabilities(log.select_rows(&held)).unwrap();
        collected.add(&held, scores).unwrap();
    }
    collected.finish().unwrap()
}

#[test]
fn what_is_tuned_and_calibrated_goes_by_what_rows_weigh() {
    let kinds = |by: &str| vec![("by", text(by))];
    let mut tried = 0;
    for counts in [&[60, 17][..], &[50, 30, 12]] {
        let (one, rows, again) = weighed(counts);
        let mut noise = stream(3);
        let logits = Matrix::from_fn(one.len(), counts.len(), |i, k| {
            let z: f64 = noise.sample(rand_distr::StandardNormal);
            1.7 * (z + f64::from(u8::from(one.class(i) == k)))
        });
        let log = Scores::logits(logits).unwrap().log().clone();
        let (a, b) = (calib(&log, &one), calib(&log.select_rows(&rows), &again));
        for (id, given) in [
            ("tuned-threshold", vec![]),
            ("tuned-threshold", vec![("metric", text("macro-f1"))]),
            ("tuned-tau", vec![]),
            ("calibrated", kinds("temperature")),
            ("calibrated", kinds("isotonic")),
            ("calibrated", kinds("beta")),
            ("calibrated", kinds("vector-scaling")),
            ("saerens-em", vec![]),
            ("bbse", vec![]),
            ("logit-adjust", vec![("prior", text("estimated"))]),
        ] {
            let entry = decide::ALL
                .iter()
                .find(|entry| entry.card.id == id)
                .unwrap();
            let decision = built(entry, &given);
            assert!(decision.weighs(), "{id}");
            let fit = |calib: &Calib, y: &Labels| {
                let train = y.counts();
                let prior = train.prior();
                let about = DecideContext {
                    scores_prior: prior.as_ref(),
                    train: &train,
                };
                let own = y.weights();
                let extras = Extras {
                    batch: Some(TestScores::new(calib.scores()).weighing(own.as_deref())),
                    head: None,
                };
                decision.fit_with(&about, Some(calib), &extras).unwrap()
            };
            let (x, y) = (fit(&a, &one), fit(&b, &again));
            let what = format!("{id} {given:?}");
            let decided =
                |rule: &counterweight_core::FittedRule| rule.rule.decide(a.scores()).unwrap();
            assert_eq!(decided(&x), decided(&y), "{what}");
            let rescored =
                |rule: &counterweight_core::FittedRule| rule.rule.rescore(a.scores()).unwrap();
            match (rescored(&x), rescored(&y)) {
                (Some(x), Some(y)) => {
                    let p = |scores: &Scores| -> Vec<f64> {
                        scores.log().as_slice().iter().map(|s| s.exp()).collect()
                    };
                    assert_near(&p(&x.scores), &p(&y.scores), &what);
                    assert_near(
                        x.prior.unwrap().as_slice(),
                        y.prior.unwrap().as_slice(),
                        &what,
                    );
                }
                (None, None) => {
                    for (key, value) in &x.details {
                        if !key.contains("fold") && !key.contains("rounds") {
                            assert_near(&[*value], &[y.details[key]], &format!("{what} {key}"));
                        }
                    }
                }
                _ => panic!("{what}: one rescores"),
            }
            tried += 1;
        }
    }
    assert_eq!(tried, 20);
}

#[test]
fn resampled_rows_keep_the_weight_that_they_come_with() {
    let counts = [30, 9];
    let mut noise = stream(8);
    let (one, _, _) = weighed(&counts);
    let classes: Vec<usize> = (0..one.len()).map(|i| one.class(i)).collect();
    let x = Matrix::from_fn(one.len(), 2, |i, _| {
        let z: f64 = noise.sample(rand_distr::StandardNormal);
        z + 0.8 * classes[i] as f64
    });
    let plain = train(x, &[None, None], &classes, 2);
    let weights = one.weights().unwrap();
    let own: BTreeMap<usize, f64> = (0..one.len()).map(|i| (10 * i + 3, weights[i])).collect();
    let rows: Train = plain
        .derive(|samples| {
            let (x, kinds) = (samples.x().clone(), samples.kinds().clone());
            Samples::new(x, kinds, one.clone(), samples.origins().to_vec())
        })
        .unwrap();
    let mut moved = 0;
    for entry in resample::ALL.iter().filter(|entry| entry.caps.weighs) {
        let id = entry.card.id;
        let given: Vec<(&str, ParamValue)> = (entry.caps.suited.iter())
            .map(|&(key, value)| (key, ParamValue::from(value)))
            .collect();
        let resampler = built(entry, &given);
        if resampler.asks_for().is_some() {
            continue;
        }
        let shared = Shared::default();
        let Ok(made) = resampler.resample(&rows, &mut context(2, &shared)) else {
            continue;
        };
        let y = made.samples().y();
        let found = y
            .weights()
            .unwrap_or_else(|| panic!("{id} loses the weights"));
        let of = |origin: &Origin| match *origin {
            Origin::Row(row) | Origin::Synthetic { base: row, .. } => own[&row],
        };
        let origins = made.samples().origins();
        let first = found[0] / of(&origins[0]);
        for (weight, origin) in found.iter().zip(origins) {
            assert!(
                (weight - first * of(origin)).abs() < 1e-12,
                "{id}: {origin:?}"
            );
        }
        moved += usize::from(origins.len() != one.len());
    }
    assert!(moved > 15, "{moved}");
}
