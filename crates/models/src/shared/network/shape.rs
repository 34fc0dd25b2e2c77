//! What a network is made of: sizes, activations and the kind of its head.

use counterweight_core::words;

words! {
    /// What a hidden unit makes of its input.
    pub enum Activation {
        /// `max(z, 0)`.
        Relu = "relu",
        /// Hyperbolic tangent.
        Tanh = "tanh",
    }
}

/// How the scores come from the last hidden layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Head {
    /// An affine map.
    Linear,
    /// `scale` times the cosine to each score's weight vector.
    Cosine {
        /// The largest score.
        scale: f64,
    },
}

/// Sizes and kinds of the layers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shape {
    /// Features.
    pub(crate) inputs: usize,
    /// Units of each hidden layer; may be empty.
    pub(crate) hidden: Vec<usize>,
    /// Scores of a row.
    pub(crate) scores: usize,
    /// Of every hidden layer.
    pub(crate) activation: Activation,
    /// The last layer.
    pub(crate) head: Head,
}

impl Activation {
    pub(super) fn apply(self, values: &mut [f64]) {
        match self {
            Self::Relu => {
                // Written so that what is not a number stays so, instead of passing for 0.
                for v in values {
                    *v = if *v < 0.0 { 0.0 } else { *v };
                }
            }
            Self::Tanh => {
                for v in values {
                    *v = v.tanh();
                }
            }
        }
    }

    /// Turns a gradient by outputs into one by inputs; both derivatives follow from the outputs.
    pub(super) fn pull(self, outputs: &[f64], gradient: &mut [f64]) {
        let pairs = gradient.iter_mut().zip(outputs);
        match self {
            Self::Relu => {
                for (g, a) in pairs {
                    *g = if *a > 0.0 { *g } else { 0.0 };
                }
            }
            Self::Tanh => {
                for (g, a) in pairs {
                    *g *= 1.0 - a * a;
                }
            }
        }
    }
}
