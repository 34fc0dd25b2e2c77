//! What leakage would have claimed: rows that were resampled before the split, beside the honest protocol.
//!
//! ```text
//! premium  = honest - reported = scoring + training
//! scoring  = original rows - reported   what scoring on resampled rows hides
//! training = honest - original rows     what the fit knows of its test rows
//! ```
//!
//! Balanced error throughout, whatever ranks the corrections: leaks are measured and never ranked. Folds
//! without all three numbers are left out of all three.

use std::collections::BTreeMap;

use counterweight_core::Table;
use counterweight_stats::PairedDifferences;

use super::against::{cluster_numbers, too_few};
use super::{Analysis, Scope, mean};
use crate::error::{ReportError, Result};
use crate::wire::Reader;

/// The same metric on the three sides of a leak.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sides {
    /// Split first, original test rows.
    pub honest: f64,
    /// The leaky fit on original rows.
    pub original_rows: f64,
    /// The leaky fit on resampled rows.
    pub reported: f64,
}

impl Sides {
    /// What is claimed beyond the truth; positive where error is hidden.
    pub fn premium(&self) -> f64 {
        self.honest - self.reported
    }

    /// The part of it that comes from scoring on resampled rows.
    pub fn scoring(&self) -> f64 {
        self.original_rows - self.reported
    }

    /// The part that comes from training on information of the test rows.
    pub fn training(&self) -> f64 {
        self.honest - self.original_rows
    }

    fn mean<'a>(all: impl Iterator<Item = &'a Self> + Clone) -> Option<Self> {
        Some(Self {
            honest: mean(all.clone().map(|s| s.honest))?,
            original_rows: mean(all.clone().map(|s| s.original_rows))?,
            reported: mean(all.map(|s| s.reported))?,
        })
    }
}

/// One claim: a dataset at a ratio, repeat, fold, model and resampler.
#[derive(Debug, Clone, PartialEq)]
pub struct LeakRow {
    /// Id of the dataset.
    pub dataset: String,
    /// The ratio that was asked for; `None` for natural data.
    pub requested_ratio: Option<f64>,
    /// Realised ratio of the honest training rows.
    pub imbalance_ratio: Option<f64>,
    /// Id of the model.
    pub model: String,
    /// Id of the leak.
    pub leak: String,
    /// Balanced error; `None` unless all three are there.
    pub balanced_error: Option<Sides>,
    /// Area under the ROC curve likewise.
    pub auroc: Option<Sides>,
    /// Average precision likewise.
    pub average_precision: Option<Sides>,
    /// Share of the reported test rows that have an original row in common with the training part.
    pub linked_share: Option<f64>,
}

/// Reads leak.parquet.
///
/// # Errors
/// [`ReportError::Column`] and [`ReportError::Cell`] for a table that is none of leaks.
pub fn leaks_from_table(table: &Table) -> Result<Vec<LeakRow>> {
    let reader = Reader {
        name: "leak",
        table,
    };
    let (datasets, models, leaks) = (
        reader.required_text("dataset")?,
        reader.required_text("model")?,
        reader.required_text("leak")?,
    );
    let (requested, realised) = (
        reader.real("requested_ratio")?,
        reader.real("imbalance_ratio")?,
    );
    let linked = reader.real("linked_share")?;
    let sides = |metric: &str| -> Result<Vec<Option<Sides>>> {
        let side = |name: &str| reader.real(&format!("{metric}_{name}"));
        let (honest, original, reported) =
            (side("honest")?, side("original_rows")?, side("reported")?);
        let rows = honest.into_iter().zip(original).zip(reported);
        Ok(rows
            .map(|((honest, original_rows), reported)| {
                Some(Sides {
                    honest: honest?,
                    original_rows: original_rows?,
                    reported: reported?,
                })
            })
            .collect())
    };
    let metrics = (
        sides("balanced_error")?,
        sides("auroc")?,
        sides("average_precision")?,
    );
    let at = |column: &[Option<Sides>], row: usize| column.get(row).copied().flatten();
    let number = |column: &[Option<f64>], row: usize| column.get(row).copied().flatten();
    Ok(datasets
        .into_iter()
        .zip(models)
        .zip(leaks)
        .enumerate()
        .map(|(row, ((dataset, model), leak))| LeakRow {
            dataset,
            requested_ratio: number(&requested, row),
            imbalance_ratio: number(&realised, row),
            model,
            leak,
            balanced_error: at(&metrics.0, row),
            auroc: at(&metrics.1, row),
            average_precision: at(&metrics.2, row),
            linked_share: number(&linked, row),
        })
        .collect())
}

/// A resampler before the split, with one model, on a group of datasets; means over datasets.
#[derive(Debug, Clone, PartialEq)]
pub struct LeakPremium {
    /// Which datasets.
    pub scope: Scope,
    /// Id of the model.
    pub model: String,
    /// Id of the leak.
    pub leak: String,
    /// Datasets.
    pub n_datasets: usize,
    /// Balanced error.
    pub balanced_error: Sides,
    /// Standard error of the premium over clusters of datasets; `None` with fewer than two.
    pub standard_error: Option<f64>,
    /// Area under the ROC curve on the datasets that have it.
    pub auroc: Option<Sides>,
    /// Average precision likewise.
    pub average_precision: Option<Sides>,
    /// Share of the reported test rows that have an original row in common with the training part.
    pub linked_share: Option<f64>,
}

impl LeakPremium {
    /// The share of the premium that comes from scoring on resampled rows; `None` where there is hardly a
    /// premium to share (below half a point), or where the parts point in opposite ways.
    pub fn scoring_share(&self) -> Option<f64> {
        let sides = &self.balanced_error;
        let premium = sides.premium();
        let same = sides.scoring() * sides.training() >= 0.0;
        (same && premium.abs() >= super::HALF_A_POINT).then(|| sides.scoring() / premium)
    }
}

/// A dataset under one model and leak.
#[derive(Debug, Clone, PartialEq)]
pub struct LeakValue {
    /// Index of the dataset.
    pub dataset: usize,
    /// Id of the model.
    pub model: String,
    /// Id of the leak.
    pub leak: String,
    /// Balanced error, the mean over its points.
    pub balanced_error: Sides,
}

/// Everything about leaks; empty where the sweep has none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LeakStudy {
    /// By scope, model and leak, in the order of the sweep.
    pub premiums: Vec<LeakPremium>,
    /// Over all points, by leak, model and dataset.
    pub values: Vec<LeakValue>,
    /// Claims.
    pub n_claims: usize,
    /// Claims without all three balanced errors.
    pub n_without: usize,
}

/// Means of one point, in the order balanced error, AUROC, average precision, linked share.
#[derive(Clone)]
struct AtPoint {
    dataset: usize,
    ratio: Option<f64>,
    balanced_error: Sides,
    auroc: Option<Sides>,
    average_precision: Option<Sides>,
    linked_share: Option<f64>,
}

impl LeakStudy {
    pub(super) fn new(analysis: &Analysis, rows: &[LeakRow]) -> Result<Self> {
        let mut study = Self::default();
        // A selected report speaks of its own datasets only.
        let mut arms: Vec<(&str, &str)> = Vec::new();
        let mut points: BTreeMap<(usize, usize, Option<u64>), Vec<&LeakRow>> = BTreeMap::new();
        for row in rows {
            let Some(dataset) = analysis.datasets.iter().position(|d| d.id == row.dataset) else {
                continue;
            };
            study.n_claims += 1;
            if row.balanced_error.is_none() {
                study.n_without += 1;
                continue;
            }
            let arm = (row.model.as_str(), row.leak.as_str());
            let at = arms.iter().position(|known| *known == arm);
            let at = at.unwrap_or_else(|| {
                arms.push(arm);
                arms.len() - 1
            });
            let ratio = row.requested_ratio.map(f64::to_bits);
            points.entry((at, dataset, ratio)).or_default().push(row);
        }
        let mut by_arm: Vec<Vec<AtPoint>> = vec![Vec::new(); arms.len()];
        for ((arm, dataset, _), rows) in points {
            let of = |get: fn(&LeakRow) -> Option<Sides>| {
                let all: Vec<Sides> = rows.iter().filter_map(|row| get(row)).collect();
                Sides::mean(all.iter())
            };
            if let (Some(list), Some(balanced_error)) =
                (by_arm.get_mut(arm), of(|row| row.balanced_error))
            {
                list.push(AtPoint {
                    dataset,
                    ratio: mean(rows.iter().filter_map(|row| row.imbalance_ratio)),
                    balanced_error,
                    auroc: of(|row| row.auroc),
                    average_precision: of(|row| row.average_precision),
                    linked_share: mean(rows.iter().filter_map(|row| row.linked_share)),
                });
            }
        }
        let all: Vec<&AtPoint> = by_arm.iter().flatten().collect();
        let holds = |scope: Scope| all.iter().filter(|p| inside(analysis, scope, p)).count();
        let part = |scope: &Scope| (1..all.len()).contains(&holds(*scope));
        let scopes = [Scope::Real, Scope::Synthetic]
            .into_iter()
            .chain(Scope::BANDS);
        let scopes: Vec<Scope> = std::iter::once(Scope::All)
            .chain(scopes.filter(part))
            .collect();
        for scope in scopes {
            for (&(model, leak), points) in arms.iter().zip(&by_arm) {
                let mut datasets: BTreeMap<usize, Vec<&AtPoint>> = BTreeMap::new();
                for point in points.iter().filter(|p| inside(analysis, scope, p)) {
                    datasets.entry(point.dataset).or_default().push(point);
                }
                let premium = premium(analysis, (scope, model, leak), &datasets)?;
                study.premiums.extend(premium);
                if scope == Scope::All {
                    study
                        .values
                        .extend(datasets.iter().filter_map(|(&dataset, points)| {
                            Some(LeakValue {
                                dataset,
                                model: model.to_owned(),
                                leak: leak.to_owned(),
                                balanced_error: Sides::mean(
                                    points.iter().map(|p| &p.balanced_error),
                                )?,
                            })
                        }));
                }
            }
        }
        Ok(study)
    }

    /// Ids of the leaks, in the order of the sweep.
    pub fn leaks(&self) -> Vec<&str> {
        distinct(self.premiums.iter().map(|p| p.leak.as_str()))
    }

    /// Ids of the models, in the order of the sweep.
    pub fn models(&self) -> Vec<&str> {
        distinct(self.premiums.iter().map(|p| p.model.as_str()))
    }
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found: Vec<&str> = Vec::new();
    for name in names {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

fn inside(analysis: &Analysis, scope: Scope, point: &AtPoint) -> bool {
    let synthetic = || {
        analysis
            .datasets
            .get(point.dataset)
            .is_some_and(|d| d.synthetic)
    };
    match scope {
        Scope::All => true,
        Scope::Real => !synthetic(),
        Scope::Synthetic => synthetic(),
        Scope::Band(low, high) => point.ratio.is_some_and(|r| low <= r && r < high),
    }
}

fn premium(
    analysis: &Analysis,
    (scope, model, leak): (Scope, &str, &str),
    datasets: &BTreeMap<usize, Vec<&AtPoint>>,
) -> Result<Option<LeakPremium>> {
    // The mean of each dataset over its points, then over datasets.
    let of = |get: fn(&AtPoint) -> Option<Sides>| -> Vec<Sides> {
        let own = |points: &Vec<&AtPoint>| {
            let all: Vec<Sides> = points.iter().filter_map(|p| get(p)).collect();
            Sides::mean(all.iter())
        };
        datasets.values().filter_map(own).collect()
    };
    let errors = of(|p| Some(p.balanced_error));
    let Some(balanced_error) = Sides::mean(errors.iter()) else {
        return Ok(None);
    };
    let clusters = cluster_numbers(analysis, datasets.keys().copied());
    let premiums = errors.iter().map(Sides::premium).collect();
    let standard_error = PairedDifferences::new(premiums, &clusters)
        .and_then(|paired| too_few(paired.standard_error()))
        .map_err(|source| ReportError::Stats {
            what: format!("the premium of {leak} with {model}"),
            source,
        })?;
    Ok(Some(LeakPremium {
        scope,
        model: model.to_owned(),
        leak: leak.to_owned(),
        n_datasets: errors.len(),
        balanced_error,
        standard_error,
        auroc: Sides::mean(of(|p| p.auroc).iter()),
        average_precision: Sides::mean(of(|p| p.average_precision).iter()),
        linked_share: mean(
            datasets
                .values()
                .filter_map(|points| mean(points.iter().filter_map(|p| p.linked_share))),
        ),
    }))
}
