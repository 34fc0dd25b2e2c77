//! A population in a plane: some rows of each class, the border of the rule with the least balanced error and that of
//! the rule with the most accuracy. A population of one feature shows the densities instead of rows.

use super::axes::{self, Frame};
use super::scale::{Kind, Scale};
use super::scene::{Point, Scene, Stroke, Text};
use super::theme::{INK, MUTED, Style, Theme, size};
use super::{Figure, Guard, PlotError, finish, font};

/// What is drawn, in the coordinates of the plane.
#[derive(Debug, Clone, PartialEq)]
pub struct PopulationMap {
    /// Id of the population.
    pub population: String,
    /// Ends and title of the axis to the right.
    pub across: ((f64, f64), String),
    /// Ends and title of the axis upwards.
    pub up: ((f64, f64), String),
    /// Some rows of each class.
    pub rows: Vec<Vec<Point>>,
    /// The density of each class over a single feature; empty where there are rows.
    pub densities: Vec<Vec<Point>>,
    /// Border of the rule with the least balanced error.
    pub balanced: Vec<Vec<Point>>,
    /// Border of the rule with the most accuracy.
    pub accuracy: Vec<Vec<Point>>,
    /// Of which class shares that is, in words.
    pub shares: String,
}

const GUARD: Guard = Guard {
    figure: "population map",
};
/// Dash of the border for accuracy.
const DASH: [f64; 2] = [4.0, 2.5];

/// Draws the figure.
///
/// # Errors
/// [`PlotError::Data`] for a number that is not finite, or an axis that ends before it starts.
pub fn population_map(data: &PopulationMap, theme: &Theme) -> Result<Figure, PlotError> {
    let lines = [&data.rows, &data.densities, &data.balanced, &data.accuracy];
    for value in lines
        .into_iter()
        .flatten()
        .flatten()
        .flat_map(|p| [p.0, p.1])
    {
        GUARD.finite(value, "a coordinate", &data.population)?;
    }
    for ends in [data.across.0, data.up.0] {
        GUARD.interval(ends, "an axis", &data.population)?;
    }
    let top = 34.0;
    let frame = Frame {
        left: 44.0,
        top,
        right: theme.width - 10.0,
        bottom: top + 0.62 * theme.width,
    };
    let mut scene = Scene::new(theme.width, frame.bottom + 36.0);
    let x = Scale::new(Kind::Linear, data.across.0, (frame.left, frame.right));
    let y = Scale::new(Kind::Linear, data.up.0, (frame.bottom, frame.top));
    axes::draw_y(&mut scene, &frame, &y, &axes::y_ticks(&y, 5), true);
    axes::draw_x(&mut scene, &frame, &x, &axes::x_ticks(&x, 6)?, true);
    let names: Vec<String> = (0..data.rows.len().max(data.densities.len()))
        .map(|k| format!("class {k}"))
        .collect();
    let styles = theme.styles(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let place = |&(u, v): &Point| (x.at(u), y.at(v));
    let inside = |(px, py): &Point| {
        (frame.left..=frame.right).contains(px) && (frame.top..=frame.bottom).contains(py)
    };
    for (rows, style) in data.rows.iter().zip(&styles) {
        for at in rows.iter().map(place).filter(inside) {
            scene.marker(at, style.shape, 2.0, (style.ink, false));
        }
    }
    for (line, style) in data.densities.iter().zip(&styles) {
        scene.polyline(
            line.iter().map(place).collect(),
            Stroke::solid(style.ink, 1.6),
        );
    }
    for line in &data.balanced {
        scene.polyline(line.iter().map(place).collect(), Stroke::solid(INK, 1.3));
    }
    for line in &data.accuracy {
        scene.polyline(
            line.iter().map(place).collect(),
            Stroke::dashed(INK, 1.3, &DASH),
        );
    }
    key(&mut scene, data, (&names, &styles), theme.width)?;
    let middle = f64::midpoint(frame.top, frame.bottom);
    axes::y_title(
        &mut scene,
        (11.0, middle),
        &data.up.1,
        frame.bottom - frame.top,
    )?;
    let below = (f64::midpoint(frame.left, frame.right), frame.bottom + 28.0);
    axes::x_title(&mut scene, below, &data.across.1, frame.right - frame.left)?;
    let title = format!("Population {}", data.population);
    let description = format!(
        "{} classes of the population {}, with the border of the rule of least balanced error (solid) and that of the \
         rule of most accuracy at class shares of {} (dashed).",
        names.len(),
        data.population,
        data.shares
    );
    finish(&scene, theme, title, description)
}

/// Classes in the first line, as many as fit; both borders in the second.
fn key(
    scene: &mut Scene,
    data: &PopulationMap,
    (names, styles): (&[String], &[Style]),
    width: f64,
) -> Result<(), PlotError> {
    let text = |at: Point, words: &str| {
        Text::new(
            (at.0, at.1 + size::LABEL * font::MIDDLE),
            words,
            size::LABEL,
            MUTED,
        )
    };
    let mut left = 10.0;
    for (name, style) in names.iter().zip(styles) {
        let end = left + 10.0 + font::width(name, size::LABEL, false)?;
        if end > width {
            break;
        }
        scene.marker((left + 2.0, 9.0), style.shape, 3.0, (style.ink, false));
        scene.text(text((left + 10.0, 9.0), name));
        left = end + 12.0;
    }
    let accuracy = format!("most accuracy at {}", data.shares);
    left = 8.0;
    for (words, dash) in [("least balanced error", &[][..]), (&accuracy, &DASH)] {
        scene.line(
            (left, 23.0),
            (left + 18.0, 23.0),
            Stroke::dashed(INK, 1.3, dash),
        );
        let room = width - left - 24.0;
        let words = font::shorten(words, size::LABEL, false, room)?;
        scene.text(text((left + 22.0, 23.0), &words));
        left += 22.0 + font::width(&words, size::LABEL, false)? + 24.0;
    }
    Ok(())
}
