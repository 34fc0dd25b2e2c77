//! A stage inside a stage: `{ kind = "...", ... }`, or its kind alone.

use std::collections::BTreeMap;

use super::{ParamError, ParamValue, Params, check};
use crate::catalogue::{Entry, find};
use crate::suggest::nearest;

/// The method among `entries` that the parameter `key` describes, unless it is one of `refused`. A kind
/// that is none of them is an error that says `unknown`; one that is missing names an `example`.
///
/// # Errors
/// [`ParamError`] for such a kind, and for parameters that the method refuses.
pub fn nested<C, T: ?Sized>(
    entries: &'static [Entry<C, T>],
    (params, key): (&Params, &str),
    refused: &[&str],
    unknown: impl Fn(&str) -> String,
    example: &str,
) -> Result<(&'static Entry<C, T>, Box<T>), ParamError> {
    let wrong = |problem: String, hint: Option<String>| ParamError {
        hint,
        ..ParamError::new(key, problem)
    };
    let (kind, mut given) = match params.get(key) {
        Some(ParamValue::Text(kind)) => (Some(kind), BTreeMap::new()),
        Some(ParamValue::Table(fields)) => match fields.get("kind") {
            Some(ParamValue::Text(kind)) => (Some(kind), fields.clone()),
            _ => (None, BTreeMap::new()),
        },
        _ => (None, BTreeMap::new()),
    };
    given.remove("kind");
    let kind = kind.ok_or_else(|| wrong("`kind` is missing".into(), Some(example.into())))?;
    let known = || {
        let ids = entries.iter().map(|entry| entry.card.id);
        ids.filter(|id| !refused.contains(id))
    };
    let entry = find(entries, kind).filter(|entry| !refused.contains(&entry.card.id));
    let entry = entry.ok_or_else(|| {
        let hint = nearest(kind, known()).map_or_else(
            || format!("known: {}", known().collect::<Vec<_>>().join(", ")),
            |name| format!("did you mean `{name}`?"),
        );
        wrong(unknown(kind), Some(hint))
    })?;
    let checked = check(entry.card.params, &given).map_err(|errors| {
        // One error can leave here; it names all of them.
        let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
        wrong(
            texts.join("; "),
            errors.into_iter().find_map(|error| error.hint),
        )
    })?;
    let built = (entry.build)(&checked).map_err(|error| wrong(error.to_string(), error.hint))?;
    Ok((entry, built))
}
