//! Through the public door: files in, datasets and tables out, and what is said when something is
//! wrong.
#![expect(
    clippy::float_cmp,
    clippy::format_collect,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests: values are read back to the bit, and helpers stand outside of #[test]"
)]

mod datasets;
mod describing;
mod formats;
#[path = "../made/mod.rs"]
mod made;
mod other_writers;
mod reading;
mod tables;

use std::path::{Path, PathBuf};

use counterweight_frame::{FrameError, ReadOptions};
use tempfile::TempDir;

/// Files of one test.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The message of an error with its hint, without the folder.
    fn told(&self, error: &FrameError) -> String {
        let hint = error
            .hint()
            .map(|hint| format!("\nhint: {hint}"))
            .unwrap_or_default();
        let prefix = format!("{}{}", self.0.path().display(), std::path::MAIN_SEPARATOR);
        format!("{error}{hint}").replace(&prefix, "")
    }
}

fn target(name: &str) -> ReadOptions {
    ReadOptions::target(name)
}

fn golden(name: &str) -> PathBuf {
    Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/goldens/frame"
    ))
    .join(name)
}
