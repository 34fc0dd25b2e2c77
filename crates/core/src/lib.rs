//! What every part of counterweight speaks: matrices, labels, priors, views with roles, scores and
//! decisions, keyed random streams, the stage traits, capability cards and the catalogue, outcomes
//! and records.
//!
//! No input or output here, and no method: those live in the crates below this one.

pub mod catalogue;
pub mod confusion;
pub mod contrast;
pub mod costs;
pub mod dataset;
pub mod ensemble;
pub mod error;
pub mod groups;
pub mod hash;
pub mod labels;
pub mod matrix;
pub mod name;
pub mod outcome;
pub mod params;
pub mod question;
pub mod reading;
pub mod record;
pub mod reliability;
pub mod scores;
pub mod seed;
pub mod side_table;
pub mod sink;
pub mod stage;
pub mod stages;
pub mod suggest;
pub mod table;
pub mod views;

pub use catalogue::{
    Card, Catalogue, DecisionEntry, Effect, EnsembleCaps, EnsembleEntry, Entry, Footprint,
    LearnerCaps, LearnerEntry, LossEntry, MetricCaps, MetricEntry, NewRows, OnNominal,
    PopulationCaps, PopulationEntry, ResamplerCaps, ResamplerEntry, RuleCaps, TrainSize, Workload,
    find,
};
pub use confusion::Confusion;
pub use contrast::{Contrast, ContrastError};
pub use dataset::{Column, ColumnValues, Dataset, MISSING};
pub use ensemble::{Base, Ensemble, EnsembleFit, EnsembleNeeds};
pub use error::{CoreError, StageError, StageResult};
pub use hash::{ContentHash, Hasher};
pub use labels::{ClassCounts, Labels, Prior, Ties};
pub use matrix::Matrix;
pub use name::{Name, Numbers};
pub use outcome::{Note, Outcome};
pub use params::{
    Declared, ParamError, ParamKind, ParamSpec, ParamValue, Parameter, Params, Range,
};
pub use question::{Arm, Check, Expect, Question, Show};
pub use reading::{Dates, Encoding, Format, GivenSplit, ReadOptions};
pub use record::{CellId, Finished, Record, Timing};
pub use scores::{Decisions, ScoreKind, Scores, TIE, log_softmax, log_sum_exp};
pub use seed::{Seed, Stream, StreamKey};
pub use sink::Sink;
pub use stage::{
    Deadline, DecideContext, Decided, Decision, DecisionNeeds, Details, Extras, Fitted, FittedRule,
    Judged, Later, Learner, LinearHead, Loss, LossContext, LossNeeds, LossTerms, Metric,
    NormalPart, OffsetLine, OffsetRule, Population, Resampler, Rescored, Rule, ScoreSize,
    ScoredRows, Shared, SmallClass, StageContext, limit,
};
pub use stages::{Axis, Role, Scalar, Stages};
pub use suggest::nearest;
pub use table::{Cells, Table, shielded, unshielded};
pub use views::{
    BatchScheme, Calib, ColumnKind, Origin, OutOfFold, Partition, Samples, Test, TestScores, Train,
};
