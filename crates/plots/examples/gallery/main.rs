//! Draws every figure from made-up data, extremes included, into a folder.
//!
//! `cargo run --release -p counterweight-plots --example gallery -- FOLDER`

use std::{env, error::Error, fs, path::PathBuf};

mod data;
mod figures;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::args().nth(1).ok_or("name a folder for the figures")?);
    fs::create_dir_all(&folder)?;
    for (name, figure) in figures::all()? {
        fs::write(folder.join(format!("{name}.svg")), &figure.svg)?;
        fs::write(folder.join(format!("{name}.png")), &figure.png)?;
    }
    Ok(())
}
