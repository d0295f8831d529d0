//! An ordinary program that publishes with atomicdir: what the trials kill, starve, and lie to.
//!
//! `publisher sync LINK SET RETAIN DURABILITY [NOW]` ends with the code of its [`Outcome`]. NOW is in seconds after 1970.
//! With PUBLISHER_PARENTS=trusted in its environment it publishes in folders of others.
//! What `one`, `note`, `hold`, `grab`, `storm`, `many` and `compare` do is said where they are.

mod company;
mod memory;
mod one;

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use atomicdir::{Durability, Options, Parents};
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
            Ok(sync(Path::new(link), Set(set.parse()?), options, SystemTime::now()))
        }
        ["sync", link, set, retain, durability, now] => {
            let options = options(retain, durability)?;
            let now = UNIX_EPOCH + Duration::from_secs(now.parse()?);
            Ok(sync(Path::new(link), Set(set.parse()?), options, now))
        }
        ["one", link, text] => one::publish(Path::new(link), text).map(|()| ExitCode::SUCCESS),
        ["note", link, text, durability] => {
            let options = options("0", durability)?;
            one::replace_note(Path::new(link), text, options).map(|()| ExitCode::SUCCESS)
        }
        ["hold", link] => company::hold(Path::new(link)).map(|()| ExitCode::SUCCESS),
        ["grab", link] => company::grab(Path::new(link)).map(|()| ExitCode::SUCCESS),
        ["storm", link, runs, seed, retain] => {
            let retain = Duration::from_secs(retain.parse()?);
            company::storm(Path::new(link), runs.parse()?, seed.parse()?, retain).map(|()| ExitCode::SUCCESS)
        }
        ["many", link, files] => memory::publish(Path::new(link), files.parse()?).map(|()| ExitCode::SUCCESS),
        ["compare", link, files] => {
            memory::compare(Path::new(link), files.parse()?).map(|()| ExitCode::SUCCESS)
        }
        _ => Err(
            "usage: publisher sync LINK SET RETAIN DURABILITY [NOW], one LINK TEXT, note LINK TEXT DURABILITY, hold LINK, grab LINK, \
                  storm LINK RUNS SEED RETAIN, many LINK FILES, or compare LINK FILES"
                .into(),
        ),
    }
}

fn options(retain: &str, durability: &str) -> Result<Options, Box<dyn Error>> {
    let durability = match durability {
        "none" => Durability::None,
        "per-file" => Durability::PerFile,
        "filesystem" => Durability::Filesystem,
        other => return Err(format!("no durability `{other}`").into()),
    };
    let trusted = std::env::var("PUBLISHER_PARENTS").is_ok_and(|parents| parents == "trusted");
    let parents = if trusted { Parents::Trusted } else { Parents::Strict };
    Ok(Options::new().retain(Duration::from_secs(retain.parse()?)).durability(durability).parents(parents))
}

fn sync(link: &Path, set: Set, options: Options, now: SystemTime) -> ExitCode {
    let result = publish(link, set, options, now);
    if let Err(error) = &result {
        drop(writeln!(std::io::stderr(), "error: {error}: {:?}", error.source()));
    }
    ExitCode::from(Outcome::of(&result) as u8)
}
