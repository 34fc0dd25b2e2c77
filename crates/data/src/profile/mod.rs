//! Imbalance profiles: how many rows of each class there are at an imbalance ratio.
//!
//! A [`Profile`] gives the shape, a [`Ratio`] the distance between the largest and the smallest class.
//! What is held fixed along a ladder of ratios is a choice of its own, since a rarer class and a
//! smaller class hurt for different reasons:
//!
//! | held fixed | function | what the ladder varies |
//! |---|---|---|
//! | all rows | [`counts_of_total`] | shares, at one cost of data |
//! | the largest class | [`counts_of_largest`] | the rarer classes only; nested for every class |
//! | the smallest class | [`counts_of_smallest`] | the share of a class at a constant number of its rows |
//! | what real data have | [`counts_within`] | as [`counts_of_largest`], as large as the data allow |
//! | along one table, the rarer class or all rows | [`Ladder::rungs`] | ratio and rows together, or ratio and rare rows |
//!
//! # Formula
//!
//! Class i of K (from 0) has
//! `n_i = n_max / d_i(ratio)` rows, with
//!
//! - `step`: `d_i = 1` for the first ceil(K/2) classes and `d_i = ratio` for the others;
//! - `exponential`: `d_i = ratio^(i/(K-1))`, a long tail with equal steps on the log axis;
//! - `pareto`: `d_i = (i+1)^(1/shape)` with `shape = ln K / ln ratio`, that is `ratio^(ln(i+1) / ln K)`: the rank-size form of
//!   Pareto's law, whose head falls fast and whose tail is long and flat.
//!
//! Which class of real data is the i-th is a choice of its own ([`Rare`]): by default the one with the i-th most rows,
//! so that the naturally smallest class is the rarest.
//!
//! Fractions are dropped as `floor(n_i + 1e-9)`, where the 1e-9 keeps whole numbers whole under
//! rounding. [`counts_of_total`] alone has a sum to meet and rounds by largest remainder.
//!
//! # Cost
//!
//! O(K) for counts, O(K log K) for a total and for real data, O(n log n) to [`thin`] n rows.
//!
//! # Differences
//!
//! `exponential` with `n_max` gives the counts of CIFAR-LT exactly. The papers halve an even number
//! of classes for `step`. ImageNet-LT and Places-LT draw the sizes of their classes from a Pareto law of shape 6, cut off
//! at both ends; `pareto` has its expected shape at the ratio that is asked for, and nothing of chance. Of an odd number the middle class goes with the large ones here, so that
//! three classes have one rare class. imbalanced-learn's `make_imbalance` takes counts that the caller worked
//! out, and draws each target anew: its ladders are not nested.
//!
//! # Errors
//!
//! Every function refuses, with a [`ProfileError`], a profile that leaves a class without rows, and
//! says which class and the largest ratio that would do. Classes are never silently lost.
//!
//! # Examples
//!
//! ```
//! use counterweight_data::profile::{Profile, Ratio, counts_of_largest};
//! let counts = counts_of_largest(Profile::Exponential, 10, Ratio::new(100.0)?, 5000)?;
//! assert_eq!(counts.as_slice(), [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]);
//! # Ok::<(), counterweight_data::profile::ProfileError>(())
//! ```
//!
//! # References
//!
//! Y. Cui, M. Jia, T.-Y. Lin, Y. Song and S. Belongie, "Class-balanced loss based on effective number
//! of samples", CVPR 2019 (exponential). M. Buda, A. Maki and M. A. Mazurowski, "A systematic study
//! of the class imbalance problem in convolutional neural networks", Neural Networks 106, 2018
//! (step). K. Cao, C. Wei, A. Gaidon, N. Arechiga and T. Ma, "Learning imbalanced datasets with
//! label-distribution-aware margin loss", `NeurIPS` 2019 (both, as benchmarks). Z. Liu, Z. Miao, X. Zhan, J. Wang, B. Gong and
//! S. X. Yu, "Large-scale long-tailed recognition in an open world", CVPR 2019 (Pareto). M. L. Balinski and
//! H. P. Young, "Fair Representation", 1982 (largest remainder).

mod counts;
mod ladder;
mod shares;
mod thin;
mod thinning;

use thiserror::Error;

pub use counts::{counts_of_largest, counts_of_smallest, counts_of_total, counts_within};
pub use ladder::{FEWEST_RARE, Ladder};
pub use shares::{counts_of_shares, counts_to_shares};
pub use thin::thin;
pub use thinning::{Rare, Size, Thinning};

/// An imbalance ratio: largest over smallest class count. Finite and at least 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Ratio(f64);

impl Ratio {
    /// Checks a ratio.
    ///
    /// # Errors
    /// [`ProfileError::Ratio`] unless it is finite and at least 1.
    pub fn new(ratio: f64) -> Result<Self, ProfileError> {
        if ratio.is_finite() && ratio >= 1.0 {
            Ok(Self(ratio))
        } else {
            Err(ProfileError::Ratio { found: ratio })
        }
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl std::fmt::Display for Ratio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// How class counts fall from the largest class to the smallest; the [module](self) has the formulas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Large classes of one size and small classes of another.
    Step,
    /// A geometric fall from class to class.
    Exponential,
    /// A fall by a power of the rank.
    Pareto,
}

impl Profile {
    /// Every profile, sorted by id.
    pub const ALL: [Self; 3] = [Self::Exponential, Self::Pareto, Self::Step];

    /// The name in sweep files and records.
    pub fn id(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Exponential => "exponential",
            Self::Pareto => "pareto",
        }
    }

    /// The profile of that name.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.id() == id)
    }

    /// By how much the class of this rank is smaller than the largest one: 1 at rank 0, `ratio` at
    /// the last rank. Both ends are exact, since `powf` is at the exponents 0 and 1.
    fn divisor(self, rank: usize, n_classes: usize, ratio: Ratio) -> f64 {
        ratio.0.powf(self.exponent(rank, n_classes))
    }

    /// The divisor's exponent on the ratio, from 0 to 1.
    fn exponent(self, rank: usize, n_classes: usize) -> f64 {
        match self {
            Self::Step => f64::from(u8::from(rank >= n_classes.div_ceil(2))),
            Self::Exponential => rank as f64 / n_classes.saturating_sub(1).max(1) as f64,
            Self::Pareto if rank == 0 => 0.0,
            Self::Pareto => ((rank + 1) as f64).ln() / (n_classes as f64).ln(),
        }
    }
}

impl std::fmt::Display for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id())
    }
}

/// Why there are no counts, or no rows for them. Classes and rows are numbered from 0.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// A ratio that is none.
    #[error("imbalance ratio {found}: expected a finite number of at least 1")]
    Ratio {
        /// What was given.
        found: f64,
    },
    /// One class has no ratio.
    #[error("an imbalance ratio needs at least two classes with rows, found {found}")]
    TooFewClasses {
        /// Classes with rows.
        found: usize,
    },
    /// A class would be lost.
    #[error(
        "{profile} profile at imbalance ratio {ratio}: class {class} (from 0) would have no row; {}",
        largest.map_or_else(
            || "there are too few rows for every class at any ratio".to_owned(),
            |largest| format!("the largest ratio that would do is {largest}")
        )
    )]
    EmptyClass {
        /// The first such class, in class order.
        class: usize,
        /// The profile.
        profile: Profile,
        /// The ratio that was asked for.
        ratio: Ratio,
        /// The largest ratio that gives every class a row, if any does; rounded down to 3 decimals
        /// (to a whole number from 1000).
        largest: Option<f64>,
    },
    /// More rows than can be counted.
    #[error(
        "{profile} profile at imbalance ratio {ratio}: the largest class would have over 2^53 rows; lower the \
         ratio or the size of the smallest class"
    )]
    TooManyRows {
        /// The profile.
        profile: Profile,
        /// The ratio that was asked for.
        ratio: Ratio,
    },
    /// Counts of another label set.
    #[error("counts of {found} classes for labels of {expected}")]
    OtherClasses {
        /// Classes of the labels.
        expected: usize,
        /// Classes of the counts.
        found: usize,
    },
    /// More rows asked for than there are.
    #[error("class {class} (from 0) has {found} rows, {wanted} are asked for")]
    TooFewRows {
        /// The class.
        class: usize,
        /// Rows asked for.
        wanted: usize,
        /// Rows there are.
        found: usize,
    },
    /// A row that cannot be drawn from.
    #[error("row {row} {problem}")]
    Row {
        /// The row's number.
        row: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_finite_and_at_least_one() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.999, 0.0, -3.0] {
            assert!(
                matches!(Ratio::new(bad), Err(ProfileError::Ratio { .. })),
                "{bad}"
            );
        }
        for good in [1.0, 1.5, 1e300] {
            assert_eq!(
                Ratio::new(good).map(|r| r.get().to_bits()),
                Ok(good.to_bits())
            );
        }
    }

    #[test]
    fn ids_round_trip_and_are_sorted() {
        assert!(Profile::ALL.map(Profile::id).is_sorted());
        for profile in Profile::ALL {
            assert_eq!(Profile::from_id(profile.id()), Some(profile));
        }
        assert_eq!(Profile::from_id("linear"), None);
    }

    #[test]
    fn the_divisors_run_from_one_to_the_ratio_exactly() {
        for ratio in [1.0, 1.1, 3.0, 97.3, 1e12] {
            let ratio = Ratio::new(ratio).unwrap();
            for profile in Profile::ALL {
                for k in 2..40 {
                    let d: Vec<f64> = (0..k).map(|i| profile.divisor(i, k, ratio)).collect();
                    assert_eq!(d[0].to_bits(), 1.0_f64.to_bits());
                    assert_eq!(d[k - 1].to_bits(), ratio.get().to_bits());
                    assert!(d.is_sorted(), "{profile} {k} {ratio}: {d:?}");
                }
            }
        }
    }

    #[test]
    fn messages_say_what_where_and_what_to_try() {
        let ratio = Ratio::new(5000.0).unwrap();
        let empty = |largest| ProfileError::EmptyClass {
            class: 1,
            profile: Profile::Step,
            ratio,
            largest,
        };
        assert_eq!(
            empty(Some(1999.0)).to_string(),
            "step profile at imbalance ratio 5000: class 1 (from 0) would have no row; the largest \
             ratio that would do is 1999"
        );
        assert!(
            empty(None)
                .to_string()
                .ends_with("too few rows for every class at any ratio")
        );
    }
}
