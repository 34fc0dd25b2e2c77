//! The statistics of a report over a file of results from anywhere.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use counterweight_core::{Cells, Table, nearest};
use counterweight_frame::{ReadOptions, read_cells, write_atomically};
use counterweight_report::rank::{RankReport, rank_table};
use counterweight_stats::{Dataset, Direction, ScoreTable};

use crate::exit::{Error, Result};
use crate::folder::make_folder;

/// What a file of results holds.
#[derive(Clone, Debug)]
pub struct RankOptions {
    /// A csv, tsv or parquet file.
    pub file: PathBuf,
    /// The column that names what methods are compared on.
    pub unit: String,
    /// The column of the methods; without it every other column of numbers is a method.
    pub method: Option<String>,
    /// The column of the values, beside `method`.
    pub value: Option<String>,
    /// The column that groups related units; each is on its own without it.
    pub cluster: Option<String>,
    /// Whether less is better.
    pub lower_is_better: bool,
    /// Half-width of what is practically equal.
    pub rope: f64,
}

/// Ranks the methods of a file.
///
/// # Errors
/// For a file that cannot be read, a column that is not there, a value that is no number, or the same unit and
/// method twice; all with file and line.
pub fn rank(options: &RankOptions) -> Result<RankReport> {
    if !(options.rope.is_finite() && options.rope >= 0.0) {
        return Err(
            Error::usage(format!("--rope is {}", options.rope)).hint("give a number from 0 on")
        );
    }
    let input = Input::read(options)?;
    let cells = match (&options.method, &options.value) {
        (Some(method), Some(value)) => input.long(method, value)?,
        (None, None) => input.wide()?,
        (Some(_), None) => {
            return Err(
                Error::usage("--method without --value").hint("name the column of the values")
            );
        }
        (None, Some(_)) => {
            return Err(Error::usage("--value without --method").hint(
                "name the column of the methods, or leave both out where each method is a column",
            ));
        }
    };
    let table = input.table(&cells)?;
    let shown = options.file.display();
    if table.methods().len() < 2 {
        let found = table.methods().len();
        let message = format!("{shown}: {found} method to rank");
        return Err(Error::usage(message).hint("give two methods at least"));
    }
    let value = options.value.as_deref().unwrap_or("value");
    rank_table(&table, options.rope, value)
        .map_err(|error| Error::usage(format!("{shown}: {error}")))
}

/// Writes tables as markdown and LaTeX, figures as svg and png, and ranking.json into a folder.
///
/// # Errors
/// When the folder or a file cannot be written.
pub fn write_rank(report: &RankReport, folder: &Path) -> Result<()> {
    make_folder(folder)?;
    let put =
        |name: String, bytes: &[u8]| Ok::<(), Error>(write_atomically(&folder.join(name), bytes)?);
    for view in &report.views {
        put(
            format!("{}.md", view.name),
            view.markdown(usize::MAX).as_bytes(),
        )?;
        for (_, text) in view.latex() {
            put(format!("{}.tex", view.name), text.as_bytes())?;
        }
    }
    for (name, figure) in &report.figures {
        put(format!("{name}.svg"), figure.svg.as_bytes())?;
        put(format!("{name}.png"), &figure.png)?;
    }
    let json = serde_json::to_string_pretty(&report.ranking)
        .map_err(|e| Error::internal(e.to_string()))?;
    put("ranking.json".to_owned(), format!("{json}\n").as_bytes())
}

/// A value by unit and method, with the line where it stands.
type Values = BTreeMap<(String, String), (Option<f64>, usize)>;

struct Input<'a> {
    options: &'a RankOptions,
    file: Table,
    units: Vec<String>,
}

impl<'a> Input<'a> {
    fn read(options: &'a RankOptions) -> Result<Self> {
        let file = read_cells(&options.file, &ReadOptions::target(options.unit.clone()));
        // How a file is read cannot be said here.
        let file = file.map_err(|error| {
            let mut error = Error::from(error);
            error.hint = error.hint.filter(|hint| !hint.contains("--"));
            error
        })?;
        let mut input = Self {
            options,
            file,
            units: Vec::new(),
        };
        input.units = input.texts(&options.unit)?;
        Ok(input)
    }

    fn at(&self, row: usize) -> String {
        let file = self.options.file.display();
        if self
            .options
            .file
            .extension()
            .is_some_and(|e| e == "parquet")
        {
            format!("{file}: row {row}")
        } else {
            // The header is line 1.
            format!("{file}:{}", row + 2)
        }
    }

    fn column(&self, name: &str) -> Result<&Cells> {
        self.file.column(name).ok_or_else(|| {
            let names = self.file.columns().iter().map(|(name, _)| name.as_str());
            let error = Error::usage(format!(
                "{}: no column `{name}`",
                self.options.file.display()
            ));
            match nearest(name, names.clone()) {
                Some(close) => error.hint(format!("did you mean `{close}`?")),
                None => error.hint(format!(
                    "the columns are {}",
                    names.collect::<Vec<_>>().join(", ")
                )),
            }
        })
    }

    /// A column of names; a cell without one is an error.
    fn texts(&self, name: &str) -> Result<Vec<String>> {
        let column = self.column(name)?;
        let text = |row: usize| match column {
            Cells::Text(cells) => cells.get(row).cloned().flatten(),
            Cells::Real(cells) => cells.get(row).copied().flatten().map(|v| v.to_string()),
            Cells::Whole(cells) => cells.get(row).copied().flatten().map(|v| v.to_string()),
            Cells::Flag(cells) => cells.get(row).copied().flatten().map(|v| v.to_string()),
        };
        let named = |row: usize| {
            let text = text(row).filter(|text| !text.trim().is_empty());
            text.ok_or_else(|| {
                Error::usage(format!("{}: nothing in column `{name}`", self.at(row)))
                    .hint("every row has a name there")
            })
        };
        (0..column.len()).map(named).collect()
    }

    /// A number, or nothing where the cell says that there is none.
    fn number(&self, name: &str, row: usize) -> Result<Option<f64>> {
        let value = match self.column(name)? {
            Cells::Real(cells) => cells.get(row).copied().flatten(),
            Cells::Whole(cells) => cells.get(row).copied().flatten().map(|v| v as f64),
            Cells::Flag(_) => None,
            Cells::Text(cells) => match cells
                .get(row)
                .and_then(|cell| cell.as_deref())
                .map(str::trim)
            {
                None | Some("" | "NA" | "NaN" | "nan" | "?") => None,
                Some(text) => {
                    let number = text.parse::<f64>().ok().filter(|v| v.is_finite());
                    Some(number.ok_or_else(|| {
                        Error::usage(format!(
                            "{}: `{text}` in column `{name}` is no number",
                            self.at(row)
                        ))
                        .hint("leave the cell empty where there is no result")
                    })?)
                }
            },
        };
        Ok(value)
    }

    fn long(&self, method: &str, value: &str) -> Result<Values> {
        let methods = self.texts(method)?;
        let mut values = Values::new();
        for (row, (unit, method)) in self.units.iter().zip(methods).enumerate() {
            let number = self.number(value, row)?;
            let known = values.insert((unit.clone(), method.clone()), (number, row));
            if let Some((_, first)) = known {
                return Err(Error::usage(format!(
                    "{}: `{method}` on `{unit}` stands on line {} too",
                    self.at(row),
                    first + 2
                ))
                .hint(
                    "average repeats and folds first: the unit is what methods are compared on",
                ));
            }
        }
        Ok(values)
    }

    fn wide(&self) -> Result<Values> {
        let names: Vec<&String> = self
            .file
            .columns()
            .iter()
            .map(|(name, _)| name)
            .filter(|name| {
                **name != self.options.unit && Some(*name) != self.options.cluster.as_ref()
            })
            .collect();
        let mut values = Values::new();
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for (row, unit) in self.units.iter().enumerate() {
            if let Some(first) = seen.insert(unit, row) {
                let error = format!(
                    "{}: `{unit}` stands on line {} too",
                    self.at(row),
                    first + 2
                );
                return Err(Error::usage(error)
                    .hint("a wide table has a row a unit; with a row a unit and method, give --method and --value"));
            }
            for name in &names {
                let number = self.number(name, row)?;
                values.insert((unit.clone(), (*name).clone()), (number, row));
            }
        }
        Ok(values)
    }

    fn table(&self, values: &Values) -> Result<ScoreTable> {
        let clusters = match &self.options.cluster {
            Some(column) => self.texts(column)?,
            None => self.units.clone(),
        };
        let mut cluster_of: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
        for (row, (unit, cluster)) in self.units.iter().zip(&clusters).enumerate() {
            let (known, first) = *cluster_of.entry(unit).or_insert((cluster, row));
            if known != cluster {
                return Err(Error::usage(format!(
                    "{}: `{unit}` is in cluster `{cluster}`, on line {} in `{known}`",
                    self.at(row),
                    first + 2
                ))
                .hint("a unit has one cluster"));
            }
        }
        let mut methods: Vec<String> = values.keys().map(|(_, method)| method.clone()).collect();
        methods.sort();
        methods.dedup();
        let datasets: Vec<Dataset> = cluster_of
            .iter()
            .map(|(unit, (cluster, _))| Dataset {
                name: (*unit).to_owned(),
                cluster: (*cluster).to_owned(),
            })
            .collect();
        let cell = |unit: &str, method: &String| {
            let found = values.get(&(unit.to_owned(), method.clone()));
            found.and_then(|(value, _)| *value)
        };
        let cells = datasets
            .iter()
            .flat_map(|d| methods.iter().map(|m| cell(&d.name, m)));
        let cells: Vec<Option<f64>> = cells.collect();
        let direction = if self.options.lower_is_better {
            Direction::LowerIsBetter
        } else {
            Direction::HigherIsBetter
        };
        let file = self.options.file.display();
        ScoreTable::new(direction, datasets, methods, cells)
            .map_err(|error| Error::usage(format!("{file}: {error}")).hint("give a row a result"))
    }
}
