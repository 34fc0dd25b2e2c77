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
//! # Parameters
//!
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `strategy` | `auto` | see [`strategy`] | rows a class |
//! | `variant` | 1 | 1 or 2 | |
//! | `k` | 5 | at least 1 | neighbours to interpolate towards |
//! | `m` | 10 | at least 1 | neighbours that decide on danger |
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
//! Those of [`strategy`] and of the `small_class` policy; [`StageError::NotApplicable`] for nominal
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

use counterweight_core::params::Default;
use counterweight_core::{
    Card, OnNominal, ParamError, ParamKind, ParamSpec, Params, Range, Resampler, ResamplerCaps,
    ResamplerEntry, StageContext, StageResult, Train,
};
use rand::RngExt as _;

use super::blend::Blend;
use super::growth::{Growth, neighbours_among_all, neighbours_to_use};
use super::room::Room;
use super::smote::K;
use super::strategy::{self, Direction, Strategy};
use super::surroundings::{Standing, Surroundings};
use counterweight_numeric::neighbours::{self, Points, Pool, Search};

/// The parameter `m` of the samplers that judge a row by its surroundings.
pub(super) const M: ParamSpec = ParamSpec::new(
    "m",
    ParamKind::Whole(Range::AT_LEAST_ONE),
    Default::Whole(10),
    "nearest neighbours of any class that decide whether a row is in danger",
);

/// Borderline-SMOTE with checked parameters.
#[derive(Clone, Debug)]
pub struct BorderlineSmote {
    strategy: Strategy,
    towards_others: bool,
    k: usize,
    m: usize,
}

impl TryFrom<&Params> for BorderlineSmote {
    type Error = ParamError;

    fn try_from(params: &Params) -> Result<Self, ParamError> {
        Ok(Self {
            strategy: Strategy::from_params(params, Direction::Over)?,
            towards_others: params.whole("variant") == 2,
            k: params.whole("k"),
            m: params.whole("m"),
        })
    }
}

impl Resampler for BorderlineSmote {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        let samples = train.samples();
        let blend = Blend::new(samples, "borderline-smote")?;
        let counts = train.counts();
        let names = samples.y().names();
        let targets = self.strategy.targets(names, &counts)?;
        let mut growth = Growth::new(samples, &targets)?;
        for (class, (&target, &have)) in targets.iter().zip(counts.as_slice()).enumerate() {
            if target == have {
                continue;
            }
            let metric = blend.metric(class);
            let around = Surroundings::of(train, (class, metric), ("m", self.m), context)?;
            let danger: Vec<usize> = (0..have)
                .filter(|&at| around.standing(at) == Standing::Danger)
                .collect();
            if danger.is_empty() {
                growth.leave(
                    format!(
                        "no row of class {} is in danger (at least half, but not all, of its {} \
                         neighbours of other classes): it stays at {have} rows",
                        names[class], around.m
                    ),
                    context,
                );
                continue;
            }
            let border = Border {
                class,
                rows: &around.rows,
                danger: &danger,
                wanted: target - have,
            };
            if self.towards_others {
                self.grow_towards_all(train, (&border, &blend), &mut growth, context)?;
            } else {
                let k = neighbours_to_use(self.k, have, &names[class], context)?;
                let search = Search::within(class, metric, k);
                let lists = neighbours::shared(train, &search, context)?;
                let mut made = vec![0.0; samples.x().cols()];
                for _ in 0..border.wanted {
                    context.deadline.check()?;
                    let at = danger[context.stream.random_range(0..danger.len())];
                    let near = &lists.of(at)[..k];
                    let other = near[context.stream.random_range(0..k)];
                    let u: f64 = context.stream.random();
                    let base = around.rows[at];
                    blend.write(samples.x(), (base, other, u), near, &mut made);
                    growth.made(base, other, &made);
                }
            }
        }
        growth.finish(train)
    }
}

/// Where a class borders on the others.
struct Border<'a> {
    class: usize,
    rows: &'a [usize],
    danger: &'a [usize],
    wanted: usize,
}

impl BorderlineSmote {
    /// Variant 2.
    fn grow_towards_all(
        &self,
        train: &Train,
        (border, blend): (&Border<'_>, &Blend),
        growth: &mut Growth<'_>,
        context: &mut StageContext<'_>,
    ) -> StageResult<()> {
        let samples = train.samples();
        let k = neighbours_among_all("k", self.k, samples.n_rows(), context)?;
        let bases: Vec<usize> = border.danger.iter().map(|&at| border.rows[at]).collect();
        let points = Points::new(samples, blend.metric(border.class))?;
        let all = Pool::All.rows(samples);
        let lists = neighbours::nearest(&points, &bases, &all, k, &context.deadline)?;
        let mut made = vec![0.0; samples.x().cols()];
        for _ in 0..border.wanted {
            context.deadline.check()?;
            let at = context.stream.random_range(0..bases.len());
            let other = lists.of(at)[context.stream.random_range(0..k)];
            let u: f64 = context.stream.random();
            let reach = if samples.y().class(other) == border.class {
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

fn build(params: &Params) -> Result<Box<dyn Resampler>, ParamError> {
    Ok(Box::new(BorderlineSmote::try_from(params)?))
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry {
    card: Card {
        id: "borderline-smote",
        summary: "smote from the rows whose neighbours are mostly, but not all, of other classes",
        reference: "Han et al. 2005",
        params: &[
            strategy::SPEC,
            ParamSpec::new(
                "variant",
                ParamKind::Whole(Range::new(1.0, true, 2.0, true)),
                Default::Whole(1),
                "1: towards neighbours of the class; 2: towards neighbours of any class, half as far",
            ),
            K,
            M,
        ],
    },
    caps: ResamplerCaps {
        nominal: OnNominal::Handles,
        all_nominal: OnNominal::Refuses,
        numeric_only: OnNominal::Handles,
        minibatches: false,
        family: "resampling",
        footprint: |params, size| Room::over(params, size).smote_among_all(),
    },
    build,
};
