//! The comparison, from made-up cells to verdicts and every form of output.

use counterweight_core::{Outcome, Record};

use super::config::GateConfig;
use super::output::{
    ANNOTATIONS, Update, annotations, json, junit, rank_figures, ranking_markdown, summary, text,
};
use super::testing::{Lab, noise};
use super::{ArmStatus, Gate, Verdict};
use counterweight_config::Date;

fn config(rest: &str) -> GateConfig {
    GateConfig::parse("gate.toml", &format!("format = 1\n{rest}")).unwrap()
}

fn plain() -> GateConfig {
    GateConfig::default()
}

fn status(gate: &Gate, correction: &str) -> ArmStatus {
    gate.arms
        .iter()
        .find(|arm| arm.correction == correction)
        .unwrap()
        .status
}

fn kinds(gate: &Gate) -> Vec<&str> {
    gate.findings.iter().map(|finding| finding.kind).collect()
}

/// A dataset's number and the repeat.
fn key(record: &Record) -> [u64; 2] {
    [record.dataset[1..].parse().unwrap(), record.repeat]
}

/// A change by `size` in the mean, with a spread.
fn by(size: f64) -> impl Fn(&Record, f64) -> f64 {
    move |record, old| {
        let [dataset, repeat] = key(record);
        old + size + 0.004 * noise(&[7, dataset, repeat])
    }
}

#[test]
fn identical_values_pass_at_once() {
    let lab = Lab::new(12);
    let gate = lab.judge(&plain());
    assert_eq!(gate.verdict, Verdict::Pass);
    assert!(gate.is_identical());
    assert_eq!(gate.with_status(ArmStatus::Identical).count(), 4);
    assert!(rank_figures(&gate).unwrap().is_empty());
    // Rounding of the last bits is no change either.
    let mut close = lab;
    close.change("a", |_, old| old + 1e-12);
    assert!(close.judge(&plain()).is_identical());
    insta::assert_snapshot!("pass", text(&gate));
}

#[test]
fn a_loss_regresses_with_the_right_name() {
    let mut lab = Lab::new(12);
    lab.change("a", by(0.055));
    let gate = lab.judge(&plain());
    assert_eq!(gate.verdict, Verdict::Finding);
    assert_eq!(kinds(&gate), ["regressed"]);
    assert_eq!(status(&gate, "a"), ArmStatus::Regressed);
    assert_eq!(status(&gate, "b"), ArmStatus::Identical);
    insta::assert_snapshot!("regressed_text", text(&gate));
    insta::assert_snapshot!("regressed_junit", junit(&gate));
    insta::assert_snapshot!(
        "regressed_github",
        annotations(&gate, "reports/lab/gate.toml")
    );
    insta::assert_snapshot!("regressed_summary", summary(&gate, 100_000));
    insta::assert_snapshot!("regressed_json", json(&gate).unwrap());
    let figures = rank_figures(&gate).unwrap();
    assert_eq!(figures[0].0, "gate-ranks-m");
    counterweight_plots::check_text(&figures[0].1.svg).unwrap();
    // The order of records is nobody's business.
    lab.records.reverse();
    assert_eq!(lab.judge(&plain()), gate);
}

#[test]
fn a_gain_is_reported_and_passes() {
    let mut lab = Lab::new(12);
    lab.change("a", by(-0.02));
    let gate = lab.judge(&plain());
    assert_eq!(gate.verdict, Verdict::Pass);
    assert_eq!(status(&gate, "a"), ArmStatus::Improved);
    assert!(text(&gate).contains("improved"));
}

#[test]
fn what_is_within_tolerance_has_moved() {
    let mut lab = Lab::new(12);
    lab.change("a", by(0.003));
    let gate = lab.judge(&plain());
    assert_eq!(gate.verdict, Verdict::Pass);
    assert_eq!(status(&gate, "a"), ArmStatus::Moved);
    // A smaller tolerance finds the same loss.
    let strict = lab.judge(&config("tolerance = 0.001\n"));
    assert_eq!(status(&strict, "a"), ArmStatus::Regressed);
}

#[test]
fn too_few_datasets_are_underpowered_and_neither_fine_nor_regressed() {
    let mut lab = Lab::new(3);
    lab.change("a", by(0.02));
    let gate = lab.judge(&config("require_power = false\n"));
    assert_eq!(status(&gate, "a"), ArmStatus::Unclear);
    assert_eq!(gate.verdict, Verdict::Pass);
    assert!(
        gate.warnings
            .iter()
            .any(|warning| warning.contains("underpowered"))
    );
    assert!(
        gate.warnings
            .iter()
            .any(|warning| warning.contains("a on m moved"))
    );
    // No method can fail on three clusters: by default that is no pass.
    for strict in [plain(), config("require_power = true\n")] {
        let strict = lab.judge(&strict);
        assert_eq!(strict.verdict, Verdict::Incomplete);
        assert_eq!(kinds(&strict), ["underpowered"]);
    }
    let first = |gate: &Gate| text(gate).lines().next().unwrap_or_default().to_owned();
    let words =
        "a test on 3 independent clusters of datasets can fail no method: at level 0.05 it needs 6";
    assert!(first(&gate).ends_with(words), "{}", first(&gate));
    assert!(first(&Lab::new(3).judge(&plain())).ends_with(words));
    assert!(!first(&Lab::new(6).judge(&plain())).contains("can fail no method"));
    // With values of the baseline there is nothing to be unsure about.
    let same = Lab::new(3).judge(&config("require_power = true\n"));
    assert_eq!(same.verdict, Verdict::Pass);
}

#[test]
fn a_difference_without_variance_is_decided_by_its_size() {
    for (size, expected) in [
        (0.02, ArmStatus::Regressed),
        (0.004, ArmStatus::Moved),
        (-0.02, ArmStatus::Improved),
    ] {
        let mut lab = Lab::new(2);
        lab.change("a", |_, old| old + size);
        assert_eq!(status(&lab.judge(&plain()), "a"), expected, "{size}");
    }
}

#[test]
fn related_datasets_are_one_witness() {
    let mut lab = Lab::new(8);
    lab.change("a", by(0.02));
    assert_eq!(status(&lab.judge(&plain()), "a"), ArmStatus::Regressed);
    for dataset in 0..8 {
        lab.clusters
            .insert(format!("d{dataset}"), format!("c{}", dataset / 2));
    }
    let gate = lab.judge(&plain());
    assert_eq!(status(&gate, "a"), ArmStatus::Unclear);
    assert!(gate.arms.iter().all(|arm| arm.clusters == 4));
}

#[test]
fn nan_never_passes() {
    for value in [f64::NAN, f64::INFINITY, -0.1, 1.5] {
        let mut lab = Lab::new(12);
        let mut once = Some(value);
        for record in &mut lab.records {
            if let Some(value) = once.take() {
                record.metrics.insert("balanced_error", value);
            }
        }
        let gate = lab.judge(&plain());
        assert_eq!(gate.verdict, Verdict::Finding, "{value}");
        assert_eq!(kinds(&gate), ["lost"], "{value}");
        assert!(gate.findings[0].detail.contains(&format!("{value}")));
    }
    // All of a method at once: no comparison is left that could pass.
    let mut lab = Lab::new(12);
    for record in &mut lab.records {
        if record.correction == "a" {
            record.metrics.insert("balanced_error", f64::NAN);
        }
    }
    assert_eq!(lab.judge(&plain()).verdict, Verdict::Finding);
}

#[test]
fn missing_and_newly_failed_cells_always_fail() {
    let mut lab = Lab::new(12);
    lab.change("a", by(0.02));
    let gone = lab.records.remove(5);
    let gate = lab.judge(&plain());
    assert_eq!(gate.verdict, Verdict::Incomplete);
    assert_eq!(gate.missing.len(), 1);
    assert!(gate.findings[0].detail.contains(gone.dataset.as_str()));

    let mut lab = Lab::new(12);
    lab.records[0].outcome = Outcome::Failed;
    lab.records[0].reason = "panicked: index 3 of 2".into();
    lab.records[0].metrics.clear();
    let gate = lab.judge(&plain());
    assert_eq!(gate.verdict, Verdict::Finding);
    assert_eq!(kinds(&gate), ["lost"]);
    assert!(gate.findings[0].title.contains("ok before, failed now"));
    assert!(gate.findings[0].detail.contains("index 3 of 2"));
    assert!(gate.reproduce.is_some());
    // What failed before and still does is known; what is well again is news.
    lab.baseline.entries[0].outcome = Outcome::Failed;
    lab.baseline.entries[0].balanced_error = None;
    let gate = lab.judge(&plain());
    assert_eq!((gate.verdict, gate.still_failing), (Verdict::Pass, 1));
    // Without a value before, a failure now is new all the same.
    lab.baseline.entries[0].outcome = Outcome::NotApplicable;
    assert_eq!(lab.judge(&plain()).verdict, Verdict::Finding);
    lab.records = Lab::new(12).records;
    assert_eq!(lab.judge(&plain()).gained, 1);
}

#[test]
fn exemptions_cover_until_they_expire() {
    let mut lab = Lab::new(12);
    lab.change("a", by(0.02));
    let ignore = |expires: &str, extra: &str| {
        config(&format!(
            "[[ignore]]\nmodel = \"m\"\n{extra}reason = \"issue 7\"\nexpires = {expires}\n"
        ))
    };
    let of_a = "correction = \"a\"\n";
    // Today is 2026-11-23, and the last day counts.
    let gate = lab.judge(&ignore("2026-11-23", of_a));
    assert_eq!((gate.verdict, gate.ignored_cells), (Verdict::Pass, 36));
    let gate = lab.judge(&ignore("2026-11-22", of_a));
    assert_eq!(gate.verdict, Verdict::Finding);
    assert!(
        gate.warnings
            .iter()
            .any(|warning| warning.contains("expired on 2026-11-22"))
    );
    let gate = lab.judge(&ignore("2027-01-31", "dataset = \"d0\"\n"));
    assert_eq!(gate.verdict, Verdict::Finding);
    // Everything exempt: nothing was compared, and that is no pass.
    assert_eq!(
        lab.judge(&ignore("2027-01-31", "")).verdict,
        Verdict::NothingSelected
    );
    let other = config("[[ignore]]\ncorrection = \"zzz\"\nreason = \"x\"\nexpires = 2027-01-31\n");
    let gate = lab.judge(&other);
    assert!(
        gate.warnings
            .iter()
            .any(|warning| warning.contains("covers no cell"))
    );
}

#[test]
fn other_seeds_are_measured_against_the_centre() {
    let luck = |record: &Record| {
        let [dataset, _] = key(record);
        0.03 * noise(&[99, dataset])
    };
    let all = ["none", "a", "b", "logit-adjust"];
    let mut lab = Lab::new(20);
    for correction in all {
        lab.change(correction, |record, old| {
            by(0.0)(record, old) + luck(record)
        });
    }
    let gate = lab.judge_seeded(&plain(), false);
    assert_eq!(gate.verdict, Verdict::Pass, "{}", text(&gate));
    assert!(text(&gate).contains("common shift"));
    // The same values on the same splits would be many regressions or none by chance; here one
    // method loses on top of the luck that all share.
    lab.change("a", |_, old| old + 0.02);
    let gate = lab.judge_seeded(&plain(), false);
    assert_eq!(kinds(&gate), ["regressed"], "{}", text(&gate));
    assert_eq!(status(&gate, "a"), ArmStatus::Regressed);
    assert!(
        gate.reproduce
            .unwrap()
            .contains("gate reports/lab --reseed 12 --only cell=")
    );
    // All methods lose: no method stands out, and the common shift is the finding.
    let mut lab = Lab::new(20);
    for correction in all {
        lab.change(correction, |record, old| {
            by(0.02)(record, old) + luck(record) / 10.0
        });
    }
    let gate = lab.judge_seeded(&plain(), false);
    assert_eq!(kinds(&gate), ["common-shift"], "{}", text(&gate));
}

#[test]
fn a_flipped_pair_is_found() {
    // a was worse than b by 4 points; now b is worse than a by 2, having lost 6.
    let mut lab = Lab::new(12);
    lab.change("b", by(0.06));
    let gate = lab.judge(&plain());
    assert!(kinds(&gate).contains(&"order-flipped"));
    let flip = &gate.models[0].flips[0];
    assert_eq!(
        (flip.was_better.as_str(), flip.now_better.as_str()),
        ("b", "a")
    );
    assert!(flip.fails && flip.before < 0.0 && flip.after > 0.0);
    assert!(gate.models[0].groups.changed());
    // The same flip by a gain of a alone is an improvement, reported and no failure.
    let mut lab = Lab::new(12);
    lab.change("a", by(-0.06));
    let gate = lab.judge(&plain());
    assert_eq!(gate.verdict, Verdict::Pass);
    assert!(gate.models[0].flips.iter().all(|flip| !flip.fails));
    assert!(!gate.models[0].flips.is_empty());
    assert!(text(&gate).contains("order flipped: a now beats b"));
}

/// The status of each claim on the lab's own values.
fn claims(lab: &Lab, text: &str) -> Vec<(String, String)> {
    lab.judge(&config(text))
        .claims
        .into_iter()
        .map(|claim| (format!("{:?}", claim.status), claim.title))
        .collect()
}

#[test]
fn claims_hold_fail_or_cannot_be_checked() {
    let lab = Lab::new(12);
    let text = "[[claim]]\nkind = \"better\"\ncorrection = \"a\"\nthan = \"none\"\nmargin = 0.03\n\
        [[claim]]\nkind = \"better\"\ncorrection = \"a\"\nthan = \"none\"\nmargin = 0.07\n\
        [[claim]]\nkind = \"better\"\nfamily = \"thresholding\"\nthan = \"a\"\nmodel = \"m\"\n\
        [[claim]]\nkind = \"not-worse\"\ncorrection = [\"b\", \"none\"]\nthan = \"a\"\n\
        [[claim]]\nkind = \"equivalent\"\ncorrection = \"b\"\nthan = \"logit-adjust\"\n\
        [[claim]]\nkind = \"equivalent\"\ncorrection = \"b\"\nthan = \"a\"\nrope = 0.03\n\
        [[claim]]\nkind = \"identical\"\ncorrection = \"b\"\nthan = \"logit-adjust\"\n\
        [[claim]]\nkind = \"identical\"\ncorrection = \"a\"\nthan = \"b\"\n\
        [[claim]]\nkind = \"better\"\ncorrection = \"a\"\nthan = \"none\"\nsource = \"synthetic\"\n\
        [[claim]]\nkind = \"better\"\ncorrection = \"a\"\nthan = \"none\"\nratio = [50, 100]\n\
        [[claim]]\nkind = \"not-below-floor\"\n\
        [[claim]]\nkind = \"not-below-floor\"\ndataset = \"d0\"\n\
        [[claim]]\nkind = \"improvement-at-most\"\nat_most = 0.02\n";
    let shown: Vec<String> = lab
        .judge(&config(text))
        .claims
        .iter()
        .map(|claim| format!("{:?}: {}: {}", claim.status, claim.title, claim.detail))
        .collect();
    insta::assert_snapshot!("claims", shown.join("\n"));
}

#[test]
fn a_failed_claim_fails_the_gate_and_an_undecided_one_is_no_pass() {
    let lab = Lab::new(12);
    let failing = "[[claim]]\nkind = \"better\"\ncorrection = \"none\"\nthan = \"a\"\n";
    let gate = lab.judge(&config(failing));
    assert_eq!(
        (gate.verdict, kinds(&gate)),
        (Verdict::Finding, vec!["claim"])
    );
    assert_eq!(gate.findings[0].line, Some(3));
    let undecided = "[[claim]]\nkind = \"not-below-floor\"\ndataset = \"d0\"\n";
    let gate = lab.judge(&config(undecided));
    assert_eq!(
        (gate.verdict, kinds(&gate)),
        (Verdict::Incomplete, vec!["undecided"])
    );
    let found = annotations(&gate, "reports/lab/gate.toml");
    assert!(
        found.starts_with("::error file=reports/lab/gate.toml,line=3,title="),
        "{found}"
    );
}

#[test]
fn what_beats_the_bayes_rule_is_a_finding() {
    let text = "[[claim]]\nkind = \"not-below-floor\"\n";
    let mut lab = Lab::new(12);
    // The floor of the population is .1, with 2 x 150 test rows in each of 3 repeats.
    let under = |error: f64| {
        move |record: &Record, old: f64| {
            if record.source == "synthetic" {
                error
            } else {
                old
            }
        }
    };
    lab.change("a", under(0.09));
    assert_eq!(claims(&lab, text)[0].0, "Holds");
    lab.change("a", under(0.01));
    let gate = lab.judge(&config(text));
    assert!(kinds(&gate).contains(&"claim"));
    assert!(
        gate.findings
            .iter()
            .any(|finding| finding.detail.contains("a on m, d11 at ratio 20"))
    );
}

#[test]
fn a_jump_that_nobody_explained_is_a_finding() {
    let text = "[[claim]]\nkind = \"improvement-at-most\"\nat_most = 0.02\n";
    let mut lab = Lab::new(12);
    lab.change("b", by(-0.015));
    assert_eq!(claims(&lab, text)[0].0, "Holds");
    lab.change("b", by(-0.015));
    let gate = lab.judge(&config(text));
    assert_eq!(kinds(&gate), ["claim"]);
    assert!(gate.findings[0].detail.contains("b on m"));
}

#[test]
fn annotations_and_summaries_keep_their_limits() {
    let mut lab = Lab::new(12);
    for record in &mut lab.records {
        record.outcome = Outcome::Failed;
        record.reason = "50 % of\nthe rows: gone, all".into();
        record.metrics.clear();
    }
    let gate = lab.judge(&plain());
    let lines: Vec<String> = annotations(&gate, "gate.toml")
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(lines.len(), ANNOTATIONS);
    assert!(lines[0].contains("50 %25 of the rows"), "{}", lines[0]);
    assert!(lines[9].contains("and 135 more findings"), "{}", lines[9]);
    for bytes in [0, 500, 5_000] {
        assert!(summary(&gate, bytes).len() <= bytes);
    }
    assert!(text(&gate).lines().count() < 40, "one screen");
}

#[test]
fn the_ranking_keeps_its_history() {
    let gate = Lab::new(12).judge(&plain());
    let update = |date: Date, reason: &'static str| Update {
        date,
        version: "0.1.0",
        reason,
        change: "first baseline, 144 cells",
    };
    let first = ranking_markdown(
        &gate,
        "reports/lab",
        "",
        &update("2026-11-23".parse().unwrap(), "the first"),
    );
    let second = ranking_markdown(
        &gate,
        "reports/lab",
        &first,
        &update("2026-12-01".parse().unwrap(), "a | pipe\nand a line"),
    );
    insta::assert_snapshot!("ranking", second);
}
