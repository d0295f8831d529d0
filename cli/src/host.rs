//! What the engine gets from a command: the system's clock, randomness, signals, and a progress bar on a terminal.

use std::cell::RefCell;
use std::time::{Duration, SystemTime};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use secretdir_engine::{Event, Host};

use crate::args::Verbosity;
use crate::signals::Signals;
use crate::umask::Umask;

/// The command as a host of the engine.
#[derive(Debug)]
pub(crate) struct CliHost {
    pub(crate) umask: Umask,
    pub(crate) signals: Signals,
    random: RefCell<fastrand::Rng>,
    progress: ProgressBar,
}

impl CliHost {
    pub(crate) fn new(umask: Umask, signals: Signals, verbosity: Verbosity) -> Self {
        // Traces would be written across a bar. Where standard error is no terminal, indicatif draws none.
        let target = match verbosity {
            Verbosity::Normal => ProgressDrawTarget::stderr(),
            Verbosity::Quiet | Verbosity::Verbose | Verbosity::Everything => ProgressDrawTarget::hidden(),
        };
        let progress = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg}") {
            progress.set_style(style);
        }
        Self { umask, signals, random: RefCell::new(fastrand::Rng::new()), progress }
    }

    /// Takes the bar away, so that what is printed next stands alone.
    pub(crate) fn clear_progress(&self) {
        self.progress.finish_and_clear();
    }
}

impl Host for CliHost {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn jitter(&self, most: Duration) -> Duration {
        most.mul_f64(self.random.borrow_mut().f64())
    }

    fn interrupted(&self) -> bool {
        self.signals.received().is_some()
    }

    fn event(&self, event: Event<'_>) {
        tracing::info!("{event}");
        match event {
            Event::Gathering { secrets } => self.progress.set_length(secrets.try_into().unwrap_or(u64::MAX)),
            Event::Listed { secrets, .. } => self.progress.inc_length(secrets.try_into().unwrap_or(u64::MAX)),
            Event::Fetched { secrets, .. } => self.progress.inc(secrets.try_into().unwrap_or(u64::MAX)),
            // It prints what it likes, where the bar is.
            Event::Notifying => return self.clear_progress(),
            _ => {}
        }
        self.progress.set_message(event.to_string());
    }

    fn child_umask(&self) -> Option<u32> {
        Some(self.umask.bits())
    }
}
