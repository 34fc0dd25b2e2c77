//! Multi-comparison matrix: every correction against every other.
//!
//! A cell compares the correction of its row with that of its column: mean difference in points,
//! wins / ties / losses over the datasets, and the p value; bold where p lies below the level.
//! The colour shows the difference. Lines that do not fit into a cell are left out from the last
//! on, and the note below says what is shown; where none fits, a sign marks what is significant, so
//! that the direction survives in grey.

use std::fmt::Write as _;

use super::grid::{Diverging, Grid, hatch};
use super::scale::{fixed, signed};
use super::scene::{Anchor, Scene, Text};
use super::theme::{MUTED, REST, Theme, size};
use super::{Figure, Guard, PlotError, count, finish, font, nothing};

/// One correction against another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// Mean of row minus column, a fraction.
    pub difference: f64,
    /// Datasets on which the row is better.
    pub wins: usize,
    /// Datasets without a difference.
    pub ties: usize,
    /// Datasets on which the column is better.
    pub losses: usize,
    /// Probability value after correction for multiplicity, 0 to 1.
    pub p: Option<f64>,
}

/// All pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparisonMatrix {
    /// The corrections, best first.
    pub methods: Vec<String>,
    /// Row against column; the diagonal is ignored, `None` where there is nothing to compare.
    pub cells: Vec<Vec<Option<Comparison>>>,
    /// Level of the test, such as 0.05.
    pub level: f64,
    /// Name of the test, for the note.
    pub test: String,
}

const GUARD: Guard = Guard {
    figure: "comparison matrix",
};

/// Draws the matrix.
///
/// # Errors
///
/// [`PlotError::Data`] when the cells are not square, a difference is not finite, or a p value
/// lies outside 0 to 1.
pub fn comparison_matrix(data: &ComparisonMatrix, theme: &Theme) -> Result<Figure, PlotError> {
    let title = "Every correction against every other".to_owned();
    let values = check(data)?;
    if data.methods.len() < 2 {
        return nothing(
            theme,
            title,
            "Nothing to compare: there are fewer than two corrections.",
        );
    }
    let names = (&data.methods[..], &data.methods[..]);
    let (mut grid, upright) = Grid::fit(names, (96.0, 14.0), theme.width)?;
    let texts: Vec<[String; 3]> = off_diagonal(data).map(|(_, _, cell)| texts(cell)).collect();
    let room = grid.cell.0 - 3.0;
    let mut lines = 0;
    while lines < 3
        && font::widest(texts.iter().map(|t| t[lines].as_str()), size::SMALL, true)? <= room
    {
        lines += 1;
    }
    grid.cell.1 = (10.0 * lines as f64 + 6.0).max(14.0);
    let bottom = grid.top + grid.cell.1 * data.methods.len() as f64;
    let shown = match lines {
        0 => "Colour: mean difference.".to_owned(),
        1 => "Numbers: mean difference in points.".to_owned(),
        2 => "Numbers: mean difference in points; wins/ties/losses of the row.".to_owned(),
        _ => "Numbers: mean difference in points; wins/ties/losses of the row; p value.".to_owned(),
    };
    let mark = if lines == 0 { "Sign" } else { "Bold" };
    let note = format!("{shown} {mark}: p below {} ({}).", data.level, data.test);
    let notes = font::wrap(&note, size::TICK, false, theme.width - 16.0)?;
    let mut scene = Scene::new(theme.width, bottom + 54.0 + 12.0 * notes.len() as f64);
    grid.names(&mut scene, names, upright)?;
    let scale = Diverging::of(&values, theme.quantity.lower_is_better);
    for (i, row) in data.cells.iter().enumerate() {
        for (j, cell) in row.iter().enumerate() {
            let rect = grid.rect(i, j);
            let middle = (rect[0] + rect[2] / 2.0, rect[1] + rect[3] / 2.0);
            match cell {
                _ if i == j => scene.rect(rect, REST, 0.25),
                None => hatch(&mut scene, rect),
                Some(cell) => {
                    let words = texts_tip(cell, &data.methods[i], &data.methods[j]);
                    scene.with_tip(words, |scene| {
                        let points = cell.difference * 100.0;
                        let (ink, opacity) = scale.paint(points);
                        scene.rect(rect, ink, opacity);
                        let bold = cell.p.is_some_and(|p| p < data.level);
                        if lines == 0 && bold {
                            let sign = if points < 0.0 { "−" } else { "+" };
                            let at = (middle.0, middle.1 + size::TICK * font::MIDDLE);
                            let text = Text::new(at, sign, size::TICK, scale.text_ink(points));
                            scene.text(text.bold().anchored(Anchor::Middle));
                        }
                        for (k, text) in self::texts(cell).into_iter().take(lines).enumerate() {
                            let up = (k as f64 - (lines as f64 - 1.0) / 2.0) * 10.0;
                            let at = (middle.0, middle.1 + up + size::SMALL * font::MIDDLE);
                            let mut text = Text::new(at, text, size::SMALL, scale.text_ink(points))
                                .anchored(Anchor::Middle);
                            text.bold = bold;
                            scene.text(text);
                        }
                    });
                }
            }
        }
    }
    let unit = "row minus column (points)";
    scale.key(
        &mut scene,
        (8.0, bottom + 10.0),
        (unit, ["row better", "row worse"]),
    )?;
    for (i, line) in notes.into_iter().enumerate() {
        let at = (8.0, bottom + 58.0 + 12.0 * i as f64);
        scene.text(Text::new(at, line, size::TICK, MUTED));
    }
    finish(&scene, theme, title, describe(data, theme))
}

fn off_diagonal(data: &ComparisonMatrix) -> impl Iterator<Item = (usize, usize, &Comparison)> {
    data.cells.iter().enumerate().flat_map(|(i, row)| {
        row.iter()
            .enumerate()
            .filter_map(move |(j, cell)| cell.as_ref().filter(|_| i != j).map(|cell| (i, j, cell)))
    })
}

fn check(data: &ComparisonMatrix) -> Result<Vec<f64>, PlotError> {
    let n = data.methods.len();
    if data.cells.len() != n || data.cells.iter().any(|row| row.len() != n) {
        let what = format!("a table that is not {n} by {n}");
        return Err(GUARD.error(
            what,
            "the cells",
            "give one row and one column for each correction",
        ));
    }
    off_diagonal(data)
        .map(|(i, j, cell)| {
            let place = format!("{} against {}", data.methods[i], data.methods[j]);
            if let Some(p) = cell.p
                && !(0.0..=1.0).contains(&p)
            {
                return Err(GUARD.error(
                    format!("a p value of {p}"),
                    &place,
                    "p lies between 0 and 1",
                ));
            }
            Ok(GUARD.finite(cell.difference, "a difference", &place)? * 100.0)
        })
        .collect()
}

/// Short form of a probability value, without the leading zero.
fn p_text(p: f64) -> String {
    if p < 0.0005 {
        "p<.001".to_owned()
    } else if p >= 0.9995 {
        "p=1".to_owned()
    } else {
        format!("p={}", fixed(p, 3).trim_start_matches('0'))
    }
}

fn texts(cell: &Comparison) -> [String; 3] {
    [
        signed(cell.difference * 100.0, 1),
        format!("{}/{}/{}", cell.wins, cell.ties, cell.losses),
        cell.p.map(p_text).unwrap_or_default(),
    ]
}

fn texts_tip(cell: &Comparison, row: &str, column: &str) -> String {
    let [difference, record, p] = texts(cell);
    format!("{row} against {column}: {difference} points, wins/ties/losses {record}, {p}")
}

fn describe(data: &ComparisonMatrix, theme: &Theme) -> String {
    let mut text = format!(
        "A table of {} against each other.",
        count(data.methods.len(), "correction")
    );
    for (i, name) in data.methods.iter().enumerate() {
        let beaten: Vec<&str> = off_diagonal(data)
            .filter(|(row, _, cell)| {
                *row == i
                    && theme.quantity.cost(cell.difference) < 0.0
                    && cell.p.is_some_and(|p| p < data.level)
            })
            .map(|(_, column, _)| data.methods[column].as_str())
            .collect();
        if !beaten.is_empty() {
            let _infallible = write!(text, " {name} is better than {}.", beaten.join(", "));
        }
    }
    text
}
