//! One turn of the runtime.

use std::future::poll_fn;
use std::task::Poll;

/// How many files are read in one turn. A turn is a system call of the runtime, which a small file is hardly more than.
pub(crate) const FILES_EACH: usize = 32;

/// Waits for one turn of the runtime. Reading blocks; here the deadline, a signal and other sources get their chance.
pub(crate) async fn let_others_run() {
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
