//! Linear discriminant analysis: normal classes that share one covariance.
//!
//! The pooled within-class covariance is factored by eigenvalues of its correlation form; directions
//! without variance are left out, so that equal columns and more features than rows are no failure.
//!
//! # When it helps, when it hurts
//! With few rows a class and roughly elliptical classes: it has no iterations, borrows the majority's
//! rows for the covariance of the minority, and its slopes do not depend on the priors at all, so that imbalance enters
//! through the intercept alone. It hurts where covariances differ (`qda`), and where d is near n
//! without `shrinkage`.
//!
//! # Formula
//! ```text
//! S = (1/n) sum_k sum_{i in k} (x_i - m_k)(x_i - m_k)'        rows count alike, whatever their weight
//! S_s = (1 - shrinkage) S + shrinkage (tr S / d) I
//! s_k(x) = log pi_k - 1/2 (x - m_k)' S_s^+ (x - m_k),   p = softmax(s)
//! pi_k proportional to w_k n_k (`empirical`), w_k (`uniform`) or w_k priors_k
//! ```
//! S^+ is the pseudo-inverse: eigenvalues of the correlation form up to 1e-8 count as 0. Hence class
//! weights are a change of priors and nothing else, and post-hoc logit adjustment at tau = 1 equals
//! uniform priors.
//!
//! # Cost
//! O(n d^2 + d^3) to fit (some ten sweeps of rotations), with fewer rows than features O(n^2 d + n^3); O(K d) to
//! score a row, O(n d) memory and the square of the smaller of n and d.
//!
//! # Differences
//! From scikit-learn's `svd` solver (its default; `lsqr` with `shrinkage`): the same numbers. There
//! directions between the class means below 1e-4 of the largest are dropped too, here they count. As
//! many rows as classes, and features that do not vary within any class, are errors there; here the
//! model then knows the class shares alone and is marked degenerate. No automatic (Ledoit-Wolf) shrinkage.
//!
//! # Errors
//! Features that are not finite or whose squares overflow, margins (not applicable), another number of
//! `priors` than classes, and rows to be scored whose scores overflow.
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "lda").unwrap();
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
//! Fisher (1936), The use of multiple measurements in taxonomic problems, Annals of Eugenics 7(2).
//! Hastie, Tibshirani, Friedman (2009), The Elements of Statistical Learning, 4.3. Friedman (1989), Regularized
//! discriminant analysis, JASA 84(405).

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

/// Singular values of the scaled rows up to this count as 0 (scikit-learn's `tol`); eigenvalues are
/// their squares.
const RANK_TOLERANCE: f64 = 1e-4;

pub(crate) const ENTRY: LearnerEntry = LearnerEntry::of::<Lda>(
    "lda",
    "linear discriminant analysis; class weights act on the priors alone",
    "Fisher 1936, Annals of Eugenics 7(2)",
    LearnerCaps {
        remark: "class weights are a change of priors; the pooled covariance is not reweighted",
        footprint: |_, work| {
            let size = Size::of(work);
            let least = size.d.min(size.n);
            let factors = 8.0 * least * (2.0 * least + size.d);
            size.footprint(0.0, 2.0 * size.rows() + 12.0 * size.n + factors)
        },
        ..LearnerCaps::new("own", HONOURS, cost)
    },
);

fn cost(_: &Params, work: &Workload) -> f64 {
    let d = work.n_features as f64;
    let scored = (work.n_score * work.n_classes) as f64;
    1e-5 + work.n_train as f64 * d * (3e-9 + d * 2e-10)
        + d * d * d * 3e-8
        + scored * (d * 5e-10 + 1e-8)
}

parameters! {
    /// Checked parameters.
    pub struct Lda {
        /// class priors of the model, which class weights multiply
        priors: Priors = "empirical";
        /// share of a multiple of the identity in the covariance; left out: 0
        shrinkage: f64, in Range::new(0.0, true, 1.0, true);
    }
}

impl Learner for Lda {
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
        let whitening = self.whitening(&centred);
        let rank = if whitening.rest > 0.0 {
            centred.rows.cols()
        } else {
            whitening.weights.len()
        };
        context.detail("rank", rank as f64);
        if rank == 0 {
            let why = "no feature varies within a class";
            let constant = task.shares_only(why, ScoreKind::Probability, context)?;
            return Ok(Box::new(constant));
        }
        // Scores relative to the mean of the class means: s_k = log pi_k - |W (m_k - c)|^2 / 2
        // + (W'W (m_k - c)) . (x - c), where W'W is the inverse of the covariance.
        let (m, d) = (task.n_present(), task.n_features());
        let mut centre = vec![0.0; d];
        for mean in centred.means.iter_rows() {
            for (c, x) in centre.iter_mut().zip(mean) {
                *c += x / m as f64;
            }
        }
        let mut slopes = Matrix::zeros(m, d);
        let mut intercepts = log_priors;
        for (k, intercept) in intercepts.iter_mut().enumerate() {
            let mean = centred.means.row(k).iter().zip(&centre);
            let gap: Vec<f64> = mean.map(|(x, c)| x - c).collect();
            let mut rest = gap.clone();
            limit::ask();
            for (direction, weight) in whitening.directions.iter_rows().zip(&whitening.weights) {
                let along = dot(direction, &gap);
                *intercept -= 0.5 * along * along * weight;
                add_scaled(slopes.row_mut(k), along * weight, direction);
                if whitening.rest > 0.0 {
                    add_scaled(&mut rest, -along, direction);
                }
            }
            if whitening.rest > 0.0 {
                *intercept -= 0.5 * whitening.rest * dot(&rest, &rest);
                add_scaled(slopes.row_mut(k), whitening.rest, &rest);
            }
        }
        for (c, x) in centre.iter_mut().zip(&centred.origin) {
            *c += x;
        }
        Ok(Box::new(Model {
            centre,
            slopes,
            intercepts,
            shape: task.shape(),
        }))
    }
}

/// The pseudo-inverse of the covariance.
struct Whitening {
    /// One row a direction with variance.
    directions: Matrix,
    /// What each counts.
    weights: Vec<f64>,
    /// What everything at right angles to them counts; then they are unit vectors.
    rest: f64,
}

impl Lda {
    fn whitening(&self, centred: &Centred) -> Whitening {
        let shrinkage = self.shrinkage.unwrap_or(0.0);
        let d = centred.rows.cols();
        let variances = centred.variances();
        let ridge = shrinkage * variances.iter().sum::<f64>() / d.max(1) as f64;
        let scales: Vec<f64> = variances
            .iter()
            .map(|v| ((1.0 - shrinkage) * v + ridge).sqrt())
            .map(|s| if s > 0.0 { s } else { 1.0 })
            .collect();
        let n = centred.rows.rows();
        // A column of mere rounding error is no direction.
        let scaled = Matrix::from_fn(n, d, |i, j| {
            if variances[j] > 0.0 {
                centred.root(i) * centred.rows.at(i, j) / scales[j]
            } else {
                0.0
            }
        });
        let share = (1.0 - shrinkage) / centred.mass;
        let least = RANK_TOLERANCE * RANK_TOLERANCE;
        let largest = scales.iter().copied().fold(0.0, f64::max);
        if n < d && ridge > least * largest * largest {
            // The ridge is the same in every direction of the features as they are.
            let own = |i, j| {
                if variances[j] > 0.0 {
                    centred.root(i) * centred.rows.at(i, j)
                } else {
                    0.0
                }
            };
            let Thin { values, directions } = Thin::new(share, &Matrix::from_fn(n, d, own));
            return Whitening {
                directions,
                weights: values.iter().map(|v| 1.0 / (v + ridge)).collect(),
                rest: 1.0 / ridge,
            };
        }
        let scaled_by = |values: &[f64], vectors: &[f64]| {
            let rank = values.iter().take_while(|v| **v > least).count();
            Whitening {
                directions: Matrix::from_fn(rank, d, |r, j| {
                    vectors[r * d + j] / (scales[j] * values[r].sqrt())
                }),
                weights: vec![1.0; rank],
                rest: 0.0,
            }
        };
        if n < d {
            let Thin { values, directions } = Thin::new(share, &scaled);
            return scaled_by(&values, directions.as_slice());
        }
        let mut correlation = vec![0.0; d * d];
        let rows = view(n, d, scaled.as_slice());
        gram(share, &rows, &mut correlation);
        for (j, scale) in scales.iter().enumerate() {
            correlation[j * d + j] += ridge / (scale * scale);
        }
        let eigen = Eigen::symmetric(d, correlation);
        scaled_by(&eigen.values, &eigen.vectors)
    }
}

/// Linear scores around a centre.
#[derive(Debug)]
struct Model {
    centre: Vec<f64>,
    slopes: Matrix,
    intercepts: Vec<f64>,
    shape: Shape,
}

impl Fitted for Model {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        self.shape.check(x)?;
        let mut log = Matrix::zeros(x.rows(), self.shape.present.len());
        for i in 0..x.rows() {
            limit::ask_at(i);
            let row = x.row(i).iter().zip(&self.centre);
            let gap: Vec<f64> = row.map(|(x, c)| x - c).collect();
            for (k, s) in log.row_mut(i).iter_mut().enumerate() {
                *s = self.intercepts[k] + dot(self.slopes.row(k), &gap);
            }
            if log.row(i).iter().any(|s| !s.is_finite()) {
                return Err(StageError::Failed(format!(
                    "linear scores of scored row {i} overflow; standardise the features"
                )));
            }
        }
        self.shape.logits(&log)
    }
}

#[cfg(test)]
mod tests {
    use counterweight_core::{LossTerms, Matrix, ParamValue};

    use crate::testing::{blobs, fit, gap, train};

    #[test]
    fn scores_do_not_see_the_scale_or_the_place_of_features() {
        let (x, y) = blobs(40, &[40, 15], 3);
        let moved = Matrix::from_fn(x.rows(), 3, |i, j| {
            x.at(i, j) * [1e-6, 1.0, 1e5][j] + [1e-3, 300.0, -1e6][j]
        });
        let terms = LossTerms::cross_entropy(2);
        let before = fit("lda", &[], &train(&x, &y, 2), &terms).scores(&x);
        let after = fit("lda", &[], &train(&moved, &y, 2), &terms).scores(&moved);
        assert!(gap(&before, &after) < 1e-9);
    }

    #[test]
    fn a_repeated_column_changes_nothing_and_lowers_no_rank() {
        let (x, y) = blobs(41, &[40, 15], 3);
        let twin = Matrix::from_fn(x.rows(), 4, |i, j| x.at(i, j % 3));
        let terms = LossTerms::cross_entropy(2);
        let plain = fit("lda", &[], &train(&x, &y, 2), &terms);
        let doubled = fit("lda", &[], &train(&twin, &y, 2), &terms);
        assert!((plain.details["rank"] - 3.0).abs() < 0.5);
        assert!((doubled.details["rank"] - 3.0).abs() < 0.5);
        assert!(gap(&plain.scores(&x), &doubled.scores(&twin)) < 1e-10);
    }

    #[test]
    fn full_shrinkage_is_the_nearest_mean_in_units_of_the_mean_variance() {
        let (x, y) = blobs(42, &[30, 30], 2);
        let given = [("shrinkage", ParamValue::Real(1.0))];
        let terms = LossTerms::cross_entropy(2);
        let scores = fit("lda", &given, &train(&x, &y, 2), &terms).scores(&x);
        let mean = |k: u32, j: usize| {
            (0..60)
                .filter(|&i| y[i] == k)
                .map(|i| x.at(i, j))
                .sum::<f64>()
                / 30.0
        };
        let spread: f64 = (0..60)
            .map(|i| {
                (0..2)
                    .map(|j| (x.at(i, j) - mean(y[i], j)).powi(2))
                    .sum::<f64>()
            })
            .sum::<f64>()
            / 120.0;
        for i in 0..60 {
            let far = |k: u32| {
                (0..2)
                    .map(|j| (x.at(i, j) - mean(k, j)).powi(2))
                    .sum::<f64>()
            };
            let expected = (far(0) - far(1)) / (2.0 * spread);
            let found = scores.log().at(i, 1) - scores.log().at(i, 0);
            assert!((found - expected).abs() < 1e-10 * (1.0 + expected.abs()));
        }
    }
}
