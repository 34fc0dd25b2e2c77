//! What a linear rule gets right on a population, without a test row.
//!
//! Where every linear combination of a population's features is a mixture of normals
//! ([`Population::projection`]), the recalls of the rule "class 1 where `slopes . x > cut`" are sums of normal tails,
//! exact to rounding: a regret of 1e-6 can be told from none, for which test rows would have to be counted in 10^11.
//! On other rows the scores of a linear model are found again from the test rows themselves ([`Lines`]): whatever made
//! them (scaling, encoding, a library), they are affine in the features as drawn, or the rule is not linear.

use counterweight_core::{Matrix, Population};

use super::shared::normal_tail;

/// Most features: finding the rows that span them costs their square a row.
const MOST_FEATURES: usize = 200;
/// What scores that are affine may miss, relative to the largest of them.
const ROUNDING: f64 = 1e-8;

/// The recalls of the classes 0 and 1 under the rule that decides class 1 where `slopes . x > cut`, which may be
/// infinite; `None` where the population's projections are no mixtures of normals, or it has not two classes.
///
/// Cost: O(parts x features).
pub fn linear_recalls(population: &dyn Population, slopes: &[f64], cut: f64) -> Option<[f64; 2]> {
    if population.n_classes() != 2 || slopes.len() != population.n_features() {
        return None;
    }
    let above = |class: usize| -> Option<f64> {
        let parts = population.projection(class, slopes)?;
        let share = parts.iter().map(|part| {
            let beyond = if part.sd > 0.0 {
                normal_tail((cut - part.mean) / part.sd)
            } else {
                f64::from(u8::from(part.mean > cut))
            };
            part.weight * beyond
        });
        Some(share.sum())
    };
    Some([1.0 - above(0)?, above(1)?])
}

/// Rows that span the features, to read affine functions off.
#[derive(Clone, Debug, PartialEq)]
pub struct Lines {
    x: Matrix,
    /// A row, and one more for each feature.
    pivots: Vec<usize>,
    /// Orthonormal directions, one a feature.
    directions: Vec<Vec<f64>>,
    /// The differences of the pivots from the first, in these directions: lower triangular.
    triangle: Vec<Vec<f64>>,
}

impl Lines {
    /// Chooses the rows, each the furthest from what the ones before it span; `None` where they do not span all
    /// features, or these are more than 200.
    ///
    /// Cost: O(rows x features^2), memory O(rows x features).
    pub fn of(x: &Matrix) -> Option<Self> {
        let d = x.cols();
        if d == 0 || d > MOST_FEATURES || x.rows() <= d {
            return None;
        }
        let squares = |row: &[f64]| row.iter().map(|v| v * v).sum::<f64>();
        let furthest = |rest: &Matrix| {
            let lengths = rest.iter_rows().map(squares).enumerate();
            lengths.max_by(|a, b| a.1.total_cmp(&b.1))
        };
        let means: Vec<f64> = (0..d)
            .map(|j| x.column(j).iter().sum::<f64>() / x.rows() as f64)
            .collect();
        let centred = Matrix::from_fn(x.rows(), d, |i, j| x.at(i, j) - means[j]);
        let (first, wide) = furthest(&centred)?;
        let origin = x.row(first).to_vec();
        let mut rest = Matrix::from_fn(x.rows(), d, |i, j| x.at(i, j) - origin[j]);
        let (mut pivots, mut directions, mut triangle) = (vec![first], Vec::new(), Vec::new());
        for _ in 0..d {
            let (next, left) = furthest(&rest)?;
            // Written so that NaN does not pass.
            if !(left > 1e-18 * wide && left.is_finite()) {
                return None;
            }
            let along: Vec<f64> = rest.row(next).iter().map(|v| v / left.sqrt()).collect();
            for i in 0..rest.rows() {
                let row = rest.row_mut(i);
                let share: f64 = row.iter().zip(&along).map(|(v, q)| v * q).sum();
                row.iter_mut()
                    .zip(&along)
                    .for_each(|(v, q)| *v -= share * q);
            }
            directions.push(along);
            let step: Vec<f64> = (x.row(next).iter().zip(&origin))
                .map(|(v, o)| v - o)
                .collect();
            let shares = directions.iter().map(|q| {
                let products = q.iter().zip(&step).map(|(q, v)| q * v);
                products.sum::<f64>()
            });
            triangle.push(shares.collect::<Vec<f64>>());
            pivots.push(next);
        }
        Some(Self {
            x: x.clone(),
            pivots,
            directions,
            triangle,
        })
    }

    /// The slopes and the intercept of the affine function that has these values on the rows; `None` where none has
    /// them all but for rounding.
    ///
    /// Cost: O(rows x features).
    pub fn through(&self, values: &[f64]) -> Option<(Vec<f64>, f64)> {
        let scale = values.iter().fold(1.0, |most: f64, v| most.max(v.abs()));
        if values.len() != self.x.rows() || !scale.is_finite() {
            return None;
        }
        let origin = self.pivots[0];
        let mut along: Vec<f64> = Vec::with_capacity(self.directions.len());
        for (&pivot, shares) in self.pivots[1..].iter().zip(&self.triangle) {
            let known: f64 = shares.iter().zip(&along).map(|(s, a)| s * a).sum();
            along.push((values[pivot] - values[origin] - known) / shares[along.len()]);
        }
        let mut slopes = vec![0.0; self.x.cols()];
        for (q, a) in self.directions.iter().zip(&along) {
            slopes.iter_mut().zip(q).for_each(|(s, q)| *s += a * q);
        }
        let dot = |row: &[f64]| row.iter().zip(&slopes).map(|(x, s)| x * s).sum::<f64>();
        let intercept = values[origin] - dot(self.x.row(origin));
        let close =
            |(row, value): (&[f64], &f64)| (dot(row) + intercept - value).abs() <= ROUNDING * scale;
        let affine = self.x.iter_rows().zip(values).all(close);
        affine.then_some((slopes, intercept))
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract::{built, class_rows, has_codes};
    use super::super::gaussian_pair::GaussianPair;
    use super::super::{Extra, Recipe as _};
    use super::*;

    fn direction(d: usize) -> Vec<f64> {
        (0..d).map(|j| ((j * j + 3) as f64).cos()).collect()
    }

    #[test]
    fn the_best_line_has_the_bayes_error_and_plain_training_its_own() {
        let pair = GaussianPair::default().population().unwrap();
        let error = |cut: f64| {
            let [a, b] = linear_recalls(&*pair, &[2.0, 2.0], cut).unwrap();
            0.5 * (1.0 - a + 1.0 - b)
        };
        assert!((error(0.0) - 0.078_649_603_525_142_6).abs() < 1e-15);
        assert!((error(19.0_f64.ln()) - 0.180_770_286_478_417).abs() < 1e-12);
        assert!((error(f64::INFINITY) - 0.5).abs() < 1e-15);
        assert!((error(f64::NEG_INFINITY) - 0.5).abs() < 1e-15);
    }

    /// The law of a combination against rows; one that has no law is one whose combinations are no normals.
    #[test]
    fn projections_are_the_laws_of_the_rows() {
        let n = 20_000;
        let table = vec![vec![1.0, 0.5], vec![0.5, 2.0]];
        let wide = GaussianPair::default()
            .covariance(table)
            .shift(1.5)
            .extra(Extra::default().noise_features(2).redundant_features(3));
        let mut all = built();
        all.push(("wide".into(), wide.population().unwrap()));
        let mut judged = 0;
        for (id, population) in all {
            let d = population.n_features();
            if d > 30 {
                continue;
            }
            let w = direction(d);
            for class in 0..population.n_classes().min(3) {
                let Some(parts) = population.projection(class, &w) else {
                    assert!(
                        has_codes(&*population)
                            || ["student", "moons", "rings", "label-noise"]
                                .iter()
                                .any(|other| id.starts_with(other)),
                        "{id}"
                    );
                    continue;
                };
                judged += 1;
                let rows = class_rows(&*population, class, n);
                let seen: Vec<f64> = rows
                    .iter_rows()
                    .map(|row| row.iter().zip(&w).map(|(x, w)| x * w).sum())
                    .collect();
                for cut in [-3.0, -1.0, 0.0, 0.7, 2.0] {
                    let above = seen.iter().filter(|value| **value > cut).count() as f64 / n as f64;
                    let tails = parts
                        .iter()
                        .map(|part| part.weight * normal_tail((cut - part.mean) / part.sd));
                    let expected: f64 = tails.sum();
                    let gap = (above - expected).abs();
                    assert!(
                        gap < 5.0 * (0.25 / n as f64).sqrt(),
                        "{id} {class} {cut}: {gap}"
                    );
                }
            }
        }
        assert!(judged > 12, "{judged}");
    }

    #[test]
    fn affine_values_are_read_back_and_others_are_not() {
        for d in [1, 2, 7] {
            let x = Matrix::from_fn(40, d, |i, j| ((i * (j + 2)) as f64).sin() + 5.0);
            let lines = Lines::of(&x).unwrap();
            let w = direction(d);
            let value = |row: &[f64]| row.iter().zip(&w).map(|(x, w)| x * w).sum::<f64>() - 0.3;
            let mut values: Vec<f64> = x.iter_rows().map(value).collect();
            let (slopes, intercept) = lines.through(&values).unwrap();
            assert!((intercept + 0.3).abs() < 1e-11);
            assert!(slopes.iter().zip(&w).all(|(a, b)| (a - b).abs() < 1e-11));
            values[11] += 1e-3;
            assert!(lines.through(&values).is_none());
            values[11] = f64::NEG_INFINITY;
            assert!(lines.through(&values).is_none());
        }
        // Columns that depend on each other span nothing of their own.
        assert!(Lines::of(&Matrix::from_fn(10, 2, |i, j| (i * (j + 1)) as f64)).is_none());
        assert!(Lines::of(&Matrix::from_fn(2, 2, |i, j| (i + j) as f64)).is_none());
    }
}
