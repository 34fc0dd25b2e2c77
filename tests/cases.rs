//! The cases of public bug reports and messy files, each by what is right and why; the inputs are made here.
//!
//! | case | right | where |
//! |---|---|---|
//! | fail-01 | a known spelling of missing among numbers is missing and told; any other text is an error with its line | here |
//! | fail-02 | an empty cell makes no nominal column, so no resampler is lost to it | `odd_data::an_empty_cell_denies_no_resampler` |
//! | fail-03 | copied rows keep their cells, and whole numbers that a real cannot tell apart are counted as they stand | here, `hostile::data::resampling_keeps_..` |
//! | fail-04 | test labels in other spellings are an error that shows both lists; a class that training lacks is named | here |
//! | fail-05 | hints on separators, doubled and nameless columns name what the command takes, and taking it helps | here, `hints` |
//! | fail-06 | `smote` becomes what its columns ask for | `odd_data::smote_becomes_..` |
//! | fail-07 | 0.29 of 100 rows is 29 | `odd_data::shares_of_rows_..` |
//! | fail-08 | discriminants cost what the smaller of rows and columns asks for, and end at their deadline | here |
//! | fail-09 | out-of-bag rows have no copies in the bag | `odd_data::out_of_bag_rows_..` |
//! | fail-10 | labels of imported scores are the data's own texts, and lines are those of the file | here |
//! | fail-11 | a quantity is no target | here |
//! | fail-12 | renaming classes changes no result | `odd_data::renaming_classes_..` |
//! | fail-13 | what `data inspect` warns of is heard in a run | here |
//! | fail-14 | with ties the rule of Tomek links is what its documentation says | here, `resample::tomek_links_..` |
//! | fail-15 | cost is linear in the columns of a file | `hostile::data::a_header_of_a_million_columns_..` |
//! | fail-16 | names with blanks, lines that end in CR, and UTF-16 are read or told | here |
//! | fail-17 | codes can be declared to be names | here |
//! | break-newline-baseline | ids with line breaks are no ids | `gate::names` |
//! | break-nulmin | values that are not finite are absent | `costs`, `calibration` |
//! | break-parquet-abort | sizes that cannot be are refused | `hostile::data::parquet_files_that_declare_..` |
//! | break-poisoned | a torn line costs its own cell | `chaos` |
//! | keep-* | numbers of scikit-learn, imbalanced-learn and scipy | goldens of the crates, `resample`; files of keep-21 in `crates/frame/tests` |

use std::fmt::Write as _;

use crate::common::Place;

const MODEL: &str = "[[model]]\nkind = \"softmax-regression\"\n[[correction]]\nid = \"none\"\n";

/// A sweep over `demo/d.csv` with these further keys.
fn sweep(keys: &str) -> String {
    format!(
        "format = 1\n[protocol]\nfolds = 2\n[[dataset]]\npath = \"d.csv\"\ntarget = \"y\"\n{keys}\n{MODEL}"
    )
}

/// A file of which column `age` tells the classes apart, with this text in one cell of it.
fn with_cell(text: &str) -> String {
    let mut file = "age,z,y\n".to_owned();
    for row in 0..100 {
        let class = row % 2;
        let age = if row == 41 {
            text.to_owned()
        } else {
            format!("{}.5", class * 6 + row % 5)
        };
        writeln!(file, "{age},{}.25,{class}", row * 7 % 13).expect("text");
    }
    file
}

#[test]
fn a_known_spelling_of_missing_among_numbers_is_missing_and_told() {
    let spellings = [
        "NA", "N/A", "n/a", "NULL", "null", "None", "none", "#N/A", "<NA>", "?", "-", ".", "*", " ",
    ];
    for text in spellings {
        let place = Place::with_sweep(&sweep(""));
        place.write("demo/d.csv", &with_cell(text));
        let ran = place.call(&["run", "demo", "--no-report"]).ends_with(0);
        let note = format!("dataset `d`: column `age`: taken for missing: `{text}` (1)");
        assert!(ran.err.contains(&note), "{}", ran.err);
        assert!(
            place.read("demo/run.json").contains("taken for missing"),
            "{text}"
        );
        for row in &place.records("demo").rows {
            assert!(row.real("balanced_error") < 0.1, "{text}");
        }
    }
}

#[test]
fn any_other_text_among_numbers_is_an_error_that_says_what_to_write() {
    for text in ["<0.1", "5.3.1", "12 kg", "age", "\u{2212}4", "missing"] {
        let place = Place::with_sweep(&sweep(""));
        place.write("demo/d.csv", &with_cell(text));
        let ran = place.call(&["run", "demo"]).ends_with(2);
        assert!(ran.err.contains("line 43, column `age`"), "{}", ran.err);
        let hint = format!("missing = [\"{text}\"]");
        assert!(
            ran.err.contains(&hint) && ran.err.contains("nominal = [\"age\"]"),
            "{}",
            ran.err
        );
        // Both ways out lead out.
        for key in [hint, "nominal = [\"age\"]".to_owned()] {
            place.write("demo/sweep.toml", &sweep(&key));
            place.call(&["run", "demo", "--dry-run"]).ends_with(0);
        }
        let inspected = ["data", "inspect", "demo/d.csv", "--target", "y"];
        let ran = place.call(&inspected).ends_with(2);
        assert!(
            ran.err.contains(&format!("--missing '{text}'")),
            "{}",
            ran.err
        );
        place
            .call(&[&inspected[..], &["--missing", text]].concat())
            .ends_with(0);
        place
            .call(&[&inspected[..], &["--nominal", "age"]].concat())
            .ends_with(0);
    }
    // A column that is declared to hold numbers holds nothing else, however few they are.
    let place = Place::with_sweep(&sweep("numeric = [\"z\"]"));
    place.write("demo/d.csv", "z,x,y\n1,1,a\nlow,2,b\nlow,3,a\nhigh,4,b\n");
    let ran = place.call(&["run", "demo"]).ends_with(2);
    assert!(ran.err.contains("line 3, column `z`"), "{}", ran.err);
    // Letters with a few digits among them are names, as before.
    place.write("demo/sweep.toml", &sweep(""));
    place.call(&["run", "demo", "--dry-run"]).ends_with(0);
}

#[test]
fn decimal_commas_separators_and_nameless_columns_can_be_said() {
    let plain: String = (0..40)
        .map(|row| {
            format!(
                "{}.5,{}.25,{}\n",
                row % 2 * 6 + row % 5,
                row * 7 % 13,
                row % 2
            )
        })
        .collect();
    let place = Place::with_sweep(&sweep(""));
    place.write("demo/d.csv", &format!("age,z,y\n{plain}"));
    let expected = place.run_demo(0);
    let european = plain.replace(',', ";").replace('.', ",");
    let other = Place::with_sweep(&sweep("separator = \";\"\ndecimal = \",\""));
    other.write("demo/d.csv", &format!("age;z;y\n{european}"));
    let found = other.run_demo(0);
    for (a, b) in expected.rows.iter().zip(&found.rows) {
        assert_eq!(
            (a.text("cell"), a.text("recalls")),
            (b.text("cell"), b.text("recalls"))
        );
    }
    // A decimal point that is no point is asked for.
    other.write(
        "demo/sweep.toml",
        &sweep("separator = \";\"\nnumeric = [\"age\"]"),
    );
    let ran = other.call(&["run", "demo"]).ends_with(2);
    assert!(ran.err.contains("decimal = \",\""), "{}", ran.err);
    // Two columns without a name, and one name twice.
    let rows = |text: &str| {
        text.lines()
            .map(|line| format!("7,{line},\n"))
            .collect::<String>()
    };
    other.write("demo/d.csv", &format!(",age,z,y,\n{}", rows(&plain)));
    other.write("demo/sweep.toml", &sweep("ignore = [\"\"]"));
    other.call(&["run", "demo", "--dry-run"]).ends_with(0);
    other.write(
        "demo/d.csv",
        &format!(
            "age,age,z,y\n{}",
            plain.replace('\n', "\n1,").trim_end_matches("1,")
        ),
    );
    other.write(
        "demo/d.csv",
        "age,age,z,y\n1,2,3,0\n2,1,3,1\n4,5,6,0\n5,4,6,1\n",
    );
    let ran = other.call(&["run", "demo"]).ends_with(2);
    assert!(
        ran.err.contains("column `age` appears twice"),
        "{}",
        ran.err
    );
    other.write("demo/sweep.toml", &sweep("ignore = [\"age\"]"));
    other.call(&["run", "demo", "--dry-run"]).ends_with(0);
}

#[test]
fn line_ends_encodings_and_names_of_files_are_read_or_told() {
    let plain = with_cell("4.5");
    let place = Place::with_sweep(&sweep(""));
    place.write("demo/d.csv", &plain);
    let expected = place
        .run_demo(0)
        .rows
        .iter()
        .map(|row| row.text("cell").to_owned())
        .collect::<Vec<_>>();
    let wide: Vec<u8> = format!("\u{feff}{plain}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for bytes in [
        plain.replace('\n', "\r").into_bytes(),
        plain.replace('\n', "\r\n").into_bytes(),
        wide,
    ] {
        let place = Place::with_sweep(&sweep(""));
        std::fs::write(place.path("demo/d.csv"), bytes).expect("a file");
        let found = place
            .run_demo(0)
            .rows
            .iter()
            .map(|row| row.text("cell").to_owned())
            .collect::<Vec<_>>();
        assert_eq!(found, expected);
    }
    place.write("demo/my data.csv", &plain);
    place.write(
        "demo/sweep.toml",
        &sweep("").replace("d.csv", "my data.csv"),
    );
    let ran = place.call(&["run", "demo"]).ends_with(2);
    assert!(ran.err.contains("give this dataset an `id`"), "{}", ran.err);
    place.write(
        "demo/sweep.toml",
        &sweep("id = \"mine\"").replace("d.csv", "my data.csv"),
    );
    place.call(&["run", "demo", "--dry-run"]).ends_with(0);
}

#[test]
fn codes_can_be_declared_to_be_names() {
    let place = Place::with_sweep(&sweep("nominal = [\"month\"]"));
    let file: String = (0..40)
        .map(|row| {
            format!(
                "{},{}.5,{}\n",
                row % 12 + 1,
                row % 7,
                u8::from(row % 4 == 0)
            )
        })
        .collect();
    place.write("demo/d.csv", &format!("month,x,y\n{file}"));
    place.call(&["run", "demo", "--no-report"]).ends_with(0);
    let made = [
        "data",
        "resample",
        "demo/d.csv",
        "--target",
        "y",
        "--with",
        "smote",
        "--nominal",
        "month",
        "--output",
        "o.csv",
    ];
    place.call(&made).ends_with(0);
    for line in place.read("o.csv").lines().skip(1) {
        let month = line.split(',').next().expect("a cell");
        assert!(
            month
                .parse::<u8>()
                .is_ok_and(|month| (1..=12).contains(&month)),
            "{line}"
        );
    }
    place.write(
        "demo/sweep.toml",
        &sweep("nominal = [\"month\"]\nnumeric = [\"month\"]"),
    );
    let ran = place.call(&["run", "demo"]).ends_with(2);
    assert!(ran.err.contains("nominal and as numeric"), "{}", ran.err);
}

#[test]
fn test_labels_in_other_spellings_are_an_error_that_shows_both() {
    let of = |classes: [&str; 2]| -> String {
        let rows = (0..20).map(|row| format!("{}.5,{}\n", row % 7, classes[row % 2]));
        rows.fold("x,y\n".to_owned(), |all, row| all + &row)
    };
    let pair = format!(
        "format = 1\n[[dataset]]\ntrain = \"a.csv\"\ntest = \"b.csv\"\ntarget = \"y\"\n{MODEL}"
    );
    for (train, test) in [
        (["0", "1"], ["0.0", "1.0"]),
        (["<=50K", ">50K"], ["<=50K.", ">50K."]),
        (["no", "yes"], ["No", "yes"]),
        (["no", "yes"], ["no ", "yes"]),
        (["a", "b"], ["c", "d"]),
    ] {
        let place = Place::with_sweep(&pair);
        place.write("demo/a.csv", &of(train));
        place.write("demo/b.csv", &of(test));
        let ran = place.call(&["run", "demo"]).ends_with(2);
        for name in train.iter().chain(&test) {
            assert!(ran.err.contains(&format!("`{name}`")), "{}", ran.err);
        }
    }
    // A class that training lacks is told; rows that training has, too.
    let place = Place::with_sweep(&pair);
    place.write("demo/a.csv", &of(["a", "b"]));
    place.write("demo/b.csv", &of(["a", "c"]));
    let ran = place.call(&["run", "demo", "--no-report"]).ends_with(0);
    assert!(
        ran.err.contains("no training row has the class `c`"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("10 test rows equal a training row"),
        "{}",
        ran.err
    );
}

#[test]
fn a_quantity_is_no_target() {
    for target in [
        |row: usize| format!("{}.{row}", row % 9),
        |row: usize| format!("id{row}"),
    ] {
        let rows: String = (0..60)
            .map(|row| format!("{}.5,{}\n", row % 7, target(row)))
            .collect();
        let place = Place::with_sweep(&sweep(""));
        place.write("demo/d.csv", &format!("x,y\n{rows}"));
        let ran = place.call(&["run", "demo"]).ends_with(2);
        assert!(ran.err.contains("60 classes in 60 rows"), "{}", ran.err);
    }
}

#[test]
fn what_inspect_warns_of_is_heard_in_a_run() {
    let place = Place::with_sweep(&sweep(""));
    let rows: String = (0..100)
        .map(|row| {
            let class = row % 2;
            format!(
                "{},{},{}.5%,\"$1,{}05.20\",{}.5,{class}\n",
                700_000 + row * 37 % 101,
                2 * class + 1,
                row % 37,
                row % 9,
                row % 7
            )
        })
        .collect();
    place.write(
        "demo/d.csv",
        &format!("customer,after,rate,price,x,y\n{rows}"),
    );
    let inspected = place
        .call(&["data", "inspect", "demo/d.csv", "--target", "y"])
        .ends_with(0);
    let ran = place.call(&["run", "demo", "--no-report"]).ends_with(0);
    for part in [
        "column `customer` has a whole number of its own",
        "column `after` determines the class",
        "column `rate` is nominal, but its texts are numbers with a percent sign",
        "column `price` is nominal, but its texts are numbers with a currency sign",
    ] {
        assert!(ran.err.contains(part), "{}", ran.err);
        assert!(
            (inspected.out.clone() + &inspected.err).contains(part),
            "{}",
            inspected.out
        );
        assert!(place.read("demo/run.json").contains(part), "{part}");
    }
}

/// Case fail-03: 2^53 + 1 is no real, so cells are copied as texts and distinct ones are counted as they stand.
#[test]
fn large_whole_numbers_are_counted_and_copied_as_they_stand() {
    let rows: String = (0..13)
        .map(|row| {
            format!(
                "{},{:05},{}\n",
                (1_u64 << 53) + 1 + row,
                row * 137,
                u8::from(row % 3 == 0)
            )
        })
        .collect();
    let place = Place::new();
    place.write("d.csv", &format!("id,zip,y\n{rows}"));
    let inspect = ["data", "inspect", "d.csv", "--target", "y"];
    let about = place
        .call(&[&inspect[..], &["--format", "json"]].concat())
        .ends_with(0)
        .json();
    assert_eq!(about["columns"][0]["distinct"], 13);
    let said = place.call(&inspect).ends_with(0).out;
    assert!(
        said.contains("column `id` has 13 different whole numbers")
            && said.contains("models see 7"),
        "{said}"
    );
    for output in ["o.csv", "o.parquet"] {
        let resample = [
            "data",
            "resample",
            "d.csv",
            "--target",
            "y",
            "--with",
            "random-over",
            "--output",
            output,
        ];
        place.call(&resample).ends_with(0);
    }
    let lines: Vec<&str> = rows.lines().collect();
    for line in place.read("o.csv").lines().skip(1) {
        let (cells, origin) = line.rsplit_once(',').expect("cells");
        assert_eq!(cells, lines[origin.parse::<usize>().expect("a row")]);
    }
    let table = counterweight_frame::read_table(&place.path("o.parquet")).expect("a table");
    let Some(counterweight_core::Cells::Whole(ids)) = table.column("id") else {
        unreachable!("whole numbers stay whole numbers: {table:?}");
    };
    assert_eq!(ids[0], Some((1 << 53) + 1));
}

/// Case fail-08: more columns than rows. The rank is at most the number of rows.
#[test]
fn discriminants_of_wide_data_end_in_time() {
    let wide: String = (0..40)
        .map(|row| {
            let cells: Vec<String> = (0..400)
                .map(|c| (row * (c + 7) * 31 % 101).to_string())
                .collect();
            format!("{},{}\n", cells.join(","), row % 2)
        })
        .collect();
    let names: Vec<String> = (0..400).map(|c| format!("x{c}")).collect();
    let place = Place::with_sweep(&sweep("").replace(
        "kind = \"softmax-regression\"",
        "kind = \"lda\"\n[[model]]\nkind = \"qda\"",
    ));
    place.write("demo/d.csv", &format!("{},y\n{wide}", names.join(",")));
    // Cyclic rotations of 400 columns took 4 s a fit; products of 40 rows take milliseconds.
    let start = std::time::Instant::now();
    place.call(&["run", "demo", "--no-report"]).ends_with(0);
    assert!(start.elapsed().as_secs() < 12, "{:?}", start.elapsed());
}

/// Case fail-10: a program that writes `0.0` means the class `0.0` of the data, and the header is line 1.
#[test]
fn imported_labels_are_the_texts_of_the_data() {
    for [a, b] in [["0.0", "1.0"], ["01", "02"], ["1e0", "2"]] {
        let rows: String = (0..40)
            .map(|row| format!("{}.5,{}\n", row % 7, [a, b][row % 2]))
            .collect();
        let place = Place::with_sweep(&sweep(""));
        place.write("demo/d.csv", &format!("x,y\n{rows}"));
        place
            .call(&["run", "demo", "--no-report", "--quiet"])
            .ends_with(0);
        // Two folds: the row numbers of both are tried, so that each row is in its own.
        let mut kept = "fold,row,label,p_0,p_1\n".to_owned();
        for row in 0..40 {
            for fold in 0..2 {
                let one = format!(
                    "fold,row,label,p_0,p_1\n{fold},{row},{},0.5,0.5\n",
                    [a, b][row % 2]
                );
                place.write("one.csv", &one);
                let told = place.call(&["import-scores", "demo", "one.csv"]).err;
                assert!(!told.contains("no class of the data"), "{told}");
                if told.contains("without scores") {
                    kept += one.lines().nth(1).expect("a line");
                    kept += "\n";
                } else {
                    assert!(
                        told.contains("not test rows of this split: line 2"),
                        "{told}"
                    );
                }
            }
        }
        place.write("s.csv", &kept);
        place
            .call(&["import-scores", "demo", "s.csv", "--model", "again"])
            .ends_with(0);
        place.write("s.csv", &kept.replacen(&format!(",{a},"), ",9,", 1));
        let told = place
            .call(&["import-scores", "demo", "s.csv"])
            .ends_with(2)
            .err;
        assert!(
            told.contains("labels that are no class of the data") && told.contains("(9)"),
            "{told}"
        );
    }
}

/// Case fail-14: two rows of one class lie on a row of the other. "No row is nearer" would join both to it; the
/// documented rule takes one nearest row, by number, so neither pair is mutual and nothing goes.
#[test]
fn tied_links_follow_their_documentation() {
    let place = Place::new();
    place.write("d.csv", "x,y\n0,a\n0,a\n0,b\n5,a\n6,a\n9,b\n7,a\n");
    let resample = [
        "data",
        "resample",
        "d.csv",
        "--target",
        "y",
        "--with",
        "tomek-links",
        "--output",
        "o.csv",
    ];
    place.call(&resample).ends_with(0);
    assert_eq!(place.read("o.csv").lines().count(), 8);
}
