//! The `[[leak]]` entries: resampling before the split, to be measured and never ranked.

use counterweight_config::schema::defined;
use counterweight_config::{Diagnostics, Fields, Node, Section, Value};
use counterweight_core::{Catalogue, nearest};
use serde_json::json;

use super::check_id;
use super::methods::{default_stage, stage};
use crate::config::sweep::{Correction, Leak, Sweep};

/// A `[[leak]]`: a resampler, and the models and datasets that it is measured on. A grid is several.
pub(super) fn read_leak(
    fields: &Fields,
    path: &str,
    line: usize,
    (catalogue, sweep): (&Catalogue, &Sweep),
    errors: &mut Diagnostics,
) -> Vec<Leak> {
    let mut s = Section::new(fields, path, line, errors);
    let id = s.text("id");
    if let Some(id) = &id {
        check_id(id, "id", &mut s);
    }
    let resample = s.shaped("resample", || defined("resample"));
    if resample.is_none() && !fields.contains_key("resample") {
        let hint = "a leak has resample = { kind = \"smote\" }, and may have models, datasets";
        s.error("resample", "missing", Some(hint.to_owned()));
    }
    let wanted = (s.shaped("models", ids), s.shaped("datasets", ids));
    // A choice inside the fold asks for folds that the leak has just spoilt: only fixed entries are fitted.
    let fixed = sweep.models.iter().enumerate();
    let fixed: Vec<(usize, &str)> = fixed
        .filter(|(_, model)| model.select.is_none())
        .map(|(at, model)| (at, model.id.as_str()))
        .collect();
    let model_names: Vec<&str> = fixed.iter().map(|(_, id)| *id).collect();
    let populations = sweep.populations.iter().map(|p| p.id.as_str());
    let dataset_names: Vec<&str> = populations
        .chain(sweep.datasets.iter().map(|d| d.id.as_str()))
        .collect();
    let models = named(wanted.0, ("models", "model"), &model_names, &mut s);
    let datasets = named(wanted.1, ("datasets", "dataset"), &dataset_names, &mut s);
    if wanted.0.is_none() && fixed.is_empty() && !sweep.models.is_empty() {
        let hint = "add a [[model]] entry without `select`".to_owned();
        s.error(
            "models",
            "there is no model with fixed parameters",
            Some(hint),
        );
    }
    s.finish();
    let built = stage(
        resample,
        ("resample", "resampler"),
        path,
        catalogue.resamplers,
        errors,
    );
    if built.iter().any(|built| built.entry.caps.minibatches) {
        let key = format!("{path} > resample");
        let message = "it changes how minibatches are drawn and makes no rows that could leak";
        errors.add(Some(line), key, message, None);
        return Vec::new();
    }
    let loss = default_stage(catalogue.losses, "cross-entropy", path, errors);
    let decide = default_stage(catalogue.decisions, "argmax", path, errors);
    let (Some(loss), Some(decide)) = (loss, decide) else {
        return Vec::new();
    };
    let leak = |built: crate::config::method::Built<_, _>| {
        let base = id.as_deref().unwrap_or(built.entry.card.id);
        let id = format!("{base}{}", built.grid_suffix());
        Leak {
            arm: Correction {
                id: id.clone(),
                entry: base.into(),
                line,
                expand: false,
                resample: Some(built),
                ensemble: None,
                loss: loss.clone(),
                decide: decide.clone(),
            },
            id,
            models: models.iter().map(|&at| fixed[at].0).collect(),
            datasets: datasets
                .iter()
                .map(|&at| dataset_names[at].to_owned())
                .collect(),
        }
    };
    built.into_iter().map(leak).collect()
}

/// What a schema says of a list of ids.
pub(super) fn ids() -> serde_json::Value {
    json!({ "type": "array", "minItems": 1, "items": { "type": "string" } })
}

/// Places of the listed names among `known`, in that order; all where nothing is listed.
fn named(
    node: Option<&Node>,
    (key, noun): (&str, &str),
    known: &[&str],
    s: &mut Section<'_, '_>,
) -> Vec<usize> {
    let Some(node) = node else {
        return (0..known.len()).collect();
    };
    let Value::List(items) = &node.value else {
        s.error(key, format!("expected a list of ids of {key}"), None);
        return Vec::new();
    };
    if items.is_empty() {
        let hint = format!("leave `{key}` out for all of them");
        s.error(key, "an empty list", Some(hint));
    }
    let mut wanted = vec![false; known.len()];
    for item in items {
        let Value::Text(id) = &item.value else {
            s.error(key, format!("expected ids of {key}"), None);
            continue;
        };
        if let Some(at) = known.iter().position(|name| name == id) {
            wanted[at] = true;
            continue;
        }
        let hint = nearest(id, known.iter().copied()).map(|name| format!("did you mean `{name}`?"));
        let fixed = if noun == "model" {
            " with fixed parameters"
        } else {
            ""
        };
        s.error(key, format!("there is no {noun}{fixed} `{id}`"), hint);
    }
    (0..known.len()).filter(|&at| wanted[at]).collect()
}
