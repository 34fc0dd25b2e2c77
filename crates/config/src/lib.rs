//! TOML with positions, for sweeps and gates: a tree in which every key and value knows its line
//! ([`parse`]), a reader of its tables to which a key that nobody asks for is an error ([`Section`]),
//! and all errors of a file at once, each with file, line, key and the nearest valid name
//! ([`Diagnostics`]).

mod date;
mod diagnostic;
pub mod schema;
mod section;
mod tree;

pub use date::Date;
pub use diagnostic::{Diagnostic, Diagnostics, SHOWN};
pub use section::{Section, one_or_list};
pub use tree::{Fields, Node, Value, parse, tables};
