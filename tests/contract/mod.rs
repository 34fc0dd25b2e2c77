//! What other programs rely on: columns, files, names, outcomes and exit codes.

mod commands;
mod folder;
mod records;

use crate::common::{Place, mixed_csv, numeric_csv};

/// Populations, a file and a pair; numeric, nominal and missing values; probabilities and votes.
const SWEEP: &str = r#"
format = 1
name = "contract"
seed = 3
[protocol]
folds = 3
inner_folds = 2
[[population]]
kind = "gaussian-pair"
n_train = 120
n_test = 100
imbalance_ratio = [1, 5]
[[dataset]]
path = "mixed.csv"
target = "y"
imbalance_ratio = ["natural", 4, 900]
[[dataset]]
train = "half_train.csv"
test = "half_test.csv"
target = "y"
[[model]]
kind = "softmax-regression"
[[model]]
kind = "k-nearest-neighbours"
k = [1, 5]
[[model]]
id = "tree"
kind = "smartcore-decision-tree"
[[correction]]
id = "none"
[[correction]]
loss = { kind = "weighted" }
[[correction]]
id = "logit-adjusted"
loss = { kind = "logit-adjusted", tau = [0.5, 1.0] }
[[correction]]
resample = { kind = "smote", k = 4 }
[[correction]]
id = "smote+adjust"
resample = { kind = "smote", k = 4, strategy = 0.5 }
decide = { kind = "logit-adjust", tau = 1.0, prior = "effective" }
[[correction]]
decide = { kind = "tuned-threshold" }
[[correction]]
decide = { kind = "threshold", t = 0.2 }
"#;

fn place() -> Place {
    let place = Place::with_sweep(SWEEP);
    place.write("demo/mixed.csv", &mixed_csv(&[80, 40, 20], 4));
    place.write("demo/half_train.csv", &numeric_csv(&[50, 20], 5));
    place.write("demo/half_test.csv", &numeric_csv(&[30, 30], 6));
    place
}

#[track_caller]
fn json(place: &Place, file: &str) -> serde_json::Value {
    serde_json::from_str(&place.read(file)).expect("JSON")
}
