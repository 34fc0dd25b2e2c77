//! How the user says that a data file is to be read: the keys of a `[[dataset]]`, the flags of `data inspect`.

use crate::views::Partition;

/// A kind of data file: what help, errors and readers share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Cells separated by commas, or by what `separator` says.
    Csv,
    /// Cells separated by tabs.
    Tsv,
    /// Attribute-Relation File Format of Weka and OpenML, dense or sparse.
    Arff,
    /// A table of the KEEL repository.
    Keel,
    /// `label index:value ...`, as SVMlight and LIBSVM read it.
    Svmlight,
    /// One array of NumPy.
    Npy,
    /// Arrays of NumPy by name.
    Npz,
    /// Parquet.
    Parquet,
}

impl Format {
    /// Every kind, in the order in which help and errors name them.
    pub const ALL: [Self; 8] = [
        Self::Csv,
        Self::Tsv,
        Self::Arff,
        Self::Keel,
        Self::Svmlight,
        Self::Npy,
        Self::Npz,
        Self::Parquet,
    ];

    /// The keys that only some kinds of files take, with these kinds. All take `read_as`, `missing`, `ignore`, `nominal`,
    /// `numeric`, `group` and `folds`.
    pub const KEYS: [(&'static str, &'static [Self]); 7] = [
        ("separator", &[Self::Csv, Self::Tsv]),
        ("decimal", &[Self::Csv, Self::Tsv, Self::Parquet]),
        ("quote", &[Self::Csv, Self::Tsv]),
        ("header", &[Self::Csv, Self::Tsv]),
        (
            "encoding",
            &[Self::Csv, Self::Tsv, Self::Arff, Self::Keel, Self::Svmlight],
        ),
        (
            "date",
            &[
                Self::Csv,
                Self::Tsv,
                Self::Arff,
                Self::Npy,
                Self::Npz,
                Self::Parquet,
            ],
        ),
        ("first_index", &[Self::Svmlight]),
    ];

    /// The kinds that take a key, all of them where it is not one of [`Format::KEYS`].
    pub fn taking(key: &str) -> &'static [Self] {
        let found = Self::KEYS.iter().find(|(known, _)| *known == key);
        found.map_or(&Self::ALL, |(_, formats)| formats)
    }

    /// Their names, as help and errors give them: `csv, tsv`.
    pub fn ids(formats: &[Self]) -> String {
        let ids: Vec<&str> = formats.iter().map(|format| format.id()).collect();
        ids.join(", ")
    }

    /// What `read_as` calls it, and the extensions that say it.
    pub fn names(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Csv => ("csv", &["csv"]),
            Self::Tsv => ("tsv", &["tsv"]),
            Self::Arff => ("arff", &["arff"]),
            Self::Keel => ("keel", &["dat"]),
            Self::Svmlight => ("svmlight", &["svmlight", "libsvm", "svm"]),
            Self::Npy => ("npy", &["npy"]),
            Self::Npz => ("npz", &["npz"]),
            Self::Parquet => ("parquet", &["parquet"]),
        }
    }

    /// What `read_as` calls it.
    pub fn id(self) -> &'static str {
        self.names().0
    }

    /// The kind that `read_as` calls so.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.id() == id)
    }

    /// The kind of files with this extension (in lower case).
    pub fn of_extension(extension: &str) -> Option<Self> {
        let all = Self::ALL.into_iter();
        all.rev()
            .find(|format| format.names().1.contains(&extension))
    }

    /// Whether it is text, which may also come as .gz or .zst.
    pub fn is_text(self) -> bool {
        !matches!(self, Self::Npy | Self::Npz | Self::Parquet)
    }

    /// The extensions of all kinds, as help and errors name them.
    pub fn readable() -> String {
        let known = Self::ALL.iter().flat_map(|format| format.names().1);
        let known: Vec<&str> = known.copied().collect();
        format!("{}; text also as .gz or .zst", known.join(", "))
    }
}

/// The bytes of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Encoding {
    /// UTF-8, or UTF-16 where a byte order mark says so.
    #[default]
    Marked,
    /// Windows-1252, of which Latin-1 is a part.
    Latin1,
    /// UTF-16, the lower byte first.
    Utf16Le,
    /// UTF-16, the higher byte first.
    Utf16Be,
}

impl Encoding {
    /// The names that a key or flag may give, in order.
    pub const NAMES: [(&'static str, Self); 8] = [
        ("utf-8", Self::Marked),
        ("latin1", Self::Latin1),
        ("iso-8859-1", Self::Latin1),
        ("windows-1252", Self::Latin1),
        ("cp1252", Self::Latin1),
        ("utf-16", Self::Utf16Le),
        ("utf-16le", Self::Utf16Le),
        ("utf-16be", Self::Utf16Be),
    ];

    /// The encoding of this name, in any letter case.
    pub fn from_name(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase().replace('_', "-");
        let found = Self::NAMES.iter().find(|(name, _)| *name == lower);
        found.map(|(_, encoding)| *encoding)
    }
}

/// What becomes of columns of dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Dates {
    /// They are names, as they stand there.
    #[default]
    Names,
    /// They are left out, which is remarked.
    Drop,
    /// Days since 1970-01-01, with the time of day as a fraction.
    Number,
}

/// How to read a file.
///
/// | field | default | meaning |
/// |---|---|---|
/// | `target` | `""` | name of the label column |
/// | `read_as` | by extension | the kind of file |
/// | `missing` | none | spellings of missing values beside the empty cell |
/// | `separator` | by kind | the byte between cells: `,` in .csv, tab in .tsv |
/// | `comma` | `false` | whether a comma, and not a point, stands before the decimals |
/// | `quote` | `"` | the byte around cells that hold separators or line breaks; `None` for none |
/// | `header` | `true` | whether the first line names the columns; else they are `c1`, `c2`, ... |
/// | `encoding` | UTF-8, or by mark | how bytes are letters |
/// | `ignore` | none | names of columns to leave out, all that bear the name; `""` for those without one |
/// | `nominal` | none | names of columns that hold names, whatever they look like |
/// | `numeric` | none | names of columns that hold numbers, or else are an error |
/// | `group` | none | name of the column that says which rows belong together: names, none of them missing |
/// | `weight` | none | name of the column that says what each row weighs: numbers of at least 0, none of them missing |
/// | `date` | names | what becomes of columns of dates |
/// | `first_index` | detected | the lowest index of SVMlight, 0 or 1 |
/// | `folds` | none | name of a column that says the fold of each row, which is no feature |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// Name of the label column.
    pub target: String,
    /// The kind of file; `None` chooses by extension.
    pub read_as: Option<Format>,
    /// Spellings of missing values beside the empty cell.
    pub missing: Vec<String>,
    /// The byte between cells; `None` chooses by the kind of file.
    pub separator: Option<u8>,
    /// Whether a comma, and not a point, stands before the decimals.
    pub comma: bool,
    /// The byte around cells that hold separators or line breaks; `None` for none.
    pub quote: Option<u8>,
    /// Whether the first line names the columns; else they are `c1`, `c2`, ...
    pub header: bool,
    /// How bytes are letters.
    pub encoding: Encoding,
    /// Names of columns to leave out.
    pub ignore: Vec<String>,
    /// Names of columns that hold names, whatever they look like.
    pub nominal: Vec<String>,
    /// Names of columns that hold numbers.
    pub numeric: Vec<String>,
    /// Name of the column that says which rows belong together: its values are names, and none is missing.
    pub group: Option<String>,
    /// Name of the column that says what each row weighs: numbers of at least 0, none of them missing.
    pub weight: Option<String>,
    /// What becomes of columns of dates.
    pub date: Dates,
    /// The lowest index of SVMlight, 0 or 1; `None` for what the file shows.
    pub first_index: Option<usize>,
    /// Name of a column that says the fold of each row, which is no feature.
    pub folds: Option<String>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            target: String::new(),
            read_as: None,
            missing: Vec::new(),
            separator: None,
            comma: false,
            quote: Some(b'"'),
            header: true,
            encoding: Encoding::default(),
            ignore: Vec::new(),
            nominal: Vec::new(),
            numeric: Vec::new(),
            group: None,
            weight: None,
            date: Dates::default(),
            first_index: None,
            folds: None,
        }
    }
}

impl ReadOptions {
    /// Options for a file with this target and nothing unusual.
    pub fn target(target: impl Into<String>) -> Self {
        Self {
            target: target.into(),
            ..Self::default()
        }
    }

    /// The first of [`Format::KEYS`] that says something and that files of this kind do not take.
    pub fn refused_by(&self, format: Format) -> Option<&'static str> {
        let plain = Self::default();
        let says = |key: &str| match key {
            "separator" => self.separator.is_some(),
            "decimal" => self.comma,
            "quote" => self.quote != plain.quote,
            "header" => !self.header,
            "encoding" => self.encoding != plain.encoding,
            "date" => self.date != plain.date,
            _ => self.first_index.is_some(),
        };
        let keys = Format::KEYS.into_iter();
        keys.filter(|(key, formats)| says(key) && !formats.contains(&format))
            .map(|(key, _)| key)
            .next()
    }

    /// Whether `missing` lists this text, as it stands or without surrounding blanks.
    pub fn lists(&self, text: &str) -> bool {
        if self.missing.is_empty() {
            return false;
        }
        let bare = text.trim_matches([' ', '\t']);
        self.missing.iter().any(|word| word == text || word == bare)
    }

    /// Whether the decimal point that a `decimal` names is a comma.
    pub fn decimal_comma(text: &str) -> Option<bool> {
        match text {
            "." => Some(false),
            "," => Some(true),
            _ => None,
        }
    }

    /// The byte that a `separator` names: one ASCII character that is neither a double quote nor a line break, or
    /// `tab`.
    pub fn separator_named(text: &str) -> Option<u8> {
        match text.as_bytes() {
            b"tab" | b"\\t" => Some(b'\t'),
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Some(*byte),
            _ => None,
        }
    }

    /// The byte that a `quote` names, one ASCII character; `Some(None)` for the word `none`.
    pub fn quote_named(text: &str) -> Option<Option<u8>> {
        match text.as_bytes() {
            b"none" => Some(None),
            [byte] if byte.is_ascii_punctuation() => Some(Some(*byte)),
            _ => None,
        }
    }
}

/// One division of the rows that someone else has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenSplit {
    /// From 0.
    pub repeat: usize,
    /// From 0.
    pub fold: usize,
    /// The rows, which need not be all.
    pub rows: Partition,
}

impl GivenSplit {
    /// The same division of the rows `kept` (rising), which are counted from 0 anew; others are left out.
    ///
    /// # Errors
    /// [`CoreError::Split`](crate::CoreError::Split) when `kept` lists a row twice.
    pub fn among(&self, kept: &[usize]) -> crate::error::Result<Self> {
        let own = |rows: &[usize]| -> Vec<usize> {
            let found = rows.iter().map(|row| kept.binary_search(row));
            found.filter_map(Result::ok).collect()
        };
        let (train, test) = (own(self.rows.train()), own(self.rows.test()));
        Ok(Self {
            rows: Partition::new(kept.len(), train, test)?,
            ..*self
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_names() {
        let mut extensions: Vec<&str> = Vec::new();
        for format in Format::ALL {
            assert_eq!(Format::from_id(format.id()), Some(format));
            for extension in format.names().1 {
                assert_eq!(Format::of_extension(extension), Some(format));
                assert!(!extensions.contains(extension));
                extensions.push(extension);
            }
        }
        assert_eq!(Format::of_extension("xlsx"), None);
        assert_eq!(Format::ids(Format::taking("header")), "csv, tsv");
        assert_eq!(Format::taking("missing"), Format::ALL);
        assert_eq!(Encoding::from_name("Latin1"), Some(Encoding::Latin1));
        assert_eq!(Encoding::from_name("ebcdic"), None);
    }
}
