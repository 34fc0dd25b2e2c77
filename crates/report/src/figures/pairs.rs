//! The multi-comparison matrix of the best-ranked corrections.

use counterweight_plots as plots;

use super::{Drawn, Frame};
use crate::analysis::{Analysis, Comparison};

/// Most corrections of a comparison matrix that can still be read.
const MOST_COMPARED: usize = 12;

pub(super) fn pairs(analysis: &Analysis, comparison: &Comparison) -> Option<Drawn> {
    let mut shown: Vec<usize> = comparison
        .ranked
        .iter()
        .filter(|ranked| ranked.same_as.is_none())
        .map(|ranked| ranked.correction)
        .collect();
    let all = shown.len();
    if all < 2 || comparison.pairs.is_empty() {
        return None;
    }
    if all > MOST_COMPARED {
        let baseline = analysis
            .baseline
            .filter(|baseline| shown.contains(baseline));
        shown.truncate(MOST_COMPARED);
        if let Some(baseline) = baseline.filter(|baseline| !shown.contains(baseline)) {
            shown.pop();
            shown.push(baseline);
        }
    }
    let cell = |row: usize, column: usize| {
        let found = |a, b| {
            comparison
                .pairs
                .iter()
                .find(|pair| (pair.a, pair.b) == (a, b))
        };
        let straight = found(row, column).map(|pair| plots::Comparison {
            difference: pair.mean_difference,
            wins: pair.wins,
            ties: pair.ties,
            losses: pair.losses,
            p: Some(pair.p_holm),
        });
        straight.or_else(|| {
            found(column, row).map(|pair| plots::Comparison {
                difference: -pair.mean_difference,
                wins: pair.losses,
                ties: pair.ties,
                losses: pair.wins,
                p: Some(pair.p_holm),
            })
        })
    };
    let data = plots::ComparisonMatrix {
        methods: shown
            .iter()
            .map(|&c| analysis.correction(c).to_owned())
            .collect(),
        cells: shown
            .iter()
            .map(|&row| shown.iter().map(|&column| cell(row, column)).collect())
            .collect(),
        level: 0.05,
        test: "Wilcoxon with Holm over all pairs of the model".to_owned(),
    };
    let note = if shown.len() < all {
        format!(
            "The {} best ranked of {all}, with no correction.",
            shown.len()
        )
    } else {
        String::new()
    };
    let frame = Frame::of_model(
        analysis,
        "pairs",
        comparison.model,
        "Every correction against every other",
        &note,
    );
    Some((
        frame,
        Box::new(move |theme| plots::comparison_matrix(&data, theme)),
    ))
}
