//! Handles SIGINT, SIGTERM, SIGHUP and SIGQUIT: the process cleans up first, and then ends as the signal would have
//! ended it.
//!
//! A signal that was ignored when the process was started stays ignored. That is the case for programs that nohup or a
//! shell's background job starts: the Ctrl-C or the closed terminal is not meant for them.
//!
//! The first process of a container is different: the kernel drops each signal that it does not catch, so no signal
//! would end it. So each of these signals ends it from the beginning. The exit code is the one that a shell would
//! report, or that of a daemon's end.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::Exit;

/// The signals that ask a process to end.
const ENDING: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

/// The number that a shell adds to the signal that ended a process.
const ENDED_BY_SIGNAL: i32 = 128;

/// The signals that have been received. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    number: Arc<AtomicUsize>,
    again: Arc<AtomicBool>,
    /// Whether the command has not begun yet. Then a signal ends the first process of a container at once.
    is_early: Arc<AtomicBool>,
}

/// The signals that are caught.
#[derive(Debug)]
pub(crate) struct Caught<'s> {
    signals: &'s Signals,
    numbers: Vec<i32>,
}

impl Signals {
    /// Prepares for signals. In the first process of a container, each signal now ends the process, with this code or
    /// that of a shell.
    pub(crate) fn begin(code: Option<Exit>) -> io::Result<Self> {
        let signals = Self::default();
        if is_first_process() {
            signals.is_early.store(true, Ordering::SeqCst);
            for number in asked_for()? {
                let code = code.map_or(ENDED_BY_SIGNAL + number, |exit| exit as i32);
                exit_if(number, code, &signals.is_early)?;
            }
        }
        Ok(signals)
    }

    /// Notes that the signals are caught elsewhere from now on.
    pub(crate) fn hand_over(&self) {
        self.is_early.store(false, Ordering::SeqCst);
    }

    /// Catches the first signal of each kind. A second signal ends the process at once, because the process may hang in
    /// a call that cannot be interrupted. The next run sweeps up what it leaves.
    pub(crate) fn catch(&self) -> io::Result<Caught<'_>> {
        let numbers: Vec<_> = asked_for()?.collect();
        for number in numbers.iter().copied() {
            let value = number.try_into().unwrap_or_default();
            end_if(number, &self.again)?;
            signal_hook::flag::register(number, Arc::clone(&self.again))?;
            signal_hook::flag::register_usize(number, Arc::clone(&self.number), value)?;
        }
        self.hand_over();
        Ok(Caught { signals: self, numbers })
    }

    /// Returns the last signal that was received.
    pub(crate) fn received(&self) -> Option<i32> {
        let number = self.number.load(Ordering::SeqCst);
        i32::try_from(number).ok().filter(|number| *number != 0)
    }

    /// Ends the process as the signal would have ended it, if one was received.
    pub(crate) fn end_if_signalled(&self) {
        let Some(number) = self.received() else { return };
        if is_first_process() {
            std::process::exit(ENDED_BY_SIGNAL + number);
        }
        if let Err(error) = signal_hook::low_level::emulate_default_handler(number) {
            tracing::error!(%error, "cannot end by signal {number}");
        }
    }
}

/// Lets a signal end the process at once, if the condition holds when it comes. Actions for the same signal run in the
/// order of their registration.
pub(crate) fn end_if(number: i32, condition: &Arc<AtomicBool>) -> io::Result<()> {
    if is_first_process() {
        exit_if(number, ENDED_BY_SIGNAL + number, condition)
    } else {
        signal_hook::flag::register_conditional_default(number, Arc::clone(condition)).map(drop)
    }
}

fn exit_if(number: i32, code: i32, condition: &Arc<AtomicBool>) -> io::Result<()> {
    signal_hook::flag::register_conditional_shutdown(number, code, Arc::clone(condition)).map(drop)
}

/// Says whether this is the first process of a container, or of a machine.
fn is_first_process() -> bool {
    std::process::id() == 1
}

impl Caught<'_> {
    /// Waits for a signal. If none is caught, none comes.
    pub(crate) async fn wait(&self) -> io::Result<()> {
        let heard = self.numbers.iter().map(|number| signal(SignalKind::from_raw(*number)));
        let mut heard = heard.collect::<io::Result<Vec<_>>>()?;
        // A signal that came before this call is not delivered again.
        if self.signals.received().is_none() {
            std::future::poll_fn(|context| any_ready(&mut heard, context)).await;
        }
        Ok(())
    }
}

fn any_ready(signals: &mut [Signal], context: &mut Context<'_>) -> Poll<()> {
    let came = signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
    if came { Poll::Ready(()) } else { Poll::Pending }
}

/// Returns the signals that ask the process to end, without those that were ignored when it was started.
fn asked_for() -> io::Result<impl Iterator<Item = i32>> {
    let ignored = ignored()?;
    Ok(ENDING.into_iter().filter(move |number| ignored >> (number - 1) & 1 == 0))
}

/// Returns a bit for each signal that was ignored at the start and is not caught yet; the lowest bit is signal 1.
/// Returns 0 on a system without `/proc`.
fn ignored() -> io::Result<u64> {
    match std::fs::read_to_string("/proc/self/status") {
        Ok(status) => Ok(ignored_in(&status).unwrap_or_default()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

fn ignored_in(status: &str) -> Option<u64> {
    let bits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(bits.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_is_read_from_what_the_kernel_says() {
        assert_eq!(ignored_in("Name:\tx\nSigIgn:\t0000000000001003\nSigCgt:\t1\n"), Some(0x1003));
        assert_eq!(ignored_in("Name:\tx\n"), None);
        assert_eq!(ignored_in("SigIgn:\tx\n"), None);
    }
}
