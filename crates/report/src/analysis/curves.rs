//! The gain over no correction against the imbalance ratio, and from which ratio on it holds.
//!
//! Three kinds of curves, never in one mean: **ladders** (real datasets thinned to the same ratios, the same
//! sets at every rung; each distinct list of ratios has its curve over all sets that have them),
//! **populations** (likewise, a check of theory with the floor known) and **bands** (real datasets at their
//! natural ratio, other sets in every band, so dots and no line).

use std::collections::{BTreeMap, BTreeSet};

use counterweight_stats::{Onset, Seed, onset};
use rayon::prelude::*;

use super::cover::{Cell, Cells, Cover};
use super::paired::{HALF_A_POINT, Part};
use super::{Comparison, Data, Scope, mean};
use crate::error::{ReportError, Result};

/// What a curve runs over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Real datasets along one list of ratios.
    Ladder,
    /// Populations along one list of ratios.
    Population,
    /// Real datasets at their natural ratio, by band.
    Bands,
}

/// One place of a curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Imbalance ratio: of the rung, or the geometric mean of a band.
    pub ratio: f64,
    /// Mean gain over clusters.
    pub gain: f64,
    /// Ends of its band: simultaneous over the rungs of a ladder, the interval of the mean elsewhere.
    pub band: Option<(f64, f64)>,
    /// Means of no correction and of the correction.
    pub levels: [f64; 2],
    /// The gain of a rule without any regret, on populations.
    pub ceiling: Option<f64>,
    /// Independent clusters.
    pub n_clusters: usize,
}

/// One correction along the ratio.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// What it runs over.
    pub source: Source,
    /// `natural`, or how ratios were induced.
    pub profile: String,
    /// The models: one, or several together.
    pub models: Vec<usize>,
    /// Index of the correction.
    pub correction: usize,
    /// By rising ratio.
    pub places: Vec<Place>,
    /// From which rung on the gain holds; ladders on real data only.
    pub onset: Option<Onset>,
}

/// All curves.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Curves {
    /// One correction a family, the same in every figure, in the order of the sweep.
    pub representatives: Vec<usize>,
    /// By source, models and correction.
    pub curves: Vec<Curve>,
}

/// Most families with a representative.
const FAMILIES: usize = 5;

/// Datasets that share a list of ratios under one profile: the rungs, and each dataset's point at each.
type Ladder = (Source, String, Vec<f64>, Vec<(usize, Vec<usize>)>);

impl Curves {
    pub(super) fn of(data: &Data, whole: &[&Comparison]) -> Result<Self> {
        let Some(baseline) = data.baseline else {
            return Ok(Self::default());
        };
        let representatives = representatives(data, whole);
        let ladders = ladders(data);
        let mut found: Vec<Curve> = Vec::new();
        for comparison in whole {
            found.extend(bands(data, comparison, baseline, &representatives)?);
        }
        let wanted: Vec<(&Ladder, &[usize], usize)> = ladders
            .iter()
            .flat_map(|ladder| whole.iter().map(move |c| (ladder, c.models.as_slice())))
            .flat_map(|(ladder, models)| {
                let all = (0..data.corrections.len()).filter(move |&c| c != baseline);
                all.map(move |correction| (ladder, models, correction))
            })
            .collect();
        let along: Vec<Option<Curve>> = wanted
            .par_iter()
            .map(|(ladder, models, correction)| {
                along(data, ladder, models, (baseline, *correction))
            })
            .collect::<Result<_>>()?;
        found.extend(along.into_iter().flatten());
        Ok(Self {
            representatives,
            curves: found,
        })
    }

    /// The curves of some models from one source.
    pub fn of_models<'a>(
        &'a self,
        models: &'a [usize],
        source: Source,
    ) -> impl Iterator<Item = &'a Curve> {
        let own = move |curve: &&Curve| curve.models == models && curve.source == source;
        self.curves.iter().filter(own)
    }
}

/// The first correction in the order of the sweep of each of the first families, of those that hold most of what
/// the best covered of the family does; twins of an earlier one are passed over.
fn representatives(data: &Data, whole: &[&Comparison]) -> Vec<usize> {
    /// Share of the datasets of the best covered one.
    const MOST: f64 = 0.8;
    let covered = |c: usize| -> usize {
        let own = whole.iter().filter_map(|comparison| comparison.against(c));
        own.map(|against| against.n_datasets).sum()
    };
    let twins = whole.first().map_or_else(Vec::new, |pooled| pooled.twins());
    let family = |c: usize| {
        data.corrections
            .get(c)
            .map_or("", |own| own.family.as_str())
    };
    let valued =
        (0..data.corrections.len()).filter(|&c| Some(c) != data.baseline && covered(c) > 0);
    let mut best: Vec<usize> = Vec::new();
    for at in valued {
        let known = best.iter().any(|&own| family(own) == family(at));
        let twin = |own: &usize| {
            twins
                .iter()
                .any(|group| group.contains(own) && group.contains(&at))
        };
        let related = (0..data.corrections.len()).filter(|&c| family(c) == family(at));
        let most = related.map(covered).max().unwrap_or(0);
        let enough = covered(at) as f64 >= MOST * most as f64;
        if enough && !known && !best.iter().any(twin) && best.len() < FAMILIES {
            best.push(at);
        }
    }
    best
}

/// Real datasets at their natural ratio, by band, on cells that all representatives of the model share.
fn bands(
    data: &Data,
    comparison: &Comparison,
    baseline: usize,
    representatives: &[usize],
) -> Result<Vec<Curve>> {
    let has = |c: &usize| comparison.against(*c).is_some();
    let own: Vec<usize> = representatives.iter().copied().filter(has).collect();
    let all: Vec<usize> = std::iter::once(baseline)
        .chain(own.iter().copied())
        .collect();
    let natural = |cell: &Cell| {
        let point = data.points.get(cell.1);
        point.is_some_and(|point| point.requested_ratio.is_none()) && data.is_real(cell.1)
    };
    let mut curves: Vec<Curve> = own
        .iter()
        .map(|&correction| Curve {
            source: Source::Bands,
            profile: "natural".to_owned(),
            models: comparison.models.clone(),
            correction,
            places: Vec::new(),
            onset: None,
        })
        .collect();
    for scope in Scope::BANDS {
        let mut cells = Cover::new(data, &comparison.models, scope).shared(&all);
        for own in cells.values_mut() {
            own.retain(natural);
        }
        cells.retain(|_, own| !own.is_empty());
        let points: BTreeSet<usize> = cells.values().flatten().map(|cell| cell.1).collect();
        let ratios = points
            .iter()
            .filter_map(|&p| data.points.get(p)?.imbalance_ratio);
        let Some(ratio) = mean(ratios.map(f64::ln)).map(f64::exp) else {
            continue;
        };
        for curve in &mut curves {
            let (gains, levels) = measure(data, &cells, (baseline, curve.correction));
            let part = Part::of(&gains).map_err(|source| ReportError::Stats {
                what: format!("gains at {}", scope.label()),
                source,
            })?;
            curve.places.push(Place {
                ratio,
                gain: part.mean,
                band: part.interval.map(|i| (i.lower, i.upper)),
                levels,
                ceiling: None,
                n_clusters: gains.len(),
            });
        }
    }
    curves.retain(|curve| !curve.places.is_empty());
    Ok(curves)
}

/// Gains by cluster, and the mean levels of both.
fn measure(data: &Data, cells: &Cells, (baseline, own): (usize, usize)) -> (Vec<f64>, [f64; 2]) {
    let value = |(model, point): Cell, c| data.cube.value(model, point, c);
    let gain = |cell| Some(data.target.cost(value(cell, baseline)? - value(cell, own)?));
    let gains = data.by_cluster(cells, &gain).into_values().collect();
    let level = |c: usize| {
        let by_cluster = data.by_cluster(cells, &|cell| value(cell, c));
        mean(by_cluster.into_values()).unwrap_or_default()
    };
    (gains, [level(baseline), level(own)])
}

/// The distinct lists of ratios, each with all datasets that have every one of them.
fn ladders(data: &Data) -> Vec<Ladder> {
    let mut by_dataset: BTreeMap<(usize, &str), BTreeMap<u64, usize>> = BTreeMap::new();
    for (index, point) in data.points.iter().enumerate() {
        if let Some(ratio) = point.requested_ratio {
            let key = (point.dataset, point.profile.as_str());
            by_dataset
                .entry(key)
                .or_default()
                .insert(ratio.to_bits(), index);
        }
    }
    let mut found: Vec<Ladder> = Vec::new();
    for ((dataset, profile), rungs) in &by_dataset {
        let synthetic = data.datasets.get(*dataset).is_some_and(|d| d.synthetic);
        let source = if synthetic {
            Source::Population
        } else {
            Source::Ladder
        };
        // Ratios are at least 1, so that their bits order as they do.
        let ratios: Vec<f64> = rungs.keys().map(|&bits| f64::from_bits(bits)).collect();
        let known = found
            .iter()
            .any(|(s, p, r, _)| (*s, p.as_str(), r) == (source, profile, &ratios));
        if known || ratios.len() < 2 {
            continue;
        }
        let members = by_dataset.iter().filter(|((d, p), _)| {
            p == profile
                && data
                    .datasets
                    .get(*d)
                    .is_some_and(|d| d.synthetic == synthetic)
        });
        let members = members.filter_map(|((d, _), own)| {
            let points: Option<Vec<usize>> =
                rungs.keys().map(|bits| own.get(bits).copied()).collect();
            Some((*d, points?))
        });
        found.push((source, (*profile).to_owned(), ratios, members.collect()));
    }
    // The longest first; of one length the best covered.
    found.sort_by_key(|(_, _, ratios, members)| {
        (usize::MAX - ratios.len(), usize::MAX - members.len())
    });
    found
}

/// One correction of some models along a ladder, over the clusters that have every rung.
fn along(
    data: &Data,
    (source, profile, ratios, members): &Ladder,
    models: &[usize],
    pair: (usize, usize),
) -> Result<Option<Curve>> {
    let both = |model: usize, point: usize| {
        let value = |c| data.cube.value(model, point, c);
        value(pair.0).is_some() && value(pair.1).is_some()
    };
    let mut rungs: Vec<Cells> = vec![Cells::new(); ratios.len()];
    for (dataset, points) in members {
        for &model in models
            .iter()
            .filter(|&&m| points.iter().all(|&p| both(m, p)))
        {
            for (rung, &point) in rungs.iter_mut().zip(points) {
                rung.entry(*dataset).or_default().push((model, point));
            }
        }
    }
    if rungs.first().is_none_or(BTreeMap::is_empty) {
        return Ok(None);
    }
    let measured: Vec<(Vec<f64>, [f64; 2])> = rungs
        .iter()
        .map(|cells| measure(data, cells, pair))
        .collect();
    let n_clusters = measured.first().map_or(0, |(gains, _)| gains.len());
    let mut lines: Vec<Vec<f64>> = (0..n_clusters)
        .map(|cluster| {
            measured
                .iter()
                .filter_map(|(gains, _)| gains.get(cluster).copied())
                .collect()
        })
        .collect();
    // Neither rows nor names of clusters decide the draws.
    lines.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    let found = match source {
        Source::Ladder => Some(onset(&lines, HALF_A_POINT, Seed(0)).map_err(|source| {
            let what = format!("the onset of `{}`", data.correction(pair.1));
            ReportError::Stats { what, source }
        })?),
        _ => None,
    };
    let floor = |(model, point): Cell| data.cube.get(model, point, pair.0)?.bayes;
    let places = ratios.iter().zip(&measured).zip(&rungs).enumerate();
    let places = places.map(|(rung, ((&ratio, (gains, levels)), cells))| Place {
        ratio,
        gain: mean(gains.iter().copied()).unwrap_or_default(),
        band: found
            .as_ref()
            .and_then(|onset| onset.bands.get(rung).copied()),
        levels: *levels,
        ceiling: mean(data.by_cluster(cells, &floor).into_values()).map(|floor| levels[0] - floor),
        n_clusters: gains.len(),
    });
    Ok(Some(Curve {
        source: *source,
        profile: profile.clone(),
        models: models.to_vec(),
        correction: pair.1,
        places: places.collect(),
        onset: found,
    }))
}
