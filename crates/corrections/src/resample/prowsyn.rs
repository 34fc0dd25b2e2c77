//! `ProWSyn`: over-sampling by proximity to the other classes. The class is peeled into levels, from the
//! border inwards; rows of outer levels start more new rows.
//!
//! # When it helps, when it hurts
//!
//! Every row of the class gets some weight, graded by its distance from the border, where
//! `borderline-smote` and `adasyn` give most rows none. Partners come from the same level and may be
//! far apart, so with several groups the new rows can lie between them.
//!
//! # Formula
//!
//! P starts as the rows of class c. For level l = 1, ..., `levels` - 1: level l is the union over all
//! rows of other classes of their k nearest rows in P; it is taken out of P. What remains is the last
//! level. A row of level l has weight `exp(-theta (l - 1))`. A new row is `x_i + u (x_j - x_i)`, row i
//! drawn by weight, j uniform over the other rows of its level, with one `u ~ U[0, 1)`.
//!
//! # Cost
//!
//! O(l n m d) for l levels, n rows of other classes, m of the class and d columns; then O(d) a new row.
//!
//! # Differences
//!
//! * imbalanced-learn does not have it. The paper interpolates within clusters of the class; as in
//!   `smote_variants` 1.0, whose results made the method known, partners come from the same level.
//! * Weights are per row, as in the paper: a level's share grows with its rows. `smote_variants` draws
//!   levels by weight whatever their size, and makes one level more.
//! * Rows alone in their level have no partner and are not drawn, as there. Where that leaves none, the
//!   class stays as it is: a note says so, and when no class could be enlarged the method is not
//!   applicable.
//! * The paper rounds the number of rows that each row starts; here they are drawn, and the count is as
//!   asked.
//! * k at or above a class's number of rows follows the `small_class` policy (later levels use what is
//!   left of the class); the row of a class with a single one is copied.
//! * More than two classes: each against all others. Nominal columns are refused.
//!
//! # Errors
//!
//! Those of [`strategy`](super::strategy) and of the `small_class` policy; [`StageError::NotApplicable`] for nominal
//! columns, and when every level of every class that should grow has a single row; `Failed` for values
//! that are not finite.
//!
//! [`StageError::NotApplicable`]: counterweight_core::StageError::NotApplicable
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     Deadline, Labels, Matrix, Origin, ParamValue, Partition, Samples, Seed, Shared, SmallClass,
//!     StageContext, find, params,
//! };
//! let x = Matrix::from_vec(9, 1, vec![0., 1., 2., 3., 4., 6., 7., 20., 21.])?;
//! let y = Labels::from_texts(&["a", "a", "a", "a", "a", "b", "b", "b", "b"]);
//! let samples = Samples::numeric(x, y)?;
//! let (train, _) = Partition::new(9, (0..9).collect(), vec![])?.cut_samples(&samples)?;
//!
//! let entry = find(counterweight_corrections::resample::ALL, "prowsyn").expect("it is listed");
//! let given = [("k", 2), ("levels", 2)].map(|(key, value)| (key.to_owned(), ParamValue::Whole(value)));
//! let params = params::check(entry.card.params, &given.into()).expect("they are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let even = (entry.build)(&params)?.resample(&train, &mut context)?;
//! // 6 and 7 are level 1, 20 and 21 level 2: nothing is made between 7 and 20.
//! let made = even.samples().x().at(9, 0);
//! assert!(made <= 7.0 || made >= 20.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! S. Barua, M. M. Islam and K. Murase, "`ProWSyn`: proximity weighted synthetic oversampling technique
//! for imbalanced data set learning", PAKDD 2013. G. Kovacs, "An empirical comparison and evaluation of
//! minority oversampling techniques on a large number of imbalanced datasets", Applied Soft Computing
//! 83, 2019.

use counterweight_core::{
    NewRows, Range, Resampler, ResamplerCaps, ResamplerEntry, StageContext, StageResult, Train,
    parameters,
};
use rand::RngExt as _;

use super::blend::{Blend, refuse_nominal};
use super::growth::{grow, pick};
use super::room::Room;
use super::strategy::Grow;
use counterweight_numeric::neighbours::{self, Metric, Points};

parameters! {
    /// `ProWSyn` with checked parameters.
    pub struct Prowsyn {
        /// how many rows of each class to end with
        strategy: Grow = "auto";
        /// nearest rows of the class that each row of another class puts into a level
        k: usize = 5, in Range::AT_LEAST_ONE, probe [1];
        /// levels of proximity
        levels: usize = 5, in Range::AT_LEAST_ONE, probe [1, 2, 3], beside [k: usize = 1];
        /// decay of the weight a level
        theta: f64 = 1.0, in Range::NON_NEGATIVE, probe [0.0, 3.0], beside [k: usize = 1];
    }
}

impl Resampler for Prowsyn {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        let samples = train.samples();
        refuse_nominal(samples, "prowsyn")?;
        let blend = Blend::new(samples, "prowsyn")?;
        let points = Points::new(samples, Metric::Euclidean)?;
        let mut made = vec![0.0; samples.x().cols()];
        grow(train, &self.strategy, context, |of, growth, context| {
            let Some(k) = of.neighbours(self.k, growth, context)? else {
                return Ok(());
            };
            let others: Vec<usize> = (0..samples.n_rows())
                .filter(|&row| samples.y().class(row) != of.class)
                .collect();
            let levels = peel(
                &points,
                (of.rows.clone(), &others),
                (k, self.levels),
                context,
            )?;
            // Levels of one row have no partners; the running sums pass over them.
            let mut sums = Vec::with_capacity(levels.len());
            let mut sum = 0.0;
            for (level, rows) in levels.iter().enumerate() {
                if rows.len() > 1 {
                    sum += rows.len() as f64 * (-self.theta * level as f64).exp();
                }
                sums.push(sum);
            }
            if sum <= 0.0 {
                growth.leave(
                    format!(
                        "every proximity level of class {} has a single row: it stays at {} rows",
                        of.name,
                        of.rows.len()
                    ),
                    context,
                );
                return Ok(());
            }
            for _ in 0..of.missing {
                context.deadline.check()?;
                let level = &levels[pick(&sums, context.stream.random())];
                let at = context.stream.random_range(0..level.len());
                let step = context.stream.random_range(1..level.len());
                let (base, other) = (level[at], level[(at + step) % level.len()]);
                let u: f64 = context.stream.random();
                blend.write(samples.x(), (base, other, u), &[], &mut made);
                growth.made(base, other, &made);
            }
            Ok(())
        })
    }
}

/// The class in levels, from the border inwards; each level's rows in ascending order.
fn peel(
    points: &Points,
    (mut left, others): (Vec<usize>, &[usize]),
    (k, levels): (usize, usize),
    context: &StageContext<'_>,
) -> StageResult<Vec<Vec<usize>>> {
    let mut peeled = Vec::new();
    while peeled.len() + 1 < levels && !left.is_empty() {
        let lists = neighbours::nearest(points, others, &left, k, &context.deadline)?;
        let mut level: Vec<usize> = (0..others.len())
            .flat_map(|at| lists.of(at))
            .copied()
            .collect();
        level.sort_unstable();
        level.dedup();
        left.retain(|row| level.binary_search(row).is_err());
        peeled.push(level);
    }
    if !left.is_empty() {
        peeled.push(left);
    }
    Ok(peeled)
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<Prowsyn>(
    "prowsyn",
    "peels the class into levels of proximity to the others and favours the outer ones",
    "Barua et al. 2013",
    ResamplerCaps::GROWS
        .making(NewRows::WithinClass)
        .numeric()
        .taking(|params, size| {
            let room = Room::over(params, size);
            room.result() + room.search()
        }),
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::context;
    use counterweight_core::{Matrix, Shared};

    #[test]
    fn levels_run_from_the_border_inwards_and_hold_every_row_once() {
        // Others at 0, 1, 2; the class at 10, 11, ..., 19.
        let x = Matrix::from_fn(13, 1, |i, _| if i < 3 { i as f64 } else { i as f64 + 7.0 });
        let points = Points::numeric(x);
        let shared = Shared::default();
        let about = context(1, &shared);
        let rows: Vec<usize> = (3..13).collect();
        let levels = peel(&points, (rows.clone(), &[0, 1, 2]), (3, 3), &about).unwrap();
        assert_eq!(levels, [vec![3, 4, 5], vec![6, 7, 8], vec![9, 10, 11, 12]]);
        let all = peel(&points, (rows.clone(), &[0, 1, 2]), (3, 1), &about).unwrap();
        assert_eq!(all, std::slice::from_ref(&rows));
        let many = peel(&points, (rows, &[0, 1, 2]), (4, 9), &about).unwrap();
        assert_eq!(many.concat(), (3..13).collect::<Vec<_>>());
        assert_eq!(many.len(), 3);
    }
}
