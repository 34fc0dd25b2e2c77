//! From which ratio on: onsets and overtakings along real ladders, a sentence each.

use super::code;
use crate::analysis::{Analysis, Curve, HELD_MINORITY, HELD_ROWS};
use counterweight_plots::format::{list, plural, ratio, size};
use counterweight_stats::{FEWEST_UNITS, OnsetVerdict};

/// What a ladder does while the ratio grows: never the ratio alone.
fn thinning(profile: &str) -> &'static str {
    match profile {
        HELD_MINORITY => "the minority's rows held, so that ratio and rows grow together",
        HELD_ROWS => "all rows held, so that minority rows give way as the ratio grows",
        _ => "as many rows kept as each ratio allows",
    }
}

/// `from ratio 30 on, in (10, 30], 95 % range 10 to beyond`, or why not.
pub(crate) fn onset_words(curve: &Curve) -> String {
    let rung = |at: usize| {
        curve
            .places
            .get(at)
            .map_or_else(String::new, |p| ratio(p.ratio))
    };
    let Some(onset) = &curve.onset else {
        return String::new();
    };
    match (onset.verdict, onset.interval) {
        (OnsetVerdict::At(at), Some((low, high))) => {
            let from = match at {
                0 => format!("from ratio {} or below on", rung(0)),
                _ => format!(
                    "from ratio {} on, in ({}, {}]",
                    rung(at),
                    rung(at - 1),
                    rung(at)
                ),
            };
            let high = high.map_or_else(|| "beyond".to_owned(), rung);
            format!("{from}, 95 % range {} to {high}", rung(low))
        }
        (OnsetVerdict::NoneInRange, _) => "none in range".to_owned(),
        _ => "not determined".to_owned(),
    }
}

/// One text a ladder: how it is made, the onset of each representative, and where the best of them overtakes the
/// others.
pub(super) fn onsets(analysis: &Analysis) -> Vec<String> {
    let curves = &analysis.curves;
    let of = |profile: &&str| {
        let models = &analysis.pooled.models;
        let [all, _] = curves.shown(models, profile);
        let own = |c: &&&Curve| curves.representatives.contains(&c.correction);
        let shown: Vec<&Curve> = all.iter().filter(own).copied().collect();
        let first = *shown.first()?;
        let ratios: Vec<String> = first
            .places
            .iter()
            .map(|place| ratio(place.ratio))
            .collect();
        if first.n_clusters() < FEWEST_UNITS {
            return Some(format!(
                "{} thinned to ratios {}: too few to say from which ratio on a correction helps.",
                plural(first.n_clusters(), "cluster"),
                list(&ratios)
            ));
        }
        let errors = shown.iter().flat_map(|c| &c.places);
        let error = errors.filter_map(|place| place.error).reduce(f64::max);
        let error = error.map_or_else(String::new, |error| {
            format!(
                "; chance of the draws moves a mean by {} points at most",
                size(error)
            )
        });
        let mut text = vec![format!(
            "{} thinned to ratios {}, {}; mean of {}{error}.",
            plural(first.n_clusters(), "cluster"),
            list(&ratios),
            thinning(profile),
            plural(models.len(), "model")
        )];
        let named = |curve: &Curve| code(analysis.correction(curve.correction));
        text.push("Mean gain above half a point at every ratio from one on:".to_owned());
        text.extend(
            shown
                .iter()
                .map(|c| format!("{}, {}.", named(c), onset_words(c))),
        );
        let best = curves.best_of(&shown)?;
        let over = curves.overtakings.iter().filter(|c| {
            c.models == *models
                && c.profile == *profile
                && c.correction == best.correction
                && c.same_rungs(first)
        });
        let over: Vec<String> = over
            .map(|c| {
                format!(
                    "over {}, {}.",
                    code(analysis.correction(c.against)),
                    onset_words(c)
                )
            })
            .collect();
        if !over.is_empty() {
            text.push(format!(
                "{} gains half a point more than the others:",
                named(best)
            ));
            text.extend(over);
        }
        Some(text.join(" "))
    };
    curves.ladders().iter().filter_map(of).collect()
}

/// The onset of the default that the answer names.
pub(super) fn onset_of(analysis: &Analysis, correction: usize) -> Option<String> {
    let profile = *analysis.curves.ladders().first()?;
    let [all, _] = analysis.curves.shown(&analysis.pooled.models, profile);
    let curve = all.into_iter().find(|c| c.correction == correction)?;
    let words = match onset_words(curve) {
        words if words.starts_with("from") => {
            format!("its mean gain exceeds half a point {words}")
        }
        words => format!("the ratio from which on its mean gain exceeds half a point: {words}"),
    };
    (curve.n_clusters() >= FEWEST_UNITS).then(|| {
        format!(
            "Along {} of real data, {}: {words}.",
            plural(curve.n_clusters(), "ladder"),
            thinning(profile)
        )
    })
}
