//! One method outside a sweep file: what `data resample --with` and `decide --with` are given.

use counterweight_config::{Diagnostic, Diagnostics};
use counterweight_core::{Catalogue, Decision, Entry, Resampler, ResamplerCaps, RuleCaps};

use super::method::Built;
use super::parse::{SYNTAX, stage};

/// Reads a resampler as a sweep file writes it (`{ kind = "smote", k = 3 }`, or its kind alone in
/// quotes or without). `name` stands for the file in messages, and lines count within `text`.
///
/// # Errors
/// Everything that is wrong with it, each with line and key; a grid is wrong too.
pub fn resampler(
    text: &str,
    name: &str,
    catalogue: &Catalogue,
) -> Result<Built<ResamplerCaps, dyn Resampler>, Vec<Diagnostic>> {
    one(text, name, ("resampler", catalogue.resamplers))
}

/// Reads a decision in the same way.
///
/// # Errors
/// As [`resampler`].
pub fn decision(
    text: &str,
    name: &str,
    catalogue: &Catalogue,
) -> Result<Built<RuleCaps, dyn Decision>, Vec<Diagnostic>> {
    one(text, name, ("decision", catalogue.decisions))
}

fn one<C, T: ?Sized>(
    text: &str,
    name: &str,
    (noun, entries): (&'static str, &'static [Entry<C, T>]),
) -> Result<Built<C, T>, Vec<Diagnostic>> {
    let mut errors = Diagnostics::new(name);
    let text = text.trim();
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let document = if !text.is_empty() && text.chars().all(bare) {
        format!("with = \"{text}\"")
    } else {
        format!("with = {text}")
    };
    let fields = counterweight_config::parse(&document, SYNTAX, &mut errors);
    for (key, (line, _)) in fields.iter().filter(|(key, _)| *key != "with") {
        errors.add(Some(*line), key, "unknown key", None);
    }
    let node = fields.get("with").map(|(_, node)| node);
    let named = ("with", noun);
    let mut built = stage(node, named, "", entries, &mut errors);
    if built.len() > 1 {
        let words = format!("{} settings: give one value a parameter", built.len());
        errors.add(None, "with", words, None);
    }
    match built.pop() {
        Some(built) if errors.is_empty() => Ok(built),
        _ => {
            if errors.is_empty() {
                let hint = Some("write { kind = \"...\" }".to_owned());
                errors.add(None, "with", "no method is given", hint);
            }
            Err(errors.into_sorted())
        }
    }
}
