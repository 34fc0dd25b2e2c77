//! An estimator of one's own, or of another library, under a tuned threshold.

use counterweight::{CrossFit, Matrix, Scores, TunedThreshold, from_fn};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let x: Vec<[f64; 1]> = (0..90).map(|i| [f64::from(i * 37 % 101)]).collect();
    let y: Vec<bool> = x.iter().map(|x| x[0] > 80.0).collect();

    // Here stands the library's fit; what it returns scores rows.
    let centres = from_fn(|x: &Matrix, y: &[u32], _: usize| {
        let of = |class| x.iter_rows().zip(y).filter(move |(_, y)| **y == class);
        let mean = |class| of(class).map(|(row, _)| row[0]).sum::<f64>() / of(class).count() as f64;
        let means = [mean(0), mean(1)];
        let near = move |x: &Matrix, i, class: usize| -(x.at(i, 0) - means[class]).abs() / 10.0;
        Ok(move |x: &Matrix| {
            Ok(Scores::logits(Matrix::from_fn(x.rows(), 2, |i, k| {
                near(x, i, k)
            }))?)
        })
    });
    let rule = TunedThreshold::default().cross_fit(&centres, &x, &y, 5)?;
    assert_eq!(rule.predict(&[[5.0], [99.0]])?, [false, true]);
    Ok(())
}
