//! Swept parameters: the target over the grid of each, what its choice is worth, and how firm that is.
//!
//! The members of one entry differ in the parameters that the entry sweeps, its axes. An ablation moves
//! along one axis and leaves the others where they stand (see [`Grid::standing`]), with one model for a
//! correction's axis and one correction for a model's. Values are compared over the datasets that every
//! member has a value for.
//!
//! Intervals are within datasets: each dataset's values are shifted to a common mean over the grid
//! before the bootstrap over clusters. Datasets differ in level far more than members do, and an interval
//! of the plain mean would say how hard the datasets are, not what the parameter does. Populations that
//! differ in a parameter are datasets of their own, with nothing to pair: their intervals are t intervals
//! over repeats and folds, and no claim is made about them.

mod worth;

use std::collections::BTreeMap;

use counterweight_core::{Axis, Scalar};
use counterweight_stats::{
    BlockDesign, BootstrapOptions, CompleteTable, Dataset, Interval, Level, StatsError,
    TieCorrection, bootstrap_statistic, corrected_t, friedman, iman_davenport,
};
use rayon::prelude::*;

use crate::analysis::compare::RESOLUTION;
use crate::analysis::cover::Cells;
use crate::analysis::grid::{Grid, Kind, Member, Stands};
use crate::analysis::paired::too_few;
use crate::analysis::ranked::test_share;
use crate::analysis::{Data, Part, Summary, mean};
use crate::error::{ReportError, Result};
use worth::{best_place, means_of, over_default, range, verdict};

/// What the grid of a parameter comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AblationVerdict {
    /// The same value everywhere.
    Identical,
    /// The interval of the range is at most a point wide: all values lie within half a point of their
    /// middle.
    Flat,
    /// The best value beats the default: the test and the interval agree.
    BetterThanDefault,
    /// The values differ, and none is shown to beat the default.
    Matters,
    /// Neither a difference nor flatness is shown.
    Unclear,
    /// Fewer than five independent clusters, or populations: no claim.
    TooFew,
}

/// One value of the parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct AblationPoint {
    /// The parameter's value.
    pub setting: Scalar,
    /// Id of the member that has it.
    pub member: String,
    /// Mean of the target over the datasets of the ablation.
    pub mean: f64,
    /// Its 95 % interval (see the module); `None` with fewer than five clusters.
    pub interval: Option<(f64, f64)>,
}

/// One parameter of one entry, with one model or correction beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Ablation {
    /// What differs in the parameter.
    pub kind: Kind,
    /// The axis that is moved along.
    pub axis: Axis,
    /// Id of the model; the entry's for an axis of models.
    pub model: String,
    /// Id of the correction; the entry's for an axis of corrections.
    pub correction: String,
    /// Whether the correction is the baseline.
    pub plain: bool,
    /// Datasets that every member has a value for.
    pub n_datasets: usize,
    /// Independent clusters among them.
    pub n_clusters: usize,
    /// Values in the order of the sweep file, numbers rising; two at least.
    pub points: Vec<AblationPoint>,
    /// The value with the best mean (the first of equal ones).
    pub best: usize,
    /// The 95 % interval of the best value by a bootstrap over clusters; `None` for words and with
    /// fewer than five clusters.
    pub best_interval: Option<(f64, f64)>,
    /// Where the default is, when the grid holds it.
    pub default: Option<usize>,
    /// What the best gains over the default, positive being better; `None` without the default.
    pub gain: Option<Part>,
    /// The p value of that gain after Holm's correction over the grid.
    pub gain_p: Option<f64>,
    /// The worst mean less the best.
    pub range: Part,
    /// Mean of no correction on the same datasets; `None` where it lacks a value, and for models.
    pub reference: Option<f64>,
    /// What it comes to.
    pub verdict: AblationVerdict,
}

/// Two parameters of one entry: the mean of every member.
#[derive(Debug, Clone, PartialEq)]
pub struct AblationGrid {
    /// What differs in the parameters.
    pub kind: Kind,
    /// The axis of the columns.
    pub across: Axis,
    /// The axis of the rows.
    pub down: Axis,
    /// Id of the model; the entry's for an axis of models.
    pub model: String,
    /// Id of the correction; the entry's for an axis of corrections.
    pub correction: String,
    /// Whether the correction is the baseline.
    pub plain: bool,
    /// Datasets that every member has a value for.
    pub n_datasets: usize,
    /// Row and column of the member that stands for the grid.
    pub standing: (usize, usize),
    /// Means by row and column; `None` where the sweep has no such member.
    pub means: Vec<Vec<Option<f64>>>,
}

/// All swept parameters.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AblationStudy {
    /// By entry and axis, then by model or correction.
    pub ablations: Vec<Ablation>,
    /// Pairs of axes, likewise.
    pub grids: Vec<AblationGrid>,
    /// The grids of the sweep that one member stands for.
    pub entries: Vec<Grid>,
}

/// An ablation to be computed: an axis of a grid, and the standing model and correction beside it (of
/// which the grid's own members take the place of one).
#[derive(Clone, Copy)]
struct Line<'a> {
    data: &'a Data,
    grid: &'a Grid,
    model: usize,
    correction: usize,
}

impl AblationStudy {
    /// `data` are all records, the members of `grids` among them.
    pub(super) fn of(data: &Data, grids: Vec<Grid>, standing: &Stands) -> Result<Self> {
        let stand = |flags: &[bool]| -> Vec<usize> {
            let numbered = flags.iter().enumerate();
            numbered
                .filter(|(_, own)| **own)
                .map(|(at, _)| at)
                .collect()
        };
        let (models, corrections) = (stand(&standing.models), stand(&standing.corrections));
        let mut lines = Vec::new();
        for grid in &grids {
            // The grid's own members take the place of the first of their kind.
            let one = |all: &[usize], own: bool| {
                all[..if own { all.len().min(1) } else { all.len() }].to_vec()
            };
            for &model in &one(&models, grid.kind == Kind::Model) {
                for &correction in &one(&corrections, grid.kind == Kind::Correction) {
                    lines.push(Line {
                        data,
                        grid,
                        model,
                        correction,
                    });
                }
            }
        }
        let along: Vec<(Line<'_>, usize)> = lines
            .iter()
            .flat_map(|line| (0..line.grid.axes.len()).map(|axis| (*line, axis)))
            .collect();
        let ablations: Result<Vec<Option<Ablation>>> = along
            .par_iter()
            .map(|(line, axis)| line.ablation(*axis))
            .collect();
        let pairs = lines.iter().flat_map(Line::pairs);
        let study = Self {
            ablations: ablations?.into_iter().flatten().collect(),
            grids: pairs.collect(),
            entries: Vec::new(),
        };
        Ok(Self {
            entries: grids,
            ..study
        })
    }
}

/// The values of some members over the clusters that all of them have.
struct Shared {
    /// By member, then by cluster.
    columns: Vec<Vec<f64>>,
    clusters: Vec<String>,
    /// By dataset; the model in them says nothing.
    cells: Cells,
}

impl Line<'_> {
    /// The model and correction of a member.
    fn arm(&self, member: usize) -> (usize, usize) {
        match self.grid.kind {
            Kind::Model => (member, self.correction),
            Kind::Correction => (self.model, member),
            Kind::Dataset => (self.model, self.correction),
        }
    }

    fn model_id(&self) -> String {
        match self.grid.kind {
            Kind::Model => self.grid.entry.clone(),
            _ => self.data.model(self.model).to_owned(),
        }
    }

    fn correction_id(&self) -> String {
        match self.grid.kind {
            Kind::Correction => self.grid.entry.clone(),
            _ => self.data.correction(self.correction).to_owned(),
        }
    }

    fn plain(&self) -> bool {
        self.grid.kind != Kind::Correction && Some(self.correction) == self.data.baseline
    }

    /// The members with a value somewhere, and where all of them have one; `None` below two members.
    fn shared(&self, members: &mut Vec<(Scalar, usize)>) -> Option<Shared> {
        let data = self.data;
        let value = |point: usize, member: usize| {
            let (model, correction) = self.arm(member);
            data.cube.value(model, point, correction)
        };
        let asked = data.points_of(data.question());
        members.retain(|(_, m)| asked.iter().any(|&point| value(point, *m).is_some()));
        let mut cells = Cells::new();
        for index in asked {
            let Some(point) = data.points.get(index) else {
                continue;
            };
            if members.iter().all(|(_, m)| value(index, *m).is_some()) {
                cells.entry(point.dataset).or_default().push((0, index));
            }
        }
        let column = |(_, member): &(Scalar, usize)| {
            let own = data.by_cluster(&cells, &|(_, point)| value(point, *member));
            own.into_values().collect()
        };
        let columns = members.iter().map(column).collect();
        let clusters = data.by_cluster(&cells, &|_| Some(0.0)).into_keys();
        let clusters: Vec<String> = clusters.map(str::to_owned).collect();
        (members.len() > 1 && !cells.is_empty()).then_some(Shared {
            columns,
            clusters,
            cells,
        })
    }

    fn ablation(&self, axis: usize) -> Result<Option<Ablation>> {
        let Some(moved) = self.grid.axes.get(axis) else {
            return Ok(None);
        };
        let along = self.grid.along(axis);
        let found = if self.grid.kind == Kind::Dataset {
            self.over_populations(moved, &along)?
        } else {
            let mut members: Vec<(Scalar, usize)> = along
                .iter()
                .map(|(setting, member)| ((*setting).clone(), member.index))
                .collect();
            match self.shared(&mut members) {
                Some(shared) => Some(self.over_datasets(moved, &members, &shared).map_err(
                    |source| ReportError::Stats {
                        what: format!("`{}` of {}", moved.parameter, moved.entry),
                        source,
                    },
                )?),
                None => None,
            }
        };
        Ok(found.map(|mut found| {
            let id = |setting: &Scalar| {
                let own = along.iter().find(|(known, _)| *known == setting);
                own.map_or_else(String::new, |(_, member)| member.id.clone())
            };
            for point in &mut found.points {
                point.member = id(&point.setting);
            }
            found
        }))
    }

    /// Everything but the members' ids.
    fn over_datasets(
        &self,
        axis: &Axis,
        members: &[(Scalar, usize)],
        shared: &Shared,
    ) -> counterweight_stats::Result<Ablation> {
        let columns = &shared.columns;
        let target = &self.data.target;
        let n_clusters = shared.clusters.len();
        let level = |row: usize| mean(columns.iter().filter_map(|c| c.get(row).copied()));
        let levels: Vec<f64> = (0..n_clusters).filter_map(level).collect();
        let overall = mean(levels.iter().copied()).unwrap_or(0.0);
        let means: Vec<f64> = columns
            .iter()
            .filter_map(|column| mean(column.iter().copied()))
            .collect();
        let mut points = Vec::new();
        for (((setting, _), column), &mean) in members.iter().zip(columns).zip(&means) {
            let centred = column.iter().zip(&levels).map(|(v, level)| v - level);
            let interval = Part::of(&centred.collect::<Vec<f64>>())?.interval;
            points.push(AblationPoint {
                setting: setting.clone(),
                member: String::new(),
                mean,
                interval: interval.map(|i| (i.lower + overall, i.upper + overall)),
            });
        }
        let options = BootstrapOptions {
            draws: 1_999,
            ..BootstrapOptions::default()
        };
        let best_of = |drawn: &[usize]| best_place(&means_of(columns, drawn), |v| target.cost(v));
        let all: Vec<usize> = (0..n_clusters).collect();
        let best = best_of(&all);
        let numbers: Option<Vec<f64>> = members.iter().map(|(s, _)| s.as_real()).collect();
        let best_interval = match &numbers {
            Some(numbers) => too_few(bootstrap_statistic(n_clusters, options, |drawn| {
                numbers.get(best_of(drawn)).copied().unwrap_or(f64::NAN)
            }))?,
            None => None,
        };
        // Quantiles fall between values that were tried: the interval spans those around them.
        let on_grid = |ends: Interval| {
            let known = numbers.iter().flatten().copied();
            let lower = known
                .clone()
                .filter(|v| *v <= ends.lower)
                .fold(f64::NEG_INFINITY, f64::max);
            let upper = known
                .filter(|v| *v >= ends.upper)
                .fold(f64::INFINITY, f64::min);
            (lower, upper)
        };
        let spread = |drawn: &[usize]| range(&means_of(columns, drawn));
        let range = Part {
            mean: spread(&all),
            interval: too_few(bootstrap_statistic(n_clusters, options, spread))?,
        };
        let default = members
            .iter()
            .position(|(setting, _)| Some(setting) == axis.default.as_ref());
        let against = match default {
            Some(default) => Some(over_default(columns, (best, default), target)?),
            None => None,
        };
        let (gain, gain_p) = against.map_or((None, None), |(gain, p)| (Some(gain), p));
        let differs = self.differs(members, shared)?;
        let reference = (self.grid.kind == Kind::Correction)
            .then(|| self.reference(&shared.cells))
            .flatten();
        Ok(Ablation {
            kind: self.grid.kind,
            axis: axis.clone(),
            model: self.model_id(),
            correction: self.correction_id(),
            plain: self.plain(),
            n_datasets: shared.cells.len(),
            n_clusters,
            points,
            best,
            best_interval: best_interval.map(on_grid),
            default,
            verdict: verdict(range, gain.as_ref().zip(gain_p), differs),
            gain,
            gain_p,
            range,
            reference,
        })
    }

    /// Whether the values differ at all: Friedman's test over clusters. `None` where it cannot be made.
    fn differs(
        &self,
        members: &[(Scalar, usize)],
        shared: &Shared,
    ) -> counterweight_stats::Result<Option<bool>> {
        let rows = 0..shared.clusters.len();
        let cells = rows.flat_map(|row| shared.columns.iter().filter_map(move |c| c.get(row)));
        let table = CompleteTable::new(
            self.data.target.direction(),
            shared.clusters.iter().map(Dataset::independent).collect(),
            members.iter().map(|(s, _)| s.to_string()).collect(),
            cells.copied().collect(),
        )?;
        let Ok(design) = BlockDesign::try_from(table.rounded(RESOLUTION)?) else {
            return Ok(None);
        };
        let test = too_few(friedman(&design, TieCorrection::Corrected))?;
        Ok(test.map(|test| iman_davenport(&test).p_value <= Level::FIVE_PERCENT.alpha()))
    }

    /// No correction on the same points.
    fn reference(&self, cells: &Cells) -> Option<f64> {
        let baseline = self.data.baseline?;
        let value = |point: usize| self.data.cube.value(self.model, point, baseline);
        let complete = cells
            .values()
            .flatten()
            .all(|(_, point)| value(*point).is_some());
        let by_cluster = self.data.by_cluster(cells, &|(_, point)| value(point));
        mean(by_cluster.into_values()).filter(|_| complete)
    }

    /// Datasets that differ in the parameter: each is one value of the axis.
    fn over_populations(
        &self,
        axis: &Axis,
        along: &[(&Scalar, &Member)],
    ) -> Result<Option<Ablation>> {
        let mut points = Vec::new();
        for (setting, member) in along {
            let own: Vec<(usize, &Summary)> = self
                .data
                .points
                .iter()
                .enumerate()
                .filter(|(_, point)| point.dataset == member.index)
                .filter_map(|(p, _)| Some((p, self.data.cube.get(self.model, p, self.correction)?)))
                .filter(|(_, summary)| summary.value().is_some())
                .collect();
            if let Some((mean, interval)) = over_folds(self.data, &own)? {
                points.push(AblationPoint {
                    setting: (*setting).clone(),
                    member: String::new(),
                    mean,
                    interval,
                });
            }
        }
        if points.len() < 2 {
            return Ok(None);
        }
        let means: Vec<f64> = points.iter().map(|point| point.mean).collect();
        let default = |point: &AblationPoint| Some(&point.setting) == axis.default.as_ref();
        Ok(Some(Ablation {
            kind: self.grid.kind,
            axis: axis.clone(),
            model: self.model_id(),
            correction: self.correction_id(),
            plain: self.plain(),
            n_datasets: points.len(),
            n_clusters: 1,
            best: best_place(&means, |v| self.data.target.cost(v)),
            best_interval: None,
            default: points.iter().position(default),
            gain: None,
            gain_p: None,
            range: Part {
                mean: range(&means),
                interval: None,
            },
            reference: None,
            verdict: AblationVerdict::TooFew,
            points,
        }))
    }

    /// Every pair of axes as a grid of means.
    fn pairs(&self) -> Vec<AblationGrid> {
        let n = self.grid.axes.len();
        let pairs = (0..n).flat_map(|across| (across + 1..n).map(move |down| (across, down)));
        pairs.filter_map(|pair| self.pair(pair)).collect()
    }

    fn pair(&self, (across, down): (usize, usize)) -> Option<AblationGrid> {
        let stands = self.grid.stands()?;
        let held = |member: &&Member| {
            let places = member.at.iter().zip(&stands.at).enumerate();
            places
                .filter(|(place, _)| *place != across && *place != down)
                .all(|(_, (own, held))| own == held)
        };
        let (columns, rows) = (self.grid.axes.get(across)?, self.grid.axes.get(down)?);
        let inside: Vec<_> = self.grid.members.iter().filter(held).collect();
        let mut means = vec![vec![None; columns.values.len()]; rows.values.len()];
        let mut put = |member: &Member, value: Option<f64>| {
            let row = member.at.get(down).and_then(|row| means.get_mut(*row));
            if let (Some(cell), Some(value)) = (
                row.zip(member.at.get(across))
                    .and_then(|(row, column)| row.get_mut(*column)),
                value,
            ) {
                *cell = Some(value);
            }
        };
        let n_datasets = if self.grid.kind == Kind::Dataset {
            for member in &inside {
                let own = self.data.points.iter().enumerate();
                let own = own.filter(|(_, point)| point.dataset == member.index);
                let value = |(p, _)| self.data.cube.value(self.model, p, self.correction);
                put(member, mean(own.filter_map(value)));
            }
            inside.len()
        } else {
            // The setting tells nothing here: members are known by their index.
            let key = |index: usize| (Scalar::Whole(0), index);
            let mut members: Vec<_> = inside.iter().map(|member| key(member.index)).collect();
            let shared = self.shared(&mut members)?;
            for ((_, index), column) in members.iter().zip(&shared.columns) {
                if let Some(member) = inside.iter().find(|member| member.index == *index) {
                    put(member, mean(column.iter().copied()));
                }
            }
            shared.cells.len()
        };
        let known = means.iter().flatten().flatten().count();
        (known > 1).then(|| AblationGrid {
            kind: self.grid.kind,
            standing: (
                *stands.at.get(down).unwrap_or(&0),
                *stands.at.get(across).unwrap_or(&0),
            ),
            across: columns.clone(),
            down: rows.clone(),
            model: self.model_id(),
            correction: self.correction_id(),
            plain: self.plain(),
            n_datasets,
            means,
        })
    }
}

/// A level with its ends.
type Level95 = (f64, Option<(f64, f64)>);

/// The mean of a population over its points, with a t interval over the repeats that all of them have.
fn over_folds(data: &Data, own: &[(usize, &Summary)]) -> Result<Option<Level95>> {
    let Some(estimate) = mean(own.iter().filter_map(|(_, s)| s.value())) else {
        return Ok(None);
    };
    let mut folds: BTreeMap<(u64, u64), Vec<f64>> = BTreeMap::new();
    for fold in own.iter().flat_map(|(_, summary)| &summary.folds) {
        folds
            .entry((fold.repeat, fold.fold))
            .or_default()
            .push(fold.value);
    }
    folds.retain(|_, values| values.len() == own.len());
    let values: Vec<f64> = folds
        .into_values()
        .filter_map(|v| mean(v.into_iter()))
        .collect();
    let error = |source| ReportError::Stats {
        what: "the interval of a population".to_owned(),
        source,
    };
    let first = own.first().and_then(|(point, _)| data.points.get(*point));
    let Some(first) = first else { return Ok(None) };
    let share = test_share(first, true).map_err(error)?;
    let interval = match corrected_t(&values, share, Level::FIVE_PERCENT) {
        // Centred on the estimate, which may rest on more folds than the shared ones.
        Ok(test) => Some((
            estimate - (test.mean - test.lower),
            estimate + (test.upper - test.mean),
        )),
        Err(StatsError::TooFew { .. }) => None,
        // Values without variance: the interval has no width.
        Err(StatsError::Undefined { .. }) => Some((estimate, estimate)),
        Err(source) => return Err(error(source)),
    };
    Ok(Some((estimate, interval)))
}
