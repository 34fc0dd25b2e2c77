//! Each correction of a model against no correction, paired: how much, how sure, from which ratio on,
//! and what it pays in other metrics.

use std::collections::BTreeMap;

use counterweight_stats::{
    BayesianOptions, BootstrapOptions, Crossover, CrossoverCurve, Interval, Level,
    PairedDifferences, PairwiseOptions, PowerOptions, RatioPoint, StatsError, bayesian_signed_rank,
    bootstrap_mean, crossover, holm, minimum_detectable_effect, wilcoxon,
};

use super::compare::{ALIKE_ON, RESOLUTION};
use super::cover::Cover;
use super::{Data, Target, mean};

/// Half a point: less is no difference that anyone would act on.
pub const HALF_A_POINT: f64 = 0.005;

/// What a comparison with no correction comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A better target: the test and the interval agree.
    Better,
    /// A worse target: the test and the interval agree.
    Worse,
    /// The interval lies within half a point of zero.
    Equivalent,
    /// The same value on every dataset.
    Identical,
    /// Neither a difference nor equivalence is shown.
    Unclear,
    /// Fewer than five independent clusters: no interval.
    TooFew,
}

/// A correction against the baseline, paired.
#[derive(Debug, Clone, PartialEq)]
pub struct Against {
    /// Index of the correction.
    pub correction: usize,
    /// Datasets that both have a value for.
    pub n_datasets: usize,
    /// Independent clusters among them.
    pub n_clusters: usize,
    /// Mean over datasets of correction - baseline.
    pub mean_difference: f64,
    /// Mean of the baseline and of the correction over the same points.
    pub levels: [f64; 2],
    /// Its 95 % interval by a bootstrap over clusters; `None` with fewer than five.
    pub interval: Option<Interval>,
    /// Wilcoxon's p value over clusters.
    pub p_raw: f64,
    /// The same after Holm's correction over the distinct corrections of the model that change anything.
    pub p_holm: f64,
    /// Datasets on which the correction is better.
    pub wins: usize,
    /// Datasets on which both are equal.
    pub ties: usize,
    /// Datasets on which the baseline is better.
    pub losses: usize,
    /// The difference that these clusters would have shown with a power of 80 %.
    pub detectable: Option<f64>,
    /// How probable a difference of practical size is; over all points only.
    pub practical: Option<Practical>,
    /// The difference as a line in the logarithm of the ratio; over all points only.
    pub along_ratio: Option<Crossover>,
    /// What it comes to.
    pub verdict: Verdict,
}

/// What a correction does to every metric, paired with the baseline over the same datasets.
#[derive(Debug, Clone, PartialEq)]
pub struct Price {
    /// Index of the correction.
    pub correction: usize,
    /// Datasets shared with the baseline.
    pub n_datasets: usize,
    /// Mean of each metric over those datasets, in the order of the data's metrics.
    pub means: Vec<Option<f64>>,
    /// Mean difference to the baseline; zero for the baseline itself.
    pub differences: Vec<Option<f64>>,
}

/// Probabilities of Benavoli's Bayesian signed-rank test with a region of half a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Practical {
    /// That the correction is better by more than half a point.
    pub better: f64,
    /// That the two are equivalent.
    pub equivalent: f64,
    /// That the correction is worse by more than half a point.
    pub worse: f64,
}

/// Every correction of the cover against the baseline, by mean difference, and what each pays.
pub(super) fn compare(
    data: &Data,
    cover: &Cover<'_>,
    baseline: usize,
    thorough: bool,
) -> counterweight_stats::Result<(Vec<Against>, Vec<Price>)> {
    let mut rows: Vec<Against> = Vec::new();
    let mut prices = Vec::new();
    let mut differences_of: Vec<BTreeMap<usize, f64>> = Vec::new();
    for &correction in &cover.valued {
        let points = cover.shared_points(&[baseline, correction]);
        if points.is_empty() {
            continue;
        }
        prices.push(price(data, cover.model, baseline, correction, &points));
        if correction == baseline {
            continue;
        }
        let difference =
            |point: usize| Some(cover.value(point, correction)? - cover.value(point, baseline)?);
        let over = |value: &dyn Fn(usize) -> Option<f64>| -> BTreeMap<usize, f64> {
            let of = |points: &Vec<usize>| mean(points.iter().filter_map(|&point| value(point)));
            let means = points
                .iter()
                .filter_map(|(d, points)| Some((*d, of(points)?)));
            means.collect()
        };
        let differences = over(&difference);
        let clusters = cluster_numbers(data, points.keys().copied());
        let values = differences.values().copied().collect();
        let mut row = against((correction, &data.target), values, &clusters, thorough)?;
        row.levels = [baseline, correction]
            .map(|c| mean(over(&|point| cover.value(point, c)).into_values()).unwrap_or_default());
        differences_of.push(differences);
        if thorough {
            let along: Vec<RatioPoint> = points
                .values()
                .zip(&clusters)
                .flat_map(|(points, &cluster)| points.iter().map(move |&point| (cluster, point)))
                .filter_map(|(cluster, point)| {
                    let ratio = data.points.get(point)?.imbalance_ratio?;
                    Some(RatioPoint {
                        cluster,
                        ratio,
                        difference: difference(point)?,
                    })
                })
                .collect();
            row.along_ratio = too_few(crossover(
                &along,
                data.target.direction(),
                CrossoverCurve::Line,
                Level::FIVE_PERCENT,
            ))?;
        }
        rows.push(row);
    }
    // Two names of one rule are one question, and what changes nothing asks none.
    let mut heads: Vec<usize> = Vec::new();
    let head_of: Vec<Option<usize>> = (0..rows.len())
        .map(|row| {
            let own = differences_of.get(row)?;
            if own.values().all(|d| d.abs() <= RESOLUTION) {
                return None;
            }
            let same = |head: &&usize| differences_of.get(**head).is_some_and(|h| alike(h, own));
            let known = heads.iter().find(same).copied();
            if known.is_none() {
                heads.push(row);
            }
            Some(known.unwrap_or(row))
        })
        .collect();
    let raw = heads.iter().filter_map(|&head| Some(rows.get(head)?.p_raw));
    let adjusted = holm(&raw.collect::<Vec<f64>>())?;
    for (row, head) in rows.iter_mut().zip(head_of) {
        let place = head.and_then(|head| heads.iter().position(|own| *own == head));
        let p_holm = place.and_then(|place| adjusted.get(place).copied());
        row.p_holm = p_holm.unwrap_or(1.0);
        row.verdict = verdict(row, &data.target);
    }
    rows.sort_by(|a, b| {
        let cost = |row: &Against| data.target.cost(row.mean_difference);
        cost(a)
            .total_cmp(&cost(b))
            .then(a.correction.cmp(&b.correction))
    });
    Ok((rows, prices))
}

/// Whether two corrections are one: the same differences on the same datasets, too many for chance.
fn alike(a: &BTreeMap<usize, f64>, b: &BTreeMap<usize, f64>) -> bool {
    let mut pairs = a.iter().zip(b);
    a.len() == b.len()
        && a.len() >= ALIKE_ON
        && pairs.all(|((d, a), (e, b))| d == e && (a - b).abs() <= RESOLUTION)
}

/// Dense numbers of the clusters of some datasets, by first appearance.
pub(super) fn cluster_numbers(data: &Data, datasets: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    datasets
        .filter_map(|dataset| data.datasets.get(dataset))
        .map(|dataset| {
            let next = seen.len();
            *seen.entry(dataset.cluster.as_str()).or_insert(next)
        })
        .collect()
}

/// The mean of each cluster, by cluster number.
pub(super) fn cluster_means(paired: &[f64], clusters: &[usize]) -> Vec<f64> {
    let mut groups: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for (value, cluster) in paired.iter().zip(clusters) {
        groups.entry(*cluster).or_default().push(*value);
    }
    groups
        .into_values()
        .filter_map(|values| mean(values.into_iter()))
        .collect()
}

/// A statistic that these data are too few for, or that is 0/0 on them, is no error of the report.
pub(super) fn too_few<T>(
    result: counterweight_stats::Result<T>,
) -> counterweight_stats::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(StatsError::TooFew { .. } | StatsError::Undefined { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

fn against(
    (correction, target): (usize, &Target),
    differences: Vec<f64>,
    clusters: &[usize],
    thorough: bool,
) -> counterweight_stats::Result<Against> {
    let by_cluster = cluster_means(&differences, clusters);
    let test = wilcoxon(&by_cluster, PairwiseOptions::default().test)?;
    let draws = if thorough { 9_999 } else { 1_999 };
    let practical = if thorough && by_cluster.len() >= 5 {
        let options = BayesianOptions {
            rope: HALF_A_POINT,
            draws: 10_000,
            ..Default::default()
        };
        let found = bayesian_signed_rank(&by_cluster, options)?;
        Some(Practical {
            better: if target.lower_is_better {
                found.p_below
            } else {
                found.p_above
            },
            equivalent: found.p_rope,
            worse: if target.lower_is_better {
                found.p_above
            } else {
                found.p_below
            },
        })
    } else {
        None
    };
    let paired = PairedDifferences::new(differences, clusters)?;
    let options = BootstrapOptions {
        draws,
        ..BootstrapOptions::default()
    };
    let interval = too_few(bootstrap_mean(&paired, options))?;
    let detectable = too_few(minimum_detectable_effect(&paired, PowerOptions::default()))?;
    let count = |keep: &dyn Fn(f64) -> bool| {
        let costs = paired.values().iter().map(|v| target.cost(*v));
        costs.filter(|v| keep(*v)).count()
    };
    Ok(Against {
        correction,
        n_datasets: paired.len(),
        n_clusters: paired.n_clusters(),
        mean_difference: paired.mean(),
        levels: [0.0; 2],
        interval,
        p_raw: test.p_value,
        p_holm: 1.0,
        wins: count(&|v| v < -RESOLUTION / 2.0),
        ties: count(&|v| v.abs() <= RESOLUTION / 2.0),
        losses: count(&|v| v > RESOLUTION / 2.0),
        detectable: detectable.map(|detectable| detectable.effect),
        practical,
        along_ratio: None,
        verdict: Verdict::Unclear,
    })
}

fn verdict(row: &Against, target: &Target) -> Verdict {
    if row.ties == row.n_datasets {
        return Verdict::Identical;
    }
    let Some(interval) = row.interval else {
        return Verdict::TooFew;
    };
    let differs = row.p_holm <= Level::FIVE_PERCENT.alpha();
    let better_than_worse = |below: bool| below == target.lower_is_better;
    let outside = interval.upper < 0.0 || interval.lower > 0.0;
    if differs && outside {
        if better_than_worse(interval.upper < 0.0) {
            Verdict::Better
        } else {
            Verdict::Worse
        }
    } else if -HALF_A_POINT <= interval.lower && interval.upper <= HALF_A_POINT {
        Verdict::Equivalent
    } else {
        Verdict::Unclear
    }
}

fn price(
    data: &Data,
    model: usize,
    baseline: usize,
    correction: usize,
    points: &BTreeMap<usize, Vec<usize>>,
) -> Price {
    let n_metrics = data.metrics.len();
    let read = |correction: usize, point: usize, metric: usize| {
        data.cube
            .get(model, point, correction)?
            .means
            .get(metric)
            .copied()
            .flatten()
    };
    // A metric is compared over the points where both sides have it.
    let over = |metric: usize, value: &dyn Fn(f64, f64) -> f64| {
        mean(points.values().filter_map(|points| {
            mean(points.iter().filter_map(|&point| {
                let own = read(correction, point, metric)?;
                Some(value(own, read(baseline, point, metric)?))
            }))
        }))
    };
    Price {
        correction,
        n_datasets: points.len(),
        means: (0..n_metrics)
            .map(|metric| over(metric, &|own, _| own))
            .collect(),
        differences: (0..n_metrics)
            .map(|metric| over(metric, &|own, base| own - base))
            .collect(),
    }
}
