//! What can be wrong with a file, with the place and what to try.

use std::fmt::{self, Write as _};
use std::path::PathBuf;

use counterweight_core::{CoreError, Format};
use thiserror::Error;

/// Where in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A line of a text file, counted from 1; the header is line 1. For a cell with line breaks
    /// inside quotes it is the line on which its row begins.
    Line(u64),
    /// A row of a binary file, counted from 0.
    Row(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row(row) => write!(f, "row {row}"),
        }
    }
}

/// Why a file could not be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The operating system refused.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A folder, a pipe or a device where a file should be: what has no end must not be read.
    #[error("{}: not a regular file", path.display())]
    NotAFile {
        /// What was given.
        path: PathBuf,
    },
    /// The extension names no format that can be read or written.
    #[error("{}: unknown file format `{extension}`", path.display())]
    Extension {
        /// The file.
        path: PathBuf,
        /// Its extension, possibly empty.
        extension: String,
        /// The extensions that would do.
        supported: String,
    },
    /// A key of the options that this kind of file does not take.
    #[error("{}: `{key}` says nothing of a file of kind {}: it is for {}", path.display(), format.id(), Format::ids(Format::taking(key)))]
    Key {
        /// The file.
        path: PathBuf,
        /// One of [`Format::KEYS`].
        key: &'static str,
        /// The kind of the file.
        format: Format,
    },
    /// The first bytes are those of another kind of file.
    #[error("{}: these are the bytes of {}", path.display(), bytes.words().0)]
    OtherBytes {
        /// The file.
        path: PathBuf,
        /// What they are.
        bytes: OtherBytes,
    },
    /// A separator that cannot separate.
    #[error("{}: byte {separator:#04x} cannot separate cells", path.display())]
    Separator {
        /// The file.
        path: PathBuf,
        /// The byte.
        separator: u8,
    },
    /// Bytes that are not UTF-8 text.
    #[error("{}: line {line}: not UTF-8 text", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Line of the first bad byte.
        line: u64,
        /// Whether it is a table of results, which has no options.
        results: bool,
    },
    /// A packed file that cannot be unpacked, or becomes too large.
    #[error("{}: cannot unpack: {reason}", path.display())]
    Unpack {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// What stands at a place of a text file is not what may stand there.
    #[error("{}: line {line}, character {character}: {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Its line, from 1.
        line: u64,
        /// The character of the line, from 1.
        character: u64,
        /// What is wrong.
        reason: String,
    },
    /// What stands at a place of a binary file is not what may stand there.
    #[error("{}: byte {offset}: {reason}", path.display())]
    Bytes {
        /// The file.
        path: PathBuf,
        /// The byte, from 0.
        offset: usize,
        /// What is wrong.
        reason: String,
        /// The array of an archive that it stands in.
        array: Option<String>,
    },
    /// More cells than are taken.
    #[error("{}: {rows} rows of {columns} columns are more than {most} cells (a column counts as 32 rows more), the limit for a text of its size", path.display())]
    TooWide {
        /// The file.
        path: PathBuf,
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
        /// Most cells.
        most: usize,
    },
    /// Rows that are divided in a way that cannot be.
    #[error("{}: {}{reason}", path.display(), place.map(|place| format!("{place}: ")).unwrap_or_default())]
    Split {
        /// The file.
        path: PathBuf,
        /// Where, if it is one place.
        place: Option<Place>,
        /// What is wrong.
        reason: String,
        /// What to try.
        hint: String,
    },
    /// Nothing in the file.
    #[error("{}: the file is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A header and nothing else.
    #[error("{}: no data rows", path.display())]
    NoRows {
        /// The file.
        path: PathBuf,
    },
    /// A row with more or fewer cells than the header.
    #[error("{}: line {line}: expected {expected} cells as in the header, found {found}", path.display())]
    Ragged {
        /// The file.
        path: PathBuf,
        /// The row's first line.
        line: u64,
        /// Cells of the header.
        expected: usize,
        /// Cells of the row.
        found: usize,
    },
    /// A quoted cell that the file ends in.
    #[error("{}: line {line}, cell {cell}: a quote opens here and is never closed", path.display())]
    UnclosedQuote {
        /// The file.
        path: PathBuf,
        /// The line of the opening quote.
        line: u64,
        /// Which cell of its row, from 1.
        cell: usize,
    },
    /// Text between a closing quote and the next separator.
    #[error("{}: line {line}, cell {cell}: {found:?} after a closing quote", path.display())]
    AfterQuote {
        /// The file.
        path: PathBuf,
        /// The line of the closing quote.
        line: u64,
        /// Which cell of its row, from 1.
        cell: usize,
        /// The first character after the quote.
        found: char,
    },
    /// Two columns of one name.
    #[error("{}: column `{name}` appears twice (positions {first} and {second})", path.display())]
    DuplicateColumn {
        /// The file.
        path: PathBuf,
        /// The name.
        name: String,
        /// Position from 1 of the first.
        first: usize,
        /// Position from 1 of the second.
        second: usize,
    },
    /// A column without a name, or with the name that pandas gives a nameless index: most often a
    /// row number, which must not become a feature unasked.
    #[error("{}: column {position} has no name{}", path.display(), given(name))]
    UnnamedColumn {
        /// The file.
        path: PathBuf,
        /// Position from 1.
        position: usize,
        /// Empty, or what stands for a name.
        name: String,
    },
    /// A column that the caller named is not there.
    #[error("{}: no {role} column `{name}` among {}", path.display(), listed(columns))]
    NoColumn {
        /// The file.
        path: PathBuf,
        /// What the column was wanted for: `target`, `ignored`, `nominal`, `numeric`, `group` or `weight`.
        role: &'static str,
        /// The name.
        name: String,
        /// The nearest column, when one is near.
        nearest: Option<String>,
        /// All columns.
        columns: Vec<String>,
        /// Whether their names are the first line of a text.
        header: bool,
    },
    /// A column of one role is listed among the columns to ignore.
    #[error("{}: {role} column `{name}` is also ignored", path.display())]
    Ignored {
        /// The file.
        path: PathBuf,
        /// What it is for: `target`, `group`, `weight` or `fold`.
        role: &'static str,
        /// The column.
        name: String,
    },
    /// A column has two roles.
    #[error("{}: column `{name}` is both the {} and the {} column", path.display(), roles[0], roles[1])]
    TwoRoles {
        /// The file.
        path: PathBuf,
        /// Two of `target`, `group`, `weight` and `fold`.
        roles: [&'static str; 2],
        /// The column.
        name: String,
    },
    /// Nothing beside the target.
    #[error("{}: no feature column beside the target `{target}`", path.display())]
    NoFeatures {
        /// The file.
        path: PathBuf,
        /// The target.
        target: String,
    },
    /// Rows without a label.
    #[error("{}: {place}: missing value in the target column `{target}`{}", path.display(), more(*rows))]
    MissingLabel {
        /// The file.
        path: PathBuf,
        /// The first such row.
        place: Place,
        /// The target.
        target: String,
        /// Number of such rows.
        rows: u64,
    },
    /// A row that says not which rows it belongs to, or what it weighs.
    #[error("{}: {place}: missing value in the {role} column `{column}`", path.display())]
    MissingRole {
        /// The file.
        path: PathBuf,
        /// The first such row.
        place: Place,
        /// What the column is for: `group` or `weight`.
        role: &'static str,
        /// The column.
        column: String,
    },
    /// A number that is no weight of a row.
    #[error("{}: {place}, column `{column}`: `{found}` is no weight", path.display())]
    NoWeight {
        /// The file.
        path: PathBuf,
        /// The first such cell.
        place: Place,
        /// Its column.
        column: String,
        /// The number.
        found: String,
    },
    /// All rows of one class.
    #[error("{}: target column `{target}` has one class only, `{class}`", path.display())]
    OneClass {
        /// The file.
        path: PathBuf,
        /// The target.
        target: String,
        /// The class.
        class: String,
    },
    /// NaN, an infinity, or a number too large for 64 bits among numbers.
    #[error("{}: {place}, column `{column}`: `{found}` is not a finite number", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The first such cell.
        place: Place,
        /// Its column.
        column: String,
        /// Its text.
        found: String,
    },
    /// A text in a column of numbers: a spelling of missing that nobody knows, a typo, or a name.
    #[error(
        "{}: {place}, column `{column}`: `{found}` is no {}, and {numbers} of {cells} cells are",
        path.display(), if *date { "date" } else { "number" }
    )]
    Mixed {
        /// The file.
        path: PathBuf,
        /// The first such cell.
        place: Place,
        /// Its column.
        column: String,
        /// Its text.
        found: String,
        /// Whether the other cells are dates, and not numbers.
        date: bool,
        /// Cells of the column that are such.
        numbers: usize,
        /// Cells that are not empty.
        cells: usize,
        /// Whether it is a number once its comma is a decimal point.
        decimal: bool,
    },
    /// A date, where days are asked for, of a form that is not read.
    #[error("{}: {place}, column `{column}`: `{found}` is a date in a form that is not read: {}", path.display(), if *short { "its year has two digits" } else { "nothing in the column tells the day from the month" })]
    UnreadDate {
        /// The file.
        path: PathBuf,
        /// The first such cell.
        place: Place,
        /// Its column.
        column: String,
        /// Its text.
        found: String,
        /// Whether the year has two digits; else day and month cannot be told apart.
        short: bool,
    },
    /// A column that is declared to be two things.
    #[error("{}: column `{column}` is listed as nominal and as numeric", path.display())]
    TwoKinds {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// A target with so many fractions that it is a quantity, or with a class for each row.
    #[error("{}: target column `{target}` has {classes} classes in {rows} rows{}", path.display(), if *reals { ", most of them fractions" } else { "" })]
    RealTarget {
        /// The file.
        path: PathBuf,
        /// The target.
        target: String,
        /// Its distinct values.
        classes: usize,
        /// Rows.
        rows: usize,
        /// Whether they are fractions.
        reals: bool,
    },
    /// Test labels that no training row has.
    #[error(
        "{}: the labels are those of {} in other spellings: {} against {}",
        test.display(), train.display(), listed(test_labels), listed(train_labels)
    )]
    PairLabels {
        /// The training file.
        train: PathBuf,
        /// The test file.
        test: PathBuf,
        /// The classes of the training rows.
        train_labels: Vec<String>,
        /// The classes of the test rows.
        test_labels: Vec<String>,
    },
    /// A column of dates of which nobody said what becomes of them.
    #[error("{}: column `{column}` holds dates, which are neither numeric nor nominal", path.display())]
    Dates {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// A column type that is neither numbers nor names.
    #[error("{}: column `{column}` has type {dtype}, which is neither numeric nor nominal", path.display())]
    ColumnType {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Its type in the file.
        dtype: String,
    },
    /// A training and a test file that do not belong together.
    #[error("{} and {}: {reason}", train.display(), test.display())]
    Pair {
        /// The training file.
        train: PathBuf,
        /// The test file.
        test: PathBuf,
        /// What differs.
        reason: String,
    },
    /// Polars could not read or write the file.
    #[error("{}: cannot {action}: {source}", path.display())]
    Polars {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Its answer.
        source: Box<polars::error::PolarsError>,
    },
    /// Polars gave up in a panic, as it does on some damaged files.
    #[error("{}: cannot read: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What polars said.
        reason: String,
    },
    /// A value that a table or dataset cannot hold.
    #[error("{}: {source}", path.display())]
    Core {
        /// The file.
        path: PathBuf,
        /// The broken rule.
        source: CoreError,
    },
    /// No folder with an index of datasets.
    #[error("no `datasets` folder with an index.json in {}", listed_paths(tried))]
    NoLibrary {
        /// Where it was looked for, in order.
        tried: Vec<PathBuf>,
    },
    /// An index that cannot be understood.
    #[error("{}: {reason}", path.display())]
    Index {
        /// The index.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A name that the library does not have.
    #[error("no dataset `{name}` in {}", listed_paths(folders))]
    UnknownDataset {
        /// The name.
        name: String,
        /// The nearest name, when one is near.
        nearest: Option<String>,
        /// The folders of the library.
        folders: Vec<PathBuf>,
    },
    /// Values that are not the ones of the index.
    #[error("{}: the values have hash {found}, the index says {expected}", path.display())]
    Hash {
        /// The file.
        path: PathBuf,
        /// Hash in the index.
        expected: String,
        /// Hash of the values in the file.
        found: String,
    },
}

/// What a file that should be text may be instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherBytes {
    /// Packed by gzip.
    Gzip,
    /// Packed by zstd.
    Zstd,
    /// An archive, or a spreadsheet.
    Zip,
    /// A spreadsheet of before 2007.
    Excel,
    /// Parquet.
    Parquet,
    /// An array of NumPy.
    Npy,
    /// UTF-16 without a mark, the lower byte first.
    Utf16Le,
    /// UTF-16 without a mark, the higher byte first.
    Utf16Be,
}

impl OtherBytes {
    /// What it is called, and the value of `encoding` or `read_as` that reads it.
    pub(crate) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Gzip => ("a file packed by gzip", "gz"),
            Self::Zstd => ("a file packed by zstd", "zst"),
            Self::Zip => ("a zip archive, or of a spreadsheet (.xlsx, .ods)", ""),
            Self::Excel => ("a spreadsheet (.xls)", ""),
            Self::Parquet => ("a Parquet file", "parquet"),
            Self::Npy => ("an array of NumPy", "npy"),
            Self::Utf16Le => ("UTF-16 text without a byte order mark", "utf-16le"),
            Self::Utf16Be => ("UTF-16 text without a byte order mark", "utf-16be"),
        }
    }
}

impl FrameError {
    /// The key of a `[[dataset]]` that is wrong, where it is one.
    pub fn key(&self) -> Option<&'static str> {
        match self {
            Self::Key { key, .. } => Some(key),
            Self::NoColumn { role, .. } | Self::Ignored { role, .. } => Some(match *role {
                "ignored" => "ignore",
                "fold" => "folds",
                other => other,
            }),
            Self::OneClass { .. } | Self::RealTarget { .. } => Some("target"),
            Self::TwoKinds { .. } => Some("nominal"),
            Self::Separator { .. } => Some("separator"),
            _ => None,
        }
    }
}

/// The first names in backquotes; a wide table must not flood the screen.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut text = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        // Writing into a String cannot fail.
        let _ = write!(text, " and {} more", names.len() - SHOWN);
    }
    text
}

fn listed_paths(paths: &[PathBuf]) -> String {
    let texts: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
    texts.join(", ")
}

fn given(name: &str) -> String {
    if name.is_empty() {
        String::new()
    } else {
        format!(" of its own (`{name}`)")
    }
}

fn more(rows: u64) -> String {
    match rows.saturating_sub(1) {
        0 => String::new(),
        1 => " (and in 1 more row)".into(),
        n => format!(" (and in {n} more rows)"),
    }
}
