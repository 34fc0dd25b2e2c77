//! Gain of a correction against imbalance ratio, one dot a real dataset.
//!
//! One panel a correction (or a model). The trend and its band come from the caller, who knows how
//! they were made and says so in `trend_name`. Named are the datasets farthest from the trend (from
//! the median where there is none), as far as their names find a free place; every dot tells its
//! name under the pointer.

use std::fmt::Write as _;

use super::axes::{self, Frame, extent};
use super::labels::{Placer, leader};
use super::scale::{Kind, Scale, fixed, signed};
use super::scene::{Point, Scene, Stroke, Text};
use super::theme::{INK, MUTED, Shape, Theme, size};
use super::{Figure, Guard, PlotError, count, finish, font, nothing};

/// One dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct GainPoint {
    /// Id of the dataset.
    pub dataset: String,
    /// Largest over smallest class count, above zero.
    pub ratio: f64,
    /// How much better the correction is than the baseline, as a fraction; above zero where
    /// the correction helps.
    pub gain: f64,
}

/// One place on the trend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrendPoint {
    /// Ratio, above zero.
    pub ratio: f64,
    /// Expected gain, a fraction.
    pub gain: f64,
    /// Ends of its 95 % interval.
    pub band: Option<(f64, f64)>,
}

/// One panel.
#[derive(Debug, Clone, PartialEq)]
pub struct GainPanel {
    /// What the panel shows, such as the correction.
    pub name: String,
    /// The datasets.
    pub points: Vec<GainPoint>,
    /// The trend; may be empty.
    pub trend: Vec<TrendPoint>,
}

/// All panels.
#[derive(Debug, Clone, PartialEq)]
pub struct GainScatter {
    /// The panels, with common axes.
    pub panels: Vec<GainPanel>,
    /// How the trend was made, such as `median of bins`; empty without a trend.
    pub trend_name: String,
}

const GUARD: Guard = Guard {
    figure: "gain scatter",
};
const MOST_NAMES: usize = 7;

/// Draws the figure.
///
/// # Errors
///
/// [`PlotError::Data`] for a ratio that is not above zero, a gain that is not finite, or an
/// interval with its ends swapped.
pub fn gain_scatter(data: &GainScatter, theme: &Theme) -> Result<Figure, PlotError> {
    let title = format!(
        "Gain over {} against imbalance ratio, by dataset",
        theme.baseline
    );
    check(data)?;
    let panels: Vec<&GainPanel> = data
        .panels
        .iter()
        .filter(|p| !p.points.is_empty())
        .collect();
    if panels.is_empty() {
        return nothing(
            theme,
            title,
            "No gains to show: no real dataset has results with and without a correction.",
        );
    }
    let columns = if panels.len() > 1 && theme.width >= 500.0 {
        2
    } else {
        1
    };
    let plot_height = if panels.len() == 1 { 260.0 } else { 190.0 };
    let gains = panels.iter().flat_map(|p| {
        let trend = p.trend.iter().flat_map(|t| {
            let (low, high) = t.band.unwrap_or((t.gain, t.gain));
            [low, high]
        });
        p.points.iter().map(|point| point.gain).chain(trend)
    });
    let (low, high) = extent(gains.map(|g| g * 100.0).chain([0.0])).unwrap_or((0.0, 1.0));
    let air = (high - low).max(2.0) * 0.06;
    let y = Scale::new(Kind::Linear, (low - air, high + air), (plot_height, 0.0));
    let y_ticks: axes::Ticks = axes::y_ticks(&y, 6)
        .into_iter()
        .map(|(value, text)| {
            (
                value,
                if value > 0.0 {
                    format!("+{text}")
                } else {
                    text
                },
            )
        })
        .collect();
    let ratios = panels.iter().flat_map(|p| {
        p.points
            .iter()
            .map(|point| point.ratio)
            .chain(p.trend.iter().map(|t| t.ratio))
    });
    let x = Scale::new(
        Kind::Log,
        axes::pad_log(extent(ratios).unwrap_or((1.0, 10.0))),
        (0.0, 1.0),
    );
    let left = 16.0 + axes::label_width(&y_ticks)? + 6.0;
    let cell = (theme.width - left) / columns as f64;
    let rows = panels.len().div_ceil(columns);
    let bottom = rows as f64 * (plot_height + 32.0) - 11.0;
    let note = if data.trend_name.is_empty() {
        "Above zero the correction helps.".to_owned()
    } else {
        format!(
            "Above zero the correction helps. Line and band: {}.",
            data.trend_name
        )
    };
    let notes = font::wrap(&note, size::TICK, false, theme.width - 16.0)?;
    let mut scene = Scene::new(theme.width, bottom + 40.0 + 12.0 * notes.len() as f64);
    for (i, panel) in panels.iter().enumerate() {
        let x0 = left + (i % columns) as f64 * cell;
        let y0 = (i / columns) as f64 * (plot_height + 32.0) + 21.0;
        let frame = Frame {
            left: x0,
            top: y0,
            right: x0 + cell - 12.0,
            bottom: y0 + plot_height,
        };
        let x = x.with_range((frame.left, frame.right));
        let y = y.with_range((frame.bottom, frame.top));
        axes::draw_y(&mut scene, &frame, &y, &y_ticks, i % columns == 0);
        let ticks = axes::x_ticks(&x, 6)?;
        axes::draw_x(&mut scene, &frame, &x, &ticks, i + columns >= panels.len());
        scene.line(
            (frame.left, y.at(0.0)),
            (frame.right, y.at(0.0)),
            Stroke::solid(MUTED, 1.0),
        );
        let name = font::shorten(&panel.name, size::TITLE, true, cell - 12.0)?;
        scene.text(Text::new((frame.left, frame.top - 7.0), name, size::TITLE, INK).bold());
        draw_panel(&mut scene, panel, &frame, (&x, &y), theme)?;
    }
    let middle = f64::midpoint(21.0, bottom);
    axes::y_title(
        &mut scene,
        (11.0, middle),
        &format!("gain in {} (points)", theme.quantity.name),
        bottom - 21.0,
    )?;
    let at = (f64::midpoint(left, theme.width - 12.0), bottom + 28.0);
    axes::x_title(
        &mut scene,
        at,
        "imbalance ratio (log scale)",
        theme.width - left,
    )?;
    for (i, line) in notes.into_iter().enumerate() {
        let at = (8.0, bottom + 45.0 + 12.0 * i as f64);
        scene.text(Text::new(at, line, size::TICK, MUTED));
    }
    finish(&scene, theme, title, describe(&panels))
}

fn check(data: &GainScatter) -> Result<(), PlotError> {
    for panel in &data.panels {
        for point in &panel.points {
            let place = format!("{} of {}", point.dataset, panel.name);
            GUARD.positive(point.ratio, "a ratio", &place)?;
            GUARD.finite(point.gain, "a gain", &place)?;
        }
        for point in &panel.trend {
            let place = format!("the trend of {}", panel.name);
            GUARD.positive(point.ratio, "a ratio", &place)?;
            GUARD.finite(point.gain, "a gain", &place)?;
            if let Some(band) = point.band {
                GUARD.interval(band, "an interval", &place)?;
            }
        }
    }
    Ok(())
}

fn draw_panel(
    scene: &mut Scene,
    panel: &GainPanel,
    frame: &Frame,
    (x, y): (&Scale, &Scale),
    theme: &Theme,
) -> Result<(), PlotError> {
    let style = theme.styles(&["", "dataset"])[1];
    let mut trend = panel.trend.clone();
    trend.sort_by(|a, b| a.ratio.total_cmp(&b.ratio));
    let banded: Vec<(f64, (f64, f64))> = trend
        .iter()
        .filter_map(|t| t.band.map(|band| (x.at(t.ratio), band)))
        .collect();
    let lower = banded.iter().map(|(px, band)| (*px, y.at(band.0 * 100.0)));
    let upper = banded
        .iter()
        .rev()
        .map(|(px, band)| (*px, y.at(band.1 * 100.0)));
    scene.polygon(lower.chain(upper).collect(), style.ink, 0.16);
    let line: Vec<Point> = trend
        .iter()
        .map(|t| (x.at(t.ratio), y.at(t.gain * 100.0)))
        .collect();
    scene.polyline(line.clone(), Stroke::solid(style.ink, 1.8));

    let at = |point: &GainPoint| (x.at(point.ratio), y.at(point.gain * 100.0));
    let points: Vec<Point> = panel.points.iter().map(at).collect();
    let mut order: Vec<usize> = (0..panel.points.len()).collect();
    let expected =
        |index: usize| interpolate(&line, points[index].0).unwrap_or_else(|| median(&points));
    let distance = |index: usize| (points[index].1 - expected(index)).abs();
    order.sort_by(|a, b| distance(*b).total_cmp(&distance(*a)));
    let bounds = [
        frame.left + 2.0,
        frame.top,
        frame.right + 10.0,
        frame.bottom - 2.0,
    ];
    let mut placer = Placer::new(bounds, &points, 3.6);
    placer.avoid(&line);
    placer.avoid(&[(frame.left, y.at(0.0)), (frame.right, y.at(0.0))]);
    for index in order.into_iter().take(MOST_NAMES) {
        let text = font::shorten(&panel.points[index].dataset, size::SMALL, false, 110.0)?;
        let extent = (font::width(&text, size::SMALL, false)?, size::SMALL);
        let Some((left, top)) = placer.place(points[index], extent) else {
            continue;
        };
        if let Some(end) = leader(points[index], (left, top), extent) {
            scene.line(points[index], end, Stroke::solid(MUTED, 0.5));
        }
        let at = (left, top + size::SMALL * 0.86);
        scene.text(Text::new(at, text, size::SMALL, INK));
    }
    for point in &panel.points {
        let tip = format!(
            "{}: ratio {}, gain {} points",
            point.dataset,
            fixed(point.ratio, 1),
            signed(point.gain * 100.0, 1)
        );
        scene.with_tip(tip, |scene| {
            scene.marker(at(point), Shape::Circle, 2.6, (INK, true));
        });
    }
    Ok(())
}

/// Height of a line at an x; the nearest end outside of it.
fn interpolate(line: &[Point], x: f64) -> Option<f64> {
    let (first, last) = (line.first()?, line.last()?);
    if x <= first.0 {
        return Some(first.1);
    }
    for pair in line.windows(2) {
        if x <= pair[1].0 && pair[1].0 > pair[0].0 {
            let t = (x - pair[0].0) / (pair[1].0 - pair[0].0);
            return Some(pair[0].1 + t * (pair[1].1 - pair[0].1));
        }
    }
    Some(last.1)
}

fn median(points: &[Point]) -> f64 {
    let mut levels: Vec<f64> = points.iter().map(|p| p.1).collect();
    levels.sort_by(f64::total_cmp);
    levels.get(levels.len() / 2).copied().unwrap_or(0.0)
}

fn describe(panels: &[&GainPanel]) -> String {
    let mut text = "Scatter plots of gain over a logarithmic axis of imbalance ratios.".to_owned();
    for panel in panels {
        let better = panel.points.iter().filter(|p| p.gain > 0.0).count();
        let _infallible = write!(
            text,
            " {}: a gain on {better} of {}.",
            panel.name,
            count(panel.points.len(), "dataset")
        );
    }
    text
}
