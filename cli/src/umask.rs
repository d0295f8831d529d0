//! The umask: 077 for all files of this command, and the user's own for the user's files.

use rustix::fs::Mode;
use rustix::process::umask;

/// The umask that the process was started with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Umask(Mode);

impl Umask {
    /// Sets the umask so that group and others have no access to new files of this process.
    pub(crate) fn tighten() -> Self {
        Self(umask(Mode::RWXG | Mode::RWXO))
    }

    pub(crate) fn bits(self) -> u32 {
        self.0.bits()
    }

    /// Runs a function with the umask that the process was started with. Only for a process with one thread.
    pub(crate) fn during<T>(self, work: impl FnOnce() -> T) -> T {
        let ours = umask(self.0);
        let done = work();
        umask(ours);
        done
    }
}
