//! One turn of the runtime.

use std::future::poll_fn;
use std::task::Poll;

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
