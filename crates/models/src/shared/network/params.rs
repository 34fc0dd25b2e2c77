//! Parameters that the learners by minibatches share.

use counterweight_core::params::Default as Preset;
use counterweight_core::{ParamKind, ParamSpec, ParamValue, Params, Range};

use super::solver::Solver;
use super::train::Budget;

/// The parameter `solver`.
pub(crate) const SOLVER: ParamSpec = ParamSpec::new(
    "solver",
    ParamKind::Choice(&["adam", "sgd"]),
    Preset::Text("adam"),
    "how a gradient becomes a step",
);

/// The parameter `momentum`.
pub(crate) const MOMENTUM: ParamSpec = ParamSpec::new(
    "momentum",
    ParamKind::Real(Range::UNIT_BELOW_ONE),
    Preset::Real(0.9),
    "share of the last step that a step of `sgd` keeps",
);

/// The parameter `nesterov`.
pub(crate) const NESTEROV: ParamSpec = ParamSpec::new(
    "nesterov",
    ParamKind::Flag,
    Preset::Flag(true),
    "whether `sgd` looks ahead along its momentum",
);

/// The parameter `learning_rate`.
pub(crate) const fn learning_rate(default: f64) -> ParamSpec {
    ParamSpec::new(
        "learning_rate",
        ParamKind::Real(Range::new(0.0, false, 10.0, true)),
        Preset::Real(default),
        "size of the steps",
    )
}

/// The parameter `updates`.
pub(crate) const UPDATES: ParamSpec = ParamSpec::new(
    "updates",
    ParamKind::Whole(Range::new(1.0, true, 1e8, true)),
    Preset::Whole(5000),
    "most steps in all, whatever number of rows a resampler leaves",
);

/// The parameter `epochs`.
pub(crate) const EPOCHS: ParamSpec = ParamSpec::optional(
    "epochs",
    ParamKind::Whole(Range::new(1.0, true, 1e5, true)),
    "passes over the training rows, in place of `updates`",
);

/// The parameter `batch_size`.
pub(crate) const fn batch_size(default: i64) -> ParamSpec {
    ParamSpec::new(
        "batch_size",
        ParamKind::Whole(Range::AT_LEAST_ONE),
        Preset::Whole(default),
        "most rows of a minibatch; all rows when there are fewer",
    )
}

/// What the checked parameters `solver`, `momentum` and `nesterov` say.
pub(crate) fn solver(params: &Params) -> Solver {
    match params.text("solver") {
        "sgd" => Solver::Sgd {
            momentum: params.real("momentum"),
            nesterov: params.flag("nesterov"),
        },
        _ => Solver::Adam,
    }
}

/// A list of whole numbers of at least 0.
pub(crate) fn wholes(params: &Params, key: &str) -> Vec<usize> {
    match params.get(key) {
        Some(ParamValue::List(items)) => items
            .iter()
            .filter_map(|item| match item {
                ParamValue::Whole(value) => usize::try_from(*value).ok(),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// What the checked parameters `updates` and `epochs` say.
pub(crate) fn budget(params: &Params) -> Budget {
    match params.get("epochs") {
        Some(ParamValue::Whole(_)) => Budget::Epochs(params.whole("epochs")),
        _ => Budget::Updates(params.whole("updates")),
    }
}

/// Steps of a whole training on `n` rows, and the rows that they see.
pub(crate) fn steps(params: &Params, n: usize) -> (f64, f64) {
    let size = params.whole("batch_size").clamp(1, n.max(1));
    let steps = budget(params).steps(n.div_ceil(size)) as f64;
    (steps, steps * size as f64)
}
