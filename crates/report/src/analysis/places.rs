//! Where the pooled rows of side tables belong in the design.

use std::collections::BTreeMap;

use super::Data;

/// Dataset, profile and requested ratio of a point.
type Key = (String, String, Option<u64>);

/// Points of the question, models and corrections by their ids.
pub(super) struct Places {
    points: BTreeMap<Key, usize>,
    models: BTreeMap<String, usize>,
    corrections: BTreeMap<String, usize>,
}

impl Data {
    pub(super) fn places(&self) -> Places {
        let number = |ids: Vec<&str>| -> BTreeMap<String, usize> {
            ids.into_iter().map(str::to_owned).zip(0..).collect()
        };
        let points = self.points_of(self.question()).into_iter();
        Places {
            points: points
                .filter_map(|index| {
                    let point = self.points.get(index)?;
                    let ratio = point.requested_ratio.map(f64::to_bits);
                    let dataset = self.dataset(point.dataset).to_owned();
                    Some(((dataset, point.profile.clone(), ratio), index))
                })
                .collect(),
            models: number(self.models.iter().map(|m| m.id.as_str()).collect()),
            corrections: number(self.corrections.iter().map(|c| c.id.as_str()).collect()),
        }
    }
}

impl Places {
    /// Model, point and correction; `None` for what the question is not about.
    pub(super) fn find(
        &self,
        (dataset, profile, ratio): (&str, &str, Option<f64>),
        model: &str,
        correction: &str,
    ) -> Option<(usize, usize, usize)> {
        let key = (
            dataset.to_owned(),
            profile.to_owned(),
            ratio.map(f64::to_bits),
        );
        Some((
            *self.models.get(model)?,
            *self.points.get(&key)?,
            *self.corrections.get(correction)?,
        ))
    }
}
