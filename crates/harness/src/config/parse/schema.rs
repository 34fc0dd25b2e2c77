//! The JSON schema of sweep files.

use std::fmt::Write as _;
use std::path::Path;

use counterweight_config::Diagnostics;
use counterweight_config::schema::of_methods;
use counterweight_core::{Catalogue, Entry};
use serde_json::{Map, Value};

use super::read_root;
use crate::config::presets;

/// The schema (JSON schema, draft 7) of sweep files: whatever is asked for while each form of each entry is read, and
/// the methods of the catalogue. What depends on several keys or on data is left to `run`.
pub fn sweep_schema(catalogue: &Catalogue) -> Value {
    let mut probe = String::from(
        "[question]\n[[question.check]]\narm = {}\nagainst = {}\n[protocol]\n\
         [[dataset]]\nname = \"\"\n[[dataset]]\npath = \"\"\n[[dataset]]\ntrain = \"\"\ntest = \"\"\n\
         [[correction]]\n[[curve]]\n[[leak]]\n",
    );
    let mut add = |entry: &str, key: &str, word: &str, more: &str| {
        writeln!(probe, "[[{entry}]]\n{key} = \"{word}\"\n{more}").expect("text");
    };
    for preset in presets::ALL {
        add(preset.section.key(), "preset", preset.id, "");
    }
    for entry in catalogue.populations {
        add("population", "kind", entry.card.id, "");
    }
    for entry in catalogue.learners {
        add("model", "kind", entry.card.id, "features = {}");
        if entry.card.params.iter().any(|spec| spec.name == "features") {
            add("model", "kind", entry.card.id, "");
        }
    }
    let mut asked = Diagnostics::recording();
    let root = counterweight_config::parse(&probe, None, &mut asked);
    read_root(
        &root,
        Path::new("sweep.toml"),
        &probe,
        catalogue,
        &mut asked,
    );
    let stages = [
        stage("resample", catalogue.resamplers),
        stage("ensemble", catalogue.ensembles),
        stage("loss", catalogue.losses),
        stage("decide", catalogue.decisions),
        stage("population", catalogue.populations),
    ];
    let stages = Map::from_iter(stages);
    asked
        .into_asked()
        .schema("A sweep of counterweight", stages)
}

fn stage<C, T: ?Sized>(name: &str, entries: &'static [Entry<C, T>]) -> (String, Value) {
    let cards = entries.iter().map(|entry| &entry.card);
    (name.to_owned(), of_methods(name, cards))
}
