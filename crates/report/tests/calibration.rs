//! Calibration in the report: the table, the Pareto front, and reliability curves from their bins.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{Design, input, records, timings};
use counterweight_core::{Cells, Record, Table};
use counterweight_plots::check_text;
use counterweight_report::{Analysis, ReportInput, ReportOutput, build};
use counterweight_store::{ReliabilityGroup, take_reliability};

fn small() -> Vec<Record> {
    records(&Design {
        data: vec![0, 2, 4, 6],
        models: vec![0, 2],
        arms: (0..9).collect(),
        repeats: 1,
        folds: 2,
    })
}

/// Two bins a dataset, ratio, model and correction; weighted arms are corrected.
fn bins(records: &[Record]) -> Table {
    let mut rows: Vec<(&Record, &str, i64, f64)> = Vec::new();
    for record in records
        .iter()
        .filter(|r| r.fold == 0 && r.metrics.contains_key("log_loss"))
    {
        rows.push((record, "as-fitted", 1, 0.02));
        rows.push((record, "as-fitted", 15, 0.5));
        if record.loss != "cross-entropy" {
            rows.push((record, "prior-corrected", 1, 0.01));
            rows.push((record, "prior-corrected", 14, 0.9));
        }
    }
    let text = |get: &dyn Fn(&Record) -> String| {
        Cells::Text(rows.iter().map(|row| Some(get(row.0))).collect())
    };
    let whole = |n: i64| Cells::Whole(vec![Some(n); rows.len()]);
    let predicted = |bin: i64| (bin as f64 - 0.5) / 15.0;
    [
        ("dataset", text(&|r| r.dataset.to_string())),
        ("profile", text(&|r| r.profile.to_string())),
        (
            "requested_ratio",
            Cells::Real(rows.iter().map(|row| row.0.requested_ratio).collect()),
        ),
        (
            "n_classes",
            Cells::Whole(
                rows.iter()
                    .map(|row| i64::try_from(row.0.n_classes).ok())
                    .collect(),
            ),
        ),
        ("model", text(&|r| r.model.to_string())),
        ("correction", text(&|r| r.correction.to_string())),
        (
            "stage",
            Cells::Text(rows.iter().map(|row| Some(row.1.to_owned())).collect()),
        ),
        (
            "bin",
            Cells::Whole(rows.iter().map(|row| Some(row.2)).collect()),
        ),
        ("cells", whole(2)),
        ("rows", whole(50)),
        ("weight", Cells::Real(vec![Some(50.0); rows.len()])),
        (
            "predicted",
            Cells::Real(rows.iter().map(|row| Some(predicted(row.2))).collect()),
        ),
        (
            "observed",
            Cells::Real(rows.iter().map(|row| Some(row.3)).collect()),
        ),
    ]
    .into_iter()
    .fold(Table::new(), |table, (name, cells)| {
        table.with(name, cells).unwrap()
    })
}

fn groups(records: &[Record]) -> Vec<ReliabilityGroup> {
    let mut groups = Vec::new();
    take_reliability(&mut groups, &bins(records)).unwrap();
    groups
}

fn with_bins(records: &[Record], reliability: &[ReliabilityGroup]) -> (Analysis, ReportOutput) {
    let timings = timings(records);
    let input = ReportInput {
        reliability,
        ..input(records, &timings)
    };
    (Analysis::new(&input).unwrap(), build(&input).unwrap())
}

/// The rows `from..to` of a table.
fn part(table: &Table, from: usize, to: usize) -> Table {
    table
        .columns()
        .iter()
        .fold(Table::new(), |part, (name, cells)| {
            let cells = match cells {
                Cells::Text(cells) => Cells::Text(cells[from..to].to_vec()),
                Cells::Real(cells) => Cells::Real(cells[from..to].to_vec()),
                Cells::Whole(cells) => Cells::Whole(cells[from..to].to_vec()),
                Cells::Flag(cells) => Cells::Flag(cells[from..to].to_vec()),
            };
            part.with(name.as_str(), cells).unwrap()
        })
}

#[test]
fn a_table_in_parts_gives_the_groups_of_the_whole() {
    let records = small();
    let (table, whole) = (bins(&records), groups(&records));
    assert!(
        whole
            .iter()
            .any(|group| group.corrected && !group.bins.is_empty())
    );
    assert!(
        whole
            .iter()
            .any(|group| group.n_classes > 2 && group.bins.is_empty())
    );
    for at in [1, 2, 3, table.n_rows() / 2] {
        let mut parts = Vec::new();
        take_reliability(&mut parts, &part(&table, 0, at)).unwrap();
        take_reliability(&mut parts, &part(&table, at, table.n_rows())).unwrap();
        assert_eq!(parts, whole, "{at}");
    }
    // No rows are no bins, whatever has become of the columns' types; other columns are an error.
    let mut none = Vec::new();
    take_reliability(&mut none, &Table::new()).unwrap();
    assert!(none.is_empty());
    let other = Table::new().with("dataset", Cells::Whole(vec![Some(1)]));
    assert!(take_reliability(&mut none, &other.unwrap()).is_err());
}

#[test]
fn the_front_is_what_no_other_beats() {
    let records = small();
    let (analysis, _) = with_bins(&records, &[]);
    let mut members = 0;
    for front in &analysis.calibration.fronts {
        for point in &front.points {
            let beaten = front.points.iter().any(|other| {
                other.log_loss <= point.log_loss
                    && other.balanced_error <= point.balanced_error
                    && (other.log_loss, other.balanced_error)
                        != (point.log_loss, point.balanced_error)
            });
            assert_eq!(point.front, !beaten);
            members += usize::from(point.front);
        }
    }
    assert!(members > 0);
    // Votes have no probabilities, hence no front and no row.
    let forest = analysis
        .models
        .iter()
        .position(|model| model.id == "forest")
        .unwrap();
    assert!(
        analysis
            .calibration
            .fronts
            .iter()
            .all(|front| front.model != forest)
    );
    assert!(
        analysis
            .calibration
            .rows
            .iter()
            .all(|row| row.model != forest)
    );
}

#[test]
fn the_table_has_means_as_fitted_and_corrected_only_where_they_differ() {
    let mut records = small();
    for record in &mut records {
        if record.loss == "cross-entropy"
            && let Some(value) = record.metrics.get("log_loss").copied()
        {
            record.metrics.insert("log_loss_raw", value);
        }
    }
    let (analysis, _) = with_bins(&records, &[]);
    assert!(!analysis.calibration.rows.is_empty());
    for row in &analysis.calibration.rows {
        let weighted = analysis.corrections[row.correction].loss != "cross-entropy";
        assert_eq!(row.corrected_log_loss.is_some(), weighted);
        if let (Some(after), Some(before)) = (row.corrected_log_loss, row.log_loss) {
            assert!((before / after - 1.25).abs() < 1e-9);
        }
        assert!(row.n_datasets > 0 && row.balanced_error.is_some());
    }
    let labels: Vec<String> = analysis
        .calibration
        .rows
        .iter()
        .map(|row| row.scope.label())
        .collect();
    for scope in ["real datasets", "populations"] {
        assert!(labels.iter().any(|label| label == scope), "{scope}");
    }
    assert!(
        !labels.iter().any(|label| label == "all"),
        "never in one mean"
    );
}

#[test]
fn curves_come_from_the_bins_of_the_records_at_hand() {
    let records = small();
    let groups = groups(&records);
    let (analysis, report) = with_bins(&records, &groups);
    assert_eq!(analysis.calibration.n_binned, analysis.calibration.n_cells);
    let curve = |correction: &str| {
        let at = analysis
            .corrections
            .iter()
            .position(|c| c.id == correction)
            .unwrap();
        let mut curves = analysis.calibration.curves.iter();
        curves.find(|curve| curve.correction == at).unwrap()
    };
    let weighted = curve("inverse-frequency");
    assert_eq!(weighted.n_datasets, 2, "the real ones with two classes");
    assert_eq!(weighted.fitted.len(), 2);
    assert!((weighted.fitted[1].observed - 0.5).abs() < 1e-12);
    assert!((weighted.corrected[1].predicted - 0.9).abs() < 1e-12);
    assert!((weighted.corrected.iter().map(|bin| bin.share).sum::<f64>() - 1.0).abs() < 1e-12);
    assert!(curve("smote").corrected.is_empty());
    let figure = report
        .figures
        .iter()
        .find(|(name, _)| name == "reliability_softmax-regression");
    check_text(&figure.unwrap().1.svg).unwrap();
    assert!(!report.index_html.contains("reliability bins"));

    // A part of the records takes its part of the bins.
    let some: Vec<Record> = records
        .iter()
        .filter(|r| r.dataset == "letter-img")
        .cloned()
        .collect();
    let (part, _) = with_bins(&some, &groups);
    assert!(
        part.calibration
            .curves
            .iter()
            .all(|curve| curve.n_datasets == 1)
    );
    assert_eq!(part.calibration.n_binned, part.calibration.n_cells);

    // Without bins there is no empty figure.
    let (_, report) = with_bins(&records, &[]);
    assert!(
        report
            .figures
            .iter()
            .all(|(name, _)| !name.starts_with("reliability"))
    );
    let (_, report) = with_bins(&records, &groups[groups.len() - 1..]);
    assert!(
        report
            .index_html
            .contains("with probabilities have no reliability bins")
    );
}
