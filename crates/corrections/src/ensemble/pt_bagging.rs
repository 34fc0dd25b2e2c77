//! PT-bagging: plain bagging of the rows as they are, and the prior rule on the averaged
//! probabilities.
//!
//! # When it helps, when it hurts
//!
//! All rows are used, no parameter is tuned, and one fit serves every target: a decision stage can
//! move the threshold again. It stands and falls with the probabilities: bagging makes those of
//! unstable bases usable, but a fully grown tree among few rare rows gives many exact zeros, which
//! no shift moves.
//!
//! # Formula
//!
//! Member m is the base's fit to n rows drawn with replacement from all n. With `q_y` the average of
//! the members' probabilities and pi the training prior, the scores are `log (q_y / pi_y)` up to a
//! constant: the posterior in a world of equally common classes. Their argmax is the paper's rule
//! (for two classes: positive when `q > pi_1`), and their prior is uniform over the classes with
//! training rows.
//!
//! # Cost
//!
//! O(`members`) fits of the base to all rows.
//!
//! # Differences
//!
//! The paper decides by the threshold; here the scores carry it, so that further decisions and
//! metrics know their prior. imbalanced-learn has no such class.
//!
//! # Errors
//!
//! No training rows. Those of the base, and a passed deadline (asked before each fit). A class that
//! no bootstrap holds is noted as degenerate.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     Base, Deadline, Labels, Matrix, Partition, Samples, Seed, Shared, SmallClass, StageContext,
//!     Ties, find, params,
//! };
//! let x = Matrix::from_vec(7, 1, vec![0.0, 1.0, 2.0, 3.0, 4.0, 8.0, 9.0])?;
//! let y = Labels::from_texts(&["a", "a", "a", "a", "a", "b", "b"]);
//! let (train, _) = Partition::new(7, (0..7).collect(), vec![])?.cut_samples(&Samples::numeric(x, y)?)?;
//!
//! let model = find(counterweight_models::ALL, "decision-tree").expect("it is listed");
//! let given = params::check(model.card.params, &Default::default()).expect("defaults are valid");
//! let learner = (model.build)(&given)?;
//! let base = Base {
//!     id: model.card.id,
//!     learner: &*learner,
//!     max_rows: None,
//!     encode: &|rows| Ok(rows.clone()),
//! };
//! let entry = find(counterweight_corrections::ensemble::ALL, "pt-bagging").expect("it is listed");
//! let given = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("ensemble").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let fit = (entry.build)(&given)?.fit(&train, &base, &mut context)?;
//! let scores = fit.fitted.scores(&Matrix::from_vec(2, 1, vec![0.5, 8.5])?)?;
//! assert_eq!(scores.argmax(&[0.0; 2], &Ties::default())?.as_slice(), [0, 1]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! G. Collell, D. Prelec and K. R. Patil, "A simple plug-in bagging ensemble based on
//! threshold-moving for classifying binary and multiclass imbalanced data", Neurocomputing 275,
//! 2018.

use counterweight_core::{
    Base, Ensemble, EnsembleCaps, EnsembleEntry, EnsembleFit, Note, Prior, Range, StageContext,
    StageResult, Train, parameters,
};
use rand::RngExt as _;

use super::draw::take;
use super::members::{Average, Members};

parameters! {
    /// PT-bagging with checked parameters.
    pub struct PtBagging {
        /// members whose answers are joined
        members: usize = 10, in Range::AT_LEAST_ONE, probe [4];
    }
}

impl Ensemble for PtBagging {
    fn fit(
        &self,
        train: &Train,
        base: &Base<'_>,
        context: &mut StageContext<'_>,
    ) -> StageResult<EnsembleFit> {
        let samples = train.samples();
        let (n, counts) = (samples.n_rows(), train.counts());
        let present = counts
            .as_slice()
            .iter()
            .map(|&n| f64::from(u8::from(n > 0)));
        let uniform = Prior::from_weights(present.collect())?;
        let mut drawn = vec![false; counts.n_classes()];
        let mut members = Members::new(base, context);
        let mut fitted = Vec::new();
        for _ in 0..self.members {
            let mut streams = members.next()?;
            let mut rows: Vec<usize> = (0..n).map(|_| streams.rows.random_range(0..n)).collect();
            rows.sort_unstable();
            for &row in &rows {
                drawn[samples.y().class(row)] = true;
            }
            fitted.push(members.fit(&take(train, &rows)?, streams.learner)?);
        }
        members.finish(context);
        for (class, name) in samples.y().names().iter().enumerate() {
            if counts.as_slice()[class] > 0 && !drawn[class] {
                context.note(Note::Degenerate(format!(
                    "class {name} is in no bootstrap and never predicted; use more members"
                )));
            }
        }
        let train_prior = counts.prior().unwrap_or_else(|| uniform.clone());
        Ok(EnsembleFit {
            fitted: Box::new(Average {
                members: fitted,
                shift: Some((train_prior, uniform.clone())),
            }),
            prior: Some(uniform),
        })
    }
}

/// The registry entry.
pub(crate) const ENTRY: EnsembleEntry = EnsembleEntry::of::<PtBagging>(
    "pt-bagging",
    "plain bagging whose probabilities are shifted from the training prior to equal classes",
    "Collell et al. 2018",
    EnsembleCaps::new(|params, counts| (params.whole("members"), counts.total())).weighing(),
);
