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
//! # Parameters
//!
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `strategy` | `auto` | see [`strategy`] | rows a class, before the filter |
//! | `k` | 5 | at least 1 | neighbours |
//! | `partitions` | 9 | at least 2 | parts |
//! | `voting` | `majority` | `majority`, `consensus` | |
//! | `stop_share` | 0.01 | 0 to 1, without 0 | share of the rows |
//! | `stop_rounds` | 3 | at least 1 | rounds |
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

use counterweight_core::params::Default;
use counterweight_core::{
    Card, Note, OnNominal, ParamError, ParamKind, ParamSpec, Params, Range, Resampler,
    ResamplerCaps, ResamplerEntry, Samples, StageContext, StageError, StageResult, Train,
};
use rand::RngExt as _;

use super::blend::Blend;
use super::cart::Cart;
use super::room::Room;
use super::smote::{K, Smote};
use super::smote_nc::SmoteNc;
use super::strategy;

/// SMOTE-IPF with checked parameters.
#[derive(Clone, Debug)]
pub struct SmoteIpf {
    smote: Smote,
    smote_nc: SmoteNc,
    partitions: usize,
    consensus: bool,
    stop_share: f64,
    stop_rounds: usize,
}

impl TryFrom<&Params> for SmoteIpf {
    type Error = ParamError;

    fn try_from(params: &Params) -> Result<Self, ParamError> {
        Ok(Self {
            smote: Smote::try_from(params)?,
            smote_nc: SmoteNc::try_from(params)?,
            partitions: params.whole("partitions"),
            consensus: params.text("voting") == "consensus",
            stop_share: params.real("stop_share"),
            stop_rounds: params.whole("stop_rounds"),
        })
    }
}

impl Resampler for SmoteIpf {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        Blend::new(train.samples(), "smote-ipf")?;
        let grown = if train.samples().has_nominal() {
            self.smote_nc.resample(train, context)?
        } else {
            self.smote.resample(train, context)?
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
                if self.consensus {
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

fn build(params: &Params) -> Result<Box<dyn Resampler>, ParamError> {
    Ok(Box::new(SmoteIpf::try_from(params)?))
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry {
    card: Card {
        id: "smote-ipf",
        summary: "smote, then removes the rows that trees grown on parts of the data get wrong",
        reference: "Saez et al. 2015",
        params: &[
            strategy::SPEC,
            K,
            ParamSpec::new(
                "partitions",
                ParamKind::Whole(Range::new(2.0, true, f64::INFINITY, false)),
                Default::Whole(9),
                "parts of the data, each of which grows a tree",
            ),
            ParamSpec::new(
                "voting",
                ParamKind::Choice(&["majority", "consensus"]),
                Default::Text("majority"),
                "how many trees have to be wrong about a row: more than half, or all",
            ),
            ParamSpec::new(
                "stop_share",
                ParamKind::Real(Range::new(0.0, false, 1.0, true)),
                Default::Real(0.01),
                "share of the rows below which a round's removals count as few",
            ),
            ParamSpec::new(
                "stop_rounds",
                ParamKind::Whole(Range::AT_LEAST_ONE),
                Default::Whole(3),
                "rounds in a row with few removals after which the filter stops",
            ),
        ],
    },
    caps: ResamplerCaps {
        nominal: OnNominal::Handles,
        all_nominal: OnNominal::Refuses,
        numeric_only: OnNominal::Handles,
        minibatches: false,
        family: "resampling",
        footprint: |params, size| {
            let room = Room::over(params, size);
            room.smote() + room.result() / 2.0
        },
    },
    build,
};
