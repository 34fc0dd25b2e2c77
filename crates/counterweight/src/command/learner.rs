//! The learner that a program is.

use std::sync::Arc;

use counterweight_core::limit::{self, Deadline};
use counterweight_core::{
    Fitted, Learner, LossTerms, Matrix, Note, ScoreKind, Scores, StageContext, StageError,
    StageResult, Train,
};
use rand::Rng as _;
use serde_json::json;

use super::files::{self, Passing};
use super::process::{Process, Trouble};
use super::program::{Program, Slot};

/// Notes of a fit that are kept, and letters of each.
const NOTES: (usize, usize) = (3, 200);

/// A program as a learner.
#[derive(Debug)]
pub(super) struct Foreign {
    program: Arc<Program>,
    /// Weights of the rows that it will be given, from an ensemble that boosts.
    extra: Option<Vec<f64>>,
}

impl Foreign {
    pub(super) fn of(program: Arc<Program>) -> Self {
        Self {
            program,
            extra: None,
        }
    }

    /// The weight of each row; `None` when all are 1.
    fn weights(&self, train: &Train, terms: &LossTerms) -> Option<Vec<f64>> {
        let y = train.samples().y();
        let mut weights: Vec<f64> = y
            .ids()
            .iter()
            .map(|&id| terms.weights[id as usize])
            .collect();
        for own in [y.weights().as_ref(), self.extra.as_ref()]
            .into_iter()
            .flatten()
        {
            weights.iter_mut().zip(own).for_each(|(w, own)| *w *= own);
        }
        let some = weights.iter().any(|w| (w - 1.0).abs() > f64::EPSILON);
        some.then_some(weights)
    }
}

/// A file that could not be written: there is no model, and the program may serve on.
fn unwritten(error: &std::io::Error) -> Trouble {
    Trouble::Answered(StageError::Failed(format!(
        "the rows of a program cannot be written: {error}"
    )))
}

impl Learner for Foreign {
    fn fit(
        &self,
        train: &Train,
        terms: &LossTerms,
        context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        let samples = train.samples();
        let weights = self.weights(train, terms);
        if weights.is_some() && !self.program.promise.weights {
            return Err(StageError::NotApplicable(
                "the program does not honour weights".into(),
            ));
        }
        let deadline = context.deadline.or_sooner(Deadline::current());
        deadline.check()?;
        // A positive number of 32 bits with a sign.
        let seed = context.stream.next_u32() >> 1;
        let slot = self.program.slot();
        let fit = |process: &mut Process| {
            process.keep_within(limit::left());
            let passing = Passing(["x", "y", "weights"].map(|kind| process.file(kind)));
            let files = &passing.0;
            let classes = samples.y().ids().iter().map(|&id| f64::from(id));
            files::write(&files[0], samples.x().as_slice().iter().copied())
                .map_err(|error| unwritten(&error))?;
            files::write(&files[1], classes).map_err(|error| unwritten(&error))?;
            if let Some(weights) = &weights {
                files::write(&files[2], weights.iter().copied())
                    .map_err(|error| unwritten(&error))?;
            }
            let question = json!({
                "op": "fit",
                "model": process.next(),
                "rows": samples.n_rows(),
                "columns": samples.x().cols(),
                "classes": samples.y().n_classes(),
                "x": files[0],
                "y": files[1],
                "weights": weights.as_ref().map(|_| &files[2]),
                "seed": seed,
            });
            let model = process.next();
            let answer = process.ask(question, deadline)?;
            process.models += 1;
            Ok((model, answer.notes))
        };
        let ((model, notes), process) = self.program.ask(&slot, fit)?;
        for note in notes.iter().take(NOTES.0) {
            context.note(Note::Remark(note.chars().take(NOTES.1).collect()));
        }
        Ok(Box::new(Elsewhere {
            model,
            process,
            slot,
            classes: samples.y().n_classes(),
            kind: if self.program.promise.votes {
                ScoreKind::Vote
            } else {
                ScoreKind::Probability
            },
        }))
    }

    fn ready(&self) -> StageResult<()> {
        let slot = self.program.slot();
        self.program.ask(&slot, |_| Ok(())).map(|_| ())
    }

    fn weigh(&self, weights: &[f64]) -> Option<Box<dyn Learner>> {
        self.program.promise.weights.then(|| {
            Box::new(Self {
                program: Arc::clone(&self.program),
                extra: Some(weights.to_vec()),
            }) as Box<dyn Learner>
        })
    }
}

/// A model that a process keeps.
#[derive(Debug)]
struct Elsewhere {
    model: u64,
    /// The number of the process that has it.
    process: u64,
    slot: Arc<Slot>,
    classes: usize,
    kind: ScoreKind,
}

impl Fitted for Elsewhere {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        let deadline = Deadline::current();
        deadline.check()?;
        self.slot.ask(self.process, |process| {
            process.keep_within(limit::left());
            let passing = Passing(["x", "scores"].map(|kind| process.file(kind)));
            let [rows, into] = &passing.0;
            files::write(rows, x.as_slice().iter().copied()).map_err(|error| unwritten(&error))?;
            let question = json!({
                "op": "score",
                "model": self.model,
                "rows": x.rows(),
                "columns": x.cols(),
                "classes": self.classes,
                "x": rows,
                "into": into,
                "scores": match self.kind {
                    ScoreKind::Vote => "vote",
                    ScoreKind::Probability => "probability",
                },
            });
            let answer = process.ask(question, deadline)?;
            let said = answer.scores.as_deref().unwrap_or("nothing");
            files::scores(into, (x.rows(), self.classes), (said, self.kind))
                .map_err(|error| Trouble::Answered(process.named(&error)))
        })
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.slot.tell(self.process, |process| {
            process.models = process.models.saturating_sub(1);
            // One that is gone has forgotten.
            let _ = process.say(json!({"op": "forget", "model": self.model}));
        });
    }
}
