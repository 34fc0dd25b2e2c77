//! The rows that imbalanced-learn keeps, from `tests/goldens/corrections/make_under.py`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a golden that cannot be read fails the test"
)]

use std::collections::BTreeMap;

use counterweight_core::{
    Deadline, Labels, Matrix, Origin, ParamValue, Partition, Samples, Seed, Shared, SmallClass,
    StageContext, Train, find, params,
};
use counterweight_corrections::resample;
use serde_json::Value;

/// splitmix64.
struct Mix(u64);

impl Mix {
    fn whole(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = self.0;
        let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn bell(&mut self) -> f64 {
        let sum: f64 = (0..4)
            .map(|_| (self.whole() >> 32) as f64 / 4_294_967_296.0)
            .sum();
        sum - 2.0
    }
}

fn whole(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

/// The data that the script draws.
fn draw(about: &Value) -> Train {
    let mut mix = Mix(about["seed"].as_u64().unwrap());
    let counts: Vec<usize> = about["counts"]
        .as_array()
        .unwrap()
        .iter()
        .map(whole)
        .collect();
    let (cols, gap) = (whole(&about["cols"]), about["gap"].as_f64().unwrap());
    let mut y: Vec<u32> = (0..)
        .zip(&counts)
        .flat_map(|(class, &n)| std::iter::repeat_n(class, n))
        .collect();
    if about["shuffled"].as_bool().unwrap() {
        for at in (1..y.len()).rev() {
            let other = mix.whole() % (at as u64 + 1);
            y.swap(at, usize::try_from(other).unwrap());
        }
    }
    let x = Matrix::from_fn(y.len(), cols, |i, j| {
        mix.bell() + if y[i] as usize == j { gap } else { 0.0 }
    });
    let names = (0..counts.len()).map(|class| class.to_string()).collect();
    let n = y.len();
    let samples = Samples::numeric(x, Labels::new(y, names).unwrap()).unwrap();
    let all = Partition::new(n, (0..n).collect(), vec![]).unwrap();
    all.cut_samples(&samples).unwrap().0
}

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
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/goldens/corrections/under.json"
    );
    let goldens: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
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
