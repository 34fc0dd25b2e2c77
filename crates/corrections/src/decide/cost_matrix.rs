//! The class of least expected cost under a given cost matrix.
//!
//! # When it helps, when it hurts
//!
//! Where the costs of errors are known, this is the Bayes rule for them, for any number of classes,
//! and nothing has to be tuned. It takes the probabilities at their word: they have to be calibrated
//! and under the prior that the rule will meet, which after resampling or weighting is what `target`
//! is for.
//!
//! # Formula
//!
//! `argmin_j sum_y p_y C[y][j]` with `C[y][j]` the cost of deciding j when the truth is y, a tie going to
//! the rarest class. For K = 2 with right decisions free: positive where
//! `p >= C[0][1] / (C[0][1] + C[1][0])`.
//!
//! # Cost
//!
//! O(K^2) a row.
//!
//! # Differences
//!
//! Elkan writes the decided class as the row and the truth as the column; here the truth is the row,
//! as in a confusion matrix. Costs that make one class never the cheapest are taken as they are.
//! scikit-learn has no such rule for more than two classes.
//!
//! # Errors
//!
//! [`StageError::NotApplicable`] when the table does not have a row a class, or `target` is not `own`
//! and the scores have no prior of their own.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{ClassCounts, DecideContext, Matrix, ParamValue, Scores, find, params};
//! let row = |a, b| ParamValue::List(vec![ParamValue::Real(a), ParamValue::Real(b)]);
//! // A missed positive costs nine false alarms: positive from 1/10 on.
//! let costs = ParamValue::List(vec![row(0.0, 1.0), row(9.0, 0.0)]);
//! let entry = find(counterweight_corrections::decide::ALL, "cost-matrix").expect("it is listed");
//! let params = params::check(entry.card.params, &[("costs".to_owned(), costs)].into())
//!     .expect("the table is square");
//! let train = ClassCounts::new(vec![90, 10]);
//! let context = DecideContext { scores_prior: None, train: &train };
//! let fitted = (entry.build)(&params)?.fit(&context, None)?;
//! let scores = Scores::probabilities(Matrix::from_vec(2, 2, vec![0.89, 0.11, 0.91, 0.09])?)?;
//! assert_eq!(fitted.rule.decide(&scores)?.as_slice(), [1, 0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! C. Elkan, "The foundations of cost-sensitive learning", IJCAI 2001.

use counterweight_core::params::{self, Rows};
use counterweight_core::{
    Calib, DecideContext, Decision, DecisionEntry, DecisionNeeds, Decisions, Declared, FittedRule,
    ParamValue, Parameter, Prior, Rescored, Rule, RuleCaps, ScoreSize, Scores, StageError,
    StageResult, TIE, Ties, parameters,
};

use crate::prior::PriorSource;

/// The probabilities as they are.
const OWN: PriorSource = PriorSource::Other("own");

parameters! {
    /// A cost matrix, checked.
    pub struct CostMatrix {
        /// cost of each decision (column) for each truth (row), in class order
        costs: Rows = required, probe [[&[0.0, 1.0], &[4.0, 0.0]]];
        /// the prior that the probabilities are brought to first; own: as they are
        target: PriorSource = "own", among &["own", "train", "uniform"], probe ["uniform"],
            beside [costs: Rows = [&[0.0, 1.0], &[4.0, 0.0]]];
    }
}

impl CostMatrix {
    /// By these costs: a row a truth and a column a decision, in class order.
    ///
    /// # Panics
    /// For a table that is not square, or costs that are not finite.
    #[expect(clippy::panic, reason = "a caller's slip, and said so")]
    pub fn new(costs: &[Vec<f64>]) -> Self {
        let given = [(
            "costs".to_owned(),
            costs.to_vec().to_value().unwrap_or(ParamValue::Flag(false)),
        )];
        let made =
            params::check(Self::PARAMS, &given.into()).map_err(|mut errors| errors.swap_remove(0));
        match made.and_then(|params| Self::try_from(&params)) {
            Ok(made) => made,
            Err(refused) => panic!("{refused}"),
        }
    }
}

/// Refuses a table that has no row for each class.
///
/// # Errors
/// [`StageError::NotApplicable`].
pub(super) fn fits(costs: &[Vec<f64>], n_classes: usize) -> StageResult<()> {
    if costs.len() == n_classes {
        Ok(())
    } else {
        Err(StageError::NotApplicable(format!(
            "`costs` has {} rows for {n_classes} classes; give one row and one column a class, in \
             class order",
            costs.len()
        )))
    }
}

impl Decision for CostMatrix {
    fn takes(&self, size: &ScoreSize) -> f64 {
        (8 * size.classes * size.classes) as f64 + size.decided()
    }

    fn needs(&self) -> DecisionNeeds {
        DecisionNeeds {
            probabilities: true,
            scores_prior: self.target != OWN,
            ..DecisionNeeds::default()
        }
    }

    fn fit(&self, context: &DecideContext<'_>, _calib: Option<&Calib>) -> StageResult<FittedRule> {
        let n_classes = context.train.n_classes();
        let shift = if self.target == OWN {
            None
        } else {
            let own = PriorSource::Effective.for_decision(context)?;
            Some((own, self.target.for_decision(context)?))
        };
        fits(&self.costs, n_classes)?;
        Ok(FittedRule::of(LeastCost {
            costs: self.costs.clone(),
            // What has no training rows is never decided, whatever its column says.
            known: context.train.as_slice().iter().map(|&n| n > 0).collect(),
            shift,
            ties: context.train.ties().clone(),
        }))
    }
}

#[derive(Clone, Debug)]
struct LeastCost {
    costs: Vec<Vec<f64>>,
    known: Vec<bool>,
    shift: Option<(Prior, Prior)>,
    ties: Ties,
}

impl Rule for LeastCost {
    fn decide(&self, scores: &Scores) -> StageResult<Decisions> {
        fits(&self.costs, scores.n_classes())?;
        let shifted = match &self.shift {
            Some((from, to)) => Some(scores.shift_prior(from, to)?),
            None => None,
        };
        let scores = shifted.as_ref().unwrap_or(scores);
        let k = scores.n_classes();
        let mut p = vec![0.0; k];
        let decide = |row: &[f64]| {
            for (p, s) in p.iter_mut().zip(row) {
                *p = s.exp();
            }
            let sum = |j: usize, of: fn(f64) -> f64| -> f64 {
                let parts = p.iter().zip(&self.costs);
                parts.map(|(p, row)| p * of(row[j])).sum()
            };
            let known = (0..k).filter(|&j| self.known[j]);
            let costs: Vec<(usize, f64)> = known.map(|j| (j, sum(j, |cost| cost))).collect();
            let least = costs
                .iter()
                .map(|(_, cost)| *cost)
                .fold(f64::INFINITY, f64::min);
            // Costs within a few rounding errors of the least are a tie.
            let ties = costs
                .iter()
                .filter(|(j, cost)| *cost <= least + TIE * sum(*j, f64::abs).max(least.abs()));
            let best = ties.max_by_key(|(j, _)| self.ties.rank(*j));
            best.map_or(0, |(j, _)| u32::try_from(*j).unwrap_or(0))
        };
        Ok(Decisions::new(
            scores.log().iter_rows().map(decide).collect(),
        ))
    }

    fn rescore(&self, scores: &Scores) -> StageResult<Option<Rescored>> {
        match &self.shift {
            Some((from, to)) => Ok(Some(Rescored {
                scores: scores.shift_prior(from, to)?,
                prior: Some(to.clone()),
            })),
            None => Ok(None),
        }
    }
}

/// The registry entry.
pub(crate) const ENTRY: DecisionEntry = DecisionEntry::of::<CostMatrix>(
    "cost-matrix",
    "the class of least expected cost",
    "Elkan 2001",
    RuleCaps::THRESHOLDING,
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{built, rows, text};
    use counterweight_core::{ClassCounts, Matrix};

    fn decided(costs: &[&[f64]], target: &str, counts: &[usize], p: &[f64]) -> Vec<u32> {
        let train = ClassCounts::new(counts.to_vec());
        let own = train.prior().unwrap();
        let context = DecideContext {
            scores_prior: Some(&own),
            train: &train,
        };
        let given = [("costs", rows(costs)), ("target", text(target))];
        let rule = built(&ENTRY, &given).fit(&context, None).unwrap().rule;
        let k = counts.len();
        let p = Matrix::from_vec(p.len() / k, k, p.to_vec()).unwrap();
        let scores = Scores::probabilities(p).unwrap();
        rule.decide(&scores).unwrap().as_slice().to_vec()
    }

    #[test]
    fn the_least_expected_cost_by_hand() {
        let costs: [&[f64]; 3] = [&[0.0, 1.0, 1.0], &[4.0, 0.0, 1.0], &[10.0, 10.0, 0.0]];
        // Expected costs .2*4 + .1*10 = 1.8, .7 + 1 = 1.7, .7 + .2 = .9.
        assert_eq!(decided(&costs, "own", &[7, 2, 1], &[0.7, 0.2, 0.1]), [2]);
        assert_eq!(decided(&costs, "own", &[7, 2, 1], &[1.0, 0.0, 0.0]), [0]);
        // A class without rows is never decided, however cheap.
        assert_eq!(decided(&costs, "own", &[7, 2, 0], &[0.7, 0.3, 0.0]), [1]);
        // Equal costs everywhere: the last class.
        let flat: [&[f64]; 2] = [&[1.0, 1.0], &[1.0, 1.0]];
        assert_eq!(decided(&flat, "own", &[5, 5], &[0.9, 0.1]), [1]);
    }

    #[test]
    fn zero_one_costs_are_argmax_and_a_target_moves_them() {
        let costs: [&[f64]; 2] = [&[0.0, 1.0], &[1.0, 0.0]];
        let p = [0.55, 0.45, 0.85, 0.15, 0.95, 0.05];
        assert_eq!(decided(&costs, "own", &[90, 10], &p), [0, 0, 0]);
        assert_eq!(decided(&costs, "uniform", &[90, 10], &p), [1, 1, 0]);
        assert_eq!(decided(&costs, "train", &[90, 10], &p), [0, 0, 0]);
        // p = 1/2 is a tie.
        assert_eq!(decided(&costs, "own", &[50, 50], &[0.5, 0.5]), [1]);
    }
}
