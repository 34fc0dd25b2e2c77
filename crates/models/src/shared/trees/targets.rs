//! What a tree is grown for: a Newton step of a loss, or pure classes.
//!
//! Both describe rows by a few numbers that add up, and a set of rows by a score of their sum: the best
//! cut has the largest score of its two sides.

/// What the rows of a node are for the grower. A cell is the sum of its rows' numbers.
pub(crate) trait Target {
    /// Numbers of a cell.
    fn width(&self) -> usize;

    /// Puts the numbers of these rows in order, for [`Target::add`] and [`Target::add_one`].
    fn gather(&mut self, rows: &[u32]);

    /// Adds up these rows, gathered or not.
    fn sum(&self, rows: &[u32], cell: &mut [f64]);

    /// Adds the gathered `rows` to the cells of a feature, each to the cell of its code.
    fn add(&self, codes: &[u8], rows: &[u32], cells: &mut [f64]);

    /// Adds one gathered row to a cell.
    fn add_one(&self, at: usize, cell: &mut [f64]);

    /// Weighted rows of a cell.
    fn mass(&self, cell: &[f64]) -> f64;

    /// How good a leaf with this cell is; the sum over leaves is what a tree maximises.
    fn score(&self, cell: &[f64]) -> f64;

    /// Whether a leaf may have this cell.
    fn admits(&self, cell: &[f64]) -> bool;

    /// Whether there is nothing left to gain from splitting.
    fn is_pure(&self, cell: &[f64]) -> bool;

    /// The numbers that a leaf with this cell answers, appended to `values`.
    fn leaf(&self, cell: &[f64], values: &mut Vec<f64>);

    /// A faster way through the cells of a feature, with the same result as the grower's own; `None`
    /// where there is none.
    fn sweep(&self, _: &[f64], _: &Node<'_>) -> Option<Swept> {
        None
    }
}

/// What a sweep of one feature's cells has to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'a> {
    /// The cell of the whole node.
    pub(crate) total: &'a [f64],
    /// Its score.
    pub(crate) score: f64,
    /// Least weight of either side.
    pub(crate) least: f64,
    /// Cells of at most this weight have no rows.
    pub(crate) nothing: f64,
    /// What a gain has to exceed.
    pub(crate) floor: f64,
}

/// What a sweep of one feature's cells found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Swept {
    /// Whether more than one cell has rows.
    pub(crate) varies: bool,
    /// The best gain above the floor, with the codes on both sides of its cut.
    pub(crate) best: Option<(f64, usize, usize)>,
}

/// Gains that differ by less than this share of the scores they are made of are a tie, which goes to
/// the first feature and cut. Without it the last bit of a sum, and so the order of the rows, would
/// choose between features that part the rows alike.
pub(crate) const TIE: f64 = 1e-10;

/// By how much a gain has to exceed another, given the scores it is made of.
#[inline]
pub(crate) fn slack(scores: f64, before: f64) -> f64 {
    TIE * (scores.abs() + before.abs())
}

/// A Newton step of a loss: cells are (gradient, Hessian, weight).
///
/// A leaf answers v = -G / (H + l2), cut to `max_step`, and has the score -(2 G v + (H + l2) v^2),
/// which is G^2 / (H + l2) wherever the step is not cut.
#[derive(Debug)]
pub(crate) struct Newton<'a> {
    /// Gradient, Hessian and weight of every training row.
    rows: &'a [[f64; 3]],
    gathered: Vec<[f64; 3]>,
    l2: f64,
    min_hessian: f64,
    max_step: f64,
}

impl<'a> Newton<'a> {
    pub(crate) fn new(rows: &'a [[f64; 3]], l2: f64, min_hessian: f64, max_step: f64) -> Self {
        Self {
            rows,
            gathered: Vec::with_capacity(rows.len()),
            l2,
            min_hessian,
            max_step,
        }
    }

    fn step(&self, g: f64, h: f64) -> f64 {
        // Rows that are certain have neither gradient nor Hessian: no step.
        if g.abs() > 0.0 {
            (-g / (h + self.l2)).clamp(-self.max_step, self.max_step)
        } else {
            0.0
        }
    }
}

impl Target for Newton<'_> {
    #[inline]
    fn width(&self) -> usize {
        3
    }

    fn gather(&mut self, rows: &[u32]) {
        self.gathered.clear();
        self.gathered
            .extend(rows.iter().map(|&row| self.rows[row as usize]));
    }

    fn sum(&self, rows: &[u32], cell: &mut [f64]) {
        let mut sum = [0.0; 3];
        for &row in rows {
            let row = &self.rows[row as usize];
            sum[0] += row[0];
            sum[1] += row[1];
            sum[2] += row[2];
        }
        cell.copy_from_slice(&sum);
    }

    fn add(&self, codes: &[u8], rows: &[u32], cells: &mut [f64]) {
        let (cells, _) = cells.as_chunks_mut::<3>();
        let mut put = |code: u8, row: &[f64; 3]| {
            let cell = &mut cells[usize::from(code)];
            cell[0] += row[0];
            cell[1] += row[1];
            cell[2] += row[2];
        };
        if rows.len() == codes.len() {
            // Rows ascend without repeats, so these are all of them.
            for (&code, row) in codes.iter().zip(&self.gathered) {
                put(code, row);
            }
        } else {
            for (&at, row) in rows.iter().zip(&self.gathered) {
                put(codes[at as usize], row);
            }
        }
    }

    #[inline]
    fn add_one(&self, at: usize, cell: &mut [f64]) {
        for (sum, v) in cell.iter_mut().zip(&self.gathered[at]) {
            *sum += v;
        }
    }

    #[inline]
    fn mass(&self, cell: &[f64]) -> f64 {
        cell[2]
    }

    #[inline]
    fn score(&self, cell: &[f64]) -> f64 {
        let (g, h) = (cell[0], cell[1]);
        let v = self.step(g, h);
        -v * (2.0 * g + (h + self.l2) * v)
    }

    #[inline]
    fn admits(&self, cell: &[f64]) -> bool {
        cell[1] >= self.min_hessian
    }

    fn is_pure(&self, _: &[f64]) -> bool {
        false
    }

    fn leaf(&self, cell: &[f64], values: &mut Vec<f64>) {
        values.push(self.step(cell[0], cell[1]));
    }

    fn sweep(&self, cells: &[f64], node: &Node<'_>) -> Option<Swept> {
        let &[g, h, w] = node.total else { return None };
        let (mut g_left, mut h_left, mut w_left) = (0.0, 0.0, 0.0);
        let mut floor = node.floor;
        let mut last: Option<usize> = None;
        let mut swept = Swept {
            varies: false,
            best: None,
        };
        for (code, cell) in cells.as_chunks::<3>().0.iter().enumerate() {
            if cell[2] <= node.nothing {
                continue;
            }
            if let Some(last) = last {
                swept.varies = true;
                let (g_right, h_right, w_right) = (g - g_left, h - h_left, w - w_left);
                if w_right < node.least {
                    break;
                }
                if w_left >= node.least && h_left >= self.min_hessian && h_right >= self.min_hessian
                {
                    let left = self.score(&[g_left, h_left, w_left]);
                    let scores = left + self.score(&[g_right, h_right, w_right]);
                    let gain = scores - node.score;
                    if gain > floor && gain > floor + slack(scores, node.score) {
                        floor = gain;
                        swept.best = Some((gain, last, code));
                    }
                }
            }
            g_left += cell[0];
            h_left += cell[1];
            w_left += cell[2];
            last = Some(code);
        }
        Some(swept)
    }
}

/// How impure a leaf is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Criterion {
    /// 1 - sum of squared shares.
    Gini,
    /// -(sum of share times log share), in nats.
    Entropy,
}

/// Pure classes: a cell has the weight of each class. A leaf answers the class shares.
///
/// The score is minus the weight times the impurity, up to a part that is the same for every tree.
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
            gathered: Vec::with_capacity(y.len()),
            width,
            criterion,
        }
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

    fn sum(&self, rows: &[u32], cell: &mut [f64]) {
        cell.fill(0.0);
        for &row in rows {
            let row = row as usize;
            cell[self.y[row] as usize] += self.weights[row];
        }
    }

    fn add(&self, codes: &[u8], rows: &[u32], cells: &mut [f64]) {
        for (&at, &(class, w)) in rows.iter().zip(&self.gathered) {
            cells[usize::from(codes[at as usize]) * self.width + class as usize] += w;
        }
    }

    #[inline]
    fn add_one(&self, at: usize, cell: &mut [f64]) {
        let (class, w) = self.gathered[at];
        cell[class as usize] += w;
    }

    #[inline]
    fn mass(&self, cell: &[f64]) -> f64 {
        cell.iter().sum()
    }

    #[inline]
    fn score(&self, cell: &[f64]) -> f64 {
        let total: f64 = cell.iter().sum();
        match self.criterion {
            Criterion::Gini => cell.iter().map(|w| w * w).sum::<f64>() / total,
            Criterion::Entropy => {
                // A difference of histograms may leave a class a weight just below 0.
                let part = |w: f64| if w > 0.0 { w * w.ln() } else { 0.0 };
                cell.iter().map(|&w| part(w)).sum::<f64>() - part(total)
            }
        }
    }

    fn admits(&self, _: &[f64]) -> bool {
        true
    }

    fn is_pure(&self, cell: &[f64]) -> bool {
        cell.iter().filter(|w| **w > 0.0).count() < 2
    }

    fn leaf(&self, cell: &[f64], values: &mut Vec<f64>) {
        let total: f64 = cell.iter().sum();
        values.extend(cell.iter().map(|w| w / total));
    }
}
