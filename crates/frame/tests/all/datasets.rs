//! The committed datasets and their index.

use std::path::{Path, PathBuf};

use counterweight_core::{Column, ColumnValues, Dataset, Labels};
use counterweight_frame::{
    Entry, Facts, FrameError, Library, attribution, index_text, write_dataset,
};

use crate::Folder;

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets")
}

fn entries(library: &Library) -> Vec<Entry> {
    library
        .names()
        .iter()
        .filter_map(|name| library.entry(name).cloned())
        .collect()
}

#[test]
fn the_committed_index_is_complete_and_in_its_own_form() {
    let library = Library::open(&committed()).unwrap();
    let entries = entries(&library);
    assert_eq!(entries.len(), 59);
    let text = std::fs::read_to_string(committed().join("index.json")).unwrap();
    assert_eq!(text, index_text(&entries));
    for entry in &entries {
        assert_eq!(entry.file, format!("{}.parquet", entry.name));
        assert!(committed().join(&entry.file).is_file(), "{}", entry.name);
        assert_eq!(
            entry.rows,
            entry.classes.iter().map(|(_, n)| n).sum::<u64>()
        );
        assert!(entry.classes.len() > 1 && entry.numeric + entry.nominal > 0);
        for text in [
            &entry.source,
            &entry.citation,
            &entry.licence,
            &entry.package,
        ] {
            assert!(!text.is_empty(), "{}", entry.name);
        }
        assert!(entry.raw.iter().all(|(_, sha256)| sha256.len() == 64) && !entry.raw.is_empty());
    }
    let mut shared: Vec<(&str, &str)> = entries
        .iter()
        .filter(|entry| entry.cluster != entry.name)
        .map(|entry| (entry.cluster.as_str(), entry.name.as_str()))
        .collect();
    shared.sort_unstable();
    assert_eq!(
        shared,
        [
            ("census", "adult"),
            ("census", "census_income_kdd"),
            ("nasa_defects", "kc1"),
            ("nasa_defects", "pc1"),
            ("wine", "wine_red"),
            ("wine", "wine_white"),
        ]
    );
}

#[test]
fn the_readme_shows_the_index() {
    let library = Library::open(&committed()).unwrap();
    let readme = std::fs::read_to_string(committed().join("README.md")).unwrap();
    assert_eq!(
        attribution::replace(&readme, &entries(&library)).as_ref(),
        Some(&readme)
    );
    assert_eq!(attribution::replace("no markers", &[]), None);
}

#[test]
fn small_sets_hold_what_the_index_says() {
    let library = Library::open(&committed()).unwrap();
    for name in [
        "yeast",
        "zoo",
        "anneal",
        "vowel",
        "texture",
        "marketing_income",
        "soybean",
    ] {
        let dataset = library.load(name).unwrap();
        let entry = library.entry(name).unwrap();
        assert_eq!(entry.differences(&dataset), Vec::<String>::new(), "{name}");
    }
    let yeast = library.load("yeast").unwrap();
    assert_eq!(yeast.labels().names()[0], "CYT");
    assert_eq!(yeast.labels().counts().as_slice()[0], 463);
}

fn tiny(first: f64) -> Dataset {
    let column = |name: &str, values| Column {
        name: name.into(),
        values,
    };
    Dataset::new(
        vec![
            column("x", ColumnValues::Numeric(vec![first, 2.0, 2.0, f64::NAN])),
            column(
                "c",
                ColumnValues::nominal(&[Some("u"), None, None, Some("v")]),
            ),
        ],
        Labels::from_texts(&["no", "yes", "yes", "yes"]),
    )
    .unwrap()
}

fn entry(name: &str, dataset: &Dataset) -> Entry {
    let facts = Facts::of(dataset);
    Entry {
        name: name.into(),
        file: format!("{name}.parquet"),
        target: "y".into(),
        rows: facts.rows,
        numeric: facts.numeric,
        nominal: facts.nominal,
        classes: facts.classes,
        imbalance_ratio: facts.imbalance_ratio,
        missing_cells: facts.missing_cells,
        duplicate_rows: facts.duplicate_rows,
        cluster: name.into(),
        source: "made up".into(),
        citation: "nobody \"quoted\"".into(),
        licence: "none".into(),
        package: "none".into(),
        package_licence: "none".into(),
        raw: Vec::new(),
        note: String::new(),
        sha256: facts.sha256,
    }
}

fn library(folder: &Folder, under: &str, name: &str, first: f64) -> PathBuf {
    let path = folder.path(under);
    std::fs::create_dir_all(&path).unwrap();
    write_dataset(&tiny(first), "y", &path.join(format!("{name}.parquet"))).unwrap();
    std::fs::write(
        path.join("index.json"),
        index_text(&[entry(name, &tiny(first))]),
    )
    .unwrap();
    path
}

#[test]
fn facts_are_counted() {
    let facts = Facts::of(&tiny(1.0));
    assert_eq!((facts.rows, facts.numeric, facts.nominal), (4, 1, 1));
    assert_eq!(facts.classes, [("no".to_owned(), 1), ("yes".to_owned(), 3)]);
    assert_eq!((facts.missing_cells, facts.duplicate_rows), (3, 1));
    assert_eq!(facts.imbalance_ratio, 3.0);
}

#[test]
fn verification_finds_what_is_wrong() {
    let folder = Folder::new();
    let path = library(&folder, "datasets", "tiny", 1.0);
    let opened = Library::open(&path).unwrap();
    let verdicts = opened.verify();
    assert_eq!(verdicts.len(), 1);
    assert!(verdicts[0].is_ok());

    // Other values, one class less, and a file that nobody knows.
    let labels = Labels::from_texts(&["no", "yes", "no", "yes"]);
    let other = Dataset::new(tiny(1.5).columns().to_vec(), labels).unwrap();
    write_dataset(&other, "y", &path.join("tiny.parquet")).unwrap();
    std::fs::write(path.join("stray.csv"), "x").unwrap();
    let verdicts = opened.verify();
    assert_eq!(verdicts.len(), 2);
    let hash = |dataset: &Dataset| dataset.content_hash().hex();
    assert_eq!(
        verdicts[0].problems,
        [
            "classes: no=2 yes=2, the index says no=1 yes=3".to_owned(),
            "imbalance ratio: 1, the index says 3".to_owned(),
            "duplicate rows: 0, the index says 1".to_owned(),
            format!(
                "hash of the values: {}, the index says {}",
                hash(&other),
                hash(&tiny(1.0))
            ),
        ]
    );
    assert_eq!(
        (verdicts[1].name.as_str(), verdicts[1].problems.len()),
        ("stray.csv", 1)
    );
    assert_eq!(
        folder
            .told(&opened.load("tiny").unwrap_err())
            .lines()
            .next()
            .unwrap(),
        format!(
            "datasets/tiny.parquet: the values have hash {}, the index says {}",
            hash(&other),
            hash(&tiny(1.0))
        )
    );

    std::fs::remove_file(path.join("tiny.parquet")).unwrap();
    let problem = &opened.verify()[0].problems[0];
    assert!(problem.contains("tiny.parquet: cannot read: "), "{problem}");
}

#[test]
fn names_are_found_from_a_sweep_file_up_and_elsewhere_after_that() {
    let folder = Folder::new();
    library(&folder, "datasets", "far", 1.0);
    library(&folder, "a/datasets", "near", 2.0);
    std::fs::create_dir_all(folder.path("a/b/datasets")).unwrap();
    let sweep = folder.file("a/b/sweep.toml", "");
    let found = Library::find(&[&sweep], &[]).unwrap();
    assert!(found.folders()[0].ends_with("a/datasets"));
    assert!(found.folders()[1].ends_with("datasets"));
    assert_eq!(found.load("near").unwrap().n_rows(), 4);
    assert_eq!(found.load("far").unwrap().n_rows(), 4);
    // The workspace that the tests were built from comes last.
    assert!(found.entry("yeast").is_some());
    assert_eq!(found.names().len(), 61);

    let Err(error) = found.load("yaest") else {
        panic!("there is no yaest")
    };
    assert_eq!(error.hint().as_deref(), Some("did you mean `yeast`?"));
    assert!(matches!(error, FrameError::UnknownDataset { .. }));
}

#[test]
fn damaged_indexes_are_refused() {
    let folder = Folder::new();
    let good = index_text(&[entry("tiny", &tiny(1.0))]);
    let told = |text: &str| {
        folder.file("index.json", text);
        let error = Library::open(&folder.path("")).unwrap_err();
        folder.told(&error).lines().next().unwrap().to_owned()
    };
    assert!(told("{").starts_with("index.json: EOF while parsing"));
    assert_eq!(
        told(&good.replace("\"format\": 1", "\"format\": 2")),
        "index.json: format 2, this program reads format 1"
    );
    assert_eq!(
        told(&good.replace("tiny.parquet", "../tiny.parquet")),
        "index.json: `../tiny.parquet` is not a file beside the index"
    );
    let both = [entry("tiny", &tiny(1.0)), entry("tiny", &tiny(1.0))];
    assert_eq!(
        told(&index_text(&both)),
        "index.json: dataset `tiny` or its file is listed twice"
    );
    assert!(told(&good.replace("\"rows\"", "\"wors\"")).contains("unknown field `wors`"));
    assert!(matches!(
        Library::open(&folder.path("nowhere")),
        Err(FrameError::Io { .. })
    ));
}
