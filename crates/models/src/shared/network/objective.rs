//! The loss kernel on minibatches.
//!
//! Learners that average have to say what a weight is: here a batch of B rows gives the gradient
//!
//! ```text
//! 1 / (B w) * sum over the batch of dl(y_i, f_i) + l2 / (n w) * W
//! ```
//!
//! where w is the mean weight of a draw (over all rows, not over the batch) and n the number of rows.
//! Its expectation is the gradient of `sum_i l_i + l2 / 2 |W|^2` over `n w`: the penalty stands beside
//! the sum of the weighted losses as everywhere, a constant factor on all weights is a factor on the
//! penalty's inverse only, and with batches of all rows a row of weight 3 is a row given three times,
//! exactly. Dividing by the batch's own weight instead would let a batch without any heavy row take a
//! step of full length, and so undo the weights as batches get small.

use counterweight_core::{LossTerms, StageError, StageResult};

use crate::shared::kernel::Kernel;
use crate::shared::task::Task;

/// The terms of a loss for rows that come in batches.
#[derive(Debug)]
pub(crate) struct BatchLoss {
    kernel: Kernel,
    weights: Vec<f64>,
    /// Factor on the log shares of a batch, when margins come from there.
    tau: Option<f64>,
    /// The kernel with the margins of the present batch.
    shifted: Kernel,
    mass: Vec<f64>,
}

impl BatchLoss {
    /// The loss by `terms` on the classes of `task`. Margins by the batch with a factor of 0 add nothing
    /// and mask nothing.
    ///
    /// # Errors
    /// [`StageError::Failed`] for terms that are no numbers.
    pub(crate) fn new(task: &Task<'_>, terms: &LossTerms) -> StageResult<Self> {
        let kernel = Kernel::of(task, terms)?;
        if let Some(odd) = terms.batch_tau.filter(|tau| !tau.is_finite()) {
            return Err(StageError::Failed(format!(
                "the factor {odd} on the shares of a minibatch is not a number"
            )));
        }
        Ok(Self {
            shifted: kernel.clone(),
            kernel,
            weights: task.present.iter().map(|&k| terms.weights[k]).collect(),
            tau: terms.batch_tau.filter(|tau| tau.abs() > 0.0),
            mass: vec![0.0; task.n_present()],
        })
    }

    /// Mean weight of a row when classes have these shares of the draws; 1 when all weights are 0, as
    /// the terms of the first part of training may be.
    pub(crate) fn mean_weight(&self, shares: &[f64]) -> f64 {
        let mean = shares.iter().zip(&self.weights).map(|(q, w)| q * w).sum();
        if mean > 0.0 { mean } else { 1.0 }
    }

    /// Takes the margins from these rows, one batch, and what they weigh beside their classes.
    pub(crate) fn meet(&mut self, classes: &[u32], own: Option<&[f64]>) {
        if self.tau.is_some() {
            self.mass.fill(0.0);
            for (at, &class) in classes.iter().enumerate() {
                let own = own.map_or(1.0, |own| own[at]);
                self.mass[class as usize] += self.weights[class as usize] * own;
            }
            self.shift();
        }
    }

    /// Takes the margins from shares of the classes, for rows that are no batch.
    pub(crate) fn meet_shares(&mut self, shares: &[f64]) {
        if self.tau.is_some() {
            for (m, (q, w)) in self.mass.iter_mut().zip(shares.iter().zip(&self.weights)) {
                *m = q * w;
            }
            self.shift();
        }
    }

    fn shift(&mut self) {
        let Some(tau) = self.tau else { return };
        let total: f64 = self.mass.iter().sum();
        for m in &mut self.mass {
            // The classes that the batch lacks are masked whatever the sign of tau.
            *m = if *m > 0.0 {
                tau * (*m / total).ln()
            } else {
                f64::NEG_INFINITY
            };
        }
        self.kernel.offset_into(&self.mass, &mut self.shifted);
    }

    /// Sum of the losses of rows with these classes, weights of their own and scores; its gradient by the scores, times
    /// `scale`, goes to `gradient`.
    pub(crate) fn sum(
        &self,
        (classes, own): (&[u32], Option<&[f64]>),
        scores: &[f64],
        scale: f64,
        gradient: &mut [f64],
    ) -> f64 {
        let c = self.kernel.n_scores();
        let rows = scores.chunks_exact(c).zip(gradient.chunks_exact_mut(c));
        let mut sum = 0.0;
        for (at, (&class, (f, g))) in classes.iter().zip(rows).enumerate() {
            let own = own.map_or(1.0, |own| own[at]);
            sum += own * self.shifted.loss(class as usize, f, g);
            for g in g {
                *g *= scale * own;
            }
        }
        sum
    }

    /// The loss of one row.
    pub(crate) fn of(&self, class: u32, scores: &[f64], gradient: &mut [f64]) -> f64 {
        self.shifted.loss(class as usize, scores, gradient)
    }
}
