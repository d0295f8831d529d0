//! Handles SIGHUP, SIGUSR1 and the signals that ask the process to end.
//!
//! A second request to end stops the process at once, because it may hang in a call that cannot be interrupted. The
//! next run sweeps up what it leaves.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGQUIT, SIGTERM};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Mutex;

use crate::signals::end_if;

const ENDING: [i32; 3] = [SIGINT, SIGQUIT, SIGTERM];

/// The signals of a daemon.
#[derive(Debug)]
pub(super) struct Signals {
    stop: Arc<AtomicBool>,
    heard: Mutex<Listeners>,
}

#[derive(Debug)]
struct Listeners {
    interrupt: Signal,
    quit: Signal,
    terminate: Signal,
    hang_up: Signal,
    refresh: Signal,
}

/// The request of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Stop,
    Reload,
    Refresh,
}

impl Signals {
    pub(super) fn catch() -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        for number in ENDING {
            // The order matters: the first signal finds the flag unset, and sets it.
            end_if(number, &stop)?;
            signal_hook::flag::register(number, Arc::clone(&stop))?;
        }
        let heard = Listeners {
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            refresh: signal(SignalKind::user_defined1())?,
        };
        Ok(Self { stop, heard: Mutex::new(heard) })
    }

    /// Says whether the process must end. True as soon as the signal has come.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Returns the flag that such a signal sets.
    pub(super) fn stop(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// Waits for a signal.
    pub(super) async fn next(&self) -> Asked {
        if self.is_stopped() {
            return Asked::Stop;
        }
        let mut heard = self.heard.lock().await;
        let Listeners { interrupt, quit, terminate, hang_up, refresh } = &mut *heard;
        tokio::select! {
            _ = interrupt.recv() => Asked::Stop,
            _ = quit.recv() => Asked::Stop,
            _ = terminate.recv() => Asked::Stop,
            _ = hang_up.recv() => Asked::Reload,
            _ = refresh.recv() => Asked::Refresh,
        }
    }
}
