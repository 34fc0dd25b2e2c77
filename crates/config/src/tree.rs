//! TOML with line numbers: the parsed file as a tree in which every key and value knows its line.

use std::collections::BTreeMap;

use counterweight_core::ParamValue;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::{Date, Diagnostics};

/// A value and its line.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// From 1.
    pub line: usize,
    /// What stands there.
    pub value: Value,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// In quotes.
    Text(String),
    /// A whole number of 64 bits.
    Whole(i64),
    /// A number; infinities and NaN too.
    Real(f64),
    /// True or false.
    Flag(bool),
    /// A day without an hour.
    Date(Date),
    /// Values of any kinds.
    List(Vec<Node>),
    /// Keys and values.
    Table(Fields),
    /// Times of a day and whole numbers beyond 64 bits: nothing here takes them.
    Other(&'static str),
}

/// A table: key -> (line of the key, value).
pub type Fields = BTreeMap<String, (usize, Node)>;

impl Node {
    /// The value as a parameter value; `None` for kinds that no parameter takes.
    pub fn to_param(&self) -> Option<ParamValue> {
        Some(match &self.value {
            Value::Text(text) => ParamValue::Text(text.clone()),
            Value::Whole(value) => ParamValue::Whole(*value),
            Value::Real(value) => ParamValue::Real(*value),
            Value::Flag(value) => ParamValue::Flag(*value),
            Value::List(items) => {
                ParamValue::List(items.iter().map(Self::to_param).collect::<Option<_>>()?)
            }
            Value::Table(fields) => ParamValue::Table(
                fields
                    .iter()
                    .map(|(key, (_, node))| Some((key.clone(), node.to_param()?)))
                    .collect::<Option<_>>()?,
            ),
            Value::Date(_) | Value::Other(_) => return None,
        })
    }

    /// The value as a number, whole or not.
    pub fn number(&self) -> Option<f64> {
        match self.value {
            Value::Whole(value) => Some(value as f64),
            Value::Real(value) => Some(value),
            _ => None,
        }
    }

    /// The value's type, for messages.
    pub fn type_name(&self) -> &'static str {
        match &self.value {
            Value::Text(_) => "text",
            Value::Whole(_) => "a whole number",
            Value::Real(_) => "a number",
            Value::Flag(_) => "true or false",
            Value::Date(_) => "a date",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Other(name) => name,
        }
    }
}

/// Parses `text`; syntax errors go to `errors` with `hint`, and what could be read is returned all the
/// same. After a syntax error the rest of the tree is guesswork: read on only without errors.
pub fn parse(text: &str, hint: Option<&str>, errors: &mut Diagnostics) -> Fields {
    let starts: Vec<usize> = std::iter::once(0)
        .chain(text.match_indices('\n').map(|(at, _)| at + 1))
        .collect();
    let line_of = |at: usize| starts.partition_point(|&start| start <= at);
    let (table, failures) = DeTable::parse_recoverable(text);
    for failure in failures {
        let line = failure.span().map(|span| line_of(span.start));
        let message = format!("not valid TOML: {}", failure.message().trim());
        errors.add(line, "", message, hint.map(str::to_owned));
    }
    fields(table.get_ref(), &line_of)
}

/// The entries of an array of tables, with their paths (`model 2`) and lines; what is no table is an
/// error. `noun` is the array's key.
pub fn tables<'n>(
    node: Option<&'n Node>,
    noun: &str,
    errors: &mut Diagnostics,
) -> Vec<(String, usize, &'n Fields)> {
    let Some(node) = node else { return Vec::new() };
    let hint = || Some(format!("write [[{noun}]] with double brackets"));
    let Value::List(items) = &node.value else {
        errors.add(Some(node.line), noun, "expected a list of tables", hint());
        return Vec::new();
    };
    let mut found = Vec::new();
    for (at, item) in items.iter().enumerate() {
        if let Value::Table(fields) = &item.value {
            // The span of an array's table starts at its header only in some parsers: the first
            // key's line serves as well and is never above the header.
            let line = fields
                .values()
                .map(|(line, _)| *line)
                .min()
                .unwrap_or(item.line);
            found.push((
                format!("{noun} {}", at + 1),
                line.min(item.line.max(1)),
                fields,
            ));
        } else {
            errors.add(Some(item.line), noun, "expected a table", hint());
        }
    }
    found
}

fn fields(table: &DeTable<'_>, line_of: &impl Fn(usize) -> usize) -> Fields {
    table
        .iter()
        .map(|(key, value)| {
            (
                key.get_ref().to_string(),
                (line_of(key.span().start), node(value, line_of)),
            )
        })
        .collect()
}

fn node(value: &Spanned<DeValue<'_>>, line_of: &impl Fn(usize) -> usize) -> Node {
    let line = line_of(value.span().start);
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Other("a whole number beyond 64 bits"), Value::Whole),
        DeValue::Float(number) => number
            .as_str()
            .parse()
            .map_or(Value::Other("not a number"), Value::Real),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(time) => match time.date {
            Some(day) if time.time.is_none() => Value::Date(day.into()),
            _ => Value::Other("a time"),
        },
        DeValue::Array(items) => {
            Value::List(items.iter().map(|item| node(item, line_of)).collect())
        }
        DeValue::Table(table) => Value::Table(fields(table, line_of)),
    };
    Node { line, value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_the_file() {
        let mut errors = Diagnostics::new("s.toml");
        let tree = parse(
            "a = 1\n\n[b]\nc = [\n  1.5,\n  \"x\",\n]\n",
            None,
            &mut errors,
        );
        assert!(errors.is_empty());
        assert_eq!(tree["a"].0, 1);
        let Value::Table(b) = &tree["b"].1.value else {
            panic!("table")
        };
        assert_eq!(b["c"].0, 4);
        let Value::List(items) = &b["c"].1.value else {
            panic!("list")
        };
        assert_eq!((items[0].line, items[1].line), (5, 6));
    }

    #[test]
    fn syntax_errors_carry_their_line() {
        let mut errors = Diagnostics::new("s.toml");
        parse("a = 1\nb = = 2\n", None, &mut errors);
        let list = errors.into_sorted();
        assert_eq!(list[0].line, Some(2));
    }
}
