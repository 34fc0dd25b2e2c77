//! Which build of the program is running.

use counterweight_core::Hasher;

/// Hash of the running program, empty when it cannot read itself: results of another build of the same
/// version are other results until shown otherwise.
pub(crate) fn build_hash() -> String {
    std::env::current_exe().and_then(std::fs::read).map_or_else(
        |_unreadable| String::new(),
        |bytes| {
            Hasher::new("counterweight build")
                .bytes(&bytes)
                .finish()
                .short()
        },
    )
}
