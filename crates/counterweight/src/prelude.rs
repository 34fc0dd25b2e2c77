//! What a program with methods of its own needs: `use counterweight::prelude::*`.

pub use counterweight_core::{
    Card, Entry, Fitted, Labels, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, Matrix,
    OnNominal, ParamKind, ParamSpec, Range, Resampler, ResamplerCaps, ResamplerEntry, Samples,
    ScoreKind, Scores, StageContext, StageError, StageResult, Train, parameters,
};

pub use crate::{
    CATALOGUE, Error, GateOptions, Gated, Result, RunOptions, RunSummary, Session, gate, report,
    run,
};
