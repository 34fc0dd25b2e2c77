//! The training loop: epochs of minibatches, a schedule of losses, early stopping, averaging.

use counterweight_core::{BatchScheme, Deadline, Matrix, StageError, StageResult, Stream};

use super::batches::Batches;
use super::layers::{Network, Workspace};
use super::monitor::Monitor;
use super::objective::BatchLoss;
use super::solver::{Solver, Steps};

/// How long to train.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Budget {
    /// Passes over the rows; a look at the held-out rows after each.
    Epochs(usize),
    /// Steps, whatever the number of rows; a look at the held-out rows after each hundredth of them.
    Updates(usize),
}

impl Budget {
    /// Steps in all, with so many batches an epoch.
    pub(crate) fn steps(self, batches: usize) -> usize {
        match self {
            Self::Epochs(epochs) => epochs * batches.max(1),
            Self::Updates(updates) => updates,
        }
    }

    /// Steps from one look at the held-out rows to the next.
    fn between_looks(self, batches: usize) -> usize {
        match self {
            Self::Epochs(_) => batches,
            Self::Updates(updates) => updates.div_ceil(100),
        }
    }
}

/// How to train.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    pub(crate) solver: Solver,
    pub(crate) learning_rate: f64,
    /// Whether the learning rate falls to 0 along half a cosine.
    pub(crate) decays: bool,
    pub(crate) budget: Budget,
    /// Most rows of a batch.
    pub(crate) batch_size: usize,
    /// Penalty on half the squared weights, beside the sum of losses.
    pub(crate) l2: f64,
    /// Whether the result is the mean over the steps of the second half of training.
    pub(crate) averages: bool,
}

/// The losses of a training, one after the other.
#[derive(Debug)]
pub(crate) struct Losses {
    pub(crate) first: BatchLoss,
    /// The share of the epochs after which another one holds.
    pub(crate) later: Option<(f64, BatchLoss)>,
}

impl Losses {
    /// The epoch at which the last loss takes over: the nearest to its share of them.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of the epochs, which are few"
    )]
    fn settled(&self, epochs: usize) -> usize {
        let later = self.later.as_ref();
        later.map_or(0, |(at, _)| (at * epochs as f64).round() as usize)
    }

    fn at(&mut self, epoch: usize, settled: usize) -> &mut BatchLoss {
        match &mut self.later {
            Some((_, later)) if epoch >= settled => later,
            _ => &mut self.first,
        }
    }
}

/// What came of a training.
#[derive(Debug)]
pub(crate) struct Trained {
    pub(crate) theta: Vec<f64>,
    pub(crate) updates: usize,
    /// Passes over the rows, the last one perhaps in part.
    pub(crate) epochs: f64,
    /// Mean of the objective over the batches since the last look.
    pub(crate) training_loss: f64,
    pub(crate) validation_loss: Option<f64>,
    /// Whether the held-out loss still fell when the steps ran out.
    pub(crate) still_fell: bool,
}

/// Rows, a network and losses, ready to train.
#[derive(Debug)]
pub(crate) struct Trainer<'a> {
    network: &'a Network,
    x: &'a Matrix,
    classes: &'a [u32],
    /// What each row weighs beside its class, where rows have weights.
    own: Option<&'a [f64]>,
    plan: &'a Plan,
    batches: Batches,
    space: Workspace,
    batch_x: Vec<f64>,
    batch_classes: Vec<u32>,
    batch_own: Vec<f64>,
}

impl<'a> Trainer<'a> {
    /// For rows `x` with these of `n_classes` classes.
    pub(crate) fn new(
        network: &'a Network,
        plan: &'a Plan,
        (x, classes, own): (&'a Matrix, &'a [u32], Option<&'a [f64]>),
        n_classes: usize,
        scheme: Option<BatchScheme>,
    ) -> Self {
        let batches = Batches::new(classes, n_classes, plan.batch_size, scheme);
        let batches = batches.weighing(classes, own);
        Self {
            space: network.workspace(batches.largest().max(64)),
            batch_x: Vec::with_capacity(batches.largest() * x.cols()),
            batch_classes: Vec::with_capacity(batches.largest()),
            batch_own: Vec::new(),
            network,
            x,
            classes,
            own,
            plan,
            batches,
        }
    }

    /// Shares of the classes among the draws that training ends with.
    pub(crate) fn final_shares(&self) -> Vec<f64> {
        self.batches.shares(1.0)
    }

    /// Draws the batches of an epoch.
    pub(crate) fn draw(&mut self, progress: f64, stream: &mut Stream) {
        self.batches.draw(progress, stream);
    }

    /// The objective on the rows of batch `at`, with its gradient; `mean_weight` is that of a draw.
    pub(crate) fn value_gradient(
        &mut self,
        theta: &[f64],
        (loss, mean_weight): (&mut BatchLoss, f64),
        at: usize,
        gradient: &mut [f64],
    ) -> f64 {
        let (x, classes, own) = match self.batches.rows(at) {
            None => (self.x.as_slice(), self.classes, self.own),
            Some(rows) => {
                self.batch_x.clear();
                self.batch_classes.clear();
                for &row in rows {
                    self.batch_x.extend_from_slice(self.x.row(row));
                    self.batch_classes.push(self.classes[row]);
                }
                let own = self.own.map(|own| {
                    self.batch_own.clear();
                    self.batch_own.extend(rows.iter().map(|&row| own[row]));
                    self.batch_own.as_slice()
                });
                (self.batch_x.as_slice(), self.batch_classes.as_slice(), own)
            }
        };
        let rows = classes.len();
        let scale = 1.0 / (rows as f64 * mean_weight);
        loss.meet(classes, own);
        self.network.forward(theta, (x, rows), &mut self.space);
        let (scores, deltas) = self.space.score_gradient();
        let used = rows * self.network.shape().scores;
        let rows_of = (classes, own);
        let mut value = scale * loss.sum(rows_of, &scores[..used], scale, &mut deltas[..used]);
        self.network
            .backward(theta, (x, rows), &mut self.space, gradient);
        let l2 = self.plan.l2 / (self.classes.len() as f64 * mean_weight);
        if l2 > 0.0 {
            let mut squares = 0.0;
            for weights in self.network.penalised() {
                let pairs = gradient[weights.clone()].iter_mut().zip(&theta[weights]);
                for (g, w) in pairs {
                    *g += l2 * w;
                    squares += w * w;
                }
            }
            value += 0.5 * l2 * squares;
        }
        value
    }

    /// Trains from `theta`.
    ///
    /// # Errors
    /// [`StageError::Timeout`] past the deadline; [`StageError::Failed`] when the weights run off to
    /// infinity.
    pub(crate) fn run(
        &mut self,
        mut theta: Vec<f64>,
        losses: &mut Losses,
        mut monitor: Option<Monitor>,
        (stream, deadline): (&mut Stream, Deadline),
    ) -> StageResult<Trained> {
        let plan = self.plan;
        let n_batches = self.batches.count();
        let total = plan.budget.steps(n_batches);
        let (epochs, looks) = (
            total.div_ceil(n_batches),
            plan.budget.between_looks(n_batches),
        );
        let mut steps = Steps::new(plan.solver, theta.len());
        let mut gradient = vec![0.0; theta.len()];
        let from = losses.settled(epochs);
        let settled = if from < epochs { from } else { 0 };
        let mut mean = Mean::new(plan.averages, settled.max(epochs / 2));
        let (mut updates, mut training_loss, mut stopped) = (0, 0.0, false);
        let (mut sum, mut since, mut mean_weight, mut progress) = (0.0, 0, 1.0, 0.0);
        while updates < total && !stopped {
            let (epoch, at) = (updates / n_batches, updates % n_batches);
            if at == 0 {
                progress = if epochs > 1 {
                    epoch as f64 / (epochs - 1) as f64
                } else {
                    1.0
                };
                self.draw(progress, stream);
            }
            let loss = losses.at(epoch, from);
            if at == 0 {
                mean_weight = loss.mean_weight(&self.batches.shares(progress));
            }
            deadline.check()?;
            sum += self.value_gradient(&theta, (loss, mean_weight), at, &mut gradient);
            steps.step(
                &mut theta,
                &gradient,
                plan.rate(updates as f64 / total as f64),
            );
            mean.add(epoch, &theta);
            updates += 1;
            since += 1;
            if since < looks && updates < total {
                continue;
            }
            training_loss = sum / since as f64;
            (sum, since) = (0.0, 0);
            if !training_loss.is_finite() || theta.iter().any(|t| !t.is_finite()) {
                return Err(StageError::Failed(format!(
                    "the weights ran off to infinity within {updates} updates (epoch {}); standardise the \
                     features or lower `learning_rate`",
                    epoch + 1
                )));
            }
            // Losses of different terms do not compare: watching starts with the last ones.
            if let Some(monitor) = monitor.as_mut().filter(|_| epoch >= settled) {
                loss.meet_shares(&self.batches.shares(1.0));
                let held = monitor.loss(self.network, &theta, loss, &mut self.space);
                stopped = monitor.note(held, &theta);
            }
        }
        let still_fell = !stopped && monitor.as_ref().is_some_and(Monitor::still_fell);
        let best = monitor.and_then(Monitor::finish);
        let validation_loss = best.as_ref().map(|(loss, _)| *loss);
        let theta = match best {
            Some((_, best)) => best,
            None => mean.finish(theta),
        };
        Ok(Trained {
            theta,
            updates,
            epochs: updates as f64 / n_batches as f64,
            training_loss,
            validation_loss,
            still_fell,
        })
    }
}

impl Plan {
    /// The learning rate when this share of the steps is done.
    fn rate(&self, done: f64) -> f64 {
        if self.decays {
            self.learning_rate * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
        } else {
            self.learning_rate
        }
    }
}

/// Mean of the parameters over the steps from some epoch on.
#[derive(Debug)]
struct Mean {
    from: Option<usize>,
    value: Vec<f64>,
    steps: f64,
}

impl Mean {
    fn new(wanted: bool, from: usize) -> Self {
        Self {
            from: wanted.then_some(from),
            value: Vec::new(),
            steps: 0.0,
        }
    }

    fn add(&mut self, epoch: usize, theta: &[f64]) {
        if self.from.is_none_or(|from| epoch < from) {
            return;
        }
        self.steps += 1.0;
        if self.value.is_empty() {
            self.value.extend_from_slice(theta);
            return;
        }
        for (m, t) in self.value.iter_mut().zip(theta) {
            *m += (t - *m) / self.steps;
        }
    }

    fn finish(self, last: Vec<f64>) -> Vec<f64> {
        if self.value.is_empty() {
            last
        } else {
            self.value
        }
    }
}
