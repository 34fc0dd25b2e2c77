//! The grower of one tree.

use std::ops::Range;

use counterweight_core::Stream;
use rand::RngExt as _;

use super::bins::Binned;
use super::targets::{self, Swept, TIE, Target, slack};
use super::tree::{Node, Tree};

/// Nodes of up to this many rows sort them by code: a histogram has more cells than they have rows.
const FEW: usize = 64;

/// Weight below this share of the node's is a rounding error of a histogram difference, not a row.
const NOTHING: f64 = 1e-12;

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limits {
    /// Most leaves; the leaf with the largest gain is split first. `None`: as many as there are.
    pub(crate) max_leaves: Option<usize>,
    /// Most splits between the root and a leaf.
    pub(crate) max_depth: Option<usize>,
    /// Least weighted rows of a leaf.
    pub(crate) min_mass: f64,
    /// Least gain of a split; `None` takes splits that gain nothing too (the first split of an
    /// exclusive or gains nothing).
    pub(crate) min_gain: Option<f64>,
}

/// Which features a split may use.
#[derive(Debug)]
pub(crate) enum Features<'a> {
    /// All of these, ascending.
    All(&'a [usize]),
    /// Some of these, drawn anew for each split.
    Drawn(&'a mut Draw),
}

/// How a split draws its features.
#[derive(Debug)]
pub(crate) struct Draw {
    /// What is drawn from; the order changes with every draw.
    pub(crate) features: Vec<usize>,
    /// How many are tried; more, while those tried have one value only in the node.
    pub(crate) per_split: usize,
    /// Whether a feature is cut at a random value between its ends in the node, not at the best.
    pub(crate) at_random: bool,
    pub(crate) stream: Stream,
}

/// The best cut found so far.
#[derive(Clone, Copy, Debug)]
struct Cut {
    gain: f64,
    feature: usize,
    code: usize,
    threshold: f64,
}

/// A leaf that can be split.
#[derive(Debug)]
struct Open {
    node: usize,
    depth: usize,
    cut: Cut,
    cells: Option<Vec<f64>>,
}

/// A tree as it was grown, with the sums of its nodes.
#[derive(Debug)]
pub(crate) struct Grown {
    pub(crate) nodes: Vec<Node>,
    /// The cell of each node, summed over its rows.
    pub(crate) totals: Vec<f64>,
    /// Where each node's rows stand.
    pub(crate) ranges: Vec<Range<usize>>,
}

impl Grown {
    /// The tree with the target's answers.
    pub(crate) fn tree<T: Target>(&self, target: &T) -> Tree {
        let mut values = Vec::new();
        for cell in self.totals.chunks_exact(target.width()) {
            target.leaf(cell, &mut values);
        }
        Tree {
            width: values.len() / self.nodes.len(),
            nodes: self.nodes.clone(),
            values,
        }
    }
}

/// Grows a tree on `rows` (ascending, without repeats), which are left in the order of the leaves.
pub(crate) fn grow<T: Target>(
    data: &Binned,
    rows: &mut [u32],
    target: &mut T,
    limits: &Limits,
    features: &mut Features<'_>,
) -> Grown {
    let width = target.width();
    let mut grower = Grower {
        width,
        sweep: Sweep {
            data,
            limits,
            left: vec![0.0; width],
            right: vec![0.0; width],
            total: vec![0.0; width],
            score: 0.0,
            best: None,
        },
        data,
        limits,
        target,
        features,
        keys: Vec::new(),
        scratch: Vec::new(),
        spare: Vec::new(),
        grown: Grown {
            nodes: Vec::new(),
            totals: Vec::new(),
            ranges: Vec::new(),
        },
    };
    grower.run(rows);
    grower.grown
}

#[derive(Debug)]
struct Grower<'a, 'b, T> {
    data: &'a Binned,
    limits: &'a Limits,
    target: &'a mut T,
    features: &'a mut Features<'b>,
    width: usize,
    sweep: Sweep<'a>,
    /// Code and place of each row of a small node.
    keys: Vec<u16>,
    scratch: Vec<f64>,
    /// Histograms out of use.
    spare: Vec<Vec<f64>>,
    grown: Grown,
}

impl<T: Target> Grower<'_, '_, T> {
    fn run(&mut self, rows: &mut [u32]) {
        let mut moved = Vec::with_capacity(rows.len());
        let mut open: Vec<Open> = Vec::new();
        self.leaf(0..rows.len(), rows);
        let mut n_leaves = 1;
        if self.is_full(1) {
            return;
        }
        if self.may_split(0, 0) {
            let cells = self.histogram(rows);
            open.extend(self.consider(0, 0, rows, cells));
        }
        while let Some(next) = self.next(&open) {
            let Open {
                node,
                depth,
                cut,
                cells,
            } = open.remove(next);
            let range = self.grown.ranges[node].clone();
            let codes = self.data.codes(cut.feature);
            let kept = part(&mut rows[range.clone()], codes, cut.code, &mut moved);
            let middle = range.start + kept;
            let left = self.grown.nodes.len();
            self.grown.nodes[node] = Node {
                threshold: cut.threshold,
                feature: number(cut.feature),
                left: number(left),
                code: u8::try_from(cut.code).expect("a code is a byte"),
            };
            let parts = [range.start..middle, middle..range.end];
            for side in &parts {
                self.leaf(side.clone(), &rows[side.clone()]);
            }
            n_leaves += 1;
            if self.is_full(n_leaves) {
                break;
            }
            let goes_on = [0, 1].map(|side| self.may_split(left + side, depth + 1));
            let mut both = self.children(&parts, rows, goes_on, cells);
            for side in [0, 1] {
                if goes_on[side] {
                    let rows = &rows[parts[side].clone()];
                    let cells = both[side].take();
                    open.extend(self.consider(left + side, depth + 1, rows, cells));
                }
            }
        }
    }

    /// Adds a leaf with these rows.
    fn leaf(&mut self, range: Range<usize>, rows: &[u32]) {
        let at = self.grown.totals.len();
        self.grown.totals.resize(at + self.width, 0.0);
        self.target.sum(rows, &mut self.grown.totals[at..]);
        self.grown.nodes.push(Node::LEAF);
        self.grown.ranges.push(range);
    }

    fn is_full(&self, n_leaves: usize) -> bool {
        self.limits.max_leaves.is_some_and(|most| n_leaves >= most)
    }

    fn may_split(&self, node: usize, depth: usize) -> bool {
        let cell = &self.grown.totals[node * self.width..(node + 1) * self.width];
        self.limits.max_depth.is_none_or(|most| depth < most)
            && self.target.mass(cell) >= 2.0 * self.limits.min_mass * (1.0 - TIE)
            && !self.target.is_pure(cell)
    }

    /// The open leaf to split next.
    fn next(&self, open: &[Open]) -> Option<usize> {
        let last = open.len().checked_sub(1)?;
        if self.limits.max_leaves.is_none() {
            return Some(last);
        }
        let mut best = 0;
        for (at, leaf) in open.iter().enumerate() {
            let top = open[best].cut.gain;
            if leaf.cut.gain > top + TIE * top.abs() {
                best = at;
            }
        }
        Some(best)
    }

    /// Histograms of two children, as far as they are needed. Only the smaller one is counted; the
    /// other is what is left of the parent's.
    fn children(
        &mut self,
        parts: &[Range<usize>; 2],
        rows: &[u32],
        goes_on: [bool; 2],
        parent: Option<Vec<f64>>,
    ) -> [Option<Vec<f64>>; 2] {
        let mut both = [None, None];
        let Some(mut cells) = parent else {
            return both;
        };
        let small = usize::from(parts[1].len() < parts[0].len());
        let large = 1 - small;
        let wanted = [0, 1].map(|side| goes_on[side] && parts[side].len() > FEW);
        if !wanted[large] {
            self.spare.push(cells);
            if wanted[small] {
                both[small] = self.histogram(&rows[parts[small].clone()]);
            }
            return both;
        }
        let counted = self.count(&rows[parts[small].clone()]);
        for (sum, part) in cells.iter_mut().zip(&counted) {
            *sum -= part;
        }
        both[large] = Some(cells);
        if wanted[small] {
            both[small] = Some(counted);
        } else {
            self.spare.push(counted);
        }
        both
    }

    /// The histogram of a node over all features; none where a split draws its features or where the
    /// rows are few.
    fn histogram(&mut self, rows: &[u32]) -> Option<Vec<f64>> {
        let all = matches!(self.features, Features::All(_));
        (all && rows.len() > FEW).then(|| self.count(rows))
    }

    fn count(&mut self, rows: &[u32]) -> Vec<f64> {
        let mut cells = self.spare.pop().unwrap_or_default();
        cells.clear();
        cells.resize(self.data.n_cells() * self.width, 0.0);
        if let Features::All(all) = self.features {
            self.target.gather(rows);
            for &j in *all {
                let own = self.data.cells(j);
                let own = &mut cells[own.start * self.width..own.end * self.width];
                self.target.add(self.data.codes(j), rows, own);
            }
        }
        cells
    }

    /// Looks for the best cut of a leaf.
    fn consider(
        &mut self,
        node: usize,
        depth: usize,
        rows: &[u32],
        cells: Option<Vec<f64>>,
    ) -> Option<Open> {
        let at = node * self.width;
        let total = &self.grown.totals[at..at + self.width];
        self.sweep.total.copy_from_slice(total);
        self.sweep.score = self.target.score(total);
        self.sweep.best = None;
        if let (Some(cells), Features::All(all)) = (&cells, &*self.features) {
            for &j in *all {
                let own = self.data.cells(j);
                let own = &cells[own.start * self.width..own.end * self.width];
                self.sweep.cells(own, j, &*self.target);
            }
        } else {
            self.target.gather(rows);
            self.try_features(rows);
        }
        if let Some(cut) = self.sweep.best {
            return Some(Open {
                node,
                depth,
                cut,
                cells,
            });
        }
        self.spare.extend(cells);
        None
    }

    /// Tries all features, or some in a random order, on the gathered rows.
    fn try_features(&mut self, rows: &[u32]) {
        let n = match &*self.features {
            Features::All(all) => all.len(),
            Features::Drawn(draw) => draw.features.len(),
        };
        let mut varies = false;
        for tried in 0..n {
            match &mut *self.features {
                Features::All(all) => {
                    let j = all[tried];
                    self.feature(j, rows);
                }
                Features::Drawn(draw) => {
                    if tried >= draw.per_split && varies {
                        break;
                    }
                    let pick = draw.stream.random_range(tried..n);
                    draw.features.swap(tried, pick);
                    let j = draw.features[tried];
                    varies |= if draw.at_random {
                        let share = draw.stream.random();
                        self.random_cut(j, rows, share)
                    } else {
                        self.feature(j, rows)
                    };
                }
            }
        }
    }

    /// Looks for the best cut of one feature by the gathered rows; whether it has more than one value.
    fn feature(&mut self, j: usize, rows: &[u32]) -> bool {
        let codes = self.data.codes(j);
        if rows.len() > FEW {
            self.scratch.clear();
            self.scratch
                .resize(self.data.bins(j).len() * self.width, 0.0);
            self.target.add(codes, rows, &mut self.scratch);
            return self.sweep.cells(&self.scratch, j, &*self.target);
        }
        self.keys.clear();
        self.keys.extend(
            (0_u16..)
                .zip(rows)
                .map(|(at, &row)| (u16::from(codes[row as usize]) << 8) | at),
        );
        self.keys.sort_unstable();
        self.sweep.left.fill(0.0);
        let mut last: Option<usize> = None;
        let mut varies = false;
        for key in &self.keys {
            let code = usize::from(key >> 8);
            if let Some(last) = last
                && last != code
            {
                varies = true;
                self.sweep.boundary(j, last, code, &*self.target);
            }
            self.target
                .add_one(usize::from(key & 255), &mut self.sweep.left);
            last = Some(code);
        }
        varies
    }

    /// Cuts one feature at this share of the way between its ends in the node; whether it has two
    /// values.
    fn random_cut(&mut self, j: usize, rows: &[u32], share: f64) -> bool {
        let codes = self.data.codes(j);
        let (mut first, mut last) = (u8::MAX, 0);
        for &row in rows {
            let code = codes[row as usize];
            first = first.min(code);
            last = last.max(code);
        }
        let (first, last) = (usize::from(first), usize::from(last));
        if first >= last {
            return false;
        }
        let bins = self.data.bins(j);
        let (low, high) = bins.span(first, last);
        let value = low * (1.0 - share) + high * share;
        // Missing values have no place between numbers: they part from all numbers.
        let code = if value.is_nan() {
            last - 1
        } else {
            bins.last_at_most(value)
                .unwrap_or(first)
                .clamp(first, last - 1)
        };
        // Inside a bin no value parts its rows: the cut moves to the bin's end.
        let apart = bins.span(code, code).1 <= value && bins.span(code + 1, code + 1).0 > value;
        let threshold = if apart {
            value
        } else {
            bins.between(code, code + 1)
        };
        self.sweep.left.fill(0.0);
        for (at, &row) in rows.iter().enumerate() {
            if usize::from(codes[row as usize]) <= code {
                self.target.add_one(at, &mut self.sweep.left);
            }
        }
        let cut = Cut {
            gain: 0.0,
            feature: j,
            code,
            threshold,
        };
        self.sweep.offer(cut, &*self.target);
        true
    }
}

/// The search for the best cut of a node.
#[derive(Debug)]
struct Sweep<'a> {
    data: &'a Binned,
    limits: &'a Limits,
    left: Vec<f64>,
    right: Vec<f64>,
    total: Vec<f64>,
    /// Score of the node as a leaf.
    score: f64,
    best: Option<Cut>,
}

impl Sweep<'_> {
    /// Sweeps the cells of a feature; whether more than one has rows.
    fn cells<T: Target>(&mut self, cells: &[f64], j: usize, target: &T) -> bool {
        let nothing = NOTHING * target.mass(&self.total);
        let node = targets::Node {
            total: &self.total,
            score: self.score,
            least: self.limits.min_mass * (1.0 - TIE),
            nothing,
            floor: self.floor(),
        };
        if let Some(Swept { varies, best }) = target.sweep(cells, &node) {
            if let Some((gain, code, next)) = best {
                self.best = Some(Cut {
                    gain,
                    feature: j,
                    code,
                    threshold: self.data.bins(j).between(code, next),
                });
            }
            return varies;
        }
        self.left.fill(0.0);
        let mut last: Option<usize> = None;
        let mut varies = false;
        for (code, cell) in cells.chunks_exact(target.width()).enumerate() {
            if target.mass(cell) <= nothing {
                continue;
            }
            if let Some(last) = last {
                varies = true;
                if !self.boundary(j, last, code, target) {
                    break;
                }
            }
            for (sum, v) in self.left.iter_mut().zip(cell) {
                *sum += v;
            }
            last = Some(code);
        }
        varies
    }

    /// What a gain has to exceed.
    #[inline]
    fn floor(&self) -> f64 {
        let least = self.limits.min_gain.unwrap_or(f64::NEG_INFINITY);
        self.best.map_or(least, |best| best.gain)
    }

    /// Offers the cut between two codes that have rows; whether cuts further on can be admissible.
    #[inline]
    fn boundary<T: Target>(&mut self, j: usize, last: usize, next: usize, target: &T) -> bool {
        let cut = Cut {
            gain: 0.0,
            feature: j,
            code: last,
            threshold: f64::NAN,
        };
        let goes_on = self.offer(cut, target);
        if let Some(best) = &mut self.best
            && best.threshold.is_nan()
        {
            best.threshold = self.data.bins(j).between(last, next);
        }
        goes_on
    }

    /// Takes the cut that has the rows of `left` on its left, if it is the best so far.
    #[inline]
    fn offer<T: Target>(&mut self, cut: Cut, target: &T) -> bool {
        let least = self.limits.min_mass * (1.0 - TIE);
        for ((right, total), left) in self.right.iter_mut().zip(&self.total).zip(&self.left) {
            *right = total - left;
        }
        if target.mass(&self.right) < least {
            return false;
        }
        if target.mass(&self.left) < least
            || !target.admits(&self.left)
            || !target.admits(&self.right)
        {
            return true;
        }
        let scores = target.score(&self.left) + target.score(&self.right);
        let gain = scores - self.score;
        let floor = self.floor();
        if gain > floor && gain > floor + slack(scores, self.score) {
            self.best = Some(Cut { gain, ..cut });
        }
        true
    }
}

/// Moves the rows with a code of at most `code` to the front, both parts in their order; their number.
fn part(rows: &mut [u32], codes: &[u8], code: usize, moved: &mut Vec<u32>) -> usize {
    moved.clear();
    let mut kept = 0;
    for at in 0..rows.len() {
        let row = rows[at];
        if usize::from(codes[row as usize]) <= code {
            rows[kept] = row;
            kept += 1;
        } else {
            moved.push(row);
        }
    }
    rows[kept..].copy_from_slice(moved);
    kept
}

fn number(at: usize) -> u32 {
    u32::try_from(at).expect("fewer nodes and features than 2^32")
}
