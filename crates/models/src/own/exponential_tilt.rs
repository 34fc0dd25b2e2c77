//! Exponential tilting: what logistic regression becomes as one class grows without end.
//!
//! With n1 rows of the rare class held fixed and ever more of the common one, the slopes of logistic regression do
//! not go to 0 or astray: they go to those of the exponential tilt of the common class whose mean is the mean of
//! the rare rows. Of these, their mean (and number) is then all that the fit knows. This learner solves that limit on
//! the common rows as they are.
//!
//! # When it helps, when it hurts
//! As a check of theory beside `softmax-regression` at ratios of 1,000 and more, where both agree to O(1 / ratio);
//! and as a cheap fit there. At small ratios it is another model: it spends the common rows as if they were
//! the whole law. Where the mean of the rare rows lies outside the hull of the common ones there is no finite tilt
//! without a penalty.
//!
//! # Formula
//! ```text
//! b minimises  n1 log( sum over common rows of exp(b . (x_i - m1)) ) + l2 / 2 |b|^2,  m1 the mean of the rare rows
//! log odds     b . x + log n1 - log( sum over common rows of exp(b . x_i) )
//! ```
//! so that without a penalty `sum (x_i - m1) exp(b . x_i) = 0`. The penalty is that of logistic regression, beside the
//! sum of losses.
//!
//! # Parameters
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `l2` | 1.0 | [0, inf) | penalty on half the squared slopes, as of `softmax-regression` |
//!
//! # Cost
//! O(n d^2) a step of Newton's method, some 10 steps; memory O(n d).
//!
//! # Differences
//! None from the reference but for the penalty, and that the common class is what was sampled of it, not its law.
//!
//! # Errors
//! Features that are not finite; three classes and more (planning refuses them); a gradient that does not fall to
//! 1e-10 of its scale. Without a penalty, a mean outside the hull is a degenerate fit.
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "exponential-tilt").unwrap();
//! let params = params::check(entry.card.params, &BTreeMap::new()).unwrap();
//! let learner = (entry.build)(&params).unwrap();
//! # let y = Labels::from_texts(&["0", "0", "0", "0", "1"]);
//! # let x = Matrix::from_vec(5, 1, vec![-1.0, 0.0, 1.0, 3.0, 2.0]).unwrap();
//! # let samples = Samples::numeric(x, y).unwrap();
//! # let (train, _) = Partition::new(5, (0..5).collect(), vec![]).unwrap().cut_samples(&samples).unwrap();
//! # let shared = Shared::default();
//! # let stream = Seed(1).stage("fit").open();
//! # let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let model = learner.fit(&train, &LossTerms::cross_entropy(2), &mut context).unwrap();
//! let scores = model.scores(&Matrix::from_vec(2, 1, vec![-4.0, 9.0]).unwrap()).unwrap();
//! assert_eq!(scores.argmax(&[0.0, 0.0], &counterweight_core::Ties::default()).unwrap().as_slice(), [0, 1]);
//! ```
//!
//! # References
//! A. B. Owen (2007), Infinitely imbalanced logistic regression, JMLR 8, 761-773.

use counterweight_core::{
    Fitted, Learner, LearnerCaps, LearnerEntry, LinearHead, LossNeeds, LossTerms, Matrix, Note,
    Params, Range, ScoreKind, Scores, StageContext, StageError, StageResult, Train, Workload,
    limit, parameters,
};

use crate::shared::footprint::Size;
use crate::shared::linear_head::linear_head;
use crate::shared::task::{Shape, Task};
use counterweight_numeric::curvature::Metric;
use counterweight_numeric::linalg::{add_scaled, dot};
use counterweight_numeric::optimise::{self, Objective, Stop};

/// Largest gradient at the end, relative to its scale.
const TOLERANCE: f64 = 1e-10;

pub(crate) const ENTRY: LearnerEntry = LearnerEntry::of::<ExponentialTilt>(
    "exponential-tilt",
    "the limit of logistic regression as the common class grows without end",
    "Owen 2007, JMLR 8",
    LearnerCaps {
        multiclass: false,
        remark: "knows the mean and the number of the rare rows alone",
        footprint: |_, work| {
            let size = Size::of(work);
            size.footprint(
                0.0,
                2.0 * size.rows() + 16.0 * size.n + 24.0 * size.d * size.d,
            )
        },
        ..LearnerCaps::new("own", LossNeeds::NONE, cost)
    },
);

fn cost(_: &Params, work: &Workload) -> f64 {
    let d = work.n_features as f64;
    let steps = 20.0 * work.n_train as f64 * (d * d * 1e-9 + d * 2e-9 + 1e-8);
    1e-5 + steps + d * d * d * 1e-8 + work.n_score as f64 * d * 1e-9
}

parameters! {
    /// Checked parameters.
    pub struct ExponentialTilt {
        /// penalty on half the squared slopes, as of `softmax-regression`
        l2: f64 = 1.0, in Range::NON_NEGATIVE, probe [0.1];
    }
}

/// `n1 log sum exp(b . z_i) + l2 / 2 |b|^2` over the common rows less the mean of the rare ones.
struct Tilt {
    /// Row by row.
    z: Matrix,
    n_rare: f64,
    l2: f64,
    /// Mean length of the rows, by feature.
    scale: Vec<f64>,
}

impl Tilt {
    /// Shares of the rows under the tilt, and the logarithm of what they are shares of.
    fn shares(&self, b: &[f64]) -> (Vec<f64>, f64) {
        let mut shares: Vec<f64> = self.z.iter_rows().map(|z| dot(b, z)).collect();
        let top = shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut total = 0.0;
        for share in &mut shares {
            *share = (*share - top).exp();
            total += *share;
        }
        for share in &mut shares {
            *share /= total;
        }
        (shares, top + total.ln())
    }
}

impl Objective for Tilt {
    fn value_gradient(&mut self, b: &[f64], gradient: &mut [f64]) -> f64 {
        limit::ask();
        let (shares, log) = self.shares(b);
        gradient
            .iter_mut()
            .zip(b)
            .for_each(|(g, b)| *g = self.l2 * b);
        for (z, share) in self.z.iter_rows().zip(&shares) {
            add_scaled(gradient, self.n_rare * share, z);
        }
        self.n_rare * log + 0.5 * self.l2 * dot(b, b)
    }

    fn relative(&self, gradient: &[f64]) -> f64 {
        let sizes = gradient.iter().zip(&self.scale).map(|(g, scale)| {
            if g.abs() > 0.0 {
                g.abs() / (self.n_rare * scale)
            } else {
                0.0
            }
        });
        sizes.fold(
            0.0,
            |worst, r| if r > worst || r.is_nan() { r } else { worst },
        )
    }

    fn hessian(&mut self, b: &[f64]) -> Vec<f64> {
        let d = b.len();
        let (shares, _) = self.shares(b);
        let mut mean = vec![0.0; d];
        for (z, share) in self.z.iter_rows().zip(&shares) {
            add_scaled(&mut mean, *share, z);
        }
        let mut hessian = vec![0.0; d * d];
        let mut from = vec![0.0; d];
        for (i, (z, share)) in self.z.iter_rows().zip(&shares).enumerate() {
            limit::ask_at(i);
            from.iter_mut()
                .zip(z)
                .zip(&mean)
                .for_each(|((f, z), m)| *f = z - m);
            for j in 0..d {
                let weight = self.n_rare * share * from[j];
                add_scaled(&mut hessian[j * d..=j * d + j], weight, &from[..=j]);
            }
        }
        for j in 0..d {
            hessian[j * d + j] += self.l2;
        }
        hessian
    }

    fn metric(&mut self, b: &[f64]) -> Metric {
        self.exact_metric(b)
    }
}

impl Learner for ExponentialTilt {
    fn fit(
        &self,
        train: &Train,
        terms: &LossTerms,
        context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        let task = Task::new(train, terms, LossNeeds::NONE)?;
        if let Some(constant) = task.trivial(ScoreKind::Probability, context)? {
            return Ok(Box::new(constant));
        }
        if task.n_present() != 2 {
            return Err(StageError::NotApplicable(
                "`exponential-tilt` is for two classes".into(),
            ));
        }
        // Of equal ones the last is the rare one.
        let rare = usize::from(task.counts[1] <= task.counts[0]);
        let (d, n_rare) = (task.n_features(), task.counts[rare] as f64);
        let of = |class: usize| {
            let rows = task.x.iter_rows().zip(&task.y);
            rows.filter(move |(_, y)| **y as usize == class)
                .map(|(row, _)| row)
        };
        let mut mean = vec![0.0; d];
        of(rare).for_each(|row| add_scaled(&mut mean, 1.0 / n_rare, row));
        let mut z = Matrix::zeros(task.counts[1 - rare], d);
        let mut scale = vec![0.0; d];
        for (i, row) in of(1 - rare).enumerate() {
            for (j, (x, m)) in row.iter().zip(&mean).enumerate() {
                z.set(i, j, x - m);
                scale[j] += (x - m).abs() / task.counts[1 - rare] as f64;
            }
        }
        let mut tilt = Tilt {
            z,
            n_rare,
            l2: self.l2,
            scale,
        };
        let found = optimise::newton(&mut tilt, vec![0.0; d], TOLERANCE, context.deadline)?;
        context.detail("iterations", found.iterations as f64);
        // Far out all of the tilt lies on a few rows of the hull, and no gradient says how far.
        let (shares, log) = tilt.shares(&found.theta);
        let rows: f64 = 1.0 / shares.iter().map(|share| share * share).sum::<f64>();
        context.detail("tilted_rows", rows);
        if self.l2 <= 0.0 && (found.stop != Stop::Converged || rows <= d as f64) {
            context.note(Note::Degenerate(
                "the mean of the rare rows lies outside the hull of the common ones, or at its edge, and l2 = 0: no \
                 finite tilt"
                    .into(),
            ));
        } else if found.stop != Stop::Converged {
            return Err(StageError::Failed(format!(
                "no step lowers the loss at a gradient of {:.1e} of its scale after {} iterations; standardise the \
                 features",
                found.relative_gradient, found.iterations
            )));
        }
        let intercept = n_rare.ln() - log - dot(&found.theta, &mean);
        let sign = if rare == 1 { 1.0 } else { -1.0 };
        Ok(Box::new(Model {
            slopes: found.theta.iter().map(|b| sign * b).collect(),
            intercept: sign * intercept,
            shape: task.shape(),
        }))
    }
}

/// Log odds of the second class.
#[derive(Debug)]
struct Model {
    slopes: Vec<f64>,
    intercept: f64,
    shape: Shape,
}

impl Fitted for Model {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        self.shape.check(x)?;
        let mut log = Matrix::zeros(x.rows(), 2);
        for i in 0..x.rows() {
            limit::ask_at(i);
            let odds = dot(&self.slopes, x.row(i)) + self.intercept;
            if !odds.is_finite() {
                return Err(StageError::Failed(format!(
                    "scored row {i} has the linear score {odds}; standardise the features"
                )));
            }
            log.set(i, 1, odds);
        }
        self.shape.logits(&log)
    }

    fn linear_head(&self, x: &Matrix) -> StageResult<Option<LinearHead>> {
        linear_head(x, &[&self.slopes], &self.shape)
    }
}

#[cfg(test)]
mod tests {
    use counterweight_core::{LossTerms, Matrix, ParamValue};

    use crate::testing::{fit, normal, rng, train};

    fn l2(value: f64) -> [(&'static str, ParamValue); 1] {
        [("l2", ParamValue::Real(value))]
    }

    /// The log odds at two points: slopes and intercept of one feature.
    fn odds(
        id: &str,
        given: &[(&str, ParamValue)],
        x: &Matrix,
        y: &[u32],
        copies: f64,
    ) -> [f64; 2] {
        let terms = LossTerms {
            weights: vec![copies, 1.0],
            ..LossTerms::cross_entropy(2)
        };
        let terms = if copies > 1.0 {
            terms
        } else {
            LossTerms::cross_entropy(2)
        };
        let fitted = fit(id, given, &train(x, y, 2), &terms);
        let at = Matrix::from_vec(2, 1, vec![0.0, 1.0]).unwrap();
        let scores = fitted.scores(&at);
        let odds = |i: usize| scores.log().at(i, 1) - scores.log().at(i, 0) + copies.ln();
        [odds(0), odds(1)]
    }

    /// Logistic regression comes near it as 1 over the majority's weight (METHODS: Owen's limit).
    #[test]
    fn logistic_regression_goes_there_as_the_common_class_grows() {
        let mut stream = rng(71);
        let n = 400;
        let x = Matrix::from_fn(n + 3, 1, |i, _| {
            normal(&mut stream) + if i < n { 0.0 } else { 1.5 }
        });
        let y: Vec<u32> = (0..n + 3).map(|i| u32::from(i >= n)).collect();
        for penalty in [0.0, 0.7] {
            let limit = odds("exponential-tilt", &l2(penalty), &x, &y, 1.0);
            let gap = |copies: f64| {
                let found = odds("softmax-regression", &l2(penalty), &x, &y, copies);
                (found[0] - limit[0]).abs().max((found[1] - limit[1]).abs())
            };
            let gaps = [1e2, 1e3, 1e4].map(gap);
            for pair in gaps.windows(2) {
                let fall = pair[0] / pair[1];
                assert!((8.0..12.5).contains(&fall), "{penalty}: {gaps:?}");
            }
        }
    }

    #[test]
    fn a_mean_outside_the_hull_is_named_and_a_penalty_mends_it() {
        let x = Matrix::from_vec(5, 1, vec![0.0, 1.0, 2.0, 3.0, 9.0]).unwrap();
        let y = [0, 0, 0, 0, 1];
        let terms = LossTerms::cross_entropy(2);
        assert!(fit("exponential-tilt", &l2(0.0), &train(&x, &y, 2), &terms).degenerate());
        assert!(!fit("exponential-tilt", &l2(0.1), &train(&x, &y, 2), &terms).degenerate());
    }
}
