//! One segment: JSON lines, a header and then a line a record, each written with one call. Created
//! exclusively by one process, never opened for writing again.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use counterweight_core::side_table::Side;
use counterweight_core::{Finished, Record, Sink, Timing};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;

/// Folder of the segments inside a report folder.
pub const SEGMENTS: &str = "segments";

/// Extension of the file beside a segment.
pub(crate) const SIDE: &str = "side";

/// Format of the segments that this version writes.
const FORMAT: u64 = 1;

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
    /// Hash of the program that wrote it, empty where that is not known: who compares one build with
    /// another must not take the results of the other for its own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub build: String,
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
            build: String::new(),
        }
    }

    /// The same header, written by this build.
    #[must_use]
    pub fn with_build(self, build: &str) -> Self {
        Self {
            build: build.to_owned(),
            ..self
        }
    }
}

/// Writes one segment.
#[derive(Debug)]
pub struct SegmentWriter {
    path: PathBuf,
    file: Mutex<File>,
    /// What stands beside the records; made when there is something.
    side: Mutex<Option<File>>,
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
                    file.write_all(&line)
                        .map_err(|e| StoreError::io(&path, e))?;
                    return Ok(Self {
                        path,
                        file: Mutex::new(file),
                        side: Mutex::new(None),
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
        let side = self.side.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(side) = &*side {
            side.sync_data()
                .map_err(|e| StoreError::io(&self.path.with_extension(SIDE), e))?;
        }
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.sync_data().map_err(|e| StoreError::io(&self.path, e))
    }
}

fn line_of(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value).map_err(io::Error::other)?;
    line.push(b'\n');
    Ok(line)
}

impl Sink for SegmentWriter {
    fn keep(&self, record: &Record, timing: &Timing) -> io::Result<()> {
        let entry = Finished {
            record: record.clone(),
            timing: timing.clone(),
        };
        let line = line_of(&entry)?;
        self.file
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write_all(&line)
    }

    fn keep_beside(&self, side: &Side) -> io::Result<()> {
        let line = line_of(side)?;
        let mut file = self.side.lock().unwrap_or_else(PoisonError::into_inner);
        if file.is_none() {
            let path = self.path.with_extension(SIDE);
            *file = Some(
                OpenOptions::new()
                    .append(true)
                    .create_new(true)
                    .open(path)?,
            );
        }
        match &mut *file {
            Some(file) => file.write_all(&line),
            None => Ok(()),
        }
    }
}

/// A segment's contents.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Its header; `None` when the process died before it was written.
    pub header: Option<Header>,
    /// Its records, in the order of writing.
    pub entries: Vec<Finished>,
    /// Whether the last line was torn off by the end of the process.
    pub torn: bool,
}

/// Reads a segment. A torn last line is counted, not an error.
///
/// # Errors
/// A line in the middle that is no record, a format of a later version, or a file that cannot be
/// read.
pub fn read_segment(path: &Path) -> Result<Segment, StoreError> {
    let bytes = std::fs::read(path).map_err(|e| StoreError::io(path, e))?;
    let mut segment = Segment {
        header: None,
        entries: Vec::new(),
        torn: false,
    };
    let complete = bytes
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |at| at + 1);
    segment.torn = complete < bytes.len();
    let bad = |line: usize, error: &serde_json::Error| StoreError::BadLine {
        path: path.to_path_buf(),
        line,
        reason: error.to_string(),
    };
    // Empty lines are passed over but counted: the number in a message is the one an editor shows.
    let lines = (1..)
        .zip(bytes[..complete].split(|&byte| byte == b'\n'))
        .filter(|(_, line)| !line.is_empty());
    for (number, line) in lines {
        if segment.header.is_none() {
            let header: Header = serde_json::from_slice(line).map_err(|e| bad(number, &e))?;
            if header.format > FORMAT {
                return Err(StoreError::Format {
                    path: path.to_path_buf(),
                    found: header.format,
                });
            }
            segment.header = Some(header);
        } else {
            let entry = serde_json::from_slice(line).map_err(|e| bad(number, &e))?;
            segment.entries.push(entry);
        }
    }
    Ok(segment)
}

/// The segment files of a report folder, sorted by name; none when there is no segment folder.
///
/// # Errors
/// When the folder cannot be read.
pub fn segment_files(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let folder = folder.join(SEGMENTS);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(|e| StoreError::io(&folder, e))? {
        let path = entry.map_err(|e| StoreError::io(&folder, e))?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
