//! index.html.
use maud::{DOCTYPE, PreEscaped, html};

use crate::ReportInput;
use crate::analysis::Analysis;
use crate::figures::Placed;
use crate::findings::Finding;
use crate::tables::Sheet;

pub(crate) fn page(
    input: &ReportInput<'_>,
    _analysis: &Analysis,
    findings: &[Finding],
    _sheets: &[Sheet],
    figures: &[Placed],
) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { (input.sweep_name) } }
            body {
                main {
                    h1 { (input.sweep_name) }
                    ul { @for finding in findings { li { (finding.text) } } }
                    @for placed in figures { (PreEscaped(&placed.figure.svg)) }
                    pre { code { (input.command) } }
                }
            }
        }
    }
    .into_string()
}
