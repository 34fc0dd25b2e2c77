//! The report as a whole: what it says, that all its parts say the same, and that it holds up on
//! degenerate and large input.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::collections::BTreeMap;

use common::reading::{design, markdown, reals, report, table, texts};
use common::{Design, input, records, timings};
use counterweight_core::{Outcome, Record};
use counterweight_report::findings::{Finding, Topic, findings};
use counterweight_report::{Analysis, build};

fn analysis(records: &[Record]) -> Analysis {
    Analysis::new(&input(records, &timings(records))).unwrap()
}

fn sentences(records: &[Record]) -> Vec<Finding> {
    findings(&analysis(records))
}

fn joined(records: &[Record]) -> String {
    let lines: Vec<String> = sentences(records)
        .iter()
        .map(|f| format!("{:?}: {}", f.topic, f.text))
        .collect();
    lines.join("\n")
}

#[test]
fn the_sentences_of_a_full_sweep() {
    insta::assert_snapshot!(joined(&records(&Design::full())));
}

#[test]
fn the_sentences_of_degenerate_sweeps() {
    let one_dataset = records(&design(&[0], &[0, 2], &[0, 1, 8]));
    let one_correction = records(&design(&[2, 3, 4, 5, 6, 7], &[0], &[0]));
    let no_baseline = records(&design(&[2, 3, 4, 5, 6, 7, 8, 9], &[0], &[1, 8]));
    let mut failed = records(&design(&[2, 3, 4], &[0], &[0, 1]));
    for record in &mut failed {
        record.outcome = Outcome::Failed;
        record.reason = "the learner panicked".into();
        record.metrics.clear();
        record.recalls.clear();
    }
    let text = [
        ("empty", joined(&[])),
        ("one dataset", joined(&one_dataset)),
        ("one correction", joined(&one_correction)),
        ("no baseline", joined(&no_baseline)),
        ("all failed", joined(&failed)),
    ]
    .map(|(name, text)| format!("## {name}\n{text}"))
    .join("\n\n");
    insta::assert_snapshot!(text);
}

#[test]
fn the_tables_of_a_small_sweep() {
    let records = records(&design(
        &[0, 4, 6, 8, 9, 10, 11],
        &[0, 2],
        &[0, 1, 5, 8, 10],
    ));
    let report = report(&records);
    for name in [
        "summary",
        "price",
        "per_dataset",
        "per_dataset_softmax-regression",
        "outcomes",
    ] {
        insta::assert_snapshot!(format!("markdown_{name}"), markdown(&report, name));
    }
    let latex = &report
        .latex
        .iter()
        .find(|(name, _)| name == "summary-softmax-regression")
        .unwrap()
        .1;
    insta::assert_snapshot!("latex_summary", latex);
    insta::assert_snapshot!("ranking_json", report.ranking_json);
}

/// Mean ranks and means over datasets computed the plain way, for arms without missing values and
/// without twins.
#[test]
fn ranking_json_holds_ranks_that_a_naive_computation_confirms() {
    let records = records(&design(&[0, 1, 2, 6, 7, 8, 9], &[0, 1], &[0, 1, 2, 4, 8]));
    let report = report(&records);
    let json: serde_json::Value = serde_json::from_str(&report.ranking_json).unwrap();
    assert_eq!(json["format"], 1);
    assert_eq!(json["sweep"], "mock");
    for ranking in json["rankings"].as_array().unwrap() {
        let model = ranking["model"].as_str().unwrap();
        assert_eq!(
            (&ranking["n_datasets"], &ranking["n_clusters"]),
            (&5.into(), &5.into())
        );
        // dataset -> ratio -> correction -> errors
        let mut cube: BTreeMap<&str, BTreeMap<u64, BTreeMap<&str, Vec<f64>>>> = BTreeMap::new();
        let real = records.iter().filter(|record| record.source == "real");
        for record in real.filter(|record| record.model == model) {
            let ratio = record.requested_ratio.unwrap_or(0.0).to_bits();
            let by_ratio = cube
                .entry(&record.dataset)
                .or_default()
                .entry(ratio)
                .or_default();
            let error = record.balanced_error().unwrap();
            by_ratio.entry(&record.correction).or_default().push(error);
        }
        let mut ranks: BTreeMap<&str, f64> = BTreeMap::new();
        let mut means: BTreeMap<&str, f64> = BTreeMap::new();
        for ratios in cube.values() {
            let mut values: BTreeMap<&str, f64> = BTreeMap::new();
            for corrections in ratios.values() {
                for (correction, errors) in corrections {
                    let mean = errors.iter().sum::<f64>() / errors.len() as f64;
                    *values.entry(correction).or_default() += mean / ratios.len() as f64;
                }
            }
            for (correction, value) in &values {
                let better = values.values().filter(|other| **other < *value).count();
                *ranks.entry(correction).or_default() += (better + 1) as f64 / cube.len() as f64;
                *means.entry(correction).or_default() += value / cube.len() as f64;
            }
        }
        let methods = ranking["methods"].as_array().unwrap();
        assert_eq!(methods.len(), 5);
        let mut last = 0.0;
        for method in methods {
            let correction = method["correction"].as_str().unwrap();
            let rank = method["mean_rank"].as_f64().unwrap();
            let mean = method["mean_balanced_error"].as_f64().unwrap();
            assert!(
                (rank - ranks[correction]).abs() < 1e-9,
                "{model} {correction} {rank}"
            );
            assert!(
                (mean - means[correction]).abs() < 1e-9,
                "{model} {correction} {mean}"
            );
            assert!(rank >= last);
            last = rank;
        }
    }
}

/// Sentences, tables, page and figures show the same numbers.
#[test]
fn text_tables_and_figures_agree() {
    let records = records(&Design::full());
    let analysis = analysis(&records);
    let report = report(&records);
    let summary = table(&report, "summary");
    let (models, corrections) = (texts(summary, "model"), texts(summary, "correction"));
    let (gains, verdicts) = (reals(summary, "gain"), texts(summary, "verdict"));
    let (differences, lower, upper) = (
        reals(summary, "difference"),
        reals(summary, "lower"),
        reals(summary, "upper"),
    );
    let price = table(&report, "price");
    let (m, c) = (texts(price, "model"), texts(price, "correction"));
    let paid = reals(price, "balanced_error_difference");
    let forest = report
        .figures
        .iter()
        .find(|(name, _)| name == "forest")
        .unwrap();
    let said = findings(&analysis);
    let mut compared = 0;
    for row in 0..models.len() {
        let (Some(gain), Some(difference)) = (gains[row], differences[row]) else {
            continue;
        };
        assert!(
            (gain + difference).abs() < 1e-12,
            "less balanced error is a gain"
        );
        if let (Some(lower), Some(upper)) = (lower[row], upper[row]) {
            assert!(lower <= difference && difference <= upper);
        }
        let other = (0..m.len()).find(|&o| m[o] == models[row] && c[o] == corrections[row]);
        assert!((paid[other.unwrap()].unwrap() - difference).abs() < 1e-12);
        // What a sentence says of a correction is the word of the table.
        let place = analysis
            .models
            .iter()
            .position(|own| own.id == models[row])
            .unwrap();
        let sentence = said
            .iter()
            .find(|f| f.topic == Topic::Model(place))
            .unwrap();
        let lowers = sentence.text.split("Lowers balanced error: ").nth(1);
        let lowers = lowers.map_or("", |rest| rest.split(". ").next().unwrap_or(rest));
        if lowers.contains(&format!("`{}`", corrections[row])) {
            assert_eq!(verdicts[row], "lowers");
        }
        compared += 1;
    }
    assert!(compared > 30, "{compared}");
    for finding in said.iter().filter(|f| f.topic == Topic::Answer) {
        assert!(markdown(&report, "summary").contains(&finding.text));
        let opening: String = finding.text.replace('`', "").chars().take(30).collect();
        let page = report
            .index_html
            .replace("<code>", "")
            .replace("</code>", "");
        assert!(page.contains(&opening), "{opening}");
    }
    // The figure tells the gain that the table has.
    let own = (&models, &corrections, &gains);
    let mut shown = 0;
    for row in 0..own.0.len() {
        let Some(gain) = own.2[row] else { continue };
        let claim = format!("{} {:+.1}", own.1[row], gain * 100.0).replace('-', "\u{2212}");
        let part = forest
            .1
            .description
            .split(&format!(" {}: ", own.0[row]))
            .nth(1);
        shown +=
            usize::from(part.is_some_and(|part| part.replace('-', "\u{2212}").contains(&claim)));
    }
    assert!(shown >= 4, "{shown} of {own:?} in {}", forest.1.description);
}

/// From, to and gain of a sentence agree to the last digit.
#[test]
fn the_numbers_of_a_sentence_add_up() {
    let mut seen = 0;
    for finding in sentences(&records(&Design::full())) {
        for part in finding.text.split("gains ").skip(1) {
            let number = |text: &str| text.split(' ').next().and_then(|n| n.parse::<f64>().ok());
            let (Some(gain), Some((_, levels))) = (number(part), part.split_once("from ")) else {
                continue;
            };
            let (from, to) = levels.split_once(" % to ").unwrap();
            let (from, to) = (number(from).unwrap(), number(to).unwrap());
            assert!((from - to - gain).abs() < 1e-9, "{part}");
            seen += 1;
        }
    }
    assert!(seen >= 3, "{seen}");
}

#[test]
fn two_names_of_one_rule_count_once() {
    let records = records(&design(&[2, 4, 6, 7, 8, 9, 10], &[0], &[0, 1, 8, 10]));
    let analysis = analysis(&records);
    let comparison = &analysis.overall[0];
    assert_eq!(comparison.ranked.len(), 4);
    assert_eq!(comparison.n_counted(), 3);
    let twin = comparison
        .ranked
        .iter()
        .find(|ranked| ranked.same_as.is_some())
        .unwrap();
    assert_eq!(analysis.correction(twin.correction), "prior-threshold");
    let worst = comparison.ranked.last().unwrap();
    assert!(
        (worst.mean_rank - 3.0).abs() < 1e-12,
        "ranks are formed over three, not four"
    );
}

#[test]
fn a_rule_for_two_classes_does_not_take_datasets_from_the_others() {
    // Two of four datasets have more classes: the threshold is left out of the common ranking.
    let records = records(&design(&[4, 5, 8, 9], &[0], &[0, 1, 5]));
    let analysis = analysis(&records);
    let comparison = &analysis.overall[0];
    assert_eq!(comparison.datasets.len(), 4);
    assert_eq!(comparison.unranked.len(), 1);
    assert_eq!(comparison.unranked[0].n_datasets, 2);
    let against = comparison
        .against(comparison.unranked[0].correction)
        .unwrap();
    assert_eq!(
        against.n_datasets, 2,
        "its difference stands on its own datasets"
    );
    assert!(report(&records).ranking_json.contains("not_ranked"));
}

#[test]
fn a_method_that_fails_on_a_fold_is_missing_there_and_a_fold_without_any_value_is_not() {
    let mut records = records(&design(&[8], &[0], &[0, 1]));
    // Fold 0 of repeat 0 has a value for neither arm, fold 1 only for the baseline.
    for record in &mut records {
        let gone = record.fold == 0 || (record.fold == 1 && record.correction != "none");
        if record.repeat == 0 && gone {
            record.metrics.clear();
            record.outcome = Outcome::Undefined;
        }
    }
    let analysis = analysis(&records);
    let none = analysis.cube.get(0, 0, 0).unwrap();
    assert_eq!((none.n_cells, none.n_values, none.n_planned), (15, 14, 14));
    assert!(none.value().is_some());
    let other = analysis.cube.get(0, 0, 1).unwrap();
    assert_eq!((other.n_values, other.n_planned), (13, 14));
    assert_eq!(other.value(), None);
    let text = joined(&records);
    assert!(
        text.contains("lacks some folds and counts as missing"),
        "{text}"
    );
}

#[test]
fn pooling_counts_rows_not_folds() {
    let mut records = records(&design(&[8], &[0], &[0]));
    records.truncate(2);
    let recalls = [vec![Some(0.9), Some(0.5)], vec![Some(0.7), None]];
    for (record, recalls) in records.iter_mut().zip(recalls) {
        let known: Vec<f64> = recalls.iter().copied().flatten().collect();
        let mean = known.iter().sum::<f64>() / known.len() as f64;
        record.metrics.insert("balanced_error", 1.0 - mean);
        record.test_counts = vec![10, if recalls[1].is_some() { 2 } else { 0 }];
        record.recalls = recalls;
    }
    let analysis = analysis(&records);
    let summary = analysis.cube.get(0, 0, 0).unwrap();
    // Recalls over both folds: (9 + 7) / 20 and 1 / 2.
    assert!((summary.pooled.unwrap() - (1.0 - f64::midpoint(0.8, 0.5))).abs() < 1e-12);
    assert!((summary.value().unwrap() - f64::midpoint(0.3, 0.3)).abs() < 1e-12);
}

#[test]
fn records_of_two_sweeps_are_refused() {
    let mut records = records(&design(&[0], &[0], &[0]));
    records.push(records[0].clone());
    let error = build(&input(&records, &[])).unwrap_err();
    assert!(error.to_string().contains("are both dataset"), "{error}");
}

#[test]
fn the_same_records_give_the_same_report() {
    let records = records(&design(&[0, 2, 3, 4, 5, 6], &[0, 2], &[0, 1, 8]));
    let (a, b) = (report(&records), report(&records));
    assert_eq!(a.index_html, b.index_html);
    assert_eq!(a.tables, b.tables);
    assert_eq!(a.ranking_json, b.ranking_json);
}
