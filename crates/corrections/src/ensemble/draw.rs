//! Which rows a member sees: subsets and bootstraps, class by class, and synthetic rows from the
//! registry's interpolating samplers.

use std::collections::BTreeMap;

use counterweight_core::{
    Resampler, Samples, StageContext, StageError, StageResult, Stream, Train,
};
use rand::RngExt as _;

use super::members::Members;
use crate::resample::smote::Smote;
use crate::resample::smote_n::SmoteN;
use crate::resample::smote_nc::SmoteNc;
use crate::resample::strategy::Grow;
use counterweight_numeric::neighbours::split_columns;

/// The rows of each class.
pub(super) fn by_class(samples: &Samples) -> Vec<Vec<usize>> {
    let mut rows = vec![Vec::new(); samples.y().n_classes()];
    for row in 0..samples.n_rows() {
        rows[samples.y().class(row)].push(row);
    }
    rows
}

/// Draws `targets[c]` of the rows `pools[c]` of each class, ascending. Without replacement, a class
/// that is asked for more rows than it has gives each once and the rest by drawing.
pub(super) fn draw(
    pools: &[Vec<usize>],
    targets: &[usize],
    replacement: bool,
    stream: &mut Stream,
) -> Vec<usize> {
    let mut drawn = Vec::with_capacity(targets.iter().sum());
    for (pool, &target) in pools.iter().zip(targets) {
        if pool.is_empty() {
            continue;
        }
        if replacement {
            drawn.extend((0..target).map(|_| pool[stream.random_range(0..pool.len())]));
            continue;
        }
        if target >= pool.len() {
            drawn.extend_from_slice(pool);
            let more = target - pool.len();
            drawn.extend((0..more).map(|_| pool[stream.random_range(0..pool.len())]));
            continue;
        }
        drawn.extend(subset(pool, target, stream));
    }
    drawn.sort_unstable();
    drawn
}

/// `size` different entries of `pool`, each subset as likely.
pub(super) fn subset(pool: &[usize], size: usize, stream: &mut Stream) -> Vec<usize> {
    let mut pool = pool.to_vec();
    let size = size.min(pool.len());
    for at in 0..size {
        let other = stream.random_range(at..pool.len());
        pool.swap(at, other);
    }
    pool.truncate(size);
    pool
}

/// The rows `rows` of a training set as one of their own.
pub(super) fn take(train: &Train, rows: &[usize]) -> StageResult<Train> {
    train.derive(|samples| Ok::<_, StageError>(samples.select(rows)))
}

/// Cumulative sums of `weights`, for [`weighted`].
pub(super) fn cumulative(weights: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    weights
        .iter()
        .map(|w| {
            sum += w;
            sum
        })
        .collect()
}

/// The nearest whole number of rows to a share of `n`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share in [0, 1] of a count"
)]
pub(super) fn share_of(n: usize, share: f64) -> usize {
    (n as f64 * share).round() as usize
}

/// Checks that there can be memory for a list of so many rows: a count in a sweep file can be anything.
///
/// # Errors
/// [`StageError::OutOfMemory`] when there cannot.
pub(super) fn check_room(targets: &[usize]) -> StageResult<()> {
    let rows = targets
        .iter()
        .try_fold(0_usize, |sum, &n| sum.checked_add(n));
    let room = rows.is_some_and(|rows| Vec::<usize>::new().try_reserve_exact(rows).is_ok());
    if room {
        Ok(())
    } else {
        Err(StageError::OutOfMemory(format!(
            "no memory for the rows that `strategy` asks for: {targets:?}; ask for fewer"
        )))
    }
}

/// `n` draws of positions in proportion to weights, given as [`cumulative`] sums with a positive end,
/// ascending.
pub(super) fn weighted(sums: &[f64], n: usize, stream: &mut Stream) -> Vec<usize> {
    let total = sums.last().copied().unwrap_or(0.0);
    let mut drawn: Vec<usize> = (0..n)
        .map(|_| {
            let at = stream.random::<f64>() * total;
            // The first whose sum lies above: positions without weight are never hit.
            let found = sums.partition_point(|sum| *sum <= at);
            found.min(sums.len() - 1)
        })
        .collect();
    drawn.sort_unstable();
    drawn
}

/// The training rows followed by `extra[c]` rows of each class made by SMOTE: `smote` on numeric columns,
/// `smote-nc` on mixed and `smote-n` on nominal ones.
///
/// # Errors
/// Whatever the sampler gives; nothing is asked of it when no class is to grow.
pub(super) fn synthesise(
    train: &Train,
    extra: &[usize],
    k: usize,
    members: &mut Members<'_>,
    stream: &mut Stream,
) -> StageResult<Train> {
    let samples = train.samples();
    let counts = train.counts();
    let names = samples.y().names();
    let grown: BTreeMap<String, usize> = extra
        .iter()
        .enumerate()
        .filter(|&(class, &extra)| extra > 0 && counts.as_slice()[class] > 0)
        .map(|(class, extra)| {
            let target = counts.as_slice()[class].saturating_add(*extra);
            (names[class].clone(), target)
        })
        .collect();
    if grown.is_empty() {
        return Ok(train.clone());
    }
    let strategy = Grow::counts(grown);
    let by = |train: &Train, context: &mut StageContext<'_>| {
        let (numeric, nominal) = split_columns(train.samples());
        let sampler: Box<dyn Resampler> = match (numeric.is_empty(), nominal.is_empty()) {
            (_, true) => Box::new(Smote::default().strategy(strategy).k(k)),
            (true, false) => Box::new(SmoteN::default().strategy(strategy).k(k)),
            (false, false) => Box::new(SmoteNc::default().strategy(strategy).k(k)),
        };
        sampler.resample(train, context)
    };
    members.resample(stream, |context| train.resampled_by(context, by))
}

/// Divides `total` over bins in proportion to `weights`, no bin beyond its `room`: whole shares first,
/// what is left by the same proportions among the bins with room, and the last rows, fewer than the
/// bins, to the heaviest. Ties go to the first.
pub(super) fn apportion(weights: &[f64], room: &[usize], total: usize) -> Vec<usize> {
    let mut shares = vec![0_usize; weights.len()];
    let mut left = total.min(room.iter().sum());
    while left > 0 {
        let open: Vec<usize> = (0..weights.len())
            .filter(|&bin| shares[bin] < room[bin])
            .collect();
        let mass: f64 = open.iter().map(|&bin| weights[bin]).sum();
        let now = left as f64;
        let n_open = open.len() as f64;
        // Bins with no weight at all are filled evenly once nothing else has room.
        let ideal = |bin: usize| {
            let share = if mass > 0.0 {
                weights[bin] / mass
            } else {
                1.0 / n_open
            };
            share * now
        };
        let mut given = 0;
        for &bin in &open {
            let whole = floor(ideal(bin)).min(room[bin] - shares[bin]);
            shares[bin] += whole;
            given += whole;
        }
        left -= given;
        if given == 0 {
            // Less than one row a bin: to the heaviest.
            let mut order = open;
            order.sort_by(|&a, &b| ideal(b).total_cmp(&ideal(a)).then(a.cmp(&b)));
            for bin in order.into_iter().take(left) {
                shares[bin] += 1;
                left -= 1;
            }
        }
    }
    shares
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count: not negative and no larger"
)]
fn floor(value: f64) -> usize {
    value as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::stream;
    use proptest::prelude::*;

    #[test]
    fn weighted_draws_follow_the_weights() {
        let sums = cumulative(&[0.0, 1.0, 0.0, 3.0, 0.0]);
        let drawn = weighted(&sums, 40_000, &mut stream(1));
        let share = drawn.iter().filter(|&&at| at == 3).count() as f64 / 40_000.0;
        assert!((share - 0.75).abs() < 0.01, "{share}");
        assert!(drawn.iter().all(|at| [1, 3].contains(at)));
    }

    #[test]
    fn subsets_have_no_repeats_and_bootstraps_do() {
        let pools = [(0..50).collect::<Vec<_>>(), vec![], (50..60).collect()];
        let mut rows = draw(&pools, &[10, 0, 10], false, &mut stream(2));
        assert_eq!(rows.len(), 20);
        rows.dedup();
        assert_eq!(rows.len(), 20);
        assert_eq!(rows[10..], (50..60).collect::<Vec<_>>());
        let mut rows = draw(&pools, &[10, 0, 10], true, &mut stream(2));
        assert_eq!(rows.len(), 20);
        assert!(rows.is_sorted());
        rows.dedup();
        assert!(rows.len() < 20);
        // More than there are: each once, and copies.
        let rows = draw(&pools, &[0, 0, 15], false, &mut stream(2));
        assert!((50..60).all(|row| rows.contains(&row)) && rows.len() == 15);
    }

    proptest! {
        #[test]
        fn apportioned_rows_sum_up_and_fit(
            bins in prop::collection::vec((0.0_f64..10.0, 0_usize..20), 1..12),
            total in 0_usize..100,
        ) {
            let (weights, room): (Vec<f64>, Vec<usize>) = bins.into_iter().unzip();
            let shares = apportion(&weights, &room, total);
            prop_assert_eq!(shares.iter().sum::<usize>(), total.min(room.iter().sum()));
            prop_assert!(shares.iter().zip(&room).all(|(share, room)| share <= room));
        }
    }

    #[test]
    fn apportioned_rows_follow_the_weights() {
        assert_eq!(apportion(&[1.0, 3.0], &[100, 100], 8), [2, 6]);
        assert_eq!(apportion(&[1.0, 3.0], &[100, 2], 8), [6, 2]);
        assert_eq!(apportion(&[1.0, 1.0, 1.0], &[5, 5, 5], 4), [2, 1, 1]);
        assert_eq!(apportion(&[0.0, 1.0], &[5, 1], 4), [3, 1]);
    }
}
