//! Cost: the mean cost of the decisions, at the metric prior.
//!
//! # When it helps, when it hurts
//! Where errors have prices it is the only number that matters; a rule that minimises it needs no
//! other correction than the `cost-matrix` decision on calibrated probabilities. With invented
//! prices it is an opinion: the default, an error on a class costs the largest class's rows over
//! that class's, only restates balanced error in other units.
//!
//! # Formula
//! `sum_i w_i c[y_i][d_i] / sum_i w_i` with the costs c (truth by decision). Without `costs`:
//! `c[y][j] = n_max / n_y` for j != y and 0 for j = y, with n the training rows before resampling;
//! at the training prior this is `K pi_max` times the balanced error.
//!
//! # Parameters
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `costs` | from the training counts | at least 0, K^2 numbers, row by row (truth by decision) | any, the unit of the result |
//!
//! # Cost
//! O(n + K^2) for n test rows and K classes.
//!
//! # Differences
//! Elkan writes costs decision by truth; here the rows are truths, as in the confusion matrix.
//! Right decisions may cost something too. Gains (negative costs) have to be shifted to be at least
//! 0.
//!
//! # Errors
//! No value without test rows, with a weight that is negative or not finite, when all weights are
//! 0, when there are not K^2 costs, or, without `costs`, when a class has test rows but no training
//! row.
//!
//! # Examples
//! ```
//! use counterweight_metrics::{Confusion, cost};
//! let confusion = Confusion::from_counts(2, &[80, 10, 2, 8])?;
//! // A false alarm costs 1, a miss 20.
//! assert_eq!(cost::of(&confusion, &[0.0, 1.0, 20.0, 0.0]), Some(0.5));
//! # Ok::<(), counterweight_core::CoreError>(())
//! ```
//!
//! # References
//! Elkan, "The foundations of cost-sensitive learning", IJCAI 2001.

use counterweight_core::{
    Card, ClassCounts, Judged, Metric, MetricCaps, MetricEntry, ParamKind, ParamSpec, Range,
};

use crate::confusion::Confusion;
use crate::inputs::total_weight;

/// The weighted mean cost; `costs` are row by row, truth by decision. `None` when there are not K^2
/// costs or the rows weigh nothing.
pub fn of(confusion: &Confusion, costs: &[f64]) -> Option<f64> {
    let k = confusion.n_classes();
    let total = confusion.total_weight();
    if costs.len() != k * k || total <= 0.0 {
        return None;
    }
    let mut sum = 0.0;
    for y in 0..k {
        for j in 0..k {
            // An infinite price of what never happens must not become NaN.
            if confusion.count(y, j) > 0 {
                sum += confusion.weight(y, j) * costs[y * k + j];
            }
        }
    }
    Some(sum / total)
}

fn from_counts(train: &ClassCounts, confusion: &Confusion) -> Result<Vec<f64>, String> {
    let k = train.n_classes();
    let largest = train.largest() as f64;
    let mut costs = vec![0.0; k * k];
    for (y, &rows) in train.as_slice().iter().enumerate() {
        if rows == 0 && confusion.truth_count(y) > 0 {
            return Err(format!(
                "class number {y} has no training rows to take a cost from, give `costs`"
            ));
        }
        for j in (0..k).filter(|&j| j != y && rows > 0) {
            costs[y * k + j] = largest / rows as f64;
        }
    }
    Ok(costs)
}

#[derive(Debug)]
struct Cost {
    costs: Vec<f64>,
}

impl Metric for Cost {
    fn value(&self, judged: &Judged<'_>) -> Result<f64, String> {
        total_weight(judged)?;
        let confusion = Confusion::of(judged);
        let k = confusion.n_classes();
        if self.costs.is_empty() {
            let costs = from_counts(judged.train(), &confusion)?;
            return of(&confusion, &costs).ok_or_else(|| "the test rows weigh nothing".into());
        }
        of(&confusion, &self.costs).ok_or_else(|| {
            format!(
                "needs {} costs for {k} classes, found {}",
                k * k,
                self.costs.len()
            )
        })
    }
}

pub(crate) const ENTRY: MetricEntry = MetricEntry {
    card: Card {
        id: "cost",
        summary: "mean cost of the decisions, at the metric prior",
        reference: "Elkan 2001",
        params: &[ParamSpec::optional(
            "costs",
            ParamKind::Reals(Range::NON_NEGATIVE),
            "K^2 costs row by row, truth by decision; without: an error on a class costs the \
             largest class's training rows over that class's",
        )],
    },
    caps: MetricCaps {
        probabilities: false,
        also_raw: false,
        prior_dependent: true,
        lower_is_better: Some(true),
    },
    build: |params| {
        Ok(Box::new(Cost {
            costs: params.reals("costs"),
        }))
    },
};
