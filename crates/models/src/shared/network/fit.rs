//! From training rows and the terms of a loss to a trained model: what every learner that trains by
//! minibatches does.

use counterweight_core::{
    Fitted, LossNeeds, LossTerms, Note, Origin, ScoreKind, StageContext, StageError, StageResult,
    Train,
};

use super::layers::Network;
use super::model::Model;
use super::monitor::{self, Monitor};
use super::objective::BatchLoss;
use super::shape::{Activation, Head, Shape};
use super::train::{Losses, Plan, Trained, Trainer};
use crate::shared::task::Task;

/// Every term of the kernel, and what only minibatches can do.
pub(crate) const HONOURS: LossNeeds = LossNeeds {
    weights: true,
    margins: true,
    factors: true,
    focal: true,
    schedule: true,
    minibatches: true,
    initial_bias: true,
    row_weights: true,
};

/// When to stop early.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Early {
    /// Share of each class that is held out.
    pub(crate) share: f64,
    /// Looks at the held-out rows without a smaller loss.
    pub(crate) patience: usize,
}

/// A network and how to train it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Setup {
    pub(crate) hidden: Vec<usize>,
    pub(crate) activation: Activation,
    pub(crate) head: Head,
    pub(crate) plan: Plan,
    pub(crate) early: Option<Early>,
}

impl Setup {
    /// Trains. Without hidden layers the weights start at 0, since the objective is convex and its
    /// minimum does not depend on the start.
    ///
    /// # Errors
    /// Those of [`Task::new`] and [`Trainer::run`]; [`StageError::NotApplicable`] for an initial
    /// output bias of a head without biases.
    pub(crate) fn fit(
        &self,
        train: &Train,
        terms: &LossTerms,
        context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        let task = Task::new(train, terms, HONOURS)?;
        if let Some(constant) = task.single_class(ScoreKind::Probability, context) {
            return Ok(Box::new(constant));
        }
        if task.own.is_some() && train.batches().is_some() {
            return Err(StageError::NotApplicable(
                "minibatches of a changed composition have no rule for weights of rows".into(),
            ));
        }
        let mut losses = losses(terms, &task)?;
        let network = Network::new(Shape {
            inputs: task.n_features(),
            hidden: self.hidden.clone(),
            scores: if task.n_present() == 2 {
                1
            } else {
                task.n_present()
            },
            activation: self.activation,
            head: self.head,
        });
        let mut theta = if self.hidden.is_empty() {
            vec![0.0; network.n_parameters()]
        } else {
            network.initialise(&mut context.stream)
        };
        if let Some(bias) = &terms.initial_bias {
            set_output_biases(&network, &task, bias, &mut theta)?;
        }
        let (fit, held) = match self.early {
            Some(early) => {
                let origins = origins(train, &task);
                let group_of = |original| train.group_of(original);
                let grouped: Option<&dyn Fn(usize) -> usize> = match task.groups {
                    Some(_) => Some(&group_of),
                    None => None,
                };
                monitor::split(&task.y, &origins, early.share, grouped)
            }
            None => (Vec::new(), Vec::new()),
        };
        if held.is_empty() && self.early.is_some() {
            context.note(Note::Remark(
                "no row to hold out for early stopping, since no class has two originals: trained to the \
                 end"
                    .into(),
            ));
        }
        let x;
        let classes: Vec<u32>;
        let of = |rows: &[usize]| -> Option<Vec<f64>> {
            let own = task.own.as_ref()?;
            Some(rows.iter().map(|&row| own[row]).collect())
        };
        let own = of(&fit);
        let rows = if held.is_empty() {
            (&*task.x, task.y.as_slice(), task.own.as_deref())
        } else {
            x = task.x.select_rows(&fit);
            classes = fit.iter().map(|&row| task.y[row]).collect();
            (&x, classes.as_slice(), own.as_deref())
        };
        if self.plan.batch_size > rows.1.len() {
            context.note(Note::Remark(format!(
                "`batch_size` = {} is more than the {} rows to train on: every batch is all of them",
                self.plan.batch_size,
                rows.1.len()
            )));
        }
        let mut trainer = Trainer::new(
            &network,
            &self.plan,
            rows,
            task.n_present(),
            train.batches(),
        );
        let monitor = self.early.filter(|_| !held.is_empty()).map(|early| {
            // The held-out rows count as training draws their classes.
            let classes: Vec<u32> = held.iter().map(|&row| task.y[row]).collect();
            let x = task.x.select_rows(&held);
            let rows = (x, classes, of(&held));
            Monitor::new(rows, &trainer.final_shares(), early.patience)
        });
        let ends = (&mut context.stream, context.deadline);
        let trained = trainer.run(theta, &mut losses, monitor, ends)?;
        report(&trained, context);
        Ok(Box::new(Model {
            network,
            theta: trained.theta,
            shape: task.shape(),
        }))
    }
}

/// The losses of a training, from the terms.
fn losses(terms: &LossTerms, task: &Task<'_>) -> StageResult<Losses> {
    let first = BatchLoss::new(task, terms)?;
    let Some(later) = &terms.later else {
        return Ok(Losses { first, later: None });
    };
    if later.terms.later.is_some() {
        return Err(StageError::Failed(
            "the later terms of a loss have a schedule of their own".into(),
        ));
    }
    if !(0.0..=1.0).contains(&later.at) {
        return Err(StageError::Failed(format!(
            "a loss takes over after {} of the epochs; it has to be within [0, 1]",
            later.at
        )));
    }
    let second = BatchLoss::new(task, &later.terms)?;
    Ok(Losses {
        first,
        later: Some((later.at, second)),
    })
}

/// Where the rows of the task come from.
fn origins(train: &Train, task: &Task<'_>) -> Vec<Origin> {
    let samples = train.samples();
    (0..samples.n_rows())
        .filter(|&row| task.present.contains(&samples.y().class(row)))
        .map(|row| samples.origins()[row])
        .collect()
}

fn set_output_biases(
    network: &Network,
    task: &Task<'_>,
    bias: &[f64],
    theta: &mut [f64],
) -> StageResult<()> {
    let failed = |text: String| Err(StageError::Failed(text));
    if bias.len() != task.n_classes {
        return failed(format!(
            "the loss has {} initial biases for {} classes",
            bias.len(),
            task.n_classes
        ));
    }
    let to = network.output_biases();
    if to.is_empty() {
        return Err(StageError::NotApplicable(
            "a cosine head has no output bias to start from".into(),
        ));
    }
    let of: Vec<f64> = task.present.iter().map(|&class| bias[class]).collect();
    if let Some(odd) = of.iter().find(|b| !b.is_finite()) {
        return failed(format!("an initial bias of the loss is {odd}"));
    }
    if let [first, second] = of[..] {
        // Two classes have one score, the second's against the first.
        theta[to.start] = second - first;
    } else {
        theta[to].copy_from_slice(&of);
    }
    Ok(())
}

fn report(trained: &Trained, context: &mut StageContext<'_>) {
    let details = &mut context.details;
    details.insert("epochs".into(), trained.epochs);
    details.insert("updates".into(), trained.updates as f64);
    details.insert("training_loss".into(), trained.training_loss);
    if let Some(loss) = trained.validation_loss {
        details.insert("validation_loss".into(), loss);
    }
    if trained.still_fell {
        context.note(Note::Remark(format!(
            "did not converge: the held-out loss still fell after {} updates",
            trained.updates
        )));
    }
}
