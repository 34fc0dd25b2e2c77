//! The report as a whole: what it says, that all its parts say the same, and that it holds up on
//! degenerate and large input.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::collections::BTreeMap;

use common::reading::{design, markdown, reals, report, table, texts};
use common::{Design, MODELS, input, records, timings};
use counterweight_core::{Cells, Outcome, Record};
use counterweight_report::findings::{Finding, findings};
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
        "ranks",
        "bands",
        "ratios",
        "pairwise",
        "policies",
        "robustness",
        "per_dataset_softmax-regression",
        "models",
        "outcomes",
        "reasons",
        "datasets",
    ] {
        insta::assert_snapshot!(format!("markdown_{name}"), markdown(&report, name));
    }
    let latex = &report
        .latex
        .iter()
        .find(|(name, _)| name == "summary")
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
        assert_eq!(ranking["n_datasets"], 5);
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

/// Sentences, tables, ranking.json, page and figures show the same numbers.
#[test]
fn text_tables_and_figures_agree() {
    let records = records(&Design::full());
    let analysis = analysis(&records);
    let report = report(&records);
    let summary = table(&report, "summary");
    let (models, corrections) = (texts(summary, "model"), texts(summary, "correction"));
    let (ranks, differences) = (reals(summary, "mean_rank"), reals(summary, "difference"));
    let (lower, upper) = (reals(summary, "lower"), reals(summary, "upper"));
    let json: serde_json::Value = serde_json::from_str(&report.ranking_json).unwrap();
    let summary_text = markdown(&report, "summary");
    let mut seen = 0;
    for (place, ranking) in json["rankings"].as_array().unwrap().iter().enumerate() {
        let model = ranking["model"].as_str().unwrap();
        let best = &ranking["methods"][0];
        let correction = best["correction"].as_str().unwrap();
        let row = (0..models.len())
            .find(|&row| models[row] == model && corrections[row] == correction)
            .unwrap();
        assert_eq!(ranks[row], best["mean_rank"].as_f64());
        let sentence = findings(&analysis)
            .into_iter()
            .find(|f| f.topic == counterweight_report::findings::Topic::Model(place))
            .unwrap()
            .text;
        let claim = format!(
            "For `{model}`, `{correction}` lowers balanced error by {:.1} points [{:.1}, {:.1}]",
            -differences[row].unwrap() * 100.0,
            -upper[row].unwrap() * 100.0,
            -lower[row].unwrap() * 100.0,
        );
        assert!(sentence.starts_with(&claim), "{sentence}\n{claim}");
        assert!(summary_text.contains(&sentence));
        let visible = sentence.replace('`', "");
        let opening: String = visible.chars().take(30).collect();
        let page = report
            .index_html
            .replace("<code>", "")
            .replace("</code>", "");
        assert!(page.contains(&opening), "{opening}");
        // The figure of ranks tells the leader in words.
        let figure = report.figures.iter().find(|(name, _)| {
            name.starts_with("ranks_") && name.contains(model.split('[').next().unwrap())
        });
        let description = &figure.unwrap().1.description;
        assert!(description.contains(correction), "{description}");
        seen += 1;
    }
    assert_eq!(seen, MODELS.len());
    // The price table repeats the difference of the main table.
    let price = table(&report, "price");
    let (m, c) = (texts(price, "model"), texts(price, "correction"));
    let paid = reals(price, "balanced_error_difference");
    let mut compared = 0;
    for row in 0..models.len() {
        if let Some(difference) = differences[row] {
            let other = (0..m.len()).find(|&o| m[o] == models[row] && c[o] == corrections[row]);
            assert!((paid[other.unwrap()].unwrap() - difference).abs() < 1e-12);
            compared += 1;
        }
    }
    assert!(compared > 0);
    // The ratio figure says the lowest error at the highest ratio; the table has it.
    let curves = table(&report, "ratio_curves");
    let least = reals(curves, "mean_balanced_error")
        .into_iter()
        .zip(texts(curves, "subject"))
        .zip(texts(curves, "model"))
        .zip(reals(curves, "ratio"))
        .filter(|(((_, subject), model), ratio)| {
            subject == "moons" && model == "softmax-regression" && *ratio == Some(200.0)
        })
        .filter_map(|(((value, _), _), _)| value)
        .fold(f64::INFINITY, f64::min);
    let (_, figure) = report
        .figures
        .iter()
        .find(|(name, _)| name == "ratio_moons_step")
        .unwrap();
    let words = format!("{:.1} %", least * 100.0);
    assert!(
        figure.description.contains(&words),
        "{words}: {}",
        figure.description
    );
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
    assert_eq!(comparison.pairs.len(), 3);
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
    assert!(
        error
            .to_string()
            .contains("hint: records of two sweeps were mixed"),
        "{error}"
    );
}

#[test]
fn the_same_records_give_the_same_report() {
    let records = records(&design(&[0, 2, 3, 4, 5, 6], &[0, 2], &[0, 1, 8]));
    let (a, b) = (report(&records), report(&records));
    assert_eq!(a.index_html, b.index_html);
    assert_eq!(a.tables, b.tables);
    assert_eq!(a.ranking_json, b.ranking_json);
}

/// Numbers in the words of the figures are those of the tables.
#[test]
fn the_numbers_of_the_figures_are_those_of_the_tables() {
    let report = report(&records(&Design::full()));
    let words = |kind: &str, model: &str| {
        let name = format!(
            "{kind}_{}",
            model.replace(['[', ']', '='], "-").trim_end_matches('-')
        );
        let found = report.figures.iter().find(|(other, _)| *other == name);
        found.map(|(_, figure)| figure.description.clone())
    };
    let summary = table(&report, "summary");
    let (models, corrections) = (texts(summary, "model"), texts(summary, "correction"));
    let whole = |column: &str| match summary.column(column).unwrap() {
        Cells::Whole(cells) => cells.iter().map(|n| n.unwrap_or(0)).collect::<Vec<_>>(),
        other => panic!("{column} holds {other:?}"),
    };
    let (wins, paired) = (whole("wins"), whole("n_datasets_paired"));
    let (differences, means) = (
        reals(summary, "difference"),
        reals(summary, "mean_balanced_error"),
    );
    let (mut cells, mut costs) = (0, 0);
    for row in 0..models.len() {
        let (model, correction) = (&models[row], &corrections[row]);
        if let (Some(heat), Some(difference)) = (words("heat", model), differences[row]) {
            let points = format!("{:.1}", difference * 100.0).replace("-0.0", "0.0");
            let claim = format!(
                " {correction}: lower on {} of {} rows, mean difference {} points.",
                wins[row],
                paired[row],
                points.replace('-', "\u{2212}")
            );
            let plain = claim.replace('\u{2212}', "-");
            assert!(
                heat.contains(&claim) || heat.contains(&plain),
                "{claim}\n{heat}"
            );
            cells += 1;
        }
        // The corrections that no other beats in both are named with their level.
        if let (Some(cost), Some(mean)) = (words("cost", model), means[row])
            && cost.contains(&format!(" {correction} ("))
        {
            let claim = format!(" {correction} ({:.1} %", mean * 100.0);
            assert!(cost.contains(&claim), "{claim}\n{cost}");
            costs += 1;
        }
    }
    assert!(cells > 20 && costs >= MODELS.len(), "{cells} {costs}");
    // The matrix says who is better than whom where the table of pairs does.
    let pairs = table(&report, "pairwise");
    let (of, first, second) = (
        texts(pairs, "model"),
        texts(pairs, "first"),
        texts(pairs, "second"),
    );
    let differs = texts(pairs, "differs");
    let mut seen = 0;
    for row in 0..of.len() {
        let Some(matrix) = words("pairs", &of[row]) else {
            continue;
        };
        let sentence = matrix
            .split_once(&format!(" {} is better than ", first[row]))
            .map_or("", |(_, rest)| rest.split(". ").next().unwrap_or(rest));
        let beaten = sentence
            .trim_end_matches('.')
            .split(", ")
            .any(|name| name == second[row]);
        assert_eq!(
            beaten,
            differs[row] == "true",
            "{} {}: {matrix}",
            first[row],
            second[row]
        );
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
}
