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
    /// Fits on training values, and what their rows weigh where they have weights (1 on average); NaN is missing. A
    /// column without any value becomes constant 0.
    pub(super) fn fit(values: &[f64], weights: Option<&[f64]>) -> Self {
        let own = |i: usize| weights.map_or(1.0, |weights| weights[i]);
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
        let median = if let Some(weights) = weights {
            weighted_median(values, weights)
        } else if known.len() % 2 == 1 {
            known[mid]
        } else {
            f64::midpoint(known[mid - 1], known[mid])
        };
        let n = values.len() as f64;
        let filled = |v: f64| if v.is_nan() { median } else { v };
        let mean = (values.iter().enumerate())
            .map(|(i, &v)| own(i) * (filled(v) / n))
            .sum::<f64>();
        // Two passes: the mean square minus the squared mean cancels for columns far from zero.
        let variance = values
            .iter()
            .enumerate()
            .map(|(i, &v)| own(i) * ((filled(v) - mean).powi(2) / n))
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

/// The value up to which the known values weigh half, midway to the next one where that is exact: the median of rows
/// that are repeated as often as they weigh.
fn weighted_median(values: &[f64], weights: &[f64]) -> f64 {
    let rows = values.iter().copied().zip(weights.iter().copied());
    let mut known: Vec<(f64, f64)> = rows.filter(|(v, w)| !v.is_nan() && *w > 0.0).collect();
    known.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = 0.5 * known.iter().map(|(_, w)| w).sum::<f64>();
    let mut below = 0.0;
    for (at, (value, weight)) in known.iter().enumerate() {
        below += weight;
        if below >= half * (1.0 - 1e-12) {
            let even = below <= half * (1.0 + 1e-12);
            let next = known.get(at + 1).filter(|_| even);
            return next.map_or(*value, |(next, _)| f64::midpoint(*value, *next));
        }
    }
    0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_values_take_the_median_before_scaling() {
        let scaler = Scaler::fit(&[1.0, f64::NAN, 3.0, 8.0], None);
        // Imputed: 1, 3, 3, 8; mean 3.75, population variance 6.6875.
        assert!((scaler.apply(f64::NAN) - (3.0 - 3.75) / 6.6875_f64.sqrt()).abs() < 1e-15);
        assert!((scaler.apply(8.0) - (8.0 - 3.75) / 6.6875_f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn a_weight_is_a_number_of_rows() {
        let values = [1.0, f64::NAN, 3.0, 8.0, 2.0];
        let counts = [2, 1, 3, 1, 1];
        let again: Vec<f64> = (values.iter().zip(counts))
            .flat_map(|(v, n)| vec![*v; n])
            .collect();
        let weights = counts.map(|n| n as f64 * 5.0 / 8.0);
        let (a, b) = (
            Scaler::fit(&values, Some(&weights)),
            Scaler::fit(&again, None),
        );
        for value in [f64::NAN, 0.0, 8.0] {
            assert!((a.apply(value) - b.apply(value)).abs() < 1e-14);
        }
        assert!((weighted_median(&[4.0, 1.0], &[1.0, 1.0]) - 2.5).abs() < 1e-15);
    }

    #[test]
    fn constant_columns_are_centred_only() {
        let scaler = Scaler::fit(&[0.1; 7], None);
        assert!(scaler.apply(0.1).abs() < 1e-15);
        assert!((scaler.apply(1.1) - 1.0).abs() < 1e-12);
        let far = Scaler::fit(&[1e9; 5], None);
        assert!((far.apply(1e9 + 1.0) - 1.0).abs() < 1e-6);
        let none = Scaler::fit(&[f64::NAN; 3], None);
        assert!(none.apply(f64::NAN).abs() < 1e-15);
    }
}
