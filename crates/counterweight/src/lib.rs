//! Class-imbalance corrections, learners and rank statistics as a library.
//!
//! Methods on one's own rows: resamplers by [`FitResample`], learners and losses by [`Fit`], decisions by [`CrossFit`],
//! comparisons by [`Ranks`].
//!
//! ```
//! use counterweight::{FitResample, Smote};
//! let (x, y) = ([[0.0], [1.0], [2.0], [8.0], [9.0]], ["a", "a", "a", "b", "b"]);
//! let even = Smote::default().k(3).seed(7).fit_resample(&x, &y)?;
//! assert_eq!(even.y.len(), 6);
//! # Ok::<(), counterweight::StageError>(())
//! ```
//!
//! | feature | adds |
//! |---|---|
//! | `ndarray`, `polars`, `linfa` | rows from and to the types of these crates |
//! | `linfa`, `smartcore` | the learners of these crates |
//! | `plots` | diagrams |
//! | `sweep` | what the command `counterweight` does, as functions |
//! | `datasets` | the library of datasets inside the program |
//!
//! None is on unless asked for.
//!
//! # Sweeps (feature `sweep`)
//!
//! A `Session` holds the [`Catalogue`](counterweight_core::Catalogue) of methods that sweeps may name
//! ([`CATALOGUE`], or with methods of one's own), the number of threads and who hears of progress;
//! `run`, `report`, `gate`, `merge`, `import`, `status`, `compare` and `verify` take it and
//! a report folder; `rank` and `decide` take files of results and of scores, `advise` a table of one's own. Nothing here prints or ends the program: an `Error` says in words what is wrong and
//! carries the exit code of the contract.
//!
//! A program calls `worker::serve_if_asked` first in `main`, so that library learners can run in workers that
//! are killed when they are late.

#[cfg(feature = "sweep")]
mod advise;
#[cfg(feature = "sweep")]
mod aside;
mod catalogue;
#[cfg(feature = "sweep")]
mod command;
#[cfg(feature = "sweep")]
mod compare;
#[cfg(feature = "sweep")]
mod decide;
#[cfg(feature = "sweep")]
mod exit;
#[cfg(feature = "sweep")]
mod folder;
#[cfg(feature = "sweep")]
mod gate;
#[cfg(feature = "sweep")]
mod import;
#[cfg(feature = "sweep")]
mod init;
mod library;
#[cfg(feature = "sweep")]
mod lock;
#[cfg(feature = "sweep")]
mod memory;
#[cfg(feature = "sweep")]
mod merge;
#[cfg(feature = "sweep")]
mod outline;
#[cfg(feature = "sweep")]
mod ownership;
#[cfg(feature = "sweep")]
pub mod prelude;
#[cfg(feature = "sweep")]
mod provenance;
#[cfg(feature = "sweep")]
mod rank;
#[cfg(feature = "sweep")]
mod records;
#[cfg(feature = "sweep")]
mod report;
#[cfg(feature = "sweep")]
mod run;
#[cfg(feature = "sweep")]
mod session;
#[cfg(feature = "sweep")]
mod side_tables;
#[cfg(feature = "sweep")]
mod source;
#[cfg(feature = "sweep")]
mod status;
#[cfg(feature = "sweep")]
mod submit;
#[cfg(feature = "sweep")]
mod verify;
#[cfg(feature = "sweep")]
pub mod worker;

#[cfg(feature = "sweep")]
pub use advise::{
    AdviseOptions, AdviseReport, ArmName, Budget, Evidence, Expected, Gain, JudgedArm, Shape,
    advise, believed, write_advice,
};
pub use catalogue::CATALOGUE;
#[cfg(feature = "sweep")]
pub use compare::{Comparison, compare};
#[cfg(feature = "sweep")]
pub use decide::{
    DecideOptions, DecideReport, Estimated, EstimatedShares, JudgedCalibrator, JudgedRule, Shares,
    decide, write_decisions,
};
#[cfg(feature = "sweep")]
pub use exit::{Error, Exit, Result};
#[cfg(feature = "sweep")]
pub use folder::Folder;
#[cfg(feature = "sweep")]
pub use gate::{GateOptions, Gated, gate};
#[cfg(feature = "sweep")]
pub use import::{ImportOptions, Imported, PriorOfScores, import};
#[cfg(feature = "sweep")]
pub use init::{InitOptions, example_sweep, id_of, init};
pub use library::*;
#[cfg(feature = "sweep")]
pub use memory::resident;
#[cfg(feature = "sweep")]
pub use merge::{Merged, merge};
#[cfg(feature = "sweep")]
pub use rank::{RankOptions, rank, write_rank};
#[cfg(feature = "sweep")]
pub use records::{read_records, read_timings};
#[cfg(feature = "sweep")]
pub use report::report;
#[cfg(feature = "sweep")]
pub use run::{RunOptions, RunSummary, run, selected};
#[cfg(feature = "sweep")]
pub use session::{Session, Silent};
#[cfg(feature = "sweep")]
pub use source::{Files, library, verify_tasks};
#[cfg(feature = "sweep")]
pub use status::{Machine, ShardStatus, Status, status};
#[cfg(feature = "sweep")]
pub use submit::{Scheduler, Submission, SubmitOptions, submission, write_script};
#[cfg(feature = "sweep")]
pub use verify::{Verification, VerifyOptions, verify};
