//! Reads one table of the sweep file, key by key. What is not asked for is an unknown key.

use counterweight_core::{ParamSpec, nearest};

use super::diagnostic::Diagnostics;
use super::tree::{Fields, Node, Value};

/// A table under reading. Every getter that finds a value of the wrong type reports it and returns
/// `None`, so that all errors of a file come out at once.
pub(crate) struct Section<'f, 'e> {
    fields: &'f Fields,
    path: String,
    line: usize,
    known: Vec<&'static str>,
    pub(crate) errors: &'e mut Diagnostics,
}

impl<'f, 'e> Section<'f, 'e> {
    pub(crate) fn new(
        fields: &'f Fields,
        path: impl Into<String>,
        line: usize,
        errors: &'e mut Diagnostics,
    ) -> Self {
        Self {
            fields,
            path: path.into(),
            line,
            known: Vec::new(),
            errors,
        }
    }

    /// The line of `key`, or of the section.
    pub(crate) fn line_of(&self, key: &str) -> usize {
        self.fields.get(key).map_or(self.line, |(line, _)| *line)
    }

    /// The full name of `key`.
    pub(crate) fn name(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{} > {key}", self.path)
        }
    }

    /// Reports an error about `key`.
    pub(crate) fn error(&mut self, key: &str, message: impl Into<String>, hint: Option<String>) {
        let (line, name) = (self.line_of(key), self.name(key));
        self.errors.add(Some(line), name, message, hint);
    }

    fn wrong(&mut self, key: &str, expected: &str, found: &Node) {
        let name = self.name(key);
        let message = format!("expected {expected}, found {}", found.type_name());
        self.errors.add(Some(found.line), name, message, None);
    }

    /// The raw value of `key`.
    pub(crate) fn node(&mut self, key: &'static str) -> Option<&'f Node> {
        self.known.push(key);
        self.fields.get(key).map(|(_, node)| node)
    }

    /// Text.
    pub(crate) fn text(&mut self, key: &'static str) -> Option<String> {
        match self.node(key) {
            Some(Node {
                value: Value::Text(text),
                ..
            }) => Some(text.clone()),
            Some(other) => {
                self.wrong(key, "text in quotes", other);
                None
            }
            None => None,
        }
    }

    /// A whole number of at least `least`.
    pub(crate) fn whole(&mut self, key: &'static str, least: usize) -> Option<usize> {
        match self.node(key) {
            Some(Node {
                value: Value::Whole(value),
                ..
            }) if usize::try_from(*value).is_ok_and(|v| v >= least) => usize::try_from(*value).ok(),
            Some(Node {
                value: Value::Whole(value),
                ..
            }) => {
                self.error(
                    key,
                    format!("must be at least {least}, found {value}"),
                    None,
                );
                None
            }
            Some(other) => {
                self.wrong(key, "a whole number", other);
                None
            }
            None => None,
        }
    }

    /// A number for which `good` holds; `range` says so in words.
    pub(crate) fn real(
        &mut self,
        key: &'static str,
        range: &str,
        good: impl Fn(f64) -> bool,
    ) -> Option<f64> {
        let node = self.node(key)?;
        let value = match node.value {
            Value::Real(value) => value,
            Value::Whole(value) => value as f64,
            _ => {
                self.wrong(key, "a number", node);
                return None;
            }
        };
        if good(value) {
            Some(value)
        } else {
            self.error(key, format!("must be {range}, found {value}"), None);
            None
        }
    }

    /// True or false.
    pub(crate) fn flag(&mut self, key: &'static str) -> Option<bool> {
        match self.node(key) {
            Some(Node {
                value: Value::Flag(flag),
                ..
            }) => Some(*flag),
            Some(other) => {
                self.wrong(key, "true or false", other);
                None
            }
            None => None,
        }
    }

    /// One of `words`.
    pub(crate) fn choice(&mut self, key: &'static str, words: &[&'static str]) -> Option<String> {
        let text = self.text(key)?;
        if words.contains(&text.as_str()) {
            return Some(text);
        }
        let hint = nearest(&text, words.iter().copied()).map(|w| format!("did you mean `{w}`?"));
        self.error(
            key,
            format!("`{text}` is not one of {}", words.join(", ")),
            hint,
        );
        None
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        let node = self.node(key)?;
        let Value::List(items) = &node.value else {
            self.wrong(key, "a list of texts", node);
            return None;
        };
        let mut texts = Vec::new();
        for item in items {
            if let Value::Text(text) = &item.value {
                texts.push(text.clone());
            } else {
                self.wrong(key, "a list of texts", item);
            }
        }
        Some(texts)
    }

    /// The keys that were not asked for, with their nodes: a method's own parameters.
    pub(crate) fn rest(&self) -> impl Iterator<Item = (&'f str, usize, &'f Node)> + use<'f> {
        let known = self.known.clone();
        self.fields
            .iter()
            .filter(move |(key, _)| !known.contains(&key.as_str()))
            .map(|(key, (line, node))| (key.as_str(), *line, node))
    }

    /// The parameters of a method, read from the keys that were not asked for. A key that the method
    /// does not have either is reported here, where the nearest name may be one of both kinds.
    pub(crate) fn parameters(
        &mut self,
        specs: &'static [ParamSpec],
    ) -> Vec<(&'f str, usize, &'f Node)> {
        let own: Vec<&'static str> = specs.iter().map(|spec| spec.name).collect();
        let (given, unknown): (Vec<_>, Vec<_>) =
            self.rest().partition(|(key, ..)| own.contains(key));
        for (key, line, _) in unknown {
            let names = self.known.iter().copied().chain(own.iter().copied());
            let hint = match nearest(key, names) {
                Some(name) => format!("did you mean `{name}`?"),
                None if own.is_empty() => "this method takes no parameters".to_owned(),
                None => format!("the method takes: {}", own.join(", ")),
            };
            let name = self.name(key);
            self.errors.add(Some(line), name, "unknown key", Some(hint));
        }
        given
    }

    /// Reports every key that was not asked for.
    pub(crate) fn finish(mut self) {
        let unknown: Vec<(String, usize)> = self
            .rest()
            .map(|(key, line, _)| (key.to_owned(), line))
            .collect();
        let mut known = std::mem::take(&mut self.known);
        known.sort_unstable();
        known.dedup();
        for (key, line) in unknown {
            let hint = nearest(&key, known.iter().copied()).map_or_else(
                || format!("the keys here are: {}", known.join(", ")),
                |name| format!("did you mean `{name}`?"),
            );
            let name = self.name(&key);
            self.errors.add(Some(line), name, "unknown key", Some(hint));
        }
    }
}
