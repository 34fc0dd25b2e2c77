//! The JSON schema of a file, made from what its reader asks for: whoever reads a probe with
//! [`Diagnostics::recording`](crate::Diagnostics::recording) finds every key that a [`Section`](crate::Section) was
//! asked for, and no list of keys has to be kept beside the reader.

use std::collections::{BTreeMap, BTreeSet};

use counterweight_core::params::{ParamKind, Range, STRATEGIES};
use counterweight_core::{Card, ParamSpec, ParamValue};
use serde_json::{Map, Value, json};

/// The keys that were asked for, by the path of their table (`model 2 > features`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked(BTreeMap<String, Table>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Table {
    keys: BTreeMap<String, Value>,
    required: BTreeSet<String>,
}

impl Asked {
    /// A key and what its value may be, in place of what was known of it.
    pub(crate) fn key(&mut self, path: &str, key: &str, shape: Value) {
        let table = self.0.entry(path.to_owned()).or_default();
        table.keys.insert(key.to_owned(), shape);
    }

    /// A key without which the table is wrong.
    pub(crate) fn require(&mut self, path: &str, key: &str) {
        let table = self.0.entry(path.to_owned()).or_default();
        table.required.insert(key.to_owned());
    }

    /// A key that was asked for and is refused all the same.
    pub(crate) fn forget(&mut self, path: &str, key: &str) {
        if let Some(table) = self.0.get_mut(path) {
            table.keys.remove(key);
            table.required.remove(key);
        }
    }

    /// The schema (draft 7) of the whole file. Tables of an array (`model 1`, `model 2`) are its alternatives.
    pub fn schema(&self, title: &str, definitions: Map<String, Value>) -> Value {
        let mut schema = self.object("");
        schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
        schema["title"] = json!(title);
        if !definitions.is_empty() {
            schema["definitions"] = Value::Object(definitions);
        }
        schema
    }

    fn object(&self, path: &str) -> Value {
        let Some(table) = self.0.get(path) else {
            return json!({ "type": "object" });
        };
        let property = |(key, shape): (&String, &Value)| {
            let inner = match path {
                "" => key.clone(),
                path => format!("{path} > {key}"),
            };
            if self.0.contains_key(&inner) {
                return (key.clone(), self.object(&inner));
            }
            let entries = (1..).map(|at| format!("{inner} {at}"));
            let entries = entries.take_while(|entry| self.0.contains_key(entry));
            let forms: Vec<Value> = entries.map(|entry| self.object(&entry)).collect();
            let shape = if forms.is_empty() {
                shape.clone()
            } else {
                json!({ "type": "array", "minItems": 1, "items": any_of(merged(forms)) })
            };
            (key.clone(), shape)
        };
        let properties: Map<String, Value> = table.keys.iter().map(property).collect();
        closed(&properties, table.required.iter().map(String::as_str))
    }
}

/// A table of these keys and no others.
fn closed<'a>(properties: &Map<String, Value>, required: impl Iterator<Item = &'a str>) -> Value {
    let required: Vec<&str> = required.collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn any_of(mut forms: Vec<Value>) -> Value {
    if forms.len() == 1 {
        forms.remove(0)
    } else {
        json!({ "anyOf": forms })
    }
}

/// Tables that differ in one word alone, such as their kind, as one table with a choice of words.
fn merged(forms: Vec<Value>) -> Vec<Value> {
    let mut found: Vec<(Value, Option<String>, Vec<Value>)> = Vec::new();
    for mut form in forms {
        let own = form["properties"].as_object();
        let own = own.and_then(|own| own.iter().find(|(_, shape)| shape.get("const").is_some()));
        let own = own.map(|(key, shape)| (key.clone(), shape["const"].clone()));
        let (key, word) = own.unzip();
        if let Some(key) = &key {
            form["properties"][key] = Value::Null;
        }
        match found.iter_mut().find(|(other, ..)| *other == form) {
            Some((.., words)) => words.extend(word.filter(|word| !words.contains(word))),
            None => found.push((form, key, word.into_iter().collect())),
        }
    }
    let restored = |(mut form, key, words): (Value, Option<String>, Vec<Value>)| {
        if let Some(key) = key {
            form["properties"][key] = json!({ "enum": words });
        }
        form
    };
    found.into_iter().map(restored).collect()
}

/// One of several methods: its kind alone where it needs nothing else, or a table with its parameters. A stage inside
/// it is one of them again, whose definition is called `own`.
pub fn of_methods<'a>(own: &str, cards: impl Iterator<Item = &'a Card> + Clone) -> Value {
    let bare = |card: &&Card| !card.params.iter().any(|spec| spec.required);
    let words: Vec<&str> = cards.clone().filter(bare).map(|card| card.id).collect();
    let form = |card: &Card| {
        let mut keys = Map::new();
        keys.insert("kind".into(), json!({ "const": card.id }));
        let params = card.params.iter();
        keys.extend(params.map(|spec| (spec.name.to_owned(), of_param(spec, own))));
        let required = card.params.iter().filter(|spec| spec.required);
        closed(
            &keys,
            ["kind"].into_iter().chain(required.map(|spec| spec.name)),
        )
    };
    let mut forms = vec![json!({ "enum": words })];
    forms.extend(merged(cards.map(form).collect()));
    any_of(forms)
}

/// What a sweep file may say of a parameter: a value, or a grid of them. A stage is one of the definition `own`.
pub(crate) fn of_param(spec: &ParamSpec, own: &str) -> Value {
    let list = |items: &Value| json!({ "type": "array", "minItems": 1, "items": items });
    let text = || json!({ "type": "string", "minLength": 1 });
    let (one, grid) = match spec.kind {
        ParamKind::Real(range) => grid_of(number("number", range)),
        ParamKind::Whole(range) => grid_of(number("integer", range)),
        ParamKind::Choice(words) => grid_of(json!({ "enum": words })),
        ParamKind::Flag => grid_of(json!({ "type": "boolean" })),
        ParamKind::Text => grid_of(text()),
        ParamKind::Texts => grid_of(list(&text())),
        ParamKind::Reals(range) => grid_of(list(&number("number", range))),
        ParamKind::Wholes(range) => grid_of(list(&number("integer", range))),
        ParamKind::Rows(range) => grid_of(list(&list(&number("number", range)))),
        ParamKind::Prior(words) => {
            let numbers = list(&number("number", Range::POSITIVE));
            grid_of(json!({ "anyOf": [{ "enum": words }, numbers] }))
        }
        ParamKind::Strategy => {
            let counts = number("integer", Range::AT_LEAST_ONE);
            grid_of(json!({ "anyOf": [
                { "enum": STRATEGIES },
                number("number", Range::new(0.0, false, 1.0, true)),
                { "type": "object", "additionalProperties": counts },
            ] }))
        }
        ParamKind::Stage => grid_of(defined(own)),
    };
    let mut shape = json!({ "anyOf": [one, grid], "description": spec.about });
    if let Some(default) = spec.default {
        shape["default"] = plain(&default.into());
    }
    shape
}

/// What stands under this name among the definitions.
pub fn defined(name: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{name}") })
}

/// A value beside a list of such values.
fn grid_of(one: Value) -> (Value, Value) {
    let grid = json!({ "type": "array", "minItems": 1, "items": one });
    (one, grid)
}

fn number(kind: &str, range: Range) -> Value {
    let mut shape = json!({ "type": kind });
    for (end, included, with, without) in [
        (range.low, range.low_included, "minimum", "exclusiveMinimum"),
        (
            range.high,
            range.high_included,
            "maximum",
            "exclusiveMaximum",
        ),
    ] {
        if end.is_finite() {
            shape[if included { with } else { without }] = json!(end);
        }
    }
    shape
}

fn plain(value: &ParamValue) -> Value {
    match value {
        ParamValue::Text(text) => json!(text),
        ParamValue::Whole(value) => json!(value),
        ParamValue::Real(value) => json!(value),
        ParamValue::Flag(value) => json!(value),
        ParamValue::List(items) => items.iter().map(plain).collect(),
        ParamValue::Table(fields) => {
            let fields = fields
                .iter()
                .map(|(key, value)| (key.clone(), plain(value)));
            Value::Object(fields.collect())
        }
    }
}
