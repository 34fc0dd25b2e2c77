//! A part of a sweep, and the metric to rank by: `report --select KEY=VALUE[,KEY=VALUE..]`.
//!
//! | key | value | keeps |
//! |---|---|---|
//! | `model`, `correction`, `dataset` | an id; commas inside brackets belong to it | its records |
//! | `family` | a correction's family | its records |
//! | `ratio` | `natural`, a number, or `LOW..HIGH` (one end may be left out) | natural data; points of that requested ratio; points whose mean realised ratio is at least LOW and below HIGH, as the bands of the tables |
//! | `metric` | a metric column with a good end | all records, ranked by it |
//!
//! Values of one key are alternatives and different keys must all hold, as for `run --only`. A point
//! (dataset, profile and requested ratio) is inside a band or outside of it as a whole, since folds of
//! one split differ a little in their ratio.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use counterweight_core::{Catalogue, Name, Record, nearest};
use counterweight_store::metric_column;
use thiserror::Error;

use crate::analysis::Target;

/// The keys, sorted.
const KEYS: [&str; 6] = [
    "correction",
    "dataset",
    "family",
    "metric",
    "model",
    "ratio",
];

/// Why nothing was selected.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SelectError {
    /// A key, a value or a metric that does not exist, or that cannot be used.
    #[error("{0}")]
    Unknown(String),
    /// Everything exists, and no record has all of it.
    #[error("none of the {0} records was selected")]
    Nothing(usize),
}

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection(BTreeMap<String, Vec<String>>);

/// What it comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Selected {
    /// The records, in their order.
    pub records: Vec<Record>,
    /// The metric to rank by.
    pub target: Target,
}

impl FromStr for Selection {
    type Err = SelectError;

    fn from_str(text: &str) -> Result<Self, SelectError> {
        let mut wanted: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut last: Option<&str> = None;
        for part in text.split(',') {
            // Ids of grids hold commas and equal signs themselves: `smote[k=5,strategy=1]`.
            if let Some(value) = last
                .and_then(|key| wanted.get_mut(key)?.last_mut())
                .filter(|value| value.matches('[').count() > value.matches(']').count())
            {
                value.push(',');
                value.push_str(part);
                continue;
            }
            let Some((key, value)) = part.split_once('=') else {
                return Err(SelectError::Unknown(format!("`{part}` is not KEY=VALUE")));
            };
            let key = key.trim();
            if !KEYS.contains(&key) {
                return Err(unknown("key", key, KEYS.into_iter(), "keys"));
            }
            if value.is_empty() {
                return Err(SelectError::Unknown(format!("`{key}=` has no value")));
            }
            let values = wanted.entry(key.to_owned()).or_default();
            if !values.iter().any(|known| known == value) {
                values.push(value.to_owned());
            }
            last = Some(key);
        }
        if let Some([_, second, ..]) = wanted.get("metric").map(Vec::as_slice) {
            return Err(SelectError::Unknown(format!(
                "`metric={second}` is a second metric; a report ranks by one"
            )));
        }
        Ok(Self(wanted))
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self
            .0
            .iter()
            .flat_map(|(key, values)| values.iter().map(move |value| format!("{key}={value}")));
        f.write_str(&parts.collect::<Vec<_>>().join(","))
    }
}

/// `unknown model `x`; did you mean `y`?`, or the first few that there are.
fn unknown<'a>(
    what: &str,
    value: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    plural: &str,
) -> SelectError {
    let all: BTreeSet<&str> = known.clone().collect();
    let list: Vec<&str> = all.iter().copied().take(12).collect();
    let more = if all.len() > list.len() { ", .." } else { "" };
    let hint =
        nearest(value, known).map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
    SelectError::Unknown(format!(
        "unknown {what} `{value}`: the {plural} are {}{more}{hint}",
        list.join(", ")
    ))
}

/// One value of `ratio`.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Ratio {
    Natural,
    Requested(f64),
    Band(f64, f64),
}

impl FromStr for Ratio {
    type Err = SelectError;

    fn from_str(text: &str) -> Result<Self, SelectError> {
        let number = |part: &str, missing: f64| {
            if part.is_empty() {
                return Some(missing);
            }
            part.trim().parse().ok().filter(|ratio: &f64| *ratio >= 1.0)
        };
        let found = match text.split_once("..") {
            _ if text == "natural" => Some(Self::Natural),
            Some((low, high)) if text.len() > 2 => number(low, 1.0)
                .zip(number(high, f64::INFINITY))
                .filter(|(low, high)| low < high)
                .map(|(low, high)| Self::Band(low, high)),
            Some(_) => None,
            None => number(text, f64::NAN)
                .filter(|ratio| ratio.is_finite())
                .map(Self::Requested),
        };
        found.ok_or_else(|| {
            SelectError::Unknown(format!(
                "`ratio={text}` is neither a ratio of at least 1, nor LOW..HIGH with LOW below HIGH, \
                 nor `natural`"
            ))
        })
    }
}

/// Dataset, profile and requested ratio of a record.
type Point<'a> = (&'a str, &'a str, Option<u64>);

fn point(record: &Record) -> Point<'_> {
    let requested = record.requested_ratio.map(f64::to_bits);
    (&record.dataset, &record.profile, requested)
}

impl Selection {
    /// A name for the folder of the selected report: the selection with every character that a file
    /// system could refuse replaced, and a checksum where that lost something.
    pub fn folder_name(&self) -> String {
        let text = self.to_string();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '=' | '.' | '_' | '-' | '+');
        let mut name: String = text
            .chars()
            .map(|c| match c {
                ',' => '_',
                c if plain(c) => c,
                _ => '-',
            })
            .take(100)
            .collect();
        if text.chars().any(|c| !plain(c) && c != ',') || text.len() > 100 {
            // FNV-1a: short, the same everywhere, and collisions are of no consequence.
            let sum = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
                (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            });
            name = format!("{name}-{:08x}", sum >> 32);
        }
        name
    }

    /// Whether the plain model is asked for, or not kept away.
    pub fn keeps_baseline(&self) -> bool {
        ["correction", "family"].iter().all(|key| {
            let values = self.0.get(*key);
            values.is_none_or(|values| values.iter().any(|value| value == "none"))
        })
    }

    /// The records with everything that was asked for, and the metric.
    ///
    /// # Errors
    /// [`SelectError::Unknown`] for a value that no record has, with the nearest one, and for a metric
    /// without a good end; [`SelectError::Nothing`] when no record has all that was asked for.
    pub fn choose(
        &self,
        records: &[Record],
        catalogue: &Catalogue,
    ) -> Result<Selected, SelectError> {
        let target = self.target(records, catalogue)?;
        for (key, plural) in [
            ("model", "models"),
            ("correction", "corrections"),
            ("dataset", "datasets"),
            ("family", "families"),
        ] {
            let there: BTreeSet<&str> = records.iter().map(|r| field(r, key)).collect();
            for value in self.0.get(key).into_iter().flatten() {
                if !there.contains(value.as_str()) {
                    return Err(unknown(key, value, there.iter().copied(), plural));
                }
            }
        }
        let ratios = match self.0.get("ratio") {
            Some(values) => Some(
                values
                    .iter()
                    .map(|value| value.parse())
                    .collect::<Result<Vec<Ratio>, _>>()?,
            ),
            None => None,
        };
        let mut realised: BTreeMap<Point<'_>, (f64, usize)> = BTreeMap::new();
        for record in records {
            if let Some(ratio) = record.imbalance_ratio {
                let (sum, count) = realised.entry(point(record)).or_default();
                *sum += ratio;
                *count += 1;
            }
        }
        let inside = |record: &Record, ratio: &Ratio| match *ratio {
            Ratio::Natural => record.requested_ratio.is_none(),
            Ratio::Requested(wanted) => record
                .requested_ratio
                .is_some_and(|requested| (requested - wanted).abs() < 1e-9 * wanted),
            Ratio::Band(low, high) => realised
                .get(&point(record))
                .is_some_and(|(sum, count)| (low..high).contains(&(sum / *count as f64))),
        };
        let wanted = |record: &&Record| {
            let named = self.0.iter().all(|(key, values)| {
                matches!(key.as_str(), "metric" | "ratio")
                    || values.iter().any(|value| value == field(record, key))
            });
            let banded = ratios
                .as_ref()
                .is_none_or(|ratios| ratios.iter().any(|ratio| inside(record, ratio)));
            named && banded
        };
        let chosen: Vec<Record> = records.iter().filter(wanted).cloned().collect();
        if chosen.is_empty() {
            return Err(SelectError::Nothing(records.len()));
        }
        Ok(Selected {
            records: chosen,
            target,
        })
    }

    fn target(&self, records: &[Record], catalogue: &Catalogue) -> Result<Target, SelectError> {
        let Some(name) = self.0.get("metric").and_then(|values| values.first()) else {
            return Ok(Target::default());
        };
        let column = metric_column(name);
        let there: BTreeSet<&str> = records
            .iter()
            .flat_map(|record| record.metrics.keys())
            .map(Name::as_str)
            .collect();
        if !there.contains(column.as_str()) {
            return Err(unknown("metric", name, there.iter().copied(), "metrics"));
        }
        Target::of(&column, catalogue).ok_or_else(|| {
            SelectError::Unknown(format!(
                "`{name}` cannot rank corrections: its best value is neither its lowest nor its \
                 highest"
            ))
        })
    }
}

fn field<'a>(record: &'a Record, key: &str) -> &'a str {
    match key {
        "model" => &record.model,
        "correction" => &record.correction,
        "dataset" => &record.dataset,
        _ => &record.family,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Selection {
        text.parse().expect("a selection")
    }

    fn said(text: &str) -> String {
        text.parse::<Selection>().unwrap_err().to_string()
    }

    #[test]
    fn commas_in_brackets_belong_to_the_id() {
        let selection = read("correction=smote[k=5,strategy=1],model=a,model=b,correction=none");
        assert_eq!(selection.0["correction"], ["smote[k=5,strategy=1]", "none"]);
        assert_eq!(selection.0["model"], ["a", "b"]);
        assert_eq!(read(&selection.to_string()), selection);
        // A key of the selection inside brackets is a parameter.
        assert_eq!(
            read("correction=x[a=1,metric=mcc]").0["correction"],
            ["x[a=1,metric=mcc]"]
        );
    }

    #[test]
    fn wrong_words_are_named() {
        assert!(said("modle=x").contains("did you mean `model`?"));
        assert!(said("mcc").contains("is not KEY=VALUE"));
        assert!(said("metric=").contains("no value"));
        assert!(said("metric=mcc,metric=kappa").contains("ranks by one"));
    }

    #[test]
    fn ratios_are_numbers_or_bands() {
        assert_eq!("10".parse(), Ok(Ratio::Requested(10.0)));
        assert_eq!("10..100".parse(), Ok(Ratio::Band(10.0, 100.0)));
        assert_eq!("..30".parse(), Ok(Ratio::Band(1.0, 30.0)));
        assert_eq!("30..".parse(), Ok(Ratio::Band(30.0, f64::INFINITY)));
        assert_eq!("natural".parse(), Ok(Ratio::Natural));
        for bad in ["..", "x", "0.5", "100..10", "10..x", "inf", "NaN", "10..10"] {
            assert!(bad.parse::<Ratio>().is_err(), "{bad}");
        }
    }

    #[test]
    fn folder_names_differ_where_selections_do() {
        assert_eq!(
            read("ratio=10..100,metric=mcc").folder_name(),
            "metric=mcc_ratio=10..100"
        );
        let (a, b) = (read("model=x[a=1]"), read("model=x(a=1)"));
        assert_ne!(a.folder_name(), b.folder_name());
        assert!(!a.folder_name().contains(['[', '/']));
        assert!(read("metric=mcc").keeps_baseline());
        assert!(!read("correction=smote").keeps_baseline());
    }
}
