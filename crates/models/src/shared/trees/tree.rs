//! A grown tree.

use super::bins::Binned;

/// A node: a split when `left` is not 0 (no child is the root), else a leaf.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Node {
    /// Rows with a value of at most this go left; missing values go right.
    pub(crate) threshold: f64,
    /// The feature that is asked; of a leaf, which of the tree's answers is its own.
    pub(crate) feature: u32,
    /// The left child; the right one is the next.
    pub(crate) left: u32,
    /// The largest code that goes left.
    pub(crate) code: u8,
}

impl Node {
    pub(crate) const LEAF: Self = Self {
        threshold: 0.0,
        feature: 0,
        left: 0,
        code: 0,
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
}

impl Tree {
    /// What the leaf answers that a row of features comes to.
    pub(crate) fn answer(&self, row: &[f64]) -> &[f64] {
        let mut node = &self.nodes[0];
        while !node.is_leaf() {
            let left = row[node.feature as usize] <= node.threshold;
            node = &self.nodes[node.left as usize + usize::from(!left)];
        }
        self.value(node)
    }

    /// What a binned training row is answered: the same as by its features.
    pub(crate) fn answer_to(&self, data: &Binned, row: usize) -> &[f64] {
        let mut node = &self.nodes[0];
        while !node.is_leaf() {
            let right = data.codes(node.feature as usize)[row] > node.code;
            node = &self.nodes[node.left as usize + usize::from(right)];
        }
        self.value(node)
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
