//! What a correction wins in one metric and pays in others: a panel a metric, a row a correction, a small dot
//! a model and a large one their mean.

use std::fmt::Write as _;

use super::axes::{self, Frame, extent};
use super::scale::{Kind, Scale, signed};
use super::scene::{Anchor, Scene, Stroke, Text};
use super::theme::{GRID, INK, MUTED, Shape, Theme, size};
use super::{Figure, Guard, PlotError, finish, font, nothing};

/// One metric.
#[derive(Debug, Clone, PartialEq)]
pub struct PricePanel {
    /// What it measures, with its unit.
    pub name: String,
    /// For each correction the gains of the models by name, in the unit; above zero is better.
    pub gains: Vec<Vec<(String, f64)>>,
}

/// All metrics.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceDots {
    /// From top to bottom.
    pub corrections: Vec<String>,
    /// From left to right.
    pub panels: Vec<PricePanel>,
}

const GUARD: Guard = Guard { figure: "price" };
const ROW: f64 = 22.0;

/// Draws the figure.
///
/// # Errors
///
/// [`PlotError::Data`] for a number that is not finite.
pub fn price_dots(data: &PriceDots, theme: &Theme) -> Result<Figure, PlotError> {
    let title = "What each correction wins and pays, by metric".to_owned();
    for panel in &data.panels {
        for (model, gain) in panel.gains.iter().flatten() {
            GUARD.finite(*gain, "a gain", &format!("{model}, {}", panel.name))?;
        }
    }
    if data.corrections.is_empty() || data.panels.is_empty() {
        return nothing(
            theme,
            title,
            "No prices to show: no correction has values of several metrics.",
        );
    }
    let names: Vec<&str> = data.corrections.iter().map(String::as_str).collect();
    let room = font::widest(names.iter().copied(), size::LABEL, false)?.min(theme.width * 0.3);
    let short = font::shorten_all(&names, size::LABEL, false, room)?;
    let stacked = theme.width < 500.0;
    let across = if stacked { 1 } else { data.panels.len() };
    let left = room * 1.1 + 14.0;
    let cell = (theme.width - left) / across as f64;
    let height = ROW * names.len() as f64;
    let pitch = height + 58.0;
    let rows = data.panels.len().div_ceil(across);
    let mut scene = Scene::new(theme.width, 8.0 + rows as f64 * pitch);
    for (i, panel) in data.panels.iter().enumerate() {
        let x0 = left + (i % across) as f64 * cell;
        let y0 = 24.0 + (i / across) as f64 * pitch;
        let frame = Frame {
            left: x0,
            top: y0,
            right: x0 + cell - 14.0,
            bottom: y0 + height,
        };
        let (low, high) =
            extent(panel.gains.iter().flatten().map(|g| g.1).chain([0.0])).unwrap_or((0.0, 1.0));
        let air = (high - low).max(1e-3) * 0.08;
        let x = Scale::new(
            Kind::Linear,
            (low - air, high + air),
            (frame.left, frame.right),
        );
        axes::draw_x(&mut scene, &frame, &x, &axes::x_ticks(&x, 5)?, true);
        scene.line(
            (x.at(0.0), frame.top),
            (x.at(0.0), frame.bottom),
            Stroke::solid(MUTED, 1.0),
        );
        let head = font::shorten(&panel.name, size::LABEL, true, cell - 14.0)?;
        scene.text(Text::new((frame.left, frame.top - 6.0), head, size::LABEL, INK).bold());
        let styles = theme.styles(&names);
        for ((row, gains), style) in panel.gains.iter().enumerate().zip(styles) {
            let y = frame.top + ROW * (row as f64 + 0.5);
            scene.line((frame.left, y), (frame.right, y), Stroke::solid(GRID, 0.6));
            if i % across == 0 {
                let at = (frame.left - 7.0, y + size::LABEL * font::MIDDLE);
                let name = short.get(row).cloned().unwrap_or_default();
                scene.text(Text::new(at, name, size::LABEL, INK).anchored(Anchor::End));
            }
            for (model, gain) in gains {
                let tip = format!(
                    "{}, {model}: {} ({})",
                    names[row],
                    signed(*gain, 2),
                    panel.name
                );
                scene.with_tip(tip, |scene| {
                    scene.marker((x.at(*gain), y), Shape::Circle, 2.0, (style.ink, true));
                });
            }
            if let Some(mean) = mean(gains) {
                let tip = format!("{}, mean: {} ({})", names[row], signed(mean, 2), panel.name);
                scene.with_tip(tip, |scene| {
                    scene.marker((x.at(mean), y), style.shape, 4.2, (style.ink, style.hollow));
                });
            }
        }
    }
    finish(&scene, theme, title, describe(data))
}

fn mean(gains: &[(String, f64)]) -> Option<f64> {
    (!gains.is_empty()).then(|| gains.iter().map(|g| g.1).sum::<f64>() / gains.len() as f64)
}

fn describe(data: &PriceDots) -> String {
    let mut text = "Dots for what each correction wins and pays; above zero is better.".to_owned();
    for panel in &data.panels {
        let own = data.corrections.iter().zip(&panel.gains);
        let own =
            own.filter_map(|(name, gains)| Some(format!("{name} {}", signed(mean(gains)?, 2))));
        let _infallible = write!(
            text,
            " {}, means: {}.",
            panel.name,
            own.collect::<Vec<_>>().join(", ")
        );
    }
    text
}
