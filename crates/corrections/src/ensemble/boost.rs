//! Boosting by SAMME, the core of the ensembles that boost: what the folder's documentation says.

use std::borrow::Cow;

use counterweight_core::{
    ClassCounts, Fitted, Matrix, Note, Params, Scores, StageContext, StageResult, Stream, Ties,
    Train,
};

use super::draw::{cumulative, take, weighted};
use super::members::{Members, under_rows};

/// Fits, and rows of each, when every one of `members` subsets is boosted for `rounds`; for estimates.
pub(super) fn fits_on_subsets(params: &Params, counts: &ClassCounts) -> (usize, usize) {
    let fits = params
        .whole("members")
        .saturating_mul(params.whole("rounds"));
    (fits, under_rows(counts))
}

/// How to boost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Boosting {
    rounds: usize,
    rate: f64,
}

/// The rows of a round, and a weight for each.
pub(super) type RoundRows<'t> = (Cow<'t, Train>, Vec<f64>);

impl Boosting {
    /// So many rounds, with this factor on the say of each.
    pub(super) fn new(rounds: usize, rate: f64) -> Self {
        Self { rounds, rate }
    }

    /// Boosts on `train`, whose rows start from their own weights where they have some. Before each round, `rows` makes of the row weights (which sum to 1) what the
    /// base is fitted to; errors and weights are always those of all rows of `train`.
    ///
    /// # Errors
    /// Whatever `rows`, encoding, fitting and scoring give.
    pub(super) fn run<'t>(
        self,
        train: &Train,
        members: &mut Members<'_>,
        mut rows: impl FnMut(&[f64], &mut Members<'_>, &mut Stream) -> StageResult<RoundRows<'t>>,
    ) -> StageResult<Boosted> {
        let samples = train.samples();
        let encoded = (members.base().encode)(samples)?;
        let (n, counts) = (samples.n_rows(), train.counts());
        let classes = counts.n_present() as f64;
        let own = samples.y().weights().unwrap_or_else(|| vec![1.0; n]);
        let even: Vec<f64> = own.iter().map(|own| own * (1.0 / n as f64)).collect();
        let mut weights = even.clone();
        let mut boosted = Boosted {
            rounds: Vec::with_capacity(self.rounds),
            present: counts.as_slice().iter().map(|&n| n > 0).collect(),
            ties: counts.ties().clone(),
        };
        for _ in 0..self.rounds {
            let mut streams = members.next()?;
            let (seen, seen_weights) = rows(&weights, members, &mut streams.rows)?;
            let fitted = fit_weighted(&seen, &seen_weights, members, streams)?;
            let answers = fitted.scores(encoded.x())?;
            let answers = answers.argmax(&vec![0.0; counts.n_classes()], counts.ties())?;
            let wrong: Vec<bool> = answers
                .as_slice()
                .iter()
                .zip(samples.y().ids())
                .map(|(answer, label)| answer != label)
                .collect();
            let error: f64 = weights
                .iter()
                .zip(&wrong)
                .filter_map(|(w, wrong)| wrong.then_some(w))
                .sum();
            // The weights sum to 1 up to rounding, so that exact chance may come out just below.
            if error >= 1.0 - 1.0 / classes - 1e-9 {
                weights.clone_from(&even);
                continue;
            }
            let smooth = 1.0 / n as f64;
            let odds = (1.0 - error + smooth) / (error + smooth);
            let say = self.rate * (odds.ln() + (classes - 1.0).ln());
            boosted.rounds.push((fitted, say));
            if !wrong.contains(&true) {
                break;
            }
            for (w, wrong) in weights.iter_mut().zip(&wrong) {
                if *wrong {
                    *w *= say.exp();
                }
            }
            let total: f64 = weights.iter().sum();
            if !(total.is_finite() && total > 0.0) {
                // A huge learning rate: nothing more can be told apart.
                break;
            }
            for w in &mut weights {
                *w /= total;
            }
        }
        Ok(boosted)
    }
}

/// Fits the base to weighted rows: by its own weights where it has some, else by drawing. Where rows have weights of
/// their own, the base honours them: what it is told is how often those count.
fn fit_weighted(
    rows: &Train,
    weights: &[f64],
    members: &mut Members<'_>,
    mut streams: super::members::Streams,
) -> StageResult<Box<dyn Fitted>> {
    let n = rows.samples().n_rows();
    let times: Vec<f64>;
    let weights = match rows.samples().y().weights() {
        None => weights,
        Some(own) => {
            times = weights.iter().zip(own).map(|(w, own)| w / own).collect();
            &times
        }
    };
    let total: f64 = weights.iter().sum();
    // Equal weights for all of them ask nothing of the base.
    let first = weights.first().copied().unwrap_or(0.0);
    if weights.iter().all(|w| (w - first).abs() <= 1e-12 * first) || total <= 0.0 {
        return members.fit(rows, streams.learner);
    }
    let scaled: Vec<f64> = weights.iter().map(|w| w * n as f64 / total).collect();
    if let Some(learner) = members.base().learner.weigh(&scaled) {
        return members.fit_with(&*learner, rows, streams.learner);
    }
    let drawn = weighted(&cumulative(weights), n, &mut streams.rows);
    members.fit(&take(rows, &drawn)?, streams.learner)
}

/// Boosted fits of the base.
#[derive(Debug)]
pub(super) struct Boosted {
    rounds: Vec<(Box<dyn Fitted>, f64)>,
    present: Vec<bool>,
    ties: Ties,
}

impl Boosted {
    /// The logits `F`, one row a row; negative infinity for classes without training rows.
    ///
    /// # Errors
    /// When a round's fit cannot score the rows.
    pub(super) fn logits(&self, x: &Matrix) -> StageResult<Matrix> {
        let k = self.present.len();
        let mut logits = Matrix::from_fn(x.rows(), k, |_, class| {
            if self.present[class] {
                0.0
            } else {
                f64::NEG_INFINITY
            }
        });
        for (fitted, say) in &self.rounds {
            let answers = fitted.scores(x)?.argmax(&vec![0.0; k], &self.ties)?;
            for (i, &answer) in answers.as_slice().iter().enumerate() {
                logits.row_mut(i)[answer as usize] += say;
            }
        }
        Ok(logits)
    }

    /// Whether no round had a say.
    pub(super) fn is_mute(&self) -> bool {
        self.rounds.is_empty()
    }
}

/// Boosted fits whose logits are averaged: one, or one a subset.
#[derive(Debug)]
pub(super) struct Committee(Vec<Boosted>);

impl Committee {
    /// Ends an ensemble of boosted fits: hands over what its members said, and what there is to note.
    pub(super) fn of(
        boosted: Vec<Boosted>,
        members: Members<'_>,
        context: &mut StageContext<'_>,
    ) -> Self {
        members.finish(context);
        let committee = Self(boosted);
        if let Some(note) = committee.note() {
            context.note(note);
        }
        committee
    }

    /// What there is to note when the boosting came to nothing.
    fn note(&self) -> Option<Note> {
        let mute = self.0.iter().filter(|boosted| boosted.is_mute()).count();
        let text = "no boosting round was better than chance";
        match mute {
            0 => None,
            _ if mute == self.0.len() => Some(Note::Degenerate(format!(
                "{text}; all classes have the same score"
            ))),
            _ => Some(Note::Remark(format!(
                "{mute} of {} members: {text}",
                self.0.len()
            ))),
        }
    }
}

impl Fitted for Committee {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        let mut sum: Option<Matrix> = None;
        for boosted in &self.0 {
            let logits = boosted.logits(x)?;
            match &mut sum {
                None => sum = Some(logits),
                Some(sum) => {
                    for (a, b) in sum.as_mut_slice().iter_mut().zip(logits.as_slice()) {
                        *a += b;
                    }
                }
            }
        }
        let mut mean = sum.unwrap_or_else(|| Matrix::zeros(0, 0));
        for value in mean.as_mut_slice() {
            *value /= self.0.len() as f64;
        }
        Ok(Scores::logits(mean)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{built, context, train as set, whole};
    use counterweight_core::{Base, Learner, LossTerms, Shared, find};

    /// A learner that takes no row weights, whatever the one inside does.
    #[derive(Debug)]
    struct Unweighed(Box<dyn Learner>);
    impl Learner for Unweighed {
        fn fit(
            &self,
            train: &Train,
            terms: &LossTerms,
            context: &mut StageContext<'_>,
        ) -> StageResult<Box<dyn Fitted>> {
            self.0.fit(train, terms, context)
        }
    }

    fn stump() -> Box<dyn Learner> {
        let tree = find(counterweight_models::ALL, "decision-tree").unwrap();
        built(tree, &[("max_depth", whole(1))])
    }

    fn boosted(learner: &dyn Learner, train: &Train, rounds: usize) -> Boosted {
        let base = Base {
            id: "base",
            learner,
            max_rows: None,
            encode: &|rows| Ok(rows.clone()),
        };
        let shared = Shared::default();
        let mut members = Members::new(&base, &mut context(1, &shared));
        let boosting = Boosting { rounds, rate: 1.0 };
        let all = |weights: &[f64], _: &mut Members<'_>, _: &mut Stream| {
            Ok((Cow::Borrowed(train), weights.to_vec()))
        };
        boosting.run(train, &mut members, all).unwrap()
    }

    #[test]
    fn two_rounds_have_the_say_of_the_formula() {
        // The first stump errs on the fourth row of five, e = 1/5; its weight becomes
        // exp(alpha) / (4 + exp(alpha)), and the second one errs on the third row alone.
        let x = Matrix::from_vec(5, 1, vec![1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        let train = set(x.clone(), &[None], &[0, 0, 1, 0, 1], 2);
        let say = |e: f64| ((1.0 - e + 0.2) / (e + 0.2)).ln();
        let first = say(0.2);
        let second = say(1.0 / (4.0 + first.exp()));
        let gap = |rounds: usize, row: usize| {
            let logits = boosted(&*stump(), &train, rounds).logits(&x).unwrap();
            logits.at(row, 1) - logits.at(row, 0)
        };
        for (row, a, b) in [(0, -1.0, -1.0), (2, 1.0, -1.0), (4, 1.0, 1.0)] {
            assert!((gap(1, row) - a * first).abs() < 1e-12, "{row}");
            assert!(
                (gap(2, row) - a * first - b * second).abs() < 1e-12,
                "{row}"
            );
        }
    }

    #[test]
    fn boosting_learns_what_one_stump_cannot_with_and_without_row_weights() {
        // A diagonal border, which takes many axis-parallel steps.
        let x = Matrix::from_fn(200, 2, |i, j| {
            let at = if j == 0 { i * 37 } else { i * 91 + 13 };
            (at % 200) as f64 / 200.0
        });
        let classes: Vec<usize> = (0..200)
            .map(|i| usize::from(x.at(i, 0) + x.at(i, 1) > 1.0))
            .collect();
        let train = set(x.clone(), &[None, None], &classes, 2);
        let wrong = |learner: &dyn Learner, rounds: usize| {
            let logits = boosted(learner, &train, rounds).logits(&x).unwrap();
            (0..200)
                .filter(|&i| usize::from(logits.at(i, 1) > logits.at(i, 0)) != classes[i])
                .count()
        };
        let alone = wrong(&*stump(), 1);
        for learner in [stump(), Box::new(Unweighed(stump())) as Box<dyn Learner>] {
            let many = wrong(&*learner, 60);
            assert!(many * 3 < alone, "{many} against {alone}");
        }
    }

    #[test]
    fn a_base_without_errors_ends_the_boosting() {
        let x = Matrix::from_vec(4, 1, vec![0.0, 1.0, 5.0, 6.0]).unwrap();
        let train = set(x, &[None], &[0, 0, 1, 1], 2);
        let found = boosted(&*stump(), &train, 10);
        assert_eq!(found.rounds.len(), 1);
        assert!((found.rounds[0].1 - (1.25_f64 / 0.25).ln()).abs() < 1e-12);
    }
}
