//! The side of the program: a learner and a model that are elsewhere.

use std::sync::Arc;

use counterweight_core::limit::Deadline;
use counterweight_core::{
    Fitted, Learner, LinearHead, LossTerms, Matrix, Note, Params, Scores, StageContext,
    StageResult, Train,
};

use super::frame::{Fit, Fitting, Scored, Scoring};
use super::process::Slot;

/// A learner that fits in a worker.
#[derive(Debug)]
pub(super) struct Remote {
    pub(super) id: &'static str,
    pub(super) params: Params,
    /// The same in this process, for what a worker is not told.
    pub(super) here: Arc<dyn Learner>,
}

impl Learner for Remote {
    fn fit(
        &self,
        train: &Train,
        terms: &LossTerms,
        context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        let Some(frame) = Fit::frame(self.id, &self.params, (train, terms), context) else {
            return self.here.fit(train, terms, context);
        };
        let slot = Slot::of_this_thread();
        let deadline = context.deadline.or_sooner(Deadline::current());
        let (answer, process) = slot.call(&frame, None, deadline)?;
        let fitting: Fitting = answer.head()?;
        context.stream.set_word_pos(fitting.word_pos()?);
        for (kind, text) in fitting.notes {
            context.notes.push(match kind.as_str() {
                "clamped" => Note::Clamped(text),
                "degenerate" => Note::Degenerate(text),
                _ => Note::Remark(text),
            });
        }
        let names = fitting.details.into_iter();
        context.details.extend(names.zip(answer.numbers));
        match fitting.error {
            Some(error) => Err(error.into()),
            None => Ok(Box::new(Elsewhere {
                model: fitting.model,
                process,
                slot,
            })),
        }
    }
}

/// A model that a worker keeps.
#[derive(Debug)]
struct Elsewhere {
    model: u64,
    /// The number of the process that has it.
    process: u64,
    slot: Arc<Slot>,
}

impl Elsewhere {
    fn ask(&self, x: &Matrix, head: bool) -> StageResult<(Scored, Vec<f64>)> {
        let op = if head { "head" } else { "score" };
        let frame = Scoring::frame(op, self.model, x)?;
        let deadline = Deadline::current();
        let (answer, _) = self.slot.call(&frame, Some(self.process), deadline)?;
        let scored: Scored = answer.head()?;
        match scored.error {
            Some(error) => Err(error.into()),
            None => Ok((scored, answer.numbers)),
        }
    }
}

impl Fitted for Elsewhere {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        let (scored, numbers) = self.ask(x, false)?;
        scored.scores(numbers)
    }

    fn linear_head(&self, x: &Matrix) -> StageResult<Option<LinearHead>> {
        let (scored, mut numbers) = self.ask(x, true)?;
        if scored.none {
            return Ok(None);
        }
        let norms = numbers.split_off(numbers.len() - scored.cols);
        Ok(Some(LinearHead {
            scores: scored.scores(numbers)?,
            norms,
        }))
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.slot.forget(self.process, self.model);
    }
}
