//! Dataset files in, tables out, through polars.
//!
//! | what | where |
//! |---|---|
//! | a file of one's own as a dataset | [`read_dataset`], [`read_pair`], [`ReadOptions`] |
//! | rows that someone else has divided | [`read_in_folds`], [`read_splits`] |
//! | a table of results as .csv or .parquet, and back | [`write_table`], [`read_table`] |
//! | a dataset as a file | [`write_dataset`] |
//! | the committed datasets with their index | [`Library`] |
//! | what a dataset looks like, and what to beware of | [`describe`](describe()) |
//!
//! Every error names the file, the place in it and, through [`FrameError::hint`], what to try. All
//! files are written whole or not at all, and equal values give equal bytes.

mod arff;
mod atomic;
pub mod attribution;
mod dates;
mod declared;
mod delimited;
mod describe;
mod error;
mod hint;
mod in_memory;
mod library;
mod load;
mod numpy;
mod pair;
mod parquet;
mod raw;
mod read;
mod reals;
mod roles;
mod separated;
mod splits;
mod svmlight;
mod table;
mod texts;
mod thrift;
mod warnings;

pub use counterweight_core::ReadOptions;
/// The crate itself, so that whoever hands frames over uses the same version.
pub use polars;

pub use atomic::{read_text, remove_leftovers, write_atomically};
pub use describe::{
    Description, Wholes, describe, describe_counted, read_counted, repeated_across,
};
pub use error::{FrameError, OtherBytes, Place};
pub use in_memory::{frame_of, matrix_of};
pub use library::{Carried, Entry, Facts, Library, Verdict, index_text};
pub use pair::{is_family, read_family, read_pair};
pub use parquet::owner_of;
pub use read::{read_dataset, read_in_folds};
pub use splits::read_splits;
pub use table::{
    dataset_table, plain_real, read_cells, read_table, read_table_in_parts, read_text_table,
    to_csv, write_dataset, write_plain_table, write_table, write_table_of,
};
pub use warnings::class_warnings;
