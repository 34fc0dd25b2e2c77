//! Self-paced ensemble: each member is fitted to a balanced subset drawn from bins of hardness, from
//! mostly easy rows to all bins alike.
//!
//! # When it helps, when it hurts
//!
//! On large, noisy, overlapping data at a high ratio: early members learn the skeleton from easy
//! rows, later ones the border, and the slow pace keeps outliers from taking over as they do in
//! `balance-cascade`. On small clean sets it is under-bagging.
//!
//! # Formula
//!
//! Member 1 of M is fitted to a random balanced subset. For member m > 1, each class that `strategy`
//! shrinks to t rows is cut into `bins` bins of equal width by hardness under the average of the
//! members so far; bin b of mean hardness `h_b` gives a share of t proportional to `1 / (h_b +
//! tan(pi/2 (m - 1)/(M - 1)))`, no more than it has, at random. Scores `log (1/M sum_m p_m(y | x))`;
//! their prior is that of the subsets (of the classes' shares; within a class, rows are not drawn
//! alike).
//!
//! # Cost
//!
//! O(`members`) fits of the base to K times the smallest class's rows, and scoring all rows once a
//! member.
//!
//! # Differences
//!
//! The paper is for two classes; here every class above its target is cut by the probability of its
//! own class, which is the same for two. The paper counts its first, random member apart and takes
//! tan(i pi / 2n) for member i of n; here that is a member like the others, and i/n becomes (m -
//! 1)/(M - 1), so that the last one draws from all bins alike. imbalanced-learn has no such class.
//!
//! # Errors
//!
//! A base that gives votes only is not applicable. Fewer than two classes with rows are not
//! applicable. Those of [`strategy`](crate::resample::strategy), of the base, and a passed deadline
//! (asked before each fit).
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     Base, Deadline, Labels, Matrix, Partition, Samples, Seed, Shared, SmallClass, StageContext,
//!     Ties, find, params,
//! };
//! let x = Matrix::from_vec(7, 1, vec![0.0, 1.0, 2.0, 3.0, 4.0, 8.0, 9.0])?;
//! let y = Labels::from_texts(&["a", "a", "a", "a", "a", "b", "b"]);
//! let (train, _) = Partition::new(7, (0..7).collect(), vec![])?.cut_samples(&Samples::numeric(x, y)?)?;
//!
//! let model = find(counterweight_models::ALL, "decision-tree").expect("it is listed");
//! let given = params::check(model.card.params, &Default::default()).expect("defaults are valid");
//! let learner = (model.build)(&given)?;
//! let base = Base {
//!     id: model.card.id,
//!     learner: &*learner,
//!     max_rows: None,
//!     encode: &|rows| Ok(rows.clone()),
//! };
//! let entry = find(counterweight_corrections::ensemble::ALL, "self-paced").expect("it is listed");
//! let given = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("ensemble").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let fit = (entry.build)(&given)?.fit(&train, &base, &mut context)?;
//! let scores = fit.fitted.scores(&Matrix::from_vec(2, 1, vec![0.5, 8.5])?)?;
//! assert_eq!(scores.argmax(&[0.0; 2], &Ties::default())?.as_slice(), [0, 1]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! Z. Liu, W. Cao, Z. Gao, J. Bian, H. Chen, Y. Chang and T.-Y. Liu, "Self-paced ensemble for highly
//! imbalanced massive data classification", ICDE 2020.

use super::draw::{apportion, by_class, draw, subset, take};
use super::members::{LogSum, Members, under_rows};
use crate::resample::strategy::Shrink;
use counterweight_core::{
    Base, Ensemble, EnsembleCaps, EnsembleEntry, EnsembleFit, EnsembleNeeds, Labels, Range, Scores,
    StageContext, StageResult, Train, parameters, words,
};

impl Hardness {
    fn of(self, scores: &Scores, y: &Labels, row: usize) -> f64 {
        let log = scores.log().at(row, y.class(row));
        let miss = -log.exp_m1();
        match self {
            Self::Absolute => miss,
            Self::Squared => miss * miss,
            Self::CrossEntropy => -log.max(f64::EPSILON.ln()),
        }
    }
}

words! {
    /// How hard a row is, from the probability p of its own class under the members so far.
    pub enum Hardness {
        /// 1 - p.
        Absolute = "absolute-error",
        /// (1 - p)^2.
        Squared = "squared-error",
        /// -log p, with p at least machine epsilon.
        CrossEntropy = "cross-entropy",
    }
}

parameters! {
    /// Self-paced ensemble with checked parameters.
    pub struct SelfPaced {
        /// members whose answers are joined
        members: usize = 10, in Range::AT_LEAST_ONE, probe [4];
        /// bins of equal width that the hardness is cut into
        bins: usize = 20, in Range::new(1.0, true, 1e6, true), probe [3];
        /// how hard a row is, from the probability of its own class
        hardness: Hardness = "absolute-error";
        /// how many rows of each class to end with
        strategy: Shrink = "auto";
    }
}

impl Ensemble for SelfPaced {
    fn needs(&self) -> EnsembleNeeds {
        EnsembleNeeds {
            probabilities: true,
            ..EnsembleNeeds::default()
        }
    }

    fn fit(
        &self,
        train: &Train,
        base: &Base<'_>,
        context: &mut StageContext<'_>,
    ) -> StageResult<EnsembleFit> {
        let samples = train.samples();
        let counts = train.counts();
        let targets = self.strategy.targets(samples.y().names(), &counts)?;
        let encoded = (base.encode)(samples)?;
        let pools = by_class(samples);
        let mut members = Members::new(base, context);
        let mut so_far = LogSum::default();
        let mut fitted = Vec::new();
        for at in 0..self.members {
            let mut streams = members.next()?;
            let rows = if at == 0 {
                draw(&pools, &targets, false, &mut streams.rows)
            } else {
                let scores = so_far.scores()?;
                let turn = at as f64 / (self.members - 1) as f64;
                let pace = (std::f64::consts::FRAC_PI_2 * turn).tan();
                let mut rows = Vec::new();
                for (pool, &target) in pools.iter().zip(&targets) {
                    if target >= pool.len() {
                        rows.extend_from_slice(pool);
                        continue;
                    }
                    let hardness: Vec<f64> = pool
                        .iter()
                        .map(|&row| self.hardness.of(&scores, samples.y(), row))
                        .collect();
                    let bins = self.cut(pool, &hardness);
                    let weights: Vec<f64> =
                        bins.iter().map(|bin| 1.0 / (bin.mean() + pace)).collect();
                    let room: Vec<usize> = bins.iter().map(|bin| bin.rows.len()).collect();
                    for (bin, take) in bins.iter().zip(apportion(&weights, &room, target)) {
                        rows.extend(subset(&bin.rows, take, &mut streams.rows));
                    }
                }
                rows.sort_unstable();
                rows
            };
            let member = members.fit(&take(train, &rows)?, streams.learner)?;
            so_far.add(&member.scores(encoded.x())?);
            fitted.push(member);
        }
        Ok(members.average(fitted, (&targets, &counts), context))
    }
}

/// Rows of like hardness.
#[derive(Clone, Debug, Default)]
struct Bin {
    rows: Vec<usize>,
    sum: f64,
}

impl Bin {
    fn mean(&self) -> f64 {
        self.sum / self.rows.len() as f64
    }
}

impl SelfPaced {
    /// The rows in bins of equal width between the least and the largest hardness; empty ones left out.
    fn cut(&self, pool: &[usize], hardness: &[f64]) -> Vec<Bin> {
        let low = hardness.iter().copied().fold(f64::INFINITY, f64::min);
        let high = hardness.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let width = (high - low) / self.bins as f64;
        let mut bins = vec![Bin::default(); self.bins];
        for (&row, &h) in pool.iter().zip(hardness) {
            let at = if width > 1e-12 {
                whole((h - low) / width).min(self.bins - 1)
            } else {
                0
            };
            bins[at].rows.push(row);
            bins[at].sum += h;
        }
        bins.retain(|bin| !bin.rows.is_empty());
        bins
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place on a ruler: not negative and bounded by the caller"
)]
fn whole(place: f64) -> usize {
    place as usize
}

/// The registry entry.
pub(crate) const ENTRY: EnsembleEntry = EnsembleEntry::of::<SelfPaced>(
    "self-paced",
    "averages fits to balanced subsets whose rows get harder from member to member",
    "Liu et al. 2020",
    EnsembleCaps::new(|params, counts| (params.whole("members"), under_rows(counts))),
);
