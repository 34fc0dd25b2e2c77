//! `counterweight rank`: ranks, tests and tiers over a table of results from anywhere.

use counterweight::{Exit, RankOptions, Result};

use crate::args::{Format, RankArgs};
use crate::commands::print_json;

pub(crate) fn rank(args: RankArgs) -> Result<Exit> {
    let report = counterweight::rank(&RankOptions {
        file: args.file,
        unit: args.unit,
        method: args.method,
        value: args.value,
        cluster: args.cluster,
        lower_is_better: args.lower_is_better,
        rope: args.rope,
    })?;
    if let Some(folder) = &args.output {
        counterweight::write_rank(&report, folder)?;
    }
    match args.format.format {
        Format::Json => print_json(&report.ranking)?,
        Format::Text => {
            for sentence in &report.ranking.sentences {
                println!("{sentence}");
            }
            for view in &report.views {
                println!("\n{}", view.markdown(usize::MAX).trim_end());
            }
        }
    }
    Ok(Exit::Ok)
}
