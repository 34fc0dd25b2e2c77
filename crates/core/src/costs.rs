//! What the errors of scores cost at a range of operating points: two classes, of which a missed row of the
//! positive one and a false alarm cost unequally, or are unequally frequent.
//!
//! Of an operating point only the **probability cost** PC counts (Drummond and Holte 2006):
//! `PC = p(+) C(-|+) / (p(+) C(-|+) + p(-) C(+|-))`, between 0 (only false alarms cost) and 1 (only misses do).
//! With FN and FP the rates of missed rows and false alarms, the normalised expected cost is
//! `PC FN + (1 - PC) FP`; at PC = 1/2 it is the balanced error. The Bayes rule for PC decides the positive class
//! where its probability, with both classes made equally frequent, is at least 1 - PC.
//!
//! # References
//!
//! C. Drummond and R. C. Holte, "Cost curves: an improved method for visualizing classifier performance",
//! Machine Learning 65, 2006.

use serde::{Deserialize, Serialize};

use crate::labels::Labels;
use crate::scores::{Scores, TIE};

/// Operating points that are kept of a cell: PC = 0, .05, .., 1.
pub const POINTS: usize = 21;

/// The probability cost of operating point `at` of `points`, evenly spaced over [0, 1].
pub fn probability_cost(at: usize, points: usize) -> f64 {
    at as f64 / (points.max(2) - 1) as f64
}

/// The normalised expected cost of rates of missed rows and false alarms, in [0, 1].
pub fn expected_cost(pc: f64, miss_rate: f64, alarm_rate: f64) -> f64 {
    pc * miss_rate + (1.0 - pc) * alarm_rate
}

/// Missed rows of the positive class, and rows of the other that are taken for it, at each operating point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cuts {
    /// The positive class: the rarer one of the training rows.
    pub positive: usize,
    /// Rows of the positive class that are missed; never rises.
    pub misses: Vec<u64>,
    /// Rows of the other class taken for it; never falls.
    pub alarms: Vec<u64>,
}

/// The errors of the Bayes rule of each of `points` operating points. `scores` are of two classes, at equal
/// priors. A row at exactly 1 - PC is decided as positive. O(n log points).
///
/// # Panics
/// When scores and labels differ in rows or are not of two classes.
///
/// # Examples
/// ```
/// use counterweight_core::{Labels, Matrix, Scores, costs};
/// let labels = Labels::from_texts(&["0", "0", "1"]);
/// let p = Matrix::from_vec(3, 2, vec![0.9, 0.1, 0.6, 0.4, 0.7, 0.3])?;
/// let cuts = costs::cuts(&Scores::probabilities(p)?, &labels, 1, 5);
/// // PC = 0, 1/4, 1/2, 3/4, 1: positive from a probability of 1, 3/4, 1/2, 1/4, 0 on.
/// assert_eq!((cuts.misses, cuts.alarms), (vec![1, 1, 1, 0, 0], vec![0, 0, 0, 1, 2]));
/// # Ok::<(), counterweight_core::CoreError>(())
/// ```
pub fn cuts(scores: &Scores, labels: &Labels, positive: usize, points: usize) -> Cuts {
    assert_eq!(scores.n_rows(), labels.len(), "one score row a label");
    assert!(scores.n_classes() == 2 && positive < 2, "two classes");
    // Falling log odds from which on the positive class is decided.
    let from: Vec<f64> = (0..points)
        .map(|at| {
            let pc = probability_cost(at, points);
            (1.0 - pc).ln() - pc.ln()
        })
        .collect();
    let (mut first_hits, mut first_alarms) = (vec![0; points + 1], vec![0; points + 1]);
    for (row, log) in scores.log().iter_rows().enumerate() {
        let (own, other) = (log[positive], log[1 - positive]);
        let odds = own - other;
        // A certain row ties with nothing.
        let slack = if odds.is_finite() {
            TIE * own.abs().max(other.abs()).max(1.0)
        } else {
            0.0
        };
        let reached = from.partition_point(|&from| odds + slack < from);
        if labels.class(row) == positive {
            first_hits[reached] += 1;
        } else {
            first_alarms[reached] += 1;
        }
    }
    let all: u64 = first_hits.iter().sum();
    let running = |counts: &[u64]| -> Vec<u64> {
        let sums = counts[..points].iter().scan(0, |sum, n| {
            *sum += n;
            Some(*sum)
        });
        sums.collect()
    };
    Cuts {
        positive,
        misses: running(&first_hits).iter().map(|hits| all - hits).collect(),
        alarms: running(&first_alarms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_point_is_its_rule_and_the_area_of_the_curve_is_the_balanced_brier_score(
            p in proptest::collection::vec(0.0_f64..=1.0, 4..30),
            truth in proptest::collection::vec(0_u32..2, 30),
            positive in 0_usize..2,
        ) {
            // Certain rows on either side, as neighbours and trees give them.
            let p: Vec<f64> = p.iter().map(|p| if *p < 0.1 { 0.0 } else if *p > 0.9 { 1.0 } else { *p }).collect();
            let n = p.len();
            let mut truth = truth[..n].to_vec();
            (truth[0], truth[1]) = (0, 1);
            let of = |row: usize| if positive == 1 { p[row] } else { 1.0 - p[row] };
            let matrix = Matrix::from_fn(n, 2, |row, class| if class == 1 { p[row] } else { 1.0 - p[row] });
            let labels = Labels::from_texts(&truth.iter().map(ToString::to_string).collect::<Vec<_>>());
            let scores = Scores::probabilities(matrix).unwrap();
            let points = 4001;
            let found = cuts(&scores, &labels, positive, points);
            let own: Vec<usize> = (0..n).filter(|&row| truth[row] as usize == positive).collect();
            let others: Vec<usize> = (0..n).filter(|&row| truth[row] as usize != positive).collect();
            for at in [0, 500, 1333, 2000, 3999] {
                let from = 1.0 - probability_cost(at, points);
                if (0..n).all(|row| (of(row) - from).abs() > 1e-9) {
                    let misses = own.iter().filter(|&&row| of(row) < from).count() as u64;
                    let alarms = others.iter().filter(|&&row| of(row) > from).count() as u64;
                    prop_assert_eq!((found.misses[at], found.alarms[at]), (misses, alarms));
                }
            }
            let cost = |at: usize| {
                let rates = (found.misses[at] as f64 / own.len() as f64, found.alarms[at] as f64 / others.len() as f64);
                expected_cost(probability_cost(at, points), rates.0, rates.1)
            };
            let area: f64 = (0..points).map(cost).sum::<f64>() / points as f64;
            let mean = |rows: &[usize], of: &dyn Fn(usize) -> f64| {
                rows.iter().map(|&row| of(row).powi(2)).sum::<f64>() / rows.len() as f64
            };
            let brier = 0.5 * (mean(&own, &|row| 1.0 - of(row)) + mean(&others, &of));
            prop_assert!((area - brier).abs() < 1e-3, "{} and {}", area, brier);
        }
    }
}
