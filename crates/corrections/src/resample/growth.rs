//! What resamplers build their results with: a training set that grows behind its original rows,
//! and the shared policy for classes too small for k neighbours.

use counterweight_core::{
    Matrix, Note, Origin, Samples, StageContext, StageError, StageResult, Train,
};
use counterweight_numeric::neighbours::Pool;

use super::strategy::Grow;

/// The training rows, first and in order, followed by new ones.
#[derive(Debug)]
pub(crate) struct Growth<'a> {
    from: &'a Samples,
    x: Vec<f64>,
    y: Vec<u32>,
    origins: Vec<Origin>,
    left: Vec<String>,
}

impl<'a> Growth<'a> {
    /// Room for the rows that `targets` asks for, one number a class.
    ///
    /// # Errors
    /// [`StageError::OutOfMemory`] when there is no such room: a count in a sweep file can be
    /// anything, and finding out row by row would end the whole process.
    pub(crate) fn new(from: &'a Samples, targets: &[usize]) -> StageResult<Self> {
        let mut growth = Self {
            from,
            x: Vec::new(),
            y: Vec::new(),
            origins: Vec::new(),
            left: Vec::new(),
        };
        let rows = targets
            .iter()
            .try_fold(0_usize, |sum, &n| sum.checked_add(n));
        let room = rows.filter(|&rows| growth.reserve(rows));
        if room.is_none() {
            return Err(StageError::OutOfMemory(format!(
                "no memory for the rows that `strategy` asks for: {targets:?}; ask for fewer"
            )));
        }
        growth.x.extend_from_slice(from.x().as_slice());
        growth.y.extend_from_slice(from.y().ids());
        growth.origins.extend_from_slice(from.origins());
        Ok(growth)
    }

    fn reserve(&mut self, rows: usize) -> bool {
        rows.checked_mul(self.from.x().cols())
            .is_some_and(|cells| self.x.try_reserve_exact(cells).is_ok())
            && self.y.try_reserve_exact(rows).is_ok()
            && self.origins.try_reserve_exact(rows).is_ok()
    }

    /// Appends a copy of `row`.
    pub(crate) fn copy(&mut self, row: usize) {
        self.x.extend_from_slice(self.from.x().row(row));
        self.y.push(self.from.y().ids()[row]);
        self.origins.push(self.from.origins()[row]);
    }

    /// Appends so many copies of `row`.
    pub(crate) fn copies(&mut self, row: usize, times: usize) {
        for _ in 0..times {
            self.copy(row);
        }
    }

    /// Appends a row made at `base` (whose class it has) towards `neighbour`.
    pub(crate) fn made(&mut self, base: usize, neighbour: usize, values: &[f64]) {
        self.x.extend_from_slice(values);
        self.y.push(self.from.y().ids()[base]);
        self.origins.push(Origin::Synthetic {
            base: original(self.from.origins()[base]),
            neighbour: original(self.from.origins()[neighbour]),
        });
    }

    /// A class that the method cannot enlarge stays as it is, and `why` says so in the outcome.
    pub(crate) fn leave(&mut self, why: String, context: &mut StageContext<'_>) {
        context.note(Note::Clamped(why.clone()));
        self.left.push(why);
    }

    /// The grown training set.
    ///
    /// # Errors
    /// [`StageError::NotApplicable`] when classes were [left](Self::leave) and no other one grew:
    /// the rows as they were must not pass for this method's work.
    pub(crate) fn finish(self, train: &Train) -> StageResult<Train> {
        if !self.left.is_empty() && self.y.len() == self.from.n_rows() {
            return Err(StageError::NotApplicable(self.left.join("; ")));
        }
        let rows = self.y.len();
        let y = self.from.y().with_ids(self.y)?;
        let x = Matrix::from_vec(rows, self.from.x().cols(), self.x)?;
        let grown = Samples::new(x, self.from.kinds().clone(), y, self.origins)?;
        train.derive(|_| Ok(grown))
    }
}

/// A class that is to have more rows.
#[derive(Debug)]
pub(crate) struct Lacking<'a> {
    pub(crate) class: usize,
    pub(crate) name: &'a str,
    /// Its rows, ascending.
    pub(crate) rows: Vec<usize>,
    /// How many more it is to have.
    pub(crate) missing: usize,
}

impl Lacking<'_> {
    /// `k` neighbours of the class, or as many as it has others; `None` once its only row was copied.
    ///
    /// # Errors
    /// As [`StageContext::clamp`].
    pub(crate) fn neighbours(
        &self,
        k: usize,
        growth: &mut Growth<'_>,
        context: &mut StageContext<'_>,
    ) -> StageResult<Option<usize>> {
        let k = neighbours_to_use(k, self.rows.len(), self.name, context)?;
        if k == 0 {
            growth.copies(self.rows[0], self.missing);
        }
        Ok(Some(k).filter(|&k| k > 0))
    }
}

/// Grows each class that `strategy` asks more rows of, one after the other.
///
/// # Errors
/// Those of the strategy and of `each`, no memory, and what [`Growth::finish`] says.
pub(crate) fn grow<'c>(
    train: &Train,
    strategy: &Grow,
    context: &mut StageContext<'c>,
    each: impl FnMut(&Lacking<'_>, &mut Growth<'_>, &mut StageContext<'c>) -> StageResult<()>,
) -> StageResult<Train> {
    grow_beyond(train, strategy, |_| 0, context, each)
}

/// The same with room for more rows than are asked for: so many for a class that grows from these.
///
/// # Errors
/// As [`grow`].
pub(crate) fn grow_beyond<'c>(
    train: &Train,
    strategy: &Grow,
    spare: impl Fn(usize) -> usize,
    context: &mut StageContext<'c>,
    mut each: impl FnMut(&Lacking<'_>, &mut Growth<'_>, &mut StageContext<'c>) -> StageResult<()>,
) -> StageResult<Train> {
    let (samples, counts) = (train.samples(), train.counts());
    let names = samples.y().names();
    let targets = strategy.targets(names, &counts)?;
    let room: Vec<usize> = (targets.iter().zip(counts.as_slice()))
        .map(|(&target, &have)| target.saturating_add(if target > have { spare(have) } else { 0 }))
        .collect();
    let mut growth = Growth::new(samples, &room)?;
    for (class, (target, have)) in targets.iter().zip(counts.as_slice()).enumerate() {
        if target == have {
            continue;
        }
        let lacking = Lacking {
            class,
            name: &names[class],
            rows: Pool::Class(class).rows(samples),
            missing: target - have,
        };
        each(&lacking, &mut growth, context)?;
    }
    growth.finish(train)
}

/// The row of the original data that a row goes back to; a synthetic one to its base.
fn original(origin: Origin) -> usize {
    match origin {
        Origin::Row(row) | Origin::Synthetic { base: row, .. } => row,
    }
}

/// The number of neighbours to use for a class of `rows` rows: `k`, or what the small-class policy
/// makes of it when there are not so many others. Zero means that the class has one row, which can
/// only be copied.
///
/// # Errors
/// As [`StageContext::clamp`].
pub(crate) fn neighbours_to_use(
    k: usize,
    rows: usize,
    class: &str,
    context: &mut StageContext<'_>,
) -> StageResult<usize> {
    if k < rows {
        return Ok(k);
    }
    let used = rows.saturating_sub(1);
    context.clamp(if used == 0 {
        format!("class {class} has 1 row and no neighbour (k = {k}): its row is copied")
    } else {
        format!("k = {k} reduced to {used} for class {class} with {rows} rows")
    })?;
    Ok(used)
}

/// The number of neighbours to look for among all training rows: `wanted`, or what the small-class
/// policy makes of it when there are not so many others.
///
/// # Errors
/// As [`StageContext::clamp`].
pub(crate) fn neighbours_among_all(
    name: &str,
    wanted: usize,
    rows: usize,
    context: &mut StageContext<'_>,
) -> StageResult<usize> {
    if wanted < rows {
        return Ok(wanted);
    }
    let used = rows.saturating_sub(1);
    context.clamp(format!(
        "{name} = {wanted} reduced to {used} for {rows} training rows"
    ))?;
    Ok(used)
}

/// An index drawn in proportion to weights, of which `sums` holds the running sums (not decreasing,
/// the last one above 0). `u` is uniform on `[0, 1)`.
pub(crate) fn pick(sums: &[f64], u: f64) -> usize {
    let total = sums.last().copied().unwrap_or(0.0);
    // The first sum beyond the mark; its own weight is above 0 even when the mark rounds up to the
    // total.
    let at = sums.partition_point(|&sum| sum <= u * total);
    if at < sums.len() {
        at
    } else {
        sums.partition_point(|&sum| sum < total)
    }
}

/// Shares a whole `total` out in proportion to `weights` by largest remainders, the first of equal
/// remainders first. The weights are finite, not negative, and not all 0.
pub(crate) fn apportion(total: usize, weights: &[f64]) -> Vec<usize> {
    let sum: f64 = weights.iter().sum();
    let exact: Vec<f64> = weights.iter().map(|w| total as f64 * (w / sum)).collect();
    let mut shares: Vec<usize> = exact.iter().map(|&share| whole_part(share)).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|&a, &b| {
        let left = |at: usize| exact[at] - exact[at].floor();
        left(b).total_cmp(&left(a)).then(a.cmp(&b))
    });
    let given: usize = shares.iter().sum();
    // Rounding of the shares can leave more than one row a weight to hand out, or one too many.
    for &at in order.iter().cycle().take(total.saturating_sub(given)) {
        shares[at] += 1;
    }
    let mut excess = given.saturating_sub(total);
    for &at in order.iter().rev() {
        let taken = excess.min(shares[at]);
        shares[at] -= taken;
        excess -= taken;
    }
    shares
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count: not negative, and huge values saturate"
)]
fn whole_part(share: f64) -> usize {
    share as usize
}

/// The point a fraction `u` of the way from `from` to `to`: exactly `from` for u = 0 or equal ends,
/// never beyond an end, and finite for finite ends.
pub(crate) fn between(from: f64, to: f64, u: f64) -> f64 {
    let step = to - from;
    let point = if step.is_finite() {
        from + u * step
    } else {
        // The ends are further apart than the largest number.
        (1.0 - u) * from + u * to
    };
    point.clamp(from.min(to), from.max(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_of_nothing_is_never_picked() {
        let sums = [0.0, 0.0, 1.0, 1.0, 3.0, 3.0];
        for (u, at) in [(0.0, 2), (0.3, 2), (0.34, 4), (1.0 - f64::EPSILON / 2.0, 4)] {
            assert_eq!(pick(&sums, u), at, "{u}");
        }
        // The mark rounds up to the total.
        assert_eq!(pick(&[5e-324, 5e-324], 0.9), 0);
    }

    #[test]
    fn shares_add_up_and_follow_the_weights() {
        assert_eq!(apportion(10, &[1.0, 1.0, 1.0]), [4, 3, 3]);
        assert_eq!(apportion(7, &[0.0, 2.0, 5.0]), [0, 2, 5]);
        assert_eq!(apportion(0, &[1.0, 2.0]), [0, 0]);
        assert_eq!(apportion(1, &[0.2, 0.3, 0.25]), [0, 1, 0]);
        for total in 0..200 {
            let shares = apportion(total, &[0.1, 0.7, 1e-9, 3.3, 0.1]);
            assert_eq!(shares.iter().sum::<usize>(), total);
        }
    }

    #[test]
    fn between_never_leaves_the_segment() {
        assert_eq!(between(0.1, 0.7, 0.0).to_bits(), 0.1_f64.to_bits());
        assert_eq!(between(0.3, 0.3, 0.9).to_bits(), 0.3_f64.to_bits());
        let far = between(-1.7e308, 1.7e308, 0.5);
        assert!(far.abs() < 1e293, "{far}");
        let u = 1.0 - f64::EPSILON / 2.0;
        for (a, b) in [(0.1, 0.3), (0.3, 0.1), (-1e-300, 1e300)] {
            let p = between(a, b, u);
            assert!(p >= f64::min(a, b) && p <= f64::max(a, b));
        }
    }
}
