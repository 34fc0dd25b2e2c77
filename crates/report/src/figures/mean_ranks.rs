//! Mean ranks with the groups that no test tells apart.

use counterweight_plots as plots;

use super::{Drawn, Frame};
use crate::analysis::{Analysis, Comparison};

pub(super) fn ranks(analysis: &Analysis, comparison: &Comparison) -> Option<Drawn> {
    let counted: Vec<_> = comparison
        .ranked
        .iter()
        .filter(|ranked| ranked.same_as.is_none())
        .collect();
    if counted.len() < 2 || comparison.pairs.is_empty() {
        return None;
    }
    let place = |c: &usize| counted.iter().position(|ranked| ranked.correction == *c);
    let data = plots::CriticalDifference {
        methods: counted
            .iter()
            .map(|r| (analysis.correction(r.correction).to_owned(), r.mean_rank))
            .collect(),
        cliques: comparison
            .cliques
            .iter()
            .map(|clique| clique.iter().filter_map(place).collect())
            .collect(),
        critical_difference: None,
        datasets: comparison.datasets.len(),
        test: "Wilcoxon with Holm".to_owned(),
    };
    let note = if comparison.underpowered {
        "Underpowered: no pair could have differed significantly with so few independent \
         datasets, so the bar says nothing."
    } else {
        "Related datasets count as one in the tests. Corrections that agree on every dataset are \
         shown once."
    };
    let frame = Frame::of_model(analysis, "ranks", comparison.model, "Mean ranks", note);
    Some((
        frame,
        Box::new(move |theme| plots::critical_difference(&data, theme)),
    ))
}
