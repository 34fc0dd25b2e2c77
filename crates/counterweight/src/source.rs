//! Real datasets for the harness: from the library, or from the user's own files.

use std::collections::BTreeMap;
use std::path::Path;

use counterweight_frame::{
    FrameError, Library, class_warnings, describe, is_family, read_family, read_in_folds,
    read_pair, read_splits, repeated_across,
};
use counterweight_harness::config::sweep::{DatasetSpec, Source};
use counterweight_harness::config::tasks::{nearest_name, task, tasks};
use counterweight_harness::plan::{DataSource, InputKind, LoadError, Loaded, Plan};

use crate::memory;

/// Loads through `counterweight-frame`.
#[derive(Debug)]
pub struct Files {
    library: Result<Library, LoadError>,
}

impl Files {
    /// Looks for the library from the sweep's folder upwards; that there is none matters only to
    /// sweeps that name a set of it.
    pub fn new(folder: &Path) -> Self {
        Self {
            library: library(folder).map_err(|error| trouble(&error)),
        }
    }

    /// The library of datasets, where one was found.
    pub fn library(&self) -> Option<&Library> {
        self.library.as_ref().ok()
    }
}

/// Whether the training and test rows of a pair are one file, by links too.
pub(crate) fn is_one_file(spec: &DatasetSpec, folder: &Path) -> bool {
    let Source::Pair { train, test, .. } = &spec.source else {
        return false;
    };
    let of = |path: &Path| folder.join(path).canonicalize().ok();
    of(train).is_some_and(|file| of(test) == Some(file))
}

/// What to beware of in the data, a sentence each: all that `data inspect` warns of, for the user's own files.
pub(crate) fn data_notes(plan: &Plan) -> Vec<String> {
    let mut notes = Vec::new();
    for input in &plan.inputs {
        let InputKind::Real(data) = &input.kind else {
            continue;
        };
        let mut found = data.remarks().to_vec();
        match plan.sweep.datasets[input.spec].source {
            Source::Library { .. } => found.extend(class_warnings(data.labels())),
            Source::File { .. } | Source::Pair { .. } => found.extend(describe(data).warnings),
        }
        if let Some(n_train) = input.pair_train {
            let repeated = repeated_across(data, n_train);
            if repeated > 0 {
                found.push(format!(
                    "{repeated} test rows equal a training row, so models are judged on rows that they have seen"
                ));
            }
        }
        notes.extend(
            found
                .iter()
                .map(|note| format!("dataset `{}`: {note}", input.id)),
        );
    }
    notes
}

/// The library of datasets that a sweep in `folder` has: folders as [`Library::find`] looks for them, and at last what
/// this program carries (feature `datasets`).
///
/// # Errors
/// As [`Library::find`].
pub fn library(folder: &Path) -> Result<Library, FrameError> {
    #[cfg(feature = "datasets")]
    let carried = counterweight_datasets::FILES;
    #[cfg(not(feature = "datasets"))]
    let carried = &[];
    Library::find(&[folder], carried)
}

/// What is wrong with each published task whose table the library has, by its full name: other rows or positives
/// than it was published with, or a table that cannot be read.
pub fn verify_tasks(library: &Library) -> Vec<(String, Vec<String>)> {
    let mut tables = BTreeMap::new();
    let known = tasks().iter();
    let known = known.filter(|task| library.entry(task.table).is_some());
    known
        .map(|task| {
            let table = tables
                .entry(task.table)
                .or_insert_with(|| library.load(task.table));
            let problems = match table {
                Ok(table) => task.differences(table),
                Err(error) => vec![error.to_string()],
            };
            (task.full_name(), problems)
        })
        .collect()
}

fn trouble(error: &FrameError) -> LoadError {
    LoadError {
        key: error.key(),
        message: error.to_string(),
        hint: error.hint(),
    }
}

impl DataSource for Files {
    fn memory(&self) -> Option<u64> {
        memory::limit()
    }

    fn load(&self, spec: &DatasetSpec, folder: &Path) -> Result<Loaded, LoadError> {
        match &spec.source {
            Source::Library { name } => {
                let library = self.library.as_ref().map_err(Clone::clone)?;
                // A table of that name comes first.
                let published = match library.entry(name) {
                    Some(_) => None,
                    None => task(name),
                };
                let table = published.map_or(name.as_str(), |task| task.table);
                let data = library.load(table).map_err(|error| {
                    let mut told = trouble(&error);
                    if let FrameError::UnknownDataset { .. } = error
                        && let Some(near) = nearest_name(name, &library.names())
                    {
                        told.hint = Some(format!("did you mean `{near}`?"));
                    }
                    told
                })?;
                Ok(Loaded {
                    data,
                    n_train: None,
                    given: None,
                    published,
                })
            }
            Source::File { path, .. } => {
                let (data, folds) = read_in_folds(&folder.join(path), &spec.reading)
                    .map_err(|error| trouble(&error))?;
                let given = match &spec.splits {
                    Some(splits) => {
                        let given = read_splits(&folder.join(splits), data.n_rows());
                        Some(given.map_err(|error| LoadError {
                            key: Some("splits"),
                            ..trouble(&error)
                        })?)
                    }
                    None => folds,
                };
                Ok(Loaded {
                    data,
                    n_train: None,
                    given,
                    published: None,
                })
            }
            Source::Pair { train, test, .. } if is_family(train) || is_family(test) => {
                let (train, test) = (folder.join(train), folder.join(test));
                let (data, given) =
                    read_family(&train, &test, &spec.reading).map_err(|error| trouble(&error))?;
                Ok(Loaded {
                    data,
                    n_train: None,
                    given: Some(given),
                    published: None,
                })
            }
            Source::Pair { train, test, .. } => {
                let (train, test) =
                    read_pair(&folder.join(train), &folder.join(test), &spec.reading)
                        .map_err(|error| trouble(&error))?;
                let data = train.stack(&test).map_err(|error| LoadError {
                    message: error.to_string(),
                    ..LoadError::default()
                })?;
                Ok(Loaded {
                    data,
                    n_train: Some(train.n_rows()),
                    given: None,
                    published: None,
                })
            }
        }
    }
}
