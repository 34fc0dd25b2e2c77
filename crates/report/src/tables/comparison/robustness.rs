//! What the ranks hang on: the choice of datasets, and how missing results are counted.

use crate::analysis::{Analysis, Comparison};
use crate::error::Result;
use crate::format::{fixed, rank};
use crate::tables::{Rows, Sheet, correction_cell, model_cell};
use crate::view::{Cell, View};

/// What the lead of each ranking hangs on.
pub(in crate::tables) fn robustness(analysis: &Analysis) -> Result<Sheet> {
    let rows: Vec<_> = analysis
        .overall
        .iter()
        .filter_map(|c| Some((c, c.robustness.as_ref()?)))
        .collect();
    let mut view = View::new(
        "robustness",
        "What the rankings hang on",
        "Independent datasets, and corrections, without which another correction leads; Kendall's \
         tau-b to the most different ranking that leaving out one independent dataset gives (1: the \
         same order); whether the policy for missing values decides the order.",
    )
    .words("model")
    .words("leader")
    .words("decisive datasets")
    .words("decisive corrections")
    .numbers("least tau-b")
    .words("policy for missing values");
    let leader = |comparison: &Comparison| {
        comparison
            .best()
            .map_or("", |best| analysis.correction(best.correction))
            .to_owned()
    };
    let policy = |decides_leader: bool, decides: bool| match (decides_leader, decides) {
        (true, _) => "decides the leader",
        (_, true) => "decides the order",
        _ => "decides nothing",
    };
    for (comparison, robust) in &rows {
        view.rows.push(vec![
            model_cell(analysis, comparison.model),
            Cell::code(leader(comparison)),
            Cell::text(robust.decisive_clusters.join(", ")),
            Cell::text(robust.decisive_corrections.join(", ")),
            Cell::number(robust.worst_tau, |tau| fixed(tau, 2)),
            Cell::text(policy(robust.policy_decides_leader, robust.policy_decides)),
        ]);
    }
    Rows::new("robustness")
        .text("model", &rows, |(c, _)| analysis.model(c.model).to_owned())
        .text("leader", &rows, |(c, _)| leader(c))
        .text("decisive_clusters", &rows, |(_, robust)| {
            robust.decisive_clusters.join(";")
        })
        .text("decisive_corrections", &rows, |(_, robust)| {
            robust.decisive_corrections.join(";")
        })
        .real("least_tau_b", &rows, |(_, robust)| robust.worst_tau)
        .text("policy", &rows, |(_, robust)| {
            policy(robust.policy_decides_leader, robust.policy_decides).to_owned()
        })
        .sheet(vec![view])
}

/// Ranks under every policy for missing values.
pub(in crate::tables) fn policies(analysis: &Analysis) -> Result<Sheet> {
    let mut rows = Vec::new();
    for comparison in &analysis.overall {
        for ranks in comparison
            .robustness
            .iter()
            .flat_map(|robust| &robust.policies)
        {
            for &(correction, mean_rank) in &ranks.ranks {
                rows.push((comparison.model, ranks, correction, mean_rank));
            }
        }
    }
    let mut view = View::new(
        "policies",
        "Ranks under each policy for missing values",
        "Intersection: only datasets on which every ranked correction has a value at every ratio. \
         Worst: a missing value is the worst of its dataset. Baseline: it is that of no correction. \
         Models without missing values are left out.",
    )
    .words("model")
    .words("policy")
    .words("correction")
    .numbers("mean rank")
    .numbers("datasets")
    .numbers("filled in");
    for (model, ranks, correction, mean_rank) in &rows {
        view.rows.push(vec![
            model_cell(analysis, *model),
            Cell::text(ranks.policy),
            correction_cell(analysis, *correction),
            Cell::number(Some(*mean_rank), rank),
            Cell::count(ranks.n_datasets),
            Cell::count(ranks.n_filled),
        ]);
    }
    Rows::new("policies")
        .text("model", &rows, |(model, ..)| {
            analysis.model(*model).to_owned()
        })
        .text("policy", &rows, |(_, ranks, ..)| ranks.policy.to_owned())
        .text("correction", &rows, |(_, _, c, _)| {
            analysis.correction(*c).to_owned()
        })
        .real("mean_rank", &rows, |(.., mean_rank)| Some(*mean_rank))
        .whole("n_datasets", &rows, |(_, ranks, ..)| ranks.n_datasets)
        .whole("n_filled", &rows, |(_, ranks, ..)| ranks.n_filled)
        .sheet(vec![view])
}
