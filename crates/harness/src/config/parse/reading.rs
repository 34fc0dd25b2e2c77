//! The keys of a `[[dataset]]` that say how its file is read and split.

use std::path::Path;

use counterweight_config::{Fields, Section};
use counterweight_core::{Dates, Encoding, Format, ReadOptions};

use crate::config::sweep::Source;

/// The keys of files, which no dataset of the library takes.
const KEYS: [&str; 14] = [
    "read_as",
    "missing",
    "ignore",
    "separator",
    "decimal",
    "quote",
    "header",
    "encoding",
    "nominal",
    "numeric",
    "date",
    "first_index",
    "folds",
    "splits",
];

/// The name of a file, without what says its kind: `d` of `d.csv.gz`.
pub(super) fn stem(path: &Path) -> Option<String> {
    let packed = path.extension().is_some_and(|e| e == "gz" || e == "zst");
    let path = if packed {
        Path::new(path.file_stem()?)
    } else {
        path
    };
    Some(path.file_stem()?.to_string_lossy().into_owned())
}

/// A key whose text is read by `read`, or is an error with what it may be.
fn of_text<T>(
    s: &mut Section<'_, '_>,
    key: &'static str,
    read: impl Fn(&str) -> Option<T>,
    (what, hint): (&str, &str),
) -> Option<T> {
    let text = s.text(key)?;
    let found = read(&text);
    if found.is_none() {
        s.error(key, format!("`{text}` {what}"), Some(hint.to_owned()));
    }
    found
}

pub(super) fn read_reading(target: Option<&str>, s: &mut Section<'_, '_>) -> ReadOptions {
    let mut options = ReadOptions::target(target.unwrap_or_default());
    let formats = Format::ALL.map(Format::id);
    options.read_as = s
        .choice("read_as", &formats)
        .and_then(|id| Format::from_id(&id));
    options.missing = s.texts("missing").unwrap_or_default();
    options.ignore = s.texts("ignore").unwrap_or_default();
    options.nominal = s.texts("nominal").unwrap_or_default();
    options.numeric = s.texts("numeric").unwrap_or_default();
    let says = ("is no decimal point", "give \".\" or \",\"");
    options.comma = of_text(s, "decimal", ReadOptions::decimal_comma, says) == Some(true);
    let says = (
        "separates no cells",
        "one character such as \";\", or \"tab\"",
    );
    options.separator = of_text(s, "separator", ReadOptions::separator_named, says);
    let says = (
        "quotes no cells",
        "one character such as \"'\", or \"none\"",
    );
    if let Some(quote) = of_text(s, "quote", ReadOptions::quote_named, says) {
        options.quote = quote;
    }
    options.header = s.flag("header").unwrap_or(true);
    let names = Encoding::NAMES.map(|(name, _)| name).join(", ");
    let says = (
        "is no encoding that can be read",
        &*format!("give one of {names}"),
    );
    if let Some(encoding) = of_text(s, "encoding", Encoding::from_name, says) {
        options.encoding = encoding;
    }
    options.date = match s.choice("date", &["drop", "number"]).as_deref() {
        Some("drop") => Dates::Drop,
        Some(_) => Dates::Number,
        None => Dates::Names,
    };
    options.first_index = s.whole("first_index", 0);
    if options.first_index.is_some_and(|first| first > 1) {
        s.error("first_index", "must be 0 or 1", None);
    }
    options.folds = s.text("folds");
    options
}

/// The library says itself how its files are read, and rows are divided once.
pub(super) fn check_reading(source: &Source, fields: &Fields, s: &mut Section<'_, '_>) {
    let given = |key: &&&str| fields.contains_key(**key);
    if matches!(source, Source::Library { .. }) {
        for key in KEYS.iter().filter(|key| given(key)) {
            let hint = "take it out, or give a file of your own by `path`";
            s.error(
                key,
                "the dataset is read as the library keeps it",
                Some(hint.into()),
            );
        }
        return;
    }
    let divided: Vec<&str> = ["folds", "splits"]
        .into_iter()
        .filter(|key| given(&key))
        .collect();
    let pair = matches!(source, Source::Pair { .. });
    let Some(&key) = divided.first().or(pair.then_some(&"train")) else {
        return;
    };
    if divided.len() + usize::from(pair) > 1 {
        let hint = "keep one of `folds`, `splits`, and `train` with `test`";
        s.error(key, "the rows are divided twice", Some(hint.into()));
    } else if fields.contains_key("max_rows") {
        let hint = "take out `max_rows`, or what divides the rows";
        s.error(
            "max_rows",
            "a given split keeps its rows",
            Some(hint.into()),
        );
    }
}
