//! The parts of the report that stand beside the ranking: what leakage would have claimed, and
//! parameters that each correction chooses for itself.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on has failed")]

mod common;

use std::sync::Arc;

use common::{DATA, Design, input, records, timings};
use counterweight_core::{Axis, Cells, Record, Role, Scalar, Table};
use counterweight_report::analysis::Scope;
use counterweight_report::{Analysis, ReportInput, ReportOutput, write_up};
use counterweight_store::{LeakRow, LeakSides, leaks_from_table};

/// Three real sets, two of one cluster.
const SETS: [usize; 3] = [2, 3, 4];

fn small(models: &[usize]) -> Vec<Record> {
    records(&Design {
        data: SETS.to_vec(),
        models: models.to_vec(),
        arms: vec![0, 1, 3, 4],
        repeats: 1,
        folds: 2,
    })
}

fn sides(honest: f64, original_rows: f64, reported: f64) -> LeakSides {
    LeakSides {
        honest,
        original_rows,
        reported,
    }
}

fn leak(dataset: usize, values: Option<LeakSides>) -> LeakRow {
    LeakRow {
        dataset: DATA[dataset].id.to_owned(),
        requested_ratio: None,
        imbalance_ratio: Some(DATA[dataset].natural),
        model: "softmax-regression".to_owned(),
        leak: "smote".to_owned(),
        balanced_error: values,
        auroc: None,
        average_precision: None,
        linked_share: Some(0.5),
    }
}

fn written(records: &[Record], leaks: &[LeakRow]) -> (Analysis, ReportOutput) {
    let timings = timings(records);
    let input = ReportInput {
        axes: &[grid_of_l2()],
        leaks,
        ..input(records, &timings)
    };
    let analysis = Analysis::new(&input).unwrap();
    let output = write_up(&input, &analysis).unwrap();
    (analysis, output)
}

#[test]
fn the_premium_is_the_sum_of_its_parts_and_folds_are_no_datasets() {
    let rows = [
        // Two folds of one dataset, one of them without all three numbers beside a third.
        leak(2, Some(sides(0.4, 0.3, 0.1))),
        leak(2, Some(sides(0.6, 0.5, 0.1))),
        leak(2, None),
        leak(3, Some(sides(0.3, 0.2, 0.1))),
        leak(4, Some(sides(0.2, 0.2, 0.1))),
        LeakRow {
            dataset: "not-in-these-records".into(),
            ..leak(2, Some(sides(0.9, 0.9, 0.0)))
        },
    ];
    let (analysis, output) = written(&small(&[0]), &rows);
    let study = &analysis.leaks;
    assert_eq!((study.n_claims, study.n_without), (5, 1));
    let all = &study.premiums[0];
    assert_eq!((all.scope, all.n_datasets), (Scope::All, 3));
    // Datasets at (.5, .4, .1), (.3, .2, .1), one cluster of (.4, .3, .1), and (.2, .2, .1).
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} is not {b}");
    close(all.balanced_error.honest, 0.3);
    close(all.balanced_error.premium(), 0.2);
    close(all.balanced_error.scoring(), 0.15);
    close(all.balanced_error.training(), 0.05);
    close(all.scoring_share().unwrap(), 0.75);
    close(all.standard_error.unwrap(), 0.1);
    // The bands of the ratio that hold some of the datasets.
    let scopes: Vec<Scope> = study.premiums.iter().map(|p| p.scope).collect();
    assert_eq!(
        scopes,
        [
            Scope::All,
            Scope::BANDS[2],
            Scope::BANDS[3],
            Scope::BANDS[4]
        ]
    );
    assert!(output.figures.iter().any(|(name, _)| name == "leak"));
    let page = &output.index_html;
    let start = page.find("What leakage would have claimed").unwrap();
    assert!(page[start..].contains("softmax-regression"));
    for name in ["leak_premium", "leak_values"] {
        assert!(
            output.tables.iter().any(|(other, _)| other == name),
            "{name}"
        );
    }
    // Nothing that ranks knows of it.
    let without = written(&small(&[0]), &[]).1;
    assert_eq!(without.ranking_json, output.ranking_json);
    assert!(!without.index_html.contains("leakage"));
    assert!(!without.figures.iter().any(|(name, _)| name == "leak"));
    assert!(
        !without
            .tables
            .iter()
            .any(|(name, _)| name.starts_with("leak"))
    );
}

#[test]
fn opposite_parts_have_no_share() {
    let rows = [leak(2, Some(sides(0.3, 0.4, 0.1)))];
    let (analysis, output) = written(&small(&[0]), &rows);
    let all = &analysis.leaks.premiums[0];
    assert_eq!(all.scoring_share(), None);
    assert_eq!(all.standard_error, None);
    assert!(output.index_html.contains("a premium of +20.0"));
}

#[test]
fn leak_tables_are_read_or_refused_with_the_column() {
    let metrics = ["balanced_error", "auroc", "average_precision"];
    let table = |drop: &str| {
        let text = |word: &str| Cells::Text(vec![Some(word.to_owned())]);
        let mut columns = vec![
            ("dataset".to_owned(), text("d")),
            ("model".to_owned(), text("m")),
            ("leak".to_owned(), text("l")),
            ("requested_ratio".to_owned(), Cells::Real(vec![Some(5.0)])),
            ("imbalance_ratio".to_owned(), Cells::Real(vec![None])),
            ("linked_share".to_owned(), Cells::Real(vec![Some(0.25)])),
        ];
        for metric in metrics {
            for (side, value) in [("honest", 0.3), ("original_rows", 0.2), ("reported", 0.1)] {
                let value = (metric != "auroc" || side != "reported").then_some(value);
                columns.push((format!("{metric}_{side}"), Cells::Real(vec![value])));
            }
        }
        let kept = columns.into_iter().filter(|(name, _)| name != drop);
        kept.fold(Table::new(), |table, (name, cells)| {
            table.with(name, cells).unwrap()
        })
    };
    let rows = leaks_from_table(&table("")).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].balanced_error, Some(sides(0.3, 0.2, 0.1)));
    assert_eq!(rows[0].auroc, None);
    assert_eq!(
        (rows[0].requested_ratio, rows[0].imbalance_ratio),
        (Some(5.0), None)
    );
    for column in ["leak", "linked_share", "balanced_error_original_rows"] {
        let error = leaks_from_table(&table(column)).unwrap_err().to_string();
        assert!(error.contains(column), "{error}");
    }
}

/// Records of an entry with `select`, made of those of the one without: `none` gains 2 points on every
/// dataset, the others nothing, and `l2=1` is chosen on the first fold.
fn selecting(fixed: &[Record]) -> Vec<Record> {
    let mut all = Vec::new();
    for record in fixed {
        let mut fixed = record.clone();
        let mut stages = (*record.stages).clone();
        let params = &mut stages.get_mut(Role::Model).params;
        params.insert("l2".to_owned(), Scalar::Real(1.0));
        fixed.model_params = "l2=1".into();
        fixed.stages = Arc::new(stages.clone());
        let mut copy = fixed.clone();
        let params = &mut stages.get_mut(Role::Model).params;
        params.clear();
        params.insert("select".to_owned(), Scalar::Text("balanced-error".into()));
        stages.model_entry = "softmax-regression[select=balanced-error]".into();
        copy.stages = Arc::new(stages);
        copy.model = "softmax-regression[select=balanced-error]".into();
        copy.model_params = "l2=0.1|1;select=balanced-error".into();
        copy.cell.0.push_str("-selected");
        if copy.correction == "none"
            && let Some(error) = copy.metrics.get_mut("balanced_error")
        {
            *error -= 0.02;
        }
        let second = copy.fold == 1;
        copy.details
            .insert("selected", if second { 0.0 } else { 1.0 });
        copy.details
            .insert("selected_l2", if second { 0.1 } else { 1.0 });
        all.extend([fixed, copy]);
    }
    all
}

/// What the entry chooses from.
fn grid_of_l2() -> Axis {
    Axis {
        stage: Role::Model,
        parameter: "l2".to_owned(),
        entry: "softmax-regression[select=balanced-error]".to_owned(),
        values: vec![Scalar::Real(0.1), Scalar::Real(1.0)],
        default: Some(Scalar::Real(1.0)),
        expand: false,
        selected_by: Some("balanced-error".to_owned()),
    }
}

#[test]
fn selection_is_set_beside_the_fixed_entry_of_its_kind() {
    let both = selecting(&small(&[0]));
    let (analysis, output) = written(&both, &[]);
    let study = &analysis.selection;
    let [order] = &study.orders[..] else {
        panic!("{:?}", study.orders)
    };
    assert_eq!(analysis.model(order.fixed), "softmax-regression");
    assert_eq!(
        (order.fixed_at.as_str(), order.metric.as_str()),
        ("l2=1", "balanced-error")
    );
    assert_eq!((order.n_corrections, order.n_clusters), (4, 2));
    // The answer is about the entry that chooses, as if the fixed one were not there.
    let chosen = |record: &&Record| record.model.as_str().contains("select");
    let alone: Vec<Record> = both.iter().filter(chosen).cloned().collect();
    let (alone, _) = written(&alone, &[]);
    assert_eq!(analysis.pooled.models, [order.selected]);
    assert_eq!(analysis.family, alone.family);
    let gains = |of: &Analysis| -> Vec<f64> {
        let rows = of.pooled.against.iter();
        rows.map(|row| row.gain.mean).collect()
    };
    assert_eq!(gains(&analysis), gains(&alone));
    assert!((order.mean_gain.unwrap() - 0.005).abs() < 1e-12);
    for row in &study.rows {
        let gain = if analysis.correction(row.correction) == "none" {
            0.02
        } else {
            0.0
        };
        assert!((row.gain - gain).abs() < 1e-12);
        assert!((row.fixed - row.selected - gain).abs() < 1e-12);
        assert!(row.standard_error.unwrap() < 1e-12);
        // Three datasets of two folds each.
        assert_eq!(
            row.chosen,
            [("l2=0.1".to_owned(), 3), ("l2=1".to_owned(), 3)]
        );
        let places = row.places.unwrap();
        if gain > 0.0 {
            assert!(places.selected_rank <= places.fixed_rank);
        } else {
            assert!(places.selected_rank >= places.fixed_rank);
        }
    }
    // Places agree with the mean ranks, and the sentence with both.
    let moved = |row: &&counterweight_report::analysis::SelectionRow| {
        row.places
            .is_some_and(|places| places.fixed != places.selected)
    };
    assert_eq!(study.rows.iter().filter(moved).count(), order.moved);
    let said = format!("{} of 4 corrections", order.moved);
    assert!(output.index_html.contains(&said), "{said}");
    let choices = output
        .tables
        .iter()
        .find(|(name, _)| name == "selection_choices");
    match choices.unwrap().1.column("share") {
        Some(Cells::Real(cells)) => {
            assert_eq!(cells.len(), 8);
            assert!(
                cells
                    .iter()
                    .all(|share| share.is_some_and(|s| (s - 0.5).abs() < 1e-12))
            );
        }
        other => panic!("{other:?}"),
    }
    assert!(output.index_html.contains("own choice"));
    // No entry that selects, no table; an entry that selects with nothing beside it, none either.
    let alone: Vec<Record> = both
        .iter()
        .filter(|record| record.model.as_str().contains("select"))
        .cloned()
        .collect();
    for records in [small(&[0]), alone] {
        let (analysis, output) = written(&records, &[]);
        assert!(analysis.selection.orders.is_empty());
        assert!(
            !output
                .tables
                .iter()
                .any(|(name, _)| name.starts_with("selection"))
        );
    }
}
