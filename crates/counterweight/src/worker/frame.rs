//! What is said between a program and its worker: a head as JSON, and numbers as they lie in memory
//! (little-endian), so that every bit arrives.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::sync::Arc;

use counterweight_core::limit;
use counterweight_core::{
    Labels, LossTerms, Matrix, Note, ParamValue, Params, Partition, Samples, ScoreKind, Scores,
    SmallClass, StageContext, StageError, StageResult, Stream, Train,
};
use rand_chacha::rand_core::SeedableRng as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Given, broken};

/// One message.
#[derive(Debug)]
pub(super) struct Frame {
    text: Vec<u8>,
    pub(super) numbers: Vec<f64>,
}

impl Frame {
    pub(super) fn new(head: &impl Serialize, numbers: Vec<f64>) -> StageResult<Self> {
        let text = serde_json::to_vec(head).map_err(|error| broken(&error))?;
        Ok(Self { text, numbers })
    }

    pub(super) fn head<T: DeserializeOwned>(&self) -> StageResult<T> {
        serde_json::from_slice(&self.text).map_err(|error| broken(&error))
    }

    pub(super) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&(self.text.len() as u64).to_le_bytes())?;
        to.write_all(&(self.numbers.len() as u64).to_le_bytes())?;
        to.write_all(&self.text)?;
        let mut bytes = Vec::with_capacity(1 << 16);
        for part in self.numbers.chunks(1 << 13) {
            bytes.clear();
            bytes.extend(part.iter().flat_map(|number| number.to_le_bytes()));
            to.write_all(&bytes)?;
        }
        to.flush()
    }

    /// The next message; `None` at the end.
    pub(super) fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let mut lengths = [0; 16];
        match from.read_exact(&mut lengths) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let (text, numbers) = lengths.split_at(8);
        let length = |bytes: &[u8]| {
            let bytes = bytes.try_into().map_err(io::Error::other)?;
            usize::try_from(u64::from_le_bytes(bytes)).map_err(io::Error::other)
        };
        let mut frame = Self {
            text: vec![0; length(text)?],
            numbers: Vec::with_capacity(length(numbers)?),
        };
        from.read_exact(&mut frame.text)?;
        let mut bytes = vec![0; 1 << 16];
        let mut left = length(numbers)?;
        while left > 0 {
            let now = left.min(1 << 13);
            let bytes = &mut bytes[..8 * now];
            from.read_exact(bytes)?;
            let (eights, _) = bytes.as_chunks::<8>();
            frame
                .numbers
                .extend(eights.iter().map(|eight| f64::from_le_bytes(*eight)));
            left -= now;
        }
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

/// Asks for a fit. Its numbers are the rows, their classes, and the terms of the loss.
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
    pub(super) fn frame(
        learner: &str,
        params: &Params,
        (train, terms): (&Train, &LossTerms),
        context: &StageContext<'_>,
    ) -> Option<Frame> {
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
        let mut numbers = samples.x().as_slice().to_vec();
        numbers.extend(samples.y().ids().iter().map(|&id| f64::from(id)));
        numbers.extend(&terms.weights);
        numbers.extend(&terms.factors);
        numbers.push(terms.focal);
        numbers.extend(terms.margins.as_slice());
        Frame::new(&head, numbers).ok()
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
    pub(super) fn parts(&self, numbers: &[f64]) -> StageResult<(Train, LossTerms)> {
        let (n, k) = (self.rows, self.classes.len());
        if numbers.len() != n * self.cols + n + 2 * k + 1 + k * k {
            return Err(broken(&"a message of another length than its head says"));
        }
        let (x, rest) = numbers.split_at(n * self.cols);
        let (y, rest) = rest.split_at(n);
        let (weights, rest) = rest.split_at(k);
        let (factors, rest) = rest.split_at(k);
        let (focal, margins) = rest.split_at(1);
        let ids = y.iter().map(|&id| id as u32).collect();
        let names: Arc<[String]> = self.classes.clone().into();
        let x = Matrix::from_vec(n, self.cols, x.to_vec())?;
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
    ) -> StageResult<Frame> {
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
    pub(super) rows: usize,
    pub(super) cols: usize,
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
