//! Dataset files in, tables out, through polars.
