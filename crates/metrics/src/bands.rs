//! Classes by how many training rows they have: many, medium, few.

use counterweight_core::params::Default;
use counterweight_core::{
    ClassCounts, Confusion, Judged, Metric, ParamError, ParamKind, ParamSpec, Params, Range,
};

use crate::inputs::NO_ROWS;

/// From so many training rows on, a class has many.
pub(crate) const MANY: ParamSpec = ParamSpec::new(
    "many",
    ParamKind::Whole(Range::AT_LEAST_ONE),
    Default::Whole(100),
    "training rows from which on a class has many",
);
/// Below so many training rows, a class has few.
pub(crate) const FEW: ParamSpec = ParamSpec::new(
    "few",
    ParamKind::Whole(Range::AT_LEAST_ONE),
    Default::Whole(20),
    "training rows below which a class has few",
);

/// Training rows from `low` on and below `high`; without `high` there is no upper end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    low: usize,
    high: Option<usize>,
}

impl Band {
    /// `many` rows or more.
    #[must_use]
    pub fn many(many: usize) -> Self {
        Self {
            low: many,
            high: None,
        }
    }

    /// Fewer than `few` rows, none included.
    #[must_use]
    pub fn few(few: usize) -> Self {
        Self {
            low: 0,
            high: Some(few),
        }
    }

    /// At least `few` and fewer than `many` rows.
    ///
    /// # Errors
    /// [`ParamError`] when no number lies between.
    pub fn medium(few: usize, many: usize) -> Result<Self, ParamError> {
        if few < many {
            Ok(Self {
                low: few,
                high: Some(many),
            })
        } else {
            Err(ParamError::new(
                "few",
                format!("has to be below `many` = {many}, found {few}"),
            ))
        }
    }

    pub(crate) fn medium_of(params: &Params) -> Result<Self, ParamError> {
        Self::medium(params.whole("few"), params.whole("many"))
    }

    /// Whether a class with `rows` training rows belongs here.
    pub fn contains(&self, rows: usize) -> bool {
        rows >= self.low && self.high.is_none_or(|high| rows < high)
    }

    fn on(&self, confusion: &Confusion, train: &ClassCounts) -> Result<f64, String> {
        if confusion.n_present() == 0 {
            return Err(NO_ROWS.into());
        }
        self.recall(confusion, train)
            .ok_or_else(|| format!("no class among the test rows has {self} training rows"))
    }

    /// The mean recall, in [0, 1], of the classes of the band that have test rows; `None` without
    /// such a class. Unweighted.
    pub fn recall(&self, confusion: &Confusion, train: &ClassCounts) -> Option<f64> {
        let classes = train.as_slice().iter().zip(confusion.recalls());
        let (sum, n) = classes
            .filter(|&(&rows, _)| self.contains(rows))
            .filter_map(|(_, recall)| recall)
            .fold((0.0, 0.0), |(sum, n), recall| (sum + recall, n + 1.0));
        (n > 0.0).then(|| sum / n)
    }
}

impl std::fmt::Display for Band {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.low, self.high) {
            (low, None) => write!(f, "at least {low}"),
            (0, Some(high)) => write!(f, "fewer than {high}"),
            (low, Some(high)) => write!(f, "{low} to {}", high - 1),
        }
    }
}

impl Metric for Band {
    fn value(&self, judged: &Judged<'_>) -> Result<f64, String> {
        self.on(judged.confusion(), judged.train())
    }

    fn of_decisions(
        &self,
        confusion: &Confusion,
        train: &ClassCounts,
    ) -> Option<Result<f64, String>> {
        Some(self.on(confusion, train))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_count_is_in_exactly_one_band() {
        let bands = [
            Band::few(20),
            Band::medium(20, 100).unwrap(),
            Band::many(100),
        ];
        for rows in [0, 1, 19, 20, 21, 99, 100, 101, usize::MAX] {
            assert_eq!(bands.iter().filter(|b| b.contains(rows)).count(), 1);
        }
        assert!(bands[1].contains(20) && bands[2].contains(100));
        let texts: Vec<String> = bands.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["fewer than 20", "20 to 99", "at least 100"]);
    }

    #[test]
    fn an_empty_band_is_refused() {
        assert!(Band::medium(100, 100).is_err());
    }
}
