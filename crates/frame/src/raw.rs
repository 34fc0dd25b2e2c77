//! Columns as a file holds them, before it is decided what is a number and what is a name.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use counterweight_core::{Dates, ReadOptions};

use crate::dates::{Date, date, in_one_order};
use crate::error::{FrameError, Place};
pub(crate) use crate::texts::Texts;

/// 2^53: beyond it a real no longer tells neighbouring whole numbers apart.
pub(crate) const EXACT: u128 = 1 << 53;

/// Spellings of a missing value that programs write among numbers. Those of NaN and infinity are not
/// among them: they are values that went wrong.
const MISSING_NUMBERS: [&str; 13] = [
    "NA", "N/A", "n/a", "NULL", "null", "None", "none", "#N/A", "<NA>", "?", "-", ".", "*",
];

/// Whether a cell among numbers stands for a missing one: a known spelling, or blanks alone.
pub(crate) fn is_missing_number(text: &str) -> bool {
    let bare = text.trim_matches([' ', '\t', '\u{a0}']);
    bare.is_empty() || MISSING_NUMBERS.contains(&bare)
}

/// The values of a column as the file holds them.
#[derive(Clone, Debug)]
pub(crate) enum RawValues {
    /// Text that may turn out to be numbers (CSV).
    Untyped(Texts),
    /// Text that the file itself declares to be text (Parquet).
    Names(Texts),
    /// Numbers; NaN stands for missing.
    Numbers(Vec<f64>),
    /// Whole numbers, some of them beyond what a real tells apart (Parquet): as labels they are names.
    Wholes(Vec<Option<i128>>),
}

/// A named column of a file.
#[derive(Clone, Debug)]
pub(crate) struct RawColumn {
    pub(crate) name: String,
    pub(crate) values: RawValues,
    /// What the caller says that it is.
    pub(crate) declared: Option<Kind>,
    /// Spellings of missing among its numbers, with the rows of each.
    pub(crate) spelt: Vec<(String, usize)>,
}

/// The columns of a file, the ignored ones left out.
#[derive(Clone, Debug)]
pub(crate) struct RawTable {
    pub(crate) path: PathBuf,
    pub(crate) columns: Vec<RawColumn>,
    pub(crate) n_rows: usize,
    /// Whether a comma is the decimal point of its texts.
    pub(crate) comma: bool,
    /// What becomes of columns of dates.
    pub(crate) dates: Dates,
    /// What was read otherwise than it stands in the file.
    pub(crate) remarks: Vec<String>,
    /// Turns a recorded place into a line or a row.
    pub(crate) place: fn(u64) -> Place,
}

/// What a column turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Every value is missing: numbers or names alike.
    Unknown,
    /// Numbers.
    Numeric,
    /// Names.
    Nominal,
    /// Dates, which are left out.
    Dates,
}

impl Kind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Unknown => "without values",
            Self::Numeric => "numeric",
            Self::Nominal => "nominal",
            Self::Dates => "dates",
        }
    }
}

/// What a column turned out to be, and what was learnt on the way.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub(crate) kind: Kind,
    /// The number of each text of a numeric column of texts; NaN for those that stand for missing.
    pub(crate) reals: Vec<f64>,
    /// Spellings in a numeric column that were taken for missing, with the rows of each.
    pub(crate) missing: Vec<(String, usize)>,
}

impl Judged {
    fn of(kind: Kind) -> Self {
        Self {
            kind,
            reals: Vec::new(),
            missing: Vec::new(),
        }
    }
}

/// A cell read as a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Finite(f64),
    /// NaN, an infinity or an overflow, in any usual spelling.
    NotFinite,
    /// A name.
    None,
}

/// Reads a cell as a number. Blanks around a number are part of many files and of no number; the
/// text of a name is never changed.
pub(crate) fn number(text: &str) -> Number {
    let bare = text.trim_matches([' ', '\t']);
    match bare.parse::<f64>() {
        Ok(value) if value.is_finite() => Number::Finite(value),
        Ok(_) => Number::NotFinite,
        Err(_) => {
            // How C runtimes and spreadsheets print what is no number.
            let lower = bare.trim_start_matches(['+', '-']).to_ascii_lowercase();
            let odd = ["1.#", "#num!", "#div/0!", "#nan", "∞"];
            if odd.iter().any(|prefix| lower.starts_with(prefix)) || lower == "nan(ind)" {
                Number::NotFinite
            } else {
                Number::None
            }
        }
    }
}

/// Reads a cell as a number, with a comma before the decimals where `comma` says so.
pub(crate) fn number_with(text: &str, comma: bool) -> Number {
    if !comma {
        return number(text);
    }
    match (text.contains(','), text.contains('.')) {
        (true, false) => number(&text.replacen(',', ".", 1)),
        // A point beside decimal commas would be one of thousands, or a slip.
        (_, true) => Number::None,
        (false, false) => number(text),
    }
}

/// Refuses a dense table that would be many times larger than the text that says it: 8 cells a byte, beside 2 million,
/// where a column takes as much as 32 cells more.
pub(crate) fn check_cells(
    path: &Path,
    rows: usize,
    columns: usize,
    bytes: usize,
) -> Result<(), FrameError> {
    let most = bytes.saturating_mul(8).saturating_add(2_000_000);
    if rows.saturating_add(32).saturating_mul(columns) <= most {
        return Ok(());
    }
    Err(FrameError::TooWide {
        path: path.to_owned(),
        rows,
        columns,
        most,
    })
}

/// Numbers that are there, with NaN for those that are missing or listed as such.
///
/// # Errors
/// [`FrameError::NotFinite`] for another NaN or an infinity.
pub(crate) fn finite(
    path: &Path,
    name: &str,
    values: impl Iterator<Item = Option<f64>>,
    options: &ReadOptions,
) -> Result<Vec<f64>, FrameError> {
    let listed = options.missing.iter();
    let listed: Vec<f64> = listed.filter_map(|word| word.trim().parse().ok()).collect();
    let same = |a: f64, b: f64| a.total_cmp(&b).is_eq() || (a.is_nan() && b.is_nan());
    (0..)
        .zip(values)
        .map(|(row, value)| match value {
            None => Ok(f64::NAN),
            Some(value) if listed.iter().any(|&word| same(word, value)) => Ok(f64::NAN),
            Some(value) if value.is_finite() => Ok(value),
            Some(value) => Err(FrameError::NotFinite {
                path: path.to_owned(),
                place: Place::Row(row),
                column: name.to_owned(),
                found: value.to_string(),
            }),
        })
        .collect()
}

/// Whole numbers: as reals where a real tells them all apart.
pub(crate) fn wholes(
    path: &Path,
    name: &str,
    values: Vec<Option<i128>>,
    options: &ReadOptions,
) -> Result<RawValues, FrameError> {
    let small = |value: &i128| value.unsigned_abs() <= EXACT;
    if values.iter().flatten().all(small) {
        let reals = values.iter().map(|value| value.map(|value| value as f64));
        return finite(path, name, reals, options).map(RawValues::Numbers);
    }
    let listed = options.missing.iter();
    let listed: Vec<i128> = listed.filter_map(|word| word.trim().parse().ok()).collect();
    let kept = |value: &i128| !listed.contains(value);
    let values = values.into_iter().map(|value| value.filter(kept));
    Ok(RawValues::Wholes(values.collect()))
}

impl RawTable {
    /// A table without columns.
    pub(crate) fn of(path: &Path, options: &ReadOptions, place: fn(u64) -> Place) -> Self {
        Self {
            path: path.to_owned(),
            columns: Vec::new(),
            n_rows: 0,
            comma: options.comma,
            dates: options.date,
            remarks: Vec::new(),
            place,
        }
    }

    /// The days of each text of column `at`, if all are dates or missing; NaN for what is missing. `None` where dates
    /// are names.
    pub(crate) fn days(&self, at: usize) -> Option<Vec<f64>> {
        let column = &self.columns[at];
        let (RawValues::Untyped(texts) | RawValues::Names(texts)) = &column.values else {
            return None;
        };
        if self.dates == Dates::Names || column.declared.is_some() {
            return None;
        }
        let day = |text| match date(text) {
            None if !is_missing_number(text) => None,
            date => Some(date),
        };
        let dates: Vec<Option<Date>> = texts.texts().map(day).collect::<Option<_>>()?;
        let days = in_one_order(&dates, self.dates == Dates::Drop);
        days.filter(|days| days.iter().any(|day| !day.is_nan()))
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The place of each column.
    pub(crate) fn places(&self) -> HashMap<&str, usize> {
        let names = self.columns.iter().map(|column| column.name.as_str());
        names.zip(0..).collect()
    }

    pub(crate) fn place_of(&self, texts: &Texts, code: usize) -> Place {
        (self.place)(texts.first.get(code).copied().unwrap_or_default())
    }

    /// A text as a number, with the table's decimal point.
    pub(crate) fn number(&self, text: &str) -> Number {
        number_with(text, self.comma)
    }

    /// Refuses a column of which at least half of the cells are dates, where dates are asked for and not all of them
    /// can be read.
    fn refuse_half_dates(&self, at: usize) -> Result<(), FrameError> {
        let column = &self.columns[at];
        let (RawValues::Untyped(texts) | RawValues::Names(texts)) = &column.values else {
            return Ok(());
        };
        if self.dates == Dates::Names || column.declared.is_some() {
            return Ok(());
        }
        let (mut dates, mut cells, mut other, mut unread) = (0, 0, None, None);
        for ((code, text), count) in texts.texts().enumerate().zip(texts.counts()) {
            cells += count;
            match date(text) {
                Some(date) => {
                    dates += count;
                    if !matches!(date, Date::Days(_)) {
                        unread.get_or_insert((code, text, date == Date::Short));
                    }
                }
                None if is_missing_number(text) => {}
                None => {
                    other.get_or_insert((code, text));
                }
            }
        }
        if let (None, Some((code, found, short))) = (other, unread) {
            return Err(FrameError::UnreadDate {
                path: self.path.clone(),
                place: self.place_of(texts, code),
                column: column.name.clone(),
                found: found.to_owned(),
                short,
            });
        }
        match other {
            Some((code, found)) if dates > 0 && 2 * dates >= cells => Err(FrameError::Mixed {
                path: self.path.clone(),
                place: self.place_of(texts, code),
                column: column.name.clone(),
                found: found.to_owned(),
                date: true,
                numbers: dates,
                cells,
                decimal: false,
            }),
            _ => Ok(()),
        }
    }

    /// What column `at` is: numeric when every cell is a finite number, missing, or a known spelling of
    /// missing; else names.
    ///
    /// # Errors
    /// [`FrameError::NotFinite`] for a spelling of NaN or infinity among numbers; [`FrameError::Mixed`] for a text
    /// among numbers where at least half of the cells are numbers, or all are declared to be.
    pub(crate) fn judge(&self, at: usize) -> Result<Judged, FrameError> {
        let column = &self.columns[at];
        if let Some(reals) = self.days(at) {
            let kind = match self.dates {
                Dates::Drop => Kind::Dates,
                Dates::Names | Dates::Number => Kind::Numeric,
            };
            return Ok(Judged {
                reals,
                ..Judged::of(kind)
            });
        }
        self.refuse_half_dates(at)?;
        let texts = match &column.values {
            RawValues::Numbers(_) | RawValues::Wholes(_) => {
                return Ok(Judged {
                    missing: column.spelt.clone(),
                    ..Judged::of(column.declared.unwrap_or(Kind::Numeric))
                });
            }
            RawValues::Names(texts) | RawValues::Untyped(texts) if texts.len() == 0 => {
                return Ok(Judged::of(Kind::Unknown));
            }
            RawValues::Names(_) if column.declared != Some(Kind::Numeric) => {
                return Ok(Judged::of(Kind::Nominal));
            }
            RawValues::Untyped(_) if column.declared == Some(Kind::Nominal) => {
                return Ok(Judged::of(Kind::Nominal));
            }
            RawValues::Untyped(texts) | RawValues::Names(texts) => texts,
        };
        let (mut numbers, mut cells) = (0, 0);
        let (mut not_finite, mut name) = (None, None);
        let mut reals = vec![f64::NAN; texts.len()];
        let mut spelt: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for ((code, text), count) in texts.texts().enumerate().zip(texts.counts()) {
            cells += count;
            match self.number(text) {
                Number::Finite(value) => {
                    numbers += count;
                    reals[code] = value;
                }
                Number::NotFinite => {
                    not_finite.get_or_insert((code, text));
                }
                Number::None if is_missing_number(text) => {
                    spelt.entry(text).or_insert((code, 0)).1 += count;
                }
                Number::None => {
                    name.get_or_insert((code, text));
                }
            }
        }
        let at = |code| {
            (
                self.path.clone(),
                self.place_of(texts, code),
                column.name.clone(),
            )
        };
        let declared = column.declared == Some(Kind::Numeric);
        // With decimal commas `1.234` may mean a thousand or one: it is asked for, however few numbers are beside it.
        let pointed = |text: &str| self.comma && matches!(number(text), Number::Finite(_));
        let pointed = texts
            .texts()
            .enumerate()
            .find(|(_, text)| pointed(text) && text.contains('.'));
        match (pointed.or(name), not_finite) {
            (Some((code, found)), _) if declared || pointed.is_some() || 2 * numbers >= cells => {
                let (path, place, column) = at(code);
                Err(FrameError::Mixed {
                    path,
                    place,
                    column,
                    found: found.to_owned(),
                    date: false,
                    numbers,
                    cells,
                    decimal: !self.comma && number(&found.replacen(',', ".", 1)) != Number::None,
                })
            }
            (Some(_), _) => Ok(Judged::of(Kind::Nominal)),
            (None, Some((code, found))) => {
                let (path, place, column) = at(code);
                Err(FrameError::NotFinite {
                    path,
                    place,
                    column,
                    found: found.to_owned(),
                })
            }
            // Spellings of missing alone are names: nothing says that numbers were meant.
            (None, None) if !spelt.is_empty() && numbers == 0 && !declared => {
                Ok(Judged::of(Kind::Nominal))
            }
            (None, None) => {
                let mut taken: Vec<_> = spelt.into_iter().collect();
                taken.sort_by_key(|(_, (code, _))| *code);
                let owned = taken.into_iter();
                Ok(Judged {
                    kind: Kind::Numeric,
                    reals,
                    missing: owned
                        .map(|(text, (_, rows))| (text.to_owned(), rows))
                        .collect(),
                })
            }
        }
    }

    /// The whole number of each row of column `at`, where some lie beyond what a real tells apart.
    pub(crate) fn large_wholes(&self, at: usize) -> Option<Vec<Option<i128>>> {
        let of = |text: &str| text.trim_matches([' ', '\t']).parse::<i128>().ok();
        let wholes: Vec<Option<i128>> = match &self.columns[at].values {
            RawValues::Wholes(values) => values.clone(),
            // Most columns are told by their first text.
            RawValues::Untyped(texts) | RawValues::Names(texts)
                if texts.texts().next().is_some_and(|text| of(text).is_some()) =>
            {
                texts.rows().map(|text| of(text?)).collect()
            }
            _ => return None,
        };
        let large = |whole: &i128| whole.unsigned_abs() > EXACT;
        wholes.iter().flatten().any(large).then_some(wholes)
    }

    /// The first value of column `at` that is no number, with its place.
    pub(crate) fn first_name(&self, at: usize) -> Option<(Place, &str)> {
        let (RawValues::Untyped(texts) | RawValues::Names(texts)) = &self.columns[at].values else {
            return None;
        };
        let code = texts
            .texts()
            .position(|text| self.number(text) == Number::None)?;
        Some((self.place_of(texts, code), texts.text(code)))
    }

    /// The numbers of column `at` as names: those of whole numbers have no point.
    pub(crate) fn number_names(&self, at: usize) -> Texts {
        let mut texts = Texts::default();
        let mut row = 0;
        let mut push = |text: Option<String>| {
            texts.push(text.as_deref(), row);
            row += 1;
        };
        match &self.columns[at].values {
            RawValues::Numbers(values) => {
                let name = |v: &f64| (!v.is_nan()).then(|| (v + 0.0).to_string());
                for v in values {
                    push(name(v));
                }
            }
            RawValues::Wholes(values) => {
                for v in values {
                    push(v.map(|v| v.to_string()));
                }
            }
            RawValues::Untyped(_) | RawValues::Names(_) => {}
        }
        texts
    }

    /// Takes the numbers of column `at`, which has been found to be numeric or without values; `reals` are those of its texts.
    pub(crate) fn numbers(&mut self, at: usize, reals: &[f64]) -> Vec<f64> {
        match &mut self.columns[at].values {
            RawValues::Numbers(values) => std::mem::take(values),
            RawValues::Wholes(values) => {
                let real = |value: &Option<i128>| value.map_or(f64::NAN, |value| value as f64);
                values.iter().map(real).collect()
            }
            RawValues::Untyped(texts) | RawValues::Names(texts) => {
                let real = |&code: &u32| reals.get(code as usize).copied().unwrap_or(f64::NAN);
                texts.codes.iter().map(real).collect()
            }
        }
    }
}
