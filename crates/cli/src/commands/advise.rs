//! `counterweight advise`: what to use on a table.

use counterweight::{AdviseOptions, Budget, Exit, Result, Session};
use counterweight_frame::ReadOptions;

use crate::args::{AdviseArgs, Format};
use crate::commands::decide::{command, numbers, pairs};
use crate::commands::print_json;

pub(crate) fn advise(session: &Session<'_>, args: AdviseArgs) -> Result<Exit> {
    let reading = ReadOptions {
        group: args.group,
        weight: args.weight,
        ..args.reading.options(&args.target)
    };
    let options = AdviseOptions {
        file: args.file,
        reading,
        contrast: args.contrast.asked(),
        costs: numbers("--cost", pairs("--cost", &args.cost)?)?,
        budget: args
            .cells
            .map_or(Budget::Minutes(args.minutes), Budget::Cells),
        output: args.output,
    };
    let report = counterweight::advise(session, &options)?;
    if let Some(folder) = &options.output {
        counterweight::write_advice(&report, folder, &command())?;
    }
    match args.format.format {
        Format::Json => print_json(&report)?,
        Format::Text => {
            for sentence in &report.sentences {
                println!("{sentence}");
            }
            println!("\n{}", report.view.markdown(usize::MAX).trim_end());
        }
    }
    Ok(Exit::Ok)
}
