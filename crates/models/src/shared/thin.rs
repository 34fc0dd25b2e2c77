//! The covariance of fewer rows than columns, by the few directions in which the rows vary.

use counterweight_core::{Matrix, limit};
use counterweight_numeric::eigen::Eigen;
use counterweight_numeric::linalg::add_scaled;

use super::views::{gram, view};

/// The eigenvalues above 0 of `share R'R`, descending, with their unit eigenvectors; on everything at right
/// angles to those it is 0. O(n^2 d) for n rows, by way of `R R'`.
#[derive(Debug)]
pub(crate) struct Thin {
    pub(crate) values: Vec<f64>,
    /// One a row.
    pub(crate) directions: Matrix,
}

impl Thin {
    pub(crate) fn new(share: f64, rows: &Matrix) -> Self {
        let (n, d) = (rows.rows(), rows.cols());
        let mut products = vec![0.0; n * n];
        gram(share, &view(n, d, rows.as_slice()).t(), &mut products);
        let Eigen {
            mut values,
            vectors,
        } = Eigen::symmetric(n, products);
        let noise = n as f64 * f64::EPSILON * values.first().copied().unwrap_or(0.0);
        values.truncate(values.iter().take_while(|v| **v > noise).count());
        let mut directions = Matrix::zeros(values.len(), d);
        for (r, value) in values.iter().enumerate() {
            limit::ask();
            let scale = (share / value).sqrt();
            for (row, along) in rows.iter_rows().zip(&vectors[r * n..]) {
                add_scaled(directions.row_mut(r), scale * along, row);
            }
        }
        Self { values, directions }
    }
}

#[cfg(test)]
mod tests {
    use counterweight_core::{LossTerms, Matrix, ParamValue};

    use crate::testing::{blobs, fit, gap, train};

    /// `half log det` and the squared distance from `centre` by a covariance, by elimination.
    fn dense(mut a: Vec<Vec<f64>>, x: &[f64]) -> (f64, f64) {
        let (n, mut half, mut b) = (x.len(), 0.0, x.to_vec());
        for i in 0..n {
            half += 0.5 * a[i][i].ln();
            for r in i + 1..n {
                let factor = a[r][i] / a[i][i];
                let pivot = a[i].clone();
                for (v, p) in a[r][i..n].iter_mut().zip(&pivot[i..n]) {
                    *v -= factor * p;
                }
                b[r] -= factor * b[i];
            }
        }
        for i in (0..n).rev() {
            b[i] = (b[i] - (i + 1..n).map(|c| a[i][c] * b[c]).sum::<f64>()) / a[i][i];
        }
        (half, x.iter().zip(&b).map(|(x, b)| x * b).sum())
    }

    /// The mean of these rows, and their covariance around it times `share`, with `ridge` on its diagonal.
    fn spread(x: &Matrix, rows: &[usize]) -> (Vec<f64>, Vec<Vec<f64>>) {
        let (n, d) = (rows.len() as f64, x.cols());
        let mean: Vec<f64> = (0..d)
            .map(|j| rows.iter().map(|&i| x.at(i, j)).sum::<f64>() / n)
            .collect();
        let entry = |a: usize, b: usize| {
            let product = |&i: &usize| (x.at(i, a) - mean[a]) * (x.at(i, b) - mean[b]);
            rows.iter().map(product).sum::<f64>()
        };
        let sums = (0..d)
            .map(|a| (0..d).map(|b| entry(a, b)).collect())
            .collect();
        (mean, sums)
    }

    #[test]
    fn more_columns_than_rows_are_what_a_dense_covariance_gives() {
        let (x, y) = blobs(60, &[9, 5], 20);
        let terms = LossTerms::cross_entropy(2);
        let rows = |class: u32| (0..14).filter(|&i| y[i] == class).collect::<Vec<_>>();
        let parts = [spread(&x, &rows(0)), spread(&x, &rows(1))];
        let logits = |of: &dyn Fn(usize, &[f64]) -> f64| {
            let log = Matrix::from_fn(14, 2, |i, k| {
                let off: Vec<f64> = x
                    .row(i)
                    .iter()
                    .zip(&parts[k].0)
                    .map(|(x, m)| x - m)
                    .collect();
                ([9.0, 5.0_f64][k] / 14.0).ln() - of(k, &off)
            });
            counterweight_core::Scores::logits(log).unwrap()
        };
        let shrinkage = 0.3;
        let mut pooled: Vec<Vec<f64>> = (0..20)
            .map(|a| {
                (0..20)
                    .map(|b| (parts[0].1[a][b] + parts[1].1[a][b]) / 14.0)
                    .collect()
            })
            .collect();
        let ridge = shrinkage * (0..20).map(|j| pooled[j][j]).sum::<f64>() / 20.0;
        for (a, row) in pooled.iter_mut().enumerate() {
            for (b, value) in row.iter_mut().enumerate() {
                *value = (1.0 - shrinkage) * *value + if a == b { ridge } else { 0.0 };
            }
        }
        let given = [("shrinkage", ParamValue::Real(shrinkage))];
        let lda = fit("lda", &given, &train(&x, &y, 2), &terms);
        assert!((lda.details["rank"] - 20.0).abs() < 0.5);
        let expected = logits(&|_, off| 0.5 * dense(pooled.clone(), off).1);
        assert!(gap(&lda.scores(&x), &expected) < 1e-9);

        let given = [("reg_param", ParamValue::Real(0.2))];
        let qda = fit("qda", &given, &train(&x, &y, 2), &terms);
        let expected = logits(&|k, off| {
            let n = [9.0, 5.0][k];
            let own =
                |a: usize, b: usize| 0.8 * parts[k].1[a][b] / n + if a == b { 0.2 } else { 0.0 };
            let own = (0..20)
                .map(|a| (0..20).map(|b| own(a, b)).collect())
                .collect();
            let (half, squared) = dense(own, off);
            half + 0.5 * squared
        });
        assert!(gap(&qda.scores(&x), &expected) < 1e-9);
    }

    #[test]
    fn columns_that_do_not_vary_make_no_difference_to_lda() {
        let (x, y) = blobs(61, &[12, 8], 3);
        let wide = Matrix::from_fn(20, 30, |i, j| if j < 3 { x.at(i, j) } else { 7.0 });
        let terms = LossTerms::cross_entropy(2);
        let tall = fit("lda", &[], &train(&x, &y, 2), &terms);
        let thin = fit("lda", &[], &train(&wide, &y, 2), &terms);
        assert!((thin.details["rank"] - 3.0).abs() < 0.5);
        assert!(gap(&tall.scores(&x), &thin.scores(&wide)) < 1e-9);
    }
}
