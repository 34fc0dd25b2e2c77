//! Tests between corrections: every pair, and all at once.

use crate::analysis::Analysis;
use crate::error::Result;
use crate::tables::{Columns, Sheet};
use crate::view::Mark;
use counterweight_plots::format::{fixed, p_value, points};

/// All pairs of the common rankings.
pub(in crate::tables) fn pairwise(analysis: &Analysis) -> Result<Sheet> {
    let rows: Vec<_> = analysis
        .overall
        .iter()
        .flat_map(|comparison| comparison.pairs.iter().map(move |pair| (comparison, pair)))
        .collect();
    Columns::of(&rows)
        .code("model", "model", |(c, _)| analysis.model(c.model))
        .code("first", "first", |(_, pair)| analysis.correction(pair.a))
        .code("second", "second", |(_, pair)| analysis.correction(pair.b))
        .real("difference", "difference", |(_, pair)| Some(pair.mean_difference), points)
        .count("wins", "wins", |(_, pair)| pair.wins)
        .count("ties", "ties", |(_, pair)| pair.ties)
        .count("losses", "losses", |(_, pair)| pair.losses)
        .real("p_raw", "p", |(_, pair)| Some(pair.p_raw), p_value)
        .real("p_holm", "Holm p", |(_, pair)| Some(pair.p_holm), p_value)
        .marked(|(_, pair)| if pair.differs { Mark::Best } else { Mark::Plain })
        .file_text("differs", |(_, pair)| pair.differs.to_string())
        .count("n_datasets", "datasets", |(c, _)| c.datasets.len())
        .file_count("n_clusters", |(c, _)| c.n_clusters)
        .sheet(
            "pairwise",
            "Pairs of corrections",
            format!(
                "The better ranked first; difference in {} in points over the datasets of the common ranking; wins, ties and losses of the first; Wilcoxon's signed-rank test over \
                 independent datasets, with Holm's correction over all pairs of the model.",
                analysis.target.name
            ),
        )
}

/// The tests of "all corrections are the same".
pub(in crate::tables) fn omnibus(analysis: &Analysis) -> Result<Sheet> {
    let rows: Vec<_> = analysis
        .overall
        .iter()
        .filter_map(|c| Some((c, c.omnibus.as_ref()?)))
        .collect();
    let two = |value: f64| fixed(value, 2);
    Columns::of(&rows)
        .code("model", "model", |(c, _)| analysis.model(c.model))
        .count("n_corrections", "corrections", |(c, _)| c.ranked.len())
        .count("n_clusters", "independent datasets", |(_, test)| test.n_clusters)
        .real("chi_squared", "chi-squared", |(_, test)| Some(test.chi_squared), two)
        .file_count("df", |(_, test)| test.df)
        .real("p_friedman", "p", |(_, test)| Some(test.p_friedman), p_value)
        .real("f", "F", |(_, test)| test.f, two)
        .real("p_iman_davenport", "p of F", |(_, test)| Some(test.p_iman_davenport), p_value)
        .sheet(
            "omnibus",
            "Is there any difference at all",
            "Friedman's test (corrected for ties) and its form by Iman and Davenport over independent \
             datasets. No F: all datasets agree.",
        )
}
