//! How many rows of each class a dataset or population trains and is tested on.

use counterweight_config::{Fields, Node, Section, Value};
use counterweight_data::profile::Profile;
use serde_json::json;

use crate::config::sweep::{RareSpec, RatioSpec, SizeSpec, TestPrior, TestSize};

pub(super) fn read_profile(s: &mut Section<'_, '_>) -> Profile {
    let word = s.choice("profile", &["step", "exponential", "pareto"]);
    let profile = word.as_deref().and_then(Profile::from_id);
    profile.unwrap_or(Profile::Step)
}

/// Which class is rare, in the words of what has the classes.
pub(super) fn read_rare(s: &mut Section<'_, '_>, words: &[&'static str; 3]) -> RareSpec {
    match s.choice("rare", words) {
        Some(word) if word == words[1] => RareSpec::Largest,
        Some(word) if word == words[2] => RareSpec::Each,
        _ => RareSpec::Smallest,
    }
}

/// The words of `rare` for classes that have rows of their own.
pub(super) const BY_ROWS: [&str; 3] = ["smallest", "largest", "each"];
/// The words of `rare` for the classes of a population.
pub(super) const BY_PLACE: [&str; 3] = ["last", "first", "each"];

/// The number of rows of the largest or of the smallest class, one of them at most.
pub(super) fn read_size(s: &mut Section<'_, '_>) -> Option<SizeSpec> {
    let largest = s.whole("n_max", 1).map(SizeSpec::Largest);
    let smallest = s.whole("minority_count", 1).map(SizeSpec::Smallest);
    if largest.is_some() && smallest.is_some() {
        let hint = "keep one of `n_max` and `minority_count`";
        s.error("n_max", "the size is fixed twice", Some(hint.into()));
    }
    largest.or(smallest)
}

/// What is said of induced ratios needs one.
pub(super) fn check_induced(
    ratios: &[RatioSpec],
    ladder: bool,
    fields: &Fields,
    s: &mut Section<'_, '_>,
) {
    const KEYS: [&str; 3] = ["rare", "n_max", "minority_count"];
    if ladder {
        for key in KEYS.into_iter().filter(|key| fields.contains_key(*key)) {
            let hint =
                "take it out: along a ladder the rarer class of two is thinned as the ladder says";
            s.error(key, format!("a ladder has no `{key}`"), Some(hint.into()));
        }
    } else if ratios.iter().all(|ratio| *ratio == RatioSpec::Natural) {
        need_ratio(&KEYS, fields, s);
        need_ratio(&["profile"], fields, s);
    }
}

/// These keys say nothing without a ratio.
pub(super) fn need_ratio(keys: &[&'static str], fields: &Fields, s: &mut Section<'_, '_>) {
    for key in keys.iter().filter(|key| fields.contains_key(**key)) {
        let hint = "give `imbalance_ratio` a number, such as 10";
        s.error(key, "there is no induced ratio", Some(hint.into()));
    }
}

/// Rows of each class that are held out: a number, or a share of the smallest class.
pub(super) fn read_test_size(s: &mut Section<'_, '_>) -> Option<TestSize> {
    let node = s.shaped(
        "test_per_class",
        || json!({ "type": "number", "exclusiveMinimum": 0 }),
    )?;
    let size = match node.value {
        Value::Whole(n) => usize::try_from(n)
            .ok()
            .filter(|n| *n > 0)
            .map(TestSize::Rows),
        Value::Real(share) => (share > 0.0 && share < 1.0).then_some(TestSize::Share(share)),
        _ => None,
    };
    if size.is_none() {
        let hint =
            "give rows of each class, such as 100, or a share of the smallest class, such as 0.3";
        s.error(
            "test_per_class",
            "expected a whole number of rows, or a share between 0 and 1",
            Some(hint.into()),
        );
    }
    size
}

/// One of these words, or shares of the classes.
pub(super) fn word_or_shares(words: &[&str]) -> serde_json::Value {
    let share = json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1 });
    json!({ "anyOf": [{ "enum": words }, { "type": "array", "minItems": 1, "items": share }] })
}

/// Shares of the classes: each above 0, and their sum 1.
pub(super) fn shares(node: &Node) -> Option<Vec<f64>> {
    let Value::List(items) = &node.value else {
        return None;
    };
    let share = |item: &Node| match item.value {
        Value::Real(share) => Some(share),
        Value::Whole(share) => Some(share as f64),
        _ => None,
    };
    let shares: Vec<f64> = items.iter().map(share).collect::<Option<_>>()?;
    let sound =
        shares.iter().all(|share| *share > 0.0) && (shares.iter().sum::<f64>() - 1.0).abs() < 1e-6;
    sound.then_some(shares)
}

/// The shares that test rows are drawn to.
pub(super) fn read_test_prior(s: &mut Section<'_, '_>) -> Option<TestPrior> {
    let node = s.shaped("test_prior", || word_or_shares(&["train", "balanced"]))?;
    let prior = match &node.value {
        Value::Text(word) if word == "train" => Some(TestPrior::Train),
        Value::Text(word) if word == "balanced" => Some(TestPrior::Balanced),
        _ => shares(node).map(TestPrior::Shares),
    };
    if prior.is_none() {
        let hint = "give \"train\", \"balanced\", or a share above 0 for each class, such as [0.9, 0.1], whose sum is 1";
        s.error("test_prior", "these are no class shares", Some(hint.into()));
    }
    prior
}
