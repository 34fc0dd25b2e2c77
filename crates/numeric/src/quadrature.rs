//! Composite Gauss-Legendre quadrature.

use std::f64::consts::PI;

/// Nodes a panel: a rule that is exact for polynomials of degree 31.
pub const NODES: usize = 16;

/// A node of the rule on [0, 1].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub at: f64,
    /// What the value there counts.
    pub weight: f64,
}

/// The Gauss-Legendre rule on [0, 1].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GaussLegendre {
    nodes: [Node; NODES],
}

impl Default for GaussLegendre {
    fn default() -> Self {
        Self::new()
    }
}

impl GaussLegendre {
    /// Roots of the Legendre polynomial by Newton's method, which spares a table of constants and is exact to
    /// rounding.
    pub fn new() -> Self {
        let nodes = std::array::from_fn(|i| {
            let n = NODES as f64;
            let mut z = (PI * (i as f64 + 0.75) / (n + 0.5)).cos();
            let mut slope = 1.0;
            // Convergence is quadratic from a start that is good to three digits.
            for _ in 0..8 {
                let (mut p, mut previous) = (1.0, 0.0);
                for k in 1..=NODES {
                    let k = k as f64;
                    (p, previous) = (((2.0 * k - 1.0) * z * p - (k - 1.0) * previous) / k, p);
                }
                slope = n * (z * p - previous) / (z * z - 1.0);
                z -= p / slope;
            }
            Node {
                at: 0.5 * (1.0 - z),
                weight: 1.0 / ((1.0 - z * z) * slope * slope),
            }
        });
        Self { nodes }
    }

    /// The nodes, by rising place.
    pub fn nodes(&self) -> &[Node; NODES] {
        &self.nodes
    }

    /// The integral of `f` over [low, high], cut into `panels` equal pieces. Cost: 16 calls a piece.
    pub fn integrate(&self, (low, high): (f64, f64), panels: usize, f: impl Fn(f64) -> f64) -> f64 {
        let width = (high - low) / panels as f64;
        let mut sum = 0.0;
        for panel in 0..panels {
            for node in &self.nodes {
                sum += node.weight * f(low + width * (panel as f64 + node.at));
            }
        }
        width * sum
    }
}

/// The zero of `f` between `low` and `high`, where its signs differ, by bisection to the last bit.
pub fn zero_between((mut low, mut high): (f64, f64), f: impl Fn(f64) -> f64) -> f64 {
    let below = f(low) < 0.0;
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return middle;
        }
        if (f(middle) < 0.0) == below {
            low = middle;
        } else {
            high = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_is_exact_for_polynomials_of_degree_31() {
        let rule = GaussLegendre::new();
        let nodes = rule.nodes();
        assert!(nodes.windows(2).all(|pair| pair[0].at < pair[1].at));
        let sum =
            |f: &dyn Fn(f64) -> f64| -> f64 { nodes.iter().map(|n| n.weight * f(n.at)).sum() };
        for degree in 0..32 {
            let found = sum(&|x| x.powi(degree));
            let error = (found * f64::from(degree + 1) - 1.0).abs();
            assert!(error < 1e-13, "degree {degree}: {found}");
        }
        let high = sum(&|x| (2.0 * x - 1.0).powi(32));
        assert!(
            (high * 33.0 - 1.0).abs() > 1e-10,
            "16 nodes are not exact at degree 32"
        );
    }

    #[test]
    fn pieces_add_up_and_zeros_are_found() {
        let found = GaussLegendre::new().integrate((1.0, 9.0), 5, |x| 1.0 / x);
        assert!((found - 9.0_f64.ln()).abs() < 1e-14, "{found}");
        for sign in [1.0, -1.0] {
            let found = zero_between((1.0, 2.0), |x| sign * (x * x - 2.0));
            assert!((found - 2.0_f64.sqrt()).abs() < 1e-15, "{found}");
        }
    }
}
