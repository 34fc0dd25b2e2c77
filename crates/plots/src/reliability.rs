//! Reliability before and after the prior correction: one small panel a correction.
//!
//! On the diagonal a probability means what it says. A dot's area grows with the share of the weight in
//! its bin, because the bins of a rare class differ by orders of magnitude: what happens far right is
//! mostly a handful of rows. Bins without rows have no dot, and the line passes over them.

use std::fmt::Write as _;

use super::axes::{self, Frame};
use super::scale::{Kind, Scale, fixed};
use super::scene::{Point, Scene, Stroke, Text};
use super::theme::{INK, Ink, MUTED, REST, Shape, Style, Theme, size};
use super::{Figure, Guard, PlotError, count, finish, font, nothing};

/// A bin with rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReliabilityDot {
    /// Its share of the weight, above 0 and at most 1.
    pub share: f64,
    /// Mean probability, 0 to 1.
    pub predicted: f64,
    /// Observed share, 0 to 1.
    pub observed: f64,
}

/// One correction.
#[derive(Debug, Clone, PartialEq)]
pub struct ReliabilityPanel {
    /// Id of the correction.
    pub correction: String,
    /// Bins as fitted, by rising probability.
    pub fitted: Vec<ReliabilityDot>,
    /// Bins after the prior shift; empty where it changes nothing.
    pub corrected: Vec<ReliabilityDot>,
}

/// All corrections of one model.
#[derive(Debug, Clone, PartialEq)]
pub struct ReliabilityGrid {
    /// What the numbers cover, such as a model; stands in the title.
    pub scope: String,
    /// Bins without a correction, shown in every panel; may be empty.
    pub baseline: Vec<ReliabilityDot>,
    /// Row by row.
    pub panels: Vec<ReliabilityPanel>,
}

const GUARD: Guard = Guard {
    figure: "reliability figure",
};
/// Distance between panels: across, and down with the title's line.
const GAP: (f64, f64) = (24.0, 30.0);

/// The three curves' names and styles, in the order of drawing.
fn curves(theme: &Theme) -> [(String, Style); 3] {
    // Names that no series has: the colours are the same in every figure of this kind.
    let plain = Theme {
        order: Vec::new(),
        ..theme.clone()
    };
    let styles = plain.styles(&["\u{1}corrected", "\u{1}fitted"]);
    let style = |at: usize, shape| Style {
        shape,
        hollow: false,
        dash: &[],
        width: 1.3,
        ..styles[at]
    };
    let grey = Style {
        ink: REST,
        ..style(0, Shape::Circle)
    };
    [
        (theme.baseline.clone(), grey),
        ("as fitted".to_owned(), style(1, Shape::Square)),
        ("prior-corrected".to_owned(), style(0, Shape::Circle)),
    ]
}

/// Draws the figure.
///
/// # Errors
///
/// [`PlotError::Data`] for a share that is not above zero, or a probability that is not finite.
pub fn reliability_grid(data: &ReliabilityGrid, theme: &Theme) -> Result<Figure, PlotError> {
    let title = format!("Reliability by correction, {}", data.scope);
    check(data)?;
    if data.panels.is_empty() {
        return nothing(
            theme,
            title,
            "No reliability to show: no correction has bins of probabilities on a dataset with two classes.",
        );
    }
    let most = if theme.width >= 500.0 { 4 } else { 2 };
    let columns = data.panels.len().min(most);
    let left = 44.0;
    let cell = (theme.width - left - 10.0 + GAP.0) / most as f64;
    let side = cell - GAP.0;
    let rows = data.panels.len().div_ceil(columns);
    // A line that no panel has needs no name.
    let shifted = data.panels.iter().any(|panel| !panel.corrected.is_empty());
    let key = key_places(theme, if shifted { 3 } else { 2 })?;
    let top = 40.0 + key.last().map_or(0.0, |place| place.1);
    let bottom = top + rows as f64 * (side + GAP.1) - GAP.1;
    let mut scene = Scene::new(theme.width, bottom + 38.0);
    draw_key(&mut scene, theme, &key);
    let names: Vec<&str> = data.panels.iter().map(|p| p.correction.as_str()).collect();
    let names = font::shorten_all(&names, size::LABEL, true, side)?;
    for (i, (panel, name)) in data.panels.iter().zip(names).enumerate() {
        let (row, column) = (i / columns, i % columns);
        let frame = Frame {
            left: left + column as f64 * cell,
            top: top + row as f64 * (side + GAP.1),
            right: left + column as f64 * cell + side,
            bottom: top + row as f64 * (side + GAP.1) + side,
        };
        // Nothing below it in its column.
        let last = i + columns >= data.panels.len();
        draw_panel(
            &mut scene,
            (data, panel),
            &frame,
            (column == 0, last),
            theme,
        )?;
        let at = (frame.left, frame.top - 6.0);
        scene.text(Text::new(at, name, size::LABEL, INK).bold());
    }
    let right = left + columns as f64 * cell - GAP.0;
    let middle = f64::midpoint(top, bottom);
    let height = bottom - top;
    axes::y_title(&mut scene, (12.0, middle), "observed share", height)?;
    axes::x_title(
        &mut scene,
        (f64::midpoint(left, right), bottom + 30.0),
        "predicted probability of the rarer class",
        right - left,
    )?;
    finish(&scene, theme, title, describe(data))
}

fn check(data: &ReliabilityGrid) -> Result<(), PlotError> {
    let panels = data.panels.iter().flat_map(|panel| {
        let dots = panel.fitted.iter().chain(&panel.corrected);
        dots.map(|dot| (panel.correction.as_str(), dot))
    });
    let baseline = data.baseline.iter().map(|dot| ("the baseline", dot));
    for (place, dot) in panels.chain(baseline) {
        GUARD.positive(dot.share, "a share", place)?;
        GUARD.finite(dot.predicted, "a probability", place)?;
        GUARD.finite(dot.observed, "an observed share", place)?;
    }
    Ok(())
}

/// Left edge and height of the entries of the key, in one line or one below the other.
fn key_places(theme: &Theme, entries: usize) -> Result<Vec<(f64, f64)>, PlotError> {
    let mut left = 8.0;
    let mut line = Vec::new();
    for (name, _) in curves(theme).into_iter().take(entries) {
        line.push((left, 0.0));
        left += 24.0 + font::width(&name, size::LABEL, false)? + 18.0;
    }
    if left - 18.0 <= theme.width {
        return Ok(line);
    }
    Ok((0..entries).map(|i| (8.0, 14.0 * i as f64)).collect())
}

fn draw_key(scene: &mut Scene, theme: &Theme, places: &[(f64, f64)]) {
    for ((name, style), (left, down)) in curves(theme).iter().zip(places) {
        let y = 8.0 + down;
        scene.line(
            (*left, y),
            (left + 18.0, y),
            Stroke::solid(style.ink, style.width),
        );
        scene.marker((left + 9.0, y), style.shape, 3.2, (style.ink, false));
        let at = (left + 24.0, y + size::LABEL * font::MIDDLE);
        scene.text(Text::new(at, name, size::LABEL, INK));
    }
}

fn draw_panel(
    scene: &mut Scene,
    (data, panel): (&ReliabilityGrid, &ReliabilityPanel),
    frame: &Frame,
    (first, last): (bool, bool),
    theme: &Theme,
) -> Result<(), PlotError> {
    let x = Scale::new(Kind::Linear, (0.0, 1.0), (frame.left, frame.right));
    let y = Scale::new(Kind::Linear, (0.0, 1.0), (frame.bottom, frame.top));
    let ticks = axes::x_ticks(&x, 4)?;
    axes::draw_y(scene, frame, &y, &ticks, first);
    axes::draw_x(scene, frame, &x, &ticks, last);
    scene.line(
        (frame.left, frame.bottom),
        (frame.right, frame.top),
        Stroke::dashed(MUTED, 0.9, &[3.0, 2.5]),
    );
    let stages = [&data.baseline, &panel.fitted, &panel.corrected];
    for ((name, style), dots) in curves(theme).iter().zip(stages) {
        let places: Vec<Point> = dots
            .iter()
            .map(|dot| (x.at(dot.predicted), y.at(dot.observed)))
            .collect();
        let stroke: Ink = style.ink;
        scene.polyline(places.clone(), Stroke::solid(stroke, style.width));
        scene.with_tip(format!("{}, {name}", panel.correction), |scene| {
            for (dot, place) in dots.iter().zip(places) {
                // Area by share; the least dot can still be seen.
                let radius = 1.1 + 3.6 * dot.share.min(1.0).sqrt();
                scene.marker(place, style.shape, radius, (style.ink, false));
            }
        });
    }
    Ok(())
}

/// Mean probability and mean outcome of a curve, in percent.
fn means(dots: &[ReliabilityDot]) -> (f64, f64) {
    let total: f64 = dots.iter().map(|dot| dot.share).sum();
    let of = |value: fn(&ReliabilityDot) -> f64| {
        let sum: f64 = dots.iter().map(|dot| dot.share * value(dot)).sum();
        100.0 * sum / total
    };
    (of(|dot| dot.predicted), of(|dot| dot.observed))
}

fn describe(data: &ReliabilityGrid) -> String {
    let mut text = format!(
        "Reliability curves of {}: observed share of the rarer class over its predicted probability.",
        count(data.panels.len(), "correction")
    );
    for panel in &data.panels {
        if panel.fitted.is_empty() {
            continue;
        }
        let (predicted, observed) = means(&panel.fitted);
        let _infallible = write!(
            text,
            " {}: {} % predicted on average as fitted",
            panel.correction,
            fixed(predicted, 1)
        );
        if !panel.corrected.is_empty() {
            let (predicted, _) = means(&panel.corrected);
            let _infallible = write!(text, ", {} % prior-corrected", fixed(predicted, 1));
        }
        let _infallible = write!(text, ", {} % observed.", fixed(observed, 1));
    }
    text
}
