//! What single trees and forests are grown for: pure classes.

use counterweight_core::words;

use super::grow::Target;
use super::part::Used;
use super::search::{Limits, Search, TIE};

words! {
    /// How impure a leaf is.
    pub enum Criterion {
        /// 1 - sum of squared shares.
        Gini = "gini",
        /// -(sum of share times log share), in nats.
        Entropy = "entropy",
    }
}

impl Criterion {
    /// Minus the weight times the impurity, up to a part that is the same for every tree.
    pub(crate) fn score(self, cell: &[f64]) -> f64 {
        let total: f64 = cell.iter().sum();
        match self {
            Self::Gini => cell.iter().map(|w| w * w).sum::<f64>() / total,
            Self::Entropy => {
                // A difference of histograms may leave a class a weight just below 0.
                let part = |w: f64| if w > 0.0 { w * w.ln() } else { 0.0 };
                cell.iter().map(|&w| part(w)).sum::<f64>() - part(total)
            }
        }
    }

    /// The score of what is left of `total` without `left`.
    fn score_of_rest(self, total: &[f64], left: &[f64]) -> f64 {
        let rest = || total.iter().zip(left).map(|(t, l)| t - l);
        let weight: f64 = rest().sum();
        match self {
            Self::Gini => rest().map(|w| w * w).sum::<f64>() / weight,
            Self::Entropy => {
                let part = |w: f64| if w > 0.0 { w * w.ln() } else { 0.0 };
                rest().map(part).sum::<f64>() - part(weight)
            }
        }
    }
}

/// Pure classes: a cell has the weight of each class. A leaf answers the class shares.
#[derive(Debug)]
pub(crate) struct Classes<'a> {
    /// Class of every training row.
    y: &'a [u32],
    /// Weight of every training row.
    weights: &'a [f64],
    gathered: Vec<(u32, f64)>,
    /// Number of classes.
    width: usize,
    criterion: Criterion,
    /// Whether all weights are whole numbers, whose sums are exact in any order.
    whole: bool,
}

impl<'a> Classes<'a> {
    pub(crate) fn new(
        y: &'a [u32],
        weights: &'a [f64],
        width: usize,
        criterion: Criterion,
    ) -> Self {
        Self {
            y,
            weights,
            gathered: Vec::new(),
            width,
            criterion,
            whole: weights.iter().all(|w| w.fract() == 0.0 && *w < 1e9),
        }
    }

    /// Offers the cut that leaves `search.left` on the left.
    #[inline(never)]
    fn offer(&self, feature: usize, code: usize, search: &mut Search) {
        let left = self.criterion.score(&search.left);
        let right = self.criterion.score_of_rest(&search.total, &search.left);
        if search.offer(left + right, feature, code) {
            search.best_left.copy_from_slice(&search.left);
        }
    }

    /// Offers the cut of the gathered rows after this code of a feature; `codes` are the rows' own.
    pub(crate) fn offer_cut(
        &self,
        (feature, code): (usize, u8),
        codes: &[u8],
        search: &mut Search,
    ) {
        search.left.fill(0.0);
        for (&own, &(class, w)) in codes.iter().zip(&self.gathered) {
            search.left[class as usize] += if own <= code { w } else { 0.0 };
        }
        let weight: f64 = search.left.iter().sum();
        let rest = search.total.iter().sum::<f64>() - weight;
        if weight >= search.least && rest >= search.least {
            self.offer(feature, usize::from(code), search);
        }
    }

    /// Offers every cut between cells in the order of their codes; whether more than one has rows.
    fn cuts<'c>(
        &self,
        cells: impl Iterator<Item = (usize, &'c [f64])>,
        feature: usize,
        search: &mut Search,
    ) -> bool {
        match (self.criterion, self.width) {
            (Criterion::Gini, 2) => self.gini::<2>(cells, feature, search),
            (Criterion::Gini, 3) => self.gini::<3>(cells, feature, search),
            (Criterion::Gini, 4) => self.gini::<4>(cells, feature, search),
            _ => self.any(cells, feature, search),
        }
    }

    /// By Gini's impurity, for a number of classes that is known at compile time.
    fn gini<'c, const K: usize>(
        &self,
        cells: impl Iterator<Item = (usize, &'c [f64])>,
        feature: usize,
        search: &mut Search,
    ) -> bool {
        let mut total = [0.0; K];
        total.copy_from_slice(&search.total);
        let whole: f64 = total.iter().sum();
        let mut left = [0.0; K];
        let mut varies = false;
        for (code, cell) in cells {
            let Some(cell) = cell.first_chunk::<K>() else {
                break;
            };
            let (mut weight, mut a, mut b) = (0.0, 0.0, 0.0);
            for k in 0..K {
                left[k] += cell[k];
                let right = total[k] - left[k];
                weight += left[k];
                a += left[k] * left[k];
                b += right * right;
            }
            if weight < search.least {
                varies |= weight > 0.0;
                continue;
            }
            let rest = whole - weight;
            if rest < search.least {
                varies |= rest > TIE * whole;
                break;
            }
            varies = true;
            if a * rest + b * weight > search.need * (weight * rest) {
                search.left.copy_from_slice(&left);
                self.offer(feature, code, search);
            }
        }
        varies
    }

    /// By any impurity, for any number of classes.
    fn any<'c>(
        &self,
        cells: impl Iterator<Item = (usize, &'c [f64])>,
        feature: usize,
        search: &mut Search,
    ) -> bool {
        let whole: f64 = search.total.iter().sum();
        search.left.fill(0.0);
        let mut varies = false;
        let mut weight = 0.0;
        // Sums of squares on both sides, up to rounding.
        let mut a = 0.0;
        let mut b: f64 = search.total.iter().map(|w| w * w).sum();
        let slack = 1e-11 * b * whole;
        for (code, cell) in cells {
            if cell.iter().all(|w| *w <= 0.0) {
                continue;
            }
            let sides = search.left.iter_mut().zip(&search.total);
            for ((left, total), &w) in sides.zip(cell) {
                if w != 0.0 {
                    a += w * (2.0 * *left + w);
                    b += w * (w - 2.0 * (total - *left));
                    *left += w;
                    weight += w;
                }
            }
            if !self.whole {
                weight = search.left.iter().sum();
            }
            let rest = whole - weight;
            if rest < search.least {
                varies |= rest > TIE * whole;
                break;
            }
            varies = true;
            // What the slack lets through is weighed exactly.
            let good = || a * rest + b * weight > search.need * (weight * rest) - slack;
            if weight >= search.least && (self.criterion != Criterion::Gini || good()) {
                self.offer(feature, code, search);
            }
        }
        varies
    }

    /// Offers the cuts of a feature by the gathered rows, with the help of 256 cells that are all zero
    /// before and after; whether it varies. For rows fewer than cells: only those in use are visited.
    pub(crate) fn sparse(
        &self,
        (feature, codes): (usize, &[u8]),
        rows: &[u32],
        cells: &mut [f64],
        search: &mut Search,
    ) -> bool {
        let mut used = Used::default();
        for (&at, &(class, w)) in rows.iter().zip(&self.gathered) {
            let code = codes[at as usize];
            cells[usize::from(code) * self.width + class as usize] += w;
            used.insert(code);
        }
        let width = self.width;
        let cell = |code: usize| &cells[code * width..][..width];
        let varies = self.cuts(used.clone().map(|code| (code, cell(code))), feature, search);
        for code in used {
            match &mut cells[code * width..][..width] {
                // A call of `memset` costs more than this.
                [a, b] => (*a, *b) = (0.0, 0.0),
                cell => cell.fill(0.0),
            }
        }
        varies
    }
}

impl Target for Classes<'_> {
    #[inline]
    fn width(&self) -> usize {
        self.width
    }

    fn gather(&mut self, rows: &[u32]) {
        self.gathered.clear();
        self.gathered.extend(rows.iter().map(|&row| {
            let row = row as usize;
            (self.y[row], self.weights[row])
        }));
    }

    fn sum(&self, _: &[u32], cell: &mut [f64]) -> f64 {
        cell.fill(0.0);
        // Four sums in turn, so that rows of one class do not wait for each other.
        let mut lanes = [[0.0; 16]; 4];
        if cell.len() <= 16 {
            for (at, &(class, w)) in self.gathered.iter().enumerate() {
                lanes[at & 3][(class & 15) as usize] += w;
            }
            for (k, sum) in cell.iter_mut().enumerate() {
                *sum = (lanes[0][k] + lanes[1][k]) + (lanes[2][k] + lanes[3][k]);
            }
        } else {
            for &(class, w) in &self.gathered {
                cell[class as usize] += w;
            }
        }
        cell.iter().sum()
    }

    fn differences_are_exact(&self) -> bool {
        // A rest of 1e-17 of a class would keep a pure leaf from being pure.
        false
    }

    fn add(&self, codes: &[u8], rows: &[u32], cells: &mut [f64]) {
        for (&at, &(class, w)) in rows.iter().zip(&self.gathered) {
            cells[usize::from(codes[at as usize]) * self.width + class as usize] += w;
        }
    }

    fn start(&self, search: &mut Search, mass: f64, limits: &Limits) {
        let score = self.criterion.score(&search.total);
        // Less than the second is a rounding error of a histogram difference, not a row.
        let least = (limits.min_mass * (1.0 - TIE)).max(1e-12 * mass);
        search.start(score, least, limits);
    }

    fn is_pure(&self, cell: &[f64]) -> bool {
        cell.iter().filter(|w| **w > 0.0).count() < 2
    }

    fn orders(&self) -> usize {
        if self.width == 2 { 1 } else { self.width }
    }

    fn place(&self, cell: &[f64], by: usize, search: &Search) -> Option<f64> {
        let weight: f64 = cell.iter().sum();
        let whole: f64 = search.total.iter().sum();
        (weight > 1e-12 * whole).then(|| cell[by] / weight)
    }

    fn leaf(&self, cell: &[f64], values: &mut Vec<f64>) {
        let total: f64 = cell.iter().sum();
        values.extend(cell.iter().map(|w| w / total));
    }

    fn sweep(&self, cells: &[f64], feature: usize, search: &mut Search) -> bool {
        self.cuts(cells.chunks_exact(self.width).enumerate(), feature, search)
    }

    fn scan(&mut self, keys: &[u16], feature: usize, search: &mut Search) {
        let gini = self.criterion == Criterion::Gini;
        search.left.fill(0.0);
        // Sums of squares on both sides, and the weight of both.
        let mut a = 0.0;
        let mut b: f64 = search.total.iter().map(|w| w * w).sum();
        let mut weight = 0.0;
        let mut rest: f64 = search.total.iter().sum();
        let mut last = keys.first().map_or(0, |key| key >> 8);
        for key in keys {
            let code = key >> 8;
            if code != last {
                if rest < search.least {
                    break;
                }
                if weight >= search.least
                    && (!gini || a * rest + b * weight > search.need * (weight * rest))
                {
                    self.offer(feature, usize::from(last), search);
                }
                last = code;
            }
            let (class, w) = self.gathered[usize::from(key & 255)];
            let class = class as usize;
            let left = search.left[class];
            let right = search.total[class] - left;
            a += w * (2.0 * left + w);
            b += w * (w - 2.0 * right);
            search.left[class] = left + w;
            weight += w;
            rest -= w;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Cuts that sums of squares rule out are none that would have been taken: the best one is that of
        /// weighing every cut, to the last bit.
        #[test]
        fn many_classes_have_the_best_of_all_cuts(
            features in prop::collection::vec(
                prop::collection::vec(prop::collection::vec(0_u8..4, 5), 1..40),
                1..5,
            ),
            (factor, least) in (prop::sample::select(vec![1.0, 0.3, 1e-7]), 0_u8..9),
        ) {
            let weights = [factor];
            let classes = Classes::new(&[], &weights, 5, Criterion::Gini);
            let limits = Limits {
                max_leaves: None,
                max_depth: None,
                min_mass: f64::from(least) * factor,
                min_gain: None,
            };
            let begin = || {
                let mut search = Search::new(5);
                for cell in &features[0] {
                    for (sum, w) in search.total.iter_mut().zip(cell) {
                        *sum += f64::from(*w) * factor;
                    }
                }
                let mass = search.total.iter().sum();
                classes.start(&mut search, mass, &limits);
                search
            };
            let (mut found, mut expected) = (begin(), begin());
            for (feature, cells) in features.iter().enumerate() {
                let cells: Vec<f64> = cells.concat().iter().map(|w| f64::from(*w) * factor).collect();
                classes.sweep(&cells, feature, &mut found);
                let whole: f64 = expected.total.iter().sum();
                expected.left.fill(0.0);
                for (code, cell) in cells.chunks_exact(5).enumerate() {
                    for (sum, w) in expected.left.iter_mut().zip(cell) {
                        *sum += w;
                    }
                    let weight: f64 = expected.left.iter().sum();
                    if whole - weight < expected.least {
                        break;
                    }
                    if weight >= expected.least && cell.iter().any(|w| *w > 0.0) {
                        classes.offer(feature, code, &mut expected);
                    }
                }
            }
            let best = |search: &Search| {
                let cut = search.best.map(|cut| (cut.gain.to_bits(), cut.feature, cut.code));
                (search.need.to_bits(), cut, search.best_left.clone())
            };
            prop_assert_eq!(best(&found), best(&expected));
        }
    }
}
