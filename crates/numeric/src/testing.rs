//! Helpers of this crate's tests.

use std::sync::Arc;

use counterweight_core::{
    ColumnKind, Labels, Matrix, Origin, Partition, Samples, Seed, Stream, Train,
};
use rand::RngExt as _;
use rand::SeedableRng as _;

pub(crate) fn rng(seed: u64) -> Stream {
    Stream::seed_from_u64(seed)
}

pub(crate) fn stream(seed: u64) -> Stream {
    Seed(seed).stage("test").open()
}

/// A standard normal number (Box and Muller).
pub(crate) fn normal(rng: &mut Stream) -> f64 {
    let u: f64 = 1.0 - rng.random::<f64>();
    let v: f64 = rng.random();
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// All rows as a training set.
pub(crate) fn train(
    x: Matrix,
    levels: &[Option<usize>],
    classes: &[usize],
    n_classes: usize,
) -> Train {
    let kinds = levels
        .iter()
        .map(|levels| levels.map_or(ColumnKind::Numeric, |levels| ColumnKind::Nominal { levels }))
        .collect();
    let n = x.rows();
    let names: Arc<[String]> = (0..n_classes).map(|k| format!("c{k}")).collect();
    let ids = classes.iter().map(|&k| u32::try_from(k).unwrap()).collect();
    let labels = Labels::new(ids, names).unwrap();
    let samples = Samples::new(x, kinds, labels, (0..n).map(Origin::Row).collect()).unwrap();
    let all = Partition::new(n, (0..n).collect(), vec![]).unwrap();
    all.cut_samples(&samples).unwrap().0
}
