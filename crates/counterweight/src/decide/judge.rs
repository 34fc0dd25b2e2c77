//! Rules on held-out scores: fitted on some of the rows, judged on the others.

use counterweight_core::{
    Calib, ClassCounts, Decision, Decisions, Details, Judged, Labels, Matrix, Metric, Note,
    OutOfFold, Partition, Prior, RuleCaps, Samples, ScoredRows, Scores, Seed, StageError,
    StageResult,
};
use counterweight_harness::config::method::Built;
use counterweight_numeric::order::quantile;
use rand::RngExt as _;

/// Draws of the held-out rows for intervals.
const DRAWS: usize = 200;

/// Most rows that all draws of an interval take together.
const WORK: usize = 40_000_000;

/// What is to be decided by.
pub(super) enum Rule<'a> {
    /// A decision of the registry.
    Listed(&'a Built<RuleCaps, dyn Decision>),
    /// The least expected cost, by what it costs to miss a row.
    LeastCost,
}

/// What it costs to miss a row of each class.
#[derive(Clone, Debug)]
pub(super) struct Costs {
    /// One row a row of scores or one for all, one column a class.
    pub(super) of_row: Matrix,
}

impl Costs {
    fn at(&self, row: usize) -> &[f64] {
        self.of_row
            .row(if self.of_row.rows() == 1 { 0 } else { row })
    }

    fn select(&self, rows: &[usize]) -> Self {
        if self.of_row.rows() == 1 {
            return self.clone();
        }
        Self {
            of_row: self.of_row.select_rows(rows),
        }
    }

    /// What decisions cost, a mean over rows.
    pub(super) fn mean(
        &self,
        labels: &Labels,
        decisions: &Decisions,
        rows: &[usize],
        weights: &[f64],
    ) -> f64 {
        let cost = |&row: &usize| {
            let missed = labels.class(row) != decisions.as_slice()[row] as usize;
            if missed {
                weights[row] * self.at(row)[labels.class(row)]
            } else {
                0.0
            }
        };
        let weight: f64 = rows.iter().map(|&row| weights[row]).sum();
        rows.iter().map(cost).sum::<f64>() / weight
    }
}

/// Held-out rows: scores with their labels and the fold of each.
pub(super) struct HeldOut {
    pub(super) scores: Scores,
    pub(super) labels: Labels,
    pub(super) folds: Vec<usize>,
    pub(super) costs: Option<Costs>,
    /// Brings the rows to the shares that the rule will meet.
    pub(super) weights: Vec<f64>,
}

/// A rule's decisions with what its fit said.
pub(super) struct Answer {
    pub(super) decisions: Decisions,
    /// The probabilities that it puts in place of the scores.
    pub(super) rescored: Option<Scores>,
    pub(super) details: Details,
    pub(super) notes: Vec<Note>,
}

impl HeldOut {
    pub(super) fn n(&self) -> usize {
        self.labels.len()
    }

    pub(super) fn n_folds(&self) -> usize {
        self.folds.iter().max().map_or(0, |last| last + 1)
    }

    pub(super) fn rows(&self, wanted: impl Fn(usize) -> bool) -> Vec<usize> {
        (0..self.n()).filter(|&row| wanted(row)).collect()
    }

    fn calib(&self, rows: &[usize]) -> StageResult<Calib> {
        let labels = self.labels.select(rows);
        let n = labels.len();
        let samples = Samples::numeric(Matrix::zeros(n, 1), labels)?;
        let (train, _) = Partition::new(n, (0..n).collect(), vec![])?.cut_samples(&samples)?;
        let mut inner = OutOfFold::new(&train);
        for fold in 0..self.n_folds() {
            let held: Vec<usize> = (0..n).filter(|&at| self.folds[rows[at]] == fold).collect();
            let from: Vec<usize> = held.iter().map(|&at| rows[at]).collect();
            inner.add(&held, select(&self.scores, &from)?)?;
        }
        Ok(inner.finish()?)
    }

    /// Fits a rule on these rows and decides others by it.
    pub(super) fn answer(
        &self,
        rule: &Rule<'_>,
        rows: &[usize],
        prior: Option<&Prior>,
        (scores, costs): (&Scores, Option<&Costs>),
    ) -> StageResult<Answer> {
        let counts = self.labels.select(rows).counts();
        let built = match rule {
            Rule::Listed(built) => *built,
            Rule::LeastCost => {
                let none = || StageError::NotApplicable("these rows have no costs".into());
                return Ok(Answer {
                    decisions: least_cost(scores, costs.ok_or_else(none)?, &counts)?,
                    rescored: None,
                    details: Details::new(),
                    notes: Vec::new(),
                });
            }
        };
        let needs = built.method.needs();
        let refused = if needs.linear_head {
            Some("needs the model, of which only scores are there")
        } else if needs.binary && self.labels.n_classes() != 2 {
            Some("is for two classes")
        } else {
            None
        };
        if let Some(reason) = refused {
            return Err(StageError::NotApplicable(reason.into()));
        }
        let calib = if needs.calibration {
            Some(self.calib(rows)?)
        } else {
            None
        };
        let given = ScoredRows {
            scores,
            prior,
            source: "the file of scores",
            head: None,
            weights: None,
            calib: calib.as_ref(),
            train: &counts,
        };
        let decided = given.decide(built.entry.card.id, &*built.method)?;
        Ok(Answer {
            decisions: decided.decisions,
            rescored: decided.rescored.map(|after| after.scores),
            details: decided.fitted.details,
            notes: decided.fitted.notes,
        })
    }

    /// Decisions and probabilities of all rows, each by a rule that was fitted on the other folds.
    pub(super) fn crossed(
        &self,
        rule: &Rule<'_>,
        prior: Option<&Prior>,
    ) -> StageResult<(Decisions, Scores)> {
        let mut decided = vec![0; self.n()];
        let mut parts = Vec::new();
        let mut order = vec![(0, 0); self.n()];
        for fold in 0..self.n_folds() {
            let judged = self.rows(|row| self.folds[row] == fold);
            let others = self.rows(|row| self.folds[row] != fold);
            let scores = select(&self.scores, &judged)?;
            let costs = self.costs.as_ref().map(|costs| costs.select(&judged));
            let answer = self.answer(rule, &others, prior, (&scores, costs.as_ref()))?;
            for (at, &row) in judged.iter().enumerate() {
                decided[row] = answer.decisions.as_slice()[at];
                order[row] = (fold, at);
            }
            parts.push(answer.rescored.unwrap_or(scores));
        }
        Ok((Decisions::new(decided), Scores::gather(&parts, &order)?))
    }

    /// What a metric makes of decisions on some of the rows; none where it has no value.
    pub(super) fn value(
        &self,
        metric: &dyn Metric,
        (decisions, scores): (&Decisions, Option<&Scores>),
        rows: &[usize],
    ) -> Option<f64> {
        let labels = self.labels.select(rows);
        let taken = Decisions::new(rows.iter().map(|&row| decisions.as_slice()[row]).collect());
        let weights: Vec<f64> = rows.iter().map(|&row| self.weights[row]).collect();
        let scores = scores.and_then(|scores| select(scores, rows).ok());
        let counts = self.labels.counts();
        let judged = Judged::new(&labels, &taken, scores.as_ref(), &weights, &counts).ok()?;
        metric.value(&judged).ok().filter(|value| value.is_finite())
    }

    /// Draws with replacement, class by class: as many rows of each as there are.
    pub(super) fn draws(&self, seed: u64) -> Vec<Vec<usize>> {
        let mut stream = Seed(seed).stage("resamples of held-out scores").open();
        let by_class: Vec<Vec<usize>> = (0..self.labels.n_classes())
            .map(|class| self.rows(|row| self.labels.class(row) == class))
            .collect();
        (0..(WORK / self.n().max(1)).clamp(20, DRAWS))
            .map(|_| {
                let mut rows = Vec::with_capacity(self.n());
                for own in by_class.iter().filter(|own| !own.is_empty()) {
                    rows.extend((0..own.len()).map(|_| own[stream.random_range(0..own.len())]));
                }
                rows
            })
            .collect()
    }
}

/// The class of least expected cost of each row where missing a row of class y costs `c_y`: `argmax_y p_y c_y`.
fn least_cost(scores: &Scores, costs: &Costs, counts: &ClassCounts) -> StageResult<Decisions> {
    let mut weighted = Matrix::zeros(scores.n_rows(), scores.n_classes());
    for (row, log) in scores.log().iter_rows().enumerate() {
        // A class without rows is never decided.
        let known = costs.at(row).iter().zip(counts.as_slice());
        let values: Vec<f64> = log
            .iter()
            .zip(known)
            .map(|(s, (cost, n))| if *n > 0 { s.exp() * cost } else { 0.0 })
            .collect();
        let sum: f64 = values.iter().sum();
        for (class, value) in values.into_iter().enumerate() {
            let plain = log[class].exp();
            weighted.set(row, class, if sum > 0.0 { value / sum } else { plain });
        }
    }
    let offsets = vec![0.0; scores.n_classes()];
    Ok(Scores::probabilities(weighted)?.argmax(&offsets, counts.ties())?)
}

/// Some rows of scores.
pub(super) fn select(scores: &Scores, rows: &[usize]) -> StageResult<Scores> {
    let order: Vec<(usize, usize)> = rows.iter().map(|&row| (0, row)).collect();
    Ok(Scores::gather(std::slice::from_ref(scores), &order)?)
}

/// Folds of rows, class by class in a drawn order, so that every fold has its share of each class.
pub(super) fn stratified(labels: &Labels, folds: usize, seed: u64) -> Vec<usize> {
    let mut stream = Seed(seed).stage("folds of held-out scores").open();
    let mut of_row = vec![0; labels.len()];
    let mut next = 0;
    for class in 0..labels.n_classes() {
        let mut rows: Vec<usize> = (0..labels.len())
            .filter(|&row| labels.class(row) == class)
            .collect();
        for at in (1..rows.len()).rev() {
            rows.swap(at, stream.random_range(0..=at));
        }
        for row in rows {
            of_row[row] = next % folds;
            next += 1;
        }
    }
    of_row
}

/// The middle 95 % of some values; none for fewer than 20.
pub(super) fn interval(values: &[f64]) -> Option<(f64, f64)> {
    (values.len() >= 20).then(|| (quantile(values, 0.025), quantile(values, 0.975)))
}
