//! A report about another metric or a part of the records says the same as the whole one would.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use counterweight_core::Record;
use counterweight_plots::check_text;
use counterweight_report::select::{Selected, Selection};
use counterweight_report::{Analysis, ReportOutput, Target, build_for};

use common::{CATALOGUE, Design, input, records, timings};

fn small() -> Vec<Record> {
    let mut records = records(&Design {
        repeats: 1,
        folds: 3,
        ..Design::full()
    });
    // A metric whose good end is the other one and that orders everything alike.
    for record in &mut records {
        if let Some(error) = record.metrics.get("balanced_error").copied() {
            record.metrics.insert("mcc", 1.0 - error);
        } else {
            record.metrics.remove("mcc");
        }
    }
    records
}

fn choose(records: &[Record], text: &str) -> Selected {
    let selection: Selection = text.parse().unwrap();
    selection.choose(records, &CATALOGUE).unwrap()
}

fn said(records: &[Record], text: &str) -> String {
    let selection: Selection = text.parse().unwrap();
    selection
        .choose(records, &CATALOGUE)
        .unwrap_err()
        .to_string()
}

fn report(chosen: &Selected) -> ReportOutput {
    let timings = timings(&chosen.records);
    build_for(&input(&chosen.records, &timings), &chosen.target).unwrap()
}

#[test]
fn a_metric_whose_good_end_is_above_ranks_as_its_mirror_below() {
    let records = small();
    let of = |target: &Target| Analysis::of(&input(&records, &[]), target).unwrap();
    let (error, mcc) = (
        of(&Target::default()),
        of(&choose(&records, "metric=mcc").target),
    );
    assert!(!mcc.target.lower_is_better);
    let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
    assert_eq!(error.overall.len(), mcc.overall.len());
    for (a, b) in error.overall.iter().zip(&mcc.overall) {
        assert!(!a.ranked.is_empty());
        for (x, y) in a.ranked.iter().zip(&b.ranked) {
            assert_eq!(x.correction, y.correction, "{}", error.model(a.model()));
            assert!(close(x.mean_rank, y.mean_rank));
            assert!(close(x.mean_value, 1.0 - y.mean_value));
            assert!(
                y.mean_pooled.is_none(),
                "only balanced error has a pooled form"
            );
        }
        for (x, y) in a.against.iter().zip(&b.against) {
            assert_eq!((x.correction, x.verdict), (y.correction, y.verdict));
            assert_eq!((x.wins, x.losses), (y.wins, y.losses));
            assert!(close(x.gain.mean, y.gain.mean));
            assert!(close(x.p_holm.unwrap_or(2.0), y.p_holm.unwrap_or(2.0)));
            if let (Some(x), Some(y)) = (x.practical, y.practical) {
                // Two runs of a sampler: the same within its error.
                assert!((x.better - y.better).abs() < 0.05 && (x.worse - y.worse).abs() < 0.05);
            }
        }
    }
    for point in 0..error.points.len() {
        let all: Vec<usize> = (0..error.corrections.len()).collect();
        assert_eq!(
            error.standings(0, point, &all).unwrap(),
            mcc.standings(0, point, &all).unwrap()
        );
    }
}

#[test]
fn every_part_speaks_of_the_selected_metric() {
    let chosen = choose(&small(), "metric=mcc");
    let report = report(&chosen);
    let page = report
        .index_html
        .replace("<code>", "")
        .replace("</code>", "");
    assert!(page.contains("Honest gain in MCC"), "the matrix names it");
    assert!(!page.contains("lowers balanced error"));
    assert!(page.contains("MCC times 100"), "tables say the unit");
    assert!(page.contains("gain in MCC (points)"), "figures too");
    let ranking: serde_json::Value = serde_json::from_str(&report.ranking_json).unwrap();
    assert_eq!(ranking["metric"], "mcc");
    let best = &ranking["rankings"][0]["methods"];
    let first = best[0]["mean_mcc"].as_f64().unwrap();
    let last = best.as_array().unwrap().last().unwrap()["mean_mcc"].as_f64();
    assert!(first > last.unwrap(), "the best has the higher value");
    for (name, table) in &report.tables {
        for (column, _) in table.columns() {
            assert_ne!(column, "mean_balanced_error", "{name}");
        }
    }
    for (name, figure) in &report.figures {
        check_text(&figure.svg).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
        assert!(
            name == "price" || !figure.description.contains("balanced error"),
            "{name}: {}",
            figure.description
        );
    }
}

#[test]
fn records_are_chosen_by_id_family_and_ratio() {
    let all = small();
    let model = all[0].model.clone();
    let chosen = choose(&all, &format!("model={model}"));
    assert!(chosen.records.iter().all(|r| r.model == model));
    assert!(chosen.records.len() < all.len() && chosen.target == Target::default());
    // A band and what is beyond it part the points that have a ratio.
    let inside = choose(&all, "ratio=10..100").records;
    let below = choose(&all, "ratio=..10").records;
    let above = choose(&all, "ratio=100..").records;
    let known = all.iter().filter(|r| r.imbalance_ratio.is_some()).count();
    assert_eq!(inside.len() + below.len() + above.len(), known);
    assert!(!inside.is_empty() && !below.is_empty() && !above.is_empty());
    assert_eq!(choose(&all, "ratio=1..").records.len(), known);
    let ten = choose(&all, "ratio=10").records;
    assert!(!ten.is_empty());
    assert!(ten.iter().all(|r| r.requested_ratio == Some(10.0)));
    let natural = choose(&all, "ratio=natural,ratio=10").records;
    assert!(natural.iter().any(|r| r.requested_ratio.is_none()));
    assert!(natural.len() > ten.len());
    let none = choose(&all, "family=none");
    assert!(none.records.iter().all(|r| r.family == "none"));
}

#[test]
fn what_does_not_exist_is_named() {
    let all = small();
    let message = said(&all, "metric=mmc");
    assert!(message.contains("did you mean `mcc`?"), "{message}");
    let message = said(&all, "model=softmax-regresion");
    assert!(
        message.contains("did you mean `softmax-regression`?"),
        "{message}"
    );
    assert!(said(&all, "dataset=nowhere").starts_with("unknown dataset `nowhere`"));
    assert!(said(&all, "ratio=high").contains("LOW..HIGH"));
    assert!(said(&all, "ratio=100000..").starts_with("none of the"));
    let mut sloped = all;
    for record in &mut sloped {
        record.metrics.insert("calibration_slope", 1.0);
    }
    assert!(said(&sloped, "metric=calibration-slope").contains("cannot rank"));
}
