//! The same rows in any format give the same records, and rows that someone else has divided stay so.

use std::fmt::Write as _;

use crate::common::{Place, Records};

const MODEL: &str = "[[model]]\nkind = \"softmax-regression\"\n[[correction]]\nid = \"none\"\n\
    [[correction]]\nid = \"over\"\nresample = { kind = \"random-over\" }\n";

fn sweep(file: &str, keys: &str) -> String {
    format!(
        "format = 1\n[protocol]\nfolds = 3\n[[dataset]]\nid = \"d\"\npath = \"{file}\"\ntarget = \"y\"\n{keys}\n{MODEL}"
    )
}

/// Rows of a real with missing values, a name and a class that both tell.
fn rows() -> Vec<[String; 3]> {
    let row = |row: usize| {
        let class = usize::from(row.is_multiple_of(5));
        let x = if row % 17 == 3 {
            String::new()
        } else {
            format!("{}.5", (row * 37 % 13) + 4 * class)
        };
        [
            x,
            ["red", "blue", "it's"][(row * 7 + class) % 3].to_owned(),
            ["no", "yes"][class].to_owned(),
        ]
    };
    (0..120).map(row).collect()
}

fn csv() -> String {
    rows()
        .iter()
        .fold("x,c,y\n".to_owned(), |all, row| all + &row.join(",") + "\n")
}

fn arff() -> String {
    let mut text = "@relation r\n@attribute x real\n@attribute c {red,blue,'it\\'s'}\n@attribute y {no,yes}\n@data\n".to_owned();
    for [x, c, y] in rows() {
        let x = if x.is_empty() { "?" } else { &x };
        writeln!(text, "{x},'{}',{y}", c.replace('\'', "\\'")).expect("text");
    }
    text
}

fn values(records: &Records) -> Vec<String> {
    let of = |column| {
        records
            .rows
            .iter()
            .map(move |row| row.text(column).to_owned())
    };
    of("cell")
        .chain(of("recalls"))
        .chain(of("log_loss"))
        .collect()
}

#[test]
fn csv_arff_keel_and_parquet_give_one_set_of_records() {
    let place = Place::with_sweep(&sweep("d.csv", ""));
    place.write("demo/d.csv", &csv());
    let expected = values(&place.run_demo(0));
    assert!(expected.len() > 12);
    let dataset = counterweight_frame::read_dataset(
        &place.path("demo/d.csv"),
        &counterweight_frame::ReadOptions::target("y"),
    );
    let dataset = dataset.expect("a dataset");
    for (file, text) in [
        ("d.arff", Some(arff())),
        (
            "d.dat",
            Some(arff().replace("@data", "@inputs x, c\n@outputs y\n@data")),
        ),
        ("d.parquet", None),
        ("d.csv.gz", None),
    ] {
        let place = Place::with_sweep(&sweep(file, ""));
        match text {
            Some(text) => place.write(&format!("demo/{file}"), &text),
            None if file == "d.parquet" => {
                let path = place.path("demo/d.parquet");
                counterweight_frame::write_dataset(&dataset, "y", &path).expect("a file");
            }
            None => {
                place.write("demo/d.csv", &csv());
                if place.shell("gzip demo/d.csv").code != 0 {
                    continue;
                }
            }
        }
        assert_eq!(values(&place.run_demo(0)), expected, "{file}");
        let inspected = place.call(&[
            "data",
            "inspect",
            &format!("demo/{file}"),
            "--target",
            "y",
            "--format",
            "json",
        ]);
        let hash = inspected.ends_with(0).json()["sha256"].clone();
        assert_eq!(
            hash.as_str(),
            Some(&*dataset.content_hash().hex()),
            "{file}"
        );
    }
}

/// Rows of CSV without a header that only their keys make readable: quotes, encoding, separator, decimals, dates.
#[test]
fn keys_and_flags_read_what_they_say() {
    let text: String = (0..60)
        .map(|row| {
            let class = usize::from(row % 4 == 0);
            format!(
                "'caf\u{e9};{}';{},5;2024-01-{:02};{}\n",
                row % 3,
                row % 7 + 3 * class,
                row % 28 + 1,
                ["a", "b"][class]
            )
        })
        .collect();
    let latin: Vec<u8> = text
        .chars()
        .map(|c| u8::try_from(u32::from(c)).expect("latin"))
        .collect();
    let keys = "separator = \";\"\ndecimal = \",\"\nquote = \"'\"\nheader = false\nencoding = \"latin1\"\ndate = \"number\"\nread_as = \"csv\"";
    let place = Place::with_sweep(&sweep("d.data", keys).replace("\"y\"", "\"c4\""));
    std::fs::write(place.path("demo/d.data"), latin).expect("a file");
    let records = place.run_demo(0);
    assert!(records.rows.iter().all(|row| row.text("n_features") == "3"));
    let flags = [
        "--separator",
        ";",
        "--decimal",
        ",",
        "--quote",
        "'",
        "--header",
        "false",
        "--encoding",
        "latin1",
        "--date",
        "number",
        "--read-as",
        "csv",
    ];
    let inspect = [
        "data",
        "inspect",
        "demo/d.data",
        "--target",
        "c4",
        "--format",
        "json",
    ];
    let found = place
        .call(&[&inspect[..], &flags].concat())
        .ends_with(0)
        .json();
    assert_eq!(
        (found["numeric"].as_u64(), found["nominal"].as_u64()),
        (Some(2), Some(1))
    );
    assert_eq!(found["columns"][0]["most_frequent"], "caf\u{e9};0");
    let resample = [
        "data",
        "resample",
        "demo/d.data",
        "--target",
        "c4",
        "--with",
        "smote",
        "--output",
        "o.csv",
    ];
    place.call(&[&resample[..], &flags].concat()).ends_with(0);
    let written = place.read("o.csv");
    let mut lines = written.lines();
    assert_eq!(lines.next(), Some("c1,c2,c3,c4,origin"));
    // Days, in copied and in new rows alike.
    for line in lines {
        let day: f64 = line
            .split(',')
            .nth(2 + usize::from(line.contains('"')))
            .and_then(|d| d.parse().ok())
            .unwrap_or(19_723.0);
        assert!((19_723.0..19_751.0).contains(&day), "{line}");
    }
    // The library is read as it is kept.
    for key in keys
        .lines()
        .chain(["folds = \"c1\"", "splits = \"s.csv\"", "first_index = 0"])
    {
        place.write(
            "demo/sweep.toml",
            &format!("format = 1\n[[dataset]]\nname = \"iris\"\n{key}\n{MODEL}"),
        );
        let ran = place.call(&["run", "demo", "--dry-run"]).ends_with(2);
        assert!(ran.err.contains("as the library keeps it"), "{}", ran.err);
    }
}

#[test]
fn given_folds_are_the_folds_of_the_records() {
    let mut text = "x,f,y\n".to_owned();
    let mut splits = "type,rowid,repeat,fold\n".to_owned();
    for row in 0..60 {
        let class = usize::from(row % 4 == 0);
        let fold = [3, 1, 2][row / 20];
        writeln!(
            text,
            "{}.5,{fold},{}",
            row % 7 + 3 * class,
            ["a", "b"][class]
        )
        .expect("text");
        for repeat in 0..2 {
            let test = row % 2 == repeat;
            writeln!(
                splits,
                "{},{row},{repeat},0",
                if test { "TEST" } else { "TRAIN" }
            )
            .expect("text");
        }
    }
    let keep =
        |keys: &str| sweep("d.csv", keys).replace("folds = 3", "folds = 7\nkeep_scores = true");
    let place = Place::with_sweep(&keep("folds = \"f\""));
    place.write("demo/d.csv", &text);
    let records = place.run_demo(0);
    assert_eq!(records.distinct("fold"), ["0", "1", "2"]);
    assert!(
        records
            .rows
            .iter()
            .all(|row| row.text("n_test") == "20" && row.text("n_features") == "1")
    );
    let scores =
        counterweight_frame::read_table(&place.path("demo/scores.parquet")).expect("scores");
    let wholes = |column: &str| match scores.column(column) {
        Some(counterweight_core::Cells::Whole(values)) => {
            values.iter().flatten().copied().collect::<Vec<_>>()
        }
        _ => Vec::new(),
    };
    let rows = wholes("row");
    assert!(!rows.is_empty());
    for (fold, row) in wholes("fold").iter().zip(rows) {
        // The folds 1, 2 and 3 in the order of their numbers.
        assert_eq!(*fold, [2, 0, 1][usize::try_from(row).expect("a row") / 20]);
    }
    // Two holdouts, as a file says.
    let place = Place::with_sweep(&keep("splits = \"s.csv\"\nignore = [\"f\"]"));
    place.write("demo/d.csv", &text);
    place.write("demo/s.csv", &splits);
    let first = place.run_demo(0);
    assert_eq!(
        (first.distinct("repeat").len(), first.distinct("fold").len()),
        (2, 1)
    );
    assert!(
        first
            .rows
            .iter()
            .all(|row| row.text("n_test") == "30" && row.text("n_train") == "30")
    );
    // Other rows are other cells.
    place.write("demo/s.csv", &splits.replacen("TEST,0,0,0\n", "", 1));
    let ran = place
        .call(&["run", "demo", "--no-report", "--output", "other"])
        .ends_with(0);
    let other = place.records("other");
    assert_ne!(
        first.rows[0].text("cell"),
        other.rows[0].text("cell"),
        "{}",
        ran.err
    );
    for (rows, said) in [
        (
            "TRAIN,0,0,0\nTEST,60,0,0\n",
            "rowid `60` is no whole number from 0 to 59",
        ),
        ("TRAIN,0,0,0\nTEST,0,0,0\n", "row 0 is listed twice"),
        ("TRAIN,0,0,0\nTEST,1,0,2\n", "is left out"),
    ] {
        place.write("demo/s.csv", &format!("type,rowid,repeat,fold\n{rows}"));
        let ran = place.call(&["run", "demo"]).ends_with(2);
        assert!(
            ran.err.contains(said) || ran.err.contains("has no"),
            "{}",
            ran.err
        );
    }
}

/// The folds of KEEL: `name-5-1tra.dat` and `name-5-1tst.dat`, and so on.
#[test]
fn a_family_of_files_is_one_table_in_its_folds() {
    let text = arff().replace("@data", "@inputs x, c\n@outputs y\n@data");
    let (head, rows) = text.split_at(text.find("@data").expect("data") + 6);
    let rows: Vec<&str> = rows.lines().collect();
    let keys = "id = \"d\"\ntrain = \"k-3-{fold}tra.dat\"\ntest = \"k-3-{fold}tst.dat\"";
    let place =
        Place::with_sweep(&sweep("d.csv", "").replace("id = \"d\"\npath = \"d.csv\"", keys));
    for fold in 0..3 {
        let part = |test: bool| {
            let own = rows
                .iter()
                .enumerate()
                .filter(|(row, _)| (row % 3 == fold) == test);
            own.map(|(_, row)| *row)
                .rev()
                .collect::<Vec<_>>()
                .join("\n")
        };
        for (end, test) in [("tra", false), ("tst", true)] {
            place.write(
                &format!("demo/k-3-{}{end}.dat", fold + 1),
                &format!("{head}{}\n", part(test)),
            );
        }
    }
    let records = place.run_demo(0);
    assert_eq!(records.distinct("fold"), ["0", "1", "2"]);
    assert!(
        records
            .rows
            .iter()
            .all(|row| row.text("n_test") == "40" && row.text("n_train") == "80")
    );
    // A training file that holds other rows is told.
    let file = place.read("demo/k-3-2tra.dat");
    place.write("demo/k-3-2tra.dat", &file.replacen("'red'", "'blue'", 1));
    let ran = place.call(&["run", "demo"]).ends_with(2);
    assert!(
        ran.err
            .contains("k-3-2tra.dat: its rows are not those of the test files of the other folds"),
        "{}",
        ran.err
    );
}
