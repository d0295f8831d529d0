//! Reads and renders templates where that can do no harm: on a thread of its own, one for all of them.
//!
//! minijinja's parser, and what goes through its result, walk what is nested by recursion, so the thread has a stack that is
//! large enough for the deepest nesting that `interpreter` lets through. It is started for the first template and ends
//! with the sandbox. Work that takes too long is told to stop, and waited for: no thread is left behind. Should work panic, only that
//! work has failed.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::budget::Stop;
use super::error::Fault;

/// The size of the stack. Only what is used of it takes memory.
const STACK: usize = 64 << 20;

type Job = Box<dyn FnOnce() + Send>;

/// A thread for templates. It does one thing at a time.
#[derive(Default)]
pub struct Sandbox {
    worker: Mutex<Option<Worker>>,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").finish_non_exhaustive()
    }
}

struct Worker {
    /// None once it is to end.
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Does some work, and waits for it for so long. Then it is told to stop, and waited for.
    pub(super) fn run<T: Send + 'static>(
        &self,
        longest: Duration,
        work: impl FnOnce(Stop) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let stop = StopOnDrop(Stop::default());
        // Nobody may be waiting any more.
        self.start(stop.0.clone(), work, move |done| drop(sender.send(done)))?;
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
        &self,
        longest: Duration,
        work: impl FnOnce(Stop) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let (sender, mut receiver) = oneshot::channel();
        let stop = StopOnDrop(Stop::default());
        self.start(stop.0.clone(), work, move |done| drop(sender.send(done)))?;
        if let Ok(done) = timeout(longest, &mut receiver).await {
            return done.map_err(|_| Fault::Panicked);
        }
        stop.0.set();
        drop(receiver.await);
        Err(Fault::TooSlow { longest })
    }

    /// Hands work to the thread, which passes on what it has done, and nothing if the work panics.
    fn start<T: Send + 'static>(
        &self,
        stop: Stop,
        work: impl FnOnce(Stop) -> T + Send + 'static,
        pass_on: impl FnOnce(T) + Send + 'static,
    ) -> Result<(), Fault> {
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        let worker = match &mut *worker {
            Some(worker) => worker,
            none => none.insert(Worker::start().map_err(|error| Fault::NoThread(error.kind()))?),
        };
        let job: Job = Box::new(move || pass_on(work(stop)));
        let sent = worker.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        if sent { Ok(()) } else { Err(Fault::Panicked) }
    }
}

impl Worker {
    fn start() -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let thread = thread::Builder::new().name("template".to_owned()).stack_size(STACK);
        let thread = thread.spawn(move || {
            for job in queue {
                // Whoever waits for it learns of a panic from what does not come.
                drop(catch_unwind(AssertUnwindSafe(job)));
            }
        })?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }
}

impl Drop for Worker {
    /// Waits for the thread: whatever it still does has been told to stop.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Stops the work if whoever waits for it is dropped, too.
struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.set();
    }
}
