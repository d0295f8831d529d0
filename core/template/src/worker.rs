//! Reads and renders each template on a thread of its own, with a deadline.
//!
//! minijinja's parser and the interpreter are recursive. So the thread has a stack for the deepest nesting that `interpreter`
//! allows. After the deadline, the work is told to stop, and waited for. If the caller is dropped, the work is told to stop,
//! too, and ends with its next step. So no thread stays behind. A panic fails only its own work.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::budget::Stop;
use super::error::Fault;

/// The size of the stack. Only the used part of it takes memory.
const STACK: usize = 64 << 20;

/// Does some work, and blocks this thread until it ends.
pub(super) fn run<T: Send + 'static>(
    longest: Duration,
    work: impl FnOnce(Stop) -> T + Send + 'static,
) -> Result<T, Fault> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let stop = StopOnDrop(Stop::default());
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

/// Does some work without blocking this thread.
pub(super) async fn run_async<T: Send + 'static>(
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

/// Starts a thread. It passes on the result of the work, and nothing if the work panics.
fn start<T: Send + 'static>(
    stop: Stop,
    work: impl FnOnce(Stop) -> T + Send + 'static,
    pass_on: impl FnOnce(T) + Send + 'static,
) -> Result<(), Fault> {
    let thread = thread::Builder::new().name("template".to_owned()).stack_size(STACK);
    let started = thread.spawn(move || pass_on(work(stop)));
    started.map(drop).map_err(|error| Fault::NoThread(error.kind()))
}

/// Tells the work to stop when its caller is dropped.
struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.set();
    }
}
