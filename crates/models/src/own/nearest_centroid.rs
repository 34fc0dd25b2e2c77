//! Nearest centroid: the class whose mean is nearest, in units of the pooled standard deviations.
//!
//! That is discriminant analysis with one diagonal covariance for all classes, which gives the distances
//! a probability; `shrink_threshold` moves centroids towards the overall mean feature by feature
//! (nearest shrunken centroids).
//!
//! # When it helps, when it hurts
//! As the simplest model with a geometry: a mean is estimated well from few rows, so a rare class is
//! hardly worse off than a frequent one, and imbalance enters through the priors alone (with `priors =
//! "uniform"` not at all). It hurts where classes are not round blobs, and its probabilities count
//! correlated features twice.
//!
//! # Formula
//! ```text
//! v_j = sum_k sum_{i in k} (x_ij - m_kj)^2 / (n - K)      rows count alike, whatever their weight
//! s_k(x) = log pi_k - 1/2 sum_j (x_j - c_kj)^2 / v_j,   p = softmax(s)
//! d_kj = (m_kj - m_j) / (sqrt(1/n_k - 1/n) (sqrt v_j + median sqrt v))
//! c_kj = m_kj, or with `shrink_threshold` t:  m_j + (m_kj - m_j) max(|d_kj| - t, 0) / |d_kj|
//! pi_k proportional to w_k n_k (`empirical`), w_k (`uniform`) or w_k priors_k
//! ```
//! A feature that does not vary within any class is taken in its own unit (variance 1).
//!
//! # Cost
//! O(n d) to fit, O(K d) to score a row, O(n d) memory.
//!
//! # Differences
//! From scikit-learn 1.9: its `predict_proba` is softmax(2 s), twice as sharp as the model that it states
//! (Hastie et al. 18.2 has the scores at twice the logarithm; the factor 1/2 is left out); here s itself,
//! so that log-odds are those of the normal model and a prior acts as a prior. Its `predict` under uniform priors (its
//! default) measures raw distances and may differ from its own probabilities; here there is one
//! measure. Priors are `empirical` by default, as everything after the fit expects. Shrinking leaves a coordinate
//! alone whose standard error is 0 (there: NaN). No Manhattan metric, which has no probabilities there either.
//!
//! # Errors
//! Features that are not finite or whose squares overflow, margins (not applicable), another number of
//! `priors` than classes, and rows to be scored beyond the range of squares.
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "nearest-centroid").unwrap();
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
//! Tibshirani, Hastie, Narasimhan, Chu (2002), Diagnosis of multiple cancer types by shrunken
//! centroids of gene expression, PNAS 99(10). Hastie, Tibshirani, Friedman (2009), The Elements of
//! Statistical Learning, 18.2.

use counterweight_core::{
    Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, Matrix, Params, Range,
    ScoreKind, Scores, StageContext, StageError, StageResult, Train, Workload, limit, parameters,
};

use crate::shared::centred::Centred;
use crate::shared::footprint::Size;
use crate::shared::priors::Priors;
use counterweight_numeric::order::median;

use crate::shared::task::{Shape, Task};

const HONOURS: LossNeeds = LossNeeds {
    weights: true,
    row_weights: true,
    ..LossNeeds::NONE
};

pub(crate) const ENTRY: LearnerEntry = LearnerEntry::of::<NearestCentroid>(
    "nearest-centroid",
    "nearest (shrunken) class mean in pooled standard deviations",
    "Tibshirani et al. 2002, PNAS 99(10)",
    LearnerCaps {
        remark: "class weights are a change of priors; the pooled variances are not reweighted",
        footprint: |_, work| {
            let size = Size::of(work);
            size.footprint(0.0, size.rows() + 4.0 * size.n)
        },
        ..LearnerCaps::new("own", HONOURS, cost)
    },
);

fn cost(_: &Params, work: &Workload) -> f64 {
    let d = work.n_features as f64;
    let scored = (work.n_score * work.n_classes) as f64;
    1e-5 + work.n_train as f64 * d * 4e-9 + scored * (d * 1.5e-9 + 1e-8)
}

parameters! {
    /// Checked parameters.
    pub struct NearestCentroid {
        /// class priors of the model, which class weights multiply
        priors: Priors = "empirical";
        /// standard errors by which centroids move to the overall mean; left out: none
        shrink_threshold: f64, in Range::POSITIVE;
    }
}

impl Learner for NearestCentroid {
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
        let mut centred = Centred::new(&task)?;
        let (n, m) = (task.n_rows() as f64, task.n_present() as f64);
        // As many rows as classes: nothing varies within a class.
        let freed = if n > m { n / (n - m) } else { 0.0 };
        let variances: Vec<f64> = centred.variances().iter().map(|v| v * freed).collect();
        if let Some(threshold) = self.shrink_threshold {
            let moved = shrink(&mut centred.means, task.masses(), &variances, threshold);
            context.detail("coordinates_shrunk_away", moved);
        }
        let first = centred.means.row(0).to_vec();
        let alike = |row: &[f64]| row.iter().zip(&first).all(|(a, b)| (a - b).abs() <= 0.0);
        if centred.means.iter_rows().all(alike) {
            let why = "all centroids are the same point";
            // The priors of the model are still what the model has, weights included.
            if self.priors == Priors::Empirical {
                let constant = task.shares_only(why, ScoreKind::Probability, context)?;
                return Ok(Box::new(constant));
            }
            context.note(counterweight_core::Note::Degenerate(format!(
                "{why}; the model knows its priors alone"
            )));
        }
        for k in 0..task.n_present() {
            for (c, o) in centred.means.row_mut(k).iter_mut().zip(&centred.origin) {
                *c += o;
            }
        }
        Ok(Box::new(Model {
            centroids: centred.means,
            variances: variances
                .into_iter()
                .map(|v| if v > 0.0 { v } else { 1.0 })
                .collect(),
            log_priors,
            shape: task.shape(),
        }))
    }
}

/// Moves the means towards the overall mean of the rows; returns how many coordinates arrive there.
fn shrink(means: &mut Matrix, masses: &[f64], variances: &[f64], threshold: f64) -> f64 {
    let n: f64 = masses.iter().sum();
    let mut overall = vec![0.0; means.cols()];
    for (mean, mass) in means.iter_rows().zip(masses) {
        for (o, m) in overall.iter_mut().zip(mean) {
            *o += m * (mass / n);
        }
    }
    let deviations: Vec<f64> = variances.iter().map(|v| v.sqrt()).collect();
    let middle = median(&deviations).unwrap_or(0.0);
    let mut arrived = 0.0;
    for (k, mass) in masses.iter().enumerate() {
        let share = (1.0 / mass - 1.0 / n).sqrt();
        for (j, m) in means.row_mut(k).iter_mut().enumerate() {
            let error = share * (deviations[j] + middle);
            if error > 0.0 {
                let gap = *m - overall[j];
                let kept = (gap.abs() - threshold * error).max(0.0);
                *m = overall[j] + kept.copysign(gap);
                arrived += f64::from(u8::from(kept <= 0.0));
            }
        }
    }
    arrived
}

#[derive(Debug)]
struct Model {
    /// One row a present class.
    centroids: Matrix,
    /// By feature, above 0.
    variances: Vec<f64>,
    log_priors: Vec<f64>,
    shape: Shape,
}

impl Fitted for Model {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        self.shape.check(x)?;
        let mut log = Matrix::zeros(x.rows(), self.shape.present.len());
        for i in 0..x.rows() {
            limit::ask_at(i);
            for (k, s) in log.row_mut(i).iter_mut().enumerate() {
                let centre = self.centroids.row(k).iter().zip(&self.variances);
                let row = x.row(i).iter().zip(centre);
                let squares: f64 = row.map(|(x, (c, v))| (x - c) * ((x - c) / v)).sum();
                *s = self.log_priors[k] - 0.5 * squares;
            }
            if !log.row(i).iter().any(|s| s.is_finite()) {
                return Err(StageError::Failed(format!(
                    "scored row {i} is so far from every centroid that squared distances overflow; \
                     standardise the features"
                )));
            }
        }
        self.shape.logits(&log)
    }
}

#[cfg(test)]
mod tests {
    use counterweight_core::{LossTerms, ParamValue};

    use crate::testing::{blobs, fit, train};

    #[test]
    fn a_large_threshold_leaves_the_priors_alone_and_says_so() {
        let (x, y) = blobs(60, &[30, 10], 3);
        let given = [("shrink_threshold", ParamValue::Real(1e6))];
        let terms = LossTerms::cross_entropy(2);
        let fit = fit("nearest-centroid", &given, &train(&x, &y, 2), &terms);
        assert!(fit.degenerate());
        assert!((fit.details["coordinates_shrunk_away"] - 6.0).abs() < 0.5);
        for row in fit.scores(&x).log().iter_rows() {
            assert!((row[1].exp() - 0.25).abs() < 1e-12);
        }
    }
}
