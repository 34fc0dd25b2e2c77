//! Tables, plots, pages and gates from records.

pub mod plots;
