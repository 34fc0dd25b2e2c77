//! The `[protocol]` table.

use std::time::Duration;

use counterweight_config::{Diagnostics, Fields, Node, Section, Value};
use counterweight_core::SmallClass;

use super::shape::{shares, word_or_shares};
use crate::config::limits::{BYTES_HINT, parse_bytes};
use crate::config::sweep::{MetricPrior, Protocol, SplitSpec};

/// The longest that a cell may be given.
const LONGEST: Duration = Duration::from_hours(8760);

pub(super) fn read_protocol(
    node: Option<&Node>,
    errors: &mut Diagnostics,
) -> (Protocol, Option<usize>) {
    let empty = Fields::new();
    let (fields, line) = match node {
        Some(Node {
            value: Value::Table(fields),
            line,
        }) => (fields, *line),
        Some(other) => {
            errors.add(Some(other.line), "protocol", "expected a table", None);
            (&empty, other.line)
        }
        None => (&empty, 1),
    };
    let mut s = Section::new(fields, "protocol", line, errors);
    let folds = s.whole("folds", 2);
    let test = s.real("test", "between 0 and 1", |v| v > 0.0 && v < 1.0);
    if fields.contains_key("folds") && fields.contains_key("test") {
        s.error(
            "test",
            "`folds` and `test` exclude each other",
            Some("keep one".into()),
        );
    }
    let split = test.map_or(SplitSpec::Folds(folds.unwrap_or(5)), SplitSpec::HoldOut);
    let repeats = s.whole("repeats", 1).unwrap_or(1);
    let inner_folds = s.whole("inner_folds", 2).unwrap_or(5);
    let small_class = match s
        .choice("small_class", &["clamp", "error", "skip"])
        .as_deref()
    {
        Some("error") => SmallClass::Error,
        Some("skip") => SmallClass::Skip,
        _ => SmallClass::Clamp,
    };
    let keep_scores = s.flag("keep_scores").unwrap_or(false);
    let exact_errors = s.flag("exact_errors").unwrap_or(false);
    let timeout = s.text("timeout").and_then(|text| {
        let parsed = duration(&text);
        match parsed {
            None => {
                let hint = "write a number and a unit, such as \"90s\", \"10m\" or \"2h\"";
                s.error(
                    "timeout",
                    format!("`{text}` is not a duration"),
                    Some(hint.into()),
                );
            }
            Some(time) if time > LONGEST => {
                let hint = "a cell is given a year at most, \"8760h\"";
                s.error(
                    "timeout",
                    format!("`{text}` is too long"),
                    Some(hint.into()),
                );
            }
            Some(_) => {}
        }
        parsed
    });
    let max_memory = s.text("max_memory").and_then(|text| {
        let parsed = parse_bytes(&text);
        if let Err(message) = &parsed {
            s.error("max_memory", message, Some(BYTES_HINT.into()));
        }
        parsed.ok()
    });
    let metric_prior = read_metric_prior(&mut s);
    let line = s.line_of("repeats");
    let group_duplicates = s
        .choice("duplicates", &["keep", "group"])
        .is_some_and(|word| word == "group");
    let max_rows = s.whole("max_rows", 2);
    s.finish();
    let protocol = Protocol {
        line,
        split,
        repeats,
        inner_folds,
        small_class,
        timeout: timeout.unwrap_or(Protocol::TIMEOUT),
        max_memory,
        metric_prior,
        group_duplicates,
        keep_scores,
        exact_errors,
    };
    (protocol, max_rows)
}

/// A word, or a share for each class.
fn read_metric_prior(s: &mut Section<'_, '_>) -> Option<MetricPrior> {
    const WORDS: [&str; 3] = ["train", "test", "uniform"];
    let node = s.shaped("metric_prior", || word_or_shares(&WORDS))?;
    if !matches!(node.value, Value::List(_)) {
        let word = s.choice("metric_prior", &WORDS)?;
        return Some(match word.as_str() {
            "test" => MetricPrior::Test,
            "uniform" => MetricPrior::Uniform,
            _ => MetricPrior::Train,
        });
    }
    let shares = shares(node).map(MetricPrior::Shares);
    if shares.is_none() {
        let hint = "give a share above 0 for each class, such as [0.99, 0.01], whose sum is 1";
        s.error(
            "metric_prior",
            "these are no class shares",
            Some(hint.into()),
        );
    }
    shares
}

fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let number: f64 = text[..at].trim().parse().ok()?;
    let unit = match &text[at..] {
        "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    // What no duration holds is longer than the longest.
    (number > 0.0).then(|| Duration::try_from_secs_f64(number * unit).unwrap_or(Duration::MAX))
}
