//! Which corrections of some models have values for which points, and whom the common ranking holds.

use std::collections::{BTreeMap, BTreeSet};

use super::{Data, Scope};

/// A correction outside the common ranking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unranked {
    /// Index of the correction.
    pub correction: usize,
    /// Datasets for which it has a value in this scope.
    pub n_datasets: usize,
}

/// Share of the best covered correction's cells that the common ranking keeps.
const KEEP: f64 = 0.8;

/// A model at a point.
pub(super) type Cell = (usize, usize);

/// The cells of some corrections, by dataset.
pub(super) type Cells = BTreeMap<usize, Vec<Cell>>;

/// Which correction of some models has values for which points.
pub(super) struct Cover<'a> {
    pub(super) data: &'a Data,
    pub(super) models: Vec<usize>,
    points: Vec<usize>,
    /// Corrections with at least one value, in order.
    pub(super) valued: Vec<usize>,
    /// Corrections with cells and no value.
    pub(super) valueless: Vec<usize>,
}

impl<'a> Cover<'a> {
    pub(super) fn new(data: &'a Data, models: &[usize], scope: Scope) -> Self {
        let mut cover = Self {
            data,
            models: models.to_vec(),
            points: data.points_of(scope),
            valued: Vec::new(),
            valueless: Vec::new(),
        };
        for correction in 0..data.corrections.len() {
            let own: Vec<bool> = cover
                .cells()
                .filter_map(|(model, point)| data.cube.get(model, point, correction))
                .map(|summary| summary.value().is_some())
                .collect();
            if own.contains(&true) {
                cover.valued.push(correction);
            } else if !own.is_empty() {
                cover.valueless.push(correction);
            }
        }
        cover
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = Cell> {
        let points = self.points.iter();
        points.flat_map(|&point| self.models.iter().map(move |&model| (model, point)))
    }

    pub(super) fn value(&self, cell: Cell, correction: usize) -> Option<f64> {
        self.data.cube.value(cell.0, cell.1, correction)
    }

    /// The cells for which all of `corrections` have a value.
    pub(super) fn shared(&self, corrections: &[usize]) -> Cells {
        let mut shared = Cells::new();
        for cell in self.cells() {
            if corrections.iter().all(|&c| self.value(cell, c).is_some())
                && let Some(point) = self.data.points.get(cell.1)
            {
                shared.entry(point.dataset).or_default().push(cell);
            }
        }
        shared
    }

    pub(super) fn n_datasets_any(&self) -> usize {
        let any = |cell: &Cell| self.valued.iter().any(|&c| self.value(*cell, c).is_some());
        let datasets: BTreeSet<usize> = self
            .cells()
            .filter(any)
            .filter_map(|(_, point)| self.data.points.get(point))
            .map(|point| point.dataset)
            .collect();
        datasets.len()
    }

    /// The corrections of the common ranking and those left out of it: the least covered one goes, one after
    /// another, until the rest shares most of the cells of the best covered one.
    pub(super) fn intersection(&self, baseline: Option<usize>) -> (Vec<usize>, Vec<Unranked>) {
        let size = |cells: &Cells| cells.values().map(Vec::len).sum::<usize>();
        let own: BTreeMap<usize, Cells> = self
            .valued
            .iter()
            .map(|&c| (c, self.shared(&[c])))
            .collect();
        let covered = |c: usize| own.get(&c).map_or(0, size);
        let most = self.valued.iter().map(|&c| covered(c)).max().unwrap_or(0);
        let mut kept = self.valued.clone();
        let mut dropped = Vec::new();
        while kept.len() > 1 && (size(&self.shared(&kept)) as f64) < KEEP * most as f64 {
            // The baseline stays as long as anything else can go: without it no rank has a meaning.
            let candidates = kept.iter().copied().filter(|&c| Some(c) != baseline);
            let Some(least) = candidates.rev().min_by_key(|&c| covered(c)) else {
                break;
            };
            kept.retain(|&c| c != least);
            dropped.push(Unranked {
                correction: least,
                n_datasets: own.get(&least).map_or(0, BTreeMap::len),
            });
        }
        dropped.sort_by(|a, b| {
            b.n_datasets
                .cmp(&a.n_datasets)
                .then(a.correction.cmp(&b.correction))
        });
        (kept, dropped)
    }
}
