//! Arguments that say how a data file is read, and which task is made of it.

use clap::{Args, ValueEnum};
use counterweight::Error;
use counterweight_core::{Contrast, Dataset, Dates, Encoding, Format as FileFormat, ReadOptions};

/// The two-class task that is made of the file's classes, as the keys of a `[[dataset]]`.
#[derive(Debug, Args)]
pub(crate) struct ContrastArgs {
    /// Class that stands against all others, or those of --negative (may be repeated)
    #[arg(long, value_name = "CLASS")]
    positive: Vec<String>,
    /// Class that the positive ones stand against; rows of the others are left out (may be repeated)
    #[arg(long, value_name = "CLASS", requires = "positive")]
    negative: Vec<String>,
}

impl ContrastArgs {
    /// The data or the task made of them, and the rows of the file that it has where some are left out.
    pub(crate) fn apply(&self, data: Dataset) -> Result<(Dataset, Option<Vec<usize>>), Error> {
        let Some(contrast) = self.asked() else {
            return Ok((data, None));
        };
        contrast.apply(data).map_err(|error| match error.hint {
            Some(hint) => Error::usage(error.message).hint(hint),
            None => Error::usage(error.message),
        })
    }

    /// What the flags ask for.
    pub(crate) fn asked(&self) -> Option<Contrast> {
        (!self.positive.is_empty()).then(|| Contrast::Classes {
            positive: self.positive.clone(),
            negative: self.negative.clone(),
        })
    }
}

/// How a data file is read, as the keys of a `[[dataset]]`.
#[derive(Debug, Args)]
pub(crate) struct ReadArgs {
    /// The kind of file (default: by the extension)
    #[arg(long, value_name = "KIND", value_parser = kind, help = format!("The kind of file, one of {} (default: by the extension)", FileFormat::ALL.map(FileFormat::id).join(", ")))]
    pub(crate) read_as: Option<FileFormat>,
    /// Spelling of a missing value beside the empty cell (may be repeated)
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) missing: Vec<String>,
    /// Column to leave out (may be repeated)
    #[arg(long, value_name = "COL")]
    pub(crate) ignore: Vec<String>,
    #[arg(long, value_name = "CHAR", value_parser = separator, help = of("separator", "The character between cells, or `tab` (default: by the extension)"))]
    pub(crate) separator: Option<u8>,
    #[arg(long, value_name = "CHAR", default_value = ".", value_parser = decimal, help = of("decimal", "What stands before the decimals, `.` or `,`"))]
    pub(crate) decimal: Comma,
    #[arg(long, value_name = "CHAR", default_value = "\"", value_parser = quote, help = of("quote", "The character around cells that hold separators or line breaks, or `none`"))]
    pub(crate) quote: Quote,
    #[arg(long, value_name = "true|false", default_value_t = true, action = clap::ArgAction::Set, help = of("header", "Whether the first line names the columns; else they are c1, c2, .."))]
    pub(crate) header: bool,
    #[arg(long, value_name = "NAME", default_value = "utf-8", hide_default_value = true, value_parser = encoding, help = of("encoding", "How bytes are letters: utf-8, latin1 (windows-1252), utf-16le or utf-16be (default: utf-8, or utf-16 by its mark)"))]
    pub(crate) encoding: Encoding,
    /// Column that holds names, whatever they look like (may be repeated)
    #[arg(long, value_name = "COL")]
    pub(crate) nominal: Vec<String>,
    /// Column that holds numbers (may be repeated)
    #[arg(long, value_name = "COL")]
    pub(crate) numeric: Vec<String>,
    #[arg(long, value_enum, value_name = "HOW", help = of("date", "What becomes of columns of dates: left out, or days since 1970-01-01 (default: names)"))]
    pub(crate) date: Option<DateArg>,
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=1), help = of("first_index", "The lowest index, 0 or 1 (default: 0 where an index is 0)"))]
    pub(crate) first_index: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DateArg {
    Drop,
    Number,
}

/// Whether a comma is the decimal point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Comma(bool);

/// What stands around cells, if anything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quote(Option<u8>);

fn kind(text: &str) -> Result<FileFormat, String> {
    let known = || {
        format!(
            "give one of {}",
            FileFormat::ALL.map(FileFormat::id).join(", ")
        )
    };
    FileFormat::from_id(text).ok_or_else(known)
}

fn decimal(text: &str) -> Result<Comma, String> {
    let comma = ReadOptions::decimal_comma(text);
    comma.map(Comma).ok_or_else(|| "give '.' or ','".to_owned())
}

fn quote(text: &str) -> Result<Quote, String> {
    let quote = ReadOptions::quote_named(text).map(Quote);
    quote.ok_or_else(|| "give one character, such as '\"', or none".to_owned())
}

fn encoding(text: &str) -> Result<Encoding, String> {
    let known = || {
        format!(
            "give one of {}",
            Encoding::NAMES.map(|(name, _)| name).join(", ")
        )
    };
    Encoding::from_name(text).ok_or_else(known)
}

impl ReadArgs {
    pub(crate) fn options(&self, target: &str) -> ReadOptions {
        ReadOptions {
            target: target.to_owned(),
            read_as: self.read_as,
            missing: self.missing.clone(),
            separator: self.separator,
            comma: self.decimal.0,
            quote: self.quote.0,
            header: self.header,
            encoding: self.encoding,
            ignore: self.ignore.clone(),
            nominal: self.nominal.clone(),
            numeric: self.numeric.clone(),
            group: None,
            weight: None,
            date: match self.date {
                None => Dates::Names,
                Some(DateArg::Drop) => Dates::Drop,
                Some(DateArg::Number) => Dates::Number,
            },
            first_index: self.first_index.map(usize::from),
            folds: None,
        }
    }
}

/// What a key does, and which kinds of files take it.
fn of(key: &str, what: &str) -> String {
    format!("{what}; for {}", FileFormat::ids(FileFormat::taking(key)))
}

pub(crate) fn data_file() -> String {
    format!("A data file ({})", FileFormat::readable())
}

fn separator(text: &str) -> Result<u8, String> {
    let byte = ReadOptions::separator_named(text);
    byte.ok_or_else(|| "give one character, such as ';', or tab".to_owned())
}
