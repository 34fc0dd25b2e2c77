//! A unit's rows: drawn or cut, preprocessed by what the training rows say, and cut once more for
//! cross-fitting.

use std::sync::{Arc, OnceLock};

use counterweight_core::{
    Column, ColumnKind, ColumnValues, Dataset, Matrix, Note, Partition, Samples, Shared,
    StageResult, Test, Train,
};
use counterweight_data::populations::{Lines, bayes_balanced_error, draw};
use counterweight_data::preprocess::{Encoder, Preprocess, Preprocessor};
use counterweight_data::split::inner_folds;

use crate::plan::{Input, InputKind, Plan, Rows, Unit};

/// Rows that are ready for resamplers: nominal columns are codes, and the encoder that turns them
/// into numbers is fitted.
pub(crate) struct Prepared {
    /// Training rows, nominal columns as codes.
    pub(crate) train: Train,
    /// Test rows, encoded.
    pub(crate) test: Test,
    /// Fitted on the training rows.
    pub(crate) encoder: Encoder,
    /// The rows for learners that take them as they are, where the plan has any.
    pub(crate) raw: Option<Raw>,
    /// Values shared by all stages on these training rows.
    pub(crate) shared: Shared,
}

/// Rows for learners that take them as they are.
pub(crate) struct Raw {
    /// Training rows: nominal columns as codes, missing values as NaN.
    pub(crate) train: Train,
    /// Test rows likewise.
    pub(crate) test: Test,
    /// Test rows for what is fitted on resampled rows: imputed, nominal columns as codes.
    pub(crate) imputed: Test,
}

impl Prepared {
    /// Fits preprocessing and encoding on the training part only.
    pub(super) fn new(
        kind: Preprocess,
        data: &Dataset,
        partition: &Partition,
        with_raw: bool,
    ) -> StageResult<Self> {
        let (raw_train, raw_test) = partition.cut(data);
        let preprocessor = Preprocessor::fit(kind, &raw_train)?;
        let (train, test) = partition.assign(
            preprocessor.apply(&raw_train)?,
            preprocessor.apply(&raw_test)?,
        )?;
        let groups = raw_train.groups();
        let train = train.with_groups(groups.cloned());
        let raw = if with_raw {
            let own = Preprocessor::fit_raw(kind, &raw_train)?;
            let parts = partition.assign(own.apply(&raw_train)?, own.apply(&raw_test)?)?;
            Some(Raw {
                train: parts.0.with_groups(groups.cloned()),
                test: parts.1,
                imputed: test.clone(),
            })
        } else {
            None
        };
        let encoder = Encoder::fit(train.samples());
        let test = test.derive(|samples| encoder.apply(samples))?;
        Ok(Self {
            train,
            test,
            encoder,
            raw,
            shared: Shared::default(),
        })
    }
}

/// One inner fold.
pub(crate) struct Inner {
    /// Its training rows, and its held-out rows as test rows.
    pub(crate) prepared: Prepared,
    /// The held-out rows, as rows of the outer training set.
    pub(crate) held: Vec<usize>,
}

/// All that is shared by the cells of a unit.
pub(crate) struct UnitData {
    /// The outer split.
    pub(crate) outer: Prepared,
    /// Bayes-optimal balanced error of the very test rows, for populations.
    pub(crate) bayes: Option<f64>,
    /// What affine scores of the test rows are read off by, for sweeps that ask for exact errors on populations of
    /// two classes.
    pub(super) lines: Option<Lines>,
    /// The raw training rows: preprocessing is fitted anew inside each inner fold.
    pub(super) raw_train: Dataset,
    preprocess: Preprocess,
    inner: OnceLock<StageResult<InnerFolds>>,
}

/// The inner folds and what a reader has to know of them.
pub(crate) type InnerFolds = Arc<(Vec<Inner>, Vec<Note>)>;

impl UnitData {
    /// Draws or cuts the rows of `unit`.
    pub(crate) fn new(plan: &Plan, unit: &Unit) -> StageResult<Self> {
        let input = &plan.inputs[unit.input];
        let (data, partition, (bayes, lines)) = rows(plan, input, unit)?;
        let outer = Prepared::new(input.preprocess, &data, &partition, wants_raw(plan))?;
        let (raw_train, _) = partition.cut(&data);
        Ok(Self {
            outer,
            bayes,
            lines,
            raw_train,
            preprocess: input.preprocess,
            inner: OnceLock::new(),
        })
    }

    /// The inner folds, cut by the first that asks.
    pub(crate) fn inner(&self, plan: &Plan, unit: &Unit) -> StageResult<InnerFolds> {
        self.inner
            .get_or_init(|| self.cut_inner(plan, unit).map(Arc::new))
            .clone()
    }

    fn cut_inner(&self, plan: &Plan, unit: &Unit) -> StageResult<(Vec<Inner>, Vec<Note>)> {
        let protocol = &plan.sweep.protocol;
        let key = plan.sweep.seed.stage("inner").text(&unit.key);
        let (folds, notes) = inner_folds(
            &self.outer.train,
            protocol.inner_folds,
            protocol.small_class,
            &key,
        )?;
        let n = self.raw_train.n_rows();
        let mut inner = Vec::with_capacity(folds.len());
        for held in folds {
            let mut inside = vec![true; n];
            for &row in &held {
                inside[row] = false;
            }
            let inside = (0..n).filter(|&row| inside[row]).collect();
            let partition = Partition::new(n, inside, held.clone())?;
            let prepared = Prepared::new(
                self.preprocess,
                &self.raw_train,
                &partition,
                wants_raw(plan),
            )?;
            inner.push(Inner { prepared, held });
        }
        Ok((inner, notes))
    }
}

/// Whether a model of the sweep takes rows as they are.
fn wants_raw(plan: &Plan) -> bool {
    let models = &plan.sweep.models;
    models
        .iter()
        .any(|model| model.learner.method.takes_raw_rows())
}

/// What is known of a population's test rows.
type Known = (Option<f64>, Option<Lines>);

fn rows(plan: &Plan, input: &Input, unit: &Unit) -> StageResult<(Dataset, Partition, Known)> {
    match (&input.kind, &unit.rows) {
        (InputKind::Population(spec), Rows::Draw) => {
            let (train, test) = (&unit.train, &unit.test);
            let population = &*spec.population.method;
            // Neither ratio nor size is in the key: ladders are nested and share their test rows.
            let key = plan
                .sweep
                .seed
                .stage("population")
                .text(&input.hash.hex())
                .number(unit.repeat);
            let (train, test) = draw(population, train, test, &key)?;
            let bayes = bayes_balanced_error(population, &test);
            let exact = plan.sweep.protocol.exact_errors && population.n_classes() == 2;
            let lines = exact.then(|| Lines::of(test.features())).flatten();
            let (n_train, n_test) = (train.samples().n_rows(), test.n_rows());
            let data = join(train.samples(), test.samples())?;
            let partition = Partition::new(
                n_train + n_test,
                (0..n_train).collect(),
                (n_train..n_train + n_test).collect(),
            )?;
            Ok((data, partition, (bayes, lines)))
        }
        (InputKind::Real(data), Rows::Cut(partition)) => {
            Ok((data.as_ref().clone(), partition.clone(), (None, None)))
        }
        (_, Rows::None(_, reason)) => Err(counterweight_core::StageError::NotApplicable(
            reason.clone(),
        )),
        _ => Err(counterweight_core::StageError::Failed(
            "the unit has rows of another kind".into(),
        )),
    }
}

/// Codes as a nominal column, as a file would have it: its names sort as the codes do.
fn levels_of(codes: &[f64], levels: usize) -> ColumnValues {
    let digits = levels.saturating_sub(1).to_string().len();
    let names: Vec<String> = (0..levels).map(|l| format!("l{l:0digits$}")).collect();
    let name = |code: &f64| {
        let at = (0..levels).find(|&l| (l as f64 - code).abs() < 0.5);
        at.map(|l| names[l].as_str())
    };
    ColumnValues::nominal(&codes.iter().map(name).collect::<Vec<_>>())
}

/// Drawn rows as a dataset, so that they pass through the same preprocessing as files.
fn join(train: &Samples, test: &Samples) -> StageResult<Dataset> {
    let stacked = |j: usize| -> Vec<f64> {
        let part = |x: &Matrix| x.column(j);
        part(train.x()).into_iter().chain(part(test.x())).collect()
    };
    let column = |(j, kind): (usize, &ColumnKind)| {
        let values = match kind {
            ColumnKind::Nominal { levels } => levels_of(&stacked(j), *levels),
            ColumnKind::Numeric | ColumnKind::Indicator => ColumnValues::Numeric(stacked(j)),
        };
        let name = format!("x{}", j + 1);
        Column { name, values }
    };
    let columns = train.kinds().iter().enumerate().map(column).collect();
    let ids = train
        .y()
        .ids()
        .iter()
        .chain(test.y().ids())
        .copied()
        .collect();
    let labels = train.y().with_ids(ids)?;
    Ok(Dataset::new(columns, labels)?)
}
