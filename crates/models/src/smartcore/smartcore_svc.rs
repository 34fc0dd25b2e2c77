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
//! # Parameters
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `c` | 1.0 | [1e-6, 100] | cost of a margin violation |
//! | `epochs` | 2 | 1..=100 | passes over the rows |
//! | `gamma` | none | [1e-6, 1e6] | inverse squared width of the RBF kernel; left out: 1 / features |
//! | `kernel` | `rbf` | `linear`, `rbf` | kernel |
//! | `tolerance` | 1e-3 | [1e-10, 1] | violation of the optimality conditions at which it stops |
//!
//! # Cost
//! O(support) kernel values for each of some 4 epochs * n steps: it computes each anew, beside a cache of them in
//! a hash map of up to n^2 entries. Two overlapping classes of 20 features take 2 s with 1,000 rows and 10 s with
//! 2,000 (`svm`: less than .1 s and .2 s). Hence the size limit of 2,000 rows.
//!
//! # Differences
//! It need not reach the optimum: after the passes it takes as many steps as there are support vectors, and stops.
//! The largest violation of the optimality conditions is in the details, and above 0.1 in the reason.
//! The library shows no coefficients and borrows its training data, so that its model cannot be kept; here it is
//! given row numbers in place of rows and a kernel that looks them up, and the coefficients are read off by a
//! kernel that is an identity. That also goes round its fault of cutting each row off after as many
//! features as there are rows. The same kernel keeps the deadline, because a loop of the library waits for
//! violations below 1,000 and nothing else. More than two classes are not applicable: its one-vs-one votes
//! break ties by the order of a hash map, which differs from run to run. It has no probabilities, and its margins
//! are not offered as such. The seed is drawn from the stage's stream.
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
//! assert_eq!(scores.argmax(&[0.0, 0.0]).unwrap().as_slice(), [0, 1]);
//! ```
//!
//! # References
//! smartcore 0.7.0, `svm/svc.rs`. Bordes, Ertekin, Weston, Bottou (2005), Fast kernel classifiers with online
//! and active learning, JMLR 6.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use counterweight_core::params::Default as Preset;
use counterweight_core::{
    Card, Deadline, Entry, Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms,
    Matrix, Note, ParamError, ParamKind, ParamSpec, Params, Range, ScoreKind, Scores, StageContext,
    StageError, StageResult, Train, Workload,
};

use ::smartcore::error::{Failed, FailedError};
use ::smartcore::linalg::basic::matrix::DenseMatrix;
use ::smartcore::svm::svc::{SVC, SVCParameters};
use ::smartcore::svm::{Kernel, Kernels};
use rand::Rng as _;

use crate::shared::svm::space::Choice;
use crate::shared::task::{Task, check_scored};
use crate::smartcore::{LIBRARY, dense, failed, votes};

const HONOURS: LossNeeds = LossNeeds::NONE;

/// Kernel values between two looks at the clock.
const LOOK: u64 = 4096;
/// More kernel values than any fit that comes to an end needs: 2,000 rows and 100 epochs take some 1e9.
const MOST: u64 = 20_000_000_000;
/// The value of the identity on its diagonal: so large that the bias beside a coefficient is lost in
/// rounding.
const UNIT: f64 = (1_u64 << 60) as f64;

pub(crate) const ENTRY: LearnerEntry = Entry {
    card: Card {
        id: "smartcore-svc",
        summary: "support vector classifier of smartcore, two classes; hard votes",
        reference: "smartcore 0.7.0; Bordes et al. 2005, JMLR 6",
        params: &[
            ParamSpec::new(
                "c",
                ParamKind::Real(Range::new(1e-6, true, 100.0, true)),
                Preset::Real(1.0),
                "cost of a margin violation",
            ),
            ParamSpec::new(
                "epochs",
                ParamKind::Whole(Range::new(1.0, true, 100.0, true)),
                Preset::Whole(2),
                "passes over the rows",
            ),
            ParamSpec::optional(
                "gamma",
                ParamKind::Real(Range::new(1e-6, true, 1e6, true)),
                "inverse squared width of the RBF kernel; left out: 1 / features",
            ),
            ParamSpec::new(
                "kernel",
                ParamKind::Choice(&["linear", "rbf"]),
                Preset::Text("rbf"),
                "kernel",
            ),
            ParamSpec::new(
                "tolerance",
                ParamKind::Real(Range::new(1e-10, true, 1.0, true)),
                Preset::Real(1e-3),
                "violation of the optimality conditions at which it stops",
            ),
        ],
    },
    caps: LearnerCaps {
        library: LIBRARY,
        honours: HONOURS,
        scores: ScoreKind::Vote,
        multiclass: false,
        deterministic: true,
        max_rows: Some(2_000),
        cost,
        remark: "two classes, votes only; may stop short of the optimum, and says so",
    },
    build: |params| Ok(Box::new(SmartcoreSvc::try_from(params)?)),
};

fn cost(params: &Params, work: &Workload) -> f64 {
    let (n, d) = (work.n_train as f64, work.n_features as f64);
    let of_kernel = 8e-8 + d * 3e-9;
    let fit = params.whole("epochs") as f64 * n * n * 8.0 * of_kernel;
    1e-4 + fit + 0.5 * n * work.n_score as f64 * of_kernel
}

/// Checked parameters.
#[derive(Clone, Debug)]
pub struct SmartcoreSvc {
    c: f64,
    epochs: usize,
    kernel: Choice,
    tolerance: f64,
}

impl TryFrom<&Params> for SmartcoreSvc {
    type Error = ParamError;

    fn try_from(params: &Params) -> Result<Self, ParamError> {
        Ok(Self {
            c: params.real("c"),
            epochs: params.whole("epochs"),
            kernel: Choice::try_from(params)?,
            tolerance: params.real("tolerance"),
        })
    }
}

/// What the kernel does with two row numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    /// The library's kernel of the two rows.
    Fit,
    /// Writes the second number down, and gives 0: a margin is then the bias.
    List,
    /// [`UNIT`] for equal numbers, else 0: the margin of a row is then its coefficient.
    Identity,
}

/// The library's kernel by row numbers. Every value that it computes passes here.
#[derive(Debug)]
struct ByNumber {
    kernel: Kernels,
    rows: Vec<Vec<f64>>,
    state: Rc<State>,
    deadline: Deadline,
}

#[derive(Debug)]
struct State {
    mode: Cell<Mode>,
    listed: RefCell<Vec<usize>>,
    values: Cell<u64>,
    /// Why the kernel ended the fit.
    ended: RefCell<Option<StageError>>,
}

impl ByNumber {
    fn end(&self, error: StageError) -> Result<f64, Failed> {
        let text = error.to_string();
        *self.state.ended.borrow_mut() = Some(error);
        // The library unwraps, so this ends the fit.
        Err(Failed::because(FailedError::FitFailed, &text))
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

impl Kernel for ByNumber {
    fn apply(&self, x_i: &Vec<f64>, x_j: &Vec<f64>) -> Result<f64, Failed> {
        let (i, j) = (number(x_i), number(x_j));
        match self.state.mode.get() {
            Mode::List => {
                self.state.listed.borrow_mut().push(j);
                return Ok(0.0);
            }
            Mode::Identity => return Ok(if i == j { UNIT } else { 0.0 }),
            Mode::Fit => {}
        }
        let values = self.state.values.get() + 1;
        self.state.values.set(values);
        if values.is_multiple_of(LOOK) {
            if let Err(error) = self.deadline.check() {
                return self.end(error);
            }
            if values > MOST {
                return self.end(StageError::Failed(
                    "smartcore's solver does not come to an end; standardise the features or lower `c`"
                        .into(),
                ));
            }
        }
        let value = self.kernel.apply(&self.rows[i], &self.rows[j])?;
        if value.is_finite() {
            Ok(value)
        } else {
            self.end(StageError::Failed(
                "smartcore's kernel overflows; standardise the features".into(),
            ))
        }
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
        let kernel = match self.kernel {
            Choice::Linear => Kernels::linear(),
            Choice::Rbf(gamma) => {
                Kernels::rbf().with_gamma(gamma.unwrap_or(1.0 / task.n_features() as f64))
            }
        };
        let rows: Vec<Vec<f64>> = task.x.iter_rows().map(<[f64]>::to_vec).collect();
        let machine = self.solve(&task, &rows, kernel.clone(), context)?;
        let support = machine.len() as f64;
        let model = Model {
            support: machine
                .0
                .iter()
                .map(|&(i, w)| (rows[i].clone(), w))
                .collect(),
            bias: machine.1,
            kernel,
            n_features: task.n_features(),
            present: task.present.clone(),
            n_classes: task.n_classes,
        };
        let violation = self.violation(&task, &machine, &model)?;
        context.details.insert("support_vectors".into(), support);
        context.details.insert("svm_violation".into(), violation);
        if violation > 0.1 {
            context.note(Note::Remark(format!(
                "smartcore stopped short of the optimum: its conditions are violated by {violation:.2}; \
                 raise `epochs`"
            )));
        }
        Ok(Box::new(model))
    }
}

/// Coefficients with their row numbers, in the library's order, and the bias.
struct Machine(Vec<(usize, f64)>, f64);

impl Machine {
    fn len(&self) -> usize {
        self.0.len()
    }
}

impl SmartcoreSvc {
    /// Fits, and reads the coefficients off.
    fn solve(
        &self,
        task: &Task<'_>,
        rows: &[Vec<f64>],
        kernel: Kernels,
        context: &mut StageContext<'_>,
    ) -> StageResult<Machine> {
        let state = Rc::new(State {
            mode: Cell::new(Mode::Fit),
            listed: RefCell::new(Vec::new()),
            values: Cell::new(0),
            ended: RefCell::new(None),
        });
        let by_number = ByNumber {
            kernel,
            rows: rows.to_vec(),
            state: Rc::clone(&state),
            deadline: context.deadline,
        };
        let parameters: SVCParameters<f64, u32, DenseMatrix<f64>, Vec<u32>> =
            SVCParameters::default()
                .with_c(self.c)
                .with_epoch(self.epochs)
                .with_tol(self.tolerance)
                .with_kernel(by_number)
                .with_seed(Some(context.stream.next_u64()));
        let numbers = |rows: &[usize]| {
            let x = Matrix::from_fn(rows.len(), 1, |i, _| rows[i] as f64);
            dense(&x)
        };
        let all: Vec<usize> = (0..rows.len()).collect();
        let (x, one) = (numbers(&all)?, numbers(&all[..1])?);
        let broken = |state: &State| {
            state.ended.borrow_mut().take().unwrap_or_else(|| {
                StageError::Failed(
                    "smartcore's solver panicked; standardise the features or lower `c`".into(),
                )
            })
        };
        let fit = || SVC::fit(&x, &task.y, &parameters);
        let fitted = catch_unwind(AssertUnwindSafe(fit))
            .map_err(|_panic| broken(&state))?
            .map_err(|e| failed(&e))?;
        state.mode.set(Mode::List);
        let bias = fitted.decision_function(&one).map_err(|e| failed(&e))?[0];
        let listed = state.listed.take();
        let support = numbers(&listed)?;
        state.mode.set(Mode::Identity);
        let coefficients = if listed.is_empty() {
            Vec::new()
        } else {
            fitted.decision_function(&support).map_err(|e| failed(&e))?
        };
        let coefficients: Vec<(usize, f64)> = listed
            .into_iter()
            .zip(coefficients.into_iter().map(|f| f / UNIT))
            .collect();
        if !bias.is_finite() || coefficients.iter().any(|(_, w)| !w.is_finite()) {
            return Err(StageError::Failed(
                "smartcore returned coefficients that are no numbers; standardise the features"
                    .into(),
            ));
        }
        Ok(Machine(coefficients, bias))
    }

    /// Largest violation of the optimality conditions over all training rows.
    fn violation(&self, task: &Task<'_>, machine: &Machine, model: &Model) -> StageResult<f64> {
        let mut weights = vec![0.0; task.n_rows()];
        for &(row, weight) in &machine.0 {
            weights[row] = weight;
        }
        let (mut top, mut bottom) = (f64::NEG_INFINITY, f64::INFINITY);
        for (i, weight) in weights.iter().enumerate() {
            let y = if task.y[i] == 1 { 1.0 } else { -1.0 };
            let gap = y - model.margin(task.x.row(i))?;
            let (low, high) = ((y * self.c).min(0.0), (y * self.c).max(0.0));
            // Its steps leave coefficients a rounding error beside their bounds.
            let near = 1e-9 * self.c;
            if *weight < high - near {
                top = f64::max(top, gap);
            }
            if *weight > low + near {
                bottom = f64::min(bottom, gap);
            }
        }
        Ok((top - bottom).max(0.0))
    }
}

#[derive(Debug)]
struct Model {
    support: Vec<(Vec<f64>, f64)>,
    bias: f64,
    kernel: Kernels,
    n_features: usize,
    present: Vec<usize>,
    n_classes: usize,
}

impl Model {
    fn margin(&self, row: &[f64]) -> StageResult<f64> {
        let row = row.to_vec();
        let mut f = self.bias;
        for (support, weight) in &self.support {
            f += weight * self.kernel.apply(&row, support).map_err(|e| failed(&e))?;
        }
        Ok(f)
    }
}

impl Fitted for Model {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        check_scored(x, self.n_features)?;
        let mut voted = Vec::with_capacity(x.rows());
        for (i, row) in x.iter_rows().enumerate() {
            let f = self.margin(row)?;
            if !f.is_finite() {
                return Err(StageError::Failed(format!(
                    "the margin of scored row {i} overflows; standardise the features"
                )));
            }
            voted.push(u32::from(f > 0.0));
        }
        votes(&voted, &self.present, self.n_classes)
    }
}

#[cfg(test)]
mod tests {
    use counterweight_core::{
        Deadline, LossTerms, Matrix, ParamValue, Seed, Shared, SmallClass, StageContext, StageError,
    };

    use super::*;
    use crate::testing::{blobs, fit, learner, train};

    #[test]
    fn the_coefficients_that_are_read_off_give_the_librarys_own_predictions() {
        for (kernel, choice) in [
            (Kernels::linear(), Choice::Linear),
            (Kernels::rbf().with_gamma(0.5), Choice::Rbf(Some(0.5))),
        ] {
            let (x, y) = blobs(61, &[40, 25], 2);
            let data = train(&x, &y, 2);
            let task = Task::new(&data, &LossTerms::cross_entropy(2), HONOURS).unwrap();
            let svc = SmartcoreSvc {
                c: 1.0,
                epochs: 2,
                kernel: choice,
                tolerance: 1e-3,
            };
            let rows: Vec<Vec<f64>> = x.iter_rows().map(<[f64]>::to_vec).collect();
            let shared = Shared::default();
            let context = || {
                let stream = Seed(3).stage("fit").open();
                StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared)
            };
            let machine = svc
                .solve(&task, &rows, kernel.clone(), &mut context())
                .unwrap();
            let parameters = SVCParameters::default()
                .with_kernel(kernel.clone())
                .with_seed(Some(context().stream.next_u64()));
            let x = dense(&x).unwrap();
            let theirs = SVC::fit(&x, &task.y, &parameters).unwrap();
            let margins = theirs.decision_function(&x).unwrap();
            for (i, f) in margins.iter().enumerate() {
                let ours = machine.0.iter().fold(machine.1, |sum, (row, w)| {
                    sum + w * kernel.apply(&rows[i], &rows[*row]).unwrap()
                });
                assert!((ours - f).abs() < 1e-12 * (1.0 + f.abs()), "{ours} {f}");
            }
        }
    }

    #[test]
    fn it_votes_much_like_our_machine_and_owns_up_to_stopping_short() {
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
        let decided = |f: &crate::testing::Fit| f.scores(&x).argmax(&[0.0; 2]).unwrap();
        let (a, b) = (decided(&theirs), decided(&ours));
        let agree = a
            .as_slice()
            .iter()
            .zip(b.as_slice())
            .filter(|(a, b)| a == b);
        assert!(agree.count() >= 106);
        let short = fit(
            "smartcore-svc",
            &[("epochs", ParamValue::Whole(1))],
            &data,
            &terms,
        );
        for fit in [&theirs, &short] {
            let said = fit.notes.iter().any(|n| n.text().contains("stopped short"));
            assert_eq!(said, fit.details["svm_violation"] > 0.1);
        }
        assert!(short.details["svm_violation"] > theirs.details["svm_violation"]);
    }

    #[test]
    fn more_features_than_rows_are_all_seen() {
        // Only the last of nine features tells the classes apart.
        let x = Matrix::from_fn(6, 9, |i, j| if j == 8 { (i % 2) as f64 * 4.0 } else { 0.0 });
        let y = [0, 1, 0, 1, 0, 1];
        let fit = fit(
            "smartcore-svc",
            &[],
            &train(&x, &y, 2),
            &LossTerms::cross_entropy(2),
        );
        assert_eq!(fit.scores(&x).argmax(&[0.0; 2]).unwrap().as_slice(), y);
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
