//! Balanced error of a learner with and without class weights, on held-out rows.

use counterweight::{Fit, GradientBoosting, Trainer, Weighted, balanced_error, confusion};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let row = |i: i32| [f64::from(i * 37 % 101), f64::from(i * 53 % 97)];
    let x: Vec<[f64; 2]> = (0..400).map(row).collect();
    let y: Vec<bool> = x.iter().map(|x| x[0] * x[1] > 7000.0).collect();
    let ((train, test), (known, truth)) = (x.split_at(250), y.split_at(250));

    let error = |learner: Trainer<GradientBoosting>| {
        let decided = learner.fit(train, known)?.predict(test)?;
        Ok::<_, counterweight::StageError>(balanced_error::of(&confusion(truth, &decided)?))
    };
    let learner = GradientBoosting::default().rounds(20).seed(1);
    let (none, weighted) = (
        error(learner.clone())?,
        error(learner.loss(Weighted::default()))?,
    );
    assert!(none < Some(0.2) && weighted < Some(0.2));
    Ok(())
}
