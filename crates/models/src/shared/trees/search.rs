//! The search for the best cut of one node, over all features that are tried.

/// Gains that differ by less than this share of the scores they are made of are a tie, which goes to
/// the first feature and cut. Without it the last bit of a sum, and so the order of the rows, would
/// choose between features that part the rows alike.
pub(crate) const TIE: f64 = 1e-10;

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limits {
    /// Most leaves; the leaf with the largest gain is split first. `None`: as many as there are.
    pub(crate) max_leaves: Option<usize>,
    /// Most splits between the root and a leaf.
    pub(crate) max_depth: Option<usize>,
    /// Least weighted rows of a leaf.
    pub(crate) min_mass: f64,
    /// What the gain of a split has to exceed; `None` takes splits that gain nothing too (the first
    /// split of an exclusive or gains nothing).
    pub(crate) min_gain: Option<f64>,
}

/// A cut of a feature's cells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    pub(crate) gain: f64,
    pub(crate) feature: usize,
    /// Cells up to this one lie on the left. It may be an empty one.
    pub(crate) code: u8,
    /// The codes on the left, where they are not those up to `code`.
    pub(crate) set: Option<[u64; 4]>,
}

/// The node whose cuts are compared, and the best of them so far.
#[derive(Debug)]
pub(crate) struct Search {
    /// The cell of the whole node.
    pub(crate) total: Vec<f64>,
    /// Its score as a leaf.
    pub(crate) score: f64,
    /// Least weight, or Hessian, of either side: above 0, since an empty side is none.
    pub(crate) least: f64,
    /// What the score of the two sides has to exceed.
    pub(crate) need: f64,
    pub(crate) best: Option<Cut>,
    /// The cell left of the cut, in a sweep.
    pub(crate) left: Vec<f64>,
    /// The cell left of the best cut, where the target keeps it.
    pub(crate) best_left: Vec<f64>,
}

impl Search {
    pub(crate) fn new(width: usize) -> Self {
        Self {
            total: vec![0.0; width],
            score: 0.0,
            least: 0.0,
            need: 0.0,
            best: None,
            left: vec![0.0; width],
            best_left: vec![0.0; width],
        }
    }

    /// Begins with a node.
    pub(crate) fn start(&mut self, score: f64, least: f64, limits: &Limits) {
        self.score = score;
        self.least = least.max(f64::MIN_POSITIVE);
        self.best = None;
        self.raise(limits.min_gain.unwrap_or(f64::NEG_INFINITY));
    }

    /// A gain has to exceed `gain` by more than [`TIE`] times the scores before and after. Both have
    /// one sign, and the score after is not below the one before.
    fn raise(&mut self, gain: f64) {
        self.need = if self.score >= 0.0 {
            (self.score * (1.0 + TIE) + gain) / (1.0 - TIE)
        } else {
            (self.score * (1.0 - TIE) + gain) / (1.0 + TIE)
        };
    }

    /// Takes a cut whose two sides have this score, if that is enough.
    #[inline]
    pub(crate) fn offer(&mut self, scores: f64, feature: usize, code: usize) -> bool {
        let better = scores > self.need;
        if better {
            let gain = scores - self.score;
            let code = u8::try_from(code).expect("a code is a byte");
            self.best = Some(Cut {
                gain,
                feature,
                code,
                set: None,
            });
            self.raise(gain);
        }
        better
    }
}
