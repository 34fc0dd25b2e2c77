//! Which rows and columns a round sees.

use counterweight_core::groups::take_groups;
use counterweight_core::{Seed, StageContext, Stream};
use rand::RngExt as _;

use crate::shared::task::Task;

/// The rows to fit on and those to watch, both ascending.
#[derive(Debug)]
pub(crate) struct Division {
    pub(crate) inside: Vec<u32>,
    pub(crate) held: Vec<u32>,
}

impl Division {
    /// All rows to fit on.
    pub(crate) fn whole(task: &Task<'_>) -> Self {
        Self {
            inside: numbers(task.n_rows()).collect(),
            held: Vec::new(),
        }
    }

    /// Holds out a share of each class, rounded, at most half: a class of one row keeps it for the fit. Where rows
    /// have groups, whole ones are held out, as near to that as they allow.
    pub(crate) fn hold_out(task: &Task<'_>, share: f64, context: &mut StageContext<'_>) -> Self {
        let (mut inside, mut held) = (Vec::new(), Vec::new());
        let mut wanted: Vec<usize> = task
            .counts
            .iter()
            .map(|&n| portion(n, share, 0).min(n / 2))
            .collect();
        if let Some(groups) = &task.groups {
            let key = Seed(context.stream.random()).stage("early stopping");
            let taken = take_groups(&task.y, groups, &wanted, &key);
            let (held, inside) = numbers(task.n_rows()).partition(|&row| taken[row as usize]);
            return Self { inside, held };
        }
        let mut left = task.counts.clone();
        for (row, &class) in numbers(task.n_rows()).zip(&task.y) {
            let class = class as usize;
            if context.stream.random_range(0..left[class]) < wanted[class] {
                wanted[class] -= 1;
                held.push(row);
            } else {
                inside.push(row);
            }
            left[class] -= 1;
        }
        Self { inside, held }
    }
}

/// `0, 1, .. n - 1`; whoever calls has checked that they fit.
fn numbers(n: usize) -> impl Iterator<Item = u32> {
    (0..).take(n)
}

/// A share of `n`, rounded to the nearest whole number of at least `least`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count lies between 0 and the count"
)]
fn portion(n: usize, share: f64, least: usize) -> usize {
    ((n as f64 * share).round() as usize).clamp(least.min(n), n)
}

/// Some of `items`, in their order, each set of that size alike. All of them cost no random number.
pub(crate) fn sample<T: Copy>(items: &[T], share: f64, stream: &mut Stream, kept: &mut Vec<T>) {
    kept.clear();
    let mut wanted = portion(items.len(), share, 1);
    if wanted == items.len() {
        kept.extend_from_slice(items);
        return;
    }
    for (at, &item) in items.iter().enumerate() {
        if stream.random_range(0..items.len() - at) < wanted {
            kept.push(item);
            wanted -= 1;
        }
    }
}
