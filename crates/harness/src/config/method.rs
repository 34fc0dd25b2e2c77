//! Methods of a sweep file: a `kind` with parameters, expanded over its grids and built through the
//! catalogue.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::Deref;
use std::sync::Arc;

use counterweight_config::{Diagnostics, Fields, Node, SHOWN, Value};
use counterweight_core::params::{ParamKind, check};
use counterweight_core::{Entry, Hasher, ParamError, ParamSpec, ParamValue, Params, find, nearest};

use super::limits::{grid_size, is_id_char, too_many_points};

/// A method with one set of parameters. A copy is free: all corrections of a grid that have a stage in
/// common share it.
#[derive(Debug)]
pub struct Built<C: 'static, T: ?Sized + 'static>(Arc<Parts<C, T>>);

/// What a [`Built`] is made of.
#[derive(Debug)]
pub struct Parts<C: 'static, T: ?Sized + 'static> {
    /// Its entry in the catalogue.
    pub entry: &'static Entry<C, T>,
    /// Its checked parameters.
    pub params: Params,
    /// The method itself.
    pub method: Arc<T>,
    /// The keys of the parameters that were a grid in the sweep file: one copy for all its points.
    pub grid: Arc<[&'static str]>,
}

impl<C, T: ?Sized> Clone for Built<C, T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C, T: ?Sized> Built<C, T> {
    /// The same under another method, which gives what the own one does: one that runs elsewhere.
    #[must_use]
    pub fn with_method(&self, method: Arc<T>) -> Self {
        self.settled(self.entry, self.params.clone(), method)
    }

    /// The same with what only its surroundings could say: the card of this very one, values, and what runs.
    #[must_use]
    pub fn settled(&self, entry: &'static Entry<C, T>, params: Params, method: Arc<T>) -> Self {
        Self(Arc::new(Parts {
            entry,
            params,
            method,
            grid: Arc::clone(&self.grid),
        }))
    }
}

impl<C, T: ?Sized> Deref for Built<C, T> {
    type Target = Parts<C, T>;

    fn deref(&self) -> &Parts<C, T> {
        &self.0
    }
}

impl<C, T: ?Sized> Parts<C, T> {
    /// Builds the method of checked parameters.
    ///
    /// # Errors
    /// What the method says of them.
    pub fn build(
        entry: &'static Entry<C, T>,
        params: Params,
        grid: Arc<[&'static str]>,
    ) -> Result<Built<C, T>, ParamError> {
        let method = (entry.build)(&params)?;
        Ok(Built(Arc::new(Self {
            entry,
            params,
            method: Arc::from(method),
            grid,
        })))
    }
}

impl<C, T: ?Sized> Built<C, T> {
    /// `kind` or `kind[key=value,...]` with every parameter: the text in records and cell keys.
    pub fn canonical(&self) -> String {
        let params = self.params.canonical(",");
        if params.is_empty() {
            self.entry.card.id.to_owned()
        } else {
            format!("{}[{params}]", self.entry.card.id)
        }
    }

    /// `[key=value,...]` of the grid's parameters, or nothing.
    pub fn grid_suffix(&self) -> String {
        grid_suffix(&self.grid_values())
    }

    /// The parameters that were a grid, with this point's values.
    pub(crate) fn grid_values(&self) -> Vec<(&'static str, ParamValue)> {
        let value = |key: &&'static str| Some((*key, self.params.get(key)?.clone()));
        self.grid.iter().filter_map(value).collect()
    }

    /// Builds a method with its defaults.
    ///
    /// # Errors
    /// In words, when the method has a parameter without a default.
    pub fn with_defaults(entry: &'static Entry<C, T>) -> Result<Self, String> {
        let params = check(entry.card.params, &BTreeMap::new()).map_err(|errors| {
            errors
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("; ")
        })?;
        Parts::build(entry, params, Arc::default()).map_err(|error| error.to_string())
    }

    /// What tells it from every other one that is held at the same time.
    pub(crate) fn place(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

/// `[key=value,...]` in key order, or nothing.
pub(crate) fn grid_suffix(grid: &[(impl Display, ParamValue)]) -> String {
    let pair = |(key, value): &(_, _)| format!("{key}={}", id_text(value));
    let pairs: Vec<String> = grid.iter().map(pair).collect();
    bracketed(pairs.iter().map(String::as_str).collect())
}

/// `[key=value,...]` in key order, or nothing.
pub(crate) fn bracketed(mut pairs: Vec<&str>) -> String {
    if pairs.is_empty() {
        return String::new();
    }
    pairs.sort_unstable();
    format!("[{}]", pairs.join(","))
}

/// A value as a part of an id. The names of classes and the like may hold anything: what an id cannot
/// hold becomes `_`, and a piece of the value's hash keeps two such values apart.
fn id_text(value: &ParamValue) -> String {
    let text = value.to_string();
    if text.chars().all(is_id_char) {
        return text;
    }
    let hash = Hasher::new("value").text(&text).finish().short();
    let plain = |c| if is_id_char(c) { c } else { '_' };
    let plain: String = text.chars().map(plain).collect();
    format!("{plain}-{}", &hash[..8])
}

/// The grid of a method, if there is one.
pub(crate) fn grid_of<C, T: ?Sized>(
    built: Option<&Built<C, T>>,
) -> Vec<(&'static str, ParamValue)> {
    built.map_or_else(Vec::new, Built::grid_values)
}

/// `key=value` of each pair of a stage's grid; a key that two stages vary carries its stage's name.
pub(crate) fn pairs(
    keys: &[Vec<&'static str>; 4],
    stage: usize,
    grid: &[(&'static str, ParamValue)],
) -> Vec<String> {
    let elsewhere = |key: &str| {
        let mut others = keys.iter().enumerate().filter(|(other, _)| *other != stage);
        others.any(|(_, keys)| keys.contains(&key))
    };
    let pair = |(key, value): &(&'static str, ParamValue)| {
        let text = id_text(value);
        if elsewhere(key) {
            let stage = ["resample", "ensemble", "loss", "decide"][stage];
            format!("{stage}.{key}={text}")
        } else {
            format!("{key}={text}")
        }
    };
    grid.iter().map(pair).collect()
}

/// Where a method stands, for messages.
pub(crate) struct Place<'a> {
    pub(crate) path: &'a str,
    pub(crate) line: usize,
    /// What the method is called: "model", "loss", ...
    pub(crate) noun: &'a str,
}

/// Finds the entry called `kind`, or reports it with the nearest name.
pub(crate) fn look_up<C, T: ?Sized>(
    entries: &'static [Entry<C, T>],
    kind: &str,
    place: &Place<'_>,
    errors: &mut Diagnostics,
) -> Option<&'static Entry<C, T>> {
    let found = find(entries, kind);
    if found.is_none() {
        let hint = nearest(kind, entries.iter().map(|entry| entry.card.id)).map_or_else(
            || {
                let ids: Vec<&str> = entries.iter().map(|entry| entry.card.id).collect();
                format!("known: {}", ids.join(", "))
            },
            |name| format!("did you mean `{name}`?"),
        );
        let key = format!("{} > kind", place.path);
        let message = format!("there is no {} called `{kind}`", place.noun);
        errors.add(Some(place.line), key, message, Some(hint));
    }
    found
}

/// A key with the values that it is given, and whether they form a grid.
struct Given {
    key: String,
    /// As the method declares it.
    name: &'static str,
    values: Vec<ParamValue>,
    is_grid: bool,
}

/// Expands the parameters `given` over their grids and builds each point, reporting every error.
pub(crate) fn build_grid<'n, C, T: ?Sized>(
    entry: &'static Entry<C, T>,
    given: impl Iterator<Item = (&'n str, usize, &'n Node)>,
    place: &Place<'_>,
    errors: &mut Diagnostics,
) -> Vec<Built<C, T>> {
    let mut axes: Vec<Given> = Vec::new();
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    for (key, line, node) in given {
        lines.insert(key.to_owned(), line);
        let spec = entry.card.params.iter().find(|spec| spec.name == key);
        match options(spec, node) {
            Some((values, is_grid)) if !values.is_empty() => {
                axes.push(Given {
                    key: key.to_owned(),
                    name: spec.map_or("", |spec| spec.name),
                    values,
                    is_grid,
                });
            }
            _ => errors.add(
                Some(line),
                format!("{} > {key}", place.path),
                format!(
                    "no method takes {}",
                    if node.type_name() == "a list" {
                        "an empty list"
                    } else {
                        node.type_name()
                    }
                ),
                None,
            ),
        }
    }
    let Some(points) = grid_size(axes.iter().map(|axis| axis.values.len())) else {
        too_many_points(place.line, place.path, errors);
        return Vec::new();
    };
    let varied: Arc<[&'static str]> = (axes.iter())
        .filter(|axis| axis.is_grid)
        .map(|axis| axis.name)
        .collect();
    let mut built = Vec::new();
    let mut seen = BTreeSet::new();
    let mut report = |error: ParamError, errors: &mut Diagnostics| {
        // A bad value beside a grid would otherwise be reported once a grid point.
        if seen.insert((error.key.clone(), error.problem.clone())) {
            let line = lines.get(&error.key).copied().unwrap_or(place.line);
            let key = format!("{} > {}", place.path, error.key);
            errors.add(Some(line), key, error.problem, error.hint);
        }
        seen.len() <= SHOWN
    };
    let mut first: Option<Params> = None;
    for at in 0..points {
        // The last key runs fastest.
        let mut stride = points;
        let point = axes.iter().map(|axis| {
            stride /= axis.values.len();
            (axis, &axis.values[at / stride % axis.values.len()])
        });
        let checked = if let Some(first) = &first {
            let varied = point.filter(|(axis, _)| axis.is_grid);
            first.with(
                entry.card.params,
                varied.map(|(axis, value)| (axis.name, value)),
            )
        } else {
            let given = point.map(|(axis, value)| (axis.key.clone(), value.clone()));
            check(entry.card.params, &given.collect())
        };
        let wrong = match checked {
            Ok(params) => match Parts::build(entry, params, Arc::clone(&varied)) {
                Ok(method) => {
                    first.get_or_insert_with(|| method.params.clone());
                    built.push(method);
                    continue;
                }
                Err(error) => vec![error],
            },
            Err(list) => list,
        };
        if !wrong.into_iter().all(|error| report(error, errors)) {
            break;
        }
    }
    built
}

/// The values that a key asks for, and whether they form a grid.
fn options(spec: Option<&ParamSpec>, node: &Node) -> Option<(Vec<ParamValue>, bool)> {
    let Value::List(items) = &node.value else {
        return Some((vec![node.to_param()?], false));
    };
    let values: Vec<ParamValue> = items.iter().map(Node::to_param).collect::<Option<_>>()?;
    let takes_list = spec.is_some_and(ParamSpec::takes_list);
    let is_grid = match spec.map(|spec| spec.kind) {
        // `prior = ["train", "effective"]` is a grid of words, `prior = [0.5, 0.5]` one prior.
        Some(ParamKind::Prior(_)) => values
            .iter()
            .any(|v| matches!(v, ParamValue::Text(_) | ParamValue::List(_))),
        // A table of costs is a list of lists itself: its grid is a list of such tables.
        Some(ParamKind::Rows(_)) => values.iter().all(|v| match v {
            ParamValue::List(rows) => rows.iter().all(|row| matches!(row, ParamValue::List(_))),
            _ => false,
        }),
        _ if takes_list => values.iter().all(|v| matches!(v, ParamValue::List(_))),
        _ => true,
    };
    if is_grid {
        Some((values, true))
    } else {
        Some((vec![ParamValue::List(values)], false))
    }
}

/// The `kind` of a stage (a table with `kind`, or just a word) and its parameters.
pub(crate) fn stage_parts<'n>(
    node: &'n Node,
    path: &str,
    errors: &mut Diagnostics,
) -> Option<(String, usize, Option<&'n Fields>)> {
    match &node.value {
        Value::Text(kind) => Some((kind.clone(), node.line, None)),
        Value::Table(fields) => match fields.get("kind") {
            Some((
                line,
                Node {
                    value: Value::Text(kind),
                    ..
                },
            )) => Some((kind.clone(), *line, Some(fields))),
            Some((line, other)) => {
                let message = format!("expected text, found {}", other.type_name());
                errors.add(Some(*line), format!("{path} > kind"), message, None);
                None
            }
            None => {
                let hint = Some("write { kind = \"...\" }".to_owned());
                errors.add(Some(node.line), path, "`kind` is missing", hint);
                None
            }
        },
        _ => {
            let message = format!(
                "expected a table {{ kind = ... }}, found {}",
                node.type_name()
            );
            errors.add(Some(node.line), path, message, None);
            None
        }
    }
}
