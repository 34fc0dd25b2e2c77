//! Condensed nearest neighbours: of each larger class only the rows that a nearest-neighbour rule on
//! the smallest class and the rows taken so far gets wrong.
//!
//! # When it helps, when it hurts
//!
//! It keeps border rows and drops the interior, for a k-nearest-neighbour rule or a tree that needs
//! the border only. It keeps noise first of all, depends on the order of the rows, and its share of
//! the data is whatever comes out. Follow it with [`tomek_links`](super::tomek_links), or take
//! [`one_sided_selection`](super::one_sided_selection), which is that.
//!
//! # Formula
//!
//! For each class c that `strategy` names, apart: C starts as the rows of the smallest class and
//! `seeds` random rows of c. The rows of c are taken in order; one that the k nearest rows of C (the
//! most frequent class, a tie going to the lowest) do not call c joins C. The rows of c in C stay.
//!
//! # Cost
//!
//! O(m (a + s) d) for a class of m rows of which s stay beside the a rows of the smallest class:
//! each row's nearest rows of C are kept up to date as C grows.
//!
//! # Differences
//!
//! * Hart passes over the rows until nothing changes and condenses all classes together; like
//!   imbalanced-learn 0.14, this passes once and sets one class after another against the smallest.
//! * imbalanced-learn skips rows by a list that mixes row numbers with positions within the class,
//!   so that a row can be passed over because its position is the number of a row that was taken,
//!   and a seed can be taken twice. With `replay = true` that is done here too, and given its seeds
//!   the rows that stay are imbalanced-learn's; without, they are the same for k = 1 wherever the two
//!   numberings do not meet (a larger class that comes first in the data).
//! * Seeds are drawn without replacement (there, with: a seed can come out twice).
//! * Distances that tie: the row of the smallest class first, then the one that joined first. Of
//!   several classes with the smallest count the lowest is the smallest.
//! * Kept rows stay in their order; imbalanced-learn groups them by class.
//! * `all` is `not-minority` here; there it condenses the smallest class against itself, which
//!   leaves its seeds.
//! * Fewer rows than k or than seeds follow the sweep's `small_class` policy.
//! * Data with nominal columns go through the mixed metric of [`smote_nc`](super::smote_nc) on the
//!   scale of the smallest class, data of nominal columns alone through value differences, and a
//!   note says so; imbalanced-learn takes codes for numbers.
//!
//! # Errors
//!
//! [`StageError::NotApplicable`] when fewer than two classes have rows, [`StageError::Failed`] for
//! values that are not finite and for `seed_rows` that do not exist or leave a class without one,
//! and those of the `small_class` policy.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     Deadline, Labels, Matrix, Partition, Samples, Seed, Shared, SmallClass, StageContext, find, params,
//! };
//! let x = Matrix::from_vec(7, 1, vec![0.0, 1.0, 2.0, 3.0, 4.0, 8.0, 9.0])?;
//! let samples = Samples::numeric(x, Labels::from_texts(&["a", "a", "a", "a", "a", "b", "b"]))?;
//! let (train, _) = Partition::new(7, (0..7).collect(), vec![])?.cut_samples(&samples)?;
//!
//! let entry = find(counterweight_corrections::resample::ALL, "condensed-nn").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let after = (entry.build)(&params)?.resample(&train, &mut context)?;
//! // One random row of class a, and those that are nearer to class b than to it.
//! assert!(after.counts().as_slice()[0] < 5);
//! assert_eq!(after.counts().as_slice()[1], 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! P. E. Hart, "The condensed nearest neighbor rule", IEEE Transactions on Information Theory 14,
//! 1968.

use counterweight_core::params::Wholes;
use counterweight_core::{
    Labels, Range, Resampler, ResamplerCaps, ResamplerEntry, StageContext, StageError, StageResult,
    Train, limit, parameters,
};
use rand::RngExt as _;

use super::cleaning::{at_most, metric, most_frequent, subset};
use super::room::Room;
use super::strategy::{self, Cleaning};
use counterweight_numeric::neighbours::{self, Metric, Points, Pool, Search};

/// The rows of a class that the condensed set starts with: `given` ones, or `wanted` drawn ones.
///
/// # Errors
/// [`StageError::Failed`] when none of the given rows is of the class, or one does not exist.
pub(super) fn seeds(
    (wanted, given): (usize, Option<&[usize]>),
    (class, rows): (usize, &[usize]),
    y: &Labels,
    context: &mut StageContext<'_>,
) -> StageResult<Vec<usize>> {
    let name = &y.names()[class];
    let Some(given) = given else {
        let what = format!("class {name} with {} rows", rows.len());
        let wanted = at_most(("seeds", wanted), rows.len(), &what, context)?;
        let mut rows = rows.to_vec();
        for at in 0..wanted {
            let other = context.stream.random_range(at..rows.len());
            rows.swap(at, other);
        }
        rows.truncate(wanted);
        return Ok(rows);
    };
    if let Some(row) = given.iter().find(|&&row| row >= y.len()) {
        return Err(StageError::Failed(format!(
            "seed_rows: there is no row {row} among {} training rows",
            y.len()
        )));
    }
    let mut seeds: Vec<usize> = Vec::new();
    for &row in given.iter().filter(|&&row| y.class(row) == class) {
        if !seeds.contains(&row) {
            seeds.push(row);
        }
    }
    if seeds.is_empty() {
        return Err(StageError::Failed(format!(
            "seed_rows names no row of class {name}; give one a class, or leave it out"
        )));
    }
    Ok(seeds)
}

/// The rows of one class, and for each the k nearest rows of the set that calls classes.
#[derive(Debug)]
pub(super) struct Caller<'a> {
    points: &'a Points,
    rows: Vec<usize>,
    classes: (usize, usize),
    k: usize,
    /// k slots a row, nearest first: squared distance, and whether it is a row of the class.
    slots: Vec<(f64, bool)>,
}

impl<'a> Caller<'a> {
    /// The set is the smallest class and `seeds`.
    ///
    /// # Errors
    /// Those of the search and of the small-class policy.
    pub(super) fn new(
        train: &Train,
        points: &'a Points,
        (metric, class, minority): (Metric, usize, usize),
        (k, seeds): (usize, &[usize]),
        context: &mut StageContext<'_>,
    ) -> StageResult<Self> {
        let samples = train.samples();
        let few = train.counts().as_slice()[minority];
        let set = few + seeds.len();
        let k = at_most(("k", k), set, &format!("the first {set} rows"), context)?;
        let search = Search {
            metric,
            of: Pool::Class(class),
            among: Pool::Class(minority),
            k,
        };
        let lists = neighbours::shared(train, &search, context)?;
        let rows = Pool::Class(class).rows(samples);
        let mut slots = Vec::with_capacity(rows.len() * k);
        for at in 0..rows.len() {
            let near = lists.squared_distances(at);
            slots.extend(near.iter().map(|&squared| (squared, false)));
            slots.extend(std::iter::repeat_n((f64::INFINITY, false), k - near.len()));
        }
        let mut caller = Self {
            points,
            rows,
            classes: (class, minority),
            k,
            slots,
        };
        for &seed in seeds {
            caller.join(seed, 0);
        }
        Ok(caller)
    }

    /// A row of the class joins the set; the rows from the `from`-th on are told.
    pub(super) fn join(&mut self, row: usize, from: usize) {
        limit::ask();
        for (at, &other) in self.rows.iter().enumerate().skip(from) {
            let squared = self.points.squared_distance(other, row);
            let slots = &mut self.slots[at * self.k..(at + 1) * self.k];
            let place = slots.partition_point(|slot| slot.0.total_cmp(&squared).is_le());
            if place < slots.len() {
                slots[place..].rotate_right(1);
                slots[place] = (squared, true);
            }
        }
    }

    /// Whether the set calls the `at`-th row by its class.
    pub(super) fn is_right(&self, at: usize) -> bool {
        let (class, minority) = self.classes;
        let slots = &self.slots[at * self.k..(at + 1) * self.k];
        let votes = slots
            .iter()
            .map(|&(_, own)| if own { class } else { minority });
        most_frequent(votes) == Some(class)
    }

    /// The rows of the class, ascending.
    pub(super) fn rows(&self) -> &[usize] {
        &self.rows
    }
}

parameters! {
    /// Condensed nearest neighbours with checked parameters.
    pub struct CondensedNn {
        /// which classes may lose rows (`auto`: all but the smallest)
        strategy: Cleaning = "auto", probe ["not-majority", "all"];
        /// nearest rows of the condensed set that call a row's class
        k: usize = 1, in Range::AT_LEAST_ONE, probe [3];
        /// rows of each larger class to start from
        seeds: usize = 1, in Range::AT_LEAST_ONE, probe [5];
        /// training rows (from 0) to start from, instead of drawn ones
        seed_rows: Wholes, probe [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [10, 11, 12, 13, 14, 15, 16, 17, 18, 19]];
        /// pass over the rows that imbalanced-learn 0.14 passes over by mistake
        replay: bool = false, beside [strategy: Cleaning = "majority"];
    }
}

impl Resampler for CondensedNn {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        let samples = train.samples();
        let y = samples.y();
        let counts = train.counts();
        let metric = metric(samples, context)?;
        let aimed = self.strategy.aimed(y.names(), &counts)?;
        let minority = strategy::minority(y.names(), &counts)?;
        let points = Points::new(samples, metric)?;
        let mut kept = Vec::new();
        for (class, &aimed) in aimed.iter().enumerate() {
            let rows = Pool::Class(class).rows(samples);
            if !aimed || class == minority || rows.is_empty() {
                kept.extend(rows);
                continue;
            }
            let start = (self.seeds, self.seed_rows.as_deref());
            let seeds = seeds(start, (class, &rows), y, context)?;
            let about = (metric, class, minority);
            let mut caller = Caller::new(train, &points, about, (self.k, &seeds), context)?;
            let mut joined = vec![false; samples.n_rows()];
            for &seed in &seeds {
                joined[seed] = true;
            }
            for at in 0..rows.len() {
                context.deadline.check()?;
                let row = caller.rows()[at];
                // A seed that the set calls wrong joins a second time there.
                let skipped = if self.replay { joined[at] } else { joined[row] };
                if !skipped && !caller.is_right(at) {
                    joined[row] = true;
                    caller.join(row, at + 1);
                }
            }
            kept.extend(rows.into_iter().filter(|&row| joined[row]));
        }
        subset(train, kept, context)
    }
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<CondensedNn>(
    "condensed-nn",
    "keeps of larger classes what a nearest-neighbour rule on the kept rows gets wrong",
    "Hart 1968",
    ResamplerCaps {
        deterministic: false,
        footprint: |params, size| Room::of(params, size).search(),
        ..ResamplerCaps::CLEANS
    },
);
