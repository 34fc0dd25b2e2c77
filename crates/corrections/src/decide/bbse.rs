//! Black-box shift estimation: the class shares of the unlabelled test batch from the confusion matrix
//! of out-of-fold decisions, and the decision under them. Transductive.
//!
//! # When it helps, when it hurts
//!
//! As `saerens-em`, but it needs no calibrated probabilities: any scores serve whose confusion matrix
//! can be inverted. With hard decisions that is not the case as soon as a rare class is never decided,
//! which is common under imbalance; `confusion = "soft"` uses mean probabilities and then works on.
//! The estimate is unbiased and noisier than a likelihood: shares of small classes may come out below
//! 0 and are cut there.
//!
//! # Formula
//!
//! `C[j][y]` = share of the out-of-fold rows that are of class y and decided as j (soft: their mean `p_j`),
//! `mu_j` = share of the test batch decided as j (soft: mean `p_j`). Solve `C w = mu`; the target prior is
//! `t_y` proportional to `max(w_y, 0) pi_y`, with pi the shares of the out-of-fold rows. Then the largest of
//! `p_y t_y / prior_y`, with prior that of the scores. Metrics of probabilities judge the scores as they
//! are.
//!
//! # Cost
//!
//! O(n K + K^3), and the inner fits.
//!
//! # Differences
//!
//! The paper estimates the confusion matrix on held-out rows; here the rows are out of fold, and every
//! training row serves. It retrains with the weights; here they shift the scores. Where the matrix is
//! singular (reciprocal condition below 1e-8) the scores' own prior is kept and the outcome is
//! `degenerate`. scikit-learn has no such rule.
//!
//! # Errors
//!
//! [`StageError::NotApplicable`] for votes and for scores without a prior of their own;
//! [`StageError::Failed`] without out-of-fold scores or a test batch.
//!
//! Details: `transductive` (1), `target_prior[k]` for class number k, `confusion_rcond`.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     DecideContext, Extras, Labels, Matrix, OutOfFold, ParamValue, Partition, Samples, Scores,
//!     TestScores, find, params,
//! };
//! let y = Labels::from_texts(&["a", "a", "a", "b"]);
//! let samples = Samples::numeric(Matrix::zeros(4, 1), y)?;
//! let (train, _) = Partition::new(4, (0..4).collect(), vec![])?.cut_samples(&samples)?;
//! let p = vec![0.9, 0.1, 0.9, 0.1, 0.9, 0.1, 0.2, 0.8];
//! let mut inner = OutOfFold::new(&train);
//! inner.add(&[0, 1, 2, 3], Scores::probabilities(Matrix::from_vec(4, 2, p)?)?)?;
//! let (counts, calib) = (train.counts(), inner.finish()?);
//! let own = counts.prior();
//! let context = DecideContext { scores_prior: own.as_ref(), train: &counts };
//! // Decisions are always right, so the batch's shares are those of its decisions: one half.
//! let batch = Scores::probabilities(Matrix::from_vec(2, 2, vec![0.9, 0.1, 0.2, 0.8])?)?;
//! let extras = Extras { batch: Some(TestScores::new(&batch)), ..Extras::default() };
//! let entry = find(counterweight_corrections::decide::ALL, "bbse").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let fitted = (entry.build)(&params)?.fit_with(&context, Some(&calib), &extras)?;
//! assert!((fitted.details["target_prior[1]"] - 0.5).abs() < 1e-12);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! Z. C. Lipton, Y.-X. Wang and A. J. Smola, "Detecting and correcting for label shift with black box
//! predictors", ICML 2018. S. Garg, Y. Wu, S. Balakrishnan and Z. C. Lipton, "A unified view of label
//! shift estimation", Advances in Neural Information Processing Systems 33,
//! 2020 (the soft matrix).

use counterweight_core::{
    Calib, DecideContext, Decision, DecisionEntry, DecisionNeeds, Details, Extras, FittedRule,
    Matrix, Note, Prior, RuleCaps, ScoreSize, Scores, StageError, StageResult, Ties, limit,
    parameters, words,
};

use super::calibration_rows;
use super::prior_shift::Shifted;
use super::saerens_em::{batch, own_prior, shares};

/// Reciprocal condition below which the confusion matrix says nothing.
const SINGULAR: f64 = 1e-8;

words! {
    /// What is counted.
    pub enum Counted {
        /// Decided classes.
        Hard = "hard",
        /// Mean probabilities.
        Soft = "soft",
    }
}

parameters! {
    /// Black-box shift estimation, checked.
    pub struct Bbse {
        /// whether decided classes or mean probabilities are counted
        confusion: Counted = "hard";
    }
}

impl Decision for Bbse {
    fn takes(&self, size: &ScoreSize) -> f64 {
        (24 * size.classes * size.classes) as f64 + size.decided()
    }

    fn needs(&self) -> DecisionNeeds {
        DecisionNeeds {
            probabilities: true,
            calibration: true,
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
        calib: Option<&Calib>,
        extras: &Extras<'_>,
    ) -> StageResult<FittedRule> {
        let own = own_prior("bbse", context)?;
        let calib = calibration_rows("bbse", calib, context.train.n_classes())?;
        let batch = batch("bbse", extras)?;
        let (k, ties) = (own.n_classes(), context.train.ties());
        let counts = calib.labels().counts();
        let (Some(shares_of_rows), true) = (counts.prior(), batch.scores().n_rows() > 0) else {
            return Err(StageError::Failed(
                "no rows to estimate the test prior from".into(),
            ));
        };
        let weights = calib.labels().weights();
        let row = |i: usize| weights.as_ref().map_or(1.0, |weights| weights[i]);
        let mut confusion = Matrix::zeros(k, k);
        self.each(calib.scores(), ties, |i, j, mass| {
            let y = calib.labels().class(i);
            confusion.set(
                j,
                y,
                confusion.at(j, y) + row(i) * (mass / calib.labels().len() as f64),
            );
        })?;
        let mut seen = vec![0.0; k];
        let n = batch.scores().n_rows() as f64;
        self.each(batch.scores(), ties, |i, j, mass| {
            let own = batch.weights().map_or(1.0, |weights| weights[i]);
            seen[j] += own * (mass / n);
        })?;

        // A class without training rows has neither column nor share.
        let present: Vec<usize> = (0..k).filter(|&y| counts.as_slice()[y] > 0).collect();
        let square = Matrix::from_fn(present.len(), present.len(), |a, b| {
            confusion.at(present[a], present[b])
        });
        let right: Vec<f64> = present.iter().map(|&j| seen[j]).collect();
        let mut details = Details::from([("transductive".to_owned(), 1.0)]);
        let mut notes = Vec::new();
        let solved = solve(&square, &right);
        let rcond = solved.as_ref().map_or(0.0, |(_, rcond)| *rcond);
        details.insert("confusion_rcond".into(), rcond);
        let mut target = vec![0.0; k];
        if let Some((ratios, _)) = solved.filter(|_| rcond >= SINGULAR) {
            for (&y, ratio) in present.iter().zip(ratios) {
                target[y] = ratio.max(0.0) * shares_of_rows.as_slice()[y];
            }
        }
        let target = Prior::from_weights(target).unwrap_or_else(|_nothing_left| {
            notes.push(Note::Degenerate(
                "the confusion matrix of the out-of-fold decisions is singular (a class is never \
                 decided): the scores' own prior is kept; try `confusion = \"soft\"`"
                    .into(),
            ));
            own.clone()
        });
        details.extend(shares(&target));
        Ok(FittedRule {
            rule: Box::new(Shifted {
                from: own.clone(),
                to: target,
                judged: false,
                ties: context.train.ties().clone(),
            }),
            details,
            notes,
        })
    }
}

impl Bbse {
    /// Hands out the mass that each row gives to each class.
    fn each(
        &self,
        scores: &Scores,
        ties: &Ties,
        mut take: impl FnMut(usize, usize, f64),
    ) -> StageResult<()> {
        if self.confusion == Counted::Soft {
            for (i, row) in scores.log().iter_rows().enumerate() {
                limit::ask_at(i);
                for (j, s) in row.iter().enumerate() {
                    take(i, j, s.exp());
                }
            }
        } else {
            let decided = scores.argmax(&vec![0.0; scores.n_classes()], ties)?;
            for (i, &j) in decided.as_slice().iter().enumerate() {
                take(i, j as usize, 1.0);
            }
        }
        Ok(())
    }
}

/// Solves `a x = b` by elimination with row exchanges; gives x and an estimate from below of the
/// reciprocal condition (least over largest pivot). `None` when a pivot is 0.
fn solve(a: &Matrix, b: &[f64]) -> Option<(Vec<f64>, f64)> {
    let n = b.len();
    let mut rows: Vec<Vec<f64>> = (0..n)
        .map(|i| a.row(i).iter().copied().chain([b[i]]).collect())
        .collect();
    let (mut least, mut largest) = (f64::INFINITY, 0.0_f64);
    for k in 0..n {
        let pivot = (k..n).max_by(|&i, &j| {
            let by_size = rows[i][k].abs().total_cmp(&rows[j][k].abs());
            by_size.then(j.cmp(&i))
        })?;
        rows.swap(k, pivot);
        let size = rows[k][k].abs();
        if size <= 0.0 {
            return None;
        }
        least = least.min(size);
        largest = largest.max(size);
        let (top, below) = rows.split_at_mut(k + 1);
        let top = &top[k];
        limit::ask();
        for row in below {
            let factor = row[k] / top[k];
            for (value, pivot) in row[k..].iter_mut().zip(&top[k..]) {
                *value -= factor * pivot;
            }
        }
    }
    let mut x = vec![0.0; n];
    for i in (0..n).rev() {
        let rest: f64 = (i + 1..n).map(|j| rows[i][j] * x[j]).sum();
        x[i] = (rows[i][n] - rest) / rows[i][i];
    }
    Some((x, least / largest))
}

/// The registry entry.
pub(crate) const ENTRY: DecisionEntry = DecisionEntry::of::<Bbse>(
    "bbse",
    "transductive: the largest probability under the test batch's class shares, from the confusion matrix",
    "Lipton, Wang & Smola 2018; Garg et al. 2020",
    RuleCaps::LOGIT_ADJUSTMENT,
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{built, calib, text};
    use counterweight_core::{ClassCounts, TestScores};

    /// Values 0, 1, 2 with class-conditional shares, posterior exact under the training prior; the
    /// batch in exact shares of another prior.
    fn estimated(confusion: &str, share_of_1: f64) -> f64 {
        // Per mille of each value within each class.
        let whole = |v: f64| {
            (0..100_000_u32)
                .take_while(|&c| f64::from(c) + 0.5 <= v)
                .count()
        };
        let within = [[700, 200, 100], [100, 300, 600]];
        let (own, n) = ([0.9, 0.1], 1000.0);
        let posterior = |x: usize| {
            let mass: Vec<f64> = (0..2).map(|y| own[y] * f64::from(within[y][x])).collect();
            let total: f64 = mass.iter().sum();
            [mass[0] / total, mass[1] / total]
        };
        let draw = |shares: [f64; 2]| {
            let mut rows = Vec::new();
            for (y, share) in shares.iter().enumerate() {
                for (x, &mass) in within[y].iter().enumerate() {
                    let copies = whole(share * f64::from(mass) * n / 1000.0);
                    rows.extend(std::iter::repeat_n((x, y), copies));
                }
            }
            rows
        };
        let log = |rows: &[(usize, usize)]| {
            Matrix::from_fn(rows.len(), 2, |i, y| posterior(rows[i].0)[y].ln())
        };
        let train = draw(own);
        let classes: Vec<usize> = train.iter().map(|(_, y)| *y).collect();
        let calib = calib(&log(&train), &classes, 2, 5);
        let counts = ClassCounts::new(vec![900, 100]);
        let prior = counts.prior().unwrap();
        let context = DecideContext {
            scores_prior: Some(&prior),
            train: &counts,
        };
        let batch = draw([1.0 - share_of_1, share_of_1]);
        let scores = Scores::log_probabilities(log(&batch)).unwrap();
        let extras = Extras {
            batch: Some(TestScores::new(&scores)),
            ..Extras::default()
        };
        let fitted = built(&ENTRY, &[("confusion", text(confusion))])
            .fit_with(&context, Some(&calib), &extras)
            .unwrap();
        assert!(fitted.notes.is_empty() || confusion == "hard");
        fitted.details["target_prior[1]"]
    }

    #[test]
    fn a_discrete_population_gives_its_target_prior() {
        // The posterior of value 2 is 0.4 for class 1: argmax never decides it, so the hard matrix is
        // singular and the own prior is kept.
        for share in [0.05, 0.3, 0.5, 0.9] {
            assert!((estimated("soft", share) - share).abs() < 1e-9, "{share}");
            assert!((estimated("hard", share) - 0.1).abs() < 1e-12);
        }
    }

    #[test]
    fn elimination_solves_what_can_be_solved() {
        let a = Matrix::from_vec(2, 2, vec![0.0, 2.0, 3.0, 1.0]).unwrap();
        let (x, rcond) = solve(&a, &[4.0, 5.0]).unwrap();
        assert!((x[0] - 1.0).abs() < 1e-15 && (x[1] - 2.0).abs() < 1e-15 && rcond > 0.5);
        let singular = Matrix::from_vec(2, 2, vec![1.0, 2.0, 2.0, 4.0]).unwrap();
        assert!(solve(&singular, &[1.0, 2.0]).is_none_or(|(_, rcond)| rcond < SINGULAR));
    }
}
