//! The distinct texts of a column.

use std::collections::HashMap;

use counterweight_core::MISSING;

/// Distinct texts of a column, each with the place where it was first seen.
///
/// Tests and conversions then run once a text instead of once a row, and an error about a value
/// knows its first line for free. Where most texts of the first rows are their own, as those of
/// measurements are, looking for equal ones costs more than it saves: from then on each row has a text of its own,
/// and equal ones are found where names are sorted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    /// For each row the number of its text, or `MISSING`.
    pub(crate) codes: Vec<u32>,
    /// The texts one after another, in the order in which they came, and where each ends.
    joined: String,
    ends: Vec<usize>,
    pub(crate) first: Vec<u64>,
    pub(crate) first_missing: Option<u64>,
    /// Only ever asked for a key, so that its order never shows.
    index: HashMap<Box<str>, u32>,
    /// Whether equal texts are looked for no longer.
    plain: bool,
}

/// Rows after which it is decided whether equal texts are worth looking for.
const LOOKED_AT: usize = 2048;

impl Texts {
    /// Makes room for so many rows, of which those that are here are a sample.
    pub(crate) fn expect(&mut self, rows: usize) {
        let seen = self.codes.len().max(1);
        let more = rows.saturating_sub(self.codes.len());
        self.codes.reserve(more);
        if self.plain {
            self.joined.reserve(self.joined.len() / seen * more);
            self.ends.reserve(more);
            self.first.reserve(more);
        }
    }

    /// Adds a row that stands at `place`.
    pub(crate) fn push(&mut self, text: Option<&str>, place: u64) {
        let Some(text) = text else {
            self.first_missing.get_or_insert(place);
            self.codes.push(MISSING);
            return;
        };
        if !self.plain
            && let Some(&code) = self.index.get(text)
        {
            self.codes.push(code);
            return;
        }
        let code = u32::try_from(self.ends.len()).expect("a row each, and fewer than 2^32");
        self.joined.push_str(text);
        self.ends.push(self.joined.len());
        self.first.push(place);
        self.codes.push(code);
        if !self.plain {
            self.index.insert(text.into(), code);
            if self.codes.len() >= LOOKED_AT && 2 * self.ends.len() > self.codes.len() {
                self.plain = true;
                self.index = HashMap::new();
            }
        }
    }

    /// Whether most texts are their own.
    pub(crate) fn is_plain(&self) -> bool {
        self.plain
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn text(&self, code: usize) -> &str {
        let start = code.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.joined[start..self.ends[code]]
    }

    /// The texts, in the order in which they came.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|code| self.text(code))
    }

    /// The text of each row.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Option<&str>> {
        self.codes
            .iter()
            .map(|&code| (code != MISSING).then(|| self.text(code as usize)))
    }

    /// Rows of each text.
    pub(crate) fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.len()];
        for &code in self.codes.iter().filter(|&&code| code != MISSING) {
            counts[code as usize] += 1;
        }
        counts
    }

    pub(crate) fn missing(&self) -> u64 {
        self.codes.iter().filter(|&&code| code == MISSING).count() as u64
    }

    /// Levels sorted by bytes, with the codes that go with them.
    pub(crate) fn sorted(&self) -> (Vec<u32>, Vec<String>) {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_unstable_by(|&a, &b| self.text(a).cmp(self.text(b)));
        let mut levels: Vec<String> = Vec::new();
        let mut rank = vec![0_u32; order.len()];
        for code in order {
            let text = self.text(code);
            if levels.last().is_none_or(|last| last != text) {
                levels.push(text.to_owned());
            }
            rank[code] = u32::try_from(levels.len() - 1).expect("fewer levels than 2^32 rows");
        }
        let codes = self
            .codes
            .iter()
            .map(|&code| rank.get(code as usize).copied().unwrap_or(MISSING))
            .collect();
        (codes, levels)
    }
}
