//! Records as tables and back.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod common;

use common::{CATALOGUE, Design, records, timings};
use std::sync::Arc;

use counterweight_core::{Cells, Outcome, Role, Scalar, Stages, Table};
use counterweight_store::{
    TableError, attach_details, details_table, records_from_table, records_table,
    timings_from_table, timings_table,
};
use proptest::prelude::*;

const CONTRACT: &str = "cell, dataset, source, n_train, n_test, n_features, n_classes, profile, \
    requested_ratio, imbalance_ratio, minority_count, repeat, fold, model, model_params, correction, \
    family, resample, loss, decide, outcome, reason, balanced_error, error_rate, worst_recall, g_mean, \
    macro_f1, mcc, kappa, auroc, average_precision, brier, log_loss, ece, calibration_intercept, \
    calibration_slope, many_recall, medium_recall, few_recall, bayes_balanced_error, regret, recalls";

#[test]
fn the_contract_s_columns_come_first_and_in_its_order() {
    let table = records_table(&records(&Design::full()), &CATALOGUE).unwrap();
    let names: Vec<&str> = table
        .columns()
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let contract: Vec<&str> = CONTRACT.split(',').map(str::trim).collect();
    assert_eq!(names[..contract.len()], contract);
    assert_eq!(
        names[contract.len()..],
        [
            "mutual_information",
            "brier_raw",
            "log_loss_raw",
            "ece_raw",
            "test_counts",
            "train_counts",
            "model_kind",
            "model_entry",
            "correction_entry",
            "resample_kind",
            "ensemble_kind",
            "loss_kind",
            "decide_kind",
            "dataset_entry",
            "population_kind",
        ]
    );
    let empty = records_table(&[], &CATALOGUE).unwrap();
    assert_eq!(empty.columns().len(), names.len());
    assert!(records_from_table(&empty).unwrap().is_empty());
}

#[test]
fn records_details_and_timings_survive_the_trip() {
    let design = Design {
        data: vec![0, 4],
        repeats: 1,
        folds: 2,
        ..Design::full()
    };
    let mut records = records(&design);
    records[1].recalls[0] = None;
    records[2].metrics.insert("of_a_later_version", 0.25);
    // Records of one dataset, model and correction are made of the same.
    for (at, record) in records.iter_mut().enumerate() {
        let mut stages = Stages {
            model_entry: "m".into(),
            ..Stages::default()
        };
        let swept = record.correction == "smote";
        stages.get_mut(Role::Resample).kind = record.resample.clone();
        let mut set = |role: Role, name: &str, value: Scalar| {
            let params = &mut stages.get_mut(role).params;
            params.insert(name.to_owned(), value);
        };
        if swept {
            set(Role::Resample, "k", Scalar::Whole(3));
        }
        set(
            Role::Decide,
            "then.tau",
            Scalar::Real(f64::from(u32::from(swept))),
        );
        set(Role::Model, "warm", Scalar::Flag(swept));
        set(Role::Loss, "scheme", Scalar::Text("1".into()));
        record.stages = Arc::new(stages);
        assert!(at < 1000, "a design of a few records");
    }
    let table = records_table(&records, &CATALOGUE).unwrap();
    let mut back = records_from_table(&table).unwrap();
    let details = details_table(&records).unwrap();
    assert_eq!(attach_details(&mut back, &details).unwrap(), 0);
    assert_eq!(back, records);
    assert_eq!(
        attach_details(&mut back[..1], &details).unwrap(),
        records
            .iter()
            .skip(1)
            .map(|r| r.details.len())
            .sum::<usize>()
    );
    let times = timings(&records);
    assert_eq!(
        timings_from_table(&timings_table(&times).unwrap()).unwrap(),
        times
    );
}

#[test]
fn regret_is_computed_and_empty_where_it_has_no_meaning() {
    let records = records(&Design {
        data: vec![0, 4],
        ..Design::full()
    });
    let table = records_table(&records, &CATALOGUE).unwrap();
    let Some(Cells::Real(regret)) = table.column("regret") else {
        panic!("no regret")
    };
    for (record, regret) in records.iter().zip(regret) {
        assert_eq!(*regret, record.regret());
        if record.source == "real" {
            assert_eq!(*regret, None);
        }
    }
}

fn with_cell(table: &Table, column: &str, value: &str) -> Table {
    let mut changed = Table::new();
    for (name, cells) in table.columns() {
        let mut cells = cells.clone();
        if name == column {
            let Cells::Text(texts) = &mut cells else {
                panic!("{column} is no text")
            };
            texts[0] = Some(value.to_owned());
        }
        changed = changed.with(name.clone(), cells).unwrap();
    }
    changed
}

#[test]
fn a_damaged_table_is_an_error_that_names_the_place() {
    let records = records(&Design {
        data: vec![0],
        arms: vec![0],
        ..Design::full()
    });
    let table = records_table(&records, &CATALOGUE).unwrap();
    let error = records_from_table(&with_cell(&table, "outcome", "fine")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "table `records`, row 0, column `outcome`: `fine` is not an outcome"
    );
    let error = records_from_table(&with_cell(&table, "recalls", "0.5;x")).unwrap_err();
    assert!(
        error.to_string().contains("column `recalls`: `0.5;x`"),
        "{error}"
    );
    let error = records_from_table(&Table::new()).unwrap_err();
    assert!(matches!(error, TableError::Column { .. }), "{error}");
}

#[test]
fn a_number_that_is_none_is_refused() {
    let mut records = records(&Design {
        data: vec![0],
        arms: vec![0],
        ..Design::full()
    });
    records[0].metrics.insert("mcc", f64::NAN);
    let error = records_table(&records, &CATALOGUE).unwrap_err().to_string();
    assert!(error.contains("`mcc`"), "{error}");
}

proptest! {
    #[test]
    fn any_record_survives_the_trip(
        error in proptest::option::of(0.0_f64..1.0),
        recalls in proptest::collection::vec(proptest::option::of(0.0_f64..=1.0), 0..6),
        counts in proptest::collection::vec(0_u64..1_000_000, 0..6),
        reason in "[ -~]{0,40}",
        outcome in 0_usize..9,
        ratio in proptest::option::of(1.0_f64..1e6),
    ) {
        // One class that is undefined and no class at all look the same in a file.
        prop_assume!(recalls != [None]);
        let mut record = records(&Design { data: vec![0], arms: vec![0], ..Design::full() })
            .swap_remove(0);
        record.details.clear();
        record.metrics.clear();
        record.metrics.extend(error.map(|error| ("balanced_error".to_owned(), error)));
        record.recalls = recalls;
        record.test_counts = counts.clone();
        record.train_counts = counts;
        record.reason = reason.into();
        record.outcome = Outcome::ALL[outcome];
        record.requested_ratio = ratio;
        let table = records_table(std::slice::from_ref(&record), &CATALOGUE).unwrap();
        prop_assert_eq!(records_from_table(&table).unwrap(), vec![record]);
    }
}
