//! Where the gain of each correction comes from, one row a correction.
//!
//! Three marks lie on a row: what a threshold alone could win on the uncorrected scores, what better
//! scores win beyond any threshold, and the gain that came out. A gain at the threshold's mark with a
//! ranking at zero is a threshold shift and nothing else.

use std::fmt::Write as _;

use super::axes::{self, Frame, extent};
use super::recall_dots::Estimate;
use super::scale::{Kind, Scale, fixed};
use super::scene::{Anchor, Scene, Stroke, Text};
use super::theme::{GRID, INK, MUTED, Style, Theme, size};
use super::{Figure, Guard, PlotError, count, finish, font, nothing};

/// One correction; all values are reductions of balanced error, fractions.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectRow {
    /// Id of the correction.
    pub correction: String,
    /// What a threshold alone could win on the uncorrected scores.
    pub threshold: Estimate,
    /// What the correction's scores win beyond any threshold.
    pub ranking: Estimate,
    /// What the correction won.
    pub gain: Estimate,
}

/// All corrections of one model.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectDots {
    /// What the numbers cover, such as a model; stands in the title.
    pub scope: String,
    /// From top to bottom.
    pub rows: Vec<EffectRow>,
}

const GUARD: Guard = Guard {
    figure: "gain, threshold and ranking",
};
const OFFSETS: [f64; 3] = [-4.2, 0.0, 4.2];
const NAMES: [&str; 3] = ["threshold alone", "ranking", "gain"];

impl EffectRow {
    fn parts(&self) -> [Estimate; 3] {
        [self.threshold, self.ranking, self.gain]
    }
}

/// Draws the figure.
///
/// # Errors
///
/// [`PlotError::Data`] for numbers that are not finite or an interval with its ends swapped.
pub fn effect_dots(data: &EffectDots, theme: &Theme) -> Result<Figure, PlotError> {
    let title = format!("Gain, threshold and ranking by correction, {}", data.scope);
    let mut all = vec![0.0];
    for row in &data.rows {
        for (value, band) in row.parts() {
            all.push(GUARD.finite(value, "a gain", &row.correction)?);
            if let Some(band) = band {
                let (low, high) = GUARD.interval(band, "an interval", &row.correction)?;
                all.extend([low, high]);
            }
        }
    }
    let (Some((low, high)), false) = (extent(all), data.rows.is_empty()) else {
        return nothing(
            theme,
            title,
            "No gains to show: no correction has scores beside those of no correction.",
        );
    };
    let air = (high - low).max(0.02) * 4.0;
    let domain = (low * 100.0 - air, high * 100.0 + air);
    let names = font::widest(
        data.rows.iter().map(|r| r.correction.as_str()),
        size::LABEL,
        false,
    )?
    .min(theme.width * 0.42);
    let plain = Theme {
        order: Vec::new(),
        ..theme.clone()
    };
    let styles = plain.styles(&["\u{1}threshold", "\u{1}ranking", "\u{1}gain"]);
    let key = place_key(theme)?;
    let row_height = 20.0;
    let top = 8.0 + key.last().map_or(0.0, |k| k.1) + 12.0;
    let frame = Frame {
        left: names + 14.0,
        top,
        right: theme.width - 16.0,
        bottom: top + row_height * data.rows.len() as f64,
    };
    let mut scene = Scene::new(theme.width, frame.bottom + 36.0);
    let x = Scale::new(Kind::Linear, domain, (frame.left, frame.right));
    let ticks = axes::x_ticks(&x, 7)?;
    axes::draw_x(&mut scene, &frame, &x, &ticks, true);
    let zero = x.at(0.0);
    scene.line(
        (zero, frame.top),
        (zero, frame.bottom),
        Stroke::solid(MUTED, 1.0),
    );
    let full: Vec<&str> = data.rows.iter().map(|r| r.correction.as_str()).collect();
    let short = font::shorten_all(&full, size::LABEL, false, names)?;
    for (i, (row, name)) in data.rows.iter().zip(short).enumerate() {
        let y = frame.top + row_height * (i as f64 + 0.5);
        scene.line((frame.left, y), (frame.right, y), Stroke::solid(GRID, 0.6));
        let at = (frame.left - 7.0, y + size::LABEL * font::MIDDLE);
        scene.text(Text::new(at, name, size::LABEL, INK).anchored(Anchor::End));
        draw_row(&mut scene, row, (&x, y), &styles);
    }
    for ((name, style), (left, top)) in NAMES.iter().zip(&styles).zip(&key) {
        let y = 8.0 + top;
        scene.marker((left + 4.0, y), style.shape, 3.6, (style.ink, style.hollow));
        scene.text(Text::new(
            (left + 12.0, y + size::LABEL * font::MIDDLE),
            *name,
            size::LABEL,
            INK,
        ));
    }
    let at = (f64::midpoint(frame.left, frame.right), frame.bottom + 28.0);
    axes::x_title(
        &mut scene,
        at,
        "reduction of balanced error (points)",
        frame.right - frame.left,
    )?;
    finish(&scene, theme, title, describe(data))
}

/// Left edge and height of the entries of the key, in one line or one below the other.
fn place_key(theme: &Theme) -> Result<Vec<(f64, f64)>, PlotError> {
    let mut left = 8.0;
    let mut line = Vec::new();
    for name in NAMES {
        line.push((left, 4.0));
        left += 12.0 + font::width(name, size::LABEL, false)? + 20.0;
    }
    if left - 20.0 <= theme.width {
        return Ok(line);
    }
    Ok((0..3).map(|i| (8.0, 4.0 + 14.0 * f64::from(i))).collect())
}

fn draw_row(scene: &mut Scene, row: &EffectRow, (x, y): (&Scale, f64), styles: &[Style]) {
    let words: Vec<String> = NAMES
        .iter()
        .zip(row.parts())
        .map(|(name, (value, _))| format!("{name} {} points", fixed(value * 100.0, 1)))
        .collect();
    let tip = format!("{}: {}", row.correction, words.join(", "));
    scene.with_tip(tip, |scene| {
        for (((value, band), offset), style) in row.parts().into_iter().zip(OFFSETS).zip(styles) {
            if let Some((low, high)) = band {
                scene.line(
                    (x.at(low * 100.0), y + offset),
                    (x.at(high * 100.0), y + offset),
                    Stroke::solid(style.ink, 1.1),
                );
            }
            let at = (x.at(value * 100.0), y + offset);
            scene.marker(at, style.shape, 3.4, (style.ink, style.hollow));
        }
    });
}

fn describe(data: &EffectDots) -> String {
    let mut text = format!(
        "Dots for {}: what a threshold alone could win on the uncorrected scores, what better \
         scores win beyond any threshold, and the gain.",
        count(data.rows.len(), "correction")
    );
    for row in &data.rows {
        let words: Vec<String> = row
            .parts()
            .iter()
            .map(|(value, _)| fixed(value * 100.0, 1))
            .collect();
        let _infallible = write!(text, " {}: {} points.", row.correction, words.join(", "));
    }
    text
}
