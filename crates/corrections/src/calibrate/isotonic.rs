//! Isotonic calibration: the best never-falling function of the probability.
//!
//! # When it helps, when it hurts
//!
//! It assumes nothing but that a higher score means a likelier class, and with thousands of rows of the
//! rare class it beats every fixed form. With few it steps: many rows share one probability, ranks are
//! lost (AUROC falls), and the ends are exactly 0 and 1.
//!
//! # Formula
//!
//! The never-falling f of least `sum_i (f(p_i) - y_i)^2`, by pooling adjacent violators; between two
//! probabilities a straight line, beyond them the end values.
//!
//! # Parameters
//!
//! None of its own.
//!
//! # Cost
//!
//! O(n log n) for each class.
//!
//! # Differences
//!
//! As scikit-learn's `IsotonicRegression(out_of_bounds="clip")` on probabilities, rows of equal
//! probability (within 1e-15) being joined first. Probabilities of exactly 0 and 1 are then clipped at
//! the machine epsilon, so that the rules that follow stay finite. For more than two classes one against
//! the rest, scaled to sum to 1.
//!
//! # Errors
//!
//! None.
//!
//! Details: `isotonic_steps`, for more than two classes `isotonic_steps[k]`: different values that the
//! function takes on the out-of-fold rows.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{Labels, Matrix, OutOfFold, Partition, Samples, Scores};
//! use counterweight_corrections::calibrate;
//!
//! // Four rows scored .9 and four scored .1, each right three times out of four: too sure.
//! let labels = Labels::from_texts(&["1", "1", "1", "0", "0", "0", "0", "1"]);
//! let p = Matrix::from_fn(8, 2, |i, k| if (i < 4) == (k == 1) { 0.9 } else { 0.1 });
//! let scores = Scores::probabilities(p)?;
//! let rows = Samples::numeric(Matrix::zeros(8, 1), labels)?;
//! let (train, _) = Partition::new(8, (0..8).collect(), vec![])?.cut_samples(&rows)?;
//! let mut held = OutOfFold::new(&train);
//! held.add(&[0, 1, 2, 3, 4, 5, 6, 7], scores.clone())?;
//!
//! let entry = calibrate::ALL.iter().find(|entry| entry.id == "isotonic").ok_or("no such calibrator")?;
//! let fitted = (entry.fit)(&held.finish()?);
//! let calibrated = fitted.map.calibrate(&scores)?;
//! assert!((fitted.details["isotonic_steps"] - 2.0).abs() < 1e-12);
//! assert!((calibrated.log().at(0, 1).exp() - 0.75).abs() < 1e-6);
//! assert!((calibrated.log().at(4, 1).exp() - 0.25).abs() < 1e-6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! B. Zadrozny and C. Elkan, "Transforming classifier scores into accurate multiclass probability
//! estimates", KDD 2002. M. Ayer et al., "An empirical distribution function for sampling with incomplete
//! information", Annals of Mathematical Statistics 26, 1955.

use counterweight_core::{Calib, Note};

use super::{Binary, CalibratorEntry, FittedCalibrator, LogPair, Sides, one_vs_rest};

/// Probabilities closer than this are one.
const SAME: f64 = 1e-15;

/// A never-falling function by its corners.
#[derive(Clone, Debug)]
struct Steps {
    /// Ascending.
    x: Vec<f64>,
    y: Vec<f64>,
}

impl Steps {
    fn at(&self, p: f64) -> f64 {
        let (Some(&first), Some(&last)) = (self.y.first(), self.y.last()) else {
            return p;
        };
        let right = self.x.partition_point(|x| *x <= p);
        if right == 0 {
            return first;
        }
        if right == self.x.len() {
            return last;
        }
        let (x0, x1) = (self.x[right - 1], self.x[right]);
        let (y0, y1) = (self.y[right - 1], self.y[right]);
        // The last bit of a probability is rounding, which the log odds of a clipped 0 would magnify.
        if p - x0 < SAME {
            return y0;
        }
        y0 + (y1 - y0) * ((p - x0) / (x1 - x0))
    }
}

impl Binary for Steps {
    fn apply(&self, pair: LogPair) -> LogPair {
        let p = self
            .at(pair.yes.exp())
            .clamp(f64::EPSILON, 1.0 - f64::EPSILON);
        LogPair {
            yes: p.ln(),
            no: (-p).ln_1p(),
        }
    }
}

/// Pools adjacent violators. `points` are (x, y, weight) in ascending x.
fn pool(points: &[(f64, bool, f64)]) -> Steps {
    // Rows of equal x are one point first: mean and weight.
    let mut unique: Vec<(f64, f64, f64)> = Vec::new();
    for &(x, yes, weight) in points {
        let y = if yes { weight } else { 0.0 };
        match unique.last_mut() {
            Some((at, sum, n)) if x - *at < SAME => {
                *sum += y;
                *n += weight;
            }
            _ => unique.push((x, y, weight)),
        }
    }
    // Blocks as (sum of y, weight, points).
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for &(_, sum, n) in &unique {
        let mut block = (sum, n, 1);
        while let Some(&(before, weight, count)) = blocks.last() {
            if before / weight < block.0 / block.1 {
                break;
            }
            blocks.pop();
            block = (block.0 + before, block.1 + weight, block.2 + count);
        }
        blocks.push(block);
    }
    let mut steps = Steps {
        x: unique.iter().map(|(x, _, _)| *x).collect(),
        y: Vec::with_capacity(unique.len()),
    };
    for (sum, weight, count) in blocks {
        steps.y.extend(std::iter::repeat_n(sum / weight, count));
    }
    steps
}

fn steps(sides: &Sides) -> (Steps, Vec<(&'static str, f64)>, Vec<Note>) {
    let mut points: Vec<(f64, bool, f64)> = sides
        .rows
        .iter()
        .map(|row| (row.pair.yes.exp(), row.yes, row.weight))
        .collect();
    points.sort_unstable_by(|a, b| {
        a.0.total_cmp(&b.0)
            .then(a.1.cmp(&b.1))
            .then(a.2.total_cmp(&b.2))
    });
    let map = pool(&points);
    let mut values = map.y.clone();
    values.dedup();
    (
        map,
        vec![("isotonic_steps", values.len() as f64)],
        Vec::new(),
    )
}

fn fit(calib: &Calib) -> FittedCalibrator {
    one_vs_rest(calib, steps)
}

/// The entry.
pub(crate) const ENTRY: CalibratorEntry = CalibratorEntry {
    id: "isotonic",
    reference: "Zadrozny & Elkan 2002; Ayer et al. 1955",
    fit,
    takes: |size| (size.calib * (72 + 24 * size.classes)) as f64,
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Never falling, and no other never-falling step function on the same blocks is nearer.
        #[test]
        fn the_pooled_function_never_falls_and_keeps_the_mean(
            x in proptest::collection::vec(0_u8..20, 1..60),
            seed in any::<u64>(),
        ) {
            let mut points: Vec<(f64, bool)> = x
                .iter()
                .enumerate()
                .map(|(i, &x)| (f64::from(x) / 20.0, (seed >> (i % 64)) & 1 == 1))
                .collect();
            points.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let alike: Vec<_> = points.iter().map(|&(x, y)| (x, y, 1.0)).collect();
            let steps = pool(&alike);
            prop_assert!(steps.y.windows(2).all(|w| w[0] <= w[1]));
            let total: f64 = points.iter().map(|(_, y)| f64::from(u8::from(*y))).sum();
            let fitted: f64 = points.iter().map(|(x, _)| steps.at(*x)).sum();
            prop_assert!((total - fitted).abs() < 1e-9);
            // The optimality conditions of isotonic regression: no tail sum of residuals is positive
            // before a step up, and every block's residuals sum to 0.
            let mut tail = 0.0;
            for (x, y) in points.iter().rev() {
                tail += f64::from(u8::from(*y)) - steps.at(*x);
                let _ = x;
            }
            prop_assert!(tail.abs() < 1e-9);
        }
    }
}
