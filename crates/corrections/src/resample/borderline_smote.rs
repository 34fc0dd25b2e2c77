//! Borderline-SMOTE: SMOTE that starts only from rows near the border, where at least half of the
//! neighbours, but not all, are of other classes.
//!
//! # When it helps, when it hurts
//!
//! It spends its rows where the decision is made, which helps when the classes meet along one
//! border. Where they overlap widely, most rows are in danger and it differs little from `smote`;
//! with label noise inside the minority it builds bridges between mistakes; with well separated
//! classes nothing is in danger and it has nothing to do.
//!
//! # Formula
//!
//! Row i of class c is in danger when `m/2 <= m_i < m`, with `m_i` the rows of other classes among
//! its m nearest neighbours in the whole training set (`m_i = m` is noise). A new row is
//! `x_i + u (x_j - x_i)`, i uniform over the rows in danger, with one u a row:
//!
//! * variant 1: j uniform over the k nearest neighbours of i within the class, `u ~ U[0, 1)`;
//! * variant 2: j uniform over the k nearest neighbours of i among all rows, `u ~ U[0, 1)` when j is
//!   of the class and `U[0, 1/2)` when it is not.
//!
//! # Cost
//!
//! O(m n d) for the neighbours of each class of m rows that grows among all n rows of d columns (shared by all samplers of a training set), then O(d) a new row.
//!
//! # Differences
//!
//! * The rows in danger are those of imbalanced-learn 0.14 and of the paper, one class against all
//!   others where there are more than two.
//! * Where no row of a class is in danger, imbalanced-learn returns the class unchanged without a
//!   word. Here a note names it, and when no class could be enlarged the method is not applicable.
//! * Variant 2 towards another class: the paper's u below 1/2. imbalanced-learn multiplies a draw
//!   below 1/2 by another below 1, so its rows stay closer to the base (an eighth of the way on
//!   average, where it is a quarter here).
//! * In the paper variant 2 makes rows towards the class and towards the others in fixed shares; as
//!   in imbalanced-learn the neighbour's class decides.
//! * Nominal columns are allowed: distances are those of [`smote_nc`](super::smote_nc), and nominal
//!   values are voted on by the k neighbours within the class (variant 1), or copied from the base
//!   (variant 2). imbalanced-learn refuses them.
//! * k and m beyond the rows that there are follow the sweep's `small_class` policy.
//!
//! # Errors
//!
//! Those of [`strategy`](super::strategy) and of the `small_class` policy; [`StageError::NotApplicable`] for nominal
//! columns alone, and when no class that should grow has a row in danger; `Failed` for values that
//! are not finite.
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
//! // The minority at 5, 6 and 7 borders on the majority; the one at 20 does not.
//! let x = Matrix::from_vec(10, 1, vec![0., 1., 2., 3., 3.5, 4., 5., 6., 7., 20.])?;
//! let y = Labels::from_texts(&["a", "a", "a", "a", "a", "a", "b", "b", "b", "b"]);
//! let samples = Samples::numeric(x, y)?;
//! let (train, _) = Partition::new(10, (0..10).collect(), vec![])?.cut_samples(&samples)?;
//!
//! let entry = find(counterweight_corrections::resample::ALL, "borderline-smote").expect("it is listed");
//! let given = [("m", 4), ("k", 2)].map(|(key, value)| (key.to_owned(), ParamValue::Whole(value)));
//! let params = params::check(entry.card.params, &given.into()).expect("they are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let even = (entry.build)(&params)?.resample(&train, &mut context)?;
//! for origin in &even.samples().origins()[10..] {
//!     assert!(matches!(origin, Origin::Synthetic { base: 6..=8, .. }));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! H. Han, W.-Y. Wang and B.-H. Mao, "Borderline-SMOTE: a new over-sampling method in imbalanced
//! data sets learning", ICIC 2005.

use counterweight_core::{
    NewRows, Range, Resampler, ResamplerCaps, ResamplerEntry, StageContext, StageResult, Train,
    parameters,
};
use rand::RngExt as _;

use super::blend::Blend;
use super::growth::{Growth, Lacking, grow, neighbours_among_all, neighbours_to_use};
use super::room::Room;
use super::strategy::Grow;
use super::surroundings::{Standing, Surroundings};
use counterweight_numeric::neighbours::{self, Points, Pool, Search};

parameters! {
    /// Borderline-SMOTE with checked parameters.
    pub struct BorderlineSmote {
        /// how many rows of each class to end with
        strategy: Grow = "auto";
        /// 1: towards neighbours of the class; 2: towards neighbours of any class, half as far
        variant: usize = 1, in Range::new(1.0, true, 2.0, true), probe [2];
        /// nearest neighbours of the same class to interpolate towards
        k: usize = 5, in Range::AT_LEAST_ONE, probe [1];
        /// nearest neighbours of any class that decide whether a row is in danger
        m: usize = 10, in Range::AT_LEAST_ONE, probe [3, 20];
    }
}

impl Resampler for BorderlineSmote {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        let samples = train.samples();
        let blend = Blend::new(samples, "borderline-smote")?;
        let mut made = vec![0.0; samples.x().cols()];
        grow(train, &self.strategy, context, |of, growth, context| {
            let have = of.rows.len();
            let metric = blend.metric(of.class);
            let around = Surroundings::of(train, (of.class, metric), ("m", self.m), context)?;
            let danger: Vec<usize> = (0..have)
                .filter(|&at| around.standing(at) == Standing::Danger)
                .collect();
            if danger.is_empty() {
                growth.leave(
                    format!(
                        "no row of class {} is in danger (at least half, but not all, of its {} \
                         neighbours of other classes): it stays at {have} rows",
                        of.name, around.m
                    ),
                    context,
                );
                return Ok(());
            }
            if self.variant == 2 {
                return self.grow_towards_all(train, (of, &danger, &blend), growth, context);
            }
            let k = neighbours_to_use(self.k, have, of.name, context)?;
            let lists = neighbours::shared(train, &Search::within(of.class, metric, k), context)?;
            for _ in 0..of.missing {
                context.deadline.check()?;
                let at = danger[context.stream.random_range(0..danger.len())];
                let near = &lists.of(at)[..k];
                let other = near[context.stream.random_range(0..k)];
                let u: f64 = context.stream.random();
                let base = of.rows[at];
                blend.write(samples.x(), (base, other, u), near, &mut made);
                growth.made(base, other, &made);
            }
            Ok(())
        })
    }
}

impl BorderlineSmote {
    /// Variant 2.
    fn grow_towards_all(
        &self,
        train: &Train,
        (of, danger, blend): (&Lacking<'_>, &[usize], &Blend),
        growth: &mut Growth<'_>,
        context: &mut StageContext<'_>,
    ) -> StageResult<()> {
        let samples = train.samples();
        let k = neighbours_among_all("k", self.k, samples.n_rows(), context)?;
        let bases: Vec<usize> = danger.iter().map(|&at| of.rows[at]).collect();
        let points = Points::new(samples, blend.metric(of.class))?;
        let all = Pool::All.rows(samples);
        let lists = neighbours::nearest(&points, &bases, &all, k, &context.deadline)?;
        let mut made = vec![0.0; samples.x().cols()];
        for _ in 0..of.missing {
            context.deadline.check()?;
            let at = context.stream.random_range(0..bases.len());
            let other = lists.of(at)[context.stream.random_range(0..k)];
            let u: f64 = context.stream.random();
            let reach = if samples.y().class(other) == of.class {
                1.0
            } else {
                0.5
            };
            blend.write(samples.x(), (bases[at], other, reach * u), &[], &mut made);
            growth.made(bases[at], other, &made);
        }
        Ok(())
    }
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<BorderlineSmote>(
    "borderline-smote",
    "smote from the rows whose neighbours are mostly, but not all, of other classes",
    "Han et al. 2005",
    ResamplerCaps::GROWS
        .making(NewRows::WithinClass)
        .mixed()
        .taking(|params, size| Room::over(params, size).smote_among_all()),
);
