//! Ranks of the corrections over datasets, and in bands of what the datasets are like.

use crate::analysis::{Against, Analysis, Comparison, Ranked, Scope};
use crate::error::Result;
use crate::tables::{Columns, Sheet, place_mark};
use counterweight_plots::format::{p_value, percent, points, rank};

/// A place of a common ranking.
struct InRanking<'a> {
    comparison: &'a Comparison,
    place: usize,
    ranked: &'a Ranked,
}

impl InRanking<'_> {
    fn against(&self) -> Option<&Against> {
        self.comparison.against(self.ranked.correction)
    }
}

fn places(comparisons: &[Comparison]) -> Vec<InRanking<'_>> {
    comparisons
        .iter()
        .flat_map(|comparison| {
            let ranked = comparison.ranked.iter().enumerate();
            ranked.map(move |(place, ranked)| InRanking {
                comparison,
                place,
                ranked,
            })
        })
        .collect()
}

/// Mean ranks: corrections in rows, models in columns, best in bold.
pub(in crate::tables) fn ranks(analysis: &Analysis) -> Result<Sheet> {
    let rows = places(&analysis.overall);
    let find = |comparison: &Comparison, correction: usize| {
        let own = |row: &&InRanking<'_>| {
            row.comparison.model == comparison.model && row.ranked.correction == correction
        };
        rows.iter().find(own)
    };
    let ranked = |c: &usize| rows.iter().any(|row| row.ranked.correction == *c);
    let wide: Vec<usize> = (0..analysis.corrections.len()).filter(ranked).collect();
    let mut view = Columns::of(&wide).ids("correction", |&c| analysis.correction(c));
    for comparison in analysis.overall.iter().filter(|c| !c.ranked.is_empty()) {
        let model = analysis.model(comparison.model);
        view = view
            .number(
                format!("{model} ({})", comparison.datasets.len()),
                |&c| Some(find(comparison, c)?.ranked.mean_rank),
                rank,
            )
            .marked(|&c| {
                find(comparison, c)
                    .map(|row| place_mark(row.place, row.ranked.among_best))
                    .unwrap_or_default()
            });
    }
    let view = view.view(
        "ranks",
        "Mean ranks",
        "1 is best; under each model the number of datasets behind its ranks, the same for all \
         corrections of a column. Bold: best; underlined (italic in markdown): not significantly \
         worse. Empty: not in the common ranking of that model. Ranks of different models are not \
         comparable where they rank different numbers of corrections.",
    );
    Columns::of(&rows)
        .file_text("model", |row| analysis.model(row.comparison.model))
        .file_count("place", |row| row.place + 1)
        .file_text("correction", |row| {
            analysis.correction(row.ranked.correction)
        })
        .file_real("mean_rank", |row| Some(row.ranked.mean_rank))
        .file_count("n_datasets", |row| row.comparison.datasets.len())
        .file_count("n_clusters", |row| row.comparison.n_clusters)
        .file_count("n_points", |row| row.comparison.n_points)
        .files("ranks", vec![view])
}

/// Ranks and differences within ratio bands, real datasets and populations.
pub(in crate::tables) fn bands(analysis: &Analysis) -> Result<Sheet> {
    let rows = places(&analysis.scoped);
    let mark = |row: &InRanking<'_>| place_mark(row.place, row.ranked.among_best);
    let ends = |row: &InRanking<'_>| match row.comparison.scope {
        Scope::Band(low, high) => (Some(low), Some(high).filter(|high| high.is_finite())),
        _ => (None, None),
    };
    Columns::of(&rows)
        .text("scope", "scope", |row| row.comparison.scope.label())
        .file_real("ratio_from", |row| ends(row).0)
        .file_real("ratio_below", |row| ends(row).1)
        .code("model", "model", |row| analysis.model(row.comparison.model))
        .code("correction", "correction", |row| analysis.correction(row.ranked.correction))
        .marked(mark)
        .real("mean_rank", "mean rank", |row| Some(row.ranked.mean_rank), rank)
        .marked(mark)
        .count("n_datasets", "datasets", |row| row.comparison.datasets.len())
        .file_count("n_clusters", |row| row.comparison.n_clusters)
        .real(
            &format!("mean_{}", analysis.target.id),
            analysis.target.head(),
            |row| Some(row.ranked.mean_value),
            percent,
        )
        .real("difference", "difference", |row| Some(row.against()?.mean_difference), points)
        .interval(|row| row.against()?.interval)
        .real("p_holm", "Holm p", |row| Some(row.against()?.p_holm), p_value)
        .file_count("n_datasets_paired", |row| row.against().map_or(0, |a| a.n_datasets))
        .sheet(
            "bands",
            "By band of the imbalance ratio, and by source",
            "The comparison made anew within each band of the realised imbalance ratio of the training \
             rows, for real datasets and for populations. Columns as in the main table.",
        )
}
