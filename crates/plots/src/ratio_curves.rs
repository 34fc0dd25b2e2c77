//! Imbalance ratio against the metric (or regret): the main figure.
//!
//! Small multiples, one panel a model and one line a correction, over a common logarithmic axis of
//! ratios. Up to [`Theme::max_lines`] lines of a panel are drawn in colour with their 95 % bands;
//! beyond that the best of the panel by their mean stay, together with the baseline, and the rest
//! turns grey. Lines are named at their ends; when the names are too long for the panel, a key
//! below the panels takes over. A line that lacks a ratio which other lines of its panel have is
//! broken there instead of bridging the gap.

use std::fmt::Write as _;

use super::multiples::{self, Line, Panel, Place, Shared};
use super::scale::{Kind, fixed};
use super::theme::{Quantity, Theme};
use super::{Figure, Guard, PlotError, count, distinct, finish, nothing};

/// What the vertical axis shows. Values are fractions; the axis is in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The metric of the theme ([`Quantity`]), balanced error unless said otherwise.
    Metric,
    /// Balanced error above that of the Bayes rule on the same rows.
    Regret,
}

impl Measure {
    fn axis(self, quantity: &Quantity) -> String {
        match self {
            Self::Metric => quantity.axis(),
            Self::Regret => "regret (points)".to_owned(),
        }
    }

    fn name(self, quantity: &Quantity) -> String {
        match self {
            Self::Metric => quantity.name.clone(),
            Self::Regret => "regret".to_owned(),
        }
    }
}

/// One place on a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioPoint {
    /// Largest over smallest class count, above zero.
    pub ratio: f64,
    /// Mean of the measure, a fraction.
    pub value: f64,
    /// Ends of the 95 % interval, fractions.
    pub band: Option<(f64, f64)>,
}

/// One correction in one panel.
#[derive(Debug, Clone, PartialEq)]
pub struct RatioLine {
    /// Id of the correction.
    pub correction: String,
    /// In any order; a ratio at most once.
    pub points: Vec<RatioPoint>,
}

/// One model.
#[derive(Debug, Clone, PartialEq)]
pub struct RatioPanel {
    /// Id of the model.
    pub model: String,
    /// Short text beside it, such as `12 datasets`; may be empty.
    pub note: String,
    /// The corrections.
    pub lines: Vec<RatioLine>,
    /// Bayes-optimal value by ratio, fractions; empty where it is unknown.
    pub bayes: Vec<(f64, f64)>,
}

/// All panels.
#[derive(Debug, Clone, PartialEq)]
pub struct RatioCurves {
    /// What the values are.
    pub measure: Measure,
    /// One a model.
    pub panels: Vec<RatioPanel>,
}

/// Draws the figure.
///
/// # Errors
///
/// [`PlotError::Data`] for a ratio that is not above zero, a value that is not finite, an interval
/// with its ends swapped, or a correction or a ratio given twice.
pub fn ratio_curves(data: &RatioCurves, theme: &Theme) -> Result<Figure, PlotError> {
    let title = format!(
        "{} against imbalance ratio, by model and correction",
        match data.measure {
            Measure::Metric => theme.quantity.title(),
            Measure::Regret => "Regret".to_owned(),
        }
    );
    let names = distinct(
        data.panels
            .iter()
            .flat_map(|panel| panel.lines.iter().map(|line| line.correction.as_str())),
    );
    let styles = theme.styles(&names);
    let mut panels = Vec::new();
    for panel in &data.panels {
        let mut lines = Vec::new();
        for (i, line) in panel.lines.iter().enumerate() {
            let place = format!("{} of {}", line.correction, panel.model);
            if panel.lines[..i]
                .iter()
                .any(|known| known.correction == line.correction)
            {
                return Err(GUARD.twice("a correction", &place));
            }
            let places = check_line(line, &place)?;
            let at = names.iter().position(|name| *name == line.correction);
            if let (Some(at), false) = (at, places.is_empty()) {
                lines.push(Line {
                    name: line.correction.clone(),
                    places,
                    style: styles[at],
                    bright: true,
                    mark: None,
                });
            }
        }
        let bayes = check_bayes(panel)?;
        if !lines.is_empty() {
            let mut panel = Panel::new(&panel.model, &panel.note, lines, bayes);
            panel.highlight(theme);
            panels.push(panel);
        }
    }
    if panels.is_empty() {
        return nothing(
            theme,
            title,
            "No results to show: no model has a finished cell with a known imbalance ratio.",
        );
    }
    let shared = Shared {
        x_kind: Kind::Log,
        x_title: "imbalance ratio, largest to smallest class (log scale)".to_owned(),
        y_title: data.measure.axis(&theme.quantity),
        include: (data.measure == Measure::Regret).then_some(0.0),
        least_span: 2.0,
        reference: ("Bayes".to_owned(), "Bayes-optimal".to_owned()),
        order: names.iter().map(|name| (*name).to_owned()).collect(),
        markers: true,
        words: Vec::new(),
        vertical: None,
        note: String::new(),
    };
    let scene = multiples::draw(&panels, &shared, theme)?;
    finish(
        &scene,
        theme,
        title,
        describe(&panels, data.measure, &theme.quantity),
    )
}

const GUARD: Guard = Guard {
    figure: "imbalance ratio figure",
};

/// Points in the order of ratios, values in percent.
fn check_line(line: &RatioLine, place: &str) -> Result<Vec<Place>, PlotError> {
    let mut places = Vec::with_capacity(line.points.len());
    for point in &line.points {
        let band = point
            .band
            .map(|band| GUARD.interval(band, "an interval", place))
            .transpose()?;
        places.push(Place {
            x: GUARD.positive(point.ratio, "a ratio", place)?,
            y: GUARD.finite(point.value, "a value", place)? * 100.0,
            band: band.map(|(low, high)| (low * 100.0, high * 100.0)),
        });
    }
    places.sort_by(|a, b| a.x.total_cmp(&b.x));
    if places.windows(2).any(|pair| pair[0].x >= pair[1].x) {
        return Err(GUARD.twice("a ratio", place));
    }
    Ok(places)
}

fn check_bayes(panel: &RatioPanel) -> Result<Vec<(f64, f64)>, PlotError> {
    let mut bayes = Vec::with_capacity(panel.bayes.len());
    for (ratio, value) in &panel.bayes {
        let value = GUARD.finite(*value, "the Bayes-optimal value", &panel.model)?;
        bayes.push((
            GUARD.positive(*ratio, "a ratio", &panel.model)?,
            value * 100.0,
        ));
    }
    bayes.sort_by(|a, b| a.0.total_cmp(&b.0));
    Ok(bayes)
}

fn describe(panels: &[Panel], measure: Measure, quantity: &Quantity) -> String {
    let lower = measure == Measure::Regret || quantity.lower_is_better;
    let end = if lower { "lowest" } else { "highest" };
    let mut text = format!(
        "Line charts over a logarithmic axis of imbalance ratios, {}; each line is a correction, shaded bands are 95 % intervals.",
        count(panels.len(), "panel")
    );
    for panel in panels {
        let Some(ratio) = panel.last_x() else {
            continue;
        };
        let best = panel
            .lines
            .iter()
            .filter_map(|line| {
                let end = line.places.last().filter(|p| p.x >= ratio)?;
                Some((&line.name, end.y))
            })
            .min_by(|a, b| {
                let cost = |value: f64| if lower { value } else { -value };
                cost(a.1).total_cmp(&cost(b.1))
            });
        if let Some((name, value)) = best {
            let unit = match measure {
                Measure::Metric => quantity.unit(),
                Measure::Regret => " points",
            };
            let _infallible = write!(
                text,
                " {}: at ratio {}, the {end} {} among {} is {}{unit} ({name}).",
                panel.title,
                fixed(ratio, i32::from(ratio.fract().abs() > 1e-9)),
                measure.name(quantity),
                count(panel.lines.len(), "correction"),
                fixed(value, 1),
            );
        }
    }
    text
}
