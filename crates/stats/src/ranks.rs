//! Midranks and mean ranks.
//!
//! Rank 1 is the best value of a dataset in the table's [`Direction`]; tied values share the mean of
//! the ranks that they occupy, so that each dataset's ranks add up to k(k+1)/2.
//!
//! # References
//!
//! J. Demsar (2006), Statistical comparisons of classifiers over multiple data sets, JMLR 7, 1-30.

use crate::complete_table::CompleteTable;
use crate::error::{Result, Unit, at_least, finite};
use crate::params::Direction;

/// Midranks of one line and the sizes of its ties.
#[derive(Debug, Clone, PartialEq)]
pub struct Midranks {
    /// Rank of each value, in the order of the input.
    pub ranks: Vec<f64>,
    /// Size of every group of equal values, groups of one included, best group first.
    pub groups: Vec<usize>,
}

impl Midranks {
    /// The sum of t^3 - t over groups of t equal values, the term of every tie correction.
    pub fn tie_term(&self) -> f64 {
        self.groups
            .iter()
            .map(|&size| (size as f64).powi(3) - size as f64)
            .sum()
    }
}

/// Ranks the values with midranks for ties. Equality is equality of doubles. O(k log k).
///
/// # Errors
///
/// [`StatsError::NotFinite`](crate::StatsError::NotFinite).
///
/// # Examples
///
/// ```
/// use counterweight_stats::{Direction, midranks};
///
/// let ranks = midranks(&[0.3, 0.1, 0.3], Direction::LowerIsBetter)?;
/// assert_eq!(ranks.ranks, [2.5, 1.0, 2.5]);
/// # Ok::<(), counterweight_stats::StatsError>(())
/// ```
pub fn midranks(values: &[f64], direction: Direction) -> Result<Midranks> {
    let mut order = Vec::with_capacity(values.len());
    for (index, &value) in values.iter().enumerate() {
        let cost = finite(direction.cost_sign() * value, || format!("value {index}"))?;
        order.push((cost, index));
    }
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut ranks = vec![0.0; values.len()];
    let mut groups = Vec::new();
    let mut before = 0;
    for tied in order.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        // The mean of the ranks before+1 ..= before+t.
        let rank = before as f64 + (tied.len() + 1) as f64 / 2.0;
        for &(_, index) in tied {
            if let Some(slot) = ranks.get_mut(index) {
                *slot = rank;
            }
        }
        groups.push(tied.len());
        before += tied.len();
    }
    Ok(Midranks { ranks, groups })
}

/// The midranks of every dataset of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct RankTable {
    lines: Vec<Midranks>,
    methods: Vec<String>,
}

impl RankTable {
    /// Ranks every line of a table. O(n k log k).
    ///
    /// # Errors
    ///
    /// None for a table that was built by this crate.
    pub fn new(table: &CompleteTable) -> Result<Self> {
        let lines: Result<Vec<_>> = table
            .lines()
            .map(|line| midranks(line, table.direction()))
            .collect();
        Ok(Self {
            lines: lines?,
            methods: table.methods().to_vec(),
        })
    }

    /// One entry a dataset.
    pub fn lines(&self) -> &[Midranks] {
        &self.lines
    }

    /// The mean ranks, in the order of the methods.
    pub fn means(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.methods.len()];
        for line in &self.lines {
            for (sum, rank) in sums.iter_mut().zip(&line.ranks) {
                *sum += rank;
            }
        }
        sums.iter()
            .map(|sum| sum / self.lines.len() as f64)
            .collect()
    }

    /// The methods ordered by mean rank.
    pub fn ranking(&self) -> Ranking {
        Ranking::new(self.methods.clone(), self.means())
    }

    /// The share of datasets on which each method is best, a tie for the best being divided.
    pub fn shares_of_first(&self) -> Vec<f64> {
        let mut shares = vec![0.0; self.methods.len()];
        for line in &self.lines {
            let Some(&tied) = line.groups.first() else {
                continue;
            };
            let first = (tied + 1) as f64 / 2.0;
            for (share, rank) in shares.iter_mut().zip(&line.ranks) {
                if *rank <= first {
                    *share += 1.0 / tied as f64;
                }
            }
        }
        shares
            .iter()
            .map(|share| share / self.lines.len() as f64)
            .collect()
    }
}

/// Methods with their mean ranks, best first.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    methods: Vec<String>,
    mean_ranks: Vec<f64>,
    order: Vec<usize>,
}

impl Ranking {
    fn new(methods: Vec<String>, mean_ranks: Vec<f64>) -> Self {
        let mut keyed: Vec<(f64, usize)> = mean_ranks
            .iter()
            .enumerate()
            .map(|(index, &rank)| (rank, index))
            .collect();
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let order = keyed.into_iter().map(|(_, index)| index).collect();
        Self {
            methods,
            mean_ranks,
            order,
        }
    }

    /// Names in table order.
    pub fn methods(&self) -> &[String] {
        &self.methods
    }

    /// Mean ranks in table order.
    pub fn mean_ranks(&self) -> &[f64] {
        &self.mean_ranks
    }

    /// Indices into the table, best first; equal mean ranks in table order.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// Name and mean rank, best first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.order.iter().filter_map(|&index| {
            Some((
                self.methods.get(index)?.as_str(),
                *self.mean_ranks.get(index)?,
            ))
        })
    }

    /// The mean rank of a method by name.
    pub fn mean_rank(&self, method: &str) -> Option<f64> {
        let index = self.methods.iter().position(|name| name == method)?;
        self.mean_ranks.get(index).copied()
    }

    /// The methods that share the best mean rank.
    pub fn leaders(&self) -> Vec<&str> {
        let best = self.iter().next().map_or(f64::INFINITY, |(_, rank)| rank);
        self.iter()
            .take_while(|(_, rank)| *rank <= best + TIE)
            .map(|(name, _)| name)
            .collect()
    }

    /// Pairs of methods known to both rankings whose order is strictly opposite: the name that
    /// leads here, then the name that leads there. A tie on either side is no contradiction.
    pub fn contradictions(&self, other: &Self) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        let ahead: Vec<(&str, f64)> = self.iter().collect();
        for (position, &(a, rank_a)) in ahead.iter().enumerate() {
            for &(b, rank_b) in ahead.iter().skip(position + 1) {
                let strictly = rank_b - rank_a > TIE;
                let (Some(other_a), Some(other_b)) = (other.mean_rank(a), other.mean_rank(b))
                else {
                    continue;
                };
                if strictly && other_a - other_b > TIE {
                    pairs.push((a.to_owned(), b.to_owned()));
                }
            }
        }
        pairs
    }
}

/// Mean ranks are multiples of 1/(2n); anything closer than this is rounding of the division.
const TIE: f64 = 1e-9;

/// The mean ranks of a table in one call; see [`RankTable`] for the ranks themselves.
///
/// # Errors
///
/// [`StatsError::TooFew`](crate::StatsError::TooFew) is impossible for a checked table; the
/// signature leaves room for it.
pub fn mean_ranks(table: &CompleteTable) -> Result<Ranking> {
    at_least("a ranking", Unit::Datasets, table.datasets().len(), 1)?;
    Ok(RankTable::new(table)?.ranking())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score_table::Dataset;

    fn table(direction: Direction, values: &[f64]) -> CompleteTable {
        let datasets = (0..values.len() / 3).map(|i| Dataset::independent(format!("d{i}")));
        let methods = ["a", "b", "c"].map(str::to_owned).to_vec();
        CompleteTable::new(direction, datasets.collect(), methods, values.to_vec()).unwrap()
    }

    #[test]
    fn the_direction_turns_the_ranks_round() {
        let values = [0.1, 0.2, 0.3];
        assert_eq!(
            midranks(&values, Direction::LowerIsBetter).unwrap().ranks,
            [1.0, 2.0, 3.0]
        );
        assert_eq!(
            midranks(&values, Direction::HigherIsBetter).unwrap().ranks,
            [3.0, 2.0, 1.0]
        );
    }

    #[test]
    fn zero_ties_with_negative_zero() {
        let ranks = midranks(&[0.0, -0.0, 1.0], Direction::HigherIsBetter).unwrap();
        assert_eq!(ranks.ranks, [2.5, 2.5, 1.0]);
        assert_eq!(ranks.groups, [1, 2]);
        assert!((ranks.tie_term() - 6.0).abs() < 1e-15);
        assert!(midranks(&[f64::NAN], Direction::LowerIsBetter).is_err());
        assert!(
            midranks(&[], Direction::LowerIsBetter)
                .unwrap()
                .ranks
                .is_empty()
        );
    }

    #[test]
    fn order_leaders_and_shares() {
        let table = table(Direction::LowerIsBetter, &[0.1, 0.2, 0.3, 0.2, 0.1, 0.3]);
        let ranks = RankTable::new(&table).unwrap();
        let ranking = ranks.ranking();
        assert_eq!(ranking.leaders(), ["a", "b"]);
        assert_eq!(ranking.order(), [0, 1, 2]);
        assert_eq!(ranks.shares_of_first(), [0.5, 0.5, 0.0]);
    }

    #[test]
    fn contradictions_need_a_strict_flip() {
        let one = mean_ranks(&table(Direction::LowerIsBetter, &[0.1, 0.2, 0.3])).unwrap();
        let flipped = mean_ranks(&table(Direction::LowerIsBetter, &[0.2, 0.1, 0.3])).unwrap();
        let tied = mean_ranks(&table(Direction::LowerIsBetter, &[0.1, 0.1, 0.3])).unwrap();
        assert_eq!(
            one.contradictions(&flipped),
            [("a".to_owned(), "b".to_owned())]
        );
        assert!(one.contradictions(&tied).is_empty());
        assert!(one.contradictions(&one).is_empty());
    }
}
