//! Gain over the baseline against the imbalance ratio or the probability cost: small multiples, the same few corrections in the same
//! colours in every panel.
//!
//! A group of panels has one axis of gains: real data and populations differ in size and are never read off
//! one scale. Dots stand for other datasets at every place and are not joined; a line joins the same ones.

use std::fmt::Write as _;

use super::axes::{self, Frame, extent};
use super::key::{self, Sample};
use super::scale::{Kind, Scale, fixed, signed};
use super::scene::{Point, Scene, Stroke, Text};
use super::theme::{INK, MUTED, Style, Theme, size};
use super::{Figure, Guard, PlotError, count, distinct, finish, font, nothing};

/// One place of a line.
#[derive(Debug, Clone, PartialEq)]
pub struct GainDot {
    /// Imbalance ratio, above zero, or probability cost.
    pub place: f64,
    /// Gain, a fraction; above zero where the correction is better.
    pub gain: f64,
    /// Ends of its interval.
    pub band: Option<(f64, f64)>,
    /// Independent units behind it.
    pub units: usize,
    /// What the baseline has and what the correction has, fractions.
    pub levels: Option<[f64; 2]>,
}

/// One correction in a panel.
#[derive(Debug, Clone, PartialEq)]
pub struct GainLine {
    /// Its id.
    pub correction: String,
    /// Places that are not joined: other data at each.
    pub dots: Vec<GainDot>,
    /// Places that are: the same data at each.
    pub line: Vec<GainDot>,
}

/// One chart.
#[derive(Debug, Clone, PartialEq)]
pub struct GainPanel {
    /// What it shows, such as the model.
    pub title: String,
    /// One a correction.
    pub lines: Vec<GainLine>,
    /// What a rule without any regret would gain: ratio and gain.
    pub ceiling: Vec<(f64, f64)>,
}

/// Panels that share their axes.
#[derive(Debug, Clone, PartialEq)]
pub struct GainGroup {
    /// What they are about, such as `Real datasets`.
    pub heading: String,
    /// One a model.
    pub panels: Vec<GainPanel>,
}

/// What a gain hangs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GainAxis {
    /// The imbalance ratio, on a logarithmic axis.
    Ratio,
    /// The probability cost, from 0 to 1; gains are of expected cost.
    ProbabilityCost,
}

impl GainAxis {
    fn is_ratio(self) -> bool {
        self == Self::Ratio
    }

    /// In the middle of a sentence.
    fn name(self) -> &'static str {
        match self {
            Self::Ratio => "imbalance ratio",
            Self::ProbabilityCost => "probability cost",
        }
    }

    fn place(self, place: f64) -> String {
        match self {
            Self::Ratio => format!("ratio {}", fixed(place, 1)),
            Self::ProbabilityCost => format!("probability cost {}", fixed(place, 2)),
        }
    }
}

/// All groups.
#[derive(Debug, Clone, PartialEq)]
pub struct GainCurves {
    /// The axis of places.
    pub axis: GainAxis,
    /// From top to bottom.
    pub groups: Vec<GainGroup>,
}

const GUARD: Guard = Guard {
    figure: "gain by ratio",
};
const TITLE: f64 = 18.0;
const GAP: f64 = 10.0;

/// Draws the figure.
///
/// # Errors
///
/// [`PlotError::Data`] for a ratio that is not above zero, a gain that is not finite, or an interval with
/// its ends swapped.
pub fn gain_curves(data: &GainCurves, theme: &Theme) -> Result<Figure, PlotError> {
    let title = format!(
        "Gain over {} against {}{}",
        theme.baseline,
        data.axis.name(),
        if data.axis.is_ratio() {
            ", by model"
        } else {
            ""
        }
    );
    check(data)?;
    let groups: Vec<&GainGroup> = data
        .groups
        .iter()
        .filter(|g| !g.panels.is_empty())
        .collect();
    if groups.is_empty() {
        return nothing(
            theme,
            title,
            "No gains to show: nothing has results with and without a correction.",
        );
    }
    let names = groups.iter().flat_map(|g| &g.panels).flat_map(|p| &p.lines);
    let names = distinct(names.map(|line| line.correction.as_str()));
    let styles = theme.styles(&names);
    let mut entries: Vec<(Sample, String)> = names
        .iter()
        .zip(&styles)
        .map(|(name, style)| (Sample::Series(*style), (*name).to_owned()))
        .collect();
    if groups
        .iter()
        .flat_map(|g| &g.panels)
        .any(|panel| !panel.ceiling.is_empty())
    {
        entries.push((Sample::Line(ceiling()), "rule without regret".to_owned()));
    }
    let inner = theme.width - 16.0;
    let (key_height, _) = key::measure(&entries, inner)?;
    let mut scene = Scene::new(theme.width, 0.0);
    key::draw(&mut scene, &entries, (8.0, 6.0), inner)?;
    let mut top = key_height + 12.0;
    for group in &groups {
        top = draw_group(
            &mut scene,
            group,
            (&names, &styles),
            (theme, data.axis, top),
        )?;
    }
    scene.height = top;
    finish(&scene, theme, title, describe(&groups, data.axis))
}

fn ceiling() -> Stroke {
    Stroke::dashed(MUTED, 1.2, &[1.5, 2.0])
}

fn draw_group(
    scene: &mut Scene,
    group: &GainGroup,
    (names, styles): (&[&str], &[Style]),
    (theme, axis, top): (&Theme, GainAxis, f64),
) -> Result<f64, PlotError> {
    let wanted = if theme.width >= 640.0 { 4 } else { 2 };
    let columns = wanted.min(group.panels.len());
    let height = 112.0;
    let places = || {
        group
            .panels
            .iter()
            .flat_map(|p| &p.lines)
            .flat_map(|l| l.dots.iter().chain(&l.line))
    };
    let (low, high) = extent(places().map(|d| d.gain * 100.0).chain([0.0])).unwrap_or((0.0, 1.0));
    let air = (high - low).max(2.0) * 0.12;
    let y = Scale::new(Kind::Linear, (low - air, high + air), (height, 0.0));
    let y_ticks: axes::Ticks = axes::y_ticks(&y, 5)
        .into_iter()
        .map(|(value, text)| {
            (
                value,
                if value > 0.0 {
                    format!("+{text}")
                } else {
                    text
                },
            )
        })
        .collect();
    let x = if axis.is_ratio() {
        let (low, high) = extent(places().map(|d| d.place)).unwrap_or((1.0, 10.0));
        Scale::new(
            Kind::Log,
            axes::pad_log((low, high.max(low * 2.0))),
            (0.0, 1.0),
        )
    } else {
        Scale::new(Kind::Linear, (-0.03, 1.03), (0.0, 1.0))
    };
    let left = 20.0 + axes::label_width(&y_ticks)? + 6.0;
    let cell = (theme.width - left) / columns as f64;
    let rows = group.panels.len().div_ceil(columns);
    let mut first = top;
    if !group.heading.is_empty() {
        let heading = font::shorten(&group.heading, size::TITLE, true, theme.width - 16.0)?;
        scene.text(Text::new((8.0, top + 12.0), heading, size::TITLE, INK).bold());
        first += 22.0;
    }
    let pitch = height + TITLE + GAP;
    // A reader's font may be wider than ours by a fifth: titles that nearly fill a panel are set smaller, all alike.
    let widest = font::widest(
        group.panels.iter().map(|panel| panel.title.as_str()),
        size::LABEL,
        true,
    )?;
    let title_size =
        (size::LABEL * 0.78 * cell / widest.max(1.0)).clamp(0.8 * size::LABEL, size::LABEL);
    for (i, panel) in group.panels.iter().enumerate() {
        let x0 = left + (i % columns) as f64 * cell;
        let y0 = first + (i / columns) as f64 * pitch + TITLE;
        let frame = Frame {
            left: x0,
            top: y0,
            right: x0 + cell - 10.0,
            bottom: y0 + height,
        };
        let (x, y) = (
            x.with_range((frame.left, frame.right)),
            y.with_range((frame.bottom, frame.top)),
        );
        axes::draw_y(scene, &frame, &y, &y_ticks, i % columns == 0);
        axes::draw_x(
            scene,
            &frame,
            &x,
            &axes::x_ticks(&x, 5)?,
            i + columns >= group.panels.len(),
        );
        let zero = y.at(0.0);
        scene.line(
            (frame.left, zero),
            (frame.right, zero),
            Stroke::solid(MUTED, 1.0),
        );
        let name = font::shorten(&panel.title, title_size, true, 0.86 * cell)?;
        scene.text(Text::new((frame.left, frame.top - 5.0), name, title_size, INK).bold());
        let limit: Vec<Point> = panel
            .ceiling
            .iter()
            .map(|(r, g)| (x.at(*r), y.at(g * 100.0)))
            .collect();
        scene.polyline(limit, ceiling());
        for line in &panel.lines {
            let at = names
                .iter()
                .position(|name| *name == line.correction)
                .unwrap_or(0);
            let shift = (at as f64 - (names.len() as f64 - 1.0) / 2.0) * 2.6;
            draw_line(scene, (panel, line), (&x, &y, shift), (axis, styles[at]));
        }
    }
    let bottom = first + rows as f64 * pitch - GAP;
    let at = (f64::midpoint(left, theme.width - 10.0), bottom + 27.0);
    let (title, words) = match axis {
        GainAxis::Ratio => (
            "imbalance ratio (log scale)",
            format!("gain in {} (points)", theme.quantity.name),
        ),
        GainAxis::ProbabilityCost => ("probability cost", "saved cost (points)".to_owned()),
    };
    axes::x_title(scene, at, title, theme.width - left)?;
    axes::y_title(
        scene,
        (12.0, f64::midpoint(first + TITLE, bottom)),
        &words,
        bottom - first,
    )?;
    Ok(bottom + 38.0)
}

fn draw_line(
    scene: &mut Scene,
    (panel, line): (&GainPanel, &GainLine),
    (x, y, shift): (&Scale, &Scale, f64),
    (axis, style): (GainAxis, Style),
) {
    let at = |dot: &GainDot, shift: f64| (x.at(dot.place) + shift, y.at(dot.gain * 100.0));
    let joined: Vec<Point> = line.line.iter().map(|dot| at(dot, 0.0)).collect();
    let edge = |end: fn((f64, f64)) -> f64| {
        let of = move |dot: &GainDot| Some((x.at(dot.place), y.at(end(dot.band?) * 100.0)));
        line.line.iter().filter_map(of)
    };
    let mut area: Vec<Point> = edge(|band| band.0).collect();
    let mut upper: Vec<Point> = edge(|band| band.1).collect();
    upper.reverse();
    area.extend(upper);
    scene.polygon(area, style.ink, 0.1);
    scene.polyline(joined, Stroke::dashed(style.ink, style.width, style.dash));
    for (dot, shift) in line
        .dots
        .iter()
        .map(|d| (d, shift))
        .chain(line.line.iter().map(|d| (d, 0.0)))
    {
        let ends = dot.band.map_or_else(String::new, |(low, high)| {
            format!(" [{}, {}]", signed(low * 100.0, 1), signed(high * 100.0, 1))
        });
        let levels = dot.levels.map_or_else(String::new, |[base, own]| {
            format!(
                ", from {} to {}",
                fixed(base * 100.0, 1),
                fixed(own * 100.0, 1)
            )
        });
        let tip = format!(
            "{}, {}: {} points{ends}{levels} at {}, n {}",
            panel.title,
            line.correction,
            signed(dot.gain * 100.0, 1),
            axis.place(dot.place),
            dot.units
        );
        let (px, py) = at(dot, shift);
        scene.with_tip(tip, |scene| {
            if let Some((low, high)) = dot.band.filter(|_| shift != 0.0 || line.line.is_empty()) {
                scene.line(
                    (px, y.at(low * 100.0)),
                    (px, y.at(high * 100.0)),
                    Stroke::solid(style.ink, 0.9),
                );
            }
            // So many places of a line need no marks.
            let radius = if axis.is_ratio() { 2.6 } else { 1.4 };
            scene.marker((px, py), style.shape, radius, (style.ink, style.hollow));
        });
    }
}

fn check(data: &GainCurves) -> Result<(), PlotError> {
    for panel in data.groups.iter().flat_map(|group| &group.panels) {
        for line in &panel.lines {
            let place = format!("{} of {}", line.correction, panel.title);
            for dot in line.dots.iter().chain(&line.line) {
                if data.axis.is_ratio() {
                    GUARD.positive(dot.place, "a ratio", &place)?;
                }
                GUARD.finite(dot.place, "a place", &place)?;
                GUARD.finite(dot.gain, "a gain", &place)?;
                if let Some(band) = dot.band {
                    GUARD.interval(band, "an interval", &place)?;
                }
            }
        }
        for (ratio, gain) in &panel.ceiling {
            GUARD.positive(*ratio, "a ratio", &panel.title)?;
            GUARD.finite(*gain, "a gain", &panel.title)?;
        }
    }
    Ok(())
}

fn describe(groups: &[&GainGroup], axis: GainAxis) -> String {
    let mut text = match axis {
        GainAxis::Ratio => "Small charts of gain over a logarithmic axis of imbalance ratios.",
        GainAxis::ProbabilityCost => {
            "Small charts of saved cost over an axis of probability costs."
        }
    }
    .to_owned();
    for group in groups {
        let _infallible = write!(
            text,
            " {}{}:",
            if group.heading.is_empty() {
                String::new()
            } else {
                format!("{}, ", group.heading)
            },
            count(group.panels.len(), "panel")
        );
        let first = group
            .panels
            .first()
            .map_or(&[][..], |panel| &panel.lines[..]);
        let title = group.panels.first().map_or("", |panel| &panel.title);
        let lines = first.iter().filter_map(|line| {
            let mut dots: Vec<&GainDot> = line.dots.iter().chain(&line.line).collect();
            dots.sort_by(|a, b| a.place.total_cmp(&b.place));
            let (low, high) = (dots.first()?, dots.last()?);
            let points = |dot: &GainDot| signed(dot.gain * 100.0, 1);
            Some(format!(
                "{} {} at {} and {} at {}",
                line.correction,
                points(low),
                axis.place(low.place),
                points(high),
                axis.place(high.place)
            ))
        });
        let lines: Vec<String> = lines.collect();
        let _infallible = write!(text, " in {title} {}.", lines.join(", "));
    }
    text
}
