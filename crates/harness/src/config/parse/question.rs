//! The `[question]` table: what the sweep is asked for, and what decides the answer. No result depends on it.

use counterweight_config::{Diagnostics, Fields, Node, Section, Value, tables};
use counterweight_core::{Arm, Check, Expect, Question, Show, nearest};

use crate::config::sweep::Sweep;

/// What the arms of a check may name: ids of models, corrections and datasets.
struct Known {
    models: Vec<String>,
    corrections: Vec<String>,
    datasets: Vec<String>,
}

/// The question of a sweep file as far as it is sound, for whoever shows its records; the sweep itself may have
/// changed since.
pub fn question_of(text: &str) -> Option<Question> {
    let mut errors = Diagnostics::new("");
    let root = counterweight_config::parse(text, None, &mut errors);
    let (_, node) = root.get("question")?;
    read_question(node, None, &mut errors)
}

/// `[question]` with its `[[question.check]]`, whose arms are looked up in `sweep` where it is given.
pub(super) fn read_question(
    node: &Node,
    sweep: Option<&Sweep>,
    errors: &mut Diagnostics,
) -> Option<Question> {
    let Value::Table(fields) = &node.value else {
        errors.add(Some(node.line), "question", "expected a table", None);
        return None;
    };
    let before = errors.len();
    let mut s = Section::new(fields, "question", node.line, errors);
    let [title, design, theory, answer] =
        ["title", "design", "theory", "answer"].map(|key| required(&mut s, key));
    let checks = s.node("check");
    if checks.is_none() {
        let hint = "add a [[question.check]] with `id`, `says`, `arm` and `expect`";
        s.error("", "nothing decides the answer", Some(hint.into()));
    }
    let answer_line = s.line_of("answer");
    s.finish();
    let known = sweep.map(|sweep| Known {
        models: sweep.models.iter().map(|model| model.id.clone()).collect(),
        corrections: sweep.corrections.iter().map(|c| c.id.clone()).collect(),
        datasets: {
            let populations = sweep.populations.iter().map(|p| p.id.clone());
            populations
                .chain(sweep.datasets.iter().map(|d| d.id.clone()))
                .collect()
        },
    });
    let mut found: Vec<Check> = Vec::new();
    for (path, line, fields) in tables(checks, "question > check", errors) {
        let Some(check) = read_check(fields, (&path, line), known.as_ref(), errors) else {
            continue;
        };
        if found.iter().any(|other| other.id == check.id) {
            let message = format!("two checks are called `{}`", check.id);
            errors.add(Some(line), format!("{path} > id"), message, None);
        }
        found.push(check);
    }
    let ids: Vec<&str> = found.iter().map(|check| check.id.as_str()).collect();
    for id in placeholders(&answer) {
        if errors.len() == before && !ids.contains(&id) {
            let hint =
                nearest(id, ids.iter().copied()).map(|id| format!("did you mean `{{{id}}}`?"));
            let message = format!("`{{{id}}}` is the id of no check");
            errors.add(Some(answer_line), "question > answer", message, hint);
        }
    }
    (errors.len() == before).then_some(Question {
        title,
        design,
        theory,
        answer,
        checks: found,
    })
}

/// What stands in braces.
fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split('{').skip(1);
    parts.filter_map(|part| part.split_once('}').map(|(id, _)| id))
}

/// A text that has to be there; lines that a file breaks for its own sake are one.
fn required(s: &mut Section<'_, '_>, key: &'static str) -> String {
    let text = s.text(key);
    if text.as_deref().is_some_and(|text| text.trim().is_empty()) {
        s.error(key, "an empty text", None);
    } else if text.is_none() && !s.has(key) {
        s.error(key, "missing", Some(format!("add `{key} = \"...\"`")));
    }
    let text = text.unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn read_check(
    fields: &Fields,
    (path, line): (&str, usize),
    known: Option<&Known>,
    errors: &mut Diagnostics,
) -> Option<Check> {
    let before = errors.len();
    let mut s = Section::new(fields, path, line, errors);
    let id = required(&mut s, "id");
    let says = required(&mut s, "says");
    let value = s.text("value").unwrap_or_else(|| "balanced_error".into());
    let (arm, against) = (s.node("arm"), s.node("against"));
    let expect = match s.choice("expect", &["equal", "above", "below"]).as_deref() {
        Some("above") => Expect::Above,
        Some("below") => Expect::Below,
        Some(_) => Expect::Equal,
        None => {
            if !s.has("expect") {
                let hint = "add expect = \"equal\", \"above\" or \"below\"";
                s.error("expect", "missing", Some(hint.into()));
            }
            Expect::Equal
        }
    };
    let theory = s.real("theory", "a finite number", f64::is_finite);
    let within = s.real("within", "at least 0", |v| v.is_finite() && v >= 0.0);
    let words = ["percent", "points", "number"];
    let show = match (s.choice("show", &words).as_deref(), against) {
        (Some("points"), _) | (None, Some(_)) => Show::Points,
        (Some("number"), _) => Show::Number,
        _ => Show::Percent,
    };
    if arm.is_none() && !s.has("arm") {
        let hint = "add arm = { correction = \"none\" }; keys: model, correction, dataset, ratio";
        s.error("arm", "missing", Some(hint.into()));
    }
    s.finish();
    let mut read = |node: Option<&Node>, key: &str| {
        node.map(|node| read_arm(node, &format!("{path} > {key}"), known, errors))
    };
    let (arm, against) = (read(arm, "arm"), read(against, "against"));
    (errors.len() == before).then(|| Check {
        id,
        says,
        value,
        arm: arm.unwrap_or_default(),
        against,
        expect,
        theory: theory.unwrap_or(0.0),
        within: within.unwrap_or(0.0),
        show,
    })
}

fn read_arm(node: &Node, path: &str, known: Option<&Known>, errors: &mut Diagnostics) -> Arm {
    let Value::Table(fields) = &node.value else {
        let hint = "write { correction = \"none\" }; keys: model, correction, dataset, ratio";
        errors.add(Some(node.line), path, "expected a table", Some(hint.into()));
        return Arm::default();
    };
    let mut s = Section::new(fields, path, node.line, errors);
    let mut named = |key: &'static str, ids: fn(&Known) -> &[String]| {
        let id = s.text(key)?;
        if let Some(ids) = known.map(ids).filter(|ids| !ids.contains(&id)) {
            let hint = nearest(&id, ids.iter().map(String::as_str));
            let hint = hint.map(|id| format!("did you mean `{id}`?"));
            s.error(key, format!("the sweep has no {key} `{id}`"), hint);
        }
        Some(id)
    };
    let model = named("model", |known| &known.models);
    let correction = named("correction", |known| &known.corrections);
    let dataset = named("dataset", |known| &known.datasets);
    let ratio = s.real("ratio", "at least 1", |v| v >= 1.0);
    s.finish();
    Arm {
        model,
        correction,
        dataset,
        ratio,
    }
}
