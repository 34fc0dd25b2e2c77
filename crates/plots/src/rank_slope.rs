//! Mean ranks before and after, as slopes: what a change of the program did to the ranking.
//!
//! Methods that the caller marks as changed are drawn in colour, all others in grey. Names stand at
//! both ends, moved apart where ranks are close, with a thin leader to the true place.

use std::fmt::Write as _;

use super::axes;
use super::labels;
use super::scale::{Kind, Scale, fixed};
use super::scene::{Anchor, Scene, Stroke, Text};
use super::theme::{INK, MUTED, REST, Theme, size};
use super::{Figure, Guard, PlotError, count, distinct, finish, font, nothing};

/// One method.
#[derive(Debug, Clone, PartialEq)]
pub struct RankChange {
    /// Id of the correction.
    pub correction: String,
    /// Mean rank before; `None` for a method that is new.
    pub before: Option<f64>,
    /// Mean rank after; `None` for a method that is gone.
    pub after: Option<f64>,
    /// Whether the change counts, as the caller's test says.
    pub changed: bool,
}

/// Two rankings.
#[derive(Debug, Clone, PartialEq)]
pub struct RankSlope {
    /// Name of the left side, such as `baseline`.
    pub before: String,
    /// Name of the right side, such as `this change`.
    pub after: String,
    /// The methods.
    pub methods: Vec<RankChange>,
}

const GUARD: Guard = Guard {
    figure: "rank slope chart",
};
const GAP: f64 = 12.5;

/// Draws the chart.
///
/// # Errors
///
/// [`PlotError::Data`] for a rank that is not finite or a correction given twice.
pub fn rank_slope(data: &RankSlope, theme: &Theme) -> Result<Figure, PlotError> {
    let title = format!("Mean ranks, {} and {}", data.before, data.after);
    let mut ranks = Vec::new();
    for (i, method) in data.methods.iter().enumerate() {
        if data.methods[..i]
            .iter()
            .any(|known| known.correction == method.correction)
        {
            return Err(GUARD.twice("a correction", &method.correction));
        }
        for rank in [method.before, method.after].into_iter().flatten() {
            ranks.push(GUARD.finite(rank, "a mean rank", &method.correction)?);
        }
    }
    let Some((best, worst)) = axes::extent(ranks) else {
        return nothing(
            theme,
            title,
            "No ranks to show: neither side has a ranking.",
        );
    };
    let names = distinct(data.methods.iter().map(|m| m.correction.as_str()));
    let styles = theme.styles(&names);
    let height = (GAP * (data.methods.len() as f64 + 1.0)).max(90.0) * 1.15;
    let top = 34.0;
    let number = font::width("00.00", size::TICK, false)? + 5.0;
    let room = (theme.width * 0.5 - number - 50.0).min(theme.width * 0.36);
    let width = font::widest(names.iter().copied(), size::LABEL, false)?.min(room);
    let margin = width + number + 20.0;
    let span = (theme.width - 2.0 * margin).min(320.0);
    let centre = theme.width / 2.0;
    let (left, right) = (centre - span / 2.0, centre + span / 2.0);
    let y = Scale::new(
        Kind::Linear,
        (best, worst.max(best + 1.0)),
        (top + 8.0, top + height - 8.0),
    );
    let mut scene = Scene::new(theme.width, top + height + 22.0);
    let heads = [
        (left, 8.0, Anchor::End, &data.before),
        (right, -8.0, Anchor::Start, &data.after),
    ];
    for (x, inwards, anchor, name) in heads {
        scene.line((x, top), (x, top + height), Stroke::solid(MUTED, 0.8));
        let text = font::shorten(name, size::TITLE, true, left - 4.0)?;
        let at = (x + inwards, top - 10.0);
        scene.text(
            Text::new(at, text, size::TITLE, INK)
                .bold()
                .anchored(anchor),
        );
    }
    for changed in [false, true] {
        for (method, style) in data
            .methods
            .iter()
            .zip(&styles)
            .filter(|(m, _)| m.changed == changed)
        {
            let (ink, width) = if changed {
                (style.ink, 1.9)
            } else {
                (REST, 1.1)
            };
            if let (Some(before), Some(after)) = (method.before, method.after) {
                let dash = if changed { style.dash } else { &[] };
                let ends = ((left, y.at(before)), (right, y.at(after)));
                scene.line(ends.0, ends.1, Stroke::dashed(ink, width, dash));
            }
            for (x, rank) in [(left, method.before), (right, method.after)] {
                if let Some(rank) = rank {
                    let hollow = changed && style.hollow;
                    scene.marker((x, y.at(rank)), style.shape, 3.0, (ink, hollow));
                }
            }
        }
    }
    let sides = [(left, -1.0), (right, 1.0)];
    let short = font::shorten_all(&names, size::LABEL, false, width)?;
    for (after, (x, side)) in [false, true].into_iter().zip(sides) {
        let shown: Vec<(&RankChange, &String, f64)> = data
            .methods
            .iter()
            .zip(&short)
            .filter_map(|(m, name)| if after { m.after } else { m.before }.map(|r| (m, name, r)))
            .collect();
        let wanted: Vec<f64> = shown.iter().map(|(_, _, rank)| y.at(*rank)).collect();
        let placed = labels::spread(&wanted, GAP, (top, top + height));
        for (((method, name, rank), from), to) in shown.iter().zip(&wanted).zip(placed) {
            let leader = vec![(x + 4.0 * side, *from), (x + 13.0 * side, to)];
            scene.polyline(leader, Stroke::solid(REST, 0.6));
            let base = to + size::LABEL * font::MIDDLE;
            let anchor = if after { Anchor::Start } else { Anchor::End };
            let at = (x + 15.0 * side, base);
            scene.text(Text::new(at, fixed(*rank, 2), size::TICK, MUTED).anchored(anchor));
            let ink = if method.changed { INK } else { MUTED };
            let at = (x + (15.0 + number) * side, base);
            scene.text(Text::new(at, *name, size::LABEL, ink).anchored(anchor));
        }
    }
    let note = "Mean rank, 1 is best and on top. In colour: changes that count.";
    let note = font::shorten(note, size::TICK, false, theme.width - 16.0)?;
    scene.text(Text::new(
        (8.0, top + height + 16.0),
        note,
        size::TICK,
        MUTED,
    ));
    finish(&scene, theme, title, describe(data))
}

fn describe(data: &RankSlope) -> String {
    let mut text = format!(
        "Slopes between the mean ranks of {}, {} at the left and {} at the right.",
        count(data.methods.len(), "correction"),
        data.before,
        data.after
    );
    for method in data.methods.iter().filter(|m| m.changed) {
        let rank = |rank: Option<f64>| rank.map_or_else(|| "absent".to_owned(), |r| fixed(r, 2));
        let _infallible = write!(
            text,
            " {} from {} to {}.",
            method.correction,
            rank(method.before),
            rank(method.after)
        );
    }
    text
}
