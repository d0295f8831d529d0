//! The umask: 077 for all that this command makes, the user's own for what is his.

use rustix::fs::Mode;
use rustix::process::umask;

/// The umask that the process was started with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Umask(Mode);

impl Umask {
    /// Keeps group and others from all that this process makes from here on.
    pub(crate) fn tighten() -> Self {
        Self(umask(Mode::RWXG | Mode::RWXO))
    }

    pub(crate) fn bits(self) -> u32 {
        self.0.bits()
    }

    /// Does something with the umask that the process was started with. Only for a process with one thread.
    pub(crate) fn during<T>(self, work: impl FnOnce() -> T) -> T {
        let ours = umask(self.0);
        let done = work();
        umask(ours);
        done
    }
}
