//! Rows of an `ndarray`, to a linfa dataset and back.

use counterweight::{FitResample, RandomOver};
use linfa::DatasetBase;
use ndarray::{Array1, Array2};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let x = Array2::from_shape_fn((12, 3), |(i, j)| (i * 3 + j) as f64);
    let y: Vec<usize> = (0..12).map(|i| usize::from(i > 8)).collect();

    let even = RandomOver::default().seed(2).fit_resample(&x, &y)?;
    assert_eq!(even.to_ndarray().dim(), (18, 3));

    let dataset = DatasetBase::new(x, Array1::from_vec(y));
    let same = RandomOver::default()
        .seed(2)
        .fit_resample(&dataset, &dataset.targets().to_vec())?;
    assert_eq!(same.to_linfa().records(), even.to_linfa().records());
    Ok(())
}
