//! The section on calibration: what the probabilities are worth, beside what the decisions win.

use maud::{Markup, html};

use super::{Shown, one_figure};
use crate::analysis::Analysis;
use counterweight_plots::format;

/// How to read the section; the same for every sweep.
const READING: &str = "A fit on weighted or resampled rows learns another prior than the data have, and its \
    probabilities say so. As fitted they are taken as they come; prior-corrected, each is multiplied by the metric \
    prior over the fit's own prior and renormalised. Decisions do not change with it: a correction can keep its \
    balanced error and have its probabilities mended. All other tables of this report judge the prior-corrected \
    probabilities; the columns as fitted end in _raw in the records.";

/// Words, what is missing, and the figures: of the first model that has some in the open, of the others
/// folded up under their names.
pub(super) fn section(analysis: &Analysis, figures: &[Shown<'_>]) -> Markup {
    let of = |model: usize| -> Vec<Shown<'_>> {
        let own = |(placed, _): &&Shown<'_>| placed.model == Some(model) && placed.calibration;
        figures.iter().filter(own).copied().collect()
    };
    let mut models = (0..analysis.models.len())
        .map(|model| (model, of(model)))
        .filter(|(_, own)| !own.is_empty());
    let first = models.next();
    html! {
        p { (READING) }
        (missing(analysis))
        @if let Some((model, own)) = first {
            p { "The figures show " code { (analysis.model(model)) } "; those of the other models are folded up below." }
            @for (placed, fits) in own { (one_figure(placed, fits)) }
        }
        @for (model, own) in models {
            details {
                summary { h3 { "Calibration of " code { (analysis.model(model)) } } }
                @for (placed, fits) in own { (one_figure(placed, fits)) }
            }
        }
    }
}

/// Which cells lack reliability bins, and what makes them.
fn missing(analysis: &Analysis) -> Markup {
    let found = &analysis.calibration;
    let lacking = found.n_cells.saturating_sub(found.n_binned);
    html! {
        @if lacking > 0 {
            p.note {
                @if found.n_binned == 0 {
                    "There are no reliability curves, since no cell has reliability bins. "
                } @else {
                    (format::count(lacking)) " of " (format::count(found.n_cells))
                    " cells with probabilities have no reliability bins and are missing from the reliability curves. "
                }
                "Bins are kept while a cell runs; records of an earlier version or from elsewhere come without. "
                code { "counterweight run --fresh" } " on the sweep makes them."
            }
        }
    }
}
