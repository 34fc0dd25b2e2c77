//! ADASYN: over-sampling in proportion to difficulty. A row gets as many new rows as its share of
//! the foreign neighbours of its class.
//!
//! # When it helps, when it hurts
//!
//! It moves the effort from the middle of a class, which is learnt anyway, to its hard rows. Those
//! include every mislabelled and isolated row, which gets the most new ones: with noise it hurts
//! more than plain `smote`.
//!
//! # Formula
//!
//! With `f_i` the rows of other classes among the k nearest neighbours of row i in the whole training
//! set, row i starts `g_i` new rows: `G f_i / sum of f`, rounded to the nearest whole number, halves
//! to the even one, G being the rows that `strategy` asks for. Each is `x_i + u (x_j - x_i)`, j uniform
//! over the k nearest neighbours of i within the class, with one `u ~ U[0, 1)`.
//!
//! # Cost
//!
//! O(m n d) for the neighbours of each class of m rows that grows among all n rows of d columns (shared by all samplers of a training set), then O(d) a new row.
//!
//! # Differences
//!
//! * Counts: because each `g_i` is rounded, a class ends near its target, not at it. The allocation
//!   is that of imbalanced-learn 0.14, computed in whole numbers, so that its rounding errors at
//!   exact halves do not occur here.
//! * The paper's condition on the degree of imbalance is left to `strategy`, as there.
//! * Where no row of a class has a foreign neighbour (or rounding leaves no row to make), there is
//!   no allocation. imbalanced-learn raises an error; here the class stays as it is and a note says
//!   so, and when no class could be enlarged the method is not applicable.
//! * k at or above a class's number of rows follows the sweep's `small_class` policy: under `clamp`
//!   it is reduced for the interpolation, not for the difficulty, which asks all rows.
//! * Nominal columns are allowed: distances are those of [`smote_nc`](super::smote_nc), and nominal
//!   values are voted on by the k neighbours within the class. imbalanced-learn refuses them.
//!
//! # Errors
//!
//! Those of [`strategy`](super::strategy) and of the `small_class` policy; [`StageError::NotApplicable`] for nominal
//! columns alone, and when no class that should grow has a foreign neighbour; `Failed` for values
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
//! let x = Matrix::from_vec(8, 1, vec![0., 1., 2., 3., 4., 5., 9., 10.])?;
//! let samples = Samples::numeric(x, Labels::from_texts(&["a", "a", "a", "a", "a", "b", "b", "b"]))?;
//! let (train, _) = Partition::new(8, (0..8).collect(), vec![])?.cut_samples(&samples)?;
//!
//! let entry = find(counterweight_corrections::resample::ALL, "adasyn").expect("it is listed");
//! let given = [("k".to_owned(), ParamValue::Whole(2))];
//! let params = params::check(entry.card.params, &given.into()).expect("they are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let even = (entry.build)(&params)?.resample(&train, &mut context)?;
//! // Both neighbours of the row at 5 are foreign, those of the rows at 9 and 10 are not.
//! assert_eq!(even.counts().as_slice(), [5, 5]);
//! assert!(matches!(even.samples().origins()[8], Origin::Synthetic { base: 5, .. }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! H. He, Y. Bai, E. A. Garcia and S. Li, "ADASYN: adaptive synthetic sampling approach for
//! imbalanced learning", IJCNN 2008.

use counterweight_core::{
    NewRows, Range, Resampler, ResamplerCaps, ResamplerEntry, StageContext, StageResult, Train,
    parameters,
};
use rand::RngExt as _;

use super::blend::Blend;
use super::growth::{grow_beyond, neighbours_to_use};
use super::room::Room;
use super::strategy::Grow;
use super::surroundings::Surroundings;
use counterweight_numeric::neighbours::{self, Search};

parameters! {
    /// ADASYN with checked parameters.
    pub struct Adasyn {
        /// how many rows of each class to end with
        strategy: Grow = "auto";
        /// nearest neighbours of the same class to interpolate towards
        k: usize = 5, in Range::AT_LEAST_ONE, probe [1];
    }
}

impl Resampler for Adasyn {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        let samples = train.samples();
        let blend = Blend::new(samples, "adasyn")?;
        let mut made = vec![0.0; samples.x().cols()];
        // Every row's share is rounded, up by half a row at most.
        let spare = |have| have / 2;
        grow_beyond(
            train,
            &self.strategy,
            spare,
            context,
            |of, growth, context| {
                let have = of.rows.len();
                let metric = blend.metric(of.class);
                let around = Surroundings::of(train, (of.class, metric), ("k", self.k), context)?;
                let shares = allocate(&around.foreign, of.missing);
                if shares.iter().all(|&share| share == 0) {
                    growth.leave(
                    format!(
                        "adasyn makes no row of class {} from {} foreign neighbours among {have} rows: \
                         it stays at {have} rows",
                        of.name,
                        around.foreign.iter().sum::<usize>(),
                    ),
                    context,
                );
                    return Ok(());
                }
                let k = neighbours_to_use(self.k, have, of.name, context)?;
                if k == 0 {
                    growth.copies(of.rows[0], shares[0]);
                    return Ok(());
                }
                let lists =
                    neighbours::shared(train, &Search::within(of.class, metric, k), context)?;
                for (at, &share) in shares.iter().enumerate() {
                    let (base, near) = (of.rows[at], &lists.of(at)[..k]);
                    for _ in 0..share {
                        context.deadline.check()?;
                        let other = near[context.stream.random_range(0..k)];
                        let u: f64 = context.stream.random();
                        blend.write(samples.x(), (base, other, u), near, &mut made);
                        growth.made(base, other, &made);
                    }
                }
                Ok(())
            },
        )
    }
}

/// The rows to make from each row: `wanted` in proportion to `foreign`, each rounded to the nearest
/// whole number, halves to the even one. In whole numbers, so that no rounding error decides.
fn allocate(foreign: &[usize], wanted: usize) -> Vec<usize> {
    let total: u128 = foreign.iter().map(|&f| f as u128).sum();
    foreign
        .iter()
        .map(|&f| {
            if f == 0 {
                return 0;
            }
            let product = f as u128 * wanted as u128;
            let (whole, rest) = (product / total, 2 * (product % total));
            let up = rest > total || (rest == total && whole % 2 == 1);
            usize::try_from(whole + u128::from(up)).unwrap_or(usize::MAX)
        })
        .collect()
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<Adasyn>(
    "adasyn",
    "smote that starts from each row in proportion to its neighbours of other classes",
    "He et al. 2008",
    ResamplerCaps {
        rounded: true,
        footprint: |params, size| Room::over(params, size).smote_among_all(),
        ..ResamplerCaps::GROWS.making(NewRows::WithinClass).mixed()
    },
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_to_the_even_number() {
        assert_eq!(allocate(&[1, 1, 2], 10), [2, 2, 5]);
        assert_eq!(allocate(&[1, 1, 2], 14), [4, 4, 7]);
        assert_eq!(allocate(&[0, 3, 0], 7), [0, 7, 0]);
        assert_eq!(allocate(&[5, 5, 5], 1), [0, 0, 0]);
        assert_eq!(allocate(&[0, 0], 9), [0, 0]);
    }
}
