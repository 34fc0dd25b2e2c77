//! MWMOTE: majority-weighted minority over-sampling. Rows of the class near the border of the others
//! are weighted by how close and how crowded that border is; new rows lie within clusters of the class.
//!
//! # When it helps, when it hurts
//!
//! It drops noise first, weighs hard rows by their surroundings, and never interpolates between two
//! clusters of the class, which is what `smote` and `adasyn` get wrong on small disjuncts. It has many
//! parameters, its distances are absolute (closeness is cut off at 1/5 of a unit a column, so columns
//! have to be scaled), and with few rows the clusters are single rows that can only be copied.
//!
//! # Formula
//!
//! For class c against all other rows, with Euclidean neighbours:
//!
//! 1. F: rows of c with a row of c among their k1 nearest of all rows (the others are noise).
//! 2. B: the union over F of their k2 nearest rows of other classes.
//! 3. N(y): the k3 nearest rows of F, for y in B; their union is I, the informative rows.
//! 4. Closeness `C(y, x) = min(d / |y - x|, cut_off)` for x in N(y), with d columns, else 0; density
//!    `D(y, x) = C(y, x) / sum over I of C(y, .)`; weight of x: the sum over B of C D.
//! 5. Clusters of F by average linkage, merged up to an average distance of `cluster_scale` times the mean
//!    distance of a row of F to its nearest other.
//! 6. A new row is `x + u (z - x)`: x drawn from I by weight, z uniform over the other rows of its cluster,
//!    one `u ~ U[0, 1)`. A row alone in its cluster is copied.
//!
//! # Cost
//!
//! O(m n d) for a class of m among n rows of d columns, O(b m (d + log m)) for b border rows, O(m^2) time and
//! memory for the clusters (at most 20,000 rows), then O(d) a new row.
//!
//! # Differences
//!
//! * imbalanced-learn does not have it. Defaults are the paper's; `smote_variants` 1.0 takes k2 = k3 = 5
//!   and ten k-means clusters instead of average linkage, and weighs all pairs of steps 2 and 3.
//! * The paper's factor CMAX scales all weights alike and is left out: it cannot change a row.
//! * Steps 3 and 5 use the filtered rows F throughout, so that noise does not come back.
//! * A cluster mate is another row; a row alone in its cluster is copied (the paper does not say).
//! * Neighbours beyond the rows that there are follow the `small_class` policy. Where a class has nothing
//!   but noise it stays as it is: a note says so, and when no class could be enlarged the method is not
//!   applicable. The row of a class with a single one is copied.
//! * Nominal columns are refused: closeness is in units of distance a column.
//!
//! # Errors
//!
//! Those of [`strategy`](super::strategy) and of the `small_class` policy; [`StageError::NotApplicable`] for nominal columns,
//! for classes over the size limit, and when every row of the classes that should grow is noise;
//! [`StageError::Failed`] for values that are not finite or distances that overflow.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     Deadline, Labels, Matrix, Partition, Samples, Seed, Shared, SmallClass, StageContext, find,
//!     params,
//! };
//! // Two clusters of the minority: nothing is made between them.
//! let x = Matrix::from_vec(
//!     14, 1, vec![0., 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 9.0, 9.1],
//! )?;
//! let y = ["a", "a", "a", "a", "a", "a", "a", "a", "b", "b", "b", "b", "b", "b"];
//! let samples = Samples::numeric(x, Labels::from_texts(&y))?;
//! let (train, _) = Partition::new(14, (0..14).collect(), vec![])?.cut_samples(&samples)?;
//!
//! let entry = find(counterweight_corrections::resample::ALL, "mwmote").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let even = (entry.build)(&params)?.resample(&train, &mut context)?;
//! for row in 14..16 {
//!     let made = even.samples().x().at(row, 0);
//!     assert!(made <= 1.1 || made >= 9.0);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! S. Barua, M. M. Islam, X. Yao and K. Murase, "MWMOTE: majority weighted minority oversampling
//! technique for imbalanced data set learning", IEEE Transactions on Knowledge and Data Engineering 26,
//! 2014.

use counterweight_core::{
    NewRows, Range, Resampler, ResamplerCaps, ResamplerEntry, Samples, StageContext, StageError,
    StageResult, Train, parameters,
};
use rand::RngExt as _;

use super::blend::{Blend, refuse_nominal};
use super::growth::{grow, pick};
use super::linkage;
use super::room::Room;
use super::strategy::Grow;
use super::surroundings::{Standing, Surroundings};
use counterweight_numeric::neighbours::{self, Metric, Points};

parameters! {
    /// MWMOTE with checked parameters.
    pub struct Mwmote {
        /// how many rows of each class to end with
        strategy: Grow = "auto";
        /// nearest neighbours of any class; a row with none of its own among them is noise
        k1: usize = 5, in Range::AT_LEAST_ONE, probe [2];
        /// nearest rows of other classes that make the border
        k2: usize = 3, in Range::AT_LEAST_ONE, probe [1, 9];
        /// nearest rows of the class that a border row informs; left out: half of the class
        k3: usize, in Range::AT_LEAST_ONE, probe [1, 4];
        /// largest closeness, in inverse distance a column
        cut_off: f64 = 5.0, in Range::POSITIVE, probe [0.5];
        /// average distance up to which clusters merge, in mean nearest distances
        cluster_scale: f64 = 3.0, in Range::NON_NEGATIVE, probe [0.5, 1.0];
    }
}

impl Resampler for Mwmote {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        let samples = train.samples();
        refuse_nominal(samples, "mwmote")?;
        let blend = Blend::new(samples, "mwmote")?;
        let points = Points::new(samples, Metric::Euclidean)?;
        let mut made = vec![0.0; samples.x().cols()];
        grow(train, &self.strategy, context, |of, growth, context| {
            let have = of.rows.len();
            if have == 1 {
                context.clamp(format!(
                    "class {} has 1 row and no other to interpolate towards: its row is copied",
                    of.name
                ))?;
                growth.copies(of.rows[0], of.missing);
                return Ok(());
            }
            let of_class = (of.class, Metric::Euclidean);
            let around = Surroundings::of(train, of_class, ("k1", self.k1), context)?;
            let kept: Vec<usize> = (0..have)
                .filter(|&at| around.standing(at) != Standing::Noise)
                .map(|at| of.rows[at])
                .collect();
            if kept.is_empty() {
                growth.leave(
                    format!(
                        "no row of class {} has another of it among its {} neighbours: it stays at \
                         {have} rows",
                        of.name, around.m
                    ),
                    context,
                );
                return Ok(());
            }
            let sums = self.weigh(samples, &points, (of.class, &kept), context)?;
            let mates = self.clusters(&points, &kept, context)?;
            for _ in 0..of.missing {
                context.deadline.check()?;
                let at = pick(&sums, context.stream.random());
                let mates = &mates.members[mates.of[at]];
                if mates.len() == 1 {
                    growth.copy(kept[at]);
                    continue;
                }
                // Any mate but the row itself, whose place the last one takes.
                let drawn = mates[context.stream.random_range(0..mates.len() - 1)];
                let mate = if drawn == at {
                    mates[mates.len() - 1]
                } else {
                    drawn
                };
                let u: f64 = context.stream.random();
                let (base, other) = (kept[at], kept[mate]);
                blend.write(samples.x(), (base, other, u), &[], &mut made);
                growth.made(base, other, &made);
            }
            Ok(())
        })
    }
}

/// Which of the filtered rows belong together; numbers are positions in their list.
struct Mates {
    of: Vec<usize>,
    members: Vec<Vec<usize>>,
}

impl Mwmote {
    /// Running sums of the filtered rows' weights; rows that are not informative add nothing.
    fn weigh(
        &self,
        samples: &Samples,
        points: &Points,
        (class, kept): (usize, &[usize]),
        context: &mut StageContext<'_>,
    ) -> StageResult<Vec<f64>> {
        let y = samples.y();
        let others: Vec<usize> = (0..samples.n_rows())
            .filter(|&row| y.class(row) != class)
            .collect();
        let name = &y.names()[class];
        let mut fit = |key: &str, wanted: usize, there: usize, what: &str| {
            if wanted > there {
                context.clamp(format!(
                    "{key} = {wanted} reduced to {there} for {there} rows {what} class {name}"
                ))?;
            }
            StageResult::Ok(wanted.min(there))
        };
        let k2 = fit("k2", self.k2, others.len(), "outside")?;
        let k3 = match self.k3 {
            Some(k3) => fit("k3", k3, kept.len(), "without noise in")?,
            None => (y.counts().as_slice()[class] / 2).clamp(1, kept.len()),
        };
        let deadline = context.deadline;
        let outside = neighbours::nearest(points, kept, &others, k2, &deadline)?;
        let mut border: Vec<usize> = (0..kept.len())
            .flat_map(|at| outside.of(at))
            .copied()
            .collect();
        border.sort_unstable();
        border.dedup();
        let inside = neighbours::nearest(points, &border, kept, k3, &deadline)?;
        let d = samples.x().cols() as f64;
        let mut weights = vec![0.0; kept.len()];
        for at in 0..border.len() {
            deadline.check()?;
            let closeness: Vec<f64> = inside
                .squared_distances(at)
                .iter()
                .map(|squared| (d / squared.sqrt()).min(self.cut_off))
                .collect();
            let sum: f64 = closeness.iter().sum();
            for (&row, c) in inside.of(at).iter().zip(&closeness) {
                let position = kept
                    .binary_search(&row)
                    .expect("neighbours are among the filtered rows, which ascend");
                if sum > 0.0 {
                    weights[position] += c * (c / sum);
                }
            }
        }
        let mut total = 0.0;
        for weight in &mut weights {
            total += *weight;
            *weight = total;
        }
        if total > 0.0 && total.is_finite() {
            Ok(weights)
        } else {
            Err(StageError::Failed(
                "distances overflow; scale the columns first".into(),
            ))
        }
    }

    fn clusters(
        &self,
        points: &Points,
        kept: &[usize],
        context: &StageContext<'_>,
    ) -> StageResult<Mates> {
        let nearest = neighbours::nearest(points, kept, kept, 1, &context.deadline)?;
        let n = kept.len() as f64;
        let mean: f64 = (0..kept.len())
            .filter_map(|at| nearest.squared_distances(at).first())
            .map(|squared| squared.sqrt() / n)
            .sum();
        let distance = |a: usize, b: usize| points.squared_distance(kept[a], kept[b]).sqrt();
        let of = linkage::average(kept.len(), distance, self.cluster_scale * mean, context)?;
        let mut members = vec![Vec::new(); of.iter().max().map_or(0, |last| last + 1)];
        for (at, &cluster) in of.iter().enumerate() {
            members[cluster].push(at);
        }
        Ok(Mates { of, members })
    }
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<Mwmote>(
    "mwmote",
    "weights rows by the border they are near to and makes rows within their clusters",
    "Barua et al. 2014",
    ResamplerCaps::GROWS
        .making(NewRows::WithinClass)
        .numeric()
        .taking(|params, size| {
            let room = Room::over(params, size);
            let class = room.largest_grown();
            room.smote() + 20.0 * class * class
        }),
);
