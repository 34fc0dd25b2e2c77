//! `class_counts`: the training rows of each class, one by one.

use counterweight_config::{Diagnostics, Fields, Section, Value};
use counterweight_core::{ClassCounts, Population, PopulationCaps};
use serde_json::json;

use crate::config::limits::MOST_ROWS;
use crate::config::method::{Built, Place};
use crate::config::sweep::SizeSpec;

const KEY: &str = "class_counts";

/// A count of at least 1 for each class.
pub(super) fn read(s: &mut Section<'_, '_>) -> Option<ClassCounts> {
    let count = json!({ "type": "integer", "minimum": 1, "maximum": MOST_ROWS });
    let node = s.shaped(
        KEY,
        || json!({ "type": "array", "minItems": 2, "items": count }),
    )?;
    let count = |value: &Value| match value {
        Value::Whole(n) if *n >= 1 => usize::try_from(*n).ok().filter(|&n| n <= MOST_ROWS),
        _ => None,
    };
    let counts: Option<Vec<usize>> = match &node.value {
        Value::List(items) if items.len() >= 2 => {
            items.iter().map(|item| count(&item.value)).collect()
        }
        _ => None,
    };
    if counts.is_none() {
        let message =
            format!("expected a list of whole numbers from 1 to {MOST_ROWS}, one a class");
        s.error(
            KEY,
            message,
            Some("write class_counts = [90, 10]: 90 rows of class 0 and 10 of class 1".into()),
        );
    }
    counts.map(ClassCounts::new)
}

/// The ratio of given counts, beside which no other ratio or profile may stand.
pub(super) fn ratio(given: &[SizeSpec], fields: &Fields, s: &mut Section<'_, '_>) -> Option<f64> {
    let SizeSpec::Each(counts) = given.first()? else {
        return None;
    };
    for key in ["imbalance_ratio", "profile", "rare"] {
        if fields.contains_key(key) {
            let hint = format!("take `{key}` out: `{KEY}` says how many rows each class has");
            s.error(key, format!("given beside `{KEY}`"), Some(hint));
        }
    }
    counts.imbalance_ratio()
}

/// Refuses counts of another number of classes than the population has.
pub(super) fn check(
    given: &[SizeSpec],
    grid: &[Built<PopulationCaps, dyn Population>],
    fields: &Fields,
    place: &Place<'_>,
    errors: &mut Diagnostics,
) {
    let Some(SizeSpec::Each(counts)) = given.first() else {
        return;
    };
    let n = counts.n_classes();
    if let Some(k) = grid
        .iter()
        .map(|built| built.method.n_classes())
        .find(|&k| k != n)
    {
        let line = fields.get(KEY).map_or(place.line, |(line, _)| *line);
        let message = format!("{n} counts for a population of {k} classes");
        let hint = Some(format!("give `{KEY}` {k} numbers"));
        errors.add(Some(line), format!("{} > {KEY}", place.path), message, hint);
    }
}
