//! Whole numbers in given shares: the method of the largest remainder.

use std::cmp::Ordering;

/// Splits `total` into parts proportional to `weights`, each at most its weight's own cap and at
/// least its floor. Remainders are given to the largest fractions, ties to the first.
pub(super) fn largest_remainder(
    total: usize,
    weights: &[usize],
    bounds: &[(usize, usize)],
) -> Vec<usize> {
    let sum: usize = weights.iter().sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let exact: Vec<f64> = weights
        .iter()
        .map(|&w| total as f64 * w as f64 / sum as f64)
        .collect();
    let mut parts: Vec<usize> = exact
        .iter()
        .zip(bounds)
        .map(|(&share, &(low, high))| floor(share).clamp(low, high))
        .collect();
    // One row at a time towards `total`: the part that is furthest below (or above) its exact share
    // and may still move. The number of steps is at most the number of parts plus the rows that the
    // bounds displaced.
    loop {
        let have: usize = parts.iter().sum();
        let gap = |at: usize| exact[at] - parts[at] as f64;
        match have.cmp(&total) {
            Ordering::Equal => return parts,
            Ordering::Less => {
                let next = (0..parts.len())
                    .filter(|&at| parts[at] < bounds[at].1)
                    .max_by(|&a, &b| gap(a).total_cmp(&gap(b)).then(b.cmp(&a)));
                let Some(next) = next else { return parts };
                parts[next] += 1;
            }
            Ordering::Greater => {
                let next = (0..parts.len())
                    .filter(|&at| parts[at] > bounds[at].0)
                    .min_by(|&a, &b| gap(a).total_cmp(&gap(b)).then(a.cmp(&b)));
                let Some(next) = next else { return parts };
                parts[next] -= 1;
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "shares are non-negative and at most the number of rows"
)]
fn floor(share: f64) -> usize {
    share.floor() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn remainders_go_to_the_largest_fractions() {
        let free = [(0, 100); 3];
        assert_eq!(largest_remainder(10, &[50, 30, 20], &free), [5, 3, 2]);
        assert_eq!(largest_remainder(10, &[1, 1, 1], &free), [4, 3, 3]);
        assert_eq!(
            largest_remainder(5, &[98, 1, 1], &[(1, 98), (1, 1), (1, 1)]),
            [3, 1, 1]
        );
        assert_eq!(largest_remainder(5, &[0, 0], &[(0, 0); 2]), [0, 0]);
    }

    proptest! {
        #[test]
        fn the_total_is_met_within_bounds(
            weights in prop::collection::vec(1_usize..50, 1..8),
            share in 0.0..1.0_f64,
        ) {
            let sum: usize = weights.iter().sum();
            let total = floor(sum as f64 * share);
            let bounds: Vec<_> = weights.iter().map(|&w| (0, w)).collect();
            let parts = largest_remainder(total, &weights, &bounds);
            prop_assert_eq!(parts.iter().sum::<usize>(), total);
            for (part, weight) in parts.iter().zip(&weights) {
                let exact = total as f64 * *weight as f64 / sum as f64;
                prop_assert!((*part as f64 - exact).abs() <= 1.0 + 1e-9);
            }
        }
    }
}
