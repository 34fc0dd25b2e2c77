//! The cosine head: `f_k = scale * cos(a, w_k)`, for losses with margins on cosines (LDAM).
//!
//! With the unit vectors `u = a / |a|` and `v_k = w_k / |w_k|`, `f = scale u v` and
//!
//! ```text
//! df_k/dw_k = scale (u - cos_k v_k) / |w_k|,    df_k/da = scale (v_k - cos_k u) / |a|
//! ```
//!
//! A vector of length 0 has no direction: its cosine counts as 0 and it gets no gradient.

use crate::shared::views::view;
use counterweight_numeric::linalg::dot;

use super::layers::multiply;

/// What the head keeps from its forward pass for the way back.
#[derive(Debug, Default)]
pub(super) struct Cosine {
    inputs: usize,
    outputs: usize,
    /// The inputs of the head at length 1, rows x inputs.
    units: Vec<f64>,
    lengths: Vec<f64>,
    /// The weight vectors at length 1, outputs x inputs.
    directions: Vec<f64>,
    weight_lengths: Vec<f64>,
    /// Gradient by `directions`.
    gradient: Vec<f64>,
}

impl Cosine {
    /// Room for blocks of up to `rows` rows.
    pub(super) fn new(rows: usize, inputs: usize, outputs: usize) -> Self {
        Self {
            inputs,
            outputs,
            units: vec![0.0; rows * inputs],
            lengths: vec![0.0; rows],
            directions: vec![0.0; outputs * inputs],
            weight_lengths: vec![0.0; outputs],
            gradient: vec![0.0; outputs * inputs],
        }
    }

    /// The scores of the rows `input` under `weights` (inputs x outputs).
    pub(super) fn forward(
        &mut self,
        scale: f64,
        weights: &[f64],
        input: &[f64],
        scores: &mut [f64],
    ) {
        let rows = scores.len() / self.outputs;
        self.units[..input.len()].copy_from_slice(input);
        for i in 0..rows {
            self.lengths[i] = to_unit(&mut self.units[i * self.inputs..(i + 1) * self.inputs]);
        }
        for k in 0..self.outputs {
            let direction = &mut self.directions[k * self.inputs..(k + 1) * self.inputs];
            for (v, w) in direction
                .iter_mut()
                .zip(weights[k..].iter().step_by(self.outputs))
            {
                *v = *w;
            }
            self.weight_lengths[k] = to_unit(direction);
        }
        multiply(
            scale,
            &view(rows, self.inputs, &self.units[..input.len()]),
            &view(self.outputs, self.inputs, &self.directions).t(),
            0.0,
            scores,
        );
    }

    /// The gradient by the weights from that by the scores, `delta`; `passed` gets the one by the
    /// inputs.
    pub(super) fn backward<'p>(
        &mut self,
        scale: f64,
        delta: &[f64],
        to: &mut [f64],
        passed: Option<&'p mut [f64]>,
    ) -> Option<&'p mut [f64]> {
        let (inputs, outputs) = (self.inputs, self.outputs);
        let rows = delta.len() / outputs;
        let units = view(rows, inputs, &self.units[..rows * inputs]);
        let delta = view(rows, outputs, delta);
        multiply(scale, &delta.t(), &units, 0.0, &mut self.gradient);
        for k in 0..outputs {
            let at = k * inputs..(k + 1) * inputs;
            let along = &mut self.gradient[at.clone()];
            across(along, &self.directions[at], self.weight_lengths[k]);
            for (j, g) in along.iter().enumerate() {
                to[j * outputs + k] = *g;
            }
        }
        let passed = passed?;
        let directions = view(outputs, inputs, &self.directions);
        multiply(scale, &delta, &directions, 0.0, passed);
        for (i, row) in passed.chunks_exact_mut(inputs).enumerate() {
            across(
                row,
                &self.units[i * inputs..(i + 1) * inputs],
                self.lengths[i],
            );
        }
        Some(passed)
    }
}

/// Scales `vector` to length 1 and returns what it had; one without a length becomes 0.
fn to_unit(vector: &mut [f64]) -> f64 {
    let length = dot(vector, vector).sqrt();
    if length > 0.0 {
        for v in vector {
            *v /= length;
        }
    } else {
        vector.fill(0.0);
    }
    length
}

/// Turns a gradient by a unit vector into one by the vector of this length.
fn across(gradient: &mut [f64], unit: &[f64], length: f64) {
    let along = dot(gradient, unit);
    for (g, u) in gradient.iter_mut().zip(unit) {
        *g = if length > 0.0 {
            (*g - along * u) / length
        } else {
            0.0
        };
    }
}
