//! Reads one table of a file, key by key. What is not asked for is an unknown key.

use counterweight_core::{ParamSpec, nearest};
use serde_json::{Value as Shape, json};

use crate::schema::of_param;
use crate::{Date, Diagnostics, Fields, Node, Value};

/// A table under reading. Every getter that finds a value of the wrong type reports it and returns
/// `None`, so that all errors of a file come out at once.
#[derive(Debug)]
pub struct Section<'f, 'e> {
    fields: &'f Fields,
    path: String,
    line: usize,
    known: Vec<&'static str>,
    /// Where errors go.
    pub errors: &'e mut Diagnostics,
}

impl<'f, 'e> Section<'f, 'e> {
    /// A table that begins in `line`; `path` (`model 2`) is empty for the whole file.
    pub fn new(
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
    pub fn line_of(&self, key: &str) -> usize {
        self.fields.get(key).map_or(self.line, |(line, _)| *line)
    }

    /// The full name of `key`.
    pub fn name(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else if key.is_empty() {
            self.path.clone()
        } else {
            format!("{} > {key}", self.path)
        }
    }

    /// Whether `key` is there, of whatever type.
    pub fn has(&self, key: &str) -> bool {
        self.fields.contains_key(key)
    }

    /// Reports an error about `key`; about the table where `key` is empty.
    pub fn error(&mut self, key: &str, message: impl Into<String>, hint: Option<String>) {
        let (line, name) = (self.line_of(key), self.name(key));
        let message = message.into();
        if message == "missing" {
            self.errors.require(&self.path, key);
        }
        self.errors.add(Some(line), name, message, hint);
    }

    fn wrong<T>(&mut self, key: &str, expected: &str, found: &Node) -> Option<T> {
        let name = self.name(key);
        let message = format!("expected {expected}, found {}", found.type_name());
        self.errors.add(Some(found.line), name, message, None);
        None
    }

    /// The raw value of `key`, which may be anything, or a table that is read as another section.
    pub fn node(&mut self, key: &'static str) -> Option<&'f Node> {
        self.shaped(key, || json!({}))
    }

    /// The raw value of `key`, with what a schema says of it.
    pub fn shaped(&mut self, key: &'static str, shape: impl FnOnce() -> Shape) -> Option<&'f Node> {
        self.known.push(key);
        self.errors.ask(&self.path, key, shape);
        self.fields.get(key).map(|(_, node)| node)
    }

    /// Text in quotes.
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        let node = self.shaped(key, || json!({ "type": "string" }))?;
        let Value::Text(text) = &node.value else {
            return self.wrong(key, "text in quotes", node);
        };
        self.errors.require(&self.path, key);
        if !text.is_empty() {
            self.errors
                .ask(&self.path, key, || json!({ "const": text }));
        }
        Some(text.clone())
    }

    /// A whole number of at least `least`.
    pub fn whole(&mut self, key: &'static str, least: usize) -> Option<usize> {
        let shape = || json!({ "type": "integer", "minimum": least });
        let node = self.shaped(key, shape)?;
        let Value::Whole(value) = node.value else {
            return self.wrong(key, "a whole number", node);
        };
        let whole = usize::try_from(value).ok().filter(|&v| v >= least);
        if whole.is_none() {
            let message = format!("must be at least {least}, found {value}");
            self.error(key, message, None);
        }
        whole
    }

    /// A number for which `good` holds; `range` says so in words.
    pub fn real(
        &mut self,
        key: &'static str,
        range: &str,
        good: impl Fn(f64) -> bool,
    ) -> Option<f64> {
        let shape = || json!({ "type": "number", "description": range });
        let node = self.shaped(key, shape)?;
        let Some(value) = node.number() else {
            return self.wrong(key, "a number", node);
        };
        if good(value) {
            Some(value)
        } else {
            self.error(key, format!("must be {range}, found {value}"), None);
            None
        }
    }

    /// True or false.
    pub fn flag(&mut self, key: &'static str) -> Option<bool> {
        let node = self.shaped(key, || json!({ "type": "boolean" }))?;
        match node.value {
            Value::Flag(flag) => Some(flag),
            _ => self.wrong(key, "true or false", node),
        }
    }

    /// One of `words`.
    pub fn choice(&mut self, key: &'static str, words: &[&'static str]) -> Option<String> {
        let text = self.text(key);
        self.errors
            .ask(&self.path, key, || json!({ "enum": words }));
        let text = text?;
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

    /// One text or a list of them.
    pub fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        let node = self.shaped(key, || one_or_list(&json!({ "type": "string" })))?;
        let items = match &node.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut texts = Some(Vec::new());
        for item in items {
            match (&item.value, &mut texts) {
                (Value::Text(text), Some(texts)) => texts.push(text.clone()),
                (Value::Text(_), None) => {}
                _ => texts = self.wrong(key, "text or a list of texts", item),
            }
        }
        texts
    }

    /// A day, in quotes or without.
    pub fn date(&mut self, key: &'static str) -> Option<Date> {
        let shape = || json!({ "type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$" });
        let day = match &self.shaped(key, shape)?.value {
            Value::Date(day) => Some(*day),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        };
        if day.is_none() {
            self.error(key, "expected a day, written as 2027-01-31", None);
        }
        day
    }

    /// The keys that were not asked for, with their nodes: a method's own parameters.
    pub fn rest(&self) -> impl Iterator<Item = (&'f str, usize, &'f Node)> + use<'f> {
        let known = self.known.clone();
        self.fields
            .iter()
            .filter(move |(key, _)| !known.contains(&key.as_str()))
            .map(|(key, (line, node))| (key.as_str(), *line, node))
    }

    /// The parameters of a method, read from the keys that were not asked for. A key that the method
    /// does not have either is reported here, where the nearest name may be one of both kinds.
    pub fn parameters(&mut self, specs: &'static [ParamSpec]) -> Vec<(&'f str, usize, &'f Node)> {
        let own: Vec<&'static str> = specs.iter().map(|spec| spec.name).collect();
        // `population` of `population 3`: what a stage inside a method is one of.
        let stage = self.path.split(' ').next().unwrap_or_default();
        for spec in specs {
            let shape = || of_param(spec, stage);
            self.errors.ask(&self.path, spec.name, shape);
            if spec.required {
                self.errors.require(&self.path, spec.name);
            }
        }
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
    pub fn finish(mut self) {
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

/// The schema of one value or a list of such.
pub fn one_or_list(one: &Shape) -> Shape {
    json!({ "anyOf": [one, { "type": "array", "minItems": 1, "items": one }] })
}
