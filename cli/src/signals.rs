//! SIGINT and SIGTERM: clean up first, then end as the signal would have ended the process.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use tokio::signal::unix::{SignalKind, signal};

/// The signals that ask the process to end. Clones share what was received.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    number: Arc<AtomicUsize>,
    again: Arc<AtomicBool>,
}

impl Signals {
    /// Catches the signals from here on: the first of each. A second one ends the process at once, should it hang in
    /// a call that cannot be interrupted; what it leaves is swept away by the next run.
    pub(crate) fn catch(&self) -> io::Result<()> {
        for number in [SIGINT, SIGTERM] {
            let value = number.try_into().unwrap_or_default();
            signal_hook::flag::register_conditional_default(number, Arc::clone(&self.again))?;
            signal_hook::flag::register(number, Arc::clone(&self.again))?;
            signal_hook::flag::register_usize(number, Arc::clone(&self.number), value)?;
        }
        Ok(())
    }

    /// Returns the last signal that came.
    pub(crate) fn received(&self) -> Option<i32> {
        let number = self.number.load(Ordering::SeqCst);
        i32::try_from(number).ok().filter(|number| *number != 0)
    }

    /// Waits for a signal.
    pub(crate) async fn wait(&self) -> io::Result<()> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        // One that came before anybody waited is not heard any more.
        if self.received().is_none() {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        Ok(())
    }

    /// Ends the process as the signal would have, if one came.
    pub(crate) fn end_if_signalled(&self) {
        if let Some(number) = self.received()
            && let Err(error) = signal_hook::low_level::emulate_default_handler(number)
        {
            tracing::error!(%error, "cannot end by signal {number}");
        }
    }
}
