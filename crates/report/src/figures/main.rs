//! The three figures of the page: gain against ratio, the forest of gains, the price. All show the same
//! representatives of the families in the same colours.

use counterweight_plots as plots;

use super::{Drawn, Frame, Section};
use crate::analysis::{Analysis, Comparison, Curve, Part, Place, Source};

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
        ratio: place.ratio,
        gain: place.gain,
        band: place.band,
        units: place.n_clusters,
    };
    // Of several lists of ratios the longest, which comes first.
    let of = |comparison: &Comparison, correction: usize, source: Source| -> Option<&Curve> {
        let mut own = analysis.curves.curves.iter();
        own.find(|c| {
            c.models == comparison.models && c.source == source && c.correction == correction
        })
    };
    let panel = |title: &str, comparison: &Comparison, real: bool| {
        let sources = if real {
            [Source::Bands, Source::Ladder]
        } else {
            [Source::Population; 2]
        };
        // A line over a handful of real sets describes these sets.
        let enough = |curve: &&Curve| {
            let units = curve.places.first().map_or(0, |place| place.n_clusters);
            curve.source != Source::Ladder || units >= counterweight_stats::FEWEST_UNITS
        };
        let dots = |correction: usize, source: Source| -> Vec<plots::GainDot> {
            let curve = of(comparison, correction, source).filter(enough);
            curve.map_or_else(Vec::new, |curve| curve.places.iter().map(dot).collect())
        };
        let lines = representatives.iter().map(|&correction| plots::GainLine {
            correction: analysis.correction(correction).to_owned(),
            dots: if real {
                dots(correction, sources[0])
            } else {
                Vec::new()
            },
            line: dots(correction, sources[1]),
        });
        let lines: Vec<_> = lines
            .filter(|l| !l.dots.is_empty() || !l.line.is_empty())
            .collect();
        let first = representatives
            .iter()
            .find_map(|&c| of(comparison, c, Source::Population));
        let ceiling = first.filter(|_| !real).map_or_else(Vec::new, |curve| {
            let places = curve.places.iter();
            places
                .filter_map(|place| Some((place.ratio, place.ceiling?)))
                .collect()
        });
        (!lines.is_empty()).then(|| plots::GainPanel {
            title: title.to_owned(),
            lines,
            ceiling,
        })
    };
    let models = shown(analysis);
    let group = |heading: &str, real: bool| plots::GainGroup {
        heading: heading.to_owned(),
        panels: models
            .iter()
            .filter_map(|(title, c)| panel(title, c, real))
            .collect(),
    };
    let data = plots::GainCurves {
        groups: vec![
            group("Real datasets", true),
            group("Populations, a check of theory", false),
        ],
    };
    if data.groups.iter().all(|group| group.panels.is_empty()) {
        return None;
    }
    let frame = Frame::new(
        Section::Main,
        "gain_by_ratio".to_owned(),
        "At which ratio?".to_owned(),
        "One correction a family, the same in every panel; above zero it beats no correction. Dots: real datasets \
         at their natural ratio, other sets in each band, on shared sets, with 95 % intervals from six clusters on. \
         Lines: the same sets at every ratio, real ones with a simultaneous band."
            .to_owned(),
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
        "Gains over no correction in each metric, in points where nothing else is said; right of zero is better; small: a model, large: their mean. Metrics \
         other than balanced error are weighted to the training prior; log loss after the shift to it."
            .to_owned(),
    );
    Some((
        frame,
        Box::new(move |theme| plots::price_dots(&data, theme)),
    ))
}
