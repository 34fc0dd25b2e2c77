//! The Skillings-Mack test: Friedman's for incomplete blocks.
//!
//! In a block with `k_j` of the methods, ranks are mid-ranks among them, and
//!
//! ```text
//! A_i = sum_j sqrt(12 / (k_j + 1)) (R_ij - (k_j + 1)/2)          over the blocks that hold i
//! cov(A_i, A_t) = -(blocks that hold both),  var(A_i) = sum over t of these
//! SM = A' Sigma^- A,  chi-squared with k - 1 degrees of freedom
//! ```
//!
//! Blocks with one method say nothing and are left out. On complete blocks without ties it is Friedman's
//! statistic. Below twenty blocks the p value is a permutation of the ranks within blocks.
//!
//! # References
//!
//! J. H. Skillings and G. A. Mack (1981), On the use of a Friedman-type statistic in balanced and unbalanced block
//! designs, Technometrics 23, 171-177.

use rand::seq::SliceRandom;

use crate::error::{Result, StatsError, Unit, at_least};
use crate::params::{Seed, Stream};
use crate::ranks::midranks;
use crate::score_table::ScoreTable;
use crate::special::chi_squared_sf;

/// Blocks from which on the chi-squared distribution is good enough.
const ASYMPTOTIC: usize = 20;
const PERMUTATIONS: usize = 9_999;

/// The result of the test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SkillingsMack {
    /// The statistic.
    pub statistic: f64,
    /// Methods less one.
    pub df: usize,
    /// Its p value by the chi-squared distribution.
    pub p_chi_squared: f64,
    /// Its p value by permutation; `None` from twenty blocks on.
    pub p_permutation: Option<f64>,
    /// Blocks with two methods at least.
    pub n_blocks: usize,
}

impl SkillingsMack {
    /// The p value that counts.
    pub fn p_value(&self) -> f64 {
        self.p_permutation.unwrap_or(self.p_chi_squared)
    }
}

/// The test of a table with gaps; average related datasets into one block first.
///
/// # Errors
///
/// [`StatsError::TooFew`] below two methods or blocks, [`StatsError::Undefined`] where two methods never meet,
/// not even by way of others.
///
/// # Examples
///
/// ```
/// use counterweight_stats::{Dataset, Direction, ScoreTable, Seed, skillings_mack};
///
/// let cells = vec![Some(1.0), Some(2.0), None, Some(1.0), None, Some(3.0), Some(1.0), Some(2.0), Some(3.0)];
/// let table = ScoreTable::new(
///     Direction::LowerIsBetter,
///     ["x", "y", "z"].map(Dataset::independent).to_vec(),
///     ["a", "b", "c"].map(str::to_owned).to_vec(),
///     cells,
/// )?;
/// assert_eq!(skillings_mack(&table, Seed(0))?.n_blocks, 3);
/// # Ok::<(), counterweight_stats::StatsError>(())
/// ```
pub fn skillings_mack(table: &ScoreTable, seed: Seed) -> Result<SkillingsMack> {
    let methods = at_least(
        "the Skillings-Mack test",
        Unit::Methods,
        table.methods().len(),
        2,
    )?;
    // Each block as the places of its methods and their weighted, centred ranks.
    let mut blocks: Vec<(Vec<usize>, Vec<f64>)> = Vec::new();
    for line in table.lines() {
        let known = line
            .iter()
            .enumerate()
            .filter_map(|(place, value)| Some((place, (*value)?)));
        let (places, values): (Vec<usize>, Vec<f64>) = known.unzip();
        if places.len() < 2 {
            continue;
        }
        let size = places.len() as f64;
        let weight = (12.0 / (size + 1.0)).sqrt();
        let ranks = midranks(&values, table.direction())?.ranks;
        let centred = ranks
            .into_iter()
            .map(|rank| weight * (rank - f64::midpoint(size, 1.0)));
        blocks.push((places, centred.collect()));
    }
    at_least("the Skillings-Mack test", Unit::Clusters, blocks.len(), 2)?;
    let mut covariance = vec![vec![0.0; methods]; methods];
    for (places, _) in &blocks {
        for &i in places {
            for &t in places.iter().filter(|t| **t != i) {
                covariance[i][t] -= 1.0;
                covariance[i][i] += 1.0;
            }
        }
    }
    // The sum of A is zero: the last method follows from the others.
    for row in &mut covariance {
        row.pop();
    }
    covariance.pop();
    let inverse = inverse(covariance)?;
    let statistic_of = |blocks: &[(Vec<usize>, Vec<f64>)]| {
        let mut sums = vec![0.0; methods];
        for (places, centred) in blocks {
            for (&place, value) in places.iter().zip(centred) {
                sums[place] += value;
            }
        }
        let line = |(row, own): (&Vec<f64>, &f64)| {
            own * row.iter().zip(&sums).map(|(c, s)| c * s).sum::<f64>()
        };
        inverse.iter().zip(&sums).map(line).sum::<f64>()
    };
    let statistic = statistic_of(&blocks);
    let n_blocks = blocks.len();
    let p_permutation = (n_blocks < ASYMPTOTIC).then(|| {
        let mut rng = seed.rng(Stream::Permutation);
        let mut turned = blocks.clone();
        let reached = (0..PERMUTATIONS).filter(|_| {
            for (_, centred) in &mut turned {
                centred.shuffle(&mut rng);
            }
            statistic_of(&turned) >= statistic - 1e-9
        });
        (reached.count() + 1) as f64 / (PERMUTATIONS + 1) as f64
    });
    Ok(SkillingsMack {
        statistic,
        df: methods - 1,
        p_chi_squared: chi_squared_sf(statistic, (methods - 1) as f64),
        p_permutation,
        n_blocks,
    })
}

/// The inverse by Gauss and Jordan with pivots.
fn inverse(mut matrix: Vec<Vec<f64>>) -> Result<Vec<Vec<f64>>> {
    let n = matrix.len();
    for (row, line) in matrix.iter_mut().enumerate() {
        line.extend((0..n).map(|column| f64::from(u8::from(row == column))));
    }
    for at in 0..n {
        let pivot = (at..n).max_by(|a, b| matrix[*a][at].abs().total_cmp(&matrix[*b][at].abs()));
        let pivot = pivot.unwrap_or(at);
        if matrix[pivot][at].abs() < 1e-9 {
            return Err(StatsError::Undefined {
                what: "the Skillings-Mack statistic",
                reason: "some methods never meet, not even by way of others",
            });
        }
        matrix.swap(at, pivot);
        let scale = matrix[at][at];
        for value in &mut matrix[at] {
            *value /= scale;
        }
        let line = matrix[at].clone();
        for (_, other) in matrix.iter_mut().enumerate().filter(|(row, _)| *row != at) {
            let factor = other[at];
            for (value, own) in other.iter_mut().zip(&line) {
                *value -= factor * own;
            }
        }
    }
    Ok(matrix.into_iter().map(|line| line[n..].to_vec()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Direction;
    use crate::score_table::Dataset;

    fn table(lines: &[&[f64]]) -> ScoreTable {
        let cells = lines
            .iter()
            .flat_map(|line| line.iter().map(|v| (*v > 0.0).then_some(*v)));
        ScoreTable::new(
            Direction::LowerIsBetter,
            (0..lines.len())
                .map(|i| Dataset::independent(format!("b{i}")))
                .collect(),
            (0..lines[0].len()).map(|i| format!("m{i}")).collect(),
            cells.collect(),
        )
        .unwrap()
    }

    /// Skillings and Mack (1981), times of assembly: 15.493 with 3 degrees of freedom.
    #[test]
    fn the_published_example() {
        let lines: [&[f64]; 9] = [
            &[3.2, 4.1, 3.8, 4.2],
            &[3.1, 3.9, 3.4, 4.0],
            &[4.3, 3.5, 4.6, 4.8],
            &[3.5, 3.6, 3.9, 4.0],
            &[3.6, 4.2, 3.7, 3.9],
            &[4.5, 4.7, 3.7, 0.0],
            &[0.0, 4.2, 3.4, 0.0],
            &[4.3, 4.6, 4.4, 4.9],
            &[3.5, 0.0, 3.7, 3.9],
        ];
        let test = skillings_mack(&table(&lines), Seed(0)).unwrap();
        assert!((test.statistic - 15.493).abs() < 5e-4, "{}", test.statistic);
        assert_eq!(test.df, 3);
        assert!((test.p_chi_squared - 0.001_440_3).abs() < 1e-6);
        assert!(test.p_value() < 0.002, "{test:?}");
    }

    #[test]
    fn methods_that_never_meet_have_no_test() {
        let lines: [&[f64]; 4] = [
            &[1.0, 2.0, 0.0, 0.0],
            &[2.0, 1.0, 0.0, 0.0],
            &[0.0, 0.0, 1.0, 2.0],
            &[0.0, 0.0, 3.0, 0.0],
        ];
        assert!(matches!(
            skillings_mack(&table(&lines), Seed(0)),
            Err(StatsError::Undefined { .. })
        ));
    }
}
