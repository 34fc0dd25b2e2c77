//! gate.toml, format 1: how much is tolerated, what is claimed, and what is exempt until when.
//!
//! ```toml
//! format = 1
//! tolerance = 0.005        # a rise of the balanced error that nobody would act on
//! alpha = 0.05             # family-wise level of the comparison; level of each claim
//! require_power = false    # true: ends as `could not be checked` when a loss of `tolerance` could hide;
//!                          # default: true where the clusters are too few for any method to fail
//!
//! [[claim]]
//! kind = "better"          # better | not-worse | equivalent | identical
//! correction = "logit-adjust"    # or family = "logit-adjustment"; a list is fine
//! than = "none"
//! model = "softmax-regression"   # or a list; default: every model that has both
//! dataset = ["gaussian-pair"]    # default: all
//! source = "synthetic"           # or "real"; default: both
//! ratio = [10, 200]              # realised imbalance ratio of the training rows; default: all
//! margin = 0.0             # better: by more than this; not-worse: by less than this (default: tolerance)
//! rope = 0.005             # equivalent: within this (default: tolerance)
//! reason = "in words"
//!
//! [[claim]]
//! kind = "not-below-floor" # no balanced error under the Bayes error beyond sampling error
//!
//! [[claim]]
//! kind = "improvement-at-most"   # against the baseline: a jump that nobody explained is a finding
//! at_most = 0.02
//!
//! [[ignore]]
//! model = "k-nearest-neighbours" # any of model, correction, dataset
//! correction = "smote"
//! reason = "issue 71: ties on duplicated rows"
//! expires = 2027-01-31     # the last day on which it counts
//! ```
//!
//! Unknown keys are errors; all errors come out at once, each with its line and the nearest name.

mod parse;

pub use parse::gate_schema;

use std::collections::BTreeSet;
use std::fmt;

use counterweight_config::{Date, Diagnostic, Diagnostics};
use counterweight_core::nearest;

use super::result::Planned;

/// What is tolerated, claimed and exempt.
#[derive(Clone, Debug, PartialEq)]
pub struct GateConfig {
    /// Largest rise of the balanced error that is no regression, in (0, 1); default .005.
    pub tolerance: f64,
    /// Family-wise level of the comparison and level of each claim, in (0, 1); default .05.
    pub alpha: f64,
    /// Whether a comparison that a loss of `tolerance` could hide in is a failure; `None` is yes where no
    /// method could ever fail.
    pub require_power: Option<bool>,
    /// The claims, in file order.
    pub claims: Vec<Claim>,
    /// The exemptions, in file order.
    pub ignores: Vec<Ignore>,
}

impl Default for GateConfig {
    fn default() -> Self {
        Self {
            tolerance: 0.005,
            alpha: 0.05,
            require_power: None,
            claims: Vec::new(),
            ignores: Vec::new(),
        }
    }
}

/// A claim.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// Line of the entry in gate.toml, from 1.
    pub line: usize,
    /// What is claimed.
    pub kind: ClaimKind,
    /// Whose results it is about.
    pub scope: Scope,
    /// Why, in the author's words; may be empty.
    pub reason: String,
}

/// What is claimed.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimKind {
    /// The balanced error is lower than that of `than` by more than `margin`.
    Better {
        /// The correction compared with.
        than: String,
        /// At least 0.
        margin: f64,
    },
    /// The balanced error is not higher than that of `than` by `margin` or more.
    NotWorse {
        /// The correction compared with.
        than: String,
        /// Above 0.
        margin: f64,
    },
    /// The difference lies within `rope` of zero.
    Equivalent {
        /// The correction compared with.
        than: String,
        /// Above 0.
        rope: f64,
    },
    /// Every cell has the same balanced error and the same recalls.
    Identical {
        /// The correction compared with.
        than: String,
    },
    /// No balanced error on a population lies under its Bayes error beyond sampling error.
    NotBelowFloor,
    /// No method improved on the baseline by more than this.
    ImprovementAtMost {
        /// Above 0.
        at_most: f64,
    },
}

impl ClaimKind {
    /// Its name in gate.toml.
    pub fn id(&self) -> &'static str {
        match self {
            Self::Better { .. } => "better",
            Self::NotWorse { .. } => "not-worse",
            Self::Equivalent { .. } => "equivalent",
            Self::Identical { .. } => "identical",
            Self::NotBelowFloor => "not-below-floor",
            Self::ImprovementAtMost { .. } => "improvement-at-most",
        }
    }

    /// The correction compared with.
    pub fn than(&self) -> Option<&str> {
        match self {
            Self::Better { than, .. }
            | Self::NotWorse { than, .. }
            | Self::Equivalent { than, .. }
            | Self::Identical { than } => Some(than),
            Self::NotBelowFloor | Self::ImprovementAtMost { .. } => None,
        }
    }
}

/// Whose results a claim is about; an empty list means all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope {
    /// Corrections by id.
    pub corrections: Vec<String>,
    /// Corrections by family.
    pub families: Vec<String>,
    /// Models by id.
    pub models: Vec<String>,
    /// Datasets by id.
    pub datasets: Vec<String>,
    /// `synthetic` or `real`.
    pub source: Option<String>,
    /// Realised imbalance ratio of the training rows, both ends included.
    pub ratio: Option<(f64, f64)>,
}

/// An exemption: cells that the gate leaves alone until a day. Empty fields match everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// Line of the entry in gate.toml, from 1.
    pub line: usize,
    /// Model.
    pub model: Option<String>,
    /// Correction.
    pub correction: Option<String>,
    /// Dataset.
    pub dataset: Option<String>,
    /// Why.
    pub reason: String,
    /// The last day on which it counts.
    pub expires: Date,
}

impl fmt::Display for Ignore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<&str> = [&self.model, &self.correction, &self.dataset]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        f.write_str(&parts.join(", "))
    }
}

impl GateConfig {
    /// Reads gate.toml; `file` names it in messages.
    ///
    /// # Errors
    /// Every error of the file, in the order of their lines.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        parse::parse(file, text)
    }

    /// Whether everything that is named exists in the sweep: a claim about a method that is
    /// misspelt would hold for ever.
    ///
    /// # Errors
    /// Every name that the sweep does not have, with the nearest that it has.
    pub fn check(&self, file: &str, planned: &[Planned]) -> Result<(), Vec<Diagnostic>> {
        let set = |name: &dyn Fn(&Planned) -> &str| -> BTreeSet<String> {
            planned
                .iter()
                .map(|planned| name(planned).to_owned())
                .collect()
        };
        let models = set(&|p| &p.place.model);
        let corrections = set(&|p| &p.place.correction);
        let datasets = set(&|p| &p.place.dataset);
        let families = set(&|p| &p.family);
        let mut errors = Diagnostics::new(file);
        let mut look =
            |line: usize, key: String, noun: &str, name: &str, known: &BTreeSet<String>| {
                if !known.contains(name) {
                    let names = known.iter().map(String::as_str);
                    let hint = nearest(name, names.clone()).map_or_else(
                        || format!("it has {}", names.collect::<Vec<_>>().join(", ")),
                        |near| format!("did you mean `{near}`?"),
                    );
                    let message = format!("the sweep has no {noun} `{name}`");
                    errors.add(Some(line), key, message, Some(hint));
                }
            };
        for (at, claim) in (1..).zip(&self.claims) {
            let scope = &claim.scope;
            let key = |key: &str| format!("claim {at} > {key}");
            for name in &scope.models {
                look(claim.line, key("model"), "model", name, &models);
            }
            for name in &scope.corrections {
                look(
                    claim.line,
                    key("correction"),
                    "correction",
                    name,
                    &corrections,
                );
            }
            for name in &scope.families {
                look(claim.line, key("family"), "family", name, &families);
            }
            for name in &scope.datasets {
                look(claim.line, key("dataset"), "dataset", name, &datasets);
            }
            if let Some(name) = claim.kind.than() {
                look(claim.line, key("than"), "correction", name, &corrections);
            }
        }
        for (at, ignore) in (1..).zip(&self.ignores) {
            let key = |key: &str| format!("ignore {at} > {key}");
            if let Some(name) = &ignore.model {
                look(ignore.line, key("model"), "model", name, &models);
            }
            if let Some(name) = &ignore.correction {
                look(
                    ignore.line,
                    key("correction"),
                    "correction",
                    name,
                    &corrections,
                );
            }
            if let Some(name) = &ignore.dataset {
                look(ignore.line, key("dataset"), "dataset", name, &datasets);
            }
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors.into_sorted())
        }
    }
}
