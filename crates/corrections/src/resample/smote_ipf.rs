//! SMOTE-IPF: SMOTE, and then an iterative partitioning filter that takes out the rows, made or
//! original, which trees grown on parts of the data mostly get wrong.
//!
//! # When it helps, when it hurts
//!
//! It removes the noise that SMOTE multiplies and the bridges it builds, along with the noise that was
//! there, and so does well on noisy borders. The same votes remove true rows of small disjuncts, which
//! no part of the data holds enough of to learn.
//!
//! # Formula
//!
//! After [`smote`](super::smote) (with nominal columns [`smote_nc`](super::smote_nc)): split the rows into
//! `partitions` parts, at random and alike in every class; grow a tree on each part; let every tree
//! classify all rows; remove the rows that more than half of the trees (`majority`) or all of them
//! (`consensus`) get wrong. Repeat on what is left until fewer than `stop_share` of the rows that SMOTE
//! left were removed in each of `stop_rounds` rounds in a row.
//!
//! The trees are unpruned: Gini impurity, thresholds between neighbouring values, one level against the
//! rest for nominal columns, at least two rows a leaf.
//!
//! # Cost
//!
//! O(d n log n) a round for each level of the trees and O(p n) paths for p parts and n rows of d columns,
//! beside the cost of SMOTE; at most `stop_rounds / stop_share` rounds, in practice a few more than
//! `stop_rounds`.
//!
//! # Differences
//!
//! * imbalanced-learn does not have it. The paper grows C4.5 trees; these are CART trees with C4.5's two
//!   rows a leaf. Part, voting and stopping rules and their values are the paper's.
//! * `smote_variants` 1.0 grows each tree on all parts but one, the same ones every round, counts its votes
//!   for two classes only, and its share is of the rows left.
//! * Rows of a class that a round would remove to the last one all stay for that round, and a note says so:
//!   a class does not vanish.
//! * Counts end where the filter leaves them. What is left of the original rows comes first, in order.
//! * Small classes follow the `small_class` policy in SMOTE; more parts than rows follow it too.
//!
//! # Errors
//!
//! Those of SMOTE or SMOTE-NC; [`StageError::NotApplicable`] for nominal columns alone.
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
//! // One row of `b` is far inside `a`.
//! let x = Matrix::from_fn(60, 1, |i, _| if i == 59 { 20.5 } else { i as f64 });
//! let y: Vec<&str> = (0..60).map(|i| if i < 45 { "a" } else { "b" }).collect();
//! let samples = Samples::numeric(x, Labels::from_texts(&y))?;
//! let (train, _) = Partition::new(60, (0..60).collect(), vec![])?.cut_samples(&samples)?;
//!
//! let entry = find(counterweight_corrections::resample::ALL, "smote-ipf").expect("it is listed");
//! let given = [("partitions".to_owned(), ParamValue::Whole(5))];
//! let params = params::check(entry.card.params, &given.into()).expect("they are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let clean = (entry.build)(&params)?.resample(&train, &mut context)?;
//! assert!(!clean.samples().x().column(0).contains(&20.5));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! J. A. Saez, J. Luengo, J. Stefanowski and F. Herrera, "SMOTE-IPF: addressing the noisy and
//! borderline examples problem in imbalanced classification by a re-sampling method with filtering",
//! Information Sciences 291, 2015. T. M. Khoshgoftaar and P. Rebours, "Improving software quality
//! prediction by noise filtering techniques", Journal of Computer Science and Technology 22, 2007.

use counterweight_core::{
    NewRows, Note, Range, Resampler, ResamplerCaps, ResamplerEntry, Samples, StageContext,
    StageError, StageResult, Train, parameters, words,
};
use rand::RngExt as _;

use super::blend::Blend;
use super::cart::Cart;
use super::room::Room;
use super::smote::Smote;
use super::smote_nc::SmoteNc;
use super::strategy::Grow;

words! {
    /// How many trees have to be wrong about a row.
    pub enum Voting {
        /// More than half.
        Majority = "majority",
        /// All.
        Consensus = "consensus",
    }
}

parameters! {
    /// SMOTE-IPF with checked parameters.
    pub struct SmoteIpf {
        /// how many rows of each class to end with
        strategy: Grow = "auto";
        /// nearest neighbours of the same class to interpolate towards
        k: usize = 5, in Range::AT_LEAST_ONE, probe [1];
        /// parts of the data, each of which grows a tree
        partitions: usize = 9, in Range::new(2.0, true, f64::INFINITY, false), probe [2];
        /// how many trees have to be wrong about a row: more than half, or all
        voting: Voting = "majority";
        /// share of the rows below which a round's removals count as few
        stop_share: f64 = 0.01, in Range::new(0.0, false, 1.0, true), probe [1.0, 0.001], beside [stop_rounds: usize = 1];
        /// rounds in a row with few removals after which the filter stops
        stop_rounds: usize = 3, in Range::AT_LEAST_ONE, probe [1, 9], beside [stop_share: f64 = 1.0];
    }
}

impl Resampler for SmoteIpf {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        Blend::new(train.samples(), "smote-ipf")?;
        let (strategy, k) = (self.strategy.clone(), self.k);
        let grown = if train.samples().has_nominal() {
            SmoteNc::default()
                .strategy(strategy)
                .k(k)
                .resample(train, context)?
        } else {
            Smote::default()
                .strategy(strategy)
                .k(k)
                .resample(train, context)?
        };
        if let Some((row, column)) = grown.samples().x().first_non_finite() {
            return Err(StageError::Failed(format!(
                "the value in row {row}, column {column} is not finite; impute or drop it first"
            )));
        }
        let mut left: Vec<usize> = (0..grown.samples().n_rows()).collect();
        let few = self.stop_share * left.len() as f64;
        let mut calm = 0;
        while calm < self.stop_rounds {
            let wrong = self.wrong(grown.samples(), &left, context)?;
            let before = left.len();
            let mut wrong = wrong.into_iter();
            left.retain(|_| !wrong.next().unwrap_or(false));
            calm = if ((before - left.len()) as f64) < few {
                calm + 1
            } else {
                0
            };
        }
        let removed = grown.samples().n_rows() - left.len();
        context
            .details
            .insert("filtered_rows".into(), removed as f64);
        grown.derive(|samples| Ok(samples.select(&left)))
    }
}

impl SmoteIpf {
    /// For each of the rows `left`, whether it goes.
    fn wrong(
        &self,
        samples: &Samples,
        left: &[usize],
        context: &mut StageContext<'_>,
    ) -> StageResult<Vec<bool>> {
        let mut partitions = self.partitions;
        if partitions > left.len() {
            partitions = left.len();
            context.clamp(format!(
                "partitions = {} reduced to {partitions} for as many rows",
                self.partitions
            ))?;
        }
        let mut mistakes = vec![0_usize; left.len()];
        for part in deal(samples, left, partitions, context) {
            let tree = Cart::grow(samples, part, &context.deadline)?;
            for (&row, mistakes) in left.iter().zip(&mut mistakes) {
                let found = tree.predict(samples.x().row(row));
                *mistakes += usize::from(found != samples.y().class(row));
            }
        }
        let mut wrong: Vec<bool> = mistakes
            .iter()
            .map(|&mistakes| {
                if self.voting == Voting::Consensus {
                    mistakes == partitions
                } else {
                    2 * mistakes > partitions
                }
            })
            .collect();
        for class in 0..samples.y().n_classes() {
            let of_class = |row: usize| samples.y().class(row) == class;
            let mut rows = left.iter().zip(&wrong).filter(|(row, _)| of_class(**row));
            let any = rows.clone().next().is_some();
            if any && rows.all(|(_, wrong)| *wrong) {
                for (&row, wrong) in left.iter().zip(&mut wrong) {
                    *wrong &= !of_class(row);
                }
                context.note(Note::Remark(format!(
                    "the filter would have removed every row of class {}; they stay",
                    samples.y().names()[class]
                )));
            }
        }
        Ok(wrong)
    }
}

/// Splits rows into parts of nearly equal size in which every class is spread alike.
fn deal(
    samples: &Samples,
    left: &[usize],
    partitions: usize,
    context: &mut StageContext<'_>,
) -> Vec<Vec<usize>> {
    let mut parts = vec![Vec::new(); partitions];
    let mut next = 0;
    for class in 0..samples.y().n_classes() {
        let mut rows: Vec<usize> = left
            .iter()
            .copied()
            .filter(|&row| samples.y().class(row) == class)
            .collect();
        for at in (1..rows.len()).rev() {
            rows.swap(at, context.stream.random_range(0..=at));
        }
        for row in rows {
            parts[next].push(row);
            next = (next + 1) % partitions;
        }
    }
    parts
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<SmoteIpf>(
    "smote-ipf",
    "smote, then removes the rows that trees grown on parts of the data get wrong",
    "Saez et al. 2015",
    ResamplerCaps {
        cleans_up: true,
        footprint: |params, size| {
            let room = Room::over(params, size);
            room.smote() + room.result() / 2.0
        },
        ..ResamplerCaps::GROWS.making(NewRows::WithinClass).mixed()
    },
);
