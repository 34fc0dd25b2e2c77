//! `counterweight report`: tables, plots and the page, again, from records.parquet.

use std::path::Path;

use counterweight::{Exit, Result, Session};
use counterweight_report::select::Selection;

pub(crate) fn report(
    session: &Session<'_>,
    path: &Path,
    select: Option<&Selection>,
    output: Option<&Path>,
) -> Result<Exit> {
    let page = counterweight::report(session, path, select, output)?;
    println!("report: {}", page.display());
    Ok(Exit::Ok)
}
