//! index.html: one file without any request to the outside, readable without script, by keyboard and
//! by screen reader, in light, dark and print. It opens with the answer.

mod calibration;
mod methods;
mod text;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::ReportInput;
use crate::analysis::Analysis;
use crate::figures::{LEAK, Placed};
use crate::findings::{self, Finding, Topic};
use crate::tables::{self, Sheet};
use crate::view::{Cell, Mark, View, file_name};
use counterweight_plots as plots;
use counterweight_plots::format;
use text::{minus, rich};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Bytes for all tables of the page; what does not fit is in the csv.
const TABLE_BYTES: usize = 2_600_000;
/// Bytes for all inline figures; the others are linked.
const FIGURE_BYTES: usize = 1_700_000;
/// What a cell costs in markup and text, roughly.
const CELL_BYTES: usize = 48;
/// Rows beyond which a table scrolls in a box of its own.
const TALL: usize = 24;

/// The order and grouping of the tables; those of one model's datasets follow the others.
const OPEN: [&str; 4] = ["summary", "price", "ranks", "selection"];
const DATA: [&str; 4] = ["models", "corrections", "datasets", "per_model"];
/// Tables that stand in the section on swept parameters.
const ABLATIONS: [&str; 1] = ["ablations"];
/// Tables that stand in the section on calibration.
const CALIBRATION: [&str; 1] = ["calibration"];
const OUTCOMES: [&str; 2] = ["outcomes", "reasons"];
const LEAKS: [&str; 1] = ["leak_premium"];

pub(crate) fn page(
    input: &ReportInput<'_>,
    analysis: &Analysis,
    findings: &[Finding],
    sheets: &[Sheet],
    figures: &[Placed],
) -> String {
    // Times differ from run to run; the page is the same wherever the records are.
    let views: Vec<(&Sheet, &View)> = sheets
        .iter()
        .filter(|sheet| sheet.name != tables::TIMES)
        .flat_map(|sheet| sheet.views.iter().map(move |view| (sheet, view)))
        .collect();
    let shares = Tables {
        bytes: TABLE_BYTES / views.len().max(1),
    };
    let of = |names: &[&str]| -> Vec<(&Sheet, &View)> {
        names
            .iter()
            .filter_map(|name| views.iter().find(|(sheet, _)| sheet.name == *name).copied())
            .collect()
    };
    let rest: Vec<(&Sheet, &View)> = views
        .iter()
        .copied()
        .filter(|(sheet, view)| {
            let placed = [
                &OPEN[..],
                &DATA,
                &ABLATIONS,
                &CALIBRATION,
                &OUTCOMES,
                &LEAKS,
            ]
            .concat();
            !placed.contains(&sheet.name.as_str()) && !view.rows.is_empty()
        })
        .collect();
    // Leaks are no part of the comparison: what is about them stands apart.
    let on_page = figures.iter().filter(|placed| !placed.timed);
    let (leak_figures, figures): (Vec<&Placed>, Vec<&Placed>) =
        on_page.partition(|placed| placed.name == LEAK);
    let swept = !analysis.ablations.ablations.is_empty();
    let figures = &shown(&figures);
    let calibrated = analysis.calibration.n_cells > 0;
    let title = format!("{}: corrections for class imbalance", input.sweep_name);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                // An empty icon keeps the browser from asking the server for one.
                link rel="icon" href="data:,";
                style { (PreEscaped(plots::css())) (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#answer" { "Skip to the answer" }
                header {
                    p.kicker { "counterweight: which correction helps under class imbalance, by how much, at which ratio" }
                    h1 { (input.sweep_name) }
                    nav aria-label="Contents" {
                        ul {
                            li { a href="#answer" { "Answer" } }
                            @if !analysis.models.is_empty() { li { a href="#models" { "By model" } } }
                            @if !figures.is_empty() { li { a href="#figures" { "Figures" } } }
                            @if swept { li { a href="#ablations" { "Ablations" } } }
                            @if calibrated { li { a href="#calibration" { "Calibration" } } }
                            @if !analysis.leaks.premiums.is_empty() { li { a href="#leakage" { "Leakage" } } }
                            li { a href="#tables" { "Tables" } }
                            li { a href="#methods" { "Methods" } }
                            li { a href="#outcomes" { "Outcomes" } }
                            li { a href="#provenance" { "Provenance" } }
                        }
                    }
                }
                main {
                    section aria-labelledby="answer" {
                        h2 #answer { "Answer" }
                        (answer(analysis, findings))
                    }
                    @if !analysis.models.is_empty() {
                        section aria-labelledby="models" {
                            h2 #models { "By model" }
                            (by_model(analysis, findings))
                        }
                    }
                    @if !figures.is_empty() {
                        section aria-labelledby="figures" {
                            h2 #figures { "Figures" }
                            (all_figures(analysis, figures))
                        }
                    }
                    @if swept {
                        section aria-labelledby="ablations" {
                            h2 #ablations { "Ablations" }
                            (ablations(analysis))
                            @for (placed, fits) in figures.iter().filter(|(placed, _)| placed.ablation) { (one_figure(placed, *fits)) }
                            @for (sheet, view) in of(&ABLATIONS) { (shares.open(sheet, view)) }
                        }
                    }
                    @if calibrated {
                        section aria-labelledby="calibration" {
                            h2 #calibration { "Calibration" }
                            (calibration::section(analysis, figures))
                            @for (sheet, view) in of(&CALIBRATION) { (shares.open(sheet, view)) }
                        }
                    }
                    @if !analysis.leaks.premiums.is_empty() {
                        section aria-labelledby="leakage" {
                            h2 #leakage { "What leakage would have claimed" }
                            (leakage(analysis))
                            @for placed in leak_figures { (one_figure(placed, true)) }
                            @for (sheet, view) in of(&LEAKS) { (shares.open(sheet, view)) }
                        }
                    }
                    section aria-labelledby="tables" {
                        h2 #tables { "Tables" }
                        p.note { "Every table is in " code { "tables/" } " as parquet and csv with all digits, as markdown and as LaTeX. Bold: best; what other marks say stands above each table." }
                        @for (sheet, view) in of(&OPEN) { (shares.open(sheet, view)) }
                        @for (sheet, view) in rest { (shares.folded(sheet, view)) }
                        @for (sheet, view) in of(&DATA) { (shares.folded(sheet, view)) }
                    }
                    section aria-labelledby="methods" {
                        h2 #methods { "Methods" }
                        (methods::notes(analysis, input.catalogue))
                    }
                    section aria-labelledby="outcomes" {
                        h2 #outcomes { "Outcomes and failures" }
                        (outcomes(analysis))
                        @for (sheet, view) in of(&OUTCOMES) { (shares.open(sheet, view)) }
                    }
                    section aria-labelledby="provenance" {
                        h2 #provenance { "Provenance" }
                        (provenance(input))
                    }
                }
                footer { p { "Made by counterweight from records alone. This page asks nothing of the network." } }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
    .into_string()
}

fn answer(analysis: &Analysis, findings: &[Finding]) -> Markup {
    let of = |topic: Topic| {
        findings
            .iter()
            .filter(move |finding| finding.topic == topic)
    };
    let mut answers = of(Topic::Answer);
    // The first sentence says what was run; the figures above it say the same at a glance, so
    // that the words can open with the result.
    let (scope, lead) = (answers.next(), answers.next());
    html! {
        @if let Some(lead) = lead {
            p.lead { (rich(&lead.text)) }
        } @else if let Some(scope) = scope {
            p.lead { (rich(&scope.text)) }
        }
        @if analysis.outcomes.n_cells > 0 { (facts(analysis)) }
        ul.answer {
            @for finding in answers { li { (rich(&finding.text)) } }
            @if let (Some(scope), true) = (scope, lead.is_some()) { li { (rich(&scope.text)) } }
        }
        @if of(Topic::Caveat).next().is_some() {
            div.caveats {
                h3 { "What limits this answer" }
                ul { @for finding in of(Topic::Caveat) { li { (rich(&finding.text)) } } }
            }
        }
    }
}

fn facts(analysis: &Analysis) -> Markup {
    let synthetic = analysis
        .datasets
        .iter()
        .filter(|dataset| dataset.synthetic)
        .count();
    let clusters: std::collections::BTreeSet<&str> = analysis
        .datasets
        .iter()
        .map(|dataset| dataset.cluster.as_str())
        .collect();
    let outcomes = &analysis.outcomes;
    html! {
        dl.facts {
            div {
                dt { "Datasets" }
                dd {
                    (format::count(analysis.datasets.len()))
                    small {
                        (analysis.datasets.len() - synthetic) " real, " (synthetic) " synthetic; "
                        (clusters.len()) " independent"
                    }
                }
            }
            div {
                dt { "Models" }
                dd { (format::count(analysis.models.len())) }
            }
            div {
                dt { "Corrections" }
                dd { (format::count(analysis.corrections.len())) }
            }
            div {
                dt { "Cells" }
                dd {
                    (format::count(outcomes.n_cells))
                    small { (format::count(outcomes.with_value())) " with a value" }
                }
            }
            div {
                dt { "Failed cells" }
                dd { (format::count(outcomes.failures())) }
            }
        }
    }
}

fn by_model(analysis: &Analysis, findings: &[Finding]) -> Markup {
    html! {
        dl.models {
            @for finding in findings {
                @if let Topic::Model(model) = finding.topic {
                    dt { code { (analysis.model(model)) } }
                    dd { (rich(&finding.text)) }
                }
            }
        }
    }
}

/// What the section on swept parameters opens with.
fn ablations(analysis: &Analysis) -> Markup {
    let sentences = findings::ablation_sentences(analysis);
    let standing = findings::standing_sentence(analysis);
    html! {
        @if !standing.is_empty() { p { (rich(&standing)) } }
        @if sentences.is_empty() {
            p { "There are too few independent datasets to say what the swept parameters do." }
        } @else {
            ul { @for text in &sentences { li { (rich(text)) } } }
        }
    }
}

/// What the section on leakage opens with.
fn leakage(analysis: &Analysis) -> Markup {
    let study = &analysis.leaks;
    html! {
        p {
            "Rows that are resampled before they are split stand on both sides of the split as copies and blends. Each \
             resampler below was run that way on purpose, beside the honest protocol. None of these numbers is a record: no \
             rank, test or sentence elsewhere on this page knows of them."
        }
        @for text in findings::leak_sentences(analysis) { p { (rich(&text)) } }
        @if study.n_without > 0 {
            p.note {
                (format::count(study.n_without)) " of " (format::plural(study.n_claims, "claim")) " lack a number on one side and are left out; "
                code { "leak.parquet" } " says why."
            }
        }
    }
}

/// A figure, and whether it stands in the page itself.
type Shown<'a> = (&'a Placed, bool);

/// The room goes to the figures in their order, those about all models first; those on calibration that
/// are folded up take what is left.
fn shown<'a>(figures: &[&'a Placed]) -> Vec<Shown<'a>> {
    let mut left = FIGURE_BYTES;
    let open = figures.iter().find(|placed| placed.calibration);
    let last =
        |placed: &Placed| placed.calibration && open.is_some_and(|open| open.model != placed.model);
    let mut shown: Vec<Shown<'a>> = figures.iter().map(|placed| (*placed, false)).collect();
    for turn in [false, true] {
        for (placed, fits) in shown.iter_mut().filter(|(placed, _)| last(placed) == turn) {
            *fits = placed.figure.svg.len() <= left;
            left -= if *fits { placed.figure.svg.len() } else { 0 };
        }
    }
    shown
}

/// Figures about all models in the open, those of one model folded up under its name.
fn all_figures(analysis: &Analysis, figures: &[Shown<'_>]) -> Markup {
    let of = |model: Option<usize>| -> Vec<Shown<'_>> {
        let own = |(placed, _): &&Shown<'_>| {
            placed.model == model && !placed.calibration && !placed.ablation
        };
        figures.iter().filter(own).copied().collect()
    };
    html! {
        @for (placed, fits) in of(None) { (one_figure(placed, fits)) }
        @for model in 0..analysis.models.len() {
            @let own = of(Some(model));
            @if !own.is_empty() {
                details open[analysis.models.len() == 1] {
                    summary { h3 { "Figures of " code { (analysis.model(model)) } } }
                    @for (placed, fits) in own { (one_figure(placed, fits)) }
                }
            }
        }
    }
}

fn one_figure(placed: &Placed, fits: bool) -> Markup {
    let name = &placed.name;
    html! {
        figure {
            h3 { (placed.heading) }
            @if fits {
                div.scroll role="group" tabindex="0" aria-label=(placed.heading) {
                    (PreEscaped(&placed.figure.svg))
                }
            }
            figcaption {
                @if !placed.note.is_empty() { p { (rich(&placed.note)) } }
                // A screen reader meets the description inside the figure, sighted readers on
                // demand: it says in numbers what the picture shows.
                @if fits {
                    details.words {
                        summary { "In words" }
                        p { (minus(&placed.figure.description)) }
                    }
                } @else {
                    p { (minus(&placed.figure.description)) }
                }
                p.files {
                    @if !fits { "Too large for this page: " }
                    a href=(format!("plots/{name}.svg")) { "svg" } " · "
                    a href=(format!("plots/{name}.png")) { "png" }
                }
            }
        }
    }
}

fn outcomes(analysis: &Analysis) -> Markup {
    let failures = analysis.outcomes.failures();
    html! {
        p {
            @if analysis.outcomes.n_cells == 0 {
                "There are no cells."
            } @else if failures == 0 {
                "No cell failed, timed out or ran out of memory."
            } @else {
                (format::plural(failures, "cell")) " failed, timed out or ran out of memory."
            }
            " A cell without a value is missing from every comparison; nothing is counted as zero."
        }
    }
}

fn provenance(input: &ReportInput<'_>) -> Markup {
    html! {
        p { "These records are reproduced by" }
        pre tabindex="0" aria-label="Command" { code { (input.command) } }
        @if !input.provenance.is_empty() {
            div.scroll role="region" tabindex="0" aria-label="Provenance of the records" {
                table {
                    caption { "Where the records come from" }
                    thead { tr { th scope="col" { "what" } th scope="col" { "value" } } }
                    tbody {
                        @for (name, value) in &input.provenance {
                            tr { th scope="row" { (name) } td.code { (value) } }
                        }
                    }
                }
            }
        }
        @if !input.sweep_text.trim().is_empty() {
            details {
                summary { h3 { "The sweep file" } }
                pre tabindex="0" aria-label="Sweep file" { code { (input.sweep_text) } }
            }
        }
    }
}

/// Tables of the page, each within its share of the bytes.
struct Tables {
    bytes: usize,
}

impl Tables {
    fn open(&self, sheet: &Sheet, view: &View) -> Markup {
        html! {
            div.block {
                h3 { (view.title) }
                (self.inside(sheet, view))
            }
        }
    }

    fn folded(&self, sheet: &Sheet, view: &View) -> Markup {
        html! {
            details {
                summary { h3 { (view.title) } }
                (self.inside(sheet, view))
            }
        }
    }

    fn inside(&self, sheet: &Sheet, view: &View) -> Markup {
        let most = (self.bytes / (CELL_BYTES * view.heads.len().max(1))).max(20);
        let shown = view.cut(most);
        let id = format!("table-{}", file_name(&view.name));
        let tall = shown.rows.len() > TALL;
        html! {
            @if !view.note.is_empty() { p.note { (rich(&view.note)) } }
            @if view.rows.is_empty() {
                p { "Nothing to show." }
            } @else {
                div class=(if tall { "scroll tall" } else { "scroll" }) role="region" tabindex="0" aria-labelledby=(id) {
                    (table(&shown, &id))
                }
                @if shown.rows.len() < view.rows.len() {
                    p { "The first " (format::count(shown.rows.len())) " of " (format::count(view.rows.len())) " rows; all of them are in "
                        a href=(format!("tables/{}.csv", sheet.name)) { (format!("tables/{}.csv", sheet.name)) } "." }
                }
                p.files {
                    a href=(format!("tables/{}.csv", sheet.name)) { "csv" } " · "
                    a href=(format!("tables/{}.parquet", sheet.name)) { "parquet" } " · "
                    a href=(format!("tables/{}.md", file_name(&view.name))) { "markdown" } " · "
                    a href=(format!("tables/{}.tex", file_name(&view.name))) { "LaTeX" }
                }
            }
        }
    }
}

fn table(view: &View, id: &str) -> Markup {
    // A column of long words needs room before it breaks; one of short words does not.
    let wide: Vec<bool> = (0..view.heads.len())
        .map(|column| {
            let long = |row: &Vec<Cell>| row.get(column).is_some_and(|c| c.text.len() > 40);
            view.rows.iter().any(long)
        })
        .collect();
    let class = |column: usize, cell: &Cell| -> Option<&'static str> {
        let numeric = view.heads.get(column).is_some_and(|head| head.numeric);
        let wide = wide.get(column).copied().unwrap_or(false);
        match (numeric, cell.code && !wide, wide) {
            (true, _, _) => Some("n"),
            (_, _, true) => Some("w"),
            // Ids and intervals break badly.
            (_, code, _) if code || cell.text.starts_with('[') => Some("k"),
            _ => None,
        }
    };
    html! {
        table data-enhance {
            caption.visually-hidden id=(id) { (view.title) }
            thead {
                tr {
                    @for head in &view.heads {
                        th scope="col" class=[head.numeric.then_some("n")] { (head.text) }
                    }
                }
            }
            tbody {
                @for row in &view.rows {
                    tr {
                        @for (column, cell) in row.iter().enumerate() {
                            @if column == 0 {
                                th scope="row" class=[class(column, cell)] { (content(cell)) }
                            } @else {
                                td class=[class(column, cell)] { (content(cell)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn content(cell: &Cell) -> Markup {
    let text = minus(&cell.text);
    let inner = html! {
        @if cell.code && !text.is_empty() { code { (cell.text) } } @else { (text) }
    };
    match cell.mark {
        Mark::Plain => inner,
        Mark::Best => html! { b { (inner) } },
        Mark::AmongBest => html! { u { (inner) } },
        Mark::Worse => html! { (inner) "*" },
    }
}
