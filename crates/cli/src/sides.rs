//! What stands beside the records as tables: scores.parquet, curves.parquet and reliability.parquet, and
//! imported models.

use std::collections::BTreeMap;
use std::path::Path;

use counterweight_core::reliability::{Bin, Reliability};
use counterweight_core::{CellId, Cells, Labels, Table};
use counterweight_harness::config::sweep::RatioSpec;
use counterweight_harness::plan::{Claim, InputKind, Plan};
use counterweight_harness::run::leak;
use counterweight_harness::store::{Corrected, Entry, Joined, LeakClaim, Sides, read_segment};

use crate::exit::{CliError, Result};

/// Folder of imported models inside a report folder: a segment each.
pub(crate) const IMPORTS: &str = "imports";

/// The names of the classes of each input.
pub(crate) fn class_names(plan: &Plan, input: usize) -> Vec<String> {
    match &plan.inputs[input].kind {
        InputKind::Real(data) => data.labels().names().to_vec(),
        InputKind::Population(_) => (0..plan.inputs[input].n_classes)
            .map(|k| k.to_string())
            .collect(),
    }
}

fn bad(error: &counterweight_core::CoreError) -> CliError {
    CliError::internal(error.to_string())
}

/// Columns that name a cell.
#[derive(Default)]
struct Names {
    cell: Vec<Option<String>>,
    dataset: Vec<Option<String>>,
    ratio: Vec<Option<f64>>,
    repeat: Vec<Option<i64>>,
    fold: Vec<Option<i64>>,
    model: Vec<Option<String>>,
    correction: Vec<Option<String>>,
}

impl Names {
    fn push(&mut self, plan: &Plan, at: usize) {
        let cell = &plan.cells[at];
        let unit = &plan.units[cell.unit];
        self.cell.push(Some(cell.id.0.clone()));
        self.dataset.push(Some(plan.inputs[unit.input].id.clone()));
        self.ratio.push(match unit.ratio {
            RatioSpec::Natural => None,
            RatioSpec::Induced(ratio) => Some(ratio),
        });
        self.repeat.push(i64::try_from(unit.repeat).ok());
        self.fold.push(i64::try_from(unit.fold).ok());
        self.model
            .push(Some(plan.sweep.models[cell.model].id.clone()));
        let correction = &plan.sweep.corrections[cell.correction];
        self.correction.push(Some(correction.id.clone()));
    }

    fn table(self) -> Result<Table> {
        let columns = [
            ("cell", Cells::Text(self.cell)),
            ("dataset", Cells::Text(self.dataset)),
            ("requested_ratio", Cells::Real(self.ratio)),
            ("repeat", Cells::Whole(self.repeat)),
            ("fold", Cells::Whole(self.fold)),
            ("model", Cells::Text(self.model)),
            ("correction", Cells::Text(self.correction)),
        ];
        with(Table::new(), columns)
    }
}

fn with(
    mut table: Table,
    columns: impl IntoIterator<Item = (impl Into<String>, Cells)>,
) -> Result<Table> {
    for (name, cells) in columns {
        table = table.with(name, cells).map_err(|error| bad(&error))?;
    }
    Ok(table)
}

/// One row a test row and cell: where it comes from, its class, a column a class in class order
/// (`p_0`, `p_1`, ...; empty beyond a dataset's classes), and the decision.
pub(crate) fn scores_table(plan: &Plan, sides: &Sides) -> Result<Table> {
    let widest = plan.inputs.iter().map(|input| input.n_classes).max();
    let mut names = Names::default();
    let (mut row, mut label, mut decision) = (Vec::new(), Vec::new(), Vec::new());
    let mut p: Vec<Vec<Option<f64>>> = vec![Vec::new(); widest.unwrap_or(0)];
    for (at, cell) in plan.cells.iter().enumerate() {
        let Some(scores) = sides.scores.get(&cell.id) else {
            continue;
        };
        let input = plan.units[cell.unit].input;
        let classes = class_names(plan, input);
        let name = |class: u32| classes.get(class as usize).cloned();
        for (i, &number) in scores.rows.iter().enumerate() {
            names.push(plan, at);
            row.push(i64::try_from(number).ok());
            label.push(scores.labels.get(i).and_then(|&class| name(class)));
            decision.push(scores.decisions.get(i).and_then(|&class| name(class)));
            for (k, column) in p.iter_mut().enumerate() {
                let value =
                    (k < classes.len()).then(|| scores.scores.get(i * classes.len() + k).copied());
                column.push(value.flatten());
            }
        }
    }
    let table = with(
        names.table()?,
        [("row", Cells::Whole(row)), ("label", Cells::Text(label))],
    )?;
    let columns = p
        .into_iter()
        .enumerate()
        .map(|(k, column)| (format!("p_{k}"), Cells::Real(column)));
    with(with(table, columns)?, [("decision", Cells::Text(decision))])
}

/// One row for each stretch of parameter values that decide alike.
pub(crate) fn curves_table(plan: &Plan, sides: &Sides) -> Result<Table> {
    let mut names = Names::default();
    let mut curve_ids = Vec::new();
    let (mut parameter, mut from, mut to, mut points) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut metrics: BTreeMap<String, Vec<Option<f64>>> = BTreeMap::new();
    for curve in sides.curves.values() {
        for name in curve.metrics.keys() {
            metrics.entry(name.clone()).or_default();
        }
    }
    for (at, cell) in plan.cells.iter().enumerate() {
        for spec in &plan.sweep.curves {
            let Some(curve) = sides.curves.get(&(cell.id.clone(), spec.id.clone())) else {
                continue;
            };
            for (i, &start) in curve.from.iter().enumerate() {
                names.push(plan, at);
                curve_ids.push(Some(spec.id.clone()));
                parameter.push(Some(spec.parameter.to_owned()));
                from.push(Some(start));
                to.push(curve.to.get(i).copied());
                points.push(curve.points.get(i).and_then(|&n| i64::try_from(n).ok()));
                for (name, column) in &mut metrics {
                    let values = curve.metrics.get(name);
                    column.push(values.and_then(|values| values.get(i).copied().flatten()));
                }
            }
        }
    }
    let table = with(
        names.table()?,
        [
            ("curve", Cells::Text(curve_ids)),
            ("parameter", Cells::Text(parameter)),
            ("from", Cells::Real(from)),
            ("to", Cells::Real(to)),
            ("points", Cells::Whole(points)),
        ],
    )?;
    with(
        table,
        metrics
            .into_iter()
            .map(|(name, column)| (name, Cells::Real(column))),
    )
}

/// One row a claim of a leak: what would be reported, what the same fit gives on original rows, and what
/// the honest protocol gives. Claims that were not measured yet are left out.
pub(crate) fn leaks_table(plan: &Plan, sides: &Sides) -> Result<Table> {
    let done: Vec<(&Claim, &LeakClaim)> = plan
        .claims
        .iter()
        .filter_map(|claim| Some((claim, sides.leaks.get(&claim.id)?)))
        .collect();
    let text = |get: &dyn Fn(&Claim, &LeakClaim) -> String| {
        let cells = done.iter().map(|(claim, found)| Some(get(claim, found)));
        Cells::Text(cells.collect())
    };
    let whole = |get: &dyn Fn(&Claim, &LeakClaim) -> Option<i64>| {
        Cells::Whole(
            done.iter()
                .map(|(claim, found)| get(claim, found))
                .collect(),
        )
    };
    let real = |get: &dyn Fn(&Claim, &LeakClaim) -> Option<f64>| {
        Cells::Real(
            done.iter()
                .map(|(claim, found)| get(claim, found))
                .collect(),
        )
    };
    let unit = |claim: &Claim| &plan.units[claim.unit];
    let table = with(
        Table::new(),
        [
            ("claim", text(&|claim, _| claim.id.0.clone())),
            (
                "dataset",
                text(&|claim, _| plan.inputs[unit(claim).input].id.clone()),
            ),
            (
                "requested_ratio",
                real(&|claim, _| match unit(claim).ratio {
                    RatioSpec::Natural => None,
                    RatioSpec::Induced(ratio) => Some(ratio),
                }),
            ),
            (
                "repeat",
                whole(&|claim, _| i64::try_from(unit(claim).repeat).ok()),
            ),
            (
                "fold",
                whole(&|claim, _| i64::try_from(unit(claim).fold).ok()),
            ),
            (
                "model",
                text(&|claim, _| plan.sweep.models[claim.model].id.clone()),
            ),
            (
                "leak",
                text(&|claim, _| plan.sweep.leaks[claim.leak].id.clone()),
            ),
            ("resample", text(&|claim, _| claim.resample(plan))),
            (
                "imbalance_ratio",
                real(&|claim, _| unit(claim).train.imbalance_ratio()),
            ),
            ("outcome", text(&|_, found| found.outcome.id().to_owned())),
            ("reason", text(&|_, found| found.reason.clone())),
            (
                "reported_test_rows",
                whole(&|_, found| i64::try_from(found.reported_test_rows).ok()),
            ),
            (
                "original_test_rows",
                whole(&|_, found| i64::try_from(found.original_test_rows).ok()),
            ),
            ("linked_share", real(&|_, found| found.linked_share)),
        ],
    )?;
    let mut columns = Vec::new();
    for metric in leak::METRICS {
        let side = |get: fn(&LeakClaim) -> &BTreeMap<String, f64>| {
            real(&|_, found| get(found).get(metric).copied())
        };
        columns.push((format!("{metric}_honest"), side(|found| &found.honest)));
        columns.push((
            format!("{metric}_original_rows"),
            side(|found| &found.original_rows),
        ));
        columns.push((format!("{metric}_reported"), side(|found| &found.reported)));
    }
    with(table, columns)
}

/// The bins of all splits of one dataset, ratio, model and correction.
#[derive(Default)]
struct Pool {
    /// The first of its cells.
    at: usize,
    cells: i64,
    /// Cells whose probabilities have no bins: done before bins were kept.
    without: usize,
    fitted: Reliability,
    corrected: Reliability,
    /// Whether the shift changed the probabilities of some cell, and whether every cell's scores have
    /// a prior that could be named.
    shifted: bool,
    unnamed: bool,
}

/// Input, profile, bits of the requested ratio, model and correction.
type PoolKey = (usize, &'static str, Option<u64>, usize, usize);

/// Sums up bins over repeats and folds, cell by cell in the order of the plan.
fn pools(plan: &Plan, joined: &Joined, sides: &Sides) -> Vec<Pool> {
    let mut places: BTreeMap<PoolKey, usize> = BTreeMap::new();
    let mut pools: Vec<Pool> = Vec::new();
    for (at, cell) in plan.cells.iter().enumerate() {
        let Some(entry) = joined.entries.get(&cell.id) else {
            continue;
        };
        let bins = sides.reliability.get(&cell.id);
        // Only probabilities have a Brier score; votes have neither.
        if bins.is_none() && !entry.record.metrics.contains_key("brier_raw") {
            continue;
        }
        let unit = &plan.units[cell.unit];
        let ratio = match unit.ratio {
            RatioSpec::Natural => None,
            RatioSpec::Induced(ratio) => Some(ratio.to_bits()),
        };
        let key = (unit.input, unit.profile, ratio, cell.model, cell.correction);
        let place = *places.entry(key).or_insert_with(|| {
            pools.push(Pool {
                at,
                ..Pool::default()
            });
            pools.len() - 1
        });
        let pool = &mut pools[place];
        let Some(bins) = bins else {
            pool.without += 1;
            continue;
        };
        pool.cells += 1;
        bins.fitted.add_to(&mut pool.fitted);
        match &bins.corrected {
            Corrected::Unnamed => pool.unnamed = true,
            Corrected::Same => bins.fitted.add_to(&mut pool.corrected),
            Corrected::Shifted(bins) => {
                pool.shifted = true;
                bins.add_to(&mut pool.corrected);
            }
        }
    }
    // A mean over some of the splits would be compared with a mean over all.
    pools.retain(|pool| pool.without == 0);
    pools
}

/// One row a dataset, ratio, model, correction, stage (`as-fitted`, and `prior-corrected` where the
/// shift to the metric prior changes anything) and bin with rows.
pub(crate) fn reliability_table(plan: &Plan, joined: &Joined, sides: &Sides) -> Result<Table> {
    let mut names = Names::default();
    let (mut profile, mut classes, mut stage) = (Vec::new(), Vec::new(), Vec::new());
    let (mut number, mut cells, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    let (mut weight, mut predicted, mut observed) = (Vec::new(), Vec::new(), Vec::new());
    for pool in pools(plan, joined, sides) {
        let unit = &plan.units[plan.cells[pool.at].unit];
        let n_classes = plan.inputs[unit.input].n_classes;
        let corrected = (pool.shifted && !pool.unnamed).then_some(&pool.corrected);
        let stages = [
            ("as-fitted", Some(&pool.fitted)),
            ("prior-corrected", corrected),
        ];
        for (name, bins) in stages {
            let bins = bins.into_iter().flat_map(|bins| (1..).zip(bins));
            for (at, bin) in bins.filter(|(_, bin)| bin.rows > 0) {
                names.push(plan, pool.at);
                profile.push(Some(unit.profile.to_owned()));
                classes.push(i64::try_from(n_classes).ok());
                stage.push(Some(name.to_owned()));
                number.push(Some(at));
                cells.push(Some(pool.cells));
                rows.push(i64::try_from(bin.rows).ok());
                weight.push(Some(bin.weight));
                let means = Bin::means(bin);
                predicted.push(means.map(|means| means.0));
                observed.push(means.map(|means| means.1));
            }
        }
    }
    let table = with(
        Table::new(),
        [
            ("dataset", Cells::Text(names.dataset)),
            ("profile", Cells::Text(profile)),
            ("requested_ratio", Cells::Real(names.ratio)),
            ("n_classes", Cells::Whole(classes)),
            ("model", Cells::Text(names.model)),
            ("correction", Cells::Text(names.correction)),
            ("stage", Cells::Text(stage)),
            ("bin", Cells::Whole(number)),
            ("cells", Cells::Whole(cells)),
            ("rows", Cells::Whole(rows)),
        ],
    )?;
    with(
        table,
        [
            ("weight", Cells::Real(weight)),
            ("predicted", Cells::Real(predicted)),
            ("observed", Cells::Real(observed)),
        ],
    )
}

/// Whether everything that the sweep wants beside the record of cell `at` is there.
pub(crate) fn complete(plan: &Plan, at: usize, entry: &Entry, sides: &Sides) -> bool {
    let id = &plan.cells[at].id;
    // A cell without decisions has neither scores nor, when its fit failed, curves. Reliability bins are
    // not asked for: nobody wanted them in the sweep file, so that a folder from before they were kept is
    // not run again for their sake.
    if entry.record.metrics.is_empty() {
        return true;
    }
    let scored = !plan.sweep.protocol.keep_scores || sides.scores.contains_key(id);
    let has = |curve: &str| sides.curves.contains_key(&(id.clone(), curve.to_owned()));
    scored && plan.curves_of(at).all(has)
}

/// Whether the sweep wants anything beside its records.
pub(crate) fn wanted(plan: &Plan) -> bool {
    let sweep = &plan.sweep;
    sweep.protocol.keep_scores || !sweep.curves.is_empty() || !sweep.leaks.is_empty()
}

/// The entries of models that were imported into a report folder for this very sweep.
pub(crate) fn imported(plan: &Plan, folder: &Path) -> Result<Vec<Entry>> {
    let folder = folder.join(IMPORTS);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let trouble = |error: std::io::Error| CliError::usage(format!("{}: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(trouble)? {
        let path = entry.map_err(trouble)?.path();
        if path.extension().is_some_and(|e| e == "jsonl") {
            files.push(path);
        }
    }
    files.sort();
    let mut entries: BTreeMap<CellId, Entry> = BTreeMap::new();
    for file in files {
        let segment = read_segment(&file)?;
        let ours = segment
            .header
            .is_some_and(|header| header.sweep == plan.sweep_hash.hex());
        if !ours {
            eprintln!(
                "note: {} was imported for another version of the sweep and is left out: import it again",
                file.display()
            );
            continue;
        }
        for entry in segment.entries {
            entries.insert(entry.record.cell.clone(), entry);
        }
    }
    // In the order of the plan's splits and corrections.
    let place = |entry: &Entry| {
        let r = &entry.record;
        let input = plan.inputs.iter().position(|input| r.dataset == *input.id);
        let correction = plan
            .sweep
            .corrections
            .iter()
            .position(|c| r.correction == *c.id);
        (r.model.to_string(), input, r.repeat, r.fold, correction)
    };
    let mut entries: Vec<Entry> = entries.into_values().collect();
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
