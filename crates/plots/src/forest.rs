//! A forest of gains, a row a model and correction: the gain with its interval, and how it comes about.
//!
//! Behind each gain lies a path of three bars: what a threshold alone would win on the uncorrected scores,
//! what better scores win beyond that, and what the correction's own decision leaves.

use std::fmt::Write as _;

use super::axes::{self, Frame, extent};
use super::key::{self, Sample};
use super::scale::{Kind, Scale, signed};
use super::scene::{Anchor, Scene, Stroke, Text};
use super::theme::{GRID, INK, MUTED, Style, Theme, size};
use super::{Figure, Guard, PlotError, count, finish, font, nothing};

/// A value with the ends of its interval.
pub type Estimate = (f64, Option<(f64, f64)>);

/// One correction of one model; fractions, above zero where it is better.
#[derive(Debug, Clone, PartialEq)]
pub struct ForestRow {
    /// Id of the correction.
    pub correction: String,
    /// What it gains.
    pub gain: Estimate,
    /// What a threshold alone would win, what better scores win beyond, and what its decision leaves: the
    /// gain is the first and second less the third. `None` where it is not known.
    pub parts: Option<[f64; 3]>,
}

/// The corrections of one model.
#[derive(Debug, Clone, PartialEq)]
pub struct ForestGroup {
    /// The model.
    pub name: String,
    /// Independent units behind its rows.
    pub units: usize,
    /// From top to bottom.
    pub rows: Vec<ForestRow>,
}

/// All models.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    /// From top to bottom.
    pub groups: Vec<ForestGroup>,
}

const GUARD: Guard = Guard {
    figure: "forest of gains",
};
const PARTS: [&str; 3] = ["threshold alone", "better scores", "left by its decision"];
const ROW: f64 = 15.0;
const HEAD: f64 = 17.0;

/// Draws the figure.
///
/// # Errors
///
/// [`PlotError::Data`] for numbers that are not finite or an interval with its ends swapped.
pub fn forest(data: &Forest, theme: &Theme) -> Result<Figure, PlotError> {
    let title = format!(
        "Gain over {} by model and correction, and its parts",
        theme.baseline
    );
    let mut all = vec![0.0];
    for group in &data.groups {
        for row in &group.rows {
            let place = format!("{} of {}", row.correction, group.name);
            all.push(GUARD.finite(row.gain.0, "a gain", &place)?);
            if let Some(band) = row.gain.1 {
                let (low, high) = GUARD.interval(band, "an interval", &place)?;
                all.extend([low, high]);
            }
            for [from, to] in path(row) {
                all.push(GUARD.finite(from, "a part", &place)?);
                all.push(GUARD.finite(to, "a part", &place)?);
            }
        }
    }
    let rows = data.groups.iter().map(|g| g.rows.len()).sum::<usize>();
    let (Some((low, high)), true) = (extent(all), rows > 0) else {
        return nothing(
            theme,
            title,
            "No gains to show: nothing has results with and without a correction.",
        );
    };
    let air = (high - low).max(0.02) * 4.0;
    let names = data
        .groups
        .iter()
        .flat_map(|g| &g.rows)
        .map(|r| r.correction.as_str());
    let names: Vec<&str> = names.collect();
    let room = font::widest(names.iter().copied(), size::LABEL, false)?.min(theme.width * 0.36);
    let plain = Theme {
        order: Vec::new(),
        ..theme.clone()
    };
    let inks = plain.styles(&["\u{1}threshold", "\u{1}ranking", "\u{1}left"]);
    let bar = |style: &Style| Sample::Line(Stroke::solid(style.ink, 3.0));
    let mut entries: Vec<(Sample, String)> = PARTS
        .iter()
        .zip(&inks)
        .map(|(name, style)| (bar(style), (*name).to_owned()))
        .collect();
    let dot = Style {
        ink: INK,
        ..plain.styles(&[&plain.baseline])[0]
    };
    entries.insert(0, (Sample::Mark(dot), "gain, 95 % interval".to_owned()));
    let inner = theme.width - 16.0;
    let (key_height, _) = key::measure(&entries, inner)?;
    let top = key_height + 16.0;
    let height = rows as f64 * ROW + data.groups.len() as f64 * HEAD;
    let frame = Frame {
        left: room * 1.1 + 14.0,
        top,
        right: theme.width - 16.0,
        bottom: top + height,
    };
    let mut scene = Scene::new(theme.width, frame.bottom + 36.0);
    key::draw(&mut scene, &entries, (8.0, 6.0), inner)?;
    let domain = (low * 100.0 - air, high * 100.0 + air);
    let x = Scale::new(Kind::Linear, domain, (frame.left, frame.right));
    axes::draw_x(&mut scene, &frame, &x, &axes::x_ticks(&x, 7)?, true);
    let zero = x.at(0.0);
    scene.line(
        (zero, frame.top),
        (zero, frame.bottom),
        Stroke::solid(MUTED, 1.0),
    );
    let short = font::shorten_all(&names, size::LABEL, false, room)?;
    let mut short = short.into_iter();
    let mut y = frame.top;
    for group in &data.groups {
        let name = format!("{} (n {})", group.name, group.units);
        let name = font::shorten(&name, size::LABEL, true, theme.width - 20.0)?;
        scene.text(Text::new((8.0, y + 12.0), name, size::LABEL, INK).bold());
        y += HEAD;
        for row in &group.rows {
            let middle = y + ROW / 2.0;
            scene.line(
                (frame.left, middle),
                (frame.right, middle),
                Stroke::solid(GRID, 0.5),
            );
            let at = (frame.left - 7.0, middle + size::LABEL * font::MIDDLE);
            let name = short.next().unwrap_or_default();
            scene.text(Text::new(at, name, size::LABEL, INK).anchored(Anchor::End));
            scene.with_tip(format!("{}, {}", group.name, words(row)), |scene| {
                for ((style, [from, to]), lane) in inks.iter().zip(path(row)).zip([-4.5, 0.0, 4.5])
                {
                    let (a, b) = (x.at(from * 100.0), x.at(to * 100.0));
                    scene.rect(
                        [a.min(b), middle + lane - 1.5, (a - b).abs(), 3.0],
                        style.ink,
                        0.75,
                    );
                }
                if let Some((low, high)) = row.gain.1 {
                    let ends = (x.at(low * 100.0), x.at(high * 100.0));
                    scene.line((ends.0, middle), (ends.1, middle), Stroke::solid(INK, 1.2));
                }
                scene.marker(
                    (x.at(row.gain.0 * 100.0), middle),
                    dot.shape,
                    3.0,
                    (INK, false),
                );
            });
            y += ROW;
        }
    }
    let at = (f64::midpoint(frame.left, frame.right), frame.bottom + 28.0);
    let axis = format!("gain in {} (points)", theme.quantity.name);
    axes::x_title(&mut scene, at, &axis, frame.right - frame.left)?;
    finish(&scene, theme, title, describe(data))
}

/// From where to where each part leads.
fn path(row: &ForestRow) -> Vec<[f64; 2]> {
    row.parts
        .map_or_else(Vec::new, |[threshold, ranking, left]| {
            let (a, b) = (threshold, threshold + ranking);
            vec![[0.0, a], [a, b], [b, b - left]]
        })
}

fn words(row: &ForestRow) -> String {
    let points = |value: f64| signed(value * 100.0, 1);
    let mut text = format!("{}: gain {}", row.correction, points(row.gain.0));
    if let Some((low, high)) = row.gain.1 {
        let _infallible = write!(text, " [{}, {}]", points(low), points(high));
    }
    if let Some([threshold, ranking, left]) = row.parts {
        let _infallible = write!(
            text,
            " = threshold {}, scores {}, less {} left",
            points(threshold),
            points(ranking),
            points(left)
        );
    }
    text
}

fn describe(data: &Forest) -> String {
    let mut text = format!(
        "Gains with intervals for {}.",
        count(data.groups.len(), "model")
    );
    for group in &data.groups {
        let rows: Vec<String> = group
            .rows
            .iter()
            .map(|row| format!("{} {}", row.correction, signed(row.gain.0 * 100.0, 1)))
            .collect();
        let _infallible = write!(text, " {}: {}.", group.name, rows.join(", "));
    }
    text
}
