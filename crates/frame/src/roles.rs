//! What is asked of the columns that have a role: target, group, weight.

use std::borrow::Cow;

use crate::error::FrameError;
use crate::raw::{Number, RawTable, RawValues, is_missing_number, number};

impl RawTable {
    /// The label of each row.
    pub(crate) fn labels(&self, target: &str) -> Result<Vec<Cow<'_, str>>, FrameError> {
        let at = self
            .position(target)
            .expect("the target was looked up before");
        self.refuse_nan_label(at)?;
        let missing = |place: u64, rows: u64| FrameError::MissingLabel {
            path: self.path.clone(),
            place: (self.place)(place),
            target: target.to_owned(),
            rows,
        };
        match &self.columns[at].values {
            RawValues::Untyped(texts) | RawValues::Names(texts) => match texts.first_missing {
                Some(place) => Err(missing(place, texts.missing())),
                None => Ok(texts.rows().flatten().map(Cow::Borrowed).collect()),
            },
            RawValues::Numbers(values) => match values.iter().position(|v| v.is_nan()) {
                Some(row) => {
                    let rows = values.iter().filter(|v| v.is_nan()).count();
                    Err(missing(row as u64, rows as u64))
                }
                // Whole numbers stored as reals are still the classes 0, 1, 2; -0 is 0.
                None => Ok(values
                    .iter()
                    .map(|v| (v + 0.0).to_string().into())
                    .collect()),
            },
            RawValues::Wholes(values) => match values.iter().position(Option::is_none) {
                Some(row) => {
                    let rows = values.iter().filter(|v| v.is_none()).count();
                    Err(missing(row as u64, rows as u64))
                }
                None => Ok(values
                    .iter()
                    .flatten()
                    .map(|v| v.to_string().into())
                    .collect()),
            },
        }
    }

    /// Refuses a missing value, in any known spelling, in the column `name`.
    pub(crate) fn refuse_missing(&self, role: &'static str, name: &str) -> Result<(), FrameError> {
        let at = self.position(name);
        let at = at.expect("the columns of the options were looked up before");
        let row = |row: usize| (self.place)(row as u64);
        let place = match &self.columns[at].values {
            RawValues::Untyped(texts) | RawValues::Names(texts) => {
                let spelt = texts.texts().position(is_missing_number);
                let spelt = spelt.and_then(|code| texts.first.get(code).copied());
                let first = spelt.into_iter().chain(texts.first_missing).min();
                first.map(self.place)
            }
            RawValues::Numbers(values) => values.iter().position(|v| v.is_nan()).map(row),
            RawValues::Wholes(values) => values.iter().position(Option::is_none).map(row),
        };
        match place {
            None => Ok(()),
            Some(place) => Err(FrameError::MissingRole {
                path: self.path.clone(),
                place,
                role,
                column: name.to_owned(),
            }),
        }
    }

    /// Refuses what is no weight of a row in the column `name`: no number, negative, or infinite.
    pub(crate) fn refuse_negative(&self, name: &str) -> Result<(), FrameError> {
        let at = self.position(name);
        let at = at.expect("the columns of the options were looked up before");
        let odd = |v: f64| v < 0.0 || v.is_infinite();
        let row = |row: usize| (self.place)(row as u64);
        let found = match &self.columns[at].values {
            RawValues::Untyped(texts) | RawValues::Names(texts) => texts
                .texts()
                .position(|text| !matches!(self.number(text), Number::Finite(v) if !odd(v)))
                .map(|code| (self.place_of(texts, code), texts.text(code).to_owned())),
            RawValues::Numbers(values) => values
                .iter()
                .position(|v| odd(*v))
                .map(|at| (row(at), values[at].to_string())),
            RawValues::Wholes(values) => values
                .iter()
                .position(|v| v.is_some_and(|v| v < 0))
                .map(|at| (row(at), values[at].unwrap_or_default().to_string())),
        };
        match found {
            None => Ok(()),
            Some((place, found)) => Err(FrameError::NoWeight {
                path: self.path.clone(),
                place,
                column: name.to_owned(),
                found,
            }),
        }
    }

    /// Refuses a label `nan` among numbers, which is a missing label in disguise.
    fn refuse_nan_label(&self, at: usize) -> Result<(), FrameError> {
        let RawValues::Untyped(texts) = &self.columns[at].values else {
            return Ok(());
        };
        let all = || texts.texts().map(number);
        match all().position(|found| found == Number::NotFinite) {
            Some(code) if all().all(|found| found != Number::None) => Err(FrameError::NotFinite {
                path: self.path.clone(),
                place: self.place_of(texts, code),
                column: self.columns[at].name.clone(),
                found: texts.text(code).to_owned(),
            }),
            _ => Ok(()),
        }
    }
}
