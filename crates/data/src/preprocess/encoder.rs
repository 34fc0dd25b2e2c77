//! One-hot encoding of nominal codes.

use counterweight_core::limit;
use counterweight_core::{ColumnKind, Matrix, Samples, StageError, StageResult};

/// Fitted one-hot encoding: numeric columns stay, a nominal column of two levels that occur becomes
/// one 0/1 column, any other a column for each level that occurs. Levels that the fitted samples do
/// not have are all zeros.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoder {
    columns: Vec<Encoding>,
}

#[derive(Clone, Debug, PartialEq)]
enum Encoding {
    Keep,
    /// The codes that get a column, in order.
    Levels(Vec<usize>),
}

impl Encoding {
    fn width(&self) -> usize {
        match self {
            Self::Keep => 1,
            Self::Levels(codes) => codes.len(),
        }
    }
}

impl Encoder {
    /// Fits on training samples, before any resampling. O(n d).
    pub fn fit(samples: &Samples) -> Self {
        let columns = samples
            .kinds()
            .iter()
            .enumerate()
            .map(|(j, kind)| match kind {
                ColumnKind::Numeric => Encoding::Keep,
                ColumnKind::Nominal { .. } | ColumnKind::Indicator => {
                    let levels = match kind {
                        ColumnKind::Nominal { levels } => *levels,
                        _ => 2,
                    };
                    let mut present = vec![false; levels];
                    for i in 0..samples.n_rows() {
                        if let Some(mark) =
                            code(samples.x().at(i, j)).and_then(|c| present.get_mut(c))
                        {
                            *mark = true;
                        }
                    }
                    let codes: Vec<usize> = (0..levels).filter(|&c| present[c]).collect();
                    match codes.as_slice() {
                        // Two columns that sum to one say no more than one of them.
                        [_, second] => Encoding::Levels(vec![*second]),
                        _ => Encoding::Levels(codes),
                    }
                }
            })
            .collect();
        Self { columns }
    }

    /// Encodes samples with the same columns; labels and origins stay.
    ///
    /// # Errors
    /// [`StageError::Failed`] for other columns, or a nominal value that is no code.
    pub fn apply(&self, samples: &Samples) -> StageResult<Samples> {
        if samples.x().cols() != self.columns.len() {
            return Err(StageError::Failed(format!(
                "the encoder was fitted on {} columns, these rows have {}",
                self.columns.len(),
                samples.x().cols()
            )));
        }
        if self
            .columns
            .iter()
            .all(|encoding| *encoding == Encoding::Keep)
        {
            return Ok(samples.clone());
        }
        let mut x = Matrix::zeros(samples.n_rows(), self.n_columns());
        for i in 0..samples.n_rows() {
            limit::ask_at(i);
            let mut at = 0;
            for (j, encoding) in self.columns.iter().enumerate() {
                let value = samples.x().at(i, j);
                match encoding {
                    Encoding::Keep => x.set(i, at, value),
                    Encoding::Levels(codes) => {
                        let code = code(value).ok_or_else(|| {
                            StageError::Failed(format!("row {i}, column {j}: {value} is no code"))
                        })?;
                        if let Ok(hot) = codes.binary_search(&code) {
                            x.set(i, at + hot, 1.0);
                        }
                    }
                }
                at += encoding.width();
            }
        }
        let kinds = vec![ColumnKind::Numeric; self.n_columns()].into();
        Ok(Samples::new(
            x,
            kinds,
            samples.y().clone(),
            samples.origins().to_vec(),
        )?)
    }

    /// Number of encoded columns.
    pub fn n_columns(&self) -> usize {
        self.columns.iter().map(Encoding::width).sum()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be a whole number of at least 0 that u32 can hold"
)]
fn code(value: f64) -> Option<usize> {
    (value >= 0.0 && value <= f64::from(u32::MAX) && value.fract() == 0.0).then_some(value as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterweight_core::{Labels, Origin};

    fn samples(codes: &[f64], levels: usize) -> Samples {
        let x = Matrix::from_vec(codes.len(), 1, codes.to_vec()).unwrap();
        let labels = Labels::from_texts(&vec!["a"; codes.len()]);
        let origins = (0..codes.len()).map(Origin::Row).collect();
        Samples::new(
            x,
            vec![ColumnKind::Nominal { levels }].into(),
            labels,
            origins,
        )
        .unwrap()
    }

    #[test]
    fn columns_for_the_levels_that_occur() {
        let encoder = Encoder::fit(&samples(&[0.0, 2.0, 3.0], 5));
        assert_eq!(encoder.n_columns(), 3);
        let encoded = encoder.apply(&samples(&[3.0, 1.0], 5)).unwrap();
        assert_eq!(encoded.x().row(0), [0.0, 0.0, 1.0]);
        assert_eq!(encoded.x().row(1), [0.0, 0.0, 0.0]);
    }

    #[test]
    fn two_levels_share_one_column_and_one_level_has_its_own() {
        let encoder = Encoder::fit(&samples(&[0.0, 2.0], 3));
        assert_eq!(encoder.n_columns(), 1);
        let encoded = encoder.apply(&samples(&[0.0, 2.0], 3)).unwrap();
        assert_eq!(encoded.x().column(0), [0.0, 1.0]);
        assert_eq!(Encoder::fit(&samples(&[1.0], 3)).n_columns(), 1);
        assert!(encoder.apply(&samples(&[0.5], 3)).is_err());
    }
}
