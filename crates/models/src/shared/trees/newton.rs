//! What boosting grows a tree for: a Newton step of a loss.

use counterweight_numeric::prefix::{Asked, Prefixes};

use super::grow::{Target, fixed};
use super::search::{Limits, Search, TIE};

/// A Newton step of a loss: cells are (gradient, Hessian).
///
/// A leaf answers v = -G / (H + l2), cut to `most`, and has the score -(2 G v + (H + l2) v^2),
/// which is G^2 / (H + l2) wherever the step is not cut.
///
/// Cells do not count rows: a side of a cut has rows in proportion to its share of the node's Hessian,
/// as in `LightGBM`. That makes a cell two numbers instead of three, and lets leaves be finer where
/// rows are uncertain.
#[derive(Debug)]
pub(crate) struct Newton<'a> {
    /// Gradient and Hessian of every training row.
    rows: &'a [[f64; 2]],
    /// Class of every training row and weight of each class; `None` where all weights are 1.
    weights: Option<(&'a [u32], &'a [f64])>,
    room: Room,
    step: Step,
}

/// Buffers to work in.
#[derive(Debug, Default)]
pub(crate) struct Room {
    gathered: Vec<[f64; 2]>,
    prefixes: Prefixes,
}

/// How large a step is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) l2: f64,
    pub(crate) min_hessian: f64,
    pub(crate) most: f64,
}

impl Step {
    fn of(&self, g: f64, h: f64) -> f64 {
        // Rows that are certain have neither gradient nor Hessian: no step.
        if g.abs() > 0.0 {
            (-g / (h + self.l2)).clamp(-self.most, self.most)
        } else {
            0.0
        }
    }

    fn score(&self, g: f64, h: f64) -> f64 {
        let v = self.of(g, h);
        -v * (2.0 * g + (h + self.l2) * v)
    }
}

impl<'a> Newton<'a> {
    /// `room` is a buffer to work in; [`Newton::into_room`] gives it back.
    pub(crate) fn new(
        rows: &'a [[f64; 2]],
        weights: Option<(&'a [u32], &'a [f64])>,
        step: Step,
        room: Room,
    ) -> Self {
        Self {
            rows,
            weights,
            room,
            step,
        }
    }

    pub(crate) fn into_room(self) -> Room {
        self.room
    }

    /// Offers the cuts after each of these sums from the left, whose first is that of `first`; whether the
    /// right side of the last has enough.
    fn cuts(
        &self,
        sums: impl Iterator<Item = [f64; 2]>,
        (feature, first): (usize, usize),
        search: &mut Search,
    ) -> bool {
        let (g, h) = (search.total[0], search.total[1]);
        let (least, l2) = (search.least, self.step.l2);
        let mut need = search.need;
        for (code, [g_left, h_left]) in (first..).zip(sums) {
            if h_left < least {
                continue;
            }
            let (g_right, h_right) = (g - g_left, h - h_left);
            if h_right < least {
                return false;
            }
            // Uncut steps score at least as much, and can be compared without a division.
            let (a, b) = (h_left + l2, h_right + l2);
            if g_left * g_left * b + g_right * g_right * a > need * (a * b) {
                let left = self.step.score(g_left, h_left);
                search.offer(left + self.step.score(g_right, h_right), feature, code);
                need = search.need;
            }
        }
        true
    }
}

impl Target for Newton<'_> {
    #[inline]
    fn width(&self) -> usize {
        2
    }

    fn gather(&mut self, rows: &[u32]) {
        let gathered = &mut self.room.gathered;
        gathered.clear();
        gathered.extend(rows.iter().map(|&row| self.rows[row as usize]));
    }

    fn sum(&self, rows: &[u32], cell: &mut [f64]) -> f64 {
        let mut sum = [0.0; 2];
        for [g, h] in &self.room.gathered {
            sum[0] += g;
            sum[1] += h;
        }
        cell.copy_from_slice(&sum);
        match self.weights {
            Some((y, weights)) => rows
                .iter()
                .map(|&row| weights[y[row as usize] as usize])
                .sum(),
            None => rows.len() as f64,
        }
    }

    fn differences_are_exact(&self) -> bool {
        true
    }

    fn add(&self, codes: &[u8], rows: &[u32], cells: &mut [f64]) {
        let cells: &mut [[f64; 2]; 256] = fixed(cells.as_chunks_mut().0);
        if rows.len() == codes.len() {
            // Rows ascend without repeats, so these are all of them.
            for (&code, row) in codes.iter().zip(&self.room.gathered) {
                let cell = &mut cells[usize::from(code)];
                cell[0] += row[0];
                cell[1] += row[1];
            }
        } else {
            for (&at, row) in rows.iter().zip(&self.room.gathered) {
                let cell = &mut cells[usize::from(codes[at as usize])];
                cell[0] += row[0];
                cell[1] += row[1];
            }
        }
    }

    fn start(&self, search: &mut Search, mass: f64, limits: &Limits) {
        let (g, h) = (search.total[0], search.total[1]);
        let share = limits.min_mass * (1.0 - TIE) / mass;
        let least = self.step.min_hessian.max(share * h);
        search.start(self.step.score(g, h), least, limits);
    }

    fn is_pure(&self, _: &[f64]) -> bool {
        false
    }

    fn orders(&self) -> usize {
        1
    }

    fn place(&self, cell: &[f64], _: usize, search: &Search) -> Option<f64> {
        // Less than this is a rounding error of a histogram difference, not a row.
        let rows = cell[1] > 1e-12 * search.total[1];
        rows.then(|| cell[0] / (cell[1] + self.step.l2))
    }

    fn leaf(&self, cell: &[f64], values: &mut Vec<f64>) {
        values.push(self.step.of(cell[0], cell[1]));
    }

    fn sweep(&self, cells: &[f64], feature: usize, search: &mut Search) -> bool {
        let mut sum = [0.0; 2];
        let sums = cells.as_chunks::<2>().0.iter().map(|cell| {
            sum[0] += cell[0];
            sum[1] += cell[1];
            sum
        });
        self.cuts(sums, (feature, 0), search);
        true
    }

    /// The sums of several features are taken side by side, and blocks of them are passed over in which no cut
    /// is good enough: the cuts that are offered are those of `sweep`, in its order.
    fn sweep_each<'c>(
        &mut self,
        features: &[usize],
        cells: impl Fn(usize) -> &'c [f64],
        search: &mut Search,
    ) {
        let mut prefixes = std::mem::take(&mut self.room.prefixes);
        for side in features.chunks(Prefixes::SIDE) {
            let own = |at: usize| cells(side[at.min(side.len() - 1)]).as_chunks().0;
            prefixes.sum(std::array::from_fn(own));
            for (at, &feature) in side.iter().enumerate() {
                let mut from = 0;
                loop {
                    let asked = Asked {
                        total: [search.total[0], search.total[1]],
                        least: search.least,
                        l2: self.step.l2,
                        need: search.need,
                    };
                    let Some((first, block)) = prefixes.next(at, from, &asked) else {
                        break;
                    };
                    if !self.cuts(block.iter().copied(), (feature, first), search) {
                        break;
                    }
                    from = first + block.len();
                }
            }
        }
        self.room.prefixes = prefixes;
    }

    fn scan(&mut self, keys: &[u16], feature: usize, search: &mut Search) {
        let (g, h) = (search.total[0], search.total[1]);
        let (least, l2) = (search.least, self.step.l2);
        let mut need = search.need;
        let (mut g_left, mut h_left) = (0.0, 0.0);
        let mut last = keys.first().map_or(0, |key| key >> 8);
        for key in keys {
            let code = key >> 8;
            if code != last {
                let (g_right, h_right) = (g - g_left, h - h_left);
                if h_right < least {
                    break;
                }
                let (a, b) = (h_left + l2, h_right + l2);
                if h_left >= least && g_left * g_left * b + g_right * g_right * a > need * (a * b) {
                    let left = self.step.score(g_left, h_left);
                    let scores = left + self.step.score(g_right, h_right);
                    search.offer(scores, feature, usize::from(last));
                    need = search.need;
                }
                last = code;
            }
            let row = &self.room.gathered[usize::from(key & 255)];
            g_left += row[0];
            h_left += row[1];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Features side by side give the cut that one after the other gives, to the last bit, ties and
        /// rounding errors of empty cells too.
        #[test]
        fn features_side_by_side_have_the_best_cut_of_each_in_turn(
            features in prop::collection::vec(
                prop::collection::vec((-3_i8..4, 0_u8..4, any::<bool>()), 1..256),
                1..11,
            ),
            (least, noise) in (0_u8..12, 0.0_f64..1e-15),
            l2 in 0.0_f64..2.0,
        ) {
            let cells: Vec<Vec<f64>> = features
                .iter()
                .map(|cells| {
                    cells
                        .iter()
                        .flat_map(|&(g, h, odd)| {
                            let rest = if odd { -noise } else { noise };
                            [f64::from(g) * 0.3 + rest, f64::from(h) * 0.7 + rest]
                        })
                        .collect()
                })
                .collect();
            let limits = Limits {
                max_leaves: None,
                max_depth: None,
                min_mass: 0.0,
                min_gain: Some(0.0),
            };
            let step = Step { l2, min_hessian: f64::from(least), most: 10.0 };
            let mut newton = Newton::new(&[], None, step, Room::default());
            let begin = |newton: &Newton<'_>| {
                let mut search = Search::new(2);
                for (at, w) in cells[0].iter().enumerate() {
                    search.total[at % 2] += w;
                }
                newton.start(&mut search, 1.0, &limits);
                search
            };
            let (mut in_turn, mut together) = (begin(&newton), begin(&newton));
            for (feature, cells) in cells.iter().enumerate() {
                newton.sweep(cells, feature, &mut in_turn);
            }
            let all: Vec<usize> = (0..cells.len()).collect();
            newton.sweep_each(&all, |feature| &cells[feature], &mut together);
            let found = |search: &Search| {
                let cut = search.best.map(|cut| (cut.gain.to_bits(), cut.feature, cut.code));
                (search.need.to_bits(), cut)
            };
            prop_assert_eq!(found(&in_turn), found(&together));
        }
    }
}
