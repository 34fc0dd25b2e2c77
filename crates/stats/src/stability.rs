//! Does the ranking survive without one method, one dataset or one cluster?
//!
//! Mean ranks depend on who else is in the table: dropping a method can make two others change
//! places. And a ranking that turns on one dataset is an anecdote. Each drop re-ranks what is left and
//! lists the pairs that change places strictly, together with Kendall's tau-b between the mean ranks
//! before and after.
//!
//! Cost: O((n + k) n k log k).
//!
//! # References
//!
//! A. Benavoli, G. Corani, F. Mangili (2016), Should we really use post-hoc tests based on mean-ranks?,
//! JMLR 17(5), 1-10. M. G. Kendall (1945), The treatment of ties in ranking problems, Biometrika 33.

use crate::complete_table::CompleteTable;
use crate::error::{Result, Unit, at_least};
use crate::ranks::{Ranking, mean_ranks};

/// What is left out, one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drop {
    /// Each method; the ranks of the others are formed anew.
    Method,
    /// Each dataset.
    Dataset,
    /// Each cluster of related datasets.
    Cluster,
}

/// The ranking without one item.
#[derive(Debug, Clone, PartialEq)]
pub struct WithoutOne {
    /// Name of the method, dataset or cluster left out.
    pub dropped: String,
    /// The ranking of the rest.
    pub ranking: Ranking,
    /// Pairs that change places: ahead in the full table, ahead without the item.
    pub flips: Vec<(String, String)>,
    /// Whether the leaders differ from the full table's (not counting the item itself).
    pub leader_changes: bool,
    /// Kendall's tau-b between the mean ranks; `None` if fewer than two methods are left or all of
    /// them tie.
    pub tau: Option<f64>,
}

/// The ranking without each item in turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Stability {
    /// What was dropped.
    pub drop: Drop,
    /// The ranking of the full table.
    pub full: Ranking,
    /// One entry an item, in table order.
    pub without: Vec<WithoutOne>,
}

impl Stability {
    /// Items whose absence changes the order of others.
    pub fn influential(&self) -> impl Iterator<Item = &WithoutOne> {
        self.without
            .iter()
            .filter(|one| one.leader_changes || !one.flips.is_empty())
    }

    /// Whether no single item decides the order of any two methods.
    pub fn is_stable(&self) -> bool {
        self.influential().next().is_none()
    }

    /// The smallest tau over all drops.
    pub fn worst_tau(&self) -> Option<f64> {
        self.without
            .iter()
            .filter_map(|one| one.tau)
            .reduce(f64::min)
    }
}

/// Re-ranks without each item.
///
/// # Errors
///
/// [`StatsError::TooFew`](crate::StatsError::TooFew) with fewer than two of what is dropped.
///
/// # Examples
///
/// ```
/// use counterweight_stats::{CompleteTable, Dataset, Direction, Drop, drop_one};
///
/// let table = CompleteTable::new(
///     Direction::LowerIsBetter,
///     ["x", "y", "z"].map(Dataset::independent).to_vec(),
///     ["a", "b"].map(str::to_owned).to_vec(),
///     vec![0.1, 0.2, 0.1, 0.2, 0.2, 0.1],
/// )?;
/// let stability = drop_one(&table, Drop::Dataset)?;
/// assert!(!stability.is_stable(), "without x, a and b tie");
/// # Ok::<(), counterweight_stats::StatsError>(())
/// ```
pub fn drop_one(table: &CompleteTable, drop: Drop) -> Result<Stability> {
    let full = mean_ranks(table)?;
    let mut without = Vec::new();
    match drop {
        Drop::Method => {
            let count = table.methods().len();
            at_least("dropping one method", Unit::Methods, count, 2)?;
            for (index, name) in table.methods().iter().enumerate() {
                let kept: Vec<usize> = (0..count).filter(|&other| other != index).collect();
                without.push(compare(&full, name, &table.select_methods(&kept)?)?);
            }
        }
        Drop::Dataset => {
            let count = table.datasets().len();
            at_least("dropping one dataset", Unit::Datasets, count, 2)?;
            for (index, dataset) in table.datasets().iter().enumerate() {
                let kept: Vec<usize> = (0..count).filter(|&other| other != index).collect();
                without.push(compare(
                    &full,
                    &dataset.name,
                    &table.select_datasets(&kept)?,
                )?);
            }
        }
        Drop::Cluster => {
            let ids = table.cluster_ids();
            let count = ids.iter().max().map_or(0, |last| last + 1);
            at_least("dropping one cluster", Unit::Clusters, count, 2)?;
            for cluster in 0..count {
                let (mut kept, mut name) = (Vec::new(), "");
                for (index, (dataset, &id)) in table.datasets().iter().zip(&ids).enumerate() {
                    if id == cluster {
                        name = &dataset.cluster;
                    } else {
                        kept.push(index);
                    }
                }
                without.push(compare(&full, name, &table.select_datasets(&kept)?)?);
            }
        }
    }
    Ok(Stability {
        drop,
        full,
        without,
    })
}

fn compare(full: &Ranking, dropped: &str, rest: &CompleteTable) -> Result<WithoutOne> {
    let ranking = mean_ranks(rest)?;
    let flips = full.contradictions(&ranking);
    // Without the leader somebody else must lead; that alone is no instability.
    let leaders = full.leaders();
    let comparable: Vec<&str> = leaders
        .iter()
        .copied()
        .filter(|leader| ranking.mean_rank(leader).is_some())
        .collect();
    let leader_changes = !comparable.is_empty() && comparable != ranking.leaders();
    let pairs: Vec<(f64, f64)> = ranking
        .iter()
        .filter_map(|(name, rank)| full.mean_rank(name).map(|before| (before, rank)))
        .collect();
    Ok(WithoutOne {
        dropped: dropped.to_owned(),
        tau: kendall_tau_b(&pairs),
        ranking,
        flips,
        leader_changes,
    })
}

/// Kendall's tau-b of pairs of numbers: (concordant - discordant) / sqrt((pairs - ties in x)(pairs - ties
/// in y)), numbers within 1e-9 being tied; from -1 to 1. `None` below two pairs, or where all of x or all
/// of y tie. O(n^2).
///
/// # Examples
///
/// ```
/// use counterweight_stats::kendall_tau_b;
///
/// // One of three pairs is turned round.
/// let tau = kendall_tau_b(&[(1.0, 1.0), (2.0, 3.0), (3.0, 2.0)]);
/// assert!((tau.unwrap_or(0.0) - 1.0 / 3.0).abs() < 1e-12);
/// assert_eq!(kendall_tau_b(&[(1.0, 2.0)]), None);
/// ```
///
/// # References
///
/// M. G. Kendall (1945), The treatment of ties in ranking problems, Biometrika 33.
pub fn kendall_tau_b(points: &[(f64, f64)]) -> Option<f64> {
    let (mut score, mut untied_x, mut untied_y) = (0.0, 0.0, 0.0);
    for (index, one) in points.iter().enumerate() {
        for other in points.iter().skip(index + 1) {
            let sign = |gap: f64| if gap.abs() > 1e-9 { gap.signum() } else { 0.0 };
            let (x, y) = (sign(one.0 - other.0), sign(one.1 - other.1));
            score += x * y;
            untied_x += x.abs();
            untied_y += y.abs();
        }
    }
    let scale: f64 = untied_x * untied_y;
    (scale > 0.0).then(|| score / scale.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Direction;
    use crate::score_table::Dataset;

    fn table(width: usize, values: &[f64]) -> CompleteTable {
        let datasets = (0..values.len() / width).map(|i| Dataset {
            name: format!("d{i}"),
            cluster: format!("c{}", i / 2),
        });
        let methods = (0..width).map(|i| format!("m{i}")).collect();
        CompleteTable::new(
            Direction::LowerIsBetter,
            datasets.collect(),
            methods,
            values.to_vec(),
        )
        .unwrap()
    }

    #[test]
    fn an_irrelevant_alternative_can_flip_two_methods() {
        // m0 beats m1 on three of five datasets; m2 sits between them where m1 wins.
        let mut values = Vec::new();
        for _ in 0..3 {
            values.extend([1.0, 2.0, 3.0]);
        }
        for _ in 0..2 {
            values.extend([3.0, 1.0, 2.0]);
        }
        let stability = drop_one(&table(3, &values), Drop::Method).unwrap();
        let without_third = &stability.without[2];
        assert_eq!(without_third.dropped, "m2");
        // With m2: 1.8 against 1.6; without it: 1.4 against 1.6.
        assert_eq!(without_third.flips, [("m1".to_owned(), "m0".to_owned())]);
        assert!(!stability.is_stable());
        assert!((stability.worst_tau().unwrap() + 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_clear_order_survives_everything() {
        let values: Vec<f64> = (0..6).flat_map(|_| [1.0, 2.0, 3.0]).collect();
        for drop in [Drop::Method, Drop::Dataset, Drop::Cluster] {
            let stability = drop_one(&table(3, &values), drop).unwrap();
            assert!(stability.is_stable(), "{drop:?}");
            assert!((stability.worst_tau().unwrap() - 1.0).abs() < 1e-12);
        }
        let clusters = drop_one(&table(3, &values), Drop::Cluster).unwrap();
        assert_eq!(clusters.without.len(), 3);
        assert_eq!(clusters.without[1].dropped, "c1");
    }

    #[test]
    fn two_methods_leave_one_without_tau() {
        let stability = drop_one(&table(2, &[1.0, 2.0, 1.0, 2.0]), Drop::Method).unwrap();
        assert!(
            stability
                .without
                .iter()
                .all(|one| one.tau.is_none() && !one.leader_changes)
        );
        assert_eq!(stability.worst_tau(), None);
    }

    #[test]
    fn too_little_is_an_error_value() {
        let one = table(1, &[1.0]);
        for drop in [Drop::Method, Drop::Dataset, Drop::Cluster] {
            assert!(drop_one(&one, drop).is_err());
        }
    }
}
