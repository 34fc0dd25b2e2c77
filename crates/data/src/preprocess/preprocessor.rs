//! The `standard` preprocessing up to, and not including, one-hot encoding.
//!
//! | columns | what happens |
//! |---|---|
//! | numeric | median for missing values; minus the training mean, over the population deviation |
//! | nominal | most frequent level for missing values; levels with fewer than 1 % of the training rows (at least 2, at most 10 rows) merged with unseen ones into "(other)" |
//! | any, with something missing in the training rows | an indicator column after all others |
//!
//! Differences from scikit-learn: the median and the most frequent level are `SimpleImputer`'s,
//! mean and deviation `StandardScaler`'s (taken after imputation); `OneHotEncoder` has no merging
//! of rare levels by default. Where rows have weights, all but the counts of rare levels are those of rows that are repeated
//! as often as they weigh.

use counterweight_core::limit;
use counterweight_core::{
    ColumnKind, ColumnValues, Dataset, MISSING, Matrix, Origin, Samples, StageError, StageResult,
};

use super::Preprocess;
use super::nominal::Leveller;
use super::numeric::Scaler;

/// One output column.
#[derive(Clone, Debug, PartialEq)]
enum Fitted {
    Scaled(Scaler),
    Levelled(Leveller),
    /// The number as it is.
    Plain,
    /// The code as it is.
    Codes(usize),
    /// As `Levelled`, but a missing value stays one.
    LevelledOrMissing(Leveller),
}

/// Fitted preprocessing.
#[derive(Clone, Debug, PartialEq)]
pub struct Preprocessor {
    kind: Preprocess,
    columns: Vec<(String, Fitted)>,
    /// Input columns with an indicator.
    indicated: Vec<usize>,
}

impl Preprocessor {
    /// Fits on training rows. O(n d log n).
    ///
    /// # Errors
    /// [`StageError::Failed`] without rows; [`StageError::NotApplicable`] for missing values under
    /// `none`.
    pub fn fit(kind: Preprocess, train: &Dataset) -> StageResult<Self> {
        Self::fit_rows(kind, train, &all(train))
    }

    /// As [`Preprocessor::fit`], on the training rows `rows` of `data`, which are copied a column at a time.
    ///
    /// # Errors
    /// As [`Preprocessor::fit`].
    pub fn fit_rows(kind: Preprocess, data: &Dataset, rows: &[usize]) -> StageResult<Self> {
        if rows.is_empty() {
            return Err(StageError::Failed(
                "preprocessing needs training rows".into(),
            ));
        }
        let part = data.labels().select(rows);
        let weights = part.weights();
        let mut columns = Vec::with_capacity(data.n_features());
        let mut indicated = Vec::new();
        for (at, column) in data.columns().iter().enumerate() {
            limit::ask();
            let values = data.part(at, rows);
            let missing = values.missing();
            let fitted = match (kind, &values) {
                (Preprocess::Standard, ColumnValues::Numeric(values)) => {
                    Fitted::Scaled(Scaler::fit(values, weights.as_deref()))
                }
                (Preprocess::Standard, ColumnValues::Nominal { codes, levels }) => {
                    Fitted::Levelled(Leveller::fit(codes, levels, weights.as_deref()))
                }
                (Preprocess::None, _) if missing > 0 => return Err(refused(&column.name)),
                (Preprocess::None, ColumnValues::Numeric(_)) => Fitted::Plain,
                (Preprocess::None, ColumnValues::Nominal { levels, .. }) => {
                    Fitted::Codes(levels.len())
                }
            };
            if missing > 0 {
                indicated.push(at);
            }
            columns.push((column.name.clone(), fitted));
        }
        Ok(Self {
            kind,
            columns,
            indicated,
        })
    }

    /// Fits for learners that take rows as they are: numbers are not scaled, missing values stay NaN, and
    /// of levels only the rare ones are merged (under `standard`). There are no indicators. O(n d).
    ///
    /// # Errors
    /// As [`Preprocessor::fit`].
    pub fn fit_raw(kind: Preprocess, data: &Dataset, rows: &[usize]) -> StageResult<Self> {
        let mut fitted = Self::fit_rows(kind, data, rows)?;
        for (_, column) in &mut fitted.columns {
            *column = match std::mem::replace(column, Fitted::Plain) {
                Fitted::Levelled(leveller) => Fitted::LevelledOrMissing(leveller),
                Fitted::Scaled(_) => Fitted::Plain,
                other => other,
            };
        }
        fitted.indicated.clear();
        Ok(fitted)
    }

    /// Prepares rows with the same columns. Each output row depends on its input row alone.
    ///
    /// # Errors
    /// [`StageError::Failed`] when the columns are others, and when scaling overflows;
    /// [`StageError::NotApplicable`] for missing values under `none`.
    pub fn apply(&self, data: &Dataset) -> StageResult<Samples> {
        self.apply_rows(data, &all(data))
    }

    /// As [`Preprocessor::apply`], to the rows `rows` of `data`, which are copied a column at a time.
    ///
    /// # Errors
    /// As [`Preprocessor::apply`].
    pub fn apply_rows(&self, data: &Dataset, rows: &[usize]) -> StageResult<Samples> {
        if data.n_features() != self.columns.len() {
            return Err(StageError::Failed(format!(
                "preprocessing was fitted on {} columns, these rows have {}",
                self.columns.len(),
                data.n_features()
            )));
        }
        let width = self.columns.len() + self.indicated.len();
        let mut x = Matrix::zeros(rows.len(), width);
        for (j, ((_, fitted), column)) in self.columns.iter().zip(data.columns()).enumerate() {
            let values = data.part(j, rows);
            if self.kind == Preprocess::None && values.missing() > 0 {
                return Err(refused(&column.name));
            }
            limit::ask();
            fill(&mut x, j, fitted, (&column.name, &values))?;
        }
        for (at, &source) in self.indicated.iter().enumerate() {
            let j = self.columns.len() + at;
            match &data.part(source, rows) {
                ColumnValues::Numeric(values) => {
                    for (i, value) in values.iter().enumerate() {
                        x.set(i, j, f64::from(u8::from(value.is_nan())));
                    }
                }
                ColumnValues::Nominal { codes, .. } => {
                    for (i, &code) in codes.iter().enumerate() {
                        x.set(i, j, f64::from(u8::from(code == MISSING)));
                    }
                }
            }
        }
        let kinds: Vec<ColumnKind> = self
            .columns
            .iter()
            .map(|(_, fitted)| match fitted {
                Fitted::Scaled(_) | Fitted::Plain => ColumnKind::Numeric,
                Fitted::Levelled(leveller) | Fitted::LevelledOrMissing(leveller) => {
                    ColumnKind::Nominal {
                        levels: leveller.n_levels(),
                    }
                }
                Fitted::Codes(levels) => ColumnKind::Nominal { levels: *levels },
            })
            .chain(self.indicated.iter().map(|_| ColumnKind::Indicator))
            .collect();
        let origins = (0..rows.len()).map(Origin::Row).collect();
        Ok(Samples::new(
            x,
            kinds.into(),
            data.labels().select(rows),
            origins,
        )?)
    }

    /// Names of the output columns.
    pub fn names(&self) -> Vec<String> {
        let indicators = self
            .indicated
            .iter()
            .map(|&at| format!("{}?", self.columns[at].0));
        self.columns
            .iter()
            .map(|(name, _)| name.clone())
            .chain(indicators)
            .collect()
    }
}

/// All rows.
fn all(data: &Dataset) -> Vec<usize> {
    (0..data.n_rows()).collect()
}

fn fill(
    x: &mut Matrix,
    j: usize,
    fitted: &Fitted,
    (name, values): (&str, &ColumnValues),
) -> StageResult<()> {
    match (fitted, values) {
        (Fitted::Scaled(scaler), ColumnValues::Numeric(values)) => {
            for (i, &value) in values.iter().enumerate() {
                let scaled = scaler.apply(value);
                // Missing values have been filled: what is not finite here is an overflow.
                if !scaled.is_finite() {
                    return Err(StageError::Failed(format!(
                        "scaling overflows: the values of column `{name}` are too large for their mean, \
                         deviation or difference to be numbers of 64 bits; divide the column by a \
                         constant",
                    )));
                }
                x.set(i, j, scaled);
            }
        }
        (Fitted::Plain, ColumnValues::Numeric(values)) => {
            for (i, &value) in values.iter().enumerate() {
                x.set(i, j, value);
            }
        }
        (Fitted::Levelled(leveller), ColumnValues::Nominal { codes, .. }) => {
            for (i, &code) in codes.iter().enumerate() {
                x.set(i, j, leveller.apply(code) as f64);
            }
        }
        (Fitted::LevelledOrMissing(leveller), ColumnValues::Nominal { codes, .. }) => {
            for (i, &code) in codes.iter().enumerate() {
                let missing = code == MISSING;
                let value = if missing {
                    f64::NAN
                } else {
                    leveller.apply(code) as f64
                };
                x.set(i, j, value);
            }
        }
        (Fitted::Codes(_), ColumnValues::Nominal { codes, .. }) => {
            for (i, &code) in codes.iter().enumerate() {
                x.set(i, j, f64::from(code));
            }
        }
        _ => {
            return Err(StageError::Failed(format!(
                "column `{name}` is of another kind than in the training rows"
            )));
        }
    }
    Ok(())
}

fn refused(column: &str) -> StageError {
    StageError::NotApplicable(format!(
        "column `{column}` has missing values and `preprocess = \"none\"` imputes nothing"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterweight_core::{Column, Labels};

    fn data(numbers: Vec<f64>, levels: &[Option<&str>]) -> Dataset {
        let labels: Vec<String> = (0..numbers.len()).map(|i| (i % 2).to_string()).collect();
        let columns = vec![
            Column {
                name: "x".into(),
                values: ColumnValues::Numeric(numbers),
            },
            Column {
                name: "c".into(),
                values: ColumnValues::nominal(levels),
            },
        ];
        Dataset::new(columns, Labels::from_texts(&labels)).unwrap()
    }

    fn example() -> Dataset {
        data(
            vec![1.0, f64::NAN, 3.0, 8.0],
            &[Some("a"), Some("b"), Some("a"), Some("b")],
        )
    }

    #[test]
    fn indicators_stand_where_training_rows_miss_something() {
        let fitted = Preprocessor::fit(Preprocess::Standard, &example()).unwrap();
        assert_eq!(fitted.names(), ["x", "c", "x?"]);
        let samples = fitted.apply(&example()).unwrap();
        assert_eq!(samples.x().column(2), [0.0, 1.0, 0.0, 0.0]);
        assert_eq!(samples.kinds()[1], ColumnKind::Nominal { levels: 3 });
        assert!(samples.x().first_non_finite().is_none());
    }

    #[test]
    fn raw_rows_keep_their_numbers_and_what_they_miss() {
        let mut data = example();
        let fitted = Preprocessor::fit_raw(Preprocess::Standard, &data, &all(&data)).unwrap();
        assert_eq!(fitted.names(), ["x", "c"]);
        let samples = fitted.apply(&data).unwrap();
        let x = samples.x().column(0);
        assert!(x[1].is_nan() && (x[3] - 8.0).abs() < 1e-15);
        assert_eq!(samples.kinds()[1], ColumnKind::Nominal { levels: 3 });
        data = data_with_a_missing_level();
        let coded = fitted.apply(&data).unwrap().x().column(1);
        assert!(coded[0].is_nan() && (coded[1] - 1.0).abs() < 1e-15);
        assert!(Preprocessor::fit_raw(Preprocess::None, &data, &all(&data)).is_err());
    }

    fn data_with_a_missing_level() -> Dataset {
        data(vec![1.0, 2.0, 3.0], &[None, Some("b"), Some("a")])
    }

    #[test]
    fn an_overflow_is_named_as_such() {
        let huge = data(
            vec![1.7e308, -1.7e308, 1.7e308, 1.0],
            &[Some("a"), Some("b"), Some("a"), Some("b")],
        );
        let fitted = Preprocessor::fit(Preprocess::Standard, &huge).unwrap();
        let error = fitted.apply(&huge).unwrap_err().to_string();
        assert!(
            error.contains("scaling overflows") && error.contains("`x`"),
            "{error}"
        );
        assert!(
            Preprocessor::fit_raw(Preprocess::Standard, &huge, &all(&huge))
                .unwrap()
                .apply(&huge)
                .is_ok()
        );
    }

    #[test]
    fn apply_works_row_by_row() {
        let fitted = Preprocessor::fit(Preprocess::Standard, &example()).unwrap();
        let whole = fitted.apply(&example()).unwrap();
        let part = fitted.apply(&example().select(&[2])).unwrap();
        assert_eq!(part.x().row(0), whole.x().row(2));
    }

    #[test]
    fn none_leaves_columns_alone_and_refuses_missing_values() {
        let refused = Preprocessor::fit(Preprocess::None, &example());
        assert!(matches!(refused, Err(StageError::NotApplicable(text)) if text.contains("`x`")));
        let full = example().select(&[0, 2, 3]);
        let fitted = Preprocessor::fit(Preprocess::None, &full).unwrap();
        assert_eq!(fitted.apply(&full).unwrap().x().column(0), [1.0, 3.0, 8.0]);
        assert!(fitted.apply(&example()).is_err());
    }
}
