//! The analysis as figures, a file each: what is worth a picture goes to [`plots`](counterweight_plots) as plain numbers.

mod ablations;
mod calibration_front;
mod costs;
mod effects;
mod gains;
mod heat_map;
mod leaks;
mod mean_ranks;
mod pairs;
mod ratios;
mod recalls;
mod reliability;

use counterweight_plots::{Figure, PlotError, Quantity, Theme};

use crate::analysis::{Analysis, Comparison};
use crate::error::{ReportError, Result};
use crate::view::{file_name, free_name};

/// A figure with its file name and what stands around it.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    /// File name without its ending.
    pub(crate) name: String,
    /// The model that it is about; `None` for all.
    pub(crate) model: Option<usize>,
    /// Whether it stands in the section on calibration.
    pub(crate) calibration: bool,
    /// Whether it stands in the section on swept parameters.
    pub(crate) ablation: bool,
    /// Whether it shows times, which the page leaves out.
    pub(crate) timed: bool,
    /// What it shows, told apart from all other figures.
    pub(crate) heading: String,
    /// What a reader has to know beyond its description; ids between backticks.
    pub(crate) note: String,
    /// The figure.
    pub(crate) figure: Figure,
}

/// The name of the figure that stands in the section on leakage.
pub(crate) const LEAK: &str = "leak";
/// What the names of figures of swept parameters begin with.
const ABLATION: &str = "ablation_";
/// What the names of figures begin with that show times.
const TIMED: &str = "cost_";
/// Most corrections of a figure that has a row or a column for each.
const MOST_COLUMNS: usize = 24;

/// A figure that has yet to be drawn.
type Drawn = (
    Frame,
    Box<dyn FnOnce(&Theme) -> std::result::Result<Figure, PlotError>>,
);

/// Figures about all models, in the order of the page; those of each model follow, and leaks are last.
const OF_ALL: [fn(&Analysis) -> Vec<Drawn>; 3] =
    [ratios::ratios, ablations::ablations, |analysis| {
        gains::gains(analysis).into_iter().collect()
    }];

/// Figures about one model, in the order of the page.
const OF_A_MODEL: [fn(&Analysis, &Comparison) -> Option<Drawn>; 8] = [
    heat_map::heat_map,
    mean_ranks::ranks,
    pairs::pairs,
    recalls::recalls,
    costs::costs,
    effects::effects,
    reliability::reliability,
    calibration_front::fronts,
];

/// All figures, those about all models first.
///
/// # Errors
/// [`ReportError::Figure`] when one cannot be drawn.
pub(crate) fn figures(analysis: &Analysis) -> Result<Vec<Placed>> {
    let order: Vec<String> = analysis.corrections.iter().map(|c| c.id.clone()).collect();
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
    let of_all = OF_ALL.iter().flat_map(|figures| figures(analysis));
    let of_models = analysis.overall.iter().flat_map(|comparison| {
        let figures = OF_A_MODEL.iter();
        figures.filter_map(move |figure| figure(analysis, comparison))
    });
    let mut placed = Vec::new();
    for (frame, draw) in of_all.chain(of_models).chain(leaks::leaks(analysis)) {
        place(&mut placed, &theme, (frame, draw))?;
    }
    Ok(placed)
}

/// What stands around a figure.
struct Frame {
    name: String,
    model: Option<usize>,
    calibration: bool,
    heading: String,
    note: String,
}

impl Frame {
    /// Of a figure about all models.
    fn of_all(name: String, heading: String, note: String) -> Self {
        Self {
            name,
            model: None,
            calibration: false,
            heading,
            note,
        }
    }

    /// Of a figure about one model.
    fn of_model(analysis: &Analysis, kind: &str, model: usize, heading: &str, note: &str) -> Self {
        let id = analysis.model(model);
        Self {
            name: format!("{kind}_{}", file_name(id)),
            model: Some(model),
            calibration: false,
            heading: format!("{heading}: {id}"),
            note: note.to_owned(),
        }
    }
}

/// Draws a figure under a name that no other has.
fn place(placed: &mut Vec<Placed>, theme: &Theme, (frame, draw): Drawn) -> Result<()> {
    let Frame {
        name,
        model,
        calibration,
        heading,
        note,
    } = frame;
    let name = free_name(&name, |name| placed.iter().any(|p| p.name == name));
    let theme = theme.clone().with_prefix(&name);
    let figure = draw(&theme).map_err(|source| ReportError::Figure {
        figure: name.clone(),
        reason: source.to_string(),
    })?;
    placed.push(Placed {
        timed: name.starts_with(TIMED),
        ablation: name.starts_with(ABLATION),
        name,
        model,
        calibration,
        heading,
        note,
        figure,
    });
    Ok(())
}
