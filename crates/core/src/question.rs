//! The question that a sweep is asked for: what theory expects, and the checks that decide the answer.
//!
//! `[question]` of a sweep file. It decides no result, so that no id and no hash knows of it; the page of the report
//! opens with it, and its verdicts are computed from the records.

/// A question with its checks.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The question, in words for somebody who does not know the field.
    pub title: String,
    /// How it is asked: data, arms, number of draws.
    pub design: String,
    /// What theory expects, and where that comes from.
    pub theory: String,
    /// The answer, if every check holds; `{id}` stands for what the check of that id measured.
    pub answer: String,
    /// What the answer rests on, at least one.
    pub checks: Vec<Check>,
}

/// A statement about the mean of a number, or about the mean of its difference between two arms.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Its name in the answer.
    pub id: String,
    /// The statement in words.
    pub says: String,
    /// A metric, or a detail of details.parquet.
    pub value: String,
    /// Where it is measured.
    pub arm: Arm,
    /// What is taken off it, draw by draw.
    pub against: Option<Arm>,
    /// How it stands to `theory`.
    pub expect: Expect,
    /// The number that theory gives; 0 where nothing is said.
    pub theory: f64,
    /// Differences up to this are none.
    pub within: f64,
    /// How numbers are shown.
    pub show: Show,
}

/// The records that a check looks at; what is `None` is any.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arm {
    /// Id of the model.
    pub model: Option<String>,
    /// Id of the correction.
    pub correction: Option<String>,
    /// Id of the dataset or population.
    pub dataset: Option<String>,
    /// The ratio that was asked for.
    pub ratio: Option<f64>,
}

/// How a measured number is expected to stand to a given one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// No further away than `within`.
    Equal,
    /// Larger by more than `within`.
    Above,
    /// Smaller by more than `within`.
    Below,
}

/// How the numbers of a check are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// A fraction as a percentage.
    Percent,
    /// A difference of fractions in points of a hundred.
    Points,
    /// As it is.
    Number,
}
