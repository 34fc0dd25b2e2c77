//! What a plan wants beside its records, what names it, and imported models.

use std::collections::BTreeMap;
use std::path::Path;

use counterweight_core::{CellId, Finished, Labels};
use counterweight_harness::config::sweep::RatioSpec;
use counterweight_harness::plan::{Claim, Input, Plan};
use counterweight_store::{ClaimName, Joined, Sides, read_segment};

use crate::exit::{Error, Result};

/// Folder of imported models inside a report folder: a segment each.
pub(crate) const IMPORTS: &str = "imports";

/// The names of the classes of each dataset.
pub(crate) fn class_names(plan: &Plan) -> BTreeMap<String, Vec<String>> {
    let names = |input: &Input| (input.id.clone(), input.class_names());
    plan.inputs.iter().map(names).collect()
}

/// What names each claim of a leak.
pub(crate) fn claim_names(plan: &Plan) -> Vec<ClaimName> {
    let name = |claim: &Claim| {
        let unit = &plan.units[claim.unit];
        ClaimName {
            claim: claim.id.clone(),
            dataset: plan.inputs[unit.input].id.clone(),
            requested_ratio: match unit.ratio {
                RatioSpec::Natural => None,
                RatioSpec::Induced(ratio) => Some(ratio),
            },
            repeat: unit.repeat as u64,
            fold: unit.fold as u64,
            model: plan.sweep.models[claim.model].id.clone(),
            leak: plan.sweep.leaks[claim.leak].id.clone(),
            resample: claim.resample(plan),
            imbalance_ratio: unit.train.imbalance_ratio(),
        }
    };
    plan.claims.iter().map(name).collect()
}

/// Whether everything that the sweep wants beside the record of cell `at` is there.
pub(crate) fn complete(plan: &Plan, at: usize, joined: &Joined, sides: &Sides) -> bool {
    let scores = plan.sweep.protocol.keep_scores;
    let curves = plan.curves_of(at);
    is_whole(&plan.cells[at].id, (scores, curves), joined, sides)
}

/// Whether a cell has its record, and beside it bins, the scores (where those are wanted) and these curves.
pub(crate) fn is_whole<'c>(
    id: &CellId,
    (scores, mut curves): (bool, impl Iterator<Item = &'c str>),
    joined: &Joined,
    sides: &Sides,
) -> bool {
    // A cell without decisions has neither scores nor, when its fit failed, curves.
    let Some(entry) = joined.entries.get(id) else {
        return false;
    };
    if entry.record.metrics.is_empty() {
        return true;
    }
    if lacks_bins(id, joined, sides) {
        return false;
    }
    let has = |curve: &str| sides.curves.contains_key(&(id.clone(), curve.to_owned()));
    (!scores || sides.scores.contains_key(id)) && curves.all(has)
}

/// Whether reliability bins of a cell were kept and are lost. They are not asked for where there never were
/// any: nobody wanted them in the sweep file, so that a folder from before they were kept is not run again
/// for their sake.
pub(crate) fn lacks_bins(cell: &CellId, joined: &Joined, sides: &Sides) -> bool {
    let lost = joined.binned.contains(cell) && !sides.reliability.contains_key(cell);
    lost || sides.lost_bins(cell)
}

/// The entries of models that were imported into a report folder for this very sweep.
pub(crate) fn imported(plan: &Plan, folder: &Path, say: &dyn Fn(&str)) -> Result<Vec<Finished>> {
    let folder = folder.join(IMPORTS);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let trouble = |error: std::io::Error| Error::usage(format!("{}: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(trouble)? {
        let path = entry.map_err(trouble)?.path();
        if path.extension().is_some_and(|e| e == "jsonl") && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    let mut entries: BTreeMap<CellId, Finished> = BTreeMap::new();
    for file in files {
        let segment = read_segment(&file)?;
        let name = file.display();
        let Some(header) = segment.header else {
            say(&format!(
                "note: {name} is damaged and is left out: import it again"
            ));
            continue;
        };
        if header.sweep != plan.sweep_hash.hex() {
            say(&format!(
                "note: {name} was imported for another version of the sweep and is left out: import it again"
            ));
            continue;
        }
        let whole = header.records.unwrap_or(segment.entries.len());
        if segment.entries.len() < whole || segment.torn || !segment.damaged.is_empty() {
            let whole = whole.max(segment.entries.len() + segment.damaged.len());
            say(&format!(
                "note: {name} is damaged: {} of its {whole} records can be read; import it again",
                segment.entries.len()
            ));
        }
        for entry in segment.entries {
            entries.insert(entry.record.cell.clone(), entry);
        }
    }
    // In the order of the plan's splits and corrections.
    let place = |entry: &Finished| {
        let r = &entry.record;
        let input = plan.inputs.iter().position(|input| r.dataset == *input.id);
        let correction = plan
            .sweep
            .corrections
            .iter()
            .position(|c| r.correction == *c.id);
        (r.model.to_string(), input, r.repeat, r.fold, correction)
    };
    let mut entries: Vec<Finished> = entries.into_values().collect();
    entries.sort_by_key(place);
    Ok(entries)
}

/// The class of each name.
pub(crate) fn class_of(labels: &Labels) -> BTreeMap<&str, u32> {
    (0..)
        .zip(labels.names().iter())
        .map(|(k, name)| (name.as_str(), k))
        .collect()
}
