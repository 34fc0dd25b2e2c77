//! What to beware of in a dataset: the warnings of `data inspect` and `run`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use counterweight_core::{Column, ColumnValues, Dataset, Labels};

use crate::describe::{Description, Summary, groups_of_classes};
use crate::raw::{Number, number};

/// Classes below this many rows get a warning: the default protocol has 5 folds, and each fold
/// should test on at least two rows of every class.
const FEW_ROWS: usize = 10;

/// What to beware of, one sentence each.
pub(crate) fn warnings(
    dataset: &Dataset,
    summaries: &[Summary],
    description: &Description,
) -> Vec<String> {
    let mut found = Vec::new();
    let labels = dataset.labels();
    let counts = labels.counts();
    let rows = dataset.n_rows();

    let small: Vec<String> = labels
        .names()
        .iter()
        .zip(counts.as_slice())
        .filter(|(_, n)| **n < FEW_ROWS)
        .map(|(name, n)| format!("`{name}` ({n})"))
        .collect();
    if !small.is_empty() {
        found.push(format!(
            "classes with fewer than {FEW_ROWS} rows: {}; `small_class` decides what folds do with \
             them",
            small.join(", ")
        ));
    }
    let lone: Vec<String> = labels
        .names()
        .iter()
        .zip(groups_of_classes(dataset).unwrap_or_default())
        .filter(|(_, groups)| *groups == 1)
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    if !lone.is_empty() {
        found.push(format!(
            "classes with all rows in one group: {}; no split can both train and test on them",
            lone.join(", ")
        ));
    }
    if labels.n_classes() > 2 && labels.n_classes() * 5 > rows {
        found.push(format!(
            "{} classes for {rows} rows: is the target a number to regress on, or an identifier?",
            labels.n_classes()
        ));
    }
    found.extend(class_warnings(labels));
    if !description.constant_columns.is_empty() {
        found.push(format!(
            "constant columns: {}",
            quoted(&description.constant_columns)
        ));
    }
    if description.duplicate_rows > 0 {
        found.push(format!(
            "{} of {rows} rows repeat an earlier row; duplicates = \"group\" keeps them on one side \
             of a split",
            description.duplicate_rows
        ));
    }
    if description.conflicting_rows > 0 {
        found.push(format!(
            "{} rows share their features with a row of another class: no model can be right on all",
            description.conflicting_rows
        ));
    }
    for (column, summary) in dataset.columns().iter().zip(summaries) {
        column_warnings(dataset, column, summary, &mut found);
    }
    found
}

/// Classes whose names are most likely meant as one, a sentence each: those that differ by letter case or
/// blanks only, and those that are one number (`0` and `0.0`).
pub fn class_warnings(labels: &Labels) -> Vec<String> {
    let mut spellings: BTreeMap<(bool, String), Vec<&str>> = BTreeMap::new();
    for name in labels.names().iter() {
        let bare = name.trim();
        let key = match (bare.parse::<i128>(), number(bare)) {
            // Beyond 2^53 whole numbers have one real in common.
            (Ok(whole), _) => (true, whole.to_string()),
            (_, Number::Finite(real)) => (true, (real + 0.0).to_string()),
            _ => (false, bare.to_lowercase()),
        };
        spellings.entry(key).or_default().push(name);
    }
    let alike = spellings.iter().filter(|(_, alike)| alike.len() > 1);
    alike
        .map(|((is_number, _), alike)| {
            let alike: Vec<String> = alike.iter().map(|name| format!("`{name}`")).collect();
            let what = if *is_number {
                "are the same number in other spellings"
            } else {
                "differ only by letter case or blanks"
            };
            format!("classes that {what}: {}", alike.join(", "))
        })
        .collect()
}

fn quoted(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn column_warnings(dataset: &Dataset, column: &Column, summary: &Summary, found: &mut Vec<String>) {
    let rows = dataset.n_rows();
    let present = rows - summary.missing;
    let name = &column.name;
    if present == 0 {
        found.push(format!("column `{name}` has no value"));
        return;
    }
    if let Some(reals) = summary.rounded {
        found.push(format!(
            "column `{name}` has {} different whole numbers, beyond 2^53 so near that models see {reals}; if they are names, list it in `nominal`",
            summary.distinct
        ));
    }
    match &column.values {
        ColumnValues::Numeric(values) => {
            let whole = values
                .iter()
                .all(|value| value.is_nan() || value.fract() == 0.0);
            let counting = values
                .windows(2)
                .all(|pair| (pair[1] - pair[0] - 1.0).abs() < 0.5)
                && whole;
            if rows > 2 && counting {
                found.push(format!("column `{name}` counts the rows; ignore it"));
            } else if whole && present > 50 && summary.distinct == present {
                found.push(format!(
                    "column `{name}` has a whole number of its own in each of {present} rows: an identifier?"
                ));
            }
            if summary.distinct * 5 > rows {
                return;
            }
            let mut codes = HashMap::new();
            let of = |value: &f64| {
                let next = u32::try_from(codes.len()).expect("fewer rows than 2^32");
                *codes.entry((value + 0.0).to_bits()).or_insert(next)
            };
            let codes: Vec<u32> = values.iter().map(of).collect();
            if gives_away(dataset, &codes) {
                found.push(gives_away_text(name));
            }
        }
        ColumnValues::Nominal { codes, levels } => {
            let odd: Vec<&str> = levels
                .iter()
                .map(String::as_str)
                .filter(|level| number(level) == Number::None)
                .collect();
            let numbers = levels.len() - odd.len();
            if !odd.is_empty() && odd.len() <= 3 && numbers >= 10 {
                found.push(format!(
                    "column `{name}` is nominal only because of {}; if that means missing, list it \
                     in `missing`",
                    odd.iter()
                        .map(|text| format!("`{text}`"))
                        .collect::<Vec<_>>()
                        .join(", ")
                ));
            } else if let Some(what) = numbers_in_other_words(levels) {
                found.push(format!(
                    "column `{name}` is nominal, but its texts are numbers with {what}: `{}`",
                    levels
                        .iter()
                        .find(|level| level.contains(|c: char| c.is_ascii_digit()))
                        .unwrap_or(&levels[0])
                ));
            } else if summary.distinct > 20 && summary.distinct * 2 > present {
                found.push(format!(
                    "column `{name}` has {} levels in {present} rows: an identifier?",
                    summary.distinct
                ));
            }
            if gives_away(dataset, codes) {
                found.push(gives_away_text(name));
            }
        }
    }
}

fn gives_away_text(name: &str) -> String {
    format!("column `{name}` determines the class of every row: was it known before the label?")
}

/// A text without what stands around its number.
type Bare = fn(&str) -> String;

/// What stands around the numbers of a column of which at least half of the levels are numbers but for that.
fn numbers_in_other_words(levels: &[String]) -> Option<&'static str> {
    let digits = |text: &str| text.bytes().any(|byte| byte.is_ascii_digit());
    let reads = |text: &str| number(text) != Number::None;
    let signs: [(&str, Bare); 3] = [
        ("a percent sign", |text| {
            text.trim().trim_end_matches('%').to_owned()
        }),
        ("a currency sign", |text| {
            let money = |c: char| "$€£¥".contains(c);
            match text.trim().trim_matches(money) {
                bare if bare == text.trim() => bare.to_owned(),
                bare => bare.replace(',', ""),
            }
        }),
        ("a decimal comma (say decimal = \",\")", |text| {
            text.trim().replacen(',', ".", 1)
        }),
    ];
    let half = |bare: &Bare| {
        let odd = levels.iter().filter(|level| digits(level) && !reads(level));
        2 * odd.filter(|level| reads(&bare(level))).count() >= levels.len().max(1)
    };
    let found = signs
        .iter()
        .find(|(_, bare)| half(bare))
        .map(|(what, _)| *what);
    let unit = |level: &&String| {
        let end = level
            .trim_end_matches(|c: char| c.is_alphabetic())
            .trim_end();
        digits(end) && !reads(level) && reads(end)
    };
    found.or_else(|| {
        (2 * levels.iter().filter(unit).count() >= levels.len().max(1) && levels.len() > 5)
            .then_some("a unit")
    })
}

/// Whether every level of a column with few levels belongs to a single class.
fn gives_away(dataset: &Dataset, codes: &[u32]) -> bool {
    let pairs: BTreeSet<(u32, u32)> = codes
        .iter()
        .copied()
        .zip(dataset.labels().ids().iter().copied())
        .collect();
    let levels: BTreeSet<u32> = codes.iter().copied().collect();
    levels.len() > 1 && pairs.len() == levels.len() && levels.len() * 5 <= codes.len()
}
