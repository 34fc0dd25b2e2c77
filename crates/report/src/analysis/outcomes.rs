//! Cells by outcome and reason: what did not come to a value, and why.

use std::collections::{BTreeMap, BTreeSet};

use counterweight_core::{Outcome, Record};

/// How many cells ended in an outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeCount {
    /// The outcome.
    pub outcome: Outcome,
    /// Cells.
    pub n_cells: usize,
}

/// A reason with the cells that give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The outcome of the cells.
    pub outcome: Outcome,
    /// Model of the cells.
    pub model: String,
    /// Correction of the cells.
    pub correction: String,
    /// The reason as the records give it.
    pub reason: String,
    /// Cells.
    pub n_cells: usize,
    /// Datasets among them.
    pub n_datasets: usize,
    /// Id of the first of the cells, for `explain`.
    pub example: String,
}

/// Cells by outcome, and by outcome and reason.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcomes {
    /// All cells.
    pub n_cells: usize,
    /// Every outcome, gravest first, with zeros.
    pub counts: Vec<OutcomeCount>,
    /// Cells by model and outcome.
    pub by_model: BTreeMap<(String, Outcome), usize>,
    /// Reasons of cells whose outcome is not `ok`, or that say something although it is; gravest
    /// outcome first, then by number of cells.
    pub reasons: Vec<Reason>,
}

/// Outcome, model, correction and reason.
type Key<'a> = (Outcome, &'a str, &'a str, &'a str);

struct Tally<'a> {
    n_cells: usize,
    datasets: BTreeSet<&'a str>,
    example: &'a str,
}

impl Outcomes {
    /// Counts the records.
    pub fn count(records: &[Record]) -> Self {
        let mut by_outcome: BTreeMap<Outcome, usize> = BTreeMap::new();
        let mut by_model: BTreeMap<(String, Outcome), usize> = BTreeMap::new();
        let mut reasons: BTreeMap<Key<'_>, Tally<'_>> = BTreeMap::new();
        for record in records {
            *by_outcome.entry(record.outcome).or_default() += 1;
            let of_model = (record.model.to_string(), record.outcome);
            *by_model.entry(of_model).or_default() += 1;
            if record.outcome == Outcome::Ok && record.reason.is_empty() {
                continue;
            }
            let key = (
                record.outcome,
                record.model.as_str(),
                record.correction.as_str(),
                record.reason.as_str(),
            );
            let cells = reasons.entry(key).or_insert_with(|| Tally {
                n_cells: 0,
                datasets: BTreeSet::new(),
                example: &record.cell.0,
            });
            cells.n_cells += 1;
            cells.datasets.insert(&record.dataset);
        }
        let mut reasons: Vec<Reason> = reasons
            .into_iter()
            .map(|((outcome, model, correction, reason), cells)| Reason {
                outcome,
                model: model.to_owned(),
                correction: correction.to_owned(),
                reason: reason.to_owned(),
                n_cells: cells.n_cells,
                n_datasets: cells.datasets.len(),
                example: cells.example.to_owned(),
            })
            .collect();
        reasons.sort_by(|a, b| a.outcome.cmp(&b.outcome).then(b.n_cells.cmp(&a.n_cells)));
        let counts = Outcome::ALL
            .into_iter()
            .map(|outcome| OutcomeCount {
                outcome,
                n_cells: by_outcome.get(&outcome).copied().unwrap_or(0),
            })
            .collect();
        Self {
            n_cells: records.len(),
            counts,
            by_model,
            reasons,
        }
    }

    /// Cells of one outcome.
    pub fn of(&self, outcome: Outcome) -> usize {
        self.counts
            .iter()
            .find(|count| count.outcome == outcome)
            .map_or(0, |count| count.n_cells)
    }

    /// Cells that make `run` end with exit code 1.
    pub fn failures(&self) -> usize {
        Outcome::ALL
            .into_iter()
            .filter(|o| o.is_failure())
            .map(|o| self.of(o))
            .sum()
    }

    /// Cells with a balanced error.
    pub fn with_value(&self) -> usize {
        Outcome::ALL
            .into_iter()
            .filter(|o| o.has_value())
            .map(|o| self.of(o))
            .sum()
    }
}
