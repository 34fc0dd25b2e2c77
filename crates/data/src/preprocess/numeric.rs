//! One numeric column: median for missing values, then training mean and population deviation.

/// A fitted numeric column.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scaler {
    median: f64,
    mean: f64,
    /// Population deviation (divisor n); 1 for constant columns, which are only centred.
    deviation: f64,
}

impl Scaler {
    /// Fits on training values; NaN is missing. A column without any value becomes constant 0.
    pub(super) fn fit(values: &[f64]) -> Self {
        let mut known: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
        if known.is_empty() {
            return Self {
                median: 0.0,
                mean: 0.0,
                deviation: 1.0,
            };
        }
        known.sort_by(f64::total_cmp);
        let mid = known.len() / 2;
        let median = if known.len() % 2 == 1 {
            known[mid]
        } else {
            f64::midpoint(known[mid - 1], known[mid])
        };
        let n = values.len() as f64;
        let filled = |v: f64| if v.is_nan() { median } else { v };
        let mean = values.iter().map(|&v| filled(v) / n).sum::<f64>();
        // Two passes: the mean square minus the squared mean cancels for columns far from zero.
        let variance = values
            .iter()
            .map(|&v| (filled(v) - mean).powi(2) / n)
            .sum::<f64>();
        let deviation = variance.sqrt();
        // A constant column far from zero has a rounding-sized deviation, and dividing by it would
        // turn rounding errors into a feature.
        let noise = 10.0 * f64::EPSILON * mean.abs() * n.sqrt();
        let constant = known.first() == known.last() || deviation <= noise;
        Self {
            median,
            mean,
            deviation: if constant { 1.0 } else { deviation },
        }
    }

    pub(super) fn apply(&self, value: f64) -> f64 {
        let value = if value.is_nan() { self.median } else { value };
        (value - self.mean) / self.deviation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_values_take_the_median_before_scaling() {
        let scaler = Scaler::fit(&[1.0, f64::NAN, 3.0, 8.0]);
        // Imputed: 1, 3, 3, 8; mean 3.75, population variance 6.6875.
        assert!((scaler.apply(f64::NAN) - (3.0 - 3.75) / 6.6875_f64.sqrt()).abs() < 1e-15);
        assert!((scaler.apply(8.0) - (8.0 - 3.75) / 6.6875_f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn constant_columns_are_centred_only() {
        let scaler = Scaler::fit(&[0.1; 7]);
        assert!(scaler.apply(0.1).abs() < 1e-15);
        assert!((scaler.apply(1.1) - 1.0).abs() < 1e-12);
        let far = Scaler::fit(&[1e9; 5]);
        assert!((far.apply(1e9 + 1.0) - 1.0).abs() < 1e-6);
        let none = Scaler::fit(&[f64::NAN; 3]);
        assert!(none.apply(f64::NAN).abs() < 1e-15);
    }
}
