//! The shipped font: widths of text, shortening to a width, and glyph coverage for the bitmap.
//!
//! Widths are those of Liberation Sans, which has the advance widths of Arial; kerning is applied
//! as browsers do by default.

use std::sync::OnceLock;

use ab_glyph::{Font as _, FontRef, Glyph, PxScale, ScaleFont as _, point};

use super::PlotError;

static REGULAR: &[u8] = include_bytes!("../../fonts/LiberationSans-Regular.ttf");
static BOLD: &[u8] = include_bytes!("../../fonts/LiberationSans-Bold.ttf");

/// Height of the tallest plain letters above the baseline, in em.
pub(super) const ASCENT: f64 = 0.73;
/// Depth of the lowest letters below the baseline, in em.
pub(super) const DESCENT: f64 = 0.21;
/// Half the height of digits and capitals, in em: a baseline this far below a point centres the
/// text on it.
pub(super) const MIDDLE: f64 = 0.35;

fn face(bold: bool) -> Result<&'static FontRef<'static>, PlotError> {
    static FACES: OnceLock<Option<[FontRef<'static>; 2]>> = OnceLock::new();
    FACES
        .get_or_init(|| {
            Some([
                FontRef::try_from_slice(REGULAR).ok()?,
                FontRef::try_from_slice(BOLD).ok()?,
            ])
        })
        .as_ref()
        .map(|faces| &faces[usize::from(bold)])
        .ok_or(PlotError::Font)
}

/// `PxScale` counts from the lowest to the highest line of the font, a font size counts ems.
fn scale(font: &FontRef<'_>, size: f64) -> PxScale {
    let em = font.units_per_em().unwrap_or(2048.0);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "font sizes are small numbers"
    )]
    PxScale::from(size as f32 * font.height_unscaled() / em)
}

fn place(text: &str, size: f64, bold: bool) -> Result<(Vec<Glyph>, f64), PlotError> {
    let font = face(bold)?;
    let scaled = font.as_scaled(scale(font, size));
    let mut x = 0.0_f32;
    let mut last = None;
    let mut glyphs = Vec::with_capacity(text.len());
    for c in text.chars() {
        let id = font.glyph_id(c);
        if let Some(before) = last {
            x += scaled.kern(before, id);
        }
        glyphs.push(id.with_scale_and_position(scaled.scale(), point(x, 0.0)));
        x += scaled.h_advance(id);
        last = Some(id);
    }
    Ok((glyphs, f64::from(x)))
}

/// Width of a text in the unit of `size`.
pub(super) fn width(text: &str, size: f64, bold: bool) -> Result<f64, PlotError> {
    place(text, size, bold).map(|(_, width)| width)
}

/// The widest of some texts; zero for none.
pub(super) fn widest<'a, I>(texts: I, size: f64, bold: bool) -> Result<f64, PlotError>
where
    I: IntoIterator<Item = &'a str>,
{
    texts
        .into_iter()
        .try_fold(0.0_f64, |most, text| Ok(most.max(width(text, size, bold)?)))
}

/// The text itself when it fits, else its beginning and its end around an ellipsis: names of
/// methods and datasets often differ in their tails.
pub(super) fn shorten(text: &str, size: f64, bold: bool, room: f64) -> Result<String, PlotError> {
    if width(text, size, bold)? <= room {
        return Ok(text.to_owned());
    }
    let chars: Vec<char> = text.chars().collect();
    for keep in (1..chars.len()).rev() {
        let head = keep.div_ceil(3) * 2;
        let head = head.min(keep);
        let tail = keep - head;
        let mut short: String = chars[..head].iter().collect();
        short.truncate(short.trim_end().len());
        short.push('…');
        short.extend(&chars[chars.len() - tail..]);
        if width(&short, size, bold)? <= room {
            return Ok(short);
        }
    }
    Ok("…".to_owned())
}

/// Breaks a text at spaces into lines that fit; a single word that does not fit is shortened.
pub(super) fn wrap(text: &str, size: f64, bold: bool, room: f64) -> Result<Vec<String>, PlotError> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word = shorten(word, size, bold, room)?;
        if let Some(line) = lines.last_mut() {
            let longer = format!("{line} {word}");
            if width(&longer, size, bold)? <= room {
                *line = longer;
                continue;
            }
        }
        lines.push(word);
    }
    Ok(lines)
}

/// Calls `dot(x, y, coverage)` for each pixel that the text touches, relative to the start of its
/// baseline, y downwards.
pub(super) fn rasterize<F>(text: &str, size: f64, bold: bool, mut dot: F) -> Result<(), PlotError>
where
    F: FnMut(i32, i32, f64),
{
    let font = face(bold)?;
    for glyph in place(text, size, bold)?.0 {
        let Some(outline) = font.outline_glyph(glyph) else {
            continue;
        };
        let corner = outline.px_bounds().min;
        #[expect(clippy::cast_possible_truncation, reason = "pixel positions fit")]
        let (left, top) = (corner.x as i32, corner.y as i32);
        outline.draw(|x, y, coverage| {
            dot(
                left + i32::try_from(x).unwrap_or(i32::MAX / 2),
                top + i32::try_from(y).unwrap_or(i32::MAX / 2),
                f64::from(coverage).clamp(0.0, 1.0),
            );
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_arial() {
        // Advance widths of Arial in 2048ths of an em: digits 1139, 'i' 455, 'W' 1933.
        assert!((width("0", 2048.0, false).unwrap() - 1139.0).abs() < 0.5);
        assert!((width("i", 2048.0, false).unwrap() - 455.0).abs() < 0.5);
        assert!((width("W", 2048.0, false).unwrap() - 1933.0).abs() < 0.5);
        assert!(width("none", 10.0, true).unwrap() > width("none", 10.0, false).unwrap());
    }

    #[test]
    fn shortened_text_fits_and_keeps_both_ends() {
        let name = "logit-adjusted-with-a-very-long-name-tau-1.5";
        let short = shorten(name, 10.0, false, 90.0).unwrap();
        assert!(width(&short, 10.0, false).unwrap() <= 90.0);
        assert!(short.starts_with("logit") && short.ends_with(".5") && short.contains('…'));
        assert_eq!(shorten("none", 10.0, false, 90.0).unwrap(), "none");
        assert_eq!(shorten("none", 10.0, false, 1.0).unwrap(), "…");
    }

    #[test]
    fn every_sign_the_figures_use_has_a_glyph() {
        for bold in [false, true] {
            let font = face(bold).unwrap();
            for c in "aZ09…−+±×≤≥τ→–—%/()[]·≈".chars() {
                assert_ne!(font.glyph_id(c).0, 0, "{c}");
            }
        }
    }
}
