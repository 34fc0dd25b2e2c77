//! The bytes of data files: which kind a file is, what it is packed in, and how its bytes are letters.

use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

use counterweight_core::{Encoding, Format, ReadOptions};

use crate::error::{FrameError, OtherBytes};

/// Most bytes that a packed file may become: 4 GiB.
const MOST_BYTES: u64 = 1 << 32;

/// The letters of Windows-1252 from 0x80 to 0x9f; all others are those of Latin-1. The five bytes that it leaves free
/// are the control characters of Latin-1, as in browsers.
const WINDOWS: [char; 32] = [
    '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}',
    '\u{2c6}', '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}',
    '\u{90}', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}',
    '\u{2dc}', '\u{2122}', '\u{161}', '\u{203a}', '\u{153}', '\u{9d}', '\u{17e}', '\u{178}',
];

/// What a file is packed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    None,
    Gzip,
    Zstd,
}

/// The extension of a path, in lower case.
pub(crate) fn extension(path: &Path) -> String {
    path.extension()
        .map(|extension| extension.to_string_lossy().to_lowercase())
        .unwrap_or_default()
}

fn packing(path: &Path) -> Packing {
    match extension(path).as_str() {
        "gz" => Packing::Gzip,
        "zst" => Packing::Zstd,
        _ => Packing::None,
    }
}

/// The kind of a data file, by `read_as` or by its extension.
pub(crate) fn format(path: &Path, options: &ReadOptions) -> Result<Format, FrameError> {
    let packed = packing(path) != Packing::None;
    let named = if packed {
        Path::new(path.file_stem().unwrap_or_default())
    } else {
        path
    };
    let extension = extension(named);
    let known = options.read_as.or_else(|| Format::of_extension(&extension));
    let unknown = |extension: String| FrameError::Extension {
        path: path.to_owned(),
        extension,
        supported: Format::readable(),
    };
    match known {
        Some(format) if packed && !format.is_text() => {
            Err(unknown(format!("{extension}.{}", self::extension(path))))
        }
        Some(format) => Ok(format),
        None => Err(unknown(extension)),
    }
}

/// The bytes of a file.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, FrameError> {
    let failed = |source| FrameError::Io {
        path: path.to_owned(),
        action: "read",
        source,
    };
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(FrameError::NotAFile {
            path: path.to_owned(),
        });
    }
    std::fs::read(path).map_err(failed)
}

/// The bytes of a text file, out of what it is packed in.
pub(crate) fn read_unpacked(path: &Path) -> Result<Vec<u8>, FrameError> {
    let packed = read_bytes(path)?;
    match packing(path) {
        Packing::None => Ok(packed),
        Packing::Gzip => unpack(
            path,
            flate2::bufread::MultiGzDecoder::new(packed.as_slice()),
        ),
        Packing::Zstd => match zstd::Decoder::with_buffer(packed.as_slice()) {
            Ok(reader) => unpack(path, reader),
            Err(error) => Err(damaged(path, &error)),
        },
    }
}

fn damaged(path: &Path, error: &std::io::Error) -> FrameError {
    FrameError::Unpack {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

/// Everything that a reader gives, up to the limit.
pub(crate) fn unpack(path: &Path, reader: impl Read) -> Result<Vec<u8>, FrameError> {
    let mut bytes = Vec::new();
    let mut reader = reader.take(MOST_BYTES + 1);
    reader
        .read_to_end(&mut bytes)
        .map_err(|error| damaged(path, &error))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(FrameError::Unpack {
            path: path.to_owned(),
            reason: format!(
                "it becomes more than {} GiB, the limit of what is unpacked",
                MOST_BYTES >> 30
            ),
        });
    }
    Ok(bytes)
}

/// Decodes the bytes of a text file, without its byte order mark, which has the last word on the encoding. Where
/// no line ends in LF, CR alone ends lines, as it did on old Macs.
pub(crate) fn decode<'a>(
    path: &Path,
    bytes: &'a [u8],
    encoding: Encoding,
) -> Result<Cow<'a, str>, FrameError> {
    let bad = |before: &str| FrameError::NotUtf8 {
        path: path.to_owned(),
        line: before.split('\n').count() as u64,
        results: false,
    };
    let wide = |rest, unit| {
        utf16(rest, unit)
            .map(Cow::Owned)
            .map_err(|before| bad(&before))
    };
    if encoding == Encoding::Marked
        && let Some(bytes) = other_bytes(bytes)
    {
        return Err(FrameError::OtherBytes {
            path: path.to_owned(),
            bytes,
        });
    }
    let text = match (bytes, encoding) {
        ([0xff, 0xfe, rest @ ..], Encoding::Marked | Encoding::Utf16Le | Encoding::Utf16Be) => {
            wide(rest, u16::from_le_bytes)?
        }
        ([0xfe, 0xff, rest @ ..], Encoding::Marked | Encoding::Utf16Le | Encoding::Utf16Be) => {
            wide(rest, u16::from_be_bytes)?
        }
        (_, Encoding::Utf16Le) => wide(bytes, u16::from_le_bytes)?,
        (_, Encoding::Utf16Be) => wide(bytes, u16::from_be_bytes)?,
        (_, Encoding::Latin1) => bytes
            .iter()
            .map(|&byte| match byte {
                0x80..=0x9f => WINDOWS[usize::from(byte - 0x80)],
                _ => char::from(byte),
            })
            .collect::<String>()
            .into(),
        (_, Encoding::Marked) => {
            let text = std::str::from_utf8(bytes)
                .map_err(|error| bad(&String::from_utf8_lossy(&bytes[..error.valid_up_to()])))?;
            Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text))
        }
    };
    if text.contains('\r') && !text.contains('\n') {
        return Ok(Cow::Owned(text.replace('\r', "\n")));
    }
    Ok(text)
}

/// What bytes that should be text are instead, by how they begin.
fn other_bytes(bytes: &[u8]) -> Option<OtherBytes> {
    const MAGIC: [(&[u8], OtherBytes); 6] = [
        (b"\x1f\x8b", OtherBytes::Gzip),
        (b"\x28\xb5\x2f\xfd", OtherBytes::Zstd),
        (b"PK\x03\x04", OtherBytes::Zip),
        (b"\xd0\xcf\x11\xe0", OtherBytes::Excel),
        (b"PAR1", OtherBytes::Parquet),
        (b"\x93NUMPY", OtherBytes::Npy),
    ];
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return None;
    }
    let known = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic));
    if let Some((_, found)) = known {
        return Some(*found);
    }
    // A text has no zeros; of UTF-16 most letters of most languages' tables have one in their higher byte.
    let (pairs, _) = bytes[..bytes.len().min(1024)].as_chunks::<2>();
    let zeros = |at: usize| 2 * pairs.iter().filter(|pair| pair[at] == 0).count() > pairs.len();
    match (zeros(0), zeros(1)) {
        (false, true) => Some(OtherBytes::Utf16Le),
        (true, false) => Some(OtherBytes::Utf16Be),
        _ => None,
    }
}

/// UTF-16 as text; where it is none, what stands before.
fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::new();
    for c in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        match c {
            Ok(c) => text.push(c),
            Err(_) => return Err(text),
        }
    }
    if rest.is_empty() { Ok(text) } else { Err(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_names_the_line() {
        let path = Path::new("t.csv");
        let marked = |bytes| decode(path, bytes, Encoding::Marked);
        assert_eq!(marked(b"\xef\xbb\xbfa").unwrap(), "a");
        assert_eq!(
            marked(b"a\nb\n\xe9\n").unwrap_err().to_string(),
            "t.csv: line 3: not UTF-8 text"
        );
        let wide: Vec<u8> = "\u{feff}é,y\n1,2"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(marked(&wide).unwrap(), "é,y\n1,2");
        assert_eq!(
            decode(path, &wide[2..], Encoding::Utf16Le).unwrap(),
            "é,y\n1,2"
        );
        let wide: Vec<u8> = "\u{feff}é"
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        assert_eq!(marked(&wide).unwrap(), "é");
        assert_eq!(decode(path, &wide[2..], Encoding::Utf16Be).unwrap(), "é");
        assert!(marked(&wide[..3]).is_err());
        assert_eq!(marked(b"a,y\r1,2\r").unwrap(), "a,y\n1,2\n");
        assert_eq!(
            decode(path, b"caf\xe9 \x80\n", Encoding::Latin1).unwrap(),
            "café €\n"
        );
    }

    #[test]
    fn the_kind_stands_before_the_packing() {
        let options = ReadOptions::default();
        let of = |name: &str| format(Path::new(name), &options).ok();
        assert_eq!(of("a.CSV"), Some(Format::Csv));
        assert_eq!(of("a.arff.gz"), Some(Format::Arff));
        assert_eq!(of("a-5-1tra.dat"), Some(Format::Keel));
        assert_eq!(of("a.parquet.gz"), None);
        assert_eq!(of("a.gz"), None);
        let options = ReadOptions {
            read_as: Some(Format::Svmlight),
            ..options
        };
        assert_eq!(
            format(Path::new("a9a.t.gz"), &options).ok(),
            Some(Format::Svmlight)
        );
    }
}
