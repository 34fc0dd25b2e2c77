//! Makes the committed `datasets` folder from a suite of CSV files.
//!
//! ```text
//! cargo run --release -p counterweight-frame --example import_suite -- SUITE CATALOGUE OUT
//! ```
//!
//! SUITE holds NAME.csv for each set; CATALOGUE holds INDEX.csv (rows, columns, classes, counts,
//! sha256 of each CSV), MANIFEST.csv (the package that each came from) and SCHEMA.csv (the kind of
//! each column); `about.csv` beside this source adds clusters, citations and notes. Everything that
//! the catalogue claims is checked against the files, and a single difference ends the import.
//! Written are OUT/NAME.parquet, OUT/index.json and the table in OUT/README.md between its markers.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use counterweight_core::{Cells, ColumnValues, Dataset};
use counterweight_frame::{
    Entry, Facts, Library, ReadOptions, attribution, index_text, read_dataset, read_text_table,
    write_atomically, write_dataset,
};
use sha2::{Digest as _, Sha256};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

const TARGET: &str = "target";

fn main() -> Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [suite, catalogue, out] = arguments.as_slice() else {
        return Err("usage: import_suite SUITE CATALOGUE OUT".into());
    };
    let index = Texts::read(&catalogue.join("INDEX.csv"))?;
    let manifest = Texts::read(&catalogue.join("MANIFEST.csv"))?;
    let schema = Texts::read(&catalogue.join("SCHEMA.csv"))?;
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/import_suite/about.csv");
    let about = Texts::read(&beside)?;

    let mut entries = Vec::new();
    for row in 0..index.rows {
        let name = index.at("name", row)?;
        let entry = import(&name, row, suite, out, (&index, &manifest, &schema, &about))
            .map_err(|error| format!("{name}: {error}"))?;
        entries.push(entry);
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    write_atomically(&out.join("index.json"), index_text(&entries).as_bytes())?;

    let readme = out.join("README.md");
    let text = std::fs::read_to_string(&readme)?;
    let text =
        attribution::replace(&text, &entries).ok_or("README.md lacks the table's markers")?;
    write_atomically(&readme, text.as_bytes())?;

    // What was written is what was read: through the public door, hashes and all.
    let wrong: Vec<String> = Library::open(out)?
        .verify()
        .into_iter()
        .filter(|verdict| !verdict.is_ok())
        .map(|verdict| format!("{}: {}", verdict.name, verdict.problems.join("; ")))
        .collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n").into())
    }
}

fn import(
    name: &str,
    row: usize,
    suite: &Path,
    out: &Path,
    (index, manifest, schema, about): (&Texts, &Texts, &Texts, &Texts),
) -> Result<Entry> {
    let csv = suite.join(format!("{name}.csv"));
    let claimed = index.at("csv_sha256", row)?;
    let found = sha256(&std::fs::read(&csv)?);
    if found != claimed {
        return Err(format!("sha256 of the csv is {found}, the catalogue says {claimed}").into());
    }
    let dataset = read_dataset(&csv, &ReadOptions::target(TARGET))?;
    let facts = Facts::of(&dataset);
    check_counts(&facts, index, row)?;
    check_columns(name, &csv, &dataset, schema)?;

    let file = format!("{name}.parquet");
    let path = out.join(&file);
    write_dataset(&dataset, TARGET, &path)?;
    let back = read_dataset(&path, &ReadOptions::target(TARGET))?;
    // Not `==`: a missing number is a NaN, which equals nothing.
    if back.content_hash() != dataset.content_hash() {
        return Err("the Parquet file gives back other values".into());
    }

    let sources: Vec<usize> = (0..manifest.rows)
        .filter(|&row| manifest.at("name", row).is_ok_and(|other| other == name))
        .collect();
    let first = *sources.first().ok_or("not in MANIFEST.csv")?;
    let described = (0..about.rows)
        .find(|&row| about.at("name", row).is_ok_and(|other| other == name))
        .ok_or("not in about.csv")?;
    let cluster = about.at("cluster", described)?;
    Ok(Entry {
        name: name.to_owned(),
        file,
        target: TARGET.to_owned(),
        rows: facts.rows,
        numeric: facts.numeric,
        nominal: facts.nominal,
        classes: facts.classes,
        imbalance_ratio: facts.imbalance_ratio,
        missing_cells: facts.missing_cells,
        duplicate_rows: facts.duplicate_rows,
        cluster: if cluster.is_empty() {
            name.to_owned()
        } else {
            cluster
        },
        source: index.at("source", row)?,
        citation: about.at("citation", described)?,
        licence: index.at("licence", row)?,
        package: format!(
            "{} {}",
            manifest.at("package", first)?,
            manifest.at("version", first)?
        ),
        package_licence: manifest.at("package_licence", first)?,
        raw: sources
            .iter()
            .map(|&row| Ok((manifest.at("path", row)?, manifest.at("sha256", row)?)))
            .collect::<Result<_>>()?,
        note: about.at("note", described)?,
        sha256: facts.sha256,
    })
}

fn check_counts(facts: &Facts, index: &Texts, row: usize) -> Result<()> {
    let numbers = [
        ("n", facts.rows),
        ("d_num", facts.numeric),
        ("d_cat", facts.nominal),
        ("K", facts.classes.len() as u64),
        ("missing", facts.missing_cells),
        ("duplicate_rows", facts.duplicate_rows),
    ];
    for (column, found) in numbers {
        let claimed = index.at(column, row)?;
        if claimed != found.to_string() {
            return Err(format!("{column} is {found}, the catalogue says {claimed}").into());
        }
    }
    let ratio: f64 = index.at("imbalance_ratio", row)?.parse()?;
    if (ratio - facts.imbalance_ratio).abs() > 0.005_000_1 {
        return Err(format!("imbalance ratio is {}", facts.imbalance_ratio).into());
    }
    // Class names may hold blanks, so that the list is compared as a whole, in one order.
    let mut classes = facts.classes.clone();
    classes.sort();
    let mut claimed = Vec::new();
    let text = index.at("class_counts", row)?;
    let mut rest = text.as_str();
    while let Some((name, after)) = rest.split_once(':') {
        let (count, after) = after.split_once(' ').unwrap_or((after, ""));
        claimed.push((name.to_owned(), count.parse::<u64>()?));
        rest = after;
    }
    claimed.sort();
    if claimed != classes {
        return Err(format!("class counts are {classes:?}, the catalogue says {claimed:?}").into());
    }
    Ok(())
}

fn check_columns(name: &str, csv: &Path, dataset: &Dataset, schema: &Texts) -> Result<()> {
    let rows: Vec<usize> = (0..schema.rows)
        .filter(|&row| schema.at("name", row).is_ok_and(|other| other == name))
        .collect();
    if rows.len() != dataset.n_features() {
        return Err(format!("SCHEMA.csv has {} columns", rows.len()).into());
    }
    let text = read_text_table(csv)?;
    for (row, column) in rows.into_iter().zip(dataset.columns()) {
        let kind = match &column.values {
            ColumnValues::Numeric(_) => "num",
            ColumnValues::Nominal { .. } => "cat",
        };
        // The catalogue counts spellings: 0.0 and -0.0 are two.
        let levels: BTreeSet<&String> = match text.column(&column.name) {
            Some(Cells::Text(cells)) => cells.iter().flatten().collect(),
            _ => return Err(format!("no column `{}`", column.name).into()),
        };
        let found = [
            column.name.clone(),
            kind.to_owned(),
            levels.len().to_string(),
            column.values.missing().to_string(),
        ];
        for (key, found) in ["column", "kind", "levels", "missing"].iter().zip(found) {
            let claimed = schema.at(key, row)?;
            if claimed != found {
                return Err(format!(
                    "column `{}`: {key} is {found}, the catalogue says {claimed}",
                    column.name
                )
                .into());
            }
        }
    }
    Ok(())
}

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A table with every cell as text, an empty cell as the empty text.
struct Texts {
    columns: BTreeMap<String, Vec<String>>,
    rows: usize,
}

impl Texts {
    fn read(path: &Path) -> Result<Self> {
        let table = read_text_table(path)?;
        let mut columns = BTreeMap::new();
        for (name, cells) in table.columns() {
            let Cells::Text(cells) = cells else {
                return Err("read_text_table gives text".into());
            };
            let cells = cells.iter().map(|cell| cell.clone().unwrap_or_default());
            columns.insert(name.clone(), cells.collect());
        }
        Ok(Self {
            columns,
            rows: table.n_rows(),
        })
    }

    fn at(&self, column: &str, row: usize) -> Result<String> {
        self.columns
            .get(column)
            .and_then(|cells| cells.get(row))
            .cloned()
            .ok_or_else(|| format!("no column `{column}` in the catalogue").into())
    }
}
