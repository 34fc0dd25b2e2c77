//! Corrections that differ in nothing but tau, as curves over tau.
//!
//! Stages are texts such as `logit-adjust[prior=effective,tau=0.5]`; corrections with equal stages
//! but for one `tau` form a family. Without resampling, tau = 0 is no correction by definition, so
//! the baseline stands at 0 when it has the same remaining stages and no member claims the place.
//!
//! Intervals are within datasets: each dataset's values are shifted to a common mean over the taus
//! before the bootstrap over clusters. Datasets differ in level far more than taus do, and an interval
//! of the plain mean would say how hard the datasets are, not what tau does.

use std::collections::BTreeMap;

use counterweight_stats::{
    BootstrapOptions, PairedDifferences, bootstrap_mean, bootstrap_statistic,
};

use super::paired::{cluster_numbers, too_few};
use super::{CorrectionInfo, Data, base_id, mean};
use crate::error::{ReportError, Result};

/// One tau of a curve.
#[derive(Debug, Clone, PartialEq)]
pub struct TauPoint {
    /// Tau.
    pub tau: f64,
    /// Index of the correction.
    pub correction: usize,
    /// Mean of the target over the datasets of the curve.
    pub mean: f64,
    /// Its 95 % interval within datasets (see the module); `None` with fewer than five clusters.
    pub interval: Option<(f64, f64)>,
}

/// One family of corrections on one model.
#[derive(Debug, Clone, PartialEq)]
pub struct TauCurve {
    /// Index of the model.
    pub model: usize,
    /// What the members share, with `tau` in the place of its value.
    pub family: String,
    /// Datasets for which every member has a value.
    pub n_datasets: usize,
    /// Members by rising tau, two at least.
    pub points: Vec<TauPoint>,
    /// The tau with the best mean (the smaller of two equal ones).
    pub best: f64,
    /// Its 95 % interval by a bootstrap over clusters; `None` with fewer than five.
    pub best_interval: Option<(f64, f64)>,
}

/// All curves over tau.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TauStudy {
    /// By model, then by family in order of first appearance.
    pub curves: Vec<TauCurve>,
}

/// A stage's text apart from its tau: `logit-adjust[prior=effective,tau=*]` and 0.5.
pub(crate) fn split_tau(stage: &str) -> Option<(String, f64)> {
    let (id, rest) = stage.split_once('[')?;
    let inside = rest.strip_suffix(']')?;
    let mut tau = None;
    let parts: Vec<String> = split_parameters(inside)
        .into_iter()
        .map(
            |part| match part.strip_prefix("tau=").and_then(|text| text.parse().ok()) {
                Some(value) => {
                    tau = Some(value);
                    "tau=*".to_owned()
                }
                None => part.to_owned(),
            },
        )
        .collect();
    Some((
        format!("{id}[{}]", parts.join(",")),
        tau.filter(|tau: &f64| tau.is_finite())?,
    ))
}

/// Splits at the commas that no bracket encloses.
fn split_parameters(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0_i32, 0, Vec::new());
    for (place, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text.get(start..place).unwrap_or_default());
                start = place + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

/// Signature and tau of every family that the correction is a member of: one a stage with a tau.
fn memberships(correction: &CorrectionInfo) -> Vec<(String, f64)> {
    let CorrectionInfo {
        resample,
        loss,
        decide,
        ..
    } = correction;
    let mut found = Vec::new();
    if let Some((stage, tau)) = split_tau(loss) {
        found.push((name(resample, &stage, decide), tau));
    }
    if let Some((stage, tau)) = split_tau(decide) {
        found.push((name(resample, loss, &stage), tau));
    }
    found
}

/// The stages that do something, joined by ` + `.
fn name(resample: &str, loss: &str, decide: &str) -> String {
    let stages = [
        (resample, "none"),
        (loss, "cross-entropy"),
        (decide, "argmax"),
    ];
    let active: Vec<&str> = stages
        .into_iter()
        .filter(|(stage, identity)| base_id(stage) != *identity && !stage.is_empty())
        .map(|(stage, _)| stage)
        .collect();
    active.join(" + ")
}

impl TauStudy {
    pub(super) fn of(data: &Data) -> Result<Self> {
        let mut order: Vec<String> = Vec::new();
        let mut families: BTreeMap<String, BTreeMap<u64, usize>> = BTreeMap::new();
        for (index, correction) in data.corrections.iter().enumerate() {
            for (signature, tau) in memberships(correction) {
                if !families.contains_key(&signature) {
                    order.push(signature.clone());
                }
                // Total order of non-negative numbers by their bits; tau is at least 0.
                let members = families.entry(signature).or_default();
                members.entry(tau.abs().to_bits()).or_insert(index);
            }
        }
        let mut curves = Vec::new();
        for model in 0..data.models.len() {
            for signature in &order {
                let Some(members) = families.get(signature) else {
                    continue;
                };
                let mut members = members.clone();
                let alone = !signature.contains(" + ");
                if let (true, Some(baseline)) = (alone && members.len() >= 2, data.baseline) {
                    members.entry(0.0_f64.to_bits()).or_insert(baseline);
                }
                if let Some(curve) = curve(data, model, signature, &members)? {
                    curves.push(curve);
                }
            }
        }
        Ok(Self { curves })
    }
}

fn curve(
    data: &Data,
    model: usize,
    family: &str,
    members: &BTreeMap<u64, usize>,
) -> Result<Option<TauCurve>> {
    let value = |point, correction| data.cube.value(model, point, correction);
    let valued: Vec<(f64, usize)> = members
        .iter()
        .map(|(&bits, &correction)| (f64::from_bits(bits), correction))
        .filter(|&(_, c)| (0..data.points.len()).any(|point| value(point, c).is_some()))
        .collect();
    if valued.len() < 2 {
        return Ok(None);
    }
    let mut shared: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, point) in data.points.iter().enumerate() {
        if valued.iter().all(|&(_, c)| value(index, c).is_some()) {
            shared.entry(point.dataset).or_default().push(index);
        }
    }
    if shared.is_empty() {
        return Ok(None);
    }
    let clusters = cluster_numbers(data, shared.keys().copied());
    let n_clusters = clusters.iter().max().map_or(0, |last| last + 1);
    let columns: Vec<Vec<f64>> = valued
        .iter()
        .map(|&(_, c)| {
            shared
                .values()
                .filter_map(|points| mean(points.iter().filter_map(|&p| value(p, c))))
                .collect()
        })
        .collect();
    let error = |source| ReportError::Stats {
        what: format!("the tau curve of {family}"),
        source,
    };
    let levels: Vec<f64> = (0..shared.len())
        .filter_map(|row| mean(columns.iter().filter_map(|column| column.get(row).copied())))
        .collect();
    let overall = mean(levels.iter().copied()).unwrap_or(0.0);
    let mut points = Vec::new();
    for (&(tau, correction), column) in valued.iter().zip(&columns) {
        let centred = column
            .iter()
            .zip(&levels)
            .map(|(value, level)| value - level)
            .collect();
        let paired = PairedDifferences::new(centred, &clusters).map_err(error)?;
        let interval = too_few(bootstrap_mean(&paired, BootstrapOptions::default()))
            .map_err(error)?
            .map(|interval| (interval.lower + overall, interval.upper + overall));
        let Some(mean) = mean(column.iter().copied()) else {
            return Ok(None);
        };
        points.push(TauPoint {
            tau,
            correction,
            mean,
            interval,
        });
    }
    // Sums of each cluster under each tau, so that a resample costs clusters times taus.
    let mut sums = vec![vec![0.0; n_clusters]; columns.len()];
    for (column, sums) in columns.iter().zip(&mut sums) {
        for (value, &cluster) in column.iter().zip(&clusters) {
            if let Some(sum) = sums.get_mut(cluster) {
                *sum += value;
            }
        }
    }
    let best_of = |drawn: &[usize]| {
        let mut best = (f64::INFINITY, 0.0);
        for (sums, &(tau, _)) in sums.iter().zip(&valued) {
            let sum: f64 = drawn.iter().filter_map(|&cluster| sums.get(cluster)).sum();
            let sum = data.target.cost(sum);
            if sum < best.0 {
                best = (sum, tau);
            }
        }
        best.1
    };
    let all: Vec<usize> = (0..n_clusters).collect();
    let options = BootstrapOptions {
        draws: 1_999,
        ..BootstrapOptions::default()
    };
    let best_interval = too_few(bootstrap_statistic(n_clusters, options, best_of))
        .map_err(error)?
        .map(|interval| (interval.lower, interval.upper));
    Ok(Some(TauCurve {
        model,
        family: family.to_owned(),
        n_datasets: shared.len(),
        points,
        best: best_of(&all),
        best_interval,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tau_is_told_from_the_other_parameters() {
        assert_eq!(
            split_tau("logit-adjust[prior=effective,tau=0.5]"),
            Some(("logit-adjust[prior=effective,tau=*]".to_owned(), 0.5))
        );
        assert_eq!(
            split_tau("logit-adjusted[tau=1]"),
            Some(("logit-adjusted[tau=*]".into(), 1.0))
        );
        assert_eq!(split_tau("argmax"), None);
        assert_eq!(split_tau("threshold[t=0.2]"), None);
        // A tau inside another parameter's value belongs to that value.
        assert_eq!(
            split_tau("calibrated[then=logit-adjust[tau=1],by=platt]"),
            None
        );
    }

    #[test]
    fn only_stages_that_act_name_a_family() {
        assert_eq!(
            name("none", "logit-adjusted[tau=*]", "argmax"),
            "logit-adjusted[tau=*]"
        );
        assert_eq!(
            name("smote[k=5]", "cross-entropy", "x[tau=*]"),
            "smote[k=5] + x[tau=*]"
        );
    }
}
