//! Beta calibration: a logistic function of ln p and ln (1 - p), each with a factor of its own.
//!
//! # When it helps, when it hurts
//!
//! Three numbers a class: mends what Platt scaling mends and distortions that differ between the ends of
//! the scale, such as naive Bayes' or boosting's, and it holds the identity (a = b = 1, c = 0). With a
//! dozen rows of the rare class it fits noise at the rare end.
//!
//! # Formula
//!
//! `p' = 1 / (1 + exp(-(a ln p - b ln (1 - p) + c)))` with a, b >= 0, of least log loss.
//!
//! # Parameters
//!
//! None of its own.
//!
//! # Cost
//!
//! O(n) a round of Newton, about ten rounds, for each class; four times that when a bound holds.
//!
//! # Differences
//!
//! Where the unbounded optimum has a negative factor, the paper drops that factor and fits again; here
//! the bounded optimum is taken, the best of all faces, which is the same unless both factors matter.
//! Rows that the scores tell apart without error have no finite optimum: then the smoothed targets of
//! Platt are used, with a note. scikit-learn has no beta calibration.
//!
//! # Errors
//!
//! None.
//!
//! Details: `beta_a`, `beta_b`, `beta_c`, for more than two classes `beta_a[k]` and so on.
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
//! let entry = calibrate::ALL.iter().find(|entry| entry.id == "beta").ok_or("no such calibrator")?;
//! let fitted = (entry.fit)(&held.finish()?);
//! let calibrated = fitted.map.calibrate(&scores)?;
//! assert!((calibrated.log().at(0, 1).exp() - 0.75).abs() < 1e-6);
//! assert!((calibrated.log().at(4, 1).exp() - 0.25).abs() < 1e-6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! M. Kull, T. M. Silva Filho and P. Flach, "Beta calibration: a well-founded and easily implemented
//! improvement on logistic calibration for binary classifiers", AISTATS 2017.

use counterweight_core::{Calib, Note};
use counterweight_numeric::newton::{Optimum, Row, TOLERANCE, logistic, minimise};

use super::{Binary, CalibratorEntry, FittedCalibrator, LogPair, Sides, of_log_odds, one_vs_rest};

/// Mean loss below which the rows count as told apart without error.
const SEPARATE: f64 = 1e-6;

#[derive(Clone, Copy, Debug)]
struct BetaMap {
    a: f64,
    b: f64,
    c: f64,
}

impl Binary for BetaMap {
    fn apply(&self, pair: LogPair) -> LogPair {
        of_log_odds(self.a * pair.yes - self.b * pair.no + self.c)
    }
}

fn best(sides: &Sides, targets: [f64; 2]) -> (BetaMap, f64) {
    let start = sides.log_odds();
    let rows: Vec<Row<3>> = sides.logistic(targets, |pair| [pair.yes, -pair.no, 1.0]);
    let all = minimise(vec![1.0, 1.0, 0.0], TOLERANCE, |at, g, h| {
        logistic(&rows, at, g, h)
    });
    if all.at[0] >= 0.0 && all.at[1] >= 0.0 {
        return (of(&all.at), all.value);
    }
    // The bounded optimum of a convex loss is the best among the faces' own optima that keep the bounds.
    let face = |which: usize| -> Optimum {
        let row = |row: &Row<3>| Row {
            weight: row.weight,
            ..Row::new([row.features[which], 1.0], row.target)
        };
        let rows: Vec<Row<2>> = rows.iter().map(row).collect();
        let found = minimise(vec![0.0, start], TOLERANCE, |at, g, h| {
            logistic(&rows, at, g, h)
        });
        let mut at = vec![0.0, 0.0, found.at[1]];
        at[which] = found.at[0];
        Optimum {
            at,
            value: found.value,
        }
    };
    let flat: Vec<Row<1>> = sides.logistic(targets, |_| [1.0]);
    let flat = minimise(vec![start], TOLERANCE, |at, g, h| logistic(&flat, at, g, h));
    let flat = Optimum {
        at: vec![0.0, 0.0, flat.at[0]],
        value: flat.value,
    };
    let mut best = flat;
    for found in [face(0), face(1)] {
        if found.at[0] >= 0.0 && found.at[1] >= 0.0 && found.value < best.value {
            best = found;
        }
    }
    (of(&best.at), best.value)
}

fn of(at: &[f64]) -> BetaMap {
    BetaMap {
        a: at[0],
        b: at[1],
        c: at[2],
    }
}

fn bounded(sides: &Sides) -> (BetaMap, Vec<(&'static str, f64)>, Vec<Note>) {
    let mut notes = Vec::new();
    let (mut map, loss) = best(sides, [0.0, 1.0]);
    if loss <= SEPARATE * sides.rows.len() as f64 {
        map = best(sides, sides.smoothed()).0;
        notes.push(Note::Remark(
            "beta calibration has no finite optimum on scores without error: fitted to smoothed \
             targets"
                .into(),
        ));
    }
    let numbers = vec![("beta_a", map.a), ("beta_b", map.b), ("beta_c", map.c)];
    (map, numbers, notes)
}

fn fit(calib: &Calib) -> FittedCalibrator {
    one_vs_rest(calib, bounded)
}

/// The entry.
pub(crate) const ENTRY: CalibratorEntry = CalibratorEntry {
    id: "beta",
    reference: "Kull, Silva Filho & Flach 2017",
    fit,
    takes: |size| (size.calib * (152 + 16 * size.classes)) as f64,
};
