//! Agreement with scikit-learn (1e-12) and statsmodels (1e-8) on rows that a committed
//! script wrote.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's helpers fail as its assertions do"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use counterweight_core::{
    ClassCounts, Decisions, Judged, Labels, Matrix, MetricEntry, Scores, params,
};
use counterweight_metrics::ALL;

struct Case {
    labels: Labels,
    /// The same, with the weights as those of the rows.
    own: Labels,
    decisions: Decisions,
    weights: Vec<f64>,
    scores: Scores,
    train: ClassCounts,
}

fn read(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/goldens/metrics/");
    let path = PathBuf::from(folder).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn case(name: &str) -> Case {
    let text = read(&format!("cases/{name}.csv"));
    let mut lines = text.lines();
    let head = lines.next().unwrap();
    let (kind, train) = head
        .strip_prefix("# kind=")
        .unwrap()
        .split_once(" train=")
        .unwrap();
    let train: Vec<usize> = train.split(';').map(|n| n.parse().unwrap()).collect();
    let (mut labels, mut decisions, mut weights, mut scores) = (vec![], vec![], vec![], vec![]);
    for line in lines.skip(1) {
        let mut cells = line.split(',');
        labels.push(cells.next().unwrap().parse().unwrap());
        decisions.push(cells.next().unwrap().parse().unwrap());
        weights.push(cells.next().unwrap().parse().unwrap());
        scores.extend(cells.map(|cell| cell.parse::<f64>().unwrap()));
    }
    let names: Vec<String> = (0..train.len()).map(|k| k.to_string()).collect();
    let scores = Matrix::from_vec(labels.len(), train.len(), scores).unwrap();
    let labels = Labels::new(labels, names.into()).unwrap();
    Case {
        own: labels.clone().weighted(weights.clone()).unwrap(),
        labels,
        decisions: Decisions::new(decisions),
        weights,
        scores: match kind {
            "probability" => Scores::probabilities(scores),
            "logit" => Scores::logits(scores),
            other => panic!("kind {other}"),
        }
        .unwrap(),
        train: ClassCounts::new(train),
    }
}

fn value(entry: &MetricEntry, judged: &Judged<'_>) -> Result<f64, String> {
    let params = params::check(entry.card.params, &BTreeMap::new()).unwrap();
    (entry.build)(&params).unwrap().value(judged)
}

/// Calibration comes out of an iteration on both sides; everything else is a closed form.
fn tolerance(metric: &str, expected: f64) -> f64 {
    let scale = expected.abs().max(1.0);
    if metric.starts_with("calibration") {
        1e-8 * scale
    } else {
        1e-12 * scale
    }
}

#[test]
fn every_metric_agrees_with_its_reference() {
    let text = read("expected.csv");
    let mut compared: BTreeMap<&str, usize> = BTreeMap::new();
    let mut cases: BTreeMap<&str, Case> = BTreeMap::new();
    let mut wrong = Vec::new();
    for line in text.lines().skip(1) {
        let [name, weighting, metric, cell]: [&str; 4] =
            line.split(',').collect::<Vec<_>>().try_into().unwrap();
        let case = cases.entry(name).or_insert_with(|| case(name));
        let unit = vec![1.0; case.labels.len()];
        let (weights, labels) = match weighting {
            "unit" => (&unit, &case.labels),
            "rows" => (&case.weights, &case.labels),
            // In any unit.
            "own" => (&case.weights, &case.own),
            other => panic!("weights {other}"),
        };
        let judged = Judged::new(
            labels,
            &case.decisions,
            Some(&case.scores),
            weights,
            &case.train,
        )
        .unwrap();
        let entry = ALL
            .iter()
            .find(|entry| entry.card.id == metric)
            .unwrap_or_else(|| panic!("{metric} is not registered"));
        let found = value(entry, &judged);
        let agrees = match (&found, cell) {
            (Err(_), "") => true,
            (Ok(found), cell) if !cell.is_empty() => {
                let expected: f64 = cell.parse().unwrap();
                (found - expected).abs() <= tolerance(metric, expected)
            }
            _ => false,
        };
        if !agrees {
            wrong.push(format!("{line} but found {found:?}"));
        }
        *compared.entry(entry.card.id).or_default() += usize::from(!cell.is_empty());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (id, n) in &compared {
        assert!(*n >= 6, "{id} was compared {n} times only");
    }
    // Of the 27 of the day; one that comes later has tests of its own.
    assert!(compared.len() >= 27, "{}", compared.len());
}
