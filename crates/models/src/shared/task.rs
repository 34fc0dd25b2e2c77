//! What a learner is asked to fit, checked: finite features, the classes that are present, and the
//! terms of the loss restricted to those.

use std::borrow::Cow;

use counterweight_core::{
    LossNeeds, LossTerms, Matrix, Note, Prior, ScoreKind, Scores, StageContext, StageError,
    StageResult, Train,
};

use super::constant::Constant;

/// A checked learning task. Classes are renumbered `0..n_present`: a class without rows, or whose
/// rows all have weight 0, takes no part in the fit and gets log-score negative infinity.
#[derive(Debug)]
pub(crate) struct Task<'a> {
    /// The rows of the present classes.
    pub(crate) x: Cow<'a, Matrix>,
    /// Their classes, renumbered.
    pub(crate) y: Vec<u32>,
    /// The original number of each present class, ascending.
    pub(crate) present: Vec<usize>,
    /// Rows of each present class.
    pub(crate) counts: Vec<usize>,
    /// Class weight of each present class, above 0.
    pub(crate) weights: Vec<f64>,
    /// Additive margins between present classes, row-major.
    pub(crate) margins: Vec<f64>,
    /// Multiplicative factor of each present class.
    pub(crate) factors: Vec<f64>,
    /// All classes, absent ones included.
    pub(crate) n_classes: usize,
    /// Whether the rows come as they are, with missing values.
    pub(crate) raw: bool,
    /// What each row weighs beside its class, where rows have weights: 1 on average over the training rows.
    pub(crate) own: Option<Vec<f64>>,
    /// What the rows of each present class weigh beside its class weight: their number, where rows have none.
    masses: Vec<f64>,
    /// The group of each row, where rows have groups: whoever holds rows out holds out whole groups.
    pub(crate) groups: Option<Vec<u32>>,
}

impl<'a> Task<'a> {
    /// Checks what a learner that honours `honours` is given.
    ///
    /// # Errors
    /// [`StageError::Failed`] without rows, for features that are not finite, and for terms that are
    /// not numbers or mask a class that has rows; [`StageError::NotApplicable`] for terms that the
    /// learner does not honour, which planning should have refused.
    pub(crate) fn new(
        train: &'a Train,
        terms: &LossTerms,
        honours: LossNeeds,
    ) -> StageResult<Self> {
        Self::checked(train, terms, honours, false)
    }

    /// As [`Task::new`], where `raw` says that rows come as they are: NaN is a missing value.
    ///
    /// # Errors
    /// As [`Task::new`]; infinity is refused.
    pub(crate) fn checked(
        train: &'a Train,
        terms: &LossTerms,
        honours: LossNeeds,
        raw: bool,
    ) -> StageResult<Self> {
        let samples = train.samples();
        let n_classes = samples.y().n_classes();
        let failed = |text: String| Err(StageError::Failed(text));
        if samples.n_rows() == 0 {
            return failed("there are no training rows".into());
        }
        if let Some((row, column)) = first_odd(samples.x(), raw) {
            return failed(format!(
                "training row {row}, column {column} is not a finite number; impute before fitting"
            ));
        }
        let counts = train.counts();
        let masses = counts.masses();
        let counts = counts.as_slice();
        let shapes = [
            terms.weights.len(),
            terms.factors.len(),
            terms.margins.rows(),
            terms.margins.cols(),
        ];
        if shapes.iter().any(|&len| len != n_classes) {
            return failed(format!(
                "the loss has terms for {shapes:?} classes, the training rows have {n_classes}"
            ));
        }
        // With a schedule, a class takes part that counts at any time.
        let weighted = |k: usize| {
            let later = terms.later.as_ref();
            let counts_later = later.is_some_and(|later| later.terms.weights.get(k) > Some(&0.0));
            !honours.weights || terms.weights[k] > 0.0 || counts_later
        };
        let with_rows: Vec<usize> = (0..n_classes).filter(|&k| counts[k] > 0).collect();
        for &k in &with_rows {
            let w = terms.weights[k];
            if !(w.is_finite() && w >= 0.0) {
                return failed(format!(
                    "class weight {w} of class {k} is not a number >= 0"
                ));
            }
        }
        let present: Vec<usize> = with_rows.into_iter().filter(|&k| weighted(k)).collect();
        if present.is_empty() {
            return failed("every training row has weight 0".into());
        }
        let weights: Vec<f64> = present.iter().map(|&k| terms.weights[k]).collect();
        let factors: Vec<f64> = present.iter().map(|&k| terms.factors[k]).collect();
        let mut margins = Vec::with_capacity(present.len() * present.len());
        for &y in &present {
            for &j in &present {
                let margin = if y == j { 0.0 } else { terms.margins.at(y, j) };
                if !margin.is_finite() {
                    return failed(format!(
                        "margin {margin} between the classes {y} and {j}, which both have training \
                         rows; only absent classes can be masked"
                    ));
                }
                margins.push(margin);
            }
        }
        if let Some(odd) = factors.iter().find(|d| !(d.is_finite() && **d > 0.0)) {
            return failed(format!("factor {odd} of the loss is not a number above 0"));
        }
        let asked = LossNeeds {
            weights: weights.iter().any(|w| differs(*w, 1.0)),
            margins: margins.iter().any(|a| differs(*a, 0.0)),
            factors: factors.iter().any(|d| differs(*d, 1.0)),
            focal: differs(terms.focal, 0.0),
            schedule: terms.later.is_some(),
            minibatches: terms.batch_tau.is_some() || train.batches().is_some(),
            initial_bias: terms.initial_bias.is_some(),
            row_weights: samples.y().is_weighted(),
        };
        refuse_unless(honours.weights || !asked.weights, "class weights")?;
        refuse_unless(honours.margins || !asked.margins, "margins")?;
        refuse_unless(honours.factors || !asked.factors, "multiplicative factors")?;
        refuse_unless(honours.focal || !asked.focal, "a focal power")?;
        refuse_unless(honours.schedule || !asked.schedule, "a schedule of losses")?;
        refuse_unless(honours.minibatches || !asked.minibatches, "minibatches")?;
        refuse_unless(honours.row_weights || !asked.row_weights, "weights of rows")?;
        refuse_unless(
            honours.initial_bias || !asked.initial_bias,
            "an initial output bias",
        )?;

        let mut renumbered = vec![None; n_classes];
        for (to, &from) in (0_u32..).zip(&present) {
            renumbered[from] = Some(to);
        }
        let mut rows = Vec::with_capacity(samples.n_rows());
        let mut y = Vec::with_capacity(samples.n_rows());
        for i in 0..samples.n_rows() {
            if let Some(class) = renumbered[samples.y().class(i)] {
                rows.push(i);
                y.push(class);
            }
        }
        let x = if rows.len() == samples.n_rows() {
            Cow::Borrowed(samples.x())
        } else {
            Cow::Owned(samples.x().select_rows(&rows))
        };
        let counts = present.iter().map(|&k| counts[k]).collect();
        let masses = present.iter().map(|&k| masses[k]).collect();
        let own = samples.y().weights();
        let own = own.map(|all| rows.iter().map(|&i| all[i]).collect());
        let groups = train.groups();
        let groups = groups.map(|all| rows.iter().map(|&i| all[i]).collect());
        Ok(Self {
            x,
            y,
            present,
            counts,
            weights,
            margins,
            factors,
            n_classes,
            raw,
            own,
            masses,
            groups,
        })
    }

    /// Number of rows.
    pub(crate) fn n_rows(&self) -> usize {
        self.y.len()
    }

    /// Number of features.
    pub(crate) fn n_features(&self) -> usize {
        self.x.cols()
    }

    #[cfg(any(feature = "linfa", feature = "smartcore"))]
    /// Refuses features beyond what a library bears; `why` says what it does above `most`.
    ///
    /// # Errors
    /// [`StageError::Failed`] with the feature.
    pub(crate) fn refuse_above(&self, most: f64, why: &str) -> StageResult<()> {
        match self.x.as_slice().iter().find(|v| v.abs() > most) {
            Some(value) => Err(StageError::Failed(format!(
                "a feature is {value:e}; {why} above {most:e}; standardise the features"
            ))),
            None => Ok(()),
        }
    }

    /// What a model of this task has to keep.
    pub(crate) fn shape(&self) -> Shape {
        Shape {
            n_features: self.n_features(),
            raw: self.raw,
            present: self.present.clone(),
            n_classes: self.n_classes,
        }
    }

    /// Number of present classes.
    pub(crate) fn n_present(&self) -> usize {
        self.present.len()
    }

    /// What row `i` weighs beside its class.
    #[inline]
    pub(crate) fn own(&self, i: usize) -> f64 {
        self.own.as_ref().map_or(1.0, |own| own[i])
    }

    /// What the rows of each present class weigh beside its class weight.
    pub(crate) fn masses(&self) -> &[f64] {
        &self.masses
    }

    /// Weighted rows of each present class.
    pub(crate) fn mass(&self) -> Vec<f64> {
        self.masses
            .iter()
            .zip(&self.weights)
            .map(|(n, w)| n * w)
            .collect()
    }

    /// The constant model when only one class is present: noted as degenerate, never silent.
    pub(crate) fn single_class(
        &self,
        kind: ScoreKind,
        context: &mut StageContext<'_>,
    ) -> Option<Constant> {
        let &[class] = self.present.as_slice() else {
            return None;
        };
        context.note(Note::Degenerate(
            "the training rows have a single class; the model is constant".into(),
        ));
        Some(Constant::certain(class, self.n_classes, self.n_features(), kind).of_raw(self.raw))
    }

    /// The constant model when there is nothing to tell classes apart by: a single class, or no features.
    ///
    /// # Errors
    /// As [`Task::shares_only`].
    pub(crate) fn trivial(
        &self,
        kind: ScoreKind,
        context: &mut StageContext<'_>,
    ) -> StageResult<Option<Constant>> {
        if let Some(constant) = self.single_class(kind, context) {
            return Ok(Some(constant));
        }
        if self.n_features() == 0 {
            let why = "there are no features";
            return self.shares_only(why, kind, context).map(Some);
        }
        Ok(None)
    }

    /// The model that knows the class shares alone, for rows without usable features; `why` completes
    /// the note.
    ///
    /// # Errors
    /// [`StageError::Failed`] when the weighted counts are no prior (they overflow).
    pub(crate) fn shares_only(
        &self,
        why: &str,
        kind: ScoreKind,
        context: &mut StageContext<'_>,
    ) -> StageResult<Constant> {
        let mut mass = vec![0.0; self.n_classes];
        for (&class, m) in self.present.iter().zip(self.mass()) {
            mass[class] = m;
        }
        context.note(Note::Degenerate(format!(
            "{why}; the model knows the class shares alone"
        )));
        let prior = Prior::from_weights(mass)?;
        Ok(Constant::prior(&prior, self.n_features(), kind).of_raw(self.raw))
    }
}

/// What a model keeps of its task: the columns that it takes, and the classes that it tells apart.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) n_features: usize,
    /// Whether rows come as they are: NaN is a missing value.
    pub(crate) raw: bool,
    /// The original number of each present class, ascending.
    pub(crate) present: Vec<usize>,
    pub(crate) n_classes: usize,
}

impl Shape {
    /// Checks rows that are to be scored.
    ///
    /// # Errors
    /// [`StageError::Failed`] for another number of columns or features that are not finite.
    pub(crate) fn check(&self, x: &Matrix) -> StageResult<()> {
        check_rows(x, self.n_features, self.raw)
    }

    /// Puts columns of present classes back among all classes; the others get negative infinity.
    pub(crate) fn widen(&self, log: &Matrix) -> Matrix {
        let mut wide = Matrix::zeros(log.rows(), self.n_classes);
        wide.as_mut_slice().fill(f64::NEG_INFINITY);
        for i in 0..log.rows() {
            for (&class, &score) in self.present.iter().zip(log.row(i)) {
                wide.set(i, class, score);
            }
        }
        wide
    }

    /// Logits of the present classes as scores over all classes.
    ///
    /// # Errors
    /// As [`Scores::logits`].
    pub(crate) fn logits(&self, log: &Matrix) -> StageResult<Scores> {
        Ok(Scores::logits(self.widen(log))?)
    }

    #[cfg(any(feature = "linfa", feature = "smartcore"))]
    /// Votes of `library` for renumbered classes, as scores over all classes.
    ///
    /// # Errors
    /// [`StageError::Failed`] for a vote for no class.
    pub(crate) fn votes(
        &self,
        library: &str,
        votes: impl Iterator<Item = usize>,
    ) -> StageResult<Scores> {
        let class = |vote: usize| self.present.get(vote).and_then(|&k| u32::try_from(k).ok());
        let classes: Option<Vec<u32>> = votes.map(class).collect();
        let classes =
            classes.ok_or_else(|| StageError::Failed(format!("{library}: a vote for no class")))?;
        Ok(Scores::votes(&classes, self.n_classes)?)
    }
}

/// Checks rows that are to be scored; `raw` says that they come as they are: NaN is a missing value.
///
/// # Errors
/// [`StageError::Failed`] for another number of columns or features that are not finite; infinity is
/// refused from raw rows too.
pub(crate) fn check_rows(x: &Matrix, n_features: usize, raw: bool) -> StageResult<()> {
    if x.cols() != n_features {
        return Err(StageError::Failed(format!(
            "the model was fitted on {n_features} columns, the rows to be scored have {}",
            x.cols()
        )));
    }
    match first_odd(x, raw) {
        Some((row, column)) => Err(StageError::Failed(format!(
            "scored row {row}, column {column} is not a finite number; impute before scoring"
        ))),
        None => Ok(()),
    }
}

/// The first entry that is no number, or is infinite where missing values are allowed.
fn first_odd(x: &Matrix, raw: bool) -> Option<(usize, usize)> {
    if !raw {
        return x.first_non_finite();
    }
    let at = x.as_slice().iter().position(|v| v.is_infinite())?;
    Some((at / x.cols(), at % x.cols()))
}

fn differs(value: f64, from: f64) -> bool {
    value.is_nan() || (value - from).abs() > f64::EPSILON
}

fn refuse_unless(fits: bool, what: &str) -> StageResult<()> {
    if fits {
        Ok(())
    } else {
        Err(StageError::NotApplicable(format!(
            "the learner does not honour {what}"
        )))
    }
}
