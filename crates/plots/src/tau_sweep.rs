//! Strength of logit adjustment (tau) against balanced error, the optimum marked with its interval.
//!
//! One panel a model; the curves of a panel may be ratios, datasets or populations. The marker
//! stands at the optimum, the bar through it spans the interval of the optimal tau. A dashed
//! vertical line stands at the tau that theory recommends.

use std::fmt::Write as _;

use super::multiples::{self, Line, Mark, Panel, Place, Shared};
use super::scale::{Kind, fixed};
use super::theme::Theme;
use super::{Figure, Guard, PlotError, count, distinct, finish, nothing};

/// The best tau of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TauOptimum {
    /// Where the curve is lowest.
    pub tau: f64,
    /// Balanced error there, a fraction.
    pub value: f64,
    /// Ends of the 95 % interval of the optimal tau.
    pub interval: Option<(f64, f64)>,
}

/// Tau, balanced error as a fraction, and the ends of its 95 % interval.
pub type TauPoint = (f64, f64, Option<(f64, f64)>);

/// One curve.
#[derive(Debug, Clone, PartialEq)]
pub struct TauCurve {
    /// Name at its end, such as `ratio 100`.
    pub name: String,
    /// In any order; a tau at most once.
    pub points: Vec<TauPoint>,
    /// The optimum, where it is known.
    pub optimum: Option<TauOptimum>,
}

/// One model.
#[derive(Debug, Clone, PartialEq)]
pub struct TauPanel {
    /// Id of the model.
    pub model: String,
    /// Short text beside it; may be empty, then a single curve's optimum stands there.
    pub note: String,
    /// The curves.
    pub curves: Vec<TauCurve>,
}

/// All panels.
#[derive(Debug, Clone, PartialEq)]
pub struct TauSweep {
    /// One a model.
    pub panels: Vec<TauPanel>,
    /// The tau that theory recommends, 1 for balanced error.
    pub theory: Option<f64>,
}

const GUARD: Guard = Guard {
    figure: "tau sweep",
};

/// Draws the figure.
///
/// # Errors
///
/// [`PlotError::Data`] for numbers that are not finite, an interval with its ends swapped, or a
/// tau or a curve given twice.
pub fn tau_sweep(data: &TauSweep, theme: &Theme) -> Result<Figure, PlotError> {
    let title = format!(
        "{} against the strength tau of logit adjustment, by model",
        theme.quantity.title()
    );
    let names = distinct(
        data.panels
            .iter()
            .flat_map(|panel| panel.curves.iter().map(|curve| curve.name.as_str())),
    );
    let styles = theme.styles(&names);
    let mut panels = Vec::new();
    let mut description = format!(
        "Line charts of {} over tau, {}.",
        theme.quantity.name,
        count(data.panels.len(), "panel")
    );
    let mut dense = false;
    for panel in &data.panels {
        let mut lines = Vec::new();
        let mut note = panel.note.clone();
        for (i, curve) in panel.curves.iter().enumerate() {
            let place = format!("{} of {}", curve.name, panel.model);
            if panel.curves[..i]
                .iter()
                .any(|known| known.name == curve.name)
            {
                return Err(GUARD.twice("a curve", &place));
            }
            let places = check_curve(curve, &place)?;
            let mark = curve
                .optimum
                .map(|optimum| check_optimum(&optimum, &place))
                .transpose()?;
            dense |= places.len() > 15;
            if let Some(mark) = mark {
                let words = optimum_words(&mark);
                let _infallible = write!(
                    description,
                    " {place}: {words}, {}{}.",
                    fixed(mark.y, 1),
                    theme.quantity.unit()
                );
                if panel.curves.len() == 1 && note.is_empty() {
                    note = words;
                }
            }
            let at = names.iter().position(|name| *name == curve.name);
            if let (Some(at), false) = (at, places.is_empty()) {
                let name = curve.name.clone();
                let style = styles[at];
                lines.push(Line {
                    name,
                    places,
                    style,
                    bright: true,
                    mark,
                });
            }
        }
        if !lines.is_empty() {
            let mut panel = Panel::new(&panel.model, &note, lines, Vec::new());
            panel.highlight(theme);
            panels.push(panel);
        }
    }
    if panels.is_empty() {
        return nothing(
            theme,
            title,
            "No tau sweep to show: no model was run with more than one tau.",
        );
    }
    let mut note = String::new();
    if panels
        .iter()
        .flat_map(|p| &p.lines)
        .any(|l| l.mark.is_some())
    {
        note.push_str("Large marker: the best tau; bar: its 95 % interval.");
    }
    if let Some(theory) = data.theory {
        GUARD.finite(theory, "the tau of theory", "the figure")?;
        let decimals = if (theory - theory.round()).abs() < 1e-9 {
            0
        } else {
            2
        };
        let _infallible = write!(
            note,
            " Dashed: tau = {}, the value that theory recommends.",
            fixed(theory, decimals)
        );
    }
    let shared = Shared {
        x_kind: Kind::Linear,
        x_title: "strength τ of the adjustment".to_owned(),
        y_title: theme.quantity.axis(),
        include: None,
        least_span: 2.0,
        reference: (String::new(), String::new()),
        order: names.iter().map(|name| (*name).to_owned()).collect(),
        markers: !dense,
        vertical: data.theory,
        note: note.trim_start().to_owned(),
    };
    let scene = multiples::draw(&panels, &shared, theme)?;
    finish(&scene, theme, title, description)
}

fn check_curve(curve: &TauCurve, place: &str) -> Result<Vec<Place>, PlotError> {
    let mut places = Vec::with_capacity(curve.points.len());
    for (tau, value, band) in &curve.points {
        let band = band
            .map(|band| GUARD.interval(band, "an interval", place))
            .transpose()?;
        places.push(Place {
            x: GUARD.finite(*tau, "a tau", place)?,
            y: GUARD.finite(*value, "a value", place)? * 100.0,
            band: band.map(|(low, high)| (low * 100.0, high * 100.0)),
        });
    }
    places.sort_by(|a, b| a.x.total_cmp(&b.x));
    if places.windows(2).any(|pair| pair[0].x >= pair[1].x) {
        return Err(GUARD.twice("a tau", place));
    }
    Ok(places)
}

fn check_optimum(optimum: &TauOptimum, place: &str) -> Result<Mark, PlotError> {
    Ok(Mark {
        x: GUARD.finite(optimum.tau, "the best tau", place)?,
        y: GUARD.finite(optimum.value, "the lowest value", place)? * 100.0,
        interval: optimum
            .interval
            .map(|interval| GUARD.interval(interval, "the interval of tau", place))
            .transpose()?,
    })
}

fn optimum_words(mark: &Mark) -> String {
    match mark.interval {
        Some((low, high)) => format!(
            "best τ {} [{}, {}]",
            fixed(mark.x, 2),
            fixed(low, 2),
            fixed(high, 2)
        ),
        None => format!("best τ {}", fixed(mark.x, 2)),
    }
}
