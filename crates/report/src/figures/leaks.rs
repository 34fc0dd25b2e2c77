//! From the honest error to what a resampler before the split would report.

use counterweight_plots as plots;
use std::collections::BTreeSet;

use super::{Drawn, Frame, Section};
use crate::analysis::{Analysis, LeakValue, mean};

/// Most datasets of the figure of leaks.
const MOST_LEAKING: usize = 40;
/// Most models of the figure of leaks.
const MOST_MODELS: usize = 5;
/// Most resamplers of the figure of leaks.
const MOST_LEAKS: usize = 6;

pub(super) fn leaks(analysis: &Analysis) -> Option<Drawn> {
    let study = &analysis.leaks;
    let (mut leaks, mut models) = (study.leaks(), study.models());
    if leaks.is_empty() {
        return None;
    }
    let mean_premium = |wanted: &dyn Fn(&LeakValue) -> bool| {
        let own = study.values.iter().filter(|value| wanted(value));
        mean(own.map(|value| value.balanced_error.premium())).unwrap_or(f64::NEG_INFINITY)
    };
    let mut left_out = Vec::new();
    if leaks.len() > MOST_LEAKS {
        left_out.push(format!(
            "the {MOST_LEAKS} largest premiums of {}",
            leaks.len()
        ));
        leaks.sort_by(|a, b| {
            mean_premium(&|v| v.leak == *b).total_cmp(&mean_premium(&|v| v.leak == *a))
        });
        leaks.truncate(MOST_LEAKS);
    }
    if models.len() > MOST_MODELS {
        left_out.push(format!(
            "the first {MOST_MODELS} models of {}",
            models.len()
        ));
        models.truncate(MOST_MODELS);
    }
    let datasets: BTreeSet<usize> = study.values.iter().map(|value| value.dataset).collect();
    let mut datasets: Vec<(usize, f64)> = datasets
        .into_iter()
        .map(|dataset| (dataset, mean_premium(&|value| value.dataset == dataset)))
        .collect();
    datasets.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    if datasets.len() > MOST_LEAKING {
        left_out.push(format!(
            "the {MOST_LEAKING} datasets of {} that leak most",
            datasets.len()
        ));
        datasets.truncate(MOST_LEAKING);
    }
    let arrow = |leak: &str, dataset: usize, model: &str| {
        let same = |v: &&LeakValue| v.leak == leak && v.dataset == dataset && v.model == model;
        let found = study.values.iter().find(same)?;
        Some((found.balanced_error.honest, found.balanced_error.reported))
    };
    let data = plots::LeakArrows {
        datasets: datasets
            .iter()
            .map(|(dataset, _)| analysis.dataset(*dataset).to_owned())
            .collect(),
        panels: leaks
            .iter()
            .map(|leak| plots::LeakPanel {
                resample: (*leak).to_owned(),
                arrows: datasets
                    .iter()
                    .map(|(dataset, _)| {
                        models
                            .iter()
                            .map(|model| arrow(leak, *dataset, model))
                            .collect()
                    })
                    .collect(),
            })
            .collect(),
        models: models.iter().map(|model| (*model).to_owned()).collect(),
    };
    let shown = if left_out.is_empty() {
        String::new()
    } else {
        format!(" Shown: {}.", left_out.join(", "))
    };
    let frame = Frame::new(
        Section::Leak,
        "leak".to_owned(),
        "From the honest error to the reported one".to_owned(),
        format!(
            "A marker is the honest balanced error, the tip of its arrow what is reported when rows are \
             resampled before the split. Datasets with the largest premium come first.{shown}"
        ),
    );
    Some((
        frame,
        Box::new(move |theme| plots::leak_arrows(&data, theme)),
    ))
}
