//! The scores of a model from elsewhere become a model of the report, under
//! every decision of the sweep that needs scores alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use counterweight_core::{Cells, Finished, Labels, Matrix, Prior, Scores, Table};
use counterweight_frame::{read_table, read_text_table, write_atomically};
use counterweight_harness::config::sweep::RatioSpec;
use counterweight_harness::plan::{Plan, Rows, Unit};
use counterweight_harness::run::foreign::{self, Foreign};
use counterweight_store::{Header, segment_text};

use crate::exit::{Error, Result};
use crate::folder::{Folder, make_folder};
use crate::lock::Lock;
use crate::provenance::cpu_features;
use crate::session::Session;
use crate::side_tables::{IMPORTS, class_of};

/// Probabilities of a row have to sum to 1 within this.
const SUM: f64 = 1e-6;

/// Most rows that a message names.
const NAMED: usize = 8;

/// What is known of the prior of foreign scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PriorOfScores {
    /// That of the training rows.
    #[default]
    Train,
    /// Equal shares, as after full weighting or resampling.
    Uniform,
    /// Nothing: decisions that need the scores' own prior do not apply.
    Unknown,
}

/// What is imported.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// A csv or parquet file like scores.parquet.
    pub file: PathBuf,
    /// What the model is called.
    pub model: String,
    /// The class shares that it was fitted under.
    pub prior: PriorOfScores,
}

/// What was imported.
#[derive(Clone, Copy, Debug)]
pub struct Imported {
    /// Records that were made.
    pub records: usize,
    /// Splits that they are of.
    pub splits: usize,
    /// Splits of the sweep.
    pub of_splits: usize,
}

/// Judges the scores of a model from elsewhere under every decision of a report folder's sweep that needs
/// scores alone; the model becomes one of its records.
///
/// # Errors
/// Errors of the sweep and of the file, each with the rows.
pub fn import(session: &Session<'_>, folder: &Path, args: &ImportOptions) -> Result<Imported> {
    let folder = Folder::of_report(session, folder)?;
    let (plan, _) = folder.plan()?;
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.+[]=,".contains(c);
    if args.model.is_empty() || !args.model.chars().all(good) {
        return Err(Error::usage(format!("`{}` is not an id", args.model))
            .hint("ids are made of letters, digits and -_.+[]=,"));
    }
    if plan.sweep.models.iter().any(|model| model.id == args.model) {
        return Err(Error::usage(format!(
            "the sweep has a model called `{}` of its own",
            args.model
        ))
        .hint("give the imported one another name with --model"));
    }
    let table = read_table(&args.file)?;
    let name = args.file.display().to_string();
    let mut file = ScoresFile::new(&table, &name)?;
    if name.to_lowercase().ends_with(".csv") {
        // Labels and ids are the texts that stand there: `0.0` and `01` are no numbers.
        let plain = read_text_table(&args.file)?;
        for (column, cells) in [("label", &mut file.label), ("dataset", &mut file.dataset)] {
            *cells = plain.column(column).map(texts);
        }
    }
    let by_unit = file.by_unit(&plan)?;
    if by_unit.is_empty() {
        return Err(Error::usage(format!("{name}: no rows")));
    }
    let mut entries: Vec<Finished> = Vec::new();
    for (&unit, rows) in &by_unit {
        let unit = &plan.units[unit];
        let labels =
            foreign::test_labels(&plan, unit).map_err(|error| Error::usage(error.to_string()))?;
        let scores = file.scores(&plan, unit, rows, &labels)?;
        let prior = match args.prior {
            PriorOfScores::Train => unit.train.prior(),
            PriorOfScores::Uniform => Prior::uniform(unit.train.n_classes()).ok(),
            PriorOfScores::Unknown => None,
        };
        let judged = foreign::judge(
            &plan,
            unit,
            Foreign {
                model: &args.model,
                scores: &scores,
                prior: prior.as_ref(),
            },
        );
        entries.extend(judged.map_err(|error| Error::usage(error.to_string()))?);
    }
    let _lock = Lock::of(session, &folder.output)?;
    keep(&plan, &folder, &args.model, &entries)?;
    let joined = folder.joined(&plan)?;
    folder.write_records(&plan, &joined, true)?;
    let splits = plan.units.iter();
    Ok(Imported {
        records: entries.len(),
        splits: by_unit.len(),
        of_splits: splits.filter(|u| !matches!(u.rows, Rows::None(..))).count(),
    })
}

/// Writes the import as a segment of its own, whole or not at all; an earlier one of the same name is
/// replaced.
fn keep(plan: &Plan, folder: &Folder<'_>, model: &str, entries: &[Finished]) -> Result<()> {
    let header = Header::new(
        env!("CARGO_PKG_VERSION"),
        &plan.sweep_hash.hex(),
        "import",
        &cpu_features(),
    );
    let text = segment_text(&header, entries);
    let text = text.map_err(|error| Error::internal(error.to_string()))?;
    let imports = folder.output.join(IMPORTS);
    make_folder(&imports)?;
    let file = imports.join(format!("{model}.jsonl"));
    Ok(write_atomically(&file, &text)?)
}

/// A table of foreign scores, its columns found.
struct ScoresFile<'a> {
    name: &'a str,
    n: usize,
    dataset: Option<Vec<Option<String>>>,
    profile: Option<Vec<Option<String>>>,
    ratio: Option<Vec<Option<f64>>>,
    repeat: Option<Vec<Option<f64>>>,
    fold: Option<Vec<Option<f64>>>,
    row: Vec<Option<f64>>,
    label: Option<Vec<Option<String>>>,
    /// `p_0`, `p_1`, ...
    p: Vec<Vec<Option<f64>>>,
}

fn numbers(cells: &Cells) -> Option<Vec<Option<f64>>> {
    match cells {
        Cells::Real(values) => Some(values.clone()),
        Cells::Whole(values) => Some(values.iter().map(|v| v.map(|v| v as f64)).collect()),
        // A column of nothing but empty cells comes from a csv file as text.
        Cells::Text(values) if values.iter().all(Option::is_none) => Some(vec![None; values.len()]),
        Cells::Text(_) | Cells::Flag(_) => None,
    }
}

fn texts(cells: &Cells) -> Vec<Option<String>> {
    match cells {
        Cells::Text(values) => values.clone(),
        Cells::Whole(values) => values.iter().map(|v| v.map(|v| v.to_string())).collect(),
        Cells::Real(values) => values.iter().map(|v| v.map(|v| v.to_string())).collect(),
        Cells::Flag(values) => values.iter().map(|v| v.map(|v| v.to_string())).collect(),
    }
}

impl<'a> ScoresFile<'a> {
    fn new(table: &Table, name: &'a str) -> Result<Self> {
        let number = |column: &str| match table.column(column) {
            None => Ok(None),
            Some(cells) => numbers(cells).map(Some).ok_or_else(|| {
                Error::usage(format!("{name}: column `{column}` does not hold numbers"))
            }),
        };
        let mut p = Vec::new();
        while let Some(column) = number(&format!("p_{}", p.len()))? {
            p.push(column);
        }
        let known = [
            "dataset",
            "profile",
            "requested_ratio",
            "repeat",
            "fold",
            "row",
            "label",
        ];
        // What scores.parquet holds beside, and the index that pandas writes.
        let passed = [
            "cell",
            "model",
            "correction",
            "decision",
            "__index_level_0__",
        ];
        let odd = table
            .columns()
            .iter()
            .map(|(column, _)| column.as_str())
            .find(|column| {
                let class = column
                    .strip_prefix("p_")
                    .and_then(|k| k.parse::<usize>().ok());
                !known.contains(column)
                    && !passed.contains(column)
                    && class.is_none_or(|k| k >= p.len())
            });
        if let Some(odd) = odd {
            return Err(Error::usage(format!("{name}: unknown column `{odd}`")).hint(
                "the columns are dataset, profile, requested_ratio, repeat, fold, row, label and p_0, p_1, ... in \
                 class order, as in scores.parquet",
            ));
        }
        let Some(row) = number("row")? else {
            return Err(Error::usage(format!("{name}: there is no column `row`"))
                .hint("the number of each test row in its data file, from 0"));
        };
        if p.len() < 2 {
            return Err(
                Error::usage(format!("{name}: fewer than two columns p_0, p_1, ..."))
                    .hint("one column of probabilities a class, in class order"),
            );
        }
        Ok(Self {
            name,
            n: table.n_rows(),
            dataset: table.column("dataset").map(texts),
            profile: table.column("profile").map(texts),
            ratio: number("requested_ratio")?,
            repeat: number("repeat")?,
            fold: number("fold")?,
            row,
            label: table.column("label").map(texts),
            p,
        })
    }

    /// Where a row of the table stands in its file; the header of a CSV file is line 1.
    fn place(&self, at: usize) -> String {
        if self.name.to_lowercase().ends_with(".csv") {
            format!("line {}", at + 2)
        } else {
            format!("row {at}")
        }
    }

    /// The rows of the file that belong to each split.
    fn by_unit(&self, plan: &Plan) -> Result<BTreeMap<usize, Vec<usize>>> {
        let mut found: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for at in 0..self.n {
            let fits = |unit: &Unit| {
                let same = |column: &Option<Vec<Option<f64>>>, value: usize| {
                    column
                        .as_ref()
                        .is_none_or(|c| c[at].is_some_and(|v| (v - value as f64).abs() <= 0.0))
                };
                let input = &plan.inputs[unit.input];
                let says = |column: &Option<Vec<Option<String>>>, value: &str| {
                    let text = |c: &Vec<Option<String>>| c[at].as_deref() == Some(value);
                    column.as_ref().is_none_or(text)
                };
                let ratio = self
                    .ratio
                    .as_ref()
                    .is_none_or(|c| match (unit.ratio, c[at]) {
                        (RatioSpec::Natural, None) => true,
                        (RatioSpec::Induced(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs(),
                        _ => false,
                    });
                !matches!(unit.rows, Rows::None(..))
                    && says(&self.dataset, &input.id)
                    && says(&self.profile, &unit.profile)
                    && ratio
                    && same(&self.repeat, unit.repeat)
                    && same(&self.fold, unit.fold)
            };
            let units: Vec<usize> = (0..plan.units.len())
                .filter(|&unit| fits(&plan.units[unit]))
                .collect();
            match units[..] {
                [one] => found.entry(one).or_default().push(at),
                [] => {
                    return Err(Error::usage(format!(
                        "{}: {} belongs to no split of the sweep",
                        self.name,
                        self.place(at)
                    ))
                    .hint("check dataset, profile, requested_ratio, repeat and fold against records.csv"));
                }
                _ => {
                    return Err(Error::usage(format!(
                        "{}: {} may belong to {} splits",
                        self.name,
                        self.place(at),
                        units.len()
                    ))
                    .hint("add the columns dataset, profile, requested_ratio, repeat and fold"));
                }
            }
        }
        Ok(found)
    }

    /// The scores of a split's test rows in its own order.
    fn scores(&self, plan: &Plan, unit: &Unit, lines: &[usize], truth: &Labels) -> Result<Scores> {
        let input = &plan.inputs[unit.input];
        let place = format!(
            "{}: {} repeat {} fold {}",
            self.name, input.id, unit.repeat, unit.fold
        );
        let refuse = |what: &str, rows: &[String]| {
            let more = if rows.len() > NAMED {
                format!(" and {} more", rows.len() - NAMED)
            } else {
                String::new()
            };
            let shown = rows[..rows.len().min(NAMED)].join(", ");
            Error::usage(format!("{place}: {what}: {shown}{more}"))
        };
        let expected = plan.test_rows(unit);
        let order: BTreeMap<usize, usize> = expected
            .iter()
            .enumerate()
            .map(|(i, &row)| (row, i))
            .collect();
        let k = input.n_classes;
        let classes = class_of(truth);
        let mut p = Matrix::zeros(expected.len(), k);
        let mut seen = vec![0_usize; expected.len()];
        let (mut strange, mut odd, mut wrong, mut unknown) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for &at in lines {
            let number = self.row[at].filter(|row| *row >= 0.0 && row.fract() <= 0.0);
            let row = number.and_then(|row| format!("{row}").parse::<usize>().ok());
            let Some(&i) = row.and_then(|row| order.get(&row)) else {
                strange.push(self.place(at));
                continue;
            };
            let shown = || format!("row {}", expected[i]);
            seen[i] += 1;
            let values: Vec<Option<f64>> = self.p.iter().map(|column| column[at]).collect();
            if self.p.len() < k || values[k..].iter().any(Option::is_some) {
                return Err(Error::usage(format!(
                    "{place}: {} has probabilities of {} classes, the data have {k}",
                    shown(),
                    values.iter().flatten().count()
                )));
            }
            let sum: f64 = values[..k].iter().flatten().sum();
            let sound = values[..k]
                .iter()
                .all(|v| v.is_some_and(|v| (0.0..=1.0 + SUM).contains(&v)));
            if !sound || (sum - 1.0).abs() > SUM {
                odd.push(shown());
                continue;
            }
            for (class, value) in values[..k].iter().enumerate() {
                p.set(i, class, value.unwrap_or(0.0));
            }
            if let Some(label) = self.label.as_ref().and_then(|labels| labels[at].as_deref()) {
                match classes.get(label) {
                    None => unknown.push(format!("{} ({label})", shown())),
                    Some(&class) if class as usize != truth.class(i) => wrong.push(shown()),
                    Some(_) => {}
                }
            }
        }
        let rows_where = |wanted: &dyn Fn(usize) -> bool| -> Vec<String> {
            (0..expected.len())
                .filter(|&i| wanted(seen[i]))
                .map(|i| format!("row {}", expected[i]))
                .collect()
        };
        for (what, rows) in [
            ("not test rows of this split", strange),
            (
                "rows that stand there more than once",
                rows_where(&|n| n > 1),
            ),
            ("test rows without scores", rows_where(&|n| n == 0)),
            ("not finite probabilities that sum to 1 within 1e-6", odd),
            ("labels that are no class of the data", unknown),
            ("labels that differ from the data's", wrong),
        ] {
            if !rows.is_empty() {
                return Err(refuse(what, &rows));
            }
        }
        Scores::probabilities(p).map_err(|error| Error::usage(format!("{place}: {error}")))
    }
}
