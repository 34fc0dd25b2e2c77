//! Panels: frame, grid, ticks and axis titles.

use super::scale::Scale;
use super::scene::{Anchor, Scene, Stroke, Text};
use super::theme::{GRID, MUTED, size};
use super::{PlotError, font};

/// Ticks with their labels.
pub(super) type Ticks = Vec<(f64, String)>;

/// The area of the data, in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

/// Ticks of a horizontal axis whose labels keep `gap` pixels apart.
pub(super) fn x_ticks(scale: &Scale, wanted: usize) -> Result<Ticks, PlotError> {
    // Measured before the choice, because the closure that judges cannot fail.
    font::width("0", size::TICK, false)?;
    Ok(scale.ticks(wanted, |ticks| {
        let mut end = f64::NEG_INFINITY;
        ticks.iter().all(|(value, text)| {
            let half = font::width(text, size::TICK, false).unwrap_or(f64::INFINITY) / 2.0;
            let at = scale.at(*value);
            let free = at - half >= end + 6.0;
            end = at + half;
            free
        })
    }))
}

/// Ticks of a vertical axis whose labels keep a line apart.
pub(super) fn y_ticks(scale: &Scale, wanted: usize) -> Ticks {
    scale.ticks(wanted, |ticks| {
        ticks
            .windows(2)
            .all(|pair| (scale.at(pair[0].0) - scale.at(pair[1].0)).abs() >= size::TICK * 1.5)
    })
}

/// Width of the widest label.
pub(super) fn label_width(ticks: &Ticks) -> Result<f64, PlotError> {
    font::widest(ticks.iter().map(|t| t.1.as_str()), size::TICK, false)
}

/// Grid lines, the base line and, where asked for, labels below.
pub(super) fn draw_x(scene: &mut Scene, frame: &Frame, scale: &Scale, ticks: &Ticks, labels: bool) {
    for (value, text) in ticks {
        let x = scale.at(*value);
        scene.line((x, frame.top), (x, frame.bottom), Stroke::solid(GRID, 0.6));
        scene.line(
            (x, frame.bottom),
            (x, frame.bottom + 3.5),
            Stroke::solid(MUTED, 0.8),
        );
        if labels {
            scene.text(
                Text::new((x, frame.bottom + 13.0), text, size::TICK, MUTED)
                    .anchored(Anchor::Middle),
            );
        }
    }
    scene.line(
        (frame.left, frame.bottom),
        (frame.right, frame.bottom),
        Stroke::solid(MUTED, 0.8),
    );
}

/// Grid lines and labels at the left.
pub(super) fn draw_y(scene: &mut Scene, frame: &Frame, scale: &Scale, ticks: &Ticks, labels: bool) {
    for (value, text) in ticks {
        let y = scale.at(*value);
        scene.line((frame.left, y), (frame.right, y), Stroke::solid(GRID, 0.6));
        if labels {
            scene.text(
                Text::new(
                    (frame.left - 5.0, y + size::TICK * font::MIDDLE),
                    text,
                    size::TICK,
                    MUTED,
                )
                .anchored(Anchor::End),
            );
        }
    }
}

/// Title under an axis, shortened to the room.
pub(super) fn x_title(
    scene: &mut Scene,
    at: (f64, f64),
    text: &str,
    room: f64,
) -> Result<(), PlotError> {
    let text = font::shorten(text, size::LABEL, false, room)?;
    scene.text(Text::new(at, text, size::LABEL, MUTED).anchored(Anchor::Middle));
    Ok(())
}

/// Title left of an axis, reading upwards, centred on `at`.
pub(super) fn y_title(
    scene: &mut Scene,
    at: (f64, f64),
    text: &str,
    room: f64,
) -> Result<(), PlotError> {
    let text = font::shorten(text, size::LABEL, false, room)?;
    scene.text(
        Text::new(at, text, size::LABEL, MUTED)
            .anchored(Anchor::Middle)
            .upwards(),
    );
    Ok(())
}

/// The values with some air around them; starts at zero when zero is near, and never collapses.
pub(super) fn pad((low, high): (f64, f64), at_least: f64) -> (f64, f64) {
    let span = (high - low).max(at_least);
    let middle = f64::midpoint(low, high);
    let (low_, high_) = (middle - span * 0.54, middle + span * 0.54);
    if low >= 0.0 && low < 0.35 * high {
        (0.0, high_)
    } else if low >= 0.0 {
        (low_.max(0.0), high_)
    } else {
        (low_, high_)
    }
}

/// Smallest and largest of some numbers; nothing for none.
pub(super) fn extent(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values.into_iter().fold(None, |range, value| match range {
        None => Some((value, value)),
        Some((low, high)) => Some((low.min(value), high.max(value))),
    })
}

/// A logarithmic domain with air at both ends.
pub(super) fn pad_log((low, high): (f64, f64)) -> (f64, f64) {
    if high / low < 1.05 {
        (low / 2.5, high * 1.7)
    } else {
        let air = (high / low).powf(0.03);
        (low / air, high * air)
    }
}
