//! Cluster centroids: each larger class becomes the centres of as many k-means clusters as it is to
//! have rows.
//!
//! # When it helps, when it hurts
//!
//! The centres cover the whole class, dense parts with more of them, where a random subset would
//! leave gaps. They also lie closer together than the rows did (a mean has less variance than what
//! it is the mean of), so the class looks tighter than it is; with many clusters of one or two rows
//! that effect is small. `voting = "hard"` keeps real rows instead.
//!
//! # Formula
//!
//! For each class that `strategy` shrinks to m rows: m centres by greedy k-means++ and Lloyd's
//! iterations on its rows. `soft`: the centres are the rows of the result, each with the nearest and second
//! nearest row of its cluster as origin; a cluster of one row is that row. `hard`: the row of each
//! cluster nearest to its centre.
//!
//! # Cost
//!
//! O(n m d) an iteration for a class of n rows, at most 300 iterations.
//!
//! # Differences
//!
//! * The method was proposed in several forms; this is imbalanced-learn 0.14's.
//! * `hard` takes a row of the centre's own cluster, each row once; there the nearest row of the
//!   class, which two centres can share.
//! * Clusters without rows (rows that repeat) are filled with the class's rows not taken yet, so
//!   counts are exact.
//! * Rows keep their order; made rows come last, class by class.
//! * Data with nominal columns are refused: they have no mean.
//!
//! # Errors
//!
//! Those of [`strategy`](super::strategy); `NotApplicable` for nominal columns; `Failed` for values that are not
//! finite and distances that overflow; `Timeout`.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     Deadline, Labels, Matrix, Partition, Samples, Seed, Shared, SmallClass, StageContext, find, params,
//! };
//! let x = Matrix::from_vec(6, 1, vec![0.0, 1.0, 8.0, 9.0, 4.0, 5.0])?;
//! let samples = Samples::numeric(x, Labels::from_texts(&["a", "a", "a", "a", "b", "b"]))?;
//! let (train, _) = Partition::new(6, (0..6).collect(), vec![])?.cut_samples(&samples)?;
//!
//! let entry = find(counterweight_corrections::resample::ALL, "cluster-centroids").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let after = (entry.build)(&params)?.resample(&train, &mut context)?;
//! assert_eq!(after.counts().as_slice(), [2, 2]);
//! let made: Vec<f64> = after.samples().x().column(0)[2..].to_vec();
//! assert!(made.contains(&0.5) && made.contains(&8.5));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! S.-J. Yen and Y.-S. Lee, "Cluster-based under-sampling approaches for imbalanced data
//! distributions", Expert Systems with Applications 36, 2009.

use counterweight_core::{
    Matrix, NewRows, Origin, Resampler, ResamplerCaps, ResamplerEntry, Samples, StageContext,
    StageError, StageResult, Train, parameters, words,
};

use super::kmeans::cluster;
use super::room::Room;
use super::strategy::Shrink;
use counterweight_numeric::linalg::squared_distance_by_column;
use counterweight_numeric::neighbours::Pool;

words! {
    /// What stays of a cluster.
    pub enum Voting {
        /// Its centre.
        Soft = "soft",
        /// The row nearest to it.
        Hard = "hard",
    }
}

parameters! {
    /// Cluster centroids with checked parameters.
    pub struct ClusterCentroids {
        /// how many rows of each class to end with
        strategy: Shrink = "auto";
        /// whether the centres themselves (`soft`) or the rows nearest to them (`hard`) stay
        voting: Voting = "soft";
    }
}

/// A row that is made: its values, class and origin.
type Made = (Vec<f64>, u32, Origin);

impl ClusterCentroids {
    /// Adds what the rows of one class become: rows that stay, and rows that are made.
    fn condense(
        &self,
        samples: &Samples,
        (class, rows, target): (u32, &[usize], usize),
        (kept, made): (&mut Vec<usize>, &mut Vec<Made>),
        context: &mut StageContext<'_>,
    ) -> StageResult<()> {
        let x = samples.x().select_rows(rows);
        let clusters = cluster(&x, target, context)?;
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); clusters.centres.rows()];
        for (at, &centre) in clusters.of.iter().enumerate() {
            members[centre].push(at);
        }
        let mut taken = vec![false; rows.len()];
        let mut here = 0;
        for (centre, members) in members.iter_mut().enumerate() {
            let values = clusters.centres.row(centre);
            let gap = |at: &usize| squared_distance_by_column(x.row(*at), values);
            members.sort_by(|a, b| gap(a).total_cmp(&gap(b)).then(a.cmp(b)));
            match (members.as_slice(), self.voting) {
                ([], _) => {}
                ([first, ..], Voting::Hard) | ([first], Voting::Soft) => {
                    taken[*first] = true;
                    kept.push(rows[*first]);
                    here += 1;
                }
                ([first, second, ..], Voting::Soft) => {
                    let original = |at: usize| match samples.origins()[rows[at]] {
                        Origin::Row(row) | Origin::Synthetic { base: row, .. } => row,
                    };
                    let origin = Origin::Synthetic {
                        base: original(*first),
                        neighbour: original(*second),
                    };
                    made.push((values.to_vec(), class, origin));
                    here += 1;
                }
            }
        }
        let spare = (0..rows.len()).filter(|&at| !taken[at]);
        kept.extend(spare.take(target - here).map(|at| rows[at]));
        Ok(())
    }
}

impl Resampler for ClusterCentroids {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        let samples = train.samples();
        if samples.has_nominal() {
            return Err(StageError::NotApplicable(
                "cluster-centroids takes means and these rows have nominal columns".into(),
            ));
        }
        if let Some((row, column)) = samples.x().first_non_finite() {
            return Err(StageError::Failed(format!(
                "the value in row {row}, column {column} is not finite; impute or drop it first"
            )));
        }
        let counts = train.counts();
        let targets = self.strategy.targets(samples.y().names(), &counts)?;
        let (mut kept, mut made) = (Vec::new(), Vec::new());
        for (class, &target) in (0_u32..).zip(&targets) {
            let rows = Pool::Class(class as usize).rows(samples);
            if target == rows.len() {
                kept.extend(rows);
            } else {
                let about = (class, rows.as_slice(), target);
                self.condense(samples, about, (&mut kept, &mut made), context)?;
            }
        }
        kept.sort_unstable();
        let rest = samples.select(&kept);
        let mut cells = rest.x().as_slice().to_vec();
        let mut ids = rest.y().ids().to_vec();
        let mut origins = rest.origins().to_vec();
        for (values, class, origin) in made {
            cells.extend(values);
            ids.push(class);
            origins.push(origin);
        }
        let x = Matrix::from_vec(ids.len(), samples.x().cols(), cells)?;
        let y = samples.y().with_ids(ids)?;
        let made = Samples::new(x, samples.kinds().clone(), y, origins)?;
        train.derive(|_| Ok(made))
    }
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<ClusterCentroids>(
    "cluster-centroids",
    "replaces larger classes by the centres of their k-means clusters",
    "Yen and Lee 2009",
    ResamplerCaps::SHRINKS
        .making(NewRows::Elsewhere)
        .weightless()
        .numeric()
        .taking(|params, size| Room::of(params, size).clusters()),
);
