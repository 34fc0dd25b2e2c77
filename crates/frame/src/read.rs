//! Files of one's own as datasets.
//!
//! # What is a number, what is a name
//! In CSV and TSV a column is numeric when every cell that is not missing is a finite number as Rust
//! reads one (`-1`, `.5`, `1e-3`; blanks around it do not matter; with `decimal = ","` a comma is its point). A
//! column of which half or more of the cells are numbers is never nominal unasked: another text among them
//! is an error that names its line, unless the column is listed in `nominal`. All other columns are nominal,
//! and their text is kept to the last blank. Quotes around a cell change nothing. A column without any value
//! is numeric. In Parquet the file says: integers and reals are numeric; strings, dictionaries (categories) and
//! booleans nominal; ARFF, KEEL and NumPy say so too ([`crate`]). A set that a file declares to be names can be read as
//! numbers by `numeric`, and the other way round by `nominal`.
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
//! O(cells) time. Beside the file itself 8 bytes a cell and the distinct texts of each column; in a column of names of
//! which most differ, its texts and 20 bytes a cell.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use counterweight_core::{
    Column, ColumnValues, Dataset, Format, GivenSplit, Labels, ReadOptions, nearest,
};

use crate::error::FrameError;
use crate::load::format;
use crate::raw::{Judged, Kind, Number, RawTable, RawValues, number};
use crate::{arff, numpy, parquet, separated, splits, svmlight};

/// What the caller says that a column is.
pub(crate) fn declared(options: &ReadOptions, name: &String) -> Option<Kind> {
    if options.nominal.contains(name) || options.group.as_ref() == Some(name) {
        Some(Kind::Nominal)
    } else {
        let numeric = options.numeric.contains(name) || options.weight.as_ref() == Some(name);
        numeric.then_some(Kind::Numeric)
    }
}

/// Reads a data file of any kind ([`Format`]).
///
/// # Errors
/// [`FrameError`], with the line (text) or row (binary), for everything that is wrong with the
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
    features(read_raw(path, options)?, options)
}

/// As [`read_dataset`], with the folds that the column `folds` says: each fold tests on its rows and trains on all
/// others.
///
/// # Errors
/// As [`read_dataset`]; [`FrameError::Split`] for a row without a fold, or fewer than two folds.
pub fn read_in_folds(
    path: &Path,
    options: &ReadOptions,
) -> Result<(Dataset, Option<Vec<GivenSplit>>), FrameError> {
    let raw = read_raw(path, options)?;
    let given = options.folds.as_ref();
    let given = given.map(|column| splits::of_column(&raw, column));
    Ok((features(raw, options)?, given.transpose()?))
}

/// As [`read_dataset`], of a Parquet file whose bytes are at hand.
pub(crate) fn read_bytes_of(
    path: &Path,
    bytes: &[u8],
    options: &ReadOptions,
) -> Result<Dataset, FrameError> {
    features(parquet::read_columns_of(path, bytes, options)?, options)
}

/// The columns are taken one by one, so that a large table is here once.
pub(crate) fn features(mut raw: RawTable, options: &ReadOptions) -> Result<Dataset, FrameError> {
    let labels = Labels::from_texts(&raw.labels(&options.target)?);
    check_classes(&raw.path, options, &labels)?;
    let (mut columns, mut remarks) = (Vec::with_capacity(raw.columns.len()), raw.remarks.clone());
    for at in 0..raw.columns.len() {
        let name = raw.columns[at].name.clone();
        if name == options.target || options.folds.as_ref() == Some(&name) {
            continue;
        }
        let judged = raw.judge(at)?;
        if judged.kind == Kind::Dates {
            remarks.push(dates_dropped(&name));
            continue;
        }
        remarks.extend(remark(&name, &judged));
        let values = typed(&mut raw, at, judged.kind, &judged.reals);
        raw.columns[at].values = RawValues::Numbers(Vec::new());
        columns.push(Column { name, values });
    }
    if columns.is_empty() {
        return Err(FrameError::NoFeatures {
            path: raw.path,
            target: options.target.clone(),
        });
    }
    dataset(&raw.path, columns, labels).map(|data| data.with_remarks(remarks))
}

/// What was read otherwise than it stands in the file.
pub(crate) fn remark(column: &str, judged: &Judged) -> Option<String> {
    let found = judged.missing.iter();
    let texts: Vec<String> = found
        .map(|(text, rows)| format!("`{text}` ({rows})"))
        .collect();
    (!texts.is_empty())
        .then(|| format!("column `{column}`: taken for missing: {}", texts.join(", ")))
}

pub(crate) fn dataset(
    path: &Path,
    columns: Vec<Column>,
    labels: Labels,
) -> Result<Dataset, FrameError> {
    Dataset::new(columns, labels).map_err(|source| FrameError::Core {
        path: path.to_owned(),
        source,
    })
}

/// A target has at least two classes, and is no quantity.
pub(crate) fn check_classes(
    path: &Path,
    options: &ReadOptions,
    labels: &Labels,
) -> Result<(), FrameError> {
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

/// Takes the values of a column as what they were judged to be.
pub(crate) fn typed(raw: &mut RawTable, at: usize, kind: Kind, reals: &[f64]) -> ColumnValues {
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

/// The kind of a file, which takes all keys that the options say.
pub(crate) fn taking_format(path: &Path, options: &ReadOptions) -> Result<Format, FrameError> {
    let format = format(path, options)?;
    match options.refused_by(format) {
        None => Ok(format),
        Some(key) => Err(FrameError::Key {
            path: path.to_owned(),
            key,
            format,
        }),
    }
}

/// Reads a file of any kind and checks its columns against the options.
pub(crate) fn read_raw(path: &Path, options: &ReadOptions) -> Result<RawTable, FrameError> {
    read_with(path, options, true)
}

/// As [`read_raw`]; with `numbers`, the texts of measurements are not kept.
pub(crate) fn read_with(
    path: &Path,
    options: &ReadOptions,
    numbers: bool,
) -> Result<RawTable, FrameError> {
    let raw = match taking_format(path, options)? {
        Format::Csv => separated::read(path, options, b',', numbers)?,
        Format::Tsv => separated::read(path, options, b'\t', numbers)?,
        Format::Arff => arff::read(path, options, false)?,
        Format::Keel => arff::read(path, options, true)?,
        Format::Svmlight => {
            let found = svmlight::parse(path, options)?;
            let span = found.span;
            svmlight::table(path, options, found, span)?
        }
        Format::Npy => numpy::read_npy(path, options)?,
        Format::Npz => numpy::read_npz(path, options)?,
        Format::Parquet => parquet::read_columns(path, options)?,
    };
    if raw.n_rows == 0 {
        return Err(FrameError::NoRows {
            path: path.to_owned(),
        });
    }
    if let Some(group) = &options.group {
        raw.refuse_missing("group", group)?;
    }
    if let Some(weight) = &options.weight {
        raw.refuse_missing("weight", weight)?;
        raw.refuse_negative(weight)?;
    }
    Ok(raw)
}

/// Whether a key names this column, which else is none.
pub(crate) fn asked(options: &ReadOptions, name: &str) -> bool {
    let lists = [&options.ignore, &options.nominal, &options.numeric];
    options.target == name
        || options.folds.as_deref() == Some(name)
        || options.group.as_deref() == Some(name)
        || options.weight.as_deref() == Some(name)
        || lists
            .iter()
            .any(|list| list.iter().any(|asked| asked == name))
}

/// What is said of a column of dates that is left out.
pub(crate) fn dates_dropped(name: &str) -> String {
    format!("column `{name}` is left out: it holds dates")
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
    let single = [
        ("target", Some(&options.target)),
        ("group", options.group.as_ref()),
        ("weight", options.weight.as_ref()),
        ("fold", options.folds.as_ref()),
    ];
    let single: Vec<(&'static str, &String)> = single
        .into_iter()
        .filter_map(|(role, name)| Some((role, name?)))
        .collect();
    for (at, &(role, name)) in single.iter().enumerate() {
        if ignored.contains(name) {
            return Err(FrameError::Ignored {
                path: path.to_owned(),
                role,
                name: name.clone(),
            });
        }
        if let Some((first, _)) = single[..at].iter().find(|(_, other)| *other == name) {
            return Err(FrameError::TwoRoles {
                path: path.to_owned(),
                roles: [first, role],
                name: name.clone(),
            });
        }
    }
    if let Some(name) = options
        .nominal
        .iter()
        .find(|name| options.numeric.contains(name) || options.weight.as_ref() == Some(name))
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
    ];
    let wanted = wanted
        .iter()
        .flat_map(|(role, names)| names.iter().map(move |name| (*role, name)));
    for (role, name) in single.into_iter().chain(wanted) {
        if !places.contains_key(name.as_str()) {
            return Err(FrameError::NoColumn {
                path: path.to_owned(),
                role,
                name: name.clone(),
                nearest: nearest(name, names.iter().map(String::as_str)).map(str::to_owned),
                columns: names.to_vec(),
                header: options.header
                    && matches!(format(path, options), Ok(Format::Csv | Format::Tsv)),
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
