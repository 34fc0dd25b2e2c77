//! Saerens' EM: estimates the class shares of the unlabelled test batch from its scores, and decides
//! under them. Transductive.
//!
//! # When it helps, when it hurts
//!
//! When the test rows come in other proportions than the training rows and nobody knows which. It
//! needs calibrated probabilities, a batch that is large beside its rarest class, and a shift of the
//! class shares only. On test rows that come like the training rows it finds the training prior and
//! changes little; it aims at accuracy on the batch at hand, not at balanced error. On the balanced
//! test rows of a population it finds balanced shares, which a user would not have: read it as what the
//! batch gives away.
//!
//! # Formula
//!
//! Start at `t = prior` of the scores; repeat `q_iy = p_iy t_y / prior_y` (scaled to sum to 1 in each
//! row), `t_y = mean_i q_iy`, until no t changes by more than `tolerance`. Then the largest of
//! `p_y t_y / prior_y`. Each round raises the likelihood of the batch, which is concave in t. Metrics of probabilities judge
//! the scores as they are.
//!
//! # Cost
//!
//! O(n K) a round for n test rows; near the edge of the simplex EM takes thousands of rounds.
//!
//! # Differences
//!
//! As the paper's, started at the scores' own prior instead of the training prior, so that it is right
//! after resampling, weighting and offsets as well. A class without prior keeps share 0. scikit-learn
//! has no such rule.
//!
//! # Errors
//!
//! [`StageError::NotApplicable`] for votes and for scores without a prior of their own;
//! [`StageError::Failed`] without a test batch.
//!
//! Details: `transductive` (1), `target_prior[k]` for class number k, `em_rounds`, `em_change`.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     ClassCounts, DecideContext, Extras, Matrix, Scores, TestScores, find, params,
//! };
//! let entry = find(counterweight_corrections::decide::ALL, "saerens-em").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let train = ClassCounts::new(vec![90, 10]);
//! let own = train.prior();
//! let context = DecideContext { scores_prior: own.as_ref(), train: &train };
//! // Half of the batch looks like class 1, which was rare in training.
//! let p = vec![0.99, 0.01, 0.99, 0.01, 0.3, 0.7, 0.3, 0.7];
//! let scores = Scores::probabilities(Matrix::from_vec(4, 2, p)?)?;
//! let extras = Extras { batch: Some(TestScores::new(&scores)), ..Extras::default() };
//! let fitted = (entry.build)(&params)?.fit_with(&context, None, &extras)?;
//! assert!(fitted.details["target_prior[1]"] > 0.45);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! M. Saerens, P. Latinne and C. Decaestecker, "Adjusting the outputs of a classifier to new a priori
//! probabilities: a simple procedure", Neural Computation 14, 2002.

use counterweight_core::{
    Calib, DecideContext, Decision, DecisionEntry, DecisionNeeds, Details, Extras, FittedRule,
    Note, Prior, Range, RuleCaps, ScoreKind, ScoreSize, StageError, StageResult, TestScores, limit,
    parameters,
};

use super::prior_shift::Shifted;

/// The estimate's stopping rule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop {
    pub(crate) tolerance: f64,
    pub(crate) rounds: usize,
}

impl Stop {
    /// The defaults of the parameters.
    pub(crate) const DEFAULT: Self = Self {
        tolerance: 1e-8,
        rounds: 10_000,
    };
}

/// An estimated prior of a batch.
#[derive(Clone, Debug)]
pub(crate) struct Estimate {
    pub(crate) prior: Prior,
    pub(crate) rounds: usize,
    pub(crate) change: f64,
}

impl Estimate {
    /// Its numbers for details.parquet, and a note when it did not settle.
    pub(crate) fn report(&self, stop: Stop) -> (Details, Vec<Note>) {
        let mut details = Details::from([
            ("transductive".to_owned(), 1.0),
            ("em_rounds".to_owned(), self.rounds as f64),
            ("em_change".to_owned(), self.change),
        ]);
        details.extend(shares(&self.prior));
        let note = Note::Remark(format!(
            "the estimate of the test prior still moved by {:.1e} after {} rounds",
            self.change, self.rounds
        ));
        let settled = self.change <= stop.tolerance;
        (details, if settled { Vec::new() } else { vec![note] })
    }
}

/// `target_prior[k]` for each class.
pub(crate) fn shares(prior: &Prior) -> impl Iterator<Item = (String, f64)> {
    let shares = prior.as_slice().iter().copied().enumerate();
    shares.map(|(k, p)| (format!("target_prior[{k}]"), p))
}

/// The prior of the batch by EM, from scores with the prior `own`.
///
/// # Errors
/// [`StageError::NotApplicable`] for votes; [`StageError::Failed`] without rows, or when a row has
/// probability only where the prior has none.
pub(crate) fn estimate(batch: TestScores<'_>, own: &Prior, stop: Stop) -> StageResult<Estimate> {
    let scores = batch.scores();
    if scores.kind() == ScoreKind::Vote {
        return Err(StageError::NotApplicable(
            "votes say nothing of the test prior: use a learner that gives probabilities".into(),
        ));
    }
    let (n, k) = (scores.n_rows(), scores.n_classes());
    if n == 0 || k != own.n_classes() {
        return Err(StageError::Failed(format!(
            "no test prior from {n} rows of {k} classes and a prior of {}",
            own.n_classes()
        )));
    }
    // p / prior once, each row scaled by its largest so that nothing underflows as a whole.
    let mut ratio = vec![0.0; n * k];
    for (i, (to, row)) in ratio
        .chunks_exact_mut(k)
        .zip(scores.log().iter_rows())
        .enumerate()
    {
        let mut largest = f64::NEG_INFINITY;
        for ((to, &s), &p) in to.iter_mut().zip(row).zip(own.as_slice()) {
            *to = if p > 0.0 {
                s - p.ln()
            } else {
                f64::NEG_INFINITY
            };
            largest = largest.max(*to);
        }
        if !largest.is_finite() {
            return Err(StageError::Failed(format!(
                "test row {i} has probability only for classes without prior"
            )));
        }
        for value in to {
            *value = (*value - largest).exp();
        }
    }
    let mut prior = own.as_slice().to_vec();
    let mut estimate = Estimate {
        prior: own.clone(),
        rounds: 0,
        change: f64::INFINITY,
    };
    let mut mean = vec![0.0; k];
    while estimate.rounds < stop.rounds && estimate.change > stop.tolerance {
        mean.fill(0.0);
        for (at, row) in ratio.chunks_exact(k).enumerate() {
            limit::ask_at(at);
            let own = batch.weights().map_or(1.0, |weights| weights[at]);
            let total: f64 = row.iter().zip(&prior).map(|(r, t)| r * t).sum();
            // Every share stays above 0 while a row has mass there, so the sum is only 0 when all
            // of a row's ratios are lost to underflow beside its largest, whose share fell to 0.
            if total > 0.0 {
                for ((m, r), t) in mean.iter_mut().zip(row).zip(&prior) {
                    *m += own * (r * t / total);
                }
            } else {
                for (m, t) in mean.iter_mut().zip(&prior) {
                    *m += own * t;
                }
            }
        }
        let total: f64 = mean.iter().sum();
        estimate.change = 0.0;
        for (t, m) in prior.iter_mut().zip(&mean) {
            let new = m / total;
            estimate.change = estimate.change.max((new - *t).abs());
            *t = new;
        }
        estimate.rounds += 1;
    }
    estimate.prior = Prior::from_weights(prior)?;
    Ok(estimate)
}

/// The batch that a transductive rule was given.
///
/// # Errors
/// [`StageError::Failed`] when it was given none.
pub(crate) fn batch<'a>(id: &str, extras: &Extras<'a>) -> StageResult<TestScores<'a>> {
    extras.batch.ok_or_else(|| {
        StageError::Failed(format!(
            "`{id}` needs the unlabelled scores of the test batch and was given none"
        ))
    })
}

/// The scores' own prior, which transductive rules start from.
///
/// # Errors
/// [`StageError::NotApplicable`] when the scores have none.
pub(crate) fn own_prior<'a>(id: &str, context: &DecideContext<'a>) -> StageResult<&'a Prior> {
    context.scores_prior.ok_or_else(|| {
        StageError::NotApplicable(format!(
            "`{id}` starts from the scores' own prior, and under this loss they have none; try \
             `calibrated` first"
        ))
    })
}

parameters! {
    /// Saerens' EM, checked.
    pub struct SaerensEm {
        /// largest change of a share in the last round
        tolerance: f64 = 1e-8, in Range::OPEN_UNIT, probe [1e-3];
        /// rounds after which it stops all the same, with a note
        rounds: usize = 10_000, in Range::AT_LEAST_ONE, probe [2];
    }
}

impl Decision for SaerensEm {
    fn takes(&self, size: &ScoreSize) -> f64 {
        size.scores() + size.decided()
    }

    fn needs(&self) -> DecisionNeeds {
        DecisionNeeds {
            probabilities: true,
            scores_prior: true,
            test_batch: true,
            ..DecisionNeeds::default()
        }
    }

    fn weighs(&self) -> bool {
        true
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
        let own = own_prior("saerens-em", context)?;
        let stop = Stop {
            tolerance: self.tolerance,
            rounds: self.rounds,
        };
        let found = estimate(batch("saerens-em", extras)?, own, stop)?;
        let (details, notes) = found.report(stop);
        Ok(FittedRule {
            rule: Box::new(Shifted {
                from: own.clone(),
                to: found.prior,
                judged: false,
                ties: context.train.ties().clone(),
            }),
            details,
            notes,
        })
    }
}

/// The registry entry.
pub(crate) const ENTRY: DecisionEntry = DecisionEntry::of::<SaerensEm>(
    "saerens-em",
    "transductive: the largest probability under the test batch's class shares, by EM",
    "Saerens, Latinne & Decaestecker 2002",
    RuleCaps::LOGIT_ADJUSTMENT,
);

#[cfg(test)]
mod tests {
    use super::*;
    use counterweight_core::{Matrix, Scores};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// A discrete population with as many values as classes or more: rows of value x in the exact
        /// shares of the target, each with the exact posterior under the training prior. The target
        /// is then where the likelihood is largest, and the only such place.
        #[test]
        fn the_fixed_point_is_the_prior_that_the_batch_was_drawn_with(
            table in proptest::collection::vec(1_u32..6, 12),
            own in proptest::collection::vec(1_u32..9, 3),
            target in proptest::collection::vec(1_u32..9, 3),
        ) {
            // Class y gives value y more mass, so that the values tell the classes apart.
            let likelihood = |x: usize, y: usize| {
                let raw = |x: usize| f64::from(table[x * 3 + y]) + if x == y { 30.0 } else { 0.0 };
                raw(x) / (0..4).map(raw).sum::<f64>()
            };
            let share = |w: &[u32]| {
                Prior::from_weights(w.iter().map(|&w| f64::from(w)).collect()).unwrap()
            };
            let (own, target) = (share(&own), share(&target));
            // 4 values, repeated in whole numbers close to their exact mass.
            let mass: Vec<usize> = (0..4)
                .map(|x| {
                    let p: f64 = (0..3).map(|y| target.as_slice()[y] * likelihood(x, y)).sum();
                    (0..100_000_u32).take_while(|&c| f64::from(c) + 0.5 <= p * 20_000.0).count()
                })
                .collect();
            let rows: Vec<usize> = (0..4).flat_map(|x| std::iter::repeat_n(x, mass[x])).collect();
            let log = Matrix::from_fn(rows.len(), 3, |i, y| {
                (own.as_slice()[y] * likelihood(rows[i], y)).ln()
            });
            let scores = Scores::logits(log).unwrap();
            let found = estimate(TestScores::new(&scores), &own, Stop { tolerance: 1e-12, rounds: 5000 });
            let found = found.unwrap();
            for (a, b) in found.prior.as_slice().iter().zip(target.as_slice()) {
                prop_assert!((a - b).abs() < 2e-3, "{:?} {:?}", found.prior, target);
            }
        }
    }

    #[test]
    fn votes_empty_batches_and_impossible_rows_are_errors() {
        let own = Prior::from_weights(vec![1.0, 0.0]).unwrap();
        let votes = Scores::votes(&[0, 1], 2).unwrap();
        let found = estimate(TestScores::new(&votes), &own, Stop::DEFAULT);
        assert!(matches!(found, Err(StageError::NotApplicable(_))));
        let empty = Scores::logits(Matrix::zeros(0, 2)).unwrap();
        assert!(estimate(TestScores::new(&empty), &own, Stop::DEFAULT).is_err());
        let p = Matrix::from_vec(1, 2, vec![0.0, 1.0]).unwrap();
        let lost = Scores::probabilities(p).unwrap();
        assert!(estimate(TestScores::new(&lost), &own, Stop::DEFAULT).is_err());
    }
}
