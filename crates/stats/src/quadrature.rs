//! Composite Gauss-Legendre quadrature.

/// Nodes a panel. Sixteen integrate polynomials of degree 31 exactly; on a panel of one standard
/// deviation the Gaussian integrands of this crate are then exact to rounding.
const NODES: usize = 16;

/// A Gauss-Legendre rule on [-1, 1].
#[derive(Debug, Clone)]
pub(crate) struct GaussLegendre {
    nodes: [(f64, f64); NODES],
}

impl GaussLegendre {
    /// The roots of the Legendre polynomial by Newton from the Chebyshev-like guess, weights
    /// 2 / ((1 - x^2) P'(x)^2).
    pub(crate) fn new() -> Self {
        let n = NODES as f64;
        let mut nodes = [(0.0, 0.0); NODES];
        for (i, slot) in nodes.iter_mut().enumerate() {
            let mut x = -(std::f64::consts::PI * (i as f64 + 0.75) / (n + 0.5)).cos();
            let mut slope = 1.0;
            // Newton doubles the digits; eight steps leave a margin of four.
            for _ in 0..8 {
                let (mut before, mut here) = (1.0, x);
                for j in 2..=NODES {
                    let j = j as f64;
                    (before, here) = (here, ((2.0 * j - 1.0) * x * here - (j - 1.0) * before) / j);
                }
                slope = n * (x * here - before) / (x * x - 1.0);
                x -= here / slope;
            }
            *slot = (x, 2.0 / ((1.0 - x * x) * slope * slope));
        }
        Self { nodes }
    }

    /// The integral of `f` over [low, high], cut into `panels` equal pieces.
    pub(crate) fn integrate(
        &self,
        low: f64,
        high: f64,
        panels: usize,
        f: impl Fn(f64) -> f64,
    ) -> f64 {
        let half = (high - low) / (2.0 * panels as f64);
        let mut total = 0.0;
        for panel in 0..panels {
            let centre = low + half * (2 * panel + 1) as f64;
            for (x, weight) in &self.nodes {
                total += weight * f(centre + half * x);
            }
        }
        total * half
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_up_to_the_nominal_degree_are_exact() {
        let rule = GaussLegendre::new();
        for degree in 0..=31_i32 {
            let value = rule.integrate(0.0, 1.0, 1, |x| x.powi(degree));
            assert!(
                (value - 1.0 / f64::from(degree + 1)).abs() < 1e-14,
                "{degree}: {value}"
            );
        }
    }

    #[test]
    fn the_normal_density_integrates_to_one() {
        let value = GaussLegendre::new().integrate(-9.0, 9.0, 18, crate::special::normal_density);
        assert!((value - 1.0).abs() < 1e-14, "{value}");
    }
}
