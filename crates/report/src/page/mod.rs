//! index.html: one file without any request to the outside, readable without script, by keyboard and
//! by screen reader, in light, dark and print. It asks one question and opens with the answer; a page a
//! model stands beside it.

mod matrix;
mod methods;
mod question;
mod text;

use std::cell::RefCell;
use std::fmt::Write as _;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::ReportInput;
use crate::analysis::Analysis;
use crate::figures::{Placed, Section};
use crate::findings::{self, Finding, Topic};
use crate::tables::Sheet;
use crate::view::{Cell, Mark, View, file_name};
use counterweight_plots as plots;
use counterweight_plots::format;
pub(crate) use text::minus;
use text::rich;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// What a sweep is asked that says nothing else.
const QUESTION: &str =
    "Which correction for class imbalance helps, by how much, and at which ratio?";
/// Bytes for each table of the page; what does not fit is in the csv.
const TABLE_BYTES: usize = 170_000;
/// What a cell costs in markup and text, roughly.
const CELL_BYTES: usize = 26;
/// The tables of the page, under one filter.
const TABLES: [&str; 4] = ["summary", "per_dataset", "price", "outcomes"];

pub(crate) fn page(
    input: &ReportInput<'_>,
    analysis: &Analysis,
    findings: &[Finding],
    sheets: &[Sheet],
    figures: &[Placed],
) -> String {
    let swept = !analysis.ablations.ablations.is_empty();
    let leaked = !analysis.leaks.premiums.is_empty();
    let selected = !analysis.selection.rows.is_empty();
    let of = |section: Section| {
        figures
            .iter()
            .filter(move |placed| placed.section == section)
    };
    let view = |name: &str| {
        let sheet = sheets.iter().find(|sheet| sheet.name == name);
        sheet.and_then(|sheet| Some((sheet, sheet.views.first()?)))
    };
    let title = format!("{}: corrections for class imbalance", input.sweep_name);
    let styles = Styles::default();
    let question = analysis.question.as_ref();
    let general = if question.is_some() { "arms" } else { "answer" };
    let body = html! {
        a.skip href="#answer" { "Skip to the answer" }
        header {
            h1 { (question.map_or(QUESTION, |own| own.question.title.as_str())) }
            @for finding in of_topic(findings, Topic::Data) {
                p.data { b { (input.sweep_name) ": " } (rich(&finding.text)) }
            }
            nav aria-label="Contents" {
                ul {
                    li { a href="#answer" { "Answer" } }
                    @if question.is_some() { li { a href="#arms" { "All corrections" } } }
                    @if !figures.is_empty() { li { a href="#figures" { "Figures" } } }
                    @if !analysis.curves.ladders().is_empty() { li { a href="#ratio" { "Ratio" } } }
                    li { a href="#limits" { "Limits" } }
                    li { a href="#tables" { "Tables" } }
                    li { a href="#methods" { "Methods" } }
                    li { a href="#provenance" { "Provenance" } }
                }
            }
        }
        main {
            @if let Some(own) = question { (question::section(own)) }
            section aria-labelledby=(general) {
                h2 id=(general) { (if question.is_some() { "All corrections of the sweep" } else { "Answer" }) }
                @for finding in of_topic(findings, Topic::Answer) { p.lead { (rich(&finding.text)) } }
                (matrix::matrix(analysis))
            }
            @if !figures.is_empty() {
                section aria-labelledby="figures" {
                    h2 #figures { "Figures" }
                    @for placed in of(Section::Main) { (figure(placed, ("", &styles))) }
                }
            }
            @if of_topic(findings, Topic::Ratio(0)).next().is_some() {
                section aria-labelledby="ratio" {
                    h2 #ratio { "At which ratio" }
                    @for ladder in 0..analysis.curves.ladders().len() {
                        @let mut own = of_topic(findings, Topic::Ratio(ladder)).map(|finding| rich(&finding.text));
                        @if let Some(first) = own.next() { p { (first) } }
                        ul.onsets { @for text in own { li { (text) } } }
                    }
                    @if let Some((sheet, view)) = view("onsets") {
                        details { summary { h3 { (view.title) } } (table_block(sheet, view, "")) }
                    }
                }
            }
            section aria-labelledby="limits" {
                h2 #limits { "What limits the answer" }
                ul { @for finding in of_topic(findings, Topic::Caveat) { li { (rich(&finding.text)) } } }
            }
            section aria-labelledby="more" {
                h2 #more { "More" }
                details {
                    summary { h3 { "Each model in words" } }
                    dl.models {
                        @for finding in findings {
                            @if let Topic::Model(model) = finding.topic {
                                dt { code { (analysis.model(model)) } }
                                dd { (rich(&finding.text)) }
                            }
                        }
                    }
                    p {
                        "A page a model, with its heat map, all corrections and reliability, is written by "
                        code { (report_command(input)) } " as " code { "models/*.html" } "."
                    }
                }
                @if of(Section::Cost).next().is_some() {
                    details {
                        summary { h3 { "Other costs and priors" } }
                        @for placed in of(Section::Cost) { (figure(placed, ("", &styles))) }
                        p.note { "Numbers: " code { "tables/costs.csv" } "; which arm is cheapest where: " code { "tables/cost_ranges.csv" } "." }
                    }
                }
                @if swept {
                    details {
                        summary { h3 { "Swept parameters" } }
                        (ablations(analysis))
                        @for placed in of(Section::Ablation) { (figure(placed, ("", &styles))) }
                        @if let Some((sheet, view)) = view("ablations") { (table_block(sheet, view, "")) }
                    }
                }
                @if selected {
                    details {
                        summary { h3 { "Parameters of each correction's own choice" } }
                        p { (rich(&findings::selection_sentence(analysis))) }
                        @if let Some((sheet, view)) = view("selection") { (table_block(sheet, view, "")) }
                    }
                }
                @if leaked {
                    details {
                        summary { h3 { "What leakage would have claimed" } }
                        (leakage(analysis))
                        @for placed in of(Section::Leak) { (figure(placed, ("", &styles))) }
                        @if let Some((sheet, view)) = view("leak_premium") { (table_block(sheet, view, "")) }
                    }
                }
            }
            section aria-labelledby="tables" {
                h2 #tables { "Tables" }
                p.note {
                    "All numbers are in " code { "tables/" } " as parquet and csv with all digits; these four as markdown and \
                     LaTeX too."
                }
                (filter(analysis, input))
                @for name in TABLES {
                    @if let Some((sheet, view)) = view(name) {
                        details id=(format!("of-{name}")) {
                            summary { h3 { (view.title) } }
                            (table_block(sheet, view, ""))
                        }
                    }
                }
            }
            section aria-labelledby="methods" {
                h2 #methods { "Methods" }
                (methods::notes(analysis))
            }
            section aria-labelledby="provenance" {
                h2 #provenance { "Provenance" }
                (provenance(input))
            }
        }
    };
    shell(&title, &body, &styles)
}

/// A page a model: its sentences, figures and whole tables.
pub(crate) fn model_pages(
    input: &ReportInput<'_>,
    analysis: &Analysis,
    findings: &[Finding],
    sheets: &[Sheet],
    figures: &[Placed],
) -> Vec<(String, String)> {
    let mut pages: Vec<(String, String)> = Vec::new();
    for comparison in &analysis.overall {
        let model = comparison.model();
        let id = analysis.model(model);
        let name = file_name(id);
        let name =
            crate::view::free_name(&name, |name| pages.iter().any(|(other, _)| other == name));
        let own = |view: &View| {
            let rows = view
                .rows
                .iter()
                .filter(|row| row.first().is_some_and(|cell| cell.text == id));
            View {
                rows: rows.cloned().collect(),
                cells: Vec::new(),
                ..view.clone()
            }
        };
        let title = format!("{id}: {}", input.sweep_name);
        let styles = Styles::default();
        let body = html! {
            header {
                p.kicker { a href="../index.html" { (input.sweep_name) } }
                h1 { (id) }
            }
            main {
                @for finding in of_topic(findings, Topic::Model(model)) { p { (rich(&finding.text)) } }
                @for placed in figures.iter().filter(|placed| placed.section == Section::Model(model)) {
                    (figure(placed, ("../", &styles)))
                }
                h2 { "Tables" }
                @for sheet in sheets.iter().filter(|sheet| ["summary", "price", "ablations"].contains(&sheet.name.as_str())) {
                    @for view in &sheet.views { h3 { (view.title) } (table_block(sheet, &own(view), "../")) }
                }
                @for sheet in sheets.iter().filter(|sheet| sheet.name == "per_dataset") {
                    @for view in sheet.views.iter().filter(|view| view.title.ends_with(&format!(": {id}"))) {
                        h3 { (view.title) } (table_block(sheet, view, "../"))
                    }
                }
            }
        };
        pages.push((name, shell(&title, &body, &styles)));
    }
    pages
}

fn shell(title: &str, body: &Markup, styles: &Styles) -> String {
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
                style { (PreEscaped(plots::css())) (PreEscaped(STYLE)) (PreEscaped(styles.css())) }
            }
            body {
                (body)
                footer { p { "Made by counterweight from records alone. This page asks nothing of the network." } }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
    .into_string()
}

fn of_topic(findings: &[Finding], topic: Topic) -> impl Iterator<Item = &Finding> {
    findings
        .iter()
        .filter(move |finding| finding.topic == topic)
}

/// The command that writes the page again, from the one that makes the records.
fn report_command(input: &ReportInput<'_>) -> String {
    let last = input.command.lines().last().unwrap_or_default();
    last.replacen(" run ", " report ", 1)
}

/// What the part on swept parameters opens with.
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

/// What the part on leakage opens with.
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

/// The styles of inline figures, each once as a class: thousands of marks share a few dozen.
#[derive(Default)]
struct Styles(RefCell<Vec<String>>);

impl Styles {
    /// The figure with classes in the place of its style attributes, but for that of the root.
    fn taken_from(&self, svg: &str) -> String {
        let mut known = self.0.borrow_mut();
        let mut parts = svg.split(" style=\"");
        let mut out = String::with_capacity(svg.len());
        out.push_str(parts.next().unwrap_or_default());
        for (at, part) in parts.enumerate() {
            let Some((style, rest)) = part.split_once('"') else {
                continue;
            };
            if at == 0 {
                let _infallible = write!(out, " style=\"{style}\"{rest}");
                continue;
            }
            let place = known
                .iter()
                .position(|own| own == style)
                .unwrap_or_else(|| {
                    known.push(style.to_owned());
                    known.len() - 1
                });
            let _infallible = write!(out, " class=\"z{place}\"{rest}");
        }
        out
    }

    /// The rules.
    fn css(&self) -> String {
        let known = self.0.borrow();
        let rules = known.iter().enumerate();
        rules.fold(String::new(), |all, (at, style)| {
            all + &format!(".z{at}{{{style}}}")
        })
    }
}

/// A figure in two widths, of which the reader's screen takes one.
fn figure(placed: &Placed, (up, styles): (&str, &Styles)) -> Markup {
    let name = &placed.name;
    let inline = |svg: &str| PreEscaped(styles.taken_from(svg));
    html! {
        figure {
            h3 { (placed.heading) }
            div.wide role="group" tabindex="0" aria-label=(placed.heading) { (inline(&placed.figure.svg)) }
            div.narrow role="group" tabindex="0" aria-label=(placed.heading) { (inline(&placed.narrow.svg)) }
            figcaption {
                @if !placed.note.is_empty() { p { (rich(&placed.note)) } }
                p.files {
                    a href=(format!("{up}plots/{name}.svg")) { "svg" } " · "
                    a href=(format!("{up}plots/{name}.png")) { "png" }
                }
            }
        }
    }
}

/// One filter for all tables; it works on the words of the rows, and on what is known of their corrections
/// and datasets.
fn filter(analysis: &Analysis, input: &ReportInput<'_>) -> Markup {
    let list = |values: Vec<String>| -> Vec<String> {
        let mut seen: Vec<String> = Vec::new();
        for value in values {
            if !seen.contains(&value) {
                seen.push(value);
            }
        }
        seen
    };
    let models = list(analysis.models.iter().map(|m| m.id.clone()).collect());
    let families = list(
        analysis
            .corrections
            .iter()
            .map(|c| c.family.clone())
            .collect(),
    );
    let mut classes = list(
        analysis
            .datasets
            .iter()
            .map(|d| d.n_classes.to_string())
            .collect(),
    );
    classes.sort_by_key(|k| k.parse::<u64>().unwrap_or(0));
    let source = |synthetic: bool| if synthetic { "population" } else { "real" };
    let sources = list(
        analysis
            .datasets
            .iter()
            .map(|d| source(d.synthetic).to_owned())
            .collect(),
    );
    let about: serde_json::Value = serde_json::json!({
        "family": analysis.corrections.iter().map(|c| (c.id.clone(), c.family.clone().into())).collect::<serde_json::Map<_, _>>(),
        "source": analysis.datasets.iter().map(|d| (d.id.clone(), source(d.synthetic).into())).collect::<serde_json::Map<_, _>>(),
        "classes": analysis.datasets.iter().map(|d| (d.id.clone(), d.n_classes.to_string().into())).collect::<serde_json::Map<_, _>>(),
        "explain": report_command(input).replacen(" report ", " explain ", 1),
    });
    // Nothing inside may end the element.
    let about = about.to_string().replace('<', "\\u003c");
    let facets = [
        ("model", models),
        ("family", families),
        ("source", sources),
        ("classes", classes),
    ];
    html! {
        div.tools #filter hidden[true] {
            @for (name, values) in facets {
                label for=(format!("by-{name}")) { (name) }
                select id=(format!("by-{name}")) data-by=(name) {
                    option value="" { "all" }
                    @for value in values { option { (value) } }
                }
            }
            label for="by-words" { "words" }
            input #by-words type="search";
            span role="status" {}
        }
        script #about type="application/json" { (PreEscaped(about)) }
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

/// A table with its note and files.
fn table_block(sheet: &Sheet, view: &View, up: &str) -> Markup {
    let most = (TABLE_BYTES / (CELL_BYTES * view.heads.len().max(1))).max(20);
    let shown = view.cut(most);
    let id = format!("table-{}", file_name(&view.name));
    let file = |name: &str, kind: &str| format!("{up}tables/{name}.{kind}");
    html! {
        @if !view.note.is_empty() { p.note { (rich(&view.note)) } }
        @if view.rows.is_empty() {
            p { "Nothing to show." }
        } @else {
            div.scroll.tall role="region" tabindex="0" aria-labelledby=(id) { (table(&shown, &id)) }
            @if shown.rows.len() < view.rows.len() {
                p { "The first " (format::count(shown.rows.len())) " of " (format::count(view.rows.len())) " rows; all of them are in "
                    a href=(file(&sheet.name, "csv")) { (file(&sheet.name, "csv")) } "." }
            }
            p.files {
                a href=(file(&sheet.name, "csv")) { "csv" } " · "
                a href=(file(&sheet.name, "parquet")) { "parquet" } " · "
                a href=(file(&file_name(&view.name), "md")) { "markdown" }
            }
        }
    }
}

/// Numeric columns are set flush right by a rule of their own, so that no cell needs a class.
fn table(view: &View, id: &str) -> Markup {
    let heads = view.heads.iter().enumerate();
    let numeric = heads
        .filter(|(_, head)| head.numeric)
        .fold(String::new(), |all, (column, _)| {
            let column = column + 1;
            all + &format!(
                "#{id} ~ * tr > :nth-child({column}){{text-align:right;white-space:nowrap}}"
            )
        });
    html! {
        style { (PreEscaped(numeric)) }
        table data-enhance {
            caption.visually-hidden id=(id) { (view.title) }
            thead {
                tr { @for head in &view.heads { th scope="col" { (head.text) } } }
            }
            tbody {
                @for (at, row) in view.rows.iter().enumerate() {
                    tr data-cell=[view.cells.get(at).filter(|cell| !cell.is_empty())] {
                        @for (column, cell) in row.iter().enumerate() {
                            @if column == 0 {
                                th scope="row" { (content(cell)) }
                            } @else {
                                td { (content(cell)) }
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
    match cell.mark {
        Mark::Plain => html! { (text) },
        Mark::Best => html! { b { (text) } },
        Mark::Worse => html! { (text) "*" },
    }
}
