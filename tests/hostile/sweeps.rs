//! Sweep files with bytes changed at random: each is planned in bounds, or refused with its place.
//!
//! The short form runs with the other tests; `COUNTERWEIGHT_FUZZ=10000` says how many files the long one
//! plans.

use std::time::Duration;

use super::ended;
use crate::common::{Place, numeric_csv};

/// Longer than any sweep of this size can take to be planned.
const LONGEST: Duration = Duration::from_secs(20);

const SEEDS: [&str; 2] = [
    r#"format = 1
name = "f"
seed = 7
[protocol]
folds = 3
repeats = 2
inner_folds = 3
small_class = "clamp"
timeout = "10m"
metric_prior = "train"
[[population]]
kind = "gaussian-pair"
n_train = 200
n_test = 100
imbalance_ratio = [1, 10]
[[dataset]]
path = "d.csv"
target = "y"
imbalance_ratio = ["natural", 2]
profile = "step"
missing = ["NA"]
ignore = "v"
separator = ","
max_rows = 60
[[model]]
kind = "softmax-regression"
l2 = [0.1, 1.0]
[[model]]
id = "trees"
kind = "random-forest"
trees = 10
features = { polynomial = 2 }
[[correction]]
id = "none"
[[correction]]
resample = { kind = "smote", k = [3, 5], strategy = 0.5 }
decide = { kind = "tuned-threshold", metric = "cost", costs = [[0, 1], [5, 0]] }
"#,
    r#"format = 1
[[population]]
kind = "gaussian-simplex"
id = "p"
classes = 4
minority_count = 20
profile = "exponential"
imbalance_ratio = 5
[[model]]
kind = "decision-tree"
max_depth = [2, 4]
select = "balanced-error"
[[model]]
kind = "gaussian-naive-bayes"
[[correction]]
preset = "families"
[[correction]]
id = "s"
resample = { kind = "random-over", strategy = [{ "1" = 90 }, { "2" = 95, "3" = 97 }] }
expand = true
[[correction]]
ensemble = { kind = "under-bagging", members = 5 }
decide = { kind = "calibrated", by = "platt", then = { kind = "logit-adjust", tau = 0.5 } }
[[correction]]
loss = { kind = "logit-adjusted", tau = [0.0, 0.5, 1.0], prior = "train" }
[[curve]]
decide = { kind = "logit-adjust" }
parameter = "tau"
from = 0.0
to = 2.0
points = 11
[[leak]]
resample = { kind = "smote" }
models = ["gaussian-naive-bayes"]
"#,
];

const WORDS: [&str; 20] = [
    "9223372036854775807",
    "-1",
    "0",
    "1e308",
    "nan",
    "inf",
    "[]",
    "{}",
    "\"\"",
    "[[model]]\n",
    "[[correction]]\n",
    "=",
    "\n",
    "[1, 2, 3, 4, 5, 6, 7, 8, 9]",
    "100000",
    "\"1\"",
    "1979-05-27",
    "'''",
    "\u{0}",
    "99999999",
];

/// Splitmix64, from a fixed seed: the same files every time.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n.max(1) as u64).expect("below a size")
    }
}

/// The places of the values of a sweep file: what stands behind `=`, to the end of the line.
fn value(text: &str, random: &mut Random) -> Option<std::ops::Range<usize>> {
    let places: Vec<usize> = text.match_indices("= ").map(|(at, _)| at + 2).collect();
    let start = *places.get(random.below(places.len()))?;
    let rest = &text[start..];
    let end = rest.find([',', '\n', '}', ']']).unwrap_or(rest.len());
    Some(start..start + end)
}

fn mutate(seed: &str, random: &mut Random) -> Vec<u8> {
    let mut text = seed.to_owned();
    for _ in 0..=random.below(2) {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let line = random.below(lines.len());
        text = match random.below(5) {
            // A value becomes another.
            0 | 1 => match value(&text, random) {
                Some(range) => {
                    let word = WORDS[random.below(WORDS.len())];
                    format!("{}{word}{}", &text[..range.start], &text[range.end..])
                }
                None => text,
            },
            2 => [&lines[..line], &lines[line + 1..]].concat().concat(),
            3 => [&lines[..=line], &lines[line..]].concat().concat(),
            _ => {
                let word = WORDS[random.below(WORDS.len())];
                [&lines[..line], &[word], &lines[line..]].concat().concat()
            }
        };
    }
    let mut bytes = text.into_bytes();
    if random.below(3) == 0 && !bytes.is_empty() {
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(8);
    }
    bytes
}

#[test]
fn mutated_sweeps_are_planned_or_refused_with_their_place() {
    let asked = std::env::var("COUNTERWEIGHT_FUZZ").ok();
    let rounds: usize = asked.and_then(|n| n.parse().ok()).unwrap_or(150);
    let place = Place::new();
    place.write("f/d.csv", &numeric_csv(&[40, 30], 2));
    let sweep = place.path("f/sweep.toml");
    let mut random = Random(13);
    let mut planned = 0;
    for round in 0..rounds {
        let bytes = mutate(SEEDS[round % SEEDS.len()], &mut random);
        std::fs::write(&sweep, &bytes).expect("a sweep file");
        let shown = || String::from_utf8_lossy(&bytes).into_owned();
        let (code, said) = ended(&place, &["run", "f", "--dry-run"], LONGEST);
        match code {
            Some(0) => planned += 1,
            Some(2) => {
                let mut errors = said.lines().filter(|line| line.starts_with("error: "));
                assert!(
                    errors
                        .next()
                        .is_some_and(|line| line.starts_with("error: f/sweep.toml")),
                    "{said}\n{}",
                    shown()
                );
            }
            other => panic!("exit {other:?}: {said}\n{}", shown()),
        }
        assert!(!said.contains("panicked"), "{said}\n{}", shown());
    }
    assert!(planned > 0 && planned < rounds, "{planned} of {rounds}");
}
