//! The parts that the command provides to the engine: the system's clock, randomness, signals, and a progress bar on a
//! terminal.

use std::cell::Cell;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rustix::time::{ClockId, clock_gettime};
use secretdir_engine::{Event, Host};
use secretdir_provider::{Clock, Jitter};

use crate::args::Verbosity;
use crate::signals::Signals;
use crate::umask::Umask;

/// The command as a host of the engine.
#[derive(Debug)]
pub(crate) struct CliHost {
    pub(crate) umask: Umask,
    pub(crate) signals: Signals,
    progress: ProgressBar,
    /// Whether the command of `[on-change]` was started. Then the set is published.
    has_notified: Cell<bool>,
    /// Whether a store may have made a secret for this run. It must be given back if the run is interrupted.
    has_issued: Cell<bool>,
}

impl CliHost {
    pub(crate) fn new(umask: Umask, signals: Signals, verbosity: Verbosity) -> Self {
        // Traces would overwrite a bar. If standard error is no terminal, indicatif draws none.
        let target = match verbosity {
            Verbosity::Normal => ProgressDrawTarget::stderr(),
            Verbosity::Quiet | Verbosity::Verbose | Verbosity::Everything => ProgressDrawTarget::hidden(),
        };
        let progress = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg}") {
            progress.set_style(style);
        }
        Self { umask, signals, progress, has_notified: Cell::new(false), has_issued: Cell::new(false) }
    }

    /// Says whether the command of `[on-change]` was started for a published set.
    pub(crate) fn has_notified(&self) -> bool {
        self.has_notified.get()
    }

    /// Says whether a store may have made a secret for this run.
    pub(crate) fn has_issued(&self) -> bool {
        self.has_issued.get()
    }

    /// Removes the bar, so that the next message stands alone.
    pub(crate) fn clear_progress(&self) {
        self.progress.finish_and_clear();
    }
}

impl Host for CliHost {
    fn clock(&self) -> Clock {
        clock()
    }

    fn jitter(&self) -> Jitter {
        jitter()
    }

    fn interrupted(&self) -> bool {
        self.signals.received().is_some()
    }

    fn event(&self, event: Event<'_>) {
        if let Event::Arrived { secrets } = event {
            return self.progress.inc(secrets.try_into().unwrap_or(u64::MAX));
        }
        tracing::info!("{event}");
        match event {
            Event::Gathering { secrets } => self.progress.set_length(secrets.try_into().unwrap_or(u64::MAX)),
            Event::Listed { secrets, .. } => self.progress.inc_length(secrets.try_into().unwrap_or(u64::MAX)),
            // The command may print to the lines of the bar.
            Event::Verifying => return self.clear_progress(),
            Event::Issuing => self.has_issued.set(true),
            Event::Notifying => {
                self.has_notified.set(true);
                return self.clear_progress();
            }
            _ => {}
        }
        self.progress.set_message(event.to_string());
    }

    fn child_umask(&self) -> Option<u32> {
        Some(self.umask.bits())
    }
}

/// Returns the system's clock.
pub(crate) fn clock() -> Clock {
    Clock::new(since_boot)
}

/// Returns the source of random delays.
pub(crate) fn jitter() -> Jitter {
    Jitter::new(|longest| longest.mul_f64(fastrand::f64()))
}

/// Returns the time since the machine was started. Time asleep is included on systems that count it.
fn since_boot() -> Duration {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let clock = ClockId::Boottime;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let clock = ClockId::Monotonic;
    // Neither clock is ever negative.
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}
