//! Reads and renders templates where that can do no harm: on a thread of its own.
//!
//! minijinja's parser, and what goes through its result, walk what is nested by recursion, so the thread has a stack that is
//! large enough for the deepest nesting which [`lexer`](super::lexer) lets through. Work that takes too long is told to stop,
//! and waited for: no thread is left behind. Should it panic, only the rendering has failed.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::budget::Stop;
use super::error::Fault;

/// The size of the stack. Only what is used of it takes memory.
const STACK: usize = 64 << 20;

/// Does some work, and waits for it for so long. Then it is told to stop, and waited for.
pub(super) fn run<T: Send + 'static>(
    longest: Duration,
    work: impl FnOnce(Stop) -> T + Send + 'static,
) -> Result<T, Fault> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let stop = StopOnDrop(Stop::default());
    // Nobody may be waiting any more.
    start(stop.0.clone(), work, move |done| drop(sender.send(done)))?;
    receiver.recv_timeout(longest).map_err(|ended| match ended {
        RecvTimeoutError::Disconnected => Fault::Panicked,
        RecvTimeoutError::Timeout => {
            stop.0.set();
            drop(receiver.recv());
            Fault::TooSlow { longest }
        }
    })
}

/// Does so without blocking this thread, which has signals to heed.
pub(super) async fn run_beside<T: Send + 'static>(
    longest: Duration,
    work: impl FnOnce(Stop) -> T + Send + 'static,
) -> Result<T, Fault> {
    let (sender, mut receiver) = oneshot::channel();
    let stop = StopOnDrop(Stop::default());
    start(stop.0.clone(), work, move |done| drop(sender.send(done)))?;
    if let Ok(done) = timeout(longest, &mut receiver).await {
        return done.map_err(|_| Fault::Panicked);
    }
    stop.0.set();
    drop(receiver.await);
    Err(Fault::TooSlow { longest })
}

/// Stops the work if whoever waits for it is dropped, too.
struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// Starts the thread, which passes on what it has done, and nothing if it panics.
fn start<T: Send + 'static>(
    stop: Stop,
    work: impl FnOnce(Stop) -> T + Send + 'static,
    pass_on: impl FnOnce(T) + Send + 'static,
) -> Result<(), Fault> {
    let thread = thread::Builder::new().name("template".to_owned()).stack_size(STACK);
    let started = thread.spawn(move || pass_on(work(stop)));
    started.map(drop).map_err(|error| Fault::NoThread(error.kind()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    const FOREVER: Duration = Duration::from_secs(3600);

    #[test]
    fn what_is_done_is_returned() {
        assert_eq!(run(FOREVER, |_| 7), Ok(7));
    }

    /// Works until it is told to stop, and says when it has ended.
    fn endless(ended: Arc<AtomicBool>) -> impl FnOnce(Stop) + Send {
        move |stop| {
            while !stop.is_set() {
                thread::yield_now();
            }
            ended.store(true, Ordering::SeqCst);
        }
    }

    #[test]
    fn what_does_not_end_is_told_to_stop_and_waited_for() {
        let (longest, ended) = (Duration::from_millis(1), Arc::new(AtomicBool::new(false)));
        assert_eq!(run(longest, endless(Arc::clone(&ended))), Err(Fault::TooSlow { longest }));
        assert!(ended.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn the_same_holds_beside_this_thread() {
        assert_eq!(run_beside(FOREVER, |_| 7).await, Ok(7));
        let (longest, ended) = (Duration::from_millis(1), Arc::new(AtomicBool::new(false)));
        let slow = run_beside(longest, endless(Arc::clone(&ended))).await;
        assert_eq!(slow, Err(Fault::TooSlow { longest }));
        assert!(ended.load(Ordering::SeqCst));
        assert_eq!(run_beside(FOREVER, |_| panic!("on purpose")).await, Err::<(), _>(Fault::Panicked));
    }

    #[tokio::test]
    async fn nobody_waits_for_a_run_that_was_dropped_and_it_ends_all_the_same() {
        let (sender, receiver) = mpsc::channel();
        let work = move |stop: Stop| {
            while !stop.is_set() {
                thread::yield_now();
            }
            drop(sender);
        };
        drop(timeout(Duration::from_millis(1), run_beside(FOREVER, work)).await);
        assert_eq!(receiver.recv(), Err::<(), _>(mpsc::RecvError));
    }

    #[test]
    fn a_panic_is_an_error() {
        assert_eq!(run(FOREVER, |_| panic!("on purpose")), Err::<(), _>(Fault::Panicked));
    }
}
