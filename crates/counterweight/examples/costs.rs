//! The decision of least expected cost, where a missed `ill` costs twenty false alarms.

use counterweight::{CostMatrix, CrossFit, Lda};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let x: Vec<[f64; 1]> = (0..120).map(|i| [f64::from(i * 37 % 101) / 10.0]).collect();
    let y: Vec<&str> = x
        .iter()
        .map(|x| if x[0] > 8.0 { "ill" } else { "well" })
        .collect();

    // A row a truth, a column a decision, in the order of the classes.
    let costs = vec![vec![0.0, 20.0], vec![1.0, 0.0]];
    let rule = CostMatrix::new(&costs).cross_fit(&Lda::default(), &x, &y, 5)?;

    assert_eq!(rule.predict(&[[0.5], [9.9]])?, ["well", "ill"]);
    Ok(())
}
