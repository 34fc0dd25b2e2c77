//! Published two-class tasks of the library's tables, under the names that papers use: `tasks.csv`, one a line.
//!
//! A line says which classes of which table stand against which, the rows of the table (from 0) that the published
//! task lacks, and how many rows and positives it was published with, so that a test can compare.

use std::sync::OnceLock;

use counterweight_core::{Contrast, ContrastError, Dataset, nearest};

const FILE: &str = include_str!("tasks.csv");

/// A published task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The collection that it was published in; also the preset that gives all of them.
    pub collection: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// The table of the library that it is made of.
    pub table: &'static str,
    /// Classes of the positive side.
    pub positive: Vec<&'static str>,
    /// Classes of the negative side; empty for all others.
    pub negative: Vec<&'static str>,
    /// Rows that it was published with.
    pub rows: usize,
    /// Rows of the positive side among them.
    pub positives: usize,
    /// Rows of the table, from 0, that it lacks.
    pub without: Vec<usize>,
}

/// Every task, by collection and name.
pub fn tasks() -> &'static [Task] {
    static TASKS: OnceLock<Vec<Task>> = OnceLock::new();
    TASKS.get_or_init(|| FILE.lines().skip(1).filter_map(line).collect())
}

/// The task that a sweep calls `name`: by COLLECTION.NAME, or by its name alone, which goes to the first collection
/// that has one so called.
pub fn task(name: &str) -> Option<&'static Task> {
    let full = |task: &&Task| task.full_name() == name;
    let found = tasks().iter().find(full);
    found.or_else(|| tasks().iter().find(|task| task.name == name))
}

/// The name of a task or of one of `tables` that is nearest to `name`.
pub fn nearest_name(name: &str, tables: &[&str]) -> Option<String> {
    let full: Vec<String> = tasks().iter().map(Task::full_name).collect();
    let names = tables.iter().copied();
    let names = names.chain(tasks().iter().map(|task| task.name));
    nearest(name, names.chain(full.iter().map(String::as_str))).map(str::to_owned)
}

impl Task {
    /// COLLECTION.NAME, which no table bears.
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.collection, self.name)
    }

    /// The task's rows and labels, and the rows of the table that they are where some are left out.
    ///
    /// # Errors
    /// As [`Contrast::apply`]; a row that the table does not have.
    pub fn of(&self, table: Dataset) -> Result<(Dataset, Option<Vec<usize>>), ContrastError> {
        let own = |classes: &[&str]| classes.iter().map(|&class| class.to_owned()).collect();
        let contrast = Contrast::Classes {
            positive: own(&self.positive),
            negative: own(&self.negative),
        };
        if self.without.is_empty() {
            return contrast.apply(table);
        }
        if let Some(row) = self.without.iter().find(|row| **row >= table.n_rows()) {
            return Err(ContrastError {
                key: "name",
                message: format!("the table has no row {row}"),
                hint: None,
            });
        }
        let rows: Vec<usize> = (0..table.n_rows())
            .filter(|row| !self.without.contains(row))
            .collect();
        let (data, kept) = contrast.apply(table.select(&rows))?;
        let rows = match kept {
            Some(kept) => kept.into_iter().map(|row| rows[row]).collect(),
            None => rows,
        };
        Ok((data, Some(rows)))
    }

    /// How the task of a table differs from the published one, a sentence part each; empty when it does not.
    pub fn differences(&self, table: &Dataset) -> Vec<String> {
        let labels = Dataset::new(Vec::new(), table.labels().clone());
        let task = labels
            .map_err(|error| error.to_string())
            .and_then(|labels| {
                let task = self.of(labels).map_err(|error| error.message)?;
                Ok(task.0)
            });
        let task = match task {
            Ok(task) => task,
            Err(message) => return vec![message],
        };
        let counts = task.labels().counts();
        let found = [task.n_rows(), counts.as_slice()[1]];
        let published = [("rows", self.rows), ("positives", self.positives)];
        (published.into_iter().zip(found))
            .filter(|((_, published), found)| published != found)
            .map(|((what, published), found)| {
                format!("{what}: {found}, published were {published}")
            })
            .collect()
    }
}

/// A line of the file; `None` for one that is none, which a test rules out.
fn line(text: &'static str) -> Option<Task> {
    fn list(cell: &'static str) -> impl Iterator<Item = &'static str> {
        cell.split('|').filter(|part| !part.is_empty())
    }
    let mut cells = text.split(',');
    let mut next = || cells.next();
    Some(Task {
        collection: next()?,
        name: next()?,
        table: next()?,
        positive: list(next()?).collect(),
        negative: list(next()?).collect(),
        rows: next()?.parse().ok()?,
        positives: next()?.parse().ok()?,
        without: list(next()?)
            .map(str::parse)
            .collect::<Result<_, _>>()
            .ok()?,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::config::limits::is_id_char;

    #[test]
    fn every_line_is_a_task_with_a_name_of_its_own() {
        assert_eq!(tasks().len(), FILE.lines().count() - 1);
        let full: BTreeSet<String> = tasks().iter().map(Task::full_name).collect();
        assert_eq!(full.len(), tasks().len());
        for known in tasks() {
            assert!(known.full_name().chars().all(is_id_char), "{}", known.name);
            assert!(
                !known.positive.is_empty() && known.positives > 0,
                "{}",
                known.name
            );
            assert_eq!(task(&known.full_name()), Some(known));
            // A short name may be one of several, but never means another task of the same table's name.
            let short = task(known.name).unwrap();
            assert!(short == known || short.name == known.name);
        }
        let mut of: BTreeMap<&str, usize> = BTreeMap::new();
        for task in tasks() {
            *of.entry(task.collection).or_default() += 1;
        }
        assert!(
            of["keel"] >= 85 && of["imbalanced-learn"] >= 13 && of["climb"] >= 10,
            "{of:?}"
        );
    }

    #[test]
    fn names_are_found_and_misspelt_ones_are_near() {
        assert_eq!(task("yeast4").unwrap().table, "yeast");
        assert_eq!(task("imbalanced-learn.ecoli").unwrap().positive, ["imU"]);
        assert_eq!(task("yeats4"), None);
        assert_eq!(
            nearest_name("yeats4", &["yeast"]).as_deref(),
            Some("yeast4")
        );
        assert_eq!(
            nearest_name("keel.yeats4", &[]).as_deref(),
            Some("keel.yeast4")
        );
        assert_eq!(
            nearest_name("satimege", &["satimage"]).as_deref(),
            Some("satimage")
        );
    }
}
