//! The integral of a Gaussian along an arc of the unit circle.

use counterweight_numeric::quadrature::GaussLegendre;

/// Pieces of a shortened interval; with sixteen nodes each, over an exponent that falls by at most
/// `DROP_MOST`, the rule is exact to rounding.
const PANELS: usize = 4;
/// What lies beyond this fall of the exponent is cut off.
const DROP_LEAST: f64 = 50.0;
/// The interval is shortened until the exponent falls by no more than this.
const DROP_MOST: f64 = 60.0;

/// The quadrature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Arc {
    rule: GaussLegendre,
}

impl Arc {
    pub(crate) fn new() -> Self {
        Self {
            rule: GaussLegendre::new(),
        }
    }

    /// log of `int_0^length exp(-kappa (1 - cos(start + s))) ds`, where `start + length <= pi`.
    pub(crate) fn log_piece(&self, kappa: f64, start: f64, length: f64) -> f64 {
        // cos(start) - cos(start + s), written so that nothing cancels when s is small.
        let drop = |s: f64| 2.0 * kappa * (start + 0.5 * s).sin() * (0.5 * s).sin();
        let mut end = length;
        // The drop grows at most as s^2, so that this scaling never goes below DROP_LEAST.
        loop {
            let dropped = drop(end);
            if dropped <= DROP_MOST {
                break;
            }
            end *= (DROP_LEAST / dropped).sqrt();
        }
        let width = end / PANELS as f64;
        let mut sum = 0.0;
        for panel in 0..PANELS {
            for node in self.rule.nodes() {
                sum += node.weight * (-drop(width * (panel as f64 + node.at))).exp();
            }
        }
        (width * sum).ln() - 2.0 * kappa * (0.5 * start).sin().powi(2)
    }
}
