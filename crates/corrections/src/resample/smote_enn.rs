//! SMOTE, then edited: [`smote`](super::smote) first, [`enn`](super::enn) of every class on its
//! result.
//!
//! # When it helps, when it hurts
//!
//! SMOTE makes rows on majority ground where the classes overlap; editing removes them and the
//! majority's rows around them, much more than [`smote_tomek`](super::smote_tomek) does. It often
//! leaves more minority than majority rows, so scores have another prior than the data by more than
//! SMOTE's share. With broad overlap little is left.
//!
//! # Formula
//!
//! All of [`smote`](super::smote), then every row that its `enn_k` nearest neighbours among old and
//! new rows misjudge ([`enn`](super::enn) with `strategy = "all"`): with `rule = "all"` one of
//! another class suffices, with `mode` its class has to be outvoted.
//!
//! # Parameters
//!
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `strategy` | `auto` | see [`strategy`] | rows a class, before cleaning |
//! | `k` | 5 | at least 1 | neighbours of smote |
//! | `enn_k` | 3 | at least 1 | neighbours of enn |
//! | `rule` | `all` | `all`, `mode` |  |
//!
//! # Cost
//!
//! O(m^2 d) for the neighbours among the m rows that [`smote`](super::smote) leaves, which are not
//! shared, beside the cost of smote.
//!
//! # Differences
//!
//! * The paper edits by the majority of three neighbours (`rule = "mode"`); imbalanced-learn 0.14 by
//!   `all`, which is the default here. SMOTE's own differences are named in [`smote`](super::smote).
//! * Kept rows stay in their order, the original rows first.
//! * Data with nominal columns are refused: imbalanced-learn's form would interpolate codes.
//!
//! # Errors
//!
//! Those of [`smote`](super::smote); `NotApplicable` for nominal columns, `Failed` when no row would
//! be left.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     Deadline, Labels, Matrix, Partition, Samples, Seed, Shared, SmallClass, StageContext, find, params,
//! };
//! let x = Matrix::from_vec(6, 1, vec![0.0, 1.0, 2.0, 3.0, 8.0, 9.0])?;
//! let samples = Samples::numeric(x, Labels::from_texts(&["a", "a", "a", "a", "b", "b"]))?;
//! let (train, _) = Partition::new(6, (0..6).collect(), vec![])?.cut_samples(&samples)?;
//!
//! let entry = find(counterweight_corrections::resample::ALL, "smote-enn").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let after = (entry.build)(&params)?.resample(&train, &mut context)?;
//! assert_eq!(after.counts().as_slice(), [4, 4]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! G. E. A. P. A. Batista, R. C. Prati and M. C. Monard, "A study of the behavior of several methods
//! for balancing machine learning training data", SIGKDD Explorations 6, 2004.

use counterweight_core::params::Default;
use counterweight_core::{
    Card, OnNominal, ParamError, ParamKind, ParamSpec, Params, Range, Resampler, ResamplerCaps,
    ResamplerEntry, StageContext, StageError, StageResult, Train,
};

use super::cleaning::{RULE, Rule, at_most, subset};
use super::room::Room;
use super::smote::{K, Smote};
use super::strategy;
use counterweight_numeric::neighbours::{Metric, Points, nearest};

/// SMOTE and editing with checked parameters.
#[derive(Clone, Debug)]
pub struct SmoteEnn {
    smote: Smote,
    k: usize,
    rule: Rule,
}

impl TryFrom<&Params> for SmoteEnn {
    type Error = ParamError;

    fn try_from(params: &Params) -> Result<Self, ParamError> {
        Ok(Self {
            smote: Smote::try_from(params)?,
            k: params.whole("enn_k"),
            rule: Rule::from_params(params),
        })
    }
}

impl Resampler for SmoteEnn {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        if train.samples().has_nominal() {
            return Err(StageError::NotApplicable(
                "smote-enn interpolates and these rows have nominal columns".into(),
            ));
        }
        let grown = self.smote.resample(train, context)?;
        let samples = grown.samples();
        let (n, y) = (samples.n_rows(), samples.y());
        let k = at_most(("enn_k", self.k), n - 1, &format!("{n} rows"), context)?;
        let points = Points::new(samples, Metric::Euclidean)?;
        let rows: Vec<usize> = (0..n).collect();
        let near = nearest(&points, &rows, &rows, k, &context.deadline)?;
        let stays = |row: &usize| self.rule.keeps(y, y.class(*row), near.of(*row));
        let kept = rows.iter().copied().filter(stays).collect();
        subset(&grown, kept, context)
    }
}

fn build(params: &Params) -> Result<Box<dyn Resampler>, ParamError> {
    Ok(Box::new(SmoteEnn::try_from(params)?))
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry {
    card: Card {
        id: "smote-enn",
        summary: "smote, then without the rows that their neighbours misjudge",
        reference: "Batista et al. 2004",
        params: &[
            strategy::SPEC,
            K,
            ParamSpec::new(
                "enn_k",
                ParamKind::Whole(Range::AT_LEAST_ONE),
                Default::Whole(3),
                "nearest neighbours that judge a row after smote",
            ),
            RULE,
        ],
    },
    caps: ResamplerCaps {
        nominal: OnNominal::Refuses,
        all_nominal: OnNominal::Refuses,
        numeric_only: OnNominal::Handles,
        minibatches: false,
        family: "resampling",
        footprint: |params, size| Room::over(params, size).smote_and_search(),
    },
    build,
};
