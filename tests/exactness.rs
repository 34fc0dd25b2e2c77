//! What is known in closed form comes out of the whole pipeline: sweep file in, records out.
//!
//! `gaussian-pair` has means +-(1, 1) and identity covariance, so that the log-likelihood ratio is
//! 2 sqrt(2) times the coordinate z along the line of means, and z has means +-sqrt 2. A rule that
//! decides "positive" above z has balanced error (Phi(z - sqrt 2) + Phi(-z - sqrt 2)) / 2. With a
//! negative prior 19 times the positive one, scores corrected by tau have their threshold at
//! z = (1 - tau) log 19 / (2 sqrt 2): tau = 0 is no correction, 1 the balanced optimum, 2 the double
//! correction.

use std::f64::consts::SQRT_2;
use std::sync::OnceLock;

use crate::common::{Place, Records, Row};

/// Negative over positive prior: the positive prior is .05.
const RATIO: f64 = 19.0;

/// Phi(-sqrt 2).
const BAYES: f64 = 0.078_649_603_525_142_6;

const REPEATS: usize = 6;
const N_TEST: f64 = 20_000.0;

/// What both the loss and the decision are asked to do.
const TAUS: [f64; 5] = [-1.0, 0.0, 0.5, 1.0, 1.5];

/// The balanced error of scores corrected by `tau` in all.
fn balanced_error(tau: f64) -> f64 {
    let z = (1.0 - tau) * RATIO.ln() / (2.0 * SQRT_2);
    f64::midpoint(phi(z - SQRT_2), phi(-z - SQRT_2))
}

/// The normal distribution function by Simpson's rule: slow, plain, and independent of the code
/// under test.
fn phi(x: f64) -> f64 {
    const STEPS: u32 = 4000;
    let density = |t: f64| (-t * t / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let low = -10.0;
    let h = (x - low) / f64::from(STEPS);
    let sum: f64 = (0..=STEPS)
        .map(|i| {
            let weight = match i {
                0 | STEPS => 1.0,
                i if i % 2 == 1 => 4.0,
                _ => 2.0,
            };
            weight * density(low + h * f64::from(i))
        })
        .sum();
    sum * h / 3.0
}

#[test]
fn the_closed_form_gives_the_known_numbers() {
    assert!((balanced_error(1.0) - BAYES).abs() < 1e-12);
    assert!((balanced_error(0.0) - 0.180_770_286_478_417).abs() < 1e-12);
    // The double correction is as far on the other side.
    assert!((balanced_error(2.0) - balanced_error(0.0)).abs() < 1e-12);
}

/// The pair at prior .05, fitted once for all tests below.
fn pair() -> &'static Records {
    static RECORDS: OnceLock<Records> = OnceLock::new();
    RECORDS.get_or_init(|| {
        let place = Place::with_sweep(&format!(
            r#"
            format = 1
            name = "pair"
            seed = 11
            [protocol]
            repeats = {REPEATS}
            [[population]]
            kind = "gaussian-pair"
            n_train = 20000
            n_test = {N_TEST}
            imbalance_ratio = {RATIO}
            [[model]]
            kind = "softmax-regression"
            l2 = 0.001
            [[correction]]
            id = "none"
            [[correction]]
            decide = {{ kind = "logit-adjust", tau = {TAUS:?} }}
            [[correction]]
            loss = {{ kind = "logit-adjusted", tau = {TAUS:?} }}
            [[correction]]
            decide = {{ kind = "prior-threshold" }}
            [[correction]]
            id = "over"
            resample = {{ kind = "random-over" }}
            [[correction]]
            id = "over+effective"
            resample = {{ kind = "random-over" }}
            decide = {{ kind = "logit-adjust", prior = "effective" }}
            [[correction]]
            id = "over+train"
            resample = {{ kind = "random-over" }}
            decide = {{ kind = "logit-adjust", prior = "train" }}
            [[correction]]
            id = "weighted"
            loss = {{ kind = "weighted" }}
            [[correction]]
            id = "weighted+effective"
            loss = {{ kind = "weighted" }}
            decide = {{ kind = "logit-adjust", prior = "effective" }}
            [[correction]]
            id = "weighted+train"
            loss = {{ kind = "weighted" }}
            decide = {{ kind = "logit-adjust", prior = "train" }}
            [[correction]]
            id = "half-loss+effective"
            loss = {{ kind = "logit-adjusted", tau = 0.5 }}
            decide = {{ kind = "logit-adjust", prior = "effective" }}
            "#
        ));
        let records = place.run_demo(0);
        assert_eq!(records.distinct("outcome"), ["ok"]);
        assert_eq!(records.distinct("imbalance_ratio"), ["19.0"]);
        assert_eq!(records.distinct("minority_count"), ["1000"]);
        records
    })
}

fn arm<'a>(records: &'a Records, correction: &str) -> Vec<&'a Row> {
    records.of(&[("correction", correction)])
}

/// Mean and standard error of a column over the repeats of an arm.
fn mean(records: &Records, correction: &str, column: &str) -> (f64, f64) {
    let values: Vec<f64> = arm(records, correction)
        .iter()
        .map(|row| row.real(column))
        .collect();
    assert_eq!(values.len(), REPEATS);
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

/// Repeats are independent draws, so that their spread gives the sampling error (of the fit and of
/// the test rows). Four standard errors leave a right value out about once in 100 seeds at 5 degrees of
/// freedom, and the seed is fixed. The bound on the standard error itself keeps a broken, noisy arm
/// from passing as "within error".
#[track_caller]
fn agrees(correction: &str, tau: f64, most_error: f64) {
    let (mean, error) = mean(pair(), correction, "balanced_error");
    let expected = balanced_error(tau);
    assert!(
        error > 0.0 && error < most_error,
        "{correction}: standard error {error}"
    );
    assert!(
        (mean - expected).abs() < 4.0 * error,
        "{correction}: {mean} +- {error}, expected {expected}"
    );
}

/// Test rows are balanced and the Bayes rule errs equally on both classes, so that the error is a
/// binomial share of all test rows.
#[test]
fn the_bayes_error_of_the_test_rows_agrees_with_the_closed_form() {
    let error = (BAYES * (1.0 - BAYES) / N_TEST).sqrt();
    for row in arm(pair(), "none") {
        let value = row.real("bayes_balanced_error");
        assert!((value - BAYES).abs() < 4.0 * error, "{value}");
    }
    let (value, spread) = mean(pair(), "none", "bayes_balanced_error");
    assert!((value - BAYES).abs() < 4.0 * error / (REPEATS as f64).sqrt());
    assert!(spread > 0.0, "repeats draw the same test rows");
}

#[test]
fn regret_is_the_distance_to_the_bayes_error_of_the_same_rows() {
    for row in &pair().rows {
        let regret = row.real("balanced_error") - row.real("bayes_balanced_error");
        assert!((row.real("regret") - regret).abs() < 1e-15);
        let recalls: Vec<f64> = row.recalls().into_iter().flatten().collect();
        let error = 1.0 - f64::midpoint(recalls[0], recalls[1]);
        assert!((row.real("balanced_error") - error).abs() < 1e-12);
    }
    // Arms of one repeat are judged on the same rows.
    for repeat in 0..REPEATS {
        let repeat = repeat.to_string();
        let rows = pair().of(&[("repeat", &repeat)]);
        let first = rows[0].text("bayes_balanced_error");
        assert!(rows.iter().all(|r| r.text("bayes_balanced_error") == first));
    }
}

#[test]
fn without_correction_the_balanced_error_is_that_of_the_accuracy_rule() {
    agrees("none", 0.0, 0.003);
}

#[test]
fn logit_adjustment_comes_out_near_the_bayes_error() {
    agrees("logit-adjust[tau=1]", 1.0, 0.002);
    agrees("logit-adjusted[tau=1]", 1.0, 0.002);
    // What is left is the price of an estimated intercept: of second order.
    let (regret, _) = mean(pair(), "logit-adjust[tau=1]", "regret");
    assert!((0.0..0.002).contains(&regret), "{regret}");
}

#[test]
fn every_tau_comes_out_where_the_closed_form_says() {
    for tau in TAUS {
        agrees(&format!("logit-adjust[tau={tau}]"), tau, 0.005);
        agrees(&format!("logit-adjusted[tau={tau}]"), tau, 0.005);
    }
}

/// Two arms decide alike: the same recalls of every class in every repeat.
#[track_caller]
fn decide_alike(records: &Records, a: &str, b: &str) {
    let (a, b) = (arm(records, a), arm(records, b));
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(&b) {
        for column in ["dataset", "requested_ratio", "repeat", "fold", "model"] {
            assert_eq!(a.text(column), b.text(column));
        }
        for column in ["recalls", "balanced_error", "mcc", "macro_f1"] {
            assert_eq!(
                a.text(column),
                b.text(column),
                "{column} of {a:?} and {b:?}"
            );
        }
    }
}

#[track_caller]
fn decide_differently(records: &Records, a: &str, b: &str) {
    let differs = arm(records, a)
        .iter()
        .zip(arm(records, b))
        .any(|(a, b)| a.text("recalls") != b.text("recalls"));
    assert!(differs, "{a} and {b} decide alike");
}

#[test]
fn the_adjusted_loss_decides_as_the_adjusted_decision_at_every_tau() {
    let records = pair();
    for tau in TAUS {
        let (loss, decision) = (
            format!("logit-adjusted[tau={tau}]"),
            format!("logit-adjust[tau={tau}]"),
        );
        decide_alike(records, &loss, &decision);
    }
    decide_alike(records, "logit-adjust[tau=0]", "none");
    // The grid does something, or the equalities above would hold for a knob without effect.
    for pair in TAUS.windows(2) {
        let name = |tau: f64| format!("logit-adjust[tau={tau}]");
        decide_differently(records, &name(pair[0]), &name(pair[1]));
    }
}

#[test]
fn the_prior_threshold_is_logit_adjustment_with_tau_one() {
    decide_alike(pair(), "prior-threshold", "logit-adjust[tau=1]");
}

#[test]
fn the_effective_prior_makes_the_decision_a_no_op_after_a_full_correction() {
    decide_alike(pair(), "over+effective", "over");
    decide_alike(pair(), "weighted+effective", "weighted");
    // After half a correction it does the other half.
    decide_alike(pair(), "half-loss+effective", "logit-adjust[tau=1]");
    agrees("over+effective", 1.0, 0.002);
    agrees("weighted+effective", 1.0, 0.002);
}

#[test]
fn the_training_prior_after_a_full_correction_is_the_double_correction() {
    agrees("over+train", 2.0, 0.006);
    agrees("weighted+train", 2.0, 0.006);
    for (double, single) in [("over+train", "over"), ("weighted+train", "weighted")] {
        let (double, _) = mean(pair(), double, "balanced_error");
        let (single, _) = mean(pair(), single, "balanced_error");
        let (adjusted, _) = mean(pair(), "logit-adjust[tau=1]", "balanced_error");
        // Worse than either correction alone by nearly the whole gain of a correction.
        assert!(double > single + 0.08, "{double} and {single}");
        assert!(double > adjusted + 0.08, "{double} and {adjusted}");
    }
    // It errs on the other class than no correction does.
    for (double, none) in arm(pair(), "over+train").iter().zip(arm(pair(), "none")) {
        assert!(double.recalls()[0] < double.recalls()[1]);
        assert!(none.recalls()[0] > none.recalls()[1]);
    }
}

/// An additive shift of a binary score leaves every ranking metric as it is; what a decision does to
/// the scores of a fit is nothing.
#[test]
fn decisions_leave_the_scores_of_a_fit_alone() {
    let none = arm(pair(), "none");
    for tau in TAUS {
        let adjusted = arm(pair(), &format!("logit-adjust[tau={tau}]"));
        for (a, b) in adjusted.iter().zip(&none) {
            for column in ["auroc", "average_precision", "brier", "log_loss", "ece"] {
                assert_eq!(a.text(column), b.text(column), "{column}");
            }
        }
        // The loss moves the intercept by tau log pi, and mapping the probabilities back to the
        // metric prior takes exactly that away again.
        let trained = arm(pair(), &format!("logit-adjusted[tau={tau}]"));
        for (a, b) in trained.iter().zip(&none) {
            assert_eq!(a.text("auroc"), b.text("auroc"));
            assert!((a.real("log_loss") - b.real("log_loss")).abs() < 1e-8);
        }
    }
    // Without the mapping the trained scores are those of another prior.
    let raw = |id: &str| mean(pair(), id, "log_loss_raw").0;
    assert!(raw("logit-adjusted[tau=1]") > raw("none") + 0.05);
}

/// The same equalities for three classes, any slope penalty, two shapes of imbalance and a file; and
/// where theory says that they break, they break.
#[test]
fn loss_and_decision_agree_for_several_classes_and_any_slope_penalty() {
    let sweep = |penalise: bool| {
        let place = Place::with_sweep(&format!(
            r#"
            format = 1
            name = "simplex"
            [protocol]
            repeats = 2
            test = 0.3
            [[population]]
            kind = "gaussian-simplex"
            n_train = 1200
            n_test = 3000
            imbalance_ratio = [5, 40]
            profile = "exponential"
            [[dataset]]
            path = "mixed.csv"
            target = "y"
            [[model]]
            kind = "softmax-regression"
            l2 = [0.01, 1.0, 50.0]
            penalise_intercept = {penalise}
            [[correction]]
            id = "none"
            [[correction]]
            decide = {{ kind = "logit-adjust", tau = {TAUS:?} }}
            [[correction]]
            loss = {{ kind = "logit-adjusted", tau = {TAUS:?} }}
            [[correction]]
            decide = {{ kind = "prior-threshold" }}
            "#
        ));
        place.write(
            "demo/mixed.csv",
            &crate::common::mixed_csv(&[300, 90, 30], 5),
        );
        place.run_demo(0)
    };
    let free = sweep(false);
    assert_eq!(free.distinct("n_classes"), ["3"]);
    for tau in TAUS {
        decide_alike(
            &free,
            &format!("logit-adjusted[tau={tau}]"),
            &format!("logit-adjust[tau={tau}]"),
        );
    }
    decide_alike(&free, "prior-threshold", "logit-adjust[tau=1]");
    decide_differently(&free, "logit-adjust[tau=1]", "none");
    let penalised = sweep(true);
    decide_differently(&penalised, "logit-adjusted[tau=1]", "logit-adjust[tau=1]");
    decide_alike(&penalised, "logit-adjusted[tau=0]", "none");
}
