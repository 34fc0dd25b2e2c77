//! Whole numbers in given shares.

use super::counts::{SLACK, whole};

/// Counts that sum to `n` in proportion to `shares` (at least 0, not all 0), rounded by largest remainder; equal
/// remainders go to the lower class. Each lies within one of its exact share. Cost: O(K log K).
///
/// # Examples
/// ```
/// use counterweight_data::profile::counts_of_shares;
/// assert_eq!(counts_of_shares(10, &[0.75, 0.25]), [8, 2]);
/// ```
pub fn counts_of_shares(n: usize, shares: &[f64]) -> Vec<usize> {
    let total: f64 = shares.iter().sum();
    let quotas: Vec<f64> = shares
        .iter()
        .map(|share| n as f64 * (share / total))
        .collect();
    let mut counts: Vec<usize> = quotas
        .iter()
        .map(|&quota| whole(quota).unwrap_or(usize::MAX).min(n))
        .collect();
    // On a grid of SLACK, so that remainders that are equal but for rounding count as equal.
    let remainder = |class: usize| {
        let rest = (quotas[class] - counts[class] as f64).max(0.0);
        std::cmp::Reverse(whole((rest / SLACK).round()))
    };
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by_key(|&class| remainder(class));
    let given: usize = counts.iter().sum();
    for &class in order.iter().take(n.saturating_sub(given)) {
        counts[class] += 1;
    }
    counts
}

/// The most rows of each class that a supply can give in these shares, which sum to 1: `floor(n share + 1e-9)` with
/// `n = min_i supply_i / share_i`. Exact but for the rows that the floors drop; 0 of a class without share. Cost: O(K).
///
/// # Examples
/// ```
/// use counterweight_data::profile::counts_to_shares;
/// assert_eq!(counts_to_shares(&[90, 30], &[0.5, 0.5]), [30, 30]);
/// assert_eq!(counts_to_shares(&[90, 30], &[0.9, 0.1]), [90, 10]);
/// ```
pub fn counts_to_shares(supply: &[usize], shares: &[f64]) -> Vec<usize> {
    let n = supply
        .iter()
        .zip(shares)
        .filter(|(_, share)| **share > 0.0)
        .map(|(&supply, share)| supply as f64 / share)
        .fold(f64::INFINITY, f64::min);
    let of = |(&supply, share): (&usize, &f64)| whole(n * share).unwrap_or(0).min(supply);
    supply.iter().zip(shares).map(of).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn shares_are_met(
            supply in prop::collection::vec(1_usize..5000, 2..8),
            parts in prop::collection::vec(0.01_f64..1.0, 8),
            n in 1_usize..10_000,
        ) {
            let parts = &parts[..supply.len()];
            let total: f64 = parts.iter().sum();
            let shares: Vec<f64> = parts.iter().map(|part| part / total).collect();
            let drawn = counts_of_shares(n, &shares);
            prop_assert_eq!(drawn.iter().sum::<usize>(), n);
            let thinned = counts_to_shares(&supply, &shares);
            let most = supply.iter().zip(&shares).map(|(&s, p)| s as f64 / p).fold(f64::INFINITY, f64::min);
            for ((&have, &take), share) in supply.iter().zip(&thinned).zip(&shares) {
                prop_assert!(take <= have && (take as f64 - most * share).abs() < 1.0 + 1e-6);
            }
            prop_assert!(thinned.iter().zip(&supply).any(|(take, have)| take == have));
            for (count, share) in drawn.iter().zip(&shares) {
                prop_assert!((*count as f64 - n as f64 * share).abs() < 1.0 + 1e-6);
            }
        }
    }
}
