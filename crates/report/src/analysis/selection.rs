//! Selection inside the fold: whether the order of the corrections changes when each is compared at
//! parameters of its own choice in place of fixed ones.
//!
//! An entry with `select` is set beside an entry of the same kind without: the one at the defaults of the
//! catalogue where there is one, else the one that agrees with them most. Gains are paired over the points
//! that both have; both orders are formed of the same corrections on the same datasets.

use std::collections::{BTreeMap, BTreeSet};

use counterweight_core::{Axis, Record, Role, Scalar};
use counterweight_stats::{CompleteTable, Dataset, PairedDifferences, RankTable, kendall_tau_b};

use super::compare::RESOLUTION;
use super::cover::Cells;
use super::paired::too_few;
use super::{Comparison, Data, ModelInfo, mean};
use crate::ReportInput;
use crate::error::{ReportError, Result};

/// A correction under fixed and under chosen parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectionRow {
    /// Index of the order that it belongs to.
    pub order: usize,
    /// Index of the correction.
    pub correction: usize,
    /// Independent clusters that both entries have a value for.
    pub n_clusters: usize,
    /// Mean of the target over them at the fixed parameters.
    pub fixed: f64,
    /// At the chosen ones.
    pub selected: f64,
    /// What choosing gains; positive is better.
    pub gain: f64,
    /// Its standard error over clusters of datasets; `None` with fewer than two.
    pub standard_error: Option<f64>,
    /// Its places in both orders; `None` when it is in neither.
    pub places: Option<Places>,
    /// How often each point of the grid was chosen, in the order of the grid.
    pub chosen: Vec<(String, usize)>,
}

/// Where a correction stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Places {
    /// Mean rank at fixed parameters.
    pub fixed_rank: f64,
    /// Mean rank at chosen ones.
    pub selected_rank: f64,
    /// Position in the order at fixed parameters, from 1.
    pub fixed: usize,
    /// Position at chosen ones.
    pub selected: usize,
}

/// An entry that chooses beside one that does not.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectionOrder {
    /// Index of the model without `select`.
    pub fixed: usize,
    /// Index of the model with it.
    pub selected: usize,
    /// The fixed values of what the other chooses, such as `l2=1`.
    pub fixed_at: String,
    /// Whether these are the catalogue's defaults.
    pub at_defaults: bool,
    /// The metric that chooses.
    pub metric: String,
    /// Corrections in both orders.
    pub n_corrections: usize,
    /// Independent clusters of both orders.
    pub n_clusters: usize,
    /// Corrections whose position differs.
    pub moved: usize,
    /// Kendall's tau-b between the mean ranks; `None` below two corrections or when all tie.
    pub tau: Option<f64>,
    /// Mean gain over the corrections.
    pub mean_gain: Option<f64>,
}

/// Everything about selection; empty where no entry selects.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SelectionStudy {
    /// One an entry with `select` that has a counterpart.
    pub orders: Vec<SelectionOrder>,
    /// Its corrections, in the order of the sweep.
    pub rows: Vec<SelectionRow>,
}

/// The metric by which an entry selects.
fn selects(model: &ModelInfo) -> Option<&Scalar> {
    model.stages.value(Role::Model, "select")
}

/// How often each point of a grid was chosen, by model and correction, in the order of the grid.
type Chosen<'a> = BTreeMap<(&'a str, &'a str), BTreeMap<u64, (String, usize)>>;

fn chosen<'a>(data: &Data, records: &'a [Record]) -> Chosen<'a> {
    let mut found = Chosen::new();
    let selecting: BTreeSet<&str> = data
        .models
        .iter()
        .filter(|model| selects(model).is_some())
        .map(|model| model.id.as_str())
        .collect();
    if selecting.is_empty() {
        return found;
    }
    for record in records
        .iter()
        .filter(|r| selecting.contains(r.model.as_str()))
    {
        let Some(point) = record.details.get("selected") else {
            continue;
        };
        let values: Vec<String> = record
            .details
            .iter()
            .filter_map(|(key, value)| {
                let key = key.as_str().strip_prefix("selected_")?;
                Some(format!("{key}={value}"))
            })
            .collect();
        // Bits of numbers that are not negative are ordered as they are.
        let place = point.to_bits();
        let key = (record.model.as_str(), record.correction.as_str());
        let counts = found.entry(key).or_default();
        let label = || {
            if values.is_empty() {
                format!("point {point}")
            } else {
                values.join(",")
            }
        };
        counts.entry(place).or_insert_with(|| (label(), 0)).1 += 1;
    }
    found
}

impl SelectionStudy {
    pub(super) fn of(data: &Data, overall: &[Comparison], input: &ReportInput<'_>) -> Result<Self> {
        let mut study = Self::default();
        let mut chosen = chosen(data, input.records);
        for (selected, model) in data.models.iter().enumerate() {
            let Some(metric) = selects(model) else {
                continue;
            };
            let Some((fixed, fixed_at, at_defaults)) = counterpart(data, selected, input.axes)
            else {
                continue;
            };
            let order = study.orders.len();
            let mut rows = Vec::new();
            for correction in 0..data.corrections.len() {
                let key = (model.id.as_str(), data.correction(correction));
                let chosen = chosen.remove(&key).unwrap_or_default();
                let row = row(data, (fixed, selected), correction)?;
                rows.extend(row.map(|row| SelectionRow {
                    order,
                    chosen: chosen.into_values().collect(),
                    ..row
                }));
            }
            if rows.is_empty() {
                continue;
            }
            let mut found = SelectionOrder {
                fixed,
                selected,
                fixed_at,
                at_defaults,
                metric: metric.to_string(),
                n_corrections: 0,
                n_clusters: 0,
                moved: 0,
                tau: None,
                mean_gain: mean(rows.iter().map(|row| row.gain)),
            };
            found.compare(data, overall, &mut rows)?;
            study.orders.push(found);
            study.rows.extend(rows);
        }
        Ok(study)
    }

    /// The rows of an order.
    pub fn rows_of(&self, order: usize) -> impl Iterator<Item = &SelectionRow> {
        self.rows.iter().filter(move |row| row.order == order)
    }
}

/// The entry of the same kind and features without `select`, what it fixes of the grid, and whether that is
/// the default.
fn counterpart(data: &Data, selected: usize, axes: &[Axis]) -> Option<(usize, String, bool)> {
    let model = data.models.get(selected)?;
    let value = |model: &'_ ModelInfo, name: &str| model.stages.value(Role::Model, name).cloned();
    let chosen = |axis: &&Axis| {
        let own = axis.stage == Role::Model && model.stages.model_entry.as_str() == axis.entry;
        own && axis.selected_by.is_some()
    };
    let varied: Vec<&Axis> = axes.iter().filter(chosen).collect();
    let agree = |other: &ModelInfo| {
        let same = |axis: &&&Axis| value(other, &axis.parameter) == axis.default;
        varied.iter().filter(same).count()
    };
    let mut best: Option<(usize, usize)> = None;
    for (at, other) in data.models.iter().enumerate() {
        let comparable = !other.selects() && other.is_kind_of(model);
        if comparable && best.is_none_or(|(_, most)| agree(other) > most) {
            best = Some((at, agree(other)));
        }
    }
    let (fixed, agreeing) = best?;
    let fixed_at = data.models.get(fixed)?;
    let at = |axis: &&Axis| match value(fixed_at, &axis.parameter) {
        Some(value) => format!("{}={value}", axis.parameter),
        None => format!("no {}", axis.parameter),
    };
    let at: Vec<String> = varied.iter().map(at).collect();
    Some((fixed, at.join(", "), agreeing == varied.len()))
}

/// Cluster means of both entries over the points that both have.
fn by_cluster(
    data: &Data,
    (fixed, selected): (usize, usize),
    correction: usize,
) -> BTreeMap<&str, (f64, f64)> {
    let value = |model, point| data.cube.value(model, point, correction);
    let mut cells = Cells::new();
    for at in data.points_of(data.question()) {
        let both = value(fixed, at).is_some() && value(selected, at).is_some();
        if let (true, Some(point)) = (both, data.points.get(at)) {
            cells.entry(point.dataset).or_default().push((0, at));
        }
    }
    let of = |model: usize| data.by_cluster(&cells, &|(_, at)| value(model, at));
    let pairs = of(fixed).into_iter().zip(of(selected).into_values());
    pairs.map(|((name, a), b)| (name, (a, b))).collect()
}

fn row(data: &Data, models: (usize, usize), correction: usize) -> Result<Option<SelectionRow>> {
    let values = by_cluster(data, models, correction);
    let (Some(fixed), Some(selected)) = (
        mean(values.values().map(|v| v.0)),
        mean(values.values().map(|v| v.1)),
    ) else {
        return Ok(None);
    };
    let gains: Vec<f64> = values
        .values()
        .map(|(fixed, selected)| -data.target.cost(selected - fixed))
        .collect();
    let error = |source| ReportError::Stats {
        what: format!(
            "selection by {} under {}",
            data.model(models.1),
            data.correction(correction)
        ),
        source,
    };
    let paired = PairedDifferences::independent(gains).map_err(error)?;
    Ok(Some(SelectionRow {
        order: 0,
        correction,
        n_clusters: values.len(),
        fixed,
        selected,
        gain: paired.mean(),
        standard_error: too_few(paired.standard_error()).map_err(error)?,
        places: None,
        chosen: Vec::new(),
    }))
}

impl SelectionOrder {
    /// Ranks the corrections that both comparisons rank, on the datasets that all of them share.
    fn compare(
        &mut self,
        data: &Data,
        overall: &[Comparison],
        rows: &mut [SelectionRow],
    ) -> Result<()> {
        let ranked = |model: usize| -> BTreeSet<usize> {
            let comparison = overall.get(model);
            let ranked = comparison.map(|c| c.ranked.iter());
            ranked.into_iter().flatten().map(|r| r.correction).collect()
        };
        let both: Vec<usize> = ranked(self.fixed)
            .intersection(&ranked(self.selected))
            .copied()
            .collect();
        let values: Vec<BTreeMap<&str, (f64, f64)>> = both
            .iter()
            .map(|&c| by_cluster(data, (self.fixed, self.selected), c))
            .collect();
        let datasets: Vec<&str> = values.first().map_or_else(Vec::new, |first| {
            let names = first.keys().copied();
            names
                .filter(|name| values.iter().all(|own| own.contains_key(name)))
                .collect()
        });
        if both.len() < 2 || datasets.is_empty() {
            return Ok(());
        }
        let error = |source| ReportError::Stats {
            what: format!("the orders of {}", data.model(self.selected)),
            source,
        };
        let side = |get: fn(&(f64, f64)) -> f64| -> counterweight_stats::Result<Vec<(f64, f64)>> {
            let cells: Vec<f64> = datasets
                .iter()
                .flat_map(|d| values.iter().filter_map(|own| own.get(d).map(get)))
                .collect();
            let names = datasets.iter().map(|d| Dataset::independent(*d));
            let table = CompleteTable::new(
                data.target.direction(),
                names.collect(),
                both.iter()
                    .map(|&c| data.correction(c).to_owned())
                    .collect(),
                cells,
            )?;
            let means = table.means().into_iter().map(|m| data.target.cost(m));
            let ranks = RankTable::new(&table.rounded(RESOLUTION)?)?.means();
            Ok(ranks.into_iter().zip(means).collect())
        };
        let fixed = side(|v| v.0).map_err(error)?;
        let selected = side(|v| v.1).map_err(error)?;
        let (before, after) = (positions(&fixed), positions(&selected));
        self.n_corrections = both.len();
        self.n_clusters = datasets.len();
        self.moved = before.iter().zip(&after).filter(|(a, b)| a != b).count();
        let ranks: Vec<(f64, f64)> = fixed
            .iter()
            .zip(&selected)
            .map(|(a, b)| (a.0, b.0))
            .collect();
        self.tau = kendall_tau_b(&ranks);
        for row in rows {
            let Some(at) = both.iter().position(|&c| c == row.correction) else {
                continue;
            };
            if let (Some(&(fixed_rank, selected_rank)), Some(&fixed), Some(&selected)) =
                (ranks.get(at), before.get(at), after.get(at))
            {
                row.places = Some(Places {
                    fixed_rank,
                    selected_rank,
                    fixed,
                    selected,
                });
            }
        }
        Ok(())
    }
}

/// Positions from 1, by mean rank and then by mean cost; those that agree in both share the first.
fn positions(values: &[(f64, f64)]) -> Vec<usize> {
    let above = |own: &(f64, f64)| {
        let better = |other: &&(f64, f64)| {
            let (rank, cost) = (other.0 - own.0, other.1 - own.1);
            rank < -1e-9 || (rank.abs() <= 1e-9 && cost < -RESOLUTION)
        };
        values.iter().filter(better).count()
    };
    values.iter().map(|own| above(own) + 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_break_ties_by_the_mean_and_share_what_is_equal() {
        let values = [(2.0, 0.3), (1.0, 0.4), (2.0, 0.2), (2.0, 0.3)];
        assert_eq!(positions(&values), [3, 1, 2, 3]);
    }
}
