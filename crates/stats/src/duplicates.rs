//! Methods that are one method under several names.
//!
//! Some corrections are identical by theorem for a model (a logit-adjusted loss and the post-hoc
//! adjustment on a convex model, the prior threshold and adjustment at tau 1). Counted twice, they
//! push every mean rank apart and make Holm pay for comparisons that cannot differ. Here methods are
//! grouped by what the caller declares and by columns that agree bit for bit, missing cells
//! included; one of each group goes on into the tests.
//!
//! A declaration is checked, not believed: the largest difference inside a declared group is
//! reported, since a theorem that the numbers contradict is a bug somewhere.

use std::collections::BTreeMap;

use crate::error::{Result, Unit, at_least};
use crate::score_table::ScoreTable;

/// Methods that count once.
#[derive(Debug, Clone, PartialEq)]
pub struct MethodGroup {
    /// The first member, which stands for the group.
    pub representative: usize,
    /// All members in table order, the representative included.
    pub members: Vec<usize>,
    /// Whether the columns of all members agree bit for bit.
    pub identical: bool,
    /// The largest absolute difference between members over cells that both have.
    pub largest_gap: f64,
    /// Cells that one member has and another lacks.
    pub one_sided: usize,
}

impl MethodGroup {
    /// Whether a declared identity fails: members differ by more than `tolerance` somewhere.
    pub fn contradicted(&self, tolerance: f64) -> bool {
        self.largest_gap > tolerance
    }
}

/// A partition of the methods.
#[derive(Debug, Clone, PartialEq)]
pub struct MethodGroups {
    groups: Vec<MethodGroup>,
}

impl MethodGroups {
    /// All groups, those of one method included, ordered by representative.
    pub fn groups(&self) -> &[MethodGroup] {
        &self.groups
    }

    /// One index a group, for [`ScoreTable::select_methods`].
    pub fn representatives(&self) -> Vec<usize> {
        self.groups
            .iter()
            .map(|group| group.representative)
            .collect()
    }

    /// Groups of more than one method.
    pub fn shared(&self) -> impl Iterator<Item = &MethodGroup> {
        self.groups.iter().filter(|group| group.members.len() > 1)
    }

    /// The table with one column a group.
    ///
    /// # Errors
    ///
    /// [`StatsError::IndexOutOfRange`](crate::StatsError::IndexOutOfRange) for a table other than the
    /// one that was grouped.
    pub fn counted_once(&self, table: &ScoreTable) -> Result<ScoreTable> {
        table.select_methods(&self.representatives())
    }
}

/// Groups the methods of a table; `declared` lists names that are identical by theorem.
///
/// Bit-identical columns are grouped only if they share at least `min_cells` observed values: on one
/// dataset two methods agree by chance, and two methods that never ran agree on nothing.
/// O(datasets * methods * log methods).
///
/// # Errors
///
/// [`StatsError::UnknownName`](crate::StatsError::UnknownName) for a declared name that the table
/// lacks, [`StatsError::TooFew`](crate::StatsError::TooFew) for `min_cells` = 0.
///
/// # Examples
///
/// ```
/// use counterweight_stats::{Dataset, Direction, ScoreTable, group_duplicates};
///
/// let table = ScoreTable::new(
///     Direction::LowerIsBetter,
///     ["x", "y"].map(Dataset::independent).to_vec(),
///     ["a", "b", "c"].map(str::to_owned).to_vec(),
///     [0.1, 0.2, 0.1, 0.3, 0.2, 0.3].map(Some).to_vec(),
/// )?;
/// let groups = group_duplicates(&table, &[], 2)?;
/// assert_eq!(groups.representatives(), [0, 1]);
/// # Ok::<(), counterweight_stats::StatsError>(())
/// ```
pub fn group_duplicates(
    table: &ScoreTable,
    declared: &[Vec<String>],
    min_cells: usize,
) -> Result<MethodGroups> {
    at_least("grouping by equal columns", Unit::Datasets, min_cells, 1)?;
    let columns: Vec<Vec<Option<u64>>> = (0..table.methods().len())
        .map(|method| {
            table
                .column(method)
                .iter()
                .map(|cell| cell.map(f64::to_bits))
                .collect()
        })
        .collect();
    let mut leader: Vec<usize> = (0..columns.len()).collect();
    for names in declared {
        let indices: Result<Vec<usize>> =
            names.iter().map(|name| table.method_index(name)).collect();
        merge(&mut leader, &indices?);
    }
    let mut by_bits: BTreeMap<&[Option<u64>], Vec<usize>> = BTreeMap::new();
    for (method, column) in columns.iter().enumerate() {
        if column.iter().flatten().count() >= min_cells {
            by_bits.entry(column).or_default().push(method);
        }
    }
    for members in by_bits.values() {
        merge(&mut leader, members);
    }
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (method, &first) in leader.iter().enumerate() {
        members.entry(first).or_default().push(method);
    }
    let groups = members
        .into_values()
        .map(|members| describe(table, &members))
        .collect();
    Ok(MethodGroups { groups })
}

/// Gives all members of all groups that `methods` touch the smallest leader among them.
fn merge(leader: &mut [usize], methods: &[usize]) {
    let touched: Vec<usize> = methods
        .iter()
        .filter_map(|&m| leader.get(m).copied())
        .collect();
    let Some(&first) = touched.iter().min() else {
        return;
    };
    for slot in leader {
        if touched.contains(slot) {
            *slot = first;
        }
    }
}

fn describe(table: &ScoreTable, members: &[usize]) -> MethodGroup {
    let (mut identical, mut largest_gap, mut one_sided) = (true, 0.0_f64, 0);
    for line in table.lines() {
        let cells: Vec<Option<f64>> = members
            .iter()
            .map(|&method| line.get(method).copied().flatten())
            .collect();
        let present: Vec<f64> = cells.iter().copied().flatten().collect();
        let low = present.iter().copied().reduce(f64::min).unwrap_or(0.0);
        let high = present.iter().copied().reduce(f64::max).unwrap_or(0.0);
        largest_gap = largest_gap.max(high - low);
        if !present.is_empty() {
            one_sided += cells.len() - present.len();
        }
        identical &= low.to_bits() == high.to_bits();
    }
    MethodGroup {
        representative: members.first().copied().unwrap_or(0),
        members: members.to_vec(),
        identical: identical && one_sided == 0,
        largest_gap,
        one_sided,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Direction;
    use crate::score_table::Dataset;

    fn table(lines: &[[Option<f64>; 4]]) -> ScoreTable {
        let datasets = (0..lines.len())
            .map(|i| Dataset::independent(format!("d{i}")))
            .collect();
        let methods = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        ScoreTable::new(Direction::LowerIsBetter, datasets, methods, lines.concat()).unwrap()
    }

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn declared_and_found_groups_merge() {
        let table = table(&[
            [Some(0.1), Some(0.2), Some(0.2), Some(0.1 + 1e-9)],
            [Some(0.3), Some(0.4), Some(0.4), Some(0.3)],
        ]);
        let groups = group_duplicates(&table, &[names(&["d", "a"])], 2).unwrap();
        assert_eq!(groups.representatives(), [0, 1]);
        let [first, second] = groups.groups() else {
            panic!("two groups")
        };
        assert_eq!(first.members, [0, 3]);
        assert!(!first.identical && !first.contradicted(1e-8) && first.contradicted(1e-10));
        assert!(second.identical);
        assert_eq!(groups.shared().count(), 2);
        assert_eq!(groups.counted_once(&table).unwrap().methods(), ["a", "b"]);
    }

    #[test]
    fn chains_of_declarations_make_one_group() {
        let table = table(&[[Some(0.1), Some(0.2), Some(0.3), Some(0.4)]]);
        let declared = [names(&["c", "d"]), names(&["a", "b"]), names(&["b", "c"])];
        let groups = group_duplicates(&table, &declared, 1).unwrap();
        assert_eq!(groups.groups().len(), 1);
        assert!(groups.groups()[0].contradicted(0.1));
    }

    #[test]
    fn methods_that_never_ran_are_not_the_same_method() {
        let table = table(&[
            [Some(0.1), None, None, Some(0.1)],
            [Some(0.2), None, None, None],
        ]);
        let groups = group_duplicates(&table, &[], 1).unwrap();
        assert_eq!(groups.groups().len(), 4, "a and d differ in a missing cell");
    }

    #[test]
    fn one_agreement_is_chance() {
        let table = table(&[[Some(0.1), Some(0.1), Some(0.2), Some(0.3)]]);
        assert_eq!(group_duplicates(&table, &[], 2).unwrap().groups().len(), 4);
        assert_eq!(group_duplicates(&table, &[], 1).unwrap().groups().len(), 3);
        assert!(group_duplicates(&table, &[], 0).is_err());
        assert!(group_duplicates(&table, &[names(&["z"])], 1).is_err());
    }
}
