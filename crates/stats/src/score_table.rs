//! The score table: datasets in rows, methods in columns, cells that may be missing.

use std::collections::BTreeSet;

use crate::error::{Result, StatsError, Unit, at_least, finite};
use crate::params::Direction;

/// A row of a score table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// Unique name.
    pub name: String,
    /// Name of the cluster that it shares with related datasets; its own name if it has none.
    pub cluster: String,
}

impl Dataset {
    /// A dataset that is related to no other.
    pub fn independent(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            cluster: name.clone(),
            name,
        }
    }
}

/// A datasets x methods matrix in which a cell may be missing and none is NaN.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreTable {
    pub(crate) direction: Direction,
    pub(crate) datasets: Vec<Dataset>,
    pub(crate) methods: Vec<String>,
    pub(crate) cells: Vec<Option<f64>>,
}

impl ScoreTable {
    /// Checks a table given row by row (all methods of the first dataset first).
    ///
    /// # Errors
    ///
    /// [`StatsError::TooFew`] without a dataset or method, [`StatsError::LengthMismatch`] unless
    /// there is one cell a pair, [`StatsError::DuplicateName`], [`StatsError::NotFinite`].
    pub fn new(
        direction: Direction,
        datasets: Vec<Dataset>,
        methods: Vec<String>,
        mut cells: Vec<Option<f64>>,
    ) -> Result<Self> {
        at_least("a score table", Unit::Datasets, datasets.len(), 1)?;
        let width = at_least("a score table", Unit::Methods, methods.len(), 1)?;
        let expected = datasets.len() * width;
        if cells.len() != expected {
            let found = cells.len();
            return Err(StatsError::LengthMismatch {
                what: "cells of a score table",
                found,
                expected,
            });
        }
        unique(
            Unit::Datasets,
            datasets.iter().map(|dataset| dataset.name.as_str()),
        )?;
        unique(Unit::Methods, methods.iter().map(String::as_str))?;
        for (line, dataset) in cells.chunks_mut(width).zip(&datasets) {
            for (cell, method) in line.iter_mut().zip(&methods) {
                if let Some(value) = *cell {
                    let place = || format!("dataset `{}`, method `{method}`", dataset.name);
                    *cell = Some(finite(value, place)?);
                }
            }
        }
        Ok(Self {
            direction,
            datasets,
            methods,
            cells,
        })
    }

    /// Which end of the scale is good.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The rows' names and clusters.
    pub fn datasets(&self) -> &[Dataset] {
        &self.datasets
    }

    /// The columns' names.
    pub fn methods(&self) -> &[String] {
        &self.methods
    }

    /// The value, or `None` if it is missing or an index is past the end.
    pub fn get(&self, dataset: usize, method: usize) -> Option<f64> {
        self.line(dataset).get(method).copied().flatten()
    }

    /// The cells of one dataset; empty past the end.
    pub fn line(&self, dataset: usize) -> &[Option<f64>] {
        self.cells
            .chunks(self.methods.len())
            .nth(dataset)
            .unwrap_or_default()
    }

    /// The cells of one method over the datasets; `None`s past the end.
    pub fn column(&self, method: usize) -> Vec<Option<f64>> {
        self.lines()
            .map(|line| line.get(method).copied().flatten())
            .collect()
    }

    /// All rows in order.
    pub fn lines(&self) -> impl Iterator<Item = &[Option<f64>]> {
        self.cells.chunks(self.methods.len())
    }

    /// How many cells are missing.
    pub fn missing(&self) -> usize {
        self.cells.iter().filter(|cell| cell.is_none()).count()
    }

    /// The index of a method.
    ///
    /// # Errors
    ///
    /// [`StatsError::UnknownName`].
    pub fn method_index(&self, name: &str) -> Result<usize> {
        position(&self.methods, name)
    }

    /// The table with the columns at `methods`, in that order.
    ///
    /// # Errors
    ///
    /// [`StatsError::IndexOutOfRange`], [`StatsError::DuplicateName`] for an index that stands
    /// twice, [`StatsError::TooFew`] for an empty list.
    pub fn select_methods(&self, methods: &[usize]) -> Result<Self> {
        let names = pick(&self.methods, methods, Unit::Methods)?;
        let mut cells = Vec::with_capacity(self.datasets.len() * methods.len());
        for line in self.lines() {
            cells.extend(pick(line, methods, Unit::Methods)?);
        }
        Self::new(self.direction, self.datasets.clone(), names, cells)
    }

    /// The table with the rows at `datasets`, in that order.
    ///
    /// # Errors
    ///
    /// As [`select_methods`](Self::select_methods).
    pub fn select_datasets(&self, datasets: &[usize]) -> Result<Self> {
        let rows = pick(&self.datasets, datasets, Unit::Datasets)?;
        let cells = datasets
            .iter()
            .flat_map(|&index| self.line(index))
            .copied()
            .collect();
        Self::new(self.direction, rows, self.methods.clone(), cells)
    }
}

pub(crate) fn item<T: Copy>(items: &[T], index: usize, unit: Unit) -> Result<T> {
    let len = items.len();
    items
        .get(index)
        .copied()
        .ok_or(StatsError::IndexOutOfRange { unit, index, len })
}

pub(crate) fn pick<T: Clone>(items: &[T], indices: &[usize], unit: Unit) -> Result<Vec<T>> {
    let len = items.len();
    indices
        .iter()
        .map(|&index| {
            items
                .get(index)
                .cloned()
                .ok_or(StatsError::IndexOutOfRange { unit, index, len })
        })
        .collect()
}

pub(crate) fn position(names: &[String], name: &str) -> Result<usize> {
    names
        .iter()
        .position(|known| known == name)
        .ok_or_else(|| StatsError::UnknownName {
            unit: Unit::Methods,
            name: name.to_owned(),
        })
}

fn unique<'a>(unit: Unit, names: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(StatsError::DuplicateName {
                unit,
                name: name.to_owned(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_broken_promise_is_its_own_error() {
        let new = |datasets: &[&str], methods: &[&str], cells: Vec<Option<f64>>| {
            ScoreTable::new(
                Direction::LowerIsBetter,
                datasets
                    .iter()
                    .map(|name| Dataset::independent(*name))
                    .collect(),
                methods.iter().map(|name| (*name).to_owned()).collect(),
                cells,
            )
        };
        assert!(matches!(
            new(&[], &["a"], vec![]),
            Err(StatsError::TooFew { .. })
        ));
        assert!(matches!(
            new(&["d"], &[], vec![]),
            Err(StatsError::TooFew { .. })
        ));
        assert!(matches!(
            new(&["d"], &["a"], vec![]),
            Err(StatsError::LengthMismatch { .. })
        ));
        let two = vec![Some(1.0), Some(2.0)];
        assert!(matches!(
            new(&["d"], &["a", "a"], two.clone()),
            Err(StatsError::DuplicateName { .. })
        ));
        assert!(matches!(
            new(&["d", "d"], &["a"], two),
            Err(StatsError::DuplicateName { .. })
        ));
        assert!(matches!(
            new(&["d"], &["a"], vec![Some(f64::INFINITY)]),
            Err(StatsError::NotFinite { .. })
        ));
        let holed = new(&["d"], &["a", "b"], vec![Some(1.0), None]).unwrap();
        assert_eq!(holed.missing(), 1);
        assert!(crate::CompleteTable::try_from(holed).is_err());
    }
}
