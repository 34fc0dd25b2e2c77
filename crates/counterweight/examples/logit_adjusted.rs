//! A logit-adjusted softmax regression, and a threshold tuned for balanced error on rows that it did not see.

use counterweight::{
    BalancedError, CrossFit, Fit, LogitAdjusted, SoftmaxRegression, TunedThreshold,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let x: Vec<[f64; 1]> = (0..200).map(|i| [f64::from(i * 37 % 101) / 10.0]).collect();
    let y: Vec<&str> = x
        .iter()
        .map(|x| if x[0] > 8.5 { "rare" } else { "usual" })
        .collect();

    let learner = SoftmaxRegression::default().loss(LogitAdjusted::new(1.0));
    let model = learner.fit(&x, &y)?;
    let even = |prior: &f64| (prior - 0.5).abs() < 1e-9;
    assert!(model.prior().is_some_and(|shares| shares.iter().all(even)));

    let rule = TunedThreshold::new(BalancedError).cross_fit(&learner, &x, &y, 5)?;
    assert!(rule.details()["threshold"] < 1.0);
    assert_eq!(rule.predict(&[[1.0], [9.9]])?, ["usual", "rare"]);
    Ok(())
}
