//! A sweep file to start from, for a data file or as an example.

use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

use counterweight_core::{Contrast, Dates, Encoding, ReadOptions};
use counterweight_frame::{describe_counted, read_counted};
use serde_json::json;

use crate::{CATALOGUE, Error, Result};

/// The data file that a sweep is to be written for.
#[derive(Debug)]
pub struct InitOptions<'a> {
    /// The file.
    pub file: &'a Path,
    /// The folder that the sweep file is to stand in, to which its paths are relative.
    pub folder: &'a Path,
    /// How the file is read.
    pub reading: ReadOptions,
    /// The two-class task that is made of its classes.
    pub contrast: Option<Contrast>,
}

/// Rows beyond which a first look takes a part of them.
const MANY_ROWS: usize = 20_000;

/// A commented sweep file that needs no data file.
pub fn example_sweep() -> &'static str {
    include_str!("example.toml")
}

/// The name of a file as an id: without its kind, `_` for whatever an id cannot hold.
pub fn id_of(file: &Path) -> String {
    let name = file
        .file_name()
        .map_or("data".into(), |name| name.to_string_lossy());
    let stem = name
        .split('.')
        .find(|part| !part.is_empty())
        .unwrap_or("data");
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || "-_".contains(c) {
            c
        } else {
            '_'
        }
    };
    stem.chars().map(plain).collect()
}

/// A commented sweep file for a data file: read as `data inspect` reads it, with folds that its smallest class
/// allows, and models and corrections for a first look. What it says is checked as `run` checks it.
///
/// # Errors
/// Whatever cannot be read, or cannot be made a task of two classes.
pub fn init(options: &InitOptions<'_>) -> Result<String> {
    let (file, reading) = (options.file, &options.reading);
    let (data, wholes) = read_counted(file, reading)?;
    let data = match &reading.group {
        Some(column) => data
            .grouped_by(column)
            .map_err(|error| Error::usage(error.to_string()))?,
        None => data,
    };
    let data = match &reading.weight {
        Some(column) => {
            let weighted = data.weighted_by(column);
            weighted.map_err(|error| Error::usage(error.to_string()))?.0
        }
        None => data,
    };
    let data = match &options.contrast {
        Some(contrast) => {
            let task = contrast.apply(data);
            let refused = |error: counterweight_core::ContrastError| Error {
                hint: error.hint,
                ..Error::usage(error.message)
            };
            task.map_err(refused)?.0
        }
        None => data,
    };
    let about = describe_counted(&data, &wholes);
    let labels = data.labels();
    let counts = labels.counts();
    let smallest = counts.as_slice().iter().copied().min().unwrap_or(0);
    if labels.n_classes() < 2 || smallest < 2 {
        let message = format!(
            "{}: a split needs two rows of each of two classes",
            file.display()
        );
        return Err(Error::usage(message).hint(
            "take the rows of smaller classes out, or join classes with `--positive CLASS`",
        ));
    }
    let folds = smallest.min(5);
    // Of the rows that a fold leaves.
    let inner = (smallest * (folds - 1) / folds).clamp(2, 5);

    let name = id_of(file);
    let run = options.folder.display();
    let mut text = format!(
        "# Which correction helps on {}?\n#\n",
        one_line(&file.display().to_string())
    );
    let mut line = |words: std::fmt::Arguments<'_>| writeln!(text, "{words}").expect("text");
    line(format_args!(
        "#   counterweight run {}",
        one_line(&run.to_string())
    ));
    line(format_args!(
        "#   counterweight list models     what `kind` may be; also: corrections, presets, datasets"
    ));
    line(format_args!(
        "#   counterweight schema          the schema of this file, for editors\n#"
    ));
    line(format_args!(
        "# {} rows, {} numeric and {} nominal columns, {} missing cells",
        about.rows, about.numeric, about.nominal, about.missing_cells
    ));
    let classes = labels.names().iter().zip(counts.as_slice());
    let classes: Vec<String> = classes
        .map(|(name, rows)| format!("{name} {rows}"))
        .take(20)
        .collect();
    line(format_args!(
        "# rows by class: {}",
        one_line(&classes.join(", "))
    ));
    for warning in &about.warnings {
        line(format_args!("# beware: {}", one_line(warning)));
    }
    line(format_args!(
        "format = 1\nname = {}\nseed = 7\n\n[protocol]",
        json!(name)
    ));
    line(format_args!(
        "folds = {folds}               # stratified; or `test = 0.3` for one hold-out"
    ));
    line(format_args!(
        "repeats = 2             # more splits, narrower intervals"
    ));
    line(format_args!(
        "inner_folds = {inner}         # folds in which tuned thresholds and calibration are fitted"
    ));
    line(format_args!(
        "# timeout = \"10m\"       # a cell\n\n[[dataset]]"
    ));
    line(format_args!(
        "path = {}",
        json!(relative(file, options.folder)?)
    ));
    for (key, value) in keys(reading, options.contrast.as_ref()) {
        line(format_args!("{key} = {value}"));
    }
    if about.rows > MANY_ROWS {
        line(format_args!(
            "max_rows = {MANY_ROWS}        # for a first look; take it out for all {}",
            about.rows
        ));
    }
    line(format_args!(
        "# ignore = [\"id\"]       # columns that are no features"
    ));
    line(format_args!(
        "# imbalance_ratio = [\"natural\", 50]   # thin the rarer classes as well"
    ));
    text.push_str(METHODS);

    let sweep = options.folder.join("sweep.toml");
    counterweight_harness::config::parse(&sweep, &text, &CATALOGUE).map_err(|rejected| {
        let errors = rejected.errors.iter().map(ToString::to_string);
        Error::usage(errors.collect::<Vec<_>>().join("\n"))
    })?;
    Ok(text)
}

const METHODS: &str = "
[[model]]
kind = \"softmax-regression\"
# l2 = [0.1, 1.0, 10.0]   # a list is a grid
# select = \"log-loss\"     # the best of the grid, chosen inside each training set

[[model]]
kind = \"random-forest\"
trees = 100

[[model]]
kind = \"gradient-boosting\"
rounds = 100

# No correction, weights, resampling, margins and thresholds; `list presets` shows what this stands for.
[[correction]]
preset = \"families\"

# Probabilities put right first, then the rule of the prior.
[[correction]]
id = \"temperature+prior\"
decide = { kind = \"calibrated\", by = \"temperature\", then = \"prior-threshold\" }
";

/// The keys of a `[[dataset]]` that say how the file is read, where that is not what happens anyway.
pub(crate) fn keys(
    reading: &ReadOptions,
    contrast: Option<&Contrast>,
) -> Vec<(&'static str, serde_json::Value)> {
    let mut keys = vec![("target", json!(reading.target))];
    let mut add =
        |key, value: Option<serde_json::Value>| keys.extend(value.map(|value| (key, value)));
    add("read_as", reading.read_as.map(|format| json!(format.id())));
    let byte = |byte: u8| json!(char::from(byte).to_string());
    add(
        "separator",
        reading
            .separator
            .map(|b| if b == b'\t' { json!("tab") } else { byte(b) }),
    );
    add("decimal", reading.comma.then(|| json!(",")));
    let quote = reading.quote.map_or_else(|| json!("none"), byte);
    add("quote", (reading.quote != Some(b'"')).then_some(quote));
    add("header", (!reading.header).then_some(json!(false)));
    let encoding = Encoding::NAMES
        .iter()
        .find(|(_, encoding)| *encoding == reading.encoding);
    let encoding = encoding.filter(|(_, encoding)| *encoding != Encoding::default());
    add("encoding", encoding.map(|(name, _)| json!(name)));
    add(
        "date",
        match reading.date {
            Dates::Names => None,
            Dates::Drop => Some(json!("drop")),
            Dates::Number => Some(json!("number")),
        },
    );
    add("first_index", reading.first_index.map(|index| json!(index)));
    for (key, names) in [
        ("missing", &reading.missing),
        ("ignore", &reading.ignore),
        ("nominal", &reading.nominal),
        ("numeric", &reading.numeric),
    ] {
        add(key, (!names.is_empty()).then(|| json!(names)));
    }
    add("group", reading.group.as_ref().map(|column| json!(column)));
    add(
        "weight",
        reading.weight.as_ref().map(|column| json!(column)),
    );
    if let Some(Contrast::Classes { positive, negative }) = contrast {
        add("positive", Some(json!(positive)));
        add("negative", (!negative.is_empty()).then(|| json!(negative)));
    }
    keys
}

/// The way from `folder` to `file`, or the whole path where they have no more in common than the root.
fn relative(file: &Path, folder: &Path) -> Result<String> {
    let whole = |path: &Path| {
        let path = std::path::absolute(path);
        path.map_err(|error| Error::internal(error.to_string()))
    };
    let (file, folder) = (whole(file)?, whole(folder)?);
    let common = file
        .components()
        .zip(folder.components())
        .take_while(|(a, b)| a == b)
        .count();
    let plain = !folder.components().any(|part| part == Component::ParentDir);
    let path: PathBuf = if common > 1 && plain {
        let up = folder
            .components()
            .skip(common)
            .map(|_| Component::ParentDir);
        up.chain(file.components().skip(common)).collect()
    } else {
        file
    };
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| Error::usage(format!("{}: the path is no text", path.display())))
}

/// A text that breaks no comment.
fn one_line(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(plain).collect()
}
