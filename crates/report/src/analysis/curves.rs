//! The gain over no correction against the imbalance ratio, and from which ratio on it holds.
//!
//! Three kinds of curves, never in one mean: **ladders** (real datasets thinned to the same ratios, the same
//! sets at every rung; each distinct list of ratios has its curve over all sets that have them),
//! **populations** (likewise, a check of theory with the floor known) and **bands** (real datasets at their
//! natural ratio, other sets in every band, so dots and no line).

use std::collections::BTreeSet;

use counterweight_stats::{FEWEST_UNITS, Onset};

use super::cover::{Cell, Cells, Cover};
use super::paired::Part;
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
    /// Standard error by splits and permutations alone, where there are several repeats.
    pub error: Option<f64>,
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
    /// Index of what it is compared with: no correction, or its rival.
    pub against: usize,
    /// By rising ratio.
    pub places: Vec<Place>,
    /// From which rung on the gain holds; ladders on real data only.
    pub onset: Option<Onset>,
}

impl Curve {
    /// Independent clusters: on a ladder the same at every rung.
    pub fn n_clusters(&self) -> usize {
        self.places.first().map_or(0, |place| place.n_clusters)
    }

    /// Whether both run over the same ratios.
    pub fn same_rungs(&self, other: &Self) -> bool {
        let ratios = |curve: &Self| curve.places.iter().map(|place| place.ratio).collect();
        let (own, others): (Vec<f64>, Vec<f64>) = (ratios(self), ratios(other));
        own == others
    }
}

/// All curves.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Curves {
    /// One correction a family, the same in every figure, in the order of the sweep.
    pub representatives: Vec<usize>,
    /// By source, models and correction.
    pub curves: Vec<Curve>,
    /// Each two representatives against each other, on real ladders.
    pub overtakings: Vec<Curve>,
}

/// Most families with a representative.
const FAMILIES: usize = 5;

impl Curves {
    pub(super) fn of(data: &Data, whole: &[&Comparison]) -> Result<Self> {
        let Some(baseline) = data.baseline else {
            return Ok(Self::default());
        };
        // One model alone is all models together.
        let mut whole = whole.to_vec();
        whole.dedup_by(|own, first| own.models == first.models);
        let whole = whole.as_slice();
        let representatives = representatives(data, whole);
        let mut found: Vec<Curve> = Vec::new();
        for comparison in whole {
            found.extend(bands(data, comparison, baseline, &representatives)?);
        }
        let [along, overtakings] =
            super::ladders::curves(data, whole, (baseline, &representatives))?;
        found.extend(along);
        Ok(Self {
            representatives,
            curves: found,
            overtakings,
        })
    }

    /// The profiles of real ladders, sorted.
    pub fn ladders(&self) -> BTreeSet<&str> {
        let own = self.curves.iter().filter(|c| c.source == Source::Ladder);
        own.map(|curve| curve.profile.as_str()).collect()
    }

    /// The lists of ratios of a ladder that are shown of some models, by their curves: the longest that half of the
    /// clusters have, and a longer one that fewer have, if they are enough for an interval.
    pub fn shown(&self, models: &[usize], profile: &str) -> [Vec<&Curve>; 2] {
        let own = self.of_models(models, Source::Ladder);
        let mut lists: Vec<Vec<&Curve>> = Vec::new();
        for curve in own.filter(|curve| curve.profile == profile) {
            match lists.iter_mut().find(|list| list[0].same_rungs(curve)) {
                Some(list) => list.push(curve),
                None => lists.push(vec![curve]),
            }
        }
        let clusters = |list: &Vec<&Curve>| list.iter().map(|c| c.n_clusters()).max().unwrap_or(0);
        let most = lists.iter().map(clusters).max().unwrap_or(0);
        let reaches = |least: usize| move |list: &Vec<&Curve>| clusters(list) >= least;
        let main = lists.iter().position(reaches(most.div_ceil(2)));
        let longer = lists.iter().position(reaches(FEWEST_UNITS));
        let longer = longer.filter(|at| main.is_some_and(|main| *at < main));
        [main, longer].map(|at| at.and_then(|at| lists.get(at)).cloned().unwrap_or_default())
    }

    /// The representative with the largest mean gain over the rungs of some curves.
    pub fn best_of<'a>(&self, curves: &[&'a Curve]) -> Option<&'a Curve> {
        let mean_gain =
            |c: &Curve| mean(c.places.iter().map(|place| place.gain)).unwrap_or(f64::MIN);
        let own = curves
            .iter()
            .filter(|c| self.representatives.contains(&c.correction));
        // Of equal ones the first.
        own.rev()
            .max_by(|a, b| mean_gain(a).total_cmp(&mean_gain(b)))
            .copied()
    }

    /// The curves of some models from one source.
    pub fn of_models<'a>(
        &'a self,
        models: &[usize],
        source: Source,
    ) -> impl Iterator<Item = &'a Curve> + use<'a> {
        let models = models.to_vec();
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
            against: baseline,
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
                error: None,
            });
        }
    }
    curves.retain(|curve| !curve.places.is_empty());
    Ok(curves)
}

/// Gains by cluster, and the mean levels of both.
pub(super) fn measure(
    data: &Data,
    cells: &Cells,
    (baseline, own): (usize, usize),
) -> (Vec<f64>, [f64; 2]) {
    let value = |(model, point): Cell, c| data.cube.value(model, point, c);
    let gain = |cell| Some(data.target.cost(value(cell, baseline)? - value(cell, own)?));
    let gains = data.by_cluster(cells, &gain).into_values().collect();
    let level = |c: usize| {
        let by_cluster = data.by_cluster(cells, &|cell| value(cell, c));
        mean(by_cluster.into_values()).unwrap_or_default()
    };
    (gains, [level(baseline), level(own)])
}
