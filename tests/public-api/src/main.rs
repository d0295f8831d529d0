//! Prints the public interface of a crate, an item a line, from what `rustdoc --output-format json` has written of it.
//!
//! `.ci/public-api` compares it with what is committed. What every type has (blanket and automatic implementations) is left out.

use std::env;
use std::error::Error;
use std::io::{self, Write as _};

fn main() -> Result<(), Box<dyn Error>> {
    let json = env::args_os().nth(1).ok_or("expected the path of a file that rustdoc has written")?;
    let interface = public_api::Builder::from_rustdoc_json(json)
        .omit_auto_trait_impls(true)
        .omit_blanket_impls(true)
        .build()
        .map_err(|error| format!("{error}; does the crate public-api know this version of Rust?"))?;
    write!(io::stdout(), "{interface}")?;
    Ok(())
}
