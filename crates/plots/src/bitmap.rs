//! A scene as PNG, rasterised by plotters' bitmap backend.
//!
//! plotters draws whole pixels, and its text is scaled by the line height of the font instead of
//! the em. So the scene is drawn [`OVERSAMPLING`] times too large, glyphs are placed by our own
//! metrics (those that laid out the SVG), and the picture is averaged down in the end.

use plotters::backend::{BitMapBackend, DrawingBackend};
use plotters::style::{Color as _, RGBAColor};

use super::font;
use super::scene::{Anchor, Item, Point, Scene, Stroke, Text, outline, strokes};
use super::svg::Words;
use super::theme::{Ink, PAPER, Shape};
use super::{PlotError, dash::dashes};

/// Dots a side that are averaged into one pixel.
const OVERSAMPLING: u32 = 3;
/// Largest side of a picture before averaging; larger figures get fewer dots.
const MAX_SIDE: f64 = 24_000.0;

struct Canvas<'a> {
    back: BitMapBackend<'a>,
    zoom: f64,
}

fn draw_error(error: impl std::fmt::Display) -> PlotError {
    PlotError::Bitmap(error.to_string())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "positions are within a few times MAX_SIDE"
)]
fn whole(value: f64) -> i32 {
    value.round().clamp(-1e6, 1e6) as i32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of the sides of a picture"
)]
fn side(value: f64) -> u32 {
    value.round().clamp(1.0, MAX_SIDE) as u32
}

fn colour(ink: Ink, opacity: f64) -> RGBAColor {
    let (r, g, b) = ink.rgb();
    RGBAColor(r, g, b, opacity)
}

/// Draws the scene; `scale` is the number of pixels a CSS pixel.
pub(super) fn render(scene: &Scene, words: &Words<'_>, scale: u32) -> Result<Vec<u8>, PlotError> {
    let longest = scene.width.max(scene.height);
    let mut scale = scale.clamp(1, 6);
    while scale > 1 && longest * f64::from(scale * OVERSAMPLING) > MAX_SIDE {
        scale -= 1;
    }
    let (width, height) = (
        side(scene.width * f64::from(scale)),
        side(scene.height * f64::from(scale)),
    );
    let (wide, high) = (width * OVERSAMPLING, height * OVERSAMPLING);
    let mut dots = vec![0_u8; wide as usize * high as usize * 3];
    {
        let mut canvas = Canvas {
            back: BitMapBackend::with_buffer(&mut dots, (wide, high)),
            zoom: f64::from(scale * OVERSAMPLING),
        };
        canvas.rect(
            [0.0, 0.0, scene.width + 1.0, scene.height + 1.0],
            colour(PAPER, 1.0),
        )?;
        for item in &scene.items {
            canvas.item(item)?;
        }
        canvas.back.present().map_err(draw_error)?;
    }
    encode(
        &average(&dots, width, height),
        (width, height),
        scale,
        words,
    )
}

impl Canvas<'_> {
    fn at(&self, (x, y): Point) -> (i32, i32) {
        (whole(x * self.zoom), whole(y * self.zoom))
    }

    fn rect(&mut self, [x, y, w, h]: [f64; 4], ink: RGBAColor) -> Result<(), PlotError> {
        let (from, to) = (self.at((x, y)), self.at((x + w, y + h)));
        // The backend counts the last row and column as inside.
        let to = (to.0 - 1, to.1 - 1);
        if to.0 < from.0 || to.1 < from.1 {
            return Ok(());
        }
        self.back
            .draw_rect(from, to, &ink, true)
            .map_err(draw_error)
    }

    fn fill(&mut self, points: &[Point], ink: RGBAColor) -> Result<(), PlotError> {
        let points: Vec<(i32, i32)> = points.iter().map(|p| self.at(*p)).collect();
        self.back.fill_polygon(points, &ink).map_err(draw_error)
    }

    fn disc(&mut self, at: Point, radius: f64, ink: RGBAColor) -> Result<(), PlotError> {
        let steps = side((radius * self.zoom * 1.5).clamp(12.0, 96.0));
        let ring: Vec<Point> = (0..steps)
            .map(|i| {
                let angle = f64::from(i) / f64::from(steps) * std::f64::consts::TAU;
                (at.0 + radius * angle.cos(), at.1 + radius * angle.sin())
            })
            .collect();
        self.fill(&ring, ink)
    }

    /// A thick line piece by piece: plotters' own mitres overshoot where a curve turns back.
    fn stroke(&mut self, points: &[Point], stroke: &Stroke) -> Result<(), PlotError> {
        let ink = colour(stroke.ink, 1.0);
        let half = stroke.width / 2.0;
        for run in dashes(points, &stroke.dash, stroke.width) {
            for pair in run.windows(2) {
                let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
                let length = (x1 - x0).hypot(y1 - y0);
                if length <= 0.0 {
                    continue;
                }
                let (dx, dy) = ((y1 - y0) / length * half, (x0 - x1) / length * half);
                self.fill(
                    &[
                        (x0 + dx, y0 + dy),
                        (x1 + dx, y1 + dy),
                        (x1 - dx, y1 - dy),
                        (x0 - dx, y0 - dy),
                    ],
                    ink,
                )?;
            }
            if half * self.zoom >= 1.5 && run.len() > 2 {
                for joint in &run[1..run.len() - 1] {
                    self.disc(*joint, half, ink)?;
                }
            }
        }
        Ok(())
    }

    fn item(&mut self, item: &Item) -> Result<(), PlotError> {
        match item {
            Item::Polyline(points, stroke) => self.stroke(points, stroke),
            Item::Polygon(points, fill) => self.fill(points, colour(fill.ink, fill.opacity)),
            Item::Rect(sides, fill) => self.rect(*sides, colour(fill.ink, fill.opacity)),
            Item::Marker {
                at,
                shape,
                radius,
                ink,
                hollow,
            } => self.marker(*at, (*shape, *radius), (*ink, *hollow)),
            Item::Text(text) => self.text(text),
            Item::Tip(_) | Item::TipEnd => Ok(()),
        }
    }

    fn marker(
        &mut self,
        at: Point,
        (shape, radius): (Shape, f64),
        (ink, hollow): (Ink, bool),
    ) -> Result<(), PlotError> {
        match shape {
            Shape::Circle if hollow => {
                self.disc(at, radius + 0.6, colour(ink, 1.0))?;
                self.disc(at, radius - 0.6, colour(PAPER, 1.0))
            }
            Shape::Circle => self.disc(at, radius, colour(ink, 1.0)),
            Shape::Plus | Shape::Cross => strokes(shape, at, radius)
                .iter()
                .try_for_each(|ends| self.stroke(ends, &Stroke::solid(ink, 1.5))),
            _ => {
                let mut ring = outline(shape, at, radius);
                if !hollow {
                    return self.fill(&ring, colour(ink, 1.0));
                }
                self.fill(&ring, colour(PAPER, 1.0))?;
                // Once around and one side more, so that every corner is a joint.
                ring.extend_from_within(..2);
                self.stroke(&ring, &Stroke::solid(ink, 1.2))
            }
        }
    }

    fn text(&mut self, text: &Text) -> Result<(), PlotError> {
        let size = text.size * self.zoom;
        let shift = match text.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => -font::width(&text.words, size, text.bold)? / 2.0,
            Anchor::End => -font::width(&text.words, size, text.bold)?,
        };
        let shift = whole(shift);
        let (x0, y0) = self.at(text.at);
        let ink = colour(text.ink, 1.0);
        let mut outcome = Ok(());
        let back = &mut self.back;
        font::rasterize(&text.words, size, text.bold, |x, y, coverage| {
            if coverage <= 0.0 || outcome.is_err() {
                return;
            }
            let (x, y) = if text.upwards {
                (x0 + y, y0 - x - shift)
            } else {
                (x0 + x + shift, y0 + y)
            };
            outcome = back.draw_pixel((x, y), ink.mix(coverage).to_backend_color());
        })?;
        outcome.map_err(draw_error)
    }
}

/// Mean of each block of dots.
fn average(dots: &[u8], width: u32, height: u32) -> Vec<u8> {
    let n = OVERSAMPLING as usize;
    let (width, height) = (width as usize, height as usize);
    let row = width * n * 3;
    let count = OVERSAMPLING * OVERSAMPLING;
    let mut out = Vec::with_capacity(width * height * 3);
    let mut sums = vec![0_u32; width * 3];
    for y in 0..height {
        sums.fill(0);
        for line in dots[y * n * row..(y + 1) * n * row].chunks_exact(row) {
            for (x, block) in line.chunks_exact(n * 3).enumerate() {
                for dot in block.chunks_exact(3) {
                    for (channel, value) in dot.iter().enumerate() {
                        sums[x * 3 + channel] += u32::from(*value);
                    }
                }
            }
        }
        out.extend(
            sums.iter()
                .map(|sum| u8::try_from((sum + count / 2) / count).unwrap_or(u8::MAX)),
        );
    }
    out
}

fn encode(
    pixels: &[u8],
    (width, height): (u32, u32),
    scale: u32,
    words: &Words<'_>,
) -> Result<Vec<u8>, PlotError> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    // Flat areas and repeated rows: smaller without a filter than with any.
    encoder.set_filter(png::FilterType::NoFilter);
    encoder.set_compression(png::Compression::Best);
    // 96 CSS pixels to the inch, 39.37 inches to the metre.
    let dots_a_metre = side(f64::from(scale) * 96.0 / 0.0254);
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: dots_a_metre,
        yppu: dots_a_metre,
        unit: png::Unit::Meter,
    }));
    for (key, value) in [("Title", words.title), ("Description", words.description)] {
        encoder
            .add_itxt_chunk(key.to_owned(), value.to_owned())
            .map_err(draw_error)?;
    }
    let mut writer = encoder.write_header().map_err(draw_error)?;
    writer.write_image_data(pixels).map_err(draw_error)?;
    writer.finish().map_err(draw_error)?;
    Ok(out)
}
