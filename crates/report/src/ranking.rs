//! ranking.json: the ranking of each model, for programs.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::ReportInput;
use crate::analysis::{Analysis, Answered, Checked};
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
    /// What the sweep was asked for, and what the records answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    question: Option<QuestionAnswered<'a>>,
    rankings: Vec<ModelRanking<'a>>,
}

#[derive(Debug, Serialize)]
struct QuestionAnswered<'a> {
    title: &'a str,
    answer: String,
    /// Of the checks together.
    verdict: &'static str,
    checks: Vec<CheckAnswered<'a>>,
}

#[derive(Debug, Serialize)]
struct CheckAnswered<'a> {
    id: &'a str,
    says: &'a str,
    verdict: &'static str,
    theory: f64,
    draws: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    mean: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    standard_error: Option<f64>,
}

impl<'a> QuestionAnswered<'a> {
    fn of(answered: &'a Answered) -> Self {
        let check = |checked: &'a Checked| CheckAnswered {
            id: &checked.check.id,
            says: &checked.check.says,
            verdict: checked.held.word(),
            theory: checked.check.theory,
            draws: checked.n,
            mean: checked.measured.map(|measured| measured.mean),
            standard_error: checked.measured.map(|measured| measured.error),
        };
        Self {
            title: &answered.question.title,
            answer: answered.answer(),
            verdict: answered.held().word(),
            checks: answered.checks.iter().map(check).collect(),
        }
    }
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
        question: analysis.question.as_ref().map(QuestionAnswered::of),
        rankings,
    };
    let mut text = serde_json::to_string_pretty(&file)?;
    text.push('\n');
    Ok(text)
}
