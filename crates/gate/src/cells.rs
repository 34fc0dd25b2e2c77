//! Cells before and after: who has a value on both sides, who lost it, who is exempt.

use std::collections::BTreeMap;

use counterweight_core::{CellId, Record};

use super::config::Ignore;
use super::result::{GateInput, Ignored, Lost, Place, Planned};

/// The balanced error of a record, if its outcome promises one and it is one: NaN, infinity and
/// numbers outside [0, 1] are no values.
pub(super) fn value_of(record: &Record) -> Option<f64> {
    record
        .balanced_error()
        .filter(|value| record.outcome.has_value() && (0.0..=1.0).contains(value))
}

/// A cell with a value on both sides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair<'a> {
    pub(super) planned: &'a Planned,
    pub(super) before: f64,
    pub(super) after: f64,
}

impl Pair<'_> {
    pub(super) fn shift(&self) -> f64 {
        self.after - self.before
    }
}

/// Pairs of one method by dataset and ratio.
pub(super) type ByPoint<'a> = BTreeMap<&'a str, BTreeMap<&'a str, Vec<Pair<'a>>>>;

/// The cells by what became of them.
pub(super) struct Sorted<'a> {
    pub(super) pairs: Vec<Pair<'a>>,
    /// Every record that no exemption covers.
    pub(super) current: Vec<&'a Record>,
    pub(super) missing: Vec<Place>,
    pub(super) lost: Vec<Lost>,
    pub(super) ignores: Vec<Ignored>,
    pub(super) ignored_cells: usize,
    pub(super) still_failing: usize,
    pub(super) gained: usize,
}

pub(super) fn sort<'a>(input: &GateInput<'a>) -> Sorted<'a> {
    let before: BTreeMap<_, _> = input
        .baseline
        .entries
        .iter()
        .map(|entry| (&entry.place, entry))
        .collect();
    let after: BTreeMap<&CellId, &Record> = input
        .records
        .iter()
        .map(|record| (&record.cell, record))
        .collect();
    let mut sorted = Sorted {
        pairs: Vec::new(),
        current: Vec::new(),
        missing: Vec::new(),
        lost: Vec::new(),
        ignores: input
            .config
            .ignores
            .iter()
            .map(|ignore| Ignored {
                line: ignore.line,
                what: ignore.to_string(),
                reason: ignore.reason.clone(),
                expires: ignore.expires,
                expired: input.today > ignore.expires,
                cells: 0,
            })
            .collect(),
        ignored_cells: 0,
        still_failing: 0,
        gained: 0,
    };
    for planned in input.planned {
        let mut exempt = false;
        for (ignore, state) in input.config.ignores.iter().zip(&mut sorted.ignores) {
            if covers(ignore, &planned.place) {
                state.cells += 1;
                exempt |= !state.expired;
            }
        }
        let Some(record) = after.get(&planned.cell).copied() else {
            sorted.missing.push(planned.place.clone());
            continue;
        };
        if exempt {
            sorted.ignored_cells += 1;
            continue;
        }
        sorted.current.push(record);
        let Some(entry) = before.get(&planned.place) else {
            sorted.gained += 1;
            continue;
        };
        let newly = record.outcome.is_failure() && !entry.outcome.is_failure();
        match (entry.balanced_error, value_of(record)) {
            (Some(before), Some(after)) => sorted.pairs.push(Pair {
                planned,
                before,
                after,
            }),
            (None, Some(_)) => sorted.gained += 1,
            (None, None) if !newly => {
                sorted.still_failing += usize::from(record.outcome.is_failure());
            }
            _ => {
                let reason = match record.balanced_error() {
                    Some(value) if record.outcome.has_value() => {
                        format!("its balanced error is {value}")
                    }
                    _ => record.reason.to_string(),
                };
                sorted.lost.push(Lost {
                    cell: record.cell.clone(),
                    place: planned.place.clone(),
                    before: entry.outcome,
                    after: record.outcome,
                    reason,
                });
            }
        }
    }
    sorted
}

fn covers(ignore: &Ignore, place: &Place) -> bool {
    let fits = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|w| w == found);
    fits(&ignore.model, &place.model)
        && fits(&ignore.correction, &place.correction)
        && fits(&ignore.dataset, &place.dataset)
}
