//! reliability.parquet: the bins of each dataset, ratio, model and correction, over repeats and folds.

use std::collections::BTreeMap;

use counterweight_core::reliability::{Bin, Reliability};
use counterweight_core::side_table::Corrected;
use counterweight_core::{Name, Record, Table};

use crate::side_files::Sides;
use crate::table::{Builder, Reader, Result};

/// Name of the stage of bins after the shift to the metric prior.
const CORRECTED: &str = "prior-corrected";

/// The bins of all splits of one dataset, ratio, model and correction.
struct Pool<'a> {
    /// The first of its cells.
    first: &'a Record,
    cells: u64,
    /// Cells whose probabilities have no bins: done before bins were kept.
    without: usize,
    fitted: Reliability,
    corrected: Reliability,
    /// Whether the shift changed the probabilities of some cell, and whether every cell's scores have
    /// a prior that could be named.
    shifted: bool,
    unnamed: bool,
}

/// Dataset, profile, ratio, model and correction: what splits are pooled over.
pub(crate) type PoolKey<'a> = (&'a Name, &'a Name, Option<u64>, &'a Name, &'a Name);

/// The pool that a cell belongs to.
pub(crate) fn pool_key(record: &Record) -> PoolKey<'_> {
    (
        &record.dataset,
        &record.profile,
        record.requested_ratio.map(f64::to_bits),
        &record.model,
        &record.correction,
    )
}

/// Sums up bins over repeats and folds, in the order of the records.
fn pools<'a>(records: &'a [Record], sides: &Sides) -> Vec<Pool<'a>> {
    let mut places: BTreeMap<PoolKey<'_>, usize> = BTreeMap::new();
    let mut pools: Vec<Pool<'_>> = Vec::new();
    for record in records {
        let bins = sides.reliability.get(&record.cell);
        // Only probabilities have a Brier score; votes have neither.
        if bins.is_none() && !record.metrics.contains_key("brier_raw") {
            continue;
        }
        let place = *places.entry(pool_key(record)).or_insert_with(|| {
            pools.push(Pool {
                first: record,
                cells: 0,
                without: 0,
                fitted: Reliability::default(),
                corrected: Reliability::default(),
                shifted: false,
                unnamed: false,
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
/// shift to the metric prior changes anything) and bin with rows, of the cells of a plan in its order.
///
/// # Errors
/// [`TableError::Build`](crate::TableError::Build) for a number that is not finite.
pub fn reliability_table(records: &[Record], sides: &Sides) -> Result<Table> {
    struct Row<'a> {
        pool: &'a Pool<'a>,
        stage: &'static str,
        number: u64,
        bin: &'a Bin,
    }
    let pools = pools(records, sides);
    let mut rows = Vec::new();
    for pool in &pools {
        let corrected = (pool.shifted && !pool.unnamed).then_some(&pool.corrected);
        for (stage, bins) in [("as-fitted", Some(&pool.fitted)), (CORRECTED, corrected)] {
            let bins = bins.into_iter().flat_map(|bins| (1..).zip(bins));
            rows.extend(
                bins.filter(|(_, bin)| bin.rows > 0)
                    .map(|(number, bin)| Row {
                        pool,
                        stage,
                        number,
                        bin,
                    }),
            );
        }
    }
    let first = || rows.iter().map(|row| row.pool.first);
    let mut table = Builder::new("reliability");
    table.text("dataset", first().map(|r| Some(r.dataset.as_str())))?;
    table.text("profile", first().map(|r| Some(r.profile.as_str())))?;
    table.real("requested_ratio", first().map(|r| r.requested_ratio))?;
    table.whole("n_classes", first().map(|r| r.n_classes))?;
    table.text("model", first().map(|r| Some(r.model.as_str())))?;
    table.text("correction", first().map(|r| Some(r.correction.as_str())))?;
    table.text("stage", rows.iter().map(|row| Some(row.stage)))?;
    table.whole("bin", rows.iter().map(|row| row.number))?;
    table.whole("cells", rows.iter().map(|row| row.pool.cells))?;
    table.whole("rows", rows.iter().map(|row| row.bin.rows))?;
    table.real("weight", rows.iter().map(|row| Some(drawn(row.bin.weight))))?;
    let means = || rows.iter().map(|row| row.bin.means());
    table.real("predicted", means().map(|means| means.map(|m| drawn(m.0))))?;
    table.real("observed", means().map(|means| means.map(|m| drawn(m.1))))?;
    Ok(table.finish())
}

/// A number to the 24 bits that a figure can show, which take half the room of 53 in a file.
#[expect(clippy::cast_possible_truncation, reason = "that is what it is for")]
fn drawn(number: f64) -> f64 {
    f64::from(number as f32)
}

/// A bin with rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReliabilityBin {
    /// Its number, from 1.
    pub bin: u64,
    /// Weight of its rows, at the metric prior.
    pub weight: f64,
    /// Mean probability of the rarer class.
    pub predicted: f64,
    /// Share of the rarer class.
    pub observed: f64,
}

/// The bins of one stage of a correction on one dataset at one ratio, over all repeats and folds.
#[derive(Debug, Clone, PartialEq)]
pub struct ReliabilityGroup {
    /// Id of the dataset.
    pub dataset: Name,
    /// `natural`, `step` or `exponential`.
    pub profile: Name,
    /// The ratio that was asked for; `None` for natural data.
    pub requested_ratio: Option<f64>,
    /// Id of the model.
    pub model: Name,
    /// Id of the correction.
    pub correction: Name,
    /// Whether the bins are those after the prior shift.
    pub corrected: bool,
    /// Classes of the dataset.
    pub n_classes: u64,
    /// Cells behind the bins.
    pub cells: u64,
    /// Bins whose rows weigh something, in order; none for more than two classes, whose top-label bins no
    /// figure shows.
    pub bins: Vec<ReliabilityBin>,
}

impl ReliabilityGroup {
    fn same(&self, other: &Self) -> bool {
        // The ratio is a key that was read from the same column, not a result of arithmetic.
        let ratio = |group: &Self| group.requested_ratio.map(f64::to_bits);
        self.dataset == other.dataset
            && self.profile == other.profile
            && ratio(self) == ratio(other)
            && self.model == other.model
            && self.correction == other.correction
            && self.corrected == other.corrected
    }
}

/// Adds the rows of a table, or of the next part of one, to `groups`.
///
/// # Errors
/// A column that is missing or of another type.
pub fn take_reliability(groups: &mut Vec<ReliabilityGroup>, table: &Table) -> Result<()> {
    // A column without rows has lost its type, and says nothing.
    if table.n_rows() == 0 {
        return Ok(());
    }
    let reader = Reader {
        name: "reliability",
        table,
    };
    let datasets = reader.names("dataset", false)?;
    let profiles = reader.names("profile", false)?;
    let ratios = reader.real("requested_ratio")?;
    let classes = reader.whole("n_classes")?;
    let models = reader.names("model", false)?;
    let corrections = reader.names("correction", false)?;
    let stages = reader.names("stage", false)?;
    let numbers = reader.whole("bin")?;
    let cells = reader.whole("cells")?;
    let weights = reader.required_real("weight")?;
    let predicted = reader.real("predicted")?;
    let observed = reader.real("observed")?;
    let keys = datasets.into_iter().zip(profiles).zip(ratios);
    let arms = models.into_iter().zip(corrections).zip(stages);
    let counts = classes.into_iter().zip(cells);
    let values = numbers
        .into_iter()
        .zip(weights)
        .zip(predicted)
        .zip(observed);
    for (((key, arm), counts), value) in keys.zip(arms).zip(counts).zip(values) {
        let (((dataset, profile), requested_ratio), ((model, correction), stage)) = (key, arm);
        let (((bin, weight), predicted), observed) = value;
        let group = ReliabilityGroup {
            dataset,
            profile,
            requested_ratio,
            model,
            correction,
            corrected: stage == CORRECTED,
            n_classes: counts.0,
            cells: counts.1,
            bins: Vec::new(),
        };
        if !groups.last().is_some_and(|last| last.same(&group)) {
            groups.push(group);
        }
        if let (Some(last), Some(predicted), Some(observed), 2) =
            (groups.last_mut(), predicted, observed, counts.0)
        {
            last.bins.push(ReliabilityBin {
                bin,
                weight,
                predicted,
                observed,
            });
        }
    }
    Ok(())
}
