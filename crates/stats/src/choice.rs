//! The best of many, honestly: how firmly an arm is first, and what choosing it on other data gains.
//!
//! Both take a complete table of gains over a baseline: a line a cluster, a column an arm, more being
//! better, the baseline among the arms with gains of 0. An arm under two names belongs in once.
//!
//! **P(first)** is the share of bootstrap draws of the clusters in which an arm has the best mean, ties
//! split. Some arm is always first, so beside it stands what the first of arms without any difference
//! would have: the mean largest share when the labels are permuted within each cluster.
//!
//! **Honest gain**: the mean over clusters of the gain there of the arm that is best on the other
//! clusters, ties averaged. Its interval resamples clusters and leaves all copies of the judged one out of
//! the choice.

use rand::RngExt;
use rand::seq::SliceRandom;

use crate::bootstrap::{Interval, quantile};
use crate::error::{Result, StatsError, Unit, at_least};
use crate::mean::interval_of_mean;
use crate::params::{Seed, Stream};

/// Means closer than this tie: sums in another order differ in the last bits.
const TIE: f64 = 1e-12;
const DRAWS: usize = 2_000;
const PERMUTATIONS: usize = 60;
const PERMUTED_DRAWS: usize = 200;

/// How firmly each arm is first.
#[derive(Debug, Clone, PartialEq)]
pub struct FirstPlace {
    /// By arm; they add up to 1.
    pub shares: Vec<f64>,
    /// The largest share that arms without a difference would show, on average.
    pub of_equals: f64,
}

/// What the choice of an arm gains on data that had no part in it.
#[derive(Debug, Clone, PartialEq)]
pub struct HonestGain {
    /// Mean over clusters.
    pub mean: f64,
    /// By cluster.
    pub by_cluster: Vec<f64>,
    /// The share of the clusters for which an arm is chosen.
    pub chosen: Vec<f64>,
    /// Its 95 % interval; `None` below six clusters.
    pub interval: Option<Interval>,
}

/// The share of draws in which each arm has the best mean.
///
/// # Errors
///
/// [`StatsError::TooFew`] below two clusters or without an arm, [`StatsError::LengthMismatch`] for a
/// ragged table.
///
/// # Examples
///
/// ```
/// use counterweight_stats::{Seed, first_place};
///
/// let lines: Vec<Vec<f64>> = (0..8).map(|c| vec![0.0, 0.05, 0.01 * f64::from(c % 3)]).collect();
/// let first = first_place(&lines, Seed(0))?;
/// assert!(first.shares[1] > 0.99 && first.of_equals < 0.9);
/// # Ok::<(), counterweight_stats::StatsError>(())
/// ```
pub fn first_place(lines: &[Vec<f64>], seed: Seed) -> Result<FirstPlace> {
    let arms = check(lines)?;
    let mut rng = seed.rng(Stream::FirstPlace);
    let mut shares_of = |lines: &[Vec<f64>], draws: usize| {
        let mut shares = vec![0.0; arms];
        let mut sums = vec![0.0; arms];
        for _ in 0..draws {
            sums.fill(0.0);
            for _ in 0..lines.len() {
                if let Some(line) = lines.get(rng.random_range(0..lines.len())) {
                    add(&mut sums, line, 1.0);
                }
            }
            let best = leaders(&sums, lines.len() as f64);
            for &arm in &best {
                if let Some(share) = shares.get_mut(arm) {
                    *share += 1.0 / (best.len() * draws) as f64;
                }
            }
        }
        shares
    };
    let shares = shares_of(lines, DRAWS);
    let mut labels = seed.rng(Stream::Labels);
    let mut largest = 0.0;
    for _ in 0..PERMUTATIONS {
        let mut permuted = lines.to_vec();
        for line in &mut permuted {
            line.shuffle(&mut labels);
        }
        let shares = shares_of(&permuted, PERMUTED_DRAWS);
        largest += shares.into_iter().fold(0.0, f64::max) / PERMUTATIONS as f64;
    }
    Ok(FirstPlace {
        shares,
        of_equals: largest,
    })
}

/// The gain of choosing on the other clusters.
///
/// # Errors
///
/// As [`first_place`].
pub fn honest_gain(lines: &[Vec<f64>], seed: Seed) -> Result<HonestGain> {
    let arms = check(lines)?;
    let count = lines.len();
    let once = vec![1.0; count];
    let mut chosen = vec![0.0; arms];
    let by_cluster: Vec<f64> = (0..count)
        .filter_map(|cluster| {
            let (best, gain) =
                outside(lines, &sums(lines, &once, arms), cluster, 1.0, count as f64)?;
            for &arm in &best {
                if let Some(share) = chosen.get_mut(arm) {
                    *share += 1.0 / (best.len() * count) as f64;
                }
            }
            Some(gain)
        })
        .collect();
    let mean = by_cluster.iter().sum::<f64>() / count as f64;
    let mut interval = interval_of_mean(&by_cluster)?;
    if let Some(found) = interval
        .as_mut()
        .filter(|i| i.method != crate::IntervalMethod::StudentT)
    {
        let mut rng = seed.rng(Stream::HonestGain);
        let mut means = Vec::with_capacity(DRAWS);
        while means.len() < DRAWS {
            let mut copies = vec![0.0; count];
            for _ in 0..count {
                if let Some(copy) = copies.get_mut(rng.random_range(0..count)) {
                    *copy += 1.0;
                }
            }
            let all = sums(lines, &copies, arms);
            let drawn = copies.iter().enumerate().filter(|(_, n)| **n > 0.0);
            let gain: f64 = drawn
                .filter_map(|(cluster, &n)| {
                    Some(n * outside(lines, &all, cluster, n, count as f64)?.1)
                })
                .sum();
            means.push(gain / count as f64);
        }
        means.sort_by(f64::total_cmp);
        found.lower = quantile(&means, 0.025).min(mean);
        found.upper = quantile(&means, 0.975).max(mean);
    }
    if let Some(found) = &mut interval {
        found.estimate = mean;
    }
    Ok(HonestGain {
        mean,
        by_cluster,
        chosen,
        interval,
    })
}

/// How often each of some clusters is drawn, for so many bootstrap draws.
pub fn cluster_copies(clusters: usize, draws: usize, seed: Seed) -> impl Iterator<Item = Vec<f64>> {
    let mut rng = seed.rng(Stream::Copies);
    (0..draws).map(move |_| {
        let mut copies = vec![0.0; clusters];
        for _ in 0..clusters {
            if let Some(copy) = copies.get_mut(rng.random_range(0..clusters)) {
                *copy += 1.0;
            }
        }
        copies
    })
}

fn check(lines: &[Vec<f64>]) -> Result<usize> {
    at_least("a choice among arms", Unit::Clusters, lines.len(), 2)?;
    let arms = lines.first().map_or(0, Vec::len);
    at_least("a choice among arms", Unit::Methods, arms, 1)?;
    match lines.iter().find(|line| line.len() != arms) {
        None => Ok(arms),
        Some(line) => Err(StatsError::LengthMismatch {
            what: "gains of a cluster",
            found: line.len(),
            expected: arms,
        }),
    }
}

fn add(sums: &mut [f64], line: &[f64], times: f64) {
    for (sum, value) in sums.iter_mut().zip(line) {
        *sum += times * value;
    }
}

fn sums(lines: &[Vec<f64>], copies: &[f64], arms: usize) -> Vec<f64> {
    let mut sums = vec![0.0; arms];
    for (line, &times) in lines.iter().zip(copies) {
        add(&mut sums, line, times);
    }
    sums
}

/// The arms whose mean is the best.
fn leaders(sums: &[f64], count: f64) -> Vec<usize> {
    let best = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let near = |(_, sum): &(usize, &f64)| best - **sum <= TIE * count;
    sums.iter()
        .enumerate()
        .filter(near)
        .map(|(arm, _)| arm)
        .collect()
}

/// The arms that are best without `times` copies of a cluster, and their mean gain on it.
fn outside(
    lines: &[Vec<f64>],
    all: &[f64],
    cluster: usize,
    times: f64,
    count: f64,
) -> Option<(Vec<usize>, f64)> {
    let line = lines.get(cluster)?;
    let mut rest = all.to_vec();
    add(&mut rest, line, -times);
    let best = leaders(&rest, count);
    let gain = best.iter().filter_map(|&arm| line.get(arm)).sum::<f64>() / best.len() as f64;
    Some((best, gain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_arms_split_the_first_place_and_the_best_of_noise_gains_nothing() {
        let noise = |c: usize, a: usize| ((c * 37 + a * 101) % 23) as f64 / 230.0 - 0.0478;
        let lines: Vec<Vec<f64>> = (0..24)
            .map(|c| {
                (0..6)
                    .map(|a| if a == 0 { 0.0 } else { noise(c, a) })
                    .collect()
            })
            .collect();
        let first = first_place(&lines, Seed(0)).unwrap();
        assert!((first.shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        let honest = honest_gain(&lines, Seed(0)).unwrap();
        let interval = honest.interval.unwrap();
        assert!(interval.lower < 0.0 && honest.mean < 0.03, "{honest:?}");
        let split = first_place(&vec![vec![0.1, 0.1]; 3], Seed(0)).unwrap();
        assert!((split.shares[0] - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_choice_made_elsewhere_is_judged_here() {
        // The third cluster alone makes arm 1 look best.
        let lines = vec![vec![0.0, -0.01], vec![0.0, -0.01], vec![0.0, 0.9]];
        let honest = honest_gain(&lines, Seed(0)).unwrap();
        assert!(
            (honest.mean - (-0.01 - 0.01 + 0.0) / 3.0).abs() < 1e-12,
            "{honest:?}"
        );
        assert!((honest.chosen[1] - 2.0 / 3.0).abs() < 1e-12);
        assert!(honest_gain(&lines[..1], Seed(0)).is_err());
        assert!(first_place(&[vec![0.0], vec![0.0, 1.0]], Seed(0)).is_err());
    }
}
