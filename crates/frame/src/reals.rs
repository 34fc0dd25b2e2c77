//! A column of text that is numbers so far: once most of its texts are their own, as those of measurements are, numbers alone
//! are kept, which take 8 bytes a cell and no text.

use crate::raw::{EXACT, Number, is_missing_number, number_with};
use crate::texts::Texts;

/// A column while it is read.
#[derive(Debug)]
pub(crate) struct Growing {
    pub(crate) texts: Texts,
    /// Numbers of all rows, in place of the texts.
    pub(crate) reals: Option<Reals>,
    /// Whether it may become numbers.
    hopeful: bool,
}

/// Numbers, NaN for what is missing, and spellings of missing with their rows in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reals {
    pub(crate) values: Vec<f64>,
    pub(crate) spelt: Vec<(String, usize)>,
}

/// A text that is no number in a column that was taken for numbers: it has to be read again, as texts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoNumber;

impl Reals {
    fn push(&mut self, text: Option<&str>, comma: bool) -> Result<(), NoNumber> {
        let Some(text) = text else {
            self.values.push(f64::NAN);
            return Ok(());
        };
        match number_with(text, comma) {
            // Larger whole numbers are told apart by their texts alone.
            Number::Finite(value) if value.abs() < EXACT as f64 => self.values.push(value),
            Number::None if is_missing_number(text) => {
                match self.spelt.iter_mut().find(|(known, _)| known == text) {
                    Some((_, rows)) => *rows += 1,
                    None => self.spelt.push((text.to_owned(), 1)),
                }
                self.values.push(f64::NAN);
            }
            _ => return Err(NoNumber),
        }
        Ok(())
    }
}

impl Growing {
    /// A column without rows; `hopeful` where nothing but its numbers matters, should it have any.
    pub(crate) fn new(hopeful: bool) -> Self {
        Self {
            texts: Texts::default(),
            reals: None,
            hopeful,
        }
    }

    /// Makes room for so many rows, of which those that are here are a sample.
    pub(crate) fn expect(&mut self, rows: usize) {
        match &mut self.reals {
            Some(reals) => reals
                .values
                .reserve(rows.saturating_sub(reals.values.len())),
            None => self.texts.expect(rows),
        }
    }

    /// Adds a row that stands at `place`.
    pub(crate) fn push(
        &mut self,
        text: Option<&str>,
        place: u64,
        comma: bool,
    ) -> Result<(), NoNumber> {
        if let Some(reals) = &mut self.reals {
            return reals.push(text, comma);
        }
        self.texts.push(text, place);
        if self.hopeful && self.texts.is_plain() {
            self.hopeful = false;
            let mut reals = Reals::default();
            if self
                .texts
                .rows()
                .try_for_each(|text| reals.push(text, comma))
                .is_ok()
            {
                self.texts = Texts::default();
                self.reals = Some(reals);
            }
        }
        Ok(())
    }
}
