//! Gaussians on a grid, the classes in turn: as many small pieces as asked for, of equal weight.
//!
//! # When it helps, when it hurts
//!
//! The hardest layout for global shapes and an easy one for local ones: each piece of the rarer class holds few rows, so
//! that neighbours, trees and kernels run out of data piece by piece while linear scores have nothing to find. In more
//! dimensions it is the parity problem, and the rows of a piece fall with `cells^dim`.
//!
//! # Formula
//!
//! A class is a mixture, with equal weights, of `N(c, noise^2 I)` over the centres c of a grid of `cells^dim` unit cells
//! about the origin whose coordinates' numbers have an even (class 0) or odd (class 1) sum:
//! `p(x | y) = 2 / cells^dim sum_(c of y) prod_j phi((x_j - c_j) / noise) / noise`. The difference of the densities is a
//! product over the coordinates, `p_0 - p_1 = 2 g(x_1) .. g(x_dim)` with the alternating sum
//! `g(t) = 1 / cells sum_i (-1)^i phi((t - c_i) / noise) / noise`, so that the Bayes-optimal balanced error is
//! `(1 - (int |g|)^dim) / 2`: .0185 at the defaults.
//!
//! # Cost
//!
//! O(dim) a row, O(dim cells^dim) a density.
//!
//! # Differences
//!
//! The usual checkerboard fills squares evenly; Gaussians overlap, so that there is a floor above zero.
//!
//! # Errors
//!
//! An odd number of cells (the classes would differ in weight), or more than 4,096 pieces: a [`ParamError`].
//!
//! # Examples
//!
//! ```
//! use counterweight_data::populations::Recipe as _;
//! use counterweight_data::populations::checkerboard::Checkerboard;
//! let board = Checkerboard::default().population()?;
//! let odds = |x: &[f64]| board.log_density(1, x) - board.log_density(0, x);
//! assert!(odds(&[0.5, 0.5]) < 0.0 && odds(&[-0.5, 0.5]) > 0.0);
//! # Ok::<(), counterweight_core::ParamError>(())
//! ```
//!
//! # References
//!
//! M. Minsky and S. Papert, "Perceptrons", MIT Press 1969 (parity).

use counterweight_core::{ParamError, Population, PopulationEntry, Range, parameters};
use counterweight_numeric::quadrature::{GaussLegendre, zero_between};

use super::shared::{Mixture, Part, entry};
use super::{Extra, Recipe};

parameters! {
    /// Gaussians on a grid.
    pub struct Checkerboard {
        /// cells along each informative feature, an even number
        cells: usize = 4, in Range::new(2.0, true, 64.0, true), probe [2, 6];
        /// number of informative features
        dim: usize = 2, in Range::new(1.0, true, 12.0, true), probe [1, 3];
        /// standard deviation about a cell's centre; cells have the side 1
        noise: f64 = 0.2, in Range::new(1e-3, true, 100.0, true), probe [0.5];
        extra: ..Extra;
    }
}

/// Most pieces of both classes.
const PIECES: usize = 4096;

impl Recipe for Checkerboard {
    fn population(&self) -> Result<Box<dyn Population>, ParamError> {
        let Self {
            cells, dim, noise, ..
        } = *self;
        if !cells.is_multiple_of(2) {
            let problem = format!("expected an even number, found {cells}");
            return Err(ParamError::new("cells", problem));
        }
        // At most 64^12, which is far from overflowing as a u128.
        if (cells as u128).pow(u32::try_from(dim).unwrap_or(u32::MAX)) > PIECES as u128 {
            let problem =
                format!("{cells} cells along {dim} features are more than {PIECES} pieces");
            return Err(ParamError {
                hint: Some("lower `cells` or `dim`".into()),
                ..ParamError::new("dim", problem)
            });
        }
        let centre = |i: usize| i as f64 - 0.5 * (cells as f64 - 1.0);
        let mut classes = vec![Vec::new(), Vec::new()];
        let pieces = (0..dim).fold(1, |pieces, _| pieces * cells);
        for piece in 0..pieces {
            let numbers = (0..dim).scan(piece, |rest, _| {
                let number = *rest % cells;
                *rest /= cells;
                Some(number)
            });
            let numbers: Vec<usize> = numbers.collect();
            classes[numbers.iter().sum::<usize>() % 2].push(Part {
                weight: 2.0 / pieces as f64,
                mean: numbers.into_iter().map(centre).collect(),
                sd: noise,
            });
        }
        let dims = i32::try_from(dim).unwrap_or(i32::MAX);
        let error = 0.5 * (1.0 - apart(cells, noise, centre).powi(dims));
        Ok(self.extra.around(Mixture::new(classes).with_bayes(error)))
    }
}

/// `int |g|`: between the zeros of g, which are no more than its changes of sign.
fn apart(cells: usize, noise: f64, centre: impl Fn(usize) -> f64) -> f64 {
    let rule = GaussLegendre::new();
    let g = |t: f64| -> f64 {
        let term = |i: usize| {
            let sign = if i.is_multiple_of(2) { 1.0 } else { -1.0 };
            sign * (-0.5 * ((t - centre(i)) / noise).powi(2)).exp()
        };
        (0..cells).map(term).sum::<f64>() / (cells as f64 * noise * std::f64::consts::TAU.sqrt())
    };
    let end = centre(cells - 1) + 12.0 * noise;
    // Halfway between centres there may be exact zeros: the steps are none that meets them.
    let steps = 61 * cells;
    let at = |step: usize| -end + 2.0 * end * step as f64 / steps as f64;
    let mut pieces = vec![-end];
    for step in 0..steps {
        let (low, high) = (at(step), at(step + 1));
        if (g(low) < 0.0) != (g(high) < 0.0) {
            pieces.push(zero_between((low, high), g));
        }
    }
    pieces.push(end);
    let area = |piece: &[f64]| {
        let panels = ((piece[1] - piece[0]) / noise).clamp(4.0, 4000.0).ceil();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 4 and 4000"
        )]
        rule.integrate((piece[0], piece[1]), panels as usize, g)
            .abs()
    };
    pieces.windows(2).map(area).sum()
}

pub(crate) const ENTRY: PopulationEntry = entry::<Checkerboard>(
    "checkerboard",
    "Gaussians on a grid, the classes in turn; in more dimensions parity",
    "Minsky and Papert 1969",
    true,
);
