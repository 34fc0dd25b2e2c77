//! `preset` on a `[[dataset]]`: all published tasks of a collection, in the same way each.

use std::collections::BTreeMap;

use counterweight_config::{Diagnostics, Fields, Node, Section, Value};

use super::data::read_dataset;
use crate::config::presets;
use crate::config::sweep::{DatasetSpec, Source};
use crate::config::tasks::{task, tasks};

/// Keys that a preset gives itself.
const OWN: [&str; 9] = [
    "id",
    "name",
    "path",
    "train",
    "test",
    "target",
    "positive",
    "negative",
    "rarest_vs_rest",
];

pub(super) fn read_collection(
    fields: &Fields,
    path: &str,
    line: usize,
    protocol_max_rows: Option<usize>,
    errors: &mut Diagnostics,
) -> Vec<DatasetSpec> {
    let mut s = Section::new(fields, path, line, errors);
    let preset = s.text("preset");
    let given = OWN.into_iter().filter(|key| fields.contains_key(*key));
    let given: Vec<&str> = given.collect();
    for key in &given {
        let hint = "take it out, or name one task by `name` in place of `preset`";
        s.error(
            key,
            "a preset gives its own to each task",
            Some(hint.into()),
        );
    }
    let Some(preset) = preset.filter(|_| given.is_empty()) else {
        return Vec::new();
    };
    let at = fields.get("preset").map_or(line, |(line, _)| *line);
    if let Err((message, hint)) = presets::look_up(&preset, presets::Section::Dataset) {
        errors.add(Some(at), format!("{path} > preset"), message, Some(hint));
        return Vec::new();
    }
    let of = tasks().iter().filter(|task| task.collection == preset);
    // The keys are read once, so that what is wrong with them is said once.
    let mut one = fields.clone();
    one.remove("preset");
    let name = Value::Text(preset.clone());
    one.insert(
        "name".into(),
        (
            at,
            Node {
                line: at,
                value: name,
            },
        ),
    );
    let spec = read_dataset(&one, path, line, protocol_max_rows, errors);
    errors.forget(path, &OWN);
    let Some(spec) = spec else {
        return Vec::new();
    };
    of.map(|task| DatasetSpec {
        id: task.name.to_owned(),
        source: Source::Library {
            name: task.full_name(),
        },
        ..spec.clone()
    })
    .collect()
}

/// Whether both are one task of one table, treated alike.
pub(super) fn same_task(a: &DatasetSpec, b: &DatasetSpec) -> bool {
    let made = |spec: &DatasetSpec| match &spec.source {
        Source::Library { name } => task(name).map(|task| {
            let sides = (&task.positive, &task.negative);
            (task.table, sides, &task.without)
        }),
        Source::File { .. } | Source::Pair { .. } => None,
    };
    // All keys but those that a preset gives.
    let way = |spec: &DatasetSpec| {
        let source = Source::Library {
            name: String::new(),
        };
        let line = 0;
        format!(
            "{:?}",
            DatasetSpec {
                line,
                lines: BTreeMap::new(),
                source,
                ..spec.clone()
            }
        )
    };
    a.id == b.id && made(a).is_some() && made(a) == made(b) && way(a) == way(b)
}
