//! How interpolating samplers deal with the kinds of columns: numeric values lie between two rows,
//! nominal values are voted on by neighbours, and distances are Euclidean or, with nominal columns,
//! those of SMOTE-NC.

use counterweight_core::{Matrix, Samples, StageError, StageResult};

use super::growth::between;
use counterweight_numeric::neighbours::{Metric, code, split_columns};

/// The columns of the training rows, by kind.
#[derive(Debug)]
pub(crate) struct Blend {
    numeric: Vec<usize>,
    nominal: Vec<(usize, usize)>,
}

impl Blend {
    /// For the sampler called `id`, which takes numeric and mixed columns.
    ///
    /// # Errors
    /// [`StageError::NotApplicable`] for nominal columns alone, which leave nothing to interpolate.
    pub(crate) fn new(samples: &Samples, id: &str) -> StageResult<Self> {
        let (numeric, nominal) = split_columns(samples);
        if numeric.is_empty() && !nominal.is_empty() {
            return Err(StageError::NotApplicable(format!(
                "{id} interpolates numeric columns and these rows have none; try `smote-n`"
            )));
        }
        Ok(Self { numeric, nominal })
    }

    /// The metric in which rows of `class` look for neighbours.
    pub(crate) fn metric(&self, class: usize) -> Metric {
        if self.nominal.is_empty() {
            Metric::Euclidean
        } else {
            Metric::Mixed { class }
        }
    }

    /// Writes the row a fraction `u` of the way from `base` to `other` into `out`. `voters` decide
    /// the nominal values; without any of them they are those of `base`.
    pub(crate) fn write(
        &self,
        x: &Matrix,
        (base, other, u): (usize, usize, f64),
        voters: &[usize],
        out: &mut [f64],
    ) {
        if self.nominal.is_empty() {
            for (value, (&from, &to)) in out.iter_mut().zip(x.row(base).iter().zip(x.row(other))) {
                *value = between(from, to, u);
            }
            return;
        }
        for &column in &self.numeric {
            out[column] = between(x.at(base, column), x.at(other, column), u);
        }
        for &(column, levels) in &self.nominal {
            out[column] = if voters.is_empty() {
                x.at(base, column)
            } else {
                vote(x, voters, column, levels)
            };
        }
    }
}

/// Refuses nominal columns for the sampler called `id`, for which they have no meaning.
///
/// # Errors
/// [`StageError::NotApplicable`].
pub(crate) fn refuse_nominal(samples: &Samples, id: &str) -> StageResult<()> {
    if samples.has_nominal() {
        return Err(StageError::NotApplicable(format!(
            "{id} has no meaning on nominal columns; try `smote-nc`, or `smote-n` when there are no \
             others"
        )));
    }
    Ok(())
}

/// The most frequent code of `column` among `rows`; a tie goes to the lowest code.
pub(crate) fn vote(x: &Matrix, rows: &[usize], column: usize, levels: usize) -> f64 {
    let mut codes: Vec<u32> = rows
        .iter()
        .filter_map(|&row| code(x.at(row, column), levels))
        .collect();
    codes.sort_unstable();
    let mut winner = (0, 0);
    for run in codes.chunk_by(|a, b| a == b) {
        if run.len() > winner.1 {
            winner = (run[0], run.len());
        }
    }
    f64::from(winner.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tied_vote_goes_to_the_lowest_code() {
        let x = Matrix::from_vec(4, 1, vec![2.0, 1.0, 2.0, 1.0]).unwrap();
        assert!((vote(&x, &[0, 1, 2, 3], 0, 3) - 1.0).abs() < f64::EPSILON);
        assert!((vote(&x, &[0, 1, 2], 0, 3) - 2.0).abs() < f64::EPSILON);
    }
}
