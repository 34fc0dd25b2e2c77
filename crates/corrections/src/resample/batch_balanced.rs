//! Minibatches drawn more evenly: the rows stay as they are, each class's share of the draws does not.
//!
//! # When it helps, when it hurts
//!
//! What over-sampling by copies does to a learner that trains by minibatches, without the copies: no
//! epoch gets longer, no row stands twice in memory, and every minibatch has rows of every class, which
//! steadies the steps and the margins of `batch-prior`. Like all over-sampling it shows a rare class's
//! few rows again and again, so that a flexible network learns them by heart; `progressive` puts that
//! off to the end of training, `square-root` goes half the way. It has a meaning only for learners
//! that train by minibatches; any other is not applicable.
//!
//! # Formula
//!
//! A place in a minibatch gets class y with probability `q_y`, then one of the class's `n_y` rows, each
//! as likely, with replacement; an epoch has as many places as there are rows.
//!
//! | scheme | `q_y` |
//! |---|---|
//! | `class-balanced` | 1 / K over the K classes with rows |
//! | `square-root` | proportional to `sqrt(n_y)` |
//! | `progressive` | `t / K + (1 - t) n_y / n` in the epoch at share t of training, from 0 to 1 |
//!
//! The scores' own prior follows the shares that training ends with: q instead of `n_y / n` in the
//! identity, so that decisions from the effective prior correct what is left of the imbalance. Losses
//! that count rows still count the rows; only `batch-prior` sees the minibatches.
//!
//! # Cost
//!
//! O(n d) for a copy of the rows; drawing costs O(K) a row and epoch in the learner.
//!
//! # Differences
//!
//! * The paper trains an image network in two stages and balances the second; here the scheme holds for
//!   the whole training. `class-balanced` and `square-root` are its q = 0 and q = 1/2.
//! * imbalanced-learn 0.14 has a generator of balanced minibatches that resamples the whole set first
//!   and then deals it out; here every minibatch draws for itself, and the only noise is that of the
//!   draws.
//!
//! # Errors
//!
//! [`StageError::NotApplicable`] when fewer than two classes have rows.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     BatchScheme, Deadline, Labels, Matrix, Partition, Samples, Seed, Shared, SmallClass, StageContext,
//!     find, params,
//! };
//! let x = Matrix::from_vec(4, 1, vec![0.0, 1.0, 2.0, 9.0])?;
//! let samples = Samples::numeric(x, Labels::from_texts(&["a", "a", "a", "b"]))?;
//! let (train, _) = Partition::new(4, vec![0, 1, 2, 3], vec![])?.cut_samples(&samples)?;
//!
//! let entry = find(counterweight_corrections::resample::ALL, "batch-balanced").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let even = (entry.build)(&params)?.resample(&train, &mut context)?;
//! assert_eq!(even.samples(), train.samples());
//! assert_eq!(even.batches(), Some(BatchScheme::ClassBalanced));
//! assert_eq!(even.class_mass(), [0.5, 0.5]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! B. Kang, S. Xie, M. Rohrbach, Z. Yan, A. Gordo, J. Feng and Y. Kalantidis, "Decoupling representation
//! and classifier for long-tailed recognition", ICLR 2020, section 3.

use counterweight_core::{
    BatchScheme, ParamError, ParamKind, ParamValue, Parameter, Params, Resampler, ResamplerCaps,
    ResamplerEntry, StageContext, StageError, StageResult, Train, parameters,
};

use super::room::Room;

/// The parameter `scheme`.
#[derive(Clone, Copy, Debug)]
pub struct Scheme(BatchScheme);

impl Parameter for Scheme {
    const KIND: ParamKind = ParamKind::Choice(&["class-balanced", "square-root", "progressive"]);

    fn read(params: &Params, key: &str) -> Result<Self, ParamError> {
        Ok(Self(match params.text(key) {
            "square-root" => BatchScheme::SquareRoot,
            "progressive" => BatchScheme::Progressive,
            _ => BatchScheme::ClassBalanced,
        }))
    }

    fn to_value(&self) -> Option<ParamValue> {
        let word = match self.0 {
            BatchScheme::ClassBalanced => "class-balanced",
            BatchScheme::SquareRoot => "square-root",
            BatchScheme::Progressive => "progressive",
        };
        Some(ParamValue::Text(word.into()))
    }
}

parameters! {
    /// Evenly drawn minibatches with checked parameters.
    pub struct BatchBalanced {
        /// shares of the classes among the draws
        scheme: Scheme = "class-balanced";
    }
}

impl Resampler for BatchBalanced {
    fn resample(&self, train: &Train, _: &mut StageContext<'_>) -> StageResult<Train> {
        let present = train.counts().n_present();
        if present < 2 {
            return Err(StageError::NotApplicable(format!(
                "minibatches of even classes need two classes with rows, there are {present}"
            )));
        }
        Ok(train.clone().with_batches(self.scheme.0))
    }
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<BatchBalanced>(
    "batch-balanced",
    "leaves the rows and draws the classes of each minibatch more evenly",
    "Kang et al. 2020",
    // The matrix is shared: labels alone are copied.
    ResamplerCaps::REDRAWS.taking(|params, size| 4.0 * Room::of(params, size).n),
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{built, context, text, train};
    use counterweight_core::{Matrix, Shared};

    #[test]
    fn the_scheme_decides_the_mass_of_the_classes() {
        let classes: Vec<usize> = (0..125).map(|i| if i < 100 { 0 } else { 2 }).collect();
        let set = train(Matrix::zeros(125, 1), &[None], &classes, 4);
        let shared = Shared::default();
        let cases = [
            ("class-balanced", [0.5, 0.0, 0.5, 0.0]),
            ("square-root", [10.0 / 15.0, 0.0, 5.0 / 15.0, 0.0]),
            // What training ends with.
            ("progressive", [0.5, 0.0, 0.5, 0.0]),
        ];
        for (scheme, mass) in cases {
            let resampler = built(&ENTRY, &[("scheme", text(scheme))]);
            let after = resampler.resample(&set, &mut context(1, &shared)).unwrap();
            for (found, expected) in after.class_mass().iter().zip(mass) {
                assert!((found - expected).abs() < 1e-12, "{scheme}: {found}");
            }
        }
    }
}
