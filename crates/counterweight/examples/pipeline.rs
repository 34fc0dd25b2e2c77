//! A forest on rows that SMOTE evens out in each training set, with its probabilities put right.

use counterweight::{Calibrated, CrossFit, Fit, RandomForest, Smote};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let x: Vec<[f64; 2]> = (0..150)
        .map(|i| [f64::from(i * 37 % 101), f64::from(i * 53 % 97)])
        .collect();
    let y: Vec<bool> = x.iter().map(|x| x[0] + x[1] > 150.0).collect();

    let learner = RandomForest::default()
        .trees(30)
        .resample(Smote::default())
        .seed(3);
    let rule = Calibrated::default().cross_fit(&learner, &x, &y, 5)?;

    let probabilities = rule.probabilities(&[[1.0, 1.0], [100.0, 96.0]])?;
    assert!(probabilities.at(0, 1) < 0.5 && probabilities.at(1, 1) > 0.5);
    Ok(())
}
