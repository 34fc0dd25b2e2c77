//! reliability.parquet back into memory: the bins of each dataset, ratio, model and correction.

use counterweight_core::{Name, Table};

use crate::error::Result;
use crate::wire::Reader;

/// A bin with rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReliabilityBin {
    /// Its number, from 1.
    pub bin: u64,
    /// Weight of its rows, at the metric prior.
    pub weight: f64,
    /// Mean probability of the rarer class.
    pub predicted: f64,
    /// Share of the rarer class.
    pub observed: f64,
}

/// The bins of one stage of a correction on one dataset at one ratio, over all repeats and folds.
#[derive(Debug, Clone, PartialEq)]
pub struct ReliabilityGroup {
    /// Id of the dataset.
    pub dataset: Name,
    /// `natural`, `step` or `exponential`.
    pub profile: Name,
    /// The ratio that was asked for; `None` for natural data.
    pub requested_ratio: Option<f64>,
    /// Id of the model.
    pub model: Name,
    /// Id of the correction.
    pub correction: Name,
    /// Whether the bins are those after the prior shift.
    pub corrected: bool,
    /// Classes of the dataset.
    pub n_classes: u64,
    /// Cells behind the bins.
    pub cells: u64,
    /// Bins whose rows weigh something, in order; none for more than two classes, whose top-label bins no
    /// figure shows.
    pub bins: Vec<ReliabilityBin>,
}

impl ReliabilityGroup {
    fn same(&self, other: &Self) -> bool {
        // The ratio is a key that was read from the same column, not a result of arithmetic.
        let ratio = |group: &Self| group.requested_ratio.map(f64::to_bits);
        self.dataset == other.dataset
            && self.profile == other.profile
            && ratio(self) == ratio(other)
            && self.model == other.model
            && self.correction == other.correction
            && self.corrected == other.corrected
    }
}

/// Adds the rows of a table, or of the next part of one, to `groups`.
///
/// # Errors
/// A column that is missing or of another type.
pub fn take_reliability(groups: &mut Vec<ReliabilityGroup>, table: &Table) -> Result<()> {
    // A column without rows has lost its type, and says nothing.
    if table.n_rows() == 0 {
        return Ok(());
    }
    let reader = Reader {
        name: "reliability",
        table,
    };
    let datasets = reader.names("dataset", false)?;
    let profiles = reader.names("profile", false)?;
    let ratios = reader.real("requested_ratio")?;
    let classes = reader.whole("n_classes")?;
    let models = reader.names("model", false)?;
    let corrections = reader.names("correction", false)?;
    let stages = reader.names("stage", false)?;
    let numbers = reader.whole("bin")?;
    let cells = reader.whole("cells")?;
    let weights = reader.required_real("weight")?;
    let predicted = reader.real("predicted")?;
    let observed = reader.real("observed")?;
    let keys = datasets.into_iter().zip(profiles).zip(ratios);
    let arms = models.into_iter().zip(corrections).zip(stages);
    let counts = classes.into_iter().zip(cells);
    let values = numbers
        .into_iter()
        .zip(weights)
        .zip(predicted)
        .zip(observed);
    for (((key, arm), counts), value) in keys.zip(arms).zip(counts).zip(values) {
        let (((dataset, profile), requested_ratio), ((model, correction), stage)) = (key, arm);
        let (((bin, weight), predicted), observed) = value;
        let group = ReliabilityGroup {
            dataset,
            profile,
            requested_ratio,
            model,
            correction,
            corrected: stage == "prior-corrected",
            n_classes: counts.0,
            cells: counts.1,
            bins: Vec::new(),
        };
        if !groups.last().is_some_and(|last| last.same(&group)) {
            groups.push(group);
        }
        if let (Some(last), Some(predicted), Some(observed), 2) =
            (groups.last_mut(), predicted, observed, counts.0)
        {
            last.bins.push(ReliabilityBin {
                bin,
                weight,
                predicted,
                observed,
            });
        }
    }
    Ok(())
}
