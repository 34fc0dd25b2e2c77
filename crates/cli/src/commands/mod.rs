//! One file a command.

pub(crate) mod compare;
pub(crate) mod data;
pub(crate) mod explain;
pub(crate) mod gate;
pub(crate) mod import_scores;
pub(crate) mod list;
pub(crate) mod merge;
pub(crate) mod report;
pub(crate) mod resample;
pub(crate) mod run;
pub(crate) mod status;
