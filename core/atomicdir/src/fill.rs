//! The small interface: fill a directory, flip it, done.

use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::{Attributes, Error, File, FileName, Mode, Options, Published, Result, Staging, Step};

/// How long [`fill`] waits for another run to end.
const WAIT: Duration = Duration::from_secs(30);

/// A staging that is being filled with files that only their owner may read.
#[derive(Debug)]
pub struct Filling<'s, 'l, 'd>(&'s mut Staging<'l, 'd>);

impl Filling<'_, '_, '_> {
    /// Writes one file with mode 0400; `/` in its name makes directories.
    ///
    /// # Errors
    ///
    /// A name that is not valid or taken, and whatever the system says.
    pub fn write(&mut self, name: &str, bytes: impl AsRef<[u8]>) -> Result<()> {
        let name =
            FileName::new(name).map_err(|why| Error::refuse(Step::Validate, "create", name, why.into()))?;
        let attributes = Attributes::with_mode(Mode::OWNER_READS);
        self.0.write(&name, File { bytes: bytes.as_ref(), attributes })
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
/// The closure's, or the protocol's; what was published before is still there. One exception: the step of the error is
/// [`Step::Settle`] if the link has flipped, but it is not known whether the flip would survive a power cut.
pub fn fill(link: impl AsRef<Path>, fill: impl FnOnce(&mut Filling<'_, '_, '_>) -> Result<()>) -> Result<()> {
    let dir = Options::new().open(link)?;
    let mut locked = dir.lock(WAIT, &SystemTime::now)?;
    let mut staging = locked.stage()?;
    fill(&mut Filling(&mut staging))?;
    let Published { unsettled, .. } = staging.publish(None, &SystemTime::now)?;
    if let Some(error) = unsettled {
        return Err(error);
    }
    if let Err(error) = locked.succeed(SystemTime::now()) {
        // The set is published all the same: only the time of the success is not on record.
        tracing::debug!(step = error.step().number(), %error, "the time of the run is not noted");
    }
    Ok(())
}
