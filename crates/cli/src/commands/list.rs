//! `counterweight list`: everything that a sweep may name, as text or as a JSON array of objects
//! with an `id`.

use std::collections::BTreeMap;

use counterweight::{CATALOGUE, Error, Exit, Result};
use counterweight_core::params::{ParamKind, check};
use counterweight_core::{Card, LearnerCaps, ParamValue, ScoreKind, find};
use counterweight_data::populations::picture;
use counterweight_harness::config::presets;
use serde_json::{Map, Value, json};

use crate::args::{Format, What};
use crate::commands::datasets::{self, DatasetFilter};

pub(crate) fn list(what: What, filter: &DatasetFilter, format: Format) -> Result<Exit> {
    if what != What::Datasets && filter.is_given() {
        return Err(Error::usage("only datasets are chosen by such flags")
            .hint("leave them out, or `list datasets`"));
    }
    let items: Vec<Map<String, Value>> = match what {
        What::Corrections => corrections(),
        What::Models => CATALOGUE
            .learners
            .iter()
            .map(|entry| with(card(&entry.card), learner(&entry.caps)))
            .collect(),
        What::Metrics => CATALOGUE
            .metrics
            .iter()
            .map(|entry| {
                let caps = entry.caps;
                with(
                    card(&entry.card),
                    json!({
                        "needs_probabilities": caps.probabilities,
                        "prior_dependent": caps.prior_dependent,
                        "lower_is_better": caps.lower_is_better,
                    }),
                )
            })
            .collect(),
        What::Populations => CATALOGUE
            .populations
            .iter()
            .map(|entry| card(&entry.card))
            .collect(),
        What::Datasets => return datasets::list(filter, format),
        What::Presets => presets::ALL
            .iter()
            .map(|preset| {
                object(json!({
                    "id": preset.id, "summary": preset.summary,
                    "section": preset.section.key(), "toml": preset.toml(&CATALOGUE),
                }))
            })
            .collect(),
    };
    match format {
        Format::Json => {
            let text = serde_json::to_string_pretty(&items)
                .map_err(|error| Error::internal(error.to_string()))?;
            println!("{text}");
        }
        Format::Text => print(what, &items),
    }
    Ok(Exit::Ok)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn with(mut map: Map<String, Value>, more: Value) -> Map<String, Value> {
    map.extend(object(more));
    map
}

/// A population at its defaults, in letters: the digit of the densest class.
fn drawn(id: &str) -> Vec<String> {
    let population = find(CATALOGUE.populations, id).and_then(|entry| {
        let params = check(entry.card.params, &BTreeMap::new()).ok()?;
        (entry.build)(&params).ok()
    });
    population.map_or_else(Vec::new, |population| picture(&*population, 60, 12))
}

fn card(card: &Card) -> Map<String, Value> {
    let params: Vec<Value> = card
        .params
        .iter()
        .map(|spec| {
            json!({
                "name": spec.name,
                "kind": kind(&spec.kind),
                "default": spec.default.map(|d| ParamValue::from(d).to_string()),
                "required": spec.required,
                "about": spec.about,
            })
        })
        .collect();
    object(json!({
        "id": card.id, "summary": card.summary, "reference": card.reference, "params": params,
    }))
}

fn kind(kind: &ParamKind) -> String {
    match kind {
        ParamKind::Real(range) => format!("number in {range}"),
        ParamKind::Whole(range) => format!("whole number in {range}"),
        ParamKind::Choice(words) => words.join(" | "),
        ParamKind::Text => "text".into(),
        ParamKind::Texts => "list of texts".into(),
        ParamKind::Flag => "true | false".into(),
        ParamKind::Reals(range) => format!("list of numbers in {range}"),
        ParamKind::Wholes(range) => format!("list of whole numbers in {range}"),
        ParamKind::Rows(range) => format!("square table of numbers in {range}, row by row"),
        ParamKind::Prior(words) => format!("{} | a number per class", words.join(" | ")),
        ParamKind::Strategy => {
            let words = counterweight_core::params::STRATEGIES.join(" | ");
            format!("{words} | ratio in (0, 1] | counts per class")
        }
        ParamKind::Stage => "{ kind = ... }".into(),
    }
}

fn corrections() -> Vec<Map<String, Value>> {
    let stage = |stage: &str, family: &str| json!({ "stage": stage, "family": family });
    let mut items: Vec<Map<String, Value>> = Vec::new();
    for entry in CATALOGUE.resamplers {
        items.push(with(
            card(&entry.card),
            stage("resample", entry.caps.family),
        ));
    }
    for entry in CATALOGUE.ensembles {
        items.push(with(
            card(&entry.card),
            stage("ensemble", entry.caps.family),
        ));
    }
    for entry in CATALOGUE.losses {
        items.push(with(card(&entry.card), stage("loss", entry.caps.family)));
    }
    for entry in CATALOGUE.decisions {
        items.push(with(card(&entry.card), stage("decide", entry.caps.family)));
    }
    items
}

/// The terms that a learner may honour: key and heading.
const HONOURED: [(&str, &str); 8] = [
    ("weights", "weights"),
    ("margins", "margins"),
    ("factors", "factors"),
    ("focal", "focal"),
    ("schedule", "schedule"),
    ("minibatches", "minibatches"),
    ("initial_bias", "initial_bias"),
    ("row_weights", "row_weights"),
];

fn learner(caps: &LearnerCaps) -> Value {
    json!({
        "library": caps.library,
        "weights": caps.honours.weights,
        "margins": caps.honours.margins,
        "factors": caps.honours.factors,
        "focal": caps.honours.focal,
        "schedule": caps.honours.schedule,
        "minibatches": caps.honours.minibatches,
        "initial_bias": caps.honours.initial_bias,
        "row_weights": caps.honours.row_weights,
        "scores": match caps.scores {
            ScoreKind::Probability => "probabilities",
            ScoreKind::Vote => "votes only",
        },
        "multiclass": caps.multiclass,
        "deterministic": caps.deterministic,
        "max_rows": caps.max_rows,
        "remark": caps.remark,
    })
}

fn print(what: What, items: &[Map<String, Value>]) {
    let text = |item: &Map<String, Value>, key: &str| match item.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    if what == What::Models {
        println!(
            "{:<30} {:<16} {}  {:<13} {:<10} {:<13} {:>7}",
            "model",
            "library",
            HONOURED.map(|(_, name)| name).join("  "),
            "scores",
            "multiclass",
            "deterministic",
            "limit"
        );
    }
    let yes = |item: &Map<String, Value>, key: &str| {
        if item.get(key).and_then(Value::as_bool) == Some(true) {
            "yes"
        } else {
            "no"
        }
    };
    for item in items {
        match what {
            What::Corrections => println!(
                "{:<18} {:<9} {}",
                text(item, "id"),
                text(item, "stage"),
                text(item, "summary")
            ),
            What::Models => {
                let honoured = HONOURED.map(|(key, name)| {
                    let width = name.len();
                    format!("{:<width$}", yes(item, key))
                });
                let limit = text(item, "max_rows");
                println!(
                    "{:<30} {:<16} {}  {:<13} {:<10} {:<13} {:>7}",
                    text(item, "id"),
                    text(item, "library"),
                    honoured.join("  "),
                    text(item, "scores"),
                    yes(item, "multiclass"),
                    yes(item, "deterministic"),
                    if limit.is_empty() { "-" } else { &limit }
                );
                let remark = text(item, "remark");
                if !remark.is_empty() {
                    println!("    note: {remark}");
                }
            }
            What::Presets => {
                println!("{}: {}", text(item, "id"), text(item, "summary"));
                for line in text(item, "toml").lines() {
                    println!("    {line}");
                }
            }
            _ => println!("{:<22} {}", text(item, "id"), text(item, "summary")),
        }
        if let Some(Value::Array(params)) = item.get("params") {
            for param in params.iter().filter_map(Value::as_object) {
                let default = text(param, "default");
                let default = if default.is_empty() {
                    String::new()
                } else {
                    format!(", default {default}")
                };
                println!(
                    "    {} ({}{default}): {}",
                    text(param, "name"),
                    text(param, "kind"),
                    text(param, "about")
                );
            }
        }
        if what == What::Populations {
            for line in drawn(&text(item, "id")) {
                println!("    |{line}");
            }
        }
    }
}
