//! What a cell is made of, as values: a kind and typed parameters for each part of the work.
//!
//! Records carry them beside the texts of the contract's columns, which are rendered from the same
//! parameters, so that nothing has to take a text apart to learn what was swept.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::name::Name;
use crate::params::ParamValue;

/// One value of a parameter, as a column of a table can hold it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// True or false.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// A real number.
    Real(f64),
    /// A word, or what is no scalar in its canonical text.
    Text(Name),
}

impl Scalar {
    /// The value as a number, if it is one.
    pub fn as_real(&self) -> Option<f64> {
        match self {
            Self::Real(value) => Some(*value),
            Self::Whole(value) => Some(*value as f64),
            Self::Flag(_) | Self::Text(_) => None,
        }
    }
}

impl From<&ParamValue> for Scalar {
    fn from(value: &ParamValue) -> Self {
        match value {
            ParamValue::Real(value) => Self::Real(*value),
            ParamValue::Whole(value) => Self::Whole(*value),
            ParamValue::Flag(flag) => Self::Flag(*flag),
            ParamValue::Text(text) => Self::Text(text.into()),
            other => Self::Text(other.to_string().into()),
        }
    }
}

/// As in ids: the same for every spelling of a value.
impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Whole(value) => write!(f, "{value}"),
            Self::Real(value) => write!(f, "{value}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// A part of the work that has parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The entry of the data: the size of a training set. It has no kind.
    Dataset,
    /// What synthetic rows are drawn from.
    Population,
    /// The learner.
    Model,
    /// What changes the training rows.
    Resample,
    /// What takes the place of resampling, loss and the single fit.
    Ensemble,
    /// What changes the loss.
    Loss,
    /// What changes the decision.
    Decide,
}

impl Role {
    /// Every role, in the order of the columns.
    pub const ALL: [Self; 7] = [
        Self::Dataset,
        Self::Population,
        Self::Model,
        Self::Resample,
        Self::Ensemble,
        Self::Loss,
        Self::Decide,
    ];

    /// Its name, which columns begin with: `resample` in `resample.k`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dataset => "dataset",
            Self::Population => "population",
            Self::Model => "model",
            Self::Resample => "resample",
            Self::Ensemble => "ensemble",
            Self::Loss => "loss",
            Self::Decide => "decide",
        }
    }

    /// The column of one of its parameters.
    pub fn column(self, parameter: &str) -> String {
        format!("{}.{parameter}", self.name())
    }
}

/// One part: its kind and those of its parameters that the sweep varies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// Id of the method; empty where there is none.
    pub kind: Name,
    /// Values by name; a parameter of a stage inside the stage is called `then.tau`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, Scalar>,
}

/// Everything that a cell is made of. Members of one grid have the same entries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stages {
    /// Id of the population's entry, without its grid, or the table that a dataset is a view of.
    pub dataset_entry: Name,
    /// Id of the model's entry, without its grid.
    pub model_entry: Name,
    /// Id of the correction's entry, without its grid.
    pub correction_entry: Name,
    /// One for each role, in the order of [`Role::ALL`].
    pub parts: [Stage; Role::ALL.len()],
}

impl Stages {
    /// The part of that role.
    pub fn get(&self, role: Role) -> &Stage {
        &self.parts[role as usize]
    }

    /// The part of that role, to be changed.
    pub fn get_mut(&mut self, role: Role) -> &mut Stage {
        &mut self.parts[role as usize]
    }

    /// The value of a parameter; `None` where it does not apply.
    pub fn value(&self, role: Role, parameter: &str) -> Option<&Scalar> {
        self.get(role).params.get(parameter)
    }
}

/// A parameter that an entry of a sweep varies: one axis of an ablation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// The part that has the parameter.
    pub stage: Role,
    /// Its name; with [`Role::column`] the column of the records.
    pub parameter: String,
    /// Id of the entry, without its grid.
    pub entry: String,
    /// Its values, in the order of the sweep file.
    pub values: Vec<Scalar>,
    /// The value that stands where the sweep file gives none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Scalar>,
    /// Whether every member of the grid stands for itself in rankings.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expand: bool,
    /// The metric that chooses a value inside each training fold; such members are no records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected_by: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_types_in_a_line_of_a_segment() {
        let mut stages = Stages {
            model_entry: "m".into(),
            ..Stages::default()
        };
        let stage = stages.get_mut(Role::Decide);
        stage.kind = "calibrated".into();
        for (name, value) in [
            ("then.tau", Scalar::Real(1.0)),
            ("folds", Scalar::Whole(1)),
            ("smooth", Scalar::Flag(true)),
            ("by", Scalar::Text("1".into())),
        ] {
            stage.params.insert(name.to_owned(), value);
        }
        let text = serde_json::to_string(&stages).unwrap();
        assert_eq!(serde_json::from_str::<Stages>(&text).unwrap(), stages);
        assert_eq!(
            stages.value(Role::Decide, "then.tau"),
            Some(&Scalar::Real(1.0))
        );
        assert_eq!(Role::Decide.column("then.tau"), "decide.then.tau");
        for (place, role) in Role::ALL.into_iter().enumerate() {
            assert_eq!(role as usize, place);
            let text = serde_json::to_string(&role).unwrap();
            assert_eq!(text, format!("\"{}\"", role.name()));
        }
    }
}
