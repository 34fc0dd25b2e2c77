//! The metric that a report is about: its name in words, its direction and its unit.
//!
//! Levels are read in percent where the metric is a rate, and times a hundred elsewhere, so that a
//! point is a hundredth of every metric and half a point the same bar for all.

use counterweight_core::Catalogue;
use counterweight_stats::Direction;

use super::direction_of;

/// The metric that ranks the corrections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Column of the records.
    pub id: String,
    /// The metric in words, such as `balanced error` or `MCC`.
    pub name: String,
    /// Whether less is better.
    pub lower_is_better: bool,
    /// Whether it is a rate, read in percent.
    pub percent: bool,
}

impl Default for Target {
    fn default() -> Self {
        Self {
            id: "balanced_error".to_owned(),
            name: "balanced error".to_owned(),
            lower_is_better: true,
            percent: true,
        }
    }
}

impl Target {
    /// The target of a column; `None` when its best value is neither end (a calibration slope), so
    /// that it cannot rank anything, or when its direction is unknown.
    pub fn of(column: &str, catalogue: &Catalogue) -> Option<Self> {
        let base = column.strip_suffix("_raw").unwrap_or(column);
        let mut name = words(base);
        if base != column {
            name.push_str(" on scores as they are");
        }
        let percent = matches!(
            base,
            "balanced_error" | "error_rate" | "g_mean" | "macro_f1" | "ece"
        ) || base.ends_with("_recall");
        Some(Self {
            id: column.to_owned(),
            name,
            lower_is_better: direction_of(base, catalogue)?,
            percent,
        })
    }

    /// Whether this is the headline metric, for which pooled values and Bayes floors exist.
    pub fn is_balanced_error(&self) -> bool {
        self.id == "balanced_error"
    }

    /// What the corrections do to the metric when they help: `lowers` or `raises`.
    pub(crate) fn helps(&self) -> &'static str {
        if self.lower_is_better {
            "lowers"
        } else {
            "raises"
        }
    }

    /// What they do when they harm.
    pub(crate) fn harms(&self) -> &'static str {
        if self.lower_is_better {
            "raises"
        } else {
            "lowers"
        }
    }

    /// The helping verb without its ending: `lower` or `raise`.
    pub(crate) fn help(&self) -> &'static str {
        if self.lower_is_better {
            "lower"
        } else {
            "raise"
        }
    }

    /// Name and unit over a column or beside an axis, apart from the percent sign that
    /// tables say in their notes.
    pub(crate) fn head(&self) -> String {
        if self.percent {
            self.name.clone()
        } else {
            format!("{} ×100", self.name)
        }
    }

    /// How levels are to be read, for a note below a table.
    pub(crate) fn units(&self) -> String {
        if self.percent {
            format!("{} in %", self.title())
        } else {
            format!("{} times 100 (a point is a hundredth)", self.title())
        }
    }

    /// The name at the beginning of a sentence.
    pub(crate) fn title(&self) -> String {
        let mut letters = self.name.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_uppercase().chain(letters).collect()
        })
    }

    /// The value turned so that less is better.
    pub(crate) fn cost(&self, value: f64) -> f64 {
        if self.lower_is_better { value } else { -value }
    }

    pub(super) fn direction(&self) -> Direction {
        if self.lower_is_better {
            Direction::LowerIsBetter
        } else {
            Direction::HigherIsBetter
        }
    }
}

fn words(column: &str) -> String {
    match column {
        "g_mean" => "G-mean".to_owned(),
        "macro_f1" => "macro-F1".to_owned(),
        "mcc" => "MCC".to_owned(),
        "auroc" => "AUROC".to_owned(),
        "brier" => "Brier score".to_owned(),
        "ece" => "ECE".to_owned(),
        "many_recall" => "recall of frequent classes".to_owned(),
        "medium_recall" => "recall of medium classes".to_owned(),
        "few_recall" => "recall of rare classes".to_owned(),
        other => other.replace('_', " "),
    }
}
