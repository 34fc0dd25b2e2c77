//! The floor of every table: a model that does not look at the features.
//!
//! `prior` gives the class shares as probabilities, `majority` the largest class with certainty,
//! `uniform` the same probability to every class that has rows.
//!
//! # When it helps, when it hurts
//! As the value that every other learner has to beat: without it a balanced error of .5 may look like
//! something. Under `prior`, decisions act as they would on a model without information: post-hoc logit
//! adjustment at tau = 1 leaves a tie among all classes, which goes to the lowest. It never helps as a model.
//!
//! # Formula
//! ```text
//! prior:    p_k = w_k n_k / sum_l w_l n_l
//! majority: p_k = 1 for the class with the largest w_k n_k (the lowest on a tie), else 0
//! uniform:  p_k = 1 / number of classes with rows
//! ```
//! Balanced error is 1 - 1/K for each of them, whatever the imbalance.
//!
//! # Cost
//! O(n) to count, O(K) to score a row.
//!
//! # Differences
//! From scikit-learn's `DummyClassifier`: its `most_frequent` is called `majority`; its `uniform` and
//! `stratified` draw a random class a row, here `uniform` gives equal probabilities and leaves the class to
//! the decision, so that no number hangs on a seed. Features are checked although they are not used, so
//! that the floor fails where the models above it fail.
//!
//! # Errors
//! Features that are not finite, and margins (not applicable).
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "dummy").unwrap();
//! let params = params::check(entry.card.params, &BTreeMap::new()).unwrap();
//! let learner = (entry.build)(&params).unwrap();
//! # let y = Labels::from_texts(&["0", "0", "0", "1"]);
//! # let samples = Samples::numeric(Matrix::zeros(4, 1), y).unwrap();
//! # let (train, _) = Partition::new(4, (0..4).collect(), vec![]).unwrap().cut_samples(&samples).unwrap();
//! # let shared = Shared::default();
//! # let stream = Seed(1).stage("fit").open();
//! # let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let model = learner.fit(&train, &LossTerms::cross_entropy(2), &mut context).unwrap();
//! let scores = model.scores(&Matrix::zeros(1, 1)).unwrap();
//! assert!((scores.log().at(0, 1).exp() - 0.25).abs() < 1e-15);
//! ```
//!
//! # References
//! Pedregosa et al. (2011), Scikit-learn: machine learning in Python, JMLR 12 (`DummyClassifier`).

use counterweight_core::{
    Fitted, Footprint, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, Params, Prior,
    ScoreKind, StageContext, StageResult, Train, Workload, parameters, words,
};

use crate::shared::constant::Constant;
use crate::shared::footprint::Size;
use crate::shared::task::Task;

const HONOURS: LossNeeds = LossNeeds {
    weights: true,
    row_weights: true,
    ..LossNeeds::NONE
};

pub(crate) const ENTRY: LearnerEntry = LearnerEntry::of::<Dummy>(
    "dummy",
    "looks at no feature: class shares, the largest class, or all classes alike",
    "Pedregosa et al. 2011, JMLR 12",
    LearnerCaps {
        remark: "the floor: balanced error 1 - 1/K; `uniform` does not react to class weights",
        footprint: |_, work| {
            let size = Size::of(work);
            Footprint {
                model: 0.0,
                work: (12.0 * size.n).max(size.scores() / 2.0),
            }
        },
        ..LearnerCaps::new("own", HONOURS, cost)
    },
);

fn cost(_: &Params, work: &Workload) -> f64 {
    1e-6 + work.n_train as f64 * (2e-9 + work.n_features as f64 * 1e-9)
        + (work.n_score * work.n_classes) as f64 * 2e-9
}

words! {
    /// The constant scores.
    pub enum Strategy {
        /// All for the largest class.
        Majority = "majority",
        /// The class shares.
        Prior = "prior",
        /// Equal probabilities.
        Uniform = "uniform",
    }
}

parameters! {
    /// Checked parameters.
    pub struct Dummy {
        /// the constant scores: the largest class, the class shares, or equal probabilities
        strategy: Strategy = "prior";
    }
}

impl Learner for Dummy {
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
        let mut mass = vec![0.0; task.n_classes];
        for (&class, m) in task.present.iter().zip(task.mass()) {
            mass[class] = match self.strategy {
                Strategy::Uniform => 1.0,
                Strategy::Majority | Strategy::Prior => m,
            };
        }
        let (k, d) = (task.n_classes, task.n_features());
        Ok(Box::new(if self.strategy == Strategy::Majority {
            let largest = (1..k).fold(0, |best, c| if mass[c] > mass[best] { c } else { best });
            Constant::certain(largest, k, d, ScoreKind::Probability)
        } else {
            Constant::prior(&Prior::from_weights(mass)?, d, ScoreKind::Probability)
        }))
    }
}

#[cfg(test)]
mod tests {
    use counterweight_core::{LossTerms, Matrix, ParamValue};

    use crate::testing::{fit, train, weighted};

    fn p(strategy: &str, y: &[u32], terms: &LossTerms) -> Vec<f64> {
        let x = Matrix::zeros(y.len(), 1);
        let given = [("strategy", ParamValue::Text(strategy.into()))];
        let fit = fit("dummy", &given, &train(&x, y, terms.n_classes()), terms);
        assert!(fit.notes.is_empty());
        let scores = fit.scores(&Matrix::zeros(1, 1));
        scores.log().row(0).iter().map(|s| s.exp()).collect()
    }

    #[test]
    fn each_strategy_gives_its_constant() {
        let y = [0, 0, 2, 2, 2, 2, 3, 3];
        let plain = LossTerms::cross_entropy(4);
        let near = |found: Vec<f64>, expected: [f64; 4]| {
            for (a, b) in found.iter().zip(expected) {
                assert!((a - b).abs() < 1e-15, "{found:?}");
            }
        };
        near(p("prior", &y, &plain), [0.25, 0.0, 0.5, 0.25]);
        near(p("majority", &y, &plain), [0.0, 0.0, 1.0, 0.0]);
        near(
            p("uniform", &y, &plain),
            [1.0 / 3.0, 0.0, 1.0 / 3.0, 1.0 / 3.0],
        );
        // A tie goes to the lowest class; weights move the shares and with them the majority.
        near(
            p("majority", &y, &weighted(&[2.0, 1.0, 1.0, 1.0])),
            [1.0, 0.0, 0.0, 0.0],
        );
        near(
            p("prior", &y, &weighted(&[3.0, 1.0, 1.0, 1.0])),
            [0.5, 0.0, 1.0 / 3.0, 1.0 / 6.0],
        );
        near(
            p("uniform", &y, &weighted(&[3.0, 1.0, 1.0, 0.0])),
            [0.5, 0.0, 0.5, 0.0],
        );
    }
}
