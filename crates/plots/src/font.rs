//! The shipped font: widths of text, shortening to a width, and glyph coverage for the bitmap.
//!
//! Widths are those of Liberation Sans, which has the advance widths of Arial; kerning is applied
//! as browsers do by default.

use std::sync::OnceLock;

use ab_glyph::{Font as _, FontRef, Glyph, PxScale, ScaleFont as _, point};

use super::PlotError;

static REGULAR: &[u8] = include_bytes!("../fonts/LiberationSans-Regular.ttf");
static BOLD: &[u8] = include_bytes!("../fonts/LiberationSans-Bold.ttf");

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

/// Shortens names that stand beside each other so that different names stay different: where plain
/// shortening would make two alike, what they share is cut instead of what tells them apart.
pub(super) fn shorten_all(
    names: &[&str],
    size: f64,
    bold: bool,
    room: f64,
) -> Result<Vec<String>, PlotError> {
    let mut out = Vec::with_capacity(names.len());
    for name in names {
        out.push(shorten(name, size, bold, room)?);
    }
    for i in 0..names.len() {
        let group: Vec<usize> = (0..names.len())
            .filter(|j| out[*j] == out[i] && names[*j] != names[i] || *j == i)
            .collect();
        if group.len() < 2 {
            continue;
        }
        let chars: Vec<Vec<char>> = group.iter().map(|j| names[*j].chars().collect()).collect();
        let shortest = chars.iter().map(Vec::len).min().unwrap_or(0);
        let same = |at: &dyn Fn(&[char]) -> char| chars.iter().all(|c| at(c) == at(&chars[0]));
        let head = (0..shortest).take_while(|k| same(&|c| c[*k])).count();
        let tail = (0..shortest - head)
            .take_while(|k| same(&|c| c[c.len() - 1 - k]))
            .count();
        for (j, c) in group.iter().zip(&chars) {
            out[*j] = around(c, head..c.len() - tail, (size, bold), room)?;
        }
    }
    // Names that differ too early and too late for one window are numbered in the end.
    for i in 0..names.len() {
        if (0..i).any(|j| out[j] == out[i] && names[j] != names[i]) {
            let number = format!("{} ", i + 1);
            let left = room - width(&number, size, bold)?;
            out[i] = format!("{number}{}", shorten(names[i], size, bold, left)?);
        }
    }
    Ok(out)
}

/// The part that matters with as much before it, then of the beginning, as fits.
fn around(
    chars: &[char],
    part: std::ops::Range<usize>,
    (size, bold): (f64, bool),
    room: f64,
) -> Result<String, PlotError> {
    let build = |head: usize, before: usize, after: usize| {
        let from = part.start.saturating_sub(before);
        let to = (part.end + after).min(chars.len());
        let mut text = String::new();
        if head < from {
            text.extend(&chars[..head]);
            text.push('…');
        } else {
            text.extend(&chars[..from]);
        }
        text.extend(&chars[from..to]);
        if to < chars.len() {
            text.push('…');
        }
        text
    };
    let mut best = shorten(&build(0, 0, 0), size, bold, room)?;
    let (mut head, mut before, mut after) = (0, 0, 0);
    for step in 0..2 * chars.len() {
        // Six signs of context first, three behind, then the beginning grows.
        let (h, b, a) = match step {
            0..6 => (head, before + 1, after),
            6..9 => (head, before, after + 1),
            _ => (head + 1, before, after),
        };
        let text = build(h, b, a);
        if width(&text, size, bold)? > room {
            if step >= 9 {
                break;
            }
            continue;
        }
        (head, before, after) = (h, b, a);
        best = text;
    }
    Ok(best)
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
    fn names_that_differ_in_the_middle_stay_different() {
        let names: Vec<String> = (0..12)
            .map(|i| format!("smote-nc(k=5,ratio=1.0)+logit-adjusted(tau={i}.25)+calibrated"))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for room in [60.0, 100.0, 160.0] {
            let short = shorten_all(&names, 9.0, false, room).unwrap();
            for (i, a) in short.iter().enumerate() {
                assert!(width(a, 9.0, false).unwrap() <= room, "{a}");
                assert!(short[..i].iter().all(|b| a != b), "{short:?}");
            }
        }
        let short = shorten_all(&names, 9.0, false, 130.0).unwrap();
        assert!(
            short[3].contains("tau=3") && short[3].starts_with("smote"),
            "{}",
            short[3]
        );
        assert_eq!(
            shorten_all(&["a", "b"], 9.0, false, 130.0).unwrap(),
            ["a", "b"]
        );
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
