//! Gains taken apart into threshold and ranking.

use counterweight_plots as plots;

use super::{Drawn, Frame, MOST_COLUMNS};
use crate::analysis::{Analysis, Comparison, Part};

pub(super) fn effects(analysis: &Analysis, comparison: &Comparison) -> Option<Drawn> {
    let estimate = |part: &Part| (part.mean, part.interval.map(|i| (i.lower, i.upper)));
    let mut rows: Vec<plots::EffectRow> = analysis
        .effects
        .iter()
        .filter(|effect| effect.model == comparison.model)
        .map(|effect| plots::EffectRow {
            correction: analysis.correction(effect.correction).to_owned(),
            threshold: estimate(&effect.threshold),
            ranking: estimate(&effect.ranking),
            gain: estimate(&effect.gain),
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let all = rows.len();
    rows.sort_by(|a, b| b.gain.0.total_cmp(&a.gain.0));
    rows.truncate(MOST_COLUMNS);
    let mut note = "Means over datasets with 95 % intervals. Threshold alone: what the best offsets on \
                    the test rows would win on the scores of no correction; an oracle, never ranked. \
                    Ranking: what the correction's scores win beyond any offsets."
        .to_owned();
    if rows.len() < all {
        note = format!("The {MOST_COLUMNS} corrections with the largest gains of {all}. {note}");
    }
    let data = plots::EffectDots {
        scope: analysis.model(comparison.model).to_owned(),
        rows,
    };
    let frame = Frame::of_model(
        analysis,
        "effects",
        comparison.model,
        "Is it the correction, or just the threshold?",
        &note,
    );
    Some((
        frame,
        Box::new(move |theme| plots::effect_dots(&data, theme)),
    ))
}
