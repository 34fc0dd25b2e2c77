//! The `[[curve]]` entries.

use std::collections::BTreeMap;

use counterweight_config::schema::defined;
use counterweight_config::{Diagnostics, Fields, Section, Value};
use counterweight_core::{Catalogue, ParamValue, nearest};

use super::check_id;
use super::leak::ids;
use super::methods::stage;
use crate::config::sweep::{Correction, Curve};

/// A `[[curve]]`: a decision, the range of its parameter, and the corrections on whose fits it is drawn.
pub(super) fn read_curve(
    fields: &Fields,
    path: &str,
    line: usize,
    (catalogue, corrections): (&Catalogue, &[Correction]),
    errors: &mut Diagnostics,
) -> Option<Curve> {
    let mut s = Section::new(fields, path, line, errors);
    let id = s.text("id");
    if let Some(id) = &id {
        check_id(id, "id", &mut s);
    }
    let finite = |v: f64| v.is_finite();
    let parameter = s.text("parameter");
    let from = s.real("from", "a finite number", finite);
    let to = s.real("to", "a finite number", finite);
    let points = s.whole("points", 2);
    let decide = s.shaped("decide", || defined("decide"));
    let wanted = s.shaped("corrections", ids);
    for (key, given) in [
        ("parameter", parameter.is_some()),
        ("from", from.is_some()),
        ("to", to.is_some()),
        ("decide", decide.is_some()),
    ] {
        if !given && !fields.contains_key(key) {
            let hint = Some(
                "a curve has decide = { kind = \"logit-adjust\" }, parameter = \"tau\", from, to, points"
                    .to_owned(),
            );
            s.error(key, "missing", hint);
        }
    }
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        s.error("to", format!("not above `from` = {from}"), None);
    }
    if points.is_some_and(|points| points > 1_000_000) {
        s.error("points", "more than a million points", None);
    }
    let mut on = Vec::new();
    let known: BTreeMap<&str, usize> = (0..)
        .zip(corrections)
        .map(|(at, c)| (c.id.as_str(), at))
        .collect();
    match wanted.map(|node| (&node.value, node.line)) {
        None => on.extend(0..corrections.len()),
        Some((Value::List(items), _)) if !items.is_empty() => {
            for item in items {
                let Value::Text(id) = &item.value else {
                    s.error("corrections", "expected ids of corrections", None);
                    continue;
                };
                let found = known.get(id.as_str()).copied();
                on.extend(found);
                if found.is_none() {
                    let names = corrections.iter().map(|c| c.id.as_str());
                    let hint = nearest(id, names).map(|name| format!("did you mean `{name}`?"));
                    s.error(
                        "corrections",
                        format!("there is no correction `{id}`"),
                        hint,
                    );
                }
            }
        }
        Some(_) => s.error("corrections", "expected a list of ids of corrections", None),
    }
    s.finish();
    let before = errors.len();
    let built = stage(
        decide,
        ("decide", "decision"),
        path,
        catalogue.decisions,
        errors,
    );
    let (Some(parameter), Some(from), Some(to)) = (parameter, from, to) else {
        return None;
    };
    let decide = match &built[..] {
        [one] => one.clone(),
        [] => return None,
        _ => {
            let hint = Some("the curve's own parameter is its grid".to_owned());
            let key = format!("{path} > decide");
            errors.add(Some(line), key, "a curve is of one decision", hint);
            return None;
        }
    };
    // Both ends have to be values that the parameter takes.
    let spec = decide
        .entry
        .card
        .params
        .iter()
        .find(|spec| spec.name == parameter);
    if let Some(spec) = spec {
        for (key, value) in [("from", from), ("to", to)] {
            if let Err(error) = spec.check(&ParamValue::Real(value)) {
                let line = fields.get(key).map(|(line, _)| *line);
                errors.add(line, format!("{path} > {key}"), error.problem, error.hint);
            }
        }
    } else {
        let names = decide.entry.card.params.iter().map(|spec| spec.name);
        let hint = nearest(&parameter, names).map(|name| format!("did you mean `{name}`?"));
        let line = fields.get("parameter").map(|(line, _)| *line);
        let message = format!("`{}` has no parameter `{parameter}`", decide.entry.card.id);
        errors.add(line, format!("{path} > parameter"), message, hint);
    }
    let spec = spec.filter(|_| errors.len() == before)?;
    Some(Curve {
        id: id.unwrap_or_else(|| decide.entry.card.id.to_owned()),
        parameter: spec.name,
        from,
        to,
        points: points.unwrap_or(1001),
        corrections: on,
        decide,
    })
}
