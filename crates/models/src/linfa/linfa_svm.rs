//! Support vector machine of linfa 0.8.1, two classes, with its Platt scaling.
//!
//! SMO on the whole kernel matrix; the margins of the training rows themselves are then calibrated by the
//! library's own Newton method.
//!
//! # When it helps, when it hurts
//! As the support vector machine of a widely used crate, on some hundred to two thousand rows. It hurts on more,
//! and its probabilities come from margins of rows that the machine was fitted on: too sure, the more
//! so the larger `c` and the narrower the kernel.
//!
//! # Formula
//! ```text
//! minimise 1/2 |w|^2 + c sum_i max(0, 1 - y_i f(x_i)),   f = w.phi(x) - rho,   y = +-1
//! linear: phi(x) = x      gaussian: phi(x).phi(z) = exp(-|x - z|^2 / width)
//! p_1(x) = 1 / (1 + exp(a f(x) + b)),   a and b by maximum likelihood with smoothed targets
//! ```
//!
//! # Cost
//! O(n^2 d) and 8 n^2 bytes for the kernel matrix, O(n) an iteration, 10,000,000 iterations at
//! most; O(support d) to score a row. Hence the size limit of 2,000 rows.
//!
//! # Differences
//! From scikit-learn's SVC: Platt scaling on the training margins instead of on out-of-fold ones; the width
//! is left at d, which is `gamma = "scale"` of standardised features; the tolerance is libsvm's (the library's
//! is 1e-7). The library reports a and b through single-precision probabilities; here the same Newton
//! method is called for them in double precision. It takes a cost for each class, but Platt scaling on unweighted rows
//! would take most of its effect back and leave scores of no known prior, so weights are not honoured. Two classes
//! only: more are not applicable, as the library has none to offer.
//!
//! # Errors
//! Features that are not finite or above 1e10, weights or margins and more than two classes (not
//! applicable), Platt scaling that does not converge, a panic inside the library, and whatever it reports.
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "linfa-svm").unwrap();
//! let params = params::check(entry.card.params, &BTreeMap::new()).unwrap();
//! let learner = (entry.build)(&params).unwrap();
//! # let y = Labels::from_texts(&["0", "0", "0", "1", "1", "1"]);
//! # let x = Matrix::from_vec(6, 1, vec![0.0, 1.0, 0.5, 2.5, 3.0, 3.5]).unwrap();
//! # let samples = Samples::numeric(x, y).unwrap();
//! # let (train, _) = Partition::new(6, (0..6).collect(), vec![]).unwrap().cut_samples(&samples).unwrap();
//! # let shared = Shared::default();
//! # let stream = Seed(1).stage("fit").open();
//! # let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let model = learner.fit(&train, &LossTerms::cross_entropy(2), &mut context).unwrap();
//! let scores = model.scores(&Matrix::from_vec(2, 1, vec![0.2, 3.2]).unwrap()).unwrap();
//! assert_eq!(scores.argmax(&[0.0, 0.0], &counterweight_core::Ties::default()).unwrap().as_slice(), [0, 1]);
//! ```
//!
//! # References
//! linfa-svm 0.8.1, `solver_smo.rs`; linfa 0.8.1, `composing/platt_scaling.rs`. Fan, Chen, Lin (2005),
//! Working set selection using second order information, JMLR 6. Lin, Lin, Weng (2007), A note on
//! Platt's probabilistic outputs for support vector machines, Machine Learning 68(3).

use ::linfa::traits::Fit as _;
use counterweight_core::{
    Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, Matrix, ParamError, Params,
    Range, ScoreKind, Scores, StageContext, StageError, StageResult, Train, Workload, parameters,
    words,
};

use ::linfa::composing::platt_scaling::{Platt, platt_newton_method};
use ::linfa::{DatasetBase, ParamGuard as _};
use linfa_svm::Svm;
use ndarray::{Array1, ArrayView1};

use crate::linfa::{LIBRARY, caught, failed, owned_records};
use crate::shared::task::{Shape, Task};

const HONOURS: LossNeeds = LossNeeds::NONE;

/// Largest feature that the library is given: its kernel squares it and sums the squares' products.
const LARGEST: f64 = 1e10;

pub(crate) const ENTRY: LearnerEntry = LearnerEntry::of::<LinfaSvm>(
    "linfa-svm",
    "support vector machine of linfa with Platt scaling; two classes",
    "linfa-svm 0.8.1; Fan et al. 2005, JMLR 6",
    LearnerCaps {
        multiclass: false,
        max_rows: Some(2_000),
        remark: "two classes; Platt scaling on the training margins, hence too sure",
        ..LearnerCaps::new(LIBRARY, HONOURS, cost)
    },
);

fn cost(_: &Params, work: &Workload) -> f64 {
    let (n, d) = (work.n_train as f64, work.n_features as f64);
    let of_kernel = 1e-8 + d * 2e-9;
    1e-4 + n * n * (of_kernel + 2e-8) + 0.5 * n * (n + work.n_score as f64) * of_kernel
}

words! {
    /// A kernel by its name.
    pub enum Kernel {
        /// A bump of the distance.
        Gaussian = "gaussian",
        /// The product of two rows.
        Linear = "linear",
    }
}

fn width(method: &LinfaSvm) -> Result<(), ParamError> {
    match (method.kernel, method.width) {
        (Kernel::Linear, Some(_)) => Err(ParamError::new("width", "the linear kernel has none")),
        _ => Ok(()),
    }
}

parameters! {
    /// Checked parameters.
    pub struct LinfaSvm {
        /// cost of a margin violation
        c: f64 = 1.0, in Range::new(1e-6, true, 1e6, true);
        /// kernel
        kernel: Kernel = "gaussian";
        /// violation of the optimality conditions at which it stops
        tolerance: f64 = 1e-3, in Range::new(1e-7, true, 1.0, true);
        /// denominator of the Gaussian kernel; left out: the number of features
        width: f64, in Range::new(1e-6, true, 1e6, true);
    }
    check width
}

impl Learner for LinfaSvm {
    fn fit(
        &self,
        train: &Train,
        terms: &LossTerms,
        context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        let task = Task::new(train, terms, HONOURS)?;
        if let Some(constant) = task.single_class(ScoreKind::Probability, context) {
            return Ok(Box::new(constant));
        }
        if task.n_present() > 2 {
            return Err(StageError::NotApplicable(format!(
                "linfa's support vector machine takes two classes, the training rows have {}",
                task.n_present()
            )));
        }
        if task.n_features() == 0 {
            let why = "there are no features";
            let constant = task.shares_only(why, ScoreKind::Probability, context)?;
            return Ok(Box::new(constant));
        }
        task.refuse_above(LARGEST, "linfa's solver loses all digits")?;
        let y: Array1<bool> = task.y.iter().map(|&class| class == 1).collect();
        let data = DatasetBase::new(owned_records(&task.x), y);
        let parameters = Svm::<f64, bool>::params()
            .eps(self.tolerance)
            .pos_neg_weights(self.c, self.c);
        let parameters = match self.kernel {
            Kernel::Linear => parameters.linear_kernel(),
            Kernel::Gaussian => {
                parameters.gaussian_kernel(self.width.unwrap_or(task.n_features() as f64))
            }
        };
        let machine = caught(|| parameters.fit(&data))?.map_err(|e| failed(&e))?;
        context.detail("support_vectors", machine.nsupport() as f64);
        let margins: Array1<f64> = task
            .x
            .iter_rows()
            .map(|row| margin(&machine, row))
            .collect();
        let spread = |f: fn(f64, f64) -> f64, start| margins.iter().copied().fold(start, f);
        let range = spread(f64::max, f64::NEG_INFINITY) - spread(f64::min, f64::INFINITY);
        if range.is_nan() {
            return Err(StageError::Failed(
                "linfa returned margins that are no numbers; standardise the features".into(),
            ));
        }
        if range <= 1e-12 {
            let why = "every training row has the same margin";
            let constant = task.shares_only(why, ScoreKind::Probability, context)?;
            return Ok(Box::new(constant));
        }
        let platt = Platt::<f64, ()>::params();
        let checked = platt.check_ref().map_err(|e| failed(&e))?;
        let (a, b) = platt_newton_method(margins.view(), data.targets().view(), checked)
            .map_err(|e| failed(&e))?;
        if !(a.is_finite() && b.is_finite()) {
            return Err(StageError::Failed(
                "linfa's Platt scaling returned no numbers; standardise the features".into(),
            ));
        }
        context.detail("platt_slope", a);
        context.detail("platt_intercept", b);
        Ok(Box::new(Model {
            machine,
            a,
            b,
            shape: task.shape(),
        }))
    }
}

fn margin(machine: &Svm<f64, bool>, row: &[f64]) -> f64 {
    machine.weighted_sum(&ArrayView1::from(row)) - machine.rho
}

#[derive(Debug)]
struct Model {
    machine: Svm<f64, bool>,
    a: f64,
    b: f64,
    shape: Shape,
}

impl Fitted for Model {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        self.shape.check(x)?;
        let mut log = Matrix::zeros(x.rows(), 2);
        for i in 0..x.rows() {
            let logit = -(self.a * margin(&self.machine, x.row(i)) + self.b);
            if !logit.is_finite() {
                return Err(StageError::Failed(format!(
                    "the margin of scored row {i} overflows; standardise the features"
                )));
            }
            log.set(i, 1, logit);
        }
        self.shape.logits(&log)
    }
}

#[cfg(test)]
mod tests {
    use counterweight_core::{LossTerms, Matrix, ParamValue};

    use crate::testing::{blobs, entry, fit, train};
    use std::collections::BTreeMap;

    #[test]
    fn the_class_of_a_row_is_the_side_of_its_margin_whichever_class_is_larger() {
        for counts in [[60, 25], [25, 60]] {
            let (x, y) = blobs(46, &counts, 2);
            for kernel in ["linear", "gaussian"] {
                let given = [("kernel", ParamValue::Text(kernel.into()))];
                let data = train(&x, &y, 2);
                let fit = fit("linfa-svm", &given, &data, &LossTerms::cross_entropy(2));
                assert!(fit.details["platt_slope"] < 0.0);
                let decided = fit
                    .scores(&x)
                    .argmax(&[0.0; 2], &counterweight_core::Ties::default())
                    .unwrap();
                let right = decided
                    .as_slice()
                    .iter()
                    .zip(&y)
                    .filter(|(a, b)| a == b)
                    .count();
                assert!(right >= 72, "{kernel} {counts:?}: {right} of 85");
            }
        }
    }

    #[test]
    fn a_linear_machine_has_linear_log_odds() {
        let (x, y) = blobs(47, &[40, 40], 2);
        let given = [("kernel", ParamValue::Text("linear".into()))];
        let fit = fit(
            "linfa-svm",
            &given,
            &train(&x, &y, 2),
            &LossTerms::cross_entropy(2),
        );
        let points = [0.0, 0.0, 1.0, 0.0, 2.0, 0.0, 1e3, 0.0];
        let scores = fit.scores(&Matrix::from_vec(4, 2, points.to_vec()).unwrap());
        let f = |i: usize| scores.log().at(i, 1) - scores.log().at(i, 0);
        assert!((f(2) - 2.0 * f(1) + f(0)).abs() < 1e-9);
        // Far out, where single precision would say 0 or 1.
        assert!(f(3).is_finite() && f(3).abs() > 100.0);
    }

    #[test]
    fn a_width_for_the_linear_kernel_is_an_error() {
        let given: BTreeMap<String, ParamValue> = [
            ("kernel".to_owned(), ParamValue::Text("linear".into())),
            ("width".to_owned(), ParamValue::Real(2.0)),
        ]
        .into();
        let entry = entry("linfa-svm");
        let params = counterweight_core::params::check(entry.card.params, &given).unwrap();
        assert_eq!((entry.build)(&params).unwrap_err().key, "width");
    }
}
