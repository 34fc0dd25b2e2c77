//! What is said between a program and its worker: a head as JSON, and numbers as they lie in memory, so that every
//! bit arrives.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, IoSlice, Read, Write};
use std::sync::Arc;

use bytemuck::{cast_slice, cast_slice_mut};
use counterweight_core::limit;
use counterweight_core::{
    Labels, LossTerms, Matrix, Note, ParamValue, Params, Partition, Samples, ScoreKind, Scores,
    SmallClass, StageContext, StageError, StageResult, Stream, Train,
};
use rand_chacha::rand_core::SeedableRng as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Given, broken};

/// Rows that were sent, one after the other for fits and for scores: either side keeps the last of each, so that the
/// same rows are handed over once.
#[derive(Debug, Default)]
pub(super) struct Known([Vec<f64>; 2]);

impl Known {
    /// Numbers of rows that are kept at most, 16 MB: what is done with more of them takes much longer than to send them.
    const MOST: usize = 1 << 21;

    fn keep(&mut self, slot: usize, rows: &[f64]) {
        self.0[slot].clear();
        if rows.len() <= Self::MOST {
            self.0[slot].extend_from_slice(rows);
        }
    }

    /// Whether they are the same, to the last bit.
    fn has(&self, slot: usize, rows: &[f64]) -> bool {
        cast_slice::<f64, u8>(&self.0[slot]) == cast_slice::<f64, u8>(rows)
    }
}

/// In place of the number of rows, for those that are known.
const AS_BEFORE: u64 = u64::MAX;

/// One message.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    text: Vec<u8>,
    /// The place of its rows among the known.
    slot: usize,
    pub(super) rows: Cow<'a, [f64]>,
    pub(super) numbers: Vec<f64>,
}

impl<'a> Frame<'a> {
    pub(super) fn new(head: &impl Serialize, numbers: Vec<f64>) -> StageResult<Self> {
        Self::with_rows(head, (0, &[]), numbers)
    }

    fn with_rows(
        head: &impl Serialize,
        (slot, rows): (usize, &'a [f64]),
        numbers: Vec<f64>,
    ) -> StageResult<Self> {
        let text = serde_json::to_vec(head).map_err(|error| broken(&error))?;
        Ok(Self {
            text,
            slot,
            rows: Cow::Borrowed(rows),
            numbers,
        })
    }

    pub(super) fn head<T: DeserializeOwned>(&self) -> StageResult<T> {
        serde_json::from_slice(&self.text).map_err(|error| broken(&error))
    }

    /// In one piece where there is room, so that the other side wakes once.
    pub(super) fn write(&self, to: &mut impl Write, known: &mut Known) -> io::Result<()> {
        let mut rows = &*self.rows;
        let mut n = rows.len() as u64;
        if n > 0 && known.has(self.slot, rows) {
            (rows, n) = (&[], AS_BEFORE);
        } else if n > 0 {
            known.keep(self.slot, rows);
        }
        let numbers = self.numbers.len() as u64;
        let lengths = [self.text.len() as u64, self.slot as u64, n, numbers];
        let parts: [&[u8]; 4] = [
            cast_slice(&lengths),
            &self.text,
            cast_slice(rows),
            cast_slice(&self.numbers),
        ];
        let mut parts = parts.map(IoSlice::new);
        let mut left = &mut parts[..];
        IoSlice::advance_slices(&mut left, 0);
        while !left.is_empty() {
            match to.write_vectored(left) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => IoSlice::advance_slices(&mut left, n),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The next message; `None` at the end.
    pub(super) fn read(
        from: &mut impl Read,
        known: &mut Known,
    ) -> io::Result<Option<Frame<'static>>> {
        let mut lengths = [0; 4];
        match from.read_exact(cast_slice_mut(&mut lengths)) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let length = |of: u64| usize::try_from(of).map_err(io::Error::other);
        let [text, slot, n, rest] = lengths;
        let slot = length(slot)?.min(1);
        let mut frame = Frame {
            text: vec![0; length(text)?],
            slot,
            rows: Cow::default(),
            numbers: Vec::new(),
        };
        from.read_exact(&mut frame.text)?;
        let mut numbers = |of: u64| {
            let mut numbers = vec![0.0; length(of)?];
            from.read_exact(cast_slice_mut(&mut numbers))?;
            Ok::<_, io::Error>(numbers)
        };
        if n == AS_BEFORE {
            frame.rows = Cow::Owned(known.0[slot].clone());
        } else if n > 0 {
            let rows = numbers(n)?;
            known.keep(slot, &rows);
            frame.rows = Cow::Owned(rows);
        }
        frame.numbers = numbers(rest)?;
        Ok(Some(frame))
    }
}

/// A parameter; real numbers by their bits.
#[derive(Debug, Deserialize, Serialize)]
pub(super) enum Value {
    Real(u64),
    Whole(i64),
    Text(String),
    Flag(bool),
    List(Vec<Value>),
    Table(Given),
}

impl From<&ParamValue> for Value {
    fn from(value: &ParamValue) -> Self {
        match value {
            ParamValue::Real(value) => Self::Real(value.to_bits()),
            ParamValue::Whole(value) => Self::Whole(*value),
            ParamValue::Text(text) => Self::Text(text.clone()),
            ParamValue::Flag(flag) => Self::Flag(*flag),
            ParamValue::List(items) => Self::List(items.iter().map(Self::from).collect()),
            ParamValue::Table(entries) => {
                let entries = entries.iter();
                Self::Table(entries.map(|(k, v)| (k.clone(), v.into())).collect())
            }
        }
    }
}

impl From<Value> for ParamValue {
    fn from(value: Value) -> Self {
        match value {
            Value::Real(bits) => Self::Real(f64::from_bits(bits)),
            Value::Whole(value) => Self::Whole(value),
            Value::Text(text) => Self::Text(text),
            Value::Flag(flag) => Self::Flag(flag),
            Value::List(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Value::Table(entries) => {
                Self::Table(entries.into_iter().map(|(k, v)| (k, v.into())).collect())
            }
        }
    }
}

/// Asks for a fit. Its numbers are the classes of its rows, and the terms of the loss.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Fit {
    pub(super) op: String,
    pub(super) learner: String,
    pub(super) params: Given,
    rows: usize,
    cols: usize,
    classes: Vec<String>,
    /// Bytes that the worker may take for it.
    pub(super) left: Option<u64>,
    small_class: String,
    seed: [u8; 32],
    stream: u64,
    word_pos: String,
}

impl Fit {
    /// The question; `None` where there is something to say that no library is told.
    pub(super) fn frame<'a>(
        learner: &str,
        params: &Params,
        (train, terms): (&'a Train, &LossTerms),
        context: &StageContext<'_>,
    ) -> Option<Frame<'a>> {
        let samples = train.samples();
        let plain = terms.later.is_none()
            && terms.batch_tau.is_none()
            && terms.initial_bias.is_none()
            && train.batches().is_none()
            && !samples.has_nominal();
        if !plain {
            return None;
        }
        let head = Self {
            op: "fit".into(),
            learner: learner.to_owned(),
            params: params
                .iter()
                .map(|(key, value)| (key.to_owned(), value.into()))
                .collect(),
            rows: samples.n_rows(),
            cols: samples.x().cols(),
            classes: samples.y().names().to_vec(),
            left: limit::left(),
            small_class: match context.small_class {
                SmallClass::Clamp => "clamp",
                SmallClass::Error => "error",
                SmallClass::Skip => "skip",
            }
            .into(),
            seed: context.stream.get_seed(),
            stream: context.stream.get_stream(),
            word_pos: context.stream.get_word_pos().to_string(),
        };
        let ids = samples.y().ids().iter();
        let mut numbers: Vec<f64> = ids.map(|&id| f64::from(id)).collect();
        numbers.extend(&terms.weights);
        numbers.extend(&terms.factors);
        numbers.push(terms.focal);
        numbers.extend(terms.margins.as_slice());
        Frame::with_rows(&head, (0, samples.x().as_slice()), numbers).ok()
    }

    pub(super) fn small_class(&self) -> SmallClass {
        match self.small_class.as_str() {
            "error" => SmallClass::Error,
            "skip" => SmallClass::Skip,
            _ => SmallClass::Clamp,
        }
    }

    pub(super) fn stream(&self) -> StageResult<Stream> {
        let mut stream = Stream::from_seed(self.seed);
        stream.set_stream(self.stream);
        stream.set_word_pos(self.word_pos.parse().map_err(|error| broken(&error))?);
        Ok(stream)
    }

    /// The rows and the terms.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a class's number, written as a number"
    )]
    pub(super) fn parts(&self, x: Vec<f64>, numbers: &[f64]) -> StageResult<(Train, LossTerms)> {
        let (n, k) = (self.rows, self.classes.len());
        if numbers.len() != n + 2 * k + 1 + k * k {
            return Err(broken(&"a message of another length than its head says"));
        }
        let (y, rest) = numbers.split_at(n);
        let (weights, rest) = rest.split_at(k);
        let (factors, rest) = rest.split_at(k);
        let (focal, margins) = rest.split_at(1);
        let ids = y.iter().map(|&id| id as u32).collect();
        let names: Arc<[String]> = self.classes.clone().into();
        let x = Matrix::from_vec(n, self.cols, x)?;
        let samples = Samples::numeric(x, Labels::new(ids, names)?)?;
        let (train, _) = Partition::new(n, (0..n).collect(), Vec::new())?.cut_samples(&samples)?;
        let terms = LossTerms {
            weights: weights.to_vec(),
            margins: Matrix::from_vec(k, k, margins.to_vec())?,
            factors: factors.to_vec(),
            focal: focal[0],
            ..LossTerms::cross_entropy(k)
        };
        Ok((train, terms))
    }
}

/// How a stage ended that gave no value.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Ended(String, String);

impl From<StageError> for Ended {
    fn from(error: StageError) -> Self {
        let words = error.to_string();
        let kind = match error {
            StageError::NotApplicable(_) => "not-applicable",
            StageError::Skipped(_) => "skipped",
            StageError::Timeout(_) => "timeout",
            StageError::OutOfMemory(_) => "out-of-memory",
            _ => "failed",
        };
        Self(kind.into(), words)
    }
}

impl From<Ended> for StageError {
    fn from(Ended(kind, words): Ended) -> Self {
        match kind.as_str() {
            "not-applicable" => Self::NotApplicable(words),
            "skipped" => Self::Skipped(words),
            "timeout" => Self::Timeout(words),
            "out-of-memory" => Self::OutOfMemory(words),
            _ => Self::Failed(words),
        }
    }
}

/// What became of a fit. Its numbers are the details.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Fitting {
    pub(super) model: u64,
    pub(super) error: Option<Ended>,
    pub(super) notes: Vec<(String, String)>,
    pub(super) details: Vec<String>,
    word_pos: String,
}

impl Fitting {
    pub(super) fn frame(
        model: u64,
        error: Option<Ended>,
        context: &StageContext<'_>,
    ) -> StageResult<Frame<'static>> {
        let kind = |note: &Note| match note {
            Note::Clamped(_) => "clamped",
            Note::Degenerate(_) => "degenerate",
            Note::Remark(_) => "remark",
        };
        let notes = context.notes.iter();
        let head = Self {
            model,
            error,
            notes: notes
                .map(|note| (kind(note).to_owned(), note.text().to_owned()))
                .collect(),
            details: context.details.keys().cloned().collect(),
            word_pos: context.stream.get_word_pos().to_string(),
        };
        Frame::new(&head, context.details.values().copied().collect())
    }

    pub(super) fn word_pos(&self) -> StageResult<u128> {
        self.word_pos.parse().map_err(|error| broken(&error))
    }
}

/// Asks for scores, for the linear head (`op` is `head`), or that a model be forgotten (`forget`). Its
/// numbers are the rows.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Scoring {
    pub(super) op: String,
    pub(super) model: u64,
    rows: usize,
    cols: usize,
}

impl Scoring {
    pub(super) fn frame<'a>(op: &str, model: u64, x: &'a Matrix) -> StageResult<Frame<'a>> {
        let head = Self {
            op: op.to_owned(),
            model,
            rows: x.rows(),
            cols: x.cols(),
        };
        Frame::with_rows(&head, (1, x.as_slice()), Vec::new())
    }

    /// The rows.
    pub(super) fn x(&self, rows: Vec<f64>) -> StageResult<Matrix> {
        Ok(Matrix::from_vec(self.rows, self.cols, rows)?)
    }
}

/// Scores, whose numbers are the log-scores, and the norms of a head after them.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Scored {
    pub(super) error: Option<Ended>,
    pub(super) none: bool,
    votes: bool,
    rows: usize,
    pub(super) cols: usize,
}

impl Scored {
    pub(super) fn failed(error: StageError) -> Self {
        Self {
            error: Some(error.into()),
            ..Self::default()
        }
    }

    pub(super) fn none() -> Self {
        Self {
            none: true,
            ..Self::default()
        }
    }

    pub(super) fn of(scores: &Scores) -> Self {
        Self {
            votes: scores.kind() == ScoreKind::Vote,
            rows: scores.n_rows(),
            cols: scores.n_classes(),
            ..Self::default()
        }
    }

    /// The scores, to the last bit.
    pub(super) fn scores(&self, numbers: Vec<f64>) -> StageResult<Scores> {
        let log = Matrix::from_vec(self.rows, self.cols, numbers)?;
        if !self.votes {
            return Ok(Scores::log_probabilities(log)?);
        }
        let voted = |row: &[f64]| row.iter().position(|s| s.is_finite()).unwrap_or(0);
        let votes: Vec<u32> = log
            .iter_rows()
            .map(|row| u32::try_from(voted(row)).map_err(|error| broken(&error)))
            .collect::<StageResult<_>>()?;
        Ok(Scores::votes(&votes, self.cols)?)
    }
}

/// Parameters as they are checked.
pub(super) fn given(params: Given) -> BTreeMap<String, ParamValue> {
    params.into_iter().map(|(k, v)| (k, v.into())).collect()
}
