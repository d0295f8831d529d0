//! Runs with very many small files, which say how much memory they took, in KiB.
//!
//! `publisher many LINK FILES` publishes so many, removing what is superseded, and keeps none of their names.
//! `publisher compare LINK FILES` compares them with what is published, and says only what the comparison took: what is
//! wanted is the caller's.
//!
//! Counted is address space. The kernel counts it exactly, which it does not do with resident pages, and nothing can be
//! kept for every file without it.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use atomicdir::{AtomicDir, Attributes, Durability, FileMap, FileName, Mode, NameError, NewFile, Options};

const BYTES: &[u8] = b"small";

/// So many that to remember all of one would be seen, and that there is more than one.
const IN_ONE_DIRECTORY: usize = 25_000;

pub(crate) fn publish(link: &Path, files: usize) -> Result<(), Box<dyn Error>> {
    let dir = open(link)?;
    let mut locked = dir.try_lock()?;
    let mut staging = locked.stage()?;
    for number in 0..files {
        staging.write(&name(number)?, file())?;
    }
    let published = staging.publish(Some(BYTES))?;
    if let Some(error) = published.unsettled {
        return Err(error.into());
    }
    locked.record_success()?;
    print(counted("VmPeak:")?)
}

pub(crate) fn compare(link: &Path, files: usize) -> Result<(), Box<dyn Error>> {
    let mut wanted = FileMap::new();
    for number in 0..files {
        wanted.insert(name(number)?, file())?;
    }
    let dir = open(link)?;
    let locked = dir.try_lock()?;
    let before = counted("VmSize:")?;
    if !locked.compare(&wanted)?.is_same() {
        return Err("other files are published".into());
    }
    print(counted("VmPeak:")?.saturating_sub(before))
}

fn open(link: &Path) -> Result<AtomicDir, atomicdir::Error> {
    Options::new().retain(Duration::ZERO).durability(Durability::None).open(link)
}

/// Returns a name in the order of the numbers.
fn name(number: usize) -> Result<FileName, NameError> {
    FileName::new(format!("directory-{:06}/file-{number:09}", number / IN_ONE_DIRECTORY))
}

fn file() -> NewFile<'static> {
    NewFile::new(BYTES, Attributes::with_mode(Mode::OWNER_READS))
}

/// Returns what the kernel counts of this process under a name (proc_pid_status(5)).
fn counted(field: &str) -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let mut words = status.split_whitespace().skip_while(|word| *word != field);
    let value = words.nth(1).ok_or_else(|| format!("no {field} in {status}"))?;
    Ok(value.parse()?)
}

fn print(kib: u64) -> Result<(), Box<dyn Error>> {
    Ok(writeln!(std::io::stdout(), "{kib}")?)
}
