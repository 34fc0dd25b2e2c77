//! The fitted curve: values at knots, their covariance, zeros and undecided stretches.

use crate::error::{Result, Unit, at_least};

/// A point with dense cluster numbers and x = ln(ratio), sorted by cluster and x.
#[derive(Clone, Copy)]
pub(super) struct Point {
    pub(super) cluster: usize,
    pub(super) x: f64,
    pub(super) d: f64,
}

/// A continuous piecewise linear curve by its values at knots, and their covariance.
pub(super) struct Fit {
    pub(super) knots: Vec<f64>,
    values: Vec<f64>,
    covariances: Vec<f64>,
}

impl Fit {
    /// Level means `m_k`; cov(k, l) = f * `sum_c` `r_ck` `r_cl` / (`n_k` `n_l`) with cluster residual sums r.
    pub(super) fn ladder(points: &[Point], rungs: Vec<f64>, n_clusters: usize) -> Result<Self> {
        let width = rungs.len();
        let rung = |x: f64| rungs.partition_point(|knot| *knot < x);
        let (mut sums, mut counts) = (vec![0.0; width], vec![0.0; width]);
        let mut seen = vec![0_usize; width * n_clusters];
        for point in points {
            let k = rung(point.x);
            if let (Some(sum), Some(count)) = (sums.get_mut(k), counts.get_mut(k)) {
                *sum += point.d;
                *count += 1.0;
            }
            if let Some(slot) = seen.get_mut(point.cluster * width + k) {
                *slot += 1;
            }
        }
        for k in 0..width {
            let clusters = seen
                .iter()
                .skip(k)
                .step_by(width)
                .filter(|&&count| count > 0)
                .count();
            at_least("each ratio of a ladder", Unit::Clusters, clusters, 2)?;
        }
        let values: Vec<f64> = sums
            .iter()
            .zip(&counts)
            .map(|(sum, count)| sum / count)
            .collect();
        let mut influence = vec![0.0; width * n_clusters];
        for point in points {
            let k = rung(point.x);
            let mean = values.get(k).copied().unwrap_or(0.0);
            let count = counts.get(k).copied().unwrap_or(1.0);
            if let Some(slot) = influence.get_mut(point.cluster * width + k) {
                *slot += (point.d - mean) / count;
            }
        }
        // C/(C-1) makes a complete ladder's test at a rung the one-sample t test.
        let clusters = n_clusters as f64;
        let factor = clusters / (clusters - 1.0);
        let covariances = gram(&influence, width, factor);
        Ok(Self {
            knots: rungs,
            values,
            covariances,
        })
    }

    /// Ordinary least squares, expressed by the values at both ends, with the CR1 factor
    /// C/(C-1) (N-1)/(N-2).
    pub(super) fn line(points: &[Point], low: f64, high: f64, n_clusters: usize) -> Self {
        let count = points.len() as f64;
        let centre = points.iter().map(|point| point.x).sum::<f64>() / count;
        let mean = points.iter().map(|point| point.d).sum::<f64>() / count;
        let spread: f64 = points.iter().map(|point| (point.x - centre).powi(2)).sum();
        let slope = points
            .iter()
            .map(|point| (point.x - centre) * (point.d - mean))
            .sum::<f64>()
            / spread;
        let at = |x: f64| mean + slope * (x - centre);
        let mut influence = vec![0.0; 2 * n_clusters];
        for point in points {
            let residual = point.d - at(point.x);
            for (offset, x) in [low, high].into_iter().enumerate() {
                let leverage = 1.0 / count + (x - centre) * (point.x - centre) / spread;
                if let Some(slot) = influence.get_mut(2 * point.cluster + offset) {
                    *slot += leverage * residual;
                }
            }
        }
        let clusters = n_clusters as f64;
        let factor = clusters / (clusters - 1.0) * (count - 1.0) / (count - 2.0);
        let covariances = gram(&influence, 2, factor);
        Self {
            knots: vec![low, high],
            values: vec![at(low), at(high)],
            covariances,
        }
    }

    pub(super) fn value(&self, knot: usize) -> f64 {
        self.values.get(knot).copied().unwrap_or(0.0)
    }

    pub(super) fn covariance(&self, a: usize, b: usize) -> f64 {
        self.covariances
            .get(a * self.knots.len() + b)
            .copied()
            .unwrap_or(0.0)
    }

    /// Every fitted number, to be checked for overflow.
    pub(super) fn numbers(&self) -> impl Iterator<Item = f64> {
        self.values.iter().chain(&self.covariances).copied()
    }

    /// Strict changes of sign, with whether the curve rises there.
    pub(super) fn zeros(&self) -> Vec<(f64, bool)> {
        let mut zeros = Vec::new();
        // The last knot with a value that is not zero.
        let mut before: Option<(f64, f64, usize)> = None;
        for (index, &x) in self.knots.iter().enumerate() {
            let value = self.value(index);
            if value.abs() <= 0.0 {
                continue;
            }
            if let Some((last_x, last, last_index)) = before
                && (last < 0.0) != (value < 0.0)
            {
                // Across knots that are exactly zero the middle of the stretch stands for it.
                let place = if index == last_index + 1 {
                    last_x + (x - last_x) * last / (last - value)
                } else {
                    let first = self.knots.get(last_index + 1).copied().unwrap_or(last_x);
                    let second = self.knots.get(index - 1).copied().unwrap_or(x);
                    0.5 * (first + second)
                };
                zeros.push((place, value > 0.0));
            }
            before = Some((x, value, index));
        }
        zeros
    }

    /// Maximal ranges of x with d(x)^2 <= t^2 var(x).
    pub(super) fn undecided(&self, critical: f64) -> Vec<(f64, f64)> {
        let mut bands: Vec<(f64, f64)> = Vec::new();
        for (left, pair) in self.knots.windows(2).enumerate() {
            let [from, to] = pair else { continue };
            for (start, stop) in self.undecided_share(left, critical) {
                let (start, stop) = (from + start * (to - from), from + stop * (to - from));
                match bands.last_mut() {
                    // Neighbouring segments share their knot.
                    Some(band) if start <= band.1 => band.1 = band.1.max(stop),
                    _ => bands.push((start, stop)),
                }
            }
        }
        bands
    }

    /// The same on the segment from knot `left`, in u from 0 to 1:
    /// g(u) = d(u)^2 - t^2 var(u) = a u^2 + b u + c <= 0.
    fn undecided_share(&self, left: usize, critical: f64) -> Vec<(f64, f64)> {
        let right = left + 1;
        let (d0, rise) = (self.value(left), self.value(right) - self.value(left));
        let square = critical * critical;
        let (v0, v1) = (self.covariance(left, left), self.covariance(right, right));
        let cross = self.covariance(left, right);
        let a = rise * rise - square * (v0 + v1 - 2.0 * cross);
        let b = 2.0 * d0 * rise - square * 2.0 * (cross - v0);
        let c = d0 * d0 - square * v0;
        let g = |u: f64| (a * u + b) * u + c;
        let mut cuts = vec![0.0];
        cuts.extend(roots(a, b, c).into_iter().filter(|u| *u > 0.0 && *u < 1.0));
        cuts.push(1.0);
        cuts.windows(2)
            .filter_map(|pair| {
                let [start, stop] = pair else { return None };
                (g(0.5 * (start + stop)) <= 0.0).then_some((*start, *stop))
            })
            .collect()
    }
}

/// factor * sum over clusters of the outer products of their rows of `width` values.
fn gram(rows: &[f64], width: usize, factor: f64) -> Vec<f64> {
    let mut out = vec![0.0; width * width];
    for row in rows.chunks(width) {
        for (line, a) in out.chunks_mut(width).zip(row) {
            for (slot, b) in line.iter_mut().zip(row) {
                *slot += factor * a * b;
            }
        }
    }
    out
}

/// Real roots of a u^2 + b u + c in ascending order, without cancellation; none if all vanish.
fn roots(a: f64, b: f64, c: f64) -> Vec<f64> {
    let discriminant = b * b - 4.0 * a * c;
    if discriminant < 0.0 {
        return Vec::new();
    }
    let half = -0.5 * (b + discriminant.sqrt().copysign(b));
    let mut found = Vec::new();
    if a.abs() > 0.0 {
        found.push(half / a);
    }
    if half.abs() > 0.0 {
        found.push(c / half);
    }
    found.retain(|root| root.is_finite());
    found.sort_by(f64::total_cmp);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_of_every_kind() {
        assert_eq!(roots(1.0, -3.0, 2.0), [1.0, 2.0]);
        assert_eq!(roots(0.0, 2.0, -1.0), [0.5]);
        assert!(roots(1.0, 0.0, 1.0).is_empty());
        assert!(roots(0.0, 0.0, 0.0).is_empty());
        // b^2 far above 4 a c: the textbook formula loses the small root.
        let [small, large] = roots(1.0, -1e9, 1.0)[..] else {
            panic!("two roots")
        };
        assert!((small - 1e-9).abs() < 1e-20 && (large - 1e9).abs() < 1.0);
    }

    #[test]
    fn a_stretch_of_zeros_counts_once() {
        let fit = |values: Vec<f64>| Fit {
            knots: (0..values.len()).map(|i| i as f64).collect(),
            covariances: vec![0.0; values.len() * values.len()],
            values,
        };
        assert_eq!(fit(vec![-1.0, 0.0, 0.0, 1.0]).zeros(), [(1.5, true)]);
        assert!(fit(vec![1.0, 0.0, 1.0]).zeros().is_empty());
        assert!(fit(vec![0.0, 0.0, 1.0]).zeros().is_empty());
        assert_eq!(
            fit(vec![1.0, -1.0, 1.0]).zeros(),
            [(0.5, false), (1.5, true)]
        );
    }
}
