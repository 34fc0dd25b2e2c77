//! Tables of values: by ratio and by dataset.

use counterweight_stats::{Onset, OnsetVerdict};

use super::{Columns, Sheet};
use crate::analysis::{Analysis, Comparison, Curve, Place, Point, Source, Standing};
use crate::error::Result;
use crate::findings::onset_words;
use crate::view::{Mark, View, file_name, free_name};
use counterweight_plots::format::{percent, points, ratio};

/// The numbers of the curves.
pub(super) fn curves(analysis: &Analysis) -> Result<Sheet> {
    let rows: Vec<(&Curve, usize, &Place)> = analysis
        .curves
        .curves
        .iter()
        .flat_map(|curve| {
            let places = curve.places.iter().enumerate();
            places.map(move |(rung, place)| (curve, rung, place))
        })
        .collect();
    let holds = |(curve, rung, _): &(&Curve, usize, &Place)| {
        let verdict = curve.onset.as_ref().map(|onset| onset.verdict);
        match verdict {
            None => "",
            Some(OnsetVerdict::At(at)) if at <= *rung => "holds",
            Some(OnsetVerdict::At(_)) => "below the onset",
            Some(OnsetVerdict::NoneInRange) => "none in range",
            Some(OnsetVerdict::NotDetermined) => "not determined",
        }
    };
    Columns::of(&rows)
        .file_text("source", |(curve, ..)| match curve.source {
            Source::Ladder => "ladder",
            Source::Population => "population",
            Source::Bands => "bands",
        })
        .file_text("profile", |(curve, ..)| curve.profile.as_str())
        .file_text("model", |(curve, ..)| match curve.models[..] {
            [one] => analysis.model(one),
            _ => "all models",
        })
        .file_text("correction", |(curve, ..)| {
            analysis.correction(curve.correction)
        })
        .file_real("ratio", |(.., place)| Some(place.ratio))
        .file_real("gain", |(.., place)| Some(place.gain))
        .file_real("gain_low", |(.., place)| Some(place.band?.0))
        .file_real("gain_high", |(.., place)| Some(place.band?.1))
        .file_real("none", |(.., place)| Some(place.levels[0]))
        .file_real("own", |(.., place)| Some(place.levels[1]))
        .file_real("gain_without_regret", |(.., place)| place.ceiling)
        .file_count("n_clusters", |(.., place)| place.n_clusters)
        .file_real("gain_error_by_chance", |(.., place)| place.error)
        .file_text("onset", holds)
        .files("gain_curves", Vec::new())
}

/// Onsets against no correction, and overtakings; read are those of the representatives on the list of ratios
/// that is shown.
pub(super) fn onsets(analysis: &Analysis) -> Result<Sheet> {
    let curves = &analysis.curves;
    let all = curves.curves.iter().chain(&curves.overtakings);
    let rows: Vec<(&Curve, &Onset)> = all.filter_map(|c| Some((c, c.onset.as_ref()?))).collect();
    let rung = |curve: &Curve, at: usize| curve.places.get(at).map(|place| place.ratio);
    let start = |(_, onset): &(&Curve, &Onset)| match onset.verdict {
        OnsetVerdict::At(at) => Some(at),
        _ => None,
    };
    let ratios = |curve: &Curve| -> String {
        let texts = curve.places.iter().map(|place| ratio(place.ratio));
        texts.collect::<Vec<_>>().join(" ")
    };
    let last = |curve: &Curve| curve.places.last().map(|place| place.levels);
    let mut columns = Columns::of(&rows)
        .text("profile", "ladder", |(curve, _)| curve.profile.as_str())
        .file_text("ratios", |(curve, _)| ratios(curve))
        .code("model", "model", |(curve, _)| match curve.models[..] {
            [one] => analysis.model(one),
            _ => "all models",
        })
        .code("correction", "correction", |(curve, _)| {
            analysis.correction(curve.correction)
        })
        .code("against", "against", |(curve, _)| {
            analysis.correction(curve.against)
        })
        .words("gain above half a point", |(curve, _)| onset_words(curve))
        .file_text("verdict", |(_, onset)| match onset.verdict {
            OnsetVerdict::At(_) => "onset",
            OnsetVerdict::NoneInRange => "none in range",
            OnsetVerdict::NotDetermined => "not determined",
        })
        .file_real("above", |row| rung(row.0, start(row)?.checked_sub(1)?))
        .file_real("onset", |row| rung(row.0, start(row)?))
        .file_real("range_low", |(curve, onset)| rung(curve, onset.interval?.0))
        .file_real("range_high", |(curve, onset)| {
            rung(curve, onset.interval?.1?)
        })
        .number("theirs at the end, %", |row| Some(last(row.0)?[0]), percent)
        .number("own, %", |row| Some(last(row.0)?[1]), percent)
        .count("n_clusters", "clusters", |(curve, _)| curve.n_clusters());
    let shown = |(curve, _): &(&Curve, &Onset)| {
        let [list, _] = curves.shown(&curve.models, &curve.profile);
        let best = curves.best_of(&list).map(|best| best.correction);
        let own = |c: usize| curves.representatives.contains(&c);
        let counts = curve.models.len() > 1 || analysis.same_model(curve.models[0]).is_none();
        let wanted = Some(curve.against) == analysis.baseline || Some(curve.correction) == best;
        list.first().is_some_and(|c| c.same_rungs(curve))
            && own(curve.correction)
            && counts
            && wanted
    };
    let view = columns.view_of(
        "onsets",
        "From which ratio on",
        "One correction a family against none, and the best of them against the others: the ratio from which on the mean \
         gain exceeds half a point at every larger one, the rung below it, and the 2.5 to 97.5 % range over draws of the \
         clusters. None in range: over half of the draws have none. Every list of ratios is in the csv.",
        shown,
    );
    columns.files("onsets", vec![view])
}

/// One row of the table by dataset on the page.
struct OnDataset<'a> {
    comparison: &'a Comparison,
    at: usize,
    point: &'a Point,
    standings: Vec<Option<Standing>>,
}

/// Model and point in rows; no correction and the gains of the representatives of the families.
fn by_point(analysis: &Analysis) -> Result<View> {
    let shown = &analysis.curves.representatives;
    let all: Vec<usize> = analysis
        .baseline
        .into_iter()
        .chain(shown.iter().copied())
        .collect();
    let mut rows = Vec::new();
    for comparison in &analysis.overall {
        for (at, point) in analysis.points.iter().enumerate() {
            let standings = analysis.standings(comparison.model(), at, &all)?;
            if standings.iter().flatten().count() > 1 {
                rows.push(OnDataset {
                    comparison,
                    at,
                    point,
                    standings,
                });
            }
        }
    }
    let value =
        |row: &OnDataset<'_>, c: usize| analysis.cube.value(row.comparison.model(), row.at, c);
    let mut columns = Columns::of(&rows)
        .ids("model", |row| analysis.model(row.comparison.model()))
        .ids("dataset", |row| analysis.dataset(row.point.dataset))
        .number(
            "ratio",
            |row| row.point.requested_ratio.or(row.point.imbalance_ratio),
            ratio,
        );
    // Points of one ratio that differ in which class is rare, or in what a ladder holds.
    if rows
        .iter()
        .any(|row| row.point.aside || row.point.profile.contains('/'))
    {
        columns = columns.words("thinning", |row| row.point.profile.as_str());
    }
    if rows
        .iter()
        .any(|row| row.standings.contains(&Some(Standing::Untested)))
    {
        columns = columns.words("test", |row| {
            let none = row.standings.contains(&Some(Standing::Untested));
            if none { "no test" } else { "" }
        });
    }
    let mark = |place: usize| {
        move |row: &OnDataset<'_>| match row.standings.get(place) {
            Some(Some(Standing::Worse)) => Mark::Worse,
            _ => Mark::Plain,
        }
    };
    for (place, &correction) in all.iter().enumerate() {
        let base = analysis.baseline.filter(|base| *base != correction);
        let show = if base.is_some() { points } else { percent };
        columns = columns
            .number(
                analysis.correction(correction),
                |row| match base {
                    Some(base) => Some(
                        analysis
                            .target
                            .cost(value(row, base)? - value(row, correction)?),
                    ),
                    None => value(row, correction),
                },
                show,
            )
            .marked(mark(place));
    }
    let mut view = columns.view(
        "per_dataset",
        "Gain by dataset",
        format!(
            "{} of no correction, and the gain of one correction a family in points; positive is better. \
             Asterisk: significantly worse than the best of the row on this dataset (Nadeau and Bengio's corrected \
             t, Holm within the row). No test: one draw. All corrections are in the csv and on the pages of the models.",
            analysis.target.units()
        ),
    );
    let base = analysis.baseline.unwrap_or(0);
    let cell = |row: &OnDataset<'_>| analysis.cube.get(row.comparison.model(), row.at, base);
    let cells = rows
        .iter()
        .map(|row| cell(row).map_or_else(String::new, |own| own.cell.to_string()));
    view.cells = cells.collect();
    Ok(view)
}

/// Per dataset: long as numbers; one view of all models, and one wide view a model.
pub(super) fn per_dataset(analysis: &Analysis) -> Result<Sheet> {
    let mut views: Vec<View> = vec![by_point(analysis)?];
    for model in 0..analysis.models.len() {
        if let Some(mut view) = by_dataset(analysis, model)? {
            view.name = free_name(&view.name, |name| views.iter().any(|v| v.name == name));
            views.push(view);
        }
    }
    let analysis = &*analysis.all;
    let known = |&(model, point, correction): &(usize, usize, usize)| {
        let point = analysis.points.get(point)?;
        Some((model, point, correction))
    };
    let rows: Vec<_> = analysis
        .cube
        .iter()
        .filter_map(|(key, summary)| Some((known(&key)?, summary)))
        .collect();
    let mut columns = Columns::of(&rows)
        .file_text("dataset", |((_, point, _), _)| {
            analysis.dataset(point.dataset)
        })
        .file_text("profile", |((_, point, _), _)| point.profile.as_str())
        .file_real("requested_ratio", |((_, point, _), _)| {
            point.requested_ratio
        })
        .file_real("imbalance_ratio", |((_, point, _), _)| {
            point.imbalance_ratio
        })
        .file_text("model", |((model, _, _), _)| analysis.model(*model))
        .file_text("correction", |((_, _, c), _)| analysis.correction(*c))
        .file_text("gravest_outcome", |(_, summary)| summary.gravest.id())
        .file_count("n_cells", |(_, summary)| summary.n_cells)
        .file_count("n_values", |(_, summary)| summary.n_values)
        .file_count("n_planned", |(_, summary)| summary.n_planned);
    for (place, metric) in analysis.metrics.iter().enumerate() {
        columns = columns.file_real(&metric.id, |(_, summary)| {
            summary.means.get(place).copied().flatten()
        });
        if metric.id == "balanced_error" {
            columns = columns.file_real("pooled_balanced_error", |(_, summary)| summary.pooled);
        }
    }
    columns
        .file_real("bayes_balanced_error", |(_, summary)| summary.bayes)
        .file_real("regret", |(_, summary)| {
            Some(summary.value()? - summary.bayes?)
        })
        .file_real("seconds", |(_, summary)| summary.seconds)
        .files("per_dataset", views)
}

/// Points in rows, the corrections of a model in columns; `None` without any value.
fn by_dataset(analysis: &Analysis, model: usize) -> Result<Option<View>> {
    let value = |point: usize, correction: usize| analysis.cube.value(model, point, correction);
    let valued = |c: &usize| (0..analysis.points.len()).any(|point| value(point, *c).is_some());
    let used: Vec<usize> = (0..analysis.corrections.len()).filter(valued).collect();
    if used.is_empty() {
        return Ok(None);
    }
    let mut rows = Vec::new();
    for (index, point) in analysis.points.iter().enumerate() {
        let standings = analysis.standings(model, index, &used)?;
        if standings.iter().any(Option::is_some) {
            rows.push((index, point, standings));
        }
    }
    let mut columns = Columns::of(&rows)
        .ids("dataset", |(_, point, _)| analysis.dataset(point.dataset))
        .number(
            "ratio",
            |(_, point, _)| point.requested_ratio.or(point.imbalance_ratio),
            ratio,
        );
    let untested =
        |row: &&(usize, &Point, Vec<Option<Standing>>)| row.2.contains(&Some(Standing::Untested));
    if rows.iter().any(|row| untested(&row)) {
        columns = columns.words("test", |row| if untested(&row) { "no test" } else { "" });
    }
    for (place, &correction) in used.iter().enumerate() {
        columns = columns
            .number(
                analysis.correction(correction),
                |(index, ..)| value(*index, correction),
                percent,
            )
            .marked(|(.., standings)| match standings.get(place) {
                Some(Some(Standing::Worse)) => Mark::Worse,
                _ => Mark::Plain,
            });
    }
    let id = analysis.model(model);
    Ok(Some(columns.view(
        format!("per_dataset_{}", file_name(id)),
        format!("{} by dataset: {id}", analysis.target.title()),
        format!(
            "{}, mean over repeats and folds. With an asterisk: significantly worse than the best of the row on this \
             dataset (Nadeau and Bengio's corrected t over its folds, Holm over the distinct \
             corrections of the row). No test: one draw. Empty: no value, see outcomes.",
            if analysis.target.percent { "In %" } else { "Times 100" }
        ),
    )))
}
