//! Quadratic discriminant analysis: normal classes, each with a covariance of its own.
//!
//! Each class's covariance is factored by its eigenvalues; boundaries are quadrics.
//!
//! # When it helps, when it hurts
//! Where classes differ in shape or spread and each has many more rows than features. It hurts exactly
//! where imbalance bites: a rare class has d (d + 1) / 2 numbers to estimate from few rows, its smallest
//! eigenvalues come out too small, and it loses its own test rows. `reg_param` helps; `lda` shares rows.
//!
//! # Formula
//! ```text
//! S_k = (1/n_k) sum_{i in k} (x_i - m_k)(x_i - m_k)',   C_k = (1 - reg_param) S_k + reg_param I
//! s_k(x) = log pi_k - 1/2 log det C_k - 1/2 (x - m_k)' C_k^-1 (x - m_k),   p = softmax(s)
//! pi_k proportional to w_k n_k (`empirical`), w_k (`uniform`) or w_k priors_k
//! ```
//! A class has one weight, which cancels in its own mean and covariance: class weights are a change
//! of priors, and post-hoc logit adjustment at tau = 1 equals uniform priors.
//!
//! A class whose covariance is singular (at most d rows, or columns that depend on each other; smallest
//! eigenvalue up to 1e-10 of the largest) goes through the small-class policy: under `clamp` its
//! `reg_param` is raised to `d / (n_k + d)`, which falls as rows come in, and the record says so.
//!
//! # Cost
//! O(n d^2 + K d^3) to fit, O(K d^2) to score a row, O(n d + K d^2) memory. With fewer rows than features
//! O(n^2 d + n^3) to fit and O(n d) to score a row, in O(n d) memory.
//!
//! # Differences
//! From scikit-learn 1.9 (divisor: the rows of the class, `svd` solver): the same numbers. There an eigenvalue up to 1e-4, in
//! whatever unit, is an error, and so is a class of one row; here the bound is relative and the small-class
//! policy decides. No `shrinkage` beside `reg_param`.
//!
//! # Errors
//! Features that are not finite or whose squares overflow, margins (not applicable), a singular class under
//! `small_class = "error"` or `"skip"`, another number of `priors` than classes, and rows to be scored beyond
//! the range of squares.
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "qda").unwrap();
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
//! Hastie, Tibshirani, Friedman (2009), The Elements of Statistical Learning, 4.3. Friedman (1989),
//! Regularized discriminant analysis, JASA 84(405).

use counterweight_core::{
    Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, Matrix, Params, Range,
    ScoreKind, Scores, StageContext, StageError, StageResult, Train, Workload, limit, parameters,
};

use crate::shared::centred::Centred;
use crate::shared::footprint::Size;
use crate::shared::priors::Priors;
use crate::shared::task::{Shape, Task};
use crate::shared::thin::Thin;
use crate::shared::views::{gram, view};
use counterweight_numeric::eigen::Eigen;
use counterweight_numeric::linalg::{add_scaled, dot};

const HONOURS: LossNeeds = LossNeeds {
    weights: true,
    row_weights: true,
    ..LossNeeds::NONE
};

/// A covariance whose smallest eigenvalue is up to this share of its largest counts as singular.
const SINGULAR: f64 = 1e-10;

pub(crate) const ENTRY: LearnerEntry = LearnerEntry::of::<Qda>(
    "qda",
    "quadratic discriminant analysis; class weights act on the priors",
    "Friedman 1989, JASA 84(405)",
    LearnerCaps {
        remark: "a class whose covariance is singular has its reg_param raised (outcome clamped)",
        footprint: |_, work| {
            let size = Size::of(work);
            let least = size.d.min(size.n);
            let fit = 2.0 * size.rows() + 16.0 * least * least;
            size.footprint(8.0 * size.k * least * size.d, fit)
        },
        ..LearnerCaps::new("own", HONOURS, cost)
    },
);

fn cost(_: &Params, work: &Workload) -> f64 {
    let (d, k) = (work.n_features as f64, work.n_classes as f64);
    1e-5 + work.n_train as f64 * d * (3e-9 + d * 2e-10)
        + k * d * d * d * 3e-8
        + work.n_score as f64 * k * (d * d * 5e-10 + d * 2e-9 + 1e-8)
}

parameters! {
    /// Checked parameters.
    pub struct Qda {
        /// class priors of the model, which class weights multiply
        priors: Priors = "empirical";
        /// share of the identity in each class's covariance
        reg_param: f64 = 0.0, in Range::new(0.0, true, 1.0, true);
    }
}

impl Learner for Qda {
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
        let log_priors = self.priors.logs(&task, context)?;
        let centred = Centred::new(&task)?;
        // Also where classes differ in a feature that is constant within each: then no covariance is
        // there to measure the difference by.
        if centred.variances().iter().all(|v| *v <= 0.0) {
            let why = "no feature varies within a class";
            let constant = task.shares_only(why, ScoreKind::Probability, context)?;
            return Ok(Box::new(constant));
        }
        let mut members = vec![Vec::new(); task.n_present()];
        for (i, &class) in task.y.iter().enumerate() {
            members[class as usize].push(i);
        }
        let mut classes = Vec::with_capacity(members.len());
        for (k, (rows, log_prior)) in members.iter().zip(log_priors).enumerate() {
            context.deadline.check()?;
            let spread = Spread::new(&centred, rows, task.masses()[k]);
            let whitening = self.whiten(&spread, rows.len(), task.present[k], context)?;
            let mean = centred.means.row(k).iter().zip(&centred.origin);
            classes.push(Class {
                mean: mean.map(|(m, o)| m + o).collect(),
                constant: log_prior - 0.5 * whitening.log_determinant,
                whitening,
            });
        }
        Ok(Box::new(Model {
            classes,
            shape: task.shape(),
        }))
    }
}

/// Eigenvalues of the covariance of these rows, descending, and the eigenvectors of the first of them, one a row:
/// all, or those in which few rows vary.
struct Spread {
    values: Vec<f64>,
    vectors: Vec<f64>,
}

impl Spread {
    /// Of rows that weigh `n` in all.
    fn new(centred: &Centred, rows: &[usize], n: f64) -> Self {
        let d = centred.rows.cols();
        let mut own = centred.rows.select_rows(rows);
        for (at, &row) in rows.iter().enumerate() {
            let root = centred.root(row);
            for x in own.row_mut(at) {
                *x *= root;
            }
        }
        if centred.rows.rows() < d {
            for j in 0..d {
                let squares: f64 = own.iter_rows().map(|row| row[j] * row[j]).sum();
                for i in (0..rows.len()).filter(|_| squares / n <= centred.noise[j]) {
                    own.row_mut(i)[j] = 0.0;
                }
            }
            let Thin {
                mut values,
                directions,
            } = Thin::new(1.0 / n, &own);
            values.resize(d, 0.0);
            let vectors = directions.as_slice().to_vec();
            return Self { values, vectors };
        }
        let mut covariance = vec![0.0; d * d];
        let own = view(rows.len(), d, own.as_slice());
        gram(1.0 / n, &own, &mut covariance);
        for j in 0..d {
            // Rounding error is no variance: neither it nor what it seems to share with others.
            if covariance[j * d + j] <= centred.noise[j] {
                for other in 0..d {
                    covariance[j * d + other] = 0.0;
                    covariance[other * d + j] = 0.0;
                }
            }
        }
        let Eigen { values, vectors } = Eigen::symmetric(d, covariance);
        Self { values, vectors }
    }
}

#[derive(Debug)]
struct Whitening {
    /// One row a direction, divided by its standard deviation.
    directions: Matrix,
    /// Variance of each direction, and the factor of everything at right angles to them, where there is such.
    rest: Option<(Vec<f64>, f64)>,
    log_determinant: f64,
}

impl Whitening {
    /// The squared distance of a row that lies `gap` from the mean; `gap` is used up.
    fn squared(&self, gap: &mut [f64]) -> f64 {
        let Some((variances, factor)) = &self.rest else {
            let directions = self.directions.iter_rows();
            return directions.map(|v| dot(v, gap).powi(2)).sum();
        };
        let mut squares = 0.0;
        for (direction, variance) in self.directions.iter_rows().zip(variances) {
            let along = dot(direction, gap);
            squares += along * along;
            add_scaled(gap, -along * variance, direction);
        }
        squares + factor * dot(gap, gap)
    }
}

impl Qda {
    fn whiten(
        &self,
        spread: &Spread,
        n: usize,
        class: usize,
        context: &mut StageContext<'_>,
    ) -> StageResult<Whitening> {
        let d = spread.values.len();
        let regular = |reg_param: f64| -> Vec<f64> {
            let values = spread.values.iter();
            values
                .map(|v| (1.0 - reg_param) * v.max(0.0) + reg_param)
                .collect()
        };
        let mut values = regular(self.reg_param);
        if values[d - 1] <= SINGULAR * values[0] {
            let raised = d as f64 / (n + d) as f64;
            context.clamp(format!(
                "reg_param = {} raised to {raised:.3} for class {class} with {n} rows and {d} \
                 features, whose covariance is singular",
                self.reg_param
            ))?;
            values = regular(raised.max(self.reg_param));
        }
        let rank = spread.vectors.len() / d;
        Ok(Whitening {
            directions: Matrix::from_fn(rank, d, |r, j| {
                spread.vectors[r * d + j] / values[r].sqrt()
            }),
            log_determinant: values.iter().map(|v| v.ln()).sum(),
            rest: (rank < d).then(|| (values[..rank].to_vec(), 1.0 / values[d - 1])),
        })
    }
}

#[derive(Debug)]
struct Class {
    mean: Vec<f64>,
    whitening: Whitening,
    /// log prior minus half the log determinant.
    constant: f64,
}

#[derive(Debug)]
struct Model {
    /// The present classes.
    classes: Vec<Class>,
    shape: Shape,
}

impl Fitted for Model {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        self.shape.check(x)?;
        let mut log = Matrix::zeros(x.rows(), self.shape.present.len());
        let mut gap = vec![0.0; self.shape.n_features];
        for i in 0..x.rows() {
            limit::ask();
            for (class, s) in self.classes.iter().zip(log.row_mut(i)) {
                for ((g, x), m) in gap.iter_mut().zip(x.row(i)).zip(&class.mean) {
                    *g = x - m;
                }
                *s = class.constant - 0.5 * class.whitening.squared(&mut gap);
            }
            let row = log.row(i);
            if row.iter().any(|s| s.is_nan()) || !row.iter().any(|s| s.is_finite()) {
                return Err(StageError::Failed(format!(
                    "scored row {i} is so far from every class that its density underflows even as \
                     a logarithm; standardise the features"
                )));
            }
        }
        self.shape.logits(&log)
    }
}

#[cfg(test)]
mod tests {
    use counterweight_core::{LossTerms, Matrix, Note, ParamValue, SmallClass, StageError};

    use crate::testing::{blobs, fit, gap, learner, train, try_fit};

    #[test]
    fn a_class_with_too_few_rows_goes_through_the_policy() {
        let (x, y) = blobs(50, &[40, 3], 4);
        let data = train(&x, &y, 2);
        let terms = LossTerms::cross_entropy(2);
        let learner = learner("qda", &[]);
        let clamped = try_fit(&*learner, &data, &terms, SmallClass::Clamp).unwrap();
        let [Note::Clamped(text)] = clamped.notes.as_slice() else {
            panic!("{:?}", clamped.notes)
        };
        assert!(
            text.contains("class 1 with 3 rows") && text.contains("0.571"),
            "{text}"
        );
        let failed = try_fit(&*learner, &data, &terms, SmallClass::Error);
        assert!(matches!(failed, Err(StageError::Failed(_))));
        let skipped = try_fit(&*learner, &data, &terms, SmallClass::Skip);
        assert!(matches!(skipped, Err(StageError::Skipped(_))));
        // Regularised from the start there is nothing to clamp.
        let given = [("reg_param", ParamValue::Real(0.1))];
        assert!(fit("qda", &given, &data, &terms).notes.is_empty());
    }

    #[test]
    fn scores_do_not_see_a_regular_map_of_the_features() {
        let (x, y) = blobs(51, &[40, 20], 2);
        let moved = Matrix::from_fn(x.rows(), 2, |i, j| {
            let (a, b) = (x.at(i, 0), x.at(i, 1));
            if j == 0 {
                1e-4 * (a + 2.0 * b) + 5.0
            } else {
                300.0 * (a - b)
            }
        });
        let terms = LossTerms::cross_entropy(2);
        let before = fit("qda", &[], &train(&x, &y, 2), &terms);
        let after = fit("qda", &[], &train(&moved, &y, 2), &terms);
        assert!(before.notes.is_empty());
        // One feature is a million times smaller than the other: singular by its eigenvalues.
        assert!(matches!(
            after.notes.as_slice(),
            [Note::Clamped(_), Note::Clamped(_)]
        ));
        let scaled = Matrix::from_fn(x.rows(), 2, |i, j| moved.at(i, j) * [1e4, 1e-2][j]);
        let after = fit("qda", &[], &train(&scaled, &y, 2), &terms);
        assert!(after.notes.is_empty());
        assert!(gap(&before.scores(&x), &after.scores(&scaled)) < 1e-9);
    }
}
