//! Yields to other tasks of the runtime.

use std::future::poll_fn;
use std::task::Poll;

/// The number of files that are read before a yield. A yield costs a system call, and reading a small file hardly more.
pub(crate) const FILES_PER_YIELD: usize = 32;

/// Yields once to the runtime. Reading files blocks, so this gives the deadline, signals and other sources their
/// chance.
pub(crate) async fn yield_now() {
    let mut waited = false;
    poll_fn(|task| {
        if waited {
            return Poll::Ready(());
        }
        waited = true;
        task.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
