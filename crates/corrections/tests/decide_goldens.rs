//! What scikit-learn and scipy's optimisers give for calibrators and tuning metrics, from
//! `tests/goldens/decide/make_goldens.py`.

#![expect(
    clippy::unwrap_used,
    reason = "a golden that cannot be read fails the test"
)]

use counterweight_core::{Calib, Labels, Matrix, OutOfFold, Partition, Samples, Scores};
use counterweight_core::{ClassCounts, Confusion};
use counterweight_corrections::calibrate;
use counterweight_metrics::Criterion;
use serde_json::Value;

fn goldens() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/goldens/decide/goldens.json"
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn wholes(value: &Value) -> Vec<u32> {
    let whole = |v: &Value| u32::try_from(v.as_u64().unwrap()).unwrap();
    value.as_array().unwrap().iter().map(whole).collect()
}

fn matrix(value: &Value) -> Matrix {
    let rows: Vec<Vec<f64>> = value
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let items = row.as_array().unwrap();
            items.iter().map(|v| v.as_f64().unwrap()).collect()
        })
        .collect();
    Matrix::from_vec(rows.len(), rows[0].len(), rows.concat()).unwrap()
}

fn calib(log: &Matrix, y: Vec<u32>) -> Calib {
    let (n, k) = (log.rows(), log.cols());
    let names = (0..k).map(|k| k.to_string()).collect();
    let samples = Samples::numeric(Matrix::zeros(n, 1), Labels::new(y, names).unwrap()).unwrap();
    let all: Vec<usize> = (0..n).collect();
    let whole = Partition::new(n, all.clone(), vec![]).unwrap();
    let (train, _) = whole.cut_samples(&samples).unwrap();
    let mut collected = OutOfFold::new(&train);
    collected
        .add(&all, Scores::log_probabilities(log.clone()).unwrap())
        .unwrap();
    collected.finish().unwrap()
}

#[test]
fn calibrated_probabilities_are_those_of_the_reference_optimisation() {
    let goldens = goldens();
    let mut compared = 0;
    for (at, case) in goldens["calibrations"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
    {
        let rows = calib(&matrix(&case["log"]), wholes(&case["y"]));
        let new = Scores::log_probabilities(matrix(&case["new"])).unwrap();
        for entry in calibrate::ALL {
            let Some(expected) = case.get(entry.id) else {
                continue;
            };
            let expected = matrix(expected);
            let found = (entry.fit)(&rows).map.calibrate(&new).unwrap();
            let tolerance = if entry.id == "isotonic" { 1e-12 } else { 1e-6 };
            for (a, b) in found.log().as_slice().iter().zip(expected.as_slice()) {
                let a = a.exp();
                assert!((a - b).abs() < tolerance, "{} case {at}: {a} {b}", entry.id);
                compared += 1;
            }
        }
    }
    assert!(compared > 400, "{compared}");
}

#[test]
fn correlation_and_worst_recall_are_scikit_learns() {
    for case in goldens()["criteria"].as_array().unwrap() {
        let n_classes = usize::try_from(case["n_classes"].as_u64().unwrap()).unwrap();
        let mut tally = Confusion::new(n_classes);
        let train = ClassCounts::new(vec![1; n_classes]);
        for (&truth, &decided) in wholes(&case["truth"]).iter().zip(&wholes(&case["decided"])) {
            tally.add(truth as usize, decided as usize, 1);
        }
        for name in ["mcc", "worst-recall"] {
            let found = Criterion::new(name).unwrap().value(&tally, &train).unwrap();
            let expected = case[name].as_f64().unwrap();
            assert!(
                (found - expected).abs() < 1e-12,
                "{name}: {found} {expected}"
            );
        }
    }
}
