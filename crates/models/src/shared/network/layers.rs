//! The layers of a network, forward and backward, on blocks of rows.
//!
//! A hidden layer is `a = act(a_before W + b)`, with W stored inputs x outputs. The head gives the
//! scores: linear `f = a W + b`, or by the [`cosine`](super::cosine) without biases. Products go through
//! ndarray's matrix product, whose sums do not depend on the rows beside.

use std::ops::Range;

use counterweight_core::Stream;
use ndarray::ArrayView2;
use ndarray::linalg::general_mat_mul;
use rand::RngExt as _;

use super::cosine::Cosine;
use super::shape::{Activation, Head, Shape};
use crate::shared::views::{view, view_mut};

/// Where a layer's parameters stand.
#[derive(Clone, Debug)]
struct Layer {
    inputs: usize,
    outputs: usize,
    weights: Range<usize>,
    /// Empty for a cosine head.
    biases: Range<usize>,
}

/// A network: its shape and where its parameters stand.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    shape: Shape,
    layers: Vec<Layer>,
    n_parameters: usize,
}

/// The numbers of one block of rows, kept between calls.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// Most rows of a block.
    pub(crate) rows: usize,
    /// Outputs of each layer, the scores last.
    outputs: Vec<Vec<f64>>,
    /// Gradient by each layer's outputs before the activation.
    deltas: Vec<Vec<f64>>,
    cosine: Cosine,
}

impl Network {
    pub(crate) fn new(shape: Shape) -> Self {
        let mut layers = Vec::with_capacity(shape.hidden.len() + 1);
        let mut inputs = shape.inputs;
        let mut at = 0;
        for (depth, &outputs) in shape.hidden.iter().chain([&shape.scores]).enumerate() {
            let head = depth == shape.hidden.len();
            let weights = at..at + inputs * outputs;
            let n_biases = if head && shape.head != Head::Linear {
                0
            } else {
                outputs
            };
            at = weights.end + n_biases;
            layers.push(Layer {
                inputs,
                outputs,
                biases: weights.end..at,
                weights,
            });
            inputs = outputs;
        }
        Self {
            shape,
            layers,
            n_parameters: at,
        }
    }

    pub(crate) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Number of parameters.
    pub(crate) fn n_parameters(&self) -> usize {
        self.n_parameters
    }

    /// Where the biases of a linear head stand; empty for a cosine head.
    pub(crate) fn output_biases(&self) -> Range<usize> {
        self.layers
            .last()
            .map_or(0..0, |layer| layer.biases.clone())
    }

    /// The weights that are penalised: all but biases, and but a cosine head's, whose lengths do
    /// not matter.
    pub(crate) fn penalised(&self) -> impl Iterator<Item = Range<usize>> {
        self.layers
            .iter()
            .filter(|layer| !layer.biases.is_empty())
            .map(|layer| layer.weights.clone())
    }

    /// Random weights and biases of 0. Uniform in +-sqrt(6 / inputs) before a rectifier (He et al.
    /// 2015), in +-sqrt(6 / (inputs + outputs)) elsewhere (Glorot and Bengio 2010).
    pub(crate) fn initialise(&self, stream: &mut Stream) -> Vec<f64> {
        let mut theta = vec![0.0; self.n_parameters];
        for (depth, layer) in self.layers.iter().enumerate() {
            let rectified =
                depth < self.shape.hidden.len() && self.shape.activation == Activation::Relu;
            let fans = if rectified {
                layer.inputs
            } else {
                layer.inputs + layer.outputs
            };
            let bound = (6.0 / fans as f64).sqrt();
            for weight in &mut theta[layer.weights.clone()] {
                *weight = bound * (2.0 * stream.random::<f64>() - 1.0);
            }
        }
        theta
    }

    /// Room for blocks of up to `rows` rows.
    pub(crate) fn workspace(&self, rows: usize) -> Workspace {
        let room = || {
            self.layers
                .iter()
                .map(|layer| vec![0.0; rows * layer.outputs])
                .collect()
        };
        let cosine = match (self.shape.head, self.layers.last()) {
            (Head::Cosine { .. }, Some(head)) => Cosine::new(rows, head.inputs, head.outputs),
            _ => Cosine::default(),
        };
        Workspace {
            rows,
            outputs: room(),
            deltas: room(),
            cosine,
        }
    }

    /// The scores of `rows` rows `x`, row by row.
    pub(crate) fn forward<'w>(
        &self,
        theta: &[f64],
        (x, rows): (&[f64], usize),
        space: &'w mut Workspace,
    ) -> &'w [f64] {
        for (depth, layer) in self.layers.iter().enumerate() {
            let (before, from) = space.outputs.split_at_mut(depth);
            let input = before
                .last()
                .map_or(x, |a| &a.as_slice()[..rows * layer.inputs]);
            let output = &mut from[0][..rows * layer.outputs];
            if depth < self.shape.hidden.len() {
                layer.affine(theta, input, rows, output);
                self.shape.activation.apply(output);
            } else if let Head::Cosine { scale } = self.shape.head {
                let weights = &theta[layer.weights.clone()];
                space.cosine.forward(scale, weights, input, output);
            } else {
                layer.affine(theta, input, rows, output);
            }
        }
        let scores = rows * self.shape.scores;
        space
            .outputs
            .last()
            .map_or(&[], |f| &f.as_slice()[..scores])
    }

    /// What the head saw of these rows, after [`Network::forward`] of them: the last hidden outputs.
    pub(crate) fn head_inputs<'w>(
        &self,
        (x, rows): (&'w [f64], usize),
        space: &'w Workspace,
    ) -> &'w [f64] {
        match (self.shape.hidden.len().checked_sub(1), self.layers.last()) {
            (Some(last), Some(head)) => &space.outputs[last][..rows * head.inputs],
            _ => x,
        }
    }

    /// The weight vectors of the head, one a score.
    pub(crate) fn head_vectors(&self, theta: &[f64]) -> Vec<Vec<f64>> {
        let Some(head) = self.layers.last() else {
            return Vec::new();
        };
        let weights = &theta[head.weights.clone()];
        let vector = |k: usize| weights.iter().skip(k).step_by(head.outputs).copied();
        (0..head.outputs).map(|k| vector(k).collect()).collect()
    }

    /// The gradient of a loss by all parameters, after [`Network::forward`] of the same rows, from
    /// its gradient by the scores in [`Workspace::score_gradient`].
    pub(crate) fn backward(
        &self,
        theta: &[f64],
        (x, rows): (&[f64], usize),
        space: &mut Workspace,
        gradient: &mut [f64],
    ) {
        for (depth, layer) in self.layers.iter().enumerate().rev() {
            let (before, from) = space.deltas.split_at_mut(depth);
            let delta = &from[0][..rows * layer.outputs];
            let (below, _) = space.outputs.split_at(depth);
            let input = below
                .last()
                .map_or(x, |a| &a.as_slice()[..rows * layer.inputs]);
            let passed = before.last_mut().map(|d| &mut d[..rows * layer.inputs]);
            let cosine = match self.shape.head {
                Head::Cosine { scale } if depth == self.shape.hidden.len() => Some(scale),
                _ => None,
            };
            let Some(passed) = (match cosine {
                Some(scale) => {
                    let to = &mut gradient[layer.weights.clone()];
                    space.cosine.backward(scale, delta, to, passed)
                }
                None => layer.backward(theta, (input, delta), gradient, passed),
            }) else {
                continue;
            };
            if let Some(output) = below.last() {
                self.shape.activation.pull(output, passed);
            }
        }
    }
}

impl Workspace {
    /// The scores of the last forward pass, and the room for the loss's gradient by them.
    pub(crate) fn score_gradient(&mut self) -> (&[f64], &mut [f64]) {
        match (self.outputs.last(), self.deltas.last_mut()) {
            (Some(scores), Some(delta)) => (scores, delta),
            _ => (&[], &mut []),
        }
    }
}

impl Layer {
    /// `output = input W + b`.
    fn affine(&self, theta: &[f64], input: &[f64], rows: usize, output: &mut [f64]) {
        let biases = &theta[self.biases.clone()];
        for row in output.chunks_exact_mut(self.outputs) {
            row.copy_from_slice(biases);
        }
        multiply(
            1.0,
            &view(rows, self.inputs, input),
            &view(self.inputs, self.outputs, &theta[self.weights.clone()]),
            1.0,
            output,
        );
    }

    /// The gradient by weights and biases from that by the outputs, `delta`; `passed` gets the one
    /// by the inputs.
    fn backward<'p>(
        &self,
        theta: &[f64],
        (input, delta): (&[f64], &[f64]),
        gradient: &mut [f64],
        passed: Option<&'p mut [f64]>,
    ) -> Option<&'p mut [f64]> {
        let rows = delta.len() / self.outputs;
        let biases = &mut gradient[self.biases.clone()];
        biases.fill(0.0);
        for row in delta.chunks_exact(self.outputs) {
            for (b, d) in biases.iter_mut().zip(row) {
                *b += d;
            }
        }
        let delta = view(rows, self.outputs, delta);
        let to = &mut gradient[self.weights.clone()];
        multiply(1.0, &view(rows, self.inputs, input).t(), &delta, 0.0, to);
        let passed = passed?;
        let weights = view(self.inputs, self.outputs, &theta[self.weights.clone()]);
        multiply(1.0, &delta, &weights.t(), 0.0, passed);
        Some(passed)
    }
}

/// `c = scale a b + beta c`, c row-major.
pub(super) fn multiply(
    scale: f64,
    a: &ArrayView2<'_, f64>,
    b: &ArrayView2<'_, f64>,
    beta: f64,
    c: &mut [f64],
) {
    let mut c = view_mut(a.nrows(), b.ncols(), c);
    general_mat_mul(scale, a, b, beta, &mut c);
}
