//! docs/MODELS.md, written from the capability cards and compared with them.
//!
//! `COUNTERWEIGHT_WRITE_DOCS=1 cargo test -p counterweight-models docs` writes the file anew.

use std::fmt::Write as _;
use std::path::Path;

use counterweight_core::params::ParamKind;
use counterweight_core::{LearnerEntry, ParamSpec, ParamValue, ScoreKind};

use crate::ALL;

fn yes(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

fn kind(spec: &ParamSpec) -> String {
    match spec.kind {
        ParamKind::Real(range) => format!("number in {range}"),
        ParamKind::Whole(range) => format!("whole number in {range}"),
        ParamKind::Choice(words) => format!("`{}`", words.join("`, `")),
        ParamKind::Text => "text".into(),
        ParamKind::Texts => "list of texts".into(),
        ParamKind::Flag => "`true`, `false`".into(),
        ParamKind::Reals(range) => format!("list of numbers in {range}"),
        ParamKind::Wholes(range) => format!("list of whole numbers in {range}"),
        ParamKind::Rows(range) => format!("square table of numbers in {range}"),
        ParamKind::Prior(words) => format!("`{}`, or a number per class", words.join("`, `")),
        ParamKind::Strategy => "a resampling target".into(),
        ParamKind::Stage => "`{ kind = ... }`".into(),
    }
}

fn row(entry: &LearnerEntry) -> String {
    let caps = &entry.caps;
    let honours = caps.honours;
    let most = caps.max_rows.map_or("-".into(), |n| n.to_string());
    format!(
        "| [`{id}`](#{id}) | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {most} | {} |\n",
        caps.library,
        yes(honours.weights),
        yes(honours.margins),
        yes(honours.factors),
        yes(honours.focal),
        yes(honours.schedule),
        yes(honours.minibatches),
        yes(honours.initial_bias),
        yes(honours.row_weights),
        match caps.scores {
            ScoreKind::Probability => "probabilities",
            ScoreKind::Vote => "votes",
        },
        yes(caps.multiclass),
        yes(caps.deterministic),
        caps.remark,
        id = entry.card.id,
    )
}

fn section(entry: &LearnerEntry) -> String {
    let card = &entry.card;
    let mut text = format!(
        "\n## {}\n\n{}.\n\nReference: {}.\n\n",
        card.id, card.summary, card.reference
    );
    if card.params.is_empty() {
        text.push_str("No parameters.\n");
        return text;
    }
    text.push_str("| parameter | default | may be | meaning |\n|---|---|---|---|\n");
    for spec in card.params {
        let default = spec.default.map(|d| match ParamValue::from(d) {
            // The shortest text of 1e-9 in a sentence is not its decimal expansion.
            ParamValue::Real(value) if value.abs() > 0.0 && value.abs() < 1e-3 => {
                format!("{value:e}")
            }
            value => value.to_string(),
        });
        let default =
            default.unwrap_or_else(|| if spec.required { "required" } else { "none" }.into());
        let kind = kind(spec);
        let _ = writeln!(
            text,
            "| `{}` | {default} | {kind} | {} |",
            spec.name, spec.about
        );
    }
    text
}

fn page() -> String {
    let mut text = String::from(
        "# Models\n\n\
         Written from the capability cards by a test of `counterweight-models`; do not edit by hand. \
         `counterweight list models` prints the same.\n\n\
         Weights, margins, factors and focal powers are the terms of a loss that a learner honours; a schedule \
         changes them during training, minibatches take them from each batch or draw batches more evenly, and an \
         initial bias is where training starts. Row weights are those of `weight` of a dataset \
         (docs/SPLITS.md). A combination that a learner does not honour is \
         `not-applicable`, never ignored. Votes take no decision \
         rule but the argmax. A learner that is not deterministic gives other numbers under the same seed, \
         and stays out of gated sweeps. Above `max rows` training rows a learner is not applicable.\n\n\
         Any model entry takes `features = { polynomial = p }`, p from 1 to 5: the learner then sees every product of \
         up to p of the encoded columns (no constant), each standardised by the training rows before resampling. \
         More than 5,000 columns or 25,000,000 numbers are not applicable. It is part of the model's parameters as \
         `features.polynomial`, and `polynomial = [1, 2]` is a grid.\n\n\
         | model | library | weights | margins | factors | focal | schedule | minibatches | initial bias | row weights | \
         scores | multiclass | deterministic | max rows | remark |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    text.extend(ALL.iter().map(row));
    text.extend(ALL.iter().map(section));
    text
}

#[test]
fn models_md_is_what_the_cards_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/MODELS.md");
    let page = page();
    if std::env::var_os("COUNTERWEIGHT_WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "docs/MODELS.md is out of date: COUNTERWEIGHT_WRITE_DOCS=1 cargo test -p counterweight-models docs"
    );
}

#[test]
fn every_learner_has_a_row_and_every_parameter_a_line() {
    let page = page();
    for entry in ALL {
        assert!(page.contains(&format!("| [`{0}`](#{0}) |", entry.card.id)));
        for spec in entry.card.params {
            assert!(page.contains(&format!("| `{}` |", spec.name)));
        }
    }
    // No cell breaks its table: every row of the first one has the same number of columns.
    let rows = page.lines().filter(|line| line.starts_with("| [`"));
    assert!(rows.clone().count() == ALL.len());
    for line in rows {
        assert_eq!(line.matches('|').count(), 16, "{line}");
    }
}
