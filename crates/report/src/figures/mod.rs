//! The analysis as figures, a file each: what is worth a picture goes to [`plots`](counterweight_plots) as plain numbers.

mod ablations;
mod calibration_front;
mod costs;
mod heat_map;
mod leaks;
mod main;
mod reliability;

use counterweight_plots::{Figure, PlotError, Quantity, Theme};

use crate::analysis::{Analysis, Comparison};
use crate::error::{ReportError, Result};
use crate::view::{file_name, free_name};

/// Where a figure stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// In the open on the page.
    Main,
    /// With costs other than those of balanced error.
    Cost,
    /// With the swept parameters.
    Ablation,
    /// With what leakage would have claimed.
    Leak,
    /// On the page of a model.
    Model(usize),
}

/// A figure with its file name and what stands around it.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    /// File name without its ending.
    pub(crate) name: String,
    /// Where it stands.
    pub(crate) section: Section,
    /// What it shows, told apart from all other figures.
    pub(crate) heading: String,
    /// What a reader has to know beyond its description; ids between backticks.
    pub(crate) note: String,
    /// The figure.
    pub(crate) figure: Figure,
    /// The same in the width of a telephone.
    pub(crate) narrow: Figure,
}

/// Most corrections of a figure that has a row or a column for each.
const MOST_COLUMNS: usize = 24;

/// A figure that has yet to be drawn, in one width and another.
type Drawn = (
    Frame,
    Box<dyn Fn(&Theme) -> std::result::Result<Figure, PlotError>>,
);

/// Figures about one model, in the order of its page.
const OF_A_MODEL: [fn(&Analysis, &Comparison) -> Option<Drawn>; 4] = [
    heat_map::heat_map,
    costs::of_model,
    reliability::reliability,
    calibration_front::fronts,
];

/// All figures, those of the page first.
///
/// # Errors
/// [`ReportError::Figure`] when one cannot be drawn.
pub(crate) fn figures(analysis: &Analysis) -> Result<Vec<Placed>> {
    // The representatives first, so that their colours differ most.
    let shown = &analysis.curves.representatives;
    let others = (0..analysis.corrections.len()).filter(|c| !shown.contains(c));
    let order: Vec<String> = shown
        .iter()
        .copied()
        .chain(others)
        .map(|c| analysis.correction(c).to_owned())
        .collect();
    let mut theme = Theme::page().with_order(&order);
    theme.quantity = Quantity {
        name: analysis.target.name.clone(),
        percent: analysis.target.percent,
        lower_is_better: analysis.target.lower_is_better,
    };
    if let Some(baseline) = analysis.baseline {
        analysis
            .correction(baseline)
            .clone_into(&mut theme.baseline);
    }
    let of_models = analysis.overall.iter().flat_map(|comparison| {
        let figures = OF_A_MODEL.iter();
        figures.filter_map(move |figure| figure(analysis, comparison))
    });
    let on_page = main::all(analysis)
        .into_iter()
        .chain(costs::pooled(analysis))
        .chain(ablations::ablations(analysis))
        .chain(leaks::leaks(analysis));
    let mut placed: Vec<Placed> = Vec::new();
    for (frame, draw) in on_page.chain(of_models) {
        let name = free_name(&frame.name, |name| placed.iter().any(|p| p.name == name));
        let wide = theme.clone().with_prefix(&name);
        let narrow = Theme {
            width: 356.0,
            png_scale: 0,
            ..theme.clone().with_prefix(&format!("{name}-narrow"))
        };
        let error = |source: PlotError| ReportError::Figure {
            figure: name.clone(),
            reason: source.to_string(),
        };
        placed.push(Placed {
            figure: draw(&wide).map_err(error)?,
            narrow: draw(&narrow).map_err(error)?,
            section: frame.section,
            heading: frame.heading,
            note: frame.note,
            name,
        });
    }
    Ok(placed)
}

/// What stands around a figure.
struct Frame {
    name: String,
    section: Section,
    heading: String,
    note: String,
}

impl Frame {
    /// Of a figure about all models.
    fn new(section: Section, name: String, heading: String, note: String) -> Self {
        Self {
            name,
            section,
            heading,
            note,
        }
    }

    /// Of a figure about one model.
    fn of_model(analysis: &Analysis, kind: &str, model: usize, heading: &str, note: &str) -> Self {
        let id = analysis.model(model);
        Self {
            name: format!("{kind}_{}", file_name(id)),
            section: Section::Model(model),
            heading: format!("{heading}: {id}"),
            note: note.to_owned(),
        }
    }
}
