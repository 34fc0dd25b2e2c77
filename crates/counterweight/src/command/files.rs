//! Matrices on their way: files of 64-bit numbers, little end first, row by row, without a head. Shapes stand in the
//! messages.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use counterweight_core::{
    Matrix, ScoreKind, Scores, StageError, StageResult, log_softmax, log_sum_exp,
};

/// How far the probabilities of a row may sum from 1: single precision, over many classes.
const SLACK: f64 = 1e-3;

/// Files that are removed with this value.
pub(super) struct Passing<const N: usize>(pub(super) [PathBuf; N]);

impl<const N: usize> Drop for Passing<N> {
    fn drop(&mut self) {
        for file in &self.0 {
            // It may never have been written.
            let _ = std::fs::remove_file(file);
        }
    }
}

/// Writes a file of numbers, which must not be there.
pub(super) fn write(file: &Path, numbers: impl Iterator<Item = f64>) -> io::Result<()> {
    let mut out = io::BufWriter::with_capacity(1 << 16, std::fs::File::create_new(file)?);
    for number in numbers {
        out.write_all(&number.to_le_bytes())?;
    }
    out.flush()
}

/// The numbers of a file, which has to hold this many.
fn read(file: &Path, due: (usize, usize)) -> Result<Vec<f64>, String> {
    let (rows, columns) = due;
    let none = |error: io::Error| format!("it wrote no scores: {error}");
    // Looked at before it is opened: a pipe would be waited for, and a link may lead anywhere.
    let there = std::fs::symlink_metadata(file).map_err(none)?;
    if !there.is_file() {
        return Err("what it wrote its scores into is no regular file".into());
    }
    let found = there.len();
    if found != (rows * columns * size_of::<f64>()) as u64 {
        return Err(format!(
            "it wrote {found} bytes where {rows} x {columns} numbers of 8 bytes are due"
        ));
    }
    let bytes = std::fs::read(file).map_err(none)?;
    let numbers = bytes.as_chunks::<8>().0.iter();
    Ok(numbers.map(|bytes| f64::from_le_bytes(*bytes)).collect())
}

/// The scores in a file, as its writer calls them.
///
/// # Errors
/// In words, what is wrong with them.
pub(super) fn scores(
    file: &Path,
    (rows, classes): (usize, usize),
    (said, expected): (&str, ScoreKind),
) -> StageResult<Scores> {
    let failed = StageError::Failed;
    let wrong =
        |row: usize, numbers: &[f64]| failed(format!("its scores of row {row} are {numbers:?}"));
    match (said, expected) {
        ("vote", ScoreKind::Vote) => {
            let votes = read(file, (rows, 1)).map_err(failed)?;
            let class = |(row, &vote): (usize, &f64)| {
                let class = (0..classes).find(|&class| (class as f64 - vote).abs() < 0.5);
                let class = class.filter(|_| vote.fract().abs() < f64::EPSILON);
                let class = class.and_then(|class| u32::try_from(class).ok());
                class.ok_or_else(|| wrong(row, &[vote]))
            };
            let votes: Vec<u32> = votes
                .iter()
                .enumerate()
                .map(class)
                .collect::<Result<_, _>>()?;
            Ok(Scores::votes(&votes, classes)?)
        }
        ("probability" | "log-probability", ScoreKind::Probability) => {
            let numbers = read(file, (rows, classes)).map_err(failed)?;
            let mut scores = Matrix::from_vec(rows, classes, numbers)?;
            for row in 0..rows {
                let numbers = scores.row_mut(row);
                let given = numbers.to_vec();
                if said == "probability" {
                    for p in numbers.iter_mut() {
                        *p = p.ln();
                    }
                }
                // NaN is near nothing.
                let sound =
                    log_sum_exp(numbers).abs() < SLACK && !numbers.iter().any(|s| s.is_nan());
                if !sound {
                    return Err(wrong(row, &given));
                }
                log_softmax(numbers);
            }
            Ok(Scores::log_probabilities(scores)?)
        }
        _ => {
            let due = match expected {
                ScoreKind::Vote => "`vote`, as the sweep file says",
                ScoreKind::Probability => "`probability` or `log-probability`",
            };
            Err(failed(format!(
                "it calls its scores `{said}`, and {due} is due"
            )))
        }
    }
}
