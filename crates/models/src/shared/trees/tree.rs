//! A grown tree.

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

impl Tree {
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
