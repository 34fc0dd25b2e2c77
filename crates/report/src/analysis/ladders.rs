//! Curves along lists of ratios: the same datasets at every rung, thinned or drawn, resampled together.

use std::collections::BTreeMap;

use counterweight_stats::{Seed, onset};
use rayon::prelude::*;

use super::cover::{Cell, Cells};
use super::curves::{Curve, Place, Source, measure};
use super::paired::HALF_A_POINT;
use super::{Comparison, Data, mean};
use crate::error::{ReportError, Result};

/// Datasets that have values at the same ratios under one profile.
struct Ladder<'a> {
    source: Source,
    profile: &'a str,
    ratios: Vec<f64>,
    /// Each dataset's point at each ratio.
    members: Vec<(usize, Vec<usize>)>,
}

/// Each correction of `corrections` against no correction, and each two of the `representatives` against each
/// other on real ladders.
pub(super) fn curves(
    data: &Data,
    whole: &[&Comparison],
    (baseline, representatives): (usize, &[usize]),
) -> Result<[Vec<Curve>; 2]> {
    let ladders = ladders(data, baseline);
    let every = || {
        let models = |ladder| whole.iter().map(move |c| (ladder, c.models.as_slice()));
        ladders.iter().flat_map(models)
    };
    let corrections: Vec<(usize, usize)> = (0..data.corrections.len())
        .filter(|&c| c != baseline)
        .map(|own| (baseline, own))
        .collect();
    let rivals: Vec<(usize, usize)> = representatives
        .iter()
        .flat_map(|&a| representatives.iter().map(move |&b| (a, b)))
        .filter(|(a, b)| a != b)
        .collect();
    let measured = |pairs: &[(usize, usize)], sources: &[Source]| -> Result<Vec<Curve>> {
        let wanted: Vec<_> = every()
            .filter(|(ladder, _)| sources.contains(&ladder.source))
            .flat_map(|(ladder, models)| pairs.iter().map(move |&pair| (ladder, models, pair)))
            .collect();
        let along: Vec<Option<Curve>> = wanted
            .par_iter()
            .map(|(ladder, models, pair)| along(data, ladder, models, *pair))
            .collect::<Result<_>>()?;
        Ok(along.into_iter().flatten().collect())
    };
    Ok([
        measured(&corrections, &[Source::Ladder, Source::Population])?,
        measured(&rivals, &[Source::Ladder])?,
    ])
}

/// The distinct lists of ratios at which no correction has values, each with all datasets that have them at
/// every one.
fn ladders(data: &Data, baseline: usize) -> Vec<Ladder<'_>> {
    let valued = |point: usize| {
        (0..data.models.len()).any(|model| data.cube.value(model, point, baseline).is_some())
    };
    let mut by_dataset: BTreeMap<(usize, &str), BTreeMap<u64, usize>> = BTreeMap::new();
    for (index, point) in data.points.iter().enumerate() {
        if let Some(ratio) = point.requested_ratio.filter(|_| valued(index)) {
            let key = (point.dataset, point.profile.as_str());
            let own = by_dataset.entry(key).or_default();
            own.insert(ratio.to_bits(), index);
        }
    }
    let synthetic = |dataset: usize| data.datasets.get(dataset).is_some_and(|d| d.synthetic);
    let mut found: Vec<Ladder<'_>> = Vec::new();
    for (&(dataset, profile), rungs) in &by_dataset {
        let source = if synthetic(dataset) {
            Source::Population
        } else {
            Source::Ladder
        };
        // Ratios are at least 1, so that their bits order as they do.
        let ratios: Vec<f64> = rungs.keys().map(|&bits| f64::from_bits(bits)).collect();
        let same =
            |l: &Ladder<'_>| l.source == source && l.profile == profile && l.ratios == ratios;
        if ratios.len() < 2 || found.iter().any(same) {
            continue;
        }
        let members = by_dataset
            .iter()
            .filter(|((d, p), _)| *p == profile && synthetic(*d) == synthetic(dataset))
            .filter_map(|((d, _), own)| {
                let points = rungs.keys().map(|bits| own.get(bits).copied());
                Some((*d, points.collect::<Option<Vec<usize>>>()?))
            })
            .collect();
        found.push(Ladder {
            source,
            profile,
            ratios,
            members,
        });
    }
    // The longest first; of one length the best covered.
    found.sort_by_key(|l| (usize::MAX - l.ratios.len(), usize::MAX - l.members.len()));
    found
}

/// The second of a pair of corrections against the first along a ladder, over the clusters that have every rung.
fn along(
    data: &Data,
    ladder: &Ladder<'_>,
    models: &[usize],
    pair: (usize, usize),
) -> Result<Option<Curve>> {
    let both = |model: usize, point: usize| {
        let value = |c| data.cube.value(model, point, c);
        value(pair.0).is_some() && value(pair.1).is_some()
    };
    let mut rungs: Vec<Cells> = vec![Cells::new(); ladder.ratios.len()];
    for (dataset, points) in &ladder.members {
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
    let found = match ladder.source {
        Source::Ladder => Some(onset(&lines, HALF_A_POINT, Seed(0)).map_err(|source| {
            let what = format!("the onset of `{}`", data.correction(pair.1));
            ReportError::Stats { what, source }
        })?),
        _ => None,
    };
    let floor = |(model, point): Cell| data.cube.get(model, point, pair.0)?.bayes;
    let places = ladder.ratios.iter().zip(&measured).zip(&rungs).enumerate();
    let places = places.map(|(rung, ((&ratio, (gains, levels)), cells))| Place {
        ratio,
        gain: mean(gains.iter().copied()).unwrap_or_default(),
        band: found
            .as_ref()
            .and_then(|onset| onset.bands.get(rung).copied()),
        levels: *levels,
        ceiling: mean(data.by_cluster(cells, &floor).into_values()).map(|floor| levels[0] - floor),
        n_clusters: gains.len(),
        error: monte_carlo(data, cells, pair),
    });
    Ok(Some(Curve {
        source: ladder.source,
        profile: ladder.profile.to_owned(),
        models: models.to_vec(),
        correction: pair.1,
        against: pair.0,
        places: places.collect(),
        onset: found,
    }))
}

/// Standard error of a mean gain over clusters by splits and permutations alone, from the spread over repeats.
fn monte_carlo(data: &Data, cells: &Cells, pair: (usize, usize)) -> Option<f64> {
    let mut clusters: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (dataset, cells) in cells {
        let mut by_repeat: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for &(model, point) in cells {
            let folds = |c| data.cube.get(model, point, c).map(|own| &own.folds);
            // Both have a value on every planned fold.
            for (a, b) in folds(pair.0)?.iter().zip(folds(pair.1)?) {
                let gains = by_repeat.entry(a.repeat).or_default();
                gains.push(a.value - b.value);
            }
        }
        let means = by_repeat.into_values();
        let means: Vec<f64> = means.filter_map(|own| mean(own.into_iter())).collect();
        let (n, centre) = (means.len() as f64, mean(means.iter().copied())?);
        if means.len() < 2 {
            return None;
        }
        let spread: f64 = means.iter().map(|own| (own - centre).powi(2)).sum();
        let own = clusters.entry(data.cluster(*dataset)).or_default();
        own.push(spread / (n - 1.0) / n);
    }
    let of_mean = |own: &Vec<f64>| own.iter().sum::<f64>() / (own.len() as f64).powi(2);
    let sum: f64 = clusters.values().map(of_mean).sum();
    (!clusters.is_empty()).then(|| sum.sqrt() / clusters.len() as f64)
}
