//! Named sets of corrections, datasets or models. Each is a piece of a sweep file, so that what a preset stands
//! for can be printed, copied and changed.

use std::borrow::Cow;

use counterweight_core::{Catalogue, nearest};

use super::tasks::{Task, tasks};

/// Which entries of a sweep file a preset stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// `[[correction]]`.
    Correction,
    /// `[[dataset]]`.
    Dataset,
    /// `[[model]]`.
    Model,
}

impl Section {
    /// The key of the entries.
    pub fn key(self) -> &'static str {
        match self {
            Self::Correction => "correction",
            Self::Dataset => "dataset",
            Self::Model => "model",
        }
    }
}

/// What a preset holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Toml(&'static str),
    /// Every learner of the catalogue at its defaults.
    EveryLearner,
    /// The published tasks of the collection that is called like the preset.
    Tasks,
}

/// A named set of corrections, datasets or models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Its name.
    pub id: &'static str,
    /// What it is for.
    pub summary: &'static str,
    /// Where it may stand.
    pub section: Section,
    content: Content,
}

impl Preset {
    /// Its entries, as a sweep file would have them.
    pub fn toml(&self, catalogue: &Catalogue) -> Cow<'static, str> {
        match self.content {
            Content::Toml(text) => text.into(),
            Content::EveryLearner => {
                let entries: Vec<String> = catalogue
                    .learners
                    .iter()
                    .filter(|entry| !entry.card.params.iter().any(|spec| spec.required))
                    .map(|entry| format!("[[model]]\nkind = \"{}\"\n", entry.card.id))
                    .collect();
                entries.join("\n").into()
            }
            Content::Tasks => {
                let own = tasks().iter().filter(|task| task.collection == self.id);
                let entry = |task: &Task| {
                    let (id, name) = (task.name, task.full_name());
                    format!("[[dataset]]\nid = \"{id}\"\nname = \"{name}\"\n")
                };
                own.map(entry).collect::<Vec<_>>().join("\n").into()
            }
        }
    }
}

/// The preset of that name among those of a section, or what to say in its place: message and hint.
pub(crate) fn look_up(id: &str, section: Section) -> Result<&'static Preset, (String, String)> {
    let here = || ALL.iter().filter(|preset| preset.section == section);
    if let Some(found) = here().find(|preset| preset.id == id) {
        return Ok(found);
    }
    let key = section.key();
    if let Some(elsewhere) = ALL.iter().find(|preset| preset.id == id) {
        return Err((
            format!("`{id}` is no preset of {key}s"),
            format!("write it under [[{}]]", elsewhere.section.key()),
        ));
    }
    let hint = nearest(id, here().map(|preset| preset.id)).map_or_else(
        || {
            let names: Vec<&str> = here().map(|preset| preset.id).collect();
            format!("known: {}", names.join(", "))
        },
        |name| format!("did you mean `{name}`?"),
    );
    Err((format!("there is no preset called `{id}`"), hint))
}

/// Every preset, sorted by name.
pub const ALL: &[Preset] = &[
    Preset {
        id: "climb",
        summary: "two-class tasks of the benchmark CLIMB (Liu et al. 2025), those whose tables are in the library",
        section: Section::Dataset,
        content: Content::Tasks,
    },
    Preset {
        id: "combinations",
        summary: "corrections stacked on each other, with the scores' own prior and with the training prior",
        section: Section::Correction,
        content: Content::Toml(include_str!("presets/combinations.toml")),
    },
    Preset {
        id: "ensembles",
        summary: "no correction and every ensemble with its defaults",
        section: Section::Correction,
        content: Content::Toml(include_str!("presets/ensembles.toml")),
    },
    Preset {
        id: "extreme",
        summary: "a class against all others of its table where there are more than 100 times as many, with at least 10 rows",
        section: Section::Dataset,
        content: Content::Tasks,
    },
    Preset {
        id: "families",
        summary: "no correction and the four families: reweighting, resampling, thresholding, logit adjustment",
        section: Section::Correction,
        content: Content::Toml(include_str!("presets/families.toml")),
    },
    Preset {
        id: "imbalanced-learn",
        summary: "tasks of imbalanced-learn's `fetch_datasets`, those whose tables are in the library",
        section: Section::Dataset,
        content: Content::Tasks,
    },
    Preset {
        id: "keel",
        summary: "imbalanced two-class tasks of the KEEL repository, those whose tables are in the library",
        section: Section::Dataset,
        content: Content::Tasks,
    },
    Preset {
        id: "losses",
        summary: "every loss, with post-hoc logit adjustment and no correction for comparison",
        section: Section::Correction,
        content: Content::Toml(include_str!("presets/losses.toml")),
    },
    Preset {
        id: "models-all",
        summary: "every learner of the catalogue that has defaults, at them, library arms and non-deterministic ones included",
        section: Section::Model,
        content: Content::EveryLearner,
    },
    Preset {
        id: "models-core",
        summary: "nine own learners at their defaults, one or two of each kind: what a report needs",
        section: Section::Model,
        content: Content::Toml(include_str!("presets/models-core.toml")),
    },
    Preset {
        id: "resamplers",
        summary: "no correction and every resampler with its defaults: over-samplers, then what drops rows",
        section: Section::Correction,
        content: Content::Toml(include_str!("presets/resamplers.toml")),
    },
    Preset {
        id: "tau",
        summary: "post-hoc logit adjustment over a grid of tau",
        section: Section::Correction,
        content: Content::Toml(include_str!("presets/tau.toml")),
    },
    Preset {
        id: "tau-grid",
        summary: "logit adjustment in the loss and after it over one grid of tau",
        section: Section::Correction,
        content: Content::Toml(include_str!("presets/tau-grid.toml")),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_sorted_and_unique() {
        assert!(ALL.windows(2).all(|pair| pair[0].id < pair[1].id));
    }

    #[test]
    fn a_name_is_looked_up_where_it_stands() {
        assert_eq!(look_up("losses", Section::Correction).unwrap().id, "losses");
        let (message, hint) = look_up("losses", Section::Model).unwrap_err();
        assert!(message.contains("no preset of models") && hint.contains("[[correction]]"));
        let (_, hint) = look_up("model-core", Section::Model).unwrap_err();
        assert!(hint.contains("models-core"));
        let (_, hint) = look_up("xyzzy", Section::Model).unwrap_err();
        assert!(hint.contains("models-all, models-core"), "{hint}");
    }
}
