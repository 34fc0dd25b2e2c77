//! Content hashes: what decides a result, hashed field by field with lengths and tags, so that no
//! two different contents share a byte stream.

use sha2::{Digest as _, Sha256};

use crate::params::{ParamValue, Params};

/// A 256-bit content hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// The 32 bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// All 64 hexadecimal digits.
    pub fn hex(&self) -> String {
        digits(&self.0)
    }

    /// The first 16 hexadecimal digits: the form of cell ids (64 bits; a clash among a million
    /// cells has a chance of 3e-8 and is caught when segments are joined).
    pub fn short(&self) -> String {
        digits(&self.0[..8])
    }
}

fn digits(bytes: &[u8]) -> String {
    let digit = |four: u8| char::from_digit(four.into(), 16).unwrap_or_default();
    let pair = |byte: &u8| [digit(byte >> 4), digit(byte & 15)];
    bytes.iter().flat_map(pair).collect()
}

impl std::fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ContentHash({})", self.short())
    }
}

/// Hashes a sequence of tagged fields.
#[derive(Clone, Debug, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Starts a hash of one kind of thing; `domain` keeps kinds apart.
    #[must_use]
    pub fn new(domain: &str) -> Self {
        Self::default().text(domain)
    }

    /// Adds bytes, prefixed by their length.
    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// Adds text.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    /// Adds a whole number.
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        self.0.update(b"u");
        self.0.update(number.to_le_bytes());
        self
    }

    /// Adds a real number by its bits (every NaN counts as one missing value, -0 as 0).
    #[must_use]
    pub fn real(mut self, real: f64) -> Self {
        self.0.update(b"r");
        self.0.update(canonical_bits(real).to_le_bytes());
        self
    }

    /// Adds a slice of real numbers.
    #[must_use]
    pub fn reals(mut self, reals: &[f64]) -> Self {
        self.0.update((reals.len() as u64).to_le_bytes());
        for &real in reals {
            self.0.update(canonical_bits(real).to_le_bytes());
        }
        self
    }

    /// Adds the value of a parameter, by its type and content.
    #[must_use]
    pub fn value(self, value: &ParamValue) -> Self {
        match value {
            ParamValue::Real(value) => self.text("real").real(*value),
            ParamValue::Whole(value) => self.text("whole").number(value.cast_unsigned()),
            ParamValue::Text(text) => self.text("text").text(text),
            ParamValue::Flag(flag) => self.text("flag").number(u64::from(*flag)),
            ParamValue::List(items) => {
                let start = self.text("list").number(items.len() as u64);
                items.iter().fold(start, Self::value)
            }
            ParamValue::Table(fields) => {
                let start = self.text("table").number(fields.len() as u64);
                let field =
                    |hash: Self, (key, value): (&String, &ParamValue)| hash.text(key).value(value);
                fields.iter().fold(start, field)
            }
        }
    }

    /// Adds a method: its id and its checked parameters.
    #[must_use]
    pub fn method(self, id: &str, params: &Params) -> Self {
        let start = self.text(id).number(params.iter().count() as u64);
        params
            .iter()
            .fold(start, |hash, (key, value)| hash.text(key).value(value))
    }

    /// Adds another hash.
    #[must_use]
    pub fn hash(self, hash: &ContentHash) -> Self {
        self.bytes(hash.bytes())
    }

    /// The hash of everything added.
    pub fn finish(self) -> ContentHash {
        ContentHash(self.0.finalize().into())
    }
}

fn canonical_bits(real: f64) -> u64 {
    if real.is_nan() {
        f64::NAN.to_bits()
    } else if real == 0.0 {
        0
    } else {
        real.to_bits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_into_each_other() {
        let a = Hasher::new("t").text("ab").text("c").finish();
        let b = Hasher::new("t").text("a").text("bc").finish();
        assert_ne!(a, b);
        assert_eq!(a.short().len(), 16);
        let value = |value: ParamValue| Hasher::new("t").value(&value).finish();
        let two = |a: &str, b: &str| [a, b].map(|t| ParamValue::Text(t.into())).to_vec();
        assert_ne!(value(ParamValue::Whole(1)), value(ParamValue::Real(1.0)));
        assert_ne!(
            value(ParamValue::List(two("ab", "c"))),
            value(ParamValue::List(two("a", "bc")))
        );
        assert_eq!(
            Hasher::new("t").real(-0.0).finish(),
            Hasher::new("t").real(0.0).finish()
        );
    }
}
