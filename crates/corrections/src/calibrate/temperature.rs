//! Temperature scaling: all log-scores divided by one number.
//!
//! # When it helps, when it hurts
//!
//! One number for all classes: it sharpens or softens and moves no argmax, so accuracy stays as it is
//! and rules that use probabilities get better ones. It cannot mend a bias between classes, which
//! imbalance brings; `vector-scaling` can.
//!
//! # Formula
//!
//! `p' = softmax(s / T)` with T of least log loss, within 0.001 to 1000.
//!
//! # Parameters
//!
//! None of its own.
//!
//! # Cost
//!
//! O(n K) a round of Newton, about ten rounds.
//!
//! # Differences
//!
//! As the paper and scikit-learn's `method="temperature"`, on log-probabilities: a constant added to a
//! row's logits changes nothing. A bound on T that holds gets a note (scores without error, or worse than
//! none).
//!
//! # Errors
//!
//! None.
//!
//! Details: `temperature`.
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
//! let entry = calibrate::ALL.iter().find(|entry| entry.id == "temperature").ok_or("no such calibrator")?;
//! let fitted = (entry.fit)(&held.finish()?);
//! let calibrated = fitted.map.calibrate(&scores)?;
//! // Log odds of ln 9 become ln 3.
//! assert!((fitted.details["temperature"] - 2.0).abs() < 1e-6);
//! assert!((calibrated.log().at(0, 1).exp() - 0.75).abs() < 1e-6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural networks", ICML 2017.

use counterweight_core::limit;
use counterweight_core::{Calib, Details, Note, Scores, StageResult, log_sum_exp};
use counterweight_numeric::newton::{TOLERANCE, minimise};

use super::{Calibrator, CalibratorEntry, FittedCalibrator, Frame};

/// Bounds of 1 / T.
const INVERSE: [f64; 2] = [1e-3, 1e3];

#[derive(Debug)]
struct Tempered {
    frame: Frame,
    inverse: f64,
}

impl Calibrator for Tempered {
    fn calibrate(&self, scores: &Scores) -> StageResult<Scores> {
        self.frame.map(scores, |row| {
            let logs = self.frame.logs(row);
            logs.iter().map(|s| s * self.inverse).collect()
        })
    }
}

fn fit(calib: &Calib) -> FittedCalibrator {
    let frame = Frame::new(calib);
    let truth = frame.truth(calib);
    let rows: Vec<Vec<f64>> = calib
        .scores()
        .log()
        .iter_rows()
        .map(|row| frame.logs(row))
        .collect();
    let own = calib.labels().weights();
    let loss = |inverse: f64, gradient: &mut f64, bend: &mut f64| {
        let mut value = 0.0;
        for (at, (row, &y)) in rows.iter().zip(&truth).enumerate() {
            limit::ask_at(at);
            let scaled: Vec<f64> = row.iter().map(|s| s * inverse).collect();
            let total = log_sum_exp(&scaled);
            let weight = own.as_ref().map_or(1.0, |own| own[at]);
            value += weight * (total - scaled[y]);
            let (mut mean, mut square) = (0.0, 0.0);
            for (s, z) in row.iter().zip(&scaled) {
                let p = (z - total).exp();
                mean += p * s;
                square += p * s * s;
            }
            *gradient += weight * (mean - row[y]);
            *bend += weight * (square - mean * mean).max(0.0);
        }
        value
    };
    let found = minimise(vec![1.0], TOLERANCE, |at, g, h| {
        // Beyond the bounds there is nothing to find, only overflow.
        if at[0].abs() > 1e6 {
            return f64::INFINITY;
        }
        loss(at[0], &mut g[0], &mut h[0])
    });
    let inverse = found.at[0].clamp(INVERSE[0], INVERSE[1]);
    let notes = if (inverse - found.at[0]).abs() > 0.0 {
        vec![Note::Remark(format!(
            "the best temperature lies beyond {}: the out-of-fold scores are without error, or worse \
             than none",
            1.0 / inverse
        ))]
    } else {
        Vec::new()
    };
    FittedCalibrator {
        map: Box::new(Tempered { frame, inverse }),
        details: Details::from([("temperature".to_owned(), 1.0 / inverse)]),
        notes,
    }
}

/// The entry.
pub(crate) const ENTRY: CalibratorEntry = CalibratorEntry {
    id: "temperature",
    reference: "Guo et al. 2017",
    fit,
    takes: |size| (size.calib * (16 + 16 * size.classes)) as f64,
};
