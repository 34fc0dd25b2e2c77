//! A table of coloured cells with names at the left and on top: the body of the heat map and of
//! the comparison matrix.
//!
//! Colours run from one pole through the ground to the other pole. A cell is the pole's colour with
//! an opacity, so that the middle is the ground of the page in light and in dark. In grey the poles
//! look alike by design; the sign is then read from the number in the cell, or from a small minus
//! or plus when the number has no room.

use super::scale::{fixed, signed};
use super::scene::{Anchor, Scene, Stroke, Text};
use super::theme::{HIGH, INK, Ink, LOW, MUTED, ON_STRONG, REST, luminance, size};
use super::{PlotError, font};

/// Where cells lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Grid {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) cell: (f64, f64),
}

impl Grid {
    /// Left, top, width, height of a cell, a hair apart from its neighbours.
    pub(super) fn rect(&self, row: usize, column: usize) -> [f64; 4] {
        [
            self.left + column as f64 * self.cell.0 + 0.4,
            self.top + row as f64 * self.cell.1 + 0.4,
            self.cell.0 - 0.8,
            self.cell.1 - 0.8,
        ]
    }

    /// Finds the place for cells beside and below the names.
    ///
    /// `wanted` is the size of a cell when there is room; the width is reduced until all fit.
    pub(super) fn fit(
        (rows, columns): (&[String], &[String]),
        wanted: (f64, f64),
        width: f64,
    ) -> Result<(Self, bool), PlotError> {
        let room = (width * 0.34).min(230.0);
        let names = font::widest(rows.iter().map(String::as_str), size::TICK, false)?.min(room);
        let left = names + 10.0;
        let cell_width = wanted
            .0
            .min((width - left - 4.0) / columns.len().max(1) as f64);
        let widest = font::widest(columns.iter().map(String::as_str), size::TICK, false)?;
        let upright = widest <= cell_width - 5.0;
        let top = if upright {
            18.0
        } else {
            widest.min(150.0) + 10.0
        };
        Ok((
            Self {
                left,
                top,
                cell: (cell_width, wanted.1),
            },
            upright,
        ))
    }

    /// Writes the names of rows and columns.
    pub(super) fn names(
        &self,
        scene: &mut Scene,
        (rows, columns): (&[String], &[String]),
        upright: bool,
    ) -> Result<(), PlotError> {
        let shorten = |names: &[String], room: f64| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            font::shorten_all(&names, size::TICK, false, room)
        };
        for (i, text) in shorten(rows, self.left - 10.0)?.into_iter().enumerate() {
            let y = self.top + (i as f64 + 0.5) * self.cell.1 + size::TICK * font::MIDDLE;
            scene
                .text(Text::new((self.left - 5.0, y), text, size::TICK, INK).anchored(Anchor::End));
        }
        let room = if upright {
            self.cell.0
        } else {
            self.top - 10.0
        };
        for (i, text) in shorten(columns, room)?.into_iter().enumerate() {
            let x = self.left + (i as f64 + 0.5) * self.cell.0;
            if upright {
                let at = (x, self.top - 6.0);
                scene.text(Text::new(at, text, size::TICK, INK).anchored(Anchor::Middle));
            } else {
                let at = (x + size::TICK * font::MIDDLE, self.top - 5.0);
                scene.text(Text::new(at, text, size::TICK, INK).upwards());
            }
        }
        Ok(())
    }
}

/// The diverging scale around zero, in the unit of the cells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Diverging {
    /// Magnitude at which the colour is full.
    pub(super) limit: f64,
    /// Whether some values lie beyond.
    pub(super) cut: bool,
    /// Whether values below zero are the good ones.
    pub(super) low_is_good: bool,
}

impl Diverging {
    /// The full colour stands at the 95 % quantile of the magnitudes, rounded up, so that a single
    /// huge value does not wash out all others; what lies beyond keeps the full colour and its
    /// number.
    pub(super) fn of(values: &[f64], low_is_good: bool) -> Self {
        let mut sizes: Vec<f64> = values.iter().map(|v| v.abs()).collect();
        sizes.sort_by(f64::total_cmp);
        let rank = (sizes.len() * 95).div_ceil(100).saturating_sub(1);
        let size = sizes.get(rank).copied().unwrap_or(0.0).max(0.1);
        let step = 10_f64.powf(size.log10().floor()) / 2.0;
        let limit = (size / step - 1e-9).ceil() * step;
        Self {
            limit,
            low_is_good,
            cut: sizes
                .last()
                .is_some_and(|last| *last > limit * (1.0 + 1e-9)),
        }
    }

    /// Colour and opacity of a value.
    pub(super) fn paint(&self, value: f64) -> (Ink, f64) {
        let pole = if (value < 0.0) == self.low_is_good {
            LOW
        } else {
            HIGH
        };
        (pole, (value.abs() / self.limit).min(1.0) * 0.96)
    }

    /// The ink of text on a cell, the one with more contrast on the light page; on the dark page
    /// both are light.
    pub(super) fn text_ink(&self, value: f64) -> Ink {
        let (pole, opacity) = self.paint(value);
        let (r, g, b) = pole.rgb();
        let mixed = [r, g, b].iter().fold(0_u32, |rgb, channel| {
            let blend = 255.0 + (f64::from(*channel) - 255.0) * opacity;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between two values of a byte"
            )]
            let byte = blend.round() as u32;
            rgb << 8 | byte
        });
        let ground = luminance(mixed) + 0.05;
        let dark = ground / (luminance(INK.light) + 0.05);
        let light = 1.05 / ground;
        if light > dark { ON_STRONG } else { INK }
    }

    /// A bar of the scale with its ends and zero; `words` say what left and right mean.
    pub(super) fn key(
        &self,
        scene: &mut Scene,
        (left, top): (f64, f64),
        (unit, [better, worse]): (&str, [&str; 2]),
    ) -> Result<f64, PlotError> {
        const STEPS: u32 = 20;
        const WIDTH: f64 = 130.0;
        let (low, high) = if self.low_is_good {
            (better, worse)
        } else {
            (worse, better)
        };
        let decimals =
            i32::from(self.limit < 10.0 && self.limit.fract() > 1e-9) + i32::from(self.limit < 0.5);
        let before = format!("{low} ");
        let ends = (
            format!(
                "{}{}",
                if self.cut { "≤ " } else { "" },
                signed(-self.limit, decimals)
            ),
            format!(
                "{}{}",
                if self.cut { "≥ " } else { "" },
                signed(self.limit, decimals)
            ),
        );
        let lead = font::width(&before, size::TICK, false)?
            .max(font::width(&ends.0, size::TICK, false)? / 2.0);
        let bar = left + lead + 4.0;
        let step = WIDTH / f64::from(STEPS);
        for i in 0..STEPS {
            let value = (f64::from(i) + 0.5) / f64::from(STEPS) * 2.0 - 1.0;
            let (ink, opacity) = self.paint(value * self.limit);
            scene.rect([bar + f64::from(i) * step, top, step, 9.0], ink, opacity);
        }
        let outline = vec![
            (bar, top),
            (bar + WIDTH, top),
            (bar + WIDTH, top + 9.0),
            (bar, top + 9.0),
            (bar, top),
        ];
        scene.polyline(outline, Stroke::solid(REST, 0.6));
        let base = top + 8.0;
        scene.text(Text::new((bar - 5.0, base), low, size::TICK, MUTED).anchored(Anchor::End));
        scene.text(Text::new(
            (bar + WIDTH + 5.0, base),
            high,
            size::TICK,
            MUTED,
        ));
        for (text, at) in [(ends.0, 0.0), (fixed(0.0, 0), 0.5), (ends.1, 1.0)] {
            let at = (bar + WIDTH * at, top + 20.0);
            scene.text(Text::new(at, text, size::TICK, MUTED).anchored(Anchor::Middle));
        }
        // A long one begins at the margin instead of beyond it.
        let half = font::width(unit, size::TICK, false)? / 2.0;
        let at = ((bar + WIDTH / 2.0).max(left + half), top + 32.0);
        scene.text(Text::new(at, unit, size::TICK, MUTED).anchored(Anchor::Middle));
        Ok(bar + WIDTH + 5.0 + font::width(high, size::TICK, false)?)
    }
}

/// Fills a cell with diagonal lines.
pub(super) fn hatch(scene: &mut Scene, [x, y, w, h]: [f64; 4]) {
    const STEP: f64 = 4.0;
    let mut offset = STEP / 2.0;
    while offset < w + h {
        // From the left or upper edge down to the lower or right edge, at 45 degrees.
        let from = if offset < h {
            (x, y + offset)
        } else {
            (x + offset - h, y + h)
        };
        let to = if offset < w {
            (x + offset, y)
        } else {
            (x + w, y + offset - w)
        };
        scene.line(from, to, Stroke::solid(REST, 0.5));
        offset += STEP;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_huge_value_does_not_wash_out_the_rest() {
        let mut values: Vec<f64> = (0..100).map(|i| f64::from(i) / 10.0 - 5.0).collect();
        values.push(80.0);
        let scale = Diverging::of(&values, true);
        assert!(scale.limit <= 5.0 && scale.cut);
        assert!(scale.paint(80.0).1 <= 1.0);
    }

    #[test]
    fn all_zero_has_a_scale() {
        let scale = Diverging::of(&[0.0, 0.0], true);
        assert!(scale.limit > 0.0 && !scale.cut);
        assert!(scale.paint(0.0).1 < 1e-12);
    }
}
