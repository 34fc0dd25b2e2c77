//! A swept parameter against the metric, the best value marked with its interval.
//!
//! One panel a model, one curve an entry that sweeps the parameter. Numbers lie on a line, linear or
//! logarithmic by their spacing; words are dots of their own. The large marker stands at the best value,
//! the bar through it spans its interval. A dashed vertical line stands at the default, a dotted
//! horizontal one at what no correction reaches.

use std::fmt::Write as _;

use super::multiples::{self, Line, Mark, Panel, Place, Shared};
use super::scale::{Kind, fixed};
use super::theme::Theme;
use super::{Figure, Guard, PlotError, count, distinct, finish, nothing};

/// Place along the parameter (of words from 1), value as a fraction, and the ends of its 95 % interval.
pub type AblationPoint = (f64, f64, Option<(f64, f64)>);

/// The best value of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BestSetting {
    /// Its place along the parameter.
    pub at: f64,
    /// The metric there, a fraction.
    pub value: f64,
    /// Ends of the 95 % interval of the best value.
    pub interval: Option<(f64, f64)>,
}

/// One curve.
#[derive(Debug, Clone, PartialEq)]
pub struct AblationCurve {
    /// Name at its end, such as the entry.
    pub name: String,
    /// In any order; a place at most once.
    pub points: Vec<AblationPoint>,
    /// The best value, where it is known.
    pub best: Option<BestSetting>,
}

/// One model.
#[derive(Debug, Clone, PartialEq)]
pub struct AblationPanel {
    /// What the panel shows, such as the id of a model.
    pub title: String,
    /// The curves.
    pub curves: Vec<AblationCurve>,
    /// What no correction reaches on the same datasets, where all curves agree on them.
    pub reference: Option<f64>,
}

/// How the values of the parameter lie.
#[derive(Debug, Clone, PartialEq)]
pub enum Spacing {
    /// Numbers at even steps, roughly.
    Linear,
    /// Numbers at even ratios, roughly.
    Log,
    /// Words, at 1, 2 and so on.
    Words(Vec<String>),
}

/// All panels.
#[derive(Debug, Clone, PartialEq)]
pub struct Ablations {
    /// The parameter, such as `k` or `tau`.
    pub parameter: String,
    /// Its axis.
    pub spacing: Spacing,
    /// One a model.
    pub panels: Vec<AblationPanel>,
    /// The place of the default.
    pub default: Option<f64>,
}

const GUARD: Guard = Guard { figure: "ablation" };

/// Draws the figure.
///
/// # Errors
///
/// [`PlotError::Data`] for numbers that are not finite, an interval with its ends swapped, or a
/// place or a curve given twice.
pub fn ablations(data: &Ablations, theme: &Theme) -> Result<Figure, PlotError> {
    let parameter = &data.parameter;
    let title = format!("{} against {parameter}", theme.quantity.title());
    let curves = data.panels.iter().flat_map(|panel| &panel.curves);
    let names = distinct(curves.map(|curve| curve.name.as_str()));
    let styles = theme.styles(&names);
    let words: &[String] = match &data.spacing {
        Spacing::Words(words) => words,
        _ => &[],
    };
    let said = |place: f64| -> String {
        let word = (1..)
            .zip(words)
            .find(|(at, _)| (f64::from(*at) - place).abs() < 0.5);
        word.map_or_else(|| short(place), |(_, word)| word.clone())
    };
    let mut panels = Vec::new();
    let mut description = format!(
        "Charts of {} over {parameter}, {}.",
        theme.quantity.name,
        count(data.panels.len(), "panel")
    );
    let mut dense = false;
    for panel in &data.panels {
        let mut lines = Vec::new();
        let mut note = String::new();
        for (i, curve) in panel.curves.iter().enumerate() {
            let place = format!("{} of {}", curve.name, panel.title);
            if panel.curves[..i]
                .iter()
                .any(|known| known.name == curve.name)
            {
                return Err(GUARD.twice("a curve", &place));
            }
            let places = check_curve(curve, &place)?;
            let mark = curve
                .best
                .map(|best| check_best(&best, &place))
                .transpose()?;
            dense |= places.len() > 15;
            if let Some(mark) = mark {
                let words = match mark.interval {
                    Some((low, high)) => {
                        format!("best {} [{}, {}]", said(mark.x), said(low), said(high))
                    }
                    None => format!("best {}", said(mark.x)),
                };
                let _infallible = write!(
                    description,
                    " {place}: {words}, {}{}.",
                    fixed(mark.y, 1),
                    theme.quantity.unit()
                );
                if panel.curves.len() == 1 {
                    note = words;
                }
            }
            let at = names.iter().position(|name| *name == curve.name);
            if let (Some(at), false) = (at, places.is_empty()) {
                lines.push(Line {
                    name: curve.name.clone(),
                    places,
                    style: styles[at],
                    bright: true,
                    mark,
                });
            }
        }
        if !lines.is_empty() {
            let reference = panel.reference.map(|value| {
                let value = GUARD.finite(value, "the reference", &panel.title)?;
                Ok((lines[0].places[0].x, value * 100.0))
            });
            let reference = reference.transpose()?.into_iter().collect();
            let mut panel = Panel::new(&panel.title, &note, lines, reference);
            panel.apart = !words.is_empty();
            panel.highlight(theme);
            panels.push(panel);
        }
    }
    if panels.is_empty() {
        return nothing(
            theme,
            title,
            "No sweep to show: nothing was run with more than one value of the parameter.",
        );
    }
    let mut note = String::new();
    if panels
        .iter()
        .flat_map(|p| &p.lines)
        .any(|l| l.mark.is_some())
    {
        note.push_str(if words.is_empty() {
            "Large marker: the best value; bar through it: its 95 % interval; band: 95 % intervals of the metric."
        } else {
            "Large marker: the best value; bars: 95 % intervals of the metric."
        });
    }
    if let Some(default) = data.default {
        GUARD.finite(default, "the default", "the figure")?;
        let _infallible = write!(note, " Dashed: the default, {}.", said(default));
    }
    let baseline = &theme.baseline;
    let shared = Shared {
        x_kind: match data.spacing {
            Spacing::Log => Kind::Log,
            _ => Kind::Linear,
        },
        x_title: parameter.clone(),
        y_title: theme.quantity.axis(),
        include: None,
        least_span: 2.0,
        reference: (baseline.clone(), baseline.clone()),
        order: names.iter().map(|name| (*name).to_owned()).collect(),
        markers: !dense,
        words: words.to_vec(),
        vertical: data.default,
        note: note.trim_start().to_owned(),
    };
    let scene = multiples::draw(&panels, &shared, theme)?;
    finish(&scene, theme, title, description)
}

/// The number with two decimals at most, and more for those close to zero.
fn short(value: f64) -> String {
    let text = if value != 0.0 && value.abs() < 0.1 {
        format!("{value:.2e}").parse().unwrap_or(value).to_string()
    } else {
        fixed(value, 2)
    };
    match text.split_once('.') {
        Some(_) => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        None => text,
    }
}

fn check_curve(curve: &AblationCurve, place: &str) -> Result<Vec<Place>, PlotError> {
    let mut places = Vec::with_capacity(curve.points.len());
    for (at, value, band) in &curve.points {
        let band = band
            .map(|band| GUARD.interval(band, "an interval", place))
            .transpose()?;
        places.push(Place {
            x: GUARD.finite(*at, "a value of the parameter", place)?,
            y: GUARD.finite(*value, "a value", place)? * 100.0,
            band: band.map(|(low, high)| (low * 100.0, high * 100.0)),
        });
    }
    places.sort_by(|a, b| a.x.total_cmp(&b.x));
    if places.windows(2).any(|pair| pair[0].x >= pair[1].x) {
        return Err(GUARD.twice("a value of the parameter", place));
    }
    Ok(places)
}

fn check_best(best: &BestSetting, place: &str) -> Result<Mark, PlotError> {
    Ok(Mark {
        x: GUARD.finite(best.at, "the best value", place)?,
        y: GUARD.finite(best.value, "the metric at the best value", place)? * 100.0,
        interval: best
            .interval
            .map(|interval| GUARD.interval(interval, "the interval of the best value", place))
            .transpose()?,
    })
}
