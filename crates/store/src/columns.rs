//! Every column of records.parquet, declared once: for the writer, the reader, the documentation and the tests.

use counterweight_core::stages::Stages;
use counterweight_core::{Name, Outcome, Record, Role};

use crate::table::join;

/// The metrics among the contract's columns, in the contract's order.
pub const METRIC_COLUMNS: [&str; 17] = [
    "balanced_error",
    "error_rate",
    "worst_recall",
    "g_mean",
    "macro_f1",
    "mcc",
    "kappa",
    "auroc",
    "average_precision",
    "brier",
    "log_loss",
    "ece",
    "calibration_intercept",
    "calibration_slope",
    "many_recall",
    "medium_recall",
    "few_recall",
];

/// How a column is taken from a record and put into one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Access {
    /// A text that many records share; the empty text is an empty cell where that may be.
    Name {
        get: fn(&Record) -> &str,
        set: fn(&mut Record, Name),
        empty: bool,
    },
    /// A text with a form of its own; `set` says whether it has it.
    Text {
        get: fn(&Record) -> Option<String>,
        set: fn(&mut Record, &str) -> bool,
        expected: &'static str,
        empty: bool,
    },
    Real {
        get: fn(&Record) -> Option<f64>,
        set: fn(&mut Record, Option<f64>),
    },
    Whole {
        get: fn(&Record) -> u64,
        set: fn(&mut Record, u64),
    },
    /// A kind or an entry; the empty text is an empty cell.
    Stage {
        get: fn(&Stages) -> &Name,
        set: fn(&mut Stages, Name),
    },
    /// The metrics of the contract, a column each.
    ContractMetrics,
    /// All other metrics, a column each.
    FurtherMetrics,
    /// Every parameter that the sweep varies, a column each.
    Parameters,
}

/// A column of records.parquet, or several of one kind.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name; of several, what they are.
    pub name: &'static str,
    /// What it holds.
    pub about: &'static str,
    pub(crate) access: Access,
}

impl Column {
    /// What its cells are: `text`, `real`, `whole` or, of columns that differ, `any`.
    pub fn kind(&self) -> &'static str {
        match self.access {
            Access::Name { .. } | Access::Text { .. } | Access::Stage { .. } => "text",
            Access::Real { .. } | Access::ContractMetrics | Access::FurtherMetrics => "real",
            Access::Whole { .. } => "whole",
            Access::Parameters => "any",
        }
    }

    /// Whether it is one column of that name.
    pub fn is_single(&self) -> bool {
        !matches!(
            self.access,
            Access::ContractMetrics | Access::FurtherMetrics | Access::Parameters
        )
    }
}

/// A text that recurs, out of and into a field of that name.
macro_rules! name {
    ($field:ident, $empty:literal, $about:literal) => {
        Column {
            name: stringify!($field),
            about: $about,
            access: Access::Name {
                get: |r| r.$field.as_str(),
                set: |r, value| r.$field = value,
                empty: $empty,
            },
        }
    };
}

/// A count.
macro_rules! whole {
    ($field:ident, $about:literal) => {
        Column {
            name: stringify!($field),
            about: $about,
            access: Access::Whole {
                get: |r| r.$field,
                set: |r, value| r.$field = value,
            },
        }
    };
}

/// A number that may be missing.
macro_rules! real {
    ($field:ident, $about:literal) => {
        Column {
            name: stringify!($field),
            about: $about,
            access: Access::Real {
                get: |r| r.$field,
                set: |r, value| r.$field = value,
            },
        }
    };
}

/// Counts of classes.
macro_rules! counts {
    ($field:ident, $about:literal) => {
        Column {
            name: stringify!($field),
            about: $about,
            access: Access::Text {
                get: |r| join(&r.$field, u64::to_string),
                set: |r, text| take_list(&mut r.$field, text, |item| item.parse().ok()),
                expected: "counts joined by `;`",
                empty: true,
            },
        }
    };
}

/// Id of an entry.
macro_rules! entry {
    ($field:ident, $about:literal) => {
        Column {
            name: stringify!($field),
            about: $about,
            access: Access::Stage {
                get: |s| &s.$field,
                set: |s, value| s.$field = value,
            },
        }
    };
}

/// The kind of a stage.
macro_rules! kind {
    ($name:literal, $role:ident, $about:literal) => {
        Column {
            name: $name,
            about: $about,
            access: Access::Stage {
                get: |s| &s.get(Role::$role).kind,
                set: |s, value| s.get_mut(Role::$role).kind = value,
            },
        }
    };
}

/// Every column, in order.
pub const COLUMNS: &[Column] = &[
    Column {
        name: "cell",
        about: "hash of everything that decides the result",
        access: Access::Text {
            get: |r| Some(r.cell.0.clone()),
            set: |r, text| {
                text.clone_into(&mut r.cell.0);
                true
            },
            expected: "text",
            empty: false,
        },
    },
    name!(dataset, false, "id of the dataset or population"),
    name!(source, false, "`synthetic` or `real`"),
    whole!(n_train, "training rows, before resampling"),
    whole!(n_test, "test rows"),
    whole!(n_features, "feature columns before encoding"),
    whole!(n_classes, "classes"),
    name!(
        profile,
        false,
        "`natural`, `step`, `exponential`, `pareto`, `counts`, `ladder-minority` or `ladder-n`; `/` and which class is rare, where that is not the smallest"
    ),
    real!(
        requested_ratio,
        "the ratio that was asked for; empty for natural data"
    ),
    real!(
        imbalance_ratio,
        "largest over smallest class count of the training rows"
    ),
    whole!(minority_count, "smallest class count of the training rows"),
    whole!(repeat, "from 0"),
    whole!(fold, "from 0"),
    name!(model, false, "id of the model"),
    name!(
        model_params,
        true,
        "its parameters, `key=value` sorted, joined by `;`"
    ),
    name!(correction, false, "id of the correction"),
    name!(family, false, "what kind of correction"),
    name!(
        resample,
        false,
        "the resampler or ensemble with its parameters, or `none`"
    ),
    name!(
        loss,
        false,
        "the loss with its parameters, or `cross-entropy`"
    ),
    name!(
        decide,
        false,
        "the decision with its parameters, or `argmax`"
    ),
    Column {
        name: "outcome",
        about: "what became of the cell",
        access: Access::Text {
            get: |r| Some(r.outcome.id().to_owned()),
            set: |r, text| {
                let known = Outcome::from_id(text);
                r.outcome = known.unwrap_or(r.outcome);
                known.is_some()
            },
            expected: "an outcome",
            empty: false,
        },
    },
    name!(
        reason,
        true,
        "why, and which metrics have no value; empty when there is nothing to say"
    ),
    Column {
        name: "metrics",
        about: "a column a metric of the contract, `balanced_error` to `few_recall`; empty where it has no value",
        access: Access::ContractMetrics,
    },
    real!(
        bayes_balanced_error,
        "Bayes-optimal balanced error of the very test rows; populations only"
    ),
    Column {
        name: "regret",
        about: "balanced error minus the Bayes-optimal one; may be negative",
        access: Access::Real {
            get: Record::regret,
            set: |_, _| {},
        },
    },
    Column {
        name: "recalls",
        about: "recall of each class, in class order, joined by `;`; empty where undefined",
        access: Access::Text {
            get: |r| {
                join(&r.recalls, |recall| {
                    recall.map_or_else(String::new, |recall| recall.to_string())
                })
            },
            set: |r, text| {
                take_list(&mut r.recalls, text, |item| match item {
                    "" => Some(None),
                    item => item.parse().ok().map(Some),
                })
            },
            expected: "numbers joined by `;`",
            empty: true,
        },
    },
    Column {
        name: "further metrics",
        about: "a column a metric that the contract does not name, and `_raw` for scores as they are",
        access: Access::FurtherMetrics,
    },
    counts!(
        test_counts,
        "test rows of each class, in class order, joined by `;`"
    ),
    counts!(train_counts, "training rows likewise, before resampling"),
    kind!(
        "model_kind",
        Model,
        "the learner; empty for an imported model"
    ),
    entry!(
        model_entry,
        "id of the model's entry: the same for all members of a grid"
    ),
    entry!(correction_entry, "id of the correction's entry likewise"),
    kind!(
        "resample_kind",
        Resample,
        "the resampler as it ran, or `none`; empty beside an ensemble"
    ),
    kind!("ensemble_kind", Ensemble, "the ensemble; empty without one"),
    kind!("loss_kind", Loss, "the loss, or `cross-entropy`"),
    kind!("decide_kind", Decide, "the decision, or `argmax`"),
    entry!(
        dataset_entry,
        "id of the population's entry likewise, or the table that a dataset is a view of"
    ),
    kind!(
        "population_kind",
        Population,
        "the population; empty for real data"
    ),
    Column {
        name: "parameters",
        about: "a column a parameter that the sweep varies, called `ROLE.NAME`: `model.l2`, `resample.k`, `decide.then.tau`; empty where it does not apply",
        access: Access::Parameters,
    },
];

fn take_list<T>(into: &mut Vec<T>, text: &str, parse: impl Fn(&str) -> Option<T>) -> bool {
    // An empty cell is an empty list.
    let items: Option<Vec<T>> = if text.is_empty() {
        Some(Vec::new())
    } else {
        text.split(';').map(parse).collect()
    };
    let good = items.is_some();
    into.extend(items.into_iter().flatten());
    good
}
