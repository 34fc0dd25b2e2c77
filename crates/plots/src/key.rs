//! The key in a margin area of its own, for when labels at the lines have no room.

use super::scene::{Scene, Stroke, Text};
use super::theme::{Style, size};
use super::{PlotError, font};

const SAMPLE: f64 = 26.0;
const LINE: f64 = 15.0;

/// What an entry shows beside its name.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sample {
    /// A line with a marker in its middle.
    Series(Style),
    /// A marker only.
    Mark(Style),
    /// A line only.
    Line(Stroke),
}

/// Height and number of columns of a key within a width.
pub(super) fn measure(entries: &[(Sample, String)], width: f64) -> Result<(f64, usize), PlotError> {
    let column = column_width(entries, width)?;
    let mut columns = 1;
    while (columns + 1) as f64 * column <= width && columns < entries.len() {
        columns += 1;
    }
    Ok((entries.len().div_ceil(columns) as f64 * LINE, columns))
}

fn column_width(entries: &[(Sample, String)], width: f64) -> Result<f64, PlotError> {
    let widest = font::widest(entries.iter().map(|e| e.1.as_str()), size::LABEL, false)?;
    Ok((SAMPLE + 6.0 + widest * 1.1 + 14.0).min(width))
}

/// Draws the entries row by row.
pub(super) fn draw(
    scene: &mut Scene,
    entries: &[(Sample, String)],
    (left, top): (f64, f64),
    width: f64,
) -> Result<(), PlotError> {
    let column = column_width(entries, width)?;
    let (_, columns) = measure(entries, width)?;
    let names: Vec<&str> = entries.iter().map(|entry| entry.1.as_str()).collect();
    let names = font::shorten_all(&names, size::LABEL, false, column - SAMPLE - 6.0)?;
    for (i, ((sample, _), name)) in entries.iter().zip(names).enumerate() {
        let x = left + (i % columns) as f64 * column;
        let y = top + (i / columns) as f64 * LINE + LINE / 2.0;
        let (from, to) = ((x, y), (x + SAMPLE, y));
        let middle = (x + SAMPLE / 2.0, y);
        match sample {
            Sample::Series(style) => {
                scene.line(from, to, Stroke::dashed(style.ink, style.width, style.dash));
                scene.marker(middle, style.shape, 3.0, (style.ink, style.hollow));
            }
            Sample::Mark(style) => {
                scene.marker(middle, style.shape, 3.6, (style.ink, style.hollow));
            }
            Sample::Line(stroke) => scene.line(from, to, stroke.clone()),
        }
        let at = (x + SAMPLE + 6.0, y + size::LABEL * font::MIDDLE);
        scene.text(Text::new(at, name, size::LABEL, super::theme::INK));
    }
    Ok(())
}
