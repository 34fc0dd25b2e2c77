//! `counterweight schema`: what editors check sweep and gate files against.

use counterweight::{CATALOGUE, Exit, Result};
use counterweight_gate::config::gate_schema;
use counterweight_harness::config::sweep_schema;

use crate::args::SchemaOf;
use crate::commands::print_json;

pub(crate) fn schema(file: SchemaOf) -> Result<Exit> {
    print_json(&match file {
        SchemaOf::Sweep => sweep_schema(&CATALOGUE),
        SchemaOf::Gate => gate_schema(),
    })?;
    Ok(Exit::Ok)
}
