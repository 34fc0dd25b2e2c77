//! Platt scaling: a logistic function of the log odds, with smoothed targets.
//!
//! # When it helps, when it hurts
//!
//! Two numbers a class: right for scores that are too sure or too timid in the same way everywhere, and
//! for margins, and the safest choice with few rows of the rare class. It cannot mend a distortion that
//! differs between the ends of the scale.
//!
//! # Formula
//!
//! `p = 1 / (1 + exp(-(a z + b)))` with z the log odds of the class against the rest, (a, b) of least log
//! loss against the targets (n+ + 1) / (n+ + 2) for rows of the class and 1 / (n- + 2) for others.
//!
//! # Parameters
//!
//! None of its own.
//!
//! # Cost
//!
//! O(n) a round of Newton, about ten rounds, for each class.
//!
//! # Differences
//!
//! Platt's model is of a support vector machine's margin; here of the log odds, so that a = 1, b = 0 is
//! the identity. The optimum is that of scikit-learn's `_SigmoidCalibration` on the log odds (there with
//! the opposite sign of a and b). For more than two classes one against the rest, scaled to sum to 1,
//! as in scikit-learn.
//!
//! # Errors
//!
//! None: smoothed targets have a finite optimum. Log odds that are all equal get a note.
//!
//! Details: `platt_a`, `platt_b`, for more than two classes `platt_a[k]`, `platt_b[k]`.
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
//! let entry = calibrate::ALL.iter().find(|entry| entry.id == "platt").ok_or("no such calibrator")?;
//! let fitted = (entry.fit)(&held.finish()?);
//! let calibrated = fitted.map.calibrate(&scores)?;
//! // Smoothed targets 5/6 and 1/6: (3 * 5/6 + 1/6) / 4 is short of three quarters.
//! assert!((calibrated.log().at(0, 1).exp() - 2.0 / 3.0).abs() < 1e-6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! J. C. Platt, "Probabilistic outputs for support vector machines and comparisons to regularized
//! likelihood methods", Advances in Large Margin Classifiers, 1999. H.-T. Lin, C.-J. Lin and R. C. Weng,
//! "A note on Platt's probabilistic outputs for support vector machines", Machine Learning 68, 2007.

use counterweight_core::{Calib, Note};
use counterweight_numeric::newton::{Row, TOLERANCE, logistic, minimise};

use super::{Binary, CalibratorEntry, FittedCalibrator, LogPair, Sides, of_log_odds, one_vs_rest};

#[derive(Clone, Copy, Debug)]
struct Sigmoid {
    a: f64,
    b: f64,
}

impl Binary for Sigmoid {
    fn apply(&self, pair: LogPair) -> LogPair {
        of_log_odds(self.a * (pair.yes - pair.no) + self.b)
    }
}

fn sigmoid(sides: &Sides) -> (Sigmoid, Vec<(&'static str, f64)>, Vec<Note>) {
    let targets = sides.smoothed();
    let rows: Vec<Row<2>> = sides.logistic(targets, |pair| [pair.yes - pair.no, 1.0]);
    let shares = sides.log_odds();
    let found = minimise(vec![0.0, shares], TOLERANCE, |at, g, h| {
        logistic(&rows, at, g, h)
    });
    let map = Sigmoid {
        a: found.at[0],
        b: found.at[1],
    };
    let first = rows.first().map_or(0.0, |row| row.features[0]);
    let flat = rows
        .iter()
        .all(|row| (row.features[0] - first).abs() <= 0.0);
    let notes = if flat {
        vec![Note::Degenerate(
            "all out-of-fold scores of a class are equal: its calibrated probability is a constant"
                .into(),
        )]
    } else {
        Vec::new()
    };
    (map, vec![("platt_a", map.a), ("platt_b", map.b)], notes)
}

fn fit(calib: &Calib) -> FittedCalibrator {
    one_vs_rest(calib, sigmoid)
}

/// The entry.
pub(crate) const ENTRY: CalibratorEntry = CalibratorEntry {
    id: "platt",
    reference: "Platt 1999; Lin, Lin & Weng 2007",
    fit,
    takes: |size| (size.calib * (88 + 16 * size.classes)) as f64,
};
