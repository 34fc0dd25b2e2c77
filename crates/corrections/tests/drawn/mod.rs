//! The data of the golden files, drawn as their scripts draw them.

#![allow(dead_code, reason = "each test file uses a part")]

use counterweight_core::{ColumnKind, Labels, Matrix, Origin, Partition, Samples, Train};
use serde_json::Value;

/// A golden file of `tests/goldens/corrections`.
pub(crate) fn golden(file: &str) -> Value {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/goldens/corrections"
    );
    serde_json::from_str(&std::fs::read_to_string(format!("{folder}/{file}")).unwrap()).unwrap()
}

/// splitmix64.
pub(crate) struct Mix(pub(crate) u64);

impl Mix {
    fn whole(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = self.0;
        let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// The sum of four uniform numbers, less its mean.
    pub(crate) fn bell(&mut self) -> f64 {
        let sum: f64 = (0..4)
            .map(|_| (self.whole() >> 32) as f64 / 4_294_967_296.0)
            .sum();
        sum - 2.0
    }
}

pub(crate) fn whole(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

pub(crate) fn wholes(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(whole).collect()
}

pub(crate) fn train(x: Matrix, levels: &[Option<usize>], classes: &[usize]) -> Train {
    let n = classes.len();
    let ids: Vec<u32> = classes.iter().map(|&c| u32::try_from(c).unwrap()).collect();
    let names = (0..=classes.iter().max().copied().unwrap())
        .map(|class| class.to_string())
        .collect();
    let kinds = levels
        .iter()
        .map(|levels| levels.map_or(ColumnKind::Numeric, |levels| ColumnKind::Nominal { levels }))
        .collect();
    let origins = (0..n).map(Origin::Row).collect();
    let samples = Samples::new(x, kinds, Labels::new(ids, names).unwrap(), origins).unwrap();
    let all = Partition::new(n, (0..n).collect(), vec![]).unwrap();
    all.cut_samples(&samples).unwrap().0
}

/// The classes that `about` describes.
pub(crate) fn draw(about: &Value) -> Train {
    let mut mix = Mix(about["seed"].as_u64().unwrap());
    let counts = wholes(&about["counts"]);
    let (cols, gap) = (whole(&about["cols"]), about["gap"].as_f64().unwrap());
    let mut y: Vec<usize> = counts
        .iter()
        .enumerate()
        .flat_map(|(class, &n)| std::iter::repeat_n(class, n))
        .collect();
    if about["shuffled"].as_bool().unwrap() {
        for at in (1..y.len()).rev() {
            let other = mix.whole() % (at as u64 + 1);
            y.swap(at, usize::try_from(other).unwrap());
        }
    }
    let x = Matrix::from_fn(y.len(), cols, |i, j| {
        mix.bell() + if y[i] == j { gap } else { 0.0 }
    });
    train(x, &vec![None; cols], &y)
}
