//! What names results and what keys random streams.
//!
//! Ids of cells, claims and sweeps are hashes of ids and numbers, field by field. A stream is keyed by a
//! text, and every byte of that text decides results: it is written out here, never left to how a type
//! happens to print itself.

use counterweight_core::{ClassCounts, ContentHash, Hasher, SmallClass};

use super::{Input, InputKind, Rows, Unit};
use crate::config::Sweep;
use crate::config::method::Built;
use crate::config::sweep::{Correction, Model, RatioSpec, SizeSpec, SplitSpec};

/// Raised by hand when results change on purpose; part of every cell id, named in CHANGELOG.
pub const RESULTS_EPOCH: u64 = 4;

/// The part of a stream's key that says how undivided data are split.
fn split_key(split: SplitSpec) -> String {
    match split {
        SplitSpec::Folds(folds) => format!("Folds({folds})"),
        // A share as it reads back: `0.3`, and `0.5` rather than `.5`.
        SplitSpec::HoldOut(share) => format!("HoldOut({share:?})"),
    }
}

/// The key of the rows of a population's unit.
pub(super) fn draw_key(
    input: &Input,
    train: &ClassCounts,
    test: &ClassCounts,
    repeat: usize,
) -> String {
    format!(
        "{}|train={}|test={}|repeat={repeat}",
        input.hash.hex(),
        join(train),
        join(test)
    )
}

fn join(counts: &ClassCounts) -> String {
    let texts: Vec<String> = counts.as_slice().iter().map(ToString::to_string).collect();
    texts.join(";")
}

/// The key of the rows of one fold of real data. Only what decides the rows: streams hang on it, and must
/// not move when, say, the metric prior of the sweep does.
pub(super) fn fold_key(sweep: &Sweep, input: &Input, repeat: usize, fold: usize) -> String {
    format!(
        "{}|split={}|group={}|repeat={repeat}|fold={fold}",
        input.hash.hex(),
        split_key(sweep.protocol.split),
        sweep.protocol.group_duplicates
    )
}

/// The key of a unit of real data: of the fold, and of how it is thinned.
pub(super) fn thinned_key(
    fold_key: &str,
    profile: &str,
    ratio: RatioSpec,
    rung: Option<&ClassCounts>,
) -> String {
    let key = match ratio {
        RatioSpec::Natural => format!("{fold_key}|{profile}|ratio=natural"),
        RatioSpec::Induced(ratio) => format!("{fold_key}|{profile}|ratio={ratio}"),
    };
    match rung {
        Some(rung) => format!("{key}|train={}", join(rung)),
        None => key,
    }
}

impl<C, T: ?Sized> Built<C, T> {
    fn identify(&self, hasher: Hasher) -> Hasher {
        hasher.method(self.entry.card.id, &self.params)
    }
}

/// What the protocol decides about every result.
fn protocol(sweep: &Sweep, hasher: Hasher) -> Hasher {
    let protocol = &sweep.protocol;
    let hasher = match protocol.split {
        SplitSpec::Folds(folds) => hasher.text("folds").number(folds as u64),
        SplitSpec::HoldOut(share) => hasher.text("test").real(share),
    };
    hasher
        .number(protocol.inner_folds as u64)
        .text(match protocol.small_class {
            SmallClass::Clamp => "clamp",
            SmallClass::Error => "error",
            SmallClass::Skip => "skip",
        })
        .text(protocol.metric_prior.id())
        .number(u64::from(protocol.group_duplicates))
}

fn ratio(ratio: RatioSpec, hasher: Hasher) -> Hasher {
    match ratio {
        RatioSpec::Natural => hasher.text("natural"),
        RatioSpec::Induced(ratio) => hasher.text("induced").real(ratio),
    }
}

/// A start for the ids of everything on one unit.
pub(super) fn of_unit(domain: &str, sweep: &Sweep, input: &Input, unit: &Unit) -> ContentHash {
    let hasher = Hasher::new(domain)
        .number(RESULTS_EPOCH)
        .number(sweep.seed.0);
    let hasher = protocol(sweep, hasher)
        .text(&input.id)
        .hash(&input.hash)
        .text(input.preprocess.id())
        .text(unit.profile);
    let hasher = ratio(unit.ratio, hasher)
        .number(unit.repeat as u64)
        .number(unit.fold as u64);
    match &unit.rows {
        // The counts follow from the ratio, but a population of another size is another one; those of a rung
        // follow from the other rungs too.
        Rows::Draw => numbers(hasher, [&unit.train, &unit.test]),
        Rows::Cut(_) if unit.table.is_some() => numbers(hasher, [&unit.train]),
        Rows::Cut(_) | Rows::None(..) => hasher,
    }
    .finish()
}

fn numbers<const N: usize>(hasher: Hasher, counts: [&ClassCounts; N]) -> Hasher {
    let all = counts.into_iter().flat_map(ClassCounts::as_slice);
    all.fold(hasher, |hasher, &n| hasher.number(n as u64))
}

/// What decides a fit's learner.
pub(super) fn of_model(model: &Model) -> ContentHash {
    let mut hasher = Hasher::new("model").text(&model.id);
    for candidate in model.candidates() {
        hasher = candidate.identify(hasher);
    }
    if let Some(features) = model.features {
        hasher = hasher.text("polynomial").number(features.polynomial as u64);
    }
    if let Some(select) = &model.select {
        hasher = hasher.text("select").text(select.metric);
    }
    hasher.finish()
}

/// What decides a correction, as the sweep file asks for it.
pub(super) fn of_correction(correction: &Correction) -> ContentHash {
    let mut hasher = Hasher::new("correction").text(&correction.id);
    if let Some(built) = &correction.resample {
        hasher = built.identify(hasher.text("resample"));
    }
    if let Some(built) = &correction.ensemble {
        hasher = built.identify(hasher.text("ensemble"));
    }
    let hasher = correction.loss.identify(hasher.text("loss"));
    correction.decide.identify(hasher.text("decide")).finish()
}

/// A resampler as it will run on an input; nothing of `None`.
pub(super) fn of_planned<C, T: ?Sized>(planned: Option<&Built<C, T>>) -> ContentHash {
    let hasher = Hasher::new("planned");
    match planned {
        Some(built) => built.identify(hasher).finish(),
        None => hasher.finish(),
    }
}

/// What a sweep asks for. The seed is left out, so that a reseeded rerun is recognised as the same sweep.
pub(super) fn of_sweep(sweep: &Sweep, inputs: &[Input]) -> ContentHash {
    let start = Hasher::new("counterweight sweep 2").number(RESULTS_EPOCH);
    let mut hasher = protocol(sweep, start).number(sweep.protocol.repeats as u64);
    for input in inputs {
        hasher = hasher
            .text(&input.id)
            .hash(&input.hash)
            .text(input.preprocess.id());
        let (ratios, profile) = match &input.kind {
            InputKind::Population(spec) => {
                let (size, n) = spec.size.entry();
                hasher = n
                    .iter()
                    .chain(&[spec.n_test])
                    .fold(hasher.text(size), |hasher, &n| hasher.number(n as u64));
                let ratios = spec.ratios.iter().map(|&ratio| RatioSpec::Induced(ratio));
                (ratios.collect(), spec.profile)
            }
            InputKind::Real(_) => {
                let spec = &sweep.datasets[input.spec];
                let ladders = spec.ladders.iter().map(|ladder| ladder.profile());
                hasher = ladders.fold(hasher, Hasher::text);
                (spec.ratios.clone(), spec.profile)
            }
        };
        let ratios: Vec<RatioSpec> = ratios;
        hasher = hasher.text(profile.id()).number(ratios.len() as u64);
        for each in ratios {
            hasher = ratio(each, hasher);
        }
    }
    for model in &sweep.models {
        hasher = hasher.hash(&of_model(model));
    }
    for correction in &sweep.corrections {
        hasher = hasher.hash(&of_correction(correction));
    }
    hasher.finish()
}

impl SizeSpec {
    /// The key in sweep files, and its number of rows, or one a class.
    pub fn entry(&self) -> (&'static str, &[usize]) {
        match self {
            Self::Total(n) => ("n_train", std::slice::from_ref(n)),
            Self::Largest(n) => ("n_max", std::slice::from_ref(n)),
            Self::Smallest(n) => ("minority_count", std::slice::from_ref(n)),
            Self::Each(counts) => ("class_counts", counts.as_slice()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_streams_keep_their_bytes() {
        assert_eq!(split_key(SplitSpec::Folds(5)), "Folds(5)");
        for (share, text) in [
            (0.3, "HoldOut(0.3)"),
            (0.5, "HoldOut(0.5)"),
            (1e-7, "HoldOut(1e-7)"),
        ] {
            assert_eq!(split_key(SplitSpec::HoldOut(share)), text);
        }
        assert_eq!(
            thinned_key("k", "natural", RatioSpec::Natural, None),
            "k|natural|ratio=natural"
        );
        assert_eq!(
            thinned_key("k", "step", RatioSpec::Induced(10.0), None),
            "k|step|ratio=10"
        );
        assert_eq!(
            thinned_key("k", "step", RatioSpec::Induced(2.5), None),
            "k|step|ratio=2.5"
        );
    }
}
