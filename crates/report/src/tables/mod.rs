//! The tables: each as numbers (for parquet and csv) and, where people read it, as a view.
//!
//! Numbers keep the units of the records (fractions); views show percentages and points. Four views stand on
//! the page; what nobody reads row by row has no view.

mod ablations;
mod arms;
mod columns;
mod comparison;
mod costs;
mod leaks;
mod selection;
mod sweep;
mod values;

use counterweight_core::Table;

use crate::analysis::Analysis;
use crate::error::Result;
use crate::view::View;
use columns::Columns;
pub(crate) use comparison::verdict;

/// A table under its file name, with the views that show it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// File name without its ending.
    pub name: String,
    /// The numbers.
    pub table: Table,
    /// What is read; several where one would be too wide.
    pub views: Vec<View>,
}

/// Every table, in the order of the page.
///
/// # Errors
/// [`ReportError::Table`](crate::ReportError::Table) for a number that is not finite.
pub fn sheets(analysis: &Analysis) -> Result<Vec<Sheet>> {
    let mut sheets = vec![
        comparison::summary(analysis)?,
        values::per_dataset(analysis)?,
        comparison::price(analysis)?,
        sweep::outcomes(analysis)?,
        comparison::ranks(analysis)?,
        comparison::bands(analysis)?,
        comparison::contests(analysis)?,
        comparison::effects(analysis)?,
        comparison::omnibus(analysis)?,
        comparison::calibration(analysis)?,
        values::curves(analysis)?,
        arms::per_model(analysis)?,
        sweep::resamplers(analysis)?,
        sweep::models(analysis)?,
        sweep::datasets(analysis)?,
        sweep::corrections(analysis)?,
        sweep::reasons(analysis)?,
    ];
    if !analysis.curves.ladders().is_empty() {
        sheets.push(values::onsets(analysis)?);
    }
    if !analysis.costs.rows.is_empty() {
        sheets.extend([costs::costs(analysis)?, costs::ranges(analysis)?]);
    }
    if analysis.cube.iter().any(|(_, own)| own.seconds.is_some()) {
        sheets.push(arms::times(analysis)?);
    }
    if !analysis.selection.rows.is_empty() {
        sheets.extend([
            selection::selection(analysis)?,
            selection::choices(analysis)?,
        ]);
    }
    if !analysis.ablations.ablations.is_empty() {
        sheets.extend([
            ablations::ablations(analysis)?,
            ablations::ablation_points(analysis)?,
        ]);
    }
    // A section of its own, absent where the sweep has no leaks.
    if !analysis.leaks.premiums.is_empty() {
        sheets.extend([leaks::premium(analysis)?, leaks::values(analysis)?]);
    }
    Ok(sheets)
}

/// The markdown of the main summary: sentences, the main table, the price, the outcomes; below 64 KB,
/// the limit of a comment on a pull request.
pub(crate) fn summary_markdown(
    sweep: &str,
    findings: &[crate::findings::Finding],
    sheets: &[Sheet],
    command: &str,
) -> String {
    use std::fmt::Write as _;
    const LIMIT: usize = 64_000;
    let mut text = format!("## {sweep}\n\n");
    for finding in findings {
        let line = format!("- {}\n", finding.text);
        if text.len() + line.len() > LIMIT / 4 {
            text.push_str("- More in `index.html`.\n");
            break;
        }
        text.push_str(&line);
    }
    text.push('\n');
    let view = |name: &str| {
        let sheet = sheets.iter().find(|sheet| sheet.name == name);
        sheet.and_then(|sheet| sheet.views.first())
    };
    for (name, share) in [("summary", 2), ("price", 3), ("outcomes", 8)] {
        if let Some(view) = view(name) {
            let room = (LIMIT.saturating_sub(text.len() + 400)).min(LIMIT / share);
            text.push_str(&view.markdown(room));
            text.push('\n');
        }
    }
    let _ = writeln!(text, "Reproduce: `{}`", command.replace('`', "'"));
    text
}
