//! Bytes that own learners take: the large parts, in numbers of eight bytes a piece where nothing else is said.
//! Constants are what was counted (tests/footprint.rs holds them to the truth).

use counterweight_core::{Footprint, Params, Workload};

use super::trees::forest::optional;

/// The sizes of a task as numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Training rows.
    pub(crate) n: f64,
    /// Rows to be scored.
    pub(crate) q: f64,
    /// Features.
    pub(crate) d: f64,
    /// Classes.
    pub(crate) k: f64,
    /// Score vectors: two classes share one.
    pub(crate) vectors: f64,
}

impl Size {
    pub(crate) fn of(work: &Workload) -> Self {
        let k = work.n_classes as f64;
        Self {
            n: work.n_train as f64,
            q: work.n_score as f64,
            d: work.n_features as f64,
            k,
            vectors: if work.n_classes > 2 { k } else { 1.0 },
        }
    }

    /// The training rows once more.
    pub(crate) fn rows(&self) -> f64 {
        8.0 * self.n * self.d
    }

    /// Scores as they are computed and as they are handed out.
    pub(crate) fn scores(&self) -> f64 {
        16.0 * self.q * self.k
    }

    /// A model, and what fitting it and scoring by it take at most.
    pub(crate) fn footprint(&self, model: f64, fit: f64) -> Footprint {
        Footprint {
            model,
            work: fit.max(self.scores()),
        }
    }

    /// A class tree that parts rows that no feature parts well, so many leaves a row.
    pub(crate) fn tree(&self, params: &Params, leaves: f64) -> f64 {
        let least = params
            .get("min_leaf")
            .map_or(1.0, |_| params.real("min_leaf"));
        let deepest =
            optional(params, "max_depth").map_or(f64::INFINITY, |depth| 2_f64.powf(depth as f64));
        let leaves = (leaves * self.n / least.max(1.0)).min(deepest);
        leaves * (48.0 + 8.0 * self.k)
    }

    /// A forest with so many leaves a row and tree.
    pub(crate) fn forest(&self, params: &Params, leaves: f64) -> Footprint {
        let model = params.whole("trees") as f64 * self.tree(params, leaves);
        let judged = 8.0 * self.k * f64::from(u8::from(params.flag("oob")));
        self.footprint(
            model,
            self.n * (55.0 + 2.0 * self.d + 2.5 * self.k + judged),
        )
    }
}
