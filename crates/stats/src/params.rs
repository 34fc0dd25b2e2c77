//! Parameters that several statistics share, as types that cannot be swapped.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::error::{Result, StatsError};

/// Which end of the scale is good.
///
/// It is a property of a table, set once when the table is made, so that no later call can
/// contradict it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Errors and losses: rank 1 is the smallest value.
    LowerIsBetter,
    /// Accuracies and recalls: rank 1 is the largest value.
    HigherIsBetter,
}

impl Direction {
    /// +1 if a positive difference `a - b` is in favour of `b`, -1 if it is in favour of `a`.
    pub(crate) fn cost_sign(self) -> f64 {
        match self {
            Self::LowerIsBetter => 1.0,
            Self::HigherIsBetter => -1.0,
        }
    }

    /// Whether `a` is strictly better than `b`.
    pub fn is_better(self, a: f64, b: f64) -> bool {
        match self {
            Self::LowerIsBetter => a < b,
            Self::HigherIsBetter => a > b,
        }
    }
}

/// A significance level alpha, strictly between 0 and 1; the confidence is 1 - alpha.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Level(f64);

impl Level {
    /// alpha = 0.05, confidence 95 %.
    pub const FIVE_PERCENT: Self = Self(0.05);
    /// alpha = 0.10, confidence 90 %.
    pub const TEN_PERCENT: Self = Self(0.10);

    /// Checks a level.
    ///
    /// # Errors
    ///
    /// [`StatsError::OutOfRange`] unless 0 < alpha < 1.
    pub fn new(alpha: f64) -> Result<Self> {
        if alpha > 0.0 && alpha < 1.0 {
            Ok(Self(alpha))
        } else {
            Err(StatsError::OutOfRange {
                name: "level",
                value: alpha,
                range: "0 < level < 1",
            })
        }
    }

    /// alpha itself.
    pub fn alpha(self) -> f64 {
        self.0
    }

    /// 1 - alpha.
    pub fn confidence(self) -> f64 {
        1.0 - self.0
    }

    /// alpha divided among `comparisons` tests; unchanged for 0 or 1 of them.
    #[must_use]
    pub fn bonferroni(self, comparisons: usize) -> Self {
        Self(self.0 / comparisons.max(1) as f64)
    }
}

impl Default for Level {
    fn default() -> Self {
        Self::FIVE_PERCENT
    }
}

/// The seed of a resampling procedure.
///
/// Every statistic draws from a `ChaCha` stream of its own number, so that two statistics under one
/// seed share no draws, and the value of one does not depend on which others were computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seed(pub u64);

/// Stream numbers. They are part of every published result: never renumber, only append.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    Bootstrap = 1,
    SignedRankPosterior = 2,
    MeanPosterior = 3,
    FirstPlace = 4,
    Labels = 5,
    HonestGain = 6,
    Onset = 7,
    Permutation = 8,
    Copies = 9,
}

impl Seed {
    pub(crate) fn rng(self, stream: Stream) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.0);
        rng.set_stream(stream as u64);
        rng
    }
}
