//! K-means-SMOTE: clusters all rows, then makes rows by SMOTE inside the clusters in which the class
//! is common, more of them where it is sparse.
//!
//! # When it helps, when it hurts
//!
//! It avoids noise (clusters of the majority get nothing) and evens out the class within itself, so
//! small disjuncts are filled rather than bridged. It needs the class to own some cluster: with strong
//! imbalance and few clusters there may be none, and the result depends on the seed of the clustering.
//!
//! # Formula
//!
//! k-means (k-means++ start) over all training rows. A cluster counts for class c when at least
//! `balance_threshold` of its rows are of c and they are more than k. By default the threshold is half
//! of the class's share of all rows to be made. With `n_f` rows of c in cluster f at mean pairwise
//! distance `d_f`, the cluster's weight is `d_f^e / n_f`, by default with `e = 0.16 (ln n_f / ln 1.6)^1.8`.
//! Rows are shared out in proportion to the weights (largest remainders); inside a cluster they are
//! made as by [`smote`](super::smote) among its rows of c.
//!
//! # Cost
//!
//! O(i n g d) for i iterations over n rows, g clusters and d columns, and O(m^2 d) for each cluster of m
//! rows of a class that grows.
//!
//! # Differences
//!
//! * Which clusters count and their weights are those of imbalanced-learn 0.14, given the clusters. It
//!   clusters by mini-batches; here, as in the paper, by full k-means, once for all classes.
//! * imbalanced-learn rounds each cluster's rows up and so exceeds the target; here counts are as asked.
//! * Where no cluster counts for a class, imbalanced-learn raises an error. Here the class stays as it
//!   is and a note says so; when no class could be enlarged the method is not applicable.
//! * The paper takes a ratio of majority to minority rows for its threshold and the number of columns
//!   for its exponent. With one cluster there is no threshold, as in imbalanced-learn.
//! * Where the weights vanish (all rows of the clusters are equal) the clusters share alike;
//!   imbalanced-learn divides zero by zero.
//! * k at or above a class's number of rows follows `small_class`; the row of a class with a single one
//!   is copied. More clusters than rows follow it too.
//! * Nominal columns are refused: centres have no meaning for them.
//!
//! # Errors
//!
//! Those of [`strategy`](super::strategy) and of the `small_class` policy; [`StageError::NotApplicable`] for nominal
//! columns, and when no cluster counts; `Failed` for values that are not finite or overflow.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     Deadline, Labels, Matrix, ParamValue, Partition, Samples, Seed, Shared, SmallClass,
//!     StageContext, find, params,
//! };
//! let x = Matrix::from_vec(9, 1, vec![0., 1., 2., 3., 4., 60., 99., 100., 101.])?;
//! let y = Labels::from_texts(&["a", "a", "a", "a", "a", "a", "b", "b", "b"]);
//! let samples = Samples::numeric(x, y)?;
//! let (train, _) = Partition::new(9, (0..9).collect(), vec![])?.cut_samples(&samples)?;
//!
//! let entry = find(counterweight_corrections::resample::ALL, "kmeans-smote").expect("it is listed");
//! let given = [("clusters".to_owned(), ParamValue::Whole(3))];
//! let params = params::check(entry.card.params, &given.into()).expect("they are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let even = (entry.build)(&params)?.resample(&train, &mut context)?;
//! assert_eq!(even.counts().as_slice(), [6, 6]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! G. Douzas, F. Bacao and F. Last, "Improving imbalanced learning through a heuristic oversampling
//! method based on k-means and SMOTE", Information Sciences 465, 2018. D. Arthur and S. Vassilvitskii,
//! "k-means++: the advantages of careful seeding", SODA 2007.

use counterweight_core::params::Default;
use counterweight_core::{
    NewRows, Range, Resampler, ResamplerCaps, ResamplerEntry, Samples, StageContext, StageError,
    StageResult, Train, parameters,
};
use rand::RngExt as _;

use super::blend::{Blend, refuse_nominal};
use super::growth::{Growth, apportion, grow};
use super::kmeans::{self, Clusters};
use super::room::Room;
use super::strategy::Grow;
use counterweight_numeric::neighbours::{self, Metric, Points};

parameters! {
    /// K-means-SMOTE with checked parameters.
    pub struct KmeansSmote {
        /// how many rows of each class to end with
        strategy: Grow = "auto";
        /// nearest neighbours of the same class and cluster to interpolate towards
        k: usize = 2, in Range::AT_LEAST_ONE, probe [1, 5];
        /// clusters of the training rows
        clusters: usize = 8, in Range::AT_LEAST_ONE, probe [2, 4], beside [balance_threshold: f64 = 0.05];
        /// share of a cluster's rows that the class needs; left out: half of its share of the rows to be made
        balance_threshold: f64, in Range::new(0.0, true, 1.0, true), probe [0.05, 0.6], beside [clusters: usize = 4];
        /// exponent of the mean distance in a cluster's weight; left out: grows with its rows
        density_exponent: f64, in Range::NON_NEGATIVE, probe [0.0, 10.0],
            beside [clusters: usize = 4, balance_threshold: f64 = 0.0];
    }
}

/// The rows of a class in one cluster, and how sparse they are.
#[derive(Clone, Debug, PartialEq)]
struct Patch {
    rows: Vec<usize>,
    /// The logarithm of the weight; negative infinity for rows that are all equal.
    log_weight: f64,
}

impl Resampler for KmeansSmote {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        let samples = train.samples();
        refuse_nominal(samples, "kmeans-smote")?;
        let blend = Blend::new(samples, "kmeans-smote")?;
        let targets = self
            .strategy
            .targets(samples.y().names(), &train.counts())?;
        let growth = Growth::new(samples, &targets)?;
        let total = targets.iter().sum::<usize>() - samples.n_rows();
        if total == 0 {
            return growth.finish(train);
        }
        drop(growth);
        let points = Points::new(samples, Metric::Euclidean)?;
        let mut clusters = self.clusters;
        if clusters > samples.n_rows() {
            clusters = samples.n_rows();
            context.clamp(format!(
                "clusters = {} reduced to {clusters} for as many training rows",
                self.clusters
            ))?;
        }
        let found = kmeans::cluster(samples.x(), clusters, context)?;
        let mut made = vec![0.0; samples.x().cols()];
        grow(train, &self.strategy, context, |of, growth, context| {
            let Some(k) = of.neighbours(self.k, growth, context)? else {
                return Ok(());
            };
            let threshold = if clusters == 1 {
                0.0
            } else {
                let default = of.missing as f64 / total as f64 / 2.0;
                self.balance_threshold.unwrap_or(default)
            };
            let about = (of.class, k, threshold);
            let patches = self.patches(samples, (&points, &found), about, context)?;
            if patches.is_empty() {
                growth.leave(
                    format!(
                        "no cluster has more than {k} rows of class {} and {threshold:.3} of its \
                         rows of it: it stays at {} rows",
                        of.name,
                        of.rows.len()
                    ),
                    context,
                );
                return Ok(());
            }
            for (patch, share) in patches
                .iter()
                .zip(apportion(of.missing, &weights(&patches)))
            {
                if share == 0 {
                    continue;
                }
                let rows = &patch.rows;
                let lists = neighbours::nearest(&points, rows, rows, k, &context.deadline)?;
                for _ in 0..share {
                    context.deadline.check()?;
                    let at = context.stream.random_range(0..rows.len());
                    let other = lists.of(at)[context.stream.random_range(0..k)];
                    let u: f64 = context.stream.random();
                    blend.write(samples.x(), (rows[at], other, u), &[], &mut made);
                    growth.made(rows[at], other, &made);
                }
            }
            Ok(())
        })
    }
}

impl KmeansSmote {
    /// The clusters that count for a class, in cluster order.
    fn patches(
        &self,
        samples: &Samples,
        (points, clusters): (&Points, &Clusters),
        (class, k, threshold): (usize, usize, f64),
        context: &StageContext<'_>,
    ) -> StageResult<Vec<Patch>> {
        let n_clusters = clusters.centres.rows();
        let mut sizes = vec![0_usize; n_clusters];
        let mut rows = vec![Vec::new(); n_clusters];
        for (row, &cluster) in clusters.of.iter().enumerate() {
            sizes[cluster] += 1;
            if samples.y().class(row) == class {
                rows[cluster].push(row);
            }
        }
        let mut patches = Vec::new();
        for (rows, &size) in rows.into_iter().zip(&sizes) {
            let share = rows.len() as f64 / (size.max(1)) as f64;
            if rows.len() > k && share >= threshold {
                let log_weight = self.log_weight(points, &rows, context)?;
                patches.push(Patch { rows, log_weight });
            }
        }
        Ok(patches)
    }

    fn log_weight(
        &self,
        points: &Points,
        rows: &[usize],
        context: &StageContext<'_>,
    ) -> StageResult<f64> {
        let n = rows.len() as f64;
        let mut sum = 0.0;
        for (at, &a) in rows.iter().enumerate() {
            context.deadline.check()?;
            for &b in &rows[..at] {
                sum += points.squared_distance(a, b).sqrt();
            }
        }
        let mean = 2.0 * sum / (n * n - n);
        if !mean.is_finite() {
            return Err(StageError::Failed(
                "distances overflow; scale the columns first".into(),
            ));
        }
        let exponent = self
            .density_exponent
            .unwrap_or_else(|| 0.16 * (n.ln() / 1.6_f64.ln()).powf(1.8));
        // Not 0 times the logarithm of 0.
        let power = if exponent > 0.0 {
            exponent * mean.ln()
        } else {
            0.0
        };
        Ok(power - n.ln())
    }
}

/// Weights up to a common factor, which is chosen so that none overflows.
fn weights(patches: &[Patch]) -> Vec<f64> {
    let largest = patches
        .iter()
        .map(|patch| patch.log_weight)
        .fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return vec![1.0; patches.len()];
    }
    patches
        .iter()
        .map(|patch| (patch.log_weight - largest).exp())
        .collect()
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<KmeansSmote>(
    "kmeans-smote",
    "smote inside the clusters in which the class is common, more where it is sparse",
    "Douzas et al. 2018",
    ResamplerCaps {
        // With its defaults it finds no cluster of the minority where the classes overlap much.
        suited: &[
            ("clusters", Default::Whole(2)),
            ("balance_threshold", Default::Real(0.0)),
        ],
        footprint: |params, size| {
            let room = Room::over(params, size);
            (room.result() + 8.0 * room.n * room.d).max(room.clusters())
        },
        ..ResamplerCaps::GROWS.making(NewRows::WithinClass).numeric()
    },
);
