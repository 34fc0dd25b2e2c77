//! leak.parquet: what leaks would claim, beside what the honest protocol gives.

use std::collections::BTreeMap;

use counterweight_core::side_table::{LEAK_METRICS, LeakClaim};
use counterweight_core::{CellId, Table};

use crate::side_files::Sides;
use crate::table::{Builder, Reader, Result};

/// What names a claim.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimName {
    /// Its id.
    pub claim: CellId,
    /// Id of the dataset.
    pub dataset: String,
    /// The ratio that was asked for; `None` for natural data.
    pub requested_ratio: Option<f64>,
    /// From 0.
    pub repeat: u64,
    /// From 0.
    pub fold: u64,
    /// Id of the model.
    pub model: String,
    /// Id of the leak.
    pub leak: String,
    /// The resampler with its parameters.
    pub resample: String,
    /// Realised ratio of the honest training rows.
    pub imbalance_ratio: Option<f64>,
}

/// One row a claim: what would be reported, what the same fit gives on original rows, and what the honest
/// protocol gives. Claims that were not measured yet are left out.
///
/// # Errors
/// [`TableError::Build`](crate::TableError::Build) for a number that is not finite.
pub fn leaks_table(claims: &[ClaimName], sides: &Sides) -> Result<Table> {
    let done: Vec<(&ClaimName, &LeakClaim)> = claims
        .iter()
        .filter_map(|name| Some((name, sides.leaks.get(&name.claim)?)))
        .collect();
    let names = || done.iter().map(|(name, _)| *name);
    let found = || done.iter().map(|(_, found)| *found);
    let mut table = Builder::new("leak");
    table.text("claim", names().map(|n| Some(n.claim.0.as_str())))?;
    table.text("dataset", names().map(|n| Some(n.dataset.as_str())))?;
    table.real("requested_ratio", names().map(|n| n.requested_ratio))?;
    table.whole("repeat", names().map(|n| n.repeat))?;
    table.whole("fold", names().map(|n| n.fold))?;
    table.text("model", names().map(|n| Some(n.model.as_str())))?;
    table.text("leak", names().map(|n| Some(n.leak.as_str())))?;
    table.text("resample", names().map(|n| Some(n.resample.as_str())))?;
    table.real("imbalance_ratio", names().map(|n| n.imbalance_ratio))?;
    table.text("outcome", found().map(|f| Some(f.outcome.id())))?;
    table.text("reason", found().map(|f| Some(f.reason.as_str())))?;
    table.whole("reported_test_rows", found().map(|f| f.reported_test_rows))?;
    table.whole("original_test_rows", found().map(|f| f.original_test_rows))?;
    table.real("linked_share", found().map(|f| f.linked_share))?;
    for metric in LEAK_METRICS {
        type Side = fn(&LeakClaim) -> &BTreeMap<String, f64>;
        let of: [(&str, Side); 3] = [
            ("honest", |found| &found.honest),
            ("original_rows", |found| &found.original_rows),
            ("reported", |found| &found.reported),
        ];
        for (side, get) in of {
            let values = found().map(|found| get(found).get(metric).copied());
            table.real(&format!("{metric}_{side}"), values)?;
        }
    }
    Ok(table.finish())
}

/// The same metric on the three sides of a leak.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LeakSides {
    /// Split first, original test rows.
    pub honest: f64,
    /// The leaky fit on original rows.
    pub original_rows: f64,
    /// The leaky fit on resampled rows.
    pub reported: f64,
}

impl LeakSides {
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
    pub balanced_error: Option<LeakSides>,
    /// Area under the ROC curve likewise.
    pub auroc: Option<LeakSides>,
    /// Average precision likewise.
    pub average_precision: Option<LeakSides>,
    /// Share of the reported test rows that have an original row in common with the training part.
    pub linked_share: Option<f64>,
}

/// Reads leak.parquet.
///
/// # Errors
/// [`TableError::Column`](crate::TableError::Column) and [`TableError::Cell`](crate::TableError::Cell) for a table that is none of leaks.
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
    let sides = |metric: &str| -> Result<Vec<Option<LeakSides>>> {
        let side = |name: &str| reader.real(&format!("{metric}_{name}"));
        let (honest, original, reported) =
            (side("honest")?, side("original_rows")?, side("reported")?);
        let rows = honest.into_iter().zip(original).zip(reported);
        Ok(rows
            .map(|((honest, original_rows), reported)| {
                Some(LeakSides {
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
    let at = |column: &[Option<LeakSides>], row: usize| column.get(row).copied().flatten();
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
