//! ranking.json: the ranking of each model, for programs.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::ReportInput;
use crate::analysis::Analysis;
use crate::error::Result;

#[derive(Debug, Serialize)]
struct RankingFile<'a> {
    format: u32,
    sweep: &'a str,
    /// Of the run that the records are of, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    sweep_hash: Option<&'a str>,
    /// The column that ranks; left out for balanced error.
    #[serde(skip_serializing_if = "Option::is_none")]
    metric: Option<&'a str>,
    rankings: Vec<ModelRanking<'a>>,
}

#[derive(Debug, Serialize)]
struct ModelRanking<'a> {
    model: &'a str,
    n_datasets: usize,
    n_clusters: usize,
    methods: Vec<RankedMethod<'a>>,
    /// Corrections with values on too few datasets for the common ranking.
    not_ranked: Vec<UnrankedMethod<'a>>,
}

#[derive(Debug, Serialize)]
struct RankedMethod<'a> {
    correction: &'a str,
    mean_rank: f64,
    /// `mean_balanced_error`, or `mean_` and the metric.
    #[serde(flatten)]
    mean: BTreeMap<String, f64>,
}

#[derive(Debug, Serialize)]
struct UnrankedMethod<'a> {
    correction: &'a str,
    n_datasets: usize,
}

/// The text of ranking.json.
pub(crate) fn json(input: &ReportInput<'_>, analysis: &Analysis) -> Result<String> {
    let rankings = analysis
        .overall
        .iter()
        .filter(|comparison| !comparison.ranked.is_empty())
        .map(|comparison| ModelRanking {
            model: analysis.model(comparison.model()),
            n_datasets: comparison.datasets.len(),
            n_clusters: comparison.n_clusters,
            methods: comparison
                .ranked
                .iter()
                .map(|ranked| RankedMethod {
                    correction: analysis.correction(ranked.correction),
                    mean_rank: ranked.mean_rank,
                    mean: BTreeMap::from([(
                        format!("mean_{}", analysis.target.id),
                        ranked.mean_value,
                    )]),
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
    let known = |(name, value): &'_ (String, String)| (name == "sweep hash").then(|| value.clone());
    let hash = input.provenance.iter().find_map(known);
    let file = RankingFile {
        format: 1,
        sweep: input.sweep_name,
        sweep_hash: hash.as_deref(),
        metric: Some(analysis.target.id.as_str()).filter(|_| !analysis.target.is_balanced_error()),
        rankings,
    };
    let mut text = serde_json::to_string_pretty(&file)?;
    text.push('\n');
    Ok(text)
}
