//! What boosting grows a tree for: a Newton step of a loss.

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
    gathered: Vec<[f64; 2]>,
    step: Step,
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
        room: Vec<[f64; 2]>,
    ) -> Self {
        Self {
            rows,
            weights,
            gathered: room,
            step,
        }
    }

    pub(crate) fn into_room(self) -> Vec<[f64; 2]> {
        self.gathered
    }
}

impl Target for Newton<'_> {
    #[inline]
    fn width(&self) -> usize {
        2
    }

    fn gather(&mut self, rows: &[u32]) {
        self.gathered.clear();
        self.gathered
            .extend(rows.iter().map(|&row| self.rows[row as usize]));
    }

    fn sum(&self, rows: &[u32], cell: &mut [f64]) -> f64 {
        let mut sum = [0.0; 2];
        for [g, h] in &self.gathered {
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
            for (&code, row) in codes.iter().zip(&self.gathered) {
                let cell = &mut cells[usize::from(code)];
                cell[0] += row[0];
                cell[1] += row[1];
            }
        } else {
            for (&at, row) in rows.iter().zip(&self.gathered) {
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
        let (g, h) = (search.total[0], search.total[1]);
        let (least, l2) = (search.least, self.step.l2);
        let mut need = search.need;
        let (mut g_left, mut h_left) = (0.0, 0.0);
        for (code, cell) in cells.as_chunks::<2>().0.iter().enumerate() {
            g_left += cell[0];
            h_left += cell[1];
            if h_left < least {
                continue;
            }
            let (g_right, h_right) = (g - g_left, h - h_left);
            if h_right < least {
                break;
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
            let row = &self.gathered[usize::from(key & 255)];
            g_left += row[0];
            h_left += row[1];
        }
    }
}
