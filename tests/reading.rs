//! Keys and files that cannot mean what they say are told with file, place and what to write.

use counterweight_core::Format;

use crate::common::{Place, numeric_csv};

const REST: &str = "[[model]]\nkind = \"gaussian-naive-bayes\"\n[[correction]]\nid = \"none\"\n";

fn sweep(file: &str, keys: &str) -> String {
    format!(
        "format = 1\n[protocol]\nfolds = 3\n[[dataset]]\nid = \"d\"\npath = \"{file}\"\ntarget = \"y\"\n{keys}\n{REST}"
    )
}

const ARFF: &str = "@relation r\n@attribute x real\n@attribute y {a,b}\n@data\n1,a\n2,b\n";

/// A value of each key that says something.
fn value(key: &str) -> &'static str {
    match key {
        "separator" => ";",
        "decimal" => ",",
        "quote" => "'",
        "header" => "false",
        "encoding" => "latin1",
        "date" => "number",
        _ => "1",
    }
}

#[test]
fn a_key_that_a_kind_of_file_does_not_take_is_an_error_with_its_line() {
    let place = Place::new();
    let csv = numeric_csv(&[40, 30], 1);
    for (name, text) in [
        ("d.csv", csv.as_str()),
        ("d.tsv", &csv.replace(',', "\t")),
        ("d.arff", ARFF),
        ("d.dat", ARFF),
        ("d.svm", "a 1:2\nb 1:3\n"),
        ("d.npy", ""),
        ("d.npz", ""),
        ("d.parquet", ""),
    ] {
        place.write(&format!("demo/{name}"), text);
        let extension = name.split('.').next_back().expect("an extension");
        let format = Format::of_extension(extension).expect("a format");
        for (key, takers) in Format::KEYS {
            let value = value(key);
            let said = match key {
                "header" | "first_index" => format!("{key} = {value}"),
                _ => format!("{key} = \"{value}\""),
            };
            place.write("demo/sweep.toml", &sweep(name, &said));
            let ran = place.call(&["run", "demo", "--dry-run"]);
            let refused =
                format!("sweep.toml:8: dataset `d` > {key}: demo/{name}: `{key}` says nothing");
            let flag = format!("--{}", key.replace('_', "-"));
            let file = format!("demo/{name}");
            let inspect = ["data", "inspect", &file, "--target", "y", &flag, value];
            let inspected = place.call(&inspect);
            let takes = takers.contains(&format);
            assert_eq!(
                !ran.err.contains(&refused),
                takes,
                "{name} {key}: {}",
                ran.err
            );
            assert_eq!(
                !inspected.err.contains("says nothing"),
                takes,
                "{name} {key}"
            );
            if !takes {
                let told = format!("it is for {}\n", Format::ids(takers));
                assert!(ran.err.contains(&told) && ran.code == 2, "{}", ran.err);
                assert!(ran.err.contains("read_as = \""), "{}", ran.err);
                assert!(inspected.err.contains("--read-as '"), "{}", inspected.err);
            }
        }
    }
    // The table, the help and the documentation are one.
    let help = place.call(&["data", "inspect", "--help"]).ends_with(0).out;
    let words: Vec<&str> = help.split_whitespace().collect();
    let help = words.join(" ");
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/DATASETS.md");
    let docs = std::fs::read_to_string(root).expect("the documentation");
    for (key, takers) in Format::KEYS {
        let line = docs
            .lines()
            .find(|line| line.starts_with(&format!("| `{key}` |")));
        let kinds = format!("| {} |", Format::ids(takers));
        assert!(
            line.is_some_and(|line| line.ends_with(&kinds)),
            "{key}: {line:?}"
        );
        assert!(
            help.contains(&format!("; for {}", Format::ids(takers))),
            "{key}: {help}"
        );
    }
}

/// What a run of a dataset with these keys says, which is an error.
#[track_caller]
fn refused(place: &Place, file: &str, keys: &str) -> String {
    place.write("demo/sweep.toml", &sweep(file, keys));
    place.call(&["run", "demo", "--dry-run"]).ends_with(2).err
}

#[test]
fn what_a_file_is_instead_is_told_by_its_bytes() {
    let place = Place::new();
    let csv = numeric_csv(&[40, 30], 1);
    let wide = |unit: fn(u16) -> [u8; 2]| csv.encode_utf16().flat_map(unit).collect::<Vec<u8>>();
    for (bytes, says, hint) in [
        (vec![0x1f, 0x8b, 8, 0], "packed by gzip", "call it d.csv.gz"),
        (
            vec![0x28, 0xb5, 0x2f, 0xfd],
            "packed by zstd",
            "call it d.csv.zst",
        ),
        (
            b"PK\x03\x04xl".to_vec(),
            "spreadsheet (.xlsx",
            "save the sheet as CSV",
        ),
        (
            b"\xd0\xcf\x11\xe0".to_vec(),
            "spreadsheet (.xls)",
            "save the sheet as CSV",
        ),
        (
            b"PAR1xxxx".to_vec(),
            "a Parquet file",
            "read_as = \"parquet\"",
        ),
        (
            b"\x93NUMPYxx".to_vec(),
            "an array of NumPy",
            "read_as = \"npy\"",
        ),
        (
            wide(u16::to_le_bytes),
            "UTF-16 text without",
            "encoding = \"utf-16le\"",
        ),
        (
            wide(u16::to_be_bytes),
            "UTF-16 text without",
            "encoding = \"utf-16be\"",
        ),
        (
            b"x,y\n\xe9,a\n".to_vec(),
            "line 2: not UTF-8",
            "encoding = \"latin1\"",
        ),
    ] {
        place.write("demo/d.csv", "");
        std::fs::write(place.path("demo/d.csv"), &bytes).expect("a file");
        let told = refused(&place, "d.csv", "");
        assert!(told.contains(says) && told.contains(hint), "{told}");
        if hint.starts_with("encoding = \"utf") {
            place.write("demo/sweep.toml", &sweep("d.csv", hint));
            place.call(&["run", "demo", "--dry-run"]).ends_with(0);
        }
    }
    place.write("demo/d.txt", &csv);
    let told = refused(&place, "d.txt", "");
    assert!(told.contains("such as read_as = \"csv\""), "{told}");
    place.write("demo/sweep.toml", &sweep("d.txt", "read_as = \"csv\""));
    place.call(&["run", "demo", "--dry-run"]).ends_with(0);
    let told = place
        .call(&["data", "inspect", "demo/d.txt", "--target", "y"])
        .ends_with(2);
    assert!(told.err.contains("such as --read-as 'csv'"), "{}", told.err);
}

#[test]
fn dates_of_other_forms_are_read_where_the_column_tells_their_order() {
    let place = Place::new();
    let inspect = |dates: &[&str], how: &str| {
        let rows: Vec<String> = (dates.iter().enumerate())
            .map(|(row, date)| format!("{row},\"{date}\",{}\n", ["a", "b"][row % 2]))
            .collect();
        place.write("d.csv", &format!("x,d,y\n{}", rows.concat()));
        let line = [
            "data", "inspect", "d.csv", "--target", "y", "--date", how, "--format", "json",
        ];
        place.call(&line)
    };
    let read = |dates: &[&str]| {
        let told = inspect(dates, "number").ends_with(0).json();
        let column = &told["columns"][1];
        (column["min"].as_f64(), column["max"].as_f64())
    };
    let days = (Some(19_723.0), Some(19_753.0));
    assert_eq!(read(&["2024-01-01", "2024-01-31"]), days);
    assert_eq!(read(&["01/01/2024", "31/01/2024"]), days);
    assert_eq!(read(&["01.01.2024", "31.1.2024"]), days);
    assert_eq!(read(&["1-1-2024", "01-31-2024"]), days);
    assert_eq!(read(&["1 Jan 2024", "January 31, 2024"]), days);
    for (dates, says) in [
        (
            ["01/02/2024", "03/04/2024"],
            "`01/02/2024` is a date in a form that is not read: nothing",
        ),
        (
            ["13/02/2024", "03/14/2024"],
            "`13/02/2024` is a date in a form that is not read: nothing",
        ),
        (["13/02/24", "14/03/24"], "its year has two digits"),
    ] {
        let told = inspect(&dates, "number").ends_with(2).err;
        assert!(
            told.contains("line 2, column `d`") && told.contains(says),
            "{told}"
        );
        assert!(
            told.contains("--nominal 'd'") && told.contains("--ignore 'd'"),
            "{told}"
        );
    }
    // To leave a column out its order need not be known.
    let told = inspect(&["01/02/2024", "03/04/2024"], "drop")
        .ends_with(0)
        .json();
    assert_eq!(told["columns"].as_array().map(Vec::len), Some(1));
    inspect(&["13/02/24", "14/03/24"], "drop").ends_with(2);
    // Versions are no dates.
    let told = inspect(&["1.2.3", "1.2.4"], "drop").ends_with(0).json();
    assert_eq!(told["nominal"], 1);
}

#[test]
fn files_without_a_header_blank_ends_and_decimal_commas() {
    let place = Place::new();
    let csv = numeric_csv(&[40, 30], 1);
    let (_, rows) = csv.split_once('\n').expect("a header");
    place.write("demo/d.csv", rows);
    let told = refused(&place, "d.csv", "");
    assert!(
        told.contains("sweep.toml:7: dataset `d` > target"),
        "{told}"
    );
    assert!(
        told.contains("header = false") && !told.contains("did you mean"),
        "{told}"
    );
    let keys = sweep("d.csv", "header = false").replace("\"y\"", "\"c3\"");
    place.write("demo/sweep.toml", &keys);
    place.call(&["run", "demo", "--dry-run"]).ends_with(0);
    let inspect = |text: &str, more: &[&str]| {
        place.write("e.csv", text);
        let line = ["data", "inspect", "e.csv", "--target", "y"];
        place.call(&[&line[..], more].concat())
    };
    // Blanks at the end are no row, but tabs are where they separate cells.
    let rows = |text: &str, more: &[&str]| {
        let ran = inspect(text, &[&["--format", "json"], more].concat());
        ran.ends_with(0).json()["rows"].clone()
    };
    assert_eq!(rows("x,y\n1,a\n2,b\n   \n \t\n", &[]), 2);
    let tabs = inspect("x\ty\n1\ta\n2\tb\n\t\n", &["--separator", "tab"]).ends_with(2);
    assert!(
        tabs.err.contains("missing value in the target"),
        "{}",
        tabs.err
    );
    inspect("x,y\n1,a\n   \n2,b\n", &[]).ends_with(2);
    let commas = (0..20).fold("x;y\n".to_owned(), |all, row| {
        all + &format!("{row},5;{}\n", ["a", "b"][row % 2])
    });
    let told = inspect(&commas, &["--separator", ";"]).ends_with(0).out;
    assert!(
        told.contains("decimal = \",\"") && !told.contains("currency"),
        "{told}"
    );
    let quotes = inspect("x,z,y\n1,2,a\n1,\"b\"c,b\n", &[]).ends_with(2).err;
    assert!(
        quotes.contains("line 3, cell 2: 'c' after a closing quote"),
        "{quotes}"
    );
    let quotes = inspect("x,z,y\n1,2,a\n1,b,\"c\n", &[]).ends_with(2).err;
    assert!(
        quotes.contains("line 3, cell 3: a quote opens here"),
        "{quotes}"
    );
    // Whole numbers that a real does not tell apart make no rows equal.
    let large = (0..20_u64).fold("x,y\n".to_owned(), |all, row| {
        all + &format!(
            "{},{}\n",
            (1 << 53) + row / 2,
            ["a", "b"][usize::from(row > 9)]
        )
    });
    let about = inspect(&large, &["--format", "json"]).ends_with(0).json();
    assert_eq!(
        (&about["duplicate_rows"], &about["conflicting_rows"]),
        (&10.into(), &0.into())
    );
}

#[test]
fn what_divides_rows_is_told_with_its_place_and_what_to_write() {
    let place = Place::new();
    let rows = |folds: [&str; 3]| {
        (0..30).fold("x,f,y\n".to_owned(), |all, row| {
            all + &format!("{row},{},{}\n", folds[row % 3], ["a", "b"][row % 2])
        })
    };
    // One number is one fold.
    place.write("demo/sweep.toml", &sweep("d.csv", "folds = \"f\""));
    place.write("demo/d.csv", &rows(["1", "1.0", "02"]));
    place.call(&["run", "demo", "--no-report"]).ends_with(0);
    assert_eq!(place.records("demo").distinct("fold"), ["0", "1"]);
    for (folds, says, hint) in [
        (
            ["1", "", "2"],
            "line 3: missing value in the fold column `f`",
            "give each row a fold",
        ),
        (["1", "1.0", "01"], "has one fold only", "name a column"),
    ] {
        place.write("demo/d.csv", &rows(folds));
        let told = refused(&place, "d.csv", "folds = \"f\"");
        assert!(told.contains(says) && told.contains(hint), "{told}");
    }
    place.write("demo/d.csv", &rows(["1", "2", "3"]));
    for (splits, says, hint) in [
        (
            "kind,rowid\nTRAIN,0\n",
            "no column `type`",
            "has the columns type, rowid",
        ),
        (
            "type,row\nTRAIN,0\n",
            "no column `rowid`",
            "has the columns type, rowid",
        ),
        (
            "type,rowid\nTRAIN,0\nTEST,30\n",
            "line 3: rowid `30` is no whole number",
            "count rows from 0",
        ),
        (
            "type,rowid\nTRAIN,0\nVALID,3\n",
            "line 3: type `VALID` is neither",
            "write TRAIN or TEST",
        ),
        (
            "type,rowid\nTRAIN,0\nTRAIN,2\n",
            "has no test rows",
            "rows of both kinds",
        ),
        (
            "type,rowid\nTRAIN,0\nTEST,0\n",
            "row 0 is listed twice",
            "one side of a split only",
        ),
        (
            "type,rowid,fold\nTRAIN,0,1\nTEST,1,1\n",
            "repeat 0, fold 0 is left out",
            "count repeats and folds from 0",
        ),
    ] {
        place.write("demo/s.csv", splits);
        let told = refused(&place, "d.csv", "ignore = [\"f\"]\nsplits = \"s.csv\"");
        assert!(
            told.contains("sweep.toml:9: dataset `d` > splits: demo/s.csv"),
            "{told}"
        );
        assert!(told.contains(says) && told.contains(hint), "{told}");
    }
    // A family with a gap, or with half a fold.
    let keys = "id = \"d\"\ntrain = \"k{fold}tra.csv\"\ntest = \"k{fold}tst.csv\"";
    let family = sweep("d.csv", "").replace("id = \"d\"\npath = \"d.csv\"", keys);
    for fold in [1, 2, 4] {
        for end in ["tra", "tst"] {
            place.write(&format!("demo/k{fold}{end}.csv"), &rows(["1", "2", "3"]));
        }
    }
    place.write("demo/sweep.toml", &family);
    let told = place.call(&["run", "demo"]).ends_with(2).err;
    assert!(
        told.contains("k3tst.csv: fold 3 is not there, and fold 4 is"),
        "{told}"
    );
    place.write("demo/k3tra.csv", "");
    let told = place.call(&["run", "demo"]).ends_with(2).err;
    assert!(
        told.contains("k3tst.csv: not there, where demo/k3tra.csv is"),
        "{told}"
    );
    assert!(
        told.contains("hint: give the training and test files of all folds"),
        "{told}"
    );
    place.write("demo/sweep.toml", &family.replace("k{fold}tra", "k1tra"));
    let told = place.call(&["run", "demo"]).ends_with(2).err;
    assert!(told.contains("write `{fold}` in both names"), "{told}");
}

#[test]
fn keys_that_say_nothing_beside_others_are_refused() {
    let place = Place::new();
    place.write("demo/d.csv", &numeric_csv(&[40, 30], 1));
    place.write("demo/e.csv", &numeric_csv(&[40, 30], 2));
    let population = |keys: &str| {
        format!("format = 1\n[[population]]\nkind = \"gaussian-pair\"\n{keys}\n{REST}")
    };
    let pair = sweep("d.csv", "max_rows = 10")
        .replace("path = \"d.csv\"", "train = \"d.csv\"\ntest = \"e.csv\"");
    for (text, line, says, hint) in [
        (
            population("rare = \"first\""),
            4,
            "rare: there is no induced ratio",
            "such as 10",
        ),
        (
            population("profile = \"pareto\""),
            4,
            "profile: there is no induced ratio",
            "such as 10",
        ),
        (
            sweep("d.csv", "profile = \"pareto\""),
            8,
            "profile: there is no induced ratio",
            "such as 10",
        ),
        (
            population("n_max = 5\nimbalance_ratio = 10"),
            2,
            "would have no row",
            "raise `n_max`",
        ),
        (
            population("n_train = 5\nimbalance_ratio = 10"),
            2,
            "would have no row",
            "raise `n_train`",
        ),
        (
            sweep("d.csv", "test_per_class = 1.5"),
            8,
            "a whole number of rows, or a share between 0 and 1",
            "such as 0.3",
        ),
        (
            sweep("d.csv", "positive = [\"c1\", \"c1\"]"),
            8,
            "positive: class `c1` is named twice",
            "name it once",
        ),
        (
            sweep("d.csv", "positive = [\"c7\"]"),
            8,
            "positive: `positive` names `c7`",
            "did you mean `c",
        ),
        (
            sweep("d.csv", "positive = [\"c1\"]\nnegative = [\"c0\", \"c0\"]"),
            9,
            "named twice",
            "name it once",
        ),
        (
            pair,
            9,
            "max_rows: a given split keeps its rows",
            "take out `max_rows`",
        ),
        (
            population("").replace(
                "gaussian-pair\"",
                "label-noise\"\nrate = 0.3\nrates = [0.1, 0.2]",
            ),
            4,
            "rate: given beside `rates`",
            "keep one of them",
        ),
    ] {
        place.write("demo/sweep.toml", &text);
        let told = place.call(&["run", "demo", "--dry-run"]).ends_with(2).err;
        assert!(
            told.contains(&format!("sweep.toml:{line}: ")),
            "{line}: {told}"
        );
        assert!(told.contains(says) && told.contains(hint), "{says}: {told}");
    }
    let inspect = [
        "data",
        "inspect",
        "demo/d.csv",
        "--target",
        "y",
        "--positive",
        "c1",
        "--positive",
        "c1",
    ];
    let told = place.call(&inspect).ends_with(2).err;
    assert!(told.contains("`c1` is named twice"), "{told}");
}
