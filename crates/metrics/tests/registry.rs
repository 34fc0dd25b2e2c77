//! What every registered metric has to satisfy by its card and its file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use counterweight_core::{MetricEntry, params};
use counterweight_metrics::ALL;

/// The columns of the records from `balanced_error` to `few_recall`, in the contract's order.
const COLUMNS: &[&str] = &[
    "balanced_error",
    "error_rate",
    "worst_recall",
    "g_mean",
    "macro_f1",
    "mcc",
    "kappa",
    "auroc",
    "average_precision",
    "brier",
    "log_loss",
    "ece",
    "calibration_intercept",
    "calibration_slope",
    "many_recall",
    "medium_recall",
    "few_recall",
];

fn entries() -> impl Iterator<Item = &'static MetricEntry> {
    ALL.iter()
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/metric"))
}

#[test]
fn the_registry_begins_with_the_contracts_columns() {
    let ids: Vec<&str> = ALL.iter().map(|entry| entry.card.id).collect();
    assert!(ids.starts_with(COLUMNS), "{ids:?}");
}

#[test]
fn ids_are_unique_and_every_file_is_registered() {
    let files: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter_map(|file| file.strip_suffix(".rs").map(str::to_owned))
        .filter(|file| file != "mod")
        .collect();
    let ids: BTreeSet<String> = entries().map(|entry| entry.card.id.to_owned()).collect();
    assert_eq!(ids.len(), entries().count(), "an id is taken twice");
    assert_eq!(ids, files);
}

#[test]
fn every_file_has_its_headings_in_order() {
    const HEADINGS: &[&str] = &[
        "# When it helps, when it hurts",
        "# Formula",
        "# Parameters",
        "# Cost",
        "# Differences",
        "# Errors",
        "# Examples",
        "# References",
    ];
    for entry in entries() {
        let path = folder().join(format!("{}.rs", entry.card.id));
        let text = std::fs::read_to_string(&path).unwrap();
        let docs: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("//! "))
            .collect();
        let headings: Vec<&str> = docs
            .iter()
            .copied()
            .filter(|line| line.starts_with("# ") && !line.starts_with("# Ok"))
            .collect();
        assert_eq!(headings, HEADINGS, "{}", path.display());
        assert!(
            !docs[0].starts_with('#'),
            "{}: says nothing first",
            path.display()
        );
        assert!(text.contains("//! ```\n"), "{}: no example", path.display());
        for spec in entry.card.params {
            let row = format!("| `{}` |", spec.name);
            assert!(
                text.contains(&row),
                "{}: `{}` is not in the table",
                path.display(),
                spec.name
            );
        }
        if entry.card.params.is_empty() {
            assert!(
                text.contains("# Parameters\n//! None"),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn cards_are_filled_and_defaults_build() {
    for entry in entries() {
        let card = entry.card;
        assert!(
            !card.summary.is_empty() && !card.reference.is_empty(),
            "{}",
            card.id
        );
        assert!(
            card.reference.bytes().any(|b| b.is_ascii_digit()),
            "{}: no year",
            card.id
        );
        let checked = params::check(card.params, &BTreeMap::new()).unwrap();
        (entry.build)(&checked).unwrap_or_else(|error| panic!("{}: {error}", card.id));
        // Only what is made of probabilities can differ between raw and mapped scores.
        assert!(
            entry.caps.probabilities || !entry.caps.also_raw,
            "{}",
            card.id
        );
    }
    let raw: Vec<&str> = ALL
        .iter()
        .filter(|entry| entry.caps.also_raw)
        .map(|entry| entry.card.id)
        .collect();
    assert_eq!(
        raw,
        [
            "brier",
            "log_loss",
            "ece",
            "calibration_intercept",
            "calibration_slope",
            "brier_reliability"
        ]
    );
}
