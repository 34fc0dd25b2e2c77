//! Whether a dataset can be learnt from at all.

use counterweight_core::{ColumnValues, CoreError, Dataset};

/// Refuses what no learner may see: no rows, no columns, infinity, fewer than two classes.
///
/// # Errors
/// [`CoreError::Domain`] saying which, with column and row (from 0).
pub fn check_dataset(data: &Dataset) -> Result<(), CoreError> {
    let refuse = |reason: String| {
        Err(CoreError::Domain {
            what: "dataset",
            reason,
        })
    };
    if data.n_rows() == 0 {
        return refuse("it has no rows".into());
    }
    if data.n_features() == 0 {
        return refuse("it has no feature columns".into());
    }
    for column in data.columns() {
        if let ColumnValues::Numeric(values) = &column.values
            && let Some(row) = values.iter().position(|v| v.is_infinite())
        {
            return refuse(format!(
                "column `{}`, row {row}: {}",
                column.name, values[row]
            ));
        }
    }
    let counts = data.labels().counts();
    if counts.n_present() < 2 {
        let name = counts
            .as_slice()
            .iter()
            .position(|&n| n > 0)
            .map_or("", |class| data.labels().names()[class].as_str());
        return refuse(format!("the target has one class only, `{name}`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterweight_core::{Column, Labels};

    fn data(values: Vec<f64>, labels: &[&str]) -> Dataset {
        let column = Column {
            name: "x".into(),
            values: ColumnValues::Numeric(values),
        };
        Dataset::new(vec![column], Labels::from_texts(labels)).unwrap()
    }

    #[test]
    fn what_is_wrong_is_located() {
        assert!(check_dataset(&data(vec![1.0, f64::NAN], &["a", "b"])).is_ok());
        let error = check_dataset(&data(vec![1.0, f64::INFINITY], &["a", "b"])).unwrap_err();
        assert!(error.to_string().contains("column `x`, row 1"), "{error}");
        let error = check_dataset(&data(vec![1.0, 2.0], &["a", "a"])).unwrap_err();
        assert!(error.to_string().contains("one class only, `a`"), "{error}");
        assert!(check_dataset(&data(vec![], &[] as &[&str])).is_err());
    }
}
