//! Features that say nothing new of the class.

use counterweight_core::{ColumnKind, Matrix, NormalPart, Population, Range, Stream, parameters};
use rand::RngExt as _;
use rand_distr::StandardNormal;

use super::super::unit_gaussian_log_density;

const FEATURES: Range = Range::new(1.0, true, 10_000.0, true);
/// Standard deviation of what a redundant feature has of its own.
const OWN: f64 = 0.5;

parameters! {
    /// Features beside the informative ones. A redundant feature r = 1, 2, .. is `d^-1/2 sum_j s_rj x_j + z / 2` of the
    /// d informative features, with Walsh's signs s_rj (-1 where r and j = 0, 1, .. share an odd number of binary ones)
    /// and z standard normal. Given the informative features it does not depend on the class, so that the posterior
    /// and the Bayes error stay what they are.
    pub struct Extra {
        /// features of pure noise, standard normal; left out: none
        noise_features: usize, in FEATURES, probe [2];
        /// noisy combinations of the informative features; left out: none
        redundant_features: usize, in FEATURES, probe [3];
    }
}

impl Extra {
    /// The population with these features behind its own.
    pub(crate) fn around(&self, inner: impl Population + 'static) -> Box<dyn Population> {
        let count = |given: Option<usize>| given.unwrap_or(0);
        let (redundant, noise) = (count(self.redundant_features), count(self.noise_features));
        if redundant + noise == 0 {
            return Box::new(inner);
        }
        Box::new(Padded {
            inner: Box::new(inner),
            redundant,
            noise,
        })
    }
}

#[derive(Debug)]
struct Padded {
    inner: Box<dyn Population>,
    redundant: usize,
    noise: usize,
}

impl Padded {
    /// What of informative feature j is in the redundant feature `r`, from 0.
    fn share(&self, r: usize, j: usize) -> f64 {
        let sign = if ((r + 1) & j).count_ones() % 2 == 1 {
            -1.0
        } else {
            1.0
        };
        sign / (self.inner.n_features() as f64).sqrt()
    }

    /// The expected redundant features, given the informative ones.
    fn combined<'a>(&'a self, own: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        let combined = move |r| {
            own.iter()
                .enumerate()
                .map(|(j, x)| self.share(r, j) * x)
                .sum()
        };
        (0..self.redundant).map(combined)
    }
}

impl Population for Padded {
    fn n_classes(&self) -> usize {
        self.inner.n_classes()
    }

    fn n_features(&self) -> usize {
        self.inner.n_features() + self.redundant + self.noise
    }

    fn kinds(&self) -> Vec<ColumnKind> {
        let mut kinds = self.inner.kinds();
        kinds.resize(self.n_features(), ColumnKind::Numeric);
        kinds
    }

    fn sample(&self, class: usize, n: usize, stream: &mut Stream) -> Matrix {
        let mut rows = Matrix::zeros(n, self.n_features());
        let d = self.inner.n_features();
        for i in 0..n {
            // Row by row, so that fewer rows are a prefix of more.
            let own = self.inner.sample(class, 1, stream);
            let (informative, rest) = rows.row_mut(i).split_at_mut(d);
            informative.copy_from_slice(own.row(0));
            rest.fill_with(|| stream.sample::<f64, _>(StandardNormal));
            for (value, mean) in rest.iter_mut().zip(self.combined(own.row(0))) {
                *value = mean + OWN * *value;
            }
        }
        rows
    }

    fn log_density(&self, class: usize, x: &[f64]) -> f64 {
        let (own, rest) = x.split_at(self.inner.n_features());
        let (redundant, noise) = rest.split_at(self.redundant);
        let apart = redundant
            .iter()
            .zip(self.combined(own))
            .map(|(x, mean)| (x - mean) / OWN);
        let apart: Vec<f64> = apart.collect();
        let log = |rest: &[f64]| unit_gaussian_log_density(rest, std::iter::repeat(0.0));
        self.inner.log_density(class, own) + log(&apart) - self.redundant as f64 * OWN.ln()
            + log(noise)
    }

    fn moments(&self, class: usize) -> Option<(Vec<f64>, Vec<f64>)> {
        let (mut mean, own) = self.inner.moments(class)?;
        let (d, all) = (self.inner.n_features(), self.n_features());
        let redundant: Vec<f64> = self.combined(&mean).collect();
        mean.extend(redundant);
        mean.resize(all, 0.0);
        // What of the informative feature j is in feature i.
        let share = |i: usize, j: usize| match i {
            i if i < d => f64::from(u8::from(i == j)),
            i if i < d + self.redundant => self.share(i - d, j),
            _ => 0.0,
        };
        let mut covariance = vec![0.0; all * all];
        for (i, j) in (0..all).flat_map(|i| (0..all).map(move |j| (i, j))) {
            let pairs = (0..d).flat_map(|a| (0..d).map(move |b| (a, b)));
            let shared: f64 = pairs
                .map(|(a, b)| share(i, a) * own[a * d + b] * share(j, b))
                .sum();
            let alone = match i {
                _ if i != j || i < d => 0.0,
                i if i < d + self.redundant => OWN * OWN,
                _ => 1.0,
            };
            covariance[i * all + j] = shared + alone;
        }
        Some((mean, covariance))
    }

    fn projection(&self, class: usize, direction: &[f64]) -> Option<Vec<NormalPart>> {
        let (own, rest) = direction.split_at(self.inner.n_features());
        let (redundant, noise) = rest.split_at(self.redundant);
        let seen = own.iter().enumerate().map(|(j, w)| {
            let shares = redundant.iter().enumerate();
            w + shares.map(|(r, w)| w * self.share(r, j)).sum::<f64>()
        });
        let seen: Vec<f64> = seen.collect();
        let of_own = redundant
            .iter()
            .map(|w| OWN * w)
            .chain(noise.iter().copied());
        let alone: f64 = of_own.map(|w| w * w).sum();
        let mut parts = self.inner.projection(class, &seen)?;
        for part in &mut parts {
            part.sd = (part.sd.powi(2) + alone).sqrt();
        }
        Some(parts)
    }

    fn bayes_error(&self) -> Option<f64> {
        self.inner.bayes_error()
    }
}
