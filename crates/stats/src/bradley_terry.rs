//! The Bradley-Terry model by maximum likelihood.
//!
//! `P(i beats t) = exp(a_i) / (exp(a_i) + exp(a_t))`. From wins `w_it` (a tie counts half each way) the
//! abilities are found by Hunter's iteration, which never lowers the likelihood:
//!
//! ```text
//! p_i <- W_i / sum_t n_it / (p_i + p_t),   W_i = sum_t w_it,   n_it = w_it + w_ti
//! ```
//!
//! A method that always wins has no finite ability: half a pseudo-win each way between any two keeps all finite.
//! [`elo`] gives the same on the scale of chess. On a complete table the order is that of the mean ranks.
//!
//! # References
//!
//! R. A. Bradley and M. E. Terry (1952), Rank analysis of incomplete block designs I, Biometrika 39. D. R. Hunter
//! (2004), MM algorithms for generalized Bradley-Terry models, Annals of Statistics 32.

use crate::error::{Result, StatsError, Unit, at_least};
use crate::score_table::ScoreTable;

/// Values closer than this tie.
const TIE: f64 = 1e-12;
/// Half a win each way.
const PSEUDO: f64 = 0.5;

/// Abilities with mean 0 from wins by row over column.
///
/// # Errors
///
/// [`StatsError::TooFew`] below two methods, [`StatsError::LengthMismatch`] for a table that is not square,
/// [`StatsError::Undefined`] where a method has no win or no loss.
///
/// # Examples
///
/// ```
/// use counterweight_stats::bradley_terry;
///
/// let abilities = bradley_terry(&[vec![0.0, 3.0], vec![1.0, 0.0]])?;
/// assert!((abilities[0] - abilities[1] - 3.0_f64.ln()).abs() < 1e-9);
/// # Ok::<(), counterweight_stats::StatsError>(())
/// ```
pub fn bradley_terry(wins: &[Vec<f64>]) -> Result<Vec<f64>> {
    let count = at_least("the Bradley-Terry model", Unit::Methods, wins.len(), 2)?;
    if let Some(line) = wins.iter().find(|line| line.len() != count) {
        return Err(StatsError::LengthMismatch {
            what: "wins of a method",
            found: line.len(),
            expected: count,
        });
    }
    let own: Vec<f64> = wins.iter().map(|line| line.iter().sum()).collect();
    let lost = |i: usize| wins.iter().filter_map(|line| line.get(i)).sum::<f64>();
    if (0..count).any(|i| own[i] <= 0.0 || lost(i) <= 0.0) {
        return Err(StatsError::Undefined {
            what: "a Bradley-Terry ability",
            reason: "a method never wins or never loses",
        });
    }
    let mut strength = vec![1.0_f64; count];
    for _ in 0..100_000 {
        let next: Vec<f64> = (0..count)
            .map(|i| {
                let met = |t: usize| (wins[i][t] + wins[t][i]) / (strength[i] + strength[t]);
                own[i] / (0..count).filter(|t| *t != i).map(met).sum::<f64>()
            })
            .collect();
        let mean = next.iter().map(|p| p.ln()).sum::<f64>() / count as f64;
        let next: Vec<f64> = next.into_iter().map(|p| p / mean.exp()).collect();
        let moved = next
            .iter()
            .zip(&strength)
            .map(|(a, b)| (a / b).ln().abs())
            .fold(0.0, f64::max);
        strength = next;
        if moved < 1e-13 {
            break;
        }
    }
    Ok(strength.into_iter().map(f64::ln).collect())
}

/// Ratings of the methods of a table, a block a game between any two that it holds, half a pseudo-win each way;
/// `anchor` stands at 1000, or their mean without one. `copies` says how often each block counts.
///
/// # Errors
///
/// As [`bradley_terry`].
pub fn elo(table: &ScoreTable, anchor: Option<usize>, copies: &[f64]) -> Result<Vec<f64>> {
    let count = table.methods().len();
    let mut wins = vec![vec![PSEUDO; count]; count];
    for (line, &times) in table.lines().zip(copies) {
        for (i, first) in line.iter().enumerate() {
            for (t, second) in line.iter().enumerate().take(i) {
                let (Some(a), Some(b)) = (*first, *second) else {
                    continue;
                };
                let half = if (a - b).abs() <= TIE { 0.5 } else { 0.0 };
                let better = table.direction().is_better(a, b);
                let first = if half > 0.0 {
                    half
                } else {
                    f64::from(u8::from(better))
                };
                wins[i][t] += times * first;
                wins[t][i] += times * (1.0 - first);
            }
        }
    }
    for (i, line) in wins.iter_mut().enumerate() {
        line[i] = 0.0;
    }
    let abilities = bradley_terry(&wins)?;
    let base = anchor
        .and_then(|at| abilities.get(at))
        .copied()
        .unwrap_or(0.0);
    let scale = 400.0 / std::f64::consts::LN_10;
    Ok(abilities
        .into_iter()
        .map(|a| 1000.0 + scale * (a - base))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Direction;
    use crate::score_table::Dataset;

    /// Agresti (2002), table 10.11: the eastern division of the American League in 1987.
    #[test]
    fn the_published_example() {
        let wins: Vec<Vec<f64>> = [
            [0, 7, 9, 7, 7, 9, 11],
            [6, 0, 7, 5, 11, 9, 9],
            [4, 6, 0, 7, 7, 8, 12],
            [6, 8, 6, 0, 6, 7, 10],
            [6, 2, 6, 7, 0, 7, 12],
            [4, 4, 5, 6, 6, 0, 6],
            [2, 4, 1, 3, 1, 7, 0],
        ]
        .map(|line| line.map(f64::from).to_vec())
        .to_vec();
        let abilities = bradley_terry(&wins).unwrap();
        let printed = [1.58, 1.44, 1.29, 1.25, 1.11, 0.68, 0.0];
        for (ability, printed) in abilities.iter().zip(printed) {
            assert!(
                (ability - abilities[6] - printed).abs() < 0.005,
                "{abilities:?}"
            );
        }
    }

    #[test]
    fn ratings_are_ordered_as_mean_ranks_and_finite() {
        let table = ScoreTable::new(
            Direction::LowerIsBetter,
            (0..4)
                .map(|i| Dataset::independent(format!("d{i}")))
                .collect(),
            ["a", "b", "c"].map(str::to_owned).to_vec(),
            [
                [1.0, 2.0, 3.0],
                [1.0, 3.0, 2.0],
                [1.0, 2.0, 3.0],
                [1.0, 2.0, 2.0],
            ]
            .concat()
            .into_iter()
            .map(Some)
            .collect(),
        )
        .unwrap();
        let ratings = elo(&table, Some(2), &[1.0; 4]).unwrap();
        assert!(ratings[0] > ratings[1] && ratings[1] > ratings[2] && ratings[0].is_finite());
        assert!((ratings[2] - 1000.0).abs() < 1e-9);
        assert!(bradley_terry(&[vec![0.0, 1.0], vec![0.0, 0.0]]).is_err());
    }
}
