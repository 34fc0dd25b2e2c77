//! `counterweight verify`: do a sample of a folder's committed values, and its page, agree with the code?

use counterweight::{Exit, Result, Session, VerifyOptions};

use crate::args::{Format, VerifyArgs};
use crate::commands::{print_json, print_some};

pub(crate) fn verify(session: &Session<'_>, args: &VerifyArgs) -> Result<Exit> {
    let options = VerifyOptions {
        sample_seed: args.sample_seed.clone(),
        seconds: args.seconds,
    };
    let found = counterweight::verify(session, &args.folder, &options)?;
    if args.format.format == Format::Json {
        print_json(&found)?;
        return Ok(found.exit());
    }
    print_some(&found.differences);
    println!(
        "{}: {} of {} cells of {} of {} models computed again (about {:.0} s of one core), {} differ",
        found.folder,
        found.cells,
        found.of_cells,
        found.models,
        found.of_models,
        found.seconds,
        found.differences.len()
    );
    match found.page {
        Some(true) => println!("index.html is that of the committed files"),
        Some(false) => println!("index.html is not that of the committed files"),
        None => println!("there is no index.html"),
    }
    if found.exit() != Exit::Ok {
        println!("again: {}", found.again);
    }
    Ok(found.exit())
}
