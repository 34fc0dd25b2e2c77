//! The committed datasets: a folder of Parquet files with an index that says what each is, where it
//! comes from, and the hash of its values.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use counterweight_core::{ColumnValues, Dataset, ReadOptions, nearest};
use serde::{Deserialize, Serialize};

use crate::describe::duplicate_rows;
use crate::error::FrameError;
use crate::read::{read_bytes_of, read_dataset};

/// Name of the index in its folder.
const INDEX: &str = "index.json";

/// Name of the folder that is looked for.
const FOLDER: &str = "datasets";

/// What the index says of one dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Name by which sweeps call it.
    pub name: String,
    /// File beside the index.
    pub file: String,
    /// Name of the label column.
    pub target: String,
    /// Rows.
    pub rows: u64,
    /// Numeric feature columns.
    pub numeric: u64,
    /// Nominal feature columns.
    pub nominal: u64,
    /// Classes with their rows, in class order.
    pub classes: Vec<(String, u64)>,
    /// Largest over smallest class count.
    pub imbalance_ratio: f64,
    /// Missing cells among the features.
    pub missing_cells: u64,
    /// Rows that equal an earlier row, label included.
    pub duplicate_rows: u64,
    /// Datasets of one cluster are related and count as one in rank statistics.
    pub cluster: String,
    /// Where the data come from.
    pub source: String,
    /// Whom to cite.
    pub citation: String,
    /// Terms of use of the data.
    pub licence: String,
    /// The published package from which it was taken, with its version.
    pub package: String,
    /// Terms of use of that package.
    pub package_licence: String,
    /// Files of the package that the dataset was made from, each with its sha256.
    pub raw: Vec<(String, String)>,
    /// What a user has to know; empty when there is nothing.
    pub note: String,
    /// Content hash of the values, whatever file holds them.
    pub sha256: String,
}

impl Entry {
    /// How `dataset` differs from what the index says, one sentence part each; empty when it does
    /// not.
    pub fn differences(&self, dataset: &Dataset) -> Vec<String> {
        let facts = Facts::of(dataset);
        let mut found = Vec::new();
        let mut check = |what: &str, expected: String, actual: String| {
            if expected != actual {
                found.push(format!("{what}: {actual}, the index says {expected}"));
            }
        };
        check("rows", self.rows.to_string(), facts.rows.to_string());
        check(
            "numeric columns",
            self.numeric.to_string(),
            facts.numeric.to_string(),
        );
        check(
            "nominal columns",
            self.nominal.to_string(),
            facts.nominal.to_string(),
        );
        check(
            "classes",
            counts_text(&self.classes),
            counts_text(&facts.classes),
        );
        check(
            "imbalance ratio",
            self.imbalance_ratio.to_string(),
            facts.imbalance_ratio.to_string(),
        );
        check(
            "missing cells",
            self.missing_cells.to_string(),
            facts.missing_cells.to_string(),
        );
        check(
            "duplicate rows",
            self.duplicate_rows.to_string(),
            facts.duplicate_rows.to_string(),
        );
        check("hash of the values", self.sha256.clone(), facts.sha256);
        found
    }

    fn text(&self) -> String {
        let fields = [
            ("name", json(&self.name)),
            ("file", json(&self.file)),
            ("target", json(&self.target)),
            ("rows", json(&self.rows)),
            ("numeric", json(&self.numeric)),
            ("nominal", json(&self.nominal)),
            ("classes", json(&self.classes)),
            ("imbalance_ratio", json(&self.imbalance_ratio)),
            ("missing_cells", json(&self.missing_cells)),
            ("duplicate_rows", json(&self.duplicate_rows)),
            ("cluster", json(&self.cluster)),
            ("source", json(&self.source)),
            ("citation", json(&self.citation)),
            ("licence", json(&self.licence)),
            ("package", json(&self.package)),
            ("package_licence", json(&self.package_licence)),
            ("raw", json(&self.raw)),
            ("note", json(&self.note)),
            ("sha256", json(&self.sha256)),
        ];
        let lines: Vec<String> = fields
            .iter()
            .map(|(key, value)| format!("    \"{key}\": {value}"))
            .collect();
        format!("  {{\n{}\n  }}", lines.join(",\n"))
    }
}

fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("texts, numbers and lists of them are JSON")
}

fn counts_text(classes: &[(String, u64)]) -> String {
    classes
        .iter()
        .map(|(name, rows)| format!("{name}={rows}"))
        .collect::<Vec<_>>()
        .join(" ")
}

/// What can be counted in a dataset.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// Rows.
    pub rows: u64,
    /// Numeric feature columns.
    pub numeric: u64,
    /// Nominal feature columns.
    pub nominal: u64,
    /// Classes with their rows, in class order.
    pub classes: Vec<(String, u64)>,
    /// Largest over smallest class count; 0 without rows.
    pub imbalance_ratio: f64,
    /// Missing cells among the features.
    pub missing_cells: u64,
    /// Rows that equal an earlier row, label included.
    pub duplicate_rows: u64,
    /// Content hash of the values, 64 hexadecimal digits.
    pub sha256: String,
}

impl Facts {
    /// Counts. O(cells).
    pub fn of(dataset: &Dataset) -> Self {
        let counts = dataset.labels().counts();
        let numeric = dataset
            .columns()
            .iter()
            .filter(|column| matches!(column.values, ColumnValues::Numeric(_)))
            .count() as u64;
        Self {
            rows: dataset.n_rows() as u64,
            numeric,
            nominal: dataset.n_features() as u64 - numeric,
            classes: dataset
                .labels()
                .names()
                .iter()
                .cloned()
                .zip(counts.as_slice().iter().map(|&n| n as u64))
                .collect(),
            imbalance_ratio: counts.imbalance_ratio().unwrap_or(0.0),
            missing_cells: dataset
                .columns()
                .iter()
                .map(|column| column.values.missing() as u64)
                .sum(),
            duplicate_rows: duplicate_rows(dataset) as u64,
            sha256: dataset.content_hash().hex(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IndexFile {
    format: u32,
    datasets: Vec<Entry>,
}

/// The text of an index: one key a line, so that a change shows as what it is in a diff.
pub fn index_text(entries: &[Entry]) -> String {
    let entries: Vec<String> = entries.iter().map(Entry::text).collect();
    format!(
        "{{\"format\": 1, \"datasets\": [\n{}\n]}}\n",
        entries.join(",\n")
    )
}

/// What [`Library::verify`] found about one dataset or one stray file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The dataset's name, or a stray file's.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// What is wrong; empty when nothing is.
    pub problems: Vec<String>,
}

impl Verdict {
    /// Whether nothing is wrong.
    pub fn is_ok(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Files that a program carries, the index among them: each by its name.
pub type Carried = &'static [(&'static str, &'static [u8])];

/// What stands for the folder of files that a program carries.
const CARRIED: &str = "(in the program)";

#[derive(Clone, Debug)]
struct Shelf {
    folder: PathBuf,
    /// The files themselves; `None` for those of the folder.
    carried: Option<Carried>,
    entries: Vec<Entry>,
}

impl Shelf {
    fn read(&self, entry: &Entry) -> Result<Dataset, FrameError> {
        let path = self.folder.join(&entry.file);
        let options = ReadOptions::target(&entry.target);
        let Some(files) = self.carried else {
            return read_dataset(&path, &options);
        };
        match files.iter().find(|(name, _)| *name == entry.file) {
            Some((_, bytes)) => read_bytes_of(&path, bytes, &options),
            None => Err(FrameError::Io {
                path,
                action: "read",
                source: std::io::ErrorKind::NotFound.into(),
            }),
        }
    }
}

/// One or more folders of indexed datasets. A name is looked up in the folders in their order.
#[derive(Clone, Debug)]
pub struct Library {
    shelves: Vec<Shelf>,
}

impl Library {
    /// Opens one folder that holds an index.
    ///
    /// # Errors
    /// [`FrameError::Io`] without an index, [`FrameError::Index`] when it is damaged, of another
    /// format, or lists a name or file twice.
    pub fn open(folder: &Path) -> Result<Self, FrameError> {
        Ok(Self {
            shelves: vec![open_shelf(folder)?],
        })
    }

    /// Finds the folders, in this order: the one that the environment variable
    /// `COUNTERWEIGHT_DATASETS` names (itself, or its `datasets`); `datasets` in each of `starts` and
    /// its ancestors (a sweep file may stand for its folder); `datasets` in the working directory
    /// and its ancestors; the workspace that this program was built from; what the program carries. A
    /// folder without an index is passed over, unless the environment names it.
    ///
    /// # Errors
    /// [`FrameError::NoLibrary`] when there is none; as [`Library::open`].
    pub fn find(starts: &[&Path], carried: Carried) -> Result<Self, FrameError> {
        let environment = std::env::var_os("COUNTERWEIGHT_DATASETS")
            .filter(|value| !value.is_empty())
            .map(PathBuf::from);
        let mut starts: Vec<PathBuf> = starts.iter().map(|path| absolute(path)).collect();
        starts.push(absolute(Path::new(".")));
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        Self::search(environment.as_deref(), &starts, &workspace, carried)
    }

    fn search(
        environment: Option<&Path>,
        starts: &[PathBuf],
        workspace: &Path,
        carried: Carried,
    ) -> Result<Self, FrameError> {
        let mut candidates = Vec::new();
        if let Some(named) = environment {
            let inner = named.join(FOLDER);
            let folder = if inner.join(INDEX).is_file() {
                inner
            } else {
                named.to_owned()
            };
            if !folder.join(INDEX).is_file() {
                return Err(FrameError::NoLibrary {
                    tried: vec![folder],
                });
            }
            candidates.push(folder);
        }
        for start in starts {
            candidates.extend(start.ancestors().map(|folder| folder.join(FOLDER)));
        }
        candidates.push(workspace.join(FOLDER));

        let (mut seen, mut shelves, mut tried) = (BTreeSet::new(), Vec::new(), Vec::new());
        for folder in candidates {
            let known = folder
                .canonicalize()
                .unwrap_or_else(|_missing| folder.clone());
            if !seen.insert(known) {
                continue;
            }
            if folder.join(INDEX).is_file() {
                shelves.push(open_shelf(&folder)?);
            } else {
                tried.push(folder);
            }
        }
        if let Some((_, index)) = carried.iter().find(|(name, _)| *name == INDEX) {
            let folder = PathBuf::from(CARRIED);
            let entries = entries(&folder.join(INDEX), &String::from_utf8_lossy(index))?;
            shelves.push(Shelf {
                folder,
                carried: Some(carried),
                entries,
            });
        }
        if shelves.is_empty() {
            return Err(FrameError::NoLibrary { tried });
        }
        Ok(Self { shelves })
    }

    /// The folders, in the order in which names are looked up.
    pub fn folders(&self) -> Vec<&Path> {
        self.shelves
            .iter()
            .map(|shelf| shelf.folder.as_path())
            .collect()
    }

    /// All names, sorted.
    pub fn names(&self) -> Vec<&str> {
        let names: BTreeSet<&str> = self
            .shelves
            .iter()
            .flat_map(|shelf| shelf.entries.iter().map(|entry| entry.name.as_str()))
            .collect();
        names.into_iter().collect()
    }

    /// What the index says of `name`.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.locate(name).map(|(_, entry)| entry)
    }

    /// The file of `name`.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.locate(name)
            .map(|(shelf, entry)| shelf.folder.join(&entry.file))
    }

    fn locate(&self, name: &str) -> Option<(&Shelf, &Entry)> {
        self.shelves.iter().find_map(|shelf| {
            let entry = shelf.entries.iter().find(|entry| entry.name == name)?;
            Some((shelf, entry))
        })
    }

    /// Reads a dataset and checks the hash of its values against the index (a fraction of the time
    /// that reading takes).
    ///
    /// # Errors
    /// [`FrameError::UnknownDataset`]; [`FrameError::Hash`] when the values are not those of the
    /// index; as [`read_dataset`].
    pub fn load(&self, name: &str) -> Result<Dataset, FrameError> {
        let Some((shelf, entry)) = self.locate(name) else {
            return Err(FrameError::UnknownDataset {
                name: name.to_owned(),
                nearest: nearest(name, self.names()).map(str::to_owned),
                folders: self
                    .shelves
                    .iter()
                    .map(|shelf| shelf.folder.clone())
                    .collect(),
            });
        };
        let dataset = shelf.read(entry)?;
        let found = dataset.content_hash().hex();
        if found != entry.sha256 {
            return Err(FrameError::Hash {
                path: shelf.folder.join(&entry.file),
                expected: entry.sha256.clone(),
                found,
            });
        }
        Ok(dataset)
    }

    /// Checks every dataset of every folder against its index, then lists files that no index knows.
    pub fn verify(&self) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        for shelf in &self.shelves {
            for entry in &shelf.entries {
                let problems = match shelf.read(entry) {
                    Ok(dataset) => entry.differences(&dataset),
                    Err(error) => vec![error.to_string()],
                };
                verdicts.push(Verdict {
                    name: entry.name.clone(),
                    path: shelf.folder.join(&entry.file),
                    problems,
                });
            }
            verdicts.extend(stray_files(shelf));
        }
        verdicts
    }
}

fn absolute(path: &Path) -> PathBuf {
    path.canonicalize()
        .or_else(|_missing| std::path::absolute(path))
        .unwrap_or_else(|_hopeless| path.to_owned())
}

fn open_shelf(folder: &Path) -> Result<Shelf, FrameError> {
    let path = folder.join(INDEX);
    let text = crate::read_text(&path).map_err(|source| FrameError::Io {
        path: path.clone(),
        action: "read",
        source,
    })?;
    Ok(Shelf {
        folder: folder.to_owned(),
        carried: None,
        entries: entries(&path, &text)?,
    })
}

/// The datasets of an index.
fn entries(path: &Path, text: &str) -> Result<Vec<Entry>, FrameError> {
    let wrong = |reason: String| FrameError::Index {
        path: path.to_owned(),
        reason,
    };
    let index: IndexFile = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    if index.format != 1 {
        return Err(wrong(format!(
            "format {}, this program reads format 1",
            index.format
        )));
    }
    let (mut names, mut files) = (BTreeSet::new(), BTreeSet::new());
    for entry in &index.datasets {
        if !names.insert(&entry.name) || !files.insert(&entry.file) {
            return Err(wrong(format!(
                "dataset `{}` or its file is listed twice",
                entry.name
            )));
        }
        // An index must not reach outside its folder.
        if Path::new(&entry.file).components().count() != 1 || entry.file.starts_with('.') {
            return Err(wrong(format!(
                "`{}` is not a file beside the index",
                entry.file
            )));
        }
    }
    Ok(index.datasets)
}

fn stray_files(shelf: &Shelf) -> Vec<Verdict> {
    let Ok(listing) = std::fs::read_dir(&shelf.folder) else {
        return Vec::new();
    };
    let known = |name: &str| {
        name == INDEX
            || ["README.md", "Cargo.toml", "src"].contains(&name)
            || name.starts_with('.')
            || shelf.entries.iter().any(|entry| entry.file == name)
    };
    let mut names: Vec<String> = listing
        .flatten()
        .map(|file| file.file_name().to_string_lossy().into_owned())
        .filter(|name| !known(name))
        .collect();
    names.sort_unstable();
    names
        .into_iter()
        .map(|name| Verdict {
            path: shelf.folder.join(&name),
            name,
            problems: vec!["not in the index".into()],
        })
        .collect()
}
