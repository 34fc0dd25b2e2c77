//! The multi-comparison matrix: for each pair of methods the mean difference, wins, ties and losses,
//! and p values.
//!
//! Mean difference and win/tie/loss of a pair depend on that pair alone, so they do not move when a
//! method is added to the table, unlike mean ranks. The raw p value shares that property; the
//! Holm-corrected one beside it is what decisions use.
//!
//! Cost: O(k^2 n) beyond the pairwise tests.
//!
//! # References
//!
//! A. Ismail-Fawaz et al. (2023), An approach to multiple comparison benchmark evaluations that is
//! stable under manipulation of the comparate set, arXiv:2305.11921.

use crate::complete_table::BlockDesign;
use crate::error::Result;
use crate::pairwise::{Pairwise, PairwiseOptions, pairwise};

/// One cell of the matrix, read as "row against column".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatrixCell {
    /// Index of the row's method in the table.
    pub row: usize,
    /// Index of the column's method in the table.
    pub column: usize,
    /// Mean of row - column over datasets.
    pub mean_difference: f64,
    /// Datasets on which the row is better.
    pub wins: usize,
    /// Datasets on which they are equal to within the resolution.
    pub ties: usize,
    /// Datasets on which the column is better.
    pub losses: usize,
    /// Wilcoxon's p value.
    pub p_raw: f64,
    /// The same after Holm's correction over all pairs.
    pub p_adjusted: f64,
    /// Whether the corrected p value is at or below the level.
    pub differs: bool,
}

/// The matrix with its methods ordered by mean score.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparisonMatrix {
    order: Vec<usize>,
    means: Vec<f64>,
    cells: Vec<MatrixCell>,
    pairwise: Pairwise,
}

impl ComparisonMatrix {
    /// Indices of the methods, best mean score first.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// Mean scores in table order.
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// All ordered pairs, rows in `order`, columns in `order`, the diagonal left out.
    pub fn cells(&self) -> &[MatrixCell] {
        &self.cells
    }

    /// The cell of two methods of the table.
    pub fn cell(&self, row: usize, column: usize) -> Option<&MatrixCell> {
        self.cells
            .iter()
            .find(|cell| (cell.row, cell.column) == (row, column))
    }

    /// The tests behind it, for cliques.
    pub fn pairwise(&self) -> &Pairwise {
        &self.pairwise
    }
}

/// Compares all pairs of methods. Means and counts are over datasets, p values over the options' unit.
///
/// # Errors
///
/// As [`pairwise`](crate::pairwise()).
pub fn comparison_matrix(
    design: &BlockDesign,
    options: PairwiseOptions,
) -> Result<ComparisonMatrix> {
    let table = design.table();
    let sign = table.direction().cost_sign();
    let means = table.means();
    let mut keyed: Vec<(f64, usize)> = means
        .iter()
        .enumerate()
        .map(|(index, mean)| (sign * mean, index))
        .collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let order: Vec<usize> = keyed.into_iter().map(|(_, index)| index).collect();
    let tested = pairwise(design, options)?;
    let nothing = options.test.resolution.map_or(0.0, |step| step / 2.0);
    let mut cells = Vec::with_capacity(order.len() * order.len().saturating_sub(1));
    for &row in &order {
        for &column in &order {
            let Some(pair) = tested.pair(row, column) else {
                continue;
            };
            let differences = table.differences(row, column)?;
            let costs = || differences.values().iter().map(|value| sign * value);
            let wins = costs().filter(|cost| *cost < -nothing).count();
            let losses = costs().filter(|cost| *cost > nothing).count();
            cells.push(MatrixCell {
                row,
                column,
                mean_difference: differences.mean(),
                wins,
                ties: differences.len() - wins - losses,
                losses,
                p_raw: pair.test.p_value,
                p_adjusted: pair.p_adjusted,
                differs: pair.differs,
            });
        }
    }
    Ok(ComparisonMatrix {
        order,
        means,
        cells,
        pairwise: tested,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::complete_table::CompleteTable;
    use crate::params::Direction;
    use crate::score_table::Dataset;

    #[test]
    fn wins_follow_the_direction_and_mirror() {
        let values = vec![0.9, 0.8, 0.7, 0.7, 0.6, 0.9];
        let build = |direction| {
            let table = CompleteTable::new(
                direction,
                ["x", "y", "z"].map(Dataset::independent).to_vec(),
                ["a", "b"].map(str::to_owned).to_vec(),
                values.clone(),
            );
            let design = BlockDesign::try_from(table.unwrap()).unwrap();
            comparison_matrix(&design, PairwiseOptions::default()).unwrap()
        };
        let errors = build(Direction::LowerIsBetter);
        let cell = errors.cell(0, 1).unwrap();
        assert_eq!((cell.wins, cell.ties, cell.losses), (1, 1, 1));
        assert!((cell.mean_difference + 0.2 / 3.0).abs() < 1e-12);
        assert_eq!(errors.order(), [0, 1]);
        let mirror = errors.cell(1, 0).unwrap();
        assert!((mirror.mean_difference + cell.mean_difference).abs() < 1e-15);
        assert_eq!(build(Direction::HigherIsBetter).order(), [1, 0]);
        assert_eq!(errors.cells().len(), 2);
    }
}
