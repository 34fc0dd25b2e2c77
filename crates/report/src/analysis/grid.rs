//! Grids: the members that one entry of the sweep file expands to, and which of them stands for it.

use counterweight_core::{Axis, Role, Scalar, Stages};

use super::Data;

/// Where the member is on an axis that stands for the grid: at the default, else in the middle.
fn standing(axis: &Axis) -> usize {
    let at = |default: &Scalar| axis.values.iter().position(|value| value == default);
    let middle = axis.values.len().saturating_sub(1) / 2;
    axis.default.as_ref().and_then(at).unwrap_or(middle)
}

/// What the members of a grid are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Models.
    Model,
    /// Corrections.
    Correction,
    /// Datasets or populations.
    Dataset,
}

impl Kind {
    fn of(role: Role) -> Self {
        match role {
            Role::Model => Self::Model,
            Role::Population | Role::Dataset => Self::Dataset,
            Role::Resample | Role::Ensemble | Role::Loss | Role::Decide => Self::Correction,
        }
    }
}

impl Kind {
    /// The entry of a member.
    fn entry(self, stages: &Stages) -> &str {
        match self {
            Self::Model => &stages.model_entry,
            Self::Correction => &stages.correction_entry,
            Self::Dataset => &stages.dataset_entry,
        }
    }
}

/// A member of a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Index among the models, corrections or datasets of all records.
    pub index: usize,
    /// Its id.
    pub id: String,
    /// Its place on each axis.
    pub at: Vec<usize>,
}

/// An entry that sweeps something, with its members.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// What the members are.
    pub kind: Kind,
    /// Id of the entry.
    pub entry: String,
    /// What it sweeps.
    pub axes: Vec<Axis>,
    /// Those of its members that the records know, in order of first appearance; two at least.
    pub members: Vec<Member>,
    /// The place among them of the one that stands for all in rankings and figures: on each axis the
    /// default where the grid holds it, else the value at half of the list, rounded down.
    pub standing: usize,
}

impl Grid {
    /// The member that stands for all.
    pub fn stands(&self) -> Option<&Member> {
        self.members.get(self.standing)
    }

    /// Whether all members stand in rankings.
    pub fn expanded(&self) -> bool {
        self.axes.iter().any(|axis| axis.expand)
    }

    /// The members on one axis, the others held where they stand: each with its place on the axis,
    /// numbers rising.
    pub(super) fn along(&self, axis: usize) -> Vec<(&Scalar, &Member)> {
        let (Some(stands), Some(moved)) = (self.stands(), self.axes.get(axis)) else {
            return Vec::new();
        };
        let held = |member: &&Member| {
            let places = member.at.iter().zip(&stands.at).enumerate();
            places
                .filter(|(place, _)| *place != axis)
                .all(|(_, (own, held))| own == held)
        };
        let mut found: Vec<(&Scalar, &Member)> = self
            .members
            .iter()
            .filter(held)
            .filter_map(|member| Some((moved.values.get(*member.at.get(axis)?)?, member)))
            .collect();
        // Two entries of one name may hold one member each.
        let mut seen: Vec<&Scalar> = Vec::new();
        found.retain(|(setting, _)| {
            let new = !seen.contains(setting);
            seen.push(setting);
            new
        });
        if found.iter().all(|(setting, _)| setting.as_real().is_some()) {
            let number = |setting: &Scalar| setting.as_real().unwrap_or(0.0);
            found.sort_by(|a, b| number(a.0).total_cmp(&number(b.0)));
        }
        found
    }
}

/// The grids among the members of all records, by kind and in the order of `axes`.
pub(super) fn grids(data: &Data, axes: &[Axis]) -> Vec<Grid> {
    let mut entries: Vec<(Kind, &str, Vec<Axis>)> = Vec::new();
    // A grid that is chosen from inside each fold has one member.
    let swept = |axis: &&Axis| axis.values.len() > 1 && axis.selected_by.is_none();
    for axis in axes.iter().filter(swept) {
        let kind = Kind::of(axis.stage);
        let known = entries
            .iter_mut()
            .find(|(k, entry, _)| *k == kind && *entry == axis.entry);
        match known {
            Some((_, _, own)) => own.push(axis.clone()),
            None => entries.push((kind, axis.entry.as_str(), vec![axis.clone()])),
        }
    }
    let found = entries.into_iter().filter_map(|(kind, entry, axes)| {
        let places = |stages: &Stages| -> Option<Vec<usize>> {
            let place = |axis: &Axis| {
                let own = stages.value(axis.stage, &axis.parameter)?;
                axis.values.iter().position(|value| value == own)
            };
            axes.iter().map(place).collect()
        };
        let members: Vec<Member> = described(data, kind)
            .enumerate()
            .filter(|(_, (_, stages))| kind.entry(stages) == entry)
            .filter_map(|(index, (id, stages))| {
                Some(Member {
                    index,
                    id: id.to_owned(),
                    at: places(stages)?,
                })
            })
            .collect();
        let wanted: Vec<usize> = axes.iter().map(standing).collect();
        // A selected part of the records may lack the member that would stand.
        let standing = members.iter().position(|member| member.at == wanted);
        (members.len() > 1).then(|| Grid {
            kind,
            entry: entry.to_owned(),
            axes,
            standing: standing.unwrap_or((members.len() - 1) / 2),
            members,
        })
    });
    found.collect()
}

/// Id and stages of everything of a kind.
fn described(data: &Data, kind: Kind) -> Box<dyn Iterator<Item = (&str, &Stages)> + '_> {
    match kind {
        Kind::Model => Box::new(data.models.iter().map(|m| (m.id.as_str(), &*m.stages))),
        Kind::Correction => Box::new(data.corrections.iter().map(|c| (c.id.as_str(), &*c.stages))),
        Kind::Dataset => Box::new(data.datasets.iter().map(|d| (d.id.as_str(), &*d.stages))),
    }
}

/// Which models and corrections of all records stand in rankings and figures.
#[derive(Debug)]
pub(super) struct Stands {
    pub(super) models: Vec<bool>,
    pub(super) corrections: Vec<bool>,
}

impl Stands {
    pub(super) fn of(data: &Data, grids: &[Grid]) -> Self {
        let mut standing = Self {
            models: vec![true; data.models.len()],
            corrections: vec![true; data.corrections.len()],
        };
        for grid in grids.iter().filter(|grid| !grid.expanded()) {
            let flags = match grid.kind {
                Kind::Model => &mut standing.models,
                Kind::Correction => &mut standing.corrections,
                Kind::Dataset => continue,
            };
            for (place, member) in grid.members.iter().enumerate() {
                if let Some(flag) = flags.get_mut(member.index) {
                    *flag = place == grid.standing;
                }
            }
        }
        standing
    }
}
