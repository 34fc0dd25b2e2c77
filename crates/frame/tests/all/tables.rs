//! Tables of results, out and back.

use counterweight_core::{Cells, Column, ColumnValues, Dataset, Labels, Table};
use counterweight_frame::{
    ReadOptions, dataset_table, read_dataset, read_table, read_text_table, to_csv, write_dataset,
    write_table,
};
use proptest::prelude::*;

use crate::{Folder, target};

fn text(cells: &[Option<&str>]) -> Cells {
    Cells::Text(cells.iter().map(|cell| cell.map(str::to_owned)).collect())
}

fn example() -> Table {
    Table::new()
        .with(
            "cell",
            text(&[Some("0123456789"), Some("plain"), None, Some("")]),
        )
        .unwrap()
        .with(
            "note",
            text(&[
                Some("a,b"),
                Some("say \"hi\""),
                Some("two\nlines"),
                Some("inf"),
            ]),
        )
        .unwrap()
        .with(
            "error",
            Cells::Real(vec![Some(0.1), Some(1.0), None, Some(-1e-7)]),
        )
        .unwrap()
        .with(
            "rows",
            Cells::Whole(vec![Some(i64::MIN), Some(0), None, Some(7)]),
        )
        .unwrap()
}

#[test]
fn csv_is_written_to_the_byte() {
    assert_eq!(
        to_csv(&example()),
        "cell,note,error,rows\n\"0123456789\",\"a,b\",0.1,-9223372036854775808\nplain,\"say \
         \"\"hi\"\"\",1.0,0\n,\"two\nlines\",,\n\"\",\"inf\",-1e-7,7\n"
    );
    let reals = Cells::Real(vec![Some(0.1 + 0.2), Some(1e16), Some(5e-324), Some(-0.0)]);
    let table = Table::new().with("#x", reals).unwrap();
    assert_eq!(
        to_csv(&table),
        "\"#x\"\n0.30000000000000004\n1e16\n5e-324\n-0.0\n"
    );
}

#[test]
fn tables_come_back_and_equal_tables_give_equal_bytes() {
    let folder = Folder::new();
    let empty_rows = Table::new().with("a", Cells::Text(vec![])).unwrap();
    let one_column = Table::new()
        .with("a", text(&[None, Some("x"), None]))
        .unwrap();
    for table in [example(), empty_rows, one_column, Table::new()] {
        let csv = folder.path("t.csv");
        write_table(&table, &csv).unwrap();
        assert_eq!(read_table(&csv).unwrap(), table);
        if table.columns().is_empty() {
            continue;
        }
        let parquet = folder.path("t.parquet");
        write_table(&table, &parquet).unwrap();
        let first = std::fs::read(&parquet).unwrap();
        write_table(&table.clone(), &parquet).unwrap();
        assert_eq!(std::fs::read(&parquet).unwrap(), first);
        if table.n_rows() > 0 {
            assert_eq!(read_table(&parquet).unwrap(), table);
        }
    }
    // Nothing but the two files: temporary ones are gone.
    assert_eq!(std::fs::read_dir(folder.path("")).unwrap().count(), 2);
}

#[test]
fn long_tables_span_row_groups_and_keep_their_order() {
    let n = 600_000_i64;
    let table = Table::new()
        .with("i", Cells::Whole((0..n).map(Some).collect()))
        .unwrap()
        .with(
            "x",
            Cells::Real(
                (0..n)
                    .map(|i| (i % 7 != 0).then_some(i as f64 / 3.0))
                    .collect(),
            ),
        )
        .unwrap();
    let folder = Folder::new();
    let path = folder.path("t.parquet");
    write_table(&table, &path).unwrap();
    assert_eq!(read_table(&path).unwrap(), table);
}

#[test]
fn complaints_about_tables() {
    let folder = Folder::new();
    let told = |content: &str| {
        let path = folder.file("t.csv", content);
        folder
            .told(&read_table(&path).unwrap_err())
            .lines()
            .next()
            .unwrap()
            .to_owned()
    };
    assert_eq!(told(""), "t.csv: the file is empty");
    assert_eq!(
        told("a,b\n1\n"),
        "t.csv: line 2: expected 2 cells as in the header, found 1"
    );
    assert_eq!(
        told("a,b\n1,2\n3,nan\n"),
        "t.csv: line 3, column `b`: `nan` is not a finite number"
    );
    assert_eq!(told("a,a\n1,2\n"), "t.csv: table: column `a` twice");
    let error = write_table(&example(), &folder.path("t.txt")).unwrap_err();
    assert_eq!(
        folder.told(&error),
        "t.txt: unknown file format `txt`\nhint: files of these kinds work: csv, parquet"
    );
    let error = write_table(&example(), &folder.path("no/t.csv")).unwrap_err();
    assert!(
        folder.told(&error).starts_with("no/t.csv: cannot write: "),
        "{error}"
    );
}

#[test]
fn text_tables_change_no_spelling() {
    let folder = Folder::new();
    let path = folder.file("t.csv", "a,b\n1.50,\n007,nan\n\n");
    let table = read_text_table(&path).unwrap();
    assert_eq!(table.column("a"), Some(&text(&[Some("1.50"), Some("007")])));
    assert_eq!(table.column("b"), Some(&text(&[None, Some("nan")])));
    assert!(read_text_table(&folder.path("t.parquet")).is_err());
}

fn mixed() -> Dataset {
    let column = |name: &str, values| Column {
        name: name.into(),
        values,
    };
    Dataset::new(
        vec![
            column("whole", ColumnValues::Numeric(vec![1.0, f64::NAN, -3.0])),
            column("real", ColumnValues::Numeric(vec![0.1, -0.0, 1e300])),
            column(
                "large",
                ColumnValues::Numeric(vec![2f64.powi(60), 1.0, 2.0]),
            ),
            column("code", ColumnValues::nominal(&[Some("1"), None, Some("")])),
            column("empty", ColumnValues::nominal::<&str>(&[None, None, None])),
        ],
        Labels::from_texts(&["10", "9", "10"]),
    )
    .unwrap()
}

#[test]
fn datasets_keep_their_hash_through_parquet() {
    let folder = Folder::new();
    let path = folder.path("d.parquet");
    write_dataset(&mixed(), "y", &path).unwrap();
    let back = read_dataset(&path, &target("y")).unwrap();
    assert_eq!(back.content_hash(), mixed().content_hash());
    let error = write_dataset(&mixed(), "real", &path).unwrap_err();
    assert_eq!(folder.told(&error), "d.parquet: table: column `real` twice");
}

#[test]
fn a_dataset_as_a_table_shows_whole_numbers_as_such() {
    let table = dataset_table(&mixed(), "y").unwrap();
    assert_eq!(
        table.column("whole"),
        Some(&Cells::Whole(vec![Some(1), None, Some(-3)]))
    );
    // 2^60 is whole, but its neighbours cannot be told apart: it stays a real.
    assert!(matches!(table.column("large"), Some(Cells::Real(_))));
    let folder = Folder::new();
    let path = folder.path("d.csv");
    let real = ColumnValues::Numeric(vec![0.1, -0.0, 1e300]);
    let columns = vec![Column {
        name: "real".into(),
        values: real,
    }];
    let dataset = Dataset::new(columns, Labels::from_texts(&["10", "9", "10"])).unwrap();
    write_dataset(&dataset, "y", &path).unwrap();
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "real,y\n0.1,\"10\"\n-0.0,\"9\"\n1e300,\"10\"\n"
    );
    assert_eq!(
        read_dataset(&path, &ReadOptions::target("y")).unwrap(),
        dataset
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_table_survives_both_formats(
        rows in prop::collection::vec(
            (
                prop::option::of("[ a1.,\"\n\r#e+-]{0,6}|nan|-Inf|1e999|true|é"),
                prop::option::of(prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO),
                prop::option::of(any::<i64>()),
                prop::option::of(any::<bool>()),
            ),
            1..12,
        ),
        name in "[ a1,\"\n#]{1,4}",
    ) {
        let table = Table::new()
            .with(name, Cells::Text(rows.iter().map(|row| row.0.clone()).collect())).unwrap()
            .with("real", Cells::Real(rows.iter().map(|row| row.1).collect())).unwrap()
            .with("whole", Cells::Whole(rows.iter().map(|row| row.2).collect())).unwrap()
            .with("flag", Cells::Flag(rows.iter().map(|row| row.3).collect())).unwrap();
        let folder = Folder::new();
        for file in ["t.csv", "t.parquet"] {
            let path = folder.path(file);
            write_table(&table, &path).unwrap();
            let back = read_table(&path).unwrap();
            for ((_, found), (_, expected)) in back.columns().iter().zip(table.columns()) {
                let nothing = match expected {
                    Cells::Real(cells) => cells.iter().all(Option::is_none),
                    Cells::Whole(cells) => cells.iter().all(Option::is_none),
                    Cells::Flag(cells) => cells.iter().all(Option::is_none),
                    Cells::Text(_) => false,
                };
                if nothing && file == "t.csv" {
                    prop_assert_eq!(found, &Cells::Text(vec![None; rows.len()]));
                } else {
                    prop_assert_eq!(found, expected);
                }
            }
        }
    }
}

#[test]
fn text_that_a_spreadsheet_would_compute_comes_back_as_it_was() {
    let texts = [
        "=1+1", "+SUM-1", "-x", "@a", "'=1", "'", "''+a", "-5", "plain", "a=b",
    ];
    let table = Table::new().with("id", text(&texts.map(Some))).unwrap();
    let csv = to_csv(&table);
    let lines: Vec<&str> = csv.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "'=1+1", "'+SUM-1", "'-x", "'@a", "''=1", "'", "'''+a", "\"-5\"", "plain", "a=b"
        ]
    );
    let folder = Folder::new();
    let path = folder.file("t.csv", csv);
    assert_eq!(read_table(&path).unwrap(), table);
}
