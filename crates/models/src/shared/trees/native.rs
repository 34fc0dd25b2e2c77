//! Features as they are: missing values, which may go to either side of a split, and nominal levels,
//! which part into any two sets.
//!
//! A sweep over cells in another order finds these cuts too. Missing values stand after all numbers and
//! before them. Levels stand in the order of their statistic (the share of a class, or G / (H + l2)): for
//! two classes and for a Newton step the best of all 2^(L - 1) - 1 partitions is a cut of that order
//! (Fisher 1958; Breiman et al. 1984, 4.2). With more classes there is no such order, and the best cut
//! of the K orders by each class's share is a heuristic. Levels that a node has no row of go right.

use super::bins::Binned;
use super::grow::Target;
use super::part::{Moved, number, part, part_by, split_node};
use super::search::{Cut, Search};
use super::tree::{Node, Rule};

/// Codes, by bit.
pub(crate) type Codes = [u64; 4];

pub(crate) fn has(codes: &Codes, code: u8) -> bool {
    codes[usize::from(code >> 6)] >> (code & 63) & 1 == 1
}

/// The levels of a nominal feature that go left.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Set {
    /// Their codes.
    pub(crate) codes: Codes,
    /// The levels themselves, by bit.
    levels: Vec<u64>,
    /// Whether missing values go left.
    missing: bool,
}

impl Set {
    fn new(data: &Binned, feature: usize, codes: Codes) -> Self {
        let bins = data.bins(feature);
        let mut set = Self {
            codes,
            levels: Vec::new(),
            missing: false,
        };
        for code in (0..=u8::MAX).filter(|&code| has(&codes, code)) {
            let (low, high) = bins.span(usize::from(code), usize::from(code));
            match (place(low), place(high)) {
                (Some(low), Some(high)) => {
                    for level in low..=high {
                        if set.levels.len() <= level / 64 {
                            set.levels.resize(level / 64 + 1, 0);
                        }
                        set.levels[level / 64] |= 1 << (level % 64);
                    }
                }
                _ => set.missing = true,
            }
        }
        set
    }

    /// Whether a row with this level goes left.
    pub(crate) fn holds(&self, value: f64) -> bool {
        match place(value) {
            Some(level) => {
                let word = self.levels.get(level / 64).copied().unwrap_or(0);
                word >> (level % 64) & 1 == 1
            }
            None => self.missing && value.is_nan(),
        }
    }
}

/// A level's number; `None` for a missing value.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be a whole number of at least 0 that fits"
)]
fn place(value: f64) -> Option<usize> {
    ((0.0..1e7).contains(&value) && value.fract() == 0.0).then_some(value as usize)
}

/// Buffers of the sweeps.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    order: Vec<(f64, u8)>,
    cells: Vec<f64>,
}

/// Offers the cuts of a feature that is nominal or has missing values; whether it varies.
pub(crate) fn sweep<T: Target>(
    data: &Binned,
    feature: usize,
    cells: &[f64],
    target: &T,
    (search, room): (&mut Search, &mut Orders),
) -> bool {
    let width = target.width();
    if !data.is_nominal(feature) {
        let varies = target.sweep(cells, feature, search);
        let last = cells.len() / width - 1;
        room.order.clear();
        room.order.push((0.0, code(last)));
        room.order.extend((0..last).map(|at| (0.0, code(at))));
        try_order(feature, cells, target, search, room);
        return varies;
    }
    let mut varies = false;
    for by in 0..target.orders() {
        room.order.clear();
        for (at, cell) in cells.chunks_exact(width).enumerate() {
            let place = target.place(cell, by, search);
            room.order.extend(place.map(|place| (place, code(at))));
        }
        room.order
            .sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        varies |= room.order.len() > 1;
        try_order(feature, cells, target, search, room);
    }
    varies
}

/// Sweeps the cells in the order of the buffer, and turns a better cut into a set of codes.
fn try_order<T: Target>(
    feature: usize,
    cells: &[f64],
    target: &T,
    search: &mut Search,
    room: &mut Orders,
) {
    let width = target.width();
    room.cells.clear();
    for &(_, code) in &room.order {
        let at = usize::from(code) * width;
        room.cells.extend_from_slice(&cells[at..at + width]);
    }
    let before = search.need;
    target.sweep(&room.cells, feature, search);
    if search.need > before
        && let Some(cut) = &mut search.best
    {
        let mut set = [0; 4];
        for &(_, code) in &room.order[..=usize::from(cut.code)] {
            set[usize::from(code >> 6)] |= 1 << (code & 63);
        }
        cut.set = Some(set);
    }
}

fn code(at: usize) -> u8 {
    u8::try_from(at).expect("a code is a byte")
}

/// Parts the rows of a node by a cut: how many go left, and the node. `None` when a side is empty.
pub(crate) fn divide(
    data: &Binned,
    rows: &mut [u32],
    cut: &Cut,
    left: usize,
    (moved, sets): (&mut Moved, &mut Vec<Set>),
) -> Option<(usize, Node)> {
    let codes = data.codes(cut.feature);
    let Some(set) = cut.set else {
        let (kept, codes) = part(rows, codes, cut.code, moved)?;
        return Some((kept, split_node(data, cut.feature, codes, left)));
    };
    let kept = part_by(rows, codes, |code| has(&set, code), moved)?;
    let node = if data.is_nominal(cut.feature) {
        sets.push(Set::new(data, cut.feature, set));
        Node {
            threshold: (sets.len() - 1) as f64,
            feature: number(cut.feature),
            left: number(left),
            code: 0,
            rule: Rule::Among,
        }
    } else {
        let missing = data.missing(cut.feature);
        let numbers = rows[..kept].iter().map(|&row| codes[row as usize]);
        let last = numbers.filter(|&code| Some(code) != missing).max()?;
        let next = rows[kept..].iter().map(|&row| codes[row as usize]).min()?;
        Node {
            rule: Rule::AtMostOrMissing,
            ..split_node(data, cut.feature, (last, next), left)
        }
    };
    Some((kept, node))
}

#[cfg(test)]
mod tests {
    use crate::testing::{fit, labels, rng};
    use counterweight_core::{
        ColumnKind, LossTerms, Matrix, Origin, ParamValue, Partition, Samples, Train,
    };
    use rand::RngExt as _;

    const NATIVE: [&str; 3] = ["decision-tree", "gradient-boosting", "random-forest"];

    fn raw(x: &Matrix, y: &[u32], k: usize, kinds: Vec<ColumnKind>) -> Train {
        let origins = (0..y.len()).map(Origin::Row).collect();
        let samples = Samples::new(x.clone(), kinds.into(), labels(y, k), origins).unwrap();
        let all = (0..y.len()).collect();
        let whole = Partition::new(y.len(), all, vec![]).unwrap();
        whole.cut_samples(&samples).unwrap().0
    }

    fn native() -> (&'static str, ParamValue) {
        ("native", ParamValue::Flag(true))
    }

    /// Classes are sets of levels that no threshold on codes and no single level parts.
    #[test]
    fn levels_part_into_sets_in_one_split() {
        let levels = 12;
        for k in [2, 3] {
            let class = |level: usize| u32::try_from(level * 5 % 7 % k).unwrap();
            let x = Matrix::from_fn(600, 1, |i, _| (i % levels) as f64);
            let y: Vec<u32> = (0..600).map(|i| class(i % levels)).collect();
            let data = raw(&x, &y, k, vec![ColumnKind::Nominal { levels }]);
            for id in NATIVE {
                let found = fit(id, &[native()], &data, &LossTerms::cross_entropy(k));
                let decided = found
                    .scores(&x)
                    .argmax(&vec![0.0; k], &counterweight_core::Ties::default())
                    .unwrap();
                assert_eq!(decided.as_slice(), y, "{id}");
                if id == "decision-tree" {
                    assert!((found.details["leaves"] - k as f64).abs() < 1e-12);
                }
                // A level that was never seen, and a missing one, have scores too.
                let odd = Matrix::from_vec(2, 1, vec![40.0, f64::NAN]).unwrap();
                assert!(
                    found
                        .scores(&odd)
                        .log()
                        .as_slice()
                        .iter()
                        .all(|s| !s.is_nan())
                );
            }
        }
    }

    /// The best partition of the levels, by trying all of them.
    #[test]
    fn the_order_by_statistic_finds_the_best_of_all_partitions() {
        let mut rng = rng(5);
        let levels = 7_usize;
        for _ in 0..30 {
            let rate: Vec<f64> = (0..levels).map(|_| rng.random()).collect();
            let x = Matrix::from_fn(140, 1, |i, _| (i % levels) as f64);
            let y: Vec<u32> = (0..140)
                .map(|i| u32::from(rng.random::<f64>() < rate[i % levels]))
                .collect();
            let gini = |left: &dyn Fn(usize) -> bool| -> f64 {
                let mut cells = [[0.0; 2]; 2];
                for (i, &y) in y.iter().enumerate() {
                    cells[usize::from(left(i % levels))][y as usize] += 1.0;
                }
                let part = |[a, b]: [f64; 2]| {
                    if a + b > 0.0 {
                        2.0 * a * b / (a + b)
                    } else {
                        0.0
                    }
                };
                part(cells[0]) + part(cells[1])
            };
            let best = (1..1_usize << (levels - 1))
                .map(|set| gini(&|level| set >> level & 1 == 1))
                .fold(f64::INFINITY, f64::min);
            let data = raw(&x, &y, 2, vec![ColumnKind::Nominal { levels }]);
            let given = [native(), ("max_depth", ParamValue::Whole(1))];
            let stump = fit("decision-tree", &given, &data, &LossTerms::cross_entropy(2));
            let p = stump.scores(&x);
            // Shares, since both logarithms of a pure side are infinite.
            let share = |level: usize| p.log().at(level, 1).exp();
            let found = gini(&|level| (share(level) - share(0)).abs() < 1e-12);
            assert!((found - best).abs() < 1e-9, "{found} {best}");
        }
    }

    /// Missing values say as much as numbers, on whichever side they belong.
    #[test]
    fn missing_values_go_to_the_better_side() {
        for side in [0, 1] {
            // Class 1: the values above 0, and the missing ones if `side` is 1.
            let value = |i: usize| {
                if i.is_multiple_of(4) {
                    f64::NAN
                } else {
                    (i % 11) as f64 - 5.0
                }
            };
            let x = Matrix::from_fn(
                400,
                2,
                |i, j| if j == 0 { value(i) } else { (i % 3) as f64 },
            );
            let y: Vec<u32> = (0..400)
                .map(|i| {
                    if usize::is_multiple_of(i, 4) {
                        side
                    } else {
                        u32::from(value(i) > 0.0)
                    }
                })
                .collect();
            let data = raw(&x, &y, 2, vec![ColumnKind::Numeric; 2]);
            for id in NATIVE {
                let found = fit(id, &[native()], &data, &LossTerms::cross_entropy(2));
                let decided = found
                    .scores(&x)
                    .argmax(&[0.0; 2], &counterweight_core::Ties::default())
                    .unwrap();
                assert_eq!(decided.as_slice(), y, "{id} {side}");
                if id == "decision-tree" {
                    assert!((found.details["leaves"] - 2.0).abs() < 1e-12);
                }
            }
        }
    }

    /// On complete numbers the switch changes nothing.
    #[test]
    fn without_levels_and_missing_values_it_is_the_same_model() {
        let (x, y) = crate::testing::blobs(57, &[150, 60, 30], 4);
        let data = crate::testing::train(&x, &y, 3);
        for id in NATIVE {
            let terms = LossTerms::cross_entropy(3);
            let plain = fit(id, &[], &data, &terms).scores(&x);
            assert_eq!(
                plain,
                fit(id, &[native()], &data, &terms).scores(&x),
                "{id}"
            );
        }
    }
}
