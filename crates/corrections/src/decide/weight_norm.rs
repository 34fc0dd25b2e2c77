//! Weight normalisation of a linear head: each class's score divided by a power of its vector's norm,
//! or of its prior, without bias.
//!
//! # When it helps, when it hurts
//!
//! A linear head learnt on imbalanced rows gives large classes long vectors; dividing by the norms
//! takes that advantage back without a prior, and tau lets it be partial. It drops the bias, which for
//! a linear model on standardised features carries much of what is known: on tabular data it often
//! loses to `logit-adjust`, and a sweep can show by how much.
//!
//! # Formula
//!
//! `argmax_k (w_k . x) / nu_k^tau`, a tie going to the rarest, with `nu_k = ||w_k||` (`nu = "norm"`,
//! Kang) or `nu_k = pi_k` (`nu = "prior"`, Ye; Kim and Kim), pi the training prior. Metrics of
//! probabilities judge the softmax of these scores, which has no prior of its own.
//!
//! # Cost
//!
//! O(K) a row beside the d K of the scores.
//!
//! # Differences
//!
//! Kang normalises the last layer of a network, whose features are not negative; so does this on the
//! `mlp`, while on linear models the features are the learner's own columns. Kim and Kim scale towards
//! the head's mean norm, which only a factor common to all classes tells apart. A class whose vector is
//! 0 keeps the score 0. scikit-learn has no such rule. Without a penalty the vectors of a softmax are
//! known up to a common vector; they are taken as the solver leaves them, which from a zero start is
//! with mean 0.
//!
//! # Errors
//!
//! [`StageError::NotApplicable`] for models without a linear head of one vector a class: where two classes share
//! one, its norm is one number (`softmax-regression` with `two_vectors = true` has two).
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     ClassCounts, DecideContext, Extras, LinearHead, Matrix, Scores, find, params,
//! };
//! let entry = find(counterweight_corrections::decide::ALL, "weight-norm").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let train = ClassCounts::new(vec![80, 15, 5]);
//! let context = DecideContext { scores_prior: None, train: &train };
//! let raw = Scores::log_probabilities(Matrix::from_vec(1, 3, vec![3.0, 2.0, -1.0])?)?;
//! let head = LinearHead { scores: raw.clone(), norms: vec![3.0, 1.0, 1.0] };
//! let extras = Extras { head: Some(&head), ..Extras::default() };
//! let fitted = (entry.build)(&params)?.fit_with(&context, None, &extras)?;
//! assert_eq!(fitted.rule.decide(&raw)?.as_slice(), [1]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! B. Kang et al., "Decoupling representation and classifier for long-tailed recognition", ICLR 2020.
//! B. Kim and J. Kim, "Adjusting decision boundary for class imbalanced learning", IEEE Access 8,
//! 2020. H.-J. Ye, H.-Y. Chen, D.-C. Zhan and W.-L. Chao, "Identifying and compensating for feature
//! deviation in imbalanced deep learning", 2020.

use counterweight_core::scores::argmax_row;
use counterweight_core::{
    Calib, DecideContext, Decision, DecisionEntry, DecisionNeeds, Decisions, Details, Extras,
    FittedRule, Matrix, Rescored, Rule, RuleCaps, ScoreSize, Scores, StageError, StageResult, Ties,
    parameters, words,
};

words! {
    /// What the scores are divided by.
    pub enum Divisor {
        /// The norm of the class's vector.
        Norm = "norm",
        /// The prior of the class.
        Prior = "prior",
    }
}

parameters! {
    /// Weight normalisation, checked.
    pub struct WeightNorm {
        /// power of nu
        tau: f64 = 1.0, probe [0.5];
        /// what the scores are divided by
        nu: Divisor = "norm";
    }
}

impl Decision for WeightNorm {
    fn takes(&self, size: &ScoreSize) -> f64 {
        size.scores() + size.decided()
    }

    fn needs(&self) -> DecisionNeeds {
        DecisionNeeds {
            probabilities: true,
            linear_head: true,
            ..DecisionNeeds::default()
        }
    }

    fn fit(&self, context: &DecideContext<'_>, calib: Option<&Calib>) -> StageResult<FittedRule> {
        self.fit_with(context, calib, &Extras::default())
    }

    fn fit_with(
        &self,
        context: &DecideContext<'_>,
        _calib: Option<&Calib>,
        extras: &Extras<'_>,
    ) -> StageResult<FittedRule> {
        let none = || {
            StageError::NotApplicable(
                "`weight-norm` needs a linear head with one vector a class, and this model has none"
                    .into(),
            )
        };
        let head = extras.head.ok_or_else(none)?;
        let known = context.train.as_slice().iter().zip(&head.norms);
        let known: Vec<f64> =
            (known.filter(|(rows, _)| **rows > 0).map(|(_, norm)| *norm)).collect();
        if matches!(*known, [a, b] if a <= 0.0 || b <= 0.0) {
            return Err(none());
        }
        let prior = context.train_prior()?;
        let by_prior = self.nu == Divisor::Prior;
        let nu = if by_prior {
            prior.as_slice()
        } else {
            &head.norms[..]
        };
        let mut details = Details::new();
        let mut factors = Vec::with_capacity(nu.len());
        for (k, &nu) in nu.iter().enumerate() {
            // 0 to a power is no factor; such a class has the score 0 or is unknown.
            let factor = if nu > 0.0 { nu.powf(-self.tau) } else { 1.0 };
            if !factor.is_finite() {
                return Err(StageError::Failed(format!(
                    "nu = {nu} to the power -{} overflows; use a smaller `tau`",
                    self.tau
                )));
            }
            factors.push(factor);
            if !by_prior {
                details.insert(format!("norm[{k}]"), nu);
            }
        }
        Ok(FittedRule {
            rule: Box::new(Scaled {
                factors,
                ties: context.train.ties().clone(),
            }),
            details,
            notes: Vec::new(),
        })
    }
}

#[derive(Clone, Debug)]
struct Scaled {
    factors: Vec<f64>,
    ties: Ties,
}

impl Scaled {
    fn scaled(&self, scores: &Scores) -> StageResult<Matrix> {
        if scores.n_classes() != self.factors.len() {
            return Err(StageError::Failed(format!(
                "the scores have {} classes, the rule {}",
                scores.n_classes(),
                self.factors.len()
            )));
        }
        let log = scores.log();
        Ok(Matrix::from_fn(log.rows(), log.cols(), |i, k| {
            log.at(i, k) * self.factors[k]
        }))
    }
}

impl Rule for Scaled {
    fn decide(&self, scores: &Scores) -> StageResult<Decisions> {
        let scaled = self.scaled(scores)?;
        let none = vec![0.0; scaled.cols()];
        let decided = scaled
            .iter_rows()
            .map(|row| argmax_row(row, &none, &self.ties));
        Ok(Decisions::new(decided.collect()))
    }

    fn rescore(&self, scores: &Scores) -> StageResult<Option<Rescored>> {
        Ok(Some(Rescored {
            scores: Scores::logits(self.scaled(scores)?)?,
            prior: None,
        }))
    }
}

/// The registry entry.
pub(crate) const ENTRY: DecisionEntry = DecisionEntry::of::<WeightNorm>(
    "weight-norm",
    "a linear head's scores divided by a power of the vectors' norms, or of the prior",
    "Kang et al. 2020; Kim & Kim 2020; Ye et al. 2020",
    RuleCaps::MARGIN,
);
