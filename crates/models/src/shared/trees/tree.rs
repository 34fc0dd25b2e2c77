//! A grown tree, and what rows are answered by many.

use counterweight_core::{Matrix, limit};

use super::bins::Binned;
use super::native::{Set, has};

/// Which rows go left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Values of at most the threshold; missing values go right.
    AtMost,
    /// Those and missing values.
    AtMostOrMissing,
    /// The levels of a set, whose number stands in place of the threshold.
    Among,
}

/// A node: a split when `left` is not 0 (no child is the root), else a leaf.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Node {
    /// Rows with a value of at most this go left, unless `rule` says otherwise.
    pub(crate) threshold: f64,
    /// The feature that is asked; of a leaf, which of the tree's answers is its own.
    pub(crate) feature: u32,
    /// The left child; the right one is the next.
    pub(crate) left: u32,
    /// The largest code that goes left.
    pub(crate) code: u8,
    pub(crate) rule: Rule,
}

impl Node {
    pub(crate) const LEAF: Self = Self {
        threshold: 0.0,
        feature: 0,
        left: 0,
        code: 0,
        rule: Rule::AtMost,
    };

    pub(crate) fn is_leaf(&self) -> bool {
        self.left == 0
    }
}

/// A tree whose leaves answer `width` numbers each.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    /// Numbers of each leaf.
    pub(crate) width: usize,
    /// `width` numbers a leaf.
    pub(crate) values: Vec<f64>,
    /// Levels that go left, for the nodes that part by them.
    pub(crate) sets: Vec<Set>,
}

/// Rows that walk down a tree side by side: the next step of a row waits for its last one, not for those of
/// the others.
const LANES: usize = 16;

/// Values of rows that stay at hand while all trees are asked.
const AT_HAND: usize = 4096;

/// Asks every tree about every row and hands row, tree and answer to `take`: the trees of a row come in their
/// order, so that sums over them are the same in any block of rows.
pub(crate) fn ask_all<'t>(
    trees: &(impl Iterator<Item = &'t Tree> + Clone),
    x: &Matrix,
    mut take: impl FnMut(usize, usize, &[f64]),
) {
    let d = x.cols();
    let at_once = (AT_HAND / d.max(1) / LANES).max(1) * LANES;
    let at_once = at_once.min(x.rows().max(1).next_multiple_of(LANES));
    let mut values = vec![0.0; (at_once * d).next_power_of_two()];
    let plain: Vec<bool> = trees.clone().map(Tree::is_plain).collect();
    for first in (0..x.rows()).step_by(at_once) {
        let n = at_once.min(x.rows() - first);
        let rows = &x.as_slice()[first * d..(first + n) * d];
        values[..rows.len()].copy_from_slice(rows);
        for (at, tree) in trees.clone().enumerate() {
            limit::ask_at(at);
            if plain[at] {
                for block in (0..n).step_by(LANES) {
                    let leaves = tree.leaves(&values, block * d, d);
                    for (row, leaf) in (block..n).zip(leaves) {
                        take(first + row, at, tree.value(&tree.nodes[leaf as usize]));
                    }
                }
            } else {
                for row in first..first + n {
                    take(row, at, tree.answer(x.row(row)));
                }
            }
        }
    }
}

impl Tree {
    /// Whether all its nodes compare with a number.
    fn is_plain(&self) -> bool {
        self.nodes.iter().all(|node| node.rule == Rule::AtMost)
    }

    /// The leaves of [`LANES`] rows of `d` values, which stand one after the other in `values` from `first` on.
    /// Of `values` there is a power of two, so that a row or a feature that is none finds some number there: it
    /// makes no difference at a leaf, and rows beyond the last are left out by who asks.
    fn leaves(&self, values: &[f64], first: usize, d: usize) -> [u32; LANES] {
        let mask = values.len() - 1;
        let mut at = [0_u32; LANES];
        loop {
            let mut open = 0;
            for (lane, at) in at.iter_mut().enumerate() {
                let node = &self.nodes[*at as usize];
                let value = values[(first + lane * d + node.feature as usize) & mask];
                let left = value <= node.threshold;
                let next = node.left + u32::from(!left);
                *at = if node.is_leaf() { *at } else { next };
                open |= node.left;
            }
            if open == 0 {
                return at;
            }
        }
    }

    /// What the leaf answers that a row of features comes to.
    pub(crate) fn answer(&self, row: &[f64]) -> &[f64] {
        let mut node = &self.nodes[0];
        while !node.is_leaf() {
            let value = row[node.feature as usize];
            let left = match node.rule {
                Rule::AtMost => value <= node.threshold,
                Rule::AtMostOrMissing => value <= node.threshold || value.is_nan(),
                Rule::Among => self.set(node).holds(value),
            };
            node = &self.nodes[node.left as usize + usize::from(!left)];
        }
        self.value(node)
    }

    /// What a binned training row is answered: the same as by its features.
    pub(crate) fn answer_to(&self, data: &Binned, row: usize) -> &[f64] {
        let mut node = &self.nodes[0];
        while !node.is_leaf() {
            let feature = node.feature as usize;
            let code = data.codes(feature)[row];
            let left = match node.rule {
                Rule::AtMost => code <= node.code,
                Rule::AtMostOrMissing => code <= node.code || Some(code) == data.missing(feature),
                Rule::Among => has(&self.set(node).codes, code),
            };
            node = &self.nodes[node.left as usize + usize::from(!left)];
        }
        self.value(node)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the threshold of such a node is the set's number"
    )]
    fn set(&self, node: &Node) -> &Set {
        &self.sets[node.threshold as usize]
    }

    /// The numbers of a leaf.
    pub(crate) fn value(&self, leaf: &Node) -> &[f64] {
        let at = leaf.feature as usize * self.width;
        &self.values[at..at + self.width]
    }

    /// Number of leaves.
    pub(crate) fn n_leaves(&self) -> usize {
        self.nodes.len().div_ceil(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A tree by these choices: nodes that split, in the order in which they are made.
    fn grown(splits: &[(usize, u32, i8)], rule: Rule) -> Tree {
        let mut nodes = vec![Node::LEAF];
        for &(at, feature, threshold) in splits {
            let leaves: Vec<usize> = (0..nodes.len()).filter(|&n| nodes[n].is_leaf()).collect();
            let left = u32::try_from(nodes.len()).unwrap();
            nodes[leaves[at % leaves.len()]] = Node {
                threshold: f64::from(threshold),
                feature,
                left,
                code: 0,
                rule,
            };
            nodes.extend([Node::LEAF; 2]);
        }
        let mut values = Vec::new();
        for node in nodes.iter_mut().filter(|node| node.is_leaf()) {
            node.feature = u32::try_from(values.len()).unwrap();
            values.push(values.len() as f64 + 0.1);
        }
        Tree {
            nodes,
            width: 1,
            values,
            sets: Vec::new(),
        }
    }

    proptest! {
        /// Rows in blocks come to the leaves that each comes to alone, missing values too, and their trees in
        /// order: any sum over trees is the same to the last bit.
        #[test]
        fn blocks_of_rows_come_to_the_leaves_of_each_row(
            splits in prop::collection::vec(
                (prop::collection::vec((0_usize..40, 0_u32..3, -3_i8..4), 0..20), any::<bool>()),
                1..5,
            ),
            (rows, seed) in (0_usize..70, any::<u32>()),
        ) {
            let x = Matrix::from_fn(rows, 3, |i, j| {
                let draw = (i * 3 + j).wrapping_mul(seed as usize | 1) % 9;
                if draw == 8 { f64::NAN } else { draw as f64 - 4.0 }
            });
            let trees: Vec<Tree> = splits
                .iter()
                .map(|(splits, missing)| {
                    let rule = if *missing { Rule::AtMostOrMissing } else { Rule::AtMost };
                    grown(splits, rule)
                })
                .collect();
            let mut asked = vec![Vec::new(); rows];
            ask_all(&trees.iter(), &x, |row, tree, answer| asked[row].push((tree, answer[0])));
            for (i, asked) in asked.iter().enumerate() {
                let alone: Vec<(usize, f64)> = trees
                    .iter()
                    .map(|tree| tree.answer(x.row(i))[0])
                    .enumerate()
                    .collect();
                prop_assert_eq!(asked, &alone);
            }
        }
    }

    #[test]
    fn more_rows_than_stay_at_hand_and_more_features_are_asked_in_turn() {
        for (rows, d) in [(3000, 3), (40, 5000), (5, 1)] {
            let x = Matrix::from_fn(rows, d, |i, j| ((i * 7 + j * 3) % 11) as f64 - 5.0);
            let tree = grown(
                &[(0, 0, 1), (1, u32::try_from(d - 1).unwrap(), -1)],
                Rule::AtMost,
            );
            let mut asked = vec![0.0; rows];
            ask_all(&[&tree].into_iter(), &x, |row, _, answer| {
                asked[row] += answer[0];
            });
            let alone: Vec<f64> = (0..rows).map(|i| tree.answer(x.row(i))[0]).collect();
            assert_eq!(asked, alone);
        }
    }
}
