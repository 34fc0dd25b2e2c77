use super::*;
use crate::testing::{blobs, fit, gap, learner, offset, train, try_fit, weighted};
use counterweight_core::{
    Deadline, Later, Matrix, ParamValue, Prior, Scores, Seed, Shared, SmallClass,
};

fn small() -> Vec<(&'static str, ParamValue)> {
    vec![
        ("min_leaf", ParamValue::Real(3.0)),
        ("rounds", ParamValue::Whole(40)),
    ]
}

/// Largest difference of log-scores.
fn log_gap(a: &Matrix, b: &Matrix) -> f64 {
    let pairs = a.as_slice().iter().zip(b.as_slice());
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// Fact (g): where the scores start decides for which tau the adjusted loss decides as post-hoc
/// adjustment does.
#[test]
fn the_start_decides_when_the_adjusted_loss_is_post_hoc_adjustment() {
    for counts in [&[300, 60][..], &[200, 100, 40]] {
        let k = counts.len();
        let (x, y) = blobs(31, counts, 4);
        let data = train(&x, &y, k);
        let prior = Prior::from_weights(counts.iter().map(|&n| n as f64).collect()).unwrap();
        let terms = LossTerms::cross_entropy(k);
        let plain = fit("gradient-boosting", &small(), &data, &terms).scores(&x);
        let equals_post_hoc = |start: &str, tau: f64| {
            let mut given = small();
            given.push(("start", ParamValue::Text(start.into())));
            let o: Vec<f64> = prior.logs().iter().map(|l| tau * l).collect();
            let within = fit("gradient-boosting", &given, &data, &offset(&o)).scores(&x);
            let mut after = plain.log().clone();
            for i in 0..after.rows() {
                for (s, o) in after.row_mut(i).iter_mut().zip(&o) {
                    *s -= o;
                }
            }
            let gap = log_gap(within.log(), Scores::logits(after).unwrap().log());
            assert!(!(1e-9..=0.01).contains(&gap), "{start} {tau}: {gap:.1e}");
            gap < 1e-9
        };
        for tau in [0.5_f64, 1.0, 2.0] {
            let one = (tau - 1.0).abs() < 1e-9;
            assert_eq!(equals_post_hoc("auto", tau), one);
            assert_eq!(equals_post_hoc("zero", tau), one);
            assert!(equals_post_hoc("offset", tau));
            assert!(!equals_post_hoc("shares", tau));
        }
    }
}

#[test]
fn biases_are_a_start_and_a_start_needs_offsets_to_take_them_away() {
    let (x, y) = blobs(38, &[200, 50], 3);
    let data = train(&x, &y, 2);
    let terms = LossTerms::cross_entropy(2);
    let mut biased = terms.clone();
    biased.initial_bias = Some(vec![200.0_f64.ln(), 50.0_f64.ln()]);
    let plain = fit("gradient-boosting", &small(), &data, &terms).scores(&x);
    let at_shares = fit("gradient-boosting", &small(), &data, &biased).scores(&x);
    assert!(gap(&plain, &at_shares) < 1e-12);
    biased.initial_bias = Some(vec![0.0, 3.0]);
    let elsewhere = fit("gradient-boosting", &small(), &data, &biased).scores(&x);
    assert!(gap(&plain, &elsewhere) > 1e-3);
    let mut factors = terms;
    factors.factors = vec![1.0, 0.5];
    let given = [("start", ParamValue::Text("offset".into()))];
    let learner = learner("gradient-boosting", &given);
    let ended = try_fit(&*learner, &data, &factors, SmallClass::Clamp);
    assert!(matches!(ended, Err(StageError::NotApplicable(_))));
}

/// Terms that come later are another loss from that round on, and nothing before it.
#[test]
fn deferred_terms_act_from_their_round_on() {
    let (x, y) = blobs(39, &[150, 50, 20], 4);
    let data = train(&x, &y, 3);
    let heavy = weighted(&[1.0, 5.0, 12.0]);
    let plain = LossTerms::cross_entropy(3);
    let at = |at: f64| {
        let mut terms = plain.clone();
        terms.later = Some(Box::new(Later {
            at,
            terms: heavy.clone(),
        }));
        terms
    };
    let scores = |terms: &LossTerms, rounds: i64| {
        let given = [
            ("rounds", ParamValue::Whole(rounds)),
            ("start", ParamValue::Text("zero".into())),
            // A bin a value: quantiles would go by the weights of the first terms.
            ("max_bins", ParamValue::Whole(255)),
        ];
        fit("gradient-boosting", &given, &data, terms).scores(&x)
    };
    assert!(gap(&scores(&at(1.0), 20), &scores(&plain, 20)) < 1e-15);
    let late = scores(&at(0.8), 20);
    assert!(gap(&late, &scores(&plain, 20)) > 1e-3);
    assert!(gap(&late, &scores(&heavy, 20)) > 1e-3);
    assert!(gap(&scores(&at(0.0), 20), &scores(&heavy, 20)) < 1e-12);
    let mut given = small();
    given.push(("early_stopping", ParamValue::Whole(2)));
    let stopped = fit("gradient-boosting", &given, &data, &at(0.5));
    assert!(stopped.details["rounds"] >= 20.0, "{:?}", stopped.details);
}

#[test]
fn a_round_without_features_starts_at_the_weighted_shares() {
    let x = Matrix::zeros(40, 2);
    let y: Vec<u32> = (0..40).map(|i| u32::from(i >= 30)).collect();
    let data = train(&x, &y, 2);
    let fit = fit("gradient-boosting", &small(), &data, &weighted(&[1.0, 2.0]));
    assert!(fit.degenerate());
    let p = fit.scores(&x).log().at(0, 1).exp();
    assert!((p - 20.0 / 50.0).abs() < 1e-12, "{p}");
}

/// One tree of one split by hand: v = -G / (H + l2), both by the closed form.
#[test]
fn one_split_is_a_newton_step() {
    let x = Matrix::from_vec(6, 1, vec![1.0, 2.0, 3.0, 10.0, 11.0, 12.0]).unwrap();
    let y = [0, 0, 0, 0, 1, 1];
    let given = [
        ("min_leaf", ParamValue::Real(3.0)),
        ("rounds", ParamValue::Whole(1)),
        ("l2", ParamValue::Real(0.5)),
        ("learning_rate", ParamValue::Real(0.3)),
    ];
    let terms = LossTerms::cross_entropy(2);
    let fit = fit("gradient-boosting", &given, &train(&x, &y, 2), &terms);
    let p: f64 = 1.0 / 3.0;
    let start = (p / (1.0 - p)).ln();
    let h = 3.0 * p * (1.0 - p) + 0.5;
    let left = start - 0.3 * (3.0 * p) / h;
    let right = start - 0.3 * (3.0 * p - 2.0) / h;
    let found = fit.scores(&Matrix::from_vec(2, 1, vec![6.4, 6.6]).unwrap());
    for (i, expected) in [left, right].into_iter().enumerate() {
        let margin = found.log().at(i, 1) - found.log().at(i, 0);
        assert!((margin - expected).abs() < 1e-12, "{margin} {expected}");
    }
}

#[test]
fn the_loss_falls_under_every_kind_of_terms_even_extreme_ones() {
    for k in [2, 3] {
        let counts = [&[400, 40][..], &[300, 100, 30]][k - 2];
        let (x, y) = blobs(33, counts, 4);
        let data = train(&x, &y, k);
        let plain = LossTerms::cross_entropy(k);
        let mut focal = plain.clone();
        focal.focal = 2.0;
        let mut weak = plain.clone();
        weak.focal = 0.5;
        let mut factors = plain.clone();
        factors.factors[k - 1] = 0.4;
        let mut far = vec![0.0; k];
        far[k - 1] = (1e-9_f64).ln();
        let heavy: Vec<f64> = (1..=k).map(|c| 10.0_f64.powf(c as f64)).collect();
        for terms in [plain, focal, weak, factors, offset(&far), weighted(&heavy)] {
            let task = Task::new(&data, &terms, HONOURS).unwrap();
            let loss = Objective::new(&task, &terms, 1).unwrap();
            let all: Vec<u32> = (0..).take(task.n_rows()).collect();
            let mean = |rounds: i64| {
                let given = [("rounds", ParamValue::Whole(rounds))];
                let log = fit("gradient-boosting", &given, &data, &terms).scores(&x);
                let f: Vec<f64> = if k == 2 {
                    log.log().iter_rows().map(|s| s[1] - s[0]).collect()
                } else {
                    log.log().as_slice().to_vec()
                };
                loss.mean(&all, &f)
            };
            let path = [mean(1), mean(5), mean(30), mean(150)];
            assert!(path.is_sorted_by(|a, b| b < a), "{terms:?}: {path:?}");
        }
    }
}

#[test]
fn early_stopping_keeps_the_best_round_and_sampling_is_a_matter_of_the_seed() {
    let (x, y) = blobs(35, &[300, 150], 4);
    let data = train(&x, &y, 2);
    let terms = LossTerms::cross_entropy(2);
    let with = |key: &'static str, value: ParamValue| {
        let mut given = small();
        given.push((key, value));
        fit("gradient-boosting", &given, &data, &terms)
    };
    let full = fit("gradient-boosting", &small(), &data, &terms);
    let stopped = with("early_stopping", ParamValue::Whole(3));
    assert!(stopped.details["rounds"] < full.details["rounds"]);
    assert!(stopped.details["rounds"] >= 1.0);
    for key in ["row_share", "column_share"] {
        let sampled = with(key, ParamValue::Real(0.5)).scores(&x);
        assert!(gap(&sampled, &full.scores(&x)) > 1e-3, "{key}");
        assert_eq!(sampled, with(key, ParamValue::Real(0.5)).scores(&x));
    }
    for (key, value) in [
        ("max_depth", ParamValue::Whole(1)),
        ("max_leaves", ParamValue::Whole(3)),
        ("min_gain", ParamValue::Real(5.0)),
        ("l2", ParamValue::Real(5.0)),
        ("max_step", ParamValue::Real(0.5)),
        ("min_hessian_share", ParamValue::Real(0.05)),
        ("max_bins", ParamValue::Whole(5)),
    ] {
        let changed = with(key, value).scores(&x);
        assert!(gap(&changed, &full.scores(&x)) > 1e-3, "{key}");
    }
}

#[test]
fn a_passed_deadline_ends_the_fit() {
    let (x, y) = blobs(36, &[30, 20], 3);
    let shared = Shared::default();
    let past = Deadline::at(std::time::Instant::now());
    std::thread::sleep(std::time::Duration::from_millis(2));
    let stream = Seed(1).stage("fit").open();
    let mut context = StageContext::new(stream, SmallClass::Clamp, past, &shared);
    let ended = learner("gradient-boosting", &[]).fit(
        &train(&x, &y, 2),
        &LossTerms::cross_entropy(2),
        &mut context,
    );
    assert!(matches!(ended, Err(StageError::Timeout(_))));
}
