//! Whether parameters that each correction chooses for itself change the answer.

use crate::analysis::Analysis;
use counterweight_plots::format::{fixed, list, plural, points};

/// Whether the order of the corrections depends on who chooses the parameters.
pub(crate) fn selection_sentence(analysis: &Analysis) -> String {
    let orders = &analysis.selection.orders;
    let parts: Vec<String> = orders
        .iter()
        .filter(|order| order.n_corrections > 1)
        .map(|order| {
            let tau = order.tau.map_or_else(String::new, |tau| {
                format!("Kendall's tau {}, ", fixed(tau, 2))
            });
            let gain = order.mean_gain.map_or_else(String::new, |gain| {
                format!("{} points on average", points(gain))
            });
            format!(
                "{} of {} for `{}` ({} before; {tau}{gain})",
                order.moved,
                plural(order.n_corrections, "correction"),
                analysis.model(order.selected),
                order.fixed_at
            )
        })
        .collect();
    if parts.is_empty() {
        return String::new();
    }
    format!(
        "Parameters that each correction chooses inside the fold, in place of the same for all, change the \
         position of {}; gains are reductions of {}.",
        list(&parts),
        analysis.target.name
    )
}
