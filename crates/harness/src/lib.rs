//! The harness: a sweep file becomes a checked plan, a plan becomes records.
//!
//! It knows no method, no model and no file format: the command line hands it a
//! [`Catalogue`](counterweight_core::Catalogue) of factories, a [`DataSource`](plan::DataSource), a
//! [`Sink`](counterweight_core::Sink) and a [`Listener`](run::Listener).

pub mod config;
pub mod plan;
pub mod run;
