//! The grower of trees that look at every feature in every split: histograms, each split counting the
//! smaller side only.

use counterweight_core::limit;
use std::ops::Range;

use super::bins::Binned;
use super::native::{self, Orders, Set, divide};
use super::part::{Moved, number, sort};
use super::search::{Cut, Limits, Search, TIE};
use super::tree::{Node, Tree};

/// Nodes of up to this many rows sort them by code: a histogram has more cells than they have rows.
pub(super) const FEW: usize = 64;

/// Of more rows than this a histogram takes so long that it asks for the time.
const MANY: usize = 4096;

/// What the rows of a node are for a grower: they are described by a few numbers that add up (a cell),
/// and the best cut has the largest score of its two sides.
pub(crate) trait Target {
    /// Numbers of a cell.
    fn width(&self) -> usize;

    /// Puts the numbers of these rows in order, for what follows.
    fn gather(&mut self, rows: &[u32]);

    /// Adds up the gathered rows and gives their weight.
    fn sum(&self, rows: &[u32], cell: &mut [f64]) -> f64;

    /// Whether the cell of one child may be had as the difference of the others'.
    fn differences_are_exact(&self) -> bool;

    /// Adds the gathered `rows` to the cells of a feature, each to the cell of its code. There are 256
    /// cells, of which those beyond the feature's bins stay as they are.
    fn add(&self, codes: &[u8], rows: &[u32], cells: &mut [f64]);

    /// Begins a search: `search.total` is the node's cell, `mass` its weight.
    fn start(&self, search: &mut Search, mass: f64, limits: &Limits);

    /// Whether there is nothing left to gain from splitting.
    fn is_pure(&self, cell: &[f64]) -> bool;

    /// In how many orders the levels of a nominal feature are cut.
    fn orders(&self) -> usize;

    /// Where a level with this cell stands in an order; `None` for a level without rows.
    fn place(&self, cell: &[f64], by: usize, search: &Search) -> Option<f64>;

    /// The numbers that a leaf with this cell answers, appended to `values`.
    fn leaf(&self, cell: &[f64], values: &mut Vec<f64>);

    /// Offers every cut between the cells of a feature; whether more than one has rows.
    fn sweep(&self, cells: &[f64], feature: usize, search: &mut Search) -> bool;

    /// Sweeps several features, one after the other.
    fn sweep_each<'c>(
        &mut self,
        features: &[usize],
        cells: impl Fn(usize) -> &'c [f64],
        search: &mut Search,
    ) {
        for &feature in features {
            self.sweep(cells(feature), feature, search);
        }
    }

    /// As `sweep`, for the gathered rows in the order of `keys`: a code and a place each.
    fn scan(&mut self, keys: &[u16], feature: usize, search: &mut Search);
}

/// The first 256 of some cells: a code needs no check there.
pub(super) fn fixed<T>(cells: &mut [T]) -> &mut [T; 256] {
    cells
        .first_chunk_mut()
        .expect("histograms end with 256 cells to spare")
}

/// A tree as it was grown.
#[derive(Debug)]
pub(crate) struct Grown {
    pub(crate) nodes: Vec<Node>,
    /// The cell of each node.
    pub(crate) totals: Vec<f64>,
    /// Where each node's rows stand.
    pub(crate) ranges: Vec<Range<usize>>,
    /// Levels that go left, for the nodes that part by them.
    pub(crate) sets: Vec<Set>,
}

impl Grown {
    /// The tree with the target's answers; its leaves stand in the order of the nodes.
    pub(crate) fn tree<T: Target>(&self, target: &T) -> Tree {
        let mut nodes = self.nodes.clone();
        let mut values = Vec::new();
        let cells = self.totals.chunks_exact(target.width());
        let leaves = nodes.iter_mut().zip(cells).filter(|(n, _)| n.is_leaf());
        for (at, (leaf, cell)) in leaves.enumerate() {
            leaf.feature = number(at);
            target.leaf(cell, &mut values);
        }
        let leaves = nodes.len().div_ceil(2);
        Tree {
            width: values.len() / leaves,
            nodes,
            values,
            sets: self.sets.clone(),
        }
    }

    /// Without the nodes that no row can come to any more, since a node above them became a leaf.
    pub(crate) fn compact(&self) -> Self {
        let width = self.totals.len() / self.nodes.len();
        let mut sources = vec![0];
        let mut nodes = Vec::new();
        while let Some(&source) = sources.get(nodes.len()) {
            let mut node = self.nodes[source];
            if !node.is_leaf() {
                let left = node.left as usize;
                node.left = number(sources.len());
                sources.extend([left, left + 1]);
            }
            nodes.push(node);
        }
        let cell = |&at: &usize| self.totals[at * width..(at + 1) * width].iter().copied();
        Self {
            nodes,
            totals: sources.iter().flat_map(cell).collect(),
            ranges: sources.iter().map(|&at| self.ranges[at].clone()).collect(),
            sets: self.sets.clone(),
        }
    }
}

/// A leaf that can be split.
#[derive(Debug)]
struct Open {
    node: usize,
    depth: usize,
    cut: Cut,
    cells: Option<Vec<f64>>,
}

/// Buffers that outlive a tree.
#[derive(Debug, Default)]
pub(crate) struct Room {
    /// Histograms out of use.
    spare: Vec<Vec<f64>>,
    moved: Moved,
    keys: Vec<u16>,
    orders: Orders,
    /// A histogram of one feature.
    cells: Vec<f64>,
}

/// Grows a tree on `rows` (ascending, without repeats) by the splits of `features` (ascending). The
/// rows are left in the order of the leaves.
pub(crate) fn grow<T: Target>(
    data: &Binned,
    rows: &mut [u32],
    target: &mut T,
    (limits, features): (&Limits, &[usize]),
    room: &mut Room,
) -> Grown {
    let mut grower = Grower {
        width: target.width(),
        search: Search::new(target.width()),
        data,
        limits,
        target,
        features,
        room,
        masses: Vec::new(),
        grown: Grown {
            nodes: Vec::new(),
            totals: Vec::new(),
            ranges: Vec::new(),
            sets: Vec::new(),
        },
    };
    grower.run(rows);
    grower.grown
}

#[derive(Debug)]
struct Grower<'a, T> {
    data: &'a Binned,
    limits: &'a Limits,
    target: &'a mut T,
    features: &'a [usize],
    width: usize,
    search: Search,
    room: &'a mut Room,
    /// Weight of each node.
    masses: Vec<f64>,
    grown: Grown,
}

impl<T: Target> Grower<'_, T> {
    fn run(&mut self, rows: &mut [u32]) {
        let mut open: Vec<Open> = Vec::new();
        self.target.gather(rows);
        self.push(0..rows.len());
        self.sum(0, rows);
        let mut n_leaves = 1;
        if self.is_full(n_leaves) {
            return;
        }
        if self.may_split(0, 0) {
            let cells = (rows.len() > FEW).then(|| self.count(rows));
            open.extend(self.consider(0, 0, rows, cells));
        }
        while let Some(next) = self.next(&open) {
            limit::ask();
            let leaf = open.swap_remove(next);
            let range = self.grown.ranges[leaf.node].clone();
            let own = &mut rows[range.clone()];
            let left = self.grown.nodes.len();
            let to = (&mut self.room.moved, &mut self.grown.sets);
            let Some((kept, node)) = divide(self.data, own, &leaf.cut, left, to) else {
                self.room.spare.extend(leaf.cells);
                continue;
            };
            let middle = range.start + kept;
            self.grown.nodes[leaf.node] = node;
            self.push(range.start..middle);
            self.push(middle..range.end);
            n_leaves += 1;
            let full = self.is_full(n_leaves);
            let [a, b] = self.children(&leaf, left, rows, full);
            open.extend(a);
            open.extend(b);
            if full {
                return;
            }
        }
    }

    /// Adds a leaf with the rows of this range and no sum yet.
    fn push(&mut self, range: Range<usize>) {
        self.grown.nodes.push(Node::LEAF);
        self.grown.ranges.push(range);
        self.masses.push(0.0);
        let end = self.grown.totals.len() + self.width;
        self.grown.totals.resize(end, 0.0);
    }

    /// The sum of a node whose rows are gathered.
    fn sum(&mut self, node: usize, rows: &[u32]) {
        let cell = &mut self.grown.totals[node * self.width..(node + 1) * self.width];
        self.masses[node] = self.target.sum(rows, cell);
    }

    fn is_full(&self, n_leaves: usize) -> bool {
        self.limits.max_leaves.is_some_and(|most| n_leaves >= most)
    }

    fn may_split(&self, node: usize, depth: usize) -> bool {
        let cell = &self.grown.totals[node * self.width..(node + 1) * self.width];
        self.limits.max_depth.is_none_or(|most| depth < most)
            && self.masses[node] >= 2.0 * self.limits.min_mass * (1.0 - TIE)
            && !self.target.is_pure(cell)
    }

    /// The open leaf to split next: that of the largest gain, the earlier one on a tie.
    fn next(&self, open: &[Open]) -> Option<usize> {
        let last = open.len().checked_sub(1)?;
        if self.limits.max_leaves.is_none() {
            return Some(last);
        }
        let mut best = 0;
        for (at, leaf) in open.iter().enumerate() {
            let (top, node) = (open[best].cut.gain, open[best].node);
            let slack = TIE * top.abs();
            if leaf.cut.gain > top + slack || (leaf.cut.gain >= top - slack && leaf.node < node) {
                best = at;
            }
        }
        Some(best)
    }

    /// Sums of the two children, and their best cuts if the tree is not full. Only the smaller child is
    /// counted; the histogram of the other is what is left of the parent's.
    fn children(
        &mut self,
        parent: &Open,
        left: usize,
        rows: &[u32],
        full: bool,
    ) -> [Option<Open>; 2] {
        let size = |node: usize| self.grown.ranges[node].len();
        let small = left + usize::from(size(left + 1) < size(left));
        let large = 2 * left + 1 - small;
        let parts = [small, large].map(|node| &rows[self.grown.ranges[node].clone()]);
        self.target.gather(parts[0]);
        self.sum(small, parts[0]);
        let exact = self.target.differences_are_exact();
        if exact {
            for k in 0..self.width {
                let rest = self.grown.totals[parent.node * self.width + k]
                    - self.grown.totals[small * self.width + k];
                self.grown.totals[large * self.width + k] = rest;
            }
            self.masses[large] = self.masses[parent.node] - self.masses[small];
        }
        let depth = parent.depth + 1;
        let mut found = [None, None];
        let mut histogram = None;
        let split_small = !full && self.may_split(small, depth);
        // Whether the large one is split is known only by its sum.
        let mut split_large = !full && (!exact || self.may_split(large, depth));
        if let Some(cells) = &parent.cells
            && split_large
            && parts[1].len() > FEW
        {
            let counted = self.count(parts[0]);
            let mut rest = self.room.spare.pop().unwrap_or_default();
            rest.clear();
            rest.extend(cells.iter().zip(&counted).map(|(all, part)| all - part));
            histogram = Some(rest);
            if split_small && parts[0].len() > FEW {
                found[small - left] = self.consider(small, depth, parts[0], Some(counted));
            } else {
                self.room.spare.push(counted);
                if split_small {
                    found[small - left] = self.consider(small, depth, parts[0], None);
                }
            }
        } else if split_small {
            let cells = (parts[0].len() > FEW).then(|| self.count(parts[0]));
            found[small - left] = self.consider(small, depth, parts[0], cells);
        }
        let gathers = !exact || (split_large && histogram.is_none());
        if gathers {
            self.target.gather(parts[1]);
        }
        if !exact {
            self.sum(large, parts[1]);
            split_large = !full && self.may_split(large, depth);
        }
        if split_large {
            found[large - left] = self.consider(large, depth, parts[1], histogram);
        } else {
            self.room.spare.extend(histogram);
        }
        found
    }

    /// The histogram of the gathered rows.
    fn count(&mut self, rows: &[u32]) -> Vec<f64> {
        let mut cells = self.room.spare.pop().unwrap_or_default();
        cells.clear();
        // A code may always be looked up in 256 cells.
        cells.resize((self.data.n_cells() + 256) * self.width, 0.0);
        for &j in self.features {
            if rows.len() > MANY {
                limit::ask();
            }
            let own = &mut cells[self.data.cells(j).start * self.width..];
            self.target.add(self.data.codes(j), rows, own);
        }
        cells
    }

    /// Looks for the best cut of a leaf, by its histogram or by its gathered rows.
    fn consider(
        &mut self,
        node: usize,
        depth: usize,
        rows: &[u32],
        cells: Option<Vec<f64>>,
    ) -> Option<Open> {
        let at = node * self.width;
        let total = &self.grown.totals[at..at + self.width];
        self.search.total.copy_from_slice(total);
        self.target
            .start(&mut self.search, self.masses[node], self.limits);
        if let Some(cells) = &cells {
            let (data, width) = (self.data, self.width);
            let own = |j: usize| {
                let own = data.cells(j);
                &cells[own.start * width..own.end * width]
            };
            // In the order of the features, since the first of equal cuts is taken.
            for alike in self
                .features
                .chunk_by(|&a, &b| data.is_plain(a) && data.is_plain(b))
            {
                if data.is_plain(alike[0]) {
                    self.target.sweep_each(alike, own, &mut self.search);
                } else {
                    let with = (&mut self.search, &mut self.room.orders);
                    native::sweep(data, alike[0], own(alike[0]), &*self.target, with);
                }
            }
        } else {
            for &j in self.features {
                if !self.data.is_plain(j) {
                    self.room.cells.clear();
                    self.room.cells.resize(256 * self.width, 0.0);
                    let codes = self.data.codes(j);
                    self.target.add(codes, rows, &mut self.room.cells);
                    let own = &self.room.cells[..self.data.bins(j).len() * self.width];
                    let with = (&mut self.search, &mut self.room.orders);
                    native::sweep(self.data, j, own, &*self.target, with);
                    continue;
                }
                sort(self.data.codes(j), rows, &mut self.room.keys);
                self.target.scan(&self.room.keys, j, &mut self.search);
            }
        }
        if let Some(cut) = self.search.best {
            return Some(Open {
                node,
                depth,
                cut,
                cells,
            });
        }
        self.room.spare.extend(cells);
        None
    }
}
