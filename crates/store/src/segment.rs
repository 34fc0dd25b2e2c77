//! One segment: JSON lines, a header and then a line a record, each written with one call and with a checksum
//! of its own. Created exclusively by one process, never opened for writing again; a writer that failed
//! once writes no more, so that nothing stands behind half a line.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use counterweight_core::side_table::Side;
use counterweight_core::{CellId, Finished, Record, Sink, Timing};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::line::{Damage, Lines, line_of};
use crate::side_files::finite;

/// Folder of the segments inside a report folder.
pub const SEGMENTS: &str = "segments";

/// Extension of a segment.
const SEGMENT: &str = "jsonl";

/// Extension of the file beside a segment.
pub const SIDE: &str = "side";

/// Format of the segments that this version writes; those of format 1 have no checksums.
const FORMAT: u64 = 2;

/// First line of a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Segment format.
    pub format: u64,
    /// Version of counterweight.
    pub version: String,
    /// Hash of the sweep, without its seed.
    pub sweep: String,
    /// `I/N`, or empty for a whole run.
    pub shard: String,
    /// CPU features that a kernel may dispatch on.
    pub cpu: String,
    /// The machine that wrote it, empty where that is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub machine: String,
    /// Hash of the program that wrote it, empty where that is not known: who compares one build with
    /// another must not take the results of the other for its own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub build: String,
    /// Records that follow, where they are written at once: an import that was cut short is told by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<usize>,
}

impl Header {
    /// A header of this version's format.
    pub fn new(version: &str, sweep: &str, shard: &str, cpu: &str) -> Self {
        Self {
            format: FORMAT,
            version: version.to_owned(),
            sweep: sweep.to_owned(),
            shard: shard.to_owned(),
            cpu: cpu.to_owned(),
            machine: String::new(),
            build: String::new(),
            records: None,
        }
    }

    /// The same header, written by this build on this machine.
    #[must_use]
    pub fn with_origin(self, build: &str, machine: &str) -> Self {
        Self {
            build: build.to_owned(),
            machine: machine.to_owned(),
            ..self
        }
    }
}

/// Writes one segment.
#[derive(Debug)]
pub struct SegmentWriter {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    /// What stands beside the records; made when there is something.
    side: Option<File>,
    /// Cells whose reliability bins stand there, and whose records are to follow.
    binned: BTreeSet<CellId>,
    /// Whether a write has failed.
    broken: bool,
}

impl SegmentWriter {
    /// Creates a segment of its own in `folder`, with its header.
    ///
    /// # Errors
    /// When the folder or the file cannot be made.
    pub fn create(folder: &Path, header: &Header) -> Result<Self, StoreError> {
        let folder = folder.join(SEGMENTS);
        std::fs::create_dir_all(&folder).map_err(|e| StoreError::io(&folder, e))?;
        let stamp = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.as_millis());
        for attempt in 0_u32..1000 {
            let name = format!("{stamp:013}-{}-{attempt}.jsonl", std::process::id());
            let path = folder.join(name);
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Ok(mut file) => {
                    let line = line_of(header).map_err(|e| StoreError::io(&path, e))?;
                    if let Err(error) = file.write_all(&line) {
                        // Without a header it is of no use; the first error is the one to tell.
                        let _ = std::fs::remove_file(&path);
                        return Err(StoreError::io(&path, error));
                    }
                    if cfg!(unix) {
                        // For `in_use`; elsewhere a lock would keep readers out. Who cannot have one is
                        // not noticed there, and notices below that its file is gone.
                        let _ = file.try_lock();
                    }
                    let state = State {
                        file,
                        side: None,
                        binned: BTreeSet::new(),
                        broken: false,
                    };
                    return Ok(Self {
                        path,
                        state: Mutex::new(state),
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(StoreError::io(&path, error)),
            }
        }
        Err(StoreError::io(
            &folder,
            io::Error::other("no free segment name"),
        ))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Brings everything to the disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn flush(&self) -> Result<(), StoreError> {
        let state = self.state();
        if let Some(side) = &state.side {
            side.sync_data()
                .map_err(|e| StoreError::io(&self.path.with_extension(SIDE), e))?;
        }
        let synced = state.file.sync_data();
        synced.map_err(|e| StoreError::io(&self.path, e))
    }

    /// Keeps an entry of another segment; `bins` as in [`Segment::binned`].
    ///
    /// # Errors
    /// As [`Sink::keep`].
    pub fn keep_entry(&self, entry: &Finished, bins: bool) -> Result<(), StoreError> {
        self.write_entry(&entry.record, &entry.timing, bins)
            .map_err(|e| StoreError::io(&self.path, e))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_entry(&self, record: &Record, timing: &Timing, bins: bool) -> io::Result<()> {
        let line = line_of(&EntryLine {
            record,
            timing,
            bins,
        })?;
        self.write(&line, |state| Ok(&mut state.file))
    }

    /// Appends a line with one call, unless an earlier one has failed.
    fn write(
        &self,
        line: &[u8],
        file: impl FnOnce(&mut State) -> io::Result<&mut File>,
    ) -> io::Result<()> {
        let mut state = self.state();
        if state.broken {
            return Err(io::Error::other("an earlier write has failed"));
        }
        // A file without a name takes everything and keeps nothing.
        let written = file(&mut state)
            .and_then(|file| file.write_all(line))
            .and_then(|()| std::fs::metadata(&self.path))
            .map(drop);
        state.broken = written.is_err();
        written
    }
}

/// A line of a segment, as it is written.
#[derive(Serialize)]
struct EntryLine<'a> {
    record: &'a Record,
    timing: &'a Timing,
    /// Whether reliability bins of the cell stand in the file beside the segment.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    bins: bool,
}

/// The same, as it is read.
#[derive(Deserialize)]
struct Entry {
    record: Record,
    timing: Timing,
    #[serde(default)]
    bins: bool,
}

/// A segment with all its entries, as one text; none of them has anything beside it.
///
/// # Errors
/// None that is to be expected.
pub fn segment_text(header: &Header, entries: &[Finished]) -> io::Result<Vec<u8>> {
    let mut text = line_of(&Header {
        records: Some(entries.len()),
        ..header.clone()
    })?;
    for Finished { record, timing } in entries {
        text.extend(line_of(&EntryLine {
            record,
            timing,
            bins: false,
        })?);
    }
    Ok(text)
}

/// The process that made a segment, by its name.
pub fn process_of(path: &Path) -> Option<u32> {
    path.file_stem()?.to_str()?.split('-').nth(1)?.parse().ok()
}

/// Whether another process is writing this segment.
pub fn in_use(path: &Path) -> bool {
    cfg!(unix)
        && File::open(path)
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

impl Sink for SegmentWriter {
    fn keep(&self, record: &Record, timing: &Timing) -> io::Result<()> {
        let bins = self.state().binned.remove(&record.cell);
        self.write_entry(record, timing, bins)
    }

    fn keep_beside(&self, side: &Side) -> io::Result<()> {
        let line = line_of(&*finite(side))?;
        self.write(&line, |state| {
            if let Side::Reliability(bins) = side {
                state.binned.insert(bins.cell.clone());
            }
            if state.side.is_none() {
                let mut made = OpenOptions::new();
                let made = made.append(true).create_new(true);
                state.side = Some(made.open(self.path.with_extension(SIDE))?);
            }
            let none = || io::Error::other("no file beside the segment");
            state.side.as_mut().ok_or_else(none)
        })
    }
}

/// A segment's contents.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Segment {
    /// Its header; `None` when the process died before it was written, or where it is damaged.
    pub header: Option<Header>,
    /// Its records, in the order of writing.
    pub entries: Vec<Finished>,
    /// Cells whose reliability bins stand beside the segment.
    pub binned: BTreeSet<CellId>,
    /// Lines that cannot be read.
    pub damaged: Vec<Damage>,
    /// Whether the last line was torn off by the end of the process.
    pub torn: bool,
}

/// Reads a segment. Damaged lines and a torn last one are told, not an error.
///
/// # Errors
/// A format of a later version, or a file that cannot be read.
pub fn read_segment(path: &Path) -> Result<Segment, StoreError> {
    read_sound(path, &|_| true)
}

/// The same; a record that is not `sound` makes a damaged line.
pub(crate) fn read_sound(
    path: &Path,
    sound: &dyn Fn(&Record) -> bool,
) -> Result<Segment, StoreError> {
    let bytes = std::fs::read(path).map_err(|e| StoreError::io(path, e))?;
    let lines = Lines::of(&bytes);
    let mut segment = Segment {
        torn: lines.torn,
        ..Segment::default()
    };
    let damaged = lines.read(path, |line| {
        if segment.header.is_none() && segment.entries.is_empty() {
            segment.header = line.json().ok();
            if segment.header.is_some() {
                return Ok(());
            }
        }
        let Entry {
            record,
            timing,
            bins,
        } = line.json()?;
        if !sound(&record) {
            return Err(serde::de::Error::custom("not of its cell"));
        }
        if bins {
            segment.binned.insert(record.cell.clone());
        }
        segment.entries.push(Finished { record, timing });
        Ok(())
    });
    segment.damaged = damaged;
    match &segment.header {
        Some(header) if header.format > FORMAT => Err(StoreError::Format {
            path: path.to_path_buf(),
            found: header.format,
        }),
        _ => Ok(segment),
    }
}

/// The segment files of a report folder, sorted by name; none when there is no segment folder.
///
/// # Errors
/// When the folder cannot be read.
pub fn segment_files(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    segments_in(&folder.join(SEGMENTS))
}

/// The segment files right inside a folder, sorted by name; none when there is no such folder.
///
/// # Errors
/// When the folder cannot be read.
pub fn segments_in(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    files_in(folder, SEGMENT)
}

/// The files of one extension right inside a folder.
pub(crate) fn files_in(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, StoreError> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| StoreError::io(folder, e))? {
        let path = entry.map_err(|e| StoreError::io(folder, e))?.path();
        // A folder or a pipe of that name holds no lines.
        if path.extension().is_some_and(|found| found == extension) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
