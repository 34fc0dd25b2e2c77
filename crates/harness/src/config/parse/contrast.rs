//! `positive`, `negative` and `rarest_vs_rest`: a table as a two-class task.

use counterweight_config::{Node, Section, Value, one_or_list};
use counterweight_core::Contrast;
use serde_json::json;

use crate::config::limits::is_id_char;

pub(super) fn read_contrast(s: &mut Section<'_, '_>) -> Option<Contrast> {
    let rarest = s.flag("rarest_vs_rest").unwrap_or(false);
    let (has_positive, has_negative) = (s.has("positive"), s.has("negative"));
    let positive = classes(s, "positive");
    let negative = classes(s, "negative");
    if rarest && (has_positive || has_negative) {
        let hint = "keep `rarest_vs_rest`, or `positive`";
        let message = "the positive class is given twice";
        s.error("rarest_vs_rest", message, Some(hint.into()));
        return None;
    }
    if has_negative && !has_positive {
        let hint = "add `positive = [\"...\"]`: the classes that stand against these";
        let message = "`negative` needs `positive` beside it";
        s.error("negative", message, Some(hint.into()));
        return None;
    }
    if rarest {
        return Some(Contrast::Rarest);
    }
    has_positive.then_some(Contrast::Classes { positive, negative })
}

/// Names of classes, one or a list; whole numbers are names too.
fn classes(s: &mut Section<'_, '_>, key: &'static str) -> Vec<String> {
    let class = || one_or_list(&json!({ "type": ["string", "integer"] }));
    let Some(node) = s.shaped(key, class) else {
        return Vec::new();
    };
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let name = |item: &Node| match &item.value {
        Value::Text(text) => Some(text.clone()),
        Value::Whole(number) => Some(number.to_string()),
        _ => None,
    };
    let names: Option<Vec<String>> = items.iter().map(name).collect();
    let hint = || Some("name a class, or several as a list".to_owned());
    match names {
        None => s.error(key, "a class is a text or a whole number", hint()),
        Some(names) if names.is_empty() => s.error(key, "an empty list", hint()),
        Some(names) => return names,
    }
    Vec::new()
}

/// What tells the tasks of one table apart: `[positive=ME2]`, `[negative=CYT,positive=ME1+ME2]`. What an id cannot
/// hold becomes `_`.
pub(super) fn id_suffix(contrast: Option<&Contrast>) -> String {
    let Some(Contrast::Classes { positive, negative }) = contrast else {
        return String::new();
    };
    let side = |key: &str, classes: &[String]| {
        let letters = classes.join("+");
        let plain = |c: char| if is_id_char(c) { c } else { '_' };
        format!("{key}={}", letters.chars().map(plain).collect::<String>())
    };
    let positive = side("positive", positive);
    if negative.is_empty() {
        format!("[{positive}]")
    } else {
        format!("[{},{positive}]", side("negative", negative))
    }
}
