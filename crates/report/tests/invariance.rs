//! What must not move a verdict: a population beside real datasets, an arm or a model under a second name.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::reading::design;
use common::{input, records, timings};
use counterweight_core::Record;
use counterweight_report::Analysis;
use counterweight_report::analysis::Comparison;
use counterweight_report::findings::findings;

const REAL: [usize; 8] = [2, 3, 4, 5, 6, 7, 8, 9];

fn analysis(records: &[Record]) -> Analysis {
    Analysis::new(&input(records, &timings(records))).unwrap()
}

fn of_real() -> Vec<Record> {
    records(&design(&REAL, &[0, 1], &[0, 1, 2, 4, 8]))
}

/// Every number about a correction against none, by its id.
fn verdicts(analysis: &Analysis, comparison: &Comparison) -> Vec<String> {
    let rows = comparison.against.iter().map(|row| {
        let id = analysis.correction(row.correction);
        let interval = row.interval.map(|i| (i.lower, i.upper));
        format!(
            "{id} {} {interval:?} {} {} {:?}",
            row.mean_difference, row.p_raw, row.p_holm, row.verdict
        )
    });
    rows.collect()
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
        assert_eq!(alone_in.pairs, beside_in.pairs);
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
        let found = findings(&analysis(records));
        let about =
            |text: &String| text.contains("against no correction") && text.starts_with("For ");
        found
            .into_iter()
            .map(|f| f.text)
            .filter(about)
            .take(1)
            .collect()
    };
    let once = of_real();
    let model = once[0].model.clone();
    let twice = with_copy(&once, &model, |record| record.model = "the-same".into());
    assert_eq!(answer(&once), answer(&twice));
    assert!(answer(&once)[0].contains("for 2."), "{:?}", answer(&once));
    let said = findings(&analysis(&twice));
    assert!(
        said.iter()
            .any(|f| f.text.contains("`the-same` has the values of"))
    );
}
