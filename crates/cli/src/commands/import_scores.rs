//! `counterweight import-scores`: the scores of a model from elsewhere become a model of the report.

use counterweight::{Exit, ImportOptions, PriorOfScores, Result, Session};

use crate::args::{ForeignPrior, ImportArgs};

pub(crate) fn import(session: &Session<'_>, args: &ImportArgs) -> Result<Exit> {
    let options = ImportOptions {
        file: args.file.clone(),
        model: args.model.clone(),
        prior: match args.prior {
            ForeignPrior::Train => PriorOfScores::Train,
            ForeignPrior::Uniform => PriorOfScores::Uniform,
            ForeignPrior::Unknown => PriorOfScores::Unknown,
        },
    };
    let done = counterweight::import(session, &args.folder, &options)?;
    println!(
        "{}: {} records on {} of {} splits",
        args.model, done.records, done.splits, done.of_splits
    );
    println!("next: counterweight report {}", args.folder.display());
    Ok(Exit::Ok)
}
