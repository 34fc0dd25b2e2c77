//! Expected cost against the operating point: what each correction saves over none, as its decisions are given
//! and with a threshold of its own for every point.
//!
//! Balanced error is the point at which a missed row of the rare class and a false alarm count alike once the
//! classes are made equally frequent (probability cost 1/2); other costs or priors are other points. The best
//! threshold of an arm at a point is the one that cost least on other folds (see
//! [`counterweight_store::costs_table`]). Real datasets of two classes; clusters count alike.

use std::collections::BTreeMap;

use counterweight_core::costs::{POINTS, probability_cost};
use counterweight_store::{ArmCosts, OperatingPoint};

use super::cover::Cells;
use super::{Comparison, Data, Part, mean};
use crate::error::{ReportError, Result};

/// One correction of one model, or of all distinct models together, at one operating point.
#[derive(Debug, Clone, PartialEq)]
pub struct CostRow {
    /// The models that the means are over.
    pub models: Vec<usize>,
    /// Index of the correction.
    pub correction: usize,
    /// Probability cost.
    pub pc: f64,
    /// Clusters that the means are over: those where the correction and none have costs.
    pub n_clusters: usize,
    /// Mean normalised expected cost of the decisions as given.
    pub given: f64,
    /// The same of the Bayes rule on the arm's probabilities.
    pub own: f64,
    /// The same of the threshold that cost least on other folds; `None` where nothing has other folds.
    pub best: Option<f64>,
    /// What the given decisions save over those of no correction.
    pub gain_given: Part,
    /// What the correction saves over none when both have their best threshold.
    pub gain_best: Option<Part>,
}

/// Neighbouring operating points at which one arm, none too, has the least mean cost of those that have costs on
/// every cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct CostRange {
    /// The models that the means are over.
    pub models: Vec<usize>,
    /// Whether every arm has its best threshold, and not its decisions as given.
    pub best_threshold: bool,
    /// Index of the correction; of equally cheap ones the first.
    pub correction: usize,
    /// The first and the last probability cost.
    pub pc: (f64, f64),
    /// Clusters that the means are over.
    pub n_clusters: usize,
    /// What the arm saves over none at the point of the range where it saves most.
    pub most: Part,
}

/// Everything on costs; empty without a baseline or without datasets of two classes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CostStudy {
    /// By models (all together first), correction and rising probability cost.
    pub rows: Vec<CostRow>,
    /// Which arm is cheapest where: by models, decisions as given first, and rising probability cost.
    pub ranges: Vec<CostRange>,
}

/// The costs of an arm at a point of the design.
pub(super) type Arms<'a> = BTreeMap<(usize, usize, usize), &'a ArmCosts>;

impl CostStudy {
    pub(super) fn of(data: &Data, whole: &[&Comparison], costs: &[ArmCosts]) -> Result<Self> {
        let mut found = Self::default();
        let Some(baseline) = data.baseline else {
            return Ok(found);
        };
        let places = data.places();
        let arms: Arms<'_> = costs
            .iter()
            .filter_map(|arm| {
                let ratio = arm.requested_ratio;
                let place = places.find(
                    (&arm.dataset, &arm.profile, ratio),
                    &arm.model,
                    &arm.correction,
                );
                Some((place?, arm))
            })
            .collect();
        for comparison in whole {
            let start = found.rows.len();
            for correction in 0..data.corrections.len() {
                let mut cells = Cells::new();
                for &(model, point, own) in arms.keys() {
                    let both = own == correction && arms.contains_key(&(model, point, baseline));
                    let dataset = data.points.get(point).map(|point| point.dataset);
                    if let Some(dataset) =
                        dataset.filter(|_| both && comparison.models.contains(&model))
                    {
                        cells.entry(dataset).or_default().push((model, point));
                    }
                }
                if cells.is_empty() {
                    continue;
                }
                for at in 0..POINTS {
                    let row = row(data, (&arms, &cells), (correction, baseline), at);
                    let row = row.map_err(|source| ReportError::Stats {
                        what: format!("costs of `{}`", data.correction(correction)),
                        source,
                    })?;
                    found.rows.extend(row.map(|row| CostRow {
                        models: comparison.models.clone(),
                        ..row
                    }));
                }
            }
            let rows = &found.rows[start..];
            let given = ranges(rows, |row| Some((row.given, row.gain_given)));
            let best = ranges(rows, |row| Some((row.best?, row.gain_best?)));
            found.ranges.extend(given);
            found.ranges.extend(best.into_iter().map(|range| CostRange {
                best_threshold: true,
                ..range
            }));
        }
        Ok(found)
    }

    /// The rows of one correction, by rising probability cost.
    pub fn of_arm<'a>(
        &'a self,
        models: &'a [usize],
        correction: usize,
    ) -> impl Iterator<Item = &'a CostRow> + 'a {
        let own = self.rows.iter();
        own.filter(move |row| row.models == models && row.correction == correction)
    }
}

/// Where each arm is the cheapest by the cost and the gain that `of` gives.
fn ranges(rows: &[CostRow], of: impl Fn(&CostRow) -> Option<(f64, Part)>) -> Vec<CostRange> {
    let all = rows.iter().map(|row| row.n_clusters).max().unwrap_or(0);
    let mut ranges: Vec<CostRange> = Vec::new();
    for at in 0..POINTS {
        let pc = probability_cost(at, POINTS);
        // One value for one point, whatever the arm.
        let here = rows
            .iter()
            .filter(|row| row.n_clusters == all && row.pc.total_cmp(&pc).is_eq());
        let costs = here.filter_map(|row| Some((row, of(row)?)));
        let Some((row, (_, gain))) = costs.min_by(|a, b| a.1.0.total_cmp(&b.1.0)) else {
            continue;
        };
        match ranges
            .last_mut()
            .filter(|range| range.correction == row.correction)
        {
            Some(range) => {
                range.pc.1 = pc;
                if gain.mean > range.most.mean {
                    range.most = gain;
                }
            }
            None => ranges.push(CostRange {
                models: row.models.clone(),
                best_threshold: false,
                correction: row.correction,
                pc: (pc, pc),
                n_clusters: all,
                most: gain,
            }),
        }
    }
    ranges
}

fn row(
    data: &Data,
    (arms, cells): (&Arms<'_>, &Cells),
    (correction, baseline): (usize, usize),
    at: usize,
) -> counterweight_stats::Result<Option<CostRow>> {
    let point = |(model, point): (usize, usize), arm: usize| -> Option<&OperatingPoint> {
        arms.get(&(model, point, arm))?.points.get(at)
    };
    let over = |value: &dyn Fn((usize, usize)) -> Option<f64>| -> Vec<f64> {
        data.by_cluster(cells, value).into_values().collect()
    };
    let level = |value: fn(&OperatingPoint) -> Option<f64>| {
        mean(over(&|cell| value(point(cell, correction)?)).into_iter())
    };
    let gains = |value: fn(&OperatingPoint) -> Option<f64>| {
        over(&|cell| Some(value(point(cell, baseline)?)? - value(point(cell, correction)?)?))
    };
    let (Some(given), Some(own)) = (level(|p| Some(p.given)), level(|p| Some(p.own))) else {
        return Ok(None);
    };
    let given_gains = gains(|p| Some(p.given));
    let best_gains = gains(|p| p.best);
    Ok(Some(CostRow {
        models: Vec::new(),
        correction,
        pc: probability_cost(at, POINTS),
        n_clusters: given_gains.len(),
        given,
        own,
        best: level(|p| p.best),
        gain_given: Part::of(&given_gains)?,
        gain_best: if best_gains.is_empty() {
            None
        } else {
            Some(Part::of(&best_gains)?)
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cheapest_arm_is_named_where_it_is_and_only_on_shared_clusters() {
        let row = |correction: usize, pc: f64, given: f64, n_clusters: usize| CostRow {
            models: vec![0],
            correction,
            pc,
            n_clusters,
            given,
            own: given,
            best: (correction == 1).then_some(given),
            gain_given: Part::of(&[0.2 - given]).unwrap(),
            gain_best: (correction == 1).then(|| Part::of(&[0.2 - given]).unwrap()),
        };
        let points = || (0..POINTS).map(|at| probability_cost(at, POINTS));
        // One costs .2 everywhere, the other as much as the point is; the third is free on fewer clusters.
        let rows: Vec<CostRow> = points()
            .flat_map(|pc| [row(0, pc, 0.2, 9), row(1, pc, pc, 9), row(2, pc, 0.0, 8)])
            .collect();
        let given = ranges(&rows, |row| Some((row.given, row.gain_given)));
        let found: Vec<_> = given
            .iter()
            .map(|r| (r.correction, r.pc, r.n_clusters))
            .collect();
        assert_eq!(found, [(1, (0.0, 0.15), 9), (0, (0.2, 1.0), 9)]);
        assert!((given[0].most.mean - 0.2).abs() < 1e-15);
        let best = ranges(&rows, |row| Some((row.best?, row.gain_best?)));
        assert_eq!(best.len(), 1, "only one arm has a best threshold");
        assert_eq!(best[0].pc, (0.0, 1.0));
    }
}
