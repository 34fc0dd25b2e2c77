//! What leakage would have claimed, as tables.

use counterweight_store::LeakSides;

use super::{Columns, Sheet};
use crate::analysis::{Analysis, LeakPremium};
use crate::error::Result;
use counterweight_plots::format::{fixed, percent, points};

/// A metric's name and how to read it from a row.
type Metric = (&'static str, fn(&LeakPremium) -> Option<LeakSides>);

/// By group of datasets, model and resampler: honest, reported, and what the difference is made of.
pub(super) fn premium(analysis: &Analysis) -> Result<Sheet> {
    let times_100 = |value: f64| fixed(value * 100.0, 1);
    let whole = |share: f64| fixed(share * 100.0, 0);
    let error = |row: &LeakPremium, get: fn(&LeakSides) -> f64| Some(get(&row.balanced_error));
    let metrics: [Metric; 3] = [
        ("balanced_error", |row| Some(row.balanced_error)),
        ("auroc", |row| row.auroc),
        ("average_precision", |row| row.average_precision),
    ];
    let mut columns = Columns::of(&analysis.leaks.premiums)
        .text("scope", "datasets", |row| row.scope.label())
        .code("model", "model", |row| row.model.as_str())
        .code("leak", "resampled before the split", |row| {
            row.leak.as_str()
        })
        .count("n_datasets", "number", |row| row.n_datasets)
        .number("honest", |row| error(row, |s| s.honest), percent)
        .number("reported", |row| error(row, |s| s.reported), percent);
    for (name, metric) in metrics {
        columns = columns
            .file_real(&format!("{name}_honest"), |row| Some(metric(row)?.honest))
            .file_real(&format!("{name}_original_rows"), |row| {
                Some(metric(row)?.original_rows)
            })
            .file_real(&format!("{name}_reported"), |row| {
                Some(metric(row)?.reported)
            });
    }
    columns
        .real("premium", "premium", |row| error(row, LeakSides::premium), points)
        .worded(|row| {
            let premium = points(row.balanced_error.premium());
            match row.standard_error {
                Some(error) => format!("{premium} ± {}", times_100(error)),
                None => premium,
            }
        })
        .file_real("premium_standard_error", |row| row.standard_error)
        .real("scoring", "scoring", |row| error(row, LeakSides::scoring), points)
        .real("training", "training", |row| error(row, LeakSides::training), points)
        .real(
            "scoring_share",
            "scoring (% of it)",
            LeakPremium::scoring_share,
            whole,
        )
        .real("linked_share", "linked (%)", |row| row.linked_share, whole)
        .number("AUROC honest", |row| Some(row.auroc?.honest), times_100)
        .number("AUROC reported", |row| Some(row.auroc?.reported), times_100)
        .sheet(
            "leak_premium",
            "Resampling before the split: the premium and its parts",
            "Means over datasets, balanced error in %; differences in points; the csv has average precision too. Reported: all rows resampled, then split, scored \
             on the resampled test part by argmax. Honest: split first, resampled training part, original \
             test rows. Premium = honest - reported, with its standard error over datasets = scoring + training. Scoring: what \
             scoring the leaky fit on resampled rows hides, against original rows that it was not fitted on. \
             Training: what it knows of those rows beyond an honest fit. Linked: reported test rows that \
             share an original row with the training part. Never ranked; the claims stand in leak.parquet.",
        )
}

/// The same by dataset: what the figure shows.
pub(super) fn values(analysis: &Analysis) -> Result<Sheet> {
    Columns::of(&analysis.leaks.values)
        .file_text("leak", |row| row.leak.as_str())
        .file_text("model", |row| row.model.as_str())
        .file_text("dataset", |row| analysis.dataset(row.dataset))
        .file_real("honest", |row| Some(row.balanced_error.honest))
        .file_real("original_rows", |row| {
            Some(row.balanced_error.original_rows)
        })
        .file_real("reported", |row| Some(row.balanced_error.reported))
        .file_real("premium", |row| Some(row.balanced_error.premium()))
        .files("leak_values", Vec::new())
}
