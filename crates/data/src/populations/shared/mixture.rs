//! Mixtures of Gaussians, or of Student laws, of one shape.

use counterweight_core::{Matrix, NormalPart, Population, Stream, log_sum_exp};
use rand::RngExt as _;
use rand_distr::{ChiSquared, StandardNormal};

use super::super::{LOG_TAU, assert_class};

/// One component of a class.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Its share of the class.
    pub(crate) weight: f64,
    pub(crate) mean: Vec<f64>,
    /// What the common shape is scaled by.
    pub(crate) sd: f64,
}

impl Part {
    /// All of a class, as wide as the common shape.
    pub(crate) fn at(mean: Vec<f64>) -> Self {
        Self {
            weight: 1.0,
            mean,
            sd: 1.0,
        }
    }
}

/// Classes of components `mean + sd L z`, with z standard normal, or a Student vector.
#[derive(Clone, Debug)]
pub(crate) struct Mixture {
    classes: Vec<Vec<Part>>,
    dim: usize,
    /// L, row by row, and the logarithm of its determinant; none is the identity.
    factor: Option<(Vec<f64>, f64)>,
    /// Degrees of freedom; none is Gaussian.
    df: Option<f64>,
    bayes: Option<f64>,
}

impl Mixture {
    /// Classes with at least one component, all of as many dimensions.
    pub(crate) fn new(classes: Vec<Vec<Part>>) -> Self {
        let dim = classes[0][0].mean.len();
        Self {
            classes,
            dim,
            factor: None,
            df: None,
            bayes: None,
        }
    }

    /// With this lower triangle as L.
    pub(crate) fn shaped(self, factor: Vec<f64>) -> Self {
        let log_det = (0..self.dim).map(|i| factor[i * self.dim + i].ln()).sum();
        Self {
            factor: Some((factor, log_det)),
            ..self
        }
    }

    /// With Student's tails.
    pub(crate) fn tailed(self, df: f64) -> Self {
        Self {
            df: Some(df),
            ..self
        }
    }

    /// With `by` added to every coordinate.
    pub(crate) fn moved(mut self, by: f64) -> Self {
        for part in self.classes.iter_mut().flatten() {
            for m in &mut part.mean {
                *m += by;
            }
        }
        self
    }

    /// With this Bayes-optimal balanced error.
    pub(crate) fn with_bayes(self, error: f64) -> Self {
        Self {
            bayes: Some(error),
            ..self
        }
    }

    /// The log density of the standard law at this squared distance.
    fn log_kernel(&self, squares: f64) -> f64 {
        let d = self.dim as f64;
        match self.df {
            None => -0.5 * (d * LOG_TAU + squares),
            Some(df) => {
                let constant = libm::lgamma(0.5 * (df + d)) - libm::lgamma(0.5 * df);
                let spread = 0.5 * d * (df * std::f64::consts::PI).ln();
                constant - spread - 0.5 * (df + d) * (squares / df).ln_1p()
            }
        }
    }

    fn log_part(&self, part: &Part, x: &[f64]) -> f64 {
        let from = x
            .iter()
            .zip(&part.mean)
            .map(|(x, mean)| (x - mean) / part.sd);
        let (squares, log_det) = match &self.factor {
            None => (from.map(|r| r.powi(2)).sum(), 0.0),
            Some((factor, log_det)) => (squared_norm_of(factor, from), *log_det),
        };
        part.weight.ln() + self.log_kernel(squares) - self.dim as f64 * part.sd.ln() - log_det
    }
}

/// The squared length of `L^-1 v`.
pub(crate) fn squared_norm_of(factor: &[f64], v: impl ExactSizeIterator<Item = f64>) -> f64 {
    let dim = v.len();
    let mut solved: Vec<f64> = Vec::with_capacity(dim);
    for (i, value) in v.enumerate() {
        let row = &factor[i * dim..];
        let known: f64 = row.iter().zip(&solved).map(|(l, r)| l * r).sum();
        solved.push((value - known) / row[i]);
    }
    solved.iter().map(|r| r.powi(2)).sum()
}

/// The lower triangle L with `L L' = matrix`, row by row; `None` unless the matrix is symmetric and positive definite.
pub(crate) fn cholesky(matrix: &[Vec<f64>]) -> Option<Vec<f64>> {
    let dim = matrix.len();
    let mut factor = vec![0.0; dim * dim];
    for i in 0..dim {
        for j in 0..=i {
            let known: f64 = (0..j)
                .map(|k| factor[i * dim + k] * factor[j * dim + k])
                .sum();
            let rest = matrix[i][j] - known;
            if (matrix[i][j] - matrix[j][i]).abs() > 1e-12 || (i == j && rest <= 0.0) {
                return None;
            }
            factor[i * dim + j] = if i == j {
                rest.sqrt()
            } else {
                rest / factor[j * dim + j]
            };
        }
    }
    Some(factor)
}

impl Population for Mixture {
    fn n_classes(&self) -> usize {
        self.classes.len()
    }

    fn n_features(&self) -> usize {
        self.dim
    }

    fn sample(&self, class: usize, n: usize, stream: &mut Stream) -> Matrix {
        assert_class(class, self.n_classes());
        let parts = &self.classes[class];
        let mut rows = Matrix::zeros(n, self.dim);
        for i in 0..n {
            let mut part = &parts[0];
            if parts.len() > 1 {
                let mut left = stream.random::<f64>();
                for other in parts {
                    part = other;
                    left -= other.weight;
                    if left < 0.0 {
                        break;
                    }
                }
            }
            let row = rows.row_mut(i);
            row.fill_with(|| stream.sample::<f64, _>(StandardNormal));
            if let Some((factor, _)) = &self.factor {
                for j in (0..self.dim).rev() {
                    let own = &factor[j * self.dim..=j * self.dim + j];
                    row[j] = own.iter().zip(&*row).map(|(l, z)| l * z).sum();
                }
            }
            let tail = self.df.and_then(|df| Some((df, ChiSquared::new(df).ok()?)));
            let scale = match tail {
                None => part.sd,
                Some((df, law)) => part.sd * (df / stream.sample::<f64, _>(law)).sqrt(),
            };
            for (value, mean) in row.iter_mut().zip(&part.mean) {
                *value = mean + scale * *value;
            }
        }
        rows
    }

    fn log_density(&self, class: usize, x: &[f64]) -> f64 {
        assert_class(class, self.n_classes());
        match &*self.classes[class] {
            [part] => self.log_part(part, x),
            parts => {
                let logs: Vec<f64> = parts.iter().map(|part| self.log_part(part, x)).collect();
                log_sum_exp(&logs)
            }
        }
    }

    fn moments(&self, class: usize) -> Option<(Vec<f64>, Vec<f64>)> {
        let tail = match self.df {
            None => 1.0,
            Some(df) if df > 2.0 => df / (df - 2.0),
            Some(_) => return None,
        };
        let dim = self.dim;
        let (mut mean, mut covariance) = (vec![0.0; dim], vec![0.0; dim * dim]);
        let parts = &self.classes[class];
        for part in parts {
            for (sum, m) in mean.iter_mut().zip(&part.mean) {
                *sum += part.weight * m;
            }
        }
        for (i, j) in (0..dim).flat_map(|i| (0..dim).map(move |j| (i, j))) {
            let shape = match &self.factor {
                None => f64::from(u8::from(i == j)),
                Some((l, _)) => (0..dim).map(|k| l[i * dim + k] * l[j * dim + k]).sum(),
            };
            let spread = |p: &Part| {
                let between = (p.mean[i] - mean[i]) * (p.mean[j] - mean[j]);
                p.weight * (tail * shape * p.sd.powi(2) + between)
            };
            covariance[i * dim + j] = parts.iter().map(spread).sum();
        }
        Some((mean, covariance))
    }

    fn projection(&self, class: usize, direction: &[f64]) -> Option<Vec<NormalPart>> {
        if self.df.is_some() {
            return None;
        }
        let dim = self.dim;
        // The length of L' direction.
        let spread = match &self.factor {
            None => direction.iter().map(|w| w * w).sum::<f64>(),
            Some((l, _)) => (0..dim)
                .map(|k| {
                    let column = (k..dim).map(|i| l[i * dim + k] * direction[i]);
                    column.sum::<f64>().powi(2)
                })
                .sum(),
        };
        let of = |part: &Part| NormalPart {
            weight: part.weight,
            mean: part.mean.iter().zip(direction).map(|(m, w)| m * w).sum(),
            sd: part.sd * spread.sqrt(),
        };
        Some(self.classes[class].iter().map(of).collect())
    }

    fn bayes_error(&self) -> Option<f64> {
        self.bayes
    }
}
