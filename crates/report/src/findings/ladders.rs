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
            let high = match high {
                Some(high) if high == low => String::new(),
                Some(high) => format!(" to {}", rung(high)),
                None => " to beyond".to_owned(),
            };
            format!("{from}, 95 % range {}{high}", rung(low))
        }
        (OnsetVerdict::NoneInRange, _) => "none in range".to_owned(),
        _ => "not determined".to_owned(),
    }
}

/// By ladder: how it is made, the onset of each representative, and where the best of them overtakes the others.
pub(super) fn onsets(analysis: &Analysis) -> Vec<(usize, String)> {
    let ladders = analysis.curves.ladders();
    let of = |(at, profile)| {
        along(analysis, profile)
            .into_iter()
            .map(move |text| (at, text))
    };
    ladders.into_iter().enumerate().flat_map(of).collect()
}

fn along(analysis: &Analysis, profile: &str) -> Vec<String> {
    let (curves, models) = (&analysis.curves, &analysis.pooled.models);
    let [mut shown, _] = curves.shown(models, profile);
    shown.retain(|c| curves.representatives.contains(&c.correction));
    let (Some(first), Some(best)) = (shown.first(), curves.best_of(&shown)) else {
        return Vec::new();
    };
    let clusters = plural(first.n_clusters(), "cluster");
    let ratios: Vec<String> = first
        .places
        .iter()
        .map(|place| ratio(place.ratio))
        .collect();
    let ratios = list(&ratios);
    if first.n_clusters() < FEWEST_UNITS {
        return vec![format!(
            "{clusters} thinned to ratios {ratios}: too few to say from which ratio on a correction helps."
        )];
    }
    let errors = shown.iter().flat_map(|c| &c.places);
    let error = errors.filter_map(|place| place.error).reduce(f64::max);
    let error = error.map_or_else(String::new, |error| {
        format!(
            "; chance of the draws moves a mean by {} points at most",
            size(error)
        )
    });
    let mean = match models.len() {
        1 => String::new(),
        n => format!("; mean of those of {n} models that take a correction"),
    };
    let mut text = vec![format!(
        "{clusters} thinned to ratios {ratios}, {}{mean}{error}. A gain starts where it exceeds half a point at this and \
         every larger ratio.",
        thinning(profile)
    )];
    let named = |correction: usize| code(analysis.correction(correction));
    let said = |c: &Curve, who: String, gains: &str| match onset_words(c) {
        words if words.starts_with("from") => format!("{who} {gains} {words}."),
        words => format!("{who}: {words}."),
    };
    text.extend(shown.iter().map(|c| said(c, named(c.correction), "gains")));
    let over = curves.overtakings.iter().filter(|c| {
        c.models == *models
            && c.profile == profile
            && c.correction == best.correction
            && c.same_rungs(first)
    });
    text.extend(over.map(|c| {
        let both = format!("{} over {}", named(c.correction), named(c.against));
        said(c, both, "gains")
    }));
    text
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
