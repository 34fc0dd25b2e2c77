//! What leakage would have claimed, in sentences; they stand in its section and nowhere else.

use super::code;
use crate::analysis::{Analysis, LeakPremium, Scope, mean};
use counterweight_plots::format::{fixed, list, percent, plural, points};

/// One sentence a resampler: honest and reported error over the models, and what hides the difference.
pub(crate) fn leak_sentences(analysis: &Analysis) -> Vec<String> {
    let study = &analysis.leaks;
    let whole = study
        .premiums
        .first()
        .map_or(Scope::All, |first| first.scope);
    study
        .leaks()
        .into_iter()
        .filter_map(|leak| {
            let own: Vec<&LeakPremium> = study
                .premiums
                .iter()
                .filter(|p| p.scope == whole && p.leak == leak)
                .collect();
            sentence(leak, &own)
        })
        .collect()
}

fn sentence(leak: &str, own: &[&LeakPremium]) -> Option<String> {
    let over = |get: &dyn Fn(&LeakPremium) -> f64| mean(own.iter().map(|p| get(p)));
    let honest = over(&|p| p.balanced_error.honest)?;
    let reported = over(&|p| p.balanced_error.reported)?;
    let scoring = over(&|p| p.balanced_error.scoring())?;
    let training = over(&|p| p.balanced_error.training())?;
    let premium = honest - reported;
    let datasets = own.iter().map(|p| p.n_datasets).max().unwrap_or(0);
    let by_model: Vec<String> = own
        .iter()
        .map(|p| {
            let error = p.standard_error;
            let error = error.map_or_else(String::new, |e| format!(" ± {}", fixed(e * 100.0, 1)));
            let premium = points(p.balanced_error.premium());
            format!("{premium}{error} with {}", code(&p.model))
        })
        .collect();
    Some(format!(
        "{} before the split reports a balanced error of {} % where the honest protocol has {} % on {}: a premium of {} \
         points, of which scoring on resampled rows makes {} and training on what the test rows tell {}. By model: {} \
         (± standard error over datasets).",
        code(leak),
        percent(reported),
        percent(honest),
        plural(datasets, "dataset"),
        points(premium),
        points(scoring),
        points(training),
        list(&by_model)
    ))
}
