//! Each correction against no correction, paired: how much, how sure, and what it pays in other metrics.
//!
//! The unit is the cluster of related datasets: a dataset's value is the mean over its points (and models),
//! a cluster's the mean over its datasets, and every mean, test and interval takes clusters with equal
//! weight. Gains are positive where the correction is better.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use counterweight_stats::{
    BayesianOptions, FEWEST_UNITS, Interval, Level, MeanPosterior, MeanTier, PairwiseOptions, Seed,
    StatsError, bayesian_signed_rank, holm, interval_of_mean, wilcoxon,
};

use super::compare::{ALIKE_ON, Comparison, RESOLUTION};
use super::cover::{Cell, Cells, Cover};
use super::{Data, mean};

/// Half a point: less is no difference that anyone would act on.
pub const HALF_A_POINT: f64 = 0.005;

/// How sure a tier has to be.
const SURE: f64 = 0.95;

/// A mean gain with its 95 % interval over clusters of related sets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// The mean, in units of the target; positive is a gain.
    pub mean: f64,
    /// Its interval; `None` with fewer than six clusters.
    pub interval: Option<Interval>,
}

impl Part {
    /// Of values by cluster, of which there is at least one.
    pub(super) fn of(values: &[f64]) -> counterweight_stats::Result<Self> {
        Ok(Self {
            mean: mean(values.iter().copied()).unwrap_or(0.0),
            interval: interval_of_mean(values)?,
        })
    }
}

/// What a comparison with no correction comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Better: rejected in the one family of the question, and the mean gain is surely above half a point.
    Better,
    /// Worse, likewise.
    Worse,
    /// The mean gain is surely above half a point; not adjusted for the number of comparisons.
    LikelyBetter,
    /// The mean gain is surely below minus half a point; not adjusted.
    LikelyWorse,
    /// The mean gain surely lies within half a point of zero.
    Equivalent,
    /// The same value on every dataset.
    Identical,
    /// None of these is shown.
    NotShown,
    /// Fewer than six clusters.
    TooFew,
}

impl Verdict {
    /// What a posterior and the test in the family say; without a family nothing is adjusted.
    pub(crate) fn of(tier: Option<&MeanTier>, p_holm: Option<f64>) -> Self {
        let Some(tier) = tier else {
            return Self::TooFew;
        };
        let rejected = p_holm.is_some_and(|p| p <= Level::FIVE_PERCENT.alpha());
        if tier.p_above >= SURE {
            if rejected {
                Self::Better
            } else {
                Self::LikelyBetter
            }
        } else if tier.p_below >= SURE {
            if rejected {
                Self::Worse
            } else {
                Self::LikelyWorse
            }
        } else if tier.p_rope >= SURE {
            Self::Equivalent
        } else {
            Self::NotShown
        }
    }
}

/// A correction against the baseline, paired.
#[derive(Debug, Clone, PartialEq)]
pub struct Against {
    /// Index of the correction.
    pub correction: usize,
    /// Datasets that both have a value for.
    pub n_datasets: usize,
    /// The gain of each cluster.
    pub gains: BTreeMap<String, f64>,
    /// Their mean.
    pub gain: Part,
    /// Their median.
    pub median: f64,
    /// Mean of the baseline and of the correction over the same clusters.
    pub levels: [f64; 2],
    /// Wilcoxon's p value over clusters.
    pub p_raw: f64,
    /// The same after Holm's correction over the one family of the question; `None` outside of it.
    pub p_holm: Option<f64>,
    /// Clusters on which the correction is better.
    pub wins: usize,
    /// Clusters on which both are equal.
    pub ties: usize,
    /// Clusters on which the baseline is better.
    pub losses: usize,
    /// What the Bayesian bootstrap says of the mean gain; `None` with fewer than six clusters.
    pub tier: Option<MeanTier>,
    /// What the Bayesian signed-rank test says of the typical cluster; over the question only.
    pub practical: Option<Practical>,
    /// The mean gain with degenerate cells, where the headline leaves some out.
    pub with_degenerate: Option<f64>,
    /// What it comes to.
    pub verdict: Verdict,
}

impl Against {
    /// Independent clusters that both have a value for.
    pub fn n_clusters(&self) -> usize {
        self.gains.len()
    }

    /// The least gain that these clusters would show.
    pub fn visible(&self) -> Option<f64> {
        self.tier.as_ref().map(visible)
    }
}

/// The least mean that a tier with this spread would call better.
pub(super) fn visible(tier: &MeanTier) -> f64 {
    HALF_A_POINT + tier.mean - tier.low
}

/// What a correction does to every metric, paired with the baseline over the same clusters.
#[derive(Debug, Clone, PartialEq)]
pub struct Price {
    /// Index of the correction.
    pub correction: usize,
    /// Clusters shared with the baseline.
    pub n_clusters: usize,
    /// Mean of each metric over those clusters, in the order of the data's metrics.
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

/// What the posterior of the mean says of gains by cluster, and the word for it outside the family.
pub(super) fn judge(values: &[f64]) -> counterweight_stats::Result<(Option<MeanTier>, Verdict)> {
    /// The weights of a number of clusters serve every contrast of a report.
    static POSTERIORS: LazyLock<Mutex<BTreeMap<usize, Arc<MeanPosterior>>>> =
        LazyLock::new(Mutex::default);
    if values.len() < FEWEST_UNITS {
        return Ok((None, Verdict::TooFew));
    }
    let posterior = {
        let mut known = POSTERIORS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(posterior) = known.get(&values.len()) {
            Arc::clone(posterior)
        } else {
            let drawn = MeanPosterior::new(values.len(), MeanPosterior::DRAWS, Seed(0))?;
            let drawn = Arc::new(drawn);
            known.insert(values.len(), Arc::clone(&drawn));
            drawn
        }
    };
    let tier = posterior.judge(values, HALF_A_POINT)?;
    Ok((Some(tier), Verdict::of(Some(&tier), None)))
}

/// Every correction of the cover against the baseline, largest gain first, and what each pays.
pub(super) fn compare(
    cover: &Cover<'_>,
    baseline: usize,
    thorough: bool,
) -> counterweight_stats::Result<(Vec<Against>, Vec<Price>)> {
    let mut rows: Vec<Against> = Vec::new();
    let mut prices = Vec::new();
    for &correction in &cover.valued {
        let cells = cover.shared(&[baseline, correction]);
        if cells.is_empty() {
            continue;
        }
        prices.push(price(cover.data, baseline, correction, &cells));
        if correction != baseline {
            rows.push(against(cover, (baseline, correction), &cells, thorough)?);
        }
    }
    rows.sort_by(|a, b| {
        let by_gain = b.gain.mean.total_cmp(&a.gain.mean);
        by_gain.then(a.correction.cmp(&b.correction))
    });
    Ok((rows, prices))
}

fn against(
    cover: &Cover<'_>,
    (baseline, correction): (usize, usize),
    cells: &Cells,
    thorough: bool,
) -> counterweight_stats::Result<Against> {
    let (data, target) = (cover.data, &cover.data.target);
    let over = |value: &dyn Fn(Cell) -> Option<f64>| data.by_cluster(cells, value);
    let gain =
        |cell| Some(target.cost(cover.value(cell, baseline)? - cover.value(cell, correction)?));
    let gains: BTreeMap<String, f64> = over(&gain)
        .into_iter()
        .map(|(cluster, gain)| (cluster.to_owned(), gain))
        .collect();
    let mut values: Vec<f64> = gains.values().copied().collect();
    let test = wilcoxon(&values, PairwiseOptions::default().test)?;
    let (tier, verdict) = judge(&values)?;
    let practical = if thorough && values.len() >= FEWEST_UNITS {
        let options = BayesianOptions {
            rope: HALF_A_POINT,
            draws: 5_000,
            ..Default::default()
        };
        let found = bayesian_signed_rank(&values, options)?;
        Some(Practical {
            better: found.p_above,
            equivalent: found.p_rope,
            worse: found.p_below,
        })
    } else {
        None
    };
    let count = |keep: &dyn Fn(f64) -> bool| values.iter().filter(|v| keep(**v)).count();
    let (wins, losses) = (
        count(&|v| v > RESOLUTION / 2.0),
        count(&|v| v < -RESOLUTION / 2.0),
    );
    let ties = values.len() - wins - losses;
    let with_degenerate = with_degenerate(cover, (baseline, correction));
    let part = Part::of(&values)?;
    values.sort_by(f64::total_cmp);
    let middle = |at: usize| values.get(at).copied().unwrap_or(0.0);
    Ok(Against {
        correction,
        n_datasets: cells.len(),
        gain: part,
        median: f64::midpoint(middle(values.len() / 2), middle((values.len() - 1) / 2)),
        levels: [baseline, correction]
            .map(|c| mean(over(&|cell| cover.value(cell, c)).into_values()).unwrap_or_default()),
        p_raw: test.p_value,
        p_holm: None,
        wins,
        ties,
        losses,
        tier,
        practical,
        with_degenerate,
        verdict: if ties == values.len() {
            Verdict::Identical
        } else {
            verdict
        },
        gains,
    })
}

/// The mean gain with the cells that the headline leaves out.
fn with_degenerate(cover: &Cover<'_>, (baseline, correction): (usize, usize)) -> Option<f64> {
    let data = cover.data;
    let left_out = |m: &usize| data.models.get(*m).is_some_and(|model| model.left_out);
    if !cover.models.iter().any(left_out) {
        return None;
    }
    let value = |cell: Cell, c| {
        let dropped = || data.dropped.value(cell.0, cell.1, c);
        cover.value(cell, c).or_else(dropped)
    };
    let gain = |cell| {
        Some(
            data.target
                .cost(value(cell, baseline)? - value(cell, correction)?),
        )
    };
    let mut cells = Cells::new();
    for cell in cover.cells().filter(|cell| gain(*cell).is_some()) {
        let dataset = data.points.get(cell.1)?.dataset;
        cells.entry(dataset).or_default().push(cell);
    }
    mean(data.by_cluster(&cells, &gain).into_values())
}

/// Holm's correction over the one family of the question: all distinct corrections of all models against
/// none. Two names of one rule are one question, of one model or of two, and what changes nothing asks none.
/// Gives the size of the family.
pub(super) fn family(mut comparisons: Vec<&mut Comparison>) -> counterweight_stats::Result<usize> {
    let alike = |a: &Against, b: &Against| {
        let near = |a: f64, b: f64| (a - b).abs() <= RESOLUTION;
        let levels = a.levels.iter().zip(b.levels).all(|(a, b)| near(*a, b));
        levels
            && a.n_datasets == b.n_datasets
            && a.n_datasets >= ALIKE_ON
            && a.gains.len() == b.gains.len()
            && a.gains
                .iter()
                .zip(&b.gains)
                .all(|((c, a), (d, b))| c == d && near(*a, *b))
    };
    let rows: Vec<&Against> = comparisons.iter().flat_map(|c| &c.against).collect();
    let mut heads: Vec<usize> = Vec::new();
    let mut head_of: Vec<Option<usize>> = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        if row.verdict == Verdict::Identical {
            head_of.push(None);
            continue;
        }
        let same = |&head: &usize| rows.get(head).is_some_and(|other| alike(other, row));
        let known = heads.iter().position(same);
        head_of.push(Some(known.unwrap_or(heads.len())));
        if known.is_none() {
            heads.push(at);
        }
    }
    let raw: Vec<f64> = heads
        .iter()
        .filter_map(|&head| Some(rows.get(head)?.p_raw))
        .collect();
    let adjusted = holm(&raw)?;
    let rows = comparisons.iter_mut().flat_map(|c| c.against.iter_mut());
    for (row, head) in rows.zip(head_of) {
        row.p_holm = head.and_then(|head| adjusted.get(head).copied());
        if row.verdict != Verdict::Identical {
            row.verdict = Verdict::of(row.tier.as_ref(), row.p_holm);
        }
    }
    Ok(raw.len())
}

/// Dense numbers of the clusters of some datasets, by first appearance.
pub(super) fn cluster_numbers(data: &Data, datasets: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    datasets
        .map(|dataset| {
            let next = seen.len();
            *seen.entry(data.cluster(dataset)).or_insert(next)
        })
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

fn price(data: &Data, baseline: usize, correction: usize, cells: &Cells) -> Price {
    let read = |(model, point): Cell, correction: usize, metric: usize| {
        let summary = data.cube.get(model, point, correction)?;
        summary.means.get(metric).copied().flatten()
    };
    // A metric is compared where both sides have it.
    let over = |metric: usize, value: &dyn Fn(f64, f64) -> f64| {
        let both = |cell| {
            let own = read(cell, correction, metric)?;
            Some(value(own, read(cell, baseline, metric)?))
        };
        mean(data.by_cluster(cells, &both).into_values())
    };
    let metrics = 0..data.metrics.len();
    Price {
        correction,
        n_clusters: cluster_numbers(data, cells.keys().copied())
            .into_iter()
            .max()
            .map_or(0, |last| last + 1),
        means: metrics.clone().map(|m| over(m, &|own, _| own)).collect(),
        differences: metrics.map(|m| over(m, &|own, base| own - base)).collect(),
    }
}
