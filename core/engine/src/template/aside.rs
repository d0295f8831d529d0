//! Lets minijinja work where it can do no harm: on a thread of its own.
//!
//! It walks what is nested by recursion, so the thread has a stack that is large enough for the deepest nesting which
//! [`lexer`](super::lexer) lets through. It compares lists of lists without counting, so that somebody may write down a
//! comparison that takes years: then the thread is left behind, and the run, which has failed, ends without it. Should it
//! panic, only the rendering has failed.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::error::Fault;

/// The size of the stack. Only what is used of it takes memory.
const STACK: usize = 64 << 20;

/// Does some work, and waits for it for so long.
pub(super) fn run<T: Send + 'static>(
    longest: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    let (sender, receiver) = mpsc::sync_channel(1);
    // Nobody may be waiting any more.
    start(work, move |done| drop(sender.send(done)))?;
    receiver.recv_timeout(longest).map_err(|ended| match ended {
        RecvTimeoutError::Disconnected => Fault::Panicked,
        RecvTimeoutError::Timeout => Fault::TooSlow { longest },
    })
}

/// Does so without blocking this thread, which has signals to heed.
pub(super) async fn run_beside<T: Send + 'static>(
    longest: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    let (sender, receiver) = oneshot::channel();
    start(work, move |done| drop(sender.send(done)))?;
    match timeout(longest, receiver).await {
        Ok(done) => done.map_err(|_| Fault::Panicked),
        Err(_) => Err(Fault::TooSlow { longest }),
    }
}

/// Starts the thread, which passes on what it has done, and nothing if it panics.
fn start<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
    pass_on: impl FnOnce(T) + Send + 'static,
) -> Result<(), Fault> {
    let thread = thread::Builder::new().name("template".to_owned()).stack_size(STACK);
    let started = thread.spawn(move || pass_on(work()));
    started.map(drop).map_err(|error| Fault::NoThread(error.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOREVER: Duration = Duration::from_secs(3600);

    #[test]
    fn what_is_done_is_returned() {
        assert_eq!(run(FOREVER, || 7), Ok(7));
    }

    #[test]
    fn what_does_not_end_is_left_behind() {
        let (keep, never) = mpsc::channel::<()>();
        let result = run(Duration::from_millis(1), move || never.recv());
        assert_eq!(result, Err(Fault::TooSlow { longest: Duration::from_millis(1) }));
        drop(keep);
    }

    #[tokio::test]
    async fn the_same_holds_beside_this_thread() {
        assert_eq!(run_beside(FOREVER, || 7).await, Ok(7));
        let (keep, never) = mpsc::channel::<()>();
        let longest = Duration::from_millis(1);
        assert_eq!(run_beside(longest, move || never.recv()).await, Err(Fault::TooSlow { longest }));
        drop(keep);
        assert_eq!(run_beside(FOREVER, || panic!("on purpose")).await, Err::<(), _>(Fault::Panicked));
    }

    #[test]
    fn a_panic_is_an_error() {
        assert_eq!(run(FOREVER, || panic!("on purpose")), Err::<(), _>(Fault::Panicked));
    }
}
