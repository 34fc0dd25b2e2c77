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

use counterweight_stats::PairedDifferences;
use counterweight_store::{LeakRow, LeakSides};

use super::paired::too_few;
use super::{Data, Scope, mean};
use crate::error::{ReportError, Result};

/// The mean on each side; `None` of none.
fn mean_sides<'a>(all: impl Iterator<Item = &'a LeakSides> + Clone) -> Option<LeakSides> {
    Some(LeakSides {
        honest: mean(all.clone().map(|s| s.honest))?,
        original_rows: mean(all.clone().map(|s| s.original_rows))?,
        reported: mean(all.map(|s| s.reported))?,
    })
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
    pub balanced_error: LeakSides,
    /// Standard error of the premium over clusters of datasets; `None` with fewer than two.
    pub standard_error: Option<f64>,
    /// Area under the ROC curve on the datasets that have it.
    pub auroc: Option<LeakSides>,
    /// Average precision likewise.
    pub average_precision: Option<LeakSides>,
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
    pub balanced_error: LeakSides,
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
    balanced_error: LeakSides,
    auroc: Option<LeakSides>,
    average_precision: Option<LeakSides>,
    linked_share: Option<f64>,
}

impl LeakStudy {
    pub(super) fn of(data: &Data, rows: &[LeakRow]) -> Result<Self> {
        let mut study = Self::default();
        // A selected report speaks of its own datasets only.
        let mut arms: Vec<(&str, &str)> = Vec::new();
        let mut points: BTreeMap<(usize, usize, Option<u64>), Vec<&LeakRow>> = BTreeMap::new();
        for row in rows {
            let Some(dataset) = data.datasets.iter().position(|d| d.id == row.dataset) else {
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
            let of = |get: fn(&LeakRow) -> Option<LeakSides>| {
                let all: Vec<LeakSides> = rows.iter().filter_map(|row| get(row)).collect();
                mean_sides(all.iter())
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
        let holds = |scope: Scope| all.iter().filter(|p| inside(data, scope, p)).count();
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
                for point in points.iter().filter(|p| inside(data, scope, p)) {
                    datasets.entry(point.dataset).or_default().push(point);
                }
                let premium = premium(data, (scope, model, leak), &datasets)?;
                // Real sets and populations are never in one mean.
                if scope != Scope::All || !part(&Scope::Real) {
                    study.premiums.extend(premium);
                }
                if scope == Scope::All {
                    study
                        .values
                        .extend(datasets.iter().filter_map(|(&dataset, points)| {
                            Some(LeakValue {
                                dataset,
                                model: model.to_owned(),
                                leak: leak.to_owned(),
                                balanced_error: mean_sides(
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

fn inside(data: &Data, scope: Scope, point: &AtPoint) -> bool {
    let synthetic = || {
        data.datasets
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
    data: &Data,
    (scope, model, leak): (Scope, &str, &str),
    datasets: &BTreeMap<usize, Vec<&AtPoint>>,
) -> Result<Option<LeakPremium>> {
    // The mean of each dataset over its points, then of each cluster over its datasets.
    let of = |get: fn(&AtPoint) -> Option<LeakSides>| -> Vec<LeakSides> {
        let mut clusters: BTreeMap<&str, Vec<LeakSides>> = BTreeMap::new();
        for (dataset, points) in datasets {
            let all: Vec<LeakSides> = points.iter().filter_map(|p| get(p)).collect();
            let own = clusters.entry(data.cluster(*dataset)).or_default();
            own.extend(mean_sides(all.iter()));
        }
        let means = clusters.into_values();
        means.filter_map(|all| mean_sides(all.iter())).collect()
    };
    let errors = of(|p| Some(p.balanced_error));
    let Some(balanced_error) = mean_sides(errors.iter()) else {
        return Ok(None);
    };
    let premiums = errors.iter().map(LeakSides::premium).collect();
    let standard_error = PairedDifferences::independent(premiums)
        .and_then(|paired| too_few(paired.standard_error()))
        .map_err(|source| ReportError::Stats {
            what: format!("the premium of {leak} with {model}"),
            source,
        })?;
    Ok(Some(LeakPremium {
        scope,
        model: model.to_owned(),
        leak: leak.to_owned(),
        n_datasets: datasets.len(),
        balanced_error,
        standard_error,
        auroc: mean_sides(of(|p| p.auroc).iter()),
        average_precision: mean_sides(of(|p| p.average_precision).iter()),
        linked_share: mean(
            datasets
                .values()
                .filter_map(|points| mean(points.iter().filter_map(|p| p.linked_share))),
        ),
    }))
}
