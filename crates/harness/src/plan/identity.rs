//! What names results and what keys random streams.
//!
//! Ids of cells, claims and sweeps are hashes of ids and numbers, field by field. A stream is keyed by a
//! text, and every byte of that text decides results: it is written out here, never left to how a type
//! happens to print itself.

use counterweight_core::{ClassCounts, ContentHash, Hasher, SmallClass};

use super::{Input, InputKind, Rows, Unit};
use crate::config::Sweep;
use crate::config::method::Built;
use crate::config::sweep::{
    Correction, MetricPrior, Model, PopulationSpec, RareSpec, RatioSpec, SizeSpec, SplitSpec,
    TestPrior, TestSize, joined,
};

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
    let held = sweep.datasets[input.spec].test_per_class.map(held_key);
    format!(
        "{}|split={}|group={}|repeat={repeat}|fold={fold}",
        input.hash.hex(),
        held.unwrap_or_else(|| split_key(sweep.protocol.split)),
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
    let hasher = hasher
        .number(protocol.inner_folds as u64)
        .text(match protocol.small_class {
            SmallClass::Clamp => "clamp",
            SmallClass::Error => "error",
            SmallClass::Skip => "skip",
        })
        .text(
            &protocol
                .metric_prior
                .as_ref()
                .unwrap_or(&MetricPrior::Train)
                .id(),
        )
        .number(u64::from(protocol.group_duplicates));
    if protocol.exact_errors {
        hasher.text("exact-errors")
    } else {
        hasher
    }
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
        .text(&unit.profile);
    let hasher = ratio(unit.ratio, hasher)
        .number(unit.repeat as u64)
        .number(unit.fold as u64);
    let hasher = if unit.more.is_empty() {
        hasher
    } else {
        hasher.text(&unit.more)
    };
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
        let (ratios, profile, more) = match &input.kind {
            InputKind::Population(spec) => {
                let (size, n) = spec.size.entry();
                hasher = n
                    .iter()
                    .chain(&[spec.n_test])
                    .fold(hasher.text(size), |hasher, &n| hasher.number(n as u64));
                let ratios = spec.ratios.iter().map(|&ratio| RatioSpec::Induced(ratio));
                (ratios.collect(), spec.profile, of_population(sweep, spec))
            }
            InputKind::Real(_) => {
                let spec = &sweep.datasets[input.spec];
                let ladders = spec.ladders.iter().map(|ladder| ladder.profile());
                hasher = ladders.fold(hasher, Hasher::text);
                (spec.ratios.clone(), spec.profile, of_dataset(sweep, input))
            }
        };
        let ratios: Vec<RatioSpec> = ratios;
        hasher = hasher.text(profile.id()).number(ratios.len() as u64);
        for each in ratios {
            hasher = ratio(each, hasher);
        }
        if !more.is_empty() {
            hasher = hasher.text(&more);
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

/// What a dataset asks for beside what every one does; empty for nothing.
pub(super) fn of_dataset(sweep: &Sweep, input: &Input) -> String {
    let spec = &sweep.datasets[input.spec];
    let size = spec.size.as_ref().map(|size| {
        let (key, rows) = size.entry();
        format!("{key}={}", rows[0])
    });
    let held = spec.test_per_class.map(held_key);
    let rest = [
        rare(spec.rare),
        size,
        held,
        shift(sweep, spec.test_prior.as_ref()),
        input
            .weights
            .map(|weights| format!("weights={}", weights.hex())),
    ];
    rest.into_iter().flatten().collect::<Vec<_>>().join("|")
}

/// As [`of_dataset`].
pub(super) fn of_population(sweep: &Sweep, spec: &PopulationSpec) -> String {
    let rest = [rare(spec.rare), shift(sweep, spec.test_prior.as_ref())];
    rest.into_iter().flatten().collect::<Vec<_>>().join("|")
}

fn rare(rare: RareSpec) -> Option<String> {
    (rare != RareSpec::Smallest).then(|| format!("rare={}", rare.id()))
}

pub(super) fn held_key(size: TestSize) -> String {
    match size {
        TestSize::Rows(n) => format!("test_per_class={n}"),
        TestSize::Share(share) => format!("test_per_class={share:?}"),
    }
}

/// The shares of test rows, and the metric prior, which is another one by default where there are some.
fn shift(sweep: &Sweep, prior: Option<&TestPrior>) -> Option<String> {
    let shares = match prior? {
        TestPrior::Train => "train".to_owned(),
        TestPrior::Balanced => "balanced".to_owned(),
        TestPrior::Shares(shares) => joined(shares),
    };
    let asked = sweep.protocol.metric_prior.as_ref();
    let metrics = asked.unwrap_or(&MetricPrior::Test).id();
    Some(format!("test_prior={shares}|metric_prior={metrics}"))
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
