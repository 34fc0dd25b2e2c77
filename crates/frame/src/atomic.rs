//! Files that are there whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::FrameError;

/// Refuses what is there and is no file: a pipe would be waited for, a folder or a device is not to be replaced.
fn check_regular(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(there) if !there.is_file() => Err(io::Error::other("not a regular file")),
        _ => Ok(()),
    }
}

/// The text of a file.
///
/// # Errors
/// Those of the system, and for what is no regular file, which is not waited for.
pub fn read_text(path: &Path) -> io::Result<String> {
    check_regular(path).and_then(|()| fs::read_to_string(path))
}

static NEXT: AtomicU64 = AtomicU64::new(0);

/// Writes `bytes` to `path` so that a reader, a crash or a full disk never leaves half a file: to a
/// temporary file in the same folder, synced, then renamed over `path`.
///
/// # Errors
/// [`FrameError::Io`], also where `path` is no regular file; the temporary file is removed and `path` is as it was.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), FrameError> {
    let io = |source| FrameError::Io {
        path: path.to_owned(),
        action: "write",
        source,
    };
    check_regular(path).map_err(io)?;
    let temporary = temporary_beside(path).map_err(io)?;
    let written = write_synced(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if let Err(source) = written {
        // The first error is the one to tell; a leftover temporary file harms nobody.
        let _ = fs::remove_file(&temporary);
        return Err(io(source));
    }
    sync_folder(path);
    Ok(())
}

/// Removes the temporary files that a process which was killed left in `folder`. Nobody may be writing
/// there.
pub fn remove_leftovers(folder: &Path) {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let temporary = |name: &str| {
        name.strip_prefix('.')
            .and_then(|name| name.strip_suffix(".tmp"))
            .and_then(|name| name.rsplit_once('.'))
            .and_then(|(_, last)| last.split_once('-'))
            .is_some_and(|(process, count)| number(process) && number(count))
    };
    // What cannot be read or removed harms nobody.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(temporary) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn temporary_beside(path: &Path) -> io::Result<PathBuf> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no file name"))?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    // Workers on one machine differ by process, threads of one process by number; create_new below
    // settles what is left (shared folders of several machines).
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    hidden.push(format!(".{}-{number}.tmp", std::process::id()));
    Ok(path.with_file_name(hidden))
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the rename itself durable. Not every system lets a folder be synced; the file is whole
/// either way.
fn sync_folder(path: &Path) {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_replaced_whole_and_leave_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write_atomically(&path, b"one").unwrap();
        write_atomically(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failure_names_the_file_and_keeps_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sub");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("x"), "x").unwrap();
        let error = write_atomically(&path, b"two").unwrap_err().to_string();
        assert!(error.contains("sub: cannot write"), "{error}");
        assert!(path.join("x").exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let nowhere = folder.path().join("no/such/file.csv");
        assert!(write_atomically(&nowhere, b"x").is_err());
    }
}
