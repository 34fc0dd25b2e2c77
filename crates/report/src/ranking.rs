//! ranking.json: the ranking of each model, for programs.

use serde::Serialize;

use crate::analysis::Analysis;
use crate::error::Result;

#[derive(Debug, Serialize)]
struct RankingFile<'a> {
    format: u32,
    sweep: &'a str,
    rankings: Vec<ModelRanking<'a>>,
}

#[derive(Debug, Serialize)]
struct ModelRanking<'a> {
    model: &'a str,
    n_datasets: usize,
    methods: Vec<RankedMethod<'a>>,
    /// Corrections with values on too few datasets for the common ranking.
    not_ranked: Vec<UnrankedMethod<'a>>,
}

#[derive(Debug, Serialize)]
struct RankedMethod<'a> {
    correction: &'a str,
    mean_rank: f64,
    mean_balanced_error: f64,
}

#[derive(Debug, Serialize)]
struct UnrankedMethod<'a> {
    correction: &'a str,
    n_datasets: usize,
}

/// The text of ranking.json.
pub(crate) fn json(sweep: &str, analysis: &Analysis) -> Result<String> {
    let rankings = analysis
        .overall
        .iter()
        .filter(|comparison| !comparison.ranked.is_empty())
        .map(|comparison| ModelRanking {
            model: analysis.model(comparison.model),
            n_datasets: comparison.datasets.len(),
            methods: comparison
                .ranked
                .iter()
                .map(|ranked| RankedMethod {
                    correction: analysis.correction(ranked.correction),
                    mean_rank: ranked.mean_rank,
                    mean_balanced_error: ranked.mean_balanced_error,
                })
                .collect(),
            not_ranked: comparison
                .unranked
                .iter()
                .map(|unranked| UnrankedMethod {
                    correction: analysis.correction(unranked.correction),
                    n_datasets: unranked.n_datasets,
                })
                .collect(),
        })
        .collect();
    let file = RankingFile {
        format: 1,
        sweep,
        rankings,
    };
    let mut text = serde_json::to_string_pretty(&file)?;
    text.push('\n');
    Ok(text)
}
