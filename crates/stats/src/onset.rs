//! From which rung of a ladder on a gain holds.
//!
//! Every cluster has a gain at every rung; the rungs of a cluster are resampled together. The **onset** is
//! the smallest rung from which on the mean gain exceeds the margin at every larger rung, so the truth
//! lies between the rung below and it. Its interval is the 2.5 to 97.5 % range over bootstrap draws of the
//! clusters, a draw without an onset counting as beyond the last rung. Bands are simultaneous over the
//! rungs (max-t).

use rand::RngExt;

use crate::bootstrap::quantile;
use crate::error::{Result, StatsError, Unit, at_least};
use crate::mean::FEWEST_UNITS;
use crate::params::{Seed, Stream};

const DRAWS: usize = 2_000;

/// What is known of the onset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnsetVerdict {
    /// At the rung of this index.
    At(usize),
    /// Over half of the draws have none.
    NoneInRange,
    /// The interval spans all rungs, or there are too few clusters for one.
    NotDetermined,
}

/// The mean gain at each rung, and from which on it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Onset {
    /// By rung.
    pub means: Vec<f64>,
    /// Ends of the simultaneous 95 % band by rung; empty below six clusters.
    pub bands: Vec<(f64, f64)>,
    /// What it comes to.
    pub verdict: OnsetVerdict,
    /// The interval as indices of rungs, the upper end `None` beyond the last.
    pub interval: Option<(usize, Option<usize>)>,
}

/// Finds the onset in gains by cluster and rung, rungs rising.
///
/// # Errors
///
/// [`StatsError::TooFew`] without a cluster or below two rungs, [`StatsError::LengthMismatch`] for a
/// ragged table.
///
/// # Examples
///
/// ```
/// use counterweight_stats::{OnsetVerdict, Seed, onset};
///
/// let gains: Vec<Vec<f64>> = (0..8).map(|c| vec![0.0, 0.001 * f64::from(c), 0.04]).collect();
/// assert_eq!(onset(&gains, 0.005, Seed(0))?.verdict, OnsetVerdict::At(2));
/// # Ok::<(), counterweight_stats::StatsError>(())
/// ```
pub fn onset(gains: &[Vec<f64>], margin: f64, seed: Seed) -> Result<Onset> {
    at_least("an onset", Unit::Clusters, gains.len(), 1)?;
    let rungs = gains.first().map_or(0, Vec::len);
    at_least("an onset", Unit::Ratios, rungs, 2)?;
    if let Some(line) = gains.iter().find(|line| line.len() != rungs) {
        return Err(StatsError::LengthMismatch {
            what: "gains along a ladder",
            found: line.len(),
            expected: rungs,
        });
    }
    let count = gains.len() as f64;
    let mean = |drawn: &mut dyn Iterator<Item = &Vec<f64>>| {
        let mut means = vec![0.0; rungs];
        for line in drawn {
            for (mean, gain) in means.iter_mut().zip(line) {
                *mean += gain / count;
            }
        }
        means
    };
    let from = |means: &[f64]| {
        let holds = means
            .iter()
            .rev()
            .take_while(|mean| **mean > margin)
            .count();
        rungs - holds
    };
    let means = mean(&mut gains.iter());
    let mut found = Onset {
        bands: Vec::new(),
        verdict: OnsetVerdict::NotDetermined,
        interval: None,
        means,
    };
    if gains.len() < FEWEST_UNITS {
        return Ok(found);
    }
    let error = |(rung, mean): (usize, &f64)| {
        let of = |line: &Vec<f64>| line.get(rung).map_or(0.0, |gain| (gain - mean).powi(2));
        (gains.iter().map(of).sum::<f64>() / (count - 1.0) / count).sqrt()
    };
    let errors: Vec<f64> = found.means.iter().enumerate().map(error).collect();
    let mut rng = seed.rng(Stream::Onset);
    let (mut starts, mut largest) = (Vec::with_capacity(DRAWS), Vec::with_capacity(DRAWS));
    for _ in 0..DRAWS {
        let mut drawn =
            (0..gains.len()).filter_map(|_| gains.get(rng.random_range(0..gains.len())));
        let drawn = mean(&mut drawn);
        let shifts = drawn.iter().zip(&found.means).zip(&errors);
        let shifts = shifts.filter(|(_, error)| **error > 0.0);
        largest.push(
            shifts
                .map(|((a, b), error)| (a - b).abs() / error)
                .fold(0.0, f64::max),
        );
        starts.push(from(&drawn));
    }
    largest.sort_by(f64::total_cmp);
    let half = quantile(&largest, 0.95);
    let band = |(mean, error): (&f64, &f64)| (mean - half * error, mean + half * error);
    found.bands = found.means.iter().zip(&errors).map(band).collect();
    starts.sort_unstable();
    let at = |share: f64| {
        let place = (share * (DRAWS - 1) as f64).round();
        let reached = (0..DRAWS).find(|&index| index as f64 >= place);
        reached
            .and_then(|index| starts.get(index))
            .copied()
            .unwrap_or(rungs)
    };
    let (low, high) = (at(0.025), at(0.975));
    let start = from(&found.means);
    found.interval = Some((low, Some(high).filter(|high| *high < rungs)));
    let without = starts.iter().filter(|start| **start == rungs).count();
    found.verdict = if 2 * without > DRAWS || start == rungs {
        OnsetVerdict::NoneInRange
    } else if low == 0 && high + 1 >= rungs {
        OnsetVerdict::NotDetermined
    } else {
        OnsetVerdict::At(start)
    };
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn onsets_are_found_bracketed_or_refused() {
        let table = |at: &dyn Fn(usize, usize) -> f64| -> Vec<Vec<f64>> {
            (0..12)
                .map(|c| (0..4).map(|r| at(c, r)).collect())
                .collect()
        };
        let noise = |c: usize, r: usize| ((c * 7 + r * 5) % 11) as f64 / 1000.0 - 0.005;
        let late = onset(
            &table(&|c, r| noise(c, r) + if r > 1 { 0.03 } else { 0.0 }),
            0.005,
            Seed(0),
        );
        let late = late.unwrap();
        assert_eq!(
            (late.verdict, late.interval),
            (OnsetVerdict::At(2), Some((2, Some(2))))
        );
        assert!(late.bands[0].0 < late.means[0] && late.means[0] < late.bands[0].1);
        let never = onset(&table(&noise), 0.005, Seed(0)).unwrap();
        assert_eq!(never.verdict, OnsetVerdict::NoneInRange);
        assert_eq!(never.interval.unwrap().1, None);
        let few = onset(&table(&noise)[..5], 0.005, Seed(0)).unwrap();
        assert_eq!(few.verdict, OnsetVerdict::NotDetermined);
        assert!(onset(&[vec![0.1]], 0.0, Seed(0)).is_err());
        assert!(onset(&[vec![0.1, 0.2], vec![0.1]], 0.0, Seed(0)).is_err());
    }
}
