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

    /// Adds up the gathered rows.
    fn total(&self, cell: &mut [f64]);

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

    fn total(&self, cell: &mut [f64]) {
        for row in &self.gathered {
            for (sum, v) in cell.iter_mut().zip(row) {
                *sum += v;
            }
        }
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

    fn total(&self, cell: &mut [f64]) {
        for &(class, w) in &self.gathered {
            cell[class as usize] += w;
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
