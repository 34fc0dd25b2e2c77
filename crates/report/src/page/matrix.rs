//! The one matrix of the page: models in rows, bands of the ratio in columns, honest gains in cells.

use maud::{Markup, html};

use super::text::minus;
use crate::analysis::{Analysis, Comparison, Contest, Scope, Verdict};
use crate::tables;
use counterweight_plots::format::{points, size};

/// Models against bands of the realised ratio, all models together first; empty without a contest.
pub(super) fn matrix(analysis: &Analysis) -> Markup {
    let find = |models: &[usize], scope: Scope| {
        let whole = std::iter::once(&analysis.pooled).chain(&analysis.overall);
        let mut all = whole.chain(&analysis.scoped);
        all.find(|c: &&Comparison| c.models == models && c.scope == scope)
    };
    let distinct = analysis
        .overall
        .iter()
        .filter(|c| analysis.same_model(c.model()).is_none());
    let mut rows: Vec<&Comparison> = distinct.filter(|c| c.contest.is_some()).collect();
    if rows.len() > 1 && analysis.pooled.contest.is_some() {
        rows.insert(0, &analysis.pooled);
    }
    let columns: Vec<Scope> = std::iter::once(analysis.question())
        .chain(Scope::BANDS)
        .filter(|scope| {
            rows.iter()
                .any(|row| find(&row.models, *scope).is_some_and(|c| c.contest.is_some()))
        })
        .collect();
    html! {
        @if !rows.is_empty() {
            div.scroll role="region" tabindex="0" aria-labelledby="matrix" {
                table.matrix {
                    caption #matrix { "Honest gain in " (analysis.target.name) " (points) by model and imbalance ratio" }
                    thead {
                        tr {
                            th scope="col" { "model" }
                            @for scope in &columns {
                                th scope="col" { (if matches!(scope, Scope::Band(..)) { scope.label() } else { "all ratios".to_owned() }) }
                            }
                        }
                    }
                    tbody {
                        @for row in rows {
                            @let name = if row.models.len() == 1 { analysis.short_model(row.model()).to_owned() } else { format!("mean of {} models", row.models.len()) };
                            tr {
                                th scope="row" { (name) }
                                @for scope in &columns {
                                    (cell(analysis, row, find(&row.models, *scope).and_then(|c| c.contest.as_ref())))
                                }
                            }
                        }
                    }
                }
            }
            p.note {
                "Each cell: the gain of the correction that is best on the other clusters, its 95 % interval, the word for it, the \
                 number of clusters; positive is better, grey is not shown. A cell leads to its rows below."
            }
        }
    }
}

fn cell(analysis: &Analysis, row: &Comparison, contest: Option<&Contest>) -> Markup {
    let Some(contest) = contest else {
        return html! { td.dim { "\u{2013}" } };
    };
    let class = match contest.verdict {
        Verdict::Better | Verdict::LikelyBetter => "up",
        Verdict::Worse | Verdict::LikelyWorse => "down",
        Verdict::Equivalent | Verdict::Identical => "even",
        Verdict::NotShown | Verdict::TooFew => "dim",
    };
    let ends = contest
        .honest
        .interval
        .map(|i| format!("[{}, {}]", points(i.lower), points(i.upper)));
    let mut word = tables::verdict(&analysis.target, contest.verdict).to_owned();
    if let (Verdict::NotShown, Some(visible)) = (contest.verdict, contest.visible) {
        word = format!("{word} below {}", size(visible));
    }
    let model = (row.models.len() == 1).then(|| analysis.model(row.model()));
    let gain = minus(&points(contest.honest.mean));
    html! {
        td class=(class) {
            a href="#of-summary" data-model=[model] { b { (gain) } }
            @if let Some(ends) = ends { " " span.k { (minus(&ends)) } }
            br;
            small { (word) ", n " (contest.n_clusters) }
        }
    }
}
