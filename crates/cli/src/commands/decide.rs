//! `counterweight decide`: scores in, decisions out, without a sweep.

use counterweight::{DecideOptions, Error, Exit, Result, Shares};

use crate::args::{DecideArgs, Format};
use crate::commands::print_json;

pub(crate) fn decide(args: DecideArgs) -> Result<Exit> {
    let shares = |flag: &str, text: &str| -> Result<Shares> {
        Ok(match text {
            "calibration" => Shares::HeldOut,
            "uniform" => Shares::Uniform,
            "unknown" => Shares::Unknown,
            "estimate" => Shares::Estimate,
            given => Shares::Given(numbers(flag, pairs(flag, &[given.to_owned()])?)?),
        })
    };
    let options = DecideOptions {
        scores: args.scores,
        calibration: args.calibration,
        label: args.label,
        with: args.with,
        metric: args.metric,
        prior: shares("--prior", &args.prior)?,
        target: shares("--target-prior", &args.target_prior)?,
        costs: numbers("--cost", pairs("--cost", &args.cost)?)?,
        cost_columns: pairs("--cost-columns", &args.cost_columns)?,
        seed: args.seed,
    };
    let report = counterweight::decide(&options)?;
    if let Some(folder) = &args.output {
        counterweight::write_decisions(&report, folder, &command())?;
    }
    match args.format.format {
        Format::Json => print_json(&report)?,
        Format::Text => {
            for sentence in &report.sentences {
                println!("{sentence}");
            }
            for view in &report.views {
                println!("\n{}", view.markdown(usize::MAX).trim_end());
            }
        }
    }
    Ok(Exit::Ok)
}

/// The values of pairs as numbers.
pub(crate) fn numbers(flag: &str, pairs: Vec<(String, String)>) -> Result<Vec<(String, f64)>> {
    let number = |(class, text): (String, String)| match text.parse::<f64>() {
        Ok(value) => Ok((class, value)),
        Err(_) => Err(Error::usage(format!("{flag}: `{text}` is no number"))
            .hint("give a number a class, such as no=1,yes=20")),
    };
    pairs.into_iter().map(number).collect()
}

/// `CLASS=VALUE` pairs; a flag may hold several, with commas between.
pub(crate) fn pairs(flag: &str, texts: &[String]) -> Result<Vec<(String, String)>> {
    let parts = texts.iter().flat_map(|text| text.split(','));
    let pair = |part: &str| match part.rsplit_once('=') {
        Some((class, value)) if !class.is_empty() && !value.is_empty() => {
            Ok((class.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(Error::usage(format!("{flag}: `{part}` is not CLASS=VALUE"))
            .hint("give one a class, such as no=1,yes=20")),
    };
    parts.map(pair).collect()
}

/// The command line as it was given, for the page.
pub(crate) fn command() -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,+@%".contains(c);
    let quoted = |word: String| {
        if !word.is_empty() && word.chars().all(plain) {
            word
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    };
    let words = std::env::args().skip(1).map(quoted);
    format!("counterweight {}", words.collect::<Vec<_>>().join(" "))
}
