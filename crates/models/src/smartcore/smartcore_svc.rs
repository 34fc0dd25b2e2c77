//! Support vector classifier of smartcore 0.7.0, as it is: two classes, hard votes.
//!
//! An online solver in the manner of LASVM: it takes up one row after another, in random order, a few
//! times over, and moves pairs of coefficients in between.
//!
//! # When it helps, when it hurts
//! As the support vector machine of a widely used crate, on some hundred rows. It hurts on more, where `svm`
//! finds the optimum some hundred times faster, and under imbalance: votes leave nothing to move.
//!
//! # Formula
//! ```text
//! minimise 1/2 |w|^2 + c sum_i max(0, 1 - y_i f(x_i)),   f = w.phi(x) + bias,   vote: the higher class if f > 0
//! linear: phi(x) = x      rbf: phi(x).phi(z) = exp(-gamma |x - z|^2)
//! ```
//!
//! # Cost
//! O(support) kernel values for each of some 4 epochs * n steps: it computes each anew, beside a cache of them in
//! a hash map of up to n^2 entries. Two overlapping classes of 20 features take 2 s with 1,000 rows and 10 s with
//! 2,000 (`svm`: less than .1 s and .2 s). Hence the size limit of 2,000 rows.
//!
//! # Differences
//! It need not reach the optimum: after the passes it takes as many steps as there are support vectors, and stops.
//! Its model borrows the parameters and so cannot be kept: the fit that is scored by is made again, from the same
//! seed, when rows are scored. The kernel keeps the deadline and an end of its own, because a loop of the
//! library waits for violations below 1,000 and nothing else. It is given row numbers in place of rows, which the
//! kernel looks up, because it cuts each row off after as many features as there are rows. More than two classes
//! are not applicable: its one-vs-one votes break ties by the order of a hash map, which differs from run to
//! run. It has no probabilities, and its margins are not offered as such. The seed is drawn from the stage's stream.
//!
//! # Errors
//! Features that are not finite, weights or margins and more than two classes (not applicable), kernel
//! values that overflow, and a panic inside the library.
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "smartcore-svc").unwrap();
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
//! smartcore 0.7.0, `svm/svc.rs`. Bordes, Ertekin, Weston, Bottou (2005), Fast kernel classifiers with online
//! and active learning, JMLR 6.

use crate::shared::svm::space::KernelName;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use counterweight_core::{
    Deadline, Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, Matrix, ParamError,
    Params, Range, ScoreKind, Scores, StageContext, StageError, StageResult, Train, Workload,
    parameters,
};

use ::smartcore::error::{Failed, FailedError};
use ::smartcore::svm::svc::{SVC, SVCParameters};
use ::smartcore::svm::{Kernel, Kernels};
use rand::Rng as _;

use crate::shared::svm::space::Choice;
use crate::shared::task::{Shape, Task};
use crate::smartcore::{LIBRARY, dense, failed};

const HONOURS: LossNeeds = LossNeeds::NONE;

/// Kernel values between two looks at the clock.
const LOOK: u64 = 4096;
/// More kernel values than any fit that comes to an end needs: 2,000 rows and 100 epochs take some 1e9.
const MOST: u64 = 20_000_000_000;

pub(crate) const ENTRY: LearnerEntry = LearnerEntry::of::<SmartcoreSvc>(
    "smartcore-svc",
    "support vector classifier of smartcore, two classes; hard votes",
    "smartcore 0.7.0; Bordes et al. 2005, JMLR 6",
    LearnerCaps {
        scores: ScoreKind::Vote,
        multiclass: false,
        max_rows: Some(2_000),
        remark: "two classes, votes only; may stop short of the optimum",
        ..LearnerCaps::new(LIBRARY, HONOURS, cost)
    },
);

fn cost(params: &Params, work: &Workload) -> f64 {
    let (n, d) = (work.n_train as f64, work.n_features as f64);
    let of_kernel = 8e-8 + d * 3e-9;
    let fit = params.whole("epochs") as f64 * n * n * 8.0 * of_kernel;
    // Fitted once more to be scored.
    1e-4 + 2.0 * fit + 0.5 * n * work.n_score as f64 * of_kernel
}

fn width(method: &SmartcoreSvc) -> Result<(), ParamError> {
    method.kernel.check("gamma", method.gamma)
}

parameters! {
    /// Checked parameters.
    pub struct SmartcoreSvc {
        /// cost of a margin violation
        c: f64 = 1.0, in Range::new(1e-6, true, 100.0, true);
        /// passes over the rows
        epochs: usize = 2, in Range::new(1.0, true, 100.0, true);
        /// inverse squared width of the RBF kernel; left out: 1 / features
        gamma: f64, in Range::new(1e-6, true, 1e6, true);
        /// kernel
        kernel: KernelName = "rbf";
        /// violation of the optimality conditions at which it stops
        tolerance: f64 = 1e-3, in Range::new(1e-10, true, 1.0, true);
    }
    check width
}

/// The library's kernel of two rows by their numbers, which ends a fit that would not end.
#[derive(Debug)]
struct Guarded {
    kernel: Kernels,
    rows: Vec<Vec<f64>>,
    deadline: Deadline,
    values: Cell<u64>,
    /// Why it ended the fit.
    ended: Rc<RefCell<Option<StageError>>>,
}

impl Guarded {
    fn check(&self, value: f64) -> StageResult<()> {
        let values = self.values.get() + 1;
        self.values.set(values);
        if values.is_multiple_of(LOOK) {
            self.deadline.check()?;
        }
        let why = if values > MOST {
            "solver does not come to an end; standardise the features or lower `c`"
        } else if !value.is_finite() {
            "kernel overflows; standardise the features"
        } else {
            return Ok(());
        };
        Err(StageError::Failed(format!("smartcore's {why}")))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "row numbers, written as numbers for the library"
)]
fn number(row: &[f64]) -> usize {
    row[0] as usize
}

impl Kernel for Guarded {
    fn apply(&self, x_i: &Vec<f64>, x_j: &Vec<f64>) -> Result<f64, Failed> {
        let row = |x: &[f64]| &self.rows[number(x)];
        let value = self.kernel.apply(row(x_i), row(x_j))?;
        self.check(value).map(|()| value).map_err(|error| {
            // The library unwraps, so this ends the fit.
            let failed = Failed::because(FailedError::FitFailed, &error.to_string());
            *self.ended.borrow_mut() = Some(error);
            failed
        })
    }
}

impl Learner for SmartcoreSvc {
    fn fit(
        &self,
        train: &Train,
        terms: &LossTerms,
        context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        let task = Task::new(train, terms, HONOURS)?;
        if let Some(constant) = task.single_class(ScoreKind::Vote, context) {
            return Ok(Box::new(constant));
        }
        if task.n_present() > 2 {
            return Err(StageError::NotApplicable(format!(
                "smartcore's support vector classifier takes two classes, the training rows have {}",
                task.n_present()
            )));
        }
        if task.n_features() == 0 {
            let why = "there are no features";
            return Ok(Box::new(task.shares_only(why, ScoreKind::Vote, context)?));
        }
        let kernel = match self.kernel.of_width(self.gamma) {
            Choice::Linear => Kernels::linear(),
            Choice::Rbf(gamma) => {
                Kernels::rbf().with_gamma(gamma.unwrap_or(1.0 / task.n_features() as f64))
            }
        };
        let model = Model {
            shape: task.shape(),
            settings: self.clone(),
            kernel,
            seed: context.stream.next_u64(),
            x: task.x.into_owned(),
            y: task.y,
        };
        // What goes wrong goes wrong here.
        model.margins(&model.x.select_rows(&[0]), context.deadline)?;
        Ok(Box::new(model))
    }
}

/// All that the library needs for the same fit again.
#[derive(Debug)]
struct Model {
    settings: SmartcoreSvc,
    kernel: Kernels,
    seed: u64,
    x: Matrix,
    y: Vec<u32>,
    shape: Shape,
}

impl Model {
    /// Fits, and gives the margins of `x`, of which there is a row at least.
    fn margins(&self, x: &Matrix, deadline: Deadline) -> StageResult<Vec<f64>> {
        let ended = Rc::new(RefCell::new(None));
        let kernel = Guarded {
            kernel: self.kernel.clone(),
            rows: self
                .x
                .iter_rows()
                .chain(x.iter_rows())
                .map(<[f64]>::to_vec)
                .collect(),
            deadline,
            values: Cell::new(0),
            ended: Rc::clone(&ended),
        };
        let parameters = SVCParameters::default()
            .with_c(self.settings.c)
            .with_epoch(self.settings.epochs)
            .with_tol(self.settings.tolerance)
            .with_kernel(kernel)
            .with_seed(Some(self.seed));
        let n = self.x.rows();
        let numbers =
            |from: usize, rows| dense(&Matrix::from_fn(rows, 1, |i, _| (from + i) as f64));
        let (train, asked) = (numbers(0, n)?, numbers(n, x.rows())?);
        let fit = || SVC::fit(&train, &self.y, &parameters)?.decision_function(&asked);
        catch_unwind(AssertUnwindSafe(fit))
            .map_err(|_panic| {
                ended.take().unwrap_or_else(|| {
                    StageError::Failed(
                        "smartcore's solver panicked; standardise the features or lower `c`".into(),
                    )
                })
            })?
            .map_err(|e| failed(&e))
    }
}

impl Fitted for Model {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        self.shape.check(x)?;
        let mut voted = Vec::with_capacity(x.rows());
        if x.rows() > 0 {
            let margins = self.margins(x, Deadline::current())?;
            for (i, f) in margins.into_iter().enumerate() {
                if !f.is_finite() {
                    return Err(StageError::Failed(format!(
                        "the margin of scored row {i} overflows; standardise the features"
                    )));
                }
                voted.push(usize::from(f > 0.0));
            }
        }
        self.shape.votes("smartcore", voted.into_iter())
    }
}

#[cfg(test)]
mod tests {
    use counterweight_core::{
        Deadline, LossTerms, Matrix, ParamValue, Seed, Shared, SmallClass, StageContext, StageError,
    };

    use crate::testing::{blobs, fit, learner, train};

    #[test]
    fn it_votes_much_like_our_machine() {
        let (x, y) = blobs(62, &[60, 50], 2);
        let terms = LossTerms::cross_entropy(2);
        let data = train(&x, &y, 2);
        let many = [("epochs", ParamValue::Whole(30))];
        let theirs = fit("smartcore-svc", &many, &data, &terms);
        let given = [
            ("gamma", ParamValue::Real(0.5)),
            ("probability", ParamValue::Text("margins".into())),
        ];
        let ours = fit("svm", &given, &data, &terms);
        let decided = |f: &crate::testing::Fit| {
            f.scores(&x)
                .argmax(&[0.0; 2], &counterweight_core::Ties::default())
                .unwrap()
        };
        let (a, b) = (decided(&theirs), decided(&ours));
        let agree = a
            .as_slice()
            .iter()
            .zip(b.as_slice())
            .filter(|(a, b)| a == b);
        assert!(agree.count() >= 106);
    }

    #[test]
    fn more_features_than_rows_are_all_seen() {
        // Only the last of nine features tells the classes apart.
        let x = Matrix::from_fn(6, 9, |i, j| if j == 8 { (i % 2) as f64 * 4.0 } else { 0.0 });
        let y = [0, 1, 0, 1, 0, 1];
        let data = train(&x, &y, 2);
        let fit = fit("smartcore-svc", &[], &data, &LossTerms::cross_entropy(2));
        assert_eq!(
            fit.scores(&x)
                .argmax(&[0.0; 2], &counterweight_core::Ties::default())
                .unwrap()
                .as_slice(),
            y
        );
    }

    #[test]
    fn a_passed_deadline_ends_the_library() {
        let (x, y) = blobs(63, &[150, 150], 2);
        let shared = Shared::default();
        let past = Deadline::at(std::time::Instant::now());
        let stream = Seed(1).stage("fit").open();
        let mut context = StageContext::new(stream, SmallClass::Clamp, past, &shared);
        let ended = learner("smartcore-svc", &[]).fit(
            &train(&x, &y, 2),
            &LossTerms::cross_entropy(2),
            &mut context,
        );
        assert!(matches!(ended, Err(StageError::Timeout(_))));
    }
}
