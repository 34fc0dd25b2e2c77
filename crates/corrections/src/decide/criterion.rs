//! The metrics that decisions are tuned for, on counts of decided rows.
//!
//! Counts and not weights: tuning sees the out-of-fold scores of all training rows, each once. The
//! definitions agree with the metrics of the report (scikit-learn's conventions): classes without
//! rows and without decisions are left out.

use std::sync::Arc;

use counterweight_core::params::Default;
use counterweight_core::{
    Counts, ParamError, ParamKind, ParamSpec, Params, Range, StageError, StageResult,
};

/// What a rule decided for rows of known class: enough for every criterion, and updated in O(1)
/// when one row changes its decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    rows: Vec<usize>,
    hits: Vec<usize>,
    decided: Vec<usize>,
    /// By truth and decision.
    cells: Vec<usize>,
}

impl Tally {
    /// Nothing decided yet.
    pub fn new(n_classes: usize) -> Self {
        Self {
            rows: vec![0; n_classes],
            hits: vec![0; n_classes],
            decided: vec![0; n_classes],
            cells: vec![0; n_classes * n_classes],
        }
    }

    /// What a rule decided for all rows at once.
    pub fn of(counts: &Counts) -> Self {
        let k = counts.n_classes();
        let mut tally = Self::new(k);
        for y in 0..k {
            for (j, &n) in counts.row(y).iter().enumerate() {
                tally.rows[y] += n;
                tally.decided[j] += n;
                tally.cells[y * k + j] = n;
            }
            tally.hits[y] = counts.at(y, y);
        }
        tally
    }

    /// Adds one row of class `truth`, decided as `decided`.
    ///
    /// # Panics
    /// When a class is not below the number of classes.
    pub fn add(&mut self, truth: usize, decided: usize) {
        self.rows[truth] += 1;
        self.decided[decided] += 1;
        self.hits[truth] += usize::from(truth == decided);
        let k = self.rows.len();
        self.cells[truth * k + decided] += 1;
    }

    /// Moves one row of class `truth` that was added as `from` to `to`.
    ///
    /// # Panics
    /// When a class is not below the number of classes.
    pub fn change(&mut self, truth: usize, from: usize, to: usize) {
        self.decided[from] -= 1;
        self.decided[to] += 1;
        self.hits[truth] -= usize::from(truth == from);
        self.hits[truth] += usize::from(truth == to);
        let k = self.rows.len();
        self.cells[truth * k + from] -= 1;
        self.cells[truth * k + to] += 1;
    }

    /// Number of classes that have rows.
    pub fn n_present(&self) -> usize {
        self.rows.iter().filter(|&&n| n > 0).count()
    }

    /// The recall of each class; `None` for classes without rows.
    pub fn recalls(&self) -> impl Iterator<Item = Option<f64>> {
        let share =
            |(&hits, &rows): (&usize, &usize)| (rows > 0).then(|| hits as f64 / rows as f64);
        self.hits.iter().zip(&self.rows).map(share)
    }

    fn mean_recall(&self) -> f64 {
        self.recalls().flatten().sum::<f64>() / self.n_present() as f64
    }
}

/// A metric to tune for.
#[derive(Clone, Debug, PartialEq)]
pub enum Criterion {
    /// One minus the mean recall.
    BalancedError,
    /// The geometric mean of the recalls.
    GMean,
    /// The mean of the classes' F1.
    MacroF1,
    /// Matthews correlation, for more than two classes Gorodkin's.
    Mcc,
    /// The least recall.
    WorstRecall,
    /// The mean cost of a row, by truth (row) and decision (column).
    Cost(Arc<Vec<Vec<f64>>>),
}

impl Criterion {
    /// The names in sweep files.
    pub const WORDS: &'static [&'static str] = &[
        "balanced-error",
        "g-mean",
        "macro-f1",
        "mcc",
        "worst-recall",
        "cost",
    ];

    /// The criterion of that name; `cost` needs costs, see [`Criterion::from_params`].
    pub fn from_id(id: &str) -> Option<Self> {
        match id {
            "balanced-error" => Some(Self::BalancedError),
            "g-mean" => Some(Self::GMean),
            "macro-f1" => Some(Self::MacroF1),
            "mcc" => Some(Self::Mcc),
            "worst-recall" => Some(Self::WorstRecall),
            _ => None,
        }
    }

    /// The parameter `metric`.
    pub const fn spec() -> ParamSpec {
        ParamSpec::new(
            "metric",
            ParamKind::Choice(Self::WORDS),
            Default::Text("balanced-error"),
            "what to tune for",
        )
    }

    /// The parameter `costs` that `metric = "cost"` goes with.
    pub const fn costs_spec() -> ParamSpec {
        ParamSpec::optional(
            "costs",
            ParamKind::Rows(Range::FINITE),
            "for metric = cost: the cost of each decision (column) for each truth (row)",
        )
    }

    /// What the checked parameters `metric` and `costs` say.
    ///
    /// # Errors
    /// [`ParamError`] when only one of `metric = "cost"` and `costs` is given.
    pub fn from_params(params: &Params) -> Result<Self, ParamError> {
        let metric = params.text("metric");
        let costs = params.rows("costs");
        match (metric, costs.is_empty()) {
            ("cost", false) => Ok(Self::Cost(Arc::new(costs))),
            ("cost", true) => Err(ParamError {
                key: "metric".into(),
                problem: "`cost` needs a cost matrix".into(),
                hint: Some("add `costs = [[0, 1], [5, 0]]`: a row a true class".into()),
            }),
            (_, false) => Err(ParamError {
                key: "costs".into(),
                problem: format!("`{metric}` has no costs"),
                hint: Some("leave `costs` out or set `metric = \"cost\"`".into()),
            }),
            (word, true) => {
                Self::from_id(word).ok_or_else(|| ParamError::new("metric", "unknown metric"))
            }
        }
    }

    /// Refuses costs that have no row for each class.
    ///
    /// # Errors
    /// [`StageError::NotApplicable`].
    pub fn check(&self, n_classes: usize) -> StageResult<()> {
        match self {
            Self::Cost(costs) if costs.len() != n_classes => {
                Err(StageError::NotApplicable(format!(
                    "`costs` has {} rows for {n_classes} classes; give one row and one column a class, \
                 in class order",
                    costs.len()
                )))
            }
            _ => Ok(()),
        }
    }

    /// The metric's value; `None` without rows.
    pub fn value(&self, tally: &Tally) -> Option<f64> {
        let present = tally.n_present();
        if present == 0 {
            return None;
        }
        Some(match self {
            Self::BalancedError => 1.0 - tally.mean_recall(),
            Self::GMean => {
                let product: f64 = tally.recalls().flatten().product();
                product.powf(1.0 / present as f64)
            }
            Self::MacroF1 => {
                let of = |k: usize| {
                    let sum = tally.rows[k] + tally.decided[k];
                    (sum > 0).then(|| 2.0 * tally.hits[k] as f64 / sum as f64)
                };
                let (sum, n) = (0..tally.rows.len())
                    .filter_map(of)
                    .fold((0.0, 0.0), |(sum, n), f1| (sum + f1, n + 1.0));
                sum / n
            }
            Self::Mcc => {
                let n = tally.rows.iter().sum::<usize>() as f64;
                let hits = tally.hits.iter().sum::<usize>() as f64;
                let dot = |a: &[usize], b: &[usize]| -> f64 {
                    a.iter().zip(b).map(|(&a, &b)| a as f64 * b as f64).sum()
                };
                let decided = n * n - dot(&tally.decided, &tally.decided);
                let truth = n * n - dot(&tally.rows, &tally.rows);
                if decided > 0.0 && truth > 0.0 {
                    (hits * n - dot(&tally.rows, &tally.decided)) / (decided.sqrt() * truth.sqrt())
                } else {
                    // One class among the truths or the decisions: no correlation, by definition.
                    0.0
                }
            }
            Self::WorstRecall => tally.recalls().flatten().fold(1.0, f64::min),
            Self::Cost(costs) => {
                let k = tally.rows.len();
                let sum: f64 = costs
                    .iter()
                    .enumerate()
                    .flat_map(|(y, row)| row.iter().enumerate().map(move |(j, c)| (y * k + j, c)))
                    .map(|(cell, cost)| tally.cells[cell] as f64 * cost)
                    .sum();
                sum / tally.rows.iter().sum::<usize>() as f64
            }
        })
    }

    /// What tuning maximises: the metric, turned so that more is better. The G-mean is 0 as soon as
    /// one class is never hit, and so is the worst recall, which would leave a search no direction;
    /// there the objective is negative, and rises with fewer classes missed, then with the mean recall.
    /// Negative infinity without rows.
    pub fn objective(&self, tally: &Tally) -> f64 {
        let Some(value) = self.value(tally) else {
            return f64::NEG_INFINITY;
        };
        match self {
            Self::BalancedError | Self::Cost(_) => -value,
            Self::GMean | Self::WorstRecall => {
                let missed = tally.recalls().flatten().filter(|&r| r <= 0.0).count();
                if missed == 0 {
                    value
                } else {
                    tally.mean_recall() - missed as f64
                }
            }
            Self::MacroF1 | Self::Mcc => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(pairs: &[(usize, usize)], n_classes: usize) -> Tally {
        let mut tally = Tally::new(n_classes);
        for &(truth, decided) in pairs {
            tally.add(truth, decided);
        }
        tally
    }

    #[test]
    fn values_by_hand() {
        // Recalls 2/3, 1/2; F1: 2*2/(3+3), 2*1/(2+2); class 2 has neither rows nor decisions.
        let t = tally(&[(0, 0), (0, 0), (0, 1), (1, 1), (1, 0)], 3);
        let close = |c: Criterion, v: f64| (c.value(&t).unwrap() - v).abs() < 1e-15;
        assert!(close(Criterion::BalancedError, 1.0 - 7.0 / 12.0));
        assert!(close(Criterion::GMean, (1.0_f64 / 3.0).sqrt()));
        assert!(close(Criterion::MacroF1, f64::midpoint(2.0 / 3.0, 0.5)));
        assert_eq!(Criterion::GMean.value(&Tally::new(2)), None);
    }

    #[test]
    fn a_change_is_as_good_as_counting_again() {
        let mut t = tally(&[(0, 0), (1, 0), (2, 1)], 3);
        t.change(1, 0, 1);
        t.change(2, 1, 0);
        t.change(0, 0, 2);
        assert_eq!(t, tally(&[(0, 2), (1, 1), (2, 0)], 3));
    }

    #[test]
    fn the_g_mean_objective_has_a_direction_where_the_metric_is_zero() {
        let none = tally(&[(0, 0), (0, 0), (1, 0), (2, 0)], 3);
        let worse = tally(&[(0, 0), (0, 1), (1, 0), (2, 0)], 3);
        let one = tally(&[(0, 0), (0, 1), (1, 1), (2, 0)], 3);
        let all = tally(&[(0, 0), (0, 1), (1, 1), (2, 2)], 3);
        let of = |t: &Tally| Criterion::GMean.objective(t);
        assert!(of(&worse) < of(&none) && of(&none) < of(&one) && of(&one) < 0.0 && 0.0 < of(&all));
        assert!(Criterion::GMean.value(&one).unwrap() <= 0.0);
    }

    #[test]
    fn correlation_worst_recall_and_cost_by_hand() {
        // 2 of 3 and 1 of 2 right: MCC = (2*1 - 1*1) / sqrt(3*3*2*2)... by its definition.
        let t = tally(&[(0, 0), (0, 0), (0, 1), (1, 1), (1, 0)], 2);
        let close = |c: &Criterion, v: f64| (c.value(&t).unwrap() - v).abs() < 1e-15;
        assert!(close(&Criterion::Mcc, 1.0 / 36.0_f64.sqrt()));
        assert!(close(&Criterion::WorstRecall, 0.5));
        let costs = Criterion::Cost(Arc::new(vec![vec![0.0, 1.0], vec![5.0, -1.0]]));
        assert!(close(&costs, (1.0 + 5.0 - 1.0) / 5.0));
        assert!(costs.objective(&t) < 0.0);
        let one = tally(&[(0, 0), (0, 0)], 2);
        assert!(Criterion::Mcc.value(&one).unwrap().abs() <= 0.0);
        assert!(costs.check(2).is_ok() && costs.check(3).is_err());
    }

    #[test]
    fn words_name_criteria() {
        for word in Criterion::WORDS.iter().filter(|word| **word != "cost") {
            assert!(Criterion::from_id(word).is_some());
        }
        assert_eq!(Criterion::from_id("accuracy"), None);
    }
}
