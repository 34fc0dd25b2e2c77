//! The imbalance ratio at which one method overtakes another, with an interval.
//!
//! Points (x, d) are given with x = ln(ratio) and d = a - b, several a cluster. A curve d(x) is
//! fitted by least squares, and the crossover is where it passes zero:
//!
//! - `Ladder`: the mean difference at each ratio of a ladder, joined by straight lines in ln(ratio);
//!   it presumes nothing about the shape.
//! - `Line`: one straight line, for natural datasets of which each has a ratio of its own.
//!
//! The interval inverts a test instead of resampling the crossover, which has no finite variance when
//! the slope may be zero: a ratio x belongs to the undecided set unless the cluster-robust t test
//! rejects d(x) = 0,
//!
//! ```text
//! undecided = { x : d(x)^2 <= t(1 - alpha/2)^2 var d(x) }
//! ```
//!
//! (Fieller's construction.) Between knots d is linear and its variance quadratic in x, so the ends
//! are roots of quadratics. The undecided set holds every crossover; the band around one is its
//! confidence interval, and it is open on a side where it reaches the end of the observed ratios. If
//! there is no crossover, the bands still say where the two cannot be told apart.
//!
//! Cost: O(points + clusters * knots^2).
//!
//! # References
//!
//! E. C. Fieller (1954), Some problems in interval estimation, JRSS B 16, 175-185. A. C. Cameron and
//! D. L. Miller (2015), A practitioner's guide to cluster-robust inference, Journal of Human Resources
//! 50, 317-372.

use crate::error::{Result, StatsError, Unit, at_least, finite, no_overflow};
use crate::params::{Direction, Level};
use crate::special::student_upper_quantile;

mod fit;

use fit::{Fit, Point};

/// One comparison of two methods at one imbalance ratio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioPoint {
    /// Number of the cluster; equal numbers are related.
    pub cluster: usize,
    /// Imbalance ratio, at least 1.
    pub ratio: f64,
    /// a - b.
    pub difference: f64,
}

/// The curve that is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CrossoverCurve {
    /// Means at each distinct ratio, joined by lines; each ratio needs two clusters.
    #[default]
    Ladder,
    /// One line in ln(ratio); needs three clusters and two ratios.
    Line,
}

/// Which of the two methods is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The method a of the difference a - b.
    A,
    /// The method b.
    B,
}

/// A place where the fitted difference changes sign.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crossing {
    /// The imbalance ratio.
    pub ratio: f64,
    /// The better method above it.
    pub better_above: Side,
    /// Lower end of the confidence interval; `None` if no observed ratio below it is decided.
    pub lower: Option<f64>,
    /// Upper end; `None` if no observed ratio above it is decided.
    pub upper: Option<f64>,
}

/// A range of ratios.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioBand {
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

/// Crossings and undecided ratios within the observed range.
#[derive(Debug, Clone, PartialEq)]
pub struct Crossover {
    /// Changes of sign, from low to high ratio; a stretch on which the methods are exactly equal is
    /// none.
    pub crossings: Vec<Crossing>,
    /// Ratios at which neither method is significantly better.
    pub undecided: Vec<RatioBand>,
    /// Smallest and largest observed ratio.
    pub observed: RatioBand,
    /// Fitted mean difference at the knots (ladder) or the two ends (line), with its standard error.
    pub knots: Vec<Knot>,
    /// One minus the confidence.
    pub level: Level,
    /// Independent clusters.
    pub n_clusters: usize,
}

/// The fitted curve at one ratio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Knot {
    /// The ratio.
    pub ratio: f64,
    /// The fitted difference a - b.
    pub difference: f64,
    /// Its cluster-robust standard error.
    pub standard_error: f64,
}

/// Finds the crossovers of two methods along the imbalance ratio.
///
/// # Errors
///
/// [`StatsError::OutOfRange`] for a ratio below 1, [`StatsError::NotFinite`], [`StatsError::TooFew`]
/// with fewer than two distinct ratios, two clusters (three for a line), or two clusters at a rung of
/// the ladder.
///
/// # Examples
///
/// ```
/// use counterweight_stats::{CrossoverCurve, Direction, Level, RatioPoint, Side, crossover};
///
/// let mut points = Vec::new();
/// for cluster in 0..6 {
///     for (ratio, difference) in [(1.0, -0.02), (10.0, -0.01), (100.0, 0.03)] {
///         let difference = difference + 0.001 * f64::from(cluster as u32);
///         points.push(RatioPoint { cluster, ratio, difference });
///     }
/// }
/// let found = crossover(&points, Direction::LowerIsBetter, CrossoverCurve::Ladder, Level::FIVE_PERCENT)?;
/// let crossing = found.crossings[0];
/// assert!(crossing.ratio > 10.0 && crossing.ratio < 100.0);
/// assert_eq!(crossing.better_above, Side::B);
/// assert!(crossing.lower.is_some_and(|lower| lower < crossing.ratio));
/// # Ok::<(), counterweight_stats::StatsError>(())
/// ```
pub fn crossover(
    points: &[RatioPoint],
    direction: Direction,
    curve: CrossoverCurve,
    level: Level,
) -> Result<Crossover> {
    let points = checked(points)?;
    let n_clusters = points.last().map_or(0, |point| point.cluster + 1);
    at_least("a crossover", Unit::Clusters, n_clusters, 2)?;
    let mut rungs: Vec<f64> = points.iter().map(|point| point.x).collect();
    rungs.sort_by(f64::total_cmp);
    rungs.dedup_by(|a, b| a.total_cmp(b).is_eq());
    at_least("a crossover", Unit::Ratios, rungs.len(), 2)?;
    let (low, high) = (end(&rungs, false), end(&rungs, true));
    let fit = match curve {
        CrossoverCurve::Ladder => Fit::ladder(&points, rungs, n_clusters)?,
        CrossoverCurve::Line => {
            at_least("a crossover along a line", Unit::Clusters, n_clusters, 3)?;
            Fit::line(&points, low, high, n_clusters)
        }
    };
    for number in fit.numbers() {
        no_overflow(number, "a crossover")?;
    }
    let df = match curve {
        CrossoverCurve::Ladder => n_clusters - 1,
        CrossoverCurve::Line => n_clusters - 2,
    };
    let critical = student_upper_quantile(level.alpha() / 2.0, df as f64);
    let undecided = fit.undecided(critical);
    let crossings = fit
        .zeros()
        .into_iter()
        .map(|(x, rising)| {
            let band = undecided
                .iter()
                .find(|(start, stop)| *start <= x && x <= *stop);
            let (start, stop) = band.copied().unwrap_or((x, x));
            // Rising a - b: a becomes the larger one.
            let larger_is_worse = direction == Direction::LowerIsBetter;
            let better_above = if rising == larger_is_worse {
                Side::B
            } else {
                Side::A
            };
            Crossing {
                ratio: x.exp(),
                better_above,
                lower: (start > low).then(|| start.exp()),
                upper: (stop < high).then(|| stop.exp()),
            }
        })
        .collect();
    let band = |(start, stop): (f64, f64)| RatioBand {
        lower: start.exp(),
        upper: stop.exp(),
    };
    let knots = fit
        .knots
        .iter()
        .enumerate()
        .map(|(index, &x)| Knot {
            ratio: x.exp(),
            difference: fit.value(index),
            standard_error: fit.covariance(index, index).max(0.0).sqrt(),
        })
        .collect();
    Ok(Crossover {
        crossings,
        undecided: undecided.into_iter().map(band).collect(),
        observed: band((low, high)),
        knots,
        level,
        n_clusters,
    })
}

fn checked(points: &[RatioPoint]) -> Result<Vec<Point>> {
    let mut names: Vec<usize> = points.iter().map(|point| point.cluster).collect();
    names.sort_unstable();
    names.dedup();
    let mut out = Vec::with_capacity(points.len());
    for (index, point) in points.iter().enumerate() {
        let d = finite(point.difference, || format!("difference {index}"))?;
        let ratio = finite(point.ratio, || format!("ratio {index}"))?;
        if ratio < 1.0 {
            let (name, range) = (
                "imbalance ratio",
                "1 and more (largest over smallest class)",
            );
            return Err(StatsError::OutOfRange {
                name,
                value: ratio,
                range,
            });
        }
        let cluster = names.partition_point(|name| *name < point.cluster);
        out.push(Point {
            cluster,
            x: ratio.ln(),
            d,
        });
    }
    out.sort_by(|a, b| {
        a.cluster
            .cmp(&b.cluster)
            .then(a.x.total_cmp(&b.x))
            .then(a.d.total_cmp(&b.d))
    });
    Ok(out)
}

fn end(sorted: &[f64], last: bool) -> f64 {
    let value = if last { sorted.last() } else { sorted.first() };
    value.copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVEL: Level = Level::FIVE_PERCENT;

    fn ladder(curve: &[(f64, f64)], spread: f64) -> Vec<RatioPoint> {
        let mut points = Vec::new();
        for cluster in 0..10_usize {
            for (rung, &(ratio, mean)) in curve.iter().enumerate() {
                let wobble = spread * ((cluster * 7 + rung * 3) % 10) as f64 - 4.5 * spread;
                points.push(RatioPoint {
                    cluster,
                    ratio,
                    difference: mean + wobble,
                });
            }
        }
        points
    }

    fn run(points: &[RatioPoint], curve: CrossoverCurve) -> Crossover {
        crossover(points, Direction::LowerIsBetter, curve, LEVEL).unwrap()
    }

    #[test]
    fn a_line_is_found_by_both_curves() {
        let truth: Vec<(f64, f64)> = [1.0, 4.0, 16.0, 64.0]
            .map(|r: f64| (r, 0.02 * (r.ln() - 8.0_f64.ln())))
            .to_vec();
        for curve in [CrossoverCurve::Ladder, CrossoverCurve::Line] {
            let found = run(&ladder(&truth, 0.002), curve);
            let [crossing] = found.crossings.as_slice() else {
                panic!("one crossing: {found:?}")
            };
            assert!(
                (crossing.ratio / 8.0 - 1.0).abs() < 0.05,
                "{curve:?} {crossing:?}"
            );
            let (lower, upper) = (crossing.lower.unwrap(), crossing.upper.unwrap());
            assert!(lower < crossing.ratio && crossing.ratio < upper && upper < 16.0);
            assert_eq!(crossing.better_above, Side::B);
        }
    }

    #[test]
    fn the_ends_of_the_band_are_where_the_test_turns() {
        let truth = [(1.0, -0.02), (10.0, -0.01), (100.0, 0.03)];
        let points = ladder(&truth, 0.002);
        let found = run(&points, CrossoverCurve::Ladder);
        let upper = found.crossings[0].upper.unwrap();
        // The test at `upper` by hand: interpolate each cluster, one-sample t.
        let share = (upper.ln() - 10.0_f64.ln()) / 10.0_f64.ln();
        let at: Vec<f64> = points
            .chunks(3)
            .map(|c| c[1].difference * (1.0 - share) + c[2].difference * share)
            .collect();
        let mean = at.iter().sum::<f64>() / 10.0;
        let variance = at.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / 9.0;
        let t = mean / (variance / 10.0).sqrt();
        assert!((t - student_upper_quantile(0.025, 9.0)).abs() < 1e-9, "{t}");
    }

    #[test]
    fn no_crossing_but_an_undecided_start() {
        let found = run(
            &ladder(&[(1.0, 0.001), (100.0, 0.05)], 0.002),
            CrossoverCurve::Ladder,
        );
        assert!(found.crossings.is_empty());
        let [band] = found.undecided.as_slice() else {
            panic!("one band")
        };
        assert!((band.lower - 1.0).abs() < 1e-12 && band.upper < 100.0);
    }

    #[test]
    fn without_evidence_the_interval_is_open() {
        let found = run(
            &ladder(&[(1.0, -0.0001), (100.0, 0.0001)], 0.01),
            CrossoverCurve::Ladder,
        );
        let crossing = found.crossings[0];
        assert_eq!((crossing.lower, crossing.upper), (None, None));
    }

    #[test]
    fn the_direction_swaps_the_better_method() {
        let points = ladder(&[(1.0, -0.02), (100.0, 0.03)], 0.001);
        let found = crossover(
            &points,
            Direction::HigherIsBetter,
            CrossoverCurve::Ladder,
            LEVEL,
        )
        .unwrap();
        assert_eq!(found.crossings[0].better_above, Side::A);
    }

    #[test]
    fn identical_methods_cross_nowhere_and_are_undecided_everywhere() {
        let found = run(
            &ladder(&[(1.0, 0.0), (10.0, 0.0)], 0.0),
            CrossoverCurve::Ladder,
        );
        assert!(found.crossings.is_empty());
        assert_eq!(found.undecided.len(), 1);
        // Equal up to ratio 10, and a constant loss after it: no change of sign either.
        let late = run(
            &ladder(&[(1.0, 0.0), (10.0, 0.0), (99.0, 1.0)], 0.0),
            CrossoverCurve::Ladder,
        );
        assert!(late.crossings.is_empty());
    }

    #[test]
    fn too_little_is_an_error_value() {
        let both = |points: &[RatioPoint]| {
            [CrossoverCurve::Ladder, CrossoverCurve::Line]
                .map(|curve| crossover(points, Direction::LowerIsBetter, curve, LEVEL).is_err())
        };
        let point = |cluster, ratio, difference| RatioPoint {
            cluster,
            ratio,
            difference,
        };
        assert_eq!(both(&[]), [true, true]);
        assert_eq!(
            both(&[point(0, 1.0, 0.1), point(0, 2.0, 0.1)]),
            [true, true]
        );
        assert_eq!(
            both(&[point(0, 2.0, 0.1), point(1, 2.0, 0.1)]),
            [true, true]
        );
        assert_eq!(
            both(&[point(0, 1.0, 0.1), point(1, 2.0, 0.1)]),
            [true, true]
        );
        assert_eq!(
            both(&[point(0, 0.5, 0.1), point(1, 2.0, 0.1)]),
            [true, true]
        );
        assert_eq!(
            both(&[point(0, 1.0, f64::NAN), point(1, 2.0, 0.1)]),
            [true, true]
        );
    }
}
