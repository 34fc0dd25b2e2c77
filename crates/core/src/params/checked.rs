//! From what a sweep file says to checked values, with every default filled in.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{ParamError, ParamSpec, ParamValue};
use crate::suggest::nearest;

/// Checked parameters of one method: every key known, every value in range, every default filled in.
///
/// The points of a grid share what they have in common, since there may be a million of them.
#[derive(Clone, Debug, std::default::Default)]
pub struct Params {
    /// In key order.
    common: Arc<[(&'static str, ParamValue)]>,
    /// What stands in place of some of `common`, by its index.
    own: Box<[(usize, ParamValue)]>,
}

impl PartialEq for Params {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

/// Checks `given` against `specs`, collecting every error.
///
/// # Errors
/// One [`ParamError`] for each unknown, missing or bad parameter.
pub fn check(
    specs: &'static [ParamSpec],
    given: &BTreeMap<String, ParamValue>,
) -> Result<Params, Vec<ParamError>> {
    let mut errors = Vec::new();
    let mut params = Vec::with_capacity(specs.len());
    for key in given.keys() {
        if !specs.iter().any(|spec| spec.name == key) {
            let names: Vec<&str> = specs.iter().map(|spec| spec.name).collect();
            let hint = match nearest(key, names.iter().copied()) {
                Some(name) => format!("did you mean `{name}`?"),
                None if names.is_empty() => "this method takes no parameters".to_owned(),
                None => format!("it takes: {}", names.join(", ")),
            };
            errors.push(ParamError {
                key: key.clone(),
                problem: "unknown key".into(),
                hint: Some(hint),
            });
        }
    }
    for spec in specs {
        match (given.get(spec.name), spec.default) {
            (Some(value), _) => match spec.check(value) {
                Ok(value) => {
                    params.push((spec.name, value));
                }
                Err(error) => errors.push(error),
            },
            (None, Some(default)) => {
                params.push((spec.name, default.into()));
            }
            (None, None) if spec.required => errors.push(ParamError {
                key: spec.name.into(),
                problem: "missing".into(),
                hint: Some(format!("add `{} = ...`: {}", spec.name, spec.about)),
            }),
            (None, None) => {}
        }
    }
    if errors.is_empty() {
        params.sort_unstable_by_key(|(name, _)| *name);
        Ok(Params {
            common: params.into(),
            own: Box::default(),
        })
    } else {
        Err(errors)
    }
}

impl Params {
    /// The value of `key`, if it has one.
    pub fn get(&self, key: &str) -> Option<&ParamValue> {
        let at = self.place(key)?;
        Some(self.at(at))
    }

    fn place(&self, key: &str) -> Option<usize> {
        self.common.iter().position(|(name, _)| *name == key)
    }

    fn at(&self, at: usize) -> &ParamValue {
        let own = self.own.iter().find(|(place, _)| *place == at);
        own.map_or(&self.common[at].1, |(_, value)| value)
    }

    /// What was checked against `specs` first, with other values of some of its keys: another point of a grid.
    ///
    /// # Errors
    /// One [`ParamError`] for each value that is wrong.
    pub fn with<'v>(
        &self,
        specs: &'static [ParamSpec],
        given: impl Iterator<Item = (&'static str, &'v ParamValue)>,
    ) -> Result<Self, Vec<ParamError>> {
        let mut errors = Vec::new();
        let mut own = Vec::new();
        for (key, value) in given {
            let spec = specs.iter().find(|spec| spec.name == key);
            let (Some(spec), Some(at)) = (spec, self.place(key)) else {
                errors.push(ParamError::new(key, "unknown key"));
                continue;
            };
            match spec.check(value) {
                Ok(value) => own.push((at, value)),
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Self {
            common: Arc::clone(&self.common),
            own: own.into(),
        })
    }

    /// A real number.
    ///
    /// # Panics
    /// When the method's specification has no such parameter with a default: a programming error
    /// that the registry's tests find.
    pub fn real(&self, key: &str) -> f64 {
        let value = self.get(key).and_then(ParamValue::as_real);
        value.expect("the specification lists this number")
    }

    /// A whole number of at least 0.
    ///
    /// # Panics
    /// As [`Params::real`].
    pub fn whole(&self, key: &str) -> usize {
        match self.get(key) {
            Some(ParamValue::Whole(value)) => usize::try_from(*value).ok(),
            _ => None,
        }
        .expect("the specification lists this whole number, of at least 0")
    }

    /// A word.
    ///
    /// # Panics
    /// As [`Params::real`].
    pub fn text(&self, key: &str) -> &str {
        match self.get(key) {
            Some(ParamValue::Text(text)) => Some(text.as_str()),
            _ => None,
        }
        .expect("the specification lists this word")
    }

    /// As [`Params::text`], for a type of its own.
    pub(super) fn string(&self, key: &str) -> String {
        self.text(key).to_owned()
    }

    /// A list of texts; empty when the parameter has no value.
    pub fn texts(&self, key: &str) -> Vec<String> {
        match self.get(key) {
            Some(ParamValue::List(items)) => items.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        }
    }

    /// True or false.
    ///
    /// # Panics
    /// As [`Params::real`].
    pub fn flag(&self, key: &str) -> bool {
        match self.get(key) {
            Some(ParamValue::Flag(flag)) => Some(*flag),
            _ => None,
        }
        .expect("the specification lists this flag")
    }

    /// A list of numbers; empty when the parameter has no value.
    pub fn reals(&self, key: &str) -> Vec<f64> {
        match self.get(key) {
            Some(ParamValue::List(items)) => items.iter().filter_map(ParamValue::as_real).collect(),
            _ => Vec::new(),
        }
    }

    /// A list of whole numbers; empty when the parameter has no value.
    pub fn wholes(&self, key: &str) -> Vec<usize> {
        let whole = |item: &ParamValue| match item {
            ParamValue::Whole(value) => usize::try_from(*value).ok(),
            _ => None,
        };
        match self.get(key) {
            Some(ParamValue::List(items)) => items.iter().filter_map(whole).collect(),
            _ => Vec::new(),
        }
    }

    /// A square table, row by row; empty when the parameter has no value.
    pub fn rows(&self, key: &str) -> Vec<Vec<f64>> {
        let row = |row: &ParamValue| match row {
            ParamValue::List(items) => items.iter().filter_map(ParamValue::as_real).collect(),
            _ => Vec::new(),
        };
        match self.get(key) {
            Some(ParamValue::List(rows)) => rows.iter().map(row).collect(),
            _ => Vec::new(),
        }
    }

    /// All keys and values, in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &ParamValue)> {
        let names = self.common.iter().enumerate();
        names.map(|(at, (key, _))| (*key, self.at(at)))
    }

    /// `key=value` in key order, joined by `separator`.
    pub fn canonical(&self, separator: &str) -> String {
        let texts: Vec<String> = self
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        texts.join(separator)
    }
}
