//! What ensembles are made of: streams for each member, fits of the base on rows of the ensemble's
//! choice, and the average of the members' probabilities.

use std::collections::BTreeMap;

use counterweight_core::{
    Base, ClassCounts, Deadline, EnsembleFit, Fitted, Learner, Matrix, Note, Prior, Scores, Shared,
    SmallClass, StageContext, StageResult, Stream, Train,
};
use rand::RngExt as _;
use rand::SeedableRng as _;

use super::draw::take;
use crate::loss::offset_terms;

/// A member's randomness. The rows come from another stream than the learner's draws, so that every
/// base sees the same rows as long as the ensemble does not look at its answers.
#[derive(Debug)]
pub(super) struct Streams {
    pub(super) rows: Stream,
    pub(super) learner: Stream,
}

/// Fits members one after another and gathers what they have to say.
#[derive(Debug)]
pub(super) struct Members<'a> {
    base: &'a Base<'a>,
    stream: Stream,
    small_class: SmallClass,
    deadline: Deadline,
    shared: &'a Shared,
    fits: usize,
    notes: Vec<(Note, usize)>,
    details: BTreeMap<String, (f64, usize)>,
}

impl<'a> Members<'a> {
    /// Takes the ensemble's stream over.
    pub(super) fn new<'c: 'a>(base: &'a Base<'a>, context: &mut StageContext<'c>) -> Self {
        Self {
            base,
            stream: Stream::from_seed(context.stream.random()),
            small_class: context.small_class,
            deadline: context.deadline,
            shared: context.shared,
            fits: 0,
            notes: Vec::new(),
            details: BTreeMap::new(),
        }
    }

    /// The base.
    pub(super) fn base(&self) -> &'a Base<'a> {
        self.base
    }

    /// The streams of the next member.
    ///
    /// # Errors
    /// When the cell ran out of time.
    pub(super) fn next(&mut self) -> StageResult<Streams> {
        self.deadline.check()?;
        Ok(Streams {
            rows: Stream::from_seed(self.stream.random()),
            learner: Stream::from_seed(self.stream.random()),
        })
    }

    /// Runs a resampler on the ensemble's own training rows, whose shared values (a neighbour graph) serve
    /// all members.
    ///
    /// # Errors
    /// Whatever `resample` gives.
    pub(super) fn resample(
        &mut self,
        stream: &mut Stream,
        resample: impl FnOnce(&mut StageContext<'_>) -> StageResult<Train>,
    ) -> StageResult<Train> {
        let own = Stream::from_seed(stream.random());
        let mut context = StageContext::new(own, self.small_class, self.deadline, self.shared);
        let made = resample(&mut context)?;
        self.gather(context.notes);
        Ok(made)
    }

    /// Fits the base to `rows`.
    ///
    /// # Errors
    /// Whatever encoding and fitting give.
    pub(super) fn fit(&mut self, rows: &Train, stream: Stream) -> StageResult<Box<dyn Fitted>> {
        self.fit_with(self.base.learner, rows, stream)
    }

    /// Fits `learner`, which the base gave, to `rows`, by plain cross-entropy.
    ///
    /// # Errors
    /// As [`Members::fit`].
    pub(super) fn fit_with(
        &mut self,
        learner: &dyn Learner,
        rows: &Train,
        stream: Stream,
    ) -> StageResult<Box<dyn Fitted>> {
        let counts = rows.counts();
        let even = vec![1.0; counts.n_classes()];
        let terms = offset_terms(&counts, &even, &vec![0.0; counts.n_classes()])?;
        // A member's rows are a training set of their own: nothing is shared with others.
        let shared = Shared::default();
        let mut context = StageContext::new(stream, self.small_class, self.deadline, &shared);
        let fitted = self.base.fit(learner, rows, &terms, &mut context)?;
        self.fits += 1;
        self.gather(context.notes);
        for (name, value) in context.details {
            let (sum, n) = self.details.entry(name).or_default();
            *sum += value;
            *n += 1;
        }
        Ok(fitted)
    }

    /// Fits `learner` to `n` sets of rows, each drawn from a stream of its own.
    ///
    /// # Errors
    /// As [`Members::fit`].
    pub(super) fn bag(
        &mut self,
        n: usize,
        train: &Train,
        learner: &dyn Learner,
        mut rows: impl FnMut(&mut Stream) -> Vec<usize>,
    ) -> StageResult<Vec<Box<dyn Fitted>>> {
        let mut fitted = Vec::new();
        for _ in 0..n {
            let mut streams = self.next()?;
            let rows = take(train, &rows(&mut streams.rows))?;
            fitted.push(self.fit_with(learner, &rows, streams.learner)?);
        }
        Ok(fitted)
    }

    fn gather(&mut self, notes: Vec<Note>) {
        for note in notes {
            match self.notes.iter_mut().find(|(known, _)| *known == note) {
                Some((_, times)) => *times += 1,
                None => self.notes.push((note, 1)),
            }
        }
    }

    /// Ends the ensemble with the average of its members, who each drew `targets` of the rows that `train` counts, and
    /// hands over what they said.
    pub(super) fn average(
        self,
        fitted: Vec<Box<dyn Fitted>>,
        (targets, train): (&[usize], &ClassCounts),
        context: &mut StageContext<'_>,
    ) -> EnsembleFit {
        self.finish(context);
        EnsembleFit {
            fitted: Box::new(Average {
                members: fitted,
                shift: None,
            }),
            prior: prior_of(targets, train),
        }
    }

    /// Hands what the members said to the ensemble's context: clamps as they are, a degenerate fit only
    /// where every fit was degenerate in the same way, numbers as means over the fits that gave them.
    pub(super) fn finish(self, context: &mut StageContext<'_>) {
        for (note, times) in self.notes {
            context.note(match note {
                Note::Degenerate(text) if times < self.fits => {
                    Note::Remark(format!("{times} of {} members: {text}", self.fits))
                }
                note => note,
            });
        }
        for (name, (sum, n)) in self.details {
            context.details.insert(name, sum / n as f64);
        }
        let fits = self.fits as f64;
        context.details.insert("ensemble_fits".into(), fits);
    }
}

/// Members whose probabilities are averaged; votes become shares of votes.
#[derive(Debug)]
pub(super) struct Average {
    pub(super) members: Vec<Box<dyn Fitted>>,
    /// The prior of the average, and the one to which it is shifted.
    pub(super) shift: Option<(Prior, Prior)>,
}

impl Fitted for Average {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        let mut sum = LogSum::default();
        for member in &self.members {
            sum.add(&member.scores(x)?);
        }
        let scores = sum.scores()?;
        Ok(match &self.shift {
            Some((from, to)) => scores.shift_prior(from, to)?,
            None => scores,
        })
    }
}

/// A running sum of probabilities, kept as logarithms, so that tiny ones do not vanish.
#[derive(Clone, Debug, Default)]
pub(super) struct LogSum(Option<Matrix>);

impl LogSum {
    /// Adds the probabilities of one member.
    pub(super) fn add(&mut self, scores: &Scores) {
        match &mut self.0 {
            None => self.0 = Some(scores.log().clone()),
            Some(sum) => {
                for (a, b) in sum.as_mut_slice().iter_mut().zip(scores.log().as_slice()) {
                    *a = log_add(*a, *b);
                }
            }
        }
    }

    /// The average; no rows and no classes without any member.
    ///
    /// # Errors
    /// When a member's score is not a number.
    pub(super) fn scores(&self) -> StageResult<Scores> {
        let sum = self.0.clone().unwrap_or_else(|| Matrix::zeros(0, 0));
        Ok(Scores::logits(sum)?)
    }
}

/// log(exp(a) + exp(b)).
fn log_add(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY {
        high
    } else {
        high + (low - high).exp().ln_1p()
    }
}

/// The prior of so many rows of each class of a training set, each weighing what a row of its class weighs there.
pub(super) fn prior_of(targets: &[usize], train: &ClassCounts) -> Option<Prior> {
    let classes = train.masses().into_iter().zip(train.as_slice());
    let mass = |(&target, (mass, &n)): (&usize, (f64, &usize))| match n {
        0 => target as f64,
        n => target as f64 * (mass / n as f64),
    };
    Prior::from_weights(targets.iter().zip(classes).map(mass).collect()).ok()
}

/// Rows of a balanced subset, for estimates.
pub(super) fn under_rows(counts: &ClassCounts) -> usize {
    counts.n_present() * counts.smallest_present()
}

/// Rows when every class has as many as the largest, for estimates.
pub(super) fn over_rows(counts: &ClassCounts) -> usize {
    counts.n_present() * counts.largest()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_of_votes_are_shares_and_of_probabilities_means() {
        let mut sum = LogSum::default();
        for vote in [0, 2, 2, 2] {
            sum.add(&Scores::votes(&[vote], 3).unwrap());
        }
        let shares = sum.scores().unwrap();
        let p: Vec<f64> = shares.log().row(0).iter().map(|s| s.exp()).collect();
        assert!((p[0] - 0.25).abs() < 1e-15 && (p[2] - 0.75).abs() < 1e-15);
        assert!(shares.log().at(0, 1).is_infinite());
        assert_eq!(
            shares.kind(),
            counterweight_core::ScoreKind::Probability,
            "decisions may use them"
        );
        let mut sum = LogSum::default();
        for p in [0.5, 1e-300] {
            let row = Matrix::from_vec(1, 2, vec![p, 1.0 - p]).unwrap();
            sum.add(&Scores::probabilities(row).unwrap());
        }
        assert!((sum.scores().unwrap().log().at(0, 0) - 0.25_f64.ln()).abs() < 1e-14);
    }
}
