//! What populations have in common.

mod arc;
mod extra;
mod mixture;

use counterweight_core::{Card, Declared, ParamError, Population, PopulationCaps, PopulationEntry};

pub(crate) use arc::Arc;
pub use extra::Extra;
pub(crate) use mixture::{Mixture, Part, cholesky, squared_norm_of};

/// Parameters that a population is computed from, once.
pub trait Recipe: Declared {
    /// The population.
    ///
    /// # Errors
    /// [`ParamError`] for parameters that do not go together.
    fn population(&self) -> Result<Box<dyn Population>, ParamError>;
}

/// The entry of a population with these parameters; `binary` says that it always has two classes.
pub(crate) const fn entry<R: Recipe>(
    id: &'static str,
    summary: &'static str,
    reference: &'static str,
    binary: bool,
) -> PopulationEntry {
    PopulationEntry {
        card: Card {
            id,
            summary,
            reference,
            params: R::PARAMS,
        },
        caps: PopulationCaps { binary },
        build: |params| R::try_from(params)?.population(),
    }
}

/// The chance that a standard normal number is above `x`.
pub(crate) fn normal_tail(x: f64) -> f64 {
    0.5 * libm::erfc(x * std::f64::consts::FRAC_1_SQRT_2)
}

/// The share of the area under `f` on [0, end] that lies right of `from`. `panels` equal pieces for each of the two
/// parts.
pub(crate) fn tail_share(from: f64, end: f64, panels: usize, f: impl Fn(f64) -> f64) -> f64 {
    let rule = counterweight_numeric::quadrature::GaussLegendre::new();
    let from = from.min(end);
    let tail = rule.integrate((from, end), panels, &f);
    tail / (rule.integrate((0.0, from), panels, &f) + tail)
}
