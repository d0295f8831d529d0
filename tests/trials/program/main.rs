//! An ordinary program that publishes with atomicdir: what the trials kill, starve, and lie to.
//!
//! `publisher sync LINK SET RETAIN DURABILITY` ends with the code of its [`Outcome`].

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use atomicdir::{Durability, Options};
use atomicdir_trials::{Outcome, Set, publish};
use rustix::process::{Resource, Rlimit, setrlimit};

/// A loop that never ends ends all the same: in seconds of processor time.
const LONGEST: Rlimit = Rlimit { current: Some(60), maximum: Some(60) };

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            drop(writeln!(std::io::stderr(), "error: {error}"));
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &[&str]) -> Result<ExitCode, Box<dyn Error>> {
    setrlimit(Resource::Cpu, LONGEST)?;
    match arguments {
        ["sync", link, set, retain, durability] => {
            let options = options(retain, durability)?;
            Ok(sync(Path::new(link), Set(set.parse()?), options))
        }
        _ => Err("usage: publisher sync LINK SET RETAIN DURABILITY".into()),
    }
}

fn options(retain: &str, durability: &str) -> Result<Options, Box<dyn Error>> {
    let durability = match durability {
        "none" => Durability::None,
        "per-file" => Durability::PerFile,
        "filesystem" => Durability::Filesystem,
        other => return Err(format!("no durability `{other}`").into()),
    };
    Ok(Options::new().retain(Duration::from_secs(retain.parse()?)).durability(durability))
}

fn sync(link: &Path, set: Set, options: Options) -> ExitCode {
    let result = publish(link, set, options, SystemTime::now());
    if let Err(error) = &result {
        drop(writeln!(std::io::stderr(), "error: {error}: {:?}", error.source()));
    }
    ExitCode::from(Outcome::of(&result) as u8)
}
