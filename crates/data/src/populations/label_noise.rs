//! Another population whose training labels are wrong in part: what is learnt from is not what is judged by.
//!
//! # When it helps, when it hurts
//!
//! A tenth of the labels of a frequent class outnumber a rare class altogether at 1 in 10, so that noise of the same rate
//! on both sides buries the rare one: corrections that multiply what they see of it multiply the wrong rows. Cleaning
//! samplers, small leaves and penalties show what they are for. Noise here ignores where a row lies; real mistakes
//! gather at the border.
//!
//! # Formula
//!
//! Rows are those of the population `of`. Each training row of class y then carries, with probability `rate` (or
//! `rates[y]`), the label of another class, drawn evenly among the K - 1 others. Test rows keep their labels, and density
//! and Bayes-optimal balanced error are those of `of`. Counts, ratio and the prior of prior-dependent metrics are those
//! before the noise. With rates `e_0` and `e_1` two classes at the share pi of class 1 look like
//! `pi' = pi (1 - e_1) + (1 - pi) e_0`, and the posterior learnt is `e_0 + (1 - e_0 - e_1) eta(x)`.
//!
//! # Cost
//!
//! That of `of`.
//!
//! # Differences
//!
//! None from class-conditional noise as in the reference. The flips of a row depend on the row's number within its class
//! alone, so that ladders stay nested.
//!
//! # Errors
//!
//! A population that is none, label noise of label noise, and another number of `rates` than classes: a [`ParamError`].
//!
//! # Examples
//!
//! ```
//! use counterweight_data::populations::Recipe as _;
//! use counterweight_data::populations::label_noise::LabelNoise;
//! let noisy = LabelNoise::default().rate(0.2).population()?;
//! assert_eq!(noisy.label_noise(1), 0.2);
//! # Ok::<(), counterweight_core::ParamError>(())
//! ```
//!
//! # References
//!
//! N. Natarajan, I. S. Dhillon, P. Ravikumar and A. Tewari, "Learning with noisy labels", NIPS 2013.

use std::sync::Arc;

use counterweight_core::params::{Reals, nested};
use counterweight_core::{
    ColumnKind, Matrix, NormalPart, ParamError, ParamKind, ParamValue, Parameter, Params,
    Population, PopulationEntry, Range, Stream, parameters,
};

use super::Recipe;
use super::shared::entry;

/// The population without noise, and what a sweep file says of it.
#[derive(Clone, Debug)]
pub struct Clean(Arc<dyn Population>, ParamValue);

impl Parameter for Clean {
    const KIND: ParamKind = ParamKind::Stage;

    fn read(params: &Params, key: &str) -> Result<Self, ParamError> {
        let unknown = |kind: &str| format!("`{kind}` is no population that noise can be added to");
        let example = "write of = { kind = \"moons\", noise = 0.2 }";
        let given = (params, key);
        let (_, clean) = nested(super::ALL, given, &["label-noise"], unknown, example)?;
        let value = params.get(key).cloned();
        Ok(Self(clean.into(), value.expect("it was just read")))
    }

    fn to_value(&self) -> Option<ParamValue> {
        Some(self.1.clone())
    }
}

const RATE: Range = Range::new(0.0, true, 1.0, true);

parameters! {
    /// A population with wrong training labels.
    pub struct LabelNoise {
        /// the population: a kind, or { kind = ..., ... }
        of: Clean = "gaussian-pair", probe ["gaussian-simplex", "discrete"];
        /// share of the training labels of each class that are wrong
        rate: f64 = 0.1, in RATE, probe [0.3];
        /// the same, a number per class; left out: `rate` for all
        rates: Reals, in RATE, probe [[0.05, 0.4]];
    }
}

impl Recipe for LabelNoise {
    fn population(&self) -> Result<Box<dyn Population>, ParamError> {
        let clean = Arc::clone(&self.of.0);
        let k = clean.n_classes();
        let rates = self.rates.clone().unwrap_or_else(|| vec![self.rate; k]);
        if rates.len() != k {
            let problem = format!("{} rates for a population of {k} classes", rates.len());
            return Err(ParamError::new("rates", problem));
        }
        Ok(Box::new(Noisy { clean, rates }))
    }
}

#[derive(Debug)]
struct Noisy {
    clean: Arc<dyn Population>,
    rates: Vec<f64>,
}

impl Population for Noisy {
    fn n_classes(&self) -> usize {
        self.clean.n_classes()
    }

    fn n_features(&self) -> usize {
        self.clean.n_features()
    }

    fn kinds(&self) -> Vec<ColumnKind> {
        self.clean.kinds()
    }

    fn sample(&self, class: usize, n: usize, stream: &mut Stream) -> Matrix {
        self.clean.sample(class, n, stream)
    }

    fn log_density(&self, class: usize, x: &[f64]) -> f64 {
        self.clean.log_density(class, x)
    }

    fn moments(&self, class: usize) -> Option<(Vec<f64>, Vec<f64>)> {
        self.clean.moments(class)
    }

    fn projection(&self, class: usize, direction: &[f64]) -> Option<Vec<NormalPart>> {
        self.clean.projection(class, direction)
    }

    fn bayes_error(&self) -> Option<f64> {
        self.clean.bayes_error()
    }

    fn label_noise(&self, class: usize) -> f64 {
        self.rates[class]
    }
}

pub(crate) const ENTRY: PopulationEntry = entry::<LabelNoise>(
    "label-noise",
    "another population with wrong labels in the training rows; test labels and floor stay clean",
    "Natarajan et al. 2013",
    false,
);
