//! Missing cells: a declared policy, and what the ranking would be under the others.
//!
//! | policy | a dataset with a missing cell | what it presumes |
//! |---|---|---|
//! | `Intersection` (default) | leaves the comparison | that methods fail where it does not matter |
//! | `Worst` | the missing method gets the worst value seen on that dataset | that a failure is as bad as the worst result |
//! | `Baseline` | the missing method gets the baseline's value | that a user would fall back on the baseline |
//!
//! None is right in general, so [`compare_policies`] ranks under all three and says which pairs of
//! methods change places: there the policy, not the data, decides the order.
//!
//! A dataset that a policy cannot fill (nothing observed, or no baseline value) is dropped and named.

use crate::complete_table::CompleteTable;
use crate::error::{Result, StatsError, Unit, at_least};
use crate::ranks::{Ranking, mean_ranks};
use crate::score_table::ScoreTable;

/// What to do about missing cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingPolicy {
    /// Keep the datasets on which every method has a value.
    #[default]
    Intersection,
    /// Put the worst observed value of the dataset.
    Worst,
    /// Put the value of the method with this index.
    Baseline(usize),
}

/// A table without missing cells, and what was done to get it.
#[derive(Debug, Clone, PartialEq)]
pub struct Completed {
    /// The table.
    pub table: CompleteTable,
    /// The policy applied.
    pub policy: MissingPolicy,
    /// (dataset, method) indices into the original table of the cells that were filled.
    pub filled: Vec<(usize, usize)>,
    /// Indices of the datasets that were left out.
    pub dropped: Vec<usize>,
}

/// Applies a policy. O(cells).
///
/// # Errors
///
/// [`StatsError::TooFew`] if no dataset is left, [`StatsError::IndexOutOfRange`] for the baseline.
///
/// # Examples
///
/// ```
/// use counterweight_stats::{Dataset, Direction, MissingPolicy, ScoreTable, complete};
///
/// let table = ScoreTable::new(
///     Direction::LowerIsBetter,
///     ["x", "y"].map(Dataset::independent).to_vec(),
///     ["a", "b"].map(str::to_owned).to_vec(),
///     vec![Some(0.1), Some(0.2), Some(0.3), None],
/// )?;
/// assert_eq!(complete(&table, MissingPolicy::Intersection)?.dropped, [1]);
/// assert_eq!(complete(&table, MissingPolicy::Worst)?.filled, [(1, 1)]);
/// # Ok::<(), counterweight_stats::StatsError>(())
/// ```
pub fn complete(table: &ScoreTable, policy: MissingPolicy) -> Result<Completed> {
    if let MissingPolicy::Baseline(index) = policy {
        let len = table.methods().len();
        if index >= len {
            return Err(StatsError::IndexOutOfRange {
                unit: Unit::Methods,
                index,
                len,
            });
        }
    }
    let mut kept = Vec::new();
    let mut dropped = Vec::new();
    let mut filled = Vec::new();
    let mut values = Vec::new();
    for (row, (line, dataset)) in table.lines().zip(table.datasets()).enumerate() {
        let holes = line.iter().any(Option::is_none);
        let filler = match policy {
            MissingPolicy::Intersection => None,
            MissingPolicy::Worst => {
                let seen = line.iter().flatten().copied();
                seen.reduce(|a, b| {
                    if table.direction().is_better(a, b) {
                        b
                    } else {
                        a
                    }
                })
            }
            MissingPolicy::Baseline(index) => line.get(index).copied().flatten(),
        };
        if holes && filler.is_none() {
            dropped.push(row);
            continue;
        }
        for (method, cell) in line.iter().enumerate() {
            if cell.is_none() {
                filled.push((row, method));
            }
            values.extend(cell.or(filler));
        }
        kept.push(dataset.clone());
    }
    at_least(
        "the table under its policy for missing cells",
        Unit::Datasets,
        kept.len(),
        1,
    )?;
    let methods = table.methods().to_vec();
    let table = CompleteTable::new(table.direction(), kept, methods, values)?;
    Ok(Completed {
        table,
        policy,
        filled,
        dropped,
    })
}

/// The ranking under one policy.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyRanking {
    /// The policy.
    pub policy: MissingPolicy,
    /// Datasets ranked.
    pub n_datasets: usize,
    /// Cells filled.
    pub n_filled: usize,
    /// Mean ranks.
    pub ranking: Ranking,
}

/// Two methods that change places between policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyConflict {
    /// The policy declared first.
    pub policy: MissingPolicy,
    /// The policy that disagrees with it.
    pub other: MissingPolicy,
    /// Ahead under `policy`.
    pub ahead: String,
    /// Ahead under `other`.
    pub behind: String,
}

/// Rankings under all policies and where they disagree.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyComparison {
    /// Number of missing cells; without any the rankings are the same.
    pub missing: usize,
    /// Rankings under the policies that leave a dataset.
    pub rankings: Vec<PolicyRanking>,
    /// Policies under which nothing is left to rank, with the reason.
    pub unavailable: Vec<(MissingPolicy, StatsError)>,
    /// Pairs whose strict order differs from the first ranking's.
    pub conflicts: Vec<PolicyConflict>,
    /// Whether the set of leaders differs between policies.
    pub leader_depends: bool,
}

impl PolicyComparison {
    /// Whether the policy decides the order of any two methods: the warning that a reader must see.
    pub fn policy_decides(&self) -> bool {
        self.leader_depends || !self.conflicts.is_empty()
    }
}

/// Ranks under `declared` first, then under the other policies; `baseline` is the method that
/// [`MissingPolicy::Baseline`] falls back on.
///
/// # Errors
///
/// [`StatsError::IndexOutOfRange`] for a baseline past the end. A policy that leaves no dataset is not
/// an error here but an entry of `unavailable`.
pub fn compare_policies(
    table: &ScoreTable,
    declared: MissingPolicy,
    baseline: usize,
) -> Result<PolicyComparison> {
    let len = table.methods().len();
    if baseline >= len {
        return Err(StatsError::IndexOutOfRange {
            unit: Unit::Methods,
            index: baseline,
            len,
        });
    }
    let all = [
        MissingPolicy::Intersection,
        MissingPolicy::Worst,
        MissingPolicy::Baseline(baseline),
    ];
    let others = all.into_iter().filter(|policy| *policy != declared);
    let mut rankings = Vec::new();
    let mut unavailable = Vec::new();
    for policy in std::iter::once(declared).chain(others) {
        match complete(table, policy) {
            Ok(completed) => rankings.push(PolicyRanking {
                policy,
                n_datasets: completed.table.datasets().len(),
                n_filled: completed.filled.len(),
                ranking: mean_ranks(&completed.table)?,
            }),
            Err(error @ StatsError::TooFew { .. }) => unavailable.push((policy, error)),
            Err(error) => return Err(error),
        }
    }
    let mut conflicts = Vec::new();
    let mut leader_depends = false;
    if let Some((first, rest)) = rankings.split_first() {
        for other in rest {
            leader_depends |= first.ranking.leaders() != other.ranking.leaders();
            for (ahead, behind) in first.ranking.contradictions(&other.ranking) {
                let (policy, other) = (first.policy, other.policy);
                conflicts.push(PolicyConflict {
                    policy,
                    other,
                    ahead,
                    behind,
                });
            }
        }
    }
    let missing = table.missing();
    Ok(PolicyComparison {
        missing,
        rankings,
        unavailable,
        conflicts,
        leader_depends,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Direction;
    use crate::score_table::Dataset;

    fn table(cells: Vec<Option<f64>>) -> ScoreTable {
        let datasets = (0..cells.len() / 3).map(|i| Dataset::independent(format!("d{i}")));
        let methods = ["base", "b", "c"].map(str::to_owned).to_vec();
        ScoreTable::new(Direction::LowerIsBetter, datasets.collect(), methods, cells).unwrap()
    }

    #[test]
    fn each_policy_fills_as_it_says() {
        let table = table(vec![Some(0.3), None, Some(0.5), None, Some(0.1), Some(0.2)]);
        assert!(complete(&table, MissingPolicy::Intersection).is_err());
        let worst = complete(&table, MissingPolicy::Worst).unwrap();
        assert_eq!(
            worst.table.lines().collect::<Vec<_>>(),
            [[0.3, 0.5, 0.5], [0.2, 0.1, 0.2]]
        );
        let baseline = complete(&table, MissingPolicy::Baseline(0)).unwrap();
        assert_eq!(
            baseline.table.lines().collect::<Vec<_>>(),
            [[0.3, 0.3, 0.5]]
        );
        assert_eq!(baseline.dropped, [1]);
        assert!(complete(&table, MissingPolicy::Baseline(3)).is_err());
    }

    #[test]
    fn the_worst_follows_the_direction() {
        let table = ScoreTable::new(
            Direction::HigherIsBetter,
            vec![Dataset::independent("d")],
            ["a", "b", "c"].map(str::to_owned).to_vec(),
            vec![Some(0.9), Some(0.4), None],
        );
        let worst = complete(&table.unwrap(), MissingPolicy::Worst).unwrap();
        assert_eq!(worst.table.lines().next().unwrap(), [0.9, 0.4, 0.4]);
    }

    #[test]
    fn a_method_that_fails_where_it_would_lose_is_flagged() {
        // b wins on two datasets and crashes on three.
        let mut cells = Vec::new();
        for _ in 0..2 {
            cells.extend([Some(0.3), Some(0.1), Some(0.2)]);
        }
        for _ in 0..3 {
            cells.extend([Some(0.3), None, Some(0.2)]);
        }
        let found = compare_policies(&table(cells), MissingPolicy::Intersection, 0).unwrap();
        assert_eq!(found.missing, 3);
        assert!(found.policy_decides() && found.leader_depends);
        let pair = ("b".to_owned(), "c".to_owned());
        assert!(
            found
                .conflicts
                .iter()
                .any(|c| (c.ahead.clone(), c.behind.clone()) == pair)
        );
    }

    #[test]
    fn without_missing_cells_the_policies_agree() {
        let cells = [0.3, 0.1, 0.2, 0.4, 0.2, 0.1].map(Some).to_vec();
        let found = compare_policies(&table(cells), MissingPolicy::Worst, 0).unwrap();
        assert_eq!(found.rankings.len(), 3);
        assert!(!found.policy_decides());
        assert_eq!(found.rankings[0].policy, MissingPolicy::Worst);
    }

    #[test]
    fn a_method_that_never_ran_leaves_no_intersection() {
        let found = compare_policies(
            &table(vec![Some(0.3), None, Some(0.2)]),
            MissingPolicy::default(),
            0,
        )
        .unwrap();
        assert_eq!(found.unavailable.len(), 1);
        assert_eq!(found.rankings.len(), 2);
        assert!(compare_policies(&table(vec![None; 3]), MissingPolicy::default(), 0).is_ok());
    }
}
