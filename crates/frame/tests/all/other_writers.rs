//! Parquet files that other programs wrote (`tests/goldens/frame/write_goldens.py`).

use counterweight_core::{Cells, ColumnValues};
use counterweight_frame::{FrameError, ReadOptions, read_dataset, read_table};

use crate::{Folder, golden, target};

fn told(error: &FrameError) -> String {
    let text = error.to_string();
    text.rsplit_once("/frame/")
        .map_or(text.clone(), |(_, rest)| rest.to_owned())
}

#[test]
fn every_type_of_number_and_name_is_read() {
    let dataset = read_dataset(&golden("types.parquet"), &target("label")).unwrap();
    let column = |name: &str| {
        let found = dataset.columns().iter().find(|column| column.name == name);
        &found.unwrap_or_else(|| panic!("no {name}")).values
    };
    let numbers = |name: &str| match column(name) {
        ColumnValues::Numeric(values) => {
            assert!(values[1].is_nan(), "{name}");
            [values[0], values[2], values[3]]
        }
        ColumnValues::Nominal { .. } => panic!("{name} is nominal"),
    };
    for name in ["int8", "int16", "int32", "int64"] {
        assert_eq!(numbers(name), [-3.0, 2.0, 7.0], "{name}");
    }
    for name in ["uint8", "uint16", "uint32", "uint64"] {
        assert_eq!(numbers(name), [0.0, 2.0, 7.0], "{name}");
    }
    assert_eq!(numbers("uint32_large"), [4_294_967_295.0, 0.0, 1.0]);
    assert_eq!(numbers("float32"), [0.5, -1.25, 3.0]);
    assert_eq!(numbers("float64"), [0.1, -1e300, 3.0]);
    assert_eq!(numbers("number_category"), [5.0, 6.0, 5.0]);
    assert_eq!(column("nothing").missing(), 4);
    let names = |name: &str| match column(name) {
        ColumnValues::Nominal { levels, .. } => levels.clone(),
        ColumnValues::Numeric(_) => panic!("{name} is numeric"),
    };
    for (name, levels) in [
        ("bool", vec!["false", "true"]),
        ("string", vec!["", " a ", "b"]),
        ("large_string", vec!["a", "b"]),
        ("category", vec!["x", "y"]),
    ] {
        assert_eq!(names(name), levels, "{name}");
        assert_eq!(column(name).missing(), 1, "{name}");
    }
    assert_eq!(dataset.labels().names().to_vec(), ["no", "yes"]);
}

#[test]
fn results_of_other_programs_are_tables_too() {
    let table = read_table(&golden("types.parquet")).unwrap();
    assert_eq!(
        table.column("int8"),
        Some(&Cells::Whole(vec![Some(-3), None, Some(2), Some(7)]))
    );
    assert_eq!(
        table.column("float32"),
        Some(&Cells::Real(vec![Some(0.5), None, Some(-1.25), Some(3.0)]))
    );
    let truths = [Some(true), None, Some(false), Some(true)];
    assert_eq!(table.column("bool"), Some(&Cells::Flag(truths.to_vec())));
}

#[test]
fn types_without_a_meaning_here_are_refused_unless_ignored() {
    let path = golden("refused.parquet");
    let all = ["date", "time", "decimal", "list", "struct", "bytes"];
    for kept in all {
        let ignore = all
            .iter()
            .filter(|name| **name != kept)
            .map(|name| (*name).to_owned());
        let options = ReadOptions {
            ignore: ignore.collect(),
            ..target("label")
        };
        let error = read_dataset(&path, &options).unwrap_err();
        let message = told(&error);
        if message.contains("holds dates") {
            assert_eq!(
                error.hint().as_deref(),
                Some("say what becomes of dates: date = \"number\"")
            );
            continue;
        }
        assert!(
            message.starts_with(&format!("refused.parquet: column `{kept}` has type "))
                && message.ends_with(", which is neither numeric nor nominal"),
            "{message}"
        );
        assert_eq!(
            error.hint().as_deref(),
            Some(&*format!(
                "convert it to numbers or text, or leave it out: ignore = [\"{kept}\"]"
            ))
        );
    }
    let options = ReadOptions {
        ignore: all.map(String::from).to_vec(),
        ..target("label")
    };
    let dataset = read_dataset(&path, &options).unwrap();
    assert_eq!(dataset.n_features(), 1);
    assert_eq!(dataset.labels().names().to_vec(), ["0", "1"]);
}

#[test]
fn a_row_number_left_by_pandas_is_no_feature_unasked() {
    let path = golden("indexed.parquet");
    let error = read_dataset(&path, &target("label")).unwrap_err();
    assert_eq!(
        told(&error),
        "indexed.parquet: column 4 has no name of its own (`__index_level_0__`)"
    );
    let options = ReadOptions {
        ignore: vec!["__index_level_0__".into()],
        ..target("label")
    };
    assert_eq!(read_dataset(&path, &options).unwrap().n_features(), 2);
}

#[test]
fn nan_and_infinity_are_told_by_row_and_column() {
    let path = golden("nan.parquet");
    let options = |missing: &[&str]| ReadOptions {
        missing: missing.iter().map(|word| (*word).to_owned()).collect(),
        ..target("label")
    };
    assert_eq!(
        told(&read_dataset(&path, &options(&[])).unwrap_err()),
        "nan.parquet: row 1, column `x`: `NaN` is not a finite number"
    );
    assert_eq!(
        told(&read_dataset(&path, &options(&["nan"])).unwrap_err()),
        "nan.parquet: row 2, column `y`: `-inf` is not a finite number"
    );
    let dataset = read_dataset(&path, &options(&["nan", "-Infinity", "4"])).unwrap();
    assert_eq!(dataset.columns()[0].values.missing(), 2);
    assert_eq!(dataset.columns()[1].values.missing(), 2);
    // Whole labels that were stored as reals are whole all the same.
    assert_eq!(dataset.labels().names().to_vec(), ["1", "2"]);
    assert_eq!(
        told(&read_table(&path).unwrap_err()),
        "nan.parquet: row 1, column `x`: `NaN` is not a finite number"
    );
}

#[test]
fn other_complaints_about_parquet() {
    assert_eq!(
        told(&read_dataset(&golden("twice.parquet"), &target("label")).unwrap_err()),
        "twice.parquet: column `x` appears twice (positions 1 and 2)"
    );
    let error = read_dataset(&golden("types.parquet"), &target("lable")).unwrap_err();
    assert_eq!(error.hint().as_deref(), Some("did you mean `label`?"));
    let error = read_dataset(&golden("types.parquet"), &target("int8")).unwrap_err();
    assert_eq!(
        told(&error),
        "types.parquet: row 1: missing value in the target column `int8`"
    );
    let folder = Folder::new();
    let path = folder.file("t.parquet", "");
    let error = read_dataset(&path, &target("y")).unwrap_err();
    assert_eq!(
        folder.told(&error).lines().next(),
        Some("t.parquet: the file is empty")
    );
    let path = folder.file("t.parquet", "a,y\n1,u\n2,v\n");
    let error = read_dataset(&path, &target("y")).unwrap_err();
    assert!(
        folder.told(&error).starts_with("t.parquet: cannot read: "),
        "{error}"
    );
    assert_eq!(
        error.hint().as_deref(),
        Some("the file may be damaged or not Parquet at all")
    );
}

#[test]
fn damaged_files_are_errors_or_other_values_never_panics() {
    let whole = std::fs::read(golden("nan.parquet")).unwrap();
    let folder = Folder::new();
    for cut in (0..whole.len()).step_by(97) {
        let path = folder.file("t.parquet", &whole[..cut]);
        assert!(
            read_dataset(&path, &target("label")).is_err(),
            "cut at {cut}"
        );
    }
    for at in (0..whole.len()).step_by(13) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        let path = folder.file("t.parquet", bytes);
        let _ = read_dataset(&path, &target("label"));
    }
}
