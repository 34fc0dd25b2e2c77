//! Vector scaling: each class's log-score with a factor and a bias of its own.
//!
//! # When it helps, when it hurts
//!
//! Two numbers a class, fitted together: mends a bias between classes, which imbalance and resampling
//! bring, as well as over- and underconfidence. With many classes and few rows of the rare ones it fits
//! noise.
//!
//! # Formula
//!
//! `p' = softmax(w * s + b)` with w and b of least log loss, the first class's bias being 0.
//!
//! # Parameters
//!
//! None of its own.
//!
//! # Cost
//!
//! O(n K^2 + K^3) a round of Newton, about ten rounds.
//!
//! # Differences
//!
//! The paper scales a network's logits, here log-probabilities, since logits are known up to a constant
//! a row only and the factors would see it. For K = 2 it is beta calibration without bounds. Rows that
//! the scores tell apart without error have no finite optimum: the search then stops where the mean loss
//! is below 1e-6, with a note. scikit-learn has no vector scaling.
//!
//! # Errors
//!
//! None.
//!
//! Details: `vector_weight[k]`, `vector_bias[k]` for class number k.
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
//! let entry = calibrate::ALL.iter().find(|entry| entry.id == "vector-scaling").ok_or("no such calibrator")?;
//! let fitted = (entry.fit)(&held.finish()?);
//! let calibrated = fitted.map.calibrate(&scores)?;
//! assert!((calibrated.log().at(0, 1).exp() - 0.75).abs() < 1e-6);
//! assert!((calibrated.log().at(4, 1).exp() - 0.25).abs() < 1e-6);
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

/// Mean loss below which the search ends: rows told apart without error.
const SEPARATE: f64 = 1e-6;

#[derive(Debug)]
struct Scaled {
    frame: Frame,
    weights: Vec<f64>,
    biases: Vec<f64>,
}

impl Calibrator for Scaled {
    fn calibrate(&self, scores: &Scores) -> StageResult<Scores> {
        self.frame.map(scores, |row| {
            let logs = self.frame.logs(row);
            let terms = logs.iter().zip(&self.weights).zip(&self.biases);
            terms.map(|((s, w), b)| w * s + b).collect()
        })
    }
}

fn fit(calib: &Calib) -> FittedCalibrator {
    let frame = Frame::new(calib);
    let truth = frame.truth(calib);
    let m = frame.present.len();
    let rows: Vec<Vec<f64>> = calib
        .scores()
        .log()
        .iter_rows()
        .map(|row| frame.logs(row))
        .collect();
    // Weights first, then the biases of all classes but the first.
    let n = 2 * m - 1;
    let mut start = vec![1.0; m];
    start.resize(n, 0.0);
    let enough = SEPARATE * rows.len() as f64;
    let own = calib.labels().weights();
    let found = minimise(start, TOLERANCE, |at, gradient, hessian| {
        let mut value = 0.0;
        let mut z = vec![0.0; m];
        let mut slopes = vec![0.0; n];
        for (at_row, (row, &y)) in rows.iter().zip(&truth).enumerate() {
            limit::ask();
            let weight = own.as_ref().map_or(1.0, |own| own[at_row]);
            for k in 0..m {
                z[k] = at[k] * row[k] + if k > 0 { at[m + k - 1] } else { 0.0 };
            }
            let total = log_sum_exp(&z);
            value += weight * (total - z[y]);
            // d z_k / d (w_k, b_k) = (s_k, 1): the Hessian is that of softmax between them.
            for k in 0..m {
                let p = (z[k] - total).exp();
                let residual = weight * (p - f64::from(u8::from(k == y)));
                gradient[k] += residual * row[k];
                slopes[k] = p * row[k];
                if k > 0 {
                    gradient[m + k - 1] += residual;
                    slopes[m + k - 1] = p;
                    hessian[k * n + m + k - 1] += weight * (p * row[k]);
                    hessian[(m + k - 1) * n + k] += weight * (p * row[k]);
                    hessian[(m + k - 1) * n + m + k - 1] += weight * p;
                }
                hessian[k * n + k] += weight * (p * row[k] * row[k]);
            }
            for i in 0..n {
                for j in 0..n {
                    hessian[i * n + j] -= weight * (slopes[i] * slopes[j]);
                }
            }
        }
        if value <= enough {
            // Near enough to 0: no further way down.
            gradient.fill(0.0);
        }
        value
    });
    let weights = found.at[..m].to_vec();
    let mut biases = vec![0.0];
    biases.extend(&found.at[m..]);
    let mut details = Details::new();
    for (at, &k) in frame.present.iter().enumerate() {
        details.insert(format!("vector_weight[{k}]"), weights[at]);
        details.insert(format!("vector_bias[{k}]"), biases[at]);
    }
    let notes = if found.value <= enough {
        vec![Note::Remark(
            "vector scaling has no finite optimum on scores without error: stopped near it".into(),
        )]
    } else {
        Vec::new()
    };
    FittedCalibrator {
        map: Box::new(Scaled {
            frame,
            weights,
            biases,
        }),
        details,
        notes,
    }
}

/// The entry.
pub(crate) const ENTRY: CalibratorEntry = CalibratorEntry {
    id: "vector-scaling",
    reference: "Guo et al. 2017",
    fit,
    takes: |size| (size.calib * (16 + 16 * size.classes)) as f64,
};
