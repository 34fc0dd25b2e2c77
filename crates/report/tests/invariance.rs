//! What must not move a verdict: a population beside real datasets, an arm or a model under a second name.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::reading::design;
use common::{input, records, timings};
use counterweight_core::Record;
use counterweight_report::analysis::Comparison;
use counterweight_report::findings::{Topic, findings};
use counterweight_report::{Analysis, DatasetAbout};

const REAL: [usize; 8] = [2, 3, 4, 5, 6, 7, 8, 9];

fn analysis(records: &[Record]) -> Analysis {
    Analysis::new(&input(records, &timings(records))).unwrap()
}

fn of_real() -> Vec<Record> {
    records(&design(&REAL, &[0, 1], &[0, 1, 2, 4, 8]))
}

/// Every number about a correction against none, to 1e-9, by its id.
fn verdicts(analysis: &Analysis, comparison: &Comparison) -> Vec<String> {
    let rows = comparison.against.iter().map(|row| {
        let id = analysis.correction(row.correction);
        let ends = row.gain.interval.map_or((0.0, 0.0), |i| (i.lower, i.upper));
        let tier = row.tier.map_or((0.0, 0.0), |t| (t.p_above, t.low));
        format!(
            "{id} {:.9} {:.9} {:.9} {:.9} {:.9} {:.9} {:.9} {:?}",
            row.gain.mean,
            ends.0,
            ends.1,
            row.p_raw,
            row.p_holm.unwrap_or(2.0),
            tier.0,
            tier.1,
            row.verdict
        )
    });
    let mut rows: Vec<String> = rows.collect();
    rows.sort();
    rows
}

/// The same of every model by its id, and what the choice among its corrections gains.
fn everything(analysis: &Analysis) -> Vec<String> {
    let mut all: Vec<String> = analysis
        .overall
        .iter()
        .flat_map(|comparison| {
            let model = analysis.model(comparison.model()).to_owned();
            let contest = comparison.contest.as_ref().map(|c| {
                let mut first: Vec<String> = c
                    .arms
                    .iter()
                    .zip(&c.first)
                    .map(|(arm, p)| format!("{} {p:.9}", analysis.correction(*arm)))
                    .collect();
                first.sort();
                format!(
                    "{:.9} {:.9} {first:?} {:?}",
                    c.honest.mean, c.base, c.verdict
                )
            });
            let rows = verdicts(analysis, comparison);
            rows.into_iter()
                .chain(contest)
                .map(move |row| format!("{model}: {row}"))
        })
        .collect();
    all.sort();
    all
}

/// `records` and a copy of those of which `of` says the id, under another.
fn with_copy(records: &[Record], of: &str, rename: impl Fn(&mut Record)) -> Vec<Record> {
    let copied = records
        .iter()
        .filter(|r| r.correction == of || r.model == of);
    let mut all = records.to_vec();
    all.extend(copied.cloned().map(|mut record| {
        record.cell.0.push_str("-copy");
        rename(&mut record);
        record
    }));
    all
}

#[test]
fn a_population_moves_nothing_about_real_datasets() {
    let alone = analysis(&of_real());
    let mut all = of_real();
    all.extend(records(&design(&[0, 1], &[0, 1], &[0, 1, 2, 4, 8])));
    let beside = analysis(&all);
    assert_eq!(alone.overall.len(), 2);
    for (alone_in, beside_in) in alone.overall.iter().zip(&beside.overall) {
        assert_eq!(verdicts(&alone, alone_in), verdicts(&beside, beside_in));
        assert_eq!(alone_in.ranked, beside_in.ranked);
        assert_eq!(alone_in.contest, beside_in.contest);
    }
    assert_eq!(alone.effects, beside.effects);
}

#[test]
fn a_second_name_of_a_correction_moves_no_other() {
    let once = analysis(&of_real());
    let twice = with_copy(&of_real(), "smote", |record| {
        record.correction = "smote-again".into();
    });
    let twice = analysis(&twice);
    for (once_in, twice_in) in once.overall.iter().zip(&twice.overall) {
        let mut rows = verdicts(&twice, twice_in);
        let copy = rows.iter().position(|row| row.starts_with("smote-again"));
        let copy = rows.remove(copy.unwrap());
        let known = verdicts(&once, once_in);
        assert_eq!(rows, known);
        assert!(known.contains(&copy.replace("smote-again", "smote")));
    }
}

#[test]
fn a_second_name_of_a_model_does_not_count_in_the_answer() {
    let answer = |records: &[Record]| -> Vec<String> {
        let found = findings(&analysis(records)).into_iter();
        found
            .filter(|f| f.topic == Topic::Answer)
            .map(|f| f.text)
            .collect()
    };
    let once = of_real();
    let model = once[0].model.clone();
    let twice = with_copy(&once, &model, |record| record.model = "the-same".into());
    assert_eq!(answer(&once), answer(&twice));
    assert_eq!(answer(&once).len(), 3);
    let (a, b) = (analysis(&once), analysis(&twice));
    assert_eq!(a.family, b.family);
    let others = everything(&b)
        .into_iter()
        .filter(|row| !row.starts_with("the-same"));
    assert_eq!(everything(&a), others.collect::<Vec<_>>());
    assert!(
        findings(&b)
            .iter()
            .any(|f| f.text.contains("`the-same` has the values of"))
    );
}

#[test]
fn the_order_of_records_moves_nothing() {
    let records = of_real();
    let mut turned = records.clone();
    turned.reverse();
    assert_eq!(
        everything(&analysis(&records)),
        everything(&analysis(&turned))
    );
}

#[test]
fn two_related_sets_weigh_as_much_as_one() {
    let records = of_real();
    // One that is alone in its cluster.
    let data = analysis(&records).data.datasets.clone();
    let mut alone = data.iter().filter(|one| {
        let related = data.iter().filter(|other| other.cluster == one.cluster);
        related.count() == 1
    });
    let one = alone.next().unwrap().id.clone();
    let mut split = Vec::new();
    for record in &records {
        if *record.dataset != *one {
            split.push(record.clone());
            continue;
        }
        for (name, shift) in [("half-a", 0.003), ("half-b", -0.003)] {
            let mut half = record.clone();
            half.dataset = name.into();
            half.cell.0.push_str(name);
            if half.correction == "smote" {
                *half.metrics.get_mut("balanced_error").unwrap() += shift;
            }
            split.push(half);
        }
    }
    let halves = ["half-a", "half-b"].map(|id| DatasetAbout {
        id: id.into(),
        cluster: "halves".into(),
        ..DatasetAbout::default()
    });
    let timings = timings(&split);
    let mut input = input(&split, &timings);
    input.about.extend(halves);
    let split = Analysis::new(&input).unwrap();
    assert_eq!(everything(&analysis(&records)), everything(&split));
}
