//! What resamplers build their results with: a training set that grows behind its original rows,
//! and the shared policy for classes too small for k neighbours.

use counterweight_core::{
    Labels, Matrix, Origin, Samples, StageContext, StageError, StageResult, Train,
};

/// The training rows, first and in order, followed by new ones.
#[derive(Debug)]
pub(crate) struct Growth<'a> {
    from: &'a Samples,
    x: Vec<f64>,
    y: Vec<u32>,
    origins: Vec<Origin>,
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

    /// Appends a row made at `base` (whose class it has) towards `neighbour`.
    pub(crate) fn made(&mut self, base: usize, neighbour: usize, values: &[f64]) {
        self.x.extend_from_slice(values);
        self.y.push(self.from.y().ids()[base]);
        self.origins.push(Origin::Synthetic {
            base: original(self.from.origins()[base]),
            neighbour: original(self.from.origins()[neighbour]),
        });
    }

    pub(crate) fn finish(self, train: &Train) -> StageResult<Train> {
        let rows = self.y.len();
        let y = Labels::new(self.y, self.from.y().names().clone())?;
        let x = Matrix::from_vec(rows, self.from.x().cols(), self.x)?;
        let grown = Samples::new(x, self.from.kinds().clone(), y, self.origins)?;
        train.derive(|_| Ok(grown))
    }
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
