//! Methods of a sweep file: a `kind` with parameters, expanded over its grids and built through the
//! catalogue.

use std::collections::BTreeMap;
use std::sync::Arc;

use counterweight_config::{Diagnostics, Fields, Node, Value};
use counterweight_core::params::{ParamKind, check};
use counterweight_core::{Entry, ParamSpec, ParamValue, Params, find, nearest};

/// A method with one set of parameters.
#[derive(Debug)]
pub struct Built<C: 'static, T: ?Sized + 'static> {
    /// Its entry in the catalogue.
    pub entry: &'static Entry<C, T>,
    /// Its checked parameters.
    pub params: Params,
    /// The method itself.
    pub method: Arc<T>,
    /// The parameters that were a grid in the sweep file, with this point's values.
    pub grid: Vec<(String, ParamValue)>,
}

impl<C, T: ?Sized> Clone for Built<C, T> {
    fn clone(&self) -> Self {
        Self {
            entry: self.entry,
            params: self.params.clone(),
            method: Arc::clone(&self.method),
            grid: self.grid.clone(),
        }
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
        grid_suffix(&self.grid)
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
        let method = (entry.build)(&params).map_err(|error| error.to_string())?;
        Ok(Self {
            entry,
            params,
            method: Arc::from(method),
            grid: Vec::new(),
        })
    }
}

/// `[key=value,...]` in key order, or nothing.
pub(crate) fn grid_suffix(grid: &[(String, ParamValue)]) -> String {
    if grid.is_empty() {
        return String::new();
    }
    let mut pairs: Vec<String> = grid
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    pairs.sort_unstable();
    format!("[{}]", pairs.join(","))
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

/// One point of a grid: its parameters, and those among them that vary.
type Point = (BTreeMap<String, ParamValue>, Vec<(String, ParamValue)>);

/// Expands the parameters `given` over their grids and builds each point, reporting every error.
pub(crate) fn build_grid<'n, C, T: ?Sized>(
    entry: &'static Entry<C, T>,
    given: impl Iterator<Item = (&'n str, usize, &'n Node)>,
    place: &Place<'_>,
    errors: &mut Diagnostics,
) -> Vec<Built<C, T>> {
    let mut axes: Vec<(String, Vec<ParamValue>, bool)> = Vec::new();
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    for (key, line, node) in given {
        lines.insert(key.to_owned(), line);
        let spec = entry.card.params.iter().find(|spec| spec.name == key);
        match options(spec, node) {
            Some((values, is_grid)) if !values.is_empty() => {
                axes.push((key.to_owned(), values, is_grid));
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
    let mut points: Vec<Point> = vec![(BTreeMap::new(), Vec::new())];
    for (key, values, is_grid) in &axes {
        let mut next = Vec::with_capacity(points.len() * values.len());
        for (params, grid) in &points {
            for value in values {
                let (mut params, mut grid) = (params.clone(), grid.clone());
                params.insert(key.clone(), value.clone());
                if *is_grid {
                    grid.push((key.clone(), value.clone()));
                }
                next.push((params, grid));
            }
        }
        points = next;
    }
    let mut built = Vec::new();
    let mut seen: Vec<counterweight_core::ParamError> = Vec::new();
    let mut report = |error: counterweight_core::ParamError, errors: &mut Diagnostics| {
        // A bad value beside a grid would otherwise be reported once a grid point.
        if !seen.contains(&error) {
            let line = lines.get(&error.key).copied().unwrap_or(place.line);
            let key = format!("{} > {}", place.path, error.key);
            errors.add(Some(line), key, error.problem.clone(), error.hint.clone());
            seen.push(error);
        }
    };
    for (params, grid) in points {
        match check(entry.card.params, &params) {
            Ok(params) => match (entry.build)(&params) {
                Ok(method) => {
                    built.push(Built {
                        entry,
                        params,
                        method: Arc::from(method),
                        grid,
                    });
                }
                Err(error) => report(error, errors),
            },
            Err(list) => {
                for error in list {
                    report(error, errors);
                }
            }
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
