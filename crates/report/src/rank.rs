//! The statistics of a report over anybody's table of results: ranks, tests, tiers of all pairs, P(first), ratings,
//! sentences and figures.

use counterweight_plots::format::{fixed, list, p_value, plural, rank, signed};
use counterweight_plots::{self as plots, Figure, Quantity, Theme};
use counterweight_stats::{
    BlockDesign, CompleteTable, Dataset, Direction, FEWEST_UNITS, MeanPosterior, MeanTier,
    PairGraph, PairwiseOptions, RankTable, ScoreTable, Seed, StatsError, TieCorrection, elo,
    first_place, friedman, holm, iman_davenport, interval_of_mean, skillings_mack, wilcoxon,
};
use serde::Serialize;

use crate::analysis::{Verdict, mean};
use crate::error::{ReportError, Result};
use crate::view::{Cell, Head, View};

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

    fn words(&self) -> Vec<String> {
        let mut text = vec![format!(
            "{} on {} in {}; {} is better.",
            plural(self.methods.len(), "method"),
            plural(self.n_units, "unit"),
            plural(self.n_clusters, "cluster"),
            if self.lower_is_better { "less" } else { "more" }
        )];
        if self.n_complete < self.n_clusters {
            text.push(format!(
                "{} of them have every method: means, ranks and P(first) stand on these, pairs on all that two methods share.",
                self.n_complete
            ));
        }
        if let Some(test) = &self.test {
            let also = test.iman_davenport.map_or_else(String::new, |(f, p)| {
                format!("; Iman and Davenport's F {}, p {}", fixed(f, 3), p_value(p))
            });
            text.push(format!(
                "{}: chi-squared {} with {} degrees of freedom on {}, p {}{also}.",
                if test.test == "friedman" {
                    "Friedman's test"
                } else {
                    "The Skillings-Mack test"
                },
                fixed(test.chi_squared, 3),
                test.df,
                plural(test.n_clusters, "cluster"),
                p_value(test.p)
            ));
        }
        let leader = self.methods.iter().filter(|m| m.p_first.is_some());
        let leader = leader.max_by(|a, b| {
            let better = |m: &RankedMethod| {
                m.mean
                    .map_or(0.0, |v| if self.lower_is_better { -v } else { v })
            };
            better(a).total_cmp(&better(b))
        });
        if let (Some(leader), Some(equals)) = (leader, self.p_first_of_equals) {
            let p = leader.p_first.unwrap_or_default();
            text.push(format!(
                "{} {}: P(first) is {}, where the first of equal methods would have {}.",
                leader.method,
                if p >= 0.95 {
                    "is the best"
                } else {
                    "has the best mean, no firm lead"
                },
                fixed(p, 2),
                fixed(equals, 2)
            ));
        }
        let family = plural(self.pairs.len(), "pair");
        for (verdict, words) in [
            (
                "better",
                format!(
                    "Better (Holm over {family}, and a mean gain beyond {})",
                    self.rope
                ),
            ),
            (
                "likely better",
                format!("Likely better (not adjusted for {family})"),
            ),
            (
                "practically equal",
                format!("Practically equal (within {})", self.rope),
            ),
            ("identical", "Identical".to_owned()),
        ] {
            let own = self.pairs.iter().filter(|pair| pair.verdict == verdict);
            let own: Vec<String> = own
                .map(|pair| {
                    format!(
                        "{} against {} by {}",
                        pair.first,
                        pair.second,
                        signed(pair.gain)
                    )
                })
                .collect();
            if !own.is_empty() {
                text.push(format!("{words}: {}.", list(&own)));
            }
        }
        let unclear: Vec<f64> = self
            .pairs
            .iter()
            .filter(|p| p.verdict == "not shown")
            .filter_map(|p| p.visible)
            .collect();
        if let (Some(low), Some(high)) = (
            unclear.iter().copied().reduce(f64::min),
            unclear.iter().copied().reduce(f64::max),
        ) {
            text.push(format!(
                "Not shown for {}; mean differences would have shown from {} to {} on.",
                plural(unclear.len(), "pair"),
                fixed(low, 3),
                fixed(high, 3)
            ));
        }
        if self.n_clusters < FEWEST_UNITS {
            text.push(format!(
                "Fewer than {FEWEST_UNITS} clusters: no intervals and no words for pairs."
            ));
        }
        if self.n_complete == self.n_clusters {
            text.push("On a complete table the order by Elo is that of the mean ranks.".to_owned());
        }
        text
    }

    fn methods_view(&self) -> View {
        let row = |m: &RankedMethod| {
            vec![
                Cell::code(&m.method),
                Cell::count(m.n_clusters),
                Cell::number(m.mean, |v| fixed(v, 4)),
                Cell::number(m.mean_rank, rank),
                Cell::number(m.p_first, |v| fixed(v, 2)),
                Cell {
                    text: match (m.elo, m.elo_interval) {
                        (Some(elo), Some((low, high))) => {
                            format!("{} [{}, {}]", fixed(elo, 0), fixed(low, 0), fixed(high, 0))
                        }
                        (elo, _) => elo.map_or_else(String::new, |elo| fixed(elo, 0)),
                    },
                    sort: m.elo,
                    ..Cell::default()
                },
            ]
        };
        let heads = ["name", "clusters", "mean", "mean rank", "P(first)", "Elo"];
        view(
            "ranks",
            "Methods by mean rank",
            &heads,
            1,
            self.methods.iter().map(row).collect(),
        )
    }

    fn pairs_view(&self) -> View {
        let row = |p: &RankedPair| {
            let text = match p.interval {
                Some((low, high)) => {
                    format!("{} [{}, {}]", signed(p.gain), signed(low), signed(high))
                }
                None => signed(p.gain),
            };
            let [wins, ties, losses] = p.record;
            vec![
                Cell::code(&p.first),
                Cell::code(&p.second),
                Cell {
                    text,
                    sort: Some(p.gain),
                    ..Cell::default()
                },
                Cell::count(p.n_clusters),
                Cell {
                    text: format!("{wins}/{ties}/{losses}"),
                    sort: Some(wins as f64),
                    ..Cell::default()
                },
                Cell::number(Some(p.p_holm), p_value),
                Cell::text(p.verdict.clone()),
            ]
        };
        let heads = [
            "first",
            "second",
            "gain",
            "clusters",
            "won/tied/lost",
            "Holm p",
            "verdict",
        ];
        view(
            "pairs",
            "Pairs of methods",
            &heads,
            2,
            self.pairs.iter().map(row).collect(),
        )
    }

    fn figures(&self, value: &str) -> Result<Vec<(String, Figure)>> {
        let theme = |name: &str| {
            let mut theme = Theme::page().with_prefix(name);
            theme.quantity = Quantity {
                name: value.to_owned(),
                percent: false,
                lower_is_better: self.lower_is_better,
            };
            theme
        };
        let place = |name: &String| self.methods.iter().position(|m| m.method == *name);
        let ranked: Option<Vec<(String, f64)>> = self
            .methods
            .iter()
            .map(|m| Some((m.method.clone(), m.mean_rank?)))
            .collect();
        let mut figures = Vec::new();
        let failed = |figure: &str| {
            let figure = figure.to_owned();
            move |source: plots::PlotError| ReportError::Figure {
                figure,
                reason: source.to_string(),
            }
        };
        if let Some(methods) = ranked {
            let data = plots::CriticalDifference {
                methods,
                cliques: self
                    .groups
                    .iter()
                    .map(|group| group.iter().filter_map(place).collect())
                    .collect(),
                critical_difference: None,
                datasets: self.n_complete,
                test: "neither Holm's test nor the mean".to_owned(),
            };
            let drawn = plots::critical_difference(&data, &theme("critical_difference"));
            figures.push((
                "critical_difference".to_owned(),
                drawn.map_err(failed("critical difference"))?,
            ));
        }
        let sign = if self.lower_is_better { -1.0 } else { 1.0 };
        let cell = |row: &RankedMethod, column: &RankedMethod| {
            let found =
                |a: &str, b: &str| self.pairs.iter().find(|p| p.first == a && p.second == b);
            let (pair, turn) = match found(&row.method, &column.method) {
                Some(pair) => (pair, 1.0),
                None => (found(&column.method, &row.method)?, -1.0),
            };
            let [mut wins, ties, mut losses] = pair.record;
            if turn < 0.0 {
                std::mem::swap(&mut wins, &mut losses);
            }
            let p = if pair.differs() {
                pair.p_holm
            } else {
                pair.p_holm.max(0.051)
            };
            Some(plots::Comparison {
                difference: sign * turn * pair.gain,
                wins,
                ties,
                losses,
                p: Some(p),
            })
        };
        let data = plots::ComparisonMatrix {
            methods: self.methods.iter().map(|m| m.method.clone()).collect(),
            cells: self
                .methods
                .iter()
                .map(|a| self.methods.iter().map(|b| cell(a, b)).collect())
                .collect(),
            level: 0.05,
            test: "Wilcoxon with Holm over all pairs".to_owned(),
        };
        let drawn = plots::comparison_matrix(&data, &theme("comparison_matrix"));
        figures.push((
            "comparison_matrix".to_owned(),
            drawn.map_err(failed("comparison matrix"))?,
        ));
        Ok(figures)
    }
}

/// A table whose first columns are names and the others numbers.
fn view(name: &str, title: &str, heads: &[&str], names: usize, rows: Vec<Vec<Cell>>) -> View {
    let head = |(at, text): (usize, &&str)| Head {
        text: (*text).to_owned(),
        numeric: at >= names && *text != "verdict",
    };
    View {
        name: name.to_owned(),
        title: title.to_owned(),
        note: String::new(),
        heads: heads.iter().enumerate().map(head).collect(),
        rows,
        cells: Vec::new(),
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
