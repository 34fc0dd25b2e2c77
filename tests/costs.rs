//! Errors at operating points: costs.parquet agrees with the records, and no row has a say in its own cut.

use counterweight_frame::read_table;
use counterweight_store::{ArmCosts, take_costs};

use crate::common::{Place, numeric_csv};

const SWEEP: &str = r#"
format = 1
[protocol]
folds = 3
inner_folds = 2
[[dataset]]
path = "two.csv"
target = "y"
[[dataset]]
path = "three.csv"
target = "y"
[[population]]
kind = "gaussian-pair"
n_train = 300
n_test = 400
imbalance_ratio = 9
[[model]]
kind = "softmax-regression"
[[model]]
kind = "gaussian-naive-bayes"
[[correction]]
id = "none"
[[correction]]
id = "logit-adjust"
decide = { kind = "logit-adjust" }
[[correction]]
id = "over"
resample = { kind = "random-over" }
"#;

fn arms(place: &Place, file: &str) -> Vec<ArmCosts> {
    let mut arms = Vec::new();
    take_costs(&mut arms, &read_table(&place.path(file)).unwrap()).unwrap();
    arms
}

#[test]
fn costs_agree_with_the_records_at_the_point_of_the_balanced_error() {
    let place = Place::with_sweep(SWEEP);
    place.write("demo/two.csv", &numeric_csv(&[150, 30], 3));
    place.write("demo/three.csv", &numeric_csv(&[60, 30, 20], 4));
    place.call(&["run", "demo"]).ends_with(0);
    let arms = arms(&place, "demo/costs.parquet");
    // Two tables of two classes, two models, three corrections; three classes have none.
    assert_eq!(arms.len(), 2 * 2 * 3);
    let records = place.records("demo");
    for arm in &arms {
        assert_eq!(arm.points.len(), 21);
        let folded = arm.dataset == "two";
        assert!((arm.prevalence - if folded { 30.0 / 180.0 } else { 0.5 }).abs() < 1e-12);
        // Both ends: only false alarms cost, only misses do. The Bayes rule has none of them.
        let (first, last) = (arm.points[0], arm.points[20]);
        assert!(first.own.abs() < 1e-12 && last.own.abs() < 1e-12, "{arm:?}");
        let middle = arm.points[10];
        let cells = records.of(&[
            ("dataset", &arm.dataset),
            ("model", &arm.model),
            ("correction", &arm.correction),
        ]);
        // Folds have equally many rows of each class, so pooled rates are means.
        let errors: f64 = cells.iter().map(|row| row.real("balanced_error")).sum();
        let error = errors / cells.len() as f64;
        assert!((middle.given - error).abs() < 1e-9, "{arm:?} {error}");
        // Full logit adjustment decides by the Bayes rule of PC = 1/2.
        if arm.correction == "logit-adjust" {
            assert!((middle.own - middle.given).abs() < 1e-12, "{arm:?}");
        }
        for point in &arm.points {
            assert_eq!(point.best.is_some(), folded);
        }
    }
    // A correction that only decides otherwise has the probabilities of no correction.
    let of = |correction: &str| {
        let own = arms.iter().filter(|arm| arm.correction == correction);
        let own = own.flat_map(|arm| arm.points.iter().map(|point| (point.own, point.best)));
        own.collect::<Vec<_>>()
    };
    assert_eq!(of("none"), of("logit-adjust"));
    assert!(place.has("demo/tables/costs.csv"));
}
