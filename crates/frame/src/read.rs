//! Files of one's own as datasets.
//!
//! # What is a number, what is a name
//! In CSV and TSV a column is numeric when every cell that is not missing is a finite number as Rust
//! reads one (`-1`, `.5`, `1e-3`; blanks around it do not matter; with `decimal = ","` a comma is its point). A
//! column of which half or more of the cells are numbers is never nominal unasked: another text among them
//! is an error that names its line, unless the column is listed in `nominal`. All other columns are nominal,
//! and their text is kept to the last blank. Quotes around a cell change nothing. A column without any value
//! is numeric. In Parquet the file says: integers and reals are numeric; strings, dictionaries (categories) and
//! booleans nominal.
//!
//! # What is missing
//! An empty cell, a null, and whatever `missing` lists; among numbers also the spellings `NA N/A n/a NULL null None
//! none #N/A <NA> ? - . *` and blanks alone, each of which the dataset remarks on with its count. A listed spelling is compared with the cell
//! as it stands and without surrounding blanks; in a numeric Parquet column it counts when it is
//! the same number. A spelling of NaN or infinity that is not listed is an error in a column
//! that otherwise holds numbers: it would be either a missing value or a broken export, and the
//! reader must not choose.
//!
//! # Cost
//! O(cells) time. Beside the file itself 4 bytes a cell and the distinct texts of each column; in a column of which
//! most texts differ, such as measurements, its texts and 20 bytes a cell.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use counterweight_core::{Column, ColumnValues, Dataset, Labels, nearest};

use crate::delimited;
use crate::error::{FrameError, Place};
use crate::parquet;
use crate::raw::{Judged, Kind, Number, RawColumn, RawTable, RawValues, Texts, number};

/// The extensions of files that [`read_dataset`] reads.
const READABLE: &str = "csv, tsv, parquet";

/// How to read a file.
///
/// | field | default | meaning |
/// |---|---|---|
/// | `target` | `""` | name of the label column |
/// | `missing` | none | spellings of missing values beside the empty cell |
/// | `separator` | by extension | the byte between cells: `,` in .csv, tab in .tsv |
/// | `decimal` | `.` | the byte before the decimals: `.` or `,` |
/// | `ignore` | none | names of columns to leave out, all that bear the name; `""` for those without one |
/// | `nominal` | none | names of columns that hold names, whatever they look like |
/// | `numeric` | none | names of columns that hold numbers, or else are an error |
/// | `group` | none | name of the column that says which rows belong together: names, none of them missing |
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ReadOptions {
    /// Name of the label column.
    pub target: String,
    /// Spellings of missing values beside the empty cell.
    pub missing: Vec<String>,
    /// The byte between cells; `None` chooses by extension. Parquet has none.
    pub separator: Option<u8>,
    /// Whether a comma, and not a point, stands before the decimals.
    pub comma: bool,
    /// Names of columns to leave out.
    pub ignore: Vec<String>,
    /// Names of columns that hold names, whatever they look like.
    pub nominal: Vec<String>,
    /// Names of columns that hold numbers.
    pub numeric: Vec<String>,
    /// Name of the column that says which rows belong together: its values are names, and none is missing.
    pub group: Option<String>,
}

impl ReadOptions {
    /// Options for a file with this target and nothing unusual.
    pub fn target(target: impl Into<String>) -> Self {
        Self {
            target: target.into(),
            ..Self::default()
        }
    }

    /// What the caller says that a column is.
    pub(crate) fn declared(&self, name: &String) -> Option<Kind> {
        if self.nominal.contains(name) || self.group.as_ref() == Some(name) {
            Some(Kind::Nominal)
        } else {
            self.numeric.contains(name).then_some(Kind::Numeric)
        }
    }

    /// Whether `missing` lists this text.
    pub(crate) fn lists(&self, text: &str) -> bool {
        let bare = text.trim_matches([' ', '\t']);
        self.missing.iter().any(|word| word == text || word == bare)
    }
}

/// The bytes of a file.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, FrameError> {
    let failed = |source| FrameError::Io {
        path: path.to_owned(),
        action: "read",
        source,
    };
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(FrameError::NotAFile {
            path: path.to_owned(),
        });
    }
    std::fs::read(path).map_err(failed)
}

/// The extension of a path, in lower case.
pub(crate) fn extension(path: &Path) -> String {
    path.extension()
        .map(|extension| extension.to_string_lossy().to_lowercase())
        .unwrap_or_default()
}

/// Reads a .csv, .tsv or .parquet file.
///
/// # Errors
/// [`FrameError`], with the line (text) or row (Parquet), for everything that is wrong with the
/// file, the target, or the ignored columns.
///
/// # Examples
/// ```
/// use counterweight_frame::{ReadOptions, read_dataset};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("mine.csv");
/// std::fs::write(&path, "age,colour,label\n31,red,yes\n,blue,no\n")?;
/// let dataset = read_dataset(&path, &ReadOptions::target("label"))?;
/// assert_eq!((dataset.n_rows(), dataset.n_features()), (2, 2));
/// assert_eq!(dataset.columns()[0].values.missing(), 1);
/// assert_eq!(dataset.labels().names().to_vec(), ["no", "yes"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_dataset(path: &Path, options: &ReadOptions) -> Result<Dataset, FrameError> {
    let raw = read_raw(path, options)?;
    let labels = Labels::from_texts(&raw.labels(&options.target)?);
    check_classes(path, options, &labels)?;
    let (mut columns, mut remarks) = (Vec::with_capacity(raw.columns.len()), Vec::new());
    for (at, column) in raw.columns.iter().enumerate() {
        if column.name != options.target {
            let judged = raw.judge(at)?;
            remarks.extend(remark(&column.name, &judged));
            columns.push(Column {
                name: column.name.clone(),
                values: typed(&raw, at, judged.kind, &judged.reals),
            });
        }
    }
    dataset(path, columns, labels).map(|data| data.with_remarks(remarks))
}

/// What was read otherwise than it stands in the file.
fn remark(column: &str, judged: &Judged) -> Option<String> {
    let found = judged.missing.iter();
    let texts: Vec<String> = found
        .map(|(text, rows)| format!("`{text}` ({rows})"))
        .collect();
    (!texts.is_empty())
        .then(|| format!("column `{column}`: taken for missing: {}", texts.join(", ")))
}

/// Reads a training and a test file that someone else has split. Both get the same levels and class
/// names (those of either file), and the columns of the test file are put in the training file's
/// order.
///
/// # Errors
/// As [`read_dataset`]; [`FrameError::Pair`] when the columns differ by name, or one is numeric in
/// one file and nominal in the other. Only the training file needs two classes.
pub fn read_pair(
    train: &Path,
    test: &Path,
    options: &ReadOptions,
) -> Result<(Dataset, Dataset), FrameError> {
    let first = read_raw(train, options)?;
    let second = read_raw(test, options)?;
    let pair_error = |reason: String| FrameError::Pair {
        train: train.to_owned(),
        test: test.to_owned(),
        reason,
    };
    if let Some(reason) = differing_names(&first, &second) {
        return Err(pair_error(reason));
    }

    let train_labels = first.labels(&options.target)?;
    let test_labels = second.labels(&options.target)?;
    let known = Labels::from_texts(&train_labels);
    check_classes(train, options, &known)?;
    let tested = Labels::from_texts(&test_labels);
    let unseen: Vec<&String> = tested
        .names()
        .iter()
        .filter(|name| !known.names().contains(name))
        .collect();
    let respelt = unseen
        .iter()
        .any(|name| known.names().iter().any(|other| alike(name, other)));
    if respelt || unseen.len() == tested.n_classes() {
        return Err(FrameError::PairLabels {
            train: train.to_owned(),
            test: test.to_owned(),
            train_labels: known.names().to_vec(),
            test_labels: tested.names().to_vec(),
        });
    }
    let unseen: Vec<String> = unseen
        .iter()
        .map(|name| {
            format!(
                "no training row has the class `{name}` of the test rows: it can never be predicted"
            )
        })
        .collect();
    let mut remarks = [Vec::new(), Vec::new()];
    let all = Labels::from_texts(&[train_labels.as_slice(), &test_labels].concat());
    let (train_ids, test_ids) = all.ids().split_at(train_labels.len());
    let labels = |path: &Path, ids: &[u32]| {
        all.with_ids(ids.to_vec())
            .map_err(|source| FrameError::Core {
                path: path.to_owned(),
                source,
            })
    };
    let (train_labels, test_labels) = (labels(train, train_ids)?, labels(test, test_ids)?);

    let (mut train_columns, mut test_columns) = (Vec::new(), Vec::new());
    let places = second.places();
    for (at, column) in first.columns.iter().enumerate() {
        if column.name == options.target {
            continue;
        }
        let other = places
            .get(column.name.as_str())
            .copied()
            .ok_or_else(|| pair_error("the columns differ".into()))?;
        let judged = [first.judge(at)?, second.judge(other)?];
        for (remarks, judged) in remarks.iter_mut().zip(&judged) {
            remarks.extend(remark(&column.name, judged));
        }
        let kind = match (judged[0].kind, judged[1].kind) {
            (Kind::Unknown, Kind::Unknown) => Kind::Numeric,
            (a, b) if a == b => a,
            (Kind::Unknown, kind) | (kind, Kind::Unknown) => kind,
            (a, b) => {
                let (file, at) = if a == Kind::Nominal {
                    (&first, at)
                } else {
                    (&second, other)
                };
                let example = file.first_name(at).map_or(String::new(), |(place, text)| {
                    format!(" ({place} of {}: `{text}`)", file.path.display())
                });
                return Err(pair_error(format!(
                    "column `{}` is {} in the first and {} in the second{example}",
                    column.name,
                    a.word(),
                    b.word(),
                )));
            }
        };
        let mut values = (
            typed(&first, at, kind, &judged[0].reals),
            typed(&second, other, kind, &judged[1].reals),
        );
        share_levels(&mut values.0, &mut values.1);
        for (columns, values) in [
            (&mut train_columns, values.0),
            (&mut test_columns, values.1),
        ] {
            columns.push(Column {
                name: column.name.clone(),
                values,
            });
        }
    }
    Ok((
        dataset(train, train_columns, train_labels)?
            .with_remarks([&remarks[..], &[unseen]].concat().concat()),
        dataset(test, test_columns, test_labels)?,
    ))
}

fn dataset(path: &Path, columns: Vec<Column>, labels: Labels) -> Result<Dataset, FrameError> {
    Dataset::new(columns, labels).map_err(|source| FrameError::Core {
        path: path.to_owned(),
        source,
    })
}

/// Whether two labels are most likely one: they differ by case, blanks or a full stop at the end, or are the
/// same number.
fn alike(a: &str, b: &str) -> bool {
    let bare = |text: &str| text.trim().trim_end_matches('.').to_lowercase();
    match (number(a), number(b)) {
        (Number::Finite(a), Number::Finite(b)) => (a - b).abs() <= 0.0,
        _ => bare(a) == bare(b),
    }
}

/// A target has at least two classes, and is no quantity.
fn check_classes(path: &Path, options: &ReadOptions, labels: &Labels) -> Result<(), FrameError> {
    /// Fractions that are no codes of classes any more.
    const MOST_FRACTIONS: usize = 20;
    if let [only] = &labels.names()[..] {
        return Err(FrameError::OneClass {
            path: path.to_owned(),
            target: options.target.clone(),
            class: only.clone(),
        });
    }
    let fraction = |name: &&String| matches!(number(name), Number::Finite(v) if v.fract() != 0.0);
    let reals = labels.names().iter().filter(fraction).count() > MOST_FRACTIONS;
    if reals || (labels.n_classes() > MOST_FRACTIONS && labels.n_classes() == labels.len()) {
        return Err(FrameError::RealTarget {
            path: path.to_owned(),
            target: options.target.clone(),
            classes: labels.n_classes(),
            rows: labels.len(),
            reals,
        });
    }
    Ok(())
}

fn typed(raw: &RawTable, at: usize, kind: Kind, reals: &[f64]) -> ColumnValues {
    match (&raw.columns[at].values, kind) {
        (RawValues::Untyped(texts), Kind::Nominal)
        | (RawValues::Names(texts), Kind::Nominal | Kind::Unknown) => {
            let (codes, levels) = texts.sorted();
            ColumnValues::Nominal { codes, levels }
        }
        (RawValues::Numbers(_) | RawValues::Wholes(_), Kind::Nominal) => {
            let (codes, levels) = raw.number_names(at).sorted();
            ColumnValues::Nominal { codes, levels }
        }
        _ => ColumnValues::Numeric(raw.numbers(at, reals)),
    }
}

/// Gives two nominal columns the union of their levels.
fn share_levels(a: &mut ColumnValues, b: &mut ColumnValues) {
    let (
        ColumnValues::Nominal {
            codes: codes_a,
            levels: levels_a,
        },
        ColumnValues::Nominal {
            codes: codes_b,
            levels: levels_b,
        },
    ) = (a, b)
    else {
        return;
    };
    let mut union = [levels_a.as_slice(), levels_b].concat();
    union.sort_unstable();
    union.dedup();
    for (codes, levels) in [(codes_a, levels_a), (codes_b, levels_b)] {
        let map: Vec<u32> = levels
            .iter()
            .map(|level| union.partition_point(|other| other < level))
            .map(|at| u32::try_from(at).expect("fewer levels than 2^32 rows"))
            .collect();
        for code in codes.iter_mut() {
            if let Some(&new) = map.get(*code as usize) {
                *code = new;
            }
        }
        levels.clone_from(&union);
    }
}

fn differing_names(train: &RawTable, test: &RawTable) -> Option<String> {
    let lacking = |from: &RawTable, other: &RawTable| {
        let there = other.places();
        let names = from.columns.iter().map(|column| column.name.as_str());
        names
            .filter(|name| !there.contains_key(name))
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
    };
    let (only_train, only_test) = (lacking(train, test), lacking(test, train));
    let parts: Vec<String> = [("the first", only_train), ("the second", only_test)]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(place, names)| format!("only {place} has {}", names.join(", ")))
        .collect();
    (!parts.is_empty()).then(|| format!("the columns differ: {}", parts.join("; ")))
}

/// Reads a file of any kind and checks its columns against the options.
fn read_raw(path: &Path, options: &ReadOptions) -> Result<RawTable, FrameError> {
    let raw = match extension(path).as_str() {
        "csv" => read_text(path, options, b',')?,
        "tsv" => read_text(path, options, b'\t')?,
        "parquet" => parquet::read_columns(path, options)?,
        other => {
            return Err(FrameError::Extension {
                path: path.to_owned(),
                extension: other.to_owned(),
                supported: READABLE,
            });
        }
    };
    if raw.n_rows == 0 {
        return Err(FrameError::NoRows {
            path: path.to_owned(),
        });
    }
    if let Some(group) = &options.group {
        raw.refuse_missing(group)?;
    }
    Ok(raw)
}

/// Checks a header against the options: for each column whether it is kept.
pub(crate) fn kept_columns(
    path: &Path,
    names: &[String],
    options: &ReadOptions,
) -> Result<Vec<bool>, FrameError> {
    let ignored: HashSet<&String> = options.ignore.iter().collect();
    let mut places = HashMap::with_capacity(names.len());
    for (second, name) in names.iter().enumerate() {
        let first = places.insert(name.as_str(), second);
        if let Some(first) = first.filter(|_| !ignored.contains(name) && !name.is_empty()) {
            return Err(FrameError::DuplicateColumn {
                path: path.to_owned(),
                name: name.clone(),
                first: first + 1,
                second: second + 1,
            });
        }
    }
    if options.ignore.contains(&options.target) {
        return Err(FrameError::TargetIgnored {
            path: path.to_owned(),
            target: options.target.clone(),
        });
    }
    if let Some(name) = options
        .nominal
        .iter()
        .find(|name| options.numeric.contains(name))
    {
        return Err(FrameError::TwoKinds {
            path: path.to_owned(),
            column: name.clone(),
        });
    }
    let wanted = [
        ("ignored", options.ignore.as_slice()),
        ("nominal", &options.nominal),
        ("numeric", &options.numeric),
        ("group", options.group.as_slice()),
    ];
    let wanted = wanted
        .iter()
        .flat_map(|(role, names)| names.iter().map(move |name| (*role, name)));
    for (role, name) in std::iter::once(("target", &options.target)).chain(wanted) {
        if !places.contains_key(name.as_str()) {
            return Err(FrameError::NoColumn {
                path: path.to_owned(),
                role,
                name: name.clone(),
                nearest: nearest(name, names.iter().map(String::as_str)).map(str::to_owned),
                columns: names.to_vec(),
            });
        }
    }
    let kept: Vec<bool> = names.iter().map(|name| !ignored.contains(name)).collect();
    let nameless = |name: &str| {
        name.is_empty() || (name.starts_with("__index_level_") && name.ends_with("__"))
    };
    let unnamed = names
        .iter()
        .zip(&kept)
        .position(|(name, kept)| *kept && nameless(name));
    if let Some(at) = unnamed {
        return Err(FrameError::UnnamedColumn {
            path: path.to_owned(),
            position: at + 1,
            name: names[at].clone(),
        });
    }
    if kept.iter().filter(|kept| **kept).count() < 2 {
        return Err(FrameError::NoFeatures {
            path: path.to_owned(),
            target: options.target.clone(),
        });
    }
    Ok(kept)
}

/// Rows after which room is made for all.
const SAMPLE: usize = 4096;

fn read_text(path: &Path, options: &ReadOptions, separator: u8) -> Result<RawTable, FrameError> {
    let bytes = read_bytes(path)?;
    let text = delimited::decode(path, &bytes)?;
    let mut reader = delimited::Reader::new(path, &text, options.separator.unwrap_or(separator))?;
    let mut cells = Vec::new();
    if reader.only_blank_lines_left() || reader.record(&mut cells)?.is_none() {
        return Err(FrameError::Empty {
            path: path.to_owned(),
        });
    }
    let names: Vec<String> = cells.iter().map(|cell| cell.text.to_string()).collect();
    let kept = kept_columns(path, &names, options)?;
    let mut columns = vec![Texts::default(); names.len()];
    let mut n_rows = 0;
    // Blank lines at the end are an editor's habit; anywhere else they are a row that lost its cells.
    while !reader.only_blank_lines_left() {
        let Some(line) = reader.record(&mut cells)? else {
            break;
        };
        if cells.len() != names.len() {
            return Err(FrameError::Ragged {
                path: path.to_owned(),
                line,
                expected: names.len(),
                found: cells.len(),
            });
        }
        n_rows += 1;
        if n_rows == SAMPLE {
            // So many rows, if the others are as long as these.
            let rows = (text.len() / reader.position().max(1) + 1).saturating_mul(SAMPLE);
            for texts in &mut columns {
                texts.expect(rows);
            }
        }
        for ((cell, texts), kept) in cells.iter().zip(&mut columns).zip(&kept) {
            if *kept {
                let missing = cell.text.is_empty() || options.lists(&cell.text);
                texts.push((!missing).then_some(&*cell.text), line);
            }
        }
    }
    Ok(RawTable {
        path: path.to_owned(),
        columns: names
            .into_iter()
            .zip(columns)
            .zip(kept)
            .filter_map(|((name, texts), kept)| {
                kept.then(|| RawColumn {
                    declared: options.declared(&name),
                    name,
                    values: RawValues::Untyped(texts),
                })
            })
            .collect(),
        n_rows,
        comma: options.comma,
        place: Place::Line,
    })
}
