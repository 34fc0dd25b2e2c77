//! Safe-Level-SMOTE: SMOTE whose new rows lie nearer to the end of the segment that has more of the
//! class around it.
//!
//! # When it helps, when it hurts
//!
//! It keeps new rows out of foreign ground, so it suits overlapping and noisy classes, where `smote`
//! and the borderline methods make things worse. It also keeps them away from the border, where
//! they would have moved it.
//!
//! # Formula
//!
//! The safe level of a row is the number of rows of class c among its k nearest neighbours in the
//! whole training set. For a row p of the class and a row n among its k nearest neighbours (of any
//! class), with safe levels `s_p` and `s_n`, the new row is `p + g (n - p)`:
//!
//! | case | g |
//! |---|---|
//! | `s_p = s_n = 0` | no row |
//! | `s_n = 0`, `s_p > 0` | 0: a copy of p |
//! | `s_p = s_n` | `U[0, 1)` |
//! | `s_p > s_n` | `U[0, s_n / s_p)` |
//! | `s_p < s_n` | `U[1 - s_p / s_n, 1)` |
//!
//! # Cost
//!
//! O(q n d) for the neighbours of q rows (those of the class and their neighbours) among all n rows of
//! d columns, then O(d) a new row.
//!
//! # Differences
//!
//! * The paper draws g anew for each column, which fills a box; here one g a row keeps it on the
//!   segment.
//! * The paper visits each row once and passes over pairs without a safe end; here pairs that give a
//!   row are drawn uniformly until the count is as asked, which spreads the rows over the pairs alike.
//!   Where no pair gives one, the class stays as it is: a note says so, and when no class could be
//!   enlarged the method is not applicable.
//! * imbalanced-learn does not have it. `smote_variants` 1.0 draws g a column and indexes the
//!   neighbour table of all rows by the number of the row within the class.
//! * More than two classes: each against all others.
//! * Nominal columns are refused: a neighbour of another class has no say in a vote for this one.
//!
//! # Errors
//!
//! Those of [`strategy`](super::strategy); [`StageError::NotApplicable`] for nominal columns, and when no class that
//! should grow has a safe pair; those of the `small_class` policy for k beyond the rows that there are;
//! `Failed` for values that are not finite.
//!
//! [`StageError::NotApplicable`]: counterweight_core::StageError::NotApplicable
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     Deadline, Labels, Matrix, ParamValue, Partition, Samples, Seed, Shared, SmallClass,
//!     StageContext, find, params,
//! };
//! let x = Matrix::from_vec(7, 1, vec![0., 1., 2., 3., 4., 6., 7.])?;
//! let samples = Samples::numeric(x, Labels::from_texts(&["a", "a", "a", "a", "b", "b", "b"]))?;
//! let (train, _) = Partition::new(7, (0..7).collect(), vec![])?.cut_samples(&samples)?;
//!
//! let entry = find(counterweight_corrections::resample::ALL, "safe-level-smote").expect("it is listed");
//! let given = [("k".to_owned(), ParamValue::Whole(2))];
//! let params = params::check(entry.card.params, &given.into()).expect("they are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let even = (entry.build)(&params)?.resample(&train, &mut context)?;
//! // Nothing between the row at 4, which has no other of its class nearby, and those that do.
//! let made = even.samples().x().at(7, 0);
//! assert!(made <= 3.0 || made >= 6.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! C. Bunkhumpornpat, K. Sinapiromsaran and C. Lursinsap, "Safe-Level-SMOTE:
//! safe-level-synthetic minority over-sampling technique for handling the class imbalanced problem",
//! PAKDD 2009.

use counterweight_core::{
    NewRows, Range, Resampler, ResamplerCaps, ResamplerEntry, StageContext, StageResult, Train,
    parameters,
};
use rand::RngExt as _;

use super::blend::{Blend, refuse_nominal};
use super::growth::{grow, neighbours_among_all};
use super::room::Room;
use super::strategy::Grow;
use counterweight_numeric::neighbours::{self, Metric, Points, Pool};

parameters! {
    /// Safe-Level-SMOTE with checked parameters.
    pub struct SafeLevelSmote {
        /// how many rows of each class to end with
        strategy: Grow = "auto";
        /// nearest neighbours of the same class to interpolate towards
        k: usize = 5, in Range::AT_LEAST_ONE, probe [1];
    }
}

/// A row of the class, a neighbour, and their safe levels; not both are 0.
#[derive(Clone, Copy, Debug)]
struct Pair {
    base: usize,
    other: usize,
    base_level: usize,
    other_level: usize,
}

impl Resampler for SafeLevelSmote {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        let samples = train.samples();
        refuse_nominal(samples, "safe-level-smote")?;
        let blend = Blend::new(samples, "safe-level-smote")?;
        let mut made = vec![0.0; samples.x().cols()];
        let points = Points::new(samples, Metric::Euclidean)?;
        grow(train, &self.strategy, context, |of, growth, context| {
            let k = neighbours_among_all("k", self.k, samples.n_rows(), context)?;
            let pairs = pairs(train, &points, (of.class, k), context)?;
            if pairs.is_empty() {
                growth.leave(
                    format!(
                        "no row of class {} or neighbour of one has a row of the class among its {k} \
                         neighbours: it stays at {} rows",
                        of.name,
                        of.rows.len()
                    ),
                    context,
                );
                return Ok(());
            }
            for _ in 0..of.missing {
                context.deadline.check()?;
                let pair = pairs[context.stream.random_range(0..pairs.len())];
                let u: f64 = context.stream.random();
                if pair.other_level == 0 {
                    growth.copy(pair.base);
                    continue;
                }
                let gap = gap(pair.base_level, pair.other_level, u);
                blend.write(samples.x(), (pair.base, pair.other, gap), &[], &mut made);
                growth.made(pair.base, pair.other, &made);
            }
            Ok(())
        })
    }
}

/// How far towards the neighbour, for safe levels of which the second is above 0.
fn gap(base: usize, other: usize, u: f64) -> f64 {
    let ratio = base as f64 / other as f64;
    if base > other {
        u / ratio
    } else {
        (1.0 - ratio) + u * ratio
    }
}

/// Every pair of a row of the class and one of its neighbours that gives a row.
fn pairs(
    train: &Train,
    points: &Points,
    (class, k): (usize, usize),
    context: &StageContext<'_>,
) -> StageResult<Vec<Pair>> {
    let samples = train.samples();
    let y = samples.y();
    let all = Pool::All.rows(samples);
    let rows = Pool::Class(class).rows(samples);
    let lists = neighbours::nearest(points, &rows, &all, k, &context.deadline)?;
    let level = |near: &[usize]| near.iter().filter(|&&row| y.class(row) == class).count();
    let mut levels = vec![0; samples.n_rows()];
    for (at, &row) in rows.iter().enumerate() {
        levels[row] = level(lists.of(at));
    }
    let mut others: Vec<usize> = (0..rows.len())
        .flat_map(|at| lists.of(at))
        .copied()
        .filter(|&row| y.class(row) != class)
        .collect();
    others.sort_unstable();
    others.dedup();
    let around = neighbours::nearest(points, &others, &all, k, &context.deadline)?;
    for (at, &row) in others.iter().enumerate() {
        levels[row] = level(around.of(at));
    }
    let mut pairs = Vec::new();
    for (at, &base) in rows.iter().enumerate() {
        for &other in lists.of(at) {
            if levels[base] + levels[other] > 0 {
                pairs.push(Pair {
                    base,
                    other,
                    base_level: levels[base],
                    other_level: levels[other],
                });
            }
        }
    }
    Ok(pairs)
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<SafeLevelSmote>(
    "safe-level-smote",
    "smote with new rows nearer to the end that has more of the class around it",
    "Bunkhumpornpat et al. 2009",
    ResamplerCaps::GROWS
        .making(NewRows::Between)
        .numeric()
        .taking(|params, size| {
            let room = Room::over(params, size);
            room.result() + room.search()
        }),
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gap_leans_towards_the_safer_end() {
        let top = 1.0 - f64::EPSILON;
        for (base, other, low, high) in [
            (3, 3, 0.0, 1.0),
            (4, 1, 0.0, 0.25),
            (1, 4, 0.75, 1.0),
            (0, 2, 1.0, 1.0),
        ] {
            assert!((gap(base, other, 0.0) - low).abs() < 1e-12);
            assert!((gap(base, other, top) - high).abs() < 1e-12);
        }
    }
}
