//! Wilcoxon's signed-rank test on paired differences.
//!
//! The absolute differences are ranked (midranks for ties); W+ is the sum of the ranks of the
//! positive ones. Under the null every sign is a fair coin.
//!
//! - Up to `exact_up_to` differences (default 50) the null distribution is enumerated exactly by
//!   dynamic programming over doubled ranks, which are integers also where there are ties. Unlike
//!   scipy's `method="exact"`, which uses the distribution for untied ranks, this is the permutation
//!   distribution given the ties: scipy's `PermutationMethod` without the limit on n.
//! - Beyond it, the normal approximation with the variance corrected for ties, as scipy's
//!   `method="asymptotic"`.
//!
//! Zero differences, as in scipy:
//!
//! | treatment | ranks | W+ |
//! |---|---|---|
//! | `Wilcox` (default) | zeros dropped before ranking | |
//! | `Pratt` | zeros ranked, their ranks dropped | |
//! | `ZSplit` | zeros ranked | half of their ranks counts as positive |
//!
//! Cost: O(n log n), plus O(n^3) additions for the exact distribution (65,000 for n = 50).
//!
//! # References
//!
//! F. Wilcoxon (1945), Individual comparisons by ranking methods, Biometrics Bulletin 1, 80-83.
//! J. W. Pratt (1959), Remarks on zeros and ties in the Wilcoxon signed rank procedures, JASA 54,
//! 655-667. E. E. Cureton (1967), The normal approximation to the signed-rank sampling distribution
//! when zero differences are present, JASA 62, 1068-1069.

use crate::error::{Result, StatsError, Unit, at_least, finite};
use crate::params::Direction;
use crate::ranks::midranks;
use crate::signed_rank_null::{Moments, exact_p, normal_p};

/// What happens to differences that are exactly zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ZeroTreatment {
    /// Drop them.
    #[default]
    Wilcox,
    /// Rank them, then drop their ranks.
    Pratt,
    /// Rank them and split their ranks evenly between the signs.
    ZSplit,
}

/// The alternative hypothesis about the differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Alternative {
    /// Shifted either way.
    #[default]
    TwoSided,
    /// Shifted below zero.
    Less,
    /// Shifted above zero.
    Greater,
}

/// Parameters of the test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WilcoxonOptions {
    /// Treatment of zeros; default [`ZeroTreatment::Wilcox`].
    pub zeros: ZeroTreatment,
    /// Alternative; default two-sided.
    pub alternative: Alternative,
    /// Largest number of ranked differences for the exact distribution; default 50, at most 1,000.
    pub exact_up_to: usize,
    /// Continuity correction of the normal approximation; default off, as scipy.
    pub continuity: bool,
    /// Differences are rounded to multiples of this before anything else, so that rounding of the
    /// last bit neither breaks ties nor makes zeros into wins; default `None`, as scipy.
    pub resolution: Option<f64>,
}

impl Default for WilcoxonOptions {
    fn default() -> Self {
        Self {
            zeros: ZeroTreatment::Wilcox,
            alternative: Alternative::TwoSided,
            exact_up_to: 50,
            continuity: false,
            resolution: None,
        }
    }
}

/// How a p value was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum WilcoxonMethod {
    /// Exact permutation distribution given the ties.
    Exact,
    /// Normal approximation with this z; 0 when all differences are zero.
    Normal {
        /// The standardised W+, after any continuity correction.
        z: f64,
    },
}

/// The result of the test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wilcoxon {
    /// Rank sum of the positive differences.
    pub w_plus: f64,
    /// Rank sum of the negative differences.
    pub w_minus: f64,
    /// The p value, in (0, 1].
    pub p_value: f64,
    /// Exact or normal.
    pub method: WilcoxonMethod,
    /// Differences that are not zero.
    pub n_nonzero: usize,
    /// Differences that are zero.
    pub n_zero: usize,
}

impl Wilcoxon {
    /// min(W+, W-), the statistic that scipy reports for the two-sided test.
    pub fn statistic(&self) -> f64 {
        self.w_plus.min(self.w_minus)
    }

    /// The matched-pairs rank-biserial correlation (W+ - W-) / (W+ + W-), an effect size in [-1, 1];
    /// 0 when all differences are zero.
    pub fn rank_biserial(&self) -> f64 {
        let total = self.w_plus + self.w_minus;
        if total > 0.0 {
            (self.w_plus - self.w_minus) / total
        } else {
            0.0
        }
    }
}

/// The signed-rank test of differences `a - b`.
///
/// When every difference is zero, W+ = W- and the p value is 1: the permutation distribution is a
/// single point, so this is its value and not a stand-in.
///
/// # Errors
///
/// [`StatsError::TooFew`] for no differences, [`StatsError::NotFinite`],
/// [`StatsError::OutOfRange`] for a resolution that is not positive or `exact_up_to` over 1,000.
///
/// # Examples
///
/// ```
/// use counterweight_stats::{WilcoxonOptions, wilcoxon};
///
/// let test = wilcoxon(&[1.0, 2.0, 3.0, 4.0, 5.0], WilcoxonOptions::default())?;
/// assert!((test.p_value - 2.0 / 32.0).abs() < 1e-15);
/// # Ok::<(), counterweight_stats::StatsError>(())
/// ```
pub fn wilcoxon(differences: &[f64], options: WilcoxonOptions) -> Result<Wilcoxon> {
    at_least("the signed-rank test", Unit::Values, differences.len(), 1)?;
    if options.exact_up_to > 1000 {
        return Err(StatsError::OutOfRange {
            name: "exact_up_to",
            value: options.exact_up_to as f64,
            range: "0 to 1000",
        });
    }
    let values = prepared(differences, options.resolution)?;
    let n_zero = values.iter().filter(|value| is_zero(**value)).count();
    let ranked: Vec<f64> = match options.zeros {
        ZeroTreatment::Wilcox => values
            .iter()
            .copied()
            .filter(|value| !is_zero(*value))
            .collect(),
        ZeroTreatment::Pratt | ZeroTreatment::ZSplit => values,
    };
    let sizes: Vec<f64> = ranked.iter().map(|value| value.abs()).collect();
    let ranks = midranks(&sizes, Direction::LowerIsBetter)?;
    let (mut positive, mut negative, mut zero) = (0.0, 0.0, 0.0);
    let mut nonzero_ranks = Vec::with_capacity(ranked.len());
    for (value, &rank) in ranked.iter().zip(&ranks.ranks) {
        if is_zero(*value) {
            zero += rank;
        } else {
            nonzero_ranks.push(rank);
            if *value > 0.0 {
                positive += rank;
            } else {
                negative += rank;
            }
        }
    }
    let p_and_method = if ranked.len() <= options.exact_up_to {
        let p = exact_p(positive, &nonzero_ranks, options.alternative);
        (p, WilcoxonMethod::Exact)
    } else {
        // Zeros are the smallest absolute values, hence the first group of ties.
        let zero_ties = if zero > 0.0 {
            (n_zero as f64).powi(3) - n_zero as f64
        } else {
            0.0
        };
        let moments = match options.zeros {
            ZeroTreatment::Wilcox | ZeroTreatment::ZSplit => {
                Moments::of(ranked.len(), 0, ranks.tie_term())
            }
            ZeroTreatment::Pratt => Moments::of(ranked.len(), n_zero, ranks.tie_term() - zero_ties),
        };
        let split = if options.zeros == ZeroTreatment::ZSplit {
            zero / 2.0
        } else {
            0.0
        };
        let z = moments.z(positive + split, options);
        (
            normal_p(z, options.alternative),
            WilcoxonMethod::Normal { z },
        )
    };
    let split = if options.zeros == ZeroTreatment::ZSplit {
        zero / 2.0
    } else {
        0.0
    };
    Ok(Wilcoxon {
        w_plus: positive + split,
        w_minus: negative + split,
        p_value: p_and_method.0,
        method: p_and_method.1,
        n_nonzero: nonzero_ranks.len(),
        n_zero,
    })
}

fn prepared(differences: &[f64], resolution: Option<f64>) -> Result<Vec<f64>> {
    if let Some(step) = resolution
        && !(step.is_finite() && step > 0.0)
    {
        return Err(StatsError::OutOfRange {
            name: "resolution",
            value: step,
            range: "a finite number above 0",
        });
    }
    differences
        .iter()
        .enumerate()
        .map(|(index, &value)| {
            // Whole numbers of steps, not multiplied back: only order and equality matter.
            let value = resolution.map_or(value, |step| (value / step).round());
            finite(value, || format!("difference {index}"))
        })
        .collect()
}

fn is_zero(value: f64) -> bool {
    value.abs() <= 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREATMENTS: [ZeroTreatment; 3] = [
        ZeroTreatment::Wilcox,
        ZeroTreatment::Pratt,
        ZeroTreatment::ZSplit,
    ];

    #[test]
    fn nothing_but_zeros_is_no_evidence() {
        for zeros in TREATMENTS {
            for exact_up_to in [0, 50] {
                let options = WilcoxonOptions {
                    zeros,
                    exact_up_to,
                    ..WilcoxonOptions::default()
                };
                for count in [1, 2, 7] {
                    let test = wilcoxon(&vec![0.0; count], options).unwrap();
                    assert!(
                        (test.p_value - 1.0).abs() < 1e-15,
                        "{zeros:?} {exact_up_to} {count}"
                    );
                    assert_eq!((test.n_nonzero, test.n_zero), (0, count));
                    assert!(test.rank_biserial().abs() < 1e-15);
                }
            }
        }
    }

    #[test]
    fn one_difference_decides_nothing() {
        let test = wilcoxon(&[3.0], WilcoxonOptions::default()).unwrap();
        assert!((test.p_value - 1.0).abs() < 1e-15);
        assert!((test.rank_biserial() - 1.0).abs() < 1e-15);
    }

    #[test]
    fn the_resolution_restores_ties_and_zeros() {
        let noisy = [0.1 + 0.2 - 0.3, 0.3 - 0.2, 0.2 - 0.1, -0.1];
        let options = WilcoxonOptions {
            resolution: Some(1e-12),
            ..WilcoxonOptions::default()
        };
        let rounded = wilcoxon(&noisy, options).unwrap();
        assert_eq!((rounded.n_zero, rounded.n_nonzero), (1, 3));
        assert!(
            (rounded.w_plus - 4.0).abs() < 1e-15,
            "two of three ranks of 2"
        );
        assert_eq!(
            wilcoxon(&noisy, WilcoxonOptions::default()).unwrap().n_zero,
            0
        );
    }

    #[test]
    fn bad_input_is_an_error_value() {
        let default = WilcoxonOptions::default();
        assert!(wilcoxon(&[], default).is_err());
        assert!(wilcoxon(&[f64::NAN], default).is_err());
        assert!(
            wilcoxon(
                &[1.0],
                WilcoxonOptions {
                    resolution: Some(0.0),
                    ..default
                }
            )
            .is_err()
        );
        assert!(
            wilcoxon(
                &[1.0],
                WilcoxonOptions {
                    exact_up_to: 2000,
                    ..default
                }
            )
            .is_err()
        );
    }
}
