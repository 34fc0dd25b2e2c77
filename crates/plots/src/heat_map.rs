//! Heat map of differences: one row a dataset, one column a correction.
//!
//! Rows are datasets, because there are many of them and their names read best across. The colour
//! is centred at no difference; numbers stand in the cells as far as they fit. A missing cell is
//! hatched and the key says why it is missing.

use std::fmt::Write as _;

use super::grid::{Diverging, Grid, hatch};
use super::scale::{fixed, signed};
use super::scene::{Anchor, Scene, Text};
use super::theme::{MUTED, Theme, size};
use super::{Figure, Guard, PlotError, count, finish, font, nothing};

/// Differences of a measure to the baseline.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMap {
    /// What differs, such as `balanced error`.
    pub measure: String,
    /// What the rows and the columns are, such as `dataset` and `correction`.
    pub by: [String; 2],
    /// What the differences are to.
    pub baseline: String,
    /// Names of the rows, from top to bottom.
    pub rows: Vec<String>,
    /// Names of the columns, from left to right.
    pub columns: Vec<String>,
    /// Value minus baseline, a fraction, for each row and column; `None` where there is no result.
    pub cells: Vec<Vec<Option<f64>>>,
    /// Why cells are missing, for the key, such as `not applicable or failed`.
    pub missing: String,
}

const GUARD: Guard = Guard { figure: "heat map" };

/// Draws the heat map.
///
/// # Errors
///
/// [`PlotError::Data`] when the cells do not form rows times columns or one is not finite.
pub fn heat_map(data: &HeatMap, theme: &Theme) -> Result<Figure, PlotError> {
    let title = format!(
        "Difference in {} to {}, by {} and {}",
        data.measure, data.baseline, data.by[0], data.by[1]
    );
    let values = check(data)?;
    if data.rows.is_empty() || data.columns.is_empty() {
        return nothing(
            theme,
            title,
            "No differences to show: there is no dataset with a result for the baseline and for another correction.",
        );
    }
    let row_height = if data.rows.len() > 30 { 12.5 } else { 15.0 };
    let names = (&data.rows[..], &data.columns[..]);
    let (grid, upright) = Grid::fit(names, (64.0, row_height), theme.width)?;
    let bottom = grid.top + row_height * data.rows.len() as f64;
    let gaps = data.cells.iter().flatten().any(Option::is_none);
    let scale = Diverging::of(&values, theme.quantity.lower_is_better);
    let key_left = 8.0;
    let height = bottom + 50.0 + if gaps { 18.0 } else { 0.0 };
    let mut scene = Scene::new(theme.width, height);
    grid.names(&mut scene, names, upright)?;

    let decimals = decimals(&values, grid.cell.0 - 3.0)?;
    for (row, cells) in data.cells.iter().enumerate() {
        for (column, cell) in cells.iter().enumerate() {
            let rect = grid.rect(row, column);
            let place = format!("{}, {}", data.columns[column], data.rows[row]);
            match cell {
                None => scene.with_tip(format!("{place}: {}", data.missing), |scene| {
                    hatch(scene, rect);
                }),
                Some(value) => {
                    let points = value * 100.0;
                    let tip = format!("{place}: {} points", signed(points, 2));
                    scene.with_tip(tip, |scene| {
                        draw_cell(scene, rect, points, &scale, decimals);
                    });
                }
            }
        }
    }
    let unit = format!("{} minus that of {} (points)", data.measure, data.baseline);
    scale.key(
        &mut scene,
        (key_left, bottom + 10.0),
        (&unit, ["better", "worse"]),
    )?;
    if gaps {
        let rect = [key_left, bottom + 50.0, 22.0, 10.0];
        hatch(&mut scene, rect);
        let room = theme.width - key_left - 32.0;
        let text = font::shorten(
            &format!("no result: {}", data.missing),
            size::TICK,
            false,
            room,
        )?;
        scene.text(Text::new(
            (key_left + 28.0, bottom + 58.0),
            text,
            size::TICK,
            MUTED,
        ));
    }
    finish(&scene, theme, title, describe(data, theme))
}

fn check(data: &HeatMap) -> Result<Vec<f64>, PlotError> {
    let hint = "give one row of cells for each dataset and one cell for each correction";
    if data.cells.len() != data.rows.len() {
        let what = format!(
            "{} of cells for {}",
            count(data.cells.len(), "row"),
            count(data.rows.len(), "dataset")
        );
        return Err(GUARD.error(what, "the cells", hint));
    }
    let mut values = Vec::new();
    for (name, row) in data.rows.iter().zip(&data.cells) {
        if row.len() != data.columns.len() {
            let what = format!(
                "{} for {}",
                count(row.len(), "cell"),
                count(data.columns.len(), "correction")
            );
            return Err(GUARD.error(what, name, hint));
        }
        for cell in row.iter().flatten() {
            values.push(GUARD.finite(*cell, "a difference", name)? * 100.0);
        }
    }
    Ok(values)
}

/// The most decimals, one at most, with which all numbers fit into a cell.
fn decimals(values: &[f64], room: f64) -> Result<Option<i32>, PlotError> {
    for decimals in [1, 0] {
        let texts: Vec<String> = values.iter().map(|v| signed(*v, decimals)).collect();
        if font::widest(texts.iter().map(String::as_str), size::SMALL, false)? <= room {
            return Ok(Some(decimals));
        }
    }
    Ok(None)
}

fn draw_cell(
    scene: &mut Scene,
    rect: [f64; 4],
    points: f64,
    scale: &Diverging,
    decimals: Option<i32>,
) {
    let (ink, opacity) = scale.paint(points);
    scene.rect(rect, ink, opacity);
    let text = match decimals {
        Some(decimals) => signed(points, decimals),
        None if points < 0.0 => "−".to_owned(),
        None if points > 0.0 => "+".to_owned(),
        None => String::new(),
    };
    let at = (
        rect[0] + rect[2] / 2.0,
        rect[1] + rect[3] / 2.0 + size::SMALL * font::MIDDLE,
    );
    if rect[2] >= 6.0 {
        scene.text(
            Text::new(at, text, size::SMALL, scale.text_ink(points)).anchored(Anchor::Middle),
        );
    }
}

fn describe(data: &HeatMap, theme: &Theme) -> String {
    let (baseline, lower) = (&data.baseline, theme.quantity.lower_is_better);
    let (sign, word) = if lower {
        ("Negative", "lower")
    } else {
        ("Positive", "higher")
    };
    let mut text = format!(
        "A table of coloured cells, {} ({}) by {} ({}). {sign} numbers mean a {word} {} than {baseline}.",
        count(data.rows.len(), "row"),
        data.by[0],
        count(data.columns.len(), "column"),
        data.by[1],
        data.measure
    );
    for (column, name) in data.columns.iter().enumerate() {
        let known: Vec<f64> = data.cells.iter().filter_map(|row| row[column]).collect();
        if known.is_empty() {
            continue;
        }
        let better = known
            .iter()
            .filter(|v| theme.quantity.cost(**v) < 0.0)
            .count();
        let mean = known.iter().sum::<f64>() / known.len() as f64 * 100.0;
        let _infallible = write!(
            text,
            " {name}: {word} on {better} of {}, mean difference {} points.",
            count(known.len(), "row"),
            fixed(mean, 1)
        );
    }
    text
}
