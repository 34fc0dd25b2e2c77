//! The three figures of the page: gain against ratio, the forest of gains, the price. All show the same
//! representatives of the families in the same colours.

use counterweight_plots as plots;

use super::{Drawn, Frame, Section};
use crate::analysis::{Analysis, Comparison, Curve, HELD_MINORITY, HELD_ROWS, Part, Place, Source};

/// The figures, as far as there is something to show.
pub(super) fn all(analysis: &Analysis) -> Vec<Drawn> {
    let all = [curves(analysis), forest(analysis), price(analysis)];
    all.into_iter().flatten().collect()
}

/// All models together where there are several, then each that counts.
fn shown(analysis: &Analysis) -> Vec<(String, &Comparison)> {
    let distinct = analysis.overall.iter();
    let distinct =
        distinct.filter(|c| analysis.same_model(c.model()).is_none() && !c.against.is_empty());
    let mut all: Vec<(String, &Comparison)> = distinct
        .map(|c| (analysis.short_model(c.model()).to_owned(), c))
        .collect();
    if all.len() > 1 {
        all.insert(
            0,
            (
                format!("mean of {} models", analysis.pooled.models.len()),
                &analysis.pooled,
            ),
        );
    }
    all
}

fn curves(analysis: &Analysis) -> Option<Drawn> {
    let representatives = &analysis.curves.representatives;
    let dot = |place: &Place| plots::GainDot {
        place: place.ratio,
        gain: place.gain,
        band: place.band,
        units: place.n_clusters,
        levels: Some(place.levels),
    };
    let dots = |curve: Option<&Curve>| -> Vec<plots::GainDot> {
        curve.map_or_else(Vec::new, |curve| curve.places.iter().map(dot).collect())
    };
    let panel = |title: String, [apart, joined]: [Vec<&Curve>; 2]| {
        let of = |curves: &[&Curve], c: usize| {
            let mut own = curves.iter().filter(|curve| curve.correction == c);
            dots(own.next().copied())
        };
        let lines = representatives.iter().map(|&correction| plots::GainLine {
            correction: analysis.correction(correction).to_owned(),
            dots: of(&apart, correction),
            line: of(&joined, correction),
        });
        let lines: Vec<_> = lines
            .filter(|l| !l.dots.is_empty() || !l.line.is_empty())
            .collect();
        let first = joined.iter().flat_map(|curve| &curve.places);
        let ceiling = first.filter_map(|place| Some((place.ratio, place.ceiling?)));
        let mut ceiling: Vec<(f64, f64)> = ceiling.collect();
        ceiling.truncate(joined.first().map_or(0, |curve| curve.places.len()));
        (!lines.is_empty()).then_some(plots::GainPanel {
            title,
            lines,
            ceiling,
        })
    };
    let models = shown(analysis);
    let of = |comparison: &Comparison, source: Source| {
        let own = analysis.curves.of_models(&comparison.models, source);
        own.collect::<Vec<&Curve>>()
    };
    let ladders = analysis.curves.ladders();
    // Natural data stand with the first ladder, or alone.
    let real = |(place, profile): (usize, &str)| {
        let mut panels = Vec::new();
        for (title, comparison) in &models {
            let apart = match place {
                0 => of(comparison, Source::Bands),
                _ => Vec::new(),
            };
            let [first, second] = analysis.curves.shown(&comparison.models, profile);
            // A line over a handful of real sets describes these sets.
            let enough = |c: &&Curve| c.n_clusters() >= counterweight_stats::FEWEST_UNITS;
            let first: Vec<&Curve> = first.into_iter().filter(enough).collect();
            let title = |list: &[&Curve]| match list.first() {
                Some(curve) => format!("{title}, n {}", curve.n_clusters()),
                None => title.clone(),
            };
            panels.extend(panel(title(&first), [apart, first]));
            // Fewer sets on a longer list, for all models together.
            if comparison.models.len() > 1 {
                panels.extend(panel(title(&second), [Vec::new(), second]));
            }
        }
        let heading = match profile {
            HELD_MINORITY => "Real datasets, minority rows held: ratio and rows grow",
            HELD_ROWS => "Real datasets, all rows held: minority rows fall",
            _ => "Real datasets",
        };
        plots::GainGroup {
            heading: heading.to_owned(),
            panels,
        }
    };
    let profiles = if ladders.is_empty() {
        vec![""]
    } else {
        ladders.into_iter().collect()
    };
    let mut groups: Vec<plots::GainGroup> = profiles.into_iter().enumerate().map(real).collect();
    let population = |comparison: &Comparison| {
        let mut all = of(comparison, Source::Population);
        // Of several lists of ratios the longest, which comes first.
        let first = all.first().copied();
        all.retain(|curve| {
            first.is_some_and(|first| first.same_rungs(curve) && first.profile == curve.profile)
        });
        all
    };
    groups.push(plots::GainGroup {
        heading: "Populations, a check of theory".to_owned(),
        panels: models
            .iter()
            .filter_map(|(title, c)| panel(title.clone(), [Vec::new(), population(c)]))
            .collect(),
    });
    let data = plots::GainCurves {
        axis: plots::GainAxis::Ratio,
        groups,
    };
    if data.groups.iter().all(|group| group.panels.is_empty()) {
        return None;
    }
    let mut lines = data
        .groups
        .iter()
        .flat_map(|g| &g.panels)
        .flat_map(|p| &p.lines);
    let apart = if lines.any(|line| !line.dots.is_empty()) {
        " Dots: real datasets at their natural ratio, other sets in each band, on shared sets, with 95 % intervals from six \
         clusters on."
    } else {
        ""
    };
    let frame = Frame::new(
        Section::Main,
        "gain_by_ratio".to_owned(),
        "At which ratio?".to_owned(),
        format!(
            "One correction a family, the same in every panel; above zero it beats no correction.{apart} Lines: the same \
             sets at every ratio, real ones with a simultaneous band; n counts their clusters."
        ),
    );
    Some((
        frame,
        Box::new(move |theme| plots::gain_curves(&data, theme)),
    ))
}

fn forest(analysis: &Analysis) -> Option<Drawn> {
    let representatives = &analysis.curves.representatives;
    let estimate = |part: &Part| (part.mean, part.interval.map(|i| (i.lower, i.upper)));
    let row = |comparison: &Comparison, correction: usize| {
        let own = analysis.effects.iter();
        let mut own = own.filter(|e| comparison.models == [e.model] && e.correction == correction);
        let parts = own.next();
        let gain = parts.map(|effect| estimate(&effect.gain));
        let gain = gain.or_else(|| Some(estimate(&comparison.against(correction)?.gain)))?;
        Some(plots::ForestRow {
            correction: analysis.correction(correction).to_owned(),
            gain,
            parts: parts.map(|e| [e.threshold.mean, e.ranking.mean, e.left.mean]),
        })
    };
    let groups: Vec<plots::ForestGroup> = shown(analysis)
        .into_iter()
        .map(|(name, comparison)| plots::ForestGroup {
            name,
            units: comparison.n_clusters,
            rows: representatives
                .iter()
                .filter_map(|&c| row(comparison, c))
                .collect(),
        })
        .filter(|group| !group.rows.is_empty())
        .collect();
    if groups.is_empty() {
        return None;
    }
    let frame = Frame::new(
        Section::Main,
        "forest".to_owned(),
        "The correction, or just the threshold?".to_owned(),
        "Gains on the sets that all ranked corrections of a model share. Bars: what a threshold alone would win on the \
         uncorrected scores, what better scores win beyond, and what the own decision leaves; thresholds are chosen on \
         one half of the test rows and judged on the other."
            .to_owned(),
    );
    let data = plots::Forest { groups };
    Some((frame, Box::new(move |theme| plots::forest(&data, theme))))
}

fn price(analysis: &Analysis) -> Option<Drawn> {
    let target = (
        analysis.target.id.as_str(),
        analysis.target.name.as_str(),
        analysis.target.lower_is_better,
    );
    let others = [
        ("error_rate", "error rate", true),
        ("log_loss", "log loss", true),
        ("mcc", "MCC", false),
    ];
    let metrics = std::iter::once(target).chain(others.into_iter().filter(|m| m.0 != target.0));
    let models = shown(analysis);
    let models: Vec<&(String, &Comparison)> =
        models.iter().filter(|(_, c)| c.models.len() == 1).collect();
    let representatives = &analysis.curves.representatives;
    let panel = |(id, name, less): (&str, &str, bool)| {
        let metric = analysis.metric(id)?;
        let nats = id == "log_loss";
        let gain = |comparison: &Comparison, correction: usize| {
            let price = comparison.price(correction)?;
            let own = price.differences.get(metric).copied().flatten()?;
            let scale = if nats { 1.0 } else { 100.0 };
            Some(scale * if less { -own } else { own })
        };
        let gains = |&correction: &usize| -> Vec<(String, f64)> {
            let own = models.iter();
            own.filter_map(|(name, c)| Some((name.clone(), gain(c, correction)?)))
                .collect()
        };
        Some(plots::PricePanel {
            name: if nats {
                format!("{name}, nats")
            } else {
                name.to_owned()
            },
            gains: representatives.iter().map(gains).collect(),
        })
    };
    let data = plots::PriceDots {
        corrections: representatives
            .iter()
            .map(|&c| analysis.correction(c).to_owned())
            .collect(),
        panels: metrics.filter_map(panel).collect(),
    };
    if data.panels.len() < 2 || data.corrections.is_empty() || models.is_empty() {
        return None;
    }
    let frame = Frame::new(
        Section::Main,
        "price".to_owned(),
        "What it costs".to_owned(),
        format!(
            "Gains over no correction in each metric, in points where nothing else is said; right of zero is better; small: a model, large: their mean. Metrics \
             other than balanced error are weighted to {}; log loss after the shift to it.",
            analysis.weighted_to
        ),
    );
    Some((
        frame,
        Box::new(move |theme| plots::price_dots(&data, theme)),
    ))
}
