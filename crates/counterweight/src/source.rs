//! Real datasets for the harness: from the library, or from the user's own files.

use std::path::Path;

use counterweight_frame::{FrameError, Library, ReadOptions, read_dataset, read_pair};
use counterweight_harness::config::sweep::{DatasetSpec, Source};
use counterweight_harness::plan::{DataSource, LoadError, Loaded};

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
            library: Library::find(&[folder]).map_err(|error| trouble(&error)),
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

fn trouble(error: &FrameError) -> LoadError {
    LoadError {
        message: error.to_string(),
        hint: error.hint(),
    }
}

impl DataSource for Files {
    fn memory(&self) -> Option<u64> {
        memory::limit()
    }

    fn load(&self, spec: &DatasetSpec, folder: &Path) -> Result<Loaded, LoadError> {
        let options = |target: &str| ReadOptions {
            target: target.to_owned(),
            missing: spec.missing.clone(),
            separator: spec.separator,
            ignore: spec.ignore.clone(),
        };
        match &spec.source {
            Source::Library { name } => {
                let library = self.library.as_ref().map_err(Clone::clone)?;
                let data = library.load(name).map_err(|error| trouble(&error))?;
                Ok(Loaded {
                    data,
                    n_train: None,
                })
            }
            Source::File { path, target } => {
                let data = read_dataset(&folder.join(path), &options(target))
                    .map_err(|error| trouble(&error))?;
                Ok(Loaded {
                    data,
                    n_train: None,
                })
            }
            Source::Pair {
                train,
                test,
                target,
            } => {
                let (train, test) =
                    read_pair(&folder.join(train), &folder.join(test), &options(target))
                        .map_err(|error| trouble(&error))?;
                let data = train.stack(&test).map_err(|error| LoadError {
                    message: error.to_string(),
                    hint: None,
                })?;
                Ok(Loaded {
                    data,
                    n_train: Some(train.n_rows()),
                })
            }
        }
    }
}
