//! The loss that trees are grown for: its terms at each round, its Newton steps and its mean.

use counterweight_core::{LossTerms, StageError, StageResult};

use crate::shared::kernel::Kernel;
use crate::shared::task::Task;

/// Terms that hold for some rounds.
#[derive(Debug)]
struct Phase {
    /// The first round that it holds for.
    from: usize,
    kernel: Kernel,
    /// Weight of each present class, or of each row where rows have weights of their own.
    weights: Vec<f64>,
}

/// The loss of rows, by rounds.
#[derive(Debug)]
pub(crate) struct Objective<'a> {
    task: &'a Task<'a>,
    /// One phase, or two where other terms come later.
    phases: Vec<Phase>,
    at: usize,
    /// Which weight is that of each row, where that is not its class's: its own.
    numbers: Option<Vec<u32>>,
}

impl<'a> Objective<'a> {
    /// The loss of `terms` over so many rounds; terms that come later hold from their share of the
    /// rounds on, rounded.
    ///
    /// # Errors
    /// [`StageError::Failed`] for terms that are no numbers, or a share of the rounds outside 0..=1.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of the rounds, checked to lie between 0 and 1"
    )]
    pub(crate) fn new(task: &'a Task<'a>, terms: &LossTerms, rounds: usize) -> StageResult<Self> {
        let phase = |from: usize, terms: &LossTerms| -> StageResult<Phase> {
            let classes: Vec<f64> = task.present.iter().map(|&k| terms.weights[k]).collect();
            let own = |(own, class): (&f64, &u32)| own * classes[*class as usize];
            Ok(Phase {
                from,
                kernel: Kernel::of(task, terms)?,
                weights: match &task.own {
                    Some(all) => all.iter().zip(&task.y).map(own).collect(),
                    None => classes,
                },
            })
        };
        let mut phases = vec![phase(0, terms)?];
        if let Some(later) = &terms.later {
            if !(0.0..=1.0).contains(&later.at) {
                return Err(StageError::Failed(format!(
                    "the later terms of the loss begin at {} of the rounds; give a share from 0 to 1",
                    later.at
                )));
            }
            let from = (later.at * rounds as f64).round() as usize;
            phases.push(phase(from, &later.terms)?);
        }
        let mut objective = Self {
            task,
            phases,
            at: 0,
            numbers: (task.own.as_ref()).map(|own| (0..).take(own.len()).collect()),
        };
        objective.advance(0);
        Ok(objective)
    }

    /// Moves on to the terms of a round; whether they are others than before.
    pub(crate) fn advance(&mut self, round: usize) -> bool {
        let before = self.at;
        while self.at + 1 < self.phases.len() && round >= self.phases[self.at + 1].from {
            self.at += 1;
        }
        self.at != before
    }

    /// Whether the terms of this round hold to the end.
    pub(crate) fn is_last(&self) -> bool {
        self.at + 1 == self.phases.len()
    }

    /// The loss kernel of this round.
    pub(crate) fn kernel(&self) -> &Kernel {
        &self.phases[self.at].kernel
    }

    /// Number of scores of a row.
    pub(crate) fn n_scores(&self) -> usize {
        self.kernel().n_scores()
    }

    /// Class of every row and weight of each class in this round, or numbers and weights of the rows; `None` where all
    /// weights are 1.
    pub(crate) fn weights(&self) -> Option<(&[u32], &[f64])> {
        let weights = &self.phases[self.at].weights;
        let even = weights.iter().all(|w| (w - 1.0).abs() < f64::EPSILON);
        (!even).then_some((self.weight_of(), weights.as_slice()))
    }

    /// Which weight is that of each row.
    fn weight_of(&self) -> &[u32] {
        self.numbers.as_deref().unwrap_or(&self.task.y)
    }

    /// What the lightest row weighs in this round, and all rows.
    pub(crate) fn weight(&self) -> (f64, f64) {
        let weights = &self.phases[self.at].weights;
        let lightest = weights.iter().copied().fold(f64::INFINITY, f64::min);
        if self.numbers.is_some() {
            return (lightest, weights.iter().sum());
        }
        let rows = weights.iter().zip(&self.task.counts);
        let all: f64 = rows.map(|(w, &n)| w * n as f64).sum();
        (lightest, all)
    }

    /// Gradient and Hessian of each of `rows`, by score. With more than two classes the Hessian is
    /// K / (K - 1) of the loss's: K trees step at once, each as if alone.
    pub(crate) fn steps(&self, rows: &[u32], scores: &[f64], steps: &mut [Vec<[f64; 2]>]) {
        let n_scores = steps.len();
        let kernel = self.kernel();
        if let [steps] = steps {
            for &row in rows {
                let row = row as usize;
                let y = self.task.y[row] as usize;
                kernel.newton(y, &scores[row..=row], &mut steps[row..=row]);
                steps[row] = steps[row].map(|step| step * self.task.own(row));
            }
            return;
        }
        let together = n_scores as f64 / (n_scores - 1) as f64;
        let mut own = vec![[0.0; 2]; n_scores];
        for &row in rows {
            let row = row as usize;
            let y = self.task.y[row] as usize;
            kernel.newton(y, &scores[row * n_scores..(row + 1) * n_scores], &mut own);
            let weight = self.task.own(row);
            for (steps, [g, h]) in steps.iter_mut().zip(&own) {
                steps[row] = [weight * g, weight * (together * h)];
            }
        }
    }

    /// Weighted mean loss of some rows; NaN without rows.
    pub(crate) fn mean(&self, rows: &[u32], scores: &[f64]) -> f64 {
        let n_scores = self.n_scores();
        let weights = &self.phases[self.at].weights;
        let mut gradient = vec![0.0; n_scores];
        let (mut sum, mut total) = (0.0, 0.0);
        for &row in rows {
            let row = row as usize;
            let y = self.task.y[row] as usize;
            let f = &scores[row * n_scores..(row + 1) * n_scores];
            sum += self.task.own(row) * self.kernel().loss(y, f, &mut gradient);
            total += weights[self.weight_of()[row] as usize];
        }
        sum / total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{blobs, offset, train, weighted};
    use counterweight_core::{Later, LossNeeds};

    const ALL: LossNeeds = LossNeeds {
        weights: true,
        margins: true,
        factors: true,
        focal: true,
        schedule: true,
        ..LossNeeds::NONE
    };

    #[test]
    fn steps_are_the_gradient_of_the_mean_loss() {
        let (x, y) = blobs(34, &[5, 4, 3], 2);
        for (k, focal) in [(2, 0.0), (2, 1.7), (3, 0.0), (3, 0.6)] {
            let y: Vec<u32> = y.iter().map(|&c| c.min(k - 1)).collect();
            let k = k as usize;
            let data = train(&x, &y, k);
            let mut terms = offset(&[0.0, -1.0, 0.7][..k]);
            terms.weights = [1.0, 2.0, 0.5][..k].to_vec();
            terms.factors = [1.0, 0.6, 1.3][..k].to_vec();
            terms.focal = focal;
            let task = Task::new(&data, &terms, ALL).unwrap();
            let loss = Objective::new(&task, &terms, 1).unwrap();
            let c = loss.n_scores();
            let scores: Vec<f64> = (0..12 * c)
                .map(|i| ((i * 7) % 5) as f64 * 0.6 - 1.2)
                .collect();
            let mut steps = vec![vec![[0.0; 2]; 12]; c];
            let all: Vec<u32> = (0..12).collect();
            loss.steps(&all, &scores, &mut steps);
            for row in 0..12 {
                for j in 0..c {
                    let at = |shift: f64| {
                        let mut moved = scores.clone();
                        moved[row * c + j] += shift;
                        let w = task.weights[task.y[row] as usize];
                        w * loss.mean(&[u32::try_from(row).unwrap()], &moved)
                    };
                    let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
                    let [g, h] = steps[j][row];
                    assert!((slope - g).abs() < 1e-8, "{slope} {g}");
                    assert!(h > 0.0);
                    if focal <= 0.0 {
                        let bend = (at(1e-3) - 2.0 * at(0.0) + at(-1e-3)) / 1e-6;
                        let alone = if c == 1 { h } else { h * 2.0 / 3.0 };
                        assert!((bend - alone).abs() < 1e-5, "{bend} {alone}");
                    }
                }
            }
        }
    }

    #[test]
    fn later_terms_hold_from_their_share_of_the_rounds() {
        let (x, y) = blobs(37, &[6, 4], 2);
        let data = train(&x, &y, 2);
        let mut terms = LossTerms::cross_entropy(2);
        terms.later = Some(Box::new(Later {
            at: 0.6,
            terms: weighted(&[1.0, 3.0]),
        }));
        let task = Task::new(&data, &terms, ALL).unwrap();
        let mut loss = Objective::new(&task, &terms, 10).unwrap();
        let mut changes = Vec::new();
        for round in 0..10 {
            if loss.advance(round) {
                changes.push(round);
            }
            assert_eq!(loss.weights().is_some(), round >= 6);
            assert_eq!(loss.is_last(), round >= 6);
        }
        assert_eq!(changes, [6]);
        terms.later.as_mut().unwrap().at = 1.5;
        assert!(Objective::new(&task, &terms, 10).is_err());
    }
}
