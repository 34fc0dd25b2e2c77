//! Keyed random streams.
//!
//! Every random stage draws from a stream of its own, keyed by the sweep's seed, the stage's name
//! and only what the stage may depend on. Adding a method therefore moves no other number, and
//! results do not depend on the order in which stages run.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::hash::Hasher;

/// The generator behind every random stage: `ChaCha8`, whose output is specified, so that a stream is
/// the same on every platform.
pub type Stream = ChaCha8Rng;

/// The seed of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seed(pub u64);

impl Seed {
    /// Starts the key of the stage's stream.
    #[must_use]
    pub fn stage(self, name: &str) -> StreamKey {
        StreamKey(
            Hasher::new("counterweight stream 1")
                .number(self.0)
                .text(name),
        )
    }
}

/// The key of a stream under construction: add what the stage may depend on, then [`open`] it.
///
/// [`open`]: StreamKey::open
#[derive(Clone, Debug)]
pub struct StreamKey(Hasher);

impl StreamKey {
    /// The stage may depend on this text (an id, a canonical parameter list).
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        Self(self.0.text(text))
    }

    /// The stage may depend on this number (a repeat, a fold, a class).
    #[must_use]
    pub fn number(self, number: usize) -> Self {
        Self(self.0.number(number as u64))
    }

    /// The stream, at its beginning.
    pub fn open(&self) -> Stream {
        Stream::from_seed(*self.0.clone().finish().bytes())
    }

    /// The first eight bytes of the key: what `explain` prints, and the seed that is handed to a
    /// foreign learner, which takes 64 bits.
    pub fn short_seed(&self) -> u64 {
        let hash = self.0.clone().finish();
        hash.bytes()[..8]
            .iter()
            .fold(0, |acc, &byte| (acc << 8) | u64::from(byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt as _;

    #[test]
    fn streams_depend_on_their_key_and_nothing_else() {
        let key = Seed(7).stage("smote").text("yeast").number(3);
        let a: [u64; 4] = key.open().random();
        let b: [u64; 4] = key.open().random();
        assert_eq!(a, b);
        let c: [u64; 4] = Seed(7)
            .stage("smote")
            .text("yeast")
            .number(4)
            .open()
            .random();
        assert_ne!(a, c);
        let d: [u64; 4] = Seed(8)
            .stage("smote")
            .text("yeast")
            .number(3)
            .open()
            .random();
        assert_ne!(a, d);
    }
}
