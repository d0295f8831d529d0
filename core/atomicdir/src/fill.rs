//! The small interface: fills a directory and publishes it, in one call.

use std::path::Path;
use std::time::Duration;

use crate::{Attributes, Error, FileName, Mode, NewFile, Options, Published, Result, Staging, Step};

/// How long [`fill`] waits for another run to end.
const WAIT: Duration = Duration::from_secs(30);

/// A staging in progress. Only the owner may read its files.
#[derive(Debug)]
pub struct Filling<'l>(Staging<'l>);

impl Filling<'_> {
    /// Writes one file with mode 0400. A `/` in its name makes directories.
    ///
    /// # Errors
    ///
    /// A name that is not valid or already used, and any error of the system. Nothing is published then, even if the
    /// closure continues, because the set would not be complete.
    pub fn write(&mut self, name: &str, bytes: impl AsRef<[u8]>) -> Result<()> {
        let name =
            FileName::new(name).map_err(|why| Error::refuse(Step::Validate, "create", name, why.into()))?;
        let attributes = Attributes::with_mode(Mode::OWNER_READS);
        self.0.write(&name, NewFile::new(bytes.as_ref(), attributes))
    }
}

/// Publishes a directory at a link. All files that the closure writes become visible at once, or none does.
///
/// It runs the whole protocol with the default [`Options`], and waits up to 30 seconds for another run. It compares
/// nothing: every call flips the link.
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
/// An error of the closure or of the protocol. The old set is still published, except in these cases of
/// [`Error::is_after_flip`]:
///
/// - The new set is current, but a power cut might undo that ([`Error::is_unsettled`]).
/// - The link was flipped, but its directory has been moved, so the path leads elsewhere.
///
/// If the time of the success cannot be recorded, this is not an error: the set is published.
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
