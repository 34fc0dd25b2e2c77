//! Categorical features with known tables.
//!
//! # When it helps, when it hurts
//!
//! All columns are nominal: what SMOTE-N, one-hot encoding and trees make of codes is judged against an exact floor, which
//! no real table has. Many levels make sparse tables, where a rare class has not seen most levels. Features are independent
//! within a class, so that a model of main effects is right.
//!
//! # Formula
//!
//! Each of `features` columns has levels l = 0 .. levels - 1 with
//! `P(x_j = l | y) = exp(strength cos(2 pi (l / levels - y / classes))) / Z_y`, independent of each other given the class,
//! and each of `noise_features` columns an even table: `log p(x | y) = sum_j log P(x_j | y) - noise_features log levels`.
//! The Bayes-optimal balanced error is the sum over the combinations of levels, `1 - 1/K sum_x max_y p(x | y)`, taken over
//! the counts of equal levels: .1720 at the defaults.
//!
//! # Cost
//!
//! O(features) a row and a density; the Bayes error takes C(features + levels - 1, levels - 1) terms, and is not given
//! beyond a million.
//!
//! # Differences
//!
//! None from a paper: a naive Bayes model whose tables are smooth in the level's number, though no method is told the order.
//!
//! # Errors
//!
//! None beyond the parameters' ranges.
//!
//! # Examples
//!
//! ```
//! use counterweight_data::populations::Recipe as _;
//! use counterweight_data::populations::discrete::Discrete;
//! let tables = Discrete::default().levels(4).strength(1.0).population()?;
//! // cos is 1 at level 0 and -1 at level 2, and the other way round for class 1.
//! let odds = tables.log_density(0, &[0.0, 0.0]) - tables.log_density(1, &[0.0, 0.0]);
//! assert!((odds - 4.0).abs() < 1e-12);
//! # Ok::<(), counterweight_core::ParamError>(())
//! ```
//!
//! # References
//!
//! Y. M. M. Bishop, S. E. Fienberg and P. W. Holland, "Discrete Multivariate Analysis", MIT Press 1975.

use std::f64::consts::TAU;

use counterweight_core::{
    ColumnKind, Matrix, ParamError, Population, PopulationEntry, Range, Stream, log_sum_exp,
    parameters,
};
use rand::RngExt as _;

use super::shared::entry;
use super::{Recipe, assert_class};

parameters! {
    /// Categorical features.
    pub struct Discrete {
        /// number of classes
        classes: usize = 2, in Range::new(2.0, true, 100.0, true), probe [3];
        /// number of informative features
        features: usize = 2, in Range::new(1.0, true, 1000.0, true), probe [1, 4];
        /// levels of each feature
        levels: usize = 6, in Range::new(2.0, true, 1000.0, true), probe [3];
        /// how far the tables differ; at 0 they do not
        strength: f64 = 1.0, in Range::new(0.0, true, 50.0, true), probe [2.0];
        /// features of pure noise, every level equally frequent; left out: none
        noise_features: usize, in Range::new(1.0, true, 1000.0, true), probe [1];
    }
}

impl Recipe for Discrete {
    fn population(&self) -> Result<Box<dyn Population>, ParamError> {
        let levels = self.levels as f64;
        let table = |class: usize| {
            let turned = class as f64 / self.classes as f64;
            let log = |l| self.strength * (TAU * (l as f64 / levels - turned)).cos();
            let logs: Vec<f64> = (0..self.levels).map(log).collect();
            let total = log_sum_exp(&logs);
            logs.into_iter().map(|log| log - total).collect()
        };
        Ok(Box::new(Tables {
            logs: (0..self.classes).map(table).collect(),
            features: self.features,
            noise: self.noise_features.unwrap_or(0),
        }))
    }
}

#[derive(Debug)]
struct Tables {
    /// Of each class: the logarithm of each level's probability.
    logs: Vec<Vec<f64>>,
    features: usize,
    noise: usize,
}

/// Most terms of a Bayes error.
const MOST_TERMS: f64 = 1e6;

impl Tables {
    fn levels(&self) -> usize {
        self.logs[0].len()
    }

    /// The sum of `max_y p(x | y)` over all x whose informative features are `left` of the levels from `level` on;
    /// `logs` has what is known of each class, the number of such x included.
    fn best(&self, level: usize, left: usize, logs: &[f64]) -> f64 {
        let last = level + 1 == self.levels();
        let from = if last { left } else { 0 };
        let term = |n: usize| {
            // Of the places left, n take this level.
            let ways = ln_factorial(left) - ln_factorial(n) - ln_factorial(left - n);
            let own = logs.iter().zip(&self.logs);
            let logs: Vec<f64> = own
                .map(|(log, t)| log + ways + n as f64 * t[level])
                .collect();
            if last {
                logs.into_iter().fold(f64::NEG_INFINITY, f64::max).exp()
            } else {
                self.best(level + 1, left - n, &logs)
            }
        };
        (from..=left).map(term).sum()
    }
}

fn ln_factorial(n: usize) -> f64 {
    libm::lgamma(n as f64 + 1.0)
}

impl Population for Tables {
    fn n_classes(&self) -> usize {
        self.logs.len()
    }

    fn n_features(&self) -> usize {
        self.features + self.noise
    }

    fn kinds(&self) -> Vec<ColumnKind> {
        vec![
            ColumnKind::Nominal {
                levels: self.levels()
            };
            self.n_features()
        ]
    }

    fn sample(&self, class: usize, n: usize, stream: &mut Stream) -> Matrix {
        assert_class(class, self.n_classes());
        let (table, last) = (&self.logs[class], self.levels() - 1);
        Matrix::from_fn(n, self.n_features(), |_, j| {
            let mut left = stream.random::<f64>();
            let chance = |l: usize| {
                if j < self.features {
                    table[l].exp()
                } else {
                    1.0 / (last + 1) as f64
                }
            };
            let below = (0..last).take_while(|&l| {
                left -= chance(l);
                left >= 0.0
            });
            below.count() as f64
        })
    }

    fn log_density(&self, class: usize, x: &[f64]) -> f64 {
        assert_class(class, self.n_classes());
        let levels = self.levels();
        let log = |(j, code): (usize, &f64)| {
            let level = (0..levels).find(|&l| (l as f64 - code).abs() < 0.5);
            level.map_or(f64::NEG_INFINITY, |l| {
                if j < self.features {
                    self.logs[class][l]
                } else {
                    -(levels as f64).ln()
                }
            })
        };
        x.iter().enumerate().map(log).sum()
    }

    fn moments(&self, class: usize) -> Option<(Vec<f64>, Vec<f64>)> {
        let (levels, d) = (self.levels() as f64, self.n_features());
        let even = vec![-levels.ln(); self.levels()];
        let (mut means, mut covariance) = (vec![0.0; d], vec![0.0; d * d]);
        for j in 0..d {
            let table = if j < self.features {
                &self.logs[class]
            } else {
                &even
            };
            let moment = |p: i32| -> f64 {
                let terms = table.iter().enumerate();
                terms.map(|(l, log)| log.exp() * (l as f64).powi(p)).sum()
            };
            means[j] = moment(1);
            covariance[j * d + j] = moment(2) - moment(1).powi(2);
        }
        Some((means, covariance))
    }

    fn bayes_error(&self) -> Option<f64> {
        let (n, l) = (self.features, self.levels());
        let terms = ln_factorial(n + l - 1) - ln_factorial(n) - ln_factorial(l - 1);
        let k = self.n_classes();
        (terms < MOST_TERMS.ln()).then(|| 1.0 - self.best(0, n, &vec![0.0; k]) / k as f64)
    }
}

pub(crate) const ENTRY: PopulationEntry = entry::<Discrete>(
    "discrete",
    "categorical features with known tables, as nominal columns",
    "Bishop, Fienberg and Holland 1975",
    false,
);
