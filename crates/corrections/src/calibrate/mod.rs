//! Calibrators: maps from scores to probabilities, fitted on out-of-fold scores, for the decision
//! [`calibrated`](crate::decide::calibrated).
//!
//! `platt`, `beta` and `isotonic` are for two classes; for more they calibrate each class against the
//! rest and scale the results of a row to sum to 1. `temperature` and `vector-scaling` are multinomial.
//!
//! Probabilities of exactly 0 and 1 are clipped where a logarithm is taken of them: at the machine
//! epsilon, or at the most extreme finite score of the out-of-fold rows where that is further out, so
//! that a score never overtakes another. A class without out-of-fold rows keeps no probability.

use counterweight_core::limit;
use std::fmt::Debug;

use counterweight_core::{
    Calib, Details, Matrix, Note, ScoreSize, Scores, StageError, StageResult, log_softmax,
    log_sum_exp,
};
use counterweight_numeric::elementary::softplus;
use counterweight_numeric::newton::Row;

pub mod beta;
pub mod isotonic;
pub mod platt;
pub mod temperature;
pub mod vector_scaling;

#[cfg(test)]
mod contract;

/// A way to calibrate.
#[derive(Clone, Copy, Debug)]
pub struct CalibratorEntry {
    /// Name in sweep files; also the file's name.
    pub id: &'static str,
    /// Where it comes from.
    pub reference: &'static str,
    /// Fits it to out-of-fold scores of at least two classes.
    pub fit: fn(&Calib) -> FittedCalibrator,
    /// Estimated bytes that the fit takes beside the scores.
    pub takes: fn(&ScoreSize) -> f64,
}

/// Every calibrator, sorted by id.
pub const ALL: &[CalibratorEntry] = &[
    beta::ENTRY,
    isotonic::ENTRY,
    platt::ENTRY,
    temperature::ENTRY,
    vector_scaling::ENTRY,
];

/// The ids of [`ALL`], for the parameter `by`.
pub const WORDS: &[&str] = &{
    let mut words = [""; ALL.len()];
    let mut at = 0;
    while at < words.len() {
        words[at] = ALL[at].id;
        at += 1;
    }
    words
};

/// A fitted map from scores to probabilities.
pub trait Calibrator: Debug + Send + Sync {
    /// The calibrated probabilities of rows.
    ///
    /// # Errors
    /// When the scores have another number of classes.
    fn calibrate(&self, scores: &Scores) -> StageResult<Scores>;
}

/// A calibrator with what is to be known about it.
#[derive(Debug)]
pub struct FittedCalibrator {
    /// The map.
    pub map: Box<dyn Calibrator>,
    /// Its parameters, for details.parquet.
    pub details: Details,
    /// What a reader of the result has to know.
    pub notes: Vec<Note>,
}

/// Minus the logarithm of the machine epsilon: where a probability of 0 is clipped.
pub(crate) const FLOOR: f64 = 36.043_653_389_117_15;

/// Classes with out-of-fold rows, and where logarithms of 0 are clipped.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) present: Vec<usize>,
    n_classes: usize,
    limit: f64,
}

/// `ln p` and `ln (1 - p)` of one class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LogPair {
    pub(crate) yes: f64,
    pub(crate) no: f64,
}

impl Frame {
    pub(crate) fn new(calib: &Calib) -> Self {
        let counts = calib.labels().counts();
        let mut frame = Self {
            present: (0..counts.n_classes())
                .filter(|&k| counts.as_slice()[k] > 0)
                .collect(),
            n_classes: counts.n_classes(),
            limit: FLOOR,
        };
        let mut furthest = FLOOR;
        for (at, row) in calib.scores().log().iter_rows().enumerate() {
            limit::ask_at(at);
            let row = frame.known(row);
            for at in 0..row.len() {
                let pair = raw_pair(&row, at);
                for value in [pair.yes, pair.no] {
                    if value.is_finite() {
                        furthest = furthest.max(-value);
                    }
                }
            }
        }
        frame.limit = furthest;
        frame
    }

    /// The log-probabilities of the present classes, normalised among themselves; even where the row has
    /// none of them.
    fn known(&self, row: &[f64]) -> Vec<f64> {
        let mut known: Vec<f64> = self.present.iter().map(|&k| row[k]).collect();
        if !known.iter().any(|s| s.is_finite()) {
            known.fill(0.0);
        }
        log_softmax(&mut known);
        known
    }

    /// Log-probabilities of the present classes with zeros clipped.
    pub(crate) fn logs(&self, row: &[f64]) -> Vec<f64> {
        let mut known = self.known(row);
        for value in &mut known {
            *value = value.max(-self.limit);
        }
        known
    }

    /// The pair of each present class, clipped.
    pub(crate) fn pairs(&self, row: &[f64]) -> Vec<LogPair> {
        let known = self.known(row);
        let clipped = |at| {
            let pair = raw_pair(&known, at);
            LogPair {
                yes: pair.yes.max(-self.limit),
                no: pair.no.max(-self.limit),
            }
        };
        (0..known.len()).map(clipped).collect()
    }

    /// Scores of all classes from log-probabilities of the present ones, up to a constant a row.
    fn widen(&self, rows: usize, known: impl Fn(usize) -> Vec<f64>) -> StageResult<Scores> {
        let mut log = Matrix::zeros(rows, self.n_classes);
        for i in 0..rows {
            limit::ask_at(i);
            let row = log.row_mut(i);
            row.fill(f64::NEG_INFINITY);
            for (&k, value) in self.present.iter().zip(known(i)) {
                row[k] = value;
            }
        }
        Ok(Scores::logits(log)?)
    }

    /// Maps each row's present classes, whatever comes out being scaled to sum to 1.
    pub(crate) fn map(
        &self,
        scores: &Scores,
        known: impl Fn(&[f64]) -> Vec<f64>,
    ) -> StageResult<Scores> {
        if scores.n_classes() != self.n_classes {
            return Err(StageError::Failed(format!(
                "the scores have {} classes, the calibrator {}",
                scores.n_classes(),
                self.n_classes
            )));
        }
        self.widen(scores.n_rows(), |i| known(scores.log().row(i)))
    }

    /// Which of the present classes each row is of.
    pub(crate) fn truth(&self, calib: &Calib) -> Vec<usize> {
        let mut place = vec![0; self.n_classes];
        for (at, &k) in self.present.iter().enumerate() {
            place[k] = at;
        }
        (0..calib.labels().len())
            .map(|i| place[calib.labels().class(i)])
            .collect()
    }
}

fn raw_pair(known: &[f64], at: usize) -> LogPair {
    let yes = known[at];
    if let [zero, one] = known {
        return if at == 0 {
            LogPair { yes, no: *one }
        } else {
            LogPair { yes, no: *zero }
        };
    }
    let p = yes.exp();
    let no = if p <= 0.5 {
        (-p).ln_1p()
    } else {
        let others: Vec<f64> = (0..known.len())
            .filter(|&j| j != at)
            .map(|j| known[j])
            .collect();
        log_sum_exp(&others)
    };
    LogPair { yes, no }
}

/// A calibrated map of one class against the rest, fitted to rows and whether they are of the class.
pub(crate) trait Binary: Debug + Send + Sync + Sized {
    /// `ln p` and `ln (1 - p)` after calibration.
    fn apply(&self, pair: LogPair) -> LogPair;
}

/// One-vs-rest, or for two classes the one map.
#[derive(Debug)]
struct OneVsRest<B> {
    frame: Frame,
    /// One a present class; for two classes that of the second alone.
    maps: Vec<B>,
}

impl<B: Binary> Calibrator for OneVsRest<B> {
    fn calibrate(&self, scores: &Scores) -> StageResult<Scores> {
        self.frame.map(scores, |row| {
            let pairs = self.frame.pairs(row);
            if let [map] = &self.maps[..] {
                let pair = map.apply(pairs[1]);
                return vec![pair.no, pair.yes];
            }
            let apply = |(map, pair): (&B, LogPair)| map.apply(pair).yes;
            self.maps.iter().zip(pairs).map(apply).collect()
        })
    }
}

/// A row of a class against the rest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SideRow {
    pub(crate) pair: LogPair,
    /// Whether it is of the class.
    pub(crate) yes: bool,
    /// What it weighs; 1 where rows have no weights.
    pub(crate) weight: f64,
}

/// What a class against the rest is fitted to: rows, and what those of the class and the others weigh.
pub(crate) struct Sides {
    pub(crate) rows: Vec<SideRow>,
    pub(crate) yes: f64,
    pub(crate) no: f64,
}

impl Sides {
    /// Log odds of the class, each side with a row of weight 1 more.
    pub(crate) fn log_odds(&self) -> f64 {
        ((self.yes + 1.0) / (self.no + 1.0)).ln()
    }

    /// The rows of a logistic loss.
    pub(crate) fn logistic<const N: usize>(
        &self,
        targets: [f64; 2],
        features: impl Fn(LogPair) -> [f64; N],
    ) -> Vec<Row<N>> {
        let of = |row: &SideRow| Row {
            weight: row.weight,
            ..Row::new(features(row.pair), targets[usize::from(row.yes)])
        };
        self.rows.iter().map(of).collect()
    }

    /// Platt's targets: the posterior means of a share under a uniform prior.
    pub(crate) fn smoothed(&self) -> [f64; 2] {
        [1.0 / (self.no + 2.0), (self.yes + 1.0) / (self.yes + 2.0)]
    }
}

/// Fits one map for each class against the rest; one for two classes. `fit` gives the map, its numbers by
/// name and notes; for more than two classes the names carry the class's number.
pub(crate) fn one_vs_rest<B: Binary + 'static>(
    calib: &Calib,
    fit: impl Fn(&Sides) -> (B, Vec<(&'static str, f64)>, Vec<Note>),
) -> FittedCalibrator {
    let frame = Frame::new(calib);
    let truth = frame.truth(calib);
    let own = calib.labels().weights();
    let pairs: Vec<Vec<LogPair>> = calib
        .scores()
        .log()
        .iter_rows()
        .enumerate()
        .map(|(at, row)| {
            limit::ask_at(at);
            frame.pairs(row)
        })
        .collect();
    let two = frame.present.len() == 2;
    let which: Vec<usize> = if two {
        vec![1]
    } else {
        (0..frame.present.len()).collect()
    };
    let mut maps = Vec::with_capacity(which.len());
    let (mut details, mut notes) = (Details::new(), Vec::new());
    for at in which {
        limit::ask();
        let rows: Vec<SideRow> = pairs
            .iter()
            .zip(&truth)
            .enumerate()
            .map(|(row, (pairs, &y))| SideRow {
                pair: pairs[at],
                yes: y == at,
                weight: own.as_ref().map_or(1.0, |own| own[row]),
            })
            .collect();
        let mass = |yes: bool| -> f64 {
            let own = rows.iter().filter(|row| row.yes == yes);
            own.map(|row| row.weight).sum()
        };
        let (yes, no) = (mass(true), mass(false));
        let (map, numbers, said) = fit(&Sides { rows, yes, no });
        maps.push(map);
        for (name, value) in numbers {
            let name = if two {
                name.to_owned()
            } else {
                format!("{name}[{}]", frame.present[at])
            };
            details.insert(name, value);
        }
        for note in said {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    FittedCalibrator {
        map: Box::new(OneVsRest { frame, maps }),
        details,
        notes,
    }
}

/// The pair of the probability whose log odds are `z`.
pub(crate) fn of_log_odds(z: f64) -> LogPair {
    LogPair {
        yes: -softplus(-z),
        no: -softplus(z),
    }
}
