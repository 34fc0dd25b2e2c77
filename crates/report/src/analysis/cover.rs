//! Which corrections of a model have values for which points, and whom the common ranking holds.

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

/// Share of the best covered correction's datasets that the common ranking keeps.
const KEEP: f64 = 0.8;

/// Which correction of a model has values for which points.
pub(super) struct Cover<'a> {
    pub(super) data: &'a Data,
    pub(super) model: usize,
    pub(super) points: Vec<usize>,
    /// Corrections with at least one value, in order.
    pub(super) valued: Vec<usize>,
    /// Corrections with cells and no value.
    pub(super) valueless: Vec<usize>,
}

impl<'a> Cover<'a> {
    pub(super) fn new(data: &'a Data, model: usize, scope: Scope) -> Self {
        let points = data.points_of(scope);
        let (mut valued, mut valueless) = (Vec::new(), Vec::new());
        for correction in 0..data.corrections.len() {
            let mut cells = points
                .iter()
                .filter_map(|&point| data.cube.get(model, point, correction))
                .peekable();
            if cells.peek().is_none() {
                continue;
            }
            if cells.any(|summary| summary.value().is_some()) {
                valued.push(correction);
            } else {
                valueless.push(correction);
            }
        }
        Self {
            data,
            model,
            points,
            valued,
            valueless,
        }
    }

    pub(super) fn value(&self, point: usize, correction: usize) -> Option<f64> {
        self.data.cube.value(self.model, point, correction)
    }

    /// The points for which all of `corrections` have a value, by dataset.
    pub(super) fn shared_points(&self, corrections: &[usize]) -> BTreeMap<usize, Vec<usize>> {
        let mut shared: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for &point in &self.points {
            if corrections.iter().all(|&c| self.value(point, c).is_some())
                && let Some(dataset) = self.data.points.get(point).map(|point| point.dataset)
            {
                shared.entry(dataset).or_default().push(point);
            }
        }
        shared
    }

    pub(super) fn n_datasets_any(&self) -> usize {
        let any = |&&point: &&usize| self.valued.iter().any(|&c| self.value(point, c).is_some());
        let datasets: BTreeSet<usize> = self
            .points
            .iter()
            .filter(any)
            .filter_map(|&point| self.data.points.get(point))
            .map(|point| point.dataset)
            .collect();
        datasets.len()
    }

    /// The corrections of the common ranking and those left out of it (see the module).
    pub(super) fn intersection(&self, baseline: Option<usize>) -> (Vec<usize>, Vec<Unranked>) {
        let cover: BTreeMap<usize, usize> = self
            .valued
            .iter()
            .map(|&c| (c, self.shared_points(&[c]).len()))
            .collect();
        let most = cover.values().copied().max().unwrap_or(0);
        let covered = |c: usize| cover.get(&c).copied().unwrap_or(0);
        let mut kept = self.valued.clone();
        let mut dropped = Vec::new();
        while kept.len() > 1 && (self.shared_points(&kept).len() as f64) < KEEP * most as f64 {
            // The baseline stays as long as anything else can go: without it no rank has a meaning.
            let candidates = kept.iter().copied().filter(|&c| Some(c) != baseline);
            let Some(least) = candidates.rev().min_by_key(|&c| covered(c)) else {
                break;
            };
            kept.retain(|&c| c != least);
            dropped.push(Unranked {
                correction: least,
                n_datasets: covered(least),
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
