//! What to try against each [`FrameError`], in the words of a sweep file or of a command line.

use counterweight_core::Format;

use crate::error::{FrameError, OtherBytes};
use crate::raw::{Number, number};

impl FrameError {
    /// What to try, when there is something to try, in the words of a sweep file.
    pub fn hint(&self) -> Option<String> {
        self.hint_in(|key, value| match key {
            "separator" | "decimal" | "encoding" | "date" | "read_as" => {
                format!("{key} = {value:?}")
            }
            "header" => format!("{key} = {value}"),
            _ => format!("{key} = [{value:?}]"),
        })
    }

    /// As [`FrameError::hint`], in the words of a command line.
    pub fn flag_hint(&self) -> Option<String> {
        self.hint_in(|key, value| format!("--{} '{value}'", key.replace('_', "-")))
    }

    fn hint_in(&self, set: impl Fn(&str, &str) -> String) -> Option<String> {
        let hint = match self {
            Self::Io { .. }
            | Self::Core { .. }
            | Self::Unpack { .. }
            | Self::Syntax { .. }
            | Self::Bytes { array: None, .. }
            | Self::TooWide { .. }
            | Self::TwoRoles { .. } => return None,
            Self::NotAFile { .. } => "write the rows into a file first".into(),
            // Results, which are written and read back, have a kind by their name alone.
            Self::Extension { supported, .. } if *supported == Format::readable() => {
                let set = set("read_as", Format::Csv.id());
                format!("say what it is, such as {set}; extensions that say it: {supported}")
            }
            Self::Extension { supported, .. } => format!("files of these kinds work: {supported}"),
            Self::Key { key, .. } => {
                let kinds: Vec<&str> = Format::taking(key).iter().map(|kind| kind.id()).collect();
                format!(
                    "take it out; or if the file is of such a kind, say so: {}",
                    set("read_as", kinds[0])
                )
            }
            Self::OtherBytes { path, bytes } => match (bytes, bytes.words().1) {
                (OtherBytes::Gzip | OtherBytes::Zstd, packed) => {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    format!("call it {name}.{packed}, and it is unpacked while it is read")
                }
                (OtherBytes::Zip | OtherBytes::Excel, _) => {
                    "unpack it, or save the sheet as CSV".into()
                }
                (OtherBytes::Utf16Le | OtherBytes::Utf16Be, name) => {
                    format!("say so: {}", set("encoding", name))
                }
                (OtherBytes::Parquet | OtherBytes::Npy, kind) => {
                    format!("say so: {}", set("read_as", kind))
                }
            },
            Self::Bytes {
                array: Some(array), ..
            } => format!(
                "leave the array out, if it is no column: {}",
                set("ignore", array)
            ),
            Self::Split { hint, .. } => hint.clone(),
            Self::UnreadDate { column, .. } => format!(
                "write it as 2024-02-29, leave the column out: {}, or take it for names: {}",
                set("ignore", column),
                set("nominal", column)
            ),
            Self::Separator { .. } => "use two ASCII characters that are no line breaks".into(),
            Self::NotUtf8 { results: true, .. } => {
                "save the file as UTF-8, for example with `iconv -f latin1 -t utf8`".into()
            }
            Self::NotUtf8 { .. } => format!(
                "if it is Latin-1 or Windows-1252, say so: {}",
                set("encoding", "latin1")
            ),
            Self::Empty { .. } | Self::NoRows { .. } => {
                "a header line and at least one row are needed".into()
            }
            Self::Ragged { .. } => {
                "a cell that holds the separator or a line break has to stand in double quotes"
                    .into()
            }
            Self::UnclosedQuote { .. } | Self::AfterQuote { .. } => {
                "inside a quoted cell a double quote is written twice".into()
            }
            Self::DuplicateColumn { name, .. } => {
                format!(
                    "rename one of the two, or leave both out: {}",
                    set("ignore", name)
                )
            }
            Self::UnnamedColumn { name, .. } => {
                format!(
                    "name it in the header, or leave it out: {}",
                    set("ignore", name)
                )
            }
            Self::NoColumn {
                nearest,
                columns,
                header,
                ..
            } => return column_hint(nearest.as_deref(), (columns, *header), set),
            Self::Ignored { .. } => "take it out of the ignored columns".into(),
            Self::NoFeatures { .. } => "at least one column has to be a feature".into(),
            Self::MissingLabel { .. } => "drop the rows without a label, or label them".into(),
            Self::MissingRole { role: "weight", .. } => {
                "give every row a weight; one of 0 is left out".into()
            }
            Self::NoWeight { .. } => "a weight is a finite number of at least 0".into(),
            Self::MissingRole { .. } => {
                "give the row a group: a value of its own where it belongs to no other".into()
            }
            Self::OneClass { .. } => "two classes are needed to learn from".into(),
            Self::NotFinite { found, .. } => {
                let set = set("missing", found);
                format!("leave missing cells empty, or list the spelling: {set}")
            }
            Self::Mixed { decimal: true, .. } => {
                format!(
                    "if the comma is a decimal point, say so: {}",
                    set("decimal", ",")
                )
            }
            Self::Mixed { column, found, .. } => format!(
                "if it means a missing value, list it: {}; if the column holds names, say so: {}",
                set("missing", found),
                set("nominal", column)
            ),
            Self::TwoKinds { .. } => "keep one of the two".into(),
            Self::RealTarget { .. } => {
                "a target needs classes with several rows each; cut a quantity into classes first"
                    .into()
            }
            Self::PairLabels { .. } => "write the classes alike in both files".into(),
            Self::ColumnType { column, .. } => format!(
                "convert it to numbers or text, or leave it out: {}",
                set("ignore", column)
            ),
            Self::Dates { .. } => format!("say what becomes of dates: {}", set("date", "number")),
            Self::Pair { .. } => {
                "both files need the same columns with the same meaning; the order is free".into()
            }
            Self::Polars { .. } | Self::Damaged { .. } => {
                "the file may be damaged or not Parquet at all".into()
            }
            Self::NoLibrary { .. } => {
                "set COUNTERWEIGHT_DATASETS to the folder, or give the dataset by `path`".into()
            }
            Self::Index { .. } => "restore datasets/index.json from version control".into(),
            Self::UnknownDataset { nearest, .. } => match nearest {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "`counterweight list datasets` shows the names".into(),
            },
            Self::Hash { .. } => {
                "restore the file from version control; `counterweight data verify` checks all"
                    .into()
            }
        };
        Some(hint)
    }
}

fn column_hint(
    nearest: Option<&str>,
    (columns, header): (&[String], bool),
    set: impl Fn(&str, &str) -> String,
) -> Option<String> {
    let numbers = columns
        .iter()
        .filter(|name| matches!(number(name), Number::Finite(_)));
    if header && 2 * numbers.count() >= columns.len().max(1) {
        return Some(format!(
            "most of these are numbers; if the first line names no columns, say so: {}, which calls them c1, c2, ..",
            set("header", "false")
        ));
    }
    if let Some(nearest) = nearest {
        return Some(format!("did you mean `{nearest}`?"));
    }
    // One column whose name holds a usual separator: the file was cut at the wrong character.
    let [only] = columns else { return None };
    let separator = [';', '\t', '|', ',']
        .into_iter()
        .find(|&c| only.contains(c))?;
    let name = if separator == '\t' {
        "tab".to_owned()
    } else {
        separator.to_string()
    };
    let set = set("separator", &name);
    Some(format!(
        "the header is one cell; if {separator:?} separates cells, say so: {set}"
    ))
}
