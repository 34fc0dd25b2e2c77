//! The null distribution of the signed-rank statistic: exact and normal.

use crate::special::normal_sf;
use crate::wilcoxon::{Alternative, WilcoxonOptions};

/// Tail probabilities of W+ by adding one coin at a time: P(s) = P'(s)/2 + P'(s - r)/2 over doubled
/// ranks r. Probabilities rather than counts, so that no n overflows.
pub(crate) fn exact_p(w_plus: f64, ranks: &[f64], alternative: Alternative) -> f64 {
    let doubled: Vec<usize> = ranks.iter().map(|rank| whole(2.0 * rank)).collect();
    let observed = whole(2.0 * w_plus);
    let mut chance = vec![0.0; doubled.iter().sum::<usize>() + 1];
    if let Some(start) = chance.first_mut() {
        *start = 1.0;
    }
    let mut reached = 0;
    for &step in &doubled {
        for sum in (0..=reached + step).rev() {
            let without = if sum <= reached {
                chance.get(sum).copied()
            } else {
                None
            };
            let with = sum
                .checked_sub(step)
                .and_then(|before| chance.get(before).copied());
            if let Some(slot) = chance.get_mut(sum) {
                *slot = 0.5 * (without.unwrap_or(0.0) + with.unwrap_or(0.0));
            }
        }
        reached += step;
    }
    // Each tail from its far end: small terms first.
    let less: f64 = chance.iter().take(observed + 1).sum();
    let greater: f64 = chance.iter().skip(observed).rev().sum();
    let p = match alternative {
        Alternative::TwoSided => 2.0 * less.min(greater),
        Alternative::Less => less,
        Alternative::Greater => greater,
    };
    p.min(1.0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "doubled midranks are whole, positive and at most n (n + 1)"
)]
fn whole(value: f64) -> usize {
    value.round() as usize
}

/// Mean and standard deviation of W+ under the null, scipy's forms.
pub(crate) struct Moments {
    mean: f64,
    deviation: f64,
}

impl Moments {
    /// `count` ranked differences, of which `dropped_zeros` lost their ranks.
    pub(crate) fn of(count: usize, dropped_zeros: usize, tie_term: f64) -> Self {
        let linear = |n: f64| n * (n + 1.0);
        let cubic = |n: f64| n * (n + 1.0) * (2.0 * n + 1.0);
        let (n, z) = (count as f64, dropped_zeros as f64);
        let mean = (linear(n) - linear(z)) / 4.0;
        let variance = (cubic(n) - cubic(z) - tie_term / 2.0) / 24.0;
        Self {
            mean,
            deviation: variance.max(0.0).sqrt(),
        }
    }

    /// The standardised W+.
    pub(crate) fn z(&self, w_plus: f64, options: WilcoxonOptions) -> f64 {
        if self.deviation <= 0.0 {
            return 0.0;
        }
        let z = (w_plus - self.mean) / self.deviation;
        if !options.continuity {
            return z;
        }
        let sign = match options.alternative {
            Alternative::Greater => 1.0,
            Alternative::Less => -1.0,
            Alternative::TwoSided if z.abs() <= 0.0 => 0.0,
            Alternative::TwoSided => z.signum(),
        };
        z - sign * 0.5 / self.deviation
    }
}

/// The p value of z.
pub(crate) fn normal_p(z: f64, alternative: Alternative) -> f64 {
    match alternative {
        Alternative::TwoSided => (2.0 * normal_sf(z.abs())).min(1.0),
        Alternative::Less => normal_sf(-z),
        Alternative::Greater => normal_sf(z),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tails_of_a_small_distribution() {
        // Ranks 1, 2, 3: sums 0, 1, 2, 3, 3, 4, 5, 6.
        let ranks = [1.0, 2.0, 3.0];
        for (w, less, greater) in [(0.0, 1.0, 8.0), (3.0, 5.0, 5.0), (6.0, 8.0, 1.0)] {
            assert!((exact_p(w, &ranks, Alternative::Less) - less / 8.0).abs() < 1e-15);
            assert!((exact_p(w, &ranks, Alternative::Greater) - greater / 8.0).abs() < 1e-15);
        }
        assert!((exact_p(3.0, &ranks, Alternative::TwoSided) - 1.0).abs() < 1e-15);
        assert!((exact_p(0.0, &[], Alternative::TwoSided) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn moments_of_untied_ranks() {
        let moments = Moments::of(10, 0, 0.0);
        assert!((moments.mean - 27.5).abs() < 1e-12);
        assert!((moments.deviation - 96.25_f64.sqrt()).abs() < 1e-12);
    }
}
