//! `publisher one LINK TEXT` publishes one file in one directory: little enough for every call of it to be read.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use atomicdir::{Attributes, FileMap, FileName, Mode, NewFile, Options};

pub(crate) fn publish(link: &Path, text: &str) -> Result<(), Box<dyn Error>> {
    let mut files = FileMap::new();
    let file = NewFile::new(text.as_bytes(), Attributes::with_mode(Mode::OWNER_READS));
    files.insert(FileName::new("db/password")?, file)?;

    let dir = Options::new().retain(Duration::ZERO).open(link)?;
    let mut locked = dir.lock(Duration::ZERO)?;
    if !locked.compare(&files)?.is_same() {
        let mut staging = locked.stage()?;
        for (name, file) in files.iter() {
            staging.write(name, *file)?;
        }
        let published = staging.publish(Some(b"note"))?;
        published.unsettled.map_or(Ok(()), Err)?;
    }
    Ok(locked.record_success()?)
}

/// `publisher note LINK TEXT DURABILITY` replaces the note of what is published.
pub(crate) fn replace_note(link: &Path, text: &str, options: Options) -> Result<(), Box<dyn Error>> {
    let dir = options.open(link)?;
    let locked = dir.lock(Duration::ZERO)?;
    Ok(locked.replace_note(text.as_bytes())?)
}
