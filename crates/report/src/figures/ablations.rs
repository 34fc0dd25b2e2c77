//! Swept parameters: a figure a parameter, and a heat map where an entry sweeps two.

use std::fmt::Write as _;

use counterweight_core::{Axis, Scalar};

use super::{Drawn, Frame, Section};
use crate::analysis::{Ablation, AblationGrid, Analysis, Kind};
use crate::view::file_name;
use counterweight_plots::{self as plots, Spacing};

/// Most curves of a panel whose curves are corrections: those with the best values, and no correction.
const MOST_CURVES: usize = 6;
/// Most heat maps.
const MOST_GRIDS: usize = 12;

/// All figures of swept parameters.
pub(super) fn ablations(analysis: &Analysis) -> Vec<Drawn> {
    let mut groups: Vec<Vec<&Ablation>> = Vec::new();
    for own in &analysis.ablations.ablations {
        let key = |own: &Ablation| {
            // Populations of one kind lie at levels of their own.
            let entry = (own.kind == Kind::Dataset).then(|| own.axis.entry.clone());
            (own.axis.stage, own.axis.parameter.clone(), entry)
        };
        match groups
            .iter_mut()
            .find(|g| g.first().is_some_and(|f| key(f) == key(own)))
        {
            Some(group) => group.push(own),
            None => groups.push(vec![own]),
        }
    }
    let curves = groups
        .into_iter()
        .filter_map(|group| curves(analysis, &group));
    let grids = analysis.ablations.grids.iter();
    let plain = grids.filter(|grid| grid.kind == Kind::Correction || grid.plain);
    let grids = plain
        .take(MOST_GRIDS)
        .filter_map(|grid| heat_map(analysis, grid));
    curves.chain(grids).collect()
}

fn curves(analysis: &Analysis, group: &[&Ablation]) -> Option<Drawn> {
    let first = group.first()?;
    let (parameter, stage) = (&first.axis.parameter, first.axis.stage.name());
    let mut values: Vec<&Scalar> = Vec::new();
    for point in group.iter().flat_map(|own| &own.points) {
        if !values.contains(&&point.setting) {
            values.push(&point.setting);
        }
    }
    let spacing = spacing(&values);
    let place = |setting: &Scalar| match &spacing {
        Spacing::Words(words) => {
            let word = setting.to_string();
            words
                .iter()
                .position(|own| *own == word)
                .map(|at| (at + 1) as f64)
        }
        _ => setting.as_real(),
    };
    let mut panels: Vec<(&str, Vec<&Ablation>)> = Vec::new();
    for own in group {
        match panels.iter_mut().find(|(model, _)| *model == own.model) {
            Some((_, curves)) => curves.push(own),
            None => panels.push((&own.model, vec![own])),
        }
    }
    let cost = |own: &Ablation| {
        let best = own.points.get(own.best);
        best.map_or(f64::INFINITY, |best| analysis.target.cost(best.mean))
    };
    let mut cut = false;
    for (_, curves) in &mut panels {
        if first.kind != Kind::Correction && curves.len() > MOST_CURVES {
            cut = true;
            curves.sort_by(|a, b| b.plain.cmp(&a.plain).then(cost(a).total_cmp(&cost(b))));
            curves.truncate(MOST_CURVES);
        }
    }
    let curve = |own: &Ablation| {
        let point = |point: &crate::analysis::AblationPoint| {
            Some((place(&point.setting)?, point.mean, point.interval))
        };
        let best = own.points.get(own.best);
        plots::AblationCurve {
            name: own.correction.clone(),
            points: own.points.iter().filter_map(point).collect(),
            best: best.and_then(|best| {
                Some(plots::BestSetting {
                    at: place(&best.setting)?,
                    value: best.mean,
                    interval: own.best_interval,
                })
            }),
        }
    };
    let default = first.axis.default.as_ref();
    let agree = group.iter().all(|own| own.axis.default.as_ref() == default);
    let data = plots::Ablations {
        parameter: format!("{parameter} ({stage})"),
        panels: panels
            .iter()
            .map(|(model, curves)| plots::AblationPanel {
                title: (*model).to_owned(),
                curves: curves.iter().map(|own| curve(own)).collect(),
                reference: agreed(curves),
            })
            .collect(),
        default: default.filter(|_| agree).and_then(place),
        spacing,
    };
    let entries = |kind: Kind| match kind {
        Kind::Dataset => format!(": {}", first.axis.entry),
        _ => String::new(),
    };
    let mut note = match first.kind {
        Kind::Dataset => "Populations that differ in the parameter, with 95 % t intervals over repeats and folds."
            .to_owned(),
        _ => "Means over the datasets that all values of a curve have a value for, with 95 % intervals within \
              datasets (the level of each dataset taken out); other swept parameters where they stand in the \
              rankings."
            .to_owned(),
    };
    if cut {
        let _infallible = write!(
            note,
            " No correction and the {} corrections with the best values; the others are in the table.",
            MOST_CURVES - 1
        );
    }
    let name = match first.kind {
        Kind::Dataset => format!(
            "ablation_{stage}_{}_{}",
            file_name(parameter),
            file_name(&first.axis.entry)
        ),
        _ => format!("ablation_{stage}_{}", file_name(parameter)),
    };
    let heading = format!(
        "{} against {parameter} ({stage}){}",
        analysis.target.title(),
        entries(first.kind)
    );
    Some((
        Frame::new(Section::Ablation, name, heading, note),
        Box::new(move |theme| plots::ablations(&data, theme)),
    ))
}

/// What no correction reaches, when all curves of a panel stand on the same datasets.
fn agreed(curves: &[&Ablation]) -> Option<f64> {
    let first = curves.first()?.reference?;
    let same = |own: &&Ablation| own.reference.is_some_and(|own| (own - first).abs() < 1e-12);
    curves.iter().all(same).then_some(first)
}

/// Logarithmic where the ratios of neighbours vary less than their differences.
fn spacing(values: &[&Scalar]) -> Spacing {
    let numbers: Option<Vec<f64>> = values.iter().map(|value| value.as_real()).collect();
    let Some(mut numbers) = numbers else {
        return Spacing::Words(values.iter().map(ToString::to_string).collect());
    };
    numbers.sort_by(f64::total_cmp);
    let uneven = |map: fn(f64) -> f64| {
        let steps: Vec<f64> = numbers
            .windows(2)
            .map(|pair| map(pair[1]) - map(pair[0]))
            .collect();
        let mean = steps.iter().sum::<f64>() / steps.len().max(1) as f64;
        steps
            .iter()
            .map(|step| (step / mean - 1.0).powi(2))
            .sum::<f64>()
    };
    let positive = numbers.first().is_some_and(|least| *least > 0.0);
    // Two values have one step: far apart they are a ratio.
    let far = matches!(numbers[..], [low, high] if high >= 10.0 * low);
    if positive && (far || uneven(f64::ln) < uneven(|value| value) - 1e-9) {
        Spacing::Log
    } else {
        Spacing::Linear
    }
}

fn heat_map(analysis: &Analysis, grid: &AblationGrid) -> Option<Drawn> {
    let (row, column) = grid.standing;
    let stands = (*grid.means.get(row)?.get(column)?)?;
    let (across, down) = (&grid.across, &grid.down);
    let texts = |axis: &Axis| -> Vec<String> {
        let named = |value: &Scalar| format!("{}={value}", axis.parameter);
        axis.values.iter().map(named).collect()
    };
    let (rows, columns) = (texts(down), texts(across));
    let baseline = format!(
        "{}[{}, {}]",
        across.entry,
        columns.get(column)?,
        rows.get(row)?
    );
    let data = plots::HeatMap {
        measure: analysis.target.name.clone(),
        by: [down.parameter.clone(), across.parameter.clone()],
        baseline: baseline.clone(),
        rows,
        columns,
        cells: grid
            .means
            .iter()
            .map(|row| {
                row.iter()
                    .map(|cell| cell.map(|mean| mean - stands))
                    .collect()
            })
            .collect(),
        missing: "no value".to_owned(),
    };
    let beside = match grid.kind {
        Kind::Correction => &grid.model,
        _ => &grid.correction,
    };
    let name = format!(
        "ablation_{}_{}_{}_{}",
        file_name(&across.entry),
        file_name(&across.parameter),
        file_name(&down.parameter),
        file_name(beside)
    );
    let heading = format!(
        "{} and {} of {} together: {beside}",
        across.parameter, down.parameter, across.entry
    );
    let note = format!(
        "{} down, {} across; difference to the member that stands in the rankings, `{baseline}`, over {}.",
        down.parameter,
        across.parameter,
        counterweight_plots::format::plural(grid.n_datasets, "dataset")
    );
    Some((
        Frame::new(Section::Ablation, name, heading, note),
        Box::new(move |theme| plots::heat_map(&data, theme)),
    ))
}
