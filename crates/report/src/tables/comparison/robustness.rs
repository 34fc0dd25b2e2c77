//! What the ranks hang on: the choice of datasets, and how missing results are counted.

use crate::analysis::{Analysis, Comparison, Robustness};
use crate::error::Result;
use crate::tables::{Columns, Sheet};
use counterweight_plots::format::{fixed, rank};

/// What the lead of each ranking hangs on.
pub(in crate::tables) fn robustness(analysis: &Analysis) -> Result<Sheet> {
    let rows: Vec<_> = analysis
        .overall
        .iter()
        .filter_map(|c| Some((c, c.robustness.as_ref()?)))
        .collect();
    let leader = |comparison: &Comparison| {
        let best = comparison.best();
        best.map_or("", |best| analysis.correction(best.correction))
    };
    let policy = |robust: &Robustness| match (robust.policy_decides_leader, robust.policy_decides) {
        (true, _) => "decides the leader",
        (_, true) => "decides the order",
        _ => "decides nothing",
    };
    Columns::of(&rows)
        .code("model", "model", |(c, _)| analysis.model(c.model))
        .code("leader", "leader", |(c, _)| leader(c))
        .text("decisive_clusters", "decisive datasets", |(_, robust)| {
            robust.decisive_clusters.join(";")
        })
        .worded(|(_, robust)| robust.decisive_clusters.join(", "))
        .text("decisive_corrections", "decisive corrections", |(_, robust)| {
            robust.decisive_corrections.join(";")
        })
        .worded(|(_, robust)| robust.decisive_corrections.join(", "))
        .real("least_tau_b", "least tau-b", |(_, robust)| robust.worst_tau, |tau| fixed(tau, 2))
        .text("policy", "policy for missing values", |(_, robust)| policy(robust))
        .sheet(
            "robustness",
            "What the rankings hang on",
            "Independent datasets, and corrections, without which another correction leads; Kendall's \
             tau-b to the most different ranking that leaving out one independent dataset gives (1: the \
             same order); whether the policy for missing values decides the order.",
        )
}

/// Ranks under every policy for missing values.
pub(in crate::tables) fn policies(analysis: &Analysis) -> Result<Sheet> {
    let mut rows = Vec::new();
    for comparison in &analysis.overall {
        let robustness = comparison.robustness.iter();
        for ranks in robustness.flat_map(|robust| &robust.policies) {
            for &(correction, mean_rank) in &ranks.ranks {
                rows.push((comparison.model, ranks, correction, mean_rank));
            }
        }
    }
    Columns::of(&rows)
        .code("model", "model", |(model, ..)| analysis.model(*model))
        .text("policy", "policy", |(_, ranks, ..)| ranks.policy)
        .code("correction", "correction", |(_, _, c, _)| analysis.correction(*c))
        .real("mean_rank", "mean rank", |(.., mean_rank)| Some(*mean_rank), rank)
        .count("n_datasets", "datasets", |(_, ranks, ..)| ranks.n_datasets)
        .count("n_filled", "filled in", |(_, ranks, ..)| ranks.n_filled)
        .sheet(
            "policies",
            "Ranks under each policy for missing values",
            "Intersection: only datasets on which every ranked correction has a value at every ratio. \
             Worst: a missing value is the worst of its dataset. Baseline: it is that of no correction. \
             Models without missing values are left out.",
        )
}
