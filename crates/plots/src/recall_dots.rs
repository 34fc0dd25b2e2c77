//! Recall of frequent, medium and rare classes, one row a correction.
//!
//! The three groups of a correction lie on one row, joined by a thin line: a short line means that
//! all classes are served alike, a long one that the rare ones pay.

use std::fmt::Write as _;

use super::axes::{self, Frame, extent};
use super::scale::{Kind, Scale, fixed};
use super::scene::{Anchor, Scene, Stroke, Text};
use super::theme::{GRID, INK, MUTED, REST, Style, Theme, size};
use super::{Figure, Guard, PlotError, count, finish, font, nothing};

/// A mean with its 95 % interval, fractions.
pub type Estimate = (f64, Option<(f64, f64)>);

/// One correction.
#[derive(Debug, Clone, PartialEq)]
pub struct RecallRow {
    /// Id of the correction.
    pub correction: String,
    /// Mean recall of the classes with many rows.
    pub many: Option<Estimate>,
    /// Mean recall of the classes with a medium number of rows.
    pub medium: Option<Estimate>,
    /// Mean recall of the classes with few rows.
    pub few: Option<Estimate>,
}

/// All corrections of one model or of all.
#[derive(Debug, Clone, PartialEq)]
pub struct RecallDots {
    /// What the numbers cover, such as a model; stands in the title.
    pub scope: String,
    /// What the groups are, such as `many > 100`, `medium 20 to 100`, `few < 20` training rows.
    pub groups: [String; 3],
    /// From top to bottom.
    pub rows: Vec<RecallRow>,
}

const GUARD: Guard = Guard {
    figure: "recall by class frequency",
};
const OFFSETS: [f64; 3] = [-3.6, 0.0, 3.6];

impl RecallRow {
    fn groups(&self) -> [Option<Estimate>; 3] {
        [self.many, self.medium, self.few]
    }
}

/// Draws the figure.
///
/// # Errors
///
/// [`PlotError::Data`] for numbers that are not finite or an interval with its ends swapped.
pub fn recall_dots(data: &RecallDots, theme: &Theme) -> Result<Figure, PlotError> {
    let title = format!("Recall by class frequency and correction, {}", data.scope);
    let all = check(data)?;
    let Some((low, high)) = extent(all) else {
        return nothing(
            theme,
            title,
            "No recalls to show: no correction has a finished cell with a recall for each class.",
        );
    };
    let (low, high) = axes::pad((low * 100.0, high * 100.0), 5.0);
    let names = font::widest(
        data.rows.iter().map(|r| r.correction.as_str()),
        size::LABEL,
        false,
    )?
    .min(theme.width * 0.42);
    let styles = styles(theme);
    let key = place_key(data, theme)?;
    let row_height = 19.0;
    let frame = Frame {
        left: names + 14.0,
        top: 8.0 + key.last().map_or(0.0, |k| k.1) + 12.0,
        right: theme.width - 16.0,
        bottom: 0.0,
    };
    let frame = Frame {
        bottom: frame.top + row_height * data.rows.len() as f64,
        ..frame
    };
    let mut scene = Scene::new(theme.width, frame.bottom + 36.0);
    let x = Scale::new(
        Kind::Linear,
        (low, high.min(100.5).max(low + 1.0)),
        (frame.left, frame.right),
    );
    let ticks = axes::x_ticks(&x, 7)?;
    axes::draw_x(&mut scene, &frame, &x, &ticks, true);
    let full: Vec<&str> = data
        .rows
        .iter()
        .map(|row| row.correction.as_str())
        .collect();
    let short = font::shorten_all(&full, size::LABEL, false, names)?;
    for (i, (row, name)) in data.rows.iter().zip(short).enumerate() {
        let y = frame.top + row_height * (i as f64 + 0.5);
        scene.line((frame.left, y), (frame.right, y), Stroke::solid(GRID, 0.6));
        let at = (frame.left - 7.0, y + size::LABEL * font::MIDDLE);
        let mut text = Text::new(at, name, size::LABEL, INK).anchored(Anchor::End);
        text.bold = row.correction == theme.baseline
            && font::width(&row.correction, size::LABEL, true)? <= names;
        scene.text(text);
        draw_row(&mut scene, row, (&x, y), &styles);
    }
    for ((group, style), (left, top)) in data.groups.iter().zip(&styles).zip(&key) {
        let y = 8.0 + top;
        scene.marker((left + 4.0, y), style.shape, 3.6, (style.ink, style.hollow));
        let text = font::shorten(group, size::LABEL, false, theme.width - left - 16.0)?;
        scene.text(Text::new(
            (left + 12.0, y + size::LABEL * font::MIDDLE),
            text,
            size::LABEL,
            INK,
        ));
    }
    let at = (f64::midpoint(frame.left, frame.right), frame.bottom + 28.0);
    axes::x_title(
        &mut scene,
        at,
        "mean recall of the classes (%)",
        frame.right - frame.left,
    )?;
    finish(&scene, theme, title, describe(data))
}

fn check(data: &RecallDots) -> Result<Vec<f64>, PlotError> {
    let mut all = Vec::new();
    for row in &data.rows {
        for (value, band) in row.groups().into_iter().flatten() {
            all.push(GUARD.finite(value, "a recall", &row.correction)?);
            if let Some(band) = band {
                let (low, high) = GUARD.interval(band, "an interval", &row.correction)?;
                all.extend([low, high]);
            }
        }
    }
    Ok(all)
}

/// Many in blue circles, medium in orange squares, few in green triangles: filled, hollow, filled.
fn styles(theme: &Theme) -> Vec<Style> {
    let plain = Theme {
        order: Vec::new(),
        ..theme.clone()
    };
    plain.styles(&["\u{1}many", "\u{1}medium", "\u{1}few"])
}

/// Left edge and height of the entries of the key, in one line or one below the other.
fn place_key(data: &RecallDots, theme: &Theme) -> Result<Vec<(f64, f64)>, PlotError> {
    let mut left = 8.0;
    let mut line = Vec::new();
    for group in &data.groups {
        line.push((left, 4.0));
        left += 12.0 + font::width(group, size::LABEL, false)? + 20.0;
    }
    if left - 20.0 <= theme.width {
        return Ok(line);
    }
    Ok((0..3).map(|i| (8.0, 4.0 + 14.0 * f64::from(i))).collect())
}

fn draw_row(scene: &mut Scene, row: &RecallRow, (x, y): (&Scale, f64), styles: &[Style]) {
    let words: Vec<String> = ["many", "medium", "few"]
        .iter()
        .zip(row.groups())
        .filter_map(|(name, group)| group.map(|g| format!("{name} {} %", fixed(g.0 * 100.0, 1))))
        .collect();
    let tip = format!("{}: {}", row.correction, words.join(", "));
    scene.with_tip(tip, |scene| {
        let places = row
            .groups()
            .into_iter()
            .zip(OFFSETS)
            .filter_map(|(group, offset)| group.map(|g| (x.at(g.0 * 100.0), y + offset)))
            .collect();
        scene.polyline(places, Stroke::solid(REST, 1.2));
        for ((group, offset), style) in row.groups().into_iter().zip(OFFSETS).zip(styles) {
            let Some((value, band)) = group else { continue };
            if let Some((low, high)) = band {
                let ends = (x.at(low * 100.0), x.at(high * 100.0));
                scene.line(
                    (ends.0, y + offset),
                    (ends.1, y + offset),
                    Stroke::solid(style.ink, 1.1),
                );
            }
            let at = (x.at(value * 100.0), y + offset);
            scene.marker(at, style.shape, 3.4, (style.ink, style.hollow));
        }
    });
    if words.is_empty() {
        let at = (
            f64::midpoint(x.range.0, x.range.1),
            y + size::TICK * font::MIDDLE,
        );
        scene.text(Text::new(at, "no result", size::TICK, MUTED).anchored(Anchor::Middle));
    }
}

fn describe(data: &RecallDots) -> String {
    let mut text = format!(
        "Dots of mean recall for {}, in three groups of classes: {}.",
        count(data.rows.len(), "correction"),
        data.groups.join(", ")
    );
    for row in &data.rows {
        let words: Vec<String> = row
            .groups()
            .into_iter()
            .map(|group| group.map_or_else(|| "none".to_owned(), |g| fixed(g.0 * 100.0, 1)))
            .collect();
        let _infallible = write!(text, " {}: {} %.", row.correction, words.join(", "));
    }
    text
}
