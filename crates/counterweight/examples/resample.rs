//! Even rows of three classes by SMOTE.

use counterweight::{FitResample, Origin, Smote};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let x: Vec<[f64; 2]> = (0..30)
        .map(|i| [f64::from(i % 7), f64::from(i / 7)])
        .collect();
    let y: Vec<&str> = (0..30)
        .map(|i| ["a", "b", "c"][usize::from(i > 19) + usize::from(i > 25)])
        .collect();

    let even = Smote::default().k(3).seed(7).fit_resample(&x, &y)?;

    let made = even
        .origins
        .iter()
        .filter(|origin| matches!(origin, Origin::Synthetic { .. }));
    assert_eq!(made.count(), 30);
    assert_eq!(even.y.len(), 60);
    Ok(())
}
