//! Balanced error against the log loss of the probabilities as fitted: what a correction wins for
//! decisions and what it does to probabilities.
//!
//! Lower and further left is better. The stepped line is the Pareto front: the corrections that no
//! other is as good as in both and better than in one. Its members are named, the others tell their
//! name under the pointer; colours are families.

use super::axes::{self, Frame, extent};
use super::key::{self, Sample};
use super::labels::{Placer, leader};
use super::scale::{Kind, Scale, fixed};
use super::scene::{Point, Scene, Stroke, Text};
use super::theme::{INK, MUTED, REST, Theme, size};
use super::{Figure, Guard, PlotError, count, distinct, finish, font, nothing};

/// One correction.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationPoint {
    /// Id of the correction.
    pub correction: String,
    /// Its family, which gives the colour.
    pub family: String,
    /// Log loss, above zero, in nats.
    pub log_loss: f64,
    /// Balanced error, a fraction.
    pub error: f64,
    /// Whether it is on the front.
    pub front: bool,
}

/// All corrections of one model.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationFront {
    /// What the numbers cover, such as a model; stands in the title.
    pub scope: String,
    /// The corrections.
    pub points: Vec<CalibrationPoint>,
}

const GUARD: Guard = Guard {
    figure: "calibration front",
};

/// Draws the figure.
///
/// # Errors
///
/// [`PlotError::Data`] for a log loss that is not above zero, an error that is not finite, or a
/// correction given twice.
pub fn calibration_front(data: &CalibrationFront, theme: &Theme) -> Result<Figure, PlotError> {
    let title = format!("Balanced error against log loss, {}", data.scope);
    for (i, point) in data.points.iter().enumerate() {
        let place = &point.correction;
        if data.points[..i].iter().any(|p| p.correction == *place) {
            return Err(GUARD.twice("a correction", place));
        }
        GUARD.positive(point.log_loss, "a log loss", place)?;
        GUARD.finite(point.error, "a balanced error", place)?;
    }
    let losses = extent(data.points.iter().map(|p| p.log_loss));
    let errors = extent(data.points.iter().map(|p| p.error * 100.0));
    let (Some(losses), Some(errors)) = (losses, errors) else {
        return nothing(
            theme,
            title,
            "No points to show: no correction has both decisions and probabilities.",
        );
    };
    let height = if theme.width >= 500.0 { 300.0 } else { 240.0 };
    let y = Scale::new(Kind::Linear, axes::pad(errors, 2.0), (12.0 + height, 12.0));
    let y_ticks = axes::y_ticks(&y, 6);
    let frame = Frame {
        left: 22.0 + axes::label_width(&y_ticks)?,
        top: 12.0,
        right: theme.width - 12.0,
        bottom: 12.0 + height,
    };
    let x = Scale::new(Kind::Log, axes::pad_log(losses), (frame.left, frame.right));
    let families = distinct(data.points.iter().map(|p| p.family.as_str()));
    let width = theme.width - 16.0;
    let mut scene = Scene::new(theme.width, frame.bottom + 40.0);
    axes::draw_y(&mut scene, &frame, &y, &y_ticks, true);
    let ticks = axes::x_ticks(&x, 6)?;
    axes::draw_x(&mut scene, &frame, &x, &ticks, true);
    let steps = steps(data, &frame, (&x, &y));
    scene.polyline(steps.clone(), Stroke::solid(REST, 1.4));
    let mut entries = draw_points(&mut scene, (data, &steps), &frame, (&x, &y), theme)?;
    axes::y_title(
        &mut scene,
        (11.0, f64::midpoint(frame.top, frame.bottom)),
        "balanced error (%)",
        height,
    )?;
    let at = (f64::midpoint(frame.left, frame.right), frame.bottom + 28.0);
    let room = theme.width - frame.left;
    let words = "log loss of the probabilities as fitted (nats, log scale)";
    axes::x_title(&mut scene, at, words, room)?;
    let styles = family_styles(&families, theme);
    let named = families.iter().zip(styles);
    let named = named.map(|(family, style)| (Sample::Mark(style), (*family).to_owned()));
    entries.splice(0..0, named);
    entries.push((
        Sample::Line(Stroke::solid(REST, 1.4)),
        "Pareto front".to_owned(),
    ));
    let top = scene.height;
    scene.height = top + key::measure(&entries, width)?.0 + 4.0;
    key::draw(&mut scene, &entries, (8.0, top), width)?;
    finish(&scene, theme, title, describe(data))
}

/// Colours of families; the baseline's family is black, as its series is elsewhere.
fn family_styles(families: &[&str], theme: &Theme) -> Vec<super::theme::Style> {
    let plain = Theme {
        order: Vec::new(),
        baseline: "none".to_owned(),
        ..theme.clone()
    };
    plain.styles(families)
}

/// The members of the front, lowest log loss first.
fn front(data: &CalibrationFront) -> Vec<&CalibrationPoint> {
    let mut members: Vec<&CalibrationPoint> = data.points.iter().filter(|p| p.front).collect();
    members.sort_by(|a, b| {
        let by_loss = a.log_loss.total_cmp(&b.log_loss);
        by_loss.then(b.error.total_cmp(&a.error))
    });
    members
}

fn steps(data: &CalibrationFront, frame: &Frame, (x, y): (&Scale, &Scale)) -> Vec<Point> {
    let mut steps: Vec<Point> = Vec::new();
    for point in front(data) {
        let at = (x.at(point.log_loss), y.at(point.error * 100.0));
        steps.push((at.0, steps.last().map_or(frame.top, |last| last.1)));
        steps.push(at);
    }
    if let Some(last) = steps.last().copied() {
        steps.push((frame.right, last.1));
    }
    steps
}

/// Draws the points and names the front, and gives back the members whose names found no place.
fn draw_points(
    scene: &mut Scene,
    (data, steps): (&CalibrationFront, &[Point]),
    frame: &Frame,
    (x, y): (&Scale, &Scale),
    theme: &Theme,
) -> Result<Vec<(Sample, String)>, PlotError> {
    let families = distinct(data.points.iter().map(|p| p.family.as_str()));
    let styles = family_styles(&families, theme);
    let style = |point: &CalibrationPoint| {
        let at = families.iter().position(|family| *family == point.family);
        styles[at.unwrap_or(0)]
    };
    let at = |point: &CalibrationPoint| (x.at(point.log_loss), y.at(point.error * 100.0));
    let places: Vec<Point> = data.points.iter().map(at).collect();
    let bounds = [
        frame.left + 2.0,
        frame.top,
        frame.right + 10.0,
        frame.bottom - 2.0,
    ];
    let mut placer = Placer::new(bounds, &places, 4.6);
    placer.avoid(steps);
    let mut unplaced = Vec::new();
    for point in front(data) {
        let name = &point.correction;
        let extent = (font::width(name, size::TICK, false)?, size::TICK);
        let Some((left, top)) = placer.place(at(point), extent) else {
            unplaced.push((Sample::Mark(style(point)), format!("{name} (front)")));
            continue;
        };
        if let Some(end) = leader(at(point), (left, top), extent) {
            scene.line(at(point), end, Stroke::solid(MUTED, 0.6));
        }
        let start = (left, top + size::TICK * 0.86);
        scene.text(Text::new(start, name, size::TICK, INK));
    }
    for (point, place) in data.points.iter().zip(places) {
        let tip = format!(
            "{}: balanced error {} %, log loss {}",
            point.correction,
            fixed(point.error * 100.0, 1),
            fixed(point.log_loss, 3)
        );
        let style = style(point);
        scene.with_tip(tip, |scene| {
            scene.marker(place, style.shape, 3.6, (style.ink, style.hollow));
        });
    }
    Ok(unplaced)
}

fn describe(data: &CalibrationFront) -> String {
    let members: Vec<String> = front(data)
        .into_iter()
        .map(|p| {
            format!(
                "{} (log loss {}, balanced error {} %)",
                p.correction,
                fixed(p.log_loss, 3),
                fixed(p.error * 100.0, 1)
            )
        })
        .collect();
    format!(
        "Scatter plot of {}: log loss of the probabilities as fitted on a logarithmic axis, balanced \
         error upwards. On the Pareto front: {}.",
        count(data.points.len(), "correction"),
        members.join(", ")
    )
}
