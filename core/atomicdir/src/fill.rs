//! The small interface: fill a directory, flip it, done.

use std::path::Path;
use std::time::Duration;

use crate::{Attributes, Error, FileName, Mode, NewFile, Options, Published, Result, Staging, Step};

/// How long [`fill`] waits for another run to end.
const WAIT: Duration = Duration::from_secs(30);

/// A staging that is being filled with files that only their owner may read.
#[derive(Debug)]
pub struct Filling<'l>(Staging<'l>);

impl Filling<'_> {
    /// Writes one file with mode 0400; `/` in its name makes directories.
    ///
    /// # Errors
    ///
    /// A name that is not valid or taken, and whatever the system says. Nothing is published then, even if the closure goes
    /// on: a set without one of its files is not complete.
    pub fn write(&mut self, name: &str, bytes: impl AsRef<[u8]>) -> Result<()> {
        let name =
            FileName::new(name).map_err(|why| Error::refuse(Step::Validate, "create", name, why.into()))?;
        let attributes = Attributes::with_mode(Mode::OWNER_READS);
        self.0.write(&name, NewFile::new(bytes.as_ref(), attributes))
    }
}

/// Publishes a directory at a link: all that the closure writes becomes visible at once, or nothing does.
///
/// Runs the whole protocol with the default [`Options`], waits up to 30 seconds for another run, and compares nothing:
/// every call flips.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let link = folder.path().join("app");
/// atomicdir::fill(&link, |staging| {
///     staging.write("db/password", "hunter2")?;
///     staging.write("api-token", "abc")
/// })?;
/// assert_eq!(std::fs::read(link.join("db/password"))?, b"hunter2");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// The closure's, or the protocol's; what was published before is still there. [`Error::is_after_flip`] tells the exceptions:
///
/// - The new set is current, but it is not known whether it would survive a power cut ([`Error::is_unsettled`]).
/// - The link was flipped, but somebody had moved the directory that it is in, so the path leads elsewhere.
///
/// That the time of the success could not be recorded is no error: the set is published all the same.
pub fn fill(link: impl AsRef<Path>, fill: impl FnOnce(&mut Filling<'_>) -> Result<()>) -> Result<()> {
    let mut locked = Options::new().open(link)?.lock(WAIT)?;
    let Published { misplaced, unsettled, .. } = {
        let mut filling = Filling(locked.stage()?);
        fill(&mut filling)?;
        filling.0.publish(None)?
    };
    if let Some(error) = misplaced.or(unsettled) {
        return Err(error);
    }
    if let Err(error) = locked.record_success() {
        tracing::debug!(step = error.step().number(), %error, "the time of the run is not recorded");
    }
    Ok(())
}
