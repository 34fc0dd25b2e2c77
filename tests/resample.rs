//! `data resample`: a resampler as a tool.

use counterweight_frame::{read_table, write_table};

use crate::common::{Place, Ran, mixed_csv};

/// The input of the golden, and the rows that imbalanced-learn's `TomekLinks` keeps of it.
fn golden() -> (String, Vec<usize>) {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/goldens/corrections"
    );
    let text = std::fs::read_to_string(format!("{folder}/under.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let kept = json["tomek.csv"].as_array().unwrap();
    let kept = kept
        .iter()
        .map(|row| usize::try_from(row.as_u64().unwrap()).unwrap());
    let csv = std::fs::read_to_string(format!("{folder}/tomek.csv")).unwrap();
    (csv, kept.collect())
}

fn resample(place: &Place, file: &str, with: &str, output: &str, more: &[&str]) -> Ran {
    let mut words = vec![
        "data", "resample", file, "--target", "label", "--with", with,
    ];
    words.extend(["--output", output]);
    words.extend(more);
    place.call(&words)
}

#[test]
fn tomek_links_leave_the_rows_that_imbalanced_learn_leaves() {
    let (csv, kept) = golden();
    let place = Place::new();
    place.write("in.csv", &csv);
    let tomek = "{ kind = \"tomek-links\" }";
    let ran = resample(&place, "in.csv", tomek, "out.csv", &[]).ends_with(0);
    assert!(
        ran.out.contains("tomek-links[strategy=auto]: 105 rows"),
        "{}",
        ran.out
    );
    // Every line is the input's, cell for cell, with the row's number behind it.
    let lines: Vec<&str> = csv.lines().collect();
    let mut expected = vec!["a,label,b,c,origin".to_owned()];
    expected.extend(kept.iter().map(|&row| format!("{},{row}", lines[row + 1])));
    let found = std::fs::read_to_string(place.path("out.csv")).unwrap();
    assert_eq!(found.lines().collect::<Vec<_>>(), expected);
    assert!(kept.len() < 105);
    // The same from and to the other formats.
    place.write("in.tsv", &csv.replace(',', "\t"));
    let table = read_table(&place.path("in.csv")).unwrap();
    write_table(&table, &place.path("in.parquet")).unwrap();
    for file in ["in.tsv", "in.parquet"] {
        resample(&place, file, "tomek-links", "again.csv", &[]).ends_with(0);
        let again = std::fs::read_to_string(place.path("again.csv")).unwrap();
        assert_eq!(again, found, "{file}");
    }
    resample(&place, "in.csv", tomek, "out.tsv", &[]).ends_with(0);
    let tsv = std::fs::read_to_string(place.path("out.tsv")).unwrap();
    assert_eq!(tsv.replace('\t', ","), found);
    resample(&place, "in.csv", tomek, "out.parquet", &[]).ends_with(0);
    let parquet = read_table(&place.path("out.parquet")).unwrap();
    assert_eq!(parquet, read_table(&place.path("out.csv")).unwrap());
}

#[test]
fn made_rows_say_between_which_rows_they_lie_and_nominal_columns_keep_their_names() {
    let place = Place::new();
    // Without the rows that miss a value.
    let csv: String = mixed_csv(&[60, 20], 9)
        .lines()
        .filter(|line| !line.contains(",,"))
        .map(|line| format!("{line}\n"))
        .collect();
    let (n, most) = (csv.lines().count() - 1, csv.matches(",c0\n").count());
    place.write("in.csv", &csv);
    let call = |output: &str, more: &[&str]| {
        let mut words = vec![
            "data", "resample", "in.csv", "--target", "y", "--output", output,
        ];
        words.extend(["--with", "{ kind = \"smote\", k = 3 }"]);
        words.extend(more);
        place.call(&words)
    };
    let ran = call("out.csv", &[]).ends_with(0);
    assert!(
        ran.err.contains("smote-nc in place of smote"),
        "{}",
        ran.err
    );
    let before = read_table(&place.path("in.csv")).unwrap();
    let after = read_table(&place.path("out.csv")).unwrap();
    assert_eq!(after.n_rows(), 2 * most);
    let names = |table: &counterweight_core::Table| -> Vec<String> {
        table
            .columns()
            .iter()
            .map(|(name, _)| name.clone())
            .collect()
    };
    let mut expected = names(&before);
    expected.push("origin".into());
    assert_eq!(names(&after), expected);
    let texts = |table: &counterweight_core::Table, name: &str| -> Vec<String> {
        match table.column(name) {
            Some(counterweight_core::Cells::Text(cells)) => cells
                .iter()
                .map(|cell| cell.clone().unwrap_or_default())
                .collect(),
            other => panic!("{name}: {other:?}"),
        }
    };
    let origins = texts(&after, "origin");
    for (row, origin) in origins.iter().enumerate() {
        if row < n {
            assert_eq!(*origin, row.to_string());
        } else {
            let (base, neighbour) = origin.split_once(':').unwrap();
            for end in [base, neighbour] {
                assert!(end.parse::<usize>().unwrap() < n, "{origin}");
            }
        }
    }
    // Levels come back as their names, none of them new.
    for (name, cells) in before.columns() {
        if matches!(cells, counterweight_core::Cells::Text(_)) {
            let known = texts(&before, name);
            assert!(
                texts(&after, name)
                    .iter()
                    .all(|level| known.contains(level)),
                "{name}"
            );
        }
    }
    // A seed is a seed.
    let text = |file: &str| std::fs::read_to_string(place.path(file)).unwrap();
    call("same.csv", &["--seed", "0"]).ends_with(0);
    call("other.csv", &["--seed", "1"]).ends_with(0);
    assert_eq!(text("out.csv"), text("same.csv"));
    assert_ne!(text("out.csv"), text("other.csv"));
}

#[test]
fn what_is_wrong_is_said_before_anything_is_written() {
    let place = Place::new();
    let (csv, _) = golden();
    place.write("in.csv", &csv);
    let cases = [
        ("{ kind = \"tomek-link\" }", "did you mean `tomek-links`?"),
        (
            "{ kind = \"enn\", kay = 3 }",
            "--with:1: with > kay: unknown key",
        ),
        (
            "{ kind = \"enn\",\n k = 0 }",
            "--with:2: with > k: expected a whole number",
        ),
        (
            "{ kind = \"enn\", k = [1, 2] }",
            "give one value a parameter",
        ),
        ("{ kind = ", "not valid TOML"),
        ("", "not valid TOML"),
    ];
    for (with, says) in cases {
        let ran = resample(&place, "in.csv", with, "out.csv", &[]).ends_with(2);
        assert!(ran.err.contains(says), "{with}: {}", ran.err);
    }
    let ran = resample(&place, "in.csv", "enn", "in.csv", &[]).ends_with(2);
    assert!(ran.err.contains("would overwrite the input"), "{}", ran.err);
    std::fs::create_dir(place.path("sub")).unwrap();
    let ran = resample(&place, "in.csv", "enn", "sub/../in.csv", &[]).ends_with(2);
    assert!(ran.err.contains("would overwrite the input"), "{}", ran.err);
    let ran = resample(&place, "in.csv", "enn", "out.xlsx", &[]).ends_with(2);
    assert!(ran.err.contains(".csv, .tsv or .parquet"), "{}", ran.err);
    place.write("named.csv", &csv.replacen("a,label", "origin,label", 1));
    let ran = resample(&place, "named.csv", "enn", "out.csv", &[]).ends_with(2);
    assert!(
        ran.err.contains("there is a column `origin`"),
        "{}",
        ran.err
    );
    // A class of ten has no eleven neighbours of its own.
    let smote = "{ kind = \"smote\", k = 20 }";
    let ran = resample(
        &place,
        "in.csv",
        smote,
        "out.csv",
        &["--small-class", "error"],
    );
    assert!(ran.ends_with(2).err.contains("k = 20 reduced to 9"));
    let ran = resample(
        &place,
        "in.csv",
        smote,
        "out.csv",
        &["--small-class", "skip"],
    );
    ran.ends_with(4);
    assert!(!place.path("out.csv").exists());
    let ran = resample(&place, "in.csv", smote, "out.csv", &[]).ends_with(0);
    assert!(ran.err.contains("note: k = 20 reduced to 9"), "{}", ran.err);
}

#[test]
fn missing_values_stay_where_rows_are_only_dropped() {
    let place = Place::new();
    let (csv, _) = golden();
    let mut lines: Vec<String> = csv.lines().map(str::to_owned).collect();
    let comma = lines[3].find(',').unwrap();
    lines[3].replace_range(..comma, "");
    place.write("in.csv", &lines.join("\n"));
    let ran = resample(&place, "in.csv", "enn", "out.csv", &[]).ends_with(2);
    let says = "column `a` misses 1 of its values, the first in row 2";
    assert!(
        ran.err.contains(says) && ran.err.contains("random-under"),
        "{}",
        ran.err
    );
    let keep = "{ kind = \"random-under\", strategy = \"not-majority\" }";
    resample(&place, "in.csv", keep, "out.csv", &[]).ends_with(0);
    let out = std::fs::read_to_string(place.path("out.csv")).unwrap();
    for line in out.lines().skip(1) {
        let (cells, row) = line.rsplit_once(',').unwrap();
        assert_eq!(cells, lines[row.parse::<usize>().unwrap() + 1]);
    }
    let ran = place.call(&["data", "resample", "--help"]).ends_with(0);
    for word in [
        "BASE:NEIGHBOUR",
        "--small-class",
        "--seed",
        "Missing values",
    ] {
        assert!(ran.out.contains(word), "{word}: {}", ran.out);
    }
}

#[test]
fn new_rows_have_the_decimal_comma_of_the_file() {
    let place = Place::new();
    let rows = (0..30).map(|i| {
        format!(
            "{},{};{}\n",
            i % 7,
            i % 9 + 1,
            if i < 22 { "a" } else { "b" }
        )
    });
    let text = rows.fold("x;y\n".to_owned(), |all, row| all + &row);
    place.write("d.csv", &text);
    let line = [
        "data",
        "resample",
        "d.csv",
        "--target",
        "y",
        "--separator",
        ";",
        "--decimal",
        ",",
        "--with",
        "smote",
    ];
    for output in ["o.csv", "o.parquet"] {
        let line: Vec<&str> = line.into_iter().chain(["--output", output]).collect();
        place.call(&line).ends_with(0);
    }
    let told = place
        .call(&[
            "data",
            "inspect",
            "o.csv",
            "--target",
            "y",
            "--decimal",
            ",",
            "--ignore",
            "origin",
            "--format",
            "json",
        ])
        .ends_with(0)
        .json();
    assert_eq!(
        (told["rows"].as_u64(), told["numeric"].as_u64()),
        (Some(44), Some(1)),
        "{told}"
    );
    let told = place
        .call(&[
            "data",
            "inspect",
            "o.parquet",
            "--target",
            "y",
            "--ignore",
            "origin",
            "--format",
            "json",
        ])
        .ends_with(0)
        .json();
    assert_eq!(told["numeric"].as_u64(), Some(1), "{told}");
}

#[test]
fn a_column_has_one_role() {
    let place = Place::new();
    place.write("d.csv", "x,g,y\n1,a,p\n2,b,q\n3,a,p\n4,b,q\n");
    let inspect = |more: &[&str]| {
        let line: Vec<&str> = ["data", "inspect", "d.csv", "--target", "y"]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        place.call(&line).ends_with(2).err
    };
    let ignored = inspect(&["--group", "g", "--ignore", "g"]);
    assert!(
        ignored.contains("group column `g` is also ignored"),
        "{ignored}"
    );
    let twice = inspect(&["--group", "y"]);
    assert!(
        twice.contains("`y` is both the target and the group column"),
        "{twice}"
    );
}

#[test]
fn half_a_column_of_dates_and_points_beside_decimal_commas_are_asked_for() {
    let place = Place::new();
    let inspect = |file: &str, text: &str, more: &[&str]| {
        place.write(file, text);
        let line: Vec<&str> = ["data", "inspect", file, "--target", "y"]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        place.call(&line).ends_with(2).err
    };
    let dates = "d,y\n2024-02-28,a\n2020-02-30,b\n2024-02-27,a\n2024-01-01,b\n";
    let said = inspect("dates.csv", dates, &["--date", "number"]);
    assert!(
        said.contains("line 3, column `d`: `2020-02-30` is no date, and 3 of 4 cells are"),
        "{said}"
    );
    let commas = ["--separator", ";", "--decimal", ","];
    let said = inspect(
        "de.csv",
        "x;y\n1.234;a\n5.678;b\n12.345;a\n1.001;b\n",
        &commas,
    );
    assert!(
        said.contains("line 2, column `x`: `1.234` is no number"),
        "{said}"
    );
    let said = inspect("one.csv", "x;y\n1,5;a\n2,5;b\n12.345;a\n1,0;b\n", &commas);
    assert!(
        said.contains("line 4, column `x`: `12.345` is no number, and 3 of 4 cells are"),
        "{said}"
    );
}

#[test]
fn missing_values_are_filled_and_groups_carried_along() {
    let place = Place::new();
    let rows: Vec<[String; 4]> = (0..40)
        .map(|row| {
            let class = usize::from(row % 4 == 0);
            let x = if row % 10 == 3 {
                "NA".into()
            } else {
                (row % 7 + 3 * class).to_string()
            };
            let c = if row % 11 == 4 {
                ""
            } else {
                ["red", "blue"][usize::from(row % 3 == 0)]
            };
            let group = format!("g{}", row / 2);
            [x, c.to_owned(), group, ["a", "b"][class].to_owned()]
        })
        .collect();
    let text = rows.iter().fold("x,c,g,label\n".to_owned(), |all, row| {
        all + &row.join(",") + "\n"
    });
    place.write("in.csv", &text);
    let numbers: Vec<f64> = rows.iter().filter_map(|row| row[0].parse().ok()).collect();
    let mut sorted = numbers.clone();
    sorted.sort_by(f64::total_cmp);
    let median = sorted[18].midpoint(sorted[17]);
    let mean = numbers.iter().sum::<f64>() / 36.0;
    assert_eq!(numbers.len(), 36);
    let smote = "{ kind = \"smote-nc\", k = 3 }";
    let plain = ["--group", "g"];
    let ran = resample(&place, "in.csv", smote, "out.csv", &plain).ends_with(2);
    assert!(
        ran.err.contains("column `x` misses 4 of its values"),
        "{}",
        ran.err
    );
    for (how, expected) in [(&["--impute"][..], median), (&["--impute", "mean"], mean)] {
        let ran =
            resample(&place, "in.csv", smote, "out.csv", &[how, &plain].concat()).ends_with(0);
        let out = place.read("out.csv");
        let mut made = 0;
        for line in out.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            let base = cells[4]
                .split(':')
                .next()
                .and_then(|row| row.parse::<usize>().ok());
            let row = &rows[base.expect("a row")];
            assert_eq!(cells[2], row[2], "{line}");
            if cells[4].contains(':') {
                made += 1;
                assert_eq!(cells[3], "b");
                continue;
            }
            let x: f64 = cells[0].parse().expect("a number");
            let before = row[0].parse().unwrap_or(expected);
            assert!((x - before).abs() < 1e-12, "{line}");
            assert_eq!(cells[1], if row[1].is_empty() { "red" } else { &row[1] });
        }
        assert_eq!(made, 20, "{}", ran.out);
    }
    resample(&place, "in.csv", smote, "out.csv", &["--group", "h"]).ends_with(2);
}
