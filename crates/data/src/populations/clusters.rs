//! Small disjuncts: each class is several clusters, one smaller than the other, amid those of the other classes.
//!
//! # When it helps, when it hurts
//!
//! Rare cases within a rare class: at 1 in 100 rows the third cluster of the rarer class may hold a handful, and a method
//! that finds the class by its first cluster misses those. Shows what cluster-based sampling and local models are for;
//! redundant and noise features show what it costs them. Real disjuncts differ in spread too; these do not.
//!
//! # Formula
//!
//! `p(x | y) = sum_j w_j N(x; c_yj, I)` with `w_j` proportional to `decay^j`, j = 0 .. disjuncts - 1. The centres are the
//! points of a grid with the step `separation` in `dim` dimensions, its side the least that holds all clusters and is no
//! multiple of the number of classes, taken row by row with the classes in turn: neighbours along a row are always of
//! different classes. The Bayes-optimal balanced error is no integral over one variable.
//!
//! # Cost
//!
//! O(dim) a row, O(dim disjuncts) a density.
//!
//! # Differences
//!
//! scikit-learn's `make_classification` puts clusters at corners of a hypercube at random, of random shapes and equal
//! weights, and its redundant features have no noise of their own, so that there is no density.
//!
//! # Errors
//!
//! None beyond the parameters' ranges.
//!
//! # Examples
//!
//! ```
//! use counterweight_data::populations::{Extra, Recipe as _};
//! use counterweight_data::populations::clusters::Clusters;
//! let extra = Extra::default().redundant_features(2).noise_features(5);
//! let clusters = Clusters::default().disjuncts(4).dim(3).extra(extra).population()?;
//! assert_eq!(clusters.n_features(), 10);
//! # Ok::<(), counterweight_core::ParamError>(())
//! ```
//!
//! # References
//!
//! N. Japkowicz, "Concept-learning in the presence of between-class and within-class imbalances", AI 2001.
//! T. Jo and N. Japkowicz, "Class imbalances versus small disjuncts", SIGKDD Explorations 6(1), 2004.

use counterweight_core::{ParamError, Population, PopulationEntry, Range, parameters};

use super::shared::{Mixture, Part, entry};
use super::{Extra, Recipe};

parameters! {
    /// Several clusters a class.
    pub struct Clusters {
        /// number of classes
        classes: usize = 2, in Range::new(2.0, true, 100.0, true), probe [3];
        /// clusters of each class
        disjuncts: usize = 3, in Range::new(1.0, true, 100.0, true), probe [1, 5];
        /// number of informative features
        dim: usize = 2, in Range::new(1.0, true, 1000.0, true), probe [1, 3];
        /// distance between neighbouring clusters, in standard deviations
        separation: f64 = 3.0, in Range::NON_NEGATIVE, probe [2.0];
        /// weight of each cluster of a class beside the one before
        decay: f64 = 0.5, in Range::new(0.0, false, 1.0, true), probe [1.0];
        extra: ..Extra;
    }
}

impl Recipe for Clusters {
    fn population(&self) -> Result<Box<dyn Population>, ParamError> {
        let Self {
            classes,
            disjuncts,
            dim,
            separation,
            decay,
            ..
        } = *self;
        let all = classes * disjuncts;
        let holds = |side: usize| {
            let mut points = 1;
            (0..dim).any(|_| {
                points *= side;
                points >= all
            })
        };
        let side = (1..=all)
            .find(|&side| side % classes != 0 && holds(side))
            .unwrap_or(all + 1);
        let mut parts = vec![Vec::with_capacity(disjuncts); classes];
        let weight = |j: usize| decay.powi(i32::try_from(j).unwrap_or(i32::MAX));
        let total: f64 = (0..disjuncts).map(weight).sum();
        for at in 0..all {
            let mean = (0..dim).scan(at, |rest, _| {
                let number = *rest % side;
                *rest /= side;
                Some(separation * number as f64)
            });
            parts[at % classes].push(Part {
                weight: weight(at / classes) / total,
                mean: mean.collect(),
                sd: 1.0,
            });
        }
        Ok(self.extra.around(Mixture::new(parts)))
    }
}

pub(crate) const ENTRY: PopulationEntry = entry::<Clusters>(
    "clusters",
    "several clusters a class, one smaller than the other: small disjuncts",
    "Japkowicz 2001, Jo and Japkowicz 2004",
    false,
);
