//! baseline.csv, format 1: the committed values, one line a cell, so that a change of them is a
//! readable diff.
//!
//! ```text
//! # counterweight baseline
//! # format = 1
//! # sweep = gate
//! # sweep_hash = 4f0c...
//! # version = 0.1.0
//! # seed = 11
//! # cells = 2
//! # dataset gaussian-pair = 91ab...
//! cell,dataset,ratio,repeat,fold,model,correction,outcome,balanced_error
//! 02aa8d1be5cbb8e4,gaussian-pair,20,0,0,softmax-regression,none,ok,0.1785
//! 7c29f4a1d1c3a9be,gaussian-pair,20,0,0,softmax-regression,logit-adjust,ok,0.081
//! ```
//!
//! Lines of the head begin with `#`. There is no hash of the values: they may be mended by hand, and
//! a hash would only be one more line to conflict in a merge. What guards the file instead is that it
//! must name exactly the cells of its sweep, each once, with an outcome and a value that fit each
//! other, and end with a newline. Further head lines and further columns are read over, so that a later
//! version can add some; another `format` is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use counterweight_core::{CellId, Outcome, Record, shielded, unshielded};

use super::cells::value_of;
use super::result::{Place, Planned};

/// The only format so far.
pub const FORMAT: u64 = 1;

/// The columns, in order.
const COLUMNS: [&str; 9] = [
    "cell",
    "dataset",
    "ratio",
    "repeat",
    "fold",
    "model",
    "correction",
    "outcome",
    "balanced_error",
];

/// The first line, by which the file is known.
const TITLE: &str = "# counterweight baseline";

/// Why a baseline cannot be compared with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", line.map_or_else(String::new, |line| format!("line {line}: ")))]
pub struct BaselineError {
    /// The line, from 1, where there is one to blame.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to try.
    pub hint: String,
}

const MEND_HINT: &str = "restore the file from version control, or delete it and write it anew with \
                       `--update --reason`";

impl BaselineError {
    fn damaged(line: usize, message: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            message: message.into(),
            hint: MEND_HINT.into(),
        }
    }

    fn whole(message: impl Into<String>) -> Self {
        Self {
            line: None,
            message: message.into(),
            hint: MEND_HINT.into(),
        }
    }
}

/// What the baseline was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Name of the sweep.
    pub sweep: String,
    /// Hash of what the sweep asks for, without its seed.
    pub sweep_hash: String,
    /// Version that wrote it.
    pub version: String,
    /// Seed of the sweep.
    pub seed: u64,
    /// Hash of the values of each dataset, or of the definition of each population, by id.
    pub datasets: BTreeMap<String, String>,
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Id of the cell.
    pub cell: CellId,
    /// What the cell is.
    pub place: Place,
    /// What became of it.
    pub outcome: Outcome,
    /// Its balanced error, in [0, 1]; there exactly where the outcome has a value.
    pub balanced_error: Option<f64>,
}

/// A baseline.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    /// What it was made from.
    pub head: Head,
    /// Its cells, in plan order.
    pub entries: Vec<Entry>,
}

impl Baseline {
    /// The baseline that these records make.
    ///
    /// # Errors
    /// The planned cells that have no record.
    pub fn new(head: Head, planned: &[Planned], records: &[Record]) -> Result<Self, Vec<CellId>> {
        let found: BTreeMap<&CellId, &Record> = records
            .iter()
            .map(|record| (&record.cell, record))
            .collect();
        let missing: Vec<CellId> = planned
            .iter()
            .filter(|planned| !found.contains_key(&planned.cell))
            .map(|planned| planned.cell.clone())
            .collect();
        if !missing.is_empty() {
            return Err(missing);
        }
        let entries = planned
            .iter()
            .filter_map(|planned| {
                let record = found.get(&planned.cell)?;
                let balanced_error = value_of(record);
                // An outcome that promises a value the record does not have is no value.
                let outcome = if record.outcome.has_value() && balanced_error.is_none() {
                    Outcome::Undefined
                } else {
                    record.outcome
                };
                Some(Entry {
                    cell: planned.cell.clone(),
                    place: planned.place.clone(),
                    outcome,
                    balanced_error,
                })
            })
            .collect();
        Ok(Self { head, entries })
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let head = &self.head;
        let mut text = format!(
            "{TITLE}\n# format = {FORMAT}\n# sweep = {}\n# sweep_hash = {}\n# version = {}\n\
             # seed = {}\n# cells = {}\n",
            head.sweep,
            head.sweep_hash,
            head.version,
            head.seed,
            self.entries.len()
        );
        for (id, hash) in &head.datasets {
            let _infallible = writeln!(text, "# dataset {id} = {hash}");
        }
        text.push_str(&COLUMNS.join(","));
        text.push('\n');
        for entry in &self.entries {
            let place = &entry.place;
            let value = entry
                .balanced_error
                .map_or_else(String::new, |value| value.to_string());
            let _infallible = writeln!(
                text,
                "{},{},{},{},{},{},{},{},{value}",
                entry.cell,
                quoted(&place.dataset),
                place.ratio,
                place.repeat,
                place.fold,
                quoted(&place.model),
                quoted(&place.correction),
                entry.outcome,
            );
        }
        text
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// Everything by which a damaged, truncated or newer file can be told, with its line.
    pub fn read(text: &str) -> Result<Self, BaselineError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.is_empty() {
            return Err(BaselineError::whole("the file is empty"));
        }
        if !text.ends_with('\n') {
            let last = text.lines().count();
            return Err(BaselineError::damaged(
                last,
                "the file is truncated: its last line has no end",
            ));
        }
        let mut lines = (1..).zip(text.lines()).peekable();
        if lines.next().is_none_or(|(_, line)| line != TITLE) {
            return Err(BaselineError::damaged(
                1,
                format!("not a baseline: the first line is not `{TITLE}`"),
            ));
        }
        let mut fields: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
        let mut datasets = BTreeMap::new();
        while let Some((number, line)) = lines.next_if(|(_, line)| line.starts_with('#')) {
            let (key, value) = line[1..].split_once(" = ").ok_or_else(|| {
                BaselineError::damaged(number, format!("`{line}` is not `# key = value`"))
            })?;
            let (key, value) = (key.trim(), value.trim());
            let twice = match key.strip_prefix("dataset ") {
                Some(id) => datasets.insert(id.to_owned(), value.to_owned()).is_some(),
                None => fields.insert(key, (number, value)).is_some(),
            };
            if twice {
                return Err(BaselineError::damaged(number, format!("`{key}` twice")));
            }
        }
        let text_of = |key: &str| {
            fields
                .get(key)
                .copied()
                .ok_or_else(|| BaselineError::whole(format!("the head has no `{key}`")))
        };
        let number_of = |key: &str| {
            let (line, value) = text_of(key)?;
            value.parse::<u64>().map_err(|_not_a_number| {
                BaselineError::damaged(line, format!("`{key}` is `{value}`, not a whole number"))
            })
        };
        // The format comes first: nothing else of a newer file has to make sense.
        let format = number_of("format")?;
        if format != FORMAT {
            return Err(BaselineError {
                line: text_of("format").ok().map(|(line, _)| line),
                message: format!(
                    "format {format} is not known to this version, which reads {FORMAT}"
                ),
                hint: "use the version that wrote it, or write it anew with this one".into(),
            });
        }
        let cells = number_of("cells")?;
        let head = Head {
            sweep: text_of("sweep")?.1.to_owned(),
            sweep_hash: text_of("sweep_hash")?.1.to_owned(),
            version: text_of("version")?.1.to_owned(),
            seed: number_of("seed")?,
            datasets,
        };
        let (number, header) = lines
            .next()
            .ok_or_else(|| BaselineError::whole("the file is truncated: it has a head only"))?;
        let columns = Columns::new(number, header)?;
        let mut entries: Vec<Entry> = Vec::new();
        let mut ids: BTreeMap<CellId, usize> = BTreeMap::new();
        let mut places: BTreeMap<Place, usize> = BTreeMap::new();
        for (number, line) in lines {
            let entry = columns.entry(number, line)?;
            let taken = ids
                .insert(entry.cell.clone(), number)
                .or_else(|| places.insert(entry.place.clone(), number));
            if let Some(first) = taken {
                return Err(BaselineError::damaged(
                    number,
                    format!(
                        "the cell of line {first} again: {} {}",
                        entry.cell, entry.place
                    ),
                ));
            }
            entries.push(entry);
        }
        if entries.len() as u64 != cells {
            return Err(BaselineError::whole(format!(
                "the head promises {cells} cells, the file has {}: it is truncated or was edited",
                entries.len()
            )));
        }
        Ok(Self { head, entries })
    }

    /// Whether this is a baseline of that sweep: the same hash and exactly its cells. Gives whether
    /// the seed, and with it every split, is the same too.
    ///
    /// # Errors
    /// Another sweep, naming the datasets whose values differ; missing and unknown cells.
    pub fn check(&self, sweep: &Head, planned: &[Planned]) -> Result<bool, BaselineError> {
        if self.head.sweep_hash != sweep.sweep_hash {
            return Err(self.other_sweep(sweep));
        }
        let known: BTreeMap<&Place, &CellId> = planned
            .iter()
            .map(|planned| (&planned.place, &planned.cell))
            .collect();
        let same = self.head.seed == sweep.seed;
        for entry in &self.entries {
            match known.get(&entry.place) {
                None => {
                    return Err(BaselineError::whole(format!(
                        "a cell that the sweep does not have: {} {}",
                        entry.cell, entry.place
                    )));
                }
                Some(cell) if same && **cell != entry.cell => {
                    return Err(BaselineError::whole(format!(
                        "unknown cell {}: {} is {cell} under this seed",
                        entry.cell, entry.place
                    )));
                }
                Some(_) => {}
            }
        }
        let had: BTreeSet<&Place> = self.entries.iter().map(|entry| &entry.place).collect();
        if let Some(absent) = planned.iter().find(|planned| !had.contains(&planned.place)) {
            return Err(BaselineError::whole(format!(
                "{} of the sweep's {} cells are missing, the first is {}",
                planned.len() - had.len(),
                planned.len(),
                absent.place
            )));
        }
        Ok(same)
    }

    fn other_sweep(&self, sweep: &Head) -> BaselineError {
        let mut differ: Vec<String> = Vec::new();
        for (id, hash) in &sweep.datasets {
            match self.head.datasets.get(id) {
                None => differ.push(format!("`{id}` is new")),
                Some(old) if old != hash => differ.push(format!("`{id}` has other values")),
                Some(_) => {}
            }
        }
        for id in self.head.datasets.keys() {
            if !sweep.datasets.contains_key(id) {
                differ.push(format!("`{id}` is gone"));
            }
        }
        let what = if differ.is_empty() {
            "its protocol, models or corrections differ".to_owned()
        } else {
            differ.join(", ")
        };
        let short = |hash: &str| hash.chars().take(12).collect::<String>();
        BaselineError {
            line: None,
            message: format!(
                "the baseline is of another sweep ({}, here {}): {what}",
                short(&self.head.sweep_hash),
                short(&sweep.sweep_hash)
            ),
            hint: "if the sweep was changed on purpose, delete the baseline and write a first one \
                   with `--update --reason`"
                .into(),
        }
    }
}

/// Where the columns stand.
struct Columns {
    at: [usize; COLUMNS.len()],
    width: usize,
}

impl Columns {
    fn new(line: usize, header: &str) -> Result<Self, BaselineError> {
        let names = split(header).ok_or_else(|| BaselineError::damaged(line, "a stray quote"))?;
        let mut at = [0; COLUMNS.len()];
        for (slot, column) in at.iter_mut().zip(COLUMNS) {
            *slot = names
                .iter()
                .position(|name| name == column)
                .ok_or_else(|| {
                    BaselineError::damaged(line, format!("there is no column `{column}`"))
                })?;
        }
        Ok(Self {
            at,
            width: names.len(),
        })
    }

    fn entry(&self, line: usize, text: &str) -> Result<Entry, BaselineError> {
        let bad = |message: String| BaselineError::damaged(line, message);
        let cells = split(text).ok_or_else(|| bad("a stray quote".into()))?;
        if cells.len() != self.width {
            return Err(bad(format!(
                "{} fields, the header has {}",
                cells.len(),
                self.width
            )));
        }
        let field = |column: usize| unshielded(cells.get(self.at[column]).map_or("", |c| c));
        let whole = |column: usize| {
            field(column).parse::<u64>().map_err(|_not_a_number| {
                bad(format!("`{}` is not a {}", field(column), COLUMNS[column]))
            })
        };
        let cell = field(0);
        if cell.len() != 16 || !cell.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(bad(format!("`{cell}` is not the id of a cell")));
        }
        for column in [1, 5, 6] {
            if field(column).is_empty() {
                return Err(bad(format!("the {} is empty", COLUMNS[column])));
            }
        }
        let ratio = field(2);
        if ratio != Place::NATURAL
            && !ratio
                .parse::<f64>()
                .is_ok_and(|ratio| ratio.is_finite() && ratio >= 1.0)
        {
            return Err(bad(format!("`{ratio}` is not a ratio")));
        }
        let outcome = Outcome::from_id(field(7))
            .ok_or_else(|| bad(format!("`{}` is not an outcome", field(7))))?;
        let balanced_error = match field(8) {
            "" => None,
            text => Some(
                text.parse::<f64>()
                    .ok()
                    // NaN is in no range.
                    .filter(|value| (0.0..=1.0).contains(value))
                    .ok_or_else(|| bad(format!("`{text}` is not a balanced error")))?,
            ),
        };
        if outcome.has_value() != balanced_error.is_some() {
            return Err(bad(format!(
                "outcome `{outcome}` {} a balanced error",
                if balanced_error.is_some() {
                    "with"
                } else {
                    "without"
                }
            )));
        }
        Ok(Entry {
            cell: CellId(cell.to_owned()),
            place: Place {
                dataset: field(1).to_owned(),
                ratio: ratio.to_owned(),
                repeat: whole(3)?,
                fold: whole(4)?,
                model: field(5).to_owned(),
                correction: field(6).to_owned(),
            },
            outcome,
            balanced_error,
        })
    }
}

/// A csv field; ids of grids hold commas.
fn quoted(field: &str) -> String {
    let field = shielded(field);
    if field.contains([',', '"']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.into_owned()
    }
}

/// The fields of one csv line; `None` for a stray or an open quote.
pub(crate) fn split(line: &str) -> Option<Vec<String>> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars().peekable();
    let mut inside = false;
    let mut closed = false;
    while let Some(c) = chars.next() {
        let field = fields.last_mut()?;
        match c {
            '"' if inside && chars.next_if_eq(&'"').is_some() => field.push('"'),
            '"' if inside => (inside, closed) = (false, true),
            '"' if field.is_empty() && !closed => inside = true,
            ',' if !inside => {
                fields.push(String::new());
                closed = false;
            }
            '"' => return None,
            _ if closed => return None,
            _ => field.push(c),
        }
    }
    (!inside).then_some(fields)
}
#[cfg(test)]
mod tests;
