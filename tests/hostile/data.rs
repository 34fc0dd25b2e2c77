//! Data files of any shape: read soundly, or refused with their place.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use counterweight_core::{Cells, Table};
use counterweight_frame::{read_table, write_table};

use crate::common::Place;

const SWEEP: &str = "format = 1\nname = \"h\"\n[[dataset]]\npath = \"d.csv\"\ntarget = \"y\"\n";
const REST: &str = "[[model]]\nkind = \"gaussian-naive-bayes\"\n[[correction]]\nid = \"none\"\n";

fn inspect(place: &Place, file: &str, more: &[&str]) -> crate::common::Ran {
    let mut arguments = vec!["data", "inspect", file, "--target", "y"];
    arguments.extend(more);
    place.call(&arguments)
}

#[test]
fn a_header_of_a_million_columns_takes_linear_time() {
    let n = 1_000_000;
    let mut csv = String::new();
    for at in 0..n {
        let _infallible = write!(csv, "c{at},");
    }
    csv.push_str("y\n");
    for class in ["a", "b", "a", "b"] {
        csv.push_str(&"1,".repeat(n));
        csv.push_str(class);
        csv.push('\n');
    }
    let place = Place::new();
    place.write("d.csv", &csv);
    let start = Instant::now();
    let ran = inspect(&place, "d.csv", &[]).ends_with(0);
    assert!(
        start.elapsed() < Duration::from_mins(1),
        "{:?}",
        start.elapsed()
    );
    assert!(ran.out.starts_with("4 rows, 1000000 numeric"));
    let twice = csv.replacen("c999999,", "c0,", 1);
    place.write("d.csv", &twice);
    let said = inspect(&place, "d.csv", &[]).ends_with(2).err;
    assert!(
        said.contains("column `c0` appears twice (positions 1 and 1000000)"),
        "{said}"
    );
}

#[test]
fn names_and_levels_have_any_length() {
    let long = "n".repeat(70_000);
    let csv = format!("x,{long},y\n1,{long},{long}\n2,{long},b\n3,c,{long}\n4,\"new\nline\",b\n");
    let place = Place::new();
    place.write("d.csv", &csv);
    let text = inspect(&place, "d.csv", &[]).ends_with(0).out;
    assert!(
        text.lines()
            .filter(|line| !line.starts_with("warning"))
            .all(|line| line.len() < 1000)
    );
    let json = inspect(&place, "d.csv", &["--format", "json"])
        .ends_with(0)
        .json();
    assert_eq!(
        json["columns"][1]["column"].as_str().map(str::len),
        Some(70_000)
    );
}

#[test]
fn large_whole_labels_are_kept_apart_in_every_format() {
    let first = 9_007_199_254_740_992_i64;
    let labels: Vec<i64> = (0..20).map(|row| first + row / 5).collect();
    let table = Table::new()
        .with(
            "x",
            Cells::Real((0..20).map(|row| Some(f64::from(row) + 0.5)).collect()),
        )
        .and_then(|table| table.with("y", Cells::Whole(labels.into_iter().map(Some).collect())))
        .expect("a table");
    let place = Place::new();
    for file in ["d.parquet", "d.csv"] {
        write_table(&table, &place.path(file)).expect("a file");
        let json = inspect(&place, file, &["--format", "json"])
            .ends_with(0)
            .json();
        let classes: Vec<(&str, u64)> = json["classes"]
            .as_array()
            .expect("classes")
            .iter()
            .map(|class| {
                (
                    class["class"].as_str().expect("a name"),
                    class["rows"].as_u64().expect("rows"),
                )
            })
            .collect();
        let expected = [
            "9007199254740992",
            "9007199254740993",
            "9007199254740994",
            "9007199254740995",
        ];
        assert_eq!(classes, expected.map(|name| (name, 5)), "{file}");
    }
}

#[test]
fn labels_that_are_one_number_are_told() {
    let mut csv = "x,y\n".to_owned();
    for row in 0..40 {
        let _infallible = writeln!(csv, "{row}.5,{}", ["0", "0.0", "1"][row % 3]);
    }
    let place = Place::with_sweep(&format!("{SWEEP}{REST}"));
    place.write("demo/d.csv", &csv);
    let words = "classes that are the same number in other spellings: `0`, `0.0`";
    let shown = inspect(&place, "demo/d.csv", &[]).ends_with(0).out;
    assert!(shown.contains(words), "{shown}");
    let said = place.call(&["run", "demo", "--no-report"]).ends_with(0).err;
    assert!(
        said.contains(&format!("note: dataset `d`: {words}")),
        "{said}"
    );
}

#[test]
fn resampling_keeps_the_cells_of_the_rows_that_it_keeps() {
    let mut csv = "id,zip,amount,name,y\n".to_owned();
    for row in 0..24_u64 {
        let class = if row % 4 == 0 { "rare" } else { "common" };
        let _infallible = writeln!(
            csv,
            "{},0{},{row}.50,-9,{class}",
            9_007_199_254_740_993 + 2 * row,
            1234 + row
        );
    }
    let place = Place::new();
    place.write("d.csv", &csv);
    let lines: Vec<&str> = csv.lines().skip(1).collect();
    for (with, output) in [
        ("random-over", "o.csv"),
        ("random-under", "o.tsv"),
        ("{ kind = \"smote\", k = 2 }", "s.csv"),
    ] {
        place
            .call(&[
                "data",
                "resample",
                "d.csv",
                "--target",
                "y",
                "--missing",
                "-9",
                "--with",
                with,
                "--output",
                output,
            ])
            .ends_with(if with.contains("smote") { 2 } else { 0 });
        if with.contains("smote") {
            continue;
        }
        for line in place.read(output).lines().skip(1) {
            let line = line.replace('\t', ",");
            let (cells, origin) = line.rsplit_once(',').expect("an origin");
            assert_eq!(
                cells,
                lines[origin.parse::<usize>().expect("a row")],
                "{with}"
            );
        }
    }
    // Made rows are numbers, kept ones are the file's text; a Parquet file loses nothing either.
    let plain = csv.replace("-9", "b");
    place.write("d.csv", &plain);
    for output in ["s.csv", "s.parquet"] {
        place
            .call(&[
                "data",
                "resample",
                "d.csv",
                "--target",
                "y",
                "--with",
                "{ kind = \"smote\", k = 2 }",
                "--output",
                output,
            ])
            .ends_with(0);
    }
    let lines: Vec<&str> = plain.lines().skip(1).collect();
    let out = place.read("s.csv");
    for line in out.lines().skip(1) {
        let (cells, origin) = line.rsplit_once(',').expect("an origin");
        if let Ok(row) = origin.parse::<usize>() {
            assert_eq!(cells, lines[row]);
        }
    }
    assert!(out.lines().count() > 25, "rows were made");
    let table = read_table(&place.path("s.parquet")).expect("a table");
    let Some(Cells::Text(zips)) = table.column("zip") else {
        panic!("padded numbers are text")
    };
    assert_eq!(zips[0].as_deref(), Some("01234"));
    assert!(matches!(table.column("amount"), Some(Cells::Real(_))));
}

#[test]
fn other_separators_are_read_by_key_and_flag_as_the_hints_say() {
    let csv: String = (0..40)
        .map(|row| format!("{row};{}\n", ["a", "b"][row % 2]))
        .collect();
    let place = Place::with_sweep(&format!("{SWEEP}{REST}"));
    place.write("demo/d.csv", &format!("x;y\n{csv}"));
    let said = place.call(&["run", "demo"]).ends_with(2).err;
    assert!(said.contains("say so: separator = \";\""), "{said}");
    let said = inspect(&place, "demo/d.csv", &[]).ends_with(2).err;
    assert!(said.contains("say so: --separator ';'"), "{said}");
    inspect(&place, "demo/d.csv", &["--separator", ";"]).ends_with(0);
    place.write(
        "demo/sweep.toml",
        &format!("{SWEEP}separator = \";\"\n{REST}"),
    );
    assert_eq!(place.run_demo(0).distinct("outcome"), ["ok"]);
    place.write(
        "demo/sweep.toml",
        &format!("{SWEEP}separator = \";;\"\n{REST}"),
    );
    let said = place.call(&["run", "demo"]).ends_with(2).err;
    assert!(
        said.contains("demo/sweep.toml:6: dataset 1 > separator: `;;` separates no cells"),
        "{said}"
    );
    place.write("tab.csv", "i\tx\ty\n1\t2\ta\n2\t3\tb\n3\tNA\ta\n4\t5\tb\n");
    inspect(
        &place,
        "tab.csv",
        &["--separator", "tab", "--ignore", "i", "--missing", "NA"],
    )
    .ends_with(0);
}

#[test]
fn an_overflow_is_not_blamed_on_missing_values() {
    let csv: String = (0..40)
        .map(|row| {
            format!(
                "{}1.7e308,{row},{}\n",
                if row % 3 == 0 { "-" } else { "" },
                ["a", "b"][row % 2]
            )
        })
        .collect();
    let place = Place::with_sweep(&format!("{SWEEP}{REST}"));
    place.write("demo/d.csv", &format!("x,z,y\n{csv}"));
    for row in place.run_demo(1).rows {
        assert_eq!(row.text("outcome"), "failed");
        assert!(
            row.text("reason").contains("scaling overflows"),
            "{}",
            row.text("reason")
        );
        assert!(row.text("reason").contains("`x`"), "{}", row.text("reason"));
    }
}

#[test]
fn parquet_files_that_declare_what_they_cannot_hold_are_refused() {
    let place = Place::new();
    std::fs::write(place.path("bad.parquet"), BAD).expect("a file");
    let ran = inspect(&place, "bad.parquet", &[]).ends_with(2);
    assert!(
        ran.err.starts_with("error: bad.parquet: cannot read: "),
        "{}",
        ran.err
    );
    assert!(
        !ran.err.contains("panicked") && !ran.err.contains("memory allocation"),
        "{}",
        ran.err
    );
}

/// Two columns of a few rows, one bit of whose footer is flipped: polars reserves 2^61 bytes for it.
const BAD: &[u8] = include_bytes!("declares_too_much.parquet");
