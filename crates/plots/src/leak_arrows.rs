//! What leakage would have claimed: an arrow from the honest value to the reported one, one row a dataset,
//! one panel a resampler, one colour a model.
//!
//! A long arrow to the left is an error that the split no longer shows.

use std::fmt::Write as _;

use super::axes::{self, Frame, extent};
use super::key::{self, Sample};
use super::scale::{Kind, Scale, fixed};
use super::scene::{Anchor, Scene, Stroke, Text};
use super::theme::{GRID, INK, Style, Theme, size};
use super::{Figure, Guard, PlotError, count, finish, font, nothing};

/// One resampler.
#[derive(Debug, Clone, PartialEq)]
pub struct LeakPanel {
    /// Its id.
    pub resample: String,
    /// Honest and reported balanced error by dataset and model, fractions; `None` where one is missing.
    pub arrows: Vec<Vec<Option<(f64, f64)>>>,
}

/// All resamplers that were run before the split.
#[derive(Debug, Clone, PartialEq)]
pub struct LeakArrows {
    /// Ids of the models, the columns of the arrows.
    pub models: Vec<String>,
    /// Ids of the datasets from top to bottom, the rows of the arrows.
    pub datasets: Vec<String>,
    /// Side by side, at most three in a line.
    pub panels: Vec<LeakPanel>,
}

const GUARD: Guard = Guard {
    figure: "what leakage would have claimed",
};
/// Panels in a line.
const MOST_ABREAST: usize = 3;
/// Between the arrows of a row.
const STEP: f64 = 5.0;
const GAP: f64 = 14.0;

/// Draws the figure.
///
/// # Errors
///
/// [`PlotError::Data`] for numbers that are not finite.
pub fn leak_arrows(data: &LeakArrows, theme: &Theme) -> Result<Figure, PlotError> {
    let title = "Balanced error: honest, and as a resampler before the split reports it".to_owned();
    let mut all = Vec::new();
    for panel in &data.panels {
        for (row, dataset) in panel.arrows.iter().zip(&data.datasets) {
            for (honest, reported) in row.iter().flatten() {
                all.push(GUARD.finite(*honest, "an honest error", dataset)?);
                all.push(GUARD.finite(*reported, "a reported error", dataset)?);
            }
        }
    }
    let Some((low, high)) = extent(all) else {
        return nothing(
            theme,
            title,
            "No leaks to show: no resampler was measured before the split.",
        );
    };
    let (low, high) = axes::pad((low * 100.0, high * 100.0), 5.0);
    // The tips of arrows near zero need room to the left.
    let domain = (low.min(-1.5), high.min(101.0));
    let plain = Theme {
        order: Vec::new(),
        baseline: String::new(),
        ..theme.clone()
    };
    let models: Vec<&str> = data.models.iter().map(String::as_str).collect();
    let styles = plain.styles(&models);
    let entries: Vec<(Sample, String)> = styles
        .iter()
        .zip(&data.models)
        .map(|(style, model)| (Sample::Mark(*style), model.clone()))
        .collect();
    let (key_height, _) = key::measure(&entries, theme.width - 16.0)?;
    let names = font::widest(data.datasets.iter().map(String::as_str), size::LABEL, false)?
        .min(theme.width * 0.3);
    let left = names + 14.0;
    let abreast = if theme.width < 500.0 { 1 } else { MOST_ABREAST };
    let abreast = abreast.min(data.panels.len()).max(1);
    let lines = data.panels.len().div_ceil(abreast);
    let width = (theme.width - left - 12.0 - GAP * (abreast - 1) as f64) / abreast as f64;
    let row_height = (STEP * (data.models.len() as f64 - 1.0) + 11.0).max(16.0);
    let inside = row_height * data.datasets.len() as f64;
    let head = 8.0 + key_height + 10.0;
    let line_height = 20.0 + inside + 40.0;
    let mut scene = Scene::new(theme.width, head + line_height * lines as f64);
    key::draw(&mut scene, &entries, (8.0, 8.0), theme.width - 16.0)?;
    let full: Vec<&str> = data.datasets.iter().map(String::as_str).collect();
    let short = font::shorten_all(&full, size::LABEL, false, names)?;
    for (at, panel) in data.panels.iter().enumerate() {
        let (line, column) = (at / abreast, at % abreast);
        let start = left + (width + GAP) * column as f64;
        let top = head + line_height * line as f64 + 20.0;
        let frame = Frame {
            left: start,
            top,
            right: start + width,
            bottom: top + inside,
        };
        let x = Scale::new(Kind::Linear, domain, (frame.left, frame.right));
        let ticks = axes::x_ticks(&x, 5)?;
        axes::draw_x(&mut scene, &frame, &x, &ticks, true);
        let head = font::shorten(&panel.resample, size::TITLE, true, width)?;
        scene.text(Text::new((frame.left, top - 7.0), head, size::TITLE, INK).bold());
        for (i, name) in short.iter().enumerate() {
            let y = top + row_height * (i as f64 + 0.5);
            if i > 0 {
                let edge = y - row_height / 2.0;
                scene.line(
                    (frame.left, edge),
                    (frame.right, edge),
                    Stroke::solid(GRID, 0.6),
                );
            }
            if column == 0 {
                let at = (left - 7.0, y + size::LABEL * font::MIDDLE);
                scene.text(Text::new(at, name, size::LABEL, INK).anchored(Anchor::End));
            }
            let Some(arrows) = panel.arrows.get(i) else {
                continue;
            };
            let middle = (arrows.len() as f64 - 1.0) / 2.0;
            for (m, (arrow, style)) in arrows.iter().zip(&styles).enumerate() {
                let Some((honest, reported)) = *arrow else {
                    continue;
                };
                let y = y + (m as f64 - middle) * STEP;
                let tip = format!(
                    "{}, {}, {}: honest {} %, reported {} %",
                    data.datasets.get(i).map_or("", String::as_str),
                    models.get(m).copied().unwrap_or_default(),
                    panel.resample,
                    fixed(honest * 100.0, 1),
                    fixed(reported * 100.0, 1)
                );
                let ends = (x.at(honest * 100.0), x.at(reported * 100.0));
                scene.with_tip(tip, |scene| draw_arrow(scene, ends, y, style));
            }
        }
        let at = (f64::midpoint(frame.left, frame.right), frame.bottom + 28.0);
        let words = if abreast > 1 && column > 0 {
            ""
        } else {
            "balanced error (%)"
        };
        axes::x_title(&mut scene, at, words, width)?;
    }
    finish(&scene, theme, title, describe(data))
}

/// The marker at the honest end, the head at the reported one.
fn draw_arrow(scene: &mut Scene, (from, to): (f64, f64), y: f64, style: &Style) {
    const HEAD: f64 = 4.5;
    let way = (to - from).signum();
    if (to - from).abs() > HEAD {
        let neck = to - way * HEAD;
        scene.line((from, y), (neck, y), Stroke::solid(style.ink, 1.3));
        let head = vec![(to, y), (neck, y - 2.4), (neck, y + 2.4)];
        scene.polygon(head, style.ink, 1.0);
    }
    scene.marker((from, y), style.shape, 2.4, (style.ink, style.hollow));
}

fn describe(data: &LeakArrows) -> String {
    let mut text = format!(
        "Arrows from the honest balanced error to the one that is reported when rows are resampled before \
         the split, for {} and {}.",
        count(data.datasets.len(), "dataset"),
        count(data.models.len(), "model")
    );
    for panel in &data.panels {
        for (m, model) in data.models.iter().enumerate() {
            let arrows: Vec<(f64, f64)> = panel
                .arrows
                .iter()
                .filter_map(|row| row.get(m).copied().flatten())
                .collect();
            if arrows.is_empty() {
                continue;
            }
            let mean = |get: fn(&(f64, f64)) -> f64| {
                arrows.iter().map(get).sum::<f64>() / arrows.len() as f64 * 100.0
            };
            let _infallible = write!(
                text,
                " {} with {model}: from {} to {} % on average.",
                panel.resample,
                fixed(mean(|a| a.0), 1),
                fixed(mean(|a| a.1), 1)
            );
        }
    }
    text
}
