//! A scene as SVG text.
//!
//! The first child is `title`, the second `desc`, both named by `aria-labelledby`; colours are
//! custom properties with a fallback; a dashed line is one polyline with `stroke-dasharray`.

use std::fmt::Write as _;

use super::scene::{Anchor, Item, Point, Scene, Stroke, Text, outline, strokes};
use super::theme::{INK, Ink, PAPER, Shape};

/// What a screen reader says and a search finds.
pub(super) struct Words<'a> {
    pub(super) title: &'a str,
    pub(super) description: &'a str,
    pub(super) prefix: &'a str,
}

pub(super) fn render(scene: &Scene, words: &Words<'_>) -> String {
    let mut out = String::with_capacity(scene.items.len() * 120 + 1024);
    let (w, h) = (number(scene.width), number(scene.height));
    let prefix = identifier(words.prefix);
    push(
        &mut out,
        format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\" aria-labelledby=\"{prefix}-title {prefix}-desc\" font-family=\"'Liberation Sans', Arial, Helvetica, sans-serif\" style=\"max-width:100%;height:auto\">"
        ),
    );
    push(
        &mut out,
        format_args!(
            "<title id=\"{prefix}-title\">{}</title>\n<desc id=\"{prefix}-desc\">{}</desc>\n",
            escape(words.title),
            escape(words.description)
        ),
    );
    push(
        &mut out,
        format_args!(
            "<rect width=\"{w}\" height=\"{h}\" style=\"{}\"/>\n",
            paint("fill", PAPER)
        ),
    );
    for item in &scene.items {
        write_item(&mut out, item);
    }
    out.push_str("</svg>\n");
    out
}

fn write_item(out: &mut String, item: &Item) {
    match item {
        Item::Polyline(points, stroke) => push(
            out,
            format_args!(
                "<polyline points=\"{}\" style=\"fill:none;{}\"/>\n",
                list(points),
                stroke_style(stroke)
            ),
        ),
        Item::Polygon(points, fill) => push(
            out,
            format_args!(
                "<polygon points=\"{}\" style=\"{}{}\"/>\n",
                list(points),
                paint("fill", fill.ink),
                opacity(fill.opacity)
            ),
        ),
        Item::Rect([x, y, w, h], fill) => push(
            out,
            format_args!(
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" style=\"{}{}\"/>\n",
                number(*x),
                number(*y),
                number(*w),
                number(*h),
                paint("fill", fill.ink),
                opacity(fill.opacity)
            ),
        ),
        Item::Marker {
            at,
            shape,
            radius,
            ink,
            hollow,
        } => write_marker(out, *at, (*shape, *radius), (*ink, *hollow)),
        Item::Text(text) => write_text(out, text),
        Item::Tip(tip) => push(out, format_args!("<g><title>{}</title>\n", escape(tip))),
        Item::TipEnd => out.push_str("</g>\n"),
    }
}

/// Hollow markers are filled with the ground, so that the line does not shine through them.
fn write_marker(out: &mut String, at: Point, form: (Shape, f64), colour: (Ink, bool)) {
    let ((shape, radius), (ink, hollow)) = (form, colour);
    let style = if hollow {
        format!(
            "{};{};stroke-width:1.2",
            paint("fill", PAPER),
            paint("stroke", ink)
        )
    } else {
        paint("fill", ink)
    };
    match shape {
        Shape::Circle => push(
            out,
            format_args!(
                "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" style=\"{style}\"/>\n",
                number(at.0),
                number(at.1),
                number(radius)
            ),
        ),
        Shape::Plus | Shape::Cross => {
            for [a, b] in strokes(shape, at, radius) {
                push(
                    out,
                    format_args!(
                        "<polyline points=\"{}\" style=\"fill:none;{};stroke-width:1.5\"/>\n",
                        list(&[a, b]),
                        paint("stroke", ink)
                    ),
                );
            }
        }
        _ => push(
            out,
            format_args!(
                "<polygon points=\"{}\" style=\"{style}\"/>\n",
                list(&outline(shape, at, radius))
            ),
        ),
    }
}

fn write_text(out: &mut String, text: &Text) {
    let (x, y) = (number(text.at.0), number(text.at.1));
    let anchor = match text.anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    let bold = if text.bold {
        " font-weight=\"700\""
    } else {
        ""
    };
    let turn = if text.upwards {
        format!(" transform=\"rotate(-90 {x} {y})\"")
    } else {
        String::new()
    };
    push(
        out,
        format_args!(
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\"{anchor}{bold}{turn} style=\"{}\">{}</text>\n",
            number(text.size),
            paint("fill", text.ink),
            escape(&text.words)
        ),
    );
}

fn stroke_style(stroke: &Stroke) -> String {
    let mut style = format!(
        "{};stroke-width:{};stroke-linejoin:round",
        paint("stroke", stroke.ink),
        number(stroke.width)
    );
    if stroke.dash.is_empty() {
        if stroke.ink == INK || stroke.width > 1.0 {
            style.push_str(";stroke-linecap:round");
        }
    } else {
        let lengths: Vec<String> = stroke
            .dash
            .iter()
            .map(|units| number(units * stroke.width))
            .collect();
        push(
            &mut style,
            format_args!(";stroke-dasharray:{}", lengths.join(" ")),
        );
    }
    style
}

fn paint(property: &str, ink: Ink) -> String {
    format!("{property}:var({},#{:06X})", ink.var, ink.light)
}

fn opacity(value: f64) -> String {
    if value < 1.0 {
        format!(";fill-opacity:{value:.3}")
    } else {
        String::new()
    }
}

fn list(points: &[Point]) -> String {
    let mut out = String::with_capacity(points.len() * 14);
    for (i, (x, y)) in points.iter().enumerate() {
        if i > 0 {
            out.push(' ');
        }
        push(&mut out, format_args!("{},{}", number(*x), number(*y)));
    }
    out
}

/// A hundredth of a pixel is finer than any screen or printer; more would be noise in a diff.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

/// XML text; characters that XML 1.0 forbids become the replacement character.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}

/// An id that XML, CSS and URLs all take: letters, digits, hyphens, a letter first.
fn identifier(prefix: &str) -> String {
    let mut out: String = prefix
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    if !out.starts_with(|c: char| c.is_ascii_alphabetic()) {
        out.insert_str(0, "fig-");
    }
    out
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text)
        .expect("writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_never_minus_zero() {
        assert_eq!(number(1.0), "1");
        assert_eq!(number(-0.001), "0");
        assert_eq!(number(12.345), "12.35");
        assert_eq!(number(100.0), "100");
    }

    #[test]
    fn text_and_ids_are_made_safe() {
        assert_eq!(
            escape("a<b & \"c\"\u{1}"),
            "a&lt;b &amp; &quot;c&quot;\u{FFFD}"
        );
        assert_eq!(identifier("heat map/1"), "heat-map-1");
        assert_eq!(identifier("1"), "fig-1");
    }

    #[test]
    fn a_dashed_line_is_one_element() {
        let mut scene = Scene::new(10.0, 10.0);
        scene.polyline(
            vec![(0.0, 0.0), (5.0, 5.0), (10.0, 0.0)],
            Stroke::dashed(INK, 2.0, &[3.0, 1.0]),
        );
        let words = Words {
            title: "t",
            description: "d",
            prefix: "p",
        };
        let svg = render(&scene, &words);
        assert_eq!(svg.matches("<polyline").count(), 1);
        assert!(svg.contains("stroke-dasharray:6 2"));
        assert!(svg.contains("stroke:var(--cw-ink,#1A1A1A)"));
    }
}
