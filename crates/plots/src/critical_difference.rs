//! Critical-difference diagram: mean ranks on a line, methods that do not differ joined by bars.
//!
//! A clique is a set, not a stretch: with Holm-corrected Wilcoxon tests two methods can differ
//! though a third between them differs from neither. So each bar carries a dot at every member;
//! a method that the bar passes without a dot is not in it. Where names are too long for the two
//! sides of the classical drawing, methods are listed as rows and cliques as columns.

use std::fmt::Write as _;

use super::scale::{Kind, Scale, fixed};
use super::scene::{Anchor, Scene, Stroke, Text};
use super::theme::{GRID, INK, MUTED, REST, Shape, Theme, size};
use super::{Figure, Guard, PlotError, count, finish, font, nothing};

/// Mean ranks and the sets of methods that do not differ.
#[derive(Debug, Clone, PartialEq)]
pub struct CriticalDifference {
    /// Name and mean rank, 1 is best; in any order.
    pub methods: Vec<(String, f64)>,
    /// Maximal sets of methods without a significant difference, as indices into `methods`.
    pub cliques: Vec<Vec<usize>>,
    /// Critical difference of the Nemenyi test, drawn as a ruler where the cliques come from it.
    pub critical_difference: Option<f64>,
    /// Number of datasets behind the ranks.
    pub datasets: usize,
    /// Name of the test, for the note.
    pub test: String,
}

const GUARD: Guard = Guard {
    figure: "critical-difference diagram",
};
const ROW: f64 = 14.0;
const BAR: f64 = 8.0;

struct Ranked<'a> {
    /// Name and mean rank, best first.
    methods: Vec<(&'a str, f64)>,
    /// Members as positions in `methods`, sorted.
    cliques: Vec<Vec<usize>>,
    scale: Scale,
}

/// Draws the diagram.
///
/// # Errors
///
/// [`PlotError::Data`] for a rank below 1 or not finite, or a clique that names no method.
pub fn critical_difference(data: &CriticalDifference, theme: &Theme) -> Result<Figure, PlotError> {
    let title = "Mean ranks, and which corrections do not differ".to_owned();
    let ranked = check(data)?;
    if ranked.methods.len() < 2 {
        return nothing(
            theme,
            title,
            "No ranks to show: there are fewer than two corrections with results on common datasets.",
        );
    }
    let labels: Vec<String> = ranked
        .methods
        .iter()
        .map(|(name, rank)| format!("{name}  {}", fixed(*rank, 2)))
        .collect();
    let widest = font::widest(labels.iter().map(String::as_str), size::LABEL, false)?;
    let note = format!(
        "Mean rank over {}, 1 is best. Bars join corrections without a significant difference ({}); the dots are the members.",
        count(data.datasets, "dataset"),
        data.test
    );
    let notes = font::wrap(&note, size::TICK, false, theme.width - 16.0)?;
    let mut scene = if widest <= theme.width * 0.3 {
        two_sides(&ranked, data, theme)?
    } else {
        rows(&ranked, data, theme)?
    };
    let top = scene.height;
    scene.height += 12.0 * notes.len() as f64 + 8.0;
    for (i, line) in notes.into_iter().enumerate() {
        let at = (8.0, top + 10.0 + 12.0 * i as f64);
        scene.text(Text::new(at, line, size::TICK, MUTED));
    }
    finish(&scene, theme, title, describe(&ranked, data))
}

fn check(data: &CriticalDifference) -> Result<Ranked<'_>, PlotError> {
    let n = data.methods.len();
    for (name, rank) in &data.methods {
        if GUARD.finite(*rank, "a mean rank", name)? < 1.0 - 1e-9 || *rank > n as f64 + 1e-9 {
            return Err(GUARD.error(
                format!("a mean rank of {rank}"),
                name,
                "ranks run from 1 to the number of methods",
            ));
        }
    }
    if let Some(width) = data.critical_difference {
        GUARD.positive(width, "the critical difference", "the ruler")?;
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| data.methods[*a].1.total_cmp(&data.methods[*b].1));
    let mut cliques = Vec::new();
    for clique in &data.cliques {
        let mut members = Vec::new();
        for index in clique {
            let Some(position) = order.iter().position(|other| other == index) else {
                let what = format!("a clique with method {index} of {n}");
                return Err(GUARD.error(
                    what,
                    "the cliques",
                    "indices count the methods from zero",
                ));
            };
            members.push(position);
        }
        members.sort_unstable();
        members.dedup();
        if members.len() > 1 {
            cliques.push(members);
        }
    }
    cliques.sort();
    Ok(Ranked {
        methods: order
            .iter()
            .map(|i| (data.methods[*i].0.as_str(), data.methods[*i].1))
            .collect(),
        cliques,
        scale: Scale::new(Kind::Linear, (1.0, (n as f64).max(2.0)), (0.0, 1.0)),
    })
}

/// Rank 1 at the left, the better half named at the left, the worse half at the right.
fn two_sides(
    ranked: &Ranked<'_>,
    data: &CriticalDifference,
    theme: &Theme,
) -> Result<Scene, PlotError> {
    let n = ranked.methods.len();
    let half = n.div_ceil(2);
    let names = |range: std::ops::Range<usize>| {
        font::widest(
            ranked.methods[range].iter().map(|m| m.0),
            size::LABEL,
            false,
        )
    };
    let number = font::width("00.00", size::TICK, false)? + 5.0;
    let left = names(0..half)? + number + 16.0;
    let right = theme.width - names(half..n)? - number - 16.0;
    let scale = ranked.scale.with_range((left, right));
    let ruler = if data.critical_difference.is_some() {
        24.0
    } else {
        0.0
    };
    let axis = ruler + 22.0;
    let bars = axis + 10.0;
    let first = bars + BAR * ranked.cliques.len() as f64 + 10.0;
    let mut scene = Scene::new(theme.width, first + ROW * half as f64 + 2.0);
    draw_axis(&mut scene, &scale, axis, n)?;
    if let Some(width) = data.critical_difference {
        draw_ruler(&mut scene, &scale, width)?;
    }
    for (i, (name, rank)) in ranked.methods.iter().enumerate() {
        let x = scale.at(*rank);
        let better = i < half;
        let row = if better { i } else { n - 1 - i };
        let y = first + ROW * row as f64 + ROW / 2.0;
        let end = if better { left - 8.0 } else { right + 8.0 };
        scene.polyline(vec![(x, axis), (x, y), (end, y)], Stroke::solid(MUTED, 0.8));
        let base = y + size::LABEL * font::MIDDLE;
        let (anchor, side) = if better {
            (Anchor::End, -1.0)
        } else {
            (Anchor::Start, 1.0)
        };
        let text = Text::new((end + 4.0 * side, base), fixed(*rank, 2), size::TICK, MUTED);
        scene.text(text.anchored(anchor));
        let at = (end + (4.0 + number) * side, base);
        scene.text(Text::new(at, *name, size::LABEL, INK).anchored(anchor));
    }
    for (i, clique) in ranked.cliques.iter().enumerate() {
        let y = bars + BAR * i as f64 + BAR / 2.0;
        let at = |member: &usize| scale.at(ranked.methods[*member].1);
        if let (Some(first), Some(last)) = (clique.first(), clique.last()) {
            scene.line((at(first), y), (at(last), y), Stroke::solid(INK, 1.6));
        }
        for member in clique {
            scene.marker((at(member), y), Shape::Circle, 2.7, (INK, false));
        }
    }
    Ok(scene)
}

/// One row a method with its rank on the axis, one column a clique.
fn rows(ranked: &Ranked<'_>, data: &CriticalDifference, theme: &Theme) -> Result<Scene, PlotError> {
    const COLUMN: f64 = 11.0;
    let n = ranked.methods.len();
    let number = font::width("00.00", size::TICK, false)? + 8.0;
    let cliques = (COLUMN * ranked.cliques.len() as f64).min(theme.width * 0.25);
    let room = theme.width * 0.5 - number;
    let names = font::widest(ranked.methods.iter().map(|m| m.0), size::LABEL, false)?.min(room);
    let left = names + 16.0;
    let right = theme.width - number - cliques - 12.0;
    let scale = ranked.scale.with_range((left, right));
    let ruler = if data.critical_difference.is_some() {
        24.0
    } else {
        0.0
    };
    let axis = ruler + 22.0;
    let mut scene = Scene::new(theme.width, axis + 6.0 + ROW * n as f64 + 4.0);
    draw_axis(&mut scene, &scale, axis, n)?;
    if let Some(width) = data.critical_difference {
        draw_ruler(&mut scene, &scale, width)?;
    }
    let level = |i: usize| axis + 6.0 + ROW * i as f64 + ROW / 2.0;
    let full: Vec<&str> = ranked.methods.iter().map(|m| m.0).collect();
    let short = font::shorten_all(&full, size::LABEL, false, names)?;
    for (i, ((_, rank), name)) in ranked.methods.iter().zip(short).enumerate() {
        let (y, x) = (level(i), scale.at(*rank));
        let base = y + size::LABEL * font::MIDDLE;
        scene.text(Text::new((left - 8.0, base), name, size::LABEL, INK).anchored(Anchor::End));
        scene.line((left, y), (right, y), Stroke::solid(GRID, 0.6));
        scene.line((left, y), (x, y), Stroke::solid(REST, 1.2));
        scene.marker((x, y), Shape::Circle, 3.2, (INK, false));
        let at = (right + number, base);
        scene.text(Text::new(at, fixed(*rank, 2), size::TICK, MUTED).anchored(Anchor::End));
    }
    for (i, clique) in ranked.cliques.iter().enumerate() {
        let step = cliques / ranked.cliques.len() as f64;
        let x = right + number + 8.0 + step * (i as f64 + 0.5) - 2.0;
        if let (Some(first), Some(last)) = (clique.first(), clique.last()) {
            scene.line(
                (x, level(*first)),
                (x, level(*last)),
                Stroke::solid(INK, 1.6),
            );
        }
        for member in clique {
            scene.marker((x, level(*member)), Shape::Circle, 2.7, (INK, false));
        }
    }
    Ok(scene)
}

fn draw_axis(scene: &mut Scene, scale: &Scale, y: f64, n: usize) -> Result<(), PlotError> {
    let (left, right) = scale.range;
    scene.line((left, y), (right, y), Stroke::solid(INK, 1.0));
    let widest = font::width(&n.to_string(), size::TICK, false)? + 5.0;
    let mut step = 1_u32;
    while (right - left) / (n - 1) as f64 * f64::from(step) < widest {
        step += 1;
    }
    let mut rank = 1_u32;
    while rank as usize <= n {
        let x = scale.at(f64::from(rank));
        scene.line((x, y - 4.0), (x, y), Stroke::solid(INK, 1.0));
        scene.text(
            Text::new((x, y - 7.0), rank.to_string(), size::TICK, MUTED).anchored(Anchor::Middle),
        );
        rank += step;
    }
    Ok(())
}

fn draw_ruler(scene: &mut Scene, scale: &Scale, width: f64) -> Result<(), PlotError> {
    let text = format!("critical difference {}", fixed(width, 2));
    let from = scale.range.0;
    let full = scale.at(1.0 + width) - from;
    let y = 12.0;
    scene.line((from, y), (from + full, y), Stroke::solid(INK, 1.2));
    for x in [from, from + full] {
        scene.line((x, y - 3.5), (x, y + 3.5), Stroke::solid(INK, 1.2));
    }
    let room = scene.width - from - full - 10.0;
    let text = font::shorten(&text, size::TICK, false, room.max(20.0))?;
    scene.text(Text::new(
        (from + full + 6.0, y + size::TICK * font::MIDDLE),
        text,
        size::TICK,
        MUTED,
    ));
    Ok(())
}

fn describe(ranked: &Ranked<'_>, data: &CriticalDifference) -> String {
    let list: Vec<String> = ranked
        .methods
        .iter()
        .map(|(name, rank)| format!("{name} {}", fixed(*rank, 2)))
        .collect();
    let mut text = format!(
        "Mean ranks over {}, best first: {}.",
        count(data.datasets, "dataset"),
        list.join(", ")
    );
    if ranked.cliques.is_empty() {
        text.push_str(" All pairs differ significantly.");
    }
    for clique in &ranked.cliques {
        let names: Vec<&str> = clique.iter().map(|i| ranked.methods[*i].0).collect();
        let _infallible = write!(
            text,
            " No significant difference among {}.",
            names.join(", ")
        );
    }
    text
}
