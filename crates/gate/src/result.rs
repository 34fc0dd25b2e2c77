//! What goes into the comparison and what comes out: plain data, also the JSON form.

use std::collections::BTreeMap;
use std::fmt;

use counterweight_core::{CellId, Outcome, Record};
use serde::Serialize;

use super::baseline::Baseline;
use super::claims::ClaimResult;
use super::config::GateConfig;
use super::ranks::ModelRanks;
use counterweight_config::Date;

/// What a cell is, whatever its seed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// Id of the dataset or population.
    pub dataset: String,
    /// The ratio that was asked for, or [`Place::NATURAL`].
    pub ratio: String,
    /// From 0.
    pub repeat: u64,
    /// From 0.
    pub fold: u64,
    /// Id of the model.
    pub model: String,
    /// Id of the correction.
    pub correction: String,
}

impl Place {
    /// The ratio of data as they are.
    pub const NATURAL: &'static str = "natural";

    /// The place of a record.
    pub fn of(record: &Record) -> Self {
        Self {
            dataset: record.dataset.to_string(),
            ratio: record
                .requested_ratio
                .map_or_else(|| Self::NATURAL.to_owned(), |ratio| ratio.to_string()),
            repeat: record.repeat,
            fold: record.fold,
            model: record.model.to_string(),
            correction: record.correction.to_string(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ratio {} repeat {} fold {} {} {}",
            self.dataset, self.ratio, self.repeat, self.fold, self.model, self.correction
        )
    }
}

/// A cell that the sweep asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Its id.
    pub cell: CellId,
    /// What it is.
    pub place: Place,
    /// Family of its correction.
    pub family: String,
    /// `synthetic` or `real`.
    pub source: String,
}

impl Planned {
    /// The cell of a record, whether it holds a result or not.
    pub fn of(record: &Record) -> Self {
        Self {
            cell: record.cell.clone(),
            place: Place::of(record),
            family: record.family.to_string(),
            source: record.source.to_string(),
        }
    }
}

/// Everything that the gate looks at.
#[derive(Clone, Copy, Debug)]
pub struct GateInput<'a> {
    /// Name of the sweep.
    pub sweep: &'a str,
    /// The folder as the user names it, for commands.
    pub folder: &'a str,
    /// What is tolerated, claimed and exempt.
    pub config: &'a GateConfig,
    /// The baseline, checked against the sweep.
    pub baseline: &'a Baseline,
    /// The cells to compare, in plan order.
    pub planned: &'a [Planned],
    /// Their records.
    pub records: &'a [Record],
    /// Cluster of related datasets by dataset; one that is absent or empty is related to none.
    pub clusters: &'a BTreeMap<String, String>,
    /// Whether the records are of the seed of the baseline, and so of the same splits.
    pub same_splits: bool,
    /// The seed that was asked for instead of the sweep's own.
    pub reseed: Option<u64>,
    /// Today, for exemptions.
    pub today: Date,
}

/// How the gate ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing got worse and every claim holds.
    Pass,
    /// A regression, a lost cell, a claim that fails.
    Finding,
    /// It could not be checked: cells are missing, or the data cannot decide.
    Incomplete,
    /// No cell was left to compare.
    NothingSelected,
}

/// What became of a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArmStatus {
    /// The same value in every cell.
    Identical,
    /// Worse by more than the tolerance, and surely so.
    Regressed,
    /// Better by more than the tolerance, and surely so.
    Improved,
    /// Moved by no more than the tolerance in the mean.
    Moved,
    /// Moved by more than the tolerance in the mean, and the datasets are too few to be sure.
    Unclear,
}

impl ArmStatus {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::Regressed => "regressed",
            Self::Improved => "improved",
            Self::Moved => "moved within tolerance",
            Self::Unclear => "moved beyond tolerance, not shown",
        }
    }
}

/// A method (a correction on a model) before and after.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Arm {
    /// Id of the model.
    pub model: String,
    /// Id of the correction.
    pub correction: String,
    /// What became of it.
    pub status: ArmStatus,
    /// Mean over datasets of after - before; positive is worse. On other seeds the shift of the
    /// centre is taken off.
    pub shift: f64,
    /// The same as it is.
    pub raw_shift: f64,
    /// Interval of the shift by a bootstrap over clusters, at 1 - alpha.
    pub interval: Option<(f64, f64)>,
    /// Wilcoxon's p value over clusters, two-sided.
    pub p_raw: f64,
    /// After Holm's correction over everything that moved.
    pub p_holm: f64,
    /// Whether all cells differ by the same amount, so that the size decides.
    pub constant: bool,
    /// Datasets compared.
    pub datasets: usize,
    /// Independent clusters among them.
    pub clusters: usize,
    /// Datasets on which it got worse.
    pub worse: usize,
    /// Datasets on which it got better.
    pub better: usize,
    /// Mean balanced error of the baseline over datasets.
    pub before: f64,
    /// Mean balanced error now.
    pub after: f64,
    /// The loss that would have been seen with a power of 80 %; `None` where that has no value.
    pub detectable: Option<f64>,
    /// Whether a loss of `tolerance` could hide here.
    pub underpowered: bool,
    /// The shift on each dataset, largest rise first.
    pub by_dataset: Vec<DatasetShift>,
}

/// A method on a dataset, before and after.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DatasetShift {
    /// Id.
    pub dataset: String,
    /// After - before, less the centre on other seeds.
    pub shift: f64,
    /// Mean balanced error of the baseline.
    pub before: f64,
    /// Mean balanced error now.
    pub after: f64,
}

/// What moved the corrections of a model alike.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CommonShift {
    /// Id of the model.
    pub model: String,
    /// Mean over datasets of the median shift of the corrections.
    pub shift: f64,
    /// Wilcoxon's p value over clusters, two-sided.
    pub p_raw: f64,
    /// After Holm's correction, together with the methods; 1 on the splits of the baseline, where
    /// each method answers for its whole shift.
    pub p_holm: f64,
    /// Whether it is a finding.
    pub fails: bool,
}

/// A cell that had a value or ran through, and does not any more.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lost {
    /// Its id.
    pub cell: CellId,
    /// What it is.
    pub place: Place,
    /// What became of it in the baseline.
    pub before: Outcome,
    /// What became of it now.
    pub after: Outcome,
    /// Why.
    pub reason: String,
}

/// An exemption at work.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ignored {
    /// Line in gate.toml.
    pub line: usize,
    /// What it covers.
    pub what: String,
    /// Why.
    pub reason: String,
    /// The last day on which it counts.
    pub expires: Date,
    /// Whether that day is over, so that it does not count.
    pub expired: bool,
    /// Cells that it covers.
    pub cells: usize,
}

/// Where a method moved most.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mover {
    /// Id of the model.
    pub model: String,
    /// Id of the correction.
    pub correction: String,
    /// Id of the dataset.
    pub dataset: String,
    /// The ratio that was asked for.
    pub ratio: String,
    /// Mean balanced error of the baseline.
    pub before: f64,
    /// Mean balanced error now.
    pub after: f64,
    /// The cell that moved most.
    pub cell: CellId,
}

/// A reason for which the gate does not pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `missing`, `lost`, `regressed`, `common-shift`, `order-flipped`, `claim`, `undecided` or
    /// `underpowered`.
    pub kind: &'static str,
    /// In one line, with the culprit's name.
    pub title: String,
    /// What is known about it.
    pub detail: String,
    /// The line of gate.toml that it is about.
    pub line: Option<usize>,
}

impl Finding {
    pub(super) fn incomplete(&self) -> bool {
        ["missing", "undecided", "underpowered"].contains(&self.kind)
    }
}

/// The result of the comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gate {
    /// Format of the JSON form.
    pub format: u32,
    /// Name of the sweep.
    pub sweep: String,
    /// How it ends.
    pub verdict: Verdict,
    /// Whether the splits are those of the baseline.
    pub same_splits: bool,
    /// The largest rise that is no regression.
    pub tolerance: f64,
    /// The family-wise level.
    pub alpha: f64,
    /// Cells that were to be compared.
    pub planned: usize,
    /// Cells with a value on both sides.
    pub compared: usize,
    /// Cells among them with the same value.
    pub identical: usize,
    /// Cells that an exemption covers.
    pub ignored_cells: usize,
    /// Cells that failed in the baseline and still do.
    pub still_failing: usize,
    /// Cells that have a value for the first time.
    pub gained: usize,
    /// Planned cells without a record.
    pub missing: Vec<Place>,
    /// Cells that lost their value or newly failed.
    pub lost: Vec<Lost>,
    /// Why it does not pass; empty when it does.
    pub findings: Vec<Finding>,
    /// What a reader should know all the same.
    pub warnings: Vec<String>,
    /// The methods, in plan order.
    pub arms: Vec<Arm>,
    /// The common shift of each model.
    pub common: Vec<CommonShift>,
    /// The rankings of each model.
    pub models: Vec<ModelRanks>,
    /// The claims, in file order.
    pub claims: Vec<ClaimResult>,
    /// The exemptions, in file order.
    pub ignores: Vec<Ignored>,
    /// Where methods moved most, findings first.
    pub movers: Vec<Mover>,
    /// The command that runs the first mover's cell again.
    pub reproduce: Option<String>,
}

impl Gate {
    /// Whether every compared cell has its value of the baseline.
    pub fn is_identical(&self) -> bool {
        self.identical == self.compared && self.missing.is_empty() && self.lost.is_empty()
    }

    /// The independent clusters of datasets that there are, and those that a test needs, where they are too
    /// few for any method to fail, whatever its values are.
    pub fn powerless(&self) -> Option<(usize, usize)> {
        // The least p value that so many signs can give, two-sided.
        let least = |clusters: &usize| {
            2.0 * 0.5_f64.powi(i32::try_from(*clusters).unwrap_or(i32::MAX)) >= self.alpha
        };
        let most = self.arms.iter().map(|arm| arm.clusters).max()?;
        least(&most).then(|| (most, (most..1_100).find(|n| !least(n)).unwrap_or(1_100)))
    }

    /// Methods of a status.
    pub fn with_status(&self, status: ArmStatus) -> impl Iterator<Item = &Arm> {
        self.arms.iter().filter(move |arm| arm.status == status)
    }
}
