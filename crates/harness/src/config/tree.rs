//! TOML with line numbers: the parsed file as a tree in which every key and value knows its line.

use std::collections::BTreeMap;

use counterweight_core::ParamValue;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::Diagnostics;

/// A value and its line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) value: Value,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Whole(i64),
    Real(f64),
    Flag(bool),
    List(Vec<Node>),
    Table(Fields),
    /// Dates and whole numbers beyond 64 bits: nothing here takes them.
    Other(&'static str),
}

/// A table: key -> (line of the key, value).
pub(crate) type Fields = BTreeMap<String, (usize, Node)>;

impl Node {
    /// The value as a parameter value; `None` for kinds that no parameter takes.
    pub(crate) fn to_param(&self) -> Option<ParamValue> {
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
            Value::Other(_) => return None,
        })
    }

    /// The value's type, for messages.
    pub(crate) fn type_name(&self) -> &'static str {
        match &self.value {
            Value::Text(_) => "text",
            Value::Whole(_) => "a whole number",
            Value::Real(_) => "a number",
            Value::Flag(_) => "true or false",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Other(name) => name,
        }
    }
}

/// Parses `text`; syntax errors go to `errors`, and what could be read is returned all the same.
pub(crate) fn parse(text: &str, errors: &mut Diagnostics) -> Fields {
    let starts: Vec<usize> = std::iter::once(0)
        .chain(text.match_indices('\n').map(|(at, _)| at + 1))
        .collect();
    let line_of = |at: usize| starts.partition_point(|&start| start <= at);
    let (table, failures) = DeTable::parse_recoverable(text);
    for failure in failures {
        let line = failure.span().map(|span| line_of(span.start));
        let hint = Some("see the sweep file format in the README".to_owned());
        errors.add(
            line,
            "",
            format!("not valid TOML: {}", failure.message().trim()),
            hint,
        );
    }
    fields(table.get_ref(), &line_of)
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
        DeValue::Datetime(_) => Value::Other("a date"),
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
        let tree = parse("a = 1\n\n[b]\nc = [\n  1.5,\n  \"x\",\n]\n", &mut errors);
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
        parse("a = 1\nb = = 2\n", &mut errors);
        let list = errors.into_sorted();
        assert_eq!(list[0].line, Some(2));
    }
}
