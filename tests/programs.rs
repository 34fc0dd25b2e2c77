//! Programs that some tests need and not every machine has.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

/// The first of these programs on the path, for tests of what only it can show; none where the test
/// has to be skipped.
///
/// # Panics
/// Where `.ci/run` could have installed it: it sets `CI=1` (hosted runners set `CI=true`, before
/// anything is installed), is run by root and finds apt-get.
#[expect(
    clippy::print_stdout,
    reason = "a test that is skipped says so where the test runner shows it"
)]
pub(crate) fn program(names: &[&str]) -> Option<PathBuf> {
    let on_path = |name: &str| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|file| file.is_file())
    };
    let found = names.iter().copied().find_map(on_path);
    if found.is_none() {
        let in_ci = std::env::var_os("CI").is_some_and(|value| value == "1");
        let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        assert!(
            !(in_ci && is_root && on_path("apt-get").is_some()),
            "{} is not installed, though .ci/run installs it",
            names[0]
        );
        println!("skipped: {} is not installed", names[0]);
    }
    found
}
