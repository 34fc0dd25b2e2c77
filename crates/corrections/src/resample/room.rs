//! Bytes that resamplers take: the large parts. Constants are what was counted (tests/footprint.rs holds
//! them to the truth).

use counterweight_core::{Origin, Parameter as _, Params, TrainSize};

use super::strategy::Strategy;

/// The sizes of a resampling as numbers.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    /// Rows.
    pub(crate) n: f64,
    /// Columns.
    pub(crate) d: f64,
    /// Neighbours that lists hold.
    k: f64,
    /// Rows afterwards, where `strategy` says how many.
    after: f64,
    /// Rows of each class that grows.
    grown: Vec<f64>,
    /// Rows of the smallest class.
    pub(crate) smallest: f64,
}

impl Room {
    /// Of an over-sampler or an under-sampler. Where `strategy` is refused, of one that leaves the rows as they are.
    fn new<const DROPS: bool>(params: &Params, size: &TrainSize<'_>) -> Self {
        let targets = Strategy::<DROPS>::read(params, "strategy")
            .ok()
            .and_then(|strategy| strategy.targets(size.names, size.counts).ok())
            .unwrap_or_else(|| size.counts.as_slice().to_vec());
        let counts = size.counts.as_slice().iter();
        let grown = counts
            .clone()
            .zip(&targets)
            .filter(|(have, target)| have < target);
        Self {
            after: targets.iter().map(|&rows| rows as f64).sum(),
            grown: grown.map(|(&have, _)| have as f64).collect(),
            ..Self::of(params, size)
        }
    }

    /// Of a method whose result has as many rows at most.
    pub(crate) fn of(params: &Params, size: &TrainSize<'_>) -> Self {
        let n = size.counts.total() as f64;
        let k = params.get("k").map_or(5, |_| params.whole("k"));
        Self {
            n,
            d: size.columns as f64,
            k: k.max(5) as f64,
            after: n,
            grown: Vec::new(),
            smallest: size.counts.smallest_present() as f64,
        }
    }

    /// An over-sampler's.
    pub(crate) fn over(params: &Params, size: &TrainSize<'_>) -> Self {
        Self::new::<false>(params, size)
    }

    /// An under-sampler's.
    pub(crate) fn under(params: &Params, size: &TrainSize<'_>) -> Self {
        Self::new::<true>(params, size)
    }

    /// Rows with their labels and origins.
    pub(crate) fn rows(&self, rows: f64) -> f64 {
        rows * (8.0 * self.d + (size_of::<u32>() + size_of::<Origin>()) as f64)
    }

    /// The result.
    pub(crate) fn result(&self) -> f64 {
        self.rows(self.after)
    }

    /// The search for the neighbours of so many rows among all.
    pub(crate) fn search_of(&self, queries: f64) -> f64 {
        14.0 * self.n * self.d + 32.0 * queries * self.k + 3e5
    }

    /// The search for the neighbours of all rows.
    pub(crate) fn search(&self) -> f64 {
        self.search_of(self.n)
    }

    /// A shared graph and its lists of so many rows.
    fn graph(&self, listed: f64) -> f64 {
        self.n * (8.0 * self.d + 24.0) + 32.0 * listed * self.k
    }

    /// The shared graphs of the classes that grow.
    pub(crate) fn graphs(&self) -> f64 {
        self.grown.iter().map(|&rows| self.graph(rows)).sum::<f64>() + 3e5
    }

    /// What interpolation within classes takes.
    pub(crate) fn smote(&self) -> f64 {
        self.result() + self.graphs()
    }

    /// The same where each row's neighbours of any class are known too.
    pub(crate) fn smote_among_all(&self) -> f64 {
        self.smote() + self.graph(0.0)
    }

    /// The same with a search among the rows that came of it.
    pub(crate) fn smote_and_search(&self) -> f64 {
        let grown = Self {
            n: self.after,
            ..self.clone()
        };
        self.smote() + 0.8 * grown.search()
    }

    /// What clustering of all rows takes.
    pub(crate) fn clusters(&self) -> f64 {
        self.n * (24.0 * self.d + 300.0)
    }

    /// Rows of the largest class that grows.
    pub(crate) fn largest_grown(&self) -> f64 {
        self.grown.iter().copied().fold(0.0, f64::max)
    }
}
