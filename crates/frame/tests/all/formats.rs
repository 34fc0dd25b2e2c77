//! One table in every format that can say it, and what each format says beside.

use std::fmt::Write as _;
use std::path::Path;

use counterweight_core::{ContentHash, Dataset, Dates, Encoding, Format};
use counterweight_frame::{ReadOptions, read_cells, read_dataset, read_in_folds, read_pair};
use counterweight_frame::{read_splits, write_dataset};

use crate::made::{archive, gzip, npy};
use crate::{Folder, target};

/// A column of reals with a missing value, one of whole numbers, one of names with a comma and a quote, and a class.
fn rows() -> Vec<[String; 4]> {
    let level = ["red", "it's", "a, b", "caf\u{e9}"];
    (0..40)
        .map(|row| {
            let real = if row == 7 {
                String::new()
            } else {
                format!("{}.25", row * 37 % 11)
            };
            let whole = (row * row % 23).to_string();
            [
                real,
                whole,
                level[row % 4].to_owned(),
                ["no", "yes"][row % 3 / 2].to_owned(),
            ]
        })
        .collect()
}

fn csv(separator: char) -> String {
    let mut text = ["x", "n", "c", "y"].join(&separator.to_string()) + "\n";
    for row in rows() {
        let cells = row.map(|cell| {
            if cell.contains(separator) {
                format!("\"{cell}\"")
            } else {
                cell
            }
        });
        text += &(cells.join(&separator.to_string()) + "\n");
    }
    text
}

/// A value as ARFF writes it.
fn quoted(cell: &str) -> String {
    match cell {
        "" => "?".to_owned(),
        cell if cell.contains([' ', '\'', ',']) => format!("'{}'", cell.replace('\'', "\\'")),
        cell => cell.to_owned(),
    }
}

const HEADER: &str = "% a comment\n@RELATION 'my table'\n\n@attribute x Real\n@ATTRIBUTE \"n\" INTEGER\n\
    @attribute c {never,red, 'it\\'s' , \"a, b\", caf\u{e9}}\n@attribute 'y' {no, yes}\n@Data\n";

fn arff(sparse: bool) -> String {
    let mut text = HEADER.to_owned();
    for row in rows() {
        let row = row.map(|cell| quoted(&cell));
        if sparse {
            let said = row
                .iter()
                .enumerate()
                .filter(|(_, cell)| !["0", "no"].contains(&&***cell));
            let said: Vec<String> = said.map(|(at, cell)| format!("{at} {cell}")).collect();
            writeln!(text, "{{{}}}", said.join(", ")).unwrap();
        } else {
            writeln!(text, "{} ", row.join(" ,\t")).unwrap();
        }
    }
    text + "\n% the end\n"
}

fn keel() -> String {
    let header = HEADER
        .replace("x Real", "x real [0.25, 10.25]")
        .replace("INTEGER", "integer[0,22]")
        .replace("@Data", "@inputs x, n, c\n@outputs y\n@data");
    let rows = rows().map_rows(|cell| {
        if cell.is_empty() {
            "<null>".into()
        } else {
            quoted(cell)
        }
    });
    header + &rows
}

trait MapRows {
    fn map_rows(self, of: impl Fn(&str) -> String) -> String;
}

impl MapRows for Vec<[String; 4]> {
    fn map_rows(self, of: impl Fn(&str) -> String) -> String {
        let line = |row: [String; 4]| row.map(|cell| of(&cell)).join(", ") + "\n";
        self.into_iter().map(line).collect()
    }
}

fn hash(path: &Path, options: &ReadOptions) -> ContentHash {
    read_dataset(path, options).unwrap().content_hash()
}

#[test]
fn one_table_has_one_hash_in_every_format() {
    let folder = Folder::new();
    let y = target("y");
    let first = folder.file("d.csv", csv(','));
    let data = read_dataset(&first, &y).unwrap();
    let expected = data.content_hash();
    write_dataset(&data, "y", &folder.path("d.parquet")).unwrap();
    let zstd = |text: &str| zstd::encode_all(text.as_bytes(), 3).unwrap();
    let wide: Vec<u8> = csv(',').encode_utf16().flat_map(u16::to_be_bytes).collect();
    let latin: Vec<u8> = csv(',')
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    for (name, content) in [
        ("d.tsv", csv('\t').into_bytes()),
        ("d.arff", arff(false).into_bytes()),
        ("sparse.ARFF", arff(true).into_bytes()),
        ("d.dat", keel().into_bytes()),
        ("d.csv.gz", gzip(csv(',').as_bytes())),
        (
            "two.csv.gz",
            [
                gzip(&csv(',').as_bytes()[..99]),
                gzip(&csv(',').as_bytes()[99..]),
            ]
            .concat(),
        ),
        ("d.arff.zst", zstd(&arff(true))),
        ("d.dat.gz", gzip(keel().as_bytes())),
        ("d.tsv.zst", zstd(&csv('\t'))),
    ] {
        assert_eq!(hash(&folder.file(name, content), &y), expected, "{name}");
    }
    assert_eq!(hash(&folder.path("d.parquet"), &y), expected);
    let options = |read_as, encoding, separator| ReadOptions {
        read_as,
        encoding,
        separator,
        ..target("y")
    };
    for (content, options) in [
        (wide, options(Some(Format::Csv), Encoding::Utf16Be, None)),
        (latin, options(Some(Format::Csv), Encoding::Latin1, None)),
        (
            arff(false).into_bytes(),
            options(Some(Format::Arff), Encoding::Marked, None),
        ),
        (
            csv(';').into_bytes(),
            options(Some(Format::Csv), Encoding::Marked, Some(b';')),
        ),
    ] {
        assert_eq!(hash(&folder.file("d.data", content), &options), expected);
    }
    // Cells are those of the file.
    for name in ["d.arff", "d.dat", "sparse.ARFF"] {
        let cells = read_cells(&folder.path(name), &y).unwrap();
        assert_eq!(cells, read_cells(&first, &y).unwrap(), "{name}");
    }
}

#[test]
fn arrays_have_the_values_of_a_text() {
    let folder = Folder::new();
    let numbers: Vec<[i16; 3]> = (0..30)
        .map(|i| [i * 7 % 11 - 3, i % 5, i16::from(i % 3 == 0)])
        .collect();
    let lines = |header: &str| {
        let rows = numbers.iter().map(|[a, b, y]| format!("{a},{b},{y}\n"));
        rows.fold(format!("{header}\n"), |all, row| all + &row)
    };
    let expected = hash(&folder.file("d.csv", lines("c1,c2,c3")), &target("c3"));
    let headless = ReadOptions {
        header: false,
        ..target("c3")
    };
    let text = lines("");
    assert_eq!(
        hash(&folder.file("headless.csv", text.trim_start()), &headless),
        expected
    );
    let flat: Vec<i16> = numbers.concat();
    let by_column: Vec<i16> = (0..3)
        .flat_map(|at| numbers.iter().map(move |row| row[at]))
        .collect();
    let of = |values: &[i16], bytes: &dyn Fn(i16) -> Vec<u8>| -> Vec<u8> {
        values.iter().flat_map(|&v| bytes(v)).collect()
    };
    for (at, content) in [
        npy(
            1,
            "<f8",
            false,
            "(30, 3)",
            &of(&flat, &|v| f64::from(v).to_le_bytes().to_vec()),
        ),
        npy(
            2,
            ">f4",
            true,
            "(30, 3)",
            &of(&by_column, &|v| f32::from(v).to_be_bytes().to_vec()),
        ),
        npy(
            3,
            "|i1",
            false,
            "(30, 3)",
            &of(&flat, &|v| vec![i8::try_from(v).unwrap().cast_unsigned()]),
        ),
        npy(
            1,
            ">i2",
            true,
            "(30L, 3L)",
            &of(&by_column, &|v| v.to_be_bytes().to_vec()),
        ),
        npy(
            1,
            "<i4",
            false,
            "(30, 3)",
            &of(&flat, &|v| i32::from(v).to_le_bytes().to_vec()),
        ),
        npy(
            1,
            ">i8",
            false,
            "(30, 3)",
            &of(&flat, &|v| i64::from(v).to_be_bytes().to_vec()),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.file(&format!("{at}.npy"), content);
        assert_eq!(hash(&path, &target("c3")), expected, "{at}");
    }

    let expected = hash(&folder.file("z.csv", lines("X1,X2,y")), &target("y"));
    let matrix: Vec<u8> = numbers
        .iter()
        .flat_map(|[a, b, _]| [*a, *b])
        .flat_map(i16::to_le_bytes)
        .collect();
    let classes: Vec<u8> = numbers
        .iter()
        .map(|row| u8::try_from(row[2]).unwrap())
        .collect();
    let names: Vec<u8> = classes
        .iter()
        .flat_map(|&c| [u32::from(b'0' + c), 0])
        .flat_map(u32::to_le_bytes)
        .collect();
    for deflated in [false, true] {
        for y in [
            npy(1, "|u1", false, "(30,)", &classes),
            npy(1, "<U2", false, "(30,)", &names),
        ] {
            let arrays = [
                ("X.npy", npy(1, "<i2", false, "(30, 2)", &matrix)),
                ("y.npy", y),
            ];
            let path = folder.file("z.npz", archive(&arrays, deflated));
            assert_eq!(hash(&path, &target("y")), expected);
        }
    }
    let told = |name: &str, content: Vec<u8>| {
        folder.told(&read_dataset(&folder.file(name, content), &target("y")).unwrap_err())
    };
    assert_eq!(
        told("o.npy", npy(1, "|O", false, "(1, 3)", b"pickle")),
        "o.npy: byte 10: elements of type `|O`: f4, f8, i1 to i8, u1 to u8, booleans and texts are read"
    );
    assert_eq!(
        told(
            "s.npy",
            npy(1, "<f8", false, "(9000000000000000000, 3)", &[0; 24])
        ),
        "s.npy: byte 128: 9000000000000000000 rows of 3 elements of 8 bytes are declared, 24 bytes follow"
    );
    let mut broken = archive(
        &[("X.npy", npy(1, "<i2", false, "(30, 2)", &matrix))],
        false,
    );
    broken[200] ^= 1;
    assert!(told("b.npz", broken).starts_with("b.npz: cannot unpack: "));
    // Arrays that are no columns can be left out, whatever they hold.
    let labels: Vec<u8> = (0..30).map(|row| row % 2).collect();
    let arrays = [
        ("X.npy", npy(1, "<i2", false, "(30, 2)", &matrix)),
        ("y.npy", npy(1, "|u1", false, "(30,)", &labels)),
        ("names.npy", npy(1, "|O", false, "(1, 3)", b"pickle")),
        ("scale.npy", npy(1, "<f8", false, "(2,)", &[0; 16])),
        ("readme.txt", b"of whom".to_vec()),
    ];
    let path = folder.file("e.npz", archive(&arrays, false));
    let mut options = target("y");
    for (name, says) in [
        ("readme.txt", "`readme.txt` is no array"),
        ("names", "byte 10: array `names`: elements of type `|O`"),
        ("scale", "byte 0: array `scale`: 2 rows, where `X` has 30"),
    ] {
        let error = read_dataset(&path, &options).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
        let hint = error.hint().unwrap_or_default();
        assert!(hint.contains(&format!("ignore = [\"{name}\"]")), "{hint}");
        options.ignore.push(name.to_owned());
    }
    assert_eq!(read_dataset(&path, &options).unwrap().n_features(), 2);
}

#[test]
fn svmlight_counts_from_what_the_files_show() {
    let folder = Folder::new();
    let rows = |shift: usize| -> String {
        (0..20)
            .map(|row| {
                format!(
                    "{} {}:1.5 {}:{row} # row {row}\n",
                    ["+1", "-1"][row % 2],
                    shift,
                    shift + 3
                )
            })
            .collect()
    };
    let csv: String = (0..20)
        .map(|row| format!("1.5,0,0,{row},{}\n", ["+1", "-1"][row % 2]))
        .collect();
    let csv = folder.file("d.csv", format!("c1,c2,c3,c4,label\n{csv}"));
    let label = target("label");
    let expected = hash(&csv, &label);
    let (zero, one) = (
        folder.file("zero.svm", rows(0)),
        folder.file("one.libsvm", rows(1)),
    );
    assert_eq!(
        [hash(&zero, &label), hash(&one, &label)],
        [expected, expected]
    );
    let data = read_dataset(&zero, &label).unwrap();
    assert_eq!(data.remarks(), ["`c1` is the feature of index 0"]);
    // What one file shows goes for both: here `c1` of the second is index 1.
    let (train, test) = read_pair(&zero, &one, &label).unwrap();
    assert_eq!((train.n_features(), test.n_features()), (5, 5));
    let based = ReadOptions {
        first_index: Some(0),
        ..target("label")
    };
    assert_eq!(read_dataset(&one, &based).unwrap().n_features(), 5);
    let queries = folder.file("q.svm", "# head\n2 qid:1 1:1\n1 qid:2 2:1\n\n");
    let data = read_dataset(&queries, &label).unwrap();
    assert_eq!(data.remarks()[1], "`qid` is left out: it is no feature");
    let asked = ReadOptions {
        numeric: vec!["qid".into()],
        ..target("label")
    };
    assert_eq!(read_dataset(&queries, &asked).unwrap().n_features(), 3);
    for (content, expected) in [
        (
            "1 1:1\n2 2:1 2:3\n",
            "line 2, character 7: index 2 does not rise",
        ),
        ("1 1:1\n2 a:1\n", "line 2, character 3: `a` is no index"),
        (
            "1 1:1\n2 1:nan\n",
            "line 2, character 3: `nan` is not a finite number",
        ),
        (
            "1,2 1:1\n2 1:1\n",
            "line 1, character 1: a row begins with one label, found `1,2`",
        ),
        (
            "1 1:1\n2 1\n",
            "line 2, character 3: expected `index:value`, found `1`",
        ),
        (
            "1 1:1\n2 4000000:1\n",
            "2 rows of 4000000 columns are more than 2000144 cells (a column counts as 32 rows more), the limit for a text of its size",
        ),
    ] {
        let error = read_dataset(&folder.file("bad.svm", content), &label).unwrap_err();
        assert_eq!(folder.told(&error), format!("bad.svm: {expected}"));
    }
}

#[test]
fn attribute_files_say_where_they_are_wrong() {
    let folder = Folder::new();
    let head = "@relation r\n@attribute a real\n@attribute y {u,v}\n@data\n";
    let told = |content: &str| {
        folder.told(&read_dataset(&folder.file("d.arff", content), &target("y")).unwrap_err())
    };
    for (rows, expected) in [
        (
            "1,u\n2,w\n",
            "line 6, character 3: `w` is no level that `y` declares",
        ),
        (
            "1,u\n2\n",
            "line 6, character 2: the row has 1 values, 2 attributes are declared",
        ),
        (
            "1,u\n2,v,3\n",
            "line 6, character 5: the row has more than 2 values",
        ),
        (
            "1,u\n,v\n",
            "line 6, character 1: a value is missing here; `?` stands for one that is not known",
        ),
        (
            "1,u\n2,'v\n",
            "line 6, character 3: a quote opens here and is never closed",
        ),
        (
            "1,u\n{2 1}\n",
            "line 6, character 2: expected the number of an attribute from 0 to 1",
        ),
        (
            "1,u\n2,v,{-1}\n",
            "line 6, character 8: the weight of a row is a number of at least 0 in braces",
        ),
        (
            "1,u\n2,v {1} x\n",
            "line 6, character 9: expected the end of the row",
        ),
    ] {
        // A value that is not quoted may hold blanks.
        let expected = expected.replace(
            "character 9: expected the end of the row",
            "character 3: `v {1} x` is no level that `y` declares",
        );
        assert_eq!(
            told(&format!("{head}{rows}")),
            format!("d.arff: {expected}")
        );
    }
    assert_eq!(
        told("@relation r\n@attribute a blob\n"),
        "d.arff: line 2, character 14: `blob` is no type that can be read: numeric, real, integer, string, date, or a set in braces"
    );
    assert_eq!(
        told("x,y\n1,2\n"),
        "d.arff: line 1, character 1: expected `@relation`, `@attribute` or `@data`"
    );
    assert!(
        told(&format!("{head}1,u\nlow,v\n"))
            .starts_with("d.arff: line 6, column `a`: `low` is no number")
    );
    // Weights are not used unless they are asked for.
    let path = folder.file("w.arff", format!("{head}1,u,{{2}}\n2,v\n{{0 3}},{{0.5}}\n"));
    let data = read_dataset(&path, &target("y")).unwrap();
    assert_eq!(
        data.remarks(),
        ["the weights of 2 of 3 rows in the file are not used; as `weight` they are `{weight}`"]
    );
    // KEEL's inputs are its features.
    let keel = head.replace(
        "@data",
        "@attribute b integer [0,1]\n@inputs a\n@output y\n@data",
    );
    let path = folder.file("d.dat", format!("{keel}1,u,0\n2,v,1\n"));
    let data = read_dataset(&path, &target("y")).unwrap();
    assert_eq!(data.n_features(), 1);
    assert_eq!(
        data.remarks(),
        ["column `b` is left out: it is no input of the file"]
    );
}

#[test]
fn dates_are_dropped_or_days() {
    let folder = Folder::new();
    let path = folder.file(
        "d.csv",
        "d,x,y\n1970-01-01,1,u\n1970-01-03 12:00,2,v\n,3,u\n",
    );
    let with = |date| ReadOptions {
        date,
        ..target("y")
    };
    let kinds = |data: &Dataset| {
        data.columns()
            .iter()
            .map(|c| c.name.clone())
            .collect::<Vec<_>>()
    };
    let data = read_dataset(&path, &with(Dates::Number)).unwrap();
    let numbers = crate::reading::numbers(&data, 0);
    assert_eq!(numbers[..2], [0.0, 2.5]);
    assert!(numbers[2].is_nan());
    let data = read_dataset(&path, &with(Dates::Drop)).unwrap();
    assert_eq!(kinds(&data), ["x"]);
    assert_eq!(data.remarks(), ["column `d` is left out: it holds dates"]);
    assert_eq!(
        kinds(&read_dataset(&path, &target("y")).unwrap()),
        ["d", "x"]
    );
    let named = ReadOptions {
        nominal: vec!["d".into()],
        ..with(Dates::Drop)
    };
    assert_eq!(kinds(&read_dataset(&path, &named).unwrap()), ["d", "x"]);
}

#[test]
fn given_folds_and_splits_are_checked() {
    let folder = Folder::new();
    let path = folder.file("d.csv", "x,f,y\n1,2,u\n2,10,v\n3,2,v\n4,1,u\n");
    let options = ReadOptions {
        folds: Some("f".into()),
        ..target("y")
    };
    let (data, folds) = read_in_folds(&path, &options).unwrap();
    let folds = folds.unwrap();
    assert_eq!((data.n_features(), folds.len()), (1, 3));
    // In the order of the numbers: 1, 2, 10.
    assert_eq!(
        (folds[1].rows.train(), folds[1].rows.test()),
        (&[1, 3][..], &[0, 2][..])
    );
    let split = |rows: &str| {
        let file = folder.file(
            "s.arff",
            format!(
                "@relation s\n@attribute type {{TRAIN,TEST}}\n@attribute rowid numeric\n\
                 @attribute repeat numeric\n@attribute fold numeric\n@data\n{rows}"
            ),
        );
        read_splits(&file, 4).map_err(|error| folder.told(&error))
    };
    let good = split("TRAIN,0,0,0\nTEST,1,0,0\nTRAIN,1,1,0\nTRAIN,2,1,0\nTEST,3,1,0\n").unwrap();
    assert_eq!((good[1].repeat, good[1].fold), (1, 0));
    assert_eq!(good[1].rows.train(), [1, 2]);
    for (rows, expected) in [
        (
            "TRAIN,0,0,0\nTEST,4,0,0\n",
            "line 8: rowid `4` is no whole number from 0 to 3",
        ),
        (
            "TRAIN,0,0,0\nTEST,0,0,0\n",
            "repeat 0, fold 0: a split is not one: row 0 is listed twice",
        ),
        (
            "TRAIN,0,0,0\nTRAIN,1,0,0\nTEST,1,0,1\n",
            "repeat 0, fold 0 has no test rows",
        ),
        ("TRAIN,0,0,1\nTEST,1,0,1\n", "repeat 0, fold 0 is left out"),
    ] {
        let found = split(rows).unwrap_err();
        let tail = expected.rsplit(": ").next().unwrap();
        assert!(
            found.starts_with("s.arff: ") && found.contains(tail),
            "{found}"
        );
    }
    let lone = folder.file("l.csv", "x,f,y\n1,2,u\n2,,v\n");
    assert_eq!(
        folder.told(&read_in_folds(&lone, &options).unwrap_err()),
        "l.csv: line 3: missing value in the fold column `f`\nhint: give each row a fold, or drop those without one"
    );
}
