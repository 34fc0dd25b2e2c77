//! The `[[model]]` and `[[correction]]` entries.

use counterweight_config::schema::defined;
use counterweight_config::{Diagnostics, Fields, Node, Section, Value, one_or_list};
use counterweight_core::{Catalogue, Entry, Name, ParamValue, find, nearest};
use counterweight_data::preprocess::polynomial::MOST_DEGREE;
use serde_json::json;

use super::check_id;
use crate::config::limits::{grid_size, too_many_points};
use crate::config::method::{
    Built, Place, bracketed, build_grid, grid_of, grid_suffix, look_up, pairs, stage_parts,
};
use crate::config::presets;
use crate::config::sweep::{Correction, Features, Model, Select};

pub(super) fn read_model(
    fields: &Fields,
    path: &str,
    line: usize,
    catalogue: &Catalogue,
    errors: &mut Diagnostics,
) -> Vec<Model> {
    if fields.contains_key("preset") {
        let section = presets::Section::Model;
        return expand_preset(section, (fields, path, line), catalogue, errors, read_model);
    }
    let mut s = Section::new(fields, path, line, errors);
    let kind = s.text("kind");
    if kind.is_none() && !fields.contains_key("kind") {
        s.error("kind", "missing", Some("`list models` shows them".into()));
    }
    let id = s.text("id");
    if let Some(id) = &id {
        check_id(id, "id", &mut s);
    }
    let expand = s.flag("expand").unwrap_or(false);
    let metric = s.text("select").and_then(|word| {
        let found = selectable(&word, catalogue);
        if found.is_none() {
            let names = catalogue.metrics.iter().map(|entry| entry.card.id);
            let hint = nearest(&word.replace('-', "_"), names)
                .map(|name| format!("did you mean `{}`?", name.replace('_', "-")));
            s.error(
                "select",
                format!("`{word}` is no metric that says which of two models is better"),
                hint,
            );
        }
        found
    });
    let Some(kind) = kind else { return Vec::new() };
    let kind_line = fields.get("kind").map_or(line, |(line, _)| *line);
    let place = Place {
        path,
        line: kind_line,
        noun: "model",
    };
    let Some(entry) = look_up(catalogue.learners, &kind, &place, s.errors) else {
        return Vec::new();
    };
    // A learner's own parameter of that name is no table.
    let taken = entry.card.params.iter().any(|spec| spec.name == "features");
    let is_table =
        matches!(fields.get("features"), Some((_, node)) if matches!(node.value, Value::Table(_)));
    let features = if taken && !is_table {
        vec![(None, false)]
    } else {
        let node = s.node("features");
        node.map_or_else(
            || vec![(None, false)],
            |node| read_features(node, path, s.errors),
        )
    };
    let params = s.parameters(entry.card.params);
    let base = id.as_ref().unwrap_or(&kind);
    let grid = build_grid(entry, params.into_iter(), &place, errors);
    if let Some(metric) = metric {
        let chosen_at = fields.get("select").map(|(line, _)| *line);
        let key = format!("{path} > select");
        return match (&grid[..], &features[..]) {
            ([], _) | (_, []) => Vec::new(),
            (_, [_, _, ..]) => {
                let hint = Some("give `features` one value".to_owned());
                let message = "made features are no part of a grid that is chosen from";
                errors.add(chosen_at, key, message, hint);
                Vec::new()
            }
            ([_], _) => {
                let hint =
                    Some("make a parameter a list, such as l2 = [0.1, 1.0, 10.0]".to_owned());
                errors.add(chosen_at, key, "there is no grid to choose from", hint);
                Vec::new()
            }
            ([first, ..], [(features, _), ..]) => {
                let chosen = || format!("{kind}[select={}]", metric.replace('_', "-"));
                let id = id.clone().unwrap_or_else(chosen);
                vec![Model {
                    entry: Name::from(&id),
                    id,
                    line,
                    expand,
                    learner: first.clone(),
                    features: *features,
                    select: Some(Select {
                        metric,
                        candidates: grid.clone(),
                    }),
                }]
            }
        };
    }
    if grid_size([grid.len(), features.len()].into_iter()).is_none() {
        too_many_points(line, path, errors);
        return Vec::new();
    }
    let entry = Name::from(base);
    let mut models = Vec::new();
    for learner in grid {
        for &(features, varies) in &features {
            let mut grid = learner.grid_values();
            if let (Some(Features { polynomial }), true) = (features, varies) {
                let degree = i64::try_from(polynomial).unwrap_or(i64::MAX);
                grid.push((Features::POLYNOMIAL, ParamValue::Whole(degree)));
            }
            models.push(Model {
                id: format!("{base}{}", grid_suffix(&grid)),
                entry: entry.clone(),
                line,
                expand,
                learner: learner.clone(),
                features,
                select: None,
            });
        }
    }
    models
}

/// The points of `features = { polynomial = ... }`, and whether they form a grid.
fn read_features(
    node: &Node,
    path: &str,
    errors: &mut Diagnostics,
) -> Vec<(Option<Features>, bool)> {
    let path = format!("{path} > features");
    let Value::Table(fields) = &node.value else {
        let message = format!(
            "expected a table {{ polynomial = ... }}, found {}",
            node.type_name()
        );
        errors.add(Some(node.line), path, message, None);
        return Vec::new();
    };
    let mut s = Section::new(fields, path.as_str(), node.line, errors);
    let given = s.shaped("polynomial", || {
        one_or_list(&json!({ "type": "integer", "minimum": 1, "maximum": MOST_DEGREE }))
    });
    s.finish();
    let Some(given) = given else {
        // With unknown keys only, those are what is wrong.
        if fields.is_empty() {
            let hint = Some("write { polynomial = 2 }".to_owned());
            errors.add(Some(node.line), path, "an empty table", hint);
        }
        return Vec::new();
    };
    let (points, varies) = match &given.value {
        Value::List(items) => (items.iter().collect(), true),
        _ => (vec![given], false),
    };
    if points.is_empty() {
        let key = format!("{path} > polynomial");
        errors.add(Some(given.line), key, "an empty list", None);
    }
    let mut list = Vec::new();
    for point in points {
        let degree = match point.value {
            Value::Whole(degree) => usize::try_from(degree)
                .ok()
                .filter(|degree| (1..=MOST_DEGREE).contains(degree)),
            _ => None,
        };
        if let Some(polynomial) = degree {
            list.push((Some(Features { polynomial }), varies));
        } else {
            let found = match point.value {
                Value::Whole(degree) => degree.to_string(),
                _ => point.type_name().to_owned(),
            };
            let message = format!("expected a whole number in [1, {MOST_DEGREE}], found {found}");
            let key = format!("{path} > polynomial");
            errors.add(Some(point.line), key, message, None);
        }
    }
    list
}

/// The metric of that name, with hyphens or underscores, if one of its ends is better.
fn selectable(word: &str, catalogue: &Catalogue) -> Option<&'static str> {
    let entry = find(catalogue.metrics, &word.replace('-', "_"))?;
    entry.caps.lower_is_better.map(|_| entry.card.id)
}

pub(super) fn read_correction(
    fields: &Fields,
    path: &str,
    line: usize,
    catalogue: &Catalogue,
    errors: &mut Diagnostics,
) -> Vec<Correction> {
    if fields.contains_key("preset") {
        return read_preset(fields, path, line, catalogue, errors);
    }
    let mut s = Section::new(fields, path, line, errors);
    let id = s.text("id");
    if let Some(id) = &id {
        check_id(id, "id", &mut s);
    }
    let expand = s.flag("expand").unwrap_or(false);
    let [resample, loss, decide, ensemble] =
        ["resample", "loss", "decide", "ensemble"].map(|key| s.shaped(key, || defined(key)));
    if ensemble.is_some() {
        for (key, other) in [("resample", resample), ("loss", loss)] {
            if other.is_some() {
                let hint = "leave it out, or make it a correction of its own".to_owned();
                let message = "an ensemble owns the fit: nothing but `decide` may stand beside it";
                s.error(key, message, Some(hint));
            }
        }
    }
    s.finish();
    let none = [resample, ensemble, loss, decide]
        .iter()
        .all(Option::is_none);
    if id.is_none() && none {
        // With unknown keys only, those are what is wrong.
        if fields.is_empty() {
            let hint = Some("give it a stage, or `id = \"none\"` for no correction".to_owned());
            errors.add(Some(line), path, "an empty correction", hint);
        }
        return Vec::new();
    }
    let before = errors.len();
    let resamplers = stage(
        resample,
        ("resample", "resampler"),
        path,
        catalogue.resamplers,
        errors,
    );
    let ensembles = stage(
        ensemble,
        ("ensemble", "ensemble"),
        path,
        catalogue.ensembles,
        errors,
    );
    let losses = stage(loss, ("loss", "loss"), path, catalogue.losses, errors);
    let decisions = stage(
        decide,
        ("decide", "decision"),
        path,
        catalogue.decisions,
        errors,
    );
    if errors.len() != before {
        return Vec::new();
    }
    let identity_loss = default_stage(catalogue.losses, "cross-entropy", path, errors);
    let identity_decide = default_stage(catalogue.decisions, "argmax", path, errors);
    let (Some(identity_loss), Some(identity_decide)) = (identity_loss, identity_decide) else {
        return Vec::new();
    };
    let kinds: Vec<&str> = [
        resamplers.first().map(|b| b.entry.card.id),
        ensembles.first().map(|b| b.entry.card.id),
        losses.first().map(|b| b.entry.card.id),
        decisions.first().map(|b| b.entry.card.id),
    ]
    .into_iter()
    .flatten()
    .collect();
    let base = id.unwrap_or_else(|| kinds.join("+"));
    let resamplers: Vec<_> = if resample.is_none() {
        vec![None]
    } else {
        resamplers.into_iter().map(Some).collect()
    };
    let ensembles: Vec<_> = if ensemble.is_none() {
        vec![None]
    } else {
        ensembles.into_iter().map(Some).collect()
    };
    let losses = if loss.is_none() {
        vec![identity_loss]
    } else {
        losses
    };
    let decisions = if decide.is_none() {
        vec![identity_decide]
    } else {
        decisions
    };
    let axes = [
        resamplers.len(),
        ensembles.len(),
        losses.len(),
        decisions.len(),
    ];
    if grid_size(axes.into_iter()).is_none() {
        too_many_points(line, path, errors);
        return Vec::new();
    }
    // Beside an ensemble there is no resampler, so that one loop serves for both.
    let rows = resamplers.iter().flat_map(|resample| {
        let pair = move |ensemble| (resample.clone(), ensemble);
        ensembles.iter().cloned().map(pair)
    });
    // The points of an axis have the same keys, and each text is made once.
    let keys = [
        (resamplers[0].as_ref()).map_or_else(Vec::new, |built| built.grid.to_vec()),
        (ensembles[0].as_ref()).map_or_else(Vec::new, |built| built.grid.to_vec()),
        losses[0].grid.to_vec(),
        decisions[0].grid.to_vec(),
    ];
    let pairs = |stage: usize, grid: &[(&'static str, ParamValue)]| pairs(&keys, stage, grid);
    let losses_with: Vec<_> = losses
        .iter()
        .map(|loss| (loss, pairs(2, &loss.grid_values())))
        .collect();
    let decisions_with: Vec<_> = (decisions.iter())
        .map(|decide| (decide, pairs(3, &decide.grid_values())))
        .collect();
    let entry = Name::from(&base);
    let mut list = Vec::with_capacity(axes.iter().product());
    for (resample, ensemble) in rows {
        let mut of_rows = pairs(0, &grid_of(resample.as_ref()));
        of_rows.extend(pairs(1, &grid_of(ensemble.as_ref())));
        for (loss, of_loss) in &losses_with {
            for (decide, of_decide) in &decisions_with {
                let pairs = of_rows.iter().chain(of_loss).chain(of_decide);
                list.push(Correction {
                    id: format!("{base}{}", bracketed(pairs.map(String::as_str).collect())),
                    entry: entry.clone(),
                    line,
                    expand,
                    resample: resample.clone(),
                    ensemble: ensemble.clone(),
                    loss: (*loss).clone(),
                    decide: (*decide).clone(),
                });
            }
        }
    }
    list
}

pub(crate) fn stage<C, T: ?Sized>(
    node: Option<&Node>,
    (key, noun): (&'static str, &'static str),
    path: &str,
    entries: &'static [Entry<C, T>],
    errors: &mut Diagnostics,
) -> Vec<Built<C, T>> {
    let Some(node) = node else { return Vec::new() };
    let path = if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path} > {key}")
    };
    let Some((kind, line, fields)) = stage_parts(node, &path, errors) else {
        return Vec::new();
    };
    let place = Place {
        path: &path,
        line,
        noun,
    };
    let Some(entry) = look_up(entries, &kind, &place, errors) else {
        return Vec::new();
    };
    let empty = Fields::new();
    let given = fields
        .unwrap_or(&empty)
        .iter()
        .filter(|(key, _)| key.as_str() != "kind")
        .map(|(key, (line, node))| (key.as_str(), *line, node));
    build_grid(entry, given, &place, errors)
}

/// The identity of a stage, which the catalogue has to hold.
pub(super) fn default_stage<C, T: ?Sized>(
    entries: &'static [Entry<C, T>],
    id: &str,
    path: &str,
    errors: &mut Diagnostics,
) -> Option<Built<C, T>> {
    let built = find(entries, id).map(Built::with_defaults);
    if let Some(Ok(built)) = built {
        return Some(built);
    }
    errors.add(None, path, format!("the catalogue has no `{id}`"), None);
    None
}

fn read_preset(
    fields: &Fields,
    path: &str,
    line: usize,
    catalogue: &Catalogue,
    errors: &mut Diagnostics,
) -> Vec<Correction> {
    let section = presets::Section::Correction;
    expand_preset(
        section,
        (fields, path, line),
        catalogue,
        errors,
        read_correction,
    )
}

/// Reads the entries that a preset stands for as if they stood in the file.
fn expand_preset<T>(
    section: presets::Section,
    (fields, path, line): (&Fields, &str, usize),
    catalogue: &Catalogue,
    errors: &mut Diagnostics,
    read: fn(&Fields, &str, usize, &Catalogue, &mut Diagnostics) -> Vec<T>,
) -> Vec<T> {
    let mut s = Section::new(fields, path, line, errors);
    let id = s.text("preset");
    s.finish();
    let Some(id) = id else { return Vec::new() };
    let line = fields.get("preset").map_or(line, |(line, _)| *line);
    let preset = match presets::look_up(&id, section) {
        Ok(preset) => preset,
        Err((message, hint)) => {
            errors.add(Some(line), format!("{path} > preset"), message, Some(hint));
            return Vec::new();
        }
    };
    let mut inner = Diagnostics::new(&format!("preset {id}"));
    let root = counterweight_config::parse(&preset.toml(catalogue), super::SYNTAX, &mut inner);
    let key = section.key();
    let node = root.get(key).map(|(_, node)| node);
    let mut list = Vec::new();
    for (path, line, fields) in counterweight_config::tables(node, key, &mut inner) {
        list.extend(read(fields, &path, line, catalogue, &mut inner));
    }
    for error in inner.into_sorted() {
        errors.add(
            Some(line),
            format!("{path} > preset"),
            error.to_string(),
            None,
        );
    }
    list
}
