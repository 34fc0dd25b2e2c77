//! Which cells a run is asked for by what they are called: `--only`.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use counterweight_core::nearest;

use super::{Plan, Unit};
use crate::config::sweep::RatioSpec;

/// The keys that `--only` takes.
const KEYS: &[&str] = &[
    "cell",
    "correction",
    "dataset",
    "family",
    "fold",
    "model",
    "ratio",
    "repeat",
    "source",
];

/// `--only KEY=VALUE[,KEY=VALUE..]`: values of one key are alternatives, different keys must all
/// hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Only(BTreeMap<String, Vec<String>>);

impl FromStr for Only {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut wanted: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut last: Option<String> = None;
        for part in text.split(',') {
            let key = part.split_once('=').map(|(key, _)| key.trim());
            match (key, &last) {
                (Some(key), _) if KEYS.contains(&key) => {
                    let value = part.split_once('=').map_or("", |(_, value)| value);
                    wanted
                        .entry(key.to_owned())
                        .or_default()
                        .push(value.to_owned());
                    last = Some(key.to_owned());
                }
                // Ids of grids hold commas themselves: `model=softmax-regression[l1=0,l2=1]`.
                (_, Some(key)) if open_bracket(wanted.get(key)) => {
                    if let Some(value) = wanted.get_mut(key).and_then(|values| values.last_mut()) {
                        value.push(',');
                        value.push_str(part);
                    }
                }
                (Some(key), _) => {
                    let hint = nearest(key, KEYS.iter().copied())
                        .map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
                    return Err(format!(
                        "unknown key `{key}`: the keys are {}{hint}",
                        KEYS.join(", ")
                    ));
                }
                (None, _) => return Err(format!("`{part}` is not KEY=VALUE")),
            }
        }
        Ok(Self(wanted))
    }
}

fn open_bracket(values: Option<&Vec<String>>) -> bool {
    values
        .and_then(|values| values.last())
        .is_some_and(|value| value.matches('[').count() > value.matches(']').count())
}

impl Only {
    /// Whether cell `at` is wanted.
    pub fn wants(&self, plan: &Plan, at: usize) -> bool {
        let cell = &plan.cells[at];
        let unit = &plan.units[cell.unit];
        let correction = &plan.sweep.corrections[cell.correction];
        self.0.iter().all(|(key, values)| {
            let is = |found: &str| values.iter().any(|value| value == found);
            match key.as_str() {
                "cell" => values
                    .iter()
                    .any(|value| cell.id.0.starts_with(value.as_str())),
                "correction" => is(&correction.id),
                "family" => is(correction.family()),
                "model" => is(&plan.sweep.models[cell.model].id),
                key => values.iter().any(|value| is_place(plan, unit, key, value)),
            }
        })
    }

    /// Whether claim `at` is wanted: it has the dataset, split and model of a cell, and is no correction.
    pub fn wants_claim(&self, plan: &Plan, at: usize) -> bool {
        let claim = &plan.claims[at];
        let unit = &plan.units[claim.unit];
        self.0.iter().all(|(key, values)| match key.as_str() {
            "cell" | "correction" | "family" => false,
            "model" => values.contains(&plan.sweep.models[claim.model].id),
            key => values.iter().any(|value| is_place(plan, unit, key, value)),
        })
    }

    /// Every value that nothing in the plan has, in words, with the nearest that there is.
    pub fn unknown(&self, plan: &Plan) -> Vec<String> {
        let sweep = &plan.sweep;
        let mut unknown = Vec::new();
        for (key, values) in &self.0 {
            let known: BTreeSet<String> = match key.as_str() {
                "cell" => BTreeSet::new(),
                "correction" => sweep.corrections.iter().map(|c| c.id.clone()).collect(),
                "family" => sweep
                    .corrections
                    .iter()
                    .map(|c| c.family().to_owned())
                    .collect(),
                "model" => sweep.models.iter().map(|model| model.id.clone()).collect(),
                key => plan
                    .units
                    .iter()
                    .filter_map(|unit| place_of(plan, unit, key))
                    .collect(),
            };
            let is_known = |value: &String| match key.as_str() {
                "cell" => plan
                    .cells
                    .iter()
                    .any(|cell| cell.id.0.starts_with(value.as_str())),
                "ratio" => plan
                    .units
                    .iter()
                    .any(|unit| is_place(plan, unit, key, value)),
                _ => known.contains(value),
            };
            for value in values.iter().filter(|value| !is_known(value)) {
                // Of numbers none is a slip of another.
                let names = known.iter().map(String::as_str);
                let near = nearest(value, names.filter(|name| name.parse::<f64>().is_err()));
                let some: Vec<&str> = known.iter().map(String::as_str).take(12).collect();
                let hint = match near {
                    Some(name) => format!("; did you mean `{name}`?"),
                    None if some.is_empty() => String::new(),
                    None if some.len() < known.len() => {
                        format!(": there are {}, ..", some.join(", "))
                    }
                    None => format!(": there are {}", some.join(", ")),
                };
                unknown.push(format!("no {key} `{value}`{hint}"));
            }
        }
        unknown
    }
}

/// Whether `value` is what `--only` calls the split of a cell, by `key`; any spelling of a ratio will do.
fn is_place(plan: &Plan, unit: &Unit, key: &str, value: &str) -> bool {
    match (key, unit.ratio) {
        ("ratio", RatioSpec::Induced(ratio)) => value.parse() == Ok(ratio),
        _ => place_of(plan, unit, key).is_some_and(|found| found == value),
    }
}

/// What `--only` calls the split of a cell.
fn place_of(plan: &Plan, unit: &Unit, key: &str) -> Option<String> {
    let input = &plan.inputs[unit.input];
    match key {
        "dataset" => Some(input.id.clone()),
        "fold" => Some(unit.fold.to_string()),
        "ratio" => Some(match unit.ratio {
            RatioSpec::Natural => "natural".to_owned(),
            RatioSpec::Induced(ratio) => ratio.to_string(),
        }),
        "repeat" => Some(unit.repeat.to_string()),
        "source" => Some(input.source().to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reads_alternatives_and_grid_ids() {
        let only: Only = "dataset=yeast,dataset=car,model=m[l1=0,l2=1]"
            .parse()
            .unwrap();
        assert_eq!(only.0["dataset"], ["yeast", "car"]);
        assert_eq!(only.0["model"], ["m[l1=0,l2=1]"]);
        let error = "modle=x".parse::<Only>().unwrap_err();
        assert!(error.contains("did you mean `model`?"), "{error}");
        assert!("yeast".parse::<Only>().is_err());
    }
}
