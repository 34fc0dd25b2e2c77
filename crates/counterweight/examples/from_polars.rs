//! Columns of a polars frame, and a frame of what was made of them.

use counterweight::{FitResample, Smote};
use counterweight_frame::polars::prelude::{Column, DataFrame};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (a, b): (Vec<f64>, Vec<i64>) = (0..12).map(|i| (f64::from(i), i64::from(i * i))).unzip();
    let frame = DataFrame::new(
        12,
        vec![Column::new("a".into(), a), Column::new("b".into(), b)],
    )?;
    let y: Vec<&str> = (0..12).map(|i| if i < 9 { "no" } else { "yes" }).collect();

    let even = Smote::default().k(2).fit_resample(&frame, &y)?;
    let made = even.to_polars(&["a", "b"])?;
    assert_eq!((made.height(), made.width()), (18, 2));
    Ok(())
}
