//! The contract of every decision, checked over the whole registry.

use counterweight_core::{
    Calib, ClassCounts, Confusion, DecideContext, Decision, Decisions, Extras, FittedRule,
    LinearHead, LossContext, Matrix, Note, ParamValue, Prior, RuleCaps, Scores, StageError,
    StageResult, TestScores, find,
};
use counterweight_metrics::Criterion;
use proptest::prelude::*;

use super::ALL;
use crate::testing::{Arm, built, calib, check_registry, list, real, rows, stream, text};

#[test]
fn the_registry_is_complete_and_documented() {
    check_registry("decide", &["mod", "contract"], ALL);
}

/// Every decision at its defaults and at each probe of its parameters, for two classes.
fn arms() -> Vec<Arm<RuleCaps, dyn Decision>> {
    crate::testing::arms(ALL)
}

fn of(id: &str, given: &[(&str, ParamValue)]) -> Box<dyn Decision> {
    built(find(ALL, id).unwrap(), given)
}

/// Random log-probabilities that know a little of the class; coarse when `step` is above 0, so that
/// rows tie.
fn random(counts: &[usize], step: f64, seed: u64) -> (Matrix, Vec<usize>) {
    let mut stream = stream(seed);
    let mut classes: Vec<usize> = counts
        .iter()
        .enumerate()
        .flat_map(|(class, &n)| std::iter::repeat_n(class, n))
        .collect();
    for at in (1..classes.len()).rev() {
        classes.swap(at, stream.random_range(0..=at));
    }
    let total = counts.iter().sum::<usize>() as f64;
    let logits = Matrix::from_fn(classes.len(), counts.len(), |i, k| {
        if counts[k] == 0 {
            return f64::NEG_INFINITY;
        }
        let z: f64 = stream.sample(rand_distr::StandardNormal);
        let signal = if classes[i] == k { 1.2 } else { 0.0 };
        let value = z + signal + 0.7 * (counts[k] as f64 / total).ln();
        if step > 0.0 {
            (value / step).round() * step
        } else {
            value
        }
    });
    (Scores::logits(logits).unwrap().log().clone(), classes)
}

struct Case {
    log: Matrix,
    classes: Vec<usize>,
    counts: ClassCounts,
    prior: Prior,
    calib: Calib,
}

fn case(counts: &[usize], step: f64, seed: u64) -> Case {
    let (log, classes) = random(counts, step, seed);
    Case {
        calib: calib(&log, &classes, counts.len(), 3),
        counts: ClassCounts::new(counts.to_vec()),
        prior: Prior::from_weights(counts.iter().map(|&n| n as f64).collect()).unwrap(),
        log,
        classes,
    }
}

impl Case {
    fn fit(&self, decision: &dyn Decision) -> StageResult<FittedRule> {
        let context = DecideContext {
            scores_prior: Some(&self.prior),
            train: &self.counts,
        };
        let needs = decision.needs();
        let scores = self.scores();
        let head = LinearHead {
            norms: (1..=scores.n_classes()).map(|k| k as f64).collect(),
            scores: scores.clone(),
        };
        let extras = Extras {
            batch: needs.test_batch.then(|| TestScores::new(&scores)),
            head: needs.linear_head.then_some(&head),
        };
        let calib = needs.calibration.then_some(&self.calib);
        decision.fit_with(&context, calib, &extras)
    }

    fn scores(&self) -> Scores {
        Scores::log_probabilities(self.log.clone()).unwrap()
    }

    fn decide(&self, decision: &dyn Decision) -> Vec<u32> {
        let scores = Scores::log_probabilities(self.log.clone()).unwrap();
        let fitted = self.fit(decision).unwrap();
        fitted.rule.decide(&scores).unwrap().as_slice().to_vec()
    }

    fn value(&self, criterion: &Criterion, decided: &[u32]) -> f64 {
        let mut confusion = Confusion::new(self.counts.n_classes());
        for (&truth, &decided) in self.classes.iter().zip(decided) {
            confusion.add(truth, decided as usize, 1);
        }
        // A cut at which the metric has no value is never the best one.
        let worst = if criterion.lower_is_better() {
            f64::INFINITY
        } else {
            f64::NEG_INFINITY
        };
        criterion.value(&confusion, &self.counts).unwrap_or(worst)
    }

    /// Whether there is something to tune for: two classes, and a metric with a value at the prior rule.
    /// Without one the decision says that it is not applicable.
    fn has_value(&self, given: &[(&str, ParamValue)], criterion: &Criterion) -> bool {
        let mut confusion = Confusion::new(self.counts.n_classes());
        let start = self.decide(&*of("prior-threshold", &[]));
        for (&truth, &decided) in self.classes.iter().zip(&start) {
            confusion.add(truth, decided as usize, 1);
        }
        let has = criterion.value(&confusion, &self.counts).is_ok();
        if !has && confusion.n_present() > 1 {
            let end = self.fit(&*of("tuned-threshold", given));
            assert!(
                matches!(end, Err(StageError::NotApplicable(_))),
                "{criterion:?}"
            );
        }
        has
    }
}

#[test]
fn rules_decide_row_by_row_and_never_for_an_absent_class() {
    for (entry, decision) in arms() {
        for counts in [&[200, 30][..], &[30, 0], &[0, 30], &[90, 40, 10, 0]] {
            let case = case(counts, 0.5, 1);
            // Two thresholds, priors or costs do not fit four classes.
            if counts.len() != 2 && case.fit(&*decision).is_err() {
                continue;
            }
            let decided = case.decide(&*decision);
            assert!(
                decided.iter().all(|&k| counts[k as usize] > 0),
                "{}",
                entry.card.id
            );
            let rule = case.fit(&*decision).unwrap().rule;
            for at in [0, case.log.rows() - 1] {
                let one = Scores::log_probabilities(case.log.select_rows(&[at])).unwrap();
                assert_eq!(
                    rule.decide(&one).unwrap(),
                    Decisions::new(vec![decided[at]])
                );
            }
        }
    }
}

#[test]
fn the_order_of_the_calibration_rows_does_not_matter() {
    for (entry, decision) in arms() {
        let a = case(&[100, 15], 0.25, 4);
        let reversed: Vec<usize> = (0..115).rev().collect();
        let classes: Vec<usize> = reversed.iter().map(|&i| a.classes[i]).collect();
        let log = a.log.select_rows(&reversed);
        let b = Case {
            // 115 rows and 23 folds of 5: reversing maps folds onto folds.
            calib: calib(&log, &classes, 2, 23),
            log,
            classes,
            counts: a.counts.clone(),
            prior: a.prior.clone(),
        };
        let a = Case {
            calib: calib(&a.log, &a.classes, 2, 23),
            ..a
        };
        let mut moved = b.decide(&*decision);
        moved.reverse();
        assert_eq!(a.decide(&*decision), moved, "{}", entry.card.id);
        let (a, b) = (a.fit(&*decision).unwrap(), b.fit(&*decision).unwrap());
        assert_eq!(a.details.len(), b.details.len());
        for (key, value) in &a.details {
            assert!(
                (value - b.details[key]).abs() < 1e-12,
                "{}: {key}",
                entry.card.id
            );
        }
    }
}

/// What a rule puts in place of the scores are probabilities, with nothing for absent classes.
#[test]
fn rescored_rows_are_probabilities() {
    let mut rescoring = 0;
    for (entry, decision) in arms() {
        for counts in [&[200, 30][..], &[30, 0], &[90, 40, 10, 0]] {
            let case = case(counts, 0.5, 9);
            let Ok(fitted) = case.fit(&*decision) else {
                continue;
            };
            let scores = case.scores();
            let Some(found) = fitted.rule.rescore(&scores).unwrap() else {
                continue;
            };
            rescoring += 1;
            assert_eq!(found.scores.n_rows(), scores.n_rows());
            for row in found.scores.log().iter_rows() {
                let sum: f64 = row.iter().map(|s| s.exp()).sum();
                assert!((sum - 1.0).abs() < 1e-9, "{}: {row:?}", entry.card.id);
                for (s, &n) in row.iter().zip(counts) {
                    assert!(n > 0 || *s == f64::NEG_INFINITY, "{}", entry.card.id);
                }
            }
            if let Some(prior) = found.prior {
                assert_eq!(prior.n_classes(), counts.len());
            }
        }
    }
    assert!(rescoring > 10);
}

#[test]
fn only_transductive_rules_are_marked_and_say_so() {
    for (entry, decision) in arms() {
        let transductive = decision.needs().test_batch;
        let case = case(&[200, 30], 0.5, 2);
        let marked = case.fit(&*decision).unwrap().details.get("transductive") == Some(&1.0);
        assert_eq!(marked, transductive, "{}", entry.card.id);
        assert!(
            !entry.card.summary.starts_with("transductive") || transductive,
            "{}",
            entry.card.id
        );
    }
}

#[test]
fn details_are_finite_and_everything_is_repeatable() {
    for (entry, decision) in arms() {
        for counts in [&[200, 30][..], &[30, 0]] {
            let case = case(counts, 0.5, 2);
            let (a, b) = (case.fit(&*decision).unwrap(), case.fit(&*decision).unwrap());
            assert!(
                a.details.values().all(|v| v.is_finite()),
                "{}",
                entry.card.id
            );
            assert_eq!(a.details, b.details);
            assert_eq!(format!("{:?}", a.rule), format!("{:?}", b.rule));
        }
    }
}

#[test]
fn what_is_missing_is_an_error_value() {
    let train = ClassCounts::new(vec![90, 10, 5]);
    let none = DecideContext {
        scores_prior: None,
        train: &train,
    };
    for (entry, decision) in arms() {
        let needs = decision.needs();
        let found = decision.fit(&none, None);
        if needs.binary || needs.scores_prior {
            assert!(
                matches!(found, Err(StageError::NotApplicable(_))),
                "{}",
                entry.card.id
            );
        } else if needs.calibration || needs.test_batch {
            assert!(
                matches!(found, Err(StageError::Failed(_))),
                "{}",
                entry.card.id
            );
        }
        let empty = ClassCounts::new(vec![0, 0]);
        let nothing = DecideContext {
            scores_prior: None,
            train: &empty,
        };
        // No rows: an error, or a rule that decides by scores alone.
        let _ = decision.fit(&nothing, None);
    }
}

#[test]
fn the_prior_rule_is_logit_adjustment_with_tau_one_and_tau_zero_is_argmax() {
    for (counts, prior) in [
        (&[500, 20, 80][..], "effective"),
        (&[500, 20, 80], "train"),
        (&[500, 20, 80], "uniform"),
        (&[500, 0, 3], "effective"),
    ] {
        for step in [0.0, 0.5] {
            let case = case(counts, step, 8);
            let given = [("prior", text(prior))];
            assert_eq!(
                case.decide(&*of("prior-threshold", &given)),
                case.decide(&*of("logit-adjust", &given))
            );
            let zero = [("prior", text(prior)), ("tau", real(0.0))];
            assert_eq!(
                case.decide(&*of("argmax", &[])),
                case.decide(&*of("logit-adjust", &zero))
            );
        }
    }
}

#[test]
fn for_two_classes_the_prior_rule_is_a_threshold_at_the_prior() {
    let case = case(&[95, 5], 0.0, 3);
    assert_eq!(
        case.decide(&*of("prior-threshold", &[])),
        case.decide(&*of("threshold", &[("t", real(0.05))]))
    );
}

#[test]
fn extreme_priors_and_overflow() {
    let case = case(&[95, 5], 0.0, 3);
    let given = [("prior", list(&[1.0, 1e-300])), ("tau", real(100.0))];
    let decided = case.decide(&*of("logit-adjust", &given));
    assert!(decided.iter().all(|&k| k == 1));
    let given = [("prior", list(&[1.0, 1e-300])), ("tau", real(1e308))];
    let found = case.fit(&*of("logit-adjust", &given));
    assert!(matches!(found, Err(StageError::Failed(_))));
}

#[test]
fn votes_and_missing_rows_are_not_tuned() {
    let decision = of("tuned-threshold", &[]);
    let one_class = case(&[30, 0], 0.0, 1);
    let fitted = one_class.fit(&*decision).unwrap();
    assert!(matches!(fitted.notes[..], [Note::Degenerate(_)]));
    // Probabilities of exactly 0 and 1: no finite offset changes anything, and it says so.
    let log = Matrix::from_fn(20, 2, |i, k| {
        if (i % 3 == 0) == (k == 1) {
            0.0
        } else {
            f64::NEG_INFINITY
        }
    });
    let classes: Vec<usize> = (0..20).map(|i| usize::from(i % 4 == 0)).collect();
    let hard = Case {
        calib: calib(&log, &classes, 2, 3),
        log,
        classes,
        counts: ClassCounts::new(vec![15, 5]),
        prior: Prior::from_weights(vec![15.0, 5.0]).unwrap(),
    };
    let fitted = hard.fit(&*decision).unwrap();
    assert!(matches!(&fitted.notes[..], [Note::Remark(text)] if text.contains("no finite offset")));
    assert_eq!(
        hard.decide(&*decision),
        hard.decide(&*of("prior-threshold", &[]))
    );
}

#[test]
fn a_tuned_threshold_reports_its_spread_over_the_inner_folds() {
    let fitted = case(&[300, 60], 0.0, 6)
        .fit(&*of("tuned-threshold", &[]))
        .unwrap();
    let d = &fitted.details;
    assert!(d["threshold_fold_min"] < d["threshold_fold_max"]);
    assert!(d["threshold_fold_sd"] > 0.0);
    assert!(d["threshold_fold_sd"] <= d["threshold_fold_max"] - d["threshold_fold_min"]);
    assert!(d["threshold"] > 0.0 && d["threshold"] < 1.0);
    let offset = d["offset[c1]"] - d["offset[c0]"];
    assert!((d["threshold"] - 1.0 / (1.0 + (-offset).exp())).abs() < 1e-12);
}

#[test]
fn equally_good_thresholds_stay_with_the_prior_rule() {
    // The classes are apart, and the prior rule is already perfect.
    let p = vec![0.99, 0.01, 0.95, 0.05, 0.9, 0.1, 0.5, 0.5];
    let log = Scores::probabilities(Matrix::from_vec(4, 2, p).unwrap())
        .unwrap()
        .log()
        .clone();
    let classes = vec![0, 0, 0, 1];
    let case = Case {
        calib: calib(&log, &classes, 2, 2),
        log,
        classes,
        counts: ClassCounts::new(vec![3, 1]),
        prior: Prior::from_weights(vec![3.0, 1.0]).unwrap(),
    };
    let fitted = case.fit(&*of("tuned-threshold", &[])).unwrap();
    assert!((fitted.details["threshold"] - 0.25).abs() < 1e-12);
}

/// The best value over a cut in every gap of the distinct log odds, by plain counting.
fn brute_force(case: &Case, criterion: &Criterion) -> f64 {
    let odds = |row: &[f64]| row[1] - row[0];
    let mut cuts: Vec<f64> = case
        .log
        .iter_rows()
        .map(odds)
        .filter(|m| m.is_finite())
        .collect();
    cuts.sort_unstable_by(f64::total_cmp);
    let mut places = vec![-1e3, 1e3];
    places.extend(
        cuts.windows(2)
            .filter(|w| w[1] - w[0] > 1e-9)
            .map(|w| f64::midpoint(w[0], w[1])),
    );
    let better = |a: f64, b: f64| {
        if criterion.lower_is_better() {
            a.min(b)
        } else {
            a.max(b)
        }
    };
    places
        .into_iter()
        .map(|cut| {
            let decided: Vec<u32> = case
                .log
                .iter_rows()
                .map(|r| u32::from(odds(r) > cut))
                .collect();
            case.value(criterion, &decided)
        })
        .reduce(better)
        .unwrap()
}

/// Every criterion with the parameters that ask for it, for `k` classes.
fn criteria(k: usize) -> Vec<(Vec<(&'static str, ParamValue)>, Criterion)> {
    let costs: Vec<Vec<f64>> = (0..k)
        .map(|y| {
            let cost = |j: usize| if j == y { -0.5 } else { (2 * y + j) as f64 };
            (0..k).map(cost).collect()
        })
        .collect();
    let as_rows: Vec<&[f64]> = costs.iter().map(Vec::as_slice).collect();
    let table = rows(&as_rows);
    let plain = Criterion::WORDS.iter().filter_map(|word| {
        let criterion = Criterion::new(word).ok()?;
        Some((vec![("metric", text(word))], criterion))
    });
    let cost = (
        vec![("metric", text("cost")), ("costs", table)],
        Criterion::cost(costs),
    );
    plain.chain([cost]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_binary_sweep_is_brute_force_over_all_cut_points(
        seed in 0_u64..1_000_000,
        n in 2_usize..40,
        positives in 1_usize..20,
        step in prop_oneof![Just(0.0), Just(0.5), Just(1.5)],
        flip in any::<bool>(),
    ) {
        let counts = if flip { [positives, n] } else { [n, positives] };
        let case = case(&counts, step, seed);
        for (given, criterion) in criteria(2) {
            if !case.has_value(&given, &criterion) {
                continue;
            }
            let decision = of("tuned-threshold", &given);
            let found = case.value(&criterion, &case.decide(&*decision));
            prop_assert!((found - brute_force(&case, &criterion)).abs() < 1e-12, "{:?}", criterion);
            let fitted = case.fit(&*decision).unwrap();
            prop_assert!((fitted.details["tuned_metric"] - found).abs() < 1e-12);
        }
    }

    #[test]
    fn tuning_is_never_worse_than_the_prior_rule_on_its_own_scores(
        seed in 0_u64..1_000_000,
        counts in proptest::collection::vec(0_usize..30, 2..6),
        step in prop_oneof![Just(0.0), Just(0.5)],
    ) {
        prop_assume!(counts.iter().any(|&n| n > 0));
        let case = case(&counts, step, seed);
        let start = case.decide(&*of("prior-threshold", &[]));
        for (given, criterion) in criteria(counts.len()) {
            if !case.has_value(&given, &criterion) {
                continue;
            }
            let decision = of("tuned-threshold", &given);
            let (before, after) = (
                case.value(&criterion, &start),
                case.value(&criterion, &case.decide(&*decision)),
            );
            if criterion.lower_is_better() {
                prop_assert!(after <= before + 1e-12);
            } else {
                prop_assert!(after >= before - 1e-12);
            }
        }
    }

    #[test]
    fn recall_of_a_class_never_falls_as_its_own_offset_rises(
        seed in 0_u64..1_000_000,
        class in 0_usize..3,
        step in prop_oneof![Just(0.0), Just(0.5)],
    ) {
        let case = case(&[40, 15, 6], step, seed);
        let scores = Scores::log_probabilities(case.log.clone()).unwrap();
        let mut last = 0;
        for at in -20..=20 {
            // What is added to a score is what the rule subtracts, turned round.
            let mut offsets = vec![0.3, -0.2, 0.1];
            offsets[class] -= f64::from(at) * 0.25;
            let decided = scores.argmax(&offsets, &counterweight_core::Ties::default()).unwrap();
            let hits = case.classes.iter().zip(decided.as_slice())
                .filter(|(truth, decided)| **truth == class && **decided as usize == class)
                .count();
            prop_assert!(hits >= last);
            last = hits;
        }
    }

    /// Whatever weighted cross-entropy of f + o is learnt, the effective prior rule on its scores
    /// is the Bayes rule for balanced error, and `prior = "train"` on top of a full correction
    /// corrects twice.
    #[test]
    fn the_effective_prior_rule_completes_every_loss(
        seed in 0_u64..1_000_000,
        counts in proptest::collection::vec(1_usize..200, 3),
        tau in -1.0_f64..2.0,
    ) {
        let case = case(&counts, 0.0, seed);
        let logs = case.prior.logs();
        let expected = case.decide(&*of("prior-threshold", &[("prior", text("train"))]));
        let about = LossContext { seen: &case.counts, train: &case.counts };
        for entry in crate::loss::ALL {
            let given = [("tau", real(tau))];
            let has_tau = entry.card.params.iter().any(|spec| spec.name == "tau");
            let loss = built(entry, if has_tau { &given } else { &[] });
            let all = loss.terms(&about).unwrap();
            // Training ends with the later terms of a schedule.
            let terms = all.later.as_ref().map_or(&all, |later| &later.terms);
            let (Some(o), Some(own)) = (terms.logit_offsets(), terms.scores_prior(&case.counts)) else {
                continue;
            };
            let optimum = Matrix::from_fn(case.log.rows(), 3, |i, k| {
                case.log.at(i, k) + terms.weights[k].ln() - o[k]
            });
            let scores = Scores::logits(optimum).unwrap();
            let context = DecideContext { scores_prior: Some(&own), train: &case.counts };
            let fitted = of("prior-threshold", &[]).fit(&context, None).unwrap();
            let decided = fitted.rule.decide(&scores).unwrap();
            prop_assert_eq!(decided.as_slice(), &expected[..], "{}", entry.card.id);
            if entry.card.id == "logit-adjusted" {
                // log eta - tau log pi - log pi: at tau = 1 this is the double correction.
                let twice = of("prior-threshold", &[("prior", text("train"))]).fit(&context, None).unwrap();
                let sum: Vec<f64> = logs.iter().map(|p| (tau + 1.0) * p).collect();
                let direct = Scores::log_probabilities(case.log.clone()).unwrap().argmax(&sum, &counterweight_core::Ties::default()).unwrap();
                prop_assert_eq!(twice.rule.decide(&scores).unwrap(), direct);
            }
        }
    }

    /// decision = argmax log eta + log w + log r - o - a: a full correction anywhere leaves the
    /// effective prior rule nothing to do, and any split of it decides alike.
    #[test]
    fn a_correction_decides_the_same_wherever_it_is_made(
        seed in 0_u64..1_000_000,
        parts in proptest::collection::vec(-1.0_f64..2.0, 3),
        counts in proptest::collection::vec(1_usize..200, 3),
    ) {
        let case = case(&counts, 0.0, seed);
        let logs = case.prior.logs();
        let [w, r, o] = parts[..] else { unreachable!("three parts") };
        // Weights pi^-w, rates pi^-r and offsets o log pi shift the population optimum.
        let shift = |p: f64| p * (-w - r - o);
        let moved = Matrix::from_fn(case.log.rows(), 3, |i, k| case.log.at(i, k) + shift(logs[k]));
        let own = Prior::from_weights(logs.iter().map(|&p| (p + shift(p)).exp()).collect()).unwrap();
        let context = DecideContext { scores_prior: Some(&own), train: &case.counts };
        let fitted = of("logit-adjust", &[]).fit(&context, None).unwrap();
        let decided = fitted.rule.decide(&Scores::logits(moved).unwrap()).unwrap();
        let expected = case.decide(&*of("prior-threshold", &[("prior", text("train"))]));
        prop_assert_eq!(decided.as_slice(), expected);
    }
}
