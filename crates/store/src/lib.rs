//! What a run leaves: append-only segments while it runs, joined to one list of records afterwards, and the
//! tables of a report folder, each with its writer beside its reader.
//!
//! Every line of a segment and of a side file carries a checksum. A damaged or torn one is told and costs its own
//! cell, which is then missing and is run again; lines of a file in which none carries a checksum are those of
//! an earlier build and are taken as they stand.
//!
//! | what | written | read |
//! |---|---|---|
//! | segments/*.jsonl | [`SegmentWriter`] | [`read_segment`], [`join`](join()) |
//! | segments/*.side | [`SegmentWriter`] | [`read_sides`] |
//! | records.parquet, records.csv | [`records_table`] | [`records_from_table`] |
//! | timings.parquet | [`timings_table`] | [`timings_from_table`] |
//! | details.parquet | [`details_table`] | [`Places`], [`attach_details`] |
//! | reliability.parquet | [`reliability_table`] | [`take_reliability`] |
//! | costs.parquet | [`costs_table`] | [`take_costs`] |
//! | leak.parquet | [`leaks_table`] | [`leaks_from_table`] |
//! | scores.parquet, curves.parquet | [`scores_table`], [`curves_table`] | other programs |

mod columns;
mod costs;
mod curves;
mod details;
mod error;
mod join;
mod leaks;
mod line;
mod records;
mod reliability;
mod scores;
mod segment;
mod side_files;
mod table;
mod timings;

pub use columns::{COLUMNS, Column, METRIC_COLUMNS};
pub use costs::{ArmCosts, OperatingPoint, costs_table, take_costs};
pub use curves::curves_table;
pub use details::{Places, attach_details, details_table};
pub use error::{StoreError, TableError};
pub use join::{Joined, join};
pub use leaks::{ClaimName, LeakRow, LeakSides, leaks_from_table, leaks_table};
pub use line::Damage;
pub use records::{metric_column, records_from_table, records_table};
pub use reliability::{ReliabilityBin, ReliabilityGroup, reliability_table, take_reliability};
pub use scores::scores_table;
pub use segment::{
    Header, SEGMENTS, SIDE, Segment, SegmentWriter, in_use, process_of, read_segment,
    segment_files, segment_text, segments_in,
};
pub use side_files::{Sides, read_sides, side_files};
pub use timings::{timings_from_table, timings_table};
