//! Tables, figures and the page from records.
//!
//! [`build`] computes one [`Analysis`] and makes everything else from it: sentences, tables (as data,
//! markdown and LaTeX), figures, `index.html` and `ranking.json`. Nothing here reads or writes a file.
//!
//! | module | holds |
//! |---|---|
//! | [`analysis`] | every number of the report, computed once |
//! | [`findings`] | the answer in sentences |
//! | [`tables`], [`view`] | tables as numbers, and as people read them |
//! | [`rank`] | the same statistics over anybody's table |
//! | [`select`] | a part of the records, and the metric to rank by |
//! | `figures`, `page` | the analysis as figures, and everything as one offline page |

pub mod analysis;
pub mod error;
mod figures;
pub mod findings;
mod page;
pub mod rank;
mod ranking;
pub mod select;
pub mod tables;
pub mod view;

use counterweight_core::{Axis, Catalogue, Question, Record, Table, Timing};
use counterweight_plots::Figure;
use counterweight_store::{ArmCosts, LeakRow, ReliabilityGroup};

pub use analysis::{Analysis, Target};
pub use error::{ReportError, Result};

/// What the index of datasets says about one of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DatasetAbout {
    /// Id of the dataset, as in the records.
    pub id: String,
    /// The cluster of related sets that it belongs to; empty for none.
    pub cluster: String,
    /// Where it comes from.
    pub source: String,
    /// Its licence.
    pub licence: String,
    /// How to cite it.
    pub citation: String,
}

/// Everything that a report is made of.
#[derive(Debug, Clone)]
pub struct ReportInput<'a> {
    /// Name of the sweep.
    pub sweep_name: &'a str,
    /// The sweep file.
    pub sweep_text: &'a str,
    /// What the sweep was asked for.
    pub question: Option<&'a Question>,
    /// The class shares that metrics of all test rows are weighted to, such as `the training prior`.
    pub weighted_to: &'a str,
    /// The records, in plan order.
    pub records: &'a [Record],
    /// Their timings; may be empty.
    pub timings: &'a [Timing],
    /// Their reliability bins; may be empty.
    pub reliability: &'a [ReliabilityGroup],
    /// What the arms cost at operating points; may be empty.
    pub costs: &'a [ArmCosts],
    /// What leaks claim; may be empty.
    pub leaks: &'a [LeakRow],
    /// The parameters that the sweep varies.
    pub axes: &'a [Axis],
    /// Every method that a record may name.
    pub catalogue: &'a Catalogue,
    /// What is known of the datasets.
    pub about: Vec<DatasetAbout>,
    /// Names and values, shown as a table: sweep hash, version, revision and the like.
    pub provenance: Vec<(String, String)>,
    /// The command that reproduces the records.
    pub command: &'a str,
}

/// The finished report; names are file names without their endings.
#[derive(Debug, Clone)]
pub struct ReportOutput {
    /// Tables of numbers.
    pub tables: Vec<(String, Table)>,
    /// The same as markdown; the first is the summary, below 64 KB.
    pub markdown: Vec<(String, String)>,
    /// The same as LaTeX.
    pub latex: Vec<(String, String)>,
    /// Figures.
    pub figures: Vec<(String, Figure)>,
    /// The page.
    pub index_html: String,
    /// A page a model, under the name of its file without the ending.
    pub model_pages: Vec<(String, String)>,
    /// The ranking of each model, for programs.
    pub ranking_json: String,
}

/// Longest markdown of one table; the rest stands in its csv.
const MARKDOWN_BYTES: usize = 200_000;

/// Makes the report.
///
/// # Errors
/// [`ReportError::Twice`] when two records claim one place of the design, [`ReportError::Stats`] and
/// [`ReportError::Table`] for numbers that are not finite, [`ReportError::Figure`] when a figure
/// cannot be drawn.
///
/// # Examples
///
/// ```
/// use counterweight_core::Catalogue;
/// use counterweight_report::{ReportInput, build};
///
/// let catalogue = Catalogue {
///     resamplers: &[],
///     ensembles: &[],
///     losses: &[],
///     decisions: &[],
///     learners: &[],
///     metrics: &[],
///     populations: &[],
/// };
/// let report = build(&ReportInput {
///     sweep_name: "nothing-yet",
///     sweep_text: "",
///     question: None,
///     weighted_to: "the training prior",
///     records: &[],
///     timings: &[],
///     reliability: &[],
///     costs: &[],
///     leaks: &[],
///     axes: &[],
///     catalogue: &catalogue,
///     about: Vec::new(),
///     provenance: Vec::new(),
///     command: "counterweight run reports/nothing-yet",
/// })?;
/// assert!(report.index_html.contains("There are no records yet"));
/// # Ok::<(), counterweight_report::ReportError>(())
/// ```
pub fn build(input: &ReportInput<'_>) -> Result<ReportOutput> {
    build_for(input, &Target::default())
}

/// Makes the report about another metric: it ranks, and all sentences, tables and figures speak of it.
///
/// # Errors
/// See [`build`].
pub fn build_for(input: &ReportInput<'_>, target: &Target) -> Result<ReportOutput> {
    write_up(input, &Analysis::of(input, target)?)
}

/// Makes the report of an analysis. The records and timings of `input` are not looked at again, so a
/// caller that is short of memory may have dropped them.
///
/// # Errors
/// See [`build`].
pub fn write_up(input: &ReportInput<'_>, analysis: &Analysis) -> Result<ReportOutput> {
    let findings = findings::findings(analysis);
    let sheets = tables::sheets(analysis)?;
    let figures = figures::figures(analysis)?;
    let index_html = page::page(input, analysis, &findings, &sheets, &figures);
    let model_pages = page::model_pages(input, analysis, &findings, &sheets, &figures);
    let ranking_json = ranking::json(input, analysis)?;
    // The summary for a pull request comes first; the main table stands in it.
    let summary = tables::summary_markdown(input.sweep_name, &findings, &sheets, input.command);
    let mut markdown = vec![("summary".to_owned(), summary)];
    let mut latex: Vec<(String, String)> = Vec::new();
    for view in sheets.iter().flat_map(|sheet| &sheet.views) {
        if view.name != "summary" {
            markdown.push((view::file_name(&view.name), view.markdown(MARKDOWN_BYTES)));
        }
        for (model, text) in view.latex() {
            let name = format!("{} {}", view.name, model.unwrap_or_default());
            let name = view::free_name(&view::file_name(&name), |name| {
                latex.iter().any(|(other, _)| other == name)
            });
            latex.push((name, text));
        }
    }
    Ok(ReportOutput {
        tables: sheets
            .into_iter()
            .map(|sheet| (sheet.name, sheet.table))
            .collect(),
        markdown,
        latex,
        figures: figures
            .into_iter()
            .map(|placed| (placed.name, placed.figure))
            .collect(),
        index_html,
        model_pages,
        ranking_json,
    })
}
