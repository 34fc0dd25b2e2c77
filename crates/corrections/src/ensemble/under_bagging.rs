//! Under-bagging: each member is fitted to all rows of the smallest class and a random subset of the
//! others, and their probabilities are averaged.
//!
//! # When it helps, when it hurts
//!
//! Each subset throws most of the larger classes away, but not the same part, so that the average
//! keeps what random under-sampling loses: this is where unstable bases (trees) win most. A stable
//! base (a linear one) has little to average. Below a few tens of rows in the smallest class every
//! member sees the same few, and their error stays.
//!
//! # Formula
//!
//! Member m is the base's fit to a set `S_m` that holds, of each class, the number of rows that
//! `strategy` asks for, drawn at random without replacement (with it when `replacement` is true,
//! also from the smallest class). The score is `log (1/M sum_m p_m(y | x))`; votes of a base that
//! only votes become shares of votes. The scores' prior is that of the subsets.
//!
//! # Parameters
//!
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `members` | 10 | [1, inf) | members |
//! | `strategy` | `auto` | see [`strategy`], under-samplers | rows a class |
//! | `replacement` | false | true, false | flag |
//!
//! # Cost
//!
//! O(`members`) fits of the base to K times the smallest class's rows.
//!
//! # Differences
//!
//! The paper's members are nearest neighbours that vote; here any base, and averages where it has
//! probabilities. imbalanced-learn's `BalancedBaggingClassifier` first bootstraps all rows, so that
//! the smallest class loses a third of its rows and may vanish; `replacement = true` is its
//! stratified form, in which every class keeps its number of rows.
//!
//! # Errors
//!
//! Fewer than two classes with rows are not applicable. Those of
//! [`strategy`], of the base, and a passed deadline (asked before each
//! fit).
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     Base, Deadline, Labels, Matrix, Partition, Samples, Seed, Shared, SmallClass, StageContext,
//!     find, params,
//! };
//! let x = Matrix::from_vec(7, 1, vec![0.0, 1.0, 2.0, 3.0, 4.0, 8.0, 9.0])?;
//! let y = Labels::from_texts(&["a", "a", "a", "a", "a", "b", "b"]);
//! let (train, _) = Partition::new(7, (0..7).collect(), vec![])?.cut_samples(&Samples::numeric(x, y)?)?;
//!
//! let model = find(counterweight_models::ALL, "decision-tree").expect("it is listed");
//! let given = params::check(model.card.params, &Default::default()).expect("defaults are valid");
//! let learner = (model.build)(&given)?;
//! let base = Base {
//!     id: model.card.id,
//!     learner: &*learner,
//!     max_rows: None,
//!     encode: &|rows| Ok(rows.clone()),
//! };
//! let entry = find(counterweight_corrections::ensemble::ALL, "under-bagging").expect("it is listed");
//! let given = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("ensemble").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let fit = (entry.build)(&given)?.fit(&train, &base, &mut context)?;
//! let scores = fit.fitted.scores(&Matrix::from_vec(2, 1, vec![0.5, 8.5])?)?;
//! assert_eq!(scores.argmax(&[0.0; 2])?.as_slice(), [0, 1]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! R. Barandela, R. M. Valdovinos and J. S. Sanchez, "New applications of ensembles of classifiers",
//! Pattern Analysis and Applications 6, 2003. B. C. Wallace, K. Small, C. E. Brodley and T. A.
//! Trikalinos, "Class imbalance, redux", ICDM 2011 (why it works).

use super::draw::REPLACEMENT;
use super::members::{MEMBERS, under_rows};
use super::stratified::StratifiedBags;
use crate::resample::strategy::{self, Direction};
use counterweight_core::{
    Base, Card, Ensemble, EnsembleCaps, EnsembleEntry, EnsembleFit, EnsembleNeeds, ParamError,
    Params, StageContext, StageResult, Train,
};

/// Under-bagging with checked parameters.
#[derive(Clone, Debug)]
pub struct UnderBagging(StratifiedBags);

impl TryFrom<&Params> for UnderBagging {
    type Error = ParamError;

    fn try_from(params: &Params) -> Result<Self, ParamError> {
        StratifiedBags::from_params(params, "members", Direction::Under).map(Self)
    }
}

impl Ensemble for UnderBagging {
    fn needs(&self) -> EnsembleNeeds {
        EnsembleNeeds::default()
    }

    fn fit(
        &self,
        train: &Train,
        base: &Base<'_>,
        context: &mut StageContext<'_>,
    ) -> StageResult<EnsembleFit> {
        self.0.fit(base.learner, train, base, context)
    }
}

fn build(params: &Params) -> Result<Box<dyn Ensemble>, ParamError> {
    Ok(Box::new(UnderBagging::try_from(params)?))
}

/// The registry entry.
pub(crate) const ENTRY: EnsembleEntry = EnsembleEntry {
    card: Card {
        id: "under-bagging",
        summary: "averages fits to balanced subsets of the rows",
        reference: "Barandela et al. 2003",
        params: &[MEMBERS, strategy::SPEC, REPLACEMENT],
    },
    caps: EnsembleCaps {
        family: "ensemble",
        fits: |params, counts| (params.whole("members"), under_rows(counts)),
    },
    build,
};
