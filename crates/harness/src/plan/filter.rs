//! Which cells a run is asked for: `--only` and `--shard`.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
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

/// Most shards of a sweep: more than a scheduler's array holds.
const MOST_SHARDS: usize = 1_000_000;

/// `--shard I/N`, I from 1 to N.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    pub index: usize,
    /// How many.
    pub count: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || format!("`{text}` is not a shard: write I/N with I from 1 to N, or auto/N");
        let (index, count) = text.split_once('/').ok_or_else(form)?;
        let count: usize = count.parse().map_err(|_not_a_number| form())?;
        let index = if index == "auto" {
            auto_index()?
        } else {
            index.parse().map_err(|_nan| form())?
        };
        if count > MOST_SHARDS {
            Err(format!(
                "`{text}`: a sweep has at most {MOST_SHARDS} shards"
            ))
        } else if (1..=count).contains(&index) {
            Ok(Self { index, count })
        } else {
            Err(form())
        }
    }
}

/// The index that a scheduler gives its array tasks: 0-based where it counts from 0, else 1-based.
fn auto_index() -> Result<usize, String> {
    let variables = [
        ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN"),
        ("PBS_ARRAY_INDEX", ""),
        ("SGE_TASK_ID", ""),
        ("LSB_JOBINDEX", ""),
        ("AWS_BATCH_JOB_ARRAY_INDEX", "0"),
        ("JOB_COMPLETION_INDEX", "0"),
        ("CI_NODE_INDEX", ""),
    ];
    for (variable, base) in variables {
        let Some(index) = number_of(variable) else {
            continue;
        };
        let zero_based = base == "0" || number_of(base) == Some(0);
        return Ok(if zero_based { index + 1 } else { index });
    }
    let names: Vec<&str> = variables.iter().map(|(name, _)| *name).collect();
    Err(format!(
        "auto/N needs a scheduler's array index in one of {}",
        names.join(", ")
    ))
}

fn number_of(variable: &str) -> Option<usize> {
    if variable.is_empty() {
        return None;
    }
    std::env::var(variable).ok()?.trim().parse().ok()
}

impl Shard {
    /// Which units belong to the shard: the costliest unit goes to the shard with the least cost so
    /// far, ties to the lower index, so that every process finds the same partition.
    pub fn units(&self, plan: &Plan) -> Vec<bool> {
        let costs: Vec<f64> = plan
            .units
            .iter()
            .enumerate()
            .map(|(at, unit)| plan.unit_seconds(unit) + plan.claims_seconds(at))
            .collect();
        let owner = assign(&costs, self.count);
        owner
            .into_iter()
            .map(|shard| shard + 1 == self.index)
            .collect()
    }
}

/// What a shard has so far, ordered by cost, then units, then index.
#[derive(PartialEq)]
struct Load(f64, usize, usize);

impl Eq for Load {}

impl Ord for Load {
    fn cmp(&self, other: &Self) -> Ordering {
        let cost = self.0.total_cmp(&other.0);
        cost.then((self.1, self.2).cmp(&(other.1, other.2)))
    }
}

impl PartialOrd for Load {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The shard, from 0, of each unit.
fn assign(costs: &[f64], shards: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..costs.len()).collect();
    order.sort_by(|&a, &b| costs[b].total_cmp(&costs[a]).then(a.cmp(&b)));
    // A shard beyond the number of units gets none.
    let shards = 0..shards.min(costs.len());
    let mut loads: BinaryHeap<Reverse<Load>> = shards.map(|at| Reverse(Load(0.0, 0, at))).collect();
    let mut owner = vec![0; costs.len()];
    for at in order {
        if let Some(mut least) = loads.peek_mut() {
            let Load(cost, units, shard) = &mut least.0;
            *cost += costs[at];
            *units += 1;
            owner[at] = *shard;
        }
    }
    owner
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    #[test]
    fn shards_are_one_based() {
        assert_eq!("2/3".parse(), Ok(Shard { index: 2, count: 3 }));
        let most = "1/18446744073709551615";
        for bad in [
            "0/3",
            "4/3",
            "1/0",
            "x/3",
            "3",
            "-1/3",
            most,
            "1/1000000000",
        ] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn shards_partition_the_units(
            costs in prop::collection::vec(0.0..10.0_f64, 0..40),
            shards in 1..7_usize,
        ) {
            let owner = assign(&costs, shards);
            prop_assert!(owner.iter().all(|&shard| shard < shards));
            let mut counts = vec![0; shards];
            for &shard in &owner {
                counts[shard] += 1;
            }
            // No shard idles while another has two units.
            prop_assert!(costs.len() < shards || counts.iter().all(|&n| n > 0));
            prop_assert_eq!(assign(&costs, shards), owner);
        }
    }
}
