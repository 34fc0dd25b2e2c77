//! Class-imbalance experiments as a library: what the command `counterweight` does, as functions.
//!
//! A [`Session`] holds the [`Catalogue`](counterweight_core::Catalogue) of methods that sweeps may name
//! ([`CATALOGUE`], or with methods of one's own), the number of threads and who hears of progress;
//! [`run`], [`report`], [`gate`], [`merge`], [`import`], [`status`], [`compare`] and [`verify`] take it and
//! a report folder; [`rank`] and [`decide`] take files of results and of scores, [`advise`] a table of one's own. Nothing here prints or ends the program: an [`Error`] says in words what is wrong and
//! carries the exit code of the contract.
//!
//! A program calls [`worker::serve_if_asked`] first in `main`, so that library learners can run in workers that
//! are killed when they are late.

mod advise;
mod aside;
mod catalogue;
mod command;
mod compare;
mod decide;
mod exit;
mod folder;
mod gate;
mod import;
mod init;
mod lock;
mod memory;
mod merge;
mod outline;
mod ownership;
pub mod prelude;
mod provenance;
mod rank;
mod records;
mod report;
mod run;
mod session;
mod side_tables;
mod source;
mod status;
mod submit;
mod verify;
pub mod worker;

pub use advise::{
    AdviseOptions, AdviseReport, ArmName, Budget, Evidence, Expected, Gain, JudgedArm, Shape,
    advise, believed, write_advice,
};
pub use catalogue::CATALOGUE;
pub use compare::{Comparison, compare};
pub use decide::{
    DecideOptions, DecideReport, Estimated, EstimatedShares, JudgedCalibrator, JudgedRule, Shares,
    decide, write_decisions,
};
pub use exit::{Error, Exit, Result};
pub use folder::Folder;
pub use gate::{GateOptions, Gated, gate};
pub use import::{ImportOptions, Imported, PriorOfScores, import};
pub use init::{InitOptions, example_sweep, id_of, init};
pub use memory::resident;
pub use merge::{Merged, merge};
pub use rank::{RankOptions, rank, write_rank};
pub use records::{read_records, read_timings};
pub use report::report;
pub use run::{RunOptions, RunSummary, run, selected};
pub use session::{Session, Silent};
pub use source::{Files, library, verify_tasks};
pub use status::{Machine, ShardStatus, Status, status};
pub use submit::{Scheduler, Submission, SubmitOptions, submission, write_script};
pub use verify::{Verification, VerifyOptions, verify};
