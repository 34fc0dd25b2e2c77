//! Steps along a gradient: Adam, and stochastic gradient descent with momentum.
//!
//! Both are those of scikit-learn's networks to the last formula, so that equal gradients give equal
//! weights. Adam (Kingma and Ba 2015) in its efficient form, with rates .9 and .999 and 1e-8 beside
//! the root; momentum classical or Nesterov's (Sutskever et al. 2013).

/// How a gradient becomes a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Solver {
    /// Steps of a size that each parameter's own gradients set.
    Adam,
    /// Steps along an exponentially fading sum of gradients.
    Sgd {
        /// What a step keeps of the one before; 0 for plain descent.
        momentum: f64,
        /// Whether the gradient counts as that after the step.
        nesterov: bool,
    },
}

const FIRST: f64 = 0.9;
const SECOND: f64 = 0.999;
const BESIDE: f64 = 1e-8;

/// A solver with what it remembers.
#[derive(Debug)]
pub(crate) struct Steps {
    solver: Solver,
    /// Fading mean of the gradients, or the last step.
    first: Vec<f64>,
    /// Fading mean of their squares.
    second: Vec<f64>,
    /// `FIRST` and `SECOND` to the number of steps: what the fading means still lack.
    lacking: (f64, f64),
}

impl Steps {
    pub(crate) fn new(solver: Solver, n_parameters: usize) -> Self {
        let second = match solver {
            Solver::Adam => vec![0.0; n_parameters],
            Solver::Sgd { .. } => Vec::new(),
        };
        Self {
            solver,
            first: vec![0.0; n_parameters],
            second,
            lacking: (1.0, 1.0),
        }
    }

    /// Moves `theta` down `gradient` at this learning rate.
    pub(crate) fn step(&mut self, theta: &mut [f64], gradient: &[f64], rate: f64) {
        match self.solver {
            Solver::Adam => {
                self.lacking.0 *= FIRST;
                self.lacking.1 *= SECOND;
                let rate = rate * (1.0 - self.lacking.1).sqrt() / (1.0 - self.lacking.0);
                let memory = self.first.iter_mut().zip(&mut self.second);
                for ((t, g), (m, v)) in theta.iter_mut().zip(gradient).zip(memory) {
                    *m = FIRST * *m + (1.0 - FIRST) * g;
                    *v = SECOND * *v + (1.0 - SECOND) * (g * g);
                    *t -= rate * *m / (v.sqrt() + BESIDE);
                }
            }
            Solver::Sgd { momentum, nesterov } => {
                let memory = self.first.iter_mut();
                for ((t, g), last) in theta.iter_mut().zip(gradient).zip(memory) {
                    *last = momentum * *last - rate * g;
                    *t += if nesterov {
                        momentum * *last - rate * g
                    } else {
                        *last
                    };
                }
            }
        }
    }
}
