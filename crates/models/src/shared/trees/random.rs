//! The grower of trees that draw the features of every split: no histogram is kept, since the children
//! look at other features.

use counterweight_core::Stream;
use counterweight_core::limit;
use rand::RngExt as _;

use super::bins::Binned;
use super::classes::Classes;
use super::grow::Target as _;
use super::native::{self, Orders, divide};
use super::part::{Moved, number, sort};
use super::search::{Limits, Search, TIE};
use super::tree::{Node, Tree};

/// Nodes of up to this many rows sort them by code.
const FEW: usize = 12;

/// Nodes of up to this many rows visit only the cells of a histogram that are in use.
const SOME: usize = 160;

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

/// Buffers that outlive a tree.
#[derive(Debug, Default)]
pub(crate) struct Room {
    moved: Moved,
    keys: Vec<u16>,
    /// A histogram of one feature, all zero between uses.
    cells: Vec<f64>,
    codes: Vec<u8>,
    orders: Orders,
}

/// Grows a tree on `rows` (ascending, without repeats).
pub(crate) fn grow(
    data: &Binned,
    rows: &mut [u32],
    target: &mut Classes<'_>,
    (limits, draw): (&Limits, &mut Draw),
    room: &mut Room,
) -> Tree {
    let width = target.width();
    let mut search = Search::new(width);
    let mut tree = Tree {
        nodes: vec![Node::LEAF],
        width,
        values: Vec::new(),
        sets: Vec::new(),
    };
    // Nodes that wait, and their cells.
    let mut open = vec![(0, 0..rows.len(), 0)];
    let mut cells = vec![0.0; width];
    room.cells.clear();
    room.cells.resize(256 * width, 0.0);
    target.gather(rows);
    target.sum(rows, &mut cells);
    while let Some((node, range, depth)) = open.pop() {
        limit::ask_at(tree.nodes.len() / 2);
        let own = &mut rows[range.clone()];
        search.total.copy_from_slice(&cells[open.len() * width..]);
        cells.truncate(open.len() * width);
        let mass: f64 = search.total.iter().sum();
        let splits = limits.max_depth.is_none_or(|most| depth < most)
            && mass >= 2.0 * limits.min_mass * (1.0 - TIE)
            && !target.is_pure(&search.total);
        search.best = None;
        let mut threshold = None;
        if splits {
            target.gather(own);
            target.start(&mut search, mass, limits);
            threshold = try_features(data, own, target, draw, (&mut search, room));
        }
        let parted = search.best.and_then(|cut| {
            let to = (&mut room.moved, &mut tree.sets);
            divide(data, own, &cut, tree.nodes.len(), to)
        });
        if let Some((kept, mut split)) = parted {
            split.threshold = threshold.unwrap_or(split.threshold);
            tree.nodes[node] = split;
            let left = tree.nodes.len();
            tree.nodes.extend([Node::LEAF; 2]);
            let middle = range.start + kept;
            open.push((left + 1, middle..range.end, depth + 1));
            open.push((left, range.start..middle, depth + 1));
            for (all, left) in search.total.iter().zip(&search.best_left) {
                // Of a class whose rows are all on the left, rounding may leave a rest.
                let rest = all - left;
                cells.push(if rest > 1e-12 * mass { rest } else { 0.0 });
            }
            cells.extend_from_slice(&search.best_left);
        } else {
            tree.nodes[node].feature = number(tree.values.len() / width);
            target.leaf(&search.total, &mut tree.values);
        }
    }
    tree
}

/// Tries features in a random order on the gathered rows. Gives the threshold of the best cut, where
/// that is not half way between two values.
fn try_features(
    data: &Binned,
    rows: &[u32],
    target: &mut Classes<'_>,
    draw: &mut Draw,
    (search, room): (&mut Search, &mut Room),
) -> Option<f64> {
    let n = number(draw.features.len());
    let mut varies = false;
    let mut threshold = None;
    for tried in 0..draw.features.len() {
        if tried >= draw.per_split && varies {
            break;
        }
        let pick = draw.stream.random_range(number(tried)..n);
        draw.features.swap(tried, pick as usize);
        let j = draw.features[tried];
        if rows.len() > SOME {
            limit::ask();
        }
        let codes = data.codes(j);
        if draw.at_random {
            let share = draw.stream.random();
            let before = search.need;
            if let Some((code, value)) = random_cut(data, j, rows, share, &mut room.codes) {
                varies = true;
                target.offer_cut((j, code), &room.codes, search);
                if search.need > before {
                    threshold = Some(value);
                }
            }
        } else if !data.is_plain(j) {
            let cells = &mut room.cells[..data.bins(j).len() * target.width()];
            target.add(codes, rows, cells);
            varies |= native::sweep(data, j, cells, target, (search, &mut room.orders));
            cells.fill(0.0);
        } else if rows.len() > SOME {
            let cells = &mut room.cells[..data.bins(j).len() * target.width()];
            target.add(codes, rows, cells);
            varies |= target.sweep(cells, j, search);
            cells.fill(0.0);
        } else if rows.len() > FEW {
            varies |= target.sparse((j, codes), rows, &mut room.cells, search);
        } else {
            sort(codes, rows, &mut room.keys);
            if room.keys.first().map(|key| key >> 8) != room.keys.last().map(|key| key >> 8) {
                varies = true;
                target.scan(&room.keys, j, search);
            }
        }
    }
    threshold
}

/// Cuts one feature at this share of the way between its ends in the node: the largest code on the
/// left and the threshold, unless it has one value only. Leaves the rows' codes in `own`.
fn random_cut(
    data: &Binned,
    j: usize,
    rows: &[u32],
    share: f64,
    own: &mut Vec<u8>,
) -> Option<(u8, f64)> {
    let codes = data.codes(j);
    own.clear();
    own.extend(rows.iter().map(|&row| codes[row as usize]));
    let (mut first, mut last) = (u8::MAX, 0);
    for &code in &*own {
        first = first.min(code);
        last = last.max(code);
    }
    if first >= last {
        return None;
    }
    let (first, last) = (usize::from(first), usize::from(last));
    let bins = data.bins(j);
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
    Some((u8::try_from(code).expect("a code is a byte"), threshold))
}
