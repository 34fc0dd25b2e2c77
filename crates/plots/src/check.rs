//! Looks at a finished SVG: is it well-formed, and do its texts keep clear of each other?
//!
//! Reads the SVG text itself and not the scene it came from, so that it also checks the writer,
//! and so that other parts of the report can run it on what they embed. It understands the subset
//! of SVG that the figures use: `text` elements with plain content, `x`, `y`, `font-size`,
//! `text-anchor`, `font-weight` and a quarter turn in `transform`.

use super::font;

/// The area that a text covers, in units of the viewBox.
#[derive(Debug, Clone, PartialEq)]
pub struct TextBox {
    /// The text.
    pub text: String,
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Right edge.
    pub right: f64,
    /// Lower edge.
    pub bottom: f64,
}

impl TextBox {
    /// Whether two boxes share an area; touching edges do not count.
    pub fn overlaps(&self, other: &Self) -> bool {
        const TOUCH: f64 = 0.05;
        self.left + TOUCH < other.right
            && other.left + TOUCH < self.right
            && self.top + TOUCH < other.bottom
            && other.top + TOUCH < self.bottom
    }
}

/// What is wrong with a figure.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The text is not well-formed XML, or lacks what the check needs.
    #[error("not a well-formed figure: {0}")]
    Malformed(String),
    /// Two texts cover the same area.
    #[error("the texts '{0}' and '{1}' overlap")]
    Overlap(String, String),
    /// A text leaves the picture.
    #[error("the text '{0}' is clipped by the edge of the picture")]
    Clipped(String),
}

/// One piece of XML.
enum Token<'a> {
    Open {
        name: &'a str,
        attributes: Vec<(&'a str, String)>,
        closed: bool,
    },
    Close(&'a str),
    Text(String),
}

fn malformed(what: impl Into<String>) -> Fault {
    Fault::Malformed(what.into())
}

fn unescape(text: &str) -> Result<String, Fault> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let end = rest[at..]
            .find(';')
            .ok_or_else(|| malformed(format!("a bare '&' in '{text}'")))?;
        out.push(match &rest[at..=at + end] {
            "&amp;" => '&',
            "&lt;" => '<',
            "&gt;" => '>',
            "&quot;" => '"',
            "&apos;" => '\'',
            other => return Err(malformed(format!("the unknown entity '{other}'"))),
        });
        rest = &rest[at + end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.'))
}

fn attributes(mut rest: &str) -> Result<Vec<(&str, String)>, Fault> {
    let mut out: Vec<(&str, String)> = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(out);
        }
        let (name, after) = rest
            .split_once("=\"")
            .ok_or_else(|| malformed(format!("an attribute without a value at '{rest}'")))?;
        let (value, after) = after
            .split_once('"')
            .ok_or_else(|| malformed(format!("the open value of '{name}'")))?;
        if !is_name(name) || value.contains('<') {
            return Err(malformed(format!("the attribute '{name}'")));
        }
        if out.iter().any(|(known, _)| *known == name) {
            return Err(malformed(format!("the attribute '{name}' twice")));
        }
        if !after.is_empty() && !after.starts_with(char::is_whitespace) {
            return Err(malformed(format!("no space after the attribute '{name}'")));
        }
        out.push((name, unescape(value)?));
        rest = after;
    }
}

fn tokens(svg: &str) -> Result<Vec<Token<'_>>, Fault> {
    let mut out = Vec::new();
    let mut rest = svg;
    while !rest.is_empty() {
        if let Some(tag) = rest.strip_prefix('<') {
            let end = tag
                .find('>')
                .ok_or_else(|| malformed("a tag that does not end"))?;
            let inside = &tag[..end];
            rest = &tag[end + 1..];
            if let Some(name) = inside.strip_prefix('/') {
                out.push(Token::Close(name.trim_end()));
                continue;
            }
            let (inside, closed) = match inside.strip_suffix('/') {
                Some(inside) => (inside, true),
                None => (inside, false),
            };
            let cut = inside.find(char::is_whitespace).unwrap_or(inside.len());
            let name = &inside[..cut];
            if !is_name(name) {
                return Err(malformed(format!("the element '{name}'")));
            }
            out.push(Token::Open {
                name,
                attributes: attributes(&inside[cut..])?,
                closed,
            });
        } else {
            let end = rest.find('<').unwrap_or(rest.len());
            out.push(Token::Text(unescape(&rest[..end])?));
            rest = &rest[end..];
        }
    }
    Ok(out)
}

/// Checks that a figure is well-formed XML: one root `svg`, elements closed in order, attributes
/// named once, ids unique, known entities only, `title` the first child of the root and `desc` the
/// second.
///
/// # Errors
///
/// [`Fault::Malformed`] with the first violation.
pub fn well_formed(svg: &str) -> Result<(), Fault> {
    let mut open: Vec<&str> = Vec::new();
    let mut roots = 0;
    let mut children: Vec<&str> = Vec::new();
    let mut ids: Vec<String> = Vec::new();
    for token in tokens(svg)? {
        match token {
            Token::Open {
                name,
                attributes,
                closed,
            } => {
                match open.len() {
                    0 => roots += 1,
                    1 => children.push(name),
                    _ => {}
                }
                for (key, value) in attributes {
                    if key == "id" {
                        if ids.contains(&value) {
                            return Err(malformed(format!("the id '{value}' twice")));
                        }
                        ids.push(value);
                    }
                }
                if open.is_empty() && name != "svg" {
                    return Err(malformed(format!("the root '{name}'")));
                }
                if !closed {
                    open.push(name);
                }
            }
            Token::Close(name) => {
                if open.pop() != Some(name) {
                    return Err(malformed(format!("'</{name}>' out of order")));
                }
            }
            Token::Text(text) => {
                if open.is_empty() && !text.trim().is_empty() {
                    return Err(malformed("text outside the root"));
                }
            }
        }
    }
    if let Some(name) = open.last() {
        return Err(malformed(format!("'{name}' is never closed")));
    }
    if roots != 1 {
        return Err(malformed(format!("{roots} roots")));
    }
    if children.first() != Some(&"title") || children.get(1) != Some(&"desc") {
        return Err(malformed("title and desc are not the first children"));
    }
    Ok(())
}

fn attribute<'a>(attributes: &'a [(&str, String)], name: &str) -> Option<&'a str> {
    attributes
        .iter()
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.as_str())
}

fn numeric(attributes: &[(&str, String)], name: &str) -> Result<f64, Fault> {
    attribute(attributes, name)
        .and_then(|value| value.parse().ok())
        .filter(|value: &f64| value.is_finite())
        .ok_or_else(|| malformed(format!("a text without a number for '{name}'")))
}

/// The boxes of all texts, measured with the metrics of the font.
///
/// # Errors
///
/// [`Fault::Malformed`] when the SVG cannot be read or a text lacks its place.
pub fn text_boxes(svg: &str) -> Result<Vec<TextBox>, Fault> {
    let mut out = Vec::new();
    let mut current: Option<Vec<(&str, String)>> = None;
    for token in tokens(svg)? {
        match token {
            Token::Open {
                name: "text",
                attributes,
                closed: false,
            } => current = Some(attributes),
            Token::Close("text") => current = None,
            Token::Text(text) => {
                if let Some(attributes) = &current {
                    out.push(measure(attributes, text)?);
                }
            }
            _ => {}
        }
    }
    Ok(out)
}

fn measure(attributes: &[(&str, String)], text: String) -> Result<TextBox, Fault> {
    let x = numeric(attributes, "x")?;
    let y = numeric(attributes, "y")?;
    let size = numeric(attributes, "font-size")?;
    let bold = attribute(attributes, "font-weight") == Some("700");
    let width = font::width(&text, size, bold).map_err(|error| malformed(error.to_string()))?;
    let start = match attribute(attributes, "text-anchor") {
        None | Some("start") => 0.0,
        Some("middle") => -width / 2.0,
        Some("end") => -width,
        Some(other) => return Err(malformed(format!("the text anchor '{other}'"))),
    };
    let (up, down) = (size * font::ASCENT, size * font::DESCENT);
    let turned = match attribute(attributes, "transform") {
        None => false,
        Some(turn) if turn.starts_with("rotate(-90 ") => true,
        Some(other) => return Err(malformed(format!("the transform '{other}'"))),
    };
    Ok(if turned {
        TextBox {
            text,
            left: x - up,
            top: y - start - width,
            right: x + down,
            bottom: y - start,
        }
    } else {
        TextBox {
            text,
            left: x + start,
            top: y - up,
            right: x + start + width,
            bottom: y + down,
        }
    })
}

/// Checks that no two texts overlap and that none leaves the viewBox.
///
/// # Errors
///
/// All faults found, in the order of the texts.
pub fn check_text(svg: &str) -> Result<(), Vec<Fault>> {
    let boxes = text_boxes(svg).map_err(|fault| vec![fault])?;
    let (width, height) = view_box(svg).map_err(|fault| vec![fault])?;
    let mut faults = Vec::new();
    for (i, a) in boxes.iter().enumerate() {
        if a.left < -0.05 || a.top < -0.05 || a.right > width + 0.05 || a.bottom > height + 0.05 {
            faults.push(Fault::Clipped(a.text.clone()));
        }
        for b in &boxes[i + 1..] {
            if a.overlaps(b) {
                faults.push(Fault::Overlap(a.text.clone(), b.text.clone()));
            }
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

fn view_box(svg: &str) -> Result<(f64, f64), Fault> {
    let Some(Token::Open { attributes, .. }) = tokens(svg)?.into_iter().next() else {
        return Err(malformed("no root element"));
    };
    let numbers: Vec<f64> = attribute(&attributes, "viewBox")
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|part| part.parse().ok())
        .collect();
    match numbers[..] {
        [x, y, width, height] if x.abs() + y.abs() < 1e-9 => Ok((width, height)),
        _ => Err(malformed("a viewBox that does not start at 0 0")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(body: &str) -> String {
        format!("<svg viewBox=\"0 0 100 50\"><title>t</title><desc>d</desc>{body}</svg>\n")
    }

    #[test]
    fn overlaps_and_clipping_are_found() {
        let far = figure(
            "<text x=\"5\" y=\"10\" font-size=\"10\">ab</text><text x=\"5\" y=\"30\" font-size=\"10\">ab</text>",
        );
        assert_eq!(check_text(&far), Ok(()));
        let near = figure(
            "<text x=\"5\" y=\"10\" font-size=\"10\">ab</text><text x=\"8\" y=\"12\" font-size=\"10\">cd</text>",
        );
        assert_eq!(
            check_text(&near),
            Err(vec![Fault::Overlap("ab".to_owned(), "cd".to_owned())])
        );
        let out = figure("<text x=\"5\" y=\"10\" font-size=\"10\" text-anchor=\"end\">wide</text>");
        assert_eq!(
            check_text(&out),
            Err(vec![Fault::Clipped("wide".to_owned())])
        );
    }

    #[test]
    fn turned_text_is_measured_turned() {
        let svg = figure(
            "<text x=\"20\" y=\"45\" font-size=\"10\" transform=\"rotate(-90 20 45)\">upwards</text>",
        );
        let boxes = text_boxes(&svg).unwrap();
        assert!(boxes[0].bottom - boxes[0].top > 3.0 * (boxes[0].right - boxes[0].left));
        assert!((boxes[0].bottom - 45.0).abs() < 1e-9);
    }

    #[test]
    fn broken_figures_are_refused() {
        assert_eq!(well_formed(&figure("")), Ok(()));
        for body in [
            "<g>",
            "</g>",
            "<g><a></g></a>",
            "a & b",
            "<g x=1/>",
            "<g a=\"1\" a=\"2\"/>",
            "<g id=\"a\"/><g id=\"a\"/>",
        ] {
            assert!(well_formed(&figure(body)).is_err(), "{body}");
        }
        assert!(well_formed("<svg><desc>d</desc><title>t</title></svg>").is_err());
    }
}
