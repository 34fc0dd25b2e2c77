//! The statistics of a report over anybody's table of results: ranks, tests, tiers of all pairs, P(first), ratings,
//! sentences and figures.

mod words;

use counterweight_plots::Figure;
use counterweight_stats::{
    BlockDesign, CompleteTable, Dataset, Direction, FEWEST_UNITS, MeanPosterior, MeanTier,
    PairGraph, PairwiseOptions, RankTable, ScoreTable, Seed, StatsError, TieCorrection, elo,
    first_place, friedman, holm, iman_davenport, interval_of_mean, skillings_mack, wilcoxon,
};
use serde::Serialize;

use crate::analysis::{Verdict, mean};
use crate::error::{ReportError, Result};
use crate::view::View;

/// Draws of the clusters for the intervals of the ratings.
const DRAWS: usize = 300;

/// One method.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RankedMethod {
    /// Its name.
    pub method: String,
    /// Clusters with a value.
    pub n_clusters: usize,
    /// Mean over the clusters that all methods have.
    pub mean: Option<f64>,
    /// Mean rank over them, 1 is best.
    pub mean_rank: Option<f64>,
    /// Share of bootstrap draws of the clusters in which it has the best mean.
    pub p_first: Option<f64>,
    /// Bradley-Terry ability, `none` (or the mean) at 1000.
    pub elo: Option<f64>,
    /// Ends of its 95 % interval.
    pub elo_interval: Option<(f64, f64)>,
}

/// Two methods, the better mean first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RankedPair {
    /// The method with the better mean over the clusters that both have.
    pub first: String,
    /// The other.
    pub second: String,
    /// How much better the first is.
    pub gain: f64,
    /// Ends of its 95 % interval; none below six clusters.
    pub interval: Option<(f64, f64)>,
    /// Clusters that both have.
    pub n_clusters: usize,
    /// Clusters on which the first is better, none is, and the second is.
    pub record: [usize; 3],
    /// Wilcoxon's p value.
    pub p_raw: f64,
    /// After Holm's correction over all pairs.
    pub p_holm: f64,
    /// What it comes to.
    pub verdict: String,
    /// The least gain that would have shown.
    pub visible: Option<f64>,
}

/// Whether there is any difference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RankedTest {
    /// `friedman`, or `skillings-mack` where values are missing.
    pub test: &'static str,
    /// Its statistic.
    pub chi_squared: f64,
    /// Its degrees of freedom.
    pub df: usize,
    /// Its p value.
    pub p: f64,
    /// F of Iman and Davenport and its p value, beside Friedman's test.
    pub iman_davenport: Option<(f64, f64)>,
    /// Clusters behind it.
    pub n_clusters: usize,
}

/// Everything about a table of results.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ranking {
    /// Version of this form.
    pub format: u32,
    /// Units of the table.
    pub n_units: usize,
    /// Independent clusters of them.
    pub n_clusters: usize,
    /// Clusters for which every method has a value.
    pub n_complete: usize,
    /// Whether less is better.
    pub lower_is_better: bool,
    /// Half-width of what is practically equal.
    pub rope: f64,
    /// Best first.
    pub methods: Vec<RankedMethod>,
    /// Whether there is any difference; none where no test can be made.
    pub test: Option<RankedTest>,
    /// The share that the first of equal methods would have.
    pub p_first_of_equals: Option<f64>,
    /// All pairs, by the order of the methods.
    pub pairs: Vec<RankedPair>,
    /// Maximal groups of methods of which no pair is called different.
    pub groups: Vec<Vec<String>>,
    /// All of it in words.
    pub sentences: Vec<String>,
}

/// A ranking with its tables and pictures.
#[derive(Debug, Clone)]
pub struct RankReport {
    /// The numbers and sentences.
    pub ranking: Ranking,
    /// Methods and pairs as tables; names are file names.
    pub views: Vec<View>,
    /// The critical-difference diagram and the comparison matrix.
    pub figures: Vec<(String, Figure)>,
}

/// Ranks the methods of a table.
///
/// # Errors
///
/// [`ReportError::Stats`] below two methods, [`ReportError::Figure`] when a picture cannot be drawn.
pub fn rank_table(table: &ScoreTable, rope: f64, value: &str) -> Result<RankReport> {
    let error = |source| ReportError::Stats {
        what: "the ranking".to_owned(),
        source,
    };
    let ranking = Ranking::of(table, rope).map_err(error)?;
    let views = vec![ranking.methods_view(), ranking.pairs_view()];
    let figures = ranking.figures(value)?;
    Ok(RankReport {
        ranking,
        views,
        figures,
    })
}

/// A cluster's value under a method, the mean over its units; missing unless all of them have one.
fn by_cluster(table: &ScoreTable) -> counterweight_stats::Result<ScoreTable> {
    let mut names: Vec<&str> = table
        .datasets()
        .iter()
        .map(|d| d.cluster.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    let mut cells = Vec::new();
    for name in &names {
        let own: Vec<&[Option<f64>]> = table
            .datasets()
            .iter()
            .zip(table.lines())
            .filter(|(dataset, _)| dataset.cluster == *name)
            .map(|(_, line)| line)
            .collect();
        for method in 0..table.methods().len() {
            let values: Option<Vec<f64>> = own
                .iter()
                .map(|line| line.get(method).copied().flatten())
                .collect();
            cells.push(values.and_then(|values| mean(values.into_iter())));
        }
    }
    let names = names.into_iter().map(Dataset::independent).collect();
    ScoreTable::new(table.direction(), names, table.methods().to_vec(), cells)
}

/// One of the words that a pair may have.
fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::LikelyBetter => "likely better",
        Verdict::LikelyWorse => "likely worse",
        Verdict::Equivalent => "practically equal",
        Verdict::Identical => "identical",
        Verdict::NotShown => "not shown",
        Verdict::TooFew => "too few clusters",
    }
}

impl RankedPair {
    fn differs(&self) -> bool {
        ["better", "worse", "likely better", "likely worse"].contains(&self.verdict.as_str())
    }
}

impl Ranking {
    fn of(units: &ScoreTable, rope: f64) -> counterweight_stats::Result<Self> {
        let table = by_cluster(units)?;
        let count = table.methods().len();
        if count < 2 {
            return Err(StatsError::TooFew {
                what: "a ranking",
                unit: counterweight_stats::Unit::Methods,
                found: count,
                needed: 2,
            });
        }
        let lower = table.direction() == Direction::LowerIsBetter;
        let full: Vec<usize> = table
            .lines()
            .enumerate()
            .filter(|(_, line)| line.iter().all(Option::is_some))
            .map(|(at, _)| at)
            .collect();
        let complete = match full[..] {
            [] => None,
            _ => Some(CompleteTable::try_from(table.select_datasets(&full)?)?),
        };
        let (means, ranks) = match &complete {
            Some(complete) => (complete.means(), RankTable::new(complete)?.means()),
            None => (Vec::new(), Vec::new()),
        };
        let first = match &complete {
            Some(complete) if full.len() >= 2 => {
                let sign = if lower { -1.0 } else { 1.0 };
                let lines: Vec<Vec<f64>> = complete
                    .lines()
                    .map(|line| line.iter().map(|v| sign * v).collect())
                    .collect();
                Some(first_place(&lines, Seed(0))?)
            }
            _ => None,
        };
        let anchor = table.methods().iter().position(|name| name == "none");
        let once = vec![1.0; table.datasets().len()];
        let ratings = elo(&table, anchor, &once).ok();
        let intervals = rating_intervals(&table, anchor);
        let mut methods: Vec<(usize, RankedMethod)> = (0..count)
            .map(|at| {
                let method = RankedMethod {
                    method: table.methods()[at].clone(),
                    n_clusters: table.column(at).iter().flatten().count(),
                    mean: means.get(at).copied(),
                    mean_rank: ranks.get(at).copied(),
                    p_first: first.as_ref().and_then(|f| f.shares.get(at).copied()),
                    elo: ratings.as_ref().and_then(|r| r.get(at).copied()),
                    elo_interval: intervals.as_ref().and_then(|i| i.get(at).copied()),
                };
                (at, method)
            })
            .collect();
        let key = |method: &RankedMethod| {
            let rating = method.elo.map_or(0.0, |elo| -elo);
            (method.mean_rank.unwrap_or(f64::INFINITY), rating)
        };
        methods.sort_by(|(i, a), (j, b)| {
            let (a, b) = (key(a), key(b));
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).then(i.cmp(j))
        });
        let order: Vec<usize> = methods.iter().map(|(at, _)| *at).collect();
        let pairs = pairs(&table, &order, rope)?;
        let mut graph = PairGraph::new(count);
        let place = |name: &str| {
            methods
                .iter()
                .position(|(_, own)| own.method == name)
                .unwrap_or(0)
        };
        for pair in pairs.iter().filter(|pair| !pair.differs()) {
            graph.join(place(&pair.first), place(&pair.second))?;
        }
        let cliques = match graph.maximal_cliques(64) {
            Err(StatsError::TooManyCliques { .. }) => Vec::new(),
            found => found?,
        };
        let named = |group: Vec<usize>| -> Vec<String> {
            group
                .into_iter()
                .filter_map(|at| Some(methods.get(at)?.1.method.clone()))
                .collect()
        };
        let mut ranking = Self {
            format: 1,
            n_units: units.datasets().len(),
            n_clusters: table.datasets().len(),
            n_complete: full.len(),
            lower_is_better: lower,
            rope,
            test: test(&table, complete)?,
            p_first_of_equals: first.map(|first| first.of_equals),
            pairs,
            groups: cliques
                .into_iter()
                .filter(|group| group.len() > 1)
                .map(named)
                .collect(),
            sentences: Vec::new(),
            methods: methods.into_iter().map(|(_, method)| method).collect(),
        };
        ranking.sentences = ranking.words();
        Ok(ranking)
    }
}

/// Friedman's test of a complete table, else that of Skillings and Mack.
fn test(
    table: &ScoreTable,
    complete: Option<CompleteTable>,
) -> counterweight_stats::Result<Option<RankedTest>> {
    let n_clusters = table.datasets().len();
    if table.missing() > 0 {
        let found = match skillings_mack(table, Seed(0)) {
            Err(StatsError::TooFew { .. } | StatsError::Undefined { .. }) => return Ok(None),
            found => found?,
        };
        return Ok(Some(RankedTest {
            test: "skillings-mack",
            chi_squared: found.statistic,
            df: found.df,
            p: found.p_value(),
            iman_davenport: None,
            n_clusters: found.n_blocks,
        }));
    }
    let design = complete.and_then(|complete| BlockDesign::try_from(complete).ok());
    let Some(design) = design else {
        return Ok(None);
    };
    let found = match friedman(&design, TieCorrection::Corrected) {
        Err(StatsError::Undefined { .. }) => return Ok(None),
        found => found?,
    };
    let f = iman_davenport(&found);
    Ok(Some(RankedTest {
        test: "friedman",
        chi_squared: found.statistic,
        df: found.df,
        p: found.p_value,
        iman_davenport: f.statistic.map(|statistic| (statistic, f.p_value)),
        n_clusters,
    }))
}

/// All pairs over the clusters that both have, in the order of the methods.
fn pairs(
    table: &ScoreTable,
    order: &[usize],
    rope: f64,
) -> counterweight_stats::Result<Vec<RankedPair>> {
    let lower = table.direction() == Direction::LowerIsBetter;
    let mut found: Vec<(RankedPair, Option<MeanTier>)> = Vec::new();
    let mut posterior: Option<MeanPosterior> = None;
    let mut size = 0;
    for (place, &a) in order.iter().enumerate() {
        for &b in order.iter().skip(place + 1) {
            let values = |line: &[Option<f64>]| {
                Some((
                    line.get(a).copied().flatten()?,
                    line.get(b).copied().flatten()?,
                ))
            };
            let gain = |(a, b): (f64, f64)| if lower { b - a } else { a - b };
            let mut gains: Vec<f64> = table.lines().filter_map(values).map(gain).collect();
            if gains.is_empty() {
                continue;
            }
            let mean = mean(gains.iter().copied()).unwrap_or_default();
            let (first, second) = if mean < 0.0 { (b, a) } else { (a, b) };
            if mean < 0.0 {
                gains = gains.into_iter().map(|gain| -gain).collect();
            }
            if gains.len() >= FEWEST_UNITS && gains.len() != size {
                size = gains.len();
                posterior = Some(MeanPosterior::new(size, MeanPosterior::DRAWS, Seed(0))?);
            }
            let tier = match posterior.as_ref().filter(|_| gains.len() == size) {
                Some(posterior) => Some(posterior.judge(&gains, rope)?),
                None => None,
            };
            let count = |keep: fn(f64) -> bool| gains.iter().filter(|gain| keep(**gain)).count();
            let pair = RankedPair {
                first: table.methods()[first].clone(),
                second: table.methods()[second].clone(),
                gain: mean.abs(),
                interval: interval_of_mean(&gains)?.map(|i| (i.lower, i.upper)),
                n_clusters: gains.len(),
                record: [
                    count(|g| g > 1e-12),
                    count(|g| g.abs() <= 1e-12),
                    count(|g| g < -1e-12),
                ],
                p_raw: wilcoxon(&gains, PairwiseOptions::default().test)?.p_value,
                p_holm: 1.0,
                verdict: String::new(),
                visible: tier.as_ref().map(|tier| rope + tier.mean - tier.low),
            };
            found.push((pair, tier));
        }
    }
    let raw: Vec<f64> = found.iter().map(|(pair, _)| pair.p_raw).collect();
    let adjusted = holm(&raw)?;
    let judged = found
        .into_iter()
        .zip(adjusted)
        .map(|((mut pair, tier), p)| {
            let identical = pair.record[1] == pair.n_clusters;
            let verdict = if identical {
                Verdict::Identical
            } else {
                Verdict::of(tier.as_ref(), Some(p))
            };
            pair.p_holm = p;
            word(verdict).clone_into(&mut pair.verdict);
            pair
        });
    Ok(judged.collect())
}

/// Ends of the ratings over bootstrap draws of the clusters; none below six.
fn rating_intervals(table: &ScoreTable, anchor: Option<usize>) -> Option<Vec<(f64, f64)>> {
    let clusters = table.datasets().len();
    if clusters < FEWEST_UNITS {
        return None;
    }
    let mut draws: Vec<Vec<f64>> = vec![Vec::with_capacity(DRAWS); table.methods().len()];
    for copies in counterweight_stats::cluster_copies(clusters, DRAWS, Seed(0)) {
        for (own, rating) in draws.iter_mut().zip(elo(table, anchor, &copies).ok()?) {
            own.push(rating);
        }
    }
    let ends = |mut own: Vec<f64>| {
        own.sort_by(f64::total_cmp);
        // One draw in forty lies beyond each end.
        let beyond = own.len() / 40;
        Some((*own.get(beyond)?, *own.get(own.len() - 1 - beyond)?))
    };
    draws.into_iter().map(ends).collect()
}
