//! Rows of the larger class that disagree with their neighbours are found and dropped.

use counterweight::{Enn, FitResample, RandomUnder};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let x: Vec<[f64; 1]> = (0..40).map(|i| [f64::from(i)]).collect();
    let y: Vec<bool> = (0..40).map(|i| i >= 30 || i == 8).collect();

    let kept = Enn::default().fit_resample(&x, &y)?.rows();
    let dropped: Vec<usize> = (0..40).filter(|row| !kept.contains(row)).collect();
    assert!(dropped.contains(&7) && dropped.contains(&9), "{dropped:?}");

    let few = RandomUnder::default().seed(1).fit_resample(&x, &y)?;
    assert_eq!(few.y.iter().filter(|y| **y).count() * 2, few.y.len());
    Ok(())
}
