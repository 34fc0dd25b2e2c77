//! Balanced error against fit time: what a correction costs and what it brings.
//!
//! Lower and further left is better. The stepped line joins the corrections that no other beats in
//! both (the Pareto front).

use super::axes::{self, Frame, extent};
use super::key::{self, Sample};
use super::labels::{Placer, leader};
use super::scale::{Kind, Scale, fixed};
use super::scene::{Point, Scene, Stroke, Text};
use super::theme::{INK, MUTED, Quantity, REST, Theme, size};
use super::{Figure, Guard, PlotError, count, distinct, finish, font, nothing};

/// One correction.
#[derive(Debug, Clone, PartialEq)]
pub struct CostPoint {
    /// Id of the correction.
    pub correction: String,
    /// Seconds of a fit, above zero.
    pub seconds: f64,
    /// Ends of the 95 % interval of the seconds.
    pub seconds_band: Option<(f64, f64)>,
    /// The metric of the theme, a fraction.
    pub error: f64,
    /// Ends of its 95 % interval.
    pub error_band: Option<(f64, f64)>,
}

/// All corrections of one model or of all.
#[derive(Debug, Clone, PartialEq)]
pub struct CostBenefit {
    /// What the numbers cover, such as a model; stands in the title.
    pub scope: String,
    /// The corrections.
    pub points: Vec<CostPoint>,
}

const GUARD: Guard = Guard {
    figure: "cost-benefit figure",
};

/// Draws the figure.
///
/// # Errors
///
/// [`PlotError::Data`] for a time that is not above zero, numbers that are not finite, an interval
/// with its ends swapped, or a correction given twice.
pub fn cost_benefit(data: &CostBenefit, theme: &Theme) -> Result<Figure, PlotError> {
    let title = format!(
        "{} against fit time, {}",
        theme.quantity.title(),
        data.scope
    );
    check(data)?;
    if data.points.is_empty() {
        return nothing(
            theme,
            title,
            &format!(
                "No costs to show: no finished cell has both a time and a value of {}.",
                theme.quantity.name
            ),
        );
    }
    let height = if theme.width >= 500.0 { 300.0 } else { 240.0 };
    let errors = data.points.iter().flat_map(|p| {
        let (low, high) = p.error_band.unwrap_or((p.error, p.error));
        [p.error, low, high]
    });
    let y_domain = axes::pad(extent(errors.map(|e| e * 100.0)).unwrap_or((0.0, 1.0)), 2.0);
    let times = data.points.iter().flat_map(|p| {
        let (low, high) = p.seconds_band.unwrap_or((p.seconds, p.seconds));
        [p.seconds, low, high]
    });
    let x_domain = axes::pad_log(extent(times).unwrap_or((0.1, 1.0)));
    let y = Scale::new(Kind::Linear, y_domain, (12.0 + height, 12.0));
    let y_ticks = axes::y_ticks(&y, 6);
    let frame = Frame {
        left: 22.0 + axes::label_width(&y_ticks)?,
        top: 12.0,
        right: theme.width - 12.0,
        bottom: 12.0 + height,
    };
    let x = Scale::new(Kind::Log, x_domain, (frame.left, frame.right));
    let mut scene = Scene::new(theme.width, frame.bottom + 54.0);
    axes::draw_y(&mut scene, &frame, &y, &y_ticks, true);
    let ticks = axes::x_ticks(&x, 6)?;
    axes::draw_x(&mut scene, &frame, &x, &ticks, true);
    let steps = front_line((data, &theme.quantity), &frame, (&x, &y));
    scene.polyline(steps.clone(), Stroke::solid(REST, 1.4));
    let unplaced = draw_points(&mut scene, (data, &steps), &frame, (&x, &y), theme)?;
    axes::y_title(
        &mut scene,
        (11.0, f64::midpoint(frame.top, frame.bottom)),
        &theme.quantity.axis(),
        height,
    )?;
    let at = (f64::midpoint(frame.left, frame.right), frame.bottom + 28.0);
    axes::x_title(
        &mut scene,
        at,
        "time of a fit (seconds, log scale)",
        theme.width - frame.left,
    )?;
    let note = font::shorten(
        "Grey steps: corrections that no other beats in both.",
        size::TICK,
        false,
        theme.width - 16.0,
    )?;
    scene.text(Text::new(
        (8.0, frame.bottom + 46.0),
        note,
        size::TICK,
        MUTED,
    ));
    if !unplaced.is_empty() {
        let top = scene.height;
        let width = theme.width - 16.0;
        scene.height = top + key::measure(&unplaced, width)?.0 + 4.0;
        key::draw(&mut scene, &unplaced, (8.0, top), width)?;
    }
    finish(&scene, theme, title, describe(data, &theme.quantity))
}

fn check(data: &CostBenefit) -> Result<(), PlotError> {
    for (i, point) in data.points.iter().enumerate() {
        let place = &point.correction;
        if data.points[..i]
            .iter()
            .any(|known| known.correction == point.correction)
        {
            return Err(GUARD.twice("a correction", place));
        }
        GUARD.positive(point.seconds, "a time", place)?;
        GUARD.finite(point.error, "a value", place)?;
        if let Some(band) = point.error_band {
            GUARD.interval(band, "the interval of the error", place)?;
        }
        if let Some(band) = point.seconds_band {
            GUARD.interval(band, "the interval of the time", place)?;
            GUARD.positive(band.0, "the lower end of the time", place)?;
        }
    }
    Ok(())
}

/// The corrections that no other beats in both, fastest first.
fn front<'a>(data: &'a CostBenefit, quantity: &Quantity) -> Vec<&'a CostPoint> {
    let cost = |point: &CostPoint| quantity.cost(point.error);
    let mut points: Vec<&CostPoint> = data.points.iter().collect();
    points.sort_by(|a, b| {
        a.seconds
            .total_cmp(&b.seconds)
            .then(cost(a).total_cmp(&cost(b)))
    });
    let mut best = f64::INFINITY;
    points.retain(|point| {
        let keep = cost(point) < best;
        best = best.min(cost(point));
        keep
    });
    points
}

fn front_line(
    (data, quantity): (&CostBenefit, &Quantity),
    frame: &Frame,
    (x, y): (&Scale, &Scale),
) -> Vec<Point> {
    // The steps come in from the bad end of the axis.
    let bad = if quantity.lower_is_better {
        frame.top
    } else {
        frame.bottom
    };
    let mut steps: Vec<Point> = Vec::new();
    for point in front(data, quantity) {
        let at = (x.at(point.seconds), y.at(point.error * 100.0));
        steps.push((at.0, steps.last().map_or(bad, |last| last.1)));
        steps.push(at);
    }
    if let Some(last) = steps.last().copied() {
        steps.push((frame.right, last.1));
    }
    steps
}

/// Draws the points with their names, and gives back those whose names found no place.
fn draw_points(
    scene: &mut Scene,
    (data, steps): (&CostBenefit, &[Point]),
    frame: &Frame,
    (x, y): (&Scale, &Scale),
    theme: &Theme,
) -> Result<Vec<(Sample, String)>, PlotError> {
    let names = distinct(data.points.iter().map(|p| p.correction.as_str()));
    let styles = theme.styles(&names);
    let at = |point: &CostPoint| (x.at(point.seconds), y.at(point.error * 100.0));
    let places: Vec<Point> = data.points.iter().map(at).collect();
    let bounds = [
        frame.left + 2.0,
        frame.top,
        frame.right + 10.0,
        frame.bottom - 2.0,
    ];
    let mut placer = Placer::new(bounds, &places, 4.6);
    placer.avoid(steps);
    for ((point, style), at) in data.points.iter().zip(&styles).zip(&places) {
        let errors = point
            .error_band
            .map(|(low, high)| [(at.0, y.at(low * 100.0)), (at.0, y.at(high * 100.0))]);
        let times = point
            .seconds_band
            .map(|(low, high)| [(x.at(low), at.1), (x.at(high), at.1)]);
        for [from, to] in [errors, times].into_iter().flatten() {
            placer.avoid(&[from, to]);
            scene.line(from, to, Stroke::solid(style.ink, 0.9));
        }
    }
    let room = (frame.right - frame.left) * 0.3;
    let mut unplaced = Vec::new();
    for ((name, style), at) in names.iter().zip(&styles).zip(&places) {
        let extent = (font::width(name, size::TICK, false)?, size::TICK);
        let place = if extent.0 <= room {
            placer.place_clear(*at, extent)
        } else {
            None
        };
        let Some((left, top)) = place else {
            unplaced.push((Sample::Mark(*style), (*name).to_owned()));
            continue;
        };
        if let Some(end) = leader(*at, (left, top), extent) {
            scene.line(*at, end, Stroke::solid(style.ink, 0.6));
        }
        scene.text(Text::new(
            (left, top + size::TICK * 0.86),
            *name,
            size::TICK,
            INK,
        ));
    }
    for ((point, style), at) in data.points.iter().zip(&styles).zip(&places) {
        let tip = format!(
            "{}: {}{}, {} s",
            point.correction,
            fixed(point.error * 100.0, 1),
            theme.quantity.unit(),
            fixed(point.seconds, 3)
        );
        scene.with_tip(tip, |scene| {
            scene.marker(*at, style.shape, 3.6, (style.ink, style.hollow));
        });
    }
    Ok(unplaced)
}

fn describe(data: &CostBenefit, quantity: &Quantity) -> String {
    let best: Vec<String> = front(data, quantity)
        .into_iter()
        .map(|p| {
            format!(
                "{} ({}{}, {} s)",
                p.correction,
                fixed(p.error * 100.0, 1),
                quantity.unit(),
                fixed(p.seconds, 3)
            )
        })
        .collect();
    format!(
        "Scatter plot of {}: fit time on a logarithmic axis, {} upwards. Not beaten in both: {}.",
        count(data.points.len(), "correction"),
        quantity.name,
        best.join(", ")
    )
}
