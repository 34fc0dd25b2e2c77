//! Programs that some tests need and not every machine has.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

/// The first of these programs on the path, for tests of what only it can show; none where the test
/// has to be skipped.
///
/// # Panics
/// Where `.ci/run` could have installed it: see [`needed`].
pub(crate) fn program(names: &[&str]) -> Option<PathBuf> {
    let found = names.iter().copied().find_map(on_path);
    needed(found, names[0], "apt-get")
}

pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    // Where daemons are is on root's path alone.
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// What was found, or none where the test has to be skipped.
///
/// # Panics
/// Where `.ci/run` could have installed it: it sets `CI=1` (hosted runners set `CI=true`, before
/// anything is installed), is run by root and finds its installer.
#[expect(
    clippy::print_stdout,
    reason = "a test that is skipped says so where the test runner shows it"
)]
pub(crate) fn needed(found: Option<PathBuf>, name: &str, installer: &str) -> Option<PathBuf> {
    if found.is_none() {
        let in_ci = std::env::var_os("CI").is_some_and(|value| value == "1");
        let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        assert!(
            !(in_ci && is_root && on_path(installer).is_some()),
            "{name} is not installed, though .ci/run installs it"
        );
        println!("skipped: {name} is not installed");
    }
    found
}
