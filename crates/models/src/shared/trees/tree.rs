//! A grown tree.

use super::bins::Binned;

/// A node: a split when `left` is not 0 (no child is the root), else a leaf.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Node {
    /// Rows with a value of at most this go left; missing values go right.
    pub(crate) threshold: f64,
    /// The feature that is asked.
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
}

/// A tree whose nodes carry `width` numbers each.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    /// Numbers of each node.
    pub(crate) width: usize,
    /// `width` numbers a node: those of inner nodes are what they would have as leaves.
    pub(crate) values: Vec<f64>,
}

impl Tree {
    /// The leaf that a row of features comes to.
    pub(crate) fn leaf(&self, row: &[f64]) -> usize {
        let mut at = 0;
        loop {
            let node = self.nodes[at];
            if node.left == 0 {
                return at;
            }
            let left = row[node.feature as usize] <= node.threshold;
            at = node.left as usize + usize::from(!left);
        }
    }

    /// The leaf that a binned training row comes to: the same as by its features.
    pub(crate) fn leaf_of(&self, data: &Binned, row: usize) -> usize {
        let mut at = 0;
        loop {
            let node = self.nodes[at];
            if node.left == 0 {
                return at;
            }
            let right = data.codes(node.feature as usize)[row] > node.code;
            at = node.left as usize + usize::from(right);
        }
    }

    /// The numbers of a node.
    pub(crate) fn value(&self, node: usize) -> &[f64] {
        &self.values[node * self.width..(node + 1) * self.width]
    }

    /// Number of leaves.
    pub(crate) fn n_leaves(&self) -> usize {
        self.nodes.len().div_ceil(2)
    }
}
