//! Summaries and warnings.

use std::fmt::Write as _;

use counterweight_core::Cells;
use counterweight_frame::{describe, read_dataset};

use crate::{Folder, target};

#[test]
fn a_summary_counts_what_is_there() {
    let folder = Folder::new();
    let path = folder.file(
        "t.csv",
        "n,c,k,y\n1,u,0,a\n4,v,0,b\n4,v,0,b\n,u,0,a\n1,u,0,b\n2,,0,b\n",
    );
    let found = describe(&read_dataset(&path, &target("y")).unwrap());
    assert_eq!((found.rows, found.numeric, found.nominal), (6, 2, 1));
    assert_eq!((found.missing_cells, found.rows_with_missing), (2, 2));
    assert_eq!((found.duplicate_rows, found.conflicting_rows), (1, 2));
    assert_eq!(found.imbalance_ratio, Some(2.0));
    assert_eq!(found.constant_columns, ["k"]);
    let column = |name: &str| found.columns.column(name).unwrap().clone();
    assert_eq!(
        column("distinct"),
        Cells::Whole(vec![Some(3), Some(2), Some(1)])
    );
    assert_eq!(
        column("missing"),
        Cells::Whole(vec![Some(1), Some(1), Some(0)])
    );
    assert_eq!(column("min"), Cells::Real(vec![Some(1.0), None, Some(0.0)]));
    assert_eq!(column("max"), Cells::Real(vec![Some(4.0), None, Some(0.0)]));
    let Cells::Real(means) = column("mean") else {
        panic!("reals")
    };
    assert!((means[0].unwrap() - 2.4).abs() < 1e-12);
    assert_eq!(
        column("most_frequent"),
        Cells::Text(vec![None, Some("u".into()), None])
    );
    assert_eq!(
        column("most_frequent_rows"),
        Cells::Whole(vec![None, Some(3), None])
    );
    assert_eq!(
        found.classes.column("rows"),
        Some(&Cells::Whole(vec![Some(2), Some(4)]))
    );
    assert_eq!(
        found.classes.column("ratio"),
        Some(&Cells::Real(vec![Some(2.0), Some(1.0)]))
    );
    assert_eq!(
        found.warnings,
        [
            "classes with fewer than 10 rows: `a` (2), `b` (4); `small_class` decides what folds do \
             with them",
            "constant columns: `k`",
            "1 of 6 rows repeat an earlier row; duplicates = \"group\" keeps them on one side of a split",
            "2 rows share their features with a row of another class: no model can be right on all",
        ]
    );
}

#[test]
fn warnings_about_suspicious_columns() {
    let mut text = String::from("row,almost,id,leak,y\n");
    for i in 0..60 {
        let almost = if i == 7 {
            "n/a".to_owned()
        } else {
            (i % 30).to_string()
        };
        let class = if i % 3 == 0 { "Low" } else { "low" };
        let leak = if i % 3 == 0 {
            "p"
        } else if i % 3 == 1 {
            "q"
        } else {
            "r"
        };
        writeln!(text, "{},{almost},person{i},{leak},{class}", i + 100).unwrap();
    }
    let folder = Folder::new();
    let path = folder.file("t.csv", text);
    let dataset = read_dataset(&path, &target("y")).unwrap();
    assert_eq!(
        dataset.remarks(),
        ["column `almost`: taken for missing: `n/a` (1)"]
    );
    let found = describe(&dataset);
    assert_eq!(
        found.warnings,
        [
            "classes that differ only by letter case or blanks: `Low`, `low`",
            "column `row` counts the rows; ignore it",
            "column `id` has 60 levels in 60 rows: an identifier?",
            "column `leak` determines the class of every row: was it known before the label?",
        ]
    );
}
