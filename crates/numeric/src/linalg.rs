//! The little linear algebra that there is need of, on row-major slices.

use counterweight_core::limit;

/// Inner product. Four running sums let the compiler vectorise; the order is fixed.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (a4, a_rest) = a.as_chunks::<4>();
    let (b4, b_rest) = b.as_chunks::<4>();
    for (x, y) in a4.iter().zip(b4) {
        for lane in 0..4 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest
}

/// `y += scale * x`.
pub fn add_scaled(y: &mut [f64], scale: f64, x: &[f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += scale * x;
    }
}

/// Squared Euclidean distance, summed in column order.
pub fn squared_distance_by_column(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// Squared Euclidean distance, summed directly (no cancellation between large norms) in four running
/// sums: quicker than [`squared_distance_by_column`], with other last bits.
pub fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (a4, a_rest) = a.as_chunks::<4>();
    let (b4, b_rest) = b.as_chunks::<4>();
    for (x, y) in a4.iter().zip(b4) {
        for lane in 0..4 {
            let gap = x[lane] - y[lane];
            sums[lane] += gap * gap;
        }
    }
    let rest: f64 = a_rest
        .iter()
        .zip(b_rest)
        .map(|(x, y)| (x - y) * (x - y))
        .sum();
    (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest
}

/// Cholesky factor of a positive semi-definite matrix, without the rows and columns that depend
/// linearly on those before them.
///
/// Leaving a dependent coordinate out fixes it where it is: the additive constant that a softmax
/// does not see, a constant column beside the intercept, one of two equal columns. A ridge in its
/// place would move the solution instead.
#[derive(Debug)]
pub struct SemiCholesky {
    n: usize,
    lower: Vec<f64>,
    dropped: Vec<bool>,
}

impl SemiCholesky {
    /// A pivot below this share of its diagonal entry counts as linear dependence: some hundred
    /// rounding errors of a matrix of a few hundred rows.
    const DEPENDENT: f64 = 1e-12;

    /// Factors the symmetric `matrix` (`n x n`, row-major; the lower triangle is read).
    pub fn factor(n: usize, mut matrix: Vec<f64>) -> Self {
        let mut dropped = vec![false; n];
        for i in 0..n {
            limit::ask_at(i);
            let (above, rest) = matrix.split_at_mut(i * n);
            let row = &mut rest[..n];
            for j in 0..i {
                let done = &above[j * n..=j * n + j];
                row[j] = if dropped[j] {
                    0.0
                } else {
                    (row[j] - dot(&row[..j], &done[..j])) / done[j]
                };
            }
            let diagonal = row[i];
            let pivot = diagonal - dot(&row[..i], &row[..i]);
            if pivot > Self::DEPENDENT * diagonal && pivot.is_finite() {
                row[i] = pivot.sqrt();
            } else {
                dropped[i] = true;
                row[..=i].fill(0.0);
            }
        }
        Self {
            n,
            lower: matrix,
            dropped,
        }
    }

    /// Solves in place; dropped coordinates get 0.
    pub fn solve(&self, b: &mut [f64]) {
        let n = self.n;
        for i in 0..n {
            b[i] = if self.dropped[i] {
                0.0
            } else {
                let row = &self.lower[i * n..=i * n + i];
                (b[i] - dot(&row[..i], &b[..i])) / row[i]
            };
        }
        for i in (0..n).rev() {
            if self.dropped[i] {
                continue;
            }
            let row = &self.lower[i * n..=i * n + i];
            b[i] /= row[i];
            let value = b[i];
            add_scaled(&mut b[..i], -value, &row[..i]);
        }
    }

    /// Number of coordinates that were left out.
    #[cfg(test)]
    pub fn n_dropped(&self) -> usize {
        self.dropped.iter().filter(|d| **d).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_regular_system_is_solved() {
        let a = vec![25.0, 15.0, -5.0, 15.0, 18.0, 0.0, -5.0, 0.0, 11.0];
        let solution = [1.0, -2.0, 3.0];
        let mut b: Vec<f64> = (0..3)
            .map(|i| dot(&a[i * 3..i * 3 + 3], &solution))
            .collect();
        let factor = SemiCholesky::factor(3, a);
        factor.solve(&mut b);
        assert_eq!(factor.n_dropped(), 0);
        for (found, expected) in b.iter().zip(&solution) {
            assert!((found - expected).abs() < 1e-13);
        }
    }

    #[test]
    fn a_dependent_coordinate_is_left_out() {
        // The third row is the sum of the first two: the system is solved on those.
        let v = [[1.0, 2.0, 0.5], [0.0, 1.0, -1.0]];
        let columns = [
            [v[0][0], v[1][0]],
            [v[0][1], v[1][1]],
            [v[0][0] + v[0][1], v[1][0] + v[1][1]],
        ];
        let mut a = vec![0.0; 9];
        for i in 0..3 {
            for j in 0..3 {
                a[i * 3 + j] = dot(&columns[i], &columns[j]);
            }
        }
        let target = [2.0, -1.0];
        let mut b: Vec<f64> = columns.iter().map(|c| dot(c, &target)).collect();
        let rhs = b.clone();
        let factor = SemiCholesky::factor(3, a.clone());
        factor.solve(&mut b);
        assert_eq!(factor.n_dropped(), 1);
        assert!(b[2].abs() < f64::MIN_POSITIVE);
        for i in 0..3 {
            assert!((dot(&a[i * 3..i * 3 + 3], &b) - rhs[i]).abs() < 1e-12);
        }
    }

    #[test]
    fn products_and_distances_of_odd_lengths() {
        let a: Vec<f64> = (0..7).map(f64::from).collect();
        let b = vec![2.0; 7];
        assert!((dot(&a, &b) - 42.0).abs() < 1e-12);
        let direct: f64 = a.iter().map(|x| (x - 2.0) * (x - 2.0)).sum();
        assert!((squared_distance(&a, &b) - direct).abs() < 1e-12);
    }
}
