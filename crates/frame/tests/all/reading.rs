//! Text files: what is read, and every complaint word for word.

use counterweight_core::{ColumnValues, Dataset, MISSING};
use counterweight_frame::{ReadOptions, read_dataset, read_pair};
use proptest::prelude::*;

use crate::{Folder, target};

pub(crate) fn numbers(dataset: &Dataset, at: usize) -> &[f64] {
    match &dataset.columns()[at].values {
        ColumnValues::Numeric(values) => values,
        ColumnValues::Nominal { .. } => panic!("column {at} is nominal"),
    }
}

fn names(dataset: &Dataset, at: usize) -> Vec<Option<String>> {
    match &dataset.columns()[at].values {
        ColumnValues::Numeric(_) => panic!("column {at} is numeric"),
        ColumnValues::Nominal { codes, levels } => codes
            .iter()
            .map(|&code| (code != MISSING).then(|| levels[code as usize].clone()))
            .collect(),
    }
}

fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}

#[test]
fn types_follow_the_cells_and_names_keep_every_character() {
    let folder = Folder::new();
    let text = "\u{feff}a,b,c,d,e,y\r\n1,x , -2.5,,\"1\",no\r\n.5,\" x\",+3e-2,,\"2\",yes\r\n,\"a,\"\"b\"\"\r\nc\",4,,\"\",no\r\n\r\n";
    let path = folder.file("t.csv", text);
    let dataset = read_dataset(&path, &target("y")).unwrap();
    assert_eq!((dataset.n_rows(), dataset.n_features()), (3, 5));
    assert_eq!(numbers(&dataset, 0)[..2], [1.0, 0.5]);
    assert!(numbers(&dataset, 0)[2].is_nan());
    assert_eq!(names(&dataset, 1), some(&["x ", " x", "a,\"b\"\r\nc"]));
    assert_eq!(numbers(&dataset, 2), [-2.5, 0.03, 4.0]);
    assert_eq!(dataset.columns()[3].values.missing(), 3);
    assert_eq!(numbers(&dataset, 3).len(), 3);
    assert_eq!(dataset.columns()[4].values.missing(), 1);
    assert_eq!(numbers(&dataset, 4)[1], 2.0);
    assert_eq!(dataset.labels().names().to_vec(), ["no", "yes"]);
    assert_eq!(dataset.labels().ids(), [0, 1, 0]);
}

#[test]
fn the_target_may_stand_anywhere_and_whole_labels_keep_their_text() {
    let folder = Folder::new();
    let path = folder.file("t.csv", "y,x\n10,1\n9,2\n09,3\n10,4\n");
    let dataset = read_dataset(&path, &target("y")).unwrap();
    assert_eq!(dataset.labels().names().to_vec(), ["09", "9", "10"]);
    assert_eq!(dataset.columns()[0].name, "x");
}

#[test]
fn separators_missing_spellings_and_ignored_columns() {
    let folder = Folder::new();
    let options = ReadOptions {
        missing: vec!["?".into(), "NaN".into(), "-999".into()],
        separator: Some(b';'),
        ignore: vec!["id".into()],
        ..target("y")
    };
    let path = folder.file("t.csv", "id;x;c;y\n1;?;u;0\n2; NaN;-999;1\n3;1,5;v;0\n");
    let dataset = read_dataset(&path, &options).unwrap();
    assert_eq!(dataset.n_features(), 2);
    // A decimal comma is no number for anyone who did not say so.
    assert_eq!(names(&dataset, 0), [None, None, Some("1,5".to_owned())]);
    assert_eq!(
        names(&dataset, 1),
        [Some("u".to_owned()), None, Some("v".to_owned())]
    );

    let path = folder.file("t.tsv", "x\ty\n1,5\ta\n2\tb\n");
    let asked = folder.told(&read_dataset(&path, &target("y")).unwrap_err());
    assert!(
        asked.contains("line 2, column `x`: `1,5` is no number"),
        "{asked}"
    );
    assert!(asked.ends_with("decimal = \",\""), "{asked}");
    let comma = ReadOptions {
        comma: true,
        ..target("y")
    };
    assert_eq!(
        numbers(&read_dataset(&path, &comma).unwrap(), 0),
        [1.5, 2.0]
    );
    let nominal = ReadOptions {
        nominal: vec!["x".into()],
        ..target("y")
    };
    let dataset = read_dataset(&path, &nominal).unwrap();
    assert_eq!(names(&dataset, 0), some(&["1,5", "2"]));
}

#[test]
fn every_complaint_about_a_file_says_where_and_what_to_try() {
    let cases: [(&[u8], &str); 22] = [
        (
            b"",
            "t.csv: the file is empty\nhint: a header line and at least one row are needed",
        ),
        (
            b"\r\n\n",
            "t.csv: the file is empty\nhint: a header line and at least one row are needed",
        ),
        (
            b"a,b,y\n\n",
            "t.csv: no data rows\nhint: a header line and at least one row are needed",
        ),
        (
            b"a,b,y\n1,2,u\n3,v\n",
            "t.csv: line 3: expected 3 cells as in the header, found 2\nhint: a cell that holds the \
             separator or a line break has to stand in double quotes",
        ),
        (
            b"a,b,y\n1,\"2\n2\",u\n\n3,4,v\n",
            "t.csv: line 4: expected 3 cells as in the header, found 1\nhint: a cell that holds the \
             separator or a line break has to stand in double quotes",
        ),
        (
            b"a,b,y\n1,2,u\n3,4,5,v\n",
            "t.csv: line 3: expected 3 cells as in the header, found 4\nhint: a cell that holds the \
             separator or a line break has to stand in double quotes",
        ),
        (
            b"a,b,y\n1,2,u\n3,\"4,v\n5,6,u\n",
            "t.csv: line 3, cell 2: a quote opens here and is never closed\nhint: inside a quoted cell a \
             double quote is written twice",
        ),
        (
            b"a,b,y\n1,2,u\n3,\"4\"x,v\n",
            "t.csv: line 3, cell 2: 'x' after a closing quote\nhint: inside a quoted cell a double quote is \
             written twice",
        ),
        (
            b"a,b,y\n1,caf\xe9,u\n",
            "t.csv: line 2: not UTF-8 text\nhint: if it is Latin-1 or Windows-1252, say so: \
             encoding = \"latin1\"",
        ),
        (
            b"a,a,y\n1,2,u\n",
            "t.csv: column `a` appears twice (positions 1 and 2)\nhint: rename one of the two, or leave both \
             out: ignore = [\"a\"]",
        ),
        (
            b",b,y\n1,2,u\n",
            "t.csv: column 1 has no name\nhint: name it in the header, or leave it out: ignore = [\"\"]",
        ),
        (
            b"a,b,Y\n1,2,u\n",
            "t.csv: no target column `y` among `a`, `b`, `Y`\nhint: did you mean `Y`?",
        ),
        (
            b"a;b;y\n1;2;u\n",
            "t.csv: no target column `y` among `a;b;y`\nhint: the header is one cell; if ';' separates \
             cells, say so: separator = \";\"",
        ),
        (
            b"y\nu\nv\n",
            "t.csv: no feature column beside the target `y`\nhint: at least one column has to be a \
             feature",
        ),
        (
            b"a,b,y\n1,2,u\n3,4,\n5,6,v\n7,8,\n",
            "t.csv: line 3: missing value in the target column `y` (and in 1 more row)\nhint: drop the \
             rows without a label, or label them",
        ),
        (
            b"a,b,y\n1,2,0\n3,4,nan\n5,6,1\n",
            "t.csv: line 3, column `y`: `nan` is not a finite number\nhint: leave missing cells empty, \
             or list the spelling: missing = [\"nan\"]",
        ),
        (
            b"a,b,y\n1,2,u\n3,4,u\n",
            "t.csv: target column `y` has one class only, `u`\nhint: two classes are needed to learn \
             from",
        ),
        (
            b"a,b,y\np,2,u\n\"-\n1\",4,u\nq,NaN,v\n",
            "t.csv: line 5, column `b`: `NaN` is not a finite number\nhint: leave missing cells empty, \
             or list the spelling: missing = [\"NaN\"]",
        ),
        (
            b"a,b,y\n1,2,u\n-Infinity,4,v\n",
            "t.csv: line 3, column `a`: `-Infinity` is not a finite number\nhint: leave missing cells \
             empty, or list the spelling: missing = [\"-Infinity\"]",
        ),
        (
            b"a,b,y\n1,2,u\n1e999,4,v\n",
            "t.csv: line 3, column `a`: `1e999` is not a finite number\nhint: leave missing cells \
             empty, or list the spelling: missing = [\"1e999\"]",
        ),
        (
            b"a,b,y\n1,2,u\n-1.#IND,4,v\n",
            "t.csv: line 3, column `a`: `-1.#IND` is not a finite number\nhint: leave missing cells \
             empty, or list the spelling: missing = [\"-1.#IND\"]",
        ),
        (
            b"a,b,y\n,nan,u\n,nan,v\n",
            "t.csv: line 2, column `b`: `nan` is not a finite number\nhint: leave missing cells empty, \
             or list the spelling: missing = [\"nan\"]",
        ),
    ];
    let folder = Folder::new();
    for (content, expected) in cases {
        let path = folder.file("t.csv", content);
        let error = read_dataset(&path, &target("y")).unwrap_err();
        assert_eq!(
            folder.told(&error),
            expected,
            "{}",
            String::from_utf8_lossy(content)
        );
    }
}

#[test]
fn spellings_of_nan_are_names_among_names_and_missing_when_listed() {
    let folder = Folder::new();
    let path = folder.file("t.csv", "a,b,y\ninf,inf,u\nx,1,v\n");
    let options = ReadOptions {
        missing: vec!["inf".into()],
        ..target("y")
    };
    let dataset = read_dataset(&path, &options).unwrap();
    assert_eq!(names(&dataset, 0), [None, Some("x".to_owned())]);
    assert_eq!(dataset.columns()[1].values.missing(), 1);
    let path = folder.file("u.csv", "a,y\ninf,u\nx,v\n");
    let dataset = read_dataset(&path, &target("y")).unwrap();
    assert_eq!(names(&dataset, 0), some(&["inf", "x"]));
}

#[test]
fn complaints_about_options() {
    let folder = Folder::new();
    let path = folder.file("t.csv", "alpha,beta,y\n1,2,u\n3,4,v\n");
    let told = |options: &ReadOptions| folder.told(&read_dataset(&path, options).unwrap_err());
    let ignoring = |name: &str| ReadOptions {
        ignore: vec![name.into()],
        ..target("y")
    };
    assert_eq!(
        told(&ignoring("alhpa")),
        "t.csv: no ignored column `alhpa` among `alpha`, `beta`, `y`\nhint: did you mean `alpha`?"
    );
    assert_eq!(
        told(&ignoring("y")),
        "t.csv: target column `y` is also ignored\nhint: take it out of the ignored columns"
    );
    assert_eq!(
        told(&ReadOptions {
            separator: Some(b'"'),
            ..target("y")
        }),
        "t.csv: byte 0x22 cannot separate cells\nhint: use two ASCII \
         characters that are no line breaks"
    );
    let path = folder.file("t.xlsx", "x");
    assert_eq!(
        folder.told(&read_dataset(&path, &target("y")).unwrap_err()),
        "t.xlsx: unknown file format `xlsx`\nhint: say what it is, such as read_as = \"csv\"; extensions that say it: csv, tsv, \
         arff, dat, svmlight, libsvm, svm, npy, npz, parquet; text also as .gz or .zst"
    );
    let error = read_dataset(&folder.path("none.csv"), &target("y")).unwrap_err();
    assert!(
        folder.told(&error).starts_with("none.csv: cannot read: "),
        "{error}"
    );
}

#[test]
fn a_wide_header_does_not_flood_the_message() {
    let folder = Folder::new();
    let header: Vec<String> = (0..50).map(|i| format!("c{i}")).collect();
    let path = folder.file("t.csv", format!("{}\n", header.join(",")));
    let told = folder.told(&read_dataset(&path, &target("zzzzzz")).unwrap_err());
    assert!(told.ends_with("`c18`, `c19` and 30 more"), "{told}");
}

#[test]
fn a_pair_shares_levels_classes_and_order() {
    let folder = Folder::new();
    let train = folder.file("train.csv", "n,c,e,y\n1,u,,b\n2,w,,a\n");
    let test = folder.file("test.csv", "y,e,c,n\nc,5,v,3\nb,6,u,\n");
    let (train, test) = read_pair(&train, &test, &target("y")).unwrap();
    let columns = |dataset: &Dataset| -> Vec<String> {
        dataset
            .columns()
            .iter()
            .map(|column| column.name.clone())
            .collect()
    };
    assert_eq!(columns(&train), ["n", "c", "e"]);
    assert_eq!(columns(&test), columns(&train));
    assert_eq!(train.labels().names().to_vec(), ["a", "b", "c"]);
    assert_eq!(test.labels().names(), train.labels().names());
    assert_eq!(
        (train.labels().ids(), test.labels().ids()),
        (&[1, 0][..], &[2, 1][..])
    );
    let levels = |dataset: &Dataset| match &dataset.columns()[1].values {
        ColumnValues::Nominal { codes, levels } => (codes.clone(), levels.clone()),
        ColumnValues::Numeric(_) => panic!("nominal"),
    };
    let shared: Vec<String> = ["u", "v", "w"].map(String::from).to_vec();
    assert_eq!(levels(&train), (vec![0, 2], shared.clone()));
    assert_eq!(levels(&test), (vec![1, 0], shared));
    // No value in one file: the other decides.
    assert_eq!(train.columns()[2].values.missing(), 2);
    assert_eq!(numbers(&test, 2), [5.0, 6.0]);
}

#[test]
fn pairs_that_do_not_belong_together() {
    let folder = Folder::new();
    let train = folder.file("train.csv", "a,b,y\n1,2,u\n3,4,v\n");
    let told = |content: &str| {
        let test = folder.file("test.csv", content);
        folder.told(&read_pair(&train, &test, &target("y")).unwrap_err())
    };
    let hint = "\nhint: both files need the same columns with the same meaning; the order is free";
    assert_eq!(
        told("a,c,d,y\n1,2,3,u\n"),
        format!(
            "train.csv and test.csv: the columns differ: only the first has `b`; only the second has \
             `c`, `d`{hint}"
        )
    );
    assert_eq!(
        told("a,b,y\n1,w,u\n1,x,u\n"),
        format!(
            "train.csv and test.csv: column `b` is numeric in the first and nominal in the second \
             (line 2 of test.csv: `w`){hint}"
        )
    );
    assert_eq!(
        told("a,b,y\n1,inf,u\n").lines().next(),
        Some("test.csv: line 2, column `b`: `inf` is not a finite number")
    );
    // One class suffices for testing, not for training.
    let test = folder.file("test.csv", "a,b,y\n1,2,u\n");
    assert!(read_pair(&train, &test, &target("y")).is_ok());
    assert_eq!(
        folder
            .told(&read_pair(&test, &train, &target("y")).unwrap_err())
            .lines()
            .next(),
        Some("test.csv: target column `y` has one class only, `u`")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the bytes, the reader answers with a value or an error, never with a panic.
    #[test]
    fn no_file_brings_the_reader_down(bytes in prop::collection::vec(
        prop::sample::select(b"a1,.\"\n\r -ey\xe9;".to_vec()), 0..60)
    ) {
        let folder = Folder::new();
        let path = folder.file("t.csv", [b"a,y\n".as_slice(), &bytes].concat());
        if let Ok(dataset) = read_dataset(&path, &target("y")) {
            prop_assert!(dataset.n_rows() > 0);
            prop_assert!(dataset.labels().n_classes() > 1);
        }
    }
}
