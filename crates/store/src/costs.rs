//! costs.parquet: the errors of each arm of two-class data at operating points, over repeats and folds.
//!
//! One row a dataset, ratio, model, correction and operating point (see [`counterweight_core::costs`]). Three
//! rules stand beside each other: the arm's **given** decisions, the same at every point; the Bayes rule of the
//! point on the arm's **own** probabilities; and the **best** of the cuts by what it cost on the other folds of
//! the same repeat, so that no row has a say in its own cut. Data with one fold a repeat have no such cut.

use std::collections::BTreeMap;

use counterweight_core::costs::{Cuts, POINTS, expected_cost, probability_cost};
use counterweight_core::{Name, Record, Table};

use crate::reliability::{PoolKey, pool_key};
use crate::side_files::Sides;
use crate::table::{Builder, Reader, Result};

/// Missed rows and false alarms.
type Errors = (u64, u64);

/// A cell that has cuts.
struct Cell<'a> {
    repeat: u64,
    cuts: &'a Cuts,
    /// Rows of the positive class, and others.
    rows: (u64, u64),
    given: Errors,
}

struct Pool<'a> {
    first: &'a Record,
    cells: Vec<Cell<'a>>,
}

fn pools<'a>(records: &'a [Record], sides: &'a Sides) -> Vec<Pool<'a>> {
    let mut places: BTreeMap<PoolKey<'_>, usize> = BTreeMap::new();
    let mut pools: Vec<Pool<'_>> = Vec::new();
    for record in records {
        let bins = sides.reliability.get(&record.cell);
        let Some(cuts) = bins.and_then(|bins| bins.cuts.as_ref()) else {
            continue;
        };
        let (&[a, b], Some(wrong)) = (record.test_counts.as_slice(), wrong(record)) else {
            continue;
        };
        let ordered = |(own, other)| {
            if cuts.positive == 0 {
                (own, other)
            } else {
                (other, own)
            }
        };
        let place = *places.entry(pool_key(record)).or_insert_with(|| {
            pools.push(Pool {
                first: record,
                cells: Vec::new(),
            });
            pools.len() - 1
        });
        pools[place].cells.push(Cell {
            repeat: record.repeat,
            cuts,
            rows: ordered((a, b)),
            given: ordered(wrong),
        });
    }
    pools
}

/// Wrongly decided rows of class 0 and of class 1.
fn wrong(record: &Record) -> Option<(u64, u64)> {
    let &[first, second] = record.recalls.as_slice() else {
        return None;
    };
    let wrong = |recall: Option<f64>, rows: u64| {
        // A recall is right rows over rows, so the product is whole up to rounding.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a count"
        )]
        recall.map_or(0, |recall| ((1.0 - recall) * rows as f64).round() as u64)
    };
    let rows = &record.test_counts;
    Some((wrong(first, *rows.first()?), wrong(second, *rows.get(1)?)))
}

impl Pool<'_> {
    fn sum(&self, of: impl Fn(&Cell<'_>) -> Option<Errors>) -> Option<Errors> {
        let add = |(a, b): Errors, (c, d): Errors| (a + c, b + d);
        self.cells
            .iter()
            .try_fold((0, 0), |sum, cell| of(cell).map(|errors| add(sum, errors)))
    }

    fn rows(&self) -> (u64, u64) {
        self.sum(|cell| Some(cell.rows)).unwrap_or_default()
    }

    /// Errors when each fold is cut where the other folds of its repeat would have cost least at `pc`.
    fn best(&self, at: usize, pc: f64) -> Option<Errors> {
        self.sum(|cell| {
            // Folds are compared by address: two may have equal cuts.
            let others = || {
                let same = self
                    .cells
                    .iter()
                    .filter(|other| other.repeat == cell.repeat);
                same.filter(|other| !std::ptr::eq(*other, cell))
            };
            let positives: u64 = others().map(|other| other.rows.0).sum();
            let negatives: u64 = others().map(|other| other.rows.1).sum();
            if positives == 0 || negatives == 0 {
                return None;
            }
            let cost = |cut: usize| {
                let misses: u64 = others().map(|other| other.cuts.misses[cut]).sum();
                let alarms: u64 = others().map(|other| other.cuts.alarms[cut]).sum();
                expected_cost(
                    pc,
                    misses as f64 / positives as f64,
                    alarms as f64 / negatives as f64,
                )
            };
            let mut chosen = (f64::INFINITY, at);
            // Of equally good cuts the nearest to the Bayes rule's.
            let mut cuts: Vec<usize> = (0..POINTS).collect();
            cuts.sort_by_key(|&cut| cut.abs_diff(at));
            for cut in cuts {
                let cost = cost(cut);
                if cost < chosen.0 - 1e-12 {
                    chosen = (cost, cut);
                }
            }
            Some((cell.cuts.misses[chosen.1], cell.cuts.alarms[chosen.1]))
        })
    }
}

/// The rows of the table, of the cells of a plan in its order. O(cells folds points^2).
///
/// # Errors
/// [`TableError::Build`](crate::TableError::Build) for a number that is not finite.
pub fn costs_table(records: &[Record], sides: &Sides) -> Result<Table> {
    struct Row<'a> {
        pool: &'a Pool<'a>,
        rows: (u64, u64),
        pc: f64,
        given: Errors,
        own: Errors,
        best: Option<Errors>,
    }
    let pools = pools(records, sides);
    let mut rows = Vec::new();
    for pool in &pools {
        for at in 0..POINTS {
            let pc = probability_cost(at, POINTS);
            let own = |cell: &Cell<'_>| Some((cell.cuts.misses[at], cell.cuts.alarms[at]));
            rows.push(Row {
                pool,
                rows: pool.rows(),
                pc,
                given: pool.sum(|cell| Some(cell.given)).unwrap_or_default(),
                own: pool.sum(own).unwrap_or_default(),
                best: pool.best(at, pc),
            });
        }
    }
    let first = || rows.iter().map(|row| row.pool.first);
    let mut table = Builder::new("costs");
    table.text("dataset", first().map(|r| Some(r.dataset.as_str())))?;
    table.text("profile", first().map(|r| Some(r.profile.as_str())))?;
    table.real("requested_ratio", first().map(|r| r.requested_ratio))?;
    table.text("model", first().map(|r| Some(r.model.as_str())))?;
    table.text("correction", first().map(|r| Some(r.correction.as_str())))?;
    table.whole("cells", rows.iter().map(|row| row.pool.cells.len() as u64))?;
    table.whole("positives", rows.iter().map(|row| row.rows.0))?;
    table.whole("negatives", rows.iter().map(|row| row.rows.1))?;
    table.real("probability_cost", rows.iter().map(|row| Some(row.pc)))?;
    table.whole("given_misses", rows.iter().map(|row| row.given.0))?;
    table.whole("given_alarms", rows.iter().map(|row| row.given.1))?;
    table.whole("own_misses", rows.iter().map(|row| row.own.0))?;
    table.whole("own_alarms", rows.iter().map(|row| row.own.1))?;
    let best = || rows.iter().map(|row| row.best);
    table.real(
        "best_misses",
        best().map(|best| best.map(|(misses, _)| misses as f64)),
    )?;
    table.real(
        "best_alarms",
        best().map(|best| best.map(|(_, alarms)| alarms as f64)),
    )?;
    Ok(table.finish())
}

/// What an arm costs at one operating point: normalised expected costs in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OperatingPoint {
    /// The probability cost.
    pub pc: f64,
    /// By the arm's decisions as they are.
    pub given: f64,
    /// By the Bayes rule on its probabilities.
    pub own: f64,
    /// By the cut that cost least on other folds; `None` where there are none.
    pub best: Option<f64>,
}

/// The costs of one correction on one dataset at one ratio, over all repeats and folds.
#[derive(Debug, Clone, PartialEq)]
pub struct ArmCosts {
    /// Id of the dataset.
    pub dataset: Name,
    /// Profile of the dataset.
    pub profile: Name,
    /// The ratio that was asked for; `None` for natural data.
    pub requested_ratio: Option<f64>,
    /// Id of the model.
    pub model: Name,
    /// Id of the correction.
    pub correction: Name,
    /// Share of the positive class among the test rows.
    pub prevalence: f64,
    /// By rising probability cost.
    pub points: Vec<OperatingPoint>,
}

/// Adds the rows of a table, or of the next part of one, to `arms`.
///
/// # Errors
/// A column that is missing or of another type.
pub fn take_costs(arms: &mut Vec<ArmCosts>, table: &Table) -> Result<()> {
    // A column without rows has lost its type, and says nothing.
    if table.n_rows() == 0 {
        return Ok(());
    }
    let reader = Reader {
        name: "costs",
        table,
    };
    let datasets = reader.names("dataset", false)?;
    let profiles = reader.names("profile", false)?;
    let ratios = reader.real("requested_ratio")?;
    let models = reader.names("model", false)?;
    let corrections = reader.names("correction", false)?;
    let (positives, negatives) = (reader.whole("positives")?, reader.whole("negatives")?);
    let pcs = reader.required_real("probability_cost")?;
    let given = (reader.whole("given_misses")?, reader.whole("given_alarms")?);
    let own = (reader.whole("own_misses")?, reader.whole("own_alarms")?);
    let best = (reader.real("best_misses")?, reader.real("best_alarms")?);
    for row in 0..table.n_rows() {
        let (positive, negative) = (positives[row] as f64, negatives[row] as f64);
        let pc = pcs[row];
        let cost = |misses: f64, alarms: f64| {
            let rate = |errors: f64, rows: f64| if rows > 0.0 { errors / rows } else { 0.0 };
            expected_cost(pc, rate(misses, positive), rate(alarms, negative))
        };
        let arm = ArmCosts {
            dataset: datasets[row].clone(),
            profile: profiles[row].clone(),
            requested_ratio: ratios[row],
            model: models[row].clone(),
            correction: corrections[row].clone(),
            prevalence: positive / (positive + negative).max(1.0),
            points: Vec::new(),
        };
        let key = |arm: &ArmCosts| (arm.requested_ratio.map(f64::to_bits), arm.profile.clone());
        let same = arms.last().is_some_and(|last| {
            last.dataset == arm.dataset
                && last.model == arm.model
                && last.correction == arm.correction
                && key(last) == key(&arm)
        });
        if !same {
            arms.push(arm);
        }
        if let Some(last) = arms.last_mut() {
            last.points.push(OperatingPoint {
                pc,
                given: cost(given.0[row] as f64, given.1[row] as f64),
                own: cost(own.0[row] as f64, own.1[row] as f64),
                best: best.0[row]
                    .zip(best.1[row])
                    .map(|(misses, alarms)| cost(misses, alarms)),
            });
        }
    }
    Ok(())
}
