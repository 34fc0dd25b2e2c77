//! The analysis: computed once from the records; sentences, tables and figures only read it.
//!
//! The unit of comparison is the cluster of related datasets. A point's value under an arm is the mean over
//! repeats and folds, a dataset's the mean over its points (profile and requested ratio), a cluster's the mean
//! over its datasets; every mean, rank, test and interval takes the clusters with equal weight.

mod ablation;
mod calibration;
mod compare;
mod contest;
mod costs;
mod cover;
mod cube;
mod curves;
mod data;
mod effects;
mod grid;
mod info;
mod ladders;
mod leaks;
mod outcomes;
mod paired;
mod places;
mod question;
mod ranked;
mod resampled;
mod selection;
mod target;

use std::ops::Deref;
use std::sync::Arc;

pub use ablation::{Ablation, AblationGrid, AblationPoint, AblationStudy, AblationVerdict};
pub use calibration::{Calibration, CalibrationRow, CurveBin, Front, FrontPoint, ReliabilityCurve};
pub use compare::{Comparison, Omnibus, Ranked};
pub use contest::Contest;
pub use costs::{CostRow, CostStudy};
pub use cover::Unranked;
pub(crate) use cube::mean;
pub use cube::{Cube, FoldValue, Summary};
pub use curves::{Curve, Curves, Place, Source};
use data::direction_of;
pub use data::{
    CorrectionInfo, Data, DatasetInfo, HELD_MINORITY, HELD_ROWS, MetricInfo, ModelInfo, Point,
    Scope,
};
pub use effects::Effect;
pub use grid::{Grid, Kind, Member};
pub use leaks::{LeakPremium, LeakStudy, LeakValue};
pub use outcomes::{OutcomeCount, Outcomes, Reason};
pub use paired::{Against, HALF_A_POINT, Part, Practical, Price, Verdict};
pub use question::{Answered, Checked, Held, Measured};
pub use ranked::Standing;
pub use resampled::ResamplerRow;
pub use selection::{Places, SelectionOrder, SelectionRow, SelectionStudy};
pub use target::Target;

use crate::ReportInput;
use crate::error::Result;
use grid::Stands;

/// Everything that the report says, as numbers: the data, and independent studies of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// What the records say of the models and corrections that stand in rankings; the analysis reads
    /// as its data.
    pub data: Arc<Data>,
    /// The same with all members of grids.
    pub all: Arc<Data>,
    /// Comparisons over what the question is about, one a model.
    pub overall: Vec<Comparison>,
    /// The distinct models together.
    pub pooled: Comparison,
    /// How many comparisons the one family of tests holds.
    pub family: usize,
    /// Comparisons within a scope, by scope and model; scopes without points are left out.
    pub scoped: Vec<Comparison>,
    /// Cells by outcome and reason.
    pub outcomes: Outcomes,
    /// The gain by imbalance ratio.
    pub curves: Curves,
    /// The target over each swept parameter.
    pub ablations: AblationStudy,
    /// Gains taken apart into threshold and ranking.
    pub effects: Vec<Effect>,
    /// What each resampler did.
    pub resamplers: Vec<ResamplerRow>,
    /// Corrections at fixed parameters and at those of their own choice.
    pub selection: SelectionStudy,
    /// What leakage would have claimed; empty where the sweep has no leaks.
    pub leaks: LeakStudy,
    /// What each correction does to probabilities.
    pub calibration: Calibration,
    /// What each correction saves at other costs than those of balanced error.
    pub costs: CostStudy,
    /// The question of the sweep with its answer, where it has one.
    pub question: Option<Answered>,
}

/// Sentences, tables and figures ask for a model's id as often as for a study's numbers.
impl Deref for Analysis {
    type Target = Data;

    fn deref(&self) -> &Data {
        &self.data
    }
}

impl Analysis {
    /// Computes everything, for balanced error.
    ///
    /// # Errors
    /// See [`Analysis::of`].
    pub fn new(input: &ReportInput<'_>) -> Result<Self> {
        Self::of(input, &Target::default())
    }

    /// Computes everything, for any metric that has a good end.
    ///
    /// # Errors
    /// [`ReportError::Twice`](crate::ReportError::Twice) when two records claim one place of the
    /// design, [`ReportError::Stats`](crate::ReportError::Stats) for a metric that is not finite.
    pub fn of(input: &ReportInput<'_>, target: &self::Target) -> Result<Self> {
        let all = Arc::new(Data::of(input, target)?);
        let grids = grid::grids(&all, input.axes);
        let standing = Stands::of(&all, &grids);
        let data = Arc::new(all.standing(&standing).for_headlines());
        let (overall, family) = compare::overall(&data)?;
        let pooled = compare::pooled(&data)?;
        let whole: Vec<&Comparison> = std::iter::once(&pooled).chain(&overall).collect();
        Ok(Self {
            outcomes: Outcomes::count(input.records),
            curves: Curves::of(&data, &whole)?,
            ablations: AblationStudy::of(&all, grids, &standing)?,
            effects: effects::effects(&data, &overall)?,
            resamplers: resampled::resampled(&all),
            selection: SelectionStudy::of(&data, &overall, input)?,
            leaks: LeakStudy::of(&data, input.leaks)?,
            calibration: Calibration::of(&data, &overall, input.reliability),
            costs: CostStudy::of(&data, &whole, input.costs)?,
            scoped: compare::scoped(&data, &whole)?,
            question: input
                .question
                .map(|question| Answered::of(question, input.records))
                .transpose()?,
            overall,
            pooled,
            family,
            data,
            all,
        })
    }
}
