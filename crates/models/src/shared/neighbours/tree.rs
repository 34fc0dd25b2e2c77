//! A k-d tree with tight boxes, for data of few intrinsic dimensions.
//!
//! The bound of a box is the direct distance to its nearest point, summed in the order of every direct
//! distance. Rounding is monotone, so in floating point too no row inside is nearer than that, and
//! nothing that belongs in a list is pruned.

use counterweight_core::Matrix;

use super::{Nearest, Neighbour};
use counterweight_numeric::linalg::squared_distance;

/// Most rows in a leaf.
const LEAF: usize = 16;

/// The tree.
#[derive(Debug)]
pub(super) struct Tree {
    /// The rows in the order of the leaves.
    rows: Matrix,
    /// Their numbers.
    numbers: Vec<usize>,
    /// The root comes first; the children of a node follow it, left before right.
    nodes: Vec<Node>,
    /// Lower and upper corner of each node's box.
    corners: Vec<f64>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    start: usize,
    end: usize,
    /// The least row number inside: with the bound it decides ties.
    least: usize,
    /// Children; 0 for a leaf, since the root is nobody's child.
    left: usize,
    right: usize,
}

/// Whose child a node is, and whether the left one.
type Child = (usize, bool);

impl Tree {
    /// Builds over at least one row. O(n d log n).
    pub(super) fn new(x: &Matrix) -> Self {
        let mut numbers: Vec<usize> = (0..x.rows()).collect();
        let mut nodes: Vec<Node> = Vec::new();
        let mut corners = Vec::new();
        // Nodes are made when they are taken off the stack, and then tell their parent.
        let mut stack: Vec<(usize, usize, Option<Child>)> = vec![(0, x.rows(), None)];
        while let Some((start, end, parent)) = stack.pop() {
            let at = nodes.len();
            let inside = &mut numbers[start..end];
            let mut low = vec![f64::INFINITY; x.cols()];
            let mut high = vec![f64::NEG_INFINITY; x.cols()];
            for &row in inside.iter() {
                for (j, &v) in x.row(row).iter().enumerate() {
                    low[j] = low[j].min(v);
                    high[j] = high[j].max(v);
                }
            }
            nodes.push(Node {
                start,
                end,
                least: inside.iter().copied().min().unwrap_or(usize::MAX),
                left: 0,
                right: 0,
            });
            match parent {
                Some((parent, true)) => nodes[parent].left = at,
                Some((parent, false)) => nodes[parent].right = at,
                None => {}
            }
            let widest = (0..x.cols())
                .map(|j| (high[j] - low[j], j))
                .fold((f64::NEG_INFINITY, 0), |top, side| {
                    if side.0 > top.0 { side } else { top }
                })
                .1;
            corners.extend(low);
            corners.extend(high);
            if end - start > LEAF {
                let half = (end - start) / 2;
                inside.select_nth_unstable_by(half, |&a, &b| {
                    x.at(a, widest).total_cmp(&x.at(b, widest)).then(a.cmp(&b))
                });
                stack.push((start + half, end, Some((at, false))));
                stack.push((start, start + half, Some((at, true))));
            }
        }
        for node in nodes.iter().filter(|node| node.left == 0) {
            // By number, so that the first of equal rows is found first.
            numbers[node.start..node.end].sort_unstable();
        }
        Self {
            rows: x.select_rows(&numbers),
            numbers,
            nodes,
            corners,
        }
    }

    /// The k nearest rows of each query.
    pub(super) fn nearest(&self, queries: &Matrix, k: usize) -> Vec<Nearest> {
        let mut corner = vec![0.0; queries.cols()];
        queries
            .iter_rows()
            .map(|query| {
                let mut list = Nearest::new(k);
                let mut stack = vec![(self.bound(0, query, &mut corner), 0)];
                while let Some((bound, at)) = stack.pop() {
                    // Also when every distance overflows: the list then stays short and says so.
                    if bound > list.limit() {
                        continue;
                    }
                    let node = self.nodes[at];
                    if node.left == 0 {
                        for i in node.start..node.end {
                            list.offer(query, self.rows.row(i), self.numbers[i]);
                        }
                        continue;
                    }
                    list.looked_at += 2;
                    let left = (self.bound(node.left, query, &mut corner), node.left);
                    let right = (self.bound(node.right, query, &mut corner), node.right);
                    // The nearer side is taken off first.
                    if left.0 <= right.0 {
                        stack.extend([right, left]);
                    } else {
                        stack.extend([left, right]);
                    }
                }
                list
            })
            .collect()
    }

    /// No (squared distance, row) of the node is less.
    fn bound(&self, at: usize, query: &[f64], corner: &mut [f64]) -> Neighbour {
        let d = query.len();
        let (low, high) = self.corners[2 * at * d..2 * (at + 1) * d].split_at(d);
        for (j, nearest) in corner.iter_mut().enumerate() {
            *nearest = query[j].max(low[j]).min(high[j]);
        }
        (squared_distance(query, corner), self.nodes[at].least)
    }
}
