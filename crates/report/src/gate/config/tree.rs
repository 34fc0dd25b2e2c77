//! TOML in which every key and value knows its line, and a reader that reports what it was not asked
//! for.

use std::collections::BTreeMap;

use counterweight_core::nearest;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ConfigProblem;
use crate::gate::date::Date;

/// A value and its line.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Number(f64),
    Flag(bool),
    Day(Option<Date>),
    List(Vec<Node>),
    Table(Fields),
}

impl Node {
    fn type_name(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "text",
            Value::Number(_) => "a number",
            Value::Flag(_) => "true or false",
            Value::Day(_) => "a date",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }
}

/// A table: key -> value; the line of a value is that of its key.
pub(super) type Fields = BTreeMap<String, Node>;

/// Parses a file; syntax errors end it, since what follows one is guesswork.
pub(super) fn read(text: &str) -> Result<Fields, Vec<ConfigProblem>> {
    let starts: Vec<usize> = std::iter::once(0)
        .chain(text.match_indices('\n').map(|(at, _)| at + 1))
        .collect();
    let line_of = |at: usize| starts.partition_point(|&start| start <= at);
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(fields(table.get_ref(), &line_of));
    }
    Err(errors
        .iter()
        .map(|error| ConfigProblem {
            line: error.span().map_or(1, |span| line_of(span.start)),
            key: String::new(),
            message: format!("not valid TOML: {}", error.message().trim()),
            hint: None,
        })
        .collect())
}

fn fields(table: &DeTable<'_>, line_of: &impl Fn(usize) -> usize) -> Fields {
    table
        .iter()
        .map(|(key, value)| {
            let mut node = node(value, line_of);
            node.line = line_of(key.span().start);
            (key.get_ref().to_string(), node)
        })
        .collect()
}

fn node(value: &Spanned<DeValue<'_>>, line_of: &impl Fn(usize) -> usize) -> Node {
    let line = line_of(value.span().start);
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        // What is no number becomes one that no range contains.
        DeValue::Integer(number) => Value::Number(
            i64::from_str_radix(number.as_str(), number.radix())
                .map_or(f64::NAN, |whole| whole as f64),
        ),
        DeValue::Float(number) => Value::Number(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(time) => Value::Day(
            time.date
                .and_then(|day| Date::new(i64::from(day.year), day.month, day.day)),
        ),
        DeValue::Array(items) => {
            Value::List(items.iter().map(|item| node(item, line_of)).collect())
        }
        DeValue::Table(table) => Value::Table(fields(table, line_of)),
    };
    Node { line, value }
}

/// A table under reading: every getter reports what does not fit and gives `None`.
pub(super) struct Section<'f, 'e> {
    fields: &'f Fields,
    path: String,
    pub(super) line: usize,
    known: Vec<&'static str>,
    problems: &'e mut Vec<ConfigProblem>,
}

impl<'f, 'e> Section<'f, 'e> {
    pub(super) fn new(
        fields: &'f Fields,
        path: String,
        problems: &'e mut Vec<ConfigProblem>,
    ) -> Self {
        let line = fields.values().map(|node| node.line).min().unwrap_or(1);
        Self {
            fields,
            path,
            line,
            known: Vec::new(),
            problems,
        }
    }

    fn name(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else if key.is_empty() {
            self.path.clone()
        } else {
            format!("{} > {key}", self.path)
        }
    }

    pub(super) fn problem(&mut self, key: &str, message: impl Into<String>, hint: Option<String>) {
        let line = self.fields.get(key).map_or(self.line, |node| node.line);
        let key = self.name(key);
        self.problems.push(ConfigProblem {
            line,
            key,
            message: message.into(),
            hint,
        });
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.fields.contains_key(key)
    }

    pub(super) fn node(&mut self, key: &'static str) -> Option<&'f Node> {
        self.known.push(key);
        self.fields.get(key)
    }

    fn wrong<T>(&mut self, key: &str, expected: &str, found: &Node) -> Option<T> {
        let message = format!("expected {expected}, found {}", found.type_name());
        self.problem(key, message, None);
        None
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        let node = self.node(key)?;
        match &node.value {
            Value::Text(text) => Some(text.clone()),
            _ => self.wrong(key, "text in quotes", node),
        }
    }

    /// One text or a list of them; empty when absent.
    pub(super) fn texts(&mut self, key: &'static str) -> Vec<String> {
        let Some(node) = self.node(key) else {
            return Vec::new();
        };
        let items = match &node.value {
            Value::List(items) if items.is_empty() => {
                self.problem(key, "an empty list matches nothing", None);
                return Vec::new();
            }
            Value::List(items) => items.iter().collect(),
            _ => vec![node],
        };
        items
            .into_iter()
            .filter_map(|item| match &item.value {
                Value::Text(text) => Some(text.clone()),
                _ => self.wrong(key, "text or a list of texts", item),
            })
            .collect()
    }

    /// A number for which `good` holds; `range` says so in words.
    pub(super) fn number(
        &mut self,
        key: &'static str,
        range: &str,
        good: impl Fn(f64) -> bool,
    ) -> Option<f64> {
        let node = self.node(key)?;
        match node.value {
            Value::Number(value) if good(value) => Some(value),
            Value::Number(value) => {
                self.problem(key, format!("must be {range}, found {value}"), None);
                None
            }
            _ => self.wrong(key, "a number", node),
        }
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let node = self.node(key)?;
        match node.value {
            Value::Flag(flag) => Some(flag),
            _ => self.wrong(key, "true or false", node),
        }
    }

    pub(super) fn day(&mut self, key: &'static str) -> Option<Date> {
        let node = self.node(key)?;
        let day = match &node.value {
            Value::Day(day) => *day,
            Value::Text(text) => text.parse().ok(),
            _ => None,
        };
        if day.is_none() {
            self.problem(key, "expected a day, written as 2027-01-31", None);
        }
        day
    }

    /// The tables of an array of tables, with their paths.
    pub(super) fn tables(&mut self, key: &'static str) -> Vec<(String, &'f Fields)> {
        let Some(node) = self.node(key) else {
            return Vec::new();
        };
        let hint = Some(format!("write [[{key}]] with double brackets"));
        let Value::List(items) = &node.value else {
            self.problem(key, "expected a list of tables", hint);
            return Vec::new();
        };
        let mut found = Vec::new();
        for (at, item) in (1..).zip(items) {
            match &item.value {
                Value::Table(fields) => found.push((format!("{key} {at}"), fields)),
                _ => self.problem(key, "expected a table", hint.clone()),
            }
        }
        found
    }

    /// Reports every key that was not asked for.
    pub(super) fn finish(mut self) {
        let mut known = std::mem::take(&mut self.known);
        known.sort_unstable();
        known.dedup();
        let unknown: Vec<&String> = self
            .fields
            .keys()
            .filter(|key| !known.contains(&key.as_str()))
            .collect();
        for key in unknown {
            let hint = nearest(key, known.iter().copied()).map_or_else(
                || format!("the keys here are: {}", known.join(", ")),
                |name| format!("did you mean `{name}`?"),
            );
            self.problem(key, "unknown key", Some(hint));
        }
    }
}
