//! The rows that imbalanced-learn keeps, from `tests/goldens/corrections/make_under.py`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a golden that cannot be read fails the test"
)]

mod drawn;

use std::collections::BTreeMap;

use counterweight_core::{
    Deadline, Origin, ParamValue, Seed, Shared, SmallClass, StageContext, Train, find, params,
};
use counterweight_corrections::resample;
use serde_json::Value;

use drawn::{draw, golden};

fn value(value: &Value) -> ParamValue {
    match value {
        Value::Bool(flag) => ParamValue::Flag(*flag),
        Value::String(word) => ParamValue::Text(word.clone()),
        Value::Array(items) => ParamValue::List(items.iter().map(self::value).collect()),
        number => number.as_i64().map_or_else(
            || ParamValue::Real(number.as_f64().unwrap()),
            ParamValue::Whole,
        ),
    }
}

fn kept(
    id: &str,
    given: &BTreeMap<String, ParamValue>,
    train: &Train,
    shared: &Shared,
) -> Vec<usize> {
    let entry = find(resample::ALL, id).unwrap();
    let params = params::check(entry.card.params, given).unwrap();
    let stream = Seed(11).stage("golden").open();
    let mut context = StageContext::new(stream, SmallClass::Error, Deadline::NEVER, shared);
    let after = (entry.build)(&params)
        .unwrap()
        .resample(train, &mut context);
    let after = after.unwrap_or_else(|error| panic!("{id} {given:?}: {error}"));
    let origins = after.samples().origins().iter();
    origins
        .map(|origin| match *origin {
            Origin::Row(row) => row,
            Origin::Synthetic { .. } => panic!("{id} made a row"),
        })
        .collect()
}

fn expected(bits: &str) -> Vec<usize> {
    let digits = bits.chars().map(|digit| digit.to_digit(16).unwrap());
    digits
        .enumerate()
        .flat_map(|(at, digit)| {
            (0..4)
                .filter(move |bit| digit >> (3 - bit) & 1 == 1)
                .map(move |bit| 4 * at + bit)
        })
        .collect()
}

#[test]
fn the_rows_that_stay_are_imbalanced_learns() {
    let goldens = golden("under.json");
    let mut compared: BTreeMap<String, usize> = BTreeMap::new();
    for set in goldens["sets"].as_array().unwrap() {
        let train = draw(&set["data"]);
        // One graph for all of them, as in a sweep.
        let shared = Shared::default();
        for case in set["cases"].as_array().unwrap() {
            let id = case["id"].as_str().unwrap();
            let mut given: BTreeMap<String, ParamValue> = case["params"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(key, item)| (key.clone(), value(item)))
                .collect();
            let rows = expected(case["kept"].as_str().unwrap());
            let found = kept(id, &given, &train, &shared);
            assert!(found == rows, "{}: {id} {given:?}", set["data"]);
            *compared.entry(id.to_owned()).or_default() += 1;
            // Where the larger class comes first, row numbers are positions, so there is nothing to
            // replay.
            if set["data"]["shuffled"] == false && given.remove("replay").is_some() {
                assert!(kept(id, &given, &train, &shared) == rows, "{id}");
            }
        }
    }
    let ids: Vec<&str> = compared.keys().map(String::as_str).collect();
    assert_eq!(
        ids,
        [
            "all-knn",
            "condensed-nn",
            "enn",
            "near-miss",
            "neighbourhood-cleaning",
            "one-sided-selection",
            "repeated-enn",
            "tomek-links"
        ]
    );
    assert!(compared.values().all(|&n| n >= 20), "{compared:?}");
}
