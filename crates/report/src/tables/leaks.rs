//! What leakage would have claimed, as tables.

use super::{Rows, Sheet};
use counterweight_store::LeakSides;

use crate::analysis::{Analysis, LeakPremium};
use crate::error::Result;
use crate::format::{fixed, percent, points};
use crate::view::{Cell, View};

/// A metric's name and how to read it from a row.
type Metric = (&'static str, fn(&LeakPremium) -> Option<LeakSides>);

/// By group of datasets, model and resampler: honest, reported, and what the difference is made of.
pub(super) fn premium(analysis: &Analysis) -> Result<Sheet> {
    let rows = &analysis.leaks.premiums;
    let mut view = View::new(
        "leak_premium",
        "Resampling before the split: the premium and its parts",
        "Means over datasets, balanced error in %; differences in points; the csv has average precision too. Reported: all rows resampled, then split, scored \
         on the resampled test part by argmax. Honest: split first, resampled training part, original \
         test rows. Premium = honest - reported, with its standard error over datasets = scoring + training. Scoring: what \
         scoring the leaky fit on resampled rows hides, against original rows that it was not fitted on. \
         Training: what it knows of those rows beyond an honest fit. Linked: reported test rows that \
         share an original row with the training part. Never ranked; the claims stand in leak.parquet.",
    )
    .words("datasets")
    .words("model")
    .words("resampled before the split")
    .numbers("number")
    .numbers("honest")
    .numbers("reported")
    .numbers("premium")
    .numbers("scoring")
    .numbers("training")
    .numbers("scoring (% of it)")
    .numbers("linked (%)")
    .numbers("AUROC honest")
    .numbers("AUROC reported");
    let times_100 = |value: f64| fixed(value * 100.0, 1);
    for row in rows {
        let sides = &row.balanced_error;
        let premium = match row.standard_error {
            Some(error) => format!("{} ± {}", points(sides.premium()), times_100(error)),
            None => points(sides.premium()),
        };
        let of = |metric: Option<LeakSides>, get: fn(&LeakSides) -> f64| {
            Cell::number(metric.as_ref().map(get), times_100)
        };
        let honest: fn(&LeakSides) -> f64 = |s| s.honest;
        let reported: fn(&LeakSides) -> f64 = |s| s.reported;
        view.rows.push(vec![
            Cell::text(row.scope.label()),
            Cell::code(row.model.clone()),
            Cell::code(row.leak.clone()),
            Cell::count(row.n_datasets),
            Cell::number(Some(sides.honest), percent),
            Cell::number(Some(sides.reported), percent),
            Cell {
                text: premium,
                sort: Some(sides.premium()),
                ..Cell::default()
            },
            Cell::number(Some(sides.scoring()), points),
            Cell::number(Some(sides.training()), points),
            Cell::number(row.scoring_share(), |share| fixed(share * 100.0, 0)),
            Cell::number(row.linked_share, |share| fixed(share * 100.0, 0)),
            of(row.auroc, honest),
            of(row.auroc, reported),
        ]);
    }
    let mut table = Rows::new("leak_premium")
        .text("scope", rows, |row| row.scope.label())
        .text("model", rows, |row| row.model.clone())
        .text("leak", rows, |row| row.leak.clone())
        .whole("n_datasets", rows, |row| row.n_datasets);
    let metrics: [Metric; 3] = [
        ("balanced_error", |row| Some(row.balanced_error)),
        ("auroc", |row| row.auroc),
        ("average_precision", |row| row.average_precision),
    ];
    for (name, metric) in metrics {
        table = table
            .real(&format!("{name}_honest"), rows, |row| {
                metric(row).map(|s| s.honest)
            })
            .real(&format!("{name}_original_rows"), rows, |row| {
                metric(row).map(|s| s.original_rows)
            })
            .real(&format!("{name}_reported"), rows, |row| {
                metric(row).map(|s| s.reported)
            });
    }
    table
        .real("premium", rows, |row| Some(row.balanced_error.premium()))
        .real("premium_standard_error", rows, |row| row.standard_error)
        .real("scoring", rows, |row| Some(row.balanced_error.scoring()))
        .real("training", rows, |row| Some(row.balanced_error.training()))
        .real("scoring_share", rows, LeakPremium::scoring_share)
        .real("linked_share", rows, |row| row.linked_share)
        .sheet(vec![view])
}

/// The same by dataset: what the figure shows.
pub(super) fn values(analysis: &Analysis) -> Result<Sheet> {
    let rows = &analysis.leaks.values;
    Rows::new("leak_values")
        .text("leak", rows, |row| row.leak.clone())
        .text("model", rows, |row| row.model.clone())
        .text("dataset", rows, |row| {
            analysis.dataset(row.dataset).to_owned()
        })
        .real("honest", rows, |row| Some(row.balanced_error.honest))
        .real("original_rows", rows, |row| {
            Some(row.balanced_error.original_rows)
        })
        .real("reported", rows, |row| Some(row.balanced_error.reported))
        .real("premium", rows, |row| Some(row.balanced_error.premium()))
        .sheet(Vec::new())
}
